//! The sequence engine against the references and against list insertions, over histories that are made by reading
//! replicas: each edit is at a position of what its replica shows, each operation is what its replica sent.
//!
//! Small scopes are enumerated, longer histories drawn and shrunk. After every step the replica that was touched is compared.

use std::collections::{BTreeMap, BTreeSet};

use crdts::{
    ReplicaId,
    sequence::{
        ApplyError, Delete, Dot, FugueMaxOrder, FugueOrder, Insert, Op, RgaOrder, Text,
        reference::{self, Algorithm, Replica},
    },
};
use proptest::prelude::*;

#[path = "sequence/cases.rs"]
mod cases;
#[path = "sequence/cluster.rs"]
mod cluster;
#[path = "sequence/lists.rs"]
mod lists;

use cluster::{Cluster, Order};

// ---- all small histories ----

/// Continues a history in every way that its replicas allow; returns how many histories there are.
fn explore<O: Order>(cluster: &Cluster<O>, steps: u32) -> u64 {
    if steps == 0 {
        cluster.clone().quiesce();
        return 1;
    }
    let mut histories = 0;
    let mut go_on = |step: &dyn Fn(&mut Cluster<O>)| {
        let mut next = cluster.clone();
        step(&mut next);
        histories += explore(&next, steps - 1);
    };
    for at in 0..cluster.replicas.len() {
        let letter = char::from(b'a' + cluster.log.len() as u8).to_string();
        for position in 0..=cluster.len(at) {
            go_on(&|next| next.insert(at, position, &letter));
        }
        for position in 0..cluster.len(at) {
            go_on(&|next| next.delete(at, position, 1));
        }
        for place in (0..cluster.log.len()).filter(|place| !cluster.heard[at].contains(place)) {
            go_on(&|next| next.deliver(at, place));
        }
    }
    histories
}

// ---- random histories ----

#[derive(Clone, Debug)]
enum Step {
    Insert { at: usize, position: usize, text: &'static str },
    Delete { at: usize, position: usize, len: usize },
    Deliver { into: usize, place: usize },
    Sync { into: usize, from: usize },
}

const REPLICAS: u32 = 4;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || 0..REPLICAS as usize;
    // Positions at the front are as frequent as all others: that is where concurrent insertions meet.
    let position = || prop_oneof![0..3_usize, 0..64_usize];
    let text = prop::sample::select(vec!["a", "b", "xyz", "é", "ä🎼β"]);
    let step = prop_oneof![
        5 => (at(), position(), text).prop_map(|(at, position, text)| Step::Insert { at, position, text }),
        2 => (at(), position(), 1..4_usize).prop_map(|(at, position, len)| Step::Delete { at, position, len }),
        3 => (at(), 0..64_usize).prop_map(|(into, place)| Step::Deliver { into, place }),
        2 => (at(), at()).prop_map(|(into, from)| Step::Sync { into, from }),
    ];
    prop::collection::vec(step, 0..40)
}

fn perform<O: Order>(steps: &[Step]) -> Cluster<O> {
    let mut cluster = Cluster::<O>::new(REPLICAS);
    for step in steps {
        match *step {
            Step::Insert { at, position, text } => cluster.insert(at, position % (cluster.len(at) + 1), text),
            Step::Delete { at, position, len } => {
                let position = position % (cluster.len(at) + 1);
                cluster.delete(at, position, len.min(cluster.len(at) - position));
            }
            Step::Deliver { into, place } if !cluster.log.is_empty() => {
                cluster.deliver(into, place % cluster.log.len());
            }
            Step::Deliver { .. } => {}
            Step::Sync { into, from } => cluster.sync(into, from),
        }
    }
    cluster
}

/// What a character was typed between.
#[derive(Clone, Copy, Debug)]
struct Origins {
    left: Option<Dot>,
    right: Option<Dot>,
}

fn origins(log: &[Op<'static>]) -> BTreeMap<Dot, Origins> {
    let mut all = BTreeMap::new();
    for op in log {
        if let Op::Insert(Insert { id, left, right, text, .. }) = op {
            let mut left = *left;
            for (distance, _) in (0..).zip(text.chars()) {
                let dot = Dot::new(id.replica, id.counter + distance);
                all.insert(dot, Origins { left, right: *right });
                left = Some(dot);
            }
        }
    }
    all
}

/// Places in the sequence, tombstones included; `None`, as a right origin, is behind all.
fn places<O: Order>(cluster: &Cluster<O>) -> BTreeMap<Dot, usize> {
    cluster.replicas[0].1.sequence().into_iter().zip(0..).collect()
}

/// Forward non-interleaving (Weidner and Kleppmann 2025, arXiv 2305.00583): whatever was typed behind a character, and behind that, and
/// so on, stands together and directly behind it.
fn check_forward<O: Order>(cluster: &Cluster<O>) {
    let (origins, places) = (origins(&cluster.log), places(cluster));
    let descends = |mut dot: Dot, from: Dot| {
        while dot != from {
            match origins[&dot].left {
                Some(left) => dot = left,
                None => return false,
            }
        }
        true
    };
    for (&from, &place) in &places {
        let behind: BTreeSet<usize> =
            places.keys().filter(|&&dot| descends(dot, from)).map(|dot| places[dot]).collect();
        assert_eq!(behind, (place..place + behind.len()).collect(), "behind {from}: {:?}", cluster.log);
    }
}

/// Right children of one parent: typed behind it at its end, so to say, with right origins that are no siblings.
fn right_siblings(origins: &BTreeMap<Dot, Origins>) -> BTreeMap<Option<Dot>, Vec<(Dot, Option<Dot>)>> {
    let mut siblings: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (&dot, &Origins { left, right }) in origins {
        if right.is_none_or(|right| origins[&right].left != left) {
            siblings.entry(left).or_default().push((dot, right));
        }
    }
    siblings
}

/// Of two characters typed behind one, the one with the nearer right origin stands nearer to it; only where the right origins are
/// the same do dots decide. That is what FugueMax adds.
fn check_backward(cluster: &Cluster<FugueMaxOrder>) {
    let places = places(cluster);
    let place = |right: Option<Dot>| right.map_or(places.len(), |right| places[&right]);
    for siblings in right_siblings(&origins(&cluster.log)).values() {
        for (a, a_right) in siblings {
            for (b, b_right) in siblings.iter().filter(|(b, _)| a < b) {
                let a_first = place(*a_right) >= place(*b_right);
                assert_eq!(places[a] < places[b], a_first, "{a} {b}: {:?}", cluster.log);
            }
        }
    }
}

/// One history under two orders, given that no two right siblings differ in their right origins.
fn is_free_of_right_conflicts(log: &[Op<'static>]) -> bool {
    let all = right_siblings(&origins(log));
    all.values().all(|siblings| siblings.iter().all(|(_, right)| *right == siblings[0].1))
}

macro_rules! order_tests {
    ($name:ident, $order:ty, $two:literal histories of two, $three:literal of three) => {
        mod $name {
            use super::*;

            #[test]
            fn agrees_in_all_small_histories() {
                assert_eq!(explore(&Cluster::<$order>::new(2), 5), $two);
                assert_eq!(explore(&Cluster::<$order>::new(3), 5), $three);
            }

            proptest! {
                #[test]
                fn agrees_in_random_histories(steps in steps()) {
                    let mut cluster = perform::<$order>(&steps);
                    cluster.quiesce();
                    check_forward(&cluster);
                }

                #[test]
                fn agrees_on_what_no_replica_would_send((ops, arrivals) in forged()) {
                    check_forged::<$order>(&ops, &arrivals);
                }
            }
        }
    };
}

// An operation waits for its right origin, which RGA does not have: so there are a few more things to do with RGA.
order_tests!(rga, RgaOrder, 6_060 histories of two, 34_539 of three);
order_tests!(fugue, FugueOrder, 6_060 histories of two, 34_527 of three);
order_tests!(fugue_max, FugueMaxOrder, 6_060 histories of two, 34_527 of three);

proptest! {
    #[test]
    fn fugue_max_keeps_apart_backward_too(steps in steps()) {
        let mut cluster = perform::<FugueMaxOrder>(&steps);
        cluster.quiesce();
        check_backward(&cluster);
    }

    #[test]
    fn fugue_and_fugue_max_differ_only_where_right_origins_do(steps in steps()) {
        let cluster = perform::<FugueOrder>(&steps);
        let [fugue, max] = [Algorithm::Fugue, Algorithm::FugueMax].map(|order| reference::text(order, &cluster.log));
        if is_free_of_right_conflicts(&cluster.log) {
            prop_assert_eq!(fugue, max);
        }
    }
}

// ---- operations that no replica would send ----

#[derive(Clone, Debug)]
enum Forged {
    Insert { lamport: u64, left: Option<Dot>, right: Option<Dot>, text: &'static str },
    Delete { target: Dot, len: u64 },
}

/// Operations with origins and times at will, and the order in which they arrive. Each dot has one content.
fn forged() -> impl Strategy<Value = (Vec<Op<'static>>, Vec<usize>)> {
    let replica = || (1..4_u32).prop_map(ReplicaId);
    let dot = move || (replica(), 1..5_u64).prop_map(|(replica, counter)| Dot::new(replica, counter));
    let origin = || prop::option::of(dot());
    let text = prop::sample::select(vec!["a", "b", "cd"]);
    let insert = (1..12_u64, origin(), origin(), text).prop_map(|(lamport, left, right, text)| Forged::Insert {
        lamport,
        left,
        right,
        text,
    });
    let delete = (dot(), 0..3_u64).prop_map(|(target, len)| Forged::Delete { target, len });
    let op = (replica(), prop_oneof![6 => insert, 1 => delete]);
    prop::collection::vec(op, 0..14).prop_flat_map(|drafts| {
        let mut next = BTreeMap::new();
        let ops: Vec<Op<'static>> = drafts
            .into_iter()
            .map(|(replica, draft)| {
                let counter = next.entry(replica).or_insert(1);
                let id = Dot::new(replica, *counter);
                let op = match draft {
                    Forged::Insert { lamport, left, right, text } => {
                        Op::Insert(Insert { id, lamport, left, right, text: text.into() })
                    }
                    Forged::Delete { target, len } => Op::Delete(Delete { id, target, len }),
                };
                *counter += op.dots();
                op
            })
            .collect();
        let arrivals = Just((0..ops.len()).collect::<Vec<_>>()).prop_shuffle();
        (Just(ops), arrivals)
    })
}

fn check_forged<O: Order>(ops: &[Op<'static>], arrivals: &[usize]) {
    let (mut engine, mut twin) = (Text::<O>::new(), Replica::new(O::ALGORITHM, ReplicaId(9)));
    for &place in arrivals {
        match engine.receive(&ops[place]) {
            Ok(_) | Err(ApplyError::Malformed { .. }) => twin.receive(&ops[place]),
            Err(error) => panic!("{error}: {:?}", ops[place]),
        }
        assert_eq!(engine.text(), twin.text());
    }
    assert_eq!(engine.text(), reference::text(O::ALGORITHM, ops));
}
