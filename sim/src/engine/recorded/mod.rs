//! Recorded histories: a file's operations as calls of a model, held against a consistency model.
//!
//! [`check`] reads a file in any of the formats of [`crate::history::file`], translates its operations with the vocabulary of a
//! [`ModelKind`], and has them judged. An operation that succeeded is a call that returned; one that failed did not happen;
//! one whose fate nobody knows may take effect at any later time, or never, and if it only reads it says nothing. The order of
//! events in the file is their order in time.
//!
//! ```
//! use sim::{checkers::{Consistency, Verdict, linearizability::Limits}, engine::recorded::{Inquiry, ModelKind, Property, check}};
//!
//! let history = "
//!     {:process 0, :type :invoke, :f :write, :value 1}
//!     {:process 0, :type :ok,     :f :write, :value 1}
//!     {:process 1, :type :invoke, :f :read,  :value nil}
//!     {:process 1, :type :ok,     :f :read,  :value nil}";
//! let inquiry = Inquiry::new(ModelKind::Register, Property::Model(Consistency::Linearizable))?;
//! let judged = check(history.as_bytes(), &inquiry, &Limits::default()).map_err(|error| error.to_string())?;
//! assert!(matches!(judged.ruling.verdict, Verdict::Fail { .. }), "the write had returned");
//! assert_eq!(judged.operations[judged.ruling.calls[0]].line, 2);
//! # Ok::<(), String>(())
//! ```
//!
//! Invariant: what is found is a function of the bytes, the inquiry and the limits; whatever cannot be understood is refused
//! with its line, and nothing is skipped but what failed.
//!
//! What is deliberately absent: files and streams. Whoever has a path reads it.

mod datum;
mod judge;
mod models;
mod multi_registers;
mod objects;
mod property;
mod registers;
mod stores;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use models::ModelKind;
pub use property::{Checker, Property};

use crate::{
    checkers::{Ruling, Verdict, linearizability::Limits},
    history::file::{self, Format, ReadError, RecordedOperation, Value},
};
use vocabulary::{Translation, Vocabulary, translate};

/// What a file is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    model: ModelKind,
    property: Property,
    /// The value of a register at the beginning.
    pub init: Value,
    /// What a compare-and-set that failed says.
    pub failed_cas: FailedCas,
}

/// What a compare-and-set that failed says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailedCas {
    /// No more than that it did not happen.
    #[default]
    Dropped,
    /// That it compared, at one instant, with a value that differed.
    Compared,
}

impl Inquiry {
    /// Has a history of this model this property? An error says what is judged for the model, if this is not.
    pub fn new(model: ModelKind, property: Property) -> Result<Self, String> {
        if !judge::is_judged(model, property) {
            let judged = model.judged().map(|property| format!("`{}`", property.name())).collect::<Vec<_>>();
            return Err(format!(
                "`{}` is not judged for the model `{}`; judged are: {}",
                property.name(),
                model.name(),
                judged.join(", ")
            ));
        }
        Ok(Self { model, property, init: Value::Nil, failed_cas: FailedCas::default() })
    }

    /// What the file is a history of.
    pub fn model(&self) -> ModelKind {
        self.model
    }

    /// What it is held against.
    pub fn property(&self) -> Property {
        self.property
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It took effect.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

/// An operation of a file, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The line of its invocation, from 1.
    pub line: usize,
    /// The line of its completion, if there is one.
    pub end_line: Option<usize>,
    /// Who invoked it.
    pub process: u64,
    /// Its name.
    pub f: String,
    /// What it is applied to, where that stands apart.
    pub key: Option<String>,
    /// Its argument, if it has one.
    pub argument: Option<String>,
    /// Its answer, if that says more than success.
    pub result: Option<String>,
    /// The place of its invocation among the events, from 0.
    pub invoked: u64,
    /// The place of its completion, if there is one.
    pub ended: Option<u64>,
    /// How it ended.
    pub fate: Fate,
}

impl Operation {
    /// The place of the instant after which it has no effect any more; nothing if nobody knows one.
    pub fn returned(&self) -> Option<u64> {
        self.ended.filter(|_| self.fate != Fate::Info)
    }
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// How the file is written.
    pub format: Format,
    /// Its operations, in the order of their invocation.
    pub operations: Vec<Operation>,
    /// How many of them are calls that were judged.
    pub calls: usize,
    /// The verdict, with the operations that show it.
    pub ruling: Ruling,
    /// How many parts were judged apart, if they were.
    pub parts: Option<usize>,
    /// Is it known that no operation of the witness can be left out?
    pub is_minimal: bool,
    /// Operations that can be explained, in an order that does.
    pub prefix: Vec<usize>,
    /// The first operation whose return has no explanation, if that is known.
    pub stuck: Option<usize>,
}

/// What a checker found. Its places are those of calls.
struct Finding {
    ruling: Ruling,
    parts: Option<usize>,
    is_minimal: bool,
    prefix: Vec<usize>,
    stuck: Option<usize>,
}

impl From<Ruling> for Finding {
    fn from(ruling: Ruling) -> Self {
        Self { ruling, parts: None, is_minimal: false, prefix: Vec::new(), stuck: None }
    }
}

/// Judges the history that a file is.
pub fn check(bytes: &[u8], inquiry: &Inquiry, limits: &Limits<'_>) -> Result<Judged, ReadError> {
    let recording = file::read(bytes)?;
    let operations = recording.operations()?;
    let file = File { format: recording.format, operations: &operations, inquiry, limits };
    let failed_cas = inquiry.failed_cas;
    let registers = |has_cas| registers::Registers { init: inquiry.init.clone(), has_cas, failed_cas };
    match inquiry.model {
        ModelKind::Register => file.judge(&registers(false)),
        ModelKind::CasRegister => file.judge(&registers(true)),
        ModelKind::TextStore => file.judge(&stores::Texts),
        ModelKind::ValueStore => file.judge(&stores::Values { failed_cas }),
        ModelKind::MultiRegister => file.judge(&multi_registers::MultiRegisters),
        ModelKind::Mutex => file.judge(&objects::Locks),
        ModelKind::Counter => file.judge(&objects::Counters),
        ModelKind::Flag => file.judge(&objects::Flags),
        ModelKind::Set => file.judge(&objects::Sets { has_remove: true }),
        ModelKind::GrowOnlySet => file.judge(&objects::Sets { has_remove: false }),
    }
}

/// A file that has been read.
struct File<'a> {
    format: Format,
    operations: &'a [RecordedOperation],
    inquiry: &'a Inquiry,
    limits: &'a Limits<'a>,
}

impl File<'_> {
    fn judge<V: Vocabulary>(&self, vocabulary: &V) -> Result<Judged, ReadError> {
        let translation = translate(vocabulary, self.operations)?;
        let finding = match vacuous(&translation) {
            Some(reason) => Finding::from(Ruling::from(Verdict::Vacuous { reason: reason.to_owned() })),
            None => judge::judge(&vocabulary.model(), &translation.calls, self.inquiry.property, self.limits)
                .or_else(|| vocabulary.judge(&translation, self.inquiry.property))
                .unwrap_or_else(|| Finding::from(Ruling::from(Verdict::Unknown { reason: "it is not judged".into() }))),
        };
        let places = &translation.places;
        let at = |calls: Vec<usize>| calls.into_iter().map(|call| places[call]).collect();
        Ok(Judged {
            format: self.format,
            calls: translation.calls.len(),
            ruling: Ruling { verdict: finding.ruling.verdict, calls: at(finding.ruling.calls) },
            parts: finding.parts,
            is_minimal: finding.is_minimal,
            prefix: at(finding.prefix),
            stuck: finding.stuck.map(|call| places[call]),
            operations: translation.operations,
        })
    }
}

/// Why calls put nothing to the test, if they do not.
fn vacuous<M: crate::checkers::linearizability::Model>(translation: &Translation<M>) -> Option<&'static str> {
    if translation.calls.iter().all(|call| call.returned.is_none()) {
        return Some("no call returned");
    }
    (!translation.is_telling).then_some("no call returned an answer that could be wrong")
}
