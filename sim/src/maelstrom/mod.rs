//! The Maelstrom protocol, both ways: our nodes on standard input and output, and anybody's nodes inside of the simulator.
//!
//! `wire` is the form of messages, `serve` our nodes on standard input and output. The protocol itself is described at <https://github.com/jepsen-io/maelstrom>.

pub mod serve;
pub mod wire;
