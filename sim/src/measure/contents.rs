//! Contents: which updates the answer to each read contains.
//!
//! A row of bits per read, by the number of the update (its place among the updates in the order of invocation). Rows take at
//! most [`BYTES_MAX`]; beyond, they are given up, and what depends on them is reported as unknown.

use crate::kernel::ids::OpId;

/// The most memory that the rows may take.
pub const BYTES_MAX: usize = 1 << 26;

/// The contents of all answers to reads.
#[derive(Clone, Debug, Default)]
pub struct ReadContents {
    /// The read, and where its row ends.
    reads: Vec<(OpId, usize)>,
    rows: Vec<u64>,
    is_exhausted: bool,
}

impl ReadContents {
    /// Adds the content of a read.
    pub fn push(&mut self, read: OpId, row: impl Iterator<Item = u64>) {
        if self.is_exhausted {
            return;
        }
        self.rows.extend(row);
        // Zeros at the end say nothing.
        let before = self.reads.last().map_or(0, |(_, end)| *end);
        while self.rows.len() > before && self.rows.last() == Some(&0) {
            self.rows.pop();
        }
        self.reads.push((read, self.rows.len()));
        self.is_exhausted = self.bytes() > BYTES_MAX as u64;
        if self.is_exhausted {
            (self.rows, self.reads) = (Vec::new(), Vec::new());
        }
    }

    /// Were the rows given up for their size?
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// The reads with the bits of the updates that they contain; words of zeros at the end are left out.
    pub fn reads(&self) -> impl Iterator<Item = (OpId, &[u64])> {
        let mut from = 0;
        self.reads.iter().map(move |&(read, end)| (read, &self.rows[std::mem::replace(&mut from, end)..end]))
    }

    /// The memory held, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        (self.rows.capacity() * size_of::<u64>() + self.reads.capacity() * size_of::<(OpId, usize)>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let mut contents = ReadContents::default();
        contents.push(OpId(4), [0b101, 0, 1 << 63].into_iter());
        contents.push(OpId(5), [0, 0].into_iter());
        contents.push(OpId(9), [2].into_iter());
        let reads: Vec<(u32, &[u64])> = contents.reads().map(|(op, row)| (op.0, row)).collect();
        assert_eq!(reads, [(4, &[0b101, 0, 1 << 63][..]), (5, &[]), (9, &[2])]);
    }

    #[test]
    fn too_much_is_given_up() {
        let mut contents = ReadContents::default();
        contents.push(OpId(0), std::iter::repeat_n(1, BYTES_MAX / 8 + 1));
        contents.push(OpId(1), [1].into_iter());
        assert!(contents.is_exhausted());
        assert_eq!((contents.reads().count(), contents.bytes()), (0, 0));
    }
}
