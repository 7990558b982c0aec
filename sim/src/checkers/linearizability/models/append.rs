//! The store of strings: get, put and append, each of one key. A key that was never put is the empty string.
//!
//! Keys are independent, so every key's calls are judged apart.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Limits, check, models::{AppendOp, AppendRet, AppendStore}};
//!
//! let append = |text: &str| AppendOp::Append { key: 1, text: text.into() };
//! let mut calls = vec![
//!     Call::returned(0, append("x"), AppendRet::Done, 0, 9),
//!     Call::returned(1, append("y"), AppendRet::Done, 1, 2),
//!     Call::returned(1, AppendOp::Get { key: 1 }, AppendRet::Text("yx".into()), 3, 4),
//! ];
//! assert!(check(&AppendStore::new(), &calls, &Limits::default()).is_linearizable());
//! calls[0].invoked = 3;
//! calls[2].ret = Some(AppendRet::Text("xy".into()));
//! assert!(!check(&AppendStore::new(), &calls, &Limits::default()).is_linearizable());
//! ```
//!
//! What is deliberately absent: the difference between an empty string and no value.

use std::{collections::BTreeMap, marker::PhantomData, sync::Arc};

use super::Value;
use crate::checkers::linearizability::{
    model::{Insight, Model, Touches, View},
    zones::{self, Access},
};

/// Stands for texts that nobody will see.
const LOST: &str = "\u{10ffff}";

/// A store where every key is the empty string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppendStore<K>(PhantomData<fn() -> K>);

impl<K> AppendStore<K> {
    /// A store where every key is the empty string.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// What clients ask of a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AppendOp<K> {
    /// The text of a key.
    Get {
        /// Of which.
        key: K,
    },
    /// Replaces the text of a key.
    Put {
        /// Of which.
        key: K,
        /// What it becomes.
        text: String,
    },
    /// Adds to the end of the text of a key.
    Append {
        /// Of which.
        key: K,
        /// What is added.
        text: String,
    },
}

impl<K> AppendOp<K> {
    fn key(&self) -> &K {
        match self {
            Self::Get { key } | Self::Put { key, .. } | Self::Append { key, .. } => key,
        }
    }
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AppendRet {
    /// The text.
    Text(String),
    /// It was written.
    Done,
}

/// What calls demand of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AppendFact<K> {
    /// Its text is this.
    Is(K, String),
    /// Its text begins this one: only appends are missing. Once it does not, only a put can help.
    Begins(K, String),
    /// Never: the answer is none that such an operation gives.
    Never,
}

impl<K: Value> Model for AppendStore<K> {
    type Op = AppendOp<K>;
    type Ret = AppendRet;
    /// Without empty strings, so that equal stores are equal.
    type State = BTreeMap<K, Arc<str>>;
    type Key = K;
    type Fact = AppendFact<K>;

    fn init(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(&self, state: &Self::State, op: &AppendOp<K>, ret: Option<&AppendRet>) -> Option<Self::State> {
        let found = state.get(op.key()).map_or("", |text| &**text);
        let mut next = state.clone();
        match (op, ret) {
            (AppendOp::Get { .. }, Some(AppendRet::Done))
            | (AppendOp::Put { .. } | AppendOp::Append { .. }, Some(AppendRet::Text(_))) => return None,
            (AppendOp::Get { .. }, Some(AppendRet::Text(text))) if text != found => return None,
            (AppendOp::Get { .. }, _) => {}
            (AppendOp::Put { key, text }, _) if text.is_empty() => {
                next.remove(key);
            }
            (AppendOp::Append { text, .. }, _) if text.is_empty() => {}
            (AppendOp::Put { key, text }, _) => {
                next.insert(key.clone(), text.as_str().into());
            }
            (AppendOp::Append { key, text }, _) => {
                next.insert(key.clone(), format!("{found}{text}").into());
            }
        }
        Some(next)
    }

    fn is_read(&self, op: &AppendOp<K>, _: Option<&AppendRet>) -> bool {
        matches!(op, AppendOp::Get { .. })
    }

    fn touches(&self, op: &AppendOp<K>) -> Touches<K> {
        Touches::Keys(vec![op.key().clone()])
    }

    fn insight(&self) -> Insight {
        Insight::Deferrable
    }

    fn demands(&self, op: &AppendOp<K>, ret: Option<&AppendRet>) -> Vec<AppendFact<K>> {
        match (op, ret) {
            (_, None) | (AppendOp::Put { .. } | AppendOp::Append { .. }, Some(AppendRet::Done)) => Vec::new(),
            (AppendOp::Get { key }, Some(AppendRet::Text(text))) => {
                vec![AppendFact::Is(key.clone(), text.clone()), AppendFact::Begins(key.clone(), text.clone())]
            }
            _ => vec![AppendFact::Never],
        }
    }

    fn holds(&self, state: &Self::State, fact: &AppendFact<K>) -> bool {
        match fact {
            AppendFact::Is(key, text) => state.get(key).map_or("", |found| &**found) == text,
            AppendFact::Begins(key, text) => text.starts_with(state.get(key).map_or("", |found| &**found)),
            AppendFact::Never => false,
        }
    }

    fn could_make(&self, op: &AppendOp<K>, fact: &AppendFact<K>) -> bool {
        match (op, fact) {
            (AppendOp::Put { key, text }, AppendFact::Is(of, wanted)) => of == key && text == wanted,
            (AppendOp::Put { key, text }, AppendFact::Begins(of, wanted)) => {
                of == key && wanted.starts_with(text.as_str())
            }
            (AppendOp::Append { key, text }, AppendFact::Is(of, wanted)) => {
                of == key && !text.is_empty() && wanted.ends_with(text.as_str())
            }
            _ => false,
        }
    }

    fn could_help(&self, op: &AppendOp<K>, fact: &AppendFact<K>) -> bool {
        match (op, fact) {
            (AppendOp::Put { key, text }, AppendFact::Is(of, wanted)) => of == key && wanted.starts_with(text.as_str()),
            (AppendOp::Append { key, text }, AppendFact::Is(of, wanted)) => of == key && wanted.contains(text.as_str()),
            _ => false,
        }
    }

    /// A text that begins none of those that are demanded is as good as any other such text.
    fn simplify(&self, mut state: Self::State, facts: &[AppendFact<K>]) -> Self::State {
        let begins_any = |key: &K, text: &str| {
            facts.iter().any(|fact| matches!(fact, AppendFact::Begins(of, all) if of == key && all.starts_with(text)))
        };
        for (key, text) in &mut state {
            if **text != *LOST && !begins_any(key, text) && !begins_any(key, LOST) {
                *text = LOST.into();
            }
        }
        state
    }

    fn shortcut(&self, calls: &[View<'_, Self>]) -> Option<bool> {
        let key = calls.first()?.op.key();
        zones::judge(
            &"",
            calls.iter().map(|view| {
                let access = match (view.op, view.ret) {
                    (op, _) if op.key() != key => return None,
                    (AppendOp::Get { .. }, Some(AppendRet::Text(text))) => Access::Read(text.as_str()),
                    (AppendOp::Put { text, .. }, None | Some(AppendRet::Done)) => Access::Write(text.as_str()),
                    _ => return None,
                };
                Some((access, view.invoked, view.returned))
            }),
        )
    }

    fn state_bytes(&self, state: &Self::State) -> usize {
        64 + state.values().map(|text| text.len() + size_of::<K>() + 32).sum::<usize>()
    }
}
