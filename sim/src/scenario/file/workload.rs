//! `[workload]`, `[services]` and `[limits]`.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::value::{At, Written};
use crate::scenario::units::{Duration, Frequency, Size};

/// What clients do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadTable {
    /// What clients see: `counter`.
    pub object: At<String>,
    /// The number of clients; they are called c1, c2, and so on.
    #[schemars(range(min = 1))]
    pub clients: At<i64>,
    /// Operations of all clients together, which do not wait for answers (open loop).
    pub rate: Option<Written<Frequency>>,
    /// A client waits this long after an answer, then goes on (closed loop).
    pub think_time: Option<Written<Duration>>,
    /// With a rate: `poisson` (unless given) or `fixed`.
    pub arrivals: Option<At<String>>,
    /// How long clients work.
    pub duration: Option<Written<Duration>>,
    /// When clients begin; 0s unless given.
    pub start: Option<Written<Duration>>,
    /// How often which operation comes, by weights.
    pub mix: Option<At<MixTable>>,
    /// What `add` adds; 1 unless given.
    pub amount: Option<At<Amount>>,
    /// How long a client waits for an answer; 1s unless given.
    pub timeout: Option<Written<Duration>>,
    /// `replica` (unless given): a client stays with one replica; `roaming`: every operation goes to a drawn one.
    pub binding: Option<At<String>>,
    /// Phases of different rates, instead of `rate` and `duration`.
    pub phases: Option<At<Vec<At<PhaseTable>>>>,
    /// How long nothing happens before the final reads: after the last operation and the last heal; 10s unless given.
    pub quiet: Option<Written<Duration>>,
}

/// Weights of operations.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixTable {
    /// Additions.
    pub add: Option<At<i64>>,
    /// Reads.
    pub read: Option<At<i64>>,
}

/// A stretch of time with its own rate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseTable {
    /// How long.
    #[serde(rename = "for")]
    pub lasts: Written<Duration>,
    /// Operations of all clients together; none when absent.
    pub rate: Option<Written<Frequency>>,
}

/// What an addition adds: a number, or a table.
#[derive(Clone, Debug)]
pub enum Amount {
    /// Always the same.
    Constant(i64),
    /// Drawn.
    Drawn(AmountTable),
}

/// A drawn amount: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct AmountTable {
    /// Evenly between two limits, both included.
    pub uniform: Option<At<AmountRange>>,
    /// One of these, evenly.
    pub choice: Option<At<Vec<i64>>>,
}

/// Limits of an amount.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmountRange {
    /// The least.
    pub min: At<i64>,
    /// The greatest.
    pub max: At<i64>,
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or { uniform = { min = 1, max = 5 } }, or { choice = [1, 2, 5] }")
            }

            fn visit_i64<E: Error>(self, amount: i64) -> Result<Amount, E> {
                Ok(Amount::Constant(amount))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Amount, A::Error> {
                AmountTable::deserialize(MapAccessDeserializer::new(map)).map(Amount::Drawn)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<AmountTable>();
        json_schema!({ "anyOf": [{ "type": "integer" }, table] })
    }
}

/// The external stores. Which ones there are follows from the systems.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServicesTable {
    /// The replica beside which the stores stand; n1 unless given.
    pub at: Option<At<String>>,
    /// How old a state `seq-kv` may show; 500ms unless given.
    pub staleness: Option<Written<Duration>>,
    /// The number of internal replicas of `lww-kv`; 2 unless given.
    pub lww_replicas: Option<At<i64>>,
}

/// Where a run stops unfinished.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsTable {
    /// The most events; 100,000,000 unless given.
    #[schemars(range(min = 1))]
    pub events: Option<At<i64>>,
    /// The most memory for events, messages, history and lineage; 4GiB unless given.
    pub memory: Option<Written<Size>>,
}
