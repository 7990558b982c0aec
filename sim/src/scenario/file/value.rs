//! The values of a scenario file: with their place, as text with a unit, as a name or a table.
//!
//! Texts are kept as written; reading them belongs to validation, so that one wrong text does not hide the next. Every
//! type here knows its JSON Schema.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Range};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

use crate::scenario::units::{Malformed, Unit};

/// A value and its place in the sources.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The place.
    pub span: Range<usize>,
    /// The value.
    pub value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { span: spanned.span(), value: spanned.into_inner() })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A quantity as it was written.
#[derive(Debug)]
pub struct Written<U> {
    /// The place.
    pub span: Range<usize>,
    /// The text.
    pub text: String,
    unit: PhantomData<U>,
}

impl<U> Clone for Written<U> {
    fn clone(&self) -> Self {
        Self { span: self.span.clone(), text: self.text.clone(), unit: PhantomData }
    }
}

impl<U: Unit> Written<U> {
    /// Reads the text.
    pub fn parse(&self) -> Result<U::Value, Malformed> {
        U::parse(&self.text)
    }
}

impl<'de, U: Unit> Deserialize<'de> for Written<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at = At::<Raw<U>>::deserialize(deserializer)?;
        Ok(Self { span: at.span, text: at.value.0, unit: PhantomData })
    }
}

impl<U: Unit> JsonSchema for Written<U> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        U::EXPECTED.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": U::PATTERN })
    }
}

/// The text of a quantity, without its place.
struct Raw<U>(String, PhantomData<U>);

impl<'de, U: Unit> Deserialize<'de> for Raw<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<U>(PhantomData<U>);
        impl<U: Unit> Visitor<'_> for Text<U> {
            type Value = Raw<U>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(U::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Raw(text.to_owned(), PhantomData))
            }
        }
        deserializer.deserialize_any(Text(PhantomData))
    }
}

/// A number that need not be whole.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for Number {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

/// A table that has a short form as text.
pub trait ShortForm: JsonSchema {
    /// What is expected, for errors.
    const EXPECTED: &'static str;

    /// The schema of the text.
    fn text_schema() -> Schema;
}

/// A text, or a table.
#[derive(Clone, Debug)]
pub enum Choice<T> {
    /// The short form.
    Text(String),
    /// The long form.
    Table(T),
}

impl<'de, T: ShortForm + Deserialize<'de>> Deserialize<'de> for Choice<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: ShortForm + Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Choice<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Choice<T>, E> {
                Ok(Choice::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Choice<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Choice::Table)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<T: ShortForm> JsonSchema for Choice<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}OrText", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = T::text_schema();
        let table = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [text, table] })
    }
}

/// The entries of a table whose keys are chosen by the scenario.
#[derive(Clone, Debug)]
pub struct Entries<V>(pub Vec<(At<String>, V)>);

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Table<V> {
            type Value = Entries<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Table(PhantomData))
    }
}

impl<V: JsonSchema> JsonSchema for Entries<V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("TableOf{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

/// Names of endpoints.
pub type NameList = At<Vec<At<String>>>;

/// A table without keys.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}
