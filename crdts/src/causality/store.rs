//! Dot stores: what is left of updates, each bit under the dot that brought it.
//!
//! Invariant: a store has one representation for its content, holds no empty parts, and every dot in it is also in the
//! context beside it. Stores know nothing of their context; the operations that need one take it as an argument, so that a
//! store nests in another without a context of its own. That is what makes composition right: a map of registers removes
//! by the same dots that the registers are made of, and there is nothing to keep in step.
//!
//! The join of two stores keeps a dot exactly if both hold it, or if one holds it and the other has never heard of it:
//!
//! ```
//! use crdts::{Lattice, ReplicaId, causality::{CausalContext, Dot, DotSet, DotStore}};
//!
//! let (a, b, c) = (Dot::new(ReplicaId(1), 1), Dot::new(ReplicaId(1), 2), Dot::new(ReplicaId(2), 1));
//! let (mut ours, our_context) = (DotSet::from_iter([b]), CausalContext::from_iter([a, b])); // a was removed here
//! let (theirs, their_context) = (DotSet::from_iter([a, c]), CausalContext::from_iter([a, c])); // c is news from there
//! ours.join(&our_context, &theirs, &their_context);
//! assert_eq!(ours, DotSet::from_iter([b, c]));
//! ```
//!
//! What is deliberately absent: a store for tombstones. Types that want them keep dots of removals alive, like others.

use std::fmt::Debug;

use super::{CausalContext, Dot};
use crate::{
    encoding::{DecodeError, Reader},
    lattice::Weight,
};

/// A part of a causal state that holds dots.
pub trait DotStore: Clone + PartialEq + Debug + Default + Send + Sync + 'static {
    /// Is no dot left?
    fn is_empty(&self) -> bool;

    /// Visits every dot, in no particular order.
    fn dots(&self, visit: &mut dyn FnMut(Dot));

    /// Joins `other`, whose context is `theirs`, into this store, whose context is `mine`: keeps what both hold, and what one
    /// holds and the other has never heard of. Content that contradicts itself (one dot, two contents) is resolved the same
    /// way on both sides. Returns whether this store changed.
    fn join(&mut self, mine: &CausalContext, other: &Self, theirs: &CausalContext) -> bool;

    /// Drops all dots that are in `removed`. Returns whether any was held.
    fn remove(&mut self, removed: &CausalContext) -> bool;

    /// The part whose dots are not in `known`.
    #[must_use]
    fn without(&self, known: &CausalContext) -> Self;

    /// With contexts that are in order already: would joining this store, whose context is `mine`, into `other` leave
    /// `other` as it is? That is so if `other` holds nothing that has been removed here, and no lesser content.
    fn le(&self, mine: &CausalContext, other: &Self) -> bool;

    /// A dot to which the two stores give different contents at one place, if there is one. No two honest replicas make such
    /// stores; a cloned disk does.
    fn contradiction(&self, other: &Self) -> Option<Dot>;

    /// Visits the dots of `other` that `mine`, the context of this store, knows, and that are not at the same place here: they
    /// were removed, or else are at another place, which is a contradiction, too. Stores without places inside need not say
    /// more than this.
    fn strays(&self, mine: &CausalContext, other: &Self, visit: &mut dyn FnMut(Dot)) {
        let held = live_dots(self);
        other.dots(&mut |dot| {
            if mine.contains(dot) && !held.contains(dot) {
                visit(dot);
            }
        });
    }

    /// The store as parts of one dot each.
    fn split(&self, visit: &mut dyn FnMut(Dot, Self));

    /// Feeds the content to a hash: equal stores feed equal words, unequal ones unequal words.
    fn fold(&self, word: &mut dyn FnMut(u64));

    /// Appends the canonical encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads a store back. Every other spelling than the canonical one is refused.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// The size of the encoding, by purpose.
    fn weight(&self) -> Weight;
}

/// All dots of a store as a set.
pub fn live_dots<S: DotStore>(store: &S) -> CausalContext {
    let mut dots = Vec::new();
    store.dots(&mut |dot| dots.push(dot));
    CausalContext::from_dots(dots)
}
