//! Exact agreement with the definitions, and the implications between the models, on every history.

use super::{
    histories::{Accesses, Random, any, calls},
    oracle,
};
use crate::checkers::{
    Consistency::{self, Causal, MonotonicReads, MonotonicWrites, Pram, ReadYourWrites, Sequential, WritesFollowReads},
    Ruling, Verdict,
    linearizability::{Limits, models::KeyValue},
    sequential,
    sessions::{accesses_of_store, check},
};

pub(super) const HISTORIES: u64 = 100_000;
pub(super) const MODELS: [Consistency; 6] =
    [Causal, Pram, WritesFollowReads, MonotonicWrites, MonotonicReads, ReadYourWrites];

pub(super) fn is_failure(ruling: &Ruling) -> bool {
    assert!(!matches!(ruling.verdict, Verdict::Unknown { .. }), "{ruling:?}");
    matches!(ruling.verdict, Verdict::Fail { .. })
}

fn agree(model: Consistency) {
    let mut counts = [0, 0];
    for seed in 0..HISTORIES {
        let accesses = any(&mut Random(seed << 20));
        let (expected, ruling) = (oracle::has(model, &accesses), check(model, &accesses));
        assert_eq!(!is_failure(&ruling), expected, "{}: seed {seed}: {ruling:?} of {accesses:#?}", model.name());
        counts[usize::from(!expected)] += 1;
        if !expected {
            witness_is_right(model, &accesses, &ruling);
        }
    }
    // Both verdicts were put to the test.
    assert!(counts.iter().all(|count| *count > HISTORIES / 25), "{}: {counts:?}", model.name());
}

/// The calls of a witness fail alone; that of writes-follow-reads leaves out through whom a write is seen.
fn witness_is_right(model: Consistency, accesses: &Accesses, ruling: &Ruling) {
    let shown: Accesses = accesses.iter().filter(|access| ruling.calls.contains(&access.call)).cloned().collect();
    assert!(model == WritesFollowReads || !oracle::has(model, &shown), "{}: {ruling:?} of {accesses:#?}", model.name());
}

macro_rules! agreement {
    ($($test:ident: $model:ident,)*) => {$(
        #[test]
        fn $test() {
            agree($model);
        }
    )*};
}

agreement! {
    causal: Causal,
    pram: Pram,
    writes_follow_reads: WritesFollowReads,
    monotonic_writes: MonotonicWrites,
    monotonic_reads: MonotonicReads,
    read_your_writes: ReadYourWrites,
}

#[test]
fn strong_models_imply_weak_ones() {
    let mut only = std::collections::BTreeMap::new();
    for seed in 0..HISTORIES / 4 {
        let accesses = any(&mut Random(seed << 20));
        let calls = calls(&accesses);
        let whole = sequential::check(&KeyValue::new(), &calls, &Limits::default());
        let mut failed: Vec<(Consistency, bool)> = vec![(Sequential, is_failure(&whole))];
        failed.extend(MODELS.map(|model| (model, is_failure(&check(model, &accesses)))));
        for &(strong, strong_fails) in &failed {
            for &(weak, weak_fails) in &failed {
                let is_wrong = strong.implies(weak) && weak_fails && !strong_fails;
                assert!(!is_wrong, "seed {seed}: {} without {}: {accesses:#?}", strong.name(), weak.name());
                if strong_fails && !weak_fails {
                    *only.entry((strong, weak)).or_insert(0) += 1;
                }
            }
        }
    }
    // The models are different: each is broken somewhere where each that it does not follow from holds.
    for strong in MODELS.into_iter().chain([Sequential]) {
        for weak in MODELS {
            assert!(weak.implies(strong) || only.contains_key(&(strong, weak)), "{strong:?} follows from {weak:?}");
        }
    }
}

#[test]
fn calls_tell_accesses() {
    for seed in 0..HISTORIES / 10 {
        let accesses = any(&mut Random(seed << 20));
        let told = accesses_of_store(&calls(&accesses)).expect("the answers fit");
        for model in MODELS {
            let [told, given] = [check(model, &told), check(model, &accesses)];
            assert_eq!(
                (told.verdict.name(), told.calls),
                (given.verdict.name(), given.calls),
                "seed {seed}: {accesses:#?}"
            );
        }
    }
}
