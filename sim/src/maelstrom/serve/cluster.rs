//! Who takes part: the names of the replicas, and the identities under which they write.
//!
//! Replicas are numbered in the order of their names, whatever the order in which `init` lists them, so all number them
//! alike. Incarnation 0 of a replica writes under the name of its node, a later one under `NAME#INCARNATION`.
//!
//! ```
//! use crdts::ReplicaId;
//! use sim::maelstrom::serve::Cluster;
//!
//! let cluster = Cluster::new("n2", &["n2", "n1", "n3"].map(str::to_owned), 1).expect("three names");
//! assert_eq!((cluster.id().0, cluster.label()), (1, "n2#1".to_owned()));
//! assert_eq!(cluster.writer_named("n3"), Some(ReplicaId(2)));
//! assert_eq!(cluster.writer_name(ReplicaId(4)), Some("n2#1".to_owned()));
//! ```
//!
//! What is deliberately absent: members that come and go.

use crdts::clock::ReplicaId;
use serde_json::Value;

use super::fields::{self, Refused};
use crate::{kernel::ids::NodeId, maelstrom::wire::Body};

/// The most replicas of a cluster.
const REPLICAS_MAX: usize = 10_000;
/// The greatest incarnation: identities have 32 bits.
pub const INCARNATION_MAX: u32 = 99_999;

/// A cluster, as one of its replicas sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    names: Vec<String>,
    index: usize,
    incarnation: u32,
}

impl Cluster {
    /// The cluster of these nodes, seen from one of them.
    pub fn new(name: &str, names: &[String], incarnation: u32) -> Result<Self, Refused> {
        let mut names = names.to_vec();
        names.sort_unstable();
        if names.len() > REPLICAS_MAX {
            return Err(Refused::malformed(format!("`node_ids` has more than {REPLICAS_MAX} names")));
        }
        if let Some([twice, _]) = names.array_windows().find(|[name, next]| name == next) {
            return Err(Refused::malformed(format!("`node_ids` has `{twice}` twice")));
        }
        let index = names.binary_search_by(|other| other.as_str().cmp(name));
        let index =
            index.map_err(|_| Refused::malformed(format!("`node_ids` does not have `{name}`, the `node_id`")))?;
        Ok(Self { names, index, incarnation: incarnation.min(INCARNATION_MAX) })
    }

    /// As the body of an `init` says.
    pub fn from_init(body: &Body, incarnation: u32) -> Result<Self, Refused> {
        let name = fields::text(body, "node_id")?;
        let list = fields::any(body, "node_ids")?;
        let wrong = || Refused::field("node_ids", "a list of names", list);
        let names = list.as_array().ok_or_else(wrong)?.iter().map(|name| name.as_str().map(str::to_owned));
        let names: Option<Vec<String>> = names.collect();
        Self::new(name, &names.ok_or_else(wrong)?, incarnation)
    }

    /// This node.
    pub fn name(&self) -> &str {
        &self.names[self.index]
    }

    /// This replica.
    pub fn id(&self) -> NodeId {
        NodeId(self.index as u32)
    }

    /// How often this replica has lost its memory.
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// The number of replicas.
    pub fn replicas(&self) -> u32 {
        self.names.len() as u32
    }

    /// The name under which this incarnation writes.
    pub fn label(&self) -> String {
        label(self.name(), self.incarnation)
    }

    /// The node of a replica.
    pub fn node_name(&self, id: NodeId) -> &str {
        &self.names[id.index()]
    }

    /// The replica at a node.
    pub fn replica_at(&self, name: &str) -> Option<NodeId> {
        self.names.binary_search_by(|other| other.as_str().cmp(name)).ok().map(|index| NodeId(index as u32))
    }

    /// The other replicas.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.replicas()).map(NodeId).filter(|peer| *peer != self.id())
    }

    /// The identity behind a name of a writer.
    pub fn writer_named(&self, name: &str) -> Option<ReplicaId> {
        if let Some(node) = self.replica_at(name) {
            return Some(ReplicaId(node.0));
        }
        let (node, incarnation) = name.rsplit_once('#')?;
        let (node, number) = (self.replica_at(node)?, incarnation.parse::<u32>().ok()?);
        // One name, one identity: `n1#01` is somebody else.
        let is_plain = number > 0 && number <= INCARNATION_MAX && number.to_string() == incarnation;
        is_plain.then(|| ReplicaId(node.0 + number * self.replicas()))
    }

    /// The name of a writer; none if its identity is not one of this cluster's.
    pub fn writer_name(&self, id: ReplicaId) -> Option<String> {
        let (node, incarnation) = (id.0 % self.replicas(), id.0 / self.replicas());
        (incarnation <= INCARNATION_MAX).then(|| label(&self.names[node as usize], incarnation))
    }

    /// The name of a writer, or its identity in figures.
    pub fn shown_writer(&self, id: ReplicaId) -> String {
        self.writer_name(id).unwrap_or_else(|| id.to_string())
    }

    /// What draws of this replica follow from: the names of the cluster, and nothing else.
    pub fn seed(&self) -> u64 {
        let names = Value::from(self.names.clone()).to_string();
        let hash = blake3::hash(names.as_bytes());
        let (first, _) = hash.as_bytes().split_first_chunk::<8>().expect("a hash has 32 bytes");
        u64::from_le_bytes(*first)
    }
}

fn label(name: &str, incarnation: u32) -> String {
    if incarnation == 0 { name.to_owned() } else { format!("{name}#{incarnation}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_identities_belong_together() {
        let names = ["n1", "n10", "n2"].map(str::to_owned);
        let cluster = Cluster::new("n10", &names, 0).expect("a cluster");
        for incarnation in [0, 1, 7, INCARNATION_MAX] {
            for (index, name) in names.iter().enumerate() {
                let id = ReplicaId(index as u32 + 3 * incarnation);
                let label = label(name, incarnation);
                assert_eq!((cluster.writer_name(id), cluster.writer_named(&label)), (Some(label), Some(id)));
            }
        }
        for stranger in ["n3", "n1#0", "n1#01", "n1#100000", "n1#x", "#", ""] {
            assert_eq!(cluster.writer_named(stranger), None, "{stranger}");
        }
        assert_eq!(cluster.writer_name(ReplicaId(u32::MAX)), None);
        assert_eq!(cluster.peers().collect::<Vec<_>>(), [NodeId(0), NodeId(2)]);
    }

    #[test]
    fn an_init_without_sense_is_refused_with_the_field() {
        let refused = |fields: Value| Cluster::from_init(&Body::new("init", fields), 0).expect_err("no cluster").text;
        assert!(refused(json!({})).contains("`node_id` is missing"));
        assert!(refused(json!({ "node_id": 1 })).contains("`node_id` must be a string"));
        assert!(refused(json!({ "node_id": "n1" })).contains("`node_ids` is missing"));
        assert!(refused(json!({ "node_id": "n1", "node_ids": "n1" })).contains("`node_ids` must be a list"));
        assert!(refused(json!({ "node_id": "n1", "node_ids": ["n1", 2] })).contains("`node_ids` must be a list"));
        assert!(refused(json!({ "node_id": "n1", "node_ids": ["n2"] })).contains("does not have `n1`"));
        assert!(refused(json!({ "node_id": "n1", "node_ids": ["n1", "n1"] })).contains("`n1` twice"));
    }

    #[test]
    fn draws_follow_from_the_names_alone() {
        let seed = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            Cluster::new(&names[0], &names, 0).expect("a cluster").seed()
        };
        assert_eq!(seed(&["n1", "n2"]), seed(&["n2", "n1"]));
        assert_ne!(seed(&["n1", "n2"]), seed(&["n1", "n3"]));
    }
}
