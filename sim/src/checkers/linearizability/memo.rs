//! The memo: configurations from which the search need not start again.
//!
//! A configuration is a position, a state, the writes that are still due, the reads that are still due, and the options
//! that were used. Of two that agree on the first three, one *dominates* the other if what it still has to read and what
//! it has used up are both contained in the other's: whatever leads the other to the end does so from the first one too.
//!
//! Invariant: keys are compared word by word; a hash only chooses where to look. Entries of one key do not dominate the
//! ones that came later.
//!
//! What is deliberately absent: forgetting. The budget ends the search instead.

use hashbrown::HashTable;

use super::intern::Mixer;

const NONE: u32 = u32::MAX;

/// The configurations seen so far.
pub(super) struct Memo {
    key_words: usize,
    load_words: usize,
    table: HashTable<u32>,
    keys: Vec<u64>,
    /// The first load of each key.
    first: Vec<u32>,
    loads: Vec<u64>,
    /// The next load of the same key.
    next: Vec<u32>,
}

impl Memo {
    /// Keys and loads have this many words each.
    pub(super) fn new(key_words: usize, load_words: usize) -> Self {
        Self {
            key_words,
            load_words,
            table: HashTable::new(),
            keys: Vec::new(),
            first: Vec::new(),
            loads: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Remembers a configuration, unless one that dominates it is known already. Was it remembered?
    pub(super) fn insert(&mut self, key: &[u64], load: &[u64]) -> bool {
        let hash = Mixer::of_words(key);
        let (words, keys) = (self.key_words, &self.keys);
        let of = |number: u32| &keys[number as usize * words..][..words];
        if let Some(&number) = self.table.find(hash, |&number| of(number) == key) {
            return self.insert_load(number as usize, load);
        }
        let number = self.first.len() as u32;
        self.keys.extend_from_slice(key);
        self.first.push(NONE);
        self.push_load(number as usize, load);
        let keys = &self.keys;
        self.table.insert_unique(hash, number, |&other| Mixer::of_words(&keys[other as usize * words..][..words]));
        true
    }

    /// About how much memory is held.
    pub(super) fn bytes(&self) -> usize {
        (self.keys.len() + self.loads.len()) * 8 + (self.first.len() + self.next.len()) * 4 + self.first.len() * 10
    }

    fn insert_load(&mut self, key: usize, load: &[u64]) -> bool {
        let mut at = self.first[key];
        while at != NONE {
            let start = at as usize * self.load_words;
            let known = &mut self.loads[start..start + self.load_words];
            if known.iter().zip(load).all(|(known, new)| known & !new == 0) {
                return false;
            }
            if known.iter().zip(load).all(|(known, new)| new & !*known == 0) {
                known.copy_from_slice(load);
                return true;
            }
            at = self.next[at as usize];
        }
        self.push_load(key, load);
        true
    }

    fn push_load(&mut self, key: usize, load: &[u64]) {
        let number = self.next.len() as u32;
        self.loads.extend_from_slice(load);
        self.next.push(self.first[key]);
        self.first[key] = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dominated_is_not_remembered() {
        let mut memo = Memo::new(2, 1);
        assert!(memo.insert(&[1, 2], &[0b0110]));
        assert!(!memo.insert(&[1, 2], &[0b0110]), "the same");
        assert!(!memo.insert(&[1, 2], &[0b1110]), "it has more to do");
        assert!(memo.insert(&[1, 2], &[0b1001]), "neither contains the other");
        assert!(memo.insert(&[1, 2], &[0b0010]), "it has less to do");
        assert!(!memo.insert(&[1, 2], &[0b0110]));
        assert!(memo.insert(&[1, 3], &[0b0110]), "another key");
    }

    #[test]
    fn a_configuration_without_load_is_remembered_once() {
        let mut memo = Memo::new(1, 0);
        assert!(memo.insert(&[7], &[]));
        assert!(!memo.insert(&[7], &[]));
    }
}
