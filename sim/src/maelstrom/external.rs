//! A replica that is a program: lines in, lines out.
//!
//! The world treats it like any other node. A request of a client becomes a line; the lines that come back are messages to other
//! replicas, calls of stores, replies to clients, and wishes to be woken. Beside every replica stands an observer that reads it now
//! and then ([`super::config::ExternalConfig::probe_ns`]): that is how the simulator knows its value, and when it changed.
//!
//! Invariant: everything that decides about a message is here, and is a value; the program itself is in the [`Fleet`].
//!
//! What is deliberately absent: durable state. A crash takes all of a program's memory, and what it keeps elsewhere is not known.

use std::{collections::BTreeMap, sync::Arc};

use crdts::{lattice::Weight, object::Object};
use serde_json::Value;

use super::{
    account::Kind,
    config::Delivery,
    fleet::{Fleet, Stepped, without_numbers},
    stores,
    wire::{Body, ErrorCode, Message},
};
use crate::{
    kernel::{
        fold::{Fold, digest_of},
        ids::{NodeId, OpId, Role},
        node::{Context, Knowledge, Node, Payload, Recovery, Reply},
        service::KvReply,
        time::MILLISECOND,
    },
    objects::foreign::{Answer, Ask, Asked, Foreign, Json},
    programs::TimeSource,
};

/// How often a program on the wall clock is looked at.
const POLL_NS: u64 = 5 * MILLISECOND;

/// Who reads replicas for the simulator.
const OBSERVER: &str = "c0";

/// A request that the program has not answered yet.
#[derive(Clone, Debug)]
struct Pending {
    /// The client's operation; `None` if the observer asks.
    op: Option<OpId>,
    asker: String,
    ask: Ask,
    asked_ns: i64,
}

/// A replica that is a program.
#[derive(Clone, Debug)]
pub struct External {
    id: NodeId,
    name: String,
    fleet: Arc<Fleet>,
    /// What the last read returned.
    value: Json,
    /// Requests by their numbers.
    pending: BTreeMap<i64, Pending>,
    /// Requests so far.
    requests: i64,
    /// Calls of stores by their tokens: the store, and the number to which it replies.
    calls: BTreeMap<u64, (String, Option<i64>)>,
    /// Lines that the program gets later, by their tokens.
    later: BTreeMap<u64, String>,
    tokens: u64,
    /// Lines that wait for the end of a burst.
    burst: Vec<String>,
    /// Acknowledged updates.
    updates: u64,
    /// The number of the timer by which the program is woken.
    wake: u64,
}

/// What a replica is woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The program wants to run, unless it has run since.
    Deadline(u64),
    /// The same, after all inputs of this instant.
    Due(u64),
    /// A line is due.
    Later(u64),
    /// All lines of a burst are due.
    Burst,
    /// The observer reads.
    Probe,
    /// A program on the wall clock may have said something.
    Poll,
}

/// A line from one program to another.
#[derive(Clone, Debug)]
pub struct Parcel {
    line: Arc<str>,
    kind: &'static str,
    digest: u64,
}

impl Parcel {
    fn new(message: &Message) -> Self {
        let line = message.line();
        Self { digest: digest_of(&without_numbers(&line)), line: line.into(), kind: "line" }
    }
}

impl Payload for Parcel {
    fn bytes(&self) -> u64 {
        self.line.len() as u64 + 1
    }

    fn fold(&self, fold: &mut Fold) {
        fold.word(self.digest);
    }

    fn kind(&self) -> &'static str {
        self.kind
    }
}

impl Node for External {
    type Object = Foreign;
    type Message = Parcel;
    type Timer = Wake;
    type Config = Arc<Fleet>;

    /// Nobody knows; a program that does not is caught by what it answers.
    const REPAIRS: bool = true;
    const OPAQUE: bool = true;

    fn boot(fleet: &Arc<Fleet>, id: NodeId, _: u32) -> Self {
        Self {
            id,
            name: Role::Replica(id.0).to_string(),
            fleet: Arc::clone(fleet),
            value: Json::default(),
            pending: BTreeMap::new(),
            // `init` and `topology` have the numbers 1 and 2.
            requests: 2,
            calls: BTreeMap::new(),
            later: BTreeMap::new(),
            tokens: 0,
            burst: Vec::new(),
            updates: 0,
            wake: 0,
        }
    }

    fn on_start(&mut self, cx: &mut impl Context<Self>) {
        let stepped = self.fleet.init(self.id, cx.clock_ns());
        self.route(stepped, cx);
        if self.fleet.config.probe_ns > 0 && self.fleet.surroundings.dialect.has_value() {
            self.probe(cx);
        }
        if self.fleet.time_source(self.id) == TimeSource::Wall {
            cx.after(POLL_NS, Wake::Poll);
        }
    }

    fn on_request(&mut self, request: OpId, asked: Asked, cx: &mut impl Context<Self>) {
        let surroundings = &self.fleet.surroundings;
        let asker = match asked.client {
            Some(client) => surroundings.client(client),
            None => surroundings.final_reader(self.id),
        };
        match surroundings.dialect.request(&asked.what) {
            Some(body) => self.ask(Some(request), asker, asked.what, body, cx),
            // There is nothing to read: nobody minds.
            None => cx.reply(request, Reply::Ok(Answer::Value(Json::default()))),
        }
    }

    fn on_message(&mut self, _: NodeId, parcel: Parcel, cx: &mut impl Context<Self>) {
        self.give(parcel.line.to_string(), cx);
    }

    fn on_timer(&mut self, wake: Wake, cx: &mut impl Context<Self>) {
        match wake {
            Wake::Deadline(number) | Wake::Due(number) if number != self.wake => {}
            // An input of this instant lets the program fire its timers first. Whether this timer was set before that input was
            // on its way depends on when the program last woke up for nothing, and must make no difference.
            Wake::Deadline(number) => cx.after(0, Wake::Due(number)),
            Wake::Due(_) => self.run(&[], cx),
            Wake::Later(token) => {
                if let Some(line) = self.later.remove(&token) {
                    self.give(line, cx);
                }
            }
            Wake::Burst => {
                let lines = std::mem::take(&mut self.burst);
                self.run(&lines, cx);
            }
            Wake::Probe => self.probe(cx),
            Wake::Poll => {
                self.run(&[], cx);
                cx.after(POLL_NS, Wake::Poll);
            }
        }
    }

    fn on_return(&mut self, call: u64, reply: KvReply<Json>, cx: &mut impl Context<Self>) {
        if let Some((store, number)) = self.calls.remove(&call) {
            let body = stores::reply(&reply).replying(number);
            self.give(Message::new(&store, &self.name, body).line(), cx);
        }
    }

    fn on_restart(&mut self, _: Recovery, cx: &mut impl Context<Self>) {
        let (fleet, replicas) = (Arc::clone(&self.fleet), cx.replicas());
        fleet.restart(self.id, cx.clock_ns());
        *self = Self::boot(&fleet, self.id, replicas);
        cx.touched();
        self.on_start(cx);
    }

    fn value(&self) -> Json {
        self.value.clone()
    }

    fn value_bytes(value: &Json) -> u64 {
        value.as_str().len() as u64
    }

    fn knowledge(&self) -> Knowledge {
        Knowledge::Progress
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }
}

impl External {
    /// Asks the program something.
    fn ask(&mut self, op: Option<OpId>, asker: String, ask: Ask, body: Body, cx: &mut impl Context<Self>) {
        self.requests += 1;
        let line = Message::new(&asker, &self.name, body.asking(self.requests)).line();
        self.pending.insert(self.requests, Pending { op, asker, ask, asked_ns: cx.clock_ns() });
        self.give(line, cx);
    }

    /// The observer reads, and will do so again.
    fn probe(&mut self, cx: &mut impl Context<Self>) {
        if let Some(body) = self.fleet.surroundings.dialect.request(&Ask::Read) {
            self.ask(None, OBSERVER.to_owned(), Ask::Read, body, cx);
        }
        cx.after(self.fleet.config.probe_ns, Wake::Probe);
    }

    /// Gives the program a line, now or at the end of the burst.
    fn give(&mut self, line: String, cx: &mut impl Context<Self>) {
        match self.fleet.config.delivery {
            Delivery::Lockstep => self.run(&[line], cx),
            Delivery::Burst => {
                if self.burst.is_empty() {
                    cx.after(MILLISECOND, Wake::Burst);
                }
                self.burst.push(line);
            }
        }
    }

    fn run(&mut self, lines: &[String], cx: &mut impl Context<Self>) {
        let stepped = self.fleet.step(self.id, cx.clock_ns(), lines);
        self.route(stepped, cx);
    }

    /// Sends what the program said to where it belongs.
    fn route(&mut self, stepped: Stepped, cx: &mut impl Context<Self>) {
        self.wake += 1;
        if let Some(wakes_in_ns) = stepped.wakes_in_ns {
            cx.after(wakes_in_ns, Wake::Deadline(self.wake));
        }
        for message in stepped.messages {
            if message.src != self.name {
                self.note(Kind::WrongSource, &format!("a message in the name of {}", message.src), &message, cx);
            }
            self.send(&message, cx);
        }
    }

    fn note(&self, kind: Kind, what: &str, message: &Message, cx: &impl Context<Self>) {
        let line: String = message.line().chars().take(160).collect();
        self.fleet.note(kind, self.id, cx.clock_ns(), format!("{what}: {line}"));
    }

    fn send(&mut self, message: &Message, cx: &mut impl Context<Self>) {
        let dest = message.dest.as_str();
        if dest == self.name {
            self.give_later(0, message.line(), cx);
        } else if let Some(replica) = self.fleet.surroundings.replica(dest) {
            cx.send(replica, Parcel::new(message));
        } else if dest == "sim-time" {
            self.wake_later(message, cx);
        } else if let Some(&(_, store)) = self.fleet.surroundings.stores.iter().find(|(name, _)| *name == dest) {
            self.call(store, message, cx);
        } else if self.fleet.surroundings.is_client(dest) {
            self.answer(message, cx);
        } else {
            self.note(Kind::UnknownDestination, &format!("there is no {dest}"), message, cx);
        }
    }

    fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    /// The program gets a line after this long.
    fn give_later(&mut self, delay_ns: u64, line: String, cx: &mut impl Context<Self>) {
        let token = self.token();
        self.later.insert(token, line);
        cx.after(delay_ns, Wake::Later(token));
    }

    /// `after{ms}`: a reply at that time.
    fn wake_later(&mut self, message: &Message, cx: &mut impl Context<Self>) {
        let ms = message.body.0.get("ms").and_then(Value::as_u64);
        let delay_ns = ms.and_then(|ms| ms.checked_mul(MILLISECOND));
        let (delay_ns, body) = match (message.body.kind(), delay_ns) {
            ("after", Some(delay_ns)) => (delay_ns, Body::new("after_ok", serde_json::json!({}))),
            ("after", None) => {
                (0, Body::error(ErrorCode::MalformedRequest, "`ms` is not a whole number of milliseconds"))
            }
            (other, _) => (0, Body::error(ErrorCode::NotSupported, &format!("sim-time knows no `{other}`"))),
        };
        let reply = Message::new("sim-time", &self.name, body.replying(message.body.msg_id()));
        self.give_later(delay_ns, reply.line(), cx);
    }

    fn call(&mut self, store: NodeId, message: &Message, cx: &mut impl Context<Self>) {
        let number = message.body.msg_id();
        let request = stores::request(&message.dest, &message.body, &mut self.fleet.keys());
        match request {
            Ok(request) => {
                let token = self.token();
                self.calls.insert(token, (message.dest.clone(), number));
                cx.call(store, token, request);
            }
            Err(error) => {
                let reply = Message::new(&message.dest, &self.name, error.replying(number));
                self.give_later(0, reply.line(), cx);
            }
        }
    }

    /// A reply to a client, or to the observer.
    fn answer(&mut self, message: &Message, cx: &mut impl Context<Self>) {
        let number = message.body.in_reply_to();
        let is_asker = |pending: &Pending| pending.asker == message.dest;
        let Some(number) = number.filter(|number| self.pending.get(number).is_some_and(is_asker)) else {
            let what = format!("{} does not wait for this", message.dest);
            self.note(Kind::UnexpectedReply, &what, message, cx);
            return;
        };
        let Some(Pending { op, ask, asked_ns, .. }) = self.pending.remove(&number) else { return };
        let waited_ns = cx.clock_ns().saturating_sub(asked_ns);
        if op.is_some() && waited_ns > self.fleet.surroundings.timeout_ns as i64 {
            self.note(Kind::UnexpectedReply, &format!("{} has given up waiting", message.dest), message, cx);
        }
        let reply = self.fleet.surroundings.dialect.reply(&ask, &message.body).unwrap_or_else(|reason| {
            self.note(Kind::MalformedReply, &reason, message, cx);
            Reply::Info(crate::kernel::node::Refusal::MalformedReply)
        });
        if let (Ask::Read, Reply::Ok(Answer::Value(value))) = (&ask, &reply)
            && self.value != *value
        {
            self.value = value.clone();
            cx.touched();
        }
        let Some(op) = op else { return };
        if Foreign::is_update(&Asked { client: None, what: ask }) && matches!(reply, Reply::Ok(_)) {
            self.updates += 1;
            cx.effect(op, cx.replica_id(), self.updates);
        }
        cx.reply(op, reply);
    }
}
