//! `[[fault]]` and `[nemesis]`: times, names, and the end of the run.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{Check, distribution::distribution, network, workload::Work};
use crate::{
    faults::{FAULTS, FaultKind, FaultSpec, GROUPS_MAX, NEMESIS, NemesisKind, NemesisSpec, PartitionKind},
    kernel::{
        disturbance::LinkSelection,
        ids::{Endpoints, NodeId},
        node::Recovery,
        time::{Nanos, Time},
    },
    scenario::{
        diagnostic::{Diagnostic, suggestion},
        file::{At, Choice, CrashFault, FaultTable, NameList, NemesisTable, PartitionTable, Recovered, ScenarioFile},
        names::{Accepted, Names},
        plan::Timeline,
    },
};

/// The most windows of all faults together.
const WINDOWS_MAX: u64 = 100_000;

/// The most entries in the tables of all windows together: every cut has one per endpoint.
const ENTRIES_MAX: u64 = 1 << 29;

pub(super) fn timeline(
    check: &mut Check,
    file: &ScenarioFile,
    names: Option<&Names>,
    work: Option<&Work>,
) -> Option<Timeline> {
    let before = check.findings.len();
    let mut faults = Vec::new();
    for (index, fault) in (0..).zip(&file.fault) {
        let kind = kind(check, fault, names);
        let times = times(check, &fault.value, work);
        if let Some((kind, times)) = kind.zip(times) {
            faults.push(FaultSpec {
                index,
                at: times.at,
                for_ns: times.for_ns,
                every_ns: times.every_ns,
                until: times.until,
                kind,
            });
        }
    }
    let nemesis = match &file.nemesis {
        None => None,
        Some(table) => read_nemesis(check, table, work),
    };
    if check.findings.len() > before {
        return None;
    }
    let work = work?;
    let healed_at = faults.iter().filter_map(healed_at).chain(nemesis.as_ref().map(|nemesis| nemesis.until)).max();
    let final_reads_at = work.config.end().max(healed_at.unwrap_or(Time::ZERO)) + work.quiet_ns;
    let timeline = Timeline { faults, nemesis, final_reads_at };
    bounded(check, file, names?.endpoints(), &timeline)?;
    Some(timeline)
}

/// When the last occurrence of a fault is healed, if it is.
fn healed_at(fault: &FaultSpec) -> Option<Time> {
    let for_ns = fault.for_ns?;
    let last = match (fault.every_ns, fault.until) {
        (Some(every_ns), Some(until)) => fault.at + until.since(fault.at).saturating_sub(1) / every_ns * every_ns,
        _ => fault.at,
    };
    Some(last + for_ns)
}

/// Refuses timelines that would fill the memory with windows.
fn bounded(check: &mut Check, file: &ScenarioFile, endpoints: Endpoints, timeline: &Timeline) -> Option<()> {
    let end = timeline.final_reads_at;
    let mut counts: Vec<(u64, Range<usize>)> = Vec::new();
    for spec in &timeline.faults {
        counts.push((spec.windows_max(end), file.fault[spec.index as usize].span.clone()));
    }
    if let (Some(spec), Some(table)) = (&timeline.nemesis, &file.nemesis) {
        counts.push((spec.windows_max(), table.span.clone()));
    }
    let sum = counts.iter().fold(0_u64, |sum, (count, _)| sum.saturating_add(*count));
    if sum <= WINDOWS_MAX && sum * u64::from(endpoints.total()) <= ENTRIES_MAX {
        return Some(());
    }
    let (most, place) = counts.into_iter().max_by_key(|(count, _)| *count)?;
    let message = format!("faults occur up to {sum} times, which is too often for {} endpoints", endpoints.total());
    let finding = Diagnostic::new("scenario::value", message).at(place, format!("up to {most} times"));
    check.push(finding.help("repeat faults less often, or end them earlier"));
    None
}

/// When a fault happens.
struct Times {
    at: Time,
    for_ns: Option<u64>,
    every_ns: Option<u64>,
    until: Option<Time>,
}

fn times(check: &mut Check, fault: &FaultTable, work: Option<&Work>) -> Option<Times> {
    let before = check.findings.len();
    let at = check.read(&fault.at);
    let for_ns = fault.lasts.as_ref().and_then(|written| check.positive(written, "a fault"));
    let every_ns = fault.every.as_ref().and_then(|written| check.positive(written, "the time between faults"));
    let until = fault.until.as_ref().and_then(|written| check.read(written));
    let place = |written: &super::Written<super::Duration>| written.span.clone();
    match (&fault.every, &fault.lasts, &fault.until) {
        (Some(every), None, _) => {
            let finding = Diagnostic::new("scenario::contradiction", "a fault that comes again must end in between");
            check.push(finding.at(place(every), "repeats").help("add `for`, shorter than `every`"));
        }
        (None, _, Some(until)) => {
            let finding = Diagnostic::new("scenario::contradiction", "`until` ends a repetition, and there is none");
            check.push(
                finding
                    .at(place(until), "has no effect")
                    .help("add `every`, or say with `for` how long the fault lasts"),
            );
        }
        (Some(every), Some(lasts), _) if for_ns.zip(every_ns).is_some_and(|(for_ns, every_ns)| for_ns >= every_ns) => {
            let help = "`for` must be shorter than `every`";
            check.contradiction(
                "the fault begins again before it has ended",
                (place(lasts), "lasts"),
                (place(every), "repeats"),
                help,
            );
        }
        _ => {}
    }
    if let (Some(at), Some(until_ns), Some(until)) = (at, until, &fault.until)
        && until_ns <= at
    {
        let help = "`until` must be after `at`";
        check.contradiction(
            "the repetition ends before it begins",
            (place(until), "ends"),
            (place(&fault.at), "begins"),
            help,
        );
    }
    let end = work.map(|work| (work.config.end(), work.config.end() + work.quiet_ns));
    if let (Some(at), Some((end, horizon))) = (at, end)
        && Time(at) >= horizon
    {
        let message = format!("the fault begins at {}, after the end of the run at {horizon}", Nanos(at));
        let finding = Diagnostic::new("scenario::contradiction", message).at(place(&fault.at), "too late");
        check.push(
            finding.help(format!("clients work until {end}; a quiet period of {} follows", Nanos(horizon - end))),
        );
    }
    if check.findings.len() > before {
        return None;
    }
    let until = match (every_ns, until, end) {
        (Some(_), Some(until), _) => Some(Time(until)),
        (Some(_), None, Some((end, _))) => Some(end),
        _ => None,
    };
    Some(Times { at: Time(at?), for_ns, every_ns, until })
}

fn kind(check: &mut Check, fault: &At<FaultTable>, names: Option<&Names>) -> Option<FaultKind> {
    let table = &fault.value;
    let kinds = [
        ("partition", table.partition.as_ref().map(|kind| kind.span.clone())),
        ("crash", table.crash.as_ref().map(|kind| kind.span.clone())),
        ("pause", table.pause.as_ref().map(|kind| kind.span.clone())),
        ("slow", table.slow.as_ref().map(|kind| kind.span.clone())),
        ("clock", table.clock.as_ref().map(|kind| kind.span.clone())),
        ("loss", table.loss.as_ref().map(|kind| kind.span.clone())),
        ("burst", table.burst.as_ref().map(|kind| kind.span.clone())),
        ("duplicate", table.duplicate.as_ref().map(|kind| kind.span.clone())),
        ("delay", table.delay.as_ref().map(|kind| kind.span.clone())),
    ];
    check.exactly_one(&fault.span, "fault", &kinds)?;
    if let Some(partition) = &table.partition {
        return read_partition(check, partition, names).map(FaultKind::Partition);
    }
    if let Some(crash) = &table.crash {
        return read_crash(check, &crash.value, names);
    }
    if let Some(pause) = &table.pause {
        return Some(FaultKind::Pause { nodes: nodes(check, &pause.value.nodes, names, Accepted::Nodes)? });
    }
    if let Some(slow) = &table.slow {
        let (nodes, delay_ns) =
            (nodes(check, &slow.value.nodes, names, Accepted::Nodes), check.positive(&slow.value.delay, "a delay"));
        return Some(FaultKind::Slow { nodes: nodes?, delay_ns: delay_ns? });
    }
    if let Some(At { span, value: clock }) = &table.clock {
        let nodes = nodes(check, &clock.nodes, names, Accepted::Replicas);
        let (offset_ns, drift_ppb) = (check.read_or(clock.offset.as_ref(), 0), check.read_or(clock.drift.as_ref(), 0));
        if clock.offset.is_none() && clock.drift.is_none() {
            let finding = Diagnostic::new("scenario::empty", "this fault does nothing to the clocks");
            check.push(
                finding
                    .at(span.clone(), "neither offset nor drift")
                    .help("add `offset = \"-2s\"` or `drift = \"1000ppm\"`"),
            );
        }
        return Some(FaultKind::Clock { nodes: nodes?, offset_ns: offset_ns?, drift_ppb: drift_ppb? });
    }
    link_fault(check, table, names)
}

fn link_fault(check: &mut Check, table: &FaultTable, names: Option<&Names>) -> Option<FaultKind> {
    if let Some(At { value: loss, .. }) = &table.loss {
        let (links, probability) =
            (links(check, loss.from.as_ref(), loss.to.as_ref(), names), check.read(&loss.probability));
        return Some(FaultKind::Loss { links: links?, probability: probability? });
    }
    if let Some(At { value: burst, .. }) = &table.burst {
        let (links, burst) =
            (links(check, burst.from.as_ref(), burst.to.as_ref(), names), network::burst(check, &burst.burst()));
        return Some(FaultKind::Burst { links: links?, burst: burst? });
    }
    if let Some(At { value: twice, .. }) = &table.duplicate {
        let (links, probability) =
            (links(check, twice.from.as_ref(), twice.to.as_ref(), names), check.read(&twice.probability));
        return Some(FaultKind::Duplicate { links: links?, probability: probability? });
    }
    let delay = &table.delay.as_ref()?.value;
    let (links, latency) =
        (links(check, delay.from.as_ref(), delay.to.as_ref(), names), distribution(check, &delay.latency));
    Some(FaultKind::Delay { links: links?, latency: Arc::new(latency?.table()) })
}

/// Named endpoints: at least one, and none twice.
fn nodes(check: &mut Check, list: &NameList, names: Option<&Names>, accepted: Accepted) -> Option<Vec<NodeId>> {
    let groups = disjoint(check, std::slice::from_ref(list), names, accepted)?;
    groups.into_iter().next()
}

/// Groups of endpoints: none empty, and no endpoint twice.
fn disjoint(
    check: &mut Check,
    groups: &[NameList],
    names: Option<&Names>,
    accepted: Accepted,
) -> Option<Vec<Vec<NodeId>>> {
    let mut seen: BTreeMap<NodeId, Range<usize>> = BTreeMap::new();
    let mut is_sound = true;
    let mut result = Vec::with_capacity(groups.len());
    for group in groups {
        if group.value.is_empty() {
            is_sound = false;
            let finding = Diagnostic::new("scenario::empty", "nobody is named here");
            check.push(finding.at(group.span.clone(), "empty").help("name endpoints, for example [\"n1\", \"n2\"]"));
        }
        let mut members = Vec::with_capacity(group.value.len());
        for name in &group.value {
            let Some(node) = names.and_then(|names| check.keep(names.resolve(name, accepted))) else {
                is_sound = false;
                continue;
            };
            if let Some(first) = seen.insert(node, name.span.clone()) {
                is_sound = false;
                let finding = Diagnostic::new("scenario::overlap", format!("`{}` is named twice", name.value));
                check.push(
                    finding.at(name.span.clone(), "again").at(first, "first").help("an endpoint has one place only"),
                );
            }
            members.push(node);
        }
        result.push(members);
    }
    is_sound.then_some(result)
}

/// The links of a link fault; clients take part only when they are named.
fn links(
    check: &mut Check,
    from: Option<&NameList>,
    to: Option<&NameList>,
    names: Option<&Names>,
) -> Option<LinkSelection> {
    if from.is_none() && to.is_none() {
        return Some(LinkSelection::All);
    }
    let mut marked = |list: Option<&NameList>| {
        let endpoints = names?.endpoints();
        let mut table = vec![false; endpoints.total() as usize];
        match list {
            None => table[..(endpoints.replicas + endpoints.services) as usize].fill(true),
            Some(list) => {
                for node in nodes(check, list, names, Accepted::All)? {
                    table[node.index()] = true;
                }
            }
        }
        Some(table)
    };
    let (from, to) = (marked(from), marked(to));
    Some(LinkSelection::Between { from: from?, to: to? })
}

fn read_crash(check: &mut Check, crash: &CrashFault, names: Option<&Names>) -> Option<FaultKind> {
    let nodes = nodes(check, &crash.nodes, names, Accepted::Nodes);
    let (recovery, lost_ns) = match crash.state.as_ref().map(|state| (&state.span, &state.value)) {
        None => (Recovery::Durable, 0),
        Some((_, Choice::Table(Recovered { stale }))) => (Recovery::Stale, check.positive(stale, "what is lost")?),
        Some((place, Choice::Text(text))) => match text.as_str() {
            "durable" => (Recovery::Durable, 0),
            "volatile" => (Recovery::Volatile, 0),
            _ => {
                let help = if text.contains("stale") {
                    "write { stale = \"2s\" }: what was written in the last two seconds is lost".to_owned()
                } else {
                    suggestion(text, "states", ["durable", "volatile", "stale"])
                };
                let finding = Diagnostic::new("scenario::unknown-name", format!("there is no state `{text}`"));
                check.push(finding.at(place.clone(), "no such state").help(help));
                return None;
            }
        },
    };
    Some(FaultKind::Crash { nodes: nodes?, recovery, lost_ns })
}

fn read_partition(
    check: &mut Check,
    partition: &At<Choice<PartitionTable>>,
    names: Option<&Names>,
) -> Option<PartitionKind> {
    let table = match &partition.value {
        Choice::Table(table) => table,
        Choice::Text(text) => {
            let kind = match text.as_str() {
                "halves" => PartitionKind::Halves,
                "majority-ring" => PartitionKind::MajorityRing,
                _ => {
                    let kinds = FAULTS.iter().filter_map(|fault| fault.name.strip_prefix("partition."));
                    let help = suggestion(text, "partitions", kinds);
                    let finding =
                        Diagnostic::new("scenario::unknown-name", format!("there is no plain partition `{text}`"));
                    check.push(finding.at(partition.span.clone(), "no such partition").help(help));
                    return None;
                }
            };
            return possible(check, kind, &partition.span, names);
        }
    };
    let kinds = [
        ("groups", table.groups.as_ref().map(|kind| kind.span.clone())),
        ("halves", table.halves.as_ref().map(|kind| kind.span.clone())),
        ("isolate", table.isolate.as_ref().map(|kind| kind.span.clone())),
        ("majority-ring", table.majority_ring.as_ref().map(|kind| kind.span.clone())),
        ("bridge", table.bridge.as_ref().map(|kind| kind.span.clone())),
        ("one-way", table.one_way.as_ref().map(|kind| kind.span.clone())),
        ("random", table.random.as_ref().map(|kind| kind.span.clone())),
        ("flapping", table.flapping.as_ref().map(|kind| kind.span.clone())),
    ];
    check.exactly_one(&partition.span, "partition", &kinds)?;
    let kind = if let Some(list) = &table.groups {
        PartitionKind::Groups { groups: groups(check, list, names)? }
    } else if let Some(list) = &table.isolate {
        PartitionKind::Isolate { nodes: nodes(check, list, names, Accepted::All)? }
    } else if let Some(list) = &table.bridge {
        PartitionKind::Bridge { nodes: nodes(check, list, names, Accepted::All)? }
    } else if let Some(At { value: sides, .. }) = &table.one_way {
        let (from, to) =
            (nodes(check, &sides.from, names, Accepted::All), nodes(check, &sides.to, names, Accepted::All));
        PartitionKind::OneWay { from: from?, to: to? }
    } else if let Some(random) = &table.random {
        let most = names?.endpoints().replicas.min(GROUPS_MAX as u32).max(2);
        PartitionKind::Random { groups: check.within(&random.value.groups, "the number of groups", 2..=most)? }
    } else if let Some(At { value: flapping, .. }) = &table.flapping {
        let groups = groups(check, &flapping.groups, names);
        let (up_ns, down_ns) = (check.positive(&flapping.up, "`up`"), check.positive(&flapping.down, "`down`"));
        PartitionKind::Flapping { groups: groups?, up_ns: up_ns?, down_ns: down_ns? }
    } else if table.halves.is_some() {
        PartitionKind::Halves
    } else {
        PartitionKind::MajorityRing
    };
    possible(check, kind, &partition.span, names)
}

/// Groups that part somebody from somebody.
fn groups(check: &mut Check, list: &At<Vec<NameList>>, names: Option<&Names>) -> Option<Vec<Vec<NodeId>>> {
    if list.value.is_empty() || list.value.len() > GROUPS_MAX {
        let finding = Diagnostic::new("scenario::empty", format!("there are {} groups", list.value.len()));
        check.push(
            finding
                .at(list.span.clone(), "here")
                .help(format!("name 1 to {GROUPS_MAX} groups, [[\"n1\", \"n2\"], [\"n3\"]]")),
        );
        return None;
    }
    let groups = disjoint(check, &list.value, names, Accepted::All)?;
    let endpoints = names?.endpoints();
    // A single group that holds all replicas still parts them from the stores and clients that are not in it.
    if let [only] = groups.as_slice()
        && only.len() == endpoints.replicas as usize
        && only.iter().all(|node| node.0 < endpoints.replicas)
    {
        let finding =
            Diagnostic::new("scenario::contradiction", "this partition parts nobody: all replicas are in one group");
        check.push(finding.at(list.span.clone(), "a single group").help("split the replicas into two groups"));
        return None;
    }
    Some(groups)
}

/// Small clusters cannot be parted in every way.
fn possible(
    check: &mut Check,
    kind: PartitionKind,
    place: &Range<usize>,
    names: Option<&Names>,
) -> Option<PartitionKind> {
    let replicas = names?.endpoints().replicas;
    let needed = match kind {
        PartitionKind::Halves | PartitionKind::Random { .. } => 2,
        PartitionKind::Bridge { .. } => 3,
        PartitionKind::MajorityRing => 4,
        _ => 1,
    };
    if replicas < needed {
        let message = format!("this partition needs at least {needed} replicas, and there are {replicas}");
        let finding = Diagnostic::new("scenario::contradiction", message).at(place.clone(), "parts nobody");
        check.push(finding.help("use more nodes, or another partition"));
        return None;
    }
    Some(kind)
}

fn read_nemesis(check: &mut Check, table: &At<NemesisTable>, work: Option<&Work>) -> Option<NemesisSpec> {
    let At { span, value: table } = table;
    let mut kinds = Vec::new();
    for name in &table.kinds.value {
        if let Some(kind) = NemesisKind::from_name(&name.value) {
            kinds.push(kind);
            continue;
        }
        let help = suggestion(&name.value, "kinds", NEMESIS.iter().map(|row| row.name));
        let finding =
            Diagnostic::new("scenario::unknown-name", format!("there is no kind of nemesis `{}`", name.value));
        check.push(finding.at(name.span.clone(), "no such kind").help(help));
    }
    if table.kinds.value.is_empty() {
        let finding = Diagnostic::new("scenario::empty", "the nemesis has nothing to choose from");
        check.push(finding.at(table.kinds.span.clone(), "empty").help("write [\"partition\", \"pause\"]"));
    }
    let interval_ns = check.positive(&table.interval, "the interval of the nemesis");
    let duration_ns = check.positive(&table.duration, "a fault of the nemesis");
    let from = table.from.as_ref().map(|from| check.read(from));
    let until = table.until.as_ref().map(|until| check.read(until));
    let work = work?;
    let from = from.map_or(Some(work.config.start()), |from| from.map(Time))?;
    let until = until.map_or(Some(work.config.end()), |until| until.map(Time))?;
    let horizon = work.config.end() + work.quiet_ns;
    if until <= from || from >= horizon {
        let place = table.from.as_ref().or(table.until.as_ref()).map_or(span, |written| &written.span);
        let message = format!("the nemesis acts from {from} until {until}, in a run that ends at {horizon}");
        let finding = Diagnostic::new("scenario::contradiction", message).at(place.clone(), "nothing can happen");
        check.push(finding.help("`from` must be before `until`, and before the end of the run"));
        return None;
    }
    Some(NemesisSpec { kinds, interval_ns: interval_ns?, duration_ns: duration_ns?, from, until })
}
