//! The report model: what other programs read.
//!
//! Invariant: plain data, integers and text only. Times are nanoseconds (`_ns`), shares are parts per million (`_ppm`), and
//! values of the object are text, since they may exceed 64 bits. Names never change their meaning; new ones are added, and
//! [`SCHEMA_VERSION`] grows only when an old reader would misunderstand. `reports/README.md` defines every number.
//!
//! Nothing is computed here, and nothing is formatted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the report's schema, in [`Report::schema`].
pub const SCHEMA_VERSION: u32 = 1;

/// The phase that covers a whole run, in [`Availability::phase`] and [`LatencyOf::phase`].
pub const PHASE_ALL: &str = "all";

/// The report of one scenario run with one seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of the schema: 1.
    pub schema: u32,
    /// The version of the program.
    pub tool: String,
    /// The scenario's name.
    pub scenario: String,
    /// The comment that opens the scenario file.
    pub story: String,
    /// The hash of the scenario's content, overrides included, in hexadecimal.
    pub scenario_hash: String,
    /// The seed of all draws. Also in `reproduce`, for readers without 64-bit integers.
    pub seed: u64,
    /// The command line that gives this report again.
    pub reproduce: String,
    /// The worst verdict of all expectations and checks.
    pub verdict: Verdict,
    /// What the report is a function of, beside `scenario_hash` and `seed`.
    pub determinism: Determinism,
    /// When the quiet period ends and every replica is read once more.
    pub horizon_ns: u64,
    /// All fault windows, in the order of their start.
    pub timeline: Vec<FaultWindow>,
    /// One entry per system, in the order of the scenario file.
    pub systems: Vec<System>,
}

/// What a report is a function of, beside scenario and seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Determinism {
    /// The program: `sim`.
    pub tool: String,
    /// Its version.
    pub version: String,
}

/// The verdict of an expectation or of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds, and was put to the test.
    Pass,
    /// It was never put to the test.
    Vacuous,
    /// It could not be decided: a limit was reached, or too much is indeterminate.
    Inconclusive,
    /// It does not hold.
    Fail,
}

/// One occurrence of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FaultWindow {
    /// What phases and charts call it.
    pub label: String,
    /// The kind of fault, as in the scenario.
    pub kind: String,
    /// When it begins.
    pub from_ns: u64,
    /// When it is healed; null when it never is.
    pub to_ns: Option<u64>,
}

/// What became of one system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct System {
    /// Its name in the scenario.
    pub name: String,
    /// Its protocol in one line.
    pub protocol: String,
    /// The hash over all events of the run, in hexadecimal.
    pub fingerprint: String,
    /// How far the run can be relied on to be the same again: `deterministic`, `replayable K/N` as measured by running it again,
    /// or `best effort` with the reason.
    pub guarantee: String,
    /// How many events were handled.
    pub events: u64,
    /// Why the run stopped: `completed`, or the limit that it reached.
    pub stop: String,
    /// When the run stopped.
    pub ended_ns: u64,

    /// Do all live replicas hold the same observable value from some instant on?
    pub converged: bool,
    /// From t0 (the last effective update or the last heal, whichever is later) to that instant; null when censored.
    pub convergence_time_ns: Option<u64>,
    /// The same from the last update that took effect; null when censored, or without updates.
    pub convergence_from_last_update_ns: Option<u64>,
    /// The same from the last heal; null when censored, or without faults.
    pub convergence_from_last_heal_ns: Option<u64>,
    /// From t0 to the first instant from which every completed read returns the final value; null when there is none.
    pub convergence_observed_ns: Option<u64>,
    /// From an update's effect to the first instant at which all live replicas reflect it.
    pub visibility_latency_ns: Option<Quantiles>,
    /// The number of different values over time: pairs of the start of a cell (ns) and the most different values that
    /// replicas held at once in that cell, 0 when no replica had a value.
    pub agreement: Vec<(u64, u64)>,
    /// The most different values that replicas held at once.
    pub distinct_max: u64,

    /// Do the replicas agree, and on a value that the operations allow?
    pub correct: bool,
    /// Why not; null when correct.
    pub correct_witness: Option<String>,
    /// The value that all live replicas hold at the end; null when they do not agree.
    pub agreed_value: Option<String>,
    /// The values that the operations allow, for example `8..=10, 13..=15`.
    pub acceptable: String,
    /// Acknowledged updates that are gone at the end: missing at every live replica where replicas repair each other, at any
    /// where they do not; null when there were too many replicas and operations to follow every update.
    pub lost_updates: Option<u64>,
    /// Extra applications of an update, and applications of definitely failed ones; null as above.
    pub phantom_updates: Option<u64>,
    /// Reads that did not reflect all updates that had been acknowledged before.
    pub stale_reads: StaleReads,
    /// What each checker of the object says of what clients saw.
    pub checks: Vec<CheckVerdict>,
    /// The consistency models of clients that the run kept to, without those that another of them implies; `none` if there
    /// is none, `unknown` if some could not be decided, `untested` if no client read anything.
    pub consistency_strongest: String,
    /// Verdicts on all consistency models, the strong ones first.
    pub consistency: Vec<ConsistencyVerdict>,

    /// Operations by outcome.
    pub operations: Operations,
    /// The share of operations that succeeded, by phase of their invocation; first the phase `all`.
    pub availability: Vec<Availability>,
    /// How long successful operations took, by operation and phase of their invocation; first the phase `all`.
    pub latency_ns: Vec<LatencyOf>,

    /// Messages sent, without those between clients and replicas.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages lost, for whatever reason.
    pub dropped: u64,
    /// Messages that arrived twice.
    pub duplicated: u64,
    /// The size of a replica's state at the end, of the largest replica.
    pub state_bytes: u64,
    /// What of it is causal metadata.
    pub metadata_bytes: u64,
    /// What of it is kept only for what was removed.
    pub tombstone_bytes: u64,
    /// Conditional writes that were refused because somebody else wrote first.
    pub conflicts: u64,
    /// Attempts after the first of an operation.
    pub retries: u64,

    /// The expectations of the scenario on this system.
    pub expectations: Vec<Expectation>,
    /// What every fault did to this system: the evidence that it was put to the test.
    pub faults_bitten: Vec<FaultBite>,
    /// What is known of programs, where replicas are programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programs: Option<Programs>,
}

/// What is known of the programs of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Programs {
    /// Where their time came from, the least replayable of all: `interpreter`, `shim`, `messages` or `wall`.
    pub time_source: String,
    /// How often any of them was given something, or woken.
    pub steps: u64,
    /// How many messages they wrote.
    pub lines: u64,
    /// How many runs again were the same, step by step; null when nobody ran it again.
    pub audit_equal: Option<u32>,
    /// How many runs again there were.
    pub audit_runs: Option<u32>,
    /// The first step that differed in one of them, in both versions.
    pub audit_difference: Option<String>,
    /// What was out of order, by kind.
    pub notes: Vec<Notes>,
}

/// Everything of one kind that was out of order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notes {
    /// The kind, for example `malformed-line`.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Note>,
}

/// Something out of order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// Whose program, for example `n1`.
    pub node: String,
    /// The virtual time.
    pub at_ns: u64,
    /// What was wrong, with the line.
    pub what: String,
}

/// Quantiles of durations in nanoseconds. A censored duration is longer than any that was seen to end; a quantile that
/// falls among the censored is null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// Half take at most this long.
    pub p50: Option<u64>,
    /// 90 of 100 take at most this long.
    pub p90: Option<u64>,
    /// 99 of 100 take at most this long.
    pub p99: Option<u64>,
    /// The longest.
    pub max: Option<u64>,
    /// How many there are, the censored included.
    pub count: u64,
    /// How many had not ended when the run did.
    pub censored: u64,
}

/// How many reads were behind, and how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaleReads {
    /// Reads that missed at least one update acknowledged before they were invoked.
    pub count: u64,
    /// All reads that a replica answered with a value.
    pub reads: u64,
    /// By how many updates stale reads were behind: 99 of 100 by at most this many.
    pub updates_behind_p99: u64,
    /// By how many updates the worst read was behind.
    pub updates_behind_max: u64,
    /// How long before a stale read's invocation the oldest missing update had been acknowledged: 99 of 100 at most this.
    pub time_behind_ns_p99: u64,
    /// The same for the worst read.
    pub time_behind_ns_max: u64,
}

/// The verdict of a checker of the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckVerdict {
    /// The checker, for example `bounded-reads`; `sim list checkers` says what it asks for.
    pub checker: String,
    /// Does the history keep to it?
    pub verdict: Verdict,
    /// What shows that it does not, or why it is unknown or vacuous.
    pub witness: Option<String>,
}

/// A verdict on a consistency model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsistencyVerdict {
    /// The model, for example `linearizable`.
    pub model: String,
    /// Does the history conform to it?
    pub verdict: Verdict,
    /// What shows that it does not, or why it is unknown.
    pub witness: Option<String>,
}

/// Operations by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Operations {
    /// Acknowledged.
    pub ok: u64,
    /// Definitely without effect.
    pub fail: u64,
    /// Indeterminate.
    pub info: u64,
}

/// The share of operations that succeeded in one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Availability {
    /// `all`, or before, during or after a fault.
    pub phase: String,
    /// Operations invoked in the phase that succeeded.
    pub ok: u64,
    /// Operations invoked in the phase.
    pub total: u64,
    /// `ok` of `total` in parts per million, rounded down; null when nothing was invoked.
    pub availability_ppm: Option<u32>,
}

/// How long one kind of operation took in one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyOf {
    /// The operation, for example `add`.
    pub operation: String,
    /// `all`, or before, during or after a fault.
    pub phase: String,
    /// The durations of acknowledged operations.
    pub quantiles: Quantiles,
}

/// An expectation of the scenario, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expectation {
    /// The expectation, for example `lost_updates = 0`.
    pub text: String,
    /// Does it hold?
    pub verdict: Verdict,
    /// What was observed instead, or as expected.
    pub observed: String,
    /// Why the verdict is vacuous or inconclusive, or what shows the failure.
    pub reason: Option<String>,
}

/// What one fault window did to a system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FaultBite {
    /// The label of the window.
    pub label: String,
    /// Messages it took.
    pub messages_lost: u64,
    /// Messages it made arrive twice.
    pub messages_duplicated: u64,
    /// Messages it made late.
    pub messages_delayed: u64,
    /// Other events it made late: on paused and slow nodes.
    pub events_delayed: u64,
    /// Nodes it took down.
    pub crashes: u64,
    /// Clocks it set wrong.
    pub clocks_set: u64,
}

impl FaultBite {
    /// Did the fault do anything at all?
    pub fn bit(&self) -> bool {
        let Self {
            label: _,
            messages_lost,
            messages_duplicated,
            messages_delayed,
            events_delayed,
            crashes,
            clocks_set,
        } = self;
        [messages_lost, messages_duplicated, messages_delayed, events_delayed, crashes, clocks_set]
            .into_iter()
            .any(|&count| count > 0)
    }
}

/// The JSON Schema of `report.json`. It describes what is written, so every name is required.
pub fn report_schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>()
}
