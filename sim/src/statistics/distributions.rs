//! Distribution functions: normal, chi-square with one degree of freedom, binomial.
//!
//! Invariant: absolute errors stay below 1e-12, small tails are summed as such and not as 1 minus the rest, and the
//! bits are the same on every platform. That is why these are not taken from a crate: `statrs` calls the logarithm of
//! the platform as soon as any crate of the build enables the standard library of `num-traits`.
//!
//! ```
//! use sim::statistics::distributions::{binomial_at_most, normal_above};
//! assert!((normal_above(1.959_963_984_540_054) - 0.025).abs() < 1e-15);
//! assert!((binomial_at_most(1, 10, 0.5) - 11.0 / 1024.0).abs() < 1e-15);
//! ```
//!
//! Deliberately absent: densities and everything that no test here needs.

use super::unit;
use std::f64::consts::{PI, SQRT_2};

/// P(Z > z) of a standard normal variable: erfc(z / √2) / 2 (Abramowitz and Stegun 1964, section 26.2).
pub fn normal_above(z: f64) -> f64 {
    0.5 * libm::erfc(z / SQRT_2)
}

/// The z with P(Z > z) = `probability`, by bisection on -40..=40, which also are the values at 0 and 1.
///
/// ```
/// use sim::statistics::distributions::normal_quantile_above;
/// assert!((normal_quantile_above(0.025) - 1.959_963_984_540_054).abs() < 1e-12);
/// ```
pub fn normal_quantile_above(probability: f64) -> f64 {
    let probability = unit(probability);
    if probability > 0.5 { -far_quantile(1.0 - probability) } else { far_quantile(probability) }
}

/// The upper quantile of at most one half, where the tail is precise.
fn far_quantile(probability: f64) -> f64 {
    if probability <= 0.0 { 40.0 } else { bisect(0.0, 40.0, |z| normal_above(z) <= probability) }
}

/// P(X > x) of a chi-square variable with one degree of freedom, the square of a normal one: erfc(√(x / 2)).
///
/// ```
/// use sim::statistics::distributions::chi_square_above;
/// assert!((chi_square_above(3.841_458_820_694_124) - 0.05).abs() < 1e-15);
/// ```
pub fn chi_square_above(x: f64) -> f64 {
    libm::erfc(libm::sqrt(x.max(0.0) / 2.0))
}

/// P(X = k) of a binomial variable, by Loader's saddle-point expansion (Loader 2000, "Fast and accurate computation of
/// binomial probabilities"), which is precise for all n. 0 for more hits than trials.
///
/// ```
/// use sim::statistics::distributions::binomial;
/// assert!((binomial(3, 10, 0.5) - 120.0 / 1024.0).abs() < 1e-15);
/// ```
pub fn binomial(k: u64, n: u64, p: f64) -> f64 {
    let p = unit(p);
    if k > n {
        return 0.0;
    }
    if k == 0 {
        // The logarithm of nothing times no trial must stay certain.
        return if n == 0 { 1.0 } else { libm::exp(n as f64 * libm::log1p(-p)) };
    }
    if k == n {
        return libm::exp(n as f64 * libm::log(p));
    }
    if p <= 0.0 || p >= 1.0 {
        return 0.0;
    }
    let (hits, misses, all) = (k as f64, (n - k) as f64, n as f64);
    let exponent = stirling_error(n)
        - stirling_error(k)
        - stirling_error(n - k)
        - deviance(hits, all * p)
        - deviance(misses, all * (1.0 - p));
    libm::exp(exponent) * libm::sqrt(all / (2.0 * PI * hits * misses))
}

/// P(X <= k) of a binomial variable: the sum of the terms below, or 1 minus those above, whichever are fewer.
///
/// ```
/// use sim::statistics::distributions::binomial_at_most;
/// assert!((binomial_at_most(2, 4, 0.5) - 11.0 / 16.0).abs() < 1e-15);
/// ```
pub fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    let p = unit(p);
    if k >= n {
        1.0
    } else if k as f64 <= n as f64 * p {
        lower_tail(k, n, p)
    } else {
        1.0 - upper_tail(k + 1, n, p)
    }
}

/// P(X >= k) of a binomial variable, as [`binomial_at_most`].
///
/// ```
/// use sim::statistics::distributions::binomial_at_least;
/// assert!((binomial_at_least(3, 4, 0.5) - 5.0 / 16.0).abs() < 1e-15);
/// ```
pub fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    let p = unit(p);
    if k == 0 {
        1.0
    } else if k > n {
        0.0
    } else if k as f64 >= n as f64 * p {
        upper_tail(k, n, p)
    } else {
        1.0 - lower_tail(k - 1, n, p)
    }
}

/// The two-sided exact p-value of `k` hits in `n` throws of a fair coin: twice the smaller tail, at most 1. Up to 64
/// throws the outcomes are counted in whole numbers.
///
/// ```
/// use sim::statistics::distributions::fair_coin_p;
/// assert_eq!(fair_coin_p(1, 10), 22.0 / 1024.0);
/// assert_eq!(fair_coin_p(0, 0), 1.0);
/// ```
pub fn fair_coin_p(k: u64, n: u64) -> f64 {
    let fewer = k.min(n.saturating_sub(k));
    let tail = if n <= 64 {
        let (mut outcomes, mut ways) = (0_u128, 1_u128);
        for hits in 0..=u128::from(fewer) {
            outcomes += ways;
            ways = ways * (u128::from(n) - hits) / (hits + 1);
        }
        outcomes as f64 / (1_u128 << n) as f64
    } else {
        binomial_at_most(fewer, n, 0.5)
    };
    (2.0 * tail).min(1.0)
}

/// Sums P(X = j) from `k` down; each term is the one before times j (1 - p) / ((n - j + 1) p).
fn lower_tail(k: u64, n: u64, p: f64) -> f64 {
    let mut term = binomial(k, n, p);
    let (mut sum, mut at) = (term, k);
    while at > 0 && term > sum * 1e-18 {
        term *= at as f64 / (n - at + 1) as f64 * ((1.0 - p) / p);
        sum += term;
        at -= 1;
    }
    sum.min(1.0)
}

/// Sums P(X = j) from `k` up.
fn upper_tail(k: u64, n: u64, p: f64) -> f64 {
    let mut term = binomial(k, n, p);
    let (mut sum, mut at) = (term, k);
    while at < n && term > sum * 1e-18 {
        term *= (n - at) as f64 / (at + 1) as f64 * (p / (1.0 - p));
        sum += term;
        at += 1;
    }
    sum.min(1.0)
}

/// ln(n!) minus Stirling's formula, for n above 0.
fn stirling_error(n: u64) -> f64 {
    let x = n as f64;
    if n <= 15 {
        // These factorials are exact.
        let factorial: f64 = (1..=n).map(|i| i as f64).product();
        return libm::log(factorial) - (0.5 * libm::log(2.0 * PI * x) + x * libm::log(x) - x);
    }
    let square = x * x;
    let series = 1.0 / 1680.0 - 1.0 / 1188.0 / square;
    let series = 1.0 / 1260.0 - series / square;
    let series = 1.0 / 360.0 - series / square;
    (1.0 / 12.0 - series / square) / x
}

/// x ln(x / mean) + mean - x, by a series where the terms would cancel.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * libm::log(x / mean) + mean - x;
    }
    let ratio = difference / (x + mean);
    let mut sum = difference * ratio;
    let mut power = 2.0 * x * ratio;
    let mut odd = 1.0;
    loop {
        power *= ratio * ratio;
        odd += 2.0;
        let next = sum + power / odd;
        // The terms fall by a factor of a hundred each, so that this ends after a few.
        if next.to_bits() == sum.to_bits() || odd > 99.0 {
            return next;
        }
        sum = next;
    }
}

/// The smallest number between `low` and `high` for which `reached` holds, to the last bit; `reached` must be monotone.
pub(super) fn bisect(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if reached(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both are numbers and differ by at most 1e-12, or 1e-10 of the wanted one when that is small.
    fn close(found: f64, wanted: f64) -> bool {
        (found - wanted).abs() <= (1e-10 * wanted.abs()).min(1e-12)
    }

    // scipy 1.17.1: scipy.stats.norm.isf(p), norm.sf(z), chi2.sf(x, 1).
    #[test]
    fn normal_and_chi_square_are_those_of_scipy() {
        for (p, z) in [
            (1e-300, 37.047_096_299_361_2),
            (1e-12, 7.034_483_825_301_131),
            (0.005, 2.575_829_303_548_901),
            (0.025, 1.959_963_984_540_054_5),
            (0.2, 0.841_621_233_572_914_2),
            (0.8, -0.841_621_233_572_914_3),
            (0.999, -3.090_232_306_167_813),
        ] {
            assert!((normal_quantile_above(p) - z).abs() < 1e-12, "{p}");
        }
        for (z, p) in [
            (-3.0, 0.998_650_101_968_369_9),
            (0.5, 0.308_537_538_725_986_9),
            (2.0, 0.022_750_131_948_179_195),
            (6.0, 9.865_876_450_376_946e-10),
            (20.0, 2.753_624_118_606_155_6e-89),
        ] {
            assert!(close(normal_above(z), p), "{z}");
        }
        for (x, p) in [
            (0.1, 0.751_829_634_045_849_2),
            (1.0, 0.317_310_507_862_911_15),
            (3.841_458_820_694_124, 0.049_999_999_999_999_89),
            (16.79, 4.175_275_138_919_787_4e-5),
            (80.0, 3.744_097_384_202_887e-19),
        ] {
            assert!(close(chi_square_above(x), p), "{x}");
        }
    }

    // scipy 1.17.1: b = scipy.stats.binom(n, p); b.pmf(k), b.cdf(k), b.sf(k - 1).
    #[test]
    fn the_binomial_distribution_is_that_of_scipy() {
        for (k, n, p, equal, at_most, at_least) in [
            (0, 5, 0.3, 0.168_07, 0.168_07, 1.0),
            (3, 10, 0.5, 0.117_187_5, 0.171_875, 0.945_312_5),
            (7, 20, 0.1, 0.001_970_454_390_120_642, 0.999_584_364_981_154_5, 0.002_386_089_408_966_118),
            (50, 100, 0.5, 0.079_589_237_387_178_75, 0.539_794_618_693_588_9, 0.539_794_618_693_588_9),
            (400, 1_000, 0.45, 0.000_157_965_513_944_395_51, 0.000_793_369_369_664_344_5, 0.999_364_596_144_280_1),
            (5, 100_000, 1e-4, 0.037_829_491_291_727_76, 0.067_076_504_497_360_74, 0.970_752_986_794_408_7),
            (499_000, 1_000_000, 0.5, 0.000_107_981_978_018_914_38, 0.022_804_149_932_694_8, 0.977_303_832_045_326_7),
            (20, 20, 0.9, 0.121_576_654_590_569_35, 1.0, 0.121_576_654_590_569_31),
            (990, 1_000, 0.99, 0.125_740_211_126_207_29, 0.542_699_407_825_110_4, 0.583_040_803_301_097_2),
        ] {
            assert!(close(binomial(k, n, p), equal), "{k} of {n}: {}", binomial(k, n, p));
            assert!((binomial_at_most(k, n, p) - at_most).abs() < 1e-12, "at most {k} of {n}");
            assert!((binomial_at_least(k, n, p) - at_least).abs() < 1e-12, "at least {k} of {n}");
        }
    }

    #[test]
    fn fair_coins_are_those_of_pascals_triangle() {
        let mut row = vec![1_u64];
        for n in 0..=40_u64 {
            let all = (1_u64 << n) as f64;
            for k in 0..=n as usize {
                let (below, above): (u64, u64) = (row[..=k].iter().sum(), row[k..].iter().sum());
                assert!((binomial_at_most(k as u64, n, 0.5) - below as f64 / all).abs() < 1e-14);
                assert!((binomial_at_least(k as u64, n, 0.5) - above as f64 / all).abs() < 1e-14);
                let wanted = (2.0 * below.min(above) as f64 / all).min(1.0);
                assert_eq!(fair_coin_p(k as u64, n).to_bits(), wanted.to_bits(), "{k} of {n}");
            }
            row = (0..=row.len()).map(|k| k.checked_sub(1).map_or(0, |l| row[l]) + row.get(k).unwrap_or(&0)).collect();
        }
    }

    /// Written down once: the results are the same on every platform, to the last bit.
    #[test]
    fn bits_do_not_move() {
        let found = [
            normal_above(1.234),
            normal_quantile_above(0.0123),
            chi_square_above(5.678),
            binomial(17, 60, 0.31),
            binomial_at_most(123, 1_000, 0.137),
        ];
        assert_eq!(found.map(f64::to_bits), BITS);
    }

    const BITS: [u64; 5] = [
        4_592_489_980_012_067_193,
        4_612_243_624_309_950_878,
        4_580_608_713_551_915_252,
        4_592_065_569_150_703_943,
        4_592_302_302_924_471_772,
    ];

    #[test]
    fn the_ends_are_defined() {
        for p in [0.0, 1.0, f64::NAN, -1.0, 2.0] {
            for (k, n) in [(0, 0), (0, 3), (1, 3), (3, 3), (5, 3)] {
                for found in [binomial(k, n, p), binomial_at_most(k, n, p), binomial_at_least(k, n, p)] {
                    assert!((0.0..=1.0).contains(&found), "{k} of {n} with {p}: {found}");
                }
            }
        }
        let ends = [normal_quantile_above(0.0), normal_quantile_above(1.0), normal_quantile_above(f64::NAN)];
        assert_eq!(ends.map(|z| z as i32), [40, -40, 40]);
        assert_eq!(chi_square_above(-1.0).to_bits(), 1.0_f64.to_bits());
    }
}
