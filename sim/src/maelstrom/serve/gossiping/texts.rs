//! Text: `seq_insert {position, char}`, `seq_delete {position}`, `seq_read`.
//!
//! Positions count Unicode scalar values from 0. The id of a character is `LAMPORT-NODE`: its Lamport time, which is
//! above that of every character that its replica had, and the node that inserted it.
//!
//! ```json
//! {"type": "seq_insert", "msg_id": 1, "position": 0, "char": "a"}    {"type": "seq_insert_ok", "in_reply_to": 1, "id": "1-n1"}
//! {"type": "seq_read", "msg_id": 2}                                  {"type": "seq_read_ok", "in_reply_to": 2, "text": "a", "length": 1}
//! ```
//!
//! Invariant: a position outside of the text changes nothing and is refused with error 12. What is deliberately absent:
//! more than one character at a time.

use crdts::{
    lattice::Crdt,
    objects::sequence::{SequenceOp, SequenceRet},
    sequence::{Op, Rga},
};
use serde_json::{Value, json};

use super::{Asked, Spoken};
use crate::maelstrom::{
    serve::{
        cluster::Cluster,
        fields::{self, Refused},
    },
    wire::Body,
};

/// A text.
#[derive(Debug)]
pub(in crate::maelstrom::serve) struct Writing {
    cluster: Cluster,
}

impl Writing {
    /// The text of a cluster.
    pub(in crate::maelstrom::serve) fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone() }
    }
}

/// A position below `end`.
fn position(body: &Body, end: usize, what: &str) -> Result<usize, Refused> {
    let position = usize::try_from(fields::natural(body, "position")?).ok().filter(|position| *position < end);
    position.ok_or_else(|| Refused::field("position", what, &body.0["position"]))
}

impl Spoken for Writing {
    type Crdt = Rga;

    fn ask(&mut self, state: &Rga, body: &Body) -> Result<Asked<Rga>, Refused> {
        let len = state.len();
        match body.kind() {
            "seq_insert" => {
                let position = position(body, len + 1, &format!("at most {len}, the length of the text"))?;
                let text = fields::text(body, "char")?;
                if text.chars().count() != 1 {
                    return Err(Refused::field("char", "one character", &body.0["char"]));
                }
                let (before, cluster) = (state.digest(), self.cluster.clone());
                let answer = move |after: &Rga, _| {
                    let id = after.ops_since(&before).into_iter().find_map(|op| match op {
                        Op::Insert(insert) => {
                            Some(format!("{}-{}", insert.lamport, cluster.shown_writer(insert.id.replica)))
                        }
                        Op::Delete(_) => None,
                    });
                    Body::new("seq_insert_ok", json!({ "id": id }))
                };
                Ok(Asked(SequenceOp::InsertAt { position, text: text.to_owned() }, Box::new(answer)))
            }
            "seq_delete" => {
                let position = position(body, len, &format!("below {len}, the length of the text"))?;
                let op = SequenceOp::DeleteAt { position, len: 1 };
                Ok(Asked(op, Box::new(|_, _| Body::new("seq_delete_ok", json!({})))))
            }
            "seq_read" => {
                let answer = |after: &Rga, ret| {
                    let text = if let SequenceRet::Text(text) = ret { text } else { String::new() };
                    Body::new("seq_read_ok", json!({ "text": text, "length": after.len() }))
                };
                Ok(Asked(SequenceOp::Read, Box::new(answer)))
            }
            _ => Err(Refused::unknown(body)),
        }
    }

    fn local_value(&self, state: &Rga) -> Value {
        Value::String(state.text())
    }
}
