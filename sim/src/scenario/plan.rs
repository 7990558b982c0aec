//! The plan: a scenario that makes sense.
//!
//! A [`Plan`] exists only if its scenario has been judged and found to be meaningful; there is no other way to make one.
//! Nothing that asks a plan can fail. What depends on the seed (random graphs, clocks, the nemesis) is drawn by
//! [`Plan::run_plan`]; everything else was computed once.
//!
//! ```
//! let text = r#"
//!     name = "tiny"
//!     cluster = { nodes = 3 }
//!     workload = { object = "counter", clients = 2, rate = "10/s", duration = "5s" }
//!     system = [{ name = "naive", naive = {} }]
//! "#;
//! let plan = sim::scenario::parse("tiny.toml", text, &[]).expect("a scenario");
//! let run = plan.run_plan(plan.seed);
//! assert_eq!(run.network.endpoints.total(), 5);
//! assert_eq!(plan.endpoint_name(sim::kernel::ids::NodeId(4)), "c2");
//! ```

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, OnceLock},
};

use crdts::objects::register::Register;

use super::{
    distribution::Distribution,
    expectation::Expectation,
    names::Names,
    swarm::{Drawn, Origin},
    topology::Graph,
};
use crate::{
    faults::{self, Cluster, FaultSpec, NemesisSpec},
    kernel::{
        draws::Stream,
        ids::{Endpoints, NodeId},
        node::Recovery,
        plan::{ClassOf, ClockPlan, Limits, LinkClass, NetworkPlan, RunPlan},
        time::Time,
    },
    maelstrom::config::ExternalConfig,
    protocols::{gossip::GossipConfig, lock::LockConfig, occ::OccConfig},
    services::{KvConfig, KvKind},
    workloads::{
        CartGenerator, Clients, CounterGenerator, Generator, Operations, RegisterGenerator, SequenceGenerator,
        SetGenerator, WorkloadConfig,
    },
    zoo::Bug,
};

/// A scenario that has been judged.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The name of the scenario.
    pub name: String,
    /// The comment with which the file opens.
    pub story: String,
    /// The seed that the scenario asks for.
    pub seed: u64,
    /// The hash of the canonical content, overrides included: BLAKE3 in hexadecimal.
    pub hash: String,
    /// The systems, in the order of the file.
    pub systems: Vec<SystemSpec>,
    /// What is expected, by the name of the system.
    pub expectations: BTreeMap<String, Vec<Expectation>>,
    /// When a gate stops a change.
    pub gate: GateSpec,
    /// The stores, in the order of their endpoints.
    pub services: Vec<KvConfig>,
    /// What clients do.
    pub workload: WorkloadConfig,
    /// How long a client waits for an answer.
    pub timeout_ns: u64,
    /// Where a run stops unfinished.
    pub limits: Limits,
    /// What was drawn for swarm values.
    pub drawn: Vec<Drawn>,
    pub(super) origin: Arc<Origin>,
    pub(super) names: Names,
    pub(super) cluster: ClusterPlan,
    pub(super) network: LinkPlan,
    pub(super) service_at: NodeId,
    pub(super) timeline: Timeline,
    /// The network, when it is the same for every seed.
    pub(super) fixed: OnceLock<Arc<NetworkPlan>>,
}

/// When a gate stops a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateSpec {
    /// The least relative change that matters, in parts per million.
    pub min_effect_ppm: u32,
    /// The probability of a false alarm, in parts per million.
    pub level_ppm: u32,
    /// How many seeds a baseline has.
    pub seeds: u32,
}

impl Default for GateSpec {
    fn default() -> Self {
        Self { min_effect_ppm: 10_000, level_ppm: 10_000, seeds: 100 }
    }
}

/// A system that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemSpec {
    /// Its name in the scenario.
    pub name: String,
    /// What it runs.
    pub protocol: ProtocolSpec,
}

/// A protocol with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolSpec {
    /// Broadcast of totals.
    Naive,
    /// Broadcast of increments.
    NaiveDelta,
    /// Optimistic concurrency control at a store.
    Occ {
        /// The store.
        store: KvKind,
        /// The options.
        config: OccConfig,
    },
    /// A lease guards read, modify, write at `lin-kv`.
    Lock {
        /// The options.
        config: LockConfig,
    },
    /// A known mistake.
    Flawed {
        /// Which.
        bug: &'static Bug,
    },
    /// Programs.
    External {
        /// The options.
        config: ExternalConfig,
    },
    /// Gossip of a CRDT.
    Gossip {
        /// The data type.
        crdt: CrdtName,
        /// The options.
        config: GossipConfig,
    },
}

impl ProtocolSpec {
    /// The name of the protocol, as in [`super::PROTOCOLS`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::NaiveDelta => "naive-delta",
            Self::Occ { .. } => "occ",
            Self::Lock { .. } => "lock",
            Self::Flawed { .. } => "bug",
            Self::Gossip { .. } => "gossip",
            Self::External { .. } => "external",
        }
    }
}

/// The data types of gossip, in the order of [`super::CRDTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrdtName {
    /// A counter that only grows.
    GCounter,
    /// A counter that grows and shrinks.
    PnCounter,
    /// A set that only grows.
    GSet,
    /// A set whose elements can be removed once and for all.
    TwoPhaseSet,
    /// A set in which additions win.
    OrSet,
    /// The same with a tombstone for every removed addition.
    OrSetTombstones,
    /// A set in which removals win.
    RwSet,
    /// A register in which the last writer wins.
    LwwRegister,
    /// A register that keeps concurrent writes.
    MvRegister,
    /// A text by the replicated growable array.
    Rga,
    /// A text by Fugue.
    Fugue,
    /// A shopping cart.
    Cart,
}

impl CrdtName {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::GCounter,
        Self::PnCounter,
        Self::GSet,
        Self::TwoPhaseSet,
        Self::OrSet,
        Self::OrSetTombstones,
        Self::RwSet,
        Self::LwwRegister,
        Self::MvRegister,
        Self::Rga,
        Self::Fugue,
        Self::Cart,
    ];

    /// The name in scenarios.
    pub fn name(self) -> &'static str {
        super::CRDTS[self as usize].0
    }

    /// The object that it replicates.
    pub fn object(self) -> ObjectName {
        match self {
            Self::GCounter | Self::PnCounter => ObjectName::Counter,
            Self::GSet | Self::TwoPhaseSet | Self::OrSet | Self::OrSetTombstones | Self::RwSet => ObjectName::Set,
            Self::LwwRegister | Self::MvRegister => ObjectName::Register,
            Self::Rga | Self::Fugue => ObjectName::Sequence,
            Self::Cart => ObjectName::Cart,
        }
    }
}

/// The objects, in the order of [`super::OBJECTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectName {
    /// A counter.
    Counter,
    /// A set.
    Set,
    /// A register.
    Register,
    /// A text.
    Sequence,
    /// A shopping cart.
    Cart,
    /// A set that grows, of programs.
    GrowOnlySet,
    /// Messages to everybody, of programs.
    Broadcast,
    /// A store, of programs.
    KeyValue,
    /// Repeated texts, of programs.
    Echo,
    /// Ids, of programs.
    UniqueIds,
}

impl ObjectName {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Counter,
        Self::Set,
        Self::Register,
        Self::Sequence,
        Self::Cart,
        Self::GrowOnlySet,
        Self::Broadcast,
        Self::KeyValue,
        Self::Echo,
        Self::UniqueIds,
    ];

    /// Is it spoken of by programs only?
    pub fn is_foreign(self) -> bool {
        matches!(self, Self::GrowOnlySet | Self::Broadcast | Self::KeyValue | Self::Echo | Self::UniqueIds)
    }

    /// The name in scenarios.
    pub fn name(self) -> &'static str {
        super::OBJECTS[self as usize].0
    }

    /// The object of a workload.
    pub fn of(operations: &Operations) -> Self {
        match operations {
            Operations::Counter(_) => Self::Counter,
            Operations::Set(_) => Self::Set,
            Operations::Register => Self::Register,
            Operations::Sequence(_) => Self::Sequence,
            Operations::Cart(_) => Self::Cart,
            Operations::GrowOnlySet => Self::GrowOnlySet,
            Operations::Broadcast => Self::Broadcast,
            Operations::KeyValue { .. } => Self::KeyValue,
            Operations::Echo => Self::Echo,
            Operations::UniqueIds => Self::UniqueIds,
        }
    }

    /// The kinds of operations that clients can invoke.
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Counter => CounterGenerator::KINDS,
            Self::Set => SetGenerator::KINDS,
            Self::Register => <RegisterGenerator as Generator<Register<String>>>::KINDS,
            Self::Sequence => SequenceGenerator::KINDS,
            Self::Cart => CartGenerator::KINDS,
            // In the order in which `maelstrom` makes them.
            Self::GrowOnlySet => &["add", "read"],
            Self::Broadcast => &["broadcast", "read"],
            Self::KeyValue => &["read", "write", "cas"],
            Self::Echo => &["echo"],
            Self::UniqueIds => &["generate"],
        }
    }
}

/// The replicas and their graph.
#[derive(Clone, Debug)]
pub(super) struct ClusterPlan {
    pub(super) graph: Graph,
    pub(super) regions: Option<Regions>,
    pub(super) clock: ClockBounds,
}

/// Who is in which region.
#[derive(Clone, Debug)]
pub(super) struct Regions {
    pub(super) names: Vec<String>,
    /// The region of every replica.
    pub(super) of: Vec<u16>,
    /// From every region to every other one, row by row.
    pub(super) latency: Vec<Option<Distribution>>,
    /// Where the regions are described.
    pub(super) place: Range<usize>,
}

/// How far clocks may be off, in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ClockBounds {
    pub(super) skew_ns: u64,
    pub(super) drift_ppb: u64,
}

/// The conditions of links. The regions cover replicas only.
#[derive(Clone, Debug)]
pub(super) struct LinkPlan {
    pub(super) classes: Vec<LinkClass>,
    pub(super) class_of: ClassOf,
    pub(super) overrides: Vec<((NodeId, NodeId), u16)>,
    pub(super) client_class: u16,
}

/// Faults and the end of the run.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    pub(super) faults: Vec<FaultSpec>,
    pub(super) nemesis: Option<NemesisSpec>,
    pub(super) final_reads_at: Time,
}

impl Timeline {
    /// What crashes leave of nodes.
    pub(super) fn recoveries(&self) -> impl Iterator<Item = Recovery> {
        let nemesis = self.nemesis.iter().flat_map(NemesisSpec::recoveries);
        self.faults.iter().filter_map(FaultSpec::recovery).chain(nemesis)
    }
}

impl Plan {
    /// How many endpoints there are.
    pub fn endpoints(&self) -> Endpoints {
        self.names.endpoints()
    }

    /// The name of an endpoint: `n1`, `lin-kv`, `c1`.
    pub fn endpoint_name(&self, node: NodeId) -> String {
        self.names.name(node)
    }

    /// The horizon: when the final reads are made.
    pub fn final_reads_at(&self) -> Time {
        self.timeline.final_reads_at
    }

    /// The clients of a counter under a seed; `None` when the scenario has another object.
    pub fn counting_clients(&self, seed: u64) -> Option<Clients<CounterGenerator>> {
        let Operations::Counter(amount) = &self.workload.operations else { return None };
        Some(Clients::new(&self.workload, CounterGenerator::new(amount.clone(), seed), seed))
    }

    /// What a run needs to know, under a seed.
    pub fn run_plan(&self, seed: u64) -> RunPlan {
        let client_replica = self.workload.client_replica();
        let network = self.network(seed);
        let cluster =
            Cluster { endpoints: self.endpoints(), service_at: &network.service_at, client_replica: &client_replica };
        let Timeline { faults, nemesis, final_reads_at } = &self.timeline;
        let windows = faults::compile(faults, nemesis.as_ref(), &cluster, seed, *final_reads_at);
        RunPlan {
            seed,
            clocks: self.clocks(seed),
            windows,
            timeout_ns: self.timeout_ns,
            final_reads_at: *final_reads_at,
            limits: self.limits,
            network,
        }
    }

    fn network(&self, seed: u64) -> Arc<NetworkPlan> {
        if self.cluster.graph.is_fixed() {
            return Arc::clone(self.fixed.get_or_init(|| Arc::new(self.draw_network(seed))));
        }
        Arc::new(self.draw_network(seed))
    }

    fn draw_network(&self, seed: u64) -> NetworkPlan {
        let endpoints = self.endpoints();
        let mut class_of = self.network.class_of.clone();
        if let ClassOf::Regions { region, .. } = &mut class_of {
            let beside = region[self.service_at.index()];
            region.extend((0..endpoints.services).map(|_| beside));
        }
        NetworkPlan {
            endpoints,
            topology: self.cluster.graph.build(endpoints.replicas, seed),
            classes: self.network.classes.clone(),
            class_of,
            overrides: self.network.overrides.clone(),
            service_at: vec![self.service_at; endpoints.services as usize],
            client_class: self.network.client_class,
        }
    }

    /// Every replica draws its own offset and drift, so another replica changes no other clock.
    fn clocks(&self, seed: u64) -> Vec<ClockPlan> {
        let bounds = self.cluster.clock;
        if bounds == ClockBounds::default() {
            return Vec::new();
        }
        let (skew, drift) = (Stream::new(seed, "clock.skew"), Stream::new(seed, "clock.drift"));
        let within = |stream: &Stream, replica: u32, bound: u64| {
            stream.below(u64::from(replica), 0, 2 * bound + 1) as i64 - bound as i64
        };
        let clock = |replica| ClockPlan {
            offset_ns: within(&skew, replica, bounds.skew_ns),
            drift_ppb: within(&drift, replica, bounds.drift_ppb),
        };
        (0..self.endpoints().replicas).map(clock).collect()
    }
}
