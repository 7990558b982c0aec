//! What replicas send to each other.

use crdts::lattice::Crdt;

use crate::{
    kernel::{fold::Fold, node::Payload},
    protocols::{HEADER_BYTES, gossip::Summed},
};

/// A message of gossip. Contents are inline: moving a message copies the state of a small counter and allocates
/// nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Message<C: Crdt> {
    /// The sender's full state.
    State {
        /// The state.
        state: Summed<C>,
        /// Should the receiver send its own, if it differs?
        answer: bool,
    },
    /// Asks for the receiver's full state.
    Pull,
    /// A part of the sender's state: an update sent at once, or what a digest showed to be missing.
    Delta(C),
    /// The sender's digest.
    Digest {
        /// The digest.
        digest: C::Digest,
        /// What the sender wants.
        ask: Ask,
    },
    /// All deltas of the sender that the receiver has not acknowledged yet.
    Interval {
        /// Their join, or the full state.
        content: C,
        /// Is this the full state?
        whole: bool,
        /// Should the receiver send its own interval?
        answer: bool,
        /// The sender's incarnation, to which sequence numbers belong.
        incarnation: u32,
        /// The receiver's incarnation that acknowledged what comes before the content.
        builds_on: u32,
        /// The sequence number that follows the last delta.
        through: u64,
    },
    /// The sender knows the receiver's deltas up to a sequence number.
    Ack {
        /// The sender's incarnation: a later one may have forgotten what it acknowledged.
        by: u32,
        /// The receiver's incarnation when it sent the interval.
        incarnation: u32,
        /// The sequence number that follows the last delta received.
        through: u64,
    },
}

/// What the sender of a digest wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To be sent what it lacks.
    Request,
    /// To be asked for what the receiver lacks.
    Offer,
    /// Both.
    Exchange,
}

impl<C> Payload for Message<C>
where
    C: Crdt + Send + Sync,
    C::Digest: Send + Sync,
{
    /// The header, which has room for the flags; the canonical encoding of the content; and for deltas with
    /// acknowledgement 4 bytes for each incarnation and 8 for the sequence number.
    #[inline]
    fn bytes(&self) -> u64 {
        HEADER_BYTES
            + match self {
                Self::State { state, .. } => state.bytes(),
                Self::Pull => 0,
                Self::Delta(delta) => delta.weight().total_bytes(),
                Self::Digest { digest, .. } => C::digest_bytes(digest),
                Self::Interval { content, .. } => content.weight().total_bytes() + 4 + 4 + 8,
                Self::Ack { .. } => 4 + 4 + 8,
            }
    }

    #[inline]
    fn fold(&self, fold: &mut Fold) {
        match self {
            Self::State { state, answer } => {
                fold.words(1 | u64::from(*answer) << 3, state.sum());
            }
            Self::Pull => fold.word(2),
            Self::Delta(delta) => {
                fold.word(3);
                delta.fold(|word| fold.word(word));
            }
            Self::Digest { digest, ask } => {
                fold.words(4, *ask as u64);
                C::fold_digest(digest, |word| fold.word(word));
            }
            Self::Interval { content, whole, answer, incarnation, builds_on, through } => {
                fold.words(5, u64::from(*whole) << 1 | u64::from(*answer));
                fold.words(u64::from(*incarnation) << 32 | u64::from(*builds_on), *through);
                content.fold(|word| fold.word(word));
            }
            Self::Ack { by, incarnation, through } => {
                fold.words(6, u64::from(*by));
                fold.words(u64::from(*incarnation), *through);
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::State { .. } | Self::Interval { whole: true, .. } => "state",
            Self::Pull => "pull",
            Self::Delta(_) | Self::Interval { .. } => "delta",
            Self::Digest { .. } => "digest",
            Self::Ack { .. } => "ack",
        }
    }

    #[inline]
    fn touch(&self) -> u64 {
        match self {
            Self::State { state, .. } => state.touch(),
            _ => 0,
        }
    }
}
