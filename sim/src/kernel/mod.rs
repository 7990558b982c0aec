//! The kernel: virtual time, the network, the clocks, and the one loop that runs replicas.
//!
//! Invariant: a run is a function of its plan, its configuration and its workload. Nothing here reads a wall clock, a
//! generator with a hidden position, an address or an environment variable, and no float decides anything.
//!
//! | what | where |
//! |---|---|
//! | the loop, and what faults do to it | [`world`], [`disturbance`] |
//! | what happens next | [`queue`], [`time`] |
//! | what becomes of a message | [`network`], [`topology`], [`latency`] |
//! | draws that are addressed by choice | [`draws`] |
//! | what a replica and a store are | [`node`], [`service`] |
//! | handlers without a world | [`recorded`] |
//! | who watches, and what is hashed | [`observer`], [`fold`], [`lineage`] |
//!
//! For example, a message: a handler calls [`node::Context::send`], the [`network`] decides its fate there and then, an
//! event waits in the [`queue`], and when its time has come the [`world`] hands it to [`node::Node::on_message`].
//!
//! What is deliberately absent: scenario files, names, protocols, stores, judgement, and threads. A run is sequential;
//! whoever wants more at once runs several worlds.

mod clock;
mod direct;
pub mod disturbance;
pub mod draws;
mod event;
pub mod fold;
mod host;
pub mod ids;
pub mod latency;
pub mod lineage;
mod links;
pub mod network;
pub mod node;
pub mod observer;
pub mod plan;
pub mod queue;
pub mod recorded;
pub mod service;
mod slab;
pub mod time;
pub mod topology;
pub mod workload;
pub mod world;
