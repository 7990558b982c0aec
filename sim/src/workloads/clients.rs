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

    /// A scripted operation of a client, if it is one of this object.
    fn scripted(op: &ScriptedOp, client: u32) -> Option<O::Op>;

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
    /// Elements that occur once, added to a set that grows.
    GrowOnlySet,
    /// Messages that occur once, told to everybody.
    Broadcast,
    /// Reads, writes and compare-and-sets of a store.
    KeyValue {
        /// How many keys there are.
        keys: u32,
    },
    /// Texts to be repeated.
    Echo,
    /// Ids to be given out.
    UniqueIds,
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
                (step.at.max(not_before), numbers[client as usize] - 1, G::scripted(&step.op, client)?)
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

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use crdts::objects::{counter::Counter, set::Set};

    use super::*;
    use crate::{
        kernel::time::SECOND,
        workloads::{CounterGenerator, SetGenerator},
    };

    fn config(operations: Operations, source: Source) -> WorkloadConfig {
        WorkloadConfig { clients: 3, replicas: 4, binding: Binding::Roaming, source, operations }
    }

    fn drawn(weights: Vec<u32>) -> Source {
        let phases = vec![Phase { for_ns: 20 * SECOND, rate_mhz: 20_000, think_ns: 0 }];
        let mix = Mix::new(weights).expect("not all are zero");
        Source::Drawn { pacing: Pacing::Poisson, start: Time(SECOND), phases, mix }
    }

    fn all<O: Object, G: Generator<O>>(config: &WorkloadConfig, generator: G) -> Vec<(Time, NodeId, O::Op)> {
        let mut clients = Clients::new(config, generator, 7);
        let mut arrivals = Vec::new();
        for client in 0..config.clients {
            while let Some(Arrival { at, replica, op }) = Workload::<O>::next(&mut clients, client, Time::ZERO) {
                arrivals.push((at, replica, op));
            }
        }
        arrivals
    }

    fn when_and_where<Op: Debug>(arrivals: &[(Time, NodeId, Op)]) -> Vec<(Time, NodeId)> {
        assert!(arrivals.len() > 300, "{arrivals:?}");
        arrivals.iter().map(|(at, replica, _)| (*at, *replica)).collect()
    }

    #[test]
    fn what_operations_are_about_disturbs_neither_times_nor_replicas() {
        let amounts = AmountDistribution::Constant(1);
        let counter = config(Operations::Counter(amounts.clone()), drawn(vec![1, 1]));
        let counted = all::<Counter, _>(&counter, CounterGenerator::new(amounts, 7));
        let names = || (1..=9).map(|k| format!("e{k}"));
        let set = |elements: Popularity| {
            let set = config(Operations::Set(elements.clone()), drawn(vec![1, 1, 1]));
            all::<Set<String>, _>(&set, SetGenerator::new(elements, 7))
        };
        let (even, hot) = (set(Popularity::even(names())), set(Popularity::zipf(names(), 1_500)));
        assert_eq!(when_and_where(&counted), when_and_where(&even));
        assert_eq!(when_and_where(&even), when_and_where(&hot));
        assert_ne!(even, hot);
        let kinds = |arrivals: &[(Time, NodeId, SetOp<String>)]| -> Vec<&'static str> {
            arrivals.iter().map(|(.., op)| Set::<String>::op_name(op)).collect()
        };
        assert_eq!(kinds(&even), kinds(&hot), "who is hot does not decide what is done");
    }

    #[test]
    fn a_script_is_played_line_by_line() {
        let line = |seconds: u64, client, amount| Step {
            at: Time(seconds * SECOND),
            client,
            op: ScriptedOp::Counter(CounterOp::Add(amount)),
        };
        let script = config(
            Operations::Counter(AmountDistribution::Constant(1)),
            Source::Script(vec![line(3, 0, 10), line(1, 0, 20), line(1, 2, 30), line(1, 0, 40)]),
        );
        assert_eq!((script.start(), script.end()), (Time(SECOND), Time(3 * SECOND)));
        let played = all::<Counter, _>(&script, CounterGenerator::new(AmountDistribution::Constant(1), 7));
        let amounts: Vec<(u64, i64)> = played
            .iter()
            .map(|(at, _, op)| match op {
                CounterOp::Add(amount) => (at.0 / SECOND, *amount),
                CounterOp::Read => unreachable!("nobody reads in this script"),
            })
            .collect();
        assert_eq!(amounts, [(1, 20), (1, 40), (3, 10), (1, 30)], "what is written first is done first");
    }

    #[test]
    fn a_line_of_another_object_is_not_played() {
        let line = Step { at: Time(1), client: 0, op: ScriptedOp::Set(SetOp::Read) };
        let script = config(Operations::Counter(AmountDistribution::Constant(1)), Source::Script(vec![line]));
        assert_eq!(all::<Counter, _>(&script, CounterGenerator::new(AmountDistribution::Constant(1), 7)), []);
    }
}
