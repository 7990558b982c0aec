//! The search for a linearization: Wing and Gong's, just in time and with a memory.
//!
//! The search goes from return to return. When the call that returns has not been linearized yet, something has to be
//! done: it is linearized now, or another call is first, and then the question is the same again. So nothing is linearized
//! before it is needed (Lowe, *Testing for linearizability*, 2017). What follows is sound for every model:
//!
//! * Reads that are right are linearized at once: they are in nobody's way.
//! * Of equal duties, the one with the first deadline goes first; of equal options, the first that arrived. Exchanging
//!   equal calls makes no difference to anybody.
//! * An option is used only where it changes the state, and not while an equal operation that is due would do the same.
//! * Calls without a key in common with the one that returns, directly or through others that are there, can wait.
//! * A configuration that a known one dominates is not entered ([`super::memo`]).
//!
//! And with facts ([`super::facts`]):
//!
//! * A step is not taken if it leaves a demand that nothing can meet any more.
//! * A write that helps no demand that is left is *dead*. It is linearized at once where it changes nothing, and else
//!   just before the next write that covers it, where nobody can see it; and never earlier unless it has to be.
//! * States in which the same demands can be met are one state ([`Model::simplify`]).
//!
//! Invariant: every configuration in the memo but the ones on the current path has been searched to its end, or is
//! dominated by one that was or is. So when the path is empty, there is no linearization.
//!
//! What is deliberately absent: clocks and threads. Effort is counted in steps and bytes, so that it is the same everywhere.

use std::marker::PhantomData;

use super::{
    Limits,
    memo::Memo,
    model::{Insight, Model},
    problem::{Problem, Slots},
    states::{States, WRONG},
};

/// Marks candidates that are options.
const OPTION: u32 = 1 << 31;
/// How often the caller is asked whether to go on, in steps.
const STOP_STEPS: u64 = 1024;

/// What the search relies on. Mutants of it are in the tests.
pub(super) trait Rules {
    /// Configurations in different states are different.
    const STATE_IS_MEMORIZED: bool = true;
    /// An option can be used from its invocation on, and not earlier.
    const OPTIONS_ARRIVE: bool = true;
    /// What others still have to read counts when configurations are compared.
    const READS_ARE_MEMORIZED: bool = true;
    /// A write is dead only if nobody demands it.
    const DEAD_IS_UNDEMANDED: bool = true;
    /// A demand is lost only if nothing that is left can meet it.
    const MAKERS_SAVE: bool = true;
}

/// The rules as they should be.
pub(super) enum Sound {}

impl Rules for Sound {}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// With a linearization: calls in the order in which they take effect.
    Order(Vec<usize>),
    /// With the certainty that there is none.
    Nothing,
    /// Without an answer.
    Exhausted(String),
}

/// A configuration on the path, and what can be done there.
#[derive(Clone, Copy, Debug)]
struct Frame {
    position: u32,
    state: u32,
    /// Where its candidates begin and end, and which is next.
    from: usize,
    next: usize,
    to: usize,
    /// How many calls are linearized.
    linearized: usize,
}

struct Search<'p, 'a, M: Model, R> {
    problem: &'p Problem<'a, M>,
    states: States<M>,
    memo: Memo,
    frames: Vec<Frame>,
    /// The bits of the frames, one row each.
    rows: Vec<u64>,
    /// The bits of the configuration at hand: writes due, reads due, options used.
    row: Vec<u64>,
    position: u32,
    state: u32,
    candidates: Vec<u32>,
    order: Vec<u32>,
    key: Vec<u64>,
    rules: PhantomData<R>,
}

/// How a search went.
pub(super) struct Searched {
    pub(super) found: Found,
    /// How many steps were taken.
    pub(super) steps: u64,
    /// The call whose return was the last one that was reached; nothing if none was.
    pub(super) deepest: Option<usize>,
}

/// Searches for a linearization.
pub(super) fn search<M: Model, R: Rules>(problem: &Problem<'_, M>, limits: &Limits<'_>) -> Searched {
    let mut search = Search::<M, R>::new(problem);
    let (mut steps, mut deepest) = (0, 0);
    let found = if search.begin() { search.go(limits, &mut steps, &mut deepest) } else { Found::Nothing };
    let deepest = problem.returns.get(deepest as usize).map(|&duty| problem.duties[duty as usize].call as usize);
    Searched { found, steps, deepest }
}

#[inline]
fn bit(words: &[u64], at: u32) -> bool {
    words[at as usize / 64] >> (at % 64) & 1 == 1
}

#[inline]
fn set(words: &mut [u64], at: u32) {
    words[at as usize / 64] |= 1 << (at % 64);
}

#[inline]
fn clear(words: &mut [u64], at: u32) {
    words[at as usize / 64] &= !(1 << (at % 64));
}

/// The numbers of the bits that are set.
fn ones(words: &[u64]) -> impl Iterator<Item = u32> + '_ {
    words.iter().zip(0_u32..).flat_map(|(&word, at)| {
        std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
            .take_while(|&rest| rest != 0)
            .map(move |rest| at * 64 + rest.trailing_zeros())
    })
}

impl<'p, 'a, M: Model, R: Rules> Search<'p, 'a, M, R> {
    fn new(problem: &'p Problem<'a, M>) -> Self {
        let (words, writes) = (problem.words(), problem.writes.words());
        Self {
            problem,
            states: States::new(problem.model),
            memo: Memo::new(1 + writes, words - writes),
            frames: Vec::new(),
            rows: Vec::new(),
            row: vec![0; words],
            position: 0,
            state: 0,
            candidates: Vec::new(),
            order: Vec::new(),
            key: Vec::new(),
            rules: PhantomData,
        }
    }

    /// Searches on, from the configuration at hand.
    fn go(&mut self, limits: &Limits<'_>, steps: &mut u64, deepest: &mut u32) -> Found {
        loop {
            if self.position as usize == self.problem.returns.len() {
                return Found::Order(self.order.iter().map(|&call| call as usize).collect());
            }
            *deepest = self.position.max(*deepest);
            self.open();
            // Down to the first configuration that is new, and up where nothing is left.
            loop {
                let Some(candidate) = self.next_candidate() else { return Found::Nothing };
                *steps += 1;
                if let Some(reason) = self.exhausted(*steps, limits) {
                    return Found::Exhausted(reason);
                }
                if self.take(candidate) {
                    break;
                }
            }
        }
    }

    /// The bits of writes, of reads and of options.
    fn parts(&self) -> (usize, usize) {
        let writes = self.problem.writes.words();
        (writes, writes + self.problem.reads.words())
    }

    /// Enters the configuration at the beginning. False if some demand cannot be met at all.
    fn begin(&mut self) -> bool {
        if self.problem.returns.is_empty() {
            return true;
        }
        self.arrive();
        let problem = self.problem;
        let init = self.states.state(0);
        let lost = (0..problem.facts.len() as u32)
            .any(|fact| !problem.model.holds(init, problem.facts.fact(fact)) && self.is_lost(fact));
        if lost {
            return false;
        }
        self.read_all();
        self.settle_all();
        true
    }

    /// Puts the configuration at hand on the path, with all that can be done next.
    fn open(&mut self) {
        let from = self.candidates.len();
        self.find_candidates();
        self.rows.extend_from_slice(&self.row);
        self.frames.push(Frame {
            position: self.position,
            state: self.state,
            from,
            next: from,
            to: self.candidates.len(),
            linearized: self.order.len(),
        });
    }

    /// What to do next, in the last configuration where something is left, which becomes the one at hand.
    fn next_candidate(&mut self) -> Option<u32> {
        let words = self.row.len();
        loop {
            let frame = self.frames.last_mut()?;
            if frame.next < frame.to {
                let candidate = self.candidates[frame.next];
                frame.next += 1;
                (self.position, self.state) = (frame.position, frame.state);
                self.order.truncate(frame.linearized);
                let row = self.rows.len() - words;
                self.row.copy_from_slice(&self.rows[row..]);
                return Some(candidate);
            }
            self.candidates.truncate(frame.from);
            self.rows.truncate(self.rows.len() - words);
            self.frames.pop();
        }
    }

    fn exhausted(&self, steps: u64, limits: &Limits<'_>) -> Option<String> {
        if steps > limits.steps {
            return Some(format!("no answer within {} steps", limits.steps));
        }
        if self.memo.bytes() + self.states.bytes() > limits.bytes {
            return Some(format!("no answer within {} bytes, after {steps} steps", limits.bytes));
        }
        if steps.is_multiple_of(STOP_STEPS) && limits.stop.is_some_and(|stop| stop()) {
            return Some(format!("stopped after {steps} steps"));
        }
        None
    }

    /// Linearizes a candidate in the configuration at hand. False if that leads nowhere new.
    fn take(&mut self, candidate: u32) -> bool {
        let (problem, before) = (self.problem, self.state);
        let class = if candidate & OPTION == 0 {
            let duty = &problem.duties[candidate as usize];
            clear(&mut self.row, duty.slot);
            self.bury(duty.class);
            self.order.push(duty.call);
            duty.class
        } else {
            let (options, used) = self.parts_of_option(candidate & !OPTION);
            let class = problem.options[(candidate & !OPTION) as usize].class;
            let (_, options_from) = self.parts();
            set(&mut self.row[options_from..], options.0 + used);
            self.bury(class);
            self.order.push(options.1);
            class
        };
        let edge = self.states.edge(problem, before, class);
        let is_same = edge.to == before;
        self.state = edge.to;
        if self.states.risks(&edge).iter().any(|&fact| self.is_lost(fact)) {
            return false;
        }
        if !is_same {
            self.read_all();
        }
        self.settle_all();
        self.position as usize == problem.returns.len() || self.remember()
    }

    /// The first bit of a group of options and the next call of it; and how many are used.
    fn parts_of_option(&self, option: u32) -> ((u32, u32), u32) {
        let options = &self.problem.options[option as usize];
        let used = self.used(option);
        ((options.bit, options.members[used as usize].1), used)
    }

    /// How many options of a group are used.
    fn used(&self, option: u32) -> u32 {
        let options = &self.problem.options[option as usize];
        let bits = &self.row[self.parts().1..];
        (0..options.members.len() as u32).take_while(|used| bit(bits, options.bit + used)).count() as u32
    }

    /// Is there an unused option of the group up to this position?
    fn has_option(&self, option: u32, position: u32) -> bool {
        let members = &self.problem.options[option as usize].members;
        members.get(self.used(option) as usize).is_some_and(|&(arrival, _)| arrival <= position || !R::OPTIONS_ARRIVE)
    }

    /// Is the duty still to be linearized?
    fn is_due(&self, number: u32) -> bool {
        let duty = &self.problem.duties[number as usize];
        if duty.deadline < self.position || duty.arrival > self.position {
            return duty.arrival > self.position;
        }
        let (reads, options) = self.parts();
        let bits = if self.problem.is_read(duty) { &self.row[reads..options] } else { &self.row[..reads] };
        bit(bits, duty.slot)
    }

    /// The first of these duties that is still due; they are sorted by deadline.
    fn first_due<'d>(&self, duties: &'d [u32]) -> impl Iterator<Item = u32> + use<'_, 'd, 'p, 'a, M, R> {
        let from = duties.partition_point(|&duty| self.problem.duties[duty as usize].deadline < self.position);
        duties[from..].iter().copied().filter(|&duty| self.is_due(duty))
    }

    /// A fact does not hold. Is it still needed, while nothing can bring it about in time?
    fn is_lost(&self, fact: u32) -> bool {
        let facts = &self.problem.facts;
        let Some(demander) = self.first_due(&facts.demanders[fact as usize]).next() else { return false };
        let until = self.problem.duties[demander as usize].deadline;
        let in_time = |maker: u32| maker != demander && self.problem.duties[maker as usize].arrival <= until;
        let saved = self.first_due(&facts.makers[fact as usize]).any(in_time)
            || facts.option_makers[fact as usize].iter().any(|&option| self.has_option(option, until));
        !(saved && R::MAKERS_SAVE)
    }

    /// Can nobody who is left tell whether a call of this class took effect?
    fn is_dead(&self, class: u32) -> bool {
        let facts = &self.problem.facts;
        self.problem.insight >= Insight::Complete
            && facts.helps[class as usize].iter().all(|&fact| {
                !R::DEAD_IS_UNDEMANDED
                    || (self.first_due(&facts.demanders[fact as usize]).next().is_none()
                        && facts.observers[fact as usize].iter().all(|&option| !self.has_option(option, u32::MAX)))
            })
    }

    /// Is a call of this class right everywhere?
    fn is_unconditional(&self, class: u32) -> bool {
        let described = &self.problem.classes[class as usize];
        self.problem.facts.needs[class as usize].is_empty()
            && (described.ret.is_some() || self.problem.model.demands(described.op, None).is_empty())
    }

    /// Linearizes the dead writes that a call of this class covers, just before it.
    fn bury(&mut self, class: u32) {
        let problem = self.problem;
        if problem.insight < Insight::Complete || !self.is_unconditional(class) {
            return;
        }
        let covered = self.states.edge(problem, self.state, class).to;
        for slot in ones(&self.row[..self.parts().0]).collect::<Vec<_>>() {
            let duty = &problem.duties[problem.writes.holder(slot, self.position, &problem.duties) as usize];
            if !self.is_unconditional(duty.class) || !self.is_dead(duty.class) {
                continue;
            }
            let buried = self.states.edge(problem, self.state, duty.class).to;
            if self.states.edge(problem, buried, class).to == covered {
                self.state = buried;
                clear(&mut self.row, duty.slot);
                self.order.push(duty.call);
            }
        }
    }

    /// Linearizes the dead writes that change nothing here. Were there any?
    fn drop_idle(&mut self) -> bool {
        let problem = self.problem;
        let mut is_any = false;
        if problem.insight < Insight::Complete {
            return false;
        }
        for slot in ones(&self.row[..self.parts().0]).collect::<Vec<_>>() {
            let duty = &problem.duties[problem.writes.holder(slot, self.position, &problem.duties) as usize];
            if self.states.edge(problem, self.state, duty.class).to == self.state && self.is_dead(duty.class) {
                clear(&mut self.row, duty.slot);
                self.order.push(duty.call);
                is_any = true;
            }
        }
        is_any
    }

    /// Puts the duties that arrive at this position among those that are due.
    fn arrive(&mut self) {
        let (reads, _) = self.parts();
        for &number in &self.problem.arrivals[self.position as usize] {
            let duty = &self.problem.duties[number as usize];
            let from = if self.problem.is_read(duty) { reads } else { 0 };
            set(&mut self.row[from..], duty.slot);
        }
    }

    /// Linearizes a read if it is right.
    fn read(&mut self, number: u32) {
        let duty = &self.problem.duties[number as usize];
        if self.states.edge(self.problem, self.state, duty.class).to != WRONG {
            let (reads, _) = self.parts();
            clear(&mut self.row[reads..], duty.slot);
            self.order.push(duty.call);
        }
    }

    /// Linearizes all reads that are right.
    fn read_all(&mut self) {
        let (reads, options) = self.parts();
        for word in reads..options {
            for at in ones(&[self.row[word]]) {
                let slot = (word - reads) as u32 * 64 + at;
                let holder = self.problem.reads.holder(slot, self.position, &self.problem.duties);
                self.read(holder);
            }
        }
    }

    /// Linearizes all that need not be decided, and goes to the first return that has not been linearized.
    fn settle_all(&mut self) {
        self.settle();
        while (self.position as usize) < self.problem.returns.len() && self.drop_idle() {
            self.settle();
        }
    }

    /// Goes to the first return that has not been linearized.
    fn settle(&mut self) {
        let problem = self.problem;
        while (self.position as usize) < problem.returns.len() {
            let returning = problem.returns[self.position as usize];
            if self.is_due(returning) {
                return;
            }
            self.position += 1;
            if (self.position as usize) < problem.returns.len() {
                self.arrive();
                for &number in &problem.arrivals[self.position as usize] {
                    if problem.is_read(&problem.duties[number as usize]) {
                        self.read(number);
                    }
                }
            }
        }
    }

    /// Is the configuration at hand one that no known one dominates?
    fn remember(&mut self) -> bool {
        let (reads, options) = self.parts();
        let state = if R::STATE_IS_MEMORIZED { self.state } else { 0 };
        self.key.clear();
        self.key.push(u64::from(self.position) << 32 | u64::from(state));
        self.key.extend_from_slice(&self.row[..reads]);
        if !R::READS_ARE_MEMORIZED {
            self.row[reads..options].fill(0);
        }
        self.memo.insert(&self.key, &self.row[reads..])
    }

    /// All that can be done in the configuration at hand, the most promising first.
    fn find_candidates(&mut self) {
        let problem = self.problem;
        let returning = problem.returns[self.position as usize];
        let needs = &problem.facts.needs[problem.duties[returning as usize].class as usize];
        let wanted: Vec<u32> = needs
            .iter()
            .copied()
            .filter(|&fact| !problem.model.holds(self.states.state(self.state), problem.facts.fact(fact)))
            .collect();
        let helps = |class: u32| problem.facts.makes[class as usize].iter().any(|fact| wanted.contains(fact));
        let may_wait = problem.insight >= Insight::Deferrable;
        let reachable = self.reachable(returning);
        let mut found: Vec<(u8, bool, u32, u32)> = Vec::new();
        let mut operations: Vec<u32> = Vec::new();
        for (number, class) in self.first_of_classes() {
            let described = &problem.classes[class as usize];
            if !described.meets(&reachable) || self.states.edge(problem, self.state, class).to == WRONG {
                continue;
            }
            operations.push(described.op_number);
            if number == returning {
                found.push((0, false, 0, number));
            } else if !(may_wait && self.is_unconditional(class) && self.is_dead(class)) {
                found.push((1, !helps(class), problem.duties[number as usize].deadline, number));
            }
        }
        for option in 0..problem.options.len() as u32 {
            let class = problem.options[option as usize].class;
            let described = &problem.classes[class as usize];
            if described.meets(&reachable)
                && !operations.contains(&described.op_number)
                && self.has_option(option, self.position)
                && self.states.edge(problem, self.state, class).to != self.state
                && !self.is_dead(class)
            {
                found.push((2, !helps(class), 0, option | OPTION));
            }
        }
        found.sort_unstable();
        self.candidates.extend(found.into_iter().map(|(_, _, _, candidate)| candidate));
    }

    /// The writes that are due, the one with the first deadline of each class, as `(duty, class)`.
    fn first_of_classes(&self) -> Vec<(u32, u32)> {
        let problem = self.problem;
        let holder = |slot| problem.writes.holder(slot, self.position, &problem.duties);
        let mut due: Vec<(u32, u32)> = ones(&self.row[..self.parts().0])
            .map(|slot| {
                let number = holder(slot);
                (problem.duties[number as usize].class, number)
            })
            .collect();
        // Duties are numbered in the order of their deadlines.
        due.sort_unstable();
        due.dedup_by_key(|(class, _)| *class);
        due.into_iter().map(|(class, number)| (number, class)).collect()
    }

    /// The keys that calls can have in common with the one that returns, through others that are there. Empty for all.
    fn reachable(&self, returning: u32) -> Vec<u32> {
        let problem = self.problem;
        if !problem.is_divided {
            return Vec::new();
        }
        let (reads, options) = self.parts();
        let keys_of = |class: u32| &problem.classes[class as usize].keys;
        let of_slots = |slots: &Slots, bits: &[u64]| {
            ones(bits)
                .map(|slot| keys_of(problem.duties[slots.holder(slot, self.position, &problem.duties) as usize].class))
                .collect::<Vec<_>>()
        };
        let mut there = of_slots(&problem.writes, &self.row[..reads]);
        there.extend(of_slots(&problem.reads, &self.row[reads..options]));
        let usable = (0..problem.options.len() as u32).filter(|&option| self.has_option(option, self.position));
        there.extend(usable.map(|option| keys_of(problem.options[option as usize].class)));
        there.retain(|keys| keys.len() > 1);
        let mut reachable = keys_of(problem.duties[returning as usize].class).clone();
        loop {
            let known = reachable.len();
            there.retain(|keys| {
                let meets = keys.iter().any(|key| reachable.contains(key));
                if meets {
                    reachable.extend(keys.iter().filter(|key| !reachable.contains(key)).copied().collect::<Vec<_>>());
                }
                !meets
            });
            if reachable.len() == known {
                return reachable;
            }
        }
    }
}
