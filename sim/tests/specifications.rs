//! Causal data types and texts in the simulator: at every change of every replica, the value is what the specification says of
//! the updates that the replica has seen, over the order in which they saw each other.

use crdts::{
    Encode, OrSet, ReplicaId, RwSet,
    causality::{CausalSpec, Event},
    lattice::Crdt,
    mv_register::MvRegister,
    object::Object,
    objects::{register::RegisterOp, sequence::SequenceOp, set::SetOp},
    sequence::{
        Fugue, Rga,
        reference::{Algorithm, Replica},
    },
};
use sim::{
    checkers::{Verdict, specification::Specification},
    kernel::{
        draws::Stream,
        ids::{NodeId, OpId},
        node::{Node, OpOf, StateOf},
        observer::{Invocation, Mark, Observer, View},
        time::{MILLISECOND, Time},
        workload::{Arrival, Loop, Workload},
        world::{Stop, World},
    },
    protocols::gossip::{Gossip, GossipConfig, PayloadKind},
    scenario,
    services::{Kv, Value},
};

const CLIENTS: u32 = 4;
const OPERATIONS: u64 = 8;

/// Every client works at its own replica, with operations made from draws.
#[derive(Clone)]
struct Drawn<O: Object> {
    draws: Stream,
    made: Vec<u64>,
    op: Draw<O::Op>,
}

impl<O: Object> Workload<O> for Drawn<O>
where
    O::Op: Send + Sync,
{
    fn pacing(&self) -> Loop {
        Loop::Open
    }

    fn next(&mut self, client: u32, _: Time) -> Option<Arrival<O::Op>> {
        let number = self.made[client as usize];
        self.made[client as usize] += 1;
        let mut draw = number * 100;
        let mut below = |bound| {
            draw += 1;
            self.draws.below(u64::from(client), draw, bound)
        };
        let at = Time((1 + number * 60 + below(50)) * MILLISECOND);
        (number < OPERATIONS).then(|| Arrival { at, replica: NodeId(client), op: (self.op)(&mut below) })
    }
}

/// Compares at every change.
#[derive(Clone)]
struct Compared<C: Crdt> {
    specification: Specification<C>,
    ops: Vec<<C::Object as Object>::Op>,
    /// The update that was just made, and under which identity.
    made: Option<(OpId, ReplicaId)>,
    /// How often a value was right, and how often there was none specified.
    verdicts: [usize; 2],
    wrong: Option<String>,
}

impl<C> Observer<Gossip<C>, Kv<StateOf<Gossip<C>>>> for Compared<C>
where
    C: Crdt + Encode + Send + Sync,
    C::Digest: Send + Sync,
    StateOf<Gossip<C>>: Value,
{
    fn invoked(&mut self, _: Time, invocation: &Invocation<'_, OpOf<Gossip<C>>>) {
        self.ops.push(invocation.what.clone());
    }

    fn effect(&mut self, _: Time, op: OpId, mark: Mark) {
        let Mark::Progress { origin, .. } = mark else { panic!("gossip marks its updates by progress") };
        self.made = Some((op, origin));
    }

    fn changed(&mut self, now: Time, replica: NodeId, view: &View<'_, Gossip<C>, Kv<StateOf<Gossip<C>>>>) {
        let state = view.nodes[replica.index()].state();
        if let Some((op, origin)) = self.made.take() {
            self.specification.updated(origin, &self.ops[op.0 as usize], state);
        }
        match self.specification.check(state) {
            Verdict::Pass => self.verdicts[0] += 1,
            Verdict::Vacuous { .. } => self.verdicts[1] += 1,
            wrong => {
                self.wrong.get_or_insert_with(|| format!("n{} at {now}: {wrong}", replica.0 + 1));
            }
        }
    }
}

/// The value after a causal history.
type Specify<C> = fn(&[Event<<<C as Crdt>::Object as Object>::Op>]) -> <<C as Crdt>::Object as Object>::State;

/// An operation from draws below given bounds.
type Draw<Op> = fn(&mut dyn FnMut(u64) -> u64) -> Op;

/// Runs a type in a bad network, and compares it with `specify`. Returns how many values were right, and what was not.
fn run<C>(seed: u64, payload: PayloadKind, specify: Specify<C>, op: Draw<OpOf<Gossip<C>>>) -> (usize, Option<String>)
where
    C: Crdt + Encode + Send + Sync,
    C::Digest: Send + Sync,
    StateOf<Gossip<C>>: Value,
{
    let text = r#"
        name = "bad-network"
        cluster = { nodes = 4 }
        network = { latency = { uniform = { min = "1ms", max = "80ms" } }, loss = "10%", duplicate = "10%" }
        workload = { object = "counter", clients = 4, rate = "1/s", duration = "600ms", quiet = "3s" }
        fault = [{ at = "200ms", for = "300ms", partition = "halves" }]
        system = [{ name = "any", gossip = { crdt = "pn-counter" } }]
    "#;
    let plan =
        scenario::parse("bad-network.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}")).run_plan(seed);
    let config = GossipConfig { payload, interval_ns: 40 * MILLISECOND, ..GossipConfig::default() };
    let workload = Drawn::<C::Object> { draws: Stream::new(seed, "test.ops"), made: vec![0; CLIENTS as usize], op };
    let compared = Compared {
        specification: Specification::new(specify),
        ops: Vec::new(),
        made: None,
        verdicts: [0; 2],
        wrong: None,
    };
    let mut world = World::<Gossip<C>, Kv<StateOf<Gossip<C>>>, _, _>::new(plan, config, vec![], workload, compared);
    assert_eq!(world.run(), Stop::Completed);
    let view = world.view();
    let values: Vec<_> = view.nodes.iter().map(Node::value).collect();
    assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}: {values:?}");
    let compared = world.observer();
    (compared.verdicts[0], compared.wrong.clone())
}

/// Runs a type under many seeds and with every payload.
macro_rules! always {
    ($type:ty, $specify:expr, $op:expr) => {
        for payload in [PayloadKind::State, PayloadKind::Delta, PayloadKind::Digest] {
            let mut right = 0;
            for seed in 0..20 {
                let (passed, wrong) = run::<$type>(seed, payload, $specify, $op);
                assert_eq!(wrong, None, "seed {seed}, {payload:?}");
                right += passed;
            }
            assert!(right > 20 * 40, "only {right} values were compared with {payload:?}");
        }
    };
}

/// Three elements, so that additions and removals meet.
fn set_op(below: &mut dyn FnMut(u64) -> u64) -> SetOp<u64> {
    match below(5) {
        0..3 => SetOp::Add(below(3)),
        _ => SetOp::Remove(below(3)),
    }
}

fn register_op(below: &mut dyn FnMut(u64) -> u64) -> RegisterOp<u64> {
    RegisterOp::Write(below(1_000_000))
}

fn text_op(below: &mut dyn FnMut(u64) -> u64) -> SequenceOp {
    let position = below(4) as usize;
    if below(4) == 0 {
        return SequenceOp::DeleteAt { position, len: 1 };
    }
    let letter = char::from(b'a' + below(26) as u8);
    SequenceOp::InsertAt { position, text: letter.to_string().repeat(1 + below(3) as usize) }
}

/// The text after a causal history, by a slow replica that performs each edit on what its writer had seen.
fn text_of(algorithm: Algorithm, history: &[Event<SequenceOp>]) -> String {
    let mut pending: Vec<&Event<SequenceOp>> = history.iter().collect();
    pending.sort_by_key(|event| event.past.len());
    let mut done = std::collections::BTreeMap::new();
    let mut all = Replica::new(algorithm, ReplicaId(u32::MAX));
    for event in pending {
        let mut replica = Replica::new(algorithm, event.dot.replica);
        for op in event.past.iter().filter_map(|dot| done.get(dot)).flatten() {
            replica.receive(op);
        }
        let ops = match &event.op {
            SequenceOp::InsertAt { position, text } => replica.insert(*position, text).map(|op| vec![op]),
            SequenceOp::DeleteAt { position, len } => replica.delete(*position, *len),
            SequenceOp::Read => Ok(Vec::new()),
        };
        let ops = ops.unwrap_or_else(|error| panic!("the edit was possible at its writer: {error}"));
        for op in &ops {
            all.receive(op);
        }
        done.insert(event.dot, ops);
    }
    all.text()
}

#[test]
fn observed_remove_sets() {
    always!(OrSet<u64>, OrSet::specify, set_op);
}

#[test]
fn multi_value_registers() {
    always!(MvRegister<u64>, MvRegister::specify, register_op);
}

#[test]
fn texts_by_rga() {
    always!(Rga, |history| text_of(Algorithm::Rga, history), text_op);
}

#[test]
fn texts_by_fugue() {
    always!(Fugue, |history| text_of(Algorithm::Fugue, history), text_op);
}

#[test]
fn another_types_specification_is_broken_soon() {
    // Removals win over concurrent additions, which an observed-remove set must not do.
    let caught =
        (0..20).filter(|&seed| run::<RwSet<u64>>(seed, PayloadKind::State, OrSet::specify, set_op).1.is_some());
    assert!(caught.count() >= 15);
    let by_fugue = |history: &[Event<SequenceOp>]| text_of(Algorithm::Fugue, history);
    let caught = (0..20).filter(|&seed| run::<Rga>(seed, PayloadKind::State, by_fugue, text_op).1.is_some());
    assert!(caught.count() >= 5);
}
