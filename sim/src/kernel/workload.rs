//! The workload contract: which client invokes what, where and when.

use crdts::object::Object;

use super::{ids::NodeId, time::Time};

/// One invocation that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival<Op> {
    /// When the client invokes.
    pub at: Time,
    /// The replica it talks to.
    pub replica: NodeId,
    /// The operation.
    pub op: Op,
}

/// When a client's next invocation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// Right after the previous invocation: arrivals do not wait for answers.
    Open,
    /// When the previous operation has ended.
    Closed,
}

/// Timed operations of clients. All draws are addressed by (client, number of the client's operation), so that every
/// system of a scenario meets the same arrivals.
pub trait Workload<O: Object>: Clone + Send + Sync {
    /// Open or closed.
    fn pacing(&self) -> Loop;

    /// The next invocation of client number `client`, not before `not_before`; `None` when it is done for good.
    fn next(&mut self, client: u32, not_before: Time) -> Option<Arrival<O::Op>>;

    /// A client was told this. What it invokes afterwards may depend on it, as the place of a keystroke depends on the text.
    #[inline]
    fn learned(&mut self, client: u32, ret: &O::Ret) {
        let _ = (client, ret);
    }
}
