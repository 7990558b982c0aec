//! The laws: what every type must obey so that its replicas converge, as checks that anyone can run.
//!
//! The convergence argument of [`crate::lattice`] has premises. Each is a [`Law`] here, and each check returns a
//! [`Violation`] that names the law and prints the states that break it. [`states`] judges single states, [`histories`]
//! lets replicas work on, and looks at every small history before it turns to long ones.
//!
//! A type with its operations is one line:
//!
//! ```
//! use crdts::{PnCounter, laws::histories::check_small_histories, objects::counter::CounterOp};
//!
//! let explored = check_small_histories::<PnCounter>(&[CounterOp::Add(1), CounterOp::Add(-2)], 3, 3)?;
//! assert_eq!(explored.histories, 12 + 12 * 12 + 12 * 12 * 12);
//! # Ok::<(), crdts::laws::Violation>(())
//! ```
//!
//! What is deliberately absent: a proof. The checks are exhaustive for small scopes and sampled beyond; the reasons why
//! the laws hold for all states stand with each type.

mod cluster;
pub mod deliveries;
pub mod histories;
mod stability;
pub mod states;

use std::fmt::{self, Debug};

/// A premise of convergence, or of what the project does with states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Law {
    /// `a ⊔ a = a`.
    Idempotent,
    /// `a ⊔ b = b ⊔ a`.
    Commutative,
    /// `(a ⊔ b) ⊔ c = a ⊔ (b ⊔ c)`.
    Associative,
    /// `⊥ ⊔ a = a`, `⊥ ≤ a`, and only bottom is bottom.
    BottomIsNeutral,
    /// `a ≤ b` exactly when `a ⊔ b = b`.
    OrderIsJoins,
    /// A join reports growth exactly when it changed the state.
    JoinReportsGrowth,
    /// The parts of a decomposition join to the state.
    DecompositionJoinsBack,
    /// No part of a decomposition is a join of smaller states.
    DecompositionIrreducible,
    /// No part of a decomposition lies below the join of the others.
    DecompositionIrredundant,
    /// What is sent for a digest brings its owner to at least this state.
    DeltaSufficient,
    /// What is sent for a digest holds nothing that its owner has already.
    DeltaLeast,
    /// Equal states feed equal words to a hash, and unequal states unequal ones; and so do digests.
    FoldIsFaithful,
    /// A larger state reports at least the progress of a smaller one.
    ProgressMonotone,
    /// An effective update raises the progress of its replica.
    ProgressCountsUpdates,
    /// A state that reports an update's progress contains the update, and a state that has everything reports everything.
    ProgressIsExact,
    /// An update leads to a larger or equal state.
    UpdateInflates,
    /// A refused operation leaves the state as it was.
    ErrorKeepsState,
    /// A query changes nothing and tells peers nothing.
    QueryKeepsState,
    /// Joining an update's delta into the state before gives the state after.
    DeltaIsUpdate,
    /// At the replica where it happens, an operation does to the observable value what the sequential specification says.
    SequentialSpecification,
    /// Replicas that have received the same are in the same state, whatever the order, and show the same value.
    Convergence,
    /// The join of all deltas is the join of all states.
    DeltasAreStates,
    /// When operations commute, the converged value is that of performing all of them one after the other.
    NothingLost,
    /// For types whose updates have names: each effective update takes the next name of its replica, and no other.
    OneDotPerUpdate,
    /// A replica that has seen a causally closed set of updates shows what the specification says of it.
    CausalSpecification,
    /// Ops are delivered once, after all that they follow, and as soon as that is there.
    CausalDelivery,
    /// A replica to which ops were delivered is in the state that is the join of theirs.
    OpsAreStates,
    /// Dropping what is causally stable changes no value, now or later, and is reported.
    StableKeepsValue,
    /// States of one history are joined by `try_join` as by `join`.
    TryJoinIsJoin,
    /// A state that `try_join` refuses leaves the other as it was, and is refused from both sides.
    TryJoinIsAtomic,
    /// The encoding reads back as the state, and has the size that is accounted.
    EncodingFaithful,
}

impl Law {
    /// The law in words.
    pub fn statement(self) -> &'static str {
        match self {
            Self::Idempotent => "joining a state with itself changes nothing",
            Self::Commutative => "the order of a join's two sides does not matter",
            Self::Associative => "the grouping of joins does not matter",
            Self::BottomIsNeutral => "joining bottom changes nothing, and only bottom is bottom",
            Self::OrderIsJoins => "a state is below another exactly when their join is the other",
            Self::JoinReportsGrowth => "a join reports growth exactly when it changed the state",
            Self::DecompositionJoinsBack => "the parts of a decomposition join to the state",
            Self::DecompositionIrreducible => "no part of a decomposition is a join of smaller states",
            Self::DecompositionIrredundant => "no part of a decomposition lies below the join of the others",
            Self::DeltaSufficient => "the delta for a digest brings the digest's owner to at least this state",
            Self::DeltaLeast => "the delta for a digest holds nothing that the digest's owner has",
            Self::FoldIsFaithful => "equal states (and digests) feed equal words to a hash, unequal ones unequal words",
            Self::ProgressMonotone => "a larger state reports at least as much progress",
            Self::ProgressCountsUpdates => "an effective update raises the progress of its replica",
            Self::ProgressIsExact => "a state reports the progress of an update only when it contains it",
            Self::UpdateInflates => "an update leads to a larger or equal state",
            Self::ErrorKeepsState => "a refused operation leaves the state as it was",
            Self::QueryKeepsState => "a query changes nothing and tells peers nothing",
            Self::DeltaIsUpdate => "joining an update's delta into the state before gives the state after",
            Self::SequentialSpecification => "an operation acts on the value as the sequential specification says",
            Self::Convergence => "replicas that received the same are in the same state",
            Self::DeltasAreStates => "the join of all deltas is the join of all states",
            Self::NothingLost => "when operations commute, all of them count in the converged value",
            Self::OneDotPerUpdate => "an effective update takes the next dot of its replica, and no other",
            Self::CausalSpecification => "the value is what the specification says of the updates that were seen",
            Self::CausalDelivery => "ops are delivered once, after all that they follow, as soon as that is there",
            Self::OpsAreStates => "a replica to which ops were delivered is in the join of their states",
            Self::StableKeepsValue => {
                "dropping what is causally stable changes no value, now or later, and is reported"
            }
            Self::TryJoinIsJoin => "states of one history are joined by try_join as by join",
            Self::TryJoinIsAtomic => {
                "a state that try_join refuses is refused by both sides and leaves them as they were"
            }
            Self::EncodingFaithful => "the encoding reads back as the state and has the accounted size",
        }
    }
}

/// A broken law, with what broke it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// The states, operations and histories that break it.
    pub evidence: Vec<Evidence>,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it is, for example `a joined with b`.
    pub label: &'static str,
    /// Its debug form.
    pub text: String,
}

impl Violation {
    fn with(mut self, label: &'static str, shown: &dyn Debug) -> Self {
        self.evidence.push(Evidence { label, text: format!("{shown:?}") });
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken law {:?}: {}", self.law, self.law.statement())?;
        for Evidence { label, text } in &self.evidence {
            write!(f, "\n  {label}: {text}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}

/// Evidence is formatted only when a law is broken.
fn require(holds: bool, law: Law, evidence: &[(&'static str, &dyn Debug)]) -> Result<(), Violation> {
    if holds {
        return Ok(());
    }
    let violation = Violation { law, evidence: Vec::new() };
    Err(evidence.iter().fold(violation, |violation, (label, shown)| violation.with(label, shown)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_prints_the_law_and_its_evidence() {
        let violation = require(1 + 1 == 3, Law::Idempotent, &[("a", &"one"), ("b", &2)]);
        let text = violation.map_err(|violation| violation.to_string());
        let expected = "broken law Idempotent: joining a state with itself changes nothing\n  a: \"one\"\n  b: 2";
        assert_eq!(text, Err(expected.to_owned()));
        assert_eq!(require(true, Law::Idempotent, &[]), Ok(()));
    }
}
