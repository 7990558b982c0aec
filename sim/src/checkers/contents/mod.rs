//! Contents: judging reads that show *which* updates they contain, by every consistency model, exactly.
//!
//! What a read returns is often too little to tell a stale answer from a fresh one: a counter that misses one addition of 3
//! and has another looks as it should. Where it is known which updates are in an answer (a set tells by its elements, and a
//! simulator knows anyway), each model becomes a statement about sets, and can be decided in polynomial time:
//!
//! | model | holds if and only if | file |
//! |---|---|---|
//! | linearizable | contents form a chain, and real time agrees with it | `order` |
//! | sequential | contents form a chain, and the order of each process agrees with it | `order` |
//! | read-your-writes | reads contain all acknowledged updates of their process so far | `sessions` |
//! | monotonic reads | the contents of a process's reads only grow | `sessions` |
//! | monotonic writes | with an update, reads contain all acknowledged ones before it of its process | `sessions` |
//! | writes follow reads | with an update, reads contain what its process had read before | `sessions` |
//! | PRAM, causal | the first three; all four (Brzezinski, Sobaniec and Wawrzyniak 2004) | `sessions` |
//!
//! An acknowledged update took effect, an indeterminate one may have, and a refused one did not. An update of unknown fate
//! that some read contains did take effect, at any time after its invocation; so it may come after what its process did next.
//! No read contains an update that was invoked after the read had returned, or that was refused: where one does, no model holds.
//!
//! ```
//! use sim::checkers::{Consistency, contents::{Contents, Fate, Read, Update}};
//!
//! let update = |call, process, at| Update { call, process, invoked: at, returned: Some(at + 1), fate: Fate::Acknowledged };
//! let mut contents = Contents::new(&[update(0, 1, 0), update(1, 1, 2)]);
//! contents.push(Read { call: 2, process: 2, invoked: 4, returned: 5, misfit: None }, [0]);
//! let judge = |model| contents.judge(model, &|call| format!("call {call}")).verdict.name();
//! assert_eq!(judge(Consistency::Linearizable), "fail", "the second update had been acknowledged");
//! assert_eq!(judge(Consistency::Sequential), "pass", "process 2 may be behind");
//! ```
//!
//! What is deliberately absent: removal. What was once contained and then is not has been lost.

mod order;
mod sessions;
#[cfg(test)]
mod tests;

use super::{Consistency, Ruling, Verdict};

/// The most memory that contents may take, in bytes: beyond, nothing is judged.
pub const BYTES_MAX: usize = 1 << 27;

/// An update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Its place in the history.
    pub call: usize,
    /// Who made it. A process does one thing at a time.
    pub process: u64,
    /// When it was invoked.
    pub invoked: u64,
    /// When it returned, if it did.
    pub returned: Option<u64>,
    /// What its client knows.
    pub fate: Fate,
}

/// Whether an update took effect, as far as its client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It did.
    Acknowledged,
    /// Nobody knows.
    Indeterminate,
    /// It did not, and never will.
    Refused,
}

/// A read that returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Its place in the history.
    pub call: usize,
    /// Who made it.
    pub process: u64,
    /// When it was invoked.
    pub invoked: u64,
    /// When it returned.
    pub returned: u64,
    /// Why the answer is not what its content amounts to, if it is not: then no order explains it.
    pub misfit: Option<String>,
}

/// Updates, and reads with their contents.
#[derive(Clone, Debug)]
pub struct Contents {
    /// By process, in the order of invocation.
    updates: Vec<Update>,
    /// For the number of an update as the caller counts, its place in `updates`.
    places: Vec<u32>,
    /// The bits of acknowledged updates, and of refused ones.
    acknowledged: Vec<u64>,
    refused: Vec<u64>,
    reads: Vec<Read>,
    /// One row of `words` words per read.
    rows: Vec<u64>,
    words: usize,
    /// Were there more contents than [`BYTES_MAX`]?
    is_incomplete: bool,
}

impl Contents {
    /// No reads yet of these updates. Reads name them by their place in `updates`.
    pub fn new(updates: &[Update]) -> Self {
        let mut order: Vec<u32> = (0..updates.len() as u32).collect();
        let key = |&at: &u32| (updates[at as usize].process, updates[at as usize].invoked, at);
        order.sort_unstable_by_key(key);
        let mut places = vec![0; updates.len()];
        for (place, &number) in order.iter().enumerate() {
            places[number as usize] = place as u32;
        }
        let updates: Vec<Update> = order.iter().map(|&number| updates[number as usize]).collect();
        let words = updates.len().div_ceil(64);
        let mask = |fate| {
            let mut bits = vec![0; words];
            for (place, _) in updates.iter().enumerate().filter(|(_, update)| update.fate == fate) {
                bits[place / 64] |= 1 << (place % 64);
            }
            bits
        };
        Self {
            acknowledged: mask(Fate::Acknowledged),
            refused: mask(Fate::Refused),
            updates,
            places,
            reads: Vec::new(),
            rows: Vec::new(),
            words,
            is_incomplete: false,
        }
    }

    /// Adds a read that contains the updates with these numbers.
    ///
    /// # Panics
    /// When there is no update with such a number.
    pub fn push(&mut self, read: Read, numbers: impl IntoIterator<Item = u32>) {
        self.push_changed(read, None, numbers);
    }

    /// Adds a read whose content is that of read number `base` (in the order of addition; nothing if there is none), but for the
    /// updates with these numbers: those that the base contains it does not, and those that the base does not contain it does.
    ///
    /// # Panics
    /// When there is no update with such a number, or no such read.
    pub fn push_changed(&mut self, read: Read, base: Option<usize>, numbers: impl IntoIterator<Item = u32>) {
        if self.is_incomplete || (self.rows.len() + self.words) * size_of::<u64>() > BYTES_MAX {
            self.is_incomplete = true;
            return;
        }
        let row = self.rows.len();
        match base {
            Some(base) => self.rows.extend_from_within(base * self.words..(base + 1) * self.words),
            None => self.rows.resize(row + self.words, 0),
        }
        for number in numbers {
            let place = self.places[number as usize] as usize;
            self.rows[row + place / 64] ^= 1 << (place % 64);
        }
        self.reads.push(read);
    }

    /// How many updates and reads there are.
    pub fn len(&self) -> usize {
        self.updates.len() + self.reads.len()
    }

    /// Is there nothing to judge?
    pub fn is_empty(&self) -> bool {
        self.reads.is_empty() || self.updates.is_empty()
    }

    /// Does the model hold? `show` says for a person what a call of the history is. Strong convergence, which is not about the
    /// contents of reads, is unknown.
    pub fn judge(&self, model: Consistency, show: &dyn Fn(usize) -> String) -> Ruling {
        let rule = |anomaly: &Anomaly| Ruling::fail(anomaly.tell(show), anomaly.calls());
        if let Some(verdict) = self.unjudged(model) {
            return verdict.into();
        }
        self.impossible().or_else(|| self.anomaly(model)).map_or(Verdict::Pass.into(), |anomaly| rule(&anomaly))
    }

    /// Judges models, of which the strong ones come first: what holds settles what it implies.
    pub fn judge_all(&self, models: &[Consistency], show: &dyn Fn(usize) -> String) -> Vec<Ruling> {
        let impossible = if self.is_incomplete || self.is_empty() { None } else { self.impossible() };
        let mut held: Vec<Consistency> = Vec::new();
        let judge = |&model: &Consistency| {
            if let Some(verdict) = self.unjudged(model) {
                return verdict.into();
            }
            if held.iter().any(|stronger| stronger.implies(model)) {
                return Verdict::Pass.into();
            }
            if let Some(anomaly) = impossible.clone().or_else(|| self.anomaly(model)) {
                return Ruling::fail(anomaly.tell(show), anomaly.calls());
            }
            held.push(model);
            Verdict::Pass.into()
        };
        models.iter().map(judge).collect()
    }

    /// Why there is no telling.
    fn unjudged(&self, model: Consistency) -> Option<Verdict> {
        if self.is_incomplete {
            let reason = format!("the contents of all reads take more than {} MiB", BYTES_MAX >> 20);
            return Some(Verdict::Unknown { reason });
        }
        if model == Consistency::StronglyConvergent {
            return Some(Verdict::Unknown { reason: "reads do not show when updates were delivered".into() });
        }
        self.is_empty().then(|| Verdict::Vacuous { reason: "nothing was both updated and read".into() })
    }

    /// What breaks the model, if contents are possible at all.
    fn anomaly(&self, model: Consistency) -> Option<Anomaly> {
        match model {
            Consistency::Linearizable => order::linearizable(self),
            Consistency::Sequential => order::sequential(self),
            Consistency::Causal => sessions::causal(self),
            Consistency::Pram => sessions::pram(self),
            Consistency::WritesFollowReads => sessions::writes_follow_reads(self),
            Consistency::MonotonicWrites => sessions::monotonic_writes(self),
            Consistency::MonotonicReads => sessions::monotonic_reads(self),
            Consistency::ReadYourWrites => sessions::read_your_writes(self),
            Consistency::StronglyConvergent => None,
        }
    }

    /// What no model allows.
    fn impossible(&self) -> Option<Anomaly> {
        if let Some(read) = self.reads.iter().find(|read| read.misfit.is_some()) {
            return Some(Anomaly::Misfit { read: read.call, why: read.misfit.clone().unwrap_or_default() });
        }
        // The latest invocation among the updates of a word spares looking at them one by one.
        let latest: Vec<u64> =
            self.updates.chunks(64).map(|chunk| chunk.iter().map(|update| update.invoked).max().unwrap_or(0)).collect();
        for (at, read) in self.reads.iter().enumerate() {
            for (word, &bits) in self.row(at).iter().enumerate() {
                let refused = bits & self.refused[word];
                if let Some(place) = places(word, refused).next() {
                    return Some(Anomaly::Refused { read: read.call, update: self.updates[place].call });
                }
                if latest[word] > read.returned
                    && let Some(place) = places(word, bits).find(|&at| self.updates[at].invoked > read.returned)
                {
                    return Some(Anomaly::Future { read: read.call, update: self.updates[place].call });
                }
            }
        }
        None
    }

    /// The content of a read.
    fn row(&self, read: usize) -> &[u64] {
        &self.rows[read * self.words..][..self.words]
    }

    /// The number of updates in a read.
    fn size(&self, read: usize) -> u64 {
        self.row(read).iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

/// The first update of `wanted` that is not in `content`.
fn missing(wanted: &[u64], content: &[u64]) -> Option<usize> {
    let mut words = wanted.iter().zip(content).enumerate();
    words.find_map(|(word, (&wanted, &content))| places(word, wanted & !content).next())
}

/// The places of the bits of a word.
fn places(word: usize, mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(word * 64 + bit)
    })
}

/// What breaks a model, in terms of calls of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Anomaly {
    /// A read returned something else than its content.
    Misfit { read: usize, why: String },
    /// A read contains an update that was refused.
    Refused { read: usize, update: usize },
    /// A read contains an update that was invoked later.
    Future { read: usize, update: usize },
    /// Two reads contain one update each that the other does not.
    Fork { reads: [usize; 2], updates: [usize; 2] },
    /// A read does not contain an update that was acknowledged before.
    Stale { read: usize, update: usize },
    /// A read does not contain an update that an earlier read contains.
    Shrunk { reads: [usize; 2], update: usize },
    /// A read contains an update and not one that was acknowledged before that one was invoked.
    Overtaken { read: usize, update: usize, by: usize },
    /// A read contains an update and not one that the former's process had read before.
    Uncaused { read: usize, cause: usize, seen_by: usize, effect: usize },
}

impl Anomaly {
    /// The calls, in the order in which they are told.
    fn calls(&self) -> Vec<usize> {
        let mut calls = match *self {
            Self::Misfit { read, .. } => vec![read],
            Self::Refused { read, update } | Self::Future { read, update } | Self::Stale { read, update } => {
                vec![update, read]
            }
            Self::Fork { reads, updates } => vec![updates[0], updates[1], reads[0], reads[1]],
            Self::Shrunk { reads, update } => vec![update, reads[0], reads[1]],
            Self::Overtaken { read, update, by } => vec![update, by, read],
            Self::Uncaused { read, cause, seen_by, effect } => vec![cause, seen_by, effect, read],
        };
        calls.sort_unstable();
        calls
    }

    fn tell(&self, show: &dyn Fn(usize) -> String) -> String {
        match self {
            Self::Misfit { read, why } => format!("no order explains [{}]: {why}", show(*read)),
            Self::Refused { read, update } => {
                format!("[{}] contains [{}], which was refused", show(*read), show(*update))
            }
            Self::Future { read, update } => {
                format!("[{}] contains [{}], which was invoked later", show(*read), show(*update))
            }
            Self::Fork { reads, updates } => format!(
                "no order of two updates explains two reads: [{}] contains [{}] but not [{}], and [{}] the other way round",
                show(reads[0]),
                show(updates[0]),
                show(updates[1]),
                show(reads[1]),
            ),
            Self::Stale { read, update } => {
                format!("[{}] does not contain [{}], acknowledged before it", show(*read), show(*update))
            }
            Self::Shrunk { reads, update } => format!(
                "[{}] contains [{}], and the later [{}] does not any more",
                show(reads[0]),
                show(*update),
                show(reads[1])
            ),
            Self::Overtaken { read, update, by } => format!(
                "[{}] contains [{}] without [{}], acknowledged before that one was invoked",
                show(*read),
                show(*by),
                show(*update)
            ),
            Self::Uncaused { read, cause, seen_by, effect } => format!(
                "[{}] contains [{}] without [{}], which [{}] of the same process had seen before",
                show(*read),
                show(*effect),
                show(*cause),
                show(*seen_by)
            ),
        }
    }
}
