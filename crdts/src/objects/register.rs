//! The register: it holds what was written last.
//!
//! Invariant: a write replaces the value, whatever it was; before the first write there is none.
//!
//! ```
//! use crdts::{Object, objects::register::{Register, RegisterOp, RegisterRet}};
//!
//! let mut value = None;
//! assert_eq!(Register::step(&mut value, &RegisterOp::Write(7_u64)), RegisterRet::Written);
//! assert_eq!(Register::step(&mut value, &RegisterOp::Read), RegisterRet::Value(Some(7)));
//! ```
//!
//! What is deliberately absent: times of writes, which are the business of who replicates the register, and a write that
//! depends on the value.

use crate::{atom::Atom, object::Object};

generic_object! {
    /// The register object, with values of type `V`.
    Register<V>
}

/// What clients ask of a register: of this one, of the [multi-value register](super::mv_register) and of the
/// [registers of extremes](super::max_register).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegisterOp<V> {
    /// Writes a value.
    Write(V),
    /// Asks for the value.
    Read,
}

impl<V> RegisterOp<V> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Write(_) => "write",
            Self::Read => "read",
        }
    }
}

/// What a register of one value answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegisterRet<V> {
    /// The write took place.
    Written,
    /// The value, if anything was written.
    Value(Option<V>),
}

impl<V: Atom> Object for Register<V> {
    type Op = RegisterOp<V>;
    type Ret = RegisterRet<V>;
    type State = Option<V>;

    const NAME: &'static str = "register";
    const REPLACES: bool = true;

    fn step(value: &mut Option<V>, op: &RegisterOp<V>) -> RegisterRet<V> {
        match op {
            RegisterOp::Write(written) => {
                *value = Some(written.clone());
                RegisterRet::Written
            }
            RegisterOp::Read => RegisterRet::Value(value.clone()),
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
