//! Exact quantiles of durations, with censoring.
//!
//! A quantile is the nearest rank: the p-quantile of n durations is the ⌈p·n⌉-th smallest. Durations that had not ended
//! when the run did are longer than all that ended; a quantile that falls among them is unknown (`None`).

/// Quantiles of durations in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// The median.
    pub p50: Option<u64>,
    /// 90 of 100 are at most this.
    pub p90: Option<u64>,
    /// 99 of 100 are at most this.
    pub p99: Option<u64>,
    /// All are at most this.
    pub max: Option<u64>,
    /// How many there are, the censored included.
    pub count: u64,
    /// How many had not ended.
    pub censored: u64,
}

impl Quantiles {
    /// The quantiles of `ended` durations and of `censored` longer ones.
    pub fn of(mut ended: Vec<u64>, censored: u64) -> Self {
        ended.sort_unstable();
        let count = ended.len() as u64 + censored;
        let rank = |percent: u64| {
            let rank = (count * percent).div_ceil(100).max(1);
            ended.get(rank as usize - 1).copied()
        };
        Self { p50: rank(50), p90: rank(90), p99: rank(99), max: rank(100), count, censored }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_ranks() {
        let all = Quantiles::of((1..=100).rev().collect(), 0);
        assert_eq!((all.p50, all.p90, all.p99, all.max), (Some(50), Some(90), Some(99), Some(100)));
        let one = Quantiles::of(vec![7], 0);
        assert_eq!((one.p50, one.max, one.count), (Some(7), Some(7), 1));
        assert_eq!(Quantiles::of(vec![], 0).p50, None);
    }

    #[test]
    fn the_censored_count_as_longest() {
        let quantiles = Quantiles::of((1..=95).collect(), 5);
        assert_eq!((quantiles.p90, quantiles.p99, quantiles.max), (Some(90), None, None));
        assert_eq!((quantiles.count, quantiles.censored), (100, 5));
    }
}
