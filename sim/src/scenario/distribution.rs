//! Latency distributions, turned into the integer tables that runs sample from.
//!
//! This is the only place of the simulator where floating point has a say, and it has it before a run starts: the knots
//! of a table are quantiles, computed with the pinned, pure-Rust `libm`, and rounded to nanoseconds. Golden digests in the
//! tests hold them to the bit.
//!
//! The last cell of the tail ends at the quantile of 1 − 2⁻²² (half-way through the cell) for distributions without an
//! upper limit, and all latencies are cut at the longest duration a scenario can name.
//!
//! ```
//! use sim::scenario::distribution::Distribution;
//! let table = Distribution::Uniform { min_ns: 10, max_ns: 20 }.table();
//! assert_eq!((table.latency_ns_min(), table.latency_ns_max()), (10, 20));
//! ```
//!
//! The inverse of the normal distribution is algorithm AS 241 (PPND16) of M. J. Wichura, "The percentage points of the
//! normal distribution", Applied Statistics 37 (1988); its relative error is about 1e-16.

use super::units::DURATION_NS_MAX;
use crate::kernel::latency::{CELLS, LatencyTable, TAIL_CELLS};

/// The accepted distributions, with what they are.
pub const DISTRIBUTIONS: &[(&str, &str)] = &[
    ("constant", "always the same latency; also written as a plain duration"),
    ("uniform", "evenly between min and max"),
    ("exponential", "min plus an exponential part, with the given mean in all"),
    ("normal", "normal with mean and sd, under the condition that it is not negative"),
    ("lognormal", "log-normal with median and p99"),
    ("pareto", "a heavy tail: min and the exponent alpha"),
    ("empirical", "measured quantiles p0 to p100, straight lines in between"),
];

/// The denominator of the probabilities of measured quantiles.
pub const QUANTILE_WHOLE: u64 = 1_000_000_000;

/// A distribution whose parameters have been checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant {
        /// The latency.
        latency_ns: u64,
    },
    /// Evenly between two limits.
    Uniform {
        /// The least.
        min_ns: u64,
        /// The greatest, not below `min_ns`.
        max_ns: u64,
    },
    /// Exponential above a minimum.
    Exponential {
        /// The mean, minimum included; not below `min_ns`.
        mean_ns: u64,
        /// The least.
        min_ns: u64,
    },
    /// Normal, under the condition that it is not negative.
    Normal {
        /// The mean before the cut.
        mean_ns: u64,
        /// The standard deviation before the cut.
        sd_ns: u64,
    },
    /// Log-normal.
    Lognormal {
        /// The median, more than zero.
        median_ns: u64,
        /// The quantile of 99 %, not below the median.
        p99_ns: u64,
    },
    /// Pareto.
    Pareto {
        /// The least, more than zero.
        min_ns: u64,
        /// The exponent, more than zero.
        alpha: f64,
    },
    /// Measured quantiles, by rising probability in parts of [`QUANTILE_WHOLE`]; constant outside of them.
    Empirical {
        /// Probability and latency; both never fall, and there is at least one.
        quantiles: Vec<(u64, u64)>,
    },
}

impl Distribution {
    /// The table of its quantiles.
    pub fn table(&self) -> LatencyTable {
        match self {
            Self::Constant { latency_ns } => LatencyTable::constant(*latency_ns),
            Self::Uniform { min_ns, max_ns } => {
                tabulate(|p, _| exact(p, &[(0, *min_ns), (QUANTILE_WHOLE, *max_ns)]), true)
            }
            Self::Empirical { quantiles } => tabulate(|p, _| exact(p, quantiles), true),
            Self::Exponential { mean_ns, min_ns } => {
                let (rest, min) = ((mean_ns - min_ns) as f64, *min_ns as f64);
                tabulate(|_, q| rounded(min - rest * libm::log(q)), false)
            }
            Self::Normal { mean_ns, sd_ns } => {
                let (mean, sd) = (*mean_ns as f64, *sd_ns as f64);
                if sd == 0.0 {
                    return LatencyTable::constant(*mean_ns);
                }
                let above_zero = libm::erfc(-mean / (sd * std::f64::consts::SQRT_2)) / 2.0;
                tabulate(|_, q| rounded(mean - sd * normal_quantile(q * above_zero)), false)
            }
            Self::Lognormal { median_ns, p99_ns } => {
                let median = *median_ns as f64;
                let sigma = libm::log(*p99_ns as f64 / median) / normal_quantile(0.99);
                tabulate(|_, q| rounded(median * libm::exp(-sigma * normal_quantile(q))), false)
            }
            Self::Pareto { min_ns, alpha } => {
                tabulate(|_, q| rounded(*min_ns as f64 * libm::pow(q, -1.0 / alpha)), false)
            }
        }
    }
}

/// A probability as a fraction of 2^22, the finest grain of tables.
#[derive(Clone, Copy, Debug)]
struct Grain(u64);

const GRAINS: u64 = (CELLS * TAIL_CELLS) as u64 * 2;

/// Evaluates a quantile function at all knots. It is given the probability, exactly, and the rest to one.
fn tabulate(quantile: impl Fn(Grain, f64) -> u64, is_bounded: bool) -> LatencyTable {
    let end = if is_bounded { GRAINS } else { GRAINS - 1 };
    let at = |grain: u64| {
        let grain = grain.min(end);
        quantile(Grain(grain), (GRAINS - grain) as f64 / GRAINS as f64)
    };
    let cell = GRAINS / CELLS as u64;
    let rising = |knots: Vec<u64>| {
        // Neighbouring knots may differ by a rounding error in the wrong direction.
        let mut highest = 0;
        let next = |knot: u64| {
            highest = highest.max(knot);
            highest
        };
        knots.into_iter().map(next).collect()
    };
    let knots = rising((0..=CELLS as u64).map(|k| at(k * cell)).collect());
    let tail = rising((0..=TAIL_CELLS as u64).map(|k| at(GRAINS - cell + k * 2)).collect());
    LatencyTable::new(knots, tail).expect("the number of knots is right, and they never fall")
}

/// Straight lines between quantiles, in integers.
fn exact(Grain(grain): Grain, quantiles: &[(u64, u64)]) -> u64 {
    let scaled = |probability: u64| u128::from(probability) * u128::from(GRAINS);
    let wanted = u128::from(grain) * u128::from(QUANTILE_WHOLE);
    let after = quantiles.partition_point(|(probability, _)| scaled(*probability) <= wanted);
    let (Some(low), Some(high)) = (after.checked_sub(1).map(|at| quantiles[at]), quantiles.get(after)) else {
        return quantiles[after.saturating_sub(1)].1;
    };
    let width = scaled(high.0) - scaled(low.0);
    // The latency is below 2^60 and the rest below 2^53.
    low.1 + (u128::from(high.1 - low.1) * (wanted - scaled(low.0)) / width) as u64
}

/// To whole nanoseconds, within what durations can be.
fn rounded(ns: f64) -> u64 {
    // Also false for NaN, which a quantile of zero times infinity would be.
    if ns > 0.0 { libm::rint(ns.min(DURATION_NS_MAX as f64)) as u64 } else { 0 }
}

/// The quantile of the standard normal distribution; infinite at 0 and 1.
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180_625 - q * q, &CENTRE);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return q * f64::INFINITY;
    }
    let r = libm::sqrt(-libm::log(tail));
    let magnitude = if r <= 5.0 { ratio(r - 1.6, &MIDDLE) } else { ratio(r - 5.0, &FAR) };
    if q < 0.0 { -magnitude } else { magnitude }
}

/// A quotient of two polynomials, given by coefficients of rising powers.
fn ratio(x: f64, coefficients: &[[f64; 8]; 2]) -> f64 {
    let [above, below] = coefficients.map(|row| row.iter().rev().fold(0.0, |sum, c| sum * x + c));
    above / below
}

const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_4e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
];

const MIDDLE: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

const FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::{
        draws::Stream,
        time::{MILLISECOND, SECOND},
    };

    fn examples() -> Vec<(Distribution, u64)> {
        let ms = MILLISECOND;
        vec![
            (Distribution::Constant { latency_ns: 20 * ms }, 0x0000_0000_0131_2d00),
            (Distribution::Uniform { min_ns: ms, max_ns: 20 * ms }, 0xc9b4_46e3_3684_25e0),
            (Distribution::Exponential { mean_ns: 20 * ms, min_ns: 5 * ms }, 0x4008_6c23_0840_33ba),
            (Distribution::Normal { mean_ns: 20 * ms, sd_ns: 15 * ms }, 0xede9_bb8a_7080_557e),
            (Distribution::Lognormal { median_ns: 20 * ms, p99_ns: 120 * ms }, 0x903f_a363_e467_2291),
            (Distribution::Pareto { min_ns: 5 * ms, alpha: 1.5 }, 0x4db8_e3f7_6582_eb5e),
            (
                Distribution::Empirical {
                    quantiles: vec![(0, ms), (500_000_000, 20 * ms), (990_000_000, 120 * ms), (QUANTILE_WHOLE, SECOND)],
                },
                0x28ba_4615_16b3_d43a,
            ),
        ]
    }

    #[test]
    fn golden_digests() {
        // A change here makes every published seed mean something else.
        let digests: Vec<u64> = examples().iter().map(|(distribution, _)| distribution.table().digest()).collect();
        assert_eq!(digests, examples().iter().map(|(_, digest)| *digest).collect::<Vec<_>>(), "{digests:#x?}");
    }

    /// The sampled quantile at `percent`, from evenly spread words.
    fn sampled(table: &LatencyTable, share: f64) -> u64 {
        table.sample((share * u64::MAX as f64) as u64)
    }

    #[test]
    fn tables_have_the_quantiles_that_were_asked_for() {
        let ms = MILLISECOND;
        let near =
            |is: u64, wanted: f64| assert!((is as f64 - wanted).abs() <= wanted * 2e-5 + 2.0, "{is} is not {wanted}");
        let lognormal = Distribution::Lognormal { median_ns: 20 * ms, p99_ns: 120 * ms }.table();
        near(sampled(&lognormal, 0.5), 20e6);
        near(sampled(&lognormal, 0.99), 120e6);
        let exponential = Distribution::Exponential { mean_ns: 20 * ms, min_ns: 5 * ms }.table();
        near(sampled(&exponential, 0.0), 5e6);
        near(sampled(&exponential, 0.5), 5e6 + 15e6 * std::f64::consts::LN_2);
        // One in a million: the tail is faithful there.
        let rare = sampled(&exponential, 1.0 - 1e-6) as f64 / (5e6 + 15e6 * 1e6_f64.ln());
        assert!((0.999..1.001).contains(&rare), "{rare}");
        let pareto = Distribution::Pareto { min_ns: 5 * ms, alpha: 2.0 }.table();
        near(sampled(&pareto, 0.75), 10e6);
        let normal = Distribution::Normal { mean_ns: 100 * ms, sd_ns: ms }.table();
        near(sampled(&normal, 0.5), 100e6);
        near(sampled(&normal, 0.841_344_746_068_543), 101e6);
        let measured = Distribution::Empirical { quantiles: vec![(250_000_000, 10), (750_000_000, 1010)] }.table();
        assert_eq!((sampled(&measured, 0.1), sampled(&measured, 0.5), sampled(&measured, 0.9)), (10, 510, 1010));
    }

    #[test]
    fn a_cut_normal_has_the_right_mean() {
        // Normal(0, s) given that it is not negative has the mean s * sqrt(2 / pi).
        let table = Distribution::Normal { mean_ns: 0, sd_ns: SECOND }.table();
        let stream = Stream::new(1, "test");
        let mean = (0..200_000).map(|k| u128::from(table.sample(stream.word(0, k)))).sum::<u128>() / 200_000;
        assert!(mean.abs_diff(797_884_560) < 6 * 1_350_000, "{mean}");
    }

    #[test]
    fn normal_quantiles_match_published_values() {
        for (p, z) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813),
            (1e-20, -9.262_340_089_798_409),
            (0.99, 2.326_347_874_040_841),
        ] {
            assert!((normal_quantile(p) / z - 1.0_f64).abs() < 1e-15, "{p}");
        }
        assert_eq!(normal_quantile(0.5).to_bits(), 0);
        assert!(normal_quantile(0.0).is_infinite() && normal_quantile(1.0).is_infinite());
    }

    proptest! {
        #[test]
        fn no_parameters_panic(a in 1..=DURATION_NS_MAX, b in 1..=DURATION_NS_MAX, alpha in 1e-3..1e3_f64) {
            let (low, high) = (a.min(b), a.max(b));
            for distribution in [
                Distribution::Uniform { min_ns: low, max_ns: high },
                Distribution::Exponential { mean_ns: high, min_ns: low },
                Distribution::Normal { mean_ns: a, sd_ns: b },
                Distribution::Lognormal { median_ns: low, p99_ns: high },
                Distribution::Pareto { min_ns: a, alpha },
                Distribution::Empirical { quantiles: vec![(0, low), (alpha as u64, high)] },
            ] {
                let table = distribution.table();
                prop_assert!(table.latency_ns_min() <= table.latency_ns_max());
                prop_assert!(table.latency_ns_max() <= DURATION_NS_MAX);
            }
        }
    }
}
