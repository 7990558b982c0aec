//! Virtual time: whole nanoseconds since the start of a run.
//!
//! Invariant: time is an integer everywhere. No float decides when something happens, so every platform agrees.
//!
//! ```
//! use sim::kernel::time::{SECOND, Time};
//! assert_eq!(Time(2 * SECOND).to_string(), "2s");
//! assert_eq!((Time(5) + 10) - Time(3), 12);
//! ```
//!
//! Durations are plain `u64` nanoseconds in fields whose names end in `_ns`. There is no calendar here and no wall clock.

use std::fmt;

/// One microsecond in nanoseconds.
pub const MICROSECOND: u64 = 1_000;
/// One millisecond in nanoseconds.
pub const MILLISECOND: u64 = 1_000_000;
/// One second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// An instant of virtual time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

impl Time {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// Later than every instant of a run.
    pub const NEVER: Self = Self(u64::MAX);

    /// Nanoseconds from `earlier` to `self`, or 0 when `self` is the earlier one.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::ops::Add<u64> for Time {
    type Output = Self;

    /// Saturates at [`Time::NEVER`]: an event after the end of time never happens.
    #[inline]
    fn add(self, duration_ns: u64) -> Self {
        Self(self.0.saturating_add(duration_ns))
    }
}

impl std::ops::Sub for Time {
    type Output = u64;

    #[inline]
    fn sub(self, earlier: Self) -> u64 {
        self.since(earlier)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Nanos(self.0), f)
    }
}

/// Shows a duration as people write it: `1.5s`, `20ms`, `0s`; exact, never rounded. Honours width and alignment.
#[derive(Clone, Copy, Debug)]
pub struct Nanos(pub u64);

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit_ns, unit) = match self.0 {
            0 => (SECOND, "s"),
            ns if ns >= SECOND => (SECOND, "s"),
            ns if ns >= MILLISECOND => (MILLISECOND, "ms"),
            ns if ns >= MICROSECOND => (MICROSECOND, "us"),
            _ => (1, "ns"),
        };
        let whole = self.0 / unit_ns;
        let rest = self.0 % unit_ns;
        if rest == 0 {
            return f.pad(&format!("{whole}{unit}"));
        }
        let digits = unit_ns.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        f.pad(&format!("{whole}.{}{unit}", fraction.trim_end_matches('0')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_exactly() {
        for (ns, shown) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5us"),
            (20 * MILLISECOND, "20ms"),
            (1_500 * MILLISECOND, "1.5s"),
            (SECOND + 1, "1.000000001s"),
            (90 * SECOND, "90s"),
        ] {
            assert_eq!(Nanos(ns).to_string(), shown);
        }
        assert_eq!(format!("{:>6}", Nanos(SECOND)), "    1s");
    }

    #[test]
    fn sums_saturate_at_never() {
        assert_eq!(Time(u64::MAX - 1) + 5, Time::NEVER);
        assert_eq!(Time(3) - Time(5), 0);
    }
}
