//! The arguments that name a scenario, and reading it.

use std::{borrow::Cow, io::Read, path::PathBuf};

use clap::Args;

use super::{Exit, Surroundings, output, quoted};
use crate::scenario::{Errors, Plan, SystemSpec, diagnostic};

/// A scenario and how it is to be changed.
#[derive(Debug, Args)]
pub(super) struct ScenarioArgs {
    /// The scenario file; `-` reads standard input.
    #[arg(value_name = "SCENARIO")]
    file: PathBuf,

    /// The seed of all draws, decimal or 0x hexadecimal; by default the scenario's own.
    #[arg(long, value_parser = parse_seed)]
    seed: Option<u64>,

    /// Change the scenario, for example `workload.rate=500/s` or `system.occ.occ.store=seq-kv`; `gossip.interval=50ms` is an option of
    /// every system that runs gossip. Repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

pub(super) fn parse_seed(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16),
        None => digits.parse(),
    };
    parsed.map_err(|_| format!("a seed is a number from 0 to {}, decimal or 0x hexadecimal", u64::MAX))
}

impl ScenarioArgs {
    /// Reads the scenario, with swarm values drawn under the seed; what is wrong with it has been shown when this fails.
    pub(super) fn load(&self, surroundings: Surroundings, json: bool) -> Result<Plan, Exit> {
        let plan = self.read()?.map_err(|errors| show(&errors, surroundings, json))?;
        let drawn = match self.seed.map(|seed| plan.under(seed)) {
            Some(Ok(Cow::Owned(drawn))) => Some(drawn),
            Some(Ok(Cow::Borrowed(_))) | None => None,
            Some(Err(errors)) => return Err(show(&errors, surroundings, json)),
        };
        Ok(drawn.unwrap_or(plan))
    }

    fn read(&self) -> Result<Result<Plan, Errors>, Exit> {
        Ok(if self.file.as_os_str() == "-" {
            let mut text = String::new();
            if let Err(error) = std::io::stdin().lock().read_to_string(&mut text) {
                return Err(output::refuse(&format!("cannot read standard input: {error}"), Exit::Usage));
            }
            crate::scenario::parse("<stdin>", &text, &self.overrides)
        } else {
            crate::scenario::load(&self.file, &self.overrides)
        })
    }

    /// The same scenario with further overrides.
    pub(super) fn with(&self, further: &[String]) -> Self {
        Self {
            file: self.file.clone(),
            seed: self.seed,
            overrides: self.overrides.iter().chain(further).cloned().collect(),
        }
    }

    /// A file as it is, but for these changes.
    pub(super) fn of(file: PathBuf, overrides: Vec<String>) -> Self {
        Self { file, seed: None, overrides }
    }

    /// Is the scenario read from standard input?
    pub(super) fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// The path, if the scenario is a file and runs as it is.
    pub(super) fn plain_path(&self) -> Option<&str> {
        let is_plain = self.file.as_os_str() != "-" && self.seed.is_none() && self.overrides.is_empty();
        self.file.to_str().filter(|_| is_plain)
    }

    /// The seed of this run.
    pub(super) fn seed(&self, plan: &Plan) -> u64 {
        self.seed.unwrap_or(plan.seed)
    }

    /// The command line that runs this again.
    pub(super) fn reproduce(&self, subcommand: &str, seed: u64) -> String {
        let mut line = format!("sim {subcommand} {} --seed {seed}", quoted(&self.file.to_string_lossy()));
        for change in &self.overrides {
            line.push_str(" --set ");
            line.push_str(&quoted(change));
        }
        line
    }
}

/// Shows what is wrong with a scenario.
pub(super) fn show(errors: &Errors, surroundings: Surroundings, json: bool) -> Exit {
    output::fail(&errors.render(surroundings.error_color));
    if json && let Ok(list) = serde_json::to_string_pretty(&serde_json::json!({ "errors": errors.findings() })) {
        output::say(&format!("{list}\n"));
    }
    Exit::Usage
}

/// The systems with these names, in the order of the scenario; all when no name is given.
pub(super) fn select<'a>(plan: &'a Plan, names: &[String]) -> Result<Vec<&'a SystemSpec>, Exit> {
    let known = || plan.systems.iter().map(|system| system.name.as_str());
    for name in names {
        if !known().any(|known| known == name) {
            let help = diagnostic::suggestion(name, "systems", known());
            return Err(output::refuse(
                &format!("there is no system `{name}` in `{}`: {help}", plan.name),
                Exit::Usage,
            ));
        }
    }
    Ok(plan.systems.iter().filter(|system| names.is_empty() || names.contains(&system.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_decimal_or_hexadecimal() {
        assert_eq!(parse_seed("42"), Ok(42));
        assert_eq!(parse_seed("0xff"), Ok(255));
        assert_eq!(parse_seed("1_000"), Ok(1000));
        for wrong in ["", "-1", "0x", "ten", "18446744073709551616"] {
            assert!(parse_seed(wrong).is_err(), "{wrong}");
        }
    }
}
