//! Atoms: what sets contain, registers hold and maps are keyed by.
//!
//! Invariant: an atom has exactly one encoding, which ends where it says; the decoder refuses every other spelling and needs
//! memory in proportion to its input. Equal atoms feed equal words to a hash, unequal ones unequal words.
//!
//! ```
//! use crdts::Atom;
//!
//! let mut bytes = Vec::new();
//! ("milk".to_owned(), -1_i64).encode(&mut bytes);
//! assert_eq!(bytes, [4, b'm', b'i', b'l', b'k', 1]);
//! ```
//!
//! What is deliberately absent: floats, which have no total order, and types whose merge means something. Those are lattices.

use std::{fmt::Debug, hash::Hash};

use crate::encoding::{DecodeError, Reader, varint_bytes, write_varint};

/// A value without parts that could be merged.
pub trait Atom: Ord + Clone + Debug + Hash + Send + Sync + 'static {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads an atom from the front.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// The size of the encoding.
    fn encoded_bytes(&self) -> u64;

    /// How much of the encoding is causal metadata, which clients do not observe.
    fn metadata_bytes(&self) -> u64 {
        0
    }

    /// Feeds the content, word by word, to a hash.
    fn fold(&self, word: &mut dyn FnMut(u64));
}

macro_rules! unsigned {
    ($($int:ty),*) => {$(
        impl Atom for $int {
            fn encode(&self, out: &mut Vec<u8>) {
                write_varint(out, u64::from(*self));
            }

            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Self::try_from(reader.varint()?).map_err(|_| DecodeError::AtomOutOfRange)
            }

            fn encoded_bytes(&self) -> u64 {
                varint_bytes(u64::from(*self))
            }

            fn fold(&self, word: &mut dyn FnMut(u64)) {
                word(u64::from(*self));
            }
        }
    )*};
}

unsigned!(u8, u16, u32, u64);

/// Small numbers of either sign become small numbers: 0, -1, 1, -2, …
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

macro_rules! signed {
    ($($int:ty),*) => {$(
        impl Atom for $int {
            fn encode(&self, out: &mut Vec<u8>) {
                write_varint(out, zigzag(i64::from(*self)));
            }

            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Self::try_from(unzigzag(reader.varint()?)).map_err(|_| DecodeError::AtomOutOfRange)
            }

            fn encoded_bytes(&self) -> u64 {
                varint_bytes(zigzag(i64::from(*self)))
            }

            fn fold(&self, word: &mut dyn FnMut(u64)) {
                word(zigzag(i64::from(*self)));
            }
        }
    )*};
}

signed!(i8, i16, i32, i64);

impl Atom for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.varint()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::AtomOutOfRange),
        }
    }

    fn encoded_bytes(&self) -> u64 {
        1
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(u64::from(*self));
    }
}

impl Atom for char {
    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, u64::from(u32::from(*self)));
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let scalar = u32::try_from(reader.varint()?).ok().and_then(Self::from_u32);
        scalar.ok_or(DecodeError::AtomOutOfRange)
    }

    fn encoded_bytes(&self) -> u64 {
        varint_bytes(u64::from(u32::from(*self)))
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(u64::from(u32::from(*self)));
    }
}

impl Atom for String {
    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.len() as u64);
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.length(1)?;
        let text = std::str::from_utf8(reader.bytes(length)?).map_err(|_| DecodeError::Utf8)?;
        Ok(text.to_owned())
    }

    fn encoded_bytes(&self) -> u64 {
        varint_bytes(self.len() as u64) + self.len() as u64
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(self.len() as u64);
        for bytes in self.as_bytes().chunks(8) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            word(u64::from_le_bytes(padded));
        }
    }
}

impl Atom for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }

    fn encoded_bytes(&self) -> u64 {
        0
    }

    fn fold(&self, _: &mut dyn FnMut(u64)) {}
}

impl<A: Atom, B: Atom> Atom for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::decode(reader)?, B::decode(reader)?))
    }

    fn encoded_bytes(&self) -> u64 {
        self.0.encoded_bytes() + self.1.encoded_bytes()
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        self.0.fold(word);
        self.1.fold(word);
    }
}

impl<A: Atom> Atom for Option<A> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        if let Some(atom) = self {
            atom.encode(out);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(if bool::decode(reader)? { Some(A::decode(reader)?) } else { None })
    }

    fn encoded_bytes(&self) -> u64 {
        1 + self.as_ref().map_or(0, A::encoded_bytes)
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(u64::from(self.is_some()));
        if let Some(atom) = self {
            atom.fold(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::VERSION;

    fn check<A: Atom>(atom: &A) -> Result<(), TestCaseError> {
        let mut bytes = vec![VERSION];
        atom.encode(&mut bytes);
        prop_assert_eq!(bytes.len() as u64, 1 + atom.encoded_bytes());
        let mut reader = Reader::new(&bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let decoded = A::decode(&mut reader);
        prop_assert_eq!(decoded.as_ref(), Ok(atom));
        prop_assert_eq!(reader.finish(), Ok(()));
        Ok(())
    }

    /// Whatever decodes is spelt in the one way.
    fn check_bytes<A: Atom>(bytes: &[u8]) -> Result<(), TestCaseError> {
        let Ok(mut reader) = Reader::new(bytes) else { return Ok(()) };
        if let Ok(atom) = A::decode(&mut reader)
            && reader.finish().is_ok()
        {
            let mut again = vec![VERSION];
            atom.encode(&mut again);
            prop_assert_eq!(again, bytes);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn atoms_read_back(pair in any::<((u64, i64), (String, char))>(), flag in any::<bool>(), small in any::<(u8, i8)>()) {
            check(&pair.0)?;
            check(&pair)?;
            check(&(flag, ()))?;
            check(&small)?;
            check(&Some(pair.1))?;
            check(&None::<u32>)?;
        }

        #[test]
        fn any_bytes_are_an_atom_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..16)) {
            let mut spelt = vec![VERSION];
            spelt.extend(&bytes);
            check_bytes::<u8>(&spelt)?;
            check_bytes::<i64>(&spelt)?;
            check_bytes::<char>(&spelt)?;
            check_bytes::<bool>(&spelt)?;
            check_bytes::<(String, Option<u16>)>(&spelt)?;
        }

        #[test]
        fn texts_with_different_endings_fold_differently(text in "[a\\x00]{0,20}") {
            let words = |text: &str| {
                let mut words = Vec::new();
                text.to_owned().fold(&mut |word| words.push(word));
                words
            };
            prop_assert_ne!(words(&text), words(&format!("{text}\0")));
        }
    }
}
