//! Logs of Jepsen: lines such as `INFO  jepsen.util - 0 :ok :read 3`, separated by tabs or blanks, between others.
//!
//! A completion that failed shows its reason where the value would stand (`:info :write :timed-out`).

use super::{
    EventKind, ReadError, RecordedEvent,
    edn::{event_kind, read_form},
    value::{DEPTH_MAX, Value},
};

/// What stands before an operation.
const MARK: &str = "jepsen.util";

/// Does the line tell of an operation of a client?
pub(super) fn is_operation(line: &str) -> bool {
    fields(line).is_some()
}

/// What follows the process in a line that tells of an operation, after the process itself.
fn fields(line: &str) -> Option<(i128, &str)> {
    let (_, rest) = line.split_once(MARK)?;
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start();
    let (process, rest) = rest.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    // Other lines of the same logger say other things.
    rest.starts_with(':').then_some(())?;
    Some((process.parse().ok()?, rest))
}

/// Reads all lines that tell of operations.
pub(super) fn read(text: &str) -> Result<Vec<RecordedEvent>, ReadError> {
    let mut events = Vec::new();
    for (at, written) in text.lines().enumerate() {
        if let Some((process, rest)) = fields(written) {
            events.push(event(process, rest, at + 1)?);
        }
    }
    Ok(events)
}

fn event(process: i128, rest: &str, line: usize) -> Result<RecordedEvent, ReadError> {
    let word = |text: &'_ str| -> Option<(String, usize)> {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        text[..end].strip_prefix(':').map(|word| (word.to_owned(), end))
    };
    let incomplete = || ReadError::new(line, "a type, the name of an operation and a value should follow the process");
    let (kind, end) = word(rest).ok_or_else(incomplete)?;
    let kind = event_kind(&Value::Text(kind), line)?;
    let rest = rest[end..].trim_start();
    let (f, end) = word(rest).ok_or_else(incomplete)?;
    let rest = rest[end..].trim();
    let (value, after) = form(rest, line)?;
    // After the value may stand the reason; where the value should be, it stands alone.
    let failed = matches!(kind, EventKind::Fail | EventKind::Info);
    let error = match form(after.trim(), line)? {
        (Value::Nil, _) if failed && value.as_text().is_some() => Some(value.clone()),
        (Value::Nil, _) => None,
        (reason, _) => Some(reason),
    };
    Ok(RecordedEvent {
        line,
        process: Value::Int(process),
        kind,
        f,
        key: None,
        value,
        error,
        time_ns: None,
        is_final: false,
    })
}

/// One value, and what follows it; nil if there is none.
fn form(text: &str, line: usize) -> Result<(Value, &str), ReadError> {
    if text.is_empty() {
        return Ok((Value::Nil, text));
    }
    let (edn, after) = read_form(text, line)?;
    let value = Value::from_edn(&edn, DEPTH_MAX)
        .ok_or_else(|| ReadError::new(line, format!("the value is nested more than {DEPTH_MAX} deep")))?;
    Ok((value, after))
}
