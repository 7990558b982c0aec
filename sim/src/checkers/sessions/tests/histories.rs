//! Histories by the thousand, of stores that are more or less consistent.

use crate::checkers::{
    linearizability::{
        Call,
        models::{KeyValueOp, KeyValueRet},
    },
    sessions::{Access, What},
};

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

pub(super) type Accesses = Vec<Access<u8, u64>>;

/// The shape of a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub accesses: u64,
    pub processes: u64,
    pub keys: u64,
    /// How many of a hundred reads find any value of their key, written earlier or later, instead of the latest.
    pub wild_percent: u64,
    pub unknown_percent: u64,
}

/// A history of this shape.
pub(super) fn history(random: &mut Random, shape: Shape) -> Accesses {
    let plan: Vec<(u8, u64)> =
        (0..shape.accesses).map(|_| (random.below(shape.keys) as u8, random.below(11))).collect();
    let written =
        |key: u8| plan.iter().zip(1..).filter(move |((of, kind), _)| *of == key && *kind < 6).map(|(_, value)| value);
    let clocks: Vec<u64> = (0..shape.processes).map(|_| random.below(20)).collect();
    let mut latest = vec![None; shape.keys as usize];
    let mut accesses = Vec::new();
    for (call, &(key, kind)) in plan.iter().enumerate() {
        let (process, value) = (random.below(shape.processes), call as u64 + 1);
        let values: Vec<u64> = written(key).filter(|other| *other != value).collect();
        let found = match random.below(100) {
            wild if wild >= shape.wild_percent => latest[key as usize],
            wild if wild % 4 == 0 || values.is_empty() => None,
            _ => Some(values[random.below(values.len() as u64) as usize]),
        };
        let what = match kind {
            0 => What::Swap { from: found, to: value },
            1..6 => What::Write(value),
            _ => What::Read(found),
        };
        let invoked = clocks[process as usize] + 2 * call as u64;
        let is_unknown = random.below(100) < shape.unknown_percent;
        if kind < 6 && (!is_unknown || random.below(2) == 0) {
            latest[key as usize] = Some(value);
        }
        accesses.push(Access { call, process, key, what, invoked, returned: (!is_unknown).then_some(invoked + 1) });
    }
    accesses
}

/// A short history of any kind.
pub(super) fn any(random: &mut Random) -> Accesses {
    let shape = Shape {
        accesses: 2 + random.below(7),
        processes: 1 + random.below(4),
        keys: 1 + random.below(3),
        wild_percent: [0, 20, 50, 100][random.below(4) as usize],
        unknown_percent: [0, 0, 20][random.below(3) as usize],
    };
    history(random, shape)
}

/// The same as calls of a store. A swap of unknown fate is a write of unknown fate.
pub(super) fn calls(accesses: &Accesses) -> Vec<Call<KeyValueOp<u8, u64>, KeyValueRet<u64>>> {
    let call = |access: &Access<u8, u64>| {
        let key = access.key;
        let (op, ret) = match access.what {
            What::Read(None) => (KeyValueOp::Read { key }, KeyValueRet::Missing),
            What::Read(Some(value)) => (KeyValueOp::Read { key }, KeyValueRet::Value(value)),
            What::Write(value) => (KeyValueOp::Write { key, value }, KeyValueRet::Done),
            What::Swap { to: value, .. } if access.returned.is_none() => {
                (KeyValueOp::Write { key, value }, KeyValueRet::Done)
            }
            What::Swap { from, to } => {
                let create_if_not_exists = from.is_none();
                let from = from.unwrap_or(0);
                (KeyValueOp::CompareAndSet { key, from, to, create_if_not_exists }, KeyValueRet::Done)
            }
        };
        match access.returned {
            Some(returned) => Call::returned(access.process, op, ret, access.invoked, returned),
            None => Call::indeterminate(access.process, op, access.invoked),
        }
    };
    accesses.iter().map(call).collect()
}
