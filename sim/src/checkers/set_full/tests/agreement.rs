//! Exact agreement with the procedure, on short histories of all kinds.

use std::{cmp::Reverse, collections::BTreeMap};

use super::oracle::{self, Seen};
use crate::checkers::{
    Verdict,
    set_full::{Addition, Fate, Outcome, Quantiles, Read, Results, Stale, judge},
};

/// Short histories.
pub(super) const HISTORIES: u64 = 120_000;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }
}

/// A short history. Most reads contain most of what had been added, so that some are right.
pub(super) fn any(seed: u64) -> (Vec<Addition<u16>>, Vec<Read<u16>>) {
    let mut random = Random(seed << 20);
    let span = 4 + random.below(20);
    // Distinct times: half a millisecond apart, and a little for each.
    let mut serial = 0;
    let mut time = |slot: u64| {
        serial += 1;
        slot * 500_000 + serial
    };
    let (mut additions, mut reads) = (Vec::new(), Vec::new());
    let duration = 1 + random.below(6);
    let is_repeating = random.below(4) == 0;
    for call in 0..=random.below(8) as usize {
        let invoked = random.below(span);
        let (invoked, returned) = (time(invoked), time(invoked + random.below(duration)));
        if random.below(2) == 0 {
            let element = if is_repeating { random.below(3) as u16 } else { call as u16 };
            let fate = match random.below(8) {
                0 => Fate::Failed,
                1 => Fate::Indeterminate,
                _ => Fate::Acknowledged(returned),
            };
            additions.push(Addition { call, element, invoked, fate });
        } else {
            reads.push(Read { call, elements: Vec::new(), invoked, returned });
        }
    }
    let carelessness = [20, 4, 2][random.below(3) as usize];
    for read in &mut reads {
        for addition in &additions {
            let is_there = addition.fate != Fate::Failed && addition.invoked < read.returned;
            if is_there != (random.below(carelessness) == 0) && !read.elements.contains(&addition.element) {
                read.elements.push(addition.element);
            }
        }
        if random.below(30) == 0 {
            read.elements.push(random.below(12) as u16);
        }
        read.elements.reverse();
    }
    (additions, reads)
}

/// What the procedure says, in the form of the results.
fn expected(seen: &BTreeMap<u16, Seen>) -> Results<u16> {
    let added = || seen.iter().filter(|(_, seen)| seen.is_added);
    let of = |outcome: Outcome| added().filter(move |(_, seen)| seen.outcome() == outcome);
    let list = |outcome| of(outcome).map(|(element, _)| *element).collect::<Vec<u16>>();
    let latencies = |outcome| Quantiles::of(of(outcome).filter_map(|(_, seen)| seen.latency_ms()).collect());
    let mut stale: Vec<Stale<u16>> = Vec::new();
    for (element, seen) in of(Outcome::Stable) {
        if let (Some(latency_ms), Some(known)) = (seen.latency_ms().filter(|latency| *latency > 0), seen.known) {
            let absent = seen.absent.map(|(_, call)| call);
            stale.push(Stale { element: *element, latency_ms, known, absent });
        }
    }
    Results {
        ruling: Verdict::Pass.into(),
        attempts: added().count(),
        stable: of(Outcome::Stable).count(),
        lost: list(Outcome::Lost),
        never_read: list(Outcome::NeverRead),
        duplicated: seen.iter().filter(|(_, s)| s.times_max > 1).map(|(e, s)| (*e, s.times_max)).collect(),
        phantom: seen.iter().filter(|(_, seen)| seen.is_phantom).map(|(element, _)| *element).collect(),
        worst_stale: {
            let mut worst = stale.clone();
            worst.sort_by_key(|stale| Reverse(stale.latency_ms));
            worst.truncate(8);
            worst
        },
        stale: stale.into_iter().map(|stale| stale.element).collect(),
        stable_latencies_ms: latencies(Outcome::Stable),
        lost_latencies_ms: latencies(Outcome::Lost),
    }
}

/// The checker, or a mutant of it.
type Check = fn(&[Addition<u16>], &[Read<u16>]) -> Results<u16>;

/// Does the checker say of this history what the procedure says? If so, also the name of its verdict.
pub(super) fn agrees(seed: u64, check: Check) -> Result<&'static str, String> {
    let (additions, reads) = any(seed);
    let mut found = check(&additions, &reads);
    let ruling = std::mem::replace(&mut found.ruling, Verdict::Pass.into());
    let expected = expected(&oracle::follow(&additions, &reads));
    let is_bad = !(expected.lost.is_empty() && expected.duplicated.is_empty() && expected.phantom.is_empty());
    let verdict = match expected.stable {
        _ if is_bad => "fail",
        0 => "vacuous",
        _ => "pass",
    };
    let is_right = found == expected && ruling.verdict.name() == verdict && ruling.calls.is_empty() != is_bad;
    is_right.then_some(verdict).ok_or_else(|| format!("{found:#?} and {ruling:?} of {additions:#?}, {reads:#?}"))
}

#[test]
fn results_are_those_of_the_procedure() {
    let mut counts = [0, 0, 0];
    for seed in 0..HISTORIES {
        let verdict = agrees(seed, judge).unwrap_or_else(|found| panic!("seed {seed}: {found}"));
        counts[["pass", "fail", "vacuous"].iter().position(|name| *name == verdict).expect("one of these")] += 1;
    }
    assert!(counts.iter().all(|&count| count > HISTORIES / 20), "{counts:?}");
}
