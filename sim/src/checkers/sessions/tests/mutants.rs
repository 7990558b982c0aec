//! Mutants of the judges: each disagrees with the definition somewhere among the histories that the judges agree on.

use super::{
    agreement::{HISTORIES, is_failure},
    histories::{Random, any},
    known::accesses,
    oracle,
};
use crate::checkers::{
    Consistency::{self, Causal, MonotonicReads, MonotonicWrites, Pram, ReadYourWrites, WritesFollowReads},
    sessions::{Rules, Sound, check_by},
};

fn is_caught<R: Rules>(model: Consistency) -> bool {
    (0..HISTORIES).any(|seed| {
        let accesses = any(&mut Random(seed << 20));
        is_failure(&check_by::<R, _, _>(model, &accesses)) == oracle::has(model, &accesses)
    })
}

macro_rules! mutant {
    ($test:ident: $rule:ident of $($model:ident),*) => {
        #[test]
        fn $test() {
            enum Mutant {}
            impl Rules for Mutant {
                const $rule: bool = false;
            }
            $(assert!(is_caught::<Mutant>($model), "{} let it pass", $model.name());)*
        }
    };
}

mutant!(sources_overwritten: SOURCES_ARE_THE_LATEST of Causal, Pram, MonotonicReads);
mutant!(a_beginning_after_a_write: BEGINNINGS_ARE_OVERWRITTEN of Causal, Pram, MonotonicReads);
mutant!(pram_taken_for_causality: READS_OF_OTHERS_COUNT of Causal);
mutant!(what_was_read_before_a_write_forgotten: OWN_READS_COUNT of ReadYourWrites);
mutant!(earlier_writes_forgotten: WRITES_BRING_EARLIER_ONES of MonotonicWrites);
mutant!(what_writers_read_forgotten: READS_OF_WRITERS_COUNT of WritesFollowReads);

#[test]
fn the_judge_itself_is_not_caught() {
    assert!((0..1_000).all(|seed| {
        let accesses = any(&mut Random(seed << 20));
        is_failure(&check_by::<Sound, _, _>(Causal, &accesses)) != oracle::has(Causal, &accesses)
    }));
}

/// What is read last puts one write before another, and with it a third before an earlier read of the beginning.
#[test]
fn one_round_of_saturation() {
    enum Mutant {}
    impl Rules for Mutant {
        const SATURATES: bool = false;
    }
    let accesses = accesses("wy9 wx1 wu4 | wx2 wz3 | rz3 ry- ru4 rx2");
    for model in [Causal, Pram] {
        assert!(!oracle::has(model, &accesses) && is_failure(&check_by::<Sound, _, _>(model, &accesses)));
        assert!(!is_failure(&check_by::<Mutant, _, _>(model, &accesses)));
    }
}
