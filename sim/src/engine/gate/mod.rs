//! The gate: the same seeds again, compared with a baseline pair by pair.
//!
//! Runs are functions of seed and code, so three questions are asked apart. Did anything change at all? Fingerprints tell. Did a property
//! break? A seed that failed now and not before is a finding, whatever the statistics say. Did it get worse? Only that takes
//! statistics: a metric has regressed if the signed-rank test (Wilcoxon, ties by Pratt), corrected over everything that is
//! compared (Holm), is below the level, *and* the bootstrap interval of the relative change of the mean excludes zero, *and* the change is
//! at least as large as `min_effect`.
//!
//! Invariant: an unchanged run differs by nothing, so that a gate over unchanged code never fires.
//!
//! What is deliberately absent: unpaired comparisons, and times of the machine.

mod baseline;
mod compare;
mod metrics;

use rayon::prelude::*;

pub use baseline::{Baseline, BaselineSystem, SCHEMA_VERSION, Series, written};
pub use compare::{Change, Comparison, GateOptions, MetricChange, NewFailure, compare, correct};
pub use metrics::{METRICS, Metric, Unit};

use super::sweep::{Header, Row, Rows, Seeds, row};
use crate::scenario::{Plan, SystemSpec};

/// Runs all systems of a scenario under these seeds, and keeps the rows in memory.
pub fn rows(plan: &Plan, seeds: Seeds) -> Rows {
    let systems: Vec<&SystemSpec> = plan.systems.iter().collect();
    let mut rows = Rows::new(Header::new(plan, &systems));
    let pairs: Vec<(u64, &SystemSpec)> =
        seeds.iter().flat_map(|seed| systems.iter().map(move |system| (seed, *system))).collect();
    let made: Vec<Row> = pairs.par_iter().map(|(seed, system)| row(plan, system, *seed)).collect();
    for row in made {
        // Each key is made once, so that no two rows can contradict each other.
        let _ = rows.insert(row);
    }
    rows
}
