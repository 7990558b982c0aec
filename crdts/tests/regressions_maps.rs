//! Histories by which maps, registers and counters of other libraries went wrong, written anew as cases. Each names its source.
//!
//! * *rust-crdt* is the `crdts` crate of Rust, version 7.3.2; its failures were found with random histories of three replicas (see
//!   `map_histories.rs`), and its own cases are in its `test/map.rs` and `test/mvreg.rs`.
//! * `riak_dt` is the library of Riak, with its cases at the end of `riak_dt_map.erl`.
//! * *Akka* is Akka Distributed Data.
//!
//! In all of them the cause was a second account of causality, inside the values or beside them, that fell out of step with
//! the map's. Here there is one context, and a value is its dots.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use crdts::{
    Crdt, Encode, Lattice, MvRegister, Object, OrMap, OrSet, ReplicaId, ResettableCounter,
    causality::Dot,
    objects::{map::MapOp, register::RegisterOp, resettable_counter::ResetCounterOp, set::SetOp},
};

type Op<C> = <<C as Crdt>::Object as Object>::Op;
type Registers = OrMap<u8, MvRegister<u8>>;
type Nested = OrMap<u8, Registers>;
type Counters = OrMap<u8, ResettableCounter>;
type Sets = OrMap<u8, OrSet<u8>>;

/// Performs an update, and returns its delta.
#[expect(clippy::needless_pass_by_value, reason = "cases read better without a reference at every operation")]
fn update<C: Crdt>(state: &mut C, replica: u32, op: Op<C>) -> C {
    state.update(ReplicaId(replica), &op).expect("no amount here is large").delta
}

fn joined<C: Lattice>(states: &[&C]) -> C {
    let mut all = C::bottom();
    for state in states {
        all.join(state);
    }
    all
}

/// Every order of joining the states gives the same; returns it.
fn merged_in_any_order<C: Lattice + Debug>(states: [&C; 3]) -> C {
    let [a, b, c] = states;
    let all = joined(&[a, b, c]);
    for order in [[a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
        assert_eq!(joined(&order), all);
        let mut right = order[0].clone();
        right.join(&joined(&[order[1], order[2]]));
        assert_eq!(right, all);
    }
    all
}

fn write(key: u8, value: u8) -> Op<Registers> {
    MapOp::Update { key, op: RegisterOp::Write(value) }
}

fn nested(key: u8, op: Op<Registers>) -> Op<Nested> {
    MapOp::Update { key, op }
}

fn put(key: u8, element: u8) -> Op<Sets> {
    MapOp::Update { key, op: SetOp::Add(element) }
}

fn add(key: u8, amount: i64) -> Op<Counters> {
    MapOp::Update { key, op: ResetCounterOp::Add(amount) }
}

/// rust-crdt, `Map<MVReg>`, causal delivery of ops: a removal took `{2:1}` out of a register's clock `{1:1, 2:1}`, which left
/// `{1:1}` and with it the removed value; what should have dominated it later no longer did.
#[test]
fn a_removed_write_stays_removed_though_its_author_had_seen_another_key() {
    let (mut r0, mut r1, mut r2) = (Registers::bottom(), Registers::bottom(), Registers::bottom());
    let k1 = update(&mut r1, 1, write(1, 0));
    let a = update(&mut r1, 1, write(0, b'A'));
    r2.join(&k1);
    let b = update(&mut r2, 2, write(0, b'B'));
    let remove = update(&mut r2, 2, MapOp::Remove(0));
    let c = update(&mut r1, 1, write(0, b'C'));

    for delta in [&k1, &a, &b, &remove, &c] {
        r0.join(delta);
    }
    for delta in [&b, &remove] {
        r1.join(delta);
    }
    for delta in [&a, &c] {
        r2.join(delta);
    }
    assert_eq!((&r0, &r0), (&r1, &r2));
    assert_eq!(r0.get(&0), Some(vec![b'C']));
    assert_eq!(r0.keys().collect::<Vec<_>>(), [&0, &1]);
}

/// rust-crdt, `Map<Map<MVReg>>`, states, five steps: one grouping of the merges showed `{X, Y}`, the other `{Y}`, although nothing
/// is removed.
#[test]
fn nested_maps_merge_in_any_grouping() {
    let (mut r0, mut r1, mut r2) = (Nested::bottom(), Nested::bottom(), Nested::bottom());
    update(&mut r0, 0, nested(0, write(0, 0)));
    r1.join(&r0);
    update(&mut r1, 1, nested(0, write(1, b'X')));
    r2.join(&r1);
    update(&mut r1, 1, nested(0, write(1, b'Y')));

    let all = merged_in_any_order([&r0, &r1, &r2]);
    assert_eq!(all.get(&0), Some(BTreeMap::from([(0, vec![0]), (1, vec![b'Y'])])));
    assert_eq!(all, r1);
}

/// rust-crdt, `Map<PNCounter>`, causal delivery of ops, five steps: the counter's own dots began anew after a removal, so a
/// removal that arrived late deleted the new increment on one replica and not on the other.
#[test]
fn a_late_removal_spares_the_counter_that_began_anew() {
    let (mut r0, mut r1) = (Counters::bottom(), Counters::bottom());
    let first = update(&mut r1, 1, add(7, 1));
    r0.join(&first);
    let removed_at_1 = update(&mut r1, 1, MapOp::Remove(7));
    let second = update(&mut r1, 1, add(7, 1));
    let removed_at_0 = update(&mut r0, 0, MapOp::Remove(7));

    r1.join(&removed_at_0);
    r0.join(&removed_at_1);
    r0.join(&second);
    assert_eq!(r0, r1);
    assert_eq!(r0.get(&7), Some(1));
}

/// `riak_dt`, the reason for `riak_dt_emcntr`: after a removal a counter without dots is lower than before, so a merge with a
/// replica that had not seen the removal undid it. And the anomaly that `riak_dt_emcntr` leaves: an entry for each writer moves
/// the whole sum to the new dot, and so saves from a removal what the removal had seen.
#[test]
fn a_removal_takes_all_that_it_saw_of_a_counter() {
    let (mut a, mut b) = (Counters::bottom(), Counters::bottom());
    update(&mut a, 1, add(7, 5));
    b.join(&a);
    update(&mut a, 1, MapOp::Remove(7));
    update(&mut a, 1, add(7, 2));
    assert_eq!(merged_in_any_order([&a, &b, &Counters::bottom()]).get(&7), Some(2));

    // The same writer adds again, concurrently with a removal elsewhere.
    b.join(&a);
    update(&mut b, 2, MapOp::Remove(7));
    update(&mut a, 1, add(7, 1));
    assert_eq!(merged_in_any_order([&a, &b, &Counters::bottom()]).get(&7), Some(1));
}

/// `riak_dt` pull request #53: concurrent removals reset a counter twice, and its value fell below zero.
#[test]
fn concurrent_removals_reset_a_counter_once() {
    let mut a = Counters::bottom();
    update(&mut a, 1, add(7, 5));
    let (mut b, mut c) = (a.clone(), a.clone());
    for (state, replica) in [(&mut a, 1), (&mut b, 2), (&mut c, 3)] {
        update(state, replica, MapOp::Remove(7));
    }
    let mut all = merged_in_any_order([&a, &b, &c]);
    assert_eq!(all.get(&7), None);
    assert!(all.store().is_empty());
    update(&mut all, 1, add(7, 1));
    assert_eq!(all.get(&7), Some(1));
}

/// `riak_dt` pull request #82: an entry that both sides of a merge have may still have to lose a part, since either side may
/// have removed what the other still holds.
#[test]
fn a_key_on_both_sides_loses_what_either_removed() {
    let mut a = Registers::bottom();
    update(&mut a, 1, write(0, 1));
    let mut b = Registers::bottom();
    update(&mut b, 2, write(0, 2));
    let mut c = joined(&[&a, &b]);
    assert_eq!(c.get(&0), Some(vec![1, 2]));
    // A has its own write only, removes it and writes again; B does the same with its own.
    update(&mut a, 1, MapOp::Remove(0));
    update(&mut a, 1, write(0, 3));
    update(&mut b, 2, MapOp::Remove(0));
    assert_eq!(joined(&[&a, &c]).get(&0), Some(vec![2, 3]));
    assert_eq!(merged_in_any_order([&a, &b, &c]).get(&0), Some(vec![3]));
    c.join(&a);
    c.join(&b);
    assert_eq!(c, joined(&[&a, &b]));
}

/// `riak_dt` pull requests #92 and #93, `tombstone_remove`: dropping a superseded dot of a field lost what it told of removals,
/// and a removed element came back. The fields are sets there.
#[test]
fn what_a_removal_saw_does_not_resurface_after_two_more_updates() {
    let mut a = Sets::bottom();
    update(&mut a, 1, put(0, 0));
    let mut b = a.clone();
    update(&mut a, 1, MapOp::Remove(0));
    update(&mut b, 2, put(0, 1));
    a.join(&b);
    assert_eq!(a.get(&0), Some(BTreeSet::from([1])));
    update(&mut b, 2, put(0, 2));
    a.join(&b);
    assert_eq!(merged_in_any_order([&a, &b, &Sets::bottom()]).get(&0), Some(BTreeSet::from([1, 2])));
}

/// rust-crdt, `Map<Orswot>`, of which some histories diverged under causal delivery: a removal of the key and one of the element
/// meet an addition that saw neither.
#[test]
fn a_set_under_a_key_keeps_the_addition_that_nobody_saw() {
    let mut a = Sets::bottom();
    let first = update(&mut a, 1, put(0, 5));
    let (mut b, mut c) = (a.clone(), a.clone());
    let removed = update(&mut a, 1, MapOp::Remove(0));
    let emptied = update(&mut b, 2, MapOp::Update { key: 0, op: SetOp::Remove(5) });
    let again = update(&mut c, 3, put(0, 5));
    let all = merged_in_any_order([&a, &b, &c]);
    assert_eq!(all.get(&0), Some(BTreeSet::from([5])));
    for order in [[&removed, &emptied, &again], [&again, &emptied, &removed], [&emptied, &again, &removed]] {
        let mut replica = first.clone();
        for delta in order {
            replica.join(delta);
        }
        assert_eq!(replica, all);
    }
    a.join(&all);
    update(&mut a, 1, MapOp::Remove(0));
    assert!(a.store().is_empty());
}

/// `riak_dt`, `no_dots_left`: two removals and an old replica left a key without dots.
#[test]
fn a_key_without_dots_is_no_key() {
    let (mut a, mut b) = (Registers::bottom(), Registers::bottom());
    update(&mut a, 1, write(0, b'A'));
    update(&mut b, 2, write(0, b'B'));
    let c = a.clone();
    update(&mut a, 1, MapOp::Remove(0));
    a.join(&b);
    update(&mut b, 2, MapOp::Remove(0));
    b.join(&c);
    let all = merged_in_any_order([&a, &b, &c]);
    assert!(all.store().is_empty() && !all.contains_key(&0));
}

/// `riak_dt`, `dot_key`: two fields came in with one update and one dot, and a removal of one of them confused the merge. Here
/// an update touches one key; a removal of one of two neighbours leaves the other.
#[test]
fn a_removal_of_one_key_leaves_its_neighbour() {
    let mut a = Registers::bottom();
    update(&mut a, 1, write(0, 1));
    update(&mut a, 1, write(1, 1));
    let b = a.clone();
    update(&mut a, 1, MapOp::Remove(0));
    assert_eq!(joined(&[&b, &a]).keys().collect::<Vec<_>>(), [&1]);
    assert_eq!(joined(&[&b, &a]), a);
}

/// `riak_dt` #119: the whole object is deleted at one replica, and updated at another.
#[test]
fn an_update_survives_the_concurrent_deletion_of_everything() {
    let mut a = Nested::bottom();
    for key in 0..3 {
        update(&mut a, 1, nested(key, write(0, key)));
    }
    let mut b = a.clone();
    for key in 0..3 {
        update(&mut a, 1, MapOp::Remove(key));
    }
    assert!(a.store().is_empty());
    update(&mut b, 2, nested(1, write(5, 9)));
    let all = merged_in_any_order([&a, &b, &Nested::bottom()]);
    assert_eq!(all.value(), BTreeMap::from([(1, BTreeMap::from([(5, vec![9])]))]));
}

/// Akka #22648: merging the deltas of a removal and of an update before they are sent gave another result than applying them
/// one after the other.
#[test]
fn deltas_that_were_joined_first_do_the_same() {
    let mut a = Nested::bottom();
    let old = update(&mut a, 1, nested(0, write(0, 1)));
    let peer = a.clone();
    let deltas = [
        update(&mut a, 1, MapOp::Remove(0)),
        update(&mut a, 1, nested(0, write(1, 2))),
        update(&mut a, 1, nested(0, MapOp::Remove(1))),
        update(&mut a, 1, nested(0, write(2, 3))),
    ];
    let group = joined(&deltas.iter().collect::<Vec<_>>());
    let mut grouped = peer.clone();
    grouped.join(&group);
    let mut single = peer.clone();
    for delta in deltas.iter().rev() {
        single.join(delta);
    }
    assert_eq!((&grouped, &single), (&a, &a));
    // A replica that hears the group before the old update, too.
    assert_eq!(joined(&[&group, &old]), a);
}

/// Akka pull request #22508: when a key went, the context of the set under it went with it, and removals were lost.
#[test]
fn a_removal_within_a_key_that_goes_is_remembered() {
    let mut a = Nested::bottom();
    update(&mut a, 1, nested(0, write(0, 1)));
    let b = a.clone();
    update(&mut a, 1, nested(0, MapOp::Remove(0)));
    assert!(a.store().is_empty(), "the outer key goes with the inner one");
    update(&mut a, 1, nested(0, write(1, 2)));
    let all = merged_in_any_order([&a, &b, &Nested::bottom()]);
    assert_eq!(all.value(), BTreeMap::from([(0, BTreeMap::from([(1, vec![2])]))]));
}

/// rust-crdt, `reset_remove`: a map is removed, and concurrently gets another key; the key that was seen goes.
#[test]
fn removing_a_map_resets_what_was_seen_of_it() {
    let mut m1 = Nested::bottom();
    update(&mut m1, 75, nested(101, write(110, 32)));
    let mut m2 = m1.clone();
    update(&mut m1, 75, MapOp::Remove(101));
    update(&mut m2, 93, nested(101, write(220, 5)));
    let all = merged_in_any_order([&m1, &m2, &Nested::bottom()]);
    assert_eq!(all.get(&101), Some(BTreeMap::from([(220, vec![5])])));
}

/// rust-crdt, `concurrent_update_and_remove_add_bias`: the update wins, however the two meet.
#[test]
fn an_update_wins_over_a_concurrent_removal() {
    let mut start = Registers::bottom();
    update(&mut start, 1, write(102, 1));
    let (mut m1, mut m2) = (start.clone(), start.clone());
    let removal = update(&mut m1, 1, MapOp::Remove(102));
    let written = update(&mut m2, 2, write(102, 2));
    let merged = joined(&[&m1, &m2]);
    m1.join(&written);
    m2.join(&removal);
    assert_eq!((&m1, &m2), (&merged, &merged));
    assert_eq!(merged.get(&102), Some(vec![2]));
}

/// rust-crdt, `op_deferred_remove`: a removal arrives before the updates that it removes.
#[test]
fn a_removal_that_comes_first_is_kept_for_what_it_removes() {
    let (mut m1, mut m2) = (Nested::bottom(), Nested::bottom());
    let first = update(&mut m1, 1, nested(0, write(0, 0)));
    let second = update(&mut m1, 1, nested(1, write(0, 0)));
    let removal = update(&mut m1, 1, MapOp::Remove(0));
    m2.join(&removal);
    m2.join(&second);
    assert_eq!(m2.keys().collect::<Vec<_>>(), [&1]);
    m2.join(&first);
    assert_eq!(m2, m1);
}

/// rust-crdt, `merge_deferred_remove`: the same with states, one of which has heard of the removal only.
#[test]
fn a_removal_that_comes_first_goes_on_with_the_state() {
    let (mut m1, mut m2, mut m3) = (Nested::bottom(), Nested::bottom(), Nested::bottom());
    update(&mut m1, 1, nested(0, write(0, 0)));
    m2.join(&m1);
    let removal = update(&mut m2, 2, MapOp::Remove(0));
    m3.join(&removal);
    update(&mut m3, 3, nested(9, write(0, 0)));
    let all = merged_in_any_order([&m1, &m2, &m3]);
    assert_eq!(all.keys().collect::<Vec<_>>(), [&9]);
}

/// rust-crdt, `mvreg.rs`: one value that two replicas write concurrently is two siblings, and in the same order everywhere.
#[test]
fn concurrent_writes_of_one_value_are_two_siblings() {
    let (mut a, mut b) = (MvRegister::<u8>::bottom(), MvRegister::bottom());
    update(&mut a, 1, RegisterOp::Write(23));
    update(&mut b, 2, RegisterOp::Write(23));
    let mut all = merged_in_any_order([&a, &b, &MvRegister::bottom()]);
    assert_eq!(all.value(), [23, 23]);
    let dots: Vec<Dot> = all.siblings().map(|sibling| sibling.dot).collect();
    assert_eq!(dots, [Dot::new(ReplicaId(1), 1), Dot::new(ReplicaId(2), 1)]);
    // Each can be overwritten without the other.
    update(&mut a, 1, RegisterOp::Write(23));
    all.join(&a);
    assert_eq!(all.value(), [23, 23]);
    update(&mut all, 3, RegisterOp::Write(23));
    assert_eq!(all.value(), [23]);
}

/// rust-crdt, `MVReg`: registers with one clock and two values merged to different values on two replicas. One dot with two
/// values is refused here where peers are not trusted, and resolved in one way where they are.
#[test]
fn one_dot_with_two_values_is_noticed() {
    let (mut a, mut b) = (Registers::bottom(), Registers::bottom());
    update(&mut a, 1, write(0, 1));
    update(&mut b, 1, write(0, 2));
    let before = a.clone();
    assert!(a.try_join(&b).is_err_and(|error| error.to_string().contains("r1:1")));
    assert_eq!(a, before);
    assert_eq!(joined(&[&a, &b]), joined(&[&b, &a]));
}

/// rust-crdt, `PNCounter`: increments past 64 bits were silently lost in release builds. Sums are exact, in the map too, and
/// survive the encoding.
#[test]
fn sums_beyond_64_bits_are_exact() {
    let mut a = Counters::bottom();
    for _ in 0..3 {
        update(&mut a, 1, add(7, i64::MAX));
    }
    let mut bytes = Vec::new();
    a.encode(&mut bytes);
    assert_eq!(Counters::decode(&bytes).as_ref(), Ok(&a));
    assert_eq!(a.get(&7), Some(3 * i128::from(i64::MAX)));
    for _ in 0..6 {
        update(&mut a, 2, add(7, i64::MIN));
    }
    assert_eq!(a.get(&7), Some(3 * i128::from(i64::MAX) + 6 * i128::from(i64::MIN)));
}
