//! `[workload]` and `[limits]`.

use super::{Check, operations};
use crate::{
    kernel::{
        plan::Limits,
        time::{MILLISECOND, SECOND, Time},
    },
    scenario::{
        diagnostic::Diagnostic,
        file::{At, LimitsTable, PhaseTable, ScenarioFile, WorkloadTable},
        plan::ObjectName,
        units::DURATION_NS_MAX,
    },
    workloads::{Binding, Pacing, Phase, Source, WorkloadConfig},
};

/// What clients can see.
pub const OBJECTS: &[(&str, &str)] = &[
    ("counter", "additions and reads of a total"),
    ("set", "additions, removals and reads of elements"),
    ("register", "writes and reads of a value"),
    ("sequence", "insertions and deletions in a text, and reads of it"),
    ("cart", "items with quantities: added, changed, removed and viewed"),
    ("g-set", "for programs: additions of elements that occur once, and reads of all"),
    ("broadcast", "for programs: messages that occur once, told to everybody, and reads of all"),
    ("key-value", "for programs: reads, writes and compare-and-sets of keys"),
    ("echo", "for programs: texts to be repeated"),
    ("unique-ids", "for programs: ids that occur once"),
];

/// How the operations of an open loop follow each other.
pub const ARRIVALS: &[(&str, &str)] =
    &[("poisson", "independent of each other, at a mean rate"), ("fixed", "at even distances, clients taking turns")];

/// Whom clients talk to.
pub const BINDINGS: &[(&str, &str)] =
    &[("replica", "every client stays with one replica"), ("roaming", "every operation goes to a drawn replica")];

/// The most clients.
const CLIENTS_MAX: u32 = 1_000_000;

/// The most phases.
const PHASES_MAX: usize = 10_000;

/// A workload with the times around it.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) config: WorkloadConfig,
    pub(super) timeout_ns: u64,
    pub(super) quiet_ns: u64,
}

pub(super) fn clients(check: &mut Check, table: &WorkloadTable) -> Option<u32> {
    check.within(&table.clients, "the number of clients", 1..=CLIENTS_MAX)
}

pub(super) fn workload(
    check: &mut Check,
    file: &ScenarioFile,
    replicas: Option<u32>,
    clients: Option<u32>,
) -> Option<Work> {
    let table = &file.workload.value;
    let object = check.choose(&table.object, "object", OBJECTS).map(|at| ObjectName::ALL[at]);
    let timeout_ns = table.timeout.as_ref().map_or(Some(SECOND), |timeout| check.positive(timeout, "a timeout"));
    let quiet_ns = table.quiet.as_ref().map_or(Some(10 * SECOND), |quiet| check.positive(quiet, "the quiet period"));
    let binding = match &table.binding {
        None => Some(Binding::Replica),
        Some(binding) => check.choose(binding, "binding", BINDINGS).map(|at| [Binding::Replica, Binding::Roaming][at]),
    };
    let operations = object.and_then(|object| operations::operations(check, table, object));
    let source = match &table.script {
        Some(script) => operations::script(check, table, script, object, clients).map(Source::Script),
        None => drawn(check, file, object),
    };
    let config = WorkloadConfig {
        clients: clients?,
        replicas: replicas?,
        binding: binding?,
        source: source?,
        operations: operations?,
    };
    Some(Work { config, timeout_ns: timeout_ns?, quiet_ns: quiet_ns? })
}

/// Invocations that are drawn.
fn drawn(check: &mut Check, file: &ScenarioFile, object: Option<ObjectName>) -> Option<Source> {
    let table = &file.workload.value;
    let start = check.read_or(table.start.as_ref(), 0);
    let mix = object.and_then(|object| operations::mix(check, table.mix.as_ref(), object));
    let pacing = pacing(check, table);
    let phases = phases(check, &file.workload);
    if let (Some(think), Some(0), None) = (
        &table.think_time,
        table.think_time.as_ref().and_then(|think| think.parse().ok()),
        &file.network.client_latency,
    ) {
        let finding =
            Diagnostic::new("scenario::contradiction", "clients that neither think nor wait never let time pass");
        check.push(finding.at(think.span.clone(), "zero").help("use a think time, or `client_latency` in [network]"));
        return None;
    }
    let (start, phases) = (start?, phases?);
    let lasts_ns = phases.iter().fold(start, |sum, phase| sum.saturating_add(phase.for_ns));
    if lasts_ns > DURATION_NS_MAX {
        let finding = Diagnostic::new("scenario::value", "the workload is too long");
        check.push(finding.at(file.workload.span.clone(), "this workload").help("at most 31 years (277777h) fit"));
        return None;
    }
    Some(Source::Drawn { pacing: pacing?, start: Time(start), phases, mix: mix? })
}

fn pacing(check: &mut Check, table: &WorkloadTable) -> Option<Pacing> {
    let rate = table.rate.as_ref().map(|rate| rate.span.clone());
    let phases = table.phases.as_ref().map(|phases| phases.span.clone());
    if let Some(think) = &table.think_time {
        let think = (think.span.clone(), "clients wait for answers (closed loop)");
        if let Some(place) = rate.or(phases) {
            let open = (place, "clients do not wait for answers (open loop)");
            check.contradiction("a workload cannot have both a rate and a think time", think, open, "keep one of them");
        } else if let Some(arrivals) = &table.arrivals {
            let open = (arrivals.span.clone(), "for rates only");
            check.contradiction("a closed loop has no arrivals", open, think, "leave out `arrivals`");
        }
        return Some(Pacing::Closed);
    }
    match &table.arrivals {
        None => Some(Pacing::Poisson),
        Some(arrivals) => {
            check.choose(arrivals, "kind of arrivals", ARRIVALS).map(|at| [Pacing::Poisson, Pacing::Fixed][at])
        }
    }
}

fn phases(check: &mut Check, workload: &At<WorkloadTable>) -> Option<Vec<Phase>> {
    let table = &workload.value;
    if let Some(list) = &table.phases {
        let doubled =
            table.rate.as_ref().map(|rate| rate.span.clone()).or(table.duration.as_ref().map(|at| at.span.clone()));
        if let Some(place) = doubled {
            let help = "every phase has its own rate and duration";
            check.contradiction(
                "phases replace `rate` and `duration`",
                (place, "this"),
                (list.span.clone(), "and phases"),
                help,
            );
        }
        if list.value.is_empty() || list.value.len() > PHASES_MAX {
            let finding = Diagnostic::new("scenario::empty", format!("there are {} phases", list.value.len()));
            check.push(
                finding
                    .at(list.span.clone(), "here")
                    .help(format!("write 1 to {PHASES_MAX} phases, {{ for = \"5s\", rate = \"100/s\" }}")),
            );
            return None;
        }
        let phases: Vec<Option<Phase>> = list.value.iter().map(|at| phase(check, &at.value)).collect();
        let phases = phases.into_iter().collect::<Option<Vec<_>>>()?;
        if phases.iter().all(|phase| phase.rate_mhz == 0) {
            let finding = Diagnostic::new("scenario::empty", "no phase has a rate");
            check.push(finding.at(list.span.clone(), "nothing ever happens").help("give a phase `rate = \"100/s\"`"));
            return None;
        }
        return Some(phases);
    }
    let Some(duration) = &table.duration else {
        let finding = Diagnostic::new("scenario::missing-key", "the key `duration` is missing");
        check.push(finding.at(workload.span.clone(), "in this table").help("add `duration = \"20s\"`, or `phases`"));
        return None;
    };
    let for_ns = check.positive(duration, "a workload");
    let rate_mhz = table.rate.as_ref().map_or(Some(0), |rate| check.read(rate));
    let think_ns = table.think_time.as_ref().map_or(Some(0), |think| check.read(think));
    if table.rate.is_none() && table.think_time.is_none() {
        let finding = Diagnostic::new("scenario::missing-key", "nothing says how often clients act");
        let help = "add `rate = \"200/s\"` (open loop) or `think_time = \"50ms\"` (closed loop)";
        check.push(finding.at(workload.span.clone(), "in this table").help(help));
        return None;
    }
    Some(vec![Phase { for_ns: for_ns?, rate_mhz: rate_mhz?, think_ns: think_ns? }])
}

fn phase(check: &mut Check, table: &PhaseTable) -> Option<Phase> {
    let for_ns = check.positive(&table.lasts, "a phase");
    let rate_mhz = table.rate.as_ref().map_or(Some(0), |rate| check.read(rate));
    Some(Phase { for_ns: for_ns?, rate_mhz: rate_mhz?, think_ns: 0 })
}

/// Reads limits, and refuses a workload that cannot keep to them.
pub(super) fn limits(check: &mut Check, file: &ScenarioFile, work: Option<&Work>) -> Option<Limits> {
    let LimitsTable { events, memory } = &file.limits;
    let events_max = match events {
        None => Some(100_000_000),
        Some(events) if (1..=1_000_000_000_000_000).contains(&events.value) => Some(events.value as u64),
        Some(events) => {
            let finding =
                Diagnostic::new("scenario::value", format!("a limit of {} events makes no sense", events.value));
            check.push(finding.at(events.span.clone(), "out of range").help("use a number from 1 to 10^15"));
            None
        }
    };
    let memory_bytes_max = check.read_or(memory.as_ref(), 4 << 30);
    if let (Some(0), Some(memory)) = (memory_bytes_max, memory) {
        let finding = Diagnostic::new("scenario::value", "a run needs some memory");
        check.push(finding.at(memory.span.clone(), "zero").help("use \"4GiB\""));
    }
    let limits = Limits { events_max: events_max?, memory_bytes_max: memory_bytes_max? };
    let operations = expected_operations(&work?.config);
    // Every operation is at least one event, and operations are numbered with 32 bits.
    let most = limits.events_max.min(u64::from(u32::MAX) / 2);
    if operations > u128::from(most) {
        let place = |table: &WorkloadTable| {
            let spans = [table.rate.as_ref().map(|at| &at.span), table.think_time.as_ref().map(|at| &at.span)];
            let phases = table.phases.as_ref().map(|at| &at.span);
            spans.into_iter().flatten().next().or(phases).cloned()
        };
        let message = format!("about {operations} operations are more than a run can handle ({most})");
        let finding = Diagnostic::new("scenario::value", message);
        let place = place(&file.workload.value).unwrap_or_else(|| file.workload.span.clone());
        let finding = match events {
            Some(events) => finding.at(place, "this often").at(events.span.clone(), "this limit"),
            None => finding.at(place, "this often"),
        };
        check.push(finding.help("lower the rate or the duration, or raise `events` in [limits]"));
        return None;
    }
    Some(limits)
}

/// How many operations there will be, roughly.
fn expected_operations(config: &WorkloadConfig) -> u128 {
    let Source::Drawn { pacing, phases, .. } = &config.source else { return 0 };
    let in_phase = |phase: &Phase| match pacing {
        Pacing::Poisson | Pacing::Fixed => u128::from(phase.rate_mhz) * u128::from(phase.for_ns) / 1_000_000_000_000,
        // Without any think time an answer takes a thousandth of a second, say.
        Pacing::Closed => {
            let think_ns = if phase.think_ns == 0 { MILLISECOND } else { phase.think_ns };
            u128::from(config.clients) * u128::from(phase.for_ns / think_ns)
        }
    };
    phases.iter().map(in_phase).sum()
}
