//! The resettable counter: additions, and a return to zero.
//!
//! Invariant: the total is the exact sum of all additions since the last reset.
//!
//! ```
//! use crdts::{Object, objects::resettable_counter::{ResetCounter, ResetCounterOp, ResetCounterRet}};
//!
//! let mut total = 40;
//! assert_eq!(ResetCounter::step(&mut total, &ResetCounterOp::Reset), ResetCounterRet::Reset);
//! assert_eq!(ResetCounter::step(&mut total, &ResetCounterOp::Add(-2)), ResetCounterRet::Added);
//! assert_eq!(ResetCounter::step(&mut total, &ResetCounterOp::Read), ResetCounterRet::Total(-2));
//! ```
//!
//! What is deliberately absent: a reset to anything but zero. That is a reset and an addition.

use crate::object::Object;

/// The resettable counter object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResetCounter;

/// What clients ask of a resettable counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResetCounterOp {
    /// Adds a (possibly negative) amount.
    Add(i64),
    /// Sets the total to zero.
    Reset,
    /// Asks for the total.
    Read,
}

/// What a resettable counter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResetCounterRet {
    /// The addition took place.
    Added,
    /// The total is zero.
    Reset,
    /// The total.
    Total(i128),
}

impl Object for ResetCounter {
    type Op = ResetCounterOp;
    type Ret = ResetCounterRet;
    type State = i128;

    const NAME: &'static str = "resettable-counter";

    fn step(total: &mut i128, op: &ResetCounterOp) -> ResetCounterRet {
        match op {
            ResetCounterOp::Add(amount) => {
                // 2^63 additions of the largest amount stay below 2^127, so the sum is exact in any run that can end.
                *total += i128::from(*amount);
                ResetCounterRet::Added
            }
            ResetCounterOp::Reset => {
                *total = 0;
                ResetCounterRet::Reset
            }
            ResetCounterOp::Read => ResetCounterRet::Total(*total),
        }
    }

    fn is_update(op: &ResetCounterOp) -> bool {
        !matches!(op, ResetCounterOp::Read)
    }

    fn read() -> ResetCounterOp {
        ResetCounterOp::Read
    }

    fn op_name(op: &ResetCounterOp) -> &'static str {
        match op {
            ResetCounterOp::Add(_) => "add",
            ResetCounterOp::Reset => "reset",
            ResetCounterOp::Read => "read",
        }
    }
}
