//! Delta intervals with acknowledgements: Algorithm 2 of Almeida, Shoker and Baquero (2018), "Delta state replicated
//! data types", with the two improvements of Enes et al. (2019), "Efficient synchronization of state-based CRDTs".
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
//! * *BP* (avoid back-propagation): a delta is not sent to the neighbour that it came from.
//! * *RR* (remove redundant state): of a received delta only the part that was new is kept; the caller sees to that.
//! * The buffer is bounded. A neighbour that it no longer reaches back to gets the full state.
//!
//! **Invariant.** What a neighbour has acknowledged, *in its present incarnation*, it knows. An incarnation may have
//! forgotten what the one before it knew; so whoever hears of a new incarnation starts over with it, replicas announce
//! themselves after a restart, and nobody acknowledges an interval that builds on what a former incarnation
//! acknowledged. Numbers too belong to one incarnation of the replica that gave them.

use std::collections::VecDeque;

use crdts::lattice::Lattice;

use crate::kernel::ids::NodeId;

/// What to send to a neighbour.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Interval<C> {
    pub(super) content: C,
    /// Is it the full state?
    pub(super) whole: bool,
    /// The incarnation of the neighbour that acknowledged what comes before it.
    pub(super) builds_on: u32,
    /// The number that follows the last delta in it.
    pub(super) through: u64,
}

/// The neighbour that a delta came from. A later incarnation of it may have forgotten the delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) id: NodeId,
    pub(super) incarnation: u32,
}

#[derive(Clone, Debug)]
struct Delta<C> {
    content: C,
    origin: Option<Origin>,
}

#[derive(Clone, Copy, Debug)]
struct Neighbour {
    id: NodeId,
    /// The latest incarnation heard of.
    incarnation: u32,
    /// The number that follows the last delta that this incarnation acknowledged.
    acked: Option<u64>,
}

/// The deltas of one incarnation of a replica, and what its neighbours have acknowledged.
#[derive(Clone, Debug)]
pub(super) struct DeltaBuffer<C> {
    /// The number of the first delta that is still there.
    first: u64,
    deltas: VecDeque<Delta<C>>,
    /// Sorted by id.
    neighbours: Vec<Neighbour>,
    deltas_max: usize,
}

impl<C: Lattice> DeltaBuffer<C> {
    pub(super) fn new(deltas_max: u32) -> Self {
        Self { first: 0, deltas: VecDeque::new(), neighbours: Vec::new(), deltas_max: deltas_max as usize }
    }

    /// Starts over, as after a restart.
    pub(super) fn forget(&mut self) {
        self.first = 0;
        self.deltas.clear();
        self.neighbours.clear();
    }

    fn next(&self) -> u64 {
        self.first + self.deltas.len() as u64
    }

    fn neighbour(&mut self, id: NodeId) -> &mut Neighbour {
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
    pub(super) fn hear_of(&mut self, id: NodeId, incarnation: u32) -> bool {
        let neighbour = self.neighbour(id);
        if incarnation > neighbour.incarnation {
            (neighbour.incarnation, neighbour.acked) = (incarnation, None);
        }
        incarnation == neighbour.incarnation
    }

    /// Numbers a delta.
    pub(super) fn record(&mut self, content: C, origin: Option<Origin>) {
        self.deltas.push_back(Delta { content, origin });
        if self.deltas.len() > self.deltas_max {
            self.deltas.pop_front();
            self.first += 1;
        }
    }

    /// What `to` has not acknowledged, if anything; `announce`: something is sent to a neighbour that has never
    /// acknowledged anything, even if there is nothing to tell.
    pub(super) fn interval_for(&mut self, to: NodeId, state: &C, announce: bool) -> Option<Interval<C>> {
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
    pub(super) fn acknowledge(&mut self, from: NodeId, by: u32, through: u64) {
        if !self.hear_of(from, by) {
            return;
        }
        self.advance(from, through.min(self.next()));
    }

    fn advance(&mut self, id: NodeId, through: u64) {
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

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.deltas.len()
    }
}

#[cfg(test)]
mod tests {
    use crdts::{GCounter, clock::ReplicaId, lattice::Crdt, objects::counter::CounterOp};

    use super::*;

    const PEER: NodeId = NodeId(1);
    const OTHER: NodeId = NodeId(2);

    struct Replica {
        state: GCounter,
        buffer: DeltaBuffer<GCounter>,
    }

    impl Replica {
        fn new(deltas_max: u32) -> Self {
            Self { state: GCounter::bottom(), buffer: DeltaBuffer::new(deltas_max) }
        }

        fn add(&mut self, writer: u32, origin: Option<Origin>) -> GCounter {
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
}
