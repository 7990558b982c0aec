//! What a scenario expects of a system: a measure and a bound.
//!
//! [`MEASURES`] is the one list of what can be expected; errors, the JSON Schema and `sim list` are made from it. A bound
//! compares integers only: durations in nanoseconds, shares in parts per billion.
//!
//! ```
//! use sim::scenario::expectation::{Bound, MeasureKind};
//! let bound = Bound::parse("<= 2s", MeasureKind::Quantiles).expect("well formed");
//! assert!(bound.holds(2_000_000_000) && !bound.holds(2_000_000_001));
//! ```
//!
//! Measuring, and what to make of an expectation that was never put to the test, is not done here.

use std::fmt;

use crate::checkers::Consistency;

use super::units::{Duration, Malformed, Size, Unit, share};

/// What a measure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureKind {
    /// True or false.
    Truth,
    /// A number of things.
    Count,
    /// Bytes.
    Size,
    /// A part of a whole.
    Share,
    /// Durations: one, or a distribution with quantiles.
    Quantiles,
    /// A consistency model that holds, or does not.
    Consistency,
    /// A value of the object.
    Value,
}

/// Something that a run, or a series of runs, is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The name in `[expect]` and in reports.
    pub name: &'static str,
    /// What it is counted in.
    pub kind: MeasureKind,
    /// What it means, in one line.
    pub doc: &'static str,
}

const fn measure(name: &'static str, kind: MeasureKind, doc: &'static str) -> Measure {
    Measure { name, kind, doc }
}

/// All measures that can be expected.
pub const MEASURES: &[Measure] = &[
    measure("converges", MeasureKind::Truth, "All live replicas hold the same value at the end, and keep it."),
    measure("correct", MeasureKind::Truth, "The agreed value is one that the acknowledged operations allow."),
    measure("consistency", MeasureKind::Consistency, "Consistency models that the run keeps to, or does not."),
    measure(
        "final_value",
        MeasureKind::Value,
        "The value on which all live replicas agree at the end, as reports show it.",
    ),
    measure("lost_updates", MeasureKind::Count, "Acknowledged updates that the agreed value does not contain."),
    measure(
        "phantom_updates",
        MeasureKind::Count,
        "Updates that the agreed value contains too often, or should not contain.",
    ),
    measure(
        "convergence_time",
        MeasureKind::Quantiles,
        "From the last update or heal, whichever is later, to lasting agreement.",
    ),
    measure(
        "convergence_from_last_update",
        MeasureKind::Quantiles,
        "From the last update that took effect to lasting agreement.",
    ),
    measure("convergence_from_last_heal", MeasureKind::Quantiles, "From the last heal to lasting agreement."),
    measure("convergence_observed", MeasureKind::Quantiles, "The same, as seen by clients in completed reads."),
    measure(
        "visibility_latency",
        MeasureKind::Quantiles,
        "From an update to the first instant when all replicas reflect it.",
    ),
    measure("availability", MeasureKind::Share, "The share of operations that were answered with a result."),
    measure("ok", MeasureKind::Count, "Operations that took effect and were answered."),
    measure("fail", MeasureKind::Count, "Operations that definitely did not take effect."),
    measure("info", MeasureKind::Count, "Operations whose fate is unknown."),
    measure("stale_reads", MeasureKind::Count, "Reads that miss an update acknowledged before they began."),
    measure("messages", MeasureKind::Count, "Messages that were sent."),
    measure("bytes", MeasureKind::Size, "Bytes that were sent."),
    measure("conflicts", MeasureKind::Count, "Compare-and-swaps that lost to another."),
    measure("retries", MeasureKind::Count, "Attempts after the first."),
];

impl Measure {
    /// The measure with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        MEASURES.iter().find(|measure| measure.name == name)
    }
}

/// A quantile of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantile {
    /// The median.
    P50,
    /// 90 of 100 are not above.
    P90,
    /// 99 of 100 are not above.
    P99,
    /// None is above.
    Max,
}

impl Quantile {
    /// All, with their names.
    pub const ALL: &'static [(&'static str, Self)] =
        &[("p50", Self::P50), ("p90", Self::P90), ("p99", Self::P99), ("max", Self::Max)];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::Max => "max",
        }
    }
}

/// How an observation compares to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

/// The signs, longest first, so that `<=` is not read as `<`.
const SIGNS: &[(&str, Comparison)] = &[
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Below),
    (">", Comparison::Above),
    ("=", Comparison::Equal),
];

/// A limit for an integer: nanoseconds, bytes, a count, or parts per billion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// On which side of the limit.
    pub comparison: Comparison,
    /// The limit.
    pub limit: i128,
}

impl Bound {
    /// Parts per billion make a whole.
    pub const WHOLE: u64 = 1_000_000_000;

    /// Exactly this count.
    pub fn exactly(count: u64) -> Self {
        Self { comparison: Comparison::Equal, limit: i128::from(count) }
    }

    /// Reads `<= 2s`, `> 0` or `>= 99%`.
    pub fn parse(text: &str, kind: MeasureKind) -> Result<Self, Malformed> {
        let trimmed = text.trim();
        let sign = SIGNS.iter().find(|(sign, _)| trimmed.starts_with(sign));
        let limit = sign.map_or(trimmed, |(sign, _)| trimmed[sign.len()..].trim_start());
        let malformed = |message: String, help: &str| Malformed { message, help: Some(help.to_owned()) };
        let limit = match kind {
            MeasureKind::Truth => {
                return Err(malformed(format!("`{text}` is neither true nor false"), "write true or false"));
            }
            MeasureKind::Consistency => {
                return Err(malformed(
                    format!("`{text}` is a bound"),
                    "write \"linearizable\" or \"not linearizable\"",
                ));
            }
            MeasureKind::Value => return Err(malformed(format!("`{text}` is a bound"), "write the value")),
            MeasureKind::Count => count(limit)
                .ok_or_else(|| malformed(format!("`{limit}` is not a count"), "write \"= 0\" or \"> 0\""))?,
            MeasureKind::Size => count(limit).map_or_else(|| Size::parse(limit).map(i128::from), Ok)?,
            MeasureKind::Quantiles => i128::from(Duration::parse(limit)?),
            MeasureKind::Share => {
                let (share, denominator) = share(limit)?;
                if share > denominator {
                    return Err(malformed("a share cannot be more than 100%".to_owned(), "write \">= 99%\""));
                }
                let scaled = i128::from(share) * i128::from(Self::WHOLE);
                if scaled % i128::from(denominator) != 0 {
                    return Err(malformed("this is finer than one part in a billion".to_owned(), "use fewer decimals"));
                }
                scaled / i128::from(denominator)
            }
        };
        let comparison = match (sign, kind) {
            (Some((_, comparison)), _) => *comparison,
            (None, MeasureKind::Count | MeasureKind::Size) => Comparison::Equal,
            (None, _) => {
                return Err(malformed(
                    format!("`{text}` has no comparison"),
                    &format!("write \"<= {trimmed}\" or \">= {trimmed}\""),
                ));
            }
        };
        Ok(Self { comparison, limit })
    }

    /// Does the observation keep to the bound?
    pub fn holds(self, observed: i128) -> bool {
        self.compares(observed.cmp(&self.limit))
    }

    /// Does the share `part / whole` keep to the bound? Exact; a share of nothing counts as all of it.
    pub fn holds_share(self, part: u64, whole: u64) -> bool {
        let (part, whole) = if whole == 0 { (1, 1) } else { (part, whole) };
        // Both factors of each product are below 2^64, so the products fit.
        let observed = i128::from(part) * i128::from(Self::WHOLE);
        self.compares(observed.cmp(&(self.limit * i128::from(whole))))
    }

    fn compares(self, ordering: std::cmp::Ordering) -> bool {
        match self.comparison {
            Comparison::Below => ordering.is_lt(),
            Comparison::AtMost => ordering.is_le(),
            Comparison::Equal => ordering.is_eq(),
            Comparison::AtLeast => ordering.is_ge(),
            Comparison::Above => ordering.is_gt(),
        }
    }
}

/// A count with optional underscores.
fn count(text: &str) -> Option<i128> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.replace('_', "").parse::<u64>().ok().map(i128::from)
}

/// What is wanted of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// True or false.
    Truth(bool),
    /// Within a bound.
    Within(Bound),
    /// Does the run keep to this model?
    Model(Consistency, bool),
    /// The value as it is written.
    Value,
}

/// A measure, and what is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What is measured.
    pub measure: &'static Measure,
    /// Of a distribution, this quantile; the value itself, or the greatest of several runs, when absent.
    pub quantile: Option<Quantile>,
    /// What is wanted.
    pub wanted: Wanted,
    /// The bound as it was written.
    pub written: String,
}

impl fmt::Display for Expectation {
    /// For example `convergence_time.p99 <= 2s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.measure.name)?;
        if let Some(quantile) = self.quantile {
            write!(f, ".{}", quantile.name())?;
        }
        let signed = self.written.starts_with(['<', '>', '=']);
        write!(f, " {}{}", if signed { "" } else { "= " }, self.written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_compare_exactly() {
        let parse = |text, kind| Bound::parse(text, kind).expect(text);
        for (text, kind, inside, outside) in [
            ("<= 2s", MeasureKind::Quantiles, 2_000_000_000, 2_000_000_001),
            ("<2s", MeasureKind::Quantiles, 1_999_999_999, 2_000_000_000),
            ("> 0", MeasureKind::Count, 1, 0),
            ("= 3", MeasureKind::Count, 3, 4),
            ("== 3", MeasureKind::Count, 3, 2),
            ("1_000", MeasureKind::Count, 1000, 1001),
            (">= 1KiB", MeasureKind::Size, 1024, 1023),
            ("<= 7", MeasureKind::Size, 7, 8),
            (">= 99.5%", MeasureKind::Share, 995_000_000, 994_999_999),
        ] {
            let bound = parse(text, kind);
            assert!(bound.holds(inside) && !bound.holds(outside), "{text}");
        }
        let bound = parse(">= 99%", MeasureKind::Share);
        assert!(bound.holds_share(99, 100) && !bound.holds_share(98, 100) && bound.holds_share(0, 0));
        assert!(bound.holds_share(u64::MAX, u64::MAX));
    }

    #[test]
    fn malformed_bounds_say_why() {
        for (text, kind, why) in [
            ("2s", MeasureKind::Quantiles, "`2s` has no comparison"),
            ("99%", MeasureKind::Share, "`99%` has no comparison"),
            ("<= 2", MeasureKind::Quantiles, "`2` has no unit: it should be a duration such as \"20ms\""),
            (">= 101%", MeasureKind::Share, "a share cannot be more than 100%"),
            (">= 0.00000001%", MeasureKind::Share, "this is finer than one part in a billion"),
            ("> -1", MeasureKind::Count, "`-1` is not a count"),
            ("", MeasureKind::Count, "`` is not a count"),
            ("yes", MeasureKind::Truth, "`yes` is neither true nor false"),
        ] {
            assert_eq!(Bound::parse(text, kind).expect_err(text).message, why);
        }
    }

    #[test]
    fn measures_have_distinct_names_and_quantiles_know_theirs() {
        let mut names: Vec<_> = MEASURES.iter().map(|measure| measure.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MEASURES.len());
        assert!(Quantile::ALL.iter().all(|(name, quantile)| quantile.name() == *name));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[<>=]{0,2} ?[0-9_.%a-z-]{0,24}") {
            for kind in [MeasureKind::Truth, MeasureKind::Count, MeasureKind::Size, MeasureKind::Share, MeasureKind::Quantiles] {
                let _ = Bound::parse(&text, kind);
            }
        }
    }
}
