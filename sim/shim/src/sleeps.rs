//! Sleeps.
//!
//! Invariant: a sleep of no time returns at once; every other ends when the clock has passed its end, or when a handler of a signal ran.

use crate::attach::table;
use crate::clocks::{SECOND, deadline};
use crate::libc::{EINTR, EINVAL, TimeSpec, c_int, c_uint, errno, fail, real};
use crate::table::Table;
use crate::waits::sleep_until;

/// Sleeps for a time, and writes what is left of it. Returns an error number or 0.
fn sleep_for(table: &'static Table, time: TimeSpec, left: *mut TimeSpec) -> c_int {
    let Some(ns) = time.ns().filter(|_| time.seconds >= 0) else { return EINVAL };
    let end_ns = table.now_ns().saturating_add(ns);
    if sleep_until(table, end_ns) {
        return 0;
    }
    if !left.is_null() {
        // SAFETY: the caller passes a place for a time.
        unsafe { *left = TimeSpec::from_ns(end_ns.saturating_sub(table.now_ns())) };
    }
    EINTR
}

/// Turns an error number into a failure.
fn outcome(error: c_int) -> c_int {
    if error == 0 { 0 } else { fail::<c_int>(error) }
}

/// Stands in for `nanosleep`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nanosleep(time: *const TimeSpec, left: *mut TimeSpec) -> c_int {
    match table() {
        // SAFETY: the caller passes a time.
        Some(table) if !time.is_null() => outcome(sleep_for(table, unsafe { *time }, left)),
        // SAFETY: the arguments are the caller's.
        _ => unsafe { real!(nanosleep: fn(*const TimeSpec, *mut TimeSpec) -> c_int)(time, left) },
    }
}

/// Stands in for `clock_nanosleep`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn clock_nanosleep(
    clock: c_int,
    flags: c_int,
    time: *const TimeSpec,
    left: *mut TimeSpec,
) -> c_int {
    let Some(table) = table().filter(|_| !time.is_null()) else {
        // SAFETY: the arguments are the caller's.
        return unsafe {
            real!(clock_nanosleep: fn(c_int, c_int, *const TimeSpec, *mut TimeSpec) -> c_int)(clock, flags, time, left)
        };
    };
    // SAFETY: the caller passes a time.
    let time = unsafe { *time };
    if flags & 1 == 0 {
        return sleep_for(table, time, left);
    }
    match deadline(table, clock, time) {
        Some(end_ns) if sleep_until(table, end_ns) => 0,
        Some(_) => EINTR,
        None => EINVAL,
    }
}

/// Stands in for `usleep`.
#[unsafe(no_mangle)]
unsafe extern "C" fn usleep(microseconds: c_uint) -> c_int {
    match table() {
        Some(table) => {
            let time = TimeSpec::from_ns(u64::from(microseconds) * 1_000);
            outcome(sleep_for(table, time, std::ptr::null_mut()))
        }
        // SAFETY: the argument is the caller's.
        None => unsafe { real!(usleep: fn(c_uint) -> c_int)(microseconds) },
    }
}

/// Stands in for `sleep`.
#[unsafe(no_mangle)]
unsafe extern "C" fn sleep(seconds: c_uint) -> c_uint {
    let Some(table) = table() else {
        // SAFETY: the argument is the caller's.
        return unsafe { real!(sleep: fn(c_uint) -> c_uint)(seconds) };
    };
    let error = errno();
    let mut left = TimeSpec { seconds: 0, nanoseconds: 0 };
    sleep_for(table, TimeSpec::from_ns(u64::from(seconds) * SECOND), &raw mut left);
    // SAFETY: the location is valid in every thread; a sleep leaves it alone.
    unsafe { *crate::libc::__errno_location() = error };
    left.seconds as c_uint + c_uint::from(left.nanoseconds > 0)
}
