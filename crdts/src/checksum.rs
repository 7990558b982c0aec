//! Checksums: whether bytes are still the ones that were written.
//!
//! [`seal`] appends a CRC-32 (IEEE 802.3) to an encoding and [`open`] takes it off. A decoder already refuses whatever is no
//! encoding; a flipped bit can still turn one state into another, and that is what the checksum is for: files, and networks
//! without checksums of their own. It is apart from the encoding, so that the small messages of replicas do not carry it twice.
//!
//! ```
//! use crdts::{GCounter, Lattice, checksum};
//!
//! let sealed = checksum::seal(&GCounter::bottom());
//! assert_eq!(checksum::open::<GCounter>(&sealed), Ok(GCounter::bottom()));
//! for bit in 0..8 * sealed.len() {
//!     let mut damaged = sealed.clone();
//!     damaged[bit / 8] ^= 1 << (bit % 8);
//!     assert!(checksum::open::<GCounter>(&damaged).is_err());
//! }
//! ```
//!
//! What is deliberately absent: protection against somebody who changes bytes on purpose.

use crate::encoding::{DecodeError, Encode};

/// The table of CRC-32, one byte at a time.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};

/// CRC-32 (IEEE 802.3), as in Ethernet, gzip and PNG.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| (sum >> 8) ^ TABLE[usize::from(sum as u8 ^ byte)])
}

/// The encoding, and the checksum behind it.
pub fn seal<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    let sum = crc32(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The value whose encoding was sealed.
pub fn open<T: Encode>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::decode(intact(bytes)?)
}

/// What stands before a checksum, if that is its checksum.
pub(crate) fn intact(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or(DecodeError::Truncated)?;
    if crc32(content) == u32::from_le_bytes(*sum) { Ok(content) } else { Err(DecodeError::Checksum) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Crdt, PnCounter, ReplicaId, objects::counter::CounterOp};

    #[test]
    fn the_checksum_is_the_standard_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn sealed_states_open_and_damaged_ones_do_not() {
        let mut counter = PnCounter::default();
        for (id, amount) in [(1, 5), (7, -300)] {
            assert!(counter.update(ReplicaId(id), &CounterOp::Add(amount)).is_ok());
        }
        let sealed = seal(&counter);
        assert_eq!(open(&sealed), Ok(counter.clone()));
        assert_eq!(open::<PnCounter>(&sealed[..3]), Err(DecodeError::Truncated));
        assert_eq!(open::<PnCounter>(&sealed[..sealed.len() - 1]), Err(DecodeError::Checksum));
        // Without the checksum, this bit makes another counter of it.
        let mut damaged = sealed;
        damaged[3] ^= 1;
        assert_eq!(open::<PnCounter>(&damaged), Err(DecodeError::Checksum));
        assert_ne!(PnCounter::decode(&damaged[..damaged.len() - 4]), Ok(counter));
    }
}
