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

    /// Does [`Workload::aim`] want to be called? If not, the call does not exist in the compiled loop.
    const AIMS: bool = false;

    /// A client that looks at `value` is about to invoke `op`, and may aim it, as a person types where the cursor stands in
    /// the text on the screen. What is aimed depends on the run; what is drawn does not.
    fn aim(&mut self, client: u32, op: &mut O::Op, value: &O::State) {
        let _ = (client, op, value);
    }
}
