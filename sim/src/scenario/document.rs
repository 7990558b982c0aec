//! From text to the grammar: parsing, overrides, and the errors of shape.
//!
//! Errors of shape are unknown keys, wrong types and missing keys. The parser stops at the first one, so each is mended
//! with a placeholder and the document is read again: all of them are reported together.

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
    swarm::{self, Drawn},
};

/// The most errors of shape that are reported at once.
const ERRORS_MAX: usize = 20;

/// A document that has the shape of a scenario.
#[derive(Debug)]
pub(super) struct Document {
    /// The content.
    pub(super) file: ScenarioFile,
    /// The hash of the canonical content, before swarm values are drawn.
    pub(super) hash: String,
    /// What was drawn.
    pub(super) drawn: Vec<Drawn>,
    /// The seed of the draws.
    pub(super) seed: u64,
}

/// Reads a file with overrides, and draws its swarm values under a seed, or else under its own. The sources are filled in any case.
pub(super) fn read(
    sources: &mut Sources,
    name: &str,
    text: &str,
    sets: &[String],
    seed: Option<u64>,
) -> Result<Document, Vec<Diagnostic>> {
    let (table, span) = table(sources, name, text, sets)?;
    let mut canonical = blake3::Hasher::new();
    // What a gate tolerates is no part of what runs.
    let content = table.iter().filter(|(key, _)| key.get_ref() != "gate");
    canonical_table(&content.map(|(key, value)| (key.clone(), value.clone())).collect(), &mut canonical);
    let seed = seed.or_else(|| own_seed(&table)).unwrap_or(1);
    let drawn = swarm::draw(&table, seed)?;
    let file = decode(swarm::placed(table, &drawn), &span)?;
    Ok(Document { file, hash: canonical.finalize().to_hex().to_string(), drawn, seed })
}

/// The seed that a document asks for.
fn own_seed(table: &DeTable<'_>) -> Option<u64> {
    let integer = table.get("seed")?.get_ref().as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// Parses a file, and applies overrides.
pub(super) fn table<'i>(
    sources: &mut Sources,
    name: &str,
    text: &'i str,
    sets: &'i [String],
) -> Result<(DeTable<'i>, Range<usize>), Vec<Diagnostic>> {
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
    if problems.is_empty() { Ok((table, span)) } else { Err(problems) }
}

/// An error of the TOML itself.
fn syntax(error: &toml::de::Error, end: usize) -> Diagnostic {
    let span = error.span().unwrap_or(end..end);
    Diagnostic::new("scenario::syntax", format!("this is not TOML: {}", error.message())).at(span, "here")
}

/// Reads the table into the grammar, with all errors of shape.
fn decode(table: DeTable<'_>, span: &Range<usize>) -> Result<ScenarioFile, Vec<Diagnostic>> {
    let mut patient = Patient { table, placeholders: 0 };
    let mut problems = Vec::new();
    for _ in 0..ATTEMPTS_MAX {
        let document = Spanned::new(span.clone(), patient.table.clone());
        let error = match ScenarioFile::deserialize(Deserializer::from(document)) {
            Ok(file) if problems.is_empty() => return Ok(file),
            Ok(_) => break,
            Err(error) => error,
        };
        let place = error.span().unwrap_or_else(|| span.clone());
        // Errors at a placeholder are of our making, and a key that is misspelt is not missing as well.
        let problem = shape(&error);
        let is_misspelt = |other: &Diagnostic| problem.code == MISSING && other.help == missing_help(&error);
        if place.start < PLACEHOLDERS && !problems.iter().any(is_misspelt) {
            problems.push(problem);
        }
        if problems.len() >= ERRORS_MAX || !patient.heal(&error, &place) {
            break;
        }
    }
    problems.sort_by_key(|problem: &Diagnostic| problem.labels.first().map_or(0, |label| label.span.start));
    Err(problems)
}

/// The code of errors about missing keys.
const MISSING: &str = "scenario::missing-key";

/// What an unknown key is told that was probably meant to be the missing one.
fn missing_help(error: &toml::de::Error) -> Option<String> {
    quoted(error.message()).first().map(|missing| format!("did you mean `{missing}`?"))
}

/// Placeholders are at places beyond every text.
const PLACEHOLDERS: usize = usize::MAX / 2;

/// The most times that a document is read.
const ATTEMPTS_MAX: usize = 500;

/// A document that is mended error by error, to find the next one.
struct Patient<'i> {
    table: DeTable<'i>,
    placeholders: usize,
}

impl<'i> Patient<'i> {
    /// Makes an error disappear; `false` when that is not possible.
    fn heal(&mut self, error: &toml::de::Error, place: &Range<usize>) -> bool {
        let names = quoted(error.message());
        if error.message().starts_with("unknown field") {
            return tables(&mut self.table, &mut |table| {
                let wrong = table.keys().find(|key| key.span() == *place).map(|key| key.get_ref().clone().into_owned());
                wrong.is_some_and(|wrong| table.remove(wrong.as_str()).is_some())
            });
        }
        let fresh = self.fresh();
        if error.message().starts_with("missing field") {
            let Some(missing) = names.first().map(|name| (*name).to_owned()) else { return false };
            let entry = |table: &mut DeTable<'i>| {
                table.insert(
                    Spanned::new(fresh.clone(), missing.clone().into()),
                    Spanned::new(fresh.clone(), placeholder(0)),
                );
            };
            let is_inside = values(&mut self.table, place, &mut |value| match value.get_mut() {
                DeValue::Table(table) => {
                    entry(table);
                    true
                }
                _ => false,
            });
            if !is_inside {
                entry(&mut self.table);
            }
            return true;
        }
        values(&mut self.table, place, &mut |value| {
            let kind = if place.start < PLACEHOLDERS { 0 } else { next_kind(value.get_ref()) };
            let at = if place.start < PLACEHOLDERS { fresh.clone() } else { place.clone() };
            *value = Spanned::new(at, placeholder(kind));
            kind < KINDS
        })
    }

    /// A place of its own.
    fn fresh(&mut self) -> Range<usize> {
        self.placeholders += 1;
        PLACEHOLDERS + self.placeholders..PLACEHOLDERS + self.placeholders + 1
    }
}

/// The number of kinds of values to try.
const KINDS: usize = 5;

/// A value of a kind.
fn placeholder<'i>(kind: usize) -> DeValue<'i> {
    match kind {
        0 => DeValue::String("".into()),
        1 => DeValue::Integer(toml::de::DeInteger::default()),
        2 => DeValue::Table(DeTable::new()),
        3 => DeValue::Array(toml::de::DeArray::new()),
        _ => DeValue::Boolean(false),
    }
}

/// The kind to try after this value.
fn next_kind(value: &DeValue<'_>) -> usize {
    match value {
        DeValue::String(_) => 1,
        DeValue::Integer(_) => 2,
        DeValue::Table(_) => 3,
        DeValue::Array(_) => 4,
        _ => KINDS,
    }
}

/// Visits all tables until one is changed.
fn tables<'i>(table: &mut DeTable<'i>, change: &mut impl FnMut(&mut DeTable<'i>) -> bool) -> bool {
    fn inside<'i>(value: &mut DeValue<'i>, change: &mut impl FnMut(&mut DeTable<'i>) -> bool) -> bool {
        match value {
            DeValue::Table(table) => tables(table, change),
            DeValue::Array(array) => array.iter_mut().any(|element| inside(element.get_mut(), change)),
            _ => false,
        }
    }
    change(table) || table.iter_mut().any(|(_, value)| inside(value.get_mut(), change))
}

/// Visits the values at a place, inner ones first, until one is changed.
fn values<'i>(
    table: &mut DeTable<'i>,
    place: &Range<usize>,
    change: &mut impl FnMut(&mut Spanned<DeValue<'i>>) -> bool,
) -> bool {
    fn inside<'i>(
        value: &mut Spanned<DeValue<'i>>,
        place: &Range<usize>,
        change: &mut impl FnMut(&mut Spanned<DeValue<'i>>) -> bool,
    ) -> bool {
        let is_changed = match value.get_mut() {
            DeValue::Table(table) => values(table, place, change),
            DeValue::Array(array) => array.iter_mut().any(|element| inside(element, place, change)),
            _ => false,
        };
        is_changed || (value.span() == *place && change(value))
    }
    table.iter_mut().any(|(_, value)| inside(value, place, change))
}

/// The names in a message of the parser.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// An error of shape in our words.
fn shape(error: &toml::de::Error) -> Diagnostic {
    let message = error.message();
    let names = quoted(message);
    let (code, text, label, help) = if message.starts_with("unknown field") {
        let (wrong, known) = names.split_first().map_or(("", &[][..]), |(wrong, known)| (*wrong, known));
        let help = suggestion(wrong, "keys", known.iter().copied());
        ("scenario::unknown-key", format!("unknown key `{wrong}`"), "not a key of this table", Some(help))
    } else if message.starts_with("missing field") {
        let missing = names.first().copied().unwrap_or_default();
        (MISSING, format!("the key `{missing}` is missing"), "in this table", Some(format!("add `{missing}`")))
    } else {
        let text = message
            .replace("expected i64", "expected a whole number")
            .replace("invalid type: map", "invalid type: table");
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
            for element in array {
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
