//! Floors: how long convergence takes in theory, to hold measured times against.
//!
//! Two cases are known. Whoever floods needs as many hops as the graph's radius (the least eccentricity), each at the latency of a link; the
//! median latency is taken. Push gossip over a complete graph, with one peer a round, takes log2 n + ln n rounds, asymptotically and in
//! probability (Pittel 1987, "On spreading a rumor"); that is the theory of rounds that all replicas begin at once, and a measured median
//! may be somewhat less.
//!
//! Invariant: a floor is a function of the plan and the seed, and none is given where the assumptions do not hold: links that differ, fanouts
//! above one, pulling, stores.
//!
//! What is deliberately absent: loss, faults and bandwidth, which only add to a floor.

use crate::{
    kernel::{
        plan::{ClassOf, NetworkPlan},
        topology::{Rows, Topology},
    },
    protocols::gossip::{GossipConfig, Mode},
    scenario::{Plan, ProtocolSpec, SystemSpec},
};

/// What convergence takes in theory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// So many hops at the median latency of a link.
    Hops {
        /// The radius of the graph.
        hops: u32,
        /// The median latency.
        latency_ns: u64,
    },
    /// So many rounds of push gossip, in thousandths.
    Rounds {
        /// Thousandths of rounds.
        milli: u64,
        /// The time between rounds.
        interval_ns: u64,
    },
}

impl Floor {
    /// The time.
    pub fn ns(self) -> u64 {
        match self {
            Self::Hops { hops, latency_ns } => latency_ns.saturating_mul(u64::from(hops)),
            Self::Rounds { milli, interval_ns } => {
                u64::try_from(u128::from(interval_ns) * u128::from(milli) / 1_000).unwrap_or(u64::MAX)
            }
        }
    }
}

/// The floor of a system under a seed, where one is known.
pub fn floor(plan: &Plan, system: &SystemSpec, seed: u64) -> Option<Floor> {
    let network = plan.run_plan(seed).network;
    let replicas = network.endpoints.replicas;
    let config = match &system.protocol {
        ProtocolSpec::Naive | ProtocolSpec::NaiveDelta => return hops(&network),
        ProtocolSpec::Gossip { config, .. } => config,
        ProtocolSpec::Occ { .. }
        | ProtocolSpec::Lock { .. }
        | ProtocolSpec::Flawed { .. }
        | ProtocolSpec::External { .. } => return None,
    };
    let is_complete = matches!(network.topology, Topology::Complete { .. });
    if config.eager && is_complete && replicas <= GossipConfig::EAGER_PEERS_MAX + 1 {
        return hops(&network);
    }
    if config.mode == Mode::Push && !config.eager && config.fanout == 1 && is_complete && replicas > 1 {
        let replicas = f64::from(replicas);
        let milli = ((replicas.log2() + replicas.ln()) * 1_000.0).round() as u64;
        return Some(Floor::Rounds { milli, interval_ns: config.interval_ns });
    }
    None
}

fn hops(network: &NetworkPlan) -> Option<Floor> {
    let ClassOf::Uniform(class) = network.class_of else { return None };
    if !network.overrides.is_empty() {
        return None;
    }
    let latency_ns = network.classes[usize::from(class)].latency.sample(1 << 63);
    let hops = match &network.topology {
        Topology::Complete { replicas } => u32::from(*replicas > 1),
        Topology::Sparse(rows) => radius(rows, network.endpoints.replicas)?,
    };
    Some(Floor::Hops { hops, latency_ns })
}

/// The most visits of links for a radius: about a second.
const VISITS_MAX: u64 = 1 << 28;

/// The least eccentricity: the hops that the best placed replica needs to reach everybody. Larger graphs than [`VISITS_MAX`] allows have none.
fn radius(rows: &Rows, replicas: u32) -> Option<u32> {
    if u64::from(replicas) * (u64::from(replicas) + u64::from(rows.links())) > VISITS_MAX {
        return None;
    }
    let mut distance = vec![u32::MAX; replicas as usize];
    let mut queue = Vec::with_capacity(replicas as usize);
    (0..replicas).map(|root| eccentricity(rows, root, &mut distance, &mut queue)).min()
}

/// The hops from a replica to the farthest one of a connected graph.
fn eccentricity(rows: &Rows, root: u32, distance: &mut [u32], queue: &mut Vec<u32>) -> u32 {
    distance.fill(u32::MAX);
    distance[root as usize] = 0;
    queue.clear();
    queue.push(root);
    let mut at = 0;
    while let Some(&node) = queue.get(at) {
        for &next in rows.neighbours(node) {
            if distance[next as usize] == u32::MAX {
                distance[next as usize] = distance[node as usize] + 1;
                queue.push(next);
            }
        }
        at += 1;
    }
    queue.last().map_or(0, |&last| distance[last as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cluster: &str, gossip: &str) -> Vec<Option<Floor>> {
        let text = format!(
            r#"
            name = "floors"
            cluster = {{ {cluster} }}
            network = {{ latency = {{ uniform = {{ min = "10ms", max = "30ms" }} }} }}
            workload = {{ object = "counter", clients = 2, rate = "10/s", duration = "5s" }}
            [[system]]
            name = "naive"
            naive = {{}}
            [[system]]
            name = "gossip"
            gossip = {{ crdt = "pn-counter", {gossip} }}
            "#
        );
        let plan = crate::scenario::parse("floors.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
        plan.systems.iter().map(|system| floor(&plan, system, 1)).collect()
    }

    #[test]
    fn hops_are_the_radius_times_the_median() {
        let hops = |hops| Some(Floor::Hops { hops, latency_ns: 20_000_000 });
        assert_eq!(of("nodes = 5", "mode = 'push-pull'"), [hops(1), None]);
        assert_eq!(of("nodes = 5", "eager = true"), [hops(1), hops(1)]);
        assert_eq!(of("nodes = 9, topology = 'ring'", "eager = true"), [hops(4), None]);
        assert_eq!(of("nodes = 9, topology = 'star'", "eager = true"), [hops(1), None]);
    }

    #[test]
    fn push_gossip_takes_the_rounds_of_pittel() {
        let [_, Some(floor)] = of("nodes = 16", "mode = 'push', interval = '100ms'")[..] else { panic!("a floor") };
        // log2 16 = 4 and ln 16 = 2.7726.
        assert_eq!(floor, Floor::Rounds { milli: 6_773, interval_ns: 100_000_000 });
        assert_eq!(floor.ns(), 677_300_000);
        assert_eq!(of("nodes = 16", "mode = 'push', fanout = 2")[1], None);
    }
}
