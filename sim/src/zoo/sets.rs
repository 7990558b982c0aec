//! Sets that keep or lose elements wrongly.
//!
//! The right one ([`crdts::OrSet`]) gives every addition a tag of its own; a removal names the tags that it saw, and no other
//! ([`crdts::OrSetTombstones`] says the same with tombstones, as here). Each bug gives up one part of this: that tags are new,
//! that a removal takes only what it saw, or that it leaves something behind.
//!
//! Invariant: with a flaw of another family the set is right, and deltas carry one update.
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, objects::set::SetOp::{Add, Remove}};
//! use sim::zoo::{Flaw, sets::FlawedSet, specimen::Bend};
//!
//! let mut set = FlawedSet::bottom();
//! set.bend(Flaw::TagsReused, 1);
//! for op in [Add("tea".to_owned()), Remove("tea".to_owned()), Add("tea".to_owned())] {
//!     set.update(ReplicaId(0), &op)?;
//! }
//! assert!(set.value().is_empty(), "the tag is buried for good");
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: economy. Dead tags stay, but where a bug is that they do not.

use std::collections::{BTreeMap, BTreeSet};

use crdts::{
    lattice::UpdateError,
    objects::set::{Set, SetOp, SetRet},
};

use super::{
    catalogue::{Bug, Flaw},
    specimen::{Change, Kind, Site, Specimen},
};

/// A set with a mistake. See the [module documentation](self).
pub type FlawedSet = Specimen<Tags>;

/// How many tombstones [`Flaw::TombstonesCollectedEarly`] keeps.
pub const TOMBSTONES_MAX: usize = 2;

/// The tag of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tag {
    /// The Lamport time of the addition.
    time: u64,
    replica: u32,
    counter: u64,
}

/// What is known of an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Element {
    live: BTreeSet<Tag>,
    dead: BTreeSet<Tag>,
    /// For [`Flaw::RemovesUnseen`]: tags up to this time are dead.
    dead_until: u64,
}

/// Elements with their tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    elements: BTreeMap<String, Element>,
}

/// What a row says of an element: a live tag, a dead one, or a time.
type Row = (String, (u8, (u64, (u32, u64))));

const LIVE: u8 = 0;
const DEAD: u8 = 1;
const DEAD_UNTIL: u8 = 2;

impl Element {
    fn merge(&mut self, other: &Self, flaw: Option<Flaw>) {
        self.live.extend(&other.live);
        if flaw == Some(Flaw::RemovalsForgotten) {
            return;
        }
        self.dead.extend(&other.dead);
        self.dead_until = self.dead_until.max(other.dead_until);
        let (dead, dead_until) = (&self.dead, self.dead_until);
        self.live.retain(|tag| tag.time > dead_until && !dead.contains(tag));
    }
}

impl Tags {
    /// A time after all that are known.
    fn next_time(&self) -> u64 {
        let times = self.elements.values().map(|element| {
            let latest = |tags: &BTreeSet<Tag>| tags.last().map_or(0, |tag| tag.time);
            latest(&element.live).max(latest(&element.dead)).max(element.dead_until)
        });
        times.max().unwrap_or(0).saturating_add(1)
    }

    /// Drops the oldest tombstones beyond [`TOMBSTONES_MAX`].
    fn collect(&mut self) {
        let mut dead: Vec<Tag> = self.elements.values().flat_map(|element| element.dead.iter().copied()).collect();
        dead.sort_unstable();
        let Some(surplus) = dead.len().checked_sub(TOMBSTONES_MAX) else { return };
        let collected: BTreeSet<Tag> = dead.into_iter().take(surplus).collect();
        self.elements.values_mut().for_each(|element| element.dead.retain(|tag| !collected.contains(tag)));
        self.tidy_up();
    }

    /// Forgets elements of which nothing is known.
    fn tidy_up(&mut self) {
        self.elements.retain(|_, element| *element != Element::default());
    }

    /// What a delta of one element is.
    fn part(name: &str, element: Element) -> Self {
        Self { elements: BTreeMap::from([(name.to_owned(), element)]) }
    }

    fn add(&mut self, name: &str, site: &Site<'_>) -> Self {
        let time = self.next_time();
        let (replica, counter) = (site.dot.replica.0, site.dot.counter);
        let element = self.elements.entry(name.to_owned()).or_default();
        let tag = match site.flaw {
            Some(Flaw::AddDoesNotRenew) if !element.live.is_empty() => return Self::default(),
            Some(Flaw::TagsReused) => Tag { time: 1, replica, counter: 0 },
            _ => Tag { time, replica, counter },
        };
        if !element.dead.contains(&tag) {
            element.live.insert(tag);
        }
        Self::part(name, Element { live: BTreeSet::from([tag]), ..Element::default() })
    }

    fn remove(&mut self, name: &str, site: &Site<'_>) -> Self {
        let time = self.next_time();
        let element = self.elements.entry(name.to_owned()).or_default();
        let seen = std::mem::take(&mut element.live);
        if site.flaw != Some(Flaw::RemovalsForgotten) {
            element.dead.extend(&seen);
        }
        if site.flaw == Some(Flaw::RemovesUnseen) {
            element.dead_until = time;
        }
        if site.flaw == Some(Flaw::TombstonesCollectedEarly) {
            self.collect();
        }
        self.tidy_up();
        Self::part(name, Element { dead: seen, ..Element::default() })
    }
}

impl Kind for Tags {
    type Object = Set<String>;
    type Row = Row;

    const NAME: &'static str = "flawed-set";
    const SPECIFICATION: Option<crdts::causality::Specify<Set<String>>> =
        <crdts::OrSet<String> as crdts::Crdt>::SPECIFICATION;

    fn update(&mut self, op: &SetOp<String>, site: &Site<'_>) -> Result<Change<Self>, UpdateError> {
        let (ret, part) = match op {
            SetOp::Add(name) => (SetRet::Added, self.add(name, site)),
            SetOp::Remove(name) => (SetRet::Removed, self.remove(name, site)),
            SetOp::Contains(name) => {
                let is_there = self.elements.get(name).is_some_and(|element| !element.live.is_empty());
                return Ok(Change::none(SetRet::Contains(is_there)));
            }
            SetOp::Read => return Ok(Change::none(SetRet::Elements(self.value(site.flaw).into_iter().collect()))),
        };
        let mut change = Change::one(ret);
        if site.flaw == Some(Flaw::AcknowledgedAtSend) {
            change.delta = Some(part);
        }
        Ok(change)
    }

    fn merge(&mut self, other: &Self, flaw: Option<Flaw>) {
        for (name, theirs) in &other.elements {
            self.elements.entry(name.clone()).or_default().merge(theirs, flaw);
        }
        if flaw == Some(Flaw::TombstonesCollectedEarly) {
            self.collect();
        }
    }

    fn value(&self, _: Option<Flaw>) -> BTreeSet<String> {
        let present = self.elements.iter().filter(|(_, element)| !element.live.is_empty());
        present.map(|(name, _)| name.clone()).collect()
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (name, Element { live, dead, dead_until }) in &self.elements {
            for (kind, tags) in [(LIVE, live), (DEAD, dead)] {
                rows.extend(tags.iter().map(|tag| (name.clone(), (kind, (tag.time, (tag.replica, tag.counter))))));
            }
            if *dead_until > 0 {
                rows.push((name.clone(), (DEAD_UNTIL, (*dead_until, (0, 0)))));
            }
        }
        rows
    }

    fn from_rows(rows: Vec<Row>) -> Self {
        let mut tags = Self::default();
        for (name, (kind, (time, (replica, counter)))) in rows {
            let element = tags.elements.entry(name).or_default();
            let tag = Tag { time, replica, counter };
            match kind {
                LIVE => drop(element.live.insert(tag)),
                DEAD => drop(element.dead.insert(tag)),
                _ => element.dead_until = time,
            }
        }
        tags
    }
}

const TWIN: &str = "gossip or-set";

/// The bugs of sets.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "tags-reused",
        title: "an element that was removed can never be added again by the same replica",
        flaw: Flaw::TagsReused,
        object: "set",
        twin: TWIN,
        cause: "All additions of a replica carry the replica's identity for a tag. The first removal buries that tag, and \
                with it every addition that the replica will ever make of the element.",
        fix: "Give every addition a tag that was never used: the replica with a count of its updates.",
        caught_by: "specified-value",
        arena: "calm",
    },
    Bug {
        name: "remove-all-not-observed",
        title: "a removal takes additions along that it did not see",
        flaw: Flaw::RemovesUnseen,
        object: "set",
        twin: TWIN,
        cause: "A removal buries the element with everything up to its own time, and not the tags that it saw. A concurrent \
                addition that is no later by Lamport time disappears when the two meet.",
        fix: "Let the removal name the tags that it saw; what it did not see stays.",
        caught_by: "specified-value",
        arena: "calm",
    },
    Bug {
        name: "tombstones-collected-early",
        title: "removed elements come back once their tombstones are gone",
        flaw: Flaw::TombstonesCollectedEarly,
        object: "set",
        twin: TWIN,
        cause: "Only the two latest tombstones are kept. A replica that has not heard of an older removal still sends the \
                tag, and nobody remembers that it was removed.",
        fix: "Drop a tombstone when its removal is causally stable, or keep a causal context in place of tombstones.",
        caught_by: "strongly-convergent",
        arena: "heal-in-time",
    },
    Bug {
        name: "removals-forgotten-by-union",
        title: "states are united, and every removal is undone by the next state that arrives",
        flaw: Flaw::RemovalsForgotten,
        object: "set",
        twin: TWIN,
        cause: "A removal deletes the element at its replica and leaves no trace. The merge is the union of the two sets, so \
                whoever still has the element brings it back.",
        fix: "Record removals so that a merge can tell what was removed from what has not arrived.",
        caught_by: "strongly-convergent",
        arena: "calm",
    },
    Bug {
        name: "add-does-not-renew",
        title: "an addition of an element that is there loses to a concurrent removal",
        flaw: Flaw::AddDoesNotRenew,
        object: "set",
        twin: TWIN,
        cause: "Adding an element that is there is taken for a no-op. But the client was told that the element is in the set, \
                and a concurrent removal, which saw all tags there are, takes it out.",
        fix: "Let every addition make a tag, also that of an element that is there.",
        caught_by: "specified-value",
        arena: "calm",
    },
    Bug {
        name: "delta-without-base",
        title: "a delta that gets lost is never sent again",
        flaw: Flaw::AcknowledgedAtSend,
        object: "set",
        twin: "gossip or-set, payload delta",
        cause: "What has been sent to a peer counts as received: the cursor moves when a delta is sent and not when it is \
                acknowledged. The next delta builds on one that may never have arrived.",
        fix: "Move the cursor when the acknowledgement arrives, and send the whole state to a peer that is too far behind.",
        caught_by: "converges",
        arena: "isolated-writer",
    },
];

#[cfg(test)]
mod tests {
    use crdts::{Crdt, Lattice, OrSet, ReplicaId};
    use proptest::prelude::*;

    use super::{
        super::{
            specimen::Bend,
            twins::{Twins, check_flawless, moves},
        },
        *,
    };

    type Pair = Twins<FlawedSet, OrSet<String>>;

    fn add(name: &str) -> SetOp<String> {
        SetOp::Add(name.to_owned())
    }

    fn remove(name: &str) -> SetOp<String> {
        SetOp::Remove(name.to_owned())
    }

    fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn a_tag_that_is_reused_stays_buried() {
        let mut pair = Pair::new(2, Some(Flaw::TagsReused));
        pair.update(0, &add("tea"));
        pair.assert_equal(0);
        pair.update(0, &remove("tea"));
        pair.update(0, &add("tea"));
        pair.assert_values(0, set([]), set(["tea"]));
        pair.update(1, &add("tea"));
        pair.join(0, 1);
        pair.assert_equal(1);
    }

    #[test]
    fn a_removal_by_time_takes_a_concurrent_addition_along() {
        let mut pair = Pair::new(2, Some(Flaw::RemovesUnseen));
        pair.update(0, &add("tea"));
        pair.join(0, 1);
        pair.update(0, &remove("tea"));
        pair.update(1, &add("tea"));
        pair.join(0, 1);
        pair.assert_values(1, set([]), set(["tea"]));
        pair.update(1, &add("tea"));
        pair.assert_equal(1);
    }

    #[test]
    fn elements_rise_when_their_tombstones_are_gone() {
        let mut pair = Pair::new(2, Some(Flaw::TombstonesCollectedEarly));
        for name in ["a", "b", "c"] {
            pair.update(0, &add(name));
        }
        pair.join(0, 1);
        for name in ["a", "b"] {
            pair.update(0, &remove(name));
        }
        let before = pair.clone();
        pair.join(1, 0);
        pair.assert_equal(0);
        pair = before;
        pair.update(0, &remove("c"));
        pair.join(1, 0);
        pair.assert_values(0, set(["a"]), set([]));
    }

    #[test]
    fn a_union_undoes_removals() {
        let mut pair = Pair::new(2, Some(Flaw::RemovalsForgotten));
        pair.update(0, &add("tea"));
        pair.join(0, 1);
        pair.update(0, &remove("tea"));
        pair.assert_equal(0);
        assert!(pair.same_updates_differ([0, 0, 0, 1]), "the removal is seen only where it was made");
        pair.join(1, 0);
        pair.assert_values(0, set(["tea"]), set([]));
    }

    #[test]
    fn an_addition_without_a_tag_loses_to_a_removal() {
        let mut pair = Pair::new(2, Some(Flaw::AddDoesNotRenew));
        pair.update(0, &add("tea"));
        pair.join(0, 1);
        pair.update(1, &add("tea"));
        pair.update(0, &remove("tea"));
        pair.join(0, 1);
        pair.assert_values(1, set([]), set(["tea"]));
    }

    #[test]
    fn deltas_carry_one_update_and_join_in_any_order() {
        let [mut all, mut late] = [0, 1].map(|_| {
            let mut set = FlawedSet::bottom();
            set.bend(Flaw::AcknowledgedAtSend, 2);
            set
        });
        let mut deltas = Vec::new();
        for op in [add("tea"), add("milk"), remove("tea")] {
            deltas.push(all.update(ReplicaId(0), &op).expect("it is not full").delta);
        }
        late.join(&deltas[2]);
        late.join(&deltas[1]);
        assert_eq!((late.value(), late.received().len()), (set(["milk"]), 2));
        late.join(&deltas[0]);
        assert_eq!(late, all);
    }

    proptest! {
        #[test]
        fn without_a_mistake_of_its_own_it_is_right(moves in moves(prop_oneof![
            prop::sample::select(vec!["a", "b"]).prop_map(add),
            prop::sample::select(vec!["a", "b"]).prop_map(remove),
            prop::sample::select(vec!["a", "b"]).prop_map(|name| SetOp::Contains(name.to_owned())),
            Just(SetOp::Read),
        ])) {
            check_flawless::<FlawedSet, OrSet<String>>(&moves);
        }
    }
}
