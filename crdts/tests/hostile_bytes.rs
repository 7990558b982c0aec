//! Decoders are total: any bytes decode to a state that encodes to just these bytes, or to an error.
//!
//! Random bytes rarely get far, so most of the bytes here are encodings of states that replicas reached, damaged in one place.

use crdts::{
    BoundedCounter, Crdt, DecodeError, Encode, GCounter, GSet, LwwMap, LwwRegister, MaxRegister, MinRegister, Object,
    PnCounter, ReplicaId, TwoPhaseSet,
    objects::{
        bounded_counter::BoundedOp::{Decrement, Increment, Transfer},
        counter::CounterOp::Add,
        map::MapOp,
        register::RegisterOp::Write,
        set::SetOp,
    },
};
use proptest::prelude::*;

type Op<C> = <<C as Crdt>::Object as Object>::Op;

#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip { at: usize, bits: u8 },
    Insert { at: usize, byte: u8 },
    Remove { at: usize },
    Truncate { to: usize },
    Swap { a: usize, b: usize },
}

fn damages() -> impl Strategy<Value = Damage> {
    let (at, byte) = (any::<usize>, || prop_oneof![0..4_u8, any::<u8>()]);
    prop_oneof![
        4 => (at(), 1..=u8::MAX).prop_map(|(at, bits)| Damage::Flip { at, bits }),
        2 => (at(), byte()).prop_map(|(at, byte)| Damage::Insert { at, byte }),
        2 => at().prop_map(|at| Damage::Remove { at }),
        1 => at().prop_map(|to| Damage::Truncate { to }),
        2 => (at(), at()).prop_map(|(a, b)| Damage::Swap { a, b }),
    ]
}

fn damage(bytes: &mut Vec<u8>, damage: Damage) {
    let len = bytes.len().max(1);
    match damage {
        _ if bytes.is_empty() => {}
        Damage::Flip { at, bits } => bytes[at % len] ^= bits,
        Damage::Insert { at, byte } => bytes.insert(at % (len + 1), byte),
        Damage::Remove { at } => drop(bytes.remove(at % len)),
        Damage::Truncate { to } => bytes.truncate(to % len),
        Damage::Swap { a, b } => bytes.swap(a % len, b % len),
    }
}

fn encoded(state: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.encode(&mut bytes);
    bytes
}

/// Returns whether the bytes are a state.
fn check_bytes<C: Crdt + Encode>(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let Ok(state) = C::decode(bytes) else { return Ok(false) };
    prop_assert_eq!(encoded(&state), bytes, "{:?}", state);
    prop_assert_eq!(state.weight().total_bytes(), bytes.len() as u64);
    // What a decoder lets through must not bring anything else down either.
    let mut joined = C::bottom();
    prop_assert_eq!(joined.join(&state), !state.is_bottom());
    prop_assert_eq!(&joined, &state);
    prop_assert!(state.delta_since(&state.digest()).is_bottom());
    state.progress(|_, updates| assert!(updates > 0));
    drop(state.value());
    Ok(true)
}

/// A state after each operation at one of three replicas, which now and then hear of each other.
fn reached<C: Crdt>(ops: &[Op<C>]) -> C {
    let mut states = [C::bottom(), C::bottom(), C::bottom()];
    for (at, op) in ops.iter().cycle().take(2 * ops.len()).enumerate() {
        // A refused operation leaves the state as it was.
        drop(states[at % 3].update(ReplicaId(at as u32 % 3 * 200), op));
        if at % 4 == 3 {
            let told = states[at % 3].clone();
            states[(at + 1) % 3].join(&told);
        }
    }
    let [mut all, second, third] = states;
    all.join(&second);
    all.join(&third);
    all
}

/// `hostile_bytes!(module: Type, operations of which the encoding that is damaged has seen each twice)`
macro_rules! hostile_bytes {
    ($name:ident: $crdt:ty, $ops:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn every_prefix_and_every_longer_string_is_refused() {
                let bytes = encoded(&reached::<$crdt>(&$ops));
                assert!(matches!(check_bytes::<$crdt>(&bytes), Ok(true)));
                for end in 0..bytes.len() {
                    assert_eq!(<$crdt>::decode(&bytes[..end]), Err(DecodeError::Truncated), "{end}");
                }
                let longer = [&bytes[..], &[0]].concat();
                assert_eq!(<$crdt>::decode(&longer), Err(DecodeError::TrailingBytes { count: 1 }));
                assert_eq!(<$crdt>::decode(&[9, 0]), Err(DecodeError::UnknownVersion { found: 9 }));
            }

            #[test]
            fn every_changed_byte_is_a_state_or_refused() {
                let bytes = encoded(&reached::<$crdt>(&$ops));
                for at in 0..bytes.len() {
                    for byte in 0..=u8::MAX {
                        let mut changed = bytes.clone();
                        changed[at] = byte;
                        if let Err(error) = check_bytes::<$crdt>(&changed) {
                            panic!("{changed:?}: {error}");
                        }
                    }
                }
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(1024))]

                #[test]
                fn damaged_states(damages in prop::collection::vec(damages(), 1..5)) {
                    let mut bytes = encoded(&reached::<$crdt>(&$ops));
                    for next in damages {
                        damage(&mut bytes, next);
                    }
                    check_bytes::<$crdt>(&bytes)?;
                }

                #[test]
                fn random_bytes(bytes in prop::collection::vec(prop_oneof![Just(1_u8), 0..4_u8, any::<u8>()], 0..24)) {
                    check_bytes::<$crdt>(&bytes)?;
                }
            }
        }
    };
}

fn text(letter: &str) -> String {
    letter.repeat(3)
}

hostile_bytes!(g_counter: GCounter, [Add(1), Add(300), Add(7)]);
hostile_bytes!(pn_counter: PnCounter, [Add(1), Add(-300), Add(7)]);
hostile_bytes!(bounded_counter: BoundedCounter, [
    Increment(400),
    Transfer { to: ReplicaId(200), amount: 150 },
    Increment(9),
    Decrement(5),
    Transfer { to: ReplicaId(400), amount: 1 },
]);
hostile_bytes!(max_register: MaxRegister<i64>, [Write(-1), Write(5), Write(900)]);
hostile_bytes!(min_register: MinRegister<String>, [Write(text("c")), Write(text("b")), Write(text("a"))]);
hostile_bytes!(lww_register: LwwRegister<String>, [Write(text("a")), Write(text("é")), Write(text("b"))]);
hostile_bytes!(g_set: GSet<String>, [SetOp::Add(text("a")), SetOp::Add(text("b")), SetOp::Add(text("é"))]);
hostile_bytes!(two_phase_set: TwoPhaseSet<u16>, [SetOp::Add(1), SetOp::Add(2), SetOp::Remove(1), SetOp::Add(700)]);
hostile_bytes!(lww_map: LwwMap<u32, char>, [
    MapOp::Update { key: 1, op: Write('a') },
    MapOp::Update { key: 70_000, op: Write('é') },
    MapOp::Remove(1),
    MapOp::Update { key: 2, op: Write('b') },
]);
