//! Who is whose neighbour, as flat tables.
//!
//! A complete graph needs no table at all. Every other graph is stored as compressed rows: the neighbours of a replica
//! are one sorted slice, and the position in the row is the number of the directed link. Graphs are generated and checked
//! elsewhere (`scenario::topology`); during a run nothing here changes.

use super::ids::NodeId;

/// The graph of replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// Every replica is every other's neighbour.
    Complete {
        /// The number of replicas.
        replicas: u32,
    },
    /// Only the listed links exist.
    Sparse(Rows),
}

/// Compressed rows: the neighbours of replica `r` are `targets[offsets[r]..offsets[r + 1]]`, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    offsets: Vec<u32>,
    targets: Vec<u32>,
}

impl Rows {
    /// The rows of an undirected graph over `replicas` nodes; repeated edges count once, and self-loops not at all.
    /// Edges name existing replicas.
    pub fn from_edges(replicas: u32, edges: &[(u32, u32)]) -> Self {
        let mut directed: Vec<(u32, u32)> =
            edges.iter().filter(|(a, b)| a != b).flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
        directed.sort_unstable();
        directed.dedup();
        let mut offsets = vec![0; replicas as usize + 1];
        for &(from, _) in &directed {
            offsets[from as usize + 1] += 1;
        }
        for row in 0..replicas as usize {
            offsets[row + 1] += offsets[row];
        }
        Self { offsets, targets: directed.into_iter().map(|(_, to)| to).collect() }
    }

    /// The number of directed links.
    pub fn links(&self) -> u32 {
        self.targets.len() as u32
    }

    /// The neighbours of `replica`, sorted.
    #[inline]
    pub fn neighbours(&self, replica: u32) -> &[u32] {
        &self.targets[self.offsets[replica as usize] as usize..self.offsets[replica as usize + 1] as usize]
    }

    /// The number of the first link of `replica`, and its neighbours.
    #[inline]
    pub fn row(&self, replica: u32) -> (usize, &[u32]) {
        (self.offsets[replica as usize] as usize, self.neighbours(replica))
    }

    /// The number of the directed link from `from` to `to`, if it exists.
    #[inline]
    pub fn link(&self, from: u32, to: u32) -> Option<u32> {
        let (first, row) = self.row(from);
        // Rows of sparse graphs are short, and a scan of one cache line beats a search.
        let at =
            if row.len() <= 16 { row.iter().position(|&target| target == to)? } else { row.binary_search(&to).ok()? };
        Some((first + at) as u32)
    }
}

impl Topology {
    /// The number of replicas.
    pub fn replicas(&self) -> u32 {
        match self {
            Self::Complete { replicas } => *replicas,
            Self::Sparse(rows) => rows.offsets.len() as u32 - 1,
        }
    }

    /// The number of neighbours of a replica.
    #[inline]
    pub fn degree(&self, replica: NodeId) -> u32 {
        match self {
            Self::Complete { replicas } => replicas - 1,
            Self::Sparse(rows) => rows.neighbours(replica.0).len() as u32,
        }
    }

    /// A neighbour by its index, which is below the degree.
    #[inline]
    pub fn neighbour(&self, replica: NodeId, index: u32) -> NodeId {
        match self {
            // Counting past oneself keeps the others in order.
            Self::Complete { .. } => NodeId(index + u32::from(index >= replica.0)),
            Self::Sparse(rows) => NodeId(rows.neighbours(replica.0)[index as usize]),
        }
    }

    /// For every replica the neighbour that is next on a shortest path to `root` (the least numbered of several);
    /// `root` has itself. Unreachable replicas have `None`.
    pub fn next_hops(&self, root: NodeId) -> Vec<Option<NodeId>> {
        let replicas = self.replicas();
        match self {
            Self::Complete { .. } => vec![Some(root); replicas as usize],
            Self::Sparse(rows) => {
                let mut hops = vec![None; replicas as usize];
                hops[root.index()] = Some(root);
                let mut frontier = std::collections::VecDeque::from([root.0]);
                while let Some(at) = frontier.pop_front() {
                    for &next in rows.neighbours(at) {
                        if hops[next as usize].is_none() {
                            hops[next as usize] = Some(NodeId(at));
                            frontier.push_back(next);
                        }
                    }
                }
                hops
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_graph_lists_everybody_but_oneself() {
        let graph = Topology::Complete { replicas: 4 };
        let of = |node| (0..3).map(|k| graph.neighbour(NodeId(node), k).0).collect::<Vec<_>>();
        assert_eq!((of(0), of(2), of(3)), (vec![1, 2, 3], vec![0, 1, 3], vec![0, 1, 2]));
    }

    #[test]
    fn rows_are_sorted_and_links_are_numbered() {
        let rows = Rows::from_edges(4, &[(2, 1), (0, 1), (1, 0), (3, 3), (1, 3)]);
        assert_eq!(rows.neighbours(1), [0, 2, 3]);
        assert_eq!(rows.neighbours(3), [1]);
        assert_eq!(rows.links(), 6);
        assert_eq!((rows.link(1, 3), rows.link(3, 1), rows.link(0, 2)), (Some(3), Some(5), None));
    }

    #[test]
    fn next_hops_lead_along_shortest_paths() {
        let path = Topology::Sparse(Rows::from_edges(5, &[(0, 1), (1, 2), (2, 3)]));
        let hops = path.next_hops(NodeId(3));
        assert_eq!(hops[0], Some(NodeId(1)));
        assert_eq!(hops[2], Some(NodeId(3)));
        assert_eq!(hops[4], None);
    }
}
