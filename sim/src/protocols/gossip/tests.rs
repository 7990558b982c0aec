//! Replicas of gossip with a network in which every message waits until a test says what becomes of it.

use crdts::{
    GCounter, Lattice, PnCounter,
    objects::counter::{CounterOp, CounterRet},
};
use proptest::prelude::*;

use super::*;
use crate::kernel::{
    node::Payload,
    recorded::{Effect, Recorded},
    topology::{Rows, Topology},
};

type Replica = Gossip<PnCounter>;

struct Cluster {
    config: GossipConfig,
    replicas: u32,
    nodes: Vec<Replica>,
    /// States that a stale recovery goes back to.
    snapshots: Vec<Replica>,
    incarnations: Vec<u32>,
    cx: Recorded<Replica>,
    /// Messages on their way: sender, receiver, body.
    wire: Vec<(NodeId, NodeId, Message<PnCounter>)>,
    operations: u32,
}

impl Cluster {
    fn new(config: &GossipConfig, topology: Topology, seed: u64) -> Self {
        let replicas = topology.replicas();
        let nodes: Vec<Replica> = (0..replicas).map(|id| Replica::boot(config, NodeId(id), replicas)).collect();
        let mut cx = Recorded::new(topology);
        cx.seed(seed);
        Self {
            config: config.clone(),
            replicas,
            snapshots: nodes.clone(),
            nodes,
            incarnations: vec![0; replicas as usize],
            cx,
            wire: Vec::new(),
            operations: 0,
        }
    }

    fn complete(config: &GossipConfig) -> Self {
        Self::new(config, Topology::Complete { replicas: 3 }, 1)
    }

    fn with<R>(&mut self, at: u32, act: impl FnOnce(&mut Replica, &mut Recorded<Replica>) -> R) -> R {
        self.cx.act_as(NodeId(at), self.incarnations[at as usize]);
        let before = self.nodes[at as usize].value();
        let result = act(&mut self.nodes[at as usize], &mut self.cx);
        let mut touched = false;
        for effect in self.cx.take_effects() {
            match effect {
                Effect::Send { to, message } => self.wire.push((NodeId(at), to, message)),
                Effect::Touched => touched = true,
                Effect::Reply { reply, .. } => assert!(matches!(reply, Reply::Ok(_))),
                Effect::TookEffect { origin, progress, .. } => {
                    assert_eq!(self.nodes[at as usize].progress_of(origin), progress);
                }
                Effect::After { .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
        assert!(touched || self.nodes[at as usize].value() == before, "the value changed unnoticed");
        result
    }

    fn add(&mut self, at: u32, amount: i64) {
        let op = OpId(self.operations);
        self.operations += 1;
        self.with(at, |node, cx| node.on_request(op, CounterOp::Add(amount), cx));
    }

    fn round(&mut self, at: u32) {
        self.with(at, |node, cx| node.on_timer(Round, cx));
    }

    fn deliver(&mut self, index: usize) {
        let (from, to, message) = self.wire.remove(index);
        self.with(to.0, |node, cx| node.on_message(from, message, cx));
    }

    fn deliver_all(&mut self) -> usize {
        let mut count = 0;
        while !self.wire.is_empty() {
            self.deliver(0);
            count += 1;
            assert!(count < 10_000, "messages beget messages without end");
        }
        count
    }

    /// Rounds of everybody in which everything arrives. Returns the number of messages of the last one.
    fn rounds(&mut self, count: u32) -> usize {
        let mut messages = 0;
        for _ in 0..count {
            for at in 0..self.replicas {
                self.round(at);
            }
            messages = self.deliver_all();
        }
        messages
    }

    fn restart(&mut self, at: u32, recovery: Recovery) {
        let index = at as usize;
        match recovery {
            Recovery::Durable => {}
            Recovery::Volatile => self.nodes[index] = Replica::boot(&self.config, NodeId(at), self.replicas),
            Recovery::Stale => self.nodes[index] = self.snapshots[index].clone(),
        }
        self.incarnations[index] += 1;
        self.with(at, |node, cx| node.on_restart(recovery, cx));
    }

    fn values(&self) -> Vec<i128> {
        self.nodes.iter().map(Node::value).collect()
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.wire.iter().map(|(_, _, message)| message.kind()).collect()
    }
}

fn configs() -> impl Iterator<Item = GossipConfig> {
    [Mode::Push, Mode::Pull, Mode::PushPull].into_iter().flat_map(|mode| {
        [PayloadKind::State, PayloadKind::Delta, PayloadKind::Digest].into_iter().flat_map(move |payload| {
            [false, true].map(|eager| GossipConfig { mode, payload, eager, ..GossipConfig::default() })
        })
    })
}

fn config(mode: Mode, payload: PayloadKind) -> GossipConfig {
    GossipConfig { mode, payload, ..GossipConfig::default() }
}

fn path() -> Topology {
    Topology::Sparse(Rows::from_edges(3, &[(0, 1), (1, 2)]))
}

#[test]
fn all_modes_and_payloads_converge() {
    for config in configs() {
        for topology in [Topology::Complete { replicas: 3 }, path()] {
            let mut cluster = Cluster::new(&config, topology, 5);
            for (at, amount) in [(0, 5), (1, -2), (2, 40), (0, 7)] {
                cluster.add(at, amount);
            }
            cluster.rounds(30);
            assert_eq!(cluster.values(), [50; 3], "{config:?}");
            assert!(cluster.nodes.iter().all(|node| node.state() == cluster.nodes[0].state()));
        }
    }
}

#[test]
fn a_round_opens_as_the_mode_and_the_payload_say() {
    let rows = [
        (Mode::Push, PayloadKind::State, "state"),
        (Mode::Pull, PayloadKind::State, "pull"),
        (Mode::PushPull, PayloadKind::State, "state"),
        (Mode::Push, PayloadKind::Delta, "state"),
        (Mode::Pull, PayloadKind::Delta, "digest"),
        (Mode::PushPull, PayloadKind::Delta, "state"),
        (Mode::Push, PayloadKind::Digest, "digest"),
        (Mode::Pull, PayloadKind::Digest, "digest"),
        (Mode::PushPull, PayloadKind::Digest, "digest"),
    ];
    for (mode, payload, kind) in rows {
        let mut cluster = Cluster::complete(&config(mode, payload));
        cluster.add(0, 1);
        cluster.round(0);
        assert_eq!(cluster.kinds(), [kind], "{mode:?} {payload:?}");
        let receiver = cluster.wire[0].1.index();
        cluster.deliver_all();
        // A pull brings nothing to the peer; everything else does.
        assert_eq!(cluster.values()[receiver], i128::from(mode != Mode::Pull), "{mode:?} {payload:?}");
    }
}

#[test]
fn pulls_and_exchanges_bring_the_peers_updates() {
    for payload in [PayloadKind::State, PayloadKind::Delta, PayloadKind::Digest] {
        for mode in [Mode::Pull, Mode::PushPull] {
            let mut cluster = Cluster::new(&config(mode, payload), Topology::Complete { replicas: 2 }, 1);
            cluster.add(0, 1);
            cluster.add(1, 10);
            cluster.round(0);
            cluster.deliver_all();
            assert_eq!(cluster.values()[0], 11, "{mode:?} {payload:?}");
            assert_eq!(cluster.values()[1], if mode == Mode::Pull { 10 } else { 11 });
        }
    }
}

#[test]
fn nothing_is_sent_when_everything_is_acknowledged() {
    for mode in [Mode::Push, Mode::PushPull] {
        let mut cluster = Cluster::complete(&config(mode, PayloadKind::Delta));
        assert_eq!(cluster.rounds(3), 0, "replicas without updates have nothing to say");
        for at in 0..3 {
            cluster.add(at, 1);
        }
        cluster.rounds(30);
        assert_eq!((cluster.values(), cluster.rounds(3)), (vec![3; 3], 0));
        cluster.add(0, 1);
        cluster.rounds(1);
        cluster.add(0, 1);
        cluster.rounds(30);
        assert_eq!((cluster.values(), cluster.rounds(3)), (vec![5; 3], 0));
        assert!(cluster.nodes.iter().all(|node| node.buffer.as_ref().is_some_and(|buffer| buffer.is_empty())));
    }
}

#[test]
fn equal_replicas_exchange_a_single_message() {
    for payload in [PayloadKind::State, PayloadKind::Digest] {
        let mut cluster = Cluster::complete(&config(Mode::PushPull, payload));
        cluster.add(0, 1);
        cluster.rounds(20);
        cluster.round(1);
        assert_eq!(cluster.deliver_all(), 1);
    }
}

#[test]
fn an_acknowledgement_for_a_former_incarnation_is_ignored() {
    let mut cluster = Cluster::new(&config(Mode::Push, PayloadKind::Delta), Topology::Complete { replicas: 2 }, 1);
    cluster.add(0, 1);
    cluster.round(0);
    cluster.deliver(0);
    assert_eq!(cluster.kinds(), ["ack"]);
    cluster.restart(0, Recovery::Durable);
    cluster.add(0, 1);
    cluster.deliver(0);
    cluster.round(0);
    assert_eq!(cluster.kinds(), ["state"], "the acknowledgement said nothing about the new numbers");
    cluster.deliver_all();
    assert_eq!(cluster.values(), [2, 2]);
}

#[test]
fn a_replica_that_forgot_everything_is_told_again() {
    for mode in [Mode::Push, Mode::Pull, Mode::PushPull] {
        let mut cluster = Cluster::complete(&config(mode, PayloadKind::Delta));
        cluster.add(0, 1);
        cluster.add(1, 2);
        cluster.rounds(30);
        cluster.restart(1, Recovery::Volatile);
        assert_eq!(cluster.values()[1], 0);
        cluster.rounds(30);
        assert_eq!(cluster.values(), [3; 3], "{mode:?}");
        cluster.add(1, 10);
        cluster.rounds(30);
        assert_eq!(cluster.values(), [13; 3], "{mode:?}");
    }
}

#[test]
fn a_late_message_of_a_former_incarnation_is_passed_back_to_its_sender() {
    let mut cluster = Cluster::new(&config(Mode::Push, PayloadKind::Delta), Topology::Complete { replicas: 2 }, 1);
    cluster.add(0, 1);
    cluster.round(0);
    let late = cluster.wire.remove(0);
    cluster.restart(0, Recovery::Volatile);
    cluster.rounds(5);
    assert_eq!(cluster.values(), [0, 0]);
    cluster.wire.push(late);
    cluster.deliver_all();
    cluster.rounds(5);
    assert_eq!(cluster.values(), [1, 1], "the update of the former incarnation came home");
}

#[test]
fn an_interval_that_builds_on_a_former_incarnation_is_not_acknowledged() {
    let mut cluster = Cluster::new(&config(Mode::Push, PayloadKind::Delta), Topology::Complete { replicas: 2 }, 1);
    cluster.add(0, 1);
    cluster.rounds(3);
    cluster.add(0, 10);
    cluster.round(0);
    assert_eq!(cluster.kinds(), ["delta"]);
    cluster.restart(1, Recovery::Volatile);
    cluster.deliver_all();
    // Both additions share an entry, so that the value is complete; it need not have been.
    assert_eq!((cluster.values(), cluster.kinds()), (vec![11, 11], vec![]));
    cluster.round(1);
    cluster.deliver_all();
    cluster.round(0);
    assert_eq!(cluster.kinds(), ["state"]);
}

#[test]
fn eager_updates_go_to_all_peers_of_a_small_complete_graph_and_else_to_a_few() {
    for (topology, fanout, expected) in
        [(Topology::Complete { replicas: 17 }, 2, 16), (Topology::Complete { replicas: 18 }, 2, 2), (path(), 1, 1)]
    {
        let config = GossipConfig { eager: true, fanout, ..GossipConfig::default() };
        let mut cluster = Cluster::new(&config, topology, 1);
        cluster.add(0, 3);
        assert_eq!(cluster.kinds(), vec!["delta"; expected]);
        cluster.add(0, 0);
        assert_eq!(cluster.wire.len(), expected, "an addition of nothing is no news");
    }
}

#[test]
fn rounds_keep_their_interval_within_the_jitter() {
    let config = GossipConfig { interval_ns: 1000, jitter_ns: 100, ..GossipConfig::default() };
    let mut cx = Recorded::<Replica>::new(Topology::Complete { replicas: 4 });
    cx.seed(1);
    let mut node = Replica::boot(&config, NodeId(0), 4);
    let mut delays = Vec::new();
    node.on_start(&mut cx);
    for _ in 0..200 {
        delays.extend(cx.take_effects().into_iter().filter_map(|effect| match effect {
            Effect::After { delay_ns, .. } => Some(delay_ns),
            _ => None,
        }));
        node.on_timer(Round, &mut cx);
    }
    assert!(delays[0] < 1000);
    assert!(delays[1..].iter().all(|delay_ns| (900..=1100).contains(delay_ns)));
    assert!(delays[1..].iter().any(|delay_ns| *delay_ns < 950) && delays[1..].iter().any(|delay_ns| *delay_ns > 1050));
}

#[test]
fn what_the_type_cannot_express_is_refused() {
    let mut cx = Recorded::<Gossip<GCounter>>::new(Topology::Complete { replicas: 2 });
    let mut node = Gossip::<GCounter>::boot(&GossipConfig::default(), NodeId(0), 2);
    let mut replies = Vec::new();
    for op in [CounterOp::Add(-1), CounterOp::Add(4), CounterOp::Read] {
        node.on_request(OpId(0), op, &mut cx);
        replies.extend(cx.take_effects().into_iter().filter_map(|effect| match effect {
            Effect::Reply { reply, .. } => Some(reply),
            _ => None,
        }));
    }
    let total = Reply::Ok(CounterRet::Total(4));
    assert_eq!(replies, [Reply::Fail(Refusal::Unsupported), Reply::Ok(CounterRet::Added), total]);
}

#[test]
fn messages_have_sizes_and_contents_of_their_own() {
    let mut state = PnCounter::bottom();
    state.update(ReplicaId(1), &CounterOp::Add(300)).expect("an addition");
    let weight = state.weight().total_bytes();
    let interval = |whole, through| Message::Interval {
        content: state.clone(),
        whole,
        answer: false,
        incarnation: 0,
        builds_on: 0,
        through,
    };
    let messages = [
        (Message::State { state: Summed::new(state.clone()), answer: false }, 16 + weight),
        (Message::State { state: Summed::new(state.clone()), answer: true }, 16 + weight),
        (Message::Pull, 16),
        (Message::Delta(state.clone()), 16 + weight),
        (Message::Digest { digest: state.digest(), ask: Ask::Offer }, 16 + PnCounter::digest_bytes(&state.digest())),
        (Message::Digest { digest: state.digest(), ask: Ask::Request }, 16 + PnCounter::digest_bytes(&state.digest())),
        (interval(true, 3), 32 + weight),
        (interval(false, 3), 32 + weight),
        (interval(false, 4), 32 + weight),
        (Message::Ack { by: 0, incarnation: 0, through: 4 }, 32),
        (Message::Ack { by: 1, incarnation: 0, through: 4 }, 32),
    ];
    let mut digests = std::collections::BTreeSet::new();
    for (message, bytes) in &messages {
        assert_eq!(message.bytes(), *bytes, "{message:?}");
        let mut fold = crate::kernel::fold::Fold::default();
        message.fold(&mut fold);
        assert!(digests.insert(fold.digest()), "{message:?}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Add(u32, i64),
    Round(u32),
    Deliver(usize),
    Drop(usize),
    Duplicate(usize),
    Snapshot(u32),
    Restart(u32, Recovery),
}

fn moves(restarts: bool) -> impl Strategy<Value = Vec<Move>> {
    let recovery = prop_oneof![Just(Recovery::Durable), Just(Recovery::Volatile), Just(Recovery::Stale)];
    let one = prop_oneof![
        3 => (0..3_u32, -5..5_i64).prop_map(|(at, amount)| Move::Add(at, amount)),
        3 => (0..3_u32).prop_map(Move::Round),
        6 => any::<usize>().prop_map(Move::Deliver),
        1 => any::<usize>().prop_map(Move::Drop),
        1 => any::<usize>().prop_map(Move::Duplicate),
        1 => (0..3_u32).prop_map(Move::Snapshot),
        u32::from(restarts) => (0..3_u32, recovery).prop_map(|(at, recovery)| Move::Restart(at, recovery)),
    ];
    proptest::collection::vec(one, 0..80)
}

fn perform(cluster: &mut Cluster, step: Move) {
    let on_wire = cluster.wire.len();
    match step {
        Move::Add(at, amount) => cluster.add(at, amount),
        Move::Round(at) => cluster.round(at),
        Move::Snapshot(at) => cluster.snapshots[at as usize] = cluster.nodes[at as usize].clone(),
        Move::Restart(at, recovery) => cluster.restart(at, recovery),
        Move::Deliver(_) | Move::Drop(_) | Move::Duplicate(_) if on_wire == 0 => {}
        Move::Deliver(index) => cluster.deliver(index % on_wire),
        Move::Drop(index) => drop(cluster.wire.remove(index % on_wire)),
        Move::Duplicate(index) => {
            let copy = cluster.wire[index % on_wire].clone();
            cluster.wire.push(copy);
        }
    }
}

fn any_config() -> impl Strategy<Value = GossipConfig> {
    let all: Vec<_> = configs().collect();
    (proptest::sample::select(all), 1..3_u32, 1..6_u32).prop_map(|(config, fanout, delta_buffer_max)| GossipConfig {
        fanout,
        delta_buffer_max,
        ..config
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the network did, once messages get through all replicas come to the sum of all additions.
    #[test]
    fn nothing_is_lost_or_counted_twice(
        config in any_config(), moves in moves(false), complete in any::<bool>(), seed in 0..u64::MAX
    ) {
        let topology = if complete { Topology::Complete { replicas: 3 } } else { path() };
        let mut cluster = Cluster::new(&config, topology, seed);
        let mut sum = 0;
        for step in moves {
            if let Move::Add(_, amount) = step {
                sum += i128::from(amount);
            }
            perform(&mut cluster, step);
        }
        cluster.deliver_all();
        cluster.rounds(40);
        prop_assert_eq!(cluster.values(), vec![sum; 3]);
    }

    /// Restarts may lose updates that nobody had heard of, but the replicas agree all the same.
    #[test]
    fn restarts_do_not_divide_the_replicas(
        config in any_config(), moves in moves(true), complete in any::<bool>(), seed in 0..u64::MAX
    ) {
        let topology = if complete { Topology::Complete { replicas: 3 } } else { path() };
        let mut cluster = Cluster::new(&config, topology, seed);
        for step in moves {
            perform(&mut cluster, step);
        }
        cluster.deliver_all();
        cluster.rounds(40);
        let first = cluster.nodes[0].state().clone();
        prop_assert!(cluster.nodes.iter().all(|node| *node.state() == first), "{:?}", cluster.values());
    }
}
