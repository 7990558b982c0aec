//! The registry: from the names of a scenario to kinds of nodes that are known at compile time.
//!
//! A scenario names protocols and data types; the loop must know them when it is compiled. The one match that bridges the
//! two is [`dispatch`], outside of every loop: it calls a [`Job`] with the node type that a system asks for. A new protocol
//! or data type is one arm here and one line in `scenario`.

use crdts::{GCounter, PnCounter, objects::counter::Counter};

use crate::{
    kernel::{
        node::{Node, StateOf},
        plan::RunPlan,
    },
    protocols::{gossip::Gossip, naive::Naive, naive_delta::NaiveDelta, occ::Occ},
    scenario::{CrdtName, Plan, ProtocolSpec, SystemSpec},
    services::Kv,
    workloads::CounterWorkload,
};

/// Everything that a world of nodes `N` is made of, but its observer.
#[derive(Clone, Debug)]
pub struct Setup<N: Node> {
    /// The run.
    pub plan: RunPlan,
    /// The options of the protocol.
    pub config: N::Config,
    /// The stores, in the order of their endpoints.
    pub services: Vec<Kv<StateOf<N>>>,
    /// The clients.
    pub workload: CounterWorkload,
}

/// Something to do with a system, whatever its nodes are.
pub trait Job {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<N: Node<Object = Counter>>(self, setup: Setup<N>) -> Self::Output;
}

/// Does `job` with a system of a scenario, under `seed`.
pub fn dispatch<J: Job>(plan: &Plan, system: &SystemSpec, seed: u64, job: J) -> J::Output {
    match &system.protocol {
        ProtocolSpec::Naive => job.run(setup::<Naive>(plan, seed, ())),
        ProtocolSpec::NaiveDelta => job.run(setup::<NaiveDelta>(plan, seed, ())),
        ProtocolSpec::Occ { config, .. } => job.run(setup::<Occ>(plan, seed, config.clone())),
        ProtocolSpec::Gossip { crdt, config } => match crdt {
            CrdtName::GCounter => job.run(setup::<Gossip<GCounter>>(plan, seed, config.clone())),
            CrdtName::PnCounter => job.run(setup::<Gossip<PnCounter>>(plan, seed, config.clone())),
        },
    }
}

fn setup<N: Node>(plan: &Plan, seed: u64, config: N::Config) -> Setup<N>
where
    Kv<StateOf<N>>: Clone,
    StateOf<N>: crate::services::Value,
{
    Setup {
        plan: plan.run_plan(seed),
        config,
        services: plan.services.iter().map(Kv::new).collect(),
        workload: plan.workload(seed),
    }
}
