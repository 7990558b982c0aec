//! Gossip: any CRDT, spread in rounds between random neighbours (anti-entropy).
//!
//! **Promises** strong eventual consistency: every replica answers at once from its own state, nothing that was
//! acknowledged is lost while its replica's memory lasts, and as soon as messages get through again all replicas come
//! to the same state, whatever was lost, repeated or reordered on the way. That is the join semilattice's doing
//! ([`crdts::lattice`]), not the protocol's; the protocol sees to it that everything gets everywhere in the end.
//!
//! **Costs** messages in every round, and time: a read shows an update of another replica only after the rounds that it
//! takes to get there, about log2 of the number of replicas on a complete graph (Demers et al. 1987, "Epidemic
//! algorithms for replicated database maintenance"). How large messages are is a matter of the payload:
//!
//! | | state | delta | digest |
//! |---|---|---|---|
//! | push | the state | what the peer has not acknowledged | a digest; the peer asks with its own |
//! | pull | a request; the peer sends its state | a digest; the peer sends what it shows to be missing | the same |
//! | push-pull | the state; the peer sends its own if it differs | as push; the peer does the same in return | both |
//! | when all is known | full cost | nothing (a digest for pull) | a digest |
//! | account of neighbours | none | see below | none |
//!
//! Deltas are those of Almeida, Shoker and Baquero (2018) with acknowledged intervals, kept in a bounded buffer; they
//! are not sent back to where they came from, and what was known already is cut off (Enes et al. 2019). After a
//! restart, of whatever recovery, buffer and acknowledgements are forgotten.
//!
//! ```text
//! n1   0 --add 1--> {n1: 1} ---. .---> {n1: 1, n2: 5}
//!                               X
//! n2   0 --add 5--> {n2: 5} ---' '---> {n1: 1, n2: 5}      both show 6
//! ```
//!
//! **Goes wrong** only in what is not its promise: reads are stale, and a replica that loses its memory before anybody
//! heard of an update loses the update.

use crdts::{
    causality::Specify,
    clock::ReplicaId,
    encoding::Encode,
    lattice::{Crdt, UpdateError, Weight},
    object::Object,
    replication::{DeltaBuffer, Interval, Origin},
};

mod config;
mod laws;
mod message;
mod sample;
mod summed;
#[cfg(test)]
mod tests;

pub use config::{GossipConfig, Mode, PayloadKind};
pub use laws::unit_test;
pub use message::{Ask, Message};
pub use summed::Summed;

use crate::kernel::{
    ids::{NodeId, OpId},
    node::{Context, Knowledge, Node, OpOf, Purpose, Recovery, Refusal, Reply},
};
use sample::Sample;

/// It is time for the next round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round;

/// A replica that gossips. See the [module documentation](self).
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct Gossip<C> {
    state: Summed<C>,
    /// Only where deltas are pushed.
    buffer: Option<Box<DeltaBuffer<C, NodeId>>>,
    // What rounds need of the configuration. A replica of a small counter fills two cache lines.
    interval_ns: u64,
    jitter_ns: u64,
    fanout: u32,
    mode: Mode,
    payload: PayloadKind,
    eager: bool,
}

impl<C> Gossip<C>
where
    C: Crdt + Encode + Send + Sync,
    C::Digest: Send + Sync,
{
    /// The replicated state.
    pub fn state(&self) -> &C {
        self.state.content()
    }

    /// Changes the replicated state other than by an update or a join, for replicas that are meant to be wrong.
    pub fn edit(&mut self, act: impl FnOnce(&mut C)) {
        let mut content = self.state().clone();
        act(&mut content);
        self.state = Summed::new(content);
    }

    /// The first round of an incarnation comes at a random phase, so that replicas do not move in step.
    fn first_round(&self, cx: &mut impl Context<Self>) {
        let phase_ns = cx.pick(Purpose::Jitter, self.interval_ns.max(1));
        cx.after(phase_ns, Round);
    }

    #[inline]
    fn next_round(&self, cx: &mut impl Context<Self>) {
        let earliest_ns = self.interval_ns.saturating_sub(self.jitter_ns).max(1);
        let latest_ns = self.interval_ns.saturating_add(self.jitter_ns).max(earliest_ns);
        let spread_ns = latest_ns - earliest_ns;
        let delay_ns = if spread_ns == 0 {
            earliest_ns
        } else {
            earliest_ns + cx.pick(Purpose::Jitter, spread_ns.saturating_add(1))
        };
        cx.after(delay_ns, Round);
    }

    #[inline]
    fn sample(&self, cx: &mut impl Context<Self>) -> Sample {
        let peers = cx.peers();
        Sample::draw(self.fanout, peers, |bound| cx.pick(Purpose::Peer, bound))
    }

    /// Opens the exchange of a round with one peer.
    #[inline]
    fn address(&mut self, peer: NodeId, cx: &mut impl Context<Self>) {
        let message = match (self.payload, self.mode) {
            (PayloadKind::State, Mode::Pull) => Message::Pull,
            (PayloadKind::State, mode) => Message::State { state: self.state.clone(), answer: mode == Mode::PushPull },
            (PayloadKind::Delta | PayloadKind::Digest, Mode::Pull) => self.digest_asking(Ask::Request),
            (PayloadKind::Digest, Mode::Push) => self.digest_asking(Ask::Offer),
            (PayloadKind::Digest, Mode::PushPull) => self.digest_asking(Ask::Exchange),
            (PayloadKind::Delta, mode) => return self.send_interval(peer, mode == Mode::PushPull, cx),
        };
        cx.send(peer, message);
    }

    #[inline]
    fn digest_asking(&self, ask: Ask) -> Message<C> {
        Message::Digest { digest: self.state().digest(), ask }
    }

    /// Sends what the peer has not acknowledged, if anything.
    fn send_interval(&mut self, peer: NodeId, answer: bool, cx: &mut impl Context<Self>) {
        let Some(buffer) = &mut self.buffer else { return };
        let incarnation = cx.incarnation();
        // Peers must learn of a restart even from a replica that has nothing to tell: they may have to tell it a lot.
        if let Some(interval) = buffer.interval_for(peer, self.state.content(), incarnation > 0) {
            let Interval { content, whole, builds_on, through } = interval;
            cx.send(peer, Message::Interval { content, whole, answer, incarnation, builds_on, through });
        }
    }

    /// Sends an update at once.
    fn broadcast(&mut self, delta: &C, cx: &mut impl Context<Self>) {
        let peers = cx.peers();
        let all = peers + 1 == cx.replicas() && peers <= GossipConfig::EAGER_PEERS_MAX;
        let sample = if all { Sample::All(peers) } else { self.sample(cx) };
        for index in 0..sample.len() {
            let peer = cx.peer(sample.get(index));
            if self.buffer.is_some() {
                self.send_interval(peer, false, cx);
            } else {
                cx.send(peer, Message::Delta(delta.clone()));
            }
        }
    }

    /// Joins what has come in. `origin` knows it and needs not be told; `None` when its incarnation is not known.
    #[inline]
    fn absorb(&mut self, received: &C, origin: Option<Origin<NodeId>>, cx: &mut impl Context<Self>) {
        let Some(buffer) = &mut self.buffer else {
            if self.state.join(received) {
                cx.touched();
            }
            return;
        };
        let known = self.state.content().digest();
        if self.state.join(received) {
            cx.touched();
            buffer.record(received.delta_since(&known), origin);
        }
    }

    #[inline]
    fn on_digest(&mut self, from: NodeId, theirs: &C::Digest, ask: Ask, cx: &mut impl Context<Self>) {
        if ask != Ask::Request && *theirs == self.state().digest() {
            return;
        }
        if ask != Ask::Offer {
            let missing = self.state().delta_since(theirs);
            if !missing.is_bottom() {
                cx.send(from, Message::Delta(missing));
            }
        }
        if ask != Ask::Request {
            cx.send(from, self.digest_asking(Ask::Request));
        }
    }

    /// How far the updates of `writer` are contained in the state.
    fn progress_of(&self, writer: ReplicaId) -> u64 {
        let mut reached = 0;
        self.state().progress(|replica, progress| {
            if replica == writer {
                reached = progress;
            }
        });
        reached
    }
}

impl<C> Node for Gossip<C>
where
    C: Crdt + Encode + Send + Sync,
    C::Digest: Send + Sync,
{
    type Object = C::Object;
    type Message = Message<C>;
    type Timer = Round;
    type Config = GossipConfig;

    const REPAIRS: bool = true;
    const LATTICE: bool = true;
    const SPECIFICATION: Option<Specify<C::Object>> = C::SPECIFICATION;

    fn boot(config: &GossipConfig, _: NodeId, _: u32) -> Self {
        let GossipConfig { mode, payload, eager, interval_ns, jitter_ns, fanout, delta_buffer_max } = *config;
        let buffered = payload == PayloadKind::Delta && mode != Mode::Pull;
        Self {
            state: Summed::new(C::bottom()),
            buffer: buffered.then(|| Box::new(DeltaBuffer::new(delta_buffer_max))),
            interval_ns,
            jitter_ns,
            fanout,
            mode,
            payload,
            eager,
        }
    }

    fn on_start(&mut self, cx: &mut impl Context<Self>) {
        self.first_round(cx);
    }

    fn on_request(&mut self, request: OpId, op: OpOf<Self>, cx: &mut impl Context<Self>) {
        let writer = cx.replica_id();
        let update = match self.state.update(writer, &op) {
            Ok(update) => update,
            // Rights that are lacking here are a refusal of this replica, not of the type: the client may try elsewhere.
            Err(UpdateError::Unsupported { .. } | UpdateError::InsufficientRights { .. }) => {
                return cx.reply(request, Reply::Fail(Refusal::Unsupported));
            }
            Err(UpdateError::Overflow) => return cx.reply(request, Reply::Fail(Refusal::Overflow)),
        };
        if C::Object::is_update(&op) {
            cx.effect(request, writer, self.progress_of(writer));
        }
        cx.reply(request, Reply::Ok(update.ret));
        if update.delta.is_bottom() {
            return;
        }
        cx.touched();
        if let Some(buffer) = &mut self.buffer {
            buffer.record(update.delta.clone(), None);
        }
        if self.eager {
            self.broadcast(&update.delta, cx);
        }
    }

    #[inline]
    fn on_message(&mut self, from: NodeId, message: Message<C>, cx: &mut impl Context<Self>) {
        match message {
            Message::State { state, answer } => {
                self.absorb(state.content(), None, cx);
                if answer && self.state != state {
                    cx.send(from, Message::State { state: self.state.clone(), answer: false });
                }
            }
            Message::Pull => {
                if !self.state().is_bottom() {
                    cx.send(from, Message::State { state: self.state.clone(), answer: false });
                }
            }
            Message::Delta(delta) => self.absorb(&delta, None, cx),
            Message::Digest { digest, ask } => self.on_digest(from, &digest, ask, cx),
            Message::Interval { content, whole, answer, incarnation, builds_on, through } => {
                if let Some(buffer) = &mut self.buffer {
                    buffer.hear_of(from, incarnation);
                }
                self.absorb(&content, Some(Origin { id: from, incarnation }), cx);
                let by = cx.incarnation();
                if whole || builds_on == by {
                    cx.send(from, Message::Ack { by, incarnation, through });
                }
                if answer {
                    self.send_interval(from, false, cx);
                }
            }
            Message::Ack { by, incarnation, through } => {
                if let (Some(buffer), true) = (&mut self.buffer, incarnation == cx.incarnation()) {
                    buffer.acknowledge(from, by, through);
                }
            }
        }
    }

    #[inline]
    fn on_timer(&mut self, _: Round, cx: &mut impl Context<Self>) {
        self.next_round(cx);
        let peers = cx.peers();
        if self.fanout == 1 && peers > 1 {
            // What `Sample` comes down to for nearly all scenarios.
            let index = cx.pick(Purpose::Peer, u64::from(peers)) as u32;
            return self.address(cx.peer(index), cx);
        }
        let sample = self.sample(cx);
        for index in 0..sample.len() {
            let peer = cx.peer(sample.get(index));
            self.address(peer, cx);
        }
    }

    fn on_restart(&mut self, _: Recovery, cx: &mut impl Context<Self>) {
        if let Some(buffer) = &mut self.buffer {
            buffer.forget();
        }
        self.first_round(cx);
    }

    #[inline]
    fn value(&self) -> <C::Object as Object>::State {
        self.state().value()
    }

    #[inline]
    fn knowledge(&self) -> Knowledge {
        Knowledge::Progress
    }

    #[inline]
    fn progress(&self, visit: impl FnMut(ReplicaId, u64)) {
        self.state().progress(visit);
    }

    fn weight(&self) -> Weight {
        self.state().weight()
    }

    fn join_state(&mut self, other: &Self) {
        self.state.join(other.state());
    }

    fn state_digest(&self) -> u64 {
        self.state.sum()
    }

    fn check_laws(states: [&Self; 3]) -> Result<(), String> {
        laws::check(states.map(Self::state))
    }

    #[inline]
    fn touch(&self) -> u64 {
        self.state.touch() ^ self.interval_ns
    }
}
