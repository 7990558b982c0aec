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
    ///
    /// ```
    /// use sim::statistics::{Convergence::At, survival::Curve};
    /// // Without censoring it is that of a share, S (1 - S) / n.
    /// let step = Curve::of(&[At(1), At(2), At(3), At(4)]).steps[0];
    /// assert!((step.variance() - 0.75 * 0.25 / 4.0).abs() < 1e-15);
    /// ```
    pub fn variance(&self) -> f64 {
        if self.survival > 0.0 { self.survival * self.survival * self.log_variance } else { 0.0 }
    }

    /// Pointwise confidence limits by the log-log transformation, S^exp(±z √V / ln S), which stay within 0..=1
    /// (Kalbfleisch and Prentice 1980). Where S is 0 there are none: the interval is then 0..=1.
    ///
    /// ```
    /// use sim::statistics::{Convergence::At, survival::Curve};
    /// let (low, high) = Curve::of(&[At(1), At(2), At(3), At(4)]).steps[0].limits(0.95);
    /// assert!((low - 0.127_947).abs() < 1e-6 && (high - 0.960_549).abs() < 1e-6);
    /// ```
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
    ///
    /// ```
    /// use sim::statistics::{Convergence::{At, Censored}, survival::Curve};
    /// let curve = Curve::of(&[At(10), Censored(15), At(20)]);
    /// let steps: Vec<_> = curve.steps.iter().map(|step| (step.at, step.at_risk)).collect();
    /// assert_eq!(steps, [(10, 3), (20, 1)]);
    /// ```
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
    ///
    /// ```
    /// use sim::statistics::{Convergence::{At, Censored}, survival::Curve};
    /// let curve = Curve::of(&[At(10), Censored(15)]);
    /// assert_eq!([9, 10, 15, 16].map(|time| curve.survival_at(time)), [Some(1.0), Some(0.5), Some(0.5), None]);
    /// ```
    pub fn survival_at(&self, time: u64) -> Option<f64> {
        let passed = self.steps.partition_point(|step| step.at <= time);
        let survival = passed.checked_sub(1).map_or(1.0, |last| self.steps[last].survival);
        (self.count > 0 && (time <= self.last || survival <= 0.0)).then_some(survival)
    }

    /// The `share`-quantile, the first time at which the survival is at most 1 - share, with the limits of Brookmeyer
    /// and Crowley (1982): the times at which the log-log confidence limits of the curve get there.
    ///
    /// Comparisons allow for 1e-10, the rounding of a product of many thousand factors. Where the curve reaches 0 the
    /// band has no limits: the lower one gets there by definition, the upper one does not.
    ///
    /// ```
    /// use sim::statistics::{Convergence::{At, Censored}, survival::Curve};
    /// let curve = Curve::of(&[At(10), At(20), At(30), At(40), Censored(50), Censored(50)]);
    /// let median = curve.quantile(0.5, 0.95);
    /// assert_eq!((median.low, median.estimate, median.high), (Some(10), Some(30), None));
    /// ```
    pub fn quantile(&self, share: f64, confidence: f64) -> Quantile {
        let level = 1.0 - unit(share) + 1e-10;
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

#[cfg(test)]
mod tests {
    use super::*;
    use Convergence::{At, Censored};
    use proptest::prelude::*;

    /// Remission of leukemia in weeks: 6-mercaptopurine and placebo (Freireich and others 1963).
    fn remission() -> (Vec<Convergence>, Vec<Convergence>) {
        let mut treated: Vec<_> = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(At).to_vec();
        treated.extend([6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(Censored));
        let placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23].map(At).to_vec();
        (treated, placebo)
    }

    fn close(found: f64, wanted: f64) -> bool {
        (found - wanted).abs() < 1e-10
    }

    // lifelines 0.30.3: k = KaplanMeierFitter().fit(durations, ended); k.survival_function_, k.confidence_interval_, and
    // the survival squared times k._cumulative_sq_.
    #[test]
    fn steps_variances_and_limits_are_those_of_lifelines() {
        let treated = [
            (6, 0.857_142_857_142_857, 0.005_830_903_790_087_461, 0.619_717_955_265_983_8, 0.951_551_747_646_996_9),
            (7, 0.806_722_689_075_629_9, 0.007_557_743_809_337_867, 0.563_146_564_622_233_3, 0.922_809_019_202_880_2),
            (10, 0.752_941_176_470_587_8, 0.009_283_255_632_125_965, 0.503_199_510_799_956_4, 0.889_361_835_169_265_1),
            (13, 0.690_196_078_431_372_1, 0.011_409_381_797_060_733, 0.431_610_222_486_183_9, 0.849_065_963_349_450_5),
            (16, 0.627_450_980_392_156_6, 0.013_008_284_180_005_455, 0.367_510_855_987_501_94, 0.804_912_189_471_841_1),
            (22, 0.537_815_126_050_419_9, 0.016_443_895_073_270_68, 0.267_778_936_767_134_93, 0.746_790_717_635_394_3),
            (
                23,
                0.448_179_271_708_683_27,
                0.018_114_860_231_637_723,
                0.188_052_005_959_232_33,
                0.680_142_628_495_241_2,
            ),
        ];
        let curve = Curve::of(&remission().0);
        assert_eq!((curve.steps.len(), curve.count, curve.censored, curve.last), (7, 21, 12, 35));
        for (step, (at, survival, variance, low, high)) in curve.steps.iter().zip(treated) {
            let limits = step.limits(0.95);
            assert_eq!(step.at, at);
            assert!(close(step.survival, survival) && close(step.variance(), variance), "{step:?}");
            assert!(close(limits.0, low) && close(limits.1, high), "{limits:?}");
        }
        let last = Curve::of(&remission().1).steps[11];
        assert_eq!((last.at, last.survival as u64, last.variance() as u64), (23, 0, 0));
        assert_eq!(last.limits(0.95), (0.0, 1.0));
    }

    // lifelines 0.30.3: median_survival_times(k.confidence_interval_), qth_survival_times(0.75, ...),
    // restricted_mean_survival_time(k, t).
    #[test]
    fn quantiles_and_restricted_means_are_those_of_lifelines() {
        let (treated, placebo) = remission();
        let (treated, placebo) = (Curve::of(&treated), Curve::of(&placebo));
        let quantile = |estimate, low, high| Quantile { estimate, low, high };
        assert_eq!(treated.quantile(0.5, 0.95), quantile(Some(23), Some(13), None));
        assert_eq!(treated.quantile(0.25, 0.95), quantile(Some(13), Some(6), Some(22)));
        assert_eq!(treated.quantile(0.9, 0.95), quantile(None, None, None));
        assert_eq!(placebo.quantile(0.5, 0.95), quantile(Some(8), Some(4), Some(11)));
        assert_eq!(placebo.quantile(0.25, 0.95), quantile(Some(4), Some(1), Some(5)));
        let mean = |curve: &Curve, horizon| curve.restricted_mean(horizon).expect("the curve gets there").mean;
        assert!(close(mean(&treated, 20), 16.116_526_610_644_254) && close(mean(&treated, 35), 23.287_394_957_983_185));
        assert!(close(mean(&placebo, 20), 8.428_571_428_571_429) && close(mean(&placebo, 23), 8.666_666_666_666_666));
        // Klein and Moeschberger 2003, example 4.2: 23.287 weeks with a standard error of 2.827.
        let error = treated.restricted_mean(35).expect("the curve gets there").standard_error;
        assert!((error - 2.827).abs() < 5e-4, "{error}");
        assert_eq!((treated.restricted_mean(36), placebo.restricted_mean(1_000).is_some()), (None, true));
    }

    // lifelines 0.30.3: logrank_test(treated, placebo, ended_treated, ended_placebo).
    #[test]
    fn the_log_rank_test_is_that_of_lifelines() {
        let (treated, placebo) = remission();
        let test = log_rank(&treated, &placebo);
        assert!(close(test.chi_square, 16.792_940_989_216_547), "{test:?}");
        assert!((test.p - 4.168_809_109_334_511e-5).abs() < 1e-15, "{test:?}");
        assert_eq!(test.observed, 9);
    }

    #[test]
    fn without_censoring_the_curve_counts() {
        let curve = Curve::of(&[At(4), At(1), At(3), At(2)]);
        let survivals: Vec<_> = (0..=5).map(|time| curve.survival_at(time)).collect();
        assert_eq!(survivals, [1.0, 0.75, 0.5, 0.25, 0.0, 0.0].map(Some));
        // The mean of all, and its standard error with n instead of n - 1: √(Σ (t - 2.5)² / 4² ).
        let mean = curve.restricted_mean(9).expect("all converged");
        assert!(close(mean.mean, 2.5) && close(mean.standard_error, libm::sqrt(5.0 / 16.0)), "{mean:?}");
    }

    #[test]
    fn small_and_extreme_samples_are_defined() {
        let none = Curve::of(&[]);
        assert_eq!(
            (none.survival_at(0), none.restricted_mean(0), none.quantile(0.5, 0.95).estimate),
            (None, None, None)
        );
        let one = Curve::of(&[At(5)]);
        assert_eq!((one.survival_at(4), one.survival_at(5), one.survival_at(6)), (Some(1.0), Some(0.0), Some(0.0)));
        assert_eq!(one.quantile(0.5, 0.95), Quantile { estimate: Some(5), low: Some(5), high: None });
        let censored = Curve::of(&[Censored(5), Censored(7)]);
        assert_eq!((censored.survival_at(7), censored.survival_at(8)), (Some(1.0), None));
        assert_eq!(censored.quantile(0.01, 0.95), Quantile { estimate: None, low: None, high: None });
        assert_eq!(censored.restricted_mean(7), Some(RestrictedMean { mean: 7.0, standard_error: 0.0 }));
        let tied = Curve::of(&[At(3); 9]);
        assert_eq!((tied.steps.len(), tied.quantile(0.99, 0.95).estimate), (1, Some(3)));
        for (a, b) in [(vec![], vec![]), (vec![At(1)], vec![]), (vec![Censored(1)], vec![Censored(2)])] {
            assert_eq!(log_rank(&a, &b).p.to_bits(), 1.0_f64.to_bits());
        }
        assert_eq!(Curve::of(&[At(1), At(2), At(3)]).steps[0].limits(1.0), (0.0, 1.0));
    }

    fn run() -> impl Strategy<Value = Convergence> {
        prop_oneof![3 => (0..30_u64).prop_map(At), 1 => (0..30_u64).prop_map(Censored)]
    }

    proptest! {
        #[test]
        fn the_order_of_runs_and_groups_does_not_matter(
            (a, shuffled) in prop::collection::vec(run(), 0..20).prop_flat_map(|a| (Just(a.clone()), Just(a).prop_shuffle())),
            b in prop::collection::vec(run(), 0..20),
        ) {
            prop_assert_eq!(Curve::of(&a), Curve::of(&shuffled));
            let (there, back) = (log_rank(&a, &b), log_rank(&b, &a));
            prop_assert_eq!(there, log_rank(&shuffled, &b));
            prop_assert!((there.p - back.p).abs() < 1e-9 && (0.0..=1.0).contains(&there.p));
            prop_assert_eq!(log_rank(&a, &a).p.to_bits(), 1.0_f64.to_bits());
        }

        /// The curve as Efron (1967) describes it: every run has the same mass, and one that is censored gives its
        /// mass to those that go on.
        #[test]
        fn the_censored_pass_their_mass_on(a in prop::collection::vec(run(), 1..20)) {
            let mut runs: Vec<_> = a.iter().map(|run| (run.at_least(), run.is_censored())).collect();
            runs.sort_unstable();
            let mut mass = vec![1.0 / runs.len() as f64; runs.len()];
            for place in 0..runs.len() - 1 {
                if runs[place].1 {
                    let share = mass[place] / (runs.len() - place - 1) as f64;
                    mass[place] = 0.0;
                    mass[place + 1..].iter_mut().for_each(|mass| *mass += share);
                }
            }
            for step in Curve::of(&a).steps {
                let left: f64 = runs.iter().zip(&mass).filter(|(run, _)| run.0 > step.at).map(|(_, mass)| mass).sum();
                // A censored run at the very end keeps its mass, also at the time of the last step.
                let kept: f64 = runs.iter().zip(&mass).filter(|(run, _)| run.0 == step.at && run.1).map(|(_, m)| m).sum();
                prop_assert!((left + kept - step.survival).abs() < 1e-12, "{step:?} {left}");
            }
        }

        /// With one horizon for all runs, the quantile of the curve is the nearest rank.
        #[test]
        fn quantiles_are_nearest_ranks(times in prop::collection::vec(0..40_u64, 1..60), percent in 1..=100_u32) {
            let share = f64::from(percent) / 100.0;
            let sample: Vec<_> = times.iter().map(|&time| if time >= 30 { Censored(30) } else { At(time) }).collect();
            let found = Curve::of(&sample).quantile(share, 0.95).estimate;
            prop_assert_eq!(found, super::super::quantiles::quantile(&sample, share));
        }

        #[test]
        fn limits_hold_the_curve(a in prop::collection::vec(run(), 1..20), confidence in 0.0..=1.0) {
            for step in Curve::of(&a).steps {
                let (low, high) = step.limits(confidence);
                prop_assert!(0.0 <= low && low <= step.survival + 1e-12 && step.survival <= high + 1e-12 && high <= 1.0);
            }
        }
    }
}
