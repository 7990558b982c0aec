//! The results: counts, lists, latencies and the ruling, as plain data.
//!
//! Invariant: every element that was added is in exactly one of stable, lost and never read. Elements that nobody added are
//! phantoms, and in none of them.
//!
//! What is deliberately absent: formats.

use std::{cmp::Reverse, fmt::Debug};

use super::{
    Outcome, Quantiles,
    elements::Element,
    latencies::{Times, latency_ms},
};
use crate::checkers::{Ruling, Verdict};

/// How many of the most stale elements are listed.
const WORST_MAX: usize = 8;
/// The most elements that are spelt out for a person.
const SHOWN_MAX: usize = 8;

/// What became of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results<E> {
    /// The verdict, with the calls that show the first thing that is wrong.
    pub ruling: Ruling,
    /// How many elements were added, or tried to be.
    pub attempts: usize,
    /// How many are there to stay.
    pub stable: usize,
    /// Which were lost, ascending.
    pub lost: Vec<E>,
    /// Which no read could decide, ascending.
    pub never_read: Vec<E>,
    /// Which are stable and were seen late, ascending.
    pub stale: Vec<E>,
    /// Which were in one read more than once, with the most that they were, ascending.
    pub duplicated: Vec<(E, usize)>,
    /// Which were read though nobody had added them, ascending.
    pub phantom: Vec<E>,
    /// The most stale ones, the worst first.
    pub worst_stale: Vec<Stale<E>>,
    /// How long after they were known elements became stable; `None` if none did.
    pub stable_latencies_ms: Option<Quantiles>,
    /// How long after they were known elements were lost; `None` if none was.
    pub lost_latencies_ms: Option<Quantiles>,
}

/// An element that was seen late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale<E> {
    /// Which.
    pub element: E,
    /// How long after it was known it became stable, in milliseconds.
    pub latency_ms: u64,
    /// When it was known, in nanoseconds.
    pub known: u64,
    /// The last read that missed it, as its place in the history; `None` if none did, where true times are given.
    pub absent: Option<usize>,
}

impl<E: Clone + Debug> Results<E> {
    pub(super) fn of(elements: &[Element<'_, E>], reads: usize, times: Times<'_, E>) -> Self {
        let of = |outcome: Outcome| {
            elements.iter().filter(move |element| element.added.is_some() && element.outcome == outcome)
        };
        let latencies = |outcome: Outcome| of(outcome).filter_map(|element| latency_ms(element, times)).collect();
        let list = |outcome: Outcome| of(outcome).map(|element| element.value.clone()).collect::<Vec<E>>();
        let stale: Vec<Stale<E>> = of(Outcome::Stable)
            .filter_map(|element| {
                let latency_ms = latency_ms(element, times).filter(|&latency| latency > 0)?;
                let (known, absent) = (element.known?, element.absent.map(|(_, call)| call));
                Some(Stale { element: element.value.clone(), latency_ms, known, absent })
            })
            .collect();
        let mut worst_stale = stale.clone();
        worst_stale.sort_by_key(|stale| Reverse(stale.latency_ms));
        worst_stale.truncate(WORST_MAX);
        let duplicated = elements.iter().filter_map(|e| Some((e.value.clone(), e.duplicated?.1)));
        let phantom = elements.iter().filter(|element| element.phantom.is_some());
        let mut results = Self {
            ruling: Verdict::Pass.into(),
            attempts: elements.iter().filter(|element| element.added.is_some()).count(),
            stable: of(Outcome::Stable).count(),
            lost: list(Outcome::Lost),
            never_read: list(Outcome::NeverRead),
            stale: stale.into_iter().map(|stale| stale.element).collect(),
            duplicated: duplicated.collect(),
            phantom: phantom.map(|element| element.value.clone()).collect(),
            worst_stale,
            stable_latencies_ms: Quantiles::of(latencies(Outcome::Stable)),
            lost_latencies_ms: Quantiles::of(latencies(Outcome::Lost)),
        };
        results.ruling = results.rule(elements, reads);
        results
    }

    fn rule(&self, elements: &[Element<'_, E>], reads: usize) -> Ruling {
        let mut stories = Vec::new();
        if !self.lost.is_empty() {
            stories.push(format!("{} of {} elements were lost: {}", self.lost.len(), self.attempts, shown(&self.lost)));
        }
        if !self.duplicated.is_empty() {
            let times: Vec<String> =
                self.duplicated.iter().take(SHOWN_MAX).map(|(e, n)| format!("{e:?} {n} times")).collect();
            let more = more(self.duplicated.len());
            stories.push(format!(
                "{} elements were in one read more than once: {}{more}",
                self.duplicated.len(),
                times.join(", ")
            ));
        }
        if !self.phantom.is_empty() {
            stories.push(format!(
                "{} elements were read though nobody had added them: {}",
                self.phantom.len(),
                shown(&self.phantom)
            ));
        }
        if !stories.is_empty() {
            return Ruling::fail(stories.join("; "), evidence(elements));
        }
        match self.stable {
            0 if self.attempts == 0 => Verdict::Vacuous { reason: "nothing was added".into() }.into(),
            0 => {
                let reason = format!("none of {} elements was read to stay, in {reads} reads", self.attempts);
                Verdict::Vacuous { reason }.into()
            }
            _ => Verdict::Pass.into(),
        }
    }
}

/// The calls that show the first thing that is wrong: the addition of a lost element, the last read that contains it and the
/// last that does not, or the addition and the read of another one.
fn evidence<E>(elements: &[Element<'_, E>]) -> Vec<usize> {
    let of = |element: &Element<'_, E>, reads: [Option<usize>; 2]| {
        let mut calls: Vec<usize> = element.added.map(|(_, call)| call).into_iter().collect();
        calls.extend(reads.into_iter().flatten());
        calls.sort_unstable();
        calls.dedup();
        calls
    };
    let lost = elements.iter().find(|element| element.added.is_some() && element.outcome == Outcome::Lost);
    let lost = lost.map(|e| of(e, [e.present.map(|(_, call)| call), e.absent.map(|(_, call)| call)]));
    let duplicated = || elements.iter().find_map(|e| Some(of(e, [Some(e.duplicated?.0), None])));
    let phantom = || elements.iter().find_map(|e| Some(of(e, [Some(e.phantom?), None])));
    lost.or_else(duplicated).or_else(phantom).unwrap_or_default()
}

fn shown<E: Debug>(elements: &[E]) -> String {
    let few: Vec<String> = elements.iter().take(SHOWN_MAX).map(|element| format!("{element:?}")).collect();
    format!("{}{}", few.join(", "), more(elements.len()))
}

fn more(count: usize) -> String {
    match count.saturating_sub(SHOWN_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}
