//! Deliveries: do replicas that have the same updates have the same value, and do they keep what they have?
//!
//! Strong eventual convergence (Shapiro et al. 2011, *Conflict-free replicated data types*, definition 2.3) is a property of
//! every instant: whenever two replicas, at whatever times, have been delivered the same updates, their values are equal. So
//! each time a replica's value may have changed, its set of updates is looked up among all that occurred so far.
//!
//! Sets are known by a 128-bit digest, values by one of 64 bits. Equal digests of sets are taken for equal sets, which is
//! wrong with a probability below 2^-80 in the longest run that is possible.
//!
//! What is deliberately absent: what it means. Evidence is for those who judge.

use hashbrown::HashMap;

use super::agreement::DigestHash;
use crate::kernel::{ids::NodeId, time::Time};

/// In larger clusters nobody looks: there would be as many sets as changes.
pub const REPLICAS_MAX: u32 = 10_000;
/// The most sets that are kept; later ones are compared with those.
const SETS_MAX: usize = 1 << 20;

/// A value that a replica had at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where.
    pub replica: NodeId,
    /// When.
    pub at: Time,
    /// A digest of the value.
    pub value: u64,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// How often a set was looked up and had occurred before.
    pub compared: u64,
    /// The first two values of the same updates.
    pub conflict: Option<(Held, Held)>,
}

/// The values that sets of updates had.
#[derive(Clone, Debug)]
pub(super) struct Deliveries {
    values: HashMap<u128, Held, DigestHash>,
    evidence: Evidence,
    is_on: bool,
}

impl Deliveries {
    pub(super) fn new(replicas: u32) -> Self {
        Self { values: HashMap::default(), evidence: Evidence::default(), is_on: replicas <= REPLICAS_MAX }
    }

    /// A replica has these updates and this value.
    pub(super) fn held(&mut self, updates: u128, held: Held) {
        if !self.is_on {
            return;
        }
        if let Some(before) = self.values.get(&updates) {
            self.evidence.compared += 1;
            if before.value != held.value {
                self.evidence.conflict.get_or_insert((*before, held));
            }
        } else if self.values.len() < SETS_MAX {
            self.values.insert(updates, held);
        }
    }

    /// What was found; `None` when nobody looked.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        self.is_on.then_some(self.evidence)
    }

    /// The memory held, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        (self.values.capacity() * (size_of::<u128>() + size_of::<Held>())) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(replica: u32, at: u64, value: u64) -> Held {
        Held { replica: NodeId(replica), at: Time(at), value }
    }

    #[test]
    fn equal_updates_with_different_values_are_a_conflict() {
        let mut deliveries = Deliveries::new(3);
        for (updates, held) in [(7, held(0, 1, 50)), (8, held(0, 2, 60)), (7, held(1, 3, 50))] {
            deliveries.held(updates, held);
        }
        assert_eq!(deliveries.evidence(), Some(Evidence { compared: 1, conflict: None }));
        deliveries.held(8, held(2, 4, 61));
        deliveries.held(7, held(2, 5, 51));
        let conflict = Some((held(0, 2, 60), held(2, 4, 61)));
        assert_eq!(deliveries.evidence(), Some(Evidence { compared: 3, conflict }), "the first one counts");
    }

    #[test]
    fn in_large_clusters_nobody_looks() {
        let mut deliveries = Deliveries::new(REPLICAS_MAX + 1);
        deliveries.held(1, held(0, 1, 1));
        assert_eq!(deliveries.evidence(), None);
    }
}
