//! Observers: what a run shows to those who measure it.
//!
//! The world calls an [`Observer`] at the moments listed here. Observers see true time, all nodes and the ghost lineage,
//! and change nothing: a run has the same fingerprint under every observer. The calls are resolved at compile time, so
//! what an observer does not implement costs nothing.

use super::{
    disturbance::Window,
    fold::Fingerprint,
    ids::{NodeId, OpId},
    lineage::{Lineage, LineageId},
    network::Network,
    node::{Knowledge, Node, Observation, OpOf, Reply, RetOf, StateOf},
    service::{Key, Service},
    time::Time,
};
use crdts::clock::ReplicaId;

/// The key under which stores keep the object.
pub const OBJECT: Key = Key(0);

/// Watches a run. `S` is the type of its services.
pub trait Observer<N: Node, S: Service<StateOf<N>>>: Clone {
    /// A client invokes an operation.
    fn invoked(&mut self, now: Time, invocation: &Invocation<'_, OpOf<N>>) {
        let _ = (now, invocation);
    }

    /// A client's operation ends: by its answer, or because the client waited long enough.
    fn ended(&mut self, now: Time, op: OpId, reply: &Reply<RetOf<N>>) {
        let _ = (now, op, reply);
    }

    /// An update takes effect. Called again when it is applied again.
    fn effect(&mut self, now: Time, op: OpId, mark: Mark) {
        let _ = (now, op, mark);
    }

    /// A replica answers an operation; for a read, `source` tells which updates the returned value contains.
    fn answered(&mut self, now: Time, op: OpId, replica: NodeId, source: Source, view: &View<'_, N, S>) {
        let _ = (now, op, replica, source, view);
    }

    /// What a read invoked at `replica` would return may have changed.
    fn changed(&mut self, now: Time, replica: NodeId, view: &View<'_, N, S>) {
        let _ = (now, replica, view);
    }

    /// What reads at replicas that observe `service` would return may have changed.
    fn service_changed(&mut self, now: Time, service: NodeId, view: &View<'_, N, S>) {
        let _ = (now, service, view);
    }

    /// A fault begins or is healed: which replicas live, and what they can reach, may have changed.
    fn disturbed(&mut self, now: Time, window: u32, begins: bool, view: &View<'_, N, S>) {
        let _ = (now, window, begins, view);
    }

    /// The memory held for what was observed, in bytes: it counts towards the limit of the run.
    fn bytes(&self) -> u64 {
        0
    }
}

/// An operation as it is invoked.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a, Op> {
    /// Its number.
    pub op: OpId,
    /// The client's number; final reads have client numbers of their own, after all others.
    pub client: u32,
    /// The replica it is sent to.
    pub replica: NodeId,
    /// The operation.
    pub what: &'a Op,
    /// Is it one of the reads that end the run?
    pub is_final: bool,
}

/// How to recognise an update in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// By the value's lineage.
    Lineage,
    /// A value contains the update when its progress for `origin` is at least `progress`.
    Progress {
        /// The identity that wrote.
        origin: ReplicaId,
        /// What it reported right after the update.
        progress: u64,
    },
}

/// Where the value of an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The replica's own state at this moment.
    Replica,
    /// A value with this lineage.
    Lineage(LineageId),
}

/// What an observer may look at.
#[derive(Debug)]
pub struct View<'a, N, S> {
    /// All replicas.
    pub nodes: &'a [N],
    /// All services.
    pub services: &'a [S],
    /// Per replica and service: is it down?
    pub(crate) hosts: &'a [super::host::Host],
    /// The network.
    pub network: &'a Network,
    /// The ghost lineage.
    pub lineage: &'a Lineage,
    /// All fault windows.
    pub windows: &'a [Window],
}

impl<N: Node, S: Service<StateOf<N>>> View<'_, N, S> {
    /// Is the endpoint up? A paused replica is.
    pub fn is_live(&self, node: NodeId) -> bool {
        !self.hosts[node.index()].is_down()
    }

    /// A digest of what a read invoked at `replica` now would return, and which updates it contains; `None` when it would
    /// not be answered, or could return several values.
    pub fn observed(&self, replica: NodeId) -> Option<(u64, Knowledge)> {
        if !self.hosts[replica.index()].answers() {
            return None;
        }
        let node = &self.nodes[replica.index()];
        match node.observation() {
            Observation::Local => Some((node.digest(), node.knowledge())),
            Observation::Service(service) => {
                if !self.hosts[service.index()].answers() || !self.network.connected(replica, service) {
                    return None;
                }
                let index = service.index() - self.nodes.len();
                let visible = self.services[index].visible(replica, OBJECT)?;
                Some((visible.digest, Knowledge::Lineage(visible.lineage)))
            }
        }
    }

    /// The value that a read invoked at `replica` would return, in the newest state of where it comes from.
    pub fn value(&self, replica: NodeId) -> StateOf<N> {
        let node = &self.nodes[replica.index()];
        match node.observation() {
            Observation::Local => node.value(),
            Observation::Service(service) => self.services[service.index() - self.nodes.len()].newest(OBJECT),
        }
    }
}

/// An event that was handled, for traces.
#[derive(Clone, Debug)]
pub struct TracedEvent<'a> {
    /// When.
    pub time: Time,
    /// Its place in the order of scheduling: the id of the message, if it is one.
    pub sequence: u64,
    /// What it was: `message`, `timer`, …
    pub kind: &'static str,
    /// The endpoint that handled it, if one did.
    pub node: Option<NodeId>,
    /// The sender of a message.
    pub from: Option<NodeId>,
    /// The content, for a person.
    pub detail: &'a str,
    /// Was it handled? Messages to crashed or cut-off endpoints are not.
    pub handled: bool,
    /// Sequence numbers from here up to `scheduled_to` were scheduled by this event.
    pub scheduled_from: u64,
    /// One past the last sequence number scheduled by this event.
    pub scheduled_to: u64,
    /// The digest of the node's observable value before.
    pub digest_before: u64,
    /// The digest of the node's observable value after.
    pub digest_after: u64,
    /// The fingerprint of the run so far.
    pub fingerprint: Fingerprint,
}

/// Observes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl<N: Node, S: Service<StateOf<N>>> Observer<N, S> for Unobserved {}
