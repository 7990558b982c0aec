//! Counters: `add`, `increment`, `read`, and the exchange of states that any program can speak.
//!
//! **Exchange.** `replicate {p_counters, n_counters}` carries, for each node, what it has added and subtracted in all;
//! a G-Counter uses `counters`. Counts are joined by maximum. The message is answered with `replicate_ok` if it has a
//! number. When a replica of this program wants its peer's state in return, it adds `"answer": true`, which others may
//! ignore.
//!
//! With `--mode push` and `--payload state`, the defaults of counters, replicas say nothing but `replicate`. Other modes and
//! payloads need messages that only this program knows; states and digests in them are the same maps.
//!
//! Invariant: counts are integers of 64 bits. A request that would take one beyond is refused with error 12, and totals
//! beyond 64 bits are shown as text.
//!
//! An example stands in the tests of this module. What is deliberately absent: a node's count that falls. Who lost its
//! memory counts under another name (`n1#1`), or else what it added before would hide what it adds now.

use std::{collections::BTreeMap, marker::PhantomData};

use crdts::{
    Encode,
    clock::ReplicaId,
    g_counter::GCounter,
    lattice::Crdt,
    objects::counter::{Counter, CounterOp},
    pn_counter::PnCounter,
};
use serde_json::{Map, Value, json};

use super::{Asked, Spoken};
use crate::maelstrom::{
    serve::{
        cluster::Cluster,
        fields::{self, Refused},
    },
    wire::Body,
};

/// As many writers that are no replicas are told apart.
const STRANGERS_MAX: usize = 65_536;

/// Names of writers, and their identities. Writers that are no replicas of the cluster get identities from the top
/// down, which are valid in this process only.
#[derive(Debug)]
pub(super) struct Writers {
    cluster: Cluster,
    strangers: Vec<String>,
}

impl Writers {
    pub(super) fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone(), strangers: Vec::new() }
    }

    fn id(&mut self, name: &str) -> Option<ReplicaId> {
        if let Some(id) = self.cluster.writer_named(name) {
            return Some(id);
        }
        let place = self.strangers.iter().position(|stranger| stranger == name).or_else(|| {
            (self.strangers.len() < STRANGERS_MAX).then(|| {
                self.strangers.push(name.to_owned());
                self.strangers.len() - 1
            })
        })?;
        Some(ReplicaId(u32::MAX - place as u32))
    }

    fn name(&self, id: ReplicaId) -> String {
        match self.strangers.get((u32::MAX - id.0) as usize) {
            Some(stranger) => stranger.clone(),
            None => self.cluster.shown_writer(id),
        }
    }
}

/// The counts of a map, checked: pairs of a name and what it counts.
fn counts(field: &str, map: &Map<String, Value>) -> Result<Vec<(String, u64)>, Refused> {
    let count = |(name, value): (&String, &Value)| {
        let wrong = || Refused::field(&format!("{field}.{name}"), "an integer of at least 0 and 64 bits", value);
        Ok((name.clone(), value.as_u64().ok_or_else(wrong)?))
    };
    map.iter().map(count).collect()
}

/// A counter that says how its states look on the wire.
pub(in crate::maelstrom::serve) trait Counts:
    Crdt<Object = Counter, Digest = Self>
{
    /// The maps of a state, each with the name of its field.
    const FIELDS: &'static [&'static str];

    /// The halves of a state, in the order of the fields.
    fn halves(&self) -> Vec<&GCounter>;

    /// What a writer has added and subtracted, taken into a state.
    fn count(&mut self, writer: ReplicaId, added: u64, subtracted: u64) -> Result<(), String>;
}

impl Counts for GCounter {
    const FIELDS: &'static [&'static str] = &["counters"];

    fn halves(&self) -> Vec<&GCounter> {
        vec![self]
    }

    fn count(&mut self, writer: ReplicaId, added: u64, _: u64) -> Result<(), String> {
        self.observe(writer, added).map(drop).map_err(|error| error.to_string())
    }
}

impl Counts for PnCounter {
    const FIELDS: &'static [&'static str] = &["p_counters", "n_counters"];

    fn halves(&self) -> Vec<&GCounter> {
        vec![self.increments(), self.decrements()]
    }

    fn count(&mut self, writer: ReplicaId, added: u64, subtracted: u64) -> Result<(), String> {
        self.observe(writer, added, subtracted).map(drop).map_err(|error| error.to_string())
    }
}

/// The maps of a state.
pub(in crate::maelstrom::serve) fn written<C: Counts>(
    state: &C,
    name: impl Fn(ReplicaId) -> String,
) -> Map<String, Value> {
    let half = |counter: &GCounter| -> Map<String, Value> {
        counter.counts().map(|(id, count)| (name(id), json!(count))).collect()
    };
    let halves = C::FIELDS.iter().zip(state.halves());
    halves.map(|(field, counter)| ((*field).to_owned(), Value::Object(half(counter)))).collect()
}

/// The state of its maps. A map that is absent is empty, but one must be there.
pub(in crate::maelstrom::serve) fn read<C: Counts>(
    fields: &Map<String, Value>,
    mut id: impl FnMut(&str) -> Option<ReplicaId>,
) -> Result<C, Refused> {
    let mut merged = BTreeMap::<String, [u64; 2]>::new();
    let mut found = false;
    for (half, field) in C::FIELDS.iter().enumerate() {
        let Some(value) = fields.get(*field) else { continue };
        found = true;
        let map = value.as_object().ok_or_else(|| Refused::field(field, "a map from nodes to counts", value))?;
        for (name, count) in counts(field, map)? {
            merged.entry(name).or_default()[half] = count;
        }
    }
    if !found {
        return Err(Refused::malformed(format!("`{}` is missing", C::FIELDS[0])));
    }
    let mut state = C::bottom();
    for (name, [added, subtracted]) in merged {
        let id = id(&name).ok_or_else(|| Refused::malformed(format!("`{name}` is one writer too many")))?;
        let counted = state.count(id, added, subtracted);
        counted.map_err(|error| Refused::malformed(format!("the counts of `{name}` make no sense: {error}")))?;
    }
    Ok(state)
}

/// A counter as it is spoken with.
#[derive(Debug)]
pub(in crate::maelstrom::serve) struct Counting<C> {
    writers: Writers,
    grows_only: bool,
    of: PhantomData<C>,
}

impl Counting<GCounter> {
    /// A counter that takes no negative amounts.
    pub(in crate::maelstrom::serve) fn growing(cluster: &Cluster) -> Self {
        Self { writers: Writers::new(cluster), grows_only: true, of: PhantomData }
    }
}

impl Counting<PnCounter> {
    /// A counter that takes amounts of either sign.
    pub(in crate::maelstrom::serve) fn signed(cluster: &Cluster) -> Self {
        Self { writers: Writers::new(cluster), grows_only: false, of: PhantomData }
    }
}

impl<C> Spoken for Counting<C>
where
    C: Counts + Encode + Send + Sync,
{
    type Crdt = C;

    fn ask(&mut self, _: &C, body: &Body) -> Result<Asked<C>, Refused> {
        match body.kind() {
            "add" => {
                let delta = fields::integer(body, "delta")?;
                if self.grows_only && delta < 0 {
                    return Err(Refused::field("delta", "at least 0, since this counter only grows", &body.0["delta"]));
                }
                Ok(Asked(CounterOp::Add(delta), Box::new(|_, _| Body::new("add_ok", json!({})))))
            }
            "increment" => {
                let answer =
                    |state: &C, _| Body::new("increment_ok", json!({ "local_value": fields::exact(state.value()) }));
                Ok(Asked(CounterOp::Add(1), Box::new(answer)))
            }
            "read" => {
                let answer = |state: &C, _| Body::new("read_ok", json!({ "value": fields::exact(state.value()) }));
                Ok(Asked(CounterOp::Read, Box::new(answer)))
            }
            _ => Err(Refused::unknown(body)),
        }
    }

    fn local_value(&self, state: &C) -> Value {
        fields::exact(state.value())
    }

    fn content(&self, state: &C) -> Value {
        Value::Object(written(state, |id| self.writers.name(id)))
    }

    fn read_content(&mut self, name: &str, value: &Value) -> Result<C, Refused> {
        let fields = value.as_object().ok_or_else(|| Refused::field(name, "an object", value))?;
        read(fields, |name| self.writers.id(name))
    }

    fn digest(&self, digest: &C) -> Value {
        self.content(digest)
    }

    fn read_digest(&mut self, name: &str, value: &Value) -> Result<C, Refused> {
        self.read_content(name, value)
    }

    fn overtaken(&self, ours: &C, theirs: &C) -> Option<String> {
        let label = self.writers.cluster.label();
        let own = self.writers.cluster.writer_named(&label)?;
        let counted = |state: &C| state.halves().iter().map(|half| half.count(own)).collect::<Vec<_>>();
        let (here, there) = (counted(ours), counted(theirs));
        let is_more = here.iter().zip(&there).any(|(here, there)| here < there);
        is_more.then(|| format!("elsewhere {label} has counted {there:?}, and here {here:?}"))
    }

    fn replicate(&self, state: &C) -> Option<Body> {
        Some(Body::new("replicate", self.content(state)))
    }

    fn read_replicate(&mut self, body: &Body) -> Option<Result<C, Refused>> {
        (body.kind() == "replicate").then(|| read(&body.0, |name| self.writers.id(name)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        maelstrom::serve::{
            clock::Now,
            gossiping::Gossiping,
            port::{Asker, Port},
            session::Replica,
        },
        protocols::gossip::GossipConfig,
    };

    fn cluster() -> Cluster {
        Cluster::new("n1", &["n1", "n2"].map(str::to_owned), 0).expect("a cluster")
    }

    fn ask(replica: &mut dyn Replica, kind: &str, fields: Value) -> Value {
        let mut port = Port::new("n1", Now::default());
        let asker = Asker { src: "c1".to_owned(), msg_id: Some(1) };
        match replica.on_request(&asker, &Body::new(kind, fields), &mut port) {
            Ok(()) => Value::Object(port.take_out().remove(0).body.0),
            Err(refused) => Value::Object(refused.body().0),
        }
    }

    fn counter() -> Gossiping<Counting<PnCounter>> {
        Gossiping::new(Counting::signed(&cluster()), &GossipConfig::default(), &cluster())
    }

    #[test]
    fn counts_of_other_programs_are_joined_by_maximum() {
        let mut counter = counter();
        ask(&mut counter, "add", json!({ "delta": 5 }));
        let theirs = json!({ "p_counters": { "n2": 10, "elsewhere": 1, "n1": 2 }, "n_counters": { "n2": 4 } });
        for _ in 0..2 {
            assert_eq!(ask(&mut counter, "replicate", theirs.clone())["type"], "replicate_ok");
        }
        assert_eq!(ask(&mut counter, "read", json!({}))["value"], 12);
        let state = counter.spoken.content(counter.state());
        let counts = json!({ "p_counters": { "n1": 5, "n2": 10, "elsewhere": 1 }, "n_counters": { "n2": 4 } });
        assert_eq!(state, counts);
    }

    #[test]
    fn a_name_that_was_used_before_is_noticed() {
        let counting = Counting::signed(&cluster());
        let state = |added: u64| {
            let mut state = PnCounter::default();
            state.observe(ReplicaId(0), added, 0).expect("a count that rises");
            state
        };
        assert_eq!(counting.overtaken(&state(3), &state(3)), None);
        let said = counting.overtaken(&state(3), &state(10)).expect("ten are more than three");
        assert_eq!(said, "elsewhere n1 has counted [10, 0], and here [3, 0]");
    }

    #[test]
    fn what_is_no_count_is_refused_by_name() {
        let mut counter = counter();
        let mut text = |fields: Value| {
            let refused = ask(&mut counter, "replicate", fields);
            assert_eq!(refused["code"], 12);
            refused["text"].as_str().expect("a text").to_owned()
        };
        assert!(text(json!({})).contains("`p_counters` is missing"));
        assert!(text(json!({ "p_counters": [1] })).contains("`p_counters`"));
        assert!(text(json!({ "p_counters": { "n2": -1 } })).contains("`p_counters.n2`"));
        assert!(text(json!({ "n_counters": { "n2": 1.5 } })).contains("`n_counters.n2`"));
        let both = json!({ "p_counters": { "n2": u64::MAX }, "n_counters": { "n2": 1 } });
        assert!(text(both).contains("exceed 64 bits"));
        assert_eq!(ask(&mut counter, "read", json!({}))["value"], 0);
    }

    #[test]
    fn the_range_ends_with_an_error_and_not_at_zero() {
        let mut counter = counter();
        for _ in 0..2 {
            assert_eq!(ask(&mut counter, "add", json!({ "delta": i64::MAX }))["type"], "add_ok");
        }
        assert_eq!(ask(&mut counter, "add", json!({ "delta": 5 }))["code"], 12);
        assert_eq!(ask(&mut counter, "read", json!({}))["value"], json!(u64::MAX - 1));
        assert_eq!(ask(&mut counter, "increment", json!({}))["local_value"], json!(u64::MAX));
    }

    #[test]
    fn a_growing_counter_takes_nothing_away() {
        let mut counter = Gossiping::new(Counting::growing(&cluster()), &GossipConfig::default(), &cluster());
        let refused = ask(&mut counter, "add", json!({ "delta": -1 }));
        assert_eq!(refused["code"], 12);
        assert_eq!(ask(&mut counter, "replicate", json!({ "counters": { "n2": 3 } }))["type"], "replicate_ok");
        assert_eq!(ask(&mut counter, "increment", json!({}))["local_value"], 4);
    }

    proptest! {
        #[test]
        fn states_read_back(added in prop::collection::btree_map("[a-c#0-9]{0,3}", 0..u64::MAX / 2, 0..6)) {
            let mut writers = Writers::new(&cluster());
            let fields = json!({ "p_counters": added, "n_counters": added });
            let fields = fields.as_object().expect("an object");
            let state: PnCounter = read(fields, |name| writers.id(name)).expect("a state");
            let again = written(&state, |id| writers.name(id));
            let kept: BTreeMap<_, _> = added.into_iter().filter(|(_, count)| *count > 0).collect();
            prop_assert_eq!(&again["p_counters"], &json!(kept));
        }
    }
}
