//! Keystrokes: clients type words, letter by letter, and delete.
//!
//! A client sits before the text of its replica, as a person before an editor. Each types all words in turn, the k-th client
//! beginning with the k-th. At the end of a word it draws a place in the text for the next one; within a word the cursor stays behind what it has typed of it, wherever that has moved to. What is typed
//! is drawn; where it lands depends on the text, and so on the run.
//!
//! For example, a client that has typed `mi` of `milk`, and sees `xxmi` because somebody else has typed in front, types its `l`
//! at position 4.

use crdts::objects::sequence::{Sequence, SequenceOp};

use super::clients::{Generator, ScriptedOp, Turn};
use crate::kernel::draws::{Stream, below};

/// Where clients begin to type a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Anywhere in the text.
    #[default]
    Anywhere,
    /// Before everything: all type at one position.
    Start,
    /// Behind everything.
    End,
}

/// What clients type, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    /// Words that are typed, none of them empty; there is at least one.
    pub words: Vec<String>,
    /// Where a word begins.
    pub place: Place,
}

/// What a client is at.
#[derive(Clone, Debug, Default)]
struct Editor {
    /// How many words it has begun to type.
    words: usize,
    /// What has been typed of the word.
    typed: String,
    /// What is left to type of it, last letter first.
    rest: Vec<char>,
    /// The position behind what was typed last.
    cursor: usize,
    /// What was drawn for the place of the operation that is to come.
    place: u64,
}

/// Makes keystrokes.
#[derive(Clone, Debug)]
pub struct SequenceGenerator {
    typing: Typing,
    editors: Vec<Editor>,
    places: Stream,
}

impl SequenceGenerator {
    /// The keystrokes of these many clients, under `seed`.
    pub fn new(typing: Typing, clients: u32, seed: u64) -> Self {
        Self { typing, editors: vec![Editor::default(); clients as usize], places: Stream::new(seed, "work.place") }
    }
}

/// The position behind the occurrence of `typed` that is nearest to where the cursor was; positions count letters.
fn behind(typed: &str, text: &str, cursor: usize) -> Option<usize> {
    let length = typed.chars().count();
    let ends = text.match_indices(typed).map(|(offset, _)| text[..offset].chars().count() + length);
    ends.min_by_key(|end| end.abs_diff(cursor))
}

impl Generator<Sequence> for SequenceGenerator {
    const KINDS: &'static [&'static str] = &["insert", "delete", "read"];
    const AIMS: bool = true;

    fn operation(&mut self, turn: Turn) -> SequenceOp {
        let (entity, number) = (u64::from(turn.client), turn.number);
        let editor = &mut self.editors[turn.client as usize];
        editor.place = self.places.word(entity, number);
        match turn.kind {
            0 => {
                if editor.rest.is_empty() {
                    let turn = turn.client as usize + editor.words;
                    let word = &self.typing.words[turn % self.typing.words.len()];
                    editor.words += 1;
                    editor.rest = word.chars().rev().collect();
                    editor.typed.clear();
                }
                let letter = editor.rest.pop().expect("no word is empty");
                SequenceOp::InsertAt { position: 0, text: letter.to_string() }
            }
            1 => SequenceOp::DeleteAt { position: 0, len: 1 },
            _ => SequenceOp::Read,
        }
    }

    fn aim(&mut self, client: u32, op: &mut SequenceOp, value: &String) {
        let editor = &mut self.editors[client as usize];
        let length = value.chars().count();
        match op {
            SequenceOp::InsertAt { position, text } => {
                *position = match (editor.typed.is_empty(), self.typing.place) {
                    // Where somebody deleted what was typed, the cursor stays where it was.
                    (false, _) => behind(&editor.typed, value, editor.cursor).unwrap_or(editor.cursor.min(length)),
                    (true, Place::Anywhere) => below(editor.place, length as u64 + 1) as usize,
                    (true, Place::Start) => 0,
                    (true, Place::End) => length,
                };
                editor.typed.push_str(text);
                editor.cursor = *position + 1;
            }
            SequenceOp::DeleteAt { position, len } => {
                *position = below(editor.place, length as u64) as usize;
                // Of an empty text there is nothing to delete.
                *len = length.min(1);
            }
            SequenceOp::Read => {}
        }
    }

    fn scripted(op: &ScriptedOp, _: u32) -> Option<SequenceOp> {
        match op {
            ScriptedOp::Sequence(op) => Some(op.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crdts::object::Object;

    use super::*;

    #[test]
    fn the_cursor_moves_along_with_what_was_typed() {
        let typing = Typing { words: vec!["milk".to_owned()], place: Place::Start };
        let mut generator = SequenceGenerator::new(typing, 1, 1);
        let mut text = "bread".to_owned();
        for number in 0..4 {
            let mut op = generator.operation(Turn { client: 0, number, kind: 0 });
            generator.aim(0, &mut op, &text);
            Sequence::step(&mut text, &op);
            // Somebody else types in front.
            text.insert(0, 'x');
        }
        assert_eq!(text, "xxxxmilkbread");
    }

    #[test]
    fn of_an_empty_text_nothing_is_deleted() {
        let typing = Typing { words: vec!["a".to_owned()], place: Place::Anywhere };
        let mut generator = SequenceGenerator::new(typing, 1, 1);
        let mut op = generator.operation(Turn { client: 0, number: 0, kind: 1 });
        generator.aim(0, &mut op, &String::new());
        assert_eq!(op, SequenceOp::DeleteAt { position: 0, len: 0 });
        generator.aim(0, &mut op, &"a".to_owned());
        assert_eq!(op, SequenceOp::DeleteAt { position: 0, len: 1 });
    }

    #[test]
    fn the_nearest_occurrence_counts() {
        assert_eq!(behind("mi", "mi..mi..mi", 6), Some(6));
        assert_eq!(behind("mi", "éémi", 0), Some(4));
        assert_eq!(behind("mi", "bread", 3), None);
    }
}
