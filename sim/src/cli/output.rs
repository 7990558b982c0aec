//! Standard output and standard error.

use std::io::{self, Write};

use super::Exit;

/// Writes to standard output. A reader that has seen enough and closed the pipe is no error.
pub(super) fn say(text: &str) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Pass,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Pass,
        Err(error) => refuse(&format!("cannot write to standard output: {error}"), Exit::Internal),
    }
}

/// Writes a line to standard error, which may be closed.
pub(super) fn fail(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says why the program ends here, and how.
pub(super) fn refuse(reason: &str, exit: Exit) -> Exit {
    fail(&format!("error: {reason}"));
    exit
}
