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
    ("naive", 0x6150_a04e_2f73_08ad_7c68_1947_3766_85b2),
    ("occ-lin", 0x44b5_3081_b756_efea_967d_bdcd_7303_f538),
    ("occ-seq", 0x5d35_f4bf_ba89_345d_fe79_cba2_3592_a523),
    ("occ-lww", 0x1c0c_edcc_23f1_d60b_2cb8_5426_fa03_e3e9),
    ("push-state", 0xa1b8_cfd2_fb19_8401_b5a3_8dfa_09a7_5a89),
    ("push-pull-delta", 0x825f_f0e9_1e58_8f22_24ba_f5ba_3380_c499),
    ("pull-digest", 0xe47c_a10c_1d11_c774_4be7_7a18_344e_ab9c),
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
