//! The network: what becomes of a message.
//!
//! The fate of a message is decided when it is sent: lost or not, how long it takes, whether it arrives twice. Whether
//! both ends can talk is checked when it is sent *and* when it arrives, so a message sent before a partition can die in
//! it. Messages overtake each other because latencies differ. On a link with finite bandwidth, bytes cost time and queue.
//!
//! Invariant: the draws for the k-th message on a link are a function of (seed, sender, receiver, k). Faults and other
//! links move none of them; a message that is cut off still counts.
//!
//! On a graph that is not complete, replicas send to neighbours only. Services are reached hop by hop over the shortest
//! path; a relaying replica forwards even while its process is down, as a router would.

use std::sync::Arc;

use hashbrown::HashMap;

use super::{
    disturbance::{Bite, Burst, Cut, LinkEffect, LinkSelection},
    draws::{Probability, Stream},
    ids::{NodeId, Role},
    plan::{ClassOf, NetworkPlan},
    time::Time,
    topology::Topology,
};

/// Complete graphs up to this many replicas and services have a dense table of links; larger ones count the messages of
/// those links only that are used.
const DENSE_ENDPOINTS_MAX: u32 = 2048;

/// The part of the network that changes during a run.
#[derive(Clone, Debug)]
pub struct Network {
    plan: Arc<NetworkPlan>,
    streams: Streams,
    links: Links,
    /// For every service the next hop from each replica; empty on complete graphs.
    routes: Vec<Vec<Option<NodeId>>>,
    cuts: Vec<(u32, Cut)>,
    effects: Vec<ActiveEffect>,
    /// What each fault window did.
    bites: Vec<Bite>,
    /// Messages and bytes between replicas and services.
    pub traffic: Traffic,
}

/// A link fault while it lasts.
#[derive(Clone, Debug)]
struct ActiveEffect {
    window: u32,
    /// The fault's own address in draws, so that two faults on one link are independent and neither moves the other.
    entity: u64,
    links: LinkSelection,
    effect: LinkEffect,
}

/// What the network carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages sent, those that were lost included.
    pub messages: u64,
    /// Their size.
    pub bytes: u64,
    /// Messages lost to a cut, at sending or on arrival.
    pub cut: u64,
    /// Messages lost by chance.
    pub lost: u64,
    /// Messages lost in front of a full link.
    pub overflowed: u64,
    /// Messages that arrived at a crashed endpoint.
    pub undeliverable: u64,
    /// Messages that arrived twice.
    pub duplicated: u64,
}

impl Traffic {
    /// All messages that did not arrive.
    pub fn dropped(&self) -> u64 {
        self.cut + self.lost + self.overflowed + self.undeliverable
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives at this time, unless a cut begins before.
    Arrives(Time),
    /// It arrives at both times.
    ArrivesTwice(Time, Time),
}

#[derive(Clone, Copy, Debug)]
struct Streams {
    latency: Stream,
    loss: Stream,
    duplicate: Stream,
    duplicate_latency: Stream,
    burst_step: Stream,
    burst_loss: Stream,
    fault: Stream,
    fault_latency: Stream,
    client_latency: Stream,
    client_loss: Stream,
}

impl Streams {
    fn new(seed: u64) -> Self {
        Self {
            latency: Stream::new(seed, "net.latency"),
            loss: Stream::new(seed, "net.loss"),
            duplicate: Stream::new(seed, "net.duplicate"),
            duplicate_latency: Stream::new(seed, "net.duplicate_latency"),
            burst_step: Stream::new(seed, "net.burst_step"),
            burst_loss: Stream::new(seed, "net.burst_loss"),
            fault: Stream::new(seed, "fault.message"),
            fault_latency: Stream::new(seed, "fault.latency"),
            client_latency: Stream::new(seed, "net.client_latency"),
            client_loss: Stream::new(seed, "net.client_loss"),
        }
    }
}

/// The state of a link.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// Messages so far.
    count: u32,
    /// In the bad state of a burst.
    bad: bool,
    /// In the bad state of a burst that a fault brings.
    bad_by_fault: bool,
    class: u16,
}

/// The state of all links: a flat table where the links are known, a table of used links where there are too many.
#[derive(Clone, Debug)]
enum Links {
    /// Complete, small: row `from`, column `to`.
    Dense { table: Vec<Link>, endpoints: u32, busy: Vec<u64> },
    /// Sparse: as numbered by the rows; links of services follow (see `service_link`).
    Rows { table: Vec<Link>, busy: Vec<u64> },
    /// Complete, large.
    Used { table: HashMap<u64, (Link, u64), AddressHash> },
}

/// Hashes the address of a link with a fixed function; the table is never iterated.
#[derive(Clone, Copy, Debug, Default)]
struct AddressHash;

impl std::hash::BuildHasher for AddressHash {
    type Hasher = super::fold::Fold;

    fn build_hasher(&self) -> Self::Hasher {
        super::fold::Fold::default()
    }
}

/// The address of a directed link in draws: independent of the graph, so that adding an edge moves nothing.
#[inline]
fn address(from: NodeId, to: NodeId) -> u64 {
    u64::from(from.0) << 32 | u64::from(to.0)
}

impl Network {
    /// The network at the start of a run with `windows` fault windows.
    pub fn new(plan: Arc<NetworkPlan>, seed: u64, windows: usize) -> Self {
        let routes = match plan.topology {
            Topology::Complete { .. } => Vec::new(),
            Topology::Sparse(_) => plan.service_at.iter().map(|&at| plan.topology.next_hops(at)).collect(),
        };
        Self {
            links: Links::new(&plan),
            streams: Streams::new(seed),
            routes,
            cuts: Vec::new(),
            effects: Vec::new(),
            bites: vec![Bite::default(); windows],
            traffic: Traffic::default(),
            plan,
        }
    }

    /// The endpoints, the graph and the conditions.
    pub fn plan(&self) -> &NetworkPlan {
        &self.plan
    }

    /// What every fault window has done so far: the evidence that it was put to the test.
    pub fn bites(&self) -> &[Bite] {
        &self.bites
    }

    /// For noting what fault window `window` does to a node.
    pub(crate) fn bite(&mut self, window: u32) -> &mut Bite {
        &mut self.bites[window as usize]
    }

    /// The memory held, in bytes.
    pub fn bytes(&self) -> u64 {
        match &self.links {
            Links::Dense { table, busy, .. } | Links::Rows { table, busy } => {
                (table.capacity() * size_of::<Link>() + busy.capacity() * 8) as u64
            }
            Links::Used { table } => (table.capacity() * size_of::<(u64, (Link, u64))>()) as u64,
        }
    }

    /// A cut begins.
    pub(crate) fn begin_cut(&mut self, window: u32, cut: Cut) {
        self.cuts.push((window, cut));
    }

    /// Link conditions get worse. `entity` is the fault's own address in draws.
    pub(crate) fn begin_effect(&mut self, window: u32, entity: u64, links: LinkSelection, effect: LinkEffect) {
        self.effects.push(ActiveEffect { window, entity, links, effect });
    }

    /// Whatever fault window `window` did to the network ends.
    pub(crate) fn heal(&mut self, window: u32) {
        self.cuts.retain(|(of, _)| *of != window);
        self.effects.retain(|active| active.window != window);
    }

    /// Can `from` not talk to `to` now? Counts the message against the cut.
    #[inline]
    fn severed(&mut self, from: NodeId, to: NodeId) -> bool {
        if self.cuts.is_empty() {
            return false;
        }
        for (window, cut) in &self.cuts {
            if cut.severs(from, to) {
                self.bites[*window as usize].messages_lost += 1;
                return true;
            }
        }
        false
    }

    /// Could a message go from `from` to `to` and back now?
    pub fn connected(&self, from: NodeId, to: NodeId) -> bool {
        let apart = |a, b| self.cuts.iter().any(|(_, cut)| cut.severs(a, b) || cut.severs(b, a));
        self.hops(from, to).all(|(a, b)| !apart(a, b))
    }

    /// Is anything cut at all?
    pub fn is_whole(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Sends between neighbouring replicas.
    #[inline]
    pub(crate) fn send(&mut self, now: Time, from: NodeId, to: NodeId, bytes: u64) -> Fate {
        self.traffic.messages += 1;
        self.traffic.bytes += bytes;
        self.hop(now, from, to, bytes)
    }

    /// Sends between a replica and a service, over as many links as it takes.
    pub(crate) fn send_far(&mut self, now: Time, from: NodeId, to: NodeId, bytes: u64) -> Fate {
        self.traffic.messages += 1;
        self.traffic.bytes += bytes;
        if self.routes.is_empty() {
            return self.hop(now, from, to, bytes);
        }
        let mut fate = Fate::Arrives(now);
        for (a, b) in self.hops(from, to).collect::<Vec<_>>() {
            fate = match fate {
                Fate::Lost => return Fate::Lost,
                Fate::Arrives(at) => self.hop(at, a, b, bytes),
                // A copy made on the way travels on its own; of more than two copies the first two count.
                Fate::ArrivesTwice(first, second) => match (self.hop(first, a, b, bytes), self.hop(second, a, b, bytes)) {
                    (Fate::Lost, one) | (one, Fate::Lost) => one,
                    (Fate::Arrives(x) | Fate::ArrivesTwice(x, _), Fate::Arrives(y) | Fate::ArrivesTwice(y, _)) => {
                        Fate::ArrivesTwice(x.min(y), x.max(y))
                    }
                },
            };
        }
        fate
    }

    /// Sends between a client and its replica. `number` is the client's operation.
    pub(crate) fn send_client(&mut self, now: Time, from: NodeId, to: NodeId, number: u32) -> Fate {
        if self.severed(from, to) {
            return Fate::Lost;
        }
        let class = &self.plan.classes[usize::from(self.plan.client_class)];
        let word = |stream: &Stream| stream.word(address(from, to), u64::from(number));
        if class.loss.is_possible() && class.loss.happens(word(&self.streams.client_loss)) {
            return Fate::Lost;
        }
        Fate::Arrives(now + class.latency.sample(word(&self.streams.client_latency)))
    }

    /// A message arrives: is there still a way from `from` to `to`? If not, it is lost and counted.
    #[inline]
    pub(crate) fn arrives(&mut self, from: NodeId, to: NodeId) -> bool {
        if self.cuts.is_empty() {
            return true;
        }
        let lost = if self.routes.is_empty() {
            self.severed(from, to)
        } else {
            let hops: Vec<_> = self.hops(from, to).collect();
            hops.into_iter().any(|(a, b)| self.severed(a, b))
        };
        self.traffic.cut += u64::from(lost);
        !lost
    }

    /// The links from `from` to `to`.
    fn hops(&self, from: NodeId, to: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + use<'_> {
        let endpoints = self.plan.endpoints;
        let (service, replica, outward) = match (endpoints.role(from), endpoints.role(to)) {
            (Role::Replica(_), Role::Service(index)) if !self.routes.is_empty() => (index as usize, from, true),
            (Role::Service(index), Role::Replica(_)) if !self.routes.is_empty() => (index as usize, to, false),
            _ => (usize::MAX, from, true),
        };
        let mut hops = Vec::new();
        if service == usize::MAX {
            hops.push((from, to));
        } else {
            let mut at = replica;
            while let Some(next) = self.routes[service][at.index()].filter(|&next| next != at) {
                hops.push((at, next));
                at = next;
            }
            hops.push((at, if outward { to } else { from }));
            if !outward {
                hops.reverse();
                hops.iter_mut().for_each(|hop| *hop = (hop.1, hop.0));
            }
        }
        hops.into_iter()
    }

    /// One message over one link.
    #[inline]
    fn hop(&mut self, now: Time, from: NodeId, to: NodeId, bytes: u64) -> Fate {
        let (link, busy) = self.links.of(&self.plan, from, to);
        let count = u64::from(link.count);
        link.count += 1;
        let class = &self.plan.classes[usize::from(link.class)];
        let entity = address(from, to);
        // The chain of a burst steps with every message, also with those that a cut takes.
        if let Some(burst) = class.burst {
            step(&mut link.bad, burst, self.streams.burst_step.word(entity, count));
            if link.bad && burst.loss.happens(self.streams.burst_loss.word(entity, count)) {
                self.traffic.lost += 1;
                return Fate::Lost;
            }
        }
        for (window, cut) in &self.cuts {
            if cut.severs(from, to) {
                self.bites[*window as usize].messages_lost += 1;
                self.traffic.cut += 1;
                return Fate::Lost;
            }
        }
        if class.loss.is_possible() && class.loss.happens(self.streams.loss.word(entity, count)) {
            self.traffic.lost += 1;
            return Fate::Lost;
        }
        let mut wait_ns = 0;
        if let (Some(bandwidth), Some(busy)) = (class.bandwidth, busy) {
            let start = now.0.max(*busy);
            let queued = u128::from(start - now.0) * u128::from(bandwidth.bytes_per_second) / 1_000_000_000;
            if queued > u128::from(bandwidth.queue_bytes) {
                self.traffic.overflowed += 1;
                return Fate::Lost;
            }
            let transmit = u128::from(bytes) * 1_000_000_000 / u128::from(bandwidth.bytes_per_second.max(1));
            *busy = start.saturating_add(u64::try_from(transmit).unwrap_or(u64::MAX));
            wait_ns = *busy - now.0;
        }
        let at = now + (class.latency.sample(self.streams.latency.word(entity, count)) + wait_ns);
        let duplicate = class.duplicate.is_possible() && class.duplicate.happens(self.streams.duplicate.word(entity, count));
        let fate = if duplicate {
            self.traffic.duplicated += 1;
            let again = now + (class.latency.sample(self.streams.duplicate_latency.word(entity, count)) + wait_ns);
            Fate::ArrivesTwice(at, again)
        } else {
            Fate::Arrives(at)
        };
        if self.effects.is_empty() { fate } else { self.disturb(fate, now, from, to, count) }
    }

    /// Applies the link faults that are active.
    #[cold]
    fn disturb(&mut self, mut fate: Fate, now: Time, from: NodeId, to: NodeId, count: u64) -> Fate {
        for active in &self.effects {
            if !active.links.contains(from, to) {
                continue;
            }
            let word = |stream: &Stream| stream.word(address(from, to) ^ active.entity, count);
            let (link, _) = self.links.of(&self.plan, from, to);
            let (before, mut lost) = (fate, false);
            match &active.effect {
                LinkEffect::Loss(probability) => lost = probability.happens(word(&self.streams.fault)),
                LinkEffect::Burst(burst) => {
                    step(&mut link.bad_by_fault, *burst, word(&self.streams.burst_step));
                    lost = link.bad_by_fault && burst.loss.happens(word(&self.streams.fault));
                }
                LinkEffect::Duplicate(probability) => {
                    if let Fate::Arrives(at) = fate
                        && probability.happens(word(&self.streams.fault))
                    {
                        let latency = &self.plan.classes[usize::from(link.class)].latency;
                        fate = Fate::ArrivesTwice(at, now + latency.sample(word(&self.streams.fault_latency)));
                        self.traffic.duplicated += 1;
                    }
                }
                LinkEffect::Delay(table) => {
                    let extra_ns = table.sample(word(&self.streams.fault_latency));
                    fate = match fate {
                        Fate::Lost => Fate::Lost,
                        Fate::Arrives(at) => Fate::Arrives(at + extra_ns),
                        Fate::ArrivesTwice(at, again) => Fate::ArrivesTwice(at + extra_ns, again + extra_ns),
                    };
                }
            }
            let bite = &mut self.bites[active.window as usize];
            match (before, fate) {
                _ if lost => bite.messages_lost += 1,
                (Fate::Arrives(_), Fate::ArrivesTwice(..)) => bite.messages_duplicated += 1,
                _ if before != fate => bite.messages_delayed += 1,
                _ => {}
            }
            if lost {
                self.traffic.lost += 1;
                return Fate::Lost;
            }
        }
        fate
    }
}

/// One step of the two-state chain.
#[inline]
fn step(bad: &mut bool, burst: Burst, word: u64) {
    let leave: Probability = if *bad { burst.exit } else { burst.enter };
    if leave.happens(word) {
        *bad = !*bad;
    }
}

impl Links {
    fn new(plan: &NetworkPlan) -> Self {
        let endpoints = plan.endpoints.replicas + plan.endpoints.services;
        let limited = plan.classes.iter().any(|class| class.bandwidth.is_some());
        let fresh = |from: u32, to: u32| Link { class: class_of(plan, NodeId(from), NodeId(to)), ..Link::default() };
        match &plan.topology {
            Topology::Complete { .. } if endpoints <= DENSE_ENDPOINTS_MAX => {
                let table: Vec<Link> =
                    (0..endpoints).flat_map(|from| (0..endpoints).map(move |to| (from, to))).map(|(a, b)| fresh(a, b)).collect();
                Self::Dense { busy: vec![0; if limited { table.len() } else { 0 }], table, endpoints }
            }
            Topology::Complete { .. } => Self::Used { table: HashMap::with_hasher(AddressHash) },
            Topology::Sparse(rows) => {
                let mut table = Vec::with_capacity(rows.links() as usize + 2 * plan.endpoints.services as usize);
                for from in 0..plan.endpoints.replicas {
                    table.extend(rows.neighbours(from).iter().map(|&to| fresh(from, to)));
                }
                for (index, at) in plan.service_at.iter().enumerate() {
                    let service = plan.endpoints.service(index as u32);
                    table.extend([fresh(at.0, service.0), fresh(service.0, at.0)]);
                }
                Self::Rows { busy: vec![0; if limited { table.len() } else { 0 }], table }
            }
        }
    }

    /// The link from `from` to `to`, and until when it is busy, if any class limits the rate. The link exists.
    #[inline]
    fn of(&mut self, plan: &NetworkPlan, from: NodeId, to: NodeId) -> (&mut Link, Option<&mut u64>) {
        match self {
            Self::Dense { table, endpoints, busy } => {
                let at = (from.0 * *endpoints + to.0) as usize;
                (&mut table[at], busy.get_mut(at))
            }
            Self::Rows { table, busy } => {
                let at = row_link(plan, from, to);
                (&mut table[at], busy.get_mut(at))
            }
            Self::Used { table } => {
                let fresh = || (Link { class: class_of(plan, from, to), ..Link::default() }, 0);
                let (link, busy) = table.entry(address(from, to)).or_insert_with(fresh);
                (link, Some(busy))
            }
        }
    }
}

/// The number of a link on a graph that is not complete: those of the rows, then out and back for every service.
#[inline]
fn row_link(plan: &NetworkPlan, from: NodeId, to: NodeId) -> usize {
    let Topology::Sparse(rows) = &plan.topology else {
        unreachable!("rows number the links of sparse graphs only");
    };
    match (plan.endpoints.role(from), plan.endpoints.role(to)) {
        (Role::Replica(a), Role::Replica(b)) => {
            rows.link(a, b).expect("replicas send to neighbours only, which `Context::send` checks") as usize
        }
        (_, Role::Service(index)) => rows.links() as usize + 2 * index as usize,
        (Role::Service(index), _) => rows.links() as usize + 2 * index as usize + 1,
        (Role::Client(_), _) | (_, Role::Client(_)) => unreachable!("clients have no links in the graph"),
    }
}

/// The class of a link.
fn class_of(plan: &NetworkPlan, from: NodeId, to: NodeId) -> u16 {
    if let Ok(at) = plan.overrides.binary_search_by_key(&(from, to), |(link, _)| *link) {
        return plan.overrides[at].1;
    }
    match &plan.class_of {
        ClassOf::Uniform(class) => *class,
        ClassOf::Regions { region, regions, class } => {
            class[usize::from(region[from.index()]) * usize::from(*regions) + usize::from(region[to.index()])]
        }
    }
}
