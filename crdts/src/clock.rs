//! Identities of replicas.
//!
//! Invariant: an identity stands for one writer and for one unbroken line of its updates. Every convergence argument in
//! this crate rests on that: two writers that share an identity overwrite each other's entries.
//!
//! ```
//! use crdts::ReplicaId;
//!
//! assert_eq!(ReplicaId(7).to_string(), "r7");
//! assert!(ReplicaId(7) < ReplicaId(10));
//! ```
//!
//! What is deliberately absent: names, addresses, and the assignment of identities. Those belong to whoever runs the
//! replicas.

use std::fmt;

/// The identity of a replica that writes. Never shared, never reused: a replica whose memory may be behind what it once
/// acknowledged takes a new identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ReplicaId(pub u32);

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}
