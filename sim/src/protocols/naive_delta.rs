//! Naive deltas: send every operation to everybody, once, and do what arrives in the order in which it arrives.
//!
//! **Promises**, of a counter, convergence to the sum if the network loses nothing and repeats nothing. Additions commute,
//! so their order makes no difference; this is an operation-based counter without the exactly-once delivery that its proof
//! assumes (Shapiro et al. 2011, INRIA RR-7506, section 3.1.1). Of objects whose operations do not commute it promises
//! nothing: replicas that see an addition and a removal in different orders differ for good, and a position in a text
//! means another place wherever the text is another one.
//!
//! **Costs** one small message per update and peer.
//!
//! **Goes wrong** because an operation has no identity: the receiver cannot tell a repetition from news, and the sender
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
//! Operations are not passed on: on a graph that is not complete this protocol has no meaning, and scenarios refuse it.

use std::convert::Infallible;

use crdts::{lattice::Weight, objects::counter::Counter};

use super::{HEADER_BYTES, wire::Wire};
use crate::kernel::{
    fold::Fold,
    ids::{NodeId, OpId},
    lineage::LineageId,
    node::{Context, Knowledge, Node, Payload, Recovery, Reply},
};

/// An operation on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment<O: Wire> {
    /// What to do.
    pub what: O::Op,
    /// Ghost: the update behind it.
    pub op: OpId,
}

impl<O: Wire> Payload for Increment<O> {
    /// The header and the operation.
    #[inline]
    fn bytes(&self) -> u64 {
        HEADER_BYTES + O::op_bytes(&self.what)
    }

    #[inline]
    fn fold(&self, fold: &mut Fold) {
        O::fold_op(&self.what, fold);
    }

    fn kind(&self) -> &'static str {
        O::op_name(&self.what)
    }
}

/// A replica that broadcasts operations, of a counter unless another object is named. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct NaiveDelta<O: Wire = Counter> {
    value: O::State,
    lineage: LineageId,
}

impl<O: Wire> NaiveDelta<O> {
    #[inline]
    fn apply(&mut self, increment: &Increment<O>, cx: &mut impl Context<Self>) -> O::Ret {
        let ret = O::step(&mut self.value, &increment.what);
        self.lineage = cx.derive(self.lineage, increment.op);
        cx.touched();
        ret
    }
}

impl<O: Wire> Node for NaiveDelta<O> {
    type Object = O;
    type Message = Increment<O>;
    type Timer = Infallible;
    type Config = ();

    const REPAIRS: bool = false;

    fn boot((): &(), _: NodeId, _: u32) -> Self {
        Self { value: O::State::default(), lineage: LineageId::ROOT }
    }

    fn on_start(&mut self, _: &mut impl Context<Self>) {}

    #[inline]
    fn on_request(&mut self, request: OpId, op: O::Op, cx: &mut impl Context<Self>) {
        if !O::is_update(&op) {
            let ret = O::step(&mut self.value, &op);
            return cx.reply(request, Reply::Ok(ret));
        }
        let increment = Increment { what: op, op: request };
        let ret = self.apply(&increment, cx);
        for index in 0..cx.peers() {
            cx.send(cx.peer(index), increment.clone());
        }
        cx.reply(request, Reply::Ok(ret));
    }

    #[inline]
    fn on_message(&mut self, _: NodeId, message: Increment<O>, cx: &mut impl Context<Self>) {
        self.apply(&message, cx);
    }

    fn on_timer(&mut self, timer: Infallible, _: &mut impl Context<Self>) {
        match timer {}
    }

    fn on_restart(&mut self, _: Recovery, _: &mut impl Context<Self>) {}

    #[inline]
    fn value(&self) -> O::State {
        self.value.clone()
    }

    #[inline]
    fn knowledge(&self) -> Knowledge {
        Knowledge::Lineage(self.lineage)
    }

    /// The value alone.
    fn weight(&self) -> Weight {
        Weight { payload_bytes: O::state_bytes(&self.value), metadata_bytes: 0, tombstone_bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdts::objects::counter::{CounterOp, CounterRet};

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
                Effect::Send { to, message } => Some((*to, message.clone())),
                _ => None,
            })
            .collect();
        let increment = Increment { what: CounterOp::Add(1), op: OpId(4) };
        assert_eq!(sent, [(NodeId(1), increment.clone()), (NodeId(2), increment.clone())]);
        assert!(matches!(effects.last(), Some(Effect::Reply { reply: Reply::Ok(CounterRet::Added), .. })));

        cx.act_as(NodeId(1), 0);
        nodes[1].on_message(NodeId(0), increment.clone(), &mut cx);
        nodes[1].on_message(NodeId(0), increment, &mut cx);
        assert_eq!(nodes.iter().map(Node::value).collect::<Vec<_>>(), [1, 2, 0]);
        let twice: Vec<_> = cx.lineage.path(nodes[1].lineage).collect();
        assert_eq!(twice, [OpId(4), OpId(4)]);
    }

    #[test]
    fn increments_commute() {
        let mut cx = Recorded::<NaiveDelta>::new(Topology::Complete { replicas: 2 });
        let increments = [5, -3, i64::MAX].map(|amount| Increment { what: CounterOp::Add(amount), op: OpId(0) });
        let total = |order: [usize; 3], cx: &mut Recorded<NaiveDelta>| {
            let mut node = NaiveDelta::<Counter>::boot(&(), NodeId(0), 2);
            for index in order {
                node.on_message(NodeId(1), increments[index].clone(), cx);
            }
            node.value()
        };
        assert_eq!(total([0, 1, 2], &mut cx), total([2, 0, 1], &mut cx));
    }
}
