//! The counter: judged by totals.

use crdts::objects::counter::{Counter, CounterOp, CounterRet};

use super::{Ended, Judged, Judgement};
use crate::checkers::{
    Verdict,
    counter::{
        AGREED, Acceptable, BOUNDED_READS, FINAL_READS, Ledger, RISING_TOTALS, check_agreed, check_final_reads,
        check_monotonic, check_reads,
    },
    visibility::{Fits, Made, Visibility},
};

impl Fits for Counter {
    fn fits(made: &[Made<'_, Self>], _: &Visibility, value: &i128) -> Result<(), String> {
        let sum: i128 = made.iter().map(|update| Self::weigh(update.op)).sum();
        if sum == *value { Ok(()) } else { Err(format!("the total is {value}, and the additions amount to {sum}")) }
    }
}

impl Judged for Counter {
    fn weigh(op: &CounterOp) -> i128 {
        match op {
            CounterOp::Add(amount) => i128::from(*amount),
            CounterOp::Read => 0,
        }
    }

    fn total(ret: &CounterRet) -> Option<i128> {
        match ret {
            CounterRet::Total(total) => Some(*total),
            CounterRet::Added => None,
        }
    }

    fn judge(ended: &Ended<'_, Self>) -> Judgement {
        let acceptable = Acceptable::of(ended.history);
        let ledger = Ledger::from(ended.history);
        let of_agreed = ended.agreed.map_or_else(
            || Verdict::Fail { witness: "the replicas do not agree at the end".to_owned() },
            |total| check_agreed(*total, &acceptable),
        );
        Judgement {
            checks: vec![
                (AGREED, of_agreed),
                (FINAL_READS, check_final_reads(ended.history, &acceptable)),
                (BOUNDED_READS, check_reads(&ledger).verdict),
                (RISING_TOTALS, check_monotonic(&ledger).verdict),
            ],
            decisive: 2,
            acceptable: acceptable.to_string(),
            lost_updates: ended.lost_updates,
        }
    }
}
