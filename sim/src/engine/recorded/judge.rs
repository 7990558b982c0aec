//! Judging: the one place where a consistency model meets its checker.
//!
//! Invariant: what [`is_judged`] promises has an arm in [`judge`], and nothing else has.
//!
//! What is deliberately absent: knowledge of files. What is judged are calls.

use super::{Finding, models::ModelKind};
use crate::checkers::{
    Consistency, Ruling, Verdict,
    linearizability::{self, Call, Judgement, Limits, Model},
};

/// Is there a checker of this consistency for this model?
pub(super) fn is_judged(_: ModelKind, consistency: Consistency) -> bool {
    consistency == Consistency::Linearizable
}

/// Judges calls; `None` where [`is_judged`] says no.
pub(super) fn judge<M: Model>(
    model: &M,
    calls: &[Call<M::Op, M::Ret>],
    consistency: Consistency,
    limits: &Limits<'_>,
) -> Option<Finding> {
    match consistency {
        Consistency::Linearizable => Some(linearizable(linearizability::check(model, calls, limits))),
        _ => None,
    }
}

/// A judgement of the search as a finding. Its places are those of calls.
fn linearizable(judgement: Judgement) -> Finding {
    match judgement {
        Judgement::Linearizable { parts, .. } => {
            Finding { parts: Some(parts), ..Finding::from(Ruling::from(Verdict::Pass)) }
        }
        Judgement::NotLinearizable(witness) => {
            // The calls are shown with their lines in the file; what else is said of them stays.
            let said: Vec<&str> = witness.text.lines().filter(|line| !line.starts_with("  process ")).collect();
            Finding {
                is_minimal: witness.is_minimal,
                prefix: witness.prefix,
                stuck: Some(witness.stuck),
                ..Finding::from(Ruling::fail(said.join("\n"), witness.calls))
            }
        }
        unknown @ Judgement::Unknown { .. } => Finding::from(Ruling::from(unknown)),
    }
}
