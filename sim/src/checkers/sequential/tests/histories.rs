//! Histories by the thousand: good ones, good ones that were tampered with, and plain nonsense.

use crdts::objects::counter::{CounterOp, CounterRet};

use crate::checkers::linearizability::{
    Call, Model,
    models::{
        AppendOp, AppendRet, AppendStore, CounterModel, KeyValue, KeyValueOp, KeyValueRet, Register, RegisterOp,
        RegisterRet,
    },
};

pub(super) type Calls<S> = Vec<Call<<<S as Specimen>::Model as Model>::Op, <<S as Specimen>::Model as Model>::Ret>>;

/// Numbers from a seed.
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// What is needed to make up histories of a model.
pub(super) trait Specimen {
    type Model: Model<Op: Clone, Ret: Clone>;

    const NAME: &'static str;

    fn model() -> Self::Model;

    /// An operation. `serial` is another number each time.
    fn op(random: &mut Random, serial: u64) -> <Self::Model as Model>::Op;

    /// Answers, one of which is right.
    fn answers(
        state: &<Self::Model as Model>::State,
        op: &<Self::Model as Model>::Op,
    ) -> Vec<<Self::Model as Model>::Ret>;
}

/// A register of few values with compare-and-set.
pub(super) struct Cas;

impl Specimen for Cas {
    type Model = Register<u8>;
    const NAME: &'static str = "compare-and-set register";

    fn model() -> Register<u8> {
        Register { init: Some(0) }
    }

    fn op(random: &mut Random, _: u64) -> RegisterOp<u8> {
        let (from, to) = (random.below(3) as u8, random.below(3) as u8);
        match random.below(5) {
            0 => RegisterOp::Write(to),
            1 | 2 => RegisterOp::CompareAndSet { from, to },
            _ => RegisterOp::Read,
        }
    }

    fn answers(state: &Option<u8>, _: &RegisterOp<u8>) -> Vec<RegisterRet<u8>> {
        vec![RegisterRet::Done, RegisterRet::Value(*state), RegisterRet::Swapped(true), RegisterRet::Swapped(false)]
    }
}

fn kv_answers(state: Option<&u64>) -> Vec<KeyValueRet<u64>> {
    let value = state.map_or(KeyValueRet::Missing, |value| KeyValueRet::Value(*value));
    vec![value, KeyValueRet::Done, KeyValueRet::Missing, KeyValueRet::Mismatch]
}

/// Few keys, and values that differ, with compare-and-set.
pub(super) struct Unique;

impl Specimen for Unique {
    type Model = KeyValue<u8, u64>;
    const NAME: &'static str = "key-value store of unique values";

    fn model() -> KeyValue<u8, u64> {
        KeyValue::new()
    }

    fn op(random: &mut Random, serial: u64) -> KeyValueOp<u8, u64> {
        let (key, value) = (random.below(3) as u8, serial + 1);
        match random.below(12) {
            0..5 => KeyValueOp::Write { key, value },
            5 => {
                let from = random.below(serial + 1);
                KeyValueOp::CompareAndSet { key, from, to: value, create_if_not_exists: random.below(2) == 0 }
            }
            _ => KeyValueOp::Read { key },
        }
    }

    fn answers(state: &std::collections::BTreeMap<u8, u64>, op: &KeyValueOp<u8, u64>) -> Vec<KeyValueRet<u64>> {
        let (KeyValueOp::Read { key } | KeyValueOp::Write { key, .. } | KeyValueOp::CompareAndSet { key, .. }) = op;
        kv_answers(state.get(key))
    }
}

/// Few keys and few values, all operations.
pub(super) struct Kv;

impl Specimen for Kv {
    type Model = KeyValue<u8, u64>;
    const NAME: &'static str = "key-value store of few values";

    fn model() -> KeyValue<u8, u64> {
        KeyValue::new()
    }

    fn op(random: &mut Random, _: u64) -> KeyValueOp<u8, u64> {
        let serial = random.below(2);
        Unique::op(random, serial)
    }

    fn answers(state: &std::collections::BTreeMap<u8, u64>, op: &KeyValueOp<u8, u64>) -> Vec<KeyValueRet<u64>> {
        Unique::answers(state, op)
    }
}

/// Two keys of short strings.
pub(super) struct Strings;

impl Specimen for Strings {
    type Model = AppendStore<u8>;
    const NAME: &'static str = "store of strings";

    fn model() -> AppendStore<u8> {
        AppendStore::new()
    }

    fn op(random: &mut Random, _: u64) -> AppendOp<u8> {
        let key = u8::from(random.below(4) == 0);
        let text = ["", "x", "y", "x", "y", "xy"][random.below(6) as usize].to_owned();
        match random.below(5) {
            0 => AppendOp::Put { key, text },
            1 | 2 => AppendOp::Append { key, text },
            _ => AppendOp::Get { key },
        }
    }

    fn answers(state: &<Self::Model as Model>::State, op: &AppendOp<u8>) -> Vec<AppendRet> {
        let (AppendOp::Get { key } | AppendOp::Put { key, .. } | AppendOp::Append { key, .. }) = op;
        vec![AppendRet::Done, AppendRet::Text(state.get(key).map_or_else(String::new, ToString::to_string))]
    }
}

/// A counter: a model without any knowledge.
pub(super) struct Amounts;

impl Specimen for Amounts {
    type Model = CounterModel;
    const NAME: &'static str = "counter";

    fn model() -> CounterModel {
        CounterModel::new()
    }

    fn op(random: &mut Random, _: u64) -> CounterOp {
        if random.below(2) == 0 { CounterOp::Read } else { CounterOp::Add(1 + random.below(2) as i64) }
    }

    fn answers(state: &i128, _: &CounterOp) -> Vec<CounterRet> {
        vec![CounterRet::Added, CounterRet::Total(*state)]
    }
}

/// The shape of a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub calls: u64,
    pub processes: u64,
    /// How many of a hundred calls are of unknown fate.
    pub unknown_percent: u64,
}

/// A history that is sequentially consistent: calls take effect one after the other, and each process has a clock of its
/// own. Calls of unknown fate take effect at once, later, or never.
pub(super) fn good<S: Specimen>(random: &mut Random, shape: Shape) -> Calls<S> {
    let model = S::model();
    let clocks: Vec<u64> = (0..shape.processes).map(|_| random.below(40)).collect();
    let mut state = model.init();
    let (mut calls, mut late) = (Vec::new(), Vec::new());
    for serial in 0..shape.calls {
        let process = random.below(shape.processes);
        let invoked = clocks[process as usize] + 2 * serial;
        let op = S::op(random, serial);
        if random.below(100) < shape.unknown_percent {
            match random.below(3) {
                0 => state = model.step(&state, &op, None).expect("without an answer any is right"),
                1 => late.push(op.clone()),
                _ => {}
            }
            calls.push(Call::indeterminate(process, op, invoked));
        } else {
            let answer = S::answers(&state, &op).into_iter().find(|ret| model.step(&state, &op, Some(ret)).is_some());
            let answer = answer.expect("one of the answers is right");
            state = model.step(&state, &op, Some(&answer)).expect("the answer is right");
            calls.push(Call::returned(process, op, answer, invoked, invoked + 1));
        }
        if random.below(3) == 0 {
            for op in late.drain(..) {
                state = model.step(&state, &op, None).expect("without an answer any is right");
            }
        }
    }
    calls
}

/// A history in which something may be wrong.
pub(super) fn tampered<S: Specimen>(random: &mut Random, shape: Shape) -> Calls<S> {
    let mut calls = good::<S>(random, shape);
    for _ in 0..=random.below(2) {
        let [one, other] = [0; 2].map(|_| random.below(calls.len() as u64) as usize);
        let (first, second) = (calls[one].clone(), calls[other].clone());
        match random.below(4) {
            // An answer that somebody else got.
            0 => calls[one].ret = second.ret,
            // Another order, within a process or between two.
            1 | 2 => {
                (calls[one].process, calls[one].invoked, calls[one].returned) =
                    (second.process, second.invoked, calls[one].returned.map(|_| second.invoked + 1));
                (calls[other].process, calls[other].invoked, calls[other].returned) =
                    (first.process, first.invoked, second.returned.map(|_| first.invoked + 1));
            }
            // An answer that is not known.
            _ => calls[one].ret = None,
        }
    }
    let at = random.below(calls.len() as u64) as usize;
    calls.swap(0, at);
    calls
}

/// A short history of any kind.
pub(super) fn any<S: Specimen>(random: &mut Random, calls_max: u64) -> Calls<S> {
    let shape = Shape {
        calls: 1 + random.below(calls_max),
        processes: 1 + random.below(4),
        unknown_percent: [0, 0, 20, 40][random.below(4) as usize],
    };
    if random.below(4) == 0 { good::<S>(random, shape) } else { tampered::<S>(random, shape) }
}
