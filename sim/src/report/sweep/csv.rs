//! CSV: a line per run, after RFC 4180.
//!
//! Invariant: the columns are the names of the rows, in their order; what is not known is empty.

use serde_json::Value;

use crate::engine::sweep::{Row, Rows};

pub(super) fn render(rows: &Rows) -> String {
    let mut out = String::new();
    for (number, row) in rows.rows.values().enumerate() {
        let fields = fields(row);
        if number == 0 {
            push(&mut out, fields.iter().map(|(name, _)| name.clone()));
        }
        push(&mut out, fields.into_iter().map(|(_, value)| value));
    }
    out
}

fn push(out: &mut String, cells: impl Iterator<Item = String>) {
    out.push_str(&cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(","));
    out.push_str("\r\n");
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// The fields of a row by name. A list is a text, and there whether it is empty or not.
fn fields(row: &Row) -> Vec<(String, String)> {
    let Ok(Value::Object(map)) = serde_json::to_value(row) else { unreachable!("a row is an object") };
    let shown = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    };
    let failed = (!map.contains_key("failed")).then(|| ("failed".to_owned(), String::new()));
    let mut fields: Vec<_> = map.iter().map(|(name, value)| (name.clone(), shown(value))).chain(failed).collect();
    // Whose run it is comes first; the rest is in the order of the alphabet, as JSON keeps it.
    let rank = |name: &str| match name {
        "system" => 0,
        "seed" => 1,
        "verdict" => 2,
        "fingerprint" => 3,
        _ => 4,
    };
    fields.sort_by(|one, other| (rank(&one.0), &one.0).cmp(&(rank(&other.0), &other.0)));
    fields
}
