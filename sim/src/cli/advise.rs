//! `sim advise`.

use std::{fs, path::PathBuf};

use clap::Args;

use super::{Exit, Surroundings, output, progress};
use crate::{
    engine::advice::{self, Need, Point, Question, WHOLE_PPM, advise_with},
    report,
    scenario::{ObjectName, diagnostic},
};

/// Run the strategies that fit an object under your conditions, and recommend CRDT, OCC or locking with the measured reasons.
///
/// Every candidate runs under the same draws: at the conditions that you give, without partitions, for half and twice as
/// long, and in a burst of conflicts. Who loses an acknowledged update is out; of the others those remain that meet every need; of these the best is taken
/// by availability, then by the p99 latency of updates, then by bytes per operation. The network has latencies of 20 ms at the
/// median and 120 ms at p99, and loses 2% of all messages.
///
/// Exit code 3: no candidate meets every need. The one that meets most is recommended, and the violations are named.
#[derive(Debug, Args)]
pub(super) struct Advise {
    /// What is replicated: counter, set, register, sequence or cart.
    #[arg(long, default_value = "counter", value_parser = parse_object)]
    object: ObjectName,

    /// The number of replicas.
    #[arg(long, default_value_t = 5)]
    replicas: u32,

    /// The share of the time in which the network is cut in two halves.
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = parse_share)]
    partition_rate: u32,

    /// The share of updates during whose read-and-swap (two round trips, 80 ms at the median) another update begins.
    ///
    /// It is turned into a rate of updates: -ln(1 - c) / 80 ms. Rates below 1% are run as 1%.
    #[arg(long, value_name = "PERCENT", default_value = "20%", value_parser = parse_share)]
    conflict_rate: u32,

    /// The share of operations that are reads; the others are updates.
    #[arg(long, value_name = "PERCENT", default_value = "50%", value_parser = parse_share)]
    reads: u32,

    /// What must never fail, with commas between: never-refuse-writes, never-read-stale, bounded-memory; or none.
    #[arg(long, value_name = "NEEDS", default_value = "never-refuse-writes", value_parser = parse_needs)]
    needs: Needs,

    /// Under how many seeds each candidate runs: 1, 2, and so on.
    #[arg(long, default_value_t = 3)]
    seeds: u32,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// Write the scenario of your conditions to a file as well, for `sim run`.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,

    /// Draw the table in ASCII.
    #[arg(long)]
    ascii: bool,
}

/// What is needed, each need once.
#[derive(Clone, Debug)]
struct Needs(Vec<Need>);

fn parse_object(text: &str) -> Result<ObjectName, String> {
    let known = || ObjectName::ALL.into_iter().filter(|object| !object.is_foreign());
    let names = known().map(ObjectName::name).collect::<Vec<_>>();
    let found = known().find(|object| object.name() == text);
    found.ok_or_else(|| diagnostic::suggestion(text, "objects", names))
}

fn parse_needs(text: &str) -> Result<Needs, String> {
    let names = Need::ALL.map(Need::name);
    let mut needs = Vec::new();
    for name in text.split(',').map(str::trim).filter(|_| text != "none") {
        let need = Need::ALL.into_iter().find(|need| need.name() == name);
        needs.push(
            need.ok_or_else(|| format!("there is no need `{name}`: {}", diagnostic::suggestion(name, "needs", names)))?,
        );
    }
    needs.sort_unstable();
    needs.dedup();
    Ok(Needs(needs))
}

/// A percentage in parts per million.
fn parse_share(text: &str) -> Result<u32, String> {
    const WRONG: &str = "a share is a percentage from 0% to 100% with at most four decimals, for example 12.5%";
    let digits = text.trim().strip_suffix('%').ok_or(WRONG)?.trim_end();
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > 4 {
        return Err(WRONG.to_owned());
    }
    let parts = format!("{whole}{decimals:0<4}").parse::<u32>().ok();
    parts.filter(|&ppm| ppm <= WHOLE_PPM).ok_or_else(|| WRONG.to_owned())
}

impl Advise {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn question(&self) -> Question {
        Question {
            object: self.object,
            replicas: self.replicas,
            partition_ppm: self.partition_rate,
            conflict_ppm: self.conflict_rate,
            reads_ppm: self.reads,
            needs: self.needs.0.clone(),
            seeds: self.seeds,
        }
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let question = self.question();
        question.checked().map_err(|reason| output::refuse(&reason, Exit::Usage))?;
        if let Some(path) = &self.scenario {
            fs::write(path, advice::scenario(&question, Point::Asked)).map_err(|error| {
                output::refuse(&format!("cannot write {}: {error}", path.display()), Exit::Internal)
            })?;
        }
        let total_ns = advice::total_ns(&question);
        let answer = progress::shown(!surroundings.quiet, total_ns, |progress| advise_with(&question, progress))
            .map_err(|reason| output::refuse(&reason, Exit::Usage))?;
        let shown = if self.json { report::advice::json(&answer) } else { report::advice::text(&answer, !self.ascii) };
        match output::say(&shown) {
            Exit::Pass => {}
            other => return Err(other),
        }
        if answer.meets_all_needs {
            return Ok(Exit::Pass);
        }
        output::fail("no candidate meets every need");
        output::fail(&format!("reproduce: {}", answer.reproduce));
        Ok(Exit::Inconclusive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages() {
        assert_eq!(parse_share("10%"), Ok(100_000));
        assert_eq!(parse_share("12.5 %"), Ok(125_000));
        assert_eq!(parse_share("0.0001%"), Ok(1));
        assert_eq!(parse_share("100%"), Ok(1_000_000));
        for wrong in ["10", "101%", "-1%", "%", ".5%", "1.%", "0.00001%", "ten%", "99999999999%"] {
            assert!(parse_share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn needs_are_found_once_each() {
        let parsed = |text: &str| parse_needs(text).map(|needs| needs.0);
        assert_eq!(parsed("none"), Ok(vec![]));
        assert_eq!(
            parsed("bounded-memory, never-refuse-writes,bounded-memory"),
            Ok(vec![Need::NeverRefuseWrites, Need::BoundedMemory])
        );
        assert_eq!(
            parsed("never-refuse-write"),
            Err("there is no need `never-refuse-write`: did you mean `never-refuse-writes`?".to_owned())
        );
        assert!(parsed("").is_err());
    }
}
