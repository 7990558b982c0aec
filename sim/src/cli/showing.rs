//! The arguments that say what becomes of a report, and doing it.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Surroundings, output};
use crate::{
    engine::Outcome,
    report::{
        self, json,
        model::Report,
        text::{self, TextStyle},
    },
};

/// How a report is shown, and where it is kept.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "every flag of the command line is one")]
pub(super) struct ShowArgs {
    /// Print report.json instead of the table.
    #[arg(long)]
    pub(super) json: bool,

    /// The directory for the report's files.
    #[arg(long, value_name = "DIR", default_value = "reports/latest")]
    out: PathBuf,

    /// Write no files.
    #[arg(long, conflicts_with = "out")]
    no_files: bool,

    /// Write what the clients of each system saw, too: history-SYSTEM.jsonl, which `sim check` reads.
    #[arg(long, conflicts_with = "no_files")]
    history: bool,

    /// Draw charts and tables in ASCII.
    #[arg(long)]
    ascii: bool,
}

impl ShowArgs {
    /// Prints the report, and writes its files.
    pub(super) fn show(&self, report: &Report, outcomes: &[Outcome], surroundings: Surroundings) -> Result<(), Exit> {
        let style = TextStyle { color: surroundings.color, unicode: !self.ascii };
        let shown = if self.json { json::render(report) } else { text::render(report, style) };
        match output::say(&shown) {
            Exit::Pass => {}
            other => return Err(other),
        }
        if self.no_files {
            return Ok(());
        }
        let failed = |error: &dyn std::fmt::Display| output::refuse(&error.to_string(), Exit::Internal);
        report::write_all(report, &self.out).map_err(|error| failed(&error))?;
        if !surroundings.quiet {
            output::fail(&format!("report written to {}", self.out.display()));
        }
        if self.history {
            report::write_histories(outcomes, &self.out).map_err(|error| failed(&error))?;
        }
        Ok(())
    }
}
