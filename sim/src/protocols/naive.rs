//! Naive replication: read, modify, write, and send the result to everybody.
//!
//! **Promises** nothing. Every replica answers at once from its own copy, and the latest writer (by the writers' own
//! clocks) overwrites what the others have.
//!
//! **Costs** one message of constant size per update and peer. A replica that adopts a value from a neighbour that
//! could not reach everybody itself passes it on to its other neighbours.
//!
//! **Goes wrong** whenever two updates are concurrent: an absolute value carries only the updates that its writer knew
//! (the lost-update problem; Berenson et al. 1995, "A critique of ANSI SQL isolation levels", P4). Last writer wins is
//! the rule of Thomas (1979), "A majority consensus approach to concurrency control", with clocks for version numbers.
//!
//! ```text
//! n1   0 --add 1--> 1 (clock 1) ---. .---> later than clock 1: adopts 5
//!                                   X
//! n2   0 --add 5--> 5 (clock 2) ---' '---> earlier than clock 2: ignores 1      both show 5: the 1 is lost for good
//! ```
//!
//! A replica whose clock is ahead wins against later writers until the others' clocks catch up; a replica whose clock
//! is set back writes values that nobody else adopts. Nothing is ever sent again, so a lost message leaves replicas
//! apart until the next update.

use std::convert::Infallible;

use crdts::{lattice::Weight, objects::counter::Counter};

use super::{HEADER_BYTES, wire::Wire};
use crate::kernel::{
    fold::Fold,
    ids::{NodeId, OpId},
    lineage::LineageId,
    node::{Context, Knowledge, Node, Payload, Recovery, Reply},
};

/// When and by whom a value was written. Later stamps win; equal clocks are decided by the replica's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The writer's clock, skew and all.
    pub clock_ns: i64,
    /// The writer.
    pub writer: NodeId,
}

impl Stamp {
    /// Before everything that anybody writes.
    const INITIAL: Self = Self { clock_ns: i64::MIN, writer: NodeId(0) };
}

/// The whole value that a replica holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied<O: Wire> {
    /// The value.
    pub value: O::State,
    /// Who wrote it, and when.
    pub stamp: Stamp,
    /// Ghost: which updates it contains.
    pub lineage: LineageId,
}

/// What a replica sends: its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total<O: Wire> {
    /// The copy.
    pub copy: Copied<O>,
    /// Did the sender send it to all other replicas? Then there is nobody to pass it on to.
    pub to_all: bool,
}

impl<O: Wire> Payload for Total<O> {
    /// The header, which has room for the flag; the value, 8 bytes of clock and 4 of writer.
    #[inline]
    fn bytes(&self) -> u64 {
        HEADER_BYTES + O::state_bytes(&self.copy.value) + 8 + 4
    }

    #[inline]
    fn fold(&self, fold: &mut Fold) {
        let Copied { value, stamp, .. } = &self.copy;
        O::fold_state(value, fold);
        fold.words(stamp.clock_ns as u64, u64::from(self.to_all) << 32 | u64::from(stamp.writer.0));
    }

    fn kind(&self) -> &'static str {
        "total"
    }
}

/// A replica of the naive protocol, of a counter unless another object is named. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct Naive<O: Wire = Counter> {
    copy: Copied<O>,
}

impl<O: Wire> Naive<O> {
    #[inline]
    fn update(&mut self, request: OpId, op: &O::Op, cx: &mut impl Context<Self>) {
        let ret = O::step(&mut self.copy.value, op);
        self.copy.stamp = Stamp { clock_ns: cx.clock_ns(), writer: cx.id() };
        self.copy.lineage = cx.derive(self.copy.lineage, request);
        self.spread(None, cx);
        cx.touched();
        cx.reply(request, Reply::Ok(ret));
    }

    /// Sends the copy to all peers but one.
    #[inline]
    fn spread(&self, except: Option<NodeId>, cx: &mut impl Context<Self>) {
        let message = Total { copy: self.copy.clone(), to_all: cx.peers() + 1 == cx.replicas() };
        for index in 0..cx.peers() {
            let peer = cx.peer(index);
            if Some(peer) != except {
                cx.send(peer, message.clone());
            }
        }
    }
}

impl<O: Wire> Node for Naive<O> {
    type Object = O;
    type Message = Total<O>;
    type Timer = Infallible;
    type Config = ();

    const REPAIRS: bool = false;

    fn boot((): &(), _: NodeId, _: u32) -> Self {
        Self { copy: Copied { value: O::State::default(), stamp: Stamp::INITIAL, lineage: LineageId::ROOT } }
    }

    fn on_start(&mut self, _: &mut impl Context<Self>) {}

    #[inline]
    fn on_request(&mut self, request: OpId, op: O::Op, cx: &mut impl Context<Self>) {
        if O::is_update(&op) {
            return self.update(request, &op, cx);
        }
        let ret = O::step(&mut self.copy.value, &op);
        cx.reply(request, Reply::Ok(ret));
    }

    #[inline]
    fn on_message(&mut self, from: NodeId, message: Total<O>, cx: &mut impl Context<Self>) {
        if message.copy.stamp <= self.copy.stamp {
            return;
        }
        self.copy = message.copy;
        cx.touched();
        if !message.to_all {
            self.spread(Some(from), cx);
        }
    }

    fn on_timer(&mut self, timer: Infallible, _: &mut impl Context<Self>) {
        match timer {}
    }

    fn on_restart(&mut self, _: Recovery, _: &mut impl Context<Self>) {}

    #[inline]
    fn value(&self) -> O::State {
        self.copy.value.clone()
    }

    #[inline]
    fn knowledge(&self) -> Knowledge {
        Knowledge::Lineage(self.copy.lineage)
    }

    /// The value; 8 bytes of clock and 4 of writer.
    fn weight(&self) -> Weight {
        Weight { payload_bytes: O::state_bytes(&self.copy.value), metadata_bytes: 8 + 4, tombstone_bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdts::objects::counter::CounterOp;

    use crate::kernel::{
        recorded::{Effect, Recorded},
        topology::{Rows, Topology},
    };

    struct Cluster {
        nodes: Vec<Naive>,
        cx: Recorded<Naive>,
    }

    impl Cluster {
        fn new(topology: Topology) -> Self {
            let replicas = topology.replicas();
            let nodes = (0..replicas).map(|id| Naive::boot(&(), NodeId(id), replicas)).collect();
            Self { nodes, cx: Recorded::new(topology) }
        }

        /// Performs an addition at a clock, and returns what was sent.
        fn add(&mut self, at: u32, clock_ns: i64, op: u32, amount: i64) -> Vec<(NodeId, Total<Counter>)> {
            self.cx.act_as(NodeId(at), 0);
            self.cx.clock_ns = clock_ns;
            self.nodes[at as usize].on_request(OpId(op), CounterOp::Add(amount), &mut self.cx);
            self.sent()
        }

        fn deliver(&mut self, from: u32, to: NodeId, message: Total<Counter>) -> Vec<(NodeId, Total<Counter>)> {
            self.cx.act_as(to, 0);
            self.nodes[to.index()].on_message(NodeId(from), message, &mut self.cx);
            self.sent()
        }

        fn sent(&mut self) -> Vec<(NodeId, Total<Counter>)> {
            self.cx
                .take_effects()
                .into_iter()
                .filter_map(|effect| match effect {
                    Effect::Send { to, message } => Some((to, message)),
                    _ => None,
                })
                .collect()
        }

        fn values(&self) -> Vec<i128> {
            self.nodes.iter().map(Node::value).collect()
        }

        fn updates(&self, at: usize) -> Vec<OpId> {
            self.cx.lineage.path(self.nodes[at].copy.lineage).collect()
        }
    }

    #[test]
    fn concurrent_updates_are_lost_as_in_the_textbook() {
        let mut cluster = Cluster::new(Topology::Complete { replicas: 2 });
        let from_first = cluster.add(0, 1, 0, 1).remove(0);
        let from_second = cluster.add(1, 2, 1, 5).remove(0);
        cluster.deliver(1, from_second.0, from_second.1);
        cluster.deliver(0, from_first.0, from_first.1);
        assert_eq!(cluster.values(), [5, 5]);
        assert_eq!((cluster.updates(0), cluster.updates(1)), (vec![OpId(1)], vec![OpId(1)]));
    }

    #[test]
    fn in_lockstep_all_updates_but_one_are_lost() {
        let mut cluster = Cluster::new(Topology::Complete { replicas: 5 });
        let sent: Vec<_> = (0..5_u32).map(|at| (at, cluster.add(at, 9, at, 1))).collect();
        for (from, messages) in sent {
            for (to, message) in messages {
                cluster.deliver(from, to, message);
            }
        }
        // Equal clocks: the replica with the greatest number wins.
        assert_eq!(cluster.values(), [1; 5]);
        assert_eq!(cluster.updates(0), [OpId(4)]);
    }

    #[test]
    fn a_clock_that_was_set_back_divides_the_replicas() {
        let mut cluster = Cluster::new(Topology::Complete { replicas: 2 });
        let (to, message) = cluster.add(0, 100, 0, 1).remove(0);
        cluster.deliver(0, to, message);
        let (to, message) = cluster.add(0, 50, 1, 1).remove(0);
        cluster.deliver(0, to, message);
        assert_eq!(cluster.values(), [2, 1]);
    }

    #[test]
    fn values_are_passed_on_where_not_everybody_is_a_neighbour() {
        // The replica in the middle sees everybody, and yet must pass on what comes from those who do not.
        let mut cluster = Cluster::new(Topology::Sparse(Rows::from_edges(3, &[(0, 1), (1, 2)])));
        let sent = cluster.add(0, 1, 0, 7);
        assert_eq!(sent.len(), 1);
        let relayed = cluster.deliver(0, NodeId(1), sent[0].1.clone());
        assert_eq!(relayed.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [NodeId(2)]);
        assert!(cluster.deliver(1, NodeId(2), relayed[0].1.clone()).is_empty());
        assert_eq!(cluster.values(), [7; 3]);
        assert!(cluster.deliver(0, NodeId(1), sent[0].1.clone()).is_empty(), "a repeated message is ignored");
    }
}
