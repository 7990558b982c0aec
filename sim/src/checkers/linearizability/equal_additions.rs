//! Counters to which one amount is added over and over: an exact answer in `O(n log n)`, without a search.
//!
//! Totals are counted in additions then. They only grow, and additions differ in their times alone, so that there is never a
//! choice. Go from return to return. A read is answered as soon as it is there and the total is what it returned. An
//! addition is made only when it has to be: it returns, or a read returns that was told more; then the one with the first
//! deadline goes first, and one of unknown fate, which has no deadline, last.
//!
//! Why that is exact: take any linearization. An addition that is moved later, up to the return that forces it, is in the
//! way of no read, because reads that are there when the total passes them are answered in passing. Two additions that are
//! both there can change places, as long as the one that now comes later still meets its deadline, which the one with the
//! first deadline ensures. By such steps the linearization becomes the one that is made here; so this total is the smallest
//! possible at every return, and where it exceeds a read, or too few additions are there, no other would do.
//!
//! It is not enough to hold every read against what was acknowledged before and invoked by then, and against earlier reads:
//! of two additions, one from 0 to 10 and one from 4 to 5, reads of 1 from 2 to 3 and from 6 to 8 are within these bounds,
//! and do not fall; but the first read needs the first addition, and then the second one has to be seen.
//!
//! What is deliberately absent: two amounts. Already to tell which of them a single read saw is the subset-sum problem.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

/// What the answer relies on. Mutants of it are in the tests.
pub(super) trait Rules {
    /// The addition with the first deadline goes first.
    const FIRST_DEADLINE_FIRST: bool = true;
    /// Additions of unknown fate go last.
    const UNKNOWN_FATE_LAST: bool = true;
    /// An addition can be used from its invocation on, and not earlier.
    const ADDITIONS_ARRIVE: bool = true;
}

/// The rules as they should be.
pub(super) enum Sound {}

impl Rules for Sound {}

/// Are additions, `(amount, invoked, returned)`, and reads, `(total, invoked, returned)`, linearizable? `None` if more than
/// one amount is added, zero apart.
pub(super) fn judge<R: Rules>(adds: &[(i64, u64, Option<u64>)], reads: &[(i128, u64, u64)]) -> Option<bool> {
    let mut unit = 0;
    for &(amount, ..) in adds.iter().filter(|(amount, ..)| *amount != 0) {
        if unit != 0 && unit != amount {
            return None;
        }
        unit = amount;
    }
    let unit = if unit == 0 { 1 } else { i128::from(unit) };
    let mut calls: Vec<(Option<i128>, u64, Option<u64>)> = Vec::new();
    for &(total, invoked, returned) in reads {
        if total.checked_rem(unit) != Some(0) || total.checked_div(unit).is_none_or(|count| count < 0) {
            return Some(false);
        }
        calls.push((Some(total / unit), invoked, Some(returned)));
    }
    let counting = adds.iter().filter(|(amount, ..)| *amount != 0);
    calls.extend(counting.map(|&(_, invoked, returned)| (None, invoked, returned)));
    calls.sort_unstable_by_key(|(_, invoked, _)| *invoked);
    let mut returns: Vec<(u64, usize)> =
        calls.iter().enumerate().filter_map(|(at, (_, _, returned))| Some(((*returned)?, at))).collect();
    returns.sort_unstable();
    let mut count = Count { is_done: vec![false; calls.len()], ..Count::default() };
    let mut arrived = 0;
    for (now, at) in returns {
        while let Some((read, _, returned)) =
            calls.get(arrived).filter(|(read, invoked, _)| *invoked <= now || (read.is_none() && !R::ADDITIONS_ARRIVE))
        {
            if !count.arrive::<R>(arrived, *read, *returned) {
                return Some(false);
            }
            arrived += 1;
        }
        if count.is_done[at] {
            continue;
        }
        let wanted = calls[at].0.unwrap_or(count.total + 1);
        while count.total < wanted {
            if !count.add::<R>() {
                return Some(false);
            }
        }
    }
    Some(true)
}

/// How far the count is.
#[derive(Default)]
struct Count {
    total: i128,
    /// Which calls are linearized.
    is_done: Vec<bool>,
    /// Additions that are there and were not made, by deadline.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    /// How many additions of unknown fate are there and were not made.
    unknown: usize,
    /// Reads that are there and wait for a total.
    waiting: BTreeMap<i128, Vec<usize>>,
}

impl Count {
    /// A call is invoked. False if it is a read of less than there must be.
    fn arrive<R: Rules>(&mut self, call: usize, read: Option<i128>, returned: Option<u64>) -> bool {
        match (read, returned) {
            (Some(total), _) if total < self.total => return false,
            (Some(total), _) if total == self.total => self.is_done[call] = true,
            (Some(total), _) => self.waiting.entry(total).or_default().push(call),
            (None, Some(returned)) if R::FIRST_DEADLINE_FIRST => self.due.push(Reverse((returned, call))),
            (None, Some(returned)) => self.due.push(Reverse((u64::MAX - returned, call))),
            (None, None) => self.unknown += 1,
        }
        true
    }

    /// Makes an addition. False if there is none.
    fn add<R: Rules>(&mut self) -> bool {
        if self.unknown > 0 && (!R::UNKNOWN_FATE_LAST || self.due.is_empty()) {
            self.unknown -= 1;
        } else if let Some(Reverse((_, call))) = self.due.pop() {
            self.is_done[call] = true;
        } else {
            return false;
        }
        self.total += 1;
        for read in self.waiting.remove(&self.total).unwrap_or_default() {
            self.is_done[read] = true;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_histories() {
        let adds = [(3, 0, Some(10)), (3, 4, Some(5)), (0, 0, Some(99))];
        for (reads, expected) in [
            (vec![(0, 0, 1), (3, 2, 3), (6, 6, 8)], true),
            (vec![(3, 2, 3), (3, 6, 8)], false),
            (vec![(3, 6, 8)], true),
            (vec![(0, 6, 8)], false),
            (vec![(9, 11, 12)], false),
            (vec![(4, 0, 12)], false),
            (vec![(-3, 0, 12)], false),
        ] {
            assert_eq!(judge::<Sound>(&adds, &reads), Some(expected), "{reads:?}");
        }
        assert_eq!(judge::<Sound>(&[(1, 0, None), (2, 0, None)], &[]), None);
        assert_eq!(judge::<Sound>(&[(-2, 0, None)], &[(-2, 0, 1), (-2, 2, 3)]), Some(true));
        assert_eq!(judge::<Sound>(&[(-1, 0, None)], &[(i128::MIN, 0, 1)]), Some(false));
        assert_eq!(judge::<Sound>(&[], &[(0, 0, 1)]), Some(true));
        assert_eq!(judge::<Sound>(&[(0, 0, None)], &[(1, 0, 1)]), Some(false));
    }
}
