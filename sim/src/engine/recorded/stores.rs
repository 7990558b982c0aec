//! Stores: `get`, `put` and `append` of texts, and `read`, `write`, `cas` and `create_if_not_exists` of any values.
//!
//! The key stands in `key`, or the value is `[key value]`, as Jepsen's independent keys have it; then the answer is such a pair
//! as well.
//!
//! What is deliberately absent: deletion. `nil` is the answer of a key without a value, and cannot be written.

use super::{
    FailedCas, Finding, Property,
    datum::{Datum, shown},
    judge,
    registers::compared,
    vocabulary::{Answer, Question, Translation, Vocabulary, unfit, unknown},
};
use crate::{
    checkers::linearizability::models::{AppendOp, AppendRet, AppendStore, KeyValue, KeyValueOp, KeyValueRet},
    history::file::{RecordedOperation, Value},
};

/// The key of an operation, and the rest of its argument.
fn keyed(recorded: &RecordedOperation) -> Result<(&Value, &Value), String> {
    match (&recorded.key, &recorded.argument) {
        (Some(key), argument) if *key != Value::Nil => Ok((key, argument)),
        (_, Value::List(pair)) if pair.len() == 2 => Ok((&pair[0], &pair[1])),
        (_, other) => {
            Err(unfit(&format!("the value of this {}", recorded.f), other, "[key value], or the key stand in `key`"))
        }
    }
}

/// What an operation on a key was answered.
fn keyed_answer<'a>(recorded: &RecordedOperation, key: &Value, value: &'a Value) -> Result<&'a Value, String> {
    if recorded.key.as_ref().is_some_and(|key| *key != Value::Nil) {
        return Ok(value);
    }
    match value {
        Value::List(pair) if pair.len() == 2 && pair[0] == *key => Ok(&pair[1]),
        other => Err(unfit("the answer", other, &format!("[{} value]", shown(key)))),
    }
}

/// The words of stores of texts.
pub(super) struct Texts;

/// The text that a value is; `nil` is the text of a key that was never put.
fn text(what: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::Nil => Ok(String::new()),
        Value::Text(text) => Ok(text.clone()),
        Value::Int(_) | Value::Bool(_) => Ok(value.to_string()),
        other => Err(unfit(what, other, "a text")),
    }
}

impl Vocabulary for Texts {
    type Model = AppendStore<Datum>;

    fn model(&self) -> Self::Model {
        AppendStore::new()
    }

    fn question<'a>(&self, recorded: &'a RecordedOperation) -> Result<Question<'a, AppendOp<Datum>>, String> {
        let f = recorded.f.as_str();
        if !matches!(f, "get" | "put" | "append") {
            return Err(unknown(recorded, "kv", &["get", "put", "append"]));
        }
        let (key, argument) = keyed(recorded)?;
        let written = || text(&format!("the value of this {f}"), argument);
        let question = match f {
            "get" => return Ok(Question::telling(AppendOp::Get { key: key.into() }).on(key)),
            "put" => Question::update(AppendOp::Put { key: key.into(), text: written()? }),
            _ => Question::update(AppendOp::Append { key: key.into(), text: written()? }),
        };
        Ok(question.on(key).of(argument))
    }

    fn answer<'a>(
        &self,
        question: &Question<'a, AppendOp<Datum>>,
        recorded: &'a RecordedOperation,
        value: &'a Value,
    ) -> Result<Answer<'a, AppendRet>, String> {
        let AppendOp::Get { key } = &question.op else { return Ok(Answer::done(AppendRet::Done)) };
        let value = keyed_answer(recorded, &key.0, value)?;
        Ok(Answer { ret: AppendRet::Text(text("the answer", value)?), result: Some(value) })
    }
}

/// The words of stores of values.
pub(super) struct Values {
    pub(super) failed_cas: FailedCas,
}

/// Maelstrom's error codes, by number and by name, for a key without a value and for one with another value.
const MISSING: (i128, &str) = (20, "key-does-not-exist");
const MISMATCH: (i128, &str) = (22, "precondition-failed");

/// Does a reason name this error? Jepsen writes it alone, or first in a list.
fn names(reason: &Value, error: (i128, &str)) -> bool {
    match reason {
        Value::Int(code) => *code == error.0,
        Value::Text(name) => name == error.1,
        Value::List(items) => items.first().is_some_and(|first| names(first, error)),
        _ => false,
    }
}

/// A value that can be written.
fn something<'a>(what: &str, value: &'a Value) -> Result<&'a Value, String> {
    if *value == Value::Nil { Err(unfit(what, value, "a value: a key cannot lose its own")) } else { Ok(value) }
}

impl Vocabulary for Values {
    type Model = KeyValue<Datum, Datum>;

    fn model(&self) -> Self::Model {
        KeyValue::new()
    }

    fn question<'a>(&self, recorded: &'a RecordedOperation) -> Result<Question<'a, KeyValueOp<Datum, Datum>>, String> {
        let f = recorded.f.as_str();
        if !matches!(f, "read" | "write" | "cas" | "create_if_not_exists") {
            return Err(unknown(recorded, "kv-rw", &["read", "write", "cas", "create_if_not_exists"]));
        }
        let (key, argument) = keyed(recorded)?;
        let question = match f {
            "read" => return Ok(Question::telling(KeyValueOp::Read { key: key.into() }).on(key)),
            "write" => {
                let value = something("the value of this write", argument)?.into();
                Question::update(KeyValueOp::Write { key: key.into(), value })
            }
            _ => {
                let (from, to) = compared(argument)?;
                let create_if_not_exists = f == "create_if_not_exists";
                let from = if create_if_not_exists { from } else { something("what this cas compares with", from)? };
                let to = something("what this cas writes", to)?.into();
                Question::telling(KeyValueOp::CompareAndSet {
                    key: key.into(),
                    from: from.into(),
                    to,
                    create_if_not_exists,
                })
            }
        };
        Ok(question.on(key).of(argument))
    }

    fn answer<'a>(
        &self,
        question: &Question<'a, KeyValueOp<Datum, Datum>>,
        recorded: &'a RecordedOperation,
        value: &'a Value,
    ) -> Result<Answer<'a, KeyValueRet<Datum>>, String> {
        let KeyValueOp::Read { key } = &question.op else { return Ok(Answer::done(KeyValueRet::Done)) };
        let value = keyed_answer(recorded, &key.0, value)?;
        let ret = if *value == Value::Nil { KeyValueRet::Missing } else { KeyValueRet::Value(value.into()) };
        Ok(Answer { ret, result: Some(value) })
    }

    fn judge(&self, translation: &Translation<Self::Model>, property: Property) -> Option<Finding> {
        judge::store(&translation.calls, property)
    }

    /// A comparison that differed found another value or none. Where the file does not say which, it says nothing.
    fn refusal(&self, op: &KeyValueOp<Datum, Datum>, error: Option<&Value>) -> Option<KeyValueRet<Datum>> {
        let KeyValueOp::CompareAndSet { create_if_not_exists, .. } = op else { return None };
        if self.failed_cas == FailedCas::Dropped {
            return None;
        }
        if *create_if_not_exists || error.is_some_and(|error| names(error, MISMATCH)) {
            return Some(KeyValueRet::Mismatch);
        }
        error.is_some_and(|error| names(error, MISSING)).then_some(KeyValueRet::Missing)
    }
}
