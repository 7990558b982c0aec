//! Texts that put letters in the wrong place.
//!
//! The right one ([`crdts::sequence::Rga`]) is a tree: a character hangs on the one behind which it was typed, and among those
//! that hang on the same one the latest comes first, by Lamport time and then by replica. A deleted character stays as a
//! tombstone, for others to hang on. Each bug gives up one part of this.
//!
//! Invariant: with a flaw of another family the text is right, and characters stand in the order of their dots.
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, objects::sequence::SequenceOp::InsertAt};
//! use sim::zoo::{Flaw, specimen::Bend, texts::FlawedText};
//!
//! let mut text = FlawedText::bottom();
//! text.bend(Flaw::InsertsBehindSiblings, 1);
//! for (position, letters) in [(0, "at"), (0, "c")] {
//!     text.update(ReplicaId(0), &InsertAt { position, text: letters.to_owned() })?;
//! }
//! assert_eq!(text.value(), "atc", "and not `cat`");
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: speed. The order is computed anew for every operation.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use crdts::{
    causality::Dot,
    lattice::UpdateError,
    object::Object,
    objects::sequence::{Sequence, SequenceOp, SequenceRet},
};

use super::{
    catalogue::{Bug, Flaw},
    specimen::{Change, Kind, Site, Specimen},
};

/// A text with a mistake. See the [module documentation](self).
pub type FlawedText = Specimen<Letters>;

/// A character that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Letter {
    dot: Dot,
    /// The Lamport time.
    time: u64,
    /// The character behind which it was typed; `None`: at the beginning.
    behind: Option<Dot>,
    character: char,
}

/// All characters, and which of them are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// In the order of dots; for [`Flaw::TextTiesByArrival`] in that of arrival.
    typed: Vec<Letter>,
    gone: BTreeSet<Dot>,
    /// For [`Flaw::DeletesByIndex`]: the deletions, by position and length.
    cuts: BTreeMap<Dot, (u64, u64)>,
}

/// What a row says: a character, one that is gone, or a cut.
type Row = (u8, (Dot, ((u64, u64), (Option<Dot>, char))));

const LETTER: u8 = 0;
const GONE: u8 = 1;
const CUT: u8 = 2;

impl Letters {
    /// All characters in the order of the text, gone ones included.
    fn ordered(&self, flaw: Option<Flaw>) -> Vec<Letter> {
        let mut children: BTreeMap<Option<Dot>, Vec<Letter>> = BTreeMap::new();
        for letter in &self.typed {
            children.entry(letter.behind).or_default().push(*letter);
        }
        for siblings in children.values_mut() {
            match flaw {
                Some(Flaw::TextTiesByArrival) => siblings.sort_by_key(|letter| Reverse(letter.time)),
                Some(Flaw::InsertsBehindSiblings) => siblings.sort_by_key(|letter| (letter.time, letter.dot.replica)),
                _ => siblings.sort_by_key(|letter| Reverse((letter.time, letter.dot.replica))),
            }
        }
        let mut ordered = Vec::with_capacity(self.typed.len());
        // The next one is on top.
        let mut waiting: Vec<Letter> = children.remove(&None).unwrap_or_default();
        waiting.reverse();
        while let Some(letter) = waiting.pop() {
            ordered.push(letter);
            waiting.extend(children.remove(&Some(letter.dot)).unwrap_or_default().into_iter().rev());
        }
        ordered
    }

    /// The characters that show.
    fn visible(&self, flaw: Option<Flaw>) -> Vec<Letter> {
        let mut ordered = self.ordered(flaw);
        ordered.retain(|letter| !self.gone.contains(&letter.dot));
        ordered
    }

    fn text(&self, flaw: Option<Flaw>) -> String {
        self.visible(flaw).iter().map(|letter| letter.character).collect()
    }

    fn insert(&mut self, position: usize, text: &str, site: &Site<'_>) -> u64 {
        let mut behind = position.checked_sub(1).map(|before| self.visible(site.flaw)[before].dot);
        let latest = self.typed.iter().map(|letter| letter.time).max().unwrap_or(0);
        let mut dot = site.dot;
        for (time, character) in (latest + 1..).zip(text.chars()) {
            self.typed.push(Letter { dot, time, behind, character });
            behind = Some(dot);
            dot.counter += 1;
        }
        self.arrange(site.flaw);
        dot.counter - site.dot.counter
    }

    /// Cuts what shows at a position, as far as there is anything.
    fn cut(&mut self, position: usize, len: usize, flaw: Option<Flaw>) {
        let cut = self.visible(flaw).into_iter().skip(position).take(len);
        self.gone.extend(cut.map(|letter| letter.dot));
    }

    /// Puts new characters where they belong in memory.
    fn arrange(&mut self, flaw: Option<Flaw>) {
        if flaw != Some(Flaw::TextTiesByArrival) {
            self.typed.sort_by_key(|letter| letter.dot);
        }
    }

    /// Takes over the characters that are new, in the order of time.
    fn merge_letters(&mut self, other: &Self, flaw: Option<Flaw>) {
        let mut known: BTreeSet<Dot> = self.typed.iter().map(|letter| letter.dot).collect();
        let mut new: Vec<Letter> = other.typed.iter().filter(|letter| !known.contains(&letter.dot)).copied().collect();
        new.sort_by_key(|letter| (letter.time, letter.dot));
        for letter in new {
            let is_orphan = letter.behind.is_some_and(|dot| !known.contains(&dot) || self.gone.contains(&dot));
            if flaw == Some(Flaw::DropsOrphans) && is_orphan {
                continue;
            }
            known.insert(letter.dot);
            self.typed.push(letter);
        }
        self.arrange(flaw);
    }
}

impl Kind for Letters {
    type Object = Sequence;
    type Row = Row;

    const NAME: &'static str = "flawed-text";

    fn update(&mut self, op: &SequenceOp, site: &Site<'_>) -> Result<Change<Self>, UpdateError> {
        let ret = Sequence::step(&mut self.text(site.flaw), op);
        let dots = match (op, &ret) {
            (SequenceOp::InsertAt { position, text }, SequenceRet::Inserted) => self.insert(*position, text, site),
            (SequenceOp::DeleteAt { position, len: len @ 1.. }, SequenceRet::Deleted) => {
                self.cut(*position, *len, site.flaw);
                if site.flaw == Some(Flaw::DeletesByIndex) {
                    self.cuts.insert(site.dot, (*position as u64, *len as u64));
                }
                1
            }
            _ => 0,
        };
        Ok(Change { ret, dots, delta: None })
    }

    fn merge(&mut self, other: &Self, flaw: Option<Flaw>) {
        self.merge_letters(other, flaw);
        if flaw != Some(Flaw::DeletesByIndex) {
            self.gone.extend(&other.gone);
            return;
        }
        for (dot, (position, len)) in &other.cuts {
            if self.cuts.insert(*dot, (*position, *len)).is_none() {
                self.cut(*position as usize, *len as usize, flaw);
            }
        }
    }

    fn value(&self, flaw: Option<Flaw>) -> String {
        self.text(flaw)
    }

    fn rows(&self) -> Vec<Row> {
        let letters = self.typed.iter().map(|letter| {
            let Letter { dot, time, behind, character } = *letter;
            (LETTER, (dot, ((time, 0), (behind, character))))
        });
        let gone = self.gone.iter().map(|dot| (GONE, (*dot, ((0, 0), (None, ' ')))));
        let cuts = self.cuts.iter().map(|(dot, place)| (CUT, (*dot, (*place, (None, ' ')))));
        letters.chain(gone).chain(cuts).collect()
    }

    fn from_rows(rows: Vec<Row>) -> Self {
        let mut letters = Self::default();
        for (kind, (dot, (place, (behind, character)))) in rows {
            match kind {
                LETTER => letters.typed.push(Letter { dot, time: place.0, behind, character }),
                GONE => drop(letters.gone.insert(dot)),
                _ => drop(letters.cuts.insert(dot, place)),
            }
        }
        letters
    }
}

const TWIN: &str = "gossip rga";

/// The bugs of texts.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "rga-ties-by-arrival",
        title: "letters typed at one place at the same time stand in another order at each replica",
        flaw: Flaw::TextTiesByArrival,
        object: "sequence",
        twin: TWIN,
        cause: "Insertions behind the same character are ordered by Lamport time alone. Concurrent ones have equal times, and \
                each replica leaves them in the order in which they reached it.",
        fix: "Order insertions at one place by time and then by replica, which no two of them share.",
        caught_by: "strongly-convergent",
        arena: "calm",
    },
    Bug {
        name: "rga-inserts-behind-siblings",
        title: "a letter lands behind everything that was typed at its place before",
        flaw: Flaw::InsertsBehindSiblings,
        object: "sequence",
        twin: TWIN,
        cause: "Insertions behind the same character are ordered from the oldest to the latest. A letter typed in the middle \
                of a text goes behind the elder ones, and all that hangs on them: its typist does not see it at the cursor.",
        fix: "Order insertions at one place from the latest to the oldest: the latest typist saw all the others.",
        caught_by: "local-effects",
        arena: "calm",
    },
    Bug {
        name: "text-drops-orphans",
        title: "what is typed behind a letter that somebody deletes is thrown away",
        flaw: Flaw::DropsOrphans,
        object: "sequence",
        twin: TWIN,
        cause: "A deleted character is removed at once. An insertion that names it as its place, made by somebody who still \
                saw it, finds nothing to hang on and is dropped without a word.",
        fix: "Keep a deleted character as a tombstone until no insertion that names it can still be under way.",
        caught_by: "strongly-convergent",
        arena: "calm",
    },
    Bug {
        name: "delete-by-index",
        title: "a deletion takes other letters at each replica",
        flaw: Flaw::DeletesByIndex,
        object: "sequence",
        twin: TWIN,
        cause: "A deletion travels as a position and a length. When it arrives, other text may stand at that position, and \
                that is what goes.",
        fix: "Let a deletion name the characters that it deletes, which do not move.",
        caught_by: "strongly-convergent",
        arena: "calm",
    },
];

#[cfg(test)]
mod tests {
    use crdts::sequence::Rga;
    use proptest::prelude::*;

    use super::{
        super::twins::{Twins, check_flawless, moves},
        *,
    };

    type Pair = Twins<FlawedText, Rga>;

    fn insert(position: usize, text: &str) -> SequenceOp {
        SequenceOp::InsertAt { position, text: text.to_owned() }
    }

    fn delete(position: usize, len: usize) -> SequenceOp {
        SequenceOp::DeleteAt { position, len }
    }

    /// Two replicas that show this text.
    fn pair(flaw: Flaw, text: &str) -> Pair {
        let mut pair = Pair::new(2, Some(flaw));
        pair.update(0, &insert(0, text));
        pair.join(0, 1);
        pair.assert_equal(1);
        pair
    }

    #[test]
    fn ties_stand_in_the_order_of_arrival() {
        let mut pair = pair(Flaw::TextTiesByArrival, "()");
        pair.update(0, &insert(1, "a"));
        pair.update(1, &insert(1, "b"));
        assert!(pair.same_updates_differ([0, 1, 1, 0]));
        pair.join(1, 0);
        pair.assert_values(0, "(ab)", "(ba)");
    }

    #[test]
    fn a_letter_lands_behind_the_elder_ones() {
        let mut pair = pair(Flaw::InsertsBehindSiblings, "ct");
        pair.update(0, &insert(1, "a"));
        pair.assert_values(0, "cta", "cat");
    }

    #[test]
    fn an_insertion_behind_a_deleted_letter_is_thrown_away() {
        let mut pair = pair(Flaw::DropsOrphans, "abc");
        pair.update(0, &delete(1, 1));
        pair.update(1, &insert(2, "x"));
        assert!(pair.same_updates_differ([0, 1, 1, 0]));
        pair.join(1, 0);
        pair.assert_values(0, "ac", "axc");
        pair.join(0, 1);
        pair.assert_equal(1);
    }

    #[test]
    fn a_position_means_something_else_by_the_time_it_arrives() {
        let mut pair = pair(Flaw::DeletesByIndex, "abc");
        pair.update(0, &delete(2, 1));
        pair.update(1, &insert(0, "x"));
        pair.join(0, 1);
        pair.assert_values(1, "xac", "xab");
        assert!(pair.same_updates_differ([1, 0, 0, 1]));
    }

    proptest! {
        #[test]
        fn without_a_mistake_of_its_own_it_is_right(moves in moves(prop_oneof![
            3 => (0..6_usize, "[a-z]{0,3}").prop_map(|(position, text)| insert(position, &text)),
            2 => (0..6_usize, 0..3_usize).prop_map(|(position, len)| delete(position, len)),
            1 => Just(SequenceOp::Read),
        ])) {
            check_flawless::<FlawedText, Rga>(&moves);
        }
    }
}
