//! Two loops that do the same gossip: the simulator's world, and a bare one with nothing but a calendar and a match.
//!
//! Every node pushes its G-Counter to a random neighbour once per 100 ms (with jitter); messages take 10 to 50 ms. The
//! world has its network model, loss, a fault window and the fingerprint on; the bare loop has none of that. An event is a
//! timer tick or a delivery.

use std::sync::Arc;

use crdts::{Crdt, GCounter, Lattice, ReplicaId, objects::counter::CounterOp};
use sim::{
    kernel::{
        disturbance::{Disturbance, LinkEffect, LinkSelection, Window},
        draws::{Probability, Stream},
        ids::{Endpoints, NodeId},
        latency::{CELLS, LatencyTable, TAIL_CELLS},
        observer::{Observer, Unobserved},
        plan::{ClassOf, Limits, LinkClass, NetworkPlan, RunPlan},
        queue::Calendar,
        time::{MILLISECOND, SECOND, Time},
        topology::{Rows, Topology},
        workload::{Arrival, Loop, Workload},
        world::World,
    },
    protocols::gossip::{Gossip, GossipConfig, Mode, PayloadKind},
    services::Kv,
};

/// A few clients add once, at the start.
#[derive(Clone, Debug)]
pub(crate) struct Additions {
    writers: u32,
    replicas: u32,
    done: Vec<bool>,
}

impl Workload<crdts::objects::counter::Counter> for Additions {
    fn pacing(&self) -> Loop {
        Loop::Open
    }

    fn next(&mut self, client: u32, _: Time) -> Option<Arrival<CounterOp>> {
        if std::mem::replace(&mut self.done[client as usize], true) {
            return None;
        }
        let replica = NodeId((u64::from(client) * u64::from(self.replicas) / u64::from(self.writers)) as u32);
        Some(Arrival { at: Time(MILLISECOND), replica, op: CounterOp::Add(1) })
    }
}

/// 10 to 50 ms, uniformly.
pub(crate) fn latency() -> LatencyTable {
    let (low, high) = (10 * MILLISECOND, 50 * MILLISECOND);
    let at = |k: u64, of: u64, from: u64, to: u64| from + (to - from) * k / of;
    let last = at(CELLS as u64 - 1, CELLS as u64, low, high);
    let knots = (0..=CELLS as u64).map(|k| at(k, CELLS as u64, low, high)).collect();
    let tail = (0..=TAIL_CELLS as u64).map(|k| at(k, TAIL_CELLS as u64, last, high)).collect();
    LatencyTable::new(knots, tail).expect("the knots rise")
}

/// A ring with `degree / 2` random perfect cycles: regular but for coincidences, connected, and quickly made.
pub(crate) fn graph(replicas: u32, degree: u32) -> Topology {
    let stream = Stream::new(1, "bench.graph");
    let mut edges = Vec::with_capacity((replicas * degree / 2) as usize);
    for cycle in 0..u64::from(degree / 2) {
        let mut order: Vec<u32> = (0..replicas).collect();
        stream.shuffle(cycle, 0, &mut order);
        edges.extend((0..order.len()).map(|k| (order[k], order[(k + 1) % order.len()])));
    }
    Topology::Sparse(Rows::from_edges(replicas, &edges))
}

/// A world of gossip over [`GCounter`].
pub(crate) type GossipWorld<O> = World<Gossip<GCounter>, Kv<i128>, Additions, O>;

/// The simulator's world over `replicas` nodes, of which `writers` add 1 each.
pub(crate) fn world(replicas: u32, writers: u32, seconds: u64) -> GossipWorld<Unobserved> {
    let config = GossipConfig { mode: Mode::Push, payload: PayloadKind::State, ..GossipConfig::default() };
    world_of(config, replicas, writers, seconds, Unobserved)
}

/// The same with other gossip, and watched.
pub(crate) fn world_of<O: Observer<Gossip<GCounter>, Kv<i128>>>(
    config: GossipConfig,
    replicas: u32,
    writers: u32,
    seconds: u64,
    observer: O,
) -> GossipWorld<O> {
    let endpoints = Endpoints { replicas, services: 0, clients: writers };
    let class = LinkClass {
        latency: Arc::new(latency()),
        loss: Probability::ratio(1, 100).expect("one in a hundred"),
        duplicate: Probability::ZERO,
        burst: None,
        bandwidth: None,
    };
    let network = NetworkPlan {
        endpoints,
        topology: if replicas <= 1000 { Topology::Complete { replicas } } else { graph(replicas, 8) },
        classes: vec![
            class,
            LinkClass {
                latency: Arc::new(LatencyTable::constant(0)),
                loss: Probability::ZERO,
                duplicate: Probability::ZERO,
                burst: None,
                bandwidth: None,
            },
        ],
        class_of: ClassOf::Uniform(0),
        overrides: vec![],
        service_at: vec![],
        client_class: 1,
    };
    let spike = Window {
        label: "loss at 100ms".to_owned(),
        kind: "loss",
        fault: Some(0),
        from: Time(100 * MILLISECOND),
        to: Time(200 * MILLISECOND),
        disturbance: Disturbance::Links {
            links: LinkSelection::All,
            effect: LinkEffect::Loss(Probability::ratio(1, 10).expect("one in ten")),
        },
    };
    let plan = RunPlan {
        seed: 1,
        network: Arc::new(network),
        clocks: vec![],
        windows: vec![spike],
        timeout_ns: SECOND,
        final_reads_at: Time(seconds * SECOND),
        limits: Limits { events_max: u64::MAX, memory_bytes_max: u64::MAX },
    };
    let additions = Additions { writers, replicas, done: vec![false; writers as usize] };
    World::new(plan, config, vec![], additions, observer)
}

#[derive(Clone, Copy, Default)]
enum Event {
    #[default]
    Nothing,
    Tick(u32),
    Message(u32, u32),
}

/// The bare loop.
#[derive(Clone)]
pub(crate) struct Bare {
    states: Vec<GCounter>,
    queue: Calendar<Event>,
    bodies: Vec<GCounter>,
    free: Vec<u32>,
    topology: Topology,
    latency: LatencyTable,
    draws: Stream,
    drawn: u64,
    /// Events handled.
    pub(crate) events: u64,
}

impl Bare {
    /// The bare loop over `replicas` nodes, of which `writers` add 1 each.
    pub(crate) fn new(replicas: u32, writers: u32) -> Self {
        let mut states = vec![GCounter::bottom(); replicas as usize];
        for writer in 0..writers {
            let replica = (u64::from(writer) * u64::from(replicas) / u64::from(writers)) as u32;
            states[replica as usize].update(ReplicaId(replica), &CounterOp::Add(1)).expect("one fits");
        }
        let draws = Stream::new(1, "bench.bare");
        let mut queue = Calendar::default();
        for node in 0..replicas {
            queue.push(Time(draws.below(1, u64::from(node), 100 * MILLISECOND)), Event::Tick(node));
        }
        Self {
            states,
            queue,
            bodies: Vec::new(),
            free: Vec::new(),
            topology: if replicas <= 1000 { Topology::Complete { replicas } } else { graph(replicas, 8) },
            latency: latency(),
            draws,
            drawn: 0,
            events: 0,
        }
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.draws.word(0, self.drawn)
    }

    /// Runs for this much virtual time.
    pub(crate) fn run(&mut self, seconds: u64) {
        while let Some(next) = self.queue.pop() {
            if next.time > Time(seconds * SECOND) {
                return;
            }
            self.events += 1;
            match next.event {
                Event::Nothing => {}
                Event::Tick(node) => {
                    let jitter = sim::kernel::draws::below(self.draw(), 20 * MILLISECOND);
                    self.queue.push(next.time + 90 * MILLISECOND + jitter, Event::Tick(node));
                    let degree = self.topology.degree(NodeId(node));
                    let index = sim::kernel::draws::below(self.draw(), u64::from(degree)) as u32;
                    let peer = self.topology.neighbour(NodeId(node), index);
                    let state = self.states[node as usize].clone();
                    let body = if let Some(body) = self.free.pop() {
                        self.bodies[body as usize] = state;
                        body
                    } else {
                        self.bodies.push(state);
                        self.bodies.len() as u32 - 1
                    };
                    let word = self.draw();
                    let latency_ns = self.latency.sample(word);
                    self.queue.push(next.time + latency_ns, Event::Message(peer.0, body));
                }
                Event::Message(node, body) => {
                    self.states[node as usize].join(&self.bodies[body as usize]);
                    self.free.push(body);
                }
            }
        }
    }
}
