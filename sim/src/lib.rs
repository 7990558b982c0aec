//! sim.
pub mod kernel;
pub mod protocols;
pub mod services;
pub mod faults;
pub mod workloads;
