//! The last-writer-wins register.
//!
//! **State.** The latest write with its time and its replica, and how many effective writes of each replica were seen.
//!
//! **Time.** A write is stamped with a Lamport time (Lamport 1978, CACM 21(7)): one more than the latest that its replica
//! knows. So a write wins over every write that its client could have read, and clocks play no part. Callers who have clocks,
//! and want the later of two concurrent writes to win, give a time themselves ([`LwwRegister::write_at`]).
//!
//! **Why it converges.** Writes are totally ordered by time, then replica, then value, and the greatest of two is their least
//! upper bound. The order goes down to the value because times from outside are not always unique: a replica with a coarse
//! clock writes twice at one time, and an order that stopped at the replica would let each side keep its own value. Beside the
//! write stands a version vector, with its own join. See [`crate::arbitration`] for why an overwritten write still counts as
//! contained (Shapiro et al. 2011, INRIA RR-7506, section 3.2.1).
//!
//! Two replicas in conflict:
//!
//! ```
//! use crdts::{Crdt, Lattice, LwwRegister, ReplicaId, objects::register::RegisterOp::Write};
//!
//! let (mut ours, mut theirs) = (LwwRegister::bottom(), LwwRegister::bottom());
//! ours.update(ReplicaId(1), &Write("tea".to_owned()))?;
//! theirs.update(ReplicaId(2), &Write("coffee".to_owned()))?;
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.value().as_deref(), Some("coffee")); // equal times: the larger replica id decides
//!
//! // Whoever has seen a write overwrites it.
//! ours.update(ReplicaId(1), &Write("water".to_owned()))?;
//! theirs.join(&ours);
//! assert_eq!(theirs.value().as_deref(), Some("water"));
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: a clock of its own, and concurrent values. Of two concurrent writes one is lost without a trace;
//! where that matters, the multi-value register keeps both.

use std::{cmp::Ordering, marker::PhantomData};

use crate::{
    arbitration::{
        lamport_times,
        single::{Rule, Single, Write},
    },
    atom::Atom,
    causality::{CausalSpec, Event, Specify},
    clock::ReplicaId,
    lattice::UpdateError,
    objects::register::{Register, RegisterOp},
};

/// A register in which the last write wins. See the [module documentation](self) for the argument and an example.
pub type LwwRegister<V> = Single<Latest<V>>;

/// The rule of [`LwwRegister`]: the latest write wins.
#[derive(Debug)]
pub struct Latest<V>(PhantomData<V>);

impl<V: Atom> Rule for Latest<V> {
    type Value = V;
    type Stamp = u64;
    type Object = Register<V>;

    const NAME: &'static str = "lww-register";
    const SPECIFICATION: Option<Specify<Register<V>>> = Some(LwwRegister::<V>::specify);

    fn order(a: &Write<u64, V>, b: &Write<u64, V>) -> Ordering {
        (a.stamp, a.replica, &a.value).cmp(&(b.stamp, b.replica, &b.value))
    }

    /// Refused once the largest time was used: nothing could be later.
    fn stamp(winner: Option<&Write<u64, V>>) -> Result<u64, UpdateError> {
        winner.map_or(0, |winner| winner.stamp).checked_add(1).ok_or(UpdateError::Overflow)
    }
}

/// What the write with the latest Lamport time wrote; of equally late ones, that of the larger replica id.
impl<V: Atom> CausalSpec for LwwRegister<V> {
    fn specify(history: &[Event<RegisterOp<V>>]) -> Option<V> {
        let times = lamport_times(history, |_, _| true);
        let latest = history.iter().max_by_key(|event| (times.get(&event.dot), event.dot.replica))?;
        match &latest.op {
            RegisterOp::Write(value) => Some(value.clone()),
            RegisterOp::Read => None,
        }
    }
}

impl<V: Atom> LwwRegister<V> {
    /// Writes at a time of the caller's choice, in any unit, and returns the delta. If a write is known that is later (or as
    /// late, and wins by replica or value), this one has lost already: nothing changes, and the delta is bottom.
    ///
    /// A time that is far ahead wins over all honest writes until their times catch up. Bound what you accept.
    ///
    /// ```
    /// use crdts::{Crdt, Lattice, LwwRegister, ReplicaId};
    ///
    /// let mut register = LwwRegister::bottom();
    /// register.write_at(ReplicaId(1), 1_700_000_000, 'a')?;
    /// assert!(register.write_at(ReplicaId(2), 1_600_000_000, 'b')?.is_bottom());
    /// // One replica, one time, two values: the larger one, whatever the order of arrival.
    /// register.write_at(ReplicaId(1), 1_700_000_000, 'c')?;
    /// assert!(register.write_at(ReplicaId(1), 1_700_000_000, 'b')?.is_bottom());
    /// assert_eq!(register.value(), Some('c'));
    /// # Ok::<(), crdts::UpdateError>(())
    /// ```
    pub fn write_at(&mut self, replica: ReplicaId, time: u64, value: V) -> Result<Self, UpdateError> {
        self.put(Write { stamp: time, replica, value })
    }

    /// The time of the latest write; zero before the first.
    pub fn time(&self) -> u64 {
        self.winner().map_or(0, |winner| winner.stamp)
    }
}
