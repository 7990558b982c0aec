//! Histories by the thousand: good ones, good ones that were tampered with, and plain nonsense.

use super::specimens::Specimen;
use crate::checkers::linearizability::{Call, Model};

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

/// The shape of a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub calls: u64,
    /// How long calls take at most. The history takes as long as it has calls.
    pub duration_max: u64,
    /// How many of a hundred calls are of unknown fate.
    pub unknown_percent: u64,
}

/// A history that is linearizable: calls take effect one after the other, in the order of instants within their intervals.
pub(super) fn good<S: Specimen>(random: &mut Random, shape: Shape) -> Calls<S> {
    let model = S::model();
    let mut instants: Vec<(u64, u64, Option<u64>)> = (0..shape.calls)
        .map(|_| {
            let invoked = random.below(shape.calls + 1);
            let effect = invoked + random.below(shape.duration_max + 1);
            let returned = effect + random.below(shape.duration_max + 1);
            let is_unknown = random.below(100) < shape.unknown_percent;
            (effect, invoked, (!is_unknown).then_some(returned))
        })
        .collect();
    instants.sort_unstable();
    let mut state = model.init();
    let mut calls = Vec::new();
    for (serial, (_, invoked, returned)) in instants.into_iter().enumerate() {
        let op = S::op(random, serial as u64);
        let answer = S::answers(&state, &op).into_iter().find(|ret| model.step(&state, &op, Some(ret)).is_some());
        let answer = answer.expect("one of the answers is right");
        let process = serial as u64;
        // One of three calls of unknown fate had no effect.
        if returned.is_some() || random.below(3) > 0 {
            state = model.step(&state, &op, Some(&answer)).expect("the answer is right");
        }
        calls.push(match returned {
            Some(returned) => Call::returned(process, op, answer, invoked, returned),
            None => Call::indeterminate(process, op, invoked),
        });
    }
    calls
}

/// A history in which something may be wrong.
pub(super) fn tampered<S: Specimen>(random: &mut Random, shape: Shape) -> Calls<S> {
    let mut calls = good::<S>(random, shape);
    for _ in 0..=random.below(3) {
        let [one, other] = [0; 2].map(|_| random.below(calls.len() as u64) as usize);
        match random.below(4) {
            // An answer that somebody else got.
            0 | 1 => calls[one].ret = calls[other].ret.clone(),
            // Another time.
            2 => {
                let (invoked, taken) = (random.below(shape.calls + 1), random.below(shape.duration_max + 1));
                calls[one].invoked = invoked;
                calls[one].returned = calls[one].returned.map(|_| invoked + taken);
            }
            // Another order.
            _ => calls.swap(one, other),
        }
    }
    calls
}

/// A short history of any kind.
pub(super) fn any<S: Specimen>(random: &mut Random, calls_max: u64) -> Calls<S> {
    let shape = Shape {
        calls: 1 + random.below(calls_max),
        duration_max: 1 + random.below(5),
        unknown_percent: [0, 0, 20, 50][random.below(4) as usize],
    };
    if random.below(4) == 0 { good::<S>(random, shape) } else { tampered::<S>(random, shape) }
}
