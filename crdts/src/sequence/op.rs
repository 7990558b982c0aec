//! The operations of a sequence, as replicas exchange them. They are the same for RGA, Fugue and FugueMax.
//!
//! **Dots.** A replica numbers its updates 1, 2, 3, ...: an [`Insert`] of `n` characters takes `n` consecutive dots, one for
//! each character; a [`Delete`] takes one dot, whatever its length. A deletion of characters that are not neighbours in
//! dots becomes several `Delete`s.
//!
//! **Characters.** An `Insert` of several characters means exactly the same as one `Insert` for each: character `i` has
//! the dot `id + i`, the Lamport time `lamport + i`, the left origin `id + i - 1` (the first: `left`), and the right
//! origin `right` (all of them). How characters are grouped into operations therefore has no meaning, and the same holds
//! for how often an operation arrives.
//!
//! **Origins** (Weidner and Kleppmann 2025, arXiv 2305.00583, section 3). When a client inserts behind the visible character at
//! position `p - 1`:
//! * `left` is that character, or `None` when `p` is 0. Where tombstones stand between the visible neighbours, the new
//!   character goes before all of them.
//! * `right` is the character that follows `left` immediately in the replica's whole sequence, *tombstones included*, or
//!   `None` when nothing follows. With `left` being `None` it is the very first character. RGA has no use for it: its
//!   replicas write `None`, and a `right` from elsewhere does not influence the order.
//!
//! **When an operation takes effect.** A state is a set of operations, in which they may arrive in any order. One is *applied*
//! when
//! 1. every earlier dot of its replica has been applied,
//! 2. its origins have been applied (a `Delete`: all of its targets), and they are dots of characters,
//! 3. the Lamport time of an insertion is above those of its origins.
//!
//! Until then it waits in the set and shows nothing. What an honest replica sends always meets the third; a character
//! that breaks it stays in the set and waits for ever. These rules make the visible text a function of the set alone.
//!
//! **The place of an applied character** is the depth-first order of a tree that its origins define.
//! * RGA: the parent is `left` (or the root); a parent comes before its children, and these are in *descending* order of
//!   (Lamport time, replica).
//! * Fugue and FugueMax: if there is a `right` whose own left origin equals `left`, the character is a *left* child of
//!   `right`; otherwise it is a *right* child of `left` (or of the root). For what honest replicas send this is the paper's
//!   "does `left` have right children at the origin". Left children come before the parent, right ones after it.
//!   Siblings on one side ascend by dot; in FugueMax those on the right side first by *descending* place of their right
//!   origins (`None` is the greatest), then ascend by dot.
//!
//! ```
//! use crdts::{ReplicaId, sequence::{Delete, Dot, Insert, Op}};
//!
//! let word = Op::from(Insert { id: Dot::new(ReplicaId(1), 1), lamport: 1, left: None, right: None, text: "abc".into() });
//! let cut = Op::from(Delete { id: Dot::new(ReplicaId(1), 4), target: Dot::new(ReplicaId(1), 2), len: 2 });
//! assert_eq!((word.dots(), cut.dots()), (3, 1));
//! ```
//!
//! What is deliberately absent: positions. An operation names characters, which do not move.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::causality::Dot;

/// Inserts characters (Unicode scalar values) one behind the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Insert<'a> {
    /// The dot of the first character.
    pub id: Dot,
    /// The Lamport time of the first character: above that of every character which the replica had applied.
    pub lamport: u64,
    /// The character left of the first one when it was inserted. `None`: the beginning.
    pub left: Option<Dot>,
    /// The character right of `left` when the text was inserted, tombstones included. `None`: the end. Always `None` in RGA.
    pub right: Option<Dot>,
    /// The characters, at least one. A client's call returns an operation that borrows them from its argument.
    pub text: Cow<'a, str>,
}

/// Deletes the characters with the dots `target`, `target + 1`, ..., `target + len - 1`. A character that is deleted already
/// stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Delete {
    /// The one dot of the deletion.
    pub id: Dot,
    /// The dot of the first character that it deletes.
    pub target: Dot,
    /// How many characters it deletes, at least one.
    pub len: u64,
}

/// An operation on a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Op<'a> {
    /// See [`Insert`].
    Insert(Insert<'a>),
    /// See [`Delete`].
    Delete(Delete),
}

impl Op<'_> {
    /// The (first) dot of the operation.
    pub fn id(&self) -> Dot {
        match self {
            Self::Insert(insert) => insert.id,
            Self::Delete(delete) => delete.id,
        }
    }

    /// How many dots it takes. Linear in the text.
    pub fn dots(&self) -> u64 {
        match self {
            Self::Insert(insert) => insert.text.chars().count() as u64,
            Self::Delete(_) => 1,
        }
    }

    /// The same operation with a text of its own.
    pub fn into_owned(self) -> Op<'static> {
        match self {
            Self::Insert(Insert { id, lamport, left, right, text }) => {
                Op::Insert(Insert { id, lamport, left, right, text: Cow::Owned(text.into_owned()) })
            }
            Self::Delete(delete) => Op::Delete(delete),
        }
    }
}

impl<'a> From<Insert<'a>> for Op<'a> {
    fn from(insert: Insert<'a>) -> Self {
        Self::Insert(insert)
    }
}

impl From<Delete> for Op<'_> {
    fn from(delete: Delete) -> Self {
        Self::Delete(delete)
    }
}
