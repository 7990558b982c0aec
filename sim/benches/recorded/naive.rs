//! Wing and Gong's search with a memory, and nothing else: what the judge is compared with.
//!
//! It tries every call that no other has to precede, in the order of invocation, and remembers which sets of calls it has
//! had in which state.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use hashbrown::HashTable;
use sim::checkers::linearizability::{Call, Model};

/// Is the history linearizable? `None` if that takes more steps.
pub(crate) fn is_linearizable<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], steps_max: u64) -> Option<bool> {
    let mut seen = HashTable::<(Vec<u64>, M::State)>::new();
    let mut taken = vec![0_u64; calls.len().div_ceil(64)];
    let has = |taken: &[u64], call: usize| taken[call / 64] >> (call % 64) & 1 == 1;
    let hash = |entry: &(Vec<u64>, M::State)| {
        let mut hasher = DefaultHasher::new();
        entry.hash(&mut hasher);
        hasher.finish()
    };
    // (the state before, the call that was taken from there)
    let mut path: Vec<(M::State, usize)> = Vec::new();
    let (mut state, mut next) = (model.init(), 0);
    for _ in 0..steps_max {
        let open = (0..calls.len()).filter(|&call| !has(&taken, call));
        let Some(first_return) = open.filter_map(|call| calls[call].returned).min() else { return Some(true) };
        let mut found = None;
        for call in next..calls.len() {
            if has(&taken, call) || calls[call].invoked > first_return {
                continue;
            }
            let Some(after) = model.step(&state, &calls[call].op, calls[call].answer()) else { continue };
            taken[call / 64] |= 1 << (call % 64);
            let entry = (taken.clone(), after);
            let digest = hash(&entry);
            if seen.find(digest, |other| *other == entry).is_none() {
                found = Some((call, entry.1.clone()));
                seen.insert_unique(digest, entry, hash);
                break;
            }
            taken[call / 64] &= !(1 << (call % 64));
        }
        if let Some((call, after)) = found {
            path.push((std::mem::replace(&mut state, after), call));
            next = 0;
        } else {
            let Some((before, call)) = path.pop() else { return Some(false) };
            taken[call / 64] &= !(1 << (call % 64));
            (state, next) = (before, call + 1);
        }
    }
    None
}
