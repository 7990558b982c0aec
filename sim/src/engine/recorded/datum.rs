//! Values of files as keys and values of models.
//!
//! Invariant: two data are equal exactly if the file's values are. In witnesses they read as in the file, and not as the types
//! that hold them.
//!
//! What is deliberately absent: arithmetic. Whoever needs a number takes it out of the value.

use std::fmt;

use crate::history::file::Value;

/// A value of a file that reads well in a witness.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Datum(pub(super) Value);

impl From<&Value> for Datum {
    fn from(value: &Value) -> Self {
        Self(value.clone())
    }
}

impl fmt::Debug for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

/// A value for a person: a text stands in quotes where it would be misread without them.
pub(super) fn shown(value: &Value) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:+*!?<>=".contains(c);
    let is_misread = |text: &str| {
        text.is_empty()
            || !text.chars().all(plain)
            || matches!(text, "nil" | "true" | "false")
            || text.parse::<i128>().is_ok()
    };
    let all = |items: &[Value]| items.iter().map(shown).collect::<Vec<_>>().join(" ");
    match value {
        Value::Text(text) if is_misread(text) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", all(items)),
        Value::Set(items) => format!("#{{{}}}", all(items)),
        Value::Map(entries) => {
            let entry = |(key, value): &(Value, Value)| format!("{} {}", shown(key), shown(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        simple => simple.to_string(),
    }
}

/// An element of a set that was read. Sets hold one copy of an element; a further one is an element that nobody adds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Element {
    pub(super) datum: Datum,
    /// Which copy, from 0.
    pub(super) copy: usize,
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.datum.fmt(f)?;
        if self.copy > 0 { write!(f, " (copy {})", self.copy + 1) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_could_be_misread_stand_in_quotes() {
        let text = |text: &str| Value::Text(text.into());
        for (value, expected) in [
            (text("x"), "x"),
            (text(""), "\"\""),
            (text("a b"), "\"a b\""),
            (text("3"), "\"3\""),
            (text("nil"), "\"nil\""),
            (Value::Int(3), "3"),
            (Value::Nil, "nil"),
            (Value::List(vec![Value::Int(1), text("2")]), "[1 \"2\"]"),
            (Value::Set(vec![Value::Int(1), Value::Bool(true)]), "#{1 true}"),
            (Value::Map(vec![(text("k"), Value::Int(1)), (text("l"), Value::Nil)]), "{k 1, l nil}"),
        ] {
            assert_eq!(shown(&value), expected);
        }
    }
}
