//! `sim merge`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    Exit, Surroundings, output,
    scenario::ScenarioArgs,
    sweep::{collect, reproduce, say, written},
};
use crate::{
    engine::sweep::{Seeds, Shard, StoreError, Stored},
    report,
};

/// Join the rows of several sweeps of one scenario, such as its shards, in any order.
///
/// Rows that stand in more than one file are kept once. Two rows of one run that differ are an error: runs that should be equal were not.
/// With --reports, what the rows say is summed up and printed as `sim sweep` would.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Merge {
    /// Files that `sim sweep` wrote.
    #[arg(required = true, value_name = "ROWS")]
    files: Vec<PathBuf>,

    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Write the reports of a sweep into this directory, too.
    #[arg(long, value_name = "DIR", requires = "scenario")]
    reports: Option<PathBuf>,

    /// The scenario that was swept: what it expects and how to run it again are in no row.
    #[arg(long, value_name = "SCENARIO", requires = "reports")]
    scenario: Option<PathBuf>,

    /// How the scenario was changed, as it was for the sweep. Repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "scenario")]
    overrides: Vec<String>,
}

const AFTER_HELP: &str = "Examples:
  sim merge shards/*.jsonl --out all.jsonl
  sim merge shards/*.jsonl --out all.jsonl --reports reports/latest --scenario scenarios/partition.toml

Exit codes: 0 joined (and all runs pass), 1 rows contradict each other (or a run failed), 2 wrong usage, 3 damaged lines were left out.";

impl Merge {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let rows = Stored::join(&self.files, &self.out).map_err(|error| match error {
            StoreError::Conflict(_) => output::refuse(&error.to_string(), Exit::Finding),
            _ => output::refuse(&error.to_string(), Exit::Usage),
        })?;
        let reported = match (&self.reports, &self.scenario) {
            (Some(dir), Some(scenario)) => self.report(&rows, dir, scenario, surroundings)?,
            _ => Exit::Pass,
        };
        if rows.damaged > 0 {
            output::fail(&format!("{} damaged lines were left out", rows.damaged));
        }
        output::fail(&format!("{} rows written to {}", rows.count, self.out.display()));
        Ok(if rows.damaged > 0 && reported == Exit::Pass { Exit::Inconclusive } else { reported })
    }

    fn report(&self, rows: &Stored, dir: &Path, scenario: &Path, surroundings: Surroundings) -> Result<Exit, Exit> {
        let scenario = ScenarioArgs::of(scenario.to_owned(), self.overrides.clone());
        let plan = scenario.load(surroundings, false)?;
        if plan.hash != rows.header.scenario_hash {
            let reason = "these are not rows of this scenario as it is now; if it was changed with --set, say so again";
            return Err(output::refuse(reason, Exit::Usage));
        }
        std::fs::create_dir_all(dir)
            .map_err(|error| output::refuse(&format!("{}: {error}", dir.display()), Exit::Internal))?;
        let all = collect(rows)?;
        let (from, to) = all.seeds().unwrap_or_default();
        let seeds = Seeds { from, to, shard: Shard::WHOLE };
        let report = report::sweep::report(&all, seeds, &|seed, system| reproduce(&scenario, seed, system));
        let report = report.expecting(&plan);
        say(&report::sweep::text(&report))?;
        written(report::sweep::write_all(&report, &all, rows, dir))?;
        Ok(Exit::from(report.verdict))
    }
}
