//! A replica that is bent: a right node in the hands of a mistake.
//!
//! [`Flawed`] wraps a node and stands between it and the world on both sides: it sees what comes in before the node does, and
//! all that the node does goes through [`Bending`], a context that may send something else, to somebody else, or nothing.
//!
//! ```text
//! world --on_timer--> Flawed --on_timer--> node
//!                        |                   |
//! world <----send---- Bending <----send------'
//! ```
//!
//! Invariant: ghost state (lineages, effects, progress) passes unchanged. With a flaw that is not the node's business nothing is
//! bent.
//!
//! ```
//! use crdts::{PnCounter, objects::counter::CounterOp};
//! use sim::kernel::{ids::{NodeId, OpId}, node::Node, recorded::Recorded, topology::Topology};
//! use sim::protocols::gossip::{Gossip, GossipConfig};
//! use sim::zoo::{Flaw, Flawed, flawed::FlawedConfig};
//!
//! type Replica = Flawed<Gossip<PnCounter>>;
//! let config = FlawedConfig { node: GossipConfig::default(), flaw: Flaw::FixedNeighbour };
//! let mut cx = Recorded::<Replica>::new(Topology::Complete { replicas: 3 });
//! let mut replica = Replica::boot(&config, NodeId(0), 3);
//! replica.on_request(OpId(0), CounterOp::Add(2), &mut cx);
//! assert_eq!(replica.value(), 2);
//! ```
//!
//! What is deliberately absent: bent messages. What a peer is told is bent in the data types, where its meaning is known.

use std::{collections::BTreeMap, fmt::Debug};

use crdts::{causality::Specify, clock::ReplicaId, encoding::Encode, lattice::Weight, object::Object};

use super::{catalogue::Flaw, specimen::Bend};
use crate::{
    kernel::{
        ids::{NodeId, OpId},
        lineage::LineageId,
        node::{Context, Costs, Knowledge, Node, Observation, OpOf, Purpose, Recovery, Reply, RetOf, StateOf},
        service::{KvReply, KvRequest},
        time::{MILLISECOND, SECOND},
    },
    protocols::{
        gossip::{Gossip, Message},
        lock::Lock,
        occ::Occ,
        wire::Wire,
    },
};

/// How long a peer may be silent before [`Flaw::ForgetsHealedSide`] gives it up.
pub const SILENCE_NS_MAX: i64 = 2 * SECOND as i64;
/// How often [`Flaw::AcknowledgedBeforeDurable`] writes the copy that survives a crash.
pub const SAVE_NS: u64 = 200 * MILLISECOND;
/// In how many rounds [`Flaw::RumourDiesEarly`] passes on what is new.
pub const RUMOUR_ROUNDS: u32 = 2;
/// How long [`Flaw::StaleCache`] answers from an earlier read.
pub const CACHE_NS_MAX: i64 = 500 * MILLISECOND as i64;

/// Nodes that can be bent, with what only they know how to do.
pub trait Flawable: Node {
    /// A replica in its initial state whose data makes this mistake, if it is one of data.
    fn boot_flawed(config: &Self::Config, flaw: Flaw, id: NodeId, replicas: u32) -> Self {
        let _ = flaw;
        Self::boot(config, id, replicas)
    }

    /// What the clock shows, for data that is stamped with it at the next request.
    fn set_clock(&mut self, clock_ns: i64) {
        let _ = clock_ns;
    }

    /// The acknowledgement that the receiver of this message will send.
    fn acknowledgement(message: &Self::Message) -> Option<Self::Message> {
        let _ = message;
        None
    }
}

impl<O: Wire> Flawable for Occ<O> {}

impl<O: Wire> Flawable for Lock<O> {}

impl<C> Flawable for Gossip<C>
where
    C: Bend + Encode + Send + Sync,
    C::Digest: Send + Sync,
{
    fn boot_flawed(config: &Self::Config, flaw: Flaw, id: NodeId, replicas: u32) -> Self {
        let mut node = Self::boot(config, id, replicas);
        node.edit(|state| state.bend(flaw, replicas));
        node
    }

    fn set_clock(&mut self, clock_ns: i64) {
        self.edit(|state| state.set_clock(clock_ns));
    }

    fn acknowledgement(message: &Message<C>) -> Option<Message<C>> {
        match *message {
            Message::Interval { incarnation, builds_on, through, .. } => {
                Some(Message::Ack { by: builds_on, incarnation, through })
            }
            _ => None,
        }
    }
}

/// The options of [`Flawed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlawedConfig<C> {
    /// Those of the node.
    pub node: C,
    /// The mistake.
    pub flaw: Flaw,
}

/// The timers of a bent node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlawedTimer<T> {
    /// One of the node's own.
    Node(T),
    /// It is time to write the copy that survives a crash.
    Save,
}

/// An answer that is kept to be given again.
#[derive(Clone, Debug)]
struct Cached<Ret> {
    ret: Ret,
    /// Ghost: what is behind it.
    lineage: Option<LineageId>,
    /// When it was given, by the replica's clock.
    at_ns: i64,
}

/// What a mistake keeps in memory. A restart ends it.
#[derive(Clone, Debug)]
struct Notes<N: Node> {
    /// By peer, when it was last heard of.
    heard_ns: BTreeMap<NodeId, i64>,
    /// Since when peers could have been heard of.
    since_ns: i64,
    /// Has the value changed since the last round?
    news: bool,
    /// Has it ever?
    had_news: bool,
    /// How many rounds pass on what is new.
    rounds_left: u32,
    /// Does nothing leave now?
    is_mute: bool,
    /// Acknowledgements that nobody has sent.
    acknowledged: Vec<(NodeId, N::Message)>,
    /// The operations that have not been answered.
    in_flight: BTreeMap<OpId, OpOf<N>>,
    /// Operations that will be made again.
    again: Vec<OpId>,
    /// Ghost: what is behind the next answer.
    answers_from: Option<LineageId>,
    cache: Option<Cached<RetOf<N>>>,
}

impl<N: Node> Notes<N> {
    fn new(since_ns: i64) -> Self {
        Self {
            heard_ns: BTreeMap::new(),
            since_ns,
            news: false,
            had_news: false,
            rounds_left: 0,
            is_mute: false,
            acknowledged: Vec::new(),
            in_flight: BTreeMap::new(),
            again: Vec::new(),
            answers_from: None,
            cache: None,
        }
    }
}

/// A bent node. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct Flawed<N: Node> {
    node: N,
    flaw: Flaw,
    /// What survives a crash, for [`Flaw::AcknowledgedBeforeDurable`].
    saved: Option<Box<N>>,
    notes: Notes<N>,
}

impl<N: Flawable> Flawed<N> {
    /// The node inside.
    pub fn node(&self) -> &N {
        &self.node
    }

    /// Lets the node act in a bent context, and then does what the mistake has noted down.
    fn act<X: Context<Self>>(&mut self, cx: &mut X, act: impl FnOnce(&mut N, &mut Bending<'_, N, X>)) {
        act(&mut self.node, &mut Bending { cx, flaw: self.flaw, notes: &mut self.notes });
        for (peer, acknowledgement) in std::mem::take(&mut self.notes.acknowledged) {
            self.node.on_message(peer, acknowledgement, &mut Bending { cx, flaw: self.flaw, notes: &mut self.notes });
        }
        for request in std::mem::take(&mut self.notes.again) {
            if let Some(op) = self.notes.in_flight.get(&request).cloned() {
                self.node.on_request(request, op, &mut Bending { cx, flaw: self.flaw, notes: &mut self.notes });
            }
        }
    }

    fn save(&mut self, cx: &mut impl Context<Self>) {
        self.saved = Some(Box::new(self.node.clone()));
        cx.after(SAVE_NS, FlawedTimer::Save);
    }

    /// What an incarnation begins with.
    fn begin(&mut self, cx: &mut impl Context<Self>) {
        self.notes = Notes::new(cx.clock_ns());
        if self.flaw == Flaw::AcknowledgedBeforeDurable {
            self.save(cx);
        }
    }

    /// The answer that is still good enough for a read, in the eyes of [`Flaw::StaleCache`].
    fn cached(&self, op: &OpOf<N>, now_ns: i64) -> Option<Cached<RetOf<N>>> {
        let cached = self.notes.cache.as_ref()?;
        let is_fresh = now_ns.saturating_sub(cached.at_ns) < CACHE_NS_MAX;
        (*op == N::Object::read() && is_fresh).then(|| cached.clone())
    }
}

impl<N: Flawable> Node for Flawed<N> {
    type Object = N::Object;
    type Message = N::Message;
    type Timer = FlawedTimer<N::Timer>;
    type Config = FlawedConfig<N::Config>;

    const REPAIRS: bool = N::REPAIRS;
    const LATTICE: bool = N::LATTICE;
    const SPECIFICATION: Option<Specify<N::Object>> = N::SPECIFICATION;

    fn boot(config: &Self::Config, id: NodeId, replicas: u32) -> Self {
        let node = N::boot_flawed(&config.node, config.flaw, id, replicas);
        Self { node, flaw: config.flaw, saved: None, notes: Notes::new(0) }
    }

    fn on_start(&mut self, cx: &mut impl Context<Self>) {
        self.begin(cx);
        self.act(cx, |node, cx| node.on_start(cx));
    }

    fn on_request(&mut self, request: OpId, op: OpOf<N>, cx: &mut impl Context<Self>) {
        match self.flaw {
            Flaw::WallClock | Flaw::ClockSetBack => self.node.set_clock(cx.clock_ns()),
            Flaw::StaleCache => {
                if let Some(Cached { ret, lineage, .. }) = self.cached(&op, cx.clock_ns()) {
                    if let Some(lineage) = lineage {
                        cx.answer_from(lineage);
                    }
                    return cx.reply(request, Reply::Ok(ret));
                }
                self.notes.in_flight.insert(request, op.clone());
            }
            Flaw::SwapRetried => drop(self.notes.in_flight.insert(request, op.clone())),
            _ => {}
        }
        self.act(cx, |node, cx| node.on_request(request, op, cx));
    }

    fn on_message(&mut self, from: NodeId, message: N::Message, cx: &mut impl Context<Self>) {
        if self.flaw == Flaw::ForgetsHealedSide && !self.notes.gives_up(from, cx.clock_ns()) {
            self.notes.heard_ns.insert(from, cx.clock_ns());
        }
        self.act(cx, |node, cx| node.on_message(from, message, cx));
    }

    fn on_timer(&mut self, timer: Self::Timer, cx: &mut impl Context<Self>) {
        let timer = match timer {
            FlawedTimer::Save => return self.save(cx),
            FlawedTimer::Node(timer) => timer,
        };
        match self.flaw {
            Flaw::StopsWhenNothingNew => {
                let news = std::mem::take(&mut self.notes.news);
                if self.notes.had_news && !news {
                    return;
                }
            }
            Flaw::RumourDiesEarly => match self.notes.rounds_left.checked_sub(1) {
                Some(left) => self.notes.rounds_left = left,
                None => self.notes.is_mute = true,
            },
            _ => {}
        }
        self.act(cx, |node, cx| node.on_timer(timer, cx));
        self.notes.is_mute = false;
    }

    fn on_return(&mut self, call: u64, reply: KvReply<StateOf<N>>, cx: &mut impl Context<Self>) {
        let reply = match reply {
            KvReply::PreconditionFailed if self.flaw == Flaw::RefusalAsSuccess => KvReply::Swapped,
            reply => reply,
        };
        self.act(cx, |node, cx| node.on_return(call, reply, cx));
    }

    fn on_restart(&mut self, recovery: Recovery, cx: &mut impl Context<Self>) {
        if let (Flaw::AcknowledgedBeforeDurable, Recovery::Durable, Some(saved)) = (self.flaw, recovery, &self.saved) {
            self.node = (**saved).clone();
            cx.touched();
        }
        self.begin(cx);
        self.act(cx, |node, cx| node.on_restart(recovery, cx));
    }

    fn observation(&self) -> Observation {
        self.node.observation()
    }

    fn value(&self) -> StateOf<N> {
        self.node.value()
    }

    fn value_bytes(value: &StateOf<N>) -> u64 {
        N::value_bytes(value)
    }

    fn digest(&self) -> u64 {
        self.node.digest()
    }

    fn knowledge(&self) -> Knowledge {
        self.node.knowledge()
    }

    fn progress(&self, visit: impl FnMut(ReplicaId, u64)) {
        self.node.progress(visit);
    }

    fn weight(&self) -> Weight {
        self.node.weight()
    }

    fn join_state(&mut self, other: &Self) {
        self.node.join_state(&other.node);
    }

    fn state_digest(&self) -> u64 {
        self.node.state_digest()
    }

    fn check_laws(states: [&Self; 3]) -> Result<(), String> {
        N::check_laws(states.map(Self::node))
    }

    fn touch(&self) -> u64 {
        self.node.touch()
    }

    fn costs(&self) -> Costs {
        self.node.costs()
    }
}

impl<N: Node> Notes<N> {
    /// Has this peer been silent for so long that [`Flaw::ForgetsHealedSide`] never addresses it again?
    fn gives_up(&self, peer: NodeId, now_ns: i64) -> bool {
        let heard_ns = self.heard_ns.get(&peer).copied().unwrap_or(self.since_ns);
        now_ns.saturating_sub(heard_ns) > SILENCE_NS_MAX
    }
}

/// The context of a node that is bent: what it does goes on as the mistake wants it.
#[derive(Debug)]
pub struct Bending<'a, N: Node, X> {
    cx: &'a mut X,
    flaw: Flaw,
    notes: &'a mut Notes<N>,
}

impl<N: Flawable, X: Context<Flawed<N>>> Context<N> for Bending<'_, N, X> {
    fn id(&self) -> NodeId {
        self.cx.id()
    }

    fn incarnation(&self) -> u32 {
        self.cx.incarnation()
    }

    fn replicas(&self) -> u32 {
        self.cx.replicas()
    }

    fn clock_ns(&self) -> i64 {
        self.cx.clock_ns()
    }

    fn peers(&self) -> u32 {
        self.cx.peers()
    }

    fn peer(&self, index: u32) -> NodeId {
        self.cx.peer(index)
    }

    fn send(&mut self, to: NodeId, message: N::Message) {
        let is_forgotten = self.flaw == Flaw::ForgetsHealedSide && self.notes.gives_up(to, self.cx.clock_ns());
        if self.notes.is_mute || is_forgotten {
            return;
        }
        if self.flaw == Flaw::AcknowledgedAtSend {
            self.notes.acknowledged.extend(N::acknowledgement(&message).map(|forged| (to, forged)));
        }
        self.cx.send(to, message);
    }

    fn after(&mut self, delay_ns: u64, timer: N::Timer) {
        self.cx.after(delay_ns, FlawedTimer::Node(timer));
    }

    fn call(&mut self, service: NodeId, call: u64, request: KvRequest<StateOf<N>>) {
        self.cx.call(service, call, request);
    }

    fn reply(&mut self, request: OpId, reply: Reply<RetOf<N>>) {
        let lineage = self.notes.answers_from.take();
        let op = match (self.flaw, &reply) {
            (Flaw::SwapRetried, Reply::Info(_)) => return self.notes.again.push(request),
            (Flaw::SwapRetried | Flaw::StaleCache, _) => self.notes.in_flight.remove(&request),
            _ => None,
        };
        if let (Flaw::StaleCache, Reply::Ok(ret)) = (self.flaw, &reply)
            && op == Some(N::Object::read())
        {
            self.notes.cache = Some(Cached { ret: ret.clone(), lineage, at_ns: self.cx.clock_ns() });
        }
        let reply = match reply {
            Reply::Info(refusal) if self.flaw == Flaw::IndeterminateAsFailure => Reply::Fail(refusal),
            reply => reply,
        };
        self.cx.reply(request, reply);
    }

    /// The pairs of [`Flaw::FixedNeighbour`] on a complete graph: an even replica addresses the next one, an odd one the one
    /// before it.
    fn pick(&mut self, purpose: Purpose, bound: u64) -> u64 {
        if self.flaw == Flaw::FixedNeighbour && purpose == Purpose::Peer {
            let id = u64::from(self.cx.id().0);
            let pairs_with = if id % 2 == 0 { id } else { id - 1 };
            return pairs_with.min(bound - 1);
        }
        self.cx.pick(purpose, bound)
    }

    fn touched(&mut self) {
        (self.notes.news, self.notes.had_news) = (true, true);
        self.notes.rounds_left = RUMOUR_ROUNDS;
        self.cx.touched();
    }

    fn derive(&mut self, from: LineageId, op: OpId) -> LineageId {
        self.cx.derive(from, op)
    }

    fn effect(&mut self, op: OpId, origin: ReplicaId, progress: u64) {
        self.cx.effect(op, origin, progress);
    }

    fn answer_from(&mut self, lineage: LineageId) {
        self.notes.answers_from = Some(lineage);
        self.cx.answer_from(lineage);
    }

    fn replica_id(&self) -> ReplicaId {
        self.cx.replica_id()
    }
}
