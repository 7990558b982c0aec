//! Every type obeys every law. A type registers with one line at the end.

use crdts::{
    BoundedCounter, Crdt, Encode, GCounter, GSet, Lattice, LwwMap, LwwRegister, MaxRegister, MinRegister, Object,
    PnCounter, ReplicaId, TwoPhaseSet,
    laws::{
        Violation,
        histories::{Step, check_history, check_small_histories},
        states::{check_encoding, check_joins},
    },
    objects::{
        bounded_counter::BoundedOp::{self, Decrement, Increment, Transfer},
        counter::CounterOp::{self, Add, Read},
        map::MapOp,
        register::RegisterOp::{self, Write},
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

/// Amounts that rights suffice for, that they do not suffice for, and that overflow.
fn bounded_ops() -> impl Strategy<Value = BoundedOp> {
    let amounts = || prop_oneof![8 => 0..20_u64, 1 => prop::sample::select(vec![u64::MAX, u64::MAX - 1, 1 << 63])];
    prop_oneof![
        3 => amounts().prop_map(Increment),
        3 => amounts().prop_map(Decrement),
        3 => (0..5_u32, amounts()).prop_map(|(to, amount)| Transfer { to: ReplicaId(to), amount }),
        1 => Just(BoundedOp::Read),
    ]
}

fn register_ops<V: Clone + std::fmt::Debug + 'static>(
    values: impl Strategy<Value = V> + 'static,
) -> impl Strategy<Value = RegisterOp<V>> {
    prop_oneof![6 => values.prop_map(Write), 1 => Just(RegisterOp::Read)]
}

fn set_ops<E: Clone + std::fmt::Debug + 'static>(
    elements: impl Strategy<Value = E> + Clone + 'static,
) -> impl Strategy<Value = SetOp<E>> {
    prop_oneof![
        4 => elements.clone().prop_map(SetOp::Add),
        3 => elements.clone().prop_map(SetOp::Remove),
        1 => elements.prop_map(SetOp::Contains),
        1 => Just(SetOp::Read),
    ]
}

fn register_map_ops() -> impl Strategy<Value = MapOp<u8, RegisterOp<String>>> {
    let values = register_ops(".{0,2}");
    prop_oneof![
        4 => (0..6_u8, values).prop_map(|(key, op)| MapOp::Update { key, op }),
        2 => (0..6_u8).prop_map(MapOp::Remove),
        1 => Just(MapOp::Read),
    ]
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
    // Fifteen choices a step make as many histories of four steps as seconds allow.
    let steps = if ops.len() > 2 { 4 } else { 5 };
    let explored = check_small_histories::<C>(ops, 3, steps)?;
    let choices = 3 * ops.len() as u64 + 6;
    assert_eq!(explored.histories, (1..=steps as u32).map(|length| choices.pow(length)).sum::<u64>());
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
law_tests!(
    bounded_counter: BoundedCounter,
    [Increment(2), Decrement(1), Transfer { to: ReplicaId(1), amount: 1 }],
    bounded_ops()
);
law_tests!(max_register: MaxRegister<i8>, [Write(1), Write(2), Write(3)], register_ops(any::<i8>()));
law_tests!(
    min_register: MinRegister<String>,
    ["a", "b", "c"].map(|value| Write(value.to_owned())),
    register_ops(".{0,3}")
);
law_tests!(lww_register: LwwRegister<String>, [Write("a".to_owned()), Write("b".to_owned())], register_ops(".{0,3}"));
law_tests!(g_set: GSet<u8>, [SetOp::Add(1), SetOp::Add(2)], set_ops(0..12_u8));
law_tests!(
    two_phase_set: TwoPhaseSet<String>,
    [SetOp::Add("a".to_owned()), SetOp::Add("b".to_owned()), SetOp::Remove("a".to_owned())],
    set_ops("[a-f]")
);
law_tests!(
    lww_map: LwwMap<u8, String>,
    [
        MapOp::Update { key: 1, op: Write("a".to_owned()) },
        MapOp::Update { key: 2, op: Write("b".to_owned()) },
        MapOp::Remove(1),
    ],
    register_map_ops()
);
