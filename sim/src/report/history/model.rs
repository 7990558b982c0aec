//! The model of a report on recorded histories: what other programs read.
//!
//! Invariant: plain data, integers and text only. Values of a history are text, since they may be anything. Names never change
//! their meaning; new ones are added, and [`SCHEMA_VERSION`] grows only when an old reader would misunderstand.
//!
//! Nothing is formatted here.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    checkers,
    engine::recorded::{Inquiry, Judged, Operation},
};

/// The version of the schema, in [`CheckReport::schema`].
pub const SCHEMA_VERSION: u32 = 1;

/// The report on all files of a command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckReport {
    /// The version of the schema: 1.
    pub schema: u32,
    /// The version of the program.
    pub tool: String,
    /// What the files are histories of.
    pub model: String,
    /// What they were held against.
    pub consistency: String,
    /// The worst verdict of all files.
    pub verdict: CheckVerdict,
    /// The files, in the order of the command line.
    pub files: Vec<FileReport>,
}

/// The verdict on a file. Later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckVerdict {
    /// It is consistent, and was put to the test.
    Pass,
    /// Nothing in it could have been inconsistent.
    Vacuous,
    /// It could not be decided: a limit was reached.
    Inconclusive,
    /// It is not consistent.
    Fail,
    /// It is no history of the model.
    Unreadable,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileReport {
    /// The file, as on the command line.
    pub path: String,
    /// How it is written: `json-lines`, `edn` or `log`; null if it is unreadable.
    pub format: Option<String>,
    /// Is it consistent?
    pub verdict: CheckVerdict,
    /// The operations that were judged: those that took effect or may have.
    pub calls: u64,
    /// The parts that were judged apart; null if the whole was, or none.
    pub parts: Option<u64>,
    /// Why the verdict is vacuous, inconclusive or unreadable.
    pub reason: Option<String>,
    /// The line that cannot be read.
    pub line: Option<u64>,
    /// What shows that it is not consistent.
    pub witness: Option<Witness>,
    /// The history, for drawings.
    #[serde(skip)]
    #[schemars(skip)]
    pub history: Option<Box<Judged>>,
}

/// Calls that are not consistent, whatever became of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Witness {
    /// The calls, in the order of their invocation.
    pub calls: Vec<WitnessCall>,
    /// Is it known that none of them can be left out?
    pub minimal: bool,
    /// The lines of the longest beginning that can be explained, in an order that explains it; empty if that is not known.
    pub prefix: Vec<u64>,
    /// The line of the first answer that has no explanation, if that is known.
    pub stuck: Option<u64>,
    /// What is wrong, in words.
    pub text: String,
}

/// A call of a witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WitnessCall {
    /// The line of its invocation, from 1.
    pub line: u64,
    /// The line of its completion; null if there is none.
    pub end_line: Option<u64>,
    /// Who called.
    pub process: u64,
    /// The operation.
    pub f: String,
    /// The key, where the model has keys.
    pub key: Option<String>,
    /// The argument, if there is one.
    pub argument: Option<String>,
    /// The answer, if it says more than success.
    pub result: Option<String>,
    /// The number of the invocation among the events, from 0.
    pub invoked: u64,
    /// The number of the completion; null if the call may take effect at any later time, or never.
    pub returned: Option<u64>,
}

/// Why a file cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, if it is one.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// The report on files and what became of them.
pub fn report(inquiry: &Inquiry, files: Vec<(String, Result<Judged, Unreadable>)>) -> CheckReport {
    let files: Vec<FileReport> = files.into_iter().map(|(path, outcome)| file_report(path, outcome)).collect();
    CheckReport {
        schema: SCHEMA_VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        model: inquiry.model().name().to_owned(),
        consistency: inquiry.property().name().to_owned(),
        verdict: files.iter().map(|file| file.verdict).max().unwrap_or(CheckVerdict::Vacuous),
        files,
    }
}

fn file_report(path: String, outcome: Result<Judged, Unreadable>) -> FileReport {
    let judged = match outcome {
        Ok(judged) => judged,
        Err(Unreadable { line, reason }) => {
            return FileReport {
                path,
                format: None,
                verdict: CheckVerdict::Unreadable,
                calls: 0,
                parts: None,
                reason: Some(reason),
                line: line.map(|line| line as u64),
                witness: None,
                history: None,
            };
        }
    };
    let (verdict, reason, witness) = match &judged.ruling.verdict {
        checkers::Verdict::Pass => (CheckVerdict::Pass, None, None),
        checkers::Verdict::Vacuous { reason } => (CheckVerdict::Vacuous, Some(reason.clone()), None),
        checkers::Verdict::Unknown { reason } => (CheckVerdict::Inconclusive, Some(reason.clone()), None),
        checkers::Verdict::Fail { witness } => (CheckVerdict::Fail, None, Some(shown_witness(&judged, witness))),
    };
    FileReport {
        path,
        format: Some(judged.format.name().to_owned()),
        verdict,
        calls: judged.calls as u64,
        parts: judged.parts.map(|parts| parts as u64),
        reason,
        line: None,
        witness,
        history: Some(Box::new(judged)),
    }
}

fn shown_witness(judged: &Judged, text: &str) -> Witness {
    let operation = |&place: &usize| &judged.operations[place];
    Witness {
        calls: judged.ruling.calls.iter().map(operation).map(witness_call).collect(),
        minimal: judged.is_minimal,
        prefix: judged.prefix.iter().map(|place| operation(place).line as u64).collect(),
        stuck: judged.stuck.and_then(|place| operation(&place).end_line).map(|line| line as u64),
        text: text.to_owned(),
    }
}

fn witness_call(operation: &Operation) -> WitnessCall {
    WitnessCall {
        line: operation.line as u64,
        end_line: operation.end_line.map(|line| line as u64),
        process: operation.process,
        f: operation.f.clone(),
        key: operation.key.clone(),
        argument: operation.argument.clone(),
        result: operation.result.clone(),
        invoked: operation.invoked,
        returned: operation.returned(),
    }
}
