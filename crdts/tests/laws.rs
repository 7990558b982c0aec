//! Every type obeys every law. A type registers with one line at the end.

use crdts::{
    Crdt, DwFlag, Encode, EwFlag, GCounter, Lattice, Object, OrSet, OrSetTombstones, PnCounter, RwSet,
    laws::{
        Violation,
        histories::{Step, check_history, check_small_histories},
        states::{check_encoding, check_joins},
    },
    objects::{
        counter::CounterOp::{self, Add, Read},
        flag::FlagOp,
        set::SetOp,
    },
};
use proptest::prelude::*;

type Op<C> = <<C as Crdt>::Object as Object>::Op;

fn steps<T: Clone + std::fmt::Debug + 'static>(
    ops: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Vec<Step<T>>> {
    let replica = || 0..4_usize;
    let step = prop_oneof![
        4 => (replica(), ops).prop_map(|(at, op)| Step::Update { at, op }),
        2 => (replica(), replica()).prop_map(|(into, from)| Step::Merge { into, from }),
        2 => (replica(), 0..32_usize).prop_map(|(into, update)| Step::Deliver { into, update }),
        1 => (replica(), replica()).prop_map(|(into, from)| Step::Sync { into, from }),
    ];
    prop::collection::vec(step, 0..32)
}

/// Amounts around every boundary: nothing, small, and so large that a few of them overflow.
fn counter_ops() -> impl Strategy<Value = CounterOp> {
    let edges = prop::sample::select(vec![0, 1, -1, i64::MAX, i64::MIN, i64::MAX - 1]);
    prop_oneof![6 => (-300..300_i64).prop_map(Add), 2 => any::<i64>().prop_map(Add), 2 => edges.prop_map(Add), 1 => Just(Read)]
}

/// Few elements, so that operations meet.
fn set_ops() -> impl Strategy<Value = SetOp<u16>> {
    let element = || prop_oneof![4 => 0..6_u16, 1 => any::<u16>()];
    prop_oneof![
        4 => element().prop_map(SetOp::Add),
        3 => element().prop_map(SetOp::Remove),
        1 => element().prop_map(SetOp::Contains),
        1 => Just(SetOp::Read),
    ]
}

fn flag_ops() -> impl Strategy<Value = FlagOp> {
    prop::sample::select(vec![FlagOp::Enable, FlagOp::Disable, FlagOp::Read])
}

/// A state after some operations at some of 40 replicas, so that states outgrow their inline storage.
fn state<C: Crdt>(ops: &[(u32, Op<C>)]) -> C {
    let mut state = C::bottom();
    for (replica, op) in ops {
        // A refused operation leaves the state as it was.
        drop(state.update(crdts::ReplicaId(replica * replica * 7), op));
    }
    state
}

fn all_small_histories<C: Crdt>(ops: &[Op<C>]) -> Result<(), Violation> {
    let explored = check_small_histories::<C>(ops, 3, 5)?;
    let choices = 3 * ops.len() as u64 + 6;
    assert_eq!(explored.histories, (1..=5).map(|length| choices.pow(length)).sum::<u64>());
    assert!(explored.states > 50, "{explored:?}");
    Ok(())
}

/// `law_tests!(module: Type, the operations of exhaustive histories, a strategy for the operations of random ones)`
macro_rules! law_tests {
    ($name:ident: $crdt:ty, $ops:expr, $random:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn small_histories() {
                if let Err(violation) = all_small_histories::<$crdt>(&$ops) {
                    panic!("{violation}");
                }
            }

            proptest! {
                #[test]
                fn random_histories(steps in steps($random)) {
                    let judged = check_history::<$crdt>(4, &steps);
                    prop_assert!(judged.is_ok(), "{}", judged.map_err(|violation| violation.to_string()).unwrap_err());
                }

                #[test]
                fn random_states(
                    a in prop::collection::vec((0..40_u32, $random), 0..60),
                    b in prop::collection::vec((0..40_u32, $random), 0..60),
                    c in prop::collection::vec((0..40_u32, $random), 0..9),
                ) {
                    let (a, b, c): ($crdt, $crdt, $crdt) = (state(&a), state(&b), state(&c));
                    let judged = check_joins(&a, &b, &c).and_then(|()| check_joins(&c, &a, &b));
                    prop_assert!(judged.is_ok(), "{}", judged.map_err(|violation| violation.to_string()).unwrap_err());
                    for state in [&a, &b, &c] {
                        let judged = check_encoding(state);
                        prop_assert!(judged.is_ok(), "{}", judged.map_err(|violation| violation.to_string()).unwrap_err());
                        check_serde(state)?;
                    }
                }
            }
        }
    };
}

fn check_serde<C>(state: &C) -> Result<(), TestCaseError>
where
    C: Lattice + Encode + serde::Serialize + for<'de> serde::Deserialize<'de>,
{
    let text = serde_json::to_string(state).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let again: C = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&again, state);
    Ok(())
}

law_tests!(g_counter: GCounter, [Add(1), Add(2)], counter_ops());
law_tests!(pn_counter: PnCounter, [Add(1), Add(-2)], counter_ops());
law_tests!(or_set: OrSet<u16>, [SetOp::Add(1), SetOp::Remove(1)], set_ops());
law_tests!(or_set_tombstones: OrSetTombstones<u16>, [SetOp::Add(1), SetOp::Remove(1)], set_ops());
law_tests!(rw_set: RwSet<u16>, [SetOp::Add(1), SetOp::Remove(1)], set_ops());
law_tests!(ew_flag: EwFlag, [FlagOp::Enable, FlagOp::Disable], flag_ops());
law_tests!(dw_flag: DwFlag, [FlagOp::Enable, FlagOp::Disable], flag_ops());
