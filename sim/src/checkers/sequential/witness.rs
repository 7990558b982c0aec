//! Witnesses: why there is no order, in a few calls.
//!
//! Calls are left out, as many as possible at first, down to single ones (Zeller and Hildebrandt, *Simplifying and
//! isolating failure-inducing input*, 2002). A call that is left out is set free: it may have taken effect at any time, or
//! never. What still fails then fails for the calls that are kept, whatever became of the others. If saturation finds a
//! cycle among the calls that are kept, it is told step by step.
//!
//! Invariant: the search found no order after every reduction; one that exhausted its limits is not made.
//!
//! What is deliberately absent: the smallest witness. Which one is found depends on the order of attempts, and old calls
//! are left out first.

use std::fmt::Write;

use super::{
    problem::Problem,
    program::Program,
    saturation::{Saturated, Step, Why, saturate},
    search::{Found, Sound, search},
};
use crate::checkers::{
    Ruling,
    linearizability::{Call, Limits, Model},
};

/// Steps of one attempt to leave calls out, and of all of them.
const ATTEMPT_STEPS: u64 = 5_000;
const ALL_STEPS: u64 = 200_000;
/// The most effort for tables, in pairs of facts and classes.
const ALL_WEIGHT: u64 = 20_000_000;
/// The most attempts.
const ATTEMPTS_MAX: usize = 2_000;
/// The most calls, and steps of a cycle, that are spelt out for a person.
const SHOWN_MAX: usize = 24;

/// Explains why these calls have no order when all others are free.
pub(super) fn explain<M: Model>(
    model: &M,
    calls: &[Call<M::Op, M::Ret>],
    program: &Program,
    failing: Vec<usize>,
    limits: &Limits<'_>,
) -> Ruling {
    let mut reduction = Reduction {
        model,
        calls,
        program,
        limits: Limits { steps: limits.steps.min(ATTEMPT_STEPS), ..*limits },
        is_minimal: true,
        steps_left: ALL_STEPS,
        weight_left: ALL_WEIGHT,
        attempts_left: ATTEMPTS_MAX,
    };
    let mut kept = reduction.run(failing);
    kept.sort_by_key(|&call| (calls[call].invoked, call));
    let text = describe(model, calls, program, &kept, reduction.is_minimal);
    Ruling::fail(text, kept)
}

/// Calls that are left out step by step.
struct Reduction<'b, M: Model> {
    model: &'b M,
    calls: &'b [Call<M::Op, M::Ret>],
    program: &'b Program,
    limits: Limits<'b>,
    is_minimal: bool,
    steps_left: u64,
    weight_left: u64,
    attempts_left: usize,
}

impl<M: Model> Reduction<'_, M> {
    /// Leaves out as much as possible: halves, quarters, … and single calls until none can go.
    fn run(&mut self, mut kept: Vec<usize>) -> Vec<usize> {
        kept.sort_by_key(|&call| (self.calls[call].invoked, call));
        let mut size = kept.len().div_ceil(2);
        loop {
            let before = kept.len();
            let mut at = 0;
            while at < kept.len() {
                let fewer = [&kept[..at], &kept[(at + size).min(kept.len())..]].concat();
                if self.fails(&fewer) {
                    kept = fewer;
                } else {
                    at += size;
                }
            }
            if !self.is_minimal && self.is_spent() || (size <= 1 && kept.len() == before) {
                return kept;
            }
            size = size.div_ceil(2).min(kept.len().div_ceil(2)).max(1);
        }
    }

    fn is_spent(&self) -> bool {
        self.steps_left == 0 || self.weight_left == 0 || self.attempts_left == 0
    }

    fn fails(&mut self, kept: &[usize]) -> bool {
        if kept.is_empty() {
            return false;
        }
        if self.is_spent() {
            self.is_minimal = false;
            return false;
        }
        self.attempts_left -= 1;
        let (found, steps, weight) = try_among(self.model, self.calls, self.program, kept, &self.limits);
        self.steps_left = self.steps_left.saturating_sub(steps);
        self.weight_left = self.weight_left.saturating_sub(weight);
        self.is_minimal &= !matches!(found, Found::Exhausted(_));
        found == Found::Nothing
    }
}

/// Searches for an order of some calls, with all others free; also returns the steps taken, and the weight of the tables.
pub(super) fn try_among<M: Model>(
    model: &M,
    calls: &[Call<M::Op, M::Ret>],
    program: &Program,
    kept: &[usize],
    limits: &Limits<'_>,
) -> (Found, u64, u64) {
    let problem = among(model, calls, program, kept);
    let (found, steps) = search::<M, Sound>(&problem, None, limits);
    (found, steps, problem.weight())
}

fn among<'a, M: Model>(
    model: &'a M,
    calls: &'a [Call<M::Op, M::Ret>],
    program: &Program,
    kept: &[usize],
) -> Problem<'a, M> {
    let mut is_kept = vec![false; calls.len()];
    for &call in kept {
        is_kept[call] = true;
    }
    Problem::new(model, calls, program, &|call| is_kept[call])
}

/// The witness for a person.
fn describe<M: Model>(
    model: &M,
    calls: &[Call<M::Op, M::Ret>],
    program: &Program,
    kept: &[usize],
    is_minimal: bool,
) -> String {
    let mut text = format!("{} calls have no order that each process keeps to", kept.len());
    if kept.len() < calls.len() {
        let _ = write!(text, ", whenever the {} others took effect, if ever", calls.len() - kept.len());
    }
    text.push(':');
    let mut by_process = kept.to_vec();
    by_process.sort_by_key(|&at| (calls[at].process, calls[at].invoked, at));
    for &at in by_process.iter().take(SHOWN_MAX) {
        let _ = write!(text, "\n  {}", tell(model, &calls[at]));
    }
    if kept.len() > SHOWN_MAX {
        let _ = write!(text, "\n  and {} more", kept.len() - SHOWN_MAX);
    }
    if let Saturated::Cyclic(cycle) = saturate(&among(model, calls, program, kept)) {
        text.push_str("\nfor each of these would have to come before the next, and the last before the first:");
        for step in cycle.steps.iter().take(SHOWN_MAX) {
            let _ = write!(text, "\n  {}", reason(model, calls, step));
        }
        if cycle.steps.len() > SHOWN_MAX {
            let _ = write!(text, "\n  and {} more", cycle.steps.len() - SHOWN_MAX);
        }
    }
    if !is_minimal {
        text.push_str("\nperhaps fewer would do; the limits did not allow to tell");
    }
    text
}

fn tell<M: Model>(model: &M, call: &Call<M::Op, M::Ret>) -> String {
    format!("process {}: {}", call.process, model.show(&call.op, call.answer()))
}

/// Why the first call of a step comes before the second.
fn reason<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], step: &Step) -> String {
    let [from, to] = [step.from, step.to].map(|at| tell(model, &calls[at]));
    let why = match step.why {
        Why::Program => "in the order of the process".to_owned(),
        Why::Source => "which finds what it left".to_owned(),
        Why::Found(None) => "which would undo the beginning that it found".to_owned(),
        Why::Found(Some(source)) => {
            format!("which would undo what it found, and comes after its source, {}", tell(model, &calls[source]))
        }
        Why::Kept(reader) => {
            format!("which it would undo for {}, and it comes before that", tell(model, &calls[reader]))
        }
    };
    format!("{from} -- before {to}, {why}")
}
