//! One order of all operations: linearizability and sequential consistency of contents.
//!
//! A read stands behind the updates that it contains and before all others. So contents must be nested, and then say where
//! everything stands: let the *rank* of a read be the size of its content, and that of an update the size of the smallest
//! content that it is in. Updates of one rank stand before the reads of that rank, in any order that is left to choose.
//! Acknowledged updates that nobody saw stand at the end; others need not have happened.
//!
//! Whatever precedes, by real time or in its process, must not have a greater rank; and a read that precedes an update must
//! have a smaller one. If that holds for all pairs, ordering those of equal rank as they precede each other gives an order of
//! everything. So the test is exact. It takes `O(n log n)`, and the nesting one pass over the bits.
//!
//! What is deliberately absent: a search.

use super::{Anomaly, Contents, Fate, missing, places};

/// The rank of what nobody saw.
const UNSEEN: u64 = u64::MAX;

/// Where everything stands.
struct Ranks {
    reads: Vec<u64>,
    updates: Vec<u64>,
    /// For each update a read of its rank that contains it.
    seen_first: Vec<usize>,
}

/// The ranks, or two reads that are not nested.
fn ranks(contents: &Contents) -> Result<Ranks, Anomaly> {
    let reads: Vec<u64> = (0..contents.reads.len()).map(|at| contents.size(at)).collect();
    let mut order: Vec<usize> = (0..reads.len()).collect();
    order.sort_by_key(|&at| reads[at]);
    let mut updates = vec![UNSEEN; contents.updates.len()];
    let mut seen_first = vec![0; contents.updates.len()];
    let empty = vec![0; contents.words];
    let mut smaller: Option<usize> = None;
    for at in order {
        let row = contents.row(at);
        let before = smaller.map_or(&empty[..], |smaller| contents.row(smaller));
        if let Some(alone) = missing(before, row) {
            // The larger content has one as well that the smaller has not.
            let other = missing(row, before).unwrap_or(alone);
            let smaller = smaller.unwrap_or(at);
            return Err(Anomaly::Fork {
                reads: [contents.reads[smaller].call, contents.reads[at].call],
                updates: [contents.updates[alone].call, contents.updates[other].call],
            });
        }
        for (word, (&bits, &known)) in row.iter().zip(before).enumerate() {
            for place in places(word, bits & !known) {
                (updates[place], seen_first[place]) = (reads[at], at);
            }
        }
        smaller = Some(at);
    }
    Ok(Ranks { reads, updates, seen_first })
}

/// Is there one order that keeps to real time?
pub(super) fn linearizable(contents: &Contents) -> Option<Anomaly> {
    let ranks = match ranks(contents) {
        Ok(ranks) => ranks,
        Err(fork) => return stale(contents).or(Some(fork)),
    };
    // What has returned, of the greatest rank so far: `(returned, rank, place)`.
    let mut read_before: Vec<(u64, u64, usize)> =
        contents.reads.iter().enumerate().map(|(at, read)| (read.returned, ranks.reads[at], at)).collect();
    let mut updated_before: Vec<(u64, u64, usize)> =
        acknowledged(contents).map(|(place, returned)| (returned, ranks.updates[place], place)).collect();
    leaders(&mut read_before);
    leaders(&mut updated_before);
    for (at, read) in contents.reads.iter().enumerate() {
        if let Some((_, rank, place)) = last_before(&updated_before, read.invoked)
            && rank > ranks.reads[at]
        {
            return Some(Anomaly::Stale { read: read.call, update: contents.updates[place].call });
        }
        if let Some((_, rank, earlier)) = last_before(&read_before, read.invoked)
            && rank > ranks.reads[at]
        {
            return shrunk(contents, earlier, at);
        }
    }
    for (place, update) in contents.updates.iter().enumerate().filter(|(place, _)| ranks.updates[*place] != UNSEEN) {
        if let Some((_, rank, earlier)) = last_before(&updated_before, update.invoked)
            && rank > ranks.updates[place]
        {
            return Some(overtaken(contents, &ranks, earlier, place));
        }
    }
    None
}

/// A stale read says more to a person than two reads that disagree.
fn stale(contents: &Contents) -> Option<Anomaly> {
    let mut updates: Vec<(u64, usize)> = acknowledged(contents).map(|(place, returned)| (returned, place)).collect();
    updates.sort_unstable();
    contents.reads.iter().enumerate().find_map(|(at, read)| {
        let row = contents.row(at);
        let mut before = updates.iter().take_while(|(returned, _)| *returned < read.invoked);
        let (_, place) = before.find(|(_, place)| row[place / 64] >> (place % 64) & 1 == 0)?;
        Some(Anomaly::Stale { read: read.call, update: contents.updates[*place].call })
    })
}

/// Acknowledged updates with their returns.
fn acknowledged(contents: &Contents) -> impl Iterator<Item = (usize, u64)> {
    let updates = contents.updates.iter().enumerate().filter(|(_, update)| update.fate == Fate::Acknowledged);
    updates.filter_map(|(place, update)| Some((place, update.returned?)))
}

/// Sorts by time, and keeps what has a greater rank than everything before it.
fn leaders(ranked: &mut Vec<(u64, u64, usize)>) {
    ranked.sort_unstable();
    let mut greatest = None;
    ranked.retain(|&(_, rank, _)| {
        let leads = greatest.is_none_or(|greatest| rank > greatest);
        greatest = greatest.max(Some(rank));
        leads
    });
}

/// The one of the greatest rank that returned before this.
fn last_before(leaders: &[(u64, u64, usize)], invoked: u64) -> Option<(u64, u64, usize)> {
    let count = leaders.partition_point(|(returned, ..)| *returned < invoked);
    count.checked_sub(1).map(|last| leaders[last])
}

fn shrunk(contents: &Contents, earlier: usize, later: usize) -> Option<Anomaly> {
    let gone = missing(contents.row(earlier), contents.row(later))?;
    Some(Anomaly::Shrunk {
        reads: [contents.reads[earlier].call, contents.reads[later].call],
        update: contents.updates[gone].call,
    })
}

fn overtaken(contents: &Contents, ranks: &Ranks, update: usize, by: usize) -> Anomaly {
    Anomaly::Overtaken {
        read: contents.reads[ranks.seen_first[by]].call,
        update: contents.updates[update].call,
        by: contents.updates[by].call,
    }
}

/// A call of a process.
#[derive(Clone, Copy)]
enum Call {
    Update(usize),
    Read(usize),
}

/// Is there one order that keeps to the order of each process?
pub(super) fn sequential(contents: &Contents) -> Option<Anomaly> {
    let ranks = match ranks(contents) {
        Ok(ranks) => ranks,
        Err(fork) => return Some(fork),
    };
    let updates =
        contents.updates.iter().enumerate().map(|(at, update)| (update.process, update.invoked, Call::Update(at)));
    let reads = contents.reads.iter().enumerate().map(|(at, read)| (read.process, read.invoked, Call::Read(at)));
    let mut calls: Vec<(u64, u64, Call)> = updates.chain(reads).collect();
    calls.sort_by_key(|&(process, invoked, _)| (process, invoked));
    calls.chunk_by(|a, b| a.0 == b.0).find_map(|calls| process_order(contents, &ranks, calls))
}

/// Does the order of a process agree with the ranks?
fn process_order(contents: &Contents, ranks: &Ranks, calls: &[(u64, u64, Call)]) -> Option<Anomaly> {
    // The greatest ranks so far, and who has them.
    let (mut updated, mut read): (Option<usize>, Option<usize>) = (None, None);
    for &(.., call) in calls {
        match call {
            Call::Read(at) => {
                if let Some(earlier) = updated.filter(|&earlier| ranks.updates[earlier] > ranks.reads[at]) {
                    let update = contents.updates[earlier].call;
                    return Some(Anomaly::Stale { read: contents.reads[at].call, update });
                }
                if let Some(earlier) = read.filter(|&earlier| ranks.reads[earlier] > ranks.reads[at]) {
                    return shrunk(contents, earlier, at);
                }
                read = Some(at);
            }
            Call::Update(at) => {
                if let Some(earlier) = read.filter(|&earlier| ranks.updates[at] <= ranks.reads[earlier]) {
                    let read = contents.reads[earlier].call;
                    return Some(Anomaly::Future { read, update: contents.updates[at].call });
                }
                let is_seen = ranks.updates[at] != UNSEEN;
                if let Some(earlier) = updated.filter(|&earlier| is_seen && ranks.updates[earlier] > ranks.updates[at])
                {
                    return Some(overtaken(contents, ranks, earlier, at));
                }
                if contents.updates[at].fate == Fate::Acknowledged
                    && updated.is_none_or(|earlier| ranks.updates[earlier] <= ranks.updates[at])
                {
                    updated = Some(at);
                }
            }
        }
    }
    None
}
