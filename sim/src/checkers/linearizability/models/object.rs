//! Any object of the `crdts` library, by its own `step`.
//!
//! ```
//! use crdts::objects::counter::{Counter, CounterOp, CounterRet};
//! use sim::checkers::linearizability::{Call, Limits, check, models::ObjectModel};
//!
//! let calls = [
//!     Call::returned(0, CounterOp::Add(2), CounterRet::Added, 0, 1),
//!     Call::returned(1, CounterOp::Read, CounterRet::Total(0), 2, 3),
//! ];
//! assert!(!check(&ObjectModel::<Counter>::new(), &calls, &Limits::default()).is_linearizable());
//! ```
//!
//! What is deliberately absent: knowledge. An object says what its operations do, and nothing that would help a search.

use std::marker::PhantomData;

use crdts::object::Object;

use crate::checkers::linearizability::model::Model;

/// The object `O`, from its default state on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectModel<O>(PhantomData<fn() -> O>);

impl<O> ObjectModel<O> {
    /// The object `O`, from its default state on.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<O: Object> Model for ObjectModel<O> {
    type Op = O::Op;
    type Ret = O::Ret;
    type State = O::State;
    type Key = ();
    type Fact = ();

    fn init(&self) -> O::State {
        O::State::default()
    }

    fn step(&self, state: &O::State, op: &O::Op, ret: Option<&O::Ret>) -> Option<O::State> {
        let mut next = state.clone();
        let answer = O::step(&mut next, op);
        ret.is_none_or(|ret| *ret == answer).then_some(next)
    }

    fn is_read(&self, op: &O::Op, _: Option<&O::Ret>) -> bool {
        !O::is_update(op)
    }
}
