//! States and what calls make of them, each computed once.
//!
//! Invariant: a state's number stands for exactly one state, and an edge for exactly one step of the model. An edge also
//! knows which facts are *at risk*: those that do not hold after it, and held before or could have been brought about by
//! the operation that it uses up.
//!
//! What is deliberately absent: eviction. The budget ends the search instead.

use hashbrown::HashTable;

use super::{
    intern::{Interner, Mixer},
    model::{Insight, Model},
    problem::Problem,
};

/// An edge that is not there: the call is not right in the state.
pub(super) const WRONG: u32 = u32::MAX;

/// What a call of a class does in a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    from: u32,
    class: u32,
    /// The state afterwards, or [`WRONG`].
    pub to: u32,
    risks: (u32, u32),
}

/// All states that were seen.
pub(super) struct States<M: Model> {
    known: Interner<M::State>,
    edges: Vec<Edge>,
    table: HashTable<u32>,
    risks: Vec<u32>,
    bytes: usize,
}

impl<M: Model> States<M> {
    /// The initial state alone, which has number 0.
    pub(super) fn new(model: &M) -> Self {
        let mut states = Self {
            known: Interner::default(),
            edges: Vec::new(),
            table: HashTable::new(),
            risks: Vec::new(),
            bytes: 0,
        };
        states.known.number(model.init());
        states
    }

    pub(super) fn state(&self, number: u32) -> &M::State {
        self.known.value(number)
    }

    /// About how much memory is held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.edges.len() * (size_of::<Edge>() + 10) + self.risks.len() * 4
    }

    /// What a call of `class` does in state `from`.
    pub(super) fn edge(&mut self, problem: &Problem<'_, M>, from: u32, class: u32) -> Edge {
        let hash = |from: u32, class: u32| Mixer::of_words(&[u64::from(from) << 32 | u64::from(class)]);
        let edges = &self.edges;
        let known = self.table.find(hash(from, class), |&edge| {
            let edge = &edges[edge as usize];
            (edge.from, edge.class) == (from, class)
        });
        if let Some(&known) = known {
            return edges[known as usize];
        }
        let edge = self.step(problem, from, class);
        let number = self.edges.len() as u32;
        self.edges.push(edge);
        let edges = &self.edges;
        self.table.insert_unique(hash(from, class), number, |&other| {
            let other = &edges[other as usize];
            hash(other.from, other.class)
        });
        edge
    }

    /// The facts at risk of an edge.
    pub(super) fn risks(&self, edge: &Edge) -> &[u32] {
        &self.risks[edge.risks.0 as usize..edge.risks.1 as usize]
    }

    fn step(&mut self, problem: &Problem<'_, M>, from: u32, class: u32) -> Edge {
        let model = problem.model;
        let described = &problem.classes[class as usize];
        let mut edge = Edge { from, class, to: WRONG, risks: (0, 0) };
        let before = self.known.value(from);
        let Some(after) = model.step(before, described.op, described.ret) else { return edge };
        if described.is_read {
            edge.to = from;
            return edge;
        }
        let facts = problem.facts.values();
        let after = if problem.insight >= Insight::Complete { model.simplify(after, facts) } else { after };
        edge.risks.0 = self.risks.len() as u32;
        let made = &problem.facts.makes[class as usize];
        for (number, fact) in (0..).zip(facts) {
            let mattered = made.binary_search(&number).is_ok() || (after != *before && model.holds(before, fact));
            if mattered && !model.holds(&after, fact) {
                self.risks.push(number);
            }
        }
        edge.risks.1 = self.risks.len() as u32;
        let bytes = model.state_bytes(&after) + 32;
        let (to, is_new) = self.known.number(after);
        edge.to = to;
        self.bytes += if is_new { bytes } else { 0 };
        edge
    }
}
