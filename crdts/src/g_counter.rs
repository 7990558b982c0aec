//! The grow-only counter.
//!
//! **State.** For every replica that has added something, the sum of what it added. Only the replica itself ever raises
//! its own entry.
//!
//! **Why it converges.** The states are functions from replicas to natural numbers, ordered entry by entry; the
//! element-wise maximum is the least upper bound of two of them, and the empty map is below all. An addition raises one
//! entry, so it inflates the state. Since a replica's entry only grows, the larger of two entries contains every addition
//! that the smaller one contains: the maximum neither loses an addition nor counts one twice (Shapiro et al. 2011,
//! INRIA RR-7506, section 3.1.1).
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, GCounter, Lattice, ReplicaId, objects::counter::CounterOp};
//!
//! let (mut ours, mut theirs) = (GCounter::default(), GCounter::default());
//! ours.update(ReplicaId(1), &CounterOp::Add(2))?;
//! theirs.update(ReplicaId(2), &CounterOp::Add(3))?;
//!
//! ours.join(&theirs);
//! theirs.join(&ours);
//! theirs.join(&ours); // Hearing something twice changes nothing.
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.value(), 5);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: subtraction ([`crate::PnCounter`] has it) and entries for replicas that never wrote.

use serde::{Deserialize, Serialize};

use crate::{
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION},
    entries::Entries,
    lattice::{Crdt, Lattice, Update, UpdateError, Weight},
    objects::counter::{Counter, CounterOp, CounterRet},
};

/// Why a reported count was refused. The state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// A replica's count never falls. A lower one means that the replica lost its memory and kept its id, or that reports
    /// overtook each other; the caller knows which.
    Decreasing {
        /// Whose count.
        replica: ReplicaId,
        /// What is known already.
        known: u64,
        /// What was reported.
        offered: u64,
    },
    /// What a replica has added and subtracted exceeds 64 bits together.
    Overflow {
        /// Whose counts.
        replica: ReplicaId,
    },
}

impl std::fmt::Display for ObserveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decreasing { replica, known, offered } => {
                write!(f, "the count of {replica} would fall from {known} to {offered}")
            }
            Self::Overflow { replica } => write!(f, "the counts of {replica} exceed 64 bits together"),
        }
    }
}

impl std::error::Error for ObserveError {}

/// A counter that only grows. See the [module documentation](self) for the argument and an example.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GCounter {
    entries: Entries,
}

impl GCounter {
    const EMPTY: Self = Self { entries: Entries::EMPTY };

    /// A state that knows that `replica` has added `count` in all, and nothing else.
    #[inline]
    pub(crate) fn single(replica: ReplicaId, count: u64) -> Self {
        Self { entries: Entries::single(replica, count) }
    }

    /// The sum of all additions, exactly.
    #[inline]
    pub fn total(&self) -> i128 {
        self.entries.total()
    }

    /// What one replica has added, as far as this state knows.
    #[inline]
    pub fn count(&self, replica: ReplicaId) -> u64 {
        self.entries.get(replica)
    }

    /// The replicas that have added something, in ascending order, with what each has added.
    #[inline]
    pub fn counts(&self) -> impl ExactSizeIterator<Item = (ReplicaId, u64)> + '_ {
        self.entries.iter()
    }

    /// Takes over a count that `replica` itself reported: all that it has added so far. Returns whether that is news.
    ///
    /// For counts that come from outside, one replica at a time and in order, such as a device's meter. A join takes the
    /// larger count without a word, since it cannot tell an old state from a wrong one; here a falling count is an error.
    ///
    /// ```
    /// use crdts::{GCounter, ReplicaId, g_counter::ObserveError};
    ///
    /// let (mut counter, meter) = (GCounter::default(), ReplicaId(1));
    /// assert_eq!(counter.observe(meter, 40), Ok(true));
    /// assert_eq!(counter.observe(meter, 40), Ok(false));
    /// let refused = ObserveError::Decreasing { replica: meter, known: 40, offered: 39 };
    /// assert_eq!(counter.observe(meter, 39), Err(refused));
    /// assert_eq!(counter.count(meter), 40);
    /// ```
    pub fn observe(&mut self, replica: ReplicaId, count: u64) -> Result<bool, ObserveError> {
        let news = rise(replica, self.count(replica), count)?;
        self.raise(replica, count);
        Ok(news)
    }

    /// Raises the entry of `replica` to `count`.
    #[inline]
    pub(crate) fn raise(&mut self, replica: ReplicaId, count: u64) {
        self.entries.raise(replica, count);
    }

    /// The encoding without the version byte.
    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) {
        self.entries.encode(out);
    }

    pub(crate) fn decode_body(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { entries: Entries::decode(reader)? })
    }

    #[inline]
    pub(crate) fn weight_body(&self) -> Weight {
        self.entries.weight()
    }
}

/// Does the count rise? It must not fall.
pub(crate) fn rise(replica: ReplicaId, known: u64, offered: u64) -> Result<bool, ObserveError> {
    if offered < known {
        return Err(ObserveError::Decreasing { replica, known, offered });
    }
    Ok(offered > known)
}

impl Default for GCounter {
    #[inline]
    fn default() -> Self {
        Self::EMPTY
    }
}

impl std::fmt::Debug for GCounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GCounter({:?})", self.entries)
    }
}

impl Lattice for GCounter {
    #[inline]
    fn bottom() -> Self {
        Self::EMPTY
    }

    #[inline]
    fn is_bottom(&self) -> bool {
        self.entries.is_empty()
    }

    #[inline]
    fn join(&mut self, other: &Self) -> bool {
        self.entries.join(&other.entries)
    }

    #[inline]
    fn le(&self, other: &Self) -> bool {
        self.entries.le(&other.entries)
    }

    /// One state for each entry.
    fn decompose(&self) -> Vec<Self> {
        self.counts().map(|(replica, count)| Self::single(replica, count)).collect()
    }
}

impl Crdt for GCounter {
    type Object = Counter;

    /// The state itself: each entry is one number already, and nothing smaller tells which entries a peer lacks.
    type Digest = Self;

    const NAME: &'static str = "g-counter";

    #[inline]
    fn update(&mut self, replica: ReplicaId, op: &CounterOp) -> Result<Update<CounterRet, Self>, UpdateError> {
        match *op {
            CounterOp::Read => Ok(Update { ret: CounterRet::Total(self.total()), delta: Self::EMPTY }),
            CounterOp::Add(0) => Ok(Update { ret: CounterRet::Added, delta: Self::EMPTY }),
            CounterOp::Add(amount) => {
                let amount = u64::try_from(amount).map_err(|_| UpdateError::Unsupported {
                    reason: "a grow-only counter cannot add a negative amount",
                })?;
                let count = self.count(replica).checked_add(amount).ok_or(UpdateError::Overflow)?;
                self.raise(replica, count);
                Ok(Update { ret: CounterRet::Added, delta: Self::single(replica, count) })
            }
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
        Self { entries: self.entries.delta_since(&digest.entries) }
    }

    #[inline]
    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        for (replica, count) in self.counts() {
            visit(replica, count);
        }
    }

    #[inline]
    fn fold(&self, mut word: impl FnMut(u64)) {
        for (replica, count) in self.counts() {
            word(u64::from(replica.0));
            word(count);
        }
    }

    #[inline]
    fn weight(&self) -> Weight {
        let mut weight = self.weight_body();
        weight.metadata_bytes += 1;
        weight
    }

    fn digest_bytes(digest: &Self) -> u64 {
        digest.weight().total_bytes()
    }

    #[inline]
    fn fold_digest(digest: &Self, word: impl FnMut(u64)) {
        digest.fold(word);
    }
}

impl Encode for GCounter {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.encode_body(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let counter = Self::decode_body(&mut reader)?;
        reader.finish()?;
        Ok(counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_entries_need_no_allocation_and_little_room() {
        assert!(size_of::<GCounter>() <= 88, "{}", size_of::<GCounter>());
    }

    #[test]
    fn only_writers_have_entries() {
        let mut counter = GCounter::default();
        for (replica, op) in [(3, CounterOp::Add(1)), (2, CounterOp::Add(0)), (1, CounterOp::Read)] {
            assert!(counter.update(ReplicaId(replica), &op).is_ok());
        }
        assert_eq!(counter.counts().collect::<Vec<_>>(), [(ReplicaId(3), 1)]);
    }

    #[test]
    fn adding_nothing_is_no_update() {
        let mut counter = GCounter::default();
        let update = counter.update(ReplicaId(1), &CounterOp::Add(0));
        assert_eq!(update, Ok(Update { ret: CounterRet::Added, delta: GCounter::bottom() }));
        assert!(counter.is_bottom());
    }

    #[test]
    fn negative_amounts_are_refused() {
        let mut counter = GCounter::single(ReplicaId(1), 5);
        for amount in [-1, i64::MIN] {
            let refused = counter.update(ReplicaId(1), &CounterOp::Add(amount));
            assert!(matches!(refused, Err(UpdateError::Unsupported { .. })));
        }
        assert_eq!(counter, GCounter::single(ReplicaId(1), 5));
    }

    #[test]
    fn the_last_unit_fits_and_the_next_is_refused() {
        let mut counter = GCounter::single(ReplicaId(1), u64::MAX - 1);
        assert!(counter.update(ReplicaId(1), &CounterOp::Add(1)).is_ok());
        let full = counter.clone();
        for amount in [1, i64::MAX] {
            assert_eq!(counter.update(ReplicaId(1), &CounterOp::Add(amount)), Err(UpdateError::Overflow));
        }
        assert_eq!(counter, full);
        assert!(counter.update(ReplicaId(1), &CounterOp::Add(0)).is_ok());
        // The total has no such bound.
        assert!(counter.update(ReplicaId(2), &CounterOp::Add(i64::MAX)).is_ok());
        assert_eq!(counter.value(), i128::from(u64::MAX) + i128::from(i64::MAX));
    }
}
