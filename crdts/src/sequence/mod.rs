//! Sequences of characters that replicas edit concurrently: RGA, Fugue and FugueMax on one run-length engine.

mod op;

pub use op::{Delete, Dot, Insert, Op};
