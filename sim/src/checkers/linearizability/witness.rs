//! Witnesses: why there is no linearization, in a few calls.
//!
//! First, the shortest failing prefix: the calls up to the first return that nothing can explain. A prefix of a linearizable
//! history is linearizable, so it is found by halving, around the last return that the search had reached. Calls that return
//! later are pending there.
//!
//! Then calls are left out: all but the call that is stuck and one before it, if there is one that contradicts it, as with most
//! stale answers; or all but the last few returns, if those fail by themselves; and from what is kept as many as possible
//! at first, down to single ones (Zeller and Hildebrandt, *Simplifying and isolating failure-inducing input*, 2002). To leave out a write must not turn a good history into a bad one, where a
//! value is read that nobody wrote. So a call that is left out is set free: it may have taken effect at any time, even
//! before the beginning, or never. What still fails then fails for the calls that are kept, whatever became of the others.
//!
//! Invariant: every reduction was judged *not linearizable*; one that exhausted its limits is not made. Without those, no
//! single call can be left out of what is kept. A witness of a large history is found in bounded time, since a step is
//! charged by the calls that it may have to look at, and an attempt by what has to be prepared for it.
//!
//! What is deliberately absent: the smallest witness. Which one is found depends on the order of attempts, and old calls
//! are left out first.

use std::fmt::Write;

use super::{
    Limits,
    call::Call,
    judge,
    model::{Model, View},
    parts::Part,
    problem::Problem,
    search::{Found, Searched, Sound, search},
};

/// Effort of one attempt to leave calls out, and of all of them: steps times what each may have to look at.
const ATTEMPT_EFFORT: u64 = 4_000_000;
const ALL_EFFORT: u64 = 200_000_000;
/// How many calls before the one that is stuck are tried as its only opponent.
const OPPONENTS_MAX: usize = 256;
/// Effort of one attempt to find the longest prefix.
const PREFIX_EFFORT: u64 = 2_000_000;
/// The most attempts.
const ATTEMPTS_MAX: usize = 2_000;
/// The most calls that are spelt out for a person, the last ones.
const SHOWN_MAX: usize = 24;

/// Why a history is not linearizable. Calls are given as their places in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Calls that have no linearization whenever the others took effect, if ever, in the order of their invocation.
    pub calls: Vec<usize>,
    /// Can none of them be left out?
    pub is_minimal: bool,
    /// A linearization of the longest prefix that has one; empty if the limits did not allow to find it.
    pub prefix: Vec<usize>,
    /// The first call whose return has no explanation.
    pub stuck: usize,
    /// How many parts of the history have no linearization. The first one is shown.
    pub failed_parts: usize,
    /// All of this for a person.
    pub text: String,
}

impl Witness {
    /// This many other parts have no linearization either.
    pub(super) fn add_failed_parts(&mut self, others: usize) {
        self.failed_parts += others;
        if others > 0 {
            let _ = write!(self.text, "\n{others} other parts have no order either");
        }
    }
}

/// Explains why a part is not linearizable.
pub(super) fn explain<M: Model>(
    model: &M,
    calls: &[Call<M::Op, M::Ret>],
    part: &Part<'_, M>,
    searched: &Searched,
    limits: &Limits<'_>,
) -> Witness {
    let mut returns: Vec<&View<'_, M>> = part.views.iter().filter(|view| view.returned.is_some()).collect();
    returns.sort_by_key(|view| view.returned);
    // A prefix takes about as long as the whole did.
    let steps = affordable(PREFIX_EFFORT, part.views.len()).max(2 * searched.steps);
    let limits = &Limits { steps: limits.steps.min(steps), ..*limits };
    let fails = |count: usize| {
        let views = prefix(model, &part.views, &returns[..count]);
        judge::<M, Sound>(model, &views, limits).found == Found::Nothing
    };
    let reached = returns.iter().position(|view| Some(view.call) == searched.deepest);
    let (good, bad) = first_failing(returns.len(), reached, &fails);
    let order =
        match search::<M, Sound>(&Problem::new(model, &prefix(model, &part.views, &returns[..good])), limits).found {
            Found::Order(order) => order,
            Found::Nothing | Found::Exhausted(_) => Vec::new(),
        };
    // A call that turns out to have been a read never changed anything.
    let reads_later = |view: &View<'_, M>| view.returned.is_none() && model.is_read(view.op, calls[view.call].answer());
    let mut failing = prefix(model, &part.views, &returns[..bad]);
    failing.retain(|view| !reads_later(view));
    let mut reduction = Reduction::new(model, failing, returns[bad - 1].call, limits);
    reduction.run();
    let mut kept = reduction.kept();
    kept.sort_by_key(|&call| (calls[call].invoked, call));
    let mut witness = Witness {
        calls: kept,
        is_minimal: reduction.is_minimal,
        prefix: order,
        stuck: returns[bad - 1].call,
        failed_parts: 1,
        text: String::new(),
    };
    witness.text = describe(model, calls, &witness, part);
    witness
}

/// The largest number of returns that do not fail as far as is known, and the next one, which does; all of them do. `reached`
/// says about where.
fn first_failing(all: usize, reached: Option<usize>, fails: &dyn Fn(usize) -> bool) -> (usize, usize) {
    let (mut good, mut bad) = (0, all);
    if let Some(reached) = reached {
        let mut step = 1;
        while reached + step < bad {
            if fails(reached + step) {
                bad = reached + step;
            } else {
                good = reached + step;
                step *= 2;
            }
        }
        // Most often the return that was reached last is the one that fails.
        if reached > good && reached + 1 == bad {
            if fails(reached) { bad = reached } else { good = reached }
        }
    }
    while good + 1 < bad {
        let middle = usize::midpoint(good, bad);
        if fails(middle) { bad = middle } else { good = middle }
    }
    (good, bad)
}

/// How many steps an effort allows with so many calls.
fn affordable(effort: u64, calls: usize) -> u64 {
    effort / (calls as u64).max(1)
}

/// The history as it looks after these returns: what returns later is pending, even before it is invoked.
fn prefix<'a, M: Model>(model: &M, views: &[View<'a, M>], returns: &[&View<'a, M>]) -> Vec<View<'a, M>> {
    let mut seen: Vec<usize> = returns.iter().map(|view| view.call).collect();
    seen.sort_unstable();
    let views = views.iter().map(|view| if seen.binary_search(&view.call).is_ok() { *view } else { view.pending() });
    views.filter(|view| view.ret.is_some() || !model.is_read(view.op, None)).collect()
}

/// Calls that are left out step by step.
struct Reduction<'a, 'b, M: Model> {
    model: &'b M,
    views: Vec<View<'a, M>>,
    /// The call that is stuck.
    stuck: usize,
    is_kept: Vec<bool>,
    is_minimal: bool,
    effort_left: u64,
    attempts_left: usize,
    limits: Limits<'b>,
}

impl<'a, 'b, M: Model> Reduction<'a, 'b, M> {
    fn new(model: &'b M, mut views: Vec<View<'a, M>>, stuck: usize, limits: &Limits<'b>) -> Self {
        views.sort_by_key(|view| view.invoked);
        let is_kept = vec![true; views.len()];
        let (effort_left, attempts_left) = (ALL_EFFORT, ATTEMPTS_MAX);
        let stuck = views.iter().position(|view| view.call == stuck).unwrap_or(views.len() - 1);
        Self { model, views, stuck, is_kept, is_minimal: true, effort_left, attempts_left, limits: *limits }
    }

    /// Keeps the call that is stuck and one that returned before, if they fail: the latest such one.
    fn keep_pair(&mut self, returns: &[usize]) -> bool {
        let stuck = self.stuck;
        for &opponent in returns.iter().rev().filter(|&&at| at != stuck).take(OPPONENTS_MAX) {
            self.is_kept.fill(false);
            self.keep(&[self.stuck, opponent], true);
            if self.still_fails() {
                return true;
            }
        }
        false
    }

    fn kept(&self) -> Vec<usize> {
        self.views.iter().zip(&self.is_kept).filter(|(_, kept)| **kept).map(|(view, _)| view.call).collect()
    }

    /// Keeps the last few returns alone if they fail: four, eight, …
    fn keep_last(&mut self) {
        let mut returns: Vec<usize> = (0..self.views.len()).filter(|&at| self.views[at].returned.is_some()).collect();
        returns.sort_by_key(|&at| self.views[at].returned);
        if returns.len() > 2 && self.keep_pair(&returns) {
            return;
        }
        let mut size = 4;
        while size < returns.len() {
            self.is_kept.fill(false);
            let (_, last) = returns.split_at(returns.len() - size);
            self.keep(last, true);
            if self.still_fails() {
                return;
            }
            size *= 2;
        }
        self.is_kept.fill(true);
    }

    /// Leaves out as much as possible: halves, quarters, … and single calls until none can go.
    fn run(&mut self) {
        self.keep_last();
        // Only what is tried from here on tells whether fewer would do.
        self.is_minimal = true;
        let mut size = self.is_kept.iter().filter(|kept| **kept).count().div_ceil(2);
        loop {
            let has_shrunk = self.pass(size);
            if self.effort_left == 0 || self.attempts_left == 0 || (size <= 1 && !has_shrunk) {
                return;
            }
            if size > 1 {
                size = size.div_ceil(2).min(self.is_kept.iter().filter(|kept| **kept).count().div_ceil(2)).max(1);
            }
        }
    }

    /// Tries to leave out every run of `size` calls. Did any go?
    fn pass(&mut self, size: usize) -> bool {
        let kept: Vec<usize> = (0..self.views.len()).filter(|&at| self.is_kept[at]).collect();
        let mut has_shrunk = false;
        for run in kept.chunks(size) {
            if run.len() == kept.len() && kept.len() == 1 {
                return false;
            }
            self.keep(run, false);
            if self.still_fails() {
                has_shrunk = true;
            } else {
                self.keep(run, true);
            }
        }
        has_shrunk
    }

    fn keep(&mut self, run: &[usize], is_kept: bool) {
        for &at in run {
            self.is_kept[at] = is_kept;
        }
    }

    fn still_fails(&mut self) -> bool {
        if self.effort_left == 0 || self.attempts_left == 0 {
            self.is_minimal = false;
            return false;
        }
        self.attempts_left -= 1;
        let views: Vec<View<'a, M>> = self
            .views
            .iter()
            .zip(&self.is_kept)
            .filter(|(view, kept)| **kept || !self.model.is_read(view.op, view.ret))
            .map(|(view, kept)| if *kept { *view } else { view.free() })
            .collect();
        let (found, effort) = match self.model.shortcut(&views) {
            Some(true) => (Found::Order(Vec::new()), views.len() as u64),
            Some(false) => (Found::Nothing, views.len() as u64),
            None => {
                let problem = Problem::new(self.model, &views);
                let size = problem.duties.len() + problem.options.len();
                let steps_max = self.limits.steps.min(affordable(ATTEMPT_EFFORT.min(self.effort_left), size));
                let Searched { found, steps, .. } =
                    search::<M, Sound>(&problem, &Limits { steps: steps_max, ..self.limits });
                let prepared = problem.classes.len() * (1 + problem.facts.len()) / 64 + views.len() / 8;
                (found, steps * size as u64 + prepared as u64)
            }
        };
        self.effort_left = self.effort_left.saturating_sub(effort);
        if matches!(found, Found::Exhausted(_)) {
            self.is_minimal = false;
        }
        found == Found::Nothing
    }
}

/// The witness for a person.
fn describe<M: Model>(model: &M, calls: &[Call<M::Op, M::Ret>], witness: &Witness, part: &Part<'_, M>) -> String {
    let kept = witness.calls.len();
    let left_out = part.views.len() - kept;
    let (calls_have, label) = (if kept == 1 { "call" } else { "calls" }, part.label(" on "));
    let mut text = format!("{kept} {calls_have}{label} {} no order", if kept == 1 { "has" } else { "have" });
    let _ = match left_out {
        0 => Ok(()),
        1 => write!(text, ", whenever the other one took effect, if ever"),
        _ => write!(text, ", whenever the {left_out} others took effect, if ever"),
    };
    text.push(':');
    let earlier = kept.saturating_sub(SHOWN_MAX);
    if earlier > 0 {
        let _ = write!(text, "\n  {earlier} earlier ones, and");
    }
    for &at in &witness.calls[earlier..] {
        let call = &calls[at];
        let returned = call.returned.map_or_else(|| "?".to_owned(), |returned| returned.to_string());
        let _ = write!(
            text,
            "\n  process {} from {} to {returned}: {}",
            call.process,
            call.invoked,
            model.show(&call.op, call.answer())
        );
    }
    if !witness.is_minimal {
        text.push_str("\nperhaps fewer would do; the limits did not allow to tell");
    }
    text
}
