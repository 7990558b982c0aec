//! Partitions: from named groups to a table over all endpoints.
//!
//! The rules are those of the parent module. Everything here covers all endpoints and indexes by their number, so nodes
//! must exist.

use super::{Cluster, PartitionKind};
use crate::kernel::{disturbance::Cut, draws::Stream, ids::NodeId};

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
        PartitionKind::OneWay { from, to } => Cut::OneWay { from: marked(cluster, from), to: marked(cluster, to) },
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
    for side in &mut group[..endpoints.replicas as usize] {
        let side = *side.get_or_insert(groups.len() as u16);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::ids::Endpoints;

    /// Five replicas, a store beside n1, and clients: c1 at n1, c2 at n3, c3 at n5, and c4 who roams.
    const CLUSTER: Cluster<'_> = Cluster {
        endpoints: Endpoints { replicas: 5, services: 1, clients: 4 },
        service_at: &[NodeId(0)],
        client_replica: &[Some(NodeId(0)), Some(NodeId(2)), Some(NodeId(4)), None],
    };

    const ADDRESS: Address = Address { entity: 0, occurrence: 0 };

    fn replicas_only(replicas: u32) -> Cluster<'static> {
        Cluster { endpoints: Endpoints { replicas, services: 0, clients: 0 }, service_at: &[], client_replica: &[] }
    }

    /// An endpoint of [`CLUSTER`] by its name.
    fn node(name: &str) -> NodeId {
        let nodes = (0..CLUSTER.endpoints.total()).map(NodeId);
        nodes.into_iter().find(|&node| CLUSTER.endpoints.role(node).to_string() == name).expect("the name exists")
    }

    fn nodes(names: &str) -> Vec<NodeId> {
        names.split_whitespace().map(node).collect()
    }

    /// The groups named in `a b | c`.
    fn groups(names: &str) -> Vec<Vec<NodeId>> {
        names.split('|').map(nodes).collect()
    }

    /// The groups of replicas, service and clients; `*` talks to all.
    fn shown(cut: &Cut) -> String {
        let Cut::Groups { group } = cut else { panic!("{cut:?} has no groups") };
        let digit = |&side: &u16| if side == Cut::EVERYWHERE { "*".to_owned() } else { side.to_string() };
        let digits: Vec<_> = group.iter().map(digit).collect();
        [&digits[..5], &digits[5..6], &digits[6..]].map(<[String]>::concat).join(" ")
    }

    #[test]
    fn unnamed_endpoints_follow_the_rules() {
        let named = |names: &str| PartitionKind::Groups { groups: groups(names) };
        for (kind, expected) in [
            (named("n1 n2 | n3 n4 n5"), "00111 1 011*"),
            (named("n1 n2"), "00111 1 011*"),
            (named("n1 c4 | n2"), "01222 2 0220"),
            (named("n1 n2 s1 | n3 n4 n5"), "00111 0 011*"),
            (named("n1 n2 | n3 n4 | n5"), "00112 0 012*"),
            (named("s1"), "11111 0 111*"),
            (named("c2"), "11111 1 101*"),
            (PartitionKind::Flapping { groups: groups("n5 | n4"), up_ns: 1, down_ns: 1 }, "22210 2 220*"),
            (PartitionKind::Halves, "00111 1 011*"),
            (PartitionKind::Isolate { nodes: nodes("n2") }, "01000 0 000*"),
            (PartitionKind::Isolate { nodes: nodes("n1 n3") }, "10100 0 110*"),
            (PartitionKind::Isolate { nodes: nodes("s1 c1") }, "00000 1 100*"),
            (PartitionKind::Bridge { nodes: nodes("n3") }, "00*11 0 0*1*"),
            (PartitionKind::Bridge { nodes: nodes("n3 s1") }, "00*11 * 0*1*"),
            (PartitionKind::Bridge { nodes: nodes("n1 n2 n3 n4 n5") }, "***** 0 ****"),
        ] {
            assert_eq!(shown(&cut(&kind, &CLUSTER, 1, ADDRESS)), expected, "{kind:?}");
        }
    }

    #[test]
    fn one_way_cuts_mark_only_the_named() {
        let kind = PartitionKind::OneWay { from: nodes("n1 n2"), to: nodes("n3 s1") };
        let cut = cut(&kind, &CLUSTER, 1, ADDRESS);
        for (from, to, lost) in [
            ("n1", "n3", true),
            ("n2", "s1", true),
            ("n3", "n1", false),
            ("s1", "n2", false),
            ("n1", "n2", false),
            ("n1", "n4", false),
            ("c1", "n1", false),
            ("c4", "n3", false),
        ] {
            assert_eq!(cut.severs(node(from), node(to)), lost, "{from} to {to}");
        }
    }

    #[test]
    fn the_half_deaf_hear_nothing_and_the_half_dumb_say_nothing() {
        for (inbound, lost_from_n1) in [(false, true), (true, false)] {
            let cut = half_deaf(&CLUSTER, &nodes("n1"), inbound);
            for other in ["n2", "n5", "s1"] {
                assert_eq!(cut.severs(node("n1"), node(other)), lost_from_n1);
                assert_eq!(cut.severs(node(other), node("n1")), !lost_from_n1);
            }
            assert!(!cut.severs(node("c1"), node("n1")) && !cut.severs(node("n1"), node("c1")));
            assert!(!cut.severs(node("c4"), node("n1")) && !cut.severs(node("n2"), node("n3")));
        }
    }

    #[test]
    fn on_a_majority_ring_every_replica_sees_a_majority_and_no_two_the_same() {
        for count in 1..40 {
            let cluster = replicas_only(count);
            let cut = cut(&PartitionKind::MajorityRing, &cluster, 7, ADDRESS);
            let mut views = Vec::new();
            for a in (0..count).map(NodeId) {
                let view: Vec<_> = (0..count).map(NodeId).filter(|&b| !cut.severs(a, b)).collect();
                assert!(view.iter().all(|&b| !cut.severs(b, a)));
                assert!(view.contains(&a) && view.len() > count as usize / 2, "{view:?} of {count}");
                if count > 3 {
                    assert!(view.len() < count as usize && !views.contains(&view), "{view:?} of {count}");
                }
                views.push(view);
            }
        }
    }

    #[test]
    fn on_a_ring_services_and_bound_clients_stand_beside_their_replica() {
        let Cut::Ring { position, length, reach } = cut(&PartitionKind::MajorityRing, &CLUSTER, 3, ADDRESS) else {
            panic!("a ring is a ring");
        };
        assert_eq!((length, reach), (5, 1));
        let at = |name: &str| position[node(name).index()];
        assert_eq!(
            (at("s1"), at("c1"), at("c2"), at("c3"), at("c4")),
            (at("n1"), at("n1"), at("n3"), at("n5"), u32::MAX)
        );
        let orders: Vec<_> = (0..20).map(|seed| cut(&PartitionKind::MajorityRing, &CLUSTER, seed, ADDRESS)).collect();
        assert!(orders.iter().any(|other| format!("{other:?}") != format!("{:?}", orders[0])));
    }

    #[test]
    fn occurrences_of_a_random_partition_differ() {
        let of = |entity, occurrence, seed| {
            shown(&cut(&PartitionKind::Random { groups: 2 }, &CLUSTER, seed, Address { entity, occurrence }))
        };
        let differ = |sides: Vec<String>| sides.iter().any(|side| *side != sides[0]);
        assert_eq!(of(1, 2, 3), of(1, 2, 3));
        assert!(differ((0..20).map(|k| of(k, 0, 1)).collect()));
        assert!(differ((0..20).map(|k| of(0, k, 1)).collect()));
        assert!(differ((0..20).map(|k| of(0, 0, k)).collect()));
    }

    proptest! {
        #[test]
        fn random_groups_are_never_empty(replicas in 1..40_u32, groups in 0..50_u32, seed: u64, occurrence in 0..9_u64) {
            let kind = PartitionKind::Random { groups };
            let cut = cut(&kind, &replicas_only(replicas), seed, Address { entity: 5, occurrence });
            let Cut::Groups { group } = cut else { panic!("random groups are groups") };
            let mut used = group.clone();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used, (0..groups.min(replicas).max(1) as u16).collect::<Vec<_>>());
        }

        #[test]
        fn a_further_replica_leaves_the_order_of_the_others(replicas in 1..40_u32, seed: u64) {
            let stream = Stream::new(seed, "test");
            let mut order = ADDRESS.order(&stream, replicas + 1);
            order.retain(|&node| node != NodeId(replicas));
            prop_assert_eq!(order, ADDRESS.order(&stream, replicas));
        }
    }
}
