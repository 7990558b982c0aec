//! `sim run`.

use std::path::PathBuf;

use clap::Args;

use super::{
    Exit, Surroundings, output, progress,
    scenario::{ScenarioArgs, select},
};
use crate::{
    engine::{Difference, Outcome, run_again, run_all},
    report::{
        self, json,
        model::{Report, Verdict},
        text::{self, TextStyle},
    },
    scenario::{Plan, SystemSpec},
};

/// Run all systems of a scenario under one seed, and compare them.
///
/// Prints the comparison and writes the report in all formats. Every number is explained in reports/README.md.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "every flag of the command line is one")]
pub(super) struct Run {
    #[command(flatten)]
    scenario: ScenarioArgs,

    /// Run only this system. Repeatable.
    #[arg(long = "system", value_name = "NAME")]
    systems: Vec<String>,

    /// Print report.json instead of the table.
    #[arg(long)]
    json: bool,

    /// The directory for the report's files.
    #[arg(long, value_name = "DIR", default_value = "reports/latest")]
    out: PathBuf,

    /// Write no files.
    #[arg(long, conflicts_with = "out")]
    no_files: bool,

    /// Write what the clients of each system saw, too: history-SYSTEM.jsonl, which `sim check` reads.
    #[arg(long, conflicts_with = "no_files")]
    history: bool,

    /// Run everything a second time, and name the first event that differs.
    #[arg(long)]
    twice: bool,

    /// Draw charts and tables in ASCII.
    #[arg(long)]
    ascii: bool,
}

impl Run {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let plan = self.scenario.load(surroundings, self.json)?;
        let systems = select(&plan, &self.systems)?;
        let seed = self.scenario.seed(&plan);
        let total_ns = plan.final_reads_at().0.saturating_mul(systems.len() as u64);
        let outcomes =
            progress::shown(!surroundings.quiet, total_ns, |progress| run_all(&plan, &systems, seed, progress));
        let report = report::report(&plan, &systems, seed, &outcomes, self.reproduce(seed));
        self.show(&report, surroundings)?;
        if self.history {
            report::write_histories(&outcomes, &self.out)
                .map_err(|error| output::refuse(&error.to_string(), Exit::Internal))?;
        }
        let mut exit = Exit::from(report.verdict);
        if self.twice {
            exit = Self::compare(&plan, &systems, seed, &outcomes, surroundings).unwrap_or(exit);
        }
        if exit != Exit::Pass {
            output::fail(&format!("reproduce: {}", report.reproduce));
        }
        Ok(exit)
    }

    fn reproduce(&self, seed: u64) -> String {
        let mut line = self.scenario.reproduce("run", seed);
        for system in &self.systems {
            line.push_str(" --system ");
            line.push_str(&super::quoted(system));
        }
        line
    }

    fn show(&self, report: &Report, surroundings: Surroundings) -> Result<(), Exit> {
        let style = TextStyle { color: surroundings.color, unicode: !self.ascii };
        let shown = if self.json { json::render(report) } else { text::render(report, style) };
        match output::say(&shown) {
            Exit::Pass => {}
            other => return Err(other),
        }
        if self.no_files {
            return Ok(());
        }
        report::write_all(report, &self.out).map_err(|error| output::refuse(&error.to_string(), Exit::Internal))?;
        if !surroundings.quiet {
            output::fail(&format!("report written to {}", self.out.display()));
        }
        Ok(())
    }

    /// Runs again; says what differs, if anything does.
    fn compare(
        plan: &Plan,
        systems: &[&SystemSpec],
        seed: u64,
        outcomes: &[Outcome],
        surroundings: Surroundings,
    ) -> Option<Exit> {
        let differences = run_again(plan, systems, seed, outcomes);
        if differences.is_empty() {
            if !surroundings.quiet {
                output::fail("the second run was the same, event by event");
            }
            return None;
        }
        for Difference { system, divergence } in &differences {
            output::fail(&match divergence {
                Some(at) => format!(
                    "{system}: two runs differ first at event {}, at {} in one and {} in the other",
                    at.event, at.time, at.other_time
                ),
                None => format!("{system}: two runs differ, but not when they run side by side"),
            });
        }
        Some(Exit::from(Verdict::Fail))
    }
}
