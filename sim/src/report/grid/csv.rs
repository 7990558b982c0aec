//! CSV: a line per point and system, after RFC 4180. Nothing is rounded; what is not known is empty.

use super::{
    model::GridReport,
    text::{lines, value},
};

/// The columns after those of the axes.
const COLUMNS: [&str; 12] = [
    "system",
    "runs",
    "converged",
    "convergence_time_ns_p50",
    "convergence_time_ns_p50_low",
    "convergence_time_ns_p50_high",
    "convergence_time_ns_p99",
    "floor_ns",
    "floor",
    "messages_p50",
    "bytes_p50",
    "scenario_hash",
];

/// The report.
pub(super) fn render(report: &GridReport) -> String {
    let mut out = String::new();
    push(&mut out, report.axes.iter().map(|axis| axis.key.clone()).chain(COLUMNS.map(str::to_owned)));
    let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    for (point, cell) in lines(report) {
        let time = &cell.convergence_time_ns;
        let cells = [
            cell.system.clone(),
            cell.runs.to_string(),
            cell.converged.to_string(),
            number(time.p50),
            number(time.p50_low),
            number(time.p50_high),
            number(time.p99),
            number(cell.floor_ns),
            cell.floor.clone().unwrap_or_default(),
            number(cell.messages.p50),
            number(cell.bytes.p50),
            point.scenario_hash.clone(),
        ];
        push(&mut out, point.settings.iter().map(|setting| value(setting).to_owned()).chain(cells));
    }
    out
}

fn push(out: &mut String, cells: impl Iterator<Item = String>) {
    out.push_str(&cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(","));
    out.push_str("\r\n");
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
