//! Exact agreement with the definition, on every model.

use super::{
    histories::{Calls, Random, any},
    oracle,
    specimens::{self, Specimen},
};
use crate::checkers::linearizability::{Judgement, check};
use crate::checkers::linearizability::{
    Limits, parts,
    problem::Problem,
    search::{Found, Rules, Sound, search},
};

/// Histories of each model.
pub(super) const HISTORIES: u64 = 12_000;
/// Calls of a history.
pub(super) const CALLS_MAX: u64 = 7;

/// Searches calls as they are: not in parts, and without shortcuts.
pub(super) fn searched<S: Specimen, R: Rules>(calls: &Calls<S>) -> Found {
    let model = S::model();
    let views: Vec<_> = parts::split(&model, calls).into_iter().flat_map(|part| part.views).collect();
    search::<S::Model, R>(&Problem::new(&model, &views), &Limits::default()).0
}

/// How many histories are linearizable by the definition, and how many not.
fn agree<S: Specimen>() -> [u64; 2] {
    let model = S::model();
    let mut counts = [0, 0];
    for seed in 0..HISTORIES {
        let calls = any::<S>(&mut Random(seed << 20), CALLS_MAX);
        let expected = oracle::is_linearizable(&model, &calls);
        counts[usize::from(!expected)] += 1;

        match searched::<S, Sound>(&calls) {
            Found::Order(order) => assert!(
                expected && oracle::is_linearization(&model, &calls, &order),
                "{}: seed {seed}: {order:?} is no linearization of {calls:#?}",
                S::NAME
            ),
            Found::Nothing => assert!(!expected, "{}: seed {seed}: nothing was found for {calls:#?}", S::NAME),
            Found::Exhausted(reason) => panic!("{}: seed {seed}: {reason}", S::NAME),
        }
        let judged = check(&model, &calls, &Limits::default());
        assert_eq!(judged.is_linearizable(), expected, "{}: seed {seed}: {judged:?} of {calls:#?}", S::NAME);
        if let Judgement::NotLinearizable(witness) = judged {
            witness_is_right::<S>(&calls, &witness.calls);
            assert!(witness.is_minimal);
        }
    }
    counts
}

/// What a witness claims holds by the definition: its calls fail, with all others free, and none of them can be set free.
fn witness_is_right<S: Specimen>(calls: &Calls<S>, kept: &[usize]) {
    let fails = |kept: &[usize]| {
        let mut calls = calls.clone();
        for at in (0..calls.len()).filter(|at| !kept.contains(at)).rev() {
            if crate::checkers::linearizability::Model::is_read(&S::model(), &calls[at].op, calls[at].ret.as_ref()) {
                calls.remove(at);
            } else {
                (calls[at].invoked, calls[at].returned) = (0, None);
            }
        }
        !oracle::is_linearizable(&S::model(), &calls)
    };
    assert!(fails(kept), "{}: {kept:?} of {calls:#?} can be linearized", S::NAME);
    // Nothing is minimal if the first value that is read was never written: one call is enough then.
    for left_out in kept {
        let fewer: Vec<usize> = kept.iter().copied().filter(|call| call != left_out).collect();
        assert!(!fails(&fewer), "{}: {kept:?} of {calls:#?} is not minimal: without {left_out}", S::NAME);
    }
}

macro_rules! agreement {
    ($($test:ident: $specimen:ident,)*) => {$(
        #[test]
        fn $test() {
            let [good, bad] = agree::<specimens::$specimen>();
            // Both verdicts were put to the test.
            assert!(good > HISTORIES / 10 && bad > HISTORIES / 10, "{good} good ones, {bad} bad ones");
        }
    )*};
}

agreement! {
    compare_and_set_registers: Cas,
    registers_of_unique_values: Unique,
    key_value_stores: Kv,
    stores_of_strings: Strings,
    multi_registers: Multi,
    mutexes: Lock,
    counters: Amounts,
    counters_of_ones: Ones,
    sets: Elements,
    grow_only_sets: Growing,
}
