//! The same three orders as insertions into a list, without a tree: a second opinion on the references.
//!
//! RGA is the procedure of Roh et al. 2011: behind the left origin, pass what is newer. Fugue and FugueMax are
//! scans between the origins as in Nicolaescu et al. 2016 (YATA), with the rule by which josephg/reference-crdts
//! (`crdts.ts`) makes them equal to the trees of Weidner and Kleppmann. They are for what honest replicas send.

use std::collections::BTreeMap;

use crdts::sequence::{Delete, Dot, Insert, Op, reference::Algorithm};

#[derive(Clone, Copy, Debug)]
struct Item {
    dot: Dot,
    lamport: u64,
    left: Option<Dot>,
    right: Option<Dot>,
    shown: char,
    deleted: bool,
}

/// The whole list, tombstones included.
struct List {
    algorithm: Algorithm,
    items: Vec<Item>,
}

/// The text after all operations, none of which may lack its causes.
pub(crate) fn text(algorithm: Algorithm, ops: &[Op<'static>]) -> String {
    let mut list = List { algorithm, items: Vec::new() };
    let mut waiting: Vec<&Op<'static>> = ops.iter().collect();
    let mut progress = BTreeMap::new();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|op| {
            let next = progress.entry(op.id().replica).or_insert(1);
            if op.id().counter != *next || !list.has_causes(op) {
                return true;
            }
            *next += op.dots();
            list.apply(op);
            false
        });
        assert!(waiting.len() < before, "causes are missing: {waiting:?}");
    }
    list.items.iter().filter(|item| !item.deleted).map(|item| item.shown).collect()
}

impl List {
    fn place(&self, dot: Dot) -> Option<usize> {
        self.items.iter().position(|item| item.dot == dot)
    }

    fn has_causes(&self, op: &Op<'_>) -> bool {
        match op {
            Op::Insert(Insert { left, right, .. }) => {
                [left, right].into_iter().flatten().all(|&origin| self.place(origin).is_some())
            }
            Op::Delete(Delete { target, len, .. }) => {
                (0..*len).all(|distance| self.place(Dot::new(target.replica, target.counter + distance)).is_some())
            }
        }
    }

    fn apply(&mut self, op: &Op<'_>) {
        match op {
            Op::Insert(Insert { id, lamport, left, right, text }) => {
                let mut left = *left;
                for (distance, shown) in (0..).zip(text.chars()) {
                    let dot = Dot::new(id.replica, id.counter + distance);
                    let item = Item { dot, lamport: lamport + distance, left, right: *right, shown, deleted: false };
                    let place = match self.algorithm {
                        Algorithm::Rga => self.behind_newer(&item),
                        Algorithm::Fugue | Algorithm::FugueMax => self.between_origins(&item),
                    };
                    self.items.insert(place, item);
                    left = Some(dot);
                }
            }
            Op::Delete(Delete { target, len, .. }) => {
                for item in &mut self.items {
                    let within = target.counter..target.counter + len;
                    item.deleted |= item.dot.replica == target.replica && within.contains(&item.dot.counter);
                }
            }
        }
    }

    /// The first place behind the left origin.
    fn start(&self, left: Option<Dot>) -> usize {
        left.map_or(0, |left| self.place(left).expect("origins are in the list") + 1)
    }

    fn behind_newer(&self, new: &Item) -> usize {
        let start = self.start(new.left);
        let newer = |item: &&Item| (item.lamport, item.dot.replica) > (new.lamport, new.dot.replica);
        start + self.items[start..].iter().take_while(newer).count()
    }

    /// The place of the right origin, which bounds an item. In Fugue it counts only where it is a sibling too.
    fn bound(&self, item: &Item) -> usize {
        let right = item.right.and_then(|right| self.place(right));
        match (self.algorithm, right) {
            (Algorithm::Fugue, Some(right)) if self.items[right].left != item.left => self.items.len(),
            (_, right) => right.unwrap_or(self.items.len()),
        }
    }

    fn between_origins(&self, new: &Item) -> usize {
        let start = self.start(new.left);
        let bound = self.bound(new);
        let mut place = start;
        let mut undecided = false;
        for (at, other) in self.items.iter().enumerate().skip(start) {
            if Some(other.dot) == new.right || self.start(other.left) < start {
                break;
            }
            if other.left == new.left {
                let other_bound = self.bound(other);
                if other_bound == bound && new.dot < other.dot {
                    break;
                }
                // What is bounded more narrowly goes before or behind the new item together with what follows.
                undecided = other_bound < bound;
            }
            if !undecided {
                place = at + 1;
            }
        }
        place
    }
}
