//! Workloads: which client invokes what, where and when.
//!
//! `arrivals` decides when, `clients` which kind of operation and where, and one generator per object what the operation is
//! about. Every draw is addressed by the client and the number of its operation, one purpose for each question: so all
//! systems of a scenario meet the same arrivals, and another operation mix leaves the times as they are. In an open loop
//! not even the answers have an influence, but on where a client types: that depends on the text that it sees.
//!
//! ```
//! use crdts::objects::counter::Counter;
//! use sim::{kernel::{time::{SECOND, Time}, workload::Workload}, workloads::*};
//! let phases = vec![Phase { for_ns: SECOND, rate_mhz: 4_000, think_ns: 0 }];
//! let mix = Mix::new(vec![1, 0]).expect("there are additions");
//! let config = WorkloadConfig {
//!     clients: 2,
//!     replicas: 3,
//!     binding: Binding::Replica,
//!     source: Source::Drawn { pacing: Pacing::Fixed, start: Time(0), phases, mix },
//!     operations: Operations::Counter(AmountDistribution::Constant(1)),
//! };
//! let generator = CounterGenerator::new(AmountDistribution::Constant(1), 1);
//! let mut workload = Clients::new(&config, generator, 1);
//! let next = || Workload::<Counter>::next(&mut workload, 1, Time(0));
//! let times = std::iter::from_fn(next).map(|arrival| arrival.at.to_string());
//! assert_eq!(times.collect::<Vec<_>>(), ["250ms", "750ms"]);
//! ```
//!
//! How long a client waits for an answer, and the final reads at the end of a run, are not decided here.

mod arrivals;
mod cart;
mod clients;
mod counter;
mod exponential;
mod popularity;
mod register;
mod sequence;
mod set;

pub use self::{
    arrivals::{Pacing, Phase},
    cart::{CartGenerator, CartItems},
    clients::{Binding, Clients, Generator, Mix, Operations, ScriptedOp, Source, Step, Turn, WorkloadConfig},
    counter::{AmountDistribution, CounterGenerator},
    popularity::Popularity,
    register::RegisterGenerator,
    sequence::{Place, SequenceGenerator, Typing},
    set::SetGenerator,
};
