//! What a number of seeds says about failures that did not occur, and how many seeds are enough.
//!
//! ```
//! use sim::statistics::failures::{at_most_without_failure, clopper_pearson, seeds_to_see};
//! // No failure in 3,000 seeds: with 95 % confidence less than one in a thousand fails.
//! assert!(at_most_without_failure(3_000, 0.95) < 0.001);
//! assert_eq!(clopper_pearson(0, 3_000, 0.95).low, 0.0);
//! // A failure of one seed in a thousand shows within 2,995 seeds, with 95 % confidence.
//! assert_eq!(seeds_to_see(0.001, 0.95), Some(2_995));
//! ```
//!
//! Invariant: bounds are exact or err to the safe side; without seeds they say nothing, 0..=1.
//!
//! Deliberately absent: priors. A seed is an independent draw of a run; whether the scenario resembles the world is
//! another question.

use super::{
    Interval,
    distributions::{binomial_at_least, binomial_at_most, bisect, normal_quantile_above},
    unit,
};

/// The rule of three: without failure in `seeds` seeds, P(failure) < 3 / seeds with 95 % confidence, since
/// ln 0.05 > -3 (Hanley and Lippman-Hand 1983). At most 1, also without seeds.
///
/// ```
/// use sim::statistics::failures::rule_of_three;
/// assert_eq!(rule_of_three(300), 0.01);
/// ```
pub fn rule_of_three(seeds: u64) -> f64 {
    // Nothing is divided by zero: the quotient is infinite and cut.
    (3.0 / seeds as f64).min(1.0)
}

/// The exact bound without failure: the p with (1 - p)^seeds = 1 - confidence. 1 without seeds.
pub fn at_most_without_failure(seeds: u64, confidence: f64) -> f64 {
    let confidence = unit(confidence);
    if seeds == 0 || confidence >= 1.0 {
        return 1.0;
    }
    -libm::expm1(libm::log1p(-confidence) / seeds as f64)
}

/// The exact two-sided interval of P(failure) with `failures` of `seeds` (Clopper and Pearson 1934): the lower limit is
/// the p with P(X >= failures) = α / 2, the upper one that with P(X <= failures) = α / 2. More failures than seeds count
/// as all.
///
/// ```
/// use sim::statistics::failures::clopper_pearson;
/// let rate = clopper_pearson(1, 10, 0.95);
/// assert!((rate.low - 0.002_528_578_544).abs() < 1e-12 && (rate.high - 0.445_016_117_028).abs() < 1e-12);
/// ```
pub fn clopper_pearson(failures: u64, seeds: u64, confidence: f64) -> Interval<f64> {
    if seeds == 0 {
        return Interval { estimate: 0.0, low: 0.0, high: 1.0 };
    }
    let failures = failures.min(seeds);
    let tail = (1.0 - unit(confidence)) / 2.0;
    let low = match failures {
        0 => 0.0,
        _ => bisect(0.0, 1.0, |p| binomial_at_least(failures, seeds, p) >= tail),
    };
    let high = if failures == seeds { 1.0 } else { highest_rate(failures, seeds, tail) };
    Interval { estimate: failures as f64 / seeds as f64, low, high }
}

/// The exact one-sided bound: P(failure) is at most this, with `failures` of `seeds`. Without failures it is
/// [`at_most_without_failure`].
pub fn at_most(failures: u64, seeds: u64, confidence: f64) -> f64 {
    if seeds == 0 || failures >= seeds {
        return 1.0;
    }
    highest_rate(failures, seeds, 1.0 - unit(confidence))
}

/// The p with P(X <= failures) = `tail`.
fn highest_rate(failures: u64, seeds: u64, tail: f64) -> f64 {
    bisect(0.0, 1.0, |p| binomial_at_most(failures, seeds, p) <= tail)
}

/// How likely the next seed shows something that was never seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unseen {
    /// The estimate: behaviours seen exactly once, divided by runs.
    pub estimate: f64,
    /// The upper confidence bound.
    pub at_most: f64,
}

/// The estimate of Good and Turing for the probability that the next run shows a new behaviour (Good 1953): the number
/// of behaviours seen exactly once, divided by the number of runs. `counts` says how often each behaviour was seen, for
/// example each fingerprint of a failure; runs that passed are one behaviour, and may be left out of `counts` if they
/// are among `runs`.
///
/// The bound holds for every distribution: the estimate plus (2 √2 + √3) √(ln(3 / δ) / runs) with δ = 1 - confidence
/// (McAllester and Schapire 2000, "On the convergence rate of Good-Turing estimators"). It needs some ten thousand runs
/// to say much. Without runs both are 1.
///
/// ```
/// use sim::statistics::failures::unseen;
/// let unseen = unseen(&[3, 1, 1], 1_000_000, 0.95);
/// assert_eq!(unseen.estimate, 2e-6);
/// assert!(unseen.at_most < 0.01);
/// ```
pub fn unseen(counts: &[u64], runs: u64, confidence: f64) -> Unseen {
    let counted = counts.iter().fold(0_u64, |sum, &count| sum.saturating_add(count));
    let runs = runs.max(counted);
    if runs == 0 {
        return Unseen { estimate: 1.0, at_most: 1.0 };
    }
    let once = counts.iter().filter(|&&count| count == 1).count();
    let estimate = once as f64 / runs as f64;
    let error = 1.0 - unit(confidence);
    if error <= 0.0 {
        return Unseen { estimate, at_most: 1.0 };
    }
    let factor = 2.0 * libm::sqrt(2.0) + libm::sqrt(3.0);
    let width = factor * libm::sqrt(libm::log(3.0 / error) / runs as f64);
    Unseen { estimate, at_most: (estimate + width).min(1.0) }
}

/// How many seeds show a failure of this probability at least once, with this confidence:
/// ⌈ln(1 - confidence) / ln(1 - probability)⌉. `None` when no number does.
pub fn seeds_to_see(probability: f64, confidence: f64) -> Option<u64> {
    let (probability, confidence) = (unit(probability), unit(confidence));
    if confidence <= 0.0 {
        return Some(0);
    }
    if probability >= 1.0 {
        return Some(1);
    }
    if probability <= 0.0 || confidence >= 1.0 {
        return None;
    }
    whole(libm::log1p(-confidence) / libm::log1p(-probability))
}

/// A paired comparison that is to find an effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// The standard deviation of the differences of pairs.
    pub deviation: f64,
    /// The mean difference that is to be found, in the same unit.
    pub effect: f64,
    /// The level of the two-sided test.
    pub level: f64,
    /// The probability with which the effect is to be found.
    pub power: f64,
}

impl Design {
    /// The usual design: two-sided at 5 %, found with 80 %.
    pub fn new(deviation: f64, effect: f64) -> Self {
        Self { deviation, effect, level: 0.05, power: 0.8 }
    }

    /// Seeds for a paired t-test: `((z_{α/2} + z_β) deviation / effect)² + z_{α/2}² / 2`, the correction of Guenther (1981)
    /// of the normal formula; it is within one seed of the exact number from about five seeds up. At least 2. `None` for
    /// no effect, and when an argument is not a number.
    ///
    /// ```
    /// use sim::statistics::failures::Design;
    /// assert_eq!(Design::new(1.0, 0.5).seeds_for_t_test(), Some(34));
    /// ```
    pub fn seeds_for_t_test(&self) -> Option<u64> {
        self.seeds(1.0)
    }

    /// Seeds for the signed-rank test: those of the normal formula times π / 3, its efficiency relative to the t-test
    /// when differences are normal (Pitman; Lehmann 1975). With heavier tails it needs fewer.
    ///
    /// ```
    /// use sim::statistics::failures::Design;
    /// assert_eq!(Design::new(1.0, 0.5).seeds_for_signed_rank(), Some(35));
    /// ```
    pub fn seeds_for_signed_rank(&self) -> Option<u64> {
        self.seeds(std::f64::consts::FRAC_PI_3)
    }

    fn seeds(&self, factor: f64) -> Option<u64> {
        let (significance, power) = (normal_quantile_above(self.level / 2.0), normal_quantile_above(1.0 - self.power));
        // Below this power the formula, a square, would rise again.
        let ratio = (significance + power).max(0.0) * self.deviation / self.effect;
        let found = self.effect.abs() > 0.0 && ratio.is_finite();
        if found { whole(ratio * ratio * factor + significance * significance / 2.0).map(|n| n.max(2)) } else { None }
    }
}

/// The least whole number above, if it fits. A relative excess of 1e-12 is rounding.
fn whole(number: f64) -> Option<u64> {
    let least = (number * (1.0 - 1e-12)).ceil();
    // The limit is 2^53, up to which floats are exact.
    (0.0..=9_007_199_254_740_992.0).contains(&least).then_some(least as u64)
}
