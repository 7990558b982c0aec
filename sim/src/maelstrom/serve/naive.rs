//! The naive counter: every replica broadcasts its total, and the latest writer wins.
//!
//! It is wrong on purpose, and the same [`Naive`] as in the simulator: of two concurrent additions one is lost. Its
//! message is `total {value, clock_ns, writer, to_all}`: the total, when and by which node it was written, and whether
//! it went to all other replicas.
//!
//! ```json
//! {"type": "total", "value": 5, "clock_ns": 1790000000000000000, "writer": "n2", "to_all": true}
//! ```
//!
//! Invariant: totals on the wire are integers of 64 bits. An addition that would leave them is refused with error 12.
//!
//! What is deliberately absent: repairs. A total that was lost on the way is not sent again.

use crdts::objects::counter::{Counter, CounterOp};
use serde_json::json;

use super::{
    cluster::Cluster,
    engine::Engine,
    fields::{self, Refused},
    port::{Asker, Port},
    session::Replica,
};
use crate::{
    kernel::{
        ids::{NodeId, OpId},
        lineage::LineageId,
        node::Node,
        recorded::Effect,
    },
    maelstrom::wire::Body,
    protocols::naive::{Copied, Naive, Stamp, Total},
};

/// A replica of the naive protocol. See the [module documentation](self).
#[derive(Debug)]
pub(super) struct Copying {
    cluster: Cluster,
    engine: Engine<Naive>,
    requests: u32,
}

impl Copying {
    /// The replica of a cluster.
    pub(super) fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone(), engine: Engine::new(&(), cluster), requests: 0 }
    }

    fn carry_out(&self, effects: Vec<Effect<Naive>>, port: &mut Port) {
        for effect in effects {
            if let Effect::Send { to, message: Total { copy, to_all } } = effect {
                let fields = json!({
                    "value": fields::exact(copy.value),
                    "clock_ns": copy.stamp.clock_ns,
                    "writer": self.cluster.node_name(copy.stamp.writer),
                    "to_all": to_all,
                });
                port.send(self.cluster.node_name(to), Body::new("total", fields));
            }
        }
    }

    fn add(&mut self, amount: i64, field: &str, port: &mut Port) -> Result<(), Refused> {
        let total = self.engine.node().value() + i128::from(amount);
        if i64::try_from(total).is_err() {
            return Err(Refused::malformed(format!(
                "`{field}` would take the total to {total}, which exceeds 64 bits"
            )));
        }
        let request = OpId(self.requests);
        self.requests = self.requests.wrapping_add(1);
        let effects = self.engine.act(port.now(), |node, cx| node.on_request(request, CounterOp::Add(amount), cx));
        self.carry_out(effects, port);
        Ok(())
    }

    fn on_total(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused> {
        let peer = |name: &str| -> Result<NodeId, Refused> {
            let replica = self.cluster.replica_at(name);
            replica.ok_or_else(|| Refused::malformed(format!("`{name}` is no replica of this cluster")))
        };
        let (from, writer) = (peer(&asker.src)?, peer(fields::text(body, "writer")?)?);
        let stamp = Stamp { clock_ns: fields::integer(body, "clock_ns")?, writer };
        let value = i128::from(fields::integer(body, "value")?);
        // Which updates a value contains is known to the simulator only.
        let copy = Copied::<Counter> { value, stamp, lineage: LineageId::ROOT };
        let message = Total { copy, to_all: fields::flag(body, "to_all")? };
        let effects = self.engine.act(port.now(), |node, cx| node.on_message(from, message, cx));
        self.carry_out(effects, port);
        Ok(())
    }
}

impl Replica for Copying {
    fn on_request(&mut self, asker: &Asker, body: &Body, port: &mut Port) -> Result<(), Refused> {
        let value = |this: &Self| fields::exact(this.engine.node().value());
        let said = match body.kind() {
            "add" => {
                self.add(fields::integer(body, "delta")?, "delta", port)?;
                Body::new("add_ok", json!({}))
            }
            "increment" => {
                self.add(1, "increment", port)?;
                Body::new("increment_ok", json!({ "local_value": value(self) }))
            }
            "read" => Body::new("read_ok", json!({ "value": value(self) })),
            "total" => {
                self.on_total(asker, body, port)?;
                Body::new("total_ok", json!({}))
            }
            _ => return Err(Refused::unknown(body)),
        };
        port.answer(asker.clone(), said);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maelstrom::{serve::clock::Now, wire::Message};

    fn replica(name: &str) -> Copying {
        Copying::new(&Cluster::new(name, &["n1", "n2"].map(str::to_owned), 0).expect("a cluster"))
    }

    fn ask(replica: &mut Copying, unix_ns: i64, src: &str, body: &Body) -> Vec<Message> {
        let mut port = Port::new(replica.cluster.name(), Now { since_start_ns: 0, unix_ns });
        let asker = Asker { src: src.to_owned(), msg_id: Some(1) };
        if let Err(refused) = replica.on_request(&asker, body, &mut port) {
            port.answer(asker, refused.body());
        }
        port.take_out()
    }

    #[test]
    fn concurrent_additions_are_lost_as_in_the_simulator() {
        let (mut first, mut second) = (replica("n1"), replica("n2"));
        let add = |delta: i64| Body::new("add", json!({ "delta": delta }));
        let from_first = ask(&mut first, 1, "c1", &add(1)).remove(0);
        let from_second = ask(&mut second, 2, "c1", &add(5)).remove(0);
        assert_eq!(from_first.dest, "n2");
        ask(&mut second, 3, "n1", &from_first.body);
        ask(&mut first, 3, "n2", &from_second.body);
        for replica in [&mut first, &mut second] {
            assert_eq!(ask(replica, 4, "c1", &Body::new("read", json!({})))[0].body.0["value"], 5);
        }
    }

    #[test]
    fn the_total_stays_within_its_range() {
        let mut replica = replica("n1");
        ask(&mut replica, 1, "c1", &Body::new("add", json!({ "delta": i64::MAX })));
        let refused = ask(&mut replica, 1, "c1", &Body::new("increment", json!({})));
        assert_eq!(refused[0].body.0["code"], 12);
        assert_eq!(ask(&mut replica, 1, "c1", &Body::new("read", json!({})))[0].body.0["value"], json!(i64::MAX));
    }
}
