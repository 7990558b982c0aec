//! Session guarantees of contents (Terry et al. 1994, *Session guarantees for weakly consistent replicated data*), and the
//! models that they make up.
//!
//! PRAM (Lipton and Sandberg 1988) asks, for each process, for an order of all updates and its own reads that keeps to the
//! order of every process. A process's reads are nested by monotonic reads, which says where each update stands; the rest is
//! read-your-writes and monotonic writes. Causal consistency asks for all that is in the causal past of a read to be in its
//! content: along any chain of causes, each link is one of the four guarantees, and conversely.
//!
//! Cost: about one pass over the bits. Contents are mostly those of an earlier read and a few more updates, and what holds for
//! the earlier read needs no second look: only what is new is looked at ([`steps`]).
//!
//! What is deliberately absent: indeterminate updates as causes of what their process did next. They may take effect later.

use std::collections::BTreeMap;

use super::{Anomaly, Contents, missing, places};

/// The reads by process, each in the order of invocation.
fn reads_by_process(contents: &Contents) -> Vec<Vec<usize>> {
    let mut reads: Vec<usize> = (0..contents.reads.len()).collect();
    reads.sort_by_key(|&at| (contents.reads[at].process, contents.reads[at].invoked, at));
    reads.chunk_by(|&a, &b| contents.reads[a].process == contents.reads[b].process).map(<[usize]>::to_vec).collect()
}

/// The places of a process's updates.
fn updates_of(contents: &Contents, process: u64) -> std::ops::Range<usize> {
    let from = contents.updates.partition_point(|update| update.process < process);
    let to = contents.updates.partition_point(|update| update.process <= process);
    from..to
}

pub(super) fn read_your_writes(contents: &Contents) -> Option<Anomaly> {
    contents.reads.iter().enumerate().find_map(|(at, read)| {
        let own = updates_of(contents, read.process);
        let before = own.start + contents.updates[own.clone()].partition_point(|update| update.invoked < read.invoked);
        let place = missing_within(&contents.acknowledged, contents.row(at), own.start, before)?;
        Some(Anomaly::Stale { read: read.call, update: contents.updates[place].call })
    })
}

pub(super) fn monotonic_reads(contents: &Contents) -> Option<Anomaly> {
    reads_by_process(contents).iter().find_map(|reads| {
        reads.windows(2).find_map(|pair| {
            let gone = missing(contents.row(pair[0]), contents.row(pair[1]))?;
            Some(Anomaly::Shrunk {
                reads: [contents.reads[pair[0]].call, contents.reads[pair[1]].call],
                update: contents.updates[gone].call,
            })
        })
    })
}

/// The reads, small contents first, each with an earlier one that it contains, if a likely one does.
fn steps(contents: &Contents) -> Vec<(usize, Option<usize>)> {
    let sizes: Vec<u64> = (0..contents.reads.len()).map(|at| contents.size(at)).collect();
    let mut order: Vec<usize> = (0..contents.reads.len()).collect();
    order.sort_by_key(|&at| (sizes[at], contents.reads[at].invoked, at));
    let mut previous: BTreeMap<u64, usize> = BTreeMap::new();
    let mut last = None;
    order
        .into_iter()
        .map(|at| {
            let of_process = previous.insert(contents.reads[at].process, at);
            let likely = [last.replace(at), of_process].into_iter().flatten();
            let base = likely.into_iter().find(|&base| missing(contents.row(base), contents.row(at)).is_none());
            (at, base)
        })
        .collect()
}

/// The updates in a read that are not in its base.
fn news(contents: &Contents, at: usize, base: Option<usize>) -> impl Iterator<Item = usize> {
    let (row, base) = (contents.row(at), base.map(|base| contents.row(base)));
    let words = row.iter().enumerate();
    words.flat_map(move |(word, &bits)| places(word, bits & !base.map_or(0, |base| base[word])))
}

/// With an update of a process, those before it must be there.
pub(super) fn monotonic_writes(contents: &Contents) -> Option<Anomaly> {
    let starts = starts(contents);
    steps(contents).into_iter().find_map(|(at, base)| {
        let row = contents.row(at);
        news(contents, at, base).find_map(|by| {
            let earlier = missing_within(&contents.acknowledged, row, starts[by], by)?;
            Some(Anomaly::Overtaken {
                read: contents.reads[at].call,
                update: contents.updates[earlier].call,
                by: contents.updates[by].call,
            })
        })
    })
}

/// For each update the place of the first one of its process.
fn starts(contents: &Contents) -> Vec<usize> {
    let mut starts = Vec::with_capacity(contents.updates.len());
    for updates in contents.updates.chunk_by(|a, b| a.process == b.process) {
        starts.resize(starts.len() + updates.len(), starts.len());
    }
    starts
}

/// The bits of a word from `from` (inclusive) to `to` (exclusive), both counted from the first word on.
fn within(word: usize, from: usize, to: usize) -> u64 {
    let low = from.saturating_sub(word * 64);
    let high = to.saturating_sub(word * 64).min(64);
    if low >= high {
        return 0;
    }
    (u64::MAX << low) & (u64::MAX >> (64 - high))
}

/// The first of the wanted updates between two places that is not in the content.
fn missing_within(wanted: &[u64], row: &[u64], from: usize, to: usize) -> Option<usize> {
    (from / 64..to.div_ceil(64))
        .find_map(|word| places(word, wanted[word] & !row[word] & within(word, from, to)).next())
}

/// For each process, what it had read before each of its updates: the reads, and the union of their contents.
struct Seen {
    /// The reads of the process up to this one.
    reads: Vec<usize>,
    /// For each of the reads the union of all contents up to it.
    unions: Vec<Vec<u64>>,
}

/// With an update, what its process had read before must be there.
pub(super) fn writes_follow_reads(contents: &Contents) -> Option<Anomaly> {
    let seen: Vec<Seen> = reads_by_process(contents).into_iter().map(|reads| union_up_to(contents, reads)).collect();
    // For each update the process's reads, and how many of them came before.
    let causes: Vec<Option<(&Seen, usize)>> = contents
        .updates
        .iter()
        .map(|update| {
            let process = |seen: &Seen| contents.reads[seen.reads[0]].process;
            let seen = &seen[seen.binary_search_by_key(&update.process, process).ok()?];
            let before = seen.reads.partition_point(|&read| contents.reads[read].invoked < update.invoked);
            Some((seen, before.checked_sub(1)?))
        })
        .collect();
    steps(contents).into_iter().find_map(|(at, base)| {
        let row = contents.row(at);
        news(contents, at, base).find_map(|effect| {
            let (seen, before) = causes[effect]?;
            let cause = missing(&seen.unions[before], row)?;
            let had_it = |&&read: &&usize| contents.row(read)[cause / 64] >> (cause % 64) & 1 == 1;
            let seen_by = *seen.reads[..=before].iter().find(had_it)?;
            Some(Anomaly::Uncaused {
                read: contents.reads[at].call,
                cause: contents.updates[cause].call,
                seen_by: contents.reads[seen_by].call,
                effect: contents.updates[effect].call,
            })
        })
    })
}

fn union_up_to(contents: &Contents, reads: Vec<usize>) -> Seen {
    let mut union = vec![0; contents.words];
    let mut unions = Vec::with_capacity(reads.len());
    for &read in &reads {
        for (word, &bits) in union.iter_mut().zip(contents.row(read)) {
            *word |= bits;
        }
        unions.push(union.clone());
    }
    Seen { reads, unions }
}

pub(super) fn pram(contents: &Contents) -> Option<Anomaly> {
    read_your_writes(contents).or_else(|| monotonic_reads(contents)).or_else(|| monotonic_writes(contents))
}

pub(super) fn causal(contents: &Contents) -> Option<Anomaly> {
    pram(contents).or_else(|| writes_follow_reads(contents))
}
