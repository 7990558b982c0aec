//! The same binary, scenario and seed give the same fingerprint: in every run, on any number of threads, in both profiles.
//!
//! The golden file holds fingerprints that debug and release builds must both give. A change of what a seed means is made
//! with `BLESS=1 cargo test -p sim --test determinism`, and is told in the change log.

mod scenario_files;

use std::{fmt::Write as _, fs, path::Path};

use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};
use sim::{
    engine::{Outcome, Progress, run_again, run_all, run_bare},
    kernel::{disturbance::Disturbance, fold::Fingerprint, plan::RunPlan, time::Time},
    scenario::Plan,
};

use scenario_files::scenarios;

/// Seeds of the golden file.
const GOLDEN_SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

/// Seeds of the short runs, for every scenario.
const SEEDS: std::ops::Range<u64> = 0..1000;

/// By how much the short runs are shortened: faults and horizon come this many times earlier.
const SHORTER: u64 = 25;

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads")
}

fn run(plan: &Plan, seed: u64) -> Vec<Outcome> {
    let systems: Vec<_> = plan.systems.iter().collect();
    run_all(plan, &systems, seed, &Progress::default())
}

fn fingerprints(outcomes: &[Outcome]) -> Vec<Fingerprint> {
    outcomes.iter().map(|outcome| outcome.fingerprint).collect()
}

/// Makes faults and the horizon `SHORTER` times earlier: everything that a run is made of, in less time.
fn shorten(plan: &mut RunPlan) {
    for window in &mut plan.windows {
        window.from = Time(window.from.0 / SHORTER);
        window.to =
            if window.to == Time::NEVER { Time::NEVER } else { Time((window.to.0 / SHORTER).max(window.from.0 + 1)) };
        if let Disturbance::Crash { lost_ns, .. } = &mut window.disturbance {
            *lost_ns /= SHORTER;
        }
    }
    plan.final_reads_at = Time(plan.final_reads_at.0 / SHORTER);
}

#[test]
fn a_thousand_seeds_of_every_scenario_give_the_same_fingerprints_twice() {
    let plans = scenarios();
    let runs: Vec<(usize, usize, u64)> = plans
        .iter()
        .enumerate()
        .flat_map(|(scenario, plan)| {
            (0..plan.systems.len()).flat_map(move |system| SEEDS.map(move |seed| (scenario, system, seed)))
        })
        .collect();
    let short = |&(scenario, system, seed): &(usize, usize, u64)| {
        let plan = &plans[scenario];
        run_bare(plan, &plan.systems[system], seed, shorten)
    };
    let first: Vec<_> = pool(2).install(|| runs.par_iter().map(short).collect());
    // The second time in the opposite order, on another number of threads.
    let mut second: Vec<_> = pool(3).install(|| runs.par_iter().rev().map(short).collect());
    second.reverse();
    for (run, pair) in runs.iter().zip(first.iter().zip(&second)) {
        assert_eq!(pair.0, pair.1, "{} under seed {}", plans[run.0].name, run.2);
    }
    let events: u64 = first.iter().map(|(_, events)| events).sum();
    assert!(events > 100 * runs.len() as u64, "{events} events in {} runs prove little", runs.len());
    let mut distinct: Vec<Fingerprint> = first.iter().map(|(fingerprint, _)| *fingerprint).collect();
    distinct.sort_unstable_by_key(|fingerprint| fingerprint.0);
    distinct.dedup();
    // In the shortest runs of the smallest scenarios, and of those with a script, nothing happens that a seed has a say in.
    assert!(distinct.len() * 100 > runs.len() * 93, "only {} of {} runs differ", distinct.len(), runs.len());
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    for plan in scenarios() {
        let outcomes = |threads| pool(threads).install(|| run(&plan, 7));
        let one = outcomes(1);
        for threads in [2, 5] {
            let more = outcomes(threads);
            assert_eq!(fingerprints(&one), fingerprints(&more), "{} on {threads} threads", plan.name);
            for (one, more) in one.iter().zip(&more) {
                assert_eq!(one.measures, more.measures, "{} on {threads} threads", plan.name);
            }
        }
    }
}

#[test]
fn running_again_finds_no_difference() {
    for plan in scenarios() {
        let systems: Vec<_> = plan.systems.iter().collect();
        let first = run(&plan, plan.seed);
        assert_eq!(run_again(&plan, &systems, plan.seed, &first), []);
    }
}

#[test]
fn running_again_names_a_difference() {
    let plan = &scenarios()[0];
    let systems: Vec<_> = plan.systems.iter().collect();
    let mut first = run(plan, plan.seed);
    first[0].fingerprint.0 ^= 1;
    let differences = run_again(plan, &systems, plan.seed, &first);
    assert_eq!(differences.len(), 1);
    assert_eq!((&differences[0].system, &differences[0].divergence), (&plan.systems[0].name, &None));
}

#[test]
fn debug_and_release_builds_give_the_golden_fingerprints() {
    let mut computed = String::new();
    for plan in scenarios() {
        for seed in GOLDEN_SEEDS {
            for outcome in run(&plan, seed) {
                writeln!(computed, "{} {} {seed} {}", plan.name, outcome.system, outcome.fingerprint)
                    .expect("text grows");
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fingerprints.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder can be made");
        fs::write(&path, &computed).expect("the golden file can be written");
    }
    let golden = fs::read_to_string(&path).expect("the golden file, which BLESS=1 writes");
    let differing: Vec<_> =
        golden.lines().zip(computed.lines()).filter(|(golden, computed)| golden != computed).collect();
    assert!(differing.is_empty(), "seeds changed their meaning; if that is wanted, run with BLESS=1: {differing:#?}");
    assert_eq!(golden, computed, "scenarios came or went; run with BLESS=1");
}
