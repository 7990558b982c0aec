//! Popularity: which of several names an operation is about.
//!
//! Names are either equally popular, or popular by a law of Zipf: the k-th name is drawn in proportion to `1 / k^exponent`, so
//! that a few names are hot and most are rarely touched. Shares become integer thresholds once, with the pinned pure-Rust `libm`;
//! no float decides an event.
//!
//! ```
//! use sim::workloads::Popularity;
//!
//! let even = Popularity::even(["milk", "bread"].map(str::to_owned));
//! assert_eq!((even.pick(0), even.pick(u64::MAX)), ("milk", "bread"));
//! let hot = Popularity::zipf(["milk", "bread"].map(str::to_owned), 2_000);
//! assert_eq!(hot.pick(u64::MAX / 10 * 7), "milk");
//! ```
//!
//! What is deliberately absent: popularity that changes over time.

use std::sync::Arc;

/// Names, and how often each is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Popularity {
    names: Arc<[String]>,
    /// For every name the first word that is beyond it; the last is never beyond.
    thresholds: Arc<[u64]>,
}

impl Popularity {
    /// All names are equally popular. There is at least one.
    pub fn even(names: impl IntoIterator<Item = String>) -> Self {
        Self::zipf(names, 0)
    }

    /// The k-th name has a weight of `k` to the power of minus `exponent_milli` thousandths. There is at least one.
    pub fn zipf(names: impl IntoIterator<Item = String>, exponent_milli: u32) -> Self {
        let names: Arc<[String]> = names.into_iter().collect();
        let exponent = f64::from(exponent_milli) / 1_000.0;
        let weights: Vec<f64> = (1..=names.len()).map(|rank| libm::pow(rank as f64, -exponent)).collect();
        let total: f64 = weights.iter().sum();
        let mut below = 0.0;
        let thresholds = weights.iter().map(|weight| {
            below += weight / total;
            // The product is at most 2^64, where the conversion saturates.
            libm::rint(below * 18_446_744_073_709_551_616.0) as u64
        });
        Self { thresholds: thresholds.collect(), names }
    }

    /// The name for 64 uniform bits.
    pub fn pick(&self, word: u64) -> &str {
        let place = self.thresholds.partition_point(|&threshold| threshold <= word);
        &self.names[place.min(self.names.len() - 1)]
    }

    /// All names, the most popular first.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::draws::Stream;

    fn counts(popularity: &Popularity) -> Vec<usize> {
        let stream = Stream::new(1, "test.popularity");
        let mut counts = vec![0; popularity.names().len()];
        for draw in 0..60_000 {
            let name = popularity.pick(stream.word(0, draw));
            counts[popularity.names().iter().position(|known| known == name).expect("a known name")] += 1;
        }
        counts
    }

    #[test]
    fn shares_are_those_of_the_law() {
        let names = || ["a", "b", "c"].map(str::to_owned);
        // Five standard deviations of a binomial over 60,000 are below 620.
        let check = |popularity: &Popularity, shares: [f64; 3]| {
            for (count, share) in counts(popularity).into_iter().zip(shares) {
                assert!((count as f64 - 60_000.0 * share).abs() < 620.0, "{count} {share}");
            }
        };
        check(&Popularity::even(names()), [1.0 / 3.0; 3]);
        check(&Popularity::zipf(names(), 1_000), [6.0 / 11.0, 3.0 / 11.0, 2.0 / 11.0]);
    }

    #[test]
    fn thresholds_never_change() {
        // A golden vector: a change here gives every published seed other elements.
        let popularity = Popularity::zipf((1..=4).map(|k| format!("e{k}")), 1_200);
        assert_eq!(*popularity.thresholds, GOLDEN);
    }

    const GOLDEN: [u64; 4] =
        [9_748_214_063_769_282_560, 13_991_370_685_942_056_960, 16_599_802_879_916_457_984, u64::MAX];
}
