//! Replicas of the engine side by side with the references.

use std::collections::BTreeSet;

use crdts::{
    Object, ReplicaId,
    objects::sequence::{Sequence, SequenceOp, SequenceRet},
    sequence::{
        FugueMaxOrder, FugueOrder, Op, Ordering, RgaOrder, Text,
        reference::{Algorithm, Replica},
    },
};

use crate::lists;

pub(crate) trait Order: Ordering {
    const ALGORITHM: Algorithm;
}

impl Order for RgaOrder {
    const ALGORITHM: Algorithm = Algorithm::Rga;
}

impl Order for FugueOrder {
    const ALGORITHM: Algorithm = Algorithm::Fugue;
}

impl Order for FugueMaxOrder {
    const ALGORITHM: Algorithm = Algorithm::FugueMax;
}

/// Replicas of the engine, each with a twin that is a reference, and all operations so far.
#[derive(Clone)]
pub(crate) struct Cluster<O: Order> {
    pub(crate) replicas: Vec<(Text<O>, Replica)>,
    pub(crate) log: Vec<Op<'static>>,
    /// For each replica the places in the log of what has reached it.
    pub(crate) heard: Vec<BTreeSet<usize>>,
}

impl<O: Order> Cluster<O> {
    pub(crate) fn new(replicas: u32) -> Self {
        let pair = |id| (Text::new(), Replica::new(O::ALGORITHM, ReplicaId(id)));
        let heard = vec![BTreeSet::new(); replicas as usize];
        Self { replicas: (1..=replicas).map(pair).collect(), log: Vec::new(), heard }
    }

    pub(crate) fn text(&self, at: usize) -> String {
        self.replicas[at].0.text()
    }

    pub(crate) fn len(&self, at: usize) -> usize {
        self.replicas[at].0.len()
    }

    /// What clients see locally is the sequential specification.
    fn check_edit(&self, at: usize, before: &str, op: &SequenceOp, expected: &SequenceRet) {
        let mut after = before.to_owned();
        assert_eq!(&Sequence::step(&mut after, op), expected);
        assert_eq!(self.text(at), after, "{op:?} on {before:?}");
        self.check(at);
    }

    fn check(&self, at: usize) {
        let (engine, reference) = &self.replicas[at];
        let text = engine.text();
        assert_eq!(text, reference.text(), "replica {at} {:?} {:?}", self.heard[at], self.log);
        assert_eq!(engine.len(), text.chars().count());
    }

    fn record(&mut self, at: usize, op: Op<'static>) {
        self.heard[at].insert(self.log.len());
        self.log.push(op);
    }

    pub(crate) fn insert(&mut self, at: usize, position: usize, text: &str) {
        let id = ReplicaId(at as u32 + 1);
        let before = self.text(at);
        let (engine, reference) = &mut self.replicas[at];
        let op = engine.insert(id, position, text).expect("the position is in the text").into_owned();
        assert_eq!(Ok(&op), reference.insert(position, text).as_ref(), "origins differ: {before:?} {:?}", self.log);
        self.record(at, op);
        self.check_edit(at, &before, &SequenceOp::InsertAt { position, text: text.to_owned() }, &SequenceRet::Inserted);
    }

    pub(crate) fn delete(&mut self, at: usize, position: usize, len: usize) {
        let id = ReplicaId(at as u32 + 1);
        let before = self.text(at);
        let (engine, reference) = &mut self.replicas[at];
        let deletions = engine.delete(id, position, len).expect("the range is in the text");
        let ops: Vec<Op<'static>> = deletions.iter().map(Op::from).collect();
        assert_eq!(Ok(&ops), reference.delete(position, len).as_ref(), "targets differ: {before:?} {:?}", self.log);
        for op in ops {
            self.record(at, op);
        }
        self.check_edit(at, &before, &SequenceOp::DeleteAt { position, len }, &SequenceRet::Deleted);
    }

    /// Delivers an operation of the log: early, late, again.
    pub(crate) fn deliver(&mut self, into: usize, place: usize) {
        let (engine, reference) = &mut self.replicas[into];
        let op = &self.log[place];
        assert!(engine.receive(op).is_ok(), "replica {into} refuses {op}", op = format_args!("{op:?}"));
        reference.receive(op);
        self.heard[into].insert(place);
        self.check(into);
    }

    /// Delivers everything that another replica has heard of.
    pub(crate) fn sync(&mut self, into: usize, from: usize) {
        let missing: Vec<_> = self.heard[from].difference(&self.heard[into]).copied().collect();
        for place in missing {
            self.deliver(into, place);
        }
    }

    /// Delivers everything to everybody, in different orders, and returns the text on which they agree.
    pub(crate) fn quiesce(&mut self) -> String {
        let places = self.log.len();
        for into in 0..self.replicas.len() {
            let missing: Vec<_> = (0..places).filter(|place| !self.heard[into].contains(place)).collect();
            let turn = if missing.is_empty() { 0 } else { into % missing.len() };
            let rotated = missing[turn..].iter().chain(&missing[..turn]);
            let order: Vec<_> =
                if into % 2 == 0 { rotated.copied().collect() } else { rotated.rev().copied().collect() };
            for place in order {
                self.deliver(into, place);
            }
        }
        let text = lists::text(O::ALGORITHM, &self.log);
        for at in 0..self.replicas.len() {
            assert_eq!(self.text(at), text, "replica {at} {:?}", self.log);
        }
        text
    }
}
