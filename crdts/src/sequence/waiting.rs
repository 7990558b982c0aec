//! Operations that are known but cannot be applied yet.
//!
//! Invariant: the held operations share no dot with each other or with what has been applied. How characters are grouped
//! into held operations is history, so equality looks at single characters ([`Waiting::units`]).
//!
//! What is deliberately absent: any judgement whether an operation can be applied ([`super::text`]).

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::op::{Delete, Insert, Op};
use crate::{
    causality::{Dot, DotRange},
    clock::ReplicaId,
};

#[derive(Clone, Debug)]
enum Held {
    Insert { len: u64, lamport: u64, left: Option<Dot>, right: Option<Dot>, text: Box<str> },
    Delete { target: Dot, len: u64 },
}

impl Held {
    const fn dots(&self) -> u64 {
        match self {
            Self::Insert { len, .. } => *len,
            Self::Delete { .. } => 1,
        }
    }

    fn op(&self, id: Dot) -> Op<'_> {
        match *self {
            Self::Insert { lamport, left, right, ref text, .. } => {
                Insert { id, lamport, left, right, text: Cow::Borrowed(text) }.into()
            }
            Self::Delete { target, len } => Delete { id, target, len }.into(),
        }
    }
}

/// What one dot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Insert { lamport: u64, left: Option<Dot>, right: Option<Dot>, char: char },
    Delete { target: Dot, len: u64 },
}

/// Held operations, and which replica waits for which dot.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    held: BTreeMap<Dot, Held>,
    /// The first held operation of a replica needs this dot.
    watched: BTreeSet<(Dot, ReplicaId)>,
}

/// The part of an insertion from its character `from` on, up to `len` characters.
pub(super) fn part<'a>(insert: &'a Insert<'_>, from: u64, len: u64) -> Insert<'a> {
    let mut starts = insert.text.char_indices().map(|(byte, _)| byte);
    let begin = if from == 0 { Some(0) } else { starts.by_ref().nth(from as usize) };
    let begin = begin.unwrap_or(insert.text.len());
    let rest = &insert.text[begin..];
    let end = rest.char_indices().nth(len as usize).map_or(rest.len(), |(byte, _)| byte);
    let id = Dot { counter: insert.id.counter + from, ..insert.id };
    Insert {
        id,
        lamport: insert.lamport + from,
        left: if from == 0 { insert.left } else { Some(Dot { counter: id.counter - 1, ..id }) },
        right: insert.right,
        text: Cow::Borrowed(&rest[..end]),
    }
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Self { held: BTreeMap::new(), watched: BTreeSet::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds the dots of a well-formed operation that are not held yet. Were there any?
    pub(super) fn hold(&mut self, op: &Op<'_>) -> bool {
        match op {
            Op::Delete(delete) => {
                let new = !self.contains(delete.id);
                if new {
                    self.held.insert(delete.id, Held::Delete { target: delete.target, len: delete.len });
                }
                new
            }
            Op::Insert(insert) => {
                let dots = op.dots();
                let (mut from, mut grew) = (0, false);
                while from < dots {
                    let at = Dot { counter: insert.id.counter + from, ..insert.id };
                    if let Some((held, known)) = self.covering(at) {
                        from += known.dots() - (at.counter - held.counter);
                        continue;
                    }
                    let following = self.held.range(at..).next().filter(|(dot, _)| dot.replica == at.replica);
                    let len = following.map_or(dots - from, |(dot, _)| (dot.counter - at.counter).min(dots - from));
                    let Insert { id, lamport, left, right, text } = part(insert, from, len);
                    self.held.insert(id, Held::Insert { len, lamport, left, right, text: text.into() });
                    (from, grew) = (from + len, true);
                }
                grew
            }
        }
    }

    fn covering(&self, dot: Dot) -> Option<(Dot, &Held)> {
        let (&id, held) = self.held.range(..=dot).next_back()?;
        let covers = id.replica == dot.replica && dot.counter - id.counter < held.dots();
        covers.then_some((id, held))
    }

    pub(super) fn contains(&self, dot: Dot) -> bool {
        self.covering(dot).is_some()
    }

    /// What a held dot does.
    pub(super) fn unit(&self, dot: Dot) -> Option<Unit> {
        let (id, held) = self.covering(dot)?;
        units(&held.op(id), dot.counter - id.counter).next().map(|(_, unit)| unit)
    }

    /// The dot of the first held operation of a replica.
    pub(super) fn first(&self, replica: ReplicaId) -> Option<Dot> {
        let found = self.held.range(Dot::new(replica, 0)..).next();
        found.map(|(&dot, _)| dot).filter(|dot| dot.replica == replica)
    }

    /// Takes a held operation out.
    pub(super) fn take(&mut self, dot: Dot) -> Option<Op<'static>> {
        Some(match self.held.remove(&dot)? {
            Held::Insert { lamport, left, right, text, .. } => {
                Insert { id: dot, lamport, left, right, text: Cow::Owned(text.into()) }.into()
            }
            Held::Delete { target, len } => Delete { id: dot, target, len }.into(),
        })
    }

    /// Wakes `replica` when `dot` has been applied.
    pub(super) fn watch(&mut self, dot: Dot, replica: ReplicaId) {
        self.watched.insert((dot, replica));
    }

    /// The replicas to wake now that the dots of `applied` below `next` are there.
    pub(super) fn wake(&mut self, applied: ReplicaId, next: u64, woken: &mut Vec<ReplicaId>) {
        while let Some(&(dot, replica)) = self.watched.range((Dot::new(applied, 0), ReplicaId(0))..).next() {
            if dot.replica != applied || dot.counter >= next {
                return;
            }
            self.watched.remove(&(dot, replica));
            woken.push(replica);
        }
    }

    /// Visits the held operations with dots of a range, cut to it.
    pub(super) fn ops_within(&self, range: DotRange, visit: &mut dyn FnMut(Op<'_>)) {
        let mut at = range.first;
        while at <= range.last {
            let from = Dot::new(range.replica, at);
            let found = self.covering(from).or_else(|| self.held.range(from..).next().map(|(&id, held)| (id, held)));
            let Some((id, held)) = found.filter(|(id, _)| id.replica == range.replica && id.counter <= range.last)
            else {
                return;
            };
            let skipped = at.saturating_sub(id.counter);
            let len = (held.dots() - skipped).min(range.last - id.counter - skipped + 1);
            match held.op(id) {
                Op::Insert(insert) => visit(part(&insert, skipped, len).into()),
                delete @ Op::Delete(_) => visit(delete),
            }
            at = id.counter + skipped + len;
        }
    }

    /// Held dots in maximal ranges: the first, and how many.
    pub(super) fn ranges(&self) -> Vec<(Dot, u64)> {
        let mut ranges: Vec<(Dot, u64)> = Vec::new();
        for (&dot, held) in &self.held {
            match ranges.last_mut() {
                Some((first, len)) if first.replica == dot.replica && dot.counter - first.counter == *len => {
                    *len += held.dots();
                }
                _ => ranges.push((dot, held.dots())),
            }
        }
        ranges
    }

    /// Every held dot with what it does.
    pub(super) fn units(&self) -> impl Iterator<Item = (Dot, Unit)> {
        self.held.iter().flat_map(|(&id, held)| {
            let op = held.op(id);
            units(&op, 0).collect::<Vec<_>>()
        })
    }

    /// The held operations in their canonical grouping: maximal runs.
    pub(super) fn runs(&self) -> Vec<Op<'static>> {
        let mut runs: Vec<Op<'static>> = Vec::new();
        let mut last = Dot::new(ReplicaId(0), 0);
        let mut lamport_last = 0;
        for (&id, held) in &self.held {
            let next = held.op(id);
            let dots = held.dots();
            if let (Some(Op::Insert(run)), Op::Insert(more)) = (runs.last_mut(), &next) {
                let adjacent = last.replica == id.replica && last.counter + 1 == id.counter;
                let same = more.left == Some(last) && more.right == run.right && more.lamport - 1 == lamport_last;
                if adjacent && same {
                    run.text.to_mut().push_str(&more.text);
                    (last.counter, lamport_last) = (last.counter + dots, lamport_last + dots);
                    continue;
                }
            }
            last = Dot { counter: id.counter + dots - 1, ..id };
            lamport_last = if let Op::Insert(insert) = &next { insert.lamport + dots - 1 } else { 0 };
            runs.push(next.into_owned());
        }
        runs
    }
}

/// What the dots of an operation do, from one on.
pub(super) fn units<'a>(op: &'a Op<'_>, from: u64) -> Box<dyn Iterator<Item = (Dot, Unit)> + 'a> {
    match op {
        Op::Delete(delete) => {
            Box::new(std::iter::once((delete.id, Unit::Delete { target: delete.target, len: delete.len })))
        }
        Op::Insert(insert) => Box::new((0..).zip(insert.text.chars()).skip(from as usize).map(|(at, char)| {
            let id = Dot { counter: insert.id.counter + at, ..insert.id };
            let left = if at == 0 { insert.left } else { Some(Dot { counter: id.counter - 1, ..id }) };
            (id, Unit::Insert { lamport: insert.lamport + at, left, right: insert.right, char })
        })),
    }
}
