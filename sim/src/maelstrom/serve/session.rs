//! The protocol around a replica: who it is, what is a request, and what is an error.
//!
//! Invariants:
//! * A request with a number is answered exactly once; a message without one is never answered.
//! * A line that is no message, a reply that nobody waits for, and a message that cannot be understood are counted and
//!   logged, and change nothing else.
//! * Before `init` every other request is refused with error 12. A second `init` is answered if it says the same, and
//!   refused if not: a process is one node for all its life.
//!
//! Three requests are the same for all replicas. `topology` is acknowledged: gossip draws its peers from all replicas,
//! so that a graph in which somebody cannot be reached does no harm. `crdt_verify` and `tradeoff_analysis` are about
//! data and conditions that they bring along.
//!
//! ```
//! use sim::maelstrom::serve::{Now, Options, ReplicaKind, Session, no_advice};
//!
//! let mut session = Session::new(ReplicaKind::Echo, Options::default(), no_advice());
//! let init = br#"{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}"#;
//! session.on_line(init, Now::default());
//! session.on_line(br#"{"src":"c0","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"hi"}}"#, Now::default());
//! let said: Vec<String> = session.take_out().iter().map(|message| message.line()).collect();
//! assert_eq!(said[0], r#"{"body":{"in_reply_to":1,"type":"init_ok"},"dest":"c0","src":"n1"}"#);
//! assert_eq!(said[1], r#"{"body":{"echo":"hi","in_reply_to":2,"type":"echo_ok"},"dest":"c0","src":"n1"}"#);
//! ```
//!
//! What is deliberately absent: input and output.

use serde_json::json;

use super::{
    Options, ReplicaKind,
    clock::Now,
    cluster::Cluster,
    fields::{self, Refused},
    port::{Asker, Port},
    tradeoff::{self, Adviser},
    verify,
};
use crate::maelstrom::wire::{Body, ErrorCode, Malformed, Message};

/// A replica as the session drives it.
pub trait Replica {
    /// Runs once, after `init`.
    fn start(&mut self, port: &mut Port) {
        let _ = port;
    }

    /// A request or message arrives. Who gives an error back has not answered, and will not.
    fn on_request(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused>;

    /// The reply to a request of its own.
    fn on_reply(&mut self, call: u64, body: &Body, port: &mut Port) {
        let _ = (call, body, port);
    }

    /// When it wants to be woken, in time since the start of the process.
    fn due_ns(&self) -> Option<u64> {
        None
    }

    /// Time has passed, perhaps enough.
    fn on_time(&mut self, port: &mut Port) {
        let _ = port;
    }
}

/// What was counted and passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that are no message.
    pub malformed: u64,
    /// Replies to nothing that waits for one.
    pub stray_replies: u64,
    /// Messages without a number that could not be understood, and so were not answered.
    pub ignored: u64,
    /// Requests that were answered with an error.
    pub refused: u64,
}

/// A node: nobody before `init`, a replica from then on.
pub struct Session {
    kind: ReplicaKind,
    options: Options,
    adviser: Adviser,
    counts: Counts,
    port: Port,
    active: Option<(Cluster, Box<dyn Replica>)>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("kind", &self.kind).field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl Session {
    /// A node that will be a replica of this kind.
    pub fn new(kind: ReplicaKind, options: Options, adviser: Adviser) -> Self {
        let port = Port::new("", Now::default());
        Self { kind, options, adviser, counts: Counts::default(), port, active: None }
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What is to be sent, in order.
    pub fn take_out(&mut self) -> Vec<Message> {
        self.port.take_out()
    }

    /// When the replica wants to be woken.
    pub fn due_ns(&self) -> Option<u64> {
        self.active.as_ref().and_then(|(_, replica)| replica.due_ns())
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: Now) {
        self.port.set_now(now);
        if let Some((_, replica)) = &mut self.active {
            replica.on_time(&mut self.port);
        }
    }

    /// A line was read.
    pub fn on_line(&mut self, line: &[u8], now: Now) {
        self.port.set_now(now);
        match Message::parse(line) {
            Ok(message) => self.on_message(message),
            Err(Malformed(reason)) => {
                self.counts.malformed += 1;
                tracing::warn!(malformed_lines = self.counts.malformed, "a line is no message: {reason}");
            }
        }
    }

    fn on_message(&mut self, message: Message) {
        let Message { src, dest, body } = message;
        if let Some(msg_id) = body.in_reply_to() {
            return self.on_reply(&src, msg_id, &body);
        }
        let asker = Asker { src, msg_id: body.msg_id() };
        if let Err(refused) = self.on_request(&asker, &dest, &body) {
            let kind = body.kind();
            // An error is never answered with an error: two nodes would go on like that for ever.
            if asker.msg_id.is_none() || kind == "error" {
                self.counts.ignored += 1;
                tracing::warn!("a message of type `{kind}` from {} is ignored: {}", asker.src, refused.text);
            } else {
                self.counts.refused += 1;
                tracing::info!("a request of type `{kind}` from {} is refused: {}", asker.src, refused.text);
                self.answer_as(&dest, asker, refused.body());
            }
        }
    }

    fn on_reply(&mut self, src: &str, msg_id: i64, body: &Body) {
        let call = self.port.returned(src, msg_id);
        if let (Some(call), Some((_, replica))) = (call, &mut self.active) {
            return replica.on_reply(call, body, &mut self.port);
        }
        self.counts.stray_replies += 1;
        tracing::debug!(stray_replies = self.counts.stray_replies, "nobody waits for a reply of {src}");
    }

    fn on_request(&mut self, asker: &Asker, dest: &str, body: &Body) -> Result<(), Refused> {
        if body.kind() == "init" {
            return self.on_init(asker, body);
        }
        let Some((cluster, replica)) = &mut self.active else {
            return Err(Refused::malformed("the first request must be `init`"));
        };
        if dest != cluster.name() {
            let text = format!("this is {}, and not {dest}", cluster.name());
            return Err(Refused::new(ErrorCode::NodeNotFound, text));
        }
        let said = match body.kind() {
            "topology" => {
                fields::object(body, "topology")?;
                Body::new("topology_ok", json!({}))
            }
            "crdt_verify" => verify::answer(body)?,
            "tradeoff_analysis" => tradeoff::answer(body, &mut self.adviser)?,
            _ => return replica.on_request(asker, body, &mut self.port),
        };
        self.port.answer(asker.clone(), said);
        Ok(())
    }

    fn on_init(&mut self, asker: &Asker, body: &Body) -> Result<(), Refused> {
        let cluster = Cluster::from_init(body, self.options.incarnation)?;
        match &self.active {
            Some((same, _)) if *same == cluster => {}
            Some((other, _)) => {
                return Err(Refused::malformed(format!("this is {} already, of another cluster", other.name())));
            }
            None => {
                self.port = Port::new(cluster.name(), self.port.now());
                // The replica may send at once, and `init_ok` comes first.
                self.port.answer(asker.clone(), Body::new("init_ok", json!({})));
                let mut replica = self.kind.boot(&cluster, &self.options, self.port.now());
                replica.start(&mut self.port);
                self.active = Some((cluster, replica));
                return Ok(());
            }
        }
        self.port.answer(asker.clone(), Body::new("init_ok", json!({})));
        Ok(())
    }

    /// Answers under the name by which the request called this node, which may have none of its own yet.
    fn answer_as(&mut self, name: &str, asker: Asker, body: Body) {
        if self.active.is_some() {
            return self.port.answer(asker, body);
        }
        let mut unnamed = Port::new(name, self.port.now());
        unnamed.answer(asker, body);
        self.port.append(&mut unnamed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::maelstrom::serve::{no_advice, tradeoff::Adviser};

    fn session(kind: ReplicaKind) -> Session {
        let mut session = Session::new(kind, Options::default(), no_advice());
        let init = json!({ "type": "init", "msg_id": 1, "node_id": "n1", "node_ids": ["n1", "n2"] });
        assert_eq!(said(&mut session, "c0", &init)[0]["type"], "init_ok");
        session
    }

    fn said(session: &mut Session, src: &str, body: &Value) -> Vec<Value> {
        let line = json!({ "src": src, "dest": "n1", "body": body }).to_string();
        session.on_line(line.as_bytes(), Now { since_start_ns: 5, unix_ns: 7 });
        session.take_out().into_iter().map(|message| Value::Object(message.body.0)).collect()
    }

    #[test]
    fn errors_are_not_answered_with_errors() {
        let mut session = session(ReplicaKind::Rga);
        let error = json!({ "type": "error", "msg_id": 4, "code": 10, "text": "" });
        assert!(said(&mut session, "n2", &error).is_empty());
        assert_eq!(session.counts(), Counts { ignored: 1, ..Counts::default() });
    }

    #[test]
    fn a_reply_to_nothing_is_counted() {
        let mut session = session(ReplicaKind::LinKvProxy);
        let asked = said(&mut session, "c1", &json!({ "type": "read", "msg_id": 2, "key": 1 }));
        assert_eq!(asked[0]["msg_id"], 0);
        for (src, in_reply_to, answers) in [("n2", 0, 0), ("lin-kv", 1, 0), ("lin-kv", 0, 1), ("lin-kv", 0, 0)] {
            let reply = json!({ "type": "read_ok", "in_reply_to": in_reply_to, "value": 3 });
            assert_eq!(said(&mut session, src, &reply).len(), answers);
        }
        assert_eq!(session.counts().stray_replies, 3);
    }

    const TYPES: [&str; 33] = [
        "init",
        "echo",
        "generate",
        "broadcast",
        "read",
        "topology",
        "add",
        "increment",
        "write",
        "cas",
        "replicate",
        "gossip",
        "gossip_status",
        "crdt_verify",
        "or_set_add",
        "or_set_remove",
        "or_set_read",
        "mv_write",
        "mv_read",
        "mv_merge",
        "seq_insert",
        "seq_delete",
        "seq_read",
        "cart_add",
        "cart_remove",
        "cart_view",
        "total",
        "tradeoff_analysis",
        "error",
        "read_ok",
        "cas_ok",
        "write_ok",
        "txn",
    ];

    const FIELDS: [&str; 32] = [
        "echo",
        "message",
        "topology",
        "delta",
        "element",
        "key",
        "value",
        "from",
        "to",
        "create_if_not_exists",
        "p_counters",
        "n_counters",
        "counters",
        "kind",
        "content",
        "digest",
        "ask",
        "answer",
        "whole",
        "incarnation",
        "builds_on",
        "through",
        "state_a",
        "state_b",
        "context",
        "entry",
        "position",
        "char",
        "item",
        "qty",
        "writer",
        "clock_ns",
    ];

    /// Values that mean something somewhere, and values that mean nothing.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (0..4_i64).prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop_oneof![
                Just("n1"),
                Just("n2"),
                Just("n1:1"),
                Just("state"),
                Just("pull"),
                Just("delta"),
                Just("digest"),
                Just("interval"),
                Just("ack"),
                Just("offer"),
                Just("01"),
                Just("0100a5d86d4c"),
                Just("é"),
            ]
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 12, 3, |inner| {
            let names = prop_oneof![
                Just("n1".to_owned()),
                Just("elements".to_owned()),
                Just("vclock".to_owned()),
                Just("value".to_owned()),
                "[a-c]"
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map(names, inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn body() -> impl Strategy<Value = Value> {
        let field = (prop::sample::select(&FIELDS[..]), value());
        let fields = prop::collection::vec(field, 0..6);
        (prop::sample::select(&TYPES[..]), prop::option::of(0..3_i64), fields).prop_map(|(kind, msg_id, fields)| {
            let mut body = json!({ "type": kind, "msg_id": msg_id });
            for (name, value) in fields {
                body[name] = value;
            }
            body
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_comes_is_answered_at_most_once(
            bodies in prop::collection::vec((prop::sample::select(&["c1", "n2", "lin-kv"][..]), body()), 1..24),
            kind in prop::sample::select(&ReplicaKind::ALL[..]),
        ) {
            let mut session = session(kind);
            for (src, body) in bodies {
                let asks = body["msg_id"].is_i64();
                let answers = said(&mut session, src, &body).iter().filter(|said| !said["in_reply_to"].is_null()).count();
                prop_assert!(answers <= usize::from(asks));
                session.on_time(Now { since_start_ns: 1 << 40, unix_ns: 9 });
                session.take_out();
            }
        }
    }

    #[test]
    fn advice_comes_from_the_adviser() {
        let adviser = Adviser::new(Box::new(|asked| Err(format!("no runs for {:?}", asked.kind))));
        let mut session = Session::new(ReplicaKind::Echo, Options::default(), adviser);
        said(&mut session, "c0", &json!({ "type": "init", "msg_id": 1, "node_id": "n1", "node_ids": ["n1"] }));
        let asked = json!({ "type": "tradeoff_analysis", "msg_id": 2, "use_case": "x", "partition_rate": 0, "conflict_rate": 0 });
        assert_eq!(said(&mut session, "c0", &asked)[0]["text"], "no runs for Counter");
    }
}
