//! Operations on a register: writes and reads.
//!
//! Every write has a value of its own, `c2.7` for the eighth operation of the second client: so a read tells which write it
//! saw. A client that reads and then writes at one replica resolves what it read there, siblings included.

use crdts::{
    object::Object,
    objects::{
        mv_register::MultiValue,
        register::{Register, RegisterOp},
    },
};

use super::clients::{Generator, ScriptedOp, Turn};

/// Makes operations on a register, of one value or of several.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegisterGenerator;

/// An object with the operations of a register.
trait IsRegister: Object<Op = RegisterOp<String>> {}

impl IsRegister for Register<String> {}
impl IsRegister for MultiValue<String> {}

impl<O: IsRegister> Generator<O> for RegisterGenerator {
    const KINDS: &'static [&'static str] = &["write", "read"];

    fn operation(&mut self, turn: Turn) -> RegisterOp<String> {
        match turn.kind {
            0 => RegisterOp::Write(format!("c{}.{}", turn.client + 1, turn.number)),
            _ => RegisterOp::Read,
        }
    }

    fn scripted(op: &ScriptedOp, _: u32) -> Option<RegisterOp<String>> {
        match op {
            ScriptedOp::Register(op) => Some(op.clone()),
            _ => None,
        }
    }
}
