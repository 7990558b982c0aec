//! Running everything again, to see whether it is the same.

use super::{
    run::{Outcome, Progress, run_system},
    running::start,
};
use crate::{
    kernel::world::Divergence,
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
        .map(|(system, _)| Difference { system: system.name.clone(), divergence: side_by_side(plan, system, seed) })
        .collect()
}

/// Runs a system twice, event by event, up to the first difference.
fn side_by_side(plan: &Plan, system: &SystemSpec, seed: u64) -> Option<Divergence> {
    let (mut one, mut other) = (start(plan, system, seed), start(plan, system, seed));
    loop {
        let (stop, other_stop) = (one.run_some(1), other.run_some(1));
        if one.fingerprint() != other.fingerprint() || stop != other_stop {
            return Some(Divergence { event: one.events(), time: one.now(), other_time: other.now() });
        }
        if stop.is_some() {
            return None;
        }
    }
}
