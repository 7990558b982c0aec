//! The state of links: how many messages each has carried, and what bursts and bandwidth made of it.
//!
//! Links are numbered, and their state lies in parallel tables by number. Every run counts messages; the other tables
//! exist only where something needs them, so that a run under uniform conditions touches one byte a message: on a complete
//! graph of a thousand replicas every message meets another of a million links, and each is a cache miss if links are wide.
//!
//! Invariant: a link's number depends on the graph alone, or, on complete graphs that are too large for a table, on the
//! order in which links are first used; no draw depends on it.
//!
//! What becomes of a message is not decided here ([`super::network`]).

use hashbrown::HashMap;

use super::{
    fold::Fold,
    ids::{Endpoints, NodeId, Role},
    plan::{ClassOf, NetworkPlan},
    topology::{Rows, Topology},
};

/// Complete graphs up to this many replicas and services have a dense table of links; larger ones count the messages of
/// those links only that are used.
const DENSE_ENDPOINTS_MAX: u32 = 2048;

/// Where the numbers of services begin in addresses of draws.
const SERVICES_FROM: u32 = 1 << 30;
/// Where the numbers of clients begin in addresses of draws.
const CLIENTS_FROM: u32 = 1 << 31;

/// The address of a directed link in draws: independent of the graph, and of how many endpoints of other roles there are,
/// so that adding an edge, a replica, a service or a client moves nothing.
#[inline]
pub(super) fn address(endpoints: Endpoints, from: NodeId, to: NodeId) -> u64 {
    let of = |node: NodeId| match endpoints.role(node) {
        Role::Replica(index) => index,
        Role::Service(index) => SERVICES_FROM + index,
        Role::Client(index) => CLIENTS_FROM + index,
    };
    u64::from(of(from)) << 32 | u64::from(of(to))
}

/// Whose burst a link is in the bad state of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// The network's own.
    Network = 1,
    /// One that a fault brings.
    Fault = 2,
}

/// The state of all links.
#[derive(Clone, Debug)]
pub(super) struct Links {
    numbering: Numbering,
    counts: Counts,
    /// The conditions of each link; empty when all have `class`.
    classes: Vec<u16>,
    class: u16,
    /// The [`Chain`]s of each link that are in their bad state; links beyond the end are in none.
    bad: Vec<u8>,
    /// Until when each link is busy; links beyond the end are free.
    busy: Vec<u64>,
}

/// Messages so far, by link.
#[derive(Clone, Debug)]
struct Counts {
    /// The low byte.
    low: Vec<u8>,
    /// The rest; empty until a link has carried 256 messages.
    high: Vec<u32>,
}

/// How links are numbered.
#[derive(Clone, Debug)]
enum Numbering {
    /// Complete, small: row `from`, column `to`.
    Dense { endpoints: u32 },
    /// Sparse: as numbered by the rows; links of services follow (see `row_link`).
    Rows,
    /// Complete, large: in the order of first use.
    Used { numbers: HashMap<u64, u32, AddressHash> },
}

/// Hashes the address of a link with a fixed function; the table is never iterated.
#[derive(Clone, Copy, Debug, Default)]
struct AddressHash;

impl std::hash::BuildHasher for AddressHash {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold::default()
    }
}

impl Links {
    pub(super) fn new(plan: &NetworkPlan) -> Self {
        let endpoints = plan.endpoints.replicas + plan.endpoints.services;
        let (numbering, links) = match &plan.topology {
            Topology::Complete { .. } if endpoints <= DENSE_ENDPOINTS_MAX => {
                (Numbering::Dense { endpoints }, (endpoints * endpoints) as usize)
            }
            Topology::Complete { .. } => (Numbering::Used { numbers: HashMap::with_hasher(AddressHash) }, 0),
            Topology::Sparse(rows) => (Numbering::Rows, rows.links() as usize + 2 * plan.service_at.len()),
        };
        let (class, classes) = match plan.class_of {
            ClassOf::Uniform(class) if plan.overrides.is_empty() => (class, Vec::new()),
            _ => (0, classes(plan, &numbering)),
        };
        Self {
            numbering,
            counts: Counts { low: vec![0; links], high: Vec::new() },
            classes,
            class,
            bad: Vec::new(),
            busy: Vec::new(),
        }
    }

    /// The number of the link from `from` to `to`, which exists.
    #[inline]
    pub(super) fn number(&mut self, plan: &NetworkPlan, from: NodeId, to: NodeId) -> usize {
        match &mut self.numbering {
            Numbering::Dense { endpoints } => (from.0 * *endpoints + to.0) as usize,
            Numbering::Rows => row_link(plan, from, to),
            Numbering::Used { numbers } => {
                let fresh = self.counts.low.len() as u32;
                let number = *numbers.entry(address(plan.endpoints, from, to)).or_insert(fresh);
                if number == fresh {
                    self.counts.low.push(0);
                    if !matches!(plan.class_of, ClassOf::Uniform(_)) || !plan.overrides.is_empty() {
                        self.classes.push(class_of(plan, from, to));
                    }
                }
                number as usize
            }
        }
    }

    /// The number of messages before this one.
    #[inline]
    pub(super) fn count(&mut self, number: usize) -> u64 {
        let Counts { low, high } = &mut self.counts;
        let before = low[number];
        low[number] = before.wrapping_add(1);
        if high.is_empty() && before < u8::MAX {
            return u64::from(before);
        }
        reach(high, number, low.len());
        let count = u64::from(high[number]) << 8 | u64::from(before);
        high[number] += u32::from(before == u8::MAX);
        count
    }

    /// Reads what sending over the links of a replica reads, to bring it into the cache.
    #[inline]
    pub(super) fn touch(&self, rows: &Rows, replica: NodeId) -> u64 {
        let (first, neighbours) = rows.row(replica.0);
        let count = self.counts.low.get(first).copied().unwrap_or(0);
        u64::from(neighbours.first().copied().unwrap_or(0)) ^ u64::from(count)
    }

    /// The class of a link.
    #[inline]
    pub(super) fn class(&self, number: usize) -> usize {
        usize::from(if self.classes.is_empty() { self.class } else { self.classes[number] })
    }

    /// Is the link in the bad state of a chain?
    pub(super) fn is_bad(&self, number: usize, chain: Chain) -> bool {
        self.bad.get(number).is_some_and(|bad| bad & chain as u8 != 0)
    }

    /// Moves the link between the good and the bad state of a chain.
    pub(super) fn turn(&mut self, number: usize, chain: Chain) {
        reach(&mut self.bad, number, self.counts.low.len());
        self.bad[number] ^= chain as u8;
    }

    /// Brings all links back to the good state of a chain.
    pub(super) fn calm(&mut self, chain: Chain) {
        self.bad.iter_mut().for_each(|bad| *bad &= !(chain as u8));
    }

    /// Until when the link is busy.
    pub(super) fn busy(&mut self, number: usize) -> &mut u64 {
        reach(&mut self.busy, number, self.counts.low.len());
        &mut self.busy[number]
    }

    /// The memory held, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let used = match &self.numbering {
            Numbering::Used { numbers } => numbers.capacity() * size_of::<(u64, u32)>(),
            Numbering::Dense { .. } | Numbering::Rows => 0,
        };
        let counts = self.counts.low.capacity() + self.counts.high.capacity() * 4;
        (used + counts + self.classes.capacity() * 2 + self.bad.capacity() + self.busy.capacity() * 8) as u64
    }
}

/// Makes a table reach to `number`, at once for all `links` that there are.
fn reach<T: Copy + Default>(table: &mut Vec<T>, number: usize, links: usize) {
    if number >= table.len() {
        table.resize(links.max(number + 1), T::default());
    }
}

/// The classes of all links that are numbered in advance.
fn classes(plan: &NetworkPlan, numbering: &Numbering) -> Vec<u16> {
    let of = |from: u32, to: u32| class_of(plan, NodeId(from), NodeId(to));
    match (numbering, &plan.topology) {
        (Numbering::Dense { endpoints }, _) => {
            (0..*endpoints).flat_map(|from| (0..*endpoints).map(move |to| of(from, to))).collect()
        }
        (Numbering::Rows, Topology::Sparse(rows)) => {
            let mut classes = Vec::with_capacity(rows.links() as usize + 2 * plan.service_at.len());
            for from in 0..plan.endpoints.replicas {
                classes.extend(rows.neighbours(from).iter().map(|&to| of(from, to)));
            }
            for (index, at) in plan.service_at.iter().enumerate() {
                let service = plan.endpoints.service(index as u32);
                classes.extend([of(at.0, service.0), of(service.0, at.0)]);
            }
            classes
        }
        _ => Vec::new(),
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
            rows.link(a, b).expect("replicas send to neighbours only, which `Context::send` demands") as usize
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::Endpoints;

    fn plan(topology: Topology, overrides: Vec<((NodeId, NodeId), u16)>) -> NetworkPlan {
        NetworkPlan {
            endpoints: Endpoints { replicas: topology.replicas(), services: 0, clients: 0 },
            topology,
            classes: Vec::new(),
            class_of: ClassOf::Uniform(3),
            overrides,
            service_at: Vec::new(),
            client_class: 0,
        }
    }

    #[test]
    fn counts_go_on_beyond_a_byte() {
        let plan = plan(Topology::Complete { replicas: 3 }, vec![]);
        let mut links = Links::new(&plan);
        let (one, other) = (links.number(&plan, NodeId(0), NodeId(1)), links.number(&plan, NodeId(1), NodeId(0)));
        assert!((0..1000).all(|before| links.count(one) == before));
        assert!((0..300).all(|before| links.count(other) == before));
        assert_eq!(links.count(one), 1000);
    }

    #[test]
    fn every_numbering_keeps_links_apart() {
        let path = Topology::Sparse(Rows::from_edges(3, &[(0, 1), (1, 2)]));
        let large = Topology::Complete { replicas: DENSE_ENDPOINTS_MAX + 1 };
        for topology in [Topology::Complete { replicas: 3 }, path, large] {
            let plan = plan(topology, vec![((NodeId(1), NodeId(2)), 7)]);
            let mut links = Links::new(&plan);
            let ends = [(0, 1), (1, 0), (1, 2), (2, 1)].map(|(from, to)| (NodeId(from), NodeId(to)));
            for (sent, (from, to)) in ends.into_iter().enumerate() {
                let link = links.number(&plan, from, to);
                assert!((0..sent as u64).all(|before| links.count(link) == before));
                if sent % 2 == 0 {
                    links.turn(link, Chain::Fault);
                }
                *links.busy(link) = sent as u64;
            }
            for (sent, (from, to)) in ends.into_iter().enumerate() {
                let link = links.number(&plan, from, to);
                assert_eq!(links.class(link), if (from, to) == (NodeId(1), NodeId(2)) { 7 } else { 3 });
                assert_eq!(links.count(link), sent as u64);
                assert_eq!((links.is_bad(link, Chain::Fault), *links.busy(link)), (sent % 2 == 0, sent as u64));
                assert!(!links.is_bad(link, Chain::Network));
            }
        }
    }
}
