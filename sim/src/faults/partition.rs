//! Partitions: from named groups to a table over all endpoints.
//!
//! The rules are those of the parent module. Everything here covers all endpoints and indexes by their number, so nodes
//! must exist.

use super::{Cluster, PartitionKind};
use crate::kernel::{
    disturbance::Cut,
    draws::Stream,
    ids::NodeId,
};

/// The most groups of one partition.
pub const GROUPS_MAX: usize = 65_000;

/// Where the draws of one occurrence of one fault are found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    /// Which fault.
    pub(super) entity: u64,
    /// Which occurrence.
    pub(super) occurrence: u64,
}

impl Address {
    /// The counter of the draw for one endpoint.
    fn of(self, node: NodeId) -> u64 {
        (self.occurrence << 32) | u64::from(node.0)
    }

    /// The replicas in a drawn order. Another replica finds its place in it and leaves the others in theirs.
    pub(super) fn order(self, stream: &Stream, replicas: u32) -> Vec<NodeId> {
        let mut order: Vec<NodeId> = (0..replicas).map(NodeId).collect();
        order.sort_by_cached_key(|&node| stream.word(self.entity, self.of(node)));
        order
    }
}

/// The cut of a partition.
pub(super) fn cut(kind: &PartitionKind, cluster: &Cluster<'_>, seed: u64, address: Address) -> Cut {
    let replicas = cluster.endpoints.replicas;
    match kind {
        PartitionKind::Groups { groups } | PartitionKind::Flapping { groups, .. } => sides(cluster, groups, &[]),
        PartitionKind::Halves => halves(cluster, &(0..replicas).map(NodeId).collect::<Vec<_>>(), &[]),
        PartitionKind::Isolate { nodes } => isolate(cluster, nodes),
        PartitionKind::MajorityRing => ring(cluster, &address.order(&Stream::new(seed, "fault.ring"), replicas)),
        PartitionKind::Bridge { nodes } => {
            let bridge = marked(cluster, nodes);
            let rest: Vec<NodeId> = (0..replicas).map(NodeId).filter(|node| !bridge[node.index()]).collect();
            halves(cluster, &rest, nodes)
        }
        PartitionKind::OneWay { from, to } => {
            Cut::OneWay { from: marked(cluster, from), to: marked(cluster, to) }
        }
        PartitionKind::Random { groups } => random(cluster, seed, address, *groups),
    }
}

/// The groups of all endpoints: named ones first, then by the rules.
fn sides(cluster: &Cluster<'_>, groups: &[Vec<NodeId>], everywhere: &[NodeId]) -> Cut {
    let endpoints = cluster.endpoints;
    let mut group: Vec<Option<u16>> = vec![None; endpoints.total() as usize];
    for (number, members) in groups.iter().enumerate() {
        for member in members {
            group[member.index()] = Some(number as u16);
        }
    }
    for node in everywhere {
        group[node.index()] = Some(Cut::EVERYWHERE);
    }
    let mut members = vec![0_u32; groups.len() + 1];
    for replica in 0..endpoints.replicas as usize {
        let side = *group[replica].get_or_insert(groups.len() as u16);
        if side != Cut::EVERYWHERE {
            members[usize::from(side)] += 1;
        }
    }
    let most = members.iter().copied().max();
    let largest = members.iter().position(|&count| Some(count) == most).unwrap_or_default();
    for service in 0..endpoints.services {
        group[endpoints.service(service).index()].get_or_insert(largest as u16);
    }
    for (client, bound) in (0..endpoints.clients).zip(cluster.client_replica) {
        let at = endpoints.client(client).index();
        if group[at].is_none() {
            group[at] = bound.and_then(|replica| group[replica.index()]);
        }
    }
    Cut::Groups { group: group.into_iter().map(|side| side.unwrap_or(Cut::EVERYWHERE)).collect() }
}

/// The first half of `replicas`, rounded down, against the others, joined by `bridge`.
pub(super) fn halves(cluster: &Cluster<'_>, replicas: &[NodeId], bridge: &[NodeId]) -> Cut {
    let (first, second) = replicas.split_at(replicas.len() / 2);
    sides(cluster, &[first.to_vec(), second.to_vec()], bridge)
}

/// `nodes` together against the others, who come first so that they keep the services when both sides are equal.
pub(super) fn isolate(cluster: &Cluster<'_>, nodes: &[NodeId]) -> Cut {
    let alone = marked(cluster, nodes);
    let others = (0..cluster.endpoints.replicas).map(NodeId).filter(|node| !alone[node.index()]).collect();
    sides(cluster, &[others, nodes.to_vec()], &[])
}

/// The messages of one side of `isolate` to the other are lost: those from `nodes`, or those to them.
pub(super) fn half_deaf(cluster: &Cluster<'_>, nodes: &[NodeId], inbound: bool) -> Cut {
    let Cut::Groups { group } = isolate(cluster, nodes) else {
        unreachable!("isolation makes groups");
    };
    let others = group.iter().map(|&side| side == 0).collect();
    let alone = group.iter().map(|&side| side == 1).collect();
    if inbound { Cut::OneWay { from: others, to: alone } } else { Cut::OneWay { from: alone, to: others } }
}

/// The replicas stand on a ring in this order.
pub(super) fn ring(cluster: &Cluster<'_>, order: &[NodeId]) -> Cut {
    let endpoints = cluster.endpoints;
    let mut position = vec![u32::MAX; endpoints.total() as usize];
    for (at, node) in (0..).zip(order) {
        position[node.index()] = at;
    }
    for (service, beside) in (0..endpoints.services).zip(cluster.service_at) {
        position[endpoints.service(service).index()] = position[beside.index()];
    }
    for (client, bound) in (0..endpoints.clients).zip(cluster.client_replica) {
        if let Some(replica) = bound {
            position[endpoints.client(client).index()] = position[replica.index()];
        }
    }
    let length = order.len() as u32;
    // A majority is oneself and `length / 2` others, half of them on either side.
    Cut::Ring { position, length, reach: (length / 2).div_ceil(2) }
}

/// Every group gets one replica, and the others draw theirs.
fn random(cluster: &Cluster<'_>, seed: u64, address: Address, groups: u32) -> Cut {
    let replicas = cluster.endpoints.replicas;
    let count = (groups.min(replicas) as usize).clamp(1, GROUPS_MAX);
    let side = Stream::new(seed, "fault.side");
    let mut members = vec![Vec::new(); count];
    for (at, node) in address.order(&Stream::new(seed, "fault.partition"), replicas).into_iter().enumerate() {
        let drawn = if at < count { at } else { side.below(address.entity, address.of(node), count as u64) as usize };
        members[drawn].push(node);
    }
    sides(cluster, &members, &[])
}

/// A table over all endpoints that is true for `nodes`.
fn marked(cluster: &Cluster<'_>, nodes: &[NodeId]) -> Vec<bool> {
    let mut table = vec![false; cluster.endpoints.total() as usize];
    for node in nodes {
        table[node.index()] = true;
    }
    table
}
