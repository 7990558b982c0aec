//! The observed-remove map: under every key a causal state of its own, maps included.
//!
//! **State.** A [`DotMap`] from keys to the dot stores of the values. All of them share the one context of the outermost map. An
//! update under a key is an update of the store there; removing a key removes the dots under it that the replica sees.
//!
//! **Why it converges.** The join is that of the stores ([`crate::causality::causal`]), at every depth the same one: a dot stays if no
//! state has removed it. There is no rule of the map beside the rule of dots, so there are no two that could disagree
//! (Almeida, Shoker and Baquero 2018, section 7.4).
//!
//! **Concurrent updates win, and removed content stays away** (*reset-remove*). A removal takes what it saw, and nothing else. If
//! an update that it did not see holds the key, then the key holds that update alone: what was removed does not come back
//! with it. That a value begins anew after a removal needs no care either, because dots never repeat.
//!
//! **Presence is content.** A key is shown if the value under it differs from the initial one: a counter at zero or an empty
//! set leave no key. Clients do not see dots, so they could not tell one kind of nothing from another.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, MvRegister, OrMap, ReplicaId, objects::{map::MapOp, register::RegisterOp::Write}};
//!
//! // For each user a map from settings to values.
//! type Users = OrMap<u64, OrMap<String, MvRegister<String>>>;
//! let (mut ours, mut theirs) = (Users::bottom(), Users::bottom());
//! let set = |setting: &str, value: &str| MapOp::Update {
//!     key: 7,
//!     op: MapOp::Update { key: setting.to_owned(), op: Write(value.to_owned()) },
//! };
//! ours.update(ReplicaId(1), &set("colour", "blue"))?;
//! theirs.join(&ours);
//!
//! ours.update(ReplicaId(1), &MapOp::Remove(7))?;
//! theirs.update(ReplicaId(2), &set("font", "serif"))?; // concurrently
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! let settings = ours.get(&7).unwrap_or_default();
//! assert_eq!(settings.into_iter().collect::<Vec<_>>(), [("font".to_owned(), vec!["serif".to_owned()])]);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: values without dots. A state that only grows, such as a grow-only counter, cannot be reset by
//! a removal; [`crate::ResettableCounter`] is the counter for maps.

use std::collections::BTreeMap;

use crate::{
    atom::Atom,
    causality::{Causal, CausalSpec, CausalType, Change, Dot, DotMap, Effect, Event, VersionVector, store::live_dots},
    lattice::UpdateError,
    object::Object,
    objects::{
        generic_object,
        map::{Map, MapOp, MapRet},
    },
};

generic_object! {
    /// What makes a causal state a map from `K` to states of the type `T`.
    OrMapType<K, T>
}

/// A map whose values are causal states of the type `V`, for example `OrMap<String, MvRegister<u64>>`. See the [module
/// documentation](self) for the argument and an example.
pub type OrMap<K, V> = Causal<OrMapType<K, <V as Nested>::Type>>;

/// States that can be values of a map: all causal states.
pub trait Nested {
    /// What distinguishes them.
    type Type: CausalType;
}

impl<T: CausalType> Nested for Causal<T> {
    type Type = T;
}

type Op<T> = <<T as CausalType>::Object as Object>::Op;
type Ret<T> = <<T as CausalType>::Object as Object>::Ret;
type State<T> = <<T as CausalType>::Object as Object>::State;

impl<K: Atom, T: CausalType> Causal<OrMapType<K, T>> {
    /// The keys in ascending order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.store().iter().filter(|(_, store)| T::value(store) != State::<T>::default()).map(|(key, _)| key)
    }

    /// What is under a key.
    pub fn get(&self, key: &K) -> Option<State<T>> {
        self.store().get(key).map(T::value).filter(|value| *value != State::<T>::default())
    }

    /// Is something under the key?
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }
}

impl<K: Atom, T: CausalType> CausalType for OrMapType<K, T> {
    type Store = DotMap<K, T::Store>;
    type Object = Map<K, T::Object>;

    const NAME: &'static str = "or-map";

    fn update(
        store: &mut Self::Store,
        dot: Dot,
        op: &MapOp<K, Op<T>>,
    ) -> Result<Effect<MapRet<K, Ret<T>, State<T>>, Self::Store>, UpdateError> {
        match op {
            MapOp::Update { key, op } => {
                let Effect { ret, change } = store.edit(key, |inner| T::update(inner, dot, op))?;
                let change = change
                    .map(|Change { added, removed }| Change { added: DotMap::single(key.clone(), added), removed });
                Ok(Effect { ret: MapRet::Updated(ret), change })
            }
            MapOp::Remove(key) => {
                let change =
                    store.take(key).map(|inner| Change { added: DotMap::default(), removed: live_dots(&inner) });
                Ok(Effect { ret: MapRet::Removed, change })
            }
            MapOp::Read => Ok(Effect::none(MapRet::Entries(Self::value(store).into_iter().collect()))),
        }
    }

    fn value(store: &Self::Store) -> BTreeMap<K, State<T>> {
        let entries = store.iter().map(|(key, inner)| (key, T::value(inner)));
        entries.filter(|(_, value)| *value != State::<T>::default()).map(|(key, value)| (key.clone(), value)).collect()
    }

    fn stable(store: &mut Self::Store, stable: &VersionVector) -> bool {
        let mut dropped = false;
        store.retain(|_, inner| {
            dropped |= T::stable(inner, stable);
            true
        });
        dropped
    }
}

/// Under each key: what the specification of the values says of the updates there that no removal of the key has seen.
///
/// That is all if the updates of the values mean the same whatever their replica saw before, as those of registers, sets,
/// counters and maps of these do. The updates of a cart do not: they depend on the quantity that is seen.
impl<K: Atom, T: CausalType> CausalSpec for Causal<OrMapType<K, T>>
where
    Causal<T>: CausalSpec<Object = T::Object>,
{
    fn specify(history: &[Event<MapOp<K, Op<T>>>]) -> BTreeMap<K, State<T>> {
        let mut left: BTreeMap<K, Vec<Event<Op<T>>>> = BTreeMap::new();
        for event in history {
            let MapOp::Update { key, op } = &event.op else { continue };
            let removes = |other: &&Event<_>| matches!(&other.op, MapOp::Remove(removed) if removed == key);
            if !history.iter().filter(removes).any(|removal| removal.saw(event)) {
                let inner = Event { dot: event.dot, op: op.clone(), past: event.past.clone() };
                left.entry(key.clone()).or_default().push(inner);
            }
        }
        let values = left.into_iter().map(|(key, events)| (key, Causal::<T>::specify(&events)));
        values.filter(|(_, value)| *value != State::<T>::default()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::ReplicaId,
        lattice::{Crdt, Lattice},
        objects::resettable_counter::{ResetCounterOp, ResetCounterRet},
        resettable_counter::ResettableCounter,
    };

    type Counters = OrMap<u8, OrMap<u8, ResettableCounter>>;

    fn ask(map: &mut Counters, op: ResetCounterOp) -> ResetCounterRet {
        let op = MapOp::Update { key: 1, op: MapOp::Update { key: 2, op } };
        match map.update(ReplicaId(1), &op).map(|update| update.ret) {
            Ok(MapRet::Updated(MapRet::Updated(ret))) => ret,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_at_its_initial_value_is_not_shown_and_can_be_removed() {
        let mut map = Counters::bottom();
        ask(&mut map, ResetCounterOp::Add(3));
        assert_eq!(map.keys().collect::<Vec<_>>(), [&1]);
        ask(&mut map, ResetCounterOp::Add(-3));
        assert_eq!((map.keys().count(), map.contains_key(&1), map.get(&1)), (0, false, None));
        assert_eq!(map.value(), BTreeMap::new());
        assert!(!map.store().is_empty());
        let removed = map.update(ReplicaId(1), &MapOp::Remove(1));
        assert!(removed.is_ok_and(|update| !update.delta.is_bottom()));
        assert!(map.store().is_empty());
    }

    #[test]
    fn reads_leave_no_trace() {
        let mut map = Counters::bottom();
        assert_eq!(ask(&mut map, ResetCounterOp::Read), ResetCounterRet::Total(0));
        assert_eq!(ask(&mut map, ResetCounterOp::Add(0)), ResetCounterRet::Added);
        assert_eq!(ask(&mut map, ResetCounterOp::Reset), ResetCounterRet::Reset);
        assert!(map.is_bottom());
        ask(&mut map, ResetCounterOp::Add(3));
        let before = map.clone();
        assert_eq!(ask(&mut map, ResetCounterOp::Read), ResetCounterRet::Total(3));
        assert_eq!(map, before);
    }
}
