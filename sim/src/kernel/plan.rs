//! What a run needs to know before it starts: names resolved, tables flat, times fixed.

use std::sync::Arc;

use super::{
    disturbance::{Burst, Window},
    draws::Probability,
    ids::{Endpoints, NodeId},
    latency::LatencyTable,
    time::Time,
    topology::Topology,
};

/// Everything about one run but the protocol and the workload.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// The seed of all draws.
    pub seed: u64,
    /// Endpoints, graph and link conditions.
    pub network: Arc<NetworkPlan>,
    /// The clock of every replica; empty when all clocks are right.
    pub clocks: Vec<ClockPlan>,
    /// All fault windows, sorted by `from`.
    pub windows: Vec<Window>,
    /// How long a client waits for an answer.
    pub timeout_ns: u64,
    /// The horizon: when the quiet period ends and every replica is read once more. The run ends when those reads have
    /// been answered, or have timed out.
    pub final_reads_at: Time,
    /// Where a run stops unfinished.
    pub limits: Limits,
}

/// Bounds of a run. Reaching one stops the run with a named reason; such a run is never a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most events handled.
    pub events_max: u64,
    /// The most memory held for events, messages, history and lineage, in bytes.
    pub memory_bytes_max: u64,
}

/// Endpoints, graph and link conditions.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// How many endpoints there are.
    pub endpoints: Endpoints,
    /// Who is whose neighbour among the replicas.
    pub topology: Topology,
    /// The distinct conditions of links.
    pub classes: Vec<LinkClass>,
    /// Which conditions a link has.
    pub class_of: ClassOf,
    /// Links that differ from [`NetworkPlan::class_of`], sorted by (from, to).
    pub overrides: Vec<((NodeId, NodeId), u16)>,
    /// For every service the replica beside which it stands. On a complete graph all replicas reach it directly; on any
    /// other, messages travel over the shortest path to that replica.
    pub service_at: Vec<NodeId>,
    /// The conditions between clients and replicas.
    pub client_class: u16,
}

/// Which class a link has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassOf {
    /// All links the same.
    Uniform(u16),
    /// By the regions of its ends.
    Regions {
        /// The region of every replica and service, by endpoint number.
        region: Vec<u16>,
        /// The number of regions.
        regions: u16,
        /// The class from region `a` to region `b`, at `a * regions + b`.
        class: Vec<u16>,
    },
}

/// The conditions on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkClass {
    /// How long messages take, apart from bandwidth.
    pub latency: Arc<LatencyTable>,
    /// The probability that a message is lost.
    pub loss: Probability,
    /// The probability that a message arrives twice.
    pub duplicate: Probability,
    /// Losses in bursts, beside `loss`.
    pub burst: Option<Burst>,
    /// A finite rate; `None` when size costs no time.
    pub bandwidth: Option<Bandwidth>,
}

/// A finite rate with a queue in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Bytes per second.
    pub bytes_per_second: u64,
    /// Messages that find more bytes than this waiting are lost.
    pub queue_bytes: u64,
}

/// A replica's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockPlan {
    /// Its offset at the start.
    pub offset_ns: i64,
    /// How much it gains, in nanoseconds per second.
    pub drift_ppb: i64,
}
