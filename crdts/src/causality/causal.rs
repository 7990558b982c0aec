//! Causal states: a dot store beside the context of all updates that are known.
//!
//! **Why it converges.** Order states by: `(s, c) ≤ (s', c')` if `c ⊆ c'` and every dot of `s'` that `c` knows is in
//! `s`. Read a state as two sets that only grow, the dots that were heard of (`c`) and those that are gone (`c` without
//! `s`): the order is inclusion of both, so it is a partial order, and union of both is the least upper bound. The join
//! of stores computes just that. A dot ends up in the joined store if it was heard of on some side and is gone on none
//! (Almeida, Shoker and Baquero 2018, section 7.2). An update adds its dot to the context, removes dots from the store,
//! or puts its own into it: it inflates.
//!
//! **Hearsay.** The delta of an update names the dots that it removed, and so tells that the updates which made them
//! took place; it does not tell what *those* removed. Deltas may arrive in any order, so a state remembers which dots
//! it knows from others only, and [`Crdt::progress`] does not count them until their own delta arrives, or a state that
//! had it. (Almeida, Shoker and Baquero 2018, section 6.2, forbid such orders instead.) The order above is extended by
//! that: what was received only grows, too. When deltas arrive in causal order there is no hearsay.
//!
//! A [`CausalType`] is what a type adds to that: its store, its updates, its value. The rest is here, once.
//!
//! ```
//! use crdts::{Crdt, Lattice, OrSet, ReplicaId, objects::set::SetOp};
//!
//! let (mut ours, mut theirs) = (OrSet::<u64>::bottom(), OrSet::<u64>::bottom());
//! ours.update(ReplicaId(1), &SetOp::Add(7))?;
//! theirs.join(&ours);
//! theirs.update(ReplicaId(2), &SetOp::Remove(7))?; // removes what it saw
//! ours.update(ReplicaId(1), &SetOp::Add(7))?; // concurrently added again
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert!(ours.value().contains(&7));
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: deltas of another type than states.

use std::{fmt::Debug, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{CausalContext, Dot, DotStore, Specify, VersionVector, store::live_dots};
use crate::{
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION},
    lattice::{Crdt, JoinError, Lattice, Update, UpdateError, Weight},
    object::Object,
};

/// What distinguishes one causal type from another.
pub trait CausalType: Clone + Copy + Debug + Default + PartialEq + Eq + Send + Sync + 'static {
    /// Where its dots are.
    type Store: DotStore;
    /// What clients see.
    type Object: Object;

    /// The name in scenarios and reports, for example `or-set`.
    const NAME: &'static str;

    /// See [`Crdt::SPECIFICATION`].
    const SPECIFICATION: Option<Specify<Self::Object>> = None;

    /// Performs an operation on the store. If it has an effect, `dot` is its name, and the store has changed as the
    /// returned change says. On an error, and for operations without effect, the store is as before.
    fn update(
        store: &mut Self::Store,
        dot: Dot,
        op: &<Self::Object as Object>::Op,
    ) -> Result<Effect<<Self::Object as Object>::Ret, Self::Store>, UpdateError>;

    /// The object's state that a store stands for.
    fn value(store: &Self::Store) -> <Self::Object as Object>::State;

    /// Drops what is kept only for updates that may still arrive, given that all which do have `stable` in their past.
    /// The value stays. Returns whether anything was dropped.
    fn stable(_store: &mut Self::Store, _stable: &VersionVector) -> bool {
        false
    }

    /// The size of a store's encoding, by purpose. Types that keep tombstones know which part that is.
    fn weight(store: &Self::Store) -> Weight {
        store.weight()
    }
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect<Ret, Store> {
    /// The client's answer.
    pub ret: Ret,
    /// What changed; nothing for queries and for updates without effect.
    pub change: Option<Change<Store>>,
}

impl<Ret, Store> Effect<Ret, Store> {
    /// An answer, and no change.
    pub fn none(ret: Ret) -> Self {
        Self { ret, change: None }
    }
}

/// What an update did to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<Store> {
    /// What it put under its dot; empty if it only removed.
    pub added: Store,
    /// The dots that it removed.
    pub removed: CausalContext,
}

/// The updates that have arrived themselves.
fn received(context: &CausalContext, hearsay: &CausalContext) -> CausalContext {
    if hearsay.is_empty() { context.clone() } else { context.difference(hearsay) }
}

/// The states of a causal type. See the [module documentation](self).
pub struct Causal<T: CausalType> {
    store: T::Store,
    context: CausalContext,
    hearsay: CausalContext,
    flavour: PhantomData<T>,
}

impl<T: CausalType> Causal<T> {
    #[inline]
    fn new(store: T::Store, context: CausalContext, hearsay: CausalContext) -> Self {
        Self { store, context, hearsay, flavour: PhantomData }
    }

    /// What is left of the updates.
    #[inline]
    pub fn store(&self) -> &T::Store {
        &self.store
    }

    /// All updates that this state has heard of.
    #[inline]
    pub fn context(&self) -> &CausalContext {
        &self.context
    }

    /// The updates in the context that have not arrived themselves: others told that what they put under their dots is
    /// gone. All others in the context are contained in the state.
    #[inline]
    pub fn hearsay(&self) -> &CausalContext {
        &self.hearsay
    }

    /// Takes over what `other`, which is about to be joined, knows of hearsay. Returns whether an update that was
    /// hearsay has arrived.
    fn hear(&mut self, other: &Self) -> bool {
        let arrived = !self.hearsay.is_empty() && {
            let left = self.hearsay.difference(&received(&other.context, &other.hearsay));
            std::mem::replace(&mut self.hearsay, left) != self.hearsay
        };
        if !other.hearsay.is_empty() {
            self.hearsay.join(&other.hearsay.difference(&self.context));
        }
        arrived
    }

    /// Makes the change that `change` makes to the store, for methods that have no operation at hand. Returns the
    /// delta.
    #[inline]
    pub(crate) fn change(
        &mut self,
        replica: ReplicaId,
        change: impl FnOnce(&mut T::Store, Dot) -> Option<Change<T::Store>>,
    ) -> Result<Self, UpdateError> {
        let dot = self.context.next_dot(replica)?;
        let change = change(&mut self.store, dot);
        Ok(self.record(dot, change))
    }

    /// Takes the dot for a change that the store has gone through, and gives the delta.
    #[inline]
    fn record(&mut self, dot: Dot, change: Option<Change<T::Store>>) -> Self {
        let Some(Change { added, removed }) = change else { return Self::default() };
        self.context.insert(dot);
        if removed.is_empty() {
            return Self::new(added, CausalContext::single(dot), removed);
        }
        let mut context = removed.clone();
        context.insert(dot);
        Self::new(added, context, removed)
    }

    /// One dot with two contents, or at two places. To have been removed on one side is none, so this store is searched
    /// only for what is left on the other side alone.
    fn contradiction(&self, other: &Self) -> Option<Dot> {
        // Comparing stores is ten times faster than walking along both.
        if self.store == other.store {
            return None;
        }
        let mut strays = Vec::new();
        self.store.strays(&self.context, &other.store, &mut |dot| strays.push(dot));
        let mut found = self.store.contradiction(&other.store);
        if found.is_none() && !strays.is_empty() {
            let strays = CausalContext::from_dots(strays);
            self.store.dots(&mut |dot| {
                if strays.contains(dot) {
                    found.get_or_insert(dot);
                }
            });
        }
        found
    }

    /// Ends the entry of a replica that will never write again, if all its updates are causally stable and nothing of
    /// them is left in the store. Returns whether it did. States that have not forgotten yet bring the entry back, and
    /// nothing else.
    pub fn retire(&mut self, replica: ReplicaId, stable: &VersionVector) -> bool {
        let max = self.context.max(replica);
        let hearsay = self.hearsay.max(replica) > 0;
        if max == 0 || stable.get(replica) < max || self.context.prefix(replica) != max || hearsay {
            return false;
        }
        let mut live = false;
        self.store.dots(&mut |dot| live |= dot.replica == replica);
        if !live {
            self.context.forget(replica);
        }
        !live
    }
}

impl<T: CausalType> Clone for Causal<T> {
    fn clone(&self) -> Self {
        Self::new(self.store.clone(), self.context.clone(), self.hearsay.clone())
    }
}

impl<T: CausalType> PartialEq for Causal<T> {
    fn eq(&self, other: &Self) -> bool {
        self.context == other.context && self.hearsay == other.hearsay && self.store == other.store
    }
}

impl<T: CausalType> Default for Causal<T> {
    fn default() -> Self {
        Self::new(T::Store::default(), CausalContext::default(), CausalContext::default())
    }
}

impl<T: CausalType> Debug for Causal<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct(T::NAME);
        shown.field("store", &self.store).field("context", &self.context);
        if !self.hearsay.is_empty() {
            shown.field("hearsay", &self.hearsay);
        }
        shown.finish()
    }
}

impl<T: CausalType> Lattice for Causal<T> {
    fn bottom() -> Self {
        Self::default()
    }

    #[inline]
    fn is_bottom(&self) -> bool {
        self.context.is_empty()
    }

    fn join(&mut self, other: &Self) -> bool {
        let changed = self.store.join(&self.context, &other.store, &other.context) | self.hear(other);
        self.context.join(&other.context) | changed
    }

    fn try_join(&mut self, other: &Self) -> Result<bool, JoinError> {
        match self.contradiction(other) {
            Some(dot) => Err(JoinError::Contradiction { dot }),
            None => Ok(self.join(other)),
        }
    }

    fn le(&self, other: &Self) -> bool {
        self.context.le(&other.context)
            && other.hearsay.intersection(&self.context).le(&self.hearsay)
            && self.store.le(&self.context, &other.store)
    }

    /// One state for each dot that is left, with what it holds, and one for each that is gone.
    fn decompose(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        let none = CausalContext::default();
        self.store.split(&mut |dot, store| parts.push(Self::new(store, CausalContext::single(dot), none.clone())));
        let gone = self.context.difference(&live_dots(&self.store));
        parts.extend(gone.dots().map(|dot| {
            let context = CausalContext::single(dot);
            let hearsay = if self.hearsay.contains(dot) { context.clone() } else { none.clone() };
            Self::new(T::Store::default(), context, hearsay)
        }));
        parts
    }
}

/// What a causal state has heard of, and what of it is left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CausalDigest {
    /// All updates that were heard of.
    pub context: CausalContext,
    /// Those that have not arrived themselves.
    pub hearsay: CausalContext,
    /// Those of which something is left.
    pub live: CausalContext,
}

impl<T: CausalType> Crdt for Causal<T> {
    type Object = T::Object;
    type Digest = CausalDigest;

    const NAME: &'static str = T::NAME;
    const SPECIFICATION: Option<Specify<T::Object>> = T::SPECIFICATION;

    fn update(
        &mut self,
        replica: ReplicaId,
        op: &<T::Object as Object>::Op,
    ) -> Result<Update<<T::Object as Object>::Ret, Self>, UpdateError> {
        let dot = self.context.next_dot(replica)?;
        let Effect { ret, change } = T::update(&mut self.store, dot, op)?;
        Ok(Update { ret, delta: self.record(dot, change) })
    }

    fn value(&self) -> <T::Object as Object>::State {
        T::value(&self.store)
    }

    fn digest(&self) -> CausalDigest {
        CausalDigest { context: self.context.clone(), hearsay: self.hearsay.clone(), live: live_dots(&self.store) }
    }

    /// What is news to the peer, and the removal of what it still holds and is gone here.
    fn delta_since(&self, digest: &CausalDigest) -> Self {
        let mut context = self.context.difference(&digest.context);
        if !digest.hearsay.is_empty() {
            context.join(&digest.hearsay.intersection(&self.context).difference(&self.hearsay));
        }
        let store = if context.is_empty() {
            T::Store::default()
        } else {
            self.store.without(&received(&digest.context, &digest.hearsay))
        };
        context.join(&self.gone(digest));
        let hearsay = context.intersection(&self.hearsay);
        Self::new(store, context, hearsay)
    }

    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        for (replica, counter) in received(&self.context, &self.hearsay).vector().iter() {
            visit(replica, counter);
        }
    }

    fn fold(&self, mut word: impl FnMut(u64)) {
        self.context.fold(&mut word);
        self.hearsay.fold(&mut word);
        self.store.fold(&mut word);
    }

    fn weight(&self) -> Weight {
        let mut weight = T::weight(&self.store);
        weight.metadata_bytes += 1 + self.context.encoded_bytes() + self.hearsay.encoded_bytes();
        weight
    }

    fn stable(&mut self, stable: &VersionVector) -> bool {
        T::stable(&mut self.store, stable)
    }

    fn digest_bytes(digest: &CausalDigest) -> u64 {
        1 + digest.context.encoded_bytes() + digest.hearsay.encoded_bytes() + digest.live.encoded_bytes()
    }

    fn fold_digest(digest: &CausalDigest, mut word: impl FnMut(u64)) {
        digest.context.fold(&mut word);
        digest.hearsay.fold(&mut word);
        digest.live.fold(&mut word);
    }
}

impl<T: CausalType> Causal<T> {
    /// What the peer still holds and has been removed here.
    fn gone(&self, digest: &CausalDigest) -> CausalContext {
        let known = digest.live.intersection(&self.context);
        let mut left = Vec::new();
        self.store.dots(&mut |dot| {
            if known.contains(dot) {
                left.push(dot);
            }
        });
        // As many dots are left as the peer told of: all of them, and there is nothing to sort.
        if left.len() as u128 == known.len() {
            CausalContext::default()
        } else {
            known.difference(&CausalContext::from_dots(left))
        }
    }
}

/// Was every dot that is left received, and is nothing hearsay that was not heard of?
fn is_consistent<S: DotStore>(store: &S, context: &CausalContext, hearsay: &CausalContext) -> bool {
    let mut inside = hearsay.le(context);
    store.dots(&mut |dot| inside &= context.contains(dot) && !hearsay.contains(dot));
    inside
}

impl<T: CausalType> Encode for Causal<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.context.encode_body(out);
        self.hearsay.encode_body(out);
        self.store.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let context = CausalContext::decode_body(&mut reader)?;
        let hearsay = CausalContext::decode_body(&mut reader)?;
        let store = T::Store::decode(&mut reader)?;
        reader.finish()?;
        if !is_consistent(&store, &context, &hearsay) {
            return Err(DecodeError::DotWithoutContext);
        }
        Ok(Self::new(store, context, hearsay))
    }
}

impl Encode for CausalDigest {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.context.encode_body(out);
        self.hearsay.encode_body(out);
        self.live.encode_body(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let context = CausalContext::decode_body(&mut reader)?;
        let hearsay = CausalContext::decode_body(&mut reader)?;
        let live = CausalContext::decode_body(&mut reader)?;
        reader.finish()?;
        Ok(Self { context, hearsay, live })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<S> {
    context: CausalContext,
    hearsay: CausalContext,
    store: S,
}

impl<T: CausalType<Store: Serialize>> Serialize for Causal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (context, hearsay) = (self.context.clone(), self.hearsay.clone());
        Form { context, hearsay, store: &self.store }.serialize(serializer)
    }
}

impl<'de, T: CausalType<Store: Deserialize<'de>>> Deserialize<'de> for Causal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Form::<T::Store> { context, hearsay, store } = Form::deserialize(deserializer)?;
        if !is_consistent(&store, &context, &hearsay) {
            return Err(D::Error::custom("a dot of the store is not in the context, or is hearsay"));
        }
        Ok(Self::new(store, context, hearsay))
    }
}
