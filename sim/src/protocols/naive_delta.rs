//! Naive deltas: send every increment to everybody, once.
//!
//! **Promises** convergence to the sum only if the network loses nothing and repeats nothing. Additions commute, so
//! their order makes no difference; this is an operation-based counter without the exactly-once delivery that its proof
//! assumes (Shapiro et al. 2011, INRIA RR-7506, section 3.1.1).
//!
//! **Costs** one small message per update and peer.
//!
//! **Goes wrong** because an increment has no identity: the receiver cannot tell a repetition from news, and the sender
//! never learns of a loss.
//!
//! ```text
//! n1   0 --add 1--> 1 ----+------------------------------- 1
//!                         |\
//!               lost  x---+ \  arrives twice
//!                            \====\
//! n2   0 .................... 1 .. 2 ..................... 2     the 1 is counted twice
//! n3   0 ................................................. 0     the 1 is lost
//! ```
//!
//! Increments are not passed on: on a graph that is not complete this protocol has no meaning, and scenarios refuse it.

use std::convert::Infallible;

use crdts::{
    lattice::Weight,
    objects::counter::{Counter, CounterOp, CounterRet},
};

use super::HEADER_BYTES;
use crate::kernel::{
    fold::Fold,
    ids::{NodeId, OpId},
    lineage::LineageId,
    node::{Context, Knowledge, Node, Payload, Recovery, Reply},
};

/// An increment on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Increment {
    /// What to add.
    pub amount: i64,
    /// Ghost: the update behind it.
    pub op: OpId,
}

impl Payload for Increment {
    /// The header and 8 bytes of amount.
    #[inline]
    fn bytes(&self) -> u64 {
        HEADER_BYTES + 8
    }

    #[inline]
    fn fold(&self, fold: &mut Fold) {
        fold.word(self.amount as u64);
    }

    fn kind(&self) -> &'static str {
        "increment"
    }
}

/// A replica that broadcasts increments. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct NaiveDelta {
    total: i128,
    lineage: LineageId,
}

impl NaiveDelta {
    #[inline]
    fn apply(&mut self, increment: Increment, cx: &mut impl Context<Self>) {
        self.total += i128::from(increment.amount);
        self.lineage = cx.derive(self.lineage, increment.op);
        cx.touched();
    }
}

impl Node for NaiveDelta {
    type Object = Counter;
    type Message = Increment;
    type Timer = Infallible;
    type Config = ();

    const REPAIRS: bool = false;

    fn boot((): &(), _: NodeId, _: u32) -> Self {
        Self { total: 0, lineage: LineageId::ROOT }
    }

    fn on_start(&mut self, _: &mut impl Context<Self>) {}

    #[inline]
    fn on_request(&mut self, request: OpId, op: CounterOp, cx: &mut impl Context<Self>) {
        match op {
            CounterOp::Add(amount) => {
                let increment = Increment { amount, op: request };
                self.apply(increment, cx);
                for index in 0..cx.peers() {
                    cx.send(cx.peer(index), increment);
                }
                cx.reply(request, Reply::Ok(CounterRet::Added));
            }
            CounterOp::Read => cx.reply(request, Reply::Ok(CounterRet::Total(self.total))),
        }
    }

    #[inline]
    fn on_message(&mut self, _: NodeId, message: Increment, cx: &mut impl Context<Self>) {
        self.apply(message, cx);
    }

    fn on_timer(&mut self, timer: Infallible, _: &mut impl Context<Self>) {
        match timer {}
    }

    fn on_restart(&mut self, _: Recovery, _: &mut impl Context<Self>) {}

    #[inline]
    fn value(&self) -> i128 {
        self.total
    }

    #[inline]
    fn knowledge(&self) -> Knowledge {
        Knowledge::Lineage(self.lineage)
    }

    /// 16 bytes of value.
    fn weight(&self) -> Weight {
        Weight { payload_bytes: 16, metadata_bytes: 0, tombstone_bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{
        recorded::{Effect, Recorded},
        topology::Topology,
    };

    #[test]
    fn a_lost_increment_is_lost_and_a_repeated_one_counts_twice() {
        let mut cx = Recorded::<NaiveDelta>::new(Topology::Complete { replicas: 3 });
        let mut nodes: Vec<_> = (0..3).map(|id| NaiveDelta::boot(&(), NodeId(id), 3)).collect();
        nodes[0].on_request(OpId(4), CounterOp::Add(1), &mut cx);
        let effects = cx.take_effects();
        let sent: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { to, message } => Some((*to, *message)),
                _ => None,
            })
            .collect();
        let increment = Increment { amount: 1, op: OpId(4) };
        assert_eq!(sent, [(NodeId(1), increment), (NodeId(2), increment)]);
        assert!(matches!(effects.last(), Some(Effect::Reply { reply: Reply::Ok(CounterRet::Added), .. })));

        cx.act_as(NodeId(1), 0);
        nodes[1].on_message(NodeId(0), increment, &mut cx);
        nodes[1].on_message(NodeId(0), increment, &mut cx);
        assert_eq!(nodes.iter().map(Node::value).collect::<Vec<_>>(), [1, 2, 0]);
        let twice: Vec<_> = cx.lineage.path(nodes[1].lineage).collect();
        assert_eq!(twice, [OpId(4), OpId(4)]);
    }

    #[test]
    fn increments_commute() {
        let mut cx = Recorded::<NaiveDelta>::new(Topology::Complete { replicas: 2 });
        let increments = [5, -3, i64::MAX].map(|amount| Increment { amount, op: OpId(0) });
        let total = |order: [usize; 3], cx: &mut Recorded<NaiveDelta>| {
            let mut node = NaiveDelta::boot(&(), NodeId(0), 2);
            for index in order {
                node.on_message(NodeId(1), increments[index], cx);
            }
            node.value()
        };
        assert_eq!(total([0, 1, 2], &mut cx), total([2, 0, 1], &mut cx));
    }
}
