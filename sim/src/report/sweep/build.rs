//! From rows to the report of a sweep.

use super::{
    collected::{Alike, Collected, Column, Runs},
    contrast::contrasts,
    model::{Failure, SCHEMA_VERSION, Spread, SweepReport, SweptExpectation, SweptSystem},
};
use crate::{
    engine::sweep::{RowVerdict, Seeds},
    report::model::Verdict,
    scenario::Plan,
    statistics::{
        Convergence,
        failures::{at_most, unseen},
        quantiles::{quantile, quantile_interval},
    },
};

/// Sums up what was collected. `reproduce` gives the command line that runs one system under one seed.
pub fn report(all: &Collected, seeds: Seeds, reproduce: &dyn Fn(u64, &str) -> String) -> SweepReport {
    SweepReport {
        schema: SCHEMA_VERSION,
        tool: all.header.tool.clone(),
        scenario: all.header.scenario.clone(),
        scenario_hash: all.header.scenario_hash.clone(),
        seeds_from: seeds.from,
        seeds_to: seeds.to,
        verdict: all.verdict.map_or(Verdict::Inconclusive, verdict),
        systems: all.systems.iter().map(|runs| system(all, runs, reproduce)).collect(),
        contrasts: contrasts(all),
        failures: failures(all, reproduce),
    }
}

/// The verdict of a run, as reports have it.
pub(super) fn verdict(of: RowVerdict) -> Verdict {
    match of {
        RowVerdict::Pass => Verdict::Pass,
        RowVerdict::Vacuous => Verdict::Vacuous,
        RowVerdict::Inconclusive => Verdict::Inconclusive,
        RowVerdict::Fail => Verdict::Fail,
    }
}

fn system(all: &Collected, runs: &Runs, reproduce: &dyn Fn(u64, &str) -> String) -> SweptSystem {
    let spread = |column: &Column| Spread::of(column.iter());
    let alike = all.failures.values().filter(|alike| alike.system == runs.name);
    let kinds: Vec<u64> = alike.map(|alike| alike.count).collect();
    let expectation = |(text, (failed, seed)): (&String, &(u64, u64))| SweptExpectation {
        text: text.clone(),
        failed: *failed,
        reproduce: Some(reproduce(*seed, &runs.name)),
    };
    SweptSystem {
        name: runs.name.clone(),
        runs: runs.count(),
        pass: runs.pass,
        vacuous: runs.vacuous,
        inconclusive: runs.inconclusive,
        fail: runs.fail,
        fail_ppm_max: fail_ppm_max(runs.fail, runs.count()),
        fail_unseen_ppm: (unseen(&kinds, runs.count(), 0.95).estimate * 1_000_000.0).ceil() as u32,
        converged: runs.converged,
        incorrect: runs.incorrect,
        fingerprints: runs.different(),
        convergence_time_ns: Spread::of(runs.convergence.iter().map(|time| time.ended())),
        convergence_from_last_heal_ns: spread(&runs.from_last_heal),
        convergence_observed_ns: spread(&runs.observed),
        visibility_latency_ns_p99: spread(&runs.visibility_p99),
        availability_ppm: spread(&runs.availability_ppm),
        lost_updates: spread(&runs.lost_updates),
        stale_reads: spread(&runs.stale_reads),
        messages: spread(&runs.messages),
        bytes: spread(&runs.bytes),
        state_bytes: spread(&runs.state_bytes),
        // Rows name no expectations but those that failed.
        expectations: runs.expectations.iter().map(expectation).collect(),
    }
}

impl SweepReport {
    /// The same with all that the scenario expects, in its order: what never failed is in no row.
    #[must_use]
    pub fn expecting(mut self, plan: &Plan) -> Self {
        for system in &mut self.systems {
            let Some(expected) = plan.expectations.get(&system.name) else { continue };
            let found = std::mem::take(&mut system.expectations);
            let known = |text: String| {
                let failed = found.iter().find(|found| found.text == text).cloned();
                failed.unwrap_or(SweptExpectation { text, failed: 0, reproduce: None })
            };
            system.expectations = expected.iter().map(|expected| known(expected.to_string())).collect();
        }
        self
    }
}

fn failures(all: &Collected, reproduce: &dyn Fn(u64, &str) -> String) -> Vec<Failure> {
    let failure = |(failure, alike): (&String, &Alike)| {
        let seed = alike.seeds.first().copied().unwrap_or_default();
        let reproduce = reproduce(seed, &alike.system);
        Failure { failure: failure.clone(), count: alike.count, seed, reproduce }
    };
    let mut failures: Vec<Failure> = all.failures.iter().map(failure).collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures
}

/// The upper limit of the probability of a failure, with 95 % confidence (Clopper and Pearson 1934), rounded up.
fn fail_ppm_max(fail: u64, runs: u64) -> u32 {
    (at_most(fail, runs, 0.95) * 1_000_000.0).ceil() as u32
}

impl Spread {
    /// How these are distributed; what is not there is censored.
    fn of(values: impl Iterator<Item = Option<u64>>) -> Self {
        let sample: Vec<Convergence> =
            values.map(|value| value.map_or(Convergence::Censored(u64::MAX), Convergence::At)).collect();
        let median = quantile_interval(&sample, 0.5, 0.95);
        Self {
            min: sample.iter().filter_map(|value| value.ended()).min(),
            p50: median.estimate,
            p50_low: (!sample.is_empty() && median.low < u64::MAX).then_some(median.low),
            p50_high: median.high,
            p90: quantile(&sample, 0.9),
            p99: quantile(&sample, 0.99),
            max: quantile(&sample, 1.0),
            count: sample.len() as u64,
            censored: sample.iter().filter(|value| value.is_censored()).count() as u64,
        }
    }
}
