//! Our types behind the few functions that the contests need: to plug in a type is a few lines here.

/// Counters.
pub mod counter {
    use crdts::{Crdt, Encode, Lattice, PnCounter, ReplicaId, objects::counter::CounterOp};

    /// A counter to which each replica has added `steps`, and from which it has subtracted as many.
    pub fn with_replicas(replicas: u32, steps: i64) -> PnCounter {
        let mut counter = PnCounter::bottom();
        for replica in 0..replicas {
            add(&mut counter, replica, steps);
            add(&mut counter, replica, -steps);
        }
        counter
    }

    /// Adds an amount.
    pub fn add(counter: &mut PnCounter, replica: u32, amount: i64) {
        counter
            .update(ReplicaId(replica), &CounterOp::Add(amount))
            .expect("the counts are far from the end of their range");
    }

    /// The exact value.
    pub fn read(counter: &PnCounter) -> i128 {
        counter.value()
    }

    /// Joins, and tells whether that changed anything.
    pub fn join(counter: &mut PnCounter, other: &PnCounter) -> bool {
        counter.join(other)
    }

    /// The canonical encoding.
    pub fn encoded(counter: &PnCounter) -> Vec<u8> {
        let mut bytes = Vec::new();
        counter.encode(&mut bytes);
        bytes
    }
}
