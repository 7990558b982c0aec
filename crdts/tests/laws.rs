//! Every type obeys every law. A type registers with one line at the end.

use crdts::{
    Cart, Crdt, DwFlag, Encode, EwFlag, GCounter, Lattice, MvRegister, Object, OrMap, OrSet, OrSetTombstones,
    PnCounter, ResettableCounter, RwSet,
    laws::{
        Violation,
        deliveries::check_deliveries,
        histories::{self, Explored, Step},
        states::{check_encoding, check_hostile_join, check_joins},
    },
    objects::{
        cart::CartOp,
        counter::CounterOp::{self, Add, Read},
        flag::FlagOp,
        map::MapOp,
        register::RegisterOp,
        resettable_counter::ResetCounterOp,
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

/// What replicas wrote, each by itself, after a common beginning. Their ids are spread so that states outgrow their inline
/// storage.
fn state<C: Crdt>(start: &C, ops: &[(u32, Op<C>)], writers: impl Fn(u32) -> u32) -> C {
    let mut state = start.clone();
    for (replica, op) in ops {
        let id = writers(*replica);
        // A refused operation leaves the state as it was.
        drop(state.update(crdts::ReplicaId(id * id * 7), op));
    }
    state
}

/// How many replicas, and how many steps. With three replicas, something can be on its way to one while two agree.
const SCOPES: [(usize, usize); 2] = [(3, 5), (2, 6)];

fn all_small_histories<C: Crdt>(
    ops: &[Op<C>],
    check: impl Fn(&[Op<C>], usize, usize) -> Result<Explored, Violation>,
) -> Result<(), Violation> {
    for (replicas, steps) in SCOPES {
        let explored = check(ops, replicas, steps)?;
        let choices = (replicas * (ops.len() + replicas - 1)) as u64;
        assert_eq!(explored.histories, (1..=steps as u32).map(|length| choices.pow(length)).sum::<u64>());
        assert!(explored.states > 2, "{explored:?}");
    }
    Ok(())
}

fn judged(result: Result<(), Violation>) -> Result<(), TestCaseError> {
    result.map_err(|violation| TestCaseError::fail(violation.to_string()))
}

/// `law_tests!(module: Type, the operations of exhaustive histories, a strategy for the operations of random ones)`, for
/// types with a specification over causal histories `law_tests!(causal module: Type, …)`.
macro_rules! law_tests {
    ($name:ident: $crdt:ty, $ops:expr, $random:expr) => {
        law_tests!($name: $crdt, $ops, $random, histories::check_small_histories::<$crdt>, histories::check_history::<$crdt>);
    };
    (causal $name:ident: $crdt:ty, $ops:expr, $random:expr) => {
        law_tests!(
            $name: $crdt, $ops, $random, histories::check_small_causal_histories::<$crdt>, histories::check_causal_history::<$crdt>
        );
    };
    ($name:ident: $crdt:ty, $ops:expr, $random:expr, $small:expr, $long:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn small_histories() {
                if let Err(violation) = all_small_histories::<$crdt>(&$ops, $small) {
                    panic!("{violation}");
                }
            }

            proptest! {
                #[test]
                fn random_histories(steps in steps($random)) {
                    judged($long(4, &steps))?;
                }

                #[test]
                fn random_deliveries(steps in steps($random), order in prop::collection::vec(0..64_usize, 0..64)) {
                    judged(check_deliveries::<$crdt>(4, &steps, &order))?;
                }

                #[test]
                fn random_states(
                    start in prop::collection::vec((0..40_u32, $random), 0..30),
                    a in prop::collection::vec((0..40_u32, $random), 0..30),
                    b in prop::collection::vec((0..40_u32, $random), 0..30),
                    c in prop::collection::vec((0..40_u32, $random), 0..9),
                ) {
                    let start = state(&<$crdt>::bottom(), &start, |id| id);
                    let writers = |offset| move |id: u32| id / 3 * 3 + offset;
                    let mut states: [$crdt; 4] =
                        [state(&start, &a, writers(0)), state(&start, &b, writers(1)), state(&start, &c, writers(2)), start];
                    let [a, b, c, start] = &states;
                    judged(check_joins(a, b, c))?;
                    judged(check_joins(c, start, a))?;
                    for state in &states {
                        judged(check_encoding(state))?;
                        check_serde(state)?;
                    }
                    states[3].join(&states[1].clone());
                    judged(check_joins(&states[3], &states[0], &states[2]))?;
                }

                /// Replicas that use one id twice, as after the restore of a disk.
                #[test]
                fn hostile_states(
                    a in prop::collection::vec((0..4_u32, $random), 0..9),
                    b in prop::collection::vec((0..4_u32, $random), 0..9),
                ) {
                    let bottom = <$crdt>::bottom();
                    let (a, b) = (state(&bottom, &a, |id| id), state(&bottom, &b, |id| id));
                    judged(check_hostile_join(&a, &b))?;
                    judged(check_encoding(&b))?;
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
law_tests!(causal mv_register: MvRegister<u8>, [RegisterOp::Write(1), RegisterOp::Write(2)], register_ops());
law_tests!(causal resettable_counter: ResettableCounter, [ResetCounterOp::Add(1), ResetCounterOp::Reset], reset_counter_ops());
law_tests!(
    causal map_of_registers: OrMap<u8, MvRegister<u8>>,
    [at(0, RegisterOp::Write(1)), MapOp::Remove(0)],
    map_ops(register_ops())
);
law_tests!(
    causal map_of_maps: OrMap<u8, OrMap<u8, MvRegister<u8>>>,
    [at(0, at(0, RegisterOp::Write(1))), at(0, MapOp::Remove(0)), MapOp::Remove(0)],
    map_ops(map_ops(register_ops()))
);
law_tests!(
    causal map_of_counters: OrMap<u8, ResettableCounter>,
    [at(0, ResetCounterOp::Add(-1)), MapOp::Remove(0)],
    map_ops(reset_counter_ops())
);
law_tests!(
    causal map_of_sets: OrMap<u8, OrSet<u16>>,
    [at(0, SetOp::Add(1)), at(0, SetOp::Remove(1)), MapOp::Remove(0)],
    map_ops(set_ops())
);
law_tests!(
    causal cart: Cart<u8>,
    [CartOp::Add { item: 0, quantity: 2 }, CartOp::Change { item: 0, by: -1 }, CartOp::Remove { item: 0 }],
    cart_ops()
);
law_tests!(causal or_set: OrSet<u16>, [SetOp::Add(1), SetOp::Remove(1)], set_ops());
law_tests!(causal or_set_tombstones: OrSetTombstones<u16>, [SetOp::Add(1), SetOp::Remove(1)], set_ops());
law_tests!(causal rw_set: RwSet<u16>, [SetOp::Add(1), SetOp::Remove(1)], set_ops());
law_tests!(causal ew_flag: EwFlag, [FlagOp::Enable, FlagOp::Disable], flag_ops());
law_tests!(causal dw_flag: DwFlag, [FlagOp::Enable, FlagOp::Disable], flag_ops());
