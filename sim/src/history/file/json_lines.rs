//! JSON lines: `{"process":0,"type":"invoke","f":"read","value":null}`, one object a line, as [`crate::history::History`]
//! writes them. Further keys are ignored.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ReadError, RecordedEvent, edn::event_kind, value::Value};

/// One event of a history, as one line of a file of JSON lines: an operation begins, or ends. Further keys are ignored. The order
/// of lines is the order of events; a process does one thing at a time.
#[derive(Deserialize, JsonSchema)]
struct Line {
    /// Who did it: a number from 0. Events of others, such as `"nemesis"`, are left out.
    process: serde_json::Value,
    /// What happened: `invoke` begins an operation; it ends with `ok` when it took effect, with `fail` when it did not happen,
    /// and with `info` when nobody knows. Without an end nobody knows either.
    #[serde(rename = "type")]
    #[schemars(with = "Kind")]
    kind: String,
    /// The name of the operation, for example `read`; the same at its beginning and its end.
    f: String,
    /// What the operation is applied to, if it has a key. The value can be `[key, value]` instead.
    #[serde(default)]
    key: Option<serde_json::Value>,
    /// The argument at the beginning of an operation, the answer at its end.
    #[serde(default)]
    value: serde_json::Value,
    /// Why the operation did not succeed.
    #[serde(default)]
    error: Option<serde_json::Value>,
    /// When it happened, in nanoseconds. Nothing is judged by it.
    #[serde(default)]
    time: Option<i64>,
    /// Is it part of the reads after the quiet period at the end?
    #[serde(default, rename = "final")]
    is_final: bool,
}

/// The kinds of events, for the schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "lines are read with a text here, so that an unknown one is refused as in other formats")]
enum Kind {
    /// An operation begins.
    Invoke,
    /// It took effect.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

/// The JSON Schema of a line.
pub(super) fn line_schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Line>()
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
