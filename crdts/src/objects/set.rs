//! The set: elements come and go, and an element is in it or not.
//!
//! Invariant: adding what is there and removing what is not there change nothing, and answer as always. So an answer never
//! depends on what other clients do.
//!
//! ```
//! use std::collections::BTreeSet;
//! use crdts::{Object, objects::set::{Set, SetOp, SetRet}};
//!
//! let mut elements = BTreeSet::from(["tea", "milk"].map(str::to_owned));
//! assert_eq!(Set::step(&mut elements, &SetOp::Remove("milk".to_owned())), SetRet::Removed);
//! assert_eq!(Set::step(&mut elements, &SetOp::Contains("milk".to_owned())), SetRet::Contains(false));
//! assert_eq!(Set::step(&mut elements, &SetOp::Read), SetRet::Elements(vec!["tea".to_owned()]));
//! ```
//!
//! What is deliberately absent: an addition that tells whether the element is new.

use std::collections::BTreeSet;

use crate::{atom::Atom, object::Object};

generic_object! {
    /// The set object, with elements of type `E`.
    Set<E>
}

/// What clients ask of a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOp<E> {
    /// Adds an element.
    Add(E),
    /// Removes an element.
    Remove(E),
    /// Asks whether an element is in the set.
    Contains(E),
    /// Asks for all elements.
    Read,
}

/// What a set answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetRet<E> {
    /// The element is in the set now.
    Added,
    /// The element is not in the set now.
    Removed,
    /// Is the element in the set?
    Contains(bool),
    /// The elements in ascending order.
    Elements(Vec<E>),
}

impl<E: Atom> Object for Set<E> {
    type Op = SetOp<E>;
    type Ret = SetRet<E>;
    type State = BTreeSet<E>;

    const NAME: &'static str = "set";

    fn step(elements: &mut BTreeSet<E>, op: &SetOp<E>) -> SetRet<E> {
        match op {
            SetOp::Add(element) => {
                if !elements.contains(element) {
                    elements.insert(element.clone());
                }
                SetRet::Added
            }
            SetOp::Remove(element) => {
                elements.remove(element);
                SetRet::Removed
            }
            SetOp::Contains(element) => SetRet::Contains(elements.contains(element)),
            SetOp::Read => SetRet::Elements(elements.iter().cloned().collect()),
        }
    }

    fn is_update(op: &SetOp<E>) -> bool {
        matches!(op, SetOp::Add(_) | SetOp::Remove(_))
    }

    fn read() -> SetOp<E> {
        SetOp::Read
    }

    fn op_name(op: &SetOp<E>) -> &'static str {
        match op {
            SetOp::Add(_) => "add",
            SetOp::Remove(_) => "remove",
            SetOp::Contains(_) => "contains",
            SetOp::Read => "read",
        }
    }
}
