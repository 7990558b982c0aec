//! Exit codes: stable, and documented in `reports/README.md`.

use crate::report::model::Verdict;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything holds.
    Pass = 0,
    /// A property is violated, or runs that should be equal differ.
    Finding = 1,
    /// The command line or the scenario is wrong.
    Usage = 2,
    /// A limit was reached, or an expectation was never put to the test.
    Inconclusive = 3,
    /// The user had enough.
    Interrupted = 130,
    /// `sim` itself is wrong, or the machine does not let it work.
    Internal = 70,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Finding,
            Verdict::Vacuous | Verdict::Inconclusive => Self::Inconclusive,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
