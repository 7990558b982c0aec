//! Histories too long for the definition: good ones get an order, which is verified; the others are judged the same way with
//! and without what the model knows, and on any number of threads.

use super::{
    agreement::searched,
    histories::{Calls, Random, Shape, good, tampered},
    oracle,
    specimens::{Amounts, Cas, Elements, Growing, Kv, Lock, Multi, Ones, Specimen, Strings, Unique},
};
use crate::checkers::linearizability::{
    Judgement::{NotLinearizable, Unknown},
    Limits, Model, check,
    search::{Found, Sound},
};

/// A model that says what is right, and nothing else.
struct Plain<M>(M);

impl<M: Model> Model for Plain<M> {
    type Op = M::Op;
    type Ret = M::Ret;
    type State = M::State;
    type Key = ();
    type Fact = ();

    fn init(&self) -> M::State {
        self.0.init()
    }
    fn step(&self, state: &M::State, op: &M::Op, ret: Option<&M::Ret>) -> Option<M::State> {
        self.0.step(state, op, ret)
    }
    fn is_read(&self, op: &M::Op, ret: Option<&M::Ret>) -> bool {
        self.0.is_read(op, ret)
    }
}

const SHAPES: [Shape; 3] = [
    Shape { calls: 60, duration_max: 3, unknown_percent: 0 },
    Shape { calls: 30, duration_max: 6, unknown_percent: 20 },
    Shape { calls: 20, duration_max: 5, unknown_percent: 50 },
];

fn judge_large<S: Specimen>() {
    let (model, plain) = (S::model(), Plain(S::model()));
    let limits = Limits { steps: 5_000, ..Limits::default() };
    let mut differing = [0, 0];
    for seed in 0..60 {
        let mut random = Random(seed << 30);
        let shape = SHAPES[seed as usize % 3];
        let calls: Calls<S> = good::<S>(&mut random, shape);
        match searched::<S, Sound>(&calls) {
            Found::Order(order) => {
                assert!(oracle::is_linearization(&model, &calls, &order), "{}: {calls:#?}", S::NAME);
            }
            found => panic!("{}: {found:?} of {calls:#?}", S::NAME),
        }
        let calls: Calls<S> = tampered::<S>(&mut random, shape);
        let judged = check(&model, &calls, &limits);
        let expected = check(&plain, &calls, &limits);
        if matches!(expected, Unknown { .. }) || matches!(judged, Unknown { .. }) {
            continue;
        }
        differing[usize::from(matches!(expected, NotLinearizable(_)))] += 1;
        assert_eq!(judged.is_linearizable(), expected.is_linearizable(), "{}: {calls:#?}", S::NAME);
    }
    assert!(differing[0] + differing[1] >= 15, "{}: {differing:?} could be compared", S::NAME);
}

macro_rules! large {
    ($($test:ident: $specimen:ident,)*) => {$(
        #[test]
        fn $test() {
            judge_large::<$specimen>();
        }
    )*};
}

large! {
    large_compare_and_set_registers: Cas,
    large_registers_of_unique_values: Unique,
    large_key_value_stores: Kv,
    large_stores_of_strings: Strings,
    large_multi_registers: Multi,
    large_mutexes: Lock,
    large_counters: Amounts,
    large_counters_of_ones: Ones,
    large_sets: Elements,
    large_grow_only_sets: Growing,
}

#[test]
fn judgements_do_not_depend_on_the_number_of_threads() {
    let shape = Shape { calls: 200, duration_max: 6, unknown_percent: 10 };
    for seed in 0..10 {
        let calls = tampered::<Kv>(&mut Random(seed), shape);
        let judged = [1, 2, 7].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
            pool.install(|| check(&Kv::model(), &calls, &Limits::default()))
        });
        assert_eq!(judged[0], judged[1]);
        assert_eq!(judged[0], judged[2]);
    }
}
