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
///
/// ```
/// use sim::statistics::failures::at_most_without_failure;
/// assert!((at_most_without_failure(2, 0.75) - 0.5).abs() < 1e-15);
/// ```
pub fn at_most_without_failure(seeds: u64, confidence: f64) -> f64 {
    let confidence = unit(confidence);
    if seeds == 0 || confidence >= 1.0 {
        return 1.0;
    }
    -libm::expm1(libm::log1p(-confidence) / seeds as f64)
}

/// The exact two-sided interval of P(failure) with `failures` of `seeds` (Clopper and Pearson 1934): the lower limit is
/// the p with P(X >= failures) = α / 2, the upper one that with P(X <= failures) = α / 2. More failures than seeds count
/// as all; without seeds the interval is 0..=1 and the estimate 0.
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
/// [`at_most_without_failure`]. 1 without seeds.
///
/// ```
/// use sim::statistics::failures::at_most;
/// assert!((at_most(1, 10, 0.95) - 0.394_163_302_436).abs() < 1e-12);
/// ```
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
/// example each fingerprint of a failure. Runs that passed are one behaviour; if more than one did, they may be left out
/// of `counts`, since `runs` counts them. Counts that exceed `runs` replace it.
///
/// The bound holds for every distribution: the estimate plus (2 √2 + √3) √(ln(3 / δ) / runs) with δ = 1 - confidence
/// (`McAllester` and Schapire 2000, "On the convergence rate of Good-Turing estimators"). It needs some ten thousand runs
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
/// ⌈ln(1 - confidence) / ln(1 - probability)⌉. `None` when no number below 2^53 does.
///
/// ```
/// use sim::statistics::failures::seeds_to_see;
/// assert_eq!((seeds_to_see(0.5, 0.75), seeds_to_see(0.0, 0.5)), (Some(2), None));
/// ```
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

    /// Seeds for a paired t-test: ((z + y) deviation / effect)² + z² / 2, with the normal quantiles z of level / 2 and y
    /// of power. The second term is the correction of Guenther (1981) of the normal formula; the result is within one
    /// seed of the exact number from about six seeds up. At least 2. `None` for no effect, and for infinite answers.
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

#[cfg(test)]
mod tests {
    use super::*;

    // scipy 1.17.1: binomtest(k, n).proportion_ci(c, "exact") and beta.ppf(c, k + 1, n - k).
    #[test]
    fn intervals_are_those_of_scipy() {
        for (k, n, confidence, low, high, one_sided) in [
            (0, 10, 0.95, 0.0, 0.308_497_107_818_762_94, 0.258_865_550_893_052_2),
            (1, 10, 0.95, 0.002_528_578_544_462_572_8, 0.445_016_117_028_195_43, 0.394_163_302_436_504_66),
            (3, 50, 0.99, 0.006_872_485_332_949_589, 0.202_706_269_468_688_44, 0.187_209_256_165_294_82),
            (10, 10, 0.95, 0.691_502_892_181_237_1, 1.0, 1.0),
            (120, 1_000, 0.9, 0.103_443_120_702_784_91, 0.138_239_407_396_075_07, 0.134_233_197_736_838_73),
            (2, 100_000, 0.95, 2.422_102_185_951_549e-6, 7.224_498_936_505_319e-5, 6.295_658_396_092_174e-5),
        ] {
            let found = clopper_pearson(k, n, confidence);
            assert!((found.low - low).abs() < 1e-12 && (found.high - high).abs() < 1e-12, "{k} of {n}: {found:?}");
            let bound = at_most(k, n, confidence);
            assert!((bound - one_sided).abs() < 1e-12, "{k} of {n}: {bound}");
        }
    }

    #[test]
    fn the_rule_of_three_is_a_little_above_the_exact_bound() {
        for seeds in [10, 100, 1_000, 1_000_000] {
            let exact = at_most_without_failure(seeds, 0.95);
            assert!((exact - at_most(0, seeds, 0.95)).abs() < 1e-12, "{seeds}");
            let ratio = rule_of_three(seeds) / exact;
            assert!((1.0..1.16).contains(&ratio), "{seeds}: {ratio}");
        }
    }

    /// Every true rate is covered, whatever it is: the definition of an exact interval.
    #[test]
    fn intervals_cover_every_rate() {
        for n in 1..=12 {
            let intervals: Vec<_> = (0..=n).map(|k| clopper_pearson(k, n, 0.9)).collect();
            for percent in 0..=100 {
                let p = f64::from(percent) / 100.0;
                let covers = |k: &u64| intervals[*k as usize].low <= p && p <= intervals[*k as usize].high;
                let covered: f64 = (0..=n).filter(covers).map(|k| super::super::distributions::binomial(k, n, p)).sum();
                assert!(covered >= 0.9 - 1e-12, "{n} {p}: {covered}");
            }
        }
    }

    #[test]
    fn seeds_to_see_are_the_fewest() {
        for (p, confidence) in [(0.5, 0.5), (0.5, 0.75), (0.01, 0.95), (0.001, 0.99), (1e-6, 0.95)] {
            let seeds = seeds_to_see(p, confidence).expect("some number does");
            let missed = |seeds: u64| libm::exp(seeds as f64 * libm::log1p(-p));
            assert!(missed(seeds) <= (1.0 - confidence) * (1.0 + 1e-9), "{p} {confidence}");
            assert!(missed(seeds - 1) > (1.0 - confidence) * (1.0 + 1e-9), "{p} {confidence}");
        }
        assert_eq!(seeds_to_see(0.5, 0.75), Some(2));
        assert_eq!([seeds_to_see(0.0, 0.5), seeds_to_see(0.5, 1.0), seeds_to_see(f64::NAN, 0.5)], [None; 3]);
        assert_eq!(
            (seeds_to_see(1.0, 0.5), seeds_to_see(0.0, 0.0), seeds_to_see(1e-300, 0.5)),
            (Some(1), Some(0), None)
        );
    }

    // statsmodels 0.15.0: TTestPower().solve_power(effect_size, alpha=0.05, power=0.8) and (alpha=0.01, power=0.9).
    #[test]
    fn seeds_for_a_t_test_are_those_of_statsmodels() {
        for (effect, usual, strict) in [
            (0.1, 786.81, 1491.26),
            (0.2, 198.15, 375.31),
            (0.3, 89.15, 168.66),
            (0.5, 33.37, 62.87),
            (0.8, 14.30, 26.64),
            (1.0, 9.94, 18.30),
            (1.5, 5.69, 10.08),
        ] {
            let found = Design::new(1.0, -effect).seeds_for_t_test().expect("an effect");
            assert_eq!(found, f64::ceil(usual) as u64, "{effect}");
            let design = Design { level: 0.01, power: 0.9, ..Design::new(2.0, 2.0 * effect) };
            let found = design.seeds_for_t_test().expect("an effect");
            assert!(found.abs_diff(f64::ceil(strict) as u64) <= 1, "{effect}: {found}");
        }
    }

    #[test]
    fn designs_without_an_answer_have_none() {
        for (deviation, effect) in [(1.0, 0.0), (f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0), (1.0, 1e-300)] {
            assert_eq!(Design::new(deviation, effect).seeds_for_signed_rank(), None, "{deviation} {effect}");
        }
        assert_eq!(Design::new(0.0, 1.0).seeds_for_t_test(), Some(2));
        assert_eq!(Design { power: 0.0, ..Design::new(1.0, 1.0) }.seeds_for_t_test(), Some(2));
    }

    /// Good's estimate is unbiased up to 1 / runs: over all samples of four runs from three behaviours.
    #[test]
    fn the_estimate_of_the_unseen_is_right_on_average() {
        let behaviours = [0.6, 0.3, 0.1];
        let (mut estimated, mut truth) = (0.0, 0.0);
        for code in 0..81_usize {
            let mut counts = [0; 3];
            for place in 0..4_u32 {
                counts[code / 3_usize.pow(place) % 3] += 1;
            }
            let weight: f64 = (0..4_u32).map(|place| behaviours[code / 3_usize.pow(place) % 3]).product();
            estimated += weight * unseen(&counts, 4, 0.95).estimate;
            let missing = counts.iter().zip(behaviours).filter(|(count, _)| **count == 0);
            truth += weight * missing.map(|(_, p)| p).sum::<f64>();
        }
        assert!(truth <= estimated && estimated <= truth + 0.25, "{estimated} {truth}");
    }

    const ONE: u64 = 1.0_f64.to_bits();

    #[test]
    fn extremes_are_defined() {
        assert_eq!(unseen(&[], 0, 0.95), Unseen { estimate: 1.0, at_most: 1.0 });
        assert_eq!(unseen(&[1, 1], 0, 1.0), Unseen { estimate: 1.0, at_most: 1.0 });
        assert_eq!(unseen(&[u64::MAX, u64::MAX, 1], 5, 0.5).at_most.to_bits() >> 63, 0);
        let empty = clopper_pearson(0, 0, 0.95);
        assert_eq!((empty.low as u64, empty.high as u64), (0, 1));
        assert_eq!([at_most(0, 0, 0.9), rule_of_three(0), at_most_without_failure(0, 0.9)].map(f64::to_bits), [ONE; 3]);
        assert_eq!([at_most_without_failure(9, 1.0), at_most(9, 3, 0.9)].map(f64::to_bits), [ONE; 2]);
        for confidence in [0.0, 1.0, f64::NAN] {
            let found = clopper_pearson(3, 9, confidence);
            assert!(0.0 <= found.low && found.low <= found.high && found.high <= 1.0, "{found:?}");
        }
    }
}
