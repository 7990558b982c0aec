//! Text for the terminal: a table per system, with a line per point.
//!
//! Invariant: no line but those to copy is wider than 100 columns.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};

use super::model::{Cell, GridReport, Point};
use crate::report::{
    chart,
    columns::{fit, one_line, wrap},
    human::{bytes, count, duration, percentage},
    model::Verdict,
    sweep::model::Spread,
};

/// The columns beside those of the axes and the system.
pub(super) const COLUMNS: [&str; 8] =
    ["converged", "time to converge, p50", "95% interval", "p99", "in theory", "by", "messages, p50", "bytes, p50"];

/// The same, in short, without how the floor comes about.
const SHORT: [&str; 7] = ["converged", "p50", "95% interval", "p99", "in theory", "messages", "bytes"];

/// The report.
pub fn render(report: &GridReport) -> String {
    let verdict = match report.verdict {
        Verdict::Pass => "pass",
        Verdict::Vacuous => "vacuous",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Fail => "FAIL",
    };
    let (points, seeds) = (count(report.points.len() as u64), format!("{}..{}", report.seeds_from, report.seeds_to));
    let title = format!("{}, {points} points, seeds {seeds}: {verdict}", report.scenario);
    let keys = report.axes.iter().map(|axis| axis.key.as_str()).collect::<Vec<_>>().join(", ");
    let mut lines = vec![fit(&title, chart::WIDTH)];
    lines.extend(wrap(&format!("varied: {keys}"), "  ", chart::WIDTH));
    lines.extend(tables(report));
    lines.extend(failures(report));
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The value of a setting.
pub(super) fn value(setting: &str) -> &str {
    setting.split_once('=').map_or(setting, |(_, value)| value)
}

/// What stands in [`COLUMNS`].
pub(super) fn cells(cell: &Cell) -> [String; 8] {
    let time = &cell.convergence_time_ns;
    let share = (cell.converged * 1_000_000).checked_div(cell.runs);
    [
        share.map_or_else(|| "-".to_owned(), |ppm| percentage(ppm.min(1_000_000) as u32)),
        quantile(time, time.p50, duration),
        if time.count == 0 { "-".to_owned() } else { format!("{} to {}", end(time.p50_low), end(time.p50_high)) },
        quantile(time, time.p99, duration),
        cell.floor_ns.map_or_else(|| "-".to_owned(), duration),
        cell.floor.clone().unwrap_or_else(|| "-".to_owned()),
        quantile(&cell.messages, cell.messages.p50, count),
        quantile(&cell.bytes, cell.bytes.p50, bytes),
    ]
}

fn end(value: Option<u64>) -> String {
    value.map_or_else(|| "censored".to_owned(), duration)
}

/// A quantile: null where the censored are is later than the end of the run.
fn quantile(spread: &Spread, value: Option<u64>, shown: fn(u64) -> String) -> String {
    match value {
        Some(value) => shown(value),
        None if spread.censored > 0 => "censored".to_owned(),
        None => "-".to_owned(),
    }
}

/// One table per system. Keys are cut to their last name, as the line above the tables has them whole.
fn tables(report: &GridReport) -> Vec<String> {
    let systems = report.points.first().map_or(0, |point| point.systems.len());
    (0..systems).flat_map(|system| table(report, system)).collect()
}

fn table(report: &GridReport, system: usize) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_NO_BORDERS)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(chart::WIDTH as u16);
    table.style_mut().row_separator = LineStyle::none();
    let axes = report.axes.iter().map(|axis| fit(axis.key.rsplit('.').next().unwrap_or_default(), 24));
    table.set_header(axes.chain(SHORT.map(str::to_owned)));
    let mut name = String::new();
    for point in &report.points {
        let Some(cell) = point.systems.get(system) else { continue };
        name = fit(&cell.system, chart::WIDTH);
        let [converged, p50, interval, p99, floor, _, messages, bytes] = cells(cell);
        let settings = point.settings.iter().map(|setting| fit(value(setting), 24));
        table.add_row(settings.chain([converged, p50, interval, p99, floor, messages, bytes]));
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines = table.to_string();
    [String::new(), name].into_iter().chain(lines.lines().map(str::to_owned)).collect()
}

/// All points and systems.
pub(super) fn lines(report: &GridReport) -> impl Iterator<Item = (&Point, &Cell)> {
    report.points.iter().flat_map(|point| point.systems.iter().map(move |cell| (point, cell)))
}

fn failures(report: &GridReport) -> Vec<String> {
    let mut lines = Vec::new();
    for point in &report.points {
        for failure in &point.failures {
            let what = format!("{} x {} at {}", count(failure.count), failure.failure, point.settings.join(" "));
            lines.extend(wrap(&what, "  ", chart::WIDTH));
            lines.push(format!("      reproduce: {}", one_line(&failure.reproduce)));
        }
    }
    if lines.is_empty() { lines } else { [String::new(), "FAILURES".to_owned()].into_iter().chain(lines).collect() }
}
