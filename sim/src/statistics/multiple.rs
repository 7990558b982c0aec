//! Many questions at once: one in a hundred tests fires at one percent though nothing changed.
//!
//! Invariant: an adjusted p-value is at least the raw one and at most 1, and their order is kept.
//!
//! ```
//! use sim::statistics::multiple::holm;
//! let adjusted = holm(&[("partition", 0.01), ("loss", 0.04), ("churn", 0.03)]);
//! let rounded: Vec<_> = adjusted.iter().map(|test| (test.name, (test.adjusted * 1e6).round() / 1e6)).collect();
//! assert_eq!(rounded, [("partition", 0.03), ("loss", 0.06), ("churn", 0.06)]);
//! ```
//!
//! Deliberately absent: control of the false discovery rate; a gate must not fire for any scenario without a reason.

/// A test and its p-value corrected for the company it is in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjusted<'a> {
    /// The name of the test, for example the scenario.
    pub name: &'a str,
    /// Its own p-value.
    pub p: f64,
    /// The corrected one. Rejecting what is at most α here errs anywhere with a probability of at most α.
    pub adjusted: f64,
}

/// Holm's correction (Holm 1979), in the order of the input: the i-th smallest of m p-values is multiplied by m - i + 1,
/// and no corrected value is smaller than the one before. It needs no independence. A NaN counts as 1.
pub fn holm<'a>(tests: &[(&'a str, f64)]) -> Vec<Adjusted<'a>> {
    let clean = |p: f64| if p.is_nan() { 1.0 } else { super::unit(p) };
    let mut all: Vec<_> = tests.iter().map(|&(name, p)| Adjusted { name, p: clean(p), adjusted: 1.0 }).collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|&a, &b| all[a].p.total_cmp(&all[b].p));
    let mut least = 0.0_f64;
    for (before, &index) in order.iter().enumerate() {
        least = least.max((all[index].p * (all.len() - before) as f64).min(1.0));
        all[index].adjusted = least;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn adjusted(tests: &[f64]) -> Vec<f64> {
        let named: Vec<_> = tests.iter().map(|&p| ("", p)).collect();
        holm(&named).iter().map(|test| test.adjusted).collect()
    }

    // statsmodels 0.15.0: multipletests(p, method="holm")[1].
    #[test]
    fn the_correction_is_that_of_statsmodels() {
        let found = adjusted(&[0.01, 0.04, 0.03, 0.005, 0.5, 0.03]);
        for (found, wanted) in found.iter().zip([0.05, 0.12, 0.12, 0.03, 0.5, 0.12]) {
            assert!((found - wanted).abs() < 1e-15, "{found} {wanted}");
        }
    }

    #[test]
    fn ends_are_defined() {
        assert_eq!(holm(&[]), []);
        assert_eq!(adjusted(&[0.3]), [0.3]);
        assert_eq!(adjusted(&[f64::NAN, -1.0, 2.0]), [1.0, 0.0, 1.0]);
    }

    proptest! {
        /// Holm by definition: step down while p is at most α / (m - i + 1).
        #[test]
        fn rejections_are_those_of_stepping_down(tests in prop::collection::vec(0.0..0.2_f64, 0..12), level in 0.0..0.3_f64) {
            let mut sorted = tests.clone();
            sorted.sort_by(f64::total_cmp);
            let stepped = sorted.iter().enumerate().take_while(|(i, p)| **p * (tests.len() - i) as f64 <= level).count();
            let found = adjusted(&tests);
            prop_assert_eq!(found.iter().filter(|p| **p <= level).count(), stepped);
            prop_assert!(found.iter().zip(&tests).all(|(adjusted, raw)| adjusted >= raw));
        }
    }
}
