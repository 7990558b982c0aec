//! Histories by which sets of other libraries were once wrong, or which they test for that reason, written anew.
//!
//! Sources: rust-crdt `test/orswot.rs`, and the unit tests of `riak_dt` in `src/riak_dt_orswot.erl`. Their sets are our
//! [`OrSet`]; the form with tombstones must agree with it everywhere.

use std::collections::BTreeSet;

use crdts::{
    Crdt, JoinError, Lattice, OrSet, OrSetTombstones, ReplicaId, RwSet,
    causality::{CausalContext, Dot, DotStore},
    objects::set::{Set, SetOp},
};

const A: ReplicaId = ReplicaId(1);
const B: ReplicaId = ReplicaId(2);
const C: ReplicaId = ReplicaId(3);

trait AddWins: Crdt<Object = Set<u8>> {
    /// Adds an element, and gives the delta.
    fn put(&mut self, replica: ReplicaId, element: u8) -> Self {
        self.update(replica, &SetOp::Add(element)).expect("counters are far from their end").delta
    }

    /// Removes an element, and gives the delta.
    fn take(&mut self, replica: ReplicaId, element: u8) -> Self {
        self.update(replica, &SetOp::Remove(element)).expect("counters are far from their end").delta
    }

    fn check(&self, expected: &[u8]) {
        assert_eq!(self.value(), expected.iter().copied().collect::<BTreeSet<u8>>());
    }
}

impl AddWins for OrSet<u8> {}
impl AddWins for OrSetTombstones<u8> {}

fn joined<S: Lattice>(states: &[&S]) -> S {
    let mut all = S::bottom();
    for state in states {
        all.join(state);
    }
    all
}

/// Runs a history for both forms.
macro_rules! both_forms {
    ($($(#[$doc:meta])* $name:ident)*) => {
        mod without_tombstones {
            $($(#[$doc])* #[test] fn $name() { super::$name::<super::OrSet<u8>>(); })*
        }
        mod with_tombstones {
            $($(#[$doc])* #[test] fn $name() { super::$name::<super::OrSetTombstones<u8>>(); })*
        }
    };
}

both_forms! {
    disjoint_merge
    present_but_removed
    no_dots_left
    dead_node_update
    adds_dont_destroy_causality
    merge_clocks_of_identical_entries
    removals_that_arrive_early
    early_removals_survive_merges
    batch_order
}

/// rust-crdt `disjoint_merge`; `riak_dt` `disjoint_merge_test`: what was removed here does not come back with a peer that
/// never had it.
fn disjoint_merge<S: AddWins>() {
    let (mut a, mut b) = (S::bottom(), S::bottom());
    a.put(A, 0);
    b.put(B, 1);
    let both = joined(&[&a, &b]);
    both.check(&[0, 1]);
    let mut c = both;
    c.take(C, 0);
    c.join(&b);
    c.check(&[1]);
    c.join(&a);
    c.check(&[1]);
}

/// rust-crdt `present_but_removed`; `riak_dt` `present_but_removed_test`: an element that both sides hold can have been
/// removed all the same, since each removed the dot that the other still has.
fn present_but_removed<S: AddWins>() {
    let mut a = S::bottom();
    a.put(A, 0);
    let c = a.clone();
    a.take(A, 0);
    let mut b = S::bottom();
    b.put(B, 0);
    a.join(&b);
    a.check(&[0]);
    b.take(B, 0);
    joined(&[&a, &c, &b]).check(&[]);
    joined(&[&b, &c, &a]).check(&[]);
    // Both hold the element, neither addition is left: `a` has B's, `c` has A's, and `b` knows that B's is gone.
    let mut last = c;
    last.join(&a);
    last.check(&[0]);
    last.join(&b);
    last.check(&[]);
}

/// rust-crdt `no_dots_left_test`; `riak_dt` `no_dots_left_test`: a merge that leaves an element without dots leaves no
/// element.
fn no_dots_left<S: AddWins>() {
    let (mut a, mut b) = (S::bottom(), S::bottom());
    a.put(A, 0);
    b.put(B, 0);
    let mut c = a.clone();
    a.take(A, 0);
    a.join(&b); // A's addition is gone, B's is here
    b.take(B, 0);
    b.join(&c); // A's addition is here, B's is gone
    b.check(&[0]);
    b.join(&a);
    b.check(&[]);
    b.join(&c);
    b.check(&[]);
    a.join(&b);
    c.join(&a);
    assert_eq!(a, c);
    c.check(&[]);
}

/// rust-crdt `dead_node_update_test`; `riak_dt` `dead_node_update_test`: a removal whose past holds a replica that the
/// receiver has never heard of.
fn dead_node_update<S: AddWins>() {
    let mut a = S::bottom();
    a.put(A, 0);
    let mut dead = a.clone();
    dead.put(C, 1); // nobody will hear of it
    let mut b = dead;
    let removal = b.take(B, 0);
    a.join(&removal);
    a.check(&[]);
}

/// rust-crdt `adds_dont_destroy_causality`; `riak_dt` `adds_dont_destroy_causality` (`riak_dt_orswot`): an addition
/// beside one that a removal saw does not hide what the removal saw.
fn adds_dont_destroy_causality<S: AddWins>() {
    let mut c = S::bottom();
    c.put(C, 0);
    c.put(C, 0);
    let mut b = c.clone();
    b.put(B, 1);
    let mut reader = b.clone(); // saw both additions of 0
    let mut a = b;
    a.put(A, 0); // a third one, which the reader has not seen
    let removal = reader.take(ReplicaId(9), 0);
    a.join(&removal);
    a.check(&[0, 1]);
    c.join(&removal);
    c.check(&[]);
    c.join(&a);
    c.check(&[0, 1]);
}

/// rust-crdt `merge_clocks_of_identical_entries`: an element added on two sides has both dots, and a removal names
/// both.
fn merge_clocks_of_identical_entries<S: AddWins>() {
    let (mut a, mut b) = (S::bottom(), S::bottom());
    a.put(ReplicaId(3), 1);
    b.put(ReplicaId(7), 1);
    let mut both = joined(&[&a, &b]);
    both.check(&[1]);
    assert_eq!(both, joined(&[&b, &a]));
    both.take(ReplicaId(3), 1);
    joined(&[&both, &a, &b]).check(&[]);
}

/// rust-crdt `ensure_deferred_merges`: removals that arrive before what they remove.
fn removals_that_arrive_early<S: AddWins>() {
    let (mut a, mut b, mut c) = (S::bottom(), S::bottom(), S::bottom());
    let adds = [a.put(A, 0), a.put(A, 1), a.put(A, 2)];
    b.join(&a);
    c.join(&a);
    let removals = [b.take(B, 0), c.take(C, 1)];
    let mut late = joined(&[&removals[0], &removals[1]]);
    late.check(&[]);
    for add in adds.iter().rev() {
        late.join(add);
    }
    late.check(&[2]);
}

/// rust-crdt `preserve_deferred_across_merges`: a removal that arrived early is handed on with the state.
fn early_removals_survive_merges<S: AddWins>() {
    let mut a = S::bottom();
    a.put(A, 5);
    let mut b = a.clone();
    let removal = b.take(B, 5);
    let mut c = S::bottom();
    c.join(&removal);
    let mut d = S::bottom();
    d.put(ReplicaId(4), 6);
    d.join(&c);
    d.join(&a);
    d.check(&[6]);
    let asked = d.delta_since(&a.digest());
    a.join(&asked);
    a.check(&[6]);
}

/// `riak_dt` `batch_order_test`: updates of one replica count in the order in which it made them.
fn batch_order<S: AddWins>() {
    let mut set = S::bottom();
    let mut deltas = Vec::new();
    for element in [0, 1, 2] {
        deltas.push(set.put(A, element));
    }
    deltas.extend([set.take(A, 0), set.put(A, 0), set.take(A, 1), set.put(A, 3), set.take(A, 3)]);
    set.check(&[0, 2]);
    assert_eq!(joined(&deltas.iter().collect::<Vec<_>>()), set);
    assert_eq!(joined(&deltas.iter().rev().collect::<Vec<_>>()), set);
}

/// rust-crdt `test_reset_remove`: dropping what a given past brought leaves what others brought.
#[test]
fn reset_remove() {
    let mut set = OrSet::<u8>::bottom();
    set.put(A, 1);
    set.put(A, 1);
    set.put(B, 2);
    set.put(C, 3);
    let mut store = set.store().clone();
    let past: CausalContext = [Dot::new(A, 1), Dot::new(A, 2), Dot::new(C, 1), Dot::new(C, 2)].into_iter().collect();
    assert!(store.remove(&past));
    assert_eq!(store.iter().map(|(element, _)| *element).collect::<Vec<_>>(), [2]);
}

/// rust-crdt `weird_highlight_1`: two replicas under one id, a cloned disk for example. Each takes the other's element
/// for one that it has removed, and both are lost; that this happens is detected.
#[test]
fn one_id_used_twice_is_refused() {
    let (mut a, mut b) = (OrSet::<u8>::bottom(), OrSet::bottom());
    a.put(A, 1);
    b.put(A, 2);
    joined(&[&a, &b]).check(&[]);

    let before = a.clone();
    assert_eq!(a.try_join(&b), Err(JoinError::Contradiction { dot: Dot::new(A, 1) }));
    assert_eq!(a, before);
}

/// The same in a large set with a past in common, over a delta, and over a whole state.
#[test]
fn one_id_used_twice_is_found_in_large_sets() {
    let mut common = OrSet::<u16>::bottom();
    for element in 0..3000 {
        common.add(A, element * 7).expect("counters are far from their end");
    }
    let (mut a, mut b) = (common.clone(), common);
    a.add(A, 1).expect("counters are far from their end");
    a.remove(B, &70).expect("counters are far from their end");
    let delta = b.add(A, 2).expect("counters are far from their end");
    let refused = Err(JoinError::Contradiction { dot: Dot::new(A, 3001) });
    for other in [&delta, &b] {
        let before = a.clone();
        assert_eq!(a.try_join(other), refused);
        assert_eq!(a, before);
        assert_eq!(other.clone().try_join(&a), refused);
    }
    // What was removed on one side is no contradiction.
    let mut c = a.clone();
    c.remove(C, &1).expect("counters are far from their end");
    assert_eq!(a.clone().try_join(&c), Ok(true));
    assert_eq!(c.try_join(&a), Ok(false));
}

/// An addition and a removal of one element under one dot.
#[test]
fn one_dot_for_an_addition_and_a_removal_is_refused() {
    let (mut a, mut b) = (RwSet::<u8>::bottom(), RwSet::bottom());
    a.add(A, 1).expect("counters are far from their end");
    b.remove(A, &1).expect("counters are far from their end");
    let before = a.clone();
    assert_eq!(a.try_join(&b), Err(JoinError::Contradiction { dot: Dot::new(A, 1) }));
    assert_eq!(a, before);
}
