//! The meaning of causal types: a value as a function of a causal history.
//!
//! A concurrent data type cannot be specified by one sequence of operations. Its specification is a function of the updates
//! that a replica has seen together with the order of visibility among them (Burckhardt et al. 2014, POPL, section 3). A
//! [`CausalSpec`] is that function, written from the definition, slow and without regard to how states look; tests and
//! checkers compare states against it.
//!
//! ```
//! use std::collections::BTreeSet;
//! use crdts::{ReplicaId, causality::{Dot, Event}};
//!
//! let first = Event { dot: Dot::new(ReplicaId(1), 1), op: "write a", past: BTreeSet::new() };
//! let second = Event { dot: Dot::new(ReplicaId(2), 1), op: "write b", past: BTreeSet::from([first.dot]) };
//! assert!(second.saw(&first));
//! assert!(!first.saw(&second));
//! ```
//!
//! What is deliberately absent: histories that are not causally closed. A state that has received an update but not that
//! update's past has a value, but no specified one.

use std::collections::BTreeSet;

use super::Dot;
use crate::{lattice::Crdt, object::Object};

/// An update that had an effect, and what its replica had seen when it made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<Op> {
    /// The name of the update.
    pub dot: Dot,
    /// What was done.
    pub op: Op,
    /// All updates that were visible at the replica: its own earlier ones, and those received.
    pub past: BTreeSet<Dot>,
}

impl<Op> Event<Op> {
    /// Was `other` visible when this update was made?
    pub fn saw<T>(&self, other: &Event<T>) -> bool {
        self.past.contains(&other.dot)
    }
}

/// The value of a replica that has seen exactly these events; see [`CausalSpec::specify`].
pub type Specify<O> = fn(&[Event<<O as Object>::Op>]) -> <O as Object>::State;

/// A type whose value is specified over causal histories.
pub trait CausalSpec: Crdt {
    /// The value of a replica that has seen exactly these events. The history is causally closed, and in any order.
    fn specify(history: &[Event<<Self::Object as Object>::Op>]) -> <Self::Object as Object>::State;
}
