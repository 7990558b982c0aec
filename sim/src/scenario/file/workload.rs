//! `[workload]`, `[services]` and `[limits]`.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{
        Error, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use super::value::{At, Empty, Entries, Number, Written};
use crate::scenario::units::{Duration, Frequency, Size};

/// What clients do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadTable {
    /// What clients see: `counter`, `set`, `register`, `sequence` or `cart`; for programs also `g-set`, `broadcast`, `key-value`,
    /// `echo` or `unique-ids`.
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
    /// How often which operation comes, by weights: `{ add = 7, read = 3 }`. Evenly unless given.
    #[schemars(with = "Option<std::collections::BTreeMap<String, u32>>")]
    pub mix: Option<At<Entries<At<i64>>>>,
    /// Of a counter: what `add` adds; 1 unless given.
    pub amount: Option<At<Amount>>,
    /// Of a set: its elements, as names or as their number; 20 unless given.
    pub elements: Option<At<NamesOrNumber>>,
    /// Of a cart: its items, as names or as their number; eight unless given.
    pub items: Option<At<NamesOrNumber>>,
    /// Of a set or a cart: which elements or items are hot; all alike unless given.
    pub popularity: Option<At<PopularityTable>>,
    /// Of a cart: how many units are added, or changed; 1 unless given.
    pub quantity: Option<At<Amount>>,
    /// Of a key-value store: how many keys there are; 5 unless given.
    #[schemars(range(min = 1))]
    pub keys: Option<At<i64>>,
    /// Of a sequence: the words that are typed.
    pub words: Option<At<Vec<String>>>,
    /// Of a sequence: where a word begins: `anywhere` (unless given), `start` or `end`.
    pub place: Option<At<String>>,
    /// What happens, line by line, instead of a rate.
    pub script: Option<At<Vec<At<StepTable>>>>,
    /// How long a client waits for an answer; 1s unless given.
    pub timeout: Option<Written<Duration>>,
    /// `replica` (unless given): a client stays with one replica; `roaming`: every operation goes to a drawn one.
    pub binding: Option<At<String>>,
    /// Phases of different rates, instead of `rate` and `duration`.
    pub phases: Option<At<Vec<At<PhaseTable>>>>,
    /// How long nothing happens before the final reads: after the last operation and the last heal; 10s unless given.
    pub quiet: Option<Written<Duration>>,
}

/// Names, or how many there are.
#[derive(Clone, Debug)]
pub enum NamesOrNumber {
    /// These.
    Names(Vec<String>),
    /// So many, called by their numbers.
    Number(i64),
}

impl<'de> Deserialize<'de> for NamesOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = NamesOrNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of names such as [\"milk\", \"bread\"], or a number")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<NamesOrNumber, E> {
                Ok(NamesOrNumber::Number(number))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<NamesOrNumber, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(names)).map(NamesOrNumber::Names)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for NamesOrNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "NamesOrNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, names] })
    }
}

/// Which names are hot.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PopularityTable {
    /// The k-th name is drawn in proportion to `1 / k^zipf`.
    pub zipf: At<Number>,
}

/// A line of a script: a time, a client, and exactly one operation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepTable {
    /// When.
    pub at: Written<Duration>,
    /// Which client: `c1`.
    pub client: At<String>,
    /// Adds an amount, an element, or an item with a quantity.
    pub add: Option<At<Added>>,
    /// Removes an element or an item.
    pub remove: Option<At<String>>,
    /// Writes a value.
    pub write: Option<At<String>>,
    /// Inserts a text.
    pub insert: Option<At<InsertTable>>,
    /// Deletes letters.
    pub delete: Option<At<DeleteTable>>,
    /// Changes the quantity of an item.
    pub change: Option<At<ChangeTable>>,
    /// Reads.
    pub read: Option<At<Empty>>,
    /// Views a cart.
    pub view: Option<At<Empty>>,
}

/// What a scripted `add` adds.
#[derive(Clone, Debug)]
pub enum Added {
    /// To a counter.
    Amount(i64),
    /// To a set, or one unit to a cart.
    Name(String),
    /// To a cart.
    Item(ItemTable),
}

/// An item with a quantity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemTable {
    /// The item.
    pub item: String,
    /// How many units.
    #[schemars(range(min = 0))]
    pub quantity: At<i64>,
}

/// Where to insert what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InsertTable {
    /// The position that the first letter will have, from 0.
    pub position: At<i64>,
    /// The text.
    pub text: String,
}

/// What to delete.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteTable {
    /// The position of the first letter, from 0.
    pub position: At<i64>,
    /// How many letters.
    pub len: At<i64>,
}

/// A change of quantity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTable {
    /// The item.
    pub item: String,
    /// By how many units, up or down.
    pub by: i64,
}

impl<'de> Deserialize<'de> for Added {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Added;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, a name, or { item = \"milk\", quantity = 2 }")
            }

            fn visit_i64<E: Error>(self, amount: i64) -> Result<Added, E> {
                Ok(Added::Amount(amount))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Added, E> {
                Ok(Added::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Added, A::Error> {
                ItemTable::deserialize(MapAccessDeserializer::new(map)).map(Added::Item)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for Added {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Added".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<ItemTable>();
        json_schema!({ "anyOf": [{ "type": "integer" }, { "type": "string" }, table] })
    }
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
    /// `maelstrom`: `seq-kv` with the defect that Maelstrom's has, for teaching.
    pub compat: Option<At<String>>,
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
