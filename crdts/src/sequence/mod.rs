//! Texts that replicas edit concurrently: RGA, Fugue and FugueMax on one run-length engine.
//!
//! **State.** The set of all operations ([`Op`]): insertions of characters, each with the characters between which it was made,
//! and deletions of characters. The set only grows; the visible text is a function of it ([the rules](Op)). The three
//! types differ in one rule, [`Ordering`]: where characters go that were inserted concurrently at one place.
//! * [`Rga`]: newer ones first. Words that were typed forward stay together; typed backward, they interleave.
//! * [`Fugue`]: words stay together in both directions.
//! * [`FugueMax`]: the same, with as little interleaving as is possible at all.
//!
//! **Why it converges.** The states are sets, the join is the union, and an update adds to the set (Shapiro et al. 2011, INRIA
//! RR-7506, section 2.3). That the text is a function of the set is seen from the rules, which do not mention the order
//! of arrival: an operation takes effect when what it refers to has, and the place of a character is one in a tree that
//! the origins of the characters define (Weidner and Kleppmann 2025, arXiv 2305.00583, section 4; for RGA Attiya et al. 2016,
//! section 4). [`mod@reference`] computes it that way, slowly, and the tests compare.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Lattice, ReplicaId, sequence::FugueMax};
//!
//! let (ours, theirs) = (ReplicaId(1), ReplicaId(2));
//! let mut in_tokyo = FugueMax::new();
//! in_tokyo.insert(ours, 0, "()")?;
//! let mut in_paris = in_tokyo.clone();
//!
//! // Both type a word at one place, backward, and one deletes what the other has typed beside.
//! let mut sent = Vec::new();
//! for letter in ["c", "b", "a"] {
//!     sent.push(in_tokyo.insert(ours, 1, letter)?);
//! }
//! for letter in ["z", "y", "x"] {
//!     in_paris.insert(theirs, 1, letter)?;
//! }
//! in_paris.delete(theirs, 0, 1)?;
//!
//! // Operation by operation in any order, or as states: the result is the same.
//! for op in sent.iter().rev() {
//!     in_paris.receive(op)?;
//! }
//! in_tokyo.join(&in_paris);
//! assert_eq!(in_tokyo, in_paris);
//! assert_eq!(in_tokyo.text(), "abcxyz)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Speed.** An edit next to the last one costs a few tens of nanoseconds, any other is logarithmic in the text; memory
//! is proportional to runs, plus four bytes a dot. See `spans` for the order, `log` for the history, `place` for concurrency.
//!
//! What is deliberately absent: items other than characters, moving text, formatting, and forgetting tombstones.

mod anchor;
mod codec;
#[cfg(feature = "compress")]
mod compress;
mod crdt;
mod error;
mod log;
mod op;
mod ordering;
mod place;
pub mod reference;
mod spans;
mod state;
mod text;
mod waiting;
mod wire;

pub use crate::causality::Dot;
pub use anchor::{Anchor, Bias};
pub use error::{ApplyError, EditError};
pub use op::{Delete, Insert, Op};
pub use ordering::{FugueMaxOrder, FugueOrder, Ordering, RgaOrder};
pub use text::{Deletions, Text};

/// Text with the order of RGA.
pub type Rga = Text<RgaOrder>;
/// Text with the order of Fugue.
pub type Fugue = Text<FugueOrder>;
/// Text with the order of FugueMax.
pub type FugueMax = Text<FugueMaxOrder>;
