//! Vocabularies: what the names and values of a file mean to a model.
//!
//! A [`Vocabulary`] says what an operation asks for and what it was answered; [`translate`] does the same for all models: what
//! succeeded is a call that returned, what failed is none, and what nobody knows may take effect later or never. Times are the
//! places of events in the file.
//!
//! Invariant: nothing is guessed. What a vocabulary does not know is refused with its line.
//!
//! What is deliberately absent: time stamps. Clocks of several processes may disagree, and the order of a file does not.

use super::{Fate, Finding, Operation, Property, datum::shown};
use crate::{
    checkers::linearizability::{Call, Model},
    history::{
        EventKind,
        file::{ReadError, RecordedOperation, Value},
    },
    scenario::diagnostic::suggestion,
};

/// The calls of a model.
pub(super) type Calls<M> = Vec<Call<<M as Model>::Op, <M as Model>::Ret>>;

/// What the operations of a file mean.
pub(super) trait Vocabulary {
    /// The model they are calls of.
    type Model: Model;

    /// The model itself.
    fn model(&self) -> Self::Model;

    /// What an invocation asks for, or what is wrong with it.
    fn question<'a>(&self, recorded: &'a RecordedOperation)
    -> Result<Question<'a, <Self::Model as Model>::Op>, String>;

    /// What an operation that succeeded was answered, or what is wrong with it.
    fn answer<'a>(
        &self,
        question: &Question<'a, <Self::Model as Model>::Op>,
        recorded: &'a RecordedOperation,
        value: &'a Value,
    ) -> Result<Answer<'a, <Self::Model as Model>::Ret>, String>;

    /// What a failure answers, if it says more than that nothing happened. `error` is the reason that the file gives.
    fn refusal(&self, _op: &<Self::Model as Model>::Op, _error: Option<&Value>) -> Option<<Self::Model as Model>::Ret> {
        None
    }

    /// Judges calls by a property that is not judged for every model; `None` where it is not for this one.
    fn judge(&self, _translation: &Translation<Self::Model>, _property: Property) -> Option<Finding> {
        None
    }
}

/// What was asked for.
pub(super) struct Question<'a, Op> {
    pub(super) op: Op,
    /// What it is applied to, where that stands apart.
    pub(super) key: Option<&'a Value>,
    /// The rest of its argument.
    pub(super) argument: Option<&'a Value>,
    /// Does a success say anything about the state? Nothing but such answers can contradict a model.
    pub(super) is_telling: bool,
}

impl<'a, Op> Question<'a, Op> {
    /// A question whose answer tells of the state.
    pub(super) fn telling(op: Op) -> Self {
        Self { op, key: None, argument: None, is_telling: true }
    }

    /// An update that always succeeds.
    pub(super) fn update(op: Op) -> Self {
        Self { is_telling: false, ..Self::telling(op) }
    }

    /// With this argument.
    pub(super) fn of(mut self, argument: &'a Value) -> Self {
        self.argument = Some(argument);
        self
    }

    /// On this key.
    pub(super) fn on(mut self, key: &'a Value) -> Self {
        self.key = Some(key);
        self
    }
}

/// What was answered.
pub(super) struct Answer<'a, Ret> {
    pub(super) ret: Ret,
    /// The answer for a person; nothing if it says no more than that the operation succeeded.
    pub(super) result: Option<&'a Value>,
}

impl<Ret> Answer<'_, Ret> {
    /// An answer that says no more than that the operation succeeded.
    pub(super) fn done(ret: Ret) -> Self {
        Self { ret, result: None }
    }
}

/// What is wrong with an operation that is none of the model's.
pub(super) fn unknown(recorded: &RecordedOperation, model: &str, operations: &[&str]) -> String {
    let help = suggestion(&recorded.f, "operations", operations.iter().copied());
    format!("`{}` is no operation of the model {model}: {help}", recorded.f)
}

/// What is wrong with a value.
pub(super) fn unfit(what: &str, value: &Value, expected: &str) -> String {
    let mut found = shown(value);
    if let Some((at, _)) = found.char_indices().nth(60) {
        found.truncate(at);
        found.push('…');
    }
    format!("{what} is {found}, and should be {expected}")
}

/// A file's operations as calls of a model.
pub(super) struct Translation<M: Model> {
    /// The calls that took effect or may have.
    pub(super) calls: Calls<M>,
    /// For each call its place among the operations.
    pub(super) places: Vec<usize>,
    /// All operations, for people.
    pub(super) operations: Vec<Operation>,
    /// For each call, was it made after the end?
    pub(super) is_final: Vec<bool>,
    /// Is there a call whose answer could contradict the model?
    pub(super) is_telling: bool,
}

impl<M: Model> Translation<M> {
    /// A call for a person, by its lines in the file.
    pub(super) fn tell(&self, call: usize) -> String {
        let operation = &self.operations[self.places[call]];
        let mut told = format!("line {}: process {} {}", operation.line, operation.process, operation.f);
        for part in [&operation.argument, &operation.result].into_iter().flatten() {
            told.push(' ');
            told.push_str(part);
        }
        told
    }
}

/// Translates operations, in the order of their invocation.
pub(super) fn translate<V: Vocabulary>(
    vocabulary: &V,
    recorded: &[RecordedOperation],
) -> Result<Translation<V::Model>, ReadError> {
    let model = vocabulary.model();
    let mut translation = Translation {
        calls: Vec::new(),
        places: Vec::new(),
        operations: Vec::new(),
        is_final: Vec::new(),
        is_telling: false,
    };
    for (place, recorded) in recorded.iter().enumerate() {
        let refuse = |line: usize| move |reason: String| ReadError { line, reason };
        let process = match recorded.process {
            Value::Int(process) => u64::try_from(process).ok(),
            _ => None,
        };
        let process = process.ok_or_else(|| unfit("the process", &recorded.process, "a number from 0 on"));
        let process = process.map_err(refuse(recorded.line))?;
        let question = vocabulary.question(recorded).map_err(refuse(recorded.line))?;
        let mut operation = Operation {
            line: recorded.line,
            end_line: recorded.completion.as_ref().map(|completion| completion.line),
            process,
            f: recorded.f.clone(),
            key: question.key.map(shown),
            argument: question.argument.filter(|argument| **argument != Value::Nil).map(shown),
            result: None,
            invoked: recorded.invoked,
            ended: recorded.completion.as_ref().map(|completion| completion.at),
            fate: Fate::Info,
        };
        let call = match &recorded.completion {
            Some(completion) if completion.kind == EventKind::Ok => {
                let answer = vocabulary.answer(&question, recorded, &completion.value);
                let answer = answer.map_err(refuse(completion.line))?;
                operation.fate = Fate::Ok;
                operation.result = answer.result.map(shown);
                translation.is_telling |= question.is_telling;
                Some(Call::returned(process, question.op, answer.ret, recorded.invoked, completion.at))
            }
            Some(completion) if completion.kind == EventKind::Fail => {
                operation.fate = Fate::Fail;
                let refusal = vocabulary.refusal(&question.op, completion.error.as_ref());
                translation.is_telling |= refusal.is_some();
                operation.result = refusal.as_ref().map(|_| "differed".to_owned());
                refusal.map(|ret| Call::returned(process, question.op, ret, recorded.invoked, completion.at))
            }
            // A read of which nobody knows the answer says nothing.
            _ if model.is_read(&question.op, None) => None,
            _ => Some(Call::indeterminate(process, question.op, recorded.invoked)),
        };
        if let Some(call) = call {
            translation.calls.push(call);
            translation.places.push(place);
            translation.is_final.push(recorded.is_final);
        }
        translation.operations.push(operation);
    }
    Ok(translation)
}
