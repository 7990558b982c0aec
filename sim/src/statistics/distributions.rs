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

/// P(Z > z) of a standard normal variable: erfc(z / √2) / 2 (Abramowitz and Stegun 1964, 26.2.29).
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
pub fn chi_square_above(x: f64) -> f64 {
    libm::erfc(libm::sqrt(x.max(0.0) / 2.0))
}

/// P(X = k) of a binomial variable, by Loader's saddle-point expansion (Loader 2000, "Fast and accurate computation of
/// binomial probabilities"), which is precise for all n.
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

/// P(X <= k) of a binomial variable.
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

/// P(X >= k) of a binomial variable.
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

/// The two-sided exact p-value of `k` hits in `n` throws of a fair coin: twice the smaller tail, at most 1.
///
/// ```
/// use sim::statistics::distributions::fair_coin_p;
/// assert!((fair_coin_p(1, 10) - 22.0 / 1024.0).abs() < 1e-15);
/// assert_eq!(fair_coin_p(0, 0), 1.0);
/// ```
pub fn fair_coin_p(k: u64, n: u64) -> f64 {
    (2.0 * binomial_at_most(k.min(n.saturating_sub(k)), n, 0.5)).min(1.0)
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
