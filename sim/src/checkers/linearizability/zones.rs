//! Registers whose values are written once: an exact answer in `O(n log n)`.
//!
//! If every value is written once, each read tells which write it saw. A write and its reads, a *cluster*, then stand
//! together in every linearization, for nothing else can be between them. Cluster `A` has to precede cluster `B` if some
//! call of `A` returned before some call of `B` was invoked: if the earliest return of `A` is before the latest invocation
//! of `B`. The history is linearizable exactly if no read precedes its write, and no two clusters have to precede each
//! other (Gibbons and Korach, *Testing shared memories*, 1997, whose proof shows that longer cycles contain one of two).
//!
//! A cluster's earliest return and latest invocation span its *zone*, which is *forward* if the return comes first: from
//! then to the invocation the register had this value. Two forward zones conflict if they overlap, and a forward and a
//! backward one if it contains the other; two backward ones never do.
//!
//! What is deliberately absent: compare-and-set, and values that are written twice. Both make the problem NP-complete.

use std::collections::BTreeMap;

/// A call on a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access<V> {
    /// Saw this value.
    Read(V),
    /// Wrote this value.
    Write(V),
}

/// A write and its reads. Times are shifted by one; 0 is before everything.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    write_invoked: u128,
    first_returned: u128,
    last_invoked: u128,
    is_seen: bool,
}

/// Are the calls `(access, invoked, returned)` linearizable? `None` if a value is written twice, or one that is there from
/// the beginning, or if there is a call of another kind, given as `None`.
pub(super) fn judge<V: Ord>(
    init: &V,
    calls: impl IntoIterator<Item = Option<(Access<V>, u64, Option<u64>)>>,
) -> Option<bool> {
    let mut clusters = BTreeMap::<V, Cluster>::new();
    let mut of_init = Cluster { write_invoked: 0, first_returned: 0, last_invoked: 0, is_seen: true };
    let mut reads = Vec::new();
    for call in calls {
        let (access, invoked, returned) = call?;
        let (invoked, returned) = (u128::from(invoked) + 1, returned.map_or(u128::MAX, |at| u128::from(at) + 1));
        match access {
            Access::Read(value) if value == *init => of_init.last_invoked = of_init.last_invoked.max(invoked),
            Access::Read(value) => reads.push((value, invoked, returned)),
            Access::Write(value) => {
                let is_seen = returned != u128::MAX;
                let cluster =
                    Cluster { write_invoked: invoked, first_returned: returned, last_invoked: invoked, is_seen };
                if value == *init || clusters.insert(value, cluster).is_some() {
                    return None;
                }
            }
        }
    }
    for (value, invoked, returned) in reads {
        match clusters.get_mut(&value) {
            Some(cluster) if returned >= cluster.write_invoked => {
                cluster.first_returned = cluster.first_returned.min(returned);
                cluster.last_invoked = cluster.last_invoked.max(invoked);
                cluster.is_seen = true;
            }
            _ => return Some(false),
        }
    }
    // A write of unknown fate that nobody saw need not have happened.
    let mut clusters: Vec<Cluster> = clusters.into_values().filter(|cluster| cluster.is_seen).collect();
    clusters.push(of_init);
    Some(!conflict(&clusters))
}

/// Do two clusters have to precede each other?
fn conflict(clusters: &[Cluster]) -> bool {
    let is_forward = |cluster: &&Cluster| cluster.first_returned < cluster.last_invoked;
    let mut forward: Vec<(u128, u128)> =
        clusters.iter().filter(is_forward).map(|cluster| (cluster.first_returned, cluster.last_invoked)).collect();
    forward.sort_unstable();
    if forward.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return true;
    }
    clusters.iter().filter(|cluster| !is_forward(cluster)).any(|backward| {
        let after = forward.partition_point(|&(first_returned, _)| first_returned < backward.last_invoked);
        after > 0 && backward.first_returned < forward[after - 1].1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(calls: &[(Access<u32>, u64, u64)], expected: Option<bool>) {
        let calls = calls.iter().map(|(access, from, to)| Some((access.clone(), *from, (*to < 100).then_some(*to))));
        assert_eq!(judge(&0, calls), expected);
    }

    #[test]
    fn known_histories() {
        use Access::{Read, Write};
        check(&[(Write(1), 0, 1), (Read(1), 2, 3)], Some(true));
        check(&[(Write(1), 0, 1), (Read(0), 2, 3)], Some(false));
        check(&[(Write(1), 0, 1), (Read(0), 1, 3)], Some(true));
        check(&[(Read(1), 0, 1), (Write(1), 2, 3)], Some(false));
        check(&[(Read(1), 0, 1)], Some(false));
        check(&[(Write(1), 0, 100), (Read(0), 4, 5)], Some(true));
        check(&[(Write(1), 0, 100), (Read(1), 2, 3), (Read(0), 4, 5)], Some(false));
        check(&[(Write(1), 0, 1), (Write(2), 2, 3), (Read(1), 4, 5)], Some(false));
        check(&[(Write(1), 0, 9), (Write(2), 0, 9), (Read(1), 1, 2), (Read(2), 3, 4), (Read(1), 5, 6)], Some(false));
        check(&[(Write(1), 0, 1), (Write(1), 2, 3)], None);
        check(&[(Write(0), 0, 1)], None);
    }
}
