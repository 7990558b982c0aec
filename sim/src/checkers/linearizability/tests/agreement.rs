//! Exact agreement with the definition, on every model.

use super::{
    histories::{Calls, Random, any},
    oracle,
    specimens::{self, Specimen},
};
use crate::checkers::linearizability::{
    Judgement, Limits, Model, Witness, check, parts,
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
    search::<S::Model, R>(&Problem::new(&model, &views), &Limits::default()).found
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
            witness_is_right::<S>(&calls, &witness);
        }
    }
    counts
}

/// What a witness claims holds by the definition: its calls fail, with all others free, and none of them can be set free.
fn witness_is_right<S: Specimen>(calls: &Calls<S>, witness: &Witness) {
    let model = S::model();
    let fails = |kept: &[usize]| {
        let mut freed = calls.clone();
        for at in (0..calls.len()).rev() {
            let call = &mut freed[at];
            let is_later = (call.returned, at) > (calls[witness.stuck].returned, witness.stuck);
            if kept.contains(&at) && !is_later {
                continue;
            }
            if (is_later || !kept.contains(&at)) && model.is_read(&call.op, call.answer()) {
                freed.remove(at);
                continue;
            }
            call.invoked = if kept.contains(&at) { call.invoked } else { 0 };
            call.returned = None;
        }
        !oracle::is_linearizable(&model, &freed)
    };
    assert!(fails(&witness.calls), "{}: {witness:?} of {calls:#?} can be linearized", S::NAME);
    for left_out in &witness.calls {
        let fewer: Vec<usize> = witness.calls.iter().copied().filter(|call| call != left_out).collect();
        assert!(!fails(&fewer), "{}: {witness:?} of {calls:#?} can do without {left_out}", S::NAME);
    }
    assert!(witness.is_minimal);
    if !S::IS_WHOLE {
        return;
    }
    // The prefix has a linearization, and with the return that is stuck it has none.
    for (is_stuck_in, expected) in [(false, true), (true, false)] {
        let mut prefix = calls.clone();
        for (at, call) in prefix.iter_mut().enumerate() {
            let place = (call.returned, at).cmp(&(calls[witness.stuck].returned, witness.stuck));
            call.returned = call.returned.filter(|_| place.is_lt() || (is_stuck_in && place.is_eq()));
        }
        assert_eq!(oracle::is_linearizable(&model, &prefix), expected, "{}: {witness:?} of {calls:#?}", S::NAME);
        if expected {
            assert!(
                oracle::is_linearization(&model, &prefix, &witness.prefix),
                "{}: {witness:?} of {calls:#?}",
                S::NAME
            );
        }
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
