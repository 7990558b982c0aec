//! A store that means to be sequentially consistent, and is not: Maelstrom's `seq-kv` (0.2.4) as it is written, for teaching.
//!
//! The states of the store are kept in a ring of 32. Every client has the number of the state that it has seen; a request is tried
//! at a state drawn between that and the newest. But a client that lags behind by more than the ring holds draws numbers whose
//! place has been taken by newer states: it is served one of those, and the old number is remembered. So its next read can go back
//! (`service.clj` and `ring_buffer.clj` of <https://github.com/jepsen-io/maelstrom>).
//!
//! ```text
//! a writer writes 1, 2, ..., 50     a late reader reads   32  17  27  31 ...      32 is the ring's newest at that place
//! ```
//!
//! Invariant: with 32 changes or fewer it does what `seq-kv` promises.
//!
//! What is deliberately absent: staleness that ends. A state is served as long as it is in the ring.

use std::collections::BTreeMap;

use super::{Entry, KEY_BYTES, Outcome, Value, fold_entry, key_of, lineage_after};
use crate::kernel::{
    fold::Fold,
    ids::NodeId,
    lineage::LineageId,
    service::{Key, KvReply, KvRequest, Service, ServiceContext, Visible},
};

/// How many states there are.
const SLOTS: usize = 32;

/// The states in a ring. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct RingKv<V> {
    /// State number `k` is, or was, at `k` modulo the number of slots.
    slots: Vec<BTreeMap<Key, Entry<V>>>,
    newest: u64,
    /// What each client has seen, and how many requests it made.
    clients: BTreeMap<NodeId, (u64, u64)>,
}

impl<V> Default for RingKv<V> {
    fn default() -> Self {
        Self { slots: vec![BTreeMap::new()], newest: 0, clients: BTreeMap::new() }
    }
}

impl<V: Value> RingKv<V> {
    fn state(&self, number: u64) -> &BTreeMap<Key, Entry<V>> {
        &self.slots[(number % self.slots.len() as u64) as usize]
    }

    fn push(&mut self, state: BTreeMap<Key, Entry<V>>) {
        self.newest += 1;
        if self.slots.len() < SLOTS {
            self.slots.push(state);
        } else {
            self.slots[(self.newest % SLOTS as u64) as usize] = state;
        }
    }
}

impl<V: Value> Service<V> for RingKv<V> {
    fn handle(&mut self, from: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        let key = key_of(&request);
        let (seen, requests) = self.clients.get(&from).copied().unwrap_or_default();
        let tried = seen + cx.draws.below(u64::from(from.0), requests, self.newest - seen + 1);
        let there = self.state(tried).get(&key);
        let changes = |outcome: &Outcome<V>, there: Option<&Entry<V>>| matches!(outcome, Outcome::Set { value, .. } if there.is_none_or(|entry| entry.value != *value));
        let outcome = Outcome::of(&request, there);
        if !changes(&outcome, there) {
            self.clients.insert(from, (tried, requests + 1));
            return match outcome {
                Outcome::Answer(reply) | Outcome::Set { reply, .. } => reply,
            };
        }
        let mut newest = self.state(self.newest).clone();
        let current = newest.get(&key);
        let reply = match Outcome::of(&request, current) {
            Outcome::Answer(reply) => reply,
            Outcome::Set { value, builds_on, op, reply } => {
                let before = current.map_or(LineageId::ROOT, |entry| entry.lineage);
                let lineage = lineage_after(before, builds_on, op, cx.lineage, &mut cx.effects);
                newest.insert(key, Entry { value, lineage });
                self.push(newest);
                reply
            }
        };
        self.clients.insert(from, (self.newest, requests + 1));
        reply
    }

    fn on_wake(&mut self, _: &mut ServiceContext<'_>) {}

    fn visible(&self, from: NodeId, key: Key) -> Option<Visible> {
        let seen = self.clients.get(&from).map_or(0, |(seen, _)| *seen);
        let newest = self.state(self.newest).get(&key);
        (seen == self.newest).then(|| newest.map_or_else(Entry::<V>::missing, Entry::visible))
    }

    fn newest(&self, key: Key) -> V {
        self.state(self.newest).get(&key).map(|entry| entry.value.clone()).unwrap_or_default()
    }

    fn fold(&self, fold: &mut Fold) {
        fold.word(self.newest);
        for (key, entry) in self.slots.iter().flatten() {
            fold_entry(fold, *key, entry);
        }
        for (client, (seen, _)) in &self.clients {
            fold.words(u64::from(client.0), *seen);
        }
    }

    fn bytes(&self, value_bytes: fn(&V) -> u64) -> u64 {
        self.state(self.newest).values().map(|entry| KEY_BYTES + value_bytes(&entry.value)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::bench::{Bench, write},
        *,
    };

    /// Of this many seeds, how many show a late reader going back after so many writes?
    fn goes_back(writes: i128, seeds: u64) -> u64 {
        let late_reader = |seed: u64| {
            let mut bench = Bench::new(RingKv::default(), seed);
            (1..=writes).for_each(|value| {
                bench.handle(0, write(value, None));
            });
            let read: Vec<i128> = (0..50).map(|_| bench.read(1).unwrap_or(0)).collect();
            read.windows(2).any(|pair| pair[1] < pair[0])
        };
        (0..seeds).filter(|seed| late_reader(*seed)).count() as u64
    }

    #[test]
    fn a_late_reader_goes_back_once_the_ring_has_wrapped() {
        assert_eq!(goes_back(31, 200), 0, "all states are there");
        assert!(goes_back(64, 200) > 20, "some places hold newer states");
        assert!(goes_back(1_000, 200) > 120, "most do");
    }
}
