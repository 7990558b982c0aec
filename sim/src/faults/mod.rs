//! Faults: the timeline and the nemesis of a scenario, compiled to windows before a run starts.
//!
//! [`compile`] is a pure function of its arguments. Every choice it draws is addressed, so that removing one fault
//! leaves the windows of all others as they were, and the nemesis does not know of the timeline.
//!
//! # Who is on which side of a partition
//!
//! Partitions name replicas, services and clients; most leave some unnamed. The first rule that fits decides:
//!
//! 1. An endpoint that is named in a group is in that group.
//! 2. Replicas that are not named form one further group together, which comes last.
//! 3. A service that is not named is in the group with the most replicas (the first of several).
//! 4. A client bound to a replica is where its replica is.
//! 5. A roaming client talks to all groups.
//!
//! | kind | groups |
//! |---|---|
//! | groups | as named |
//! | halves | the first half of the replicas, rounded down, and the others |
//! | isolate | all others, and the named ones together as one side |
//! | bridge | the named ones talk to all; the remaining replicas split like halves |
//! | random | drawn, none of them empty |
//! | flapping | as named, down and up in turns, starting with down |
//!
//! One-way partitions mark exactly the named endpoints. On a majority ring, whose order is drawn, every replica sees
//! itself and an equal number on both sides, at least a majority in all: so it cuts nothing below four replicas. A
//! service stands on the ring where the replica beside it stands, a bound client where its replica is, and a roaming
//! client talks to all.
//!
//! # Times
//!
//! A fault lasts from `at` for `for`, or to the end of time. With `every` it begins again and again, as long as the
//! beginning is before `until` and before the end of the run; occurrences may overlap. `from` belongs to the window and
//! `to` does not.
//!
//! ```
//! use sim::{faults::*, kernel::{ids::Endpoints, time::{SECOND, Time}}};
//! let cluster = Cluster {
//!     endpoints: Endpoints { replicas: 5, services: 0, clients: 0 },
//!     service_at: &[],
//!     client_replica: &[],
//! };
//! let halves = FaultSpec {
//!     index: 0,
//!     at: Time(5 * SECOND),
//!     for_ns: Some(SECOND),
//!     every_ns: Some(10 * SECOND),
//!     until: None,
//!     kind: FaultKind::Partition(PartitionKind::Halves),
//! };
//! let windows = compile(&[halves], None, &cluster, 1, Time(20 * SECOND));
//! assert_eq!(windows.iter().map(|window| window.label.as_str()).collect::<Vec<_>>(), ["partition at 5s", "partition at 15s"]);
//! ```
//!
//! Names, ranges and contradictions are not judged here: whoever builds a [`FaultSpec`] has checked them. How windows
//! act on the world is the kernel's business.

mod nemesis;
mod partition;
mod registry;
mod timeline;

use std::sync::Arc;

use crate::kernel::{
    disturbance::{Burst, LinkSelection, Window},
    draws::Probability,
    ids::{Endpoints, NodeId},
    latency::LatencyTable,
    node::Recovery,
    time::Time,
};

pub use self::{
    nemesis::{NEMESIS, NemesisDoc, NemesisKind, NemesisSpec},
    partition::GROUPS_MAX,
    registry::{FAULTS, FaultDoc},
};

/// One `[[fault]]` of a scenario, with names resolved and times fixed.
#[derive(Clone, Debug)]
pub struct FaultSpec {
    /// Its position in the scenario.
    pub index: u32,
    /// When it first begins.
    pub at: Time,
    /// How long it lasts; never healed when absent.
    pub for_ns: Option<u64>,
    /// The time from one beginning to the next, more than zero; once when absent.
    pub every_ns: Option<u64>,
    /// The end of repetition: the fault begins only before it. Up to the end of the run when absent.
    pub until: Option<Time>,
    /// What happens.
    pub kind: FaultKind,
}

impl FaultSpec {
    /// What the fault leaves of nodes, if it is a crash.
    pub fn recovery(&self) -> Option<Recovery> {
        match self.kind {
            FaultKind::Crash { recovery, .. } => Some(recovery),
            _ => None,
        }
    }
}

/// What a fault does.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// Endpoints cannot talk to each other.
    Partition(PartitionKind),
    /// Nodes go down and come back at the heal.
    Crash {
        /// Replicas or services.
        nodes: Vec<NodeId>,
        /// What survives.
        recovery: Recovery,
        /// For [`Recovery::Stale`]: how much of the latest past is lost.
        lost_ns: u64,
    },
    /// Nodes do nothing for a while.
    Pause {
        /// Replicas or services.
        nodes: Vec<NodeId>,
    },
    /// Nodes take longer for everything.
    Slow {
        /// Replicas or services.
        nodes: Vec<NodeId>,
        /// The extra time per event.
        delay_ns: u64,
    },
    /// Clocks are off.
    Clock {
        /// Replicas.
        nodes: Vec<NodeId>,
        /// Added to the clock at the start.
        offset_ns: i64,
        /// What the clock gains, in nanoseconds per second.
        drift_ppb: i64,
    },
    /// Further messages are lost.
    Loss {
        /// On these links.
        links: LinkSelection,
        /// Each with this probability.
        probability: Probability,
    },
    /// Messages are lost in bursts.
    Burst {
        /// On these links.
        links: LinkSelection,
        /// How bursts begin, end and lose.
        burst: Burst,
    },
    /// Further messages arrive twice.
    Duplicate {
        /// On these links.
        links: LinkSelection,
        /// Each with this probability.
        probability: Probability,
    },
    /// Messages take longer.
    Delay {
        /// On these links.
        links: LinkSelection,
        /// By a draw from this table.
        latency: Arc<LatencyTable>,
    },
}

/// How a partition divides the endpoints; see the module's rules for those that are not named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartitionKind {
    /// Endpoints talk within their group only. Groups are disjoint, and at most [`GROUPS_MAX`].
    Groups {
        /// The named endpoints of every group.
        groups: Vec<Vec<NodeId>>,
    },
    /// The first half of the replicas, rounded down, and the others.
    Halves,
    /// The named endpoints, together, against all others.
    Isolate {
        /// The named endpoints.
        nodes: Vec<NodeId>,
    },
    /// Every replica sees a majority, and no two see the same.
    MajorityRing,
    /// Two halves which only the named endpoints join.
    Bridge {
        /// The named endpoints.
        nodes: Vec<NodeId>,
    },
    /// Messages from some to others are lost, while the way back works.
    OneWay {
        /// The senders.
        from: Vec<NodeId>,
        /// The receivers.
        to: Vec<NodeId>,
    },
    /// Groups drawn anew at every occurrence.
    Random {
        /// How many; at most one per replica is used.
        groups: u32,
    },
    /// A partition that comes and goes.
    Flapping {
        /// The named endpoints of every group.
        groups: Vec<Vec<NodeId>>,
        /// How long the groups are joined in between.
        up_ns: u64,
        /// How long they are cut, more than zero.
        down_ns: u64,
    },
}

/// What faults need to know about the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'a> {
    /// How many endpoints there are.
    pub endpoints: Endpoints,
    /// For every service the replica beside which it stands.
    pub service_at: &'a [NodeId],
    /// For every client the replica to which it is bound; `None` when it roams.
    pub client_replica: &'a [Option<NodeId>],
}

/// All windows of a run that ends at `end`, sorted by `from`; windows that begin together are in the order of the
/// timeline, and the nemesis's come last.
pub fn compile(
    specs: &[FaultSpec],
    nemesis: Option<&NemesisSpec>,
    cluster: &Cluster<'_>,
    seed: u64,
    end: Time,
) -> Vec<Window> {
    let mut windows = timeline::windows(specs, cluster, seed, end);
    if let Some(spec) = nemesis {
        windows.extend(nemesis::windows(spec, cluster, seed));
    }
    windows.sort_by_key(|window| window.from);
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SECOND;

    const CLUSTER: Cluster<'_> = Cluster {
        endpoints: Endpoints { replicas: 9, services: 1, clients: 2 },
        service_at: &[NodeId(0)],
        client_replica: &[Some(NodeId(0)), None],
    };
    const END: Time = Time(60 * SECOND);

    fn specs() -> Vec<FaultSpec> {
        let fault = |index, at: u64, kind| FaultSpec {
            index,
            at: Time(at * SECOND),
            for_ns: Some(5 * SECOND),
            every_ns: Some(9 * SECOND),
            until: None,
            kind,
        };
        vec![
            fault(0, 7, FaultKind::Partition(PartitionKind::Random { groups: 3 })),
            fault(1, 2, FaultKind::Partition(PartitionKind::MajorityRing)),
            fault(2, 7, FaultKind::Pause { nodes: vec![NodeId(2)] }),
            fault(3, 4, FaultKind::Partition(PartitionKind::Random { groups: 2 })),
        ]
    }

    fn nemesis() -> NemesisSpec {
        NemesisSpec {
            kinds: NEMESIS.iter().map(|row| row.kind).collect(),
            interval_ns: 3 * SECOND,
            duration_ns: SECOND,
            from: Time::ZERO,
            until: Time(50 * SECOND),
        }
    }

    /// All windows as text, with the numbers of faults blanked out.
    fn compiled(specs: &[FaultSpec], with_nemesis: bool, seed: u64) -> Vec<(Option<u32>, String)> {
        let nemesis = with_nemesis.then(nemesis);
        let windows = compile(specs, nemesis.as_ref(), &CLUSTER, seed, END);
        assert!(windows.is_sorted_by_key(|window| window.from));
        let shown =
            |window: &Window| format!("{} {:?} {:?} {:?}", window.label, window.from, window.to, window.disturbance);
        windows.iter().map(|window| (window.fault, shown(window))).collect()
    }

    #[test]
    fn removing_a_fault_leaves_all_other_windows_as_they_were() {
        let (specs, all) = (specs(), compiled(&specs(), true, 5));
        for removed in 0..4_u32 {
            let mut fewer = specs.clone();
            fewer.remove(removed as usize);
            let expected: Vec<_> = all.iter().filter(|(fault, _)| *fault != Some(removed)).cloned().collect();
            assert_eq!(compiled(&fewer, true, 5), expected);
            // The file without the fault numbers the later ones anew.
            (0..).zip(&mut fewer).for_each(|(index, spec)| spec.index = index);
            let texts =
                |windows: Vec<(Option<u32>, String)>| windows.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
            assert_eq!(texts(compiled(&fewer, true, 5)), texts(expected));
        }
        let timeline: Vec<_> = all.iter().filter(|(fault, _)| fault.is_some()).cloned().collect();
        assert_eq!(compiled(&specs, false, 5), timeline);
    }

    #[test]
    fn equal_seeds_give_equal_windows() {
        assert_eq!(compiled(&specs(), true, 1), compiled(&specs(), true, 1));
        assert_ne!(compiled(&specs(), false, 1), compiled(&specs(), false, 2));
        assert!(compile(&[], None, &CLUSTER, 1, END).is_empty());
    }

    #[test]
    fn faults_that_begin_together_keep_their_order() {
        let order: Vec<_> =
            compiled(&specs(), true, 1).into_iter().filter(|(_, text)| text.contains(" at 7s ")).collect();
        assert_eq!(order.iter().map(|(fault, _)| *fault).collect::<Vec<_>>(), [Some(0), Some(2)]);
    }
}
