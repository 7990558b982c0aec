//! `diamond-types`, which keeps the history of edits and a rope.

use diamond_types::{
    AgentId,
    list::{
        ListCRDT,
        encoding::{ENCODE_FULL, ENCODE_PATCH, EncodeOptions},
    },
};

use super::Replica;
use crate::traces::Patch;

/// A document and who edits it.
#[derive(Debug)]
pub struct Diamond {
    document: ListCRDT,
    agent: AgentId,
}

impl Replica for Diamond {
    type Update = Vec<u8>;
    type Batch = Vec<u8>;

    const NAME: &'static str = "diamond-types";

    fn family(size: usize) -> Vec<Self> {
        let named = |index: usize| {
            let mut document = ListCRDT::new();
            let agent = document.get_or_create_agent_id(&format!("agent{index}"));
            Self { document, agent }
        };
        (0..size).map(named).collect()
    }

    fn edit(&mut self, patches: &[Patch]) {
        for Patch(position, deleted, inserted) in patches {
            if *deleted > 0 {
                self.document.delete_without_content(self.agent, *position..position + deleted);
            }
            if !inserted.is_empty() {
                self.document.insert(self.agent, *position, inserted);
            }
        }
    }

    fn edit_and_send(&mut self, patches: &[Patch]) -> Vec<u8> {
        let before = self.document.oplog.local_version();
        self.edit(patches);
        self.document.oplog.encode_from(ENCODE_PATCH, &before)
    }

    fn receive(&mut self, update: &Vec<u8>) {
        self.document.merge_data_and_ff(update).expect("updates come in causal order");
    }

    fn batch(&mut self) -> Option<Self::Batch> {
        self.encode()
    }

    fn receive_batch(&mut self, batch: &Self::Batch) {
        self.receive(batch);
    }

    fn text(&self) -> Option<String> {
        Some(self.document.branch.content().to_string())
    }

    fn update_bytes(update: &Vec<u8>) -> Option<usize> {
        Some(update.len())
    }

    fn encode(&mut self) -> Option<Vec<u8>> {
        Some(self.document.oplog.encode(EncodeOptions { store_deleted_content: false, ..ENCODE_FULL }))
    }

    fn encode_otherwise(&mut self) -> Option<(&'static str, Vec<u8>)> {
        let options = EncodeOptions { store_deleted_content: false, compress_content: false, ..ENCODE_FULL };
        Some(("no LZ4", self.document.oplog.encode(options)))
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut document = ListCRDT::load_from(bytes).expect("it was just encoded");
        let agent = document.get_or_create_agent_id("reader");
        Self { document, agent }
    }
}
