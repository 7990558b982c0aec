//! Sets of many elements against plain models: joins along both sides and by looking up, across the chunks of the storage.

use std::collections::{BTreeMap, BTreeSet};

use crdts::{
    Crdt, Lattice, OrSet, ReplicaId,
    causality::{CausalContext, Dot, DotMap, DotSet, DotStore},
};
use proptest::prelude::*;

type Model = BTreeMap<u16, BTreeSet<Dot>>;

fn model(store: &DotMap<u16, DotSet>) -> Model {
    store.iter().map(|(element, dots)| (*element, dots.iter().collect())).collect()
}

/// The join of stores from the definition: what both hold, and what one holds and the other has not heard of.
fn joined(a: &Model, known_a: &CausalContext, b: &Model, known_b: &CausalContext) -> Model {
    let mut both = Model::new();
    let keep = |held: &Model, other: &Model, known: &CausalContext, both: &mut Model| {
        for (element, dots) in held {
            for &dot in dots {
                let there = other.get(element).is_some_and(|dots| dots.contains(&dot));
                if there || !known.contains(dot) {
                    both.entry(*element).or_default().insert(dot);
                }
            }
        }
    };
    keep(a, b, known_b, &mut both);
    keep(b, a, known_a, &mut both);
    both
}

#[derive(Clone, Debug)]
struct Edits {
    start: u16,
    step: u16,
    count: u16,
    add: bool,
}

fn edits() -> impl Strategy<Value = Vec<Edits>> {
    let count = prop_oneof![4 => 0..4_u16, 2 => 0..200_u16, 1 => 0..5000_u16];
    let step = prop_oneof![Just(1_u16), Just(3), any::<u16>()];
    let edit = (any::<u16>(), step, count, prop::bool::weighted(0.6));
    prop::collection::vec(edit.prop_map(|(start, step, count, add)| Edits { start, step, count, add }), 0..5)
}

/// Makes the edits; returns the join of their deltas.
fn edit(set: &mut OrSet<u16>, replica: ReplicaId, edits: &[Edits]) -> OrSet<u16> {
    let mut group = OrSet::bottom();
    for edit in edits {
        for at in 0..edit.count {
            let element = edit.start.wrapping_add(at.wrapping_mul(edit.step));
            let delta = if edit.add { set.add(replica, element) } else { set.remove(replica, &element) };
            group.join(&delta.expect("counters are far from their end"));
        }
    }
    group
}

fn check_join(a: &OrSet<u16>, b: &OrSet<u16>) -> Result<OrSet<u16>, TestCaseError> {
    let expected = joined(&model(a.store()), a.context(), &model(b.store()), b.context());
    let mut both = a.clone();
    let grew = both.join(b);
    prop_assert_eq!(model(both.store()), expected);
    prop_assert_eq!(grew, both != *a);
    prop_assert!(a.le(&both) && b.le(&both) && both.le(&both));
    prop_assert_eq!(b.le(a), !grew);
    let mut tried = a.clone();
    prop_assert_eq!(tried.try_join(b), Ok(grew));
    prop_assert_eq!(&tried, &both);
    let mut synced = a.clone();
    synced.join(&b.delta_since(&a.digest()));
    prop_assert_eq!(&synced, &both);
    Ok(both)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn joins_agree_with_the_definition(
        common in prop_oneof![0..10_u16, 10_000..14_000_u16],
        stride in prop_oneof![Just(1_u16), Just(5), Just(40_503)],
        ours in edits(),
        theirs in edits(),
    ) {
        let mut a = OrSet::bottom();
        edit(&mut a, ReplicaId(0), &[Edits { start: 7, step: stride, count: common, add: true }]);
        let mut b = a.clone();
        let from_a = edit(&mut a, ReplicaId(1), &ours);
        let from_b = edit(&mut b, ReplicaId(2), &theirs);
        let both = check_join(&a, &b)?;
        prop_assert_eq!(&both, &check_join(&b, &a)?);
        // Groups of deltas are small maps beside large ones.
        prop_assert_eq!(&both, &check_join(&a, &from_b)?);
        prop_assert_eq!(&both, &check_join(&b, &from_a)?);
        prop_assert_eq!(&from_a.le(&a), &true);
        check_join(&from_a, &from_b)?;
        check_join(&from_a, &b)?;
        check_join(&both, &from_a)?;
    }

    #[test]
    fn removal_agrees_with_the_definition(count in 0..12_000_u16, first in 1..12_000_u64, length in 0..3000_u64) {
        let mut set = OrSet::bottom();
        edit(&mut set, ReplicaId(3), &[Edits { start: 0, step: 40_503, count, add: true }]);
        let removed: CausalContext = (first..first + length).map(|counter| Dot::new(ReplicaId(3), counter)).collect();
        let mut store = set.store().clone();
        let before = model(&store);
        let expected: Model =
            before.iter().filter(|(_, dots)| !dots.iter().all(|dot| removed.contains(*dot))).map(|(e, d)| (*e, d.clone())).collect();
        prop_assert_eq!(store.remove(&removed), expected.len() < before.len());
        prop_assert_eq!(model(&store), expected);
        prop_assert_eq!(model(&set.store().without(&removed)), model(&store));
    }
}

#[test]
fn a_hundred_thousand_elements_come_and_go() {
    let mut set = OrSet::<u32>::bottom();
    let replica = ReplicaId(0);
    // 7,919 is prime to 100,000.
    for at in 0..100_000_u32 {
        set.add(replica, at * 7_919 % 100_000).expect("counters are far from their end");
    }
    assert!(set.iter().copied().eq(0..100_000));
    let copy = set.clone();
    for at in 0..99_990_u32 {
        set.remove(replica, &(at * 7 % 100_000)).expect("counters are far from their end");
    }
    let left: Vec<u32> = set.iter().copied().collect();
    assert_eq!(left.len(), 10);
    let mut both = copy;
    assert!(both.join(&set));
    assert!(both.iter().eq(&left));
}
