//! Stores that break their word, and replicas that misread it.
//!
//! The right system reads, swaps if nothing has changed, tries again if something has, and says so when it does not know
//! ([`crate::protocols::occ`] over [`lin-kv`](crate::services::lin_kv)). Half of the bugs are made at the replica, by
//! [`super::flawed`]; the other half by the store, [`FlawedKv`].
//!
//! Invariant: with a flaw that is not the store's, a [`FlawedKv`] is the store that its options name. Ghost state tells what
//! really happened: a change that was not made has no effect, and a blind one builds on what its client had read.
//!
//! ```
//! use sim::services::{KvConfig, KvKind};
//! use sim::zoo::{Flaw, stores::FlawedKv};
//!
//! let asked_for = KvConfig::new(KvKind::Lin);
//! assert_eq!(FlawedKv::<i128>::new(&asked_for, Flaw::SeqForLin).kind(), KvKind::Seq);
//! assert_eq!(FlawedKv::<i128>::new(&asked_for, Flaw::StoreForgets).kind(), KvKind::Lin);
//! ```
//!
//! What is deliberately absent: a store that loses what it had acknowledged in a crash. The scenario's crash of a store does that.

use std::collections::{BTreeMap, VecDeque};

use super::catalogue::{Bug, Flaw};
use crate::{
    kernel::{
        fold::{Fold, digest_of},
        ids::{NodeId, OpId},
        lineage::LineageId,
        service::{Key, KvReply, KvRequest, Service, ServiceContext, Visible},
    },
    services::{Kv, KvConfig, KvKind, Value},
};

/// [`Flaw::StoreForgets`] forgets one in this many changes.
pub const FORGETS_EVERY: u64 = 10;
/// How many reads of a client [`Flaw::BlindWrite`] remembers, for ghost state only.
const READS_MAX: usize = 32;

/// A value that was written blindly, with the updates behind it (ghost).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Blind<V> {
    value: V,
    lineage: LineageId,
}

/// A store with a mistake. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct FlawedKv<V> {
    kv: Kv<V>,
    flaw: Flaw,
    /// How many changes were acknowledged.
    changes: u64,
    /// For [`Flaw::BlindWrite`], in the place of `kv`.
    blind: BTreeMap<Key, Blind<V>>,
    /// Ghost: what was lately read, by client and key.
    read: BTreeMap<(NodeId, Key), VecDeque<Blind<V>>>,
}

impl<V: Value> FlawedKv<V> {
    /// An empty store.
    pub fn new(config: &KvConfig, flaw: Flaw) -> Self {
        let kind = match flaw {
            Flaw::SeqForLin => KvKind::Seq,
            Flaw::LwwForLin => KvKind::Lww,
            _ => config.kind,
        };
        let kv = Kv::new(&KvConfig { kind, ..config.clone() });
        Self { kv, flaw, changes: 0, blind: BTreeMap::new(), read: BTreeMap::new() }
    }

    /// Which store this is.
    pub fn kind(&self) -> KvKind {
        self.kv.kind()
    }

    /// Answers every tenth change without making it.
    fn handle_forgetfully(&mut self, from: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        let mut changed = self.kv.clone();
        let effects = cx.effects.len();
        let reply = changed.handle(from, request, cx);
        let is_change = matches!(reply, KvReply::Written | KvReply::Swapped);
        self.changes += u64::from(is_change);
        if is_change && self.changes.is_multiple_of(FORGETS_EVERY) {
            cx.effects.truncate(effects);
        } else {
            self.kv = changed;
        }
        reply
    }

    /// Makes every change, whatever is there.
    fn handle_blindly(&mut self, from: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        match request {
            KvRequest::Read { key } => {
                let Some(Blind { value, lineage }) = self.blind.get(&key).cloned() else {
                    return KvReply::KeyDoesNotExist;
                };
                let read = self.read.entry((from, key)).or_default();
                read.push_back(Blind { value: value.clone(), lineage });
                if read.len() > READS_MAX {
                    read.pop_front();
                }
                KvReply::Value { value, lineage }
            }
            KvRequest::Write { key, value, op } => {
                self.put(key, value, LineageId::ROOT, op, cx);
                KvReply::Written
            }
            KvRequest::Cas { key, from: expected, to, op, .. } => {
                let read =
                    self.read.get(&(from, key)).and_then(|read| read.iter().rev().find(|read| read.value == expected));
                let base = read.map_or(LineageId::ROOT, |read| read.lineage);
                self.put(key, to, base, op, cx);
                KvReply::Swapped
            }
            other @ (KvRequest::SwapLease { .. } | KvRequest::Timestamp) => self.kv.handle(from, other, cx),
        }
    }

    fn put(&mut self, key: Key, value: V, base: LineageId, op: Option<OpId>, cx: &mut ServiceContext<'_>) {
        let lineage = op.map_or(base, |op| {
            cx.effects.push(op);
            cx.lineage.derive(base, op)
        });
        self.blind.insert(key, Blind { value, lineage });
    }
}

impl<V: Value> Service<V> for FlawedKv<V> {
    fn handle(&mut self, from: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        match self.flaw {
            Flaw::StoreForgets => self.handle_forgetfully(from, request, cx),
            Flaw::BlindWrite | Flaw::LeaseWithoutFencing => self.handle_blindly(from, request, cx),
            _ => self.kv.handle(from, request, cx),
        }
    }

    fn on_wake(&mut self, cx: &mut ServiceContext<'_>) {
        self.kv.on_wake(cx);
    }

    fn visible(&self, from: NodeId, key: Key) -> Option<Visible> {
        match self.blind.get(&key) {
            Some(Blind { value, lineage }) => Some(Visible { digest: digest_of(value), lineage: *lineage }),
            None => self.kv.visible(from, key),
        }
    }

    fn newest(&self, key: Key) -> V {
        self.blind.get(&key).map_or_else(|| self.kv.newest(key), |blind| blind.value.clone())
    }

    fn fold(&self, fold: &mut Fold) {
        self.kv.fold(fold);
        fold.word(self.changes);
        for (key, blind) in &self.blind {
            fold.words(u64::from(key.0), digest_of(&blind.value));
        }
    }

    fn bytes(&self, value_bytes: fn(&V) -> u64) -> u64 {
        let blind: u64 = self.blind.values().map(|blind| size_of::<Key>() as u64 + value_bytes(&blind.value)).sum();
        self.kv.bytes(value_bytes) + blind
    }
}

const TWIN: &str = "occ lin-kv";

/// The bugs of stores and of those who use them.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "cas-without-retry",
        title: "a swap that the store refused is reported as done",
        flaw: Flaw::RefusalAsSuccess,
        object: "counter",
        twin: TWIN,
        cause: "The answer to the compare-and-swap is not looked at: that there is one counts as success. Whenever two \
                replicas update at the same time, the one that comes second tells its client that the update is done.",
        fix: "Read again and try again when the store reports that its precondition failed.",
        caught_by: "lost_updates",
        arena: "contention",
    },
    Bug {
        name: "cas-retried-after-timeout",
        title: "a swap whose answer got lost is made again, and counts twice",
        flaw: Flaw::SwapRetried,
        object: "counter",
        twin: TWIN,
        cause: "A swap without answer is taken for one that did not happen. It may have happened and lost only its answer; \
                the retry then reads its result and adds to it once more.",
        fix: "Report such an update as indeterminate, or give it an identity by which the store knows it again.",
        caught_by: "phantom_updates",
        arena: "answers-lost",
    },
    Bug {
        name: "blind-write",
        title: "an update is a read and a write, and nobody compares",
        flaw: Flaw::BlindWrite,
        object: "counter",
        twin: TWIN,
        cause: "The swap is carried out as a plain write: its condition is never evaluated. Two updates that read the same \
                value overwrite each other (Berenson et al. 1995, P4, lost update).",
        fix: "Compare and write in one step of the store.",
        caught_by: "lost_updates",
        arena: "contention",
    },
    Bug {
        name: "lost-acknowledgement-as-failure",
        title: "an update of unknown fate is reported as failed",
        flaw: Flaw::IndeterminateAsFailure,
        object: "counter",
        twin: TWIN,
        cause: "A timeout is turned into an error, and the client takes an error to mean that nothing happened. The swap may \
                have taken effect, or may still do so.",
        fix: "Keep three outcomes apart to the very end: done, not done, and not known.",
        caught_by: "phantom_updates",
        arena: "answers-lost",
    },
    Bug {
        name: "stale-cache",
        title: "reads are answered from a cache that no update invalidates",
        flaw: Flaw::StaleCache,
        object: "counter",
        twin: TWIN,
        cause: "For half a second after a read, a replica answers reads with what that one returned. Updates made meanwhile, \
                its own clients' too, do not show.",
        fix: "Read through, or have the store confirm that the cached version is still the newest.",
        caught_by: "linearizable",
        arena: "contention",
    },
    Bug {
        name: "store-forgets",
        title: "the store acknowledges every tenth change without making it",
        flaw: Flaw::StoreForgets,
        object: "counter",
        twin: TWIN,
        cause: "The store answers before the change is in place, and one path in ten returns without making it. Nobody who \
                trusts the answer can know.",
        fix: "Answer after the change, from the state that contains it.",
        caught_by: "lost_updates",
        arena: "contention",
    },
    Bug {
        name: "seq-kv-for-lin-kv",
        title: "the store is sequentially consistent, and everybody believes it to be linearizable",
        flaw: Flaw::SeqForLin,
        object: "counter",
        twin: TWIN,
        cause: "A cheaper store was put in place. It never goes back in time for one client, and no update gets lost, but \
                reads may return what was overwritten long before they began.",
        fix: "Use a linearizable store where reads must be current, or turn reads into swaps of equal values.",
        caught_by: "linearizable",
        arena: "contention",
    },
    Bug {
        name: "lww-kv-for-lin-kv",
        title: "the store lets the last writer win, and everybody believes it to be linearizable",
        flaw: Flaw::LwwForLin,
        object: "counter",
        twin: TWIN,
        cause: "The store keeps several copies that accept writes on their own. A swap that succeeds on one copy is \
                overwritten by another copy's later write that never saw it.",
        fix: "Build read-modify-write on a store that has one order of writes.",
        caught_by: "lost_updates",
        arena: "contention",
    },
    Bug {
        name: "roaming-session",
        title: "a client that moves to another replica does not find what it wrote",
        flaw: Flaw::RoamingSession,
        object: "counter",
        twin: TWIN,
        cause: "A load balancer sends each request to any replica, and nothing in the request says what its client has seen. \
                The replica answers from a state that may lack the client's own updates.",
        fix: "Bind a client to a replica, or let it carry a version vector and have replicas wait until they have reached it.",
        caught_by: "read-your-writes",
        arena: "roaming-clients",
    },
    Bug {
        name: "lease-without-fencing",
        title: "a holder whose lease has run out still writes",
        flaw: Flaw::LeaseWithoutFencing,
        object: "counter",
        twin: "lock",
        cause: "The lease says who may write, and the holder looks at it before it writes. But the holder's clock may be \
                behind, and its message may be late: by the time the write arrives, somebody else holds the lease, has \
                read, and is overwritten or overwrites.",
        fix: "Let the store compare: a fencing token that rises with every lease, or the value that was read.",
        caught_by: "lost_updates",
        arena: "leases",
    },
];

#[cfg(test)]
mod tests {
    use crdts::objects::counter::{CounterOp, CounterRet};

    use super::*;
    use crate::{
        kernel::{
            draws::Stream,
            lineage::Lineage,
            node::{Node, Refusal, Reply},
            recorded::{Effect, Recorded},
            time::Time,
            topology::Topology,
        },
        protocols::occ::{Occ, OccConfig, OccTimer},
        zoo::flawed::{CACHE_NS_MAX, Flawed, FlawedConfig, FlawedTimer},
    };

    type Replica = Flawed<Occ>;

    const ADD: CounterOp = CounterOp::Add(1);

    /// One bent replica, and a bent store that is asked when a test says so.
    struct Bench {
        replicas: Vec<Replica>,
        cx: Recorded<Replica>,
        store: FlawedKv<i128>,
        lineage: Lineage,
        effects: Vec<u32>,
        /// Calls that have not reached the store: replica, token, request.
        calls: VecDeque<(u32, u64, KvRequest<i128>)>,
        timers: Vec<FlawedTimer<OccTimer>>,
        replies: Vec<(u32, Reply<CounterRet>)>,
    }

    impl Bench {
        fn new(flaw: Flaw) -> Self {
            let config = FlawedConfig { node: OccConfig::new(NodeId(2)), flaw };
            Self {
                replicas: [0, 1].map(|id| Replica::boot(&config, NodeId(id), 2)).into(),
                cx: Recorded::new(Topology::Complete { replicas: 2 }),
                store: FlawedKv::new(&KvConfig::new(KvKind::Lin), flaw),
                lineage: Lineage::default(),
                effects: Vec::new(),
                calls: VecDeque::new(),
                timers: Vec::new(),
                replies: Vec::new(),
            }
        }

        fn act(&mut self, at: u32, act: impl FnOnce(&mut Replica, &mut Recorded<Replica>)) {
            self.cx.act_as(NodeId(at), 0);
            act(&mut self.replicas[at as usize], &mut self.cx);
            for effect in self.cx.take_effects() {
                match effect {
                    Effect::Call { call, request, .. } => self.calls.push_back((at, call, request)),
                    Effect::After { timer, .. } => self.timers.push(timer),
                    Effect::Reply { request, reply } => self.replies.push((request.0, reply)),
                    _ => {}
                }
            }
        }

        fn request(&mut self, at: u32, request: u32, op: CounterOp) {
            self.act(at, |node, cx| node.on_request(OpId(request), op, cx));
        }

        /// The store handles a request.
        fn handle(&mut self, from: u32, request: KvRequest<i128>) -> KvReply<i128> {
            let draws = Stream::new(1, "store");
            let mut cx = ServiceContext {
                now: Time::ZERO,
                draws: &draws,
                lineage: &mut self.lineage,
                wake_at: None,
                effects: Vec::new(),
            };
            let reply = self.store.handle(NodeId(from), request, &mut cx);
            self.effects.extend(cx.effects.iter().map(|op| op.0));
            reply
        }

        /// The eldest call reaches the store, and the answer comes back if it is not lost.
        fn serve(&mut self, is_answered: bool) {
            let (from, call, request) = self.calls.pop_front().expect("a call is under way");
            let reply = self.handle(from, request);
            if is_answered {
                self.act(from, |node, cx| node.on_return(call, reply, cx));
            }
        }

        fn serve_all(&mut self) {
            while !self.calls.is_empty() {
                self.serve(true);
            }
        }

        /// The last request is overdue.
        fn time_out(&mut self, at: u32) {
            let is_overdue = |timer: &&FlawedTimer<OccTimer>| matches!(timer, FlawedTimer::Node(OccTimer::Overdue(_)));
            let timer = *self.timers.iter().rfind(is_overdue).expect("a request is under way");
            self.act(at, |node, cx| node.on_timer(timer, cx));
        }

        fn total(&self) -> i128 {
            self.store.newest(Key(0))
        }

        /// The updates behind the value, the latest first.
        fn updates(&self) -> Vec<u32> {
            let at = self.store.visible(NodeId(0), Key(0)).expect("one value").lineage;
            self.lineage.path(at).map(|op| op.0).collect()
        }

        fn done(&self) -> Vec<u32> {
            let done = self.replies.iter().filter(|(_, reply)| *reply == Reply::Ok(CounterRet::Added));
            done.map(|(request, _)| *request).collect()
        }
    }

    /// Both replicas read before either swaps.
    fn contend(flaw: Flaw) -> Bench {
        let mut bench = Bench::new(flaw);
        bench.request(0, 0, ADD);
        bench.serve_all();
        for at in [0, 1] {
            bench.request(at, 1 + at, ADD);
        }
        bench.serve_all();
        bench
    }

    #[test]
    fn without_a_mistake_who_comes_second_tries_again() {
        let bench = contend(Flaw::RoamingSession);
        assert_eq!((bench.done(), bench.total()), (vec![0, 1], 2));
        assert!(bench.timers.iter().any(|timer| matches!(timer, FlawedTimer::Node(OccTimer::Retry(_)))));
    }

    #[test]
    fn a_refusal_is_reported_as_success() {
        let bench = contend(Flaw::RefusalAsSuccess);
        assert_eq!((bench.done(), bench.total()), (vec![0, 1, 2], 2));
        assert_eq!(bench.updates(), [1, 0]);
    }

    #[test]
    fn blind_writes_lose_updates_and_ghost_state_says_which() {
        let bench = contend(Flaw::BlindWrite);
        assert_eq!((bench.done(), bench.total()), (vec![0, 1, 2], 2));
        assert_eq!((bench.updates(), bench.effects), (vec![2, 0], vec![0, 1, 2]));
    }

    /// The answer to the swap gets lost.
    fn lose_an_answer(flaw: Flaw) -> Bench {
        let mut bench = Bench::new(flaw);
        bench.request(0, 0, ADD);
        bench.serve(true);
        bench.serve(false);
        bench.time_out(0);
        bench
    }

    #[test]
    fn a_swap_that_is_made_again_counts_twice() {
        let right = lose_an_answer(Flaw::RoamingSession);
        assert_eq!((right.replies, right.calls.len()), (vec![(0, Reply::Info(Refusal::Timeout))], 0));
        let mut bench = lose_an_answer(Flaw::SwapRetried);
        assert!(bench.replies.is_empty());
        bench.serve_all();
        assert_eq!((bench.done(), bench.total(), bench.updates()), (vec![0], 2, vec![0, 0]));
    }

    #[test]
    fn what_is_not_known_is_reported_as_failed() {
        let bench = lose_an_answer(Flaw::IndeterminateAsFailure);
        assert_eq!(bench.replies, [(0, Reply::Fail(Refusal::Timeout))]);
        assert_eq!(bench.total(), 1);
    }

    #[test]
    fn a_cache_does_not_see_updates() {
        let mut bench = Bench::new(Flaw::StaleCache);
        let read = |bench: &mut Bench, request: u32| {
            bench.request(0, request, CounterOp::Read);
            bench.serve_all();
            bench.replies.last().cloned()
        };
        assert_eq!(read(&mut bench, 0), Some((0, Reply::Ok(CounterRet::Total(0)))));
        bench.request(0, 1, ADD);
        bench.serve_all();
        assert_eq!(read(&mut bench, 2), Some((2, Reply::Ok(CounterRet::Total(0)))));
        bench.cx.clock_ns += CACHE_NS_MAX;
        assert_eq!(read(&mut bench, 3), Some((3, Reply::Ok(CounterRet::Total(1)))));
    }

    #[test]
    fn one_change_in_ten_is_forgotten() {
        let mut bench = Bench::new(Flaw::StoreForgets);
        for request in 0..12 {
            bench.request(0, request, ADD);
            bench.serve_all();
        }
        assert_eq!((bench.done().len(), bench.total(), bench.effects.len()), (12, 11, 11));
        assert!(!bench.updates().contains(&9));
    }

    #[test]
    fn the_wrong_store_is_the_wrong_store() {
        for (flaw, kind) in
            [(Flaw::SeqForLin, KvKind::Seq), (Flaw::LwwForLin, KvKind::Lww), (Flaw::SwapRetried, KvKind::Lin)]
        {
            assert_eq!(FlawedKv::<i128>::new(&KvConfig::new(KvKind::Lin), flaw).kind(), kind);
        }
    }
}
