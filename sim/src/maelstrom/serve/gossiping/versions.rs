//! Multi-value registers under keys, whose clients see version vectors: `mv_write`, `mv_read`, `mv_merge`.
//!
//! **State.** For every key its *versions*: values, each with the version vector of the write that made it (Dynamo,
//! SOSP 2007, section 4.4). A version replaces those whose vectors are below its own; what is left are siblings.
//!
//! **Why it converges.** A state stands for all versions that it has seen, and keeps those that none of the others
//! replaces: the maximal elements of a set of pairs, ordered by their vectors. The join is the union, cut to its
//! maximal elements. Union is commutative, associative and idempotent, and cutting in between changes nothing, since
//! what is above a version that was cut is still there, or something above that.
//!
//! **Writes.** `mv_write {key, value}` replaces all versions that this replica has. With `context`, a vector that the
//! client read, it replaces what the client has seen and nothing else. `mv_merge {key, entry: {value, vclock}}` takes
//! over a version from elsewhere. It may come from any program, and its vector does not tell which of its entries is
//! its own dot; so the dotted [`crdts::MvRegister`] of the simulator could not hold it, and this type with plain
//! vectors stands in. That costs one thing: two versions with one vector and different values, which only a program
//! that uses a name twice makes, are siblings for good.
//!
//! ```json
//! {"type": "mv_write", "msg_id": 1, "key": "k", "value": "red"}    {"type": "mv_write_ok", "in_reply_to": 1, "vclock": {"n1": 1}}
//! {"type": "mv_read", "msg_id": 2, "key": "k"}    {"type": "mv_read_ok", "in_reply_to": 2, "values": [{"value": "red", "vclock": {"n1": 1}}]}
//! ```
//!
//! Invariant: the vectors of the siblings of a key are not comparable, or equal with different values; no entry of a
//! vector is 0. What is deliberately absent: removing a key. A key without a version reads as no values.

use std::collections::{BTreeMap, BTreeSet};

use crdts::{
    atom::Atom,
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION},
    lattice::{Crdt, Lattice, Update, UpdateError, Weight},
    object::Object,
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

/// A version vector by the names of writers. No entry is 0.
pub(in crate::maelstrom::serve) type Clock = BTreeMap<String, u64>;

fn is_within(clock: &Clock, other: &Clock) -> bool {
    clock.iter().all(|(writer, count)| other.get(writer).is_some_and(|known| count <= known))
}

/// The vectors of a key, each with its values: more than one only if a name was used twice.
type Siblings = BTreeMap<Clock, BTreeSet<String>>;

/// Versions under keys. See the [module documentation](self).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::maelstrom::serve) struct Versions {
    keys: BTreeMap<String, Siblings>,
}

/// Takes a version in. Was it news?
fn insert(siblings: &mut Siblings, clock: &Clock, value: &str) -> bool {
    if siblings.keys().any(|other| other != clock && is_within(clock, other)) {
        return false;
    }
    siblings.retain(|other, _| other == clock || !is_within(other, clock));
    siblings.entry(clock.clone()).or_default().insert(value.to_owned())
}

impl Versions {
    fn single(key: &str, clock: Clock, value: String) -> Self {
        Self { keys: BTreeMap::from([(key.to_owned(), BTreeMap::from([(clock, BTreeSet::from([value]))]))]) }
    }

    fn siblings(&self, key: &str) -> impl Iterator<Item = (&Clock, &String)> {
        let siblings = self.keys.get(key).into_iter().flatten();
        siblings.flat_map(|(clock, values)| values.iter().map(move |value| (clock, value)))
    }

    fn all(&self) -> impl Iterator<Item = (&String, &Clock, &String)> {
        self.keys.keys().flat_map(|key| self.siblings(key).map(move |(clock, value)| (key, clock, value)))
    }

    /// The vectors of a key, joined.
    fn clock(&self, key: &str) -> Clock {
        let mut joined = Clock::new();
        for (clock, _) in self.siblings(key) {
            join_clock(&mut joined, clock);
        }
        joined
    }

    fn has(&self, key: &str, clock: &Clock, value: &str) -> bool {
        self.siblings(key).any(|(other, kept)| if other == clock { kept == value } else { is_within(clock, other) })
    }

    fn json(&self) -> Value {
        let keys = self.keys.keys().map(|key| (key.clone(), versions(self, key)));
        Value::Object(keys.collect())
    }

    fn from_json(value: &Value) -> Option<Self> {
        let mut state = Self::default();
        for (key, list) in value.as_object()? {
            for version in list.as_array()? {
                let version = version.as_object()?;
                let (value, clock) = (version.get("value")?, clock(version.get("vclock")?)?);
                insert(state.keys.entry(key.clone()).or_default(), &clock, &fields::canonical(value));
            }
        }
        Some(state)
    }
}

fn join_clock(clock: &mut Clock, other: &Clock) {
    for (writer, count) in other {
        let known = clock.entry(writer.clone()).or_default();
        *known = (*known).max(*count);
    }
}

/// A vector in JSON; none if it is no map from names to counts. A count of 0 says nothing, and is left out.
fn clock(value: &Value) -> Option<Clock> {
    let entries = value.as_object()?.iter().map(|(writer, count)| Some((writer.clone(), count.as_u64()?)));
    Some(entries.collect::<Option<Vec<_>>>()?.into_iter().filter(|(_, count)| *count > 0).collect())
}

/// The versions of a key in JSON.
fn versions(state: &Versions, key: &str) -> Value {
    let version = |(clock, value): (&Clock, &String)| json!({ "value": fields::parsed(value), "vclock": clock });
    state.siblings(key).map(version).collect()
}

impl Lattice for Versions {
    fn bottom() -> Self {
        Self::default()
    }

    fn is_bottom(&self) -> bool {
        self.keys.is_empty()
    }

    fn join(&mut self, other: &Self) -> bool {
        let mut grew = false;
        for (key, clock, value) in other.all() {
            grew |= insert(self.keys.entry(key.clone()).or_default(), clock, value);
        }
        grew
    }

    fn le(&self, other: &Self) -> bool {
        self.all().all(|(key, clock, value)| other.has(key, clock, value))
    }

    fn decompose(&self) -> Vec<Self> {
        self.all().map(|(key, clock, value)| Self::single(key, clock.clone(), value.clone())).collect()
    }
}

/// The object: whoever brings a version has decided what it replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::maelstrom::serve) struct Versioned;

/// What is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::maelstrom::serve) enum VersionedOp {
    /// Takes a version in.
    Put { key: String, clock: Clock, value: String },
    /// Asks for all versions.
    Read,
}

impl Object for Versioned {
    type Op = VersionedOp;
    type Ret = ();
    type State = Versions;

    const NAME: &'static str = "versions";
    const COMMUTES: bool = true;

    fn step(state: &mut Versions, op: &VersionedOp) {
        if let VersionedOp::Put { key, clock, value } = op {
            insert(state.keys.entry(key.clone()).or_default(), clock, value);
        }
    }

    fn is_update(op: &VersionedOp) -> bool {
        matches!(op, VersionedOp::Put { .. })
    }

    fn read() -> VersionedOp {
        VersionedOp::Read
    }

    fn op_name(op: &VersionedOp) -> &'static str {
        match op {
            VersionedOp::Put { .. } => "put",
            VersionedOp::Read => "read",
        }
    }
}

impl Crdt for Versions {
    type Object = Versioned;

    /// The state itself.
    type Digest = Self;

    const NAME: &'static str = "versions";

    fn update(&mut self, _: ReplicaId, op: &VersionedOp) -> Result<Update<(), Self>, UpdateError> {
        let mut delta = Self::bottom();
        if let VersionedOp::Put { key, clock, value } = op {
            let version = Self::single(key, clock.clone(), value.clone());
            if self.join(&version) {
                delta = version;
            }
        }
        Ok(Update { ret: (), delta })
    }

    fn value(&self) -> Self {
        self.clone()
    }

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta_since(&self, digest: &Self) -> Self {
        let mut missing = Self::bottom();
        for (key, clock, value) in self.all().filter(|(key, clock, value)| !digest.has(key, clock, value)) {
            missing.join(&Self::single(key, clock.clone(), value.clone()));
        }
        missing
    }

    /// Writers are names here, and are not reported by identity.
    fn progress(&self, _: impl FnMut(ReplicaId, u64)) {}

    fn fold(&self, mut word: impl FnMut(u64)) {
        for (key, clock, value) in self.all() {
            key.fold(&mut word);
            word(clock.len() as u64);
            for (writer, count) in clock {
                writer.fold(&mut word);
                word(*count);
            }
            value.fold(&mut word);
        }
    }

    fn weight(&self) -> Weight {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        let payload_bytes = self.all().map(|(key, _, value)| (key.len() + value.len()) as u64).sum();
        Weight { payload_bytes, metadata_bytes: bytes.len() as u64 - payload_bytes, tombstone_bytes: 0 }
    }

    fn digest_bytes(digest: &Self) -> u64 {
        digest.weight().total_bytes()
    }

    fn fold_digest(digest: &Self, word: impl FnMut(u64)) {
        digest.fold(word);
    }
}

/// The versions in their order, one behind the other.
impl Encode for Versions {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        (self.all().count() as u64).encode(out);
        for (key, clock, value) in self.all() {
            key.encode(out);
            (clock.len() as u64).encode(out);
            for (writer, count) in clock {
                writer.encode(out);
                count.encode(out);
            }
            value.encode(out);
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let mut state = Self::default();
        for _ in 0..reader.length(3)? {
            let key = String::decode(&mut reader)?;
            let mut clock = Clock::new();
            for _ in 0..reader.length(2)? {
                clock.insert(String::decode(&mut reader)?, u64::decode(&mut reader)?);
            }
            let value = String::decode(&mut reader)?;
            insert(state.keys.entry(key).or_default(), &clock, &value);
        }
        reader.finish()?;
        let mut again = Vec::new();
        state.encode(&mut again);
        let is_canonical = again == bytes && state.all().all(|(_, clock, _)| clock.values().all(|&count| count > 0));
        if is_canonical { Ok(state) } else { Err(DecodeError::NotCanonical) }
    }
}

/// Registers as they are spoken with.
#[derive(Debug)]
pub(in crate::maelstrom::serve) struct Keeping {
    /// The name under which this replica writes.
    label: String,
}

impl Keeping {
    /// The registers of a cluster.
    pub(in crate::maelstrom::serve) fn new(cluster: &Cluster) -> Self {
        Self { label: cluster.label() }
    }

    /// The vector of a write that has seen `seen`.
    fn next(&self, state: &Versions, key: &str, mut seen: Clock) -> Result<Clock, Refused> {
        // What this replica wrote before counts, seen or not: no two writes have one number.
        let written = state.clock(key).get(&self.label).copied().unwrap_or(0);
        let known = seen.get(&self.label).copied().unwrap_or(0);
        let number = written.max(known).checked_add(1);
        seen.insert(
            self.label.clone(),
            number.ok_or_else(|| Refused::malformed("`context` counts up to the end of 64 bits"))?,
        );
        Ok(seen)
    }
}

fn key(body: &Body) -> Result<String, Refused> {
    fields::any(body, "key").map(fields::canonical)
}

impl Spoken for Keeping {
    type Crdt = Versions;

    fn ask(&mut self, state: &Versions, body: &Body) -> Result<Asked<Versions>, Refused> {
        let vector = |name: &str, value: &Value| {
            clock(value).ok_or_else(|| Refused::field(name, "a map from nodes to counts", value))
        };
        match body.kind() {
            "mv_write" => {
                let (key, value) = (key(body)?, fields::canonical(fields::any(body, "value")?));
                let seen = match fields::present(body, "context") {
                    Some(context) => vector("context", context)?,
                    None => state.clock(&key),
                };
                let clock = self.next(state, &key, seen)?;
                let said = Body::new("mv_write_ok", json!({ "vclock": clock }));
                Ok(Asked(VersionedOp::Put { key, clock, value }, Box::new(move |_, ()| said)))
            }
            "mv_merge" => {
                let entry = fields::object(body, "entry")?;
                let part = |name: &str| {
                    entry.get(name).ok_or_else(|| Refused::malformed(format!("`entry.{name}` is missing")))
                };
                let (value, clock) = (fields::canonical(part("value")?), vector("entry.vclock", part("vclock")?)?);
                if clock.is_empty() {
                    return Err(Refused::field("entry.vclock", "a vector with a count above 0", part("vclock")?));
                }
                let op = VersionedOp::Put { key: key(body)?, clock, value };
                Ok(Asked(op, Box::new(|_, ()| Body::new("mv_merge_ok", json!({})))))
            }
            "mv_read" => {
                let key = key(body)?;
                let answer =
                    move |after: &Versions, ()| Body::new("mv_read_ok", json!({ "values": versions(after, &key) }));
                Ok(Asked(VersionedOp::Read, Box::new(answer)))
            }
            _ => Err(Refused::unknown(body)),
        }
    }

    fn local_value(&self, state: &Versions) -> Value {
        state.json()
    }

    fn content(&self, state: &Versions) -> Value {
        state.json()
    }

    fn read_content(&mut self, name: &str, value: &Value) -> Result<Versions, Refused> {
        Versions::from_json(value).ok_or_else(|| Refused::field(name, "a map from keys to lists of versions", value))
    }

    fn digest(&self, digest: &Versions) -> Value {
        digest.json()
    }

    fn read_digest(&mut self, name: &str, value: &Value) -> Result<Versions, Refused> {
        self.read_content(name, value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state() -> impl Strategy<Value = Versions> {
        let clock = prop::collection::btree_map("[ab]", 1..4_u64, 1..3);
        let version = ("[kl]", clock, "[12]");
        prop::collection::vec(version, 0..5).prop_map(|versions| {
            let mut state = Versions::default();
            for (key, clock, value) in versions {
                insert(state.keys.entry(key).or_default(), &clock, &value);
            }
            state
        })
    }

    fn joined(a: &Versions, b: &Versions) -> Versions {
        let mut joined = a.clone();
        joined.join(b);
        joined
    }

    proptest! {
        #[test]
        fn the_join_is_a_least_upper_bound(a in state(), b in state(), c in state()) {
            prop_assert_eq!(joined(&a, &b), joined(&b, &a));
            prop_assert_eq!(joined(&joined(&a, &b), &c), joined(&a, &joined(&b, &c)));
            prop_assert_eq!(joined(&a, &a), a.clone());
            prop_assert_eq!(a.le(&b), joined(&a, &b) == b);
            prop_assert_eq!(joined(&b, &a.delta_since(&b)), joined(&a, &b));
            prop_assert_eq!(a.decompose().iter().fold(Versions::bottom(), |sum, part| joined(&sum, part)), a.clone());
        }

        #[test]
        fn states_read_back(a in state()) {
            prop_assert_eq!(Versions::from_json(&a.json()), Some(a.clone()));
            let mut bytes = Vec::new();
            a.encode(&mut bytes);
            prop_assert_eq!(Versions::decode(&bytes), Ok(a));
        }

        #[test]
        fn any_bytes_are_a_state_or_an_error(bytes in prop::collection::vec(0..4_u8, 0..24)) {
            let _ = Versions::decode(&bytes);
        }
    }
}
