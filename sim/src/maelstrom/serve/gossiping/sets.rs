//! Sets: `g-set`, `broadcast` and `or-set`.
//!
//! Elements are any JSON. Two are equal if their canonical texts are: keys of objects sorted, no blanks, and `1` is not
//! `1.0`.
//!
//! | replica | requests |
//! |---|---|
//! | `g-set` | `add {element}`, `read` -> `value` |
//! | `broadcast` | `broadcast {message}`, `read` -> `messages` |
//! | `or-set` | `or_set_add {element}` -> `tag`, `or_set_remove {element}` -> `tags_removed`, `or_set_read` -> `elements`, and those of `g-set` |
//!
//! A *tag* names an addition: `n1:3` is the third update of `n1`. A removal lists the tags that it saw and removed; an
//! addition that it did not see has another tag, and stays.
//!
//! ```json
//! {"type": "or_set_add", "msg_id": 1, "element": "tea"}       {"type": "or_set_add_ok", "in_reply_to": 1, "tag": "n1:1"}
//! {"type": "or_set_remove", "msg_id": 2, "element": "tea"}    {"type": "or_set_remove_ok", "in_reply_to": 2, "tags_removed": ["n1:1"]}
//! ```
//!
//! Invariant: reads list each element once, in the order of the texts. What is deliberately absent: `contains`.

use crdts::{
    causality::Dot,
    g_set::GSet,
    objects::set::{SetOp, SetRet},
    or_set::OrSet,
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

fn list<'a>(elements: impl IntoIterator<Item = &'a String>) -> Value {
    elements.into_iter().map(|element| fields::parsed(element)).collect()
}

fn element(body: &Body, name: &str) -> Result<String, Refused> {
    fields::any(body, name).map(fields::canonical)
}

/// The reply with all elements.
fn elements_in(kind: &'static str, field: &'static str, ret: &SetRet<String>) -> Body {
    let elements = if let SetRet::Elements(elements) = ret { list(elements) } else { json!([]) };
    Body::new(kind, json!({ field: elements }))
}

/// A grow-only set, under the names of one of two workloads.
#[derive(Debug)]
pub(in crate::maelstrom::serve) struct Growing {
    /// The request that adds.
    add: &'static str,
    /// The field of the element in it.
    element: &'static str,
    /// The reply to it.
    added: &'static str,
    /// The field of the elements in `read_ok`.
    elements: &'static str,
}

impl Growing {
    /// As the workload `g-set` speaks.
    pub(in crate::maelstrom::serve) const G_SET: Self =
        Self { add: "add", element: "element", added: "add_ok", elements: "value" };

    /// As the workload `broadcast` speaks.
    pub(in crate::maelstrom::serve) const BROADCAST: Self =
        Self { add: "broadcast", element: "message", added: "broadcast_ok", elements: "messages" };
}

impl Spoken for Growing {
    type Crdt = GSet<String>;

    fn ask(&mut self, _: &GSet<String>, body: &Body) -> Result<Asked<GSet<String>>, Refused> {
        let (added, elements) = (self.added, self.elements);
        match body.kind() {
            kind if kind == self.add => {
                let op = SetOp::Add(element(body, self.element)?);
                Ok(Asked(op, Box::new(move |_, _| Body::new(added, json!({})))))
            }
            "read" => Ok(Asked(SetOp::Read, Box::new(move |_, ret| elements_in("read_ok", elements, &ret)))),
            _ => Err(Refused::unknown(body)),
        }
    }

    fn local_value(&self, state: &GSet<String>) -> Value {
        list(state.iter())
    }
}

/// A set from which elements are removed as well.
#[derive(Debug)]
pub(in crate::maelstrom::serve) struct ObservedRemove {
    cluster: Cluster,
}

impl ObservedRemove {
    /// The set of a cluster.
    pub(in crate::maelstrom::serve) fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone() }
    }
}

/// The names of the additions that are left of an element.
fn tags(cluster: &Cluster, set: &OrSet<String>, element: &String) -> Vec<String> {
    let tag = |dot: Dot| format!("{}:{}", cluster.shown_writer(dot.replica), dot.counter);
    set.store().get(element).map(|dots| dots.iter().map(tag).collect()).unwrap_or_default()
}

impl Spoken for ObservedRemove {
    type Crdt = OrSet<String>;

    fn ask(&mut self, state: &OrSet<String>, body: &Body) -> Result<Asked<OrSet<String>>, Refused> {
        match body.kind() {
            "add" => {
                let op = SetOp::Add(element(body, "element")?);
                Ok(Asked(op, Box::new(|_, _| Body::new("add_ok", json!({})))))
            }
            "or_set_add" => {
                let added = element(body, "element")?;
                let (op, cluster) = (SetOp::Add(added.clone()), self.cluster.clone());
                // An addition takes the place of those that it saw, so its own tag is the only one.
                let answer = move |after: &OrSet<String>, _| {
                    Body::new("or_set_add_ok", json!({ "tag": tags(&cluster, after, &added).first() }))
                };
                Ok(Asked(op, Box::new(answer)))
            }
            "or_set_remove" => {
                let removed = element(body, "element")?;
                let tags = tags(&self.cluster, state, &removed);
                let answer = move |_: &_, _| Body::new("or_set_remove_ok", json!({ "tags_removed": tags }));
                Ok(Asked(SetOp::Remove(removed), Box::new(answer)))
            }
            "or_set_read" => Ok(Asked(SetOp::Read, Box::new(|_, ret| elements_in("or_set_read_ok", "elements", &ret)))),
            "read" => Ok(Asked(SetOp::Read, Box::new(|_, ret| elements_in("read_ok", "value", &ret)))),
            _ => Err(Refused::unknown(body)),
        }
    }

    fn local_value(&self, state: &OrSet<String>) -> Value {
        list(state.iter())
    }
}
