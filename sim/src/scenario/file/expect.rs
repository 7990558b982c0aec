//! `[expect.SYSTEM]`: bounds of measures.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{
        Error, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use super::value::{At, Entries};
use crate::{
    checkers::Consistency,
    scenario::expectation::{MEASURES, MeasureKind},
};

/// Bounds by the name of the measure.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct ExpectTable(pub Entries<At<BoundValue>>);

/// A bound as it is written.
#[derive(Clone, Debug)]
pub enum BoundValue {
    /// `true` or `false`.
    Truth(bool),
    /// `0`.
    Number(i64),
    /// `"<= 2s"`.
    Text(String),
    /// `{ p99 = "<= 2s" }`.
    Quantiles(Entries<At<BoundValue>>),
    /// `["sequential", "not linearizable"]`.
    All(Vec<At<BoundValue>>),
}

impl<'de> Deserialize<'de> for BoundValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = BoundValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a bound such as true, 0, \"<= 2s\" or { p99 = \"<= 2s\" }")
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<BoundValue, E> {
                Ok(BoundValue::Truth(truth))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<BoundValue, E> {
                Ok(BoundValue::Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<BoundValue, E> {
                Ok(BoundValue::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BoundValue, A::Error> {
                Entries::deserialize(MapAccessDeserializer::new(map)).map(BoundValue::Quantiles)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, all: A) -> Result<BoundValue, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(all)).map(BoundValue::All)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for ExpectTable {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let bound = |measure: MeasureKind| match measure {
            MeasureKind::Truth => json_schema!({ "type": "boolean" }),
            MeasureKind::Count | MeasureKind::Size => json_schema!({ "anyOf": [{ "type": "integer" }, comparison()] }),
            MeasureKind::Share => comparison(),
            MeasureKind::Value => json_schema!({ "type": ["string", "integer"] }),
            MeasureKind::Consistency => {
                let names = Consistency::ALL.map(|model| [model.name().to_owned(), format!("not {}", model.name())]);
                let one = json_schema!({ "enum": names.concat() });
                json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
            }
            MeasureKind::Quantiles => {
                let one = comparison();
                let quantiles = json_schema!({
                    "type": "object",
                    "properties": { "p50": one, "p90": one, "p99": one, "max": one },
                    "additionalProperties": false,
                });
                json_schema!({ "anyOf": [comparison(), quantiles] })
            }
        };
        let properties: serde_json::Map<String, serde_json::Value> = MEASURES
            .iter()
            .map(|measure| {
                let mut schema = bound(measure.kind);
                schema.insert("description".to_owned(), measure.doc.into());
                (measure.name.to_owned(), schema.to_value())
            })
            .collect();
        json_schema!({
            "type": "object",
            "description": "What must hold for a system.",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

/// The schema of a comparison.
fn comparison() -> Schema {
    json_schema!({ "type": "string", "pattern": r"^\s*(<=|>=|==|=|<|>)?\s*[0-9]" })
}
