//! The observed-remove set as it was first described: unique tags, and tombstones for those that were removed.
//!
//! **State.** Under each element the tags of its additions, and the removals with the tags that they saw (Shapiro et
//! al. 2011, INRIA RR-7506, specification 15). Tags are the dots of the additions. An element is in the set while it
//! has a tag that no removal names. Both sets only grow, and their join is union.
//!
//! **Tombstones go when nobody needs them.** A tag that was removed stays until its removal is causally stable: from
//! then on whatever arrives has seen the removal. So each removal is kept under its own dot beside the tags that it
//! names: that the *addition* is stable says nothing, since a removal made later can still be on its way. Tags and
//! removals that are dropped stay in the context, and a replica that has not dropped them yet does so as soon as it
//! hears of that.
//!
//! **Why it converges.** Tags and removals are dots in a store, so the argument is that of
//! [`crate::causality::causal`]; updates here only add. The value depends on the state alone.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, OrSetTombstones, ReplicaId};
//!
//! let (mut ours, mut theirs) = (OrSetTombstones::<u64>::bottom(), OrSetTombstones::bottom());
//! ours.add(ReplicaId(1), 7)?;
//! theirs.join(&ours);
//! theirs.remove(ReplicaId(2), &7)?;
//! ours.add(ReplicaId(1), 7)?;
//! ours.join(&theirs);
//! assert!(ours.contains(&7));
//!
//! ours.remove(ReplicaId(1), &7)?;
//! assert!(ours.is_empty() && ours.weight().tombstone_bytes > 0);
//! let everything = ours.context().vector();
//! ours.stable(&everything);
//! assert_eq!(ours.weight().tombstone_bytes, 0);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: economy. Every addition leaves a tag, also that of an element which is there;
//! [`crate::OrSet`] means the same and keeps one. This form is here to be compared with.

use std::collections::BTreeSet;

use crate::{
    atom::Atom,
    causality::{
        Causal, CausalContext, CausalSpec, CausalType, Change, Dot, DotFun, DotMap, DotSet, DotStore, Effect, Event,
        Specify, VersionVector,
    },
    clock::ReplicaId,
    encoding::{DecodeError, Reader, varint_bytes, write_varint},
    lattice::{UpdateError, Weight},
    object::Object,
    objects::{
        generic_object,
        set::{Set, SetOp, SetRet},
    },
    or_set::add_wins,
};

generic_object! {
    /// What makes a causal state a set of `E` with tags and tombstones.
    TagsAndTombstones<E>
}

/// A set in which additions win over concurrent removals, with tombstones. See the [module documentation](self).
pub type OrSetTombstones<E> = Causal<TagsAndTombstones<E>>;

/// The tags that a removal saw, ascending.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Dot>", into = "Vec<Dot>")]
pub struct Removed(Vec<Dot>);

impl TryFrom<Vec<Dot>> for Removed {
    type Error = &'static str;

    fn try_from(tags: Vec<Dot>) -> Result<Self, &'static str> {
        if tags.is_sorted_by(|a, b| a < b) && tags.iter().all(|tag| tag.counter > 0) {
            Ok(Self(tags))
        } else {
            Err("the tags are not ascending and counted from 1")
        }
    }
}

impl From<Removed> for Vec<Dot> {
    fn from(removed: Removed) -> Self {
        removed.0
    }
}

impl Atom for Removed {
    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.0.len() as u64);
        self.0.iter().for_each(|tag| tag.encode(out));
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut tags: Vec<Dot> = Vec::new();
        for _ in 0..reader.length(2)? {
            let tag = Dot::decode(reader)?;
            if tags.last().is_some_and(|last| *last >= tag) {
                return Err(DecodeError::NotAscending);
            }
            tags.push(tag);
        }
        Ok(Self(tags))
    }

    fn encoded_bytes(&self) -> u64 {
        varint_bytes(self.0.len() as u64) + self.0.iter().map(Atom::encoded_bytes).sum::<u64>()
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(self.0.len() as u64);
        self.0.iter().for_each(|tag| tag.fold(word));
    }
}

/// The tags of an element, and its removals.
type Tags = (DotSet, DotFun<Removed>);

type Store<E> = DotMap<E, Tags>;

/// The tags that removals name.
fn gone(removals: &DotFun<Removed>) -> CausalContext {
    if removals.is_empty() {
        return CausalContext::default();
    }
    CausalContext::from_dots(removals.iter().flat_map(|(_, removed)| removed.0.iter().copied()).collect())
}

/// The tags that no removal names, ascending.
fn live((added, removals): &Tags) -> impl Iterator<Item = Dot> + '_ {
    let gone = gone(removals);
    added.iter().filter(move |tag| !gone.contains(*tag))
}

fn is_present(tags: &Tags) -> bool {
    live(tags).next().is_some()
}

fn present<E: Atom>(store: &Store<E>) -> impl Iterator<Item = &E> {
    store.iter().filter(|(_, tags)| is_present(tags)).map(|(element, _)| element)
}

fn add<E: Atom>(store: &mut Store<E>, dot: Dot, element: E) -> Change<Store<E>> {
    store.edit(&element, |(added, _)| added.insert(dot));
    let added = DotMap::single(element, (DotSet::single(dot), DotFun::default()));
    Change { added, removed: CausalContext::default() }
}

fn remove<E: Atom>(store: &mut Store<E>, dot: Dot, element: &E) -> Option<Change<Store<E>>> {
    let removed = Removed(live(store.get(element)?).collect());
    if removed.0.is_empty() {
        return None;
    }
    store.edit(element, |(_, removals)| removals.insert(dot, removed.clone()));
    let added = DotMap::single(element.clone(), (DotSet::default(), DotFun::single(dot, removed)));
    Some(Change { added, removed: CausalContext::default() })
}

impl<E: Atom> CausalType for TagsAndTombstones<E> {
    type Store = Store<E>;
    type Object = Set<E>;

    const NAME: &'static str = "or-set-tombstones";
    const SPECIFICATION: Option<Specify<Set<E>>> = Some(OrSetTombstones::<E>::specify);

    #[inline]
    fn update(store: &mut Store<E>, dot: Dot, op: &SetOp<E>) -> Result<Effect<SetRet<E>, Store<E>>, UpdateError> {
        Ok(match op {
            SetOp::Add(element) => Effect { ret: SetRet::Added, change: Some(add(store, dot, element.clone())) },
            SetOp::Remove(element) => Effect { ret: SetRet::Removed, change: remove(store, dot, element) },
            SetOp::Contains(element) => Effect::none(SetRet::Contains(store.get(element).is_some_and(is_present))),
            SetOp::Read => Effect::none(SetRet::Elements(present(store).cloned().collect())),
        })
    }

    fn value(store: &Store<E>) -> BTreeSet<E> {
        present(store).cloned().collect()
    }

    /// Drops the removals that are stable, and the tags that they name.
    fn stable(store: &mut Store<E>, stable: &VersionVector) -> bool {
        let mut dropped = Vec::new();
        for (_, (_, removals)) in store.iter() {
            for (dot, removed) in removals.iter().filter(|(dot, _)| stable.contains(*dot)) {
                dropped.push(dot);
                dropped.extend(&removed.0);
            }
        }
        store.remove(&CausalContext::from_dots(dropped))
    }

    /// What a removal names is a tombstone, and so are the removal and an element without any other tag.
    fn weight(store: &Store<E>) -> Weight {
        let mut weight = store.weight();
        for (element, tags) in store.iter() {
            let gone = gone(&tags.1);
            let dead = tags.0.iter().filter(|tag| gone.contains(*tag));
            let tags_bytes: u64 = dead.map(|tag| tag.encoded_bytes()).sum();
            let dots_bytes: u64 = tags.1.iter().map(|(dot, _)| dot.encoded_bytes()).sum();
            let names_bytes: u64 = tags.1.iter().map(|(_, removed)| removed.encoded_bytes()).sum();
            let element_bytes = if is_present(tags) { 0 } else { element.encoded_bytes() };
            weight.payload_bytes -= names_bytes + element_bytes;
            weight.metadata_bytes -= tags_bytes + dots_bytes;
            weight.tombstone_bytes += names_bytes + element_bytes + tags_bytes + dots_bytes;
        }
        weight
    }
}

impl<E: Atom> OrSetTombstones<E> {
    /// Adds an element at `replica`. Returns the delta.
    #[inline]
    pub fn add(&mut self, replica: ReplicaId, element: E) -> Result<Self, UpdateError> {
        self.change(replica, |store, dot| Some(add(store, dot, element)))
    }

    /// Removes an element at `replica`, as far as its additions are known here. Returns the delta: bottom if it is not
    /// in the set.
    #[inline]
    pub fn remove(&mut self, replica: ReplicaId, element: &E) -> Result<Self, UpdateError> {
        self.change(replica, |store, dot| remove(store, dot, element))
    }

    /// Is the element in the set?
    pub fn contains(&self, element: &E) -> bool {
        self.store().get(element).is_some_and(is_present)
    }

    /// The elements, ascending. Tombstones are passed over one by one.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        present(self.store())
    }

    /// Is there no element? Tombstones are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// The same as for [`crate::OrSet`]: the two differ in what they keep only.
impl<E: Atom> CausalSpec for OrSetTombstones<E> {
    fn specify(history: &[Event<SetOp<E>>]) -> <Set<E> as Object>::State {
        add_wins(history)
    }
}
