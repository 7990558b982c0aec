//! `sim schema`.

use clap::{Args, ValueEnum};

use super::{Exit, output};
use crate::{
    history::file::line_schema,
    report::{gate::model::gate_schema, history::json::check_schema, model::report_schema, sweep::model::sweep_schema},
    scenario::scenario_schema_text,
};

/// Print a JSON Schema: of scenario files, for editors; of histories; and of what other programs read.
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
    /// sweep.json.
    Sweep,
    /// gate.json.
    Gate,
    /// One line of a history in JSON lines, for `sim check`.
    History,
    /// What `sim check --json` prints.
    Check,
}

impl Schema {
    pub(super) fn execute(&self) -> Exit {
        let schema = match self.of {
            Of::Scenario => return output::say(&scenario_schema_text()),
            Of::Report => report_schema(),
            Of::Sweep => sweep_schema(),
            Of::Gate => gate_schema(),
            Of::History => line_schema(),
            Of::Check => check_schema(),
        };
        match serde_json::to_string_pretty(&schema) {
            Ok(schema) => output::say(&format!("{schema}\n")),
            Err(error) => output::refuse(&format!("cannot render the schema: {error}"), Exit::Internal),
        }
    }
}
