//! The counter with additions and subtractions.
//!
//! **State.** Two grow-only counters: what every replica has added, and what every replica has subtracted. The value is
//! the difference of their totals.
//!
//! **Why it converges.** A pair of lattices, joined half by half, is a lattice. An update raises one entry of one half, so
//! it inflates the state, whatever its sign (Shapiro et al. 2011, INRIA RR-7506, section 3.1.3). One signed number for each
//! replica would not do: the maximum forgets a subtraction, since that is not an inflation.
//!
//! **Deltas.** The delta of an update carries *both* entries of the replica that made it. One entry would be enough to bring
//! the state before the update to the state after it. But a peer that had missed an earlier update of the other sign
//! would then hold half of that replica's past, and [`Crdt::progress`] would take the one half for the other. With both
//! entries, whoever joins a delta has everything that its replica did up to then, in whatever order deltas arrive.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, PnCounter, ReplicaId, objects::counter::CounterOp};
//!
//! let (mut ours, mut theirs) = (PnCounter::default(), PnCounter::default());
//! ours.update(ReplicaId(1), &CounterOp::Add(10))?;
//! theirs.join(&ours);
//!
//! ours.update(ReplicaId(1), &CounterOp::Add(-4))?;
//! theirs.update(ReplicaId(2), &CounterOp::Add(-3))?;
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.value(), 3);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: a lower bound of the value, and resetting to zero.

use serde::{Deserialize, Serialize};

use crate::{
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION},
    g_counter::{GCounter, ObserveError, rise},
    lattice::{Crdt, Lattice, Update, UpdateError, Weight},
    objects::counter::{Counter, CounterOp, CounterRet},
};

/// A counter that grows and shrinks. See the [module documentation](self) for the argument and an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PnCounter {
    increments: GCounter,
    decrements: GCounter,
}

impl PnCounter {
    /// The sum of all additions minus the sum of all subtractions, exactly.
    #[inline]
    pub fn total(&self) -> i128 {
        self.increments.total() - self.decrements.total()
    }

    /// What was added.
    #[inline]
    pub fn increments(&self) -> &GCounter {
        &self.increments
    }

    /// What was subtracted.
    #[inline]
    pub fn decrements(&self) -> &GCounter {
        &self.decrements
    }

    /// Takes over counts that `replica` itself reported: all that it has added, and all that it has subtracted so far.
    /// Returns whether that is news. See [`GCounter::observe`].
    ///
    /// ```
    /// use crdts::{PnCounter, ReplicaId, g_counter::ObserveError};
    ///
    /// let (mut counter, turnstile) = (PnCounter::default(), ReplicaId(1));
    /// assert_eq!(counter.observe(turnstile, 40, 12), Ok(true));
    /// let refused = ObserveError::Decreasing { replica: turnstile, known: 12, offered: 11 };
    /// assert_eq!(counter.observe(turnstile, 41, 11), Err(refused));
    /// assert_eq!(counter.total(), 28);
    /// ```
    pub fn observe(&mut self, replica: ReplicaId, added: u64, subtracted: u64) -> Result<bool, ObserveError> {
        let more_added = rise(replica, self.increments.count(replica), added)?;
        let more_subtracted = rise(replica, self.decrements.count(replica), subtracted)?;
        // Progress is the sum of both, and must stay exact.
        added.checked_add(subtracted).ok_or(ObserveError::Overflow { replica })?;
        self.increments.raise(replica, added);
        self.decrements.raise(replica, subtracted);
        Ok(more_added | more_subtracted)
    }

    fn add(&mut self, replica: ReplicaId, amount: i64) -> Result<Self, UpdateError> {
        let (mut added, mut subtracted) = (self.increments.count(replica), self.decrements.count(replica));
        let half = if amount > 0 { &mut added } else { &mut subtracted };
        *half = half.checked_add(amount.unsigned_abs()).ok_or(UpdateError::Overflow)?;
        // Progress is the sum of both, and must stay exact.
        added.checked_add(subtracted).ok_or(UpdateError::Overflow)?;
        if amount > 0 {
            self.increments.raise(replica, added);
        } else {
            self.decrements.raise(replica, subtracted);
        }
        Ok(Self { increments: GCounter::single(replica, added), decrements: GCounter::single(replica, subtracted) })
    }
}

impl Lattice for PnCounter {
    #[inline]
    fn bottom() -> Self {
        Self::default()
    }

    #[inline]
    fn is_bottom(&self) -> bool {
        self.increments.is_bottom() && self.decrements.is_bottom()
    }

    #[inline]
    fn join(&mut self, other: &Self) -> bool {
        let more_added = self.increments.join(&other.increments);
        let more_subtracted = self.decrements.join(&other.decrements);
        more_added | more_subtracted
    }

    #[inline]
    fn le(&self, other: &Self) -> bool {
        self.increments.le(&other.increments) && self.decrements.le(&other.decrements)
    }

    /// One state for each entry of each half.
    fn decompose(&self) -> Vec<Self> {
        let added = self.increments.counts().map(|(replica, count)| Self {
            increments: GCounter::single(replica, count),
            decrements: GCounter::default(),
        });
        let subtracted = self.decrements.counts().map(|(replica, count)| Self {
            increments: GCounter::default(),
            decrements: GCounter::single(replica, count),
        });
        added.chain(subtracted).collect()
    }
}

impl Crdt for PnCounter {
    type Object = Counter;

    /// The state itself: each entry is one number already, and nothing smaller tells which entries a peer lacks.
    type Digest = Self;

    const NAME: &'static str = "pn-counter";

    #[inline]
    fn update(&mut self, replica: ReplicaId, op: &CounterOp) -> Result<Update<CounterRet, Self>, UpdateError> {
        match *op {
            CounterOp::Read => Ok(Update { ret: CounterRet::Total(self.total()), delta: Self::bottom() }),
            CounterOp::Add(0) => Ok(Update { ret: CounterRet::Added, delta: Self::bottom() }),
            CounterOp::Add(amount) => Ok(Update { ret: CounterRet::Added, delta: self.add(replica, amount)? }),
        }
    }

    #[inline]
    fn value(&self) -> i128 {
        self.total()
    }

    #[inline]
    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta_since(&self, digest: &Self) -> Self {
        Self {
            increments: self.increments.delta_since(&digest.increments),
            decrements: self.decrements.delta_since(&digest.decrements),
        }
    }

    /// Reports what each replica has added plus what it has subtracted. Updates keep that sum within 64 bits; in a state
    /// that no updates lead to, it saturates.
    #[inline]
    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        let mut subtracted = self.decrements.counts().peekable();
        for (replica, added) in self.increments.counts() {
            while let Some((other, count)) = subtracted.next_if(|&(other, _)| other < replica) {
                visit(other, count);
            }
            let both = subtracted.next_if(|&(other, _)| other == replica);
            visit(replica, added.saturating_add(both.map_or(0, |(_, count)| count)));
        }
        for (replica, count) in subtracted {
            visit(replica, count);
        }
    }

    #[inline]
    fn fold(&self, mut word: impl FnMut(u64)) {
        const DECREMENT: u64 = 1 << 32;
        self.increments.fold(&mut word);
        for (replica, count) in self.decrements.counts() {
            word(DECREMENT | u64::from(replica.0));
            word(count);
        }
    }

    #[inline]
    fn weight(&self) -> Weight {
        let (added, subtracted) = (self.increments.weight_body(), self.decrements.weight_body());
        Weight {
            payload_bytes: added.payload_bytes + subtracted.payload_bytes,
            metadata_bytes: 1 + added.metadata_bytes + subtracted.metadata_bytes,
            tombstone_bytes: 0,
        }
    }

    fn digest_bytes(digest: &Self) -> u64 {
        digest.weight().total_bytes()
    }

    #[inline]
    fn fold_digest(digest: &Self, word: impl FnMut(u64)) {
        digest.fold(word);
    }
}

impl Encode for PnCounter {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.increments.encode_body(out);
        self.decrements.encode_body(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let counter =
            Self { increments: GCounter::decode_body(&mut reader)?, decrements: GCounter::decode_body(&mut reader)? };
        reader.finish()?;
        Ok(counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(added: &[(u32, u64)], subtracted: &[(u32, u64)]) -> PnCounter {
        let mut counter = PnCounter::default();
        for &(id, count) in added {
            counter.increments.raise(ReplicaId(id), count);
        }
        for &(id, count) in subtracted {
            counter.decrements.raise(ReplicaId(id), count);
        }
        counter
    }

    #[test]
    fn progress_adds_both_halves_of_each_replica() {
        let check = |counter: &PnCounter, expected: &[(u32, u64)]| {
            let mut reported = Vec::new();
            counter.progress(|replica, count| reported.push((replica.0, count)));
            assert_eq!(reported, expected);
        };
        check(&state(&[], &[]), &[]);
        check(&state(&[(1, 2), (4, 1)], &[(0, 3), (1, 5), (9, 1)]), &[(0, 3), (1, 7), (4, 1), (9, 1)]);
        check(&state(&[(5, 2)], &[(1, 1), (2, 1), (7, 1)]), &[(1, 1), (2, 1), (5, 2), (7, 1)]);
        check(&state(&[(1, u64::MAX)], &[(1, u64::MAX)]), &[(1, u64::MAX)]);
    }

    #[test]
    fn both_halves_together_stay_within_the_range() {
        let mut counter = state(&[(1, u64::MAX - 3)], &[(1, 1)]);
        assert!(counter.update(ReplicaId(1), &CounterOp::Add(-2)).is_ok());
        let full = counter.clone();
        for amount in [1, -1, i64::MAX, i64::MIN] {
            assert_eq!(counter.update(ReplicaId(1), &CounterOp::Add(amount)), Err(UpdateError::Overflow));
        }
        assert_eq!(counter, full);
        assert_eq!(counter.value(), i128::from(u64::MAX) - 6);
    }

    #[test]
    fn the_most_negative_amount_is_exact() {
        let mut counter = PnCounter::default();
        let update = counter.update(ReplicaId(1), &CounterOp::Add(i64::MIN));
        assert_eq!(update, Ok(Update { ret: CounterRet::Added, delta: counter.clone() }));
        assert_eq!(counter.value(), i128::from(i64::MIN));
    }

    #[test]
    fn totals_beyond_64_bits_are_exact() {
        let counter = state(&[(1, u64::MAX), (2, u64::MAX), (3, 1)], &[(4, u64::MAX)]);
        assert_eq!(counter.value(), i128::from(u64::MAX) + 1);
    }

    #[test]
    fn the_same_entry_in_either_half_folds_differently() {
        let words = |counter: &PnCounter| {
            let mut words = Vec::new();
            counter.fold(|word| words.push(word));
            words
        };
        assert_ne!(words(&state(&[(1, 2)], &[])), words(&state(&[], &[(1, 2)])));
    }
}
