//! The last-writer-wins map.
//!
//! **State.** For every key that was ever written its latest write: a time, the write's dot, and the value, or that there is
//! none. Removing a key is a write of its absence, timed like any other. Beside the keys stands the context of all updates seen.
//!
//! **Time.** Each key keeps its own Lamport time: a write is stamped with one more than the latest time of the key that its
//! replica knows. Writes to different keys are never compared. Callers who have clocks give a time themselves
//! ([`LwwMap::write_at`]).
//!
//! **Why it converges.** The writes to a key are totally ordered by time, then replica, then its counter, then content, and the
//! greatest of two is their least upper bound; functions from keys to a total order form a lattice, key by key. A write is
//! greater than what it replaces, so it inflates. See [`crate::arbitration`] for why an overwritten write still counts as
//! contained.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, LwwMap, ReplicaId, objects::{map::MapOp::{Remove, Update}, register::RegisterOp::Write}};
//!
//! let set = |value: &str| Update { key: "colour".to_owned(), op: Write(value.to_owned()) };
//! let (mut ours, mut theirs) = (LwwMap::bottom(), LwwMap::bottom());
//! ours.update(ReplicaId(1), &set("red"))?;
//! theirs.join(&ours);
//! ours.update(ReplicaId(1), &set("blue"))?;
//! theirs.update(ReplicaId(2), &Remove("colour".to_owned()))?; // concurrent, and equally late
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.get(&"colour".to_owned()), None); // the larger replica id decides
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: forgetting removed keys, whose absence must win over old writes that still travel; and values
//! that are merged, which the observed-remove map has.

use std::{collections::BTreeMap, marker::PhantomData};

use serde::{Deserialize, Serialize};

use crate::{
    arbitration::{
        keyed::{Entry, Keyed, Performed, Rule},
        lamport_times,
    },
    atom::Atom,
    causality::{CausalSpec, Dot, Event},
    clock::ReplicaId,
    encoding::{DecodeError, Reader, varint_bytes, write_varint},
    lattice::{UpdateError, Weight},
    objects::{
        map::{Map, MapOp, MapRet},
        register::{Register, RegisterOp, RegisterRet},
    },
};

/// A map in which the last write to a key wins. See the [module documentation](self) for the argument and an example.
pub type LwwMap<K, V> = Keyed<Latest<K, V>>;

/// The rule of [`LwwMap`]: the latest write to a key wins.
#[derive(Debug)]
pub struct Latest<K, V>(PhantomData<(K, V)>);

/// A write to a key, or the removal of one. Later writes are greater; the order of the fields is the order of writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell<V> {
    /// When it was written: a Lamport time, or a time of the writer's choice.
    pub time: u64,
    /// Which update wrote it.
    pub dot: Dot,
    /// What was written; nothing if the key was removed.
    pub value: Option<V>,
}

/// Time and dot, then whether there is a value, and the value.
impl<V: Atom> Atom for Cell<V> {
    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.time);
        self.dot.encode(out);
        self.value.is_some().encode(out);
        if let Some(value) = &self.value {
            value.encode(out);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (time, dot) = (reader.varint()?, Dot::decode(reader)?);
        let value = if bool::decode(reader)? { Some(V::decode(reader)?) } else { None };
        Ok(Self { time, dot, value })
    }

    fn encoded_bytes(&self) -> u64 {
        1 + varint_bytes(self.time) + self.dot.encoded_bytes() + self.value.as_ref().map_or(0, Atom::encoded_bytes)
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(self.time);
        self.dot.fold(word);
        word(u64::from(self.value.is_some()));
        if let Some(value) = &self.value {
            value.fold(word);
        }
    }
}

impl<V: Atom> Entry for Cell<V> {
    fn dot(&self) -> Dot {
        self.dot
    }

    fn weight(&self, key_bytes: u64) -> Weight {
        let Some(value) = &self.value else {
            return Weight { tombstone_bytes: key_bytes + self.encoded_bytes(), ..Weight::default() };
        };
        let value_bytes = value.encoded_bytes();
        Weight {
            payload_bytes: key_bytes + value_bytes,
            metadata_bytes: self.encoded_bytes() - value_bytes,
            tombstone_bytes: 0,
        }
    }
}

impl<K: Atom, V: Atom> Rule for Latest<K, V> {
    type Key = K;
    type Entry = Cell<V>;
    type Object = Map<K, Register<V>>;

    const NAME: &'static str = "lww-map";

    /// Removing a key that is absent has no effect.
    fn perform(map: &LwwMap<K, V>, dot: Dot, op: &MapOp<K, RegisterOp<V>>) -> Result<Performed<Self>, UpdateError> {
        // Refused once the largest time was used: nothing could be later.
        let write = |key: &K, value| {
            let time = map.time(key).checked_add(1).ok_or(UpdateError::Overflow)?;
            Ok((key.clone(), Cell { time, dot, value }))
        };
        match op {
            MapOp::Update { key, op: RegisterOp::Write(value) } => {
                Ok((MapRet::Updated(RegisterRet::Written), Some(write(key, Some(value.clone()))?)))
            }
            MapOp::Update { key, op: RegisterOp::Read } => {
                Ok((MapRet::Updated(RegisterRet::Value(map.get(key).cloned())), None))
            }
            MapOp::Remove(key) if map.get(key).is_none() => Ok((MapRet::Removed, None)),
            MapOp::Remove(key) => Ok((MapRet::Removed, Some(write(key, None)?))),
            MapOp::Read => Ok((MapRet::Entries(Self::value(map.entries()).into_iter().collect()), None)),
        }
    }

    fn value(entries: &BTreeMap<K, Cell<V>>) -> BTreeMap<K, Option<V>> {
        let present = entries.iter().filter(|(_, cell)| cell.value.is_some());
        present.map(|(key, cell)| (key.clone(), cell.value.clone())).collect()
    }
}

/// The key that an update writes, and the value, if it is no removal.
fn written<K, V>(op: &MapOp<K, RegisterOp<V>>) -> Option<(&K, Option<&V>)> {
    match op {
        MapOp::Update { key, op: RegisterOp::Write(value) } => Some((key, Some(value))),
        MapOp::Remove(key) => Some((key, None)),
        MapOp::Update { op: RegisterOp::Read, .. } | MapOp::Read => None,
    }
}

/// For every key, what the write with the latest Lamport time wrote, counted among writes to that key; of equally late ones,
/// that of the larger replica id. A key that was removed last is absent.
impl<K: Atom, V: Atom> CausalSpec for LwwMap<K, V> {
    fn specify(history: &[Event<MapOp<K, RegisterOp<V>>>]) -> BTreeMap<K, Option<V>> {
        let key_of = |event: &Event<MapOp<K, RegisterOp<V>>>| written(&event.op).map(|(key, _)| key.clone());
        let times = lamport_times(history, |event, other| key_of(event) == key_of(other));
        let mut events: Vec<_> = history.iter().collect();
        events.sort_by_key(|event| (times.get(&event.dot), event.dot.replica));
        let mut map = BTreeMap::new();
        for (key, value) in events.iter().filter_map(|event| written(&event.op)) {
            map.insert(key.clone(), value.cloned());
        }
        map.retain(|_, value| value.is_some());
        map
    }
}

impl<K: Atom, V: Atom> LwwMap<K, V> {
    /// The value of a key, if it is present.
    #[inline]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries().get(key).and_then(|cell| cell.value.as_ref())
    }

    /// The keys that are present, ascending, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries().iter().filter_map(|(key, cell)| cell.value.as_ref().map(|value| (key, value)))
    }

    /// The time of the latest write to a key, removals included; zero before the first.
    #[inline]
    pub fn time(&self, key: &K) -> u64 {
        self.entries().get(key).map_or(0, |cell| cell.time)
    }

    /// Writes a key (or with `None` removes it) at a time of the caller's choice, in any unit, and returns the delta. If a
    /// write to the key is known that is later (or as late, and wins by replica), this one has lost already: nothing changes,
    /// and the delta is bottom.
    ///
    /// A time that is far ahead wins over all honest writes until their times catch up. Bound what you accept.
    ///
    /// ```
    /// use crdts::{Lattice, LwwMap, ReplicaId};
    ///
    /// let mut map = LwwMap::bottom();
    /// map.write_at(ReplicaId(1), 900, 1_u8, Some('a'))?;
    /// assert!(map.write_at(ReplicaId(2), 800, 1, None)?.is_bottom());
    /// map.write_at(ReplicaId(2), 1_000, 1, None)?;
    /// assert_eq!(map.get(&1), None);
    /// assert!(map.write_at(ReplicaId(1), 999, 1, Some('b'))?.is_bottom());
    /// # Ok::<(), crdts::UpdateError>(())
    /// ```
    pub fn write_at(&mut self, replica: ReplicaId, time: u64, key: K, value: Option<V>) -> Result<Self, UpdateError> {
        let cell = Cell { time, dot: self.next_dot(replica)?, value };
        if self.entries().get(&key).is_some_and(|latest| *latest >= cell) {
            return Ok(Self::default());
        }
        Ok(self.put(key, cell))
    }
}
