//! The objects that replicated types implement.

pub mod bounded_counter;
pub mod counter;
