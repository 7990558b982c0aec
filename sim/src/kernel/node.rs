//! The node contract: what a replica of a protocol is.
//!
//! A [`Node`] is a plain cloneable value without clock, generator, socket or channel. The world calls its handlers with
//! `&mut self` and a [`Context`]; every effect leaves through the context and handlers return nothing. The same source
//! compiles against two contexts: `Direct`, which writes straight into network and queue, and
//! [`super::recorded::Recorded`], which keeps effects as data.
//!
//! The driving contract, in order:
//! 1. [`Node::boot`] makes a replica, [`Node::on_start`] runs once at the start of the run.
//! 2. Requests, messages, timers and returns of called services arrive one at a time. A handler sees the effects of all
//!    earlier handlers of its node.
//! 3. Timers of an earlier incarnation never fire. After a crash, [`Node::on_restart`] is the first handler to run.
//! 4. A handler that may have changed what a read invoked here would return calls [`Context::touched`].
//!
//! What is deliberately absent: return values that a caller could forget, access to other nodes, and true time.

use std::fmt::Debug;

use crdts::{causality::Specify, clock::ReplicaId, lattice::Weight, object::Object};

use super::{
    fold::{Fold, digest_of},
    ids::{NodeId, OpId},
    lineage::LineageId,
    service::{KvReply, KvRequest},
};

/// An operation of a node's object.
pub type OpOf<N> = <<N as Node>::Object as Object>::Op;
/// A return of a node's object.
pub type RetOf<N> = <<N as Node>::Object as Object>::Ret;
/// A state of a node's object.
pub type StateOf<N> = <<N as Node>::Object as Object>::State;

/// A replica of a protocol.
pub trait Node: Clone + Debug + Send + Sync {
    /// What its clients see.
    type Object: Object;
    /// What replicas send to each other.
    type Message: Payload;
    /// What a timer carries back: small, and with a token where an old timer could be mistaken for a new one.
    type Timer: Copy + Debug + PartialEq + Send + Sync;
    /// The options of the protocol, the same for all replicas.
    type Config: Clone + Debug + Send + Sync;

    /// Does the protocol go on until every replica has what any of them has? If not, an update that a replica missed is lost
    /// to it for good.
    const REPAIRS: bool;

    /// Is the replica's state hidden even from the simulator? Then nobody can tell which updates a value contains, and the value
    /// itself is known by answers only.
    const OPAQUE: bool = false;

    /// A replica in its initial state. `replicas` is the number of replicas of the cluster.
    fn boot(config: &Self::Config, id: NodeId, replicas: u32) -> Self;

    /// The run starts.
    fn on_start(&mut self, cx: &mut impl Context<Self>);

    /// A client's operation arrives. It is answered through [`Context::reply`], now or later, at most once.
    fn on_request(&mut self, request: OpId, op: OpOf<Self>, cx: &mut impl Context<Self>);

    /// A message of another replica arrives.
    fn on_message(&mut self, from: NodeId, message: Self::Message, cx: &mut impl Context<Self>);

    /// A timer fires.
    fn on_timer(&mut self, timer: Self::Timer, cx: &mut impl Context<Self>);

    /// The reply of a service that was called with the token `call`.
    fn on_return(&mut self, call: u64, reply: KvReply<StateOf<Self>>, cx: &mut impl Context<Self>) {
        let _ = (call, reply, cx);
    }

    /// The replica is up again after a crash; `self` is what survived (see [`Recovery`]). What a process keeps in memory
    /// only, such as requests in flight, is gone and must be forgotten here.
    fn on_restart(&mut self, recovery: Recovery, cx: &mut impl Context<Self>);

    /// Where the value comes from that a read invoked here now would return.
    fn observation(&self) -> Observation {
        Observation::Local
    }

    /// The value that a read invoked here would return, for [`Observation::Local`].
    fn value(&self) -> StateOf<Self>;

    /// The size of a value on the wire and in a store, in bytes.
    fn value_bytes(value: &StateOf<Self>) -> u64 {
        let _ = value;
        16
    }

    /// A digest of [`Node::value`]; overridden where hashing the value is slow.
    fn digest(&self) -> u64 {
        digest_of(&self.value())
    }

    /// Which updates the value contains.
    fn knowledge(&self) -> Knowledge;

    /// For [`Knowledge::Progress`]: per writing replica how far its updates are contained (see `Crdt::progress`).
    fn progress(&self, visit: impl FnMut(ReplicaId, u64)) {
        let _ = visit;
    }

    /// The size of the replicated state.
    fn weight(&self) -> Weight;

    /// What the value of a replica should be, by the updates that it contains and what each of them had seen, where that is
    /// written down.
    const SPECIFICATION: Option<Specify<Self::Object>> = None;

    /// Is the replicated state a lattice, so that replicas can be joined?
    const LATTICE: bool = false;

    /// For lattices: joins the state of `other` into this replica's, as if all of it had arrived.
    fn join_state(&mut self, other: &Self) {
        let _ = other;
    }

    /// For lattices: a digest of the whole replicated state, of which the observable value is a part.
    fn state_digest(&self) -> u64 {
        self.digest()
    }

    /// For lattices: do the laws of joins hold for these states? If not: which one does not, with a unit test that shows it.
    fn check_laws(states: [&Self; 3]) -> Result<(), String> {
        let _ = states;
        Ok(())
    }

    /// Reads a word or two of what the hot handlers read. The world calls this for many replicas at once, some time before
    /// they handle something, so that waiting for memory overlaps; the result has no meaning.
    #[inline]
    fn touch(&self) -> u64 {
        0
    }

    /// Ghost: what this incarnation has paid for optimism so far. A volatile restart starts at zero again.
    fn costs(&self) -> Costs {
        Costs::default()
    }
}

/// What optimistic concurrency control paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Attempts that failed because somebody else had changed the value.
    pub conflicts: u64,
    /// Attempts that were made again, after a conflict or for lack of an answer.
    pub retries: u64,
}

/// A message body.
pub trait Payload: Clone + Debug + Send + Sync {
    /// The size on the wire in bytes, framing included.
    fn bytes(&self) -> u64;

    /// Feeds the canonical content to the fingerprint.
    fn fold(&self, fold: &mut Fold);

    /// The kind of message, for traces.
    fn kind(&self) -> &'static str;

    /// As [`Node::touch`].
    #[inline]
    fn touch(&self) -> u64 {
        0
    }
}

/// Where the observable value of a replica comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// From the replica's own state.
    Local,
    /// From a service: none when the service cannot be reached.
    Service(NodeId),
}

/// How to tell which updates a value contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// By the value's lineage.
    Lineage(LineageId),
    /// By progress per writing replica.
    Progress,
    /// The service knows.
    Service,
}

/// What of a replica's state survived a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// All of it.
    Durable,
    /// None of it: the replica is as it was booted.
    Volatile,
    /// An older state: the latest changes are lost.
    Stale,
}

/// The answer to a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply<Ret> {
    /// The operation took effect and returned this.
    Ok(Ret),
    /// The operation did not and will not take effect.
    Fail(Refusal),
    /// The operation may have taken effect, or may still do so, or not.
    Info(Refusal),
}

/// Why an operation was not answered with a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// No answer in time.
    Timeout,
    /// The replica is down.
    Down,
    /// Retries were used up.
    Contention,
    /// The store could not be reached.
    StoreUnreachable,
    /// The type cannot express the operation.
    Unsupported,
    /// A counter's range is exhausted.
    Overflow,
    /// The replica found the request malformed.
    MalformedRequest,
    /// The replica named a receiver that does not exist.
    NodeNotFound,
    /// The replica cannot do it now.
    TemporarilyUnavailable,
    /// The replica failed on the way.
    Crash,
    /// The replica says that it did not and will not happen.
    Abort,
    /// There is no such key.
    KeyDoesNotExist,
    /// There is such a key already.
    KeyAlreadyExists,
    /// The value was not the expected one.
    PreconditionFailed,
    /// Another transaction was in the way.
    TxnConflict,
    /// The answer was none of those that there are.
    MalformedReply,
}

/// What a draw of a node is for. Each purpose of each node has its own counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Which peer to talk to.
    Peer,
    /// Jitter of periodic timers.
    Jitter,
    /// Backoff before a retry.
    Backoff,
    /// Anything else.
    Sample,
}

impl Purpose {
    /// The number of purposes.
    pub const COUNT: usize = 4;
}

/// The only way out of a handler.
pub trait Context<N: Node> {
    /// This replica.
    fn id(&self) -> NodeId;

    /// How often this replica has been restarted.
    fn incarnation(&self) -> u32;

    /// The number of replicas of the cluster.
    fn replicas(&self) -> u32;

    /// This replica's own clock in nanoseconds: skewed, drifting, and sometimes set back.
    fn clock_ns(&self) -> i64;

    /// The number of neighbours; all other replicas on a complete graph.
    fn peers(&self) -> u32;

    /// The neighbour with this index, `index < peers()`.
    fn peer(&self, index: u32) -> NodeId;

    /// Sends to a neighbour.
    fn send(&mut self, to: NodeId, message: N::Message);

    /// Fires a timer after `delay_ns` of this replica's clock.
    fn after(&mut self, delay_ns: u64, timer: N::Timer);

    /// Calls a service; its reply arrives at [`Node::on_return`] with the same token, unless it is lost.
    fn call(&mut self, service: NodeId, call: u64, request: KvRequest<StateOf<N>>);

    /// Answers a client.
    fn reply(&mut self, request: OpId, reply: Reply<RetOf<N>>);

    /// A draw in `0..bound`.
    fn pick(&mut self, purpose: Purpose, bound: u64) -> u64;

    /// What a read invoked here would return may have changed.
    fn touched(&mut self);

    /// Ghost: the value at `from` with update `op` applied (see [`super::lineage`]). The first call for an update is the
    /// moment at which it takes effect.
    fn derive(&mut self, from: LineageId, op: OpId) -> LineageId;

    /// Ghost: update `op` took effect here, and `progress` is what [`Node::progress`] now reports for `origin`.
    fn effect(&mut self, op: OpId, origin: ReplicaId, progress: u64);

    /// Ghost: the next answer to a client returns a value with this lineage, and not this replica's own.
    fn answer_from(&mut self, lineage: LineageId) {
        let _ = lineage;
    }

    /// The identity under which this incarnation of the replica writes. A restarted replica may have forgotten what it
    /// acknowledged, so it never writes under an identity it used before.
    fn replica_id(&self) -> ReplicaId {
        ReplicaId(self.id().0 + self.incarnation() * self.replicas())
    }
}
