//! The list of `rust-crdt`: identifiers between identifiers, one for each character.

use rust_crdts::{CmRDT as _, List, list::Op};

use super::Replica;
use crate::traces::Patch;

/// A list of characters and who edits it.
#[derive(Debug)]
pub struct RustList {
    list: List<char, u32>,
    actor: u32,
}

impl Replica for RustList {
    type Update = Vec<Op<char, u32>>;
    type Batch = std::convert::Infallible;

    const NAME: &'static str = "rust-crdt List";

    fn family(size: usize) -> Vec<Self> {
        (0..size as u32).map(|actor| Self { list: List::new(), actor }).collect()
    }

    fn edit(&mut self, patches: &[Patch]) {
        std::hint::black_box(self.edit_and_send(patches));
    }

    fn edit_and_send(&mut self, patches: &[Patch]) -> Self::Update {
        let mut ops = Vec::new();
        for Patch(position, deleted, inserted) in patches {
            for _ in 0..*deleted {
                let op = self.list.delete_index(*position, self.actor).expect("the edit is within the text");
                self.list.apply(op.clone());
                ops.push(op);
            }
            for (index, character) in inserted.chars().enumerate() {
                let op = self.list.insert_index(position + index, character, self.actor);
                self.list.apply(op.clone());
                ops.push(op);
            }
        }
        ops
    }

    fn receive(&mut self, update: &Self::Update) {
        for op in update {
            self.list.apply(op.clone());
        }
    }

    fn batch(&mut self) -> Option<Self::Batch> {
        None
    }

    fn receive_batch(&mut self, batch: &Self::Batch) {
        match *batch {}
    }

    fn text(&self) -> Option<String> {
        Some(self.list.iter().collect())
    }

    fn update_bytes(update: &Self::Update) -> Option<usize> {
        serde_json::to_vec(update).ok().map(|json| json.len())
    }

    /// Its serialization refuses JSON: the key of a map must be a string.
    fn encode(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn decode(_bytes: &[u8]) -> Self {
        unreachable!("there are no encodings to decode")
    }
}
