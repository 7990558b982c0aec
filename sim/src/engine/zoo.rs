//! Hunting bugs that are known: how good are the checkers?
//!
//! Every bug of the [`crate::zoo`] is run in its arena under one seed after the other until the checker that must catch it does.
//! Beside it runs its twin, the system that has it right, and must pass the same checker under every seed: a checker that
//! cries at everything would catch all bugs, too. The share of bugs that are caught is the *mutation score* of the checkers
//! (`DeMillo`, Lipton and Sayward 1978, "Hints on test data selection", where mutants are made of programs under test).
//!
//! Invariant: what is found is a function of bugs and seeds, whatever the number of threads.
//!
//! What is deliberately absent: bugs that nobody planted.

use rayon::prelude::*;

use super::run::{Outcome, Progress, run_system};
use crate::{
    checkers::Verdict,
    scenario::{self, Plan},
    zoo::Bug,
};

/// What came of hunting one bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunt {
    /// The bug.
    pub bug: &'static Bug,
    /// The first seed under which it was caught, if it was.
    pub caught_at: Option<u64>,
    /// What the checker said.
    pub witness: String,
    /// Seeds under which the twin was taken for a bug.
    pub false_alarms: Vec<u64>,
    /// Under how many seeds the twin ran.
    pub twin_seeds: u64,
}

/// Hunts bugs under seeds from 1 to `seeds`, and runs their twins under seeds from 1 to `twin_seeds`.
pub fn hunt(bugs: &[&'static Bug], seeds: u64, twin_seeds: u64) -> Vec<Hunt> {
    bugs.par_iter().map(|bug| hunt_one(bug, seeds, twin_seeds)).collect()
}

fn hunt_one(bug: &'static Bug, seeds: u64, twin_seeds: u64) -> Hunt {
    let plan = plan(bug);
    let caught = |system: usize, seed: u64| {
        let outcome = run_system(&plan, &plan.systems[system], seed, &Progress::default());
        catches(bug.caught_by, &outcome)
    };
    // One seed after the other: the first is wanted, and nearly always it is among the first few.
    let found = (1..=seeds).find_map(|seed| Some((seed, caught(0, seed)?)));
    let alarms = (1..twin_seeds + 1).into_par_iter().filter(|&seed| caught(1, seed).is_some());
    let mut false_alarms: Vec<u64> = alarms.collect();
    false_alarms.sort_unstable();
    let (caught_at, witness) = found.map_or((None, String::new()), |(seed, witness)| (Some(seed), witness));
    Hunt { bug, caught_at, witness, false_alarms, twin_seeds }
}

/// The scenario of a bug: it, and then its twin.
///
/// # Panics
/// When the zoo has a bug whose scenario does not make sense, which a test sees to.
pub fn plan(bug: &Bug) -> Plan {
    scenario::parse(&format!("{}.toml", bug.name), &bug.scenario(), &[])
        .unwrap_or_else(|errors| panic!("the scenario of {}:\n{errors}", bug.name))
}

/// What the measure, checker or model of this name says against an outcome; `None` when it says nothing.
pub fn catches(name: &str, outcome: &Outcome) -> Option<String> {
    let measures = &outcome.measures;
    let counted =
        |count: Option<u64>, what: &str| count.filter(|&count| count > 0).map(|count| format!("{count} {what}"));
    match name {
        "converges" => measures.converged_at.is_none().then(|| "the replicas do not agree at the end".to_owned()),
        "correct" => failure(&outcome.correct),
        "lost_updates" => counted(measures.lost_updates, "acknowledged updates are lost"),
        "phantom_updates" => counted(measures.phantom_updates, "updates count too often, or though they failed"),
        _ => {
            let checks = outcome.checks.iter().find(|(checker, _)| checker.name == name).map(|(_, verdict)| verdict);
            let models = outcome.consistency.iter().find(|finding| finding.model.name() == name);
            failure(checks.or(models.map(|finding| &finding.verdict))?)
        }
    }
}

fn failure(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Fail { witness } => Some(witness.clone()),
        _ => None,
    }
}

/// How many of the bugs were caught.
pub fn score(hunts: &[Hunt]) -> usize {
    hunts.iter().filter(|hunt| hunt.caught_at.is_some()).count()
}
