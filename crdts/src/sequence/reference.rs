//! The three sequences as their papers define them: slow, and to be read beside the papers.
//!
//! Everything here is computed anew from a set of operations, character by character, by building the tree that the
//! papers talk about. So a text depends on nothing but the set, by construction, and what the fast engine shows can be
//! compared with it. [`Replica`] is a whole replica on that foundation: it reads its text, edits what it reads, and names
//! origins as the definition says.
//!
//! Invariant: an update takes part when its causes do (the rules stand with [`Op`]); the others are in the set and show
//! nothing.
//!
//! ```
//! use crdts::{ReplicaId, sequence::reference::{Algorithm, Replica}};
//!
//! let [mut ours, mut theirs] = [1, 2].map(|id| Replica::new(Algorithm::Fugue, ReplicaId(id)));
//! let (milk, bread) = (ours.insert(0, "milk")?, theirs.insert(0, "bread")?);
//! ours.receive(&bread);
//! theirs.receive(&milk);
//! assert_eq!((ours.text(), theirs.text()), ("milkbread".to_owned(), "milkbread".to_owned()));
//! # Ok::<(), crdts::sequence::reference::OutOfRange>(())
//! ```
//!
//! What is deliberately absent: speed, and any state that a set of operations does not determine.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Delete, Dot, Insert, Op};
use crate::clock::ReplicaId;

/// Which paper orders the characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Roh et al. 2011, JPDC 71(3), as a timestamped insertion tree.
    Rga,
    /// Weidner and Kleppmann 2025, arXiv 2305.00583, algorithm 1.
    Fugue,
    /// The same, algorithm 2: maximally non-interleaving.
    FugueMax,
}

/// One update of one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Update {
    Character { lamport: u64, left: Option<Dot>, right: Option<Dot>, shown: char },
    Deletion { target: Dot, len: u64 },
}

/// Operations, taken apart into updates. An operation that arrives again, or grouped in another way, changes nothing. Of two
/// contents of one dot, which honest replicas never produce, the first is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Updates(BTreeMap<Dot, Update>);

fn later(dot: Dot, distance: u64) -> Option<Dot> {
    Some(Dot { counter: dot.counter.checked_add(distance)?, ..dot })
}

impl Updates {
    fn receive(&mut self, op: &Op<'_>) {
        match op {
            Op::Insert(Insert { id, lamport, left, right, text }) => {
                let mut left = *left;
                for (distance, shown) in (0..).zip(text.chars()) {
                    // What leaves the range of dots and times can have no effect anywhere.
                    let (Some(dot), Some(lamport)) = (later(*id, distance), lamport.checked_add(distance)) else {
                        return;
                    };
                    self.0.entry(dot).or_insert(Update::Character { lamport, left, right: *right, shown });
                    left = Some(dot);
                }
            }
            Op::Delete(Delete { id, target, len }) => {
                self.0.entry(*id).or_insert(Update::Deletion { target: *target, len: *len });
            }
        }
    }
}

/// A node of the tree. Its key is the dot of its character, or `None` for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    left_children: Vec<Dot>,
    right_children: Vec<Dot>,
}

/// An applied character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Character {
    dot: Dot,
    lamport: u64,
    left: Option<Dot>,
    right: Option<Dot>,
    shown: char,
}

/// On which side of its parent a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The tree of all applied characters, deleted ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tree {
    algorithm: Algorithm,
    nodes: BTreeMap<Option<Dot>, Node>,
    characters: BTreeMap<Dot, Character>,
}

impl Tree {
    fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, nodes: BTreeMap::from([(None, Node::default())]), characters: BTreeMap::new() }
    }

    /// The sequence: left children, the node itself, right children, depth first.
    fn traverse(&self) -> Vec<Dot> {
        enum Visit {
            Subtree(Option<Dot>),
            Itself(Dot),
        }
        let mut sequence = Vec::new();
        let mut stack = vec![Visit::Subtree(None)];
        while let Some(visit) = stack.pop() {
            match visit {
                Visit::Itself(dot) => sequence.push(dot),
                Visit::Subtree(key) => {
                    let node = &self.nodes[&key];
                    // What is pushed last comes first.
                    stack.extend(node.right_children.iter().rev().map(|&child| Visit::Subtree(Some(child))));
                    stack.extend(key.map(Visit::Itself));
                    stack.extend(node.left_children.iter().rev().map(|&child| Visit::Subtree(Some(child))));
                }
            }
        }
        sequence
    }

    /// Where a new node hangs: in RGA below its left origin; in Fugue as a right child of the left origin if that had no
    /// right children where the character was typed, and as a left child of the right origin otherwise.
    ///
    /// Had it right children, then the node behind it was the leftmost descendant of the first of them, whose left origin
    /// it is; had it none, then the node behind it belongs elsewhere and has another left origin. So the origins alone tell,
    /// and they tell the same wherever the operation arrives.
    fn parent(&self, left: Option<Dot>, right: Option<Dot>) -> (Option<Dot>, Side) {
        match right {
            Some(right) if self.algorithm != Algorithm::Rga && self.characters[&right].left == left => {
                (Some(right), Side::Left)
            }
            _ => (left, Side::Right),
        }
    }

    /// Adds a character whose origins are in the tree.
    fn insert(&mut self, new: Character) {
        self.nodes.insert(Some(new.dot), Node::default());
        self.characters.insert(new.dot, new);
        let (parent, side) = self.parent(new.left, new.right);
        let mut siblings = self.siblings(parent, side);
        siblings.push(new.dot);
        match (self.algorithm, side) {
            (Algorithm::Rga, _) => siblings.sort_by_key(|dot| {
                let Character { dot, lamport, .. } = self.characters[dot];
                // One replica never uses a time twice; should it, all agree nevertheless.
                (Reverse((lamport, dot.replica)), dot.counter)
            }),
            (Algorithm::FugueMax, Side::Right) => {
                let sequence = self.traverse();
                let place = |right: Option<Dot>| match right {
                    Some(right) => sequence.iter().position(|&dot| dot == right).expect("origins are in the tree"),
                    None => sequence.len(),
                };
                siblings.sort_by_key(|dot| (Reverse(place(self.characters[dot].right)), *dot));
            }
            (Algorithm::Fugue | Algorithm::FugueMax, _) => siblings.sort_unstable(),
        }
        let node = self.nodes.entry(parent).or_default();
        match side {
            Side::Left => node.left_children = siblings,
            Side::Right => node.right_children = siblings,
        }
    }

    fn siblings(&self, parent: Option<Dot>, side: Side) -> Vec<Dot> {
        let node = &self.nodes[&parent];
        match side {
            Side::Left => node.left_children.clone(),
            Side::Right => node.right_children.clone(),
        }
    }

    /// The node behind `left` in the whole sequence. `None`: there is none.
    fn behind(&self, left: Option<Dot>) -> Option<Dot> {
        let sequence = self.traverse();
        let place = left.and_then(|left| sequence.iter().position(|&dot| dot == left));
        sequence.get(place.map_or(0, |place| place + 1)).copied()
    }
}

/// What a set of updates amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Document {
    tree: Tree,
    deleted: BTreeSet<Dot>,
    /// How many updates of each replica take part.
    progress: BTreeMap<ReplicaId, u64>,
    /// The greatest time of a character that takes part.
    lamport: u64,
}

impl Document {
    /// Applies what can be applied until nothing more can. The order has no influence: an update that can be applied now
    /// can be applied later.
    fn new(algorithm: Algorithm, updates: &Updates) -> Self {
        let mut document =
            Self { tree: Tree::new(algorithm), deleted: BTreeSet::new(), progress: BTreeMap::new(), lamport: 0 };
        loop {
            let before = document.progress.clone();
            for (&dot, update) in &updates.0 {
                if dot.counter == document.next(dot.replica) && document.may_apply(update) {
                    document.apply(dot, update);
                }
            }
            if document.progress == before {
                return document;
            }
        }
    }

    fn next(&self, replica: ReplicaId) -> u64 {
        self.progress.get(&replica).map_or(1, |progress| progress + 1)
    }

    fn may_apply(&self, update: &Update) -> bool {
        match *update {
            Update::Character { lamport, left, right, .. } => [left, right]
                .into_iter()
                .flatten()
                .all(|origin| self.tree.characters.get(&origin).is_some_and(|character| character.lamport < lamport)),
            // Ends at the first target that is absent, so a length that lies costs nothing.
            Update::Deletion { target, len } => {
                len > 0
                    && (0..len).all(|distance| {
                        later(target, distance).is_some_and(|target| self.tree.characters.contains_key(&target))
                    })
            }
        }
    }

    fn apply(&mut self, dot: Dot, update: &Update) {
        match *update {
            Update::Character { lamport, left, right, shown } => {
                self.tree.insert(Character { dot, lamport, left, right, shown });
                self.lamport = self.lamport.max(lamport);
            }
            Update::Deletion { target, len } => {
                self.deleted.extend((0..len).filter_map(|distance| later(target, distance)));
            }
        }
        self.progress.insert(dot.replica, dot.counter);
    }

    fn visible(&self) -> Vec<Dot> {
        self.tree.traverse().into_iter().filter(|dot| !self.deleted.contains(dot)).collect()
    }

    fn text(&self) -> String {
        self.visible().iter().map(|dot| self.tree.characters[dot].shown).collect()
    }
}

/// The text that a set of operations stands for, in whatever order they are given.
pub fn text<'a>(algorithm: Algorithm, ops: impl IntoIterator<Item = &'a Op<'a>>) -> String {
    let mut updates = Updates::default();
    for op in ops {
        updates.receive(op);
    }
    Document::new(algorithm, &updates).text()
}

/// An edit outside the text. Nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// How many code points the text has.
    pub len: usize,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the edit is outside a text of {} code points", self.len)
    }
}

impl std::error::Error for OutOfRange {}

/// A replica that remembers all operations and computes everything else from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    id: ReplicaId,
    algorithm: Algorithm,
    updates: Updates,
}

impl Replica {
    /// A replica that has heard of nothing.
    pub fn new(algorithm: Algorithm, id: ReplicaId) -> Self {
        Self { id, algorithm, updates: Updates::default() }
    }

    /// Takes an operation in.
    pub fn receive(&mut self, op: &Op<'_>) {
        self.updates.receive(op);
    }

    /// The visible text.
    pub fn text(&self) -> String {
        self.document().text()
    }

    /// The dots of all applied characters in their order, deleted ones included.
    pub fn sequence(&self) -> Vec<Dot> {
        self.document().tree.traverse()
    }

    /// Inserts a text of at least one character before the visible character at `position`, in code points. The operation
    /// is for the peers. The first character has the origins that the paper gives it (section 3), the others follow from it.
    pub fn insert(&mut self, position: usize, text: &str) -> Result<Op<'static>, OutOfRange> {
        assert!(!text.is_empty(), "an insertion has characters");
        let document = self.document();
        let visible = document.visible();
        if position > visible.len() {
            return Err(OutOfRange { len: visible.len() });
        }
        let left = position.checked_sub(1).map(|before| visible[before]);
        let right = document.tree.behind(left).filter(|_| self.algorithm != Algorithm::Rga);
        self.check_parent(&document.tree, left, right);
        let op = Op::Insert(Insert {
            id: Dot::new(self.id, document.next(self.id)),
            lamport: document.lamport + 1,
            left,
            right,
            text: text.to_owned().into(),
        });
        self.receive(&op);
        Ok(op)
    }

    /// The parent that the origins tell is the one that the paper's algorithm picks at the origin.
    fn check_parent(&self, tree: &Tree, left: Option<Dot>, right: Option<Dot>) {
        let told = tree.parent(left, right);
        let picked = match (self.algorithm, tree.nodes[&left].right_children.is_empty()) {
            (Algorithm::Rga, _) | (_, true) => (left, Side::Right),
            (_, false) => (right, Side::Left),
        };
        assert_eq!(told, picked, "left origin {left:?}, right origin {right:?}");
    }

    /// Deletes `len` visible characters from `position` on, both in code points. The operations are for the peers: one for
    /// each run of neighbouring dots.
    pub fn delete(&mut self, position: usize, len: usize) -> Result<Vec<Op<'static>>, OutOfRange> {
        let document = self.document();
        let visible = document.visible();
        let end = position.checked_add(len).filter(|&end| end <= visible.len());
        let targets = end.map(|end| &visible[position..end]).ok_or(OutOfRange { len: visible.len() })?;
        let first = document.next(self.id);
        let runs = targets.chunk_by(|&a, &b| later(a, 1) == Some(b));
        let ops: Vec<_> = runs
            .zip(first..)
            .map(|(run, counter)| {
                Op::Delete(Delete { id: Dot::new(self.id, counter), target: run[0], len: run.len() as u64 })
            })
            .collect();
        for op in &ops {
            self.receive(op);
        }
        Ok(ops)
    }

    fn document(&self) -> Document {
        Document::new(self.algorithm, &self.updates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Algorithm; 3] = [Algorithm::Rga, Algorithm::Fugue, Algorithm::FugueMax];

    fn dot(replica: u32, counter: u64) -> Dot {
        Dot::new(ReplicaId(replica), counter)
    }

    fn insert(id: Dot, lamport: u64, origins: [Option<Dot>; 2], text: &'static str) -> Op<'static> {
        let [left, right] = origins;
        Op::Insert(Insert { id, lamport, left, right, text: text.into() })
    }

    #[test]
    fn what_lacks_its_causes_waits() {
        let word = insert(dot(1, 1), 1, [None, None], "ab");
        let answer = insert(dot(2, 1), 3, [Some(dot(1, 2)), None], "c");
        let cut = Op::Delete(Delete { id: dot(2, 2), target: dot(1, 1), len: 2 });
        for algorithm in ALL {
            let check = |ops: &[&Op<'static>], expected: &str| {
                assert_eq!(text(algorithm, ops.iter().copied()), expected, "{algorithm:?} {ops:?}");
            };
            check(&[], "");
            check(&[&answer, &cut], "");
            check(&[&word], "ab");
            check(&[&cut, &word], "ab");
            check(&[&answer, &word], "abc");
            check(&[&cut, &answer, &word, &word], "c");
        }
    }

    #[test]
    fn what_no_replica_would_send_shows_nothing() {
        let word = insert(dot(1, 1), 1, [None, None], "ab");
        let cut = |counter, target, len| Op::Delete(Delete { id: dot(2, counter), target, len });
        let refused = [
            insert(dot(2, 0), 9, [None, None], "x"),                 // there is no dot 0
            insert(dot(2, 1), 2, [Some(dot(1, 2)), None], "x"),      // not later than its left origin
            insert(dot(2, 1), 1, [None, Some(dot(1, 1))], "x"),      // not later than its right origin
            insert(dot(2, 1), 9, [Some(dot(2, 1)), None], "x"),      // its own origin
            insert(dot(2, u64::MAX), u64::MAX, [None, None], "xyz"), // out of every range
            cut(1, dot(1, 2), 2),                                    // more than there is
            cut(1, dot(1, 1), u64::MAX),                             // much more than there is
            cut(1, dot(1, 1), 0),                                    // nothing
            cut(1, dot(2, 1), 1),                                    // a deletion, namely itself
        ];
        for algorithm in ALL {
            for op in &refused {
                assert_eq!(text(algorithm, [&word, op]), "ab", "{algorithm:?} {op:?}");
            }
        }
        // Times may end within a text: what has one is there.
        let late = insert(dot(2, 1), u64::MAX - 1, [None, None], "xyz");
        assert_eq!(text(Algorithm::Rga, [&late]), "xy");
    }

    #[test]
    fn grouping_has_no_meaning() {
        let base = insert(dot(1, 1), 1, [None, None], "ac");
        let whole = insert(dot(2, 1), 3, [Some(dot(1, 1)), Some(dot(1, 2))], "xyz");
        let first = insert(dot(2, 1), 3, [Some(dot(1, 1)), Some(dot(1, 2))], "xy");
        let rest = insert(dot(2, 2), 4, [Some(dot(2, 1)), Some(dot(1, 2))], "yz");
        for algorithm in ALL {
            assert_eq!(text(algorithm, [&base, &whole]), "axyzc");
            assert_eq!(text(algorithm, [&rest, &first, &base]), "axyzc");
        }
    }

    #[test]
    fn edits_outside_the_text_are_refused() {
        for algorithm in ALL {
            let mut replica = Replica::new(algorithm, ReplicaId(1));
            assert!(replica.insert(0, "aβ🎼").is_ok());
            let before = replica.clone();
            assert_eq!(replica.insert(4, "x"), Err(OutOfRange { len: 3 }));
            assert_eq!(replica.delete(2, 2), Err(OutOfRange { len: 3 }));
            assert_eq!(replica.delete(1, usize::MAX), Err(OutOfRange { len: 3 }));
            assert_eq!(replica.delete(3, 0), Ok(Vec::new()));
            assert_eq!(replica, before);
        }
    }

    #[test]
    fn an_insertion_beside_tombstones_goes_before_them() {
        for algorithm in [Algorithm::Fugue, Algorithm::FugueMax] {
            let mut replica = Replica::new(algorithm, ReplicaId(1));
            assert!(replica.insert(0, "abcd").is_ok());
            assert!(replica.delete(1, 2).is_ok());
            let between = replica.insert(1, "x");
            let origins = [Some(dot(1, 1)), Some(dot(1, 2))];
            assert_eq!(between, Ok(insert(dot(1, 6), 5, origins, "x")));
            let front = replica.insert(0, "y");
            assert_eq!(front, Ok(insert(dot(1, 7), 6, [None, Some(dot(1, 1))], "y")));
            assert_eq!(replica.text(), "yaxd");
            assert_eq!(replica.sequence().iter().map(|dot| dot.counter).collect::<Vec<_>>(), [7, 1, 6, 2, 3, 4]);
        }
    }

    #[test]
    fn deletions_name_runs_of_dots() {
        let mut replica = Replica::new(Algorithm::Fugue, ReplicaId(1));
        assert!(replica.insert(0, "abcd").is_ok());
        assert!(replica.insert(2, "x").is_ok());
        let cut = |counter, target, len| Op::Delete(Delete { id: dot(1, counter), target: dot(1, target), len });
        assert_eq!(replica.delete(1, 3), Ok(vec![cut(6, 2, 1), cut(7, 5, 1), cut(8, 3, 1)]));
        assert_eq!(replica.text(), "ad");
    }
}
