//! Session guarantees by patterns: what a read must not find after what its process did or saw.
//!
//! Invariant: each pattern is exact for its definition in [the module](super). The definitions by orders ask for one read,
//! or for two with the edges of a simple kind, so that an order is missing exactly if the pattern is there.
//!
//! What is deliberately absent: guesses which of two writes is newer when nothing tells.

use std::collections::BTreeMap;

use super::{Found, Rules, web::Web};

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
        for (at, node, source) in web.reads(process) {
            for (writer, &(until, shown)) in seen.iter().enumerate() {
                let own = &written[writer][node.key];
                let last = own.partition_point(|&write| web.nodes[write].at < until).checked_sub(1);
                let Some(newer) = last.map(|last| own[last]) else { continue };
                let is_its_own = |source: usize| web.nodes[source].chain == writer;
                tested += usize::from(source.is_none_or(is_its_own));
                let is_stale = source.is_none_or(|source| {
                    is_its_own(source) && web.nodes[source].at < web.nodes[newer].at
                });
                if is_stale {
                    return Found::Stale { read: at, source, shown: Some(shown), newer, why: EARLIER_WRITE };
                }
            }
            // A swap is a write as well, and stands before the next read.
            for write in source.into_iter().chain(node.is_write.then_some(at)).map(|write| &web.nodes[write]) {
                // A write of unknown fate follows what its process did before it.
                let (writer, until) = match write.previous.map(|previous| &web.nodes[previous]) {
                    _ if write.chain < web.processes => (write.chain, write.at + 1),
                    Some(previous) => (previous.chain, previous.at + 1),
                    None => continue,
                };
                if until > seen[writer].0 && R::WRITES_BRING_EARLIER_ONES {
                    seen[writer] = (until, at);
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

/// Does a process, having read a write, find what the writer, or one it had read from, had read before and overwritten?
pub(super) fn writes_follow_reads<R: Rules>(web: &Web) -> Found {
    if web.nodes.iter().filter(|node| node.is_write).count() > WRITES_MAX {
        return Found::TooMany(WRITES_MAX);
    }
    let behind = match behind(web) {
        Ok(behind) => behind,
        Err(write) => return Found::Itself { write },
    };
    let mut tested = 0;
    for process in 0..web.processes {
        let mut is_known = vec![false; web.nodes.len()];
        // What is seen, and what is older than something seen: by which read, and than what.
        let mut seen: Vec<Option<usize>> = vec![None; web.keys];
        let mut is_seen = vec![false; web.nodes.len()];
        let mut stale: Vec<Option<(usize, usize)>> = vec![None; web.nodes.len()];
        let mut shown_by: Vec<usize> = vec![0; web.nodes.len()];
        for (at, node, source) in web.reads(process) {
            if let Some(newer) = seen[node.key] {
                tested += 1;
                let flaw = match source {
                    None => Some((newer, shown_by[newer])),
                    Some(source) => stale[source],
                };
                if let Some((newer, shown)) = flaw {
                    return Found::Stale { read: at, source, shown: Some(shown), newer, why: READ_WRITE };
                }
            }
            // A swap is a write as well, and stands before the next read.
            let mut found: Vec<usize> = source.into_iter().chain(node.is_write.then_some(at)).collect();
            for write in found.clone() {
                if R::READS_OF_WRITERS_COUNT {
                    walk(web, write, &mut is_known, &mut found);
                }
            }
            for write in found {
                if std::mem::replace(&mut is_seen[write], true) {
                    continue;
                }
                shown_by[write] = at;
                seen[web.nodes[write].key].get_or_insert(write);
                behind[write].iter().for_each(|&older| stale[older] = stale[older].or(Some((write, at))));
            }
        }
    }
    Found::None { tested }
}
