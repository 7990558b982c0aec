//! The self-test: does this machine compute what all others do?
//!
//! A small scenario that touches every part where platforms might differ (latency tables, draws, faults, every protocol)
//! is built in, together with the fingerprints it must have. A platform, a compiler or a dependency that changes a single
//! bit of a run is found here.

use super::run::{Progress, run_all};
use crate::{kernel::fold::Fingerprint, scenario};

/// The built-in scenario.
const SCENARIO: &str = include_str!("selftest.toml");

/// The fingerprint that every system must have.
const GOLDEN: &[(&str, u128)] = &[];

/// A system of the self-test, with what it gave and what it should have given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The system.
    pub system: String,
    /// The fingerprint on this machine.
    pub computed: Fingerprint,
    /// The golden fingerprint.
    pub golden: Fingerprint,
}

impl Check {
    /// Are they the same?
    pub fn passes(&self) -> bool {
        self.computed == self.golden
    }
}

/// Runs the built-in scenario.
pub fn selftest() -> Vec<Check> {
    let plan = scenario::parse("selftest.toml", SCENARIO, &[]).expect("the built-in scenario is valid, which a test checks");
    let systems: Vec<_> = plan.systems.iter().collect();
    let outcomes = run_all(&plan, &systems, plan.seed, &Progress::default());
    let golden = |name: &str| GOLDEN.iter().find(|(system, _)| *system == name).map_or(0, |(_, golden)| *golden);
    outcomes
        .into_iter()
        .map(|outcome| Check {
            golden: Fingerprint(golden(&outcome.system)),
            computed: outcome.fingerprint,
            system: outcome.system,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_computes_the_golden_fingerprints() {
        let checks = selftest();
        assert_eq!(checks.len(), GOLDEN.len());
        for check in checks {
            assert!(check.passes(), "{check:x?}");
        }
    }
}
