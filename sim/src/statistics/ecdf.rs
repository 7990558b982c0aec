//! The empirical distribution: how many runs have converged after a time.
//!
//! Invariant: steps rise in time and in count, and end at the number of runs that converged.
//!
//! ```
//! use sim::statistics::{Convergence::{At, Censored}, ecdf::Ecdf};
//! let ecdf = Ecdf::of(&[At(20), At(10), At(20), Censored(50)]);
//! assert_eq!(ecdf.steps, [(10, 1), (20, 3)]);
//! assert_eq!(ecdf.share_at(20), 0.75);
//! ```
//!
//! Deliberately absent: sketches that merge. Buckets of counts merge by addition, which is no join: merged twice, a part
//! counts twice. Sweeps are small enough to keep every time.

use super::{Convergence, unit};

/// The empirical distribution function of a sample. A censored run counts among all and never among the converged; when
/// horizons differ, use [`Curve`](super::survival::Curve) instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ecdf {
    /// Times in ascending order, each with the number of runs that had converged then.
    pub steps: Vec<(u64, u64)>,
    /// How many runs there are, the censored included.
    pub count: u64,
}

impl Ecdf {
    /// The distribution of a sample.
    pub fn of(sample: &[Convergence]) -> Self {
        let mut ended: Vec<u64> = sample.iter().filter_map(|run| run.ended()).collect();
        ended.sort_unstable();
        let mut passed = 0;
        let step = |same: &[u64]| {
            passed += same.len() as u64;
            (same[0], passed)
        };
        Self { steps: ended.chunk_by(|a, b| a == b).map(step).collect(), count: sample.len() as u64 }
    }

    /// The share of runs that had converged at `time`: #{i : tᵢ <= time} / n. 0 for an empty sample.
    ///
    /// ```
    /// use sim::statistics::{Convergence::{At, Censored}, ecdf::Ecdf};
    /// assert_eq!(Ecdf::of(&[At(3), Censored(9)]).share_at(3), 0.5);
    /// ```
    pub fn share_at(&self, time: u64) -> f64 {
        let passed = self.steps.partition_point(|(at, _)| *at <= time);
        let ended = passed.checked_sub(1).map_or(0, |last| self.steps[last].1);
        if self.count == 0 { 0.0 } else { ended as f64 / self.count as f64 }
    }

    /// The half width of a band around all of the function that holds the true one, √(ln(2 / α) / (2 n)) (Dvoretzky,
    /// Kiefer and Wolfowitz 1956, with the constant of Massart 1990). At most 1, also for an empty sample.
    ///
    /// ```
    /// use sim::statistics::{Convergence::At, ecdf::Ecdf};
    /// let sample: Vec<_> = (0..200).map(At).collect();
    /// assert!((Ecdf::of(&sample).band(0.95) - 0.096_032).abs() < 1e-6);
    /// ```
    pub fn band(&self, confidence: f64) -> f64 {
        let error = 1.0 - unit(confidence);
        if self.count == 0 || error <= 0.0 {
            return 1.0;
        }
        libm::sqrt(libm::log(2.0 / error) / (2.0 * self.count as f64)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Convergence::{At, Censored};

    #[test]
    fn shares_count_all_runs() {
        let ecdf = Ecdf::of(&[At(5), Censored(9), At(3), At(5)]);
        let quarters = [2, 3, 4, 5, 100].map(|time| (4.0 * ecdf.share_at(time)) as u64);
        assert_eq!(quarters, [0, 1, 1, 3, 3]);
    }

    #[test]
    fn without_censoring_it_mirrors_the_survival_curve() {
        let sample: Vec<_> = (0..50_u64).map(|i| At(i * i % 31)).collect();
        let (ecdf, curve) = (Ecdf::of(&sample), super::super::survival::Curve::of(&sample));
        for time in 0..40 {
            let survival = curve.survival_at(time).expect("all converged");
            assert!((ecdf.share_at(time) + survival - 1.0).abs() < 1e-12, "{time}");
        }
    }

    #[test]
    fn extremes_are_defined() {
        let (none, one) = (Ecdf::of(&[]), Ecdf::of(&[Censored(3)]));
        assert_eq!((none.steps.len(), one.steps.len(), one.count), (0, 0, 1));
        assert_eq!([none.share_at(9), one.share_at(9)].map(f64::to_bits), [0; 2]);
        let bands = [none.band(0.95), one.band(0.95), one.band(1.0), Ecdf::of(&[At(1); 9]).band(1.0)];
        assert_eq!(bands.map(f64::to_bits), [1.0_f64.to_bits(); 4]);
    }
}
