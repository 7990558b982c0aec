//! Scenarios: from a file to a plan.
//!
//! ```text
//! text --document--> ScenarioFile --validate--> Plan --run_plan(seed)--> RunPlan
//!        overrides     (grammar)     (meaning)           (draws)
//! ```
//!
//! A scenario is read strictly: what is not understood is refused, with the place, the reason and the nearest valid name,
//! and everything that is wrong is reported together ([`Errors`]). What remains, a [`Plan`], is meaningful by
//! construction. Floating point ends here: latency distributions leave as integer tables.
//!
//! ```
//! let errors = sim::scenario::parse("x.toml", "name = 'x'\n[clutser]\nnodes = 5", &[]).expect_err("a typo");
//! assert!(errors.to_string().contains("did you mean `cluster`?"));
//! ```
//!
//! A file whose values are drawn per seed ([`swarm`]) has one hash and a plan per seed; [`parse`] gives the one of its own seed.
//!
//! Running, measuring and judging are not done here, and no file but the given one is read.

pub mod diagnostic;
pub mod distribution;
mod document;
pub mod expectation;
pub mod file;
pub mod names;
mod overrides;
pub mod plan;
pub mod schema;
pub mod swarm;
pub mod topology;
pub mod units;
mod validate;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use self::{
    diagnostic::{Diagnostic, Errors, Source, Sources},
    plan::{CrdtName, ObjectName, Plan, ProtocolSpec, SystemSpec},
    schema::{scenario_schema, scenario_schema_text},
    swarm::Drawn,
    validate::{ARRIVALS, BINDINGS, CRDTS, MODES, OBJECTS, PAYLOADS, PLACES, PROTOCOLS},
};

/// The largest scenario file, in bytes: more is a mistake.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Reads the scenario in a file.
pub fn load(path: &Path, overrides: &[String]) -> Result<Plan, Errors> {
    let name = path.display().to_string();
    let unreadable = |reason: String| {
        let finding = Diagnostic::new("scenario::file", format!("cannot read {name}: {reason}"));
        Errors::new(
            Sources::default(),
            vec![finding.help("give the path of a scenario file, for example scenarios/partition.toml")],
        )
    };
    let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable(format!("it has {length} bytes, and a scenario has at most {FILE_BYTES_MAX}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    parse(&name, &text, overrides)
}

/// Reads a scenario from its text. Errors call it `name`. Overrides are of the form `workload.rate=500/s`.
pub fn parse(name: &str, text: &str, overrides: &[String]) -> Result<Plan, Errors> {
    parse_under(name, text, overrides, None)
}

/// The same, with swarm values drawn under a seed, or else under the scenario's own.
fn parse_under(name: &str, text: &str, overrides: &[String], seed: Option<u64>) -> Result<Plan, Errors> {
    let mut sources = Sources::default();
    let plan = document::read(&mut sources, name, text, overrides, seed).and_then(|document| {
        let mut plan = validate::plan(&document.file, document.hash, text)?;
        plan.drawn = document.drawn;
        plan.origin = swarm::origin(name, text, overrides, document.seed);
        Ok(plan)
    });
    plan.map_err(|list| Errors::new(sources, list))
}
