//! The flag: on or off, and off at first.
//!
//! Invariant: the flag is what the last of enabling and disabling made it.
//!
//! ```
//! use crdts::{Object, objects::flag::{Flag, FlagOp, FlagRet}};
//!
//! let mut enabled = false;
//! assert_eq!(Flag::step(&mut enabled, &FlagOp::Enable), FlagRet::Enabled);
//! assert_eq!(Flag::step(&mut enabled, &FlagOp::Read), FlagRet::Value(true));
//! assert_eq!(Flag::step(&mut enabled, &FlagOp::Disable), FlagRet::Disabled);
//! assert!(!enabled);
//! ```
//!
//! What is deliberately absent: a toggle, which means something else to everybody who does not know the value.

use crate::object::Object;

/// The flag object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag;

/// What clients ask of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlagOp {
    /// Turns it on.
    Enable,
    /// Turns it off.
    Disable,
    /// Asks whether it is on.
    Read,
}

/// What a flag answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlagRet {
    /// It is on now.
    Enabled,
    /// It is off now.
    Disabled,
    /// Is it on?
    Value(bool),
}

impl Object for Flag {
    type Op = FlagOp;
    type Ret = FlagRet;
    /// Is it on?
    type State = bool;

    const NAME: &'static str = "flag";

    fn step(enabled: &mut bool, op: &FlagOp) -> FlagRet {
        match op {
            FlagOp::Enable => {
                *enabled = true;
                FlagRet::Enabled
            }
            FlagOp::Disable => {
                *enabled = false;
                FlagRet::Disabled
            }
            FlagOp::Read => FlagRet::Value(*enabled),
        }
    }

    fn is_update(op: &FlagOp) -> bool {
        !matches!(op, FlagOp::Read)
    }

    fn read() -> FlagOp {
        FlagOp::Read
    }

    fn op_name(op: &FlagOp) -> &'static str {
        match op {
            FlagOp::Enable => "enable",
            FlagOp::Disable => "disable",
            FlagOp::Read => "read",
        }
    }
}
