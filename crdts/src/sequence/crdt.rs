//! The text as a replicated type with the sequence object.
//!
//! What is deliberately absent: garbage collection. Tombstones stay, since an origin may name them as long as operations are
//! under way, and a text that has dropped some of its dots could no longer answer a replica that starts from nothing.

use super::{error::EditError, op::Op, ordering::Ordering, text::Text};
use crate::{
    causality::CausalContext,
    clock::ReplicaId,
    lattice::{Crdt, Lattice, Update, UpdateError, Weight},
    objects::sequence::{Sequence, SequenceOp, SequenceRet},
};

fn refusal(error: EditError) -> Result<SequenceRet, UpdateError> {
    match error {
        EditError::OutOfRange { text_len, .. } => Ok(SequenceRet::OutOfRange { len: text_len }),
        EditError::Empty => Ok(SequenceRet::Inserted),
        EditError::Overflow => Err(UpdateError::Overflow),
        EditError::Behind => Err(UpdateError::Unsupported {
            reason: "the replica is behind what it once wrote, and must hear of that first",
        }),
    }
}

impl<O: Ordering> Crdt for Text<O> {
    type Object = Sequence;

    /// The dots of all operations.
    type Digest = CausalContext;

    const NAME: &'static str = O::NAME;

    fn update(&mut self, replica: ReplicaId, op: &SequenceOp) -> Result<Update<SequenceRet, Self>, UpdateError> {
        let mut delta = Self::bottom();
        let ret = match op {
            SequenceOp::Read => SequenceRet::Text(self.text()),
            SequenceOp::InsertAt { position, text } => match self.insert(replica, *position, text) {
                Ok(op) => {
                    delta.absorb(&op);
                    SequenceRet::Inserted
                }
                Err(error) => refusal(error)?,
            },
            SequenceOp::DeleteAt { position, len } => match self.delete(replica, *position, *len) {
                Ok(deletions) => {
                    deletions.iter().for_each(|delete| delta.absorb(&Op::from(delete)));
                    SequenceRet::Deleted
                }
                Err(error) => refusal(error)?,
            },
        };
        Ok(Update { ret, delta })
    }

    fn value(&self) -> String {
        self.text()
    }

    fn digest(&self) -> CausalContext {
        self.context()
    }

    fn delta_since(&self, digest: &CausalContext) -> Self {
        self.state_since(digest)
    }

    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        for (replica, known) in self.context().vector().iter() {
            visit(replica, known);
        }
    }

    fn fold(&self, mut word: impl FnMut(u64)) {
        self.fold_words(&mut word);
    }

    fn weight(&self) -> Weight {
        self.encode_weighed(&mut Vec::new())
    }

    fn digest_bytes(digest: &CausalContext) -> u64 {
        1 + digest.encoded_bytes()
    }

    fn fold_digest(digest: &CausalContext, mut word: impl FnMut(u64)) {
        digest.fold(&mut word);
    }
}
