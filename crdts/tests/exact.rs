//! Counters at the boundary of their range: exact or refused, never silently wrong.
//!
//! Release builds wrap where debug builds panic, so the boundary is where a counter loses counts unnoticed. These tests mean
//! most with `cargo test --release --package crdts --test exact`, and hold in every build.

use crdts::{
    Crdt, Encode, GCounter, Lattice, PnCounter, ReplicaId, UpdateError,
    g_counter::ObserveError,
    objects::counter::{
        CounterOp::{Add, Read},
        CounterRet,
    },
};

const FULL: i128 = u64::MAX as i128;

fn full(replicas: u32) -> GCounter {
    let mut counter = GCounter::bottom();
    for replica in 0..replicas {
        assert_eq!(counter.observe(ReplicaId(replica), u64::MAX), Ok(true));
    }
    counter
}

fn encoded(state: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.encode(&mut bytes);
    bytes
}

#[test]
fn sums_beyond_64_bits_are_exact() {
    for replicas in [1, 2, 6, 7, 40] {
        let mut counter = full(replicas);
        let total = FULL * i128::from(replicas);
        assert_eq!((counter.value(), counter.total()), (total, total));
        let read = counter.update(ReplicaId(0), &Read).map(|update| update.ret);
        assert_eq!(read, Ok(CounterRet::Total(total)));
        // The next replica still counts from zero.
        assert!(counter.update(ReplicaId(replicas), &Add(i64::MAX)).is_ok());
        assert_eq!(counter.value(), total + i128::from(i64::MAX));
        assert_eq!(GCounter::decode(&encoded(&counter)), Ok(counter));
    }
}

#[test]
fn joins_at_the_boundary_are_exact() {
    let (mut joined, other) = (full(7), full(9));
    assert!(joined.join(&other));
    assert!(!joined.join(&other));
    assert_eq!(joined.value(), FULL * 9);
}

#[test]
fn an_addition_too_much_is_refused_and_changes_nothing() {
    let mut counter = GCounter::bottom();
    let r = ReplicaId(3);
    assert_eq!(counter.observe(r, u64::MAX - 1), Ok(true));
    let before = counter.clone();
    assert_eq!(counter.update(r, &Add(2)), Err(UpdateError::Overflow));
    assert_eq!(counter, before);
    assert!(counter.update(r, &Add(1)).is_ok());
    assert_eq!(counter.update(r, &Add(1)), Err(UpdateError::Overflow));
    assert_eq!(counter.value(), FULL);
}

#[test]
fn differences_beyond_64_bits_are_exact() {
    let mut counter = PnCounter::bottom();
    for replica in 0..3 {
        assert_eq!(counter.observe(ReplicaId(replica), 0, u64::MAX), Ok(true));
        assert_eq!(counter.value(), -FULL * i128::from(replica + 1));
        for amount in [1, -1, i64::MAX, i64::MIN] {
            assert_eq!(counter.update(ReplicaId(replica), &Add(amount)), Err(UpdateError::Overflow));
        }
    }
    for replica in 3..7 {
        assert_eq!(counter.observe(ReplicaId(replica), u64::MAX, 0), Ok(true));
    }
    assert_eq!(counter.value(), FULL);
    assert_eq!(PnCounter::decode(&encoded(&counter)), Ok(counter));
}

#[test]
fn reports_that_fall_or_overflow_change_nothing() {
    let r = ReplicaId(1);
    let mut counter = PnCounter::bottom();
    assert_eq!(counter.observe(r, 5, 7), Ok(true));
    let before = counter.clone();
    let falls = |known, offered| Err(ObserveError::Decreasing { replica: r, known, offered });
    assert_eq!(counter.observe(r, 4, 8), falls(5, 4));
    assert_eq!(counter.observe(r, 6, 6), falls(7, 6));
    assert_eq!(counter.observe(r, 0, 0), falls(5, 0));
    assert_eq!(counter.observe(r, u64::MAX, 7), Err(ObserveError::Overflow { replica: r }));
    assert_eq!(counter.observe(r, u64::MAX - 6, 7), Err(ObserveError::Overflow { replica: r }));
    assert_eq!(counter.observe(r, 5, 7), Ok(false));
    assert_eq!(counter, before);
    assert_eq!(counter.observe(r, u64::MAX - 7, 7), Ok(true));
    // Nothing is known of others, and reporting nothing makes no entry.
    assert_eq!(counter.observe(ReplicaId(2), 0, 0), Ok(false));
    assert_eq!(counter.increments().counts().len(), 1);
    assert_eq!(counter.update(r, &Add(1)), Err(UpdateError::Overflow));
    assert_eq!(ObserveError::Overflow { replica: r }.to_string(), "the counts of r1 exceed 64 bits together");
    let text = falls(7, 6).map_err(|error| error.to_string());
    assert_eq!(text, Err::<bool, _>("the count of r1 would fall from 7 to 6".to_owned()));
}
