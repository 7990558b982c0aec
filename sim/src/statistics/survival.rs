//! Survival curves: which share of the runs has not converged after a time, when some were not watched to the end.
//!
//! Invariant: a run that is censored at a time counts as at risk at that time, and as nothing afterwards; a quantile or
//! a mean that would need what was not observed is `None`.
//!
//! ```
//! use sim::statistics::{Convergence::{At, Censored}, survival::Curve};
//! let curve = Curve::of(&[At(10), At(20), Censored(20), At(30)]);
//! assert_eq!(curve.survival_at(10), Some(0.75));
//! assert_eq!(curve.quantile(0.5, 0.95).estimate, Some(20));
//! ```
//!
//! Deliberately absent: regression (Cox), smoothing, and left truncation. Censoring is assumed to be independent of the
//! time to convergence, as a horizon is.

use super::{
    Convergence,
    distributions::{chi_square_above, normal_quantile_above},
    unit,
};

/// What happens to the curve at one time of convergence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The time, in nanoseconds.
    pub at: u64,
    /// How many runs had not converged before, and were still watched.
    pub at_risk: u64,
    /// How many converged at this time.
    pub ended: u64,
    /// The share that has not converged after this time: Π (1 - ended / at risk).
    pub survival: f64,
    /// Greenwood's sum up to here, Σ ended / (at risk · (at risk - ended)): the variance of ln(survival). Infinite when
    /// the curve reaches 0.
    pub log_variance: f64,
}

impl Step {
    /// Greenwood's variance of the survival: S² Σ d / (n (n - d)) (Greenwood 1926). Zero when the curve reaches 0.
    pub fn variance(&self) -> f64 {
        if self.survival > 0.0 { self.survival * self.survival * self.log_variance } else { 0.0 }
    }

    /// Pointwise confidence limits by the log-log transformation, S^exp(±z √V / ln S), which stay within 0..=1
    /// (Kalbfleisch and Prentice 1980). Where S is 0 there are none: the interval is then 0..=1.
    pub fn limits(&self, confidence: f64) -> (f64, f64) {
        if self.survival <= 0.0 {
            return (0.0, 1.0);
        }
        let log = libm::log(self.survival);
        let width = normal_quantile_above((1.0 - unit(confidence)) / 2.0) * libm::sqrt(self.log_variance) / -log;
        (libm::exp(log * libm::exp(width)), libm::exp(log * libm::exp(-width)))
    }
}

/// A quantile of the time to convergence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantile {
    /// The first time at which enough have converged; `None` when the curve does not get there.
    pub estimate: Option<u64>,
    /// The lower confidence limit; `None` when it lies beyond what was observed.
    pub low: Option<u64>,
    /// The upper confidence limit; `None` when it lies beyond what was observed.
    pub high: Option<u64>,
}

/// The area under the curve up to a horizon: the mean of the time to convergence, cut at the horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RestrictedMean {
    /// In nanoseconds.
    pub mean: f64,
    /// Its standard error, in nanoseconds.
    pub standard_error: f64,
}

/// The product-limit estimate of the survival function (Kaplan and Meier 1958).
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// One step for each distinct time of convergence, in ascending order.
    pub steps: Vec<Step>,
    /// How many runs there are.
    pub count: u64,
    /// How many of them are censored.
    pub censored: u64,
    /// The last time of any run, converged or censored.
    pub last: u64,
}

impl Curve {
    /// The curve of a sample. Without runs it has no steps.
    pub fn of(sample: &[Convergence]) -> Self {
        let mut times: Vec<(u64, bool)> = sample.iter().map(|run| (run.at_least(), run.is_censored())).collect();
        times.sort_unstable();
        let mut at_risk = times.len() as u64;
        let (mut survival, mut log_variance) = (1.0, 0.0);
        let mut steps = Vec::new();
        for same in times.chunk_by(|a, b| a.0 == b.0) {
            let ended = same.iter().filter(|(_, censored)| !censored).count() as u64;
            if ended > 0 {
                let left = (at_risk - ended) as f64;
                survival *= left / at_risk as f64;
                // Division by zero is the infinity that the last step has.
                log_variance += ended as f64 / (at_risk as f64 * left);
                steps.push(Step { at: same[0].0, at_risk, ended, survival, log_variance });
            }
            at_risk -= same.len() as u64;
        }
        Self {
            count: times.len() as u64,
            censored: times.iter().filter(|(_, censored)| *censored).count() as u64,
            last: times.last().map_or(0, |(time, _)| *time),
            steps,
        }
    }

    /// The estimated share that has not converged after `time`; `None` after the last observation, unless it is 0, and
    /// for an empty sample.
    pub fn survival_at(&self, time: u64) -> Option<f64> {
        let passed = self.steps.partition_point(|step| step.at <= time);
        let survival = passed.checked_sub(1).map_or(1.0, |last| self.steps[last].survival);
        (self.count > 0 && (time <= self.last || survival <= 0.0)).then_some(survival)
    }

    /// The `share`-quantile, the first time at which the survival is at most 1 - share, with the limits of Brookmeyer
    /// and Crowley (1982): the times at which the log-log confidence limits of the curve get there.
    ///
    /// Comparisons allow for 1e-12, the rounding of a product of thousands of factors. Where the curve reaches 0 the
    /// band has no limits and the lower one gets there by definition, the upper one does not.
    pub fn quantile(&self, share: f64, confidence: f64) -> Quantile {
        let level = 1.0 - unit(share) + 1e-12;
        let first = |curve: &dyn Fn(&Step) -> f64| self.steps.iter().find(|step| curve(step) <= level).map(|s| s.at);
        Quantile {
            estimate: first(&|step| step.survival),
            low: first(&|step| step.limits(confidence).0),
            high: first(&|step| step.limits(confidence).1),
        }
    }

    /// The mean time to convergence up to `horizon`: ∫ S(t) dt, with the variance Σ A² d / (n (n - d)) over the steps,
    /// where A is the area from the step to the horizon (Klein and Moeschberger 2003, section 4.5).
    ///
    /// `None` for an empty sample, and when the curve is not known up to the horizon.
    ///
    /// ```
    /// use sim::statistics::{Convergence::{At, Censored}, survival::Curve};
    /// let curve = Curve::of(&[At(10), Censored(40)]);
    /// assert_eq!(curve.restricted_mean(40).map(|area| area.mean), Some(25.0));
    /// assert_eq!(curve.restricted_mean(41), None);
    /// ```
    pub fn restricted_mean(&self, horizon: u64) -> Option<RestrictedMean> {
        self.survival_at(horizon)?;
        let steps = &self.steps[..self.steps.partition_point(|step| step.at <= horizon)];
        let (mut area, mut variance, mut until) = (0.0, 0.0, horizon);
        for step in steps.iter().rev() {
            area += step.survival * (until - step.at) as f64;
            let left = (step.at_risk - step.ended) as f64;
            if left > 0.0 {
                variance += area * area * (step.ended as f64 / (step.at_risk as f64 * left));
            }
            until = step.at;
        }
        Some(RestrictedMean { mean: area + until as f64, standard_error: libm::sqrt(variance) })
    }
}

/// The result of a log-rank test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogRank {
    /// Runs of the first group that converged.
    pub observed: u64,
    /// How many would have, if both groups converged alike. Less observed than expected: the first group is slower.
    pub expected: f64,
    /// The hypergeometric variance of the observed number.
    pub variance: f64,
    /// (observed - expected)² / variance, or 0 without variance.
    pub chi_square: f64,
    /// The probability of a chi-square at least as large, with one degree of freedom.
    pub p: f64,
}

/// Whether two independent groups converge alike (Mantel 1966; Peto and Peto 1972). At each time with d of n ends, of
/// which n₁ belong to the first group, d n₁ / n are expected there with variance
/// d (n₁ / n) (1 - n₁ / n) (n - d) / (n - 1), which takes care of ties.
///
/// p is 1 when a group is empty or nothing converged. Samples of the same seeds are paired, and this test does not use
/// that: see [`paired`](super::paired).
///
/// ```
/// use sim::statistics::{Convergence::At, survival::log_rank};
/// let fast: Vec<_> = (1..=20).map(At).collect();
/// let slow: Vec<_> = (21..=40).map(At).collect();
/// assert!(log_rank(&fast, &slow).p < 1e-6);
/// assert_eq!(log_rank(&fast, &fast).p, 1.0);
/// ```
pub fn log_rank(first: &[Convergence], second: &[Convergence]) -> LogRank {
    let of = |group: &[Convergence], own: bool| -> Vec<(u64, bool, bool)> {
        group.iter().map(|run| (run.at_least(), run.is_censored(), own)).collect()
    };
    let mut times = of(first, true);
    times.extend(of(second, false));
    times.sort_unstable();
    let (mut all_at_risk, mut own_at_risk) = (times.len() as u64, first.len() as u64);
    let (mut observed, mut expected, mut variance) = (0, 0.0, 0.0);
    for same in times.chunk_by(|a, b| a.0 == b.0) {
        let ended = same.iter().filter(|(_, censored, _)| !censored).count() as u64;
        observed += same.iter().filter(|(_, censored, own)| !censored && *own).count() as u64;
        let (d, n, own) = (ended as f64, all_at_risk as f64, own_at_risk as f64);
        expected += d * own / n;
        if all_at_risk > 1 {
            variance += d * (own / n) * (1.0 - own / n) * (n - d) / (n - 1.0);
        }
        all_at_risk -= same.len() as u64;
        own_at_risk -= same.iter().filter(|(_, _, own)| *own).count() as u64;
    }
    let difference = observed as f64 - expected;
    let chi_square = if variance > 0.0 { difference * difference / variance } else { 0.0 };
    LogRank { observed, expected, variance, chi_square, p: chi_square_above(chi_square) }
}
