//! Counters that count wrongly.
//!
//! The right one ([`crdts::PnCounter`]) keeps two numbers for each replica, which only that replica raises, and merges them by
//! maximum. Each bug here gives up one part of this: the maximum, the owner, the two halves, or the replica's memory of what
//! it had told others.
//!
//! Invariant: with a flaw of another family the counter is right.
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, objects::counter::CounterOp};
//! use sim::zoo::{Flaw, counters::FlawedCounter, specimen::Bend};
//!
//! let mut counter = FlawedCounter::bottom();
//! counter.bend(Flaw::SignedMax, 2);
//! counter.update(ReplicaId(0), &CounterOp::Add(10))?;
//! let before = counter.clone();
//! counter.update(ReplicaId(0), &CounterOp::Add(-4))?;
//! counter.join(&before);
//! assert_eq!(counter.value(), 10, "the subtraction has vanished");
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: totals beyond 64 bits in one entry. Sums saturate there.

use std::collections::BTreeMap;

use crdts::{
    lattice::UpdateError,
    objects::counter::{Counter, CounterOp, CounterRet},
};

use super::{
    catalogue::{Bug, Flaw},
    specimen::{Change, Kind, Site, Specimen},
};

/// A counter with a mistake. See the [module documentation](self).
pub type FlawedCounter = Specimen<Counts>;

/// What was added and what was subtracted, by the replica under whose number it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    slots: BTreeMap<u32, [i64; 2]>,
}

impl Counts {
    fn total(&self) -> i128 {
        self.slots.values().map(|&[added, subtracted]| i128::from(added) - i128::from(subtracted)).sum()
    }

    /// The number under which an addition is kept.
    fn slot(&self, site: &Site<'_>) -> u32 {
        let own = site.dot.replica.0;
        match site.flaw {
            Some(Flaw::MergeByMean | Flaw::SingleMax) => 0,
            Some(Flaw::ClonedReplicaId) if own == 1 => 0,
            Some(Flaw::RestartFromZero | Flaw::StaleSnapshotRestored) if site.replicas > 0 => own % site.replicas,
            Some(Flaw::IncrementWrongSlot) => self.slots.last_key_value().map_or(own, |(last, _)| *last),
            _ => own,
        }
    }
}

/// What two numbers that should be joined become.
fn merged(mine: i64, theirs: i64, flaw: Option<Flaw>) -> i64 {
    match flaw {
        Some(Flaw::MergeBySum) => mine.saturating_add(theirs),
        Some(Flaw::MergeByMean) => mine.midpoint(theirs),
        _ => mine.max(theirs),
    }
}

impl Kind for Counts {
    type Object = Counter;
    type Row = (u32, (i64, i64));

    const NAME: &'static str = "flawed-counter";

    fn update(&mut self, op: &CounterOp, site: &Site<'_>) -> Result<Change<Self>, UpdateError> {
        let amount = match *op {
            CounterOp::Read => return Ok(Change::none(CounterRet::Total(self.total()))),
            CounterOp::Add(0) => return Ok(Change::none(CounterRet::Added)),
            CounterOp::Add(amount) => amount,
        };
        let slot = self.slot(site);
        let mut halves = self.slots.get(&slot).copied().unwrap_or_default();
        let (half, by) = if amount > 0 || site.flaw == Some(Flaw::SignedMax) {
            (0, amount)
        } else {
            (1, amount.checked_neg().ok_or(UpdateError::Overflow)?)
        };
        halves[half] = halves[half].checked_add(by).ok_or(UpdateError::Overflow)?;
        self.slots.insert(slot, halves);
        Ok(Change::one(CounterRet::Added))
    }

    fn merge(&mut self, other: &Self, flaw: Option<Flaw>) {
        if flaw == Some(Flaw::MergeByOverwrite) {
            self.slots.clone_from(&other.slots);
            return;
        }
        for (slot, theirs) in &other.slots {
            match self.slots.get_mut(slot) {
                None => drop(self.slots.insert(*slot, *theirs)),
                Some(mine) => *mine = [0, 1].map(|half| merged(mine[half], theirs[half], flaw)),
            }
        }
    }

    fn value(&self, _: Option<Flaw>) -> i128 {
        self.total()
    }

    fn rows(&self) -> Vec<Self::Row> {
        self.slots.iter().map(|(&slot, &[added, subtracted])| (slot, (added, subtracted))).collect()
    }

    fn from_rows(rows: Vec<Self::Row>) -> Self {
        Self { slots: rows.into_iter().map(|(slot, (added, subtracted))| (slot, [added, subtracted])).collect() }
    }
}

const TWIN: &str = "gossip pn-counter";

/// The bugs of counters.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "merge-by-sum",
        title: "states are merged by addition, so what arrives twice counts twice",
        flaw: Flaw::MergeBySum,
        object: "counter",
        twin: TWIN,
        cause: "The merge adds the counts of a replica where it should take the larger one. Addition is not idempotent: \
                every round of gossip repeats what the receiver already has, and counts it again.",
        fix: "Merge each replica's entry by maximum, which gives the same result however often a state arrives.",
        caught_by: "strongly-convergent",
        arena: "calm",
    },
    Bug {
        name: "merge-by-overwrite",
        title: "the state that arrives replaces the one that is there",
        flaw: Flaw::MergeByOverwrite,
        object: "counter",
        twin: TWIN,
        cause: "The receiver assigns the incoming state in place of merging it. The result depends on who speaks last, so \
                the merge is not commutative, and what only the receiver knew is gone.",
        fix: "Take the maximum entry by entry. A state that arrives is one more source, not the truth.",
        caught_by: "strongly-convergent",
        arena: "calm",
    },
    Bug {
        name: "merge-by-mean",
        title: "two replicas that disagree meet in the middle",
        flaw: Flaw::MergeByMean,
        object: "counter",
        twin: TWIN,
        cause: "The total is kept as one number, and two different totals are reconciled by their mean. The mean of means \
                depends on the order of the meetings: it is not associative, and it is the sum of nothing that was added.",
        fix: "Keep one entry for each replica, merge entries by maximum, and add them up only to read.",
        caught_by: "correct",
        arena: "calm",
    },
    Bug {
        name: "increment-wrong-slot",
        title: "an addition goes to the entry of another replica",
        flaw: Flaw::IncrementWrongSlot,
        object: "counter",
        twin: TWIN,
        cause: "The index of the entry is left over from the last merge, so the addition raises the entry of whoever stands \
                last in the state. Its owner raises it at the same time, and of the two counts the maximum keeps one.",
        fix: "A replica raises the entry under its own identity, and never any other.",
        caught_by: "correct",
        arena: "calm",
    },
    Bug {
        name: "cloned-replica-id",
        title: "two replicas count under one identity",
        flaw: Flaw::ClonedReplicaId,
        object: "counter",
        twin: TWIN,
        cause: "The second replica was set up from a copy of the first one's disk, identity included. Both raise one entry, \
                each from what it knows, and the maximum keeps the larger of two counts that should be added.",
        fix: "Give each replica an identity when it first starts, and let two replicas that meet under one refuse to go on.",
        caught_by: "correct",
        arena: "calm",
    },
    Bug {
        name: "restart-from-zero",
        title: "a replica that lost its memory counts on under its old identity",
        flaw: Flaw::RestartFromZero,
        object: "counter",
        twin: TWIN,
        cause: "After a crash without memory the replica counts from zero in the entry that it had. Until it has counted as \
                far as before, what it adds is hidden behind the old count that its peers still hold.",
        fix: "A replica whose memory may be behind what it has acknowledged takes a new identity.",
        caught_by: "correct",
        arena: "crash-volatile",
    },
    Bug {
        name: "stale-snapshot-restored",
        title: "a replica that was restored from a snapshot counts on under its old identity",
        flaw: Flaw::StaleSnapshotRestored,
        object: "counter",
        twin: TWIN,
        cause: "The snapshot is older than what the replica has told its peers. It raises its entry from the older count, so \
                two histories share one entry, and the maximum hides the shorter one.",
        fix: "A restored replica takes a new identity, or fetches its own entry from all peers before it writes.",
        caught_by: "correct",
        arena: "crash-stale",
    },
    Bug {
        name: "pn-as-signed-max",
        title: "subtractions vanish behind the maximum",
        flaw: Flaw::SignedMax,
        object: "counter",
        twin: TWIN,
        cause: "Each replica keeps one signed number, merged by maximum. A subtraction makes the number smaller, so any \
                earlier state that comes back wins over it.",
        fix: "Keep additions and subtractions in two numbers that only grow (Shapiro et al. 2011, section 3.1.3).",
        caught_by: "strongly-convergent",
        arena: "calm",
    },
    Bug {
        name: "single-max",
        title: "all replicas share one count, of which the larger wins",
        flaw: Flaw::SingleMax,
        object: "counter",
        twin: TWIN,
        cause: "The counter is one number for all, merged by maximum. Two replicas that add at the same time reach the same \
                number from the same start, and the maximum of the two contains one addition.",
        fix: "Keep one entry for each replica: the maximum is right only where one writer raises the number.",
        caught_by: "correct",
        arena: "calm",
    },
    Bug {
        name: "version-vector-as-sum",
        title: "nothing is sent to a peer whose versions add up to as much",
        flaw: Flaw::VectorsBySum,
        object: "counter",
        twin: "gossip pn-counter, payload digest",
        cause: "Digests are compared by the sum of their versions. Two replicas that have received equally many updates, but \
                not the same, take each other for up to date, and neither sends anything.",
        fix: "Compare version vectors entry by entry: what a peer misses is what its vector does not contain.",
        caught_by: "converges",
        arena: "few-updates",
    },
    Bug {
        name: "acknowledged-before-durable",
        title: "an update is acknowledged before it is on disk",
        flaw: Flaw::AcknowledgedBeforeDurable,
        object: "counter",
        twin: TWIN,
        cause: "Clients are answered at once, and the state is written to disk every 200 ms. What a crash leaves behind is \
                the last copy; what was acknowledged since, and had not reached a peer, is gone.",
        fix: "Write the update to a log and flush it before the client is answered.",
        caught_by: "lost_updates",
        arena: "crash-isolated",
    },
];

#[cfg(test)]
mod tests {
    use crdts::PnCounter;
    use proptest::prelude::*;

    use super::{
        super::twins::{Twins, check_flawless, moves},
        *,
    };

    type Pair = Twins<FlawedCounter, PnCounter>;

    fn add(amount: i64) -> CounterOp {
        CounterOp::Add(amount)
    }

    #[test]
    fn sums_are_not_idempotent() {
        let mut pair = Pair::new(2, Some(Flaw::MergeBySum));
        pair.update(0, &add(3));
        pair.join(0, 1);
        pair.assert_equal(1);
        pair.join(0, 1);
        pair.assert_values(1, 6, 3);
    }

    #[test]
    fn overwriting_forgets_what_only_the_receiver_knew() {
        let mut pair = Pair::new(2, Some(Flaw::MergeByOverwrite));
        pair.update(0, &add(3));
        pair.update(1, &add(5));
        assert!(pair.same_updates_differ([0, 1, 1, 0]), "who speaks last decides");
        pair.join(0, 1);
        pair.assert_values(1, 3, 8);
    }

    #[test]
    fn means_depend_on_the_order_of_meetings() {
        let mut pair = Pair::new(3, Some(Flaw::MergeByMean));
        for (at, amount) in [(0, 8), (1, 16), (2, 32)] {
            pair.update(at, &add(amount));
        }
        let mut other = pair.clone();
        pair.join(1, 0);
        pair.join(2, 0);
        pair.assert_values(0, 22, 56);
        other.join(2, 1);
        other.join(1, 0);
        other.assert_values(0, 16, 56);
    }

    #[test]
    fn what_is_added_in_another_replicas_entry_meets_that_replicas_own() {
        let mut pair = Pair::new(2, Some(Flaw::IncrementWrongSlot));
        pair.update(1, &add(1));
        pair.join(1, 0);
        pair.update(0, &add(4));
        pair.update(1, &add(2));
        pair.join(1, 0);
        pair.assert_values(0, 5, 7);
    }

    #[test]
    fn clones_hide_behind_each_other() {
        let mut pair = Pair::new(3, Some(Flaw::ClonedReplicaId));
        for (at, amount) in [(0, 3), (1, 5), (2, 1)] {
            pair.update(at, &add(amount));
        }
        pair.join(0, 2);
        pair.assert_equal(2);
        pair.join(1, 2);
        pair.assert_values(2, 6, 9);
    }

    #[test]
    fn who_forgets_and_counts_on_stays_hidden() {
        for (flaw, snapshot) in [(Flaw::RestartFromZero, 0), (Flaw::StaleSnapshotRestored, 1)] {
            let mut pair = Pair::new(2, Some(flaw));
            if snapshot > 0 {
                pair.update(0, &add(snapshot));
            }
            let before = pair.clone();
            pair.update(0, &add(9));
            pair.join(0, 1);
            pair.restore(0, &before);
            pair.update(0, &add(4));
            pair.join(0, 1);
            let old = i128::from(snapshot) + 9;
            pair.assert_values(1, old, old + 4);
        }
    }

    #[test]
    fn one_signed_number_loses_subtractions() {
        let mut pair = Pair::new(2, Some(Flaw::SignedMax));
        pair.update(0, &add(10));
        pair.join(0, 1);
        pair.update(0, &add(-4));
        pair.assert_equal(0);
        pair.join(0, 1);
        pair.assert_values(1, 10, 6);
    }

    #[test]
    fn one_number_for_all_loses_concurrent_additions() {
        let mut pair = Pair::new(2, Some(Flaw::SingleMax));
        pair.update(0, &add(2));
        pair.update(1, &add(2));
        pair.join(0, 1);
        pair.assert_values(1, 2, 4);
    }

    #[test]
    fn equal_sums_of_versions_are_not_equal_versions() {
        let mut pair = Pair::new(2, Some(Flaw::VectorsBySum));
        pair.update(0, &add(2));
        pair.update(1, &add(5));
        pair.exchange(0, 1);
        pair.assert_values(1, 5, 7);
        pair.update(0, &add(1));
        pair.exchange(0, 1);
        pair.assert_equal(1);
    }

    proptest! {
        #[test]
        fn without_a_mistake_of_its_own_it_is_right(moves in moves((-5..9_i64).prop_map(CounterOp::Add))) {
            check_flawless::<FlawedCounter, PnCounter>(&moves);
        }
    }
}
