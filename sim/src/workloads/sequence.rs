//! Keystrokes: clients type words, letter by letter, and delete.
//!
//! A client types at its cursor, which moves on with what it types. At the end of a word it draws the next word and a new place
//! in the text that it last read, so several people come to type at one place. A client knows only what it has read and typed
//! itself: a position may be beyond the end of the text by the time it arrives, and is refused then, as by an editor.

use crdts::objects::sequence::{Sequence, SequenceOp, SequenceRet};

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
    /// How long the text is, as far as the client knows.
    length: usize,
    cursor: usize,
    /// What is left to type of the word, last letter first.
    rest: Vec<char>,
}

/// Makes keystrokes.
#[derive(Clone, Debug)]
pub struct SequenceGenerator {
    typing: Typing,
    editors: Vec<Editor>,
    words: Stream,
    places: Stream,
}

impl SequenceGenerator {
    /// The keystrokes of these many clients, under `seed`.
    pub fn new(typing: Typing, clients: u32, seed: u64) -> Self {
        Self {
            typing,
            editors: vec![Editor::default(); clients as usize],
            words: Stream::new(seed, "work.word"),
            places: Stream::new(seed, "work.place"),
        }
    }

    fn keystroke(&mut self, turn: Turn) -> SequenceOp {
        let (entity, number) = (u64::from(turn.client), turn.number);
        let editor = &mut self.editors[turn.client as usize];
        if editor.rest.is_empty() {
            let word = &self.typing.words[self.words.below(entity, number, self.typing.words.len() as u64) as usize];
            editor.rest = word.chars().rev().collect();
            editor.cursor = match self.typing.place {
                Place::Anywhere => self.places.below(entity, number, editor.length as u64 + 1) as usize,
                Place::Start => 0,
                Place::End => editor.length,
            };
        }
        let letter = editor.rest.pop().expect("no word is empty");
        let position = editor.cursor;
        editor.cursor += 1;
        editor.length += 1;
        SequenceOp::InsertAt { position, text: letter.to_string() }
    }
}

impl Generator<Sequence> for SequenceGenerator {
    const KINDS: &'static [&'static str] = &["insert", "delete", "read"];

    fn operation(&mut self, turn: Turn) -> SequenceOp {
        match turn.kind {
            1 if self.editors[turn.client as usize].length > 0 => {
                let editor = &mut self.editors[turn.client as usize];
                let word = self.places.word(u64::from(turn.client), turn.number);
                let position = below(word, editor.length as u64) as usize;
                editor.length -= 1;
                editor.cursor -= usize::from(position < editor.cursor);
                SequenceOp::DeleteAt { position, len: 1 }
            }
            // Where there is nothing to delete yet, clients type.
            0 | 1 => self.keystroke(turn),
            _ => SequenceOp::Read,
        }
    }

    fn scripted(op: &ScriptedOp) -> Option<SequenceOp> {
        match op {
            ScriptedOp::Sequence(op) => Some(op.clone()),
            _ => None,
        }
    }

    fn learned(&mut self, client: u32, ret: &SequenceRet) {
        let editor = &mut self.editors[client as usize];
        match ret {
            SequenceRet::Text(text) => editor.length = text.chars().count(),
            // The place is gone: what is left of the word is typed elsewhere.
            SequenceRet::OutOfRange { len } => {
                editor.length = *len;
                editor.rest.clear();
            }
            SequenceRet::Inserted | SequenceRet::Deleted => return,
        }
        editor.cursor = editor.cursor.min(editor.length);
    }
}
