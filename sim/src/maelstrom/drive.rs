//! A scenario from a few options: what `sim drive` runs.
//!
//! The options are those that people know from the protocol's own test runner; the scenario that they make can be printed, kept and
//! changed like any other. Clients stay with one replica each, mix updates and reads evenly, and at the end, after all faults are
//! healed and nothing has happened for a while, every replica is read once more.
//!
//! ```
//! use sim::maelstrom::drive::{Drive, Workload};
//! let drive = Drive::new(Workload::GCounter, vec!["./node".to_owned()]);
//! assert!(sim::scenario::parse("drive.toml", &drive.scenario(), &[]).is_ok());
//! ```
//!
//! What is deliberately absent: validation, which is the scenario's.

use std::fmt::Write;

/// What clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Texts come back.
    Echo,
    /// Ids occur once.
    UniqueIds,
    /// Messages reach everybody.
    Broadcast,
    /// A set grows.
    GSet,
    /// A counter grows.
    GCounter,
    /// A counter grows and shrinks.
    PnCounter,
    /// A linearizable store.
    LinKv,
}

impl Workload {
    /// All workloads.
    pub const ALL: [Self; 7] =
        [Self::Echo, Self::UniqueIds, Self::Broadcast, Self::GSet, Self::GCounter, Self::PnCounter, Self::LinKv];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::UniqueIds => "unique-ids",
            Self::Broadcast => "broadcast",
            Self::GSet => "g-set",
            Self::GCounter => "g-counter",
            Self::PnCounter => "pn-counter",
            Self::LinKv => "lin-kv",
        }
    }

    /// One line on what is asked, and what has to come of it.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Echo => "echo{echo}: the same comes back",
            Self::UniqueIds => "generate: no id comes twice",
            Self::Broadcast => "broadcast{message}, read: every message reaches every node",
            Self::GSet => "add{element}, read: no element is lost, and all nodes agree at the end",
            Self::GCounter => "add{delta} from 0 to 4, read: all nodes agree on the sum at the end",
            Self::PnCounter => "add{delta} from -5 to 4, read: all nodes agree on the sum at the end",
            Self::LinKv => "read, write, cas of keys: the history is linearizable",
        }
    }

    /// Do nodes agree on a value at the end?
    fn converges(self) -> bool {
        matches!(self, Self::Broadcast | Self::GSet | Self::GCounter | Self::PnCounter)
    }

    /// What the scenario says of the object.
    fn object(self, keys: u32) -> String {
        let amount = |min: i64| format!("object = \"counter\"\namount = {{ uniform = {{ min = {min}, max = 4 }} }}");
        match self {
            Self::GCounter => amount(0),
            Self::PnCounter => amount(-5),
            Self::LinKv => format!("object = \"key-value\"\nkeys = {keys}\nmix = {{ read = 2, write = 1, cas = 2 }}"),
            other => format!("object = \"{}\"", other.name()),
        }
    }

    /// How long clients wait for an answer.
    fn timeout(self) -> &'static str {
        if self == Self::LinKv { "1s" } else { "5s" }
    }
}

/// How latencies are distributed around their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LatencyShape {
    /// Always the mean.
    Constant,
    /// Evenly from zero to twice the mean.
    Uniform,
    /// Exponentially.
    #[default]
    Exponential,
}

/// The options. Durations are texts as scenarios have them.
#[derive(Clone, Debug)]
pub struct Drive {
    /// What clients ask for.
    pub workload: Workload,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables of its environment.
    pub env: Vec<(String, String)>,
    /// The number of replicas.
    pub nodes: u32,
    /// The number of clients.
    pub clients: u32,
    /// Operations of all clients together, in a second.
    pub rate: String,
    /// How long clients work.
    pub time_limit: String,
    /// The mean latency, in nanoseconds.
    pub latency_ns: u64,
    /// How latencies are distributed.
    pub latency_shape: LatencyShape,
    /// The share of messages that get lost.
    pub loss: Option<String>,
    /// The kinds of faults that are drawn.
    pub nemesis: Vec<String>,
    /// The mean time from one fault to the next, in nanoseconds. Faults last half as long.
    pub nemesis_interval_ns: u64,
    /// How many keys a store has.
    pub keys: u32,
    /// How long nothing happens before the final reads.
    pub quiet: String,
    /// Further lines of the system's table.
    pub options: Vec<(String, String)>,
    /// Is `seq-kv` to be as Maelstrom has it?
    pub compat_maelstrom: bool,
    /// The seed.
    pub seed: u64,
}

impl Drive {
    /// The defaults, for this workload and command.
    pub fn new(workload: Workload, command: Vec<String>) -> Self {
        Self {
            workload,
            command,
            env: Vec::new(),
            nodes: 5,
            clients: 5,
            rate: "10/s".to_owned(),
            time_limit: "20s".to_owned(),
            latency_ns: 10_000_000,
            latency_shape: LatencyShape::default(),
            loss: None,
            nemesis: Vec::new(),
            nemesis_interval_ns: 10_000_000_000,
            keys: 5,
            quiet: "10s".to_owned(),
            options: Vec::new(),
            compat_maelstrom: false,
            seed: 1,
        }
    }

    /// The name of the system: that of the program.
    pub fn system(&self) -> String {
        // An interpreter says less than what it interprets.
        let is_script = |word: &&String| !word.starts_with('-') && word.contains('.');
        let word = self.command.iter().rev().find(is_script).or(self.command.first());
        let word = word.map_or("", String::as_str);
        let file = word.rsplit('/').next().unwrap_or(word);
        let stem = file.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(file);
        let legible = stem.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(64);
        let name: String = legible.collect();
        if name.is_empty() { "program".to_owned() } else { name }
    }

    /// The scenario.
    pub fn scenario(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let system = self.system();
        writeln!(out, "# {} nodes of `{system}` under the workload {}.", self.nodes, self.workload.name())?;
        writeln!(out, "name = \"drive-{}\"\nseed = {}\n", self.workload.name(), self.seed)?;
        writeln!(out, "[cluster]\nnodes = {}\n\n[network]\nlatency = {}", self.nodes, self.latency())?;
        if let Some(loss) = &self.loss {
            writeln!(out, "loss = {}", quoted(loss))?;
        }
        if self.compat_maelstrom {
            writeln!(out, "\n[services]\ncompat = \"maelstrom\"")?;
        }
        writeln!(out, "\n[workload]\n{}", self.workload.object(self.keys))?;
        writeln!(out, "clients = {}\nrate = {}", self.clients, quoted(&self.rate))?;
        writeln!(out, "duration = {}\nquiet = {}", quoted(&self.time_limit), quoted(&self.quiet))?;
        writeln!(out, "timeout = \"{}\"", self.workload.timeout())?;
        if !self.nemesis.is_empty() {
            let kinds: Vec<String> = self.nemesis.iter().map(|kind| quoted(kind)).collect();
            let (interval, duration) = (self.nemesis_interval_ns, self.nemesis_interval_ns / 2);
            writeln!(out, "\n[nemesis]\nkinds = [{}]", kinds.join(", "))?;
            writeln!(out, "interval = \"{interval}ns\"\nduration = \"{duration}ns\"")?;
        }
        let command: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
        writeln!(out, "\n[[system]]\nname = \"{system}\"\n\n[system.external]\ncommand = [{}]", command.join(", "))?;
        for (key, value) in &self.options {
            writeln!(out, "{key} = {value}")?;
        }
        if !self.env.is_empty() {
            writeln!(out, "\n[system.external.env]")?;
            for (name, value) in &self.env {
                writeln!(out, "{} = {}", quoted(name), quoted(value))?;
            }
        }
        writeln!(out, "\n[expect.{system}]\ncorrect = true")?;
        if self.workload.converges() {
            writeln!(out, "converges = true")?;
        }
        // Clients are not cut off and lose no message: where nobody needs anybody else, everybody is answered.
        if matches!(self.workload, Workload::Echo | Workload::UniqueIds) && self.nemesis.is_empty() {
            writeln!(out, "availability = \">= 100%\"")?;
        }
        Ok(())
    }

    fn latency(&self) -> String {
        let mean = self.latency_ns;
        match self.latency_shape {
            _ if mean == 0 => "{ constant = \"0ns\" }".to_owned(),
            LatencyShape::Constant => format!("{{ constant = \"{mean}ns\" }}"),
            LatencyShape::Uniform => format!("{{ uniform = {{ min = \"0ns\", max = \"{}ns\" }} }}", mean * 2),
            LatencyShape::Exponential => format!("{{ exponential = {{ mean = \"{mean}ns\" }} }}"),
        }
    }
}

/// A text as TOML has it.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_called_like_their_program() {
        let system =
            |words: &[&str]| Drive::new(Workload::Echo, words.iter().map(|&word| word.to_owned()).collect()).system();
        assert_eq!(system(&["python3", "nodes/my_node.py", "--bug", "lost"]), "my_node");
        assert_eq!(system(&["/usr/bin/echo-node"]), "echo-node");
        assert_eq!(system(&["node", "g_set.js"]), "g_set");
        assert_eq!(system(&["µ"]), "program");
    }

    #[test]
    fn a_scenario_with_everything() {
        let mut drive = Drive::new(Workload::LinKv, vec!["./a \"b\"".to_owned()]);
        drive.env = vec![("KEY".to_owned(), "va\\lue".to_owned())];
        drive.loss = Some("2%".to_owned());
        drive.nemesis = vec!["partition".to_owned(), "isolate".to_owned()];
        drive.options = vec![("strict".to_owned(), "true".to_owned())];
        insta::assert_snapshot!(drive.scenario());
    }
}
