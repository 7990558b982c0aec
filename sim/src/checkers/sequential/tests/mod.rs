//! The judge judged: against the definition, against known histories, and mutants of it against the same tests.

mod agreement;
mod histories;
mod known;
mod large;
mod mutants;
mod oracle;
