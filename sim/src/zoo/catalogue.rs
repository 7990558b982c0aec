//! The catalogue of the zoo: every bug with its cause, its repair, and who must catch it.
//!
//! The entries stand beside the code that makes the mistake, one list for each family; [`BUGS`] is all of them.
//!
//! Invariant: every [`Flaw`] is the flaw of exactly one bug, and every bug has a name of its own.
//!
//! ```
//! use sim::zoo::catalogue::{BUGS, named};
//!
//! let bug = named("merge-by-sum").expect("a bug of the zoo");
//! assert_eq!((bug.object, bug.twin), ("counter", "gossip pn-counter"));
//! assert!(BUGS.iter().all(|bug| bug.arena_story().is_some()));
//! ```
//!
//! What is deliberately absent: severity. Each of these has lost somebody's data, or would have.

use super::{carts, counters, registers, rounds, sets, stores, texts};
use crate::protocols::gossip::{GossipConfig, PayloadKind};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Flaw {
    /// Counts of one replica are added when states meet.
    MergeBySum = 1,
    /// The state that arrives replaces the one that is there.
    MergeByOverwrite,
    /// Two totals become their mean.
    MergeByMean,
    /// An addition goes to the entry of the replica that was merged last.
    IncrementWrongSlot,
    /// Two replicas write under one identity.
    ClonedReplicaId,
    /// A replica that lost its memory counts on under the identity that it had.
    RestartFromZero,
    /// A replica that was set back to a snapshot counts on under the identity that it had.
    StaleSnapshotRestored,
    /// Additions and subtractions share one number, of which the larger wins.
    SignedMax,
    /// All replicas share one pair of numbers, of which the larger wins.
    SingleMax,
    /// Deltas count as acknowledged as soon as they are sent.
    AcknowledgedAtSend,
    /// What a crash leaves behind is a copy that is written from time to time.
    AcknowledgedBeforeDurable,
    /// A peer is taken to miss nothing if its versions add up to as much.
    VectorsBySum,
    /// A replica addresses one peer for ever.
    FixedNeighbour,
    /// A peer that has been silent is never addressed again.
    ForgetsHealedSide,
    /// Rounds end for good when one of them brings nothing new.
    StopsWhenNothingNew,
    /// What is new is passed on in two rounds, and then no more.
    RumourDiesEarly,
    /// All additions of a replica have one tag.
    TagsReused,
    /// A removal takes additions along that it did not see.
    RemovesUnseen,
    /// Tombstones go while replicas still need them.
    TombstonesCollectedEarly,
    /// A removal leaves no trace, and states are united.
    RemovalsForgotten,
    /// An addition of an element that is there does nothing.
    AddDoesNotRenew,
    /// The clocks of the writers decide which write is later.
    WallClock,
    /// Of two writes with one stamp each replica keeps the one that came first.
    TieByArrival,
    /// As [`Flaw::WallClock`], with a clock that goes back.
    ClockSetBack,
    /// Of concurrent writes one is kept.
    DropsSiblings,
    /// A write leaves beside itself what it has seen.
    NeverSupersedes,
    /// Of two vectors the one with the greater sum is taken to be later.
    SiblingsBySum,
    /// Of two insertions with one stamp each replica puts the one that came first in front.
    TextTiesByArrival,
    /// An insertion goes behind all that was inserted at the same place before.
    InsertsBehindSiblings,
    /// An insertion behind a character that is gone is thrown away.
    DropsOrphans,
    /// A deletion travels as a position and a length.
    DeletesByIndex,
    /// Of two quantities of an item the larger wins.
    QuantityByMax,
    /// A removal sets the quantity to zero, over additions that it did not see.
    RemoveAsZero,
    /// The whole cart is one value, of which the later wins.
    CartAsRegister,
    /// A swap that the store refused is reported as done.
    RefusalAsSuccess,
    /// A swap without answer is made again.
    SwapRetried,
    /// A swap does not compare.
    BlindWrite,
    /// An update of unknown fate is reported as failed.
    IndeterminateAsFailure,
    /// Reads are answered from what an earlier read returned.
    StaleCache,
    /// The store acknowledges every tenth change without making it.
    StoreForgets,
    /// The store is sequentially consistent where a linearizable one was meant.
    SeqForLin,
    /// The store lets the last writer win where a linearizable one was meant.
    LwwForLin,
    /// Clients move between replicas and take along nothing of what they have seen.
    RoamingSession,
    /// A value is written under a lease, and the store does not look whether the lease has run out.
    LeaseWithoutFencing,
}

impl Flaw {
    /// The number by which encodings know it; never zero.
    pub fn code(self) -> u64 {
        self as u64
    }

    /// The flaw with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        BUGS.iter().map(|bug| bug.flaw).find(|flaw| flaw.code() == code)
    }
}

/// An entry of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bug {
    /// The name in scenarios and on the command line.
    pub name: &'static str,
    /// What goes wrong, in one line.
    pub title: &'static str,
    /// The mistake.
    pub flaw: Flaw,
    /// What clients see: `counter`, `set`, `register`, `sequence` or `cart`.
    pub object: &'static str,
    /// The correct system from which it deviates.
    pub twin: &'static str,
    /// The root cause.
    pub cause: &'static str,
    /// The repair.
    pub fix: &'static str,
    /// The measure, checker or consistency model that must catch it.
    pub caught_by: &'static str,
    /// The circumstances that bring it to light, a name in [`ARENAS`].
    pub arena: &'static str,
}

impl Bug {
    /// Is it a mistake of a store, or of replicas that work on one?
    pub fn is_of_store(&self) -> bool {
        stores::BUGS.iter().any(|bug| bug.flaw == self.flaw) && self.flaw != Flaw::RoamingSession
    }

    /// Is it a mistake of those who write under a lease?
    pub fn is_of_locking(&self) -> bool {
        self.flaw == Flaw::LeaseWithoutFencing
    }

    /// Is it a mistake of a register that keeps concurrent writes?
    pub fn keeps_siblings(&self) -> bool {
        matches!(self.flaw, Flaw::DropsSiblings | Flaw::NeverSupersedes | Flaw::SiblingsBySum)
    }

    /// How its data is spread: in states, unless the mistake is about what is left out of them.
    pub fn gossip(&self) -> GossipConfig {
        let payload = match self.flaw {
            Flaw::AcknowledgedAtSend => PayloadKind::Delta,
            Flaw::VectorsBySum => PayloadKind::Digest,
            _ => PayloadKind::State,
        };
        GossipConfig { payload, ..GossipConfig::default() }
    }

    /// The system from which it deviates, as a scenario names it.
    pub fn twin_line(&self) -> String {
        match self.twin.split_once(' ') {
            Some(("gossip", crdt)) => {
                let (crdt, _) = crdt.split_once(',').unwrap_or((crdt, ""));
                format!("gossip = {{ crdt = \"{crdt}\", payload = \"{}\" }}", self.gossip().payload.name())
            }
            Some((protocol, store)) => format!("{protocol} = {{ store = \"{store}\" }}"),
            None => format!("{} = {{}}", self.twin),
        }
    }

    /// What `sim explain` says about it, in Markdown.
    pub fn text(&self) -> String {
        let Self { name, title, cause, fix, caught_by, arena, twin, object, .. } = self;
        let (first, rest) = title.split_at(1);
        let story = self.arena_story().unwrap_or_default();
        format!(
            "{}{rest}: a mistake about a {object}, made on purpose, where {twin} has it right.\n\n\
             **Root cause** {cause}\n\n**Fix** {fix}\n\n**Caught by** {caught_by}, in the arena {arena}: {story}. \
             `sim zoo {name}` hunts it, `sim zoo {name} --scenario` prints a scenario for `sim run`.\n\n\
             Source: the bug zoo of this project (2026), *{name}*.",
            first.to_uppercase()
        )
    }

    /// A scenario in which it comes to light, beside its correct twin.
    ///
    /// # Panics
    /// When the arena is none of [`ARENAS`], which a test sees to.
    pub fn scenario(&self) -> String {
        let arena = ARENAS.iter().find(|arena| arena.name == self.arena).expect("every bug has an arena");
        let work = match self.object {
            "counter" => "object = \"counter\"\nmix = { add = 2, read = 1 }\namount = { choice = [1, 2, -1] }",
            "set" => "object = \"set\"\nmix = { add = 3, remove = 2, read = 1 }\nelements = 4",
            "register" => "object = \"register\"\nmix = { write = 1, read = 1 }",
            "sequence" => "object = \"sequence\"\nmix = { insert = 4, delete = 1, read = 1 }\nplace = \"start\"",
            _ => "object = \"cart\"\nmix = { add = 3, remove = 1, view = 1 }\nitems = 3",
        };
        let Self { name, title, twin, .. } = self;
        let arena_story = arena.story;
        let twin_line = self.twin_line();
        format!(
            "# The bug `{name}`: {title}. Beside it the system that has it right, {twin}.\n# Arena: {arena_story}.\n\
             name = \"{name}\"\n{}{work}\n\n[[system]]\nname = \"bug\"\nbug = \"{name}\"\n\n\
             [[system]]\nname = \"twin\"\n{twin_line}\n",
            arena.toml
        )
    }

    /// What happens in its arena.
    pub fn arena_story(&self) -> Option<&'static str> {
        ARENAS.iter().find(|arena| arena.name == self.arena).map(|arena| arena.story)
    }
}

/// Circumstances in which bugs show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arena {
    /// Its name.
    pub name: &'static str,
    /// What happens there.
    pub story: &'static str,
    /// The scenario, up to what depends on the object.
    pub toml: &'static str,
}

macro_rules! arenas {
    ($($name:literal: $story:literal),+ $(,)?) => {
        /// All arenas.
        pub const ARENAS: &[Arena] =
            &[$(Arena { name: $name, story: $story, toml: include_str!(concat!("arenas/", $name, ".toml")) }),+];
    };
}

arenas! {
    "calm": "clients at all replicas write concurrently, and nothing fails",
    "few-updates": "two replicas; each takes one update while cut off, and nothing more is written",
    "heal-in-time": "a partition of several seconds, during which and after which both sides write",
    "heal-too-late": "a partition into halves that heals after the last update",
    "isolated-writer": "one replica takes updates while it is cut off from all others, and none after the heal",
    "quiet-spells": "updates come far apart, with many rounds between them",
    "crash-volatile": "a replica crashes, comes back with nothing, and takes further updates",
    "crash-stale": "a replica crashes, comes back as it was a second ago, and takes further updates",
    "crash-isolated": "a replica takes updates while it is cut off, and crashes durably before the heal",
    "skewed-clocks": "the replicas' clocks differ by more than messages take",
    "clock-set-back": "the clock of one replica is set back by seconds while it writes",
    "contention": "clients at all replicas update through one store at the same time",
    "answers-lost": "messages between replicas and store get lost, or later than replicas wait",
    "roaming-clients": "clients take a drawn replica for each operation, and replicas lag behind each other",
    "leases": "clocks differ by more than a lease lasts, and clients at all replicas update under it",
}

/// The lists of all families.
const FAMILIES: [&[Bug]; 7] =
    [counters::BUGS, rounds::BUGS, sets::BUGS, registers::BUGS, texts::BUGS, carts::BUGS, stores::BUGS];

const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

const ALL: [Bug; COUNT] = {
    let mut all = [FAMILIES[0][0]; COUNT];
    let (mut at, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut index = 0;
        while index < FAMILIES[family].len() {
            all[at] = FAMILIES[family][index];
            at += 1;
            index += 1;
        }
        family += 1;
    }
    all
};

/// All bugs, family by family.
pub const BUGS: &[Bug] = &ALL;

/// The bug with this name.
pub fn named(name: &str) -> Option<&'static Bug> {
    BUGS.iter().find(|bug| bug.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_flaw_is_that_of_one_bug() {
        let codes: BTreeSet<u64> = BUGS.iter().map(|bug| bug.flaw.code()).collect();
        assert_eq!(codes, (1..=Flaw::LeaseWithoutFencing.code()).collect());
        assert_eq!(codes.len(), BUGS.len());
        assert!(BUGS.iter().all(|bug| Flaw::from_code(bug.flaw.code()) == Some(bug.flaw)));
        assert_eq!((Flaw::from_code(0), Flaw::from_code(200)), (None, None));
    }

    #[test]
    fn names_are_distinct_and_written_like_all_names() {
        let names: BTreeSet<&str> = BUGS.iter().map(|bug| bug.name).collect();
        assert_eq!(names.len(), BUGS.len());
        let is_kebab = |name: &str| {
            name.split('-')
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
        };
        assert!(names.iter().all(|name| is_kebab(name) && named(name).is_some()));
    }

    #[test]
    fn entries_are_complete_sentences_about_known_things() {
        const CAUGHT_BY: [&str; 16] = [
            "converges",
            "correct",
            "lost_updates",
            "phantom_updates",
            "strongly-convergent",
            "specified-value",
            "local-effects",
            "agreed-value",
            "fitting-value",
            "linearizable",
            "sequential",
            "causal",
            "pram",
            "monotonic-reads",
            "read-your-writes",
            "writes-follow-reads",
        ];
        for bug in BUGS {
            assert!(["counter", "set", "register", "sequence", "cart"].contains(&bug.object), "{}", bug.name);
            assert!(bug.twin.starts_with("gossip ") || ["occ lin-kv", "lock"].contains(&bug.twin), "{}", bug.name);
            assert!(CAUGHT_BY.contains(&bug.caught_by), "{}: {}", bug.name, bug.caught_by);
            assert!(bug.arena_story().is_some(), "{}: {}", bug.name, bug.arena);
            assert!(!bug.title.contains('\n') && !bug.title.ends_with('.') && bug.title.len() < 100, "{}", bug.name);
            for prose in [bug.cause, bug.fix] {
                assert!(prose.len() > 30 && prose.ends_with('.'), "{}: {prose}", bug.name);
            }
        }
    }
}
