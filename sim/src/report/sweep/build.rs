//! From rows to the report of a sweep.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Failure, SCHEMA_VERSION, Spread, SweepReport, SweptExpectation, SweptSystem};
use crate::{
    engine::sweep::{Row, RowVerdict, Rows, Seeds},
    report::model::Verdict,
    scenario::Plan,
    statistics::{
        Convergence,
        failures::at_most,
        quantiles::{quantile, quantile_interval},
    },
};

/// Sums up rows. `reproduce` gives the command line that runs one system under one seed.
pub fn report(rows: &Rows, seeds: Seeds, reproduce: &dyn Fn(u64, &str) -> String) -> SweepReport {
    let of_system =
        |number: usize| rows.rows.iter().filter(move |((_, system), _)| *system == number).map(|(_, row)| row);
    let systems = rows.header.systems.iter().enumerate();
    let systems: Vec<SweptSystem> =
        systems.map(|(number, name)| system(name, &of_system(number).collect::<Vec<_>>(), reproduce)).collect();
    SweepReport {
        schema: SCHEMA_VERSION,
        tool: rows.header.tool.clone(),
        scenario: rows.header.scenario.clone(),
        scenario_hash: rows.header.scenario_hash.clone(),
        seeds_from: seeds.from,
        seeds_to: seeds.to,
        verdict: rows.rows.values().map(|row| verdict(row.verdict)).max().unwrap_or(Verdict::Inconclusive),
        systems,
        failures: failures(rows, reproduce),
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

fn system(name: &str, rows: &[&Row], reproduce: &dyn Fn(u64, &str) -> String) -> SweptSystem {
    let count = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
    let of_verdict = |wanted: RowVerdict| count(&|row| row.verdict == wanted);
    let spread = |of: &dyn Fn(&Row) -> Option<u64>| Spread::of(rows.iter().map(|row| of(row)));
    let (runs, fail) = (rows.len() as u64, of_verdict(RowVerdict::Fail));
    SweptSystem {
        name: name.to_owned(),
        runs,
        pass: of_verdict(RowVerdict::Pass),
        vacuous: of_verdict(RowVerdict::Vacuous),
        inconclusive: of_verdict(RowVerdict::Inconclusive),
        fail,
        fail_ppm_max: fail_ppm_max(fail, runs),
        converged: count(&|row| row.converged),
        incorrect: count(&|row| !row.correct),
        fingerprints: rows.iter().map(|row| &row.fingerprint).collect::<BTreeSet<_>>().len() as u64,
        convergence_time_ns: spread(&|row| row.convergence_time_ns),
        convergence_from_last_heal_ns: spread(&|row| row.convergence_from_last_heal_ns),
        convergence_observed_ns: spread(&|row| row.convergence_observed_ns),
        visibility_latency_ns_p99: spread(&|row| row.visibility_latency_ns_p99),
        availability_ppm: spread(&|row| (row.ok * 1_000_000).checked_div(row.ok + row.fail + row.info)),
        lost_updates: spread(&|row| row.lost_updates),
        stale_reads: spread(&|row| Some(row.stale_reads)),
        messages: spread(&|row| Some(row.messages)),
        bytes: spread(&|row| Some(row.bytes)),
        state_bytes: spread(&|row| Some(row.state_bytes)),
        expectations: expectations(name, rows, reproduce),
    }
}

/// The expectations that failed in any run. Rows name no others.
fn expectations(name: &str, rows: &[&Row], reproduce: &dyn Fn(u64, &str) -> String) -> Vec<SweptExpectation> {
    let mut failed: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for row in rows {
        for text in &row.failed {
            failed.entry(text).or_insert((0, row.seed)).0 += 1;
        }
    }
    let failed = failed.into_iter();
    failed
        .map(|(text, (count, seed))| SweptExpectation {
            text: text.to_owned(),
            failed: count,
            reproduce: Some(reproduce(seed, name)),
        })
        .collect()
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

fn failures(rows: &Rows, reproduce: &dyn Fn(u64, &str) -> String) -> Vec<Failure> {
    let mut clusters: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows.rows.values() {
        if let Some(failure) = row.failure() {
            clusters.entry(failure).or_default().push(row);
        }
    }
    let mut failures: Vec<Failure> = clusters
        .into_iter()
        .map(|(failure, rows)| Failure {
            failure,
            count: rows.len() as u64,
            seed: rows[0].seed,
            reproduce: reproduce(rows[0].seed, &rows[0].system),
        })
        .collect();
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
