//! sim.
pub mod kernel;
pub mod protocols;
pub mod services;
pub mod faults;
pub mod workloads;
pub mod measure;
pub mod checkers;
pub mod history;
pub mod report;
pub mod scenario;
pub mod registry;
pub mod engine;
pub mod cli;
