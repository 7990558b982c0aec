//! Programs as replicas: processes that read lines and write lines, stepped one input at a time in virtual time.
//!
//! A [`Program`] is a replica that somebody wrote in any language. It is not a value: it cannot be cloned, and nobody sees its state.
//! What can be done is to give it input at an instant of virtual time, wait until it is *quiet* (all of it waits, and nothing is
//! on its way in or out), and take what it wrote. Such a step is to a program what a handler is to a node.
//!
//! Invariant: between steps a program does not run, as far as its kind of time ([`TimeSource`]) allows. Its clock stands still during
//! a step; all lines of a step belong to the instant of the step.
//!
//! What is deliberately absent: what lines mean. This folder knows nothing of messages, nodes or protocols.

pub mod pace;
#[cfg(unix)]
pub mod process;
pub mod wasi;

use std::fmt;

use crate::kernel::time::Time;

/// Where a program's idea of time comes from: what it takes to replay a run of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeSource {
    /// The program runs inside of an interpreter, which is the only one to tell it anything.
    Interpreter,
    /// A preloaded library answers for clocks, sleeps, timeouts and entropy.
    Shim,
    /// The program has no timers of its own; it asks the simulator to be woken, or never needs to be.
    Messages,
    /// The clock on the wall: nothing is replayable.
    Wall,
}

/// What came of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The lines that the program wrote, in order, without their line breaks.
    pub lines: Vec<Line>,
    /// The instant at which the program next wants to run by itself, if it wants to and this is known.
    pub deadline: Option<Time>,
    /// Why the program takes no more input, once it does not.
    pub ended: Option<Ending>,
}

/// A line that a program wrote.
#[derive(Clone, PartialEq, Eq)]
pub enum Line {
    /// A complete line, which may be any bytes.
    Whole(Vec<u8>),
    /// The line was longer than a line may be. Its beginning, and how long it was.
    TooLong {
        /// The first bytes.
        start: Vec<u8>,
        /// The length in bytes, as far as it was read.
        bytes: u64,
    },
    /// More was written in one step than a program may write; the rest was thrown away.
    Flood {
        /// How many bytes were thrown away.
        bytes: u64,
    },
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Self::TooLong { bytes, .. } => write!(f, "a line of {bytes} bytes"),
            Self::Flood { bytes } => write!(f, "{bytes} bytes beyond the limit of a step"),
        }
    }
}

/// Why a program takes no more input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It could not be started.
    NotStarted(String),
    /// It exited with this code.
    Exited(i32),
    /// A signal killed it.
    Killed(i32),
    /// It was not quiet in time, and was killed.
    NeverQuiet,
    /// An interpreted program did what it cannot go on after.
    Trapped(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(reason) => write!(f, "could not be started: {reason}"),
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Killed(signal) => write!(f, "was killed by signal {signal}"),
            Self::NeverQuiet => f.write_str("did not come to rest in time"),
            Self::Trapped(reason) => write!(f, "trapped: {reason}"),
        }
    }
}

/// A running program.
pub trait Program: fmt::Debug + Send {
    /// Lets the program run: first whatever it wants to do by itself up to `now`, then with `inputs`, given one after the other
    /// without waiting in between (one of them in lockstep, none for timers alone). Returns when it is quiet. `now` never goes back.
    fn step(&mut self, now: Time, inputs: &[&[u8]]) -> Step;

    /// Where its time comes from, as found out so far.
    fn time_source(&self) -> TimeSource;

    /// The last lines that it wrote to standard error.
    fn last_words(&self) -> Vec<String>;
}
