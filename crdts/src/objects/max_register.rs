//! The registers of extremes: the largest, or the smallest, value that was ever written.
//!
//! Invariant: the value is that of all writes in any order, so a write of less than the maximum (of more than the minimum)
//! takes place and changes nothing.
//!
//! ```
//! use crdts::{Object, objects::{max_register::{Maximum, Minimum}, register::{RegisterOp, RegisterRet}}};
//!
//! let (mut high, mut low) = (None, None);
//! for temperature in [12_i64, -3, 7] {
//!     Maximum::step(&mut high, &RegisterOp::Write(temperature));
//!     Minimum::step(&mut low, &RegisterOp::Write(temperature));
//! }
//! assert_eq!(Maximum::step(&mut high, &RegisterOp::Read), RegisterRet::Value(Some(12)));
//! assert_eq!(Minimum::step(&mut low, &RegisterOp::Read), RegisterRet::Value(Some(-3)));
//! ```
//!
//! What is deliberately absent: a way back. What lowers a maximum is another register.

use super::register::{RegisterOp, RegisterRet};
use crate::{atom::Atom, object::Object};

macro_rules! extreme {
    ($(#[$doc:meta])* $object:ident, $name:literal, $beyond:tt) => {
        generic_object! {
            $(#[$doc])*
            $object<V>
        }

        impl<V: Atom> Object for $object<V> {
            type Op = RegisterOp<V>;
            type Ret = RegisterRet<V>;
            type State = Option<V>;

            const NAME: &'static str = $name;

            fn step(extreme: &mut Option<V>, op: &RegisterOp<V>) -> RegisterRet<V> {
                match op {
                    RegisterOp::Write(written) => {
                        if extreme.as_ref().is_none_or(|extreme| written $beyond extreme) {
                            *extreme = Some(written.clone());
                        }
                        RegisterRet::Written
                    }
                    RegisterOp::Read => RegisterRet::Value(extreme.clone()),
                }
            }

            fn is_update(op: &RegisterOp<V>) -> bool {
                matches!(op, RegisterOp::Write(_))
            }

            fn read() -> RegisterOp<V> {
                RegisterOp::Read
            }

            fn op_name(op: &RegisterOp<V>) -> &'static str {
                op.name()
            }
        }
    };
}

extreme! {
    /// The register that keeps the largest value of type `V`.
    Maximum, "max-register", >
}

extreme! {
    /// The register that keeps the smallest value of type `V`.
    Minimum, "min-register", <
}
