//! Random graphs.

use petgraph::unionfind::UnionFind;

use super::components;
use crate::kernel::draws::{Probability, Stream};

/// An edge between two replicas.
type Edge = (u32, u32);

/// A connected random graph in which all have `degree` neighbours.
///
/// Ends of links are paired at random (the configuration model); links that are loops or repetitions then exchange ends
/// with random other links until there are none. A graph that is not connected is drawn anew.
pub(super) fn regular(replicas: u32, degree: u32, stream: &Stream) -> Vec<Edge> {
    if degree == 2 && replicas > 2 {
        // Two neighbours each and connected: that is a ring, in some order.
        let mut order: Vec<u32> = (0..replicas).collect();
        stream.shuffle(0, 0, &mut order);
        return (0..replicas as usize).map(|at| (order[at], order[(at + 1) % order.len()])).collect();
    }
    if degree > replicas / 2 {
        // What is missing from a dense graph is a sparse one, and exchanges of ends find little room in a dense one. With
        // more than half of all others as neighbours, any two share one: the graph is connected.
        return complement(replicas, &paired(replicas, replicas - 1 - degree, stream, false));
    }
    paired(replicas, degree, stream, true)
}

/// Draws until a simple graph comes out, and a connected one if that is asked for.
fn paired(replicas: u32, degree: u32, stream: &Stream, must_connect: bool) -> Vec<Edge> {
    let mut attempt = 0;
    loop {
        let simple = Pairing::draw(replicas, degree, stream, attempt).repair(stream, attempt);
        if let Some(edges) = simple.filter(|edges| !must_connect || is_connected(replicas, edges)) {
            return edges;
        }
        attempt += 1;
    }
}

fn is_connected(replicas: u32, edges: &[Edge]) -> bool {
    let mut sets = UnionFind::new(replicas as usize);
    let joins = edges.iter().filter(|&&(a, b)| sets.union(a, b)).count();
    joins + 1 >= replicas as usize
}

fn complement(replicas: u32, edges: &[Edge]) -> Vec<Edge> {
    let mut missing: Vec<Edge> = edges.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
    missing.sort_unstable();
    let all = (0..replicas).flat_map(|a| (a + 1..replicas).map(move |b| (a, b)));
    all.filter(|edge| missing.binary_search(edge).is_err()).collect()
}

/// A graph of equal degrees, with loops and repetitions at first.
struct Pairing {
    degree: usize,
    edges: Vec<Edge>,
    /// The neighbours of every replica, `degree` for each, in any order.
    rows: Vec<u32>,
}

impl Pairing {
    fn draw(replicas: u32, degree: u32, stream: &Stream, attempt: u64) -> Self {
        let mut ends: Vec<u32> = (0..replicas).flat_map(|node| std::iter::repeat_n(node, degree as usize)).collect();
        stream.shuffle(2 * attempt, 0, &mut ends);
        let edges: Vec<Edge> = ends.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let mut filled = vec![0; replicas as usize];
        let mut rows = vec![0; ends.len()];
        for &(a, b) in &edges {
            for (node, neighbour) in [(a, b), (b, a)] {
                rows[node as usize * degree as usize + filled[node as usize]] = neighbour;
                filled[node as usize] += 1;
            }
        }
        Self { degree: degree as usize, edges, rows }
    }

    fn row(&mut self, node: u32) -> &mut [u32] {
        let start = node as usize * self.degree;
        &mut self.rows[start..start + self.degree]
    }

    /// How often `b` is in the row of `a`.
    fn count(&mut self, (a, b): Edge) -> usize {
        self.row(a).iter().filter(|&&neighbour| neighbour == b).count()
    }

    fn is_bad(&mut self, edge: Edge) -> bool {
        edge.0 == edge.1 || self.count(edge) > 1
    }

    /// Replaces one occurrence of `old` in the row of `node`.
    fn replace(&mut self, node: u32, old: u32, new: u32) {
        if let Some(slot) = self.row(node).iter_mut().find(|slot| **slot == old) {
            *slot = new;
        }
    }

    /// Exchanges ends until the graph is simple; `None` when that does not come to an end.
    fn repair(mut self, stream: &Stream, attempt: u64) -> Option<Vec<Edge>> {
        let count = self.edges.len();
        let bad: Vec<usize> = (0..count).filter(|&at| self.is_bad(self.edges[at])).collect();
        let mut counter = 0;
        for at in bad {
            let mut tries = 0;
            while self.is_bad(self.edges[at]) {
                if tries > 100 + 20 * count {
                    return None;
                }
                tries += 1;
                let other = stream.below(2 * attempt + 1, counter, count as u64 * 2);
                counter += 1;
                self.exchange(at, (other / 2) as usize, other % 2 == 1);
            }
        }
        Some(self.edges)
    }

    /// Makes `(a, d)` and `(c, b)` of `(a, b)` and `(c, d)` if both are new.
    fn exchange(&mut self, at: usize, other: usize, is_turned: bool) {
        let (a, b) = self.edges[at];
        let (c, d) = if is_turned { (self.edges[other].1, self.edges[other].0) } else { self.edges[other] };
        let is_new = |pairing: &mut Self, edge: Edge| edge.0 != edge.1 && pairing.count(edge) == 0;
        if at == other || (a == c && b == d) || !is_new(self, (a, d)) || !is_new(self, (c, b)) {
            return;
        }
        self.replace(a, b, d);
        self.replace(b, a, c);
        self.replace(c, d, b);
        self.replace(d, c, a);
        self.edges[at] = (a, d);
        self.edges[other] = (c, b);
    }
}

/// A ring on which everybody knows the nearest `degree`, where each link leads elsewhere with probability `rewire`.
///
/// Parts that rewiring has cut off are tied to the rest by one link each, so the graph is connected whatever is drawn.
pub(super) fn small_world(replicas: u32, degree: u32, rewire: Probability, stream: &Stream) -> Vec<Edge> {
    let lattice = |node: u32, step: u32| (node, ((u64::from(node) + u64::from(step)) % u64::from(replicas)) as u32);
    let mut rows: Vec<Vec<u32>> = vec![Vec::with_capacity(degree as usize + 2); replicas as usize];
    for (a, b) in (1..=degree / 2).flat_map(|step| (0..replicas).map(move |node| lattice(node, step))) {
        rows[a as usize].push(b);
        rows[b as usize].push(a);
    }
    for step in 1..=degree / 2 {
        for node in 0..replicas {
            let (a, b) = lattice(node, step);
            let entity = u64::from(node);
            let first = u64::from(step) << 8;
            if !rewire.happens(stream.word(entity, first)) {
                continue;
            }
            // A replica that knows nearly everybody keeps its link rather than searching on.
            let mut draws = (1..32).map(|k| stream.below(entity, first + k, u64::from(replicas)) as u32);
            if let Some(target) = draws.find(|&target| target != a && !rows[a as usize].contains(&target)) {
                rows[a as usize].retain(|&neighbour| neighbour != b);
                rows[b as usize].retain(|&neighbour| neighbour != a);
                rows[a as usize].push(target);
                rows[target as usize].push(a);
            }
        }
    }
    let upper = |(a, row): (u32, Vec<u32>)| row.into_iter().filter(move |&b| a < b).map(move |b| (a, b));
    let mut edges: Vec<Edge> = (0..replicas).zip(rows).flat_map(upper).collect();
    tie(replicas, &mut edges);
    edges
}

/// Links every further component to the one before it on the ring.
fn tie(replicas: u32, edges: &mut Vec<Edge>) {
    let mut sets = components(replicas, edges);
    edges.extend((1..replicas).map(|node| (node - 1, node)).filter(|&(a, b)| sets.union(a, b)));
}

/// Replicas join one by one with `links` links each, to others in proportion to the links these have.
pub(super) fn scale_free(replicas: u32, links: u32, stream: &Stream) -> Vec<Edge> {
    let core = links + 1;
    let mut edges: Vec<Edge> = (0..core).flat_map(|a| (a + 1..core).map(move |b| (a, b))).collect();
    // Every replica stands here as often as it has links.
    let mut ends: Vec<u32> = edges.iter().flat_map(|&(a, b)| [a, b]).collect();
    let mut targets = Vec::with_capacity(links as usize);
    for node in core..replicas {
        targets.clear();
        let mut counter = 0;
        while targets.len() < links as usize {
            let target = ends[stream.below(u64::from(node), counter, ends.len() as u64) as usize];
            counter += 1;
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        for &target in &targets {
            edges.push((target, node));
            ends.extend([target, node]);
        }
    }
    edges
}
