//! Swarm values: values of a scenario that every seed draws for itself.
//!
//! Any value of a file may be `{ swarm = [..] }`. Two quantities of one kind, or two numbers, are the ends of a range, both included; every
//! other list, and `{ swarm = { choice = [..] } }`, is a choice with equal odds. Testing under configurations that are drawn themselves
//! finds what the author of one configuration did not think of (Groce, Zhang, Eide, Chen and Regehr 2012, "Swarm testing").
//!
//! A range is even over whole steps:
//!
//! | ends | step |
//! |---|---|
//! | integers | 1 |
//! | other numbers | the last decimal of the finer end, and 0.001 at most |
//! | durations | 1us, or 1ns when an end is finer |
//! | percentages | one part per million, or the last decimal of the finer end |
//! | sizes, throughputs | one byte, one byte per second |
//! | rates | one in 1000 seconds |
//! | drifts | one part per billion |
//!
//! Invariant: a draw is a function of the seed and of the key's path alone, so that a further swarm value, or another order of keys, changes
//! no other. Entries of lists are named by their `name` if they have one, else by their position.
//!
//! ```
//! let text = r#"
//!     name = "tiny"
//!     cluster = { nodes = { swarm = [3, 9] } }
//!     network = { loss = { swarm = ["0%", "10%"] } }
//!     workload = { object = "counter", clients = 2, rate = "10/s", duration = "5s" }
//!     system = [{ name = "naive", naive = {} }]
//! "#;
//! let plan = sim::scenario::parse("tiny.toml", text, &[]).expect("a scenario");
//! let other = plan.under(7).expect("every draw makes sense");
//! assert_eq!(plan.hash, other.hash);
//! assert_eq!(other.drawn[0].key, "cluster.nodes");
//! ```
//!
//! What is deliberately absent: swarm values within swarm values, and draws of the seed, of names and of what a gate tolerates: all seeds of
//! a scenario have the same systems.

use std::{borrow::Cow, fmt::Write, ops::Range, sync::Arc};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::{
    diagnostic::{Diagnostic, Errors, Sources},
    document,
    plan::Plan,
    units::{Drift, Frequency, SignedDuration, Size, Throughput, Unit, share},
};
use crate::kernel::draws::{Stream, below};

/// What was drawn for a swarm value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The path of its key.
    pub key: String,
    /// The value, as TOML.
    pub value: String,
    /// Which value of the list it is, if it is one.
    position: Option<usize>,
}

/// The texts that a plan was made of, and the seed of its draws.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// What errors call the text.
    pub(super) name: String,
    /// The text.
    pub(super) text: String,
    /// The overrides.
    pub(super) sets: Vec<String>,
    /// The seed of the draws.
    pub(super) seed: u64,
}

impl Plan {
    /// Has the scenario swarm values?
    pub fn is_swarm(&self) -> bool {
        !self.drawn.is_empty()
    }

    /// The plan under a seed: this one, unless there are swarm values to draw.
    pub fn under(&self, seed: u64) -> Result<Cow<'_, Self>, Errors> {
        if !self.is_swarm() || seed == self.origin.seed {
            return Ok(Cow::Borrowed(self));
        }
        let Origin { name, text, sets, .. } = &*self.origin;
        super::parse_under(name, text, sets, Some(seed)).map(Cow::Owned)
    }

    /// The scenario as a file of its own that runs like this one under `seed`: overrides applied, swarm values drawn.
    pub fn resolved(&self, seed: u64) -> Result<String, Errors> {
        let Origin { name, text, sets, .. } = &*self.origin;
        let mut sources = Sources::default();
        let resolved = document::table(&mut sources, name, text, sets).and_then(|(table, _)| {
            let drawn = draw(&table, seed)?;
            let plain = plain_table(&placed(table, &drawn));
            Ok((plain, drawn))
        });
        let (mut table, drawn) = resolved.map_err(|list| Errors::new(sources, list))?;
        let mut out = String::new();
        for line in self.story.lines() {
            let _ = writeln!(out, "{}", format!("# {line}").trim_end());
        }
        for Drawn { key, value, .. } in &drawn {
            let _ = writeln!(out, "# drawn under seed {seed}: {key} = {value}");
        }
        match i64::try_from(seed) {
            Ok(seed) => {
                table.insert("seed".to_owned(), toml::Value::Integer(seed));
            }
            // A number of TOML has 63 bits.
            Err(_) => {
                let _ = writeln!(out, "# run with --seed {seed}");
            }
        }
        out.push_str(&toml::to_string(&table).expect("what was read can be written"));
        Ok(out)
    }
}

/// The texts of a plan, for [`Plan::under`].
pub(super) fn origin(name: &str, text: &str, sets: &[String], seed: u64) -> Arc<Origin> {
    Arc::new(Origin { name: name.to_owned(), text: text.to_owned(), sets: sets.to_vec(), seed })
}

/// Draws all swarm values of a document, in the order of its keys.
pub(super) fn draw(table: &DeTable<'_>, seed: u64) -> Result<Vec<Drawn>, Vec<Diagnostic>> {
    let mut walk =
        Walk { stream: Stream::new(seed, "swarm"), path: Vec::new(), drawn: Vec::new(), problems: Vec::new() };
    walk.table(table);
    if walk.problems.is_empty() { Ok(walk.drawn) } else { Err(walk.problems) }
}

/// The document with what was drawn in the place of its swarm values.
pub(super) fn placed<'i>(mut table: DeTable<'i>, drawn: &'i [Drawn]) -> DeTable<'i> {
    place_in_table(&mut table, &mut Vec::new(), &mut drawn.iter());
    table
}

fn place_in_table<'i>(table: &mut DeTable<'i>, path: &mut Vec<String>, drawn: &mut std::slice::Iter<'i, Drawn>) {
    for (key, value) in table.iter_mut() {
        path.push(key.get_ref().clone().into_owned());
        place_in(value, path, drawn);
        path.pop();
    }
}

fn place_in<'i>(value: &mut Spanned<DeValue<'i>>, path: &mut Vec<String>, drawn: &mut std::slice::Iter<'i, Drawn>) {
    if let Some(content) = swarm_of(value.get_ref(), path) {
        let Some(drawn) = drawn.next() else { return };
        let chosen = drawn.position.and_then(|position| values(content).map(|values| values[position].clone()));
        *value = chosen.unwrap_or_else(|| {
            let read = DeValue::parse(&drawn.value).expect("what was drawn is TOML");
            Spanned::new(value.span(), read.into_inner())
        });
        return;
    }
    match value.get_mut() {
        DeValue::Table(table) => place_in_table(table, path, drawn),
        DeValue::Array(array) => {
            for (position, element) in array.iter_mut().enumerate() {
                path.push(name(element.get_ref()).unwrap_or_else(|| position.to_string()));
                place_in(element, path, drawn);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The key of a swarm value.
const SWARM: &str = "swarm";

/// What a swarm value is drawn from; `None` when the value is no swarm value.
fn swarm_of<'a, 'i>(value: &'a DeValue<'i>, path: &[String]) -> Option<&'a Spanned<DeValue<'i>>> {
    // There, keys are chosen by the scenario, and one of them may be `swarm`.
    if path == ["expect"] || path.last().is_some_and(|last| last == "env") {
        return None;
    }
    let DeValue::Table(table) = value else { return None };
    table.get(SWARM)
}

/// The list of a swarm value.
fn values<'a, 'i>(content: &'a Spanned<DeValue<'i>>) -> Option<&'a DeArray<'i>> {
    match content.get_ref() {
        DeValue::Array(values) => Some(values),
        DeValue::Table(table) if table.len() == 1 => table.get("choice")?.get_ref().as_array(),
        _ => None,
    }
}

/// A walk through a document.
struct Walk {
    stream: Stream,
    path: Vec<String>,
    drawn: Vec<Drawn>,
    problems: Vec<Diagnostic>,
}

impl Walk {
    fn table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            self.path.push(key.get_ref().clone().into_owned());
            self.value(value);
            self.path.pop();
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>) {
        if let Some(content) = swarm_of(value.get_ref(), &self.path) {
            match self.draw(value, content) {
                Ok(drawn) => self.drawn.push(drawn),
                Err(problem) => self.problems.push(problem),
            }
            return;
        }
        match value.get_ref() {
            DeValue::Table(table) => self.table(table),
            DeValue::Array(array) => {
                for (position, element) in array.iter().enumerate() {
                    self.path.push(name(element.get_ref()).unwrap_or_else(|| position.to_string()));
                    self.value(element);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    /// Is this the same for every seed?
    fn is_steady(&self) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        matches!(path.as_slice(), ["name" | "seed" | "gate", ..] | ["system"] | ["system", _] | ["system", _, "name"])
    }

    fn draw(&self, value: &Spanned<DeValue<'_>>, content: &Spanned<DeValue<'_>>) -> Result<Drawn, Diagnostic> {
        let mut keys = value.get_ref().as_table().into_iter().flatten();
        if let Some((stray, _)) = keys.find(|(key, _)| key.get_ref() != SWARM) {
            return Err(wrong("a swarm value has no other keys", stray.span(), "this one"));
        }
        if self.is_steady() {
            let message = format!("`{}` is the same for every seed", self.path.join("."));
            return Err(wrong(&message, value.span(), "a swarm value"));
        }
        let Some(values) = values(content) else {
            return Err(wrong("a swarm value is drawn from a list", content.span(), "no list"));
        };
        if values.len() < 2 {
            return Err(wrong("a swarm value is drawn from two values or more", content.span(), "this list"));
        }
        if let Some(inner) = values.iter().find(|value| holds_swarm(value.get_ref())) {
            return Err(wrong("a swarm value cannot hold another one", inner.span(), "this one"));
        }
        let key = self.path.join(".");
        let word = self.stream.word(address(&self.path), 0);
        if let Some(grid) = grid(values).filter(|_| !content.get_ref().is_table()) {
            let value = grid.value(word).map_err(|why| wrong(why, content.span(), "this range"))?;
            return Ok(Drawn { key, value, position: None });
        }
        let position = below(word, values.len() as u64) as usize;
        Ok(Drawn { key, value: plain(values[position].get_ref()).to_string(), position: Some(position) })
    }
}

/// The value in a form that can be written.
fn plain(value: &DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => toml::Value::String(text.clone().into_owned()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => toml::Value::Integer(number),
            Err(_) => toml::Value::String(integer.to_string()),
        },
        DeValue::Float(float) => toml::Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => toml::Value::Boolean(*truth),
        DeValue::Datetime(time) => toml::Value::Datetime(*time),
        DeValue::Array(array) => toml::Value::Array(array.iter().map(|element| plain(element.get_ref())).collect()),
        DeValue::Table(table) => toml::Value::Table(plain_table(table)),
    }
}

fn plain_table(table: &DeTable<'_>) -> toml::Table {
    table.iter().map(|(key, value)| (key.get_ref().clone().into_owned(), plain(value.get_ref()))).collect()
}

/// The address of a key's draw.
fn address(path: &[String]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for key in path {
        hasher.update(&(key.len() as u64).to_le_bytes());
        hasher.update(key.as_bytes());
    }
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

fn wrong(message: &str, place: Range<usize>, label: &str) -> Diagnostic {
    Diagnostic::new("scenario::swarm", message).at(place, label).help(
        "write { swarm = [\"0%\", \"10%\"] } for a range, or { swarm = { choice = [3, 5, 9] } } for one of several",
    )
}

/// The name of an entry of a list.
fn name(value: &DeValue<'_>) -> Option<String> {
    let DeValue::Table(table) = value else { return None };
    Some(table.get("name")?.get_ref().as_str()?.to_owned())
}

fn holds_swarm(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(table) => table.contains_key(SWARM) || table.values().any(|inner| holds_swarm(inner.get_ref())),
        DeValue::Array(array) => array.iter().any(|inner| holds_swarm(inner.get_ref())),
        _ => false,
    }
}

/// The points of a range, as whole numbers.
struct Grid {
    low: i128,
    high: i128,
    shown: Shown,
}

/// What a point of a range looks like.
enum Shown {
    /// A bare number of so many decimals.
    Bare(u32),
    /// Text: so many decimals, and a unit. The number is a multiple of the step.
    Text { decimals: u32, unit: &'static str, step: i128 },
}

impl Grid {
    /// The point for 64 even bits, as TOML.
    fn value(&self, word: u64) -> Result<String, &'static str> {
        let step = match self.shown {
            Shown::Text { step, .. } => step,
            Shown::Bare(_) => 1,
        };
        if self.low > self.high {
            return Err("a range goes up");
        }
        let points = u64::try_from((self.high - self.low) / step + 1).map_err(|_| "the range has too many points")?;
        let at = self.low + step * i128::from(below(word, points));
        Ok(match self.shown {
            Shown::Text { decimals, unit, .. } => format!("\"{}{unit}\"", decimal(at, decimals, 0)),
            // Other numbers than whole ones have a decimal in TOML.
            Shown::Bare(decimals) => decimal(at, decimals, decimals.min(1)),
        })
    }
}

/// The range between two values; `None` when they are no two quantities of one kind.
fn grid(values: &DeArray<'_>) -> Option<Grid> {
    let [low, high] = &values[..] else { return None };
    match (low.get_ref(), high.get_ref()) {
        (DeValue::String(low), DeValue::String(high)) => quantities(low, high),
        (low, high) => numbers(low, high),
    }
}

fn quantities(low: &str, high: &str) -> Option<Grid> {
    fn both<U: Unit>(low: &str, high: &str) -> Option<(i128, i128)>
    where
        U::Value: Into<i128>,
    {
        Some((U::parse(low).ok()?.into(), U::parse(high).ok()?.into()))
    }
    let text =
        |(low, high), decimals, unit, step| Some(Grid { low, high, shown: Shown::Text { decimals, unit, step } });
    if let Some((low, high)) = both::<SignedDuration>(low, high) {
        let step = if low % 1_000 == 0 && high % 1_000 == 0 { 1_000 } else { 1 };
        let (decimals, unit) = match low.abs().max(high.abs()) {
            10_000_000_000.. => (9, "s"),
            1_000_000.. => (6, "ms"),
            _ if step > 1 => (3, "us"),
            _ => (0, "ns"),
        };
        return text((low, high), decimals, unit, step);
    }
    if let (Ok((low, low_of)), Ok((high, high_of))) = (share(low), share(high)) {
        let of = low_of.max(high_of).max(1_000_000);
        let ends = (i128::from(low) * i128::from(of / low_of), i128::from(high) * i128::from(of / high_of));
        return text(ends, of.ilog10() - 2, "%", 1);
    }
    if let Some(ends) = both::<Throughput>(low, high) {
        return text(ends, 0, "B/s", 1);
    }
    if let Some(ends) = both::<Size>(low, high) {
        return text(ends, 0, "B", 1);
    }
    if let Some(ends) = both::<Frequency>(low, high) {
        return text(ends, 3, "/s", 1);
    }
    text(both::<Drift>(low, high)?, 0, "ppb", 1)
}

fn numbers(low: &DeValue<'_>, high: &DeValue<'_>) -> Option<Grid> {
    let (low, low_decimals) = number(low)?;
    let (high, high_decimals) = number(high)?;
    // Whole numbers stay whole.
    let decimals = match (low_decimals, high_decimals) {
        (None, None) => 0,
        (low, high) => low.max(high)?.max(3),
    };
    let scaled = |value: i128, has: Option<u32>| value.checked_mul(10_i128.checked_pow(decimals - has.unwrap_or(0))?);
    Some(Grid { low: scaled(low, low_decimals)?, high: scaled(high, high_decimals)?, shown: Shown::Bare(decimals) })
}

/// A number's digits, and how many of them are decimals if it has a point.
fn number(value: &DeValue<'_>) -> Option<(i128, Option<u32>)> {
    match value {
        DeValue::Integer(integer) => Some((i128::from_str_radix(integer.as_str(), integer.radix()).ok()?, None)),
        DeValue::Float(float) => {
            let text = float.as_str();
            let (_, fraction) = text.split_once('.')?;
            let decimals = u32::try_from(fraction.len()).ok().filter(|decimals| *decimals <= 18)?;
            Some((text.replacen('.', "", 1).parse().ok()?, Some(decimals)))
        }
        _ => None,
    }
}

/// `digits / 10^decimals`, with at least so many decimals and no zeros after them.
fn decimal(digits: i128, decimals: u32, least: u32) -> String {
    let scale = 10_u128.pow(decimals);
    let (sign, size) = (if digits < 0 { "-" } else { "" }, digits.unsigned_abs());
    let mut fraction = match decimals {
        0 => String::new(),
        _ => format!("{:0width$}", size % scale, width = decimals as usize),
    };
    while fraction.len() > least as usize && fraction.ends_with('0') {
        fraction.pop();
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", size / scale)
}
