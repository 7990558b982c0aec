//! Running everything again, to see whether it is the same.

use super::run::{Outcome, Progress, run_system};
use crate::{
    kernel::{
        node::Node,
        service::Service,
        workload::Workload,
        world::{Divergence, World, first_divergence},
    },
    measure::Recorder,
    objects::Judged,
    registry::{Job, Setup, dispatch},
    scenario::{Plan, SystemSpec},
};

/// A system whose second run differed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The system.
    pub system: String,
    /// The first event after which the runs differ; `None` when two runs side by side agreed, so that the difference came
    /// from outside of the loop.
    pub divergence: Option<Divergence>,
}

/// Runs the systems once more, one after the other and on another thread than before, and compares them with `first`.
pub fn run_again(plan: &Plan, systems: &[&SystemSpec], seed: u64, first: &[Outcome]) -> Vec<Difference> {
    let again = std::thread::scope(|scope| {
        let second =
            || systems.iter().map(|system| run_system(plan, system, seed, &Progress::default())).collect::<Vec<_>>();
        scope.spawn(second).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let pairs = systems.iter().zip(first.iter().zip(&again));
    let differing =
        pairs.filter(|(_, (one, other))| one.fingerprint != other.fingerprint || one.measures != other.measures);
    differing
        .map(|(system, _)| Difference {
            system: system.name.clone(),
            divergence: dispatch(plan, system, seed, SideBySide),
        })
        .collect()
}

struct SideBySide;

impl<O: Judged> Job<O, Option<Divergence>> for SideBySide {
    fn run<N, S, W>(self, setup: Setup<N, S, W>) -> Option<Divergence>
    where
        N: Node<Object = O>,
        S: Service<O::State>,
        W: Workload<O>,
    {
        if setup.fleet.is_some() {
            // Programs cannot be copied. An audit of their steps says more than this would.
            return None;
        }
        let world = |setup: Setup<N, S, W>| {
            let Setup { plan, config, services, workload, .. } = setup;
            // The same kind of world as in ordinary runs: there is no reason to compile another one.
            let recorder = Recorder::<N>::new(&plan);
            World::<N, _, _, _>::new(plan, config, services, workload, recorder)
        };
        first_divergence(&mut world(setup.clone()), &mut world(setup))
    }
}
