//! The register with compare-and-set: one value, or none.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Limits, check, models::{Register, RegisterOp::*, RegisterRet::*}};
//!
//! let mut calls = vec![
//!     Call::returned(0, Write(1), Done, 0, 1),
//!     Call::returned(0, CompareAndSet { from: 1, to: 2 }, Swapped(true), 2, 4),
//!     Call::returned(1, Read, Value(Some(1)), 3, 6),
//! ];
//! assert!(check(&Register::default(), &calls, &Limits::default()).is_linearizable());
//! calls[2].invoked = 5;
//! assert!(!check(&Register::default(), &calls, &Limits::default()).is_linearizable());
//! ```
//!
//! What is deliberately absent: a write that returns the old value.

use super::Value;
use crate::checkers::linearizability::{
    model::{Insight, Model, View},
    zones::{self, Access},
};

/// A register with this value at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register<V> {
    /// The value at the beginning.
    pub init: Option<V>,
}

impl<V> Default for Register<V> {
    fn default() -> Self {
        Self { init: None }
    }
}

/// What clients ask of a register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegisterOp<V> {
    /// The value.
    Read,
    /// Replaces the value.
    Write(V),
    /// Replaces the value if it is `from`.
    CompareAndSet {
        /// What the value has to be.
        from: V,
        /// What it becomes.
        to: V,
    },
}

/// What a register answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegisterRet<V> {
    /// The value.
    Value(Option<V>),
    /// The write took place.
    Done,
    /// Was the value as expected?
    Swapped(bool),
}

/// What calls demand of the value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegisterFact<V> {
    /// It is this.
    Is(Option<V>),
    /// It is not this.
    IsNot(V),
    /// Never: the answer is none that such an operation gives.
    Never,
}

impl<V: Value> Model for Register<V> {
    type Op = RegisterOp<V>;
    type Ret = RegisterRet<V>;
    type State = Option<V>;
    type Key = ();
    type Fact = RegisterFact<V>;

    fn init(&self) -> Option<V> {
        self.init.clone()
    }

    fn step(&self, state: &Option<V>, op: &RegisterOp<V>, ret: Option<&RegisterRet<V>>) -> Option<Option<V>> {
        let right = |answer: RegisterRet<V>| ret.is_none_or(|ret| *ret == answer);
        match op {
            RegisterOp::Read => {
                let seen = |ret: &RegisterRet<V>| matches!(ret, RegisterRet::Value(value) if value == state);
                ret.is_none_or(seen).then(|| state.clone())
            }
            RegisterOp::Write(value) => right(RegisterRet::Done).then(|| Some(value.clone())),
            RegisterOp::CompareAndSet { from, to } => {
                let swaps = state.as_ref() == Some(from);
                right(RegisterRet::Swapped(swaps)).then(|| if swaps { Some(to.clone()) } else { state.clone() })
            }
        }
    }

    fn is_read(&self, op: &RegisterOp<V>, ret: Option<&RegisterRet<V>>) -> bool {
        matches!((op, ret), (RegisterOp::Read, _) | (_, Some(RegisterRet::Swapped(false))))
    }

    fn insight(&self) -> Insight {
        Insight::Deferrable
    }

    fn demands(&self, op: &RegisterOp<V>, ret: Option<&RegisterRet<V>>) -> Vec<RegisterFact<V>> {
        let fact = match (op, ret) {
            (RegisterOp::Read | RegisterOp::Write(_), None) | (RegisterOp::Write(_), Some(RegisterRet::Done)) => {
                return Vec::new();
            }
            (RegisterOp::Read, Some(RegisterRet::Value(value))) => RegisterFact::Is(value.clone()),
            (RegisterOp::CompareAndSet { from, .. }, None | Some(RegisterRet::Swapped(true))) => {
                RegisterFact::Is(Some(from.clone()))
            }
            (RegisterOp::CompareAndSet { from, .. }, Some(RegisterRet::Swapped(false))) => {
                RegisterFact::IsNot(from.clone())
            }
            _ => RegisterFact::Never,
        };
        vec![fact]
    }

    fn holds(&self, state: &Option<V>, fact: &RegisterFact<V>) -> bool {
        match fact {
            RegisterFact::Is(value) => value == state,
            RegisterFact::IsNot(value) => state.as_ref() != Some(value),
            RegisterFact::Never => false,
        }
    }

    fn could_make(&self, op: &RegisterOp<V>, fact: &RegisterFact<V>) -> bool {
        let (RegisterOp::Write(left) | RegisterOp::CompareAndSet { to: left, .. }) = op else { return false };
        match fact {
            RegisterFact::Is(value) => value.as_ref() == Some(left),
            RegisterFact::IsNot(value) => value != left,
            RegisterFact::Never => false,
        }
    }

    fn shortcut(&self, calls: &[View<'_, Self>]) -> Option<bool> {
        zones::judge(
            &self.init,
            calls.iter().map(|view| {
                let access = match (view.op, view.ret) {
                    (RegisterOp::Read, Some(RegisterRet::Value(value))) => Access::Read(value.clone()),
                    (RegisterOp::Write(value), None | Some(RegisterRet::Done)) => Access::Write(Some(value.clone())),
                    _ => return None,
                };
                Some((access, view.invoked, view.returned))
            }),
        )
    }

    fn show(&self, op: &RegisterOp<V>, ret: Option<&RegisterRet<V>>) -> String {
        let said = match ret {
            Some(RegisterRet::Value(Some(value))) => format!(" -> {value:?}"),
            Some(RegisterRet::Value(None)) => " -> nothing".to_owned(),
            Some(RegisterRet::Swapped(swapped)) => format!(" -> {swapped}"),
            Some(RegisterRet::Done) => String::new(),
            None => " -> ?".to_owned(),
        };
        match op {
            RegisterOp::Read => format!("read{said}"),
            RegisterOp::Write(value) => format!("write {value:?}{said}"),
            RegisterOp::CompareAndSet { from, to } => format!("cas {from:?} {to:?}{said}"),
        }
    }
}
