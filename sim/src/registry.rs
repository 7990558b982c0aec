//! The registry: from the names of a scenario to kinds of nodes that are known at compile time.
//!
//! A scenario names an object, protocols and data types; the loop must know them when it is compiled. The one match that
//! bridges the two is [`dispatch`], outside of every loop: it calls a [`Job`] with the node type that a system asks for. A
//! new data type is one arm here and one line in `scenario`; a new protocol is one arm in `Case::plain`, and is there for
//! every object.

use std::sync::Arc;

use crdts::{
    Encode, GCounter, PnCounter,
    cart::Cart as CartCrdt,
    g_set::GSet,
    lattice::Crdt,
    lww_register::LwwRegister,
    mv_register::MvRegister,
    objects::{
        cart::Cart, counter::Counter, mv_register::MultiValue, register::Register, sequence::Sequence, set::Set,
    },
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
        service::Service,
        workload::Workload,
    },
    maelstrom::{External, Fleet, ForeignGenerator, Surroundings, config::ExternalConfig, dialect, launch::Launcher},
    objects::{
        Judged,
        foreign::{Foreign, Json},
    },
    protocols::{
        gossip::{Gossip, GossipConfig},
        lock::{Lock, LockConfig},
        naive::Naive,
        naive_delta::NaiveDelta,
        occ::{Occ, OccConfig},
    },
    scenario::{CrdtName, Plan, ProtocolSpec, SystemSpec},
    services::{Kv, KvKind, Value},
    workloads::{
        CartGenerator, Clients, CounterGenerator, Generator, Operations, RegisterGenerator, SequenceGenerator,
        SetGenerator,
    },
    zoo::{
        Bug, Flawed,
        carts::FlawedCart,
        counters::FlawedCounter,
        flawed::FlawedConfig,
        registers::{FlawedRegister, FlawedSiblings},
        sets::FlawedSet,
        specimen::Bend,
        stores::FlawedKv,
        texts::FlawedText,
    },
};

/// Everything that a world of nodes `N` is made of, but its observer.
#[derive(Clone, Debug)]
pub struct Setup<N: Node, S, W> {
    /// The run.
    pub plan: RunPlan,
    /// The options of the protocol.
    pub config: N::Config,
    /// The stores, in the order of their endpoints.
    pub services: Vec<S>,
    /// The clients.
    pub workload: W,
    /// The programs beside the world, where replicas are programs.
    pub fleet: Option<Arc<Fleet>>,
}

/// Something to do with a system whose object is `O`, whatever its nodes are, and what comes of it.
pub trait Job<O: Judged, R> {
    /// Does it.
    fn run<N, S, W>(self, setup: Setup<N, S, W>) -> R
    where
        N: Node<Object = O> + 'static,
        S: Service<O::State> + 'static,
        W: Workload<O> + 'static;
}

/// Something to do with a system, whatever its object is.
pub trait AnyJob<R>:
    Job<Counter, R>
    + Job<Set<String>, R>
    + Job<Register<String>, R>
    + Job<MultiValue<String>, R>
    + Job<Sequence, R>
    + Job<Cart<String>, R>
    + Job<Foreign, R>
{
}

impl<R, J> AnyJob<R> for J where
    J: Job<Counter, R>
        + Job<Set<String>, R>
        + Job<Register<String>, R>
        + Job<MultiValue<String>, R>
        + Job<Sequence, R>
        + Job<Cart<String>, R>
        + Job<Foreign, R>
{
}

/// Does `job` with a system of a scenario, under `seed`.
pub fn dispatch<R, J: AnyJob<R>>(plan: &Plan, system: &SystemSpec, seed: u64, job: J) -> R {
    let protocol = &system.protocol;
    if let ProtocolSpec::External { config } = protocol {
        return foreign(plan, config, seed, job);
    }
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
        Operations::GrowOnlySet
        | Operations::Broadcast
        | Operations::KeyValue { .. }
        | Operations::Echo
        | Operations::UniqueIds => unreachable!("{UNFIT}"),
    }
}

/// Does `job` with a system of programs, which it starts.
fn foreign<R, J: Job<Foreign, R>>(plan: &Plan, config: &ExternalConfig, seed: u64, job: J) -> R {
    const SPOKEN: &str = "validation lets programs be asked only for what they speak of";
    let operations = &plan.workload.operations;
    let surroundings = Surroundings::new(
        plan.endpoints(),
        plan.services.iter().map(|store| store.kind),
        dialect(operations).expect(SPOKEN),
        plan.timeout_ns,
    );
    let launcher = Launcher::new(config.clone(), seed);
    let fleet = Arc::new(Fleet::new(config.clone(), surroundings, Box::new(launcher)));
    let generator = ForeignGenerator::new(operations, plan.workload.clients, seed).expect(SPOKEN);
    job.run::<External, Kv<Json>, _>(Setup {
        plan: plan.run_plan(seed),
        config: Arc::clone(&fleet),
        services: plan.services.iter().map(Kv::new).collect(),
        workload: Clients::new(&plan.workload, generator, seed),
        fleet: Some(fleet),
    })
}

/// As [`dispatch`], for a job that is about counters; `None` when the scenario has another object.
pub fn dispatch_counter<R, J: Job<Counter, R>>(plan: &Plan, system: &SystemSpec, seed: u64, job: J) -> Option<R> {
    let Operations::Counter(amount) = &plan.workload.operations else { return None };
    if matches!(system.protocol, ProtocolSpec::External { .. }) {
        return None;
    }
    let generator = CounterGenerator::new(amount.clone(), seed);
    Some(Case { plan, seed, job, generator }.counter(&system.protocol))
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

impl<J> Case<'_, CounterGenerator, J> {
    fn counter<R>(self, protocol: &ProtocolSpec) -> R
    where
        J: Job<Counter, R>,
    {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::GCounter, config } => self.gossip::<GCounter, _>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::PnCounter, config } => self.gossip::<PnCounter, _>(config),
            ProtocolSpec::Flawed { bug } if bug.is_of_store() => self.at_store(bug),
            ProtocolSpec::Flawed { bug } => self.flawed::<FlawedCounter, _>(bug),
            plain => self.plain::<Counter, _>(plain),
        }
    }
}

impl<J> Case<'_, CounterGenerator, J> {
    /// A bug of a store, or of who works on it.
    fn at_store<R>(self, bug: &Bug) -> R
    where
        J: Job<Counter, R>,
    {
        let lin = self.plan.services.iter().position(|store| store.kind == KvKind::Lin);
        let lin = self.plan.endpoints().service(lin.expect("validation sees to the stores that a bug needs") as u32);
        let services = self.plan.services.iter().map(|store| FlawedKv::new(store, bug.flaw)).collect();
        if bug.is_of_locking() {
            let config = FlawedConfig { node: LockConfig::new(lin), flaw: bug.flaw };
            return self.run_on::<Flawed<Lock>, FlawedKv<i128>, R>(config, services);
        }
        let config = FlawedConfig { node: OccConfig::new(lin), flaw: bug.flaw };
        self.run_on::<Flawed<Occ>, FlawedKv<i128>, R>(config, services)
    }
}

impl<J> Case<'_, SetGenerator, J> {
    fn set<R>(self, protocol: &ProtocolSpec) -> R
    where
        J: Job<Set<String>, R>,
    {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::GSet, config } => self.gossip::<GSet<String>, _>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::TwoPhaseSet, config } => {
                self.gossip::<TwoPhaseSet<String>, _>(config)
            }
            ProtocolSpec::Gossip { crdt: CrdtName::OrSet, config } => self.gossip::<OrSet<String>, _>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::OrSetTombstones, config } => {
                self.gossip::<OrSetTombstones<String>, _>(config)
            }
            ProtocolSpec::Gossip { crdt: CrdtName::RwSet, config } => self.gossip::<RwSet<String>, _>(config),
            ProtocolSpec::Flawed { bug } => self.flawed::<FlawedSet, _>(bug),
            plain => self.plain::<Set<String>, _>(plain),
        }
    }
}

impl<J> Case<'_, RegisterGenerator, J> {
    fn register<R>(self, protocol: &ProtocolSpec) -> R
    where
        J: Job<Register<String>, R> + Job<MultiValue<String>, R>,
    {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::LwwRegister, config } => {
                self.gossip::<LwwRegister<String>, _>(config)
            }
            ProtocolSpec::Gossip { crdt: CrdtName::MvRegister, config } => self.gossip::<MvRegister<String>, _>(config),
            ProtocolSpec::Flawed { bug } if bug.keeps_siblings() => self.flawed::<FlawedSiblings, _>(bug),
            ProtocolSpec::Flawed { bug } => self.flawed::<FlawedRegister, _>(bug),
            plain => self.plain::<Register<String>, _>(plain),
        }
    }
}

impl<J> Case<'_, SequenceGenerator, J> {
    fn sequence<R>(self, protocol: &ProtocolSpec) -> R
    where
        J: Job<Sequence, R>,
    {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::Rga, config } => self.gossip::<Rga, _>(config),
            ProtocolSpec::Gossip { crdt: CrdtName::Fugue, config } => self.gossip::<Fugue, _>(config),
            ProtocolSpec::Flawed { bug } => self.flawed::<FlawedText, _>(bug),
            plain => self.plain::<Sequence, _>(plain),
        }
    }
}

impl<J> Case<'_, CartGenerator, J> {
    fn cart<R>(self, protocol: &ProtocolSpec) -> R
    where
        J: Job<Cart<String>, R>,
    {
        match protocol {
            ProtocolSpec::Gossip { crdt: CrdtName::Cart, config } => self.gossip::<CartCrdt<String>, _>(config),
            ProtocolSpec::Flawed { bug } => self.flawed::<FlawedCart, _>(bug),
            plain => self.plain::<Cart<String>, _>(plain),
        }
    }
}

impl<G, J> Case<'_, G, J> {
    /// The protocols that there are for every object.
    fn plain<O, R>(self, protocol: &ProtocolSpec) -> R
    where
        O: Judged,
        J: Job<O, R>,
        G: Generator<O> + 'static,
        O::State: Value,
    {
        match protocol {
            ProtocolSpec::Naive => self.run::<Naive<O>, _>(()),
            ProtocolSpec::NaiveDelta => self.run::<NaiveDelta<O>, _>(()),
            ProtocolSpec::Occ { config, .. } => self.run::<Occ<O>, _>(config.clone()),
            ProtocolSpec::Lock { config } => self.run::<Lock<O>, _>(config.clone()),
            ProtocolSpec::Gossip { .. } | ProtocolSpec::Flawed { .. } | ProtocolSpec::External { .. } => {
                unreachable!("{UNFIT}")
            }
        }
    }

    /// A bug of a data type, or of how it is spread.
    fn flawed<C, R>(self, bug: &Bug) -> R
    where
        C: Crdt<Object: Judged> + Bend + Encode + Send + Sync + 'static,
        C::Digest: Send + Sync,
        J: Job<C::Object, R>,
        G: Generator<C::Object> + 'static,
        StateOf<Gossip<C>>: Value,
    {
        self.run::<Flawed<Gossip<C>>, _>(FlawedConfig { node: bug.gossip(), flaw: bug.flaw })
    }

    fn gossip<C, R>(self, config: &GossipConfig) -> R
    where
        C: Crdt<Object: Judged> + Encode + Send + Sync + 'static,
        J: Job<C::Object, R>,
        C::Digest: Send + Sync,
        G: Generator<C::Object> + 'static,
        StateOf<Gossip<C>>: Value,
    {
        self.run::<Gossip<C>, _>(config.clone())
    }

    fn run<N, R>(self, config: N::Config) -> R
    where
        N: Node<Object: Judged> + 'static,
        J: Job<N::Object, R>,
        G: Generator<N::Object> + 'static,
        StateOf<N>: Value,
    {
        let services = self.plan.services.iter().map(Kv::new).collect();
        self.run_on::<N, Kv<StateOf<N>>, R>(config, services)
    }

    /// As [`Case::run`], with these stores.
    fn run_on<N, S, R>(self, config: N::Config, services: Vec<S>) -> R
    where
        N: Node<Object: Judged> + 'static,
        S: Service<StateOf<N>> + 'static,
        J: Job<N::Object, R>,
        G: Generator<N::Object> + 'static,
    {
        self.job.run::<N, S, Clients<G>>(Setup {
            plan: self.plan.run_plan(self.seed),
            config,
            services,
            workload: Clients::new(&self.plan.workload, self.generator, self.seed),
            fleet: None,
        })
    }
}
