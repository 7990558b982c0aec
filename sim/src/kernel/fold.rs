//! The fingerprint: a 128-bit hash over everything that happens in a run.
//!
//! Two words are folded in with one 128-bit multiplication, so that it can stay on in the hot loop. Equal runs give equal
//! fingerprints on every platform: words are fed as numbers, never as memory.
//!
//! ```
//! use sim::kernel::fold::Fold;
//! let mut one = Fold::default();
//! one.words(1, 2);
//! let mut other = Fold::default();
//! other.words(2, 1);
//! assert_ne!(one.fingerprint(), other.fingerprint());
//! ```
//!
//! It detects differences; it is not a defence against somebody who constructs collisions.

use std::{fmt, hash::Hasher};

/// A running 128-bit hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    low: u64,
    high: u64,
}

impl Default for Fold {
    fn default() -> Self {
        // The first digits of the fractional part of pi.
        Self { low: 0x243f_6a88_85a3_08d3, high: 0x1319_8a2e_0370_7344 }
    }
}

impl Fold {
    /// Folds in two words; their order matters.
    #[inline]
    pub fn words(&mut self, first: u64, second: u64) {
        let product = u128::from(self.low ^ first) * u128::from(self.high ^ second ^ 0xa409_3822_299f_31d1);
        // Adding the old halves crosswise keeps the state alive when a factor happens to be zero.
        let low = self.low;
        self.low = (product as u64).wrapping_add(self.high).rotate_left(29);
        self.high = ((product >> 64) as u64) ^ low.wrapping_add(second);
    }

    /// Folds in one word.
    #[inline]
    pub fn word(&mut self, word: u64) {
        let product = super::draws::folded_product(self.low ^ word, 0x82ef_a98e_c4e6_c895);
        // The sum over all words keeps a zero factor from erasing them.
        self.high = self.high.rotate_left(23).wrapping_add(product);
        self.low = product ^ self.high;
    }

    /// The hash so far, shortened to 64 bits.
    #[inline]
    pub fn digest(&self) -> u64 {
        super::draws::folded_product(self.low ^ 0x4528_21e6_38d0_1377, self.high ^ 0xbe54_66cf_34e9_0c6c)
    }

    /// The hash so far.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut end = *self;
        end.words(0x3f84_d5b5_b547_0917, 0x9216_d5d9_8979_fb1b);
        end.words(0, 0);
        Fingerprint((u128::from(end.high) << 64) | u128::from(end.low))
    }
}

/// Lets any `Hash` value be folded in, with the same result on every platform of any endianness.
impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.digest()
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0_u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.words(u64::from_le_bytes(word), chunk.len() as u64);
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.word(u64::from(n));
    }

    fn write_u16(&mut self, n: u16) {
        self.word(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.word(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.word(n);
    }

    fn write_u128(&mut self, n: u128) {
        self.words(n as u64, (n >> 64) as u64);
    }

    fn write_usize(&mut self, n: usize) {
        self.word(n as u64);
    }

    fn write_i8(&mut self, n: i8) {
        self.word(n as u64);
    }

    fn write_i16(&mut self, n: i16) {
        self.word(n as u64);
    }

    fn write_i32(&mut self, n: i32) {
        self.word(n as u64);
    }

    fn write_i64(&mut self, n: i64) {
        self.word(n as u64);
    }

    fn write_i128(&mut self, n: i128) {
        self.write_u128(n as u128);
    }

    fn write_isize(&mut self, n: isize) {
        self.word(n as u64);
    }
}

/// The 64-bit digest of one value.
#[inline]
pub fn digest_of(value: &impl std::hash::Hash) -> u64 {
    let mut fold = Fold::default();
    value.hash(&mut fold);
    fold.digest()
}

/// The fingerprint of a run: equal for equal runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_every_word_matters() {
        let of = |first, second| {
            let mut fold = Fold::default();
            fold.words(first, second);
            fold.word(9);
            fold.fingerprint()
        };
        let base = of(1, 2);
        for bit in 0..64 {
            for other in [of(1 ^ (1 << bit), 2), of(1, 2 ^ (1 << bit))] {
                let flips = (base.0 ^ other.0).count_ones();
                assert!((30..98).contains(&flips), "bit {bit} moved {flips} of 128");
            }
        }
    }

    #[test]
    fn a_zero_factor_does_not_erase_the_past() {
        let start = Fold::default();
        let with = |word| {
            let mut fold = start;
            fold.word(word);
            let zero = fold.low;
            fold.words(zero, 5);
            fold.fingerprint()
        };
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn golden_fingerprint() {
        let mut fold = Fold::default();
        for k in 0..10 {
            fold.words(k, k * k);
        }
        assert_eq!(fold.fingerprint().to_string(), GOLDEN);
    }

    const GOLDEN: &str = "10f20d033f41348398738c1b1d3a7595";
}
