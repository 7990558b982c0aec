//! From comparisons to the report of a gate.

use super::model::{GateReport, GatedChange, GatedFailure, GatedScenario, SCHEMA_VERSION};
use crate::{
    engine::gate::{Change, Comparison, MetricChange, NewFailure, Unit, written},
    report::{
        human::{bytes, count, duration, percentage},
        model::Verdict,
    },
    statistics::Shift,
};

/// The report of comparisons that have been judged. `reproduce` gives the command line that runs one system of a scenario under one seed.
pub fn report(comparisons: &[Comparison], reproduce: &dyn Fn(&str, u64, &str) -> String) -> GateReport {
    let scenarios: Vec<GatedScenario> = comparisons.iter().map(|comparison| scenario(comparison, reproduce)).collect();
    GateReport {
        schema: SCHEMA_VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        verdict: scenarios.iter().map(|scenario| scenario.verdict).max().unwrap_or(Verdict::Inconclusive),
        scenarios,
    }
}

fn scenario(comparison: &Comparison, reproduce: &dyn Fn(&str, u64, &str) -> String) -> GatedScenario {
    let is_worse = comparison.changes.iter().any(|change| change.change == Change::Regression);
    let failure = |failure: &NewFailure| GatedFailure {
        system: failure.system.clone(),
        failure: failure.failure.clone(),
        count: failure.count,
        reproduce: reproduce(&comparison.path, failure.seed, &failure.system),
    };
    GatedScenario {
        scenario: comparison.scenario.clone(),
        path: comparison.path.clone(),
        verdict: if is_worse || !comparison.new_failures.is_empty() { Verdict::Fail } else { Verdict::Pass },
        runs: comparison.runs,
        changed_runs: comparison.changed_runs,
        mended: comparison.mended,
        new_failures: comparison.new_failures.iter().map(failure).collect(),
        changes: comparison.changes.iter().map(change).collect(),
    }
}

fn change(of: &MetricChange) -> GatedChange {
    let shown = |mean: f64| {
        let mean = mean.round() as u64;
        match of.metric.unit {
            Unit::Nanoseconds => duration(mean),
            Unit::Bytes => bytes(mean),
            Unit::Count => count(mean),
            Unit::Ppm => percentage(mean.min(1_000_000) as u32),
        }
    };
    let ppm = |shift: Shift| shift.finite().map(|share| (share * 1_000_000.0).round() as i64);
    let (estimate, low, high) = of.relative;
    GatedChange {
        system: of.system.clone(),
        metric: of.metric.name.to_owned(),
        change: match of.change {
            Change::Regression => "regression",
            Change::Small => "small",
            Change::Improvement => "improvement",
        }
        .to_owned(),
        seeds: of.seeds,
        changed: of.changed,
        worse: of.worse,
        before: shown(of.mean_before),
        now: shown(of.mean_now),
        relative_ppm: ppm(estimate),
        relative_ppm_low: ppm(low),
        relative_ppm_high: ppm(high),
        p_adjusted_ppm: (of.p_adjusted * 1_000_000.0).ceil() as u32,
        seeds_from: of.seeds_from,
        pairs: of.pairs.iter().map(|pair| (written(pair.base), written(pair.head))).collect(),
    }
}

/// A relative change with its sign: `+2.34%`.
pub(super) fn signed(ppm: Option<i64>) -> String {
    let Some(ppm) = ppm else { return "from nothing".to_owned() };
    let sign = if ppm < 0 { '-' } else { '+' };
    let hundredths = ppm.unsigned_abs() / 100;
    format!("{sign}{}.{:02}%", hundredths / 100, hundredths % 100)
}
