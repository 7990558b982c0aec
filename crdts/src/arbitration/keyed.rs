//! One place for every key: sets that only grow, and maps.
//!
//! Invariant: the dot of every entry is in the context, and whoever knows the dot of a write holds, under the key that was
//! written, that write or a greater one. Writes to different keys do not speak for each other, so deltas that arrive early
//! leave gaps; the context has them, and progress is its part without gaps.
//!
//! ```
//! use crdts::{Crdt, GSet, Lattice, ReplicaId, objects::set::SetOp::Add};
//!
//! let mut set = GSet::bottom();
//! let first = set.update(ReplicaId(1), &Add(7_u64))?;
//! let second = set.update(ReplicaId(1), &Add(8))?;
//! let mut late = GSet::bottom();
//! late.join(&second.delta);
//! assert_eq!((late.len(), late.context().prefix(ReplicaId(1))), (1, 0));
//! late.join(&first.delta);
//! assert_eq!((late.len(), late.context().prefix(ReplicaId(1))), (2, 2));
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: forgetting a key. What has been removed stays as an entry that says so.

use std::{collections::BTreeMap, fmt::Debug};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    atom::Atom,
    causality::{CausalContext, Dot, Specify},
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION, varint_bytes, write_varint},
    lattice::{Crdt, JoinError, Lattice, Update, UpdateError, Weight},
    object::Object,
};

/// What is under a key: the greatest write to it. The order decides between writes; only equal writes are equal.
pub trait Entry: Atom {
    /// The name of the write.
    fn dot(&self) -> Dot;

    /// The size of the encodings of a key and of this entry, by purpose.
    fn weight(&self, key_bytes: u64) -> Weight;
}

/// What distinguishes one keyed type from another.
pub trait Rule: 'static {
    /// Where writes go.
    type Key: Atom;
    /// What they leave.
    type Entry: Entry;
    /// What clients see.
    type Object: Object;

    /// The name in scenarios and reports, for example `g-set`.
    const NAME: &'static str;

    /// See [`Crdt::SPECIFICATION`].
    const SPECIFICATION: Option<Specify<Self::Object>> = None;

    /// What an operation writes, under the given dot, and the client's answer. Operations without effect write nothing; a
    /// write is greater than the entry that it replaces.
    fn perform(
        state: &Keyed<Self>,
        dot: Dot,
        op: &<Self::Object as Object>::Op,
    ) -> Result<Performed<Self>, UpdateError>;

    /// The object's state that the entries stand for.
    fn value(entries: &BTreeMap<Self::Key, Self::Entry>) -> <Self::Object as Object>::State;
}

/// The client's answer, and the write.
pub type Performed<R> = (<<R as Rule>::Object as Object>::Ret, Option<(<R as Rule>::Key, <R as Rule>::Entry)>);

/// For each key the write that wins. See the [module documentation](self).
pub struct Keyed<R: Rule + ?Sized> {
    context: CausalContext,
    entries: BTreeMap<R::Key, R::Entry>,
}

impl<R: Rule> Keyed<R> {
    fn checked(context: CausalContext, entries: BTreeMap<R::Key, R::Entry>) -> Option<Self> {
        let known = entries.values().all(|entry| context.contains(entry.dot()));
        known.then_some(Self { context, entries })
    }

    /// The updates that this state contains.
    #[inline]
    pub fn context(&self) -> &CausalContext {
        &self.context
    }

    /// All keys that were ever written, with the writes that won.
    #[inline]
    pub fn entries(&self) -> &BTreeMap<R::Key, R::Entry> {
        &self.entries
    }

    /// The name for a new update of `replica`.
    pub(crate) fn next_dot(&self, replica: ReplicaId) -> Result<Dot, UpdateError> {
        self.context.next_dot(replica)
    }

    /// Performs a write, which is greater than the entry that it replaces, and returns its delta.
    pub(crate) fn put(&mut self, key: R::Key, entry: R::Entry) -> Self {
        let context = CausalContext::single(entry.dot());
        self.context.insert(entry.dot());
        self.entries.insert(key.clone(), entry.clone());
        Self { context, entries: BTreeMap::from([(key, entry)]) }
    }

    /// Joins the entries of `other`. Returns whether any grew.
    fn join_entries(&mut self, other: &BTreeMap<R::Key, R::Entry>) -> bool {
        // A walk along both is better than a search for each, unless one is much smaller.
        if other.len() < self.entries.len() / 8 {
            return other.iter().fold(false, |grew, (key, entry)| self.raise(key, entry) | grew);
        }
        let mut missing = Vec::new();
        let mut grew = false;
        let mut mine = self.entries.iter_mut().peekable();
        for (key, entry) in other {
            while mine.next_if(|(held, _)| *held < key).is_some() {}
            match mine.next_if(|(held, _)| *held == key) {
                Some((_, held)) if *held < *entry => {
                    held.clone_from(entry);
                    grew = true;
                }
                Some(_) => {}
                None => missing.push((key.clone(), entry.clone())),
            }
        }
        grew |= !missing.is_empty();
        self.entries.extend(missing);
        grew
    }

    fn raise(&mut self, key: &R::Key, entry: &R::Entry) -> bool {
        match self.entries.get_mut(key) {
            Some(held) if *held >= *entry => return false,
            Some(held) => held.clone_from(entry),
            None => {
                self.entries.insert(key.clone(), entry.clone());
            }
        }
        true
    }

    /// A write of this state that `other` claims to contain, and does not.
    fn denied_by(&self, other: &Self) -> Option<Dot> {
        self.entries.iter().find_map(|(key, entry)| {
            let contained = || other.entries.get(key).is_some_and(|theirs| theirs >= entry);
            let denied = other.context.contains(entry.dot()) && !contained();
            denied.then(|| entry.dot())
        })
    }
}

impl<R: Rule> Clone for Keyed<R> {
    fn clone(&self) -> Self {
        Self { context: self.context.clone(), entries: self.entries.clone() }
    }
}

impl<R: Rule> PartialEq for Keyed<R> {
    fn eq(&self, other: &Self) -> bool {
        self.context == other.context && self.entries == other.entries
    }
}

impl<R: Rule> Eq for Keyed<R> {}

impl<R: Rule> Default for Keyed<R> {
    fn default() -> Self {
        Self { context: CausalContext::default(), entries: BTreeMap::new() }
    }
}

impl<R: Rule> Debug for Keyed<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(R::NAME).field("context", &self.context).field("entries", &self.entries).finish()
    }
}

impl<R: Rule> Lattice for Keyed<R> {
    fn bottom() -> Self {
        Self::default()
    }

    #[inline]
    fn is_bottom(&self) -> bool {
        self.context.is_empty() && self.entries.is_empty()
    }

    fn join(&mut self, other: &Self) -> bool {
        let grew = self.join_entries(&other.entries);
        self.context.join(&other.context) | grew
    }

    /// Refuses a state that claims to contain a write and holds nothing as great under its key.
    fn try_join(&mut self, other: &Self) -> Result<bool, JoinError> {
        match self.denied_by(other).or_else(|| other.denied_by(self)) {
            Some(dot) => Err(JoinError::Contradiction { dot }),
            None => Ok(self.join(other)),
        }
    }

    fn le(&self, other: &Self) -> bool {
        self.context.le(&other.context)
            && self.entries.iter().all(|(key, entry)| other.entries.get(key).is_some_and(|theirs| entry <= theirs))
    }

    /// One state for each write that has won, with its dot, and one for each other dot.
    fn decompose(&self) -> Vec<Self> {
        let live: CausalContext = self.entries.values().map(Entry::dot).collect();
        let won = self.entries.iter().map(|(key, entry)| {
            let entries = BTreeMap::from([(key.clone(), entry.clone())]);
            Self { context: CausalContext::single(entry.dot()), entries }
        });
        let lost = self.context.difference(&live);
        let lost = lost.dots().map(|dot| Self { context: CausalContext::single(dot), entries: BTreeMap::new() });
        won.chain(lost).collect()
    }
}

impl<R: Rule> Crdt for Keyed<R> {
    type Object = R::Object;

    /// The updates that are contained.
    type Digest = CausalContext;

    const NAME: &'static str = R::NAME;
    const SPECIFICATION: Option<Specify<R::Object>> = R::SPECIFICATION;

    fn update(
        &mut self,
        replica: ReplicaId,
        op: &<R::Object as Object>::Op,
    ) -> Result<Update<<R::Object as Object>::Ret, Self>, UpdateError> {
        let (ret, write) = R::perform(self, self.next_dot(replica)?, op)?;
        let delta = write.map(|(key, entry)| self.put(key, entry)).unwrap_or_default();
        Ok(Update { ret, delta })
    }

    fn value(&self) -> <R::Object as Object>::State {
        R::value(&self.entries)
    }

    fn digest(&self) -> CausalContext {
        self.context.clone()
    }

    fn delta_since(&self, digest: &CausalContext) -> Self {
        let context = self.context.difference(digest);
        if context.is_empty() {
            return Self::default();
        }
        let news = self.entries.iter().filter(|(_, entry)| context.contains(entry.dot()));
        let entries = news.map(|(key, entry)| (key.clone(), entry.clone())).collect();
        Self { context, entries }
    }

    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        for range in self.context.ranges().iter().filter(|range| range.first == 1) {
            visit(range.replica, range.last);
        }
    }

    fn fold(&self, mut word: impl FnMut(u64)) {
        self.context.fold(&mut word);
        for (key, entry) in &self.entries {
            key.fold(&mut word);
            entry.fold(&mut word);
        }
    }

    fn weight(&self) -> Weight {
        let framing = 1 + self.context.encoded_bytes() + varint_bytes(self.entries.len() as u64);
        let mut weight = Weight { metadata_bytes: framing, ..Weight::default() };
        for (key, entry) in &self.entries {
            let part = entry.weight(key.encoded_bytes());
            weight.payload_bytes += part.payload_bytes;
            weight.metadata_bytes += part.metadata_bytes;
            weight.tombstone_bytes += part.tombstone_bytes;
        }
        weight
    }

    fn digest_bytes(digest: &CausalContext) -> u64 {
        1 + digest.encoded_bytes()
    }

    fn fold_digest(digest: &CausalContext, mut word: impl FnMut(u64)) {
        digest.fold(&mut word);
    }
}

/// The context, the number of entries, and then keys and entries, ascending by key.
impl<R: Rule> Encode for Keyed<R> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.context.encode_body(out);
        write_varint(out, self.entries.len() as u64);
        for (key, entry) in &self.entries {
            key.encode(out);
            entry.encode(out);
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let context = CausalContext::decode_body(&mut reader)?;
        let mut entries = BTreeMap::new();
        // A dot takes two bytes or more.
        for _ in 0..reader.length(2)? {
            let key = R::Key::decode(&mut reader)?;
            if entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(DecodeError::NotAscending);
            }
            entries.insert(key, R::Entry::decode(&mut reader)?);
        }
        reader.finish()?;
        Self::checked(context, entries).ok_or(DecodeError::DotWithoutContext)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<E> {
    context: CausalContext,
    entries: Vec<E>,
}

impl<R: Rule<Key: Serialize, Entry: Serialize>> Serialize for Keyed<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form { context: self.context.clone(), entries: self.entries.iter().collect() }.serialize(serializer)
    }
}

impl<'de, R: Rule<Key: Deserialize<'de>, Entry: Deserialize<'de>>> Deserialize<'de> for Keyed<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Form { context, entries } = Form::<(R::Key, R::Entry)>::deserialize(deserializer)?;
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(D::Error::custom("the keys are not ascending"));
        }
        let entries = entries.into_iter().collect();
        Self::checked(context, entries).ok_or_else(|| D::Error::custom("a write is not in the context"))
    }
}
