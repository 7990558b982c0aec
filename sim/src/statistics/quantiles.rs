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
