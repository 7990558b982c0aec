//! The inner nodes of the tree: its shape, and the least Lamport times below each node.

use super::{Cursor, FAN, Gap, Leaf, NONE, Node, SPANS, Span, Spans};

impl Spans {
    /// Notes the Lamport time of what was inserted last. Needed only for [`Spans::next_leaf_at_most`].
    #[inline]
    pub(in crate::sequence) fn note_lamport(&mut self, lamport: u64) {
        let leaf = &mut self.leaves[self.cursor.leaf as usize];
        if leaf.floor <= lamport {
            return;
        }
        leaf.floor = lamport;
        let (mut child, mut up) = (self.cursor.leaf, leaf.parent);
        while up != NONE {
            let node = &mut self.nodes[up as usize];
            let at = node.index_of(child);
            if node.floors[at] <= lamport {
                return;
            }
            node.floors[at] = lamport;
            (child, up) = (up, node.parent);
        }
    }

    /// Notes that no character of a leaf has a Lamport time below `floor`.
    pub(in crate::sequence) fn raise_floor(&mut self, leaf: u32, mut floor: u64) {
        self.leaves[leaf as usize].floor = floor;
        let (mut child, mut up) = (leaf, self.leaves[leaf as usize].parent);
        while up != NONE {
            let node = &mut self.nodes[up as usize];
            let at = node.index_of(child);
            if node.floors[at] == floor {
                return;
            }
            node.floors[at] = floor;
            floor = node.floor();
            (child, up) = (up, node.parent);
        }
    }

    /// The first leaf behind another that may hold a character whose Lamport time is at most `lamport`.
    pub(in crate::sequence) fn next_leaf_at_most(&self, leaf: u32, lamport: u64) -> Option<u32> {
        let (mut child, mut up, mut level) = (leaf, self.leaves[leaf as usize].parent, 0);
        while up != NONE {
            let node = &self.nodes[up as usize];
            let behind = node.index_of(child) + 1..node.len as usize;
            let mut candidates = behind.filter(|&at| node.floors[at] <= lamport);
            let found = candidates.find_map(|at| self.first_leaf_at_most(node.children[at], level, lamport));
            if found.is_some() {
                return found;
            }
            (child, up, level) = (up, node.parent, level + 1);
        }
        None
    }

    pub(super) fn first_leaf_at_most(&self, id: u32, level: u32, lamport: u64) -> Option<u32> {
        if level == 0 {
            return Some(id);
        }
        let node = &self.nodes[id as usize];
        let mut candidates = (0..node.len as usize).filter(|&at| node.floors[at] <= lamport);
        candidates.find_map(|at| self.first_leaf_at_most(node.children[at], level - 1, lamport))
    }

    /// The place behind everything.
    pub(in crate::sequence) fn end(&self) -> Gap {
        let mut leaf = self.root;
        for _ in 0..self.height {
            let node = &self.nodes[leaf as usize];
            leaf = node.children[node.len as usize - 1];
        }
        let span = self.leaves[leaf as usize].len - 1;
        Gap { leaf, span, offset: self.leaves[leaf as usize].spans[span as usize].len }
    }

    /// The beginning of the next span of the same leaf.
    pub(in crate::sequence) fn next_in_leaf(&self, gap: Gap) -> Option<Gap> {
        let span = gap.span + 1;
        (span < self.leaves[gap.leaf as usize].len).then_some(Gap { span, offset: 0, ..gap })
    }

    /// Splits the leaf of a place unless two more spans fit. The cursor is in the leaf of the place, before and after.
    pub(super) fn make_room(&mut self, gap: Gap) -> Gap {
        if self.leaves[gap.leaf as usize].len as usize + 2 <= SPANS {
            return gap;
        }
        self.settle();
        let half = SPANS / 2;
        let known = self.cursor.start;
        let old = gap.leaf;
        let new = self.leaves.len() as u32;
        let leaf = &mut self.leaves[old as usize];
        let len = leaf.len as usize;
        let chars = |spans: &[Span]| spans.iter().map(|span| u64::from(span.len)).sum::<u64>();
        let right_is_new = chars(&leaf.spans[half..len]) <= chars(&leaf.spans[..half]);
        let mut other = Leaf::EMPTY;
        if right_is_new {
            other.spans[..len - half].copy_from_slice(&leaf.spans[half..len]);
            (other.len, leaf.len) = ((len - half) as u32, half as u32);
        } else {
            other.spans[..half].copy_from_slice(&leaf.spans[..half]);
            leaf.spans.copy_within(half..len, 0);
            (other.len, leaf.len) = (half as u32, (len - half) as u32);
        }
        other.floor = leaf.floor;
        other.visible = other.spans().iter().map(|span| span.visible()).sum();
        leaf.visible -= other.visible;
        for span in other.spans() {
            let (from, len) = (span.start as usize - 1, span.len as usize);
            self.homes[span.slot() as usize][from..from + len].fill(new);
        }
        self.leaves.push(other);
        let (left, right) = if right_is_new { (old, new) } else { (new, old) };
        self.link(old, left, right);
        self.add_sibling(old, new, right_is_new);

        let left_visible = self.leaves[left as usize].visible;
        if (gap.span as usize) < half {
            let (span, before) = (self.cursor.span, self.cursor.before);
            self.cursor = Cursor::at(left, known);
            if (span as usize) < half {
                (self.cursor.span, self.cursor.before) = (span, before);
            }
            return Gap { leaf: left, ..gap };
        }
        let (span, before) = (self.cursor.span, self.cursor.before);
        self.cursor = Cursor::at(right, if known == NONE { NONE } else { known + left_visible });
        if span as usize >= half {
            (self.cursor.span, self.cursor.before) = (span - half as u32, before - left_visible);
        }
        Gap { leaf: right, span: gap.span - half as u32, ..gap }
    }

    /// Chains `left` and `right` in the place of `old`, which is one of them.
    pub(super) fn link(&mut self, old: u32, left: u32, right: u32) {
        let (previous, next) = (self.leaves[old as usize].previous, self.leaves[old as usize].next);
        match self.leaves.get_mut(previous as usize) {
            Some(leaf) => leaf.next = left,
            None => self.first = left,
        }
        if let Some(leaf) = self.leaves.get_mut(next as usize) {
            leaf.previous = right;
        }
        (self.leaves[left as usize].previous, self.leaves[left as usize].next) = (previous, right);
        (self.leaves[right as usize].previous, self.leaves[right as usize].next) = (left, next);
    }

    /// Hangs a new leaf into the tree beside an old one from which its characters came.
    pub(super) fn add_sibling(&mut self, mut old: u32, mut new: u32, mut right: bool) {
        let (mut old_visible, mut new_visible) = (self.leaves[old as usize].visible, self.leaves[new as usize].visible);
        let (mut old_floor, mut new_floor) = (self.leaves[old as usize].floor, self.leaves[new as usize].floor);
        let mut level = 0;
        loop {
            let parent = if level == 0 { self.leaves[old as usize].parent } else { self.nodes[old as usize].parent };
            if parent == NONE {
                let mut root = Node::EMPTY;
                root.insert(0, old, old_visible, old_floor);
                root.insert(usize::from(right), new, new_visible, new_floor);
                self.root = self.nodes.len() as u32;
                self.nodes.push(root);
                self.height += 1;
                self.set_parent(level, old, self.root);
                self.set_parent(level, new, self.root);
                return;
            }
            let node = &mut self.nodes[parent as usize];
            let at = node.index_of(old);
            node.visible[at] = old_visible;
            let at = at + usize::from(right);
            if (node.len as usize) < FAN {
                node.insert(at, new, new_visible, new_floor);
                self.set_parent(level, new, parent);
                return;
            }
            let mut upper = node.split_off();
            let half = node.len as usize;
            let (node, at) = if at <= half { (node, at) } else { (&mut upper, at - half) };
            node.insert(at, new, new_visible, new_floor);
            self.set_parent(level, new, parent);
            let upper_id = self.nodes.len() as u32;
            for &child in &upper.children[..upper.len as usize] {
                self.set_parent(level, child, upper_id);
            }
            let lower = &self.nodes[parent as usize];
            (old_visible, new_visible) = (lower.sum(), upper.sum());
            (old_floor, new_floor) = (lower.floor(), upper.floor());
            self.nodes.push(upper);
            (old, new, right) = (parent, upper_id, true);
            level += 1;
        }
    }

    pub(super) fn set_parent(&mut self, level: u32, child: u32, parent: u32) {
        if level == 0 {
            self.leaves[child as usize].parent = parent;
        } else {
            self.nodes[child as usize].parent = parent;
        }
    }
}
