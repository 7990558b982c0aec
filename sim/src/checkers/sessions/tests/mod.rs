//! The judges judged: against the definitions, against each other, against known histories, and mutants of them.

mod agreement;
mod histories;
mod known;
mod large;
mod mutants;
mod oracle;
