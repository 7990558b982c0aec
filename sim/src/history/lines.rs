//! JSON lines: a counter's history as a file, one event a line.
//!
//! Every line is an object with the keys `index` (from 0), `time` (nanoseconds of virtual time), `process`, `type`
//! (`invoke`, `ok`, `fail` or `info`), `f` (`add` or `read`) and `value` (the amount of an `add`; for a `read` the total
//! when it is `ok`, and `null` otherwise). Lines of type `fail` and `info` also have `error`, the reason; lines of reads
//! after the quiet period also have `"final":true`. Keys stand in this order.
//!
//! Totals are written exactly, also those beyond 64 bits.

use std::io;

use crdts::{
    object::Object,
    objects::counter::{Counter, CounterOp, CounterRet},
};

use super::{Event, EventKind, History, Outcome};

impl History<Counter> {
    /// Writes all events, one JSON object a line.
    pub fn write_json_lines(&self, mut out: impl io::Write) -> io::Result<()> {
        for event in self.events() {
            write_line(&event, &mut out)?;
        }
        out.flush()
    }
}

fn write_line(event: &Event<'_, Counter>, out: &mut impl io::Write) -> io::Result<()> {
    let Event { index, time_ns, kind, operation } = event;
    write!(
        out,
        r#"{{"index":{index},"time":{time_ns},"process":{},"type":"{}","f":"{}","value":"#,
        operation.process,
        kind.name(),
        Counter::op_name(&operation.op),
    )?;
    match (&operation.op, &operation.outcome) {
        (CounterOp::Add(amount), _) => write!(out, "{amount}")?,
        (CounterOp::Read, Outcome::Ok(CounterRet::Total(total))) if *kind == EventKind::Ok => write!(out, "{total}")?,
        (CounterOp::Read, _) => write!(out, "null")?,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
