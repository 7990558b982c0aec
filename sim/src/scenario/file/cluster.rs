//! `[cluster]`: replicas, their graph and their clocks.

use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;

use super::value::{At, Choice, Empty, Entries, NameList, ShortForm, Written};
use crate::scenario::{
    topology::TOPOLOGIES,
    units::{Drift, Duration, Percentage},
};

/// The replicas.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterTable {
    /// The number of replicas; they are called n1, n2, and so on.
    #[schemars(range(min = 1, max = 4_000_000))]
    pub nodes: At<i64>,
    /// Who is whose neighbour; complete unless given.
    pub topology: Option<At<Choice<Graph>>>,
    /// How far clocks are off.
    pub clock: Option<At<Clock>>,
}

/// How far the clocks of replicas are off, drawn for every replica.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Offsets are uniform between minus this and this.
    pub skew: Option<Written<Duration>>,
    /// Drifts are uniform between minus this and this.
    pub drift: Option<Written<Drift>>,
}

/// A graph: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Graph {
    /// Everybody is everybody's neighbour.
    pub complete: Option<At<Empty>>,
    /// A ring in the order of the numbers.
    pub ring: Option<At<Empty>>,
    /// n1 in the middle.
    pub star: Option<At<Empty>>,
    /// A rectangle, row by row.
    pub grid: Option<At<GridTable>>,
    /// A tree with n1 as its root.
    pub tree: Option<At<TreeTable>>,
    /// A random graph in which all have equally many neighbours.
    pub random_regular: Option<At<RandomRegularTable>>,
    /// A ring with shortcuts (Watts and Strogatz).
    pub small_world: Option<At<SmallWorldTable>>,
    /// A graph with hubs (Barabási and Albert).
    pub scale_free: Option<At<ScaleFreeTable>>,
    /// Named regions with latencies between them.
    pub geo: Option<At<Geo>>,
    /// The listed links.
    pub edges: Option<At<Vec<Edge>>>,
}

impl ShortForm for Graph {
    const EXPECTED: &'static str = "a topology such as \"complete\" or { grid = { width = 2, height = 3 } }";

    fn text_schema() -> Schema {
        let names = ["complete", "ring", "star"];
        debug_assert!(names.iter().all(|name| TOPOLOGIES.iter().any(|(known, _)| known == name)));
        json_schema!({ "type": "string", "enum": names })
    }
}

/// The two ends of a link.
pub type Edge = At<(At<String>, At<String>)>;

/// A grid.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridTable {
    /// Replicas in a row.
    pub width: At<i64>,
    /// The number of rows.
    pub height: At<i64>,
}

/// A tree.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TreeTable {
    /// The number of children of a replica.
    pub arity: At<i64>,
}

/// A random regular graph.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomRegularTable {
    /// The number of neighbours of every replica.
    pub degree: At<i64>,
}

/// A small world.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmallWorldTable {
    /// The number of neighbours on the ring, half on either side.
    pub degree: At<i64>,
    /// The probability that a link leads elsewhere instead.
    pub rewire: Written<Percentage>,
}

/// A scale-free graph.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleFreeTable {
    /// The number of links with which every further replica joins.
    pub links: At<i64>,
}

/// Regions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Geo {
    /// The replicas of every region.
    pub regions: Entries<NameList>,
    /// The latency between two regions, `eu-us`, or within one, `eu-eu`; both ways unless `us-eu` is given too.
    pub latency: Entries<At<Choice<super::network::Latency>>>,
}
