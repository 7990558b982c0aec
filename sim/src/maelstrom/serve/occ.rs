//! A counter on a store: [`Occ`], whose calls become requests to `lin-kv`, `seq-kv` or `lww-kv`.
//!
//! The total stands under the key `counter`. An update reads it and swaps it by `cas`; a key that does not exist counts
//! as 0 and is created by `create_if_not_exists`. A swap that is not answered is never sent again: its client gets
//! error 0, since nobody knows whether it took effect.
//!
//! **Reads over `seq-kv`.** A sequentially consistent store may serve a client an old state for ever, and only its own
//! writes bring a client forward. So before the store is read for a client, this replica writes something new under a
//! key of its own, `sync-NODE`. The read then shows all that was there at that write, its own updates among them.
//!
//! **Creation over `lww-kv`.** The store of Maelstrom passes over `create_if_not_exists`, and no swap would ever
//! succeed. A swap that was to create the key and finds none is followed by a `write`, which is as safe as that store
//! is: not very.
//!
//! ```json
//! {"src": "n1", "dest": "lin-kv", "body": {"type": "cas", "msg_id": 1, "key": "counter", "from": 2, "to": 7}}
//! ```
//!
//! Invariant: totals on the wire are integers of 64 bits. An addition that would leave them is refused with error 12
//! before anything is swapped.
//!
//! What is deliberately absent: a cache, and the protocol itself, which is that of the simulator.

use std::collections::BTreeMap;

use crdts::objects::counter::{CounterOp, CounterRet};
use serde_json::{Value, json};

use super::{
    clock::Now,
    cluster::Cluster,
    engine::Engine,
    fields::{self, Refused},
    gossiping::refused,
    port::{Asker, Port},
    session::Replica,
};
use crate::{
    kernel::{
        ids::{NodeId, OpId},
        lineage::LineageId,
        node::{Node, Refusal, Reply},
        recorded::Effect,
        service::{KvReply, KvRequest},
    },
    maelstrom::wire::{Body, ErrorCode},
    protocols::occ::{Occ, OccConfig},
    services::KvKind,
};

/// The key of the total.
const KEY: &str = "counter";

/// What a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Add,
    Increment,
    Read,
}

/// A client's operation that is not answered yet.
#[derive(Debug)]
struct Pending {
    asker: Asker,
    wanted: Wanted,
    /// The total that the latest swap was to set.
    to: Option<i128>,
}

/// What a request to the store is for. The number is the protocol's.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Errand {
    /// A read.
    Read(u64),
    /// A write that brings this node forward, before a read.
    Sync(u64),
    /// A swap, and what to write if it was to create the key.
    Swap(u64, Option<i128>),
    /// A write in place of a swap that could not create the key.
    Create(u64),
}

/// A replica that works on a store. See the [module documentation](self).
#[derive(Debug)]
pub(super) struct Stored {
    cluster: Cluster,
    store: KvKind,
    engine: Engine<Occ>,
    requests: u32,
    pending: BTreeMap<OpId, Pending>,
    errands: BTreeMap<u64, Errand>,
    sent: u64,
    started: Now,
}

impl Stored {
    /// As many requests may be unanswered. Older ones are overdue by far.
    const ERRANDS_MAX: usize = 65_536;

    /// The replica of a cluster, at a store, with limits for a request and for an operation.
    pub(super) fn new(store: KvKind, rpc_timeout_ns: u64, deadline_ns: u64, cluster: &Cluster, now: Now) -> Self {
        let endpoint = NodeId(cluster.replicas());
        let config = OccConfig { deadline_ns, rpc_timeout_ns, ..OccConfig::new(endpoint) };
        Self {
            cluster: cluster.clone(),
            store,
            engine: Engine::new(&config, cluster),
            requests: 0,
            pending: BTreeMap::new(),
            errands: BTreeMap::new(),
            sent: 0,
            started: now,
        }
    }

    /// Sends a request to the store.
    fn send(&mut self, errand: Errand, body: Body, port: &mut Port) {
        let number = self.sent;
        self.sent += 1;
        if self.errands.len() == Self::ERRANDS_MAX {
            self.errands.pop_first();
        }
        self.errands.insert(number, errand);
        port.call(self.store.name(), body, number);
    }

    fn read(&mut self, call: u64, port: &mut Port) {
        self.send(Errand::Read(call), Body::new("read", json!({ "key": KEY })), port);
    }

    fn carry_out(&mut self, effects: Vec<Effect<Occ>>, port: &mut Port) {
        for effect in effects {
            match effect {
                Effect::Call { call, request: KvRequest::Read { .. }, .. } => {
                    let for_client = self.pending.values().any(|pending| pending.wanted == Wanted::Read);
                    if self.store == KvKind::Seq && for_client {
                        let value = format!("{}-{}", self.started.unix_ns, self.sent);
                        let key = format!("sync-{}", self.cluster.name());
                        self.send(Errand::Sync(call), Body::new("write", json!({ "key": key, "value": value })), port);
                    } else {
                        self.read(call, port);
                    }
                }
                Effect::Call { call, request: KvRequest::Cas { from, to, create_if_not_exists, op, .. }, .. } => {
                    self.swap(call, (from, to), create_if_not_exists, op, port);
                }
                Effect::Reply { request, reply } => self.reply(request, &reply, port),
                _ => {}
            }
        }
    }

    fn swap(&mut self, call: u64, (from, to): (i128, i128), creates: bool, op: Option<OpId>, port: &mut Port) {
        if i64::try_from(to).is_err() {
            // The operation ends here for its client; in the protocol it ends as a swap that nobody answers.
            if let Some(pending) = op.and_then(|op| self.pending.remove(&op)) {
                let text = format!("`delta` would take the total to {to}, which exceeds 64 bits");
                port.answer(pending.asker, Refused::malformed(text).body());
            }
            return;
        }
        if let Some(pending) = op.and_then(|op| self.pending.get_mut(&op)) {
            pending.to = Some(to);
        }
        let mut body = Body::new("cas", json!({ "key": KEY, "from": fields::exact(from), "to": fields::exact(to) }));
        if creates {
            body.0.insert("create_if_not_exists".to_owned(), Value::Bool(true));
        }
        let creation = (creates && self.store == KvKind::Lww).then_some(to);
        self.send(Errand::Swap(call, creation), body, port);
    }

    fn reply(&mut self, request: OpId, reply: &Reply<CounterRet>, port: &mut Port) {
        let Some(Pending { asker, wanted, to }) = self.pending.remove(&request) else { return };
        let body = match reply {
            Reply::Ok(CounterRet::Total(total)) => Body::new("read_ok", json!({ "value": fields::exact(*total) })),
            Reply::Ok(CounterRet::Added) if wanted == Wanted::Increment => {
                Body::new("increment_ok", json!({ "local_value": fields::exact(to.unwrap_or(0)) }))
            }
            Reply::Ok(CounterRet::Added) => Body::new("add_ok", json!({})),
            Reply::Fail(refusal) => refused(*refusal).body(),
            Reply::Info(_) => refused(Refusal::Timeout).body(),
        };
        port.answer(asker, body);
    }

    fn returned(&mut self, call: u64, reply: KvReply<i128>, port: &mut Port) {
        let effects = self.engine.act(port.now(), |node, cx| node.on_return(call, reply, cx));
        self.carry_out(effects, port);
    }
}

/// What an error of the store means; none if nothing is known after it.
fn failure(body: &Body) -> Option<ErrorCode> {
    let code = body.0.get("code").and_then(Value::as_u64)?;
    ErrorCode::numbered(code).filter(|code| code.is_definite())
}

impl Replica for Stored {
    fn start(&mut self, port: &mut Port) {
        let effects = self.engine.start(self.cluster.incarnation(), port.now());
        self.carry_out(effects, port);
    }

    fn on_request(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused> {
        let (wanted, op) = match body.kind() {
            "add" => (Wanted::Add, CounterOp::Add(fields::integer(body, "delta")?)),
            "increment" => (Wanted::Increment, CounterOp::Add(1)),
            "read" => (Wanted::Read, CounterOp::Read),
            _ => return Err(Refused::unknown(body)),
        };
        let request = OpId(self.requests);
        self.requests = self.requests.wrapping_add(1);
        self.pending.insert(request, Pending { asker: asker.clone(), wanted, to: None });
        let effects = self.engine.act(port.now(), |node, cx| node.on_request(request, op, cx));
        self.carry_out(effects, port);
        Ok(())
    }

    fn on_reply(&mut self, call: u64, body: &Body, port: &mut Port) {
        let Some(errand) = self.errands.remove(&call) else { return };
        let value = || body.0.get("value").and_then(Value::as_i64).map(i128::from);
        match (errand, body.kind()) {
            (Errand::Sync(call), "write_ok") => self.read(call, port),
            (Errand::Read(call), "read_ok") => {
                if let Some(value) = value() {
                    self.returned(call, KvReply::Value { value, lineage: LineageId::ROOT }, port);
                } else {
                    tracing::warn!("the store holds no total under `{KEY}`");
                }
            }
            (Errand::Read(call), "error") if failure(body) == Some(ErrorCode::KeyDoesNotExist) => {
                self.returned(call, KvReply::KeyDoesNotExist, port);
            }
            (Errand::Swap(call, _), "cas_ok") | (Errand::Create(call), "write_ok") => {
                self.returned(call, KvReply::Swapped, port);
            }
            (Errand::Swap(call, creation), "error") => match (failure(body), creation) {
                (Some(ErrorCode::KeyDoesNotExist), Some(to)) => {
                    let body = Body::new("write", json!({ "key": KEY, "value": fields::exact(to) }));
                    self.send(Errand::Create(call), body, port);
                }
                (Some(ErrorCode::KeyDoesNotExist), None) => self.returned(call, KvReply::KeyDoesNotExist, port),
                // It certainly did not happen, for whatever reason: the update may be tried again.
                (Some(_), _) => self.returned(call, KvReply::PreconditionFailed, port),
                (None, _) => {}
            },
            // Anything else is as good as no answer, and the protocol's timer will see to that.
            _ => {}
        }
    }

    fn due_ns(&self) -> Option<u64> {
        self.engine.due_ns()
    }

    fn on_time(&mut self, port: &mut Port) {
        while let Some(timer) = self.engine.take_due(port.now()) {
            let effects = self.engine.act(port.now(), |node, cx| node.on_timer(timer, cx));
            self.carry_out(effects, port);
        }
    }
}
