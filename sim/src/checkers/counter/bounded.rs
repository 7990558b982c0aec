//! Bounded reads: does every read return what was acknowledged before it, plus a subset of what may have taken effect?
//!
//! An addition that was acknowledged before a read was invoked must count. One that was invoked before the read returned,
//! whatever became of it but failure, may. Failed ones and later ones must not. Every linearizable counter is within these
//! bounds; a counter that is not, and only converges, is not.
//!
//! Most reads are decided by bounds alone, in `O(log n)`. Every total between them that a common divisor allows is the sum of
//! some subset if there are enough *units*, amounts of just that divisor: `k` units reach every total from 0 to `k`, and an
//! amount of at most `k + 1` leaves no gap when it is added. The other reads are taken in the order of their returns. Then
//! the indeterminate additions only ever become more, so that their sums are computed once for all reads; what was
//! acknowledged while a read was open is joined to them read by read, and there is never more of that than clients.
//!
//! Invariant: the verdict is exact wherever it is not unknown, and unknown only if a read that nothing refutes lies between
//! its bounds while its set needs more than [`RANGES_MAX`] ranges, or the work on all sets came to an end.
//!
//! ```
//! use crdts::objects::counter::{CounterOp::*, CounterRet::*};
//! use sim::checkers::{counter::{Ledger, check_reads}, linearizability::Call};
//!
//! let calls = [
//!     Call::returned(0, Add(2), Added, 0, 1),
//!     Call::indeterminate(1, Add(5), 2),
//!     Call::returned(2, Read, Total(7), 3, 4),
//!     Call::returned(2, Read, Total(5), 5, 6),
//! ];
//! let ruling = check_reads(&Ledger::from(&calls[..]));
//! assert_eq!(ruling.calls, [0, 3], "the second read misses the addition of 2");
//! ```
//!
//! What is deliberately absent: how reads fit together.

use std::{borrow::Cow, collections::BTreeMap, marker::PhantomData};

use super::{
    Acceptable, RANGES_MAX,
    acceptable::{greatest_common_divisor, subset_sums},
    final_reads::describe,
    ledger::{Addition, Fate, Ledger, Read},
};
use crate::checkers::{Ruling, Verdict, ranges::Ranges};

/// The most additions that are tried as the one that a wrong read missed, or should not have counted.
const SUSPECTS_MAX: usize = 64;
/// The most ranges that are visited for all reads together.
const WORK_MAX: usize = 200_000_000;

/// What the checker relies on. Mutants of it are in the tests.
pub(super) trait Rules {
    /// What was acknowledged before a read must count.
    const ACKNOWLEDGED_MUST_COUNT: bool = true;
    /// What is acknowledged while a read is open may count.
    const CONCURRENT_MAY_COUNT: bool = true;
    /// What is indeterminate may count.
    const INDETERMINATE_MAY_COUNT: bool = true;
    /// What is invoked after a read must not count.
    const LATER_MUST_NOT_COUNT: bool = true;
    /// What failed must not count.
    const FAILED_MUST_NOT_COUNT: bool = true;
    /// Bounds decide alone only where there are enough units.
    const UNITS_ARE_NEEDED: bool = true;
    /// The most ranges of a set.
    const RANGES_MAX: usize = RANGES_MAX;
}

/// The rules as they should be.
pub(super) enum Sound {}

impl Rules for Sound {}

/// Does every read return an acceptable total? Vacuous if no read returned, or there was no addition to count.
pub fn check_reads(ledger: &Ledger) -> Ruling {
    check_by::<Sound>(ledger)
}

pub(super) fn check_by<R: Rules>(ledger: &Ledger) -> Ruling {
    if let Some(call) = ledger.backward() {
        return Verdict::Unknown { reason: format!("call {call} returns before it is invoked") }.into();
    }
    if ledger.reads.is_empty() {
        return Verdict::Vacuous { reason: "no read returned".into() }.into();
    }
    let verdicts = Bounds::<R>::new(ledger).judge(&ledger.reads);
    let wrong = || ledger.reads.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Some(false));
    if let Some((read, _)) = wrong().min_by_key(|(read, _)| (read.invoked, read.call)) {
        return explain(ledger, read, wrong().count());
    }
    let unknown = verdicts.iter().filter(|verdict| verdict.is_none()).count();
    if unknown > 0 {
        let reason = format!(
            "the acceptable totals of {unknown} of {} reads are too scattered to compute, and nothing else refutes them",
            verdicts.len()
        );
        return Verdict::Unknown { reason }.into();
    }
    if ledger.additions.is_empty() {
        return Verdict::Vacuous { reason: "no addition was invoked".into() }.into();
    }
    Verdict::Pass.into()
}

/// Sums of additions.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    positive: i128,
    negative: i128,
    units: u64,
}

/// Additions in the order of time, each with the sums up to it.
#[derive(Debug, Default)]
struct Line {
    points: Vec<(u64, Sums)>,
}

impl Line {
    /// Of `(time, amount)`; amounts of this magnitude are units.
    fn new(mut additions: Vec<(u64, i128)>, unit: i128) -> Self {
        additions.sort_unstable();
        let mut sums = Sums::default();
        let points = additions.into_iter().map(|(at, amount)| {
            sums.positive += amount.max(0);
            sums.negative += amount.min(0);
            sums.units += u64::from(amount.abs() == unit);
            (at, sums)
        });
        Self { points: points.collect() }
    }

    fn before(&self, time: u64) -> Sums {
        self.first(self.points.partition_point(|(at, _)| *at < time))
    }

    fn up_to(&self, time: u64) -> Sums {
        self.first(self.points.partition_point(|(at, _)| *at <= time))
    }

    fn first(&self, count: usize) -> Sums {
        count.checked_sub(1).map_or_else(Sums::default, |last| self.points[last].1)
    }
}

/// All that the reads are judged by.
struct Bounds<R> {
    /// Additions that may have taken effect, in the order of their invocation.
    additions: Vec<Addition>,
    invoked: Line,
    acknowledged: Line,
    /// The common divisor of all amounts, at least 1.
    step: i128,
    /// The largest magnitude of an amount.
    largest: i128,
    rules: PhantomData<R>,
}

impl<R: Rules> Bounds<R> {
    fn new(ledger: &Ledger) -> Self {
        let counts = |addition: &&Addition| match addition.fate {
            Fate::Failed => !R::FAILED_MUST_NOT_COUNT,
            Fate::Indeterminate => R::INDETERMINATE_MAY_COUNT,
            Fate::Acknowledged(_) => true,
        };
        let mut additions: Vec<Addition> = ledger.additions.iter().filter(counts).copied().collect();
        for addition in &mut additions {
            match addition.fate {
                Fate::Acknowledged(_) if !R::ACKNOWLEDGED_MUST_COUNT => addition.fate = Fate::Indeterminate,
                Fate::Acknowledged(returned) if !R::CONCURRENT_MAY_COUNT => addition.invoked = returned,
                _ => {}
            }
            addition.invoked = if R::LATER_MUST_NOT_COUNT { addition.invoked } else { 0 };
        }
        additions.sort_by_key(|addition| addition.invoked);
        let magnitudes = || additions.iter().map(|addition| addition.amount.unsigned_abs());
        let step = i128::from(magnitudes().fold(0, greatest_common_divisor).max(1));
        let largest = i128::from(magnitudes().max().unwrap_or(0));
        let of = |addition: &Addition, at: u64| (at, i128::from(addition.amount));
        let acknowledged = |addition: &Addition| match addition.fate {
            Fate::Acknowledged(returned) => Some(of(addition, returned)),
            Fate::Indeterminate | Fate::Failed => None,
        };
        Self {
            invoked: Line::new(additions.iter().map(|addition| of(addition, addition.invoked)).collect(), step),
            acknowledged: Line::new(additions.iter().filter_map(acknowledged).collect(), step),
            additions,
            step,
            largest,
            rules: PhantomData,
        }
    }

    /// Which reads are right; `None` where it is not known.
    fn judge(&self, reads: &[Read]) -> Vec<Option<bool>> {
        let mut verdicts: Vec<Option<bool>> = reads.iter().map(|read| self.by_bounds(read)).collect();
        let mut open: Vec<usize> = (0..reads.len()).filter(|&read| verdicts[read].is_none()).collect();
        open.sort_by_key(|&read| reads[read].returned);
        let mut sets = Sets::<R>::default();
        let mut next = 0;
        for read in open {
            while let Some(addition) = self.additions.get(next).filter(|next| next.invoked <= reads[read].returned) {
                sets.add(next, addition, self.step);
                next += 1;
            }
            let Some(total) = reads[read].total else { continue };
            let must = self.acknowledged.before(reads[read].invoked);
            let left = (total - must.positive - must.negative) / self.step;
            verdicts[read] = sets.contain(left, reads[read].invoked);
        }
        verdicts
    }

    /// Is the read right, as far as bounds tell?
    fn by_bounds(&self, read: &Read) -> Option<bool> {
        let Some(total) = read.total else { return Some(false) };
        let (must, may) = (self.acknowledged.before(read.invoked), self.invoked.up_to(read.returned));
        let (low, high) = (must.positive + may.negative, may.positive + must.negative);
        if total < low || total > high || (total - low) % self.step != 0 {
            return Some(false);
        }
        let units = i128::from(may.units - must.units);
        let has_no_gap = (units + 1) * self.step >= self.largest || !R::UNITS_ARE_NEEDED;
        (has_no_gap || total == low || total == high).then_some(true)
    }
}

/// The sums of what may count, as multiples of the step, read by read.
struct Sets<R> {
    /// How often each amount is there, of unknown fate.
    indeterminate: BTreeMap<i128, u64>,
    /// The sums of their subsets; `None` if they are not known.
    sums: Option<Ranges>,
    /// How many amounts there are, and how many there have to be before the sums are computed anew: more amounts can close
    /// gaps, and the work of all attempts together has to stay bounded.
    count: usize,
    retry_at: usize,
    /// Acknowledged amounts, by `(returned, number)`.
    acknowledged: BTreeMap<(u64, usize), i128>,
    work: usize,
    rules: PhantomData<R>,
}

impl<R> Default for Sets<R> {
    fn default() -> Self {
        Self {
            indeterminate: BTreeMap::new(),
            sums: Some(Ranges::single(0)),
            count: 0,
            retry_at: 0,
            acknowledged: BTreeMap::new(),
            work: WORK_MAX,
            rules: PhantomData,
        }
    }
}

impl<R: Rules> Sets<R> {
    fn add(&mut self, number: usize, addition: &Addition, step: i128) {
        let amount = i128::from(addition.amount) / step;
        if let Fate::Acknowledged(returned) = addition.fate {
            self.acknowledged.insert((returned, number), amount);
            return;
        }
        *self.indeterminate.entry(amount).or_default() += 1;
        self.count += 1;
        if let Some(sums) = &mut self.sums {
            sums.add_shifted(amount);
            self.work = self.work.saturating_sub(sums.len());
            if sums.len() > R::RANGES_MAX || self.work == 0 {
                self.sums = None;
            }
        }
    }

    /// Is it the sum of a subset of what is indeterminate or was not acknowledged before this time? `None` if that is not
    /// known.
    fn contain(&mut self, sum: i128, invoked: u64) -> Option<bool> {
        if self.sums.is_none() && self.count >= self.retry_at {
            self.retry_at = self.count + self.count / 4 + 1;
            let amounts = by_magnitude(&self.indeterminate);
            self.sums = subset_sums(amounts.into_iter(), &mut self.work).filter(|sums| sums.len() <= R::RANGES_MAX);
        }
        let mut concurrent = BTreeMap::<i128, u64>::new();
        for &amount in self.acknowledged.range((invoked, 0)..).map(|(_, amount)| amount) {
            self.work = self.work.saturating_sub(1);
            *concurrent.entry(amount).or_default() += 1;
        }
        if self.work == 0 {
            return None;
        }
        self.meet(sum, &by_magnitude(&concurrent))
    }

    /// Is it a sum of the indeterminate ones plus a sum of these? The latter are shared out among two sets, so that neither
    /// becomes large where their sums are scattered.
    fn meet(&mut self, sum: i128, concurrent: &[(i128, u64)]) -> Option<bool> {
        let known = self.sums.as_ref()?;
        let mut sides = [Cow::Borrowed(known), Cow::Owned(Ranges::single(0))];
        for &(amount, times) in concurrent {
            let mut left = times;
            for taken in (0..).map(|power| 1 << power) {
                let smaller = usize::from(sides[1].len() <= sides[0].len());
                sides[smaller].to_mut().add_shifted(amount * i128::from(left.min(taken)));
                self.work = self.work.saturating_sub(sides[smaller].len());
                if sides[smaller].len() > R::RANGES_MAX || self.work == 0 {
                    return None;
                }
                left = left.saturating_sub(taken);
                if left == 0 {
                    break;
                }
            }
        }
        let smaller = usize::from(sides[1].len() <= sides[0].len());
        self.work = self.work.saturating_sub(sides[smaller].len());
        Some(sides[smaller].iter().any(|(low, high)| sides[1 - smaller].meets(sum - high, sum - low)))
    }
}

/// Amounts as [`subset_sums`] wants them.
fn by_magnitude(amounts: &BTreeMap<i128, u64>) -> Vec<(i128, u64)> {
    let mut amounts: Vec<(i128, u64)> = amounts.iter().map(|(&amount, &times)| (amount, times)).collect();
    amounts.sort_by_key(|(amount, _)| amount.abs());
    amounts
}

/// What is wrong with a read, and an addition that would explain it.
fn explain(ledger: &Ledger, read: &Read, wrong: usize) -> Ruling {
    let (mut must, mut may, mut must_not) = (Vec::new(), Vec::new(), Vec::new());
    for addition in &ledger.additions {
        match addition.fate {
            Fate::Acknowledged(returned) if returned < read.invoked => must.push((returned, *addition)),
            Fate::Acknowledged(_) | Fate::Indeterminate if addition.invoked <= read.returned => may.push(*addition),
            _ => must_not.push((addition.invoked, *addition)),
        }
    }
    let set = Acceptable::of_additions(
        must.iter()
            .map(|(_, addition)| *addition)
            .chain(may.iter().map(|addition| Addition { fate: Fate::Indeterminate, ..*addition })),
    );
    // The last acknowledged ones and the first later ones are the most likely.
    must.sort_by_key(|(returned, addition)| (std::cmp::Reverse(*returned), addition.call));
    must_not.sort_by_key(|(invoked, addition)| (*invoked, addition.call));
    let is_suspect = |addition: &Addition, sign: i128| {
        let would_be = read.total.map(|total| total + sign * i128::from(addition.amount));
        addition.amount != 0 && would_be.is_some_and(|total| set.contains(total) == Some(true))
    };
    let missed = must.iter().take(SUSPECTS_MAX).find(|(_, addition)| is_suspect(addition, 1));
    let counted = must_not.iter().take(SUSPECTS_MAX).find(|(_, addition)| is_suspect(addition, -1));
    let (suspect, story) = match (missed, counted) {
        (Some((returned, addition)), _) => (
            Some(addition),
            format!("; it misses addition {} of {}, acknowledged at {returned}", addition.call, addition.amount),
        ),
        (None, Some((invoked, addition))) => {
            let why =
                if addition.fate == Fate::Failed { "failed".to_owned() } else { format!("was invoked at {invoked}") };
            (Some(addition), format!("; it counts addition {} of {}, which {why}", addition.call, addition.amount))
        }
        (None, None) => (None, String::new()),
    };
    let witness = format!(
        "{wrong} of {} reads are not acceptable: {} to process {}, from {} to {}; acceptable: {set} ({} additions must \
         count, {} may, {} must not){story}",
        ledger.reads.len(),
        describe(read),
        read.process,
        read.invoked,
        read.returned,
        must.len(),
        may.len(),
        must_not.len(),
    );
    let mut calls: Vec<(u64, usize)> = suspect.map(|addition| (addition.invoked, addition.call)).into_iter().collect();
    calls.push((read.invoked, read.call));
    calls.sort_unstable();
    Ruling::fail(witness, calls.into_iter().map(|(_, call)| call).collect())
}
