//! The sequence: a text that is edited in the middle.
//!
//! Invariant: positions and lengths count code points (Unicode scalar values, `char`s), never bytes. Position 0 is before the
//! first, and the length of the text is behind the last. What reaches outside the text is refused with the text's length
//! and changes nothing.
//!
//! ```
//! use crdts::{Object, objects::sequence::{Sequence, SequenceOp, SequenceRet}};
//!
//! let mut text = "naïve".to_owned();
//! let insert = SequenceOp::InsertAt { position: 3, text: "-".to_owned() };
//! assert_eq!(Sequence::step(&mut text, &insert), SequenceRet::Inserted);
//! assert_eq!(text, "naï-ve");
//! assert_eq!(Sequence::step(&mut text, &SequenceOp::DeleteAt { position: 0, len: 4 }), SequenceRet::Deleted);
//! assert_eq!(Sequence::step(&mut text, &SequenceOp::Read), SequenceRet::Text("ve".to_owned()));
//! assert_eq!(Sequence::step(&mut text, &SequenceOp::DeleteAt { position: 1, len: 2 }), SequenceRet::OutOfRange { len: 2 });
//! assert_eq!(text, "ve");
//! ```
//!
//! What is deliberately absent: grapheme clusters, lines, and attributes of characters.

use crate::object::Object;

/// The sequence object: a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence;

/// What clients ask of a sequence. All positions and lengths are in code points.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SequenceOp {
    /// Inserts a text before the character at a position.
    InsertAt {
        /// The position that the text's first character will have.
        position: usize,
        /// The text. Nothing changes when it is empty.
        text: String,
    },
    /// Deletes characters.
    DeleteAt {
        /// The position of the first one.
        position: usize,
        /// How many. Nothing changes when it is zero.
        len: usize,
    },
    /// Asks for the text.
    Read,
}

/// What a sequence answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SequenceRet {
    /// The insertion took place.
    Inserted,
    /// The deletion took place.
    Deleted,
    /// The operation reaches outside the text. Nothing happened.
    OutOfRange {
        /// How many code points the text has.
        len: usize,
    },
    /// The text.
    Text(String),
}

/// The place of a position in bytes, or the number of code points when there are fewer.
fn byte_offset(text: &str, position: usize) -> Result<usize, usize> {
    let mut offsets = text.char_indices().map(|(offset, _)| offset).chain([text.len()]);
    offsets.nth(position).ok_or_else(|| text.chars().count())
}

impl Object for Sequence {
    type Op = SequenceOp;
    type Ret = SequenceRet;
    type State = String;

    const NAME: &'static str = "sequence";

    fn step(text: &mut String, op: &SequenceOp) -> SequenceRet {
        match op {
            SequenceOp::InsertAt { position, text: inserted } => match byte_offset(text, *position) {
                Ok(offset) => {
                    text.insert_str(offset, inserted);
                    SequenceRet::Inserted
                }
                Err(len) => SequenceRet::OutOfRange { len },
            },
            SequenceOp::DeleteAt { position, len } => {
                let range = byte_offset(text, *position)
                    .and_then(|start| Ok((start, start + byte_offset(&text[start..], *len)?)));
                let Ok((start, end)) = range else { return SequenceRet::OutOfRange { len: text.chars().count() } };
                text.drain(start..end);
                SequenceRet::Deleted
            }
            SequenceOp::Read => SequenceRet::Text(text.clone()),
        }
    }

    fn is_update(op: &SequenceOp) -> bool {
        !matches!(op, SequenceOp::Read)
    }

    fn read() -> SequenceOp {
        SequenceOp::Read
    }

    fn op_name(op: &SequenceOp) -> &'static str {
        match op {
            SequenceOp::InsertAt { .. } => "insert",
            SequenceOp::DeleteAt { .. } => "delete",
            SequenceOp::Read => "read",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_belong_to_the_text_and_nothing_beyond() {
        let check = |op: SequenceOp, ret: SequenceRet, after: &str| {
            let mut text = "aβ🎼d".to_owned();
            assert_eq!(Sequence::step(&mut text, &op), ret, "{op:?}");
            assert_eq!(text, after, "{op:?}");
        };
        let insert = |position, text: &str| SequenceOp::InsertAt { position, text: text.to_owned() };
        let delete = |position, len| SequenceOp::DeleteAt { position, len };
        let outside = || SequenceRet::OutOfRange { len: 4 };
        check(insert(0, "é"), SequenceRet::Inserted, "éaβ🎼d");
        check(insert(3, "xy"), SequenceRet::Inserted, "aβ🎼xyd");
        check(insert(4, "x"), SequenceRet::Inserted, "aβ🎼dx");
        check(insert(4, ""), SequenceRet::Inserted, "aβ🎼d");
        check(insert(5, ""), outside(), "aβ🎼d");
        check(insert(usize::MAX, "x"), outside(), "aβ🎼d");
        check(delete(1, 2), SequenceRet::Deleted, "ad");
        check(delete(0, 4), SequenceRet::Deleted, "");
        check(delete(4, 0), SequenceRet::Deleted, "aβ🎼d");
        check(delete(5, 0), outside(), "aβ🎼d");
        check(delete(4, 1), outside(), "aβ🎼d");
        check(delete(1, 4), outside(), "aβ🎼d");
        check(delete(1, usize::MAX), outside(), "aβ🎼d");
        check(delete(usize::MAX, usize::MAX), outside(), "aβ🎼d");
    }
}
