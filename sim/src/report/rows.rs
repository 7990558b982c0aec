//! The rows of the comparison: measures by group, one cell per system.
//!
//! Invariant: every row has one cell per system, in the order of the report. A row in which no system has anything to say is
//! left out, and so are costs that nobody had.

use super::{
    columns::one_line,
    human::{bytes, count, duration, percentage},
    model::{PHASE_ALL, Quantiles, Report, System, Verdict},
};

/// With more phases than this only the first are shown.
const PHASES_MAX: usize = 8;
/// What stands where there is nothing to say.
const NOTHING: &str = "-";

/// Is a cell good or bad news?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Bad,
}

/// One value of one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// One measure.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) cells: Vec<Cell>,
}

/// Measures that belong together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) rows: Vec<Row>,
}

/// All groups of a report.
pub(super) fn groups(report: &Report) -> Vec<Group> {
    [
        ("CONVERGENCE", convergence(report)),
        ("CORRECTNESS", correctness(report)),
        ("CONSISTENCY", consistency(report)),
        ("CHECKERS", checkers(report)),
        ("AVAILABILITY", availability(report)),
        ("COST", cost(report)),
    ]
    .into_iter()
    .map(|(title, rows)| Group { title, rows: rows.into_iter().flatten().collect() })
    .filter(|group| !group.rows.is_empty())
    .collect()
}

fn convergence(report: &Report) -> Vec<Option<Row>> {
    vec![
        row(report, "converged", |system| answer(system.converged, "yes", "NO")),
        row(report, "time to converge", |system| reached(system, system.convergence_time_ns)),
        row(report, "  after the last update", |system| reached(system, system.convergence_from_last_update_ns)),
        row(report, "  after the last heal", |system| reached(system, system.convergence_from_last_heal_ns)),
        row(report, "  as clients observe it", |system| {
            plain(system.convergence_observed_ns.map_or(NOTHING.into(), duration))
        }),
        row(report, "visible everywhere, p50", |system| quantile(system.visibility_latency_ns, |q| q.p50)),
        row(report, "visible everywhere, p99", |system| quantile(system.visibility_latency_ns, |q| q.p99)),
        row(report, "never visible everywhere", |system| match system.visibility_latency_ns {
            Some(Quantiles { censored: 0, .. }) => plain("0".into()),
            Some(q) => bad(format!("{} of {}", count(q.censored), count(q.count))),
            None => plain(NOTHING.into()),
        }),
        row(report, "most answers at once", |system| plain(count(system.distinct_max))),
    ]
}

fn correctness(report: &Report) -> Vec<Option<Row>> {
    vec![
        row(report, "correct", |system| answer(system.correct, "yes", "NO")),
        row(report, "agreed value", |system| plain(system.agreed_value.as_deref().map_or("none".into(), one_line))),
        row(report, "acceptable", |system| plain(one_line(&system.acceptable))),
        row(report, "lost updates", |system| zero_is_good(system.lost_updates)),
        row(report, "phantom updates", |system| zero_is_good(system.phantom_updates)),
        row(report, "stale reads", |system| {
            plain(format!("{} of {}", count(system.stale_reads.count), count(system.stale_reads.reads)))
        }),
        row_unless_zero(report, "  behind by updates, max", |system| system.stale_reads.updates_behind_max, count),
        row_unless_zero(report, "  behind by time, max", |system| system.stale_reads.time_behind_ns_max, duration),
    ]
}

fn consistency(report: &Report) -> Vec<Option<Row>> {
    let mut rows = vec![row(report, "strongest model", |system| plain(one_line(&system.consistency_strongest)))];
    for model in distinct(report, |system| system.consistency.iter().map(|verdict| verdict.model.as_str())) {
        rows.push(row(report, &one_line(model), |system| {
            let found = system.consistency.iter().find(|verdict| verdict.model == model);
            found.map_or(plain(NOTHING.into()), |found| judged(found.verdict))
        }));
    }
    rows
}

fn checkers(report: &Report) -> Vec<Option<Row>> {
    let checkers = distinct(report, |system| system.checks.iter().map(|check| check.checker.as_str()));
    let row_of = |checker: &str| {
        row(report, &one_line(checker), |system| {
            let found = system.checks.iter().find(|check| check.checker == checker);
            found.map_or(plain(NOTHING.into()), |found| judged(found.verdict))
        })
    };
    checkers.into_iter().map(row_of).collect()
}

fn availability(report: &Report) -> Vec<Option<Row>> {
    let mut rows = vec![
        row(report, "operations ok", |system| plain(count(system.operations.ok))),
        row(report, "  failed", |system| plain(count(system.operations.fail))),
        row(report, "  indeterminate", |system| plain(count(system.operations.info))),
    ];
    let phases = distinct(report, |system| system.availability.iter().map(|phase| phase.phase.as_str()));
    for &phase in phases.iter().take(PHASES_MAX) {
        let label = if phase == PHASE_ALL { "availability".into() } else { format!("  {}", one_line(phase)) };
        rows.push(row(report, &label, |system| {
            let found = system.availability.iter().find(|entry| entry.phase == phase);
            plain(found.and_then(|entry| entry.availability_ppm).map_or(NOTHING.into(), percentage))
        }));
    }
    if let Some(more @ 1..) = phases.len().checked_sub(PHASES_MAX) {
        let cells = report.systems.iter().map(|_| plain(String::new())).collect();
        rows.push(Some(Row { label: format!("  and {} more phases", count(more as u64)), cells }));
    }
    for operation in distinct(report, |system| system.latency_ns.iter().map(|entry| entry.operation.as_str())) {
        for (name, of) in [("p50", (|q| q.p50) as fn(&Quantiles) -> Option<u64>), ("p99", |q| q.p99)] {
            rows.push(row(report, &format!("latency of {}, {name}", one_line(operation)), |system| {
                let mut entries = system.latency_ns.iter();
                let found = entries.find(|entry| entry.operation == operation && entry.phase == PHASE_ALL);
                quantile(found.map(|entry| entry.quantiles), of)
            }));
        }
    }
    rows
}

fn cost(report: &Report) -> Vec<Option<Row>> {
    vec![
        row(report, "messages", |system| plain(count(system.messages))),
        row(report, "bytes sent", |system| plain(bytes(system.bytes))),
        row_unless_zero(report, "messages lost", |system| system.dropped, count),
        row_unless_zero(report, "messages duplicated", |system| system.duplicated, count),
        row(report, "state", |system| plain(bytes(system.state_bytes))),
        row_unless_zero(report, "  of it metadata", |system| system.metadata_bytes, bytes),
        row_unless_zero(report, "  of it tombstones", |system| system.tombstone_bytes, bytes),
        row_unless_zero(report, "conflicts", |system| system.conflicts, count),
        row_unless_zero(report, "retries", |system| system.retries, count),
        row(report, "events", |system| plain(count(system.events))),
        row(report, "stopped", |system| {
            let text = one_line(&system.stop);
            if system.stop == "completed" { plain(text) } else { bad(text) }
        }),
    ]
}

/// The different texts of all systems, in the order in which they first occur.
fn distinct<'a, I: Iterator<Item = &'a str>>(report: &'a Report, texts: impl Fn(&'a System) -> I) -> Vec<&'a str> {
    let mut found = Vec::new();
    for text in report.systems.iter().flat_map(texts) {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

fn row(report: &Report, label: &str, cell: impl Fn(&System) -> Cell) -> Option<Row> {
    let cells: Vec<Cell> = report.systems.iter().map(cell).collect();
    cells.iter().any(|cell| cell.text != NOTHING).then(|| Row { label: label.to_owned(), cells })
}

fn row_unless_zero(report: &Report, label: &str, of: impl Fn(&System) -> u64, shown: fn(u64) -> String) -> Option<Row> {
    if report.systems.iter().all(|system| of(system) == 0) {
        return None;
    }
    row(report, label, |system| plain(shown(of(system))))
}

fn plain(text: String) -> Cell {
    Cell { text, tone: Tone::Plain }
}

fn bad(text: String) -> Cell {
    Cell { text, tone: Tone::Bad }
}

fn answer(holds: bool, yes: &str, no: &str) -> Cell {
    if holds { Cell { text: yes.to_owned(), tone: Tone::Good } } else { bad(no.to_owned()) }
}

fn zero_is_good(number: Option<u64>) -> Cell {
    number.map_or_else(|| plain("unknown".into()), |number| answer(number == 0, "0", &count(number)))
}

fn judged(verdict: Verdict) -> Cell {
    match verdict {
        Verdict::Pass => answer(true, "yes", ""),
        Verdict::Fail => bad("NO".into()),
        Verdict::Vacuous => plain("vacuous".into()),
        Verdict::Inconclusive => plain("unknown".into()),
    }
}

/// A time to converge: a run that did not converge is censored.
fn reached(system: &System, time_ns: Option<u64>) -> Cell {
    match time_ns {
        Some(ns) => plain(duration(ns)),
        None if system.converged => plain(NOTHING.into()),
        None => bad("censored".into()),
    }
}

/// A quantile: null where the censored are is later than the end of the run.
fn quantile(quantiles: Option<Quantiles>, of: impl Fn(&Quantiles) -> Option<u64>) -> Cell {
    match quantiles.map(|quantiles| (of(&quantiles), quantiles.censored)) {
        Some((Some(ns), _)) => plain(duration(ns)),
        Some((None, 1..)) => bad("censored".into()),
        _ => plain(NOTHING.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::specimen;

    #[test]
    fn every_row_has_a_cell_per_system() {
        for report in [specimen::report(), specimen::extreme(), specimen::empty()] {
            for row in groups(&report).iter().flat_map(|group| &group.rows) {
                assert_eq!(row.cells.len(), report.systems.len(), "{}", row.label);
            }
        }
    }

    #[test]
    fn the_censored_is_never_a_number() {
        let report = specimen::report();
        let groups = groups(&report);
        let cell = |label: &str| {
            let row = groups.iter().flat_map(|group| &group.rows).find(|row| row.label == label);
            row.expect("the row is there").cells[0].clone()
        };
        assert_eq!(cell("time to converge"), bad("censored".into()));
        assert_eq!(cell("visible everywhere, p99"), bad("censored".into()));
        assert_eq!(cell("never visible everywhere"), bad("412 of 2,796".into()));
        assert_eq!(cell("lost updates").tone, Tone::Bad);
    }

    #[test]
    fn many_phases_are_cut() {
        let mut report = specimen::report();
        let phase = report.systems[0].availability[0].clone();
        report.systems[0].availability =
            (0..50).map(|k| crate::report::model::Availability { phase: format!("p{k}"), ..phase.clone() }).collect();
        report.systems.truncate(1);
        let rows: Vec<String> = availability(&report).into_iter().flatten().map(|row| row.label).collect();
        assert!(rows.contains(&"  p7".to_owned()) && !rows.contains(&"  p8".to_owned()));
        assert!(rows.contains(&"  and 42 more phases".to_owned()));
    }
}
