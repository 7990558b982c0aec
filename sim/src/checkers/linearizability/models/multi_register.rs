//! Several registers, read and written together in one atomic operation.
//!
//! Registers that no operation joins, directly or through others, are judged apart.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Limits, check, models::{MultiOp, MultiRegister, MultiRet}};
//!
//! let both = |a, b| MultiRet::Values([("a", a), ("b", b)].into());
//! let calls = [
//!     Call::returned(0, MultiOp::Write([("a", 1), ("b", 1)].into()), MultiRet::Done, 0, 9),
//!     Call::returned(1, MultiOp::Read(["a", "b"].into()), both(Some(1), None), 1, 2),
//! ];
//! let verdict = check(&MultiRegister::new(), &calls, &Limits::default());
//! assert!(!verdict.is_linearizable(), "half of a write was read");
//! ```
//!
//! What is deliberately absent: operations that read and write at once; those are transactions.

use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
};

use super::Value;
use crate::checkers::linearizability::model::{Insight, Model, Touches};

/// Registers without values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MultiRegister<K, V>(PhantomData<fn() -> (K, V)>);

impl<K, V> MultiRegister<K, V> {
    /// Registers without values.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// What clients ask of the registers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiOp<K, V> {
    /// The values of these.
    Read(BTreeSet<K>),
    /// Replaces the values of these.
    Write(BTreeMap<K, V>),
}

/// What the registers answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiRet<K, V> {
    /// The values.
    Values(BTreeMap<K, Option<V>>),
    /// All were written.
    Done,
}

/// A register has this value; `None` for never: the answer is none that such an operation gives.
pub type MultiFact<K, V> = Option<(K, Option<V>)>;

impl<K: Value, V: Value> Model for MultiRegister<K, V> {
    type Op = MultiOp<K, V>;
    type Ret = MultiRet<K, V>;
    type State = BTreeMap<K, V>;
    type Key = K;
    type Fact = MultiFact<K, V>;

    fn init(&self) -> BTreeMap<K, V> {
        BTreeMap::new()
    }

    fn step(&self, state: &Self::State, op: &Self::Op, ret: Option<&Self::Ret>) -> Option<Self::State> {
        match (op, ret) {
            (MultiOp::Read(keys), Some(MultiRet::Values(seen))) => {
                let right = seen.len() == keys.len()
                    && keys.iter().all(|key| seen.get(key).is_some_and(|seen| seen.as_ref() == state.get(key)));
                right.then(|| state.clone())
            }
            (MultiOp::Read(_), None) => Some(state.clone()),
            (MultiOp::Write(written), None | Some(MultiRet::Done)) => {
                let mut next = state.clone();
                next.extend(written.iter().map(|(key, value)| (key.clone(), value.clone())));
                Some(next)
            }
            _ => None,
        }
    }

    fn is_read(&self, op: &Self::Op, _: Option<&Self::Ret>) -> bool {
        matches!(op, MultiOp::Read(_))
    }

    fn touches(&self, op: &Self::Op) -> Touches<K> {
        Touches::Keys(match op {
            MultiOp::Read(keys) => keys.iter().cloned().collect(),
            MultiOp::Write(written) => written.keys().cloned().collect(),
        })
    }

    fn insight(&self) -> Insight {
        Insight::Complete
    }

    fn demands(&self, op: &Self::Op, ret: Option<&Self::Ret>) -> Vec<Self::Fact> {
        match (op, ret) {
            (_, None) | (MultiOp::Write(_), Some(MultiRet::Done)) => Vec::new(),
            (MultiOp::Read(keys), Some(MultiRet::Values(seen))) if keys.iter().eq(seen.keys()) => {
                seen.iter().map(|(key, value)| Some((key.clone(), value.clone()))).collect()
            }
            _ => vec![None],
        }
    }

    fn holds(&self, state: &Self::State, fact: &Self::Fact) -> bool {
        fact.as_ref().is_some_and(|(key, value)| state.get(key) == value.as_ref())
    }

    fn could_make(&self, op: &Self::Op, fact: &Self::Fact) -> bool {
        match (op, fact) {
            (MultiOp::Write(written), Some((key, Some(value)))) => written.get(key) == Some(value),
            _ => false,
        }
    }

    fn state_bytes(&self, state: &Self::State) -> usize {
        64 + state.len() * (size_of::<K>() + size_of::<V>())
    }
}
