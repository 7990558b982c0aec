//! Recorded histories: clients in closed loops against an object that takes one call after the other.
//!
//! A client invokes, waits, and invokes again, as another process if it gave up. Calls take effect at a drawn instant
//! between invocation and return; some of those that were given up take effect later, or never.

pub(crate) mod naive;

use sim::checkers::linearizability::{
    Call, Model, View,
    models::{AppendOp, AppendRet, AppendStore, Register, RegisterOp, RegisterRet},
};

/// Numbers from a seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }
}

/// How a history comes about.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) clients: u64,
    pub(crate) calls: u64,
    /// How many of a hundred calls are given up.
    pub(crate) given_up_percent: u64,
    /// The longest pause between two calls of a client; calls take up to 1,000.
    pub(crate) pause_max: u64,
}

/// A linearizable history of a model. `op` makes up operations from a serial number, and `answer` answers them.
pub(crate) fn record<M: Model<Op: Clone, Ret: Clone>>(
    model: &M,
    random: &mut Random,
    load: Load,
    op: impl Fn(&mut Random, u64) -> M::Op,
    answer: impl Fn(&M::State, &M::Op) -> M::Ret,
) -> Vec<Call<M::Op, M::Ret>> {
    // (effect, invoked, returned, process), planned client by client, and then put in the order of effect.
    let mut plan = Vec::new();
    for client in 0..load.clients {
        let (mut now, mut process) = (random.below(1_000), client);
        for _ in 0..load.calls / load.clients {
            let effect = now + random.below(500);
            let returned = effect + random.below(500);
            if random.below(100) < load.given_up_percent {
                let effect = if random.below(2) == 0 { u64::MAX } else { effect + random.below(5_000) };
                plan.push((effect, now, None, process));
                process += load.clients;
            } else {
                plan.push((effect, now, Some(returned), process));
            }
            now = returned + 1 + random.below(load.pause_max + 1);
        }
    }
    plan.sort_unstable();
    let mut state = model.init();
    let mut calls = Vec::new();
    for (serial, (effect, invoked, returned, process)) in plan.into_iter().enumerate() {
        let op = op(random, serial as u64);
        let ret = answer(&state, &op);
        if effect < u64::MAX {
            state = model.step(&state, &op, Some(&ret)).expect("the answer is right");
        }
        calls.push(match returned {
            Some(returned) => Call::returned(process, op, ret, invoked, returned),
            None => Call::indeterminate(process, op, invoked),
        });
    }
    calls.sort_by_key(|call| call.invoked);
    calls
}

pub(crate) type Strings = Vec<Call<AppendOp<u64>, AppendRet>>;

/// Gets, puts and appends of unique texts.
pub(crate) fn strings(seed: u64, load: Load, keys: u64) -> Strings {
    let op = |random: &mut Random, serial: u64| {
        let (key, text) = (random.below(keys), format!("x {serial} y"));
        match random.below(10) {
            0 => AppendOp::Put { key, text },
            1..5 => AppendOp::Append { key, text },
            _ => AppendOp::Get { key },
        }
    };
    record(&AppendStore::new(), &mut Random(seed), load, op, |state, op| match op {
        AppendOp::Get { key } => AppendRet::Text(state.get(key).map_or_else(String::new, ToString::to_string)),
        _ => AppendRet::Done,
    })
}

/// The same with one get that returns what an earlier one of the key returned.
pub(crate) fn spoilt_strings(seed: u64, load: Load, keys: u64) -> Strings {
    let mut calls = strings(seed, load, keys);
    let at = (calls.len() * 4 / 5..calls.len()).find(|&at| matches!(calls[at].ret, Some(AppendRet::Text(_))));
    let at = at.expect("a get near the end");
    let earlier = (0..at / 2).rev().find(|&earlier| calls[earlier].op == calls[at].op && calls[earlier].ret.is_some());
    let ret = calls[earlier.expect("an earlier get")].ret.clone();
    calls[at].ret = ret;
    calls
}

pub(crate) type Registers = Vec<Call<RegisterOp<u64>, RegisterRet<u64>>>;

/// Reads, writes and compare-and-sets of a few values.
pub(crate) fn registers(seed: u64, load: Load, values: u64) -> Registers {
    let op = |random: &mut Random, _: u64| match random.below(3) {
        0 => RegisterOp::Read,
        1 => RegisterOp::Write(random.below(values)),
        _ => RegisterOp::CompareAndSet { from: random.below(values), to: random.below(values) },
    };
    record(&Register::default(), &mut Random(seed), load, op, |state, op| match op {
        RegisterOp::Read => RegisterRet::Value(*state),
        RegisterOp::Write(_) => RegisterRet::Done,
        RegisterOp::CompareAndSet { from, .. } => RegisterRet::Swapped(*state == Some(*from)),
    })
}

/// The same with one read that returns another value.
pub(crate) fn spoilt_registers(seed: u64, load: Load, values: u64) -> Registers {
    let mut calls = registers(seed, load, values);
    let mut random = Random(seed ^ 0xff);
    let reads: Vec<usize> =
        (0..calls.len()).filter(|&at| matches!(calls[at].ret, Some(RegisterRet::Value(_)))).collect();
    let at = reads[random.below(reads.len() as u64) as usize];
    calls[at].ret = Some(RegisterRet::Value(Some(random.below(values))));
    calls
}

/// A model whose keys are not told.
pub(crate) struct Whole<M>(pub(crate) M);

impl<M: Model> Model for Whole<M> {
    type Op = M::Op;
    type Ret = M::Ret;
    type State = M::State;
    type Key = M::Key;
    type Fact = M::Fact;

    fn init(&self) -> M::State {
        self.0.init()
    }
    fn step(&self, state: &M::State, op: &M::Op, ret: Option<&M::Ret>) -> Option<M::State> {
        self.0.step(state, op, ret)
    }
    fn is_read(&self, op: &M::Op, ret: Option<&M::Ret>) -> bool {
        self.0.is_read(op, ret)
    }
    fn state_bytes(&self, state: &M::State) -> usize {
        self.0.state_bytes(state)
    }
    fn shortcut(&self, _: &[View<'_, Self>]) -> Option<bool> {
        None
    }
}
