//! The judge judged: against the definition, against itself without its knowledge, against known histories, and mutants of
//! it against the same tests.

mod agreement;
mod equal_additions;
mod histories;
mod known;
mod large;
mod mutants;
mod oracle;
mod specimens;
