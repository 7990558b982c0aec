//! `automerge`.

use automerge::{AutoCommit, Change, ObjId, ObjType, ROOT, ReadDoc as _, transaction::Transactable as _};

use super::Replica;
use crate::traces::Patch;

/// A document and its text.
#[derive(Debug)]
pub struct Automerge {
    document: AutoCommit,
    text: ObjId,
}

impl Replica for Automerge {
    type Update = Change;
    type Batch = Vec<Change>;

    const NAME: &'static str = "automerge";

    /// Forks of a document in which somebody has made the text.
    fn family(size: usize) -> Vec<Self> {
        let mut origin = AutoCommit::new();
        origin.set_actor([0].as_slice().into());
        let text = origin.put_object(ROOT, "text", ObjType::Text).expect("the root takes any key");
        origin.commit();
        let forked = |index: usize| {
            let mut document = origin.fork();
            document.set_actor((index as u32 + 1).to_be_bytes().as_slice().into());
            Self { document, text: text.clone() }
        };
        (0..size).map(forked).collect()
    }

    fn edit(&mut self, patches: &[Patch]) {
        for Patch(position, deleted, inserted) in patches {
            let deleted = *deleted as isize;
            self.document.splice_text(&self.text, *position, deleted, inserted).expect("the edit is within the text");
        }
        self.document.commit();
    }

    fn edit_and_send(&mut self, patches: &[Patch]) -> Change {
        self.edit(patches);
        self.document.get_last_local_change().expect("there was a change")
    }

    fn receive(&mut self, update: &Change) {
        self.document.apply_changes([update.clone()]).expect("updates come in causal order");
    }

    fn batch(&mut self) -> Option<Self::Batch> {
        Some(self.document.get_changes(&[]))
    }

    fn receive_batch(&mut self, batch: &Self::Batch) {
        self.document.apply_changes(batch.iter().cloned()).expect("the changes are all there");
    }

    fn text(&self) -> Option<String> {
        self.document.text(&self.text).ok()
    }

    fn update_bytes(update: &Change) -> Option<usize> {
        Some(update.raw_bytes().len())
    }

    fn encode(&mut self) -> Option<Vec<u8>> {
        Some(self.document.save())
    }

    fn encode_otherwise(&mut self) -> Option<(&'static str, Vec<u8>)> {
        Some(("no DEFLATE", self.document.save_nocompress()))
    }

    fn decode(bytes: &[u8]) -> Self {
        let document = AutoCommit::load(bytes).expect("it was just encoded");
        let (_, text) = document.get(ROOT, "text").ok().flatten().expect("every document has the text");
        Self { document, text }
    }
}
