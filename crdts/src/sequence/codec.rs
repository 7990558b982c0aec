//! The canonical encoding of a whole history, in columns.
//!
//! **Order.** The applied operations are written in an order in which they can be applied: in rounds over the replicas, of each
//! as many runs as can be applied by then. So writer and reader both know the sequence before each run, and
//! a run says what it does in terms of that: a left origin or target is a *visible position*, told as its distance from
//! the end of the run before it, and a right origin is the character behind the left one unless an exception says
//! otherwise. Typing, backspacing and moving on cost two bytes a run.
//!
//! **Layout.** Version; replicas (distances); if there are any, five columns, each behind its length in bytes: `turns`
//! (replica, number of runs), `heads` (kind and length of each run), `places`, `rights` and `lamports` (exceptions: how many
//! insertions later, and what); the operations that wait; the text of all insertions, in their order; CRC-32 of all
//! before, least significant byte first.
//!
//! **Bounds.** Characters are backed by bytes of text, a run of single deletions takes as many *visible* characters as it has dots,
//! and any other operation costs at least two bytes. So a reader's memory is proportional to the input.
//!
//! What is deliberately absent: compression by general means in the canonical form (the feature `compress` adds another form).

mod waiting;

use std::borrow::Cow;

use super::{
    log::Body,
    op::{Delete, Insert, Op},
    ordering::Ordering,
    spans::Char,
    text::Text,
};
use waiting::{Untold, read_replicas, read_waiting};

use crate::{
    causality::Dot,
    checksum::{crc32, intact},
    clock::ReplicaId,
    encoding::{DecodeError, Encode, Reader, VERSION, write_varint},
    lattice::Weight,
};

/// Where the runs of single deletions go: nowhere (one deletion), forward, backward.
const STEPS: [i8; 3] = [0, 1, -1];

#[derive(Default)]
struct Columns {
    turns: Vec<u8>,
    heads: Vec<u8>,
    places: Vec<u8>,
    rights: Vec<u8>,
    lamports: Vec<u8>,
    text: String,
    /// Bytes of heads and places that tell of deletions.
    deletion_bytes: u64,
}

/// What writer and reader know in common before each run.
struct Shared<O> {
    seen: Text<O>,
    /// Replicas, ascending.
    replicas: Vec<ReplicaId>,
    /// For each of them, the Lamport time that its next insertion would have without news from others.
    lamports: Vec<u64>,
    /// Where the run before ended, as a visible position.
    cursor: u64,
    /// Insertions since the last exception.
    rights_since: u64,
    lamports_since: u64,
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

impl<O: Ordering> Shared<O> {
    fn new(replicas: Vec<ReplicaId>) -> Self {
        let lamports = vec![1; replicas.len()];
        Self { seen: Text::new(), replicas, lamports, cursor: 0, rights_since: 0, lamports_since: 0 }
    }

    /// The visible position of a character, if it is visible.
    fn position(&self, id: Char) -> Option<u64> {
        let gap = self.seen.spans.gap_before(id);
        (!self.seen.spans.span(gap).is_dead()).then(|| u64::from(self.seen.spans.rank(gap)))
    }

    /// What the right origin is without concurrency.
    fn usual_right(&self, left: Char) -> Option<Dot> {
        if !O::KEEPS_RIGHT || self.seen.spans.is_empty() {
            return None;
        }
        self.seen.dot(self.seen.spans.char_after(self.seen.spans.gap_after(left)))
    }

    /// Moves the cursor behind a run at a position.
    fn advance(&mut self, position: u64, dots: u64, code: Option<usize>) {
        self.cursor = match code {
            None => position + dots,
            Some(2) => position.saturating_sub(dots - 1),
            Some(_) => position,
        };
    }

    /// How many dots of a run of single deletions can be told together: while the targets are visible.
    fn visible_dots(&self, target: Char, step: i8, dots: u32) -> u32 {
        let visible = |dot: &u32| {
            let counter = i64::from(target.counter) + i64::from(*dot) * i64::from(step);
            self.known_char(target.slot, counter).is_some_and(|id| self.position_known(id))
        };
        (0..dots).take_while(visible).count() as u32
    }

    fn known_char(&self, slot: u32, counter: i64) -> Option<Char> {
        let counter = u32::try_from(counter).ok()?;
        let id = Char { slot, counter };
        (counter > 0 && self.seen.spans.is_char(id)).then_some(id)
    }

    fn position_known(&self, id: Char) -> bool {
        !self.seen.spans.span(self.seen.spans.gap_before(id)).is_dead()
    }
}

// ---- writing ----

struct Writer<'a, O> {
    text: &'a Text<O>,
    shared: Shared<O>,
    columns: Columns,
}

impl<O: Ordering> Writer<'_, O> {
    fn write_applied(&mut self) {
        let mut left: u64 =
            self.text.slots().iter().map(|&slot| u64::from(self.text.logs[slot as usize].next()) - 1).sum();
        while left > 0 {
            for index in 0..self.shared.replicas.len() {
                let mut runs = 0;
                while let Some(dots) = self.write_run(index) {
                    left -= dots;
                    runs += 1;
                }
                if runs > 0 {
                    write_varint(&mut self.columns.turns, index as u64);
                    write_varint(&mut self.columns.turns, runs);
                }
            }
        }
    }

    /// Writes the next run of a replica if it can be applied by now. Returns its dots.
    fn write_run(&mut self, index: usize) -> Option<u64> {
        let replica = self.shared.replicas[index];
        let slot = self.text.slots()[index];
        let log = &self.text.logs[slot as usize];
        let next = self.shared.seen.next(replica) as u32;
        if next == log.next() {
            return None;
        }
        match self.text.op_at(slot, next, u32::MAX) {
            Op::Insert(insert) => self.write_insert(index, &insert),
            Op::Delete(delete) => {
                let run = log.run_at(next);
                let (step, rest) = match log.runs()[run].body {
                    Body::Delete { step, .. } => (step, log.run_len(run) - (next - log.runs()[run].start)),
                    Body::Insert { .. } => (0, 1),
                };
                self.write_delete(delete, step, rest)
            }
        }
    }

    fn write_insert(&mut self, index: usize, insert: &Insert<'_>) -> Option<u64> {
        let shared = &mut self.shared;
        let left = shared.seen.origin(insert.left, insert.lamport).ok()?;
        shared.seen.origin(insert.right, insert.lamport).ok()?;
        let position = if left.is_none() { Some(0) } else { shared.position(left).map(|before| before + 1) };
        let usual_right = shared.usual_right(left);
        let len = insert.text.chars().count() as u64;

        write_varint(&mut self.columns.heads, len << 1);
        write_place(&mut self.columns.places, shared, position, insert.left);
        if usual_right == insert.right {
            shared.rights_since += 1;
        } else {
            write_varint(&mut self.columns.rights, std::mem::take(&mut shared.rights_since));
            write_dot(&mut self.columns.rights, shared, insert.right);
        }
        let usual = shared.lamports[index];
        if usual == insert.lamport {
            shared.lamports_since += 1;
        } else {
            write_varint(&mut self.columns.lamports, std::mem::take(&mut shared.lamports_since));
            write_varint(&mut self.columns.lamports, zigzag(insert.lamport.wrapping_sub(usual) as i64));
        }
        self.columns.text.push_str(&insert.text);
        shared.lamports[index] = insert.lamport + len;
        if let Some(position) = position {
            shared.advance(position, len, None);
        }
        apply(&mut shared.seen, &Op::from(insert.clone()));
        Some(len)
    }

    fn write_delete(&mut self, delete: Delete, step: i8, rest: u32) -> Option<u64> {
        let shared = &mut self.shared;
        let target = shared.seen.applied(delete.target).ok()?;
        let end = delete.target.counter + delete.len;
        if end > shared.seen.next(delete.target.replica) {
            return None;
        }
        let position = shared.position(target);
        let dots = if step == 0 { 1 } else { shared.visible_dots(target, step, rest).max(1) };
        let (code, count) = match (dots, step) {
            (1, _) => (0, delete.len),
            (_, 1) => (1, u64::from(dots)),
            _ => (2, u64::from(dots)),
        };
        let before = self.columns.heads.len() + self.columns.places.len();
        write_varint(&mut self.columns.heads, ((count * 3 + code) << 1) | 1);
        let place = position.map(|position| if code == 2 { position + 1 } else { position });
        write_place(&mut self.columns.places, shared, place, Some(delete.target));
        self.columns.deletion_bytes += (self.columns.heads.len() + self.columns.places.len() - before) as u64;
        if let Some(position) = position {
            shared.advance(position, u64::from(dots), Some(code as usize));
        }
        for dot in 0..u64::from(dots) {
            apply(&mut shared.seen, &Op::from(nth_delete(delete, step, dot)));
        }
        Some(u64::from(dots))
    }

    /// The operations that wait, told by dots.
    fn write_waiting(&mut self, out: &mut Vec<u8>) -> u64 {
        let runs = self.text.waiting.runs();
        write_varint(out, runs.len() as u64);
        let mut free = Dot::new(ReplicaId(0), 1);
        let mut text_bytes = 0;
        for op in &runs {
            let id = op.id();
            let gap = u64::from(id.replica.0 - free.replica.0);
            write_varint(out, gap);
            write_varint(out, id.counter - if gap == 0 { free.counter } else { 1 });
            free = Dot { counter: id.counter + op.dots(), ..id };
            match op {
                Op::Insert(insert) => {
                    write_varint(out, op.dots() << 1);
                    write_varint(out, insert.lamport);
                    write_waiting_dot(out, id, insert.left);
                    write_waiting_dot(out, id, insert.right);
                    self.columns.text.push_str(&insert.text);
                    text_bytes += insert.text.len() as u64;
                }
                Op::Delete(delete) => {
                    write_varint(out, 1);
                    write_varint(out, delete.len);
                    write_waiting_dot(out, id, Some(delete.target));
                }
            }
        }
        text_bytes
    }
}

/// What was applied in the state that is written can be applied again.
fn apply<O: Ordering>(seen: &mut Text<O>, op: &Op<'_>) {
    let applied = seen.try_apply(op);
    debug_assert_eq!(applied, Ok(true), "{op:?}");
}

/// The deletion `nth` of a run of single ones.
const fn nth_delete(first: Delete, step: i8, nth: u64) -> Delete {
    let counter = first.target.counter.wrapping_add_signed(step as i64 * nth as i64);
    let id = Dot { counter: first.id.counter + nth, ..first.id };
    Delete { id, target: Dot { counter, ..first.target }, ..first }
}

fn write_place<O: Ordering>(out: &mut Vec<u8>, shared: &Shared<O>, position: Option<u64>, dot: Option<Dot>) {
    if let Some(position) = position {
        write_varint(out, zigzag(position as i64 - shared.cursor as i64) + 1);
    } else {
        out.push(0);
        write_dot(out, shared, dot);
    }
}

fn write_dot<O>(out: &mut Vec<u8>, shared: &Shared<O>, dot: Option<Dot>) {
    let Some(dot) = dot else { return out.push(0) };
    let index = shared.replicas.partition_point(|&replica| replica < dot.replica);
    write_varint(out, index as u64 + 1);
    write_varint(out, dot.counter);
}

/// A dot beside the id of the operation that names it.
fn write_waiting_dot(out: &mut Vec<u8>, id: Dot, dot: Option<Dot>) {
    match dot {
        None => out.push(0),
        Some(dot) if dot.replica == id.replica && dot.counter < id.counter => {
            out.push(1);
            write_varint(out, id.counter - dot.counter);
        }
        Some(dot) => {
            write_varint(out, u64::from(dot.replica.0) + 2);
            write_varint(out, dot.counter);
        }
    }
}

impl<O: Ordering> Text<O> {
    /// Appends the encoding; returns what its bytes are for.
    pub(super) fn encode_weighed(&self, out: &mut Vec<u8>) -> Weight {
        let begin = out.len();
        let replicas: Vec<ReplicaId> = self.slots().iter().map(|&slot| self.replicas[slot as usize]).collect();
        out.push(VERSION);
        write_varint(out, replicas.len() as u64);
        let mut free = 0;
        for replica in &replicas {
            write_varint(out, u64::from(replica.0) - free);
            free = u64::from(replica.0) + 1;
        }
        let mut writer = Writer { text: self, shared: Shared::new(replicas), columns: Columns::default() };
        if !self.logs.is_empty() {
            writer.write_applied();
            let Columns { turns, heads, places, rights, lamports, .. } = &writer.columns;
            for column in [turns, heads, places, rights, lamports] {
                write_varint(out, column.len() as u64);
                out.extend(column);
            }
        }
        let applied_text = writer.columns.text.len() as u64;
        let waiting_text = writer.write_waiting(out);
        out.extend(writer.columns.text.as_bytes());
        let sum = crc32(&out[begin..]);
        out.extend(sum.to_le_bytes());

        let visible = self.visible_bytes();
        let payload_bytes = visible + waiting_text;
        let tombstone_bytes = applied_text - visible + writer.columns.deletion_bytes;
        let metadata_bytes = (out.len() - begin) as u64 - payload_bytes - tombstone_bytes;
        Weight { payload_bytes, metadata_bytes, tombstone_bytes }
    }
}

// ---- reading ----

struct Parts<'a, O> {
    shared: Shared<O>,
    heads: Reader<'a>,
    places: Reader<'a>,
    rights: Reader<'a>,
    lamports: Reader<'a>,
    /// Insertions until the next exception.
    right_in: Option<u64>,
    lamport_in: Option<u64>,
}

fn next_exception(column: &mut Reader<'_>) -> Result<Option<u64>, DecodeError> {
    if column.is_done() { Ok(None) } else { column.varint().map(Some) }
}

/// Counts an insertion; is it the exception?
fn is_exception(until: &mut Option<u64>) -> bool {
    match until {
        Some(0) => true,
        Some(more) => {
            *more -= 1;
            false
        }
        None => false,
    }
}

impl<O: Ordering> Parts<'_, O> {
    fn read_dot(shared: &Shared<O>, column: &mut Reader<'_>) -> Result<Option<Dot>, DecodeError> {
        let Some(index) = column.varint()?.checked_sub(1) else { return Ok(None) };
        let replica = usize::try_from(index).ok().and_then(|index| shared.replicas.get(index));
        let replica = *replica.ok_or(DecodeError::IdOutOfRange)?;
        Ok(Some(Dot::new(replica, column.varint()?)))
    }

    /// A visible position, or the dot of a character that is not visible.
    fn read_place(&mut self) -> Result<Result<u64, Option<Dot>>, DecodeError> {
        match self.places.varint()?.checked_sub(1) {
            None => Self::read_dot(&self.shared, &mut self.places).map(Err),
            Some(distance) => {
                let position = self.shared.cursor.checked_add_signed(unzigzag(distance));
                position.map(Ok).ok_or(DecodeError::Inapplicable)
            }
        }
    }

    /// The visible character at a position.
    fn char_at(&mut self, position: u64) -> Result<Char, DecodeError> {
        let spans = &mut self.shared.seen.spans;
        if position >= u64::from(spans.visible()) {
            return Err(DecodeError::Inapplicable);
        }
        let gap = spans.seek(position as u32 + 1);
        Ok(spans.char_before(gap))
    }

    fn read_insert(&mut self, index: usize, len: u64, text: &mut &str) -> Result<(), DecodeError> {
        let (position, left) = match self.read_place()? {
            Err(left) => (None, left),
            Ok(0) => (Some(0), None),
            Ok(position) => {
                let left = self.char_at(position - 1)?;
                (Some(position), self.shared.seen.dot(left))
            }
        };
        let replica = self.shared.replicas[index];
        let left_char = match left {
            None => Char::NONE,
            Some(dot) => self.shared.seen.origin(Some(dot), u64::MAX).map_err(|_| DecodeError::Inapplicable)?,
        };
        let right = if is_exception(&mut self.right_in) {
            let right = Self::read_dot(&self.shared, &mut self.rights)?;
            self.right_in = next_exception(&mut self.rights)?;
            right
        } else {
            self.shared.usual_right(left_char)
        };
        let mut lamport = self.shared.lamports[index];
        if is_exception(&mut self.lamport_in) {
            lamport = lamport.wrapping_add(unzigzag(self.lamports.varint()?) as u64);
            self.lamport_in = next_exception(&mut self.lamports)?;
        }
        let text = take_chars(text, len)?;
        let id = Dot::new(replica, self.shared.seen.next(replica));
        let insert = Insert { id, lamport, left, right, text: Cow::Borrowed(text) };
        self.apply(&insert.into())?;
        self.shared.lamports[index] = lamport.checked_add(len).ok_or(DecodeError::CounterOutOfRange)?;
        if let Some(position) = position {
            self.shared.advance(position, len, None);
        }
        Ok(())
    }

    fn read_delete(&mut self, index: usize, head: u64) -> Result<(), DecodeError> {
        let (count, code) = (head / 3, (head % 3) as usize);
        let place = self.read_place()?;
        let position = place.ok().map(|place| if code == 2 { place.wrapping_sub(1) } else { place });
        let target = match (position, place) {
            (Some(position), _) => {
                let target = self.char_at(position)?;
                self.shared.seen.dot(target)
            }
            (None, place) => place.err().flatten(),
        };
        let target = target.ok_or(DecodeError::Inapplicable)?;
        let replica = self.shared.replicas[index];
        let id = Dot::new(replica, self.shared.seen.next(replica));
        let (dots, len) = if code == 0 { (1, count) } else { (count, 1) };
        let first = Delete { id, target, len };
        if let Some(position) = position {
            if dots == 0 {
                return Err(DecodeError::ZeroCount);
            }
            self.shared.advance(position, dots, Some(code));
        }
        for dot in 0..dots {
            let visible = self.shared.seen.len();
            self.apply(&nth_delete(first, STEPS[code], dot).into())?;
            // What is deleted already cannot be told in a run, which would not be backed by characters.
            if code != 0 && self.shared.seen.len() == visible {
                return Err(DecodeError::NotCanonical);
            }
        }
        Ok(())
    }

    fn apply(&mut self, op: &Op<'_>) -> Result<(), DecodeError> {
        match self.shared.seen.try_apply(op) {
            Ok(true) => Ok(()),
            _ => Err(DecodeError::Inapplicable),
        }
    }

    fn read_applied(&mut self, mut turns: Reader<'_>, text: &mut &str) -> Result<(), DecodeError> {
        while !turns.is_done() {
            let index = usize::try_from(turns.varint()?).unwrap_or(usize::MAX);
            if index >= self.shared.replicas.len() {
                return Err(DecodeError::IdOutOfRange);
            }
            for _ in 0..turns.varint()? {
                let head = self.heads.varint()?;
                if head & 1 == 0 {
                    self.read_insert(index, head >> 1, text)?;
                } else {
                    self.read_delete(index, head >> 1)?;
                }
            }
        }
        let done = [&self.heads, &self.places, &self.rights, &self.lamports].iter().all(|column| column.is_done());
        let no_exception_left = self.right_in.is_none() && self.lamport_in.is_none();
        if done && no_exception_left { Ok(()) } else { Err(DecodeError::NotCanonical) }
    }
}

/// Takes a number of characters from the front of a text.
fn take_chars<'a>(text: &mut &'a str, len: u64) -> Result<&'a str, DecodeError> {
    let len = usize::try_from(len).map_err(|_| DecodeError::Truncated)?;
    let end = match text.char_indices().nth(len) {
        Some((end, _)) => end,
        None if text.chars().count() == len => text.len(),
        None => return Err(DecodeError::Truncated),
    };
    let (taken, rest) = text.split_at(end);
    *text = rest;
    Ok(taken)
}

fn decode_any<O: Ordering>(bytes: &[u8]) -> Result<Text<O>, DecodeError> {
    // An unknown version is named as such, whatever its checksum may be.
    Reader::new(bytes)?;
    let mut reader = Reader::new(intact(bytes)?)?;
    let replicas = read_replicas(&mut reader)?;
    let none = replicas.is_empty();
    let mut columns = Vec::new();
    for _ in 0..if none { 0 } else { 5 } {
        columns.push(reader.part()?);
    }
    let waiting = read_waiting(&mut reader)?;
    let mut text = std::str::from_utf8(reader.rest()).map_err(|_| DecodeError::Utf8)?;
    let mut state = Text::new();
    if let Ok([turns, heads, places, mut rights, mut lamports]) = <[Reader<'_>; 5]>::try_from(columns) {
        let (right_in, lamport_in) = (next_exception(&mut rights)?, next_exception(&mut lamports)?);
        let shared = Shared::new(replicas);
        let mut parts = Parts { shared, heads, places, rights, lamports, right_in, lamport_in };
        parts.read_applied(turns, &mut text)?;
        state = parts.shared.seen;
    }
    for op in waiting {
        let op: Op<'_> = match op {
            Err(delete) => delete.into(),
            Ok(Untold { id, chars, lamport, left, right }) => {
                let text = Cow::Borrowed(take_chars(&mut text, chars)?);
                Insert { id, lamport, left, right, text }.into()
            }
        };
        state.receive(&op).map_err(|_| DecodeError::Inapplicable)?;
    }
    if text.is_empty() { Ok(state) } else { Err(DecodeError::TrailingBytes { count: text.len() }) }
}

impl<O: Ordering> Encode for Text<O> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.encode_weighed(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let state = decode_any(bytes)?;
        let mut again = Vec::with_capacity(bytes.len());
        state.encode_weighed(&mut again);
        if again == bytes { Ok(state) } else { Err(DecodeError::NotCanonical) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_is_undone() {
        for value in [0, 1, -1, 63, -64, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
        assert_eq!([zigzag(0), zigzag(-1), zigzag(1)], [0, 1, 2]);
    }
}
