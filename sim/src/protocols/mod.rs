//! Protocols: ways to keep copies of an object, from the naive to the proven.
//!
//! Every protocol is a [`crate::kernel::node::Node`] in one file or folder of its own, which opens with what the
//! protocol promises, what it costs, where it comes from, and how it goes wrong where it does.
//!
//! | protocol | answers while cut off | loses updates | counts updates twice |
//! |---|---|---|---|
//! | [`naive`] | yes | yes | no |
//! | [`naive_delta`] | yes | when messages are lost | when messages are duplicated |
//! | [`occ`] | no | as the store promises | no, unless the store does |
//! | [`gossip`] | yes | no | no |
//!
//! Nothing here knows about networks, faults, or measurement.

pub mod gossip;
pub mod lock;
pub mod naive;
pub mod naive_delta;
pub mod occ;
pub mod wire;

/// What every message carries beside its content: its kind and flags (2 bytes), the length of the content (2), a
/// checksum (4), and the numbers of sender and receiver (4 each).
pub const HEADER_BYTES: u64 = 16;
