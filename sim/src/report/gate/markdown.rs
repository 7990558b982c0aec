//! Markdown for the summary of a pull request: short, with what to copy.

use std::fmt::Write;

use super::{build::signed, model::GateReport};
use crate::report::{
    columns::one_line,
    human::{count, p_value},
    markdown::{code, escaped, word},
};

/// The report.
pub fn render(report: &GateReport) -> String {
    let mut out = String::new();
    write(report, &mut out).expect("a string takes everything");
    out
}

fn write(report: &GateReport, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# Convergence gate: {}\n", word(report.verdict))?;
    writeln!(out, "| scenario | verdict | runs changed | worse | better | broken |\n|---|---|---:|---:|---:|---:|")?;
    for scenario in &report.scenarios {
        let of = |kind: &str| scenario.changes.iter().filter(|change| change.change == kind).count() as u64;
        let broken: u64 = scenario.new_failures.iter().map(|failure| failure.count).sum();
        writeln!(
            out,
            "| {} | {} | {} of {} | {} | {} | {} |",
            escaped(&scenario.scenario),
            word(scenario.verdict),
            count(scenario.changed_runs),
            count(scenario.runs),
            count(of("regression")),
            count(of("improvement")),
            count(broken),
        )?;
    }
    let changes: Vec<_> = report
        .scenarios
        .iter()
        .flat_map(|scenario| scenario.changes.iter().map(move |change| (scenario, change)))
        .filter(|(_, change)| change.change != "small")
        .collect();
    if !changes.is_empty() {
        writeln!(out, "\n| | scenario | system | metric | before | now | change | 95% interval | p |")?;
        writeln!(out, "|---|---|---|---|---:|---:|---:|---:|---:|")?;
    }
    for (scenario, change) in changes {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | **{}** | {} to {} | {} |",
            if change.change == "regression" { "worse" } else { "better" },
            escaped(&scenario.scenario),
            escaped(&change.system),
            code(&change.metric),
            change.before,
            change.now,
            signed(change.relative_ppm),
            signed(change.relative_ppm_low),
            signed(change.relative_ppm_high),
            p_value(change.p_adjusted_ppm),
        )?;
    }
    for failure in report.scenarios.iter().flat_map(|scenario| &scenario.new_failures) {
        let what = format!("{}: {}", failure.system, failure.failure);
        writeln!(out, "\n**Broken**: {} ({} runs)\n\n```sh", escaped(&what), count(failure.count))?;
        writeln!(out, "{}\n```", one_line(&failure.reproduce).replace("```", "'''"))?;
    }
    Ok(())
}
