//! What there is to say about systems of programs, beyond what is said about all systems.
//!
//! Nobody sees which updates are behind an answer of a program. So its history is held against the consistency models by its values
//! alone, exactly as `sim check` judges a history that somebody else recorded. Whether a run can be replayed is measured by running
//! it again ([`audit`]), and never assumed.
//!
//! Invariant: nothing here changes a run.
//!
//! What is deliberately absent: trust. A program that is said to be deterministic is run again like any other.

use super::{
    Finding,
    recorded::{Inquiry, ModelKind, Property, check},
    run::{Depth, Outcome, Progress, run_to},
};
use crate::{
    checkers::{Consistency, Verdict, answers::ORDERLY, linearizability::Limits},
    maelstrom::{
        Dialect, Fleet,
        account::{Account, Kind, StepRecord},
        config::Delivery,
    },
    programs::TimeSource,
    scenario::{Plan, SystemSpec},
};

/// What is known of the programs of a run.
#[derive(Clone, Debug)]
pub struct Programs {
    /// What they did.
    pub account: Account,
    /// How their inputs were handed over.
    pub delivery: Delivery,
    /// What came of running it again; `None` when nobody did.
    pub audit: Option<Audit>,
}

/// What came of running programs again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many runs were the same, step by step.
    pub equal: u32,
    /// How many runs there were beside the first.
    pub runs: u32,
    /// The first step that differed in any of them: its number, and both versions.
    pub difference: Option<(usize, Option<StepRecord>, Option<StepRecord>)>,
}

impl Programs {
    /// Is it possible at all that a run again is the same?
    pub fn can_replay(&self) -> bool {
        self.delivery == Delivery::Lockstep && self.account.time_source != Some(TimeSource::Wall)
    }

    /// How far a run can be relied on to be the same again.
    pub fn guarantee(&self) -> String {
        let source = self.account.time_source.unwrap_or(TimeSource::Messages);
        if source == TimeSource::Interpreter && self.delivery == Delivery::Lockstep {
            return "deterministic".to_owned();
        }
        match &self.audit {
            _ if self.delivery == Delivery::Burst => "best effort: inputs in bursts".to_owned(),
            _ if source == TimeSource::Wall => "best effort: the clock on the wall".to_owned(),
            None => "best effort: not run again".to_owned(),
            Some(audit) if audit.equal == audit.runs => format!("replayable {}/{}", audit.equal, audit.runs),
            Some(audit) => format!("best effort: {} of {} runs again were the same", audit.equal, audit.runs),
        }
    }
}

/// The name of a kind of time in reports.
pub fn time_source_name(source: TimeSource) -> &'static str {
    match source {
        TimeSource::Interpreter => "interpreter",
        TimeSource::Shim => "shim",
        TimeSource::Messages => "messages",
        TimeSource::Wall => "wall",
    }
}

/// Adds what is known of programs to the outcome of their run.
pub(super) fn complete(outcome: &mut Outcome, fleet: &Fleet, depth: Depth) {
    let account = fleet.account();
    if depth == Depth::Full {
        outcome.consistency = findings(outcome, fleet.surroundings.dialect);
    }
    let orderly = orderly(&account);
    let is_unstarted = account.notes.contains_key(&Kind::NotStarted);
    if let (Verdict::Fail { .. }, true) = (&orderly, fleet.config.strict || is_unstarted) {
        outcome.correct = orderly.clone();
    }
    outcome.checks.push((ORDERLY, orderly));
    outcome.programs = Some(Programs { account, delivery: fleet.config.delivery, audit: None });
}

/// Has a program kept to the protocol?
fn orderly(account: &Account) -> Verdict {
    let Some((kind, notes)) = account.notes.iter().next() else { return Verdict::Pass };
    let first = notes.first.first();
    let first = first.map_or_else(String::new, |note| format!(": n{} at {}, {}", note.node.0 + 1, note.at, note.what));
    Verdict::Fail { witness: format!("{} times {}{first}", notes.count, kind.name()) }
}

/// Every consistency model, judged by values.
fn findings(outcome: &Outcome, dialect: Dialect) -> Vec<Finding> {
    let model = match dialect {
        Dialect::Counter => Some(ModelKind::Counter),
        Dialect::GrowOnlySet | Dialect::Broadcast => Some(ModelKind::GrowOnlySet),
        Dialect::KeyValue => Some(ModelKind::ValueStore),
        Dialect::Echo | Dialect::UniqueIds => None,
    };
    let mut lines = Vec::new();
    let written = outcome.history.write_json_lines(&mut lines);
    let verdict = |property: Consistency| {
        if property == Consistency::StronglyConvergent {
            return Verdict::Unknown { reason: "the state of a program is not known".to_owned() };
        }
        let Some(model) = model else {
            return Verdict::Vacuous { reason: "clients share nothing".to_owned() };
        };
        let judged = written.as_ref().map_err(ToString::to_string).and_then(|()| {
            let inquiry = Inquiry::new(model, Property::Model(property))?;
            check(&lines, &inquiry, &LIMITS).map_err(|error| error.to_string())
        });
        judged.map_or_else(|reason| Verdict::Unknown { reason }, |judged| judged.ruling.verdict)
    };
    Consistency::ALL.into_iter().map(|model| Finding { model, verdict: verdict(model) }).collect()
}

/// A report is to be ready in seconds; whoever wants to know better asks `sim check`.
const LIMITS: Limits<'static> = Limits { steps: 2_000_000, bytes: 1 << 28, stop: None };

/// Runs a system of programs again, this often, and compares every step with the first run.
pub fn audit(plan: &Plan, system: &SystemSpec, seed: u64, first: &mut Outcome, runs: u32) {
    let Some(programs) = &mut first.programs else { return };
    let mut audit = Audit { runs, ..Audit::default() };
    for _ in 0..runs {
        // Steps are compared, and what clients saw has been judged.
        let again = run_to(Depth::WithoutConsistency, plan, system, seed, &Progress::default());
        let account = again.programs.map(|programs| programs.account).unwrap_or_default();
        let difference = programs.account.first_difference(&account);
        if difference.is_none() && again.fingerprint == first.fingerprint {
            audit.equal += 1;
        } else if audit.difference.is_none() {
            let at = difference.unwrap_or(programs.account.steps.len());
            let step = |account: &Account| account.steps.get(at).cloned();
            audit.difference = Some((at, step(&programs.account), step(&account)));
        }
    }
    programs.audit = Some(audit);
}
