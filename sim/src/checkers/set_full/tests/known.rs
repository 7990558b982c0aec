//! Histories by hand, each with its story, and one that is too large for the product of elements and reads.

use crate::checkers::set_full::{
    Addition, Fate, Quantiles, Read, Results, Stale, TrueTimes, judge, judge_with_true_times,
};

const MS: u64 = 1_000_000;

/// An addition from one millisecond to another; without the latter it is indeterminate.
fn add(call: usize, element: u8, from: u64, to: Option<u64>) -> Addition<u8> {
    let fate = to.map_or(Fate::Indeterminate, |to| Fate::Acknowledged(to * MS));
    Addition { call, element, invoked: from * MS, fate }
}

fn read(call: usize, elements: &[u8], from: u64, to: u64) -> Read<u8> {
    Read { call, elements: elements.to_vec(), invoked: from * MS, returned: to * MS }
}

fn one(value: u64) -> Option<Quantiles> {
    Quantiles::of(vec![value])
}

fn verdict(results: &Results<u8>) -> String {
    results.ruling.verdict.to_string()
}

#[test]
fn never_read() {
    let results = judge(&[add(0, 0, 0, Some(1))], &[]);
    assert_eq!(verdict(&results), "vacuous: none of 1 elements was read to stay, in 0 reads");
    assert_eq!((results.attempts, results.never_read), (1, vec![0]));
    assert_eq!((results.stable_latencies_ms, results.lost_latencies_ms), (None, None));
    let before = judge(&[add(0, 0, 5, Some(6))], &[read(1, &[], 1, 2)]);
    assert_eq!(before.never_read, [0], "a read that was over before cannot miss it");
    assert_eq!(verdict(&judge(&[], &[read(0, &[], 1, 2)])), "vacuous: nothing was added");
}

#[test]
fn never_read_by_anybody_who_must_see_it() {
    let results = judge(&[add(0, 0, 0, Some(5))], &[read(1, &[], 1, 9), read(2, &[], 5, 8)]);
    assert_eq!(results.never_read, [0], "both reads overlap the addition");
    let results = judge(&[add(0, 0, 0, None)], &[read(1, &[], 7, 9)]);
    assert_eq!(results.never_read, [0], "it may not have taken effect");
}

#[test]
fn a_concurrent_read_makes_it_stable() {
    for addition in [add(0, 0, 0, Some(5)), add(0, 0, 0, None)] {
        let results = judge(&[addition], &[read(1, &[0], 1, 4)]);
        assert_eq!((verdict(&results).as_str(), results.stable), ("pass", 1));
        assert_eq!((results.stable_latencies_ms, results.stale), (one(0), vec![]));
    }
}

#[test]
fn absent_after_it_was_acknowledged() {
    let results = judge(&[add(0, 0, 0, Some(2))], &[read(1, &[], 3, 4)]);
    assert_eq!(verdict(&results), "fail: 1 of 1 elements were lost: 0");
    assert_eq!((results.lost_latencies_ms, results.ruling.calls), (one(0), vec![0, 1]));
}

#[test]
fn absent_after_somebody_read_it() {
    let reads = [read(1, &[0], 2, 4), read(2, &[], 5, 6)];
    assert_eq!(judge(&[add(0, 0, 0, None)], &reads).lost, [0]);
    let overlapping = [read(1, &[0], 2, 6), read(2, &[], 5, 7)];
    assert_eq!(judge(&[add(0, 0, 0, None)], &overlapping).never_read, [0]);
}

#[test]
fn flutter_is_stale_and_then_stable() {
    let reads = [read(1, &[0], 2, 3), read(2, &[], 10, 11), read(3, &[0], 12, 13)];
    let results = judge(&[add(0, 0, 0, Some(4))], &reads);
    assert_eq!(verdict(&results), "pass");
    // Known at 3 by the first read, and absent from the read invoked at 10.
    assert_eq!(results.worst_stale, [Stale { element: 0, latency_ms: 7, known: 3 * MS, absent: Some(2) }]);
    assert_eq!((results.stale, results.stable_latencies_ms), (vec![0], one(7)));
    let lost = judge(&[add(0, 0, 0, Some(4))], &[reads[0].clone(), read(4, &[0], 9, 10), reads[1].clone()]);
    assert_eq!((lost.lost, lost.lost_latencies_ms), (vec![0], one(6)));
    assert_eq!(lost.ruling.calls, [0, 2, 4]);
}

#[test]
fn a_long_read_counts_by_its_invocation() {
    let reads = [read(1, &[], 1, 90), read(2, &[0], 5, 6)];
    assert_eq!(judge(&[add(0, 0, 0, Some(2))], &reads).stable, 1);
    let reads = [read(1, &[0], 1, 90), read(2, &[], 5, 6)];
    assert_eq!(judge(&[add(0, 0, 0, Some(2))], &reads).lost, [0]);
}

#[test]
fn duplicates_are_reported() {
    let results = judge(&[add(0, 7, 0, Some(1))], &[read(1, &[7, 7], 2, 3), read(2, &[7, 7, 7], 4, 5)]);
    assert_eq!(verdict(&results), "fail: 1 elements were in one read more than once: 7 3 times");
    assert_eq!((results.duplicated, results.ruling.calls), (vec![(7, 3)], vec![0, 2]));
}

#[test]
fn phantoms_are_reported() {
    let failed = Addition { fate: Fate::Failed, ..add(0, 1, 0, None) };
    let results = judge(&[failed, add(1, 2, 0, Some(1)), add(2, 3, 8, Some(9))], &[read(3, &[1, 2, 3, 4], 2, 3)]);
    assert_eq!(verdict(&results), "fail: 3 elements were read though nobody had added them: 1, 3, 4");
    assert_eq!((results.attempts, results.ruling.calls), (3, vec![0, 3]));
}

#[test]
fn true_times_replace_what_reads_happened_to_show() {
    let additions = [add(0, 0, 0, Some(4)), add(1, 1, 0, Some(4)), add(2, 2, 0, Some(4)), add(3, 3, 0, Some(4))];
    let reads = [read(4, &[0, 2], 6, 7), read(5, &[0, 1], 30, 31)];
    let by_reads = judge(&additions, &reads);
    assert_eq!((&by_reads.stale[..], &by_reads.lost[..]), (&[1][..], &[2, 3][..]));
    let times = |element: &u8| {
        let (visible, gone) =
            [(Some(25 * MS), None), (Some(3 * MS), None), (None, Some(9 * MS))].get(*element as usize)?;
        Some(TrueTimes { visible: *visible, gone: *gone })
    };
    let results = judge_with_true_times(&additions, &reads, &times);
    assert_eq!(results.worst_stale, [Stale { element: 0, latency_ms: 21, known: 4 * MS, absent: None }]);
    assert_eq!((results.stable_latencies_ms, results.lost_latencies_ms), (Quantiles::of(vec![0, 21]), one(5)));
    assert_eq!(results.ruling, by_reads.ruling);
}

#[test]
fn thousands_of_elements_and_reads() {
    // The product of elements and reads would be four hundred million.
    let additions: Vec<Addition<u32>> = (0..20_000)
        .map(|k| Addition {
            call: k as usize,
            element: k,
            invoked: u64::from(k) * MS,
            fate: Fate::Acknowledged(u64::from(k) * MS + 1),
        })
        .collect();
    let recent = |k: u32| (k.saturating_sub(20)..k).collect::<Vec<u32>>();
    let mut reads: Vec<Read<u32>> = (0..20_000)
        .map(|k| Read {
            call: 20_000 + k as usize,
            elements: recent(k),
            invoked: u64::from(k) * MS + 2,
            returned: u64::from(k) * MS + 3,
        })
        .collect();
    assert_eq!(judge(&additions, &reads).lost.len(), 19_980, "the last read contains twenty");
    let last = Read { call: 40_000, elements: (0..20_000).collect(), invoked: 90_000 * MS, returned: 90_001 * MS };
    // One read that takes as long as all of them together.
    reads.insert(0, Read { call: 40_001, elements: Vec::new(), invoked: 0, returned: 90_000 * MS });
    reads.push(last);
    let results = judge(&additions, &reads);
    assert_eq!((results.stable, results.ruling.verdict.name()), (20_000, "pass"));
    assert_eq!(results.worst_stale.len(), 8);
}
