//! The decision, and why.
//!
//! Three steps, each with the number that decided. Who lost an acknowledged update, or ended on a value that the operations do not
//! allow, is out. Of the others those remain that meet every need. Among these the best is taken by availability, then by the
//! p99 latency of updates, then by bytes per operation; of equals the first in the table.
//!
//! If nobody meets every need, whoever meets most is taken, and [`Unmet`] names for every need who violates it and by how much:
//! under partitions nobody can answer always and be linearizable (Gilbert and Lynch 2002, theorem 1), and here it shows.
//!
//! Invariant: the decision is a function of the measurements and the needs. No strategy has a bonus, and a name decides nothing.

use std::cmp::Reverse;

use serde::Serialize;

use super::{
    measured::{Measured, ppm},
    question::{Need, Question, WHOLE_PPM, percent},
};
use crate::kernel::time::{MILLISECOND, Nanos};

/// The growth of the state that counts as bounded: a byte per update.
pub const GROWTH_MAX_BYTES_PER_1000_UPDATES: i64 = 1_000;

/// A need that the best candidate, or every candidate, leaves unmet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The need.
    pub need: Need,
    /// Who violates it, and by how much.
    pub violations: Vec<Violation>,
}

/// A candidate that violates a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The candidate.
    pub candidate: String,
    /// What was measured.
    pub measured: String,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// The place of the recommended candidate.
    pub(super) best: usize,
    /// Does it meet every need, without having lost anything?
    pub(super) meets_all: bool,
    /// Why, in sentences.
    pub(super) reasons: Vec<String>,
    /// Needs that somebody violates; empty if some candidate meets all.
    pub(super) unmet: Vec<Unmet>,
}

/// Decides between candidates, of which there is at least one.
pub(super) fn decide(question: &Question, candidates: &[Measured]) -> Decision {
    let needs = &question.needs;
    let mut reasons: Vec<String> =
        candidates.iter().filter_map(|one| Some(format!("{} is out: {}.", one.name, fault(one)?))).collect();
    let sound: Vec<usize> = (0..candidates.len()).filter(|&at| fault(&candidates[at]).is_none()).collect();
    if sound.is_empty() {
        reasons.push("Nobody kept all acknowledged updates.".to_owned());
    }
    // With nobody sound there is still a least bad one.
    let eligible = if sound.is_empty() { (0..candidates.len()).collect() } else { sound.clone() };
    let met = |at: usize| needs.iter().filter(|&&need| violation(need, &candidates[at]).is_none()).count();
    let most = eligible.iter().map(|&at| met(at)).max().unwrap_or(0);
    for &at in &eligible {
        for &need in needs {
            reasons.extend(
                violation(need, &candidates[at])
                    .map(|measured| format!("{} does not meet {}: {measured}.", candidates[at].name, need.name())),
            );
        }
    }
    let finalists: Vec<usize> = eligible.into_iter().filter(|&at| met(at) == most).collect();
    let best = finalists.iter().copied().min_by_key(|&at| (merit(&candidates[at]), at)).unwrap_or(0);
    let meets_all = !sound.is_empty() && most == needs.len();
    let rivals: Vec<&Measured> = finalists.iter().filter(|&&at| at != best).map(|&at| &candidates[at]).collect();
    reasons.push(choice(&candidates[best], &rivals, most, needs.len()));
    reasons.push(price(question, &candidates[best]));
    Decision { best, meets_all, reasons, unmet: if meets_all { Vec::new() } else { unmet(needs, candidates) } }
}

/// Less is better.
fn merit(one: &Measured) -> (Reverse<u32>, u64, u64) {
    (
        Reverse(one.operations().availability_ppm().unwrap_or(0)),
        one.update_latency_ns.p99.unwrap_or(u64::MAX),
        one.bytes_per_operation,
    )
}

/// Why a candidate cannot be recommended at all.
fn fault(one: &Measured) -> Option<String> {
    match one.lost_updates {
        None => return Some("there were too many updates to follow every one".to_owned()),
        Some(0) => {}
        Some(lost) => return Some(format!("{lost} of {} acknowledged updates got lost", one.judged_updates)),
    }
    (one.incorrect_runs > 0).then(|| {
        let witness = one.incorrect_witness.as_deref().and_then(|witness| witness.lines().next());
        let witness = witness.map(|witness| format!(" ({witness})")).unwrap_or_default();
        format!(
            "{} of {} runs ended on no value that the operations allow{witness}",
            one.incorrect_runs, one.judged_runs
        )
    })
}

/// What a candidate does against a need.
pub(super) fn violation(need: Need, one: &Measured) -> Option<String> {
    match need {
        Need::NeverRefuseWrites => {
            let updates = one.updates;
            (updates.ok < updates.total()).then(|| {
                let (fail, info, total) = (updates.fail, updates.info, updates.total());
                format!("of {total} updates {fail} were refused and {info} left in doubt")
            })
        }
        Need::NeverReadStale if one.stale_reads > 0 => {
            let share = shown_share(one.stale_reads, one.reads_answered);
            Some(format!("{} of {} reads ({share}) missed acknowledged updates", one.stale_reads, one.reads_answered))
        }
        Need::NeverReadStale => match one.linearizable {
            Some(true) => None,
            Some(false) => Some("no read was stale, but the history is not linearizable".to_owned()),
            None if one.reads.total() == 0 => None,
            None => Some("it could not be decided whether the history is linearizable".to_owned()),
        },
        Need::BoundedMemory => {
            let growth = one.growth_bytes_per_1000_updates;
            (growth > GROWTH_MAX_BYTES_PER_1000_UPDATES).then(|| {
                format!(
                    "1,000 updates add {growth} bytes to the state, and more than {GROWTH_MAX_BYTES_PER_1000_UPDATES} are growth"
                )
            })
        }
    }
}

fn unmet(needs: &[Need], candidates: &[Measured]) -> Vec<Unmet> {
    let of = |&need: &Need| {
        let violations = candidates
            .iter()
            .filter_map(|one| Some(Violation { candidate: one.name.clone(), measured: violation(need, one)? }));
        Unmet { need, violations: violations.collect() }
    };
    needs.iter().map(of).filter(|unmet| !unmet.violations.is_empty()).collect()
}

/// Why the best of the finalists is the best.
fn choice(best: &Measured, rivals: &[&Measured], most: usize, needs: usize) -> String {
    let name = &best.name;
    let met = match (most, needs) {
        (_, 0) => "lost nothing".to_owned(),
        (most, needs) if most == needs => "meets all needs".to_owned(),
        (most, needs) => format!("meets {most} of {needs} needs, more than any other"),
    };
    let Some(second) = rivals.iter().min_by_key(|rival| merit(rival)) else {
        return format!("{name} alone {met}.");
    };
    let among = match (most, needs) {
        (_, 0) => "Of those that lost nothing".to_owned(),
        (most, needs) if most == needs => "Of those that meet all needs".to_owned(),
        (most, needs) => format!("Nobody meets more than {most} of {needs} needs; of those that do"),
    };
    let (mine, other) = (merit(best), merit(second));
    let against = &second.name;
    let availability = |ppm: Reverse<u32>| percent_down(ppm.0);
    let decided = if mine.0 != other.0 {
        format!("has the best availability: {}, against {} of {against}", availability(mine.0), availability(other.0))
    } else if mine.1 != other.1 {
        format!(
            "has, at the same availability ({}), the lowest p99 latency of updates: {}, against {} of {against}",
            availability(mine.0),
            shown_ns(best.update_latency_ns.p99),
            shown_ns(second.update_latency_ns.p99)
        )
    } else if mine.2 != other.2 {
        format!(
            "sends, at the same availability and latency, the fewest bytes per operation: {}, against {} of {against}",
            mine.2, other.2
        )
    } else {
        format!("measures the same as {against}, and stands first")
    };
    format!("{among}, {name} {decided}.")
}

/// What the recommended candidate costs.
fn price(question: &Question, best: &Measured) -> String {
    let mut costs = Vec::new();
    if best.waited_messages_per_1000_operations == 0 {
        costs.push("its operations wait for nobody".to_owned());
    } else {
        costs.push(format!(
            "an operation waits for up to {} messages, an update for {} at the median and {} at p99",
            thousandths(best.waited_messages_per_1000_operations),
            shown_ns(best.update_latency_ns.p50),
            shown_ns(best.update_latency_ns.p99)
        ));
    }
    if question.partition_ppm > 0
        && let Some(during) = best.during_partitions.availability_ppm()
    {
        costs.push(format!("{} of operations succeed while the network is cut", percent_down(during)));
    }
    costs.push(match best.stale_reads {
        0 => "no read is stale".to_owned(),
        stale => format!("{} of reads are stale", shown_share(stale, best.reads_answered)),
    });
    costs.push(match best.convergence_ns {
        Some(ns) => format!("replicas agree {} after the last update or heal (median)", shown_ns(Some(ns))),
        None => "most runs ended before replicas agreed".to_owned(),
    });
    costs.push(format!("{} bytes are sent per operation", best.bytes_per_operation));
    format!("The price of {}: {}.", best.name, costs.join(", "))
}

/// A duration without digits that say nothing.
fn shown_ns(ns: Option<u64>) -> String {
    let Some(ns) = ns else { return "for ever".to_owned() };
    let digit_ns = if ns >= 1_000 * MILLISECOND { 10 * MILLISECOND } else { MILLISECOND / 10 };
    Nanos(ns / digit_ns * digit_ns).to_string()
}

/// A share with two decimals, rounded down.
fn percent_down(ppm: u32) -> String {
    percent(ppm.min(WHOLE_PPM) / 100 * 100)
}

fn shown_share(part: u64, whole: u64) -> String {
    match ppm(part, whole) {
        Some(1..100) => "<0.01%".to_owned(),
        Some(ppm) => percent_down(ppm),
        None => "none".to_owned(),
    }
}

fn thousandths(number: u64) -> String {
    format!("{}.{}", number / 1_000, number % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            grid::Candidate,
            measured::{Durations, Fates, Samples},
            question::Strategy,
        },
        *,
    };

    /// A candidate that did everything right: 100 updates and 100 reads, no waiting, no growth.
    fn perfect(name: &'static str, strategy: Strategy) -> Measured {
        let nothing = Samples { asked: &[], whole: &[], half: &[], double: &[], all: Vec::new() };
        let all = Fates { ok: 100, fail: 0, info: 0 };
        Measured {
            runs: 1,
            judged_runs: 1,
            judged_updates: 100,
            linearizable: Some(true),
            updates: all,
            reads: all,
            reads_answered: 100,
            update_latency_ns: Durations { p50: Some(0), p99: Some(0) },
            convergence_ns: Some(0),
            ..Measured::of(Candidate { strategy, name }, &nothing)
        }
    }

    fn stale() -> Measured {
        Measured { stale_reads: 7, linearizable: Some(false), ..perfect("crdt", Strategy::Crdt) }
    }

    fn refusing(name: &'static str, fail: u64) -> Measured {
        Measured { updates: Fates { ok: 100 - fail - 1, fail, info: 1 }, ..perfect(name, Strategy::Occ) }
    }

    fn decided(needs: &[Need], candidates: &[Measured]) -> (String, bool, String) {
        let question = Question { needs: needs.to_vec(), ..Question::default() };
        let Decision { best, meets_all, reasons, .. } = decide(&question, candidates);
        (candidates[best].name.clone(), meets_all, reasons.join(" "))
    }

    #[test]
    fn each_need_decides() {
        let growing = Measured { growth_bytes_per_1000_updates: 1_001, ..perfect("log", Strategy::Crdt) };
        let bounded = Measured { growth_bytes_per_1000_updates: 1_000, ..refusing("occ", 3) };
        for (needs, candidates, best, said) in [
            (
                vec![Need::NeverRefuseWrites],
                [refusing("occ", 3), stale()],
                "crdt",
                "of 100 updates 3 were refused and 1 left in doubt",
            ),
            (
                vec![Need::NeverReadStale],
                [stale(), refusing("occ", 3)],
                "occ",
                "7 of 100 reads (7%) missed acknowledged updates",
            ),
            (vec![Need::BoundedMemory], [growing, bounded], "occ", "1,000 updates add 1001 bytes"),
        ] {
            let (name, meets_all, reasons) = decided(&needs, &candidates);
            assert!(name == best && meets_all && reasons.contains(said), "{name}: {reasons}");
            assert!(reasons.contains(&format!("{best} alone meets all needs.")), "{reasons}");
        }
    }

    #[test]
    fn who_loses_updates_is_out_whatever_it_meets() {
        let losing = Measured { lost_updates: Some(4), ..perfect("lww", Strategy::Crdt) };
        let (name, meets_all, reasons) = decided(&[Need::NeverRefuseWrites], &[losing.clone(), refusing("occ", 3)]);
        assert_eq!((name.as_str(), meets_all), ("occ", false));
        assert!(reasons.contains("lww is out: 4 of 100 acknowledged updates got lost."), "{reasons}");
        let wrong = Measured { incorrect_runs: 1, incorrect_witness: Some("5 is not 6".into()), ..stale() };
        let (name, _, reasons) = decided(&[], &[wrong, refusing("occ", 3)]);
        assert_eq!(name, "occ");
        assert!(reasons.contains("crdt is out: 1 of 1 runs ended on no value that the operations allow (5 is not 6)."));
        let (_, meets_all, reasons) = decided(&[], &[losing]);
        assert!(!meets_all && reasons.contains("Nobody kept all acknowledged updates."), "{reasons}");
    }

    #[test]
    fn ties_are_broken_by_availability_then_latency_then_bytes_then_place() {
        let slow = |name, ns| Measured {
            update_latency_ns: Durations { p50: Some(ns), p99: Some(ns) },
            ..perfect(name, Strategy::Occ)
        };
        let heavy = |name, bytes_per_operation| Measured { bytes_per_operation, ..perfect(name, Strategy::Occ) };
        for (candidates, best, said) in [
            ([refusing("a", 9), refusing("b", 3)], "b", "best availability: 98%, against 95% of a"),
            (
                [slow("a", 2 * MILLISECOND), slow("b", MILLISECOND)],
                "b",
                "p99 latency of updates: 1ms, against 2ms of a",
            ),
            ([heavy("a", 9), heavy("b", 8)], "b", "fewest bytes per operation: 8, against 9 of a"),
            ([heavy("a", 8), heavy("b", 8)], "a", "a measures the same as b, and stands first"),
        ] {
            let (name, meets_all, reasons) = decided(&[], &candidates);
            assert!(name == best && meets_all && reasons.contains(said), "{name}: {reasons}");
        }
    }

    #[test]
    fn if_nobody_meets_all_needs_the_violators_are_named() {
        let question = Question { needs: vec![Need::NeverRefuseWrites, Need::NeverReadStale], ..Question::default() };
        let candidates = [stale(), refusing("occ", 3)];
        let decision = decide(&question, &candidates);
        assert!(!decision.meets_all && decision.best == 0, "{decision:?}");
        let named: Vec<(Need, &str)> =
            decision.unmet.iter().map(|unmet| (unmet.need, unmet.violations[0].candidate.as_str())).collect();
        assert_eq!(named, [(Need::NeverRefuseWrites, "occ"), (Need::NeverReadStale, "crdt")]);
        assert!(
            decision
                .reasons
                .iter()
                .any(|reason| reason.starts_with("Nobody meets more than 1 of 2 needs; of those that do, crdt has"))
        );
    }

    #[test]
    fn linearizability_is_held_against_those_who_read_nothing_stale() {
        let unknown = |linearizable, reads| Measured { linearizable, reads, ..perfect("x", Strategy::Occ) };
        let reads = Fates { ok: 1, fail: 0, info: 0 };
        let violates = |one: &Measured| violation(Need::NeverReadStale, one).is_some();
        assert!(violates(&unknown(Some(false), reads)) && violates(&unknown(None, reads)));
        assert!(!violates(&unknown(Some(true), reads)) && !violates(&unknown(None, Fates::default())));
    }
}
