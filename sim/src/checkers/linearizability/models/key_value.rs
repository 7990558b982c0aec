//! The key-value store of `lin-kv` and its like: read, write and compare-and-set, each of one key.
//!
//! Keys are independent, so every key's calls are judged apart.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Limits, check, models::{KeyValue, KeyValueOp, KeyValueRet}};
//!
//! let create = KeyValueOp::CompareAndSet { key: "a", from: 0, to: 1, create_if_not_exists: true };
//! let mut calls = vec![
//!     Call::returned(0, create, KeyValueRet::Done, 0, 1),
//!     Call::returned(1, KeyValueOp::Read { key: "a" }, KeyValueRet::Value(1), 2, 3),
//!     Call::returned(1, KeyValueOp::Read { key: "b" }, KeyValueRet::Missing, 4, 5),
//! ];
//! assert!(check(&KeyValue::new(), &calls, &Limits::default()).is_linearizable());
//! calls[1].ret = Some(KeyValueRet::Missing);
//! assert!(!check(&KeyValue::new(), &calls, &Limits::default()).is_linearizable());
//! ```
//!
//! What is deliberately absent: deletion, and operations on several keys.

use std::{collections::BTreeMap, marker::PhantomData};

use super::Value;
use crate::checkers::linearizability::{
    model::{Insight, Model, Touches, View},
    zones::{self, Access},
};

/// An empty store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyValue<K, V>(PhantomData<fn() -> (K, V)>);

impl<K, V> KeyValue<K, V> {
    /// An empty store.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// What clients ask of a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyValueOp<K, V> {
    /// The value of a key.
    Read {
        /// Of which.
        key: K,
    },
    /// Replaces or creates the value of a key.
    Write {
        /// Of which.
        key: K,
        /// What it becomes.
        value: V,
    },
    /// Replaces the value of a key if it is `from`.
    CompareAndSet {
        /// Of which.
        key: K,
        /// What it has to be.
        from: V,
        /// What it becomes.
        to: V,
        /// Write `to` as well if the key has no value.
        create_if_not_exists: bool,
    },
}

impl<K, V> KeyValueOp<K, V> {
    fn key(&self) -> &K {
        match self {
            Self::Read { key } | Self::Write { key, .. } | Self::CompareAndSet { key, .. } => key,
        }
    }
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyValueRet<V> {
    /// The value.
    Value(V),
    /// It was written.
    Done,
    /// The key has no value.
    Missing,
    /// The key has another value.
    Mismatch,
}

/// What calls demand of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyValueFact<K, V> {
    /// Its value is this, or there is none.
    Is(K, Option<V>),
    /// Its value is this or there is none, either will do.
    IsOrMissing(K, V),
    /// It has another value than this.
    IsOther(K, V),
    /// Never: the answer is none that such an operation gives.
    Never,
}

impl<K: Value, V: Value> Model for KeyValue<K, V> {
    type Op = KeyValueOp<K, V>;
    type Ret = KeyValueRet<V>;
    type State = BTreeMap<K, V>;
    type Key = K;
    type Fact = KeyValueFact<K, V>;

    fn init(&self) -> BTreeMap<K, V> {
        BTreeMap::new()
    }

    fn step(&self, state: &Self::State, op: &Self::Op, ret: Option<&KeyValueRet<V>>) -> Option<Self::State> {
        let found = state.get(op.key());
        let (answer, written) = match (op, found) {
            (KeyValueOp::Read { .. }, Some(value)) => (KeyValueRet::Value(value.clone()), None),
            (KeyValueOp::Write { value, .. }, _) => (KeyValueRet::Done, Some(value)),
            (KeyValueOp::CompareAndSet { from, to, .. }, Some(value)) if value == from => (KeyValueRet::Done, Some(to)),
            (KeyValueOp::CompareAndSet { .. }, Some(_)) => (KeyValueRet::Mismatch, None),
            (KeyValueOp::CompareAndSet { to, create_if_not_exists: true, .. }, None) => (KeyValueRet::Done, Some(to)),
            (KeyValueOp::Read { .. } | KeyValueOp::CompareAndSet { .. }, None) => (KeyValueRet::Missing, None),
        };
        if ret.is_some_and(|ret| *ret != answer) {
            return None;
        }
        let mut next = state.clone();
        if let Some(value) = written {
            next.insert(op.key().clone(), value.clone());
        }
        Some(next)
    }

    fn is_read(&self, op: &Self::Op, ret: Option<&KeyValueRet<V>>) -> bool {
        matches!(op, KeyValueOp::Read { .. }) || matches!(ret, Some(KeyValueRet::Missing | KeyValueRet::Mismatch))
    }

    fn touches(&self, op: &Self::Op) -> Touches<K> {
        Touches::Keys(vec![op.key().clone()])
    }

    fn insight(&self) -> Insight {
        Insight::Deferrable
    }

    fn demands(&self, op: &Self::Op, ret: Option<&KeyValueRet<V>>) -> Vec<Self::Fact> {
        let key = op.key().clone();
        let fact = match (op, ret) {
            (KeyValueOp::Read { .. }, None) | (KeyValueOp::Write { .. }, None | Some(KeyValueRet::Done)) => {
                return Vec::new();
            }
            (KeyValueOp::Read { .. }, Some(KeyValueRet::Value(value))) => KeyValueFact::Is(key, Some(value.clone())),
            (
                KeyValueOp::Read { .. } | KeyValueOp::CompareAndSet { create_if_not_exists: false, .. },
                Some(KeyValueRet::Missing),
            ) => KeyValueFact::Is(key, None),
            (KeyValueOp::CompareAndSet { from, create_if_not_exists, .. }, None | Some(KeyValueRet::Done)) => {
                if *create_if_not_exists {
                    KeyValueFact::IsOrMissing(key, from.clone())
                } else {
                    KeyValueFact::Is(key, Some(from.clone()))
                }
            }
            (KeyValueOp::CompareAndSet { from, .. }, Some(KeyValueRet::Mismatch)) => {
                KeyValueFact::IsOther(key, from.clone())
            }
            _ => KeyValueFact::Never,
        };
        vec![fact]
    }

    fn holds(&self, state: &Self::State, fact: &Self::Fact) -> bool {
        match fact {
            KeyValueFact::Is(key, value) => state.get(key) == value.as_ref(),
            KeyValueFact::IsOrMissing(key, value) => state.get(key).is_none_or(|found| found == value),
            KeyValueFact::IsOther(key, value) => state.get(key).is_some_and(|found| found != value),
            KeyValueFact::Never => false,
        }
    }

    fn could_make(&self, op: &Self::Op, fact: &Self::Fact) -> bool {
        let (KeyValueOp::Write { key, value: left } | KeyValueOp::CompareAndSet { key, to: left, .. }) = op else {
            return false;
        };
        match fact {
            KeyValueFact::Is(of, value) => of == key && value.as_ref() == Some(left),
            KeyValueFact::IsOrMissing(of, value) => of == key && value == left,
            KeyValueFact::IsOther(of, value) => of == key && value != left,
            KeyValueFact::Never => false,
        }
    }

    fn shortcut(&self, calls: &[View<'_, Self>]) -> Option<bool> {
        let key = calls.first()?.op.key();
        zones::judge(
            &None,
            calls.iter().map(|view| {
                let access = match (view.op, view.ret) {
                    (op, _) if op.key() != key => return None,
                    (KeyValueOp::Read { .. }, Some(KeyValueRet::Value(value))) => Access::Read(Some(value)),
                    (KeyValueOp::Read { .. }, Some(KeyValueRet::Missing)) => Access::Read(None),
                    (KeyValueOp::Write { value, .. }, None | Some(KeyValueRet::Done)) => Access::Write(Some(value)),
                    _ => return None,
                };
                Some((access, view.invoked, view.returned))
            }),
        )
    }

    fn state_bytes(&self, state: &Self::State) -> usize {
        64 + state.len() * (size_of::<K>() + size_of::<V>())
    }
}
