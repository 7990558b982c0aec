//! Exact quantiles of a censored sample, with confidence intervals that assume no distribution; mean and deviation.
//!
//! The p-quantile of n runs is the nearest rank, the ⌈p n⌉-th shortest time (definition 1 of Hyndman and Fan 1996).
//!
//! Invariant: a quantile is reported only if it is the same wherever the censored runs would have ended. With one
//! horizon for all runs that means: a quantile that falls among the censored is `None`.
//!
//! ```
//! use sim::statistics::{Convergence::{At, Censored}, quantiles::quantile};
//! let sample = [At(30), At(10), Censored(90), At(20)];
//! assert_eq!(quantile(&sample, 0.5), Some(20));
//! assert_eq!(quantile(&sample, 0.99), None);
//! ```
//!
//! Deliberately absent: interpolation between order statistics, which would report times that no run took.

use super::{Convergence, distributions::binomial_at_most, nearest_rank, unit};

/// The `share`-quantile; `None` if the censored leave it open, and for an empty sample.
///
/// ```
/// use sim::statistics::{Convergence::{At, Censored}, quantiles::quantile};
/// // Where the censored run would have ended decides which time is the second.
/// assert_eq!(quantile(&[At(1), Censored(2), At(3)], 0.5), None);
/// ```
pub fn quantile(sample: &[Convergence], share: f64) -> Option<u64> {
    Ordered::of(sample).rank(nearest_rank(share, sample.len()))
}

/// A quantile with an interval that covers the true one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileInterval {
    /// The quantile of the sample.
    pub estimate: Option<u64>,
    /// The lower limit: an order statistic, or 0 when the sample is too small for one.
    pub low: u64,
    /// The upper limit: an order statistic, or `None` when the sample is too small for one or it is censored.
    pub high: Option<u64>,
    /// The probability that the interval covers the true quantile, for continuous times; ties only make it larger.
    pub coverage: f64,
}

/// The `share`-quantile between order statistics (David and Nagaraja 2003, "Order Statistics", section 7.1).
///
/// How many of n runs fall below the true quantile is binomial, B(n, share). The limits are the ranks l, the largest
/// with P(B < l) <= (1 - confidence) / 2, and u, the smallest with P(B >= u) <= (1 - confidence) / 2. The lower limit
/// takes a censored run as ending when it was censored, the upper one as never ending, so that both are safe.
///
/// ```
/// use sim::statistics::{Convergence::At, quantiles::quantile_interval};
/// let sample: Vec<_> = (1..=100).map(At).collect();
/// let median = quantile_interval(&sample, 0.5, 0.95);
/// assert_eq!((median.low, median.estimate, median.high), (40, Some(50), Some(61)));
/// ```
pub fn quantile_interval(sample: &[Convergence], share: f64, confidence: f64) -> QuantileInterval {
    let ordered = Ordered::of(sample);
    let (count, share) = (sample.len() as u64, unit(share));
    let outside = (1.0 - unit(confidence)) / 2.0;
    let below = |rank: u64| if rank == 0 { 0.0 } else { binomial_at_most(rank - 1, count, share) };
    // Both ranks by bisection: P(B < rank) rises with the rank. Rank 0 is below and rank count + 1 above everything.
    let low = first(count + 1, |rank| below(rank) > outside).saturating_sub(1);
    let high = first(count + 1, |rank| 1.0 - below(rank) <= outside);
    QuantileInterval {
        estimate: ordered.rank(nearest_rank(share, sample.len())),
        low: ordered.at_least(low as usize),
        high: ordered.rank(high as usize),
        coverage: (if high > count { 1.0 } else { below(high) }) - below(low),
    }
}

/// The first rank of 0..=last for which `reached` holds; `last` if none does.
fn first(last: u64, reached: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, last);
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// A sample in order.
struct Ordered {
    /// The times of those that converged.
    ended: Vec<u64>,
    /// The times that each run certainly took.
    at_least: Vec<u64>,
    /// The first time of censoring.
    first_censored: u64,
}

impl Ordered {
    fn of(sample: &[Convergence]) -> Self {
        let mut ended: Vec<u64> = sample.iter().filter_map(|run| run.ended()).collect();
        let mut at_least: Vec<u64> = sample.iter().map(|run| run.at_least()).collect();
        ended.sort_unstable();
        at_least.sort_unstable();
        let censored = sample.iter().filter(|run| run.is_censored()).map(|run| run.at_least());
        Self { ended, at_least, first_censored: censored.min().unwrap_or(u64::MAX) }
    }

    /// The time at a rank from 1, if it is the same wherever the censored runs would have ended.
    fn rank(&self, rank: usize) -> Option<u64> {
        let time = *self.ended.get(rank.checked_sub(1)?)?;
        (time <= self.first_censored).then_some(time)
    }

    /// The least that the time at a rank from 1 can be.
    fn at_least(&self, rank: usize) -> u64 {
        rank.checked_sub(1).and_then(|place| self.at_least.get(place)).copied().unwrap_or(0)
    }
}

/// Mean and standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// In nanoseconds.
    pub mean: f64,
    /// The deviation of the sample, with n - 1; `None` for a single run.
    pub deviation: Option<f64>,
}

/// The moments of a sample; `None` if it is empty or a run is censored, since then there is no mean. The mean up to a
/// horizon is [`Curve::restricted_mean`](super::survival::Curve::restricted_mean).
///
/// ```
/// use sim::statistics::{Convergence::At, quantiles::moments};
/// let moments = moments(&[At(2), At(4), At(6)]).expect("all converged");
/// assert_eq!((moments.mean, moments.deviation), (4.0, Some(2.0)));
/// ```
pub fn moments(sample: &[Convergence]) -> Option<Moments> {
    let times: Vec<u64> = sample.iter().map(|run| run.ended()).collect::<Option<_>>()?;
    if times.is_empty() {
        return None;
    }
    let count = times.len() as f64;
    let total: u128 = times.iter().map(|&time| u128::from(time)).sum();
    let mean = total as f64 / count;
    let squares: f64 = times.iter().map(|&time| (time as f64 - mean) * (time as f64 - mean)).sum();
    Some(Moments { mean, deviation: (times.len() > 1).then(|| libm::sqrt(squares / (count - 1.0))) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Convergence::{At, Censored};
    use proptest::prelude::*;

    // scipy 1.17.1: the largest l with binom(n, p).cdf(l - 1) <= α / 2, and the smallest u with sf(u - 1) <= α / 2.
    #[test]
    fn limits_are_the_ranks_of_the_binomial_distribution() {
        for (n, share, confidence, low, high) in
            [(100, 0.5, 0.95, 40, 61), (100, 0.9, 0.95, 84, 96), (20, 0.5, 0.99, 4, 17), (30, 0.99, 0.95, 28, 31)]
        {
            let sample: Vec<_> = (1..=n).map(At).collect();
            let found = quantile_interval(&sample, share, confidence);
            assert_eq!((found.low, found.high), (low, (high <= n).then_some(high)), "{n} {share}");
            assert!(found.coverage >= confidence && found.coverage <= 1.0, "{found:?}");
        }
    }

    /// In each order of n runs around the true quantile, the count of those below decides; their probabilities add up.
    #[test]
    fn coverage_is_the_sum_over_all_outcomes() {
        for n in 1..=12_u64 {
            for share in [0.1, 0.5, 0.9] {
                let sample: Vec<_> = (1..=n).map(At).collect();
                let found = quantile_interval(&sample, share, 0.9);
                let covers = |below: u64| found.low <= below && found.high.is_none_or(|high| below < high);
                let weight = |outcome: u64| -> f64 {
                    (0..n).map(|run| if outcome >> run & 1 == 1 { share } else { 1.0 - share }).product()
                };
                let covered = (0..1_u64 << n).filter(|&outcome| covers(u64::from(outcome.count_ones())));
                let exact: f64 = covered.map(weight).sum();
                assert!(
                    (exact - found.coverage).abs() < 1e-12 && exact >= 0.9 - 1e-12,
                    "{n} {share}: {exact} {found:?}"
                );
            }
        }
    }

    #[test]
    fn the_censored_are_longest() {
        let sample: Vec<_> = (1..=95).map(At).chain([Censored(1_000); 5]).collect();
        assert_eq!(
            [0.5, 0.9, 0.95, 0.96, 1.0].map(|p| quantile(&sample, p)),
            [Some(50), Some(90), Some(95), None, None]
        );
        let interval = quantile_interval(&sample, 0.9, 0.95);
        assert_eq!((interval.low, interval.estimate, interval.high), (84, Some(90), None));
    }

    #[test]
    fn an_early_censored_run_leaves_later_quantiles_open() {
        let sample = [At(1), At(3), At(4), Censored(2), At(5)];
        assert_eq!((quantile(&sample, 0.2), quantile(&sample, 0.4)), (Some(1), None));
    }

    #[test]
    fn small_and_extreme_samples_are_defined() {
        assert_eq!((quantile(&[], 0.5), moments(&[]), moments(&[At(1), Censored(2)])), (None, None, None));
        let none = quantile_interval(&[], 0.5, 0.95);
        assert_eq!((none.estimate, none.low, none.high, none.coverage as u64), (None, 0, None, 1));
        assert_eq!((quantile(&[At(7)], 0.99), quantile(&[Censored(7)], 0.99)), (Some(7), None));
        assert_eq!(moments(&[At(7)]), Some(Moments { mean: 7.0, deviation: None }));
        assert_eq!(moments(&[At(u64::MAX); 3]).map(|all| all.deviation), Some(Some(0.0)));
        let censored = quantile_interval(&[Censored(9); 50], 0.5, 0.95);
        assert_eq!((censored.estimate, censored.low, censored.high), (None, 9, None));
        for strange in [f64::NAN, -1.0, 0.0, 1.0, 2.0] {
            let found = quantile_interval(&[At(1), At(2)], strange, strange);
            assert!((0.0..=1.0).contains(&found.coverage), "{strange}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn a_quantile_is_the_same_wherever_the_censored_end(
            (sample, shuffled) in prop::collection::vec((0..20_u64, 0..4_u8, 1..20_u64), 0..20)
                .prop_flat_map(|sample| (Just(sample.clone()), Just(sample).prop_shuffle())),
            share in 0.0..=1.0,
        ) {
            let run = |&(time, kind, _): &(u64, u8, u64)| if kind == 0 { Censored(time) } else { At(time) };
            let (known, again): (Vec<_>, Vec<_>) = (sample.iter().map(run).collect(), shuffled.iter().map(run).collect());
            prop_assert_eq!(quantile(&known, share), quantile(&again, share));
            if let Some(found) = quantile(&known, share) {
                let mut ended: Vec<u64> =
                    sample.iter().map(|&(time, kind, more)| if kind == 0 { time + more } else { time }).collect();
                ended.sort_unstable();
                prop_assert_eq!(found, ended[nearest_rank(share, ended.len()) - 1]);
            }
        }
    }
}
