//! Overrides: `--set workload.rate=500/s` changes a scenario without editing its file.
//!
//! An override edits the parsed document before it is read, so that it is checked like the file itself and its errors
//! point at it. Entries of lists are addressed by position (`fault.0.for`) or by their `name` (`system.occ.occ.store`).
//! A key that begins with the name of a protocol (`gossip.interval`) is an option of every system that runs it. The value is TOML if it reads as TOML, and text otherwise: `0`, `true`, `["n1"]`, `20ms`.
//!
//! Entries cannot be appended or removed: a comparison that needs other faults is another scenario.

use std::borrow::Cow;

use toml::{
    Spanned,
    de::{DeArray, DeString, DeTable, DeValue},
};

use super::{
    diagnostic::{Diagnostic, suggestion},
    validate::PROTOCOLS,
};

/// Edits `document`. `text` is the override, which starts at `start` in the sources.
pub(super) fn apply<'i>(document: &mut DeTable<'i>, text: &'i str, start: usize) -> Result<(), Diagnostic> {
    let malformed = |message: &str| {
        Diagnostic::new("scenario::override", message)
            .at(start..start + text.len(), "this override")
            .help("write KEY=VALUE, for example workload.rate=500/s or system.occ.occ.store=seq-kv")
    };
    let Some((path, value)) = text.split_once('=') else {
        return Err(malformed("an override needs a key and a value"));
    };
    let mut keys = Vec::new();
    let mut at = 0;
    for key in path.split('.') {
        let trimmed = key.trim();
        if trimmed.is_empty() {
            return Err(malformed("an override needs a name before and after every dot"));
        }
        let from = start + at + (key.len() - key.trim_start().len());
        keys.push(Spanned::new(from..from + trimmed.len(), trimmed));
        at += key.len() + 1;
    }
    let value = read(value, start + path.len() + 1);
    let Some((last, way)) = keys.split_last() else {
        return Err(malformed("an override needs a key"));
    };
    let Some((first, rest)) = way.split_first() else {
        insert(document, last, value);
        return Ok(());
    };
    if PROTOCOLS.iter().any(|(protocol, _)| protocol == first.get_ref()) {
        let nodes = running(document, first.get_ref());
        if nodes.is_empty() {
            return Err(Diagnostic::new("scenario::override", format!("no system runs `{}`", first.get_ref()))
                .at(first.span(), "the name of a protocol")
                .help("the systems and what they run are the entries of `[[system]]`"));
        }
        return nodes.into_iter().try_for_each(|node| set(node, rest, last, value.clone()));
    }
    set(child(document, first), rest, last, value)
}

/// The options of every system that runs a protocol.
fn running<'a, 'i>(document: &'a mut DeTable<'i>, protocol: &str) -> Vec<&'a mut Spanned<DeValue<'i>>> {
    let systems = match document.get_mut("system").map(Spanned::get_mut) {
        Some(DeValue::Array(systems)) => systems.as_mut(),
        _ => &mut [],
    };
    let options = |system: &'a mut Spanned<DeValue<'i>>| match system.get_mut() {
        DeValue::Table(table) => table.get_mut(protocol),
        _ => None,
    };
    systems.iter_mut().filter_map(options).collect()
}

/// Sets the value at the end of a way that begins at a node.
fn set<'i>(
    mut node: &mut Spanned<DeValue<'i>>,
    way: &[Spanned<&'i str>],
    last: &Spanned<&'i str>,
    value: Spanned<DeValue<'i>>,
) -> Result<(), Diagnostic> {
    for key in way {
        node = descend(node, key)?;
    }
    match node.get_mut() {
        DeValue::Array(array) => *element(array, last)? = value,
        _ => insert(table(node), last, value),
    }
    Ok(())
}

/// Reads a value as TOML, or else as text.
fn read(text: &str, start: usize) -> Spanned<DeValue<'_>> {
    let trimmed = text.trim();
    let start = start + (text.len() - text.trim_start().len());
    if let Ok(value) = DeValue::parse(trimmed) {
        return shifted(value, start);
    }
    Spanned::new(start..start + trimmed.len(), DeValue::String(Cow::Borrowed(trimmed)))
}

/// The same value, with all places moved.
fn shifted<'i>(value: Spanned<DeValue<'i>>, by: usize) -> Spanned<DeValue<'i>> {
    let place = value.span();
    let moved = match value.into_inner() {
        DeValue::Array(array) => {
            let mut result = DeArray::new();
            for element in array {
                result.push(shifted(element, by));
            }
            DeValue::Array(result)
        }
        DeValue::Table(table) => {
            let entry = |(key, value): (Spanned<DeString<'i>>, _)| {
                let place = key.span();
                (Spanned::new(place.start + by..place.end + by, key.into_inner()), shifted(value, by))
            };
            DeValue::Table(table.into_iter().map(entry).collect())
        }
        plain => plain,
    };
    Spanned::new(place.start + by..place.end + by, moved)
}

/// Sets a key. A key that is new is at home in the override.
fn insert<'i>(table: &mut DeTable<'i>, key: &Spanned<&'i str>, value: Spanned<DeValue<'i>>) {
    table.remove(*key.get_ref());
    table.insert(Spanned::new(key.span(), Cow::Borrowed(*key.get_ref())), value);
}

/// The value of a key, an empty table if there was none.
fn child<'a, 'i>(table: &'a mut DeTable<'i>, key: &Spanned<&'i str>) -> &'a mut Spanned<DeValue<'i>> {
    let name = Spanned::new(key.span(), Cow::Borrowed(*key.get_ref()));
    table.entry(name).or_insert_with(|| Spanned::new(key.span(), DeValue::Table(DeTable::new())))
}

/// The value as a table; a plain value gives way to an empty one.
fn table<'a, 'i>(node: &'a mut Spanned<DeValue<'i>>) -> &'a mut DeTable<'i> {
    if !matches!(node.get_ref(), DeValue::Table(_)) {
        *node.get_mut() = DeValue::Table(DeTable::new());
    }
    match node.get_mut() {
        DeValue::Table(table) => table,
        _ => unreachable!("the value has just been made a table"),
    }
}

fn descend<'a, 'i>(
    node: &'a mut Spanned<DeValue<'i>>,
    key: &Spanned<&'i str>,
) -> Result<&'a mut Spanned<DeValue<'i>>, Diagnostic> {
    if matches!(node.get_ref(), DeValue::Array(_)) {
        match node.get_mut() {
            DeValue::Array(array) => element(array, key),
            _ => unreachable!("the value is an array"),
        }
    } else {
        Ok(child(table(node), key))
    }
}

/// The entry of a list, by its position or its name.
fn element<'a, 'i>(
    array: &'a mut DeArray<'i>,
    key: &Spanned<&str>,
) -> Result<&'a mut Spanned<DeValue<'i>>, Diagnostic> {
    let wanted = *key.get_ref();
    let name = |entry: &Spanned<DeValue<'i>>| match entry.get_ref() {
        DeValue::Table(table) => match table.get("name").map(Spanned::get_ref) {
            Some(DeValue::String(name)) => Some(name.clone().into_owned()),
            _ => None,
        },
        _ => None,
    };
    let names: Vec<String> = array.iter().filter_map(name).collect();
    let position = match wanted.parse::<usize>() {
        Ok(position) => Some(position),
        Err(_) => array.iter().position(|entry| name(entry).as_deref() == Some(wanted)),
    };
    let length = array.len();
    if let Some(found) = position.filter(|&position| position < length) {
        return Ok(&mut array.as_mut()[found]);
    }
    let help = if names.is_empty() {
        match length {
            0 => "the list is empty".to_owned(),
            _ => format!("the entries are numbered 0 to {}", length - 1),
        }
    } else {
        suggestion(wanted, "entries", names.iter().map(String::as_str))
    };
    Err(Diagnostic::new("scenario::override", format!("there is no entry `{wanted}`"))
        .at(key.span(), "of this list")
        .help(help))
}
