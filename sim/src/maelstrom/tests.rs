//! Replicas that are programs, with programs that do as they are told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::{
    External, Fleet, Launch, Surroundings,
    account::Kind,
    config::{Delivery, ExternalConfig},
    wire::Message,
    words::Dialect,
};
use crate::{
    kernel::{
        ids::{Endpoints, NodeId, OpId},
        node::{Context, Node, Recovery, Refusal, Reply},
        recorded::{Effect, Recorded},
        service::{KvReply, KvRequest},
        time::Time,
        topology::Topology,
    },
    objects::foreign::{Answer, Ask, Asked, Json},
    programs::{Ending, Line, Program, Step, TimeSource},
    services::KvKind,
};

/// What a program is to do in its next steps, and what it was given.
#[derive(Debug, Default)]
struct Script {
    steps: VecDeque<Step>,
    given: Vec<(Time, String)>,
}

type Shared = Arc<Mutex<Script>>;

#[derive(Debug)]
struct Puppet(Shared);

impl Program for Puppet {
    fn step(&mut self, now: Time, inputs: &[&[u8]]) -> Step {
        let mut script = self.0.lock().expect("one thread");
        script.given.extend(inputs.iter().map(|line| (now, String::from_utf8_lossy(line).into_owned())));
        script.steps.pop_front().unwrap_or_default()
    }

    fn time_source(&self) -> TimeSource {
        TimeSource::Messages
    }

    fn last_words(&self) -> Vec<String> {
        vec!["ouch".to_owned()]
    }
}

impl Launch for Shared {
    fn launch(&self, _: NodeId, _: u32, _: Time) -> Box<dyn Program> {
        Box::new(Puppet(Arc::clone(self)))
    }
}

struct Bench {
    script: Shared,
    fleet: Arc<Fleet>,
    node: External,
    cx: Recorded<External>,
}

const SECOND_NS: i64 = 1_000_000_000;

impl Bench {
    /// The first of three replicas, which has said `init_ok`.
    fn new(dialect: Dialect) -> Self {
        Self::with(dialect, |_| {}, vec![lines(&[json!({ "type": "init_ok", "in_reply_to": 1 })])])
    }

    fn with(dialect: Dialect, change: impl FnOnce(&mut ExternalConfig), steps: Vec<Step>) -> Self {
        let script: Shared = Shared::default();
        script.lock().expect("one thread").steps.extend(steps);
        let endpoints = Endpoints { replicas: 3, services: 3, clients: 4 };
        let surroundings = Surroundings::new(endpoints, KvKind::ALL.into_iter(), dialect, SECOND_NS as u64);
        let mut config = ExternalConfig::new(vec!["puppet".to_owned()]);
        config.probe_ns = 0;
        change(&mut config);
        let fleet = Arc::new(Fleet::new(config, surroundings, Box::new(Arc::clone(&script))));
        let node = External::boot(&fleet, NodeId(0), 3);
        let mut bench = Self { script, fleet, node, cx: Recorded::new(Topology::Complete { replicas: 3 }) };
        bench.node.on_start(&mut bench.cx);
        bench
    }

    /// The program's next step.
    fn will(&self, step: Step) {
        self.script.lock().expect("one thread").steps.push_back(step);
    }

    /// The bodies that the program was given since the last call.
    fn given(&self) -> Vec<Value> {
        let given = std::mem::take(&mut self.script.lock().expect("one thread").given);
        let body = |(_, line): &(Time, String)| {
            let message = Message::parse(line.as_bytes()).expect("the simulator writes messages");
            let mut body = Value::Object(message.body.0);
            body["src"] = json!(message.src);
            body
        };
        given.iter().map(body).collect()
    }

    fn request(&mut self, op: u32, client: u32, what: Ask) {
        self.node.on_request(OpId(op), Asked { client: Some(client), what }, &mut self.cx);
    }

    /// What the replica did, in short, since the last call.
    fn effects(&mut self) -> Vec<String> {
        let told = |effect| match effect {
            Effect::Send { to, .. } => format!("send to {}", to.0),
            Effect::After { delay_ns, timer } => format!("after {delay_ns} {timer:?}"),
            Effect::Call { service, call, request } => format!("call {} {call} {}", service.0, request.kind()),
            Effect::Reply { request, reply } => format!("reply {} {reply:?}", request.0),
            Effect::Touched => "touched".to_owned(),
            Effect::TookEffect { op, .. } => format!("effect of {}", op.0),
            other => format!("{other:?}"),
        };
        self.cx.take_effects().into_iter().map(told).collect()
    }

    fn notes(&self) -> Vec<(&'static str, u64)> {
        self.fleet.account().notes.iter().map(|(kind, notes)| (kind.name(), notes.count)).collect()
    }
}

/// A step in which a program writes these bodies: replies to their `in_reply_to` go to `dest`, or to c1.
fn lines(bodies: &[Value]) -> Step {
    let line = |body: &Value| {
        let mut body = body.clone();
        let map = body.as_object_mut().expect("a body");
        let dest = map.remove("dest").unwrap_or(if map["type"] == "init_ok" { json!("c0") } else { json!("c1") });
        let src = map.remove("src").unwrap_or(json!("n1"));
        Line::Whole(json!({ "src": src, "dest": dest, "body": map }).to_string().into_bytes())
    };
    Step { lines: bodies.iter().map(line).collect(), ..Step::default() }
}

#[test]
fn a_request_becomes_a_line_and_a_reply_an_answer() {
    let mut bench = Bench::new(Dialect::Counter);
    let init = json!({ "type": "init", "msg_id": 1, "node_id": "n1", "node_ids": ["n1", "n2", "n3"], "src": "c0" });
    assert_eq!(bench.given(), [init]);
    bench.will(lines(&[json!({ "type": "add_ok", "in_reply_to": 3 })]));
    bench.request(0, 0, Ask::Add(4));
    assert_eq!(bench.given(), [json!({ "type": "add", "delta": 4, "msg_id": 3, "src": "c1" })]);
    assert_eq!(bench.effects(), ["effect of 0", "reply 0 Ok(Done)"]);
    bench.will(lines(&[json!({ "type": "read_ok", "value": 4, "in_reply_to": 4 })]));
    bench.request(1, 0, Ask::Read);
    assert_eq!(bench.effects(), ["touched", "reply 1 Ok(Value(4))"]);
    assert_eq!(bench.node.value(), Json::of(&json!(4)));
    assert_eq!(bench.notes(), []);
}

#[test]
fn lines_go_where_they_belong() {
    let mut bench = Bench::new(Dialect::Counter);
    bench.will(lines(&[
        json!({ "type": "gossip", "dest": "n3" }),
        json!({ "type": "gossip", "dest": "n1" }),
        json!({ "type": "read", "key": "x", "msg_id": 0, "dest": "seq-kv" }),
        json!({ "type": "ts", "msg_id": 9, "dest": "lin-tso" }),
        json!({ "type": "after", "ms": 20, "msg_id": 7, "dest": "sim-time" }),
        json!({ "type": "frobnicate", "msg_id": 8, "dest": "lin-kv" }),
    ]));
    bench.given();
    bench.request(0, 0, Ask::Read);
    let effects = bench.effects();
    let mut sorted = effects.clone();
    sorted.sort();
    assert!(effects.contains(&"send to 2".to_owned()));
    assert!(sorted.iter().any(|effect| effect.starts_with("call 4") && effect.ends_with("read")));
    assert!(sorted.iter().any(|effect| effect.starts_with("call 3") && effect.ends_with("ts")));
    assert!(sorted.iter().any(|effect| effect.starts_with("after 20000000 Later")));
    assert_eq!(sorted.iter().filter(|effect| effect.starts_with("after 0 Later")).count(), 2, "itself, and the error");
    assert_eq!(bench.notes(), []);

    let call = effects.iter().find(|effect| effect.starts_with("call 4")).expect("a call");
    let token: u64 = call.split(' ').nth(2).and_then(|word| word.parse().ok()).expect("a token");
    bench.given();
    bench.node.on_return(token, KvReply::KeyDoesNotExist, &mut bench.cx);
    let given = bench.given();
    assert_eq!(
        (&given[0]["code"], &given[0]["in_reply_to"], &given[0]["src"]),
        (&json!(20), &json!(0), &json!("seq-kv"))
    );
    assert_eq!(KvRequest::<Json>::Timestamp.kind(), "ts");
}

#[test]
fn mistakes_are_noted_and_the_rest_is_heard() {
    let mut bench = Bench::new(Dialect::Counter);
    let mut step = lines(&[
        json!({ "type": "add_ok", "in_reply_to": 77 }),
        json!({ "type": "hello", "dest": "n9" }),
        json!({ "type": "hello", "dest": "n2", "src": "n3" }),
        json!({ "type": "add_ok", "in_reply_to": 3 }),
        json!({ "type": "add_ok", "in_reply_to": 3 }),
    ]);
    step.lines.push(Line::Whole(b"what?".to_vec()));
    step.lines.push(Line::TooLong { start: b"[[[[".to_vec(), bytes: 100_000_000 });
    step.lines.push(Line::Flood { bytes: 7 });
    bench.will(step);
    bench.effects();
    bench.request(0, 0, Ask::Add(1));
    assert_eq!(bench.effects(), ["effect of 0", "reply 0 Ok(Done)", "send to 1"]);
    let expected = [
        ("malformed-line", 1),
        ("line-too-long", 1),
        ("flood", 1),
        ("wrong-source", 1),
        ("unknown-destination", 1),
        ("unexpected-reply", 2),
    ];
    assert_eq!(bench.notes(), expected);
}

#[test]
fn late_and_malformed_replies_are_told_apart() {
    let mut bench = Bench::new(Dialect::Counter);
    bench.request(0, 1, Ask::Add(1));
    bench.request(1, 1, Ask::Read);
    bench.cx.clock_ns = 2 * SECOND_NS;
    bench.effects();
    bench.will(lines(&[
        json!({ "type": "add_ok", "in_reply_to": 3, "dest": "c2" }),
        json!({ "type": "read_ok", "value": "three", "in_reply_to": 4, "dest": "c2" }),
    ]));
    bench.request(2, 0, Ask::Add(1));
    let effects = bench.effects();
    assert!(effects.contains(&format!("reply 1 {:?}", Reply::<Answer>::Info(Refusal::MalformedReply))), "{effects:?}");
    assert_eq!(bench.notes(), [("unexpected-reply", 2), ("malformed-reply", 1)], "both were late, and one wrong");
}

#[test]
fn a_program_that_is_never_ready_or_ends_is_noted_with_its_last_words() {
    let silent = Bench::with(Dialect::Counter, |_| {}, vec![]);
    assert_eq!(silent.notes(), [("not-started", 1)]);
    let dead = Step { ended: Some(Ending::Exited(3)), ..Step::default() };
    let bench = Bench::with(Dialect::Counter, |_| {}, vec![dead]);
    assert_eq!(bench.notes(), [("not-started", 1), ("ended", 1)]);
    let account = bench.fleet.account();
    assert!(account.notes[&Kind::Ended].first[0].what.contains("exited with code 3; it last said:\n    ouch"));
    // Whatever it is asked, nobody answers.
    let mut bench = bench;
    bench.effects();
    bench.request(0, 0, Ask::Read);
    assert_eq!(bench.effects(), [] as [String; 0]);
}

#[test]
fn a_program_may_take_time_to_be_ready() {
    let waits = Step { deadline: Some(Time(300_000_000)), ..Step::default() };
    let ready = lines(&[json!({ "type": "init_ok", "in_reply_to": 1 })]);
    let bench = Bench::with(Dialect::Counter, |_| {}, vec![waits, ready]);
    assert_eq!(bench.notes(), []);
    let first = lines(&[json!({ "type": "gossip", "dest": "n2" })]);
    let ready = lines(&[json!({ "type": "init_ok", "in_reply_to": 1 })]);
    let hasty = Bench::with(Dialect::Counter, |_| {}, vec![Step { deadline: Some(Time(5)), ..first }, ready]);
    assert_eq!(hasty.notes(), [("before-init", 1)]);
}

#[test]
fn programs_of_broadcasts_are_told_their_neighbours() {
    let ready = lines(&[json!({ "type": "init_ok", "in_reply_to": 1 })]);
    let told = lines(&[json!({ "type": "topology_ok", "in_reply_to": 2, "dest": "c0" })]);
    let bench = Bench::with(Dialect::Broadcast, |_| {}, vec![ready, told]);
    let topology = bench.given().pop().expect("the last line");
    assert_eq!(topology["topology"], json!({ "n1": ["n2", "n3"], "n2": ["n1"], "n3": ["n1"] }));
    assert_eq!(bench.notes(), []);
}

#[test]
fn a_burst_is_given_at_once() {
    let ready = lines(&[json!({ "type": "init_ok", "in_reply_to": 1 })]);
    let mut bench = Bench::with(Dialect::Counter, |config| config.delivery = Delivery::Burst, vec![ready]);
    bench.given();
    bench.request(0, 0, Ask::Add(1));
    bench.request(1, 1, Ask::Add(1));
    assert_eq!(bench.given(), [] as [Value; 0]);
    bench.node.on_timer(super::external::Wake::Burst, &mut bench.cx);
    assert_eq!(bench.given().len(), 2);
    assert_eq!(bench.fleet.account().steps.last().expect("a step").inputs.len(), 2);
}

#[test]
fn inputs_of_an_instant_come_before_timers_of_it() {
    use super::external::Wake;
    let ready = lines(&[json!({ "type": "init_ok", "in_reply_to": 1 })]);
    let wants = Step { deadline: Some(Time(70)), ..ready };
    let mut bench = Bench::with(Dialect::Counter, |_| {}, vec![wants]);
    assert_eq!(bench.effects(), ["after 70 Deadline(1)"]);
    bench.cx.clock_ns = 70;
    bench.node.on_timer(Wake::Deadline(1), &mut bench.cx);
    assert_eq!(bench.effects(), ["after 0 Due(1)"], "whatever else is due goes first");
    let steps = |bench: &Bench| bench.fleet.account().steps_count;
    let before = steps(&bench);
    bench.request(0, 0, Ask::Read);
    bench.node.on_timer(Wake::Due(1), &mut bench.cx);
    assert_eq!(steps(&bench), before + 1, "the input has let the program run, and the timer is out of date");
    bench.node.on_timer(Wake::Due(2), &mut bench.cx);
    assert_eq!(steps(&bench), before + 2, "without an input the timer lets it run");
}

#[test]
fn a_restarted_program_starts_over() {
    let mut bench = Bench::new(Dialect::Counter);
    bench.will(lines(&[json!({ "type": "read_ok", "value": 9, "in_reply_to": 3 })]));
    bench.request(0, 0, Ask::Read);
    bench.cx.act_as(NodeId(0), 1);
    bench.will(lines(&[json!({ "type": "init_ok", "in_reply_to": 1 })]));
    bench.given();
    bench.node.on_restart(Recovery::Volatile, &mut bench.cx);
    assert_eq!(bench.given()[0]["type"], json!("init"));
    assert_eq!(bench.node.value(), Json::default());
    assert_eq!((bench.cx.incarnation(), bench.notes()), (1, vec![]));
}

#[test]
fn the_observer_reads_as_often_as_it_is_told() {
    let ready = lines(&[json!({ "type": "init_ok", "in_reply_to": 1 })]);
    let seen = lines(&[json!({ "type": "read_ok", "value": 5, "in_reply_to": 3, "dest": "c0" })]);
    let mut bench = Bench::with(Dialect::Counter, |config| config.probe_ns = 50, vec![ready, seen]);
    assert_eq!(bench.effects(), ["touched", "after 50 Probe"]);
    assert_eq!(bench.node.value(), Json::of(&json!(5)));
}

#[test]
fn lines_of_a_step_have_one_order_whoever_wrote_first() {
    let step = |bodies: &[Value]| {
        let mut bench = Bench::new(Dialect::Counter);
        bench.will(lines(bodies));
        bench.request(0, 0, Ask::Read);
        bench.fleet.account().steps.last().expect("a step").lines.clone()
    };
    let (one, other) =
        (json!({ "type": "b", "msg_id": 1, "dest": "n2" }), json!({ "type": "a", "msg_id": 2, "dest": "n3" }));
    let renumbered =
        (json!({ "type": "a", "msg_id": 1, "dest": "n3" }), json!({ "type": "b", "msg_id": 2, "dest": "n2" }));
    assert_eq!(step(&[one, other]), step(&[renumbered.0, renumbered.1]));
}
