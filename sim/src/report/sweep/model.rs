//! What a sweep found.
//!
//! Invariant: plain data, integers and text only. Times are nanoseconds (`_ns`), shares are parts per million (`_ppm`). Names are those of
//! the rows and of the report of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::model::Verdict;

/// The version of the schema, in [`SweepReport::schema`].
pub const SCHEMA_VERSION: u32 = 1;

/// The report of a sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SweepReport {
    /// The version of the schema: 1.
    pub schema: u32,
    /// The version of the program.
    pub tool: String,
    /// The scenario's name.
    pub scenario: String,
    /// The hash of its content, in hexadecimal.
    pub scenario_hash: String,
    /// The first seed that was asked for.
    pub seeds_from: u64,
    /// One past the last seed that was asked for.
    pub seeds_to: u64,
    /// The worst verdict of all runs.
    pub verdict: Verdict,
    /// One entry per system, in the order of the scenario file.
    pub systems: Vec<SweptSystem>,
    /// Every system but the first, compared with the first by the same seeds.
    #[serde(default)]
    pub contrasts: Vec<Contrast>,
    /// The ways in which runs failed, the most frequent first.
    pub failures: Vec<Failure>,
}

/// The time to converge of a system beside that of the first one, paired by seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contrast {
    /// Its name.
    pub system: String,
    /// The system that it is compared with.
    pub reference: String,
    /// Seeds under which both ran.
    pub seeds: u64,
    /// Seeds under which it converged sooner than the reference, or as the only one.
    pub sooner: u64,
    /// Seeds under which it converged later, or not.
    pub later: u64,
    /// How much longer it takes (Hodges and Lehmann 1963); null where that lies among seeds under which one did not converge.
    pub difference_ns: Option<i64>,
    /// The p-value of Wilcoxon's signed-rank test, corrected after Holm together with all others of the report.
    pub p_signed_rank_ppm: u32,
    /// The p-value of the log-rank test, corrected likewise; it compares whole curves and knows nothing of pairs.
    pub p_log_rank_ppm: u32,
    /// How many seeds find such a difference with 80 %; null where there is none to find.
    pub seeds_needed: Option<u64>,
}

/// What the runs of one system have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SweptSystem {
    /// Its name.
    pub name: String,
    /// How many runs there were.
    pub runs: u64,
    /// How many of them passed.
    pub pass: u64,
    /// How many put nothing to the test.
    pub vacuous: u64,
    /// How many could not be decided.
    pub inconclusive: u64,
    /// How many failed.
    pub fail: u64,
    /// With 95 % confidence the probability of a failure is at most this.
    pub fail_ppm_max: u32,
    /// Estimated probability that the next run fails in a way that was not seen yet (Good 1953).
    #[serde(default)]
    pub fail_unseen_ppm: u32,
    /// How many runs converged.
    pub converged: u64,
    /// How many did not agree on a value that the operations allow.
    pub incorrect: u64,
    /// How many different runs there were.
    pub fingerprints: u64,
    /// Times to converge; runs that did not are censored.
    pub convergence_time_ns: Spread,
    /// From the last heal.
    pub convergence_from_last_heal_ns: Spread,
    /// As clients see it.
    pub convergence_observed_ns: Spread,
    /// From an update's effect until all replicas reflect it: of every run the 99th percentile.
    pub visibility_latency_ns_p99: Spread,
    /// The share of operations that succeeded.
    pub availability_ppm: Spread,
    /// Acknowledged updates that are gone.
    pub lost_updates: Spread,
    /// Reads that were behind.
    pub stale_reads: Spread,
    /// Messages sent.
    pub messages: Spread,
    /// Their bytes.
    pub bytes: Spread,
    /// The size of the largest replica's state at the end.
    pub state_bytes: Spread,
    /// What is expected of it, in the order of the scenario. Where rows were joined without their scenario: what failed.
    #[serde(default)]
    pub expectations: Vec<SweptExpectation>,
}

/// An expectation, over all runs of a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SweptExpectation {
    /// As in the scenario.
    pub text: String,
    /// In how many runs it did not hold.
    pub failed: u64,
    /// The command line that shows the first of them.
    pub reproduce: Option<String>,
}

/// How a number is distributed over runs. A quantile that falls among the censored, or that is not known, is null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// The least.
    pub min: Option<u64>,
    /// Half are at most this.
    pub p50: Option<u64>,
    /// With 95 % confidence the median is at least this.
    pub p50_low: Option<u64>,
    /// With 95 % confidence the median is at most this.
    pub p50_high: Option<u64>,
    /// 90 of 100 are at most this.
    pub p90: Option<u64>,
    /// 99 of 100 are at most this.
    pub p99: Option<u64>,
    /// The greatest.
    pub max: Option<u64>,
    /// How many there are, the censored included.
    pub count: u64,
    /// How many are censored.
    pub censored: u64,
}

/// A way to fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The system, and what did not hold.
    pub failure: String,
    /// How many runs failed like this.
    pub count: u64,
    /// The least of their seeds.
    pub seed: u64,
    /// The command line that shows it.
    pub reproduce: String,
}

/// The JSON Schema of [`SweepReport`].
pub fn sweep_schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<SweepReport>()
}
