//! Program order: what each process did, one thing after the other.
//!
//! Invariant: a call that returned stands after every earlier one of its process that returned. A call of unknown fate
//! stands after those as well, and before nothing: it can have had its effect long after its process went on.
//!
//! What is deliberately absent: time. Of two processes nothing is known but what their answers tell.

use std::collections::BTreeMap;

use crate::checkers::linearizability::Call;

/// The calls of a history by process.
pub(super) struct Program {
    /// The calls that returned, of each process in its order.
    pub chains: Vec<Vec<usize>>,
    /// The calls of unknown fate.
    pub loose: Vec<Loose>,
}

/// A call of unknown fate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loose {
    pub call: usize,
    pub chain: usize,
    /// How many calls of its chain precede it.
    pub after: usize,
}

impl Program {
    /// Sorts calls by process; or says why they are no history of processes.
    pub(super) fn new<Op, Ret>(calls: &[Call<Op, Ret>]) -> Result<Self, String> {
        let mut processes: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (at, call) in calls.iter().enumerate() {
            if call.returned.is_some_and(|returned| returned < call.invoked) {
                return Err(format!("call {at} returns before it is invoked"));
            }
            processes.entry(call.process).or_default().push(at);
        }
        let mut program = Self { chains: Vec::new(), loose: Vec::new() };
        for (process, mut own) in processes {
            // Of calls invoked at the same instant, those that took no time came first.
            let length = |call: &Call<Op, Ret>| call.returned.map_or(1, |until| 2 * u8::from(until > call.invoked));
            own.sort_by_key(|&at| (calls[at].invoked, length(&calls[at]), at));
            let mut chain: Vec<usize> = Vec::new();
            for at in own {
                let before = chain.last().copied().filter(|&before| calls[before].returned > Some(calls[at].invoked));
                if let Some(before) = before {
                    return Err(format!("process {process} makes call {at} before its call {before} returns"));
                }
                if calls[at].returned.is_some() {
                    chain.push(at);
                } else {
                    program.loose.push(Loose { call: at, chain: program.chains.len(), after: chain.len() });
                }
            }
            program.chains.push(chain);
        }
        Ok(program)
    }

    /// Has every call returned strictly before its process made the next? Then real time orders each process as it should be.
    pub(super) fn is_strict<Op, Ret>(&self, calls: &[Call<Op, Ret>]) -> bool {
        let precedes = |a: usize, b: usize| calls[a].returned.is_some_and(|returned| returned < calls[b].invoked);
        let last_before = |loose: &Loose| loose.after.checked_sub(1).map(|last| self.chains[loose.chain][last]);
        self.chains.iter().all(|chain| chain.windows(2).all(|pair| precedes(pair[0], pair[1])))
            && self.loose.iter().all(|loose| last_before(loose).is_none_or(|last| precedes(last, loose.call)))
    }

    /// The chain of each call, and how many calls of it precede the call.
    pub(super) fn places(&self) -> Vec<(usize, usize)> {
        let chained = self.chains.iter().enumerate();
        let chained =
            chained.flat_map(|(number, chain)| chain.iter().enumerate().map(move |(at, &call)| (call, number, at)));
        let loose = self.loose.iter().map(|loose| (loose.call, loose.chain, loose.after));
        let mut places: Vec<_> = chained.chain(loose).collect();
        places.sort_unstable();
        places.into_iter().map(|(_, chain, after)| (chain, after)).collect()
    }
}
