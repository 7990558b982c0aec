//! Exact agreement with the definition, on every kind of model.

use super::{
    histories::{self, Calls, Random, Specimen, any},
    oracle,
};
use crate::checkers::{
    Ruling, Verdict,
    linearizability::{Limits, Model},
    sequential::{
        check,
        problem::Problem,
        program::Program,
        saturation::{Saturated, saturate},
        search::{Found, Rules, Sound, search},
        verify_order,
    },
};

/// Histories of each model.
pub(super) const HISTORIES: u64 = 25_000;
/// Calls of a history.
pub(super) const CALLS_MAX: u64 = 7;

/// Searches among all orders.
pub(super) fn searched<S: Specimen, R: Rules>(calls: &Calls<S>) -> Found {
    let model = S::model();
    let program = Program::new(calls).expect("processes do one thing at a time");
    search::<S::Model, R>(&Problem::new(&model, calls, &program, &|_| true), None, &Limits::default()).0
}

/// How many histories are sequentially consistent by the definition, and how many not; and in how many of the latter
/// saturation finds a cycle.
fn agree<S: Specimen>() -> [u64; 3] {
    let model = S::model();
    let mut counts = [0; 3];
    for seed in 0..HISTORIES {
        let calls = any::<S>(&mut Random(seed << 20), CALLS_MAX);
        let expected = oracle::is_sequential(&model, &calls);
        counts[usize::from(!expected)] += 1;

        match searched::<S, Sound>(&calls) {
            Found::Order(order) => {
                let all_answered = calls.iter().all(|call| call.returned.is_none() || call.ret.is_some());
                assert!(expected, "{}: seed {seed}: {order:?} of {calls:#?}", S::NAME);
                let verified = verify_order(&model, &calls, &order);
                assert!(verified.is_ok() || !all_answered, "{}: seed {seed}: {verified:?} of {calls:#?}", S::NAME);
            }
            Found::Nothing => assert!(!expected, "{}: seed {seed}: nothing was found for {calls:#?}", S::NAME),
            Found::Exhausted(reason) => panic!("{}: seed {seed}: {reason}", S::NAME),
        }
        let program = Program::new(&calls).expect("processes do one thing at a time");
        if let Saturated::Cyclic(cycle) = saturate(&Problem::new(&model, &calls, &program, &|_| true)) {
            assert!(!cycle.steps.is_empty() && !cycle.suspects.is_empty());
            counts[2] += u64::from(!expected);
        }
        let ruling = check(&model, &calls, &Limits::default());
        match &ruling.verdict {
            Verdict::Pass => assert!(expected, "{}: seed {seed}: {calls:#?}", S::NAME),
            Verdict::Fail { .. } => {
                assert!(!expected, "{}: seed {seed}: {ruling:?} of {calls:#?}", S::NAME);
                witness_is_right::<S>(&calls, &ruling);
            }
            Verdict::Vacuous { .. } => assert!(calls.iter().all(|call| call.answer().is_none()), "{calls:#?}"),
            Verdict::Unknown { reason } => panic!("{}: seed {seed}: {reason}", S::NAME),
        }
    }
    counts
}

/// What a witness claims holds by the definition: its calls fail with all others free, and none of them can be set free.
fn witness_is_right<S: Specimen>(calls: &Calls<S>, ruling: &Ruling) {
    let model = S::model();
    let fails = |kept: &[usize]| {
        let mut freed = calls.clone();
        for at in (0..calls.len()).rev() {
            let call = &mut freed[at];
            if kept.contains(&at) {
                continue;
            }
            if model.is_read(&call.op, call.answer()) {
                freed.remove(at);
                continue;
            }
            (call.invoked, call.returned) = (0, None);
        }
        !oracle::is_sequential(&model, &freed)
    };
    assert!(fails(&ruling.calls), "{}: {ruling:?} of {calls:#?} have an order", S::NAME);
    for left_out in &ruling.calls {
        let fewer: Vec<usize> = ruling.calls.iter().copied().filter(|call| call != left_out).collect();
        assert!(!fails(&fewer), "{}: {ruling:?} of {calls:#?} can do without {left_out}", S::NAME);
    }
}

macro_rules! agreement {
    ($($test:ident: $specimen:ident,)*) => {$(
        #[test]
        fn $test() {
            let [good, bad, _] = agree::<histories::$specimen>();
            // Both verdicts were put to the test.
            assert!(good > HISTORIES / 10 && bad > HISTORIES / 10, "{good} good ones, {bad} bad ones");
        }
    )*};
}

agreement! {
    compare_and_set_registers: Cas,
    key_value_stores: Kv,
    stores_of_strings: Strings,
    counters: Amounts,
}

#[test]
fn key_value_stores_of_unique_values() {
    let [good, bad, cycles] = agree::<histories::Unique>();
    assert!(good > HISTORIES / 10 && bad > HISTORIES / 10, "{good} good ones, {bad} bad ones");
    assert!(cycles > bad / 3, "{cycles} of {bad}: saturation finds much that is wrong with unique values");
}
