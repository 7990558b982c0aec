//! Multi-value registers with 1, 2, 10 and 100 siblings.
//!
//! Each sibling was written by a replica that had seen none of the others.

use crdts::{Crdt as _, Encode as _, Lattice, MvRegister, ReplicaId, objects::register::RegisterOp};
use rust_crdts::{CmRDT as _, CvRDT as _, MVReg};

use crate::{
    contest::Contest,
    memory,
    table::{Table, grouped, ns, ratio},
};

const SIBLINGS: [u32; 4] = [1, 2, 10, 100];
const OURS: usize = 0;
const PEER: usize = 1;
const FLOOR: usize = 2;
const COLUMNS: usize = 3;

/// What a contest needs of a register.
trait Register: Clone + Default {
    fn write(&mut self, replica: u32, value: u64);
    fn values(&self) -> usize;
    /// Joins the other. Those that take it by value find a clone in it, whose making is not part of the time.
    fn join(&mut self, other: &mut Option<Self>);
    /// Bytes of the encoding that the library offers.
    fn encoded_bytes(&self) -> usize;

    /// What these replicas have written without hearing of each other.
    fn with_siblings(replicas: std::ops::Range<u32>) -> Self {
        let mut all = Self::default();
        for replica in replicas {
            let mut one = Self::default();
            one.write(replica, u64::from(replica) * 1000);
            all.join(&mut Some(one));
        }
        all
    }
}

type Peer = MVReg<u64, u32>;

impl Register for Peer {
    fn write(&mut self, replica: u32, value: u64) {
        let context = self.read_ctx().derive_add_ctx(replica);
        self.apply(MVReg::write(self, value, context));
    }

    fn values(&self) -> usize {
        self.read().val.len()
    }

    fn join(&mut self, other: &mut Option<Self>) {
        self.merge(other.take().expect("each is merged once"));
    }

    fn encoded_bytes(&self) -> usize {
        serde_json::to_vec(self).expect("the peer's register is plain data").len()
    }
}

type Ours = MvRegister<u64>;

impl Register for Ours {
    fn write(&mut self, replica: u32, value: u64) {
        self.update(ReplicaId(replica), &RegisterOp::Write(value)).expect("the dots do not run out");
    }

    fn values(&self) -> usize {
        self.siblings().len()
    }

    fn join(&mut self, other: &mut Option<Self>) {
        if let Some(other) = other {
            Lattice::join(self, other);
        }
    }

    fn encoded_bytes(&self) -> usize {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes.len()
    }
}

/// The floor: values in a vector sorted by their dots, and what each replica has written so far. A sibling stays unless
/// the other state knows its dot and no longer has it.
#[derive(Clone, Default)]
struct Dotted {
    siblings: Vec<(u32, u64, u64)>,
    known: Vec<u64>,
}

impl Dotted {
    fn knows(&self, replica: u32, counter: u64) -> bool {
        self.known.get(replica as usize).is_some_and(|&known| known >= counter)
    }
}

impl Register for Dotted {
    fn write(&mut self, replica: u32, value: u64) {
        let at = replica as usize;
        if self.known.len() <= at {
            self.known.resize(at + 1, 0);
        }
        self.known[at] += 1;
        self.siblings = vec![(replica, self.known[at], value)];
    }

    fn values(&self) -> usize {
        self.siblings.len()
    }

    fn join(&mut self, other: &mut Option<Self>) {
        let Some(other) = other else { return };
        let has = |siblings: &[(u32, u64, u64)], sibling: &(u32, u64, u64)| siblings.binary_search(sibling).is_ok();
        let missing: Vec<_> = other
            .siblings
            .iter()
            .filter(|sibling| !self.knows(sibling.0, sibling.1) && !has(&self.siblings, sibling))
            .copied()
            .collect();
        self.siblings.retain(|sibling| !other.knows(sibling.0, sibling.1) || has(&other.siblings, sibling));
        self.siblings.extend(missing);
        self.siblings.sort_unstable();
        self.known.resize(self.known.len().max(other.known.len()), 0);
        crate::floors::raise(&mut self.known, &other.known);
    }

    fn encoded_bytes(&self) -> usize {
        size_of_val(self.siblings.as_slice()) + size_of_val(self.known.as_slice())
    }
}

/// What is measured.
#[derive(Clone, Copy)]
enum Work {
    Write,
    JoinEqual,
    JoinOther,
}

impl Work {
    const ALL: [(Self, &str); 3] = [
        (Self::Write, "write, resolving all siblings, ns"),
        (Self::JoinEqual, "join with the same siblings, ns"),
        (Self::JoinOther, "join with as many other siblings, ns"),
    ];

    fn enter<R: Register + 'static>(self, contest: &mut Contest<'_>, column: usize, siblings: u32) {
        let ours = R::with_siblings(0..siblings);
        assert_eq!(ours.values(), siblings as usize);
        let batch = (1, (10_000 / siblings as usize).min(1000));
        match self {
            Self::Write => contest.fresh(column, batch, move || ours.clone(), |register| register.write(0, 7)),
            Self::JoinEqual | Self::JoinOther => {
                let theirs = match self {
                    Self::JoinOther => R::with_siblings(siblings..2 * siblings),
                    _ => ours.clone(),
                };
                let prepare = move || (ours.clone(), Some(theirs.clone()));
                contest.fresh(column, batch, prepare, |(register, other)| register.join(other));
            }
        }
    }
}

/// The section with its table.
pub fn section() -> String {
    let mut table = Table::new(&[
        "multi-value registers",
        "siblings",
        "MvRegister (ours)",
        "rust-crdt MVReg",
        "sorted dots",
        "ours : floor",
        "peer : ours",
    ]);
    for siblings in SIBLINGS {
        for (work, label) in Work::ALL {
            let mut contest = Contest::new();
            work.enter::<Ours>(&mut contest, OURS, siblings);
            work.enter::<Peer>(&mut contest, PEER, siblings);
            work.enter::<Dotted>(&mut contest, FLOOR, siblings);
            let times = contest.run(COLUMNS);
            let mut cells = vec![label.to_string(), siblings.to_string()];
            cells.extend(times.iter().map(|&times| ns(times)));
            cells.extend([ratio(times[OURS], times[FLOOR]), ratio(times[PEER], times[OURS])]);
            table.row(&cells);
        }
        let (ours, peer, floor) = (sizes::<Ours>(siblings), sizes::<Peer>(siblings), sizes::<Dotted>(siblings));
        let row = |label: &str, at: usize| {
            [label.into(), siblings.to_string(), ours[at].clone(), peer[at].clone(), floor[at].clone()]
        };
        table.row(&row("heap, bytes", 0));
        table.row(&row("encoded, bytes (peer: JSON)", 1));
    }
    table.finish()
}

fn sizes<R: Register>(siblings: u32) -> [String; 2] {
    let (register, heap) = memory::measure(|| R::with_siblings(0..siblings));
    [grouped(heap.held_bytes), grouped(register.encoded_bytes())]
}
