//! Counters to which only ones are added, and sets to which every element is added once: exact answers without a search.
//!
//! In both, what reads saw orders them: a smaller total, or a subset, comes first.
//!
//! **Counter.** Group the reads by their totals, ascending. A group has to stand at one point of time, not before the latest
//! invocation among itself and the groups before it, and not after the earliest return among itself and the groups after
//! it. All additions are alike, so which ones stand before that point does not matter, only how many can and how many must:
//! at the left end no more must have happened than the total, and at the right end no fewer can have. Going to the right,
//! what can have happened grows by invocations and what must have by returns that come later, so that a total between the
//! two ends is met in between.
//!
//! **Set.** The reads form a chain of growing sets. An addition stands between the last read without the element and the
//! first one with it, which is one gap of the chain. So the calls fall into blocks: the additions of a gap, the reads after
//! it, the additions of the next gap, … Within a block real time decides, and between blocks no call may have returned
//! before one of an earlier block was invoked.
//!
//! What is deliberately absent: elements that are added twice, amounts other than one, and removal.

use std::collections::{BTreeMap, BTreeSet};

/// Are additions of one, `(invoked, returned)`, and reads, `(total, invoked, returned)`, linearizable?
pub(super) fn counter(adds: Vec<(u64, Option<u64>)>, mut reads: Vec<(i128, u64, u64)>) -> bool {
    let (mut invoked, returned): (Vec<u64>, Vec<Option<u64>>) = adds.into_iter().unzip();
    let mut returned: Vec<u64> = returned.into_iter().flatten().collect();
    invoked.sort_unstable();
    returned.sort_unstable();
    reads.sort_unstable();
    let latest_return = {
        let mut earliest = u64::MAX;
        let mut from_here: Vec<u64> = reads
            .iter()
            .rev()
            .map(|&(_, _, returned)| {
                earliest = earliest.min(returned);
                earliest
            })
            .collect();
        from_here.reverse();
        from_here
    };
    let mut latest_invocation = 0;
    for group in reads.chunk_by(|one, other| one.0 == other.0) {
        let total = group[0].0;
        // Groups are slices of the reads in order, so the place of this one is where its first read lies.
        let at = reads.partition_point(|read| read.0 < total);
        latest_invocation = group.iter().map(|read| read.1).fold(latest_invocation, u64::max);
        let must = returned.partition_point(|&at| at < latest_invocation) as i128;
        let can = invoked.partition_point(|&invoked| invoked <= latest_return[at]) as i128;
        if latest_invocation > latest_return[at] || must > total || can < total {
            return false;
        }
    }
    true
}

/// Are additions, `(element, invoked, returned)`, and reads, `(elements, invoked, returned)`, linearizable? `None` if an
/// element is added twice.
pub(super) fn set<E: Ord>(adds: &[(&E, u64, Option<u64>)], mut reads: Vec<(&BTreeSet<E>, u64, u64)>) -> Option<bool> {
    let mut added: BTreeMap<&E, (u64, Option<u64>)> = BTreeMap::new();
    for &(element, invoked, returned) in adds {
        if added.insert(element, (invoked, returned)).is_some() {
            return None;
        }
    }
    reads.sort_by_key(|read| read.0.len());
    // Calls as `(latest invocation, earliest return)` of blocks in their order.
    let mut blocks: Vec<(u64, u64)> = Vec::new();
    let mut seen: Option<&BTreeSet<E>> = None;
    for (elements, invoked, returned) in reads {
        if seen != Some(elements) {
            let before = seen.map_or(0, BTreeSet::len);
            let mut gap = (0, u64::MAX);
            let mut kept = 0;
            for element in elements {
                if seen.is_some_and(|seen| seen.contains(element)) {
                    kept += 1;
                    continue;
                }
                let Some((invoked, returned)) = added.remove(element) else { return Some(false) };
                gap = (gap.0.max(invoked), gap.1.min(returned.unwrap_or(u64::MAX)));
            }
            if kept != before {
                return Some(false);
            }
            blocks.push(gap);
            blocks.push((0, u64::MAX));
            seen = Some(elements);
        }
        if let Some(block) = blocks.last_mut() {
            *block = (block.0.max(invoked), block.1.min(returned));
        }
    }
    // What nobody saw happened after all reads; if its fate is unknown, it need not have happened.
    let unseen = added.into_values().filter_map(|(invoked, returned)| Some((invoked, returned?)));
    blocks.push(unseen.fold((0, u64::MAX), |block, (invoked, returned)| (block.0.max(invoked), block.1.min(returned))));
    let mut latest_invocation = 0;
    Some(blocks.into_iter().all(|(invoked, returned)| {
        let fits = returned >= latest_invocation;
        latest_invocation = latest_invocation.max(invoked);
        fits
    }))
}
