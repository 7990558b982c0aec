//! Arbitration: of all writes to one place, the greatest in a total order is kept.
//!
//! **Why it converges.** The greatest of two elements of a total order is their least upper bound: taking it is commutative,
//! associative and idempotent, provided that the order is *total*. An order that calls two different writes equal makes each
//! side keep its own, and replicas diverge; so every order here ends in the replica and, after it, in the content.
//! (Arbitration is the term of Burckhardt et al. 2014, POPL, section 3, for an order that resolves conflicts.)
//!
//! **What becomes of the others.** A write that loses leaves its dot behind, and nothing else. A state that knows the dot of a
//! write holds that write *or a greater one*, and so contains it: progress stays exact although the write is gone, and a digest
//! needs dots only. That holds for whatever subset of deltas a state was joined from, since a delta carries its write together
//! with its dot.
//!
//! [`single`] has one place: registers. [`keyed`] has one for every key: sets that only grow, and maps.
//!
//! ```
//! use crdts::{Crdt, Lattice, MaxRegister, ReplicaId, objects::register::RegisterOp::Write};
//!
//! let (mut ours, mut theirs) = (MaxRegister::bottom(), MaxRegister::bottom());
//! ours.update(ReplicaId(1), &Write(3_u64))?;
//! theirs.update(ReplicaId(2), &Write(5))?;
//! ours.join(&theirs);
//! let mut progress = Vec::new();
//! ours.progress(|replica, updates| progress.push((replica.0, updates)));
//! assert_eq!((ours.value(), progress), (Some(5), vec![(1, 1), (2, 1)])); // the 3 is contained, and gone
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: siblings. Types that keep what is concurrent stand on dot stores ([`crate::causality`]).

pub mod keyed;
pub mod single;

use std::collections::BTreeMap;

use crate::causality::{Dot, Event};

/// The Lamport time of every event: one more than the latest among those that it saw and heeds. For specifications, straight
/// from the definition (Lamport 1978, CACM 21(7)).
pub(crate) fn lamport_times<Op>(
    history: &[Event<Op>],
    heeds: impl Fn(&Event<Op>, &Event<Op>) -> bool,
) -> BTreeMap<Dot, u64> {
    let mut events: Vec<_> = history.iter().collect();
    // In a causally closed history, an event has seen more than any event that it saw.
    events.sort_by_key(|event| event.past.len());
    let mut times: BTreeMap<Dot, u64> = BTreeMap::new();
    for event in &events {
        let heeded = events.iter().filter(|other| event.saw(other) && heeds(event, other));
        let latest = heeded.filter_map(|other| times.get(&other.dot)).max();
        times.insert(event.dot, latest.map_or(1, |latest| latest + 1));
    }
    times
}
