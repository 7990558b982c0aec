//! `cola`, which holds no text: by itself, and with a rope beside it that holds the text.

use cola::{Deletion, EncodedReplica, Insertion};
use jumprope::JumpRope;

use super::Replica;
use crate::traces::Patch;

/// The parts of a patch.
#[derive(Debug)]
pub struct Update(Vec<Part>);

#[derive(Debug)]
enum Part {
    Deleted(Deletion),
    Inserted(Insertion, String),
}

/// Where the text is, if anywhere.
pub trait Buffer {
    /// The name of the combination in tables.
    const NAME: &'static str;

    /// An empty text.
    fn empty() -> Self;
    /// Inserts.
    fn insert(&mut self, position: usize, text: &str);
    /// Removes.
    fn remove(&mut self, range: std::ops::Range<usize>);
    /// The text.
    fn text(&self) -> Option<String>;
    /// The rest of an encoding.
    fn from_text(text: &str) -> Self;
}

impl Buffer for () {
    const NAME: &'static str = "cola (no text)";

    fn empty() {}
    fn insert(&mut self, _position: usize, _text: &str) {}
    fn remove(&mut self, _range: std::ops::Range<usize>) {}
    fn text(&self) -> Option<String> {
        None
    }
    fn from_text(_text: &str) {}
}

impl Buffer for JumpRope {
    const NAME: &'static str = "cola + jumprope";

    fn empty() -> Self {
        Self::new()
    }

    fn insert(&mut self, position: usize, text: &str) {
        Self::insert(self, position, text);
    }

    fn remove(&mut self, range: std::ops::Range<usize>) {
        Self::remove(self, range);
    }

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn from_text(text: &str) -> Self {
        Self::from(text)
    }
}

/// A replica and its text. Its ids begin at 1.
#[derive(Debug)]
pub struct Cola<B> {
    replica: cola::Replica,
    buffer: B,
}

impl<B: Buffer> Replica for Cola<B> {
    type Update = Update;
    type Batch = std::convert::Infallible;

    const NAME: &'static str = B::NAME;

    /// Replicas that are not forks of one origin panic when they exchange insertions.
    fn family(size: usize) -> Vec<Self> {
        let first = cola::Replica::new(1, 0);
        let others: Vec<_> = (2..=size as u64).map(|id| first.fork(id)).collect();
        let replicas = std::iter::once(first).chain(others);
        replicas.map(|replica| Self { replica, buffer: B::empty() }).collect()
    }

    fn edit(&mut self, patches: &[Patch]) {
        for Patch(position, deleted, inserted) in patches {
            if *deleted > 0 {
                std::hint::black_box(self.replica.deleted(*position..position + deleted));
                self.buffer.remove(*position..position + deleted);
            }
            if !inserted.is_empty() {
                std::hint::black_box(self.replica.inserted(*position, inserted.len()));
                self.buffer.insert(*position, inserted);
            }
        }
    }

    fn edit_and_send(&mut self, patches: &[Patch]) -> Update {
        let mut parts = Vec::new();
        for Patch(position, deleted, inserted) in patches {
            if *deleted > 0 {
                parts.push(Part::Deleted(self.replica.deleted(*position..position + deleted)));
                self.buffer.remove(*position..position + deleted);
            }
            if !inserted.is_empty() {
                parts.push(Part::Inserted(self.replica.inserted(*position, inserted.len()), inserted.clone()));
                self.buffer.insert(*position, inserted);
            }
        }
        Update(parts)
    }

    fn receive(&mut self, update: &Update) {
        for part in &update.0 {
            match part {
                Part::Deleted(deletion) => {
                    for range in self.replica.integrate_deletion(deletion).into_iter().rev() {
                        self.buffer.remove(range);
                    }
                }
                Part::Inserted(insertion, text) => {
                    if let Some(position) = self.replica.integrate_insertion(insertion) {
                        self.buffer.insert(position, text);
                    }
                }
            }
        }
    }

    fn batch(&mut self) -> Option<Self::Batch> {
        None
    }

    fn receive_batch(&mut self, batch: &Self::Batch) {
        match *batch {}
    }

    fn text(&self) -> Option<String> {
        self.buffer.text()
    }

    fn update_bytes(_update: &Update) -> Option<usize> {
        None
    }

    /// The length of the replica's encoding, the encoding, and the text.
    fn encode(&mut self) -> Option<Vec<u8>> {
        let encoded = self.replica.encode();
        let mut bytes = (encoded.as_bytes().len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(encoded.as_bytes());
        bytes.extend(self.buffer.text().unwrap_or_default().bytes());
        Some(bytes)
    }

    fn decode(bytes: &[u8]) -> Self {
        let (length, rest) = bytes.split_first_chunk().expect("the encoding begins with a length");
        let (replica, text) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let replica =
            cola::Replica::decode(1_000_000, &EncodedReplica::from_bytes(replica)).expect("it was just encoded");
        Self { replica, buffer: B::from_text(&String::from_utf8_lossy(text)) }
    }
}
