//! The set: add, remove, and a read of all elements.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Limits, check, models::{SetModel, SetOp, SetRet}};
//!
//! let calls = [
//!     Call::returned(0, SetOp::Add(1), SetRet::Done, 0, 9),
//!     Call::returned(1, SetOp::Add(2), SetRet::Done, 0, 9),
//!     Call::returned(2, SetOp::Read, SetRet::Elements([1].into()), 1, 8),
//!     Call::returned(3, SetOp::Read, SetRet::Elements([2].into()), 1, 8),
//! ];
//! let verdict = check(&SetModel::new(), &calls, &Limits::default());
//! assert!(!verdict.is_linearizable(), "one of them has to be first");
//! ```
//!
//! What is deliberately absent: whether an element was there before it was added or removed.

use std::{collections::BTreeSet, marker::PhantomData};

use super::Value;
use crate::checkers::linearizability::{
    grow_only_set,
    model::{Insight, Model, View},
};

/// A set that is empty at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetModel<E>(PhantomData<fn() -> E>);

impl<E> SetModel<E> {
    /// A set that is empty at first.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// What clients ask of a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOp<E> {
    /// Adds an element.
    Add(E),
    /// Removes an element.
    Remove(E),
    /// All elements.
    Read,
}

/// What a set answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetRet<E> {
    /// It was added or removed.
    Done,
    /// The elements.
    Elements(BTreeSet<E>),
}

/// What a read demands: exactly these elements; `None` for never: the answer is none that such an operation gives.
pub type SetFact<E> = Option<BTreeSet<E>>;

impl<E: Value> Model for SetModel<E> {
    type Op = SetOp<E>;
    type Ret = SetRet<E>;
    type State = BTreeSet<E>;
    type Key = ();
    type Fact = SetFact<E>;

    fn init(&self) -> BTreeSet<E> {
        BTreeSet::new()
    }

    fn step(&self, state: &BTreeSet<E>, op: &SetOp<E>, ret: Option<&SetRet<E>>) -> Option<BTreeSet<E>> {
        let mut next = state.clone();
        match (op, ret) {
            (SetOp::Add(element), None | Some(SetRet::Done)) => {
                next.insert(element.clone());
            }
            (SetOp::Remove(element), None | Some(SetRet::Done)) => {
                next.remove(element);
            }
            (SetOp::Read, Some(SetRet::Elements(elements))) if elements == state => {}
            (SetOp::Read, None) => {}
            _ => return None,
        }
        Some(next)
    }

    fn is_read(&self, op: &SetOp<E>, _: Option<&SetRet<E>>) -> bool {
        matches!(op, SetOp::Read)
    }

    fn insight(&self) -> Insight {
        Insight::Complete
    }

    fn demands(&self, op: &SetOp<E>, ret: Option<&SetRet<E>>) -> Vec<SetFact<E>> {
        match (op, ret) {
            (_, None) | (SetOp::Add(_) | SetOp::Remove(_), Some(SetRet::Done)) => Vec::new(),
            (SetOp::Read, Some(SetRet::Elements(elements))) => vec![Some(elements.clone())],
            _ => vec![None],
        }
    }

    fn holds(&self, state: &BTreeSet<E>, fact: &SetFact<E>) -> bool {
        fact.as_ref() == Some(state)
    }

    fn could_make(&self, op: &SetOp<E>, fact: &SetFact<E>) -> bool {
        match (op, fact) {
            (SetOp::Add(element), Some(elements)) => elements.contains(element),
            (SetOp::Remove(element), Some(elements)) => !elements.contains(element),
            _ => false,
        }
    }

    fn shortcut(&self, calls: &[View<'_, Self>]) -> Option<bool> {
        let (mut adds, mut reads) = (Vec::new(), Vec::new());
        for view in calls {
            match (view.op, view.ret) {
                (SetOp::Add(element), None | Some(SetRet::Done)) => adds.push((element, view.invoked, view.returned)),
                (SetOp::Read, Some(SetRet::Elements(elements))) => reads.push((elements, view.invoked, view.returned?)),
                _ => return None,
            }
        }
        grow_only_set::judge(&adds, reads)
    }

    fn state_bytes(&self, state: &BTreeSet<E>) -> usize {
        64 + state.len() * (size_of::<E>() + 8)
    }
}
