//! Several registers at once: `read` and `write` of many, or `txn` of micro-operations such as `["r" x nil]` and `["w" x 1]`.
//!
//! Written are `{x 1, y 2}`, read are `[x y]`, answered by `{x 1, y nil}`; or all of these as micro-operations. Registers are
//! told apart by their names as text, since the keys of JSON objects are texts.
//!
//! What is deliberately absent: operations that read and write at once. They are transactions.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    datum::Datum,
    vocabulary::{Answer, Question, Vocabulary, unfit, unknown},
};
use crate::{
    checkers::linearizability::models::{MultiOp, MultiRegister, MultiRet},
    history::file::{RecordedOperation, Value},
};

/// The words of several registers.
pub(super) struct MultiRegisters;

/// A micro-operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Micro {
    Read,
    Write,
}

/// What an argument or an answer says of registers: in each, what is done if the form says so, the register and the value.
type Said<'a> = Vec<(Option<Micro>, Datum, &'a Value)>;

/// The registers that a value speaks of; nothing if it is no such value.
fn said(value: &Value) -> Option<Said<'_>> {
    match value {
        Value::Map(entries) => Some(entries.iter().map(|(name, value)| (None, register(name), value)).collect()),
        Value::List(items) => items.iter().map(micro).collect::<Option<_>>(),
        _ => None,
    }
}

fn micro(item: &Value) -> Option<(Option<Micro>, Datum, &Value)> {
    let Value::List(parts) = item else { return None };
    let micro = match parts.first()?.as_text()? {
        "r" | "read" => Micro::Read,
        "w" | "write" => Micro::Write,
        _ => return None,
    };
    (parts.len() == 3).then(|| (Some(micro), register(&parts[1]), &parts[2]))
}

/// The name of a register, as text.
fn register(name: &Value) -> Datum {
    Datum(Value::Text(name.to_string()))
}

/// Does an operation of this name read or write these registers?
fn kind(f: &str, said: &Said<'_>) -> Result<Micro, String> {
    let named = match f {
        "read" => Some(Micro::Read),
        "write" => Some(Micro::Write),
        _ => None,
    };
    let mut kinds = said.iter().map(|(micro, ..)| *micro);
    let first = kinds.next().flatten().or(named).ok_or("a txn is a list of micro-operations, such as [\"r\" x nil]")?;
    if named.is_some_and(|named| named != first) || kinds.any(|kind| kind.is_some_and(|kind| kind != first)) {
        return Err("this operation reads and writes; only those that do one of the two are judged".to_owned());
    }
    Ok(first)
}

const FORMS: &str = "registers with values, {x 1, y 2}, or micro-operations, [[\"r\" x nil] [\"r\" y nil]]";

impl Vocabulary for MultiRegisters {
    type Model = MultiRegister<Datum, Datum>;

    fn model(&self) -> Self::Model {
        MultiRegister::new()
    }

    fn question<'a>(&self, recorded: &'a RecordedOperation) -> Result<Question<'a, MultiOp<Datum, Datum>>, String> {
        let (f, argument) = (recorded.f.as_str(), &recorded.argument);
        if !matches!(f, "read" | "write" | "txn") {
            return Err(unknown(recorded, "multi-register", &["read", "write", "txn"]));
        }
        let misfit = || unfit(&format!("the value of this {f}"), argument, FORMS);
        let said = match (said(argument), argument) {
            (Some(said), _) => said,
            (None, Value::List(names)) if f == "read" => {
                names.iter().map(|name| (None, register(name), &Value::Nil)).collect()
            }
            _ => return Err(misfit()),
        };
        if said.is_empty() {
            return Err(misfit());
        }
        let kind = kind(f, &said)?;
        let names: BTreeSet<Datum> = said.iter().map(|(_, name, _)| name.clone()).collect();
        if names.len() < said.len() {
            return Err("a register stands twice in one operation".to_owned());
        }
        if kind == Micro::Read {
            return Ok(Question::telling(MultiOp::Read(names)).of(argument));
        }
        if said.iter().any(|(_, _, value)| **value == Value::Nil) {
            return Err("nil is written; it is the value of a register that was never written".to_owned());
        }
        let written = said.into_iter().map(|(_, name, value)| (name, Datum::from(value))).collect();
        Ok(Question::update(MultiOp::Write(written)).of(argument))
    }

    fn answer<'a>(
        &self,
        question: &Question<'a, MultiOp<Datum, Datum>>,
        _: &'a RecordedOperation,
        value: &'a Value,
    ) -> Result<Answer<'a, MultiRet<Datum, Datum>>, String> {
        let MultiOp::Read(asked) = &question.op else { return Ok(Answer::done(MultiRet::Done)) };
        let said = said(value).ok_or_else(|| unfit("the answer", value, FORMS))?;
        let given = said.len();
        let value_of = |value: &Value| (*value != Value::Nil).then(|| Datum::from(value));
        let values: BTreeMap<_, _> = said.into_iter().map(|(_, name, value)| (name, value_of(value))).collect();
        if given != asked.len() || !values.keys().eq(asked) {
            return Err(unfit("the answer", value, "about the registers that were asked for, each once"));
        }
        Ok(Answer { ret: MultiRet::Values(values), result: Some(value) })
    }
}
