//! Op-based replication: each update is sent once, tagged with its name and with what its replica had seen.
//!
//! Invariant: an op of a replica follows all its earlier ones, so the past of an op counts the origin's own updates up to
//! the op, and the names of the updates that it carries are what comes next. They are not stored, and cannot contradict the
//! past.
//!
//! In the literature an op-based type has an own definition, and needs exactly-once delivery in causal order (Shapiro et al.
//! 2011, INRIA RR-7506, section 2.2). Here the effect of an op is the join of its delta. Repetition is harmless, and causal
//! order is what makes every intermediate value one that the specification knows
//! ([`CausalSpec`](crate::causality::CausalSpec)).
//!
//! ```
//! use crdts::{Encode, GCounter, ReplicaId, objects::counter::CounterOp, replication::{OpReplica, TaggedOp}};
//!
//! let mut replica = OpReplica::<GCounter>::new(ReplicaId(7));
//! let op = replica.update(&CounterOp::Add(300))?.delta.ok_or("an effect")?;
//! assert_eq!(format!("{:?}", op.dots()), "r7:1");
//! let mut bytes = Vec::new();
//! op.encode(&mut bytes);
//! assert_eq!(TaggedOp::decode(&bytes)?, op);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is deliberately absent: compression of the past against what the receiver knows. Its size is one entry for each
//! replica that has written.

use std::fmt::Debug;

use super::causal_buffer::{CausalBuffer, DeliveryError, Receipt};
use crate::{
    causality::{CausalContext, DotRange, VersionVector},
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION, write_varint},
    lattice::{Crdt, JoinError, Update, UpdateError},
    object::Object,
};

/// A delta with the names of its updates, and everything that was visible when they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedOp<C> {
    replica: ReplicaId,
    /// How many updates it carries, at least one.
    count: u64,
    /// With the origin's own updates.
    past: VersionVector,
    delta: C,
}

impl<C> TaggedOp<C> {
    /// Tags the next update of a replica that has seen `past`.
    pub fn new(replica: ReplicaId, past: VersionVector, delta: C) -> Result<Self, UpdateError> {
        if past.get(replica) == u64::MAX {
            return Err(UpdateError::Overflow);
        }
        Ok(Self { replica, count: 1, past, delta })
    }

    /// The updates that it carries: consecutive ones of its origin.
    #[inline]
    pub fn dots(&self) -> DotRange {
        let before = self.past.get(self.replica);
        DotRange::new(self.replica, before + 1, before + self.count)
    }

    /// What its origin had seen: that many updates of each replica.
    #[inline]
    pub fn past(&self) -> &VersionVector {
        &self.past
    }

    /// The effect: what to join.
    #[inline]
    pub fn delta(&self) -> &C {
        &self.delta
    }
}

impl<C: Crdt> TaggedOp<C> {
    /// Appends the op that the origin made next, if nothing came in between. Returns whether it did. (An op that had more in
    /// its past must stay apart: that may in turn follow this one.)
    pub fn append(&mut self, next: &Self) -> bool {
        let mut through = self.past.clone();
        through.raise(self.replica, self.dots().last);
        let follows = next.replica == self.replica && next.past == through;
        if follows {
            self.count += next.count;
            self.delta.join(&next.delta);
        }
        follows
    }
}

impl<C: Encode> Encode for TaggedOp<C> {
    /// Origin, number of updates less one, past, and the encoding of the delta.
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        write_varint(out, u64::from(self.replica.0));
        write_varint(out, self.count - 1);
        self.past.encode_body(out);
        self.delta.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let replica = ReplicaId(u32::try_from(reader.varint()?).map_err(|_| DecodeError::IdOutOfRange)?);
        let count = reader.varint()?.checked_add(1).ok_or(DecodeError::CounterOutOfRange)?;
        let past = VersionVector::decode_body(&mut reader)?;
        past.get(replica).checked_add(count).ok_or(DecodeError::CounterOutOfRange)?;
        Ok(Self { replica, count, past, delta: C::decode(reader.rest())? })
    }
}

/// What the reception of an op led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The updates that were delivered now, in causal order: the received ones, and those that had waited for them.
    pub delivered: Vec<DotRange>,
    /// What the received op waits for; empty unless it came early.
    pub missing: CausalContext,
    /// Deltas among the delivered ones that contradict the state and left it as it was.
    pub refused: Vec<JoinError>,
}

/// A replica that sends and receives ops.
#[derive(Clone, Debug, PartialEq)]
pub struct OpReplica<C> {
    id: ReplicaId,
    state: C,
    buffer: CausalBuffer<C>,
}

/// What an update of `C` gives here: the answer, and what to send to everybody.
type Tagged<C> = Update<<<C as Crdt>::Object as Object>::Ret, Option<TaggedOp<C>>>;

impl<C: Crdt> OpReplica<C> {
    /// A replica that has seen nothing, and keeps as many early ops as [`CausalBuffer::EARLY_MAX`] says.
    pub fn new(id: ReplicaId) -> Self {
        Self { id, state: C::bottom(), buffer: CausalBuffer::default() }
    }

    /// The replicated state.
    #[inline]
    pub fn state(&self) -> &C {
        &self.state
    }

    /// What was delivered, and what waits.
    #[inline]
    pub fn buffer(&self) -> &CausalBuffer<C> {
        &self.buffer
    }

    /// Performs a client's operation. Queries and updates without effect have nothing to send.
    pub fn update(&mut self, op: &<C::Object as Object>::Op) -> Result<Tagged<C>, UpdateError> {
        if C::Object::is_update(op) && self.buffer.delivered().get(self.id) == u64::MAX {
            return Err(UpdateError::Overflow);
        }
        let Update { ret, delta } = self.state.update(self.id, op)?;
        let delta = if delta.is_bottom() { None } else { Some(self.buffer.tag(self.id, delta)?) };
        Ok(Update { ret, delta })
    }

    /// Takes in an op, and whatever has waited for it. On an error everything is as before.
    pub fn receive(&mut self, op: TaggedOp<C>) -> Result<Received, DeliveryError> {
        let Receipt { delivered, missing } = self.buffer.receive(op)?;
        let mut received = Received { missing, ..Received::default() };
        for op in delivered {
            received.delivered.push(op.dots());
            received.refused.extend(self.state.try_join(&op.delta).err());
        }
        Ok(received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GCounter, PnCounter, causality::Dot, lattice::Lattice, objects::counter::CounterOp::Add};

    type Op = TaggedOp<PnCounter>;

    fn update(replica: &mut OpReplica<PnCounter>, amount: i64) -> Op {
        replica.update(&Add(amount)).ok().and_then(|update| update.delta).expect("an addition with an effect")
    }

    fn replica(id: u32) -> OpReplica<PnCounter> {
        OpReplica::new(ReplicaId(id))
    }

    #[test]
    fn ops_carry_their_past_and_reads_nothing() {
        let (mut one, mut two) = (replica(1), replica(2));
        let first = update(&mut one, 5);
        assert!(two.receive(first).is_ok());
        let second = update(&mut two, 1);
        assert_eq!(second.dots(), Dot::new(ReplicaId(2), 1).into());
        assert_eq!(second.past(), &[(ReplicaId(1), 1)].into_iter().collect());
        assert_eq!(two.update(&Add(0)).map(|update| update.delta), Ok(None));
        assert_eq!(two.state().value(), 6);
    }

    #[test]
    fn a_batch_is_one_op_of_several_updates() {
        let (mut one, mut two) = (replica(1), replica(2));
        let mut batch = update(&mut one, 5);
        let second = update(&mut one, -1);
        assert!(batch.append(&second));
        assert_eq!(batch.dots(), DotRange::new(ReplicaId(1), 1, 2));
        assert!(!batch.append(&second), "it is in there already");
        assert!(two.receive(second.clone()).is_ok_and(|received| received.delivered.is_empty()));
        let received = two.receive(batch.clone());
        assert_eq!(received.map(|received| received.delivered), Ok(vec![batch.dots()]), "the part waits no longer");
        assert_eq!((two.state(), two.buffer().early()), (one.state(), 0));

        // What follows an update of somebody else stays apart, or each would wait for the other.
        let theirs = update(&mut two, 1);
        assert!(one.receive(theirs).is_ok());
        let third = update(&mut one, 1);
        assert!(!batch.append(&third));
    }

    #[test]
    fn other_spellings_of_ops_are_refused() {
        let mut replica = OpReplica::<GCounter>::new(ReplicaId(2));
        let mut ops = Vec::new();
        for _ in 0..2 {
            ops.extend(replica.update(&Add(3)).ok().and_then(|update| update.delta));
        }
        let mut bytes = Vec::new();
        ops[1].encode(&mut bytes);
        // Version, origin, one update, one entry of the past; the delta.
        assert_eq!(bytes, [1, 2, 0, 1, 2, 1, 1, 1, 2, 6]);
        assert_eq!(TaggedOp::decode(&bytes), Ok(ops[1].clone()));
        let check =
            |bytes: &[u8], expected| assert_eq!(TaggedOp::<GCounter>::decode(bytes), Err(expected), "{bytes:?}");
        for end in 0..bytes.len() {
            check(&bytes[..end], DecodeError::Truncated);
        }
        check(&[bytes.as_slice(), &[0]].concat(), DecodeError::TrailingBytes { count: 1 });
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        check(&[&[1, 2], max.as_slice(), &[0, 1, 0]].concat(), DecodeError::CounterOutOfRange);
        check(&[&[1, 2, 0, 1, 2], max.as_slice(), &[1, 0]].concat(), DecodeError::CounterOutOfRange);
        check(&[1, 0xff, 0xff, 0xff, 0xff, 0x1f, 0, 0, 1, 0], DecodeError::IdOutOfRange);
    }

    #[test]
    fn the_last_counter_is_an_error_and_no_change() {
        let past: VersionVector = [(ReplicaId(1), u64::MAX)].into_iter().collect();
        assert_eq!(TaggedOp::new(ReplicaId(1), past, GCounter::bottom()), Err(UpdateError::Overflow));
    }
}
