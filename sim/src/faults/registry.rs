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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        faults::NEMESIS,
        kernel::{
            disturbance::{Burst, LinkSelection},
            draws::Probability,
            latency::LatencyTable,
            node::Recovery,
        },
    };

    #[test]
    fn every_kind_is_registered_once() {
        let (links, probability) = (LinkSelection::All, Probability::ZERO);
        let partitions = [
            PartitionKind::Groups { groups: vec![] },
            PartitionKind::Halves,
            PartitionKind::Isolate { nodes: vec![] },
            PartitionKind::MajorityRing,
            PartitionKind::Bridge { nodes: vec![] },
            PartitionKind::OneWay { from: vec![], to: vec![] },
            PartitionKind::Random { groups: 2 },
            PartitionKind::Flapping { groups: vec![], up_ns: 1, down_ns: 1 },
        ];
        let others = [
            FaultKind::Crash { nodes: vec![], recovery: Recovery::Durable, lost_ns: 0 },
            FaultKind::Pause { nodes: vec![] },
            FaultKind::Slow { nodes: vec![], delay_ns: 1 },
            FaultKind::Clock { nodes: vec![], offset_ns: 1, drift_ppb: 1 },
            FaultKind::Loss { links: links.clone(), probability },
            FaultKind::Burst {
                links: links.clone(),
                burst: Burst { enter: probability, exit: probability, loss: probability },
            },
            FaultKind::Duplicate { links: links.clone(), probability },
            FaultKind::Delay { links, latency: LatencyTable::constant(1).into() },
        ];
        let kinds = partitions.map(FaultKind::Partition).into_iter().chain(others);
        let names: Vec<_> = kinds.map(|kind| kind.name()).collect();
        assert_eq!(names, FAULTS.iter().map(|row| row.name).collect::<Vec<_>>());
    }

    #[test]
    fn names_are_kebab_case_and_docs_are_one_line() {
        let rows = FAULTS.iter().map(|row| (row.name, row.doc)).chain(NEMESIS.iter().map(|row| (row.name, row.doc)));
        for (name, doc) in rows {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-.".contains(&byte)), "{name}");
            assert!(!doc.is_empty() && doc.len() < 80 && !doc.contains('\n'), "{name}: {doc}");
        }
    }
}
