//! What is compared: numbers of a run that should not grow.
//!
//! Invariant: of every metric less is better.
//!
//! What is deliberately absent: verdicts and fingerprints, which are compared for themselves.

use crate::{engine::sweep::Row, statistics::Convergence};

/// A number of a run that should not grow.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// The name, as in rows.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// The number of a run.
    pub of: fn(&Row) -> Convergence,
}

/// Metrics are told apart by their names.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What a metric is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Parts per million.
    Ppm,
}

const fn metric(name: &'static str, unit: Unit, of: fn(&Row) -> Convergence) -> Metric {
    Metric { name, unit, of }
}

/// A time that did not end in the run is censored at the horizon.
fn time(ns: Option<u64>, row: &Row) -> Convergence {
    ns.map_or(Convergence::Censored(row.censored_at_ns), Convergence::At)
}

/// All metrics.
pub const METRICS: &[Metric] = &[
    metric("convergence_time_ns", Unit::Nanoseconds, |row| time(row.convergence_time_ns, row)),
    metric("visibility_latency_ns_p99", Unit::Nanoseconds, |row| time(row.visibility_latency_ns_p99, row)),
    metric("unavailability_ppm", Unit::Ppm, |row| {
        let total = row.ok + row.fail + row.info;
        Convergence::At(((row.fail + row.info) * 1_000_000).checked_div(total).unwrap_or(0))
    }),
    metric("lost_updates", Unit::Count, |row| Convergence::At(row.lost_updates.unwrap_or(0))),
    metric("stale_reads", Unit::Count, |row| Convergence::At(row.stale_reads)),
    metric("messages", Unit::Count, |row| Convergence::At(row.messages)),
    metric("bytes", Unit::Bytes, |row| Convergence::At(row.bytes)),
    metric("state_bytes", Unit::Bytes, |row| Convergence::At(row.state_bytes)),
];
