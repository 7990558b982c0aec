//! The counter that can be reset, by itself or as a value in a map.
//!
//! **State.** A [`DotFun`]: under the dot of each addition since the last reset its signed amount. The total is their sum. A
//! reset removes the additions that it sees, and only those: what is added concurrently counts.
//!
//! **Why it converges.** The join is that of the store ([`crate::causality::causal`]). An addition counts if no state has removed
//! it. Two concurrent resets remove one addition between them, not twice its amount.
//!
//! **Why each addition keeps its own dot.** Fewer would do if nobody reset: one dot for each replica, with the sum of all its
//! additions. But a reset removes dots, and so with a dot all or nothing of that sum: an addition that moves the sum to a new
//! dot saves the earlier ones from a concurrent reset that has seen them. Counters in maps have that flaw where they keep one
//! entry for each writer (`riak_dt_emcntr`). The same goes for moving sums later, even when all additions in them are causally
//! stable. A replica that moved `r1:1` and `r1:2` to `r1:2` and then resets removes `r1:2`. One that has not moved them yet keeps
//! `r1:1`. So there is no compaction but the reset.
//!
//! **Cost.** An entry of 24 bytes for each addition since the last reset, and time in proportion for total and join. Where
//! nobody resets, [`crate::PnCounter`] has one entry for each replica.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, ResettableCounter, objects::resettable_counter::ResetCounterOp::{Add, Reset}};
//!
//! let (mut ours, mut theirs) = (ResettableCounter::bottom(), ResettableCounter::bottom());
//! ours.update(ReplicaId(1), &Add(10))?;
//! theirs.join(&ours);
//!
//! ours.update(ReplicaId(1), &Reset)?;
//! theirs.update(ReplicaId(2), &Reset)?; // the same ten
//! theirs.update(ReplicaId(2), &Add(3))?; // not seen by our reset
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.value(), 3);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: a lower bound.

use crate::{
    causality::{Causal, CausalContext, CausalSpec, CausalType, Change, Dot, DotFun, Effect, Event},
    lattice::UpdateError,
    objects::resettable_counter::{ResetCounter, ResetCounterOp, ResetCounterRet},
};

/// What makes a causal state a resettable counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResettableCounterType;

/// A counter with observed reset. See the [module documentation](self) for the argument and an example.
pub type ResettableCounter = Causal<ResettableCounterType>;

/// The exact sum: 2^64 amounts of 64 bits fit into 128 bits.
pub(crate) fn sum(amounts: &DotFun<i64>) -> i128 {
    amounts.iter().map(|(_, &amount)| i128::from(amount)).sum()
}

/// Empties a store, and tells which dots were in it.
pub(crate) fn clear(amounts: &mut DotFun<i64>) -> CausalContext {
    std::mem::take(amounts).iter().map(|(dot, _)| dot).collect()
}

impl CausalType for ResettableCounterType {
    type Store = DotFun<i64>;
    type Object = ResetCounter;

    const NAME: &'static str = "resettable-counter";

    fn update(
        store: &mut DotFun<i64>,
        dot: Dot,
        op: &ResetCounterOp,
    ) -> Result<Effect<ResetCounterRet, DotFun<i64>>, UpdateError> {
        let (ret, change) = match *op {
            ResetCounterOp::Read => (ResetCounterRet::Total(sum(store)), None),
            ResetCounterOp::Add(0) => (ResetCounterRet::Added, None),
            ResetCounterOp::Add(amount) => {
                store.insert(dot, amount);
                let added = DotFun::single(dot, amount);
                (ResetCounterRet::Added, Some(Change { added, removed: CausalContext::default() }))
            }
            ResetCounterOp::Reset if store.is_empty() => (ResetCounterRet::Reset, None),
            ResetCounterOp::Reset => {
                (ResetCounterRet::Reset, Some(Change { added: DotFun::default(), removed: clear(store) }))
            }
        };
        Ok(Effect { ret, change })
    }

    fn value(store: &DotFun<i64>) -> i128 {
        sum(store)
    }
}

/// The sum of the additions that no reset saw.
impl CausalSpec for ResettableCounter {
    fn specify(history: &[Event<ResetCounterOp>]) -> i128 {
        let resets = || history.iter().filter(|event| event.op == ResetCounterOp::Reset);
        let counts = history.iter().filter(|event| !resets().any(|reset| reset.saw(event)));
        counts
            .map(|event| match event.op {
                ResetCounterOp::Add(amount) => i128::from(amount),
                ResetCounterOp::Reset | ResetCounterOp::Read => 0,
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::ReplicaId,
        lattice::{Crdt, Lattice},
    };

    fn perform(counter: &mut ResettableCounter, replica: u32, op: ResetCounterOp) {
        counter.update(ReplicaId(replica), &op).expect("few updates");
    }

    #[test]
    fn a_reset_takes_what_it_saw_of_a_replica_that_goes_on() {
        let mut a = ResettableCounter::bottom();
        perform(&mut a, 1, ResetCounterOp::Add(5));
        let mut b = a.clone();
        perform(&mut a, 1, ResetCounterOp::Add(2));
        perform(&mut b, 2, ResetCounterOp::Reset);
        a.join(&b);
        assert_eq!(a.value(), 2);
    }

    #[test]
    fn totals_are_exact_beyond_64_bits() {
        let mut counter = ResettableCounter::bottom();
        for amount in [i64::MIN, i64::MIN, i64::MIN, -1] {
            perform(&mut counter, 1, ResetCounterOp::Add(amount));
        }
        assert_eq!(counter.value(), 3 * i128::from(i64::MIN) - 1);
        assert_eq!(counter.store().len(), 4);
        perform(&mut counter, 1, ResetCounterOp::Reset);
        assert_eq!((counter.value(), counter.store().len()), (0, 0));
    }
}
