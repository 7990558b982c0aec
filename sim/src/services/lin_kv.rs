//! `lin-kv`: a linearizable key-value store.
//!
//! There is one state, and every request takes effect at the instant at which it is handled, between its call and its
//! return (Herlihy and Wing 1990, "Linearizability: a correctness condition for concurrent objects").
//!
//! ```text
//! n1   cas 0 -> 1 ok
//! n2                    read -> 1          never 0: the swap had returned
//! ```
//!
//! The same store gives out numbers, as `lin-tso` does in Maelstrom: 0, 1, 2, and so on, each once.
//!
//! What is deliberately absent: several states, and hence clocks, sessions and draws.

use std::collections::BTreeMap;

use super::{Entry, KEY_BYTES, Outcome, Value, fold_entry, key_of, lineage_after};
use crate::kernel::{
    fold::{Fold, digest_of},
    ids::NodeId,
    lineage::LineageId,
    service::{Key, KvReply, KvRequest, Lease, Service, ServiceContext, Visible},
};

/// A linearizable store. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct LinKv<V> {
    entries: BTreeMap<Key, Entry<V>>,
    leases: BTreeMap<Key, Lease>,
    /// The next number to be given out.
    timestamp: u64,
}

impl<V> Default for LinKv<V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), leases: BTreeMap::new(), timestamp: 0 }
    }
}

impl<V: Value> Service<V> for LinKv<V> {
    fn handle(&mut self, _: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        if request == KvRequest::Timestamp {
            self.timestamp += 1;
            return KvReply::Timestamp(self.timestamp - 1);
        }
        let key = key_of(&request);
        if let KvRequest::SwapLease { from, to, .. } = request {
            let lease = self.leases.entry(key).or_default();
            return if *lease == from {
                *lease = to;
                KvReply::Swapped
            } else {
                KvReply::Lease(*lease)
            };
        }
        let current = self.entries.get(&key);
        match Outcome::of(&request, current) {
            Outcome::Answer(reply) => reply,
            Outcome::Set { value, builds_on, op, reply } => {
                let before = current.map_or(LineageId::ROOT, |entry| entry.lineage);
                let lineage = lineage_after(before, builds_on, op, cx.lineage, &mut cx.effects);
                self.entries.insert(key, Entry { value, lineage });
                reply
            }
        }
    }

    fn on_wake(&mut self, _: &mut ServiceContext<'_>) {}

    fn visible(&self, _: NodeId, key: Key) -> Option<Visible> {
        Some(self.entries.get(&key).map_or_else(Entry::<V>::missing, Entry::visible))
    }

    fn newest(&self, key: Key) -> V {
        self.entries.get(&key).map(|entry| entry.value.clone()).unwrap_or_default()
    }

    fn fold(&self, fold: &mut Fold) {
        for (key, entry) in &self.entries {
            fold_entry(fold, *key, entry);
        }
        for (key, lease) in &self.leases {
            fold.words(u64::from(key.0), digest_of(lease));
        }
        if self.timestamp > 0 {
            fold.word(self.timestamp);
        }
    }

    fn bytes(&self, value_bytes: fn(&V) -> u64) -> u64 {
        let entries: u64 = self.entries.values().map(|entry| KEY_BYTES + value_bytes(&entry.value)).sum();
        entries + self.leases.len() as u64 * (KEY_BYTES + 12)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::bench::{Bench, cas, read, write},
        *,
    };

    #[test]
    fn replies_are_those_of_the_protocol() {
        let rows = [
            (read(), KvReply::KeyDoesNotExist, None),
            (cas(0, 1, false, None), KvReply::KeyDoesNotExist, None),
            // A missing key is created whatever was expected.
            (cas(99, 1, true, None), KvReply::Swapped, Some(1)),
            (cas(99, 2, true, None), KvReply::PreconditionFailed, Some(1)),
            (cas(99, 2, false, None), KvReply::PreconditionFailed, Some(1)),
            (cas(1, 3, true, None), KvReply::Swapped, Some(3)),
            (cas(3, 3, false, None), KvReply::Swapped, Some(3)),
            (write(-7, None), KvReply::Written, Some(-7)),
        ];
        let mut bench = Bench::new(LinKv::default(), 1);
        for (request, reply, left) in rows {
            assert_eq!(bench.handle(0, request.clone()), reply, "{request:?}");
            assert_eq!(bench.read(1), left, "after {request:?}");
            assert_eq!(bench.store.newest(Key(0)), left.unwrap_or_default());
        }
        assert!(bench.effects.is_empty());
        assert_eq!(bench.wake_at, None);
    }

    #[test]
    fn a_swap_builds_on_the_state_it_meets_and_a_write_on_nothing() {
        let mut bench = Bench::new(LinKv::default(), 1);
        bench.handle(0, cas(0, 1, true, Some(10)));
        bench.handle(1, cas(1, 0, false, Some(11)));
        // The value is 0 again, as this client read it before the two.
        bench.handle(2, cas(0, 5, false, Some(12)));
        assert_eq!(bench.updates_behind(bench.store.visible(NodeId(0), Key(0))), [12, 11, 10]);
        bench.handle(2, cas(0, 6, false, Some(13)));
        assert_eq!(bench.effects.iter().map(|op| op.0).collect::<Vec<_>>(), [10, 11, 12]);
        bench.handle(2, write(6, Some(14)));
        assert_eq!(bench.updates_behind(bench.store.visible(NodeId(0), Key(0))), [14]);
    }

    #[test]
    fn the_digest_is_of_values_not_of_lineages() {
        let digest = |requests: Vec<KvRequest<i128>>| {
            let mut bench = Bench::new(LinKv::default(), 1);
            for request in requests {
                bench.handle(0, request);
            }
            let mut fold = Fold::default();
            bench.store.fold(&mut fold);
            (fold.digest(), bench.store.bytes(|_| 16))
        };
        assert_eq!(digest(vec![write(2, Some(1))]), digest(vec![write(1, None), cas(1, 2, false, Some(7))]));
        assert_ne!(digest(vec![write(2, None)]), digest(vec![write(3, None)]));
        assert_eq!(digest(vec![write(2, None)]).1, 20);
    }
}
