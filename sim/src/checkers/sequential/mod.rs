//! Sequential consistency: is there one order of all calls that explains all answers, in which those of each process stand
//! as it made them? (Lamport, *How to make a multiprocessor computer that correctly executes multiprocess programs*, 1979.)
//!
//! Not local: two objects can each be sequentially consistent, and both together not. So a history is judged as a whole,
//! never key by key. A linearizable history is sequential, though, and that can be judged key by key and is found out first. Others
//! are judged in three ways, one after the other:
//!
//! 1. *Saturation*, where it is known who left what somebody found, as with unique values: what must come before what? A
//!    cycle names a few suspects, and a search finds that these alone have no order.
//! 2. A search for an order that keeps to what saturation knows.
//! 3. A search among all orders.
//!
//! A process does one thing at a time, and its order is that of its invocations; calls of one process that overlap are no
//! history, and the ruling is *unknown*. A call of unknown fate takes effect once after all that its process had been
//! answered before, even after what the process did next; or never. Times of different processes are never compared.
//!
//! Invariant: *pass* and *fail* are certain. An order is replayed before it is believed ([`verify_order`]), and a failure is
//! a search that came to its end. Where that would take more than the [`Limits`], the ruling is *unknown*. It depends on
//! calls and limits alone, not on threads, clocks or hashes.
//!
//! ```
//! use sim::checkers::{Verdict, sequential::check};
//! use sim::checkers::linearizability::{Call, Limits, models::{Register, RegisterOp::*, RegisterRet::*}};
//!
//! let mut calls = vec![
//!     Call::returned(0, Write(1), Done, 0, 1),
//!     Call::returned(1, Read, Value(None), 2, 3),
//!     Call::returned(1, Read, Value(Some(1)), 4, 5),
//! ];
//! let stale = check(&Register::default(), &calls, &Limits::default());
//! assert_eq!(stale.verdict, Verdict::Pass, "late is not wrong");
//! calls.push(Call::returned(1, Read, Value(None), 6, 7));
//! let back = check(&Register::default(), &calls, &Limits::default());
//! assert_eq!(back.calls, [2, 3], "but time does not go back");
//! ```
//!
//! What is deliberately absent: polynomial time. To judge sequential consistency is hard even with unique values (Gibbons
//! and Korach, *Testing shared memories*, 1997).

mod problem;
mod program;
mod saturation;
mod search;
mod table;
#[cfg(test)]
mod tests;
mod witness;

use super::{Ruling, Verdict};
use crate::checkers::linearizability::{Call, Limits, Model, is_linearizable};
use problem::Problem;
use program::Program;
use saturation::{Saturated, saturate};
use search::{Found, Rules, Sound, search};

/// Steps of the search that keeps to what saturation knows, which proves nothing if it fails.
const GUIDED_STEPS: u64 = 200_000;

/// Steps of the attempt, for each part, to find the history linearizable.
const LINEAR_STEPS: u64 = 200_000;

/// Judges calls, in any order, against a model.
pub fn check<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], limits: &Limits<'_>) -> Ruling {
    let program = match Program::new(calls) {
        Ok(program) => program,
        Err(reason) => return Verdict::Unknown { reason }.into(),
    };
    let problem = Problem::new(model, calls, &program, &|_| true);
    if problem.duties.is_empty() {
        return Verdict::Vacuous { reason: "no call returned".into() }.into();
    }
    let first = Limits { steps: limits.steps.min(LINEAR_STEPS), ..*limits };
    if program.is_strict(calls) && is_linearizable(model, calls, &first) {
        return Verdict::Pass.into();
    }
    match judge::<M, Sound>(&problem, calls, &program, limits) {
        Judged::Order(order) => match verify_order(model, calls, &with_idle(calls, &program, &order)) {
            Ok(()) => Verdict::Pass.into(),
            Err(reason) => Verdict::Unknown { reason: format!("an order was found that is none: {reason}") }.into(),
        },
        Judged::Nothing(among) => witness::explain(model, calls, &program, among, limits),
        Judged::Exhausted(reason) => Verdict::Unknown { reason }.into(),
    }
}

/// What was found out about a history.
enum Judged {
    Order(Vec<usize>),
    /// There is no order of these calls, whatever became of the others.
    Nothing(Vec<usize>),
    Exhausted(String),
}

fn judge<M: Model, R: Rules>(
    problem: &Problem<'_, M>,
    calls: &[Call<M::Op, M::Ret>],
    program: &Program,
    limits: &Limits<'_>,
) -> Judged {
    match saturate(problem) {
        Saturated::Cyclic(cycle) => {
            let (found, ..) = witness::try_among(problem.model, calls, program, &cycle.suspects, limits);
            if found == Found::Nothing {
                return Judged::Nothing(cycle.suspects);
            }
        }
        Saturated::Acyclic(guide) => {
            let limits = Limits { steps: limits.steps.min(GUIDED_STEPS), ..*limits };
            if let (Found::Order(order), _) = search::<M, R>(problem, Some(&guide), &limits) {
                return Judged::Order(order);
            }
        }
        Saturated::Silent => {}
    }
    match search::<M, R>(problem, None, limits).0 {
        Found::Order(order) => Judged::Order(order),
        Found::Nothing => Judged::Nothing((0..calls.len()).collect()),
        Found::Exhausted(reason) => Judged::Exhausted(reason),
    }
}

/// The order with the calls that returned without a known answer and changed nothing, each as early as it may be.
fn with_idle<Op, Ret>(calls: &[Call<Op, Ret>], program: &Program, order: &[usize]) -> Vec<usize> {
    let places = program.places();
    let mut done = vec![0; program.chains.len()];
    let mut whole = Vec::with_capacity(calls.len());
    for &call in order {
        let (chain, after) = places[call];
        whole.extend(program.chains[chain].get(done[chain]..after).unwrap_or_default());
        whole.push(call);
        done[chain] = done[chain].max(after + usize::from(calls[call].returned.is_some()));
    }
    program.chains.iter().zip(done).for_each(|(chain, done)| whole.extend(&chain[done..]));
    whole
}

/// Checks an order in one pass: every call that returned is in it once, each process's calls stand as it made them, and
/// every answer is right where it stands.
///
/// # Errors
///
/// What is wrong with it, for a person.
pub fn verify_order<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], order: &[usize]) -> Result<(), String> {
    let program = Program::new(calls)?;
    let places = program.places();
    let mut done: Vec<usize> = vec![0; program.chains.len()];
    let mut is_used = vec![false; calls.len()];
    let mut state = model.init();
    for &at in order {
        let Some((call, (chain, after))) = calls.get(at).zip(places.get(at).copied()) else {
            return Err(format!("there is no call {at}"));
        };
        if std::mem::replace(&mut is_used[at], true) {
            return Err(format!("call {at} stands twice"));
        }
        if call.returned.is_some() && after != done[chain] || after > done[chain] {
            return Err(format!("call {at} stands before one that its process {} made earlier", call.process));
        }
        done[chain] += usize::from(call.returned.is_some());
        let shown = || model.show(&call.op, call.answer());
        state = model
            .step(&state, &call.op, call.answer())
            .ok_or_else(|| format!("call {at}, {}, is not right after those before it", shown()))?;
    }
    match (0..calls.len()).find(|&at| calls[at].returned.is_some() && !is_used[at]) {
        Some(missing) => Err(format!("call {missing} returned, and is not in the order")),
        None => Ok(()),
    }
}
