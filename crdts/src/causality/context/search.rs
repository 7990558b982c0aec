//! Many dots at once: sorting them, and finding one among ranges.

use super::DotRange;
use crate::{causality::Dot, clock::ReplicaId};

/// How many replicas are worth a row of bits each.
const ROWS_MAX: usize = 16;

/// Sorts dots of few replicas, and drops those that are there twice, if the counters span not much more than there are dots.
/// Otherwise leaves them as they are, and returns false.
pub(super) fn sort_by_bits(dots: &mut Vec<Dot>) -> bool {
    let mut rows: Vec<DotRange> = Vec::new();
    for &dot in &*dots {
        if let Some(row) = rows.iter_mut().find(|row| row.replica == dot.replica) {
            (row.first, row.last) = (row.first.min(dot.counter), row.last.max(dot.counter));
        } else if rows.len() < ROWS_MAX {
            rows.push(dot.into());
        } else {
            return false;
        }
    }
    rows.sort_unstable();
    let words = |row: &DotRange| (row.last - row.first) / 64 + 1;
    // No more memory than the dots take.
    if rows.iter().map(|row| u128::from(words(row))).sum::<u128>() > dots.len() as u128 {
        return false;
    }
    let mut bits: Vec<Vec<u64>> = rows.iter().map(|row| vec![0; words(row) as usize]).collect();
    for &dot in &*dots {
        if let Some(at) = rows.iter().position(|row| row.replica == dot.replica) {
            let offset = dot.counter - rows[at].first;
            bits[at][(offset / 64) as usize] |= 1 << (offset % 64);
        }
    }
    dots.clear();
    for (row, words) in rows.iter().zip(bits) {
        for (at, mut word) in words.into_iter().enumerate() {
            while word != 0 {
                let offset = at as u64 * 64 + u64::from(word.trailing_zeros());
                dots.push(Dot::new(row.replica, row.first + offset));
                word &= word - 1;
            }
        }
    }
    true
}

/// How many ranges end before the dot: found in steps that double, so that what lies near is found at once, and what lies far
/// without looking at everything before.
pub(super) fn reach(ranges: &[DotRange], replica: ReplicaId, first: u64) -> usize {
    let before = |range: &DotRange| (range.replica, range.last) < (replica, first);
    let mut bound = 1;
    while ranges.get(bound - 1).is_some_and(before) {
        bound *= 2;
    }
    let low = bound / 2;
    low + ranges[low..ranges.len().min(bound)].partition_point(before)
}
