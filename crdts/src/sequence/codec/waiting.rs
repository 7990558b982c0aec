//! Reading what stands beside the applied operations: the replicas, and the operations that wait.

use crate::{
    causality::Dot,
    clock::ReplicaId,
    encoding::{DecodeError, Reader},
    sequence::Delete,
};

/// An operation without its text.
pub(super) struct Untold {
    pub(super) id: Dot,
    pub(super) chars: u64,
    pub(super) lamport: u64,
    pub(super) left: Option<Dot>,
    pub(super) right: Option<Dot>,
}

pub(super) fn read_replicas(reader: &mut Reader<'_>) -> Result<Vec<ReplicaId>, DecodeError> {
    let mut replicas = Vec::new();
    let mut free = 0_u64;
    for _ in 0..reader.length(1)? {
        let id = free.checked_add(reader.varint()?).ok_or(DecodeError::IdOutOfRange)?;
        let id = u32::try_from(id).map_err(|_| DecodeError::IdOutOfRange)?;
        free = u64::from(id) + 1;
        replicas.push(ReplicaId(id));
    }
    Ok(replicas)
}

fn read_waiting_dot(reader: &mut Reader<'_>, id: Dot) -> Result<Option<Dot>, DecodeError> {
    match reader.varint()? {
        0 => Ok(None),
        1 => {
            let counter = id.counter.checked_sub(reader.varint()?).ok_or(DecodeError::CounterOutOfRange)?;
            Ok(Some(Dot { counter, ..id }))
        }
        replica => {
            let replica = u32::try_from(replica - 2).map_err(|_| DecodeError::IdOutOfRange)?;
            Ok(Some(Dot::new(ReplicaId(replica), reader.varint()?)))
        }
    }
}

/// The operations that wait: insertions still without their texts, which come later.
pub(super) fn read_waiting(reader: &mut Reader<'_>) -> Result<Vec<Result<Untold, Delete>>, DecodeError> {
    let mut waiting = Vec::new();
    let mut free = Dot::new(ReplicaId(0), 1);
    for _ in 0..reader.length(5)? {
        let gap = u32::try_from(reader.varint()?).map_err(|_| DecodeError::IdOutOfRange)?;
        let replica = ReplicaId(free.replica.0.checked_add(gap).ok_or(DecodeError::IdOutOfRange)?);
        let from = if gap == 0 { free.counter } else { 1 };
        let counter = from.checked_add(reader.varint()?).ok_or(DecodeError::CounterOutOfRange)?;
        let id = Dot::new(replica, counter);
        let head = reader.varint()?;
        let dots = if head == 1 {
            let len = reader.varint()?;
            let target = read_waiting_dot(reader, id)?.ok_or(DecodeError::Inapplicable)?;
            waiting.push(Err(Delete { id, target, len }));
            1
        } else {
            let lamport = reader.varint()?;
            let (left, right) = (read_waiting_dot(reader, id)?, read_waiting_dot(reader, id)?);
            waiting.push(Ok(Untold { id, chars: head >> 1, lamport, left, right }));
            head >> 1
        };
        free = Dot { counter: counter.checked_add(dots).ok_or(DecodeError::CounterOutOfRange)?, ..id };
    }
    Ok(waiting)
}
