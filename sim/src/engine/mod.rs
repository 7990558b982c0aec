//! The engine: jobs over the registry.
//!
//! [`run_all`] runs the systems of a scenario side by side under one seed, so that all meet the same draws;
//! [`run_again`] does it once more and names the first event that differs, if one does; [`trace()`] writes every event of
//! one run. `consistency` and `convergence` say which consistency models a run kept to, and [`judge`] holds what was found
//! against what the scenario expects. [`recorded`] judges histories that somebody else recorded, and [`advice`] runs candidates
//! and recommends one of them.
//!
//! Invariant: an outcome is a function of plan, system and seed. Systems run in parallel, a single run never does, and
//! outcomes come in the order of the scenario file.

pub mod advice;
mod consistency;
mod convergence;
mod foreign;
pub mod gate;
pub mod judge;
pub mod recorded;
mod run;
mod running;
pub mod selftest;
mod specified;
pub mod sweep;
mod trace;
mod twice;
pub mod zoo;

pub use consistency::{Finding, strongest};
pub use foreign::{Audit, Programs, audit, time_source_name};
pub use run::{Outcome, Progress, Size, outcome_of, run_all, run_bare, run_system};
pub use trace::{TraceFilter, trace};
pub use twice::{Difference, run_again};
