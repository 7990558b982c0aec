//! Histories of thousands of accesses.

use super::{
    agreement::{MODELS, is_failure},
    histories::{Random, Shape, history},
};
use crate::checkers::{Verdict, sessions::check};

const SHAPE: Shape = Shape { accesses: 2_000, processes: 50, keys: 20, wild_percent: 0, unknown_percent: 3 };

#[test]
fn a_large_good_history_passes() {
    let good = history(&mut Random(1), Shape { unknown_percent: 0, ..SHAPE });
    for model in MODELS {
        assert_eq!(check(model, &good).verdict, Verdict::Pass, "{}", model.name());
    }
}

#[test]
fn large_bad_histories_fail_with_a_few_calls() {
    for seed in 0..5 {
        let bad = history(&mut Random(seed), Shape { wild_percent: 2, ..SHAPE });
        for model in MODELS {
            let ruling = check(model, &bad);
            assert!(!is_failure(&ruling) || ruling.calls.len() < 30, "{}: {ruling:?}", model.name());
        }
    }
}
