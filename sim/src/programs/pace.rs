//! Pace: virtual time that does not run ahead of the clock on the wall.
//!
//! A program whose clock nobody can replace sees real time pass. Its run has to take as long as it pretends to: before an instant
//! of virtual time is handled, as much real time must have gone by since the first.
//!
//! What is deliberately absent: any use of it where time is virtual.

use std::{sync::OnceLock, thread, time::Duration};

use crate::kernel::time::Time;

/// A run that keeps pace with real time.
#[derive(Debug, Default)]
pub struct Pace {
    /// The instant at which it began, by the wall and by the run.
    began: OnceLock<(Wall, Time)>,
}

/// The clock on the wall: the one thing here that a run is not a function of.
#[expect(clippy::disallowed_types, reason = "programs on the wall clock take as long as they take")]
type Wall = std::time::Instant;

impl Pace {
    /// Waits until as much real time has passed since the first call as virtual time has.
    pub fn wait_until(&self, now: Time) {
        let (wall, first) = self.began.get_or_init(|| (Wall::now(), now));
        let due = Duration::from_nanos(now.0.saturating_sub(first.0));
        thread::sleep(due.saturating_sub(wall.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_never_runs_ahead() {
        let pace = Pace::default();
        pace.wait_until(Time(5_000_000_000));
        let began = Wall::now();
        pace.wait_until(Time(5_020_000_000));
        assert!(began.elapsed() >= Duration::from_millis(10), "it waited for most of it");
    }
}
