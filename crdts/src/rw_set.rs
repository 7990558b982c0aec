//! The remove-wins set: of an addition and a removal that did not see each other, the removal wins.
//!
//! **State.** Under each element the dots of the additions and of the removals that nothing newer has seen. Each update
//! of an element takes the place of all that it finds there. An element is in the set if additions are left and no
//! removals: so exactly if it was added and every removal of it was seen by an addition (Baquero, Almeida and Shoker
//! 2017, arXiv 1710.04469, section 4).
//!
//! A removal has an effect also on an element that is not in the set: it wins over an addition elsewhere that has not
//! arrived. So removals are kept until something newer about the element has seen them, and even causal stability does not
//! end them earlier. Suppose a replica dropped a stable removal, and then added the element again. The delta of that names
//! what was found, which the removal no longer was; a peer that still has it would let it win over the addition that came
//! after it. The price is a tombstone for each element that was removed and not added again (`weight` tells).
//!
//! **Why it converges.** Additions and removals are dots in a store: [`crate::causality::causal`].
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Lattice, ReplicaId, RwSet};
//!
//! let (mut ours, mut theirs) = (RwSet::<u64>::bottom(), RwSet::bottom());
//! ours.add(ReplicaId(1), 7)?;
//! theirs.remove(ReplicaId(2), &7)?; // has not heard of it
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert!(!ours.contains(&7));
//!
//! theirs.add(ReplicaId(2), 7)?; // saw the removal
//! assert!(theirs.contains(&7));
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: removal without trace, which [`crate::OrSet`] has, and garbage collection (above).

use std::collections::BTreeSet;

use crate::{
    atom::Atom,
    causality::{Causal, CausalSpec, CausalType, Change, Dot, DotMap, DotSet, DotStore, Effect, Event, Specify},
    clock::ReplicaId,
    lattice::{UpdateError, Weight},
    objects::{
        generic_object,
        set::{Set, SetOp, SetRet},
    },
};

generic_object! {
    /// What makes a causal state a set of `E` in which removals win.
    RemoveWins<E>
}

/// A set in which removals win over concurrent additions. See the [module documentation](self).
pub type RwSet<E> = Causal<RemoveWins<E>>;

/// Additions and removals of an element.
type Votes = (DotSet, DotSet);

type Store<E> = DotMap<E, Votes>;

fn is_present((additions, removals): &Votes) -> bool {
    !additions.is_empty() && removals.is_empty()
}

fn present<E: Atom>(store: &Store<E>) -> impl Iterator<Item = &E> {
    store.iter().filter(|(_, votes)| is_present(votes)).map(|(element, _)| element)
}

/// Puts votes in the place of all that are known.
fn vote<E: Atom>(store: &mut Store<E>, element: E, votes: Votes) -> Change<Store<E>> {
    let (additions, removals) = store.edit(&element, |known| std::mem::replace(known, votes.clone()));
    let removed = additions.iter().chain(removals.iter()).collect();
    Change { added: DotMap::single(element, votes), removed }
}

fn add<E: Atom>(store: &mut Store<E>, dot: Dot, element: E) -> Change<Store<E>> {
    vote(store, element, (DotSet::single(dot), DotSet::default()))
}

fn remove<E: Atom>(store: &mut Store<E>, dot: Dot, element: E) -> Change<Store<E>> {
    vote(store, element, (DotSet::default(), DotSet::single(dot)))
}

impl<E: Atom> CausalType for RemoveWins<E> {
    type Store = Store<E>;
    type Object = Set<E>;

    const NAME: &'static str = "rw-set";
    const SPECIFICATION: Option<Specify<Set<E>>> = Some(RwSet::<E>::specify);

    #[inline]
    fn update(store: &mut Store<E>, dot: Dot, op: &SetOp<E>) -> Result<Effect<SetRet<E>, Store<E>>, UpdateError> {
        Ok(match op {
            SetOp::Add(element) => Effect { ret: SetRet::Added, change: Some(add(store, dot, element.clone())) },
            SetOp::Remove(element) => {
                Effect { ret: SetRet::Removed, change: Some(remove(store, dot, element.clone())) }
            }
            SetOp::Contains(element) => Effect::none(SetRet::Contains(store.get(element).is_some_and(is_present))),
            SetOp::Read => Effect::none(SetRet::Elements(present(store).cloned().collect())),
        })
    }

    fn value(store: &Store<E>) -> BTreeSet<E> {
        present(store).cloned().collect()
    }

    /// What is kept of elements that are not in the set is tombstones.
    fn weight(store: &Store<E>) -> Weight {
        let mut weight = store.weight();
        for (element, votes) in store.iter().filter(|(_, votes)| !is_present(votes)) {
            let (element_bytes, votes_bytes) = (element.encoded_bytes(), votes.weight().metadata_bytes);
            weight.payload_bytes -= element_bytes;
            weight.metadata_bytes -= votes_bytes;
            weight.tombstone_bytes += element_bytes + votes_bytes;
        }
        weight
    }
}

impl<E: Atom> RwSet<E> {
    /// Adds an element at `replica`. Returns the delta.
    #[inline]
    pub fn add(&mut self, replica: ReplicaId, element: E) -> Result<Self, UpdateError> {
        self.change(replica, |store, dot| Some(add(store, dot, element)))
    }

    /// Removes an element at `replica`, whether it is there or not. Returns the delta.
    #[inline]
    pub fn remove(&mut self, replica: ReplicaId, element: &E) -> Result<Self, UpdateError> {
        self.change(replica, |store, dot| Some(remove(store, dot, element.clone())))
    }

    /// Is the element in the set?
    pub fn contains(&self, element: &E) -> bool {
        self.store().get(element).is_some_and(is_present)
    }

    /// The elements, ascending. Removals that are still kept are passed over one by one.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        present(self.store())
    }

    /// Is there no element?
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// An element is in the set if it was added, and every removal of it was seen by an addition.
impl<E: Atom> CausalSpec for RwSet<E> {
    fn specify(history: &[Event<SetOp<E>>]) -> BTreeSet<E> {
        let adds = |element: &E| {
            let element = element.clone();
            history.iter().filter(move |event| event.op == SetOp::Add(element.clone()))
        };
        let mut elements = BTreeSet::new();
        for event in history {
            if let SetOp::Add(element) = &event.op {
                elements.insert(element.clone());
            }
        }
        for event in history {
            if let SetOp::Remove(element) = &event.op
                && !adds(element).any(|add| add.saw(event))
            {
                elements.remove(element);
            }
        }
        elements
    }
}
