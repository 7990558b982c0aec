//! The account of a run's programs: how replayable it was, and everything that was out of order.
//!
//! Whatever a program does wrong is noted with its node, its line and the virtual time, and the run goes on. Notes are counted by
//! [`Kind`]; the first few of each are kept in full.
//!
//! Invariant: noting changes nothing in the run.
//!
//! What is deliberately absent: a verdict. Whether notes are failures is for the judge to say.

use std::{collections::BTreeMap, fmt};

use crate::{
    kernel::{ids::NodeId, time::Time},
    programs::TimeSource,
};

/// What was out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The program could not be started, or did not answer `init` with `init_ok`.
    NotStarted,
    /// The program exited, was killed, or never came to rest.
    Ended,
    /// A line that is no message.
    Malformed,
    /// A line that is longer than lines may be.
    TooLong,
    /// More output in one step than there may be.
    Flood,
    /// A message before `init_ok`.
    BeforeInit,
    /// A message in the name of somebody else.
    WrongSource,
    /// A message to somebody who does not exist, or cannot be reached from there.
    UnknownDestination,
    /// A reply to a request that was answered, that its client gave up, or that nobody made.
    UnexpectedReply,
    /// A reply that is none of those that there are to such a request.
    MalformedReply,
}

impl Kind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not-started",
            Self::Ended => "ended",
            Self::Malformed => "malformed-line",
            Self::TooLong => "line-too-long",
            Self::Flood => "flood",
            Self::BeforeInit => "before-init",
            Self::WrongSource => "wrong-source",
            Self::UnknownDestination => "unknown-destination",
            Self::UnexpectedReply => "unexpected-reply",
            Self::MalformedReply => "malformed-reply",
        }
    }
}

/// Something out of order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whose program.
    pub node: NodeId,
    /// The virtual time.
    pub at: Time,
    /// What was wrong, with the line, for a person.
    pub what: String,
}

/// How many notes of a kind are kept in full.
pub const NOTES_MAX: usize = 5;

/// All notes of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// How many there were.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Note>,
}

/// A step of a program: what an audit compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// Whose program.
    pub node: NodeId,
    /// The virtual time.
    pub at: Time,
    /// What it was given.
    pub inputs: Vec<String>,
    /// What it wrote, in canonical order.
    pub lines: Vec<String>,
}

impl fmt::Display for StepRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{} at {}", self.node.0 + 1, self.at)?;
        let cut = |line: &String| line.chars().take(200).collect::<String>();
        for input in &self.inputs {
            write!(f, "\n  > {}", cut(input))?;
        }
        for line in &self.lines {
            write!(f, "\n  < {}", cut(line))?;
        }
        Ok(())
    }
}

/// What is remembered of steps, in bytes: beyond that an audit compares no more.
const STEPS_BYTES_MAX: usize = 256 << 20;

/// The account.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// By kind, everything that was out of order.
    pub notes: BTreeMap<Kind, Notes>,
    /// Where the programs' time came from: the least replayable of all.
    pub time_source: Option<TimeSource>,
    /// Every step, in order.
    pub steps: Vec<StepRecord>,
    /// How many steps there were.
    pub steps_count: u64,
    /// How many lines the programs wrote.
    pub lines_count: u64,
    bytes: usize,
}

impl Account {
    /// Notes something.
    pub fn note(&mut self, kind: Kind, node: NodeId, at: Time, what: String) {
        tracing::warn!(t = %at, node = node.0 + 1, kind = kind.name(), "{what}");
        let notes = self.notes.entry(kind).or_default();
        notes.count += 1;
        if notes.first.len() < NOTES_MAX {
            notes.first.push(Note { node, at, what });
        }
    }

    /// Remembers a step.
    pub fn step(&mut self, record: StepRecord, time_source: TimeSource) {
        self.time_source = self.time_source.max(Some(time_source));
        self.steps_count += 1;
        // Some runtimes wake up now and then and say nothing: no run is another for that.
        if record.inputs.is_empty() && record.lines.is_empty() {
            return;
        }
        self.lines_count += record.lines.len() as u64;
        self.bytes += record.inputs.iter().chain(&record.lines).map(|line| line.len() + 64).sum::<usize>();
        if self.bytes <= STEPS_BYTES_MAX {
            self.steps.push(record);
        }
    }

    /// The number of the first step in which another run of the same differs, if one does.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let differs = self.steps.iter().zip(&other.steps).position(|(one, another)| one != another);
        differs.or_else(|| (self.steps.len() != other.steps.len()).then(|| self.steps.len().min(other.steps.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> StepRecord {
        StepRecord { node: NodeId(0), at: Time(5), inputs: vec!["in".to_owned()], lines: vec![line.to_owned()] }
    }

    #[test]
    fn the_first_step_that_differs_is_found() {
        let account = |lines: &[&str]| {
            let mut account = Account::default();
            for line in lines {
                account.step(record(line), TimeSource::Shim);
            }
            account
        };
        assert_eq!(account(&["a", "b"]).first_difference(&account(&["a", "b"])), None);
        assert_eq!(account(&["a", "b"]).first_difference(&account(&["a", "c"])), Some(1));
        assert_eq!(account(&["a", "b"]).first_difference(&account(&["a"])), Some(1));
        assert_eq!(record("b").to_string(), "n1 at 5ns\n  > in\n  < b");
    }

    #[test]
    fn notes_are_counted_and_the_first_are_kept() {
        let mut account = Account::default();
        for at in 0..20 {
            account.note(Kind::Malformed, NodeId(1), Time(at), format!("line {at}"));
        }
        let notes = &account.notes[&Kind::Malformed];
        assert_eq!((notes.count, notes.first.len()), (20, NOTES_MAX));
        assert_eq!(notes.first[4].what, "line 4");
    }
}
