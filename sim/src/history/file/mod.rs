//! Histories recorded anywhere, read from files.
//!
//! A file is JSON lines (as `sim` writes them), Jepsen's EDN (one form a line, or one vector of forms), or a log of Jepsen in
//! which operations stand between other lines. [`read`] finds out which, and gives the events as they are;
//! [`Recording::operations`] pairs invocations with completions.
//!
//! ```
//! use sim::history::file::{self, Value};
//!
//! let text = "{:process 0, :type :invoke, :f :write, :value 3}\n{:process 0, :type :ok, :f :write, :value 3}\n";
//! let recording = file::read(text.as_bytes())?;
//! let operations = recording.operations()?;
//! assert_eq!(operations[0].f, "write");
//! assert_eq!(operations[0].argument, Value::Int(3));
//! # Ok::<(), file::ReadError>(())
//! ```
//!
//! Invariant: nothing is skipped silently but what the format says to skip (other lines of a log, the events of a nemesis).
//! Whatever else cannot be read is an error with its line. What is deliberately absent: any idea of what operations mean.

mod edn;
mod json_lines;
mod log;
mod pairing;
mod value;

use std::fmt;

pub use super::EventKind;
pub use pairing::{Completion, RecordedOperation};
pub use value::Value;

/// The events of a file, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// How the file is written.
    pub format: Format,
    /// The events of clients.
    pub events: Vec<RecordedEvent>,
}

/// How a history is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// Jepsen's EDN.
    Edn,
    /// A log of Jepsen.
    Log,
}

impl Format {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "json-lines",
            Self::Edn => "edn",
            Self::Log => "log",
        }
    }
}

/// An invocation or a completion, as a file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The line it begins on, from 1.
    pub line: usize,
    /// Who did it.
    pub process: Value,
    /// What happened.
    pub kind: EventKind,
    /// The name of the operation, for example `read`.
    pub f: String,
    /// What it is applied to, if the file says so apart from the value.
    pub key: Option<Value>,
    /// The argument of an invocation, the result of a completion.
    pub value: Value,
    /// Why it did not succeed, if the file says so.
    pub error: Option<Value>,
    /// When, in nanoseconds, if the file says so.
    pub time_ns: Option<i64>,
    /// Is it part of the reads after the quiet period at the end?
    pub is_final: bool,
}

/// Why a file is not a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl ReadError {
    fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ReadError {}

/// The longest line that is read, in bytes: longer ones are refused.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// The JSON Schema of a line of a history in JSON lines.
pub fn line_schema() -> schemars::Schema {
    json_lines::line_schema()
}

/// Reads a history, whichever way it is written.
pub fn read(bytes: &[u8]) -> Result<Recording, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count();
        ReadError::new(line, "the file is not UTF-8")
    })?;
    // A byte order mark is no content.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some((at, _)) = text.lines().enumerate().find(|(_, line)| line.len() > LINE_BYTES_MAX) {
        return Err(ReadError::new(at + 1, format!("the line is longer than {} MiB", LINE_BYTES_MAX >> 20)));
    }
    let format = recognise(text);
    let events = match format {
        Format::JsonLines => json_lines::read(text)?,
        Format::Edn => edn::read(text)?,
        Format::Log => log::read(text)?,
    };
    Ok(Recording { format, events })
}

/// A log names `jepsen.util` before its operations. JSON objects begin with a quoted key, EDN maps do not.
fn recognise(text: &str) -> Format {
    let first = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with(';'));
    let Some(first) = first else { return Format::JsonLines };
    let inside = first.strip_prefix('{').map(str::trim_start);
    match inside {
        Some(rest) if rest.starts_with('"') || rest.starts_with('}') => Format::JsonLines,
        Some(_) => Format::Edn,
        None if first.starts_with(['[', '(']) && !log::is_operation(first) && !first.starts_with("[2") => Format::Edn,
        None if first.starts_with('#') => Format::Edn,
        None => Format::Log,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, format: Format, events: &[(EventKind, &str, Value)]) {
        let recording = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(recording.format, format, "{text}");
        let found: Vec<_> =
            recording.events.iter().map(|event| (event.kind, event.f.as_str(), event.value.clone())).collect();
        assert_eq!(found, events, "{text}");
    }

    fn refuse(text: &str, line: usize, reason: &str) {
        let error = read(text.as_bytes()).and_then(|recording| recording.operations()).expect_err(text);
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.reason.contains(reason), "{text}: {error}");
    }

    #[test]
    fn one_history_in_three_formats() {
        let pair = Value::List(vec![Value::Int(1), Value::Int(2)]);
        let expected = [
            (EventKind::Invoke, "read", Value::Nil),
            (EventKind::Invoke, "cas", pair.clone()),
            (EventKind::Ok, "read", Value::Int(3)),
            (EventKind::Info, "cas", pair),
        ];
        check(
            r#"{"process":0,"type":"invoke","f":"read","value":null}
{"process":1,"type":"invoke","f":"cas","value":[1,2]}

{"process":0,"type":"ok","f":"read","value":3}
{"process":1,"type":"info","f":"cas","value":[1,2],"error":"timeout"}
"#,
            Format::JsonLines,
            &expected,
        );
        check(
            "{:process 0, :type :invoke, :f :read, :value nil}
{:process :nemesis, :type :info, :f :start, :value nil}
{:process 1 :type :invoke :f :cas :value [1 2] :index 1 :time 12}
; a remark
{:process 0, :type :ok, :f :read, :value 3}
{:process 1, :type :info, :f :cas, :value [1 2], :error :timed-out}",
            Format::Edn,
            &expected,
        );
        check(
            "[{:process 0, :type :invoke, :f :read, :value nil} #jepsen.history.Op{:process 1, :type :invoke, :f :cas, :value [1 2]}
 {:process 0, :type :ok, :f :read, :value 3}, {:process 1, :type :info, :f :cas, :value [1 2]}]",
            Format::Edn,
            &expected,
        );
    }

    #[test]
    fn logs_are_read_between_other_lines() {
        check(
            "INFO  jepsen.core - Setting up\nINFO  jepsen.util - 0\t:invoke\t:read\tnil\n\
             INFO  jepsen.util - 1 :invoke :cas [1 2]\nINFO  jepsen.util - :nemesis :info :start nil\n\
             INFO  jepsen.util - 0 :ok :read 3\nINFO  jepsen.util - 1 :info :cas :timed-out\n\
             INFO  jepsen.util - 2 :invoke :read nil\nINFO  jepsen.util - 2 :fail :read :timed-out\n",
            Format::Log,
            &[
                (EventKind::Invoke, "read", Value::Nil),
                (EventKind::Invoke, "cas", Value::List(vec![Value::Int(1), Value::Int(2)])),
                (EventKind::Ok, "read", Value::Int(3)),
                (EventKind::Info, "cas", Value::Text("timed-out".into())),
                (EventKind::Invoke, "read", Value::Nil),
                (EventKind::Fail, "read", Value::Text("timed-out".into())),
            ],
        );
        check(
            "[2015-01-02 03:04:05] INFO jepsen worker 3 - jepsen.util 3 :invoke :write 4\n",
            Format::Log,
            &[(EventKind::Invoke, "write", Value::Int(4))],
        );
    }

    #[test]
    fn operations_take_their_completion() {
        let recording = read(b"{:process 0, :type :invoke, :f :get, :key \"a\", :value nil}\n{:process 1, :type :invoke, :f :put, :key \"a\", :value \"x\"}\n{:process 0, :type :ok, :f :get, :key \"a\", :value \"x\"}\n")
            .expect("this is a history");
        let operations = recording.operations().expect("every completion has its invocation");
        assert_eq!(operations.len(), 2);
        assert_eq!((operations[0].invoked, operations[1].invoked), (0, 1));
        assert_eq!(operations[0].key, Some(Value::Text("a".into())));
        let completion = operations[0].completion.as_ref().expect("the get returned");
        assert_eq!((completion.at, completion.kind, &completion.value), (2, EventKind::Ok, &Value::Text("x".into())));
        assert_eq!(operations[1].completion, None);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_line() {
        refuse("{\"process\":0,\"type\":\"invoke\",\"f\":\"read\",\"value\":null}\n{\"process\":0,\"ty", 2, "EOF");
        refuse("{\"process\":0,\"type\":\"begin\",\"f\":\"read\"}", 1, "begin");
        refuse("{\"type\":\"invoke\",\"f\":\"read\"}", 1, "process");
        refuse("{:process 0, :type :invoke, :f :read, :value nil}\n{:process 0, :type :ok", 2, "ends");
        refuse("[{:process 0, :type :invoke, :f :read, :value nil}\n", 1, "ends");
        refuse("{:process 0, :type :invoke, :value nil}", 1, ":f");
        refuse("INFO  jepsen.util - 0 :invoke :cas [1 2", 1, "ends");
        refuse("INFO  jepsen.util - 0 :invoke", 1, "operation");
        refuse("{:process 0, :type :ok, :f :read, :value 1}", 1, "no operation");
        refuse(
            "{:process 0, :type :invoke, :f :read}\n\n{:process 0, :type :invoke, :f :read}",
            3,
            "pending since line 1",
        );
        refuse("{:process 0, :type :invoke, :f :read}\n{:process 0, :type :ok, :f :write}", 2, "read");
        assert_eq!(read(b"\xff\n").expect_err("this is no text").line, 1);
    }

    #[test]
    fn an_empty_file_is_an_empty_history() {
        for text in ["", "\n\n", "; nothing\n", "[]"] {
            assert_eq!(read(text.as_bytes()).map(|recording| recording.events.len()), Ok(0), "{text:?}");
        }
    }

    #[test]
    fn deep_nesting_is_no_stack_overflow() {
        let deep = "[".repeat(200_000);
        assert!(read(deep.as_bytes()).is_err());
        let json = format!("{{\"process\":{deep}");
        assert!(read(json.as_bytes()).is_err());
        let closed = format!("{{:process 0 :type :invoke :f :w :value {}{}}}", "[".repeat(2000), "]".repeat(2000));
        refuse(&closed, 1, "deep");
    }
}
