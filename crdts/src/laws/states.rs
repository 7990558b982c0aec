//! Laws of single states, pairs and triples.
//!
//! The checks say nothing about where the states come from: a test feeds states that replicas reached, or that an
//! adversary made up.
//!
//! ```
//! use crdts::{Crdt, GCounter, ReplicaId, laws::states, objects::counter::CounterOp};
//!
//! let (mut a, mut b) = (GCounter::default(), GCounter::default());
//! states::check_update(&mut a, ReplicaId(1), &CounterOp::Add(1))?;
//! states::check_update(&mut b, ReplicaId(2), &CounterOp::Add(2))?;
//! states::check_joins(&a, &b, &GCounter::default())?;
//! states::check_decomposition(&a)?;
//! states::check_delta_since(&a, &b)?;
//! # Ok::<(), crdts::laws::Violation>(())
//! ```
//!
//! What is deliberately absent: any choice of states ([`super::histories`] makes it).

use super::{Law, Violation, require};
use crate::{
    clock::ReplicaId,
    encoding::Encode,
    lattice::{Crdt, Lattice, Update},
    object::Object,
};

type Op<C> = <<C as Crdt>::Object as Object>::Op;
type Ret<C> = <<C as Crdt>::Object as Object>::Ret;

/// The join of two states.
pub(super) fn joined<L: Lattice>(a: &L, b: &L) -> L {
    let mut joined = a.clone();
    joined.join(b);
    joined
}

/// The join of many states.
pub(super) fn joined_all<'a, L: Lattice + 'a>(states: impl IntoIterator<Item = &'a L>) -> L {
    let mut all = L::bottom();
    for state in states {
        all.join(state);
    }
    all
}

/// The words that a state feeds to a hash.
pub(super) fn words<C: Crdt>(state: &C) -> Vec<u64> {
    let mut words = Vec::new();
    state.fold(|word| words.push(word));
    words
}

/// The words that a digest feeds to a hash.
fn digest_words<C: Crdt>(digest: &C::Digest) -> Vec<u64> {
    let mut words = Vec::new();
    C::fold_digest(digest, |word| words.push(word));
    words
}

/// What a state reports for one replica; zero when it reports nothing.
pub(super) fn progress_of<C: Crdt>(state: &C, replica: ReplicaId) -> u64 {
    let mut found = 0;
    state.progress(|reporting, count| {
        if reporting == replica {
            found = count;
        }
    });
    found
}

/// Join is the least upper bound of a partial order: idempotent, commutative, associative, with bottom neutral, in
/// agreement with [`Lattice::le`], and honest about growth.
pub fn check_joins<L: Lattice>(a: &L, b: &L, c: &L) -> Result<(), Violation> {
    let twice = joined(a, a);
    require(twice == *a, Law::Idempotent, &[("a", a), ("a joined with a", &twice)])?;

    let (a_b, b_a) = (joined(a, b), joined(b, a));
    require(a_b == b_a, Law::Commutative, &[("a", a), ("b", b), ("a joined with b", &a_b), ("b joined with a", &b_a)])?;

    let (left, right) = (joined(&a_b, c), joined(a, &joined(b, c)));
    let evidence: [(_, &dyn std::fmt::Debug); 5] =
        [("a", a), ("b", b), ("c", c), ("a with b, then c", &left), ("a with (b with c)", &right)];
    require(left == right, Law::Associative, &evidence)?;

    let bottom = L::bottom();
    let (raised, kept) = (joined(&bottom, a), joined(a, &bottom));
    let neutral = raised == *a && kept == *a && bottom.le(a) && a.is_bottom() == (*a == bottom);
    let evidence: [(_, &dyn std::fmt::Debug); 4] =
        [("a", a), ("bottom", &bottom), ("bottom joined with a", &raised), ("a joined with bottom", &kept)];
    require(neutral, Law::BottomIsNeutral, &evidence)?;

    for (low, high) in [(a, b), (b, a), (a, &a_b), (&a_b, a), (a, a)] {
        let mut both = low.clone();
        let grew = both.join(high);
        let evidence: [(_, &dyn std::fmt::Debug); 3] = [("a", low), ("b", high), ("a joined with b", &both)];
        require(low.le(high) == (both == *high), Law::OrderIsJoins, &evidence)?;
        require(grew == (both != *low), Law::JoinReportsGrowth, &evidence)?;
    }
    Ok(())
}

/// States that one history leads to never contradict each other, so the cautious join is the join.
pub fn check_honest_join<L: Lattice>(a: &L, b: &L) -> Result<(), Violation> {
    let mut both = a.clone();
    let tried = both.try_join(b);
    let expected = joined(a, b);
    let same = tried == Ok(expected != *a) && both == expected;
    let evidence: [(_, &dyn std::fmt::Debug); 5] =
        [("a", a), ("b", b), ("tried", &tried), ("reached", &both), ("a joined with b", &expected)];
    require(same, Law::TryJoinIsJoin, &evidence)
}

/// A state from anywhere is joined as a whole, or refused with the state left as it was, and refused from both sides.
pub fn check_hostile_join<L: Lattice>(a: &L, b: &L) -> Result<(), Violation> {
    let (mut ours, mut theirs) = (a.clone(), b.clone());
    let (tried, reversed) = (ours.try_join(b), theirs.try_join(a));
    let evidence: [(_, &dyn std::fmt::Debug); 6] = [
        ("a", a),
        ("b", b),
        ("tried", &tried),
        ("reached", &ours),
        ("tried from b", &reversed),
        ("reached from b", &theirs),
    ];
    require(tried.is_ok() == reversed.is_ok(), Law::TryJoinIsAtomic, &evidence)?;
    match tried {
        Ok(_) => check_honest_join(a, b),
        Err(_) => require(ours == *a && theirs == *b, Law::TryJoinIsAtomic, &evidence),
    }
}

/// The decomposition joins back, is its own when repeated, and has no part that the others make superfluous.
///
/// Whether a part is the join of smaller states shows only beside other states: [`check_irreducible`].
pub fn check_decomposition<L: Lattice>(state: &L) -> Result<(), Violation> {
    let parts = state.decompose();
    let whole = joined_all(&parts);
    require(
        whole == *state,
        Law::DecompositionJoinsBack,
        &[("state", state), ("parts", &parts), ("their join", &whole)],
    )?;
    for (at, part) in parts.iter().enumerate() {
        let again = part.decompose();
        let irreducible = !part.is_bottom() && again.len() == 1 && again[0] == *part;
        require(irreducible, Law::DecompositionIrreducible, &[("part", part), ("its parts", &again)])?;
        let others = joined_all(parts.iter().enumerate().filter(|&(other, _)| other != at).map(|(_, other)| other));
        require(!part.le(&others), Law::DecompositionIrredundant, &[("part", part), ("all parts", &parts)])?;
    }
    Ok(())
}

/// No part of the state's decomposition is the join of those `pool` states that lie strictly below it.
pub fn check_irreducible<L: Lattice>(state: &L, pool: &[&L]) -> Result<(), Violation> {
    for part in state.decompose() {
        let below = pool.iter().copied().filter(|other| **other != part && other.le(&part));
        let reached = joined_all(below);
        require(reached != part, Law::DecompositionIrreducible, &[("part", &part), ("state", state)])?;
    }
    Ok(())
}

/// What `ahead` sends for the digest of `behind` is enough, and nothing that `behind` has.
pub fn check_delta_since<C: Crdt>(ahead: &C, behind: &C) -> Result<(), Violation> {
    let delta = ahead.delta_since(&behind.digest());
    let (reached, expected) = (joined(behind, &delta), joined(behind, ahead));
    let evidence: [(_, &dyn std::fmt::Debug); 3] = [("ahead", ahead), ("behind", behind), ("delta", &delta)];
    require(reached == expected, Law::DeltaSufficient, &evidence)?;

    let lacking: Vec<C> = ahead.decompose().into_iter().filter(|part| !part.le(behind)).collect();
    require(delta == joined_all(&lacking), Law::DeltaLeast, &evidence)
}

/// What is observed of two states agrees when the states do, and grows when they do.
pub fn check_observation<C: Crdt>(a: &C, b: &C) -> Result<(), Violation> {
    let (words_a, words_b) = (words(a), words(b));
    let evidence: [(_, &dyn std::fmt::Debug); 4] =
        [("a", a), ("b", b), ("words of a", &words_a), ("words of b", &words_b)];
    require((a == b) == (words_a == words_b), Law::FoldIsFaithful, &evidence)?;
    let (digest_a, digest_b) = (a.digest(), b.digest());
    let folds_agree = digest_words::<C>(&digest_a) == digest_words::<C>(&digest_b);
    let evidence: [(_, &dyn std::fmt::Debug); 2] = [("digest of a", &digest_a), ("digest of b", &digest_b)];
    require((digest_a == digest_b) == folds_agree, Law::FoldIsFaithful, &evidence)?;
    if a == b {
        let same = a.value() == b.value() && a.weight() == b.weight() && digest_a == digest_b;
        require(same, Law::Convergence, &[("a", a), ("b", b)])?;
    }
    let both = joined(a, b);
    let mut reports = Vec::new();
    a.progress(|replica, count| reports.push((replica, count)));
    for (replica, count) in reports {
        let later = progress_of(&both, replica);
        let evidence: [(_, &dyn std::fmt::Debug); 4] =
            [("state", a), ("larger state", &both), ("progress", &(replica, count)), ("later", &later)];
        require(later >= count, Law::ProgressMonotone, &evidence)?;
    }
    Ok(())
}

/// Performs an operation, and checks all that an operation must obey. Returns nothing when the replica refused it.
pub fn check_update<C: Crdt>(
    state: &mut C,
    replica: ReplicaId,
    op: &Op<C>,
) -> Result<Option<Update<Ret<C>, C>>, Violation> {
    let before = state.clone();
    let Ok(update) = state.update(replica, op) else {
        require(*state == before, Law::ErrorKeepsState, &[("operation", op), ("before", &before), ("after", state)])?;
        return Ok(None);
    };
    let state = &*state;
    let evidence: [(_, &dyn std::fmt::Debug); 5] =
        [("operation", op), ("at", &replica), ("before", &before), ("after", state), ("update", &update)];
    if !C::Object::is_update(op) {
        require(*state == before && update.delta.is_bottom(), Law::QueryKeepsState, &evidence)?;
    }
    require(before.le(state), Law::UpdateInflates, &evidence)?;
    require(joined(&before, &update.delta) == *state, Law::DeltaIsUpdate, &evidence)?;
    let grew = progress_of(state, replica) > progress_of(&before, replica);
    require(grew == (*state != before), Law::ProgressCountsUpdates, &evidence)?;

    let mut value = before.value();
    let ret = C::Object::step(&mut value, op);
    require(ret == update.ret && value == state.value(), Law::SequentialSpecification, &evidence)?;
    Ok(Some(update))
}

/// The encoding reads back, and has the size that [`Crdt::weight`] accounts.
pub fn check_encoding<C: Crdt + Encode>(state: &C) -> Result<(), Violation> {
    let mut bytes = Vec::new();
    state.encode(&mut bytes);
    let decoded = C::decode(&bytes);
    let faithful = decoded.as_ref() == Ok(state) && state.weight().total_bytes() == bytes.len() as u64;
    let evidence: [(_, &dyn std::fmt::Debug); 4] =
        [("state", state), ("bytes", &bytes), ("decoded", &decoded), ("weight", &state.weight())];
    require(faithful, Law::EncodingFaithful, &evidence)
}
