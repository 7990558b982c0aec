//! Counters: additions and subtractions by 5, 100 and 1,000 replicas.
//!
//! All replicas have added and subtracted. The floor holds two vectors of counts whose index is the replica.

use rust_crdts::{CmRDT, CvRDT, PNCounter};

use crate::{
    contest::Contest,
    floors::raise,
    memory,
    ours::counter as ours,
    table::{Table, grouped, ns, ratio},
};

const REPLICAS: [u32; 3] = [5, 100, 1000];
const OURS: usize = 0;
const PEER: usize = 1;
const FLOOR: usize = 2;
const COLUMNS: usize = 3;

type Peer = PNCounter<u32>;

/// Two vectors of counts: what was added, and what was subtracted.
type Floor = [Vec<u64>; 2];

fn peer(replicas: u32, steps: u64) -> Peer {
    let mut counter = Peer::new();
    for replica in 0..replicas {
        counter.apply(counter.inc_many(replica, steps));
        counter.apply(counter.dec_many(replica, steps));
    }
    counter
}

fn floor(replicas: u32, steps: u64) -> Floor {
    [vec![steps; replicas as usize], vec![steps; replicas as usize]]
}

fn join_floor(counter: &mut Floor, other: &Floor) {
    raise(&mut counter[0], &other[0]);
    raise(&mut counter[1], &other[1]);
}

/// The section with its table.
pub fn section() -> String {
    let mut table = Table::new(&[
        "counters",
        "replicas",
        "PnCounter (ours)",
        "rust-crdt PNCounter",
        "two `Vec<u64>`",
        "ours : floor",
        "peer : ours",
    ]);
    for replicas in REPLICAS {
        for (label, contest) in [
            ("increment by 1, ns", increment(replicas)),
            ("read, ns", read(replicas)),
            ("join, every count grows, ns", join_growing(replicas)),
            ("join, nothing new, ns", join_equal(replicas)),
            ("clone, ns", clone(replicas)),
        ] {
            let times = contest.run(COLUMNS);
            let (ratio_floor, ratio_peer) = (ratio(times[OURS], times[FLOOR]), ratio(times[PEER], times[OURS]));
            let cells = [ns(times[OURS]), ns(times[PEER]), ns(times[FLOOR]), ratio_floor, ratio_peer];
            table.row(&[vec![label.into(), replicas.to_string()], cells.to_vec()].concat());
        }
        sizes(&mut table, replicas);
    }
    table.finish()
}

fn increment(replicas: u32) -> Contest<'static> {
    let one = replicas / 2;
    let mut contest = Contest::new();
    contest.repeated(OURS, ours::with_replicas(replicas, 1000), move |counter| ours::add(counter, one, 1));
    contest.repeated(PEER, peer(replicas, 1000), move |counter| counter.apply(counter.inc(one)));
    contest.repeated(FLOOR, floor(replicas, 1000), move |counter| counter[0][one as usize] += 1);
    contest
}

fn read(replicas: u32) -> Contest<'static> {
    let mut contest = Contest::new();
    contest.repeated(OURS, ours::with_replicas(replicas, 1000), |counter| ours::read(counter));
    contest.repeated(PEER, peer(replicas, 1000), |counter| counter.read());
    contest.repeated(FLOOR, floor(replicas, 1000), |[added, subtracted]| {
        added.iter().sum::<u64>().wrapping_sub(subtracted.iter().sum())
    });
    contest
}

/// As many states as fit into the second-level cache together.
fn batch(replicas: u32) -> usize {
    (16_000 / replicas as usize).clamp(8, 1000)
}

fn join_growing(replicas: u32) -> Contest<'static> {
    let batch = (1, batch(replicas));
    let mut contest = Contest::new();
    let (old, new) = (ours::with_replicas(replicas, 1000), ours::with_replicas(replicas, 1001));
    contest.fresh(OURS, batch, move || old.clone(), move |counter| ours::join(counter, &new));
    // The peer takes the other state by value: its clone is not part of the time.
    let (old, new) = (peer(replicas, 1000), peer(replicas, 1001));
    contest.fresh(PEER, batch, move || (old.clone(), Some(new.clone())), merge_peer);
    let (old, new) = (floor(replicas, 1000), floor(replicas, 1001));
    contest.fresh(FLOOR, batch, move || old.clone(), move |counter| join_floor(counter, &new));
    contest
}

fn join_equal(replicas: u32) -> Contest<'static> {
    let mut contest = Contest::new();
    let other = ours::with_replicas(replicas, 1000);
    contest.repeated(OURS, other.clone(), move |counter| ours::join(counter, &other));
    let other = peer(replicas, 1000);
    contest.fresh(PEER, (1, batch(replicas)), move || (other.clone(), Some(other.clone())), merge_peer);
    let other = floor(replicas, 1000);
    contest.repeated(FLOOR, other.clone(), move |counter| join_floor(counter, &other));
    contest
}

fn merge_peer((counter, other): &mut (Peer, Option<Peer>)) {
    counter.merge(other.take().expect("each is merged once"));
}

fn clone(replicas: u32) -> Contest<'static> {
    let mut contest = Contest::new();
    contest.repeated(OURS, ours::with_replicas(replicas, 1000), |counter| counter.clone());
    contest.repeated(PEER, peer(replicas, 1000), |counter| counter.clone());
    contest.repeated(FLOOR, floor(replicas, 1000), |counter| counter.clone());
    contest
}

fn sizes(table: &mut Table, replicas: u32) {
    let (our_counter, our_heap) = memory::measure(|| ours::with_replicas(replicas, 1000));
    let (peer_counter, peer_heap) = memory::measure(|| peer(replicas, 1000));
    let (_, floor_heap) = memory::measure(|| floor(replicas, 1000));
    table.row(&[
        "heap, bytes".into(),
        replicas.to_string(),
        grouped(our_heap.held_bytes),
        grouped(peer_heap.held_bytes),
        grouped(floor_heap.held_bytes),
    ]);
    let peer_json = serde_json::to_vec(&peer_counter).expect("the peer's counter is plain data");
    table.row(&[
        "encoded, bytes (peer: JSON)".into(),
        replicas.to_string(),
        grouped(ours::encoded(&our_counter).len()),
        grouped(peer_json.len()),
    ]);
}
