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

/// The exact test of McNemar (1947): if the versions do not differ, each seed on which they disagree falls to either
/// side with one half, so that the smaller number is binomial. p is twice its tail, at most 1; 1 without disagreement.
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
