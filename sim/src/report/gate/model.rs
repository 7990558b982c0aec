//! What a gate found.
//!
//! Invariant: plain data, integers and text only. Shares are parts per million (`_ppm`); means are rounded to whole units of their metric.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::model::Verdict;

/// The version of the schema, in [`GateReport::schema`].
pub const SCHEMA_VERSION: u32 = 1;

/// The report of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The version of the schema: 1.
    pub schema: u32,
    /// The version of the program.
    pub tool: String,
    /// Fail if anything regressed or broke.
    pub verdict: Verdict,
    /// One entry per baseline.
    pub scenarios: Vec<GatedScenario>,
}

/// How one scenario compares with its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GatedScenario {
    /// Its name.
    pub scenario: String,
    /// Where it is.
    pub path: String,
    /// Fail if anything regressed or broke.
    pub verdict: Verdict,
    /// Pairs of system and seed.
    pub runs: u64,
    /// How many of them are another run now.
    pub changed_runs: u64,
    /// Runs that failed before and do not now.
    pub mended: u64,
    /// Runs that fail now and did not before.
    pub new_failures: Vec<GatedFailure>,
    /// Metrics that changed in any run.
    pub changes: Vec<GatedChange>,
}

/// Runs of one system that fail now and did not before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GatedFailure {
    /// The system.
    pub system: String,
    /// What does not hold.
    pub failure: String,
    /// How many runs.
    pub count: u64,
    /// The command line that shows the first.
    pub reproduce: String,
}

/// A metric that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GatedChange {
    /// The system.
    pub system: String,
    /// The metric.
    pub metric: String,
    /// `regression`, `small` or `improvement`.
    pub change: String,
    /// Seeds.
    pub seeds: u64,
    /// Seeds whose number changed.
    pub changed: u64,
    /// Seeds whose number grew.
    pub worse: u64,
    /// The mean before, for a person.
    pub before: String,
    /// The mean now, for a person.
    pub now: String,
    /// The relative change of the mean; null when it is infinite.
    pub relative_ppm: Option<i64>,
    /// The lower end of its 95 % interval.
    pub relative_ppm_low: Option<i64>,
    /// The upper end.
    pub relative_ppm_high: Option<i64>,
    /// The p-value, corrected over everything that was compared, times a million, rounded up.
    pub p_adjusted_ppm: u32,
    /// The seed of the first pair; the others follow.
    #[serde(default)]
    pub seeds_from: u64,
    /// The number before and the number now, a pair for each seed. A negative one is censored at its absolute value.
    #[serde(default)]
    pub pairs: Vec<(i64, i64)>,
}

/// The JSON Schema of [`GateReport`].
pub fn gate_schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<GateReport>()
}
