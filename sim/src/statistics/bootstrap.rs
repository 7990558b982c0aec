//! Confidence intervals of differences by resampling the seeds.
//!
//! A resample draws as many seeds as there are, with replacement, and keeps the two runs of a seed together, so that
//! what the versions have in common cancels out (Efron 1979; Davison and Hinkley 1997, chapter 5).
//!
//! Invariant: the result is a function of pairs, options and seed; resampled indices come from a keyed cipher and not
//! from the platform. Identical samples give exactly 0, and quantiles to which a version does not get are infinite.
//!
//! ```
//! use sim::statistics::{Convergence::At, Pair, Shift, bootstrap::{Resampling, paired}};
//! let pairs: Vec<_> = (1..=50).map(|seed| Pair { base: At(100 * seed), head: At(100 * seed + 7) }).collect();
//! let result = paired(&pairs, &[0.5], Resampling::default()).expect("there are seeds");
//! assert_eq!((result.mean.low, result.mean.high), (Shift::Finite(7.0), Shift::Finite(7.0)));
//! assert_eq!(result.quantiles[0].difference.estimate, Shift::Finite(7.0));
//! ```
//!
//! Deliberately absent: bias correction and studentising; for a gate that also wants a least effect they change nothing.

use super::{Convergence, Interval, Pair, Shift, nearest_rank, unit};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampling {
    /// How often; at least 1.
    pub resamples: usize,
    /// The key of the draws.
    pub seed: u64,
    /// The level of the intervals.
    pub confidence: f64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { resamples: 10_000, seed: 0, confidence: 0.95 }
    }
}

/// The quantiles that are usually compared.
pub const SHARES: [f64; 3] = [0.5, 0.9, 0.99];

/// The difference of one quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileDifference {
    /// Which quantile, in 0..=1.
    pub share: f64,
    /// That of head minus that of base, in nanoseconds. Infinite if it falls among the censored of one version only, and
    /// 0 if of both.
    pub difference: Interval<Shift>,
}

/// Differences with percentile intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap {
    /// The mean of head minus base, in nanoseconds. A censored run counts as its horizon, so that this is the difference
    /// of means up to the horizon; a seed on which neither version converged counts as 0.
    pub mean: Interval<Shift>,
    /// The mean difference divided by the mean of base; 0 when both are 0, and infinite when only the latter is.
    pub relative: Interval<Shift>,
    /// Differences of quantiles, in the order asked for.
    pub quantiles: Vec<QuantileDifference>,
}

/// Resamples the seeds and takes the limits of each statistic at the resample of rank ⌊(R + 1) α / 2⌋, at least 1, from
/// either end (Davison and Hinkley 1997, section 5.3.1). Quantiles are nearest ranks in which a censored run is longer
/// than all that converged. `None` without seeds.
///
/// ```
/// use sim::statistics::{Convergence::{At, Censored}, Pair, Shift, bootstrap::{Resampling, paired}};
/// let pairs = [Pair { base: At(10), head: At(11) }, Pair { base: At(20), head: Censored(100) }];
/// let result = paired(&pairs, &[0.5, 1.0], Resampling::default()).expect("there are seeds");
/// assert_eq!(result.quantiles[0].difference.estimate, Shift::Finite(1.0));
/// assert_eq!(result.quantiles[1].difference.estimate, Shift::PlusInfinite);
/// assert_eq!(result.mean.estimate, Shift::Finite(40.5));
/// ```
pub fn paired(pairs: &[Pair], shares: &[f64], resampling: Resampling) -> Option<Bootstrap> {
    if pairs.is_empty() {
        return None;
    }
    let sides = Sides::of(pairs, shares);
    let resamples = resampling.resamples.max(1);
    let mut draws = Draws::new(resampling.seed, "bootstrap.paired");
    let mut times = vec![0_u32; pairs.len()];
    let mut statistics: Vec<Vec<Shift>> = vec![Vec::with_capacity(resamples); 2 + shares.len()];
    for _ in 0..resamples {
        times.fill(0);
        for _ in 0..pairs.len() {
            times[draws.below(pairs.len() as u64) as usize] += 1;
        }
        for (all, one) in statistics.iter_mut().zip(sides.statistics(&times)) {
            all.push(one);
        }
    }
    let mut intervals = sides
        .statistics(&vec![1; pairs.len()])
        .into_iter()
        .zip(statistics)
        .map(|(estimate, resampled)| percentiles(estimate, resampled, resampling.confidence));
    let (mean, relative) = (intervals.next()?, intervals.next()?);
    let quantiles = shares.iter().zip(intervals);
    let quantiles = quantiles.map(|(&share, difference)| QuantileDifference { share, difference }).collect();
    Some(Bootstrap { mean, relative, quantiles })
}

/// The percentile interval of resampled statistics.
fn percentiles(estimate: Shift, mut resampled: Vec<Shift>, confidence: f64) -> Interval<Shift> {
    resampled.sort_unstable_by(|a, b| a.compare(*b));
    let last = resampled.len() - 1;
    let tail = (resampled.len() + 1) as f64 * (1.0 - unit(confidence)) / 2.0;
    // As with quantiles, a product that ought to be whole may lie a little below.
    let rank = (tail * (1.0 + 1e-12)) as usize;
    let place = rank.saturating_sub(1).min(last / 2);
    Interval { estimate, low: resampled[place], high: resampled[last - place] }
}

/// The pairs, prepared so that a resample is a number of times for each.
struct Sides<'a> {
    pairs: &'a [Pair],
    /// Indices of pairs in the order of their base.
    by_base: Vec<usize>,
    /// Indices of pairs in the order of their head.
    by_head: Vec<usize>,
    /// The places of the quantiles in either order, and where each is in the order asked for.
    ranks: Vec<(usize, usize)>,
}

impl<'a> Sides<'a> {
    fn of(pairs: &'a [Pair], shares: &[f64]) -> Self {
        let sorted = |side: fn(&Pair) -> Convergence| {
            let mut order: Vec<usize> = (0..pairs.len()).collect();
            order.sort_by(|&a, &b| side(&pairs[a]).compare(side(&pairs[b])));
            order
        };
        let rank = |(place, &share): (usize, &f64)| (nearest_rank(share, pairs.len()), place);
        let mut ranks: Vec<_> = shares.iter().enumerate().map(rank).collect();
        ranks.sort_unstable();
        Self { pairs, by_base: sorted(|pair| pair.base), by_head: sorted(|pair| pair.head), ranks }
    }

    /// Mean difference, relative difference, and differences of quantiles, with each pair taken so many times.
    fn statistics(&self, times: &[u32]) -> Vec<Shift> {
        let (mut difference, mut base) = (0_i128, 0_i128);
        for (pair, &times) in self.pairs.iter().zip(times) {
            difference += restricted_difference(*pair) * i128::from(times);
            base += i128::from(pair.base.at_least()) * i128::from(times);
        }
        let mut all = vec![Shift::Finite(difference as f64 / self.pairs.len() as f64), ratio(difference, base)];
        let bases = self.quantiles(&self.by_base, times, |pair| pair.base);
        let heads = self.quantiles(&self.by_head, times, |pair| pair.head);
        let mut differences = vec![Shift::Finite(0.0); self.ranks.len()];
        for ((_, place), (base, head)) in self.ranks.iter().zip(bases.into_iter().zip(heads)) {
            differences[*place] = difference_of_quantiles(base, head);
        }
        all.extend(differences);
        all
    }

    /// The times at the ranks in ascending order; `None` where a censored run is.
    fn quantiles(&self, order: &[usize], times: &[u32], side: fn(&Pair) -> Convergence) -> Vec<Option<u64>> {
        let mut passed = 0;
        let mut ranks = self.ranks.iter().map(|(rank, _)| *rank).peekable();
        let mut found = Vec::with_capacity(self.ranks.len());
        for &index in order {
            passed += times[index] as usize;
            while ranks.next_if(|&rank| rank <= passed).is_some() {
                found.push(side(&self.pairs[index]).ended());
            }
        }
        found
    }
}

/// Head minus base where a censored run counts as its horizon, and two censored runs as equal.
pub(super) fn restricted_difference(pair: Pair) -> i128 {
    if pair.base.is_censored() && pair.head.is_censored() {
        0
    } else {
        i128::from(pair.head.at_least()) - i128::from(pair.base.at_least())
    }
}

/// A difference relative to a base that is not negative.
pub(super) fn ratio(difference: i128, base: i128) -> Shift {
    match (base, difference) {
        (_, 0) => Shift::Finite(0.0),
        (0, 1..) => Shift::PlusInfinite,
        (0, _) => Shift::MinusInfinite,
        _ => Shift::Finite(difference as f64 / base as f64),
    }
}

/// Head minus base, where `None` is a time beyond the horizon.
pub(super) fn difference_of_quantiles(base: Option<u64>, head: Option<u64>) -> Shift {
    match (base, head) {
        (Some(base), Some(head)) => Shift::Finite((i128::from(head) - i128::from(base)) as f64),
        (Some(_), None) => Shift::PlusInfinite,
        (None, Some(_)) => Shift::MinusInfinite,
        (None, None) => Shift::Finite(0.0),
    }
}

/// Raw words of `ChaCha8`, keyed by seed and purpose.
pub(super) struct Draws {
    words: ChaCha8Rng,
}

impl Draws {
    /// The draws for a purpose of at most 24 bytes; what is longer is cut.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..].iter_mut().zip(purpose.bytes()).for_each(|(to, from)| *to = from);
        Self { words: ChaCha8Rng::from_seed(key) }
    }

    /// A number in `0..bound` by multiply and shift (Lemire 2019), with a bias below bound / 2^64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.words.next_u64()) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Convergence::{At, Censored};

    fn pairs(differences: &[i64]) -> Vec<Pair> {
        let pair = |&difference: &i64| Pair { base: At(1_000), head: At(1_000_u64.saturating_add_signed(difference)) };
        differences.iter().map(pair).collect()
    }

    fn limits(interval: Interval<Shift>) -> (f64, f64) {
        (interval.low.finite().expect("finite"), interval.high.finite().expect("finite"))
    }

    // scipy 1.17.1: bootstrap((d,), mean, n_resamples=100000, method="percentile", confidence_level=0.95 and 0.8,
    // random_state=1). Their resamples are others, so that the limits agree up to the noise of resampling.
    #[test]
    fn limits_of_a_mean_are_close_to_those_of_scipy() {
        let differences: Vec<i64> =
            (0..40).map(|i| if i % 3 == 0 { i * 11 % 7 - 2 } else { i * 37 % 41 - 17 }).collect();
        for (confidence, low, high) in [(0.95, 0.3, 6.125), (0.8, 1.275, 5.1)] {
            let resampling = Resampling { confidence, ..Resampling::default() };
            let mean = paired(&pairs(&differences), &[], resampling).expect("there are seeds").mean;
            let found = limits(mean);
            assert_eq!(mean.estimate, Shift::Finite(3.175));
            assert!((found.0 - low).abs() < 0.15 && (found.1 - high).abs() < 0.15, "{found:?}");
        }
    }

    /// All 4^4 resamples of four seeds say where the limits of many resamples must lie.
    #[test]
    fn limits_are_quantiles_of_all_resamples() {
        let differences = [0_i64, 1, 10, 100];
        let mut means: Vec<f64> = (0..256_usize)
            .map(|code| (0..4).map(|place| differences[code >> (2 * place) & 3]).sum::<i64>() as f64 / 4.0)
            .collect();
        means.sort_by(f64::total_cmp);
        let resampling = Resampling { confidence: 0.5, resamples: 50_000, ..Resampling::default() };
        let (low, high) = limits(paired(&pairs(&differences), &[], resampling).expect("there are seeds").mean);
        // A quarter of 256 is 64; the noise of 50,000 resamples is about half a resample of the 256.
        assert!(means[60] <= low && low <= means[67], "{low} {means:?}");
        assert!(means[188] <= high && high <= means[195], "{high} {means:?}");
    }

    #[test]
    fn results_are_a_function_of_the_seed() {
        let all = pairs(&[5, -3, 8, 13, -2, 0, 7, 1]);
        let with = |seed| paired(&all, &SHARES, Resampling { seed, resamples: 500, ..Resampling::default() });
        assert_eq!(with(1), with(1));
        let different = (2..20).filter(|&seed| with(seed) != with(1)).count();
        assert!(different > 10, "{different}");
        // Written down once: the same words on every platform.
        let mut draws = Draws::new(7, "bootstrap.paired");
        assert_eq!([(); 6].map(|()| draws.below(1_000)), DRAWN);
    }

    const DRAWN: [u64; 6] = [475, 698, 207, 344, 133, 438];

    #[test]
    fn identical_samples_differ_by_exactly_nothing() {
        let all: Vec<Pair> = (0..60)
            .map(|i| if i % 7 == 0 { Censored(500) } else { At(i * i % 97) })
            .map(|run| Pair { base: run, head: run })
            .collect();
        let result = paired(&all, &SHARES, Resampling { resamples: 300, ..Resampling::default() }).expect("seeds");
        let nothing = Interval { estimate: Shift::Finite(0.0), low: Shift::Finite(0.0), high: Shift::Finite(0.0) };
        assert_eq!((result.mean, result.relative), (nothing, nothing));
        assert!(result.quantiles.iter().all(|quantile| quantile.difference == nothing));
    }

    #[test]
    fn quantiles_that_one_version_does_not_reach_are_infinite() {
        let mut all = pairs(&[3; 40]);
        all.extend([Pair { base: At(900), head: Censored(5_000) }; 10]);
        let shares = [0.9, 0.5];
        let result = paired(&all, &shares, Resampling { resamples: 1_000, ..Resampling::default() }).expect("seeds");
        let [worse, median] = result.quantiles[..] else { panic!("two were asked for") };
        assert_eq!((worse.share.to_bits(), worse.difference.estimate), (0.9_f64.to_bits(), Shift::PlusInfinite));
        assert_eq!((median.difference.estimate, median.difference.high), (Shift::Finite(3.0), Shift::Finite(3.0)));
        // (40 * 3 + 10 * 4100) / 50 over (40 * 1000 + 10 * 900) / 50.
        assert_eq!(
            (result.mean.estimate, result.relative.estimate),
            (Shift::Finite(822.4), Shift::Finite(822.4 / 980.0))
        );
    }

    #[test]
    fn small_and_extreme_samples_are_defined() {
        assert_eq!(paired(&[], &SHARES, Resampling::default()), None);
        let zero = Pair { base: At(0), head: At(3) };
        let one = paired(&[zero], &[f64::NAN, 0.0, 1.0], Resampling { resamples: 0, seed: 1, confidence: f64::NAN });
        let one = one.expect("there is a seed");
        assert_eq!((one.relative.low, one.mean.high), (Shift::PlusInfinite, Shift::Finite(3.0)));
        assert_eq!(one.quantiles[2].difference.high, Shift::Finite(3.0));
        let censored = Pair { base: Censored(3), head: Censored(9) };
        let all =
            paired(&[censored; 5], &SHARES, Resampling { resamples: 10, seed: 1, confidence: 1.0 }).expect("seeds");
        assert_eq!((all.mean.low, all.quantiles[2].difference.high), (Shift::Finite(0.0), Shift::Finite(0.0)));
    }
}
