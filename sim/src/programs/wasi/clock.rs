//! Clocks and entropy.
//!
//! Invariant: clocks show virtual time, which stands still while a program runs; entropy is a function of the seed and of how much
//! of it was taken.
//!
//! Example: at 1.5 virtual seconds the monotonic clock shows 1,500,000,000 and the realtime clock 2000-01-01 00:00:01.5 UTC.
//!
//! What is deliberately absent: time that passes by computing. The clocks of the processor show 0 for ever.

use super::guest::{Errno, Guest, Reply};
use super::imports::Arguments;
use crate::kernel::time::Time;

/// What the realtime clock shows at the start of a run: 2000-01-01 00:00:00 UTC, in nanoseconds since 1970.
pub const REALTIME_START_NS: u64 = 946_684_800 * 1_000_000_000;

/// The clocks of WASI, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// The date.
    Realtime,
    /// Time since the start of the run.
    Monotonic,
    /// The time for which a processor was busy with the program.
    Processor,
}

impl Clock {
    /// The clock with this number.
    pub(super) fn numbered(number: u32) -> Result<Self, Errno> {
        match number {
            0 => Ok(Self::Realtime),
            1 => Ok(Self::Monotonic),
            2 | 3 => Ok(Self::Processor),
            _ => Err(Errno::Inval),
        }
    }

    /// What it shows at an instant.
    fn reading(self, now: Time) -> u64 {
        match self {
            Self::Realtime => (now + REALTIME_START_NS).0,
            Self::Monotonic => now.0,
            Self::Processor => 0,
        }
    }

    /// The instant at which it shows this, or shall have passed this much after `now`.
    pub(super) fn instant(self, reading: u64, is_absolute: bool, now: Time) -> Result<Time, Errno> {
        match self {
            Self::Processor => Err(Errno::Notsup),
            _ if !is_absolute => Ok(now + reading),
            Self::Realtime => Ok(Time(reading.saturating_sub(REALTIME_START_NS))),
            Self::Monotonic => Ok(Time(reading)),
        }
    }
}

/// `clock_time_get(clock, precision, *time)`
pub(super) fn clock_time_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let reading = Clock::numbered(arguments.u32(0))?.reading(guest.system.now);
    guest.set_u64(arguments.u32(2), reading)?;
    Ok(Reply::Done)
}

/// `clock_res_get(clock, *resolution)`
pub(super) fn clock_res_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    Clock::numbered(arguments.u32(0))?;
    guest.set_u64(arguments.u32(1), 1)?;
    Ok(Reply::Done)
}

/// `random_get(*buffer, length)`
pub(super) fn random_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let (bytes, system) = guest.bytes_and_system(arguments.u32(0), arguments.u32(1))?;
    for chunk in bytes.chunks_mut(8) {
        let word = system.entropy.word(0, system.words_taken).to_le_bytes();
        system.words_taken += 1;
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    Ok(Reply::Done)
}
