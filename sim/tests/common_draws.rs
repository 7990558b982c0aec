//! Every draw has an address, and nothing else moves it: not a fault, not a replica, not a client, not a system.
//!
//! The proofs use replicas that send on fixed timers, so that what is sent does not depend on what arrives: the k-th
//! message of a link must then meet the same fate in two runs that differ elsewhere. Real protocols are compared by their
//! traces, up to the instant at which the runs may differ.

use std::collections::BTreeMap;

use crdts::{
    lattice::Weight,
    objects::counter::{Counter, CounterOp, CounterRet},
};
use sim::{
    engine::{TraceFilter, trace},
    kernel::{
        disturbance::{Disturbance, Window},
        fold::Fold,
        ids::{NodeId, OpId},
        lineage::LineageId,
        node::{Context, Knowledge, Node, Payload, Recovery, Reply},
        observer::{TracedEvent, Unobserved},
        service::Service,
        time::{MILLISECOND, Time},
        workload::Workload,
        world::{Stop, World},
    },
    measure::Recorder,
    registry::{Job, Setup, dispatch_counter},
    scenario::{self, Plan},
    services::Kv,
};

const SEED: u64 = 11;

/// How often every replica sends to every other one.
const BEAT_NS: u64 = 10 * MILLISECOND;

/// A replica that sends to all others, over and over, whatever happens.
#[derive(Clone, Debug)]
struct Metronome {
    beats: u64,
}

/// The k-th message on a link.
#[derive(Clone, Copy, Debug)]
struct Beat(u64);

impl Payload for Beat {
    fn bytes(&self) -> u64 {
        8
    }

    fn fold(&self, fold: &mut Fold) {
        fold.word(self.0);
    }

    fn kind(&self) -> &'static str {
        "beat"
    }
}

impl Node for Metronome {
    type Object = Counter;
    type Message = Beat;
    type Timer = ();
    type Config = ();

    const REPAIRS: bool = false;

    fn boot((): &(), _: NodeId, _: u32) -> Self {
        Self { beats: 0 }
    }

    fn on_start(&mut self, cx: &mut impl Context<Self>) {
        cx.after(BEAT_NS, ());
    }

    fn on_request(&mut self, request: OpId, op: CounterOp, cx: &mut impl Context<Self>) {
        let ret = if op == CounterOp::Read { CounterRet::Total(0) } else { CounterRet::Added };
        cx.reply(request, Reply::Ok(ret));
    }

    fn on_message(&mut self, _: NodeId, _: Beat, _: &mut impl Context<Self>) {}

    fn on_timer(&mut self, (): (), cx: &mut impl Context<Self>) {
        for index in 0..cx.peers() {
            let peer = cx.peer(index);
            cx.send(peer, Beat(self.beats));
        }
        self.beats += 1;
        cx.after(BEAT_NS, ());
    }

    fn on_restart(&mut self, _: Recovery, cx: &mut impl Context<Self>) {
        cx.after(BEAT_NS, ());
    }

    fn value(&self) -> i128 {
        0
    }

    fn knowledge(&self) -> Knowledge {
        Knowledge::Lineage(LineageId::ROOT)
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }
}

/// The messages of a link by number: when they arrived, and whether they came through.
type Messages = BTreeMap<u64, Vec<(u64, bool)>>;

/// The messages of every link, and when each client's requests arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Arrivals {
    beats: BTreeMap<(u32, u32), Messages>,
    requests: BTreeMap<u32, Vec<u64>>,
}

impl Arrivals {
    fn event(&mut self, event: &TracedEvent<'_>) {
        let (Some(from), Some(to)) = (event.from, event.node) else { return };
        match event.kind {
            "beat" => {
                let number = event
                    .detail
                    .trim_start_matches("Beat(")
                    .trim_end_matches(')')
                    .parse()
                    .expect("the number of a beat");
                let link = self.beats.entry((from.0, to.0)).or_default();
                link.entry(number).or_default().push((event.time.0, event.handled));
            }
            "request" => self.requests.entry(from.0).or_default().push(event.time.0),
            _ => {}
        }
    }

    /// Of the metronomes of a scenario. Clients are numbered from 0, wherever their endpoints begin.
    fn of(plan: &Plan) -> Self {
        let services: Vec<Kv<i128>> = plan.services.iter().map(Kv::new).collect();
        let run = plan.run_plan(SEED);
        let mut world = World::<Metronome, _, _, _>::new(
            run,
            (),
            services,
            plan.counting_clients(SEED).expect("a scenario of a counter"),
            Unobserved,
        );
        let mut arrivals = Self::default();
        let stop = loop {
            if let Some(stop) = world.step_traced(&mut |event| arrivals.event(event)) {
                break stop;
            }
        };
        assert_eq!(stop, Stop::Completed);
        let first = plan.endpoints().client(0).0;
        arrivals.requests = arrivals
            .requests
            .into_iter()
            .filter_map(|(client, times)| client.checked_sub(first).map(|client| (client, times)))
            .filter(|(client, _)| *client < plan.endpoints().clients)
            .collect();
        arrivals
    }
}

/// Faults of many kinds; some overlap.
const FAULTS: &[&str] = &[
    r#"at = "1s"
for = "700ms"
partition = { random = { groups = 2 } }"#,
    r#"at = "1500ms"
for = "1s"
loss = { probability = "50%", from = ["n1"], to = ["n2", "n3"] }"#,
    r#"at = "2s"
for = "1s"
partition = { one-way = { from = ["n3"], to = ["n4", "n5"] } }"#,
    r#"at = "2500ms"
for = "1s"
duplicate = { probability = "40%", to = ["n3"] }"#,
    r#"at = "2600ms"
for = "1s"
delay = { latency = { uniform = { min = "1ms", max = "90ms" } }, from = ["n4"] }"#,
    r#"at = "3s"
for = "500ms"
every = "1s"
partition = { random = { groups = 3 } }"#,
    r#"at = "3200ms"
for = "600ms"
loss = { probability = "30%" }"#,
];

const SYSTEMS: &str = r#"
[[system]]
name = "naive"
naive = {}
[[system]]
name = "gossip"
gossip = { crdt = "pn-counter", interval = "50ms", jitter = "10ms", fanout = 2 }
"#;

const OCC: &str = r#"
[[system]]
name = "occ"
occ = { store = "lin-kv" }
"#;

const NEMESIS: &str = r#"
[nemesis]
kinds = ["partition", "loss", "delay"]
interval = "1500ms"
duration = "300ms"
"#;

fn plan(nodes: u32, clients: u32, faults: &[&str], systems: &str) -> Plan {
    parsed(nodes, clients, faults, &format!("{NEMESIS}{systems}"))
}

fn parsed(nodes: u32, clients: u32, faults: &[&str], rest: &str) -> Plan {
    let mut text = format!(
        r#"
        name = "draws"
        [cluster]
        nodes = {nodes}
        clock = {{ skew = "20ms" }}
        [network]
        latency = {{ lognormal = {{ median = "10ms", p99 = "80ms" }} }}
        loss = "5%"
        duplicate = "5%"
        burst = {{ enter = "2%", exit = "20%", loss = "70%" }}
        client_latency = {{ uniform = {{ min = "1ms", max = "9ms" }} }}
        [workload]
        object = "counter"
        clients = {clients}
        rate = "{}/s"
        duration = "5s"
        mix = {{ add = 1, read = 1 }}
        amount = {{ uniform = {{ min = 1, max = 9 }} }}
        quiet = "1s"
        {rest}
        "#,
        10 * clients,
    );
    for fault in faults {
        text.extend(["[[fault]]\n", fault, "\n"]);
    }
    scenario::parse("draws.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn touches(window: &Window, from: u32, to: u32) -> bool {
    match &window.disturbance {
        Disturbance::Cut(cut) => cut.severs(NodeId(from), NodeId(to)),
        Disturbance::Links { links, .. } => links.contains(NodeId(from), NodeId(to)),
        other => unreachable!("{other:?} is none of the faults here"),
    }
}

/// All faults but one.
fn without(removed: usize) -> Vec<&'static str> {
    FAULTS.iter().enumerate().filter(|(index, _)| *index != removed).map(|(_, fault)| *fault).collect()
}

#[test]
fn a_fault_leaves_all_other_faults_as_they_are() {
    let all = plan(5, 5, FAULTS, SYSTEMS).run_plan(SEED).windows;
    assert!(all.iter().any(|window| window.fault.is_none()), "the nemesis drew nothing");
    let shown =
        |window: &Window| format!("{} {:?}..{:?} {:?}", window.label, window.from, window.to, window.disturbance);
    for removed in 0..FAULTS.len() {
        let left = plan(5, 5, &without(removed), SYSTEMS).run_plan(SEED).windows;
        let expected: Vec<String> =
            all.iter().filter(|window| window.fault != Some(removed as u32)).map(shown).collect();
        assert_eq!(left.iter().map(shown).collect::<Vec<_>>(), expected, "without fault {removed}");
    }
}

#[test]
fn a_fault_leaves_the_messages_of_all_other_links_as_they_are() {
    let with = plan(5, 5, FAULTS, SYSTEMS);
    let (windows, with) = (with.run_plan(SEED).windows, Arrivals::of(&with));
    for (removed, fault) in FAULTS.iter().enumerate() {
        let left = Arrivals::of(&plan(5, 5, &without(removed), SYSTEMS));
        let gone: Vec<&Window> = windows.iter().filter(|window| window.fault == Some(removed as u32)).collect();
        let (mut untouched, mut changed) = (0, 0);
        for (link @ (from, to), messages) in &left.beats {
            let before = &with.beats[link];
            let acting: Vec<&Window> = gone.iter().copied().filter(|window| touches(window, *from, *to)).collect();
            if acting.is_empty() {
                assert_eq!(messages, before, "without fault {removed} the link {link:?} differs");
                untouched += 1;
                continue;
            }
            // On a touched link the messages that were neither sent nor due to arrive in the fault are the same.
            let outside = |time: u64| acting.iter().all(|window| Time(time) < window.from || Time(time) >= window.to);
            for (number, times) in messages {
                let sent = (number + 1) * BEAT_NS;
                if outside(sent) && times.iter().all(|(at, _)| outside(*at)) {
                    assert_eq!(Some(times), before.get(number), "without fault {removed}, {link:?}, message {number}");
                }
            }
            changed += u32::from(messages != before);
        }
        assert!(changed > 0, "fault {removed} did nothing, and proves nothing");
        let all_links = fault.contains("loss = { probability = \"30%\" }") || fault.contains("every");
        assert!(untouched > 0 || all_links, "fault {removed} left no link alone");
        assert_eq!(left.requests, with.requests, "without fault {removed} the clients' requests differ");
    }
}

#[test]
fn what_gets_through_a_cut_or_a_loss_takes_as_long_as_ever() {
    let with = Arrivals::of(&plan(5, 5, FAULTS, SYSTEMS));
    for removed in [0, 1, 2, 5, 6] {
        let left = Arrivals::of(&plan(5, 5, &without(removed), SYSTEMS));
        for (link, messages) in &with.beats {
            for (number, times) in messages {
                let came_through =
                    |times: &[(u64, bool)]| times.iter().filter(|(_, handled)| *handled).copied().collect::<Vec<_>>();
                let without = came_through(left.beats[link].get(number).map_or(&[], Vec::as_slice));
                for time in came_through(times) {
                    assert!(without.contains(&time), "without fault {removed}, {link:?}, message {number}");
                }
            }
        }
    }
}

/// The lines of a trace before `until`, without what counts events.
fn lines(plan: &Plan, system: &str, until: Time) -> Vec<String> {
    let system = plan.systems.iter().find(|found| found.name == system).expect("a system of this name");
    let mut out = Vec::new();
    trace(plan, system, SEED, &TraceFilter::default(), &mut out).expect("writing to memory succeeds");
    let text = String::from_utf8(out).expect("a trace is text");
    text.lines()
        .filter_map(|line| {
            let mut event: serde_json::Map<_, _> = serde_json::from_str(line).expect("a line is JSON");
            let time = event["t_ns"].as_u64().expect("a time");
            for counted in ["id", "cause", "fingerprint"] {
                event.remove(counted);
            }
            (time < until.0).then(|| serde_json::to_string(&event).expect("JSON can be written"))
        })
        .collect()
}

#[test]
fn a_fault_leaves_everything_before_it_as_it_is() {
    let systems = format!("{SYSTEMS}{OCC}");
    let with = plan(5, 5, FAULTS, &systems);
    for removed in 0..FAULTS.len() {
        let left = plan(5, 5, &without(removed), &systems);
        let begins = with
            .run_plan(SEED)
            .windows
            .iter()
            .filter(|window| window.fault == Some(removed as u32))
            .map(|window| window.from)
            .min();
        let begins = begins.expect("the fault has a window");
        for system in ["naive", "gossip", "occ"] {
            let before = lines(&with, system, begins);
            assert!(before.len() > 100, "{system} did nothing before fault {removed}");
            for (number, (one, other)) in before.iter().zip(&lines(&left, system, begins)).enumerate() {
                assert_eq!(one, other, "{system} without fault {removed}, event {number}");
            }
        }
    }
}

#[test]
fn another_replica_leaves_all_other_draws_as_they_are() {
    let systems = format!("{SYSTEMS}{OCC}");
    // Without faults, since groups drawn among six are other groups.
    let of = |nodes| Arrivals::of(&parsed(nodes, 5, &[], &systems));
    let (five, six) = (of(5), of(6));
    assert_eq!(five.beats.len(), 20);
    for (link, messages) in &five.beats {
        assert_eq!(messages, &six.beats[link], "{link:?}");
    }
    assert_eq!(five.requests, six.requests);
}

#[test]
fn another_client_leaves_all_other_draws_as_they_are() {
    let (five, six) = (Arrivals::of(&plan(5, 5, FAULTS, SYSTEMS)), Arrivals::of(&plan(5, 6, FAULTS, SYSTEMS)));
    assert_eq!(five.beats, six.beats);
    for (client, requests) in &five.requests {
        assert!(requests.len() > 10);
        assert_eq!(requests, &six.requests[client], "client {client}");
    }
}

#[test]
fn another_system_leaves_all_other_systems_as_they_are() {
    let alone = plan(5, 5, FAULTS, SYSTEMS);
    let beside = plan(5, 5, FAULTS, &format!("{SYSTEMS}{OCC}"));
    assert_eq!(Arrivals::of(&alone), Arrivals::of(&beside));
    for system in ["naive", "gossip"] {
        let (one, other) = (lines(&alone, system, Time::NEVER), lines(&beside, system, Time::NEVER));
        assert_eq!(one.len(), other.len());
        for (number, pair) in one.iter().zip(&other).enumerate() {
            assert_eq!(pair.0, pair.1, "{system}, event {number}");
        }
    }
}

/// What clients invoke: client, replica, operation, time.
struct Invocations;

type Invoked = Vec<(u32, u32, CounterOp, u64, bool)>;

impl Job<Counter, Invoked> for Invocations {
    fn run<N, S, W>(self, setup: Setup<N, S, W>) -> Invoked
    where
        N: Node<Object = Counter>,
        S: Service<i128>,
        W: Workload<Counter>,
    {
        let Setup { plan, config, services, workload, .. } = setup;
        let recorder = Recorder::<N>::new(&plan);
        let mut world = World::<N, _, _, _>::new(plan, config, services, workload, recorder);
        world.run();
        let operations = world.observer().history().operations().iter();
        operations
            .map(|operation| {
                (operation.client, operation.replica, operation.op, operation.invoked_ns, operation.is_final)
            })
            .collect()
    }
}

#[test]
fn all_systems_of_a_scenario_meet_the_same_operations() {
    let plan = plan(5, 5, FAULTS, &format!("{SYSTEMS}{OCC}"));
    for seed in 1..=5 {
        let mut invoked =
            plan.systems.iter().map(|system| dispatch_counter(&plan, system, seed, Invocations).expect("of a counter"));
        let first = invoked.next().expect("there are systems");
        assert!(first.len() > 200);
        for other in invoked {
            assert_eq!(first, other, "seed {seed}");
        }
        let mut workload = plan.counting_clients(seed).expect("a scenario of a counter");
        let drawn = Workload::<Counter>::next(&mut workload, 0, Time::ZERO).expect("a client with work to do");
        assert_eq!(first.iter().find(|operation| operation.0 == 0).map(|operation| operation.3), Some(drawn.at.0));
    }
}
