//! Dots: names of updates.
//!
//! Invariant: a counter is at least 1, and a replica never gives one dot to two updates.
//!
//! ```
//! use crdts::{ReplicaId, causality::Dot};
//!
//! assert_eq!(Dot::new(ReplicaId(4), 2).to_string(), "r4:2");
//! ```
//!
//! What is deliberately absent: any order of time. Dots are ordered by replica, then counter, which is good for sorting only.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    atom::Atom,
    clock::ReplicaId,
    encoding::{DecodeError, Reader, varint_bytes, write_varint},
};

/// The `counter`-th update of a replica, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dot {
    /// Who made the update.
    pub replica: ReplicaId,
    /// Which of its updates it is: 1 is the first.
    pub counter: u64,
}

impl Dot {
    /// The `counter`-th update of `replica`.
    #[inline]
    pub const fn new(replica: ReplicaId, counter: u64) -> Self {
        Self { replica, counter }
    }
}

impl fmt::Debug for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.replica, self.counter)
    }
}

impl Atom for Dot {
    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, u64::from(self.replica.0));
        write_varint(out, self.counter);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let replica = u32::try_from(reader.varint()?).map_err(|_| DecodeError::IdOutOfRange)?;
        match reader.varint()? {
            0 => Err(DecodeError::ZeroCount),
            counter => Ok(Self::new(ReplicaId(replica), counter)),
        }
    }

    fn encoded_bytes(&self) -> u64 {
        varint_bytes(u64::from(self.replica.0)) + varint_bytes(self.counter)
    }

    fn fold(&self, word: &mut dyn FnMut(u64)) {
        word(u64::from(self.replica.0));
        word(self.counter);
    }
}
