//! States against the specification of their type over the causal order.
//!
//! What the value of a multi-value register or an observed-remove set should be is a function of the updates that a replica has
//! seen and of what each of them had seen (Burckhardt et al. 2014, *Replicated data types: specification, verification,
//! optimality*, section 3). [`Specification`] keeps that causal history and computes the value anew, slowly and without regard to
//! how states look, for whoever wants to compare.
//!
//! ```
//! use crdts::{Crdt, Lattice, OrSet, ReplicaId, causality::CausalSpec, objects::set::SetOp};
//! use sim::checkers::{Verdict, specification::Specification};
//!
//! let mut specification = Specification::<OrSet<u8>>::new(OrSet::specify);
//! let (mut a, mut b) = (OrSet::bottom(), OrSet::bottom());
//! for (replica, id, op) in [(&mut a, 1, SetOp::Add(7)), (&mut b, 2, SetOp::Remove(7))] {
//!     replica.update(ReplicaId(id), &op)?;
//!     specification.updated(ReplicaId(id), &op, replica);
//! }
//! a.join(&b);
//! assert_eq!(specification.check(&a), Verdict::Pass, "the removal had not seen the addition");
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! Invariant: a state is judged only if it contains the causes of what it contains; others have no specified value, and are
//! vacuous. An update that has no effect, and no name, is no part of a history.
//!
//! What is deliberately absent: long histories. The specification costs the square of their length or more, so nothing is judged
//! beyond [`EVENTS_MAX`] updates.

use std::collections::{BTreeMap, BTreeSet};

use crdts::{
    causality::{Dot, Event},
    clock::ReplicaId,
    lattice::Crdt,
    object::Object,
};

use super::Verdict;

/// The most updates of a history.
pub const EVENTS_MAX: usize = 500;

type Op<C> = <<C as Crdt>::Object as Object>::Op;
type State<C> = <<C as Crdt>::Object as Object>::State;

/// A causal history, and what values it gives.
#[derive(Clone, Debug)]
pub struct Specification<C: Crdt> {
    specify: fn(&[Event<Op<C>>]) -> State<C>,
    events: BTreeMap<Dot, Event<Op<C>>>,
}

impl<C: Crdt> Specification<C> {
    /// No updates yet. `specify` gives the value of a replica that has seen exactly these.
    pub fn new(specify: fn(&[Event<Op<C>>]) -> State<C>) -> Self {
        Self { specify, events: BTreeMap::new() }
    }

    /// `writer` has just made an update, and `after` is its state.
    pub fn updated(&mut self, writer: ReplicaId, op: &Op<C>, after: &C) {
        let mut past = self.seen_by(after);
        let mut reached = 0;
        after.progress(|replica, progress| {
            if replica == writer {
                reached = progress;
            }
        });
        let dot = Dot::new(writer, reached);
        if reached == 0 || self.events.contains_key(&dot) {
            return;
        }
        past.remove(&dot);
        self.events.insert(dot, Event { dot, op: op.clone(), past });
    }

    /// Is the value of this state the one that is specified for what it contains?
    pub fn check(&self, state: &C) -> Verdict {
        if self.events.len() > EVENTS_MAX {
            return Verdict::Unknown { reason: format!("there are more than {EVENTS_MAX} updates") };
        }
        let seen = self.seen_by(state);
        let history: Vec<Event<Op<C>>> = seen.iter().filter_map(|dot| self.events.get(dot)).cloned().collect();
        if history.is_empty() {
            return Verdict::Vacuous { reason: "no update has been seen".into() };
        }
        if let Some(event) = history.iter().find(|event| !event.past.is_subset(&seen)) {
            return Verdict::Vacuous { reason: format!("causes of update {} have not arrived", event.dot) };
        }
        let (value, specified) = (state.value(), (self.specify)(&history));
        if value == specified {
            return Verdict::Pass;
        }
        let told: Vec<String> = history.iter().map(|event| format!("{} {:?}", event.dot, event.op)).collect();
        Verdict::Fail {
            witness: format!("the value is {value:?}, and should be {specified:?} after {}", told.join(", ")),
        }
    }

    /// The updates that a state contains.
    fn seen_by(&self, state: &C) -> BTreeSet<Dot> {
        let mut seen = BTreeSet::new();
        state.progress(|replica, progress| {
            let of_replica = Dot::new(replica, 0)..=Dot::new(replica, progress);
            seen.extend(self.events.range(of_replica).map(|(dot, _)| *dot));
        });
        seen
    }
}
