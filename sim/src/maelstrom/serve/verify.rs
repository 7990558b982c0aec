//! `crdt_verify {state_a, state_b}`: are two states joined as a lattice asks?
//!
//! The states are joined by the types of this program, and the reply shows both joins and which laws hold: `merge_ab`,
//! `merge_ba`, `commutative`, `associative`, `idempotent`. Associativity is tried on all triples of the two states,
//! their join, and the empty state.
//!
//! | form of a state | type |
//! |---|---|
//! | `{"p_counters": {NODE: COUNT}, "n_counters": {NODE: COUNT}}` | PN-Counter |
//! | `{"counters": {NODE: COUNT}}`, or just `{NODE: COUNT}` | G-Counter |
//! | `[ELEMENT, ...]` | G-Set |
//! | `{"elements": {ELEMENT: ["NODE:NUMBER", ...]}, "removed": ["NODE:NUMBER", ...]}` | OR-Set: elements with the tags of their additions, and tags that were removed |
//!
//! Both states have one form.
//!
//! ```
//! use serde_json::json;
//! use sim::maelstrom::{serve::verify, wire::Body};
//!
//! let asked = Body::new("crdt_verify", json!({ "state_a": { "n1": 3 }, "state_b": { "n1": 2, "n2": 5 } }));
//! let said = verify::answer(&asked).expect("two counters");
//! assert_eq!(said.0["merge_ab"], json!({ "n1": 3, "n2": 5 }));
//! assert_eq!(said.0["commutative"], json!(true));
//! ```
//!
//! Invariant: what is reported was computed on these states. What is deliberately absent: a proof; `crdts::laws`
//! searches for counterexamples.

use std::collections::BTreeMap;

use crdts::{
    causality::{CausalContext, Dot, DotMap, DotSet},
    clock::ReplicaId,
    g_counter::GCounter,
    g_set::GSet,
    lattice::{Crdt, Lattice},
    objects::set::SetOp,
    or_set::OrSet,
    pn_counter::PnCounter,
};
use serde_json::{Map, Value, json};

use super::{
    fields::{self, Refused},
    gossiping::counters,
};
use crate::maelstrom::wire::Body;

/// Names of writers, in the order in which they turn up.
#[derive(Debug, Default)]
struct Writers(Vec<String>);

impl Writers {
    fn id(&mut self, name: &str) -> ReplicaId {
        let place = self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        ReplicaId(place as u32)
    }

    fn name(&self, id: ReplicaId) -> String {
        self.0.get(id.0 as usize).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// The reply to a request.
pub fn answer(body: &Body) -> Result<Body, Refused> {
    let (a, b) = (fields::any(body, "state_a")?, fields::any(body, "state_b")?);
    let mut writers = Writers::default();
    match (form(a, "state_a")?, form(b, "state_b")?) {
        (Form::List(a), Form::List(b)) => {
            let state = |elements: &[Value], writer| -> GSet<String> {
                let mut set = GSet::bottom();
                for element in elements {
                    // 2^64 additions do not fit into a request.
                    let _ = set.update(ReplicaId(writer), &SetOp::Add(fields::canonical(element)));
                }
                set
            };
            let shown = |set: &GSet<String>| set.iter().map(|element| fields::parsed(element)).collect();
            Ok(verified(&state(a, 0), &state(b, 1), shown))
        }
        (Form::Elements(a), Form::Elements(b)) => {
            let states = (tagged(a, "state_a", &mut writers)?, tagged(b, "state_b", &mut writers)?);
            Ok(verified(&states.0, &states.1, |set| shown_tagged(set, &writers)))
        }
        (Form::Pair(a), Form::Pair(b)) => {
            let mut state = |fields| counters::read::<PnCounter>(fields, |name| Some(writers.id(name)));
            let states = (state(a)?, state(b)?);
            Ok(verified(&states.0, &states.1, |state| counters::written(state, |id| writers.name(id)).into()))
        }
        (Form::Counters(a), Form::Counters(b)) => {
            let mut state = |fields| counters::read::<GCounter>(fields, |name| Some(writers.id(name)));
            let states = (state(a)?, state(b)?);
            Ok(verified(&states.0, &states.1, |state| counters::written(state, |id| writers.name(id)).into()))
        }
        (Form::Plain(a), Form::Plain(b)) => {
            let wrapped = |map: &Map<String, Value>| Map::from_iter([("counters".to_owned(), map.clone().into())]);
            let mut state = |fields: &Map<String, Value>| {
                counters::read::<GCounter>(&wrapped(fields), |name| Some(writers.id(name)))
            };
            let states = (state(a)?, state(b)?);
            let shown = |state: &GCounter| counters::written(state, |id| writers.name(id))["counters"].clone();
            Ok(verified(&states.0, &states.1, shown))
        }
        _ => Err(Refused::malformed("`state_a` and `state_b` are states of different types")),
    }
}

/// The form of a state.
enum Form<'a> {
    Pair(&'a Map<String, Value>),
    Counters(&'a Map<String, Value>),
    Plain(&'a Map<String, Value>),
    Elements(&'a Map<String, Value>),
    List(&'a [Value]),
}

fn form<'a>(value: &'a Value, name: &str) -> Result<Form<'a>, Refused> {
    match value {
        Value::Array(list) => Ok(Form::List(list)),
        Value::Object(map) if map.contains_key("p_counters") || map.contains_key("n_counters") => Ok(Form::Pair(map)),
        Value::Object(map) if map.get("counters").is_some_and(Value::is_object) => Ok(Form::Counters(map)),
        Value::Object(map) if map.get("elements").is_some_and(Value::is_object) => Ok(Form::Elements(map)),
        Value::Object(map) => Ok(Form::Plain(map)),
        _ => Err(Refused::field(name, "a list of elements or a map of counts", value)),
    }
}

/// The laws on two states.
fn verified<L: Lattice>(a: &L, b: &L, shown: impl Fn(&L) -> Value) -> Body {
    let join = |left: &L, right: &L| {
        let mut joined = left.clone();
        joined.join(right);
        joined
    };
    let (merge_ab, merge_ba) = (join(a, b), join(b, a));
    let states = [a.clone(), b.clone(), merge_ab.clone(), L::bottom()];
    let associative = states
        .iter()
        .all(|x| states.iter().all(|y| states.iter().all(|z| join(&join(x, y), z) == join(x, &join(y, z)))));
    let idempotent = states.iter().all(|state| join(state, state) == *state) && join(&merge_ab, b) == merge_ab;
    let fields = json!({
        "merge_ab": shown(&merge_ab),
        "merge_ba": shown(&merge_ba),
        "commutative": merge_ab == merge_ba,
        "associative": associative,
        "idempotent": idempotent,
    });
    Body::new("crdt_verify_ok", fields)
}

/// A tag: who, and which of its updates.
fn tag(value: &Value, field: &str, writers: &mut Writers) -> Result<Dot, Refused> {
    let wrong = || Refused::field(field, "a list of tags such as `n1:3`", value);
    let (writer, number) = value.as_str().and_then(|tag| tag.rsplit_once(':')).ok_or_else(wrong)?;
    let number = number.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    Ok(Dot::new(writers.id(writer), number))
}

fn tags(value: &Value, field: &str, writers: &mut Writers) -> Result<Vec<Dot>, Refused> {
    let list = value.as_array().ok_or_else(|| Refused::field(field, "a list of tags such as `n1:3`", value))?;
    list.iter().map(|value| tag(value, field, writers)).collect()
}

/// An OR-Set of its elements with their tags, and of the tags that were removed.
fn tagged(map: &Map<String, Value>, name: &str, writers: &mut Writers) -> Result<OrSet<String>, Refused> {
    let mut store = DotMap::<String, DotSet>::default();
    let mut known = Vec::new();
    for (element, value) in map["elements"].as_object().into_iter().flatten() {
        let field = format!("{name}.elements.{element}");
        let dots = tags(value, &field, writers)?;
        known.extend_from_slice(&dots);
        store.edit(element, |set| {
            for dot in &dots {
                set.insert(*dot);
            }
        });
    }
    let live = known.len();
    if let Some(removed) = map.get("removed") {
        known.extend(tags(removed, &format!("{name}.removed"), writers)?);
    }
    let context = CausalContext::from_dots(known.clone());
    // Each tag names one addition: at one element, and not removed.
    if known[..live].iter().collect::<std::collections::BTreeSet<_>>().len() < live
        || known[live..].iter().any(|dot| known[..live].contains(dot))
    {
        return Err(Refused::malformed(format!("`{name}` has a tag at two places")));
    }
    let state = json!({ "context": context, "hearsay": CausalContext::default(), "store": store });
    serde_json::from_value(state).map_err(|error| Refused::malformed(format!("`{name}` is no set: {error}")))
}

fn shown_tagged(set: &OrSet<String>, writers: &Writers) -> Value {
    let name = |dot: Dot| format!("{}:{}", writers.name(dot.replica), dot.counter);
    let mut live = Vec::new();
    let mut elements = BTreeMap::new();
    for (element, dots) in set.store().iter() {
        live.extend(dots.iter());
        elements.insert(element.clone(), dots.iter().map(name).collect::<Vec<_>>());
    }
    let removed: Vec<String> = set.context().dots().filter(|dot| !live.contains(dot)).map(name).collect();
    json!({ "elements": elements, "removed": removed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(a: &Value, b: &Value) -> Result<Value, Refused> {
        answer(&Body::new("crdt_verify", json!({ "state_a": a, "state_b": b }))).map(|body| body.0.into())
    }

    #[test]
    fn states_of_all_forms_are_joined() {
        let check = |a: Value, b: Value, merged: Value| {
            let said = verify(&a, &b).expect("two states");
            assert_eq!((&said["merge_ab"], &said["merge_ba"]), (&merged, &merged));
            for law in ["commutative", "associative", "idempotent"] {
                assert_eq!(said[law], true, "{law}");
            }
        };
        check(
            json!({ "p_counters": { "n1": 3 }, "n_counters": { "n2": 1 } }),
            json!({ "p_counters": { "n1": 2, "n2": 9 }, "n_counters": {} }),
            json!({ "p_counters": { "n1": 3, "n2": 9 }, "n_counters": { "n2": 1 } }),
        );
        check(json!({ "counters": { "a": 1 } }), json!({ "counters": {} }), json!({ "counters": { "a": 1 } }));
        check(json!({ "a": 1 }), json!({ "a": 4 }), json!({ "a": 4 }));
        check(json!([1, "x"]), json!([{ "k": 1 }, 1]), json!(["x", 1, { "k": 1 }]));
        check(
            json!({ "elements": { "tea": ["n1:1"], "milk": ["n1:2"] } }),
            json!({ "elements": { "tea": ["n1:1", "n2:1"] }, "removed": ["n1:2"] }),
            json!({ "elements": { "tea": ["n1:1", "n2:1"] }, "removed": ["n1:2"] }),
        );
    }

    #[test]
    fn what_is_no_state_is_refused_by_name() {
        let text = |a: Value, b: Value| verify(&a, &b).expect_err("no states").text;
        assert!(text(json!(1), json!([])).contains("`state_a`"));
        assert!(text(json!([]), json!({})).contains("different types"));
        assert!(text(json!({ "a": -1 }), json!({})).contains("counters.a"));
        assert!(
            text(json!({ "elements": { "x": ["n1"] } }), json!({ "elements": {} })).contains("`state_a.elements.x`")
        );
        let twice = json!({ "elements": { "x": ["n1:1"], "y": ["n1:1"] } });
        assert!(text(twice, json!({ "elements": {} })).contains("two places"));
    }
}
