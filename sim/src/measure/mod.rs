//! Measures: what a run cost, when its replicas agreed, and what clients saw.
//!
//! [`Recorder`] is the observer of ordinary runs. It keeps the history, counts who holds which value, and follows which
//! updates each replica reflects, and which the answers to reads contain. [`Recorder::finish`] turns that into [`Measures`]; every number is defined in
//! `reports/README.md`.
//!
//! Measures describe. Whether a number is good enough is for expectations to say, and whether a history is consistent for
//! checkers.

pub mod agreement;
pub mod contents;
pub mod deliveries;
pub mod local_effects;
pub mod phases;
pub mod quantiles;
mod recorder;
pub mod reflection;
pub mod states;
pub mod visibility;

pub use recorder::{ConvergenceEvidence, Measures, OperationLatency, PhaseAvailability, Recorder, StaleReads};
