//! Session guarantees by patterns: what a read must not find after what its process did or saw.
//!
//! Invariant: each pattern is exact for its definition in [the module](super). The definitions by orders ask for one read,
//! or for two with the edges of a simple kind, so that an order is missing exactly if the pattern is there.
//!
//! What is deliberately absent: guesses which of two writes is newer when nothing tells.

use std::collections::{BTreeMap, VecDeque};

use super::{
    Found, Rules,
    web::{Node, Web},
};

/// The most writes for which it is worked out which follow which.
const WRITES_MAX: usize = 20_000;

/// What a process knows of one key.
#[derive(Default)]
struct Known {
    /// Its latest write that was acknowledged.
    latest: Option<usize>,
    /// What it had read or written before its latest write, with the access that shows it.
    older: BTreeMap<usize, usize>,
    /// What it read since.
    since: BTreeMap<usize, usize>,
}

/// Does a read find the beginning, or what its process had written or read before its latest write of the key?
pub(super) fn read_your_writes<R: Rules>(web: &Web) -> Found {
    let mut tested = 0;
    for chain in &web.chains[..web.processes] {
        let mut keys: Vec<Known> = Vec::new();
        keys.resize_with(web.keys, Known::default);
        for &at in chain {
            let node = &web.nodes[at];
            let known = &mut keys[node.key];
            if let (Some(source), Some(latest)) = (node.source, known.latest) {
                tested += 1;
                if let Some(&shown) = known.older.get(&at).or_else(|| known.older.get(&latest)) {
                    return Found::Itself { nodes: vec![at, shown, latest] };
                }
                let stale = source.map(|source| known.older.get(&source));
                if stale.is_none_or(|stale| stale.is_some()) {
                    let shown = stale.flatten().copied();
                    return Found::Stale { read: at, source, shown, newer: latest, why: OWN_WRITE };
                }
            }
            known.since.extend(node.source.flatten().map(|source| (source, at)));
            if node.is_write {
                if R::OWN_READS_COUNT {
                    known.older.append(&mut known.since);
                }
                known.older.extend(known.latest.map(|latest| (latest, latest)));
                known.latest = Some(at);
            }
        }
    }
    Found::None { tested }
}

const OWN_WRITE: &str = "after its own write";
const EARLIER_WRITE: &str = "after it had seen a later write of the same process";
const READ_WRITE: &str = "after it had seen what was written by one who had read this";

/// Does a process, having read a write, find the beginning where the writer had written before, or what the writer had
/// written before that?
pub(super) fn monotonic_writes<R: Rules>(web: &Web) -> Found {
    let mut tested = 0;
    let mut written: Vec<Vec<Vec<usize>>> = vec![vec![Vec::new(); web.keys]; web.processes];
    for &at in web.chains[..web.processes].iter().flatten().filter(|&&at| web.nodes[at].is_write) {
        written[web.nodes[at].chain][web.nodes[at].key].push(at);
    }
    for process in 0..web.processes {
        // How much of each process's writes is seen, and by which read.
        let mut seen: Vec<(usize, usize)> = vec![(0, 0); web.processes];
        // A write of unknown fate that is seen, by key, and the read by which it is.
        let mut loose: Vec<Option<(usize, usize)>> = vec![None; web.keys];
        // Up to where a process's writes of a key stand before such a one of its own, and that one with the read.
        let mut covered: BTreeMap<(usize, usize), (usize, usize, usize)> = BTreeMap::new();
        for (at, node, source) in web.reads(process) {
            if let (None, Some((newer, shown))) = (source, loose[node.key]) {
                return Found::Stale { read: at, source, shown: Some(shown), newer, why: EARLIER_WRITE };
            }
            for (writer, &(until, shown)) in seen.iter().enumerate() {
                let is_its_own = |source: usize| web.nodes[source].chain == writer;
                if let Some(&(until, newer, shown)) = covered.get(&(writer, node.key))
                    && source.is_some_and(|source| is_its_own(source) && web.nodes[source].at < until)
                {
                    return Found::Stale { read: at, source, shown: Some(shown), newer, why: EARLIER_WRITE };
                }
                let own = &written[writer][node.key];
                let last = own.partition_point(|&write| web.nodes[write].at < until).checked_sub(1);
                let Some(newer) = last.map(|last| own[last]) else { continue };
                tested += usize::from(source.is_none_or(is_its_own));
                let is_stale =
                    source.is_none_or(|source| is_its_own(source) && web.nodes[source].at < web.nodes[newer].at);
                if is_stale {
                    return Found::Stale { read: at, source, shown: Some(shown), newer, why: EARLIER_WRITE };
                }
            }
            let Some(number) = source else { continue };
            let source = &web.nodes[number];
            if source.chain >= web.processes {
                loose[source.key].get_or_insert((number, at));
            }
            // A write of unknown fate follows what its process did before it.
            let (writer, until) = match source.previous.map(|previous| &web.nodes[previous]) {
                _ if source.chain < web.processes => (source.chain, source.at + 1),
                Some(previous) => (previous.chain, previous.at + 1),
                None => continue,
            };
            if !R::WRITES_BRING_EARLIER_ONES {
                continue;
            }
            if until > seen[writer].0 {
                seen[writer] = (until, at);
            }
            if source.chain >= web.processes {
                let covers = covered.entry((writer, source.key)).or_insert((until, number, at));
                if until > covers.0 {
                    *covers = (until, number, at);
                }
            }
        }
    }
    Found::None { tested }
}

/// The writes of the same key that must stand before each write, by write, because of what their authors had read; or a
/// write that would stand before itself.
fn behind(web: &Web) -> Result<Vec<Vec<usize>>, usize> {
    let mut behind = vec![Vec::new(); web.nodes.len()];
    for (at, node) in web.nodes.iter().enumerate().filter(|(_, node)| node.is_write) {
        let mut found = Vec::new();
        walk(web, at, &mut vec![false; web.nodes.len()], &mut found);
        if found.contains(&at) {
            return Err(at);
        }
        found.retain(|&other| web.nodes[other].key == node.key);
        behind[at] = found;
    }
    Ok(behind)
}

/// Finds the writes before a write. `is_known` marks accesses up to which reads of their process were followed.
fn walk(web: &Web, write: usize, is_known: &mut [bool], found: &mut Vec<usize>) {
    let mut open = vec![write];
    let mut is_found = vec![false; web.nodes.len()];
    while let Some(write) = open.pop() {
        let mut at = if web.nodes[write].source.is_some() { Some(write) } else { web.nodes[write].previous };
        while let Some(access) = at.filter(|&access| !is_known[access]) {
            is_known[access] = true;
            if let Some(source) = web.nodes[access].source.flatten()
                && !std::mem::replace(&mut is_found[source], true)
            {
                found.push(source);
                open.push(source);
            }
            at = web.nodes[access].previous;
        }
    }
}

/// The accesses by which a write stands after itself: the writes on the way, and who read them.
fn circle(nodes: &[Node], write: usize) -> Vec<usize> {
    let mut came: Vec<Option<(usize, usize)>> = vec![None; nodes.len()];
    let mut queue = VecDeque::from([write]);
    while let Some(later) = queue.pop_front() {
        let mut at = if nodes[later].source.is_some() { Some(later) } else { nodes[later].previous };
        while let Some(access) = at {
            if let Some(source) = nodes[access].source.flatten().filter(|&source| came[source].is_none()) {
                came[source] = Some((access, later));
                queue.push_back(source);
            }
            at = nodes[access].previous;
        }
    }
    let (mut circle, mut at) = (Vec::new(), write);
    while let Some((access, later)) = came[at].take() {
        circle.extend([access, later]);
        at = later;
    }
    circle
}

/// Does a process, having read a write, find what the writer, or one it had read from, had read before and overwritten?
pub(super) fn writes_follow_reads<R: Rules>(web: &Web) -> Found {
    if web.nodes.iter().filter(|node| node.is_write).count() > WRITES_MAX {
        return Found::TooMany(WRITES_MAX);
    }
    let behind = match behind(web) {
        Ok(behind) => behind,
        Err(write) => return Found::Itself { nodes: circle(&web.nodes, write) },
    };
    let mut tested = 0;
    for process in 0..web.processes {
        let mut sight = Sight::new(web, &behind);
        for (at, node, source) in web.reads(process) {
            if let Some(newer) = sight.seen[node.key] {
                tested += 1;
                let flaw = match source {
                    None => Some((newer, sight.shown_by[newer])),
                    Some(source) => sight.stale[source],
                };
                if let Some((newer, shown)) = flaw {
                    return Found::Stale { read: at, source, shown: Some(shown), newer, why: READ_WRITE };
                }
            }
            if let Some(source) = source {
                sight.learn(source, at);
                sight.learn_behind::<R>(source, at);
            }
        }
    }
    Found::None { tested }
}

/// What a process has seen, and what is older than that.
struct Sight<'w> {
    web: &'w Web,
    behind: &'w [Vec<usize>],
    /// Accesses up to which the reads of their processes were followed.
    is_known: Vec<bool>,
    is_seen: Vec<bool>,
    /// A write that is seen, by key.
    seen: Vec<Option<usize>>,
    /// The read by which a write is seen.
    shown_by: Vec<usize>,
    /// Than what a write is older, and the read by which that is seen.
    stale: Vec<Option<(usize, usize)>>,
}

impl<'w> Sight<'w> {
    fn new(web: &'w Web, behind: &'w [Vec<usize>]) -> Self {
        let count = web.nodes.len();
        Self {
            web,
            behind,
            is_known: vec![false; count],
            is_seen: vec![false; count],
            seen: vec![None; web.keys],
            shown_by: vec![0; count],
            stale: vec![None; count],
        }
    }

    fn learn(&mut self, write: usize, read: usize) {
        if !std::mem::replace(&mut self.is_seen[write], true) {
            self.shown_by[write] = read;
            self.seen[self.web.nodes[write].key].get_or_insert(write);
            for &older in &self.behind[write] {
                self.stale[older].get_or_insert((write, read));
            }
        }
    }

    /// Learns what stands before a write.
    fn learn_behind<R: Rules>(&mut self, write: usize, read: usize) {
        let mut found = Vec::new();
        if R::READS_OF_WRITERS_COUNT {
            walk(self.web, write, &mut self.is_known, &mut found);
        }
        for write in found {
            self.learn(write, read);
        }
    }
}
