//! Calls: what a client asked for, when, and what it was told.
//!
//! Invariant: a call that has returned took effect at one instant between its invocation and its return. A call that has
//! not is *indeterminate*: it took effect once at any instant from its invocation on, or never. A call that is known to
//! have failed had no effect, and is left out.
//!
//! Intervals are closed: of two calls, one precedes the other only if it returned *strictly before* the other was invoked.
//! A return and an invocation at the same instant are concurrent, so that coarse clocks can hide a violation but never
//! invent one. Recorders that know the order of their events can use positions as times.
//!
//! ```
//! use crdts::objects::counter::{Counter, CounterOp, CounterRet};
//! use sim::{checkers::linearizability::{Call, calls_of}, history::{History, Outcome}};
//!
//! let mut history = History::<Counter>::new(1);
//! for (at, outcome) in [(0, Outcome::Ok(CounterRet::Added)), (2, Outcome::Fail("down")), (4, Outcome::Info("timeout"))] {
//!     let id = history.invoke(0, 0, CounterOp::Add(1), at);
//!     history.complete(id, at + 1, outcome);
//! }
//! let add = CounterOp::Add(1);
//! assert_eq!(calls_of(&history), [Call::returned(0, add, CounterRet::Added, 0, 1), Call::indeterminate(0, add, 4)]);
//! ```
//!
//! What is deliberately absent: replicas and reasons. A judge must not be swayed by who answered.

use crdts::object::Object;

use crate::history::{History, Outcome};

/// One call of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<Op, Ret> {
    /// Who called. Only witnesses show it: the order of a process follows from its times.
    pub process: u64,
    /// What was asked for.
    pub op: Op,
    /// The answer; `None` if it is not known. Ignored when the call has not returned.
    pub ret: Option<Ret>,
    /// When it was invoked.
    pub invoked: u64,
    /// When it returned; `None` if it is indeterminate.
    pub returned: Option<u64>,
}

impl<Op, Ret> Call<Op, Ret> {
    /// A call that returned this answer.
    pub fn returned(process: u64, op: Op, ret: Ret, invoked: u64, returned: u64) -> Self {
        Self { process, op, ret: Some(ret), invoked, returned: Some(returned) }
    }

    /// A call of unknown fate.
    pub fn indeterminate(process: u64, op: Op, invoked: u64) -> Self {
        Self { process, op, ret: None, invoked, returned: None }
    }

    /// The answer, if the call has returned and it is known.
    pub fn answer(&self) -> Option<&Ret> {
        self.ret.as_ref().filter(|_| self.returned.is_some())
    }
}

/// The calls of a recorded history: those that returned, and those of unknown fate.
pub fn calls_of<O: Object>(history: &History<O>) -> Vec<Call<O::Op, O::Ret>> {
    let call = |operation: &crate::history::Operation<O>| {
        let (process, op, invoked) = (operation.process, operation.op.clone(), operation.invoked_ns);
        match (&operation.outcome, operation.ended_ns) {
            (Outcome::Fail(_), _) => None,
            (Outcome::Ok(ret), Some(ended)) => Some(Call::returned(process, op, ret.clone(), invoked, ended)),
            (Outcome::Ok(_) | Outcome::Info(_) | Outcome::Pending, _) => {
                Some(Call::indeterminate(process, op, invoked))
            }
        }
    };
    history.operations().iter().filter_map(call).collect()
}
