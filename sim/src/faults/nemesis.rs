//! The nemesis: faults drawn from the seed within stated bounds.
//!
//! Beginnings follow each other after gaps drawn uniformly from half to one and a half of the mean interval; durations
//! are drawn likewise around their mean. Every window begins before `until`, and is healed by then at the latest.
//! Windows may overlap.
//!
//! The kind of the k-th window is the listed kind with the greatest word at (kind, k), so that a further kind in the list
//! takes over some windows and leaves all others as they were. Victims are replicas, drawn by the same idea: the first
//! ones when the replicas are ordered by their words at (kind, k, replica). Services are never crashed, paused or
//! slowed here; partitions cut them off by the rules of the parent module.
//!
//! For example, a mean interval of 10 s and a mean duration of 4 s give windows of 2 to 6 s that begin 5 to 15 s apart.
//!
//! Strengths are fixed: the constants of this module. Whoever needs other ones writes a timeline.

use std::sync::Arc;

use super::{
    Cluster,
    partition::{self, Address},
    timeline::{family, label},
};
use crate::kernel::{
    disturbance::{Burst, Disturbance, LinkEffect, LinkSelection, Window},
    draws::{Probability, Stream},
    ids::NodeId,
    latency::{CELLS, LatencyTable, TAIL_CELLS},
    node::Recovery,
    time::{MILLISECOND, SECOND, Time},
};

/// The suffix that a crash with stale state loses.
const STALE_LOST_NS: u64 = SECOND;
/// The extra time per event of a slow node.
const SLOW_NS: u64 = 50 * MILLISECOND;
/// How far a skewed clock is off, ahead or behind.
const SKEW_NS: i64 = SECOND as i64;
/// Messages lost, in percent.
const LOSS_PERCENT: u64 = 20;
/// Messages duplicated, in percent.
const DUPLICATE_PERCENT: u64 = 20;
/// Bursts begin with this probability per message, in percent.
const BURST_ENTER_PERCENT: u64 = 2;
/// Bursts end with this probability per message, in percent: they last five messages on average and lose them all.
const BURST_EXIT_PERCENT: u64 = 20;
/// Delayed messages take this much longer, uniformly.
const DELAY_NS: (u64, u64) = (100 * MILLISECOND, 500 * MILLISECOND);

/// What the nemesis may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NemesisSpec {
    /// The kinds to choose from, each with equal probability; naming one twice changes nothing.
    pub kinds: Vec<NemesisKind>,
    /// The mean time from one beginning to the next, more than zero.
    pub interval_ns: u64,
    /// The mean duration.
    pub duration_ns: u64,
    /// The first window begins one gap after this.
    pub from: Time,
    /// All windows are healed at this time.
    pub until: Time,
}

impl NemesisSpec {
    /// An upper bound of the number of windows.
    pub fn windows_max(&self) -> u64 {
        self.until.since(self.from) / (self.interval_ns / 2).max(1)
    }

    /// What its crashes leave of nodes.
    pub fn recoveries(&self) -> impl Iterator<Item = Recovery> {
        self.kinds.iter().filter_map(|kind| match kind {
            NemesisKind::Crash(recovery) => Some(*recovery),
            _ => None,
        })
    }
}

/// A kind of fault that can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NemesisKind {
    /// Up to half of the replicas against the others.
    Partition,
    /// The majority ring, in a drawn order.
    MajorityRing,
    /// One replica against all others.
    Isolate,
    /// The messages from up to half of the replicas to the others are lost, or those to them.
    OneWay,
    /// Two drawn halves which one drawn replica joins.
    Bridge,
    /// A minority crashes.
    Crash(Recovery),
    /// A minority is paused.
    Pause,
    /// A minority is slow.
    Slow,
    /// The clocks of a minority are off, all in the same direction.
    ClockSkew,
    /// Messages are lost on all links.
    Loss,
    /// Messages are lost in bursts on all links.
    Burst,
    /// Messages arrive twice on all links.
    Duplicate,
    /// Messages take longer on all links.
    Delay,
}

/// A kind of the nemesis, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NemesisDoc {
    /// The kind.
    pub kind: NemesisKind,
    /// The name in scenarios.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// The entity of its draws, which is never given to another kind.
    entity: u64,
}

/// All kinds of the nemesis.
pub const NEMESIS: &[NemesisDoc] = &[
    row(0, NemesisKind::Partition, "partition", "up to half of the replicas against the others"),
    row(1, NemesisKind::MajorityRing, "majority-ring", "every replica sees a majority, and no two see the same"),
    row(2, NemesisKind::Isolate, "isolate", "one replica against all others"),
    row(3, NemesisKind::OneWay, "one-way", "messages from or to up to half of the replicas are lost"),
    row(4, NemesisKind::Bridge, "bridge", "two halves which one replica joins"),
    row(5, NemesisKind::Crash(Recovery::Durable), "crash-durable", "a minority crashes and loses nothing"),
    row(6, NemesisKind::Crash(Recovery::Volatile), "crash-volatile", "a minority crashes and loses everything"),
    row(7, NemesisKind::Crash(Recovery::Stale), "crash-stale", "a minority crashes and loses its last second"),
    row(8, NemesisKind::Pause, "pause", "a minority does nothing"),
    row(9, NemesisKind::Slow, "slow", "a minority takes 50 ms longer for everything"),
    row(10, NemesisKind::ClockSkew, "clock-skew", "the clocks of a minority are one second ahead or behind"),
    row(11, NemesisKind::Loss, "loss", "20 % of the messages are lost"),
    row(12, NemesisKind::Burst, "burst", "2 % of the messages begin a burst of losses, five long on average"),
    row(13, NemesisKind::Duplicate, "duplicate", "20 % of the messages arrive twice"),
    row(14, NemesisKind::Delay, "delay", "messages take 100 to 500 ms longer"),
];

const fn row(entity: u64, kind: NemesisKind, name: &'static str, doc: &'static str) -> NemesisDoc {
    NemesisDoc { kind, name, doc, entity }
}

impl NemesisKind {
    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        NEMESIS.iter().find(|row| row.name == name).map(|row| row.kind)
    }

    /// The name in scenarios.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    fn row(self) -> &'static NemesisDoc {
        NEMESIS.iter().find(|row| row.kind == self).expect("every kind is registered")
    }
}

/// The windows of the nemesis, in the order of their beginnings.
pub(super) fn windows(spec: &NemesisSpec, cluster: &Cluster<'_>, seed: u64) -> Vec<Window> {
    let stream = |purpose| Stream::new(seed, purpose);
    let (gap, duration) = (stream("nemesis.gap"), stream("nemesis.duration"));
    let (choice, draws) = (stream("nemesis.kind"), Victims::new(seed));
    let mut windows = Vec::new();
    let mut from = spec.from;
    for k in 0.. {
        from = from + around(&gap, k, spec.interval_ns);
        let drawn = spec.kinds.iter().map(|kind| kind.row()).max_by_key(|row| choice.word(row.entity, k));
        let Some(row) = drawn.filter(|_| from < spec.until) else { break };
        let to = (from + around(&duration, k, spec.duration_ns)).min(spec.until);
        let (nodes, disturbance) = draws.disturbance(row, cluster, k);
        windows.push(Window {
            label: label(&format!("nemesis {}", row.name), &nodes, cluster.endpoints, from),
            kind: family(&disturbance),
            fault: None,
            from,
            to,
            disturbance,
        });
    }
    windows
}

/// A duration from half to one and a half of `mean_ns`, never zero.
fn around(stream: &Stream, k: u64, mean_ns: u64) -> u64 {
    (mean_ns / 2).saturating_add(stream.below(0, k, mean_ns.saturating_add(1))).max(1)
}

/// The draws that decide whom a window hits.
struct Victims {
    order: Stream,
    size: Stream,
    side: Stream,
}

impl Victims {
    fn new(seed: u64) -> Self {
        Self {
            order: Stream::new(seed, "nemesis.victim"),
            size: Stream::new(seed, "nemesis.size"),
            side: Stream::new(seed, "nemesis.side"),
        }
    }

    /// The k-th window is of the kind of `row`: what it does, and the nodes to name in its label.
    fn disturbance(&self, row: &NemesisDoc, cluster: &Cluster<'_>, k: u64) -> (Vec<NodeId>, Disturbance) {
        let replicas = cluster.endpoints.replicas;
        let order = || Address { entity: row.entity, occurrence: k }.order(&self.order, replicas);
        let some = |most: u32| {
            let mut nodes = order();
            nodes.truncate(1 + self.size.below(row.entity, k, u64::from(most.max(1))) as usize);
            nodes.sort_unstable();
            nodes
        };
        let minority = || some(replicas.saturating_sub(1) / 2);
        let side = self.side.word(row.entity, k) & 1 == 1;
        let cut = |cut| (Vec::new(), Disturbance::Cut(cut));
        let links = |effect| (Vec::new(), Disturbance::Links { links: LinkSelection::All, effect });
        let on =
            |nodes: Vec<NodeId>, disturbance: &dyn Fn(Vec<NodeId>) -> Disturbance| (nodes.clone(), disturbance(nodes));
        match row.kind {
            NemesisKind::Partition => cut(partition::isolate(cluster, &some(replicas / 2))),
            NemesisKind::MajorityRing => cut(partition::ring(cluster, &order())),
            NemesisKind::Isolate => {
                let alone = some(1);
                let isolated = partition::isolate(cluster, &alone);
                (alone, Disturbance::Cut(isolated))
            }
            NemesisKind::OneWay => cut(partition::half_deaf(cluster, &some(replicas / 2), side)),
            NemesisKind::Bridge => {
                let order = order();
                let (bridge, rest) = order.split_at(order.len().min(1));
                (bridge.to_vec(), Disturbance::Cut(partition::halves(cluster, rest, bridge)))
            }
            NemesisKind::Crash(recovery) => {
                on(minority(), &|nodes| Disturbance::Crash { nodes, recovery, lost_ns: STALE_LOST_NS })
            }
            NemesisKind::Pause => on(minority(), &|nodes| Disturbance::Pause { nodes }),
            NemesisKind::Slow => on(minority(), &|nodes| Disturbance::Slow { nodes, delay_ns: SLOW_NS }),
            NemesisKind::ClockSkew => {
                let offset_ns = if side { SKEW_NS } else { -SKEW_NS };
                on(minority(), &|nodes| Disturbance::Clock { nodes, offset_ns, drift_ppb: 0 })
            }
            NemesisKind::Loss => links(LinkEffect::Loss(percent(LOSS_PERCENT))),
            NemesisKind::Burst => links(LinkEffect::Burst(Burst {
                enter: percent(BURST_ENTER_PERCENT),
                exit: percent(BURST_EXIT_PERCENT),
                loss: Probability::ONE,
            })),
            NemesisKind::Duplicate => links(LinkEffect::Duplicate(percent(DUPLICATE_PERCENT))),
            NemesisKind::Delay => links(LinkEffect::Delay(Arc::new(uniform(DELAY_NS)))),
        }
    }
}

fn percent(percent: u64) -> Probability {
    Probability::ratio(percent, 100).expect("the strengths of the nemesis are at most 100 %")
}

/// The uniform distribution from `low` to `high`.
fn uniform((low, high): (u64, u64)) -> LatencyTable {
    let steps = |from: u64, to: u64, cells: usize| {
        (0..=cells as u64).map(|k| from + (to - from) * k / cells as u64).collect::<Vec<_>>()
    };
    let knots = steps(low, high, CELLS);
    let tail = steps(knots[CELLS - 1], high, TAIL_CELLS);
    LatencyTable::new(knots, tail).expect("the knots of a uniform distribution rise")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::ids::Endpoints;

    fn cluster(replicas: u32) -> Cluster<'static> {
        Cluster { endpoints: Endpoints { replicas, services: 0, clients: 0 }, service_at: &[], client_replica: &[] }
    }

    fn spec(kinds: &[NemesisKind]) -> NemesisSpec {
        NemesisSpec {
            kinds: kinds.to_vec(),
            interval_ns: 2 * SECOND,
            duration_ns: SECOND,
            from: Time(10 * SECOND),
            until: Time(1000 * SECOND),
        }
    }

    fn every_kind() -> Vec<NemesisKind> {
        NEMESIS.iter().map(|row| row.kind).collect()
    }

    fn shown(windows: &[Window]) -> Vec<String> {
        windows.iter().map(|window| format!("{window:?}")).collect()
    }

    /// The nodes of a node fault.
    fn victims(disturbance: &Disturbance) -> Option<&[NodeId]> {
        match disturbance {
            Disturbance::Crash { nodes, .. }
            | Disturbance::Pause { nodes }
            | Disturbance::Slow { nodes, .. }
            | Disturbance::Clock { nodes, .. } => Some(nodes),
            Disturbance::Cut(_) | Disturbance::Links { .. } => None,
        }
    }

    #[test]
    fn names_and_entities_are_unique_and_lead_back() {
        for (number, row) in NEMESIS.iter().enumerate() {
            assert_eq!(NemesisKind::from_name(row.name), Some(row.kind));
            assert_eq!(row.kind.name(), row.name);
            assert!(NEMESIS[..number].iter().all(|other| other.entity != row.entity && other.kind != row.kind));
        }
        assert_eq!(NemesisKind::from_name("kraken"), None);
    }

    #[test]
    fn all_kinds_are_drawn_about_equally_often() {
        let made = windows(&spec(&every_kind()), &cluster(5), 1);
        // 990 s with a mean gap of 2 s, which deviates by 0.58 s per gap.
        assert!(made.len().abs_diff(495) < 40, "{}", made.len());
        for row in NEMESIS {
            let count =
                made.iter().filter(|window| window.label.starts_with(&format!("nemesis {} ", row.name))).count();
            // 33 expected with a deviation of 5.6.
            assert!(count.abs_diff(33) < 28, "{} {count}", row.name);
        }
    }

    #[test]
    fn each_kind_does_what_its_line_says() {
        for row in NEMESIS {
            let made = windows(&spec(&[row.kind]), &cluster(7), 4);
            for window in &made {
                let family = row.name.split('-').next().unwrap_or_default();
                let partition = matches!(
                    row.kind,
                    NemesisKind::Partition
                        | NemesisKind::MajorityRing
                        | NemesisKind::Isolate
                        | NemesisKind::OneWay
                        | NemesisKind::Bridge
                );
                assert_eq!(window.kind, if partition { "partition" } else { family });
                assert_eq!(window.fault, None);
                if let Some(nodes) = victims(&window.disturbance) {
                    assert!((1..=3).contains(&nodes.len()) && nodes.is_sorted(), "{nodes:?}");
                    let names: Vec<_> = nodes.iter().map(|node| format!("n{}", node.0 + 1)).collect();
                    assert_eq!(window.label, format!("nemesis {} {} at {}", row.name, names.join(" "), window.from));
                }
                if let Disturbance::Cut(cut) = &window.disturbance {
                    let all = || (0..7).map(NodeId);
                    assert!(all().any(|a| all().any(|b| cut.severs(a, b))), "{cut:?}");
                }
            }
            let distinct = |shown: &mut Vec<String>| {
                shown.sort();
                shown.dedup();
                shown.len()
            };
            let mut effects = made.iter().map(|window| format!("{:?}", window.disturbance)).collect();
            let fixed = matches!(
                row.kind,
                NemesisKind::Loss | NemesisKind::Burst | NemesisKind::Duplicate | NemesisKind::Delay
            );
            assert_eq!(distinct(&mut effects) == 1, fixed, "{}", row.name);
        }
    }

    #[test]
    fn delays_are_within_their_bounds() {
        let table = uniform(DELAY_NS);
        assert_eq!((table.latency_ns_min(), table.latency_ns_max()), DELAY_NS);
        assert_eq!(table.sample(1 << 63), 300 * MILLISECOND);
    }

    #[test]
    fn equal_seeds_give_equal_windows() {
        let of = |seed| shown(&windows(&spec(&every_kind()), &cluster(5), seed));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(windows(&spec(&[]), &cluster(5), 1).is_empty());
    }

    #[test]
    fn a_further_kind_takes_over_some_windows_and_leaves_the_others() {
        let mut kinds = every_kind();
        let all = windows(&spec(&kinds), &cluster(5), 1);
        kinds.remove(0);
        let fewer = windows(&spec(&kinds), &cluster(5), 1);
        assert_eq!(all.len(), fewer.len());
        for (with, without) in all.iter().zip(&fewer) {
            assert_eq!((with.from, with.to), (without.from, without.to));
            let took_over = with.label.starts_with("nemesis partition ");
            assert!(took_over || format!("{with:?}") == format!("{without:?}"), "{with:?} {without:?}");
        }
    }

    proptest! {
        #[test]
        fn bounds_hold(
            interval_ns in 2..20_000_u64, duration_ns in 0..50_000_u64, from in 0..1000_u64, lasts in 0..200_000_u64,
            replicas in 1..9_u32, seed: u64,
        ) {
            let until = Time(from + lasts);
            let spec = NemesisSpec { kinds: every_kind(), interval_ns, duration_ns, from: Time(from), until };
            let made = windows(&spec, &cluster(replicas), seed);
            prop_assert!(made.len() as u64 <= spec.windows_max());
            let mut last = spec.from;
            for window in made {
                let (gap_ns, lasts_ns) = (window.from - last, window.to - window.from);
                prop_assert!(gap_ns >= interval_ns / 2 && gap_ns <= interval_ns / 2 + interval_ns);
                prop_assert!(lasts_ns >= duration_ns / 2 || window.to == until);
                prop_assert!(lasts_ns <= (duration_ns / 2 + duration_ns).max(1));
                prop_assert!(window.from < window.to && window.to <= until);
                for node in victims(&window.disturbance).unwrap_or_default() {
                    prop_assert!(node.0 < replicas);
                }
                last = window.from;
            }
        }
    }
}
