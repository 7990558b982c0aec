//! Numbers for values: equal values get one number, and numbers are given in the order of first appearance.
//!
//! Invariant: a hash only chooses where to look; whether two values are equal is always decided by comparing them. So no
//! collision can change a verdict, and no order of a hash table is ever seen.
//!
//! What is deliberately absent: removal.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;

/// A fast hash with a fixed start, for tables that are never iterated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mixer(u64);

impl Mixer {
    #[inline]
    pub(super) fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * u128::from(0xd6e8_feb8_6659_fd93_u64);
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(17);
    }

    /// The hash of a value.
    pub(super) fn of(value: &impl Hash) -> u64 {
        let mut mixer = Self::default();
        value.hash(&mut mixer);
        mixer.finish()
    }

    /// The hash of words.
    #[inline]
    pub(super) fn of_words(words: &[u64]) -> u64 {
        let mut mixer = Self::default();
        for &word in words {
            mixer.word(word);
        }
        mixer.finish()
    }
}

impl Hasher for Mixer {
    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
        self.word(bytes.len() as u64);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.word(u64::from(value));
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.word(u64::from(value));
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.word(value);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.word(value as u64);
    }
}

/// Values by number, and back.
#[derive(Debug)]
pub(super) struct Interner<T> {
    values: Vec<T>,
    hashes: Vec<u64>,
    table: HashTable<u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { values: Vec::new(), hashes: Vec::new(), table: HashTable::new() }
    }
}

impl<T: Eq + Hash> Interner<T> {
    /// The number of a value, and whether it is new.
    pub(super) fn number(&mut self, value: T) -> (u32, bool) {
        let hash = Mixer::of(&value);
        let Self { values, hashes, table } = self;
        if let Some(&found) = table.find(hash, |&other| values[other as usize] == value) {
            return (found, false);
        }
        let number = values.len() as u32;
        values.push(value);
        hashes.push(hash);
        table.insert_unique(hash, number, |&other| hashes[other as usize]);
        (number, true)
    }
}

impl<T> Interner<T> {
    pub(super) fn value(&self, number: u32) -> &T {
        &self.values[number as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn values(&self) -> &[T] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value whose hash is always the same.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Colliding(u32);

    impl Hash for Colliding {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write_u8(1);
        }
    }

    #[test]
    fn colliding_values_keep_their_numbers() {
        let mut interner = Interner::default();
        for round in [true, false] {
            for value in 0..100 {
                assert_eq!(interner.number(Colliding(value)), (value, round));
            }
        }
        assert_eq!(interner.len(), 100);
        assert_eq!(*interner.value(7), Colliding(7));
    }
}
