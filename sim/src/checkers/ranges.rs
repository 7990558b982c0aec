//! Sets of integers as ranges.
//!
//! Invariant: ranges are closed, ascending, disjoint and not adjacent, so that a set has exactly one form.
//!
//! ```
//! use sim::checkers::ranges::Ranges;
//! let mut sums = Ranges::single(8);
//! sums.add_shifted(1);
//! sums.add_shifted(1);
//! sums.add_shifted(5);
//! assert_eq!(sums.iter().collect::<Vec<_>>(), [(8, 10), (13, 15)]);
//! ```

/// A non-empty set of integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges {
    ranges: Vec<(i128, i128)>,
}

impl Ranges {
    /// The set of one integer.
    pub fn single(value: i128) -> Self {
        Self { ranges: vec![(value, value)] }
    }

    /// Adds for every member `v` also `v + by`.
    ///
    /// # Panics
    /// When a sum is outside of 128 bits.
    pub fn add_shifted(&mut self, by: i128) {
        let shifted = self.ranges.iter().map(|&(low, high)| (low + by, high + by));
        let mut left = self.ranges.iter().copied().peekable();
        let mut right = shifted.peekable();
        let mut merged: Vec<(i128, i128)> = Vec::with_capacity(self.ranges.len() + 1);
        loop {
            let next = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if a.0 <= b.0 => left.next(),
                (Some(_), None) => left.next(),
                (_, Some(_)) => right.next(),
                (None, None) => None,
            };
            let Some((low, high)) = next else { break };
            match merged.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
                _ => merged.push((low, high)),
            }
        }
        self.ranges = merged;
    }

    /// Is `value` in the set?
    pub fn contains(&self, value: i128) -> bool {
        let after = self.ranges.partition_point(|&(low, _)| low <= value);
        after > 0 && value <= self.ranges[after - 1].1
    }

    /// Is any integer from `low` to `high` in the set?
    pub fn meets(&self, low: i128, high: i128) -> bool {
        let after = self.ranges.partition_point(|&(first, _)| first <= high);
        after > 0 && low <= high && low <= self.ranges[after - 1].1
    }

    /// The number of ranges.
    #[expect(clippy::len_without_is_empty, reason = "the set is never empty")]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The ranges, ascending, both ends included.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (i128, i128)> + '_ {
        self.ranges.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn shifting_agrees_with_a_set_of_numbers(start in -20_i128..20, shifts in prop::collection::vec(-12_i128..12, 0..9)) {
            let mut ranges = Ranges::single(start);
            let mut numbers = BTreeSet::from([start]);
            for by in shifts {
                ranges.add_shifted(by);
                numbers.extend(numbers.clone().into_iter().map(|v| v + by));
                for (a, b) in ranges.iter().zip(ranges.iter().skip(1)) {
                    prop_assert!(a.0 <= a.1 && a.1 + 1 < b.0, "{a:?} and {b:?} are not apart");
                }
            }
            let members: BTreeSet<i128> = ranges.iter().flat_map(|(low, high)| low..=high).collect();
            prop_assert_eq!(&members, &numbers);
            for value in -150..150 {
                prop_assert_eq!(ranges.contains(value), numbers.contains(&value));
                for length in [-1, 0, 3] {
                    let is_met = (value..=value + length).any(|member| numbers.contains(&member));
                    prop_assert_eq!(ranges.meets(value, value + length), is_met);
                }
            }
        }
    }
}
