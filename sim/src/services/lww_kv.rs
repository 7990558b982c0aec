//! `lww-kv`: a key-value store that is eventually consistent at best.
//!
//! Several internal replicas each keep the whole map, with a Lamport clock (Lamport 1978). Before every request one of
//! them, drawn at random, is merged into another; then one, drawn at random, serves the request. For each key the later
//! timestamp wins, and between equal ones the greater internal replica. Merges happen only when requests do.
//!
//! ```text
//! n1   served by internal replica 1:   cas 0 -> 1 ok, stamped (1, 1)
//! n2   served by internal replica 0:   cas 0 -> 5 ok, stamped (1, 0)
//! merge in either direction:           (1, 1) is later than (1, 0): the value is 1, and the 5 is lost
//! ```
//!
//! It answers reads with old values after new ones, and a compare-and-swap that succeeded at a replica that was behind
//! is silently overwritten. It is here to show what optimistic concurrency control is worth without a store to rely on.

use std::collections::BTreeMap;

use super::{Entry, KEY_BYTES, Outcome, Value, fold_entry, key_of, lineage_after};
use crate::kernel::{
    fold::Fold,
    ids::NodeId,
    lineage::LineageId,
    service::{Key, KvReply, KvRequest, Service, ServiceContext, Visible},
};

/// When a value was written, and at which internal replica. Later stamps win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    time: u64,
    internal: u32,
}

#[derive(Clone, Debug)]
struct Stamped<V> {
    entry: Entry<V>,
    stamp: Stamp,
}

#[derive(Clone, Debug)]
struct Internal<V> {
    clock: u64,
    entries: BTreeMap<Key, Stamped<V>>,
}

/// A last-write-wins store. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct LwwKv<V> {
    internals: Vec<Internal<V>>,
    /// How many requests of each client were served; addresses the draws.
    requests: BTreeMap<NodeId, u64>,
}

impl<V: Value> LwwKv<V> {
    /// An empty store with this many internal replicas.
    pub fn new(internal_replicas: u32) -> Self {
        assert!(internal_replicas > 0, "a store has at least one internal replica");
        let empty = Internal { clock: 0, entries: BTreeMap::new() };
        Self { internals: vec![empty; internal_replicas as usize], requests: BTreeMap::new() }
    }

    /// Brings internal replica `to` up to what `from` knows.
    fn merge(&mut self, from: usize, to: usize) {
        let source = self.internals[from].clone();
        let target = &mut self.internals[to];
        target.clock = target.clock.max(source.clock);
        for (key, theirs) in source.entries {
            if target.entries.get(&key).is_none_or(|ours| ours.stamp < theirs.stamp) {
                target.entries.insert(key, theirs);
            }
        }
    }

    /// Serves a request at one internal replica.
    fn serve(&mut self, at: usize, request: &KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        let internal = &mut self.internals[at];
        let key = key_of(request);
        let current = internal.entries.get(&key).map(|stamped| &stamped.entry);
        match Outcome::of(request, current) {
            Outcome::Answer(reply) => reply,
            Outcome::Set { value, builds_on, op, reply } => {
                let before = current.map_or(LineageId::ROOT, |entry| entry.lineage);
                let lineage = lineage_after(before, builds_on, op, cx.lineage, &mut cx.effects);
                internal.clock += 1;
                let stamp = Stamp { time: internal.clock, internal: at as u32 };
                internal.entries.insert(key, Stamped { entry: Entry { value, lineage }, stamp });
                reply
            }
        }
    }

    fn latest(&self, key: Key) -> Option<&Stamped<V>> {
        self.internals.iter().filter_map(|internal| internal.entries.get(&key)).max_by_key(|stamped| stamped.stamp)
    }
}

impl<V: Value> Service<V> for LwwKv<V> {
    fn handle(&mut self, from: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        const DRAWS: u64 = 3;
        let count = self.internals.len() as u64;
        let served = self.requests.entry(from).or_insert(0);
        let draw = *served * DRAWS;
        *served += 1;
        let below = |number, bound| cx.draws.below(u64::from(from.0), draw + number, bound);
        let serving = below(2, count) as usize;
        if count > 1 {
            let source = below(0, count);
            // Counting past the source leaves the others in order.
            let other = below(1, count - 1);
            self.merge(source as usize, (other + u64::from(other >= source)) as usize);
        }
        self.serve(serving, &request, cx)
    }

    fn on_wake(&mut self, _: &mut ServiceContext<'_>) {}

    /// One answer is possible when all internal replicas have the same value. A key that does not exist at one of them
    /// has the default value there.
    fn visible(&self, _: NodeId, key: Key) -> Option<Visible> {
        let Some(latest) = self.latest(key) else { return Some(Entry::<V>::missing()) };
        let same = |internal: &Internal<V>| match internal.entries.get(&key) {
            Some(stamped) => stamped.entry.value == latest.entry.value,
            None => latest.entry.value == V::default(),
        };
        self.internals.iter().all(same).then(|| latest.entry.visible())
    }

    fn newest(&self, key: Key) -> V {
        self.latest(key).map(|stamped| stamped.entry.value.clone()).unwrap_or_default()
    }

    fn fold(&self, fold: &mut Fold) {
        for internal in &self.internals {
            fold.words(internal.clock, internal.entries.len() as u64);
            for (key, stamped) in &internal.entries {
                fold_entry(fold, *key, &stamped.entry);
                fold.words(stamped.stamp.time, u64::from(stamped.stamp.internal));
            }
        }
    }

    /// The entries of all internal replicas, with 12 bytes of stamp each.
    fn bytes(&self, value_bytes: fn(&V) -> u64) -> u64 {
        let entries = self.internals.iter().flat_map(|internal| internal.entries.values());
        entries.map(|stamped| KEY_BYTES + value_bytes(&stamped.entry.value) + 12).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::bench::{Bench, cas, read},
        *,
    };

    /// Serves at a chosen internal replica, without the merge.
    fn serve(bench: &mut Bench<LwwKv<i128>>, at: usize, request: &KvRequest<i128>) -> KvReply<i128> {
        let draws = crate::kernel::draws::Stream::new(0, "unused");
        let mut cx = ServiceContext {
            now: bench.now,
            draws: &draws,
            lineage: &mut bench.lineage,
            wake_at: None,
            effects: Vec::new(),
        };
        bench.store.serve(at, request, &mut cx)
    }

    #[test]
    fn concurrent_swaps_both_succeed_and_one_is_lost() {
        let mut bench = Bench::new(LwwKv::new(2), 1);
        assert_eq!(serve(&mut bench, 0, &cas(0, 5, true, Some(1))), KvReply::Swapped);
        assert_eq!(bench.store.visible(NodeId(0), Key(0)), None, "one internal replica has 5, the other nothing");
        assert_eq!(serve(&mut bench, 1, &cas(0, 1, true, Some(2))), KvReply::Swapped);
        for (from, to) in [(0, 1), (1, 0)] {
            bench.store.merge(from, to);
        }
        assert_eq!(bench.updates_behind(bench.store.visible(NodeId(0), Key(0))), [2]);
        assert_eq!(bench.store.newest(Key(0)), 1);
    }

    #[test]
    fn merges_agree_whatever_their_order() {
        for order in [[(0, 1), (1, 0)], [(1, 0), (0, 1)]] {
            let mut bench = Bench::new(LwwKv::new(2), 1);
            serve(&mut bench, 0, &cas(0, 5, true, None));
            serve(&mut bench, 0, &cas(5, 6, true, None));
            serve(&mut bench, 1, &cas(0, 1, true, None));
            for (from, to) in order {
                bench.store.merge(from, to);
            }
            // Time 2 is later than time 1.
            assert_eq!(bench.store.newest(Key(0)), 6);
            assert!(bench.store.visible(NodeId(0), Key(0)).is_some());
            // And the clock of the one that was behind has caught up.
            serve(&mut bench, 1, &cas(6, 7, false, None));
            assert_eq!(bench.store.newest(Key(0)), 7);
        }
    }

    #[test]
    fn reads_go_back() {
        let gone_back = (0..50).any(|seed| {
            let mut bench = Bench::new(LwwKv::new(3), seed);
            let mut seen = 0;
            (0..40).any(|_| {
                let value = bench.read(0).unwrap_or(0);
                bench.handle(1, cas(value, value + 1, true, None));
                let back = value < seen;
                seen = value;
                back
            })
        });
        assert!(gone_back);
    }

    #[test]
    fn what_is_visible_is_what_is_read() {
        for seed in 0..200 {
            let mut bench = Bench::new(LwwKv::new(2), seed);
            for round in 0..20 {
                let expected = bench.store.visible(NodeId(7), Key(0));
                let newest = bench.store.newest(Key(0));
                let value = bench.read(7).unwrap_or(0);
                if expected.is_some() {
                    assert_eq!(value, newest);
                }
                bench.handle(round % 3, cas(value, value + 1, true, None));
            }
        }
    }

    #[test]
    fn a_single_internal_replica_is_an_ordinary_store() {
        let mut bench = Bench::new(LwwKv::new(1), 1);
        assert_eq!(bench.handle(0, read()), KvReply::KeyDoesNotExist);
        for round in 0..10 {
            assert_eq!(bench.handle(0, cas(round, round + 1, true, None)), KvReply::Swapped);
            assert_eq!(bench.read(1), Some(round + 1));
        }
    }
}
