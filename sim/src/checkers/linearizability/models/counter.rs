//! The counter: additions, and reads of the total.
//!
//! ```
//! use crdts::objects::counter::{CounterOp::*, CounterRet::*};
//! use sim::checkers::linearizability::{Call, Limits, check, models::CounterModel};
//!
//! let mut calls = vec![
//!     Call::returned(0, Add(1), Added, 0, 10),
//!     Call::returned(1, Add(1), Added, 4, 5),
//!     Call::returned(2, Read, Total(1), 2, 3),
//!     Call::returned(2, Read, Total(1), 6, 8),
//! ];
//! assert!(!check(&CounterModel::new(), &calls, &Limits::default()).is_linearizable());
//! calls[3].ret = Some(Total(2));
//! assert!(check(&CounterModel::new(), &calls, &Limits::default()).is_linearizable());
//! ```
//!
//! What is deliberately absent: an addition that returns the total.

use crdts::objects::counter::{CounterOp, CounterRet};

use crate::checkers::linearizability::{
    equal_additions::{self, Sound},
    model::{Model, View},
};

/// A counter that is zero at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CounterModel;

impl CounterModel {
    /// A counter that is zero at first.
    pub fn new() -> Self {
        Self
    }
}

/// What a read demands: the total is at most this. Once it is more, only a negative amount can help.
pub type AtMost = i128;

impl Model for CounterModel {
    type Op = CounterOp;
    type Ret = CounterRet;
    type State = i128;
    type Key = ();
    type Fact = AtMost;

    fn init(&self) -> i128 {
        0
    }

    fn step(&self, total: &i128, op: &CounterOp, ret: Option<&CounterRet>) -> Option<i128> {
        match (op, ret) {
            (CounterOp::Add(amount), None | Some(CounterRet::Added)) => Some(total + i128::from(*amount)),
            (CounterOp::Read, None) => Some(*total),
            (CounterOp::Read, Some(CounterRet::Total(read))) if read == total => Some(*total),
            _ => None,
        }
    }

    fn is_read(&self, op: &CounterOp, _: Option<&CounterRet>) -> bool {
        matches!(op, CounterOp::Read)
    }

    fn demands(&self, op: &CounterOp, ret: Option<&CounterRet>) -> Vec<AtMost> {
        match (op, ret) {
            (CounterOp::Read, Some(CounterRet::Total(total))) => vec![*total],
            _ => Vec::new(),
        }
    }

    fn holds(&self, total: &i128, most: &AtMost) -> bool {
        total <= most
    }

    fn could_make(&self, op: &CounterOp, _: &AtMost) -> bool {
        matches!(op, CounterOp::Add(..0))
    }

    fn shortcut(&self, calls: &[View<'_, Self>]) -> Option<bool> {
        let (mut adds, mut reads) = (Vec::new(), Vec::new());
        for view in calls {
            match (view.op, view.ret) {
                (CounterOp::Add(amount), None | Some(CounterRet::Added)) => {
                    adds.push((*amount, view.invoked, view.returned));
                }
                (CounterOp::Read, Some(CounterRet::Total(total))) => reads.push((*total, view.invoked, view.returned?)),
                _ => return None,
            }
        }
        equal_additions::judge::<Sound>(&adds, &reads)
    }
}
