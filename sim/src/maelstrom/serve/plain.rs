//! Replicas without a replicated state: `echo`, and `unique-ids`.
//!
//! **Unique ids.** An id is `NODE-BOOT-NUMBER`: the node's name, the clock of the day at `init` in nanoseconds, and a
//! number that counts from 0. No two nodes share a name. A node that lost its memory starts its numbers again, but at a
//! later time: ids repeat only if its clock is set back to the very nanosecond at which an earlier incarnation started.
//! So nothing is drawn, and nobody is asked.
//!
//! An example stands in the tests of this module. What is deliberately absent: an order of ids.

use serde_json::json;

use super::{
    clock::Now,
    cluster::Cluster,
    fields::{self, Refused},
    port::{Asker, Port},
    session::Replica,
};
use crate::maelstrom::wire::Body;

/// Says what it is told.
#[derive(Debug)]
pub(super) struct Echo;

impl Replica for Echo {
    fn on_request(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused> {
        if body.kind() != "echo" {
            return Err(Refused::unknown(body));
        }
        let echo = fields::any(body, "echo")?;
        port.answer(asker.clone(), Body::new("echo_ok", json!({ "echo": echo })));
        Ok(())
    }
}

/// Makes ids. See the [module documentation](self).
#[derive(Debug)]
pub(super) struct UniqueIds {
    prefix: String,
    given: u64,
}

impl UniqueIds {
    /// A node that starts at this time.
    pub(super) fn new(cluster: &Cluster, now: Now) -> Self {
        Self { prefix: format!("{}-{}", cluster.label(), now.unix_ns), given: 0 }
    }
}

impl Replica for UniqueIds {
    fn on_request(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused> {
        if body.kind() != "generate" {
            return Err(Refused::unknown(body));
        }
        let id = format!("{}-{}", self.prefix, self.given);
        self.given += 1;
        port.answer(asker.clone(), Body::new("generate_ok", json!({ "id": id })));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_id_comes_twice_from_nodes_and_their_incarnations() {
        let names = ["n1", "n2"].map(str::to_owned);
        let mut seen = BTreeSet::new();
        let mut port = Port::new("n1", Now::default());
        for (name, unix_ns) in [("n1", 5), ("n2", 5), ("n1", 6)] {
            let cluster = Cluster::new(name, &names, 0).expect("a cluster");
            let mut ids = UniqueIds::new(&cluster, Now { since_start_ns: 0, unix_ns });
            let asker = Asker { src: "c1".to_owned(), msg_id: Some(0) };
            for _ in 0..20 {
                ids.on_request(&asker, &Body::new("generate", json!({})), &mut port).expect("an id");
            }
        }
        for message in port.take_out() {
            assert!(seen.insert(message.body.0["id"].to_string()));
        }
        assert_eq!(seen.len(), 60);
    }
}
