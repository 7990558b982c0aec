//! Mutants of the judge: each disagrees with the definition somewhere among the histories that the judge itself agrees on.

use super::{
    agreement::{CALLS_MAX, HISTORIES, searched},
    histories::{Calls, Random, any},
    oracle,
    specimens::{Amounts, Cas, Elements, Kv, Specimen, Strings, Unique},
};
use crate::checkers::linearizability::search::{Found, Rules, Sound};

/// Is there a history on which a judge by these rules, who sees what `blur` leaves of it, is wrong?
fn is_caught<S: Specimen, R: Rules>(blur: fn(&mut Calls<S>)) -> bool {
    (0..HISTORIES).any(|seed| {
        let mut calls = any::<S>(&mut Random(seed << 20), CALLS_MAX);
        let expected = oracle::is_linearizable(&S::model(), &calls);
        blur(&mut calls);
        matches!(searched::<S, R>(&calls), Found::Order(_)) != expected
    })
}

macro_rules! mutant {
    ($test:ident: $rule:ident of $($specimen:ident),*) => {
        #[test]
        fn $test() {
            enum Mutant {}
            impl Rules for Mutant {
                const $rule: bool = false;
            }
            $(assert!(is_caught::<$specimen, Mutant>(|_| {}), "{} let it pass", $specimen::NAME);)*
        }
    };
}

mutant!(a_memo_without_states: STATE_IS_MEMORIZED of Cas, Amounts, Strings, Elements);
mutant!(a_memo_without_reads: READS_ARE_MEMORIZED of Cas, Kv);
mutant!(options_before_their_invocation: OPTIONS_ARRIVE of Cas, Kv, Strings, Amounts);
mutant!(writes_that_are_demanded_and_buried: DEAD_IS_UNDEMANDED of Cas, Kv, Unique);
mutant!(demands_that_are_given_up_too_early: MAKERS_SAVE of Cas, Kv, Unique, Strings, Elements);

#[test]
fn the_judge_itself_is_not_caught() {
    assert!(!is_caught::<Cas, Sound>(|_| {}));
}

#[test]
fn real_time_ignored() {
    let blur = |calls: &mut Calls<Cas>| {
        for call in calls {
            (call.invoked, call.returned) = (0, call.returned.map(|_| 1));
        }
    };
    assert!(is_caught::<Cas, Sound>(blur));
}

#[test]
fn open_intervals() {
    let blur = |calls: &mut Calls<Cas>| {
        for call in calls {
            call.invoked *= 3;
            call.returned = call.returned.map(|returned| (3 * returned).saturating_sub(1).max(call.invoked));
        }
    };
    assert!(is_caught::<Cas, Sound>(blur));
}

#[test]
fn unknown_fate_taken_for_failure() {
    assert!(is_caught::<Cas, Sound>(|calls| calls.retain(|call| call.returned.is_some())));
}

#[test]
fn unknown_fate_taken_for_success() {
    let blur = |calls: &mut Calls<Amounts>| {
        for call in calls.iter_mut().filter(|call| call.returned.is_none()) {
            (call.ret, call.returned) = (None, Some(call.invoked + 1));
        }
    };
    assert!(is_caught::<Amounts, Sound>(blur));
}
