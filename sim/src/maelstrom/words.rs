//! The words of the workloads: operations of clients as bodies of requests, and bodies of replies as answers.
//!
//! | workload | request | reply |
//! |---|---|---|
//! | `echo` | `echo{echo}` | `echo_ok{echo}` |
//! | `unique-ids` | `generate` | `generate_ok{id}` |
//! | `broadcast` | `broadcast{message}`, `read` | `broadcast_ok`, `read_ok{messages}` |
//! | `g-set` | `add{element}`, `read` | `add_ok`, `read_ok{value}` |
//! | counters | `add{delta}`, `read` | `add_ok`, `read_ok{value}` |
//! | `key-value` | `read{key}`, `write{key, value}`, `cas{key, from, to}` | `read_ok{value}`, `write_ok`, `cas_ok` |
//!
//! Invariant: replies are taken by a closed schema. One with another key, without a key, or with a value of another type is none.
//!
//! What is deliberately absent: transactions and logs.

use serde_json::{Map, Value, json};

use super::wire::{Body, ErrorCode};
use crate::{
    kernel::node::{Refusal, Reply},
    objects::foreign::{Answer, Ask, Json},
};

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The same text back.
    Echo,
    /// Ids that nobody else gets.
    UniqueIds,
    /// Values that reach all replicas.
    Broadcast,
    /// A set that grows.
    GrowOnlySet,
    /// A counter.
    Counter,
    /// A store.
    KeyValue,
}

impl Dialect {
    /// Is there one value that a read without arguments returns?
    pub fn has_value(self) -> bool {
        matches!(self, Self::Broadcast | Self::GrowOnlySet | Self::Counter)
    }

    /// The body of a request; `None` for a read where there is no such thing.
    pub fn request(self, ask: &Ask) -> Option<Body> {
        Some(match (self, ask) {
            (_, Ask::Read) if !self.has_value() => return None,
            (_, Ask::Read) => Body::new("read", json!({})),
            (_, Ask::Add(delta)) => Body::new("add", json!({ "delta": delta })),
            (Self::Broadcast, Ask::Include(message)) => Body::new("broadcast", json!({ "message": message })),
            (_, Ask::Include(element)) => Body::new("add", json!({ "element": element })),
            (_, Ask::Get(key)) => Body::new("read", json!({ "key": key })),
            (_, Ask::Put(key, value)) => Body::new("write", json!({ "key": key, "value": value })),
            (_, Ask::Swap(key, from, to)) => Body::new("cas", json!({ "key": key, "from": from, "to": to })),
            (_, Ask::Echo(text)) => Body::new("echo", json!({ "echo": &**text })),
            (_, Ask::Generate) => Body::new("generate", json!({})),
        })
    }

    /// The type of a reply, and the key that it has to have, if any.
    fn expected(self, ask: &Ask) -> (&'static str, Option<&'static str>) {
        match (self, ask) {
            (Self::Broadcast, Ask::Read) => ("read_ok", Some("messages")),
            (_, Ask::Read | Ask::Get(_)) => ("read_ok", Some("value")),
            (Self::Broadcast, Ask::Include(_)) => ("broadcast_ok", None),
            (_, Ask::Add(_) | Ask::Include(_)) => ("add_ok", None),
            (_, Ask::Put(..)) => ("write_ok", None),
            (_, Ask::Swap(..)) => ("cas_ok", None),
            (_, Ask::Echo(_)) => ("echo_ok", Some("echo")),
            (_, Ask::Generate) => ("generate_ok", Some("id")),
        }
    }

    /// The answer that a body gives to what was asked, or what is wrong with it.
    pub fn reply(self, ask: &Ask, body: &Body) -> Result<Reply<Answer>, String> {
        if body.kind() == "error" {
            return refusal(body);
        }
        let (kind, key) = self.expected(ask);
        if body.kind() != kind {
            return Err(format!("`{}` is no answer to what was asked: `{kind}` is", body.kind()));
        }
        closed(&body.0, key)?;
        let Some(key) = key else { return Ok(Reply::Ok(Answer::Done)) };
        let value = &body.0[key];
        Ok(Reply::Ok(match (self, ask) {
            (Self::Counter, Ask::Read) if value.as_i64().is_none() && value.as_u64().is_none() => {
                return Err(format!("`{key}` is no whole number"));
            }
            (Self::Broadcast | Self::GrowOnlySet, Ask::Read) => Answer::Value(sorted(key, value)?),
            (_, Ask::Get(stored)) => Answer::Entry(*stored, Json::of(value)),
            _ => Answer::Value(Json::of(value)),
        }))
    }
}

/// Has an answer exactly the keys that it has to have?
fn closed(body: &Map<String, Value>, key: Option<&str>) -> Result<(), String> {
    if let Some(key) = key.filter(|key| !body.contains_key(*key)) {
        return Err(format!("`{key}` is missing"));
    }
    let is_known = |found: &str| matches!(found, "type" | "msg_id" | "in_reply_to") || Some(found) == key;
    match body.keys().find(|found| !is_known(found)) {
        Some(found) => Err(format!("there is no `{found}` in this answer")),
        None => Ok(()),
    }
}

/// A list in ascending order: the order of a set says nothing.
fn sorted(key: &str, value: &Value) -> Result<Json, String> {
    let Value::Array(elements) = value else { return Err(format!("`{key}` is no list")) };
    let mut elements: Vec<(Option<i64>, String, &Value)> =
        elements.iter().map(|element| (element.as_i64(), element.to_string(), element)).collect();
    elements.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    Ok(Json::of(&elements.into_iter().map(|(_, _, element)| element.clone()).collect()))
}

/// What an error says about an operation. Codes that nobody knows are indefinite.
fn refusal(body: &Body) -> Result<Reply<Answer>, String> {
    let Some(number) = body.0.get("code").and_then(Value::as_u64) else {
        return Err("an error without `code`".to_owned());
    };
    let Some(code) = ErrorCode::numbered(number) else { return Ok(Reply::Info(Refusal::Crash)) };
    let refusal = match code {
        ErrorCode::Timeout => Refusal::Timeout,
        ErrorCode::NodeNotFound => Refusal::NodeNotFound,
        ErrorCode::NotSupported => Refusal::Unsupported,
        ErrorCode::TemporarilyUnavailable => Refusal::TemporarilyUnavailable,
        ErrorCode::MalformedRequest => Refusal::MalformedRequest,
        ErrorCode::Crash => Refusal::Crash,
        ErrorCode::Abort => Refusal::Abort,
        ErrorCode::KeyDoesNotExist => Refusal::KeyDoesNotExist,
        ErrorCode::KeyAlreadyExists => Refusal::KeyAlreadyExists,
        ErrorCode::PreconditionFailed => Refusal::PreconditionFailed,
        ErrorCode::TxnConflict => Refusal::TxnConflict,
    };
    Ok(if code.is_definite() { Reply::Fail(refusal) } else { Reply::Info(refusal) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(dialect: Dialect, ask: &Ask, body: Value) -> Result<Reply<Answer>, String> {
        let kind = body["type"].as_str().expect("a type").to_owned();
        dialect.reply(ask, &Body::new(&kind, body))
    }

    #[test]
    fn answers_are_taken_by_a_closed_schema() {
        let read = |body| reply(Dialect::Counter, &Ask::Read, body);
        let total = Reply::Ok(Answer::Value(Json::of(&json!(-3))));
        assert_eq!(read(json!({ "type": "read_ok", "value": -3, "in_reply_to": 1, "msg_id": 4 })), Ok(total));
        let wrong = |body| read(body).expect_err("no answer");
        assert_eq!(wrong(json!({ "type": "read_ok", "value": 3, "node": "n1" })), "there is no `node` in this answer");
        assert_eq!(wrong(json!({ "type": "read_ok" })), "`value` is missing");
        assert_eq!(wrong(json!({ "type": "read_ok", "value": 3.5 })), "`value` is no whole number");
        assert_eq!(wrong(json!({ "type": "add_ok" })), "`add_ok` is no answer to what was asked: `read_ok` is");
        assert_eq!(wrong(json!({ "type": "error", "text": "?" })), "an error without `code`");
    }

    #[test]
    fn sets_are_compared_without_their_order_and_with_what_occurs_twice() {
        let read = |list: Value| {
            reply(Dialect::Broadcast, &Ask::Read, json!({ "type": "read_ok", "messages": list })).expect("an answer")
        };
        assert_eq!(read(json!([10, 2, 1])), read(json!([1, 10, 2])));
        assert_ne!(read(json!([1, 1])), read(json!([1])));
        assert_eq!(read(json!([10, 2])), Reply::Ok(Answer::Value(Json::of(&json!([2, 10])))));
    }

    #[test]
    fn errors_are_definite_as_the_protocol_says() {
        let error = |code: u64| reply(Dialect::KeyValue, &Ask::Get(1), json!({ "type": "error", "code": code }));
        assert_eq!(error(22), Ok(Reply::Fail(Refusal::PreconditionFailed)));
        assert_eq!(error(13), Ok(Reply::Info(Refusal::Crash)));
        assert_eq!(error(1_001), Ok(Reply::Info(Refusal::Crash)));
    }

    #[test]
    fn every_operation_has_its_request() {
        let request = |dialect: Dialect, ask: Ask| dialect.request(&ask).map(|body| Value::from(body.0).to_string());
        let rows = [
            (Dialect::Echo, Ask::Echo("hi".into()), r#"{"echo":"hi","type":"echo"}"#),
            (Dialect::UniqueIds, Ask::Generate, r#"{"type":"generate"}"#),
            (Dialect::Broadcast, Ask::Include(7), r#"{"message":7,"type":"broadcast"}"#),
            (Dialect::GrowOnlySet, Ask::Include(7), r#"{"element":7,"type":"add"}"#),
            (Dialect::Counter, Ask::Add(-5), r#"{"delta":-5,"type":"add"}"#),
            (Dialect::Counter, Ask::Read, r#"{"type":"read"}"#),
            (Dialect::KeyValue, Ask::Swap(1, 2, 3), r#"{"from":2,"key":1,"to":3,"type":"cas"}"#),
        ];
        for (dialect, ask, text) in rows {
            assert_eq!(request(dialect, ask).as_deref(), Some(text));
        }
        assert_eq!(request(Dialect::KeyValue, Ask::Read), None);
    }
}
