//! The multi-value register: it holds what was written last, and all of it when several writes know nothing of each other.
//!
//! Invariant: a write replaces everything that is there. One after the other there is therefore at most one value; more
//! than one, the *siblings*, come only from concurrency. They ascend, and two writes of one value are two siblings.
//!
//! ```
//! use crdts::{Object, objects::{mv_register::{MultiValue, MultiValueRet}, register::RegisterOp}};
//!
//! let mut siblings = vec!["blue".to_owned(), "red".to_owned()];
//! assert_eq!(MultiValue::step(&mut siblings, &RegisterOp::Write("green".to_owned())), MultiValueRet::Written);
//! assert_eq!(MultiValue::step(&mut siblings, &RegisterOp::Read), MultiValueRet::Siblings(vec!["green".to_owned()]));
//! ```
//!
//! What is deliberately absent: a choice among siblings.

use super::register::RegisterOp;
use crate::{atom::Atom, object::Object};

generic_object! {
    /// The multi-value register object, with values of type `V`.
    MultiValue<V>
}

/// What a multi-value register answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiValueRet<V> {
    /// The write took place.
    Written,
    /// The values that no write has replaced, in ascending order.
    Siblings(Vec<V>),
}

impl<V: Atom> Object for MultiValue<V> {
    type Op = RegisterOp<V>;
    type Ret = MultiValueRet<V>;
    /// The siblings in ascending order.
    type State = Vec<V>;

    const NAME: &'static str = "mv-register";
    const REPLACES: bool = true;

    fn step(siblings: &mut Vec<V>, op: &RegisterOp<V>) -> MultiValueRet<V> {
        match op {
            RegisterOp::Write(written) => {
                *siblings = vec![written.clone()];
                MultiValueRet::Written
            }
            RegisterOp::Read => MultiValueRet::Siblings(siblings.clone()),
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
