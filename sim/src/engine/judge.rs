//! Holding outcomes against expectations.
//!
//! An expectation that says that something bad does not happen proves nothing when nothing tried to make it happen. So,
//! before it passes, everything adverse that the scenario prepares must have had an effect on the system: faults, losses,
//! duplicates, and for optimistic concurrency control conflicts. If something had none, the expectation is *vacuous*.
//! Expectations that something does happen (`lost_updates = "> 0"`) carry their proof with them.

use super::{consistency::strongest, run::Outcome};
use crate::{
    checkers::{Consistency, Verdict},
    kernel::{plan::RunPlan, time::Nanos, world::Stop},
    scenario::{
        ProtocolSpec,
        expectation::{Comparison, Expectation, MeasureKind, Quantile, Wanted},
    },
};

/// An expectation, held against an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The expectation as text.
    pub text: String,
    /// Does it hold?
    pub verdict: Verdict,
    /// What was observed.
    pub observed: String,
}

/// Judges all expectations on one system.
pub fn judge(expectations: &[Expectation], protocol: &ProtocolSpec, plan: &RunPlan, outcome: &Outcome) -> Vec<Judged> {
    let untested = untested(protocol, plan, outcome);
    expectations.iter().map(|expectation| judge_one(expectation, outcome, &untested)).collect()
}

fn judge_one(expectation: &Expectation, outcome: &Outcome, untested: &[String]) -> Judged {
    let observation = observe(expectation, outcome);
    let mut verdict = observation.verdict;
    if outcome.stop != Stop::Completed {
        verdict = Verdict::Unknown { reason: format!("the run stopped early: {}", outcome.stop.name()) };
    } else if verdict == Verdict::Pass && !carries_proof(expectation) && !untested.is_empty() {
        verdict = Verdict::Vacuous { reason: untested.join("; ") };
    }
    Judged { text: expectation.to_string(), verdict, observed: observation.text }
}

/// Does keeping the expectation take an event that is its own proof?
fn carries_proof(expectation: &Expectation) -> bool {
    match expectation.wanted {
        Wanted::Truth(wanted) | Wanted::Model(_, wanted) => !wanted,
        Wanted::Value => false,
        Wanted::Within(bound) => {
            expectation.measure.kind == MeasureKind::Count
                && match bound.comparison {
                    Comparison::Above => true,
                    Comparison::AtLeast | Comparison::Equal => bound.limit > 0,
                    Comparison::Below | Comparison::AtMost => false,
                }
        }
    }
}

/// What the scenario prepares against a system, and what had no effect on it.
fn untested(protocol: &ProtocolSpec, plan: &RunPlan, outcome: &Outcome) -> Vec<String> {
    let mut untested = Vec::new();
    // Programs that have nothing to say to each other cannot be disturbed in saying it.
    if matches!(protocol, ProtocolSpec::External { .. }) && outcome.traffic.messages == 0 {
        return untested;
    }
    // A fault that repeats was put to the test if one of its windows was; so was the nemesis.
    let mut faults: Vec<(Option<u32>, &str, bool)> = Vec::new();
    for (window, bite) in plan.windows.iter().zip(&outcome.bites) {
        match faults.iter_mut().find(|(fault, ..)| *fault == window.fault) {
            Some((.., bit)) => *bit |= bite.bit(),
            None => faults.push((window.fault, &window.label, bite.bit())),
        }
    }
    untested.extend(faults.iter().filter(|(.., bit)| !bit).map(|(_, label, _)| format!("{label} had no effect")));
    let classes = &plan.network.classes;
    if classes.iter().any(|class| class.loss.is_possible() || class.burst.is_some()) && outcome.traffic.lost == 0 {
        untested.push("no message was lost by chance".to_owned());
    }
    if classes.iter().any(|class| class.duplicate.is_possible()) && outcome.traffic.duplicated == 0 {
        untested.push("no message arrived twice".to_owned());
    }
    if matches!(protocol, ProtocolSpec::Occ { .. }) && outcome.costs.conflicts == 0 {
        untested.push("no compare-and-swap met a conflict".to_owned());
    }
    untested
}

struct Observation {
    verdict: Verdict,
    text: String,
}

fn observe(expectation: &Expectation, outcome: &Outcome) -> Observation {
    let measures = &outcome.measures;
    let since = |from, to: Option<_>| to.map(|to: crate::kernel::time::Time| to - from);
    let (last_update, last_heal) = (measures.last_update_at, measures.last_heal_at);
    let converged = measures.converged_at;
    let operations = &measures.availability[0];
    match expectation.measure.name {
        "converges" => truth(expectation, converged.is_some()),
        "correct" => correct(expectation, &outcome.correct),
        "consistency" => consistency(expectation, outcome),
        "final_value" => value(expectation, outcome),
        "lost_updates" => tracked(expectation, measures.lost_updates),
        "phantom_updates" => tracked(expectation, measures.phantom_updates),
        "convergence_time" => duration(expectation, since(measures.settled_at(), converged)),
        "convergence_from_last_update" => duration(expectation, last_update.and_then(|from| since(from, converged))),
        "convergence_from_last_heal" => duration(expectation, last_heal.and_then(|from| since(from, converged))),
        "convergence_observed" => duration(expectation, since(measures.settled_at(), measures.observed_at)),
        "visibility_latency" => match measures.visibility_latency_ns {
            None => given_up(),
            Some(quantiles) => duration(
                expectation,
                match expectation.quantile {
                    Some(Quantile::P50) => quantiles.p50,
                    Some(Quantile::P90) => quantiles.p90,
                    Some(Quantile::P99) => quantiles.p99,
                    Some(Quantile::Max) | None => quantiles.max,
                },
            ),
        },
        "availability" => {
            let total = operations.ok + operations.fail + operations.info;
            let Wanted::Within(bound) = expectation.wanted else { return mismatched() };
            Observation {
                verdict: holds(bound.holds_share(operations.ok, total)),
                text: format!("{} of {total} operations", operations.ok),
            }
        }
        "ok" => count(expectation, operations.ok),
        "fail" => count(expectation, operations.fail),
        "info" => count(expectation, operations.info),
        "stale_reads" => count(expectation, measures.stale_reads.count),
        "messages" => count(expectation, outcome.traffic.messages),
        "bytes" => count(expectation, outcome.traffic.bytes),
        "conflicts" => count(expectation, outcome.costs.conflicts),
        "retries" => count(expectation, outcome.costs.retries),
        unknown => unreachable!("validation admits measures of the registry only, and {unknown} is not observed here"),
    }
}

fn holds(holds: bool) -> Verdict {
    if holds { Verdict::Pass } else { Verdict::Fail { witness: String::new() } }
}

fn value(expectation: &Expectation, outcome: &Outcome) -> Observation {
    let verdict = holds(outcome.agreed.as_ref() == Some(&expectation.written));
    Observation { verdict, text: outcome.agreed.clone().unwrap_or_else(|| "none: the replicas differ".to_owned()) }
}

fn mismatched() -> Observation {
    unreachable!("validation admits bounds of the measure's kind only")
}

fn given_up() -> Observation {
    Observation {
        verdict: Verdict::Unknown { reason: "too many replicas and operations to follow every update".to_owned() },
        text: "unknown".to_owned(),
    }
}

fn truth(expectation: &Expectation, observed: bool) -> Observation {
    let Wanted::Truth(wanted) = expectation.wanted else { return mismatched() };
    Observation { verdict: holds(observed == wanted), text: observed.to_string() }
}

fn correct(expectation: &Expectation, observed: &Verdict) -> Observation {
    let Wanted::Truth(wanted) = expectation.wanted else { return mismatched() };
    let verdict = match observed {
        Verdict::Pass => holds(wanted),
        Verdict::Fail { witness } if wanted => Verdict::Fail { witness: witness.clone() },
        Verdict::Fail { .. } => Verdict::Pass,
        undecided => undecided.clone(),
    };
    Observation { verdict, text: if *observed == Verdict::Pass { "true" } else { "false" }.to_owned() }
}

fn consistency(expectation: &Expectation, outcome: &Outcome) -> Observation {
    let Wanted::Model(model, wanted) = expectation.wanted else { return mismatched() };
    let Some(found) = outcome.consistency.iter().find(|found| found.model == model) else {
        unreachable!("every model is judged, and {} is one", model.name())
    };
    let verdict = match &found.verdict {
        Verdict::Pass if wanted => Verdict::Pass,
        Verdict::Pass => Verdict::Fail { witness: format!("the run is {}", model.name()) },
        Verdict::Fail { .. } if !wanted => Verdict::Pass,
        broken_or_undecided => broken_or_undecided.clone(),
    };
    // Strong convergence is no matter of clients, so that it stands beside the models of theirs.
    let text = if model == Consistency::StronglyConvergent {
        if found.verdict == Verdict::Pass { model.name().to_owned() } else { "none".to_owned() }
    } else {
        strongest(&outcome.consistency)
    };
    Observation { verdict, text }
}

fn count(expectation: &Expectation, observed: u64) -> Observation {
    let Wanted::Within(bound) = expectation.wanted else { return mismatched() };
    Observation { verdict: holds(bound.holds(i128::from(observed))), text: observed.to_string() }
}

fn tracked(expectation: &Expectation, observed: Option<u64>) -> Observation {
    observed.map_or_else(given_up, |observed| count(expectation, observed))
}

/// A duration that did not end within the run is longer than any bound from above.
fn duration(expectation: &Expectation, observed_ns: Option<u64>) -> Observation {
    let Wanted::Within(bound) = expectation.wanted else { return mismatched() };
    match observed_ns {
        Some(ns) => Observation { verdict: holds(bound.holds(i128::from(ns))), text: Nanos(ns).to_string() },
        None => Observation {
            verdict: holds(matches!(bound.comparison, Comparison::Above | Comparison::AtLeast)),
            text: "censored at the horizon".to_owned(),
        },
    }
}
