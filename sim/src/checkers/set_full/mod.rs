//! Sets that only grow: does what was added stay visible, and how soon is it?
//!
//! The semantics are those of Jepsen's `set-full`, element by element. An element is *known* from the first instant at which
//! its addition was acknowledged or a read that contains it returned. Of the reads that returned after the addition was
//! invoked, two count: the last *present* one, which contains the element, and the last *absent* one, which does not; last
//! by invocation.
//!
//! | outcome | when |
//! |---|---|
//! | stable | the last present read is later than every absent one |
//! | lost | known, and the last absent read is later than every present one and was invoked after the element was known |
//! | never read | otherwise: no read could have decided it |
//!
//! A stable element is *stale* if it was still absent from a read a millisecond or more after it was known. An element that
//! one read contains twice is *duplicated*, and one that a read contains though nobody had added it is a *phantom*. The
//! original looks for duplicates by a frequency below one, so that it never reports any, and knows no phantoms.
//!
//! Invariant: a failure is certain, since lost, duplicated and phantom elements each are shown by calls. A history in which
//! no element became stable is vacuous, where the original says unknown: nothing was hard to tell, there was just no read
//! that could have missed anything.
//!
//! ```
//! use sim::checkers::set_full::{Addition, Fate, Outcome, Read, judge};
//!
//! let ms = 1_000_000;
//! let additions = [
//!     Addition { call: 0, element: "a", invoked: 0, fate: Fate::Acknowledged(ms) },
//!     Addition { call: 1, element: "b", invoked: 0, fate: Fate::Acknowledged(ms) },
//! ];
//! let reads = [
//!     Read { call: 2, elements: vec!["a", "b"], invoked: 2 * ms, returned: 3 * ms },
//!     Read { call: 3, elements: vec!["b"], invoked: 4 * ms, returned: 5 * ms },
//!     Read { call: 4, elements: vec!["b"], invoked: 6 * ms, returned: 7 * ms },
//! ];
//! let results = judge(&additions, &reads);
//! assert_eq!(results.lost, ["a"]);
//! assert_eq!(results.lost_latencies_ms.expect("one was lost").max, 1);
//! assert_eq!(results.ruling.calls, [0, 2, 4]);
//! ```
//!
//! Effort is `O(n log n)` in the size of all additions and reads together, and not the product of elements and reads.
//!
//! What is deliberately absent: removal, and one order of all reads, which [`super::linearizability`] asks for.

mod elements;
mod latencies;
mod results;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

pub use latencies::{Quantiles, TrueTimes};
pub use results::{Results, Stale};

use super::CheckerDoc;
use elements::{Rules, Sound};
use latencies::Times;

/// [`judge`].
pub const SET_FULL: CheckerDoc = CheckerDoc {
    name: "set-full",
    object: "set",
    doc: "what was added stays visible once it is known, nothing appears twice, and nothing that nobody added",
};

/// An addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition<E> {
    /// Its place in the history.
    pub call: usize,
    /// What is added.
    pub element: E,
    /// When it was invoked, in nanoseconds.
    pub invoked: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What is known of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was acknowledged at this time.
    Acknowledged(u64),
    /// It may have taken effect, or still do so, or not.
    Indeterminate,
    /// It did not and will not take effect.
    Failed,
}

/// A read that returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<E> {
    /// Its place in the history.
    pub call: usize,
    /// What was returned, in any order, and as often as it was.
    pub elements: Vec<E>,
    /// When it was invoked, in nanoseconds.
    pub invoked: u64,
    /// When it returned.
    pub returned: u64,
}

/// What became of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there to stay.
    Stable,
    /// It was known, and then it was gone.
    Lost,
    /// No read could decide it.
    NeverRead,
}

/// Judges additions and reads; both in any order.
pub fn judge<E: Ord + Clone + Debug>(additions: &[Addition<E>], reads: &[Read<E>]) -> Results<E> {
    judge_by::<E, Sound>(additions, reads, None)
}

/// The same with true times: `times` says when an element became visible and when it disappeared, so that latencies are what
/// they were, and not what reads happened to show. Elements that it does not know have no latency. Outcomes are still those
/// that reads show.
pub fn judge_with_true_times<E: Ord + Clone + Debug>(
    additions: &[Addition<E>],
    reads: &[Read<E>],
    times: &dyn Fn(&E) -> Option<TrueTimes>,
) -> Results<E> {
    judge_by::<E, Sound>(additions, reads, Some(times))
}

fn judge_by<E: Ord + Clone + Debug, R: Rules>(
    additions: &[Addition<E>],
    reads: &[Read<E>],
    times: Times<'_, E>,
) -> Results<E> {
    results::Results::of(&elements::follow::<E, R>(additions, reads), reads.len(), times)
}
