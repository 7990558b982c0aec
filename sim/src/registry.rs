//! The registry: from the names of a scenario to kinds of nodes that are known at compile time.
//!
//! A scenario names an object, protocols and data types; the loop must know them when it is compiled. The one match that
//! bridges the two is [`dispatch`], outside of every loop: it calls a [`Job`] with the node type that a system asks for. A
//! new data type is one arm here and one line in `scenario`; a new protocol is one arm in [`Case::plain`], and is there for
//! every object.

use crdts::{
    Encode, GCounter, PnCounter,
    cart::Cart as CartCrdt,
    g_set::GSet,
    lattice::Crdt,
    lww_register::LwwRegister,
    mv_register::MvRegister,
    objects::{cart::Cart, counter::Counter, register::Register, sequence::Sequence, set::Set},
    or_set::OrSet,
    or_set_tombstones::OrSetTombstones,
    rw_set::RwSet,
    sequence::{Fugue, Rga},
    two_phase_set::TwoPhaseSet,
};

use crate::{
    kernel::{
        node::{Node, StateOf},
        plan::RunPlan,
        workload::Workload,
    },
    objects::Judged,
    protocols::{
        gossip::{Gossip, GossipConfig},
        naive::Naive,
        naive_delta::NaiveDelta,
        occ::Occ,
    },
    scenario::{CrdtName, Plan, ProtocolSpec, SystemSpec},
    services::{Kv, Value},
    workloads::{
        CartGenerator, Clients, CounterGenerator, Generator, Operations, RegisterGenerator, SequenceGenerator, SetGenerator,
    },
};

/// Everything that a world of nodes `N` is made of, but its observer.
#[derive(Clone, Debug)]
pub struct Setup<N: Node, W> {
    /// The run.
    pub plan: RunPlan,
    /// The options of the protocol.
    pub config: N::Config,
    /// The stores, in the order of their endpoints.
    pub services: Vec<Kv<StateOf<N>>>,
    /// The clients.
    pub workload: W,
}

/// Something to do with a system, whatever its nodes are.
pub trait Job {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<N, W>(self, setup: Setup<N, W>) -> Self::Output
    where
        N: Node<Object: Judged>,
        W: Workload<N::Object>;
}

/// Does `job` with a system of a scenario, under `seed`.
pub fn dispatch<J: Job>(plan: &Plan, system: &SystemSpec, seed: u64, job: J) -> J::Output {
    let protocol = &system.protocol;
    match &plan.workload.operations {
        Operations::Counter(amount) => {
            Case { plan, seed, job, generator: CounterGenerator::new(amount.clone(), seed) }.counter(protocol)
        }
        Operations::Set(elements) => {
            Case { plan, seed, job, generator: SetGenerator::new(elements.clone(), seed) }.set(protocol)
        }
        Operations::Register => Case { plan, seed, job, generator: RegisterGenerator }.register(protocol),
        Operations::Sequence(typing) => {
            let generator = SequenceGenerator::new(typing.clone(), plan.workload.clients, seed);
            Case { plan, seed, job, generator }.sequence(protocol)
        }
        Operations::Cart(items) => {
            Case { plan, seed, job, generator: CartGenerator::new(items.clone(), seed) }.cart(protocol)
        }
    }
}

/// A system whose object is known, and what to do with it.
struct Case<'a, G, J> {
    plan: &'a Plan,
    seed: u64,
    job: J,
    generator: G,
}

/// Why no other data type can turn up: validation lets a system gossip only what fits its object.
const UNFIT: &str = "a data type that does not fit the object is refused by validation";

impl<J: Job> Case<'_, CounterGenerator, J> {
    fn counter(self, protocol: &ProtocolSpec) -> J::Output {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::GCounter, config } => self.gossip::<GCounter>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::PnCounter, config } => self.gossip::<PnCounter>(config),
            plain => self.plain::<Counter>(plain),
        }
    }
}

impl<J: Job> Case<'_, SetGenerator, J> {
    fn set(self, protocol: &ProtocolSpec) -> J::Output {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::GSet, config } => self.gossip::<GSet<String>>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::TwoPhaseSet, config } => self.gossip::<TwoPhaseSet<String>>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::OrSet, config } => self.gossip::<OrSet<String>>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::OrSetTombstones, config } => {
                self.gossip::<OrSetTombstones<String>>(config)
            }
            ProtocolSpec::Gossip { crdt: CrdtName::RwSet, config } => self.gossip::<RwSet<String>>(config),
            plain => self.plain::<Set<String>>(plain),
        }
    }
}

impl<J: Job> Case<'_, RegisterGenerator, J> {
    fn register(self, protocol: &ProtocolSpec) -> J::Output {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::LwwRegister, config } => self.gossip::<LwwRegister<String>>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::MvRegister, config } => self.gossip::<MvRegister<String>>(config),
            plain => self.plain::<Register<String>>(plain),
        }
    }
}

impl<J: Job> Case<'_, SequenceGenerator, J> {
    fn sequence(self, protocol: &ProtocolSpec) -> J::Output {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::Rga, config } => self.gossip::<Rga>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::Fugue, config } => self.gossip::<Fugue>(config),
            plain => self.plain::<Sequence>(plain),
        }
    }
}

impl<J: Job> Case<'_, CartGenerator, J> {
    fn cart(self, protocol: &ProtocolSpec) -> J::Output {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::Cart, config } => self.gossip::<CartCrdt<String>>(config),
            plain => self.plain::<Cart<String>>(plain),
        }
    }
}

impl<G, J: Job> Case<'_, G, J> {
    /// The protocols that there are for every object.
    fn plain<O>(self, protocol: &ProtocolSpec) -> J::Output
    where
        O: Judged,
        G: Generator<O>,
        O::State: Value,
    {
        match protocol {
            ProtocolSpec::Naive => self.run::<Naive<O>>(()),
            ProtocolSpec::NaiveDelta => self.run::<NaiveDelta<O>>(()),
            ProtocolSpec::Occ { config, .. } => self.run::<Occ<O>>(config.clone()),
            ProtocolSpec::Gossip { .. } => unreachable!("{UNFIT}"),
        }
    }

    fn gossip<C>(self, config: &GossipConfig) -> J::Output
    where
        C: Crdt<Object: Judged> + Encode + Send + Sync,
        C::Digest: Send + Sync,
        G: Generator<C::Object>,
        StateOf<Gossip<C>>: Value,
    {
        self.run::<Gossip<C>>(config.clone())
    }

    fn run<N>(self, config: N::Config) -> J::Output
    where
        N: Node<Object: Judged>,
        G: Generator<N::Object>,
        StateOf<N>: Value,
    {
        self.job.run::<N, Clients<G>>(Setup {
            plan: self.plan.run_plan(self.seed),
            config,
            services: self.plan.services.iter().map(Kv::new).collect(),
            workload: Clients::new(&self.plan.workload, self.generator, self.seed),
        })
    }
}
