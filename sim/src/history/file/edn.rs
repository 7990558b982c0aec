//! Jepsen's EDN: `{:process 0, :type :invoke, :f :read, :value nil}`, one form a line or many in one vector, with or without
//! further keys.

use clojure_reader::{
    edn::{self, Edn},
    error::{Code, Error},
};

use super::{
    EventKind, ReadError, RecordedEvent,
    value::{DEPTH_MAX, Value},
};

/// Reads all forms of a text.
pub(super) fn read(text: &str) -> Result<Vec<RecordedEvent>, ReadError> {
    let mut events = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(start) = next_form(rest) {
        line += newlines(&rest[..start]);
        rest = &rest[start..];
        let (form, after) = read_form(rest, line)?;
        match &form {
            // The line of a form inside of a vector is not known; that of the vector is.
            Edn::Vector(forms) | Edn::List(forms) => {
                for form in forms {
                    events.extend(event(form, line)?);
                }
            }
            form => events.extend(event(form, line)?),
        }
        line += newlines(&rest[..rest.len() - after.len()]);
        rest = after;
    }
    Ok(events)
}

/// One form, and what follows it.
pub(super) fn read_form(text: &str, line: usize) -> Result<(Edn<'_>, &str), ReadError> {
    edn::read(text).map_err(|Error { code, line: at, .. }| match code {
        // Where the text ends says nothing; where the form that does not begins does.
        Code::UnexpectedEOF => ReadError::new(line, "the file ends inside of this form"),
        code => ReadError::new(line + at.unwrap_or(1) - 1, format!("this is no EDN: {code:?}")),
    })
}

/// Where the next form begins: after blanks, commas and comments.
fn next_form(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let blank = rest.find(|c: char| !c.is_whitespace() && c != ',')?;
        at += blank;
        if !text[at..].starts_with(';') {
            return Some(at);
        }
        at += text[at..].find('\n')?;
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

/// The event that a form describes; nothing for a nemesis, which is no client.
fn event(form: &Edn<'_>, line: usize) -> Result<Option<RecordedEvent>, ReadError> {
    let form = match form {
        Edn::Tagged(_, form) => form,
        form => form,
    };
    let Edn::Map(entries) = form else {
        return Err(ReadError::new(
            line,
            "an event is a map such as {:process 0, :type :invoke, :f :read, :value nil}",
        ));
    };
    let get = |key: &'static str| entries.get(&Edn::key(key));
    let value = |key| match get(key) {
        None => Ok(None),
        Some(edn) => Value::from_edn(edn, DEPTH_MAX)
            .map(Some)
            .ok_or_else(|| ReadError::new(line, format!("the value of :{key} is nested more than {DEPTH_MAX} deep"))),
    };
    let process = value("process")?.ok_or_else(|| ReadError::new(line, "the event has no :process"))?;
    if !matches!(process, Value::Int(_)) {
        return Ok(None);
    }
    let kind = value("type")?.ok_or_else(|| ReadError::new(line, "the event has no :type"))?;
    let f = value("f")?.ok_or_else(|| ReadError::new(line, "the event has no :f"))?;
    Ok(Some(RecordedEvent {
        line,
        process,
        kind: event_kind(&kind, line)?,
        f: f.to_string(),
        key: value("key")?,
        value: value("value")?.unwrap_or_default(),
        error: value("error")?.filter(|error| *error != Value::Nil),
        time_ns: match value("time")? {
            Some(Value::Int(time)) => i64::try_from(time).ok(),
            _ => None,
        },
        is_final: matches!(value("final?")?, Some(Value::Bool(true))),
    }))
}

/// `invoke`, `ok`, `fail` or `info`.
pub(super) fn event_kind(kind: &Value, line: usize) -> Result<EventKind, ReadError> {
    let kinds = [EventKind::Invoke, EventKind::Ok, EventKind::Fail, EventKind::Info];
    let named = kinds.into_iter().find(|known| kind.as_text() == Some(known.name()));
    named.ok_or_else(|| ReadError::new(line, format!("the type is {kind}, and not invoke, ok, fail or info")))
}
