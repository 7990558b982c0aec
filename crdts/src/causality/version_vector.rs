//! Version vectors: how far the updates of each replica are known.
//!
//! Invariant: only replicas with at least one update have an entry. The order of vectors is that of the entries, so two
//! vectors can be concurrent: neither is at most the other (Mattern 1989; Parker et al. 1983).
//!
//! ```
//! use std::cmp::Ordering;
//! use crdts::{Lattice, ReplicaId, causality::{Dot, VersionVector}};
//!
//! let ours: VersionVector = [(ReplicaId(1), 3)].into_iter().collect();
//! let theirs: VersionVector = [(ReplicaId(1), 2), (ReplicaId(2), 1)].into_iter().collect();
//! assert_eq!(ours.partial_cmp(&theirs), None);
//! assert!(ours.contains(Dot::new(ReplicaId(1), 2)));
//!
//! let mut both = ours.clone();
//! both.join(&theirs);
//! assert_eq!(ours.partial_cmp(&both), Some(Ordering::Less));
//! ```
//!
//! What is deliberately absent: gaps ([`super::CausalContext`] has them), and a total order. Comparing sums of counters
//! orders vectors that are concurrent, and so loses updates.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use super::Dot;
use crate::{
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION},
    entries::Entries,
    lattice::Lattice,
};

/// For each replica, how many of its updates are known: all up to that number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionVector {
    entries: Entries,
}

impl VersionVector {
    /// How many updates of `replica` are known.
    #[inline]
    pub fn get(&self, replica: ReplicaId) -> u64 {
        self.entries.get(replica)
    }

    /// Is the update known?
    #[inline]
    pub fn contains(&self, dot: Dot) -> bool {
        dot.counter <= self.get(dot.replica)
    }

    /// Raises the entry of `replica` to `counter`, if it is lower.
    #[inline]
    pub fn raise(&mut self, replica: ReplicaId, counter: u64) {
        self.entries.raise(replica, counter);
    }

    /// The entries, ascending by replica; none is zero.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ReplicaId, u64)> + '_ {
        self.entries.iter()
    }

    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) {
        self.entries.encode(out);
    }

    /// The size of what [`VersionVector::encode_body`] appends.
    pub(crate) fn encoded_bytes(&self) -> u64 {
        self.entries.weight().total_bytes()
    }

    pub(crate) fn decode_body(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { entries: Entries::decode(reader)? })
    }
}

impl Default for VersionVector {
    fn default() -> Self {
        Self { entries: Entries::EMPTY }
    }
}

impl FromIterator<(ReplicaId, u64)> for VersionVector {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u64)>>(entries: I) -> Self {
        let mut vector = Self::default();
        for (replica, counter) in entries {
            vector.raise(replica, counter);
        }
        vector
    }
}

/// The causal order: `None` means concurrent.
impl PartialOrd for VersionVector {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (Lattice::le(self, other), Lattice::le(other, self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (false, false) => None,
        }
    }
}

impl fmt::Debug for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.fmt(f)
    }
}

impl Lattice for VersionVector {
    fn bottom() -> Self {
        Self::default()
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

    fn decompose(&self) -> Vec<Self> {
        self.iter().map(|entry| Self::from_iter([entry])).collect()
    }
}

impl Encode for VersionVector {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.encode_body(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let vector = Self::decode_body(&mut reader)?;
        reader.finish()?;
        Ok(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(entries: &[(u32, u64)]) -> VersionVector {
        entries.iter().map(|&(id, counter)| (ReplicaId(id), counter)).collect()
    }

    #[test]
    fn the_order_is_that_of_the_entries() {
        let check = |a: &[(u32, u64)], b: &[(u32, u64)], expected| {
            assert_eq!(vector(a).partial_cmp(&vector(b)), expected, "{a:?} {b:?}");
        };
        check(&[], &[], Some(Ordering::Equal));
        check(&[(1, 0)], &[], Some(Ordering::Equal));
        check(&[], &[(1, 1)], Some(Ordering::Less));
        check(&[(1, 2), (2, 1)], &[(1, 2)], Some(Ordering::Greater));
        check(&[(1, 2)], &[(2, 1)], None);
        // The sums say less; the vectors are concurrent.
        check(&[(1, 1), (2, 1)], &[(1, 5)], None);
    }
}
