//! Consistency models: what clients may rely on, from strong to weak.
//!
//! | model | every client may rely on | source |
//! |---|---|---|
//! | `linearizable` | one order of all operations, which keeps to real time | Herlihy and Wing 1990 |
//! | `sequential` | one order of all operations, which keeps to the order of each process | Lamport 1979 |
//! | `causal` | nobody sees an effect without its causes | Ahamad et al. 1995 |
//! | `pram` | the updates of each process are seen in its order, one's own at once | Lipton and Sandberg 1988 |
//! | the four session guarantees | one aspect of the above each | Terry et al. 1994 |
//! | `strongly-convergent` | equal updates, equal states; and in the end all have all | Shapiro et al. 2011 |
//!
//! Invariant: a system that has a model has every model that it [implies](Consistency::implies).
//!
//! ```
//! use sim::checkers::Consistency::*;
//! assert!(Linearizable.implies(ReadYourWrites) && Causal.implies(WritesFollowReads));
//! assert!(!Pram.implies(WritesFollowReads) && !StronglyConvergent.implies(MonotonicReads));
//! ```
//!
//! What is deliberately absent: models of transactions.

/// A consistency model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consistency {
    /// Every operation takes effect at one instant between its invocation and its return.
    Linearizable,
    /// All operations are explained by one order in which those of each process stand as it invoked them.
    Sequential,
    /// Who sees an update sees all that its author had seen or done before.
    Causal,
    /// Who sees an update sees all earlier ones of the same process; one's own are seen at once; nothing disappears.
    Pram,
    /// Who sees an update sees all that its author had read before.
    WritesFollowReads,
    /// Who sees an update sees all earlier ones of the same process.
    MonotonicWrites,
    /// What a process has seen it keeps seeing.
    MonotonicReads,
    /// A process sees its own acknowledged updates.
    ReadYourWrites,
    /// Replicas with the same updates have the same state, and in the end all have the same.
    StronglyConvergent,
}

use Consistency::{
    Causal, Linearizable, MonotonicReads, MonotonicWrites, Pram, ReadYourWrites, Sequential, StronglyConvergent,
    WritesFollowReads,
};

impl Consistency {
    /// All models, the strong ones first.
    pub const ALL: [Self; 9] = [
        Linearizable,
        Sequential,
        Causal,
        Pram,
        WritesFollowReads,
        MonotonicWrites,
        MonotonicReads,
        ReadYourWrites,
        StronglyConvergent,
    ];

    /// The name in scenarios, reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Linearizable => "linearizable",
            Sequential => "sequential",
            Causal => "causal",
            Pram => "pram",
            WritesFollowReads => "writes-follow-reads",
            MonotonicWrites => "monotonic-writes",
            MonotonicReads => "monotonic-reads",
            ReadYourWrites => "read-your-writes",
            StronglyConvergent => "strongly-convergent",
        }
    }

    /// One line on what it promises.
    pub fn doc(self) -> &'static str {
        match self {
            Linearizable => "every operation takes effect at one instant between its invocation and its return",
            Sequential => "one order of all operations explains all answers, and keeps to the order of each process",
            Causal => "who sees an update sees all that its author had seen or done before",
            Pram => "the updates of each process are seen in its order, one's own at once, and none disappears",
            WritesFollowReads => "who sees an update sees all that its author had read before",
            MonotonicWrites => "who sees an update sees all earlier ones of the same process",
            MonotonicReads => "what a process has seen it keeps seeing",
            ReadYourWrites => "a process sees its own acknowledged updates",
            StronglyConvergent => {
                "replicas with the same updates have the same state, and in the end all have the same"
            }
        }
    }

    /// The model with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }

    /// Does whatever has this model also have `other`?
    pub fn implies(self, other: Self) -> bool {
        let session = matches!(other, MonotonicWrites | MonotonicReads | ReadYourWrites);
        self == other
            || match self {
                Linearizable => other != StronglyConvergent,
                Sequential => !matches!(other, StronglyConvergent | Linearizable),
                Causal => session || matches!(other, Pram | WritesFollowReads),
                Pram => session,
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_found() {
        for model in Consistency::ALL {
            assert_eq!(Consistency::named(model.name()), Some(model));
        }
        assert_eq!(Consistency::named("eventual"), None);
    }

    #[test]
    fn implication_is_a_partial_order_from_strong_to_weak() {
        for a in Consistency::ALL {
            assert!(a.implies(a));
            for b in Consistency::ALL {
                assert!(a == b || !(a.implies(b) && b.implies(a)), "{a:?} and {b:?}");
                assert!(!a.implies(b) || a <= b, "{a:?} stands before {b:?}");
                for c in Consistency::ALL {
                    assert!(!(a.implies(b) && b.implies(c)) || a.implies(c), "{a:?}, {b:?}, {c:?}");
                }
            }
        }
    }
}
