//! The context of the hot loop: effects go straight into network and queue.

use super::{
    clock::Clocks,
    draws::Stream,
    event::Event,
    fold::Fold,
    host::Host,
    ids::{NodeId, OpId},
    lineage::{Lineage, LineageId},
    network::{Fate, Network},
    node::{Context, Node, Payload, Purpose, Reply, RetOf, StateOf},
    observer::{Mark, Source},
    queue::Calendar,
    service::{KvReply, KvRequest},
    slab::Slab,
    time::Time,
};
use crdts::clock::ReplicaId;

/// What a request to a store and its reply carry beside values: a header of 16 bytes and a key or token of 8.
const FRAME_BYTES: u64 = 24;

/// The size of a request to a store with values of this size. Frames have room for two values of 16 bytes.
pub(crate) fn request_bytes(values_bytes: u64) -> u64 {
    FRAME_BYTES + values_bytes.max(32)
}

/// The size of a store's reply. Frames have room for a value of 16 bytes.
pub(crate) fn reply_bytes(values_bytes: u64) -> u64 {
    FRAME_BYTES + values_bytes.max(16)
}

/// Everything of a world but its replicas, services, workload and observer: what effects of handlers reach.
#[derive(Clone, Debug)]
pub(crate) struct Core<N: Node> {
    pub(crate) now: Time,
    pub(crate) queue: Calendar<Event<N::Timer>>,
    pub(crate) messages: Slab<N::Message>,
    pub(crate) calls: Slab<Call<KvRequest<StateOf<N>>>>,
    pub(crate) returns: Slab<Call<KvReply<StateOf<N>>>>,
    pub(crate) answers: Slab<Reply<RetOf<N>>>,
    pub(crate) network: Network,
    pub(crate) clocks: Clocks,
    pub(crate) lineage: Lineage,
    pub(crate) fold: Fold,
    /// Replicas, then services.
    pub(crate) hosts: Vec<Host>,
    /// Client and number of each operation: where its answer goes, and the address of the answer's draws.
    pub(crate) askers: Vec<Asker>,
    /// The draws of replicas, by purpose.
    picks: [Stream; Purpose::COUNT],
    /// Has the current handler done anything of which observers must hear: one of the following three?
    pub(crate) news: bool,
    pub(crate) touched: bool,
    pub(crate) effects: Vec<(OpId, Mark)>,
    pub(crate) answered: Vec<(OpId, Source)>,
    /// Where the next answer comes from, if not from the replica's own state.
    answered_from: Option<Source>,
}

/// A call in flight, or its return.
#[derive(Clone, Debug)]
pub(crate) struct Call<B> {
    pub(crate) token: u64,
    /// The incarnation of the caller; a restarted caller has forgotten the call.
    pub(crate) incarnation: u32,
    pub(crate) body: B,
}

/// Who invoked an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) client: NodeId,
    pub(crate) replica: NodeId,
    pub(crate) number: u32,
    pub(crate) is_update: bool,
    pub(crate) is_final: bool,
}

impl<N: Node> Core<N> {
    pub(crate) fn new(network: Network, clocks: Clocks, seed: u64) -> Self {
        let endpoints = network.plan().endpoints;
        let picks = ["node.peer", "node.jitter", "node.backoff", "node.sample"].map(|name| Stream::new(seed, name));
        Self {
            now: Time::ZERO,
            queue: Calendar::default(),
            messages: Slab::default(),
            calls: Slab::default(),
            returns: Slab::default(),
            answers: Slab::default(),
            network,
            clocks,
            lineage: Lineage::default(),
            fold: Fold::default(),
            hosts: vec![Host::default(); (endpoints.replicas + endpoints.services) as usize],
            askers: Vec::new(),
            picks,
            news: false,
            touched: false,
            effects: Vec::new(),
            answered: Vec::new(),
            answered_from: None,
        }
    }

    /// Sends an answer to the client that asked.
    pub(crate) fn answer(&mut self, op: OpId, reply: Reply<RetOf<N>>) {
        let asker = self.askers[op.0 as usize];
        let fate = if asker.is_final {
            Fate::Arrives(self.now)
        } else {
            self.network.send_client(self.now, asker.replica, asker.client, asker.number)
        };
        if let Fate::Arrives(at) | Fate::ArrivesTwice(at, _) = fate {
            let body = self.answers.insert(reply);
            self.queue.push(at, Event::Answer { op, body });
        }
    }

    /// The memory held for events, bodies, operations and lineage, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.queue.bytes()
            + self.messages.bytes()
            + self.calls.bytes()
            + self.returns.bytes()
            + self.answers.bytes()
            + self.lineage.bytes()
            + self.network.bytes()
            + (self.askers.capacity() * size_of::<Asker>() + self.hosts.capacity() * size_of::<Host>()) as u64
    }
}

/// A handler's way into the core, as replica `id`.
pub(crate) struct Direct<'a, N: Node> {
    pub(crate) core: &'a mut Core<N>,
    pub(crate) id: NodeId,
}

impl<N: Node> Context<N> for Direct<'_, N> {
    #[inline]
    fn id(&self) -> NodeId {
        self.id
    }

    #[inline]
    fn incarnation(&self) -> u32 {
        self.core.hosts[self.id.index()].incarnation
    }

    #[inline]
    fn replicas(&self) -> u32 {
        self.core.network.plan().endpoints.replicas
    }

    #[inline]
    fn clock_ns(&self) -> i64 {
        self.core.clocks.local_ns(self.id, self.core.now)
    }

    #[inline]
    fn peers(&self) -> u32 {
        self.core.network.plan().topology.degree(self.id)
    }

    #[inline]
    fn peer(&self, index: u32) -> NodeId {
        self.core.network.plan().topology.neighbour(self.id, index)
    }

    #[inline]
    fn send(&mut self, to: NodeId, message: N::Message) {
        let fate = self.core.network.send(self.core.now, self.id, to, message.bytes());
        let (from, core) = (self.id, &mut *self.core);
        match fate {
            Fate::Lost => {}
            Fate::Arrives(at) => {
                let body = core.messages.insert(message);
                core.queue.push(at, Event::Message { from, to, body });
            }
            Fate::ArrivesTwice(at, again) => {
                let copy = core.messages.insert(message.clone());
                let body = core.messages.insert(message);
                core.queue.push(at, Event::Message { from, to, body });
                core.queue.push(again, Event::Message { from, to, body: copy });
            }
        }
    }

    #[inline]
    fn after(&mut self, delay_ns: u64, timer: N::Timer) {
        let at = self.core.now + self.core.clocks.true_ns(self.id, delay_ns);
        let incarnation = self.incarnation();
        self.core.queue.push(at, Event::Timer { node: self.id, incarnation, timer });
    }

    /// A call travels over a connection, which delivers it once or not at all: a copy made by the network is dropped.
    /// Otherwise the store would apply a compare-and-swap twice, which no client of a real store has to fear.
    fn call(&mut self, service: NodeId, call: u64, request: KvRequest<StateOf<N>>) {
        let bytes = request_bytes(request.values_bytes(N::value_bytes));
        let fate = self.core.network.send_far(self.core.now, self.id, service, bytes);
        if let Fate::Arrives(at) | Fate::ArrivesTwice(at, _) = fate {
            let incarnation = self.core.hosts[self.id.index()].incarnation;
            let body = self.core.calls.insert(Call { token: call, incarnation, body: request });
            let service = service.0 - self.core.network.plan().endpoints.replicas;
            self.core.queue.push(at, Event::Call { from: self.id, service, body });
        }
    }

    fn reply(&mut self, request: OpId, reply: Reply<RetOf<N>>) {
        if matches!(reply, Reply::Ok(_)) {
            self.core.news = true;
            self.core.answered.push((request, self.core.answered_from.take().unwrap_or(Source::Replica)));
        }
        self.core.answered_from = None;
        self.core.answer(request, reply);
    }

    #[inline]
    fn pick(&mut self, purpose: Purpose, bound: u64) -> u64 {
        let drawn = &mut self.core.hosts[self.id.index()].draws[purpose as usize];
        let result = self.core.picks[purpose as usize].below(u64::from(self.id.0), u64::from(*drawn), bound);
        *drawn += 1;
        result
    }

    #[inline]
    fn touched(&mut self) {
        self.core.news = true;
        self.core.touched = true;
    }

    fn derive(&mut self, from: LineageId, op: OpId) -> LineageId {
        self.core.news = true;
        self.core.effects.push((op, Mark::Lineage));
        self.core.lineage.derive(from, op)
    }

    fn answer_from(&mut self, lineage: LineageId) {
        self.core.answered_from = Some(Source::Lineage(lineage));
    }

    fn effect(&mut self, op: OpId, origin: ReplicaId, progress: u64) {
        self.core.news = true;
        self.core.effects.push((op, Mark::Progress { origin, progress }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crdts::{
        lattice::Weight,
        objects::counter::{Counter, CounterOp, CounterRet},
    };

    use super::*;
    use crate::kernel::{
        draws::Probability,
        ids::Endpoints,
        latency::LatencyTable,
        node::{Knowledge, Recovery},
        plan::{ClassOf, LinkClass, NetworkPlan},
        recorded::{Effect, Recorded},
        topology::Topology,
    };

    const REPLICAS: u32 = 5;
    const SEED: u64 = 3;
    const LATENCY_NS: u64 = 1_000_000;

    #[derive(Clone, Debug)]
    struct Number(u64);

    impl Payload for Number {
        fn bytes(&self) -> u64 {
            8
        }

        fn fold(&self, fold: &mut Fold) {
            fold.word(self.0);
        }

        fn kind(&self) -> &'static str {
            "number"
        }
    }

    /// Does something of everything.
    #[derive(Clone, Debug)]
    struct Busy {
        heard: u64,
    }

    impl Node for Busy {
        type Object = Counter;
        type Message = Number;
        type Timer = u32;
        type Config = ();

        const REPAIRS: bool = false;

        fn boot((): &(), _: NodeId, _: u32) -> Self {
            Self { heard: 0 }
        }

        fn on_start(&mut self, cx: &mut impl Context<Self>) {
            cx.after(u64::from(cx.replica_id().0) + 7, cx.incarnation());
        }

        fn on_request(&mut self, request: OpId, _: CounterOp, cx: &mut impl Context<Self>) {
            cx.call(NodeId(REPLICAS), self.heard, KvRequest::Read { key: crate::kernel::service::Key(0) });
            cx.reply(request, Reply::Ok(CounterRet::Total(i128::from(self.heard))));
        }

        fn on_message(&mut self, from: NodeId, message: Number, cx: &mut impl Context<Self>) {
            self.heard += message.0;
            cx.touched();
            cx.send(from, Number(self.heard + cx.clock_ns() as u64));
        }

        fn on_timer(&mut self, token: u32, cx: &mut impl Context<Self>) {
            let jitter_ns = cx.pick(Purpose::Jitter, 1000);
            cx.after(jitter_ns, token + 1);
            for _ in 0..3 {
                let index = cx.pick(Purpose::Peer, u64::from(cx.peers())) as u32;
                let content = cx.pick(Purpose::Sample, 100);
                cx.send(cx.peer(index), Number(content));
            }
        }

        fn on_restart(&mut self, _: Recovery, _: &mut impl Context<Self>) {}

        fn value(&self) -> i128 {
            i128::from(self.heard)
        }

        fn knowledge(&self) -> Knowledge {
            Knowledge::Progress
        }

        fn weight(&self) -> Weight {
            Weight::default()
        }
    }

    #[derive(Clone, Copy)]
    enum Handler {
        Start,
        Timer(u32),
        Message(u64),
        Request,
    }

    impl Handler {
        fn call(self, node: &mut Busy, cx: &mut impl Context<Busy>) {
            match self {
                Self::Start => node.on_start(cx),
                Self::Timer(token) => node.on_timer(token, cx),
                Self::Message(content) => node.on_message(NodeId(1), Number(content), cx),
                Self::Request => node.on_request(OpId(cx.id().0), CounterOp::Read, cx),
            }
        }
    }

    /// Which replica handles what, in order.
    fn calls() -> Vec<(NodeId, Handler)> {
        let rounds = |round| [Handler::Timer(round), Handler::Message(u64::from(round))];
        let all: Vec<Handler> =
            [Handler::Start].into_iter().chain((0..4).flat_map(rounds)).chain([Handler::Request]).collect();
        [NodeId(0), NodeId(3)]
            .into_iter()
            .flat_map(|id| all.iter().map(move |&handler| (id, handler)).collect::<Vec<_>>())
            .collect()
    }

    /// What the handlers did through a network that loses nothing and always takes the same time.
    fn directly() -> Vec<String> {
        let class = LinkClass {
            latency: Arc::new(LatencyTable::constant(LATENCY_NS)),
            loss: Probability::ZERO,
            duplicate: Probability::ZERO,
            burst: None,
            bandwidth: None,
        };
        let plan = NetworkPlan {
            endpoints: Endpoints { replicas: REPLICAS, services: 1, clients: 4 },
            topology: Topology::Complete { replicas: REPLICAS },
            classes: vec![class],
            class_of: ClassOf::Uniform(0),
            overrides: vec![],
            service_at: vec![NodeId(0)],
            client_class: 0,
        };
        let mut core = Core::<Busy>::new(Network::new(Arc::new(plan), SEED, 0), Clocks::default(), SEED);
        core.askers = (0..4)
            .map(|number| Asker {
                client: NodeId(REPLICAS + 1 + number),
                replica: NodeId(number),
                number,
                is_update: false,
                is_final: false,
            })
            .collect();
        let mut nodes = vec![Busy { heard: 0 }; REPLICAS as usize];
        for (id, handler) in calls() {
            handler.call(&mut nodes[id.index()], &mut Direct { core: &mut core, id });
        }
        let mut scheduled: Vec<_> = std::iter::from_fn(|| core.queue.pop()).collect();
        scheduled.sort_by_key(|next| next.sequence);
        let seen = |next: crate::kernel::queue::Scheduled<Event<u32>>| match next.event {
            Event::Message { from, to, body } => {
                assert_eq!(next.time, Time(LATENCY_NS));
                format!("{from:?} sends {to:?} {:?}", core.messages.take(body))
            }
            Event::Timer { node, timer, .. } => format!("{node:?} after {} {timer}", next.time.0),
            Event::Call { from, body, .. } => {
                let Call { token, body, .. } = core.calls.take(body);
                format!("{from:?} calls {token} {body:?}")
            }
            Event::Answer { op, body } => format!("{op:?} {:?}", core.answers.take(body)),
            other => panic!("no handler causes {other:?}"),
        };
        scheduled.into_iter().map(seen).collect()
    }

    /// What they did according to the record, when draws give the same.
    fn recorded() -> Vec<String> {
        let mut cx = Recorded::<Busy>::new(Topology::Complete { replicas: REPLICAS });
        let streams = ["node.jitter", "node.peer", "node.sample"].map(|name| Stream::new(SEED, name));
        let [jitter, peer, sample] = streams;
        let script = |id: u64| {
            (0..4).flat_map(move |round| {
                let sends = (0..3).flat_map(move |send| {
                    let counter = round * 3 + send;
                    [peer.below(id, counter, u64::from(REPLICAS) - 1), sample.below(id, counter, 100)]
                });
                std::iter::once(jitter.below(id, round, 1000)).chain(sends)
            })
        };
        cx.script(script(0).chain(script(3)));
        let mut nodes = vec![Busy { heard: 0 }; REPLICAS as usize];
        let mut seen = Vec::new();
        for (id, handler) in calls() {
            cx.act_as(id, 0);
            handler.call(&mut nodes[id.index()], &mut cx);
            seen.extend(cx.take_effects().into_iter().filter_map(|effect| match effect {
                Effect::Send { to, message } => Some(format!("{id:?} sends {to:?} {message:?}")),
                Effect::After { delay_ns, timer } => Some(format!("{id:?} after {delay_ns} {timer}")),
                Effect::Call { call, request, .. } => Some(format!("{id:?} calls {call} {request:?}")),
                Effect::Reply { request, reply } => Some(format!("{request:?} {reply:?}")),
                _ => None,
            }));
        }
        seen
    }

    #[test]
    fn both_contexts_do_the_same() {
        let (directly, recorded) = (directly(), recorded());
        assert_eq!(directly.len(), 2 * (1 + 4 * 4 + 4 + 2));
        assert_eq!(directly, recorded);
    }
}
