//! The registers of extremes: the largest, or the smallest, value that was ever written.
//!
//! **State.** The extreme and who wrote it, and how many effective writes of each replica were seen. A write that is not beyond
//! what its replica knows takes place without effect.
//!
//! **Why it converges.** Values are totally ordered, and the larger of two is their least upper bound (for the minimum, in the
//! reversed order); of equal values, the one of the larger replica id counts as written. Beside it stands a version vector,
//! with its own join. A write that takes effect raises both. See [`crate::arbitration`] for why an overwritten value still
//! counts as contained.
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, MaxRegister, MinRegister, ReplicaId, objects::register::RegisterOp::Write};
//!
//! let (mut ours, mut theirs) = (MaxRegister::bottom(), MaxRegister::bottom());
//! ours.update(ReplicaId(1), &Write(-3_i64))?;
//! theirs.update(ReplicaId(2), &Write(12))?;
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.get(), Some(&12));
//! assert!(ours.update(ReplicaId(1), &Write(7))?.delta.is_bottom());
//!
//! let mut low = MinRegister::bottom();
//! low.update(ReplicaId(1), &Write(12_i64))?;
//! low.update(ReplicaId(1), &Write(-3))?;
//! assert_eq!(low.get(), Some(&-3));
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: a way back. What lowers a maximum is another register.

use std::{cmp::Ordering, marker::PhantomData};

use crate::{
    arbitration::single::{Rule, Single, Write},
    atom::Atom,
    causality::{CausalSpec, Event},
    lattice::UpdateError,
    objects::{
        max_register::{Maximum, Minimum},
        register::RegisterOp,
    },
};

/// The largest value ever written. See the [module documentation](self) for the argument and an example.
pub type MaxRegister<V> = Single<Largest<V>>;

/// The smallest value ever written. See the [module documentation](self) for the argument and an example.
pub type MinRegister<V> = Single<Smallest<V>>;

macro_rules! extreme {
    ($(#[$doc:meta])* $rule:ident: $object:ident, $name:literal, $extreme:ident, |$a:ident, $b:ident| $compared:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $rule<V>(PhantomData<V>);

        impl<V: Atom> Rule for $rule<V> {
            type Value = V;
            type Stamp = ();
            type Object = $object<V>;

            const NAME: &'static str = $name;

            fn order($a: &Write<(), V>, $b: &Write<(), V>) -> Ordering {
                $compared.then($a.replica.cmp(&$b.replica))
            }

            /// Writing the extreme once more changes nothing.
            fn takes_effect($a: &Write<(), V>, $b: &Write<(), V>) -> bool {
                $compared.is_gt()
            }

            fn stamp(_: Option<&Write<(), V>>) -> Result<(), UpdateError> {
                Ok(())
            }
        }

        /// The extreme of all that was written.
        impl<V: Atom> CausalSpec for Single<$rule<V>> {
            fn specify(history: &[Event<RegisterOp<V>>]) -> Option<V> {
                let written = history.iter().filter_map(|event| match &event.op {
                    RegisterOp::Write(value) => Some(value),
                    RegisterOp::Read => None,
                });
                written.$extreme().cloned()
            }
        }
    };
}

extreme! {
    /// The rule of [`MaxRegister`]: larger values win.
    Largest: Maximum, "max-register", max, |a, b| a.value.cmp(&b.value)
}

extreme! {
    /// The rule of [`MinRegister`]: smaller values win.
    Smallest: Minimum, "min-register", min, |a, b| b.value.cmp(&a.value)
}
