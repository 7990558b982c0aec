//! `[network]` and `[[link]]`: latency, loss, duplication, bursts and bandwidth.

use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;

use super::value::{At, Choice, Entries, Number, ShortForm, Written};
use crate::scenario::units::{Duration, Percentage, Size, Throughput, Unit};

/// The conditions of all links.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkTable {
    /// How long messages take; 1ms unless given.
    pub latency: Option<At<Choice<Latency>>>,
    /// The probability that a message is lost.
    pub loss: Option<Written<Percentage>>,
    /// The probability that a message arrives twice.
    pub duplicate: Option<Written<Percentage>>,
    /// Losses in bursts, beside `loss`.
    pub burst: Option<At<BurstTable>>,
    /// The rate of every link; without it size costs no time.
    pub bandwidth: Option<Written<Throughput>>,
    /// Messages that find more bytes than this waiting are lost; 256KiB unless given.
    pub queue: Option<Written<Size>>,
    /// How long messages between clients and replicas take; 0s unless given.
    pub client_latency: Option<At<Choice<Latency>>>,
}

/// Links that differ from `[network]` in what is given here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkTable {
    /// The sender, together with `to`.
    pub from: Option<At<String>>,
    /// The receiver, together with `from`.
    pub to: Option<At<String>>,
    /// Both ends, for both directions.
    pub between: Option<At<(At<String>, At<String>)>>,
    /// How long messages take.
    pub latency: Option<At<Choice<Latency>>>,
    /// The probability that a message is lost.
    pub loss: Option<Written<Percentage>>,
    /// The probability that a message arrives twice.
    pub duplicate: Option<Written<Percentage>>,
    /// Losses in bursts, beside `loss`.
    pub burst: Option<At<BurstTable>>,
    /// The rate of the link.
    pub bandwidth: Option<Written<Throughput>>,
    /// Messages that find more bytes than this waiting are lost.
    pub queue: Option<Written<Size>>,
}

/// Losses in bursts (Gilbert and Elliott): a link is good or bad, and steps once per message.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurstTable {
    /// The probability to turn bad.
    pub enter: Written<Percentage>,
    /// The probability to turn good again.
    pub exit: Written<Percentage>,
    /// The probability that a message is lost while the link is bad; 100% unless given.
    pub loss: Option<Written<Percentage>>,
}

/// A latency distribution: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Latency {
    /// Always the same.
    pub constant: Option<Written<Duration>>,
    /// Evenly between two limits.
    pub uniform: Option<At<UniformTable>>,
    /// Exponential above a minimum.
    pub exponential: Option<At<ExponentialTable>>,
    /// Normal, cut off below zero.
    pub normal: Option<At<NormalTable>>,
    /// Log-normal: what measured networks look like most often.
    pub lognormal: Option<At<LognormalTable>>,
    /// Pareto: a heavy tail.
    pub pareto: Option<At<ParetoTable>>,
    /// Measured quantiles, `p0` to `p100`, straight lines in between.
    pub empirical: Option<At<Entries<Written<Duration>>>>,
}

impl ShortForm for Latency {
    const EXPECTED: &'static str =
        "a latency such as \"20ms\" or { lognormal = { median = \"20ms\", p99 = \"120ms\" } }";

    fn text_schema() -> Schema {
        json_schema!({ "type": "string", "pattern": Duration::PATTERN })
    }
}

/// Evenly between two limits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniformTable {
    /// The least.
    pub min: Written<Duration>,
    /// The greatest.
    pub max: Written<Duration>,
}

/// Exponential.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExponentialTable {
    /// The mean, minimum included.
    pub mean: Written<Duration>,
    /// The least; 0s unless given.
    pub min: Option<Written<Duration>>,
}

/// Normal, under the condition that it is not negative.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalTable {
    /// The mean before the cut.
    pub mean: Written<Duration>,
    /// The standard deviation before the cut.
    pub sd: Written<Duration>,
}

/// Log-normal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LognormalTable {
    /// Half of the latencies are below.
    pub median: Written<Duration>,
    /// 99 of 100 latencies are below.
    pub p99: Written<Duration>,
}

/// Pareto.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParetoTable {
    /// The least.
    pub min: Written<Duration>,
    /// The exponent of the tail: the smaller, the heavier.
    pub alpha: At<Number>,
}
