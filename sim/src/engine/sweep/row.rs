//! Rows: what is kept of one run of one system.
//!
//! A row is a line of JSON, under the names of the report, with a checksum as its last key. It holds integers and texts only, so that two
//! rows of one run are the same bytes wherever they were made.
//!
//! Invariant: a line whose checksum is wrong is no row, and the lines around it are none the worse for it.
//!
//! What is deliberately absent: the history, and whatever else grows with the length of a run.

use serde::{Deserialize, Serialize};

use super::super::{Outcome, judge::Judged};
use crate::{checkers::Verdict, kernel::time::Time};

/// The outcome of one run of one system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The seed.
    pub seed: u64,
    /// The system.
    pub system: String,
    /// The hash over all events.
    pub fingerprint: String,
    /// The worst verdict of all expectations; a run that was stopped is inconclusive.
    pub verdict: RowVerdict,
    /// Which expectations failed, in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// Did all live replicas come to hold one value?
    pub converged: bool,
    /// From t0 to convergence; null when censored.
    pub convergence_time_ns: Option<u64>,
    /// From t0 to the horizon: where a run that did not converge is censored.
    pub censored_at_ns: u64,
    /// From the last update that took effect to convergence.
    pub convergence_from_last_update_ns: Option<u64>,
    /// From the last heal to convergence.
    pub convergence_from_last_heal_ns: Option<u64>,
    /// From t0 to the first instant from which every completed read returns the final value.
    pub convergence_observed_ns: Option<u64>,
    /// From an update's effect until all replicas reflect it: the median.
    pub visibility_latency_ns_p50: Option<u64>,
    /// The same for 99 of 100.
    pub visibility_latency_ns_p99: Option<u64>,
    /// Is the agreed value one that the operations allow?
    pub correct: bool,
    /// Acknowledged updates that are gone.
    pub lost_updates: Option<u64>,
    /// Updates that are there too often, or should not be there.
    pub phantom_updates: Option<u64>,
    /// Reads that were behind.
    pub stale_reads: u64,
    /// Operations that succeeded.
    pub ok: u64,
    /// Operations that definitely did not.
    pub fail: u64,
    /// Operations of unknown fate.
    pub info: u64,
    /// Messages sent.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The size of the largest replica's state at the end.
    pub state_bytes: u64,
    /// What of it is metadata.
    pub metadata_bytes: u64,
    /// Conditional writes that were refused.
    pub conflicts: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Events handled.
    pub events: u64,
}

/// The verdict of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowVerdict {
    /// Everything holds, and was put to the test.
    Pass,
    /// Something was never put to the test.
    Vacuous,
    /// Something could not be decided.
    Inconclusive,
    /// Something does not hold.
    Fail,
}

impl From<&Verdict> for RowVerdict {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Vacuous { .. } => Self::Vacuous,
            Verdict::Unknown { .. } => Self::Inconclusive,
            Verdict::Fail { .. } => Self::Fail,
        }
    }
}

impl Row {
    /// What is kept of an outcome, and of what was expected of it.
    pub(super) fn of(seed: u64, outcome: &Outcome, judged: &[Judged]) -> Self {
        let measures = &outcome.measures;
        let settled_at = measures.settled_at();
        let since = |from: Option<Time>, to: Option<Time>| Some(to? - from?);
        let operations = &measures.availability[0];
        let is_failed = |judged: &&Judged| matches!(judged.verdict, Verdict::Fail { .. });
        Self {
            seed,
            system: outcome.system.clone(),
            fingerprint: outcome.fingerprint.to_string(),
            verdict: judged.iter().map(|judged| RowVerdict::from(&judged.verdict)).max().unwrap_or(RowVerdict::Pass),
            failed: judged.iter().filter(is_failed).map(|judged| judged.text.clone()).collect(),
            converged: measures.converged_at.is_some(),
            convergence_time_ns: since(Some(settled_at), measures.converged_at),
            censored_at_ns: outcome.horizon.since(settled_at),
            convergence_from_last_update_ns: since(measures.last_update_at, measures.converged_at),
            convergence_from_last_heal_ns: since(measures.last_heal_at, measures.converged_at),
            convergence_observed_ns: since(Some(settled_at), measures.observed_at),
            visibility_latency_ns_p50: measures.visibility_latency_ns.and_then(|quantiles| quantiles.p50),
            visibility_latency_ns_p99: measures.visibility_latency_ns.and_then(|quantiles| quantiles.p99),
            correct: matches!(outcome.correct, Verdict::Pass | Verdict::Vacuous { .. }),
            lost_updates: measures.lost_updates,
            phantom_updates: measures.phantom_updates,
            stale_reads: measures.stale_reads.count,
            ok: operations.ok,
            fail: operations.fail,
            info: operations.info,
            messages: outcome.traffic.messages,
            bytes: outcome.traffic.bytes,
            state_bytes: outcome.size.state_bytes,
            metadata_bytes: outcome.size.metadata_bytes,
            conflicts: outcome.costs.conflicts,
            retries: outcome.costs.retries,
            events: outcome.events,
        }
    }

    /// Runs that fail in the same way have the same: the system, and what did not hold.
    pub fn failure(&self) -> Option<String> {
        (self.verdict == RowVerdict::Fail).then(|| format!("{}: {}", self.system, self.failed.join("; ")))
    }

    /// The line, without its line break.
    pub fn line(&self) -> String {
        sealed(&serde_json::to_string(self).expect("a row is plain data"))
    }
}

/// The characters of a checksum.
const SUM_CHARACTERS: usize = 8;

/// An object of JSON with a checksum of its text as its last key.
pub(super) fn sealed(object: &str) -> String {
    let open = object.strip_suffix('}').unwrap_or(object);
    format!("{open},\"sum\":\"{}\"}}", sum(object))
}

/// The object in a line with a checksum; `None` if the checksum is wrong or missing.
pub(super) fn unsealed(line: &str) -> Option<String> {
    let (open, rest) = line.rsplit_once(",\"sum\":\"")?;
    let object = format!("{open}}}");
    (rest.strip_suffix("\"}")? == sum(&object)).then_some(object)
}

fn sum(text: &str) -> String {
    let mut hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    hash.truncate(SUM_CHARACTERS);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_is_no_row() {
        let line = sealed(r#"{"seed":1,"system":"a"}"#);
        assert_eq!(unsealed(&line).as_deref(), Some(r#"{"seed":1,"system":"a"}"#));
        for at in 0..line.len() {
            let mut changed = line.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(unsealed(&changed), None, "{changed}");
            assert_eq!(unsealed(&line[..at]), None, "cut at {at}");
        }
    }
}
