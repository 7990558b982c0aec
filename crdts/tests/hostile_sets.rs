//! Decoders of sets and flags are total: any bytes are a state that is spelt in the one way, or an error.

use crdts::{
    Crdt, DecodeError, DwFlag, Encode, EwFlag, Lattice, Object, OrSet, OrSetTombstones, ReplicaId, RwSet,
    causality::CausalDigest,
    laws::states::check_joins,
    objects::{
        flag::FlagOp,
        set::SetOp::{self, Add, Remove},
    },
};
use proptest::prelude::*;

type Op<C> = <<C as Crdt>::Object as Object>::Op;

fn encoded<E: Encode>(state: &E) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.encode(&mut bytes);
    bytes
}

/// What decodes is spelt in the one way, and joins like any other state.
fn check<C: Lattice + Encode>(bytes: &[u8], honest: &C) -> Result<(), TestCaseError> {
    let Ok(state) = C::decode(bytes) else { return Ok(()) };
    prop_assert_eq!(encoded(&state), bytes);
    check_joins(&state, honest, &C::bottom()).map_err(|violation| TestCaseError::fail(violation.to_string()))?;
    let mut tried = honest.clone();
    let before = honest.clone();
    if let Ok(grew) = tried.try_join(&state) {
        prop_assert_eq!(grew, !state.le(&before));
    } else {
        prop_assert_eq!(tried, before);
    }
    Ok(())
}

/// A state of three replicas, one of which has heard of nothing but deltas that were made late.
fn state<C: Crdt>(ops: &[(u32, Op<C>)]) -> C {
    let mut replicas = [C::bottom(), C::bottom(), C::bottom()];
    let mut late = C::bottom();
    for (at, (replica, op)) in ops.iter().enumerate() {
        let turn = (replica % 3) as usize;
        let update = replicas[turn].update(ReplicaId(turn as u32), op).expect("counters are far from their end");
        if at % 2 == 1 {
            late.join(&update.delta);
        }
        if at % 5 == 4 {
            let told = replicas[turn].clone();
            replicas[(turn + 1) % 3].join(&told);
        }
    }
    if ops.len().is_multiple_of(2) { late } else { replicas[0].clone() }
}

fn set_ops() -> impl Strategy<Value = Vec<(u32, SetOp<u16>)>> {
    let op = prop_oneof![5 => (0..24_u16).prop_map(Add), 2 => (0..24_u16).prop_map(Remove)];
    prop::collection::vec((0..3_u32, op), 0..48)
}

fn flag_ops() -> impl Strategy<Value = Vec<(u32, FlagOp)>> {
    prop::collection::vec((0..3_u32, prop::sample::select(vec![FlagOp::Enable, FlagOp::Disable])), 0..16)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![4 => 0..4_u8, 1 => any::<u8>()], 0..32).prop_map(|mut bytes| {
        bytes.insert(0, 1);
        bytes
    })
}

/// A byte that is replaced, or else where the bytes end.
fn damage() -> impl Strategy<Value = (prop::sample::Index, Option<u8>)> {
    (any::<prop::sample::Index>(), prop::option::weighted(0.8, prop_oneof![0..4_u8, any::<u8>()]))
}

fn damaged(mut bytes: Vec<u8>, (at, byte): &(prop::sample::Index, Option<u8>)) -> Vec<u8> {
    let at = at.index(bytes.len());
    match byte {
        Some(byte) => bytes[at] = *byte,
        None => bytes.truncate(at),
    }
    bytes
}

macro_rules! hostile_tests {
    ($name:ident: $crdt:ty, $ops:expr) => {
        mod $name {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(512))]

                #[test]
                fn any_bytes(bytes in bytes(), ops in $ops) {
                    check(&bytes, &state::<$crdt>(&ops))?;
                }

                #[test]
                fn damaged_states(ops in $ops, others in $ops, damage in damage()) {
                    let state = state::<$crdt>(&ops);
                    prop_assert_eq!(<$crdt>::decode(&encoded(&state)), Ok(state.clone()));
                    check(&damaged(encoded(&state), &damage), &super::state::<$crdt>(&others))?;
                }

                #[test]
                fn damaged_digests(ops in $ops, damage in damage()) {
                    let digest = state::<$crdt>(&ops).digest();
                    prop_assert_eq!(CausalDigest::decode(&encoded(&digest)), Ok(digest.clone()));
                    let damaged = damaged(encoded(&digest), &damage);
                    if let Ok(digest) = CausalDigest::decode(&damaged) {
                        prop_assert_eq!(encoded(&digest), damaged);
                        // Whatever it claims gets an answer.
                        let state = state::<$crdt>(&ops);
                        prop_assert!(state.delta_since(&digest).le(&state));
                    }
                }
            }
        }
    };
}

hostile_tests!(or_set: OrSet<u16>, set_ops());
hostile_tests!(or_set_tombstones: OrSetTombstones<u16>, set_ops());
hostile_tests!(rw_set: RwSet<u16>, set_ops());
hostile_tests!(ew_flag: EwFlag, flag_ops());
hostile_tests!(dw_flag: DwFlag, flag_ops());

#[test]
fn impossible_sets_are_refused() {
    let check = |bytes: &[u8], expected: DecodeError| {
        assert_eq!(OrSet::<u16>::decode(bytes), Err(expected), "{bytes:?}");
    };
    // version; context: one replica, 5, with one range, from 1, of two; no hearsay; store: element 9 with dot 5:2
    let proper = [1, 1, 5, 0, 0, 1, 0, 1, 9, 1, 5, 2];
    assert!(OrSet::<u16>::decode(&proper).is_ok_and(|set| set.contains(&9)));
    check(&[1, 1, 5, 0, 0, 1, 0, 1, 9, 1, 5, 3], DecodeError::DotWithoutContext);
    check(&[1, 1, 5, 0, 0, 1, 0, 1, 9, 0, 5, 2], DecodeError::EmptyEntry);
    check(&[1, 1, 5, 0, 0, 1, 0, 2, 9, 1, 5, 2, 9, 1, 5, 1], DecodeError::NotAscending);
    check(&[1, 1, 5, 0, 0, 1, 0, 2, 8, 1, 5, 2, 9, 1, 5, 2], DecodeError::DotTwice);
    check(&[1, 1, 5, 0, 0, 1, 0, 0xff, 0xff, 3], DecodeError::Truncated);
    // Hearsay that was not heard of, and hearsay that is there.
    check(&[1, 1, 5, 0, 0, 1, 1, 5, 0, 2, 0, 0], DecodeError::DotWithoutContext);
    check(&[1, 1, 5, 0, 0, 1, 1, 5, 0, 1, 0, 1, 9, 1, 5, 2], DecodeError::DotWithoutContext);
    // A text in place of a number, and so on, is for the tests of atoms.
    check(&[1, 1, 5, 0, 0, 1, 0, 1, 0xff, 0xff, 0x7f, 1, 5, 2], DecodeError::AtomOutOfRange);
}
