//! A deterministic discrete-event simulator of clusters of replicas.
//!
//! A scenario describes a cluster, its network, its clients, what goes wrong and when, and the systems to compare. All
//! systems meet the same draws. What becomes of each is measured and judged: when the replicas agreed again, what was
//! lost, who was served meanwhile, and what it cost. The same program, scenario and seed give the same run, bit by bit.
//!
//! # A whole program
//!
//! ```
//! use sim::{engine::{Progress, run_all}, report, scenario};
//!
//! let text = r#"
//!     name = "two-rooms"
//!     cluster = { nodes = 4 }
//!     network = { latency = "10ms" }
//!     workload = { object = "counter", clients = 4, rate = "40/s", duration = "3s", quiet = "1s" }
//!     fault = [{ at = "1s", for = "1s", partition = "halves" }]
//!     system = [
//!         { name = "naive", naive = {} },
//!         { name = "crdt", gossip = { crdt = "pn-counter" } },
//!     ]
//!
//!     [expect.naive]
//!     lost_updates = "> 0"
//!
//!     [expect.crdt]
//!     correct = true
//!     lost_updates = 0
//! "#;
//! let plan = scenario::parse("two-rooms.toml", text, &[]).expect("a scenario that makes sense");
//! let systems: Vec<_> = plan.systems.iter().collect();
//! let outcomes = run_all(&plan, &systems, plan.seed, &Progress::default());
//! let report = report::report(&plan, &systems, plan.seed, &outcomes, String::new());
//! assert_eq!(report.verdict, report::model::Verdict::Pass);
//!
//! let again = run_all(&plan, &systems, plan.seed, &Progress::default());
//! assert!(outcomes.iter().zip(&again).all(|(one, other)| one.fingerprint == other.fingerprint));
//! ```
//!
//! # The house
//!
//! Modules stand here in the order of their levels: a module uses only modules of lower levels, which a test checks.
//! `ARCHITECTURE.md` walks through them, `DECISIONS.md` says what was weighed.
//!
//! What is deliberately absent: real sockets, real clocks, and any way to run a replica that is not a value.

pub mod kernel;

pub mod history;
pub mod statistics;

pub mod faults;
pub mod programs;
pub mod protocols;
pub mod services;
pub mod workloads;

pub mod checkers;
pub mod measure;
pub mod objects;
pub mod zoo;

pub mod maelstrom;
pub mod scenario;

pub mod explain;
pub mod registry;

pub mod engine;

pub mod report;

pub mod cli;
