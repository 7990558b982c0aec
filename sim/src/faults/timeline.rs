//! The timeline: when faults begin and end, and how their windows are called.

use super::{
    Cluster, FaultKind, FaultSpec, PartitionKind,
    partition::{self, Address},
};
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
        let occurrences =
            self.every_ns.map_or(1, |every_ns| self.last_beginning(end).since(self.at) / every_ns.max(1) + 1);
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
    fn push_windows(
        &self,
        windows: &mut Vec<Window>,
        endpoints: Endpoints,
        disturbance: Disturbance,
        from: Time,
        end: Time,
    ) {
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
            Self::Crash { nodes, .. }
            | Self::Pause { nodes }
            | Self::Slow { nodes, .. }
            | Self::Clock { nodes, .. } => nodes,
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
    let mut words = vec![what.to_owned()];
    if nodes.len() > NAMED_MAX {
        words.push(format!("{} nodes", nodes.len()));
    } else {
        words.extend(nodes.iter().map(|&node| endpoints.role(node).to_string()));
    }
    format!("{} at {at}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        faults::PartitionKind,
        kernel::{
            disturbance::{Burst, LinkSelection},
            draws::Probability,
            latency::LatencyTable,
            node::Recovery,
            time::SECOND,
        },
    };

    const CLUSTER: Cluster<'_> = Cluster {
        endpoints: Endpoints { replicas: 5, services: 1, clients: 0 },
        service_at: &[NodeId(0)],
        client_replica: &[],
    };
    const END: Time = Time(60 * SECOND);

    fn once(kind: FaultKind) -> FaultSpec {
        FaultSpec { index: 3, at: Time(5 * SECOND), for_ns: Some(10 * SECOND), every_ns: None, until: None, kind }
    }

    fn halves() -> FaultSpec {
        once(FaultKind::Partition(PartitionKind::Halves))
    }

    fn flapping(up_ns: u64, down_ns: u64) -> FaultSpec {
        once(FaultKind::Partition(PartitionKind::Flapping { groups: vec![vec![NodeId(0)]], up_ns, down_ns }))
    }

    /// Checks from and to of all windows, in seconds; `u64::MAX` never heals.
    fn check_times(spec: &FaultSpec, expected: &[(u64, u64)]) {
        let windows = windows(std::slice::from_ref(spec), &CLUSTER, 1, END);
        let seconds = |time: Time| if time == Time::NEVER { u64::MAX } else { time.0 / SECOND };
        assert_eq!(
            windows.iter().map(|window| (seconds(window.from), seconds(window.to))).collect::<Vec<_>>(),
            expected
        );
        assert!(spec.windows_max(END) >= windows.len() as u64);
    }

    #[test]
    fn faults_begin_and_end_on_time() {
        check_times(&halves(), &[(5, 15)]);
        check_times(&FaultSpec { for_ns: None, ..halves() }, &[(5, u64::MAX)]);
        check_times(&FaultSpec { for_ns: Some(100 * SECOND), ..halves() }, &[(5, 105)]);
        let every = |every, until: Option<u64>| FaultSpec {
            every_ns: Some(every * SECOND),
            until: until.map(|until| Time(until * SECOND)),
            ..halves()
        };
        check_times(&every(20, None), &[(5, 15), (25, 35), (45, 55)]);
        check_times(&every(20, Some(45)), &[(5, 15), (25, 35)]);
        check_times(&every(20, Some(46)), &[(5, 15), (25, 35), (45, 55)]);
        check_times(&every(5, Some(20)), &[(5, 15), (10, 20), (15, 25)]);
        check_times(&every(55, Some(600)), &[(5, 15)]);
    }

    #[test]
    fn flapping_is_down_first_and_ends_with_the_fault() {
        check_times(&flapping(2 * SECOND, 3 * SECOND), &[(5, 8), (10, 13)]);
        check_times(&flapping(2 * SECOND, 4 * SECOND), &[(5, 9), (11, 15)]);
        check_times(&flapping(SECOND, 8 * SECOND), &[(5, 13), (14, 15)]);
        check_times(&FaultSpec { for_ns: None, ..flapping(20 * SECOND, 20 * SECOND) }, &[(5, 25), (45, 65)]);
        let twice = FaultSpec {
            every_ns: Some(20 * SECOND),
            until: Some(Time(30 * SECOND)),
            ..flapping(4 * SECOND, 2 * SECOND)
        };
        check_times(&twice, &[(5, 7), (11, 13), (25, 27), (31, 33)]);
    }

    #[test]
    fn every_kind_becomes_its_disturbance() {
        let (n2, probability) = (vec![NodeId(1)], Probability::ratio(1, 4).unwrap_or_default());
        let links = LinkSelection::Between { from: vec![true; 6], to: vec![false; 6] };
        let burst = Burst { enter: probability, exit: probability, loss: Probability::ONE };
        let all = |to| Disturbance::Links { links: links.clone(), effect: to };
        let latency = std::sync::Arc::new(LatencyTable::constant(7));
        for (kind, disturbance, label) in [
            (
                FaultKind::Crash { nodes: vec![NodeId(1), NodeId(5)], recovery: Recovery::Stale, lost_ns: 9 },
                Disturbance::Crash { nodes: vec![NodeId(1), NodeId(5)], recovery: Recovery::Stale, lost_ns: 9 },
                "crash n2 s1 at 5s",
            ),
            (FaultKind::Pause { nodes: n2.clone() }, Disturbance::Pause { nodes: n2.clone() }, "pause n2 at 5s"),
            (
                FaultKind::Slow { nodes: (0..5).map(NodeId).collect(), delay_ns: 8 },
                Disturbance::Slow { nodes: (0..5).map(NodeId).collect(), delay_ns: 8 },
                "slow 5 nodes at 5s",
            ),
            (
                FaultKind::Clock { nodes: n2.clone(), offset_ns: -3, drift_ppb: 2 },
                Disturbance::Clock { nodes: n2, offset_ns: -3, drift_ppb: 2 },
                "clock n2 at 5s",
            ),
            (FaultKind::Loss { links: links.clone(), probability }, all(LinkEffect::Loss(probability)), "loss at 5s"),
            (FaultKind::Burst { links: links.clone(), burst }, all(LinkEffect::Burst(burst)), "burst at 5s"),
            (
                FaultKind::Duplicate { links: links.clone(), probability },
                all(LinkEffect::Duplicate(probability)),
                "duplicate at 5s",
            ),
            (
                FaultKind::Delay { links: links.clone(), latency: latency.clone() },
                all(LinkEffect::Delay(latency)),
                "delay at 5s",
            ),
        ] {
            let made = windows(&[once(kind)], &CLUSTER, 1, END);
            assert_eq!(made.len(), 1);
            assert_eq!(format!("{:?}", made[0].disturbance), format!("{disturbance:?}"));
            assert_eq!(made[0].label, label);
            assert_eq!((Some(made[0].kind), made[0].fault), (label.split(' ').next(), Some(3)));
        }
        let made = windows(&[flapping(SECOND, SECOND / 2)], &CLUSTER, 1, END);
        assert_eq!((made[1].label.as_str(), made[1].kind), ("partition at 6.5s", "partition"));
    }

    proptest! {
        #[test]
        fn the_bound_on_windows_holds(
            at in 0..60_u64, lasts: Option<u8>, every in proptest::option::of(1..200_u8), until: Option<u8>,
            flaps in proptest::option::of((0..9_u64, 1..9_u64)),
        ) {
            let spec = FaultSpec {
                at: Time(at),
                for_ns: lasts.map(u64::from),
                every_ns: every.map(u64::from),
                until: until.map(|until| Time(u64::from(until))),
                ..flaps.map_or_else(halves, |(up_ns, down_ns)| flapping(up_ns, down_ns))
            };
            let windows = windows(std::slice::from_ref(&spec), &CLUSTER, 1, Time(60));
            prop_assert!(windows.len() as u64 <= spec.windows_max(Time(60)), "{}", windows.len());
            prop_assert!(windows.iter().all(|window| window.from < Time(60) && window.from <= window.to));
        }
    }
}
