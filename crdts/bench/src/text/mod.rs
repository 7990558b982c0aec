//! Text: editing traces and pathologies.

#[cfg(feature = "all-peers")]
pub mod automerge;
pub mod cola;
pub mod diamond;
pub mod floors;
#[cfg(feature = "all-peers")]
pub mod loro;
pub mod ours;
pub mod pathologies;
pub mod report;
pub mod rust_list;
pub mod work;
#[cfg(feature = "all-peers")]
pub mod yrs;

use crate::traces::Patch;

/// What a contest needs of a replica of a text.
pub trait Replica: Sized {
    /// What the peers of a replica are sent after a transaction.
    type Update;

    /// What a replica is sent that has nothing yet.
    type Batch;

    /// The name in tables.
    const NAME: &'static str;

    /// Replicas of one empty document.
    fn family(size: usize) -> Vec<Self>;

    /// Edits as one transaction whose update nobody asks for.
    fn edit(&mut self, patches: &[Patch]);

    /// Edits as one transaction and gives what the peers need.
    fn edit_and_send(&mut self, patches: &[Patch]) -> Self::Update;

    /// Receives one update.
    fn receive(&mut self, update: &Self::Update);

    /// All that this replica has, as one message to a replica that has nothing; none where the library has no such thing.
    fn batch(&mut self) -> Option<Self::Batch>;

    /// Receives such a message.
    fn receive_batch(&mut self, batch: &Self::Batch);

    /// The text; none where the library keeps none.
    fn text(&self) -> Option<String>;

    /// The size of an update when it is sent; none where the library does not say.
    fn update_bytes(update: &Self::Update) -> Option<usize>;

    /// The document with its whole history; none where the library has no such thing.
    fn encode(&mut self) -> Option<Vec<u8>>;

    /// Another encoding of the same and what distinguishes it.
    fn encode_otherwise(&mut self) -> Option<(&'static str, Vec<u8>)> {
        None
    }

    /// A new replica from [`Replica::encode`].
    fn decode(bytes: &[u8]) -> Self;
}

/// One replica of an empty document.
pub fn single<R: Replica>() -> R {
    R::family(1).pop().expect("the family has a member")
}
