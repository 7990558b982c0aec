//! The service contract: external stores that replicas call over the network.
//!
//! A service is a single endpoint. Requests reach it one at a time, it answers at once, and the network decides what
//! becomes of the answer. The vocabulary is that of a key-value store with compare-and-swap, and its errors are those of
//! the Maelstrom protocol (codes 20 and 22).

use std::{fmt::Debug, hash::Hash};

use super::{
    draws::Stream,
    fold::{Fold, digest_of},
    ids::{NodeId, OpId},
    lineage::{Lineage, LineageId},
    time::Time,
};

/// A key of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u32);

/// A lease of a key: who may write it, and until when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Who holds it; nobody when it is free.
    pub holder: Option<NodeId>,
    /// Until when, by the holder's clock in nanoseconds.
    pub until_ns: i64,
}

/// A request to a store. `op` is ghost: the client update on whose behalf the request writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KvRequest<V> {
    /// Asks for the value of a key.
    Read {
        /// The key.
        key: Key,
    },
    /// Sets the value of a key.
    Write {
        /// The key.
        key: Key,
        /// The new value.
        value: V,
        /// The update behind the write, if a client's.
        op: Option<OpId>,
    },
    /// Sets the value of a key if it is `from`.
    Cas {
        /// The key.
        key: Key,
        /// The expected value.
        from: V,
        /// The new value.
        to: V,
        /// Writes `to` when the key does not exist, whatever `from` is.
        create_if_not_exists: bool,
        /// The update behind the write, if a client's.
        op: Option<OpId>,
    },
    /// Sets the lease of a key if it is `from`. The lease guards nothing by itself: whoever writes has to heed it.
    SwapLease {
        /// The key.
        key: Key,
        /// The expected lease.
        from: Lease,
        /// The new lease.
        to: Lease,
    },
    /// Asks for the next number, which nobody else gets.
    Timestamp,
}

/// The reply of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KvReply<V> {
    /// The value that was read, with its lineage (ghost).
    Value {
        /// The value.
        value: V,
        /// Which updates it contains.
        lineage: LineageId,
    },
    /// The write took effect.
    Written,
    /// The compare-and-swap took effect.
    Swapped,
    /// The key does not exist: nothing was changed.
    KeyDoesNotExist,
    /// The value was not the expected one: nothing was changed.
    PreconditionFailed,
    /// The lease was this one, and not the expected: nothing was changed.
    Lease(Lease),
    /// The next number, from 0.
    Timestamp(u64),
}

impl<V> KvRequest<V> {
    /// The size of the values in it, in bytes, given that of one.
    pub fn values_bytes(&self, value_bytes: impl Fn(&V) -> u64) -> u64 {
        match self {
            Self::Read { .. } | Self::SwapLease { .. } | Self::Timestamp => 0,
            Self::Write { value, .. } => value_bytes(value),
            Self::Cas { from, to, .. } => value_bytes(from) + value_bytes(to),
        }
    }

    /// A digest of the canonical content, without ghost state.
    pub fn digest(&self) -> u64
    where
        V: Hash,
    {
        match self {
            Self::Read { key } => digest_of(&(0_u8, key)),
            Self::Write { key, value, .. } => digest_of(&(1_u8, key, value)),
            Self::Cas { key, from, to, create_if_not_exists, .. } => {
                digest_of(&(2_u8, key, from, to, create_if_not_exists))
            }
            Self::SwapLease { key, from, to } => digest_of(&(3_u8, key, from, to)),
            Self::Timestamp => digest_of(&4_u8),
        }
    }

    /// The kind of request, for traces.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Write { .. } => "write",
            Self::Cas { .. } => "cas",
            Self::SwapLease { .. } => "lease",
            Self::Timestamp => "ts",
        }
    }
}

impl<V> KvReply<V> {
    /// The size of the value in it, in bytes, given that of one.
    pub fn values_bytes(&self, value_bytes: impl Fn(&V) -> u64) -> u64 {
        match self {
            Self::Value { value, .. } => value_bytes(value),
            _ => 0,
        }
    }

    /// A digest of the canonical content, without ghost state.
    pub fn digest(&self) -> u64
    where
        V: Hash,
    {
        match self {
            Self::Value { value, .. } => digest_of(&(0_u8, value)),
            Self::Written => digest_of(&1_u8),
            Self::Swapped => digest_of(&2_u8),
            Self::KeyDoesNotExist => digest_of(&3_u8),
            Self::PreconditionFailed => digest_of(&4_u8),
            Self::Lease(lease) => digest_of(&(5_u8, lease)),
            Self::Timestamp(number) => digest_of(&(6_u8, number)),
        }
    }

    /// The kind of reply, for traces.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Value { .. } => "read_ok",
            Self::Written => "write_ok",
            Self::Swapped => "cas_ok",
            Self::KeyDoesNotExist => "key_does_not_exist",
            Self::PreconditionFailed => "precondition_failed",
            Self::Lease(_) => "lease_refused",
            Self::Timestamp(_) => "ts_ok",
        }
    }
}

/// What a read of an endpoint at a store would return now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visible {
    /// A digest of the value (`digest_of` the object's state).
    pub digest: u64,
    /// Which updates it contains.
    pub lineage: LineageId,
}

/// What a service may use while it handles a request.
#[derive(Debug)]
pub struct ServiceContext<'a> {
    /// True time. A service has no skewed clock.
    pub now: Time,
    /// The service's own draws; the service keeps the counters.
    pub draws: &'a Stream,
    /// The lineage of values (ghost).
    pub lineage: &'a mut Lineage,
    /// The service asks to be woken at this time through [`Service::on_wake`]; the earliest wish counts.
    pub wake_at: Option<Time>,
    /// Updates that took effect while handling, in order; the world reports them.
    pub effects: Vec<OpId>,
}

/// A store.
pub trait Service<V>: Clone + Debug + Send + Sync {
    /// Handles a request of `from`.
    fn handle(&mut self, from: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V>;

    /// The time asked for with [`ServiceContext::wake_at`] has come.
    fn on_wake(&mut self, cx: &mut ServiceContext<'_>);

    /// What a read of `key` by `from` would return now; `None` when there is more than one possible answer.
    fn visible(&self, from: NodeId, key: Key) -> Option<Visible>;

    /// The value of `key` in the newest state.
    fn newest(&self, key: Key) -> V;

    /// Feeds the canonical state to a digest.
    fn fold(&self, fold: &mut Fold);

    /// The size of the store's current state in bytes, given the size of a value.
    fn bytes(&self, value_bytes: fn(&V) -> u64) -> u64;
}
