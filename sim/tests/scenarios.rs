//! Every scenario of the repository keeps what it expects: all of it under its own seed, and what must survive under any.

mod scenario_files;

use rayon::prelude::*;
use sim::{
    engine::{Progress, run_all},
    kernel::world::Stop,
    report::{self, model::Verdict},
    scenario::{
        Plan,
        expectation::{Comparison, Expectation, Wanted},
    },
};

use scenario_files::scenarios;

/// Seeds under which nothing that must survive may be lost.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;

fn judged(plan: &Plan, seed: u64) -> report::model::Report {
    let systems: Vec<_> = plan.systems.iter().collect();
    let outcomes = run_all(plan, &systems, seed, &Progress::default());
    assert!(
        outcomes.iter().all(|outcome| outcome.stop == Stop::Completed),
        "{} under seed {seed} stopped early",
        plan.name
    );
    report::report(plan, &systems, seed, &outcomes, String::new())
}

#[test]
fn every_scenario_passes_under_its_own_seed() {
    let mut failures = Vec::new();
    for plan in scenarios() {
        assert!(!plan.expectations.is_empty(), "{} expects nothing", plan.name);
        let report = judged(&plan, plan.seed);
        for system in &report.systems {
            for expectation in system.expectations.iter().filter(|expectation| expectation.verdict != Verdict::Pass) {
                failures.push(format!("{}: {}: {expectation:?}", plan.name, system.name));
            }
        }
        if report.verdict != Verdict::Pass {
            failures.push(format!("{}: the verdict is {:?}", plan.name, report.verdict));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Is this a promise of the protocol, and not a figure that depends on the seed: nothing lost, nothing twice, consistency, and
/// in the end agreement?
fn is_survival(expectation: &Expectation) -> bool {
    match (expectation.measure.name, expectation.wanted) {
        ("lost_updates" | "phantom_updates", Wanted::Within(bound)) => {
            (bound.comparison, bound.limit) == (Comparison::Equal, 0)
        }
        ("converges" | "correct", Wanted::Truth(wanted)) | ("consistency", Wanted::Model(_, wanted)) => wanted,
        _ => false,
    }
}

#[test]
fn what_must_survive_survives_under_every_seed() {
    let plans = scenarios();
    let runs: Vec<(&Plan, u64)> = plans.iter().flat_map(|plan| SEEDS.map(move |seed| (plan, seed))).collect();
    let failures: Vec<String> = runs
        .into_par_iter()
        .flat_map_iter(|(plan, seed)| {
            let report = judged(plan, seed);
            let mut failures = Vec::new();
            for system in &report.systems {
                let promised = plan.expectations.get(&system.name).map_or(&[][..], Vec::as_slice);
                for (expectation, judged) in promised.iter().zip(&system.expectations) {
                    assert_eq!(expectation.to_string(), judged.text);
                    if is_survival(expectation) && judged.verdict == Verdict::Fail {
                        failures.push(format!(
                            "{} seed {seed}: {}: {}, observed {}",
                            plan.name, system.name, judged.text, judged.observed
                        ));
                    }
                }
            }
            failures
        })
        .collect();
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}
