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
const GOLDEN: &[(&str, u128)] = &[
    ("naive", 0x85bb_c9aa_d4c0_6706_9f44_f3dc_7cb5_aa36),
    ("occ-lin", 0x4906_5dc6_4a2a_cd3a_8919_3914_9589_c945),
    ("occ-seq", 0x7269_3705_ba2a_1b92_50c6_9b9f_7274_752c),
    ("occ-lww", 0x18f5_86c2_c6b7_029f_52d3_8cfa_39e4_d18f),
    ("push-state", 0x80e5_b4f2_9f12_bef5_4e19_7b96_ffc2_47b3),
    ("push-pull-delta", 0x3d3b_249c_cb8e_fbfb_43c7_487e_5e2e_c222),
    ("pull-digest", 0xf736_85c2_79e7_54bc_2d29_a2a0_24ba_891d),
];

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
    let plan =
        scenario::parse("selftest.toml", SCENARIO, &[]).expect("the built-in scenario is valid, which a test checks");
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
        let names: Vec<&str> = GOLDEN.iter().map(|(name, _)| *name).collect();
        assert_eq!(checks.iter().map(|check| check.system.as_str()).collect::<Vec<_>>(), names);
        // When seeds are meant to change their meaning, these lines replace the table.
        let line = |check: &Check| format!("    (\"{}\", {}),", check.system, literal(check.computed));
        let computed: Vec<String> = checks.iter().map(line).collect();
        assert!(checks.iter().all(Check::passes), "this machine computes\n{}", computed.join("\n"));
    }

    /// A fingerprint as it is written in the table.
    fn literal(Fingerprint(bits): Fingerprint) -> String {
        let part = |index: u32| format!("{:04x}", (bits >> (112 - 16 * index)) as u16);
        format!("0x{}", (0..8).map(part).collect::<Vec<_>>().join("_"))
    }
}
