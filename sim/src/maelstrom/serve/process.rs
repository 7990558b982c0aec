//! A session on two streams: lines in, lines out, until the input ends.
//!
//! One thread does everything but reading. It waits for a line, and no longer than until the next timer; so a process
//! without timers sleeps until it is spoken to. The reading thread is blocked in a read for nearly all its life. Both
//! waits are of the kind that a library which replaces clocks and waits of a process sees through.
//!
//! Invariant: every message is one line, written as a whole and flushed at once. The end of the input ends the session
//! after all lines before it were handled. A reader of the output that has gone ends it too, and is no error.
//!
//! ```
//! use sim::maelstrom::serve::{Options, ReplicaKind, Session, no_advice, run};
//!
//! let input = br#"{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}"#;
//! let mut output = Vec::new();
//! let mut session = Session::new(ReplicaKind::GSet, Options::default(), no_advice());
//! run(&mut session, &input[..], &mut output).expect("a vector takes everything");
//! assert!(output.ends_with(b"\"src\":\"n1\"}\n"));
//! ```
//!
//! What is deliberately absent: signals. Whoever wants the process to end closes its input or kills it.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use super::{clock::Clock, session::Session};

/// The longest line. What is longer is malformed, and passed over without being kept.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// As many lines may wait before reading waits.
const LINES_WAITING_MAX: usize = 1_024;

/// Serves until the input ends or nobody reads the output.
pub fn run(session: &mut Session, input: impl Read + Send + 'static, output: &mut impl Write) -> io::Result<()> {
    let clock = Clock::start();
    let (sender, lines) = sync_channel(LINES_WAITING_MAX);
    thread::Builder::new().name("input".to_owned()).spawn(move || read_lines(input, &sender))?;
    loop {
        session.on_time(clock.now());
        if !written(session, output)? {
            return Ok(());
        }
        match next(&lines, session.due_ns(), &clock) {
            Next::Line(line) => session.on_line(&line, clock.now()),
            Next::Time => {}
            Next::End => return Ok(()),
        }
        if !written(session, output)? {
            return Ok(());
        }
    }
}

enum Next {
    Line(Vec<u8>),
    Time,
    End,
}

/// Waits for a line, and until `due_ns` at most.
fn next(lines: &Receiver<Vec<u8>>, due_ns: Option<u64>, clock: &Clock) -> Next {
    let Some(due_ns) = due_ns else { return lines.recv().map_or(Next::End, Next::Line) };
    let wait_ns = due_ns.saturating_sub(clock.now().since_start_ns);
    match lines.recv_timeout(Duration::from_nanos(wait_ns)) {
        Ok(line) => Next::Line(line),
        Err(RecvTimeoutError::Timeout) => Next::Time,
        Err(RecvTimeoutError::Disconnected) => Next::End,
    }
}

/// Writes what is to be sent. Is anybody still reading?
fn written(session: &mut Session, output: &mut impl Write) -> io::Result<bool> {
    for message in session.take_out() {
        let mut line = message.line();
        line.push('\n');
        match output.write_all(line.as_bytes()).and_then(|()| output.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Passes lines on until there are no more, or nobody wants them.
fn read_lines(input: impl Read, lines: &SyncSender<Vec<u8>>) {
    let mut input = BufReader::new(input);
    loop {
        let mut line = Vec::new();
        match input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(read) if read as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") => {
                // The beginning alone is no JSON, and is reported like anything else that is none.
                line.truncate(1 << 10);
                if input.skip_until(b'\n').is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!("the input cannot be read: {error}");
                return;
            }
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if lines.send(line).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maelstrom::serve::{Options, ReplicaKind, no_advice};

    fn session() -> Session {
        Session::new(ReplicaKind::Echo, Options::default(), no_advice())
    }

    const INIT: &str = r#"{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}"#;

    #[test]
    fn blank_and_broken_lines_are_survived() {
        let input = format!("\n  \r\nhello\n\u{0}\n{INIT}\r\n{{\n{INIT}");
        let (mut output, mut session) = (Vec::new(), session());
        run(&mut session, io::Cursor::new(input), &mut output).expect("a vector takes everything");
        assert_eq!(String::from_utf8_lossy(&output).lines().count(), 2);
        assert_eq!(session.counts().malformed, 3);
    }

    #[test]
    fn a_reader_that_has_gone_ends_the_session() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        run(&mut session(), io::Cursor::new(INIT), &mut Closed).expect("that is no error");
    }
}
