//! Contents under dots: what an update wrote, for as long as nobody has removed it.
//!
//! Invariant: the dots ascend strictly. Dot and content are fixed by the update that made them; should one dot come with two
//! contents all the same, the larger content is kept everywhere, so that replicas agree in spite of it, and
//! [`DotStore::contradiction`] tells.
//!
//! ```
//! use crdts::{ReplicaId, causality::{Dot, DotFun, DotStore}};
//!
//! let mut siblings = DotFun::default();
//! siblings.insert(Dot::new(ReplicaId(2), 1), "blue".to_owned());
//! siblings.insert(Dot::new(ReplicaId(1), 1), "red".to_owned());
//! assert_eq!(siblings.iter().map(|(_, colour)| colour.as_str()).collect::<Vec<_>>(), ["red", "blue"]);
//! ```
//!
//! What is deliberately absent: contents that change. A change is a new dot.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{CausalContext, Dot, DotStore};
use crate::{
    atom::Atom,
    encoding::{DecodeError, Reader, varint_bytes, write_varint},
    lattice::Weight,
};

/// A map from dots to contents.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct DotFun<V> {
    entries: Vec<(Dot, V)>,
}

impl<V> Default for DotFun<V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<V: Atom> DotFun<V> {
    /// The map of one dot.
    pub fn single(dot: Dot, value: V) -> Self {
        Self { entries: vec![(dot, value)] }
    }

    /// How many dots there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there none?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Dots and contents, ascending by dot.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Dot, &V)> {
        self.entries.iter().map(|(dot, value)| (*dot, value))
    }

    /// What was written under the dot.
    pub fn get(&self, dot: Dot) -> Option<&V> {
        self.position(dot).ok().map(|at| &self.entries[at].1)
    }

    /// Writes under a dot, unless it has a larger content already.
    pub fn insert(&mut self, dot: Dot, value: V) {
        if self.entries.last().is_none_or(|(last, _)| *last < dot) {
            return self.entries.push((dot, value));
        }
        match self.position(dot) {
            Ok(at) if self.entries[at].1 < value => self.entries[at].1 = value,
            Ok(_) => {}
            Err(at) => self.entries.insert(at, (dot, value)),
        }
    }

    /// Writes under a dot, in place of everything that is there.
    #[inline]
    pub fn replace_all(&mut self, dot: Dot, value: V) {
        self.entries.clear();
        self.entries.push((dot, value));
    }

    /// Adds entries with dots that are not here, in ascending order. Returns whether there are any.
    fn take_in(&mut self, news: Vec<(Dot, V)>) -> bool {
        let Some((first, _)) = news.first() else { return false };
        let behind = self.entries.last().is_none_or(|(last, _)| last < first);
        if self.entries.is_empty() {
            self.entries = news;
        } else {
            self.entries.extend(news);
        }
        if !behind {
            // Two runs, which the sort finds and merges.
            self.entries.sort_by_key(|(dot, _)| *dot);
        }
        true
    }

    fn position(&self, dot: Dot) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&dot, |(other, _)| *other)
    }
}

impl<V: Atom> DotStore for DotFun<V> {
    #[inline]
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn dots(&self, visit: &mut dyn FnMut(Dot)) {
        self.entries.iter().for_each(|(dot, _)| visit(*dot));
    }

    /// One pass over both, and over the contexts: linear.
    fn join(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool {
        if self.entries == other.entries {
            return false;
        }
        let (mut mine, mut theirs) = (mine.walk(), theirs.walk());
        let (mut news, mut changed) = (Vec::new(), false);
        let mut others = other.entries.iter().peekable();
        self.entries.retain_mut(|(dot, value)| {
            while let Some(entry) = others.next_if(|(other, _)| other < dot) {
                if !mine.contains(entry.0) {
                    news.push(entry.clone());
                }
            }
            match others.next_if(|(other, _)| other == dot) {
                Some((_, larger)) if larger > value => {
                    value.clone_from(larger);
                    changed = true;
                    true
                }
                Some(_) => true,
                None => {
                    let removed = theirs.contains(*dot);
                    changed |= removed;
                    !removed
                }
            }
        });
        news.extend(others.filter(|entry| !mine.contains(entry.0)).cloned());
        changed | self.take_in(news)
    }

    fn remove(&mut self, removed: &CausalContext) -> bool {
        let before = self.entries.len();
        self.entries.retain(|(dot, _)| !removed.contains(*dot));
        self.entries.len() < before
    }

    fn without(&self, known: &CausalContext) -> Self {
        Self { entries: self.entries.iter().filter(|(dot, _)| !known.contains(*dot)).cloned().collect() }
    }

    fn le(&self, mine: &CausalContext, other: &Self) -> bool {
        other.entries.iter().all(|(dot, value)| match self.get(*dot) {
            Some(held) => held <= value,
            None => !mine.contains(*dot),
        })
    }

    fn contradiction(&self, other: &Self) -> Option<Dot> {
        let differs = |(dot, value): &&(Dot, V)| self.get(*dot).is_some_and(|held| held.cmp(value) != Ordering::Equal);
        other.entries.iter().find(differs).map(|(dot, _)| *dot)
    }

    fn split(&self, visit: &mut dyn FnMut(Dot, Self)) {
        for (dot, value) in &self.entries {
            visit(*dot, Self::single(*dot, value.clone()));
        }
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(self.entries.len() as u64);
        for (dot, value) in &self.entries {
            word(u64::from(dot.replica.0));
            word(dot.counter);
            value.fold(&mut |content| word(content));
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.entries.len() as u64);
        for (dot, value) in &self.entries {
            dot.encode(out);
            value.encode(out);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries: Vec<(Dot, V)> = Vec::new();
        for _ in 0..reader.length(2)? {
            let dot = Dot::decode(reader)?;
            if entries.last().is_some_and(|(last, _)| *last >= dot) {
                return Err(DecodeError::NotAscending);
            }
            entries.push((dot, V::decode(reader)?));
        }
        Ok(Self { entries })
    }

    fn weight(&self) -> Weight {
        let mut weight = Weight { metadata_bytes: varint_bytes(self.entries.len() as u64), ..Weight::default() };
        for (dot, value) in &self.entries {
            let metadata_bytes = value.metadata_bytes();
            weight.metadata_bytes += dot.encoded_bytes() + metadata_bytes;
            weight.payload_bytes += value.encoded_bytes() - metadata_bytes;
        }
        weight
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for DotFun<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<(Dot, V)>::deserialize(deserializer)?;
        if !entries.is_sorted_by(|a, b| a.0 < b.0) || entries.iter().any(|(dot, _)| dot.counter == 0) {
            return Err(D::Error::custom("the dots are not ascending and counted from 1"));
        }
        Ok(Self { entries })
    }
}
