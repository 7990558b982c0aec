//! Replicated data types: states that replicas change on their own, exchange in any order, and always agree on.
//!
//! # The argument, in short
//!
//! The states of a type form a *join semilattice*: any two have a least upper bound, their *join*, which is commutative,
//! associative and idempotent. Every update moves a state upward. So the order in which a replica hears of updates, how they
//! are grouped, and how often it hears of one make no difference: replicas that have heard of the same updates are in the
//! same state. [`lattice`] has the argument with its sources, each type says why it meets the premises, and [`laws`]
//! checks them.
//!
//! A *delta* is a small state. One join serves whole states, deltas, and answers to digests, and so the three ways of
//! synchronising cannot disagree.
//!
//! # A whole program
//!
//! ```
//! use crdts::{Crdt, Lattice, PnCounter, ReplicaId, objects::counter::{CounterOp, CounterRet}};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (tokyo, paris) = (ReplicaId(1), ReplicaId(2));
//!     let (mut in_tokyo, mut in_paris) = (PnCounter::bottom(), PnCounter::bottom());
//!
//!     // Nobody waits for anybody: each replica answers its clients by itself.
//!     let sold = in_tokyo.update(tokyo, &CounterOp::Add(-3))?;
//!     let delivered = in_paris.update(paris, &CounterOp::Add(10))?;
//!     assert_eq!(sold.ret, CounterRet::Added);
//!     assert_eq!((in_tokyo.value(), in_paris.value()), (-3, 10));
//!
//!     // What peers need to know is the delta. It may arrive late, or twice.
//!     assert!(in_paris.join(&sold.delta));
//!     assert!(!in_paris.join(&sold.delta));
//!     assert_eq!(in_paris.value(), 7);
//!
//!     // The other delta was lost. Tokyo sends a digest, and Paris answers with what is missing.
//!     let missing = in_paris.delta_since(&in_tokyo.digest());
//!     assert_eq!(missing, delivered.delta);
//!     in_tokyo.join(&missing);
//!
//!     assert_eq!(in_tokyo, in_paris);
//!     assert_eq!(in_tokyo.value(), 7);
//!     Ok(())
//! }
//! ```
//!
//! # What is deliberately absent
//!
//! Clocks, randomness, networks, threads, and any iteration order that differs between runs.

pub mod arbitration;
pub mod atom;
pub mod bounded_counter;
pub mod cart;
pub mod causality;
pub mod checksum;
pub mod clock;
pub mod encoding;
mod entries;
pub mod flags;
pub mod g_counter;
pub mod g_set;
pub mod lattice;
pub mod laws;
pub mod lww_map;
pub mod lww_register;
pub mod max_register;
pub mod mv_register;
pub mod object;
pub mod objects;
pub mod or_map;
pub mod or_set;
pub mod or_set_tombstones;
pub mod pn_counter;
pub mod replication;
pub mod resettable_counter;
pub mod rw_set;
pub mod sequence;
pub mod topics;
pub mod two_phase_set;

pub use atom::Atom;
pub use bounded_counter::BoundedCounter;
pub use cart::Cart;
pub use clock::ReplicaId;
pub use encoding::{DecodeError, Encode};
pub use flags::{DwFlag, EwFlag};
pub use g_counter::GCounter;
pub use g_set::GSet;
pub use lattice::{Crdt, JoinError, Lattice, Update, UpdateError, Weight};
pub use lww_map::LwwMap;
pub use lww_register::LwwRegister;
pub use max_register::{MaxRegister, MinRegister};
pub use mv_register::MvRegister;
pub use object::Object;
pub use or_map::OrMap;
pub use or_set::OrSet;
pub use or_set_tombstones::OrSetTombstones;
pub use pn_counter::PnCounter;
pub use resettable_counter::ResettableCounter;
pub use rw_set::RwSet;
pub use two_phase_set::TwoPhaseSet;
