//! Saturation: what must come before what, when it is known who left what somebody found.
//!
//! If a fact that a duty demands can come from one call only, its *source*, then another call that would undo the fact
//! comes before the source or after the duty. As soon as one of the two is impossible, the other is certain; what follows
//! is added until nothing follows any more (Gibbons and Korach, *Testing shared memories*, 1997, for read mappings that
//! are known; Zennou, Bouajjani, Enea, Erradi, *Gradual consistency checking*, 2019). A cycle means that there is no order.
//!
//! Invariant: nothing here decides alone. Which calls undo a fact is taken to be those that change the same key and do not
//! bring it about, which is right for registers and stores of them, and unproven for other models. So a cycle only names
//! *suspects*, among which the search then finds no order; and an order that keeps to what was added is replayed.
//!
//! What is deliberately absent: values with more than one source. They are left to the search.

use std::collections::{BTreeMap, VecDeque};

use super::problem::Problem;
use crate::checkers::linearizability::{Insight, Model, Touches};

/// The most rounds: each takes about as long as there are calls times processes.
const ROUNDS_MAX: usize = 400;
/// The most edges of a cycle's explanation that are followed up.
const REASONS_MAX: usize = 4_000;
/// The most edges that are tried as the beginning of a short cycle.
const STARTS_MAX: usize = 200;

/// What is known about the order.
pub(super) enum Saturated {
    /// It has no cycle.
    Acyclic(Guide),
    /// It has one.
    Cyclic(Cycle),
    /// There is nothing to saturate, or too much.
    Silent,
}

/// What comes before what.
pub(super) struct Guide {
    /// How far each chain must have come, by duty.
    before: Vec<Vec<u32>>,
    /// How far each chain must have come until all who need what a duty brings about have had it, by duty.
    closing: Vec<Vec<u32>>,
    rank: Vec<u32>,
}

impl Guide {
    fn new<M: Model>(problem: &Problem<'_, M>, mut before: Vec<Vec<u32>>, rank: Vec<u32>) -> Self {
        before.truncate(problem.duties.len());
        for clock in &mut before {
            clock.truncate(problem.chains.len());
        }
        let mut closing = vec![vec![0; problem.chains.len()]; problem.duties.len()];
        for (maker, duty) in problem.duties.iter().enumerate() {
            let made = &problem.classes[duty.class as usize].makes;
            for &reader in made.iter().flat_map(|&fact| &problem.roles[fact as usize].demanders) {
                closing[maker]
                    .iter_mut()
                    .zip(&before[reader as usize])
                    .for_each(|(own, other)| *own = (*own).max(*other));
                let reader = &problem.duties[reader as usize];
                let own = &mut closing[maker][reader.chain as usize];
                *own = (*own).max(reader.at + 1);
            }
        }
        Self { before, closing, rank }
    }

    /// How many calls must have been made until all who need what the duty brings about have had it.
    pub(super) fn cost(&self, duty: u32, row: &[u32]) -> u32 {
        self.closing[duty as usize].iter().zip(row).map(|(until, at)| until.saturating_sub(*at)).sum()
    }

    /// May the duty be next when the chains have come so far?
    pub(super) fn allows(&self, duty: u32, row: &[u32]) -> bool {
        self.before[duty as usize].iter().zip(row).all(|(before, at)| before <= at)
    }

    /// Its place in one of the orders that keep to the guide.
    pub(super) fn rank(&self, duty: u32) -> u32 {
        self.rank[duty as usize]
    }
}

/// Calls that would have to come before each other, all round.
#[derive(Debug)]
pub(super) struct Cycle {
    /// Its calls, and those by which its edges are explained.
    pub suspects: Vec<usize>,
    /// Why each of its calls comes before the next, in the order of the cycle.
    pub steps: Vec<Step>,
}

/// Two calls, and why one comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub from: usize,
    pub to: usize,
    pub why: Why<usize>,
}

/// Why one call comes before another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why<N> {
    /// Its process made it first.
    Program,
    /// The other finds what it left.
    Source,
    /// The other would undo what it found, and cannot come before this source; without one, it found the beginning.
    Found(Option<N>),
    /// It would undo what the other left for this reader, and cannot come after the reader.
    Kept(N),
}

struct Edge {
    from: u32,
    to: u32,
    why: Why<u32>,
    round: usize,
}

/// A duty that demands a fact which can come from one call only.
struct Demand {
    reader: u32,
    /// `None` for the beginning.
    source: Option<u32>,
    /// The calls that would undo the fact, by key.
    key: usize,
}

struct Graph<'p, 'a, M: Model> {
    problem: &'p Problem<'a, M>,
    /// The chain and the place of each node: duties first, and then options that must have taken effect.
    places: Vec<(u32, u32)>,
    calls: Vec<usize>,
    chains: Vec<Vec<u32>>,
    /// The node that precedes one in its process.
    previous: Vec<Option<u32>>,
    edges: Vec<Edge>,
    demands: Vec<Demand>,
    /// The nodes that change a key, by key and chain, in their order.
    writers: Vec<Vec<Vec<u32>>>,
    /// How many nodes of each chain come before a node, by node.
    before: Vec<Vec<u32>>,
}

/// Derives what follows from who found what.
pub(super) fn saturate<M: Model>(problem: &Problem<'_, M>) -> Saturated {
    if problem.insight < Insight::Deferrable {
        return Saturated::Silent;
    }
    let mut graph = Graph::new(problem);
    if graph.demands.is_empty() {
        return Saturated::Silent;
    }
    for round in 1..=ROUNDS_MAX {
        let (order, stuck) = graph.sort();
        if !stuck.is_empty() {
            return Saturated::Cyclic(graph.cycle(&stuck));
        }
        if !graph.derive(round) {
            let mut rank = vec![0; graph.places.len()];
            (0..).zip(order).for_each(|(at, node)| rank[node as usize] = at);
            return Saturated::Acyclic(Guide::new(problem, graph.before, rank));
        }
    }
    Saturated::Silent
}

impl<'p, 'a, M: Model> Graph<'p, 'a, M> {
    fn new(problem: &'p Problem<'a, M>) -> Self {
        let mut graph = Self {
            problem,
            places: problem.duties.iter().map(|duty| (duty.chain, duty.at)).collect(),
            calls: problem.duties.iter().map(|duty| duty.call as usize).collect(),
            chains: problem.chains.clone(),
            previous: problem
                .duties
                .iter()
                .zip(0..)
                .map(|(duty, at): (_, u32)| (duty.at > 0).then(|| at - 1))
                .collect(),
            edges: Vec::new(),
            demands: Vec::new(),
            writers: Vec::new(),
            before: Vec::new(),
        };
        let mut keys: BTreeMap<M::Key, usize> = BTreeMap::new();
        let mut classes: Vec<u32> = problem.duties.iter().map(|duty| duty.class).collect();
        let mut node_of_group = vec![None; problem.groups.len()];
        for reader in 0..problem.duties.len() as u32 {
            let class = &problem.classes[problem.duties[reader as usize].class as usize];
            let Touches::Keys(touched) = problem.model.touches(class.op) else { continue };
            let [key] = &touched[..] else { continue };
            for &fact in &class.needs {
                let Some(source) = graph.source(reader, fact, &mut node_of_group, &mut classes) else { continue };
                let number = keys.len();
                let key = *keys.entry(key.clone()).or_insert(number);
                graph.demands.push(Demand { reader, source, key });
            }
        }
        graph.find_writers(&classes, &keys);
        graph
    }

    /// Where a fact that a duty demands must come from, if there is one possibility only.
    #[expect(clippy::option_option, reason = "a source is a node or the beginning, and may not be known")]
    fn source(
        &mut self,
        reader: u32,
        fact: u32,
        node_of_group: &mut [Option<u32>],
        classes: &mut Vec<u32>,
    ) -> Option<Option<u32>> {
        let problem = self.problem;
        let roles = &problem.roles[fact as usize];
        let mut makers = roles.makers.iter().copied().filter(|&maker| maker != reader);
        let options: usize = roles.options.iter().map(|&group| problem.groups[group as usize].members.len()).sum();
        let holds_at_first = problem.model.holds(&problem.model.init(), &problem.facts[fact as usize]);
        match (holds_at_first, makers.next(), options) {
            (true, None, 0) => Some(None),
            (false, Some(maker), 0) if makers.next().is_none() => {
                self.edges.push(Edge { from: maker, to: reader, why: Why::Source, round: 0 });
                Some(Some(maker))
            }
            (false, None, 1) => {
                let group = roles.options[0];
                let known = node_of_group[group as usize];
                let node = known.unwrap_or_else(|| self.admit(group, classes));
                node_of_group[group as usize] = Some(node);
                self.edges.push(Edge { from: node, to: reader, why: Why::Source, round: 0 });
                Some(Some(node))
            }
            _ => None,
        }
    }

    /// An option that must have taken effect.
    fn admit(&mut self, group: u32, classes: &mut Vec<u32>) -> u32 {
        let group = &self.problem.groups[group as usize];
        let (member, node) = (group.members[0], self.places.len() as u32);
        self.places.push((self.chains.len() as u32, 0));
        self.chains.push(vec![node]);
        self.calls.push(member.call as usize);
        let chain = &self.problem.chains[member.chain as usize];
        self.previous.push(member.after.checked_sub(1).map(|last| chain[last as usize]));
        classes.push(group.class);
        node
    }

    fn find_writers(&mut self, classes: &[u32], keys: &BTreeMap<M::Key, usize>) {
        self.writers = vec![vec![Vec::new(); self.chains.len()]; keys.len()];
        for (chain, nodes) in self.chains.iter().enumerate() {
            for &node in nodes {
                let class = &self.problem.classes[classes[node as usize] as usize];
                let Touches::Keys(touched) = self.problem.model.touches(class.op) else { continue };
                let written = touched.iter().filter(|_| !class.is_read).filter_map(|key| keys.get(key));
                written.for_each(|&key| self.writers[key][chain].push(node));
            }
        }
    }

    /// Sorts the nodes and computes what comes before each. Also returns the nodes on cycles, and behind them.
    fn sort(&mut self) -> (Vec<u32>, Vec<u32>) {
        let count = self.places.len();
        let mut after: Vec<Vec<u32>> = vec![Vec::new(); count];
        let mut waiting = vec![0_u32; count];
        let pairs = self.edges.iter().map(|edge| (edge.from, edge.to));
        let chained = (0..count as u32).filter_map(|node| self.previous[node as usize].map(|before| (before, node)));
        for (from, to) in pairs.chain(chained) {
            after[from as usize].push(to);
            waiting[to as usize] += 1;
        }
        self.before = vec![vec![0; self.chains.len()]; count];
        let mut ready: VecDeque<u32> = (0..count as u32).filter(|&node| waiting[node as usize] == 0).collect();
        let mut order = Vec::with_capacity(count);
        while let Some(node) = ready.pop_front() {
            order.push(node);
            let mut clock = self.before[node as usize].clone();
            let (chain, at) = self.places[node as usize];
            clock[chain as usize] = clock[chain as usize].max(at + 1);
            for &next in &after[node as usize] {
                let later = &mut self.before[next as usize];
                later.iter_mut().zip(&clock).for_each(|(own, other)| *own = (*own).max(*other));
                waiting[next as usize] -= 1;
                if waiting[next as usize] == 0 {
                    ready.push_back(next);
                }
            }
        }
        let stuck = (0..count as u32).filter(|&node| waiting[node as usize] > 0).collect();
        (order, stuck)
    }

    fn precedes(&self, one: u32, other: u32) -> bool {
        let (chain, at) = self.places[one as usize];
        self.before[other as usize][chain as usize] > at
    }

    /// Adds what follows directly. Did anything?
    fn derive(&mut self, round: usize) -> bool {
        let mut found = Vec::new();
        for demand in &self.demands {
            for writers in &self.writers[demand.key] {
                let is_other = |node: u32| node != demand.reader && Some(node) != demand.source;
                let Some(source) = demand.source else {
                    if let Some(&first) = writers.iter().find(|&&node| is_other(node)) {
                        found.push((demand.reader, first, Why::Found(None)));
                    }
                    continue;
                };
                let until = writers.partition_point(|&node| self.precedes(node, demand.reader));
                if let Some(&last) = writers[..until].iter().rev().find(|&&node| is_other(node)) {
                    found.push((last, source, Why::Kept(demand.reader)));
                }
                let from = writers.partition_point(|&node| !self.precedes(source, node));
                if let Some(&first) = writers[from..].iter().find(|&&node| is_other(node)) {
                    found.push((demand.reader, first, Why::Found(Some(source))));
                }
            }
        }
        found.retain(|&(from, to, _)| !self.precedes(from, to));
        found.sort_by_key(|&(from, to, _)| (from, to));
        found.dedup_by_key(|&mut (from, to, _)| (from, to));
        let is_any = !found.is_empty();
        self.edges.extend(found.into_iter().map(|(from, to, why)| Edge { from, to, why, round }));
        is_any
    }

    /// The shortest way from one node to another over edges that were known before a round.
    fn way(&self, into: &[Vec<u32>], from: u32, to: u32, round: usize) -> Vec<(u32, u32, Option<u32>)> {
        let mut next: Vec<Option<(u32, Option<u32>)>> = vec![None; self.places.len()];
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            if node == from && next[node as usize].is_some() {
                break;
            }
            let known = into[node as usize].iter().copied().filter(|&edge| self.edges[edge as usize].round < round);
            let over = known.map(|edge| (self.edges[edge as usize].from, Some(edge)));
            for (before, edge) in over.chain(self.previous[node as usize].map(|before| (before, None))) {
                if next[before as usize].is_none() {
                    next[before as usize] = Some((node, edge));
                    queue.push_back(before);
                }
            }
        }
        let (mut steps, mut at) = (Vec::new(), from);
        while let Some((node, edge)) = next[at as usize] {
            steps.push((at, node, edge));
            at = node;
            if at == to {
                return steps;
            }
        }
        Vec::new()
    }

    /// A short cycle among the nodes that are stuck, with all that explains it.
    fn cycle(&self, stuck: &[u32]) -> Cycle {
        let mut into: Vec<Vec<u32>> = vec![Vec::new(); self.places.len()];
        (0..).zip(&self.edges).for_each(|(number, edge)| into[edge.to as usize].push(number));
        let starts = self
            .edges
            .iter()
            .rev()
            .filter(|edge| stuck.binary_search(&edge.from).is_ok() && stuck.binary_search(&edge.to).is_ok());
        let cycles = starts.take(STARTS_MAX).map(|edge| self.way(&into, edge.from, edge.from, usize::MAX));
        let steps = cycles.filter(|steps| !steps.is_empty()).min_by_key(Vec::len).unwrap_or_default();

        let mut suspects: Vec<u32> = Vec::new();
        let mut is_known = vec![false; self.edges.len()];
        let mut open: Vec<u32> = Vec::new();
        let visit = |steps: &[(u32, u32, Option<u32>)], open: &mut Vec<u32>, suspects: &mut Vec<u32>| {
            for edge in steps.iter().filter_map(|(_, _, edge)| *edge) {
                suspects.extend([self.edges[edge as usize].from, self.edges[edge as usize].to]);
                open.push(edge);
            }
        };
        visit(&steps, &mut open, &mut suspects);
        let mut reasons = 0;
        while let Some(number) = open.pop() {
            let edge = &self.edges[number as usize];
            if std::mem::replace(&mut is_known[number as usize], true) || reasons > REASONS_MAX {
                continue;
            }
            reasons += 1;
            let (from, to) = match edge.why {
                Why::Program | Why::Source | Why::Found(None) => continue,
                Why::Found(Some(source)) => (source, edge.to),
                Why::Kept(reader) => (edge.from, reader),
            };
            suspects.extend([from, to]);
            visit(&self.way(&into, from, to, edge.round), &mut open, &mut suspects);
        }
        let mut suspects: Vec<usize> = suspects.into_iter().map(|node| self.calls[node as usize]).collect();
        suspects.sort_unstable();
        suspects.dedup();
        Cycle { suspects, steps: self.told(&steps) }
    }

    /// The steps of a cycle with its calls; steps of one process are one.
    fn told(&self, steps: &[(u32, u32, Option<u32>)]) -> Vec<Step> {
        let call = |node: u32| self.calls[node as usize];
        let mut told: Vec<Step> = Vec::new();
        for &(from, to, edge) in steps {
            let why = match edge.map(|edge| self.edges[edge as usize].why) {
                None | Some(Why::Program) => Why::Program,
                Some(Why::Source) => Why::Source,
                Some(Why::Found(source)) => Why::Found(source.map(call)),
                Some(Why::Kept(reader)) => Why::Kept(call(reader)),
            };
            match (told.last_mut(), why) {
                (Some(last @ Step { why: Why::Program, .. }), Why::Program) => last.to = call(to),
                _ => told.push(Step { from: call(from), to: call(to), why }),
            }
        }
        told
    }
}
