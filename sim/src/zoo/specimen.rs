//! Specimens: replicated data types with a mistake.
//!
//! A [`Specimen`] is a content, the updates that it has received, and the mistake. The contents differ by data type
//! ([`Kind`]); all that a [`Crdt`] needs beside its content is here once.
//!
//! Invariant: received updates are joined as they should be, whatever the content does. So [`Crdt::progress`] tells the truth,
//! and two specimens that received the same updates and show different values are caught.
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, objects::counter::CounterOp};
//! use sim::zoo::{Flaw, counters::FlawedCounter, specimen::Bend};
//!
//! let (mut ours, mut theirs) = (FlawedCounter::bottom(), FlawedCounter::bottom());
//! for (counter, id) in [(&mut ours, 0), (&mut theirs, 1)] {
//!     counter.bend(Flaw::SingleMax, 2);
//!     counter.update(ReplicaId(id), &CounterOp::Add(5))?;
//! }
//! ours.join(&theirs);
//! assert_eq!(ours.value(), 5, "two additions of five");
//! let mut received = Vec::new();
//! ours.progress(|replica, count| received.push((replica.0, count)));
//! assert_eq!(received, [(0, 1), (1, 1)]);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: economy. A digest is the whole state, and most deltas are.

use std::fmt::Debug;

use crdts::{
    atom::Atom,
    causality::{CausalContext, Dot, DotRange, Specify},
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION},
    g_counter::GCounter,
    lattice::{Crdt, Lattice, Update, UpdateError, Weight},
    object::Object,
    or_set::OrSet,
    pn_counter::PnCounter,
};

use super::catalogue::Flaw;

/// An operation of a kind's object.
pub type OpOf<K> = <<K as Kind>::Object as Object>::Op;
/// A return of a kind's object.
pub type RetOf<K> = <<K as Kind>::Object as Object>::Ret;
/// A state of a kind's object.
pub type StateOf<K> = <<K as Kind>::Object as Object>::State;

/// The content of a specimen: what differs between data types.
pub trait Kind: Clone + PartialEq + Debug + Default + Send + Sync + 'static {
    /// What clients see.
    type Object: Object;
    /// The content falls into rows of this type for encoding and digests.
    type Row: Atom;
    /// The name in reports.
    const NAME: &'static str;

    /// What the value should be: the specification of the data type that this one gets wrong.
    const SPECIFICATION: Option<Specify<Self::Object>> = None;

    /// Performs an operation. On an error the content is as before.
    fn update(&mut self, op: &OpOf<Self>, site: &Site<'_>) -> Result<Change<Self>, UpdateError>;

    /// Merges what another replica has, which is not nothing.
    fn merge(&mut self, other: &Self, flaw: Option<Flaw>);

    /// What a client can observe.
    fn value(&self, flaw: Option<Flaw>) -> StateOf<Self>;

    /// The content, row by row: equal contents have equal rows.
    fn rows(&self) -> Vec<Self::Row>;

    /// A content of these rows, whatever they are.
    fn from_rows(rows: Vec<Self::Row>) -> Self;
}

/// Where an update takes place.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The mistake.
    pub flaw: Option<Flaw>,
    /// The number of replicas of the cluster, by which identities of one replica differ.
    pub replicas: u32,
    /// What the replica's clock shows, where somebody has set it.
    pub clock_ns: Option<i64>,
    /// The first dot of the update, which names its writer.
    pub dot: Dot,
    /// The updates that the replica has received.
    pub seen: &'a CausalContext,
}

/// What an update came to.
#[derive(Clone, Debug)]
pub struct Change<K: Kind> {
    /// The answer.
    pub ret: RetOf<K>,
    /// How many dots it takes; none if it changed nothing.
    pub dots: u64,
    /// What peers need to know of the content, if that is less than all of it.
    pub delta: Option<K>,
}

impl<K: Kind> Change<K> {
    /// Nothing has changed.
    pub fn none(ret: RetOf<K>) -> Self {
        Self { ret, dots: 0, delta: None }
    }

    /// One update that takes one dot.
    pub fn one(ret: RetOf<K>) -> Self {
        Self { ret, dots: 1, delta: None }
    }
}

/// What a state carries along without being a different state for it.
#[derive(Clone, Copy, Debug, Default)]
struct Bent {
    flaw: Option<Flaw>,
    replicas: u32,
    clock_ns: Option<i64>,
}

impl PartialEq for Bent {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A data type with a mistake. See the [module documentation](self).
#[derive(Clone, Debug, PartialEq)]
pub struct Specimen<K> {
    bent: Bent,
    received: CausalContext,
    content: K,
}

/// Data types that can be told which mistake to make. Those that make none are themselves.
pub trait Bend: Crdt {
    /// Makes this mistake from now on, as one of this many replicas.
    fn bend(&mut self, flaw: Flaw, replicas: u32) {
        let _ = (flaw, replicas);
    }

    /// What the replica's clock shows, for the next operation.
    fn set_clock(&mut self, clock_ns: i64) {
        let _ = clock_ns;
    }
}

impl Bend for GCounter {}
impl Bend for PnCounter {}
impl<E: Atom> Bend for OrSet<E> {}

impl<K: Kind> Bend for Specimen<K> {
    fn bend(&mut self, flaw: Flaw, replicas: u32) {
        (self.bent.flaw, self.bent.replicas) = (Some(flaw), replicas);
    }

    fn set_clock(&mut self, clock_ns: i64) {
        self.bent.clock_ns = Some(clock_ns);
    }
}

impl<K: Kind> Specimen<K> {
    /// The content, for those who want to look inside.
    pub fn content(&self) -> &K {
        &self.content
    }

    /// The updates that have been received.
    pub fn received(&self) -> &CausalContext {
        &self.received
    }

    /// How many updates have been received.
    fn sum_of_versions(&self) -> u128 {
        self.received.len()
    }
}

impl<K: Kind> Lattice for Specimen<K> {
    fn bottom() -> Self {
        Self { bent: Bent::default(), received: CausalContext::default(), content: K::default() }
    }

    fn is_bottom(&self) -> bool {
        self.received.is_empty() && self.content == K::default()
    }

    fn join(&mut self, other: &Self) -> bool {
        if self.bent.flaw.is_none() {
            (self.bent.flaw, self.bent.replicas) = (other.bent.flaw, other.bent.replicas);
        }
        if other.is_bottom() {
            return false;
        }
        let before = self.clone();
        self.content.merge(&other.content, self.bent.flaw);
        self.received.join(&other.received);
        *self != before
    }

    fn le(&self, other: &Self) -> bool {
        let mut joined = self.clone();
        joined.join(other);
        joined == *other
    }

    /// A specimen is not split.
    fn decompose(&self) -> Vec<Self> {
        if self.is_bottom() { Vec::new() } else { vec![self.clone()] }
    }
}

impl<K: Kind> Crdt for Specimen<K> {
    type Object = K::Object;

    /// The state itself.
    type Digest = Self;

    const NAME: &'static str = K::NAME;
    const SPECIFICATION: Option<Specify<K::Object>> = K::SPECIFICATION;

    fn update(&mut self, replica: ReplicaId, op: &OpOf<K>) -> Result<Update<RetOf<K>, Self>, UpdateError> {
        let dot = self.received.next_dot(replica)?;
        let Bent { flaw, replicas, .. } = self.bent;
        let site = Site { flaw, replicas, clock_ns: self.bent.clock_ns.take(), dot, seen: &self.received };
        let Change { ret, dots, delta } = self.content.update(op, &site)?;
        if dots == 0 {
            return Ok(Update { ret, delta: Self::bottom() });
        }
        let range = DotRange::new(replica, dot.counter, dot.counter + dots - 1);
        self.received.insert_range(range);
        let delta = match delta {
            Some(content) => Self { bent: self.bent, received: [range].into_iter().collect(), content },
            None => self.clone(),
        };
        Ok(Update { ret, delta })
    }

    fn value(&self) -> StateOf<K> {
        self.content.value(self.bent.flaw)
    }

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta_since(&self, digest: &Self) -> Self {
        let has_all = if self.bent.flaw == Some(Flaw::VectorsBySum) {
            self.sum_of_versions() <= digest.sum_of_versions()
        } else {
            self.le(digest)
        };
        if has_all { Self::bottom() } else { self.clone() }
    }

    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        for (replica, known) in self.received.vector().iter() {
            visit(replica, known);
        }
    }

    fn fold(&self, mut word: impl FnMut(u64)) {
        let rows = self.content.rows();
        word(rows.len() as u64);
        for row in &rows {
            row.fold(&mut word);
        }
        self.received.fold(&mut word);
    }

    /// The content is payload, all the rest is metadata.
    fn weight(&self) -> Weight {
        let payload_bytes = self.content.rows().iter().map(Atom::encoded_bytes).sum();
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        Weight { payload_bytes, metadata_bytes: bytes.len() as u64 - payload_bytes, tombstone_bytes: 0 }
    }

    fn digest_bytes(digest: &Self) -> u64 {
        digest.weight().total_bytes()
    }

    fn fold_digest(digest: &Self, word: impl FnMut(u64)) {
        digest.fold(word);
    }
}

/// Appends how many rows there are, and the rows.
fn encode_rows<R: Atom>(rows: &[R], out: &mut Vec<u8>) {
    (rows.len() as u64).encode(out);
    for row in rows {
        row.encode(out);
    }
}

/// Reads what [`encode_rows`] wrote.
fn decode_rows<R: Atom>(reader: &mut Reader<'_>) -> Result<Vec<R>, DecodeError> {
    let count = reader.length(1)?;
    (0..count).map(|_| R::decode(reader)).collect()
}

/// The mistake is written too, so that a state which shows a broken law shows it wherever it is read. Equal states with
/// different mistakes therefore have different encodings.
impl<K: Kind> Encode for Specimen<K> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.bent.flaw.map_or(0, Flaw::code).encode(out);
        self.bent.replicas.encode(out);
        let ranges: Vec<_> =
            self.received.ranges().iter().map(|range| (range.replica.0, (range.first, range.last))).collect();
        encode_rows(&ranges, out);
        encode_rows(&self.content.rows(), out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let flaw = match u64::decode(&mut reader)? {
            0 => None,
            code => Some(Flaw::from_code(code).ok_or(DecodeError::AtomOutOfRange)?),
        };
        let bent = Bent { flaw, replicas: u32::decode(&mut reader)?, clock_ns: None };
        let ranges: Vec<(u32, (u64, u64))> = decode_rows(&mut reader)?;
        if ranges.iter().any(|&(_, (first, last))| first == 0 || last < first) {
            return Err(DecodeError::NotCanonical);
        }
        let ranges = ranges.into_iter().map(|(replica, (first, last))| DotRange::new(ReplicaId(replica), first, last));
        let received = ranges.collect();
        let content = K::from_rows(decode_rows(&mut reader)?);
        reader.finish()?;
        let specimen = Self { bent, received, content };
        let mut again = Vec::new();
        specimen.encode(&mut again);
        if again == bytes { Ok(specimen) } else { Err(DecodeError::NotCanonical) }
    }
}
