//! Laws of delivery: for one history, replicas that get states, deltas or ops end in the same state, whatever the order of
//! arrival, and however often something arrives.
//!
//! All orders of up to a handful of updates are judged without playing each: if from the state of every *set* of received
//! updates the next reception leads to the state of the larger set, and a repeated one leads nowhere, then by induction
//! every order with every repetition does. So 2ⁿ sets take the place of n! orders.
//!
//! ```
//! use crdts::{PnCounter, laws::{deliveries::check_deliveries, histories::Step}, objects::counter::CounterOp};
//!
//! let history = [
//!     Step::Update { at: 0, op: CounterOp::Add(3) },
//!     Step::Merge { into: 1, from: 0 },
//!     Step::Update { at: 1, op: CounterOp::Add(-1) },
//! ];
//! check_deliveries::<PnCounter>(2, &history, &[1, 1, 0, 1])?;
//! # Ok::<(), crdts::laws::Violation>(())
//! ```
//!
//! What is deliberately absent: updates that were made without their past, as a delta that arrives too early allows. Those
//! have no place in causal order; [`super::histories`] judges them as states.

use std::{collections::BTreeSet, fmt::Debug};

use super::{
    Law, Violation,
    cluster::{Cluster, Op, Performed, Specify, check_specified},
    histories::Step,
    require,
    states::{joined, joined_all},
};
use crate::{
    causality::{DotRange, VersionVector},
    lattice::{Crdt, Lattice},
    replication::{CausalBuffer, DeliveryError, TaggedOp},
};

/// Up to how many updates all orders are judged. The number of sets doubles with each.
const UPDATES_MAX: usize = 6;

/// What puts ops into causal order: [`CausalBuffer`], or something that claims to be as good.
pub trait Delivery<C>: Clone + PartialEq + Debug {
    /// Takes in an op, and returns what is to be delivered, in order.
    fn receive(&mut self, op: TaggedOp<C>) -> Result<Vec<TaggedOp<C>>, DeliveryError>;
}

impl<C: Lattice> Delivery<C> for CausalBuffer<C> {
    fn receive(&mut self, op: TaggedOp<C>) -> Result<Vec<TaggedOp<C>>, DeliveryError> {
        Ok(CausalBuffer::receive(self, op)?.delivered)
    }
}

/// A receiving replica.
#[derive(Clone, PartialEq, Debug)]
struct Receiver<C, D> {
    delivery: D,
    state: C,
    delivered: VersionVector,
}

impl<C: Crdt, D: Delivery<C>> Receiver<C, D> {
    fn new(delivery: D) -> Self {
        Self { delivery, state: C::bottom(), delivered: VersionVector::default() }
    }

    /// Delivers what there is to deliver; nothing comes before its past, nothing twice.
    fn receive(&mut self, op: &TaggedOp<C>) -> Result<(), Violation> {
        let released = self.delivery.receive(op.clone());
        let evidence: [(_, &dyn Debug); 2] = [("op", op), ("released", &released)];
        require(released.is_ok(), Law::CausalDelivery, &evidence)?;
        for op in released.unwrap_or_default() {
            let DotRange { replica, first, last } = op.dots();
            let in_order = Lattice::le(op.past(), &self.delivered) && self.delivered.get(replica) + 1 == first;
            require(in_order, Law::CausalDelivery, &[("delivered", &self.delivered), ("next", &op)])?;
            self.delivered.raise(replica, last);
            self.state.join(op.delta());
        }
        Ok(())
    }
}

/// The updates of a history, as ops.
struct Sent<'a, C: Crdt> {
    updates: Vec<&'a Performed<C>>,
    ops: Vec<TaggedOp<C>>,
}

impl<'a, C: Crdt> Sent<'a, C> {
    fn of(cluster: &'a Cluster<C>) -> Self {
        let updates = cluster.updates.iter().map(AsRef::as_ref);
        let updates: Vec<_> =
            updates.filter(|update: &&Performed<C>| update.is_effective() && update.founded).collect();
        let tagged = updates.iter().filter_map(|update| {
            let past = update.event.past.iter().map(|dot| (dot.replica, dot.counter)).collect();
            TaggedOp::new(update.event.dot.replica, past, update.delta.clone()).ok()
        });
        Self { ops: tagged.collect(), updates }
    }

    fn members(&self, set: usize) -> impl Iterator<Item = &Performed<C>> {
        self.updates.iter().enumerate().filter(move |&(at, _)| set >> at & 1 == 1).map(|(_, update)| *update)
    }

    /// The largest part of the set that contains all that it follows.
    fn closed_part(&self, set: usize) -> usize {
        let mut dots = BTreeSet::new();
        let mut closed = 0;
        // Updates are listed in the order in which they were made, so whatever one has seen comes before it.
        for (at, update) in self.updates.iter().enumerate() {
            if set >> at & 1 == 1 && update.event.past.is_subset(&dots) {
                dots.insert(update.event.dot);
                closed |= 1 << at;
            }
        }
        closed
    }
}

/// Every order of the first few updates, every repetition; states, deltas and ops.
pub(super) fn check_all_orders<C: Crdt>(cluster: &Cluster<C>, specify: Option<Specify<C>>) -> Result<(), Violation> {
    let mut sent = Sent::of(cluster);
    sent.updates.truncate(UPDATES_MAX);
    sent.ops.truncate(UPDATES_MAX);
    let joins = check_deltas(&sent, specify)?;
    check_ops(&sent, &joins, CausalBuffer::default())
}

/// The join of every set of deltas, in every order. Closed ones show what is specified.
fn check_deltas<C: Crdt>(sent: &Sent<'_, C>, specify: Option<Specify<C>>) -> Result<Vec<C>, Violation> {
    let count = sent.updates.len();
    let joins: Vec<C> = (0..1 << count).map(|set| joined_all(sent.members(set).map(|update| &update.delta))).collect();
    for (set, join) in joins.iter().enumerate() {
        for (at, next) in sent.updates.iter().enumerate() {
            let (reached, expected) = (joined(join, &next.delta), &joins[set | 1 << at]);
            let evidence: [(_, &dyn Debug); 4] =
                [("state", join), ("delta", &next.delta), ("joined", &reached), ("in another order", expected)];
            require(reached == *expected, Law::DeltasAreStates, &evidence)?;
        }
        if sent.closed_part(set) == set {
            check_specified(join, &sent.members(set).collect::<Vec<_>>(), specify)?;
        }
    }
    Ok(joins)
}

/// The reception of every set of ops, in every order, with every repetition.
fn check_ops<C: Crdt, D: Delivery<C>>(sent: &Sent<'_, C>, joins: &[C], fresh: D) -> Result<(), Violation> {
    let mut receivers: Vec<Option<Receiver<C, D>>> = vec![None; joins.len()];
    receivers[0] = Some(Receiver::new(fresh));
    for set in 0..receivers.len() {
        let Some(receiver) = receivers[set].take() else { continue };
        let closed = sent.closed_part(set);
        let due: VersionVector =
            sent.members(closed).map(|update| (update.event.dot.replica, update.event.dot.counter)).collect();
        let evidence: [(_, &dyn Debug); 2] = [("receiver", &receiver), ("what came with all its past", &due)];
        require(receiver.delivered == due, Law::CausalDelivery, &evidence)?;
        let evidence: [(_, &dyn Debug); 2] = [("receiver", &receiver), ("join of states", &joins[closed])];
        require(receiver.state == joins[closed], Law::OpsAreStates, &evidence)?;
        for (at, op) in sent.ops.iter().enumerate() {
            let mut after = receiver.clone();
            after.receive(op)?;
            let larger = set | 1 << at;
            let known = if larger == set { Some(&receiver) } else { receivers[larger].as_ref() };
            match known {
                None => receivers[larger] = Some(after),
                Some(known) => {
                    let evidence: [(_, &dyn Debug); 3] =
                        [("op", op), ("after it", &after), ("in another order", known)];
                    require(after == *known, Law::OpsAreStates, &evidence)?;
                }
            }
        }
    }
    Ok(())
}

fn played<C: Crdt>(replicas: usize, steps: &[Step<Op<C>>]) -> Result<Cluster<C>, Violation> {
    let mut cluster = Cluster::<C>::new(replicas);
    steps.iter().try_for_each(|step| cluster.perform(step, None))?;
    Ok(cluster)
}

/// Plays a history, and lets a replica receive its updates as ops in the given order (numbers beyond the last wrap around),
/// then all from the last to the first: it ends in the join of all, and delivers in causal order all the way.
pub fn check_deliveries<C: Crdt>(replicas: usize, steps: &[Step<Op<C>>], order: &[usize]) -> Result<(), Violation> {
    check_deliveries_by::<C, _>(replicas, steps, order, CausalBuffer::default())
}

/// As [`check_deliveries`], for another means of delivery.
pub fn check_deliveries_by<C: Crdt, D: Delivery<C>>(
    replicas: usize,
    steps: &[Step<Op<C>>],
    order: &[usize],
    fresh: D,
) -> Result<(), Violation> {
    let cluster = played::<C>(replicas, steps)?;
    let sent = Sent::of(&cluster);
    let mut receiver = Receiver::new(fresh);
    let given = order.iter().filter_map(|at| at.checked_rem(sent.ops.len()));
    let judged = given.chain((0..sent.ops.len()).rev()).try_for_each(|at| receiver.receive(&sent.ops[at]));
    let ended = judged.and_then(|()| {
        let expected = joined_all(sent.updates.iter().map(|update| &update.delta));
        let evidence: [(_, &dyn Debug); 2] = [("receiver", &receiver), ("join of states", &expected)];
        require(receiver.state == expected, Law::OpsAreStates, &evidence)
    });
    ended.map_err(|violation| violation.with("history", &steps).with("order", &order))
}

/// As [`check_deliveries_by`], in every order of the first six updates.
pub fn check_all_deliveries_by<C: Crdt, D: Delivery<C>>(
    replicas: usize,
    steps: &[Step<Op<C>>],
    fresh: D,
) -> Result<(), Violation> {
    let mut cluster = played::<C>(replicas, steps)?;
    cluster.updates.truncate(UPDATES_MAX);
    let sent = Sent::of(&cluster);
    let joins = check_deltas(&sent, None)?;
    check_ops(&sent, &joins, fresh).map_err(|violation| violation.with("history", &steps))
}
