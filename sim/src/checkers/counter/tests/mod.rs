//! The checkers of reads judged: against their definitions tried out in all ways, against known histories, and mutants of
//! them against the same tests.

mod agreement;
mod known;
mod mutants;
