//! The counter: additions and reads of the total.
//!
//! Invariant: the total is the exact sum of all additions, which commute.
//!
//! ```
//! use crdts::{Object, objects::counter::{Counter, CounterOp, CounterRet}};
//!
//! let mut total = 40;
//! assert_eq!(Counter::step(&mut total, &CounterOp::Add(2)), CounterRet::Added);
//! assert_eq!(Counter::step(&mut total, &CounterOp::Read), CounterRet::Total(42));
//! assert!(!Counter::is_update(&CounterOp::Read));
//! ```
//!
//! What is deliberately absent: a lower or upper bound, and an addition that returns the total.

use crate::object::Object;

/// The counter object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter;

/// What clients ask of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterOp {
    /// Adds a (possibly negative) amount.
    Add(i64),
    /// Asks for the total.
    Read,
}

/// What a counter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterRet {
    /// The addition took place.
    Added,
    /// The total.
    Total(i128),
}

impl Object for Counter {
    type Op = CounterOp;
    type Ret = CounterRet;
    type State = i128;

    const NAME: &'static str = "counter";
    const COMMUTES: bool = true;

    fn step(total: &mut i128, op: &CounterOp) -> CounterRet {
        match op {
            CounterOp::Add(amount) => {
                // 2^63 additions of the largest amount stay below 2^127, so the sum is exact in any run that can end.
                *total += i128::from(*amount);
                CounterRet::Added
            }
            CounterOp::Read => CounterRet::Total(*total),
        }
    }

    fn is_update(op: &CounterOp) -> bool {
        matches!(op, CounterOp::Add(_))
    }

    fn read() -> CounterOp {
        CounterOp::Read
    }

    fn op_name(op: &CounterOp) -> &'static str {
        match op {
            CounterOp::Add(_) => "add",
            CounterOp::Read => "read",
        }
    }
}
