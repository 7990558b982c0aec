//! Latencies in whole milliseconds, and their quantiles, as the original rounds and picks them.
//!
//! Invariant: quantile `p` of `n` values is the one at place `min(n - 1, floor(n p))` in ascending order.
//!
//! ```
//! use sim::checkers::set_full::Quantiles;
//! let of = Quantiles::of((1..=100).collect()).expect("there are values");
//! assert_eq!((of.min, of.median, of.p95, of.p99, of.max), (1, 51, 96, 100, 100));
//! ```
//!
//! What is deliberately absent: interpolation.

use super::{Outcome, elements::Element};

const NS_PER_MS: u64 = 1_000_000;

/// When an element really was visible, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrueTimes {
    /// The instant from which it was visible everywhere and stayed so, if there is one.
    pub visible: Option<u64>,
    /// The instant at which it was gone for good, if there is one.
    pub gone: Option<u64>,
}

/// Tells true times, if they are known.
pub(super) type Times<'t, E> = Option<&'t dyn Fn(&E) -> Option<TrueTimes>>;

/// Quantiles of latencies, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles {
    /// Quantile 0.
    pub min: u64,
    /// Quantile 0.5.
    pub median: u64,
    /// Quantile 0.95.
    pub p95: u64,
    /// Quantile 0.99.
    pub p99: u64,
    /// Quantile 1.
    pub max: u64,
}

impl Quantiles {
    /// Those of some values; `None` of none.
    pub fn of(mut values: Vec<u64>) -> Option<Self> {
        values.sort_unstable();
        let last = values.len().checked_sub(1)?;
        let at = |percent: usize| values[last.min(values.len() * percent / 100)];
        Some(Self { min: at(0), median: at(50), p95: at(95), p99: at(99), max: at(100) })
    }
}

/// How long after an element was known it became stable, or was lost; in milliseconds. By reads, that is just after the
/// invocation of the last one that shows the opposite.
pub(super) fn latency_ms<E>(element: &Element<'_, E>, times: Times<'_, E>) -> Option<u64> {
    let known = element.known?;
    let at = match (element.outcome, times) {
        (Outcome::NeverRead, _) => return None,
        (Outcome::Stable, Some(times)) => times(element.value)?.visible?,
        (Outcome::Lost, Some(times)) => times(element.value)?.gone?,
        (Outcome::Stable, None) => element.absent.map_or(0, |(invoked, _)| invoked.saturating_add(1)),
        (Outcome::Lost, None) => element.present.map_or(0, |(invoked, _)| invoked.saturating_add(1)),
    };
    Some(at.saturating_sub(known) / NS_PER_MS)
}
