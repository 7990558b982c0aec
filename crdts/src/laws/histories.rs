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
//! violation that it finds is a smallest one. Histories that come to the same (the same states, which have seen the same
//! updates, which had seen the same) are judged once: steps of replicas that do not hear of each other commute. Random
//! histories are for the caller to draw: any steps are a history.
//!
//! Types with a [`CausalSpec`] have the same checks with `causal` in their name, which also compare every value with the
//! specified one.
//!
//! What is deliberately absent: time, loss and partitions. A step that does not happen is a message that did not arrive.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    Law, Violation,
    cluster::{Cluster, Op, Performed, Specify},
    deliveries::check_all_orders,
    require,
    states::{
        check_decomposition, check_delta_since, check_honest_join, check_hostile_join, check_irreducible,
        check_observation, joined_all, words,
    },
};
use crate::{
    causality::{CausalSpec, Dot},
    lattice::Crdt,
    object::Object,
};

/// How many different states are judged pair by pair. Their number squared is the work.
const PAIRED_STATES_MAX: usize = 200;

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
    judge_history::<C>(replicas, steps, None)
}

/// Plays a history and judges every moment of it, and every value by its causal specification.
pub fn check_causal_history<C: CausalSpec>(replicas: usize, steps: &[Step<Op<C>>]) -> Result<(), Violation> {
    judge_history::<C>(replicas, steps, Some(C::specify))
}

fn judge_history<C: Crdt>(
    replicas: usize,
    steps: &[Step<Op<C>>],
    specify: Option<Specify<C>>,
) -> Result<(), Violation> {
    let mut cluster = Cluster::<C>::new(replicas);
    for (at, step) in steps.iter().enumerate() {
        let judged = cluster.perform(step, specify).and_then(|()| {
            cluster.check_moment(specify)?;
            cluster.check_stable()?;
            cluster.check_pairs()
        });
        judged.map_err(|violation| violation.with("history", &&steps[..=at]))?;
    }
    let ops: Vec<&Op<C>> = cluster.updates.iter().map(|update| &update.event.op).collect();
    // Two writes of one value commute, and are two siblings: a causal specification says more than the sequential one.
    let all_count = specify.is_none() && commute_along::<C::Object>(&ops);
    let ended = check_all_orders(&cluster, specify)
        .and_then(|()| if all_count { cluster.check_nothing_lost() } else { Ok(()) });
    ended.map_err(|violation| violation.with("history", &steps))
}

/// Plays every history of up to `steps` steps, in which each step is one of `ops` at some replica or a merge between two.
pub fn check_small_histories<C: Crdt>(ops: &[Op<C>], replicas: usize, steps: usize) -> Result<Explored, Violation> {
    Search::<C>::new(ops, replicas, steps, None).run(replicas, steps)
}

/// As [`check_small_histories`], with every value judged by its causal specification.
pub fn check_small_causal_histories<C: CausalSpec>(
    ops: &[Op<C>],
    replicas: usize,
    steps: usize,
) -> Result<Explored, Violation> {
    Search::<C>::new(ops, replicas, steps, Some(C::specify)).run(replicas, steps)
}

/// Where some histories lead.
struct Moment<C: Crdt> {
    cluster: Cluster<C>,
    /// The numbers of the updates, in the order of the cluster's list.
    updates: Vec<usize>,
    /// How many histories lead here, and one of them.
    histories: u64,
    path: Vec<usize>,
}

/// What distinguishes one update from another: name, operation, what was visible, and the delta's words.
type UpdateKey = (Dot, usize, Vec<Dot>, Vec<u64>);

/// A state that replicas reached, and the updates that it has seen.
struct Reached<C> {
    state: C,
    seen: BTreeMap<Dot, usize>,
}

impl<C> Reached<C> {
    /// Can one history lead to both?
    fn agrees_with(&self, other: &Self) -> bool {
        other.seen.iter().all(|(dot, update)| self.seen.get(dot).is_none_or(|mine| mine == update))
    }
}

struct Search<'a, C: Crdt> {
    ops: &'a [Op<C>],
    choices: Vec<Step<Op<C>>>,
    commutes: bool,
    specify: Option<Specify<C>>,
    /// The numbers of states, by the words that they feed to a hash.
    states: BTreeMap<Vec<u64>, usize>,
    pool: Vec<Reached<C>>,
    updates: BTreeMap<UpdateKey, usize>,
    /// All moments that were judged, and all sets of updates.
    moments: BTreeSet<Vec<usize>>,
    update_sets: BTreeSet<Vec<usize>>,
}

impl<'a, C: Crdt> Search<'a, C> {
    fn new(ops: &'a [Op<C>], replicas: usize, steps: usize, specify: Option<Specify<C>>) -> Self {
        let replicas = replicas.max(1);
        let mut choices = Vec::new();
        for at in 0..replicas {
            choices.extend(ops.iter().map(|op| Step::Update { at, op: op.clone() }));
            choices.extend((0..replicas).filter(|&from| from != at).map(|from| Step::Merge { into: at, from }));
        }
        Self {
            ops,
            choices,
            commutes: specify.is_none() && commute_everywhere::<C::Object>(ops, steps),
            specify,
            states: BTreeMap::new(),
            pool: Vec::new(),
            updates: BTreeMap::new(),
            moments: BTreeSet::new(),
            update_sets: BTreeSet::new(),
        }
    }

    /// Goes from all moments that histories of one length lead to, to those of the next.
    fn run(mut self, replicas: usize, steps: usize) -> Result<Explored, Violation> {
        let mut histories = 0;
        let start = Cluster::new(replicas);
        let mut frontier = vec![Moment { cluster: start, updates: Vec::new(), histories: 1, path: Vec::new() }];
        for left in (0..steps).rev() {
            let mut next: Vec<Moment<C>> = Vec::new();
            let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
            for moment in &frontier {
                for choice in 0..self.choices.len() {
                    histories += moment.histories;
                    let (key, later) = self.follow(moment, choice)?;
                    if left == 0 {
                        continue;
                    }
                    let at = *known.entry(key).or_insert(next.len());
                    match next.get_mut(at) {
                        Some(same) => same.histories += later.histories,
                        None => next.push(later),
                    }
                }
            }
            frontier = next;
        }
        self.check_pool()?;
        Ok(Explored { histories, states: self.pool.len() })
    }

    /// Takes one more step, and judges the moment after it unless that has been done.
    fn follow(&mut self, moment: &Moment<C>, choice: usize) -> Result<(Vec<usize>, Moment<C>), Violation> {
        let mut path = moment.path.clone();
        path.push(choice);
        let mut cluster = moment.cluster.clone();
        let mut updates = moment.updates.clone();
        let judged = cluster.perform(&self.choices[choice], self.specify).and_then(|()| {
            if !self.commutes {
                // What has no effect counts only where everything must.
                cluster.updates.retain(|update| update.is_effective());
            }
            updates.extend(cluster.updates[updates.len()..].iter().map(|update| self.update_number(update)));
            let key = self.key(&cluster, &updates)?;
            if !self.moments.contains(&key) {
                self.judge(&cluster, &updates)?;
                self.moments.insert(key.clone());
            }
            Ok(key)
        });
        match judged {
            Ok(key) => Ok((key, Moment { cluster, updates, histories: moment.histories, path })),
            Err(violation) => {
                let history: Vec<_> = path.iter().map(|&choice| &self.choices[choice]).collect();
                Err(violation.with("history", &history))
            }
        }
    }

    fn update_number(&mut self, update: &Rc<Performed<C>>) -> usize {
        let event = &update.event;
        let op = self.ops.iter().position(|op| *op == event.op).unwrap_or(self.ops.len());
        let next = self.updates.len();
        let key = (event.dot, op, event.past.iter().copied().collect(), words(&update.delta));
        *self.updates.entry(key).or_insert(next)
    }

    /// Moments with one key have the same future.
    fn key(&mut self, cluster: &Cluster<C>, updates: &[usize]) -> Result<Vec<usize>, Violation> {
        let mut key = Vec::new();
        for (state, seen) in cluster.states.iter().zip(&cluster.seen) {
            let next = self.pool.len();
            let number = *self.states.entry(words(state)).or_insert(next);
            if number == next {
                let named = cluster.updates.iter().zip(updates).filter(|(update, _)| update.is_effective());
                let named = named.map(|(update, number)| (update.event.dot, *number));
                let seen = named.filter(|(dot, _)| seen.contains(dot)).collect();
                self.pool.push(Reached { state: state.clone(), seen });
            }
            let known = &self.pool[number].state;
            require(known == state, Law::FoldIsFaithful, &[("a", known), ("b", state)])?;
            key.push(number);
            key.push(seen.len());
            key.extend(seen.iter().flat_map(|dot| [dot.replica.0 as usize, dot.counter as usize]));
        }
        let mut set = updates.to_vec();
        set.sort_unstable();
        key.extend(set);
        Ok(key)
    }

    fn judge(&mut self, cluster: &Cluster<C>, updates: &[usize]) -> Result<(), Violation> {
        cluster.check_moment(self.specify)?;
        cluster.check_stable()?;
        if self.commutes {
            cluster.check_nothing_lost()?;
        }
        let mut set = updates.to_vec();
        set.sort_unstable();
        if self.update_sets.insert(set) {
            check_lost_deltas(cluster)?;
            check_all_orders(cluster, self.specify)?;
        }
        Ok(())
    }

    /// The laws that are about states alone, for every state that was reached. States are paired if one history leads to
    /// both; others hold different updates of one name.
    fn check_pool(&self) -> Result<(), Violation> {
        for Reached { state, .. } in &self.pool {
            check_decomposition(state)?;
        }
        let stride = self.pool.len().div_ceil(PAIRED_STATES_MAX).max(1);
        let paired: Vec<_> = self.pool.iter().step_by(stride).collect();
        for one in &paired {
            let honest = paired.iter().filter(|other| one.agrees_with(other));
            check_irreducible(&one.state, &honest.map(|other| &other.state).collect::<Vec<_>>())?;
        }
        for one in &paired {
            for other in &paired {
                check_hostile_join(&one.state, &other.state)?;
                if one.agrees_with(other) {
                    check_delta_since(&one.state, &other.state)?;
                    check_observation(&one.state, &other.state)?;
                    check_honest_join(&one.state, &other.state)?;
                }
            }
        }
        Ok(())
    }
}

/// A replica that hears any of the deltas and misses the others is in order, too. Histories in which every delta arrived
/// are covered by [`Cluster::check_moment`].
fn check_lost_deltas<C: Crdt>(cluster: &Cluster<C>) -> Result<(), Violation> {
    // Exhaustive up to a dozen updates, which is far more than an exhaustive search can reach.
    for arrived in 0..1_u32 << cluster.updates.len().min(12) {
        let heard = cluster.updates.iter().enumerate().filter(|(at, _)| arrived >> at.min(&31) & 1 == 1);
        cluster.check_progress(&joined_all(heard.map(|(_, update)| &update.delta)))?;
    }
    Ok(())
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
