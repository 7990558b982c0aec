//! A state with its checksum and its size.
//!
//! A replica sends its state far more often than the state changes. Digest and encoded size are therefore taken when the
//! state changes, and messages carry them along: hashing a message into the fingerprint and accounting its bytes cost the
//! same for a state of any size.
//!
//! Invariant: `sum` and `bytes` are those of `content`; nothing else can change one without the other.

use crdts::{
    clock::ReplicaId,
    lattice::{Crdt, Update, UpdateError},
    object::Object,
};

use crate::kernel::fold::Fold;

/// A state whose digest and size are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Summed<C> {
    content: C,
    /// The digest of the canonical content.
    sum: u64,
    /// The size of the canonical encoding.
    bytes: u32,
}

/// What an update of `C` gives: the answer and the delta.
type Updated<C> = Update<<<C as Crdt>::Object as Object>::Ret, C>;

impl<C: Crdt> Summed<C> {
    /// Sums up a state.
    pub fn new(content: C) -> Self {
        let mut summed = Self { content, sum: 0, bytes: 0 };
        summed.sum_up();
        summed
    }

    /// The state.
    #[inline]
    pub fn content(&self) -> &C {
        &self.content
    }

    /// The size of the state's canonical encoding.
    #[inline]
    pub fn bytes(&self) -> u64 {
        u64::from(self.bytes)
    }

    /// A digest of the state's canonical content.
    #[inline]
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Reads both ends, to bring the whole into the cache.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        self.sum ^ u64::from(self.content.is_bottom())
    }

    /// Joins a state. Returns whether anything grew.
    #[inline]
    pub(super) fn join(&mut self, other: &C) -> bool {
        let grew = self.content.join(other);
        if grew {
            self.sum_up();
        }
        grew
    }

    /// Applies a client's operation.
    pub(super) fn update(
        &mut self,
        writer: ReplicaId,
        op: &<C::Object as Object>::Op,
    ) -> Result<Updated<C>, UpdateError> {
        let update = self.content.update(writer, op)?;
        self.sum_up();
        Ok(update)
    }

    fn sum_up(&mut self) {
        let mut fold = Fold::default();
        self.content.fold(|word| fold.word(word));
        self.sum = fold.digest();
        let bytes = self.content.weight().total_bytes();
        self.bytes = u32::try_from(bytes).expect("a state is smaller than 4 GiB");
    }
}
