//! The bounded counter's promise: no value below zero, anywhere, whatever is lost, repeated or overtaken.

use std::collections::BTreeSet;

use crdts::{
    BoundedCounter, Crdt, DecodeError, Encode, JoinError, Lattice, ReplicaId, UpdateError,
    causality::Dot,
    objects::bounded_counter::{
        BoundedOp::{self, Decrement, Increment, Read, Transfer},
        BoundedRet,
    },
};

const REPLICAS: usize = 3;

fn id(at: usize) -> ReplicaId {
    ReplicaId(at as u32)
}

/// Three replicas, every delta that was ever sent, and what has really been added less what has really been subtracted.
#[derive(Clone)]
struct Cluster {
    states: Vec<BoundedCounter>,
    deltas: Vec<BoundedCounter>,
    sum: i128,
}

impl Cluster {
    fn new() -> Self {
        Self { states: vec![BoundedCounter::bottom(); REPLICAS], deltas: Vec::new(), sum: 0 }
    }

    fn fingerprint(&self) -> Vec<u64> {
        let mut words = Vec::new();
        for state in self.states.iter().chain(&self.deltas) {
            words.push(u64::MAX);
            state.fold(|word| words.push(word));
        }
        words
    }

    fn perform(&mut self, at: usize, op: BoundedOp) -> bool {
        let Ok(update) = self.states[at].update(id(at), &op) else { return false };
        self.sum += match op {
            Increment(amount) => i128::from(amount),
            Decrement(amount) => -i128::from(amount),
            Transfer { .. } | Read => 0,
        };
        self.deltas.push(update.delta);
        true
    }

    fn check(&self) {
        for state in self.states.iter().chain(&self.deltas) {
            for of in 0..REPLICAS {
                assert!(state.rights(id(of)) >= 0, "{state:?} owes rights of {}", id(of));
            }
            // The sum itself, which the value shows only from zero on.
            assert_eq!((0..REPLICAS).map(|of| state.rights(id(of))).sum::<i128>(), state.value());
            assert!(state.value() >= 0);
        }
        let mut all = BoundedCounter::bottom();
        for delta in &self.deltas {
            all.join(delta);
        }
        assert_eq!(all.value(), self.sum);
    }
}

/// All moments of all histories of `steps` steps, each moment once.
fn explore(cluster: &Cluster, steps: usize, seen: &mut BTreeSet<(usize, Vec<u64>)>) {
    if !seen.insert((steps, cluster.fingerprint())) {
        return;
    }
    cluster.check();
    if steps == 0 {
        return;
    }
    for at in 0..REPLICAS {
        let to = id((at + 1) % REPLICAS);
        for op in [Increment(2), Decrement(1), Transfer { to, amount: 1 }] {
            let mut next = cluster.clone();
            if next.perform(at, op) {
                explore(&next, steps - 1, seen);
            }
        }
        for update in 0..cluster.deltas.len() {
            let mut next = cluster.clone();
            if next.states[at].join(&cluster.deltas[update]) {
                explore(&next, steps - 1, seen);
            }
        }
        for from in 0..REPLICAS {
            let mut next = cluster.clone();
            if next.states[at].join(&cluster.states[from]) {
                explore(&next, steps - 1, seen);
            }
        }
    }
}

#[test]
fn no_history_leads_below_zero() {
    let mut seen = BTreeSet::new();
    explore(&Cluster::new(), 6, &mut seen);
    // From nothing, only additions have an effect at first; the bulk comes with the last steps.
    assert!(seen.len() > 10_000, "{}", seen.len());
}

#[test]
fn gifts_travel_with_what_was_spent_of_them() {
    // r0 gains, gives to r1, which gives to r2, which spends. A fourth replica hears only of the spending.
    let mut cluster = Cluster::new();
    assert!(cluster.perform(0, Increment(3)));
    assert!(cluster.perform(0, Transfer { to: id(1), amount: 2 }));
    assert!(cluster.states[1].join(&cluster.deltas[1].clone()));
    assert!(cluster.perform(1, Transfer { to: id(2), amount: 2 }));
    assert!(cluster.states[2].join(&cluster.deltas[2].clone()));
    assert!(cluster.perform(2, Decrement(2)));
    let mut observer = BoundedCounter::bottom();
    assert!(observer.join(&cluster.deltas[3]));
    assert_eq!(observer.value(), 1);
    assert_eq!([0, 1, 2].map(|at| observer.rights(id(at))), [1, 0, 0]);
    // An addition uses nothing, and travels alone.
    assert!(cluster.perform(1, Increment(1)));
    assert!(cluster.perform(0, Increment(1)));
    assert_eq!(cluster.deltas[5].writers().len(), 1);
}

#[test]
fn what_rights_do_not_cover_is_refused_and_changes_nothing() {
    let (one, two) = (ReplicaId(1), ReplicaId(2));
    let mut counter = BoundedCounter::bottom();
    let refused = |available, requested| Err(UpdateError::InsufficientRights { available, requested });
    assert_eq!(counter.update(one, &Decrement(1)), refused(0, 1));
    assert!(counter.is_bottom());
    assert!(counter.update(one, &Increment(5)).is_ok());
    let before = counter.clone();
    assert_eq!(counter.update(one, &Decrement(6)), refused(5, 6));
    assert_eq!(counter.update(one, &Transfer { to: two, amount: 6 }), refused(5, 6));
    assert_eq!(counter.update(one, &Transfer { to: one, amount: 6 }), refused(5, 6));
    // The value would suffice, the rights are elsewhere.
    assert_eq!(counter.update(two, &Decrement(1)), refused(0, 1));
    assert_eq!(counter, before);
    for op in [Increment(0), Decrement(0), Transfer { to: two, amount: 0 }, Transfer { to: one, amount: 5 }] {
        let update = counter.update(one, &op).map(|update| (update.ret, update.delta.is_bottom()));
        assert_eq!(update, Ok((BoundedRet::Done, true)), "{op:?}");
    }
    assert_eq!(counter, before);
    let text = UpdateError::InsufficientRights { available: 5, requested: 6 }.to_string();
    assert_eq!(text, "the replica holds 5 of the 6 rights that this takes");
}

#[test]
fn the_range_of_a_row_is_exact() {
    let (one, two) = (ReplicaId(1), ReplicaId(2));
    let mut counter = BoundedCounter::bottom();
    assert!(counter.update(one, &Increment(u64::MAX)).is_ok());
    assert_eq!(counter.update(one, &Increment(1)), Err(UpdateError::Overflow));
    assert!(counter.update(two, &Increment(u64::MAX)).is_ok());
    assert_eq!(counter.value(), 2 * i128::from(u64::MAX));
    // Rights add up beyond 64 bits; what one replica has given to another does not.
    assert!(counter.update(one, &Transfer { to: two, amount: u64::MAX }).is_ok());
    assert_eq!(counter.rights(two), 2 * i128::from(u64::MAX));
    assert!(counter.update(two, &Transfer { to: one, amount: u64::MAX }).is_ok());
    let full = counter.clone();
    assert_eq!(counter.update(one, &Transfer { to: two, amount: 1 }), Err(UpdateError::Overflow));
    assert!(counter.update(two, &Decrement(u64::MAX)).is_ok());
    assert_eq!(counter.update(two, &Decrement(1)), Err(UpdateError::InsufficientRights { available: 0, requested: 1 }));
    assert!(full.le(&counter) && counter.value() == i128::from(u64::MAX));
}

#[test]
fn an_id_that_is_used_twice_is_found_out() {
    let r = ReplicaId(1);
    let (mut ours, mut theirs) = (BoundedCounter::bottom(), BoundedCounter::bottom());
    assert!(ours.update(r, &Increment(5)).is_ok());
    assert!(theirs.update(r, &Increment(4)).is_ok());
    let contradiction = |counter| Err(JoinError::Contradiction { dot: Dot::new(r, counter) });
    let before = ours.clone();
    assert_eq!(ours.try_join(&theirs), contradiction(1));
    assert!(theirs.update(r, &Decrement(1)).is_ok());
    assert_eq!(ours.try_join(&theirs), contradiction(1));
    assert_eq!(theirs.try_join(&ours), contradiction(1));
    assert_eq!(ours, before);
    // Joining is total all the same, and both sides agree.
    let mut joined = ours.clone();
    joined.join(&theirs);
    theirs.join(&ours);
    assert_eq!(joined, theirs);
    let earlier = ours.clone();
    assert!(ours.update(r, &Decrement(1)).is_ok());
    assert_eq!(ours.try_join(&earlier), Ok(false));
    assert_eq!(earlier.clone().try_join(&ours), Ok(true));
}

#[test]
fn other_spellings_are_refused() {
    let mut counter = BoundedCounter::bottom();
    assert!(counter.update(ReplicaId(1), &Increment(300)).is_ok());
    assert!(counter.update(ReplicaId(1), &Transfer { to: ReplicaId(4), amount: 7 }).is_ok());
    let mut bytes = Vec::new();
    counter.encode(&mut bytes);
    // Version; one row: id, two updates, 300 gained, nothing spent; one gift: to r4, of 7.
    assert_eq!(bytes, [1, 1, 1, 2, 0b1010_1100, 0b10, 0, 1, 4, 7]);
    assert_eq!(BoundedCounter::decode(&bytes), Ok(counter));
    for end in 1..bytes.len() {
        assert_eq!(BoundedCounter::decode(&bytes[..end]), Err(DecodeError::Truncated), "{end}");
    }
    let check = |bytes: &[u8], expected| assert_eq!(BoundedCounter::decode(bytes), Err(expected), "{bytes:?}");
    check(&[1, 1, 1, 0, 5, 0, 0], DecodeError::ZeroCount);
    check(&[1, 1, 1, 1, 5, 0, 1, 1, 2], DecodeError::GivenToItself);
    check(&[1, 1, 1, 1, 5, 0, 0, 0], DecodeError::TrailingBytes { count: 1 });
    check(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 1], DecodeError::Truncated);
    check(&[1, 1, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 0, 0, 0], DecodeError::IdOutOfRange);
    let json = |text: &str| serde_json::from_str::<BoundedCounter>(text).map_err(|error| error.to_string());
    let row = |id: u32, updates: u32, given: &str| {
        format!(r#"{{"replica":{id},"updates":{updates},"gained":5,"spent":0,"given":{given}}}"#)
    };
    assert!(json(&format!("[{},{}]", row(1, 1, "[]"), row(2, 2, "[[1,3]]"))).is_ok());
    for text in [
        format!("[{},{}]", row(2, 1, "[]"), row(1, 1, "[]")),
        format!("[{},{}]", row(1, 1, "[]"), row(1, 1, "[]")),
        format!("[{}]", row(1, 0, "[]")),
        format!("[{}]", row(1, 1, "[[1,3]]")),
    ] {
        assert!(json(&text).is_err_and(|error| error.contains("rows ascend by replica")), "{text}");
    }
}
