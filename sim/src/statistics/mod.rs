//! Statistics of times to convergence: what a set of seeds says, and what it does not.
//!
//! A run either converges, or its horizon comes first and the time is right-censored: [`Convergence`]. Censored runs are
//! never dropped, since dropping them makes a broken protocol look faster. Two versions of a protocol are compared on
//! the same seeds, run by run: [`Pair`].
//!
//! ```
//! use sim::statistics::{Convergence, Pair, paired};
//! let pairs = [
//!     Pair { base: Convergence::At(100), head: Convergence::At(103) },
//!     Pair { base: Convergence::At(200), head: Convergence::Censored(1_000) },
//!     Pair { base: Convergence::Censored(1_000), head: Convergence::Censored(1_000) },
//! ];
//! let changes = paired::changes(&pairs);
//! assert_eq!((changes.changed, changes.slower, changes.total), (2, 2, 3));
//! ```
//!
//! Invariant: every result is a function of the arguments alone, with the same bits on every platform. Beyond the four
//! basic operations floats use `libm` only, and sums run in the order of the input or in sorted order. No argument
//! leads to a panic or to a NaN; what is undefined is `None`, and each function says when. Numbers that ought to lie in
//! 0..=1 are clamped to it, and a NaN among them counts as 0.
//!
//! Deliberately absent: input and output, clocks, threads, unpaired comparisons of means (they cannot see what pairs
//! show), and sketches of distributions: a sweep of some thousand seeds is small enough to be exact.

pub mod bootstrap;
pub mod distributions;
pub mod ecdf;
pub mod effect;
pub mod failures;
pub mod mcnemar;
pub mod multiple;
pub mod paired;
pub mod quantiles;
pub mod survival;

#[cfg(test)]
mod calibration;

use std::cmp::Ordering;

/// The time to convergence of one run, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Convergence {
    /// Converged after this time.
    At(u64),
    /// Had not converged when it was last looked at, after this time.
    Censored(u64),
}

impl Convergence {
    /// The time, if the run converged.
    pub fn ended(self) -> Option<u64> {
        match self {
            Self::At(time) => Some(time),
            Self::Censored(_) => None,
        }
    }

    /// The time that the run certainly took: to convergence, or to the end of observation.
    pub fn at_least(self) -> u64 {
        match self {
            Self::At(time) | Self::Censored(time) => time,
        }
    }

    /// Whether the run had not converged.
    pub fn is_censored(self) -> bool {
        matches!(self, Self::Censored(_))
    }

    /// The order in which a censored run took longer than all that converged, and as long as all other censored ones.
    ///
    /// ```
    /// use sim::statistics::Convergence;
    /// assert!(Convergence::Censored(5).compare(Convergence::At(9)).is_gt());
    /// assert!(Convergence::Censored(5).compare(Convergence::Censored(9)).is_eq());
    /// ```
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::At(own), Self::At(others)) => own.cmp(&others),
            _ => self.is_censored().cmp(&other.is_censored()),
        }
    }
}

/// One seed under two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The run of the version that is compared with.
    pub base: Convergence,
    /// The run of the version that is judged.
    pub head: Convergence,
}

impl Pair {
    /// Head minus base. If only one converged the difference is infinite; if neither did, it is zero.
    ///
    /// ```
    /// use sim::statistics::{Convergence, Difference, Pair};
    /// let worse = Pair { base: Convergence::At(5), head: Convergence::Censored(9) };
    /// assert_eq!(worse.difference(), Difference::PlusInfinite);
    /// ```
    pub fn difference(self) -> Difference {
        match (self.base, self.head) {
            (Convergence::At(base), Convergence::At(head)) => Difference::Finite(i128::from(head) - i128::from(base)),
            (Convergence::At(_), Convergence::Censored(_)) => Difference::PlusInfinite,
            (Convergence::Censored(_), Convergence::At(_)) => Difference::MinusInfinite,
            (Convergence::Censored(_), Convergence::Censored(_)) => Difference::Finite(0),
        }
    }

    /// The same seed with the versions exchanged.
    #[must_use]
    pub fn exchanged(self) -> Self {
        Self { base: self.head, head: self.base }
    }
}

/// Head minus base of one seed, exact, in nanoseconds. The order is that of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// Only head converged.
    MinusInfinite,
    /// Both converged, or neither did (zero).
    Finite(i128),
    /// Only base converged.
    PlusInfinite,
}

/// An estimated difference between two versions. The order is that of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Shift {
    /// Only head gets there.
    MinusInfinite,
    /// A difference, never NaN.
    Finite(f64),
    /// Only base gets there.
    PlusInfinite,
}

impl Shift {
    /// The number, if there is one.
    pub fn finite(self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(value),
            Self::MinusInfinite | Self::PlusInfinite => None,
        }
    }

    /// A total order, for sorting.
    pub fn compare(self, other: Self) -> Ordering {
        self.partial_cmp(&other).unwrap_or(Ordering::Equal)
    }
}

/// An estimate with its confidence limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval<T> {
    /// The estimate.
    pub estimate: T,
    /// The lower limit.
    pub low: T,
    /// The upper limit.
    pub high: T,
}

/// A number that ought to lie in 0..=1: clamped, and 0 for NaN.
fn unit(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.clamp(0.0, 1.0) }
}

/// The nearest rank, from 1, of the `share`-quantile of `count` values: ⌈share · count⌉, and at least 1.
///
/// The product is lowered by four units in the last place, so that 0.07 · 100 is 7 and not a little more.
fn nearest_rank(share: f64, count: usize) -> usize {
    let rank = (unit(share) * count as f64 * (1.0 - 4.0 * f64::EPSILON)).ceil();
    (rank as usize).clamp(1, count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_ranks_are_those_of_exact_fractions() {
        for count in 1..=400_usize {
            for percent in 1..=100_usize {
                let exact = (count * percent).div_ceil(100);
                assert_eq!(nearest_rank(percent as f64 / 100.0, count), exact, "{percent} % of {count}");
            }
        }
        assert_eq!((nearest_rank(f64::NAN, 5), nearest_rank(2.0, 5), nearest_rank(0.5, 0)), (1, 5, 1));
    }

    #[test]
    fn exchanging_the_versions_negates_the_difference() {
        let pair = Pair { base: Convergence::At(u64::MAX), head: Convergence::At(0) };
        assert_eq!(pair.difference(), Difference::Finite(-i128::from(u64::MAX)));
        assert_eq!(pair.exchanged().difference(), Difference::Finite(i128::from(u64::MAX)));
        let pair = Pair { base: Convergence::Censored(1), head: Convergence::At(0) };
        assert_eq!(pair.difference(), Difference::MinusInfinite);
        assert_eq!(pair.exchanged().difference(), Difference::PlusInfinite);
    }

    #[test]
    fn the_order_of_shifts_is_that_of_numbers() {
        let mut shifts = [Shift::PlusInfinite, Shift::Finite(1.0), Shift::MinusInfinite, Shift::Finite(-1.0)];
        shifts.sort_by(|a, b| a.compare(*b));
        assert_eq!(shifts, [Shift::MinusInfinite, Shift::Finite(-1.0), Shift::Finite(1.0), Shift::PlusInfinite]);
    }
}
