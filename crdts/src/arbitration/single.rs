//! One place: registers in which one write wins.
//!
//! Invariant: the winner's replica is among those seen, and no write of a replica is less than an earlier write of the same
//! replica, since a write that does not beat what its replica knows takes no effect. So the winner is always the last of its
//! replica's writes that were seen, the delta of a write speaks for all earlier writes of its replica, and a version vector
//! without gaps says exactly what a state contains.
//!
//! ```
//! use crdts::{Crdt, Lattice, LwwRegister, ReplicaId, objects::register::RegisterOp::Write};
//!
//! let mut register = LwwRegister::bottom();
//! register.update(ReplicaId(1), &Write("a".to_owned()))?;
//! register.update(ReplicaId(1), &Write("b".to_owned()))?;
//! let winner = register.winner().expect("something was written");
//! assert_eq!((winner.stamp, winner.replica, winner.value.as_str()), (2, ReplicaId(1), "b"));
//! assert_eq!(register.seen().get(ReplicaId(1)), 2);
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: losers. What was overwritten cannot be read any more.

use std::{cmp::Ordering, fmt::Debug, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    atom::Atom,
    causality::{Dot, Specify, VersionVector},
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION, varint_bytes, write_varint},
    lattice::{Crdt, JoinError, Lattice, Update, UpdateError, Weight},
    object::Object,
    objects::register::{RegisterOp, RegisterRet},
};

/// What distinguishes one register from another: its order of writes.
pub trait Rule: 'static {
    /// What is written.
    type Value: Atom;
    /// What a write carries besides, for the order; `()` for nothing.
    type Stamp: Atom;
    /// What clients see.
    type Object: Object<Op = RegisterOp<Self::Value>, Ret = RegisterRet<Self::Value>, State = Option<Self::Value>>;

    /// The name in scenarios and reports, for example `lww-register`.
    const NAME: &'static str;

    /// See [`Crdt::SPECIFICATION`].
    const SPECIFICATION: Option<Specify<Self::Object>> = None;

    /// The order of writes. Only equal writes are equal.
    fn order(a: &WriteOf<Self>, b: &WriteOf<Self>) -> Ordering;

    /// Does a new write take effect where `winner` is known? If so, it is greater.
    fn takes_effect(new: &WriteOf<Self>, winner: &WriteOf<Self>) -> bool {
        Self::order(new, winner).is_gt()
    }

    /// The stamp of a write at a replica that knows `winner`.
    fn stamp(winner: Option<&WriteOf<Self>>) -> Result<Self::Stamp, UpdateError>;
}

/// A write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write<S, V> {
    /// What the order needs besides replica and value.
    pub stamp: S,
    /// Who wrote.
    pub replica: ReplicaId,
    /// What was written.
    pub value: V,
}

/// A write to the register of a rule.
pub type WriteOf<R> = Write<<R as Rule>::Stamp, <R as Rule>::Value>;

impl<S: Atom, V: Atom> Write<S, V> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.stamp.encode(out);
        write_varint(out, u64::from(self.replica.0));
        self.value.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let stamp = S::decode(reader)?;
        let replica = u32::try_from(reader.varint()?).map_err(|_| DecodeError::IdOutOfRange)?;
        Ok(Self { stamp, replica: ReplicaId(replica), value: V::decode(reader)? })
    }
}

/// A register in which one write wins. See the [module documentation](self).
pub struct Single<R: Rule> {
    seen: VersionVector,
    winner: Option<WriteOf<R>>,
    rule: PhantomData<fn() -> R>,
}

impl<R: Rule> Single<R> {
    fn new(seen: VersionVector, winner: Option<WriteOf<R>>) -> Self {
        Self { seen, winner, rule: PhantomData }
    }

    /// A state whose winner is among what it has seen, or else nothing.
    fn checked(seen: VersionVector, winner: Option<WriteOf<R>>) -> Option<Self> {
        let known = winner.as_ref().is_none_or(|winner| seen.get(winner.replica) > 0);
        known.then(|| Self::new(seen, winner))
    }

    /// The write that wins, if anything was written.
    #[inline]
    pub fn winner(&self) -> Option<&WriteOf<R>> {
        self.winner.as_ref()
    }

    /// The value, if anything was written.
    #[inline]
    pub fn get(&self) -> Option<&R::Value> {
        self.winner.as_ref().map(|winner| &winner.value)
    }

    /// How many writes of each replica this state contains. Writes without effect are not counted.
    #[inline]
    pub fn seen(&self) -> &VersionVector {
        &self.seen
    }

    /// Performs a write, if it takes effect, and returns its delta, which otherwise is bottom.
    pub(crate) fn put(&mut self, write: WriteOf<R>) -> Result<Self, UpdateError> {
        if self.winner.as_ref().is_some_and(|winner| !R::takes_effect(&write, winner)) {
            return Ok(Self::default());
        }
        let replica = write.replica;
        let counter = self.seen.get(replica).checked_add(1).ok_or(UpdateError::Overflow)?;
        self.seen.raise(replica, counter);
        self.winner = Some(write.clone());
        Ok(Self::new([(replica, counter)].into_iter().collect(), Some(write)))
    }

    /// The part of the winner, if `known` does not have it.
    fn winner_beyond(&self, known: &VersionVector) -> Option<&WriteOf<R>> {
        self.winner.as_ref().filter(|winner| self.seen.get(winner.replica) > known.get(winner.replica))
    }

    /// A write of this state that `other` claims to contain, and does not.
    fn denied_by(&self, other: &Self) -> Option<Dot> {
        let (winner, theirs) = (self.winner.as_ref()?, other.winner.as_ref()?);
        let counter = self.seen.get(winner.replica);
        let denied = other.seen.get(winner.replica) >= counter && R::order(theirs, winner).is_lt();
        denied.then_some(Dot::new(winner.replica, counter))
    }
}

impl<R: Rule> Clone for Single<R> {
    fn clone(&self) -> Self {
        Self::new(self.seen.clone(), self.winner.clone())
    }
}

impl<R: Rule> PartialEq for Single<R> {
    fn eq(&self, other: &Self) -> bool {
        self.seen == other.seen && self.winner == other.winner
    }
}

impl<R: Rule> Eq for Single<R> {}

impl<R: Rule> Default for Single<R> {
    fn default() -> Self {
        Self::new(VersionVector::default(), None)
    }
}

impl<R: Rule> Debug for Single<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(R::NAME).field("seen", &self.seen).field("winner", &self.winner).finish()
    }
}

impl<R: Rule> Lattice for Single<R> {
    fn bottom() -> Self {
        Self::default()
    }

    #[inline]
    fn is_bottom(&self) -> bool {
        self.seen.is_bottom() && self.winner.is_none()
    }

    fn join(&mut self, other: &Self) -> bool {
        let grew = self.seen.join(&other.seen);
        let Some(theirs) = &other.winner else { return grew };
        match &mut self.winner {
            Some(winner) if R::order(theirs, winner).is_le() => return grew,
            Some(winner) => winner.clone_from(theirs),
            none => *none = Some(theirs.clone()),
        }
        true
    }

    /// Refuses a state that claims to contain a write and holds a lesser one.
    fn try_join(&mut self, other: &Self) -> Result<bool, JoinError> {
        match self.denied_by(other).or_else(|| other.denied_by(self)) {
            Some(dot) => Err(JoinError::Contradiction { dot }),
            None => Ok(self.join(other)),
        }
    }

    fn le(&self, other: &Self) -> bool {
        let wins = |winner| other.winner.as_ref().is_some_and(|theirs| R::order(winner, theirs).is_le());
        Lattice::le(&self.seen, &other.seen) && self.winner.as_ref().is_none_or(wins)
    }

    /// One state for each replica that was seen, the winner's with the winner.
    fn decompose(&self) -> Vec<Self> {
        let of = |replica| self.winner.clone().filter(|winner| winner.replica == replica);
        self.seen
            .iter()
            .map(|(replica, counter)| Self::new([(replica, counter)].into_iter().collect(), of(replica)))
            .collect()
    }
}

impl<R: Rule> Crdt for Single<R> {
    type Object = R::Object;

    /// What has been seen.
    type Digest = VersionVector;

    const NAME: &'static str = R::NAME;
    const SPECIFICATION: Option<Specify<R::Object>> = R::SPECIFICATION;

    fn update(
        &mut self,
        replica: ReplicaId,
        op: &RegisterOp<R::Value>,
    ) -> Result<Update<RegisterRet<R::Value>, Self>, UpdateError> {
        match op {
            RegisterOp::Read => Ok(Update { ret: RegisterRet::Value(self.value()), delta: Self::default() }),
            RegisterOp::Write(value) => {
                let stamp = R::stamp(self.winner.as_ref())?;
                let delta = self.put(Write { stamp, replica, value: value.clone() })?;
                Ok(Update { ret: RegisterRet::Written, delta })
            }
        }
    }

    fn value(&self) -> Option<R::Value> {
        self.get().cloned()
    }

    fn digest(&self) -> VersionVector {
        self.seen.clone()
    }

    fn delta_since(&self, digest: &VersionVector) -> Self {
        let news = self.seen.iter().filter(|&(replica, counter)| counter > digest.get(replica));
        Self::new(news.collect(), self.winner_beyond(digest).cloned())
    }

    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        for (replica, counter) in self.seen.iter() {
            visit(replica, counter);
        }
    }

    fn fold(&self, mut word: impl FnMut(u64)) {
        word(self.seen.iter().len() as u64);
        Self::fold_digest(&self.seen, &mut word);
        if let Some(Write { stamp, replica, value }) = &self.winner {
            stamp.fold(&mut word);
            word(u64::from(replica.0));
            value.fold(&mut word);
        }
    }

    fn weight(&self) -> Weight {
        // The version, and whether there is a winner.
        let mut weight = Weight { metadata_bytes: 2 + self.seen.encoded_bytes(), ..Weight::default() };
        if let Some(Write { stamp, replica, value }) = &self.winner {
            weight.metadata_bytes += stamp.encoded_bytes() + varint_bytes(u64::from(replica.0));
            weight.payload_bytes += value.encoded_bytes();
        }
        weight
    }

    fn digest_bytes(digest: &VersionVector) -> u64 {
        1 + digest.encoded_bytes()
    }

    fn fold_digest(digest: &VersionVector, mut word: impl FnMut(u64)) {
        for (replica, counter) in digest.iter() {
            word(u64::from(replica.0));
            word(counter);
        }
    }
}

impl<R: Rule> Encode for Single<R> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.seen.encode_body(out);
        out.push(u8::from(self.winner.is_some()));
        if let Some(winner) = &self.winner {
            winner.encode(out);
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let seen = VersionVector::decode_body(&mut reader)?;
        let winner = if bool::decode(&mut reader)? { Some(Write::decode(&mut reader)?) } else { None };
        reader.finish()?;
        Self::checked(seen, winner).ok_or(DecodeError::DotWithoutContext)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<S, V> {
    seen: VersionVector,
    winner: Option<Write<S, V>>,
}

impl<R: Rule<Stamp: Serialize, Value: Serialize>> Serialize for Single<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form { seen: self.seen.clone(), winner: self.winner.clone() }.serialize(serializer)
    }
}

impl<'de, R: Rule<Stamp: Deserialize<'de>, Value: Deserialize<'de>>> Deserialize<'de> for Single<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Form { seen, winner } = Form::deserialize(deserializer)?;
        Self::checked(seen, winner).ok_or_else(|| D::Error::custom("the winner's replica was not seen"))
    }
}
