//! Our texts: RGA, Fugue and `FugueMax`.

use crdts::{
    Encode as _, Lattice as _, ReplicaId,
    sequence::{FugueMaxOrder, FugueOrder, Op, Ordering, RgaOrder, Text},
};

use super::Replica;
use crate::traces::Patch;

/// A text and who edits it.
#[derive(Debug)]
pub struct Ours<O: Ordering> {
    text: Text<O>,
    replica: ReplicaId,
}

/// The name of an order in tables.
pub trait Named: Ordering {
    /// The name.
    const TITLE: &'static str;
}

impl Named for RgaOrder {
    const TITLE: &'static str = "**Rga (ours)**";
}

impl Named for FugueOrder {
    const TITLE: &'static str = "**Fugue (ours)**";
}

impl Named for FugueMaxOrder {
    const TITLE: &'static str = "**FugueMax (ours)**";
}

impl<O: Named> Replica for Ours<O> {
    type Update = Vec<Op<'static>>;
    type Batch = Vec<u8>;

    const NAME: &'static str = O::TITLE;

    fn family(size: usize) -> Vec<Self> {
        (1..=size as u32).map(|id| Self { text: Text::new(), replica: ReplicaId(id) }).collect()
    }

    fn edit(&mut self, patches: &[Patch]) {
        for Patch(position, deleted, inserted) in patches {
            if *deleted > 0 {
                let deletions = self.text.delete(self.replica, *position, *deleted);
                std::hint::black_box(deletions.expect("the edit is within the text"));
            }
            if !inserted.is_empty() {
                let insertion = self.text.insert(self.replica, *position, inserted);
                std::hint::black_box(insertion.expect("the edit is within the text"));
            }
        }
    }

    fn edit_and_send(&mut self, patches: &[Patch]) -> Self::Update {
        let mut ops = Vec::new();
        for Patch(position, deleted, inserted) in patches {
            if *deleted > 0 {
                let deletions = self.text.delete(self.replica, *position, *deleted);
                ops.extend(deletions.expect("the edit is within the text").into_iter().map(Op::from));
            }
            if !inserted.is_empty() {
                let insertion = self.text.insert(self.replica, *position, inserted);
                ops.push(insertion.expect("the edit is within the text").into_owned());
            }
        }
        ops
    }

    fn receive(&mut self, update: &Self::Update) {
        for op in update {
            self.text.receive(op).expect("peers are honest");
        }
    }

    fn batch(&mut self) -> Option<Self::Batch> {
        self.encode()
    }

    fn receive_batch(&mut self, batch: &Self::Batch) {
        self.text.join(&Text::decode(batch).expect("it was just encoded"));
    }

    fn text(&self) -> Option<String> {
        Some(self.text.text())
    }

    /// The operations as a state of their own: a delta.
    fn update_bytes(update: &Self::Update) -> Option<usize> {
        let mut delta = Text::<O>::new();
        for op in update {
            delta.receive(op).expect("peers are honest");
        }
        let mut bytes = Vec::new();
        delta.encode(&mut bytes);
        Some(bytes.len())
    }

    fn encode(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.text.encode(&mut bytes);
        Some(bytes)
    }

    fn encode_otherwise(&mut self) -> Option<(&'static str, Vec<u8>)> {
        Some(("DEFLATE", self.text.compress()))
    }

    fn decode(bytes: &[u8]) -> Self {
        Self { text: Text::decode(bytes).expect("it was just encoded"), replica: ReplicaId(u32::MAX) }
    }
}
