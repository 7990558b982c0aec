//! The checker of sets judged: against Jepsen's procedure event by event, against known histories, and mutants of it against
//! the same tests.

mod agreement;
mod known;
mod mutants;
mod oracle;
