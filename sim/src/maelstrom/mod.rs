//! The Maelstrom protocol, both ways: our nodes on standard input and output, and anybody's nodes inside of the simulator.
//!
//! The protocol is described at <https://github.com/jepsen-io/maelstrom>: nodes of a cluster read and write messages, one JSON object
//! a line. `wire` is the form of messages, `words` the requests and replies of its workloads, `stores` those of its services.
//!
//! Inside of the simulator, [`External`] is a replica like any other, whose handlers are lines to a program of the [`Fleet`].
//! Clients, network, faults and checkers are those of all other systems, and so are the draws. `serve` is the other direction.
//!
//! Invariant: a program's mistakes are noted ([`account`]) and never stop a run.
//!
//! What is deliberately absent: how programs run, which is a matter of `programs`.

pub mod account;
pub mod config;
pub mod drive;
mod external;
mod fleet;
mod generator;
pub mod launch;
pub mod serve;
mod stores;
#[cfg(test)]
mod tests;
pub mod topology;
pub mod wire;
mod words;

pub use external::External;
pub use fleet::{Fleet, Launch, Surroundings};
pub use generator::{ForeignGenerator, dialect};
pub use words::Dialect;
