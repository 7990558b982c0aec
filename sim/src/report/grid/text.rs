//! Text for the terminal: a line per point and system.
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
    let mut lines = vec![fit(&title, chart::WIDTH), String::new()];
    lines.extend(table(report).lines().map(str::to_owned));
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

fn table(report: &GridReport) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_NO_BORDERS)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(chart::WIDTH as u16);
    table.style_mut().row_separator = LineStyle::none();
    let axes = report.axes.iter().map(|axis| axis.key.clone());
    table.set_header(axes.chain(["system".to_owned()]).chain(COLUMNS.map(str::to_owned)));
    for (point, cell) in lines(report) {
        let settings = point.settings.iter().map(|setting| fit(value(setting), 24));
        table.add_row(settings.chain([fit(&cell.system, 24)]).chain(cells(cell)));
    }
    for column in table.column_iter_mut().skip(report.axes.len() + 1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
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
