//! Mutants of the checker: each disagrees with the procedure somewhere among the histories that the checker agrees on.

use super::agreement::{HISTORIES, agrees};
use crate::checkers::set_full::{elements::Rules, judge_by};

macro_rules! mutants {
    ($($test:ident: $rule:ident,)*) => {$(
        #[test]
        fn $test() {
            enum Mutant {}
            impl Rules for Mutant {
                const $rule: bool = false;
            }
            let check = |additions: &[_], reads: &[_]| judge_by::<u16, Mutant>(additions, reads, None);
            assert!((0..HISTORIES).any(|seed| agrees(seed, check).is_err()));
        }
    )*};
}

mutants! {
    reads_that_make_nothing_known: READS_MAKE_KNOWN,
    elements_lost_before_they_were_known: KNOWN_BEFORE_LOST,
    elements_missed_before_they_were_added: ADDED_BEFORE_MISSED,
    reads_in_the_order_of_their_returns: INVOCATIONS_ORDER,
    failed_additions_that_add: FAILED_ADD_NOTHING,
    elements_read_before_they_were_added: ADDED_BEFORE_READ,
}
