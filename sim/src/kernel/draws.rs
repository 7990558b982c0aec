//! Choice-addressed randomness.
//!
//! Every draw is a pure function of (seed, purpose, entity, counter): the k-th message on a link gets the same latency
//! whatever happens elsewhere. Nothing shares a generator, so adding a node, a fault or a draw moves no other draw.
//! A [`Stream`] holds a 128-bit key for one purpose, derived from the seed with `ChaCha`; a word of it is two folded
//! multiplications of that key with the address, which costs about two nanoseconds and no state.
//!
//! ```
//! use sim::kernel::draws::Stream;
//! let latency = Stream::new(7, "net.latency");
//! assert_eq!(latency.word(3, 0), Stream::new(7, "net.latency").word(3, 0));
//! assert_ne!(latency.word(3, 0), latency.word(3, 1));
//! ```
//!
//! This is not cryptography, and there is deliberately no generator with a hidden position here.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// The draws for one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u64; 2],
}

impl Stream {
    /// The stream of `purpose` under `seed`. Purposes are at most 24 bytes, for example `net.latency`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        assert!(purpose.len() <= 24, "a purpose fills at most the 24 bytes beside the seed");
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..8 + purpose.len()].copy_from_slice(purpose.as_bytes());
        let mut chacha = ChaCha8Rng::from_seed(key);
        Self { key: [chacha.next_u64(), chacha.next_u64()] }
    }

    /// The word at an address: 64 uniform bits.
    #[inline]
    pub fn word(&self, entity: u64, counter: u64) -> u64 {
        let first = folded_product(entity ^ self.key[0], counter.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ self.key[1]);
        folded_product(first ^ self.key[1], 0xd6e8_feb8_6659_fd93 ^ counter)
    }

    /// A number in `0..bound`; the bias of the multiply-shift is below `bound / 2^64`.
    #[inline]
    pub fn below(&self, entity: u64, counter: u64, bound: u64) -> u64 {
        below(self.word(entity, counter), bound)
    }

    /// Shuffles in place: one draw per position, at counters `counter..counter + items.len()`.
    pub fn shuffle<T>(&self, entity: u64, counter: u64, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let swap = self.below(entity, counter + last as u64, last as u64 + 1) as usize;
            items.swap(last, swap);
        }
    }
}

/// Both halves of a 128-bit product, folded to 64 bits.
#[inline]
pub(crate) fn folded_product(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Maps 64 uniform bits to `0..bound`.
#[inline]
pub fn below(word: u64, bound: u64) -> u64 {
    ((u128::from(word) * u128::from(bound)) >> 64) as u64
}

/// A probability as a threshold on 64 uniform bits. Never a float.
///
/// Certainty is exact: [`Probability::ONE`] happens for every word and [`Probability::ZERO`] for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probability {
    /// The event happens when 64 uniform bits are below this number, which is at most 2^64.
    threshold: u128,
}

impl Probability {
    /// It never happens.
    pub const ZERO: Self = Self { threshold: 0 };
    /// It always happens.
    pub const ONE: Self = Self { threshold: 1 << 64 };

    /// `numerator / denominator`, rounded down to a multiple of 2^-64; `None` above one or for a zero denominator.
    pub fn ratio(numerator: u64, denominator: u64) -> Option<Self> {
        if denominator == 0 || numerator > denominator {
            return None;
        }
        Some(Self { threshold: (u128::from(numerator) << 64) / u128::from(denominator) })
    }

    /// Does it happen for these 64 uniform bits?
    #[inline]
    pub fn happens(self, word: u64) -> bool {
        u128::from(word) < self.threshold
    }

    /// Can it happen at all?
    #[inline]
    pub fn is_possible(self) -> bool {
        self.threshold > 0
    }

    /// The probability that at least one of two independent events happens.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let miss = |p: Self| (1_u128 << 64) - p.threshold;
        // Both misses are at most 2^64; halving one keeps the product inside 128 bits.
        let both_miss = ((miss(self) >> 1) * miss(other)) >> 63;
        Self { threshold: (1 << 64) - both_miss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_an_address_never_change() {
        // Golden vectors: a change here makes every published seed mean something else.
        let stream = Stream::new(1, "net.latency");
        let words = [stream.word(0, 0), stream.word(0, 1), stream.word(1, 0), stream.word(u64::MAX, u64::MAX)];
        assert_eq!(words, GOLDEN);
    }

    const GOLDEN: [u64; 4] =
        [10_037_901_533_148_954_185, 4_437_112_786_723_965_014, 12_828_557_723_999_101_675, 349_257_686_538_192_945];

    #[test]
    fn purposes_and_seeds_are_independent() {
        let word = |seed, purpose| Stream::new(seed, purpose).word(5, 5);
        assert_ne!(word(1, "net.loss"), word(1, "net.latency"));
        assert_ne!(word(1, "net.loss"), word(2, "net.loss"));
    }

    #[test]
    fn words_are_uniform_by_every_bit_and_by_neighbouring_addresses() {
        let stream = Stream::new(3, "test");
        let count = 20_000_u64;
        for bit in 0..64 {
            let ones: u64 = (0..count).map(|k| (stream.word(k % 100, k / 100) >> bit) & 1).sum();
            // Six standard deviations of a fair coin around the half.
            assert!(ones.abs_diff(count / 2) < 6 * 71, "bit {bit}: {ones} of {count}");
        }
        for bit in 0..64 {
            let flips: u64 = (0..count).map(|k| ((stream.word(k, 7) ^ stream.word(k + 1, 7)) >> bit) & 1).sum();
            assert!(flips.abs_diff(count / 2) < 6 * 71, "bit {bit} of neighbours: {flips}");
        }
        let mut buckets = [0_u64; 256];
        for k in 0..256_000 {
            buckets[stream.below(9, k, 256) as usize] += 1;
        }
        // Chi-squared with 255 degrees of freedom: mean 255, standard deviation 22.6; six deviations are 390.
        let chi: u64 = buckets.iter().map(|&n| n.abs_diff(1000).pow(2)).sum::<u64>() / 1000;
        assert!((120..390).contains(&chi), "{chi}");
    }

    #[test]
    fn probabilities_are_exact_at_the_ends() {
        assert!(Probability::ONE.happens(u64::MAX));
        assert!(!Probability::ZERO.happens(0));
        assert_eq!(Probability::ratio(1, 1), Some(Probability::ONE));
        assert_eq!(Probability::ratio(2, 1), None);
        assert_eq!(Probability::ratio(0, 0), None);
        let half = Probability::ratio(1, 2).unwrap_or_default();
        assert!(half.happens((1 << 63) - 1) && !half.happens(1 << 63));
        assert_eq!(half.or(half), Probability::ratio(3, 4).unwrap_or_default());
        assert_eq!(half.or(Probability::ONE), Probability::ONE);
        assert_eq!(half.or(Probability::ZERO), half);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..50).collect();
        Stream::new(1, "test").shuffle(0, 0, &mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
