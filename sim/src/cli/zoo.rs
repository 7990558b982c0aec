//! `sim zoo`.

use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use super::{Exit, output};
use crate::{
    engine::zoo::{Hunt, hunt, score},
    scenario::diagnostic::suggestion,
    zoo::{BUGS, Bug, catalogue},
};

/// Run the known bugs, each beside the system that has it right, and print what caught them: the mutation score of the
/// checkers.
#[derive(Debug, Args)]
pub(super) struct Zoo {
    /// Only these, for example `merge-by-sum`; all unless given.
    bug: Vec<String>,

    /// Within how many seeds a bug has to be caught.
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    seeds: u64,

    /// Under how many seeds the correct twins run, which must not be taken for bugs.
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    twin_seeds: u64,

    /// Print the scenario of a bug instead, to be run with `sim run`.
    #[arg(long, requires = "bug", conflicts_with = "json")]
    scenario: bool,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Page {
    schema: u32,
    bugs: usize,
    caught: usize,
    false_alarms: usize,
    hunts: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    bug: &'static str,
    object: &'static str,
    twin: &'static str,
    caught_by: &'static str,
    arena: &'static str,
    caught_at: Option<u64>,
    witness: String,
    twin_seeds: u64,
    false_alarms: Vec<u64>,
}

impl Zoo {
    pub(super) fn execute(&self) -> Exit {
        let mut bugs: Vec<&'static Bug> = Vec::new();
        for name in &self.bug {
            let Some(bug) = catalogue::named(name) else {
                let help = suggestion(name, "bugs", BUGS.iter().map(|bug| bug.name));
                return output::refuse(&format!("there is no bug `{name}`: {help}"), Exit::Usage);
            };
            bugs.push(bug);
        }
        if self.scenario {
            return output::say(&bugs.iter().map(|bug| bug.scenario()).collect::<Vec<_>>().join("\n"));
        }
        if bugs.is_empty() {
            bugs.extend(BUGS);
        }
        let hunts = hunt(&bugs, self.seeds, self.twin_seeds);
        let all_well = score(&hunts) == hunts.len() && hunts.iter().all(|hunt| hunt.false_alarms.is_empty());
        let said = if self.json { json(hunts) } else { output::say(&self.page(&hunts)) };
        if said == Exit::Pass && !all_well { Exit::Finding } else { said }
    }

    fn page(&self, hunts: &[Hunt]) -> String {
        let width = |of: fn(&Hunt) -> &str| hunts.iter().map(|hunt| of(hunt).len()).max().unwrap_or(0);
        let (names, checkers) = (width(|hunt| hunt.bug.name), width(|hunt| hunt.bug.caught_by));
        let mut page = String::new();
        for hunt in hunts {
            let caught = match hunt.caught_at {
                Some(seed) => format!("caught under seed {seed}"),
                None => format!("NOT CAUGHT within {} seeds", self.seeds),
            };
            let twin = match hunt.false_alarms.first() {
                None => format!("{} passes {} of {}", hunt.bug.twin, hunt.twin_seeds, hunt.twin_seeds),
                Some(seed) => {
                    let alarms = hunt.false_alarms.len();
                    format!("FALSE ALARM: {} fails {alarms} of {}, first seed {seed}", hunt.bug.twin, hunt.twin_seeds)
                }
            };
            // Writing to a string cannot fail.
            let _ = writeln!(page, "{:names$}  {:checkers$}  {caught:24}  {twin}", hunt.bug.name, hunt.bug.caught_by);
        }
        let (caught, all) = (score(hunts), hunts.len());
        let alarms: usize = hunts.iter().map(|hunt| hunt.false_alarms.len()).sum();
        let _ = writeln!(
            page,
            "\nmutation score: {caught} of {all} bugs are caught; {alarms} false alarms of correct twins"
        );
        let _ = writeln!(
            page,
            "sim explain BUG says what is wrong with one; sim zoo BUG --scenario prints a scenario that shows it"
        );
        page
    }
}

fn json(hunts: Vec<Hunt>) -> Exit {
    let caught = score(&hunts);
    let false_alarms = hunts.iter().map(|hunt| hunt.false_alarms.len()).sum();
    let row = |hunt: Hunt| Row {
        bug: hunt.bug.name,
        object: hunt.bug.object,
        twin: hunt.bug.twin,
        caught_by: hunt.bug.caught_by,
        arena: hunt.bug.arena,
        caught_at: hunt.caught_at,
        witness: hunt.witness,
        twin_seeds: hunt.twin_seeds,
        false_alarms: hunt.false_alarms,
    };
    let hunts: Vec<Row> = hunts.into_iter().map(row).collect();
    let page = Page { schema: 1, bugs: hunts.len(), caught, false_alarms, hunts };
    match serde_json::to_string_pretty(&page) {
        Ok(page) => output::say(&format!("{page}\n")),
        Err(error) => output::refuse(&format!("cannot render the zoo: {error}"), Exit::Internal),
    }
}
