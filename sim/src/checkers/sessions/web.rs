//! The web of a history: who stands after whom in a process, and who read whose write.
//!
//! Invariant: every read that is kept has a source, a write of its key or the beginning. A write of unknown fate that
//! nobody read is left out: it need never have taken effect. One that was read stands after what its process had done
//! before it, and before nothing of its process.
//!
//! What is deliberately absent: everything that depends on a consistency model.

use std::{collections::BTreeMap, fmt::Debug};

use super::access::Access;
use crate::checkers::{Ruling, Verdict};

/// An access with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Its place among the accesses.
    pub access: usize,
    /// Its key, by number.
    pub key: usize,
    /// Where what it read comes from, if it read; `None` within is the beginning.
    #[expect(clippy::option_option, reason = "who read found a write or the beginning, and not everybody read")]
    pub source: Option<Option<usize>>,
    pub is_write: bool,
    pub chain: usize,
    /// Its place in its chain.
    pub at: usize,
    /// What its process did before it.
    pub previous: Option<usize>,
}

/// The accesses of a history that matter.
pub(super) struct Web {
    pub nodes: Vec<Node>,
    /// The accesses of each process that returned, and writes of unknown fate that were read, each for itself.
    pub chains: Vec<Vec<usize>>,
    /// How many of the chains are processes.
    pub processes: usize,
    pub keys: usize,
}

impl Web {
    /// Connects accesses; or rules at once, if they are no history, their values are not unique, or one came from nowhere.
    pub(super) fn new<K: Ord + Debug, V: Ord + Debug>(accesses: &[Access<K, V>]) -> Result<Self, Ruling> {
        let writers = writers(accesses)?;
        let mut read: Vec<Option<Option<usize>>> = vec![None; accesses.len()];
        let mut is_read = vec![false; accesses.len()];
        for (at, access) in accesses.iter().enumerate().filter(|(_, access)| access.returned.is_some()) {
            let Some(value) = access.what.read() else { continue };
            let source = value.map(|value| writers.get(&(&access.key, value)).copied());
            if source == Some(None) {
                let text = format!("{}, which nobody wrote", tell(access));
                return Err(Ruling::fail(text, vec![access.call]));
            }
            read[at] = Some(source.flatten());
            source.flatten().into_iter().for_each(|source| is_read[source] = true);
        }
        let mut keys: Vec<&K> = accesses.iter().map(|access| &access.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut web = Self { nodes: Vec::new(), chains: Vec::new(), processes: 0, keys: keys.len() };
        let mut loose: Vec<Node> = Vec::new();
        for (process, own) in by_process(accesses)? {
            let (chain, mut previous) = (web.chains.len(), None);
            web.chains.push(Vec::new());
            for at in own {
                let access = &accesses[at];
                let key = keys.partition_point(|key| *key < &access.key);
                let is_write = access.what.written().is_some();
                let place = web.chains[chain].len();
                let node = Node { access: at, key, source: read[at], is_write, chain, at: place, previous };
                if access.returned.is_none() {
                    loose.extend((is_write && is_read[at]).then_some(Node { at: 0, ..node }));
                    continue;
                }
                if previous
                    .is_some_and(|before: usize| accesses[web.nodes[before].access].returned > Some(access.invoked))
                {
                    let reason = format!("process {process} makes call {} before its last one returns", access.call);
                    return Err(Verdict::Unknown { reason }.into());
                }
                previous = Some(web.nodes.len());
                web.chains[chain].push(web.nodes.len());
                web.nodes.push(node);
            }
        }
        web.processes = web.chains.len();
        for node in loose {
            let chain = web.chains.len();
            web.chains.push(vec![web.nodes.len()]);
            web.nodes.push(Node { chain, ..node });
        }
        web.connect(accesses.len());
        Ok(web)
    }

    /// Sources, which were places among the accesses, become nodes.
    fn connect(&mut self, accesses: usize) {
        let mut node_of = vec![0; accesses];
        self.nodes.iter().enumerate().for_each(|(number, node)| node_of[node.access] = number);
        for node in &mut self.nodes {
            node.source = node.source.map(|source| source.map(|access| node_of[access]));
        }
    }

    /// The reads of a process, in its order.
    pub(super) fn reads(&self, process: usize) -> impl Iterator<Item = (usize, &Node, Option<usize>)> {
        let own = self.chains[process].iter().map(|&number| (number, &self.nodes[number]));
        own.filter_map(|(number, node)| Some((number, node, node.source?)))
    }
}

/// The writes by key and value; or which two are the same.
fn writers<K: Ord + Debug, V: Ord + Debug>(accesses: &[Access<K, V>]) -> Result<BTreeMap<(&K, &V), usize>, Verdict> {
    let mut writers: BTreeMap<(&K, &V), usize> = BTreeMap::new();
    for (at, access) in accesses.iter().enumerate() {
        let Some(value) = access.what.written() else { continue };
        if let Some(other) = writers.insert((&access.key, value), at) {
            let other = accesses[other].call;
            let reason = format!(
                "values are not unique: calls {other} and {} both write {value:?} to {:?}",
                access.call, access.key
            );
            return Err(Verdict::Unknown { reason });
        }
    }
    Ok(writers)
}

/// The accesses of each process, in its order.
fn by_process<K, V>(accesses: &[Access<K, V>]) -> Result<BTreeMap<u64, Vec<usize>>, Verdict> {
    let mut processes: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, access) in accesses.iter().enumerate() {
        if access.returned.is_some_and(|returned| returned < access.invoked) {
            return Err(Verdict::Unknown { reason: format!("call {} returns before it is invoked", access.call) });
        }
        processes.entry(access.process).or_default().push(at);
    }
    // Of accesses at the same instant, those that took no time came first.
    let length = |access: &Access<K, V>| access.returned.map_or(1, |until| 2 * u8::from(until > access.invoked));
    for own in processes.values_mut() {
        own.sort_by_key(|&at| (accesses[at].invoked, length(&accesses[at]), accesses[at].call));
    }
    Ok(processes)
}

/// An access in one phrase for people.
pub(super) fn tell<K: Debug, V: Debug>(access: &Access<K, V>) -> String {
    use super::access::What;
    let nothing = || "nothing".to_owned();
    let what = match &access.what {
        What::Read(value) => format!("reads {}", value.as_ref().map_or_else(nothing, |value| format!("{value:?}"))),
        What::Write(value) => format!("writes {value:?}"),
        What::Swap { from, to } => {
            format!("swaps {} for {to:?}", from.as_ref().map_or_else(nothing, |value| format!("{value:?}")))
        }
    };
    format!("process {} {what} at {:?}", access.process, access.key)
}
