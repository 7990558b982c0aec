//! Causal contexts: sets of dots.
//!
//! Invariant: the dots of a replica are maximal ranges, ascending, disjoint and not adjacent. So a set has one
//! representation, a gapless past costs one range for each replica, and the *vector* (ranges that begin at 1) and the *cloud*
//! (all others) of the literature are two views of one list. The cloud becomes vector as soon as the gap is filled.
//!
//! ```
//! use crdts::{Lattice, ReplicaId, causality::{CausalContext, Dot, DotRange}};
//!
//! let r = ReplicaId(1);
//! let mut ours: CausalContext = [Dot::new(r, 1), Dot::new(r, 2), Dot::new(r, 9)].into_iter().collect();
//! assert_eq!(ours.ranges(), [DotRange::new(r, 1, 2), DotRange::new(r, 9, 9)]);
//! assert_eq!((ours.vector().get(r), ours.max(r)), (2, 9));
//!
//! let theirs: CausalContext = [DotRange::new(r, 2, 8)].into_iter().collect();
//! assert_eq!(theirs.difference(&ours).ranges(), [DotRange::new(r, 3, 8)]);
//! assert!(ours.join(&theirs));
//! assert_eq!(ours.ranges(), [DotRange::new(r, 1, 9)]);
//! ```
//!
//! What is deliberately absent: removal of single dots, since knowledge only grows. [`CausalContext::forget`] ends a
//! retired replica's entry.

mod search;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Dot, VersionVector};
use crate::{
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION, varint_bytes, write_varint},
    lattice::{Lattice, UpdateError},
};
use search::{reach, sort_by_bits};

/// Consecutive dots of one replica, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DotRange {
    /// Whose dots.
    pub replica: ReplicaId,
    /// The counter of the first dot, at least 1.
    pub first: u64,
    /// The counter of the last dot, at least `first`.
    pub last: u64,
}

impl DotRange {
    /// The dots `first..=last` of `replica`.
    #[inline]
    pub const fn new(replica: ReplicaId, first: u64, last: u64) -> Self {
        Self { replica, first, last }
    }

    #[inline]
    fn contains(&self, dot: Dot) -> bool {
        // Both ends in one comparison: what is below the first wraps around to something large.
        self.replica == dot.replica && dot.counter.wrapping_sub(self.first) <= self.last - self.first
    }

    /// Is this the dot that follows the range?
    #[inline]
    fn is_before(&self, dot: Dot) -> bool {
        self.replica == dot.replica && self.last.checked_add(1) == Some(dot.counter)
    }

    /// Do both belong to one replica, and overlap or touch?
    #[inline]
    fn meets(&self, other: &Self) -> bool {
        self.replica == other.replica
            && self.first <= other.last.saturating_add(1)
            && other.first <= self.last.saturating_add(1)
    }
}

impl From<Dot> for DotRange {
    #[inline]
    fn from(dot: Dot) -> Self {
        Self::new(dot.replica, dot.counter, dot.counter)
    }
}

impl fmt::Debug for DotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}:{}", self.replica, self.first)
        } else {
            write!(f, "{}:{}..={}", self.replica, self.first, self.last)
        }
    }
}

/// How many ranges need no allocation: the context of a delta is rarely larger.
const INLINE_MAX: usize = 2;

#[derive(Clone)]
enum Ranges {
    Inline { len: u8, slots: [DotRange; INLINE_MAX] },
    Spilled(Vec<DotRange>),
}

/// A set of dots.
#[derive(Clone)]
pub struct CausalContext {
    ranges: Ranges,
}

impl CausalContext {
    const EMPTY: Self =
        Self { ranges: Ranges::Inline { len: 0, slots: [DotRange::new(ReplicaId(0), 0, 0); INLINE_MAX] } };

    /// The context of one dot.
    #[inline]
    pub const fn single(dot: Dot) -> Self {
        let range = DotRange::new(dot.replica, dot.counter, dot.counter);
        Self { ranges: Ranges::Inline { len: 1, slots: [range, DotRange::new(ReplicaId(0), 0, 0)] } }
    }

    /// The maximal ranges, ascending.
    #[inline]
    pub fn ranges(&self) -> &[DotRange] {
        match &self.ranges {
            Ranges::Inline { len, slots } => &slots[..usize::from(*len)],
            Ranges::Spilled(ranges) => ranges,
        }
    }

    /// All dots, ascending.
    pub fn dots(&self) -> impl Iterator<Item = Dot> + '_ {
        self.ranges()
            .iter()
            .flat_map(|range| (range.first..=range.last).map(|counter| Dot::new(range.replica, counter)))
    }

    /// How many dots there are.
    pub fn len(&self) -> u128 {
        self.ranges().iter().map(|range| u128::from(range.last - range.first) + 1).sum()
    }

    /// Is there no dot?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges().is_empty()
    }

    /// Is the update known?
    #[inline]
    pub fn contains(&self, dot: Dot) -> bool {
        match &self.ranges {
            Ranges::Inline { len: 1, slots: [only, _] } => only.contains(dot),
            Ranges::Inline { len: 2, slots: [a, b] } => a.contains(dot) | b.contains(dot),
            Ranges::Inline { .. } => false,
            Ranges::Spilled(ranges) => {
                let above = ranges.partition_point(|range| (range.replica, range.first) <= (dot.replica, dot.counter));
                above > 0 && ranges[above - 1].contains(dot)
            }
        }
    }

    /// For questions in ascending order.
    #[inline]
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk { ranges: self.ranges() }
    }

    /// How many updates of `replica` are known without a gap.
    #[inline]
    pub fn prefix(&self, replica: ReplicaId) -> u64 {
        let ranges = self.ranges();
        let at = ranges.partition_point(|range| range.replica < replica);
        ranges.get(at).filter(|range| range.replica == replica && range.first == 1).map_or(0, |range| range.last)
    }

    /// The largest counter of `replica`; zero if none of its updates is known.
    #[inline]
    pub fn max(&self, replica: ReplicaId) -> u64 {
        let ranges = self.ranges();
        let above = ranges.partition_point(|range| range.replica <= replica);
        ranges[..above].last().filter(|range| range.replica == replica).map_or(0, |range| range.last)
    }

    /// The dot for the next update of `replica`.
    #[inline]
    pub fn next_dot(&self, replica: ReplicaId) -> Result<Dot, UpdateError> {
        let counter = self.max(replica).checked_add(1).ok_or(UpdateError::Overflow)?;
        Ok(Dot::new(replica, counter))
    }

    /// The part without gaps.
    pub fn vector(&self) -> VersionVector {
        self.ranges().iter().filter(|range| range.first == 1).map(|range| (range.replica, range.last)).collect()
    }

    /// The ranges behind a gap.
    pub fn cloud(&self) -> impl Iterator<Item = DotRange> + '_ {
        self.ranges().iter().copied().filter(|range| range.first > 1)
    }

    /// Adds a dot. Returns whether it is new.
    #[inline]
    pub fn insert(&mut self, dot: Dot) -> bool {
        match &mut self.ranges {
            Ranges::Inline { len: 0, .. } => {
                *self = Self::single(dot);
                true
            }
            // Updates of one replica follow one another, and an update follows those that it names.
            Ranges::Inline { len: 1, slots: [only, _] } if only.is_before(dot) => {
                only.last = dot.counter;
                true
            }
            Ranges::Inline { len: len @ 1, slots: [only, next] }
                if (only.replica, only.last) < (dot.replica, dot.counter) =>
            {
                *next = dot.into();
                *len = 2;
                true
            }
            _ => self.insert_range(dot.into()),
        }
    }

    /// Adds consecutive dots. Returns whether any is new. A range that holds nothing, or a counter of zero, adds nothing.
    #[inline]
    pub fn insert_range(&mut self, range: DotRange) -> bool {
        let first = range.first.max(1);
        if first > range.last {
            return false;
        }
        let range = DotRange::new(range.replica, first, range.last);
        let ranges = self.ranges();
        // Everything before `low` ends too early to meet the range, everything from `high` on begins too late.
        let low = ranges
            .partition_point(|other| (other.replica, other.last.saturating_add(1)) < (range.replica, range.first));
        let met = ranges[low..].iter().take_while(|other| other.meets(&range)).count();
        if met == 0 {
            self.open(low, range);
            return true;
        }
        let (before, after) = (ranges[low], ranges[low + met - 1]);
        let joined = DotRange::new(range.replica, before.first.min(range.first), after.last.max(range.last));
        if met == 1 && joined == before {
            return false;
        }
        self.close(low, met, joined);
        true
    }

    /// Inserts a range that meets no other.
    fn open(&mut self, at: usize, range: DotRange) {
        match &mut self.ranges {
            Ranges::Inline { len, slots } if usize::from(*len) < INLINE_MAX => {
                slots.copy_within(at..usize::from(*len), at + 1);
                slots[at] = range;
                *len += 1;
            }
            Ranges::Inline { slots, .. } => {
                let mut ranges = Vec::with_capacity(2 * INLINE_MAX);
                ranges.extend_from_slice(slots);
                ranges.insert(at, range);
                self.ranges = Ranges::Spilled(ranges);
            }
            Ranges::Spilled(ranges) => ranges.insert(at, range),
        }
    }

    /// Replaces `met` ranges by one.
    fn close(&mut self, at: usize, met: usize, joined: DotRange) {
        match &mut self.ranges {
            Ranges::Inline { len, slots } => {
                slots[at] = joined;
                slots.copy_within(at + met..usize::from(*len), at + 1);
                *len -= (met - 1) as u8;
            }
            Ranges::Spilled(ranges) => {
                ranges[at] = joined;
                ranges.drain(at + 1..at + met);
            }
        }
    }

    /// The context of these dots, in any order. Where they lie close together, they are sorted by setting a bit for each.
    pub fn from_dots(mut dots: Vec<Dot>) -> Self {
        if !dots.is_sorted() && !sort_by_bits(&mut dots) {
            dots.sort_unstable();
        }
        let mut ranges: Vec<DotRange> = Vec::new();
        for dot in dots {
            match ranges.last_mut().filter(|last| last.meets(&dot.into())) {
                Some(last) => last.last = dot.counter,
                None => ranges.push(dot.into()),
            }
        }
        Self::from_sorted(ranges)
    }

    /// The dots that are here and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let (mut left, mut at) = (Self::EMPTY, 0);
        let others = other.ranges();
        for range in self.ranges() {
            let mut first = range.first;
            at += reach(&others[at..], range.replica, first);
            let mut cover = at;
            let mut done = false;
            while let Some(o) = others.get(cover).filter(|o| o.replica == range.replica && o.first <= range.last) {
                if o.first > first {
                    left.insert_range(DotRange::new(range.replica, first, o.first - 1));
                }
                let Some(next) = o.last.checked_add(1).filter(|&next| next <= range.last) else {
                    done = true;
                    break;
                };
                first = next;
                cover += 1;
            }
            if !done {
                left.insert_range(DotRange::new(range.replica, first, range.last));
            }
        }
        left
    }

    /// The dots that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Self::EMPTY;
        let (mut mine, mut theirs) = (self.ranges(), other.ranges());
        while let ([a, ..], [b, ..]) = (mine, theirs) {
            if (a.replica, a.last) < (b.replica, b.first) {
                mine = &mine[reach(mine, b.replica, b.first)..];
            } else if (b.replica, b.last) < (a.replica, a.first) {
                theirs = &theirs[reach(theirs, a.replica, a.first)..];
            } else {
                // Ranges of the result that touched would have touched on both sides: it is at the end, and meets no other.
                both.open(both.ranges().len(), DotRange::new(a.replica, a.first.max(b.first), a.last.min(b.last)));
                // The one that ends first meets nothing more.
                if a.last <= b.last {
                    mine = &mine[1..];
                } else {
                    theirs = &theirs[1..];
                }
            }
        }
        both
    }

    /// Is no dot in both?
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let (mut mine, mut theirs) = (self.ranges(), other.ranges());
        while let ([a, rest_a @ ..], [b, rest_b @ ..]) = (mine, theirs) {
            if (a.replica, a.last) < (b.replica, b.first) {
                mine = rest_a;
            } else if (b.replica, b.last) < (a.replica, a.first) {
                theirs = rest_b;
            } else {
                return false;
            }
        }
        true
    }

    /// Drops all dots of `replica`. Only for replicas whose updates are causally stable and have all been removed since:
    /// to a state that has forgotten, an update of that replica looks like a new one.
    pub fn forget(&mut self, replica: ReplicaId) {
        *self = self.ranges().iter().copied().filter(|range| range.replica != replica).collect();
    }

    /// Feeds the ranges to a hash.
    pub fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(self.ranges().len() as u64);
        for range in self.ranges() {
            word(u64::from(range.replica.0));
            word(range.first);
            word(range.last);
        }
    }

    /// Ranges of one replica after the other: distance of the id, number of ranges, and for each the gap before it (as far
    /// as it is not implied) and its length less one.
    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) {
        self.spell(&mut |value| write_varint(out, value));
    }

    /// The size of what [`CausalContext::encode_body`] appends.
    pub(crate) fn encoded_bytes(&self) -> u64 {
        let mut bytes = 0;
        self.spell(&mut |value| bytes += varint_bytes(value));
        bytes
    }

    fn spell(&self, write: &mut dyn FnMut(u64)) {
        let replicas = self.ranges().chunk_by(|a, b| a.replica == b.replica);
        write(replicas.clone().count() as u64);
        let mut next_id = 0;
        for ranges in replicas {
            let id = u64::from(ranges[0].replica.0);
            write(id - next_id);
            next_id = id + 1;
            write(ranges.len() as u64 - 1);
            let mut free = 1;
            for range in ranges {
                write(range.first - free);
                write(range.last - range.first);
                // Ranges do not touch, so the next begins one further. What follows the last counter is never written.
                free = range.last.saturating_add(2);
            }
        }
    }

    pub(crate) fn decode_body(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ranges = Vec::new();
        let mut next_id = 0_u64;
        for _ in 0..reader.length(4)? {
            let id = next_id.checked_add(reader.varint()?).ok_or(DecodeError::IdOutOfRange)?;
            let replica = ReplicaId(u32::try_from(id).map_err(|_| DecodeError::IdOutOfRange)?);
            next_id = id + 1;
            let more = reader.length(2)?;
            let mut free = Some(1_u64);
            for _ in 0..=more {
                let gap = reader.varint()?;
                let first = free.and_then(|free| free.checked_add(gap)).ok_or(DecodeError::CounterOutOfRange)?;
                let last = first.checked_add(reader.varint()?).ok_or(DecodeError::CounterOutOfRange)?;
                ranges.push(DotRange::new(replica, first, last));
                free = last.checked_add(2);
            }
        }
        Ok(Self::from_sorted(ranges))
    }

    /// From maximal ranges in ascending order.
    fn from_sorted(ranges: Vec<DotRange>) -> Self {
        if ranges.len() > INLINE_MAX {
            return Self { ranges: Ranges::Spilled(ranges) };
        }
        let mut slots = [DotRange::default(); INLINE_MAX];
        slots[..ranges.len()].copy_from_slice(&ranges);
        Self { ranges: Ranges::Inline { len: ranges.len() as u8, slots } }
    }

    /// The union with many ranges, in one pass over both.
    fn merged(&self, other: &Self) -> Self {
        let (mut mine, mut theirs) = (self.ranges(), other.ranges());
        let mut merged: Vec<DotRange> = Vec::with_capacity(mine.len() + theirs.len());
        loop {
            let next = match (mine, theirs) {
                ([], []) => return Self::from_sorted(merged),
                ([a, rest @ ..], [b, ..]) if a <= b => {
                    mine = rest;
                    *a
                }
                (_, [b, rest @ ..]) => {
                    theirs = rest;
                    *b
                }
                ([a, rest @ ..], []) => {
                    mine = rest;
                    *a
                }
            };
            match merged.last_mut().filter(|last| last.meets(&next)) {
                Some(last) => last.last = last.last.max(next.last),
                None => merged.push(next),
            }
        }
    }
}

/// A context that is asked for ascending dots: the answers together take one pass over it.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a> {
    ranges: &'a [DotRange],
}

impl Walk<'_> {
    /// Is the update known? No dot is smaller than the one before it.
    #[inline]
    pub(crate) fn contains(&mut self, dot: Dot) -> bool {
        self.ranges = &self.ranges[reach(self.ranges, dot.replica, dot.counter)..];
        self.ranges.first().is_some_and(|range| range.contains(dot))
    }
}

impl Default for CausalContext {
    #[inline]
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Equal sets; how they are stored does not matter.
impl PartialEq for CausalContext {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.ranges() == other.ranges()
    }
}

impl Eq for CausalContext {}

impl fmt::Debug for CausalContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ranges()).finish()
    }
}

impl<R: Into<DotRange>> FromIterator<R> for CausalContext {
    fn from_iter<I: IntoIterator<Item = R>>(ranges: I) -> Self {
        let mut context = Self::EMPTY;
        for range in ranges {
            context.insert_range(range.into());
        }
        context
    }
}

impl Lattice for CausalContext {
    fn bottom() -> Self {
        Self::EMPTY
    }

    #[inline]
    fn is_bottom(&self) -> bool {
        self.is_empty()
    }

    /// The union.
    #[inline]
    fn join(&mut self, other: &Self) -> bool {
        if other.ranges().len() <= INLINE_MAX {
            return other.ranges().iter().fold(false, |grew, &range| self.insert_range(range) | grew);
        }
        if other.le(self) {
            return false;
        }
        *self = self.merged(other);
        true
    }

    fn le(&self, other: &Self) -> bool {
        let mut others = other.ranges();
        self.ranges().iter().all(|range| {
            others = &others[reach(others, range.replica, range.first)..];
            others.first().is_some_and(|o| o.replica == range.replica && o.first <= range.first && range.last <= o.last)
        })
    }

    /// One context for each dot.
    fn decompose(&self) -> Vec<Self> {
        self.dots().map(Self::single).collect()
    }
}

impl Encode for CausalContext {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.encode_body(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let context = Self::decode_body(&mut reader)?;
        reader.finish()?;
        Ok(context)
    }
}

impl Serialize for CausalContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ranges().iter().map(|range| (range.replica, range.first, range.last)))
    }
}

impl<'de> Deserialize<'de> for CausalContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ranges = Vec::<(ReplicaId, u64, u64)>::deserialize(deserializer)?;
        let ranges: Vec<_> = ranges.into_iter().map(|(id, first, last)| DotRange::new(id, first, last)).collect();
        let proper = ranges.iter().all(|range| 1 <= range.first && range.first <= range.last);
        if !proper || !ranges.is_sorted_by(|a, b| a < b && !a.meets(b)) {
            return Err(D::Error::custom("the ranges are not ascending, maximal, and counted from 1"));
        }
        Ok(Self::from_sorted(ranges))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn dots() -> impl Strategy<Value = BTreeSet<Dot>> {
        let near_the_end = prop_oneof![9 => 1..12_u64, 1 => u64::MAX - 2..=u64::MAX];
        prop::collection::btree_set((0..4_u32, near_the_end).prop_map(|(id, c)| Dot::new(ReplicaId(id), c)), 0..24)
    }

    fn context(dots: &BTreeSet<Dot>) -> CausalContext {
        dots.iter().copied().collect()
    }

    fn check_representation(context: &CausalContext) {
        assert!(context.ranges().iter().all(|range| 1 <= range.first && range.first <= range.last));
        assert!(context.ranges().is_sorted_by(|a, b| a < b && !a.meets(b)), "{context:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn agrees_with_a_plain_set(a in dots(), b in dots(), probe in 0..12_u64) {
            let (left, right) = (context(&a), context(&b));
            let mut both = left.clone();
            prop_assert_eq!(both.join(&right), !b.is_subset(&a));
            for (found, expected) in [
                (&both, &a | &b),
                (&left.merged(&right), &a | &b),
                (&left.difference(&right), &a - &b),
                (&left.intersection(&right), &a & &b),
                (&CausalContext::from_dots(b.iter().chain(a.iter().rev()).copied().collect()), &a | &b),
            ] {
                check_representation(found);
                prop_assert_eq!(found, &context(&expected));
                prop_assert_eq!(found.dots().collect::<BTreeSet<_>>(), expected);
            }
            prop_assert_eq!(left.le(&right), a.is_subset(&b));
            prop_assert_eq!(left.is_disjoint(&right), a.is_disjoint(&b));
            prop_assert_eq!(left.len(), a.len() as u128);
            for id in 0..4 {
                let replica = ReplicaId(id);
                let dot = Dot::new(replica, probe);
                prop_assert_eq!(left.contains(dot), a.contains(&dot));
                let prefix = (1..=u64::MAX).take_while(|&counter| a.contains(&Dot::new(replica, counter))).count() as u64;
                prop_assert_eq!((left.prefix(replica), left.vector().get(replica)), (prefix, prefix));
                let max = a.iter().filter(|dot| dot.replica == replica).map(|dot| dot.counter).max();
                prop_assert_eq!(left.max(replica), max.unwrap_or(0));
                prop_assert_eq!(left.next_dot(replica).is_err(), max == Some(u64::MAX));
            }
        }

        #[test]
        fn encodings_read_back(a in dots()) {
            let left = context(&a);
            let mut bytes = Vec::new();
            left.encode(&mut bytes);
            prop_assert_eq!(bytes.len() as u64, 1 + left.encoded_bytes());
            prop_assert_eq!(CausalContext::decode(&bytes), Ok(left.clone()));
            let text = serde_json::to_string(&left).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(serde_json::from_str::<CausalContext>(&text).ok(), Some(left));
        }

        #[test]
        fn any_bytes_decode_to_what_encodes_to_them(
            bytes in prop::collection::vec(prop_oneof![Just(1_u8), 0..4_u8, any::<u8>()], 0..24),
        ) {
            if let Ok(decoded) = CausalContext::decode(&bytes) {
                check_representation(&decoded);
                let mut again = Vec::new();
                decoded.encode(&mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn many_dots_in_any_order_are_sorted() {
        for (replicas, spread) in [(1, 1), (3, 2), (16, 7), (17, 1), (2, 1000)] {
            // 4,049 is prime, so the multiples visit every counter once.
            let dot = |at: u64| Dot::new(ReplicaId((at % replicas) as u32), 1 + at * 1_013 % 4_049 * spread);
            let dots: Vec<Dot> = (0..4_049).map(dot).collect();
            let expected: CausalContext = dots.iter().copied().collect();
            assert_eq!(CausalContext::from_dots(dots), expected, "{replicas} {spread}");
        }
    }

    #[test]
    fn ranges_that_are_not_canonical_are_refused() {
        for text in ["[[1,0,2]]", "[[1,3,2]]", "[[1,1,2],[1,3,4]]", "[[2,1,1],[1,1,1]]", "[[1,1,5],[1,2,3]]"] {
            assert!(serde_json::from_str::<CausalContext>(text).is_err(), "{text}");
        }
    }

    /// Found by fuzzing: the distance to the id after the largest one that can be spelt.
    #[test]
    fn the_largest_distance_of_ids_is_refused() {
        let bytes = [1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0];
        assert_eq!(CausalContext::decode(&bytes), Err(DecodeError::IdOutOfRange));
    }

    #[test]
    fn a_forgotten_replica_has_no_entry() {
        let mut seen: CausalContext = [Dot::new(ReplicaId(1), 1), Dot::new(ReplicaId(2), 1)].into_iter().collect();
        seen.forget(ReplicaId(1));
        assert_eq!(seen.ranges(), [DotRange::new(ReplicaId(2), 1, 1)]);
    }
}
