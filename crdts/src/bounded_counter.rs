//! The bounded counter: subtractions without coordination, and a value that never falls below zero.
//!
//! **State.** For every replica that has written, one *row*: how many updates it has made, what it has gained (its additions),
//! what it has spent (its subtractions), and what it has given to each other replica. Only the replica itself writes its row.
//! The rows are the matrix of rights of Balegas et al. 2015 (arXiv 1503.09052, section 3.1), without its zeros. A replica's
//! *rights* are what it gained and was given, less what it spent and gave. It subtracts and gives only within its rights;
//! whoever lacks rights asks a replica that has them to transfer some. The value is the sum of all that was gained less all
//! that was spent.
//!
//! **Why it converges.** The rows of one replica are totally ordered, by its number of updates first, and functions from
//! replicas to totally ordered rows form a lattice whose join takes the larger row of each replica. An update replaces its
//! replica's row by one with one more update, so it inflates the state.
//!
//! **Why it stays at zero or above.** Call a state *covered* if no replica's rights are negative in it; the value, which is
//! the sum of all rights, is then at least zero. Joins preserve it: take a replica's row from the side that it comes from.
//! There it was covered by what others had given, and what others have given only grows. Updates preserve it: a replica uses
//! only rights that it has. And so do deltas, in whatever order they arrive and however many are lost, since a delta is
//! itself covered: with the row of a replica that has used rights come the rows of those who gave it some, and of those who
//! gave to them. No causal delivery is assumed. The price is a delta of several rows for a replica that lives on gifts.
//!
//! Two replicas in conflict over the last three seats:
//!
//! ```
//! use crdts::{BoundedCounter, Crdt, Lattice, ReplicaId, UpdateError, objects::bounded_counter::BoundedOp::*};
//!
//! let (one, two) = (ReplicaId(1), ReplicaId(2));
//! let (mut ours, mut theirs) = (BoundedCounter::bottom(), BoundedCounter::bottom());
//! ours.update(one, &Increment(3))?;
//! ours.update(one, &Transfer { to: two, amount: 1 })?;
//! theirs.join(&ours);
//!
//! theirs.update(two, &Decrement(1))?;
//! let refused = theirs.update(two, &Decrement(1));
//! assert_eq!(refused, Err(UpdateError::InsufficientRights { available: 0, requested: 1 }));
//! ours.update(one, &Decrement(2))?;
//! ours.join(&theirs);
//! theirs.join(&ours);
//! assert_eq!(ours, theirs);
//! assert_eq!(ours.value(), 0);
//! # Ok::<(), UpdateError>(())
//! ```
//!
//! What is deliberately absent: asking for rights. Which replica to ask, and when, is up to the protocol; the counter says who
//! has how many. A bound other than zero is a matter of where one counts from.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    causality::{CausalSpec, Dot, Event, VersionVector},
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION, varint_bytes, write_varint},
    entries::Entries,
    lattice::{Crdt, JoinError, Lattice, Update, UpdateError, Weight},
    objects::bounded_counter::{Bounded, BoundedOp, BoundedRet},
};

/// What one replica has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    replica: ReplicaId,
    /// The number of its updates, at least 1.
    updates: u64,
    gained: u64,
    spent: u64,
    /// What others were given; never the replica itself.
    given: Entries,
}

impl Row {
    fn new(replica: ReplicaId) -> Self {
        Self { replica, updates: 0, gained: 0, spent: 0, given: Entries::EMPTY }
    }

    /// Has the replica used rights, its own or those of others?
    fn uses(&self) -> bool {
        self.spent > 0 || !self.given.is_empty()
    }

    /// What the replica keeps of its own: negative if it has used what others gave.
    fn kept(&self) -> i128 {
        i128::from(self.gained) - i128::from(self.spent) - self.given.total()
    }

    /// Later rows of a replica have more updates. Rows with equally many are equal, unless an id was used twice; for that
    /// case the order goes on.
    fn age(&self, other: &Self) -> Ordering {
        let head = |row: &Self| (row.updates, row.gained, row.spent);
        head(self).cmp(&head(other)).then_with(|| self.given.iter().cmp(other.given.iter()))
    }

    /// Can this row have become `later`?
    fn precedes(&self, later: &Self) -> bool {
        match self.updates.cmp(&later.updates) {
            Ordering::Less => self.gained <= later.gained && self.spent <= later.spent && self.given.le(&later.given),
            Ordering::Equal => self == later,
            Ordering::Greater => false,
        }
    }

    fn is_valid(&self) -> bool {
        self.updates > 0 && self.given.get(self.replica) == 0
    }
}

/// A counter that never falls below zero. See the [module documentation](self) for the argument and an example.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundedCounter {
    /// One for each replica that has written, ascending.
    rows: Vec<Row>,
}

impl BoundedCounter {
    /// All that was gained less all that was spent, exactly. In a state that was put together from parts, and lacks some,
    /// it is shown as zero when it is below.
    pub fn total(&self) -> i128 {
        let total: i128 = self.rows.iter().map(|row| i128::from(row.gained) - i128::from(row.spent)).sum();
        total.max(0)
    }

    /// What a replica may still subtract or give, as far as this state knows. What others have given it lately may be
    /// missing, what it has used itself is missing only at other replicas.
    pub fn rights(&self, replica: ReplicaId) -> i128 {
        let received: i128 = self.rows.iter().map(|row| i128::from(row.given.get(replica))).sum();
        self.row(replica).map_or(0, Row::kept) + received
    }

    /// The replicas that have written, ascending.
    pub fn writers(&self) -> impl ExactSizeIterator<Item = ReplicaId> + '_ {
        self.rows.iter().map(|row| row.replica)
    }

    fn find(&self, replica: ReplicaId) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&replica, |row| row.replica)
    }

    fn row(&self, replica: ReplicaId) -> Option<&Row> {
        self.find(replica).ok().map(|at| &self.rows[at])
    }

    fn put(&mut self, row: Row) {
        match self.find(row.replica) {
            Ok(at) => self.rows[at] = row,
            Err(at) => self.rows.insert(at, row),
        }
    }

    /// Makes `change` to the row of `replica`, as one update.
    fn write(
        &mut self,
        replica: ReplicaId,
        change: impl FnOnce(&mut Row) -> Option<()>,
    ) -> Result<Update<BoundedRet, Self>, UpdateError> {
        let mut row = self.row(replica).cloned().unwrap_or_else(|| Row::new(replica));
        row.updates = row.updates.checked_add(1).ok_or(UpdateError::Overflow)?;
        change(&mut row).ok_or(UpdateError::Overflow)?;
        self.put(row);
        Ok(Update { ret: BoundedRet::Done, delta: self.covered(replica) })
    }

    /// Are there `requested` rights for `replica` to use?
    fn require(&self, replica: ReplicaId, requested: u64) -> Result<(), UpdateError> {
        let available = self.rights(replica);
        if available < i128::from(requested) {
            return Err(UpdateError::InsufficientRights { available, requested });
        }
        Ok(())
    }

    /// The row of `replica`, with rows that cover it. Those of all who gave are taken, whether or not their gifts are still
    /// needed, so that the delta of a later update contains that of an earlier one.
    fn covered(&self, replica: ReplicaId) -> Self {
        let mut part = Self::default();
        let mut wanted = vec![replica];
        while let Some(next) = wanted.pop() {
            let Some(row) = self.row(next).filter(|_| part.find(next).is_err()) else { continue };
            if row.uses() {
                wanted.extend(self.rows.iter().filter(|other| other.given.get(next) > 0).map(|other| other.replica));
            }
            part.put(row.clone());
        }
        part
    }

    /// Joins rows of which some belong to replicas that are not here.
    fn merge(&mut self, other: &Self) {
        let mut rows = Vec::with_capacity(self.rows.len() + other.rows.len());
        let mut theirs = other.rows.iter().peekable();
        for mine in self.rows.drain(..) {
            while let Some(row) = theirs.next_if(|row| row.replica < mine.replica) {
                rows.push(row.clone());
            }
            let later = theirs.next_if(|row| row.replica == mine.replica).filter(|row| mine.age(row).is_lt());
            rows.push(later.cloned().unwrap_or(mine));
        }
        rows.extend(theirs.cloned());
        self.rows = rows;
    }

    fn from_rows(rows: Vec<Row>) -> Option<Self> {
        let valid = rows.is_sorted_by(|a, b| a.replica < b.replica) && rows.iter().all(Row::is_valid);
        valid.then_some(Self { rows })
    }
}

impl Lattice for BoundedCounter {
    fn bottom() -> Self {
        Self::default()
    }

    #[inline]
    fn is_bottom(&self) -> bool {
        self.rows.is_empty()
    }

    fn join(&mut self, other: &Self) -> bool {
        let (mut grew, mut at) = (false, 0);
        for row in &other.rows {
            while self.rows.get(at).is_some_and(|mine| mine.replica < row.replica) {
                at += 1;
            }
            let Some(mine) = self.rows.get_mut(at).filter(|mine| mine.replica == row.replica) else {
                self.merge(other);
                return true;
            };
            if mine.age(row).is_lt() {
                mine.clone_from(row);
                grew = true;
            }
        }
        grew
    }

    /// Refuses rows that cannot both belong to one line of updates.
    fn try_join(&mut self, other: &Self) -> Result<bool, JoinError> {
        for row in &other.rows {
            if let Some(mine) = self.row(row.replica)
                && !mine.precedes(row)
                && !row.precedes(mine)
            {
                let dot = Dot::new(row.replica, mine.updates.min(row.updates));
                return Err(JoinError::Contradiction { dot });
            }
        }
        Ok(self.join(other))
    }

    fn le(&self, other: &Self) -> bool {
        self.rows.iter().all(|row| other.row(row.replica).is_some_and(|later| row.age(later).is_le()))
    }

    /// One state for each row.
    fn decompose(&self) -> Vec<Self> {
        self.rows.iter().map(|row| Self { rows: vec![row.clone()] }).collect()
    }
}

impl Crdt for BoundedCounter {
    type Object = Bounded;

    /// How many updates of each replica are known: a row is as good as its number.
    type Digest = VersionVector;

    const NAME: &'static str = "bounded-counter";

    /// Subtracts and transfers within the replica's rights; otherwise the error says how many there are. A transfer to itself
    /// is no update.
    fn update(&mut self, replica: ReplicaId, op: &BoundedOp) -> Result<Update<BoundedRet, Self>, UpdateError> {
        let unchanged = |ret| Ok(Update { ret, delta: Self::default() });
        match *op {
            BoundedOp::Read => unchanged(BoundedRet::Value(self.total())),
            BoundedOp::Increment(0) | BoundedOp::Decrement(0) | BoundedOp::Transfer { amount: 0, .. } => {
                unchanged(BoundedRet::Done)
            }
            BoundedOp::Increment(amount) => {
                self.write(replica, |row| row.gained.checked_add(amount).map(|gained| row.gained = gained))
            }
            BoundedOp::Decrement(amount) => {
                self.require(replica, amount)?;
                self.write(replica, |row| row.spent.checked_add(amount).map(|spent| row.spent = spent))
            }
            BoundedOp::Transfer { to, amount } => {
                self.require(replica, amount)?;
                if to == replica {
                    return unchanged(BoundedRet::Done);
                }
                self.write(replica, |row| row.given.get(to).checked_add(amount).map(|given| row.given.raise(to, given)))
            }
        }
    }

    fn value(&self) -> i128 {
        self.total()
    }

    fn digest(&self) -> VersionVector {
        self.rows.iter().map(|row| (row.replica, row.updates)).collect()
    }

    fn delta_since(&self, digest: &VersionVector) -> Self {
        let news = self.rows.iter().filter(|row| row.updates > digest.get(row.replica));
        Self { rows: news.cloned().collect() }
    }

    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        for row in &self.rows {
            visit(row.replica, row.updates);
        }
    }

    fn fold(&self, mut word: impl FnMut(u64)) {
        for row in &self.rows {
            for content in [u64::from(row.replica.0), row.updates, row.gained, row.spent, row.given.len() as u64] {
                word(content);
            }
            for (to, amount) in row.given.iter() {
                word(u64::from(to.0));
                word(amount);
            }
        }
    }

    fn weight(&self) -> Weight {
        let mut weight = Weight { metadata_bytes: 1 + varint_bytes(self.rows.len() as u64), ..Weight::default() };
        let mut next = 0;
        for row in &self.rows {
            let given = row.given.weight();
            weight.metadata_bytes += varint_bytes(u64::from(row.replica.0) - next) + varint_bytes(row.updates);
            weight.metadata_bytes += given.metadata_bytes + given.payload_bytes;
            weight.payload_bytes += varint_bytes(row.gained) + varint_bytes(row.spent);
            next = u64::from(row.replica.0) + 1;
        }
        weight
    }

    fn digest_bytes(digest: &VersionVector) -> u64 {
        1 + digest.encoded_bytes()
    }

    fn fold_digest(digest: &VersionVector, mut word: impl FnMut(u64)) {
        for (replica, updates) in digest.iter() {
            word(u64::from(replica.0));
            word(updates);
        }
    }
}

/// All that was added less all that was subtracted, whoever had the rights.
impl CausalSpec for BoundedCounter {
    fn specify(history: &[Event<BoundedOp>]) -> i128 {
        let amounts = history.iter().map(|event| match event.op {
            BoundedOp::Increment(amount) => i128::from(amount),
            BoundedOp::Decrement(amount) => -i128::from(amount),
            BoundedOp::Transfer { .. } | BoundedOp::Read => 0,
        });
        amounts.sum()
    }
}

/// The number of rows, then for each the distance of its id from the id before, its numbers, and what it gave.
impl Encode for BoundedCounter {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        write_varint(out, self.rows.len() as u64);
        let mut next = 0;
        for row in &self.rows {
            for number in [u64::from(row.replica.0) - next, row.updates, row.gained, row.spent] {
                write_varint(out, number);
            }
            row.given.encode(out);
            next = u64::from(row.replica.0) + 1;
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let (mut rows, mut next) = (Vec::new(), 0_u64);
        for _ in 0..reader.length(5)? {
            let id = next.checked_add(reader.varint()?).ok_or(DecodeError::IdOutOfRange)?;
            let replica = ReplicaId(u32::try_from(id).map_err(|_| DecodeError::IdOutOfRange)?);
            let (updates, gained, spent) = (reader.varint()?, reader.varint()?, reader.varint()?);
            let row = Row { replica, updates, gained, spent, given: Entries::decode(&mut reader)? };
            if row.updates == 0 {
                return Err(DecodeError::ZeroCount);
            }
            if !row.is_valid() {
                return Err(DecodeError::GivenToItself);
            }
            rows.push(row);
            next = id + 1;
        }
        reader.finish()?;
        Ok(Self { rows })
    }
}

impl Serialize for BoundedCounter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.rows)
    }
}

impl<'de> Deserialize<'de> for BoundedCounter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reason = "rows ascend by replica, count at least one update, and give nothing to their own replica";
        Self::from_rows(Vec::deserialize(deserializer)?).ok_or_else(|| D::Error::custom(reason))
    }
}
