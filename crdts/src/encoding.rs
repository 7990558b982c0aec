//! The canonical binary encoding.
//!
//! A state has exactly one encoding, and a byte string is the encoding of at most one state: [`Encode::decode`] refuses
//! every other spelling. It is total: any bytes give a state or a [`DecodeError`], in memory proportional to the input.
//!
//! An encoding starts with a version byte ([`VERSION`]). Numbers are varints of seven bits a byte, least significant
//! first, in their shortest form. Ascending ids are written as the distance from the smallest id that is still possible, so
//! neighbours cost one byte and a wrong order cannot be written down.
//!
//! ```
//! use crdts::{Crdt, Encode, GCounter, ReplicaId, objects::counter::CounterOp};
//!
//! let mut counter = GCounter::default();
//! counter.update(ReplicaId(1), &CounterOp::Add(300))?;
//! let mut bytes = Vec::new();
//! counter.encode(&mut bytes);
//! //                  version, entries, id, 300
//! assert_eq!(bytes, [1, 1, 1, 0b1010_1100, 0b10]);
//! assert_eq!(GCounter::decode(&bytes)?, counter);
//! assert_eq!(counter.weight().total_bytes(), 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is deliberately absent: a type tag (peers agree on what they replicate), a checksum ([`crate::checksum`] adds one), and
//! compression.

use std::fmt;

/// The version byte that opens every encoding.
pub const VERSION: u8 = 1;

/// States with a canonical encoding. Its size is what [`crate::Crdt::weight`] reports.
pub trait Encode: Sized {
    /// Appends the encoding to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads a state back. All bytes belong to it.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;
}

/// Why bytes are not the encoding of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before the state does.
    Truncated,
    /// The first byte names a version that this library does not know.
    UnknownVersion {
        /// The byte that was found.
        found: u8,
    },
    /// A number is not in its shortest form, or exceeds 64 bits.
    Varint,
    /// An id exceeds 32 bits.
    IdOutOfRange,
    /// An entry without a count: absent entries are not written.
    ZeroCount,
    /// A number or a character exceeds the range of its type.
    AtomOutOfRange,
    /// A text is not UTF-8.
    Utf8,
    /// A counter exceeds 64 bits.
    CounterOutOfRange,
    /// Dots or keys are not in ascending order.
    NotAscending,
    /// A key that holds nothing: absent keys are not written.
    EmptyEntry,
    /// A dot of the store is not in the context.
    DotWithoutContext,
    /// The checksum at the end is not that of the bytes before it.
    Checksum,
    /// The compressed bytes are damaged, or stand for more than is allowed.
    Compression,
    /// An operation cannot be applied where it stands.
    Inapplicable,
    /// The bytes describe a state, but are not its encoding.
    NotCanonical,
    /// A replica has given rights to itself.
    GivenToItself,
    /// A dot is at two places.
    DotTwice,
    /// Bytes follow the state.
    TrailingBytes {
        /// How many.
        count: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end before the state does"),
            Self::UnknownVersion { found } => write!(f, "unknown encoding version {found}, expected {VERSION}"),
            Self::Varint => f.write_str("a number is not in its shortest form, or exceeds 64 bits"),
            Self::IdOutOfRange => f.write_str("a replica id exceeds 32 bits"),
            Self::ZeroCount => f.write_str("an entry has a count of zero"),
            Self::AtomOutOfRange => f.write_str("a number or a character exceeds the range of its type"),
            Self::Utf8 => f.write_str("a text is not UTF-8"),
            Self::CounterOutOfRange => f.write_str("a counter exceeds 64 bits"),
            Self::NotAscending => f.write_str("dots or keys are not in ascending order"),
            Self::EmptyEntry => f.write_str("a key holds nothing"),
            Self::DotWithoutContext => f.write_str("a dot of the store is not in the context"),
            Self::Checksum => f.write_str("the checksum is not that of the bytes before it"),
            Self::Compression => f.write_str("the compressed bytes are damaged, or stand for more than is allowed"),
            Self::Inapplicable => f.write_str("an operation cannot be applied where it stands"),
            Self::NotCanonical => f.write_str("the bytes describe a state, but are not its encoding"),
            Self::GivenToItself => f.write_str("a replica has given rights to itself"),
            Self::DotTwice => f.write_str("a dot is at two places"),
            Self::TrailingBytes { count } => write!(f, "{count} bytes follow the state"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// The size of a varint.
#[inline]
pub(crate) const fn varint_bytes(value: u64) -> u64 {
    // ceil(bits / 7) without a division: 9/64 is close enough to 1/7 for up to 64 bits.
    ((value | 1).ilog2() as u64 * 9 + 73) / 64
}

/// Appends a varint.
pub(crate) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads an encoding from the front.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader behind the version byte.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        match bytes {
            [] => Err(DecodeError::Truncated),
            [VERSION, rest @ ..] => Ok(Self { rest }),
            [found, ..] => Err(DecodeError::UnknownVersion { found: *found }),
        }
    }

    /// A number in its shortest form.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
            self.rest = rest;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                return Err(DecodeError::Varint);
            }
            value |= low << shift;
            if byte < 0x80 {
                let shortest = byte != 0 || shift == 0;
                return if shortest { Ok(value) } else { Err(DecodeError::Varint) };
            }
        }
        Err(DecodeError::Varint)
    }

    /// How many items follow, each of at least `item_bytes_min` bytes: refused when they cannot be there.
    pub fn length(&mut self, item_bytes_min: usize) -> Result<usize, DecodeError> {
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() / item_bytes_min.max(1) => Ok(length),
            _ => Err(DecodeError::Truncated),
        }
    }

    /// The next bytes as they are.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A part of which the length stands before it.
    pub(crate) fn part(&mut self) -> Result<Self, DecodeError> {
        let length = self.length(1)?;
        Ok(Self { rest: self.bytes(length)? })
    }

    /// Are all bytes read?
    pub(crate) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// All bytes that are left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Ends the reading: nothing may be left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(DecodeError::TrailingBytes { count }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{GCounter, PnCounter};

    #[test]
    fn other_spellings_are_refused() {
        let check = |bytes: &[u8], expected: DecodeError| {
            assert_eq!(GCounter::decode(bytes), Err(expected), "{bytes:?}");
        };
        check(&[], DecodeError::Truncated);
        check(&[2, 0], DecodeError::UnknownVersion { found: 2 });
        check(&[1], DecodeError::Truncated);
        check(&[1, 1], DecodeError::Truncated);
        check(&[1, 1, 0], DecodeError::Truncated);
        check(&[1, 1, 0, 0], DecodeError::ZeroCount);
        check(&[1, 1, 0, 0x80], DecodeError::Truncated);
        check(&[1, 1, 0, 0x80, 0], DecodeError::Varint);
        check(&[1, 0x80, 0], DecodeError::Varint);
        check(&[1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], DecodeError::Varint);
        check(&[1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0], DecodeError::Varint);
        check(&[1, 1, 0x80, 0x80, 0x80, 0x80, 0x10, 1], DecodeError::IdOutOfRange);
        check(&[1, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0, 1], DecodeError::IdOutOfRange);
        check(&[1, 1, 0, 1, 7, 7], DecodeError::TrailingBytes { count: 2 });
        check(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 1], DecodeError::Truncated);
        // A state of one type is not a state of the other.
        assert_eq!(PnCounter::decode(&[1, 1, 0, 1]), Err(DecodeError::Truncated));
        check(&[1, 1, 0, 1, 0], DecodeError::TrailingBytes { count: 1 });
    }

    #[test]
    fn varints_have_the_size_that_is_accounted() {
        for shift in 0..64 {
            for value in [(1_u64 << shift) - 1, 1 << shift, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                write_varint(&mut bytes, value);
                assert_eq!(bytes.len() as u64, varint_bytes(value), "{value}");
                assert_eq!(Reader { rest: &bytes }.varint(), Ok(value));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn any_bytes_decode_to_what_encodes_to_them(
            bytes in prop::collection::vec(prop_oneof![Just(1_u8), 0..4_u8, any::<u8>()], 0..24),
        ) {
            let mut again = Vec::new();
            if let Ok(counter) = GCounter::decode(&bytes) {
                counter.encode(&mut again);
                prop_assert_eq!(&again, &bytes);
            }
            again.clear();
            if let Ok(counter) = PnCounter::decode(&bytes) {
                counter.encode(&mut again);
                prop_assert_eq!(&again, &bytes);
            }
        }
    }
}
