//! The bug zoo: systems that are wrong on purpose, each in one known way.
//!
//! A checker that has never caught anything proves little. So here live the mistakes that are made with replicated state,
//! one by one: each a small deviation from a system that is right, with its root cause, its repair, the faults that bring it
//! to light, and the checker that must catch it. [`catalogue::BUGS`] lists them.
//!
//! Mistakes are values ([`Flaw`]), not types. The flawed data types are six contents of one [`specimen::Specimen`], and one
//! node, [`flawed::Flawed`], bends whatever node it wraps. With a mistake of another kind, or with none, each of them is as
//! right as its twin, which the tests hold against each other.
//!
//! Invariant: what is wrong is what clients and peers are told, never what measures are told. A specimen says honestly which
//! updates it has received, so that measures can see that its value does not go with them.
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, objects::counter::CounterOp};
//! use sim::zoo::{Flaw, counters::FlawedCounter, specimen::Bend};
//!
//! let mut counter = FlawedCounter::bottom();
//! counter.bend(Flaw::MergeBySum, 2);
//! counter.update(ReplicaId(0), &CounterOp::Add(1))?;
//! let copy = counter.clone();
//! counter.join(&copy);
//! assert_eq!(counter.value(), 2, "what is joined twice counts twice");
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: mistakes that crash. A replica that falls over is found without a checker.

pub mod carts;
pub mod catalogue;
pub mod counters;
pub mod flawed;
pub mod registers;
pub mod rounds;
pub mod sets;
pub mod specimen;
pub mod stores;
pub mod texts;
#[cfg(test)]
mod twins;

pub use catalogue::{BUGS, Bug, Flaw};
pub use flawed::Flawed;
