//! `yrs`, the Rust port of Yjs. Its offsets are bytes.

use yrs::{
    Doc, GetString as _, ReadTxn as _, StateVector, Text as _, TextRef, Transact as _, TransactionMut, Update,
    updates::decoder::Decode as _,
};

use super::Replica;
use crate::traces::Patch;

/// A document and its text.
pub struct Yrs {
    document: Doc,
    text: TextRef,
}

impl Yrs {
    fn new(client: u64) -> Self {
        let document = Doc::with_client_id(client);
        let text = document.get_or_insert_text("text");
        Self { document, text }
    }

    fn splice(&self, transaction: &mut TransactionMut<'_>, patches: &[Patch]) {
        for Patch(position, deleted, inserted) in patches {
            if *deleted > 0 {
                self.text.remove_range(transaction, *position as u32, *deleted as u32);
            }
            if !inserted.is_empty() {
                self.text.insert(transaction, *position as u32, inserted);
            }
        }
    }
}

impl Replica for Yrs {
    type Update = Vec<u8>;
    type Batch = Vec<u8>;

    const NAME: &'static str = "yrs";

    fn family(size: usize) -> Vec<Self> {
        (1..=size as u64).map(Self::new).collect()
    }

    fn edit(&mut self, patches: &[Patch]) {
        self.splice(&mut self.document.transact_mut(), patches);
    }

    fn edit_and_send(&mut self, patches: &[Patch]) -> Vec<u8> {
        let mut transaction = self.document.transact_mut();
        self.splice(&mut transaction, patches);
        transaction.encode_update_v1()
    }

    fn receive(&mut self, update: &Vec<u8>) {
        let update = Update::decode_v1(update).expect("it was just encoded");
        self.document.transact_mut().apply_update(update).expect("updates come in causal order");
    }

    fn batch(&mut self) -> Option<Self::Batch> {
        self.encode()
    }

    fn receive_batch(&mut self, batch: &Self::Batch) {
        self.receive(batch);
    }

    fn text(&self) -> Option<String> {
        Some(self.text.get_string(&self.document.transact()))
    }

    fn update_bytes(update: &Vec<u8>) -> Option<usize> {
        Some(update.len())
    }

    fn encode(&mut self) -> Option<Vec<u8>> {
        Some(self.document.transact().encode_state_as_update_v1(&StateVector::default()))
    }

    fn encode_otherwise(&mut self) -> Option<(&'static str, Vec<u8>)> {
        Some(("v2", self.document.transact().encode_state_as_update_v2(&StateVector::default())))
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut replica = Self::new(1_000_000);
        replica.receive(&bytes.to_vec());
        replica
    }
}
