//! What goes in and out of a process: lines to its input, lines and noise from its outputs.
//!
//! Invariant: nothing here blocks. What a process does not take waits in memory; what it writes beyond the limits is counted and
//! thrown away, so that no process can fill the memory of the simulator.

use std::collections::VecDeque;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::process::{ChildStderr, ChildStdin, ChildStdout};

use rustix::io::{ioctl_fionbio, ioctl_fionread};

use super::super::Line;

/// What a line costs beside its bytes: a process that writes nothing but line breaks must not fill the memory either.
const LINE_COST: u64 = 32;
/// How many lines of the standard error are kept.
const LAST_WORDS: usize = 50;
/// How long such a line may be.
const LAST_WORD_BYTES_MAX: usize = 4096;

/// The standard input of a process.
#[derive(Debug)]
pub(super) struct Input {
    pipe: Option<ChildStdin>,
    pending: VecDeque<u8>,
}

impl Input {
    /// Makes it one that does not block.
    pub(super) fn new(pipe: Option<ChildStdin>) -> Self {
        // A pipe that cannot be told so would block, so it is not written to.
        let pipe = pipe.filter(|pipe| ioctl_fionbio(pipe, true).is_ok());
        Self { pipe, pending: VecDeque::new() }
    }

    /// Puts a line behind what is to be written.
    pub(super) fn line(&mut self, line: &[u8]) {
        if self.pipe.is_some() {
            self.pending.extend(line);
            if line.last() != Some(&b'\n') {
                self.pending.push_back(b'\n');
            }
        }
    }

    /// Writes as much as the pipe takes. Says whether it took anything.
    pub(super) fn feed(&mut self) -> bool {
        let mut fed = false;
        while let (Some(pipe), false) = (&mut self.pipe, self.pending.is_empty()) {
            match pipe.write(self.pending.as_slices().0) {
                Ok(count) => {
                    self.pending.drain(..count);
                    fed |= count > 0;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.close(),
            }
        }
        fed
    }

    /// Whether something is on its way in.
    pub(super) fn unread(&self) -> bool {
        !self.pending.is_empty() || self.pipe.as_ref().is_some_and(|pipe| ioctl_fionread(pipe).is_ok_and(|n| n > 0))
    }

    /// The pipe, while there is something to write.
    pub(super) fn wanted(&self) -> Option<&ChildStdin> {
        self.pipe.as_ref().filter(|_| !self.pending.is_empty())
    }

    /// Ends the input.
    pub(super) fn close(&mut self) {
        self.pipe = None;
        self.pending.clear();
    }
}

/// The standard output of a process, cut into lines.
#[derive(Debug)]
pub(super) struct Output {
    pipe: Option<ChildStdout>,
    lines: Lines,
    buffer: Vec<u8>,
}

impl Output {
    /// Makes it one that does not block.
    pub(super) fn new(pipe: Option<ChildStdout>, line_bytes_max: usize, step_bytes_max: u64) -> Self {
        let pipe = pipe.filter(|pipe| ioctl_fionbio(pipe, true).is_ok());
        Self { pipe, lines: Lines::new(line_bytes_max, step_bytes_max), buffer: vec![0; 1 << 16] }
    }

    /// Reads what is there. Says whether there was anything.
    pub(super) fn drain(&mut self) -> bool {
        let lines = &mut self.lines;
        drain(&mut self.pipe, &mut self.buffer, |bytes| lines.push(bytes))
    }

    /// The pipe, while it is open.
    pub(super) fn pipe(&self) -> Option<&ChildStdout> {
        self.pipe.as_ref()
    }

    /// The lines of this step.
    pub(super) fn take(&mut self) -> Vec<Line> {
        self.lines.take()
    }

    /// The lines of the last step: what has no line break at its end is a line, too.
    pub(super) fn take_all(&mut self) -> Vec<Line> {
        self.lines.end();
        self.lines.take()
    }
}

/// Whoever hears the standard error.
pub(super) type Listener = Box<dyn FnMut(&str) + Send>;

/// The standard error of a process: its last lines, and whoever wants to hear all of them.
pub(super) struct Noise {
    pipe: Option<ChildStderr>,
    buffer: Vec<u8>,
    line: Vec<u8>,
    last: VecDeque<String>,
    /// Is told every line.
    pub(super) listener: Option<Listener>,
}

impl fmt::Debug for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Noise").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Noise {
    /// Makes it one that does not block.
    pub(super) fn new(pipe: Option<ChildStderr>) -> Self {
        let pipe = pipe.filter(|pipe| ioctl_fionbio(pipe, true).is_ok());
        Self { pipe, buffer: vec![0; 1 << 14], line: Vec::new(), last: VecDeque::new(), listener: None }
    }

    /// Reads what is there. Says whether there was anything.
    pub(super) fn drain(&mut self) -> bool {
        let (mut pipe, mut buffer) = (self.pipe.take(), std::mem::take(&mut self.buffer));
        let heard = drain(&mut pipe, &mut buffer, |bytes| self.push(bytes));
        (self.pipe, self.buffer) = (pipe, buffer);
        heard
    }

    /// The pipe, while it is open.
    pub(super) fn pipe(&self) -> Option<&ChildStderr> {
        self.pipe.as_ref()
    }

    /// The last lines, and what was begun.
    pub(super) fn last_words(&self) -> Vec<String> {
        let begun = (!self.line.is_empty()).then(|| String::from_utf8_lossy(&self.line).into_owned());
        self.last.iter().cloned().chain(begun).collect()
    }

    fn push(&mut self, bytes: &[u8]) {
        for (at, part) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if at > 0 {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                if let Some(listener) = &mut self.listener {
                    listener(&line);
                }
                self.last.push_back(line);
                if self.last.len() > LAST_WORDS {
                    self.last.pop_front();
                }
            }
            let room = LAST_WORD_BYTES_MAX.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
        }
    }
}

/// Reads from a pipe until it is empty or ends. Says whether there was anything.
fn drain<P: Read>(pipe: &mut Option<P>, buffer: &mut [u8], mut push: impl FnMut(&[u8])) -> bool {
    let mut some = false;
    // A process may write faster than this reads, and limits are for the caller to watch.
    for _ in 0..256 {
        let Some(reader) = pipe else { break };
        match reader.read(buffer) {
            Ok(0) => *pipe = None,
            Ok(count) => {
                some = true;
                push(&buffer[..count]);
                // A pipe gives all that it has. To ask once more is the caller's, who has to anyway.
                if count < buffer.len() {
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => *pipe = None,
        }
    }
    some
}

/// Cuts bytes into lines, within limits.
#[derive(Debug)]
struct Lines {
    line_bytes_max: usize,
    step_bytes_max: u64,
    /// The line that has begun; not more of it than a line may be.
    begun: Vec<u8>,
    /// How long it is in truth.
    begun_bytes: u64,
    /// How many bytes came in this step, with what lines cost.
    step_bytes: u64,
    /// How many of them were thrown away.
    thrown: u64,
    /// Whether the rest of a line is to be thrown away that began in a flood.
    torn: bool,
    done: Vec<Line>,
}

impl Lines {
    fn new(line_bytes_max: usize, step_bytes_max: u64) -> Self {
        Self {
            line_bytes_max,
            step_bytes_max,
            begun: Vec::new(),
            begun_bytes: 0,
            step_bytes: 0,
            thrown: 0,
            torn: false,
            done: Vec::new(),
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.step_bytes_max.saturating_sub(self.step_bytes).min(bytes.len() as u64) as usize;
        self.step_bytes += bytes.len() as u64;
        let (mut taken, rest) = bytes.split_at(room);
        if self.torn {
            let end = taken.iter().position(|byte| *byte == b'\n').map_or(taken.len(), |at| at + 1);
            self.thrown += end as u64;
            self.torn = end == 0 || taken[end - 1] != b'\n';
            taken = &taken[end..];
        }
        for part in taken.split_inclusive(|byte| *byte == b'\n') {
            let whole = part.last() == Some(&b'\n');
            let text = &part[..part.len() - usize::from(whole)];
            let room = self.line_bytes_max.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&text[..text.len().min(room)]);
            self.begun_bytes += text.len() as u64;
            if whole {
                self.cut();
                self.step_bytes += LINE_COST;
            }
        }
        if let Some(last) = rest.last() {
            self.thrown += rest.len() as u64 + std::mem::take(&mut self.begun_bytes);
            self.begun.clear();
            self.torn = *last != b'\n';
        }
    }

    /// The line ends here.
    fn cut(&mut self) {
        let start = std::mem::take(&mut self.begun);
        let bytes = std::mem::take(&mut self.begun_bytes);
        let whole = bytes == start.len() as u64;
        self.done.push(if whole { Line::Whole(start) } else { Line::TooLong { start, bytes } });
    }

    /// Nothing more will come.
    fn end(&mut self) {
        if self.begun_bytes > 0 {
            self.cut();
        }
    }

    fn take(&mut self) -> Vec<Line> {
        self.step_bytes = 0;
        let bytes = std::mem::take(&mut self.thrown);
        if bytes > 0 {
            self.done.push(Line::Flood { bytes });
        }
        std::mem::take(&mut self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_within_limits() {
        let check = |line_bytes_max, step_bytes_max, parts: &[&str], expected: &[&str]| {
            let mut lines = Lines::new(line_bytes_max, step_bytes_max);
            for part in parts {
                lines.push(part.as_bytes());
            }
            lines.end();
            let shown: Vec<String> = lines.take().iter().map(|line| format!("{line:?}")).collect();
            assert_eq!(shown, expected, "{parts:?}");
        };
        check(9, 99, &["a\nb", "c\n", "\nd"], &["\"a\"", "\"bc\"", "\"\"", "\"d\""]);
        check(2, 99, &["abc\nde\nfghi"], &["a line of 3 bytes", "\"de\"", "a line of 4 bytes"]);
        check(9, 4, &["a\nbcdef\ng\n"], &["\"a\"", "8 bytes beyond the limit of a step"]);
        check(9, 3, &["a\nb", "c\n", "d\n"], &["\"a\"", "5 bytes beyond the limit of a step"]);
        check(9, 4, &["abcd", "efg"], &["7 bytes beyond the limit of a step"]);
    }

    #[test]
    fn a_line_that_was_torn_by_a_flood_is_not_taken_up_in_its_middle() {
        let mut lines = Lines::new(9, 4);
        lines.push(b"a\nbcdef");
        lines.take();
        lines.push(b"g\nh\n");
        assert_eq!(lines.take(), [Line::Whole(b"h".to_vec()), Line::Flood { bytes: 2 }]);
    }
}
