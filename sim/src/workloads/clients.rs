//! Clients: when each of them invokes what, and where.
//!
//! The k-th operation of a client draws its kind and, when the client roams, its replica each from an address of its own;
//! what the operation is about is drawn by the generator of its object. For example, a mix of 7 additions to 3 reads turns
//! seven tenths of the words at `work.op` into additions, whatever the arrivals are. A script takes the place of all draws:
//! it says which client does what at which time.

use std::sync::Arc;

use crdts::{
    object::Object,
    objects::{cart::CartOp, counter::CounterOp, register::RegisterOp, sequence::SequenceOp, set::SetOp},
};

use super::{
    AmountDistribution, CartItems, Popularity, Typing,
    arrivals::{self, Arrivals, Pacing, Phase},
};
use crate::kernel::{
    draws::Stream,
    ids::NodeId,
    time::Time,
    workload::{Arrival, Loop, Workload},
};

/// Whom clients talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Client `k` always talks to replica `k` modulo the number of replicas.
    Replica,
    /// Every operation goes to a drawn replica.
    Roaming,
}

impl Binding {
    /// The replica of a bound client.
    fn replica(self, client: u32, replicas: u32) -> Option<NodeId> {
        (self == Self::Replica).then(|| NodeId(client % replicas))
    }
}

/// The weights of the kinds of operations, in the order in which the object's generator names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix(Vec<u32>);

impl Mix {
    /// A mix of these weights; `None` when all are zero.
    pub fn new(weights: Vec<u32>) -> Option<Self> {
        weights.iter().any(|&weight| weight > 0).then_some(Self(weights))
    }

    fn total(&self) -> u64 {
        self.0.iter().map(|&weight| u64::from(weight)).sum()
    }

    /// The kind at a place below the total.
    fn kind(&self, mut place: u64) -> usize {
        let fits = |&weight: &u32| {
            let inside = place < u64::from(weight);
            place = place.saturating_sub(u64::from(weight));
            inside
        };
        self.0.iter().position(fits).expect("the place is below the total")
    }
}

/// An operation that is about to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub client: u32,
    /// Its number among the client's, from 0.
    pub number: u64,
    /// The number of its kind among [`Generator::KINDS`].
    pub kind: usize,
}

/// What operations on an object are about.
pub trait Generator<O: Object>: Clone + Send + Sync {
    /// The kinds of operations, as in the `mix` of scenarios.
    const KINDS: &'static [&'static str];

    /// An operation of this kind.
    fn operation(&mut self, turn: Turn) -> O::Op;

    /// A scripted operation, if it is one of this object.
    fn scripted(op: &ScriptedOp) -> Option<O::Op>;

    /// As [`Workload::AIMS`].
    const AIMS: bool = false;

    /// As [`Workload::aim`], for operations that were drawn.
    fn aim(&mut self, client: u32, op: &mut O::Op, value: &O::State) {
        let _ = (client, op, value);
    }
}

/// An operation in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptedOp {
    /// Of a counter.
    Counter(CounterOp),
    /// Of a set.
    Set(SetOp<String>),
    /// Of a register.
    Register(RegisterOp<String>),
    /// Of a text.
    Sequence(SequenceOp),
    /// Of a cart.
    Cart(CartOp<String>),
}

/// A line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Time,
    /// Which client, from 0.
    pub client: u32,
    /// What it invokes.
    pub op: ScriptedOp,
}

/// Where invocations come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// They are drawn.
    Drawn {
        /// How invocations follow each other.
        pacing: Pacing,
        /// The beginning of the first phase.
        start: Time,
        /// Phases one after the other. There are no invocations after the last.
        phases: Vec<Phase>,
        /// What clients invoke.
        mix: Mix,
    },
    /// They are written down.
    Script(Vec<Step>),
}

/// What operations are about, by object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operations {
    /// Additions of such amounts.
    Counter(AmountDistribution),
    /// Elements by their popularity.
    Set(Popularity),
    /// Writes of values that occur once.
    Register,
    /// Keystrokes.
    Sequence(Typing),
    /// Items by their popularity, in such quantities.
    Cart(CartItems),
}

/// A workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadConfig {
    /// The number of clients.
    pub clients: u32,
    /// The number of replicas, at least one.
    pub replicas: u32,
    /// Whom clients talk to.
    pub binding: Binding,
    /// Where invocations come from.
    pub source: Source,
    /// What they are about.
    pub operations: Operations,
}

impl WorkloadConfig {
    /// For every client the replica to which it is bound; `None` when it roams.
    pub fn client_replica(&self) -> Vec<Option<NodeId>> {
        (0..self.clients).map(|client| self.binding.replica(client, self.replicas)).collect()
    }

    /// All invocations are at this or later.
    pub fn start(&self) -> Time {
        match &self.source {
            Source::Drawn { start, .. } => *start,
            Source::Script(steps) => steps.iter().map(|step| step.at).min().unwrap_or(Time::ZERO),
        }
    }

    /// Can clients invoke the kind of operation with this number? A script is not asked.
    pub fn invokes(&self, kind: usize) -> bool {
        match &self.source {
            Source::Drawn { mix, .. } => mix.0.get(kind).is_some_and(|&weight| weight > 0),
            Source::Script(_) => true,
        }
    }

    /// All invocations are before this, or at it.
    pub fn end(&self) -> Time {
        match &self.source {
            Source::Drawn { start, phases, .. } => arrivals::end(*start, phases),
            Source::Script(steps) => steps.iter().map(|step| step.at).max().unwrap_or(Time::ZERO),
        }
    }
}

/// The operations of all clients, whose content `G` makes.
#[derive(Clone, Debug)]
pub struct Clients<G> {
    times: Times,
    replicas: u32,
    binding: Binding,
    kinds: Stream,
    choices: Stream,
    generator: G,
}

#[derive(Clone, Debug)]
enum Times {
    Drawn { arrivals: Arrivals, mix: Mix, weights: u64 },
    Script { steps: Arc<[Step]>, next: Vec<u32>, numbers: Vec<u64> },
}

impl<G> Clients<G> {
    /// The clients of a workload under `seed`.
    pub fn new(config: &WorkloadConfig, generator: G, seed: u64) -> Self {
        let times = match &config.source {
            Source::Drawn { pacing, start, phases, mix } => Times::Drawn {
                arrivals: Arrivals::new(config.clients, *pacing, *start, phases, seed),
                weights: mix.total(),
                mix: mix.clone(),
            },
            Source::Script(steps) => {
                let mut steps = steps.clone();
                // Stable: what a client does at one time happens in the order of the file.
                steps.sort_by_key(|step| step.at);
                let clients = config.clients as usize;
                Times::Script { steps: steps.into(), next: vec![0; clients], numbers: vec![0; clients] }
            }
        };
        Self {
            times,
            replicas: config.replicas,
            binding: config.binding,
            kinds: Stream::new(seed, "work.op"),
            choices: Stream::new(seed, "work.replica"),
            generator,
        }
    }
}

impl<O: Object, G: Generator<O>> Workload<O> for Clients<G> {
    fn pacing(&self) -> Loop {
        match &self.times {
            Times::Drawn { arrivals, .. } => arrivals.pacing(),
            Times::Script { .. } => Loop::Open,
        }
    }

    fn next(&mut self, client: u32, not_before: Time) -> Option<Arrival<O::Op>> {
        let entity = u64::from(client);
        let (at, number, op) = match &mut self.times {
            Times::Drawn { arrivals, mix, weights } => {
                let due = arrivals.next(client, not_before)?;
                let kind = mix.kind(self.kinds.below(entity, due.number, *weights));
                (due.at, due.number, self.generator.operation(Turn { client, number: due.number, kind }))
            }
            Times::Script { steps, next, numbers } => {
                let from = next[client as usize] as usize;
                let offset = steps[from..].iter().position(|step| step.client == client)?;
                let step = &steps[from + offset];
                next[client as usize] = (from + offset) as u32 + 1;
                numbers[client as usize] += 1;
                (step.at.max(not_before), numbers[client as usize] - 1, G::scripted(&step.op)?)
            }
        };
        let replica = self
            .binding
            .replica(client, self.replicas)
            .unwrap_or_else(|| NodeId(self.choices.below(entity, number, u64::from(self.replicas)) as u32));
        Some(Arrival { at, replica, op })
    }

    const AIMS: bool = G::AIMS;

    fn aim(&mut self, client: u32, op: &mut O::Op, value: &O::State) {
        if matches!(self.times, Times::Drawn { .. }) {
            self.generator.aim(client, op, value);
        }
    }
}
