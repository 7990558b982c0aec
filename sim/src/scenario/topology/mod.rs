//! Topologies: from a description to flat rows of neighbours.
//!
//! Every graph that leaves here is undirected, simple and connected. Random graphs are drawn from the seed, each edge at
//! an address of its own, and building one takes a time near its size: a million replicas are no special case.
//!
//! ```
//! use sim::{kernel::ids::NodeId, scenario::topology::Graph};
//! let ring = Graph::Ring.build(5, 1);
//! assert_eq!((0..5).map(|node| ring.degree(NodeId(node))).collect::<Vec<_>>(), [2; 5]);
//! ```
//!
//! Whether a description makes sense for a number of replicas is asked with [`Graph::check`] before; latencies of regions
//! are no matter of the graph.

mod random;

use petgraph::unionfind::UnionFind;

use crate::kernel::{
    draws::{Probability, Stream},
    topology::{Rows, Topology},
};

/// The accepted topologies, with what they are.
pub const TOPOLOGIES: &[(&str, &str)] = &[
    ("complete", "everybody is everybody's neighbour"),
    ("ring", "a ring in the order of the numbers"),
    ("star", "n1 in the middle"),
    ("grid", "a rectangle of width times height, row by row"),
    ("tree", "a tree with n1 as its root and the given arity"),
    ("random-regular", "a random graph in which all have the same degree"),
    ("small-world", "a ring lattice with rewired links (Watts and Strogatz)"),
    ("scale-free", "preferential attachment: few hubs, many leaves (Barabási and Albert)"),
    ("geo", "a complete graph over named regions with latencies between them"),
    ("edges", "exactly the listed links"),
];

/// The most directed links of a graph: more would fill gigabytes before a run has begun.
const LINKS_MAX: u64 = 1 << 27;

/// A graph by its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Graph {
    /// All pairs.
    Complete,
    /// A ring.
    Ring,
    /// The first replica in the middle.
    Star,
    /// A rectangle.
    Grid {
        /// Replicas in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A tree.
    Tree {
        /// Children of a replica.
        arity: u32,
    },
    /// A random graph with equal degrees.
    RandomRegular {
        /// Neighbours of a replica.
        degree: u32,
    },
    /// A ring lattice, rewired.
    SmallWorld {
        /// Neighbours on the lattice.
        degree: u32,
        /// The probability that an edge leads elsewhere.
        rewire: Probability,
    },
    /// Preferential attachment.
    ScaleFree {
        /// Links of a replica that joins.
        links: u32,
    },
    /// These edges.
    Edges(Vec<(u32, u32)>),
}

impl Graph {
    /// Is the graph the same for every seed?
    pub fn is_fixed(&self) -> bool {
        !matches!(self, Self::RandomRegular { .. } | Self::SmallWorld { .. } | Self::ScaleFree { .. })
    }

    /// Why there is no such graph with this many replicas, with advice; nothing when there is one.
    pub fn check(&self, replicas: u32) -> Result<(), (String, String)> {
        let problem = |message: String, help: &str| Err((message, help.to_owned()));
        let links = match self {
            Self::Grid { width, height } => {
                let product = u64::from(*width) * u64::from(*height);
                if product != u64::from(replicas) {
                    return problem(
                        format!("a grid of {width} x {height} has {product} replicas, and the cluster has {replicas}"),
                        "width times height must be the number of nodes",
                    );
                }
                4
            }
            Self::Tree { arity: 0 } => {
                return problem("a tree needs an arity of at least 1".to_owned(), "use 2 for a binary tree");
            }
            Self::RandomRegular { degree } => {
                check_regular(*degree, replicas)?;
                *degree
            }
            Self::SmallWorld { degree, .. } => {
                if *degree < 2 || degree % 2 == 1 {
                    return problem(
                        format!("the degree of a small world is even and at least 2, not {degree}"),
                        "half of the neighbours stand on either side of the ring",
                    );
                }
                check_degree(*degree, replicas)?;
                *degree
            }
            Self::ScaleFree { links } => {
                if *links == 0 {
                    return problem("a replica joins with at least one link".to_owned(), "use links = 2");
                }
                check_degree(*links, replicas)?;
                links.saturating_mul(2)
            }
            Self::Edges(edges) => {
                if let Some((a, b)) = unreachable_pair(replicas, edges) {
                    return problem(
                        format!("the graph is not connected: there is no path from n{} to n{}", a + 1, b + 1),
                        "add edges until every replica can be reached",
                    );
                }
                2
            }
            Self::Complete | Self::Ring | Self::Star | Self::Tree { .. } => 2,
        };
        if u64::from(links) * u64::from(replicas) > LINKS_MAX {
            return problem(
                format!("{replicas} replicas with {links} links each are more than memory holds"),
                "use a smaller degree, or fewer nodes",
            );
        }
        Ok(())
    }

    /// The graph over this many replicas, under a seed. The description has been checked.
    pub fn build(&self, replicas: u32, seed: u64) -> Topology {
        let edges: Vec<(u32, u32)> = match self {
            Self::Complete => return Topology::Complete { replicas },
            Self::Ring => (0..replicas).map(|node| (node, (node + 1) % replicas)).collect(),
            Self::Star => (1..replicas).map(|node| (0, node)).collect(),
            Self::Grid { width, .. } => grid(*width, replicas),
            Self::Tree { arity } => (1..replicas).map(|node| ((node - 1) / arity, node)).collect(),
            Self::RandomRegular { degree } => {
                random::regular(replicas, *degree, &Stream::new(seed, "topology.regular"))
            }
            Self::SmallWorld { degree, rewire } => {
                random::small_world(replicas, *degree, *rewire, &Stream::new(seed, "topology.small"))
            }
            Self::ScaleFree { links } => random::scale_free(replicas, *links, &Stream::new(seed, "topology.scale")),
            Self::Edges(edges) => edges.clone(),
        };
        Topology::Sparse(Rows::from_edges(replicas, &edges))
    }
}

/// A degree is less than the number of replicas.
fn check_degree(degree: u32, replicas: u32) -> Result<(), (String, String)> {
    if degree < replicas {
        return Ok(());
    }
    Err((
        format!("a replica cannot have {degree} neighbours among {replicas} replicas"),
        "the degree must be less than the number of nodes".to_owned(),
    ))
}

/// A connected regular graph exists if degrees add up to an even number and allow a path everywhere.
fn check_regular(degree: u32, replicas: u32) -> Result<(), (String, String)> {
    check_degree(degree, replicas)?;
    if u64::from(degree) * u64::from(replicas) % 2 == 1 {
        return Err((
            format!("there is no graph of {replicas} replicas with {degree} neighbours each: every link has two ends"),
            "nodes times degree must be even".to_owned(),
        ));
    }
    if degree < 2 && replicas > degree + 1 {
        return Err((
            format!("a graph of {replicas} replicas with degree {degree} is not connected"),
            "use a degree of at least 3".to_owned(),
        ));
    }
    Ok(())
}

fn grid(width: u32, replicas: u32) -> Vec<(u32, u32)> {
    let right = (0..replicas).filter(|node| (node + 1) % width != 0).map(|node| (node, node + 1));
    let below = (0..replicas.saturating_sub(width)).map(|node| (node, node + width));
    right.chain(below).collect()
}

/// The connected components of a graph.
fn components(replicas: u32, edges: &[(u32, u32)]) -> UnionFind<u32> {
    let mut sets = UnionFind::new(replicas as usize);
    for &(a, b) in edges {
        sets.union(a, b);
    }
    sets
}

/// The first replica and one that it cannot reach, if there is one.
fn unreachable_pair(replicas: u32, edges: &[(u32, u32)]) -> Option<(u32, u32)> {
    let sets = components(replicas, edges);
    (1..replicas).find(|&node| !sets.equiv(0, node)).map(|node| (0, node))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::ids::NodeId;

    fn degrees(topology: &Topology) -> Vec<u32> {
        (0..topology.replicas()).map(|node| topology.degree(NodeId(node))).collect()
    }

    fn is_connected(topology: &Topology) -> bool {
        topology.next_hops(NodeId(0)).iter().all(Option::is_some)
    }

    fn half() -> Probability {
        Probability::ratio(1, 2).expect("one half")
    }

    #[test]
    fn fixed_graphs_have_the_shape_of_their_name() {
        for (graph, replicas, expected) in [
            (Graph::Complete, 4, vec![3; 4]),
            (Graph::Ring, 5, vec![2; 5]),
            (Graph::Ring, 2, vec![1; 2]),
            (Graph::Ring, 1, vec![0]),
            (Graph::Star, 4, vec![3, 1, 1, 1]),
            (Graph::Grid { width: 3, height: 2 }, 6, vec![2, 3, 2, 2, 3, 2]),
            (Graph::Grid { width: 1, height: 3 }, 3, vec![1, 2, 1]),
            (Graph::Tree { arity: 2 }, 6, vec![2, 3, 2, 1, 1, 1]),
            (Graph::Edges(vec![(0, 1), (1, 2)]), 3, vec![1, 2, 1]),
        ] {
            assert_eq!(graph.check(replicas), Ok(()));
            let built = graph.build(replicas, 1);
            assert_eq!(degrees(&built), expected, "{graph:?}");
            assert!(is_connected(&built) && graph.is_fixed());
        }
    }

    #[test]
    fn impossible_graphs_are_refused() {
        for (graph, replicas, why) in [
            (Graph::Grid { width: 2, height: 2 }, 5, "a grid of 2 x 2 has 4 replicas, and the cluster has 5"),
            (Graph::Grid { width: u32::MAX, height: u32::MAX }, 5, "18446744065119617025 replicas"),
            (Graph::Tree { arity: 0 }, 5, "at least 1"),
            (Graph::RandomRegular { degree: 3 }, 5, "every link has two ends"),
            (Graph::RandomRegular { degree: 6 }, 6, "cannot have 6 neighbours"),
            (Graph::RandomRegular { degree: 1 }, 4, "not connected"),
            (Graph::RandomRegular { degree: 0 }, 2, "not connected"),
            (Graph::RandomRegular { degree: 2_000 }, 4_000_000, "more than memory holds"),
            (Graph::SmallWorld { degree: 3, rewire: half() }, 6, "even"),
            (Graph::SmallWorld { degree: 6, rewire: half() }, 6, "cannot have 6"),
            (Graph::ScaleFree { links: 0 }, 6, "at least one"),
            (Graph::ScaleFree { links: 6 }, 6, "cannot have 6"),
            (Graph::Edges(vec![(0, 1), (2, 3)]), 4, "no path from n1 to n3"),
        ] {
            let (message, help) = graph.check(replicas).expect_err("impossible");
            assert!(message.contains(why) && !help.is_empty(), "{message}");
        }
    }

    #[test]
    fn every_small_regular_graph_is_regular_simple_and_connected() {
        for replicas in 1..=12 {
            for degree in 0..replicas {
                let graph = Graph::RandomRegular { degree };
                if graph.check(replicas).is_ok() {
                    for seed in 0..5 {
                        let built = graph.build(replicas, seed);
                        // Rows drop loops and repetitions, so full degrees mean a simple graph.
                        assert_eq!(degrees(&built), vec![degree; replicas as usize], "{replicas} {degree}");
                        assert!(is_connected(&built), "{replicas} {degree}");
                    }
                }
            }
        }
    }

    #[test]
    fn large_regular_graphs_are_regular_and_connected() {
        for (replicas, degree) in [(100_000, 4), (100_000, 2), (20_000, 8), (400, 301), (501, 250)] {
            let built = Graph::RandomRegular { degree }.build(replicas, 7);
            assert!(degrees(&built).iter().all(|&has| has == degree), "{replicas} {degree}");
            assert!(is_connected(&built));
        }
    }

    #[test]
    fn graphs_follow_the_seed() {
        for graph in [
            Graph::RandomRegular { degree: 4 },
            Graph::SmallWorld { degree: 4, rewire: half() },
            Graph::ScaleFree { links: 2 },
        ] {
            assert!(!graph.is_fixed());
            assert_eq!(graph.build(200, 1), graph.build(200, 1));
            assert_ne!(graph.build(200, 1), graph.build(200, 2));
        }
    }

    #[test]
    fn a_small_world_that_is_not_rewired_is_a_lattice() {
        let lattice = Graph::SmallWorld { degree: 4, rewire: Probability::ZERO }.build(9, 1);
        assert_eq!(degrees(&lattice), [4; 9]);
        let Topology::Sparse(rows) = lattice else { panic!("rows") };
        assert_eq!(rows.neighbours(0), [1, 2, 7, 8]);
    }

    #[test]
    fn scale_free_graphs_have_hubs() {
        let degrees = degrees(&Graph::ScaleFree { links: 2 }.build(2_000, 1));
        assert_eq!(degrees.iter().sum::<u32>(), 2 * (3 + 2 * (2_000 - 3)));
        assert!(degrees.iter().all(|&degree| degree >= 2) && degrees.iter().any(|&degree| degree > 40));
    }

    proptest! {
        #[test]
        fn random_graphs_are_connected(replicas in 3_u32..120, half_degree in 1_u32..4, percent in 0_u64..=100, seed: u64) {
            let rewire = Probability::ratio(percent, 100).expect("at most one");
            for graph in [
                Graph::SmallWorld { degree: 2 * half_degree, rewire },
                Graph::ScaleFree { links: half_degree },
                Graph::RandomRegular { degree: 2 * half_degree },
            ] {
                if graph.check(replicas).is_ok() {
                    prop_assert!(is_connected(&graph.build(replicas, seed)));
                }
            }
        }
    }
}
