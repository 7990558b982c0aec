//! `sim drive`.

use clap::{Args, ValueEnum};

use super::{Exit, Surroundings, output, progress, quoted, scenario, showing::ShowArgs};
use crate::{
    engine::{Programs, audit, run_all},
    faults::NEMESIS,
    kernel::time::{MILLISECOND, SECOND},
    maelstrom::drive::{self, Drive as Options, LatencyShape, Workload},
    report,
    scenario::{
        Plan, diagnostic,
        units::{Duration, Unit},
    },
};

/// Run programs that speak the Maelstrom protocol: seeded, in virtual time, under faults, and judged.
///
/// Every node is one process of the command after `--`: it reads and writes messages on standard input and output, one JSON object a
/// line. The workloads are Maelstrom's, and so are the familiar options. Time is virtual where it can be (a preloaded library on
/// Linux, an interpreter for `.wasm`), so that a minute passes in a second and the same seed gives the same run; the report says how
/// far that can be relied on.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Drive {
    /// What clients ask for: echo, unique-ids, broadcast, g-set, g-counter, pn-counter or lin-kv.
    #[arg(short, long, value_name = "NAME", value_parser = parse_workload)]
    workload: Workload,

    /// The program, as an alternative to the first word after `--`.
    #[arg(long, value_name = "FILE")]
    bin: Option<String>,

    /// The number of nodes.
    #[arg(long, visible_alias = "node-count", value_name = "N", default_value_t = 5)]
    nodes: u32,

    /// How long clients work: 20s, or a number of seconds.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = parse_seconds)]
    time_limit: String,

    /// Operations of all clients together, in a second.
    #[arg(long, value_name = "PER_SECOND", default_value = "10", value_parser = parse_rate)]
    rate: String,

    /// The number of clients, or a multiple of the nodes such as 2n; one per node unless given.
    #[arg(long, value_name = "N", default_value = "1n", value_parser = parse_concurrency)]
    concurrency: Concurrency,

    /// The mean latency between nodes: 10ms, or a number of milliseconds.
    #[arg(long, value_name = "TIME", default_value = "10ms", value_parser = parse_millis)]
    latency: u64,

    /// How latencies are distributed.
    #[arg(long, value_name = "SHAPE", default_value = "exponential")]
    latency_dist: Shape,

    /// The share of messages between nodes that get lost, for example 5%.
    #[arg(long, value_name = "PERCENT")]
    loss: Option<String>,

    /// A fault to be drawn again and again: partition, kill, pause, or any kind of `sim list nemesis`. Repeatable.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = parse_nemesis)]
    nemesis: Vec<Kinds>,

    /// The mean time from one fault to the next: 10s, or a number of seconds. Faults last half as long on average.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_seconds)]
    nemesis_interval: String,

    /// The neighbours that `topology` suggests in a broadcast: grid, line, tree2, tree3, tree4 or total.
    #[arg(long, value_name = "SHAPE")]
    topology: Option<String>,

    /// How many keys lin-kv has.
    #[arg(long, visible_alias = "key-count", value_name = "N", default_value_t = 5)]
    keys: u32,

    /// How long nothing happens before the final reads.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_seconds)]
    quiet_period: String,

    /// The seed of all draws, decimal or 0x hexadecimal.
    #[arg(long, default_value = "1", value_parser = scenario::parse_seed)]
    seed: u64,

    /// Where the programs' time comes from: auto, shim, messages or wall.
    #[arg(long, value_name = "SOURCE")]
    time: Option<String>,

    /// lockstep, or burst: all inputs of a millisecond at once, which finds races inside of a node.
    #[arg(long, value_name = "HOW")]
    delivery: Option<String>,

    /// How often an observer reads every node; 0s for never.
    #[arg(long, value_name = "TIME")]
    probe: Option<String>,

    /// How long a node may take to be ready, in real time.
    #[arg(long, value_name = "TIME")]
    start_limit: Option<String>,

    /// How long a node may take to come to rest after an input, in real time.
    #[arg(long, value_name = "TIME")]
    step_limit: Option<String>,

    /// A variable of the nodes' environment, NAME=VALUE. Repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_variable)]
    env: Vec<(String, String)>,

    /// Everything that is out of order is a failure.
    #[arg(long)]
    strict: bool,

    /// Run again this often, and compare every step; 0 for never.
    #[arg(long, value_name = "N", default_value_t = 1)]
    audit: u32,

    /// `maelstrom`: seq-kv with the defect that Maelstrom's has, for teaching.
    #[arg(long, value_name = "WHOM")]
    compat: Option<Compat>,

    /// Print the scenario that this is, and run nothing.
    #[arg(long)]
    print_scenario: bool,

    #[command(flatten)]
    show: ShowArgs,

    /// The program and its arguments.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

const AFTER_HELP: &str = "Examples:
  sim drive -w echo -- ./my_node
  sim drive -w g-counter --nodes 5 --time-limit 60s --nemesis partition --seed 7 -- python3 my_node.py
  sim drive -w broadcast --node-count 25 --topology tree4 --latency 100 -- node my_node.js
  sim drive -w lin-kv --nemesis partition -- sim node lin-kv-proxy

Exit codes: 0 the nodes did well, 1 they did not, 2 wrong usage, 3 inconclusive.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concurrency {
    Clients(u32),
    PerNode(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// Always the mean.
    Constant,
    /// Evenly from zero to twice the mean.
    Uniform,
    /// Exponentially.
    Exponential,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compat {
    /// As Maelstrom has it.
    Maelstrom,
}

/// Kinds of faults that go by one name.
#[derive(Clone, Debug)]
struct Kinds(Vec<&'static str>);

fn parse_workload(text: &str) -> Result<Workload, String> {
    let found = Workload::ALL.into_iter().find(|workload| workload.name() == text);
    found.ok_or_else(|| diagnostic::suggestion(text, "workloads", Workload::ALL.map(Workload::name)))
}

/// A duration; a bare number counts seconds.
fn parse_seconds(text: &str) -> Result<String, String> {
    let text = if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("{text}s") } else { text.to_owned() };
    Duration::parse(&text).map(|_| text).map_err(|malformed| malformed.message)
}

/// A duration in nanoseconds; a bare number counts milliseconds.
fn parse_millis(text: &str) -> Result<u64, String> {
    let text = if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("{text}ms") } else { text.to_owned() };
    Duration::parse(&text).map_err(|malformed| malformed.message)
}

fn parse_rate(text: &str) -> Result<String, String> {
    let text = if text.ends_with("/s") { text.to_owned() } else { format!("{text}/s") };
    crate::scenario::units::Frequency::parse(&text).map(|_| text).map_err(|malformed| malformed.message)
}

fn parse_concurrency(text: &str) -> Result<Concurrency, String> {
    let number = |digits: &str| digits.parse::<u32>().ok().filter(|number| *number > 0);
    let found = match text.strip_suffix('n') {
        Some(digits) => number(digits).map(Concurrency::PerNode),
        None => number(text).map(Concurrency::Clients),
    };
    found.ok_or_else(|| "a number of clients, or a multiple of the nodes such as 2n".to_owned())
}

fn parse_nemesis(text: &str) -> Result<Kinds, String> {
    match text {
        "partition" => return Ok(Kinds(vec!["partition", "isolate", "majority-ring"])),
        "kill" | "crash" => return Ok(Kinds(vec!["crash-volatile"])),
        _ => {}
    }
    let found = NEMESIS.iter().find(|kind| kind.name == text);
    let names = || NEMESIS.iter().map(|kind| kind.name).chain(["kill"]);
    found.map(|kind| Kinds(vec![kind.name])).ok_or_else(|| diagnostic::suggestion(text, "kinds", names()))
}

fn parse_variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

impl Drive {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let text = self.options()?.scenario();
        if self.print_scenario {
            return Ok(output::say(&text));
        }
        let plan = crate::scenario::parse("the scenario of this command", &text, &[])
            .map_err(|errors| scenario::show(&errors, surroundings, self.show.json))?;
        self.run(&plan, surroundings)
    }

    fn run(&self, plan: &Plan, surroundings: Surroundings) -> Result<Exit, Exit> {
        let systems: Vec<_> = plan.systems.iter().collect();
        let total_ns = plan.final_reads_at().0;
        let mut outcomes =
            progress::shown(!surroundings.quiet, total_ns, |progress| run_all(plan, &systems, self.seed, progress));
        for (system, outcome) in systems.iter().zip(&mut outcomes) {
            let is_worth_it = outcome.programs.as_ref().is_some_and(Programs::can_replay);
            if self.audit > 0 && is_worth_it {
                audit(plan, system, self.seed, outcome, self.audit);
            }
        }
        let report = report::report(plan, &systems, self.seed, &outcomes, self.reproduce());
        self.show.show(&report, &outcomes, surroundings)?;
        let exit = Exit::from(report.verdict);
        if exit != Exit::Pass {
            output::fail(&format!("reproduce: {}", report.reproduce));
        }
        Ok(exit)
    }

    fn options(&self) -> Result<Options, Exit> {
        let command: Vec<String> = self.bin.iter().chain(&self.command).cloned().collect();
        if command.is_empty() {
            return Err(output::refuse("there is no program: give its command after `--`", Exit::Usage));
        }
        let mut options = Options::new(self.workload, command);
        options.env.clone_from(&self.env);
        options.nodes = self.nodes;
        options.clients = match self.concurrency {
            Concurrency::Clients(clients) => clients,
            Concurrency::PerNode(times) => times.saturating_mul(self.nodes),
        };
        options.rate.clone_from(&self.rate);
        options.time_limit.clone_from(&self.time_limit);
        options.quiet.clone_from(&self.quiet_period);
        options.latency_ns = self.latency;
        options.latency_shape = match self.latency_dist {
            Shape::Constant => LatencyShape::Constant,
            Shape::Uniform => LatencyShape::Uniform,
            Shape::Exponential => LatencyShape::Exponential,
        };
        options.loss.clone_from(&self.loss);
        options.nemesis = self.nemesis.iter().flat_map(|kinds| &kinds.0).map(|&kind| kind.to_owned()).collect();
        options.nemesis_interval_ns = self.nemesis_interval_ns();
        options.keys = self.keys;
        options.compat_maelstrom = self.compat == Some(Compat::Maelstrom);
        options.seed = self.seed;
        let texts = [
            ("topology", &self.topology),
            ("time", &self.time),
            ("delivery", &self.delivery),
            ("probe", &self.probe),
            ("start_limit", &self.start_limit),
            ("step_limit", &self.step_limit),
        ];
        let given = texts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), drive::quoted(value.as_ref()?))));
        options.options = given.collect();
        if self.strict {
            options.options.push(("strict".to_owned(), "true".to_owned()));
        }
        Ok(options)
    }

    /// A short run has its faults as well.
    fn nemesis_interval_ns(&self) -> u64 {
        let ns = |text: &str| Duration::parse(text).unwrap_or(10 * SECOND);
        ns(&self.nemesis_interval).min(ns(&self.time_limit) / 3).max(MILLISECOND)
    }

    /// The command line that does this again.
    fn reproduce(&self) -> String {
        let mut words = vec!["sim".to_owned(), "drive".to_owned()];
        let mut given = std::env::args().skip(1).skip_while(|word| word != "drive").skip(1);
        let mut is_seed = false;
        for word in given.by_ref() {
            if word == "--" {
                break;
            }
            let skipped = is_seed || word == "--seed" || word.starts_with("--seed=");
            is_seed = word == "--seed";
            if !skipped {
                words.push(quoted(&word));
            }
        }
        words.push(format!("--seed {}", self.seed));
        if !self.command.is_empty() {
            words.push("--".to_owned());
            words.extend(self.command.iter().map(|word| quoted(word)));
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn familiar_spellings_are_taken() {
        assert_eq!(parse_seconds("60"), Ok("60s".to_owned()));
        assert_eq!(parse_seconds("2m"), Ok("2m".to_owned()));
        assert!(parse_seconds("soon").is_err());
        assert_eq!(parse_millis("100"), Ok(100 * MILLISECOND));
        assert_eq!(parse_rate("10"), Ok("10/s".to_owned()));
        assert_eq!(parse_concurrency("4n"), Ok(Concurrency::PerNode(4)));
        assert_eq!(parse_concurrency("7"), Ok(Concurrency::Clients(7)));
        assert!(parse_concurrency("0").is_err() && parse_concurrency("n").is_err());
        assert!(parse_nemesis("partitoin").expect_err("none").contains("partition"));
        assert_eq!(parse_workload("g-conuter").expect_err("none"), "did you mean `g-counter`?");
    }
}
