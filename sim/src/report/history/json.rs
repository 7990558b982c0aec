//! JSON for programs: the model as it is, and its schema.
//!
//! What is deliberately absent: anything that the model does not say.

use super::{CheckFormat, model::CheckReport};

/// `check.json`.
pub const FORMAT: CheckFormat =
    CheckFormat { name: "json", doc: "everything but the drawings, for other programs", file: "check.json", render };

/// The report as JSON, with a newline at the end.
pub fn render(report: &CheckReport) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has text keys only, and writes to memory");
    text.push('\n');
    text
}

/// The JSON Schema of what [`render`] writes.
pub fn check_schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<CheckReport>()
}
