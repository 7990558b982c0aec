//! A set of dots: presence, and nothing else.
//!
//! Invariant: the dots ascend strictly. One dot, which is nearly always all there is, needs no allocation.
//!
//! ```
//! use crdts::{ReplicaId, causality::{Dot, DotSet, DotStore}};
//!
//! let mut dots = DotSet::default();
//! assert!(dots.is_empty());
//! dots.insert(Dot::new(ReplicaId(2), 1));
//! dots.insert(Dot::new(ReplicaId(1), 4));
//! assert_eq!(dots.iter().map(|dot| dot.counter).collect::<Vec<_>>(), [4, 1]);
//! ```
//!
//! What is deliberately absent: content. [`super::DotFun`] has it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{CausalContext, Dot, DotStore};
use crate::{
    atom::Atom,
    clock::ReplicaId,
    encoding::{DecodeError, Reader, varint_bytes, write_varint},
    lattice::Weight,
};

/// A set of dots.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct DotSet {
    dots: Dots,
}

/// A single dot is in pieces of four bytes, so that it fits beside the tag in sixteen.
#[derive(Clone, PartialEq, Eq, Default)]
enum Dots {
    #[default]
    None,
    One {
        replica: u32,
        high: u32,
        low: u32,
    },
    // A thin pointer keeps every element of every set at sixteen bytes; several dots are the exception.
    #[expect(clippy::box_collection, reason = "the size of the common case counts")]
    Many(Box<Vec<Dot>>),
}

const _: () = assert!(size_of::<DotSet>() == 16);

fn one(dot: Dot) -> Dots {
    Dots::One { replica: dot.replica.0, high: (dot.counter >> 32) as u32, low: dot.counter as u32 }
}

impl DotSet {
    /// The set of one dot.
    #[inline]
    pub fn single(dot: Dot) -> Self {
        Self { dots: one(dot) }
    }

    /// How many dots there are.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.dots {
            Dots::None => 0,
            Dots::One { .. } => 1,
            Dots::Many(dots) => dots.len(),
        }
    }

    /// Is there none?
    #[inline]
    pub fn is_empty(&self) -> bool {
        matches!(self.dots, Dots::None)
    }

    /// The dots, ascending.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        let several: &[Dot] = match &self.dots {
            Dots::Many(dots) => dots,
            _ => &[],
        };
        let single = self.only();
        single.into_iter().chain(several.iter().copied())
    }

    /// The dots as a context.
    #[inline]
    pub fn to_context(&self) -> CausalContext {
        match self.only() {
            Some(only) => CausalContext::single(only),
            None => self.iter().collect(),
        }
    }

    /// Is the dot in the set?
    pub fn contains(&self, dot: Dot) -> bool {
        match &self.dots {
            Dots::Many(dots) => dots.binary_search(&dot).is_ok(),
            single => *single == one(dot),
        }
    }

    /// Adds a dot. Returns whether it is new.
    pub fn insert(&mut self, dot: Dot) -> bool {
        if self.contains(dot) {
            return false;
        }
        let mut dots: Vec<Dot> = self.iter().chain([dot]).collect();
        dots.sort_unstable();
        *self = Self::from_sorted(dots);
        true
    }

    fn from_sorted(dots: Vec<Dot>) -> Self {
        let dots = match dots[..] {
            [] => Dots::None,
            [dot] => one(dot),
            _ => Dots::Many(Box::new(dots)),
        };
        Self { dots }
    }

    /// The dot, if there is exactly one.
    #[inline]
    fn only(&self) -> Option<Dot> {
        match self.dots {
            Dots::One { replica, high, low } => {
                Some(Dot::new(ReplicaId(replica), u64::from(high) << 32 | u64::from(low)))
            }
            _ => None,
        }
    }

    /// Keeps the dots that `keep` accepts. Returns whether any was dropped.
    #[inline]
    fn retain(&mut self, keep: impl Fn(Dot) -> bool) -> bool {
        if let Some(only) = self.only() {
            let kept = keep(only);
            if !kept {
                self.dots = Dots::None;
            }
            return !kept;
        }
        self.retain_many(keep)
    }

    /// Out of the way of the case of one dot, over which joins run.
    #[cold]
    #[inline(never)]
    fn retain_many(&mut self, keep: impl Fn(Dot) -> bool) -> bool {
        if self.iter().all(&keep) {
            return false;
        }
        *self = Self::from_sorted(self.iter().filter(|&dot| keep(dot)).collect());
        true
    }
}

impl DotSet {
    #[inline(never)]
    fn join_unequal(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool {
        let dropped = self.retain(|dot| other.contains(dot) || !theirs.contains(dot));
        // What is not in the context is not in the store, so every dot that is new is inserted once.
        other.iter().filter(|&dot| !mine.contains(dot)).fold(dropped, |changed, dot| self.insert(dot) | changed)
    }
}

impl FromIterator<Dot> for DotSet {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut dots: Vec<Dot> = dots.into_iter().collect();
        dots.sort_unstable();
        dots.dedup();
        Self::from_sorted(dots)
    }
}

impl fmt::Debug for DotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl DotStore for DotSet {
    #[inline]
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    #[inline]
    fn dots(&self, visit: &mut dyn FnMut(Dot)) {
        self.iter().for_each(visit);
    }

    #[inline]
    fn join(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool {
        if self == other {
            return false;
        }
        self.join_unequal(mine, other, theirs)
    }

    #[inline]
    fn remove(&mut self, removed: &CausalContext) -> bool {
        self.retain(|dot| !removed.contains(dot))
    }

    #[inline]
    fn without(&self, known: &CausalContext) -> Self {
        if let Some(only) = self.only() {
            return if known.contains(only) { Self::default() } else { Self::single(only) };
        }
        self.iter().filter(|&dot| !known.contains(dot)).collect()
    }

    fn le(&self, mine: &CausalContext, other: &Self) -> bool {
        other.iter().all(|dot| self.contains(dot) || !mine.contains(dot))
    }

    fn contradiction(&self, _: &Self) -> Option<Dot> {
        None
    }

    #[inline]
    fn strays(&self, mine: &CausalContext, other: &Self, visit: &mut dyn FnMut(Dot)) {
        if self != other {
            other.iter().filter(|&dot| mine.contains(dot) && !self.contains(dot)).for_each(visit);
        }
    }

    fn split(&self, visit: &mut dyn FnMut(Dot, Self)) {
        for dot in self.iter() {
            visit(dot, Self::single(dot));
        }
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(self.len() as u64);
        for dot in self.iter() {
            word(u64::from(dot.replica.0));
            word(dot.counter);
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.len() as u64);
        for dot in self.iter() {
            dot.encode(out);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut dots: Vec<Dot> = Vec::new();
        for _ in 0..reader.length(2)? {
            let dot = Dot::decode(reader)?;
            if dots.last().is_some_and(|last| *last >= dot) {
                return Err(DecodeError::NotAscending);
            }
            dots.push(dot);
        }
        Ok(Self::from_sorted(dots))
    }

    fn weight(&self) -> Weight {
        let bytes = varint_bytes(self.len() as u64) + self.iter().map(|dot| dot.encoded_bytes()).sum::<u64>();
        Weight { metadata_bytes: bytes, ..Weight::default() }
    }
}

impl Serialize for DotSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for DotSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dots = Vec::<Dot>::deserialize(deserializer)?;
        if !dots.is_sorted_by(|a, b| a < b) || dots.iter().any(|dot| dot.counter == 0) {
            return Err(D::Error::custom("the dots are not ascending and counted from 1"));
        }
        Ok(Self::from_sorted(dots))
    }
}
