//! A run in progress, whatever its nodes are.
//!
//! The loop knows its nodes when it is compiled, and there are dozens of kinds. What is done with a run outside of the loop needs to
//! know nothing of them: so each kind of world is compiled once, behind [`Running`], and everything else once for all of them. A call
//! handles many events, so that its cost does not show.
//!
//! Invariant: a run is the same however it is cut into calls.
//!
//! What is deliberately absent: other observers than the recorder. Who wants one writes a [`Job`].

use std::sync::Arc;

use super::{
    advice::sample::Counts,
    foreign,
    run::{Depth, Outcome, outcome_to},
};
use crate::{
    kernel::{
        fold::Fingerprint,
        node::{Node, StateOf},
        observer::TracedEvent,
        plan::RunPlan,
        service::Service,
        time::Time,
        workload::Workload,
        world::{Stop, World},
    },
    maelstrom::Fleet,
    measure::Recorder,
    objects::Judged,
    registry::{Job, Setup, dispatch},
    scenario::{Plan, SystemSpec},
};

/// A run in progress.
pub(super) trait Running {
    /// Handles up to so many events. Returns why the run has ended, if it has.
    fn run_some(&mut self, events: u32) -> Option<Stop>;

    /// Handles one event, and shows it.
    fn step_traced(&mut self, see: &mut dyn FnMut(&TracedEvent<'_>)) -> Option<Stop>;

    /// The virtual time of the last event.
    fn now(&self) -> Time;

    /// The number of events handled.
    fn events(&self) -> u64;

    /// The hash of everything so far.
    fn fingerprint(&self) -> Fingerprint;

    /// What became of a run that has ended, under the name of its system.
    fn outcome(&self, system: &str, depth: Depth, stop: Stop) -> Outcome;

    /// What its history says by counting.
    fn counts(&self) -> Counts;
}

struct Recorded<N: Node, S, W> {
    world: World<N, S, W, Recorder<N>>,
    plan: RunPlan,
    fleet: Option<Arc<Fleet>>,
}

impl<N, S, W> Running for Recorded<N, S, W>
where
    N: Node<Object: Judged>,
    S: Service<StateOf<N>>,
    W: Workload<N::Object>,
{
    fn run_some(&mut self, events: u32) -> Option<Stop> {
        (0..events).find_map(|_| self.world.step())
    }

    fn step_traced(&mut self, see: &mut dyn FnMut(&TracedEvent<'_>)) -> Option<Stop> {
        self.world.step_traced(see)
    }

    fn now(&self) -> Time {
        self.world.now()
    }

    fn events(&self) -> u64 {
        self.world.events()
    }

    fn fingerprint(&self) -> Fingerprint {
        self.world.fingerprint()
    }

    fn outcome(&self, system: &str, depth: Depth, stop: Stop) -> Outcome {
        let mut outcome = outcome_to(depth, system, &self.plan, &self.world, stop);
        if let Some(fleet) = &self.fleet {
            foreign::complete(&mut outcome, fleet, depth);
        }
        outcome
    }

    fn counts(&self) -> Counts {
        Counts::of(self.world.observer().history(), &self.plan.windows)
    }
}

/// Starts a run.
struct Start<'a> {
    change: &'a dyn Fn(&mut RunPlan),
}

impl<O: Judged> Job<O, Box<dyn Running>> for Start<'_> {
    fn run<N, S, W>(self, setup: Setup<N, S, W>) -> Box<dyn Running>
    where
        N: Node<Object = O> + 'static,
        S: Service<O::State> + 'static,
        W: Workload<O> + 'static,
    {
        let Setup { mut plan, config, services, workload, fleet } = setup;
        (self.change)(&mut plan);
        let recorder = Recorder::<N>::new(&plan);
        let world = World::<N, _, _, _>::new(plan.clone(), config, services, workload, recorder);
        Box::new(Recorded { world, plan, fleet })
    }
}

/// A system of a scenario at the start of its run under `seed`.
pub(super) fn start(plan: &Plan, system: &SystemSpec, seed: u64) -> Box<dyn Running> {
    start_changed(plan, system, seed, &|_| {})
}

/// The same, of a plan that was changed.
pub(super) fn start_changed(
    plan: &Plan,
    system: &SystemSpec,
    seed: u64,
    change: &dyn Fn(&mut RunPlan),
) -> Box<dyn Running> {
    dispatch(plan, system, seed, Start { change })
}
