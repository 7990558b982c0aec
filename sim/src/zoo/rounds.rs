//! Gossip that does not reach everybody.
//!
//! Each of these wraps gossip over a data type that is right. Rounds go to the wrong peers, or end too soon. Whatever arrives is
//! merged as it should be, so nobody shows a wrong value: some never show the right one.
//!
//! Invariant: a replica answers what it is asked. Only what it starts itself is bent, but for
//! [`Flaw::ForgetsHealedSide`], which answers nobody whom it has given up.
//!
//! The mistakes are made in [`super::flawed`]; here are their entries, and tests that show them.
//!
//! ```
//! use sim::zoo::rounds::BUGS;
//!
//! assert!(BUGS.iter().all(|bug| bug.twin.starts_with("gossip pn-counter")));
//! ```
//!
//! What is deliberately absent: replicas that lie about what they have.

use super::catalogue::{Bug, Flaw};

const TWIN: &str = "gossip pn-counter";

/// The bugs of rounds.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "gossip-fixed-neighbour",
        title: "every replica gossips with the same peer for ever",
        flaw: Flaw::FixedNeighbour,
        object: "counter",
        twin: TWIN,
        cause: "The peer is computed from the replica's own number and not drawn. Replicas pair up, and what one pair knows \
                never leaves it, however good the network is.",
        fix: "Draw the peer of each round among all neighbours, or walk through all of them.",
        caught_by: "converges",
        arena: "heal-in-time",
    },
    Bug {
        name: "gossip-forgets-the-healed-side",
        title: "a peer that was cut off for two seconds is never addressed again",
        flaw: Flaw::ForgetsHealedSide,
        object: "counter",
        twin: TWIN,
        cause: "The failure detector strikes silent peers from the list and has no way back onto it. A partition makes each \
                side take the other for dead, and the heal changes nothing.",
        fix: "Go on addressing suspected peers now and then, and take back whoever is heard of.",
        caught_by: "converges",
        arena: "heal-in-time",
    },
    Bug {
        name: "gossip-stops-when-nothing-new",
        title: "a replica stops gossiping for good after a round without news",
        flaw: Flaw::StopsWhenNothingNew,
        object: "counter",
        twin: TWIN,
        cause: "The timer of the next round is set only if the last one brought anything. A quiet moment ends the rounds, and \
                no later update starts them again.",
        fix: "Set the timer in every round; save traffic by longer intervals or digests, not by silence.",
        caught_by: "converges",
        arena: "quiet-spells",
    },
    Bug {
        name: "rumour-dies-early",
        title: "an update is passed on in two rounds, whether it arrives or not",
        flaw: Flaw::RumourDiesEarly,
        object: "counter",
        twin: TWIN,
        cause: "A replica loses interest in an update after two rounds. Rumours leave a residue of replicas that never hear \
                of it (Demers et al. 1987, section 1.4), and a partition longer than two rounds leaves a whole side of them.",
        fix: "Back rumours up with anti-entropy: rounds that go on and compare everything.",
        caught_by: "converges",
        arena: "heal-too-late",
    },
];

#[cfg(test)]
mod tests {
    use crdts::{
        Crdt, OrSet, PnCounter,
        encoding::Encode,
        objects::{counter::CounterOp, set::SetOp},
    };

    use super::*;
    use crate::{
        kernel::{
            ids::{NodeId, OpId},
            node::{Node, OpOf, Recovery, StateOf},
            recorded::{Effect, Recorded},
            topology::Topology,
        },
        protocols::gossip::{Gossip, GossipConfig, Message, PayloadKind, Round},
        zoo::{
            flawed::{Flawed, FlawedConfig, FlawedTimer, SILENCE_NS_MAX},
            specimen::Bend,
        },
    };

    /// Bent replicas; a message arrives at once, or never.
    struct Cluster<C: Bend + Encode + Send + Sync>
    where
        C::Digest: Send + Sync,
    {
        nodes: Vec<Flawed<Gossip<C>>>,
        cx: Recorded<Flawed<Gossip<C>>>,
        incarnations: Vec<u32>,
        /// Replicas of which nothing arrives and to which nothing goes.
        cut_off: Vec<u32>,
        operations: u32,
        /// Timers that were set by the last handler.
        timers: usize,
    }

    impl<C> Cluster<C>
    where
        C: Bend + Encode + Send + Sync,
        C::Digest: Send + Sync,
    {
        fn new(replicas: u32, flaw: Flaw, payload: PayloadKind) -> Self {
            let config = FlawedConfig { node: GossipConfig { payload, ..GossipConfig::default() }, flaw };
            let nodes = (0..replicas).map(|id| Flawed::boot(&config, NodeId(id), replicas)).collect();
            let mut cx = Recorded::new(Topology::Complete { replicas });
            cx.seed(1);
            let incarnations = vec![0; replicas as usize];
            let mut cluster = Self { nodes, cx, incarnations, cut_off: Vec::new(), operations: 0, timers: 0 };
            for at in 0..replicas {
                cluster.act(at, Node::on_start);
            }
            cluster
        }

        fn act(&mut self, at: u32, act: impl FnOnce(&mut Flawed<Gossip<C>>, &mut Recorded<Flawed<Gossip<C>>>)) {
            self.cx.act_as(NodeId(at), self.incarnations[at as usize]);
            act(&mut self.nodes[at as usize], &mut self.cx);
            self.timers = 0;
            for effect in self.cx.take_effects() {
                match effect {
                    Effect::Send { to, message } => self.deliver(at, to.0, message),
                    Effect::After { .. } => self.timers += 1,
                    _ => {}
                }
            }
        }

        fn deliver(&mut self, from: u32, to: u32, message: Message<C>) {
            if !self.cut_off.contains(&from) && !self.cut_off.contains(&to) {
                let timers = self.timers;
                self.act(to, |node, cx| node.on_message(NodeId(from), message, cx));
                self.timers = timers;
            }
        }

        fn request(&mut self, at: u32, op: OpOf<Gossip<C>>) {
            let request = OpId(self.operations);
            self.operations += 1;
            self.act(at, |node, cx| node.on_request(request, op, cx));
        }

        fn round(&mut self, at: u32) {
            self.act(at, |node, cx| node.on_timer(FlawedTimer::Node(Round), cx));
        }

        fn rounds(&mut self, count: u32) {
            for _ in 0..count {
                (0..self.nodes.len() as u32).for_each(|at| self.round(at));
            }
        }

        fn values(&self) -> Vec<StateOf<Gossip<C>>> {
            self.nodes.iter().map(Node::value).collect()
        }

        /// What all would show if everybody heard of everything.
        fn together(&self) -> StateOf<Gossip<C>> {
            let mut all = self.nodes[0].clone();
            self.nodes.iter().for_each(|node| all.join_state(node));
            all.value()
        }

        fn is_agreed(&self) -> bool {
            self.values().iter().all(|value| *value == self.together())
        }
    }

    type Counters = Cluster<PnCounter>;

    fn counters(replicas: u32, flaw: Flaw) -> Counters {
        Counters::new(replicas, flaw, PayloadKind::State)
    }

    #[test]
    fn without_a_mistake_everybody_hears_of_everything() {
        let mut cluster = counters(5, Flaw::RoamingSession);
        (0..5).for_each(|at| cluster.request(at, CounterOp::Add(1)));
        cluster.rounds(10);
        assert_eq!(cluster.values(), [5; 5]);
    }

    #[test]
    fn pairs_keep_to_themselves() {
        let mut cluster = counters(5, Flaw::FixedNeighbour);
        (0..5).for_each(|at| cluster.request(at, CounterOp::Add(1)));
        cluster.rounds(50);
        assert_eq!(cluster.values(), [2, 2, 3, 3, 3]);
    }

    #[test]
    fn who_was_silent_is_forgotten() {
        let mut cluster = counters(3, Flaw::ForgetsHealedSide);
        cluster.rounds(5);
        cluster.cut_off = vec![2];
        for _ in 0..4 {
            cluster.cx.clock_ns += SILENCE_NS_MAX / 2;
            cluster.rounds(5);
        }
        cluster.request(0, CounterOp::Add(1));
        cluster.cut_off.clear();
        cluster.rounds(20);
        assert_eq!(cluster.values(), [1, 1, 0]);
        assert_eq!(cluster.together(), 1);
    }

    #[test]
    fn a_short_silence_is_forgiven() {
        let mut cluster = counters(3, Flaw::ForgetsHealedSide);
        cluster.rounds(5);
        cluster.cut_off = vec![2];
        cluster.cx.clock_ns += SILENCE_NS_MAX / 2;
        cluster.request(0, CounterOp::Add(1));
        cluster.cut_off.clear();
        cluster.rounds(20);
        assert!(cluster.is_agreed());
    }

    #[test]
    fn a_quiet_round_is_the_last() {
        let mut cluster = counters(2, Flaw::StopsWhenNothingNew);
        cluster.round(0);
        assert_eq!(cluster.timers, 1, "there has been nothing to stop for");
        cluster.request(0, CounterOp::Add(1));
        cluster.rounds(1);
        assert!(cluster.is_agreed());
        cluster.round(0);
        assert_eq!(cluster.timers, 0, "the timer is not set again");
    }

    #[test]
    fn a_rumour_dies_while_nobody_hears_it() {
        let mut cluster = counters(3, Flaw::RumourDiesEarly);
        cluster.cut_off = vec![0];
        cluster.request(0, CounterOp::Add(1));
        cluster.rounds(2);
        cluster.cut_off.clear();
        cluster.rounds(20);
        assert_eq!(cluster.values(), [1, 0, 0]);
        cluster.request(0, CounterOp::Add(1));
        cluster.rounds(2);
        assert!(cluster.is_agreed(), "a later rumour tells the whole state");
    }

    fn added(name: &str) -> SetOp<String> {
        SetOp::Add(name.to_owned())
    }

    #[test]
    fn a_delta_that_was_lost_is_not_sent_again() {
        for (flaw, agrees) in [(Flaw::AcknowledgedAtSend, false), (Flaw::RoamingSession, true)] {
            let mut cluster = Cluster::<OrSet<String>>::new(3, flaw, PayloadKind::Delta);
            cluster.request(0, added("first"));
            cluster.rounds(8);
            assert!(cluster.is_agreed(), "what arrives is enough");
            cluster.cut_off = vec![0];
            cluster.request(0, added("lost"));
            cluster.rounds(8);
            cluster.cut_off.clear();
            cluster.request(0, added("later"));
            cluster.rounds(8);
            assert_eq!(cluster.is_agreed(), agrees, "{flaw:?}");
            assert!(cluster.values()[1].contains("later"));
            assert_eq!(cluster.values()[1].contains("lost"), agrees);
        }
    }

    #[test]
    fn a_durable_crash_brings_back_the_last_copy() {
        let mut cluster = counters(2, Flaw::AcknowledgedBeforeDurable);
        cluster.request(0, CounterOp::Add(2));
        cluster.act(0, |node, cx| node.on_timer(FlawedTimer::Save, cx));
        assert_eq!(cluster.timers, 1, "the next copy");
        cluster.request(0, CounterOp::Add(5));
        cluster.incarnations[0] += 1;
        cluster.act(0, |node, cx| node.on_restart(Recovery::Durable, cx));
        assert_eq!(cluster.values(), [2, 0]);
        cluster.rounds(2);
        assert_eq!(cluster.values(), [2, 2]);
        assert_eq!(cluster.nodes[0].node().state().value(), 2);
    }
}
