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
