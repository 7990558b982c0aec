//! Single objects: the mutex (`acquire`, `release`), the counter (`add`, `read`), the flag (`enable`, `disable`, `read`), and
//! sets (`add`, `remove`, `read`).
//!
//! What is deliberately absent: what a failure could tell. A lock that was refused was perhaps held, and perhaps out of reach.

use std::collections::{BTreeMap, BTreeSet};

use crdts::objects::{
    counter::{CounterOp, CounterRet},
    flag::{Flag, FlagOp, FlagRet},
};

use super::{
    Finding, Property,
    datum::{Datum, Element},
    judge,
    vocabulary::{Answer, Question, Translation, Vocabulary, unfit, unknown},
};
use crate::{
    checkers::linearizability::models::{CounterModel, Mutex, MutexOp, MutexRet, ObjectModel, SetModel, SetOp, SetRet},
    history::file::{RecordedOperation, Value},
};

/// The words of locks.
pub(super) struct Locks;

impl Vocabulary for Locks {
    type Model = Mutex;

    fn model(&self) -> Mutex {
        Mutex
    }

    fn question<'a>(&self, recorded: &'a RecordedOperation) -> Result<Question<'a, MutexOp>, String> {
        match recorded.f.as_str() {
            "acquire" => Ok(Question::telling(MutexOp::Acquire)),
            "release" => Ok(Question::telling(MutexOp::Release)),
            _ => Err(unknown(recorded, "mutex", &["acquire", "release"])),
        }
    }

    fn answer<'a>(
        &self,
        _: &Question<'a, MutexOp>,
        _: &'a RecordedOperation,
        _: &'a Value,
    ) -> Result<Answer<'a, MutexRet>, String> {
        Ok(Answer::done(MutexRet::Done))
    }
}

/// The words of counters.
pub(super) struct Counters;

impl Vocabulary for Counters {
    type Model = CounterModel;

    fn model(&self) -> CounterModel {
        CounterModel::new()
    }

    fn question<'a>(&self, recorded: &'a RecordedOperation) -> Result<Question<'a, CounterOp>, String> {
        let argument = &recorded.argument;
        let amount = match (recorded.f.as_str(), argument) {
            ("read", _) => return Ok(Question::telling(CounterOp::Read)),
            ("increment" | "inc", Value::Nil) => Some(1),
            ("add" | "increment" | "inc", Value::Int(amount)) => i64::try_from(*amount).ok(),
            ("add" | "increment" | "inc", _) => None,
            _ => return Err(unknown(recorded, "counter", &["add", "read", "increment", "inc"])),
        };
        let amount = amount.ok_or_else(|| {
            unfit(&format!("the value of this {}", recorded.f), argument, "a whole number of 64 bits")
        })?;
        Ok(Question::update(CounterOp::Add(amount)).of(argument))
    }

    fn answer<'a>(
        &self,
        question: &Question<'a, CounterOp>,
        _: &'a RecordedOperation,
        value: &'a Value,
    ) -> Result<Answer<'a, CounterRet>, String> {
        match (&question.op, value) {
            (CounterOp::Add(_), _) => Ok(Answer::done(CounterRet::Added)),
            (CounterOp::Read, Value::Int(total)) => Ok(Answer { ret: CounterRet::Total(*total), result: Some(value) }),
            (CounterOp::Read, other) => Err(unfit("the answer", other, "a whole number")),
        }
    }

    fn judge(&self, translation: &Translation<CounterModel>, property: Property) -> Option<Finding> {
        judge::counter(translation, property)
    }
}

/// The words of flags.
pub(super) struct Flags;

impl Vocabulary for Flags {
    type Model = ObjectModel<Flag>;

    fn model(&self) -> Self::Model {
        ObjectModel::new()
    }

    fn question<'a>(&self, recorded: &'a RecordedOperation) -> Result<Question<'a, FlagOp>, String> {
        match recorded.f.as_str() {
            "enable" => Ok(Question::update(FlagOp::Enable)),
            "disable" => Ok(Question::update(FlagOp::Disable)),
            "read" => Ok(Question::telling(FlagOp::Read)),
            _ => Err(unknown(recorded, "flag", &["enable", "disable", "read"])),
        }
    }

    fn answer<'a>(
        &self,
        question: &Question<'a, FlagOp>,
        _: &'a RecordedOperation,
        value: &'a Value,
    ) -> Result<Answer<'a, FlagRet>, String> {
        match (question.op, value) {
            (FlagOp::Enable, _) => Ok(Answer::done(FlagRet::Enabled)),
            (FlagOp::Disable, _) => Ok(Answer::done(FlagRet::Disabled)),
            (FlagOp::Read, Value::Bool(enabled)) => Ok(Answer { ret: FlagRet::Value(*enabled), result: Some(value) }),
            (FlagOp::Read, other) => Err(unfit("the answer", other, "true or false")),
        }
    }
}

/// The words of sets.
pub(super) struct Sets {
    pub(super) has_remove: bool,
}

impl Vocabulary for Sets {
    type Model = SetModel<Element>;

    fn model(&self) -> Self::Model {
        SetModel::new()
    }

    fn question<'a>(&self, recorded: &'a RecordedOperation) -> Result<Question<'a, SetOp<Element>>, String> {
        let element = || Element { datum: Datum::from(&recorded.argument), copy: 0 };
        match recorded.f.as_str() {
            "add" => Ok(Question::update(SetOp::Add(element())).of(&recorded.argument)),
            "remove" if self.has_remove => Ok(Question::update(SetOp::Remove(element())).of(&recorded.argument)),
            "read" => Ok(Question::telling(SetOp::Read)),
            _ if self.has_remove => Err(unknown(recorded, "set", &["add", "remove", "read"])),
            _ => Err(unknown(recorded, "g-set", &["add", "read"])),
        }
    }

    fn answer<'a>(
        &self,
        question: &Question<'a, SetOp<Element>>,
        _: &'a RecordedOperation,
        value: &'a Value,
    ) -> Result<Answer<'a, SetRet<Element>>, String> {
        match (&question.op, value) {
            (SetOp::Add(_) | SetOp::Remove(_), _) => Ok(Answer::done(SetRet::Done)),
            (SetOp::Read, Value::Nil) => Ok(Answer { ret: SetRet::Elements(BTreeSet::new()), result: Some(value) }),
            (SetOp::Read, Value::List(elements) | Value::Set(elements)) => {
                Ok(Answer { ret: SetRet::Elements(counted(elements)), result: Some(value) })
            }
            (SetOp::Read, other) => Err(unfit("the answer", other, "the elements, as a list or a set")),
        }
    }

    fn judge(&self, translation: &Translation<Self::Model>, property: Property) -> Option<Finding> {
        if self.has_remove { None } else { judge::grow_only_set(translation, property) }
    }
}

/// Elements with the number of each copy, so that an element that was read twice is not taken for one.
fn counted(elements: &[Value]) -> BTreeSet<Element> {
    let mut copies: BTreeMap<&Value, usize> = BTreeMap::new();
    let element = |value| {
        let next = copies.entry(value).or_default();
        *next += 1;
        Element { datum: Datum::from(value), copy: *next - 1 }
    };
    elements.iter().map(element).collect()
}
