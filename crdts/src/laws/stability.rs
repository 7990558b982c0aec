//! Laws of garbage collection: what is dropped when it has become causally stable makes no difference.
//!
//! An update is stable at a replica when all that the replica has not received follows it: what is on its way, and what any
//! other replica may still do. Both are known here, since the whole cluster is in sight. So replicas are told exactly what is
//! stable, at every moment of a history, and must show the same values from then on as those that were not told. Updates are
//! counted as [`Law::OneDotPerUpdate`] demands.
//!
//! What is deliberately absent: an estimate of stability from messages. That is for whoever runs the replicas.

use std::{collections::BTreeSet, fmt::Debug};

use super::{
    Law, Violation,
    cluster::{Cluster, Op},
    require,
    states::joined,
};
use crate::{
    causality::{Dot, VersionVector},
    clock::ReplicaId,
    lattice::Crdt,
};

/// How many of the operations seen so far are tried after the collection.
const OPS_MAX: usize = 4;

/// For each replica, how many of its updates are in the set without a gap.
fn prefix(dots: &BTreeSet<Dot>) -> VersionVector {
    let mut vector = VersionVector::default();
    for dot in dots {
        if vector.get(dot.replica) + 1 == dot.counter {
            vector.raise(dot.replica, dot.counter);
        }
    }
    vector
}

/// The updates that are in both.
fn meet(a: &VersionVector, b: &VersionVector) -> VersionVector {
    a.iter().map(|(replica, count)| (replica, count.min(b.get(replica)))).collect()
}

impl<C: Crdt> Cluster<C> {
    /// What is causally stable at a replica.
    fn stable_at(&self, at: usize) -> VersionVector {
        let mut stable = prefix(&self.seen[at]);
        for seen in &self.seen {
            stable = meet(&stable, &prefix(seen));
        }
        let effective = self.updates.iter().filter(|update| update.is_effective());
        for update in effective.filter(|update| !self.seen[at].contains(&update.event.dot)) {
            stable = meet(&stable, &prefix(&update.event.past));
        }
        stable
    }

    /// Replicas that collect garbage show what the others show: now, after any join, and after any operation.
    pub(super) fn check_stable(&self) -> Result<(), Violation> {
        let mut collected = self.states.clone();
        let mut dropped = false;
        for (at, state) in collected.iter_mut().enumerate() {
            let stable = self.stable_at(at);
            let reported = state.stable(&stable);
            let before = &self.states[at];
            let kept = state.value() == before.value() && reported == (state != before);
            let evidence: [(_, &dyn Debug); 4] =
                [("before", before), ("stable", &stable), ("after", state), ("reported a change", &reported)];
            require(kept, Law::StableKeepsValue, &evidence)?;
            dropped |= reported;
        }
        if !dropped {
            return Ok(());
        }
        for (at, after) in collected.iter().enumerate() {
            let before = &self.states[at];
            for (other, raw) in self.states.iter().enumerate() {
                agree(before, after, raw, raw)?;
                agree(before, after, raw, &collected[other])?;
                agree(raw, raw, before, after)?;
            }
            // A delta that precedes its past leads to no value that is specified.
            for update in self.updates.iter().filter(|update| update.event.past.is_subset(&self.seen[at])) {
                agree(before, after, &update.delta, &update.delta)?;
            }
            let mut ops: Vec<&Op<C>> = Vec::new();
            for update in &self.updates {
                if ops.len() < OPS_MAX && !ops.contains(&&update.event.op) {
                    ops.push(&update.event.op);
                }
            }
            for op in ops {
                self.check_update_after(at, after, op)?;
            }
        }
        let (all, all_collected) = (super::states::joined_all(&self.states), super::states::joined_all(&collected));
        let evidence: [(_, &dyn Debug); 2] = [("join of states", &all), ("join of collected states", &all_collected)];
        require(all.value() == all_collected.value(), Law::StableKeepsValue, &evidence)
    }

    /// An operation does the same after the collection as without it: here, and at all others that hear of it, by state or by
    /// its delta alone, whether or not they have collected themselves.
    fn check_update_after(&self, at: usize, collected: &C, op: &Op<C>) -> Result<(), Violation> {
        let (mut before, mut after) = (self.states[at].clone(), collected.clone());
        let replica = ReplicaId(at as u32);
        let (left, right) = (before.update(replica, op), after.update(replica, op));
        let same = match (&left, &right) {
            (Ok(left), Ok(right)) => left.ret == right.ret,
            (left, right) => left.is_err() && right.is_err(),
        };
        let evidence: [(_, &dyn Debug); 4] =
            [("operation", op), ("at", &self.states[at]), ("collected", collected), ("after it", &after)];
        require(same && before.value() == after.value(), Law::StableKeepsValue, &evidence)?;
        for (to, other) in self.states.iter().enumerate() {
            agree(other, other, &before, &after)?;
            let (missing, collected) = (before.delta_since(&other.digest()), after.delta_since(&other.digest()));
            agree(other, other, &missing, &collected)?;
            // A delta that precedes its past leads to no value that is specified.
            if let (Ok(left), Ok(right)) = (&left, &right)
                && self.seen[at].is_subset(&self.seen[to])
            {
                agree(other, other, &left.delta, &right.delta)?;
            }
        }
        Ok(())
    }
}

/// The join of the two states shows the same as that of their collected forms.
fn agree<C: Crdt>(a: &C, collected_a: &C, b: &C, collected_b: &C) -> Result<(), Violation> {
    let (plain, collected) = (joined(a, b), joined(collected_a, collected_b));
    let evidence: [(_, &dyn Debug); 6] = [
        ("a", a),
        ("b", b),
        ("a collected", collected_a),
        ("b collected", collected_b),
        ("a joined with b", &plain),
        ("collected ones joined", &collected),
    ];
    require(plain.value() == collected.value(), Law::StableKeepsValue, &evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GCounter, laws::histories::Step, objects::counter::CounterOp};

    fn dots(dots: &[(u32, u64)]) -> BTreeSet<Dot> {
        dots.iter().map(|&(replica, counter)| Dot::new(ReplicaId(replica), counter)).collect()
    }

    #[test]
    fn prefixes_end_before_gaps() {
        assert_eq!(prefix(&dots(&[(0, 1), (0, 2), (0, 4), (1, 2)])), [(ReplicaId(0), 2)].into_iter().collect());
    }

    #[test]
    fn stable_is_what_everybody_has_and_nothing_on_its_way_precedes() -> Result<(), Violation> {
        let mut cluster = Cluster::<GCounter>::new(3);
        let mut play = |steps: &[Step<CounterOp>]| -> Result<Vec<VersionVector>, Violation> {
            steps.iter().try_for_each(|step| cluster.perform(step, None))?;
            Ok((0..3).map(|at| cluster.stable_at(at)).collect())
        };
        let add = |at| Step::Update { at, op: CounterOp::Add(1) };
        let none = VersionVector::default();
        let one: VersionVector = [(ReplicaId(0), 1)].into_iter().collect();
        assert_eq!(play(&[add(0), Step::Merge { into: 1, from: 0 }])?, vec![none.clone(); 3]);
        // Replica 2 wrote before it heard: to the others that write may still come, without the first in its past.
        let heard = play(&[add(2), Step::Merge { into: 2, from: 0 }])?;
        assert_eq!(heard, [none.clone(), none, one.clone()]);
        assert_eq!(play(&[Step::Merge { into: 0, from: 2 }])?[0], one);
        Ok(())
    }
}
