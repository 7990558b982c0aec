//! The world: the one loop that runs everything.
//!
//! A [`World`] holds the replicas, the services, the clients' workload and an observer as plain values, next to what
//! effects reach: queue, network, clocks. It takes the next event in the order of (time, sequence), lets one endpoint
//! handle it, and goes on. Idle time is jumped. Everything that happens goes into the fingerprint.
//!
//! Invariants: a run is a function of its plan, its configuration and its workload; a world is a value, and a clone of it
//! goes on exactly as the original; the kind of node, service, workload and observer is known at compile time, so the
//! loop has no dynamic dispatch.
//!
//! What is deliberately absent: judgement. Whether a run was good is for checkers and measures to say.

mod disturb;
mod divergence;
mod services;
mod trace;

use std::collections::BTreeSet;

use crdts::object::Object;

use super::{
    clock::Clocks,
    direct::{Asker, Core, Direct},
    disturbance::Disturbance,
    draws::Stream,
    event::{Event, MESSAGE, TIMER},
    fold::{Fingerprint, digest_of},
    ids::{NodeId, OpId, Role},
    network::{Fate, Network},
    node::{Costs, Node, OpOf, Payload, Recovery, Refusal, Reply, RetOf, StateOf},
    observer::{Invocation, Observer, TracedEvent, View},
    plan::RunPlan,
    queue::Scheduled,
    service::Service,
    time::Time,
    workload::{Arrival, Loop, Workload},
};

pub use divergence::{Divergence, first_divergence};

/// How often the memory is looked at, in events.
const MEMORY_CHECK_EVENTS: u64 = 1 << 14;

/// Clusters of this size and larger have their memory read ahead (`benches/README.md`).
const TOUCH_NODES_MIN: usize = 1 << 14;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It reached its end: all final reads were answered, or timed out.
    Completed,
    /// It handled as many events as it may.
    EventsLimit,
    /// It held more memory than it may.
    MemoryLimit,
}

impl Stop {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::EventsLimit => "events limit",
            Self::MemoryLimit => "memory limit",
        }
    }
}

/// What slow and paused endpoints have not handled yet.
#[derive(Clone, Debug)]
struct Backlog<T> {
    /// Waiting for the end of a pause, per endpoint, in order.
    parked: Vec<(NodeId, Event<T>)>,
    /// When a slow endpoint will have handled what it has taken in.
    busy_until: Vec<Time>,
    /// Events that a slow endpoint has taken its time for.
    served: BTreeSet<u64>,
}

/// States to which a fault sets nodes back.
#[derive(Clone, Debug)]
struct Snapshots<N, S> {
    nodes: Vec<(u32, NodeId, N)>,
    services: Vec<(u32, NodeId, S)>,
}

/// A run in progress.
#[derive(Clone, Debug)]
pub struct World<N: Node, S, W, O> {
    plan: RunPlan,
    config: N::Config,
    nodes: Vec<N>,
    services: Vec<S>,
    pristine_services: Vec<S>,
    service_draws: Stream,
    wakes: Vec<Time>,
    workload: W,
    observer: O,
    core: Core<N>,
    backlog: Backlog<N::Timer>,
    snapshots: Snapshots<N, S>,
    /// The next invocation of each client.
    arrivals: Vec<Option<Arrival<OpOf<N>>>>,
    /// Operations invoked by each client.
    numbers: Vec<u32>,
    /// What is still to be delivered of operations in flight.
    requests: Vec<Option<OpOf<N>>>,
    open: Vec<bool>,
    final_reads_open: u32,
    retired_costs: Costs,
    events: u64,
    /// The number of events at which limits are looked at next.
    checkpoint: u64,
    stop: Option<Stop>,
}

impl<N, S, W, O> World<N, S, W, O>
where
    N: Node,
    S: Service<StateOf<N>>,
    W: Workload<N::Object>,
    O: Observer<N, S>,
{
    /// A world at the start of its run. `services` are in the order of their endpoints.
    pub fn new(plan: RunPlan, config: N::Config, services: Vec<S>, workload: W, observer: O) -> Self {
        let endpoints = plan.network.endpoints;
        let network = Network::new(plan.network.clone(), plan.seed, plan.windows.len());
        let clock_faults = plan.windows.iter().any(|window| matches!(window.disturbance, Disturbance::Clock { .. }));
        let clocks = Clocks::new(&plan.clocks, endpoints.replicas, clock_faults);
        let nodes = (0..endpoints.replicas).map(|id| N::boot(&config, NodeId(id), endpoints.replicas)).collect();
        let mut world = Self {
            core: Core::new(network, clocks, plan.seed),
            nodes,
            pristine_services: services.clone(),
            service_draws: Stream::new(plan.seed, "service"),
            wakes: vec![Time::NEVER; services.len()],
            services,
            workload,
            observer,
            backlog: Backlog { parked: Vec::new(), busy_until: Vec::new(), served: BTreeSet::new() },
            snapshots: Snapshots { nodes: Vec::new(), services: Vec::new() },
            arrivals: vec![None; endpoints.clients as usize],
            numbers: vec![0; endpoints.clients as usize],
            requests: Vec::new(),
            open: Vec::new(),
            final_reads_open: 0,
            retired_costs: Costs::default(),
            events: 0,
            checkpoint: 0,
            stop: None,
            config,
            plan,
        };
        world.start();
        world
    }

    fn start(&mut self) {
        for (index, window) in self.plan.windows.iter().enumerate() {
            let index = index as u32;
            if let Disturbance::Crash { recovery: Recovery::Stale, lost_ns, .. } = window.disturbance {
                let at = Time(window.from.0.saturating_sub(lost_ns));
                self.core.queue.push(at, Event::Snapshot { window: index });
            }
            self.core.queue.push(window.from, Event::Begin { window: index });
            if window.to != Time::NEVER {
                self.core.queue.push(window.to, Event::End { window: index });
            }
        }
        self.core.queue.push(self.plan.final_reads_at, Event::FinalReads);
        for id in 0..self.nodes.len() as u32 {
            self.with_node(NodeId(id), |node, cx| node.on_start(cx));
        }
        for client in 0..self.arrivals.len() as u32 {
            self.schedule_arrival(client, Time::ZERO);
        }
    }

    /// Runs to the end.
    pub fn run(&mut self) -> Stop {
        loop {
            if let Some(stop) = self.step() {
                return stop;
            }
        }
    }

    /// Handles one event. Returns why the run has ended, if it has.
    #[inline]
    pub fn step(&mut self) -> Option<Stop> {
        if let Some(next) = self.next() {
            self.handle(next);
        }
        self.stop
    }

    /// As [`World::step`], and shows the event that was handled.
    pub fn step_traced(&mut self, see: &mut dyn FnMut(&TracedEvent<'_>)) -> Option<Stop> {
        if let Some(next) = self.next() {
            self.handle_traced(next, see);
        }
        self.stop
    }

    /// The next event; `None` when the run has ended.
    #[inline]
    fn next(&mut self) -> Option<Scheduled<Event<N::Timer>>> {
        if self.events >= self.checkpoint {
            self.check_limits();
        }
        if self.stop.is_some() {
            return None;
        }
        loop {
            if let Some(next) = self.core.queue.pop_open() {
                return Some(next);
            }
            if !self.advance() {
                self.stop = Some(Stop::Completed);
                return None;
            }
        }
    }

    /// Opens the next bucket of events. In a large cluster every event finds its replica's memory cold; reading all that
    /// the bucket is about to need in one go lets the reads overlap.
    #[cold]
    fn advance(&mut self) -> bool {
        let pending = self.core.queue.advance();
        if self.nodes.len() >= TOUCH_NODES_MIN {
            std::hint::black_box(self.touch_opened());
        }
        pending
    }

    fn touch_opened(&self) -> u64 {
        let touch = |node: NodeId| {
            let host = u64::from(self.core.hosts[node.index()].down);
            host ^ self.core.network.touch(node) ^ self.nodes[node.index()].touch()
        };
        self.core.queue.opened().iter().fold(0, |sum, next| match next.event {
            Event::Message { to, body, .. } => sum ^ touch(to) ^ self.core.messages.get(body).touch(),
            Event::Timer { node, .. } => sum ^ touch(node),
            _ => sum,
        })
    }

    /// Compares with the limits, and says when to do so again.
    #[cold]
    fn check_limits(&mut self) {
        let limits = self.plan.limits;
        if self.events >= limits.events_max {
            self.stop = self.stop.or(Some(Stop::EventsLimit));
        } else if self.bytes() > limits.memory_bytes_max {
            self.stop = self.stop.or(Some(Stop::MemoryLimit));
        }
        self.checkpoint = self.events.saturating_add(MEMORY_CHECK_EVENTS).min(limits.events_max);
    }

    /// The hash of everything so far.
    pub fn fingerprint(&self) -> Fingerprint {
        self.core.fold.fingerprint()
    }

    /// The number of events handled.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The virtual time of the last event.
    pub fn now(&self) -> Time {
        self.core.now
    }

    /// The plan of the run.
    pub fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// The observer.
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// The observer, to finish what it measured.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// What observers look at.
    pub fn view(&self) -> View<'_, N, S> {
        view(&self.nodes, &self.services, &self.core, &self.plan)
    }

    /// What optimistic concurrency control has paid so far, over all incarnations.
    pub fn costs(&self) -> Costs {
        self.nodes.iter().map(Node::costs).fold(self.retired_costs, |sum, costs| Costs {
            conflicts: sum.conflicts + costs.conflicts,
            retries: sum.retries + costs.retries,
        })
    }

    /// The memory held for nodes, events, bodies, operations, lineage, links and by the observer, in bytes.
    pub fn bytes(&self) -> u64 {
        let nodes = self.nodes.capacity() * size_of::<N>();
        let requests = self.requests.capacity() * size_of::<Option<OpOf<N>>>();
        self.core.bytes() + self.observer.bytes() + (nodes + requests) as u64
    }

    #[inline]
    fn handle(&mut self, next: Scheduled<Event<N::Timer>>) -> bool {
        self.core.now = next.time;
        self.events += 1;
        match next.event {
            Event::Message { from, to, body } => {
                self.fold_event(next.sequence, MESSAGE, to.0);
                if self.holds_back(to, next.sequence, next.event) {
                    return false;
                }
                if !self.reaches(from, to) {
                    self.core.messages.take(body);
                    return false;
                }
                self.core.messages.get(body).fold(&mut self.core.fold);
                self.with_node(to, |node, cx| {
                    let message = cx.core.messages.take(body);
                    node.on_message(from, message, cx);
                });
                true
            }
            Event::Timer { node, incarnation, timer } => {
                // Some runtimes of programs wake up at times of their own and do nothing: what counts is what comes of it.
                if !N::OPAQUE {
                    self.fold_event(next.sequence, TIMER, node.0);
                }
                if incarnation != self.core.hosts[node.index()].incarnation
                    || self.holds_back(node, next.sequence, next.event)
                {
                    return false;
                }
                self.with_node(node, |replica, cx| replica.on_timer(timer, cx));
                true
            }
            _ => self.handle_rare(next),
        }
    }

    /// Adds to the fingerprint that an event of this kind happens now to this endpoint or thing.
    #[inline]
    fn fold_event(&mut self, sequence: u64, kind: u32, subject: u32) {
        // The odd factor keeps near times and near subjects apart.
        let subject = u64::from(subject).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let sequence = if N::OPAQUE { 0 } else { sequence };
        self.core.fold.words(self.core.now.0.wrapping_add(subject), sequence << 4 | u64::from(kind));
    }

    /// Everything but messages and timers.
    fn handle_rare(&mut self, next: Scheduled<Event<N::Timer>>) -> bool {
        let (kind, subject) = next.event.identity();
        self.fold_event(next.sequence, kind, subject);
        match next.event {
            Event::Arrive { client } => self.invoke_next(client),
            Event::Request { op } => return self.request(op, &next),
            Event::Answer { op, body } => {
                let reply = self.core.answers.take(body);
                return self.end(op, &reply);
            }
            Event::Timeout { op } => return self.time_out(op),
            Event::Call { from, service, body } => return self.call(from, service, body, &next),
            Event::Return { service, to, body } => return self.give_back(service, to, body, &next),
            Event::Wake { service } => return self.wake(service),
            Event::Begin { window } => self.begin(window),
            Event::End { window } => self.heal(window),
            Event::Snapshot { window } => self.snapshot(window),
            Event::FinalReads => self.read_finally(),
            Event::Message { .. } | Event::Timer { .. } => unreachable!("handled by the hot path"),
        }
        true
    }

    /// Can a message that arrives now still come through, to an endpoint that is up? Counts it if not.
    #[inline]
    fn reaches(&mut self, from: NodeId, to: NodeId) -> bool {
        if !self.core.network.arrives(from, to) {
            return false;
        }
        if self.core.hosts[to.index()].is_down() {
            self.core.network.traffic.undeliverable += 1;
            return false;
        }
        true
    }

    /// Does the endpoint leave this event for later, because it is paused or slow?
    #[inline]
    fn holds_back(&mut self, node: NodeId, sequence: u64, event: Event<N::Timer>) -> bool {
        !self.core.hosts[node.index()].is_undisturbed() && self.holds_back_disturbed(node, sequence, event)
    }

    #[cold]
    fn holds_back_disturbed(&mut self, node: NodeId, sequence: u64, event: Event<N::Timer>) -> bool {
        let host = self.core.hosts[node.index()];
        if host.is_down() {
            return false;
        }
        if host.paused > 0 {
            self.backlog.parked.push((node, event));
            self.blame(node, |disturbance| matches!(disturbance, Disturbance::Pause { .. }));
            return true;
        }
        if self.backlog.served.remove(&sequence) {
            return false;
        }
        let delay_ns = self.blame(node, |disturbance| matches!(disturbance, Disturbance::Slow { .. }));
        if self.backlog.busy_until.is_empty() {
            self.backlog.busy_until = vec![Time::ZERO; self.core.hosts.len()];
        }
        let busy_until = &mut self.backlog.busy_until[node.index()];
        *busy_until = (*busy_until).max(self.core.now) + delay_ns;
        let sequence = self.core.queue.push(*busy_until, event);
        self.backlog.served.insert(sequence);
        true
    }

    /// Lets a replica handle something, and tells the observer what came of it.
    #[inline]
    fn with_node(&mut self, id: NodeId, handle: impl FnOnce(&mut N, &mut Direct<'_, N>)) {
        handle(&mut self.nodes[id.index()], &mut Direct { core: &mut self.core, id });
        if self.core.news {
            self.report(id);
        }
    }

    fn report(&mut self, id: NodeId) {
        let now = self.core.now;
        for (op, mark) in self.core.effects.drain(..) {
            self.observer.effect(now, op, mark);
        }
        let view = view(&self.nodes, &self.services, &self.core, &self.plan);
        if self.core.touched {
            self.observer.changed(now, id, &view);
        }
        for &(op, source) in &self.core.answered {
            self.observer.answered(now, op, id, source, &view);
        }
        self.core.news = false;
        self.core.touched = false;
        self.core.answered.clear();
    }

    fn schedule_arrival(&mut self, client: u32, not_before: Time) {
        let arrival = self.workload.next(client, not_before);
        if let Some(arrival) = &arrival {
            self.core.queue.push(arrival.at, Event::Arrive { client });
        }
        self.arrivals[client as usize] = arrival;
    }

    fn invoke_next(&mut self, client: u32) {
        let mut arrival = self.arrivals[client as usize].take().expect("an arrival was scheduled with its operation");
        if W::AIMS {
            let value = self.view().value(arrival.replica);
            self.workload.aim(client, &mut arrival.op, &value);
        }
        let number = self.numbers[client as usize];
        self.numbers[client as usize] += 1;
        let endpoint = self.plan.network.endpoints.client(client);
        let asker = Asker {
            client: endpoint,
            replica: arrival.replica,
            number,
            is_update: N::Object::is_update(&arrival.op),
            is_final: false,
        };
        let op = self.invoke(client, asker, arrival.op);
        let fate = self.core.network.send_client(self.core.now, endpoint, asker.replica, number);
        if let Fate::Arrives(at) | Fate::ArrivesTwice(at, _) = fate {
            self.core.queue.push(at, Event::Request { op });
        }
        if self.workload.pacing() == Loop::Open {
            self.schedule_arrival(client, self.core.now);
        }
    }

    fn invoke(&mut self, client: u32, asker: Asker, what: OpOf<N>) -> OpId {
        let op = OpId(self.core.askers.len() as u32);
        let invocation = Invocation { op, client, replica: asker.replica, what: &what, is_final: asker.is_final };
        self.observer.invoked(self.core.now, &invocation);
        self.core.fold.words(u64::from(op.0), digest_of(&what));
        self.core.askers.push(asker);
        self.requests.push(Some(what));
        self.open.push(true);
        self.core.queue.push(self.core.now + self.plan.timeout_ns, Event::Timeout { op });
        op
    }

    fn request(&mut self, op: OpId, next: &Scheduled<Event<N::Timer>>) -> bool {
        let asker = self.core.askers[op.0 as usize];
        if self.holds_back(asker.replica, next.sequence, next.event) {
            return false;
        }
        if !asker.is_final && !self.core.network.arrives(asker.client, asker.replica) {
            return false;
        }
        if self.core.hosts[asker.replica.index()].is_down() {
            self.core.answer(op, Reply::Fail(Refusal::Down));
            return false;
        }
        let what = self.requests[op.0 as usize].take().expect("a request arrives once");
        self.with_node(asker.replica, |node, cx| node.on_request(op, what, cx));
        true
    }

    fn time_out(&mut self, op: OpId) -> bool {
        // Whether an unanswered update took effect, nobody can tell its client; a read has no effect either way.
        let reply = if self.core.askers[op.0 as usize].is_update {
            Reply::Info(Refusal::Timeout)
        } else {
            Reply::Fail(Refusal::Timeout)
        };
        self.end(op, &reply)
    }

    /// An operation ends, unless it has ended before: an answer can come after the client gave up.
    fn end(&mut self, op: OpId, reply: &Reply<RetOf<N>>) -> bool {
        if !std::mem::replace(&mut self.open[op.0 as usize], false) {
            return false;
        }
        self.core.fold.words(u64::from(op.0), digest_of(reply));
        self.observer.ended(self.core.now, op, reply);
        let asker = self.core.askers[op.0 as usize];
        if asker.is_final {
            self.final_reads_open -= 1;
            if self.final_reads_open == 0 {
                self.stop = Some(Stop::Completed);
            }
        } else if self.workload.pacing() == Loop::Closed
            && let Role::Client(client) = self.plan.network.endpoints.role(asker.client)
        {
            self.schedule_arrival(client, self.core.now);
        }
        true
    }

    /// Every replica is read once more, by a client that stands beside it and cannot be cut off.
    fn read_finally(&mut self) {
        let clients = self.plan.network.endpoints.clients;
        self.final_reads_open = self.nodes.len() as u32;
        for id in 0..self.nodes.len() as u32 {
            let asker =
                Asker { client: NodeId(u32::MAX), replica: NodeId(id), number: 0, is_update: false, is_final: true };
            let op = self.invoke(clients + id, asker, N::Object::read());
            self.core.queue.push(self.core.now, Event::Request { op });
        }
    }
}

fn view<'a, N: Node, S>(nodes: &'a [N], services: &'a [S], core: &'a Core<N>, plan: &'a RunPlan) -> View<'a, N, S> {
    View { nodes, services, hosts: &core.hosts, network: &core.network, lineage: &core.lineage, windows: &plan.windows }
}
