//! The map: under every key an object of its own.
//!
//! Invariant: a key is present exactly when the object under it differs from its initial state. So an update creates the key
//! that it needs, removing a key is the same as bringing its object back to the beginning, and a counter that is back at
//! zero or a set that is empty again leaves no key behind. Presence is content: nobody has to ask which of two empty maps
//! is emptier.
//!
//! ```
//! use std::collections::BTreeMap;
//! use crdts::{Object, objects::{counter::{Counter, CounterOp, CounterRet}, map::{Map, MapOp, MapRet}}};
//!
//! type Stock = Map<String, Counter>;
//! let add = |amount| MapOp::Update { key: "tea".to_owned(), op: CounterOp::Add(amount) };
//!
//! let mut entries = BTreeMap::new();
//! assert_eq!(Stock::step(&mut entries, &add(3)), MapRet::Updated(CounterRet::Added));
//! assert_eq!(Stock::step(&mut entries, &MapOp::Read), MapRet::Entries(vec![("tea".to_owned(), 3)]));
//! Stock::step(&mut entries, &add(-3));
//! assert_eq!(Stock::step(&mut entries, &MapOp::Read), MapRet::Entries(vec![]));
//! ```
//!
//! What is deliberately absent: operations on several keys at once.

use std::collections::BTreeMap;

use crate::{atom::Atom, object::Object};

generic_object! {
    /// The map object, with keys of type `K` and an object `O` under each.
    Map<K, O>
}

/// What clients ask of a map, `Op` being an operation of the objects in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MapOp<K, Op> {
    /// Performs an operation (which may be a read) on the object under a key.
    Update {
        /// The key.
        key: K,
        /// What is asked of the object.
        op: Op,
    },
    /// Removes a key with all that is under it.
    Remove(K),
    /// Asks for everything.
    Read,
}

/// What a map answers, `Ret` and `State` being those of the objects in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MapRet<K, Ret, State> {
    /// What the object under the key answered.
    Updated(Ret),
    /// The key is absent now.
    Removed,
    /// The keys in ascending order, with what is under them.
    Entries(Vec<(K, State)>),
}

impl<K: Atom, O: Object> Object for Map<K, O> {
    type Op = MapOp<K, O::Op>;
    type Ret = MapRet<K, O::Ret, O::State>;
    type State = BTreeMap<K, O::State>;

    const NAME: &'static str = "map";

    fn step(entries: &mut Self::State, op: &Self::Op) -> Self::Ret {
        match op {
            MapOp::Update { key, op } => {
                let mut state = entries.remove(key).unwrap_or_default();
                let ret = O::step(&mut state, op);
                if state != O::State::default() {
                    entries.insert(key.clone(), state);
                }
                MapRet::Updated(ret)
            }
            MapOp::Remove(key) => {
                entries.remove(key);
                MapRet::Removed
            }
            MapOp::Read => MapRet::Entries(entries.iter().map(|(key, state)| (key.clone(), state.clone())).collect()),
        }
    }

    fn is_update(op: &Self::Op) -> bool {
        match op {
            MapOp::Update { op, .. } => O::is_update(op),
            MapOp::Remove(_) => true,
            MapOp::Read => false,
        }
    }

    fn read() -> Self::Op {
        MapOp::Read
    }

    fn op_name(op: &Self::Op) -> &'static str {
        match op {
            MapOp::Update { .. } => "update",
            MapOp::Remove(_) => "remove",
            MapOp::Read => "read",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::set::{Set, SetOp, SetRet};

    type Tags = Map<u32, Map<u32, Set<u32>>>;

    fn within(op: SetOp<u32>) -> <Tags as Object>::Op {
        MapOp::Update { key: 1, op: MapOp::Update { key: 2, op } }
    }

    #[test]
    fn a_key_is_there_when_something_is_under_it() {
        let mut entries = BTreeMap::new();
        // Reading and removing what is not there leaves nothing behind.
        let asked = Tags::step(&mut entries, &within(SetOp::Read));
        assert_eq!(asked, MapRet::Updated(MapRet::Updated(SetRet::Elements(vec![]))));
        Tags::step(&mut entries, &within(SetOp::Remove(5)));
        assert!(entries.is_empty());

        Tags::step(&mut entries, &within(SetOp::Add(5)));
        assert_eq!(entries.keys().collect::<Vec<_>>(), [&1]);
        Tags::step(&mut entries, &MapOp::Update { key: 1, op: MapOp::Remove(2) });
        assert!(entries.is_empty(), "the outer key goes with the inner one");
    }

    #[test]
    fn an_operation_is_an_update_when_the_one_within_is() {
        assert!(!Tags::is_update(&within(SetOp::Read)));
        assert!(Tags::is_update(&within(SetOp::Add(5))));
        assert!(Tags::is_update(&MapOp::Remove(1)));
    }
}
