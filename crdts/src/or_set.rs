//! The observed-remove set without tombstones: of an addition and a removal that did not see each other, the addition
//! wins.
//!
//! **State.** A [`DotMap`] from elements to the dots of the additions that are left. An addition takes the place of
//! those that it finds; a removal removes those that it finds, and nothing else. An element is in the set while a dot
//! is under it, so a removed element leaves nothing behind (Bieniusa et al. 2012, arXiv 1210.3368; Almeida, Shoker and
//! Baquero 2018, section 7.2).
//!
//! **Why it converges.** The join is that of the store ([`crate::causality::causal`]): an addition is left if nobody
//! who saw it has added the element again or removed it since. An addition that a removal did not see has a dot that
//! the removal's delta does not name, and so it stays.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Lattice, OrSet, ReplicaId};
//!
//! let (mut ours, mut theirs) = (OrSet::bottom(), OrSet::bottom());
//! ours.add(ReplicaId(1), "tea".to_owned())?;
//! theirs.join(&ours);
//!
//! theirs.remove(ReplicaId(2), &"tea".to_owned())?;
//! ours.add(ReplicaId(1), "tea".to_owned())?; // nobody saw this one
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert!(ours.contains(&"tea".to_owned()));
//!
//! ours.remove(ReplicaId(1), &"tea".to_owned())?;
//! assert!(ours.store().is_empty()); // no tombstone
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: the number of additions. A set that counts is a map of counters.

use std::collections::BTreeSet;

use crate::{
    atom::Atom,
    causality::{Causal, CausalSpec, CausalType, Change, Dot, DotMap, DotSet, Effect, Event, Specify},
    clock::ReplicaId,
    lattice::UpdateError,
    objects::{
        generic_object,
        set::{Set, SetOp, SetRet},
    },
};

generic_object! {
    /// What makes a causal state a set of `E` in which additions win.
    AddWins<E>
}

/// A set in which additions win over concurrent removals. See the [module documentation](self).
pub type OrSet<E> = Causal<AddWins<E>>;

type Store<E> = DotMap<E, DotSet>;

fn add<E: Atom>(store: &mut Store<E>, dot: Dot, element: E) -> Change<Store<E>> {
    let removed = store.edit(&element, |dots| std::mem::replace(dots, DotSet::single(dot)));
    Change { added: DotMap::single(element, DotSet::single(dot)), removed: removed.to_context() }
}

fn remove<E: Atom>(store: &mut Store<E>, element: &E) -> Option<Change<Store<E>>> {
    let dots = store.take(element)?;
    Some(Change { added: DotMap::default(), removed: dots.to_context() })
}

impl<E: Atom> CausalType for AddWins<E> {
    type Store = Store<E>;
    type Object = Set<E>;

    const NAME: &'static str = "or-set";
    const SPECIFICATION: Option<Specify<Set<E>>> = Some(OrSet::<E>::specify);

    #[inline]
    fn update(store: &mut Store<E>, dot: Dot, op: &SetOp<E>) -> Result<Effect<SetRet<E>, Store<E>>, UpdateError> {
        Ok(match op {
            SetOp::Add(element) => Effect { ret: SetRet::Added, change: Some(add(store, dot, element.clone())) },
            SetOp::Remove(element) => Effect { ret: SetRet::Removed, change: remove(store, element) },
            SetOp::Contains(element) => Effect::none(SetRet::Contains(store.get(element).is_some())),
            SetOp::Read => Effect::none(SetRet::Elements(store.iter().map(|(element, _)| element.clone()).collect())),
        })
    }

    fn value(store: &Store<E>) -> BTreeSet<E> {
        store.iter().map(|(element, _)| element.clone()).collect()
    }
}

impl<E: Atom> OrSet<E> {
    /// Adds an element at `replica`. Returns the delta.
    #[inline]
    pub fn add(&mut self, replica: ReplicaId, element: E) -> Result<Self, UpdateError> {
        self.change(replica, |store, dot| Some(add(store, dot, element)))
    }

    /// Removes an element at `replica`, as far as its additions are known here. Returns the delta: bottom if it is not
    /// in the set.
    #[inline]
    pub fn remove(&mut self, replica: ReplicaId, element: &E) -> Result<Self, UpdateError> {
        self.change(replica, |store, _| remove(store, element))
    }

    /// Is the element in the set?
    #[inline]
    pub fn contains(&self, element: &E) -> bool {
        self.store().get(element).is_some()
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        self.store().iter().map(|(element, _)| element)
    }

    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.store().len()
    }

    /// Is there no element?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.store().is_empty()
    }
}

/// The definition that both forms of the observed-remove set implement (Burckhardt et al. 2014, POPL, section 3.2): an
/// element is in the set if it was added, and no removal of it saw that addition.
pub(crate) fn add_wins<E: Atom>(history: &[Event<SetOp<E>>]) -> BTreeSet<E> {
    let mut elements = BTreeSet::new();
    for event in history {
        let SetOp::Add(element) = &event.op else { continue };
        let removes = |other: &Event<_>| matches!(&other.op, SetOp::Remove(gone) if gone == element);
        if !history.iter().any(|other| removes(other) && other.saw(event)) {
            elements.insert(element.clone());
        }
    }
    elements
}

impl<E: Atom> CausalSpec for OrSet<E> {
    fn specify(history: &[Event<SetOp<E>>]) -> BTreeSet<E> {
        add_wins(history)
    }
}
