//! Observed-remove sets of 1,000 and 100,000 `u64` elements.
//!
//! Elements are random numbers. The floors: a hash set and a B-tree, which know nothing of replicas and whose join is the
//! union; and a sorted vector of elements with their dots, which can be joined like ours and nothing else.

use std::collections::{BTreeSet, HashSet};

use crdts::{Encode as _, Lattice, OrSet, ReplicaId};
use rust_crdts::{CmRDT as _, CvRDT as _, Orswot};

use crate::{
    contest::Contest,
    draws::Draws,
    floors::SortedDots,
    memory,
    table::{Table, grouped, ns, number, ratio},
};

const SIZES: [usize; 2] = [1_000, 100_000];
const OURS: usize = 0;
const PEER: usize = 1;
const DOTS: usize = 2;
const TREE: usize = 3;
const HASH: usize = 4;
const COLUMNS: usize = 5;

/// What a contest needs of a set.
trait Set: Clone + Default {
    fn add(&mut self, replica: u32, element: u64);
    fn remove(&mut self, replica: u32, element: u64);
    fn contains(&self, element: u64) -> bool;
    fn len(&self) -> usize;
    /// Joins the other. Those that take it by value find a clone in it, whose making is not part of the time.
    fn join(&mut self, other: &mut Option<Self>);

    fn of(elements: &[u64]) -> Self {
        let mut set = Self::default();
        for &element in elements {
            set.add(0, element);
        }
        set
    }
}

type Peer = Orswot<u64, u32>;

impl Set for Peer {
    fn add(&mut self, replica: u32, element: u64) {
        let context = self.read_ctx().derive_add_ctx(replica);
        self.apply(Orswot::add(self, element, context));
    }

    fn remove(&mut self, _replica: u32, element: u64) {
        let context = Orswot::contains(self, &element).derive_rm_ctx();
        self.apply(self.rm(element, context));
    }

    fn contains(&self, element: u64) -> bool {
        Orswot::contains(self, &element).val
    }

    fn len(&self) -> usize {
        self.iter().count()
    }

    fn join(&mut self, other: &mut Option<Self>) {
        self.merge(other.take().expect("each is merged once"));
    }
}

type Ours = OrSet<u64>;

impl Set for Ours {
    fn add(&mut self, replica: u32, element: u64) {
        OrSet::add(self, ReplicaId(replica), element).expect("the dots do not run out");
    }

    fn remove(&mut self, replica: u32, element: u64) {
        OrSet::remove(self, ReplicaId(replica), &element).expect("the dots do not run out");
    }

    fn contains(&self, element: u64) -> bool {
        OrSet::contains(self, &element)
    }

    fn len(&self) -> usize {
        OrSet::len(self)
    }

    fn join(&mut self, other: &mut Option<Self>) {
        if let Some(other) = other {
            Lattice::join(self, other);
        }
    }
}

macro_rules! impl_set_by_union {
    ($set:ty) => {
        impl Set for $set {
            fn add(&mut self, _replica: u32, element: u64) {
                self.insert(element);
            }

            fn remove(&mut self, _replica: u32, element: u64) {
                <$set>::remove(self, &element);
            }

            fn contains(&self, element: u64) -> bool {
                <$set>::contains(self, &element)
            }

            fn len(&self) -> usize {
                <$set>::len(self)
            }

            fn join(&mut self, other: &mut Option<Self>) {
                self.extend(other.iter().flatten());
            }
        }
    };
}

impl_set_by_union!(BTreeSet<u64>);
impl_set_by_union!(HashSet<u64>);

/// Elements and the two states that are joined in the end.
struct Elements {
    /// In the order in which they are added.
    common: Vec<u64>,
    /// In the order in which they are removed.
    shuffled: Vec<u64>,
    /// What each side removes: a tenth each, sorted.
    removed: [Vec<u64>; 2],
    /// What each side adds: a tenth each.
    added: [Vec<u64>; 2],
}

impl Elements {
    fn new(size: usize) -> Self {
        let mut draws = Draws::new(size as u64);
        let mut fresh = |count: usize| (0..count).map(|_| draws.word()).collect::<Vec<_>>();
        let common = fresh(size);
        let added = [fresh(size / 10), fresh(size / 10)];
        let mut shuffled = common.clone();
        Draws::new(7).shuffle(&mut shuffled);
        let removed = [&shuffled[..size / 10], &shuffled[size / 10..size / 5]].map(|removed| {
            let mut removed = removed.to_vec();
            removed.sort_unstable();
            removed
        });
        Self { common, shuffled, removed, added }
    }

    /// Both sides after they have gone their own ways.
    fn diverged<S: Set>(&self) -> [S; 2] {
        let common = S::of(&self.common);
        [0, 1].map(|side| {
            let mut set = common.clone();
            for &element in &self.removed[side] {
                set.remove(side as u32, element);
            }
            for &element in &self.added[side] {
                set.add(side as u32, element);
            }
            set
        })
    }

    fn diverged_dots(&self) -> [SortedDots; 2] {
        [0, 1].map(|side| {
            let mut set = SortedDots::of(&self.common);
            set.remove_all(&self.removed[side]);
            set.add_all(side as u32, &self.added[side]);
            set
        })
    }
}

/// How many sets a sample works on.
fn batch(size: usize) -> usize {
    (20_000 / size).max(1)
}

/// What is measured, per element.
#[derive(Clone, Copy)]
enum Work {
    Add,
    AddAscending,
    Remove,
    Contains,
    JoinEqual,
    JoinDiverged,
    Clone,
}

impl Work {
    const ALL: [(Self, &str); 7] = [
        (Self::Add, "add, from empty"),
        (Self::AddAscending, "add in ascending order, from empty"),
        (Self::Remove, "remove, until empty"),
        (Self::Contains, "contains"),
        (Self::JoinEqual, "join of equal sets"),
        (Self::JoinDiverged, "join, 10 % added and removed on each side"),
        (Self::Clone, "clone"),
    ];

    fn enter<'a, S: Set + 'a>(self, contest: &mut Contest<'a>, column: usize, elements: &'a Elements) {
        let size = elements.common.len();
        let units = (size, batch(size));
        match self {
            Self::Add => contest.fresh(column, units, || (), |()| S::of(&elements.common)),
            Self::AddAscending => {
                let mut ascending = elements.common.clone();
                ascending.sort_unstable();
                contest.fresh(column, units, || (), move |()| S::of(&ascending));
            }
            Self::Remove => {
                let full = S::of(&elements.common);
                contest.fresh(
                    column,
                    units,
                    move || full.clone(),
                    |set| {
                        for &element in &elements.shuffled {
                            set.remove(0, element);
                        }
                        assert_eq!(set.len(), 0);
                    },
                );
            }
            Self::Contains => {
                let full = S::of(&elements.common);
                contest.fresh(
                    column,
                    units,
                    || (),
                    move |()| {
                        let found = elements.shuffled.iter().filter(|&&element| full.contains(element)).count();
                        assert_eq!(found, size);
                    },
                );
            }
            Self::JoinEqual => {
                let full = S::of(&elements.common);
                let prepare = move || (full.clone(), Some(full.clone()));
                contest.fresh(column, units, prepare, |(set, other)| set.join(other));
            }
            Self::JoinDiverged => {
                let [ours, theirs] = elements.diverged::<S>();
                let prepare = move || (ours.clone(), Some(theirs.clone()));
                contest.fresh(column, units, prepare, |(set, other)| set.join(other));
            }
            Self::Clone => {
                let full = S::of(&elements.common);
                contest.fresh(column, units, || (), move |()| full.clone());
            }
        }
    }

    fn enter_dots<'a>(self, contest: &mut Contest<'a>, elements: &'a Elements) {
        let units = (elements.common.len(), batch(elements.common.len()));
        let [ours, theirs] = match self {
            Self::JoinEqual => [SortedDots::of(&elements.common), SortedDots::of(&elements.common)],
            Self::JoinDiverged => elements.diverged_dots(),
            _ => return,
        };
        contest.fresh(DOTS, units, move || ours.clone(), move |set| set.join(&theirs));
    }

    fn contest(self, elements: &Elements) -> Contest<'_> {
        let mut contest = Contest::new();
        self.enter::<Ours>(&mut contest, OURS, elements);
        self.enter::<Peer>(&mut contest, PEER, elements);
        self.enter_dots(&mut contest, elements);
        self.enter::<BTreeSet<u64>>(&mut contest, TREE, elements);
        self.enter::<HashSet<u64>>(&mut contest, HASH, elements);
        contest
    }
}

/// The section with its table.
pub fn section() -> String {
    let mut table = Table::new(&[
        "sets, each per element",
        "elements",
        "OrSet (ours)",
        "rust-crdt Orswot",
        "sorted dots",
        "`BTreeSet`",
        "`HashSet`",
        "peer : ours",
    ]);
    for size in SIZES {
        let elements = Elements::new(size);
        for (work, label) in Work::ALL {
            let times = work.contest(&elements).run(COLUMNS);
            let mut cells = vec![format!("{label}, ns"), grouped(size)];
            cells.extend(times.iter().map(|&times| ns(times)));
            cells.push(ratio(times[PEER], times[OURS]));
            table.row(&cells);
        }
        sizes(&mut table, &elements);
    }
    table.finish()
}

fn sizes(table: &mut Table, elements: &Elements) {
    let size = elements.common.len();
    let each = |bytes: usize| number(bytes as f64 / size as f64);
    let heap = |heap: memory::Heap| each(heap.held_bytes);
    let (ours, our_heap) = memory::measure(|| Ours::of(&elements.common));
    let (peer, peer_heap) = memory::measure(|| Peer::of(&elements.common));
    let (_, dots_heap) = memory::measure(|| SortedDots::of(&elements.common));
    let (_, tree_heap) = memory::measure(|| BTreeSet::of(&elements.common));
    let (_, hash_heap) = memory::measure(|| HashSet::<u64>::of(&elements.common));
    let cells = [
        "heap, bytes",
        &grouped(size),
        &heap(our_heap),
        &heap(peer_heap),
        &heap(dots_heap),
        &heap(tree_heap),
        &heap(hash_heap),
    ];
    table.row(&cells);
    let json = serde_json::to_vec(&peer).expect("the peer's set is plain data");
    let mut encoded = Vec::new();
    ours.encode(&mut encoded);
    table.row(&["encoded, bytes (peer: JSON)", &grouped(size), &each(encoded.len()), &each(json.len())]);
}
