//! CSV: a line per run, after RFC 4180.
//!
//! Invariant: the columns are the names of the rows, in their order; what is not known is empty.

use std::io::{self, Write};

use serde_json::Value;

use crate::engine::sweep::Row;

pub(super) fn write(rows: &mut dyn Iterator<Item = io::Result<Row>>, out: &mut (dyn Write + Send)) -> io::Result<()> {
    for (number, row) in rows.enumerate() {
        let fields = fields(&row?);
        if number == 0 {
            line(out, fields.iter().map(|(name, _)| name.clone()))?;
        }
        line(out, fields.into_iter().map(|(_, value)| value))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    write!(out, "{}\r\n", cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(","))
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
