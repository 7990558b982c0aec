//! Where the texts are: one list of files for each kind.
//!
//! Invariant: a file is listed once. Texts on types and objects belong to the library that has them, and come from there.
//!
//! ```
//! use sim::explain::{Kind, sources};
//!
//! assert!(sources::of(Kind::Store)[0].starts_with("# lin-kv\n"));
//! ```
//!
//! What is deliberately absent: names. They stand in the headings.

use crdts::topics;

use super::Kind;

/// Protocols.
const PROTOCOLS: &[&str] = &[
    include_str!("../protocols/naive.md"),
    include_str!("../protocols/naive_delta.md"),
    include_str!("../protocols/occ.md"),
    include_str!("../protocols/lock.md"),
    include_str!("../protocols/gossip/explain.md"),
    include_str!("../maelstrom/explain.md"),
];

/// Stores.
const STORES: &[&str] = &[
    include_str!("../services/lin_kv.md"),
    include_str!("../services/seq_kv.md"),
    include_str!("../services/lww_kv.md"),
];

/// Faults of timelines.
const FAULTS: &[&str] =
    &[include_str!("../faults/partitions.md"), include_str!("../faults/nodes.md"), include_str!("../faults/links.md")];

/// Checkers.
const CHECKERS: &[&str] = &[
    include_str!("../checkers/counter/explain.md"),
    include_str!("../checkers/set_full/explain.md"),
    include_str!("../checkers/visibility/explain.md"),
    include_str!("../checkers/answers/explain.md"),
];

/// Concepts that belong to no folder.
const CONCEPTS: &str = include_str!("concepts.md");

/// The files with texts of a kind. Those of bugs are put together from the catalogue of the zoo.
pub fn of(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Object => [topics::OBJECTS, &[include_str!("../objects/foreign/objects.md")]].concat(),
        Kind::Protocol => PROTOCOLS.to_vec(),
        Kind::Crdt => topics::TYPES.to_vec(),
        Kind::GossipMode => vec![include_str!("../protocols/gossip/modes.md")],
        Kind::GossipPayload => vec![include_str!("../protocols/gossip/payloads.md")],
        Kind::Store => STORES.to_vec(),
        Kind::Topology => vec![include_str!("../scenario/topology/topologies.md")],
        Kind::Fault => FAULTS.to_vec(),
        Kind::Nemesis => vec![include_str!("../faults/nemesis.md")],
        Kind::Measure => vec![include_str!("../scenario/measures.md")],
        Kind::Checker => CHECKERS.to_vec(),
        Kind::Consistency => vec![include_str!("../checkers/consistency.md")],
        Kind::Bug => Vec::new(),
        Kind::Concept => [&[CONCEPTS], topics::CONCEPTS].concat(),
    }
}
