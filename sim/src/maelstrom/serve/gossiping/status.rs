//! What a replica knows of how far its peers are.
//!
//! A peer is *synced* when everything that this replica has is known to be there: because the peer sent it,
//! acknowledged it, or sent an equal digest. The time of convergence is how long it took from the latest change of the
//! state until all peers were synced; while some are not, how long it has been taking.
//!
//! Invariant: what is claimed of a peer was so at some time, and states only grow; so a synced peer has it all, unless
//! it has lost its memory.
//!
//! An example stands in the tests of this module. What is deliberately absent: what peers have that is not known here.

use std::collections::BTreeMap;

use crdts::lattice::Crdt;

use crate::{kernel::ids::NodeId, protocols::gossip::Message};

/// What is known of the peers.
#[derive(Debug)]
pub(super) struct Status<C> {
    /// What each peer is known to have.
    known: BTreeMap<NodeId, C>,
    /// The latest interval sent to each, which it will acknowledge by the number.
    sent: BTreeMap<NodeId, (u64, C)>,
    /// When the state last changed.
    changed_ns: Option<u64>,
    /// How long it then took until all peers were synced.
    took_ns: Option<u64>,
}

impl<C> Default for Status<C> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), sent: BTreeMap::new(), changed_ns: None, took_ns: None }
    }
}

impl<C: Crdt> Status<C> {
    /// The state has changed.
    pub(super) fn changed(&mut self, now_ns: u64) {
        (self.changed_ns, self.took_ns) = (Some(now_ns), None);
    }

    /// A message goes out.
    pub(super) fn sent(&mut self, to: NodeId, message: &Message<C>) {
        if let Message::Interval { content, through, .. } = message {
            self.sent.insert(to, (*through, content.clone()));
        }
    }

    /// A message has come in, and `state` is the one before it.
    pub(super) fn received(&mut self, from: NodeId, message: &Message<C>, state: &C) {
        match message {
            Message::State { state: content, .. } => self.know(from, content.content()),
            Message::Delta(content) | Message::Interval { content, .. } => self.know(from, content),
            Message::Digest { digest, .. } if *digest == state.digest() => self.know(from, state),
            Message::Ack { through, .. } => {
                if let Some((_, content)) = self.sent.remove(&from).filter(|(sent, _)| sent == through) {
                    self.know(from, &content);
                }
            }
            Message::Pull | Message::Digest { .. } => {}
        }
    }

    fn know(&mut self, peer: NodeId, content: &C) {
        // What contradicts is no knowledge.
        let _ = self.known.entry(peer).or_insert_with(C::bottom).try_join(content);
    }

    fn is_synced(&self, peer: NodeId, state: &C) -> bool {
        self.known.get(&peer).map_or_else(|| state.is_bottom(), |known| state.le(known))
    }

    /// How many of the peers have all of the state.
    pub(super) fn synced(&self, state: &C, peers: impl Iterator<Item = NodeId>) -> usize {
        peers.filter(|&peer| self.is_synced(peer, state)).count()
    }

    /// Looks whether all peers are synced now.
    pub(super) fn look(&mut self, state: &C, mut peers: impl Iterator<Item = NodeId>, now_ns: u64) {
        if let (Some(changed_ns), None) = (self.changed_ns, self.took_ns)
            && peers.all(|peer| self.is_synced(peer, state))
        {
            self.took_ns = Some(now_ns.saturating_sub(changed_ns));
        }
    }

    /// How long the latest change took to be everywhere, or has been taking.
    pub(super) fn convergence_ns(&self, now_ns: u64) -> u64 {
        let taking_ns = || self.changed_ns.map_or(0, |changed_ns| now_ns.saturating_sub(changed_ns));
        self.took_ns.unwrap_or_else(taking_ns)
    }
}

#[cfg(test)]
mod tests {
    use crdts::{GCounter, Lattice, ReplicaId};

    use super::*;
    use crate::protocols::gossip::{Ask, Summed};

    fn counter(counts: &[(u32, u64)]) -> GCounter {
        let mut counter = GCounter::bottom();
        for &(id, count) in counts {
            counter.observe(ReplicaId(id), count).expect("a count that rises");
        }
        counter
    }

    #[test]
    fn a_peer_is_synced_when_it_showed_all() {
        let peers = || [NodeId(1), NodeId(2)].into_iter();
        let state = counter(&[(0, 2), (1, 1)]);
        let mut status = Status::default();
        status.changed(100);
        let partial = Message::State { state: Summed::new(counter(&[(1, 1)])), answer: false };
        status.received(NodeId(1), &partial, &state);
        assert_eq!((status.synced(&state, peers()), status.convergence_ns(150)), (0, 50));
        status.received(NodeId(1), &Message::Delta(counter(&[(0, 2)])), &state);
        assert_eq!(status.synced(&state, peers()), 1);
        status.received(NodeId(2), &Message::Digest { digest: state.clone(), ask: Ask::Offer }, &state);
        status.look(&state, peers(), 160);
        assert_eq!((status.synced(&state, peers()), status.convergence_ns(900)), (2, 60));
        status.changed(1_000);
        assert_eq!(status.convergence_ns(1_005), 5);
    }

    #[test]
    fn an_acknowledged_interval_is_known() {
        let state = counter(&[(0, 2)]);
        let mut status = Status::default();
        let interval = |through| Message::Interval {
            content: state.clone(),
            whole: true,
            answer: false,
            incarnation: 0,
            builds_on: 0,
            through,
        };
        let ack = |through| Message::Ack { by: 0, incarnation: 0, through };
        status.sent(NodeId(1), &interval(3));
        status.received(NodeId(1), &ack(2), &state);
        assert_eq!(status.synced(&state, [NodeId(1)].into_iter()), 0);
        status.sent(NodeId(1), &interval(3));
        status.received(NodeId(1), &ack(3), &state);
        assert_eq!(status.synced(&state, [NodeId(1)].into_iter()), 1);
    }
}
