//! What time it is.
//!
//! Invariant: all clocks move together and only when the simulator moves them. Clocks of the processor show the same as monotonic
//! ones, so that they neither depend on the machine nor stand still for ever.
//!
//! What is deliberately absent: resolutions, and setting a clock.

use crate::attach::table;
use crate::libc::{TimeSpec, TimeVal, c_int, c_long, c_void, real};
use crate::table::Table;

/// Nanoseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000_000;

/// What a clock shows; `None` for a clock that is not known here.
pub(crate) fn read(table: &Table, clock: c_int) -> Option<u64> {
    match clock {
        0 | 5 | 8 | 11 => Some(table.today_ns()),
        1..=4 | 6 | 7 | 9 => Some(table.now_ns()),
        _ => None,
    }
}

impl TimeSpec {
    /// From nanoseconds.
    pub(crate) fn from_ns(ns: u64) -> Self {
        Self { seconds: (ns / SECOND) as c_long, nanoseconds: (ns % SECOND) as c_long }
    }

    /// In nanoseconds, if it is a time that can be waited for; everything too far away is `u64::MAX`.
    pub(crate) fn ns(self) -> Option<u64> {
        if !(0..SECOND as c_long).contains(&self.nanoseconds) {
            return None;
        }
        // What lies before the beginning is over.
        let Ok(seconds) = u64::try_from(self.seconds) else { return Some(0) };
        Some(seconds.saturating_mul(SECOND).saturating_add(self.nanoseconds as u64))
    }
}

/// The monotonic time at which a clock shows this.
pub(crate) fn deadline(table: &Table, clock: c_int, at: TimeSpec) -> Option<u64> {
    let ns = at.ns()?;
    let ahead = read(table, clock)?.saturating_sub(table.now_ns());
    Some(if ns == u64::MAX { ns } else { ns.saturating_sub(ahead) })
}

/// The clock that a deadline is one of. Condition variables and timers know their clock, but not in a place that stays where it is
/// from release to release of the C library. The clock of the day is half a century ahead here, so the deadline itself tells.
pub(crate) fn clock_of(at: TimeSpec) -> c_int {
    c_int::from(at.seconds < DAY_SECONDS)
}

/// Later on the monotonic clock than any run lasts, and earlier than any run on the clock of the day.
const DAY_SECONDS: c_long = 1_000_000_000;

/// Stands in for `clock_gettime`.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: c_int, into: *mut TimeSpec) -> c_int {
    match table().and_then(|table| read(table, clock)) {
        Some(ns) if !into.is_null() => {
            // SAFETY: the caller passes a place for the time.
            unsafe { *into = TimeSpec::from_ns(ns) };
            0
        }
        // SAFETY: the arguments are the caller's.
        _ => unsafe { real!(clock_gettime: fn(c_int, *mut TimeSpec) -> c_int)(clock, into) },
    }
}

/// Stands in for `gettimeofday`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(into: *mut TimeVal, zone: *mut c_void) -> c_int {
    match table() {
        Some(table) if !into.is_null() => {
            let ns = table.today_ns();
            let time = TimeVal { seconds: (ns / SECOND) as c_long, microseconds: (ns % SECOND / 1_000) as c_long };
            // SAFETY: the caller passes a place for the time.
            unsafe { *into = time };
            0
        }
        // SAFETY: the arguments are the caller's.
        _ => unsafe { real!(gettimeofday: fn(*mut TimeVal, *mut c_void) -> c_int)(into, zone) },
    }
}

/// Stands in for `time`.
#[unsafe(no_mangle)]
unsafe extern "C" fn time(into: *mut c_long) -> c_long {
    let Some(table) = table() else {
        // SAFETY: the argument is the caller's.
        return unsafe { real!(time: fn(*mut c_long) -> c_long)(into) };
    };
    let seconds = (table.today_ns() / SECOND) as c_long;
    if !into.is_null() {
        // SAFETY: the caller passes a place for the time.
        unsafe { *into = seconds };
    }
    seconds
}

/// Stands in for `timespec_get`.
#[unsafe(no_mangle)]
unsafe extern "C" fn timespec_get(into: *mut TimeSpec, base: c_int) -> c_int {
    match table() {
        Some(table) if base == 1 => {
            // SAFETY: the caller passes a place for the time.
            unsafe { *into = TimeSpec::from_ns(table.today_ns()) };
            base
        }
        // SAFETY: the arguments are the caller's.
        _ => unsafe { real!(timespec_get: fn(*mut TimeSpec, c_int) -> c_int)(into, base) },
    }
}
