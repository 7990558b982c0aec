//! The definitions, tried out in all ways. They share nothing with the judges but accesses.

use std::collections::BTreeMap;

use super::histories::Accesses;
use crate::checkers::{
    Consistency,
    sessions::{Access, What},
};

/// Does the history have the model?
pub(super) fn has(model: Consistency, accesses: &Accesses) -> bool {
    let is_split = matches!(model, Consistency::MonotonicWrites | Consistency::WritesFollowReads);
    let accesses = &if is_split { split(accesses) } else { accesses.clone() };
    let history = History::new(accesses);
    if history.reads.iter().any(|&read| history.source(read) == Some(None)) {
        return false;
    }
    match model {
        Consistency::Causal => history.whole(&history.causality()),
        Consistency::Pram => history.whole(&|a, b| history.is_earlier(a, b)),
        Consistency::MonotonicReads => history.monotonic_reads(),
        Consistency::ReadYourWrites => history.read_your_writes(),
        Consistency::MonotonicWrites => {
            history.pairs(&|a, b| history.is_write(a) && history.is_write(b) && history.is_earlier(a, b))
        }
        Consistency::WritesFollowReads => history.pairs(&|a, b| history.is_write(b) && history.had_read(b, a)),
        _ => unreachable!("it is not judged by accesses"),
    }
}

/// Each swap as a read and then a write.
fn split(accesses: &Accesses) -> Accesses {
    let mut parts = Vec::new();
    for access in accesses {
        let (invoked, returned) = (2 * access.invoked, access.returned.map(|returned| 2 * returned));
        let part = |what, invoked, returned| Access { what, invoked, returned, ..access.clone() };
        match access.what {
            What::Swap { from, to } => {
                parts.push(part(What::Read(from), invoked, returned.map(|_| invoked)));
                parts.push(part(What::Write(to), invoked + 1, returned));
            }
            _ => parts.push(part(access.what.clone(), invoked, returned)),
        }
    }
    parts
}

struct History<'a> {
    accesses: &'a Accesses,
    /// Writes that returned or were read, and reads that returned; swaps are both.
    writes: Vec<usize>,
    reads: Vec<usize>,
}

impl<'a> History<'a> {
    fn new(accesses: &'a Accesses) -> Self {
        let returned = |at: &usize| accesses[*at].returned.is_some();
        let all = || 0..accesses.len();
        let reads: Vec<usize> = all().filter(returned).filter(|&at| accesses[at].what.read().is_some()).collect();
        let is_found = |at: &usize| {
            let written = accesses[*at].what.written();
            reads
                .iter()
                .any(|&read| accesses[read].key == accesses[*at].key && accesses[read].what.read() == Some(written))
        };
        let writes = all().filter(|&at| accesses[at].what.written().is_some());
        let writes = writes.filter(|at| returned(at) || is_found(at)).collect();
        Self { accesses, writes, reads }
    }

    fn is_write(&self, at: usize) -> bool {
        self.writes.contains(&at)
    }

    /// The write that a read found: `None` within if nobody wrote it, `None` if it found the beginning.
    #[expect(clippy::option_option, reason = "a value has a writer or none, and the beginning has no value")]
    fn source(&self, read: usize) -> Option<Option<usize>> {
        let value = self.accesses[read].what.read()??;
        let is_source = |&write: &usize| {
            self.accesses[write].key == self.accesses[read].key && self.accesses[write].what.written() == Some(value)
        };
        Some(self.writes.iter().copied().find(is_source))
    }

    fn is_earlier(&self, a: usize, b: usize) -> bool {
        let [a, b] = [a, b].map(|at| &self.accesses[at]);
        a.process == b.process && a.returned.is_some() && a.invoked < b.invoked
    }

    /// Had the process of `b` read `a` before `b`, or by it?
    fn had_read(&self, b: usize, a: usize) -> bool {
        let before = |&read: &usize| read == b || self.is_earlier(read, b);
        self.reads.iter().copied().filter(before).any(|read| self.source(read) == Some(Some(a)))
    }

    fn causality(&self) -> impl Fn(usize, usize) -> bool {
        let all = 0..self.accesses.len();
        let is_before =
            |a: usize, b: usize| self.is_earlier(a, b) || (self.reads.contains(&b) && self.source(b) == Some(Some(a)));
        let mut before: Vec<Vec<bool>> = all.clone().map(|a| all.clone().map(|b| is_before(a, b)).collect()).collect();
        for middle in all {
            let beyond = before[middle].clone();
            for row in before.iter_mut().filter(|row| row[middle]) {
                row.iter_mut().zip(&beyond).for_each(|(cell, more)| *cell |= more);
            }
        }
        move |a, b| before[a][b]
    }

    fn processes(&self) -> Vec<u64> {
        let mut processes: Vec<u64> = self.accesses.iter().map(|access| access.process).collect();
        processes.sort_unstable();
        processes.dedup();
        processes
    }

    fn reads_of(&self, process: u64) -> Vec<usize> {
        self.reads.iter().copied().filter(|&at| self.accesses[at].process == process).collect()
    }

    fn whole(&self, before: &dyn Fn(usize, usize) -> bool) -> bool {
        self.processes().into_iter().all(|process| {
            let reads = self.reads_of(process);
            reads.is_empty() || self.has_order(&self.writes, &reads, before)
        })
    }

    fn monotonic_reads(&self) -> bool {
        self.processes().into_iter().all(|process| {
            (0..3).all(|key| {
                let of_key = |at: &usize| self.accesses[*at].key == key;
                let reads: Vec<usize> = self.reads_of(process).into_iter().filter(of_key).collect();
                let writes: Vec<usize> = self.writes.iter().copied().filter(of_key).collect();
                self.has_order(&writes, &reads, &|a, b| {
                    let is_both = |of: &[usize]| of.contains(&a) && of.contains(&b);
                    (is_both(&reads) || is_both(&writes)) && self.is_earlier(a, b)
                })
            })
        })
    }

    fn read_your_writes(&self) -> bool {
        self.reads.iter().all(|&read| {
            let own =
                |&write: &usize| self.accesses[write].key == self.accesses[read].key && self.is_earlier(write, read);
            let own = self.writes.iter().copied().filter(own);
            let Some(latest) = own.max_by_key(|&write| self.accesses[write].invoked) else { return true };
            let of_key = |at: &usize| self.accesses[*at].key == self.accesses[read].key;
            let writes: Vec<usize> = self.writes.iter().copied().filter(of_key).collect();
            self.has_order(&writes, &[read], &|a, b| {
                (a, b) == (latest, read) || (b == latest && (self.is_earlier(a, latest) || self.had_read(latest, a)))
            })
        })
    }

    /// For each two reads of a process, one after the other or the same, is there an order of these and all writes?
    fn pairs(&self, before: &dyn Fn(usize, usize) -> bool) -> bool {
        self.reads.iter().all(|&one| {
            let later = self.reads.iter().copied().filter(|&other| other == one || self.is_earlier(one, other));
            later.collect::<Vec<_>>().into_iter().all(|other| {
                self.has_order(&self.writes, &[one, other], &|a, b| before(a, b) || (a != b && (a, b) == (one, other)))
            })
        })
    }

    /// Is there an order of these writes and reads, in which the reads are right, and that keeps to `before`?
    fn has_order(&self, writes: &[usize], reads: &[usize], before: &dyn Fn(usize, usize) -> bool) -> bool {
        let mut left: Vec<usize> = [writes, reads].concat();
        left.sort_unstable();
        left.dedup();
        self.continues(&left, reads, before, &mut BTreeMap::new())
    }

    fn continues(
        &self,
        left: &[usize],
        reads: &[usize],
        before: &dyn Fn(usize, usize) -> bool,
        state: &mut BTreeMap<u8, u64>,
    ) -> bool {
        left.is_empty()
            || left.iter().any(|&next| {
                let access = &self.accesses[next];
                if left.iter().any(|&other| before(other, next))
                    || (reads.contains(&next) && access.what.read() != Some(state.get(&access.key)))
                {
                    return false;
                }
                let rest: Vec<usize> = left.iter().copied().filter(|&other| other != next).collect();
                let mut after = state.clone();
                after.extend(access.what.written().map(|value| (access.key, *value)));
                self.continues(&rest, reads, before, &mut after)
            })
    }
}
