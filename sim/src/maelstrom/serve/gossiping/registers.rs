//! Last-writer-wins registers under keys: `write {key, value}`, `read {key}`.
//!
//! Keys and values are any JSON. The requests are those of key-value stores, so that the workload `lin-kv` can be run
//! and fail: replicas answer alone, and of two concurrent writes one is lost. Without `key`, it is about one register
//! under no name.
//!
//! ```json
//! {"type": "write", "msg_id": 1, "key": "x", "value": 3}    {"type": "write_ok", "in_reply_to": 1}
//! {"type": "read", "msg_id": 2, "key": "x"}                 {"type": "read_ok", "in_reply_to": 2, "value": 3}
//! ```
//!
//! Invariant: a key that was never written does not exist (error 20); the register without a name is null. What is
//! deliberately absent: `cas` (error 10). A swap needs agreement on what the value is.

use crdts::{
    lww_map::LwwMap,
    objects::{map::MapOp, register::RegisterOp},
};
use serde_json::{Value, json};

use super::{Asked, Spoken};
use crate::maelstrom::{
    serve::fields::{self, Refused},
    wire::{Body, ErrorCode},
};

type Registers = LwwMap<String, String>;

/// Registers under keys.
#[derive(Debug)]
pub(in crate::maelstrom::serve) struct LastWriter;

/// The key of a request: null is the register without a name.
fn key(body: &Body) -> String {
    fields::canonical(fields::present(body, "key").unwrap_or(&Value::Null))
}

impl Spoken for LastWriter {
    type Crdt = Registers;

    fn ask(&mut self, state: &Registers, body: &Body) -> Result<Asked<Registers>, Refused> {
        match body.kind() {
            "write" => {
                let write = RegisterOp::Write(fields::canonical(fields::any(body, "value")?));
                let op = MapOp::Update { key: key(body), op: write };
                Ok(Asked(op, Box::new(|_, _| Body::new("write_ok", json!({})))))
            }
            "read" => {
                let key = key(body);
                let value = match state.get(&key) {
                    Some(value) => fields::parsed(value),
                    None if fields::present(body, "key").is_none() => Value::Null,
                    None => return Err(Refused::new(ErrorCode::KeyDoesNotExist, format!("there is no key {key}"))),
                };
                let op = MapOp::Update { key, op: RegisterOp::Read };
                Ok(Asked(op, Box::new(move |_, _| Body::new("read_ok", json!({ "value": value })))))
            }
            "cas" => Err(Refused::new(ErrorCode::NotSupported, "a last-writer-wins register cannot compare and swap")),
            _ => Err(Refused::unknown(body)),
        }
    }

    fn local_value(&self, state: &Registers) -> Value {
        Value::Object(state.iter().map(|(key, value)| (key.clone(), fields::parsed(value))).collect())
    }
}
