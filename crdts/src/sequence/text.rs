//! The replicated text: applying operations, and the edits of clients.
//!
//! What is deliberately absent: items that are not characters, moves, marks (rich text), and an undo stack (operations and
//! dots are all that one needs).

use std::{borrow::Cow, marker::PhantomData, ops::Range};

use super::{
    error::{ApplyError, EditError},
    log::{Log, Piece},
    op::{Delete, Insert, Op},
    ordering::Ordering,
    place::Newcomer,
    spans::{Char, Spans},
    waiting::{Unit, Waiting, part, units},
};
use crate::{causality::Dot, clock::ReplicaId};

/// A text that replicas edit concurrently. See the [module documentation](super) for the argument and an example.
#[derive(Clone)]
pub struct Text<O> {
    /// By slot, in the order in which this state heard of their replicas. No log is empty.
    pub(super) logs: Vec<Log>,
    /// The replica of each slot.
    pub(super) replicas: Vec<ReplicaId>,
    /// The slots, by replica.
    sorted: Vec<u32>,
    pub(super) spans: Spans,
    pub(super) waiting: Waiting,
    /// The greatest Lamport time of an applied character.
    pub(super) lamport: u64,
    ordering: PhantomData<O>,
}

/// The deletions of one call: one [`Delete`] for each run of neighbouring dots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletions {
    first: Option<Delete>,
    rest: Vec<Delete>,
}

impl Deletions {
    fn push(&mut self, delete: Delete) {
        if self.first.is_none() { self.first = Some(delete) } else { self.rest.push(delete) }
    }

    /// The deletions, in the order of their dots.
    pub fn iter(&self) -> impl Iterator<Item = Delete> + '_ {
        self.first.iter().chain(&self.rest).copied()
    }

    /// How many there are: none when nothing was to be deleted.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl IntoIterator for Deletions {
    type Item = Delete;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Delete>, std::vec::IntoIter<Delete>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
    }
}

/// The number of characters of a text; most are short.
#[inline]
fn char_count(text: &str) -> usize {
    if text.len() <= 1 { text.len() } else { text.chars().count() }
}

impl<O: Ordering> Text<O> {
    /// The empty text.
    pub const fn new() -> Self {
        Self {
            logs: Vec::new(),
            replicas: Vec::new(),
            sorted: Vec::new(),
            spans: Spans::new(),
            waiting: Waiting::new(),
            lamport: 0,
            ordering: PhantomData,
        }
    }

    // ---- slots ----

    #[inline]
    pub(super) fn slot(&self, replica: ReplicaId) -> Option<u32> {
        if self.replicas.first() == Some(&replica) {
            return Some(0);
        }
        let found = self.sorted.binary_search_by_key(&replica, |&slot| self.replicas[slot as usize]);
        found.ok().map(|at| self.sorted[at])
    }

    fn slot_or_new(&mut self, replica: ReplicaId) -> u32 {
        if let Some(slot) = self.slot(replica) {
            return slot;
        }
        let slot = self.logs.len() as u32;
        self.logs.push(Log::new());
        self.replicas.push(replica);
        self.spans.add_slot();
        let at = self.sorted.partition_point(|&other| self.replicas[other as usize] < replica);
        self.sorted.insert(at, slot);
        slot
    }

    /// Slots in the order of their replicas.
    pub(super) fn slots(&self) -> &[u32] {
        &self.sorted
    }

    /// The counter of the next dot of a replica that can be applied.
    pub(super) fn next(&self, replica: ReplicaId) -> u64 {
        self.slot(replica).map_or(1, |slot| u64::from(self.logs[slot as usize].next()))
    }

    pub(super) fn replica_of(&self, id: Char) -> ReplicaId {
        self.replicas[id.slot as usize]
    }

    pub(super) fn dot_of(&self, id: Char) -> (ReplicaId, u32) {
        (self.replica_of(id), id.counter)
    }

    #[inline]
    pub(super) fn dot(&self, id: Char) -> Option<Dot> {
        (!id.is_none()).then(|| Dot::new(self.replica_of(id), u64::from(id.counter)))
    }

    // ---- origins, for placing ----

    pub(super) fn origins(&self, id: Char) -> (Char, Char, u64) {
        self.logs[id.slot as usize].origins(id)
    }

    pub(super) fn left_of(&self, id: Char) -> Char {
        self.origins(id).0
    }

    pub(super) fn lamport_of(&self, id: Char) -> u64 {
        self.origins(id).2
    }

    pub(super) fn run_start(&self, id: Char) -> Char {
        let log = &self.logs[id.slot as usize];
        Char { counter: log.runs()[log.run_at(id.counter)].start, ..id }
    }

    /// How many characters of its run there are from this one on.
    pub(super) fn run_rest(&self, id: Char) -> u32 {
        let log = &self.logs[id.slot as usize];
        let at = log.run_at(id.counter);
        log.run_len(at) - (id.counter - log.runs()[at].start)
    }

    // ---- clients ----

    /// The number of visible characters.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.visible() as usize
    }

    /// Is there no visible character?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn check_range(&self, position: usize, len: usize) -> Result<(), EditError> {
        match position.checked_add(len) {
            Some(end) if end <= self.len() => Ok(()),
            _ => Err(EditError::OutOfRange { position, len, text_len: self.len() }),
        }
    }

    /// Inserts at a position, which counts visible characters (Unicode scalar values). The operation is for the peers.
    pub fn insert<'a>(&mut self, replica: ReplicaId, position: usize, text: &'a str) -> Result<Op<'a>, EditError> {
        self.check_range(position, 0)?;
        let count = char_count(text);
        if count == 0 {
            return Err(EditError::Empty);
        }
        let len = u32::try_from(count).map_err(|_| EditError::Overflow)?;
        let lamport = self.check_local(replica, len, text.len())?;
        let slot = self.slot_or_new(replica);
        let id = Char { slot, counter: self.logs[slot as usize].next() };

        let gap = if self.spans.is_empty() {
            None
        } else if position == 0 {
            self.spans.seek_front();
            Some(self.spans.front())
        } else {
            Some(self.spans.seek(position as u32))
        };
        let left = if position == 0 { Char::NONE } else { gap.map_or(Char::NONE, |gap| self.spans.char_before(gap)) };
        let right = gap.filter(|_| O::KEEPS_RIGHT).map_or(Char::NONE, |gap| self.spans.char_after(gap));
        self.spans.insert(gap, id, len);
        if O::BY_TIME {
            self.spans.note_lamport(lamport);
        }
        self.logs[slot as usize].push_insert(slot, len, lamport, (left, right), text);
        self.lamport = lamport + u64::from(len - 1);
        if !self.waiting.is_empty() {
            self.wake(replica);
        }
        let id = Dot::new(replica, u64::from(id.counter));
        Ok(Insert { id, lamport, left: self.dot(left), right: self.dot(right), text: Cow::Borrowed(text) }.into())
    }

    /// May `replica` add `len` characters? Returns the Lamport time of the first.
    #[inline]
    fn check_local(&self, replica: ReplicaId, len: u32, bytes: usize) -> Result<u64, EditError> {
        if !self.waiting.is_empty() && self.waiting.first(replica).is_some() {
            return Err(EditError::Behind);
        }
        let first = self.lamport.checked_add(1).ok_or(EditError::Overflow)?;
        // A run may not end at the last number, since its length is added to its beginning.
        first.checked_add(u64::from(len)).ok_or(EditError::Overflow)?;
        self.check_room(self.slot(replica), len, bytes).ok_or(EditError::Overflow)?;
        Ok(first)
    }

    #[inline]
    fn check_room(&self, slot: Option<u32>, len: u32, bytes: usize) -> Option<()> {
        match slot {
            Some(slot) => self.logs[slot as usize].check_room(len, bytes).ok()?,
            None => Log::new().check_room(len, bytes).ok().filter(|()| self.logs.len() < 1 << 30)?,
        }
        self.spans.visible().checked_add(len).map(|_| ())
    }

    /// Deletes `len` characters from a position on. The operations are for the peers; they name what they delete.
    pub fn delete(&mut self, replica: ReplicaId, position: usize, len: usize) -> Result<Deletions, EditError> {
        self.check_range(position, len)?;
        if !self.waiting.is_empty() && self.waiting.first(replica).is_some() {
            return Err(EditError::Behind);
        }
        // Each piece takes one dot, and there are no more pieces than characters.
        self.check_room(self.slot(replica), len as u32, 0).ok_or(EditError::Overflow)?;
        let mut deletions = Deletions::default();
        if len == 0 {
            return Ok(deletions);
        }
        let slot = self.slot_or_new(replica);
        let mut rest = len as u32;
        let mut open: Option<(Char, u32)> = None;
        while rest > 0 {
            let gap = self.spans.seek(position as u32 + 1);
            let gap = super::spans::Gap { offset: gap.offset - 1, ..gap };
            let piece = rest.min(self.spans.span(gap).len() - gap.offset);
            let target = self.spans.char_after(gap);
            self.spans.delete(gap, piece);
            rest -= piece;
            open = match open {
                Some((first, len)) if first.slot == target.slot && first.counter + len == target.counter => {
                    Some((first, len + piece))
                }
                Some(done) => {
                    deletions.push(self.note_deletion(slot, done));
                    Some((target, piece))
                }
                None => Some((target, piece)),
            };
        }
        if let Some(done) = open {
            deletions.push(self.note_deletion(slot, done));
        }
        if !self.waiting.is_empty() {
            self.wake(replica);
        }
        Ok(deletions)
    }

    #[inline]
    fn note_deletion(&mut self, slot: u32, (target, len): (Char, u32)) -> Delete {
        let log = &mut self.logs[slot as usize];
        let id = Dot::new(self.replicas[slot as usize], u64::from(log.next()));
        log.push_delete(target, len);
        self.spans.skip_dot(slot);
        let target = Dot::new(self.replicas[target.slot as usize], u64::from(target.counter));
        Delete { id, target, len: u64::from(len) }
    }

    /// The whole visible text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.read(0..self.len(), &mut text);
        text
    }

    /// The visible characters of a range of positions.
    pub fn slice(&self, range: Range<usize>) -> Result<String, EditError> {
        let len = range.end.saturating_sub(range.start);
        self.check_range(range.start, len)?;
        let mut text = String::new();
        self.read(range.start..range.start + len, &mut text);
        Ok(text)
    }

    /// The bytes of the visible text.
    pub(super) fn visible_bytes(&self) -> u64 {
        let mut bytes = 0;
        self.visit(0..self.len(), |piece| bytes += piece.len() as u64);
        bytes
    }

    fn read(&self, range: Range<usize>, text: &mut String) {
        self.visit(range, |piece| text.push_str(piece));
    }

    fn visit<'a>(&'a self, range: Range<usize>, mut piece_of_text: impl FnMut(&'a str)) {
        let mut rest = range.len() as u32;
        if rest == 0 {
            return;
        }
        let gap = self.spans.find(range.start as u32 + 1);
        let mut skipped = gap.offset - 1;
        for span in self.spans.iter_from(gap).filter(|span| !span.is_dead()) {
            let log = &self.logs[span.slot() as usize];
            let (mut counter, end) =
                (span.start() + skipped, span.start() + span.len().min(skipped.saturating_add(rest)));
            rest -= end - counter;
            skipped = 0;
            while counter < end {
                let (piece, len) = log.text_at(counter, end - counter);
                piece_of_text(piece);
                counter += len;
            }
            if rest == 0 {
                return;
            }
        }
    }

    // ---- peers ----

    /// Applies an operation if all that it builds on has been applied. Returns whether it was new; operations that waited
    /// for it are applied too. On an error the state is as before.
    pub fn try_apply(&mut self, op: &Op<'_>) -> Result<bool, ApplyError> {
        let new = self.integrate(op)?;
        if new && !self.waiting.is_empty() {
            self.wake(op.id().replica);
        }
        Ok(new)
    }

    /// Takes an operation into the set, in whatever order operations arrive: one that cannot be applied waits. Returns
    /// whether it was new. Refused are only operations that no set can hold ([`ApplyError::Malformed`]), and those that
    /// contradict one in the set ([`ApplyError::Conflict`]).
    pub fn receive(&mut self, op: &Op<'_>) -> Result<bool, ApplyError> {
        if !self.waiting.is_empty() {
            self.check_waiting(op)?;
        }
        match self.try_apply(op) {
            Err(error @ (ApplyError::Malformed { .. } | ApplyError::Conflict { .. })) => Err(error),
            Err(error) => Ok(self.hold(op, error)),
            Ok(new) => Ok(new),
        }
    }

    /// Does a held operation say something else about one of the dots?
    fn check_waiting(&self, op: &Op<'_>) -> Result<(), ApplyError> {
        let contradicts = |(dot, unit): &(Dot, Unit)| self.waiting.unit(*dot).is_some_and(|held| held != *unit);
        check_form(op)?;
        match units(op, 0).find(contradicts) {
            Some((dot, _)) => Err(ApplyError::Conflict { dot }),
            None => Ok(()),
        }
    }

    fn hold(&mut self, op: &Op<'_>, error: ApplyError) -> bool {
        let id = op.id();
        let known = self.next(id.replica).saturating_sub(id.counter);
        let new = match op {
            Op::Insert(insert) if known > 0 => self.waiting.hold(&part(insert, known, u64::MAX).into()),
            _ => self.waiting.hold(op),
        };
        if let ApplyError::Missing { first, .. } = error
            && self.waiting.first(id.replica) == Some(Dot { counter: id.counter + known, ..id })
        {
            self.waiting.watch(first, id.replica);
        }
        new
    }

    /// Applies what waited for the dots of `replica`, and what waited for that.
    fn wake(&mut self, replica: ReplicaId) {
        let mut woken = vec![replica];
        while let Some(replica) = woken.pop() {
            self.waiting.wake(replica, self.next(replica), &mut woken);
            let first = self.waiting.first(replica).filter(|first| first.counter <= self.next(replica));
            let Some(op) = first.and_then(|first| self.waiting.take(first)) else { continue };
            match self.integrate(&op) {
                // What contradicts an applied operation has lost.
                Ok(_) | Err(ApplyError::Conflict { .. }) => woken.push(replica),
                Err(error) => {
                    self.hold(&op, error);
                }
            }
        }
    }

    #[inline]
    fn integrate(&mut self, op: &Op<'_>) -> Result<bool, ApplyError> {
        match op {
            Op::Insert(insert) => self.integrate_insert(insert),
            Op::Delete(delete) => self.integrate_delete(*delete),
        }
    }

    fn integrate_insert(&mut self, insert: &Insert<'_>) -> Result<bool, ApplyError> {
        let id = insert.id;
        let dots = char_count(&insert.text) as u64;
        check_insert(insert, dots)?;
        let slot = self.slot(id.replica);
        let next = slot.map_or(1, |slot| u64::from(self.logs[slot as usize].next()));
        if id.counter < next {
            return self.integrate_overlap(insert, dots, next - id.counter);
        }
        if id.counter > next {
            return Err(ApplyError::Missing { first: Dot { counter: next, ..id }, count: id.counter - next });
        }
        let len = u32::try_from(dots).map_err(|_| ApplyError::Overflow)?;
        let left = self.origin(insert.left, insert.lamport)?;
        let right = self.origin(insert.right, insert.lamport)?;
        self.check_room(slot, len, insert.text.len()).ok_or(ApplyError::Overflow)?;

        let new = Newcomer { dot: (id.replica, id.counter as u32), lamport: insert.lamport, left, right };
        let gap = (!self.spans.is_empty()).then(|| self.place(&new));
        let slot = self.slot_or_new(id.replica);
        self.spans.insert(gap, Char { slot, counter: new.dot.1 }, len);
        if O::BY_TIME {
            self.spans.note_lamport(insert.lamport);
        }
        self.logs[slot as usize].push_insert(slot, len, insert.lamport, (left, right), &insert.text);
        self.lamport = self.lamport.max(insert.lamport + (dots - 1));
        Ok(true)
    }

    /// The first `known` dots have been applied.
    #[cold]
    fn integrate_overlap(&mut self, insert: &Insert<'_>, dots: u64, known: u64) -> Result<bool, ApplyError> {
        let applied = part(insert, 0, known.min(dots));
        if let Some(dot) = self.contradiction(&applied.into()) {
            return Err(ApplyError::Conflict { dot });
        }
        if known >= dots { Ok(false) } else { self.integrate_insert(&part(insert, known, u64::MAX)) }
    }

    /// The first dot about which the operation says something else than the set.
    pub(super) fn other_content(&self, op: &Op<'_>) -> Option<Dot> {
        let id = op.id();
        let known = self.next(id.replica).saturating_sub(id.counter);
        let applied = match op {
            Op::Insert(insert) if known > 0 => self.contradiction(&part(insert, 0, known).into()),
            Op::Delete(_) if known > 0 => self.contradiction(op),
            _ => None,
        };
        let contradicts = |(dot, unit): &(Dot, Unit)| self.waiting.unit(*dot).is_some_and(|held| held != *unit);
        applied.or_else(|| units(op, known).find(contradicts).map(|(dot, _)| dot))
    }

    /// The first applied dot about which the operation, all of whose dots have been applied, says something else.
    fn contradiction(&self, op: &Op<'_>) -> Option<Dot> {
        let id = op.id();
        let slot = self.slot(id.replica)?;
        let mut counter = id.counter;
        let end = counter + op.dots();
        while counter < end {
            let mine = self.op_at(slot, counter as u32, (end - counter) as u32);
            let dots = mine.dots();
            let theirs = match op {
                Op::Insert(insert) => part(insert, counter - id.counter, dots).into(),
                Op::Delete(delete) => Op::Delete(*delete),
            };
            if mine != theirs {
                let differs = units(&mine, 0).zip(units(&theirs, 0)).find(|(mine, theirs)| mine != theirs);
                return Some(differs.map_or(Dot { counter, ..id }, |((dot, _), _)| dot));
            }
            counter += dots;
        }
        None
    }

    /// The applied operation that begins with a dot, at most `dots_max` dots of it.
    pub(super) fn op_at(&self, slot: u32, counter: u32, dots_max: u32) -> Op<'_> {
        let id = Dot::new(self.replicas[slot as usize], u64::from(counter));
        match self.logs[slot as usize].piece(slot, counter, dots_max) {
            Piece::Insert { lamport, left, right, text, .. } => {
                Insert { id, lamport, left: self.dot(left), right: self.dot(right), text: Cow::Borrowed(text) }.into()
            }
            Piece::Delete { target, len } => {
                let target = Dot::new(self.replica_of(target), u64::from(target.counter));
                Delete { id, target, len: u64::from(len) }.into()
            }
        }
    }

    /// An applied character that an insertion names.
    #[inline]
    pub(super) fn origin(&self, dot: Option<Dot>, lamport: u64) -> Result<Char, ApplyError> {
        let Some(dot) = dot else { return Ok(Char::NONE) };
        let id = self.applied(dot)?;
        if !self.spans.is_char(id) {
            return Err(ApplyError::NotACharacter { dot });
        }
        // Mostly the insertion is newer than everything, and nothing needs to be looked up.
        if lamport <= self.lamport && lamport <= self.lamport_of(id) {
            return Err(ApplyError::LamportTime { origin: dot });
        }
        Ok(id)
    }

    #[inline]
    pub(super) fn applied(&self, dot: Dot) -> Result<Char, ApplyError> {
        match self.slot(dot.replica) {
            Some(slot) if (1..u64::from(self.logs[slot as usize].next())).contains(&dot.counter) => {
                Ok(Char { slot, counter: dot.counter as u32 })
            }
            _ => Err(ApplyError::Missing { first: dot, count: 1 }),
        }
    }

    fn integrate_delete(&mut self, delete: Delete) -> Result<bool, ApplyError> {
        let Delete { id, target, len } = delete;
        check_delete(delete)?;
        let slot = self.slot(id.replica);
        let next = slot.map_or(1, |slot| u64::from(self.logs[slot as usize].next()));
        if id.counter < next {
            return self.contradiction(&delete.into()).map_or(Ok(false), |dot| Err(ApplyError::Conflict { dot }));
        }
        if id.counter > next {
            return Err(ApplyError::Missing { first: Dot { counter: next, ..id }, count: id.counter - next });
        }
        let target_end = target.counter + len;
        let target_next = self.next(target.replica);
        if target_end > target_next {
            let first = Dot { counter: target.counter.max(target_next), ..target };
            return Err(ApplyError::Missing { first, count: target_end - first.counter });
        }
        let first = self.applied(target)?;
        let last = first.counter + len as u32;
        if let Some(counter) = self.logs[first.slot as usize].first_deletion(first.counter, last) {
            return Err(ApplyError::NotACharacter { dot: Dot { counter: u64::from(counter), ..target } });
        }
        self.check_room(slot, 1, 0).ok_or(ApplyError::Overflow)?;

        let slot = self.slot_or_new(id.replica);
        let mut counter = first.counter;
        while counter < last {
            let gap = self.spans.gap_before(Char { counter, ..first });
            let piece = (last - counter).min(self.spans.span(gap).len() - gap.offset);
            self.spans.delete(gap, piece);
            counter += piece;
        }
        self.logs[slot as usize].push_delete(first, len as u32);
        self.spans.skip_dot(slot);
        Ok(true)
    }
}

/// Can a set hold this operation?
pub(super) fn check_form(op: &Op<'_>) -> Result<(), ApplyError> {
    match op {
        Op::Insert(insert) => check_insert(insert, op.dots()),
        Op::Delete(delete) => check_delete(*delete),
    }
}

#[inline]
fn check_insert(insert: &Insert<'_>, dots: u64) -> Result<(), ApplyError> {
    let within = |first: u64| first > 0 && first.checked_add(dots).is_some();
    let zero = |origin: Option<Dot>| origin.is_some_and(|dot| dot.counter == 0);
    let sound = dots > 0 && within(insert.id.counter) && within(insert.lamport);
    if sound && !zero(insert.left) && !zero(insert.right) {
        Ok(())
    } else {
        Err(ApplyError::Malformed { dot: insert.id })
    }
}

#[inline]
fn check_delete(delete: Delete) -> Result<(), ApplyError> {
    let Delete { id, target, len } = delete;
    let sound = len > 0 && (1..u64::MAX).contains(&id.counter) && target.counter > 0;
    if sound && target.counter.checked_add(len).is_some() { Ok(()) } else { Err(ApplyError::Malformed { dot: id }) }
}
