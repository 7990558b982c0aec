//! The bounded counter: additions, subtractions that never take more than there is, and reads of the value.
//!
//! Invariant: the value is never below zero. Rights to subtract belong to replicas, and are passed on between them; who
//! holds them changes nothing that a client can read.
//!
//! ```
//! use crdts::{Object, ReplicaId, objects::bounded_counter::{Bounded, BoundedOp, BoundedRet}};
//!
//! let mut value = 0;
//! assert_eq!(Bounded::step(&mut value, &BoundedOp::Increment(5)), BoundedRet::Done);
//! assert_eq!(Bounded::step(&mut value, &BoundedOp::Decrement(6)), BoundedRet::Insufficient);
//! assert_eq!(Bounded::step(&mut value, &BoundedOp::Decrement(2)), BoundedRet::Done);
//! assert_eq!(Bounded::step(&mut value, &BoundedOp::Transfer { to: ReplicaId(2), amount: 3 }), BoundedRet::Done);
//! assert_eq!(value, 3);
//! ```
//!
//! What is deliberately absent: another bound than zero, which is a matter of where one counts from, and an upper bound, which
//! is the lower bound of what is still free.

use crate::{clock::ReplicaId, object::Object};

/// The bounded counter object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounded;

/// What clients ask of a bounded counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoundedOp {
    /// Adds an amount. The replica gains the rights to subtract it again.
    Increment(u64),
    /// Subtracts an amount, if that leaves at least zero.
    Decrement(u64),
    /// Passes rights to subtract on to another replica. The value stays as it is.
    Transfer {
        /// Who gets them.
        to: ReplicaId,
        /// How many units.
        amount: u64,
    },
    /// Asks for the value.
    Read,
}

/// What a bounded counter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoundedRet {
    /// The operation took place.
    Done,
    /// There is less than what was to be subtracted or passed on; nothing happened.
    Insufficient,
    /// The value.
    Value(i128),
}

impl Object for Bounded {
    type Op = BoundedOp;
    type Ret = BoundedRet;
    type State = i128;

    const NAME: &'static str = "bounded-counter";

    fn step(value: &mut i128, op: &BoundedOp) -> BoundedRet {
        match *op {
            BoundedOp::Increment(amount) => {
                // 2^63 additions of the largest amount stay below 2^127: the sum is exact in any run that can end.
                *value += i128::from(amount);
                BoundedRet::Done
            }
            BoundedOp::Decrement(amount) if i128::from(amount) > *value => BoundedRet::Insufficient,
            BoundedOp::Transfer { amount, .. } if i128::from(amount) > *value => BoundedRet::Insufficient,
            BoundedOp::Decrement(amount) => {
                *value -= i128::from(amount);
                BoundedRet::Done
            }
            BoundedOp::Transfer { .. } => BoundedRet::Done,
            BoundedOp::Read => BoundedRet::Value(*value),
        }
    }

    fn is_update(op: &BoundedOp) -> bool {
        !matches!(op, BoundedOp::Read)
    }

    fn read() -> BoundedOp {
        BoundedOp::Read
    }

    fn op_name(op: &BoundedOp) -> &'static str {
        match op {
            BoundedOp::Increment(_) => "increment",
            BoundedOp::Decrement(_) => "decrement",
            BoundedOp::Transfer { .. } => "transfer",
            BoundedOp::Read => "read",
        }
    }
}
