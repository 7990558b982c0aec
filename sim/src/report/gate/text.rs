//! Text for the terminal: what got worse, what broke, and what merely changed.

use std::fmt::Write;

use super::{
    build::signed,
    model::{GateReport, GatedScenario},
};
use crate::report::{
    chart,
    columns::{fit, one_line, pad},
    human::{count, p_value},
    model::Verdict,
};

/// The report.
pub fn render(report: &GateReport) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(report, &mut out);
    out
}

fn write(report: &GateReport, out: &mut String) -> std::fmt::Result {
    for scenario in &report.scenarios {
        write_scenario(scenario, out)?;
    }
    let verdict = match report.verdict {
        Verdict::Fail => "FAIL",
        Verdict::Pass => "pass",
        _ => "nothing was compared",
    };
    writeln!(out, "gate: {verdict}")
}

fn write_scenario(scenario: &GatedScenario, out: &mut String) -> std::fmt::Result {
    let verdict = if scenario.verdict == Verdict::Fail { "FAIL" } else { "pass" };
    let runs = format!("{} of {} runs changed", count(scenario.changed_runs), count(scenario.runs));
    writeln!(out, "{}", fit(&format!("{}: {verdict}, {runs}", scenario.scenario), chart::WIDTH))?;
    for failure in &scenario.new_failures {
        writeln!(out, "  BROKEN  {}: {} ({} runs)", failure.system, one_line(&failure.failure), count(failure.count))?;
        writeln!(out, "          reproduce: {}", one_line(&failure.reproduce))?;
    }
    if scenario.mended > 0 {
        writeln!(out, "  mended  {} runs that failed do not now", count(scenario.mended))?;
    }
    for change in &scenario.changes {
        let word = match change.change.as_str() {
            "regression" => "WORSE ",
            "improvement" => "better",
            _ => "differs",
        };
        writeln!(
            out,
            "  {} {}  {} -> {}, {} ({} to {}), {} of {} seeds, p {}",
            pad(word, 7),
            pad(&format!("{} {}", change.system, change.metric), 36),
            change.before,
            change.now,
            signed(change.relative_ppm),
            signed(change.relative_ppm_low),
            signed(change.relative_ppm_high),
            count(change.changed),
            count(change.seeds),
            p_value(change.p_adjusted_ppm),
        )?;
    }
    Ok(())
}
