//! The counter's checkers: which totals do the operations allow?
//!
//! An acknowledged addition must count, a definitely failed one must not, and an indeterminate one may. So the acceptable
//! totals are the sum of the acknowledged amounts plus the sum of any subset of the indeterminate ones. [`Acceptable`]
//! holds this set exactly.
//!
//! Sums of subsets are exponential at worst, so the work is bounded: equal amounts are taken together, a negative amount
//! becomes a positive one with another start, a common divisor is taken out, and small amounts go first, which merges
//! ranges early. A set that still needs more than [`RANGES_MAX`] ranges is not computed; a total outside its bounds is
//! refused all the same, and any other is unknown.
//!
//! ```
//! use crdts::objects::counter::{Counter, CounterOp, CounterRet};
//! use sim::{checkers::{Verdict, counter::{Acceptable, check_agreed}}, history::{History, Outcome}};
//!
//! let mut history = History::<Counter>::new(1);
//! let add = history.invoke(0, 0, CounterOp::Add(10), 0);
//! history.complete(add, 1, Outcome::Ok(CounterRet::Added));
//! for amount in [5, -1, -1] {
//!     let add = history.invoke(0, 0, CounterOp::Add(amount), 2);
//!     history.complete(add, 3, Outcome::Info("timeout"));
//! }
//! let acceptable = Acceptable::of(&history);
//! assert_eq!(acceptable.to_string(), "8..=10, 13..=15");
//! assert_eq!(check_agreed(9, &acceptable), Verdict::Pass);
//! assert!(matches!(check_agreed(11, &acceptable), Verdict::Fail { .. }));
//! ```
//!
//! These checkers look at the end only: they say nothing about reads in the middle of a run, nor about when replicas
//! began to agree.

use std::{collections::BTreeMap, fmt};

use crdts::objects::counter::{Counter, CounterOp, CounterRet};

use super::{CheckerDoc, Verdict, ranges::Ranges};
use crate::history::{History, Outcome};

/// The most ranges that an acceptable set is computed with.
pub const RANGES_MAX: usize = 100_000;
/// The most ranges that are visited, over all steps, to compute a set.
const WORK_MAX: usize = 50_000_000;
/// The most ranges, and the most reads, that are spelt out for a person.
const SHOWN_MAX: usize = 8;

/// [`check_final_reads`].
pub const FINAL_READS: CheckerDoc = CheckerDoc {
    name: "final-reads",
    object: "counter",
    doc: "every final read returns the acknowledged additions plus any subset of the indeterminate ones",
};

/// [`check_agreed`].
pub const AGREED: CheckerDoc = CheckerDoc {
    name: "agreed-value",
    object: "counter",
    doc: "the total all replicas agree on is the acknowledged additions plus any subset of the indeterminate ones",
};

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
    /// Computes the acceptable totals.
    pub fn of(history: &History<Counter>) -> Self {
        let mut acceptable =
            Self { low: 0, high: 0, step: 1, steps: None, acknowledged: 0, indeterminate: 0, failed: 0 };
        let mut magnitudes = BTreeMap::<u64, u64>::new();
        for operation in history.updates() {
            let CounterOp::Add(amount) = operation.op else { continue };
            match operation.outcome {
                Outcome::Ok(_) => {
                    acceptable.acknowledged += 1;
                    acceptable.low += i128::from(amount);
                    acceptable.high += i128::from(amount);
                }
                Outcome::Info(_) | Outcome::Pending => {
                    acceptable.indeterminate += 1;
                    acceptable.low += i128::from(amount.min(0));
                    acceptable.high += i128::from(amount.max(0));
                    *magnitudes.entry(amount.unsigned_abs()).or_default() += 1;
                }
                Outcome::Fail(_) => acceptable.failed += 1,
            }
        }
        magnitudes.remove(&0);
        let divisor = magnitudes.keys().copied().fold(0, greatest_common_divisor).max(1);
        acceptable.step = i128::from(divisor);
        acceptable.steps = subset_sums(magnitudes.into_iter().map(|(amount, times)| (amount / divisor, times)));
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
    fn additions(&self) -> String {
        format!(
            "additions: {} acknowledged, {} indeterminate, {} failed",
            self.acknowledged, self.indeterminate, self.failed
        )
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

/// The sums of all subsets of amounts, each of which is there `times` times; `None` beyond the limits. Amounts ascend.
fn subset_sums(amounts: impl Iterator<Item = (u64, u64)>) -> Option<Ranges> {
    let mut sums = Ranges::single(0);
    let mut work = 0;
    for (amount, times) in amounts {
        // Taking 1, 2, 4, … and the rest of the copies at once reaches every number of copies in few steps.
        let (mut left, mut chunk) = (times, 1);
        while left > 0 {
            let taken = chunk.min(left);
            sums.add_shifted(i128::from(amount) * i128::from(taken));
            left -= taken;
            chunk *= 2;
            work += sums.len();
            if sums.len() > RANGES_MAX || work > WORK_MAX {
                return None;
            }
        }
    }
    Some(sums)
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Does every final read that succeeded return an acceptable total? Fails when none succeeded: nothing shows then that the
/// additions are still there.
pub fn check_final_reads(history: &History<Counter>, acceptable: &Acceptable) -> Verdict {
    let (mut invoked, mut succeeded, mut unknown) = (0_u64, 0_u64, 0_u64);
    let mut wrong = Vec::new();
    for read in history.final_reads() {
        invoked += 1;
        let Outcome::Ok(ret) = &read.outcome else { continue };
        succeeded += 1;
        let verdict = match ret {
            CounterRet::Total(total) => acceptable.contains(*total),
            CounterRet::Added => Some(false),
        };
        match (verdict, ret) {
            (Some(true), _) => {}
            (None, _) => unknown += 1,
            (Some(false), CounterRet::Total(total)) => {
                wrong.push(format!("read {} at n{} returned {total}", read.id, u64::from(read.replica) + 1));
            }
            (Some(false), CounterRet::Added) => {
                wrong.push(format!("read {} at n{} returned no total", read.id, u64::from(read.replica) + 1));
            }
        }
    }
    if succeeded == 0 {
        return Verdict::Fail { witness: format!("none of {invoked} final reads succeeded") };
    }
    if !wrong.is_empty() {
        let bad = wrong.len();
        let more = bad.saturating_sub(SHOWN_MAX);
        wrong.truncate(SHOWN_MAX);
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        return Verdict::Fail {
            witness: format!(
                "{bad} of {succeeded} final reads are not acceptable: {}{more}; acceptable: {acceptable} ({})",
                wrong.join(", "),
                acceptable.additions(),
            ),
        };
    }
    if unknown > 0 {
        return Verdict::Unknown { reason: too_many_ranges(acceptable) };
    }
    tested(acceptable)
}

/// Is the total that all replicas agree on acceptable?
pub fn check_agreed(total: i128, acceptable: &Acceptable) -> Verdict {
    match acceptable.contains(total) {
        Some(true) => tested(acceptable),
        Some(false) => Verdict::Fail {
            witness: format!("the agreed total {total} is not acceptable: {acceptable} ({})", acceptable.additions()),
        },
        None => Verdict::Unknown { reason: too_many_ranges(acceptable) },
    }
}

/// A pass, unless there was nothing that could be lost or counted wrongly.
fn tested(acceptable: &Acceptable) -> Verdict {
    if acceptable.acknowledged + acceptable.indeterminate + acceptable.failed == 0 {
        return Verdict::Vacuous { reason: "no addition was invoked".into() };
    }
    Verdict::Pass
}

fn too_many_ranges(acceptable: &Acceptable) -> String {
    format!("the acceptable totals are too scattered to compute: {acceptable} ({})", acceptable.additions())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A history of one client with these additions, and these final reads.
    fn history(ok: &[i64], info: &[i64], fail: &[i64], reads: &[i128]) -> History<Counter> {
        let mut history = History::<Counter>::new(1);
        let mut add = |amounts: &[i64], outcome: &Outcome<CounterRet>| {
            for &amount in amounts {
                let id = history.invoke(0, 0, CounterOp::Add(amount), 1);
                history.complete(id, 2, outcome.clone());
            }
        };
        add(ok, &Outcome::Ok(CounterRet::Added));
        add(info, &Outcome::Info("timeout"));
        add(fail, &Outcome::Fail("contention"));
        for (replica, &total) in reads.iter().enumerate() {
            let id = history.invoke_final_read(0, replica as u32, 3);
            history.complete(id, 4, Outcome::Ok(CounterRet::Total(total)));
        }
        history
    }

    fn final_reads(ok: &[i64], info: &[i64], fail: &[i64], reads: &[i128]) -> Verdict {
        let history = history(ok, info, fail, reads);
        check_final_reads(&history, &Acceptable::of(&history))
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
            assert_eq!(Acceptable::of(&history(ok, info, &[7], &[])).to_string(), shown, "ok {ok:?}, info {info:?}");
        }
    }

    #[test]
    fn sound_histories_pass() {
        assert_eq!(final_reads(&[10], &[5, -1, -1], &[100], &[8, 9, 15]), Verdict::Pass);
        assert_eq!(final_reads(&[2, 3], &[], &[], &[5, 5]), Verdict::Pass);
        assert_eq!(final_reads(&[], &[], &[7], &[0]), Verdict::Pass);
    }

    #[test]
    fn known_bad_specimens_fail() {
        for (ok, info, fail, reads, story) in [
            (&[2, 3][..], &[][..], &[][..], &[5, 4][..], "one replica lost an update"),
            (&[2, 3], &[], &[], &[8], "an update was applied twice"),
            (&[2], &[], &[4], &[6], "a failed update was applied"),
            (&[10], &[5, -1, -1], &[], &[11], "between two ranges"),
            (&[10], &[5, -1, -1], &[], &[7], "an indeterminate update was applied twice"),
            (&[1], &[10; 5], &[], &[12], "off the grid of a common divisor"),
            (&[1], &[], &[], &[i128::MAX, i128::MIN], "extreme totals"),
        ] {
            let verdict = final_reads(ok, info, fail, reads);
            assert!(matches!(verdict, Verdict::Fail { .. }), "{story}: {verdict}");
        }
        assert_eq!(
            final_reads(&[2, 3], &[], &[9], &[5, 4]).to_string(),
            "fail: 1 of 2 final reads are not acceptable: read 4 at n2 returned 4; acceptable: 5 \
             (additions: 2 acknowledged, 0 indeterminate, 1 failed)"
        );
    }

    #[test]
    fn many_wrong_reads_are_counted_and_some_are_named() {
        let Verdict::Fail { witness } = final_reads(&[1], &[], &[], &[2; 20]) else { panic!("20 wrong reads passed") };
        assert!(witness.starts_with("20 of 20 final reads"), "{witness}");
        assert!(witness.contains("read 8 at n8 returned 2, and 12 more;"), "{witness}");
    }

    #[test]
    fn no_successful_final_read_is_a_failure() {
        assert_eq!(final_reads(&[1], &[], &[], &[]).to_string(), "fail: none of 0 final reads succeeded");
        let mut history = history(&[1], &[], &[], &[]);
        history.invoke_final_read(0, 0, 9);
        let lost = history.invoke(0, 0, CounterOp::Read, 9);
        history.complete(lost, 10, Outcome::Ok(CounterRet::Total(1)));
        history.finish(11);
        let verdict = check_final_reads(&history, &Acceptable::of(&history));
        assert_eq!(verdict.to_string(), "fail: none of 1 final reads succeeded");
    }

    #[test]
    fn without_additions_nothing_was_tested() {
        assert_eq!(final_reads(&[], &[], &[], &[0]).name(), "vacuous");
        let empty = Acceptable::of(&history(&[], &[], &[], &[]));
        assert_eq!(check_agreed(0, &empty).name(), "vacuous");
        assert_eq!(check_agreed(1, &empty).name(), "fail");
    }

    #[test]
    fn pending_additions_are_indeterminate() {
        let mut history = history(&[3], &[], &[], &[]);
        history.invoke(0, 0, CounterOp::Add(4), 9);
        assert_eq!(Acceptable::of(&history).to_string(), "3, 7");
    }

    #[test]
    fn scattered_sets_are_unknown_and_still_bounded() {
        let powers: Vec<i64> = (0..20).map(|k| 3_i64.pow(k)).collect();
        let high: i64 = powers.iter().sum();
        let acceptable = Acceptable::of(&history(&[5], &powers, &[], &[]));
        assert_eq!(check_agreed(7, &acceptable).name(), "unknown");
        assert_eq!(check_agreed(4, &acceptable).name(), "fail");
        assert_eq!(check_agreed(i128::from(high) + 6, &acceptable).name(), "fail");
        assert_eq!(acceptable.to_string(), format!("within 5..={}, in more than 100000 ranges", high + 5));
    }

    #[test]
    fn thousands_of_indeterminate_additions_are_exact() {
        let mixed: Vec<i64> = (0..20_000).map(|k| (k * 7_919) % 1_001 - 500).collect();
        let acceptable = Acceptable::of(&history(&[], &mixed, &[], &[]));
        assert_eq!(acceptable.contains(0), Some(true));
        assert_eq!(acceptable.steps.as_ref().map(Ranges::len), Some(1));
        let equal = Acceptable::of(&history(&[], &vec![1_000_000_007; 50_000], &[], &[]));
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
            let history = history(&ok, &info, &fail, &[]);
            let acceptable = Acceptable::of(&history);
            let around = sums.first().copied().unwrap_or(0) - 20..=sums.last().copied().unwrap_or(0) + 20;
            for total in around {
                prop_assert_eq!(acceptable.contains(total), Some(sums.contains(&total)), "{}", total);
            }
        }
    }
}
