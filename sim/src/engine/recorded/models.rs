//! Models by name: what a file can be a history of.
//!
//! Invariant: a model that stands in [`ModelKind::ALL`] can be judged as linearizable, whatever else is judged for it.

use super::Property;

/// What a file is a history of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    /// One register: read and write.
    Register,
    /// One register with compare-and-set.
    CasRegister,
    /// A store of texts.
    TextStore,
    /// A store of values.
    ValueStore,
    /// Several registers, read and written together.
    MultiRegister,
    /// A lock.
    Mutex,
    /// A counter.
    Counter,
    /// A flag.
    Flag,
    /// A set.
    Set,
    /// A set that only grows.
    GrowOnlySet,
}

use ModelKind::{CasRegister, Counter, Flag, GrowOnlySet, MultiRegister, Mutex, Register, Set, TextStore, ValueStore};

impl ModelKind {
    /// All models, in the order of `sim list`.
    pub const ALL: [Self; 10] =
        [Register, CasRegister, TextStore, ValueStore, MultiRegister, Mutex, Counter, Flag, Set, GrowOnlySet];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Register => "register",
            CasRegister => "cas-register",
            TextStore => "kv",
            ValueStore => "kv-rw",
            MultiRegister => "multi-register",
            Mutex => "mutex",
            Counter => "counter",
            Flag => "flag",
            Set => "set",
            GrowOnlySet => "g-set",
        }
    }

    /// One line on its operations and their values.
    pub fn doc(self) -> &'static str {
        match self {
            Register => "one register: read, write v; nil at first, or --init",
            CasRegister => "one register: read, write v, cas [from to]; nil at first, or --init",
            TextStore => "texts by key: get, put text, append text; nil and \"\" both mean that there is none",
            ValueStore => "values by key: read, write v, cas [from to], create_if_not_exists [from to]; nil means none",
            MultiRegister => "registers together: read [x y], write {x 1, y 2}, txn [[\"r\" x nil] ...]; nil at first",
            Mutex => "a lock: acquire, release; free at first",
            Counter => "a total: add n, increment, read; 0 at first",
            Flag => "a switch: enable, disable, read; off at first",
            Set => "elements: add e, remove e, read; empty at first",
            GrowOnlySet => "elements: add e, read; empty at first",
        }
    }

    /// The model with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Has the model a value at the beginning that can be chosen?
    pub fn has_init(self) -> bool {
        matches!(self, Register | CasRegister)
    }

    /// Has the model a compare-and-set?
    pub fn has_cas(self) -> bool {
        matches!(self, CasRegister | ValueStore)
    }

    /// What histories of this model can be held against.
    pub fn judged(self) -> impl Iterator<Item = Property> {
        Property::all().filter(move |&property| super::judge::is_judged(self, property))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::Consistency;

    #[test]
    fn models_have_distinct_names_and_one_line() {
        for kind in ModelKind::ALL {
            assert_eq!(ModelKind::named(kind.name()), Some(kind));
            assert!(!kind.doc().is_empty() && !kind.doc().contains('\n'));
            assert!(kind.judged().any(|property| property == Property::Model(Consistency::Linearizable)));
        }
        assert_eq!(ModelKind::named("queue"), None);
    }
}
