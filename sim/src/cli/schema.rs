//! `sim schema`.

use clap::{Args, ValueEnum};

use super::{Exit, output};
use crate::{report::model::report_schema, scenario::scenario_schema_text};

/// Print a JSON Schema: of scenario files, for editors, or of report.json, for programs that read it.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of what.
    #[arg(default_value = "scenario")]
    of: Of,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    /// Scenario files.
    Scenario,
    /// report.json.
    Report,
}

impl Schema {
    pub(super) fn execute(&self) -> Exit {
        match self.of {
            Of::Scenario => output::say(&scenario_schema_text()),
            Of::Report => match serde_json::to_string_pretty(&report_schema()) {
                Ok(schema) => output::say(&format!("{schema}\n")),
                Err(error) => output::refuse(&format!("cannot render the schema: {error}"), Exit::Internal),
            },
        }
    }
}
