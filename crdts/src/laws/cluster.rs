//! Replicas that work on, and the laws of every moment of that.

use std::{collections::BTreeSet, fmt::Debug, rc::Rc};

use super::{
    Law, Violation,
    histories::Step,
    require,
    states::{
        check_decomposition, check_delta_since, check_honest_join, check_joins, check_observation, check_update,
        joined, joined_all, progress_of,
    },
};
use crate::{
    causality::{Dot, Event},
    clock::ReplicaId,
    lattice::Crdt,
    object::Object,
};

pub(super) type Op<C> = <<C as Crdt>::Object as Object>::Op;
type State<C> = <<C as Crdt>::Object as Object>::State;

/// The specification of a type over causal histories.
pub(super) type Specify<C> = fn(&[Event<Op<C>>]) -> State<C>;

/// The value is what the specification, if there is one, says of the updates.
pub(super) fn check_specified<C: Crdt>(
    state: &C,
    updates: &[&Performed<C>],
    specify: Option<Specify<C>>,
) -> Result<(), Violation> {
    let Some(specify) = specify else { return Ok(()) };
    let events: Vec<_> = updates.iter().map(|update| update.event.clone()).collect();
    let (value, expected) = (state.value(), specify(&events));
    let evidence: [(_, &dyn Debug); 4] =
        [("state", state), ("value", &value), ("specified", &expected), ("updates", &events)];
    require(value == expected, Law::CausalSpecification, &evidence)
}

/// An update that a replica performed.
pub(super) struct Performed<C: Crdt> {
    /// Its name, as the effective updates of its replica are counted, and all that was visible.
    pub(super) event: Event<Op<C>>,
    pub(super) delta: C,
    /// What the replica reported for itself right after.
    pub(super) progress: u64,
    /// Is what was visible causally closed?
    pub(super) founded: bool,
}

impl<C: Crdt> Performed<C> {
    /// Updates without effect have no name of their own, and nobody sees them.
    pub(super) fn is_effective(&self) -> bool {
        !self.delta.is_bottom()
    }
}

pub(super) struct Cluster<C: Crdt> {
    pub(super) states: Vec<C>,
    /// The effective updates that each replica has seen.
    pub(super) seen: Vec<BTreeSet<Dot>>,
    pub(super) updates: Vec<Rc<Performed<C>>>,
}

impl<C: Crdt> Clone for Cluster<C> {
    fn clone(&self) -> Self {
        Self { states: self.states.clone(), seen: self.seen.clone(), updates: self.updates.clone() }
    }
}

impl<C: Crdt> Cluster<C> {
    pub(super) fn new(replicas: usize) -> Self {
        let count = replicas.max(1);
        Self { states: vec![C::bottom(); count], seen: vec![BTreeSet::new(); count], updates: Vec::new() }
    }

    pub(super) fn perform(&mut self, step: &Step<Op<C>>, specify: Option<Specify<C>>) -> Result<(), Violation> {
        let count = self.states.len();
        match step {
            Step::Update { at, op } => self.update(at % count, op, specify)?,
            Step::Merge { into, from } => {
                let told = self.states[from % count].clone();
                self.states[into % count].join(&told);
                self.hear(into % count, from % count);
            }
            Step::Deliver { into, update } => {
                if let Some(heard) = update.checked_rem(self.updates.len()) {
                    let update = &self.updates[heard];
                    self.states[into % count].join(&update.delta);
                    if update.is_effective() {
                        self.seen[into % count].insert(update.event.dot);
                    }
                }
            }
            Step::Sync { into, from } => {
                let digest = self.states[into % count].digest();
                let answer = self.states[from % count].delta_since(&digest);
                self.states[into % count].join(&answer);
                self.hear(into % count, from % count);
            }
        }
        Ok(())
    }

    fn hear(&mut self, into: usize, from: usize) {
        let told = self.seen[from].clone();
        self.seen[into].extend(told);
    }

    fn update(&mut self, at: usize, op: &Op<C>, specify: Option<Specify<C>>) -> Result<(), Violation> {
        let replica = ReplicaId(at as u32);
        let Some(update) = check_update(&mut self.states[at], replica, op)? else { return Ok(()) };
        if !C::Object::is_update(op) {
            return Ok(());
        }
        let progress = progress_of(&self.states[at], replica);
        let own = self.updates.iter().filter(|update| update.is_effective() && update.event.dot.replica == replica);
        let dot = Dot::new(replica, own.count() as u64 + 1);
        let event = Event { dot, op: op.clone(), past: self.seen[at].clone() };
        let founded = self.is_closed(&event.past);
        let performed = Performed { event, delta: update.delta, progress, founded };
        if performed.is_effective() {
            let evidence: [(_, &dyn Debug); 3] =
                [("state", &self.states[at]), ("update", &dot), ("progress", &progress)];
            require(specify.is_none() || progress == dot.counter, Law::OneDotPerUpdate, &evidence)?;
            self.seen[at].insert(dot);
        }
        self.updates.push(Rc::new(performed));
        Ok(())
    }

    /// The effective updates with these names, in the order in which they were made.
    pub(super) fn named<'a>(&'a self, dots: &'a BTreeSet<Dot>) -> impl Iterator<Item = &'a Performed<C>> {
        let updates = self.updates.iter().map(Rc::as_ref);
        updates.filter(|update| update.is_effective() && dots.contains(&update.event.dot))
    }

    /// Does the set contain whatever its updates have seen, and they what theirs have?
    fn is_closed(&self, dots: &BTreeSet<Dot>) -> bool {
        self.named(dots).all(|update| update.founded && update.event.past.is_subset(dots))
    }

    /// The laws that must hold at every moment of a history.
    pub(super) fn check_moment(&self, specify: Option<Specify<C>>) -> Result<(), Violation> {
        let count = self.states.len();
        for at in 0..count {
            let (a, b, c) = (&self.states[at], &self.states[(at + 1) % count], &self.states[(at + 2) % count]);
            check_joins(a, b, c)?;
            check_honest_join(a, b)?;
            self.check_progress(a)?;
            check_update(&mut a.clone(), ReplicaId(at as u32), &C::Object::read())?;
            self.check_seen(a, &self.seen[at], specify)?;
        }
        let (all, reversed) = (joined_all(&self.states), joined_all(self.states.iter().rev()));
        let converged = all == reversed && all.value() == reversed.value();
        let evidence: [(_, &dyn Debug); 3] = [("states", &self.states), ("forward", &all), ("backward", &reversed)];
        require(converged, Law::Convergence, &evidence)?;

        let deltas = joined_all(self.updates.iter().map(|update| &update.delta));
        require(all == deltas, Law::DeltasAreStates, &[("join of states", &all), ("join of deltas", &deltas)])?;
        for update in &self.updates {
            let replica = update.event.dot.replica;
            let reported = progress_of(&all, replica);
            let evidence: [(_, &dyn Debug); 3] =
                [("converged", &all), ("of", &replica), ("expected", &update.progress)];
            require(reported >= update.progress, Law::ProgressIsExact, &evidence)?;
        }
        Ok(())
    }

    /// A state is the join of the deltas that it has seen, and shows the value that is specified for them.
    fn check_seen(&self, state: &C, seen: &BTreeSet<Dot>, specify: Option<Specify<C>>) -> Result<(), Violation> {
        let deltas = joined_all(self.named(seen).map(|update| &update.delta));
        let evidence: [(_, &dyn Debug); 3] = [("state", state), ("join of deltas", &deltas), ("seen", seen)];
        require(*state == deltas, Law::DeltasAreStates, &evidence)?;
        if self.is_closed(seen) {
            check_specified(state, &self.named(seen).collect::<Vec<_>>(), specify)?;
        }
        Ok(())
    }

    /// The laws about states, for all pairs of replicas.
    pub(super) fn check_pairs(&self) -> Result<(), Violation> {
        for state in &self.states {
            check_decomposition(state)?;
            for other in &self.states {
                check_delta_since(state, other)?;
                check_observation(state, other)?;
            }
        }
        Ok(())
    }

    /// A state contains every update whose progress it reports.
    pub(super) fn check_progress(&self, state: &C) -> Result<(), Violation> {
        for update in &self.updates {
            let replica = update.event.dot.replica;
            let contained = update.delta.le(state);
            let evidence: [(_, &dyn Debug); 3] = [("state", state), ("of", &replica), ("not contained", &update.delta)];
            require(contained || progress_of(state, replica) < update.progress, Law::ProgressIsExact, &evidence)?;
        }
        Ok(())
    }

    /// For operations that commute: the converged value is that of all updates one after the other.
    pub(super) fn check_nothing_lost(&self) -> Result<(), Violation> {
        let mut expected = State::<C>::default();
        for update in &self.updates {
            C::Object::step(&mut expected, &update.event.op);
        }
        let mut converged = self.states[0].clone();
        for state in &self.states[1..] {
            converged = joined(&converged, state);
        }
        let evidence: [(_, &dyn Debug); 3] =
            [("converged", &converged), ("value", &converged.value()), ("expected", &expected)];
        require(converged.value() == expected, Law::NothingLost, &evidence)
    }
}
