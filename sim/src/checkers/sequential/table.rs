//! Numbers for values, and rows of numbers: what the search remembers.
//!
//! Invariant: equal numbers mean equal values. Hashes say where to look, and never what is equal; they are the same in
//! every run.
//!
//! What is deliberately absent: eviction. The budget ends the search instead.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use hashbrown::HashTable;

type Fixed = BuildHasherDefault<DefaultHasher>;

/// Values by number, and back.
pub(super) struct Numbers<T> {
    values: Vec<T>,
    table: HashTable<u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { values: Vec::new(), table: HashTable::new() }
    }
}

impl<T: Eq + Hash> Numbers<T> {
    /// The number of a value, and whether it is new.
    pub(super) fn number(&mut self, value: T) -> (u32, bool) {
        let Self { values, table } = self;
        let hash = Fixed::default().hash_one(&value);
        if let Some(&found) = table.find(hash, |&other| values[other as usize] == value) {
            return (found, false);
        }
        let number = values.len() as u32;
        values.push(value);
        table.insert_unique(hash, number, |&other| Fixed::default().hash_one(&values[other as usize]));
        (number, true)
    }

    pub(super) fn values(&self) -> &[T] {
        &self.values
    }
}

/// Rows of equal length that were seen.
pub(super) struct Rows {
    length: usize,
    cells: Vec<u32>,
    table: HashTable<u32>,
}

impl Rows {
    pub(super) fn new(length: usize) -> Self {
        Self { length, cells: Vec::new(), table: HashTable::new() }
    }

    /// Remembers a row. Is it new?
    pub(super) fn insert(&mut self, row: &[u32]) -> bool {
        let Self { length, cells, table } = self;
        let at = |number: u32| number as usize * *length..(number as usize + 1) * *length;
        let hash = Fixed::default().hash_one(row);
        if table.find(hash, |&other| cells[at(other)] == *row).is_some() {
            return false;
        }
        let number = (cells.len() / *length) as u32;
        cells.extend_from_slice(row);
        table.insert_unique(hash, number, |&other| Fixed::default().hash_one(&cells[at(other)]));
        true
    }

    /// About how much memory is held.
    pub(super) fn bytes(&self) -> usize {
        self.cells.len() * 4 + self.table.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use super::*;

    /// A value whose hash is always the same.
    #[derive(PartialEq, Eq)]
    struct Colliding(u32);

    impl Hash for Colliding {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write_u8(1);
        }
    }

    #[test]
    fn colliding_values_keep_their_numbers() {
        let mut numbers = Numbers::default();
        for round in [true, false] {
            for value in 0..100 {
                assert_eq!(numbers.number(Colliding(value)), (value, round));
            }
        }
        assert_eq!(numbers.values().len(), 100);
    }

    #[test]
    fn rows_are_new_once() {
        let mut rows = Rows::new(2);
        for round in [true, false] {
            for cell in 0..100 {
                assert_eq!(rows.insert(&[cell / 10, cell % 10]), round);
            }
        }
    }
}
