//! The timeline: when faults begin and end, and how their windows are called.

use super::{Cluster, FaultKind, FaultSpec, PartitionKind, partition::{self, Address}};
use crate::kernel::{
    disturbance::{Disturbance, LinkEffect, Window},
    ids::{Endpoints, NodeId},
    time::Time,
};

/// The most nodes that a label names.
const NAMED_MAX: usize = 4;

/// The windows of all faults, fault after fault.
pub(super) fn windows(specs: &[FaultSpec], cluster: &Cluster<'_>, seed: u64, end: Time) -> Vec<Window> {
    let mut windows = Vec::new();
    for (number, spec) in specs.iter().enumerate() {
        // Draws go by the first beginning, not by the position in the list: removing a fault moves no other's.
        let twin = |other: &&FaultSpec| other.at == spec.at && other.kind.name() == spec.kind.name();
        let twins = specs[..number].iter().filter(twin).count() as u64;
        let entity = spec.at.0 ^ twins.reverse_bits();
        for (occurrence, from) in (0..).zip(spec.beginnings(end)) {
            let disturbance = spec.kind.disturbance(cluster, seed, Address { entity, occurrence });
            spec.push_windows(&mut windows, cluster.endpoints, disturbance, from, end);
        }
    }
    windows
}

impl FaultSpec {
    /// An upper bound of the number of windows in a run that ends at `end`.
    pub fn windows_max(&self, end: Time) -> u64 {
        let occurrences = self.every_ns.map_or(1, |every_ns| self.last_beginning(end).since(self.at) / every_ns.max(1) + 1);
        let FaultKind::Partition(PartitionKind::Flapping { up_ns, down_ns, .. }) = self.kind else {
            return occurrences;
        };
        let lasts_ns = self.for_ns.unwrap_or(u64::MAX).min(end.since(self.at));
        occurrences.saturating_mul(lasts_ns.div_ceil(cycle_ns(up_ns, down_ns)))
    }

    /// The latest instant at which a repetition may begin.
    fn last_beginning(&self, end: Time) -> Time {
        Time(self.until.map_or(end, |until| until.min(end)).0.saturating_sub(1))
    }

    /// When the fault begins, once and again.
    fn beginnings(&self, end: Time) -> impl Iterator<Item = Time> + use<> {
        let (last, every_ns) = (self.last_beginning(end), self.every_ns);
        std::iter::successors(Some(self.at), move |&from| {
            every_ns.map(|every_ns| from + every_ns.max(1)).filter(|&next| next <= last)
        })
    }

    /// Appends the windows of one occurrence, which lasts from `from` to `to`.
    fn push_windows(&self, windows: &mut Vec<Window>, endpoints: Endpoints, disturbance: Disturbance, from: Time, end: Time) {
        let to = self.for_ns.map_or(Time::NEVER, |for_ns| from + for_ns);
        let window = |from, to, disturbance| {
            let kind = family(&disturbance);
            let label = label(kind, self.kind.nodes(), endpoints, from);
            Window { label, kind, fault: Some(self.index), from, to, disturbance }
        };
        let FaultKind::Partition(PartitionKind::Flapping { up_ns, down_ns, .. }) = self.kind else {
            windows.push(window(from, to, disturbance));
            return;
        };
        let mut down = from;
        while down < to.min(end) {
            windows.push(window(down, (down + down_ns).min(to), disturbance.clone()));
            down = down + cycle_ns(up_ns, down_ns);
        }
    }
}

/// The time from one cut of a flapping partition to the next.
fn cycle_ns(up_ns: u64, down_ns: u64) -> u64 {
    up_ns.saturating_add(down_ns).max(1)
}

impl FaultKind {
    /// What an occurrence does to the world.
    fn disturbance(&self, cluster: &Cluster<'_>, seed: u64, address: Address) -> Disturbance {
        let links = |links: &_, effect| Disturbance::Links { links: Clone::clone(links), effect };
        match self {
            Self::Partition(kind) => Disturbance::Cut(partition::cut(kind, cluster, seed, address)),
            Self::Crash { nodes, recovery, lost_ns } => {
                Disturbance::Crash { nodes: nodes.clone(), recovery: *recovery, lost_ns: *lost_ns }
            }
            Self::Pause { nodes } => Disturbance::Pause { nodes: nodes.clone() },
            Self::Slow { nodes, delay_ns } => Disturbance::Slow { nodes: nodes.clone(), delay_ns: *delay_ns },
            Self::Clock { nodes, offset_ns, drift_ppb } => {
                Disturbance::Clock { nodes: nodes.clone(), offset_ns: *offset_ns, drift_ppb: *drift_ppb }
            }
            Self::Loss { links: on, probability } => links(on, LinkEffect::Loss(*probability)),
            Self::Burst { links: on, burst } => links(on, LinkEffect::Burst(*burst)),
            Self::Duplicate { links: on, probability } => links(on, LinkEffect::Duplicate(*probability)),
            Self::Delay { links: on, latency } => links(on, LinkEffect::Delay(latency.clone())),
        }
    }

    /// The nodes that the label of a node fault names.
    fn nodes(&self) -> &[NodeId] {
        match self {
            Self::Crash { nodes, .. } | Self::Pause { nodes } | Self::Slow { nodes, .. } | Self::Clock { nodes, .. } => nodes,
            _ => &[],
        }
    }
}

/// The kind of fault: `partition`, `crash`, …
pub(super) fn family(disturbance: &Disturbance) -> &'static str {
    match disturbance {
        Disturbance::Cut(_) => "partition",
        Disturbance::Crash { .. } => "crash",
        Disturbance::Pause { .. } => "pause",
        Disturbance::Slow { .. } => "slow",
        Disturbance::Clock { .. } => "clock",
        Disturbance::Links { effect, .. } => match effect {
            LinkEffect::Loss(_) => "loss",
            LinkEffect::Burst(_) => "burst",
            LinkEffect::Duplicate(_) => "duplicate",
            LinkEffect::Delay(_) => "delay",
        },
    }
}

/// For example `partition at 5s`, `crash n2 at 3s` or `pause 12 nodes at 1s`.
pub(super) fn label(what: &str, nodes: &[NodeId], endpoints: Endpoints, at: Time) -> String {
    let names = if nodes.len() > NAMED_MAX {
        format!(" {} nodes", nodes.len())
    } else {
        nodes.iter().map(|&node| format!(" {}", endpoints.role(node))).collect()
    };
    format!("{what}{names} at {at}")
}
