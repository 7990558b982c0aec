//! The judgement by visibility, for objects whose updates do not commute.
//!
//! A run is correct if all replicas agree, every acknowledged update is behind the agreed value and none that definitely failed,
//! none of them twice, and the value is what these updates give in some order that respects what each had seen.

use super::{Ended, Judged, Judgement};
use crate::{
    checkers::{
        Verdict,
        visibility::{FITTING_READS, FITTING_VALUE, LOCAL_EFFECTS, Made, Replaced, SPECIFIED_VALUE},
    },
    history::{History, Outcome},
};

/// The updates whose bits are set in a row.
pub fn made<'a, O: Judged>(history: &'a History<O>, row: &[u64]) -> Vec<Made<'a, O>> {
    let is_in = |number: usize| row.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1);
    let updates = history.updates().enumerate().filter(|(number, _)| is_in(*number));
    let made = updates.map(|(number, update)| Made {
        number: number as u32,
        op: &update.op,
        ret: match &update.outcome {
            Outcome::Ok(ret) => Some(ret),
            _ => None,
        },
    });
    made.collect()
}

/// Judges a run by visibility.
pub fn rule<O: Judged>(ended: &Ended<'_, O>) -> Judgement {
    let count = |is: fn(&Outcome<O::Ret>) -> bool| ended.history.updates().filter(|update| is(&update.outcome)).count();
    let acknowledged = count(|outcome| matches!(outcome, Outcome::Ok(_)));
    let indeterminate = count(|outcome| matches!(outcome, Outcome::Info(_) | Outcome::Pending));
    let mut checks = vec![
        (FITTING_VALUE, of_value(ended)),
        (FITTING_READS, ended.reads.clone()),
        (LOCAL_EFFECTS, of_local_effects(ended)),
    ];
    checks.extend(ended.specified.map(|verdict| (SPECIFIED_VALUE, verdict.clone())));
    Judgement {
        checks,
        decisive: 1,
        acceptable: match indeterminate {
            0 => format!("what {acknowledged} updates give"),
            more => format!("what {acknowledged} updates give, and any of {more} more"),
        },
        lost_updates: overwritten(ended).or(ended.lost_updates),
    }
}

fn overwritten<O: Judged>(ended: &Ended<'_, O>) -> Option<u64> {
    let everything = vec![u64::MAX; ended.history.operations().len().div_ceil(64)];
    let updates = made(ended.history, &everything);
    let replaced = Replaced { values: ended.replaced, visibility: ended.visibility? };
    O::overwritten(&updates, &replaced, ended.agreed?)
}

fn of_value<O: Judged>(ended: &Ended<'_, O>) -> Verdict {
    let fail = |witness: String| Verdict::Fail { witness };
    let Some(agreed) = ended.agreed else { return fail("the replicas do not agree at the end".to_owned()) };
    let (Some(content), Some(visibility), Some(lost), Some(phantoms)) =
        (ended.content, ended.visibility, ended.lost_updates, ended.phantom_updates)
    else {
        return Verdict::Unknown { reason: "too many replicas and updates to follow every update".to_owned() };
    };
    if lost > 0 {
        return fail(format!("{lost} acknowledged updates are not behind the agreed value"));
    }
    if phantoms > 0 {
        return fail(format!("{phantoms} updates are behind the agreed value twice, or though they failed"));
    }
    let made = made(ended.history, content);
    if made.is_empty() && ended.history.updates().next().is_none() {
        return Verdict::Vacuous { reason: "there were no updates".to_owned() };
    }
    O::fits(&made, visibility, agreed).map_or_else(fail, |()| Verdict::Pass)
}

fn of_local_effects<O: Judged>(ended: &Ended<'_, O>) -> Verdict {
    match &ended.local_effects.surprise {
        Some(surprise) => {
            Verdict::Fail { witness: format!("at n{}, {}: {}", surprise.replica.0 + 1, surprise.at, surprise.what) }
        }
        None if ended.local_effects.compared == 0 => {
            Verdict::Vacuous { reason: "no update was watched where it was made".to_owned() }
        }
        None => Verdict::Pass,
    }
}
