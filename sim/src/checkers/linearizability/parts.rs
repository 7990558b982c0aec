//! Parts: calls that have to be judged together.
//!
//! Invariant: calls of different parts have no key in common, so that they commute. Parts are in the order of their first
//! calls.
//!
//! What is deliberately absent: knowledge of any model's keys.

use std::collections::BTreeMap;

use super::{
    call::Call,
    model::{Model, Touches, View},
};

/// Calls on keys that are joined by calls.
pub(super) struct Part<'a, M: Model> {
    pub views: Vec<View<'a, M>>,
    /// The keys, if there are others.
    keys: Vec<M::Key>,
}

impl<M: Model> Part<'_, M> {
    /// Which part it is, after `before`; nothing if it is the only one.
    pub(super) fn label(&self, before: &str) -> String {
        match &self.keys[..] {
            [] => String::new(),
            [key] => format!("{before}key {key:?}"),
            keys => format!("{before}keys {keys:?}"),
        }
    }
}

/// Splits calls into parts. Reads without an answer say nothing, and are left out.
pub(super) fn split<'a, M: Model>(model: &M, calls: &'a [Call<M::Op, M::Ret>]) -> Vec<Part<'a, M>> {
    let views = calls.iter().enumerate().map(|(at, call)| View::<'a, M> {
        op: &call.op,
        ret: call.answer(),
        invoked: call.invoked,
        returned: call.returned,
        call: at,
    });
    let views: Vec<View<'a, M>> = views.filter(|view| view.ret.is_some() || !model.is_read(view.op, None)).collect();
    let mut numbers = BTreeMap::<M::Key, usize>::new();
    let mut joined: Vec<usize> = Vec::new();
    let mut first_keys = Vec::with_capacity(views.len());
    for view in &views {
        let keys = match model.touches(view.op) {
            Touches::Keys(keys) if !keys.is_empty() => keys,
            _ => return vec![Part { views, keys: Vec::new() }],
        };
        let of_call: Vec<usize> = keys
            .into_iter()
            .map(|key| {
                *numbers.entry(key).or_insert_with(|| {
                    joined.push(joined.len());
                    joined.len() - 1
                })
            })
            .collect();
        for pair in of_call.windows(2) {
            let (one, other) = (root(&mut joined, pair[0]), root(&mut joined, pair[1]));
            joined[one.max(other)] = one.min(other);
        }
        first_keys.push(of_call[0]);
    }
    let mut parts: BTreeMap<usize, Part<'a, M>> = BTreeMap::new();
    for (view, first) in views.into_iter().zip(first_keys) {
        let part = parts.entry(root(&mut joined, first)).or_insert(Part { views: Vec::new(), keys: Vec::new() });
        part.views.push(view);
    }
    for (key, number) in numbers {
        if let Some(part) = parts.get_mut(&root(&mut joined, number)) {
            part.keys.push(key);
        }
    }
    parts.into_values().collect()
}

/// The smallest key that a key is joined to.
fn root(joined: &mut [usize], mut key: usize) -> usize {
    while joined[key] != key {
        joined[key] = joined[joined[key]];
        key = joined[key];
    }
    key
}
