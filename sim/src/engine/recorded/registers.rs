//! Registers: `read`, `write`, and `cas [from to]`.
//!
//! `nil` is a value like any other, and the one of a register that nobody has written, unless another is given.
//!
//! What is deliberately absent: keys. Many registers are a store, and judged as such.

use super::{
    FailedCas, Finding, Property,
    datum::Datum,
    judge,
    vocabulary::{Answer, Question, Translation, Vocabulary, unfit, unknown},
};
use crate::{
    checkers::linearizability::models::{Register, RegisterOp, RegisterRet},
    history::file::{RecordedOperation, Value},
};

/// The words of registers.
pub(super) struct Registers {
    pub(super) init: Value,
    pub(super) has_cas: bool,
    pub(super) failed_cas: FailedCas,
}

impl Registers {
    fn name(&self) -> &'static str {
        if self.has_cas { "cas-register" } else { "register" }
    }
}

/// The two values of a compare-and-set.
pub(super) fn compared(argument: &Value) -> Result<(&Value, &Value), String> {
    match argument {
        Value::List(pair) if pair.len() == 2 => Ok((&pair[0], &pair[1])),
        other => Err(unfit("the argument of this cas", other, "[from to]")),
    }
}

impl Vocabulary for Registers {
    type Model = Register<Datum>;

    fn model(&self) -> Self::Model {
        Register { init: Some(Datum::from(&self.init)) }
    }

    fn question<'a>(&self, recorded: &'a RecordedOperation) -> Result<Question<'a, RegisterOp<Datum>>, String> {
        if recorded.key.as_ref().is_some_and(|key| *key != Value::Nil) {
            return Err(format!("the model {} is one register and has no keys: `kv-rw` has", self.name()));
        }
        let argument = &recorded.argument;
        match recorded.f.as_str() {
            "read" => Ok(Question::telling(RegisterOp::Read)),
            "write" => Ok(Question::update(RegisterOp::Write(argument.into())).of(argument)),
            "cas" if self.has_cas => {
                let (from, to) = compared(argument)?;
                let op = RegisterOp::CompareAndSet { from: from.into(), to: to.into() };
                Ok(Question::telling(op).of(argument))
            }
            _ if self.has_cas => Err(unknown(recorded, self.name(), &["read", "write", "cas"])),
            _ => Err(unknown(recorded, self.name(), &["read", "write"])),
        }
    }

    fn answer<'a>(
        &self,
        question: &Question<'a, RegisterOp<Datum>>,
        _: &'a RecordedOperation,
        value: &'a Value,
    ) -> Result<Answer<'a, RegisterRet<Datum>>, String> {
        Ok(match question.op {
            RegisterOp::Read => Answer { ret: RegisterRet::Value(Some(value.into())), result: Some(value) },
            RegisterOp::Write(_) => Answer::done(RegisterRet::Done),
            // Some recorders count a comparison that differed as a success that answers false.
            RegisterOp::CompareAndSet { .. } if *value == Value::Bool(false) => {
                Answer { ret: RegisterRet::Swapped(false), result: Some(value) }
            }
            RegisterOp::CompareAndSet { .. } => Answer::done(RegisterRet::Swapped(true)),
        })
    }

    fn judge(&self, translation: &Translation<Self::Model>, property: Property) -> Option<Finding> {
        judge::register(&Datum::from(&self.init), &translation.calls, property)
    }

    fn refusal(&self, op: &RegisterOp<Datum>, _: Option<&Value>) -> Option<RegisterRet<Datum>> {
        let is_compared = self.failed_cas == FailedCas::Compared && matches!(op, RegisterOp::CompareAndSet { .. });
        is_compared.then_some(RegisterRet::Swapped(false))
    }
}
