//! A map from keys to dot stores.
//!
//! Invariant: no key has an empty store. So a key is present exactly if some dot is left under it, and removing a key is
//! removing the dots under it, whatever the store is: composition needs no other rule.
//!
//! ```
//! use crdts::{ReplicaId, causality::{Dot, DotMap, DotSet, DotStore}};
//!
//! let mut map = DotMap::<u64, DotSet>::default();
//! map.insert(5, DotSet::single(Dot::new(ReplicaId(1), 1)));
//! assert_eq!(map.get(&5).map(DotSet::len), Some(1));
//! assert!(map.remove(&[Dot::new(ReplicaId(1), 1)].into_iter().collect()));
//! assert!(DotStore::is_empty(&map));
//! ```
//!
//! What is deliberately absent: a context of its own. The dots of all keys share the one beside the outermost store.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{CausalContext, Dot, DotStore};
use crate::{
    atom::Atom,
    encoding::{DecodeError, Reader, varint_bytes, write_varint},
    lattice::Weight,
};

/// A map from keys to dot stores.
#[derive(Clone, PartialEq, Debug)]
pub struct DotMap<K, S> {
    entries: BTreeMap<K, S>,
}

impl<K, S> Default for DotMap<K, S> {
    fn default() -> Self {
        Self { entries: BTreeMap::new() }
    }
}

impl<K: Atom, S: DotStore> DotMap<K, S> {
    /// The map of one key; empty if the store is.
    pub fn single(key: K, store: S) -> Self {
        let mut map = Self::default();
        map.insert(key, store);
        map
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is under a key.
    pub fn get(&self, key: &K) -> Option<&S> {
        self.entries.get(key)
    }

    /// Keys and stores, ascending by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &S)> {
        self.entries.iter()
    }

    /// Sets what is under a key, and returns what was. An empty store removes the key.
    pub fn insert(&mut self, key: K, store: S) -> Option<S> {
        if store.is_empty() { self.entries.remove(&key) } else { self.entries.insert(key, store) }
    }

    /// Takes a key out.
    pub fn take(&mut self, key: &K) -> Option<S> {
        self.entries.remove(key)
    }

    /// Changes what is under a key, beginning with an empty store if there is nothing, and ending without the key if nothing
    /// is left.
    pub fn edit<R>(&mut self, key: &K, change: impl FnOnce(&mut S) -> R) -> R {
        let mut store = self.entries.remove(key).unwrap_or_default();
        let result = change(&mut store);
        if !store.is_empty() {
            self.entries.insert(key.clone(), store);
        }
        result
    }

    /// Keeps what `keep` accepts; it may shrink stores. Returns whether any key went.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut S) -> bool) -> bool {
        let before = self.entries.len();
        self.entries.retain(|key, store| keep(key, store) && !store.is_empty());
        self.entries.len() < before
    }
}

impl<K: Atom, S: DotStore> DotStore for DotMap<K, S> {
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn dots(&self, visit: &mut dyn FnMut(Dot)) {
        self.entries.values().for_each(|store| store.dots(visit));
    }

    fn join(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool {
        let nothing = S::default();
        let mut changed = false;
        self.entries.retain(|key, store| {
            changed |= store.join(mine, other.entries.get(key).unwrap_or(&nothing), theirs);
            !store.is_empty()
        });
        for (key, store) in &other.entries {
            if !self.entries.contains_key(key) {
                let news = store.without(mine);
                changed |= !news.is_empty();
                self.insert(key.clone(), news);
            }
        }
        changed
    }

    fn remove(&mut self, removed: &CausalContext) -> bool {
        let mut changed = false;
        self.retain(|_, store| {
            changed |= store.remove(removed);
            true
        });
        changed
    }

    fn without(&self, known: &CausalContext) -> Self {
        let mut left = Self::default();
        for (key, store) in &self.entries {
            left.insert(key.clone(), store.without(known));
        }
        left
    }

    fn le(&self, mine: &CausalContext, other: &Self) -> bool {
        let nothing = S::default();
        other.entries.iter().all(|(key, store)| self.get(key).unwrap_or(&nothing).le(mine, store))
    }

    fn contradiction(&self, other: &Self) -> Option<Dot> {
        other.entries.iter().find_map(|(key, store)| self.get(key).and_then(|held| held.contradiction(store)))
    }

    fn split(&self, visit: &mut dyn FnMut(Dot, Self)) {
        for (key, store) in &self.entries {
            store.split(&mut |dot, part| visit(dot, Self::single(key.clone(), part)));
        }
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(self.entries.len() as u64);
        for (key, store) in &self.entries {
            key.fold(&mut |content| word(content));
            store.fold(word);
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.entries.len() as u64);
        for (key, store) in &self.entries {
            key.encode(out);
            store.encode(out);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries = BTreeMap::new();
        for _ in 0..reader.length(1)? {
            let key = K::decode(reader)?;
            if entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(DecodeError::NotAscending);
            }
            let store = S::decode(reader)?;
            if store.is_empty() {
                return Err(DecodeError::EmptyEntry);
            }
            entries.insert(key, store);
        }
        Ok(Self { entries })
    }

    fn weight(&self) -> Weight {
        let mut weight = Weight { metadata_bytes: varint_bytes(self.entries.len() as u64), ..Weight::default() };
        for (key, store) in &self.entries {
            let inner = store.weight();
            weight.payload_bytes += key.encoded_bytes() + inner.payload_bytes;
            weight.metadata_bytes += inner.metadata_bytes;
            weight.tombstone_bytes += inner.tombstone_bytes;
        }
        weight
    }
}

impl<K: Serialize, S: Serialize> Serialize for DotMap<K, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_seq(&self.entries)
    }
}

impl<'de, K: Atom + Deserialize<'de>, S: DotStore + Deserialize<'de>> Deserialize<'de> for DotMap<K, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<(K, S)>::deserialize(deserializer)?;
        if !entries.is_sorted_by(|a, b| a.0 < b.0) || entries.iter().any(|(_, store)| store.is_empty()) {
            return Err(D::Error::custom("the keys are not ascending, or one of them holds nothing"));
        }
        Ok(Self { entries: entries.into_iter().collect() })
    }
}
