//! Limits on real time: how long to wait for a process that may never come to rest.
//!
//! Invariant: real time decides only whether a process is given up. Nothing of it reaches an event, a digest or a report of a process
//! that comes to rest in time.
//!
//! ```
//! # use std::time::Duration;
//! use sim::programs::process::Patience;
//! assert!(!Patience::new(Duration::from_secs(3600)).over());
//! assert!(Patience::new(Duration::ZERO).over());
//! ```

#![expect(clippy::disallowed_types, reason = "limits on real time of foreign processes")]

use std::time::{Duration, Instant};

/// A time that runs out.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// When it began.
    since: Instant,
    /// How long it lasts.
    limit: Duration,
}

impl Patience {
    /// Begins now and lasts this long.
    pub fn new(limit: Duration) -> Self {
        Self { since: Instant::now(), limit }
    }

    /// Whether it is over.
    pub fn over(&self) -> bool {
        self.since.elapsed() >= self.limit
    }
}
