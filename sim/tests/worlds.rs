//! Worlds are values: a clone goes on as its original, and two runs that differ differ from a certain event on.

#[path = "../benches/loops/mod.rs"]
#[expect(dead_code, reason = "the bare loop is for comparisons")]
mod loops;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crdts::{
    lattice::Weight,
    objects::counter::{Counter, CounterOp},
};
use sim::{
    kernel::{
        draws::Probability,
        fold::Fold,
        ids::{Endpoints, NodeId, OpId},
        latency::LatencyTable,
        node::{Context, Knowledge, Node, Payload, Recovery},
        observer::Unobserved,
        plan::{ClassOf, Limits, LinkClass, NetworkPlan, RunPlan},
        time::{SECOND, Time},
        topology::Topology,
        workload::{Arrival, Loop, Workload},
        world::{Divergence, World, first_divergence},
    },
    services::Kv,
};

#[test]
fn a_clone_goes_on_as_its_original() {
    // Clones are taken before, during and after the fault window, and between the events of one instant.
    for steps in [0, 1, 999, 2_000, 7_777] {
        let mut original = loops::world(100, 5, 5);
        (0..steps).for_each(|_| assert_eq!(original.step(), None));
        let mut clone = original.clone();
        assert_eq!(first_divergence(&mut original, &mut clone), None);
        assert_eq!((original.events(), original.now()), (clone.events(), clone.now()));
        let states = |world: &loops::GossipWorld<Unobserved>| -> Vec<i128> {
            world.view().nodes.iter().map(Node::value).collect()
        };
        assert_eq!(states(&original), states(&clone));
        assert_eq!(states(&original), vec![5; 100]);
    }
}

/// Something outside of all worlds: what a replica must never look at.
static OUTSIDE: AtomicU64 = AtomicU64::new(0);

/// Ticks every 10 ns, and sends at its `leaks_at`-th tick what it read outside.
#[derive(Clone, Debug)]
struct Leaky {
    ticks: u32,
    leaks_at: u32,
}

#[derive(Clone, Debug)]
struct Word(u64);

impl Payload for Word {
    fn bytes(&self) -> u64 {
        8
    }

    fn fold(&self, fold: &mut Fold) {
        fold.word(self.0);
    }

    fn kind(&self) -> &'static str {
        "word"
    }
}

impl Node for Leaky {
    type Object = Counter;
    type Message = Word;
    type Timer = ();
    type Config = u32;

    const REPAIRS: bool = false;

    fn boot(leaks_at: &u32, _: NodeId, _: u32) -> Self {
        Self { ticks: 0, leaks_at: *leaks_at }
    }

    fn on_start(&mut self, cx: &mut impl Context<Self>) {
        if cx.id() == NodeId(0) {
            cx.after(10, ());
        }
    }

    fn on_request(&mut self, _: OpId, _: CounterOp, _: &mut impl Context<Self>) {}

    fn on_message(&mut self, _: NodeId, _: Word, _: &mut impl Context<Self>) {}

    fn on_timer(&mut self, (): (), cx: &mut impl Context<Self>) {
        self.ticks += 1;
        cx.after(10, ());
        if self.ticks == self.leaks_at {
            cx.send(NodeId(1), Word(OUTSIDE.fetch_add(1, Ordering::Relaxed)));
        }
    }

    fn on_restart(&mut self, _: Recovery, _: &mut impl Context<Self>) {}

    fn value(&self) -> i128 {
        0
    }

    fn knowledge(&self) -> Knowledge {
        Knowledge::Progress
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }
}

/// Nobody asks for anything.
#[derive(Clone, Debug)]
struct Silence;

impl Workload<Counter> for Silence {
    fn pacing(&self) -> Loop {
        Loop::Open
    }

    fn next(&mut self, _: u32, _: Time) -> Option<Arrival<CounterOp>> {
        None
    }
}

fn leaky(leaks_at: u32) -> World<Leaky, Kv<i128>, Silence, Unobserved> {
    let class = LinkClass {
        latency: Arc::new(LatencyTable::constant(5)),
        loss: Probability::ZERO,
        duplicate: Probability::ZERO,
        burst: None,
        bandwidth: None,
    };
    let network = NetworkPlan {
        endpoints: Endpoints { replicas: 2, services: 0, clients: 0 },
        topology: Topology::Complete { replicas: 2 },
        classes: vec![class],
        class_of: ClassOf::Uniform(0),
        overrides: vec![],
        service_at: vec![],
        client_class: 0,
    };
    let plan = RunPlan {
        seed: 1,
        network: Arc::new(network),
        clocks: vec![],
        windows: vec![],
        timeout_ns: SECOND,
        final_reads_at: Time(1_000),
        limits: Limits { events_max: 500, memory_bytes_max: u64::MAX },
    };
    World::new(plan, leaks_at, vec![], Silence, Unobserved)
}

#[test]
fn the_first_event_that_differs_is_named() {
    for leaks_at in [1, 7, 40] {
        // The ticks up to the leak are equal; the message that carries it arrives 5 ns later, before the next tick.
        let at = Time(u64::from(leaks_at) * 10 + 5);
        let expected = Divergence { event: u64::from(leaks_at) + 1, time: at, other_time: at };
        assert_eq!(first_divergence(&mut leaky(leaks_at), &mut leaky(leaks_at)), Some(expected));
    }
    let never = u32::MAX;
    assert_eq!(first_divergence(&mut leaky(never), &mut leaky(never)), None);
}
