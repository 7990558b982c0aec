//! The order of all characters: runs of consecutive dots in a B+ tree that counts the visible ones.
//!
//! **Layout.** A leaf holds up to [`SPANS`] spans of 12 bytes; leaves and inner nodes live in two vectors and name each
//! other by number. `homes` knows the leaf of every character. A split moves the lighter half, so a character moves
//! a logarithmic number of times, even in one huge paste.
//!
//! **Cursor.** It remembers the leaf of the last edit, where that leaf begins, and a span with the visible characters before
//! it. What an edit adds to the visible count stays in `pending` until the cursor leaves, so typing and backspacing
//! touch one leaf and no inner node.
//!
//! **Floors.** Every leaf and every child of a node has a lower bound of its characters' Lamport times, so that RGA finds the
//! next character that is not newer without looking at those that are. Splits inherit the bound, and whoever has
//! looked at a whole leaf improves it.
//!
//! Invariants: no leaf is empty; the counts of inner nodes are exact but for `pending` on the path to the cursor's leaf;
//! `before` is the number of visible characters before the cursor's span in its leaf.
//!
//! What is deliberately absent: the text and the meaning of the order ([`super::place`]).

mod tree;

use std::cmp::Ordering;

/// Spans in a leaf.
const SPANS: usize = 32;
/// Children of an inner node.
const FAN: usize = 32;
/// No leaf, no node, no slot, unknown.
pub(super) const NONE: u32 = u32::MAX;
/// Marks deleted spans, in the owner.
const DEAD: u32 = 1 << 31;

/// A character: the slot of its replica in this state, and its counter. Slots differ between states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Char {
    pub(super) slot: u32,
    pub(super) counter: u32,
}

impl Char {
    /// The beginning as a left origin, the end as a right origin.
    pub(super) const NONE: Self = Self { slot: NONE, counter: 0 };

    pub(super) const fn is_none(self) -> bool {
        self.slot == NONE
    }
}

/// Consecutive dots of one replica, side by side in the sequence, all visible or all deleted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u32,
    owner: u32,
    len: u32,
}

impl Span {
    pub(super) const fn slot(self) -> u32 {
        self.owner & !DEAD
    }

    pub(super) const fn is_dead(self) -> bool {
        self.owner & DEAD != 0
    }

    pub(super) const fn start(self) -> u32 {
        self.start
    }

    pub(super) const fn len(self) -> u32 {
        self.len
    }

    const fn visible(self) -> u32 {
        if self.is_dead() { 0 } else { self.len }
    }

    const fn char_at(self, offset: u32) -> Char {
        Char { slot: self.slot(), counter: self.start + offset }
    }

    const fn holds(self, id: Char) -> bool {
        self.slot() == id.slot && id.counter.wrapping_sub(self.start) < self.len
    }

    /// Is `next` the continuation of this span?
    const fn continues(self, next: Self) -> bool {
        self.owner == next.owner && self.start + self.len == next.start
    }
}

/// A place between two characters: before the character `offset` of a span, or behind its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) leaf: u32,
    pub(super) span: u32,
    pub(super) offset: u32,
}

#[derive(Clone, Debug)]
struct Leaf {
    spans: [Span; SPANS],
    len: u32,
    visible: u32,
    parent: u32,
    next: u32,
    previous: u32,
    floor: u64,
}

impl Leaf {
    const EMPTY: Self = Self {
        spans: [Span { start: 0, owner: 0, len: 0 }; SPANS],
        len: 0,
        visible: 0,
        parent: NONE,
        next: NONE,
        previous: NONE,
        floor: u64::MAX,
    };

    fn insert(&mut self, at: usize, span: Span) {
        self.spans.copy_within(at..self.len as usize, at + 1);
        self.spans[at] = span;
        self.len += 1;
    }

    fn remove(&mut self, at: usize) {
        self.spans.copy_within(at + 1..self.len as usize, at);
        self.len -= 1;
    }

    fn spans(&self) -> &[Span] {
        &self.spans[..self.len as usize]
    }
}

#[derive(Clone, Debug)]
struct Node {
    children: [u32; FAN],
    visible: [u32; FAN],
    floors: [u64; FAN],
    len: u32,
    parent: u32,
}

impl Node {
    const EMPTY: Self =
        Self { children: [NONE; FAN], visible: [0; FAN], floors: [u64::MAX; FAN], len: 0, parent: NONE };

    /// Moves the second half of the children into a new node.
    fn split_off(&mut self) -> Self {
        let half = FAN / 2;
        let mut upper = Self::EMPTY;
        upper.children[..FAN - half].copy_from_slice(&self.children[half..]);
        upper.visible[..FAN - half].copy_from_slice(&self.visible[half..]);
        upper.floors[..FAN - half].copy_from_slice(&self.floors[half..]);
        (upper.len, self.len) = ((FAN - half) as u32, half as u32);
        self.children[half..].fill(NONE);
        upper
    }

    fn sum(&self) -> u32 {
        self.visible[..self.len as usize].iter().sum()
    }

    fn floor(&self) -> u64 {
        self.floors[..self.len as usize].iter().copied().min().unwrap_or(u64::MAX)
    }

    fn index_of(&self, child: u32) -> usize {
        let found = self.children.iter().position(|&other| other == child);
        found.expect("a node is among the children of its parent")
    }

    fn insert(&mut self, at: usize, child: u32, visible: u32, floor: u64) {
        let len = self.len as usize;
        self.floors.copy_within(at..len, at + 1);
        self.floors[at] = floor;
        self.children.copy_within(at..len, at + 1);
        self.visible.copy_within(at..len, at + 1);
        (self.children[at], self.visible[at]) = (child, visible);
        self.len += 1;
    }
}

#[derive(Clone, Debug)]
struct Cursor {
    leaf: u32,
    /// Visible characters before the leaf, or [`NONE`] when unknown.
    start: u32,
    /// What the ancestors of the leaf do not know yet, modulo 2^32.
    pending: u32,
    span: u32,
    before: u32,
}

impl Cursor {
    const fn at(leaf: u32, start: u32) -> Self {
        Self { leaf, start, pending: 0, span: 0, before: 0 }
    }
}

/// The order of all characters.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    leaves: Vec<Leaf>,
    nodes: Vec<Node>,
    root: u32,
    /// Levels of inner nodes.
    height: u32,
    first: u32,
    visible: u32,
    cursor: Cursor,
    /// For every slot and counter - 1 the leaf of the character; [`NONE`] for a deletion.
    homes: Vec<Vec<u32>>,
}

impl Spans {
    pub(super) const fn new() -> Self {
        Self {
            leaves: Vec::new(),
            nodes: Vec::new(),
            root: NONE,
            height: 0,
            first: NONE,
            visible: 0,
            cursor: Cursor::at(NONE, NONE),
            homes: Vec::new(),
        }
    }

    /// Makes room for the dots of one more replica.
    pub(super) fn add_slot(&mut self) {
        self.homes.push(Vec::new());
    }

    /// Notes that the next dot of a replica is no character.
    pub(super) fn skip_dot(&mut self, slot: u32) {
        self.homes[slot as usize].push(NONE);
    }

    pub(super) const fn visible(&self) -> u32 {
        self.visible
    }

    pub(super) fn is_char(&self, id: Char) -> bool {
        let home = self.homes[id.slot as usize].get((id.counter as usize).wrapping_sub(1));
        home.is_some_and(|&leaf| leaf != NONE)
    }

    /// The place before everything. There must be a character.
    pub(super) const fn front(&self) -> Gap {
        Gap { leaf: self.first, span: 0, offset: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// The place right before a character.
    #[inline]
    pub(super) fn gap_before(&self, id: Char) -> Gap {
        let leaf = self.homes[id.slot as usize][id.counter as usize - 1];
        let spans = self.leaves[leaf as usize].spans();
        let near = self.cursor.span as usize;
        let span = if leaf == self.cursor.leaf && spans.get(near).is_some_and(|span| span.holds(id)) {
            near
        } else {
            spans.iter().position(|span| span.holds(id)).expect("a character is in its home")
        };
        Gap { leaf, span: span as u32, offset: id.counter - spans[span].start }
    }

    /// The place right behind a character, or the front.
    #[inline]
    pub(super) fn gap_after(&self, id: Char) -> Gap {
        if id.is_none() {
            return self.front();
        }
        let gap = self.gap_before(id);
        Gap { offset: gap.offset + 1, ..gap }
    }

    /// The same place, named by the character behind it; as it is at the end.
    #[inline]
    pub(super) fn forward(&self, gap: Gap) -> Gap {
        let leaf = &self.leaves[gap.leaf as usize];
        if gap.offset < leaf.spans[gap.span as usize].len {
            gap
        } else if gap.span + 1 < leaf.len {
            Gap { span: gap.span + 1, offset: 0, ..gap }
        } else if leaf.next == NONE {
            gap
        } else {
            Gap { leaf: leaf.next, span: 0, offset: 0 }
        }
    }

    /// The character behind a place.
    #[inline]
    pub(super) fn char_after(&self, gap: Gap) -> Char {
        let gap = self.forward(gap);
        let span = self.span(gap);
        if gap.offset < span.len { span.char_at(gap.offset) } else { Char::NONE }
    }

    /// The character before a place.
    pub(super) fn char_before(&self, gap: Gap) -> Char {
        let leaf = &self.leaves[gap.leaf as usize];
        if gap.offset > 0 {
            return leaf.spans[gap.span as usize].char_at(gap.offset - 1);
        }
        let span = match gap.span.checked_sub(1) {
            Some(span) => leaf.spans[span as usize],
            None if leaf.previous == NONE => return Char::NONE,
            None => *self.leaves[leaf.previous as usize].spans().last().expect("no leaf is empty"),
        };
        span.char_at(span.len - 1)
    }

    /// The span that a place names.
    #[inline]
    pub(super) fn span(&self, gap: Gap) -> Span {
        self.leaves[gap.leaf as usize].spans[gap.span as usize]
    }

    /// Which of two characters comes first.
    pub(super) fn compare(&self, a: Char, b: Char) -> Ordering {
        let (a, b) = (self.gap_before(a), self.gap_before(b));
        self.compare_leaves(a.leaf, b.leaf).then((a.span, a.offset).cmp(&(b.span, b.offset)))
    }

    fn compare_leaves(&self, mut left: u32, mut right: u32) -> Ordering {
        if left == right {
            return Ordering::Equal;
        }
        let (mut up_left, mut up_right) = (self.leaves[left as usize].parent, self.leaves[right as usize].parent);
        while up_left != up_right {
            (left, right) = (up_left, up_right);
            (up_left, up_right) = (self.nodes[left as usize].parent, self.nodes[right as usize].parent);
        }
        let node = &self.nodes[up_left as usize];
        node.index_of(left).cmp(&node.index_of(right))
    }

    /// How many visible characters come before a place.
    pub(super) fn rank(&self, gap: Gap) -> u32 {
        let leaf = &self.leaves[gap.leaf as usize];
        let inside: u32 = leaf.spans[..gap.span as usize].iter().map(|span| span.visible()).sum();
        let mut rank = inside + if self.span(gap).is_dead() { 0 } else { gap.offset };
        let (mut child, mut up) = (gap.leaf, leaf.parent);
        while up != NONE {
            let node = &self.nodes[up as usize];
            rank += node.visible[..node.index_of(child)].iter().sum::<u32>();
            (child, up) = (up, node.parent);
        }
        let behind = self.cursor.pending != 0 && self.compare_leaves(self.cursor.leaf, gap.leaf) == Ordering::Less;
        rank.wrapping_add(if behind { self.cursor.pending } else { 0 })
    }

    /// As [`Spans::seek`], for readers: the cursor stays.
    pub(super) fn find(&self, position: u32) -> Gap {
        let mut path = Vec::with_capacity(self.height as usize + 1);
        let (mut on_path, mut up) = (self.cursor.leaf, self.leaves[self.cursor.leaf as usize].parent);
        path.push(on_path);
        while up != NONE {
            on_path = up;
            path.push(on_path);
            up = self.nodes[up as usize].parent;
        }
        let (mut at, mut rest) = (self.root, position);
        for level in (0..self.height as usize).rev() {
            let node = &self.nodes[at as usize];
            let mut child = 0;
            loop {
                let id = node.children[child];
                let pending = if id == path[level] { self.cursor.pending } else { 0 };
                let visible = node.visible[child].wrapping_add(pending);
                if visible >= rest {
                    break;
                }
                rest -= visible;
                child += 1;
            }
            at = node.children[child];
        }
        let mut span = 0;
        let spans = self.leaves[at as usize].spans();
        while spans[span].visible() < rest {
            rest -= spans[span].visible();
            span += 1;
        }
        Gap { leaf: at, span: span as u32, offset: rest }
    }

    /// All spans from that of a place on.
    pub(super) fn iter_from(&self, gap: Gap) -> impl Iterator<Item = Span> + '_ {
        let leaf_after = |leaf: &&Leaf| self.leaves.get(leaf.next as usize);
        let leaves = std::iter::successors(self.leaves.get(gap.leaf as usize), leaf_after);
        leaves.flat_map(|leaf| leaf.spans().iter().copied()).skip(gap.span as usize)
    }

    /// Brings the counts of the inner nodes up to date.
    pub(super) fn settle(&mut self) {
        let pending = std::mem::take(&mut self.cursor.pending);
        if pending == 0 {
            return;
        }
        let mut child = self.cursor.leaf;
        let mut up = self.leaves[child as usize].parent;
        while up != NONE {
            let node = &mut self.nodes[up as usize];
            let at = node.index_of(child);
            node.visible[at] = node.visible[at].wrapping_add(pending);
            (child, up) = (up, node.parent);
        }
    }

    #[inline]
    fn enter(&mut self, leaf: u32) {
        if self.cursor.leaf != leaf {
            self.settle();
            self.cursor = Cursor::at(leaf, NONE);
        }
    }

    /// The place right behind the `position`-th visible character, from 1. It must exist.
    #[inline]
    pub(super) fn seek(&mut self, position: u32) -> Gap {
        let cursor = &self.cursor;
        let known = cursor.start != NONE && position > cursor.start;
        if !known || position - cursor.start > self.leaves[cursor.leaf as usize].visible {
            self.descend(position);
        }
        let spans = self.leaves[self.cursor.leaf as usize].spans();
        let wanted = position - self.cursor.start;
        let (mut span, mut before) = (self.cursor.span as usize, self.cursor.before);
        while before >= wanted {
            span -= 1;
            before -= spans[span].visible();
        }
        loop {
            let through = before + spans[span].visible();
            if through >= wanted {
                break;
            }
            before = through;
            span += 1;
        }
        self.cursor.span = span as u32;
        self.cursor.before = before;
        Gap { leaf: self.cursor.leaf, span: span as u32, offset: wanted - before }
    }

    fn descend(&mut self, position: u32) {
        self.settle();
        let (mut at, mut rest) = (self.root, position);
        for _ in 0..self.height {
            let node = &self.nodes[at as usize];
            let mut child = 0;
            while node.visible[child] < rest {
                rest -= node.visible[child];
                child += 1;
            }
            at = node.children[child];
        }
        self.cursor = Cursor::at(at, position - rest);
    }

    /// Moves the cursor to the first leaf, whose beginning is known.
    pub(super) fn seek_front(&mut self) {
        self.enter(self.first);
        self.cursor.start = 0;
    }

    /// Puts `len` new visible characters, which are the next dots of their replica, at a place.
    pub(super) fn insert(&mut self, gap: Option<Gap>, id: Char, len: u32) {
        let leaf = match gap {
            None => {
                self.leaves.push(Leaf::EMPTY);
                (self.root, self.first) = (0, 0);
                self.cursor = Cursor::at(0, 0);
                self.leaves[0].insert(0, Span { start: id.counter, owner: id.slot, len });
                0
            }
            Some(gap) => {
                self.enter(gap.leaf);
                self.insert_at(gap, Span { start: id.counter, owner: id.slot, len })
            }
        };
        self.leaves[leaf as usize].visible += len;
        self.cursor.pending = self.cursor.pending.wrapping_add(len);
        self.visible += len;
        let homes = &mut self.homes[id.slot as usize];
        if len == 1 { homes.push(leaf) } else { homes.resize(homes.len() + len as usize, leaf) }
    }

    /// The cursor is in the leaf; the counts are left to the caller. Returns the leaf where the span is now.
    #[inline]
    fn insert_at(&mut self, mut gap: Gap, new: Span) -> u32 {
        let leaf = &mut self.leaves[gap.leaf as usize];
        let span = &mut leaf.spans[gap.span as usize];
        if gap.offset == span.len && span.continues(new) {
            span.len += new.len;
            if gap.span < self.cursor.span {
                (self.cursor.span, self.cursor.before) = (0, 0);
            }
            return gap.leaf;
        }
        gap = self.make_room(gap);
        let leaf = &mut self.leaves[gap.leaf as usize];
        let at = gap.span as usize;
        let old = leaf.spans[at];
        let known = gap.span == self.cursor.span;
        if gap.offset == 0 {
            leaf.insert(at, new);
        } else {
            if gap.offset < old.len {
                leaf.spans[at].len = gap.offset;
                leaf.insert(at + 1, Span { start: old.start + gap.offset, len: old.len - gap.offset, ..old });
            }
            leaf.insert(at + 1, new);
        }
        if known {
            // The cursor follows the new span, behind which the next edit will most likely be.
            let skipped = leaf.spans[at];
            if gap.offset > 0 {
                self.cursor.span += 1;
                self.cursor.before += skipped.visible();
            }
        } else {
            (self.cursor.span, self.cursor.before) = (0, 0);
        }
        gap.leaf
    }

    /// Marks `len` characters behind a place, all of one span, as deleted. Returns how many were visible.
    pub(super) fn delete(&mut self, gap: Gap, len: u32) -> u32 {
        if self.span(gap).is_dead() {
            return 0;
        }
        self.enter(gap.leaf);
        let gap = if len == self.span(gap).len { gap } else { self.make_room(gap) };
        let leaf = &mut self.leaves[gap.leaf as usize];
        let at = gap.span as usize;
        let old = leaf.spans[at];
        let dead = Span { start: old.start + gap.offset, owner: old.owner | DEAD, len };
        let joins_next = at + 1 < leaf.len as usize && dead.continues(leaf.spans[at + 1]);
        let joins_last = at > 0 && leaf.spans[at - 1].continues(dead);
        match (gap.offset == 0, gap.offset + len == old.len) {
            (true, true) => {
                leaf.spans[at] = dead;
                if joins_next {
                    leaf.spans[at].len += leaf.spans[at + 1].len;
                    leaf.remove(at + 1);
                }
                if joins_last {
                    leaf.spans[at - 1].len += leaf.spans[at].len;
                    leaf.remove(at);
                }
            }
            (true, false) => {
                leaf.spans[at].start += len;
                leaf.spans[at].len -= len;
                if joins_last { leaf.spans[at - 1].len += len } else { leaf.insert(at, dead) }
            }
            (false, true) => {
                leaf.spans[at].len -= len;
                if joins_next {
                    leaf.spans[at + 1].start -= len;
                    leaf.spans[at + 1].len += len;
                } else {
                    leaf.insert(at + 1, dead);
                }
            }
            (false, false) => {
                leaf.spans[at].len = gap.offset;
                let rest = gap.offset + len;
                leaf.insert(at + 1, Span { start: old.start + rest, len: old.len - rest, ..old });
                leaf.insert(at + 1, dead);
            }
        }
        leaf.visible -= len;
        self.visible -= len;
        self.cursor.pending = self.cursor.pending.wrapping_sub(len);
        if self.cursor.span > gap.span || self.cursor.span >= leaf.len {
            (self.cursor.span, self.cursor.before) = (0, 0);
        }
        len
    }
}
