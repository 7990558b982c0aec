//! The encoding, compressed by general means (DEFLATE, RFC 1951). Behind the feature `compress`.
//!
//! ```
//! use crdts::{ReplicaId, sequence::Fugue};
//!
//! let mut text = Fugue::new();
//! text.insert(ReplicaId(1), 0, &"All work and no play. ".repeat(100))?;
//! let bytes = text.compress();
//! assert!(bytes.len() < 100);
//! assert_eq!(Fugue::decompress(&bytes, 10_000)?, text);
//! assert!(Fugue::decompress(&bytes, 1_000).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is deliberately absent: canonicity. One state has many compressed forms; what they decompress to is checked.

use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};

use super::{ordering::Ordering, text::Text};
use crate::encoding::{DecodeError, Encode, VERSION};

/// How hard to search for repetitions, up to 9: the best that is not much slower.
const LEVEL: u8 = 8;

impl<O: Ordering> Text<O> {
    /// The whole history, compressed.
    pub fn compress(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        self.encode(&mut plain);
        let mut bytes = vec![VERSION];
        bytes.extend(compress_to_vec(&plain, LEVEL));
        bytes
    }

    /// Reads a compressed history of which the plain encoding has at most `size_max` bytes: a few compressed bytes may stand for
    /// a thousand times as many.
    pub fn decompress(bytes: &[u8], size_max: usize) -> Result<Self, DecodeError> {
        match bytes {
            [] => Err(DecodeError::Truncated),
            [VERSION, compressed @ ..] => {
                let plain = decompress_to_vec_with_limit(compressed, size_max).map_err(|_| DecodeError::Compression)?;
                Self::decode(&plain)
            }
            [found, ..] => Err(DecodeError::UnknownVersion { found: *found }),
        }
    }
}
