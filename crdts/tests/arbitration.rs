//! Types that keep the greatest write: what laws of histories do not reach, since it takes times from outside, forged
//! states, or bytes.

use crdts::{
    Crdt, DecodeError, Encode, GSet, JoinError, Lattice, LwwMap, LwwRegister, MaxRegister, MinRegister, ReplicaId,
    TwoPhaseSet, UpdateError,
    causality::Dot,
    objects::{
        map::MapOp,
        register::RegisterOp::{Read, Write},
        set::SetOp::{Add, Contains, Remove},
    },
};

const ONE: ReplicaId = ReplicaId(1);
const TWO: ReplicaId = ReplicaId(2);

fn encoded(state: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.encode(&mut bytes);
    bytes
}

fn progress_of(state: &impl Crdt, replica: ReplicaId) -> u64 {
    let mut found = 0;
    state.progress(|reporting, updates| found = if reporting == replica { updates } else { found });
    found
}

fn joined<C: Lattice>(states: impl IntoIterator<Item = C>) -> C {
    states.into_iter().fold(C::bottom(), |mut all, state| {
        all.join(&state);
        all
    })
}

/// All ways to choose `length` of `choices`, in order and with repetition.
fn sequences<T: Copy>(choices: &[T], length: usize) -> Vec<Vec<T>> {
    (0..length).fold(vec![Vec::new()], |shorter, _| {
        let longer =
            |sequence: &Vec<T>| choices.iter().map(|&next| [&sequence[..], &[next]].concat()).collect::<Vec<_>>();
        shorter.iter().flat_map(longer).collect()
    })
}

/// A write to a register at a time from outside: replica, time, value.
type Timed = (u32, u64, u8);

fn timed() -> Vec<Timed> {
    let mut writes = Vec::new();
    for replica in [1, 2] {
        for time in [1, 2] {
            writes.extend([7, 8].map(|value| (replica, time, value)));
        }
    }
    writes
}

/// Every subset of the deltas, joined forward and backward: one state, and exact progress.
fn check_subsets<C: Crdt>(deltas: &[(ReplicaId, u64, C)]) {
    for arrived in 0..1_u32 << deltas.len() {
        let heard = || (0..deltas.len()).filter(move |at| arrived >> at & 1 == 1).map(|at| deltas[at].2.clone());
        let state = joined(heard());
        assert_eq!(joined(heard().collect::<Vec<_>>().into_iter().rev()), state);
        for (replica, progress, delta) in deltas {
            assert!(delta.le(&state) || progress_of(&state, *replica) < *progress, "{delta:?} {state:?}");
        }
    }
    let all = joined(deltas.iter().map(|(_, _, delta)| delta.clone()));
    assert!(deltas.iter().all(|(replica, progress, _)| progress_of(&all, *replica) >= *progress));
}

#[test]
fn registers_converge_whatever_times_are_given() {
    for writes in sequences(&timed(), 4) {
        let mut replicas = [LwwRegister::bottom(), LwwRegister::bottom()];
        let mut deltas = Vec::new();
        for &(replica, time, value) in &writes {
            let state = &mut replicas[replica as usize - 1];
            let before = state.clone();
            let delta = state.write_at(ReplicaId(replica), time, value).expect("times are far from the largest");
            assert_eq!(joined([before, delta.clone()]), *state);
            deltas.push((ReplicaId(replica), progress_of(state, ReplicaId(replica)), delta));
        }
        let latest = writes.iter().max_by_key(|&&(replica, time, value)| (time, replica, value));
        let expected = latest.map(|&(_, _, value)| value);
        assert_eq!(joined(replicas.clone()).value(), expected, "{writes:?}");
        assert_eq!(joined(deltas.iter().map(|(_, _, delta)| delta.clone())), joined(replicas));
        check_subsets(&deltas);
    }
}

#[test]
fn maps_converge_whatever_times_are_given() {
    for writes in sequences(&timed(), 4) {
        let mut replicas = [LwwMap::bottom(), LwwMap::bottom()];
        let mut deltas = Vec::new();
        for &(replica, time, value) in &writes {
            let state = &mut replicas[replica as usize - 1];
            // Two keys, and one of the values stands for removal.
            let (key, value) = (time % 2, (value == 8).then_some(value));
            let delta = state.write_at(ReplicaId(replica), time, key, value).expect("dots are far from the last");
            deltas.push((ReplicaId(replica), progress_of(state, ReplicaId(replica)), delta));
        }
        assert_eq!(joined(deltas.iter().map(|(_, _, delta)| delta.clone())), joined(replicas));
        check_subsets(&deltas);
    }
}

#[test]
fn nothing_is_later_than_the_last_time() {
    let mut register = LwwRegister::bottom();
    assert!(register.write_at(ONE, u64::MAX, 'a').is_ok());
    let before = register.clone();
    assert_eq!(register.update(TWO, &Write('b')), Err(UpdateError::Overflow));
    assert_eq!(register, before);
    assert!(register.update(TWO, &Read).is_ok());
    // A larger replica still wins the tie.
    assert!(register.write_at(TWO, u64::MAX, 'b').is_ok_and(|delta| !delta.is_bottom()));

    let mut map = LwwMap::bottom();
    assert!(map.write_at(ONE, u64::MAX, 1_u8, Some('a')).is_ok());
    let before = map.clone();
    for op in [MapOp::Update { key: 1, op: Write('b') }, MapOp::Remove(1)] {
        assert_eq!(map.update(TWO, &op), Err(UpdateError::Overflow));
    }
    assert_eq!(map, before);
    assert!(map.update(TWO, &MapOp::Update { key: 2, op: Write('b') }).is_ok(), "each key has its own time");
}

#[test]
fn the_last_dot_is_the_last_update() {
    let bytes = [&[1, 1, 1][..], &[0xff; 9], &[1, 0]].concat();
    let mut register = MaxRegister::<u8>::decode(&bytes).expect("a replica that has made 2^64 - 1 updates");
    let before = register.clone();
    assert_eq!(register.update(ONE, &Write(3)), Err(UpdateError::Overflow));
    assert_eq!(register, before);
}

#[test]
fn writes_that_change_nothing_tell_nothing() {
    let mut high = MaxRegister::bottom();
    let mut low = MinRegister::bottom();
    for (value, (raises, lowers)) in [(5_u8, (true, true)), (5, (false, false)), (4, (false, true)), (6, (true, false))]
    {
        let told = |delta: bool| !delta;
        assert_eq!(high.update(TWO, &Write(value)).map(|update| told(update.delta.is_bottom())), Ok(raises));
        assert_eq!(low.update(ONE, &Write(value)).map(|update| told(update.delta.is_bottom())), Ok(lowers));
        // Writing what is there does not change who wrote it, even for a larger id.
        let writer = high.winner().map(|winner| winner.replica);
        assert!(high.update(ReplicaId(9), &Write(value.min(5))).is_ok_and(|update| update.delta.is_bottom()));
        assert_eq!(high.winner().map(|winner| winner.replica), writer);
    }
    assert_eq!((high.value(), low.value()), (Some(6), Some(4)));
    assert_eq!((progress_of(&high, TWO), progress_of(&low, ONE)), (2, 2));

    let mut set = TwoPhaseSet::bottom();
    assert!(set.update(ONE, &Remove(1_u8)).is_ok_and(|update| update.delta.is_bottom()));
    assert!(set.update(ONE, &Add(1)).is_ok_and(|update| !update.delta.is_bottom()));
    assert!(set.update(TWO, &Add(1)).is_ok_and(|update| update.delta.is_bottom()));
    assert!(set.update(TWO, &Remove(1)).is_ok_and(|update| !update.delta.is_bottom()));
    assert!(set.update(ONE, &Remove(1)).is_ok_and(|update| update.delta.is_bottom()));
    assert!(set.update(ONE, &Contains(1)).is_ok_and(|update| update.delta.is_bottom()));
    let before = set.clone();
    assert!(matches!(set.update(ONE, &Add(1)), Err(UpdateError::Unsupported { .. })));
    assert_eq!(set, before);
}

#[test]
fn an_id_that_is_used_twice_is_found_out() {
    let contradiction = |counter| Err(JoinError::Contradiction { dot: Dot::new(ONE, counter) });

    // Registers: the same update with two contents, and an update that is claimed and not there.
    let (mut ours, mut theirs) = (LwwRegister::bottom(), LwwRegister::bottom());
    assert!(ours.update(ONE, &Write('a')).is_ok() && theirs.update(ONE, &Write('b')).is_ok());
    let before = ours.clone();
    assert_eq!(ours.try_join(&theirs), contradiction(1));
    let mut behind = LwwRegister::bottom();
    for value in ['c', 'd'] {
        assert!(behind.write_at(ONE, 0, value).is_ok());
    }
    assert_eq!(ours.try_join(&behind), contradiction(1));
    assert_eq!(ours, before);
    assert!(joined([ours.clone(), theirs.clone()]) == joined([theirs, ours]), "joins stay total");

    // Keyed types: the same dot under two keys.
    let (mut ours, mut theirs) = (GSet::bottom(), GSet::bottom());
    assert!(ours.update(ONE, &Add(1)).is_ok() && theirs.update(ONE, &Add(2)).is_ok());
    let before = ours.clone();
    assert_eq!(ours.try_join(&theirs), contradiction(1));
    assert_eq!(ours, before);
    let (mut ours, mut theirs) = (LwwMap::bottom(), LwwMap::bottom());
    assert!(ours.write_at(ONE, 5, 1, Some('a')).is_ok() && theirs.write_at(ONE, 4, 1, Some('a')).is_ok());
    assert_eq!(ours.try_join(&theirs), contradiction(1));
    assert_eq!(theirs.try_join(&ours), contradiction(1));
}

#[test]
fn honest_states_and_their_parts_are_no_contradiction() {
    let mut replicas = [LwwMap::bottom(), LwwMap::bottom()];
    let mut parts = Vec::new();
    for round in 0..6_u8 {
        for (at, replica) in [ONE, TWO].into_iter().enumerate() {
            let op = if round == 4 { MapOp::Remove(1) } else { MapOp::Update { key: round % 3, op: Write(round) } };
            let update = replicas[at].update(replica, &op).expect("nothing overflows");
            parts.push(update.delta);
        }
        if round % 2 == 1 {
            let told = replicas[0].clone();
            assert!(replicas[1].try_join(&told).is_ok());
        }
    }
    for (a, b) in sequences(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2).into_iter().map(|pair| (pair[0], pair[1])) {
        assert!(parts[a].clone().try_join(&parts[b]).is_ok(), "{:?} {:?}", parts[a], parts[b]);
    }
    for part in &parts {
        assert!(replicas[0].clone().try_join(part).is_ok() && replicas[1].clone().try_join(part).is_ok());
    }
}

#[test]
fn encodings_are_pinned() {
    let mut register = LwwRegister::bottom();
    assert!(register.write_at(TWO, 300, "hi".to_owned()).is_ok());
    // Version; one replica, r2, one write; a winner: time 300, r2, two bytes.
    assert_eq!(encoded(&register), [1, 1, 2, 1, 1, 0b1010_1100, 0b10, 2, 2, b'h', b'i']);
    let weight = register.weight();
    assert_eq!((weight.payload_bytes, weight.metadata_bytes, weight.tombstone_bytes), (3, 8, 0));

    let mut set = TwoPhaseSet::bottom();
    for op in [Add(5_u8), Add(6), Remove(5)] {
        assert!(set.update(ONE, &op).is_ok());
    }
    let bytes = encoded(&set);
    // The entries come last: their number, 5 removed by 1:3, 6 added by 1:2.
    assert_eq!(bytes[bytes.len() - 9..], [2, 5, 1, 1, 3, 6, 0, 1, 2]);
    let weight = set.weight();
    assert_eq!((weight.payload_bytes, weight.tombstone_bytes), (1, 4));
    assert_eq!(weight.total_bytes(), bytes.len() as u64);
}

#[test]
fn states_that_cannot_be_are_refused() {
    type Register = LwwRegister<u8>;
    assert_eq!(Register::decode(&[1, 1, 2, 1, 1, 7, 2, 9]).map(|register| register.value()), Ok(Some(9)));
    // A winner whose replica was not seen, and a flag that is neither.
    assert_eq!(Register::decode(&[1, 1, 2, 1, 1, 7, 3, 9]), Err(DecodeError::DotWithoutContext));
    assert_eq!(Register::decode(&[1, 0, 1, 7, 3, 9]), Err(DecodeError::DotWithoutContext));
    assert_eq!(Register::decode(&[1, 0, 2]), Err(DecodeError::AtomOutOfRange));

    let mut set = GSet::bottom();
    assert!(set.update(ONE, &Add(5_u8)).is_ok() && set.update(ONE, &Add(6)).is_ok());
    let bytes = encoded(&set);
    let (context, entries) = bytes.split_at(bytes.len() - 7);
    assert_eq!(entries, [2, 5, 1, 1, 6, 1, 2]);
    let check = |entries: &[u8], expected| {
        assert_eq!(GSet::<u8>::decode(&[context, entries].concat()), Err(expected), "{entries:?}");
    };
    check(&[2, 6, 1, 2, 5, 1, 1], DecodeError::NotAscending);
    check(&[2, 5, 1, 1, 5, 1, 2], DecodeError::NotAscending);
    check(&[2, 5, 1, 1, 6, 1, 3], DecodeError::DotWithoutContext);
    check(&[2, 5, 1, 1, 6, 1, 0], DecodeError::ZeroCount);
}

#[test]
fn json_that_is_no_state_is_refused() {
    let mut register = LwwRegister::bottom();
    assert!(register.update(TWO, &Write("hi".to_owned())).is_ok());
    let text = serde_json::to_string(&register).expect("a register is representable in JSON");
    assert_eq!(text, r#"{"seen":[[2,1]],"winner":{"stamp":1,"replica":2,"value":"hi"}}"#);
    let refused = |text: &str| serde_json::from_str::<LwwRegister<String>>(text).map_err(|error| error.to_string());
    assert_eq!(refused(&text).as_ref(), Ok(&register));
    assert!(refused(&text.replace("[2,1]", "[3,1]")).is_err_and(|error| error.contains("was not seen")));
    assert!(refused(&text.replace("[2,1]", "[2,0]")).is_err());
    assert!(refused(&text.replace("stamp", "time")).is_err_and(|error| error.contains("unknown field")));

    let mut set = TwoPhaseSet::bottom();
    assert!(set.update(ONE, &Add("a".to_owned())).is_ok() && set.update(ONE, &Add("b".to_owned())).is_ok());
    let text = serde_json::to_string(&set).expect("a set is representable in JSON");
    let refused = |text: &str| serde_json::from_str::<TwoPhaseSet<String>>(text).map_err(|error| error.to_string());
    assert_eq!(refused(&text).as_ref(), Ok(&set));
    let twisted = text.replace("\"a\"", "\"c\"");
    assert!(refused(&twisted).is_err_and(|error| error.contains("not ascending")), "{twisted}");
    let unknown = text.replace("\"counter\":2", "\"counter\":3");
    assert!(unknown != text && refused(&unknown).is_err_and(|error| error.contains("not in the context")), "{unknown}");
}
