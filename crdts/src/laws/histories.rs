//! Laws of histories: replicas perform operations and hear from each other.
//!
//! A history is a list of [`Step`]s. Steps read the replicas as they are and never build states or deltas by hand, so
//! every state met is one that replicas can reach. After each step all replicas, and all updates so far, are judged:
//!
//! ```
//! use crdts::{GCounter, laws::histories::{Step, check_history}, objects::counter::CounterOp};
//!
//! check_history::<GCounter>(3, &[
//!     Step::Update { at: 0, op: CounterOp::Add(1) },
//!     Step::Update { at: 1, op: CounterOp::Add(5) },
//!     Step::Merge { into: 2, from: 1 },
//!     Step::Deliver { into: 2, update: 0 },
//!     Step::Sync { into: 0, from: 2 },
//! ])?;
//! # Ok::<(), crdts::laws::Violation>(())
//! ```
//!
//! [`check_small_histories`] takes every history of updates and merges up to a length, shortest first, so the first
//! violation that it finds is a smallest one. Random histories are for the caller to draw: any steps are a history.
//!
//! What is deliberately absent: time, loss and partitions. A step that does not happen is a message that did not arrive.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use super::{
    Law, Violation, require,
    states::{
        check_decomposition, check_delta_since, check_irreducible, check_joins, check_observation, check_update,
        joined, joined_all, progress_of, words,
    },
};
use crate::{clock::ReplicaId, lattice::Crdt, object::Object};

type Op<C> = <<C as Crdt>::Object as Object>::Op;

/// How many different states are judged pair by pair. Their number squared is the work.
const PAIRED_STATES_MAX: usize = 400;

/// What happens next. Replicas and updates are named by number; numbers beyond the last wrap around.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<Op> {
    /// A client's operation at a replica.
    Update {
        /// The replica.
        at: usize,
        /// The operation.
        op: Op,
    },
    /// A replica joins the whole state of another.
    Merge {
        /// The replica that hears.
        into: usize,
        /// The replica that tells.
        from: usize,
    },
    /// A replica joins the delta of one earlier update: late, early, twice or never.
    Deliver {
        /// The replica that hears.
        into: usize,
        /// The update, counted over all replicas.
        update: usize,
    },
    /// A replica asks another with its digest, and joins the answer.
    Sync {
        /// The replica that asks.
        into: usize,
        /// The replica that answers.
        from: usize,
    },
}

/// What an exhaustive check has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// Histories, the prefixes of others included.
    pub histories: u64,
    /// Different states that replicas reached.
    pub states: usize,
}

/// Plays a history and judges every moment of it.
pub fn check_history<C: Crdt>(replicas: usize, steps: &[Step<Op<C>>]) -> Result<(), Violation> {
    let mut cluster = Cluster::<C>::new(replicas);
    for (at, step) in steps.iter().enumerate() {
        let judged = cluster.perform(step).and_then(|()| cluster.check_moment()).and_then(|()| cluster.check_pairs());
        judged.map_err(|violation| violation.with("history", &&steps[..=at]))?;
    }
    let ops: Vec<&Op<C>> = cluster.updates.iter().map(|update| &update.op).collect();
    let ended = if commute_along::<C::Object>(&ops) { cluster.check_nothing_lost() } else { Ok(()) };
    ended.map_err(|violation| violation.with("history", &steps))
}

/// Plays every history of up to `steps` steps, in which each step is one of `ops` at some replica or a merge between two.
pub fn check_small_histories<C: Crdt>(ops: &[Op<C>], replicas: usize, steps: usize) -> Result<Explored, Violation> {
    let replicas = replicas.max(1);
    let mut choices = Vec::new();
    for at in 0..replicas {
        choices.extend(ops.iter().map(|op| Step::Update { at, op: op.clone() }));
        choices.extend((0..replicas).filter(|&from| from != at).map(|from| Step::Merge { into: at, from }));
    }
    let mut search = Search {
        choices,
        commutes: commute_everywhere::<C::Object>(ops, steps),
        path: Vec::new(),
        trail: Vec::new(),
        histories: 0,
        states: BTreeMap::new(),
        met: BTreeSet::new(),
    };
    let bottom = search.number(&C::bottom())?;
    search.trail.push(bottom);
    for length in 1..=steps {
        let searched = search.extend(&Cluster::new(replicas), length);
        searched.map_err(|violation| violation.with("history", &search.path))?;
    }
    let mut pool = search.states.into_values().collect::<Vec<(usize, C)>>();
    pool.sort_unstable_by_key(|&(number, _)| number);
    let pool: Vec<C> = pool.into_iter().map(|(_, state)| state).collect();
    check_pool(&pool, &search.met)?;
    Ok(Explored { histories: search.histories, states: pool.len() })
}

/// The laws that are about states alone, for every state that was reached. `met` tells, by number, which states occurred
/// in one history.
fn check_pool<C: Crdt>(pool: &[C], met: &BTreeSet<(usize, usize)>) -> Result<(), Violation> {
    for state in pool {
        check_decomposition(state)?;
    }
    for (at, state) in pool.iter().enumerate() {
        let others = met.range((at, 0)..=(at, usize::MAX)).map(|&(_, other)| &pool[other]);
        check_irreducible(state, others.clone())?;
        for other in others {
            check_delta_since(state, other)?;
        }
    }
    let paired = &pool[..pool.len().min(PAIRED_STATES_MAX)];
    for state in paired {
        for other in paired {
            check_observation(state, other)?;
        }
    }
    Ok(())
}

struct Search<C: Crdt> {
    choices: Vec<Step<Op<C>>>,
    commutes: bool,
    /// The steps to the moment that is being judged.
    path: Vec<Step<Op<C>>>,
    /// The states that were reached on the path, by number: bottom, and one for each step.
    trail: Vec<usize>,
    histories: u64,
    /// Every state reached, numbered, by the words that it feeds to a hash.
    states: BTreeMap<Vec<u64>, (usize, C)>,
    /// Pairs of states that occurred in one history. States of different histories do not meet: there, one dot may name two
    /// updates, and neither digests nor smaller states of the one history say anything about the other.
    met: BTreeSet<(usize, usize)>,
}

impl<C: Crdt> Search<C> {
    /// Plays all histories with exactly `length` more steps, and judges their last moments: shorter ones were judged
    /// before. On a violation the path stays as it was.
    fn extend(&mut self, cluster: &Cluster<C>, length: usize) -> Result<(), Violation> {
        for at in 0..self.choices.len() {
            let mut next = cluster.clone();
            self.path.push(self.choices[at].clone());
            next.perform(&self.choices[at])?;
            let number = self.number(next.state_after(&self.choices[at]))?;
            self.trail.push(number);
            if length > 1 {
                self.extend(&next, length - 1)?;
            } else {
                self.histories += 1;
                self.judge(&next)?;
            }
            self.trail.pop();
            self.path.pop();
        }
        Ok(())
    }

    /// The number of a state: that of the equal state, or else the next.
    fn number(&mut self, state: &C) -> Result<usize, Violation> {
        let next = self.states.len();
        let (number, known) = self.states.entry(words(state)).or_insert_with(|| (next, state.clone()));
        require(known == state, Law::FoldIsFaithful, &[("a", known), ("b", state)])?;
        Ok(*number)
    }

    fn judge(&mut self, cluster: &Cluster<C>) -> Result<(), Violation> {
        cluster.check_moment()?;
        cluster.check_lost_deltas()?;
        if self.commutes {
            cluster.check_nothing_lost()?;
        }
        // Pairs of earlier states were noted when their own moments were judged.
        if let Some(&latest) = self.trail.last() {
            self.met.extend(self.trail.iter().flat_map(|&other| [(latest, other), (other, latest)]));
        }
        Ok(())
    }
}

/// An update that a replica performed.
#[derive(Clone)]
struct Performed<C: Crdt> {
    replica: ReplicaId,
    op: Op<C>,
    delta: C,
    /// What the replica reported for itself right after.
    progress: u64,
}

#[derive(Clone)]
struct Cluster<C: Crdt> {
    states: Vec<C>,
    updates: Vec<Performed<C>>,
}

impl<C: Crdt> Cluster<C> {
    fn new(replicas: usize) -> Self {
        Self { states: vec![C::bottom(); replicas.max(1)], updates: Vec::new() }
    }

    /// The state of the replica that a step concerns.
    fn state_after(&self, step: &Step<Op<C>>) -> &C {
        let (Step::Update { at, .. }
        | Step::Merge { into: at, .. }
        | Step::Deliver { into: at, .. }
        | Step::Sync { into: at, .. }) = step;
        &self.states[at % self.states.len()]
    }

    fn perform(&mut self, step: &Step<Op<C>>) -> Result<(), Violation> {
        let count = self.states.len();
        match step {
            Step::Update { at, op } => {
                let replica = ReplicaId((at % count) as u32);
                let state = &mut self.states[at % count];
                if let Some(update) = check_update(state, replica, op)?
                    && C::Object::is_update(op)
                {
                    let progress = progress_of(state, replica);
                    self.updates.push(Performed { replica, op: op.clone(), delta: update.delta, progress });
                }
            }
            Step::Merge { into, from } => {
                let told = self.states[from % count].clone();
                self.states[into % count].join(&told);
            }
            Step::Deliver { into, update } => {
                if let Some(heard) = update.checked_rem(self.updates.len()) {
                    self.states[into % count].join(&self.updates[heard].delta);
                }
            }
            Step::Sync { into, from } => {
                let digest = self.states[into % count].digest();
                let answer = self.states[from % count].delta_since(&digest);
                self.states[into % count].join(&answer);
            }
        }
        Ok(())
    }

    /// The laws that must hold at every moment of a history.
    fn check_moment(&self) -> Result<(), Violation> {
        let count = self.states.len();
        for at in 0..count {
            let (a, b, c) = (&self.states[at], &self.states[(at + 1) % count], &self.states[(at + 2) % count]);
            check_joins(a, b, c)?;
            self.check_progress(a)?;
            check_update(&mut a.clone(), ReplicaId(at as u32), &C::Object::read())?;
        }
        let (all, reversed) = (joined_all(&self.states), joined_all(self.states.iter().rev()));
        let converged = all == reversed && all.value() == reversed.value();
        let evidence: [(_, &dyn Debug); 3] = [("states", &self.states), ("forward", &all), ("backward", &reversed)];
        require(converged, Law::Convergence, &evidence)?;

        let deltas = joined_all(self.updates.iter().map(|update| &update.delta));
        require(all == deltas, Law::DeltasAreStates, &[("join of states", &all), ("join of deltas", &deltas)])?;
        for update in &self.updates {
            let reported = progress_of(&all, update.replica);
            let evidence: [(_, &dyn Debug); 3] =
                [("converged", &all), ("of", &update.replica), ("expected", &update.progress)];
            require(reported >= update.progress, Law::ProgressIsExact, &evidence)?;
        }
        Ok(())
    }

    /// The laws about states, for all pairs of replicas.
    fn check_pairs(&self) -> Result<(), Violation> {
        for state in &self.states {
            check_decomposition(state)?;
            for other in &self.states {
                check_delta_since(state, other)?;
                check_observation(state, other)?;
            }
        }
        Ok(())
    }

    /// A state contains every update whose progress it reports.
    fn check_progress(&self, state: &C) -> Result<(), Violation> {
        for update in &self.updates {
            let contained = update.delta.le(state);
            let evidence: [(_, &dyn Debug); 3] =
                [("state", state), ("of", &update.replica), ("not contained", &update.delta)];
            require(
                contained || progress_of(state, update.replica) < update.progress,
                Law::ProgressIsExact,
                &evidence,
            )?;
        }
        Ok(())
    }

    /// A replica that hears any of the deltas and misses the others is in order, too. Histories in which every delta
    /// arrived are covered by [`Cluster::check_moment`].
    fn check_lost_deltas(&self) -> Result<(), Violation> {
        // Exhaustive up to a dozen updates, which is far more than an exhaustive search can reach.
        for arrived in 0..1_u32 << self.updates.len().min(12) {
            let heard = self.updates.iter().enumerate().filter(|(at, _)| arrived >> at.min(&31) & 1 == 1);
            self.check_progress(&joined_all(heard.map(|(_, update)| &update.delta)))?;
        }
        Ok(())
    }

    /// For operations that commute: the converged value is that of all updates one after the other.
    fn check_nothing_lost(&self) -> Result<(), Violation> {
        let mut expected = <C::Object as Object>::State::default();
        for update in &self.updates {
            C::Object::step(&mut expected, &update.op);
        }
        let mut converged = self.states[0].clone();
        for state in &self.states[1..] {
            converged = joined(&converged, state);
        }
        let evidence: [(_, &dyn Debug); 3] =
            [("converged", &converged), ("value", &converged.value()), ("expected", &expected)];
        require(converged.value() == expected, Law::NothingLost, &evidence)
    }
}

/// Do two operations in a row lead to the same state as in the other order?
fn commute_at<O: Object>(state: &O::State, first: &O::Op, second: &O::Op) -> bool {
    let (mut forward, mut backward) = (state.clone(), state.clone());
    O::step(&mut forward, first);
    O::step(&mut forward, second);
    O::step(&mut backward, second);
    O::step(&mut backward, first);
    forward == backward
}

/// Do all pairs of `ops` commute in every state that up to `steps` of them lead to?
fn commute_everywhere<O: Object>(ops: &[O::Op], steps: usize) -> bool {
    let mut states = vec![O::State::default()];
    for _ in 0..steps {
        let commute = |state| ops.iter().all(|a| ops.iter().all(|b| commute_at::<O>(state, a, b)));
        if !states.iter().all(commute) {
            return false;
        }
        let mut next: Vec<O::State> = Vec::new();
        for (state, op) in states.iter().flat_map(|state| ops.iter().map(move |op| (state, op))) {
            let mut after = state.clone();
            O::step(&mut after, op);
            if !next.contains(&after) {
                next.push(after);
            }
        }
        states = next;
    }
    true
}

/// Do all pairs of `ops` commute in every state that performing them one after the other leads through?
fn commute_along<O: Object>(ops: &[&O::Op]) -> bool {
    let mut state = O::State::default();
    ops.iter().all(|op| {
        let commute = ops.iter().all(|a| ops.iter().all(|b| commute_at::<O>(&state, a, b)));
        O::step(&mut state, op);
        commute
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        GCounter,
        objects::counter::{Counter, CounterOp},
    };

    #[test]
    fn any_numbers_name_replicas_and_updates() {
        let steps = [
            Step::Deliver { into: 9, update: 9 },
            Step::Update { at: usize::MAX, op: CounterOp::Add(1) },
            Step::Deliver { into: 7, update: usize::MAX },
            Step::Merge { into: 5, from: 5 },
            Step::Sync { into: 8, from: 3 },
        ];
        for replicas in 0..4 {
            assert_eq!(check_history::<GCounter>(replicas, &steps), Ok(()));
        }
    }

    #[test]
    fn additions_commute() {
        let ops = [CounterOp::Add(1), CounterOp::Add(-2), CounterOp::Read];
        assert!(commute_everywhere::<Counter>(&ops, 4));
        assert!(commute_along::<Counter>(&ops.iter().collect::<Vec<_>>()));
    }

    #[derive(Clone, Copy, Debug, Default)]
    struct Last;

    impl Object for Last {
        type Op = u8;
        type Ret = ();
        type State = u8;

        const NAME: &'static str = "last";

        fn step(state: &mut u8, op: &u8) {
            *state = *op;
        }

        fn is_update(_: &u8) -> bool {
            true
        }

        fn read() -> u8 {
            0
        }

        fn op_name(_: &u8) -> &'static str {
            "write"
        }
    }

    #[test]
    fn overwriting_does_not_commute() {
        assert!(!commute_everywhere::<Last>(&[1, 2], 1));
        assert!(!commute_along::<Last>(&[&1, &2]));
        assert!(commute_everywhere::<Last>(&[1], 3));
    }
}
