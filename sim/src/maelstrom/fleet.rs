//! The fleet: all programs of a run, stepped one at a time, with an account of what they did.
//!
//! Programs are no values, so they stand beside the world and not in it; the replica of the world ([`super::external`]) is a value
//! that knows its place in the fleet. All programs are launched at once, so that slow interpreters start side by side.
//!
//! Invariant: lines of one step come in one order, by destination, type and content without message numbers, whichever thread of
//! a program wrote first. What a program does wrong is noted, and never stops the run.
//!
//! What is deliberately absent: where messages go. The fleet reads them; the replica sends them.

use std::{
    fmt::Debug,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::json;

use super::{
    account::{Account, Kind, StepRecord},
    config::ExternalConfig,
    stores::Keys,
    topology::Shape,
    wire::{Body, Message},
    words::Dialect,
};
use crate::{
    kernel::{
        ids::{Endpoints, NodeId, Role},
        time::Time,
    },
    programs::{Ending, Line, Program, Step, TimeSource, pace::Pace},
    services::KvKind,
};

/// Starts programs.
pub trait Launch: Debug + Send + Sync {
    /// Starts the program of a replica at this instant, for the `incarnation`-th time from 0. It does not wait for it.
    fn launch(&self, node: NodeId, incarnation: u32, now: Time) -> Box<dyn Program>;
}

/// What the programs of a run are told, and how they are treated.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// How many endpoints there are.
    pub endpoints: Endpoints,
    /// The names and endpoints of stores.
    pub stores: Vec<(&'static str, NodeId)>,
    /// What clients ask for.
    pub dialect: Dialect,
    /// How long clients wait for an answer.
    pub timeout_ns: u64,
}

impl Surroundings {
    /// Replicas, clients and stores, the latter in the order of their endpoints.
    pub fn new(endpoints: Endpoints, kinds: impl Iterator<Item = KvKind>, dialect: Dialect, timeout_ns: u64) -> Self {
        let stores = kinds.enumerate().map(|(index, kind)| (kind, endpoints.service(index as u32)));
        let named = |(kind, node): (KvKind, NodeId)| {
            // One store gives out numbers, and goes by a name of its own for that.
            let oracle = (kind == KvKind::Lin).then_some(("lin-tso", node));
            std::iter::once((kind.name(), node)).chain(oracle)
        };
        Self { endpoints, stores: stores.flat_map(named).collect(), dialect, timeout_ns }
    }

    /// The name of a client.
    pub fn client(&self, client: u32) -> String {
        self.endpoints.role(self.endpoints.client(client)).to_string()
    }

    /// The name of the reader of a replica at the end: a client after all others.
    pub fn final_reader(&self, replica: NodeId) -> String {
        Role::Client(self.endpoints.clients + replica.0).to_string()
    }

    /// The replica with this name.
    pub fn replica(&self, name: &str) -> Option<NodeId> {
        let number: u32 = name.strip_prefix('n')?.parse().ok()?;
        (1..=self.endpoints.replicas).contains(&number).then(|| NodeId(number - 1))
    }

    /// Is this a client, or a reader at the end, or the observer?
    pub fn is_client(&self, name: &str) -> bool {
        let number: Option<u32> = name.strip_prefix('c').and_then(|number| number.parse().ok());
        number.is_some_and(|number| number <= self.endpoints.clients + self.endpoints.replicas)
    }
}

/// A program with its clock.
#[derive(Debug)]
struct Member {
    program: Box<dyn Program>,
    incarnation: u32,
    /// How far the program's clock is ahead of its replica's: what it took to start.
    ahead_ns: u64,
    /// What the program's clock shows.
    now: Time,
    is_ready: bool,
    has_ended: bool,
}

/// All programs of a run.
#[derive(Debug)]
pub struct Fleet {
    /// How programs are treated.
    pub config: ExternalConfig,
    /// What there is beside them.
    pub surroundings: Surroundings,
    launch: Box<dyn Launch>,
    members: Vec<Mutex<Member>>,
    keys: Mutex<Keys>,
    account: Mutex<Account>,
    pace: Pace,
}

/// What came of a step.
#[derive(Debug, Default)]
pub struct Stepped {
    /// What the program said, in canonical order.
    pub messages: Vec<Message>,
    /// In how many nanoseconds it next wants to run by itself.
    pub wakes_in_ns: Option<u64>,
}

/// How long `init` may take by a program's own clock.
const INIT_NS_MAX: u64 = 10_000_000_000;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A run is one thread; if it panics, nobody looks at what it held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    /// Starts all programs.
    pub fn new(config: ExternalConfig, surroundings: Surroundings, launch: Box<dyn Launch>) -> Self {
        let members = (0..surroundings.endpoints.replicas)
            .map(|replica| Mutex::new(Member::new(launch.launch(NodeId(replica), 0, Time::ZERO), 0)))
            .collect();
        Self {
            config,
            surroundings,
            launch,
            members,
            keys: Mutex::default(),
            account: Mutex::default(),
            pace: Pace::default(),
        }
    }

    /// The account so far.
    pub fn account(&self) -> Account {
        lock(&self.account).clone()
    }

    /// Notes something that is out of order.
    pub fn note(&self, kind: Kind, node: NodeId, clock_ns: i64, what: String) {
        lock(&self.account).note(kind, node, instant(clock_ns), what);
    }

    /// The numbers of keys of stores.
    pub fn keys(&self) -> MutexGuard<'_, Keys> {
        lock(&self.keys)
    }

    /// Where the time of a program comes from.
    pub fn time_source(&self, node: NodeId) -> TimeSource {
        lock(&self.members[node.index()]).program.time_source()
    }

    /// Kills the program of a replica, and starts it again with nothing.
    pub fn restart(&self, node: NodeId, clock_ns: i64) {
        let mut member = lock(&self.members[node.index()]);
        let incarnation = member.incarnation + 1;
        *member = Member::new(self.launch.launch(node, incarnation, instant(clock_ns)), incarnation);
    }

    /// Says `init`, waits for `init_ok`, and for broadcasts says `topology`. Returns what the program said beside that.
    pub fn init(&self, node: NodeId, clock_ns: i64) -> Stepped {
        let names: Vec<String> =
            (0..self.surroundings.endpoints.replicas).map(|replica| Role::Replica(replica).to_string()).collect();
        let name = &names[node.index()];
        let init = Body::new("init", json!({ "node_id": name, "node_ids": names })).asking(1);
        let mut said = Stepped::default();
        let is_ready = self.await_reply(node, clock_ns, &Message::new("c0", name, init), "init_ok", &mut said);
        lock(&self.members[node.index()]).is_ready = is_ready;
        if is_ready && self.surroundings.dialect == Dialect::Broadcast {
            let topology = Body::new("topology", json!({ "topology": suggested(self.config.topology, &names) }));
            self.await_reply(node, clock_ns, &Message::new("c0", name, topology.asking(2)), "topology_ok", &mut said);
        }
        said
    }

    /// Gives a request, and lets the program run until it has replied. Has it?
    fn await_reply(&self, node: NodeId, clock_ns: i64, ask: &Message, expected: &str, said: &mut Stepped) -> bool {
        let started = lock(&self.members[node.index()]).now;
        let mut inputs = vec![ask.line()];
        loop {
            let stepped = self.step(node, clock_ns, &std::mem::take(&mut inputs));
            let is_reply =
                |message: &Message| message.body.kind() == expected && message.body.in_reply_to() == ask.body.msg_id();
            let (replies, others): (Vec<_>, Vec<_>) = stepped.messages.into_iter().partition(is_reply);
            if !others.is_empty() && expected == "init_ok" && replies.is_empty() {
                let what = format!("`{}` came before `init_ok`", others[0].body.kind());
                self.note(Kind::BeforeInit, node, clock_ns, what);
            }
            said.messages.extend(others);
            said.wakes_in_ns = stepped.wakes_in_ns;
            if !replies.is_empty() {
                return true;
            }
            let mut member = lock(&self.members[node.index()]);
            let wait_ns = stepped.wakes_in_ns.filter(|_| !member.has_ended);
            match wait_ns {
                Some(wait_ns) if (member.now + wait_ns) - started <= INIT_NS_MAX => member.ahead_ns += wait_ns,
                _ => {
                    let reason = if member.has_ended { "it ended" } else { "it waits for more" };
                    let words = last_words(&*member.program);
                    drop(member);
                    let what = format!("`{}` was not answered with `{expected}`: {reason}{words}", ask.body.kind());
                    self.note(Kind::NotStarted, node, clock_ns, what);
                    return false;
                }
            }
        }
    }

    /// Lets a program run: timers up to now, and these inputs.
    pub fn step(&self, node: NodeId, clock_ns: i64, inputs: &[String]) -> Stepped {
        let mut member = lock(&self.members[node.index()]);
        if member.has_ended {
            return Stepped::default();
        }
        member.now = member.now.max(instant(clock_ns) + member.ahead_ns);
        let now = member.now;
        if member.program.time_source() == TimeSource::Wall && member.is_ready {
            self.pace.wait_until(now);
        }
        let lines: Vec<&[u8]> = inputs.iter().map(String::as_bytes).collect();
        let Step { lines, deadline, ended } = member.program.step(now, &lines);
        let mut messages = self.read(node, clock_ns, lines);
        messages.sort_by_cached_key(canonical);
        let record = StepRecord {
            node,
            at: instant(clock_ns),
            inputs: inputs.iter().map(|line| without_numbers(line)).collect(),
            lines: messages.iter().map(|message| canonical(message).2).collect(),
        };
        lock(&self.account).step(record, member.program.time_source());
        if let Some(ending) = ended {
            member.has_ended = true;
            let kind = if matches!(ending, Ending::NotStarted(_)) { Kind::NotStarted } else { Kind::Ended };
            let words = last_words(&*member.program);
            self.note(kind, node, clock_ns, format!("`{}` {ending}{words}", self.config.command.join(" ")));
        }
        let wakes_in_ns = deadline.map(|deadline| deadline.0.saturating_sub(now.0).max(1));
        Stepped { messages, wakes_in_ns: wakes_in_ns.filter(|_| !member.has_ended) }
    }

    /// The messages among lines. What is none is noted.
    fn read(&self, node: NodeId, clock_ns: i64, lines: Vec<Line>) -> Vec<Message> {
        let mut messages = Vec::new();
        for line in lines {
            match &line {
                Line::Whole(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => {}
                Line::Whole(bytes) => match Message::parse(bytes) {
                    Ok(message) => messages.push(message),
                    Err(reason) => {
                        let what = format!("{}: {}", reason.0, shortened(&String::from_utf8_lossy(bytes)));
                        self.note(Kind::Malformed, node, clock_ns, what);
                    }
                },
                Line::TooLong { start, .. } => {
                    let what = format!("{line:?}: {}", shortened(&String::from_utf8_lossy(start)));
                    self.note(Kind::TooLong, node, clock_ns, what);
                }
                Line::Flood { .. } => self.note(Kind::Flood, node, clock_ns, format!("{line:?}")),
            }
        }
        messages
    }
}

impl Member {
    fn new(program: Box<dyn Program>, incarnation: u32) -> Self {
        Self { program, incarnation, ahead_ns: 0, now: Time::ZERO, is_ready: false, has_ended: false }
    }
}

/// A replica's clock as an instant: one that is set back before the beginning stands still there.
fn instant(clock_ns: i64) -> Time {
    Time(clock_ns.max(0) as u64)
}

/// Destination, type, and content without numbers.
fn canonical(message: &Message) -> (String, String, String) {
    let mut body = message.body.clone();
    body.0.remove("msg_id");
    body.0.remove("in_reply_to");
    let kind = message.body.kind().to_owned();
    (message.dest.clone(), kind, Message { body, ..message.clone() }.line())
}

/// A line without the numbers of requests, by which racing threads of a program may differ.
pub(super) fn without_numbers(line: &str) -> String {
    Message::parse(line.as_bytes()).map_or_else(|_| line.to_owned(), |message| canonical(&message).2)
}

/// For a person: the beginning of a line.
fn shortened(line: &str) -> String {
    let mut short: String = line.chars().take(120).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

/// For a person: what a program wrote to standard error last.
fn last_words(program: &dyn Program) -> String {
    let words = program.last_words();
    if words.is_empty() { String::new() } else { format!("; it last said:\n    {}", words.join("\n    ")) }
}

fn suggested(shape: Shape, names: &[String]) -> serde_json::Value {
    let neighbours = shape.neighbours(names.len() as u32);
    let of = |(name, neighbours): (&String, &Vec<u32>)| {
        let neighbours: Vec<&String> = neighbours.iter().map(|&other| &names[other as usize]).collect();
        (name.clone(), json!(neighbours))
    };
    serde_json::Value::Object(names.iter().zip(&neighbours).map(of).collect())
}
