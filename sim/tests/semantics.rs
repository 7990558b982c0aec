//! What the words of a report mean, in cases small enough to compute by hand.
//!
//! The network, the faults and the systems come from scenarios with constant latencies; what clients do comes from a
//! script, to the millisecond. Every expected number is derived in a comment or follows from the constants beside it.

use crdts::objects::counter::{Counter, CounterOp, CounterRet};
use sim::{
    checkers::counter::{Acceptable, check_agreed},
    engine::{TraceFilter, trace},
    history::{Operation, Outcome},
    kernel::{
        network::Traffic,
        node::{Costs, Node},
        service::Service,
        time::{MILLISECOND, SECOND, Time},
        workload::Workload,
        world::{Stop, World},
    },
    measure::{Measures, Recorder},
    registry::{Job, Setup, dispatch_counter},
    scenario::{self, Plan},
    workloads::{ScriptedOp, Source, Step},
};

const MS: u64 = MILLISECOND;

/// No case here has more replicas.
const REPLICAS_MAX: usize = 6;

/// At this millisecond, at the replica with this number (from 1), this operation.
type Line = (u64, u32, CounterOp);

const fn add(at_ms: u64, replica: u32) -> Line {
    (at_ms, replica, CounterOp::Add(1))
}

const fn read(at_ms: u64, replica: u32) -> Line {
    (at_ms, replica, CounterOp::Read)
}

/// What became of a script.
struct Seen {
    measures: Measures,
    /// The operations of the script, in its order.
    operations: Vec<Operation<Counter>>,
    /// What the final reads returned, by replica.
    finally: Vec<Option<i128>>,
    /// The instant of the final reads.
    horizon: Time,
    acceptable: Acceptable,
    traffic: Traffic,
    costs: Costs,
}

impl Seen {
    /// From t0 to the convergence, in milliseconds.
    fn convergence_ms(&self) -> Option<u64> {
        self.measures.converged_at.map(|at| (at - self.measures.settled_at()) / MS)
    }

    fn lost(&self) -> u64 {
        self.measures.lost_updates.expect("few enough updates to follow")
    }

    fn phantoms(&self) -> u64 {
        self.measures.phantom_updates.expect("few enough updates to follow")
    }

    fn total(&self, line: usize) -> Option<i128> {
        total(&self.operations[line])
    }

    /// How long the client of this line waited, in milliseconds.
    fn waited_ms(&self, line: usize) -> u64 {
        let operation = &self.operations[line];
        (operation.ended_ns.expect("it ended") - operation.invoked_ns) / MS
    }

    fn is_ok(&self, line: usize) -> bool {
        matches!(self.operations[line].outcome, Outcome::Ok(_))
    }
}

fn total(operation: &Operation<Counter>) -> Option<i128> {
    match operation.outcome {
        Outcome::Ok(CounterRet::Total(total)) => Some(total),
        _ => None,
    }
}

/// Plays a script of so many lines.
struct Play(usize);

impl Job<Counter, Seen> for Play {
    fn run<N, S, W>(self, setup: Setup<N, S, W>) -> Seen
    where
        N: Node<Object = Counter>,
        S: Service<i128>,
        W: Workload<Counter>,
    {
        let Setup { plan, config, services, workload, .. } = setup;
        let recorder = Recorder::<N>::new(&plan);
        let mut world = World::<N, _, _, _>::new(plan.clone(), config, services, workload, recorder);
        assert_eq!(world.run(), Stop::Completed);
        let view = world.view();
        let mut recorder = world.observer().clone();
        let measures = recorder.finish(&plan, world.now(), &view);
        let history = recorder.history();
        let mut operations: Vec<_> =
            history.operations().iter().filter(|operation| !operation.is_final).cloned().collect();
        operations.sort_by_key(|operation| operation.client);
        assert_eq!(operations.len(), self.0, "every line was played");
        let mut last: Vec<_> = history.final_reads().collect();
        last.sort_by_key(|operation| operation.replica);
        Seen {
            measures,
            operations,
            finally: last.into_iter().map(total).collect(),
            horizon: plan.final_reads_at,
            acceptable: Acceptable::of(history),
            traffic: view.network.traffic,
            costs: world.costs(),
        }
    }
}

/// A scenario for scripts of up to `lines` lines: `cluster` and `network` are the contents of their tables, `system` is one
/// system, `rest` comes at the end.
fn plan(cluster: &str, network: &str, system: &str, rest: &str, lines: usize) -> Plan {
    let clients = lines * REPLICAS_MAX;
    let text = format!(
        r#"
        name = "by-hand"
        [cluster]
        {cluster}
        [network]
        {network}
        [workload]
        object = "counter"
        clients = {clients}
        rate = "1/s"
        duration = "10s"
        quiet = "5s"
        [[system]]
        name = "it"
        {system}
        {rest}
        "#
    );
    scenario::parse("by-hand.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn play(plan: &Plan, lines: &[Line]) -> Seen {
    // Clients are bound to replicas in turns, so every row of clients has one at each replica.
    let replicas = plan.endpoints().replicas as usize;
    let step = |(row, &(at_ms, replica, op)): (usize, &Line)| Step {
        at: Time(at_ms * MS),
        client: (row * replicas) as u32 + replica - 1,
        op: ScriptedOp::Counter(op),
    };
    let mut plan = plan.clone();
    plan.workload.source = Source::Script(lines.iter().enumerate().map(step).collect());
    dispatch_counter(&plan, &plan.systems[0], 1, Play(lines.len())).expect("a scenario of a counter")
}

/// Plays on `nodes` replicas with a latency of 20 ms.
fn simple(nodes: u32, system: &str, rest: &str, lines: &[Line]) -> Seen {
    play(&plan(&format!("nodes = {nodes}"), r#"latency = "20ms""#, system, rest, lines.len()), lines)
}

const NAIVE: &str = "naive = {}";
const NAIVE_DELTA: &str = "naive-delta = {}";
const OCC: &str = r#"occ = { store = "lin-kv" }"#;
const EAGER: &str = r#"gossip = { crdt = "g-counter", mode = "push", eager = true, jitter = "0s" }"#;
const ROUNDS: &str = r#"gossip = { crdt = "g-counter", mode = "push", interval = "100ms", jitter = "0s" }"#;
/// Rounds so rare that none falls into the first seconds under the seed that is used here.
const RARE: &str = r#"gossip = { crdt = "g-counter", mode = "push-pull", interval = "7s", jitter = "0s" }"#;

fn fault(at: &str, lasts: &str, what: &str) -> String {
    format!("[[fault]]\nat = \"{at}\"\nfor = \"{lasts}\"\n{what}\n")
}

/// When the replica's first round of gossip is, in nanoseconds.
fn first_round(plan: &Plan, replica: &str) -> u64 {
    let mut out = Vec::new();
    trace(plan, &plan.systems[0], 1, &TraceFilter::default(), &mut out).expect("writing to memory succeeds");
    let text = String::from_utf8(out).expect("text");
    let mut events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let timer = events.find(|event| event["kind"] == "timer" && event["node"] == replica).expect("a round");
    timer["t_ns"].as_u64().expect("a time")
}

#[test]
fn an_eager_push_converges_after_one_latency() {
    let seen = simple(2, EAGER, "", &[add(1000, 1)]);
    assert_eq!(seen.measures.last_update_at, Some(Time(SECOND)));
    assert_eq!(seen.measures.converged_at, Some(Time(SECOND + 20 * MS)));
    assert_eq!((seen.convergence_ms(), seen.lost(), seen.phantoms()), (Some(20), 0, 0));
}

#[test]
fn rounds_of_push_converge_one_latency_after_the_writers_next_round() {
    let plan = plan("nodes = 2", r#"latency = "20ms""#, ROUNDS, "", 1);
    let seen = play(&plan, &[add(1000, 1)]);
    let phase = first_round(&plan, "n1");
    assert!(phase < 100 * MS);
    // Rounds are at phase + k * 100 ms; the first one not before 1 s is the one with k = 10.
    assert_eq!(seen.measures.converged_at, Some(Time(phase + SECOND + 20 * MS)));
}

#[test]
fn a_message_in_flight_dies_in_a_partition_that_begins_before_it_arrives() {
    let cut = fault("1s", "1s", r#"partition = "halves""#);
    // Arrival at 999 ms; at 1000 ms, when the partition acts; sent within it; sent when it has just been healed.
    for (at_ms, arrives) in
        [(979, true), (980, false), (990, false), (1000, false), (1990, false), (1999, false), (2000, true)]
    {
        let seen = simple(2, NAIVE_DELTA, &cut, &[add(at_ms, 1)]);
        assert_eq!(seen.finally, [Some(1), Some(i128::from(arrives))], "sent at {at_ms} ms");
        assert_eq!((seen.lost(), seen.traffic.cut), (u64::from(!arrives), u64::from(!arrives)), "sent at {at_ms} ms");
    }
}

#[test]
fn a_message_of_a_crdt_that_dies_is_made_up_for_after_the_heal() {
    let cut = fault("1s", "1s", r#"partition = "halves""#);
    let seen = simple(2, EAGER, &cut, &[add(990, 1)]);
    assert_eq!((seen.lost(), seen.finally), (0, vec![Some(1), Some(1)]));
    let since_heal = seen.measures.converged_at.expect("it converges") - Time(2 * SECOND);
    // A round of n1 comes within an interval of 100 ms after the heal, and takes one latency.
    assert!((20 * MS..=120 * MS).contains(&since_heal), "{since_heal}");
    assert_eq!(seen.measures.settled_at(), Time(2 * SECOND), "t0 is the heal, which is after the last update");
}

#[test]
fn t0_is_the_later_of_last_update_and_last_heal() {
    let cut = fault("1s", "1s", r#"partition = "halves""#);
    let seen = simple(2, EAGER, &cut, &[add(990, 1), add(3000, 2)]);
    assert_eq!(seen.measures.last_heal_at, Some(Time(2 * SECOND)));
    assert_eq!(seen.measures.settled_at(), Time(3 * SECOND));
    assert_eq!(seen.convergence_ms(), Some(20));
}

#[test]
fn a_repeated_increment_is_a_phantom_and_a_repeated_state_is_none() {
    let repeated = |system| {
        play(
            &plan("nodes = 2", "latency = \"20ms\"\nduplicate = \"100%\"", system, "", 2),
            &[add(1000, 1), add(1500, 1)],
        )
    };
    let deltas = repeated(NAIVE_DELTA);
    assert_eq!((deltas.finally.clone(), deltas.phantoms(), deltas.lost()), (vec![Some(2), Some(4)], 2, 0));
    assert_eq!(deltas.traffic.duplicated, 2);
    let states = repeated(EAGER);
    assert_eq!((states.finally.clone(), states.phantoms(), states.lost()), (vec![Some(2), Some(2)], 0, 0));
}

#[test]
fn an_increment_that_is_dropped_is_lost() {
    let dropped = fault("1s", "1s", r#"loss = { probability = "100%" }"#);
    let seen = simple(3, NAIVE_DELTA, &dropped, &[add(500, 1), add(1500, 1), add(1600, 2), add(2500, 3)]);
    assert_eq!(seen.lost(), 2);
    assert_eq!(seen.finally, [Some(3), Some(3), Some(2)]);
    assert_eq!((seen.traffic.messages, seen.traffic.lost), (8, 4));
    assert_eq!(seen.measures.converged_at, None);
}

#[test]
fn concurrent_totals_overwrite_each_other() {
    // n2 writes 5 ms after n1, before it heard of it: the later total wins everywhere, and knows one update only.
    let seen = simple(2, NAIVE, "", &[add(1000, 1), (1005, 2, CounterOp::Add(10))]);
    assert_eq!((seen.finally.clone(), seen.lost()), (vec![Some(10), Some(10)], 1));
    assert_eq!(seen.convergence_ms(), Some(20), "equal, and yet wrong");
    assert_ne!(check_agreed(10, &seen.acceptable), sim::checkers::Verdict::Pass);
    assert_eq!(check_agreed(11, &seen.acceptable), sim::checkers::Verdict::Pass);
    let apart = simple(2, NAIVE, "", &[add(1000, 1), (1025, 2, CounterOp::Add(10))]);
    assert_eq!((apart.finally.clone(), apart.lost()), (vec![Some(11), Some(11)], 0));
    // Who adds the same shows the same at once: it is the value that counts, not where it comes from.
    let equal = simple(2, NAIVE, "", &[add(1000, 1), add(1005, 2)]);
    assert_eq!((equal.convergence_ms(), equal.lost()), (Some(0), 1));
}

#[test]
fn occ_takes_four_latencies_and_a_cut_leaves_the_answer_open() {
    // n3 reads the store and swaps: 20 ms each way, twice. The cut at 1 s comes before the first answer, before the swap
    // arrives, and before the answer to the swap arrives.
    let cut = fault("1s", "5s", r#"partition = { isolate = ["n3"] }"#);
    let seen = simple(3, OCC, &cut, &[add(500, 3), add(1500, 3), read(1700, 3), read(7000, 3)]);
    assert_eq!(seen.waited_ms(0), 80);
    assert!(seen.is_ok(0));
    assert!(matches!(seen.operations[1].outcome, Outcome::Fail(_)), "nothing was swapped: {:?}", seen.operations[1]);
    assert!(matches!(seen.operations[2].outcome, Outcome::Fail(_)), "a read has no effect: {:?}", seen.operations[2]);
    assert_eq!((seen.total(3), seen.waited_ms(3)), (Some(1), 40));
    assert_eq!((seen.lost(), seen.phantoms(), seen.finally), (0, 0, vec![Some(1); 3]));

    for (at_ms, applied) in [(950, false), (930, true)] {
        let seen = simple(3, OCC, &cut, &[add(at_ms, 3)]);
        assert!(matches!(seen.operations[0].outcome, Outcome::Info(_)), "{:?}", seen.operations[0]);
        assert_eq!(seen.finally, vec![Some(i128::from(applied)); 3], "invoked at {at_ms} ms");
        assert_eq!((seen.lost(), seen.phantoms()), (0, 0));
        assert_eq!(check_agreed(0, &seen.acceptable), sim::checkers::Verdict::Pass);
        assert_eq!(check_agreed(1, &seen.acceptable), sim::checkers::Verdict::Pass);
        assert_ne!(check_agreed(2, &seen.acceptable), sim::checkers::Verdict::Pass);
    }
}

#[test]
fn a_lost_swap_is_a_conflict_and_is_tried_again() {
    let seen = simple(3, OCC, "", &[add(1000, 1), add(1001, 2)]);
    assert!(seen.is_ok(0) && seen.is_ok(1));
    assert_eq!((seen.costs.conflicts, seen.costs.retries), (1, 1));
    assert_eq!((seen.lost(), seen.finally.clone()), (0, vec![Some(2); 3]));
    assert_eq!(seen.waited_ms(0), 80);
    assert!(seen.waited_ms(1) >= 120, "a read, a swap in vain, and at least another swap");
}

#[test]
fn a_store_that_is_cut_off_gives_no_value_and_a_healed_one_agrees_at_once() {
    let seen =
        simple(3, OCC, &fault("1s", "1s", r#"partition = { isolate = ["lin-kv"] }"#), &[add(500, 1), read(500, 2)]);
    assert_eq!(seen.measures.converged_at, Some(Time(2 * SECOND)));
    assert_eq!(seen.convergence_ms(), Some(0));
}

#[test]
fn a_partition_that_never_heals_censors_the_convergence() {
    let cut = "[[fault]]\nat = \"1s\"\npartition = \"halves\"\n";
    let seen = simple(2, EAGER, cut, &[add(500, 1), add(2000, 1)]);
    assert_eq!((seen.measures.converged_at, seen.measures.last_heal_at), (None, None));
    assert_eq!(seen.finally, [Some(2), Some(1)]);
    assert_eq!(seen.lost(), 0, "a live replica still holds it");
    let visible = seen.measures.visibility_latency_ns.expect("few enough updates to follow");
    assert_eq!((visible.count, visible.censored, visible.p50, visible.max), (2, 1, Some(20 * MS), None));
}

#[test]
fn a_crash_loses_what_was_kept_in_memory_and_told_to_nobody() {
    let lines = [add(1000, 1)];
    let crash = |state: &str| fault("1001ms", "100ms", &format!("crash = {{ nodes = [\"n1\"], state = {state} }}"));
    let plan = plan("nodes = 2", r#"latency = "20ms""#, RARE, "", 1);
    assert!(
        first_round(&plan, "n1") > SECOND + 100 * MS && first_round(&plan, "n2") > SECOND + 100 * MS,
        "another seed is needed"
    );
    let volatile = simple(2, RARE, &crash("\"volatile\""), &lines);
    assert_eq!((volatile.lost(), volatile.finally), (1, vec![Some(0), Some(0)]));
    let durable = simple(2, RARE, &crash("\"durable\""), &lines);
    assert_eq!((durable.lost(), durable.finally), (0, vec![Some(1), Some(1)]));
}

#[test]
fn a_stale_crash_loses_the_end_of_the_past() {
    // The crash at 1001 ms sets n1 back by 500 ms: it keeps what it wrote at 400 ms, and loses what it wrote at 800 ms.
    let crash = fault("1001ms", "100ms", r#"crash = { nodes = ["n1"], state = { stale = "500ms" } }"#);
    let seen = simple(2, RARE, &crash, &[add(400, 1), add(800, 1)]);
    assert_eq!((seen.lost(), seen.finally), (1, vec![Some(1), Some(1)]));
}

#[test]
fn availability_is_counted_by_the_phase_of_the_invocation() {
    let crash = fault("1s", "1s", r#"crash = { nodes = ["n1"] }"#);
    let lines = [read(500, 1), read(999, 1), read(1000, 1), read(1500, 1), read(1500, 2), read(2000, 1)];
    let seen = simple(2, EAGER, &crash, &lines);
    let phases: Vec<_> = seen
        .measures
        .availability
        .iter()
        .map(|phase| (phase.phase.as_deref(), phase.ok, phase.fail, phase.info))
        .collect();
    assert_eq!(
        phases,
        [
            (None, 4, 2, 0),
            (Some("before"), 2, 0, 0),
            (Some("during crash n1 at 1s"), 1, 2, 0),
            (Some("after crash n1 at 1s"), 1, 0, 0)
        ]
    );
}

#[test]
fn an_update_is_visible_when_the_last_replica_reflects_it() {
    let links = "[[link]]\nfrom = \"n1\"\nto = \"n3\"\nlatency = \"50ms\"\n";
    let seen = simple(3, NAIVE_DELTA, links, &[add(1000, 1), add(2000, 3)]);
    let visible = seen.measures.visibility_latency_ns.expect("few enough updates to follow");
    // 50 ms from n1 to n3; 20 ms from n3 to both others, since the link is slow in one direction only.
    assert_eq!((visible.count, visible.p50, visible.max), (2, Some(20 * MS), Some(50 * MS)));
}

#[test]
fn a_read_is_stale_when_it_misses_what_was_acknowledged_before_it() {
    let seen = simple(
        2,
        NAIVE_DELTA,
        "",
        &[add(1000, 1), add(1003, 1), read(1000, 2), read(1010, 2), read(1021, 2), read(1030, 2)],
    );
    assert_eq!([2, 3, 4, 5].map(|line| seen.total(line)), [Some(0), Some(0), Some(1), Some(2)]);
    let stale = seen.measures.stale_reads;
    // At 1000 ms nothing had been acknowledged before; at 1010 ms two updates were missing, the older for 10 ms; at 1021 ms
    // one, for 18 ms.
    assert_eq!((stale.count, stale.reads), (2, 6), "final reads are reads");
    assert_eq!((stale.updates_behind.max, stale.time_behind_ns.max), (Some(2), Some(18 * MS)));
}

#[test]
fn a_one_way_partition_blocks_one_direction() {
    let cut = fault("1s", "1s", r#"partition = { one-way = { from = ["n1"], to = ["n2"] } }"#);
    let seen = simple(
        3,
        NAIVE_DELTA,
        &cut,
        &[(1500, 1, CounterOp::Add(1)), (1500, 2, CounterOp::Add(10)), (1500, 3, CounterOp::Add(100))],
    );
    assert_eq!(seen.finally, [Some(111), Some(110), Some(111)]);
    assert_eq!((seen.traffic.messages, seen.traffic.cut), (6, 1));
}

#[test]
fn a_store_on_a_ring_is_reached_over_the_shortest_path() {
    let plan = plan("nodes = 6\ntopology = \"ring\"", r#"latency = "10ms""#, OCC, "", 6);
    let seen = play(&plan, &[read(1000, 1), read(1000, 2), read(1000, 3), read(1000, 4), read(1000, 5), read(1000, 6)]);
    // One link to the store from n1, where it stands, and one more for every step on the ring; there and back.
    assert_eq!([0, 1, 2, 3, 4, 5].map(|line| seen.waited_ms(line)), [20, 40, 60, 80, 60, 40]);
}

#[test]
fn bytes_cost_time_on_a_narrow_link_and_a_full_queue_drops() {
    // An increment has 24 bytes: 10 ms at 2400 bytes per second. Of three sent at once, the second waits 10 ms for the
    // first, and the third 20 ms.
    let lines = [add(1000, 1), add(1000, 1), add(1000, 1)];
    let network = |queue: &str| format!("latency = \"20ms\"\nbandwidth = \"2400B/s\"\nqueue = \"{queue}\"");
    let seen = play(&plan("nodes = 2", &network("1KiB"), NAIVE_DELTA, "", 3), &lines);
    let visible = seen.measures.visibility_latency_ns.expect("few enough updates to follow");
    assert_eq!((visible.p50, visible.max), (Some(40 * MS), Some(50 * MS)));
    assert_eq!(seen.traffic.bytes, 72);
    // The third finds 48 bytes waiting.
    let narrow = play(&plan("nodes = 2", &network("47B"), NAIVE_DELTA, "", 3), &lines);
    assert_eq!((narrow.traffic.overflowed, narrow.lost()), (1, 1));
    let wide = play(&plan("nodes = 2", &network("48B"), NAIVE_DELTA, "", 3), &lines);
    assert_eq!((wide.traffic.overflowed, wide.lost()), (0, 0));
}

#[test]
fn a_paused_replica_does_at_the_heal_what_arrived_before() {
    let pause = fault("1s", "1s", r#"pause = { nodes = ["n2"] }"#);
    let seen = simple(2, NAIVE_DELTA, &pause, &[add(1500, 1), read(1600, 2), read(1100, 1)]);
    assert_eq!(seen.measures.converged_at, Some(Time(2 * SECOND)));
    assert_eq!(seen.measures.visibility_latency_ns.expect("followed").max, Some(500 * MS));
    // The read waits for the heal, and the message that arrived before it has been handled by then.
    assert_eq!((seen.total(1), seen.waited_ms(1)), (Some(1), 400));
    assert_eq!(seen.waited_ms(2), 0);
}

#[test]
fn a_slow_replica_takes_its_time_for_one_thing_after_the_other() {
    let slow = fault("1s", "2s", r#"slow = { nodes = ["n2"], delay = "30ms" }"#);
    let seen = simple(3, NAIVE_DELTA, &slow, &[add(1500, 1), add(1500, 3), read(1500, 1)]);
    // Both arrive at 1520 ms; the first is handled at 1550 ms, the second at 1580 ms.
    let visible = seen.measures.visibility_latency_ns.expect("few enough updates to follow");
    assert_eq!((visible.p50, visible.max), (Some(50 * MS), Some(80 * MS)));
    assert_eq!(seen.waited_ms(2), 0);
}

#[test]
fn a_clock_that_was_set_back_loses_against_earlier_writers() {
    let clock = "[[fault]]\nat = \"1s\"\nclock = { nodes = [\"n1\"], offset = \"-1s\" }\n";
    // n1 knows of n2's update when it writes, and stamps 600 ms, which is before 1500 ms: n2 ignores it.
    let seen = simple(2, NAIVE, clock, &[add(1500, 2), add(1600, 1)]);
    assert_eq!((seen.finally.clone(), seen.lost()), (vec![Some(2), Some(1)], 1));
    let right = simple(2, NAIVE, "", &[add(1500, 2), add(1600, 1)]);
    assert_eq!((right.finally.clone(), right.lost()), (vec![Some(2), Some(2)], 0));
}

#[test]
fn a_drifting_clock_moves_the_rounds() {
    // The clock gains 10 %: 110 ms of it are 100 ms of true time.
    let clock = "[[fault]]\nat = \"0s\"\nclock = { nodes = [\"n1\"], drift = \"100000ppm\" }\n";
    let system = ROUNDS.replace("100ms", "110ms");
    let plan = plan("nodes = 2", r#"latency = "20ms""#, &system, clock, 1);
    let seen = play(&plan, &[add(1000, 1)]);
    let phase = first_round(&plan, "n1");
    // Rounds are 100 ms apart after the first, which may have been set before the clock began to drift.
    let since = seen.measures.converged_at.expect("it converges") - Time(phase + 20 * MS);
    assert_eq!(since % (100 * MS), 0, "{since}");
}

#[test]
fn link_faults_delay_and_duplicate_while_they_last() {
    let delay = fault("1s", "1s", r#"delay = { latency = "70ms", to = ["n2"] }"#);
    let seen = simple(3, NAIVE_DELTA, &delay, &[add(1500, 1), add(2500, 1)]);
    let visible = seen.measures.visibility_latency_ns.expect("few enough updates to follow");
    assert_eq!((visible.p50, visible.max), (Some(20 * MS), Some(90 * MS)));
    let twice = fault("1s", "1s", r#"duplicate = { probability = "100%", from = ["n1"], to = ["n3"] }"#);
    let seen = simple(3, NAIVE_DELTA, &twice, &[add(1500, 1), add(2500, 1)]);
    assert_eq!(seen.finally, [Some(2), Some(2), Some(3)]);
    assert_eq!(seen.phantoms(), 1);
}

#[test]
fn clients_can_be_cut_off_too() {
    // c1 is cut off from its replica: nothing is invoked there, and nobody can tell the client.
    let cut = fault("1s", "5s", r#"partition = { isolate = ["c1"] }"#);
    let seen = simple(2, EAGER, &cut, &[add(1500, 1), add(1500, 1)]);
    assert!(matches!(seen.operations[0].outcome, Outcome::Info(_)), "{:?}", seen.operations[0]);
    assert_eq!(seen.waited_ms(0), 1000, "the client waits for its timeout");
    assert!(seen.is_ok(1));
    assert_eq!((seen.lost(), seen.finally), (0, vec![Some(1), Some(1)]));
}

#[test]
fn every_replica_is_read_once_more_at_the_horizon() {
    let seen = simple(4, EAGER, "", &[add(1000, 1), add(2000, 4)]);
    assert_eq!(seen.horizon, Time(15 * SECOND), "ten seconds of work and five of quiet");
    assert_eq!(seen.finally, vec![Some(2); 4]);
    let down = "[[fault]]\nat = \"3s\"\ncrash = { nodes = [\"n2\"] }\n";
    let seen = simple(4, EAGER, down, &[add(1000, 1), add(4000, 4)]);
    assert_eq!(seen.finally, [Some(2), None, Some(2), Some(2)], "a crashed replica gives no value");
    assert!(seen.measures.converged_at.is_some(), "and live replicas agree without it");
}

#[test]
fn clients_stay_with_a_replica_or_roam() {
    let replicas = |binding: &str| {
        let text = format!(
            r#"
            name = "binding"
            cluster = {{ nodes = 3 }}
            workload = {{ object = "counter", clients = 2, rate = "20/s", duration = "5s", binding = "{binding}" }}
            system = [{{ name = "naive", naive = {{}} }}]
            "#
        );
        let plan = scenario::parse("binding.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
        let mut workload = plan.counting_clients(1).expect("a scenario of a counter");
        let next = || Workload::<Counter>::next(&mut workload, 1, Time::ZERO);
        let mut visited: Vec<u32> = std::iter::from_fn(next).map(|arrival| arrival.replica.0).collect();
        visited.sort_unstable();
        visited.dedup();
        visited
    };
    assert_eq!(replicas("replica"), [1]);
    assert_eq!(replicas("roaming"), [0, 1, 2]);
}
