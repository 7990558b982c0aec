//! The way out of a served replica: messages, requests of its own, and the time.
//!
//! Invariant: a request is answered at most once, since [`Port::answer`] takes the asker. Own requests are numbered
//! from 0, and a reply reaches the replica only if it comes from the node that was asked, and only once.
//!
//! ```
//! use serde_json::json;
//! use sim::maelstrom::{serve::{Asker, Now, Port}, wire::Body};
//!
//! let mut port = Port::new("n1", Now::default());
//! port.call("lin-kv", Body::new("read", json!({ "key": "x" })), 7);
//! port.answer(Asker { src: "c1".to_owned(), msg_id: Some(3) }, Body::new("echo_ok", json!({})));
//! let lines: Vec<String> = port.take_out().iter().map(|message| message.line()).collect();
//! assert_eq!(lines[0], r#"{"body":{"key":"x","msg_id":0,"type":"read"},"dest":"lin-kv","src":"n1"}"#);
//! assert_eq!(lines[1], r#"{"body":{"in_reply_to":3,"type":"echo_ok"},"dest":"c1","src":"n1"}"#);
//! assert_eq!(port.returned("lin-kv", 0), Some(7));
//! assert_eq!(port.returned("lin-kv", 0), None);
//! ```
//!
//! What is deliberately absent: sending again. Who needs it has a timer.

use std::collections::BTreeMap;

use super::clock::Now;
use crate::maelstrom::wire::{Body, Message};

/// As many own requests may be unanswered; the oldest are given up first.
const CALLS_MAX: usize = 65_536;

/// Who asked, and under which number. Without a number no answer is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Who.
    pub src: String,
    /// The number of the request.
    pub msg_id: Option<i64>,
}

/// What a replica sees of the world: the time, and a way out.
#[derive(Debug)]
pub struct Port {
    name: String,
    now: Now,
    out: Vec<Message>,
    calls: BTreeMap<i64, (String, u64)>,
    next_msg_id: i64,
}

impl Port {
    /// The port of a node.
    pub fn new(name: &str, now: Now) -> Self {
        Self { name: name.to_owned(), now, out: Vec::new(), calls: BTreeMap::new(), next_msg_id: 0 }
    }

    /// What the clocks show.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Sends what another port was to send.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.out.append(&mut other.out);
    }

    pub(super) fn set_now(&mut self, now: Now) {
        self.now = now;
    }

    /// Sends a message that wants no reply.
    pub fn send(&mut self, dest: &str, body: Body) {
        self.out.push(Message::new(&self.name, dest, body));
    }

    /// Sends a request. Its reply comes back with `call`.
    pub fn call(&mut self, dest: &str, body: Body, call: u64) {
        let msg_id = self.next_msg_id;
        self.next_msg_id += 1;
        if self.calls.len() == CALLS_MAX {
            self.calls.pop_first();
        }
        self.calls.insert(msg_id, (dest.to_owned(), call));
        self.send(dest, body.asking(msg_id));
    }

    /// Answers a request, unless it wants no answer.
    pub fn answer(&mut self, asker: Asker, body: Body) {
        let Asker { src, msg_id } = asker;
        if msg_id.is_some() {
            self.send(&src, body.replying(msg_id));
        }
    }

    /// Which call a reply belongs to; none if nobody waits for it.
    pub fn returned(&mut self, src: &str, msg_id: i64) -> Option<u64> {
        if self.calls.get(&msg_id)?.0 != src {
            return None;
        }
        self.calls.remove(&msg_id).map(|(_, call)| call)
    }

    /// What was sent since this was last asked, in order.
    pub fn take_out(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reply_counts_once_and_from_whom_was_asked() {
        let mut port = Port::new("n1", Now::default());
        port.call("seq-kv", Body::new("read", json!({})), 4);
        assert_eq!(port.returned("lin-kv", 0), None);
        assert_eq!(port.returned("seq-kv", 1), None);
        assert_eq!(port.returned("seq-kv", 0), Some(4));
        assert_eq!(port.returned("seq-kv", 0), None);
    }

    #[test]
    fn who_gave_no_number_gets_no_answer() {
        let mut port = Port::new("n1", Now::default());
        port.answer(Asker { src: "c1".to_owned(), msg_id: None }, Body::new("read_ok", json!({})));
        assert!(port.take_out().is_empty());
    }

    #[test]
    fn requests_that_nobody_answers_do_not_pile_up() {
        let mut port = Port::new("n1", Now::default());
        for call in 0..CALLS_MAX as u64 + 3 {
            port.call("lin-kv", Body::new("read", json!({})), call);
        }
        assert_eq!(port.calls.len(), CALLS_MAX);
        assert_eq!((port.returned("lin-kv", 2), port.returned("lin-kv", 3)), (None, Some(3)));
    }
}
