//! The multi-value register: the writes that no other write has seen.
//!
//! **State.** A [`DotFun`]: under the dot of each write that is left, its value, and how far the write had seen. A write
//! removes all writes that it finds and puts its own in their place. Writes that did not see each other stay side by side as
//! *siblings*, for a reader to reconcile; the next write replaces them all.
//!
//! **Why it converges.** The join is that of the store ([`crate::causality::causal`]): a write is left if no state has removed
//! it, so exactly if nobody who saw it has written since. Values play no part in that. Two concurrent writes of one value are
//! two siblings, since each can be overwritten without the other.
//!
//! **Version vectors.** Each sibling shows a vector as in Dynamo (SOSP 2007, section 4.4): its own dot, and for every other replica
//! the last write that it replaced, directly or through what it replaced. Among the writes of a register (in a map: since the key
//! was last removed) one saw another exactly if its vector contains the other's dot, so the vectors of siblings are concurrent. The
//! vectors only inform; the join does not look at them.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, MvRegister, ReplicaId, objects::register::RegisterOp::Write};
//!
//! let (mut ours, mut theirs) = (MvRegister::<String>::bottom(), MvRegister::bottom());
//! ours.update(ReplicaId(1), &Write("draft".to_owned()))?;
//! theirs.join(&ours);
//!
//! ours.update(ReplicaId(1), &Write("blue".to_owned()))?;
//! theirs.update(ReplicaId(2), &Write("red".to_owned()))?;
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.value(), ["blue", "red"]);
//! let vectors: Vec<String> = ours.siblings().map(|sibling| format!("{:?}", sibling.vector())).collect();
//! assert_eq!(vectors, ["{1: 2}", "{1: 1, 2: 1}"]);
//!
//! ours.update(ReplicaId(1), &Write("violet".to_owned()))?; // saw both
//! assert_eq!(ours.value(), ["violet"]);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: a choice among siblings, and an empty write. A register in a map is emptied by removing its
//! key.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    atom::Atom,
    causality::{Causal, CausalSpec, CausalType, Change, Dot, DotFun, Effect, Event, Specify, VersionVector},
    clock::ReplicaId,
    encoding::{DecodeError, Reader},
    lattice::{Lattice, UpdateError},
    objects::{
        generic_object,
        mv_register::{MultiValue, MultiValueRet},
        register::RegisterOp,
    },
};

generic_object! {
    /// What makes a causal state a multi-value register of `V`.
    MvRegisterType<V>
}

/// A register that keeps concurrent writes. See the [module documentation](self) for the argument and an example.
pub type MvRegister<V> = Causal<MvRegisterType<V>>;

/// What a write put into the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<V> {
    value: V,
    /// The writes that were known, without those of its own replica: the dot implies them. Nothing is `None`. Shared by all
    /// copies, since it never changes.
    seen: Option<Arc<VersionVector>>,
}

impl<V> Written<V> {
    fn new(value: V, seen: VersionVector) -> Self {
        Self { value, seen: if seen.is_bottom() { None } else { Some(Arc::new(seen)) } }
    }

    fn entries(&self) -> impl Iterator<Item = (ReplicaId, u64)> {
        self.seen.iter().flat_map(|seen| seen.iter())
    }

    fn vector_bytes(&self) -> u64 {
        self.seen.as_ref().map_or(1, |seen| seen.encoded_bytes())
    }
}

/// A write that no other write has seen.
#[derive(Clone, Copy, Debug)]
pub struct Sibling<'a, V> {
    /// The name of the write.
    pub dot: Dot,
    /// What it wrote.
    pub value: &'a V,
    seen: Option<&'a VersionVector>,
}

impl<V> Sibling<'_, V> {
    /// The writes to this register that this one had seen, itself included.
    pub fn vector(&self) -> VersionVector {
        let mut vector = self.seen.cloned().unwrap_or_default();
        vector.raise(self.dot.replica, self.dot.counter);
        vector
    }
}

impl<V: Atom> MvRegister<V> {
    /// The siblings in the order of their dots.
    pub fn siblings(&self) -> impl ExactSizeIterator<Item = Sibling<'_, V>> {
        siblings(self.store())
    }
}

/// The siblings in a store, such as the one under a key of a map, in the order of their dots.
pub fn siblings<V: Atom>(store: &DotFun<Written<V>>) -> impl ExactSizeIterator<Item = Sibling<'_, V>> {
    store.iter().map(|(dot, written)| Sibling { dot, value: &written.value, seen: written.seen.as_deref() })
}

/// What a write of `replica` sees: the writes that it replaces, and what those saw.
#[inline]
fn seen_by<V: Atom>(store: &DotFun<Written<V>>, replica: ReplicaId) -> Option<Arc<VersionVector>> {
    let mut replaced = store.iter();
    match (replaced.next(), replaced.next()) {
        (None, _) => None,
        (Some((dot, written)), None) if dot.replica == replica => written.seen.clone(),
        _ => joined_vectors(store, replica),
    }
}

fn joined_vectors<V: Atom>(store: &DotFun<Written<V>>, replica: ReplicaId) -> Option<Arc<VersionVector>> {
    let mut seen = VersionVector::default();
    for (dot, written) in store.iter() {
        if let Some(before) = &written.seen {
            seen.join(before);
        }
        seen.raise(dot.replica, dot.counter);
    }
    if seen.get(replica) > 0 {
        seen = seen.iter().filter(|&(other, _)| other != replica).collect();
    }
    Written::new((), seen).seen
}

impl<V: Atom> CausalType for MvRegisterType<V> {
    type Store = DotFun<Written<V>>;
    type Object = MultiValue<V>;

    const NAME: &'static str = "mv-register";
    const SPECIFICATION: Option<Specify<MultiValue<V>>> = Some(MvRegister::<V>::specify);

    #[inline]
    fn update(
        store: &mut Self::Store,
        dot: Dot,
        op: &RegisterOp<V>,
    ) -> Result<Effect<MultiValueRet<V>, Self::Store>, UpdateError> {
        let RegisterOp::Write(value) = op else {
            return Ok(Effect::none(MultiValueRet::Siblings(Self::value(store))));
        };
        let removed = store.iter().map(|(replaced, _)| replaced).collect();
        let written = Written { value: value.clone(), seen: seen_by(store, dot.replica) };
        store.replace_all(dot, written.clone());
        Ok(Effect {
            ret: MultiValueRet::Written,
            change: Some(Change { added: DotFun::single(dot, written), removed }),
        })
    }

    fn value(store: &Self::Store) -> Vec<V> {
        let mut values: Vec<V> = store.iter().map(|(_, written)| written.value.clone()).collect();
        values.sort_unstable();
        values
    }
}

/// The values of the writes that no other write saw.
impl<V: Atom> CausalSpec for MvRegister<V> {
    fn specify(history: &[Event<RegisterOp<V>>]) -> Vec<V> {
        let unseen = history.iter().filter(|write| !history.iter().any(|other| other.saw(write)));
        let mut values: Vec<V> = unseen
            .filter_map(|write| match &write.op {
                RegisterOp::Write(value) => Some(value.clone()),
                RegisterOp::Read => None,
            })
            .collect();
        values.sort();
        values
    }
}

/// By value, then by what was seen.
impl<V: Ord> Ord for Written<V> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value).then_with(|| self.entries().cmp(other.entries()))
    }
}

impl<V: Ord> PartialOrd for Written<V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<V: Hash> Hash for Written<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
        self.entries().count().hash(state);
        self.entries().for_each(|entry| entry.hash(state));
    }
}

impl<V: Atom> Atom for Written<V> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.value.encode(out);
        match &self.seen {
            Some(seen) => seen.encode_body(out),
            None => VersionVector::default().encode_body(out),
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let value = V::decode(reader)?;
        Ok(Self::new(value, VersionVector::decode_body(reader)?))
    }

    fn encoded_bytes(&self) -> u64 {
        self.value.encoded_bytes() + self.vector_bytes()
    }

    fn metadata_bytes(&self) -> u64 {
        self.value.metadata_bytes() + self.vector_bytes()
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        self.value.fold(word);
        word(self.entries().count() as u64);
        for (replica, last) in self.entries() {
            word(u64::from(replica.0));
            word(last);
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<V> {
    value: V,
    seen: VersionVector,
}

impl<V: Serialize> Serialize for Written<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form { value: &self.value, seen: self.entries().collect() }.serialize(serializer)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Written<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Form { value, seen } = Form::deserialize(deserializer)?;
        Ok(Self::new(value, seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{encoding::Encode, lattice::Crdt};

    fn write(register: &mut MvRegister<u8>, replica: u32, value: u8) -> MvRegister<u8> {
        register.update(ReplicaId(replica), &RegisterOp::Write(value)).expect("few writes").delta
    }

    fn vectors(register: &MvRegister<u8>) -> Vec<String> {
        register.siblings().map(|sibling| format!("{}{:?}", sibling.value, sibling.vector())).collect()
    }

    #[test]
    fn vectors_tell_who_saw_whom() {
        let (mut a, mut b, mut c) = (MvRegister::bottom(), MvRegister::bottom(), MvRegister::bottom());
        write(&mut a, 1, 1);
        write(&mut a, 1, 2);
        assert_eq!(vectors(&a), ["2{1: 2}"]);
        b.join(&a);
        write(&mut b, 2, 3);
        write(&mut a, 1, 4);
        write(&mut c, 3, 5);
        for other in [&b, &c] {
            a.join(other);
        }
        assert_eq!(vectors(&a), ["4{1: 3}", "3{1: 2, 2: 1}", "5{3: 1}"]);
        let vectors_of: Vec<VersionVector> = a.siblings().map(|sibling| sibling.vector()).collect();
        for one in &vectors_of {
            assert!(vectors_of.iter().all(|other| one == other || one.partial_cmp(other).is_none()));
        }
        write(&mut a, 2, 6);
        assert_eq!(vectors(&a), ["6{1: 3, 2: 2, 3: 1}"]);
    }

    #[test]
    fn vectors_are_metadata() {
        let (mut a, mut b) = (MvRegister::bottom(), MvRegister::bottom());
        write(&mut a, 1, 7);
        b.join(&a);
        write(&mut b, 2, 8);
        let mut bytes = Vec::new();
        b.encode(&mut bytes);
        // What is known: both replicas' first updates. What is left: r2:1, the value, and the vector without r2.
        assert_eq!(bytes[bytes.len() - 7..], [1, 2, 1, 8, 1, 1, 1]);
        assert_eq!(b.weight().payload_bytes, 1);
        assert_eq!(b.weight().total_bytes(), bytes.len() as u64);
    }

    #[test]
    fn the_order_of_writes_is_total() {
        let written = |value, seen: &[(u32, u64)]| {
            Written::new(value, seen.iter().map(|&(id, last)| (ReplicaId(id), last)).collect())
        };
        let ascending = [
            written(1, &[]),
            written(1, &[(1, 1)]),
            written(1, &[(1, 1), (2, 1)]),
            written(1, &[(1, 2)]),
            written(2, &[]),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b));
    }
}
