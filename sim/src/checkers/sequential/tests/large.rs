//! Histories of a thousand calls: whatever is decided, it is decided within few steps.

use super::histories::{Random, Shape, Specimen, Unique, good, tampered};
use crate::checkers::{Verdict, linearizability::Limits, sequential::check};

const SHAPE: Shape = Shape { calls: 1_000, processes: 10, unknown_percent: 3 };

#[test]
fn a_large_good_history_passes() {
    for seed in 0..3 {
        let calls = good::<Unique>(&mut Random(seed << 40), SHAPE);
        assert_eq!(
            check(&Unique::model(), &calls, &Limits { steps: 100_000, ..Limits::default() }).verdict,
            Verdict::Pass,
            "seed {seed}"
        );
    }
}

#[test]
fn a_large_bad_history_fails_with_a_few_calls() {
    for seed in 0..3 {
        let calls = tampered::<Unique>(&mut Random(seed << 40), SHAPE);
        let ruling = check(&Unique::model(), &calls, &Limits { steps: 100_000, ..Limits::default() });
        assert!(matches!(ruling.verdict, Verdict::Fail { .. } | Verdict::Pass), "seed {seed}: {ruling:?}");
        assert!(ruling.calls.len() < 12, "seed {seed}: {ruling:?}");
    }
}
