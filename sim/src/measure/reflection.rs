//! Reflection: which updates each replica's observable value contains.
//!
//! For every replica a set of updates is kept up to date as its value changes: from the value's lineage, or from the
//! progress that a CRDT reports per writing replica. From these sets come the visibility latency of an update, the
//! staleness of a read, and the updates that were lost or applied more than once.
//!
//! A replica that could not answer keeps what it reflected when it last could. The sets take one bit per replica and
//! update; above [`BYTES_MAX`] they are given up, and what depends on them is reported as unknown.

use std::collections::BTreeMap;

use crdts::clock::ReplicaId;

use crate::kernel::{
    fold::Fold,
    ids::{NodeId, OpId},
    lineage::{Lineage, LineageId, Side},
    node::{Knowledge, Node},
    observer::Mark,
    time::Time,
};

/// The most memory that the sets may take.
pub const BYTES_MAX: usize = 1 << 29;

/// An update as far as reflection is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct UpdateTimes {
    /// When it first took effect.
    pub(super) effect_at: Option<Time>,
    /// Did it change nothing, so that there is nothing to reflect?
    pub(super) changes_nothing: bool,
    /// When its client learnt that it had.
    pub(super) acknowledged_at: Option<Time>,
    /// When all live replicas first reflected it.
    pub(super) visible_at: Option<Time>,
    /// How many live replicas reflect it.
    reflected_by: u32,
}

/// The number of operations that are not updates: they take no bits.
const READ: u32 = u32::MAX;

/// The sets of reflected updates.
#[derive(Clone, Debug)]
pub(super) struct Reflection {
    replicas: usize,
    live: u32,
    is_live: Vec<bool>,
    /// `words` words of bits per replica.
    bits: Vec<u64>,
    words: usize,
    /// Updates that were acknowledged.
    acknowledged: Vec<u64>,
    updates: Vec<UpdateTimes>,
    /// For every operation the number of the update it is, or [`READ`].
    numbers: Vec<u32>,
    lineages: Vec<LineageId>,
    /// The number of each identity that wrote, in the order of first writes.
    writers: BTreeMap<u32, u32>,
    /// For each writer its updates by number, with the progress right after each.
    marks: Vec<Vec<(u64, u32)>>,
    /// For each replica and writer how many of the marks are reflected; `writer_columns` per replica.
    cursors: Vec<u32>,
    writer_columns: usize,
    /// A digest of each replica's set.
    digests: Vec<u128>,
    withdrawn: Option<Withdrawn>,
    exhausted: bool,
}

/// An update that was in a replica's value, and then was not, though the replica had not been restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The update.
    pub number: u32,
    /// Where.
    pub replica: NodeId,
    /// When it disappeared.
    pub at: Time,
}

/// A digest of the set of one update; that of a larger set is the XOR of its updates'.
fn digest_of_update(number: u32) -> u128 {
    let mut fold = Fold::default();
    fold.word(u64::from(number));
    fold.fingerprint().0
}

impl Reflection {
    pub(super) fn new(replicas: u32) -> Self {
        Self {
            replicas: replicas as usize,
            live: replicas,
            is_live: vec![true; replicas as usize],
            bits: vec![0; replicas as usize],
            words: 1,
            acknowledged: vec![0; 1],
            updates: Vec::new(),
            numbers: Vec::new(),
            lineages: vec![LineageId::ROOT; replicas as usize],
            writers: BTreeMap::new(),
            marks: Vec::new(),
            cursors: vec![0; replicas as usize],
            writer_columns: 1,
            digests: vec![0; replicas as usize],
            withdrawn: None,
            exhausted: false,
        }
    }

    /// One that follows nothing from the beginning.
    pub(super) fn given_up(replicas: u32) -> Self {
        Self { exhausted: true, ..Self::new(replicas) }
    }

    /// Was it given up to follow every update?
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// The memory held for the sets, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let sets = self.bits.capacity() * size_of::<u64>() + self.cursors.capacity() * size_of::<u32>();
        (sets + self.updates.capacity() * size_of::<UpdateTimes>()) as u64
    }

    /// The next operation is invoked.
    pub(super) fn invoked(&mut self, is_update: bool) {
        if !is_update {
            self.numbers.push(READ);
            return;
        }
        self.numbers.push(self.updates.len() as u32);
        self.updates.push(UpdateTimes {
            effect_at: None,
            changes_nothing: false,
            acknowledged_at: None,
            visible_at: None,
            reflected_by: 0,
        });
        let words = self.updates.len().div_ceil(64);
        if words > self.words {
            self.acknowledged.resize(2 * self.words, 0);
            self.widen_bits(2 * self.words);
        }
    }

    /// An update takes effect. Returns whether it does so for the first time.
    pub(super) fn effect(&mut self, now: Time, op: OpId, mark: Mark) -> bool {
        let number = self.number(op);
        let effect_at = &mut self.updates[number as usize].effect_at;
        let is_first = effect_at.is_none();
        effect_at.get_or_insert(now);
        let Mark::Progress { origin, progress } = mark else { return is_first };
        let next = self.writers.len() as u32;
        let writer = *self.writers.entry(origin.0).or_insert(next) as usize;
        if writer == self.marks.len() {
            self.marks.push(Vec::new());
            if self.marks.len() > self.writer_columns {
                self.widen_cursors();
            }
        }
        let before = self.marks[writer].last().map_or(0, |(before, _)| *before);
        if progress > before {
            self.marks[writer].push((progress, number));
        } else {
            // Adding nothing changes no state: there is nothing to wait for.
            self.updates[number as usize].changes_nothing = true;
            self.updates[number as usize].visible_at = Some(now);
        }
        is_first
    }

    /// A client learns that its update took effect.
    pub(super) fn acknowledged(&mut self, now: Time, op: OpId) {
        let number = self.number(op);
        let times = &mut self.updates[number as usize];
        times.acknowledged_at = Some(now);
        // Nobody can be behind by what changes nothing, and where nothing is followed, nobody is.
        if !times.changes_nothing && !self.exhausted {
            self.acknowledged[number as usize / 64] |= 1 << (number % 64);
        }
    }

    /// What `replica` would answer now contains what `knowledge` says.
    pub(super) fn know(
        &mut self,
        now: Time,
        replica: NodeId,
        knowledge: Knowledge,
        lineage: &Lineage,
        node: &impl Node,
    ) {
        if self.exhausted {
            return;
        }
        match knowledge {
            Knowledge::Lineage(to) => {
                let from = std::mem::replace(&mut self.lineages[replica.index()], to);
                lineage.difference(from, to, |op, side| match side {
                    Side::From => self.unset(now, replica, self.number(op)),
                    Side::To => self.set(now, replica, self.number(op)),
                });
            }
            Knowledge::Progress => node.progress(|origin, progress| {
                let Some(&writer) = self.writers.get(&origin.0) else { return };
                let cell = replica.index() * self.writer_columns + writer as usize;
                while let Some(&(reached, number)) = self.marks[writer as usize].get(self.cursors[cell] as usize) {
                    if reached > progress {
                        break;
                    }
                    self.cursors[cell] += 1;
                    self.set(now, replica, number);
                }
            }),
            Knowledge::Service => unreachable!("a view resolves what a service knows to a lineage"),
        }
    }

    /// `replica` has gone down.
    pub(super) fn down(&mut self, now: Time, replica: NodeId) {
        if !std::mem::replace(&mut self.is_live[replica.index()], false) {
            return;
        }
        self.live -= 1;
        for number in self.reflected(replica) {
            self.updates[number].reflected_by -= 1;
        }
        // The others may agree on updates that only the lost replica had not seen.
        for times in &mut self.updates {
            if self.live > 0 && times.reflected_by == self.live && times.visible_at.is_none() {
                times.visible_at = Some(now);
            }
        }
    }

    /// `replica` is up again, with what survived: it reflects nothing until it is asked again.
    pub(super) fn up(&mut self, replica: NodeId) {
        if std::mem::replace(&mut self.is_live[replica.index()], true) {
            return;
        }
        self.live += 1;
        let row = replica.index() * self.words;
        self.bits[row..row + self.words].fill(0);
        self.digests[replica.index()] = 0;
        let row = replica.index() * self.writer_columns;
        self.cursors[row..row + self.writer_columns].fill(0);
        self.lineages[replica.index()] = LineageId::ROOT;
    }

    /// Per update by its number: the identity that wrote it and what it reported right after, for those known by progress.
    pub(super) fn dots(&self) -> Vec<Option<(ReplicaId, u64)>> {
        let mut dots = vec![None; self.updates.len()];
        for (&writer, &index) in &self.writers {
            for &(progress, number) in &self.marks[index as usize] {
                dots[number as usize] = Some((ReplicaId(writer), progress));
            }
        }
        dots
    }

    /// By how many updates a read is behind that was invoked at `invoked_at` and returned the value at `source` (or, for
    /// `None`, what `replica` reflects now); and when the first invoked of the missing ones had been acknowledged.
    pub(super) fn missing(
        &self,
        replica: NodeId,
        source: Option<LineageId>,
        lineage: &Lineage,
        invoked_at: Time,
    ) -> Option<(u64, Time)> {
        let row = replica.index() * self.words;
        let mut corrections = BTreeMap::new();
        if let Some(source) = source {
            lineage.difference(self.lineages[replica.index()], source, |op, side| {
                corrections.insert(self.number(op), side == Side::To);
            });
        }
        let (mut count, mut oldest) = (0, None);
        for (word, acknowledged) in self.acknowledged.iter().enumerate() {
            let mut missing = acknowledged & !self.bits[row + word];
            if !corrections.is_empty() {
                for (&number, &has) in corrections.range(word as u32 * 64..word as u32 * 64 + 64) {
                    let bit = 1 << (number % 64);
                    missing = if has { missing & !bit } else { missing | (bit & acknowledged) };
                }
            }
            while missing != 0 {
                let number = word * 64 + missing.trailing_zeros() as usize;
                missing &= missing - 1;
                if let Some(at) = self.updates[number].acknowledged_at.filter(|&at| at <= invoked_at) {
                    count += 1;
                    oldest.get_or_insert(at);
                }
            }
        }
        oldest.map(|at| (count, at))
    }

    /// The bits of what `replica` reflects, or of what the value at `source` contains.
    pub(super) fn content(&self, replica: NodeId, source: Option<LineageId>, lineage: &Lineage) -> Vec<u64> {
        let row = replica.index() * self.words;
        let mut content = self.bits[row..row + self.words].to_vec();
        if let Some(source) = source {
            lineage.difference(self.lineages[replica.index()], source, |op, side| {
                let number = self.number(op);
                let bit = 1 << (number % 64);
                let word = &mut content[number as usize / 64];
                *word = if side == Side::To { *word | bit } else { *word & !bit };
            });
        }
        content
    }

    /// A digest of the set that `replica` reflects.
    pub(super) fn digest(&self, replica: NodeId) -> u128 {
        self.digests[replica.index()]
    }

    /// The first update that disappeared from a replica.
    pub(super) fn withdrawn(&self) -> Option<Withdrawn> {
        self.withdrawn
    }

    /// The times of all updates, in the order of invocation.
    pub(super) fn updates(&self) -> &[UpdateTimes] {
        &self.updates
    }

    /// Does any live replica reflect this update?
    pub(super) fn is_somewhere(update: &UpdateTimes) -> bool {
        update.reflected_by > 0
    }

    /// Do all live replicas reflect this update?
    pub(super) fn is_everywhere(&self, update: &UpdateTimes) -> bool {
        update.reflected_by == self.live
    }

    /// The lineage of a replica's value, for protocols that have one.
    pub(super) fn lineage_of(&self, replica: NodeId) -> LineageId {
        self.lineages[replica.index()]
    }

    /// Does `replica` reflect this update?
    pub(super) fn reflects(&self, replica: NodeId, op: OpId) -> bool {
        self.reflects_number(replica, self.number(op))
    }

    /// As [`Reflection::reflects`], for the update with this number.
    pub(super) fn reflects_number(&self, replica: NodeId, number: u32) -> bool {
        self.bits[replica.index() * self.words + number as usize / 64] >> (number % 64) & 1 == 1
    }

    /// The number of an update, which is the number of its bit.
    pub(super) fn number(&self, op: OpId) -> u32 {
        let number = self.numbers[op.0 as usize];
        debug_assert_ne!(number, READ, "operation {} is not an update", op.0);
        number
    }

    fn reflected(&self, replica: NodeId) -> Vec<usize> {
        let row = &self.bits[replica.index() * self.words..][..self.words];
        let mut numbers = Vec::new();
        for (word, &bits) in row.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                numbers.push(word * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
        numbers
    }

    fn set(&mut self, now: Time, replica: NodeId, number: u32) {
        let word = &mut self.bits[replica.index() * self.words + number as usize / 64];
        let bit = 1 << (number % 64);
        if *word & bit != 0 {
            return;
        }
        *word |= bit;
        self.digests[replica.index()] ^= digest_of_update(number);
        if self.is_live[replica.index()] {
            let times = &mut self.updates[number as usize];
            times.reflected_by += 1;
            if times.reflected_by == self.live && times.visible_at.is_none() {
                times.visible_at = Some(now);
            }
        }
    }

    fn unset(&mut self, now: Time, replica: NodeId, number: u32) {
        let word = &mut self.bits[replica.index() * self.words + number as usize / 64];
        let bit = 1 << (number % 64);
        if *word & bit != 0 {
            *word &= !bit;
            self.digests[replica.index()] ^= digest_of_update(number);
            self.withdrawn.get_or_insert(Withdrawn { number, replica, at: now });
            self.updates[number as usize].reflected_by -= u32::from(self.is_live[replica.index()]);
        }
    }

    fn widen_bits(&mut self, words: usize) {
        if self.exhausted || self.replicas * words * 8 > BYTES_MAX {
            self.exhausted = true;
            return;
        }
        self.bits = widened(&self.bits, self.words, words);
        self.words = words;
    }

    fn widen_cursors(&mut self) {
        let columns = 2 * self.writer_columns;
        if self.exhausted || self.replicas * columns * 4 > BYTES_MAX {
            self.exhausted = true;
            return;
        }
        self.cursors = widened(&self.cursors, self.writer_columns, columns);
        self.writer_columns = columns;
    }
}

/// A table with longer rows, the new cells zero.
fn widened<T: Copy + Default>(table: &[T], columns: usize, wanted: usize) -> Vec<T> {
    let mut wider = vec![T::default(); table.len() / columns * wanted];
    for (old, new) in table.chunks(columns).zip(wider.chunks_mut(wanted)) {
        new[..columns].copy_from_slice(old);
    }
    wider
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINEAGE: Mark = Mark::Lineage;

    /// A node that knows by lineage only, so nobody asks it.
    type Silent = crate::protocols::naive::Naive;

    fn know(reflection: &mut Reflection, now: u64, replica: u32, to: LineageId, lineage: &Lineage) {
        let silent = <Silent as Node>::boot(&(), NodeId(replica), 2);
        reflection.know(Time(now), NodeId(replica), Knowledge::Lineage(to), lineage, &silent);
    }

    #[test]
    fn an_update_is_visible_when_all_live_replicas_reflect_it() {
        let (mut lineage, mut reflection) = (Lineage::default(), Reflection::new(2));
        reflection.invoked(true);
        let value = lineage.derive(LineageId::ROOT, OpId(0));
        reflection.effect(Time(1), OpId(0), LINEAGE);
        know(&mut reflection, 1, 0, value, &lineage);
        assert_eq!(reflection.updates()[0].visible_at, None);
        know(&mut reflection, 5, 1, value, &lineage);
        assert_eq!(reflection.updates()[0].visible_at, Some(Time(5)));
        assert_eq!(reflection.updates()[0].effect_at, Some(Time(1)));
    }

    #[test]
    fn the_death_of_the_last_ignorant_makes_an_update_visible() {
        let (mut lineage, mut reflection) = (Lineage::default(), Reflection::new(2));
        reflection.invoked(true);
        let value = lineage.derive(LineageId::ROOT, OpId(0));
        know(&mut reflection, 1, 0, value, &lineage);
        reflection.down(Time(7), NodeId(1));
        assert_eq!(reflection.updates()[0].visible_at, Some(Time(7)));
        reflection.up(NodeId(1));
        assert!(!reflection.reflects(NodeId(1), OpId(0)) && Reflection::is_somewhere(&reflection.updates()[0]));
        reflection.down(Time(9), NodeId(0));
        assert!(!Reflection::is_somewhere(&reflection.updates()[0]));
    }

    #[test]
    fn an_overwritten_update_is_reflected_no_more() {
        let (mut lineage, mut reflection) = (Lineage::default(), Reflection::new(2));
        for _ in 0..200 {
            reflection.invoked(true);
        }
        let mine = lineage.derive(LineageId::ROOT, OpId(3));
        let theirs = lineage.derive(LineageId::ROOT, OpId(199));
        know(&mut reflection, 1, 0, mine, &lineage);
        know(&mut reflection, 2, 0, theirs, &lineage);
        assert!(!reflection.reflects(NodeId(0), OpId(3)) && reflection.reflects(NodeId(0), OpId(199)));
    }

    #[test]
    fn a_read_is_behind_by_what_was_acknowledged_before_it() {
        let (mut lineage, mut reflection) = (Lineage::default(), Reflection::new(2));
        let mut value = LineageId::ROOT;
        let mut values = vec![value];
        for op in 0..70 {
            reflection.invoked(true);
            value = lineage.derive(value, OpId(op));
            values.push(value);
            reflection.effect(Time(u64::from(op)), OpId(op), LINEAGE);
            reflection.acknowledged(Time(u64::from(op)), OpId(op));
        }
        know(&mut reflection, 70, 0, values[60], &lineage);
        let missing = |source, at| reflection.missing(NodeId(0), source, &lineage, Time(at));
        assert_eq!(missing(None, 100), Some((10, Time(60))));
        assert_eq!(missing(None, 64), Some((5, Time(60))), "later acknowledgements do not count");
        assert_eq!(missing(Some(values[70]), 100), None, "the answer came from a newer value");
        assert_eq!(missing(Some(values[58]), 100), Some((12, Time(58))), "the answer came from an older value");
    }
}
