//! From text to the grammar: parsing, overrides, and the errors of shape.
//!
//! Errors of shape are unknown keys, wrong types and missing keys. The parser stops at the first one, so each is cut out
//! of the document and the rest is read again: all of them are reported together.

use std::ops::Range;

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

use super::{
    diagnostic::{Diagnostic, Source, Sources, suggestion},
    file::ScenarioFile,
    overrides,
};

/// The most errors of shape that are reported at once.
const ERRORS_MAX: usize = 20;

/// A document that has the shape of a scenario.
#[derive(Debug)]
pub(super) struct Document {
    /// The content.
    pub(super) file: ScenarioFile,
    /// The hash of the canonical content.
    pub(super) hash: String,
}

/// Reads a file with overrides. The sources are filled in any case.
pub(super) fn read(sources: &mut Sources, name: &str, text: &str, sets: &[String]) -> Result<Document, Vec<Diagnostic>> {
    sources.add(Source { name: name.to_owned(), text: text.to_owned() });
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors.iter().take(ERRORS_MAX).map(|error| syntax(error, text.len())).collect());
    }
    let span = document.span();
    let mut table = document.into_inner();
    let mut problems = Vec::new();
    for set in sets {
        let start = sources.add(Source { name: "--set".to_owned(), text: set.clone() });
        if let Err(problem) = overrides::apply(&mut table, set, start) {
            problems.push(problem);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut canonical = blake3::Hasher::new();
    canonical_table(&table, &mut canonical);
    let file = decode(table, &span)?;
    Ok(Document { file, hash: canonical.finalize().to_hex().to_string() })
}

/// An error of the TOML itself.
fn syntax(error: &toml::de::Error, end: usize) -> Diagnostic {
    let span = error.span().unwrap_or(end..end);
    Diagnostic::new("scenario::syntax", format!("this is not TOML: {}", error.message())).at(span, "here")
}

/// Reads the table into the grammar, with all errors of shape.
fn decode(mut table: DeTable<'_>, span: &Range<usize>) -> Result<ScenarioFile, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    loop {
        let document = Spanned::new(span.clone(), table.clone());
        match ScenarioFile::deserialize(Deserializer::from(document)) {
            Ok(file) if problems.is_empty() => return Ok(file),
            Ok(_) => return Err(problems),
            Err(error) => {
                let is_missing = error.message().starts_with("missing field");
                // A key may be missing only because it was cut out.
                if !is_missing || problems.is_empty() {
                    problems.push(shape(&error));
                }
                let place = error.span().filter(|_| !is_missing && problems.len() < ERRORS_MAX);
                if !place.is_some_and(|place| cut(&mut table, &place)) {
                    return Err(problems);
                }
            }
        }
    }
}

/// Cuts out the innermost entry that an error points at.
fn cut(table: &mut DeTable<'_>, place: &Range<usize>) -> bool {
    let holds = |span: &Range<usize>| span.start <= place.start && place.end <= span.end;
    let mut found = None;
    for (key, value) in table.iter_mut() {
        if key.span() == *place || value.span() == *place {
            found = Some(key.clone());
            break;
        }
        if cut_inside(value.get_mut(), place) {
            return true;
        }
        if holds(&value.span()) {
            found = Some(key.clone());
        }
    }
    found.is_some_and(|key| table.remove(key.get_ref().as_ref()).is_some())
}

fn cut_inside(value: &mut DeValue<'_>, place: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => cut(table, place),
        DeValue::Array(array) => array.iter_mut().any(|element| cut_inside(element.get_mut(), place)),
        _ => false,
    }
}

/// An error of shape in our words.
fn shape(error: &toml::de::Error) -> Diagnostic {
    let message = error.message();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (code, text, label, help) = if message.starts_with("unknown field") {
        let (wrong, known) = names.split_first().map_or(("", &[][..]), |(wrong, known)| (*wrong, known));
        let help = suggestion(wrong, "keys", known.iter().copied());
        ("scenario::unknown-key", format!("unknown key `{wrong}`"), "not a key of this table", Some(help))
    } else if message.starts_with("missing field") {
        let missing = names.first().copied().unwrap_or_default();
        ("scenario::missing-key", format!("the key `{missing}` is missing"), "in this table", Some(format!("add `{missing}`")))
    } else {
        let text = message.replace("expected i64", "expected a whole number").replace("invalid type: map", "invalid type: table");
        ("scenario::wrong-type", text, "here", None)
    };
    let mut diagnostic = Diagnostic::new(code, text);
    if let Some(span) = error.span() {
        diagnostic = diagnostic.at(span, label);
    }
    diagnostic.help = help;
    diagnostic
}

/// Feeds a table to a hash, independently of order, layout and notation.
fn canonical_table(table: &DeTable<'_>, hasher: &mut blake3::Hasher) {
    // The table keeps its keys sorted.
    for (key, value) in table {
        canonical_text(key.get_ref(), hasher);
        canonical_value(value.get_ref(), hasher);
    }
    hasher.update(b"}");
}

fn canonical_text(text: &str, hasher: &mut blake3::Hasher) {
    hasher.update(b"\"");
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

fn canonical_value(value: &DeValue<'_>, hasher: &mut blake3::Hasher) {
    match value {
        DeValue::String(text) => canonical_text(text, hasher),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => {
                hasher.update(b"i");
                hasher.update(&number.to_le_bytes());
            }
            Err(_) => canonical_text(integer.as_str(), hasher),
        },
        DeValue::Float(float) => {
            hasher.update(b"f");
            canonical_text(float.as_str(), hasher);
        }
        DeValue::Boolean(truth) => {
            hasher.update(if *truth { b"t" } else { b"n" });
        }
        DeValue::Datetime(time) => {
            hasher.update(b"d");
            canonical_text(&time.to_string(), hasher);
        }
        DeValue::Array(array) => {
            hasher.update(b"[");
            for element in array.iter() {
                canonical_value(element.get_ref(), hasher);
            }
            hasher.update(b"]");
        }
        DeValue::Table(table) => {
            hasher.update(b"{");
            canonical_table(table, hasher);
        }
    }
}
