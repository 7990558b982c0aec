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
pub fn relative_quantile(pairs: &[Pair], share: f64) -> Shift {
    let base: Vec<_> = pairs.iter().map(|pair| pair.base).collect();
    let head: Vec<_> = pairs.iter().map(|pair| pair.head).collect();
    match (quantile(&base, share), quantile(&head, share)) {
        (Some(base), Some(head)) => ratio(i128::from(head) - i128::from(base), i128::from(base)),
        (base, head) => difference_of_quantiles(base, head),
    }
}
