//! `lin-kv-proxy`: passes reads, writes and swaps on to the service `lin-kv`, and its replies back.
//!
//! **Promises** what the store promises, since nothing is kept here. Replies are passed back as they come, in whatever
//! order. A request that the store does not answer in time is answered with error 0: a write may have taken effect, or
//! may still do so.
//!
//! An example stands in the tests of this module. What is deliberately absent: sending again, which could write twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    fields::{self, Refused},
    port::{Asker, Port},
    session::Replica,
};
use crate::maelstrom::wire::{Body, ErrorCode};

/// The service behind the proxy.
const STORE: &str = "lin-kv";

/// A node in front of the store.
#[derive(Debug)]
pub(super) struct Proxy {
    limit_ns: u64,
    calls: u64,
    /// By call: who asked, and until when the store may answer. Limits are equal, so calls expire in their order.
    waiting: BTreeMap<u64, (Asker, u64)>,
}

impl Proxy {
    /// A proxy that waits this long for the store.
    pub(super) fn new(limit_ns: u64) -> Self {
        Self { limit_ns, calls: 0, waiting: BTreeMap::new() }
    }
}

/// The request as the store is to get it.
fn forwarded(body: &Body) -> Result<Body, Refused> {
    let names: &[&str] = match body.kind() {
        "read" => &["key"],
        "write" => &["key", "value"],
        "cas" => &["key", "from", "to"],
        _ => return Err(Refused::unknown(body)),
    };
    let mut passed = Body::new(body.kind(), json!({}));
    for name in names {
        passed.0.insert((*name).to_owned(), fields::any(body, name)?.clone());
    }
    if body.kind() == "cas" && fields::flag(body, "create_if_not_exists")? {
        passed.0.insert("create_if_not_exists".to_owned(), Value::Bool(true));
    }
    Ok(passed)
}

impl Replica for Proxy {
    fn on_request(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused> {
        let body = forwarded(body)?;
        let call = self.calls;
        self.calls += 1;
        let until_ns = port.now().since_start_ns.saturating_add(self.limit_ns);
        self.waiting.insert(call, (asker.clone(), until_ns));
        port.call(STORE, body, call);
        Ok(())
    }

    fn on_reply(&mut self, call: u64, body: &Body, port: &mut Port) {
        let Some((asker, _)) = self.waiting.remove(&call) else { return };
        let mut passed = body.clone();
        passed.0.remove("in_reply_to");
        passed.0.remove("msg_id");
        port.answer(asker, passed);
    }

    fn due_ns(&self) -> Option<u64> {
        self.waiting.first_key_value().map(|(_, (_, until_ns))| *until_ns)
    }

    fn on_time(&mut self, port: &mut Port) {
        while let Some(entry) = self.waiting.first_entry().filter(|entry| entry.get().1 <= port.now().since_start_ns) {
            let (asker, _) = entry.remove();
            port.answer(asker, Body::error(ErrorCode::Timeout, "the store did not answer in time"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maelstrom::serve::clock::Now;

    fn asker(msg_id: i64) -> Asker {
        Asker { src: "c1".to_owned(), msg_id: Some(msg_id) }
    }

    #[test]
    fn replies_go_back_to_who_asked_and_silence_is_a_timeout() {
        let mut port = Port::new("n1", Now::default());
        let mut proxy = Proxy::new(100);
        let swap = json!({ "key": 1, "from": 2, "to": 3, "create_if_not_exists": true, "extra": 1 });
        proxy.on_request(&asker(7), &Body::new("read", json!({ "key": "x" })), &mut port).expect("passed on");
        proxy.on_request(&asker(8), &Body::new("cas", swap), &mut port).expect("passed on");
        let asked = port.take_out();
        assert_eq!(asked[1].body.0["create_if_not_exists"], json!(true));
        assert_eq!(asked[1].body.0.get("extra"), None);
        proxy.on_reply(1, &Body::error(ErrorCode::PreconditionFailed, "2 is 4").replying(Some(1)), &mut port);
        let replies = port.take_out();
        assert_eq!(
            replies[0].line(),
            r#"{"body":{"code":22,"in_reply_to":8,"text":"2 is 4","type":"error"},"dest":"c1","src":"n1"}"#
        );
        assert_eq!(proxy.due_ns(), Some(100));
        port.set_now(Now { since_start_ns: 100, unix_ns: 0 });
        proxy.on_time(&mut port);
        assert_eq!((port.take_out()[0].body.0["code"].clone(), proxy.due_ns()), (json!(0), None));
    }

    #[test]
    fn what_the_store_could_not_understand_is_refused() {
        let mut port = Port::new("n1", Now::default());
        let mut refused = |kind: &str, fields: Value| {
            Proxy::new(1).on_request(&asker(1), &Body::new(kind, fields), &mut port).expect_err("refused")
        };
        assert_eq!(refused("txn", json!({})).code, ErrorCode::NotSupported);
        assert!(refused("write", json!({ "key": 1 })).text.contains("`value`"));
        assert!(
            refused("cas", json!({ "key": 1, "from": 1, "to": 2, "create_if_not_exists": 1 }))
                .text
                .contains("create_if")
        );
    }
}
