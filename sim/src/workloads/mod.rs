//! Workloads: which client invokes what, where and when.
//!
//! `arrivals` decides when, `counter` what and where. Every draw is addressed by the client and the number of its
//! operation, one purpose for each question: so all systems of a scenario meet the same arrivals, and another operation
//! mix leaves the times as they are. In an open loop not even the answers have an influence.
//!
//! How long a client waits for an answer, and the final reads at the end of a run, are not decided here.

mod arrivals;
mod counter;
mod exponential;

pub use self::{
    arrivals::{Pacing, Phase},
    counter::{AmountDistribution, Binding, CounterWorkload, CounterWorkloadConfig, Mix},
};
