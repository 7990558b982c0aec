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

use super::{
    disturbance::{Bite, Burst, Cut, LinkEffect, LinkSelection},
    draws::Stream,
    ids::{NodeId, Role},
    links::{Chain, Links, address},
    plan::NetworkPlan,
    time::Time,
    topology::Topology,
};

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
        self.links.bytes()
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
        // The next burst that a fault brings begins in the good state.
        if !self.effects.iter().any(|active| matches!(active.effect, LinkEffect::Burst(_))) {
            self.links.calm(Chain::Fault);
        }
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

    /// Reads what sending from a replica reads, to bring it into the cache.
    #[inline]
    pub(crate) fn touch(&self, replica: NodeId) -> u64 {
        match &self.plan.topology {
            Topology::Complete { .. } => 0,
            Topology::Sparse(rows) => self.links.touch(rows, replica),
        }
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
                Fate::ArrivesTwice(first, second) => {
                    match (self.hop(first, a, b, bytes), self.hop(second, a, b, bytes)) {
                        (Fate::Lost, one) | (one, Fate::Lost) => one,
                        (Fate::Arrives(x) | Fate::ArrivesTwice(x, _), Fate::Arrives(y) | Fate::ArrivesTwice(y, _)) => {
                            Fate::ArrivesTwice(x.min(y), x.max(y))
                        }
                    }
                }
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
        let entity = address(self.plan.endpoints, from, to);
        let word = |stream: &Stream| stream.word(entity, u64::from(number));
        if class.loss.is_possible() && class.loss.happens(word(&self.streams.client_loss)) {
            return Fate::Lost;
        }
        Fate::Arrives(now + class.latency.sample(word(&self.streams.client_latency)))
    }

    /// A message arrives: is there still a way from `from` to `to`? If not, it is lost and counted.
    #[inline]
    pub(crate) fn arrives(&mut self, from: NodeId, to: NodeId) -> bool {
        self.cuts.is_empty() || self.arrives_past_cuts(from, to)
    }

    #[cold]
    fn arrives_past_cuts(&mut self, from: NodeId, to: NodeId) -> bool {
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
                for hop in &mut hops {
                    *hop = (hop.1, hop.0);
                }
            }
        }
        hops.into_iter()
    }

    /// One message over one link.
    #[inline]
    fn hop(&mut self, now: Time, from: NodeId, to: NodeId, bytes: u64) -> Fate {
        let link = self.links.number(&self.plan, from, to);
        let count = self.links.count(link);
        let class = &self.plan.classes[self.links.class(link)];
        let entity = address(self.plan.endpoints, from, to);
        // The chain of a burst steps with every message, also with those that a cut takes.
        if let Some(burst) = class.burst {
            let bad = step(&mut self.links, link, Chain::Network, burst, self.streams.burst_step.word(entity, count));
            if bad && burst.loss.happens(self.streams.burst_loss.word(entity, count)) {
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
        if let Some(bandwidth) = class.bandwidth {
            let busy = self.links.busy(link);
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
        let duplicate =
            class.duplicate.is_possible() && class.duplicate.happens(self.streams.duplicate.word(entity, count));
        let fate = if duplicate {
            self.traffic.duplicated += 1;
            let again = now + (class.latency.sample(self.streams.duplicate_latency.word(entity, count)) + wait_ns);
            Fate::ArrivesTwice(at, again)
        } else {
            Fate::Arrives(at)
        };
        if self.effects.is_empty() { fate } else { self.disturb(fate, now, (from, to), link, count) }
    }

    /// Applies the link faults that are active.
    #[cold]
    fn disturb(&mut self, mut fate: Fate, now: Time, ends: (NodeId, NodeId), link: usize, count: u64) -> Fate {
        let (from, to) = ends;
        for active in &self.effects {
            if !active.links.contains(from, to) {
                continue;
            }
            let word = |stream: &Stream| stream.word(address(self.plan.endpoints, from, to) ^ active.entity, count);
            let (before, mut lost) = (fate, false);
            match &active.effect {
                LinkEffect::Loss(probability) => lost = probability.happens(word(&self.streams.fault)),
                LinkEffect::Burst(burst) => {
                    let bad = step(&mut self.links, link, Chain::Fault, *burst, word(&self.streams.burst_step));
                    lost = bad && burst.loss.happens(word(&self.streams.fault));
                }
                LinkEffect::Duplicate(probability) => {
                    if let Fate::Arrives(at) = fate
                        && probability.happens(word(&self.streams.fault))
                    {
                        let latency = &self.plan.classes[self.links.class(link)].latency;
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

/// One step of the two-state chain of a link. Is it in the bad state then?
#[inline]
fn step(links: &mut Links, link: usize, chain: Chain, burst: Burst, word: u64) -> bool {
    let bad = links.is_bad(link, chain);
    let turns = (if bad { burst.exit } else { burst.enter }).happens(word);
    if turns {
        links.turn(link, chain);
    }
    bad != turns
}
