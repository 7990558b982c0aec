//! Values: what operations are called with and what they return, whatever the file's format.
//!
//! Invariant: equal values are equal whichever format they came from: a keyword is a text, and a list, a vector and an array
//! are one thing. Maps and sets are in ascending order.

use std::fmt;

use clojure_reader::edn::Edn;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// How deep values may be nested: deeper ones are refused.
pub(super) const DEPTH_MAX: usize = 64;

/// A value in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Value {
    /// `nil` or `null`.
    #[default]
    Nil,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A text, keyword or symbol; also a number that is not whole, as it is written.
    Text(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values without order, ascending.
    Set(Vec<Value>),
    /// Keys and values, ascending by key.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// The text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// From EDN; `None` if it is nested too deep.
    pub(super) fn from_edn(edn: &Edn<'_>, depth: usize) -> Option<Self> {
        let inner = depth.checked_sub(1)?;
        let all = |items: &mut dyn Iterator<Item = &Edn<'_>>| {
            items.map(|item| Self::from_edn(item, inner)).collect::<Option<Vec<_>>>()
        };
        Some(match edn {
            Edn::Nil => Self::Nil,
            Edn::Bool(flag) => Self::Bool(*flag),
            Edn::Int(number) => Self::Int(i128::from(*number)),
            Edn::Str(text) | Edn::Key(text) | Edn::Symbol(text) => Self::Text(text.to_string()),
            Edn::Char(char) => Self::Text(char.to_string()),
            Edn::Vector(items) | Edn::List(items) => Self::List(all(&mut items.iter())?),
            Edn::Set(items) => {
                let mut items = all(&mut items.iter())?;
                items.sort_unstable();
                Self::Set(items)
            }
            Edn::Map(entries) => {
                let entry = |(key, value)| Some((Self::from_edn(key, inner)?, Self::from_edn(value, inner)?));
                let mut entries = entries.iter().map(entry).collect::<Option<Vec<_>>>()?;
                entries.sort_unstable();
                Self::Map(entries)
            }
            // A tag says how to read what follows it; what follows is the value.
            Edn::Tagged(_, value) => Self::from_edn(value, inner)?,
            number => Self::Text(number.to_string()),
        })
    }

    /// From JSON, whose parser limits the depth itself.
    pub fn from_json(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Nil,
            Json::Bool(flag) => Self::Bool(flag),
            Json::Number(number) => match number.to_string().parse() {
                Ok(whole) => Self::Int(whole),
                Err(_) => Self::Text(number.to_string()),
            },
            Json::String(text) => Self::Text(text),
            Json::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect()),
            Json::Object(entries) => {
                let entry = |(key, value)| (Self::Text(key), Self::from_json(value));
                let mut entries: Vec<_> = entries.into_iter().map(entry).collect();
                entries.sort_unstable();
                Self::Map(entries)
            }
        }
    }
}

/// As JSON; keys that are no texts are written as they are shown.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nil => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Int(number) => serializer.serialize_i128(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) | Self::Set(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(&key.to_string(), value)?;
                }
                map.end()
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &[Self]| {
            for (at, item) in items.iter().enumerate() {
                write!(f, "{}{item}", if at == 0 { "" } else { " " })?;
            }
            Ok(())
        };
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(flag) => flag.fmt(f),
            Self::Int(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                list(f, items)?;
                f.write_str("]")
            }
            Self::Set(items) => {
                f.write_str("#{")?;
                list(f, items)?;
                f.write_str("}")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (at, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key} {value}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}
