//! Why an edit or an operation was refused. The state is as before in every case.

use std::fmt;

use crate::causality::Dot;

/// Why a client's edit was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// The text does not have these positions.
    OutOfRange {
        /// Where the edit was to begin.
        position: usize,
        /// How many characters it needs from there.
        len: usize,
        /// The characters in the text.
        text_len: usize,
    },
    /// An insertion of no character.
    Empty,
    /// Updates of this very replica wait for others to arrive: it is behind what it once wrote, and its next dot is taken.
    Behind,
    /// The counters, the Lamport time or the size of the sequence would exceed their range.
    Overflow,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { position, len, text_len } => {
                write!(f, "{len} characters at position {position} are out of range in a text of {text_len}")
            }
            Self::Empty => f.write_str("an insertion needs at least one character"),
            Self::Behind => f.write_str("updates of this replica itself wait for others to arrive"),
            Self::Overflow => f.write_str("the sequence would outgrow its range"),
        }
    }
}

impl std::error::Error for EditError {}

/// Why an operation cannot be applied (yet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplyError {
    /// Dots that the operation builds on have not been applied: the earlier ones of its replica, an origin or a target.
    /// When they arrive, the operation is welcome.
    Missing {
        /// The first of them.
        first: Dot,
        /// How many consecutive ones.
        count: u64,
    },
    /// The dot stands for another update already: two writers share a replica id.
    Conflict {
        /// The dot with two contents.
        dot: Dot,
    },
    /// An origin or a target is a deletion.
    NotACharacter {
        /// The dot of that deletion.
        dot: Dot,
    },
    /// The Lamport time is not above that of an origin.
    LamportTime {
        /// The dot of that origin.
        origin: Dot,
    },
    /// The operation has no character or target, or its numbers are zero or exceed 64 bits.
    Malformed {
        /// Its dot.
        dot: Dot,
    },
    /// The operation exceeds what a sequence can hold: 2^32 - 2 dots and bytes of text for each replica, and that many
    /// visible characters.
    Overflow,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { first, count: 1 } => write!(f, "update {first} is missing"),
            Self::Missing { first, count } => write!(f, "{count} updates from {first} on are missing"),
            Self::Conflict { dot } => write!(f, "{dot} already stands for another update"),
            Self::NotACharacter { dot } => write!(f, "{dot} is not a character"),
            Self::LamportTime { origin } => write!(f, "the Lamport time is not above that of the origin {origin}"),
            Self::Malformed { dot } => write!(f, "the operation {dot} is empty or its numbers are out of range"),
            Self::Overflow => f.write_str("the sequence would outgrow its range"),
        }
    }
}

impl std::error::Error for ApplyError {}
