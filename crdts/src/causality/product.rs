//! Two stores side by side under one context: `(A, B)`.
//!
//! Invariant: a dot is in one of the two; which one is part of its place. The order, and so the join, is that of both parts.
//!
//! ```
//! use crdts::{ReplicaId, causality::{Dot, DotSet, DotStore}};
//!
//! let (yes, no) = (Dot::new(ReplicaId(1), 1), Dot::new(ReplicaId(2), 1));
//! let mut votes = (DotSet::single(yes), DotSet::single(no));
//! votes.remove(&[no].into_iter().collect());
//! assert!(!votes.is_empty() && votes.1.is_empty());
//! ```
//!
//! What is deliberately absent: larger tuples. Pairs nest.

use super::{CausalContext, Dot, DotStore};
use crate::{
    encoding::{DecodeError, Reader},
    lattice::Weight,
};

impl<A: DotStore, B: DotStore> DotStore for (A, B) {
    #[inline]
    fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_empty()
    }

    fn dots(&self, visit: &mut dyn FnMut(Dot)) {
        self.0.dots(visit);
        self.1.dots(visit);
    }

    #[inline]
    fn join(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool {
        self.0.join(mine, &other.0, theirs) | self.1.join(mine, &other.1, theirs)
    }

    #[inline]
    fn remove(&mut self, removed: &CausalContext) -> bool {
        self.0.remove(removed) | self.1.remove(removed)
    }

    fn without(&self, known: &CausalContext) -> Self {
        (self.0.without(known), self.1.without(known))
    }

    fn le(&self, mine: &CausalContext, other: &Self) -> bool {
        self.0.le(mine, &other.0) && self.1.le(mine, &other.1)
    }

    fn contradiction(&self, other: &Self) -> Option<Dot> {
        self.0.contradiction(&other.0).or_else(|| self.1.contradiction(&other.1))
    }

    fn strays(&self, mine: &CausalContext, other: &Self, visit: &mut dyn FnMut(Dot)) {
        self.0.strays(mine, &other.0, visit);
        self.1.strays(mine, &other.1, visit);
    }

    fn split(&self, visit: &mut dyn FnMut(Dot, Self)) {
        self.0.split(&mut |dot, part| visit(dot, (part, B::default())));
        self.1.split(&mut |dot, part| visit(dot, (A::default(), part)));
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        self.0.fold(word);
        self.1.fold(word);
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::decode(reader)?, B::decode(reader)?))
    }

    fn weight(&self) -> Weight {
        let (a, b) = (self.0.weight(), self.1.weight());
        Weight {
            payload_bytes: a.payload_bytes + b.payload_bytes,
            metadata_bytes: a.metadata_bytes + b.metadata_bytes,
            tombstone_bytes: a.tombstone_bytes + b.tombstone_bytes,
        }
    }
}
