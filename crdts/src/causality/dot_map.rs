//! A map from keys to dot stores.
//!
//! Invariant: no key has an empty store, and no dot is under two keys. So a key is present exactly if some dot is left under
//! it, and removing a key is removing the dots under it, whatever the store is: composition needs no other rule. An update puts
//! its dot under one key; joins keep it at one, even for a dot that two replicas gave away: they drop it where the other side,
//! which knows it, does not have it. So the join with a delta looks for a dot in one place.
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

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{CausalContext, Dot, DotStore, ordered::Ordered};
use crate::{
    atom::Atom,
    encoding::{DecodeError, Reader, varint_bytes, write_varint},
    lattice::Weight,
};

/// From how many times more keys on one side on, each key of the other is looked up instead of walking along both.
const SEEK_FACTOR: usize = 8;

/// A map from keys to dot stores.
#[derive(Clone, PartialEq, Debug)]
pub struct DotMap<K, S> {
    entries: Ordered<K, S>,
}

impl<K, S> Default for DotMap<K, S> {
    #[inline]
    fn default() -> Self {
        Self { entries: Ordered::default() }
    }
}

impl<K: Atom, S: DotStore> DotMap<K, S> {
    /// The map of one key; empty if the store is.
    #[inline]
    pub fn single(key: K, store: S) -> Self {
        Self { entries: if store.is_empty() { Ordered::default() } else { Ordered::one(key, store) } }
    }

    /// How many keys there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there none?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is under a key.
    #[inline]
    pub fn get(&self, key: &K) -> Option<&S> {
        self.entries.get(key)
    }

    /// Keys and stores, ascending by key.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &S)> {
        self.entries.iter()
    }

    /// Sets what is under a key, and returns what was. An empty store removes the key.
    pub fn insert(&mut self, key: K, store: S) -> Option<S> {
        match (self.entries.find(&key), store.is_empty()) {
            (Ok(place), true) => Some(self.entries.remove_at(place)),
            (Ok(place), false) => Some(std::mem::replace(self.entries.value_mut(place), store)),
            (Err(_), true) => None,
            (Err(place), false) => {
                self.entries.insert_at(place, key, store);
                None
            }
        }
    }

    /// Takes a key out.
    #[inline]
    pub fn take(&mut self, key: &K) -> Option<S> {
        let place = self.entries.find(key).ok()?;
        Some(self.entries.remove_at(place))
    }

    /// Changes what is under a key, beginning with an empty store if there is nothing, and ending without the key if nothing
    /// is left.
    #[inline]
    pub fn edit<R>(&mut self, key: &K, change: impl FnOnce(&mut S) -> R) -> R {
        match self.entries.find(key) {
            Ok(place) => {
                let store = self.entries.value_mut(place);
                let result = change(store);
                if store.is_empty() {
                    self.entries.remove_at(place);
                }
                result
            }
            Err(place) => {
                let mut store = S::default();
                let result = change(&mut store);
                if !store.is_empty() {
                    self.entries.insert_at(place, key.clone(), store);
                }
                result
            }
        }
    }

    /// Keeps what `keep` accepts; it may shrink stores. Returns whether any key went.
    #[inline]
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut S) -> bool) -> bool {
        self.entries.retain(|key, store| keep(key, store) && !store.is_empty())
    }

    /// The join with a map of few keys: each is looked up. All other keys are looked at only if a dot that `theirs` has may
    /// be under one of them.
    fn join_few(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool {
        let known = mine.intersection(theirs);
        let elsewhere = self.elsewhere(&known, other);
        let mut changed = false;
        for (key, store) in other.iter() {
            match self.entries.find(key) {
                Ok(place) => {
                    let held = self.entries.value_mut(place);
                    changed |= held.join(mine, store, theirs);
                    if held.is_empty() {
                        self.entries.remove_at(place);
                    }
                }
                Err(place) => {
                    let news = store.without(mine);
                    if !news.is_empty() {
                        self.entries.insert_at(place, key.clone(), news);
                        changed = true;
                    }
                }
            }
        }
        // What is elsewhere is not in `other`, and `other` knows it: it was removed there.
        changed | (!elsewhere.is_empty() && self.remove(&elsewhere))
    }

    /// Of the dots in `known`, which both sides know, those that can be under a key of this map which `other` lacks. A dot has
    /// one place, so those under keys that both have are nowhere else.
    fn elsewhere(&self, known: &CausalContext, other: &Self) -> CausalContext {
        if known.is_empty() {
            return CausalContext::default();
        }
        let held = || other.iter().filter_map(|(key, _)| self.get(key));
        let mut placed = CausalContext::default();
        if other.len() <= SEEK_FACTOR {
            for store in held() {
                store.dots(&mut |dot| {
                    placed.insert(dot);
                });
            }
        } else {
            let mut dots = Vec::new();
            for store in held() {
                store.dots(&mut |dot| dots.push(dot));
            }
            placed = CausalContext::from_dots(dots);
        }
        known.difference(&placed)
    }

    /// The join with a map of about as many keys: along both.
    fn join_many(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool {
        let nothing = S::default();
        let mut changed = false;
        let mut news = Vec::new();
        let mut others = other.iter().peekable();
        let mut hear = |key: &K, store: &S| {
            let new = store.without(mine);
            if !new.is_empty() {
                news.push((key.clone(), new));
            }
        };
        self.entries.retain(|key, store| {
            while let Some((key, store)) = others.next_if(|(other, _)| *other < key) {
                hear(key, store);
            }
            let same = others.next_if(|(other, _)| *other == key);
            changed |= store.join(mine, same.map_or(&nothing, |(_, store)| store), theirs);
            !store.is_empty()
        });
        others.for_each(|(key, store)| hear(key, store));
        changed |= !news.is_empty();
        self.entries.extend(news);
        changed
    }

    /// Visits the keys of `other` with what is under them on both sides, until `visit` says stop. Returns whether it did.
    fn along<'a>(&'a self, other: &'a Self, mut visit: impl FnMut(Option<&'a S>, &'a S) -> bool) -> bool {
        if other.len() < self.len() / SEEK_FACTOR {
            return other.iter().any(|(key, store)| visit(self.get(key), store));
        }
        let mut ours = self.iter().peekable();
        other.iter().any(|(key, store)| {
            while ours.next_if(|(our, _)| *our < key).is_some() {}
            visit(ours.next_if(|(our, _)| *our == key).map(|(_, held)| held), store)
        })
    }

    /// Is every dot under one key only? That is what lets a join look for it in one place.
    fn dots_have_one_place(&self) -> bool {
        let mut all = Vec::with_capacity(self.len());
        let mut here = Vec::new();
        for (_, store) in self.iter() {
            store.dots(&mut |dot| here.push(dot));
            // One key may hold a dot in several parts.
            if here.len() > 1 {
                here.sort_unstable();
                here.dedup();
            }
            all.append(&mut here);
        }
        let count = all.len() as u128;
        CausalContext::from_dots(all).len() == count
    }
}

impl<K: Atom, S: DotStore> DotStore for DotMap<K, S> {
    #[inline]
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn dots(&self, visit: &mut dyn FnMut(Dot)) {
        self.iter().for_each(|(_, store)| store.dots(visit));
    }

    /// Linear in the smaller map, if nothing that is under other keys can have been removed; otherwise in the larger.
    fn join(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool {
        if other.len() < self.len() / SEEK_FACTOR {
            return self.join_few(mine, other, theirs);
        }
        self != other && self.join_many(mine, other, theirs)
    }

    fn remove(&mut self, removed: &CausalContext) -> bool {
        let mut changed = false;
        self.entries.retain(|_, store| {
            let shrunk = store.remove(removed);
            changed |= shrunk;
            !shrunk || !store.is_empty()
        });
        changed
    }

    fn without(&self, known: &CausalContext) -> Self {
        let mut left = Self::default();
        for (key, store) in self.iter() {
            let new = store.without(known);
            if !new.is_empty() {
                left.entries.push(key.clone(), new);
            }
        }
        left
    }

    fn le(&self, mine: &CausalContext, other: &Self) -> bool {
        let nothing = S::default();
        !self.along(other, |held, store| !held.unwrap_or(&nothing).le(mine, store))
    }

    fn contradiction(&self, other: &Self) -> Option<Dot> {
        let mut found = None;
        self.along(other, |held, store| {
            found = held.and_then(|held| held.contradiction(store));
            found.is_some()
        });
        found
    }

    fn strays(&self, mine: &CausalContext, other: &Self, visit: &mut dyn FnMut(Dot)) {
        self.along(other, |held, store| {
            match held {
                Some(held) => held.strays(mine, store, visit),
                None => store.dots(&mut |dot| {
                    if mine.contains(dot) {
                        visit(dot);
                    }
                }),
            }
            false
        });
    }

    fn split(&self, visit: &mut dyn FnMut(Dot, Self)) {
        for (key, store) in self.iter() {
            store.split(&mut |dot, part| visit(dot, Self::single(key.clone(), part)));
        }
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(self.entries.len() as u64);
        for (key, store) in self.iter() {
            key.fold(&mut |content| word(content));
            store.fold(word);
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.entries.len() as u64);
        for (key, store) in self.iter() {
            key.encode(out);
            store.encode(out);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut map = Self::default();
        // Every key has a dot, so every entry at least its two bytes; the number of dots before them is a third.
        for _ in 0..reader.length(2)? {
            let key = K::decode(reader)?;
            if map.entries.last_key().is_some_and(|last| *last >= key) {
                return Err(DecodeError::NotAscending);
            }
            let store = S::decode(reader)?;
            if store.is_empty() {
                return Err(DecodeError::EmptyEntry);
            }
            map.entries.push(key, store);
        }
        if map.dots_have_one_place() { Ok(map) } else { Err(DecodeError::DotTwice) }
    }

    fn weight(&self) -> Weight {
        let mut weight = Weight { metadata_bytes: varint_bytes(self.entries.len() as u64), ..Weight::default() };
        for (key, store) in self.iter() {
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
        serializer.collect_seq(self.entries.iter())
    }
}

impl<'de, K: Atom + Deserialize<'de>, S: DotStore + Deserialize<'de>> Deserialize<'de> for DotMap<K, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<(K, S)>::deserialize(deserializer)?;
        if !entries.is_sorted_by(|a, b| a.0 < b.0) || entries.iter().any(|(_, store)| store.is_empty()) {
            return Err(D::Error::custom("the keys are not ascending, or one of them holds nothing"));
        }
        let mut map = Self::default();
        for (key, store) in entries {
            map.entries.push(key, store);
        }
        if map.dots_have_one_place() { Ok(map) } else { Err(D::Error::custom("a dot is under two keys")) }
    }
}
