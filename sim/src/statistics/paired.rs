//! Two versions on the same seeds: is the difference more than chance?
//!
//! Under the hypothesis that the versions do not differ, every difference is as likely positive as negative. Both tests
//! ask how often signs thrown by a coin would lie as far to one side.
//!
//! Invariant: exchanging the versions changes no p-value, and identical samples have p = 1 and no difference. A seed on
//! which only one version converged counts with its sign and a magnitude above all others; a seed on which neither did
//! is a tie.
//!
//! ```
//! use sim::statistics::{Convergence::At, Pair, paired};
//! let pairs: Vec<_> = (1..=10).map(|seed| Pair { base: At(100 * seed), head: At(101 * seed) }).collect();
//! assert_eq!(paired::wilcoxon(&pairs).p, 2.0 / 1024.0);
//! assert_eq!(paired::sign_test(&pairs).p, 2.0 / 1024.0);
//! ```
//!
//! Deliberately absent: one-sided p-values (the direction stands beside the p) and the t-test, which censored runs do
//! not admit.

use super::{
    Difference, Pair, Shift,
    distributions::{fair_coin_p, normal_above},
};

/// How many seeds changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Seeds.
    pub total: u64,
    /// Seeds with another time, or that converged under one version only.
    pub changed: u64,
    /// Seeds that took longer under head.
    pub slower: u64,
    /// Seeds that took longer under base.
    pub faster: u64,
}

/// Counts the seeds whose time differs. The rest are ties: equal times, and seeds on which neither version converged.
///
/// ```
/// use sim::statistics::{Convergence::At, Pair, paired::changes};
/// let pairs = [(1, 1), (2, 3), (5, 4)].map(|(base, head)| Pair { base: At(base), head: At(head) });
/// assert_eq!((changes(&pairs).changed, changes(&pairs).slower), (2, 1));
/// ```
pub fn changes(pairs: &[Pair]) -> Changes {
    let slower = pairs.iter().filter(|pair| pair.difference() > Difference::Finite(0)).count() as u64;
    let faster = pairs.iter().filter(|pair| pair.difference() < Difference::Finite(0)).count() as u64;
    Changes { total: pairs.len() as u64, changed: slower + faster, slower, faster }
}

/// How a p-value came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// From the whole distribution.
    Exact,
    /// From a normal distribution with the same mean and variance.
    Normal,
}

/// The result of the signed-rank test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wilcoxon {
    /// The sum of the ranks of seeds that took longer under head.
    pub slower: f64,
    /// The sum of the ranks of seeds that took longer under base.
    pub faster: f64,
    /// The two-sided p-value.
    pub p: f64,
    /// Where it is from.
    pub method: Method,
}

/// Up to so many changed seeds, p comes from the whole distribution.
const EXACT_MAX: usize = 50;

/// Wilcoxon's signed-rank test (Wilcoxon 1945) with Pratt's treatment of ties (Pratt 1959): magnitudes are ranked with
/// the zeros among them, and the ranks of zeros are then left out. Equal magnitudes share their mean rank.
///
/// With at most 50 changed seeds p is exact, given the ranks: the share of all 2^m choices of signs whose rank sum is
/// as far to one side, doubled and at most 1. Beyond, the sum of positive ranks is taken as normal with mean Σ r / 2 and
/// variance Σ r² / 4, which is the correction for ties and zeros, and 1/2 as correction for continuity. p is 1 when no
/// seed changed.
///
/// ```
/// use sim::statistics::{Convergence::At, Pair, paired::wilcoxon};
/// let pairs = [(9, 9), (9, 11), (9, 8), (9, 12)].map(|(base, head)| Pair { base: At(base), head: At(head) });
/// // Differences 0, 2, -1, 3: the zero has rank 1, and the others 3, 2, 4.
/// let test = wilcoxon(&pairs);
/// assert_eq!((test.slower, test.faster, test.p), (7.0, 2.0, 0.5));
/// ```
pub fn wilcoxon(pairs: &[Pair]) -> Wilcoxon {
    let ranks = Ranks::of(pairs);
    let halves = |doubled: u64| doubled as f64 / 2.0;
    let (slower, faster) = (ranks.sum(true), ranks.sum(false));
    let (p, method) = if ranks.signed.len() <= EXACT_MAX {
        (ranks.exact_p(), Method::Exact)
    } else {
        (ranks.normal_p(), Method::Normal)
    };
    Wilcoxon { slower: halves(slower), faster: halves(faster), p, method }
}

/// Signed ranks of the seeds that changed.
pub(super) struct Ranks {
    /// Whether head took longer, and twice the rank among the changed seeds. The ranks of zeros come on top.
    signed: Vec<(bool, u64)>,
    /// How many seeds did not change.
    zeros: u64,
}

impl Ranks {
    pub(super) fn of(pairs: &[Pair]) -> Self {
        let mut magnitudes: Vec<(Difference, bool)> = pairs
            .iter()
            .map(|pair| pair.difference())
            .filter(|&difference| difference != Difference::Finite(0))
            .map(|difference| match difference {
                Difference::Finite(value) => (Difference::Finite(value.abs()), value > 0),
                Difference::PlusInfinite => (Difference::PlusInfinite, true),
                Difference::MinusInfinite => (Difference::PlusInfinite, false),
            })
            .collect();
        magnitudes.sort_unstable();
        let zeros = (pairs.len() - magnitudes.len()) as u64;
        let mut signed = Vec::with_capacity(magnitudes.len());
        for same in magnitudes.chunk_by(|a, b| a.0 == b.0) {
            // Twice the mean of the ranks that follow, from the first to the last of the equal ones.
            let first = signed.len() as u64 + 1;
            let last = (signed.len() + same.len()) as u64;
            signed.extend(same.iter().map(|(_, slower)| (*slower, first + last)));
        }
        Self { signed, zeros }
    }

    /// Twice the sum of the ranks with this sign, with those of zeros below them.
    pub(super) fn sum(&self, slower: bool) -> u64 {
        self.signed.iter().filter(|(sign, _)| *sign == slower).map(|(_, doubled)| doubled + 2 * self.zeros).sum()
    }

    /// The exact p. Choices of signs are counted by how many are positive and by the sum of their ranks among the
    /// changed seeds, so that the work does not depend on how many seeds did not change.
    fn exact_p(&self) -> f64 {
        let total: u64 = self.signed.iter().map(|(_, doubled)| doubled).sum();
        let width = total as usize + 1;
        let mut choices = vec![0_u64; (self.signed.len() + 1) * width];
        choices[0] = 1;
        for (before, (_, doubled)) in self.signed.iter().enumerate() {
            let doubled = *doubled as usize;
            for positive in (0..=before).rev() {
                let (from, to) = choices.split_at_mut((positive + 1) * width);
                let from = &from[positive * width..];
                for sum in 0..width - doubled {
                    to[sum + doubled] += from[sum];
                }
            }
        }
        let observed = self.sum(true);
        let (mut below, mut above) = (0_u64, 0_u64);
        for (positive, row) in choices.chunks(width).enumerate() {
            for (sum, &count) in row.iter().enumerate() {
                let rank_sum = sum as u64 + 2 * self.zeros * positive as u64;
                below += if rank_sum <= observed { count } else { 0 };
                above += if rank_sum >= observed { count } else { 0 };
            }
        }
        let all = (1_u64 << self.signed.len()) as f64;
        (2.0 * below.min(above) as f64 / all).min(1.0)
    }

    /// The approximate p.
    fn normal_p(&self) -> f64 {
        let ranks = self.signed.iter().map(|(_, doubled)| (doubled + 2 * self.zeros) as f64 / 2.0);
        let variance: f64 = ranks.map(|rank| rank * rank / 4.0).sum();
        // Half the difference of the two sums is the distance from the mean.
        let distance = self.sum(true).abs_diff(self.sum(false)) as f64 / 4.0;
        let z = if variance > 0.0 { (distance - 0.5).max(0.0) / libm::sqrt(variance) } else { 0.0 };
        (2.0 * normal_above(z)).min(1.0)
    }
}

/// The result of the sign test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignTest {
    /// Seeds that took longer under head.
    pub slower: u64,
    /// Seeds that took longer under base.
    pub faster: u64,
    /// The two-sided p-value.
    pub p: f64,
}

/// The sign test (Dixon and Mood 1946): the number of slower seeds among the changed ones is binomial with one half; p
/// is exact. Without changed seeds it is 1.
///
/// ```
/// use sim::statistics::{Convergence::At, Pair, paired::sign_test};
/// let slower = Pair { base: At(9), head: At(10) };
/// assert_eq!(sign_test(&[slower; 5]).p, 0.0625);
/// ```
pub fn sign_test(pairs: &[Pair]) -> SignTest {
    let Changes { slower, faster, .. } = changes(pairs);
    SignTest { slower, faster, p: fair_coin_p(slower, slower + faster) }
}

/// Stands for an infinite difference: above all finite ones, which lie within 2^64, and exact when summed.
const INFINITE: i128 = 1 << 100;

/// The estimate of Hodges and Lehmann (1963) of how much longer head takes: the median of the means of all pairs of
/// differences, each with itself included. `None` without seeds.
///
/// An infinite difference outweighs finite ones and cancels its opposite. The median is found by bisection on its value,
/// counting the means below in O(n), instead of by writing down n (n + 1) / 2 means.
///
/// ```
/// use sim::statistics::{Convergence::At, Pair, Shift, paired::hodges_lehmann};
/// let pair = |difference: u64| Pair { base: At(100), head: At(100 + difference) };
/// // The means are 1, 1.5, 2, 5, 5.5, 9.
/// assert_eq!(hodges_lehmann(&[pair(1), pair(2), pair(9)]), Some(Shift::Finite(3.5)));
/// ```
pub fn hodges_lehmann(pairs: &[Pair]) -> Option<Shift> {
    let mut differences: Vec<i128> = pairs
        .iter()
        .map(|pair| match pair.difference() {
            Difference::MinusInfinite => -INFINITE,
            Difference::Finite(value) => value,
            Difference::PlusInfinite => INFINITE,
        })
        .collect();
    differences.sort_unstable();
    let count = differences.len() as u64;
    if count == 0 {
        return None;
    }
    let sums = count * (count + 1) / 2;
    let total = sum_of_rank(&differences, sums.div_ceil(2)) + sum_of_rank(&differences, sums / 2 + 1);
    Some(if total >= INFINITE / 2 {
        Shift::PlusInfinite
    } else if total <= -INFINITE / 2 {
        Shift::MinusInfinite
    } else {
        // Two sums of two differences.
        Shift::Finite(total as f64 / 4.0)
    })
}

/// The sum at a rank from 1 among the sums of all two elements of a sorted list, each with itself included.
fn sum_of_rank(sorted: &[i128], rank: u64) -> i128 {
    let (mut low, mut high) = (2 * sorted[0], 2 * sorted[sorted.len() - 1]);
    while low < high {
        // Shifting rounds down, below zero too.
        let middle = (low + high) >> 1;
        if sums_up_to(sorted, middle) >= rank {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// How many sums are at most `limit`. As the first summand rises, the last possible second one falls.
fn sums_up_to(sorted: &[i128], limit: i128) -> u64 {
    let (mut count, mut end) = (0, sorted.len());
    for (first, value) in sorted.iter().enumerate() {
        while end > first && value + sorted[end - 1] > limit {
            end -= 1;
        }
        if end <= first {
            break;
        }
        count += (end - first) as u64;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::Convergence::{self, At, Censored};
    use super::*;
    use proptest::prelude::*;

    const FEW: [i64; 12] = [3, -1, 7, 12, -5, 9, 20, -2, 15, 4, -11, 6];
    const TIED: [i64; 12] = [0, 0, 1, 1, -1, 2, 3, 3, -2, 5, 0, 8];

    fn many() -> Vec<i64> {
        (0..90).map(|i| if i % 3 == 0 { i * 11 % 7 - 2 } else { i * 37 % 41 - 17 }).collect()
    }

    fn pairs(differences: &[i64]) -> Vec<Pair> {
        let pair = |&difference: &i64| Pair { base: At(1_000), head: At(1_000_u64.saturating_add_signed(difference)) };
        differences.iter().map(pair).collect()
    }

    // scipy 1.17.1: wilcoxon(d, mode="exact"); wilcoxon(d, zero_method="pratt", method=PermutationMethod(10**6));
    // wilcoxon(d, zero_method="pratt", correction=True, method="approx").
    #[test]
    fn signed_ranks_are_those_of_scipy() {
        let few = wilcoxon(&pairs(&FEW));
        assert!((few.p - 0.092_285_156_25).abs() < 1e-15 && few.method == Method::Exact, "{few:?}");
        assert_eq!((few.faster as u64, few.slower as u64), (17, 61));
        let tied = wilcoxon(&pairs(&TIED));
        assert!((tied.p - 0.074_218_75).abs() < 1e-15 && tied.method == Method::Exact, "{tied:?}");
        assert_eq!((tied.faster * 2.0) as u64, 25);
        let many = wilcoxon(&pairs(&many()));
        assert!((many.p - 0.023_249_590_742_295_15).abs() < 1e-10 && many.method == Method::Normal, "{many:?}");
        assert_eq!(many.faster as u64, 1_473);
    }

    // scipy 1.17.1: binomtest(k, n).pvalue.
    #[test]
    fn the_sign_test_is_that_of_scipy() {
        for (faster, slower, p) in
            [(4, 8, 0.387_695_312_5), (3, 14, 0.012_725_830_078_125), (410, 590, 1.384_527_493_784_249_5e-8)]
        {
            let mut differences = vec![-1; faster];
            differences.extend(vec![1; slower]);
            differences.push(0);
            assert!((sign_test(&pairs(&differences)).p - p).abs() < 1e-10 * p);
        }
    }

    // numpy 2.4.6: the median of (d[i] + d[j]) / 2 over i <= j.
    #[test]
    fn the_estimate_of_hodges_and_lehmann_is_the_median_of_means() {
        for (differences, median) in [(FEW.to_vec(), 5.0), (TIED.to_vec(), 1.5), (many(), 2.0)] {
            assert_eq!(hodges_lehmann(&pairs(&differences)), Some(Shift::Finite(median)));
        }
    }

    /// The normal approximation is close where both can be computed.
    #[test]
    fn exact_and_normal_p_agree_where_they_meet() {
        for shift in 0..12 {
            let differences: Vec<i64> = (1..=50).map(|i| (i * 29 % 53) - 26 + shift).collect();
            let ranks = Ranks::of(&pairs(&differences));
            let (exact, normal) = (ranks.exact_p(), ranks.normal_p());
            assert!((exact - normal).abs() < 0.005, "{shift}: {exact} {normal}");
        }
    }

    #[test]
    fn what_only_one_version_reaches_outranks_everything() {
        let (slow, broken) = (Pair { base: At(1), head: At(u64::MAX) }, Pair { base: Censored(9), head: At(0) });
        let test = wilcoxon(&[slow, broken, Pair { base: Censored(1), head: Censored(2) }]);
        // Pratt's ranks: the tie has 1, the slow seed 2, the broken one 3.
        assert_eq!((test.slower as u64, test.faster as u64), (2, 3));
        assert_eq!(hodges_lehmann(&[broken, broken, slow]), Some(Shift::MinusInfinite));
        assert_eq!(hodges_lehmann(&[broken, broken.exchanged()]), Some(Shift::Finite(0.0)));
        assert_eq!(hodges_lehmann(&[broken.exchanged()]), Some(Shift::PlusInfinite));
    }

    #[test]
    fn nothing_and_nothing_changed_are_defined() {
        let tie = Pair { base: Censored(1), head: Censored(1) };
        for all in [vec![], vec![Pair { base: At(3), head: At(3) }], vec![tie; 200]] {
            let (ranks, signs) = (wilcoxon(&all), sign_test(&all));
            assert_eq!((ranks.p.to_bits(), signs.p.to_bits()), (1.0_f64.to_bits(), 1.0_f64.to_bits()));
            assert_eq!((changes(&all).changed, changes(&all).total), (0, all.len() as u64));
            assert_eq!(hodges_lehmann(&all), (!all.is_empty()).then_some(Shift::Finite(0.0)));
        }
        assert_eq!(wilcoxon(&pairs(&[5])).p.to_bits(), 1.0_f64.to_bits());
        let same = wilcoxon(&pairs(&[5; 100]));
        assert!(same.p > 0.0 && same.p < 1e-20, "{same:?}");
    }

    fn run() -> impl Strategy<Value = Convergence> {
        prop_oneof![4 => (0..6_u64).prop_map(At), 1 => Just(Censored(9))]
    }

    fn some_pairs(max: usize) -> impl Strategy<Value = Vec<Pair>> {
        prop::collection::vec((run(), run()).prop_map(|(base, head)| Pair { base, head }), 0..max)
    }

    /// p by throwing all signs, with ranks by their definition.
    fn p_of_all_signs(all: &[Pair]) -> f64 {
        let magnitude = |pair: &Pair| match pair.difference() {
            Difference::Finite(value) => value.unsigned_abs(),
            _ => u128::MAX,
        };
        let doubled_rank = |own: &Pair| {
            let below = all.iter().filter(|pair| magnitude(pair) < magnitude(own)).count();
            let equal = all.iter().filter(|pair| magnitude(pair) == magnitude(own)).count();
            2 * below + equal + 1
        };
        let changed: Vec<&Pair> = all.iter().filter(|pair| magnitude(pair) > 0).collect();
        let ranks: Vec<usize> = changed.iter().map(|pair| doubled_rank(pair)).collect();
        let sum = |signs: u32| -> usize {
            ranks.iter().enumerate().filter(|(place, _)| signs >> place & 1 == 1).map(|(_, rank)| rank).sum()
        };
        let slower = |(place, pair): (usize, &&Pair)| u32::from(pair.difference() > Difference::Finite(0)) << place;
        let observed = sum(changed.iter().enumerate().map(slower).sum());
        let all_signs = 1_u32 << changed.len();
        let below = (0..all_signs).filter(|&signs| sum(signs) <= observed).count();
        let above = (0..all_signs).filter(|&signs| sum(signs) >= observed).count();
        (2.0 * below.min(above) as f64 / f64::from(all_signs)).min(1.0)
    }

    #[test]
    fn exact_p_is_that_of_all_signs_for_every_small_sample() {
        // All samples of up to five differences of -2..=2 and both infinities.
        let kinds: Vec<Pair> = pairs(&[-2, -1, 0, 1, 2])
            .into_iter()
            .chain([Pair { base: At(1), head: Censored(9) }, Pair { base: Censored(9), head: At(1) }])
            .collect();
        for size in 0..=5_u32 {
            for code in 0..kinds.len().pow(size) {
                let all: Vec<Pair> =
                    (0..size).map(|place| kinds[code / kinds.len().pow(place) % kinds.len()]).collect();
                assert_eq!(wilcoxon(&all).p.to_bits(), p_of_all_signs(&all).to_bits(), "{all:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn exact_p_is_that_of_all_signs(all in some_pairs(13)) {
            prop_assert_eq!(wilcoxon(&all).p.to_bits(), p_of_all_signs(&all).to_bits());
        }

        #[test]
        fn neither_the_order_of_seeds_nor_that_of_versions_matters(
            (all, shuffled) in some_pairs(90).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            let exchanged: Vec<Pair> = all.iter().map(|pair| pair.exchanged()).collect();
            prop_assert_eq!(wilcoxon(&all).p.to_bits(), wilcoxon(&exchanged).p.to_bits());
            prop_assert_eq!(sign_test(&all).p.to_bits(), sign_test(&exchanged).p.to_bits());
            prop_assert_eq!(wilcoxon(&all), wilcoxon(&shuffled));
            prop_assert_eq!(sign_test(&all), sign_test(&shuffled));
            prop_assert_eq!(changes(&all), changes(&shuffled));
            prop_assert_eq!(hodges_lehmann(&all), hodges_lehmann(&shuffled));
            prop_assert!((0.0..=1.0).contains(&wilcoxon(&all).p));
        }

        #[test]
        fn the_median_of_means_is_found_by_writing_them_down(differences in prop::collection::vec(-30..30_i64, 1..25)) {
            let mut sums: Vec<i64> = Vec::new();
            for (place, first) in differences.iter().enumerate() {
                sums.extend(differences[place..].iter().map(|second| first + second));
            }
            sums.sort_unstable();
            let total = sums[(sums.len() - 1) / 2] + sums[sums.len() / 2];
            prop_assert_eq!(hodges_lehmann(&pairs(&differences)), Some(Shift::Finite(total as f64 / 4.0)));
        }
    }
}
