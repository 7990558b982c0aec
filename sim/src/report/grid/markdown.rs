//! Markdown for pull requests: the table, and what to copy.

use std::fmt::Write;

use super::{
    model::GridReport,
    text::{COLUMNS, cells, lines, value},
};
use crate::report::{
    human::count,
    markdown::{code, escaped, word},
};

/// The report.
pub(super) fn render(report: &GridReport) -> String {
    let mut out = String::new();
    write(report, &mut out).expect("a string takes everything");
    out
}

fn write(report: &GridReport, out: &mut String) -> std::fmt::Result {
    let seeds = format!("seeds {}..{}", report.seeds_from, report.seeds_to);
    writeln!(out, "# {}, {seeds}: {}\n", escaped(&report.scenario), word(report.verdict))?;
    let axes = report.axes.iter().map(|axis| escaped(&axis.key));
    let header: Vec<String> = axes.chain(["system".to_owned()]).chain(COLUMNS.map(str::to_owned)).collect();
    writeln!(out, "| {} |", header.join(" | "))?;
    writeln!(out, "|{}{}", "---|".repeat(report.axes.len() + 1), "---:|".repeat(COLUMNS.len()))?;
    for (point, cell) in lines(report) {
        let settings = point.settings.iter().map(|setting| escaped(value(setting)));
        let cells: Vec<String> = settings.chain([escaped(&cell.system)]).chain(cells(cell)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    if report.points.iter().any(|point| !point.failures.is_empty()) {
        writeln!(out, "\n## Failures\n\n| runs | at | what | reproduce |\n|---:|---|---|---|")?;
    }
    for point in &report.points {
        for failure in &point.failures {
            let at = escaped(&point.settings.join(" "));
            let (what, again) = (escaped(&failure.failure), code(&failure.reproduce));
            writeln!(out, "| {} | {at} | {what} | {again} |", count(failure.count))?;
        }
    }
    Ok(())
}
