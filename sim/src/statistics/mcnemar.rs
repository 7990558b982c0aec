//! Does one version fail to converge on more seeds than the other?
//!
//! Invariant: only seeds on which the versions disagree count; exchanging the versions changes no p-value.
//!
//! ```
//! use sim::statistics::{Convergence::{At, Censored}, Pair, mcnemar::mcnemar};
//! let broken = Pair { base: At(10), head: Censored(100) };
//! assert_eq!(mcnemar(&[broken; 10]).p, 2.0 / 1024.0);
//! ```
//!
//! Deliberately absent: the chi-square approximation, which is worse and no simpler.

use super::{Pair, distributions::fair_coin_p};

/// The table of both versions and its p-value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Seeds on which both converged.
    pub both: u64,
    /// Seeds on which only base converged: what broke.
    pub only_base: u64,
    /// Seeds on which only head converged: what was mended.
    pub only_head: u64,
    /// Seeds on which neither converged.
    pub neither: u64,
    /// The two-sided p-value.
    pub p: f64,
}

/// The exact test of `McNemar` (1947): if the versions do not differ, each seed on which they disagree falls to either
/// side with one half, so that the smaller number is binomial. p is twice its tail, at most 1; 1 without disagreement.
///
/// ```
/// use sim::statistics::{Convergence::{At, Censored}, Pair, mcnemar::mcnemar};
/// let (broke, mended) = (Pair { base: At(1), head: Censored(9) }, Pair { base: Censored(9), head: At(1) });
/// let test = mcnemar(&[broke, broke, broke, mended]);
/// assert_eq!((test.only_base, test.only_head, test.p), (3, 1, 0.625));
/// ```
pub fn mcnemar(pairs: &[Pair]) -> McNemar {
    let count = |base: bool, head: bool| {
        let same = |pair: &&Pair| pair.base.is_censored() != base && pair.head.is_censored() != head;
        pairs.iter().filter(same).count() as u64
    };
    let (only_base, only_head) = (count(true, false), count(false, true));
    McNemar {
        both: count(true, true),
        only_base,
        only_head,
        neither: count(false, false),
        p: fair_coin_p(only_base, only_base + only_head),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Convergence::{At, Censored};
    use super::*;

    fn table(both: usize, only_base: usize, only_head: usize, neither: usize) -> Vec<Pair> {
        let mut pairs = vec![Pair { base: At(1), head: At(2) }; both];
        pairs.extend(vec![Pair { base: At(1), head: Censored(9) }; only_base]);
        pairs.extend(vec![Pair { base: Censored(9), head: At(2) }; only_head]);
        pairs.extend(vec![Pair { base: Censored(9), head: Censored(9) }; neither]);
        pairs
    }

    // statsmodels 0.15.0: mcnemar([[30, 12], [3, 5]], exact=True).pvalue.
    #[test]
    fn the_test_is_that_of_statsmodels() {
        let found = mcnemar(&table(30, 12, 3, 5));
        assert_eq!((found.both, found.only_base, found.only_head, found.neither), (30, 12, 3, 5));
        assert!((found.p - 0.035_156_25).abs() < 1e-14, "{found:?}");
    }

    #[test]
    fn p_is_the_share_of_all_outcomes_that_are_as_uneven() {
        for disagreements in 0..=10_u32 {
            for broke in 0..=disagreements {
                let uneven = broke.abs_diff(disagreements - broke);
                let of = |outcome: u32| outcome.count_ones().abs_diff(disagreements - outcome.count_ones());
                let as_uneven = (0..1_u32 << disagreements).filter(|&outcome| of(outcome) >= uneven).count();
                let found = mcnemar(&table(2, broke as usize, (disagreements - broke) as usize, 1)).p;
                let wanted = as_uneven as f64 / f64::from(1_u32 << disagreements);
                assert!((found - wanted).abs() < 1e-14, "{broke} of {disagreements}: {found} {wanted}");
            }
        }
    }

    #[test]
    fn without_disagreement_p_is_one() {
        for pairs in [vec![], table(5, 0, 0, 5), table(0, 0, 0, 1), table(0, 1, 0, 0), table(9, 4, 4, 9)] {
            assert_eq!(mcnemar(&pairs).p.to_bits(), 1.0_f64.to_bits());
        }
    }
}
