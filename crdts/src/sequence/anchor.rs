//! Anchors: places that stay where they are while the text around them changes. Cursors, selections, comments.
//!
//! Invariant: an anchor names a character, which is never forgotten; so it survives any edits, also that of its character's
//! deletion, at every replica that has applied that character.
//!
//! ```
//! use crdts::{ReplicaId, sequence::{Bias, Fugue}};
//!
//! let mut text = Fugue::new();
//! text.insert(ReplicaId(1), 0, "world")?;
//! let (before, behind) = (text.anchor(0, Bias::Right)?, text.anchor(5, Bias::Left)?);
//! text.insert(ReplicaId(1), 0, "Hello ")?;
//! text.insert(ReplicaId(1), 11, "!")?;
//! assert_eq!((text.position(before)?, text.position(behind)?), (6, 11));
//! text.delete(ReplicaId(1), 5, 6)?;
//! assert_eq!((text.text().as_str(), text.position(before)?, text.position(behind)?), ("Hello!", 5, 5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is deliberately absent: ranges. A range is two anchors.

use serde::{Deserialize, Serialize};

use super::{
    error::{ApplyError, EditError},
    ordering::Ordering,
    spans::Char,
    text::Text,
};
use crate::causality::Dot;

/// Which neighbour a place belongs to, when something is inserted right there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Bias {
    /// To the character before it: new text comes behind the anchor.
    Left,
    /// To the character behind it: new text comes before the anchor.
    Right,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Anchor {
    /// The character that it belongs to, or `None` for the beginning (left) or the end (right).
    pub character: Option<Dot>,
    /// On which side of the place that character is.
    pub bias: Bias,
}

impl<O: Ordering> Text<O> {
    /// An anchor at a position.
    pub fn anchor(&self, position: usize, bias: Bias) -> Result<Anchor, EditError> {
        let text_len = self.len();
        if position > text_len {
            return Err(EditError::OutOfRange { position, len: 0, text_len });
        }
        let nth = match bias {
            Bias::Left => position,
            Bias::Right => position + 1,
        };
        let outside = nth == 0 || nth > text_len;
        let character = if outside { Char::NONE } else { self.spans.char_before(self.spans.find(nth as u32)) };
        Ok(Anchor { character: self.dot(character), bias })
    }

    /// Where an anchor is now. Refused while its character has not been applied here.
    pub fn position(&self, anchor: Anchor) -> Result<usize, ApplyError> {
        let Some(dot) = anchor.character else {
            return Ok(if anchor.bias == Bias::Left { 0 } else { self.len() });
        };
        let id = self.applied(dot)?;
        if !self.spans.is_char(id) {
            return Err(ApplyError::NotACharacter { dot });
        }
        let gap = match anchor.bias {
            Bias::Left => self.spans.gap_after(id),
            Bias::Right => self.spans.gap_before(id),
        };
        Ok(self.spans.rank(gap) as usize)
    }
}
