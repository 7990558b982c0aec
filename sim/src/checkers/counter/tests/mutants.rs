//! Mutants of the checkers: each disagrees with the definition somewhere among the histories that the checker agrees on.

use super::agreement::{HISTORIES, any, bounded, monotonic};
use crate::checkers::{
    Ruling,
    counter::{Ledger, bounded as bounds, monotonic as falls},
};

fn is_caught(expected: fn(&Ledger) -> &'static str, check: fn(&Ledger) -> Ruling) -> bool {
    (0..HISTORIES).map(any).any(|ledger| check(&ledger).verdict.name() != expected(&ledger))
}

macro_rules! mutants {
    ($($test:ident: $module:ident $rule:ident against $expected:ident,)*) => {$(
        #[test]
        fn $test() {
            enum Mutant {}
            impl $module::Rules for Mutant {
                const $rule: bool = false;
            }
            assert!(is_caught($expected, $module::check_by::<Mutant>));
        }
    )*};
}

mutants! {
    acknowledged_additions_that_may_be_missed: bounds ACKNOWLEDGED_MUST_COUNT against bounded,
    concurrent_additions_that_must_not_count: bounds CONCURRENT_MAY_COUNT against bounded,
    indeterminate_additions_that_must_not_count: bounds INDETERMINATE_MAY_COUNT against bounded,
    later_additions_that_may_count: bounds LATER_MUST_NOT_COUNT against bounded,
    failed_additions_that_may_count: bounds FAILED_MUST_NOT_COUNT against bounded,
    bounds_taken_for_the_set: bounds UNITS_ARE_NEEDED against bounded,
    processes_taken_together: falls PROCESSES_ARE_APART against monotonic,
    reads_compared_with_their_neighbours: falls ALL_ARE_COMPARED against monotonic,
    reads_compared_that_overlap: falls ORDER_IS_NEEDED against monotonic,
    counters_that_shrink: falls ONLY_GROWING against monotonic,
}
