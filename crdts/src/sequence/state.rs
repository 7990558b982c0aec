//! The text as a lattice: the set of operations, joined by union.
//!
//! What is deliberately absent: a judgement between two contents of one dot. [`Lattice::try_join`] refuses such states; a plain
//! join keeps what was there first.

use std::fmt;

use super::{
    error::ApplyError,
    log::{Body, Log, Run},
    op::Op,
    ordering::Ordering,
    spans::Char,
    text::Text,
    waiting::Unit,
};
use crate::{
    causality::{CausalContext, Dot, DotRange},
    clock::ReplicaId,
    lattice::{JoinError, Lattice},
};

impl<O: Ordering> Text<O> {
    /// The dots of all operations in the set, applied or not.
    pub fn context(&self) -> CausalContext {
        let mut context = CausalContext::default();
        for &slot in self.slots() {
            let next = u64::from(self.logs[slot as usize].next());
            context.insert_range(DotRange::new(self.replicas[slot as usize], 1, next - 1));
        }
        for (dot, len) in self.waiting.ranges() {
            context.insert_range(DotRange::new(dot.replica, dot.counter, dot.counter + (len - 1)));
        }
        context
    }

    /// The operations of the set whose dots are not in `known`, by dot: what to send to a peer with this context, who
    /// [receives](Text::receive) them.
    pub fn ops_since(&self, known: &CausalContext) -> Vec<Op<'static>> {
        let mut ops = Vec::new();
        for range in self.context().difference(known).ranges() {
            self.ops_in(*range, &mut |op| ops.push(op.into_owned()));
        }
        ops
    }

    /// Visits the operations with dots of a range; each dot of the range is in the set.
    fn ops_in(&self, range: DotRange, visit: &mut dyn FnMut(Op<'_>)) {
        let applied_end = self.next(range.replica).min(range.last + 1);
        if let Some(slot) = self.slot(range.replica) {
            let mut counter = range.first;
            while counter < applied_end {
                let op = self.op_at(slot, counter as u32, (applied_end - counter) as u32);
                counter += op.dots();
                visit(op);
            }
        }
        let first = range.first.max(applied_end);
        self.waiting.ops_within(DotRange { first, ..range }, visit);
    }

    /// A state that holds nothing but some of the operations.
    fn of_ranges(&self, ranges: &[DotRange]) -> Self {
        let mut part = Self::new();
        for &range in ranges {
            self.ops_in(range, &mut |op| part.absorb(&op));
        }
        part
    }

    /// Takes an operation from another state into the set. What contradicts it is not taken.
    pub(super) fn absorb(&mut self, op: &Op<'_>) {
        match self.receive(op) {
            Ok(_) => {}
            Err(ApplyError::Conflict { .. }) => self.absorb_units(op),
            Err(_) => debug_assert!(false, "a state holds well-formed operations only"),
        }
    }

    /// As [`Text::absorb`], one dot after the other.
    #[cold]
    fn absorb_units(&mut self, op: &Op<'_>) {
        let Op::Insert(insert) = op else { return };
        for at in 0..op.dots() {
            // A dot with another content is refused, and that is meant.
            let _refused = self.receive(&super::waiting::part(insert, at, 1).into()).is_err();
        }
    }

    /// Applies what `other` has applied of `replica` up to the dot `last`, and before it all that this needs.
    fn catch_up(&mut self, other: &Self, replica: ReplicaId) {
        let mut tasks = vec![(replica, other.next(replica))];
        while let Some(&(replica, end)) = tasks.last() {
            let next = self.next(replica);
            let Some(slot) = other.slot(replica).filter(|_| next < end) else {
                tasks.pop();
                continue;
            };
            let op = other.op_at(slot, next as u32, u32::MAX);
            match self.try_apply(&op) {
                Ok(true) => {}
                Err(ApplyError::Missing { first, count }) if first.counter + count <= other.next(first.replica) => {
                    tasks.push((first.replica, first.counter + count));
                }
                // Only where contents contradict: the caller takes the rest one by one.
                _ => return,
            }
        }
    }

    /// Are the applied operations of both the same for one replica each?
    fn logs_equal(&self, mine: &Log, other: &Self, theirs: &Log) -> bool {
        let same_char = |a: Char, b: Char| {
            a.is_none() && b.is_none() || !a.is_none() && !b.is_none() && self.dot_of(a) == other.dot_of(b)
        };
        let same_run = |(a, b): (&Run, &Run)| {
            a.start == b.start
                && match (a.body, b.body) {
                    (
                        Body::Insert { lamport, left, right, .. },
                        Body::Insert { lamport: lamport_b, left: left_b, right: right_b, .. },
                    ) => lamport == lamport_b && same_char(left, left_b) && same_char(right, right_b),
                    (
                        Body::Delete { target, len, step },
                        Body::Delete { target: target_b, len: len_b, step: step_b },
                    ) => len == len_b && step == step_b && same_char(target, target_b),
                    _ => false,
                }
        };
        mine.next() == theirs.next()
            && mine.runs().len() == theirs.runs().len()
            && mine.text() == theirs.text()
            && mine.runs().iter().zip(theirs.runs()).all(same_run)
    }

    /// Feeds the whole content to a hash.
    pub(super) fn fold_words(&self, word: &mut dyn FnMut(u64)) {
        word(self.slots().len() as u64);
        for &slot in self.slots() {
            let log = &self.logs[slot as usize];
            for value in [u64::from(self.replicas[slot as usize].0), log.runs().len() as u64, u64::from(log.next())] {
                word(value);
            }
            for run in log.runs() {
                word(u64::from(run.start));
                match run.body {
                    Body::Insert { lamport, left, right, .. } => {
                        word(lamport);
                        fold_dot(self.dot(left), word);
                        fold_dot(self.dot(right), word);
                    }
                    Body::Delete { target, len, step } => {
                        // No Lamport time is zero.
                        word(0);
                        fold_dot(self.dot(target), word);
                        word(u64::from(len));
                        word(i64::from(step) as u64);
                    }
                }
            }
            word(log.text().len() as u64);
            for bytes in log.text().as_bytes().chunks(8) {
                let mut padded = [0; 8];
                padded[..bytes.len()].copy_from_slice(bytes);
                word(u64::from_le_bytes(padded));
            }
        }
        for (dot, unit) in self.waiting.units() {
            fold_dot(Some(dot), word);
            match unit {
                Unit::Insert { lamport, left, right, char } => {
                    word(lamport);
                    fold_dot(left, word);
                    fold_dot(right, word);
                    word(u64::from(u32::from(char)));
                }
                Unit::Delete { target, len } => {
                    word(0);
                    fold_dot(Some(target), word);
                    word(len);
                }
            }
        }
    }
}

fn fold_dot(dot: Option<Dot>, word: &mut dyn FnMut(u64)) {
    // No counter is zero.
    word(dot.map_or(0, |dot| dot.counter));
    if let Some(dot) = dot {
        word(u64::from(dot.replica.0));
    }
}

impl<O: Ordering> Default for Text<O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<O: Ordering> PartialEq for Text<O> {
    fn eq(&self, other: &Self) -> bool {
        let same_log = |(&mine, &theirs): (&u32, &u32)| {
            self.replicas[mine as usize] == other.replicas[theirs as usize]
                && self.logs_equal(&self.logs[mine as usize], other, &other.logs[theirs as usize])
        };
        self.slots().len() == other.slots().len()
            && self.slots().iter().zip(other.slots()).all(same_log)
            && self.waiting.units().eq(other.waiting.units())
    }
}

impl<O: Ordering> Eq for Text<O> {}

impl<O: Ordering> fmt::Debug for Text<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut applied = Vec::new();
        for &slot in self.slots() {
            let replica = self.replicas[slot as usize];
            let range = DotRange::new(replica, 1, self.next(replica) - 1);
            self.ops_in(range, &mut |op| applied.push(op.into_owned()));
        }
        write!(f, "{}({:?}, applied: {applied:?}, waiting: {:?})", O::NAME, self.text(), self.waiting.runs())
    }
}

impl<O: Ordering> Lattice for Text<O> {
    fn bottom() -> Self {
        Self::new()
    }

    fn is_bottom(&self) -> bool {
        self.logs.is_empty() && self.waiting.is_empty()
    }

    fn join(&mut self, other: &Self) -> bool {
        if other.is_bottom() {
            return false;
        }
        if self.is_bottom() {
            self.clone_from(other);
            return true;
        }
        let before = self.context();
        let news = other.context().difference(&before);
        for range in news.ranges() {
            self.catch_up(other, range.replica);
        }
        let rest = other.context().difference(&self.context());
        for &range in rest.ranges() {
            other.ops_in(range, &mut |op| self.absorb(&op));
        }
        !news.is_empty()
    }

    fn try_join(&mut self, other: &Self) -> Result<bool, JoinError> {
        let shared = self.context().intersection(&other.context());
        let mut found = None;
        for &range in shared.ranges() {
            other.ops_in(range, &mut |op| found = found.or_else(|| self.other_content(&op)));
        }
        match found {
            Some(dot) => Err(JoinError::Contradiction { dot }),
            None => Ok(self.join(other)),
        }
    }

    fn le(&self, other: &Self) -> bool {
        self.context().difference(&other.context()).is_empty()
    }

    /// One state for each dot.
    fn decompose(&self) -> Vec<Self> {
        let dots = self.context();
        dots.dots().map(|dot| self.of_ranges(&[DotRange::new(dot.replica, dot.counter, dot.counter)])).collect()
    }
}

impl<O: Ordering> Text<O> {
    /// The least state that brings a peer with the dots `known` to at least this one.
    #[must_use]
    pub(super) fn state_since(&self, known: &CausalContext) -> Self {
        if known.is_empty() {
            return self.clone();
        }
        self.of_ranges(self.context().difference(known).ranges())
    }
}
