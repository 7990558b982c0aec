//! Every type obeys every law. A type registers with one line at the end.

use crdts::{
    Cart, Crdt, Encode, GCounter, Lattice, MvRegister, Object, OrMap, PnCounter, ResettableCounter,
    laws::{
        Violation,
        histories::{Step, check_history, check_small_histories},
        states::{check_encoding, check_joins},
    },
    objects::{
        cart::CartOp,
        counter::CounterOp::{self, Add, Read},
        map::MapOp,
        register::RegisterOp,
        resettable_counter::ResetCounterOp,
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

fn register_ops() -> impl Strategy<Value = RegisterOp<u8>> {
    prop_oneof![4 => (0..3_u8).prop_map(RegisterOp::Write), 1 => Just(RegisterOp::Read)]
}

fn reset_counter_ops() -> impl Strategy<Value = ResetCounterOp> {
    counter_ops().prop_flat_map(|op| {
        let op = match op {
            Add(amount) => ResetCounterOp::Add(amount),
            Read => ResetCounterOp::Read,
        };
        prop_oneof![4 => Just(op), 1 => Just(ResetCounterOp::Reset)]
    })
}

/// Operations on few keys, so that they meet.
fn map_ops<Op: Clone + std::fmt::Debug>(ops: impl Strategy<Value = Op>) -> impl Strategy<Value = MapOp<u8, Op>> {
    prop_oneof![
        6 => (0..3_u8, ops).prop_map(|(key, op)| MapOp::Update { key, op }),
        2 => (0..3_u8).prop_map(MapOp::Remove),
        1 => Just(MapOp::Read),
    ]
}

fn cart_ops() -> impl Strategy<Value = CartOp<u8>> {
    let quantity = prop_oneof![8 => 0..9_u64, 1 => any::<u64>(), 1 => Just(i64::MAX as u64)];
    let by = prop_oneof![8 => -9..9_i64, 1 => any::<i64>(), 1 => Just(i64::MIN)];
    prop_oneof![
        4 => (0..3_u8, quantity).prop_map(|(item, quantity)| CartOp::Add { item, quantity }),
        4 => (0..3_u8, by).prop_map(|(item, by)| CartOp::Change { item, by }),
        2 => (0..3_u8).prop_map(|item| CartOp::Remove { item }),
        1 => Just(CartOp::View),
    ]
}

/// The operation under a key.
fn at<K, Op>(key: K, op: Op) -> MapOp<K, Op> {
    MapOp::Update { key, op }
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
law_tests!(mv_register: MvRegister<u8>, [RegisterOp::Write(1), RegisterOp::Write(2)], register_ops());
law_tests!(resettable_counter: ResettableCounter, [ResetCounterOp::Add(1), ResetCounterOp::Reset], reset_counter_ops());
law_tests!(
    map_of_registers: OrMap<u8, MvRegister<u8>>,
    [at(0, RegisterOp::Write(1)), MapOp::Remove(0)],
    map_ops(register_ops())
);
law_tests!(
    map_of_maps: OrMap<u8, OrMap<u8, MvRegister<u8>>>,
    [at(0, at(0, RegisterOp::Write(1))), at(0, MapOp::Remove(0)), MapOp::Remove(0)],
    map_ops(map_ops(register_ops()))
);
law_tests!(
    map_of_counters: OrMap<u8, ResettableCounter>,
    [at(0, ResetCounterOp::Add(-1)), MapOp::Remove(0)],
    map_ops(reset_counter_ops())
);
law_tests!(
    cart: Cart<u8>,
    [CartOp::Add { item: 0, quantity: 2 }, CartOp::Change { item: 0, by: -1 }, CartOp::Remove { item: 0 }],
    cart_ops()
);
