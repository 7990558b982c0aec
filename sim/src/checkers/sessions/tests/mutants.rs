//! Mutants of the judges: each disagrees with the definition somewhere among the histories that the judges agree on.

use super::{
    agreement::{HISTORIES, is_failure},
    histories::{Random, any},
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
mutant!(one_round_of_saturation: SATURATES of Causal, Pram);
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
