//! What can happen in a run.

use super::ids::{NodeId, OpId};

/// The number of [`Event::Message`] in the fingerprint.
pub(crate) const MESSAGE: u32 = 1;
/// The number of [`Event::Timer`] in the fingerprint.
pub(crate) const TIMER: u32 = 2;

/// An event. Bodies rest in slabs; only handles travel through the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Event<T> {
    /// A message of one replica arrives at another.
    Message { from: NodeId, to: NodeId, body: u32 },
    /// A timer of a replica fires.
    Timer { node: NodeId, incarnation: u32, timer: T },
    /// A client's next operation is due.
    Arrive { client: u32 },
    /// An operation arrives at its replica.
    Request { op: OpId },
    /// An answer arrives at its client.
    Answer { op: OpId, body: u32 },
    /// A client has waited long enough.
    Timeout { op: OpId },
    /// A request arrives at a service.
    Call { from: NodeId, service: u32, body: u32 },
    /// A service's reply arrives at a replica.
    Return { service: u32, to: NodeId, body: u32 },
    /// A service asked to be woken.
    Wake { service: u32 },
    /// A fault begins.
    Begin { window: u32 },
    /// A fault is healed.
    End { window: u32 },
    /// The state to which a fault will set nodes back is kept.
    Snapshot { window: u32 },
    /// The quiet period is over: every replica is read once more.
    #[default]
    FinalReads,
}

impl<T> Event<T> {
    /// A number below 16 for the fingerprint, and the endpoint or thing concerned.
    #[inline]
    pub(crate) fn identity(&self) -> (u32, u32) {
        match *self {
            Self::Message { to, .. } => (MESSAGE, to.0),
            Self::Timer { node, .. } => (TIMER, node.0),
            Self::Arrive { client } => (3, client),
            Self::Request { op } => (4, op.0),
            Self::Answer { op, .. } => (5, op.0),
            Self::Timeout { op } => (6, op.0),
            Self::Call { service, .. } => (7, service),
            Self::Return { to, .. } => (8, to.0),
            Self::Wake { service } => (9, service),
            Self::Begin { window } => (10, window),
            Self::End { window } => (11, window),
            Self::Snapshot { window } => (12, window),
            Self::FinalReads => (13, 0),
        }
    }
}
