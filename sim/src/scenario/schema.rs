//! The JSON Schema of scenario files, for editors and other programs.
//!
//! It is derived from the grammar (`scenario::file`), so that it cannot differ from what is accepted in keys and types;
//! descriptions are the documentation of the fields. What the values mean together is judged only by loading the file.

use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The JSON Schema (draft 2020-12).
pub fn scenario_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<super::file::ScenarioFile>().to_value();
    without_null(&mut schema);
    schema
}

/// The text of `scenarios/scenario.schema.json`.
pub fn scenario_schema_text() -> String {
    format!("{:#}\n", scenario_schema())
}

/// Optional keys are left out, never null: TOML has no such value.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(without_null),
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
