//! The end of a run: final reads, and the total that all replicas agree on.
//!
//! Invariant: no evidence is no pass. Without a final read that succeeded nothing shows that the additions are still there,
//! which is a failure; without any addition there was nothing to lose, which is vacuous.
//!
//! ```
//! use sim::checkers::counter::{Acceptable, Addition, Fate, Ledger, Read, check_final};
//!
//! let added = Addition { call: 0, amount: 3, invoked: 0, fate: Fate::Acknowledged(1) };
//! let mut read =
//!     Read { call: 1, process: 0, replica: None, total: Some(3), invoked: 5, returned: 6, is_final: true };
//! let acceptable = Acceptable::of_additions([added]);
//! let ledger = |read| Ledger { additions: vec![added], reads: vec![read] };
//! assert_eq!(check_final(&ledger(read), &acceptable).name(), "pass");
//! read.total = Some(2);
//! assert_eq!(check_final(&ledger(read), &acceptable).name(), "fail");
//! read.is_final = false;
//! assert_eq!(check_final(&ledger(read), &acceptable).name(), "fail", "there is no final read");
//! ```
//!
//! What is deliberately absent: reads in the middle of a run, and when replicas began to agree.

use crdts::objects::counter::Counter;

use super::{
    Acceptable, SHOWN_MAX,
    ledger::{Ledger, Read},
};
use crate::{checkers::Verdict, history::History};

/// Does every final read that succeeded return an acceptable total? Fails when none succeeded: nothing shows then that the
/// additions are still there.
pub fn check_final_reads(history: &History<Counter>, acceptable: &Acceptable) -> Verdict {
    judge(history.final_reads().map(Read::of), acceptable)
}

/// The same over a ledger, which knows only the reads that succeeded.
pub fn check_final(ledger: &Ledger, acceptable: &Acceptable) -> Verdict {
    judge(ledger.reads.iter().filter(|read| read.is_final).map(|read| Some(*read)), acceptable)
}

/// Judges final reads; those that did not succeed are nothing.
fn judge(reads: impl Iterator<Item = Option<Read>>, acceptable: &Acceptable) -> Verdict {
    let (mut invoked, mut succeeded, mut unknown) = (0_u64, 0_u64, 0_u64);
    let mut wrong = Vec::new();
    for read in reads {
        invoked += 1;
        let Some(read) = read else { continue };
        succeeded += 1;
        match read.total.map_or(Some(false), |total| acceptable.contains(total)) {
            Some(true) => {}
            None => unknown += 1,
            Some(false) => wrong.push(describe(&read)),
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

/// The read in one phrase for people.
pub(super) fn describe(read: &Read) -> String {
    let at = read.replica.map_or_else(String::new, |replica| format!(" at n{}", u64::from(replica) + 1));
    let total = read.total.map_or_else(|| "no total".to_owned(), |total| total.to_string());
    format!("read {}{at} returned {total}", read.call)
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
    if acceptable.is_untested() {
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
    use crate::{checkers::counter::Acceptable, history::Outcome};
    use crdts::objects::counter::{CounterOp, CounterRet};

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
}
