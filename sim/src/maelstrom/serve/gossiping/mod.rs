//! Replicas that gossip: [`Gossip`], with its messages as JSON and with the requests of one data type.
//!
//! A type says three things ([`Spoken`]): what a request asks of it, how states and digests look on the wire, and what
//! its value is. All else is here: rounds, messages, and what `gossip_status` reports.
//!
//! **Messages.** Between replicas of this program, `"type": "gossip"` with a `kind`:
//!
//! | kind | further fields |
//! |---|---|
//! | `state` | `content`; `answer`: is the peer to send its own, if it differs? |
//! | `pull` | |
//! | `delta` | `content` |
//! | `digest` | `digest`; `ask`: `request`, `offer` or `exchange` |
//! | `interval` | `content`, `whole`, `answer`, `incarnation`, `builds_on`, `through` |
//! | `ack` | `by`, `incarnation`, `through` |
//!
//! These are the messages of [`crate::protocols::gossip`], field by field. A `content` or `digest` is the canonical
//! encoding with its checksum, in hexadecimal, unless the type has a form of its own: counters exchange states as
//! `replicate`, which any program can speak.
//!
//! **Lost messages.** Nothing is sent again, and nothing needs to be: every round tells a peer everything that it may
//! lack, so what was lost or cut off is made up for after the heal.
//!
//! Invariant: a state that contradicts what is known here (one update with two contents) is refused with error 12 and
//! not joined.
//!
//! ```json
//! {"type": "gossip", "kind": "digest", "digest": "01000000d9a51b6c", "ask": "exchange"}
//! ```
//!
//! What is deliberately absent: persistence. A replica that lost its memory must be started with another `incarnation`.

use std::fmt::Debug;

use crdts::{
    encoding::Encode,
    lattice::{Crdt, Lattice},
    object::Object,
};
use serde_json::{Value, json};

use super::{
    clock::Now,
    cluster::Cluster,
    engine::Engine,
    fields::{self, Refused},
    port::{Asker, Port},
    session::Replica,
};
use crate::{
    kernel::{
        ids::{NodeId, OpId},
        node::{Node, Refusal, Reply},
        recorded::Effect,
    },
    maelstrom::wire::{Body, ErrorCode},
    protocols::gossip::{Ask, Gossip, GossipConfig, Message, Summed},
};

pub(super) mod carts;
mod content;
pub(super) mod counters;
pub(super) mod registers;
pub(super) mod sets;
mod status;
pub(super) mod texts;
pub(super) mod versions;

use status::Status;

pub(super) use content::{from_hex, hex};

/// The operations of a type.
type OpOf<C> = <<C as Crdt>::Object as Object>::Op;
/// The answers of a type.
type RetOf<C> = <<C as Crdt>::Object as Object>::Ret;
/// Says what to reply, from the state after the operation and its answer.
type Answer<C> = Box<dyn FnOnce(&C, RetOf<C>) -> Body>;

/// What a request comes down to: an operation, and what to make of its answer.
pub(super) struct Asked<C: Crdt>(OpOf<C>, Answer<C>);

/// A data type as it is spoken with.
pub(super) trait Spoken: Debug {
    /// The type.
    type Crdt: Crdt<Digest: Encode + Send + Sync> + Encode + Send + Sync;

    /// What a request asks; an error if it makes no sense, with code 10 if its type is not known.
    fn ask(&mut self, state: &Self::Crdt, body: &Body) -> Result<Asked<Self::Crdt>, Refused>;

    /// What a read would return.
    fn local_value(&self, state: &Self::Crdt) -> Value;

    /// A state on the wire.
    fn content(&self, state: &Self::Crdt) -> Value {
        hex(state)
    }

    /// A state from the wire.
    fn read_content(&mut self, name: &str, value: &Value) -> Result<Self::Crdt, Refused> {
        from_hex(name, value)
    }

    /// A digest on the wire.
    fn digest(&self, digest: &<Self::Crdt as Crdt>::Digest) -> Value {
        hex(digest)
    }

    /// A digest from the wire.
    fn read_digest(&mut self, name: &str, value: &Value) -> Result<<Self::Crdt as Crdt>::Digest, Refused> {
        from_hex(name, value)
    }

    /// The state as a message that other programs understand as well, if there is one.
    fn replicate(&self, state: &Self::Crdt) -> Option<Body> {
        let _ = state;
        None
    }

    /// Does a state from elsewhere hold updates under the name of this replica that it did not make? If so: how to say that.
    fn overtaken(&self, ours: &Self::Crdt, theirs: &Self::Crdt) -> Option<String> {
        let _ = (ours, theirs);
        None
    }

    /// The state in such a message.
    fn read_replicate(&mut self, body: &Body) -> Option<Result<Self::Crdt, Refused>> {
        let _ = body;
        None
    }
}

type NodeOf<S> = Gossip<<S as Spoken>::Crdt>;
type MessageOf<S> = Message<<S as Spoken>::Crdt>;

/// A replica that gossips. See the [module documentation](self).
#[derive(Debug)]
pub(super) struct Gossiping<S: Spoken> {
    spoken: S,
    cluster: Cluster,
    engine: Engine<NodeOf<S>>,
    status: Status<S::Crdt>,
    requests: u32,
    rounds: u64,
}

impl<S: Spoken> Gossiping<S> {
    /// The replica of a cluster, with these options.
    pub(super) fn new(spoken: S, config: &GossipConfig, cluster: &Cluster) -> Self {
        let engine = Engine::new(config, cluster);
        Self { spoken, cluster: cluster.clone(), engine, status: Status::default(), requests: 0, rounds: 0 }
    }

    fn state(&self) -> &S::Crdt {
        self.engine.node().state()
    }

    /// Sends what a handler wants to be sent. Returns its reply to a client, if there is one.
    fn carry_out(&mut self, effects: Vec<Effect<NodeOf<S>>>, port: &mut Port) -> Option<Reply<RetOf<S::Crdt>>> {
        let mut answer = None;
        for effect in effects {
            match effect {
                Effect::Send { to, message } => {
                    self.status.sent(to, &message);
                    let body = self.written(&message);
                    port.send(self.cluster.node_name(to), body);
                }
                Effect::Reply { reply, .. } => answer = Some(reply),
                Effect::Touched => self.status.changed(port.now().since_start_ns),
                _ => {}
            }
        }
        answer
    }

    /// A message on the wire.
    fn written(&self, message: &MessageOf<S>) -> Body {
        let of_kind = |kind: &str, mut fields: Value| {
            fields["kind"] = json!(kind);
            Body::new("gossip", fields)
        };
        match message {
            Message::State { state, answer } => {
                let Some(mut body) = self.spoken.replicate(state.content()) else {
                    return of_kind(
                        "state",
                        json!({ "content": self.spoken.content(state.content()), "answer": answer }),
                    );
                };
                if *answer {
                    body.0.insert("answer".to_owned(), Value::Bool(true));
                }
                body
            }
            Message::Pull => of_kind("pull", json!({})),
            Message::Delta(delta) => self
                .spoken
                .replicate(delta)
                .unwrap_or_else(|| of_kind("delta", json!({ "content": self.spoken.content(delta) }))),
            Message::Digest { digest, ask } => {
                let ask = match ask {
                    Ask::Request => "request",
                    Ask::Offer => "offer",
                    Ask::Exchange => "exchange",
                };
                of_kind("digest", json!({ "digest": self.spoken.digest(digest), "ask": ask }))
            }
            Message::Interval { content, whole, answer, incarnation, builds_on, through } => {
                let fields = json!({
                    "content": self.spoken.content(content),
                    "whole": whole,
                    "answer": answer,
                    "incarnation": incarnation,
                    "builds_on": builds_on,
                    "through": through,
                });
                of_kind("interval", fields)
            }
            Message::Ack { by, incarnation, through } => {
                of_kind("ack", json!({ "by": by, "incarnation": incarnation, "through": through }))
            }
        }
    }

    /// A message from the wire.
    fn read(&mut self, body: &Body) -> Result<MessageOf<S>, Refused> {
        let number = |name: &str| {
            let number = fields::natural(body, name)?;
            u32::try_from(number).map_err(|_| Refused::field(name, "an integer of 32 bits", &body.0[name]))
        };
        match fields::text(body, "kind")? {
            "state" => {
                let content = self.spoken.read_content("content", fields::any(body, "content")?)?;
                Ok(Message::State { state: Summed::new(content), answer: fields::flag(body, "answer")? })
            }
            "pull" => Ok(Message::Pull),
            "delta" => Ok(Message::Delta(self.spoken.read_content("content", fields::any(body, "content")?)?)),
            "digest" => {
                let digest = self.spoken.read_digest("digest", fields::any(body, "digest")?)?;
                let ask = match fields::text(body, "ask")? {
                    "request" => Ask::Request,
                    "offer" => Ask::Offer,
                    "exchange" => Ask::Exchange,
                    _ => return Err(Refused::field("ask", "`request`, `offer` or `exchange`", &body.0["ask"])),
                };
                Ok(Message::Digest { digest, ask })
            }
            "interval" => Ok(Message::Interval {
                content: self.spoken.read_content("content", fields::any(body, "content")?)?,
                whole: fields::flag(body, "whole")?,
                answer: fields::flag(body, "answer")?,
                incarnation: number("incarnation")?,
                builds_on: number("builds_on")?,
                through: fields::natural(body, "through")?,
            }),
            "ack" => Ok(Message::Ack {
                by: number("by")?,
                incarnation: number("incarnation")?,
                through: fields::natural(body, "through")?,
            }),
            _ => Err(Refused::field("kind", "a kind of gossip", &body.0["kind"])),
        }
    }

    /// Hands a message to the node.
    fn deliver(&mut self, from: NodeId, message: MessageOf<S>, port: &mut Port) -> Result<(), Refused> {
        let content = match &message {
            Message::State { state, .. } => Some(state.content()),
            Message::Delta(content) | Message::Interval { content, .. } => Some(content),
            Message::Pull | Message::Digest { .. } | Message::Ack { .. } => None,
        };
        if let Some(content) = content {
            let joined = self.state().clone().try_join(content);
            joined.map_err(|error| Refused::malformed(format!("the state is not joined: {error}")))?;
            if let Some(text) = self.spoken.overtaken(self.state(), content) {
                tracing::warn!("{text}; a process that lost its memory must be started with another --incarnation");
            }
        }
        self.status.received(from, &message, self.engine.node().state());
        let effects = self.engine.act(port.now(), |node, cx| node.on_message(from, message, cx));
        self.carry_out(effects, port);
        self.status.look(self.engine.node().state(), self.cluster.peers(), port.now().since_start_ns);
        Ok(())
    }

    /// A state from another program, or from a client.
    fn on_replicate(&mut self, asker: &Asker, state: S::Crdt, body: &Body, port: &mut Port) -> Result<(), Refused> {
        let peer = self.cluster.replica_at(&asker.src).filter(|peer| *peer != self.cluster.id());
        // Only a replica can be sent anything, and only then does it matter who it is.
        let answer = peer.is_some() && fields::flag(body, "answer")?;
        let from = peer.unwrap_or(self.cluster.id());
        self.deliver(from, Message::State { state: Summed::new(state), answer }, port)?;
        port.answer(asker.clone(), Body::new("replicate_ok", json!({})));
        Ok(())
    }

    fn on_gossip(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused> {
        let peer = self.cluster.replica_at(&asker.src).filter(|peer| *peer != self.cluster.id());
        let from =
            peer.ok_or_else(|| Refused::malformed(format!("{} is no other replica of this cluster", asker.src)))?;
        let message = self.read(body)?;
        self.deliver(from, message, port)?;
        port.answer(asker.clone(), Body::new("gossip_ok", json!({})));
        Ok(())
    }

    fn on_operation(&mut self, asker: &Asker, asked: Asked<S::Crdt>, port: &mut Port) -> Result<(), Refused> {
        let Asked(op, answer) = asked;
        let request = OpId(self.requests);
        self.requests = self.requests.wrapping_add(1);
        let effects = self.engine.act(port.now(), |node, cx| node.on_request(request, op, cx));
        let answered = self.carry_out(effects, port);
        // Alone, a replica has converged at once.
        self.status.look(self.engine.node().state(), self.cluster.peers(), port.now().since_start_ns);
        match answered {
            Some(Reply::Ok(ret)) => {
                let body = answer(self.state(), ret);
                port.answer(asker.clone(), body);
                Ok(())
            }
            Some(Reply::Fail(refusal) | Reply::Info(refusal)) => Err(refused(refusal)),
            None => Err(Refused::new(ErrorCode::Crash, "the replica gave no answer")),
        }
    }

    fn report(&self, now: Now) -> Body {
        let fields = json!({
            "local_value": self.spoken.local_value(self.state()),
            "gossip_rounds": self.rounds,
            "peers_synced": self.status.synced(self.state(), self.cluster.peers()),
            "convergence_ms": self.status.convergence_ns(now.since_start_ns) / 1_000_000,
        });
        Body::new("gossip_status_ok", fields)
    }
}

/// What a refusal of the protocol is on the wire.
pub(super) fn refused(refusal: Refusal) -> Refused {
    let (code, text) = match refusal {
        Refusal::Timeout => (ErrorCode::Timeout, "no answer in time; it may have taken effect"),
        Refusal::Down => (ErrorCode::TemporarilyUnavailable, "the replica is down"),
        Refusal::Contention => (ErrorCode::TxnConflict, "others changed the value again and again"),
        Refusal::StoreUnreachable => (ErrorCode::TemporarilyUnavailable, "the store did not answer"),
        Refusal::Unsupported => (ErrorCode::NotSupported, "the data type cannot express this"),
        Refusal::Overflow => (ErrorCode::MalformedRequest, "this would exceed 64 bits"),
        // What programs refuse for, protocols of the simulator do not.
        _ => (ErrorCode::Crash, "the replica failed on the way"),
    };
    Refused::new(code, text)
}

impl<S: Spoken> Replica for Gossiping<S> {
    fn start(&mut self, port: &mut Port) {
        let effects = self.engine.start(self.cluster.incarnation(), port.now());
        self.carry_out(effects, port);
    }

    fn on_request(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused> {
        match body.kind() {
            "gossip" => return self.on_gossip(asker, body, port),
            "gossip_status" => {
                port.answer(asker.clone(), self.report(port.now()));
                return Ok(());
            }
            _ => {}
        }
        if let Some(state) = self.spoken.read_replicate(body) {
            return self.on_replicate(asker, state?, body, port);
        }
        let asked = self.spoken.ask(self.engine.node().state(), body)?;
        self.on_operation(asker, asked, port)
    }

    fn due_ns(&self) -> Option<u64> {
        self.engine.due_ns()
    }

    fn on_time(&mut self, port: &mut Port) {
        while let Some(timer) = self.engine.take_due(port.now()) {
            self.rounds += 1;
            let effects = self.engine.act(port.now(), |node, cx| node.on_timer(timer, cx));
            self.carry_out(effects, port);
        }
    }
}

#[cfg(test)]
mod tests {
    use crdts::objects::{
        cart::CartOp, counter::CounterOp, map::MapOp, register::RegisterOp, sequence::SequenceOp, set::SetOp,
    };

    use super::{versions::VersionedOp, *};

    fn cluster() -> Cluster {
        Cluster::new("n1", &["n1", "n2"].map(str::to_owned), 1).expect("a cluster")
    }

    /// Messages of every kind read back as they were written.
    fn read_back<S: Spoken>(spoken: S, op: &OpOf<S::Crdt>) {
        let mut replica = Gossiping::new(spoken, &GossipConfig::default(), &cluster());
        let mut state = S::Crdt::bottom();
        state.update(crdts::ReplicaId(3), op).expect("an update");
        let digest = state.digest();
        let interval = |whole, answer| Message::Interval {
            content: state.clone(),
            whole,
            answer,
            incarnation: 3,
            builds_on: u32::MAX,
            through: u64::MAX,
        };
        let messages = [
            Message::State { state: Summed::new(state.clone()), answer: true },
            Message::State { state: Summed::new(S::Crdt::bottom()), answer: false },
            Message::Pull,
            Message::Delta(state.clone()),
            Message::Digest { digest: digest.clone(), ask: Ask::Request },
            Message::Digest { digest: digest.clone(), ask: Ask::Offer },
            Message::Digest { digest, ask: Ask::Exchange },
            interval(true, false),
            interval(false, true),
            Message::Ack { by: 1, incarnation: 2, through: 3 },
        ];
        for message in messages {
            let body = replica.written(&message);
            if body.kind() == "gossip" {
                assert_eq!(replica.read(&body), Ok(message));
            } else {
                let content = replica.spoken.read_replicate(&body).expect("a state").expect("that was written here");
                match message {
                    Message::State { state, .. } => assert_eq!(*state.content(), content),
                    Message::Delta(delta) => assert_eq!(delta, content),
                    other => panic!("{other:?} is written as a state"),
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        read_back(counters::Counting::growing(&cluster()), &CounterOp::Add(7));
        read_back(counters::Counting::signed(&cluster()), &CounterOp::Add(-7));
        read_back(sets::Growing::G_SET, &SetOp::Add("1".to_owned()));
        read_back(sets::ObservedRemove::new(&cluster()), &SetOp::Add("1".to_owned()));
        read_back(registers::LastWriter, &MapOp::Update { key: "1".to_owned(), op: RegisterOp::Write("2".to_owned()) });
        read_back(texts::Writing::new(&cluster()), &SequenceOp::InsertAt { position: 0, text: "ä".to_owned() });
        read_back(carts::Shopping, &CartOp::Add { item: "1".to_owned(), quantity: 2 });
        let put = VersionedOp::Put {
            key: "1".to_owned(),
            clock: [("n1".to_owned(), 2)].into_iter().collect(),
            value: "3".to_owned(),
        };
        read_back(versions::Keeping::new(&cluster()), &put);
    }
}
