//! One process's view: is there one order of the writes and of its own reads in which every read finds the latest write?
//!
//! The order has to keep to given edges. If a write comes before a read of the same key, and is not its source, then it
//! comes before the source; that is added until nothing follows any more. The reads must be in a line.
//!
//! Invariant: there is such an order exactly if no cycle arises, and no write of its key comes before a read that found the
//! beginning. For then what comes before the first read, the read, what else comes before the second, and so on, each part
//! in any order that keeps to the edges, is such an order: among what comes before a read, its source is the last write of
//! the key. (These are the patterns *cyclic happens-before* and *init read after a write* of Bouajjani, Enea, Guerraoui and
//! Hamza, *On verifying causal consistency*, 2017.)
//!
//! What is deliberately absent: reads of others, but for the edges they give.

use std::collections::VecDeque;

use super::Rules;

/// Why one access comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The order that was given.
    Process,
    /// The second reads what the first wrote.
    Source,
    /// The second is the source of a read before which the first comes, which writes the same key.
    Kept(usize),
}

/// A question: nodes in chains, edges between them, and the reads that have to be right.
pub(super) struct Serial {
    /// Chain and place, by node.
    pub places: Vec<(usize, usize)>,
    pub chains: Vec<Vec<usize>>,
    pub edges: Vec<(usize, usize, Why)>,
    /// The read, its source, and its key; a read of the beginning has none.
    pub reads: Vec<(usize, Option<usize>, usize)>,
    /// The writes of a key, by key and chain.
    pub writers: Vec<Vec<Vec<usize>>>,
    /// Does an access come before another of its process without those between?
    pub is_process_order_whole: bool,
}

/// Why there is no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Each of these comes before the next, and the last before the first.
    Cycle(Vec<(usize, usize, Why)>),
    /// The first comes before the last, by these steps: a write, and a read of the same key that found the beginning.
    Beginning(Vec<(usize, usize, Why)>),
}

impl Serial {
    /// Looks for a flaw; there is an order exactly if there is none.
    pub(super) fn flaw<R: Rules>(&mut self) -> Option<Flaw> {
        loop {
            let (before, stuck) = self.clocks();
            if stuck.iter().any(|stuck| *stuck) {
                return Some(Flaw::Cycle(self.cycle(&stuck)));
            }
            let mut found = Vec::new();
            for &(read, source, key) in &self.reads {
                for (chain, writers) in self.writers[key].iter().enumerate() {
                    let until = before[read * self.chains.len() + chain] as usize;
                    let until = writers.partition_point(|&write| self.places[write].1 < until);
                    let last = writers[..until].iter().rev().find(|&&write| Some(write) != source && write != read);
                    let Some(&write) = last else { continue };
                    let Some(source) = source else {
                        if R::BEGINNINGS_ARE_OVERWRITTEN {
                            let steps = way(&self.out(), write, read).unwrap_or_default();
                            return Some(Flaw::Beginning(self.told(steps)));
                        }
                        continue;
                    };
                    let (chain, at) = self.places[write];
                    if before[source * self.chains.len() + chain] as usize <= at {
                        found.push((write, source, Why::Kept(read)));
                    }
                }
            }
            if found.is_empty() || !R::SOURCES_ARE_THE_LATEST {
                return None;
            }
            found.sort_by_key(|&(from, to, _)| (from, to));
            found.dedup_by_key(|&mut (from, to, _)| (from, to));
            self.edges.append(&mut found);
            if !R::SATURATES {
                let (_, stuck) = self.clocks();
                return stuck.iter().any(|stuck| *stuck).then(|| Flaw::Cycle(self.cycle(&stuck)));
            }
        }
    }

    /// How much of each chain comes before each node; and which nodes are on cycles, or behind them.
    fn clocks(&self) -> (Vec<u32>, Vec<bool>) {
        let (count, width) = (self.places.len(), self.chains.len());
        let mut waiting = vec![0_u32; count];
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); count];
        for &(from, to, _) in &self.edges {
            after[from].push(to);
            waiting[to] += 1;
        }
        for chain in &self.chains {
            for pair in chain.windows(2) {
                after[pair[0]].push(pair[1]);
                waiting[pair[1]] += 1;
            }
        }
        let mut before = vec![0_u32; count * width];
        let mut clock = vec![0_u32; width];
        let mut ready: Vec<usize> = (0..count).filter(|&node| waiting[node] == 0).collect();
        while let Some(node) = ready.pop() {
            clock.copy_from_slice(&before[node * width..(node + 1) * width]);
            let (chain, at) = self.places[node];
            clock[chain] = clock[chain].max(at as u32 + 1);
            for &next in &after[node] {
                let later = &mut before[next * width..(next + 1) * width];
                later.iter_mut().zip(&clock).for_each(|(own, other)| *own = (*own).max(*other));
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.push(next);
                }
            }
        }
        (before, waiting.into_iter().map(|waiting| waiting > 0).collect())
    }

    /// A short cycle among the nodes that are stuck: the shortest through one of the latest edges.
    fn cycle(&self, stuck: &[bool]) -> Vec<(usize, usize, Why)> {
        const STARTS_MAX: usize = 100;
        let out = self.out();
        let starts = self.edges.iter().rev().filter(|(from, to, _)| stuck[*from] && stuck[*to]);
        let cycles = starts.take(STARTS_MAX).filter_map(|&(from, to, why)| {
            let mut steps = vec![(from, to, why)];
            steps.extend(way(&out, to, from)?);
            Some(steps)
        });
        self.told(cycles.min_by_key(Vec::len).unwrap_or_default())
    }

    fn out(&self) -> Vec<Vec<(usize, Why)>> {
        self.out_of(self.edges.len())
    }

    /// The ways out of each node, by the chains and the first edges.
    fn out_of(&self, edges: usize) -> Vec<Vec<(usize, Why)>> {
        let mut out: Vec<Vec<(usize, Why)>> = vec![Vec::new(); self.places.len()];
        for chain in &self.chains {
            chain.windows(2).for_each(|pair| out[pair[0]].push((pair[1], Why::Process)));
        }
        self.edges[..edges].iter().for_each(|&(from, to, why)| out[from].push((to, why)));
        out
    }

    /// Steps of one process after each other are one.
    fn told(&self, steps: Vec<(usize, usize, Why)>) -> Vec<(usize, usize, Why)> {
        if !self.is_process_order_whole {
            return steps;
        }
        let mut told: Vec<(usize, usize, Why)> = Vec::new();
        for step in steps {
            match told.last_mut() {
                Some(last) if last.2 == Why::Process && step.2 == Why::Process => last.1 = step.1,
                _ => told.push(step),
            }
        }
        told
    }

    /// All nodes that the steps of a flaw are derived from.
    pub(super) fn support(&self, flaw: &Flaw) -> Vec<usize> {
        let (Flaw::Cycle(steps) | Flaw::Beginning(steps)) = flaw;
        let mut support: Vec<usize> = Vec::new();
        let mut is_known = vec![false; self.edges.len()];
        let mut open = steps.clone();
        while let Some(step @ (from, to, why)) = open.pop() {
            support.extend([from, to]);
            let Why::Kept(read) = why else { continue };
            support.push(read);
            let Some(number) = self.edges.iter().position(|edge| *edge == step) else { continue };
            if !std::mem::replace(&mut is_known[number], true) {
                open.extend(self.told(way(&self.out_of(number), from, read).unwrap_or_default()));
            }
        }
        support.sort_unstable();
        support.dedup();
        support
    }
}

/// The shortest way from one node to another.
fn way(out: &[Vec<(usize, Why)>], from: usize, to: usize) -> Option<Vec<(usize, usize, Why)>> {
    let mut came: Vec<Option<(usize, Why)>> = vec![None; out.len()];
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        for &(next, why) in &out[node] {
            if came[next].is_none() && next != from {
                came[next] = Some((node, why));
                queue.push_back(next);
            }
        }
    }
    let (mut steps, mut at) = (Vec::new(), to);
    while at != from {
        let (before, why) = came[at]?;
        steps.push((before, at, why));
        at = before;
    }
    steps.reverse();
    Some(steps)
}
