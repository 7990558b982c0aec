//! How large a difference is, beside how certain.
//!
//! Invariant: identical samples have effect 0, exchanging the versions negates a rank effect, and rank effects lie in
//! -1..=1. Positive means that head takes longer.
//!
//! ```
//! use sim::statistics::{Convergence::At, Pair, effect};
//! let pair = |base, head| Pair { base: At(base), head: At(head) };
//! // Ranks 1, 2, 3, of which 1 speaks for base.
//! let pairs = [pair(10, 9), pair(10, 12), pair(10, 13)];
//! assert_eq!(effect::rank_biserial(&pairs), 4.0 / 6.0);
//! ```
//!
//! Deliberately absent: effects in units of a standard deviation, which censored runs do not have, and verbal labels.

use super::{
    Convergence, Pair, Shift,
    bootstrap::{difference_of_quantiles, ratio, restricted_difference},
    paired::Ranks,
    quantiles::quantile,
};

/// The matched-pairs rank-biserial correlation, (R₊ - R₋) / (R₊ + R₋) of the signed ranks with Pratt's ties (King and
/// Minium 2003; Kerby 2014). 0 when no seed changed.
///
/// ```
/// use sim::statistics::{Convergence::{At, Censored}, Pair, effect::rank_biserial};
/// assert_eq!(rank_biserial(&[Pair { base: At(1), head: Censored(9) }]), 1.0);
/// ```
pub fn rank_biserial(pairs: &[Pair]) -> f64 {
    let ranks = Ranks::of(pairs);
    let (slower, faster) = (ranks.sum(true), ranks.sum(false));
    let all = slower + faster;
    if all == 0 { 0.0 } else { (i128::from(slower) - i128::from(faster)) as f64 / all as f64 }
}

/// Cliff's delta of two samples (Cliff 1993): P(head longer) - P(head shorter) for a run of each, drawn independently. A
/// censored run is longer than all that converged, and as long as other censored ones. 0 when a sample is empty.
///
/// ```
/// use sim::statistics::{Convergence::{At, Censored}, effect::cliffs_delta};
/// assert_eq!(cliffs_delta(&[At(1), At(2)], &[At(2), Censored(9)]), 0.75);
/// ```
pub fn cliffs_delta(base: &[Convergence], head: &[Convergence]) -> f64 {
    let mut sorted = base.to_vec();
    sorted.sort_by(|a, b| a.compare(*b));
    let mut dominance = 0_i128;
    for run in head {
        let shorter = sorted.partition_point(|other| other.compare(*run).is_lt());
        let up_to = sorted.partition_point(|other| other.compare(*run).is_le());
        dominance += shorter as i128 - (sorted.len() - up_to) as i128;
    }
    let all = base.len() as f64 * head.len() as f64;
    if all > 0.0 { dominance as f64 / all } else { 0.0 }
}

/// The mean difference relative to the mean of base, with censored runs at their horizon; see
/// [`Bootstrap::relative`](super::bootstrap::Bootstrap::relative), which adds the interval. 0 without seeds.
///
/// ```
/// use sim::statistics::{Convergence::At, Pair, Shift, effect::relative_mean};
/// assert_eq!(relative_mean(&[Pair { base: At(100), head: At(102) }]), Shift::Finite(0.02));
/// ```
pub fn relative_mean(pairs: &[Pair]) -> Shift {
    let difference = pairs.iter().map(|pair| restricted_difference(*pair)).sum();
    ratio(difference, pairs.iter().map(|pair| i128::from(pair.base.at_least())).sum())
}

/// The change of a quantile relative to that of base. Infinite when the quantile is unknown under one version only, or
/// base is 0; 0 when it is unknown under both.
///
/// ```
/// use sim::statistics::{Convergence::At, Pair, Shift, effect::relative_quantile};
/// assert_eq!(relative_quantile(&[Pair { base: At(200), head: At(203) }], 0.5), Shift::Finite(0.015));
/// ```
pub fn relative_quantile(pairs: &[Pair], share: f64) -> Shift {
    let base: Vec<_> = pairs.iter().map(|pair| pair.base).collect();
    let head: Vec<_> = pairs.iter().map(|pair| pair.head).collect();
    match (quantile(&base, share), quantile(&head, share)) {
        (Some(base), Some(head)) => ratio(i128::from(head) - i128::from(base), i128::from(base)),
        (base, head) => difference_of_quantiles(base, head),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Convergence::{At, Censored};
    use proptest::prelude::*;

    // scipy 1.17.1: 2 * mannwhitneyu(head, base).statistic / (len(base) * len(head)) - 1.
    #[test]
    fn cliffs_delta_is_that_of_scipy() {
        let (base, head) = ([1, 2, 2, 5, 7, 9].map(At), [2, 3, 5, 5, 8, 8, 12].map(At));
        assert!((cliffs_delta(&base, &head) - 1.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn extremes_are_defined() {
        let broken = Pair { base: At(0), head: Censored(9) };
        let tie = Pair { base: Censored(3), head: Censored(9) };
        for (pairs, rank, relative) in [
            (vec![], 0.0, Shift::Finite(0.0)),
            (vec![tie; 3], 0.0, Shift::Finite(0.0)),
            (vec![broken], 1.0, Shift::PlusInfinite),
            (vec![broken.exchanged()], -1.0, Shift::Finite(-1.0)),
            (vec![broken, broken.exchanged()], 0.0, Shift::Finite(0.0)),
        ] {
            assert_eq!(rank_biserial(&pairs).to_bits() << 1, f64::to_bits(rank) << 1, "{pairs:?}");
            assert_eq!(rank_biserial(&pairs) < 0.0, rank < 0.0);
            assert_eq!(relative_mean(&pairs), relative, "{pairs:?}");
        }
        let without = [cliffs_delta(&[], &[At(1)]), cliffs_delta(&[Censored(1); 2], &[Censored(2)])];
        assert_eq!(without.map(f64::to_bits), [0; 2]);
        assert_eq!(relative_quantile(&[broken], 0.5), Shift::PlusInfinite);
        assert_eq!(relative_quantile(&[tie], 0.5), Shift::Finite(0.0));
        assert_eq!(relative_quantile(&[Pair { base: At(200), head: At(203) }], 0.5), Shift::Finite(0.015));
    }

    fn run() -> impl Strategy<Value = Convergence> {
        prop_oneof![4 => (0..9_u64).prop_map(At), 1 => Just(Censored(9))]
    }

    proptest! {
        #[test]
        fn delta_counts_all_pairs(base in prop::collection::vec(run(), 1..15), head in prop::collection::vec(run(), 1..15)) {
            let count: i32 = head.iter().flat_map(|h| base.iter().map(|b| h.compare(*b) as i32)).sum();
            let found = cliffs_delta(&base, &head);
            prop_assert_eq!(found.to_bits(), (f64::from(count) / (base.len() * head.len()) as f64).to_bits());
            prop_assert!((found + cliffs_delta(&head, &base)).abs() < 1e-15);
        }

        #[test]
        fn exchanging_the_versions_negates(pairs in prop::collection::vec((run(), run()), 0..15)) {
            let pairs: Vec<Pair> = pairs.into_iter().map(|(base, head)| Pair { base, head }).collect();
            let exchanged: Vec<Pair> = pairs.iter().map(|pair| pair.exchanged()).collect();
            let found = rank_biserial(&pairs);
            prop_assert!((-1.0..=1.0).contains(&found) && (found + rank_biserial(&exchanged)).abs() < 1e-15);
        }
    }
}
