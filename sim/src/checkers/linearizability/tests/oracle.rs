//! The definition of linearizability, tried out in all ways. It shares nothing with the judge but calls and `step`.

use crate::checkers::linearizability::{Call, Model};

/// Is there an order of all calls that returned, and any of the others, that answers as recorded, and in which no call
/// comes after one that was invoked only after it had returned?
pub(super) fn is_linearizable<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>]) -> bool {
    continues(model, calls, &mut vec![false; calls.len()], &model.init())
}

fn continues<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], placed: &mut [bool], state: &M::State) -> bool {
    if calls.iter().zip(&*placed).all(|(call, placed)| *placed || call.returned.is_none()) {
        return true;
    }
    for next in 0..calls.len() {
        let is_preceded = (0..calls.len()).any(|other| {
            !placed[other] && calls[other].returned.is_some_and(|returned| returned < calls[next].invoked)
        });
        if placed[next] || is_preceded {
            continue;
        }
        let ret = if calls[next].returned.is_some() { calls[next].ret.as_ref() } else { None };
        if let Some(after) = model.step(state, &calls[next].op, ret) {
            placed[next] = true;
            let found = continues(model, calls, placed, &after);
            placed[next] = false;
            if found {
                return true;
            }
        }
    }
    false
}

/// Is this order one that the definition asks for?
pub(super) fn is_linearization<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], order: &[usize]) -> bool {
    let mut place = vec![None; calls.len()];
    let mut state = model.init();
    for (at, &call) in order.iter().enumerate() {
        let ret = if calls[call].returned.is_some() { calls[call].ret.as_ref() } else { None };
        let Some(after) = model.step(&state, &calls[call].op, ret) else { return false };
        if place[call].replace(at).is_some() {
            return false;
        }
        state = after;
    }
    let mut latest_invocation = 0;
    for &call in order {
        if calls[call].returned.is_some_and(|returned| returned < latest_invocation) {
            return false;
        }
        latest_invocation = latest_invocation.max(calls[call].invoked);
    }
    calls.iter().zip(place).all(|(call, place)| {
        place.is_some() || call.returned.is_none() || (call.ret.is_none() && model.is_read(&call.op, None))
    })
}
