//! Operations on a set: additions, removals and reads of elements, some of which are more popular than others.
//!
//! Additions and removals draw their element from one address, so that a hot element is added at one replica while another
//! removes it: the conflict that tells sets apart.

use crdts::objects::set::{Set, SetOp};

use super::{
    Popularity,
    clients::{Generator, ScriptedOp, Turn},
};
use crate::kernel::draws::Stream;

/// Makes operations on a set.
#[derive(Clone, Debug)]
pub struct SetGenerator {
    elements: Popularity,
    draws: Stream,
}

impl SetGenerator {
    /// Operations on these elements, under `seed`.
    pub fn new(elements: Popularity, seed: u64) -> Self {
        Self { elements, draws: Stream::new(seed, "work.element") }
    }
}

impl Generator<Set<String>> for SetGenerator {
    const KINDS: &'static [&'static str] = &["add", "remove", "read"];

    fn operation(&mut self, turn: Turn) -> SetOp<String> {
        let element = self.elements.pick(self.draws.word(u64::from(turn.client), turn.number)).to_owned();
        match turn.kind {
            0 => SetOp::Add(element),
            1 => SetOp::Remove(element),
            _ => SetOp::Read,
        }
    }

    fn scripted(op: &ScriptedOp, _: u32) -> Option<SetOp<String>> {
        match op {
            ScriptedOp::Set(op) => Some(op.clone()),
            _ => None,
        }
    }
}
