//! Baselines: what a scenario did under the first seeds, in a file that is committed.
//!
//! A baseline is JSON with one line for each system and metric, so that a change of it can be read in a diff. It says of which scenario and which
//! seeds it is; whoever compares runs the same again.
//!
//! Invariant: a baseline is a function of the rows. Numbers are exact: a run that did not change differs by nothing at all.
//!
//! What is deliberately absent: anything about the machine. A baseline holds everywhere.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::metrics::{METRICS, Metric};
use crate::{
    engine::sweep::{Row, RowVerdict, Rows, Seeds, Shard},
    statistics::Convergence,
};

/// The version of the form.
pub const SCHEMA_VERSION: u32 = 1;

/// A baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// The version of the program that wrote it.
    pub tool: String,
    /// The scenario's name.
    pub scenario: String,
    /// Where the scenario is, seen from where baselines are checked.
    pub path: String,
    /// The hash of its content.
    pub scenario_hash: String,
    /// The first seed.
    pub seeds_from: u64,
    /// One past the last seed.
    pub seeds_to: u64,
    /// The systems, in the order of the file.
    pub systems: Vec<BaselineSystem>,
}

/// What one system did, by seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineSystem {
    /// Its name.
    pub name: String,
    /// One letter a seed: `p`assed, `v`acuous, `i`nconclusive, `f`ailed.
    pub verdicts: String,
    /// Eight hexadecimal digits a seed: the beginning of the fingerprint.
    pub fingerprints: String,
    /// By metric a number a seed. A negative one is censored at its absolute value.
    pub metrics: Vec<Series>,
}

/// The numbers of one metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Its name.
    pub metric: String,
    /// By seed.
    pub values: Vec<i64>,
}

/// How many digits of a fingerprint are kept.
const FINGERPRINT_DIGITS: usize = 8;

impl Baseline {
    /// The baseline of a finished sweep over these seeds.
    pub fn of(rows: &Rows, path: &str, seeds: Seeds) -> Self {
        let systems = rows.header.systems.iter().enumerate();
        let of_system = |number: usize| -> Vec<&Row> {
            rows.rows.iter().filter(|((_, system), _)| *system == number).map(|(_, row)| row).collect()
        };
        Self {
            schema: SCHEMA_VERSION,
            tool: rows.header.tool.clone(),
            scenario: rows.header.scenario.clone(),
            path: path.to_owned(),
            scenario_hash: rows.header.scenario_hash.clone(),
            seeds_from: seeds.from,
            seeds_to: seeds.to,
            systems: systems.map(|(number, name)| BaselineSystem::of(name, &of_system(number))).collect(),
        }
    }

    /// The seeds.
    pub fn seeds(&self) -> Seeds {
        Seeds { from: self.seeds_from, to: self.seeds_to, shard: Shard::WHOLE }
    }

    /// Reads a baseline, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let baseline: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if baseline.schema != SCHEMA_VERSION {
            return Err(format!("its form is version {}, and this is {SCHEMA_VERSION}", baseline.schema));
        }
        let seeds = baseline.seeds_to.saturating_sub(baseline.seeds_from) as usize;
        for system in &baseline.systems {
            let is_whole = system.verdicts.len() == seeds
                && system.fingerprints.len() == seeds * FINGERPRINT_DIGITS
                && system.metrics.iter().all(|series| series.values.len() == seeds);
            if !is_whole {
                return Err(format!("`{}` has not one value for each of {seeds} seeds", system.name));
            }
        }
        Ok(baseline)
    }

    /// The file.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        writeln!(out, "{{\n  \"schema\": {},\n  \"tool\": {},", self.schema, text(&self.tool))?;
        writeln!(out, "  \"scenario\": {},\n  \"path\": {},", text(&self.scenario), text(&self.path))?;
        writeln!(out, "  \"scenario_hash\": {},", text(&self.scenario_hash))?;
        writeln!(out, "  \"seeds_from\": {},\n  \"seeds_to\": {},\n  \"systems\": [", self.seeds_from, self.seeds_to)?;
        for (number, system) in self.systems.iter().enumerate() {
            writeln!(out, "    {{\n      \"name\": {},", text(&system.name))?;
            writeln!(out, "      \"verdicts\": {},", text(&system.verdicts))?;
            writeln!(out, "      \"fingerprints\": {},\n      \"metrics\": [", text(&system.fingerprints))?;
            for (number, series) in system.metrics.iter().enumerate() {
                let values = series.values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                let comma = if number + 1 < system.metrics.len() { "," } else { "" };
                writeln!(out, "        {{\"metric\": {}, \"values\": [{values}]}}{comma}", text(&series.metric))?;
            }
            let comma = if number + 1 < self.systems.len() { "," } else { "" };
            writeln!(out, "      ]\n    }}{comma}")?;
        }
        writeln!(out, "  ]\n}}")
    }
}

impl BaselineSystem {
    /// What is kept of the rows of one system, in the order of their seeds.
    pub(super) fn of(name: &str, rows: &[&Row]) -> Self {
        let letter = |row: &&Row| match row.verdict {
            RowVerdict::Pass => 'p',
            RowVerdict::Vacuous => 'v',
            RowVerdict::Inconclusive => 'i',
            RowVerdict::Fail => 'f',
        };
        let series = |metric: &Metric| Series {
            metric: metric.name.to_owned(),
            values: rows.iter().map(|row| written((metric.of)(row))).collect(),
        };
        Self {
            name: name.to_owned(),
            verdicts: rows.iter().map(letter).collect(),
            fingerprints: rows
                .iter()
                .map(|row| row.fingerprint.get(..FINGERPRINT_DIGITS).unwrap_or("????????"))
                .collect(),
            metrics: METRICS.iter().map(series).collect(),
        }
    }

    /// The fingerprint of the seed with this number, as far as it is kept.
    pub(super) fn fingerprint(&self, number: usize) -> &str {
        let from = number * FINGERPRINT_DIGITS;
        self.fingerprints.get(from..from + FINGERPRINT_DIGITS).unwrap_or("")
    }

    /// The numbers of a metric.
    pub(super) fn series(&self, metric: &str) -> Option<&Series> {
        self.metrics.iter().find(|series| series.metric == metric)
    }
}

/// A number as it stands in a baseline: negative if it is censored.
pub fn written(value: Convergence) -> i64 {
    let bounded = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    match value {
        Convergence::At(value) => bounded(value),
        // Zero has no sign, and nothing is censored at once.
        Convergence::Censored(at) => -bounded(at.max(1)),
    }
}

/// A number of a baseline.
pub(super) fn read(value: i64) -> Convergence {
    if value < 0 { Convergence::Censored(value.unsigned_abs()) } else { Convergence::At(value.unsigned_abs()) }
}
