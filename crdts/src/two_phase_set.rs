//! The two-phase set: elements are added, and removed for good.
//!
//! **State.** For every element that was ever added its latest phase, added or removed, with the dot of an update that brought
//! it there, and the context of all updates seen. Only what is there can be removed, and what was removed is never added
//! again: the attempt is an error, not a silent nothing.
//!
//! **Why it converges.** The phases of an element are totally ordered, absent below added below removed, and updates only move
//! it upward. The greater of two phases is their least upper bound; of two updates to the same phase, the greater dot stays.
//! It is the pair of grow-only sets of Shapiro et al. 2011 (INRIA RR-7506, section 3.3.2), with every element stored once. See
//! [`crate::arbitration`] for why an overtaken update still counts as contained.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, TwoPhaseSet, UpdateError, objects::set::SetOp};
//!
//! let (mut ours, mut theirs) = (TwoPhaseSet::bottom(), TwoPhaseSet::bottom());
//! ours.update(ReplicaId(1), &SetOp::Add('x'))?;
//! theirs.update(ReplicaId(2), &SetOp::Add('x'))?;
//! ours.update(ReplicaId(1), &SetOp::Remove('x'))?;
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert!(!ours.contains(&'x')); // the removal wins over every addition, seen or not
//! assert!(matches!(theirs.update(ReplicaId(2), &SetOp::Add('x')), Err(UpdateError::Unsupported { .. })));
//! # Ok::<(), UpdateError>(())
//! ```
//!
//! What is deliberately absent: a way back, and forgetting what was removed. Observed-remove sets have both.

use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
};

use serde::{Deserialize, Serialize};

use crate::{
    arbitration::keyed::{Entry, Keyed, Performed, Rule},
    atom::Atom,
    causality::{CausalSpec, Dot, Event, Specify},
    encoding::{DecodeError, Reader},
    lattice::{UpdateError, Weight},
    objects::set::{Set, SetOp, SetRet},
};

/// A set whose elements are removed for good. See the [module documentation](self) for the argument and an example.
pub type TwoPhaseSet<E> = Keyed<Phases<E>>;

/// The rule of [`TwoPhaseSet`]: added, then removed.
#[derive(Debug)]
pub struct Phases<E>(PhantomData<E>);

/// How far an element has come, and by which update. Later phases are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// In the set.
    Added(Dot),
    /// Out of it, for good.
    Removed(Dot),
}

impl Phase {
    fn is_removed(self) -> bool {
        matches!(self, Self::Removed(_))
    }
}

/// Whether the element was removed, then the dot.
impl Atom for Phase {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_removed().encode(out);
        self.dot().encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let removed = bool::decode(reader)?;
        let dot = Dot::decode(reader)?;
        Ok(if removed { Self::Removed(dot) } else { Self::Added(dot) })
    }

    fn encoded_bytes(&self) -> u64 {
        1 + self.dot().encoded_bytes()
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        self.is_removed().fold(word);
        self.dot().fold(word);
    }
}

impl Entry for Phase {
    fn dot(&self) -> Dot {
        let (Self::Added(dot) | Self::Removed(dot)) = *self;
        dot
    }

    fn weight(&self, key_bytes: u64) -> Weight {
        if self.is_removed() {
            return Weight { tombstone_bytes: key_bytes + self.encoded_bytes(), ..Weight::default() };
        }
        Weight { payload_bytes: key_bytes, metadata_bytes: self.encoded_bytes(), tombstone_bytes: 0 }
    }
}

impl<E: Atom> Rule for Phases<E> {
    type Key = E;
    type Entry = Phase;
    type Object = Set<E>;

    const NAME: &'static str = "2p-set";
    const SPECIFICATION: Option<Specify<Set<E>>> = Some(TwoPhaseSet::<E>::specify);

    fn perform(set: &TwoPhaseSet<E>, dot: Dot, op: &SetOp<E>) -> Result<Performed<Self>, UpdateError> {
        match op {
            SetOp::Add(element) => match set.entries().get(element) {
                None => Ok((SetRet::Added, Some((element.clone(), Phase::Added(dot))))),
                Some(Phase::Added(_)) => Ok((SetRet::Added, None)),
                Some(Phase::Removed(_)) => {
                    Err(UpdateError::Unsupported { reason: "a two-phase set never adds again what was removed" })
                }
            },
            SetOp::Remove(element) => {
                let write = set.contains(element).then(|| (element.clone(), Phase::Removed(dot)));
                Ok((SetRet::Removed, write))
            }
            SetOp::Contains(element) => Ok((SetRet::Contains(set.contains(element)), None)),
            SetOp::Read => Ok((SetRet::Elements(set.iter().cloned().collect()), None)),
        }
    }

    fn value(entries: &BTreeMap<E, Phase>) -> BTreeSet<E> {
        present(entries).cloned().collect()
    }
}

fn present<E>(entries: &BTreeMap<E, Phase>) -> impl Iterator<Item = &E> {
    entries.iter().filter(|(_, phase)| !phase.is_removed()).map(|(element, _)| element)
}

/// All that was added, without all that was removed.
impl<E: Atom> CausalSpec for TwoPhaseSet<E> {
    fn specify(history: &[Event<SetOp<E>>]) -> BTreeSet<E> {
        let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for event in history {
            match &event.op {
                SetOp::Add(element) => added.insert(element.clone()),
                SetOp::Remove(element) => removed.insert(element.clone()),
                SetOp::Contains(_) | SetOp::Read => false,
            };
        }
        added.difference(&removed).cloned().collect()
    }
}

impl<E: Atom> TwoPhaseSet<E> {
    /// Is the element in the set?
    #[inline]
    pub fn contains(&self, element: &E) -> bool {
        matches!(self.entries().get(element), Some(Phase::Added(_)))
    }

    /// The elements that are in the set, ascending.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        present(self.entries())
    }
}
