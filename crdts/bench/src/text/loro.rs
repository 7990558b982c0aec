//! `loro`.

use loro::{ExportMode, LoroDoc, LoroText};

use super::Replica;
use crate::traces::Patch;

/// A document and its text.
#[derive(Debug)]
pub struct Loro {
    document: LoroDoc,
    text: LoroText,
}

impl Loro {
    fn new(peer: u64) -> Self {
        let document = LoroDoc::new();
        document.set_peer_id(peer).expect("nothing was done yet");
        let text = document.get_text("text");
        Self { document, text }
    }
}

impl Replica for Loro {
    type Update = Vec<u8>;
    type Batch = Vec<u8>;

    const NAME: &'static str = "loro";

    fn family(size: usize) -> Vec<Self> {
        (1..=size as u64).map(Self::new).collect()
    }

    fn edit(&mut self, patches: &[Patch]) {
        for Patch(position, deleted, inserted) in patches {
            if *deleted > 0 {
                self.text.delete(*position, *deleted).expect("the edit is within the text");
            }
            if !inserted.is_empty() {
                self.text.insert(*position, inserted).expect("the edit is within the text");
            }
        }
        self.document.commit();
    }

    fn edit_and_send(&mut self, patches: &[Patch]) -> Vec<u8> {
        let before = self.document.oplog_vv();
        self.edit(patches);
        self.document.export(ExportMode::updates(&before)).expect("the history is whole")
    }

    fn receive(&mut self, update: &Vec<u8>) {
        self.document.import(update).expect("updates come in causal order");
    }

    fn batch(&mut self) -> Option<Self::Batch> {
        self.encode()
    }

    fn receive_batch(&mut self, batch: &Self::Batch) {
        self.receive(batch);
    }

    fn text(&self) -> Option<String> {
        Some(self.text.to_string())
    }

    fn update_bytes(update: &Vec<u8>) -> Option<usize> {
        Some(update.len())
    }

    fn encode(&mut self) -> Option<Vec<u8>> {
        Some(self.document.export(ExportMode::all_updates()).expect("the history is whole"))
    }

    fn encode_otherwise(&mut self) -> Option<(&'static str, Vec<u8>)> {
        Some(("snapshot", self.document.export(ExportMode::Snapshot).expect("the history is whole")))
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut replica = Self::new(1_000_000);
        replica.receive(&bytes.to_vec());
        replica
    }
}
