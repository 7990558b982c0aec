//! The grow-only set.
//!
//! **State.** For every element the dot of an addition, and the context of all additions seen. An addition of what is there
//! has no effect and takes no dot.
//!
//! **Why it converges.** Sets joined by union form a lattice, and an addition inflates. That would be all, but for knowing who
//! added how much: when several replicas add one element concurrently, one of their dots stays with the element (the
//! greatest, which is one order as good as another), and the others are in the context only. Either is a join of its own; see
//! [`crate::arbitration`] (Shapiro et al. 2011, INRIA RR-7506, section 3.3.1).
//!
//! **What it costs.** A dot is sixteen bytes an element in memory and two or more when encoded. In return a digest is the
//! context, a few bytes for each replica instead of all elements, and what a peer lacks follows from it.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, GSet, Lattice, ReplicaId, UpdateError, objects::set::SetOp};
//!
//! let (mut ours, mut theirs) = (GSet::bottom(), GSet::bottom());
//! for element in ["milk", "tea"] {
//!     ours.update(ReplicaId(1), &SetOp::Add(element.to_owned()))?;
//! }
//! theirs.update(ReplicaId(2), &SetOp::Add("tea".to_owned()))?;
//! assert_eq!(theirs.delta_since(&ours.digest()).len(), 1); // told by dots, so the tea crosses once more
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.iter().collect::<Vec<_>>(), ["milk", "tea"]);
//! assert!(matches!(ours.update(ReplicaId(1), &SetOp::Remove("tea".to_owned())), Err(UpdateError::Unsupported { .. })));
//! # Ok::<(), UpdateError>(())
//! ```
//!
//! What is deliberately absent: removal. [`crate::TwoPhaseSet`] removes for good.

use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
};

use crate::{
    arbitration::keyed::{Entry, Keyed, Performed, Rule},
    atom::Atom,
    causality::{CausalSpec, Dot, Event, Specify},
    lattice::{UpdateError, Weight},
    objects::set::{Set, SetOp, SetRet},
};

/// A set that only grows. See the [module documentation](self) for the argument and an example.
pub type GSet<E> = Keyed<Additions<E>>;

/// The rule of [`GSet`]: elements stay.
#[derive(Debug)]
pub struct Additions<E>(PhantomData<E>);

/// An addition is its dot.
impl Entry for Dot {
    fn dot(&self) -> Dot {
        *self
    }

    fn weight(&self, key_bytes: u64) -> Weight {
        Weight { payload_bytes: key_bytes, metadata_bytes: self.encoded_bytes(), tombstone_bytes: 0 }
    }
}

impl<E: Atom> Rule for Additions<E> {
    type Key = E;
    type Entry = Dot;
    type Object = Set<E>;

    const NAME: &'static str = "g-set";
    const SPECIFICATION: Option<Specify<Set<E>>> = Some(GSet::<E>::specify);

    fn perform(set: &GSet<E>, dot: Dot, op: &SetOp<E>) -> Result<Performed<Self>, UpdateError> {
        match op {
            SetOp::Add(element) => {
                let write = (!set.contains(element)).then(|| (element.clone(), dot));
                Ok((SetRet::Added, write))
            }
            SetOp::Remove(_) => Err(UpdateError::Unsupported { reason: "a grow-only set cannot remove" }),
            SetOp::Contains(element) => Ok((SetRet::Contains(set.contains(element)), None)),
            SetOp::Read => Ok((SetRet::Elements(set.iter().cloned().collect()), None)),
        }
    }

    fn value(entries: &BTreeMap<E, Dot>) -> BTreeSet<E> {
        entries.keys().cloned().collect()
    }
}

/// All that was added.
impl<E: Atom> CausalSpec for GSet<E> {
    fn specify(history: &[Event<SetOp<E>>]) -> BTreeSet<E> {
        let added = history.iter().filter_map(|event| match &event.op {
            SetOp::Add(element) => Some(element.clone()),
            SetOp::Remove(_) | SetOp::Contains(_) | SetOp::Read => None,
        });
        added.collect()
    }
}

impl<E: Atom> GSet<E> {
    /// Is the element in the set?
    #[inline]
    pub fn contains(&self, element: &E) -> bool {
        self.entries().contains_key(element)
    }

    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Is there none?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// The elements, ascending.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &E> {
        self.entries().keys()
    }
}
