//! Workloads: which client invokes what, where and when.
//!
//! `arrivals` decides when, `counter` what and where. Every draw is addressed by the client and the number of its
//! operation, one purpose for each question: so all systems of a scenario meet the same arrivals, and another operation
//! mix leaves the times as they are. In an open loop not even the answers have an influence.
//!
//! ```
//! use crdts::objects::counter::Counter;
//! use sim::{kernel::{time::{SECOND, Time}, workload::Workload}, workloads::*};
//! let mut workload = CounterWorkload::new(
//!     CounterWorkloadConfig {
//!         clients: 2,
//!         replicas: 3,
//!         pacing: Pacing::Fixed,
//!         start: Time(0),
//!         phases: vec![Phase { for_ns: SECOND, rate_mhz: 4_000, think_ns: 0, mix: None }],
//!         mix: Mix { add: 1, read: 0 },
//!         amount: AmountDistribution::Constant(1),
//!         binding: Binding::Replica,
//!     },
//!     1,
//! );
//! let times = std::iter::from_fn(|| workload.next(1, Time(0))).map(|arrival| arrival.at.to_string());
//! assert_eq!(times.collect::<Vec<_>>(), ["250ms", "750ms"]);
//! ```
//!
//! How long a client waits for an answer, and the final reads at the end of a run, are not decided here.

mod arrivals;
mod counter;
mod exponential;

pub use self::{
    arrivals::{Pacing, Phase},
    counter::{AmountDistribution, Binding, CounterWorkload, CounterWorkloadConfig, Mix},
};
