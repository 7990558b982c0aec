//! Causal consistency, PRAM, and the four session guarantees, of registers and stores of unique values.
//!
//! With unique values it is known whose write a read found: its *source*. A *swap* is both a read and a write. Then every
//! model here is judged exactly, and in polynomial time. To the letter, where an order is one of all writes (of those alone
//! that are mentioned, where some are), and a read is right if its source is the latest write of its key before it, or if
//! it found the beginning and there is none:
//!
//! * **causal** (Ahamad, Neiger, Burns, Kohli, Hutto, *Causal memory*, 1995): for each process there is an order of all
//!   writes and its reads, all of them right, that keeps to *causality*: the transitive closure of the order of every process
//!   and of every write before whoever read it. This is *causal memory* (CM in Bouajjani, Enea, Guerraoui and Hamza, *On
//!   verifying causal consistency*, 2017) and not their weaker CC, under which the values that one process reads may go to
//!   and fro between concurrent writes, so that PRAM would not follow. Their bad patterns `CyclicCO`, `WriteCOInitRead`,
//!   `WriteCORead`, `ThinAirRead`, `WriteHBInitRead` and `CyclicHB` are the flaws that can be found.
//! * **pram** (Lipton and Sandberg, *PRAM: a scalable shared memory*, 1988): the same with the order of every process alone.
//! * **monotonic-reads**: for each process and key there is an order of the writes of the key and the process's reads of
//!   it, all right, that keeps to the order of its reads and to that of every process's writes.
//! * **read-your-writes**: for each read, and the latest acknowledged write of its key that its process made before, there is
//!   an order in which the read stands after that write and is right, and that write after all of the key that the process
//!   had written or read before.
//! * **monotonic-writes**: for each two reads of a process, one after the other or one and the same, there is an order in
//!   which both are right and stand so, and every process's writes in its order.
//! * **writes-follow-reads**: for each two reads of a process, one after the other or one and the same, there is an order in
//!   which both are right and stand so, and every write after all that its process had read before.
//!
//! In the last two, a swap counts as a read and then a write, and need not be atomic.
//!
//! The guarantees are those of Terry, Demers, Petersen, Spreitzer, Theimer and Welch (*Session guarantees for weakly
//! consistent replicated data*, 1994), in the form of orders per process (Brzeziński, Sobaniec, Wawrzyniak, *From session
//! causality to causal consistency*, 2004). There they speak of sets of writes at servers; clients of registers see values.
//! So here a value counts as older than another only if an order of a process says so, and the guarantees on writes are
//! seen through two reads of one process: a process that goes to and fro between servers breaks them as well as monotonic reads.
//!
//! Hence, on every history, causal implies pram and writes-follow-reads, and pram the other three; and whoever is sequential is
//! causal. A process does one thing at a time. An access of unknown fate counts if its value was read, and then stands after
//! what its process did before, and before nothing.
//!
//! Invariant: *pass* and *fail* are certain. A value read that nobody wrote fails every model; values that are not unique
//! make the verdict *unknown*; where no read was bound by the model, it is *vacuous*.
//!
//! ```
//! use sim::checkers::{Consistency::*, sessions::{accesses_of_store, check}};
//! use sim::checkers::linearizability::{Call, models::{KeyValueOp::*, KeyValueRet::*}};
//!
//! // Who reads the answer has to find the question.
//! let calls = [
//!     Call::returned(0, Write { key: "question", value: 1 }, Done, 0, 1),
//!     Call::returned(1, Read { key: "question" }, Value(1), 2, 3),
//!     Call::returned(1, Write { key: "answer", value: 2 }, Done, 4, 5),
//!     Call::returned(2, Read { key: "answer" }, Value(2), 6, 7),
//!     Call::returned(2, Read { key: "question" }, Missing, 8, 9),
//! ];
//! let accesses = accesses_of_store(&calls).unwrap();
//! assert_eq!(check(Pram, &accesses).verdict.name(), "pass");
//! assert_eq!(check(WritesFollowReads, &accesses).verdict.name(), "fail");
//! assert_eq!(check(Causal, &accesses).calls, [0, 1, 2, 3, 4]);
//! ```
//!
//! What is deliberately absent: convergence. All of this holds if processes never hear of each other.

mod access;
mod patterns;
mod serial;
#[cfg(test)]
mod tests;
mod views;
mod web;

use std::fmt::{Debug, Write};

pub use access::{Access, What, accesses_of_register, accesses_of_store};

use super::{Consistency, Ruling, Verdict};
use serial::{Flaw, Why};
use web::{Web, tell};

/// The most steps that are spelt out for a person.
const SHOWN_MAX: usize = 24;

/// What the judges rely on. Mutants of them are in the tests.
trait Rules {
    /// A source is the latest write of its key.
    const SOURCES_ARE_THE_LATEST: bool = true;
    /// What follows is added until nothing follows any more.
    const SATURATES: bool = true;
    /// Nobody finds the beginning after a write.
    const BEGINNINGS_ARE_OVERWRITTEN: bool = true;
    /// Causality also passes through those who only read.
    const READS_OF_OTHERS_COUNT: bool = true;
    /// A write stands after what its process had read of the key.
    const OWN_READS_COUNT: bool = true;
    /// Who sees a write sees the earlier ones of its process.
    const WRITES_BRING_EARLIER_ONES: bool = true;
    /// Who sees a write sees what its process had read.
    const READS_OF_WRITERS_COUNT: bool = true;
}

/// The rules as they should be.
enum Sound {}

impl Rules for Sound {}

/// What was found in a history. Accesses are nodes of the web.
enum Found {
    /// Nothing, and how often something could have been.
    None { tested: usize },
    /// A process has no order.
    Flaw { process: usize, flaw: Flaw, support: Vec<usize> },
    /// A read finds something older than `newer`, which its process had seen by `shown`, or had written.
    Stale { read: usize, source: Option<usize>, shown: Option<usize>, newer: usize, why: &'static str },
    /// A write, the first of these, would stand before itself.
    Itself { nodes: Vec<usize> },
    /// There are more writes than can be judged.
    TooMany(usize),
}

/// Judges accesses, in any order.
pub fn check<K: Ord + Debug, V: Ord + Debug>(model: Consistency, accesses: &[Access<K, V>]) -> Ruling {
    check_by::<Sound, K, V>(model, accesses)
}

fn check_by<R: Rules, K: Ord + Debug, V: Ord + Debug>(model: Consistency, accesses: &[Access<K, V>]) -> Ruling {
    let web = match Web::new(accesses) {
        Ok(web) => web,
        Err(ruling) => return ruling,
    };
    let found = match model {
        Consistency::Causal => views::whole::<R>(&web, true),
        Consistency::Pram => views::whole::<R>(&web, false),
        Consistency::MonotonicReads => views::monotonic_reads::<R>(&web),
        Consistency::ReadYourWrites => patterns::read_your_writes::<R>(&web),
        Consistency::MonotonicWrites => patterns::monotonic_writes::<R>(&web),
        Consistency::WritesFollowReads => patterns::writes_follow_reads::<R>(&web),
        Consistency::Linearizable | Consistency::Sequential | Consistency::StronglyConvergent => {
            return Verdict::Unknown { reason: format!("{} is not judged by accesses", model.name()) }.into();
        }
    };
    let told = |at: usize| tell(&accesses[web.nodes[at].access]);
    let (text, mut nodes) = match found {
        Found::None { tested: 0 } => {
            let reason = format!("no read was bound by {}", model.name());
            return Verdict::Vacuous { reason }.into();
        }
        Found::None { .. } => return Verdict::Pass.into(),
        Found::TooMany(most) => {
            return Verdict::Unknown { reason: format!("there are more than {most} writes") }.into();
        }
        Found::Flaw { process, flaw, support } => {
            let number = accesses[web.nodes[web.chains[process][0]].access].process;
            (tell_flaw(&told, number, &flaw), support)
        }
        Found::Stale { read, source, shown, newer, why } => {
            let mut text = format!("{}, {why}: {}", told(read), told(newer));
            if let Some(shown) = shown.filter(|&shown| shown != newer && Some(shown) != source) {
                let _ = write!(text, "; see {}", told(shown));
            }
            (text, [Some(read), source, shown, Some(newer)].into_iter().flatten().collect())
        }
        Found::Itself { nodes } => {
            let shown: Vec<String> = nodes.iter().take(SHOWN_MAX).map(|&at| told(at)).collect();
            (format!("a write would have to stand before itself: {}", shown.join("; ")), nodes)
        }
    };
    nodes.sort_unstable();
    nodes.dedup();
    let mut calls: Vec<(u64, usize)> = nodes
        .into_iter()
        .map(|at| &accesses[web.nodes[at].access])
        .map(|access| (access.invoked, access.call))
        .collect();
    calls.sort_unstable();
    Ruling::fail(text, calls.into_iter().map(|(_, call)| call).collect())
}

/// Why a process has no order, for a person.
fn tell_flaw(told: &dyn Fn(usize) -> String, process: u64, flaw: &Flaw) -> String {
    let (steps, head) = match flaw {
        Flaw::Cycle(steps) => (steps, "each of these would come before the next, and the last before the first"),
        Flaw::Beginning(steps) => (steps, "each of these comes before the next, and the last finds the beginning"),
    };
    let mut text = format!("process {process} has no order of all writes and its reads: {head}:");
    for &(from, to, why) in steps.iter().take(SHOWN_MAX) {
        let (from, to) = (told(from), told(to));
        let _ = match why {
            Why::Process => write!(text, "\n  {from} -- before {to}, in the order of the process"),
            Why::Source => write!(text, "\n  {from} -- before {to}, which finds it"),
            Why::Kept(read) => {
                write!(text, "\n  {from} -- before {to}, since it is before {}, which finds the latter", told(read))
            }
        };
    }
    if steps.len() > SHOWN_MAX {
        let _ = write!(text, "\n  and {} more", steps.len() - SHOWN_MAX);
    }
    text
}
