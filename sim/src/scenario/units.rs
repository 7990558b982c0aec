//! Quantities as people write them: `20ms`, `0.5%`, `256KiB`, `200/s`, `100ppm`.
//!
//! Every quantity is text with a unit and becomes an exact integer; what an integer cannot hold is refused. A [`Unit`] names the quantity, so that a field of the scenario file says in its type what it takes.
//!
//! ```
//! use sim::scenario::units::{Duration, Unit};
//! assert_eq!(Duration::parse("1.5ms"), Ok(1_500_000));
//! assert!(Duration::parse("0.5ns").is_err());
//! ```
//!
//! Comparisons such as `<= 2s` are not read here (`scenario::expectation`), nor are there compound durations.

use crate::kernel::draws::Probability;

/// The longest duration of a scenario, about 31 years: sums of a dozen of them stay within 64 bits.
pub const DURATION_NS_MAX: u64 = 1_000_000_000_000_000_000;

/// One event per nanosecond, in events per 1000 seconds.
const RATE_MHZ_MAX: u128 = 1_000_000_000_000;

/// A quantity that a scenario writes as text.
pub trait Unit {
    /// What it becomes.
    type Value;

    /// What a text of this unit looks like, for errors: `a duration such as "20ms"`.
    const EXPECTED: &'static str;

    /// The regular expression of JSON Schema for it.
    const PATTERN: &'static str;

    /// Reads the text.
    fn parse(text: &str) -> Result<Self::Value, Malformed>;
}

/// Why a text is not the quantity it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl Malformed {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A duration in nanoseconds, zero or more.
#[derive(Clone, Copy, Debug)]
pub struct Duration;

impl Unit for Duration {
    type Value = u64;
    const EXPECTED: &'static str = "a duration such as \"20ms\"";
    const PATTERN: &'static str = r"^\s*[0-9][0-9_]*(\.[0-9]+)?\s*(ns|us|µs|ms|s|m|h)\s*$";

    fn parse(text: &str) -> Result<u64, Malformed> {
        let ns = nanoseconds(text)?;
        u64::try_from(ns).map_err(|_| {
            Malformed::new("a duration cannot be negative")
                .help(format!("write `{}`", text.trim().trim_start_matches('-')))
        })
    }
}

/// A duration in nanoseconds, possibly negative.
#[derive(Clone, Copy, Debug)]
pub struct SignedDuration;

impl Unit for SignedDuration {
    type Value = i64;
    const EXPECTED: &'static str = "a duration such as \"-2s\"";
    const PATTERN: &'static str = r"^\s*[+-]?[0-9][0-9_]*(\.[0-9]+)?\s*(ns|us|µs|ms|s|m|h)\s*$";

    fn parse(text: &str) -> Result<i64, Malformed> {
        nanoseconds(text)
    }
}

/// A probability, written as a percentage.
#[derive(Clone, Copy, Debug)]
pub struct Percentage;

impl Unit for Percentage {
    type Value = Probability;
    const EXPECTED: &'static str = "a percentage such as \"2%\"";
    const PATTERN: &'static str = r"^\s*[0-9][0-9_]*(\.[0-9]+)?\s*%\s*$";

    fn parse(text: &str) -> Result<Probability, Malformed> {
        let (share, denominator) = share(text)?;
        Probability::ratio(share, denominator).ok_or_else(|| {
            Malformed::new("a probability cannot be more than 100%").help("use a percentage from 0% to 100%")
        })
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Size;

impl Unit for Size {
    type Value = u64;
    const EXPECTED: &'static str = "a size such as \"256KiB\"";
    const PATTERN: &'static str = r"^\s*[0-9][0-9_]*(\.[0-9]+)?\s*(B|KB|KiB|MB|MiB|GB|GiB)\s*$";

    fn parse(text: &str) -> Result<u64, Malformed> {
        let (number, unit) = split(text)?;
        let bytes = lookup(unit, SIZES, "size", Self::EXPECTED, text)?;
        let value = number.times(bytes).map_err(|fault| fault.explain("a byte"))?;
        within(value, 1 << 50, "a size", "1 PiB")
    }
}

/// Bytes per second.
#[derive(Clone, Copy, Debug)]
pub struct Throughput;

impl Unit for Throughput {
    type Value = u64;
    const EXPECTED: &'static str = "a throughput such as \"10MB/s\"";
    const PATTERN: &'static str = r"^\s*[0-9][0-9_]*(\.[0-9]+)?\s*(B|KB|KiB|MB|MiB|GB|GiB)/s\s*$";

    fn parse(text: &str) -> Result<u64, Malformed> {
        let Some(size) = text.trim().strip_suffix("/s") else {
            return Err(
                Malformed::new(format!("`{text}` is not {}", Self::EXPECTED)).help("write bytes per second, `10MB/s`")
            );
        };
        match Size::parse(size)? {
            0 => Err(Malformed::new("a throughput of zero carries nothing")
                .help("leave it out for a link that is never busy")),
            bytes => Ok(bytes),
        }
    }
}

/// A rate of events, in events per 1000 seconds (millihertz).
///
/// Rates above one per second are rounded to the nearest, an error below one in two thousand; slower ones must be exact.
#[derive(Clone, Copy, Debug)]
pub struct Frequency;

impl Unit for Frequency {
    type Value = u64;
    const EXPECTED: &'static str = "a rate such as \"200/s\"";
    const PATTERN: &'static str = r"^\s*[0-9][0-9_]*(\.[0-9]+)?\s*/\s*(ms|s|m|h)\s*$";

    fn parse(text: &str) -> Result<u64, Malformed> {
        let unfit = || {
            Malformed::new(format!("`{text}` is not {}", Self::EXPECTED)).help("write events per `ms`, `s`, `m` or `h`")
        };
        let (number, unit) = split(text)?;
        let unit = unit.strip_prefix('/').ok_or_else(unfit)?.trim();
        let (_, unit_ns) = DURATIONS.iter().find(|(name, ns)| *name == unit && *ns >= 1_000_000).ok_or_else(unfit)?;
        if number.negative {
            return Err(Malformed::new("a rate cannot be negative"));
        }
        if number.digits == 0 {
            return Err(Malformed::new("a rate of zero lets nothing happen").help("use a rate above zero"));
        }
        // The digits are below 2^67, and 10^18 nanoseconds make 10^12 events per 1000 seconds at one per nanosecond.
        let per_ns = unit_ns * 10_u128.pow(number.scale);
        let events = number.digits * 1_000_000_000_000;
        let rate_mhz = (events + per_ns / 2) / per_ns;
        if rate_mhz < 1_000 && events % per_ns != 0 {
            return Err(
                Malformed::new("the rate is no whole number of events in 1000 seconds").help("use a rounder rate")
            );
        }
        if rate_mhz > RATE_MHZ_MAX {
            return Err(Malformed::new("a rate cannot exceed one event per nanosecond").help("use a lower rate"));
        }
        Ok(rate_mhz as u64)
    }
}

/// The error of a clock's speed, in parts per billion.
#[derive(Clone, Copy, Debug)]
pub struct Drift;

impl Unit for Drift {
    type Value = i64;
    const EXPECTED: &'static str = "a drift such as \"100ppm\"";
    const PATTERN: &'static str = r"^\s*[+-]?[0-9][0-9_]*(\.[0-9]+)?\s*(ppb|ppm|%)\s*$";

    fn parse(text: &str) -> Result<i64, Malformed> {
        let (number, unit) = split(text)?;
        let ppb = lookup(unit, DRIFTS, "drift", Self::EXPECTED, text)?;
        let value = number.times(ppb).map_err(|fault| fault.explain("one part per billion"))?;
        // A clock that gained or lost half its time would be no clock; it also keeps its speed positive.
        if value.unsigned_abs() > 500_000_000 {
            return Err(
                Malformed::new("a clock cannot drift by more than 50%").help("real clocks drift by 1ppm to 200ppm")
            );
        }
        Ok(value as i64)
    }
}

const DURATIONS: &[(&str, u128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const SIZES: &[(&str, u128)] = &[
    ("B", 1),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

const DRIFTS: &[(&str, u128)] = &[("ppb", 1), ("ppm", 1_000), ("%", 10_000_000)];

/// A share of one, as a fraction: the percentage `2.5%` is 25 of 1000.
pub(super) fn share(text: &str) -> Result<(u64, u64), Malformed> {
    let (number, unit) = split(text)?;
    if unit != "%" {
        let help = format!("write `{}%`", text.trim().trim_end_matches(unit));
        return Err(Malformed::new(format!("`{text}` is not {}", Percentage::EXPECTED)).help(help));
    }
    if number.negative {
        return Err(Malformed::new("a percentage cannot be negative"));
    }
    let too_fine = || Malformed::new("the percentage has too many digits").help("a dozen decimals are enough");
    let denominator = 10_u64.checked_pow(number.scale + 2).ok_or_else(too_fine)?;
    Ok((u64::try_from(number.digits).map_err(|_| too_fine())?, denominator))
}

/// A decimal number: `digits / 10^scale`.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    negative: bool,
    digits: u128,
    scale: u32,
}

/// Why a product is no integer in range.
enum Inexact {
    Overflow,
    Fraction,
}

impl Inexact {
    fn explain(self, grain: &str) -> Malformed {
        match self {
            Self::Overflow => Malformed::new("the number is too large"),
            Self::Fraction => Malformed::new(format!("this is finer than {grain}")),
        }
    }
}

impl Decimal {
    /// The exact product with an integer.
    fn times(self, factor: u128) -> Result<i128, Inexact> {
        let product = self.digits.checked_mul(factor).ok_or(Inexact::Overflow)?;
        let divisor = 10_u128.pow(self.scale);
        if product % divisor != 0 {
            return Err(Inexact::Fraction);
        }
        let value = i128::try_from(product / divisor).map_err(|_| Inexact::Overflow)?;
        Ok(if self.negative { -value } else { value })
    }
}

/// Splits `1_000.5 ms` into its number and its unit.
fn split(text: &str) -> Result<(Decimal, &str), Malformed> {
    let trimmed = text.trim();
    let (negative, rest) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let malformed = !whole.starts_with(|c: char| c.is_ascii_digit()) || fraction.is_empty() || fraction.contains('.');
    if malformed {
        return Err(Malformed::new(format!("`{text}` does not start with a number")));
    }
    let fraction = fraction.trim_end_matches(['0', '_']);
    let mut digits: u128 = 0;
    let mut scale = 0;
    for (part, is_fraction) in [(whole, false), (fraction, true)] {
        for digit in part.bytes().filter(u8::is_ascii_digit) {
            digits = digits * 10 + u128::from(digit - b'0');
            scale += u32::from(is_fraction);
            // 20 digits times the largest unit stay below 2^127.
            if digits > 100_000_000_000_000_000_000 || scale > 18 {
                return Err(Malformed::new(format!("`{text}` has too many digits")));
            }
        }
    }
    Ok((Decimal { negative, digits, scale }, unit.trim()))
}

/// Finds the factor of a unit.
fn lookup(unit: &str, units: &[(&str, u128)], what: &str, expected: &str, text: &str) -> Result<u128, Malformed> {
    if let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) {
        return Ok(*factor);
    }
    let names = units.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let message = if unit.is_empty() {
        format!("`{text}` has no unit: it should be {expected}")
    } else {
        format!("`{unit}` is not a unit of {what}")
    };
    Err(Malformed::new(message).help(format!("the units are {names}")))
}

fn nanoseconds(text: &str) -> Result<i64, Malformed> {
    let (number, unit) = split(text)?;
    let unit_ns = lookup(unit, DURATIONS, "time", Duration::EXPECTED, text)?;
    let value = number.times(unit_ns).map_err(|fault| fault.explain("a nanosecond"))?;
    if value.unsigned_abs() > u128::from(DURATION_NS_MAX) {
        return Err(Malformed::new("the duration is too long").help("at most 31 years (277777h) fit"));
    }
    Ok(value as i64)
}

fn within(value: i128, max: u64, what: &str, limit: &str) -> Result<u64, Malformed> {
    match u64::try_from(value) {
        Ok(value) if value <= max => Ok(value),
        Ok(_) => Err(Malformed::new(format!("{what} cannot exceed {limit}"))),
        Err(_) => Err(Malformed::new(format!("{what} cannot be negative"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::time::Nanos;

    #[test]
    fn durations_are_exact() {
        for (text, ns) in [
            ("0s", 0),
            ("1ns", 1),
            ("20us", 20_000),
            ("20µs", 20_000),
            ("20ms", 20_000_000),
            ("1.5s", 1_500_000_000),
            ("0.000000001s", 1),
            ("1_000 ms", 1_000_000_000),
            ("2m", 120_000_000_000),
            (" 1h ", 3_600_000_000_000),
            ("1.50s", 1_500_000_000),
            ("277777h", 999_997_200_000_000_000),
        ] {
            assert_eq!(Duration::parse(text), Ok(ns), "{text}");
        }
        assert_eq!(SignedDuration::parse("-2s"), Ok(-2_000_000_000));
        assert_eq!(SignedDuration::parse("+2s"), Ok(2_000_000_000));
    }

    fn message<U: Unit>(text: &str) -> String
    where
        U::Value: std::fmt::Debug,
    {
        U::parse(text).expect_err(text).message
    }

    #[test]
    fn malformed_durations_say_why() {
        for (text, why) in [
            ("20", "`20` has no unit: it should be a duration such as \"20ms\""),
            ("20 sec", "`sec` is not a unit of time"),
            ("", "`` does not start with a number"),
            ("ms", "`ms` does not start with a number"),
            (".5s", "`.5s` does not start with a number"),
            ("1.s", "`1.s` does not start with a number"),
            ("1.2.3s", "`1.2.3s` does not start with a number"),
            ("1..3s", "`1..3s` does not start with a number"),
            ("-1s", "a duration cannot be negative"),
            ("0.5ns", "this is finer than a nanosecond"),
            ("400000h", "the duration is too long"),
            ("99999999999999999999999999999s", "`99999999999999999999999999999s` has too many digits"),
            ("0.0000000000000000001s", "`0.0000000000000000001s` has too many digits"),
        ] {
            assert_eq!(message::<Duration>(text), why, "{text}");
        }
    }

    #[test]
    fn percentages_are_exact_probabilities() {
        for (text, numerator, denominator) in [
            ("0%", 0, 1),
            ("100%", 1, 1),
            ("2%", 1, 50),
            ("0.5%", 1, 200),
            ("0.000001%", 1, 100_000_000),
            ("33.30 %", 333, 1000),
        ] {
            assert_eq!(Percentage::parse(text).ok(), Probability::ratio(numerator, denominator), "{text}");
        }
        assert_eq!(message::<Percentage>("100.1%"), "a probability cannot be more than 100%");
        assert_eq!(message::<Percentage>("-1%"), "a percentage cannot be negative");
        assert_eq!(message::<Percentage>("0.02"), "`0.02` is not a percentage such as \"2%\"");
        assert_eq!(message::<Percentage>("99999999999999999999%"), "the percentage has too many digits");
        assert_eq!(Percentage::parse("2").expect_err("no unit").help.as_deref(), Some("write `2%`"));
    }

    #[test]
    fn sizes_and_throughputs() {
        for (text, bytes) in [
            ("0B", 0),
            ("7B", 7),
            ("2KB", 2_000),
            ("2KiB", 2_048),
            ("1.5MB", 1_500_000),
            ("4MiB", 4 << 20),
            ("3GB", 3_000_000_000),
            ("0.5GiB", 1 << 29),
        ] {
            assert_eq!(Size::parse(text), Ok(bytes), "{text}");
        }
        assert_eq!(message::<Size>("4kb"), "`kb` is not a unit of size");
        assert_eq!(message::<Size>("0.5B"), "this is finer than a byte");
        assert_eq!(message::<Size>("-1KB"), "a size cannot be negative");
        assert_eq!(message::<Size>("9999999999GB"), "a size cannot exceed 1 PiB");
        assert_eq!(Throughput::parse("10MB/s"), Ok(10_000_000));
        assert_eq!(message::<Throughput>("10MB"), "`10MB` is not a throughput such as \"10MB/s\"");
        assert_eq!(message::<Throughput>("0B/s"), "a throughput of zero carries nothing");
    }

    #[test]
    fn rates_are_millihertz() {
        for (text, rate_mhz) in [
            ("200/s", 200_000),
            ("12/m", 200),
            ("0.5 /s", 500),
            ("3/ms", 3_000_000),
            ("3.6/h", 1),
            ("100/m", 1_667),
            ("1/ms", 1_000_000),
        ] {
            assert_eq!(Frequency::parse(text), Ok(rate_mhz), "{text}");
        }
        assert_eq!(message::<Frequency>("0/s"), "a rate of zero lets nothing happen");
        assert_eq!(message::<Frequency>("-5/s"), "a rate cannot be negative");
        assert_eq!(message::<Frequency>("200"), "`200` is not a rate such as \"200/s\"");
        assert_eq!(message::<Frequency>("200/day"), "`200/day` is not a rate such as \"200/s\"");
        assert_eq!(message::<Frequency>("2000000000/s"), "a rate cannot exceed one event per nanosecond");
        assert_eq!(message::<Frequency>("1/h"), "the rate is no whole number of events in 1000 seconds");
    }

    #[test]
    fn drifts_are_parts_per_billion() {
        for (text, ppb) in [("100ppm", 100_000), ("-5ppb", -5), ("0.5ppm", 500), ("1%", 10_000_000)] {
            assert_eq!(Drift::parse(text), Ok(ppb), "{text}");
        }
        assert_eq!(message::<Drift>("60%"), "a clock cannot drift by more than 50%");
        assert_eq!(message::<Drift>("3"), "`3` has no unit: it should be a drift such as \"100ppm\"");
    }

    proptest! {
        #[test]
        fn shown_durations_are_read_back(ns in 0..=DURATION_NS_MAX) {
            prop_assert_eq!(Duration::parse(&Nanos(ns).to_string()), Ok(ns));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}", number in "[-+]?[0-9_.]{0,45}(ns|s|h|%|B|GiB|GB/s|/s|/h|ppm)?") {
            for text in [text, number] {
                let _ = Duration::parse(&text);
                let _ = SignedDuration::parse(&text);
                let _ = Percentage::parse(&text);
                let _ = Size::parse(&text);
                let _ = Throughput::parse(&text);
                let _ = Frequency::parse(&text);
                let _ = Drift::parse(&text);
            }
        }
    }
}
