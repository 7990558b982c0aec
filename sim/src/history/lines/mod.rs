//! JSON lines: a history as a file, one event a line.
//!
//! Every line is an object with the keys `index` (from 0), `time` (nanoseconds of virtual time), `process`, `type`
//! (`invoke`, `ok`, `fail` or `info`), `f` (the name of the operation) and `value` (what it is called with; for a read
//! what it returned when it is `ok`, and `null` otherwise). Lines of type `fail` and `info` also have `error`, the reason;
//! lines of reads after the quiet period also have `"final":true`. Keys stand in this order.
//!
//! Numbers are written exactly, also those beyond 64 bits. How the operations of an object are written is said in
//! `spoken`, one object after the other.

mod spoken;

use std::io;

pub use self::spoken::Spoken;
use super::{Event, EventKind, History, Operation, Outcome, file::Value};

impl<O: Spoken> History<O> {
    /// Writes all events, one JSON object a line.
    pub fn write_json_lines(&self, mut out: impl io::Write) -> io::Result<()> {
        for event in self.events() {
            write_line(&event, &mut out)?;
        }
        out.flush()
    }
}

/// What a line shows of an operation: what it is called with, or what it returned.
fn shown<O: Spoken>(operation: &Operation<O>, is_ok: bool) -> Value {
    match &operation.outcome {
        Outcome::Ok(ret) if is_ok && !operation.is_update() => O::returned(ret),
        _ => O::argument(&operation.op),
    }
}

fn write_line<O: Spoken>(event: &Event<'_, O>, out: &mut impl io::Write) -> io::Result<()> {
    let Event { index, time_ns, kind, operation } = event;
    write!(
        out,
        r#"{{"index":{index},"time":{time_ns},"process":{},"type":"{}","f":"{}","value":"#,
        operation.process,
        kind.name(),
        O::op_name(&operation.op),
    )?;
    serde_json::to_writer(&mut *out, &shown(operation, *kind == EventKind::Ok))?;
    if let (EventKind::Fail | EventKind::Info, Outcome::Fail(reason) | Outcome::Info(reason)) =
        (kind, &operation.outcome)
    {
        // Reasons are constants of this program: lower-case words and hyphens.
        write!(out, r#","error":"{reason}""#)?;
    }
    if operation.is_final {
        write!(out, r#","final":true"#)?;
    }
    writeln!(out, "}}")
}

impl<O: Spoken> Operation<O> {
    /// The operation for a person: who did what, where and when.
    pub fn told(&self) -> String {
        let who = if self.is_final { "final read".to_owned() } else { format!("c{}", self.client + 1) };
        let name = O::op_name(&self.op);
        let what = match shown(self, true) {
            Value::Nil => name.to_owned(),
            value => format!("{name} {value}"),
        };
        let milliseconds = |ns: u64| format!("{}.{:03}", ns / 1_000_000, ns / 1_000 % 1_000);
        let ended = match (&self.outcome, self.ended_ns) {
            (Outcome::Ok(_), Some(ended)) => format!("to {} ms", milliseconds(ended)),
            (Outcome::Fail(reason), _) => format!("ms, refused: {reason}"),
            _ => "ms, of unknown fate".to_owned(),
        };
        format!("{who} at n{}: {what}, {} {ended}", self.replica + 1, milliseconds(self.invoked_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdts::objects::counter::{Counter, CounterOp, CounterRet};

    #[test]
    fn every_kind_of_line() {
        let mut history = History::<Counter>::new(2);
        let add = history.invoke(0, 0, CounterOp::Add(-3), 1);
        let read = history.invoke(1, 0, CounterOp::Read, 2);
        history.complete(read, 3, Outcome::Fail("down"));
        history.complete(add, 4, Outcome::Info("timeout"));
        let last = history.invoke_final_read(0, 0, 5);
        history.complete(last, 6, Outcome::Ok(CounterRet::Total(i128::MIN)));
        let mut written = Vec::new();
        history.write_json_lines(&mut written).expect("a vector takes everything");
        let written = String::from_utf8(written).expect("lines are ASCII");
        assert_eq!(
            written,
            r#"{"index":0,"time":1,"process":0,"type":"invoke","f":"add","value":-3}
{"index":1,"time":2,"process":1,"type":"invoke","f":"read","value":null}
{"index":2,"time":3,"process":1,"type":"fail","f":"read","value":null,"error":"down"}
{"index":3,"time":4,"process":0,"type":"info","f":"add","value":-3,"error":"timeout"}
{"index":4,"time":5,"process":2,"type":"invoke","f":"read","value":null,"final":true}
{"index":5,"time":6,"process":2,"type":"ok","f":"read","value":-170141183460469231731687303715884105728,"final":true}
"#
        );
        for line in written.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("every line is JSON");
        }
    }
}
