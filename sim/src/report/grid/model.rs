//! What a grid found.
//!
//! Invariant: plain data, integers and text only. Times are nanoseconds (`_ns`); names are those of the report of a sweep.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{
    model::Verdict,
    sweep::model::{Failure, Spread},
};

/// The version of the schema, in [`GridReport::schema`].
pub const SCHEMA_VERSION: u32 = 1;

/// The report of a grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GridReport {
    /// The version of the schema: 1.
    pub schema: u32,
    /// The version of the program.
    pub tool: String,
    /// The scenario's name.
    pub scenario: String,
    /// The first seed that was asked for.
    pub seeds_from: u64,
    /// One past the last seed that was asked for.
    pub seeds_to: u64,
    /// The worst verdict of all points.
    pub verdict: Verdict,
    /// What is varied, the slowest first.
    pub axes: Vec<Axis>,
    /// All combinations.
    pub points: Vec<Point>,
}

/// A key that is varied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Axis {
    /// The key, as for `--set`.
    pub key: String,
    /// Its values, in the order of the command line.
    pub values: Vec<String>,
}

/// One combination of values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// Overrides `KEY=VALUE`, one per axis.
    pub settings: Vec<String>,
    /// The hash of the scenario at this point.
    pub scenario_hash: String,
    /// The worst verdict of all runs.
    pub verdict: Verdict,
    /// One entry per system, in the order of the scenario file.
    pub systems: Vec<Cell>,
    /// The ways in which runs failed, the most frequent first.
    pub failures: Vec<Failure>,
}

/// A system at a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Its name.
    pub system: String,
    /// How many runs there were.
    pub runs: u64,
    /// How many of them converged.
    pub converged: u64,
    /// Times to converge; runs that did not are censored.
    pub convergence_time_ns: Spread,
    /// What convergence takes in theory, under the first seed; null where no theory applies.
    pub floor_ns: Option<u64>,
    /// How that comes about: hops or rounds.
    pub floor: Option<String>,
    /// Messages sent.
    pub messages: Spread,
    /// Their bytes.
    pub bytes: Spread,
}
