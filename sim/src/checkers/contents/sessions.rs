//! Session guarantees of contents (Terry et al. 1994, *Session guarantees for weakly consistent replicated data*), and the
//! models that they make up.
//!
//! PRAM (Lipton and Sandberg 1988) asks, for each process, for an order of all updates and its own reads that keeps to the
//! order of every process. A process's reads are nested by monotonic reads, which says where each update stands; the rest is
//! read-your-writes and monotonic writes. Causal consistency asks for all that is in the causal past of a read to be in its
//! content: along any chain of causes, each link is one of the four guarantees, and conversely.
//!
//! Cost: one pass over the bits for each, and for *writes follow reads* one for each process with an update in the content.
//!
//! What is deliberately absent: indeterminate updates as causes of what their process did next. They may take effect later.

use super::{Anomaly, Contents, Fate, missing, places};

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
        let row = contents.row(at);
        let own =
            updates_of(contents, read.process).take_while(|&place| contents.updates[place].invoked < read.invoked);
        let mut own = own.filter(|&place| contents.updates[place].fate == Fate::Acknowledged);
        let place = own.find(|&place| row[place / 64] >> (place % 64) & 1 == 0)?;
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

/// For each read and each process, the latest update of the process in the content: those before it must be there.
pub(super) fn monotonic_writes(contents: &Contents) -> Option<Anomaly> {
    let processes: Vec<std::ops::Range<usize>> = ranges(contents);
    contents.reads.iter().enumerate().find_map(|(at, read)| {
        let row = contents.row(at);
        processes.iter().find_map(|range| {
            let latest = latest_in(row, range)?;
            let earlier = missing_within(&contents.acknowledged, row, range.start, latest)?;
            Some(Anomaly::Overtaken {
                read: read.call,
                update: contents.updates[earlier].call,
                by: contents.updates[latest].call,
            })
        })
    })
}

/// The places of each process's updates.
fn ranges(contents: &Contents) -> Vec<std::ops::Range<usize>> {
    let mut from = 0;
    let processes = contents.updates.chunk_by(|a, b| a.process == b.process);
    processes
        .map(|updates| {
            from += updates.len();
            from - updates.len()..from
        })
        .collect()
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

/// The last update of a range that is in the content.
fn latest_in(row: &[u64], range: &std::ops::Range<usize>) -> Option<usize> {
    (range.start / 64..range.end.div_ceil(64)).rev().find_map(|word| {
        let bits = row[word] & within(word, range.start, range.end);
        (bits != 0).then(|| word * 64 + 63 - bits.leading_zeros() as usize)
    })
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

pub(super) fn writes_follow_reads(contents: &Contents) -> Option<Anomaly> {
    let seen: Vec<Seen> = reads_by_process(contents).into_iter().map(|reads| union_up_to(contents, reads)).collect();
    // For each process with updates, what it read.
    let processes: Vec<(std::ops::Range<usize>, &Seen)> = ranges(contents)
        .into_iter()
        .filter_map(|range| {
            let process = contents.updates[range.start].process;
            let at = seen.binary_search_by_key(&process, |seen| contents.reads[seen.reads[0]].process).ok()?;
            Some((range, &seen[at]))
        })
        .collect();
    contents.reads.iter().enumerate().find_map(|(at, read)| {
        let row = contents.row(at);
        processes.iter().find_map(|(range, seen)| {
            // The latest update has the most causes.
            let effect = latest_in(row, range)?;
            let invoked = contents.updates[effect].invoked;
            let before = seen.reads.partition_point(|&read| contents.reads[read].invoked < invoked).checked_sub(1)?;
            let cause = missing(&seen.unions[before], row)?;
            let had_it = |&&read: &&usize| contents.row(read)[cause / 64] >> (cause % 64) & 1 == 1;
            let seen_by = *seen.reads[..=before].iter().find(had_it)?;
            Some(Anomaly::Uncaused {
                read: read.call,
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
