//! The ledger: what was added to a counter and what was read, and nothing else.
//!
//! Histories of runs and calls recorded anywhere both become a ledger, and checkers see only that.
//!
//! Invariant: additions and reads stand in the order in which they were recorded, and carry their place there. A read that
//! did not return is left out, for it says nothing.
//!
//! ```
//! use crdts::objects::counter::{CounterOp, CounterRet};
//! use sim::checkers::{counter::{Fate, Ledger}, linearizability::Call};
//!
//! let calls = [
//!     Call::returned(0, CounterOp::Add(3), CounterRet::Added, 0, 1),
//!     Call::indeterminate(1, CounterOp::Add(4), 2),
//!     Call::returned(0, CounterOp::Read, CounterRet::Total(3), 3, 4),
//! ];
//! let ledger = Ledger::from(&calls[..]);
//! assert_eq!(ledger.additions[0].fate, Fate::Acknowledged(1));
//! assert_eq!((ledger.reads[0].total, ledger.reads[0].call), (Some(3), 2));
//! ```
//!
//! What is deliberately absent: sums.

use crdts::objects::counter::{Counter, CounterOp, CounterRet};

use crate::{
    checkers::linearizability::Call,
    history::{History, Operation, Outcome},
};

/// The additions and the reads of a counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What was added, or may have been.
    pub additions: Vec<Addition>,
    /// What was read.
    pub reads: Vec<Read>,
}

/// An addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Its place in the history.
    pub call: usize,
    /// What is added; it may be negative.
    pub amount: i64,
    /// When it was invoked.
    pub invoked: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What is known of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was acknowledged at this time.
    Acknowledged(u64),
    /// It may have taken effect, or still do so, or not.
    Indeterminate,
    /// It did not and will not take effect.
    Failed,
}

/// A read that returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Its place in the history.
    pub call: usize,
    /// Who read.
    pub process: u64,
    /// The number of the replica that was asked, from 0, if it is known.
    pub replica: Option<u32>,
    /// What was returned; `None` if it was no total.
    pub total: Option<i128>,
    /// When it was invoked.
    pub invoked: u64,
    /// When it returned.
    pub returned: u64,
    /// Is it one of the reads after the quiet period at the end?
    pub is_final: bool,
}

impl Ledger {
    /// The first operation that ends before it begins, if there is one: its times mean nothing.
    pub(super) fn backward(&self) -> Option<usize> {
        let addition = |addition: &Addition| match addition.fate {
            Fate::Acknowledged(returned) => (returned < addition.invoked).then_some(addition.call),
            Fate::Indeterminate | Fate::Failed => None,
        };
        let read = |read: &Read| (read.returned < read.invoked).then_some(read.call);
        self.additions.iter().find_map(addition).or_else(|| self.reads.iter().find_map(read))
    }
}

impl Addition {
    /// The addition that an operation of a run is, if it is one.
    pub(super) fn of(operation: &Operation<Counter>) -> Option<Self> {
        let CounterOp::Add(amount) = operation.op else { return None };
        let fate = match (&operation.outcome, operation.ended_ns) {
            (Outcome::Ok(_), Some(ended)) => Fate::Acknowledged(ended),
            (Outcome::Fail(_), _) => Fate::Failed,
            _ => Fate::Indeterminate,
        };
        Some(Self { call: operation.id as usize, amount, invoked: operation.invoked_ns, fate })
    }
}

impl Read {
    /// The read that an operation of a run is, if it is one and returned.
    pub(super) fn of(operation: &Operation<Counter>) -> Option<Self> {
        let (CounterOp::Read, Outcome::Ok(ret), Some(returned)) =
            (operation.op, &operation.outcome, operation.ended_ns)
        else {
            return None;
        };
        Some(Self {
            call: operation.id as usize,
            process: operation.process,
            replica: Some(operation.replica),
            total: total(*ret),
            invoked: operation.invoked_ns,
            returned,
            is_final: operation.is_final,
        })
    }
}

fn total(ret: CounterRet) -> Option<i128> {
    match ret {
        CounterRet::Total(total) => Some(total),
        CounterRet::Added => None,
    }
}

impl From<&History<Counter>> for Ledger {
    fn from(history: &History<Counter>) -> Self {
        Self {
            additions: history.updates().filter_map(Addition::of).collect(),
            reads: history.reads().filter_map(Read::of).collect(),
        }
    }
}

impl From<&[Call<CounterOp, CounterRet>]> for Ledger {
    /// Calls do not tell which reads are final; whoever knows marks them.
    fn from(calls: &[Call<CounterOp, CounterRet>]) -> Self {
        let mut ledger = Self::default();
        for (at, call) in calls.iter().enumerate() {
            match (call.op, call.returned, call.ret) {
                (CounterOp::Add(amount), returned, _) => ledger.additions.push(Addition {
                    call: at,
                    amount,
                    invoked: call.invoked,
                    fate: returned.map_or(Fate::Indeterminate, Fate::Acknowledged),
                }),
                (CounterOp::Read, Some(returned), Some(ret)) => ledger.reads.push(Read {
                    call: at,
                    process: call.process,
                    replica: None,
                    total: total(ret),
                    invoked: call.invoked,
                    returned,
                    is_final: false,
                }),
                (CounterOp::Read, _, _) => {}
            }
        }
        ledger
    }
}
