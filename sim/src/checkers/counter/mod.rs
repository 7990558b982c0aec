//! The counter's checkers: which totals do the operations allow?
//!
//! An acknowledged addition must count, a definitely failed one must not, and an indeterminate one may. So the acceptable
//! totals are the sum of the acknowledged amounts plus the sum of any subset of the indeterminate ones.
//!
//! | checker | what it judges | function |
//! |---|---|---|
//! | `final-reads` | the reads after the quiet period | [`check_final_reads`], [`check_final`] |
//! | `agreed-value` | the total that all replicas agree on | [`check_agreed`] |
//! | `bounded-reads` | every read, by what was acknowledged before it and invoked before its return | [`check_reads`] |
//! | `rising-totals` | the reads of each process, where nothing is taken away | [`check_monotonic`] |
//!
//! The latter two take a [`Ledger`], which histories of runs and calls recorded anywhere convert to.
//!
//! ```
//! use crdts::objects::counter::{Counter, CounterOp, CounterRet};
//! use sim::{checkers::{Verdict, counter::{Acceptable, check_agreed}}, history::{History, Outcome}};
//!
//! let mut history = History::<Counter>::new(1);
//! let add = history.invoke(0, 0, CounterOp::Add(10), 0);
//! history.complete(add, 1, Outcome::Ok(CounterRet::Added));
//! for amount in [5, -1, -1] {
//!     let add = history.invoke(0, 0, CounterOp::Add(amount), 2);
//!     history.complete(add, 3, Outcome::Info("timeout"));
//! }
//! let acceptable = Acceptable::of(&history);
//! assert_eq!(acceptable.to_string(), "8..=10, 13..=15");
//! assert_eq!(check_agreed(9, &acceptable), Verdict::Pass);
//! assert!(matches!(check_agreed(11, &acceptable), Verdict::Fail { .. }));
//! ```
//!
//! Invariant: a failure is certain, and so is a pass; a set of totals that is too scattered to compute makes it unknown.
//!
//! What is deliberately absent: whether reads fit together. Each is judged alone, or with the others of its process; that
//! one order explains them all is for [`super::linearizability`] to say.

mod acceptable;
mod bounded;
mod final_reads;
mod ledger;
mod monotonic;
#[cfg(test)]
mod tests;

pub use acceptable::{Acceptable, RANGES_MAX};
pub use bounded::check_reads;
pub use final_reads::{check_agreed, check_final, check_final_reads};
pub use ledger::{Addition, Fate, Ledger, Read};
pub use monotonic::check_monotonic;

use super::CheckerDoc;

/// [`check_final_reads`].
pub const FINAL_READS: CheckerDoc = CheckerDoc {
    name: "final-reads",
    object: "counter",
    doc: "every final read returns the acknowledged additions plus any subset of the indeterminate ones",
};

/// [`check_agreed`].
pub const AGREED: CheckerDoc = CheckerDoc {
    name: "agreed-value",
    object: "counter",
    doc: "the total all replicas agree on is the acknowledged additions plus any subset of the indeterminate ones",
};

/// [`check_reads`].
pub const BOUNDED_READS: CheckerDoc = CheckerDoc {
    name: "bounded-reads",
    object: "counter",
    doc: "every read returns what was acknowledged before it plus any subset of what may have taken effect by its return",
};

/// [`check_monotonic`].
pub const RISING_TOTALS: CheckerDoc = CheckerDoc {
    name: "rising-totals",
    object: "counter",
    doc: "where nothing is taken away, the totals that a process reads never fall",
};

/// The most ranges, and the most reads, that are spelt out for a person.
const SHOWN_MAX: usize = 8;
