//! Histories of a thousand calls: whatever is decided, it is decided within few steps.

use super::histories::{Random, Shape, Specimen, Unique, good, tampered};
use crate::checkers::{
    Verdict,
    linearizability::{Call, Limits, Model},
    sequential::check,
};

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

/// Fifty processes are more than a search for one order copes with, but such histories are linearizable most often.
#[test]
fn a_large_linearizable_history_passes_whatever_its_processes() {
    let model = Unique::model();
    let calls: Vec<_> = (0..2_000_u64)
        .scan(model.init(), |state, serial| {
            let op = Unique::op(&mut Random(serial << 32), serial);
            let ret =
                Unique::answers(state, &op).into_iter().find(|ret| model.step(state, &op, Some(ret)).is_some())?;
            *state = model.step(state, &op, Some(&ret))?;
            // Each call overlaps those of the other 49 processes.
            Some(Call::returned(serial % 50, op, ret, 10 * serial, 10 * serial + 400))
        })
        .collect();
    assert_eq!(calls.len(), 2_000);
    assert_eq!(check(&model, &calls, &Limits { steps: 100_000, ..Limits::default() }).verdict, Verdict::Pass);
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
