//! The counter, judged fast where only ones are added.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Limits, check, models::{CounterModel, CounterOp, CounterRet}};
//!
//! let calls = [
//!     Call::returned(0, CounterOp::Add(2), CounterRet::Added, 0, 9),
//!     Call::returned(1, CounterOp::Read, CounterRet::Total(2), 1, 2),
//!     Call::returned(1, CounterOp::Read, CounterRet::Total(0), 3, 4),
//! ];
//! assert!(!check(&CounterModel, &calls, &Limits::default()).is_linearizable(), "it went back");
//! ```
//!
//! What is deliberately absent: a shortcut for other amounts. Which additions make up a total is then a question of sums of
//! subsets, which is NP-complete.

pub use crdts::objects::counter::{CounterOp, CounterRet};
use crdts::{object::Object, objects::counter::Counter};

use crate::checkers::linearizability::{
    grow_only,
    model::{Model, View},
};

/// A counter that is 0 at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CounterModel;

impl Model for CounterModel {
    type Op = CounterOp;
    type Ret = CounterRet;
    type State = i128;
    type Key = ();
    type Fact = ();

    fn init(&self) -> i128 {
        0
    }

    fn step(&self, total: &i128, op: &CounterOp, ret: Option<&CounterRet>) -> Option<i128> {
        let mut next = *total;
        let answer = Counter::step(&mut next, op);
        ret.is_none_or(|ret| *ret == answer).then_some(next)
    }

    fn is_read(&self, op: &CounterOp, _: Option<&CounterRet>) -> bool {
        matches!(op, CounterOp::Read | CounterOp::Add(0))
    }

    fn shortcut(&self, calls: &[View<'_, Self>]) -> Option<bool> {
        let (mut adds, mut reads) = (Vec::new(), Vec::new());
        for view in calls {
            match (view.op, view.ret) {
                (CounterOp::Add(1), None | Some(CounterRet::Added)) => adds.push((view.invoked, view.returned)),
                (CounterOp::Read, Some(CounterRet::Total(total))) => {
                    reads.push((*total, view.invoked, view.returned?));
                }
                _ => return None,
            }
        }
        Some(grow_only::counter(adds, reads))
    }
}
