//! The lock: free at first, held by whoever acquired it last.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Limits, check, models::{Mutex, MutexOp, MutexRet}};
//!
//! let both = [
//!     Call::returned(0, MutexOp::Acquire, MutexRet::Done, 0, 5),
//!     Call::returned(1, MutexOp::Acquire, MutexRet::Done, 2, 6),
//! ];
//! assert!(!check(&Mutex, &both, &Limits::default()).is_linearizable());
//! ```
//!
//! What is deliberately absent: owners. A release by somebody else is right as long as the lock is held.

use crate::checkers::linearizability::model::{Insight, Model};

/// A lock that is free at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mutex;

/// What clients ask of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MutexOp {
    /// Takes it.
    Acquire,
    /// Gives it back.
    Release,
}

/// What a lock answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MutexRet {
    /// It was free and is held, or the other way round.
    Done,
    /// It was held already, or free already, and stays so.
    Refused,
}

impl Model for Mutex {
    type Op = MutexOp;
    type Ret = MutexRet;
    /// Is it held?
    type State = bool;
    type Key = ();
    /// It is held, or it is not.
    type Fact = bool;

    fn init(&self) -> bool {
        false
    }

    fn step(&self, held: &bool, op: &MutexOp, ret: Option<&MutexRet>) -> Option<bool> {
        let after = *op == MutexOp::Acquire;
        let answer = if after == *held { MutexRet::Refused } else { MutexRet::Done };
        ret.is_none_or(|ret| *ret == answer).then_some(after)
    }

    fn is_read(&self, _: &MutexOp, ret: Option<&MutexRet>) -> bool {
        ret == Some(&MutexRet::Refused)
    }

    fn insight(&self) -> Insight {
        Insight::Deferrable
    }

    fn demands(&self, op: &MutexOp, ret: Option<&MutexRet>) -> Vec<bool> {
        vec![(*op == MutexOp::Release) == (ret != Some(&MutexRet::Refused))]
    }

    fn holds(&self, held: &bool, fact: &bool) -> bool {
        held == fact
    }

    fn could_make(&self, op: &MutexOp, fact: &bool) -> bool {
        (*op == MutexOp::Acquire) == *fact
    }
}
