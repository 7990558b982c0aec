//! The problem: calls as the search wants them.
//!
//! Time is reduced to *positions*: position `p` is the moment just before the `p`-th return. A call that must take effect,
//! a *duty*, is there from the first position whose return is not before its invocation to the position of its own return,
//! its deadline. Calls of unknown fate are *options*: they have no deadline.
//!
//! Invariants: duties hold a *slot*, a place in a bit set, which no other duty holds between arrival and deadline; equal
//! calls are of one *class*; options of one class are members of one group, in the order of their arrival, since it never
//! matters which of them is used.
//!
//! What cannot matter is left out: reads that say nothing, options that arrive after the last return, and options that help
//! no fact that anybody demands.
//!
//! What is deliberately absent: the search, and any state.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    facts::Facts,
    intern::Interner,
    model::{Insight, Model, Touches, View},
};

/// Equal calls.
pub(super) struct Class<'a, M: Model> {
    pub op: &'a M::Op,
    pub ret: Option<&'a M::Ret>,
    /// The number of the operation, whatever it answers.
    pub op_number: u32,
    pub is_read: bool,
    /// The numbers of its keys; empty if it touches everything.
    pub keys: Vec<u32>,
}

impl<M: Model> Class<'_, M> {
    pub(super) fn meets(&self, keys: &[u32]) -> bool {
        self.keys.is_empty() || keys.is_empty() || self.keys.iter().any(|key| keys.contains(key))
    }
}

/// A call that must take effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duty {
    pub class: u32,
    /// The first position at which it may take effect.
    pub arrival: u32,
    /// The position of its return.
    pub deadline: u32,
    pub slot: u32,
    pub call: u32,
}

/// Calls of unknown fate of one class.
pub(super) struct Options {
    pub class: u32,
    /// `(arrival, call)`, ascending.
    pub members: Vec<(u32, u32)>,
    /// The bit of the first member; the members' bits are set from the first on.
    pub bit: u32,
}

/// Which duties hold which slot, one after the other.
#[derive(Default)]
pub(super) struct Slots {
    holders: Vec<Vec<u32>>,
}

impl Slots {
    pub(super) fn words(&self) -> usize {
        self.holders.len().div_ceil(64)
    }

    /// Who holds the slot at a position. There must have been somebody up to then.
    pub(super) fn holder(&self, slot: u32, position: u32, duties: &[Duty]) -> u32 {
        let holders = &self.holders[slot as usize];
        holders[holders.partition_point(|&duty| duties[duty as usize].arrival <= position) - 1]
    }

    fn assign(duties: &mut [Duty], mut members: Vec<u32>) -> Self {
        members.sort_by_key(|&duty| (duties[duty as usize].arrival, duties[duty as usize].deadline));
        let mut slots = Self::default();
        let mut held = BinaryHeap::<Reverse<(u32, u32)>>::new();
        for duty in members {
            let Duty { arrival, deadline, .. } = duties[duty as usize];
            let first_free = held.peek().filter(|Reverse((until, _))| *until < arrival).map(|Reverse((_, slot))| *slot);
            let slot = if let Some(slot) = first_free {
                held.pop();
                slot
            } else {
                slots.holders.push(Vec::new());
                slots.holders.len() as u32 - 1
            };
            held.push(Reverse((deadline, slot)));
            slots.holders[slot as usize].push(duty);
            duties[duty as usize].slot = slot;
        }
        slots
    }
}

/// Calls, ready to be searched.
pub(super) struct Problem<'a, M: Model> {
    pub model: &'a M,
    pub insight: Insight,
    pub classes: Vec<Class<'a, M>>,
    pub duties: Vec<Duty>,
    /// The duty that returns, by position.
    pub returns: Vec<u32>,
    /// The duties that arrive, by position.
    pub arrivals: Vec<Vec<u32>>,
    pub options: Vec<Options>,
    pub writes: Slots,
    pub reads: Slots,
    /// The bits of all options.
    pub option_bits: u32,
    /// Are there calls without a key in common?
    pub is_divided: bool,
    pub facts: Facts<M>,
}

impl<'a, M: Model> Problem<'a, M> {
    pub(super) fn new(model: &'a M, views: &[View<'a, M>]) -> Self {
        let mut builder = Builder::new(model);
        let mut duties: Vec<(u64, &View<'a, M>)> = views
            .iter()
            .filter_map(|view| Some((view.returned?, view)))
            .filter(|(_, view)| !builder.is_idle(view))
            .collect();
        duties.sort_by_key(|(returned, _)| *returned);
        let times: Vec<u64> = duties.iter().map(|(returned, _)| *returned).collect();
        let arrival = |invoked: u64| times.partition_point(|&returned| returned < invoked) as u32;
        let duties: Vec<Duty> = duties
            .iter()
            .enumerate()
            .map(|(deadline, (_, view))| Duty {
                class: builder.class(view.op, view.ret),
                arrival: arrival(view.invoked),
                deadline: deadline as u32,
                slot: 0,
                call: view.call as u32,
            })
            .collect();
        let mut options: Vec<Options> = Vec::new();
        let mut of_class: Vec<u32> = Vec::new();
        for view in views.iter().filter(|view| view.returned.is_none() && !model.is_read(view.op, None)) {
            let arrival = arrival(view.invoked);
            if arrival as usize == times.len() {
                continue;
            }
            let class = builder.class(view.op, None);
            of_class.resize(of_class.len().max(class as usize + 1), u32::MAX);
            if of_class[class as usize] == u32::MAX {
                of_class[class as usize] = options.len() as u32;
                options.push(Options { class, members: Vec::new(), bit: 0 });
            }
            options[of_class[class as usize] as usize].members.push((arrival, view.call as u32));
        }
        builder.finish(duties, options)
    }

    pub(super) fn words(&self) -> usize {
        self.writes.words() + self.reads.words() + (self.option_bits as usize).div_ceil(64)
    }

    pub(super) fn is_read(&self, duty: &Duty) -> bool {
        self.classes[duty.class as usize].is_read
    }
}

/// Numbers classes, operations and keys.
struct Builder<'a, M: Model> {
    model: &'a M,
    classes: Vec<Class<'a, M>>,
    numbers: Interner<(&'a M::Op, Option<&'a M::Ret>)>,
    operations: Interner<&'a M::Op>,
    keys: Vec<M::Key>,
}

impl<'a, M: Model> Builder<'a, M> {
    fn new(model: &'a M) -> Self {
        Self {
            model,
            classes: Vec::new(),
            numbers: Interner::default(),
            operations: Interner::default(),
            keys: Vec::new(),
        }
    }

    /// Does the call say nothing and change nothing?
    fn is_idle(&self, view: &View<'a, M>) -> bool {
        view.ret.is_none() && self.model.is_read(view.op, None)
    }

    fn class(&mut self, op: &'a M::Op, ret: Option<&'a M::Ret>) -> u32 {
        let (number, is_new) = self.numbers.number((op, ret));
        if is_new {
            let touched = match self.model.touches(op) {
                Touches::Everything => Vec::new(),
                Touches::Keys(keys) => keys,
            };
            let keys = touched.into_iter().map(|key| self.key(key)).collect();
            let op_number = self.operations.number(op).0;
            self.classes.push(Class { op, ret, op_number, is_read: self.model.is_read(op, ret), keys });
        }
        number
    }

    fn key(&mut self, key: M::Key) -> u32 {
        let at = self.keys.iter().position(|known| *known == key);
        at.unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        }) as u32
    }

    fn finish(self, mut duties: Vec<Duty>, options: Vec<Options>) -> Problem<'a, M> {
        let Self { model, classes, keys, .. } = self;
        // A duty that may or may not have changed anything makes the state depend on more than its facts.
        let is_open = |duty: &Duty| {
            let class = &classes[duty.class as usize];
            class.ret.is_none() && !model.demands(class.op, None).is_empty()
        };
        let insight = if duties.iter().any(is_open) { Insight::None } else { model.insight() };
        let mut facts = Facts::new(model, &classes, &duties);
        let mut options = facts.admit(model, &classes, options, insight);
        facts.connect(model, &classes, &duties, &options);

        let mut arrivals = vec![Vec::new(); duties.len()];
        for (number, duty) in duties.iter().enumerate() {
            arrivals[duty.arrival as usize].push(number as u32);
        }
        let (reads, writes) =
            (0..duties.len() as u32).partition(|&duty| classes[duties[duty as usize].class as usize].is_read);
        let writes = Slots::assign(&mut duties, writes);
        let reads = Slots::assign(&mut duties, reads);
        let mut option_bits = 0;
        for option in &mut options {
            option.members.sort_unstable();
            option.bit = option_bits;
            option_bits += option.members.len() as u32;
        }
        let returns = (0..duties.len() as u32).collect();
        let is_divided = keys.len() > 1 && classes.iter().all(|class| !class.keys.is_empty());
        Problem {
            model,
            insight,
            classes,
            duties,
            returns,
            arrivals,
            options,
            writes,
            reads,
            option_bits,
            is_divided,
            facts,
        }
    }
}
