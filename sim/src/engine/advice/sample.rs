//! One run of one candidate, reduced to what an advice needs.
//!
//! The measures of a run know operations by their names; an advice asks about updates and reads. So the history is counted
//! here, beside the ordinary outcome, and every duration is kept: quantiles over several runs cannot be made of quantiles.
//!
//! Invariant: a sample is a function of plan, system and seed, as an outcome is. Final reads are not counted.

use super::{grid::CONFLICT_WINDOW_NS, measured::Fates};
use crate::{
    checkers::Verdict,
    engine::{
        Finding, Progress,
        run::{Depth, drive},
        running::start,
    },
    history::{History, Outcome},
    kernel::disturbance::Window,
    objects::Judged,
    scenario::{Plan, SystemSpec},
};

/// What one run gives.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) counts: Counts,
    pub(super) correct: Verdict,
    /// `None` when it was given up to follow every update.
    pub(super) lost_updates: Option<u64>,
    pub(super) consistency: Vec<Finding>,
    pub(super) stale_reads: u64,
    pub(super) reads_answered: u64,
    /// From t0 to agreement; `None` when censored.
    pub(super) convergence_ns: Option<u64>,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) state_bytes: u64,
    pub(super) metadata_bytes: u64,
    pub(super) tombstone_bytes: u64,
    pub(super) conflicts: u64,
    pub(super) retries: u64,
}

/// What a history says by counting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Counts {
    pub(super) updates: Fates,
    pub(super) reads: Fates,
    /// Updates and reads that were invoked while the network was cut.
    pub(super) during_cuts: Fates,
    /// How long acknowledged updates took.
    pub(super) updates_ns: Vec<u64>,
    /// How long answered reads took.
    pub(super) reads_ns: Vec<u64>,
    /// Updates during whose read-and-swap another one began.
    pub(super) overlapping: u64,
}

/// Runs one candidate under one seed.
pub(super) fn sample(plan: &Plan, system: &SystemSpec, seed: u64, progress: &Progress) -> Sample {
    let mut run = start(plan, system, seed);
    let stop = drive(&mut *run, progress);
    let counts = run.counts();
    let outcome = run.outcome(&system.name, Depth::Full, stop);
    let measures = &outcome.measures;
    Sample {
        counts,
        lost_updates: measures.lost_updates,
        stale_reads: measures.stale_reads.count,
        reads_answered: measures.stale_reads.reads,
        convergence_ns: measures.converged_at.map(|at| at - measures.settled_at()),
        messages: outcome.traffic.messages,
        bytes: outcome.traffic.bytes,
        state_bytes: outcome.size.state_bytes,
        metadata_bytes: outcome.size.metadata_bytes,
        tombstone_bytes: outcome.size.tombstone_bytes,
        conflicts: outcome.costs.conflicts,
        retries: outcome.costs.retries,
        correct: outcome.correct,
        consistency: outcome.consistency,
    }
}

impl Counts {
    /// Counts a history.
    pub(in crate::engine) fn of<O: Judged>(history: &History<O>, windows: &[Window]) -> Self {
        let mut counts = Self::default();
        let mut last_update_ns: Option<u64> = None;
        for operation in history.operations().iter().filter(|operation| !operation.is_final) {
            let invoked_ns = operation.invoked_ns;
            let is_cut = windows.iter().any(|window| (window.from.0..window.to.0).contains(&invoked_ns));
            let is_update = operation.is_update();
            if is_update {
                let overlaps = last_update_ns.is_some_and(|last_ns| invoked_ns - last_ns < CONFLICT_WINDOW_NS);
                counts.overlapping += u64::from(overlaps);
                last_update_ns = Some(invoked_ns);
            }
            let kind = if is_update { &mut counts.updates } else { &mut counts.reads };
            for fates in [Some(kind), Some(&mut counts.during_cuts).filter(|_| is_cut)].into_iter().flatten() {
                match operation.outcome {
                    Outcome::Ok(_) => fates.ok += 1,
                    Outcome::Fail(_) => fates.fail += 1,
                    Outcome::Info(_) | Outcome::Pending => fates.info += 1,
                }
            }
            if let (Outcome::Ok(_), Some(ended_ns)) = (&operation.outcome, operation.ended_ns) {
                let durations = if is_update { &mut counts.updates_ns } else { &mut counts.reads_ns };
                durations.push(ended_ns - invoked_ns);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use crdts::objects::counter::{Counter, CounterOp, CounterRet};

    use super::*;
    use crate::kernel::{
        disturbance::Disturbance,
        time::{MILLISECOND, Time},
    };

    #[test]
    fn updates_reads_and_cuts_are_counted_apart() {
        let mut history = History::<Counter>::new(2);
        let ms = |count: u64| count * MILLISECOND;
        let first = history.invoke(0, 0, CounterOp::Add(1), ms(100));
        history.complete(first, ms(130), Outcome::Ok(CounterRet::Added));
        let second = history.invoke(1, 1, CounterOp::Add(1), ms(170));
        history.complete(second, ms(900), Outcome::Info("timeout"));
        let read = history.invoke(0, 0, CounterOp::Read, ms(200));
        history.complete(read, ms(200), Outcome::Fail("store-unreachable"));
        let third = history.invoke(0, 0, CounterOp::Add(1), ms(300));
        history.complete(third, ms(300), Outcome::Ok(CounterRet::Added));
        let last = history.invoke_final_read(0, 0, ms(2_000));
        history.complete(last, ms(2_000), Outcome::Ok(CounterRet::Total(2)));
        let window = Window {
            label: "cut".to_owned(),
            kind: "partition",
            fault: Some(0),
            from: Time(ms(150)),
            to: Time(ms(300)),
            disturbance: Disturbance::Pause { nodes: vec![] },
        };
        assert_eq!(
            Counts::of(&history, &[window]),
            Counts {
                updates: Fates { ok: 2, fail: 0, info: 1 },
                reads: Fates { ok: 0, fail: 1, info: 0 },
                during_cuts: Fates { ok: 0, fail: 1, info: 1 },
                updates_ns: vec![ms(30), 0],
                reads_ns: vec![],
                overlapping: 1,
            }
        );
    }
}
