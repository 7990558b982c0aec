//! Linearizability: did every call take effect at one instant between its invocation and its return?
//!
//! Histories can come from anywhere: [`check`] takes [`Call`]s and a [`Model`]. Calls on keys that have nothing to do with
//! each other are judged apart, and in parallel: a history is linearizable exactly if each object's part is (Herlihy and
//! Wing, *Linearizability*, 1990). A part is judged by theory where there is one ([`Model::shortcut`]), and by a search
//! otherwise.
//!
//! Invariant: *linearizable* and *not linearizable* are certain. Where the search would take more than its [`Limits`], the
//! judgement is *unknown*. It depends on calls and limits alone, not on threads, clocks or hashes.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Judgement, Limits, check, models::{Register, RegisterOp::*, RegisterRet::*}};
//!
//! let calls = [
//!     Call::returned(0, Write(1), Done, 0, 1),
//!     Call::indeterminate(1, Write(2), 2),
//!     Call::returned(2, Read, Value(Some(2)), 3, 4),
//!     Call::returned(0, Write(3), Done, 5, 6),
//!     Call::returned(2, Read, Value(Some(2)), 7, 8),
//! ];
//! let Judgement::NotLinearizable(witness) = check(&Register::default(), &calls, &Limits::default()) else {
//!     panic!("a value came back");
//! };
//! assert_eq!(witness.calls, [2, 3, 4], "write 1 has nothing to do with it");
//! ```
//!
//! What is deliberately absent: weaker properties. Sequential consistency is not local, and cannot be judged key by key.

mod call;
mod equal_additions;
mod facts;
mod grow_only_set;
mod intern;
mod memo;
mod model;
pub mod models;
mod parts;
mod problem;
mod search;
mod states;
#[cfg(test)]
mod tests;
mod witness;
mod zones;

use rayon::prelude::*;

pub use call::{Call, calls_of};
pub use model::{Insight, Model, Touches, View};
pub use witness::Witness;

use super::{CheckerDoc, Ruling, Verdict};
use problem::Problem;
use search::{Found, Rules, Searched, Sound, search};

/// [`check`] of [`models::KeyValue`].
pub const LINEARIZABLE_STORE: CheckerDoc = CheckerDoc {
    name: "linearizable-store",
    object: "key-value",
    doc: "every operation on a key took effect at one instant between its invocation and its return",
};

/// How much effort may be spent on each part of a history.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// The most steps: calls that are tried as the next one.
    pub steps: u64,
    /// The most memory of the search, in bytes, roughly.
    pub bytes: usize,
    /// Asked now and then whether to give up, for whoever has a clock. With it, judgements can depend on more than their
    /// input.
    pub stop: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self { steps: 20_000_000, bytes: 1 << 30, stop: None }
    }
}

/// What became of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// There is a linearization.
    Linearizable {
        /// How many parts were judged apart.
        parts: usize,
        /// How many steps the searches took.
        steps: u64,
    },
    /// There is none.
    NotLinearizable(Box<Witness>),
    /// There is no telling.
    Unknown {
        /// Why not.
        reason: String,
    },
}

impl Judgement {
    /// Is it certain that there is a linearization?
    pub fn is_linearizable(&self) -> bool {
        matches!(self, Self::Linearizable { .. })
    }
}

impl From<Judgement> for Ruling {
    fn from(judgement: Judgement) -> Self {
        match judgement {
            Judgement::Linearizable { parts: 0, .. } => Verdict::Vacuous { reason: "no call returned".into() }.into(),
            Judgement::Linearizable { .. } => Verdict::Pass.into(),
            Judgement::NotLinearizable(witness) => Self::fail(witness.text, witness.calls),
            Judgement::Unknown { reason } => Verdict::Unknown { reason }.into(),
        }
    }
}

/// Judges calls, in any order, against a model.
pub fn check<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], limits: &Limits<'_>) -> Judgement {
    check_by::<M, Sound>(model, calls, limits)
}

/// Is it certain that there is a linearization? Unlike [`check`], this explains nothing.
pub fn is_linearizable<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], limits: &Limits<'_>) -> bool {
    parts::split(model, calls)
        .par_iter()
        .all(|part| matches!(judge::<M, Sound>(model, &part.views, limits).found, Found::Order(_)))
}

fn check_by<M: Model, R: Rules>(model: &M, calls: &[Call<M::Op, M::Ret>], limits: &Limits<'_>) -> Judgement {
    let backward = |call: &Call<M::Op, M::Ret>| call.returned.is_some_and(|returned| returned < call.invoked);
    if let Some(at) = calls.iter().position(backward) {
        return Judgement::Unknown { reason: format!("call {at} returns before it is invoked") };
    }
    let parts = parts::split(model, calls);
    let searched: Vec<Searched> = parts.par_iter().map(|part| judge::<M, R>(model, &part.views, limits)).collect();
    let mut failed = parts.iter().zip(&searched).filter(|(_, searched)| searched.found == Found::Nothing);
    if let Some((part, searched)) = failed.next() {
        let mut witness = witness::explain(model, calls, part, searched, limits);
        witness.add_failed_parts(failed.count());
        return Judgement::NotLinearizable(Box::new(witness));
    }
    for (part, searched) in parts.iter().zip(&searched) {
        if let Found::Exhausted(reason) = &searched.found {
            return Judgement::Unknown { reason: format!("{reason}{}", part.label(" on ")) };
        }
    }
    Judgement::Linearizable { parts: parts.len(), steps: searched.iter().map(|searched| searched.steps).sum() }
}

/// Judges views that belong together. An order is found only by a search.
fn judge<M: Model, R: Rules>(model: &M, views: &[View<'_, M>], limits: &Limits<'_>) -> Searched {
    let without_search = |found| Searched { found, steps: 0, deepest: None };
    match model.shortcut(views) {
        Some(true) => without_search(Found::Order(Vec::new())),
        Some(false) => without_search(Found::Nothing),
        None => search::<M, R>(&Problem::new(model, views), limits),
    }
}
