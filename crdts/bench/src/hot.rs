//! Our hot operations, each defined once: Criterion times them (`benches/ours.rs`), and the program `instructions` counts
//! their instructions.

use crdts::{
    Crdt as _, Encode as _, Lattice as _, MvRegister, OrSet, ReplicaId,
    objects::register::RegisterOp,
    sequence::{FugueMax, Op},
};

use crate::{draws::Draws, ours::counter};

/// What is done with each hot operation.
pub trait Visitor {
    /// `work` does `units` of the operation `name` on what `prepare` makes.
    fn visit<S, R>(&mut self, name: &str, units: usize, prepare: impl Fn() -> S, work: impl Fn(&mut S) -> R);
}

/// Visits all hot operations.
pub fn all(visitor: &mut impl Visitor) {
    counters(visitor);
    sets(visitor);
    registers(visitor);
    texts(visitor);
}

fn counters(visitor: &mut impl Visitor) {
    for (replicas, batch) in [(5, 1000), (100, 100), (1000, 10)] {
        let (older, newer) = (counter::with_replicas(replicas, 1000), counter::with_replicas(replicas, 1001));
        let prepare = || vec![older.clone(); batch];
        let name = |operation| format!("counter/{operation}/{replicas}");
        visitor.visit(&name("increment"), batch, prepare, |counters| {
            for counter in counters {
                counter::add(counter, 2, 1);
            }
        });
        visitor.visit(&name("join"), batch, prepare, |counters| {
            counters.iter_mut().filter_map(|counter| counter::join(counter, &newer).then_some(())).count()
        });
        visitor.visit(&name("read"), batch, prepare, |counters| counters.iter().map(counter::read).sum::<i128>());
    }
}

fn sets(visitor: &mut impl Visitor) {
    const SIZE: usize = 1000;
    let (one, other) = (ReplicaId(1), ReplicaId(2));
    let mut draws = Draws::new(1);
    let elements: Vec<u64> = (0..SIZE).map(|_| draws.word()).collect();
    let add = |set: &mut OrSet<u64>, replica, element| set.add(replica, element).expect("the dots do not run out");
    let remove =
        |set: &mut OrSet<u64>, replica, element| set.remove(replica, element).expect("the dots do not run out");
    let add_all = |set: &mut _| elements.iter().for_each(|&element| drop(add(set, one, element)));
    let mut full = OrSet::bottom();
    add_all(&mut full);
    let (mut ours, mut theirs) = (full.clone(), full.clone());
    for chunk in elements.chunks(10) {
        remove(&mut ours, one, &chunk[0]);
        add(&mut ours, one, draws.word());
        remove(&mut theirs, other, &chunk[1]);
        add(&mut theirs, other, draws.word());
    }
    visitor.visit("set/add", SIZE, OrSet::bottom, add_all);
    visitor.visit(
        "set/remove",
        SIZE,
        || full.clone(),
        |set| {
            for element in &elements {
                drop(remove(set, one, element));
            }
        },
    );
    visitor.visit("set/contains", SIZE, || (), |()| elements.iter().filter(|element| full.contains(element)).count());
    visitor.visit("set/join-equal", SIZE, || full.clone(), |set| set.join(&full));
    visitor.visit("set/join-diverged", SIZE, || ours.clone(), |set| set.join(&theirs));
    visitor.visit("set/encode", SIZE, Vec::new, |bytes| full.encode(bytes));
}

fn registers(visitor: &mut impl Visitor) {
    let write = |register: &mut MvRegister<u64>, replica: u32| {
        register.update(ReplicaId(replica), &RegisterOp::Write(7)).expect("the dots do not run out")
    };
    for siblings in [1, 10, 100] {
        let written = |replicas: std::ops::Range<u32>| {
            let mut all = MvRegister::bottom();
            for replica in replicas {
                let mut one = MvRegister::bottom();
                write(&mut one, replica);
                all.join(&one);
            }
            all
        };
        let register = written(0..siblings);
        visitor.visit(&format!("register/write/{siblings}"), 1, || register.clone(), |register| write(register, 0));
        let other = register.clone();
        visitor.visit(
            &format!("register/join-equal/{siblings}"),
            1,
            || register.clone(),
            |register| register.join(&other),
        );
        let other = written(siblings..2 * siblings);
        visitor.visit(
            &format!("register/join-other/{siblings}"),
            1,
            || register.clone(),
            |register| register.join(&other),
        );
    }
}

/// Edits of a person: words typed and corrected, and a jump now and then.
fn typed(edits: usize) -> Vec<(usize, usize, &'static str)> {
    let (mut draws, mut length, mut cursor) = (Draws::new(3), 0, 0);
    let mut made = Vec::with_capacity(edits);
    for _ in 0..edits {
        match draws.below(100) {
            0..3 => cursor = draws.below(length + 1),
            3..20 if cursor > 0 => {
                cursor -= 1;
                length -= 1;
                made.push((cursor, 1, ""));
            }
            _ => {
                made.push((cursor, 0, ["a", "b", "c", "d", " "][draws.below(5)]));
                cursor += 1;
                length += 1;
            }
        }
    }
    made
}

fn texts(visitor: &mut impl Visitor) {
    const EDITS: usize = 10_000;
    let (writer, edits) = (ReplicaId(1), typed(EDITS));
    let edit = |text: &mut FugueMax, sent: &mut Vec<Op<'static>>| {
        for &(position, deleted, inserted) in &edits {
            if deleted > 0 {
                let deletions = text.delete(writer, position, deleted).expect("the edit is within the text");
                sent.extend(deletions.into_iter().map(Op::from));
            } else {
                sent.push(text.insert(writer, position, inserted).expect("the edit is within the text"));
            }
        }
    };
    let (mut text, mut sent) = (FugueMax::new(), Vec::new());
    edit(&mut text, &mut sent);
    let mut encoded = Vec::new();
    text.encode(&mut encoded);

    let empty = || (FugueMax::new(), Vec::with_capacity(EDITS));
    visitor.visit("text/local", EDITS, empty, |(text, sent)| edit(text, sent));
    visitor.visit("text/remote", EDITS, FugueMax::new, |text| {
        for op in &sent {
            text.receive(op).expect("peers are honest");
        }
    });
    visitor.visit("text/read", EDITS, || (), |()| text.text());
    visitor.visit("text/join-all", EDITS, FugueMax::new, |empty| empty.join(&text));
    visitor.visit("text/encode", EDITS, Vec::new, |bytes| text.encode(bytes));
    visitor.visit("text/decode", EDITS, || (), |()| FugueMax::decode(&encoded));
}
