//! The clocks of a real process: the one place where `sim` reads them.
//!
//! Two are read. The monotonic clock times timers and limits. The clock of the day is what a replica's own clock is in the
//! simulator: a register that is written with it says when, and it may be wrong or set back.
//!
//! ```
//! use sim::maelstrom::serve::Clock;
//!
//! let clock = Clock::start();
//! let before = clock.now();
//! assert!(clock.now().since_start_ns >= before.since_start_ns);
//! ```
//!
//! What is deliberately absent: waiting. Whoever waits does so for a line of input, with a limit.
#![expect(clippy::disallowed_types, reason = "a real process has real clocks")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What the clocks show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Time since the process started. It never goes back.
    pub since_start_ns: u64,
    /// Time since 1970 by the clock of the day, which may be set to anything.
    pub unix_ns: i64,
}

/// The clocks of this process.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// The process starts now.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Reads both clocks.
    pub fn now(&self) -> Now {
        let since_start_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let unix_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        Now { since_start_ns, unix_ns: i64::try_from(unix_ns).unwrap_or(i64::MAX) }
    }
}
