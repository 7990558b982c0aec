//! Objects: sequential specifications of what clients see.
//!
//! An [`Object`] says what operations mean when they happen one after the other. Workloads generate its operations,
//! protocols answer with its returns, checkers judge histories against it. It says nothing about replicas.
//!
//! The one rule is that [`Object::step`] is a total, deterministic function of state and operation.
//!
//! ```
//! use crdts::{Object, objects::counter::{Counter, CounterOp, CounterRet}};
//!
//! let mut total = 0;
//! Counter::step(&mut total, &CounterOp::Add(-3));
//! assert_eq!(Counter::step(&mut total, &CounterOp::Read), CounterRet::Total(-3));
//! ```
//!
//! What is deliberately absent: concurrency, time and failure.

use std::{fmt::Debug, hash::Hash};

/// A sequential specification.
pub trait Object: Clone + Copy + Debug + Default + Send + Sync + 'static {
    /// An operation with its arguments.
    type Op: Clone + Debug + PartialEq + Eq + Hash + Send + Sync;
    /// What the operation returns to the client.
    type Ret: Clone + Debug + PartialEq + Eq + Hash + Send + Sync;
    /// The abstract state.
    type State: Clone + Debug + PartialEq + Eq + Hash + Default + Send + Sync;

    /// The name in scenarios and reports, for example `counter`.
    const NAME: &'static str;

    /// Do all updates commute, so that the state does not depend on their order?
    const COMMUTES: bool = false;

    /// Does an update replace the whole state, so that nothing is left of what was there?
    const REPLACES: bool = false;

    /// Performs `op` on `state` and returns what the client sees.
    fn step(state: &mut Self::State, op: &Self::Op) -> Self::Ret;

    /// Can this operation change the state? Operations for which this is false are reads.
    fn is_update(op: &Self::Op) -> bool;

    /// The read whose return shows the whole observable state.
    fn read() -> Self::Op;

    /// The operation's name in reports and histories, for example `add`.
    fn op_name(op: &Self::Op) -> &'static str;
}
