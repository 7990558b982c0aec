//! Causal delivery: ops are delivered after everything that their origin had seen.
//!
//! Invariant: what was delivered is causally closed, and no op that is kept could be delivered. What an op waits for is a
//! function of the set of ops that were received, not of their order.
//!
//! An op that comes early is kept, up to a limit; beyond it, early ops are refused with the names of what is missing, and
//! those that are in order still pass, so a peer that floods the buffer cannot stop the others. Every op waits for one name
//! at a time and is looked at when that arrives: a reception costs time in proportion to what it sets free, not to what
//! waits (Birman, Schiper and Stephenson 1991, ACM TOCS 9(3), with an index in place of the scan).
//!
//! ```
//! use crdts::{GCounter, Lattice, ReplicaId, replication::{CausalBuffer, DeliveryError, TaggedOp}};
//!
//! let one = ReplicaId(1);
//! let first = TaggedOp::new(one, [].into_iter().collect(), GCounter::bottom())?;
//! let second = TaggedOp::new(one, [(one, 1)].into_iter().collect(), GCounter::bottom())?;
//!
//! let mut strict = CausalBuffer::new(0); // keeps nothing
//! let missing = [first.dots()].into_iter().collect();
//! assert_eq!(strict.receive(second.clone()), Err(DeliveryError::Missing { dots: missing }));
//! assert_eq!(strict.receive(first)?.delivered.len(), 1);
//! assert_eq!(strict.receive(second)?.delivered.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is deliberately absent: delivered ops. Whoever wants to repeat them for others keeps them, or sends states.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::op::TaggedOp;
use crate::{
    causality::{CausalContext, Dot, DotRange, VersionVector},
    clock::ReplicaId,
    lattice::{Lattice, UpdateError},
};

/// What the reception of an op sets free.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt<C> {
    /// What is to be delivered now, in causal order. Nothing, for an op that is early or known.
    pub delivered: Vec<TaggedOp<C>>,
    /// What the op waits for, if it is early.
    pub missing: CausalContext,
}

/// Why an op was not taken. The buffer is as before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The op is early, and as many early ones as are allowed are kept already. It is welcome again when its past is here.
    Missing {
        /// The updates of its past that were not delivered yet.
        dots: CausalContext,
    },
    /// Another op with the same name waits already: its origin's id is used twice, or it is forged.
    Contradiction {
        /// The first update of the op.
        dot: Dot,
    },
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { dots } => write!(f, "the op follows updates that are missing here: {dots:?}"),
            Self::Contradiction { dot } => {
                write!(f, "update {dot} comes with two contents: is the id {} used twice?", dot.replica)
            }
        }
    }
}

impl std::error::Error for DeliveryError {}

/// Puts ops into causal order.
#[derive(Clone, Debug, PartialEq)]
pub struct CausalBuffer<C> {
    delivered: VersionVector,
    /// By the first update that they carry.
    early: BTreeMap<Dot, TaggedOp<C>>,
    /// For each op that is kept: what it waits for first, and its first update.
    waiting: BTreeSet<(Dot, Dot)>,
    early_max: usize,
}

impl<C> Default for CausalBuffer<C> {
    /// A buffer that keeps [`CausalBuffer::EARLY_MAX`] ops.
    fn default() -> Self {
        Self::new(Self::EARLY_MAX)
    }
}

impl<C> CausalBuffer<C> {
    /// How many early ops are kept if nothing else is said.
    pub const EARLY_MAX: usize = 4096;

    /// A buffer that keeps at most `early_max` early ops.
    pub fn new(early_max: usize) -> Self {
        Self { delivered: VersionVector::default(), early: BTreeMap::new(), waiting: BTreeSet::new(), early_max }
    }

    /// How many updates of each replica were delivered.
    #[inline]
    pub fn delivered(&self) -> &VersionVector {
        &self.delivered
    }

    /// How many ops wait.
    pub fn early(&self) -> usize {
        self.early.len()
    }

    /// What is waited for and has not come: what to ask peers for.
    pub fn missing(&self) -> CausalContext {
        let mut missing = CausalContext::default();
        for op in self.early.values() {
            missing.join(&self.lacking(op));
        }
        missing.difference(&self.early.values().map(TaggedOp::dots).collect())
    }

    /// Names the next update of a replica that delivers to itself at once.
    pub fn tag(&mut self, replica: ReplicaId, delta: C) -> Result<TaggedOp<C>, UpdateError> {
        let op = TaggedOp::new(replica, self.delivered.clone(), delta)?;
        self.delivered.raise(replica, op.dots().last);
        Ok(op)
    }

    fn is_known(&self, op: &TaggedOp<C>) -> bool {
        let dots = op.dots();
        dots.last <= self.delivered.get(dots.replica)
    }

    /// What of the op's past was not delivered.
    fn lacking(&self, op: &TaggedOp<C>) -> CausalContext {
        let unmet = op.past().iter().map(|(replica, count)| (replica, self.delivered.get(replica), count));
        unmet
            .filter(|(_, here, count)| here < count)
            .map(|(id, here, count)| DotRange::new(id, here + 1, count))
            .collect()
    }

    /// One update that the op cannot do without: the last one of the first replica of which something is missing.
    fn awaited(&self, op: &TaggedOp<C>) -> Option<Dot> {
        let unmet = op.past().iter().find(|&(replica, count)| self.delivered.get(replica) < count);
        unmet.map(|(replica, count)| Dot::new(replica, count))
    }

    /// Notes the delivery of `op`, and returns it with all that waited for it.
    fn release(&mut self, op: TaggedOp<C>) -> Vec<TaggedOp<C>> {
        let mut released = vec![op];
        let mut at = 0;
        while let Some(DotRange { replica, last, .. }) = released.get(at).map(TaggedOp::dots) {
            let from = Dot::new(replica, self.delivered.get(replica).saturating_add(1));
            self.delivered.raise(replica, last);
            while let Some(&(awaited, first)) = self.waiting.range((from, Dot::new(ReplicaId(0), 0))..).next() {
                if awaited > Dot::new(replica, last) {
                    break;
                }
                self.waiting.remove(&(awaited, first));
                let Some(op) = self.early.remove(&first).filter(|op| !self.is_known(op)) else { continue };
                match self.awaited(&op) {
                    None => released.push(op),
                    Some(next) => {
                        self.waiting.insert((next, first));
                        self.early.insert(first, op);
                    }
                }
            }
            at += 1;
        }
        released
    }
}

impl<C: Lattice> CausalBuffer<C> {
    /// Takes in an op: delivers it if its past is here, keeps it if not, and ignores it if it is known.
    pub fn receive(&mut self, op: TaggedOp<C>) -> Result<Receipt<C>, DeliveryError> {
        if self.is_known(&op) {
            return Ok(Receipt { delivered: Vec::new(), missing: CausalContext::default() });
        }
        let Some(awaited) = self.awaited(&op) else {
            return Ok(Receipt { delivered: self.release(op), missing: CausalContext::default() });
        };
        let missing = self.lacking(&op);
        let DotRange { replica, first, last } = op.dots();
        let dot = Dot::new(replica, first);
        match self.early.get(&dot) {
            None if self.early.len() >= self.early_max => return Err(DeliveryError::Missing { dots: missing }),
            Some(kept) if kept.past() != op.past() || kept.dots().last == last && *kept != op => {
                return Err(DeliveryError::Contradiction { dot });
            }
            // The longer of two batches has all of the other.
            Some(kept) if kept.dots().last >= last => {}
            _ => {
                self.waiting.insert((awaited, dot));
                self.early.insert(dot, op);
            }
        }
        Ok(Receipt { delivered: Vec::new(), missing })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{GCounter, lattice::Crdt, objects::counter::CounterOp};

    fn op(replica: u32, past: &[(u32, u64)]) -> TaggedOp<GCounter> {
        let past: VersionVector = past.iter().map(|&(id, count)| (ReplicaId(id), count)).collect();
        let mut delta = GCounter::bottom();
        assert!(delta.update(ReplicaId(replica), &CounterOp::Add(1 + i64::from(replica))).is_ok());
        TaggedOp::new(ReplicaId(replica), past, delta).expect("the past is short")
    }

    fn delivered(receipt: Result<Receipt<GCounter>, DeliveryError>) -> Vec<String> {
        let receipt = receipt.expect("there is room");
        receipt.delivered.iter().map(|op| format!("{:?}", op.dots())).collect()
    }

    #[test]
    fn what_waits_is_set_free_in_causal_order() {
        let mut buffer = CausalBuffer::default();
        let last = op(3, &[(1, 2), (2, 1)]);
        let receipt = buffer.receive(last.clone()).expect("there is room");
        assert_eq!(format!("{:?}", receipt.missing), "{r1:1..=2, r2:1}");
        assert_eq!(delivered(buffer.receive(op(1, &[(1, 1)]))), [""; 0]);
        assert_eq!(format!("{:?}", buffer.missing()), "{r1:1, r2:1}");
        assert_eq!(delivered(buffer.receive(op(1, &[]))), ["r1:1", "r1:2"]);
        assert_eq!(buffer.early(), 1);
        assert_eq!(delivered(buffer.receive(op(2, &[]))), ["r2:1", "r3:1"]);
        assert_eq!((buffer.early(), buffer.waiting.len()), (0, 0));
        assert!(buffer.missing().is_empty());
        assert_eq!(delivered(buffer.receive(last)), [""; 0], "it is known");
    }

    #[test]
    fn a_full_buffer_names_what_is_missing_and_lets_the_rest_pass() {
        let mut buffer = CausalBuffer::new(1);
        assert!(buffer.receive(op(9, &[(8, 1)])).is_ok());
        let before = buffer.clone();
        let refused = buffer.receive(op(1, &[(1, 1)])).expect_err("there is no room");
        assert_eq!(refused.to_string(), "the op follows updates that are missing here: {r1:1}");
        assert_eq!(buffer, before);
        assert!(buffer.receive(op(9, &[(8, 1)])).is_ok(), "a repetition needs no room");
        assert_eq!(delivered(buffer.receive(op(1, &[]))), ["r1:1"]);
        assert_eq!(delivered(buffer.receive(op(1, &[(1, 1)]))), ["r1:2"]);
    }

    #[test]
    fn two_ops_of_one_name_are_refused() {
        let mut buffer = CausalBuffer::default();
        assert!(buffer.receive(op(1, &[(2, 1)])).is_ok());
        let before = buffer.clone();
        let dot = Dot::new(ReplicaId(1), 1);
        assert_eq!(buffer.receive(op(1, &[(2, 2)])), Err(DeliveryError::Contradiction { dot }));
        let mut other = GCounter::bottom();
        assert!(other.update(ReplicaId(1), &CounterOp::Add(77)).is_ok());
        let other = TaggedOp::new(ReplicaId(1), op(1, &[(2, 1)]).past().clone(), other).expect("a short past");
        assert_eq!(buffer.receive(other), Err(DeliveryError::Contradiction { dot }));
        assert_eq!(buffer, before);
    }

    #[test]
    fn an_op_that_waits_for_itself_waits_forever_and_harms_nobody() {
        let mut buffer = CausalBuffer::default();
        // A forged pair, each in the past of the other.
        assert!(buffer.receive(op(1, &[(2, 1)])).is_ok());
        assert!(buffer.receive(op(2, &[(1, 1)])).is_ok());
        assert_eq!(delivered(buffer.receive(op(3, &[]))), ["r3:1"]);
        assert_eq!(buffer.early(), 2);
    }

    proptest! {
        /// Chains and crossings between four replicas: whatever the order, what is delivered is the closed part of what
        /// came, and an op never precedes its past.
        #[test]
        fn any_order_is_put_right(
            writers in prop::collection::vec((0..4_u32, any::<bool>()), 1..12),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
        ) {
            let mut seen = vec![VersionVector::default(); 4];
            let mut ops: Vec<TaggedOp<GCounter>> = Vec::new();
            for (writer, hears) in writers {
                let mine = writer as usize;
                if hears {
                    let neighbour = seen[(mine + 1) % 4].clone();
                    seen[mine].join(&neighbour);
                }
                let past: Vec<_> = seen[mine].iter().map(|(id, count)| (id.0, count)).collect();
                ops.push(op(writer, &past));
                let next = seen[mine].get(ReplicaId(writer)) + 1;
                seen[mine].raise(ReplicaId(writer), next);
            }
            let mut buffer = CausalBuffer::default();
            let mut came = VersionVector::default();
            for at in order.iter().map(|index| index.index(ops.len())).chain(0..ops.len()).chain(0..ops.len()) {
                let receipt = buffer.receive(ops[at].clone()).expect("there is room");
                for op in receipt.delivered {
                    prop_assert!(Lattice::le(op.past(), &came), "{:?} before {:?}", op.dots(), op.past());
                    came.raise(op.dots().replica, op.dots().last);
                }
                prop_assert_eq!(buffer.delivered(), &came);
            }
            prop_assert_eq!(buffer.early(), 0);
            prop_assert_eq!(came.iter().map(|(_, count)| count).sum::<u64>(), ops.len() as u64);
        }
    }
}
