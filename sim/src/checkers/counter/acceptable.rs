//! The acceptable totals: a fixed amount plus any subset of others, exactly.
//!
//! Sums of subsets are exponential at worst, so the work is bounded: equal amounts are taken together, a negative amount
//! becomes a positive one with another start, a common divisor is taken out, and small amounts go first, which merges
//! ranges early. A set that still needs more than [`RANGES_MAX`] ranges is not computed; a total outside its bounds is
//! refused all the same, and any other is unknown.
//!
//! ```
//! use sim::checkers::counter::{Acceptable, Addition, Fate};
//!
//! let addition = |amount, fate| Addition { call: 0, amount, invoked: 0, fate };
//! let additions = [addition(3, Fate::Acknowledged(1)), addition(5, Fate::Indeterminate), addition(9, Fate::Failed)];
//! let acceptable = Acceptable::of_additions(additions);
//! assert_eq!(acceptable.to_string(), "3, 8");
//! assert_eq!(acceptable.contains(4), Some(false));
//! ```
//!
//! What is deliberately absent: time. Whoever asks decides which amounts are certain and which are not.

use std::{collections::BTreeMap, fmt};

use crdts::objects::counter::Counter;

use super::{
    SHOWN_MAX,
    ledger::{Addition, Fate},
};
use crate::{checkers::ranges::Ranges, history::History};

/// The most ranges that an acceptable set is computed with.
pub const RANGES_MAX: usize = 100_000;
/// The most ranges that are visited, over all steps, to compute a set.
const WORK_MAX: usize = 50_000_000;

/// The acceptable totals of a history.
#[derive(Clone, Debug)]
pub struct Acceptable {
    /// The smallest acceptable total.
    low: i128,
    /// The largest acceptable total.
    high: i128,
    /// All acceptable totals are `low` plus a multiple of this; at least 1.
    step: i128,
    /// The acceptable totals as `(total - low) / step`; `None` when there were too many ranges.
    steps: Option<Ranges>,
    acknowledged: u64,
    indeterminate: u64,
    failed: u64,
}

impl Acceptable {
    /// The acceptable totals after all of a history.
    pub fn of(history: &History<Counter>) -> Self {
        Self::of_additions(history.updates().filter_map(Addition::of))
    }

    /// The acceptable totals after these additions.
    pub fn of_additions(additions: impl IntoIterator<Item = Addition>) -> Self {
        let mut acceptable =
            Self { low: 0, high: 0, step: 1, steps: None, acknowledged: 0, indeterminate: 0, failed: 0 };
        let mut magnitudes = BTreeMap::<u64, u64>::new();
        for addition in additions {
            let amount = addition.amount;
            match addition.fate {
                Fate::Acknowledged(_) => {
                    acceptable.acknowledged += 1;
                    acceptable.low += i128::from(amount);
                    acceptable.high += i128::from(amount);
                }
                Fate::Indeterminate => {
                    acceptable.indeterminate += 1;
                    acceptable.low += i128::from(amount.min(0));
                    acceptable.high += i128::from(amount.max(0));
                    *magnitudes.entry(amount.unsigned_abs()).or_default() += 1;
                }
                Fate::Failed => acceptable.failed += 1,
            }
        }
        magnitudes.remove(&0);
        let divisor = magnitudes.keys().copied().fold(0, greatest_common_divisor).max(1);
        acceptable.step = i128::from(divisor);
        let amounts = magnitudes.into_iter().map(|(amount, times)| (i128::from(amount / divisor), times));
        acceptable.steps = subset_sums(amounts, &mut { WORK_MAX });
        acceptable
    }

    /// Is `total` acceptable? `None` when the set has too many ranges to tell.
    pub fn contains(&self, total: i128) -> Option<bool> {
        if total < self.low || total > self.high || (total - self.low) % self.step != 0 {
            return Some(false);
        }
        self.steps.as_ref().map(|steps| steps.contains((total - self.low) / self.step))
    }

    /// How many additions were acknowledged, are indeterminate, and failed.
    pub(super) fn additions(&self) -> String {
        format!(
            "additions: {} acknowledged, {} indeterminate, {} failed",
            self.acknowledged, self.indeterminate, self.failed
        )
    }

    /// Nothing could be lost or counted wrongly.
    pub(super) fn is_untested(&self) -> bool {
        self.acknowledged + self.indeterminate + self.failed == 0
    }

    fn write_range(&self, f: &mut fmt::Formatter<'_>, first: i128, last: i128) -> fmt::Result {
        let [low, high] = [first, last].map(|steps| self.low + self.step * steps);
        match (last - first, self.step) {
            (0, _) => write!(f, "{low}"),
            (1, 2..) => write!(f, "{low}, {high}"),
            (_, 1) => write!(f, "{low}..={high}"),
            (_, step) => write!(f, "{low}..={high} by {step}"),
        }
    }
}

impl fmt::Display for Acceptable {
    /// As ranges: `8..=10, 13..=15`; `0..=50 by 10` for every tenth. Only the first few of many ranges are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(steps) = &self.steps else {
            f.write_str("within ")?;
            self.write_range(f, 0, (self.high - self.low) / self.step)?;
            return write!(f, ", in more than {RANGES_MAX} ranges");
        };
        for (k, (first, last)) in steps.iter().take(SHOWN_MAX).enumerate() {
            f.write_str(if k == 0 { "" } else { ", " })?;
            self.write_range(f, first, last)?;
        }
        match steps.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, " and {more} more ranges up to {}", self.high),
        }
    }
}

/// The sums of all subsets of amounts, each of which is there so many times. `None` beyond [`RANGES_MAX`] ranges, or when
/// no work is left. Amounts should ascend in magnitude.
pub(super) fn subset_sums(amounts: impl Iterator<Item = (i128, u64)>, work: &mut usize) -> Option<Ranges> {
    let mut sums = Ranges::single(0);
    for (amount, times) in amounts {
        // Taking 1, 2, 4, … and the rest of the copies at once reaches every number of copies in few steps.
        let (mut left, mut chunk) = (times, 1);
        while left > 0 {
            let taken = chunk.min(left);
            sums.add_shifted(amount * i128::from(taken));
            left -= taken;
            chunk *= 2;
            *work = work.saturating_sub(sums.len());
            if sums.len() > RANGES_MAX || *work == 0 {
                return None;
            }
        }
    }
    Some(sums)
}

pub(super) fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn acceptable(ok: &[i64], info: &[i64], fail: &[i64]) -> Acceptable {
        let of = |amounts: &[i64], fate: Fate| {
            amounts.iter().map(|&amount| Addition { call: 0, amount, invoked: 1, fate }).collect::<Vec<_>>()
        };
        let fates = [(ok, Fate::Acknowledged(2)), (info, Fate::Indeterminate), (fail, Fate::Failed)];
        Acceptable::of_additions(fates.into_iter().flat_map(|(amounts, fate)| of(amounts, fate)))
    }

    #[test]
    fn known_sets() {
        for (ok, info, shown) in [
            (&[10][..], &[5, -1, -1][..], "8..=10, 13..=15"),
            (&[2, 3], &[], "5"),
            (&[], &[], "0"),
            (&[], &[0, 0], "0"),
            (&[1], &[10; 5], "1..=51 by 10"),
            (&[1], &[-10], "-9, 1"),
            (&[i64::MAX, i64::MAX], &[i64::MIN], "9223372036854775806, 18446744073709551614"),
            (&[], &[1, 4, 16, 64], "0..=1, 4..=5, 16..=17, 20..=21, 64..=65, 68..=69, 80..=81, 84..=85"),
            (
                &[],
                &[1, 4, 16, 64, 256],
                "0..=1, 4..=5, 16..=17, 20..=21, 64..=65, 68..=69, 80..=81, 84..=85 and 8 more ranges up to 341",
            ),
        ] {
            assert_eq!(acceptable(ok, info, &[7]).to_string(), shown, "ok {ok:?}, info {info:?}");
        }
    }

    #[test]
    fn thousands_of_indeterminate_additions_are_exact() {
        let mixed: Vec<i64> = (0..20_000).map(|k| (k * 7_919) % 1_001 - 500).collect();
        let totals = acceptable(&[], &mixed, &[]);
        assert_eq!(totals.contains(0), Some(true));
        assert_eq!(totals.steps.as_ref().map(Ranges::len), Some(1));
        let equal = acceptable(&[], &vec![1_000_000_007; 50_000], &[]);
        assert_eq!(equal.contains(1_000_000_007 * 49_999), Some(true));
        assert_eq!(equal.contains(1_000_000_007 * 49_999 + 1), Some(false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn the_set_is_that_of_all_subsets(
            ok in prop::collection::vec(-9_i64..9, 0..5),
            info in prop_oneof![
                prop::collection::vec(-6_i64..6, 0..11),
                prop::collection::vec((-3_i64..3).prop_map(|k| k * 15), 0..11),
                prop::collection::vec(-300_i64..300, 0..9),
            ],
            fail in prop::collection::vec(-9_i64..9, 0..3),
        ) {
            let base: i128 = ok.iter().copied().map(i128::from).sum();
            let sums: BTreeSet<i128> = (0_u32..1 << info.len())
                .map(|subset| {
                    let chosen = info.iter().enumerate().filter(|(k, _)| subset & (1 << k) != 0);
                    base + chosen.map(|(_, &amount)| i128::from(amount)).sum::<i128>()
                })
                .collect();
            let acceptable = acceptable(&ok, &info, &fail);
            let around = sums.first().copied().unwrap_or(0) - 20..=sums.last().copied().unwrap_or(0) + 20;
            for total in around {
                prop_assert_eq!(acceptable.contains(total), Some(sums.contains(&total)), "{}", total);
            }
        }
    }
}
