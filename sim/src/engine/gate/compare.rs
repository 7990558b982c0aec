//! Comparing a baseline with what the same seeds do now.

use super::{
    baseline::{Baseline, BaselineSystem, read},
    metrics::{METRICS, Metric},
};
use crate::{
    engine::sweep::{Row, Rows},
    statistics::{
        Pair, Shift,
        bootstrap::{self, Resampling},
        mcnemar::mcnemar,
        multiple::holm,
        paired::{changes, wilcoxon},
    },
};

/// When a change is a regression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateOptions {
    /// The least relative change of a mean that matters.
    pub min_effect: f64,
    /// The probability of an alarm where nothing got worse, over everything that is compared.
    pub level: f64,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self { min_effect: 0.01, level: 0.01 }
    }
}

/// How a scenario compares with its baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The scenario's name.
    pub scenario: String,
    /// Where it is.
    pub path: String,
    /// Pairs of system and seed.
    pub runs: u64,
    /// How many of them are another run now.
    pub changed_runs: u64,
    /// Seeds that fail now and did not before, by system.
    pub new_failures: Vec<NewFailure>,
    /// Seeds that failed before and do not now.
    pub mended: u64,
    /// Every metric of every system that changed in any run.
    pub changes: Vec<MetricChange>,
}

/// Seeds of one system that fail now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFailure {
    /// The system.
    pub system: String,
    /// What does not hold under the first of them.
    pub failure: String,
    /// How many.
    pub count: u64,
    /// The first.
    pub seed: u64,
}

/// What a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is smaller now.
    Improvement,
    /// It differs, but not certainly, or not by much.
    Small,
    /// It is larger now.
    Regression,
}

/// How a metric changed.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricChange {
    /// The system.
    pub system: String,
    /// The metric.
    pub metric: &'static Metric,
    /// Seeds.
    pub seeds: u64,
    /// Seeds whose number changed.
    pub changed: u64,
    /// Seeds whose number grew.
    pub worse: u64,
    /// The mean before, up to the horizon.
    pub mean_before: f64,
    /// The mean now.
    pub mean_now: f64,
    /// The relative change of the mean, with its 95 % interval.
    pub relative: (Shift, Shift, Shift),
    /// The numbers before and now, by seed.
    pub pairs: Vec<Pair>,
    /// The seed of the first pair; the others follow.
    pub seeds_from: u64,
    /// The p-value of the signed-rank test; of the exact test of McNemar where that is smaller, if runs are censored.
    pub p: f64,
    /// The same, corrected over everything that was compared.
    pub p_adjusted: f64,
    /// What it is.
    pub change: Change,
}

/// Compares what the same seeds do now. Changes are not judged before [`correct`] has seen all of them.
pub fn compare(baseline: &Baseline, now: &Rows) -> Comparison {
    let mut comparison = Comparison {
        scenario: baseline.scenario.clone(),
        path: baseline.path.clone(),
        runs: 0,
        changed_runs: 0,
        new_failures: Vec::new(),
        mended: 0,
        changes: Vec::new(),
    };
    for (number, system) in baseline.systems.iter().enumerate() {
        let rows: Vec<&Row> = now.rows.iter().filter(|((_, found), _)| *found == number).map(|(_, row)| row).collect();
        let head = BaselineSystem::of(&system.name, &rows);
        comparison.runs += rows.len() as u64;
        comparison.changed_runs +=
            (0..rows.len()).filter(|&seed| system.fingerprint(seed) != head.fingerprint(seed)).count() as u64;
        failures(&mut comparison, system, &head, &rows);
        let changed = METRICS.iter().filter_map(|metric| change(system, &head, metric, baseline.seeds_from));
        comparison.changes.extend(changed);
    }
    comparison
}

fn failures(comparison: &mut Comparison, before: &BaselineSystem, now: &BaselineSystem, rows: &[&Row]) {
    let pairs = before.verdicts.chars().zip(now.verdicts.chars()).zip(rows);
    comparison.mended += pairs.clone().filter(|((before, now), _)| *before == 'f' && *now != 'f').count() as u64;
    let mut failed = pairs.filter(|((before, now), _)| *before != 'f' && *now == 'f').map(|(_, row)| *row);
    if let Some(first) = failed.next() {
        comparison.new_failures.push(NewFailure {
            system: before.name.clone(),
            failure: first.failed.join("; "),
            count: 1 + failed.count() as u64,
            seed: first.seed,
        });
    }
}

/// How a metric changed; nothing if it did not, or is not in the baseline.
fn change(
    before: &BaselineSystem,
    now: &BaselineSystem,
    metric: &'static Metric,
    seeds_from: u64,
) -> Option<MetricChange> {
    let (before_values, now_values) = (&before.series(metric.name)?.values, &now.series(metric.name)?.values);
    let pair = |(base, head): (&i64, &i64)| Pair { base: read(*base), head: read(*head) };
    let pairs: Vec<Pair> = before_values.iter().zip(now_values).map(pair).collect();
    let counted = changes(&pairs);
    if counted.changed == 0 {
        return None;
    }
    let shifts = bootstrap::paired(&pairs, &[], Resampling::default())?;
    let mean =
        |values: &[i64]| values.iter().map(|value| value.unsigned_abs() as f64).sum::<f64>() / values.len() as f64;
    let ranks = wilcoxon(&pairs).p;
    let is_censored = pairs.iter().any(|pair| pair.base.is_censored() || pair.head.is_censored());
    // Two looks at one question are paid for by doubling.
    let p = if is_censored { (2.0 * ranks.min(mcnemar(&pairs).p)).min(1.0) } else { ranks };
    Some(MetricChange {
        system: before.name.clone(),
        metric,
        seeds: counted.total,
        changed: counted.changed,
        worse: counted.slower,
        mean_before: mean(before_values),
        mean_now: mean(now_values),
        relative: (shifts.relative.estimate, shifts.relative.low, shifts.relative.high),
        pairs,
        seeds_from,
        p,
        p_adjusted: 1.0,
        change: Change::Small,
    })
}

/// Judges all changes together: `compared` is how many metrics there were, those included that did not change.
pub fn correct(comparisons: &mut [Comparison], options: &GateOptions, compared: usize) {
    let mut tests: Vec<(&str, f64)> = comparisons
        .iter()
        .flat_map(|comparison| &comparison.changes)
        .map(|change| (change.metric.name, change.p))
        .collect();
    // What did not change was compared as well.
    tests.resize(tests.len().max(compared), ("unchanged", 1.0));
    let adjusted: Vec<f64> = holm(&tests).iter().map(|adjusted| adjusted.adjusted).collect();
    let changes = comparisons.iter_mut().flat_map(|comparison| &mut comparison.changes);
    for (change, p) in changes.zip(adjusted) {
        change.p_adjusted = p;
        let (estimate, low, high) = change.relative;
        let is_certain = p <= options.level;
        change.change = if is_certain && exceeds(low, 0.0) && exceeds(estimate, options.min_effect) {
            Change::Regression
        } else if is_certain && falls_below(high, 0.0) && falls_below(estimate, -options.min_effect) {
            Change::Improvement
        } else {
            Change::Small
        };
    }
}

fn exceeds(shift: Shift, limit: f64) -> bool {
    match shift {
        Shift::MinusInfinite => false,
        Shift::Finite(value) => value > 0.0 && value >= limit,
        Shift::PlusInfinite => true,
    }
}

fn falls_below(shift: Shift, limit: f64) -> bool {
    match shift {
        Shift::MinusInfinite => true,
        Shift::Finite(value) => value < 0.0 && value <= limit,
        Shift::PlusInfinite => false,
    }
}
