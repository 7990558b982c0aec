//! The objects that replicated types implement.

pub mod counter;
