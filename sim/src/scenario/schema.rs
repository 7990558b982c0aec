//! The JSON Schema of scenario files, for editors and other programs.
//!
//! It is derived from the grammar (`scenario::file`), so that it cannot differ from what is accepted in keys and types;
//! descriptions are the documentation of the fields. What the values mean together is judged only by loading the file.

use schemars::generate::SchemaSettings;

/// The JSON Schema (draft 2020-12).
pub fn scenario_schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<super::file::ScenarioFile>().to_value()
}

/// The text of `scenarios/scenario.schema.json`.
pub fn scenario_schema_text() -> String {
    format!("{:#}\n", scenario_schema())
}
