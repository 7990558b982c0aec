//! Identities: endpoints of the network and operations of clients.
//!
//! Every endpoint has a number. Replicas come first, then services, then clients, so that one comparison tells the role
//! and tables by replica are dense.

use std::fmt;

/// An endpoint of the network: a replica, a service, or a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// As an index into a table by endpoint.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A client operation, numbered in the order of invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct OpId(pub u32);

/// What an endpoint is, with its number among its kind (from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds a copy of the object.
    Replica(u32),
    /// An external store.
    Service(u32),
    /// Invokes operations.
    Client(u32),
}

/// How many endpoints of each role there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// The number of replicas: endpoints `0..replicas`.
    pub replicas: u32,
    /// The number of services: the next endpoints.
    pub services: u32,
    /// The number of clients: the last endpoints.
    pub clients: u32,
}

impl Endpoints {
    /// All endpoints together.
    pub fn total(self) -> u32 {
        self.replicas + self.services + self.clients
    }

    /// The endpoint of service number `index`.
    pub fn service(self, index: u32) -> NodeId {
        NodeId(self.replicas + index)
    }

    /// The endpoint of client number `index`.
    pub fn client(self, index: u32) -> NodeId {
        NodeId(self.replicas + self.services + index)
    }

    /// What `node` is.
    #[inline]
    pub fn role(self, node: NodeId) -> Role {
        if node.0 < self.replicas {
            Role::Replica(node.0)
        } else if node.0 < self.replicas + self.services {
            Role::Service(node.0 - self.replicas)
        } else {
            Role::Client(node.0 - self.replicas - self.services)
        }
    }
}

impl fmt::Display for Role {
    /// The names that scenarios use: `n1` is the first replica, `s1` the first service, `c1` the first client.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replica(index) => write!(f, "n{}", index + 1),
            Self::Service(index) => write!(f, "s{}", index + 1),
            Self::Client(index) => write!(f, "c{}", index + 1),
        }
    }
}
