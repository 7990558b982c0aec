//! Accesses: reads and writes of keys, as calls of registers and stores tell them.
//!
//! A compare-and-set that took place is a *swap*: it read one value and wrote another. One that failed constrains nothing
//! here. One of unknown fate counts as a write of unknown fate, and what it read is not known; nor is it for one that may
//! have found its value or none.
//!
//! ```
//! use sim::checkers::linearizability::{Call, models::{KeyValueOp, KeyValueRet}};
//! use sim::checkers::sessions::{What, accesses_of_store};
//!
//! let swap = KeyValueOp::CompareAndSet { key: "x", from: 1, to: 2, create_if_not_exists: false };
//! let calls = [
//!     Call::returned(0, swap.clone(), KeyValueRet::Mismatch, 0, 1),
//!     Call::returned(0, swap, KeyValueRet::Done, 2, 3),
//! ];
//! let accesses = accesses_of_store(&calls).unwrap();
//! assert_eq!((accesses.len(), accesses[0].call), (1, 1));
//! assert_eq!(accesses[0].what, What::Swap { from: Some(1), to: 2 });
//! ```
//!
//! What is deliberately absent: deletion.

use crate::checkers::linearizability::{
    Call,
    models::{KeyValueOp, KeyValueRet, RegisterOp, RegisterRet, Value},
};

/// One access of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access<K, V> {
    /// The place of its call in the history.
    pub call: usize,
    /// Who made it.
    pub process: u64,
    /// Of which key.
    pub key: K,
    /// What it did.
    pub what: What<V>,
    /// When it was invoked.
    pub invoked: u64,
    /// When it returned; `None` if it is not known whether it took effect.
    pub returned: Option<u64>,
}

/// What an access did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What<V> {
    /// It read this value, or the beginning.
    Read(Option<V>),
    /// It wrote this value.
    Write(V),
    /// It read one value, or the beginning, and wrote another.
    Swap {
        /// What it read.
        from: Option<V>,
        /// What it wrote.
        to: V,
    },
}

impl<V> What<V> {
    /// What was written.
    pub fn written(&self) -> Option<&V> {
        match self {
            Self::Read(_) => None,
            Self::Write(value) | Self::Swap { to: value, .. } => Some(value),
        }
    }

    /// What was read; `None` within if that was the beginning.
    pub fn read(&self) -> Option<Option<&V>> {
        match self {
            Self::Write(_) => None,
            Self::Read(value) | Self::Swap { from: value, .. } => Some(value.as_ref()),
        }
    }
}

fn access<K, V, Op, Ret>(at: usize, call: &Call<Op, Ret>, key: K, what: What<V>) -> Access<K, V> {
    // Without an answer it is not known what was found, so that it counts as if it had not returned.
    let returned = call.returned.filter(|_| call.ret.is_some());
    Access { call: at, process: call.process, key, what, invoked: call.invoked, returned }
}

fn wrong<T>(at: usize) -> Result<T, String> {
    Err(format!("call {at} has an answer that no such operation gives"))
}

/// The accesses of a register with this value at first.
///
/// # Errors
///
/// If an answer is of another operation, the value at first is written again, or an empty register is read that was none.
pub fn accesses_of_register<V: Value>(
    init: Option<&V>,
    calls: &[Call<RegisterOp<V>, RegisterRet<V>>],
) -> Result<Vec<Access<(), V>>, String> {
    let mut accesses = Vec::new();
    let known = |value: &V| Some(value).filter(|value| Some(*value) != init).cloned();
    for (at, call) in calls.iter().enumerate() {
        let what = match (&call.op, call.answer()) {
            (RegisterOp::Read, None) | (RegisterOp::CompareAndSet { .. }, Some(RegisterRet::Swapped(false))) => {
                continue;
            }
            (RegisterOp::Read, Some(RegisterRet::Value(Some(value)))) => What::Read(known(value)),
            (RegisterOp::Read, Some(RegisterRet::Value(None))) if init.is_none() => What::Read(None),
            (RegisterOp::Read, Some(RegisterRet::Value(None))) => {
                return Err(format!("call {at} finds nothing in a register that is never empty"));
            }
            (RegisterOp::Write(value), None | Some(RegisterRet::Done)) => What::Write(value.clone()),
            (RegisterOp::CompareAndSet { to, .. }, None) => What::Write(to.clone()),
            (RegisterOp::CompareAndSet { from, to }, Some(RegisterRet::Swapped(true))) => {
                What::Swap { from: known(from), to: to.clone() }
            }
            _ => return wrong(at),
        };
        if what.written().is_some_and(|value| Some(value) == init) {
            return Err(format!("values are not unique: call {at} writes {init:?}, which was there at first"));
        }
        accesses.push(access(at, call, (), what));
    }
    Ok(accesses)
}

/// The accesses of a store that is empty at first.
///
/// # Errors
///
/// If an answer is of another operation.
pub fn accesses_of_store<K: Value, V: Value>(
    calls: &[Call<KeyValueOp<K, V>, KeyValueRet<V>>],
) -> Result<Vec<Access<K, V>>, String> {
    let mut writes: Vec<(&K, &V)> = calls
        .iter()
        .filter_map(|call| match &call.op {
            KeyValueOp::Write { key, value } | KeyValueOp::CompareAndSet { key, to: value, .. } => Some((key, value)),
            KeyValueOp::Read { .. } => None,
        })
        .collect();
    writes.sort_unstable();
    let mut accesses = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let (key, what) = match (&call.op, call.answer()) {
            (KeyValueOp::Read { .. }, None)
            | (KeyValueOp::CompareAndSet { .. }, Some(KeyValueRet::Mismatch))
            | (KeyValueOp::CompareAndSet { create_if_not_exists: false, .. }, Some(KeyValueRet::Missing)) => continue,
            (KeyValueOp::Read { key }, Some(KeyValueRet::Value(value))) => (key, What::Read(Some(value.clone()))),
            (KeyValueOp::Read { key }, Some(KeyValueRet::Missing)) => (key, What::Read(None)),
            (KeyValueOp::Write { key, value }, None | Some(KeyValueRet::Done)) => (key, What::Write(value.clone())),
            (KeyValueOp::CompareAndSet { key, to, .. }, None) => (key, What::Write(to.clone())),
            (KeyValueOp::CompareAndSet { key, from, to, create_if_not_exists }, Some(KeyValueRet::Done)) => {
                let (is_written, to) = (writes.binary_search(&(key, from)).is_ok(), to.clone());
                match (create_if_not_exists, is_written) {
                    (false, _) => (key, What::Swap { from: Some(from.clone()), to }),
                    (true, false) => (key, What::Swap { from: None, to }),
                    (true, true) => (key, What::Write(to)),
                }
            }
            _ => return wrong(at),
        };
        accesses.push(access(at, call, key.clone(), what));
    }
    Ok(accesses)
}
