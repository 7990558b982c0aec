//! The types of [`crdts`] against published peers and plain floors, measured side by side in one run.
//!
//! The program `crdts-bench` writes `crdts/BENCHMARKS.md`. `benches/` has our types alone under Criterion, and the program
//! `instructions` counts the instructions of our hot operations, which neither the machine nor its load moves.
//!
//! This is a package of its own with a lock file of its own, so that neither the library nor its tests see the peers.

pub mod contest;
pub mod counters;
pub mod draws;
pub mod floors;
pub mod hot;
pub mod machine;
pub mod memory;
pub mod ours;
pub mod registers;
pub mod sets;
pub mod table;
pub mod text;
pub mod traces;
