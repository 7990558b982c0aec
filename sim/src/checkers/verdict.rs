//! Verdicts of checkers.

use std::fmt;

/// What a checker says about a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The property holds, and it was put to the test.
    Pass,
    /// The property does not hold.
    Fail {
        /// What shows it, for a person: operations, values, and what would have been right.
        witness: String,
    },
    /// The checker could not tell.
    Unknown {
        /// Why not.
        reason: String,
    },
    /// Nothing in the history puts the property to the test.
    Vacuous {
        /// What was missing.
        reason: String,
    },
}

impl Verdict {
    /// The verdict in one word, as in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail { .. } => "fail",
            Self::Unknown { .. } => "unknown",
            Self::Vacuous { .. } => "vacuous",
        }
    }

    /// The witness or the reason; nothing for a pass.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Pass => None,
            Self::Fail { witness } => Some(witness),
            Self::Unknown { reason } | Self::Vacuous { reason } => Some(reason),
        }
    }
}

/// A verdict with the calls that show it, for drawings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What was found.
    pub verdict: Verdict,
    /// For a failure the calls of the witness, as places in the history, in the order of their invocation; else none.
    pub calls: Vec<usize>,
}

impl Ruling {
    /// A failure that these calls show.
    pub fn fail(witness: String, calls: Vec<usize>) -> Self {
        Self { verdict: Verdict::Fail { witness }, calls }
    }
}

impl From<Verdict> for Ruling {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, calls: Vec::new() }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail() {
            None => f.write_str(self.name()),
            Some(detail) => write!(f, "{}: {detail}", self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_reads_as_a_line() {
        assert_eq!(Verdict::Pass.to_string(), "pass");
        assert_eq!(Verdict::Fail { witness: "5 is not 6".into() }.to_string(), "fail: 5 is not 6");
        assert_eq!(Verdict::Unknown { reason: "too many".into() }.to_string(), "unknown: too many");
        assert_eq!(Verdict::Vacuous { reason: "no update".into() }.to_string(), "vacuous: no update");
    }
}
