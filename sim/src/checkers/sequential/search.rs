//! The search for an order: one step of one process at a time, with a memory.
//!
//! A configuration says how far each process has come, how many options of each class are used, and what the state is. What
//! follows is sound for every model:
//!
//! * Reads that are next in their process, and right, are taken at once: they are in nobody's way.
//! * Of equal options that are there, any will do. An option is used only where it changes the state.
//! * A configuration that is known is not entered again.
//! * A step is not taken if it leaves a demand that nothing can meet any more.
//! * States in which the same demands can be met are one state ([`Model::simplify`]).
//!
//! What is tried first decides only how soon an order is found: what others wait for, and then what a [`Guide`] puts first.
//!
//! Invariant: every configuration in the memory but the ones on the current path has been searched to its end. So when the
//! path is empty there is no order; or, with a guide, none that keeps to it.
//!
//! What is deliberately absent: clocks and threads. Effort is counted in steps and bytes, so that it is the same everywhere.

use std::{collections::BTreeMap, marker::PhantomData};

use super::{
    problem::Problem,
    saturation::Guide,
    table::{Numbers, Rows},
};
use crate::checkers::linearizability::{Insight, Limits, Model};

/// How often the caller is asked whether to go on, in steps.
const STOP_STEPS: u64 = 1024;
/// An edge that is not there: the call is not right in the state.
const WRONG: u32 = u32::MAX;

/// What the search relies on. Mutants of it are in the tests.
pub(super) trait Rules {
    /// Configurations in different states are different.
    const STATE_IS_REMEMBERED: bool = true;
    /// Configurations with different options left are different.
    const OPTIONS_ARE_REMEMBERED: bool = true;
    /// An option can be used once its predecessors have been, and not earlier.
    const OPTIONS_WAIT: bool = true;
    /// A demand is lost only if nothing that is left can meet it.
    const MAKERS_SAVE: bool = true;
    /// What a process does later cannot help what it does first.
    const LATER_IS_NO_HELP: bool = true;
    /// Of calls that are right, only reads are taken without another try.
    const READS_ALONE_ARE_TAKEN: bool = true;
}

/// The rules as they should be.
pub(super) enum Sound {}

impl Rules for Sound {}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// With an order: calls as they take effect.
    Order(Vec<usize>),
    /// With the certainty that there is none.
    Nothing,
    /// Without an answer.
    Exhausted(String),
}

/// What can be done next: the next duty of a chain, or an option of a group.
#[derive(Clone, Copy, Debug)]
enum Candidate {
    Duty(u32),
    Option(u32),
}

/// A configuration on the path, and what can be done there.
struct Frame {
    row: Vec<u32>,
    candidates: Vec<Candidate>,
    next: usize,
    ordered: usize,
}

/// What a class does in a state.
#[derive(Clone)]
struct Edge {
    to: u32,
    /// Facts that do not hold afterwards, and held before or could have been brought about.
    risks: Vec<u32>,
}

struct Search<'p, 'a, M: Model, R> {
    problem: &'p Problem<'a, M>,
    guide: Option<&'p Guide>,
    states: Numbers<M::State>,
    edges: BTreeMap<(u32, u32), Edge>,
    bytes: usize,
    seen: Rows,
    /// How far each chain has come, how many options of each group are used, and the state.
    row: Vec<u32>,
    order: Vec<usize>,
    rules: PhantomData<R>,
}

/// Searches for an order, one that keeps to the guide if there is one; also returns how many steps were taken.
pub(super) fn search<M: Model, R: Rules>(
    problem: &Problem<'_, M>,
    guide: Option<&Guide>,
    limits: &Limits<'_>,
) -> (Found, u64) {
    let mut search = Search::<M, R>::new(problem, guide);
    let mut steps = 0;
    let unmet = |&fact: &u32| !problem.model.holds(&problem.model.init(), &problem.facts[fact as usize]);
    if (0..problem.facts.len() as u32).filter(unmet).any(|fact| search.is_lost(fact)) {
        return (Found::Nothing, steps);
    }
    search.read_all();
    let mut path: Vec<Frame> = Vec::new();
    loop {
        if search.is_done() {
            return (Found::Order(search.order), steps);
        }
        let (row, candidates) = (search.row.clone(), search.candidates());
        path.push(Frame { row, candidates, next: 0, ordered: search.order.len() });
        // Down to the first configuration that is new, and up where nothing is left.
        loop {
            let Some(frame) = path.last_mut() else { return (Found::Nothing, steps) };
            let Some(&candidate) = frame.candidates.get(frame.next) else {
                path.pop();
                continue;
            };
            frame.next += 1;
            search.row.copy_from_slice(&frame.row);
            search.order.truncate(frame.ordered);
            steps += 1;
            if let Some(reason) = search.exhausted(steps, limits) {
                return (Found::Exhausted(reason), steps);
            }
            if search.take(candidate) {
                break;
            }
        }
    }
}

impl<'p, 'a, M: Model, R: Rules> Search<'p, 'a, M, R> {
    fn new(problem: &'p Problem<'a, M>, guide: Option<&'p Guide>) -> Self {
        let mut states = Numbers::default();
        states.number(problem.model.init());
        let length = problem.chains.len() + problem.groups.len() + 1;
        Self {
            problem,
            guide,
            states,
            edges: BTreeMap::new(),
            bytes: 0,
            seen: Rows::new(length),
            row: vec![0; length],
            order: Vec::new(),
            rules: PhantomData,
        }
    }

    fn is_done(&self) -> bool {
        self.problem.chains.iter().zip(&self.row).all(|(chain, &at)| at as usize == chain.len())
    }

    fn state(&self) -> u32 {
        self.row[self.row.len() - 1]
    }

    fn set_state(&mut self, state: u32) {
        let last = self.row.len() - 1;
        self.row[last] = state;
    }

    /// The duties that are next in their chains.
    fn heads(&self) -> impl Iterator<Item = u32> + use<'_, 'p, 'a, M, R> {
        self.problem.chains.iter().zip(&self.row).filter_map(|(chain, &at)| chain.get(at as usize).copied())
    }

    fn exhausted(&self, steps: u64, limits: &Limits<'_>) -> Option<String> {
        if steps > limits.steps {
            return Some(format!("no answer within {} steps", limits.steps));
        }
        if self.seen.bytes() + self.bytes > limits.bytes {
            return Some(format!("no answer within {} bytes, after {steps} steps", limits.bytes));
        }
        if steps.is_multiple_of(STOP_STEPS) && limits.stop.is_some_and(|stop| stop()) {
            return Some(format!("stopped after {steps} steps"));
        }
        None
    }

    /// What a class does in a state, computed once.
    fn edge(&mut self, from: u32, class: u32) -> u32 {
        if let Some(known) = self.edges.get(&(from, class)) {
            return known.to;
        }
        let edge = self.step(from, class);
        let to = edge.to;
        self.bytes += 64 + edge.risks.len() * 4;
        self.edges.insert((from, class), edge);
        to
    }

    fn step(&mut self, from: u32, class: u32) -> Edge {
        let (problem, model) = (self.problem, self.problem.model);
        let described = &problem.classes[class as usize];
        let before = &self.states.values()[from as usize];
        let Some(after) = model.step(before, described.op, described.ret) else {
            return Edge { to: WRONG, risks: Vec::new() };
        };
        if described.is_read {
            return Edge { to: from, risks: Vec::new() };
        }
        let after = if problem.insight >= Insight::Complete { model.simplify(after, &problem.facts) } else { after };
        let near = described.near.iter().flat_map(|&group| &problem.groups_of_facts[group as usize]);
        let is_at_risk = |&fact: &u32| {
            let known = &problem.facts[fact as usize];
            let mattered = described.makes.binary_search(&fact).is_ok() || model.holds(before, known);
            mattered && !model.holds(&after, known)
        };
        let risks = near.copied().filter(is_at_risk).collect();
        let bytes = model.state_bytes(&after) + 32;
        let (to, is_new) = self.states.number(after);
        self.bytes += if is_new { bytes } else { 0 };
        Edge { to, risks }
    }

    /// Takes a candidate in the configuration at hand. False if that leads nowhere new.
    fn take(&mut self, candidate: Candidate) -> bool {
        let problem = self.problem;
        let class = match candidate {
            Candidate::Duty(duty) => {
                let duty = problem.duties[duty as usize];
                self.row[duty.chain as usize] += 1;
                self.order.push(duty.call as usize);
                duty.class
            }
            Candidate::Option(group) => {
                let at = problem.chains.len() + group as usize;
                self.row[at] += 1;
                let group = &problem.groups[group as usize];
                let used = |call: u32| self.order.contains(&(call as usize));
                let ready = group.members.iter().find(|member| self.is_there(member) && !used(member.call));
                let Some(member) = ready else { return false };
                self.order.push(member.call as usize);
                group.class
            }
        };
        let from = self.state();
        let to = self.edge(from, class);
        self.set_state(to);
        if self.edges[&(from, class)].risks.iter().any(|&fact| self.is_lost(fact)) {
            return false;
        }
        self.read_all();
        let mut key = self.row.clone();
        if !R::STATE_IS_REMEMBERED {
            key[self.row.len() - 1] = 0;
        }
        if !R::OPTIONS_ARE_REMEMBERED {
            key[problem.chains.len()..self.row.len() - 1].fill(0);
        }
        self.is_done() || self.seen.insert(&key)
    }

    fn is_there(&self, member: &super::problem::Member) -> bool {
        !R::OPTIONS_WAIT || self.row[member.chain as usize] >= member.after
    }

    /// Takes the reads that are next and right. They change nothing, so one round per chain is enough.
    fn read_all(&mut self) {
        let (problem, state) = (self.problem, self.state());
        for (at, chain) in problem.chains.iter().enumerate() {
            while let Some(&head) = chain.get(self.row[at] as usize) {
                let duty = problem.duties[head as usize];
                let is_taken = problem.classes[duty.class as usize].is_read || !R::READS_ALONE_ARE_TAKEN;
                if !is_taken || self.edge(state, duty.class) != state {
                    break;
                }
                self.row[at] += 1;
                self.order.push(duty.call as usize);
            }
        }
    }

    /// A fact does not hold. Is it still needed, while nothing can bring it about in time?
    fn is_lost(&self, fact: u32) -> bool {
        let problem = self.problem;
        let roles = &problem.roles[fact as usize];
        let is_left = |&&duty: &&u32| {
            let duty = &problem.duties[duty as usize];
            duty.at >= self.row[duty.chain as usize]
        };
        if !R::MAKERS_SAVE {
            return roles.demanders.iter().any(|duty| is_left(&duty));
        }
        let has_option = |&group: &u32| {
            let used = self.row[problem.chains.len() + group as usize] as usize;
            used < problem.groups[group as usize].members.len()
        };
        if roles.options.iter().any(has_option) {
            return false;
        }
        let mut makers = roles.makers.iter().filter(is_left).map(|&duty| &problem.duties[duty as usize]);
        let Some(first) = makers.next() else { return roles.demanders.iter().any(|duty| is_left(&duty)) };
        if makers.any(|maker| maker.chain != first.chain) {
            return false;
        }
        // All that can help is in one chain, and what stands there before it must do without.
        roles.demanders.iter().filter(is_left).any(|&duty| {
            let duty = &problem.duties[duty as usize];
            R::LATER_IS_NO_HELP && duty.chain == first.chain && duty.at <= first.at
        })
    }

    /// What can be done next, the most promising first.
    fn candidates(&mut self) -> Vec<Candidate> {
        let (problem, state) = (self.problem, self.state());
        let heads: Vec<u32> = self.heads().collect();
        let mut wanted: Vec<u32> = Vec::new();
        let mut ready = Vec::new();
        for head in heads {
            let duty = problem.duties[head as usize];
            if self.edge(state, duty.class) == WRONG {
                wanted.extend(&problem.classes[duty.class as usize].needs);
            } else if self.guide.is_none_or(|guide| guide.allows(head, &self.row)) {
                let rank = self.guide.map_or((0, 0), |guide| (guide.cost(head, &self.row), guide.rank(head)));
                ready.push((Candidate::Duty(head), duty.class, rank));
            }
        }
        for (number, group) in (0..).zip(&problem.groups) {
            let used = self.row[problem.chains.len() + number as usize];
            let there = group.members.iter().filter(|member| self.is_there(member)).count() as u32;
            let to = if there > used { self.edge(state, group.class) } else { WRONG };
            if to != WRONG && to != state {
                ready.push((Candidate::Option(number), group.class, (u32::MAX, 0)));
            }
        }
        wanted.sort_unstable();
        let mut ranked: Vec<_> = ready
            .into_iter()
            .map(|(candidate, class, rank)| {
                let makes = &problem.classes[class as usize].makes;
                let helped = makes.iter().filter(|fact| wanted.binary_search(fact).is_ok()).count();
                let is_late = self.guide.is_none() && helped == 0;
                ((is_late, rank), candidate)
            })
            .collect();
        ranked.sort_by_key(|(key, _)| *key);
        ranked.into_iter().map(|(_, candidate)| candidate).collect()
    }
}
