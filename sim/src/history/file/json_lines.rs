//! JSON lines: `{"process":0,"type":"invoke","f":"read","value":null}`, one object a line, as [`crate::history::History`]
//! writes them. Further keys are ignored.

use serde::Deserialize;

use super::{ReadError, RecordedEvent, edn::event_kind, value::Value};

#[derive(Deserialize)]
struct Line {
    process: serde_json::Value,
    #[serde(rename = "type")]
    kind: String,
    f: String,
    #[serde(default)]
    key: Option<serde_json::Value>,
    #[serde(default)]
    value: serde_json::Value,
    #[serde(default)]
    error: Option<serde_json::Value>,
    #[serde(default)]
    time: Option<i64>,
    #[serde(default, rename = "final")]
    is_final: bool,
}

/// Reads all lines; empty ones separate nothing.
pub(super) fn read(text: &str) -> Result<Vec<RecordedEvent>, ReadError> {
    let mut events = Vec::new();
    for (at, written) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line = at + 1;
        if written.trim_start().starts_with(';') {
            continue;
        }
        let parsed: Line = serde_json::from_str(written)
            .map_err(|error| ReadError::new(line, format!("this is no event: {error}")))?;
        let process = Value::from_json(parsed.process);
        // A nemesis is no client.
        if !matches!(process, Value::Int(_)) {
            continue;
        }
        events.push(RecordedEvent {
            line,
            process,
            kind: event_kind(&Value::Text(parsed.kind), line)?,
            f: parsed.f,
            key: parsed.key.map(Value::from_json),
            value: Value::from_json(parsed.value),
            error: parsed.error.map(Value::from_json),
            time_ns: parsed.time,
            is_final: parsed.is_final,
        });
    }
    Ok(events)
}
