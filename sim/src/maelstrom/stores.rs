//! The stores as the protocol speaks to them: bodies of requests, and bodies of replies.
//!
//! `lin-kv`, `seq-kv` and `lww-kv` take `read{key}`, `write{key, value}` and `cas{key, from, to[, create_if_not_exists]}`;
//! `lin-tso` takes `ts`, and stands where `lin-kv` stands. Keys and values are any JSON. The stores themselves are those of all
//! other systems.
//!
//! Invariant: a key has one number per run, given out in the order in which keys are first named ([`Keys`]).
//!
//! What is deliberately absent: `sim-time`, which is no store.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::wire::{Body, ErrorCode};
use crate::{
    kernel::service::{Key, KvReply, KvRequest},
    objects::foreign::Json,
};

/// The numbers of keys.
#[derive(Clone, Debug, Default)]
pub struct Keys(BTreeMap<Json, u32>);

impl Keys {
    fn number(&mut self, key: &Value) -> Key {
        let next = self.0.len() as u32;
        Key(*self.0.entry(Json::of(key)).or_insert(next))
    }
}

/// The request that a body makes of a store, or the error that the store answers.
pub(super) fn request(store: &str, body: &Body, keys: &mut Keys) -> Result<KvRequest<Json>, Body> {
    let field = |name: &str| {
        let missing = || Body::error(ErrorCode::MalformedRequest, &format!("`{name}` is missing"));
        body.0.get(name).ok_or_else(missing)
    };
    let value = |name: &str| field(name).map(Json::of);
    match (store, body.kind()) {
        ("lin-tso", "ts") => Ok(KvRequest::Timestamp),
        ("lin-kv" | "seq-kv" | "lww-kv", "read") => Ok(KvRequest::Read { key: keys.number(field("key")?) }),
        ("lin-kv" | "seq-kv" | "lww-kv", "write") => {
            Ok(KvRequest::Write { value: value("value")?, key: keys.number(field("key")?), op: None })
        }
        ("lin-kv" | "seq-kv" | "lww-kv", "cas") => {
            let create_if_not_exists = match body.0.get("create_if_not_exists") {
                None | Some(Value::Null) => false,
                Some(Value::Bool(create)) => *create,
                Some(_) => {
                    let text = "`create_if_not_exists` is neither true nor false";
                    return Err(Body::error(ErrorCode::MalformedRequest, text));
                }
            };
            let (from, to) = (value("from")?, value("to")?);
            Ok(KvRequest::Cas { key: keys.number(field("key")?), from, to, create_if_not_exists, op: None })
        }
        (_, other) => Err(Body::error(ErrorCode::NotSupported, &format!("{store} knows no `{other}`"))),
    }
}

/// The body of a store's reply.
pub(super) fn reply(reply: &KvReply<Json>) -> Body {
    match reply {
        KvReply::Value { value, .. } => Body::new("read_ok", json!({ "value": value.value() })),
        KvReply::Written => Body::new("write_ok", json!({})),
        KvReply::Swapped => Body::new("cas_ok", json!({})),
        KvReply::Timestamp(number) => Body::new("ts_ok", json!({ "ts": number })),
        KvReply::KeyDoesNotExist => Body::error(ErrorCode::KeyDoesNotExist, "there is no such key"),
        KvReply::PreconditionFailed | KvReply::Lease(_) => {
            Body::error(ErrorCode::PreconditionFailed, "the value is not the expected one")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::lineage::LineageId;

    #[test]
    fn requests_are_read_and_refused_by_name() {
        let mut keys = Keys::default();
        let mut ask = |store: &str, kind: &str, fields: Value| request(store, &Body::new(kind, fields), &mut keys);
        assert_eq!(ask("lin-kv", "read", json!({ "key": "x" })), Ok(KvRequest::Read { key: Key(0) }));
        assert_eq!(ask("seq-kv", "read", json!({ "key": [1] })), Ok(KvRequest::Read { key: Key(1) }));
        let cas = KvRequest::Cas {
            key: Key(0),
            from: Json::of(&json!(1)),
            to: Json::of(&json!({ "a": 1.0 })),
            create_if_not_exists: true,
            op: None,
        };
        let fields = json!({ "key": "x", "from": 1, "to": { "a": 1.0 }, "create_if_not_exists": true });
        assert_eq!(ask("lww-kv", "cas", fields), Ok(cas));
        assert_eq!(ask("lin-tso", "ts", json!({})), Ok(KvRequest::Timestamp));
        let code = |refused: Result<KvRequest<Json>, Body>| refused.expect_err("refused").0["code"].clone();
        assert_eq!(code(ask("lin-kv", "write", json!({ "key": "x" }))), json!(12));
        assert_eq!(code(ask("lin-kv", "ts", json!({}))), json!(10));
        assert_eq!(code(ask("lin-tso", "read", json!({ "key": 1 }))), json!(10));
    }

    #[test]
    fn values_come_back_as_they_were_written() {
        let value = json!({ "b": [1, 1.0, "1"], "a": null });
        let read = KvReply::Value { value: Json::of(&value), lineage: LineageId::ROOT };
        assert_eq!(reply(&read).0["value"], value);
        assert_eq!(reply(&KvReply::KeyDoesNotExist).0["code"], json!(20));
        assert_eq!(reply(&KvReply::PreconditionFailed).0["code"], json!(22));
    }
}
