//! The context that keeps effects as data.
//!
//! [`Recorded`] runs the handlers of a [`Node`] without a world: what a handler does is kept as a list of [`Effect`]s,
//! and whoever drives the node decides what becomes of each. Unit tests of protocols, the exploration of all
//! interleavings and the exchange with other programs use it. One `Recorded` serves any number of replicas, one after
//! the other: it speaks for the replica named by [`Recorded::act_as`].
//!
//! Invariant: effects are kept in the order in which the handler caused them, and draws are a function of
//! (seed, replica, purpose, number of the draw) or come from a script; never from anything else.
//!
//! ```
//! use sim::kernel::{
//!     ids::{NodeId, OpId},
//!     node::{Node, Reply},
//!     recorded::{Effect, Recorded},
//!     topology::Topology,
//! };
//! use sim::protocols::naive::Naive;
//! use crdts::objects::counter::{CounterOp, CounterRet};
//!
//! let mut cx = Recorded::<Naive>::new(Topology::Complete { replicas: 2 });
//! let mut node = Naive::boot(&(), NodeId(0), 2);
//! node.on_request(OpId(0), CounterOp::Read, &mut cx);
//! let effects = cx.take_effects();
//! assert!(matches!(effects[..], [Effect::Reply { reply: Reply::Ok(CounterRet::Total(0)), .. }]));
//! ```
//!
//! What is deliberately absent: a queue, a network and the passing of time. The clock stands where the driver puts it.

use std::collections::{BTreeMap, VecDeque};

use crdts::clock::ReplicaId;

use super::{
    draws::{Stream, below},
    ids::{NodeId, OpId},
    lineage::{Lineage, LineageId},
    node::{Context, Node, Purpose, Reply, RetOf, StateOf},
    service::KvRequest,
    topology::Topology,
};

/// What a handler did.
#[derive(Clone, Debug)]
pub enum Effect<N: Node> {
    /// It sent a message to a neighbour.
    Send {
        /// The receiver.
        to: NodeId,
        /// The body.
        message: N::Message,
    },
    /// It set a timer.
    After {
        /// When it fires, by the replica's clock.
        delay_ns: u64,
        /// What it carries back.
        timer: N::Timer,
    },
    /// It called a service.
    Call {
        /// The service.
        service: NodeId,
        /// The token that comes back with the reply.
        call: u64,
        /// The request.
        request: KvRequest<StateOf<N>>,
    },
    /// It answered a client.
    Reply {
        /// The client's operation.
        request: OpId,
        /// The answer.
        reply: Reply<RetOf<N>>,
    },
    /// It may have changed what a read would return.
    Touched,
    /// Ghost: it applied an update to the value at a lineage.
    Derived {
        /// The lineage before.
        from: LineageId,
        /// The update.
        op: OpId,
        /// The lineage after.
        to: LineageId,
    },
    /// Ghost: an update took effect.
    TookEffect {
        /// The update.
        op: OpId,
        /// The identity under which it was written.
        origin: ReplicaId,
        /// The origin's progress right after it.
        progress: u64,
    },
    /// Ghost: the next answer returns a value with this lineage.
    AnswersFrom {
        /// The lineage.
        lineage: LineageId,
    },
}

/// A draw that a handler made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// What it was for.
    pub purpose: Purpose,
    /// The number of possible results.
    pub bound: u64,
    /// The result.
    pub result: u64,
}

/// Where draws come from.
#[derive(Clone, Debug)]
enum Source {
    /// The results in order; after the last one, always 0.
    Script(VecDeque<u64>),
    /// Streams by purpose, with the number of draws so far by (replica, purpose).
    Seed { streams: [Stream; Purpose::COUNT], counters: BTreeMap<(NodeId, usize), u64> },
}

/// A context that keeps effects as data.
#[derive(Clone, Debug)]
pub struct Recorded<N: Node> {
    id: NodeId,
    incarnation: u32,
    topology: Topology,
    source: Source,
    effects: Vec<Effect<N>>,
    draws: Vec<Draw>,
    /// What the replica's clock shows.
    pub clock_ns: i64,
    /// The tree of values (ghost), shared by all replicas that this context speaks for.
    pub lineage: Lineage,
}

impl<N: Node> Recorded<N> {
    /// A context for the first incarnation of replica 0, with its clock at 0. All draws are 0 until
    /// [`Recorded::script`] or [`Recorded::seed`] say otherwise.
    pub fn new(topology: Topology) -> Self {
        Self {
            id: NodeId(0),
            incarnation: 0,
            topology,
            source: Source::Script(VecDeque::new()),
            effects: Vec::new(),
            draws: Vec::new(),
            clock_ns: 0,
            lineage: Lineage::default(),
        }
    }

    /// Speaks for this replica from now on.
    pub fn act_as(&mut self, id: NodeId, incarnation: u32) {
        assert!(id.0 < self.topology.replicas(), "there is no replica {} in this topology", id.0);
        (self.id, self.incarnation) = (id, incarnation);
    }

    /// The next draws give these results; after the last one, draws give 0.
    pub fn script(&mut self, results: impl IntoIterator<Item = u64>) {
        self.source = Source::Script(results.into_iter().collect());
    }

    /// Draws follow from this seed.
    pub fn seed(&mut self, seed: u64) {
        const NAMES: [&str; Purpose::COUNT] =
            ["recorded.peer", "recorded.jitter", "recorded.backoff", "recorded.sample"];
        self.source = Source::Seed { streams: NAMES.map(|name| Stream::new(seed, name)), counters: BTreeMap::new() };
    }

    /// The effects since they were last taken, in order.
    pub fn take_effects(&mut self) -> Vec<Effect<N>> {
        std::mem::take(&mut self.effects)
    }

    /// The draws since they were last taken, in order.
    pub fn take_draws(&mut self) -> Vec<Draw> {
        std::mem::take(&mut self.draws)
    }
}

impl<N: Node> Context<N> for Recorded<N> {
    fn id(&self) -> NodeId {
        self.id
    }

    fn incarnation(&self) -> u32 {
        self.incarnation
    }

    fn replicas(&self) -> u32 {
        self.topology.replicas()
    }

    fn clock_ns(&self) -> i64 {
        self.clock_ns
    }

    fn peers(&self) -> u32 {
        self.topology.degree(self.id)
    }

    fn peer(&self, index: u32) -> NodeId {
        assert!(index < self.peers(), "a neighbour's index is below the number of neighbours");
        self.topology.neighbour(self.id, index)
    }

    fn send(&mut self, to: NodeId, message: N::Message) {
        let adjacent = match &self.topology {
            Topology::Complete { replicas } => to != self.id && to.0 < *replicas,
            Topology::Sparse(rows) => rows.link(self.id.0, to.0).is_some(),
        };
        assert!(adjacent, "replica {} sends to {}, which is no neighbour", self.id.0, to.0);
        self.effects.push(Effect::Send { to, message });
    }

    fn after(&mut self, delay_ns: u64, timer: N::Timer) {
        self.effects.push(Effect::After { delay_ns, timer });
    }

    fn call(&mut self, service: NodeId, call: u64, request: KvRequest<StateOf<N>>) {
        self.effects.push(Effect::Call { service, call, request });
    }

    fn reply(&mut self, request: OpId, reply: Reply<RetOf<N>>) {
        self.effects.push(Effect::Reply { request, reply });
    }

    fn pick(&mut self, purpose: Purpose, bound: u64) -> u64 {
        assert!(bound > 0, "a draw has at least one possible result");
        let result = match &mut self.source {
            Source::Script(results) => results.pop_front().unwrap_or(0),
            Source::Seed { streams, counters } => {
                let stream = purpose as usize;
                let counter = counters.entry((self.id, stream)).or_insert(0);
                *counter += 1;
                below(streams[stream].word(u64::from(self.id.0), *counter - 1), bound)
            }
        };
        assert!(result < bound, "the script says {result}, but the draw for {purpose:?} is below {bound}");
        self.draws.push(Draw { purpose, bound, result });
        result
    }

    fn touched(&mut self) {
        self.effects.push(Effect::Touched);
    }

    fn derive(&mut self, from: LineageId, op: OpId) -> LineageId {
        let to = self.lineage.derive(from, op);
        self.effects.push(Effect::Derived { from, op, to });
        to
    }

    fn effect(&mut self, op: OpId, origin: ReplicaId, progress: u64) {
        self.effects.push(Effect::TookEffect { op, origin, progress });
    }

    fn answer_from(&mut self, lineage: LineageId) {
        self.effects.push(Effect::AnswersFrom { lineage });
    }
}

#[cfg(test)]
mod tests {
    use crdts::{
        lattice::Weight,
        objects::counter::{Counter, CounterOp},
    };

    use super::*;
    use crate::kernel::{
        fold::Fold,
        node::{Knowledge, Payload, Recovery},
        topology::Rows,
    };

    /// A replica that does nothing.
    #[derive(Clone, Debug)]
    struct Idle;

    #[derive(Clone, Debug)]
    struct Nothing;

    impl Payload for Nothing {
        fn bytes(&self) -> u64 {
            0
        }

        fn fold(&self, _: &mut Fold) {}

        fn kind(&self) -> &'static str {
            "nothing"
        }
    }

    impl Node for Idle {
        type Object = Counter;
        type Message = Nothing;
        type Timer = ();
        type Config = ();

        const REPAIRS: bool = false;

        fn boot((): &(), _: NodeId, _: u32) -> Self {
            Self
        }

        fn on_start(&mut self, _: &mut impl Context<Self>) {}

        fn on_request(&mut self, _: OpId, _: CounterOp, _: &mut impl Context<Self>) {}

        fn on_message(&mut self, _: NodeId, _: Nothing, _: &mut impl Context<Self>) {}

        fn on_timer(&mut self, (): (), _: &mut impl Context<Self>) {}

        fn on_restart(&mut self, _: Recovery, _: &mut impl Context<Self>) {}

        fn value(&self) -> i128 {
            0
        }

        fn knowledge(&self) -> Knowledge {
            Knowledge::Progress
        }

        fn weight(&self) -> Weight {
            Weight::default()
        }
    }

    fn complete(replicas: u32) -> Recorded<Idle> {
        Recorded::new(Topology::Complete { replicas })
    }

    #[test]
    fn seeded_draws_of_a_replica_do_not_depend_on_those_of_others() {
        let mut alone = complete(2);
        alone.seed(7);
        let expected: Vec<u64> = (0..4).map(|_| alone.pick(Purpose::Peer, 1000)).collect();
        let mut mixed = complete(2);
        mixed.seed(7);
        let mut seen = Vec::new();
        for _ in 0..4 {
            mixed.act_as(NodeId(1), 0);
            mixed.pick(Purpose::Peer, 1000);
            mixed.act_as(NodeId(0), 0);
            mixed.pick(Purpose::Jitter, 1000);
            seen.push(mixed.pick(Purpose::Peer, 1000));
        }
        assert_eq!(seen, expected);
        assert_eq!(mixed.take_draws().len(), 12);
    }

    #[test]
    fn a_script_is_followed_and_then_gives_zero() {
        let mut cx = complete(3);
        cx.script([2, 1]);
        let picks: Vec<u64> = (0..3).map(|_| cx.pick(Purpose::Sample, 3)).collect();
        assert_eq!(picks, [2, 1, 0]);
        assert_eq!(cx.take_draws()[0], Draw { purpose: Purpose::Sample, bound: 3, result: 2 });
    }

    #[test]
    fn identities_of_incarnations_never_repeat() {
        let mut cx = complete(3);
        let mut seen = std::collections::BTreeSet::new();
        for incarnation in 0..3 {
            for replica in 0..3 {
                cx.act_as(NodeId(replica), incarnation);
                assert!(seen.insert(cx.replica_id()));
            }
        }
    }

    #[test]
    fn effects_are_kept_in_order_until_taken() {
        let mut cx = complete(2);
        cx.send(NodeId(1), Nothing);
        cx.touched();
        let effects = cx.take_effects();
        assert!(matches!(effects[..], [Effect::Send { to: NodeId(1), .. }, Effect::Touched]));
        assert!(cx.take_effects().is_empty());
    }

    #[test]
    #[should_panic(expected = "no neighbour")]
    fn messages_travel_along_links_only() {
        let path = Topology::Sparse(Rows::from_edges(3, &[(0, 1), (1, 2)]));
        Recorded::<Idle>::new(path).send(NodeId(2), Nothing);
    }
}
