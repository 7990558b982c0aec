//! Mutants of the judge: each disagrees with the definition somewhere among the histories that the judge itself agrees on.

use super::{
    agreement::{CALLS_MAX, HISTORIES, searched},
    histories::{Amounts, Calls, Cas, Kv, Random, Specimen, Strings, Unique, any},
    oracle,
};
use crate::checkers::{
    linearizability::{self, Limits},
    sequential::search::{Found, Rules, Sound},
};

/// Is there a history on which a judge by these rules, who sees what `blur` leaves of it, is wrong?
fn is_caught<S: Specimen, R: Rules>(blur: fn(&mut Calls<S>)) -> bool {
    (0..HISTORIES).any(|seed| {
        let mut calls = any::<S>(&mut Random(seed << 20), CALLS_MAX);
        let expected = oracle::is_sequential(&S::model(), &calls);
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

mutant!(a_memory_without_states: STATE_IS_REMEMBERED of Cas, Strings);
mutant!(a_memory_without_options: OPTIONS_ARE_REMEMBERED of Strings);
mutant!(options_before_their_turn: OPTIONS_WAIT of Cas, Kv, Unique, Amounts);
mutant!(demands_that_are_given_up_too_early: MAKERS_SAVE of Cas, Kv, Unique, Strings);
mutant!(writes_taken_without_another_try: READS_ALONE_ARE_TAKEN of Cas, Kv, Strings);

#[test]
fn the_judge_itself_is_not_caught() {
    assert!(!is_caught::<Cas, Sound>(|_| {}));
}

#[test]
fn a_rule_that_only_saves_time() {
    enum Slow {}
    impl Rules for Slow {
        const LATER_IS_NO_HELP: bool = false;
    }
    assert!(!is_caught::<Cas, Slow>(|_| {}));
}

#[test]
fn program_order_ignored() {
    let blur = |calls: &mut Calls<Unique>| (100..).zip(calls).for_each(|(process, call)| call.process = process);
    assert!(is_caught::<Unique, Sound>(blur));
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

#[test]
fn keys_judged_apart() {
    let is_wrong = |seed: u64| {
        let calls = any::<Unique>(&mut Random(seed << 20), CALLS_MAX);
        let expected = oracle::is_sequential(&Unique::model(), &calls);
        let of_key = |key: u8| -> Calls<Unique> {
            let is_of =
                |op: &linearizability::models::KeyValueOp<u8, u64>| format!("{op:?}").contains(&format!("key: {key}"));
            calls.iter().filter(|call| is_of(&call.op)).cloned().collect()
        };
        (0..3).all(|key| matches!(searched::<Unique, Sound>(&of_key(key)), Found::Order(_))) != expected
    };
    assert!((0..HISTORIES).any(is_wrong));
}

#[test]
fn real_time_kept() {
    let is_wrong = |seed: u64| {
        let calls = any::<Unique>(&mut Random(seed << 20), CALLS_MAX);
        let expected = oracle::is_sequential(&Unique::model(), &calls);
        linearizability::check(&Unique::model(), &calls, &Limits::default()).is_linearizable() != expected
    };
    assert!((0..HISTORIES).any(is_wrong));
}
