//! Markdown for pull requests: few rows, and what to copy.

use std::fmt::Write;

use super::{
    model::SweepReport,
    text::{cells, interval, quantile},
};
use crate::report::{
    columns::one_line,
    human::{bytes, count, duration, percentage},
    markdown::{code, escaped, word},
};

/// The report.
pub(super) fn render(report: &SweepReport) -> String {
    let mut out = String::new();
    write(report, &mut out).expect("a string takes everything");
    out
}

fn write(report: &SweepReport, out: &mut String) -> std::fmt::Result {
    let seeds = format!("seeds {}..{}", report.seeds_from, report.seeds_to);
    writeln!(out, "# {}, {seeds}: {}\n", escaped(&report.scenario), word(report.verdict))?;
    writeln!(
        out,
        "| system | runs | failed | P(failure), 95% bound | time to converge, p50 | 95% interval | p99 | bytes, p50 |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|")?;
    for system in &report.systems {
        let time = &system.convergence_time_ns;
        let fail = if system.fail > 0 { format!("**{}**", count(system.fail)) } else { "0".to_owned() };
        writeln!(
            out,
            "| {} | {} | {fail} | {} | {} | {} | {} | {} |",
            escaped(&system.name),
            count(system.runs),
            percentage(system.fail_ppm_max),
            quantile(time, |of| of.p50, duration),
            interval(time),
            quantile(time, |of| of.p99, duration),
            quantile(&system.bytes, |of| of.p50, bytes),
        )?;
    }
    if let Some(first) = report.contrasts.first() {
        writeln!(out, "\nTime to converge beside that of {}, seed by seed:\n", escaped(&first.reference))?;
        writeln!(
            out,
            "| system | sooner | later | seeds | difference | p, signed ranks | p, log-rank | seeds that show it |"
        )?;
        writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|")?;
    }
    for contrast in &report.contrasts {
        writeln!(out, "| {} | {} |", escaped(&contrast.system), cells(contrast).join(" | "))?;
    }
    if !report.failures.is_empty() {
        writeln!(out, "\n## Failures\n\n| runs | what | reproduce |\n|---:|---|---|")?;
    }
    for failure in &report.failures {
        let line = one_line(&failure.reproduce);
        writeln!(out, "| {} | {} | {} |", count(failure.count), escaped(&failure.failure), code(&line))?;
    }
    Ok(())
}
