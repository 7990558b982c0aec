//! The definition of sequential consistency, tried out in all ways. It shares nothing with the judge but calls and `step`.

use crate::checkers::linearizability::{Call, Model};

/// Is there an order of all calls that returned, and any of the others, that answers as recorded, and in which every call
/// stands after those of its process that returned and were invoked earlier?
pub(super) fn is_sequential<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>]) -> bool {
    continues(model, calls, &mut vec![false; calls.len()], &model.init())
}

fn continues<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], placed: &mut [bool], state: &M::State) -> bool {
    if calls.iter().zip(&*placed).all(|(call, placed)| *placed || call.returned.is_none()) {
        return true;
    }
    for next in 0..calls.len() {
        let is_preceded = (0..calls.len()).any(|other| {
            !placed[other]
                && calls[other].process == calls[next].process
                && calls[other].returned.is_some()
                && calls[other].invoked < calls[next].invoked
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
