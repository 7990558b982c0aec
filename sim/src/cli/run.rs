//! `sim run`.

use clap::Args;

use super::{
    Exit, Surroundings, output, progress,
    scenario::{self, ScenarioArgs, select},
    showing::ShowArgs,
};
use crate::{
    engine::{Difference, Outcome, audit, run_again, run_all},
    report::{self, model::Verdict},
    scenario::{Drawn, Plan, SystemSpec},
};

/// Run all systems of a scenario under one seed, and compare them.
///
/// Prints the comparison and writes the report in all formats. Every number is explained in reports/README.md.
///
/// A value of the scenario may be drawn from the seed: `{ swarm = ["0%", "10%"] }` is a range of two quantities, both included; three or more
/// values, or `{ swarm = { choice = [3, 5] } }`, are a choice. What was drawn is said.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    scenario: ScenarioArgs,

    /// Run only this system. Repeatable.
    #[arg(long = "system", value_name = "NAME")]
    systems: Vec<String>,

    #[command(flatten)]
    show: ShowArgs,

    /// Print the scenario as it runs under the seed, and run nothing: overrides applied, swarm values drawn, runnable as a file of its own.
    #[arg(long)]
    print_scenario: bool,

    /// Run everything a second time, and name the first event that differs.
    #[arg(long)]
    twice: bool,

    /// Run systems of programs again this often, and compare every step; 0 for never.
    #[arg(long, value_name = "N", default_value_t = 0)]
    audit: u32,
}

impl Run {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let plan = self.scenario.load(surroundings, self.show.json)?;
        let systems = select(&plan, &self.systems)?;
        let seed = self.scenario.seed(&plan);
        if self.print_scenario {
            let resolved =
                plan.resolved(seed).map_err(|errors| scenario::show(&errors, surroundings, self.show.json))?;
            return Ok(output::say(&resolved));
        }
        if !surroundings.quiet {
            for Drawn { key, value, .. } in &plan.drawn {
                output::fail(&format!("drawn under seed {seed}: {key} = {value}"));
            }
        }
        let total_ns = plan.final_reads_at().0.saturating_mul(systems.len() as u64);
        let mut outcomes =
            progress::shown(!surroundings.quiet, total_ns, |progress| run_all(&plan, &systems, seed, progress));
        for (system, outcome) in systems.iter().zip(&mut outcomes).filter(|_| self.audit > 0) {
            audit(&plan, system, seed, outcome, self.audit);
        }
        let report = report::report(&plan, &systems, seed, &outcomes, self.reproduce(seed));
        self.show.show(&report, &outcomes, surroundings)?;
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
