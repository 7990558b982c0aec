//! `sim selftest`.

use std::fmt::Write;

use clap::Args;

use super::{Exit, output};
use crate::engine::selftest::{Check, selftest};

/// Recompute a built-in run, and compare it bit by bit with what every machine must compute.
#[derive(Debug, Args)]
pub(super) struct Selftest {}

impl Selftest {
    #[expect(clippy::unused_self, reason = "every subcommand is executed the same way")]
    pub(super) fn execute(&self) -> Exit {
        let checks = selftest();
        let mut page = String::new();
        for check in &checks {
            let verdict = if check.passes() { "ok" } else { "DIFFERS" };
            // Writing to a string cannot fail.
            let _ = writeln!(page, "{:<16} {} {verdict}", check.system, check.computed);
        }
        output::say(&page);
        if checks.iter().all(Check::passes) {
            return Exit::Pass;
        }
        output::refuse(
            "this platform does not compute what others do: seeds and baselines from elsewhere mean something else here",
            Exit::Internal,
        )
    }
}
