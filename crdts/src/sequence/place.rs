//! Where a new character belongs: the place in the depth-first order of the tree that origins define.
//!
//! The tree is never built. All rests on three facts about it (its definition is in [`super::op`]):
//! 1. A subtree is contiguous, and an origin is applied before what names it.
//! 2. A left child has the left origin of its parent. So along a chain of left children up to a right child all left
//!    origins are the same, and the parent of that right child is this origin.
//! 3. Hence of the characters behind `l`, those of its right subtree are the ones up to the first whose left origin stands
//!    before `l`; and one whose left origin *is* `l` begins the subtree of a child of `l`, or stands in the left part of it.
//!
//! When `left` and `right` are neighbours (always so without concurrency), nothing can be between them and the place is
//! found without looking at an origin. Otherwise the cost is linear in the runs that were inserted concurrently between them.
//!
//! What is deliberately absent: trust. The result is the tree's for any origins that were applied before, honest or not.

use std::cmp::Ordering::{Greater, Less};

use super::{
    ordering::{Ordering, private::Rule},
    spans::{Char, Gap},
    text::Text,
};
use crate::clock::ReplicaId;

/// A character that is to be placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer {
    /// Its replica and counter.
    pub(super) dot: (ReplicaId, u32),
    pub(super) lamport: u64,
    pub(super) left: Char,
    pub(super) right: Char,
}

impl<O: Ordering> Text<O> {
    /// Where a character with applied origins belongs. There must be a character.
    #[inline]
    pub(super) fn place(&mut self, new: &Newcomer) -> Gap {
        let behind_left = self.spans.gap_after(new.left);
        match O::RULE {
            Rule::Rga if new.lamport > self.lamport => behind_left,
            Rule::Rga => self.behind_newer(behind_left, new),
            _ if self.spans.char_after(behind_left) == new.right => behind_left,
            _ if !new.right.is_none() && self.left_of(new.right) == new.left => self.among_left_children(new),
            rule => self.among_right_children(behind_left, new, rule),
        }
    }

    /// RGA: siblings descend, and whatever stands in the subtree of a newer sibling is newer too.
    fn behind_newer(&mut self, mut gap: Gap, new: &Newcomer) -> Gap {
        loop {
            let whole = gap.span == 0 && gap.offset == 0;
            match self.first_older(gap, new) {
                Ok(found) => return found,
                Err(floor) if whole => self.spans.raise_floor(gap.leaf, floor),
                Err(_) => {}
            }
            match self.spans.next_leaf_at_most(gap.leaf, new.lamport) {
                Some(leaf) => gap = Gap { leaf, span: 0, offset: 0 },
                None => return self.spans.end(),
            }
        }
    }

    /// The place before the first older character from a place on in its leaf, or the least Lamport time there.
    fn first_older(&self, mut gap: Gap, new: &Newcomer) -> Result<Gap, u64> {
        let mut floor = u64::MAX;
        loop {
            let span = self.spans.span(gap);
            if gap.offset == span.len() {
                match self.spans.next_in_leaf(gap) {
                    Some(next) => gap = next,
                    None => return Err(floor),
                }
                continue;
            }
            let at = Char { slot: span.slot(), counter: span.start() + gap.offset };
            let lamport = self.lamport_of(at);
            if (lamport, self.replica_of(at)) < (new.lamport, new.dot.0) {
                return Ok(gap);
            }
            floor = floor.min(lamport);
            gap = self.behind_piece(gap);
        }
    }

    /// The new character is a right child of `left`.
    fn among_right_children(&self, mut gap: Gap, new: &Newcomer, rule: Rule) -> Gap {
        loop {
            let at = self.spans.char_after(gap);
            if at.is_none() {
                return gap;
            }
            let left = self.left_of(at);
            if left == new.left {
                let mut sibling = at;
                while let Some(parent) = self.parent_on_the_right(sibling) {
                    sibling = parent;
                }
                if self.precedes(new, sibling, rule) {
                    return gap;
                }
                gap = self.behind_piece(self.spans.gap_before(sibling));
            } else if left.is_none() || !(new.left.is_none() || self.spans.compare(left, new.left) == Greater) {
                return gap;
            } else {
                gap = self.behind_piece(gap);
            }
        }
    }

    /// Does the new right child come before a sibling?
    fn precedes(&self, new: &Newcomer, sibling: Char, rule: Rule) -> bool {
        let right = self.origins(sibling).1;
        if rule == Rule::FugueMax && right != new.right {
            // The greater right origin comes first; the end is the greatest.
            return new.right.is_none() || (!right.is_none() && self.spans.compare(new.right, right) == Greater);
        }
        new.dot < self.dot_of(sibling)
    }

    /// The new character is a left child of `right`.
    fn among_left_children(&self, new: &Newcomer) -> Gap {
        let before_right = self.spans.gap_before(new.right);
        // Mostly the last sibling decides.
        let last = self.sibling_above(self.spans.char_before(before_right), new);
        if last.is_none_or(|last| self.dot_of(last) < new.dot) {
            return before_right;
        }
        let mut gap = self.spans.gap_after(new.left);
        loop {
            let at = self.spans.char_after(gap);
            if at == new.right || at.is_none() {
                return before_right;
            }
            let mut top = at;
            if self.left_of(at) == new.left {
                while let Some(parent) = self.parent_on_the_right(top) {
                    if parent == new.right {
                        if new.dot < self.dot_of(top) {
                            return gap;
                        }
                        break;
                    }
                    if self.spans.compare(parent, new.right) == Greater {
                        break;
                    }
                    top = parent;
                }
            }
            // What stands between `at` and `top` is in the left subtree of `top`.
            gap = self.behind_piece(self.spans.gap_before(top));
        }
    }

    /// The left child of `right` above a character that stands between `left` and `right`, if it has one above it.
    fn sibling_above(&self, mut at: Char, new: &Newcomer) -> Option<Char> {
        let after_left = |at: Char| new.left.is_none() || self.spans.compare(at, new.left) == Greater;
        while !at.is_none() && after_left(at) {
            if let Some(parent) = self.parent_on_the_right(at) {
                if parent == new.right {
                    return Some(at);
                }
                if self.spans.compare(parent, new.right) != Less {
                    return None;
                }
                at = parent;
            } else {
                let run = self.run_start(at);
                at = if run == at { self.left_of(at) } else { run };
            }
        }
        None
    }

    /// The parent of a left child.
    fn parent_on_the_right(&self, child: Char) -> Option<Char> {
        let (left, right, _) = self.origins(child);
        (!right.is_none() && self.left_of(right) == left).then_some(right)
    }

    /// Behind the characters from a place on that are one run of one log, side by side. All but the first have their
    /// predecessor as left origin.
    fn behind_piece(&self, gap: Gap) -> Gap {
        let gap = self.spans.forward(gap);
        let span = self.spans.span(gap);
        let counter = span.start() + gap.offset;
        let run_rest = self.run_rest(Char { slot: span.slot(), counter });
        Gap { offset: gap.offset + run_rest.min(span.len() - gap.offset), ..gap }
    }
}
