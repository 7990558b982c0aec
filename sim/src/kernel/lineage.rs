//! Lineage: which updates a value was computed from.
//!
//! A protocol that replaces values (read, modify, write) cannot be asked afterwards which updates its value contains. So
//! values carry a lineage: a point in a tree whose edges are updates. It is ghost state: it costs no simulated bytes, no
//! protocol decides by it, and it never reaches the wire. Measures read it to say which updates were lost, applied twice,
//! or not yet visible.
//!
//! ```
//! use sim::kernel::{ids::OpId, lineage::{Lineage, LineageId}};
//! let mut lineage = Lineage::default();
//! let one = lineage.derive(LineageId::ROOT, OpId(1));
//! let two = lineage.derive(one, OpId(2));
//! assert_eq!(lineage.path(two).collect::<Vec<_>>(), [OpId(2), OpId(1)]);
//! ```

use super::ids::OpId;

/// The updates behind one value: a point in the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineageId(u32);

impl LineageId {
    /// The initial value: no update yet.
    pub const ROOT: Self = Self(0);
}

/// Which of two values an update is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Only the value that was compared.
    From,
    /// Only the value that it was compared with.
    To,
}

/// The tree of values by derivation.
#[derive(Clone, Debug)]
pub struct Lineage {
    points: Vec<Point>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    parent: LineageId,
    op: OpId,
    depth: u32,
}

impl Default for Lineage {
    fn default() -> Self {
        Self { points: vec![Point { parent: LineageId::ROOT, op: OpId(u32::MAX), depth: 0 }] }
    }
}

impl Lineage {
    /// The value that results from applying update `op` to the value at `parent`.
    pub fn derive(&mut self, parent: LineageId, op: OpId) -> LineageId {
        let depth = self.points[parent.0 as usize].depth + 1;
        self.points.push(Point { parent, op, depth });
        LineageId(self.points.len() as u32 - 1)
    }

    /// The updates behind a value, the latest first. An update that was applied twice appears twice.
    pub fn path(&self, from: LineageId) -> impl Iterator<Item = OpId> {
        std::iter::successors((from != LineageId::ROOT).then_some(from), |&at| {
            let parent = self.points[at.0 as usize].parent;
            (parent != LineageId::ROOT).then_some(parent)
        })
        .map(|at| self.points[at.0 as usize].op)
    }

    /// All derivations in the order in which they were made: the update, and the value that it was applied to.
    pub fn derivations(&self) -> impl Iterator<Item = (OpId, LineageId)> {
        self.points[1..].iter().map(|point| (point.op, point.parent))
    }

    /// Visits the updates that separate two values.
    pub fn difference(&self, from: LineageId, to: LineageId, mut visit: impl FnMut(OpId, Side)) {
        let (mut from, mut to) = (from, to);
        while from != to {
            let (old, new) = (self.points[from.0 as usize], self.points[to.0 as usize]);
            if old.depth >= new.depth {
                visit(old.op, Side::From);
                from = old.parent;
            } else {
                visit(new.op, Side::To);
                to = new.parent;
            }
        }
    }

    /// The memory held, in bytes.
    pub fn bytes(&self) -> u64 {
        (self.points.capacity() * size_of::<Point>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_of_two_branches_is_what_each_has_alone() {
        let mut lineage = Lineage::default();
        let common = lineage.derive(LineageId::ROOT, OpId(1));
        let left = lineage.derive(common, OpId(2));
        let mut right = lineage.derive(common, OpId(3));
        right = lineage.derive(right, OpId(4));
        let mut apart = vec![];
        lineage.difference(left, right, |op, side| apart.push((op.0, side)));
        assert_eq!(apart, [(4, Side::To), (2, Side::From), (3, Side::To)]);
        lineage.difference(left, left, |_, _| unreachable!("a value does not differ from itself"));
        assert_eq!(lineage.path(LineageId::ROOT).count(), 0);
    }
}
