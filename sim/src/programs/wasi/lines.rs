//! What a program writes, cut into lines and bounded.
//!
//! Invariant: however much a program writes, no more is kept than the limits say, and every byte that is not kept is counted.
//!
//! Example: with lines of at most 4 bytes, `abc\nabcdef\n` is the line `abc` and one that was too long, with 6 bytes.
//!
//! What is deliberately absent: any idea of what a line says. Only `\n` ends a line; a `\r` is part of it.

use std::collections::VecDeque;

use super::super::Line;

/// How much of a line that is too long is kept.
const START_BYTES: usize = 200;
/// How many lines of standard error are kept.
const LAST_LINES_MAX: usize = 50;
/// How much of a line of standard error is kept.
const LAST_LINE_BYTES_MAX: usize = 2_000;

/// Standard output: lines as they become complete.
#[derive(Debug)]
pub(super) struct Lines {
    line_bytes_max: usize,
    step_bytes_max: u64,
    /// The line that has begun, or the start of it once it is too long.
    begun: Vec<u8>,
    /// The length of the line that has begun.
    begun_bytes: u64,
    /// What was written in this step.
    step_bytes: u64,
    /// What was thrown away in this step.
    thrown_bytes: u64,
    /// The end of the line that was thrown away has not been seen.
    resumes_at_break: bool,
    complete: Vec<Line>,
}

impl Lines {
    /// Nothing was written yet.
    pub(super) fn new(line_bytes_max: usize, step_bytes_max: u64) -> Self {
        Self {
            line_bytes_max,
            step_bytes_max,
            begun: Vec::new(),
            begun_bytes: 0,
            step_bytes: 0,
            thrown_bytes: 0,
            resumes_at_break: false,
            complete: Vec::new(),
        }
    }

    /// Takes what was written.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let room = self.step_bytes_max.saturating_sub(self.step_bytes);
        let (mut kept, beyond) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        self.step_bytes += kept.len() as u64;
        if self.resumes_at_break && !kept.is_empty() {
            let rest = kept.iter().position(|&byte| byte == b'\n').map_or(kept.len(), |at| at + 1);
            self.thrown_bytes += rest as u64;
            self.resumes_at_break = kept[rest - 1] != b'\n';
            kept = &kept[rest..];
        }
        for piece in kept.split_inclusive(|&byte| byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.append(end);
                    self.complete_line();
                }
                None => self.append(piece),
            }
        }
        if let Some(&last) = beyond.last() {
            // Half a line says nothing, and what comes later is not its other half.
            self.thrown_bytes += self.begun_bytes + beyond.len() as u64;
            self.begun.clear();
            self.begun_bytes = 0;
            self.resumes_at_break = last != b'\n';
        }
    }

    /// The program will write no more: what has begun is the last line.
    pub(super) fn end(&mut self) {
        if self.begun_bytes > 0 {
            self.complete_line();
        }
    }

    /// Takes the lines of the step that is over.
    pub(super) fn take(&mut self) -> Vec<Line> {
        if self.thrown_bytes > 0 {
            self.complete.push(Line::Flood { bytes: self.thrown_bytes });
        }
        (self.step_bytes, self.thrown_bytes) = (0, 0);
        std::mem::take(&mut self.complete)
    }

    fn append(&mut self, bytes: &[u8]) {
        self.begun_bytes += bytes.len() as u64;
        let room = if self.begun_bytes > self.line_bytes_max as u64 { START_BYTES } else { self.line_bytes_max };
        self.begun.extend_from_slice(&bytes[..bytes.len().min(room.saturating_sub(self.begun.len()))]);
        self.begun.truncate(room);
    }

    fn complete_line(&mut self) {
        let (start, bytes) = (std::mem::take(&mut self.begun), std::mem::take(&mut self.begun_bytes));
        let whole = bytes <= self.line_bytes_max as u64;
        self.complete.push(if whole { Line::Whole(start) } else { Line::TooLong { start, bytes } });
    }
}

/// Standard error: its last lines.
#[derive(Debug, Default)]
pub(super) struct LastWords {
    lines: VecDeque<String>,
    begun: Vec<u8>,
}

impl LastWords {
    /// Takes what was written.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let end = piece.strip_suffix(b"\n");
            let text = end.unwrap_or(piece);
            let room = LAST_LINE_BYTES_MAX.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&text[..text.len().min(room)]);
            if end.is_some() {
                if self.lines.len() == LAST_LINES_MAX {
                    self.lines.pop_front();
                }
                self.lines.push_back(String::from_utf8_lossy(&self.begun).into_owned());
                self.begun.clear();
            }
        }
    }

    /// The last lines, and the one that has begun.
    pub(super) fn lines(&self) -> Vec<String> {
        let begun = (!self.begun.is_empty()).then(|| String::from_utf8_lossy(&self.begun).into_owned());
        self.lines.iter().cloned().chain(begun).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_are_cut_at_breaks_wherever_writes_are_cut() {
        for cut in 0..=9 {
            let mut lines = Lines::new(100, 100);
            lines.write(&b"ab\n\ncd\nef"[..cut]);
            lines.write(&b"ab\n\ncd\nef"[cut..]);
            assert_eq!(lines.take(), [whole("ab"), whole(""), whole("cd")]);
            lines.end();
            assert_eq!(lines.take(), [whole("ef")]);
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let mut lines = Lines::new(300, 10_000);
        lines.write(&[b'x'; 300]);
        lines.write(b"\n");
        lines.write(&[b'y'; 299]);
        lines.write(b"yyz\n");
        assert_eq!(lines.take(), [Line::Whole(vec![b'x'; 300]), Line::TooLong { start: vec![b'y'; 200], bytes: 302 }]);
    }

    #[test]
    fn a_flood_is_counted_and_the_line_that_it_cut_is_never_joined_with_another() {
        let mut lines = Lines::new(100, 6);
        lines.write(b"ab\ncdefgh");
        lines.write(b"ij");
        assert_eq!(lines.take(), [whole("ab"), Line::Flood { bytes: 8 }]);
        lines.write(b"k\nlm\n");
        assert_eq!(lines.take(), [whole("lm"), Line::Flood { bytes: 2 }]);
        lines.write(b"no\n");
        assert_eq!(lines.take(), [whole("no")]);
    }

    #[test]
    fn of_standard_error_the_last_lines_are_kept() {
        let mut words = LastWords::default();
        for line in 0..60 {
            words.write(format!("line {line}\n").as_bytes());
        }
        words.write(b"and th");
        words.write(b"en");
        let lines = words.lines();
        assert_eq!((lines.len(), lines[0].as_str(), lines[50].as_str()), (51, "line 10", "and then"));
    }
}
