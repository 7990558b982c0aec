//! Checkers: judges of histories.
//!
//! A checker reads a [`crate::history::History`] and gives a [`Verdict`]: pass, fail with a witness, unknown with a
//! reason, or vacuous with a reason. Invariant: a checker says pass only when it has seen evidence; no evidence is a
//! failure or vacuous, and an exhausted budget is unknown.
//!
//! Checkers know neither protocols nor faults, and they never repair or guess.

pub mod answers;
pub mod consistency;
pub mod contents;
pub mod counter;
pub mod linearizability;
pub mod ranges;
pub mod sequential;
pub mod sessions;
pub mod set_full;
pub mod specification;
pub mod verdict;
pub mod visibility;

pub use consistency::Consistency;
pub use verdict::{Ruling, Verdict};

/// What `sim list` says about a checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckerDoc {
    /// The name in reports.
    pub name: &'static str,
    /// The object whose histories it judges.
    pub object: &'static str,
    /// One line on what passes.
    pub doc: &'static str,
}

/// All checkers.
pub const CHECKERS: &[CheckerDoc] = &[
    counter::FINAL_READS,
    counter::AGREED,
    counter::BOUNDED_READS,
    counter::RISING_TOTALS,
    set_full::SET_FULL,
    linearizability::LINEARIZABLE_STORE,
    answers::ECHOES,
    answers::DISTINCT_IDS,
    answers::FINAL_AGREEMENT,
    answers::ORDERLY,
    visibility::FITTING_VALUE,
    visibility::FITTING_READS,
    visibility::LOCAL_EFFECTS,
    visibility::SPECIFIED_VALUE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkers_have_distinct_names_and_one_line() {
        let mut names: Vec<_> = CHECKERS.iter().map(|checker| checker.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHECKERS.len());
        assert!(CHECKERS.iter().all(|checker| !checker.doc.is_empty() && !checker.doc.contains('\n')));
    }
}
