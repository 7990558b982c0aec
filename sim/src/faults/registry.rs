//! The kinds of faults by name: the one list from which `sim list` and error messages take them.

use super::{FaultKind, PartitionKind};

/// A kind of fault, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultDoc {
    /// The name in scenarios; partitions are `partition.KIND`.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
}

/// All kinds of faults.
pub const FAULTS: &[FaultDoc] = &[
    FaultDoc { name: "partition.groups", doc: "named groups that cannot talk to each other" },
    FaultDoc { name: "partition.halves", doc: "the first half of the replicas against the others" },
    FaultDoc { name: "partition.isolate", doc: "the named nodes, together, against all others" },
    FaultDoc { name: "partition.majority-ring", doc: "every replica sees a majority, and no two see the same" },
    FaultDoc { name: "partition.bridge", doc: "two halves which only the named nodes join" },
    FaultDoc { name: "partition.one-way", doc: "messages from some nodes to others are lost, the way back works" },
    FaultDoc { name: "partition.random", doc: "groups drawn anew at every occurrence" },
    FaultDoc { name: "partition.flapping", doc: "named groups, cut and joined in turns" },
    FaultDoc { name: "crash", doc: "nodes go down; durable, volatile or stale state comes back at the heal" },
    FaultDoc { name: "pause", doc: "nodes do nothing; what arrives waits for the heal" },
    FaultDoc { name: "slow", doc: "nodes take longer for everything they handle" },
    FaultDoc { name: "clock", doc: "clocks of replicas jump and drift" },
    FaultDoc { name: "loss", doc: "further messages are lost" },
    FaultDoc { name: "burst", doc: "messages are lost in bursts" },
    FaultDoc { name: "duplicate", doc: "further messages arrive twice" },
    FaultDoc { name: "delay", doc: "messages take longer" },
];

impl FaultKind {
    /// The full name, as in [`FAULTS`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Partition(kind) => match kind {
                PartitionKind::Groups { .. } => "partition.groups",
                PartitionKind::Halves => "partition.halves",
                PartitionKind::Isolate { .. } => "partition.isolate",
                PartitionKind::MajorityRing => "partition.majority-ring",
                PartitionKind::Bridge { .. } => "partition.bridge",
                PartitionKind::OneWay { .. } => "partition.one-way",
                PartitionKind::Random { .. } => "partition.random",
                PartitionKind::Flapping { .. } => "partition.flapping",
            },
            Self::Crash { .. } => "crash",
            Self::Pause { .. } => "pause",
            Self::Slow { .. } => "slow",
            Self::Clock { .. } => "clock",
            Self::Loss { .. } => "loss",
            Self::Burst { .. } => "burst",
            Self::Duplicate { .. } => "duplicate",
            Self::Delay { .. } => "delay",
        }
    }
}
