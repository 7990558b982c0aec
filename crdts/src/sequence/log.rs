//! The applied operations of one replica, run by run, with the text that it inserted.
//!
//! Invariant: runs are maximal and begin with counter 1 without a gap, so equal histories have equal logs. An insertion
//! continues the run before it when it is exactly what the same text in one insertion would have been; deletions of single
//! characters form a run while the targets advance, or recede, by one.
//!
//! What is deliberately absent: operations that wait ([`super::waiting`]).

use super::spans::Char;

/// Characters between two entries of the index into texts that are not ASCII.
const MARK_CHARS: u32 = 64;

/// What a run of dots does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Inserts a character with each dot.
    Insert {
        /// The number of the first character among those that the replica inserted.
        text: u32,
        lamport: u64,
        left: Char,
        right: Char,
    },
    /// Deletes `len` characters with each dot, from `target`, `target + step`, ...; more than one dot only if `len` is 1.
    Delete { target: Char, len: u32, step: i8 },
}

/// Consecutive dots; the next run, or the end of the log, ends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) body: Body,
}

/// One insertion or deletion, as a part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Insert { len: u32, lamport: u64, left: Char, right: Char, text: &'a str },
    Delete { target: Char, len: u32 },
}

/// Why a log cannot take more: a count would exceed 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// The applied operations of one replica.
#[derive(Clone, Debug)]
pub(super) struct Log {
    runs: Vec<Run>,
    /// The counter of the next dot.
    next: u32,
    text: String,
    chars: u32,
    /// The byte of every 64th character, once there is one that is not ASCII.
    marks: Vec<u32>,
}

impl Log {
    pub(super) const fn new() -> Self {
        Self { runs: Vec::new(), next: 1, text: String::new(), chars: 0, marks: Vec::new() }
    }

    pub(super) const fn next(&self) -> u32 {
        self.next
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The dots of a run.
    pub(super) fn run_len(&self, at: usize) -> u32 {
        self.runs.get(at + 1).map_or(self.next, |run| run.start) - self.runs[at].start
    }

    /// The number of the run that holds an applied dot.
    #[inline]
    pub(super) fn run_at(&self, counter: u32) -> usize {
        match self.runs.last() {
            Some(last) if last.start <= counter => self.runs.len() - 1,
            _ => self.runs.partition_point(|run| run.start <= counter) - 1,
        }
    }

    /// The first dot of an applied range that is no character.
    #[inline]
    pub(super) fn first_deletion(&self, first: u32, end: u32) -> Option<u32> {
        let runs = &self.runs[self.run_at(first)..];
        let found = runs.iter().take_while(|run| run.start < end).find(|run| matches!(run.body, Body::Delete { .. }));
        found.map(|run| run.start.max(first))
    }

    /// Can `dots` more dots with `bytes` of text be added?
    #[inline]
    pub(super) fn check_room(&self, dots: u32, bytes: usize) -> Result<(), Full> {
        let bytes_end = self.text.len() as u64 + bytes as u64;
        let fits = self.next.checked_add(dots).is_some_and(|next| next < u32::MAX) && bytes_end < u64::from(u32::MAX);
        if fits { Ok(()) } else { Err(Full) }
    }

    /// Adds an insertion of `len` characters as the next dots of this log, which is that of `slot`.
    #[inline]
    pub(super) fn push_insert(&mut self, slot: u32, len: u32, lamport: u64, origins: (Char, Char), text: &str) {
        let (left, right) = origins;
        let continued = match self.runs.last() {
            Some(Run { start, body: Body::Insert { lamport: first, right: same, .. } }) => {
                left == (Char { slot, counter: self.next - 1 })
                    && *same == right
                    && first.checked_add(u64::from(self.next - start)) == Some(lamport)
            }
            _ => false,
        };
        if !continued {
            self.runs.push(Run { start: self.next, body: Body::Insert { text: self.chars, lamport, left, right } });
        }
        self.push_text(len, text);
        self.next += len;
    }

    #[inline]
    fn push_text(&mut self, len: u32, text: &str) {
        let ascii = len as usize == text.len();
        if !ascii || !self.marks.is_empty() {
            self.push_marks(text);
        }
        self.text.push_str(text);
        self.chars += len;
    }

    #[cold]
    fn push_marks(&mut self, text: &str) {
        if self.marks.is_empty() {
            self.marks.extend((0..=self.chars.saturating_sub(1) / MARK_CHARS).map(|mark| mark * MARK_CHARS));
        }
        let bytes = self.text.len() as u32;
        for (char, (byte, _)) in (self.chars..).zip(text.char_indices()) {
            if char % MARK_CHARS == 0 && char > 0 {
                self.marks.push(bytes + byte as u32);
            }
        }
    }

    /// Adds a deletion as the next dot.
    pub(super) fn push_delete(&mut self, target: Char, len: u32) {
        let next = self.next;
        self.next += 1;
        if let Some(Run { start, body: Body::Delete { target: first, len: 1, step } }) = self.runs.last_mut() {
            let dots = next - *start;
            let advance = i64::from(target.counter) - i64::from(first.counter);
            let alone = dots == 1 && advance.abs() == 1;
            if len == 1 && target.slot == first.slot && (alone || advance == i64::from(dots) * i64::from(*step)) {
                if alone {
                    *step = advance as i8;
                }
                if *step != 0 {
                    return;
                }
            }
        }
        self.runs.push(Run { start: next, body: Body::Delete { target, len, step: 0 } });
    }

    /// The byte where a character begins.
    fn byte_of(&self, char: u32) -> usize {
        if self.marks.is_empty() {
            return char as usize;
        }
        let Some(&mark) = self.marks.get((char / MARK_CHARS) as usize) else { return self.text.len() };
        let rest = &self.text[mark as usize..];
        let inside = rest.char_indices().nth((char % MARK_CHARS) as usize);
        mark as usize + inside.map_or(rest.len(), |(byte, _)| byte)
    }

    /// The text of `len` characters from one that was inserted with `counter`: as many as belong to the same run, and
    /// how many these are.
    pub(super) fn text_at(&self, counter: u32, len: u32) -> (&str, u32) {
        let at = self.run_at(counter);
        let Run { start, body: Body::Insert { text, .. } } = self.runs[at] else { return ("", len) };
        let from = text + (counter - start);
        let len = len.min(self.run_len(at) - (counter - start));
        (&self.text[self.byte_of(from)..self.byte_of(from + len)], len)
    }

    /// What the dots from `counter` on do, as far as one operation can say it and not beyond `len_max` dots.
    pub(super) fn piece(&self, slot: u32, counter: u32, len_max: u32) -> Piece<'_> {
        let at = self.run_at(counter);
        let Run { start, body } = self.runs[at];
        let skipped = counter - start;
        match body {
            Body::Delete { target, len, step } => {
                let counter = i64::from(target.counter) + i64::from(skipped) * i64::from(step);
                Piece::Delete { target: Char { counter: counter as u32, ..target }, len }
            }
            Body::Insert { text, lamport, left, right } => {
                let len = (self.run_len(at) - skipped).min(len_max);
                let from = text + skipped;
                Piece::Insert {
                    len,
                    lamport: lamport + u64::from(skipped),
                    left: if skipped == 0 { left } else { Char { slot, counter: counter - 1 } },
                    right,
                    text: &self.text[self.byte_of(from)..self.byte_of(from + len)],
                }
            }
        }
    }

    /// The left and right origin and the Lamport time of a character.
    pub(super) fn origins(&self, id: Char) -> (Char, Char, u64) {
        let Run { start, body } = self.runs[self.run_at(id.counter)];
        match body {
            Body::Insert { lamport, left, right, .. } if id.counter == start => (left, right, lamport),
            Body::Insert { lamport, right, .. } => {
                (Char { counter: id.counter - 1, ..id }, right, lamport + u64::from(id.counter - start))
            }
            Body::Delete { .. } => (Char::NONE, Char::NONE, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn char(counter: u32) -> Char {
        Char { slot: 0, counter }
    }

    #[test]
    fn texts_are_found_by_character_in_any_alphabet() {
        let mut log = Log::new();
        let mut all = String::new();
        for (round, text) in
            ["abc", "é", "日本語", "x", "𝄞𝄞", &"ab".repeat(70), &"é日".repeat(70), "z"].iter().enumerate()
        {
            // Other origins each time, so that no run continues.
            log.push_insert(0, text.chars().count() as u32, round as u64 * 1000, (Char::NONE, Char::NONE), text);
            all.push_str(text);
            let chars: Vec<char> = all.chars().collect();
            let starts: Vec<usize> = all.char_indices().map(|(byte, _)| byte).collect();
            for (at, &byte) in starts.iter().enumerate() {
                assert_eq!(log.byte_of(at as u32), byte, "{at} of {}", chars.len());
            }
            assert_eq!(log.byte_of(chars.len() as u32), all.len());
        }
    }

    #[test]
    fn deletions_form_runs_in_both_directions() {
        let check = |targets: &[u32], starts: &[u32]| {
            let mut log = Log::new();
            for &target in targets {
                log.push_delete(char(target), 1);
            }
            assert_eq!(log.runs().iter().map(|run| run.start).collect::<Vec<_>>(), starts, "{targets:?}");
            for (at, &target) in targets.iter().enumerate() {
                assert_eq!(log.piece(0, at as u32 + 1, 1), Piece::Delete { target: char(target), len: 1 });
            }
        };
        check(&[5, 6, 7, 6, 5, 4, 9], &[1, 4, 7]);
        check(&[5, 5, 5], &[1, 2, 3]);
        check(&[5, 4, 5], &[1, 3]);
        check(&[3, 9, 10], &[1, 2]);
    }
}
