//! Sequences of characters that replicas edit concurrently: RGA, Fugue and FugueMax on one run-length engine.

mod error;
mod log;
mod op;
mod ordering;
mod place;
pub mod reference;
mod spans;
mod state;
mod text;
mod waiting;

pub use crate::causality::Dot;
pub use error::{ApplyError, EditError};
pub use op::{Delete, Insert, Op};
pub use ordering::{FugueMaxOrder, FugueOrder, Ordering, RgaOrder};
pub use text::{Deletions, Text};

/// Text with the order of RGA.
pub type Rga = Text<RgaOrder>;
/// Text with the order of Fugue.
pub type Fugue = Text<FugueOrder>;
/// Text with the order of FugueMax.
pub type FugueMax = Text<FugueMaxOrder>;
