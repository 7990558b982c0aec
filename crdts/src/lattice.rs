//! Join semilattices, and replicated data types built on them.
//!
//! A *join semilattice* is a set of states with a binary *join* that is commutative, associative and idempotent.
//! Joins order the states: `a <= b` exactly when `a join b = b`. If every update moves a replica upward in that
//! order, and replicas exchange states (or parts of states) and join what they receive, then two replicas that have
//! received the same updates are in the same state, whatever the order, grouping or repetition of what they received:
//! the join of a set of states does not depend on how it is computed. That is the whole convergence argument
//! (Shapiro et al. 2011, INRIA RR-7506, section 2.3), and [`crate::laws`] checks its premises for every type here.
//!
//! **One type for states and deltas.** A delta is a (small) state (Almeida, Shoker and Baquero 2018, section 4). So one
//! [`Lattice::join`] serves state with state, state with delta and delta with delta, and the state-based, delta-based and
//! digest-driven ways of synchronising cannot disagree.
//!
//! ```
//! use crdts::{Crdt, GCounter, Lattice, ReplicaId, objects::counter::CounterOp};
//!
//! let mut before = GCounter::bottom();
//! let mut after = before.clone();
//! let update = after.update(ReplicaId(1), &CounterOp::Add(4))?;
//! assert!(before.le(&after));
//! assert!(before.join(&update.delta));
//! assert_eq!(before, after);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: clocks, randomness, input and output, and any notion of a network.

use std::fmt::Debug;

use crate::{
    causality::{Dot, Specify, VersionVector},
    clock::ReplicaId,
    object::Object,
};

/// A join semilattice with a least element.
pub trait Lattice: Clone + PartialEq + Debug {
    /// The least state: joining it changes nothing.
    fn bottom() -> Self;

    /// Is this the least state?
    fn is_bottom(&self) -> bool;

    /// Replaces `self` by the least upper bound of both states, in place. Returns whether `self` grew.
    fn join(&mut self, other: &Self) -> bool;

    /// As [`Lattice::join`], for states from peers that are not trusted: contents that no honest replicas can have made are
    /// refused, and the state stays as it was.
    fn try_join(&mut self, other: &Self) -> Result<bool, JoinError> {
        Ok(self.join(other))
    }

    /// Is everything that `self` knows also in `other`? The order that the join induces.
    fn le(&self, other: &Self) -> bool;

    /// Is `self` at least `before`? What every update must leave behind (Almeida et al. 2018, definition 1).
    fn is_inflation_of(&self, before: &Self) -> bool {
        before.le(self)
    }

    /// The irredundant join decomposition: states that cannot be split further, none of which the others make
    /// superfluous, and whose join is `self` (Enes et al. 2019, ICDE, section III).
    fn decompose(&self) -> Vec<Self>;
}

/// A replicated data type: a lattice with updates, and with what synchronisation needs to know about it.
pub trait Crdt: Lattice {
    /// What clients see: the operations, their returns, and their meaning without concurrency.
    type Object: Object;

    /// A summary of a state, from which another replica computes what is missing ([`Crdt::delta_since`]).
    type Digest: Clone + PartialEq + Debug;

    /// The name in scenarios and reports, for example `pn-counter`.
    const NAME: &'static str;

    /// What the value of a replica should be, by what it has seen and what each of that had seen; `None` for types whose
    /// meaning is not written down in this form.
    const SPECIFICATION: Option<Specify<Self::Object>> = None;

    /// Performs a client's operation at `replica`. A query returns a bottom delta. On an error the state is as before.
    fn update(
        &mut self,
        replica: ReplicaId,
        op: &<Self::Object as Object>::Op,
    ) -> Result<Update<<Self::Object as Object>::Ret, Self>, UpdateError>;

    /// The object's state that this CRDT state stands for: what a client can observe.
    fn value(&self) -> <Self::Object as Object>::State;

    /// Drops what is kept only for updates that may still arrive, given that every update which this replica has not received
    /// has all of `stable` in its past (causal stability: Baquero, Almeida and Shoker 2017, arXiv 1710.04469, section 5).
    /// The value stays as it is. Returns whether anything was dropped.
    ///
    /// Deltas of later updates do not name what was dropped. So a type may drop only what makes no difference to a peer that
    /// still has it and hears of those deltas alone.
    fn stable(&mut self, _stable: &VersionVector) -> bool {
        false
    }

    /// A summary for [`Crdt::delta_since`].
    fn digest(&self) -> Self::Digest;

    /// The least state whose join brings a replica with `digest` to at least this state: bottom when nothing is missing.
    #[must_use]
    fn delta_since(&self, digest: &Self::Digest) -> Self;

    /// Reports for every replica that has written how far its updates are contained in this state, as a number that
    /// grows with each effective update of that replica. A state contains an update when it reports at least the number
    /// that the updating replica reported right after it.
    fn progress(&self, visit: impl FnMut(ReplicaId, u64));

    /// Feeds the canonical content, word by word, to a hash. Equal states feed equal words.
    fn fold(&self, word: impl FnMut(u64));

    /// The size of the canonical encoding, by what the bytes are for.
    fn weight(&self) -> Weight;

    /// The size of the canonical encoding of a digest, in bytes.
    fn digest_bytes(digest: &Self::Digest) -> u64;

    /// Feeds the canonical content of a digest, word by word, to a hash. Equal digests feed equal words.
    fn fold_digest(digest: &Self::Digest, word: impl FnMut(u64));
}

/// What an update gives: the client's answer, and what peers need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update<Ret, Delta> {
    /// The return value for the client.
    pub ret: Ret,
    /// A small state that carries the update: joining it into the state before the update gives the state after, and
    /// joining it into any other state, in whatever order deltas arrive, keeps [`Crdt::progress`] exact.
    pub delta: Delta,
}

/// Why a replica refused an operation. The state is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateError {
    /// The type cannot express the operation, for example a negative addition to a grow-only counter.
    Unsupported {
        /// The operation and the reason, for a person.
        reason: &'static str,
    },
    /// A counter would exceed its 64-bit per-replica range. Nothing is lost silently.
    Overflow,
    /// The replica holds fewer rights than the operation takes. Others may hold some: the operation can succeed elsewhere, or
    /// here once rights have been transferred.
    InsufficientRights {
        /// How many units the replica may use.
        available: i128,
        /// How many units the operation takes.
        requested: u64,
    },
}

impl std::fmt::Display for UpdateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsupported { reason } => write!(f, "unsupported operation: {reason}"),
            Self::Overflow => write!(f, "the counter would overflow its 64-bit range"),
            Self::InsufficientRights { available, requested } => {
                write!(f, "the replica holds {available} of the {requested} rights that this takes")
            }
        }
    }
}

impl std::error::Error for UpdateError {}

/// Why a state was not joined. The state is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// One update with two contents: its replica id is used twice, or the state was forged.
    Contradiction {
        /// The update.
        dot: Dot,
    },
}

impl std::fmt::Display for JoinError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Contradiction { dot } => {
                write!(f, "update {dot} comes with two contents: is the id {} used twice?", dot.replica)
            }
        }
    }
}

impl std::error::Error for JoinError {}

/// Bytes of a state's canonical encoding, by purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes that carry what clients can observe.
    pub payload_bytes: u64,
    /// Bytes of causal metadata: replica ids, clocks, contexts, framing.
    pub metadata_bytes: u64,
    /// Bytes kept only for what was removed.
    pub tombstone_bytes: u64,
}

impl Weight {
    /// The size of the whole encoding.
    pub fn total_bytes(&self) -> u64 {
        self.payload_bytes + self.metadata_bytes + self.tombstone_bytes
    }
}
