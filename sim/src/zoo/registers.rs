//! Registers that keep the wrong write.
//!
//! There are two right ones. In [`crdts::LwwRegister`] Lamport times order the writes, so that a write is later than all that
//! its client could have read, and replica ids decide between equal times. [`crdts::MvRegister`] keeps every write that no
//! other write has seen. Each bug gives up one part of this: what times are, how ties end, or what *seen* means.
//!
//! Invariant: with a flaw of another family both registers are right.
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, objects::register::RegisterOp::Write};
//! use sim::zoo::{Flaw, registers::FlawedRegister, specimen::Bend};
//!
//! let mut register = FlawedRegister::bottom();
//! register.bend(Flaw::ClockSetBack, 1);
//! for (clock_ns, text) in [(100, "old"), (40, "new")] {
//!     register.set_clock(clock_ns);
//!     register.update(ReplicaId(0), &Write(text.to_owned()))?;
//! }
//! assert_eq!(register.value().as_deref(), Some("old"), "the clock was set back in between");
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: clocks. Whoever runs the register says what the clock shows.

use std::collections::BTreeMap;

use crdts::{
    causality::{Dot, VersionVector},
    clock::ReplicaId,
    lattice::{Lattice, UpdateError},
    objects::{
        mv_register::{MultiValue, MultiValueRet},
        register::{Register, RegisterOp, RegisterRet},
    },
};

use super::{
    catalogue::{Bug, Flaw},
    specimen::{Change, Kind, Site, Specimen},
};

/// A register with a mistake in which the last write should win. See the [module documentation](self).
pub type FlawedRegister = Specimen<Latest>;
/// A register with a mistake that should keep concurrent writes. See the [module documentation](self).
pub type FlawedSiblings = Specimen<Siblings>;

/// A write with its stamp.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stamped {
    /// A Lamport time, or what the writer's clock showed.
    time: i64,
    replica: u32,
    value: String,
}

/// The write that is taken to be the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latest {
    winner: Option<Stamped>,
}

impl Latest {
    /// Keeps the later of two writes.
    fn meet(&mut self, write: &Stamped, flaw: Option<Flaw>) {
        let wins = match (&self.winner, flaw) {
            (None, _) => true,
            (Some(winner), Some(Flaw::TieByArrival)) => write.time > winner.time,
            (Some(winner), _) => write > winner,
        };
        if wins {
            self.winner = Some(write.clone());
        }
    }
}

impl Kind for Latest {
    type Object = Register<String>;
    type Row = ((i64, u32), String);

    const NAME: &'static str = "flawed-register";
    const SPECIFICATION: Option<crdts::causality::Specify<Register<String>>> =
        <crdts::LwwRegister<String> as crdts::Crdt>::SPECIFICATION;

    fn update(&mut self, op: &RegisterOp<String>, site: &Site<'_>) -> Result<Change<Self>, UpdateError> {
        let RegisterOp::Write(value) = op else { return Ok(Change::none(RegisterRet::Value(self.value(site.flaw)))) };
        let time = match (site.flaw, site.clock_ns) {
            (Some(Flaw::WallClock | Flaw::ClockSetBack), Some(clock_ns)) => clock_ns,
            _ => self.winner.as_ref().map_or(0, |winner| winner.time).checked_add(1).ok_or(UpdateError::Overflow)?,
        };
        self.meet(&Stamped { time, replica: site.dot.replica.0, value: value.clone() }, site.flaw);
        Ok(Change::one(RegisterRet::Written))
    }

    fn merge(&mut self, other: &Self, flaw: Option<Flaw>) {
        if let Some(write) = &other.winner {
            self.meet(write, flaw);
        }
    }

    fn value(&self, _: Option<Flaw>) -> Option<String> {
        self.winner.as_ref().map(|winner| winner.value.clone())
    }

    fn rows(&self) -> Vec<Self::Row> {
        self.winner.iter().map(|write| ((write.time, write.replica), write.value.clone())).collect()
    }

    fn from_rows(rows: Vec<Self::Row>) -> Self {
        let mut writes = rows.into_iter().map(|((time, replica), value)| Stamped { time, replica, value });
        Self { winner: writes.next() }
    }
}

/// A write, and what it had seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sibling {
    /// Itself included.
    seen: VersionVector,
    value: String,
}

impl Sibling {
    fn sum(&self) -> u128 {
        self.seen.iter().map(|(_, count)| u128::from(count)).sum()
    }
}

/// The writes that are left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Siblings {
    writes: BTreeMap<Dot, Sibling>,
}

impl Siblings {
    /// Drops what others make superfluous.
    fn settle(&mut self, flaw: Option<Flaw>) {
        let greatest = self.writes.iter().max_by_key(|(dot, write)| (write.sum(), **dot));
        let Some((greatest_dot, greatest_sum)) = greatest.map(|(dot, write)| (*dot, write.sum())) else { return };
        match flaw {
            Some(Flaw::NeverSupersedes) => {}
            Some(Flaw::DropsSiblings) => self.writes.retain(|dot, _| *dot == greatest_dot),
            Some(Flaw::SiblingsBySum) => self.writes.retain(|_, write| write.sum() == greatest_sum),
            _ => {
                let others = self.writes.clone();
                let is_seen = |dot: Dot| others.iter().any(|(other, write)| *other != dot && write.seen.contains(dot));
                self.writes.retain(|dot, _| !is_seen(*dot));
            }
        }
    }
}

impl Kind for Siblings {
    type Object = MultiValue<String>;
    /// A row for each entry of the vector of each write.
    type Row = (Dot, ((u32, u64), String));

    const NAME: &'static str = "flawed-mv-register";
    const SPECIFICATION: Option<crdts::causality::Specify<MultiValue<String>>> =
        <crdts::MvRegister<String> as crdts::Crdt>::SPECIFICATION;

    fn update(&mut self, op: &RegisterOp<String>, site: &Site<'_>) -> Result<Change<Self>, UpdateError> {
        let RegisterOp::Write(value) = op else {
            return Ok(Change::none(MultiValueRet::Siblings(self.value(site.flaw))));
        };
        let mut seen = site.seen.vector();
        seen.raise(site.dot.replica, site.dot.counter);
        if site.flaw != Some(Flaw::NeverSupersedes) {
            self.writes.clear();
        }
        self.writes.insert(site.dot, Sibling { seen, value: value.clone() });
        Ok(Change::one(MultiValueRet::Written))
    }

    fn merge(&mut self, other: &Self, flaw: Option<Flaw>) {
        for (dot, write) in &other.writes {
            self.writes.entry(*dot).or_insert_with(|| write.clone());
        }
        self.settle(flaw);
    }

    fn value(&self, _: Option<Flaw>) -> Vec<String> {
        let mut values: Vec<String> = self.writes.values().map(|write| write.value.clone()).collect();
        values.sort_unstable();
        values
    }

    fn rows(&self) -> Vec<Self::Row> {
        let of_write = |(dot, write): (&Dot, &Sibling)| {
            let entry = |(replica, count): (ReplicaId, u64)| (*dot, ((replica.0, count), write.value.clone()));
            write.seen.iter().map(entry).collect::<Vec<_>>()
        };
        self.writes.iter().flat_map(of_write).collect()
    }

    fn from_rows(rows: Vec<Self::Row>) -> Self {
        let mut siblings = Self::default();
        for (dot, ((replica, count), value)) in rows {
            let write = siblings.writes.entry(dot).or_insert_with(|| Sibling { seen: VersionVector::bottom(), value });
            write.seen.raise(ReplicaId(replica), count);
        }
        siblings
    }
}

const TWIN_OF_ONE: &str = "gossip lww-register";
const TWIN_OF_SIBLINGS: &str = "gossip mv-register";

/// The bugs of registers.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "lww-by-wall-clock",
        title: "a write loses to one that its client had read, because clocks differ",
        flaw: Flaw::WallClock,
        object: "register",
        twin: TWIN_OF_ONE,
        cause: "Writes are stamped with the clock of the replica that takes them. Behind a slow clock a client reads a value, \
                writes another, is told that it is written, and still reads the old one.",
        fix: "Stamp a write with a time after all that its replica has seen: a Lamport or a hybrid logical clock.",
        caught_by: "specified-value",
        arena: "skewed-clocks",
    },
    Bug {
        name: "lww-tie-by-arrival",
        title: "replicas keep different writes of the same stamp",
        flaw: Flaw::TieByArrival,
        object: "register",
        twin: TWIN_OF_ONE,
        cause: "A write replaces the value only if its stamp is greater. Of two concurrent writes with one stamp each replica \
                keeps the one that reached it first, and no later exchange ends that.",
        fix: "Make the order of writes total: time, then replica, then value.",
        caught_by: "strongly-convergent",
        arena: "calm",
    },
    Bug {
        name: "lww-clock-backwards",
        title: "after its clock was set back a replica ignores its own writes",
        flaw: Flaw::ClockSetBack,
        object: "register",
        twin: TWIN_OF_ONE,
        cause: "The stamp of a write is what the clock shows. Set back, the clock gives stamps below that of the value which \
                is there, and acknowledged writes have no effect until it has caught up.",
        fix: "Never stamp a write below the greatest stamp that the replica has seen.",
        caught_by: "specified-value",
        arena: "clock-set-back",
    },
    Bug {
        name: "mv-drops-siblings",
        title: "of concurrent writes one is kept, and nobody is asked",
        flaw: Flaw::DropsSiblings,
        object: "register",
        twin: TWIN_OF_SIBLINGS,
        cause: "The merge keeps the sibling with the greatest vector and drops the others. The register promises all \
                concurrent writes to its reader, and loses all but one.",
        fix: "Drop a sibling only if another write has seen it.",
        caught_by: "specified-value",
        arena: "calm",
    },
    Bug {
        name: "mv-never-supersedes",
        title: "values that were replaced long ago stay siblings",
        flaw: Flaw::NeverSupersedes,
        object: "register",
        twin: TWIN_OF_SIBLINGS,
        cause: "A write is put beside the values that its replica has seen, as if it did not know them. Siblings pile up, and \
                a reader is shown values that were replaced.",
        fix: "Send along with a write what its client has read, and let the write replace that.",
        caught_by: "specified-value",
        arena: "calm",
    },
    Bug {
        name: "mv-compares-sums",
        title: "a write disappears because a concurrent one has the greater sum",
        flaw: Flaw::SiblingsBySum,
        object: "register",
        twin: TWIN_OF_SIBLINGS,
        cause: "Vectors are compared by the sum of their entries. The sum orders all vectors, concurrent ones too, so the \
                write of the replica that has seen fewer updates is dropped as if it were older.",
        fix: "Compare vectors entry by entry: neither of two concurrent ones is at most the other.",
        caught_by: "specified-value",
        arena: "calm",
    },
];

#[cfg(test)]
mod tests {
    use crdts::{LwwRegister, MvRegister};
    use proptest::prelude::*;

    use super::{
        super::twins::{Twins, check_flawless, moves},
        *,
    };

    type One = Twins<FlawedRegister, LwwRegister<String>>;
    type Many = Twins<FlawedSiblings, MvRegister<String>>;

    fn write(text: &str) -> RegisterOp<String> {
        RegisterOp::Write(text.to_owned())
    }

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.map(str::to_owned).into()
    }

    #[test]
    fn behind_a_slow_clock_a_write_is_lost_to_what_it_replaced() {
        for flaw in [Flaw::WallClock, Flaw::ClockSetBack] {
            let mut pair = One::new(2, Some(flaw));
            pair.update_at(0, 1000, &write("draft"));
            pair.join(0, 1);
            pair.update_at(1, 400, &write("final"));
            pair.assert_values(1, Some("draft".to_owned()), Some("final".to_owned()));
            pair.update_at(1, 1001, &write("again"));
            pair.assert_equal(1);
        }
    }

    #[test]
    fn ties_are_kept_for_ever() {
        let mut pair = One::new(2, Some(Flaw::TieByArrival));
        pair.update(0, &write("tea"));
        pair.update(1, &write("coffee"));
        assert!(pair.same_updates_differ([0, 1, 1, 0]));
        pair.join(0, 1);
        pair.join(1, 0);
        pair.assert_values(0, Some("tea".to_owned()), Some("coffee".to_owned()));
    }

    #[test]
    fn one_of_two_siblings_is_dropped() {
        let mut pair = Many::new(2, Some(Flaw::DropsSiblings));
        pair.update(0, &write("blue"));
        pair.update(1, &write("red"));
        pair.join(1, 0);
        pair.assert_values(0, texts(["red"]), texts(["blue", "red"]));
    }

    #[test]
    fn what_was_replaced_stays() {
        let mut pair = Many::new(2, Some(Flaw::NeverSupersedes));
        pair.update(0, &write("draft"));
        pair.join(0, 1);
        pair.assert_equal(1);
        pair.update(1, &write("final"));
        pair.assert_values(1, texts(["draft", "final"]), texts(["final"]));
    }

    #[test]
    fn sums_order_what_is_concurrent() {
        let mut pair = Many::new(2, Some(Flaw::SiblingsBySum));
        pair.update(0, &write("draft"));
        pair.update(0, &write("blue"));
        pair.update(1, &write("red"));
        pair.join(1, 0);
        pair.assert_values(0, texts(["blue"]), texts(["blue", "red"]));
    }

    proptest! {
        #[test]
        fn without_a_mistake_of_their_own_they_are_right(moves in moves(prop_oneof![
            3 => prop::sample::select(vec!["a", "b", "c"]).prop_map(write),
            1 => Just(RegisterOp::Read),
        ])) {
            check_flawless::<FlawedRegister, LwwRegister<String>>(&moves);
            check_flawless::<FlawedSiblings, MvRegister<String>>(&moves);
        }
    }
}
