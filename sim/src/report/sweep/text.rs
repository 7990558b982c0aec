//! Text for the terminal: what each system did over all seeds, and how runs failed.
//!
//! Invariant: no line but those to copy is wider than 100 columns.

use comfy_table::{ContentArrangement, LineStyle, Table, presets};

use super::model::{Contrast, Spread, SweepReport, SweptSystem};
use crate::report::{
    chart,
    columns::{fit, one_line, wrap},
    human::{bytes, count, duration, p_value, percentage},
    model::Verdict,
};

/// The report.
pub fn render(report: &SweepReport) -> String {
    let verdict = match report.verdict {
        Verdict::Pass => "pass",
        Verdict::Vacuous => "vacuous",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Fail => "FAIL",
    };
    let seeds = format!("seeds {}..{}", report.seeds_from, report.seeds_to);
    let mut lines = vec![fit(&format!("{}, {seeds}: {verdict}", report.scenario), chart::WIDTH), String::new()];
    lines.extend(table(report).lines().map(str::to_owned));
    lines.extend(contrasts(report).lines().map(str::to_owned));
    lines.extend(failures(report));
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A row of the table: its label, and the cell of a system.
type Line = (&'static str, fn(&SweptSystem) -> String);

const LINES: &[Line] = &[
    ("runs", |system| count(system.runs)),
    ("  passed", |system| count(system.pass)),
    ("  vacuous", |system| count(system.vacuous)),
    ("  inconclusive", |system| count(system.inconclusive)),
    ("  failed", |system| count(system.fail)),
    ("P(failure), 95% bound", |system| percentage(system.fail_ppm_max)),
    ("P(a new way to fail)", |system| percentage(system.fail_unseen_ppm)),
    ("different runs", |system| count(system.fingerprints)),
    ("converged", |system| count(system.converged)),
    ("incorrect", |system| count(system.incorrect)),
    ("time to converge, p50", |system| quantile(&system.convergence_time_ns, |of| of.p50, duration)),
    ("  95% interval", |system| interval(&system.convergence_time_ns)),
    ("time to converge, p90", |system| quantile(&system.convergence_time_ns, |of| of.p90, duration)),
    ("time to converge, p99", |system| quantile(&system.convergence_time_ns, |of| of.p99, duration)),
    ("time to converge, max", |system| quantile(&system.convergence_time_ns, |of| of.max, duration)),
    ("from the last heal, p50", |system| quantile(&system.convergence_from_last_heal_ns, |of| of.p50, duration)),
    ("as clients observe it, p50", |system| quantile(&system.convergence_observed_ns, |of| of.p50, duration)),
    ("visible everywhere, p99, p50", |system| quantile(&system.visibility_latency_ns_p99, |of| of.p50, duration)),
    ("availability, p50", |system| quantile(&system.availability_ppm, |of| of.p50, share)),
    ("availability, min", |system| quantile(&system.availability_ppm, |of| of.min, share)),
    ("lost updates, p50", |system| quantile(&system.lost_updates, |of| of.p50, count)),
    ("lost updates, max", |system| quantile(&system.lost_updates, |of| of.max, count)),
    ("stale reads, p50", |system| quantile(&system.stale_reads, |of| of.p50, count)),
    ("messages, p50", |system| quantile(&system.messages, |of| of.p50, count)),
    ("bytes sent, p50", |system| quantile(&system.bytes, |of| of.p50, bytes)),
    ("state, p50", |system| quantile(&system.state_bytes, |of| of.p50, bytes)),
];

fn share(ppm: u64) -> String {
    percentage(ppm.min(1_000_000) as u32)
}

/// A quantile: null where the censored are is later than the end of the run.
pub(super) fn quantile(spread: &Spread, of: fn(&Spread) -> Option<u64>, shown: fn(u64) -> String) -> String {
    match of(spread) {
        Some(value) => shown(value),
        None if spread.censored > 0 => "censored".to_owned(),
        None => "-".to_owned(),
    }
}

pub(super) fn interval(spread: &Spread) -> String {
    let end = |value: Option<u64>| value.map_or_else(|| "censored".to_owned(), duration);
    if spread.count == 0 { "-".to_owned() } else { format!("{} to {}", end(spread.p50_low), end(spread.p50_high)) }
}

/// The systems that are shown side by side.
const SYSTEMS_PER_PAGE: usize = 5;

fn table(report: &SweepReport) -> String {
    let page = |systems: &[SweptSystem]| {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_NO_BORDERS)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(chart::WIDTH as u16);
        table.style_mut().row_separator = LineStyle::none();
        let names = systems.iter().map(|system| fit(&system.name, 24));
        table.set_header(std::iter::once(String::new()).chain(names));
        for (label, cell) in LINES {
            table.add_row(std::iter::once((*label).to_owned()).chain(systems.iter().map(cell)));
        }
        table.to_string()
    };
    report.systems.chunks(SYSTEMS_PER_PAGE).map(page).collect::<Vec<_>>().join("\n\n")
}

/// What a comparison with the first system says, but its name.
pub(super) fn cells(contrast: &Contrast) -> [String; 7] {
    let signed = |ns: i64| format!("{}{}", if ns < 0 { "-" } else { "+" }, duration(ns.unsigned_abs()));
    [
        count(contrast.sooner),
        count(contrast.later),
        count(contrast.seeds),
        contrast.difference_ns.map_or_else(|| "censored".to_owned(), signed),
        p_value(contrast.p_signed_rank_ppm),
        p_value(contrast.p_log_rank_ppm),
        contrast.seeds_needed.map_or_else(|| "-".to_owned(), count),
    ]
}

fn contrasts(report: &SweepReport) -> String {
    let Some(first) = report.contrasts.first() else { return String::new() };
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_NO_BORDERS)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(chart::WIDTH as u16);
    table.style_mut().row_separator = LineStyle::none();
    let columns =
        ["", "sooner", "later", "of seeds", "difference", "p, signed ranks", "p, log-rank", "seeds that show it"];
    table.set_header(columns);
    for contrast in &report.contrasts {
        table.add_row(std::iter::once(fit(&contrast.system, 24)).chain(cells(contrast)));
    }
    let heading = format!("TIME TO CONVERGE BESIDE {}", one_line(&first.reference));
    format!("\n{}\n{table}\n", fit(&heading, chart::WIDTH))
}

fn failures(report: &SweepReport) -> Vec<String> {
    let mut lines = Vec::new();
    for failure in &report.failures {
        lines.extend(wrap(&format!("{} x {}", count(failure.count), failure.failure), "  ", chart::WIDTH));
        lines.push(format!("      reproduce: {}", one_line(&failure.reproduce)));
    }
    if lines.is_empty() { lines } else { [String::new(), "FAILURES".to_owned()].into_iter().chain(lines).collect() }
}
