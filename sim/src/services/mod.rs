//! Services: external key-value stores with a stated consistency, after those of Maelstrom.
//!
//! | store | consistency |
//! |---|---|
//! | `lin-kv` ([`lin_kv`]) | linearizable: one state |
//! | `seq-kv` ([`seq_kv`]) | sequentially consistent: clients may be served past states, but none goes back in time |
//! | `lww-kv` ([`lww_kv`]) | last writer wins over several internal replicas: reads go back, swaps get overwritten |
//!
//! [`ring_kv`] is what Maelstrom's own `seq-kv` does instead, for comparison.
//!
//! In all of them a key does not exist until it is written. [`Service::newest`] and [`Service::visible`] show a missing
//! key as the default value, as clients that create on first write do.
//!
//! Nothing here knows about networks: a store answers at once, and what becomes of the answer is not its business.

use std::{fmt::Debug, hash::Hash};

use crate::kernel::{
    fold::{Fold, digest_of},
    ids::{NodeId, OpId},
    lineage::{Lineage, LineageId},
    service::{Key, KvReply, KvRequest, Service, ServiceContext, Visible},
    time::MILLISECOND,
};

pub mod lin_kv;
pub mod lww_kv;
pub mod ring_kv;
pub mod seq_kv;

use lin_kv::LinKv;
use lww_kv::LwwKv;
use ring_kv::RingKv;
use seq_kv::SeqKv;

/// What a store holds: anything that can be compared and digested.
pub trait Value: Clone + Debug + Default + Eq + Hash + Send + Sync {}

impl<V: Clone + Debug + Default + Eq + Hash + Send + Sync> Value for V {}

/// The stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvKind {
    /// Linearizable.
    #[default]
    Lin,
    /// Sequentially consistent.
    Seq,
    /// Last writer wins.
    Lww,
}

impl KvKind {
    /// All stores.
    pub const ALL: [Self; 3] = [Self::Lin, Self::Seq, Self::Lww];

    /// The name in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lin => "lin-kv",
            Self::Seq => "seq-kv",
            Self::Lww => "lww-kv",
        }
    }
}

/// All stores, with what they promise in one line.
pub const STORES: &[(&str, &str)] = &[
    ("lin-kv", "linearizable: every read returns the newest value"),
    ("seq-kv", "sequentially consistent: a client may read a past state, but never goes back"),
    ("lww-kv", "eventually consistent: several internal replicas, the last write wins, acknowledged writes are lost"),
];

/// The options of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvConfig {
    /// Which store.
    pub kind: KvKind,
    /// For `seq-kv`: how long a state may still be served after it was superseded. Default 500 ms.
    pub staleness_ns_max: u64,
    /// For `lww-kv`: the number of internal replicas, at least 1. Default 2.
    pub internal_replicas: u32,
    /// For `seq-kv`: is it to have the defect of Maelstrom's ([`ring_kv`])?
    pub compat_maelstrom: bool,
}

impl KvConfig {
    /// The defaults, for this store.
    pub fn new(kind: KvKind) -> Self {
        Self { kind, staleness_ns_max: 500 * MILLISECOND, internal_replicas: 2, compat_maelstrom: false }
    }
}

/// A store of any kind.
#[derive(Clone, Debug)]
pub enum Kv<V> {
    /// Linearizable.
    Lin(LinKv<V>),
    /// Sequentially consistent.
    Seq(SeqKv<V>),
    /// Almost.
    Ring(RingKv<V>),
    /// Last writer wins.
    Lww(LwwKv<V>),
}

impl<V: Value> Kv<V> {
    /// An empty store.
    pub fn new(config: &KvConfig) -> Self {
        match config.kind {
            KvKind::Lin => Self::Lin(LinKv::default()),
            KvKind::Seq if config.compat_maelstrom => Self::Ring(RingKv::default()),
            KvKind::Seq => Self::Seq(SeqKv::new(config.staleness_ns_max)),
            KvKind::Lww => Self::Lww(LwwKv::new(config.internal_replicas)),
        }
    }

    /// Which store this is.
    pub fn kind(&self) -> KvKind {
        match self {
            Self::Lin(_) => KvKind::Lin,
            Self::Seq(_) | Self::Ring(_) => KvKind::Seq,
            Self::Lww(_) => KvKind::Lww,
        }
    }
}

impl<V: Value> Service<V> for Kv<V> {
    fn handle(&mut self, from: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        match self {
            Self::Lin(kv) => kv.handle(from, request, cx),
            Self::Seq(kv) => kv.handle(from, request, cx),
            Self::Ring(kv) => kv.handle(from, request, cx),
            Self::Lww(kv) => kv.handle(from, request, cx),
        }
    }

    fn on_wake(&mut self, cx: &mut ServiceContext<'_>) {
        match self {
            Self::Lin(kv) => kv.on_wake(cx),
            Self::Seq(kv) => kv.on_wake(cx),
            Self::Ring(kv) => kv.on_wake(cx),
            Self::Lww(kv) => kv.on_wake(cx),
        }
    }

    fn visible(&self, from: NodeId, key: Key) -> Option<Visible> {
        match self {
            Self::Lin(kv) => kv.visible(from, key),
            Self::Seq(kv) => kv.visible(from, key),
            Self::Ring(kv) => kv.visible(from, key),
            Self::Lww(kv) => kv.visible(from, key),
        }
    }

    fn newest(&self, key: Key) -> V {
        match self {
            Self::Lin(kv) => kv.newest(key),
            Self::Seq(kv) => kv.newest(key),
            Self::Ring(kv) => kv.newest(key),
            Self::Lww(kv) => kv.newest(key),
        }
    }

    fn fold(&self, fold: &mut Fold) {
        match self {
            Self::Lin(kv) => kv.fold(fold),
            Self::Seq(kv) => kv.fold(fold),
            Self::Ring(kv) => kv.fold(fold),
            Self::Lww(kv) => kv.fold(fold),
        }
    }

    fn bytes(&self, value_bytes: fn(&V) -> u64) -> u64 {
        match self {
            Self::Lin(kv) => kv.bytes(value_bytes),
            Self::Seq(kv) => kv.bytes(value_bytes),
            Self::Ring(kv) => kv.bytes(value_bytes),
            Self::Lww(kv) => kv.bytes(value_bytes),
        }
    }
}

/// A value with the updates behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<V> {
    value: V,
    /// Ghost.
    lineage: LineageId,
}

impl<V: Value> Entry<V> {
    fn visible(&self) -> Visible {
        Visible { digest: digest_of(&self.value), lineage: self.lineage }
    }

    /// How a key that does not exist looks.
    fn missing() -> Visible {
        Visible { digest: digest_of(&V::default()), lineage: LineageId::ROOT }
    }
}

/// What a request would do to a state.
#[derive(Debug)]
enum Outcome<V> {
    /// Nothing but this answer.
    Answer(KvReply<V>),
    /// It sets the key, and answers.
    Set {
        value: V,
        /// Does the new value build on the present one? A blind write does not.
        builds_on: bool,
        op: Option<OpId>,
        reply: KvReply<V>,
    },
}

impl<V: Value> Outcome<V> {
    /// The semantics that all stores share: what `request` does where the key is `current`.
    fn of(request: &KvRequest<V>, current: Option<&Entry<V>>) -> Self {
        match (request, current) {
            (KvRequest::Read { .. }, Some(Entry { value, lineage })) => {
                Self::Answer(KvReply::Value { value: value.clone(), lineage: *lineage })
            }
            (KvRequest::Write { value, op, .. }, _) => {
                Self::Set { value: value.clone(), builds_on: false, op: *op, reply: KvReply::Written }
            }
            (KvRequest::Cas { from, to, op, .. }, Some(Entry { value, .. })) if value == from => {
                Self::Set { value: to.clone(), builds_on: true, op: *op, reply: KvReply::Swapped }
            }
            // Only `lin-kv` keeps leases and gives out numbers: elsewhere nobody gets any.
            (KvRequest::Cas { .. }, Some(_)) | (KvRequest::SwapLease { .. } | KvRequest::Timestamp, _) => {
                Self::Answer(KvReply::PreconditionFailed)
            }
            (KvRequest::Cas { to, op, create_if_not_exists: true, .. }, None) => {
                Self::Set { value: to.clone(), builds_on: true, op: *op, reply: KvReply::Swapped }
            }
            (KvRequest::Read { .. } | KvRequest::Cas { .. }, None) => Self::Answer(KvReply::KeyDoesNotExist),
        }
    }
}

/// The key of a request; of one that has none, a key that nobody uses.
fn key_of<V>(request: &KvRequest<V>) -> Key {
    match request {
        KvRequest::Timestamp => Key(u32::MAX),
        KvRequest::Read { key }
        | KvRequest::Write { key, .. }
        | KvRequest::Cas { key, .. }
        | KvRequest::SwapLease { key, .. } => *key,
    }
}

/// Ghost: the lineage of a value that was just set where the key had `current`, and a note that the update took effect.
/// A compare-and-swap is put down to the lineage of the state in which it takes effect, not of the state that its
/// client read: the same value may have come about again in between.
fn lineage_after(
    current: LineageId,
    builds_on: bool,
    op: Option<OpId>,
    lineage: &mut Lineage,
    effects: &mut Vec<OpId>,
) -> LineageId {
    let base = if builds_on { current } else { LineageId::ROOT };
    let Some(op) = op else { return base };
    effects.push(op);
    lineage.derive(base, op)
}

/// What the key of an entry weighs.
const KEY_BYTES: u64 = size_of::<Key>() as u64;

/// Feeds a key and its value to a digest. The lineage is ghost and has no part in it.
fn fold_entry<V: Value>(fold: &mut Fold, key: Key, entry: &Entry<V>) {
    fold.words(u64::from(key.0), digest_of(&entry.value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_go_by_their_names() {
        for kind in KvKind::ALL {
            let store = Kv::<i128>::new(&KvConfig::new(kind));
            assert_eq!(store.kind(), kind);
            assert_eq!(store.newest(Key(3)), 0);
            assert_eq!(store.visible(NodeId(0), Key(3)), Some(Entry::<i128>::missing()));
        }
        assert_eq!(KvKind::ALL.map(KvKind::name), ["lin-kv", "seq-kv", "lww-kv"]);
    }
}

#[cfg(test)]
mod bench {
    //! What the tests of the stores share.

    use super::*;
    use crate::kernel::{draws::Stream, time::Time};

    /// A store with the world it needs.
    pub(super) struct Bench<S> {
        pub(super) store: S,
        pub(super) now: Time,
        pub(super) lineage: Lineage,
        pub(super) effects: Vec<OpId>,
        pub(super) wake_at: Option<Time>,
        draws: Stream,
    }

    impl<S: Service<i128>> Bench<S> {
        pub(super) fn new(store: S, seed: u64) -> Self {
            Self {
                store,
                now: Time::ZERO,
                lineage: Lineage::default(),
                effects: Vec::new(),
                wake_at: None,
                draws: Stream::new(seed, "store"),
            }
        }

        fn with<R>(&mut self, act: impl FnOnce(&mut S, &mut ServiceContext<'_>) -> R) -> R {
            let mut cx = ServiceContext {
                now: self.now,
                draws: &self.draws,
                lineage: &mut self.lineage,
                wake_at: None,
                effects: Vec::new(),
            };
            let result = act(&mut self.store, &mut cx);
            self.wake_at = cx.wake_at;
            self.effects.append(&mut cx.effects);
            result
        }

        pub(super) fn handle(&mut self, from: u32, request: KvRequest<i128>) -> KvReply<i128> {
            self.with(|store, cx| store.handle(NodeId(from), request, cx))
        }

        pub(super) fn wake(&mut self) {
            self.with(Service::on_wake);
        }

        /// The value read, or `None` when the key does not exist.
        pub(super) fn read(&mut self, from: u32) -> Option<i128> {
            match self.handle(from, read()) {
                KvReply::Value { value, .. } => Some(value),
                KvReply::KeyDoesNotExist => None,
                other => panic!("{other:?} is no answer to a read"),
            }
        }

        pub(super) fn updates_behind(&self, visible: Option<Visible>) -> Vec<u32> {
            let at = visible.expect("one value is visible").lineage;
            self.lineage.path(at).map(|op| op.0).collect()
        }
    }

    pub(super) fn read() -> KvRequest<i128> {
        KvRequest::Read { key: Key(0) }
    }

    pub(super) fn write(value: i128, op: Option<u32>) -> KvRequest<i128> {
        KvRequest::Write { key: Key(0), value, op: op.map(OpId) }
    }

    pub(super) fn cas(from: i128, to: i128, create_if_not_exists: bool, op: Option<u32>) -> KvRequest<i128> {
        KvRequest::Cas { key: Key(0), from, to, create_if_not_exists, op: op.map(OpId) }
    }
}
