//! Counters to which one amount is added: the answer without a search against the definition, and mutants of it.

use crdts::objects::counter::{CounterOp, CounterRet};

use super::{
    histories::{Calls, Random, any},
    oracle,
    specimens::{Amounts, Specimen},
};
use crate::checkers::linearizability::{
    equal_additions::{Rules, Sound, judge},
    models::CounterModel,
};

/// Short histories.
const HISTORIES: u64 = 120_000;
/// Calls of a history.
const CALLS_MAX: u64 = 7;

/// Additions of two, and of nothing now and then.
struct Twos;

impl Specimen for Twos {
    type Model = CounterModel;
    const NAME: &'static str = "counter of twos";

    fn model() -> CounterModel {
        CounterModel::new()
    }

    fn op(random: &mut Random, _: u64) -> CounterOp {
        match random.below(20) {
            0 => CounterOp::Add(0),
            1..10 => CounterOp::Read,
            _ => CounterOp::Add(2),
        }
    }

    fn answers(state: &i128, op: &CounterOp) -> Vec<CounterRet> {
        Amounts::answers(state, op)
    }
}

/// The answer.
fn answer<R: Rules>(calls: &Calls<Twos>) -> Option<bool> {
    let (mut adds, mut reads) = (Vec::new(), Vec::new());
    for call in calls {
        match (call.op, call.answer(), call.returned) {
            (CounterOp::Add(amount), None | Some(CounterRet::Added), returned) => {
                adds.push((amount, call.invoked, returned));
            }
            (CounterOp::Read, Some(CounterRet::Total(total)), Some(returned)) => {
                reads.push((*total, call.invoked, returned));
            }
            (CounterOp::Read, None, _) => {}
            _ => return None,
        }
    }
    judge::<R>(&adds, &reads)
}

/// Answers are of the right kind, and some reads return a drawn total.
fn histories() -> impl Iterator<Item = Calls<Twos>> {
    (0..HISTORIES).map(|seed| {
        let mut random = Random(seed << 20);
        let mut calls = any::<Twos>(&mut random, CALLS_MAX);
        for call in &mut calls {
            match (call.op, call.answer()) {
                (CounterOp::Read, Some(CounterRet::Total(_))) if random.below(6) > 0 => {}
                (CounterOp::Read, Some(_)) => call.ret = Some(CounterRet::Total(2 * i128::from(random.below(4)))),
                (CounterOp::Add(_), Some(_)) => call.ret = Some(CounterRet::Added),
                (_, None) => {}
            }
        }
        calls
    })
}

#[test]
fn the_answer_is_that_of_the_definition() {
    let mut counts = [0, 0];
    for calls in histories() {
        let expected = oracle::is_linearizable(&CounterModel::new(), &calls);
        assert_eq!(answer::<Sound>(&calls), Some(expected), "{calls:#?}");
        counts[usize::from(expected)] += 1;
    }
    assert!(counts.iter().all(|count| *count > HISTORIES / 10), "{counts:?}");
}

macro_rules! mutants {
    ($($test:ident: $rule:ident,)*) => {$(
        #[test]
        fn $test() {
            enum Mutant {}
            impl Rules for Mutant {
                const $rule: bool = false;
            }
            let model = CounterModel::new();
            let is_wrong = |calls: &Calls<Twos>| {
                answer::<Mutant>(calls).is_some_and(|found| found != oracle::is_linearizable(&model, calls))
            };
            assert!(histories().any(|calls| is_wrong(&calls)));
        }
    )*};
}

mutants! {
    the_last_deadline_first: FIRST_DEADLINE_FIRST,
    unknown_fate_first: UNKNOWN_FATE_LAST,
    additions_before_their_invocation: ADDITIONS_ARRIVE,
}
