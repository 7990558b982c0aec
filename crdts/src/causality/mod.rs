//! Causality: who has seen which update.
//!
//! A [`Dot`] names one update: the n-th of a replica. A [`CausalContext`] is a set of dots, and so says exactly which
//! updates a state contains; a [`VersionVector`] is the special case without gaps. [Dot stores](store) hold what is left of
//! the updates, each bit under the dot that brought it, and [`Causal`] puts store and context together:
//!
//! **What is in the context but not in the store has been removed; what is not in the context has not been heard of.**
//!
//! That one sentence is the whole logic of removal without tombstones (Almeida, Shoker and Baquero 2018, arXiv 1603.01529,
//! section 7). Every causal type of this crate is a choice of store and a few lines of updates, and since the join is that of
//! the store, types nest without a line of code about merging.
//!
//! ```
//! use crdts::causality::{CausalContext, Dot};
//! use crdts::{Lattice, ReplicaId};
//!
//! let (one, two) = (ReplicaId(1), ReplicaId(2));
//! let mut seen = CausalContext::bottom();
//! seen.insert(Dot::new(one, 1));
//! seen.insert(Dot::new(two, 3)); // heard of early
//! assert_eq!(seen.prefix(two), 0);
//! for counter in [1, 2] {
//!     seen.insert(Dot::new(two, counter));
//! }
//! assert_eq!(seen.prefix(two), 3);
//! assert_eq!(seen.ranges().len(), 2); // no gap is left
//! ```
//!
//! **Every effective update takes a dot, removals included.** So the context counts updates of every kind, and progress,
//! digests and the detection of early, repeated and forged updates need nothing else.
//!
//! What is deliberately absent: time. Lamport times live in the types that order by them.

pub mod causal;
pub mod context;
pub mod dot;
pub mod dot_fun;
pub mod dot_map;
pub mod dot_set;
mod ordered;
mod product;
pub mod spec;
pub mod store;
pub mod version_vector;

pub use causal::{Causal, CausalDigest, CausalType, Change, Effect};
pub use context::{CausalContext, DotRange};
pub use dot::Dot;
pub use dot_fun::DotFun;
pub use dot_map::DotMap;
pub use dot_set::DotSet;
pub use spec::{CausalSpec, Event, Specify};
pub use store::DotStore;
pub use version_vector::VersionVector;
