//! Monotonic reads of counters that only grow: what a process reads never falls.
//!
//! Invariant: two reads of a process are in order if one returned before the other was invoked; where they meet in an
//! instant, the one that stands first in the history was first. If neither was, they are not compared.
//!
//! ```
//! use crdts::objects::counter::{CounterOp::*, CounterRet::*};
//! use sim::checkers::{counter::{Ledger, check_monotonic}, linearizability::Call};
//!
//! let mut calls = vec![
//!     Call::returned(0, Add(2), Added, 0, 1),
//!     Call::returned(1, Read, Total(2), 2, 3),
//!     Call::returned(1, Read, Total(0), 4, 5),
//! ];
//! assert_eq!(check_monotonic(&Ledger::from(&calls[..])).calls, [1, 2]);
//! calls[2].process = 2;
//! assert_eq!(check_monotonic(&Ledger::from(&calls[..])).verdict.name(), "vacuous");
//! ```
//!
//! What is deliberately absent: counters from which something may be taken away. There a smaller total can be a newer one,
//! so that totals alone do not show what a process has seen.

use std::collections::BTreeMap;

use super::ledger::{Fate, Ledger, Read};
use crate::checkers::{Ruling, Verdict};

/// What the checker relies on. Mutants of it are in the tests.
pub(super) trait Rules {
    /// Processes are judged apart.
    const PROCESSES_ARE_APART: bool = true;
    /// A read is compared with all earlier ones, and not only with the one before.
    const ALL_ARE_COMPARED: bool = true;
    /// Only reads that are in order are compared.
    const ORDER_IS_NEEDED: bool = true;
    /// Nothing may be taken away.
    const ONLY_GROWING: bool = true;
}

/// The rules as they should be.
pub(super) enum Sound {}

impl Rules for Sound {}

/// Do the totals that a process reads never fall? Vacuous if something may have been taken away, or no process read twice.
pub fn check_monotonic(ledger: &Ledger) -> Ruling {
    check_by::<Sound>(ledger)
}

pub(super) fn check_by<R: Rules>(ledger: &Ledger) -> Ruling {
    let takes_away = ledger.additions.iter().find(|addition| addition.amount < 0 && addition.fate != Fate::Failed);
    if let Some(addition) = takes_away.filter(|_| R::ONLY_GROWING) {
        let reason = format!("not a counter that only grows: addition {} is of {}", addition.call, addition.amount);
        return Verdict::Vacuous { reason }.into();
    }
    if let Some(call) = ledger.backward() {
        return Verdict::Unknown { reason: format!("call {call} returns before it is invoked") }.into();
    }
    let mut processes = BTreeMap::<u64, Vec<(i128, &Read)>>::new();
    for read in &ledger.reads {
        let process = if R::PROCESSES_ARE_APART { read.process } else { 0 };
        if let Some(total) = read.total {
            processes.entry(process).or_default().push((total, read));
        }
    }
    let (mut compared, mut falls, mut first) = (0_u64, 0_u64, None);
    for reads in processes.values() {
        for (earlier, later) in pairs::<R>(reads) {
            compared += 1;
            if earlier.0 > later.0 {
                falls += 1;
                let is_first = first.is_none_or(|(_, known): Pair<'_>| {
                    (later.1.invoked, later.1.call) < (known.1.invoked, known.1.call)
                });
                first = if is_first { Some((earlier, later)) } else { first };
            }
        }
    }
    if let Some((earlier, later)) = first {
        return fall(earlier, later, falls);
    }
    if compared == 0 {
        return Verdict::Vacuous { reason: "no process read twice".into() }.into();
    }
    Verdict::Pass.into()
}

type Total<'a> = (i128, &'a Read);
type Pair<'a> = (Total<'a>, Total<'a>);

/// Every read that has earlier ones, with the largest of those.
fn pairs<'a, R: Rules>(reads: &[Total<'a>]) -> Vec<Pair<'a>> {
    let mut by_return = reads.to_vec();
    by_return.sort_by_key(|(_, read)| (read.returned, read.call));
    let mut by_invocation = reads.to_vec();
    by_invocation.sort_by_key(|(_, read)| (read.invoked, read.call));
    let mut returned = by_return.into_iter().peekable();
    let mut largest: Option<Total<'a>> = None;
    let mut pairs = Vec::new();
    for read in by_invocation {
        let is_before = |earlier: &Total<'a>| {
            (earlier.1.returned, earlier.1.call) < (read.1.invoked, read.1.call)
                || (!R::ORDER_IS_NEEDED && earlier.1.invoked < read.1.invoked)
        };
        while let Some(earlier) = returned.next_if(is_before) {
            let is_larger = largest.is_none_or(|(total, _)| earlier.0 >= total);
            largest = if is_larger || !R::ALL_ARE_COMPARED { Some(earlier) } else { largest };
        }
        pairs.extend(largest.map(|earlier| (earlier, read)));
    }
    pairs
}

fn fall(earlier: Total<'_>, later: Total<'_>, falls: u64) -> Ruling {
    let more = if falls > 1 { format!(", and {} more totals fell", falls - 1) } else { String::new() };
    let witness = format!(
        "process {} read {} (read {}, from {} to {}) and then {} (read {}, from {} to {}){more}",
        later.1.process,
        earlier.0,
        earlier.1.call,
        earlier.1.invoked,
        earlier.1.returned,
        later.0,
        later.1.call,
        later.1.invoked,
        later.1.returned,
    );
    Ruling::fail(witness, vec![earlier.1.call, later.1.call])
}
