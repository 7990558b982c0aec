//! Specimens: for each model, operations to draw and answers to try.

use crdts::objects::counter::{CounterOp, CounterRet};

use super::histories::Random;
use crate::checkers::linearizability::{
    Model,
    models::{
        AppendOp, AppendRet, AppendStore, CounterModel, KeyValue, KeyValueOp, KeyValueRet, MultiOp, MultiRegister,
        MultiRet, Mutex, MutexOp, MutexRet, Register, RegisterOp, RegisterRet, SetModel, SetOp, SetRet,
    },
};

/// What is needed to make up histories of a model.
pub(super) trait Specimen {
    type Model: Model<Op: Clone, Ret: Clone>;

    const NAME: &'static str;
    /// Are all calls in one part?
    const IS_WHOLE: bool = true;

    fn model() -> Self::Model;

    /// An operation, made up from few values so that they coincide. `serial` is another number each time.
    fn op(random: &mut Random, serial: u64) -> <Self::Model as Model>::Op;

    /// Answers, one of which is right.
    fn answers(
        state: &<Self::Model as Model>::State,
        op: &<Self::Model as Model>::Op,
    ) -> Vec<<Self::Model as Model>::Ret>;
}

/// Writes, reads and compare-and-sets of few values.
pub(super) struct Cas;

impl Specimen for Cas {
    type Model = Register<u8>;
    const NAME: &'static str = "compare-and-set register";

    fn model() -> Register<u8> {
        Register { init: Some(0) }
    }

    fn op(random: &mut Random, _: u64) -> RegisterOp<u8> {
        let mut value = || random.below(3) as u8;
        let (from, to) = (value(), value());
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

/// Writes of values that differ, mostly, and reads.
pub(super) struct Unique;

impl Specimen for Unique {
    type Model = Register<u64>;
    const NAME: &'static str = "register of unique values";

    fn model() -> Register<u64> {
        Register::default()
    }

    fn op(random: &mut Random, serial: u64) -> RegisterOp<u64> {
        match random.below(40) {
            0 => RegisterOp::Write(serial.saturating_sub(1)),
            1..20 => RegisterOp::Write(serial),
            _ => RegisterOp::Read,
        }
    }

    fn answers(state: &Option<u64>, _: &RegisterOp<u64>) -> Vec<RegisterRet<u64>> {
        vec![RegisterRet::Done, RegisterRet::Value(*state)]
    }
}

/// Two keys, all operations.
pub(super) struct Kv;

impl Specimen for Kv {
    type Model = KeyValue<u8, u8>;
    const NAME: &'static str = "key-value store";
    const IS_WHOLE: bool = false;

    fn model() -> KeyValue<u8, u8> {
        KeyValue::new()
    }

    fn op(random: &mut Random, _: u64) -> KeyValueOp<u8, u8> {
        let key = u8::from(random.below(4) == 0);
        let (from, to) = (random.below(3) as u8, random.below(3) as u8);
        match random.below(6) {
            0 => KeyValueOp::Write { key, value: to },
            1 | 2 => KeyValueOp::CompareAndSet { key, from, to, create_if_not_exists: random.below(2) == 0 },
            _ => KeyValueOp::Read { key },
        }
    }

    fn answers(state: &<Self::Model as Model>::State, op: &KeyValueOp<u8, u8>) -> Vec<KeyValueRet<u8>> {
        let (KeyValueOp::Read { key } | KeyValueOp::Write { key, .. } | KeyValueOp::CompareAndSet { key, .. }) = op;
        let mut answers = vec![KeyValueRet::Done, KeyValueRet::Missing, KeyValueRet::Mismatch];
        answers.extend(state.get(key).map(|value| KeyValueRet::Value(*value)));
        answers
    }
}

/// Two keys of short strings.
pub(super) struct Strings;

impl Specimen for Strings {
    type Model = AppendStore<u8>;
    const NAME: &'static str = "store of strings";
    const IS_WHOLE: bool = false;

    fn model() -> AppendStore<u8> {
        AppendStore::new()
    }

    fn op(random: &mut Random, _: u64) -> AppendOp<u8> {
        let key = u8::from(random.below(6) == 0);
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

/// Three registers, one or two at a time.
pub(super) struct Multi;

impl Specimen for Multi {
    type Model = MultiRegister<u8, u8>;
    const NAME: &'static str = "multi-register";
    const IS_WHOLE: bool = false;

    fn model() -> MultiRegister<u8, u8> {
        MultiRegister::new()
    }

    fn op(random: &mut Random, _: u64) -> MultiOp<u8, u8> {
        let keys = [random.below(3) as u8, random.below(3) as u8];
        if random.below(2) == 0 {
            MultiOp::Read(keys.into())
        } else {
            MultiOp::Write(keys.map(|key| (key, random.below(3) as u8)).into())
        }
    }

    fn answers(state: &<Self::Model as Model>::State, op: &MultiOp<u8, u8>) -> Vec<MultiRet<u8, u8>> {
        let mut answers = vec![MultiRet::Done];
        if let MultiOp::Read(keys) = op {
            answers.push(MultiRet::Values(keys.iter().map(|key| (*key, state.get(key).copied())).collect()));
        }
        answers
    }
}

/// A lock.
pub(super) struct Lock;

impl Specimen for Lock {
    type Model = Mutex;
    const NAME: &'static str = "mutex";

    fn model() -> Mutex {
        Mutex
    }

    fn op(random: &mut Random, _: u64) -> MutexOp {
        if random.below(2) == 0 { MutexOp::Acquire } else { MutexOp::Release }
    }

    fn answers(_: &bool, _: &MutexOp) -> Vec<MutexRet> {
        vec![MutexRet::Done, MutexRet::Refused]
    }
}

/// Additions of small amounts, negative ones too.
pub(super) struct Amounts;

impl Specimen for Amounts {
    type Model = CounterModel;
    const NAME: &'static str = "counter";

    fn model() -> CounterModel {
        CounterModel::new()
    }

    fn op(random: &mut Random, _: u64) -> CounterOp {
        if random.below(2) == 0 { CounterOp::Read } else { CounterOp::Add(random.below(5) as i64 - 2) }
    }

    fn answers(state: &i128, _: &CounterOp) -> Vec<CounterRet> {
        vec![CounterRet::Added, CounterRet::Total(*state)]
    }
}

/// Additions of one.
pub(super) struct Ones;

impl Specimen for Ones {
    type Model = CounterModel;
    const NAME: &'static str = "counter of ones";

    fn model() -> CounterModel {
        CounterModel::new()
    }

    fn op(random: &mut Random, _: u64) -> CounterOp {
        match random.below(60) {
            0 => CounterOp::Add(2),
            1..30 => CounterOp::Read,
            _ => CounterOp::Add(1),
        }
    }

    fn answers(state: &i128, op: &CounterOp) -> Vec<CounterRet> {
        Amounts::answers(state, op)
    }
}

/// Additions and removals of few elements.
pub(super) struct Elements;

impl Specimen for Elements {
    type Model = SetModel<u64>;
    const NAME: &'static str = "set";

    fn model() -> SetModel<u64> {
        SetModel::new()
    }

    fn op(random: &mut Random, _: u64) -> SetOp<u64> {
        let element = random.below(3);
        match random.below(4) {
            0 => SetOp::Remove(element),
            1 => SetOp::Add(element),
            _ => SetOp::Read,
        }
    }

    fn answers(state: &<Self::Model as Model>::State, _: &SetOp<u64>) -> Vec<SetRet<u64>> {
        vec![SetRet::Done, SetRet::Elements(state.clone())]
    }
}

/// Additions of elements that differ, mostly.
pub(super) struct Growing;

impl Specimen for Growing {
    type Model = SetModel<u64>;
    const NAME: &'static str = "grow-only set";

    fn model() -> SetModel<u64> {
        SetModel::new()
    }

    fn op(random: &mut Random, serial: u64) -> SetOp<u64> {
        match random.below(60) {
            0 => SetOp::Add(serial.saturating_sub(1)),
            1..30 => SetOp::Add(serial),
            _ => SetOp::Read,
        }
    }

    fn answers(state: &<Self::Model as Model>::State, op: &SetOp<u64>) -> Vec<SetRet<u64>> {
        Elements::answers(state, op)
    }
}
