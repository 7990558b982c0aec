//! A sorted map from replicas to counts: the storage of the counters.
//!
//! Invariant: ids ascend strictly, counts are at least 1, and the representation is a function of the content: up to
//! [`INLINE_MAX`] entries are inline with every unused slot zero, more are on the heap. So equality is equality of
//! representations, and a replica that never wrote has no entry.
//!
//! Ids and counts lie in two separate arrays. Two states that know the same replicas, which is the rule in a cluster that
//! has run for a while, join by one comparison of the id arrays and one element-wise maximum of the count arrays.
//!
//! What is deliberately absent: removal, and any count of zero.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};

use crate::{
    clock::ReplicaId,
    encoding::{DecodeError, Reader, varint_bytes, write_varint},
    lattice::Weight,
};

/// How many entries need no allocation.
pub(crate) const INLINE_MAX: usize = 6;

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Entries {
    Inline { len: u8, ids: [u32; INLINE_MAX], counts: [u64; INLINE_MAX] },
    Spilled { ids: Vec<u32>, counts: Vec<u64> },
}

impl Entries {
    pub(crate) const EMPTY: Self = Self::Inline { len: 0, ids: [0; INLINE_MAX], counts: [0; INLINE_MAX] };

    /// A map with one entry, or without entries when `count` is zero.
    #[inline]
    pub(crate) fn single(replica: ReplicaId, count: u64) -> Self {
        if count == 0 {
            return Self::EMPTY;
        }
        Self::Inline { len: 1, ids: [replica.0, 0, 0, 0, 0, 0], counts: [count, 0, 0, 0, 0, 0] }
    }

    #[inline]
    pub(crate) fn ids(&self) -> &[u32] {
        match self {
            Self::Inline { len, ids, .. } => &ids[..usize::from(*len)],
            Self::Spilled { ids, .. } => ids,
        }
    }

    #[inline]
    pub(crate) fn counts(&self) -> &[u64] {
        match self {
            Self::Inline { len, counts, .. } => &counts[..usize::from(*len)],
            Self::Spilled { counts, .. } => counts,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ids().len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Inline { len: 0, .. })
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (ReplicaId, u64)> + '_ {
        self.ids().iter().zip(self.counts()).map(|(&id, &count)| (ReplicaId(id), count))
    }

    /// The count of a replica; zero when it has no entry.
    #[inline]
    pub(crate) fn get(&self, replica: ReplicaId) -> u64 {
        self.ids().binary_search(&replica.0).map_or(0, |at| self.counts()[at])
    }

    /// The sum of all counts. At most 2^32 entries of less than 2^64 each: it cannot overflow.
    #[inline]
    pub(crate) fn total(&self) -> i128 {
        self.counts().iter().map(|&count| i128::from(count)).sum()
    }

    /// Raises the count of a replica to `count`, if it is lower.
    #[inline]
    pub(crate) fn raise(&mut self, replica: ReplicaId, count: u64) {
        self.join(&Self::single(replica, count));
    }

    /// Takes the larger count of every replica. Returns whether anything grew.
    #[inline]
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        if let (
            Self::Inline { len, ids, counts },
            Self::Inline { len: other_len, ids: other_ids, counts: other_counts },
        ) = (&mut *self, other)
            && len == other_len
        {
            if *len == 1 && ids[0] == other_ids[0] {
                let grew = other_counts[0] > counts[0];
                counts[0] = counts[0].max(other_counts[0]);
                return grew;
            }
            // Unused slots are zero on both sides, so whole arrays can be compared and raised.
            if ids == other_ids {
                return raise_all(counts, other_counts);
            }
        }
        self.join_any(other)
    }

    fn join_any(&mut self, other: &Self) -> bool {
        let (other_ids, other_counts) = (other.ids(), other.counts());
        let len = self.len();
        let (ids, counts) = self.slots_mut();
        if ids == other_ids {
            return raise_all(counts, other_counts);
        }
        let (grew, missing) = raise_known(ids, counts, other_ids, other_counts);
        if missing == 0 {
            return grew;
        }
        let (ids, counts) = self.make_room(missing);
        insert_missing(ids, counts, len, other_ids, other_counts);
        true
    }

    /// Is every count at most the count in `other`?
    #[inline]
    pub(crate) fn le(&self, other: &Self) -> bool {
        let (ids, counts) = (self.ids(), self.counts());
        let (other_ids, other_counts) = (other.ids(), other.counts());
        if ids == other_ids {
            return counts.iter().zip(other_counts).all(|(count, other_count)| count <= other_count);
        }
        ids.len() <= other_ids.len() && {
            let mut at = 0;
            ids.iter().zip(counts).all(|(&id, &count)| {
                at = seek(other_ids, at, id);
                other_ids.get(at) == Some(&id) && count <= other_counts[at]
            })
        }
    }

    /// The entries that are larger here than in `known`.
    pub(crate) fn delta_since(&self, known: &Self) -> Self {
        let (known_ids, known_counts) = (known.ids(), known.counts());
        let mut delta = Self::EMPTY;
        if self.ids() == known_ids {
            for ((replica, count), &known_count) in self.iter().zip(known_counts) {
                if count > known_count {
                    delta.push(replica.0, count);
                }
            }
            return delta;
        }
        let mut at = 0;
        for (replica, count) in self.iter() {
            at = seek(known_ids, at, replica.0);
            if known_ids.get(at) != Some(&replica.0) || count > known_counts[at] {
                delta.push(replica.0, count);
            }
        }
        delta
    }

    /// Appends an entry. The id is larger than all present, and the count at least 1.
    fn push(&mut self, id: u32, count: u64) {
        debug_assert!(count > 0 && self.ids().last().is_none_or(|&last| last < id), "entries are sorted and not zero");
        let (ids, counts) = self.make_room(1);
        if let (Some(last_id), Some(last_count)) = (ids.last_mut(), counts.last_mut()) {
            *last_id = id;
            *last_count = count;
        }
    }

    fn slots_mut(&mut self) -> (&mut [u32], &mut [u64]) {
        match self {
            Self::Inline { len, ids, counts } => (&mut ids[..usize::from(*len)], &mut counts[..usize::from(*len)]),
            Self::Spilled { ids, counts } => (ids, counts),
        }
    }

    /// Adds `missing` slots at the end, for the caller to fill in order.
    fn make_room(&mut self, missing: usize) -> (&mut [u32], &mut [u64]) {
        let len = self.len() + missing;
        if len > INLINE_MAX && matches!(self, Self::Inline { .. }) {
            let (mut ids, mut counts) = (Vec::with_capacity(len), Vec::with_capacity(len));
            ids.extend_from_slice(self.ids());
            counts.extend_from_slice(self.counts());
            *self = Self::Spilled { ids, counts };
        }
        match self {
            Self::Inline { len: inline_len, .. } => *inline_len = len as u8,
            Self::Spilled { ids, counts } => {
                ids.resize(len, 0);
                counts.resize(len, 0);
            }
        }
        self.slots_mut()
    }

    /// Appends the number of entries, then for each the distance of its id from the id before and its count.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.len() as u64);
        let mut next = 0;
        for (replica, count) in self.iter() {
            write_varint(out, u64::from(replica.0) - next);
            write_varint(out, count);
            next = u64::from(replica.0) + 1;
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        // An entry takes two bytes or more, so memory stays within a small multiple of the input.
        let len = reader.length(2)?;
        let mut entries = Self::EMPTY;
        let mut next = 0_u64;
        for _ in 0..len {
            let id = next.checked_add(reader.varint()?).ok_or(DecodeError::IdOutOfRange)?;
            let id = u32::try_from(id).map_err(|_| DecodeError::IdOutOfRange)?;
            let count = reader.varint()?;
            if count == 0 {
                return Err(DecodeError::ZeroCount);
            }
            entries.push(id, count);
            next = u64::from(id) + 1;
        }
        Ok(entries)
    }

    /// The size of what [`Entries::encode`] appends.
    #[inline]
    pub(crate) fn weight(&self) -> Weight {
        let mut weight = Weight { metadata_bytes: varint_bytes(self.len() as u64), ..Weight::default() };
        let mut next = 0;
        for (replica, count) in self.iter() {
            weight.metadata_bytes += varint_bytes(u64::from(replica.0) - next);
            weight.payload_bytes += varint_bytes(count);
            next = u64::from(replica.0) + 1;
        }
        weight
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(replica, count)| (replica.0, count))).finish()
    }
}

impl Serialize for Entries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pairs of a replica id and a count of at least 1, ascending by id")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entries, A::Error> {
        let mut entries = Entries::EMPTY;
        while let Some((id, count)) = seq.next_element::<(u32, u64)>()? {
            if count == 0 {
                return Err(A::Error::custom(format_args!("the count of replica {id} is zero")));
            }
            if entries.ids().last().is_some_and(|&last| last >= id) {
                return Err(A::Error::custom(format_args!("replica {id} is not above the one before it")));
            }
            entries.push(id, count);
        }
        Ok(entries)
    }
}

/// Raises every count to its counterpart. Returns whether any grew.
#[inline]
fn raise_all(counts: &mut [u64], others: &[u64]) -> bool {
    let mut grew = false;
    for (count, &other) in counts.iter_mut().zip(others) {
        grew |= other > *count;
        *count = (*count).max(other);
    }
    grew
}

/// Raises the counts of the ids that are present. Returns whether any grew, and how many ids of `other_ids` are absent.
fn raise_known(ids: &[u32], counts: &mut [u64], other_ids: &[u32], other_counts: &[u64]) -> (bool, usize) {
    let (mut grew, mut missing, mut at) = (false, 0, 0);
    for (&id, &other) in other_ids.iter().zip(other_counts) {
        at = seek(ids, at, id);
        if ids.get(at) == Some(&id) {
            grew |= other > counts[at];
            counts[at] = counts[at].max(other);
        } else {
            missing += 1;
        }
    }
    (grew, missing)
}

/// Inserts those entries of another map whose ids the first `len` entries lack. The slots behind them are exactly as many,
/// so from the back every entry finds its place free; once they are filled, the rest is in place.
fn insert_missing(ids: &mut [u32], counts: &mut [u64], len: usize, other_ids: &[u32], other_counts: &[u64]) {
    let (mut mine, mut theirs, mut to) = (len, other_ids.len(), ids.len());
    while to > mine && theirs > 0 {
        to -= 1;
        let id = other_ids[theirs - 1];
        if mine > 0 && ids[mine - 1] >= id {
            mine -= 1;
            theirs -= usize::from(ids[mine] == id);
            (ids[to], counts[to]) = (ids[mine], counts[mine]);
        } else {
            theirs -= 1;
            (ids[to], counts[to]) = (id, other_counts[theirs]);
        }
    }
}

/// The first place at or after `from` whose id is not below `id`. Doubling steps make it constant for the next place and
/// logarithmic in the distance otherwise, so that one walk serves maps of like and of very different sizes.
#[inline]
fn seek(ids: &[u32], from: usize, id: u32) -> usize {
    let (mut low, mut step) = (from, 1);
    while ids.get(low + step - 1).is_some_and(|&probe| probe < id) {
        low += step;
        step *= 2;
    }
    let high = (low + step - 1).min(ids.len());
    low + ids[low..high].partition_point(|&probe| probe < id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<u32, u64>;

    fn entries(model: &Model) -> Entries {
        let mut entries = Entries::EMPTY;
        for (&id, &count) in model {
            entries.push(id, count);
        }
        entries
    }

    fn model(entries: &Entries) -> Model {
        entries.iter().map(|(replica, count)| (replica.0, count)).collect()
    }

    fn check_representation(entries: &Entries) {
        assert!(entries.ids().is_sorted_by(|a, b| a < b));
        assert_eq!(entries.ids().len(), entries.counts().len());
        assert!(entries.counts().iter().all(|&count| count > 0));
        match entries {
            Entries::Inline { len, ids, counts } => {
                assert!(ids[usize::from(*len)..].iter().all(|&id| id == 0));
                assert!(counts[usize::from(*len)..].iter().all(|&count| count == 0));
            }
            Entries::Spilled { ids, .. } => assert!(ids.len() > INLINE_MAX),
        }
    }

    fn models() -> impl Strategy<Value = Model> {
        let small = prop::collection::btree_map(0..4_u32, 1..4_u64, 0..4);
        let around_the_spill = prop::collection::btree_map(0..12_u32, 1..9_u64, 0..12);
        let large = prop::collection::btree_map(any::<u32>(), 1..=u64::MAX, 0..80);
        let dense = prop::collection::btree_map(0..90_u32, 1..3_u64, 40..80);
        prop_oneof![small, around_the_spill, large, dense]
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_map(a in models(), b in models()) {
            let mut joined_model = a.clone();
            for (&id, &count) in &b {
                let mine = joined_model.entry(id).or_insert(0);
                *mine = count.max(*mine);
            }
            let (left, right) = (entries(&a), entries(&b));
            let mut joined = left.clone();
            prop_assert_eq!(joined.join(&right), joined_model != a);
            check_representation(&joined);
            prop_assert_eq!(&joined, &entries(&joined_model));
            prop_assert_eq!(left.le(&right), joined_model == b);
            prop_assert!(left.le(&joined) && right.le(&joined));

            let delta = left.delta_since(&right);
            check_representation(&delta);
            let larger: Model =
                a.iter().filter(|(id, count)| b.get(id).is_none_or(|known| known < count)).map(|(&i, &c)| (i, c)).collect();
            prop_assert_eq!(model(&delta), larger);
            prop_assert_eq!(left.total(), a.values().map(|&count| i128::from(count)).sum::<i128>());
            for id in a.keys().chain(b.keys()) {
                prop_assert_eq!(left.get(ReplicaId(*id)), a.get(id).copied().unwrap_or(0));
            }
        }

        #[test]
        fn raise_inserts_anywhere(a in models(), id in 0..14_u32, count in 0..9_u64) {
            let mut raised = entries(&a);
            raised.raise(ReplicaId(id), count);
            check_representation(&raised);
            prop_assert_eq!(raised.get(ReplicaId(id)), count.max(a.get(&id).copied().unwrap_or(0)));
            prop_assert_eq!(raised.len(), a.len() + usize::from(count > 0 && !a.contains_key(&id)));
        }

        #[test]
        fn seek_finds_the_first_place(mut ids in prop::collection::vec(0..60_u32, 0..40), from in 0..40_usize, id in 0..60_u32) {
            ids.sort_unstable();
            let from = from.min(ids.len());
            let expected = from + ids[from..].iter().take_while(|&&other| other < id).count();
            prop_assert_eq!(seek(&ids, from, id), expected);
        }
    }

    #[test]
    fn a_subset_joins_into_a_spilled_map_without_allocation() {
        let mut all = entries(&(0..100).map(|id| (id, 5)).collect());
        let Entries::Spilled { ids, .. } = &all else { panic!("a hundred entries are on the heap") };
        let address = ids.as_ptr();
        assert!(all.join(&Entries::single(ReplicaId(42), 9)));
        assert!(!all.join(&Entries::single(ReplicaId(43), 5)));
        let Entries::Spilled { ids, .. } = &all else { panic!("a join does not shrink") };
        assert_eq!(ids.as_ptr(), address);
        assert_eq!((all.get(ReplicaId(42)), all.len()), (9, 100));
    }
}
