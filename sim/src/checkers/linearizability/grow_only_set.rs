//! Sets to which every element is added once: an exact answer in `O(n log n)`, without a search.
//!
//! What reads saw orders them: a subset comes first. They form a chain of growing sets, or the history is not linearizable.
//! An addition stands between the last read without the element and the first one with it, which is one gap of the chain.
//! So the calls fall into blocks: the additions of a gap, the reads after it, the additions of the next gap, … Within a
//! block real time decides, and between blocks no call may have returned before one of an earlier block was invoked.
//!
//! What is deliberately absent: elements that are added twice, and removal.

use std::collections::{BTreeMap, BTreeSet};

/// Are additions, `(element, invoked, returned)`, and reads, `(elements, invoked, returned)`, linearizable? `None` if an
/// element is added twice.
pub(super) fn judge<E: Ord>(adds: &[(&E, u64, Option<u64>)], mut reads: Vec<(&BTreeSet<E>, u64, u64)>) -> Option<bool> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_histories() {
        let [none, one, two, both] = [vec![], vec![1], vec![2], vec![1, 2]].map(BTreeSet::from_iter);
        let adds = [(&1, 0, Some(3)), (&2, 2, None)];
        for (reads, expected) in [
            (vec![(&none, 0, 1), (&one, 1, 2), (&both, 4, 5)], Some(true)),
            (vec![(&none, 4, 5)], Some(false)),
            (vec![(&none, 3, 5)], Some(true)),
            (vec![(&both, 0, 1)], Some(false)),
            (vec![(&one, 0, 9), (&two, 0, 9)], Some(false)),
            (vec![(&one, 5, 6), (&both, 3, 4)], Some(false)),
        ] {
            assert_eq!(judge(&adds, reads.clone()), expected, "{reads:?}");
        }
        assert_eq!(judge(&[(&1, 0, None), (&1, 1, None)], vec![(&none, 0, 1)]), None);
    }
}
