//! A node of the simulator on real clocks: its handlers run in the [`Recorded`] context, and its timers wait here.
//!
//! Invariant: what a node sees is what it sees in the simulator: the neighbours of a complete graph, its own clock, its
//! incarnation, and draws. The draws follow from the names of the cluster, the replica, and the number of the draw, so
//! a process whose clocks are virtual does the same in every run.
//!
//! Timers fire in the order of their time, then of their setting, and never before their time.
//!
//! What is deliberately absent: what becomes of effects other than timers. That is for those who know the node's messages.
//! An example stands in the tests of this module.

use std::collections::BTreeMap;

use super::{clock::Now, cluster::Cluster};
use crate::kernel::{
    node::{Node, Recovery},
    recorded::{Effect, Recorded},
    topology::Topology,
};

/// A node and its timers.
#[derive(Debug)]
pub(super) struct Engine<N: Node> {
    node: N,
    cx: Recorded<N>,
    /// By when they fire, and by how many were set before.
    timers: BTreeMap<(u64, u64), N::Timer>,
    timers_set: u64,
}

impl<N: Node> Engine<N> {
    /// Boots the replica of a cluster.
    pub(super) fn new(config: &N::Config, cluster: &Cluster) -> Self {
        let mut cx = Recorded::new(Topology::Complete { replicas: cluster.replicas() });
        cx.act_as(cluster.id(), cluster.incarnation());
        cx.seed(cluster.seed());
        let node = N::boot(config, cluster.id(), cluster.replicas());
        Self { node, cx, timers: BTreeMap::new(), timers_set: 0 }
    }

    /// Starts the first incarnation, or a later one that remembers nothing.
    pub(super) fn start(&mut self, incarnation: u32, now: Now) -> Vec<Effect<N>> {
        self.act(now, |node, cx| match incarnation {
            0 => node.on_start(cx),
            _ => node.on_restart(Recovery::Volatile, cx),
        })
    }

    /// The node.
    pub(super) fn node(&self) -> &N {
        &self.node
    }

    /// Lets a handler run, and returns what it did other than setting timers.
    pub(super) fn act(&mut self, now: Now, handler: impl FnOnce(&mut N, &mut Recorded<N>)) -> Vec<Effect<N>> {
        self.cx.clock_ns = now.unix_ns;
        handler(&mut self.node, &mut self.cx);
        self.cx.take_draws();
        let mut effects = Vec::new();
        for effect in self.cx.take_effects() {
            if let Effect::After { delay_ns, timer } = effect {
                self.timers.insert((now.since_start_ns.saturating_add(delay_ns), self.timers_set), timer);
                self.timers_set += 1;
            } else {
                effects.push(effect);
            }
        }
        effects
    }

    /// When the next timer fires.
    pub(super) fn due_ns(&self) -> Option<u64> {
        self.timers.first_key_value().map(|(&(due_ns, _), _)| due_ns)
    }

    /// The next timer, if it is due.
    pub(super) fn take_due(&mut self, now: Now) -> Option<N::Timer> {
        let due = self.timers.first_entry().filter(|entry| entry.key().0 <= now.since_start_ns)?;
        Some(due.remove())
    }
}

#[cfg(test)]
mod tests {
    use crdts::GCounter;

    use super::*;
    use crate::{
        kernel::time::MILLISECOND,
        protocols::gossip::{Gossip, GossipConfig},
    };

    fn at(since_start_ns: u64) -> Now {
        Now { since_start_ns, unix_ns: 0 }
    }

    #[test]
    fn rounds_come_at_their_time_and_the_same_in_every_run() {
        let rounds = |name: &str| {
            let names = ["n1", "n2", "n3"].map(str::to_owned);
            let cluster = Cluster::new(name, &names, 0).expect("a cluster");
            let config = GossipConfig::default();
            let mut engine = Engine::<Gossip<GCounter>>::new(&config, &cluster);
            assert!(engine.start(0, at(5)).is_empty());
            let mut seen = Vec::new();
            for _ in 0..5 {
                let due = engine.due_ns().expect("the next round");
                assert!(engine.take_due(at(due - 1)).is_none());
                let timer = engine.take_due(at(due)).expect("it is due");
                let effects = engine.act(at(due), |node, cx| node.on_timer(timer, cx));
                let peers: Vec<u32> = effects
                    .iter()
                    .filter_map(|effect| if let Effect::Send { to, .. } = effect { Some(to.0) } else { None })
                    .collect();
                seen.push((due, peers));
            }
            seen
        };
        let first = rounds("n1");
        assert_eq!(first, rounds("n1"));
        assert_ne!(first, rounds("n2"));
        assert!(first.windows(2).all(|pair| (90..=110).contains(&((pair[1].0 - pair[0].0) / MILLISECOND))));
    }
}
