//! What was measured of a candidate, over all seeds.
//!
//! Invariant: plain integers and text. Losses are counted over all runs of the grid. All other counts are sums over the runs of the
//! point that was asked about, sizes are the largest of them, and quantiles are exact over all their operations. Names keep their meaning, as those of a report do.
//!
//! **Coordination** is measured, not declared: a protocol whose operations all ended at the instant of their invocation has
//! waited for nobody, and its messages are background. If any operation took time, all messages count as waited for, which is an
//! upper bound (a lease is given back after the answer).
//!
//! What is deliberately absent: an opinion. That is [`super::decide`]'s.

use serde::Serialize;

use super::{grid::Candidate, question::Strategy, sample::Sample};
use crate::{
    checkers::{Consistency, Verdict},
    engine::{Finding, strongest},
    measure::quantiles,
};

/// What became of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fates {
    /// Acknowledged.
    pub ok: u64,
    /// Refused: definitely without effect.
    pub fail: u64,
    /// In doubt.
    pub info: u64,
}

impl Fates {
    /// All of them.
    pub fn total(self) -> u64 {
        self.ok + self.fail + self.info
    }

    /// The share of acknowledged ones in parts per million, rounded down; `None` when there are none at all.
    pub fn availability_ppm(self) -> Option<u32> {
        ppm(self.ok, self.total())
    }

    fn plus(self, other: Self) -> Self {
        Self { ok: self.ok + other.ok, fail: self.fail + other.fail, info: self.info + other.info }
    }
}

/// `part` of `whole` in parts per million, rounded down.
pub fn ppm(part: u64, whole: u64) -> Option<u32> {
    (u128::from(part) * 1_000_000).checked_div(u128::from(whole)).map(|ppm| ppm as u32)
}

/// Two quantiles of durations; null when nothing ended, or the quantile falls among what did not end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Durations {
    /// Half take at most this long.
    pub p50: Option<u64>,
    /// 99 of 100 take at most this long.
    pub p99: Option<u64>,
}

impl Durations {
    fn of<'a>(durations: impl Iterator<Item = &'a Vec<u64>>) -> Self {
        let quantiles = quantiles::Quantiles::of(durations.flatten().copied().collect(), 0);
        Self { p50: quantiles.p50, p99: quantiles.p99 }
    }
}

/// How a candidate did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// The system in the scenario.
    pub name: String,
    /// Its family.
    pub strategy: Strategy,
    /// How many runs of the point that was asked about there are.
    pub runs: u64,
    /// How many runs there are at all points.
    pub judged_runs: u64,
    /// How many updates were acknowledged in all of them.
    pub judged_updates: u64,

    /// The consistency models that all runs kept to, without those that another of them implies.
    pub consistency: String,
    /// Did all runs keep to linearizability? Null when that could not be decided, or nobody read anything.
    pub linearizable: Option<bool>,
    /// Of all runs those whose replicas do not agree at the end on a value that the operations allow.
    pub incorrect_runs: u64,
    /// Why the first of them is not correct.
    pub incorrect_witness: Option<String>,
    /// In all runs, acknowledged updates that are gone at the end, or overwritten by updates that knew nothing of them; null when
    /// it was given up to follow them.
    pub lost_updates: Option<u64>,
    /// Reads that missed an update acknowledged before.
    pub stale_reads: u64,
    /// Reads that a replica answered.
    pub reads_answered: u64,

    /// Updates by their fate.
    pub updates: Fates,
    /// Reads by their fate.
    pub reads: Fates,
    /// Operations that were invoked while the network was cut.
    pub during_partitions: Fates,
    /// All operations at the point without partitions.
    pub without_partitions: Fates,

    /// How long acknowledged updates took.
    pub update_latency_ns: Durations,
    /// How long answered reads took.
    pub read_latency_ns: Durations,
    /// How long acknowledged updates took at the point without partitions.
    pub update_latency_without_partitions_ns: Durations,
    /// The median over the runs of the time from the last update or heal to agreement; null when most never agreed.
    pub convergence_ns: Option<u64>,
    /// Runs that did not agree by the end.
    pub censored_runs: u64,

    /// Messages per 1,000 operations that operations waited for; 0 when every operation ended when it was invoked.
    pub waited_messages_per_1000_operations: u64,
    /// Messages per 1,000 operations.
    pub messages_per_1000_operations: u64,
    /// Bytes sent per operation.
    pub bytes_per_operation: u64,
    /// Bytes per acknowledged update that replicas send each other to be joined; 0 where nothing is joined.
    pub merge_bytes_per_update: u64,
    /// Swaps and leases that were refused because somebody else was faster.
    pub conflicts: u64,
    /// Attempts after the first of an operation.
    pub retries: u64,

    /// The largest state at the end, of a replica or of the store.
    pub state_bytes: u64,
    /// What of it is causal metadata.
    pub metadata_bytes: u64,
    /// What of it is kept only for what was removed.
    pub tombstone_bytes: u64,
    /// By how many bytes the state grows with 1,000 acknowledged updates: between runs of half and of twice the length.
    pub growth_bytes_per_1000_updates: i64,
}

/// The samples of one candidate, by the points of the grid.
pub(super) struct Samples<'a> {
    pub(super) asked: &'a [Sample],
    pub(super) whole: &'a [Sample],
    pub(super) half: &'a [Sample],
    pub(super) double: &'a [Sample],
    /// Those of all points.
    pub(super) all: Vec<&'a Sample>,
}

impl Measured {
    /// All operations of the point that was asked about.
    pub fn operations(&self) -> Fates {
        self.updates.plus(self.reads)
    }

    /// Sums up the runs of a candidate.
    pub(super) fn of(candidate: Candidate, samples: &Samples<'_>) -> Self {
        let asked = samples.asked;
        let sum = |of: fn(&Sample) -> u64| asked.iter().map(of).sum::<u64>();
        let (updates, reads) =
            (fates(asked, |sample| sample.counts.updates), fates(asked, |sample| sample.counts.reads));
        let operations = updates.plus(reads).total().max(1);
        let (messages, bytes) = (sum(|sample| sample.messages), sum(|sample| sample.bytes));
        let all_ns = || asked.iter().flat_map(|sample| [&sample.counts.updates_ns, &sample.counts.reads_ns]);
        let waits = all_ns().flatten().any(|&duration_ns| duration_ns > 0);
        let largest = asked.iter().max_by_key(|sample| sample.state_bytes);
        let all = &samples.all;
        let incorrect = |sample: &&&Sample| matches!(sample.correct, Verdict::Fail { .. });
        let convergence = quantiles::Quantiles::of(
            asked.iter().filter_map(|sample| sample.convergence_ns).collect(),
            asked.iter().filter(|sample| sample.convergence_ns.is_none()).count() as u64,
        );
        let consistency = kept_by_all(asked);
        Self {
            name: candidate.name.to_owned(),
            strategy: candidate.strategy,
            runs: asked.len() as u64,
            judged_runs: all.len() as u64,
            judged_updates: all.iter().map(|sample| sample.counts.updates.ok).sum(),
            consistency: strongest(&consistency),
            linearizable: linearizable(&consistency),
            incorrect_runs: all.iter().filter(incorrect).count() as u64,
            incorrect_witness: all.iter().find(incorrect).and_then(|sample| sample.correct.detail().map(str::to_owned)),
            lost_updates: all.iter().map(|sample| sample.lost_updates).sum(),
            stale_reads: sum(|sample| sample.stale_reads),
            reads_answered: sum(|sample| sample.reads_answered),
            updates,
            reads,
            during_partitions: fates(asked, |sample| sample.counts.during_cuts),
            without_partitions: fates(samples.whole, |sample| sample.counts.updates)
                .plus(fates(samples.whole, |sample| sample.counts.reads)),
            update_latency_ns: Durations::of(asked.iter().map(|sample| &sample.counts.updates_ns)),
            read_latency_ns: Durations::of(asked.iter().map(|sample| &sample.counts.reads_ns)),
            update_latency_without_partitions_ns: Durations::of(
                samples.whole.iter().map(|sample| &sample.counts.updates_ns),
            ),
            convergence_ns: convergence.p50,
            censored_runs: convergence.censored,
            waited_messages_per_1000_operations: if waits { messages * 1_000 / operations } else { 0 },
            messages_per_1000_operations: messages * 1_000 / operations,
            bytes_per_operation: bytes / operations,
            merge_bytes_per_update: if waits { 0 } else { bytes / updates.ok.max(1) },
            conflicts: sum(|sample| sample.conflicts),
            retries: sum(|sample| sample.retries),
            state_bytes: largest.map_or(0, |sample| sample.state_bytes),
            metadata_bytes: largest.map_or(0, |sample| sample.metadata_bytes),
            tombstone_bytes: largest.map_or(0, |sample| sample.tombstone_bytes),
            growth_bytes_per_1000_updates: growth(samples.half, samples.double),
        }
    }
}

fn fates(samples: &[Sample], of: fn(&Sample) -> Fates) -> Fates {
    samples.iter().map(of).fold(Fates::default(), Fates::plus)
}

/// Per model the worst verdict of all runs: what one run breaks, the candidate does not have.
fn kept_by_all(samples: &[Sample]) -> Vec<Finding> {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Pass => 0,
        Verdict::Vacuous { .. } => 1,
        Verdict::Unknown { .. } => 2,
        Verdict::Fail { .. } => 3,
    };
    let worst = |model: Consistency| {
        let findings = samples.iter().flat_map(|sample| &sample.consistency);
        findings.filter(|finding| finding.model == model).max_by_key(|finding| rank(&finding.verdict)).cloned()
    };
    Consistency::ALL.into_iter().filter_map(worst).collect()
}

fn linearizable(findings: &[Finding]) -> Option<bool> {
    let finding = findings.iter().find(|finding| finding.model == Consistency::Linearizable)?;
    match finding.verdict {
        Verdict::Pass => Some(true),
        Verdict::Fail { .. } => Some(false),
        Verdict::Unknown { .. } | Verdict::Vacuous { .. } => None,
    }
}

fn growth(half: &[Sample], double: &[Sample]) -> i64 {
    let bytes = |samples: &[Sample]| samples.iter().map(|sample| i128::from(sample.state_bytes)).sum::<i128>();
    let updates = |samples: &[Sample]| samples.iter().map(|sample| i128::from(sample.counts.updates.ok)).sum::<i128>();
    let more = (updates(double) - updates(half)).max(1);
    ((bytes(double) - bytes(half)) * 1_000 / more) as i64
}
