//! From outcomes to the report model.

use super::model::{
    Availability, CheckVerdict, ConsistencyVerdict, Determinism, Expectation, FaultBite, FaultWindow, LatencyOf, Note,
    Notes, Operations, PHASE_ALL, Programs, Quantiles, Report, SCHEMA_VERSION, StaleReads, System, Verdict,
};
use crate::{
    checkers,
    engine::{
        self, Finding, Outcome,
        judge::{Judged, judge},
        strongest,
    },
    kernel::{plan::RunPlan, time::Time, world::Stop},
    maelstrom::account::{self, StepRecord},
    measure,
    scenario::{Plan, ProtocolSpec, SystemSpec},
};

/// The report of a scenario that ran under `seed`. `outcomes` belong to `systems`, in order; `reproduce` is the command
/// line that gives the same again.
pub fn report(plan: &Plan, systems: &[&SystemSpec], seed: u64, outcomes: &[Outcome], reproduce: String) -> Report {
    let run = plan.run_plan(seed);
    let window = |window: &crate::kernel::disturbance::Window| FaultWindow {
        label: window.label.clone(),
        kind: window.kind.to_owned(),
        from_ns: window.from.0,
        to_ns: (window.to != Time::NEVER).then_some(window.to.0),
    };
    let systems: Vec<System> =
        systems.iter().zip(outcomes).map(|(spec, outcome)| system(plan, &run, spec, outcome)).collect();
    Report {
        schema: SCHEMA_VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: plan.name.clone(),
        story: plan.story.clone(),
        scenario_hash: plan.hash.clone(),
        seed,
        reproduce,
        verdict: overall(&systems),
        determinism: Determinism { tool: "sim".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        horizon_ns: run.final_reads_at.0,
        timeline: run.windows.iter().map(window).collect(),
        systems,
    }
}

/// The worst of all expectations; a run that did not complete is never a pass.
fn overall(systems: &[System]) -> Verdict {
    let expectations = systems.iter().flat_map(|system| &system.expectations).map(|expectation| expectation.verdict);
    let stops = systems
        .iter()
        .map(|system| if system.stop == Stop::Completed.name() { Verdict::Pass } else { Verdict::Inconclusive });
    expectations.chain(stops).max().unwrap_or(Verdict::Pass)
}

fn system(plan: &Plan, run: &RunPlan, spec: &SystemSpec, outcome: &Outcome) -> System {
    let measures = &outcome.measures;
    let since = |from: Option<Time>, to: Option<Time>| Some(to? - from?);
    let settled_at = Some(measures.settled_at());
    let expected = plan.expectations.get(&spec.name).map_or(&[][..], Vec::as_slice);
    let judged = judge(expected, &spec.protocol, run, outcome);
    let all = &measures.availability[0];
    System {
        name: spec.name.clone(),
        protocol: describe(&spec.protocol),
        fingerprint: outcome.fingerprint.to_string(),
        guarantee: outcome.programs.as_ref().map_or_else(|| "deterministic".to_owned(), engine::Programs::guarantee),
        events: outcome.events,
        stop: outcome.stop.name().to_owned(),
        ended_ns: outcome.ended_at.0,
        converged: measures.converged_at.is_some(),
        convergence_time_ns: since(settled_at, measures.converged_at),
        convergence_from_last_update_ns: since(measures.last_update_at, measures.converged_at),
        convergence_from_last_heal_ns: since(measures.last_heal_at, measures.converged_at),
        convergence_observed_ns: since(settled_at, measures.observed_at),
        visibility_latency_ns: measures.visibility_latency_ns.map(quantiles),
        agreement: measures.agreement.clone(),
        distinct_max: measures.distinct_max,
        correct: matches!(outcome.correct, checkers::Verdict::Pass | checkers::Verdict::Vacuous { .. }),
        correct_witness: outcome.correct.detail().map(str::to_owned),
        agreed_value: outcome.agreed.clone(),
        acceptable: outcome.acceptable.clone(),
        lost_updates: measures.lost_updates,
        phantom_updates: measures.phantom_updates,
        stale_reads: stale_reads(&measures.stale_reads),
        checks: outcome.checks.iter().map(check).collect(),
        consistency_strongest: strongest(&outcome.consistency),
        consistency: outcome.consistency.iter().map(consistency).collect(),
        operations: Operations { ok: all.ok, fail: all.fail, info: all.info },
        availability: measures.availability.iter().map(availability).collect(),
        latency_ns: measures.latency_ns.iter().map(latency).collect(),
        messages: outcome.traffic.messages,
        bytes: outcome.traffic.bytes,
        dropped: outcome.traffic.dropped(),
        duplicated: outcome.traffic.duplicated,
        state_bytes: outcome.size.state_bytes,
        metadata_bytes: outcome.size.metadata_bytes,
        tombstone_bytes: outcome.size.tombstone_bytes,
        conflicts: outcome.costs.conflicts,
        retries: outcome.costs.retries,
        expectations: judged.into_iter().map(expectation).collect(),
        faults_bitten: bites(run, outcome),
        programs: outcome.programs.as_ref().map(programs),
    }
}

fn programs(of: &engine::Programs) -> Programs {
    let audit = of.audit.as_ref();
    let difference = |(step, one, other): &(usize, Option<StepRecord>, Option<StepRecord>)| {
        let shown = |record: &Option<StepRecord>| record.as_ref().map_or("nothing".to_owned(), ToString::to_string);
        format!("step {}, first:\n{}\nagain:\n{}", step + 1, shown(one), shown(other))
    };
    let note = |note: &account::Note| Note {
        node: format!("n{}", note.node.0 + 1),
        at_ns: note.at.0,
        what: note.what.clone(),
    };
    let notes = of.account.notes.iter().map(|(kind, notes)| Notes {
        kind: kind.name().to_owned(),
        count: notes.count,
        first: notes.first.iter().map(note).collect(),
    });
    Programs {
        time_source: of.account.time_source.map_or("none", engine::time_source_name).to_owned(),
        steps: of.account.steps_count,
        lines: of.account.lines_count,
        audit_equal: audit.map(|audit| audit.equal),
        audit_runs: audit.map(|audit| audit.runs),
        audit_difference: audit.and_then(|audit| audit.difference.as_ref()).map(difference),
        notes: notes.collect(),
    }
}

/// A protocol and its options, in one line.
pub fn describe(protocol: &ProtocolSpec) -> String {
    match protocol {
        ProtocolSpec::Naive | ProtocolSpec::NaiveDelta => protocol.name().to_owned(),
        ProtocolSpec::Occ { store, config } => format!("occ on {}, up to {} retries", store.name(), config.retries_max),
        ProtocolSpec::Flawed { bug } => format!("the bug {}: {}", bug.name, bug.title),
        ProtocolSpec::External { config } => format!("the program `{}`", config.command.join(" ")),
        ProtocolSpec::Lock { config } => {
            format!("lock on lin-kv, leases of {}", crate::kernel::time::Nanos(config.lease_ns))
        }
        ProtocolSpec::Gossip { crdt, config } => format!(
            "{} by {} gossip of {}, every {} to {}{}",
            crdt.name(),
            config.mode.name(),
            config.payload.name(),
            crate::kernel::time::Nanos(config.interval_ns),
            config.fanout,
            if config.eager { ", eager" } else { "" },
        ),
    }
}

fn quantiles(of: measure::quantiles::Quantiles) -> Quantiles {
    let measure::quantiles::Quantiles { p50, p90, p99, max, count, censored } = of;
    Quantiles { p50, p90, p99, max, count, censored }
}

fn stale_reads(of: &measure::StaleReads) -> StaleReads {
    StaleReads {
        count: of.count,
        reads: of.reads,
        updates_behind_p99: of.updates_behind.p99.unwrap_or(0),
        updates_behind_max: of.updates_behind.max.unwrap_or(0),
        time_behind_ns_p99: of.time_behind_ns.p99.unwrap_or(0),
        time_behind_ns_max: of.time_behind_ns.max.unwrap_or(0),
    }
}

fn phase(name: Option<&String>) -> String {
    name.map_or_else(|| PHASE_ALL.to_owned(), Clone::clone)
}

fn availability(of: &measure::PhaseAvailability) -> Availability {
    let total = of.ok + of.fail + of.info;
    Availability {
        phase: phase(of.phase.as_ref()),
        ok: of.ok,
        total,
        availability_ppm: (u128::from(of.ok) * 1_000_000).checked_div(u128::from(total)).map(|ppm| ppm as u32),
    }
}

fn latency(of: &measure::OperationLatency) -> LatencyOf {
    LatencyOf {
        operation: of.operation.to_owned(),
        phase: phase(of.phase.as_ref()),
        quantiles: quantiles(of.quantiles),
    }
}

fn verdict(of: &checkers::Verdict) -> Verdict {
    match of {
        checkers::Verdict::Pass => Verdict::Pass,
        checkers::Verdict::Fail { .. } => Verdict::Fail,
        checkers::Verdict::Unknown { .. } => Verdict::Inconclusive,
        checkers::Verdict::Vacuous { .. } => Verdict::Vacuous,
    }
}

fn check((checker, found): &(checkers::CheckerDoc, checkers::Verdict)) -> CheckVerdict {
    CheckVerdict {
        checker: checker.name.to_owned(),
        verdict: verdict(found),
        witness: found.detail().map(str::to_owned),
    }
}

fn consistency(found: &Finding) -> ConsistencyVerdict {
    ConsistencyVerdict {
        model: found.model.name().to_owned(),
        verdict: verdict(&found.verdict),
        witness: found.verdict.detail().map(str::to_owned),
    }
}

fn expectation(judged: Judged) -> Expectation {
    let verdict = verdict(&judged.verdict);
    let reason = judged.verdict.detail().filter(|detail| !detail.is_empty()).map(str::to_owned);
    Expectation { text: judged.text, verdict, observed: judged.observed, reason }
}

fn bites(run: &RunPlan, outcome: &Outcome) -> Vec<FaultBite> {
    let bite = |(window, bite): (&crate::kernel::disturbance::Window, &crate::kernel::disturbance::Bite)| FaultBite {
        label: window.label.clone(),
        messages_lost: bite.messages_lost,
        messages_duplicated: bite.messages_duplicated,
        messages_delayed: bite.messages_delayed,
        events_delayed: bite.events_delayed,
        crashes: bite.crashes,
        clocks_set: bite.clocks_set,
    };
    run.windows.iter().zip(&outcome.bites).map(bite).collect()
}
