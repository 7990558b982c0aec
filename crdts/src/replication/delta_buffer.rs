//! Delta intervals with acknowledgements: Algorithm 2 of Almeida, Shoker and Baquero (2018), "Delta state replicated
//! data types", with the two improvements of Enes et al. (2019, ICDE), "Efficient synchronization of state-based CRDTs".
//!
//! A replica numbers its deltas: those of its own updates, and those that it received and that told it something. For
//! each neighbour it knows up to which number the neighbour has acknowledged them, and sends the join of all from there
//! on.
//!
//! ```text
//! n1   deltas 0 1 2 3 4      n2 acknowledged 3: it gets the join of 3 and 4, and acknowledges 5
//!                            n3 acknowledged nothing: it gets the full state, and acknowledges 5
//! ```
//!
//! * *BP* (avoid back-propagation): a delta is not sent to the neighbour that it came from. The caller names the [`Origin`].
//! * *RR* (remove redundant state): of a received delta only the part that was new is kept. The caller records that part:
//!   [`optimal_delta`], or what [`Crdt::delta_since`](crate::Crdt::delta_since) gives for the digest before.
//! * The buffer is bounded. A neighbour that it no longer reaches back to gets the full state.
//!
//! **Invariant.** What a neighbour has acknowledged, *in its present incarnation*, it knows. An incarnation may have
//! forgotten what the one before it knew; so whoever hears of a new incarnation starts over with it, replicas announce
//! themselves after a restart, and nobody acknowledges an interval that builds on what a former incarnation
//! acknowledged. Numbers too belong to one incarnation of the replica that gave them.
//!
//! ```
//! use crdts::{Crdt, GCounter, Lattice, ReplicaId, objects::counter::CounterOp, replication::DeltaBuffer};
//!
//! let mut state = GCounter::bottom();
//! let mut buffer = DeltaBuffer::new(16);
//! buffer.record(state.update(ReplicaId(1), &CounterOp::Add(5))?.delta, None);
//! let interval = buffer.interval_for("paris", &state, false).ok_or("Paris knows nothing yet")?;
//! assert_eq!((&interval.content, interval.whole, interval.through), (&state, true, 1));
//!
//! buffer.acknowledge("paris", interval.builds_on, interval.through);
//! assert_eq!(buffer.interval_for("paris", &state, false), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is deliberately absent: rounds, timers, and the choice of neighbours.

use std::collections::VecDeque;

use crate::lattice::Lattice;

/// What `news` tells to somebody who knows `known`, and nothing else: the join of those parts of its irredundant
/// decomposition that are not below `known` (Enes et al. 2019, section III: Δ).
#[must_use]
pub fn optimal_delta<L: Lattice>(news: &L, known: &L) -> L {
    let mut delta = L::bottom();
    for part in news.decompose() {
        if !part.le(known) {
            delta.join(&part);
        }
    }
    delta
}

/// What to send to a neighbour.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval<C> {
    /// What to join.
    pub content: C,
    /// Is it the full state?
    pub whole: bool,
    /// The incarnation of the neighbour that acknowledged what comes before it.
    pub builds_on: u32,
    /// The number that follows the last delta in it: what to acknowledge.
    pub through: u64,
}

/// The neighbour that a delta came from. A later incarnation of it may have forgotten the delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<N> {
    /// The neighbour.
    pub id: N,
    /// How often it had started over.
    pub incarnation: u32,
}

#[derive(Clone, Debug)]
struct Delta<C, N> {
    content: C,
    origin: Option<Origin<N>>,
}

#[derive(Clone, Copy, Debug)]
struct Neighbour<N> {
    id: N,
    /// The latest incarnation heard of.
    incarnation: u32,
    /// The number that follows the last delta that this incarnation acknowledged.
    acked: Option<u64>,
}

/// The deltas of one incarnation of a replica, and what its neighbours have acknowledged.
#[derive(Clone, Debug)]
pub struct DeltaBuffer<C, N> {
    /// The number of the first delta that is still there.
    first: u64,
    deltas: VecDeque<Delta<C, N>>,
    /// Sorted by id.
    neighbours: Vec<Neighbour<N>>,
    deltas_max: usize,
}

impl<C: Lattice, N: Copy + Ord> DeltaBuffer<C, N> {
    /// A buffer that holds at most `deltas_max` deltas.
    pub fn new(deltas_max: u32) -> Self {
        Self { first: 0, deltas: VecDeque::new(), neighbours: Vec::new(), deltas_max: deltas_max as usize }
    }

    /// Starts over, as after a restart.
    pub fn forget(&mut self) {
        self.first = 0;
        self.deltas.clear();
        self.neighbours.clear();
    }

    /// How many deltas are held.
    pub fn len(&self) -> usize {
        self.deltas.len()
    }

    /// Is none held?
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty()
    }

    fn next(&self) -> u64 {
        self.first + self.deltas.len() as u64
    }

    fn neighbour(&mut self, id: N) -> &mut Neighbour<N> {
        let at = match self.neighbours.binary_search_by_key(&id, |neighbour| neighbour.id) {
            Ok(at) => at,
            Err(at) => {
                self.neighbours.insert(at, Neighbour { id, incarnation: 0, acked: None });
                at
            }
        };
        &mut self.neighbours[at]
    }

    /// A message of this incarnation of a neighbour has come. Returns whether it is the latest one.
    pub fn hear_of(&mut self, id: N, incarnation: u32) -> bool {
        let neighbour = self.neighbour(id);
        if incarnation > neighbour.incarnation {
            (neighbour.incarnation, neighbour.acked) = (incarnation, None);
        }
        incarnation == neighbour.incarnation
    }

    /// Numbers a delta.
    pub fn record(&mut self, content: C, origin: Option<Origin<N>>) {
        self.deltas.push_back(Delta { content, origin });
        if self.deltas.len() > self.deltas_max {
            self.deltas.pop_front();
            self.first += 1;
        }
    }

    /// What `to` has not acknowledged, if anything; `announce`: something is sent to a neighbour that has never
    /// acknowledged anything, even if there is nothing to tell.
    pub fn interval_for(&mut self, to: N, state: &C, announce: bool) -> Option<Interval<C>> {
        let (first, next) = (self.first, self.next());
        let Neighbour { incarnation: builds_on, acked, .. } = *self.neighbour(to);
        let whole = || Some(Interval { content: state.clone(), whole: true, builds_on, through: next });
        let Some(acked) = acked else {
            return if announce || !state.is_bottom() { whole() } else { None };
        };
        if acked < first {
            return whole();
        }
        let there = Some(Origin { id: to, incarnation: builds_on });
        let mut unknown = self.deltas.range((acked - first) as usize..).filter(|delta| delta.origin != there);
        let Some(oldest) = unknown.next() else {
            // All that is left came from this neighbour.
            self.advance(to, next);
            return None;
        };
        let mut content = oldest.content.clone();
        for delta in unknown {
            content.join(&delta.content);
        }
        Some(Interval { content, whole: false, builds_on, through: next })
    }

    /// Incarnation `by` of `from` knows all deltas before `through`.
    pub fn acknowledge(&mut self, from: N, by: u32, through: u64) {
        if !self.hear_of(from, by) {
            return;
        }
        self.advance(from, through.min(self.next()));
    }

    fn advance(&mut self, id: N, through: u64) {
        let neighbour = self.neighbour(id);
        let before = neighbour.acked;
        neighbour.acked = before.max(Some(through));
        // Only the neighbour that was furthest behind can have held anything back.
        if before.is_none_or(|acked| acked <= self.first) {
            self.prune();
        }
    }

    /// Forgets the deltas that all who still can use them have acknowledged.
    fn prune(&mut self) {
        let reached =
            self.neighbours.iter().filter_map(|neighbour| neighbour.acked).filter(|&acked| acked >= self.first);
        if let Some(least) = reached.min() {
            self.deltas.drain(..(least - self.first) as usize);
            self.first = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GCounter, PnCounter, clock::ReplicaId, lattice::Crdt, objects::counter::CounterOp};

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct NodeId(u32);

    const PEER: NodeId = NodeId(1);
    const OTHER: NodeId = NodeId(2);

    struct Replica {
        state: GCounter,
        buffer: DeltaBuffer<GCounter, NodeId>,
    }

    impl Replica {
        fn new(deltas_max: u32) -> Self {
            Self { state: GCounter::bottom(), buffer: DeltaBuffer::new(deltas_max) }
        }

        fn add(&mut self, writer: u32, origin: Option<Origin<NodeId>>) -> GCounter {
            let update = self.state.update(ReplicaId(writer), &CounterOp::Add(1)).expect("an addition of 1");
            self.buffer.record(update.delta.clone(), origin);
            update.delta
        }

        fn interval(&mut self, to: NodeId) -> Option<(GCounter, bool, u64)> {
            let interval = self.buffer.interval_for(to, &self.state, false)?;
            Some((interval.content, interval.whole, interval.through))
        }
    }

    #[test]
    fn a_peer_gets_the_full_state_once_and_then_what_it_has_not_acknowledged() {
        let mut replica = Replica::new(10);
        assert_eq!(replica.interval(PEER), None, "there is nothing to tell");
        replica.add(0, None);
        assert_eq!(replica.interval(PEER), Some((replica.state.clone(), true, 1)));
        replica.buffer.acknowledge(PEER, 0, 1);
        assert_eq!(replica.interval(PEER), None);
        let mut expected = replica.add(7, None);
        expected.join(&replica.add(8, None));
        assert_eq!(replica.interval(PEER), Some((expected.clone(), false, 3)));
        assert_eq!(replica.interval(PEER), Some((expected, false, 3)), "what is not acknowledged is sent again");
        replica.buffer.acknowledge(PEER, 0, 3);
        assert_eq!(replica.interval(PEER), None);
    }

    #[test]
    fn deltas_do_not_go_back_to_where_they_came_from() {
        let mut replica = Replica::new(10);
        replica.buffer.acknowledge(PEER, 0, 0);
        replica.buffer.acknowledge(OTHER, 0, 0);
        let own = replica.add(0, None);
        let theirs = replica.add(1, Some(Origin { id: PEER, incarnation: 0 }));
        assert_eq!(replica.interval(PEER), Some((own.clone(), false, 2)));
        let mut both = own;
        both.join(&theirs);
        assert_eq!(replica.interval(OTHER), Some((both, false, 2)));
        replica.buffer.acknowledge(PEER, 0, 2);
        replica.add(1, Some(Origin { id: PEER, incarnation: 0 }));
        assert_eq!(replica.interval(PEER), None);
        replica.buffer.acknowledge(OTHER, 0, 3);
        assert_eq!(replica.buffer.len(), 0, "the peer that had it anyway held nothing back");
    }

    #[test]
    fn the_buffer_is_pruned_at_the_least_acknowledgement_and_bounded() {
        let mut replica = Replica::new(4);
        for _ in 0..3 {
            replica.add(0, None);
        }
        replica.buffer.acknowledge(PEER, 0, 1);
        replica.buffer.acknowledge(OTHER, 0, 2);
        assert_eq!(replica.buffer.len(), 2);
        replica.buffer.acknowledge(PEER, 0, 3);
        assert_eq!(replica.buffer.len(), 1);
        for _ in 0..20 {
            replica.add(0, None);
        }
        assert_eq!(replica.buffer.len(), 4);
        assert_eq!(replica.interval(PEER), Some((replica.state.clone(), true, 23)), "it does not reach back");
        // Acknowledgements that come late or twice change nothing.
        replica.buffer.acknowledge(PEER, 0, 23);
        replica.buffer.acknowledge(PEER, 0, 5);
        assert_eq!(replica.interval(PEER), None);
    }

    #[test]
    fn a_new_incarnation_of_a_peer_starts_over() {
        let mut replica = Replica::new(4);
        replica.add(0, None);
        replica.buffer.acknowledge(PEER, 0, 1);
        assert!(replica.buffer.hear_of(PEER, 1));
        assert_eq!(replica.interval(PEER), Some((replica.state.clone(), true, 1)));
        // What the former incarnation acknowledged says nothing about the present one.
        replica.buffer.acknowledge(PEER, 0, 1);
        assert!(!replica.buffer.hear_of(PEER, 0));
        assert_eq!(replica.interval(PEER), Some((replica.state.clone(), true, 1)));
        replica.buffer.acknowledge(PEER, 1, 1);
        assert_eq!(replica.interval(PEER), None);
        // Nor does what came from the former incarnation.
        let theirs = replica.add(1, Some(Origin { id: PEER, incarnation: 0 }));
        assert_eq!(replica.interval(PEER), Some((theirs, false, 2)));
    }

    #[test]
    fn the_optimal_delta_holds_what_is_not_known_already() {
        let (mut ours, mut theirs) = (PnCounter::bottom(), PnCounter::bottom());
        let common = ours.update(ReplicaId(1), &CounterOp::Add(3)).expect("an addition").delta;
        theirs.join(&common);
        let news = theirs.update(ReplicaId(2), &CounterOp::Add(-4)).expect("an addition").delta;
        assert_eq!(optimal_delta(&theirs, &ours), news);
        assert_eq!(optimal_delta(&theirs, &ours), theirs.delta_since(&ours.digest()));
        assert!(optimal_delta(&ours, &theirs).is_bottom());
    }
}
