//! Waits for descriptors: `poll`, `select`, `epoll_wait` and their relatives.
//!
//! Invariant: a timeout of zero and a wait without end are the C library's; every other timeout becomes a wait without end that a
//! signal ends when its time has come.

use std::ptr::null;

use crate::attach::table;
use crate::clocks::SECOND;
use crate::libc::{EINTR, SignalSet, TimeSpec, TimeVal, c_int, c_ulong, c_void, errno, real, set_of, wake_signal};
use crate::table::Table;
use crate::waits::{Wake, timed};

/// Nanoseconds of a millisecond.
const MILLISECOND: u64 = 1_000_000;

/// Waits by a call that signals interrupt; 0 if the time has come first.
fn until(table: &'static Table, timeout_ns: u64, wait: impl FnOnce() -> c_int) -> c_int {
    let deadline_ns = table.now_ns().saturating_add(timeout_ns);
    let (result, due) = timed(table, Wake::Signal, 0, deadline_ns, |_| wait());
    if due && result < 0 && errno() == EINTR { 0 } else { result }
}

/// A timeout in milliseconds, if this library has to do with it.
fn milliseconds(timeout: c_int) -> Option<(&'static Table, u64)> {
    let timeout = u64::try_from(timeout).ok().filter(|timeout| *timeout > 0)?;
    Some((table()?, timeout * MILLISECOND))
}

/// A timeout in nanoseconds, if this library has to do with it.
fn nanoseconds(timeout: *const TimeSpec) -> Option<(&'static Table, u64)> {
    if timeout.is_null() {
        return None;
    }
    // SAFETY: the caller passes a time or nothing.
    let time = unsafe { *timeout };
    let ns = time.ns().filter(|ns| *ns > 0 && time.seconds >= 0)?;
    Some((table()?, ns))
}

/// A mask that lets the waking signal through.
fn open_mask(mask: *const SignalSet) -> Option<SignalSet> {
    if mask.is_null() {
        return None;
    }
    let mut open = SignalSet([0; 16]);
    // SAFETY: the kernel reads one word, so a caller's set may be no larger.
    open.0[0] = unsafe { (*mask).0[0] } & !set_of(wake_signal()).0[0];
    Some(open)
}

/// Where an opened mask is, or nothing.
fn place(mask: Option<&SignalSet>) -> *const SignalSet {
    mask.map_or(null(), std::ptr::from_ref)
}

/// Stands in for `poll`.
#[unsafe(no_mangle)]
unsafe extern "C" fn poll(fds: *mut c_void, count: c_ulong, timeout: c_int) -> c_int {
    let real = real!(poll: fn(*mut c_void, c_ulong, c_int) -> c_int);
    // SAFETY: the arguments are the caller's.
    let poll = |timeout| unsafe { real(fds, count, timeout) };
    match milliseconds(timeout) {
        Some((table, ns)) => until(table, ns, || poll(-1)),
        None => poll(timeout),
    }
}

/// Stands in for the `poll` that checks the size of its buffer.
#[unsafe(no_mangle)]
unsafe extern "C" fn __poll_chk(fds: *mut c_void, count: c_ulong, timeout: c_int, _size: usize) -> c_int {
    // SAFETY: the arguments are the caller's.
    unsafe { poll(fds, count, timeout) }
}

/// Stands in for `ppoll`.
#[unsafe(no_mangle)]
unsafe extern "C" fn ppoll(
    fds: *mut c_void,
    count: c_ulong,
    timeout: *const TimeSpec,
    mask: *const SignalSet,
) -> c_int {
    let real = real!(ppoll: fn(*mut c_void, c_ulong, *const TimeSpec, *const SignalSet) -> c_int);
    // SAFETY: the arguments are the caller's, or a mask that lives as long as the call.
    let ppoll = |timeout, mask| unsafe { real(fds, count, timeout, mask) };
    match nanoseconds(timeout) {
        Some((table, ns)) => until(table, ns, || ppoll(null(), place(open_mask(mask).as_ref()))),
        None => ppoll(timeout, mask),
    }
}

/// Stands in for the `ppoll` that checks the size of its buffer.
#[unsafe(no_mangle)]
unsafe extern "C" fn __ppoll_chk(
    fds: *mut c_void,
    count: c_ulong,
    timeout: *const TimeSpec,
    mask: *const SignalSet,
    _size: usize,
) -> c_int {
    // SAFETY: the arguments are the caller's.
    unsafe { ppoll(fds, count, timeout, mask) }
}

/// Stands in for `select`.
#[unsafe(no_mangle)]
unsafe extern "C" fn select(
    count: c_int,
    reads: *mut c_void,
    writes: *mut c_void,
    others: *mut c_void,
    timeout: *mut TimeVal,
) -> c_int {
    let real = real!(select: fn(c_int, *mut c_void, *mut c_void, *mut c_void, *mut TimeVal) -> c_int);
    // SAFETY: the arguments are the caller's.
    let select = |timeout| unsafe { real(count, reads, writes, others, timeout) };
    let table = table().filter(|_| !timeout.is_null());
    // SAFETY: the caller passes a time or nothing.
    let time = table.map(|table| (table, unsafe { *timeout }));
    let Some((table, time)) = time.filter(|(_, time)| time.seconds >= 0 && time.microseconds >= 0) else {
        return select(timeout);
    };
    let ns = (time.seconds as u64).saturating_mul(SECOND).saturating_add(time.microseconds as u64 * 1_000);
    if ns == 0 {
        return select(timeout);
    }
    let end_ns = table.now_ns().saturating_add(ns);
    let result = until(table, ns, || select(std::ptr::null_mut()));
    if result == 0 {
        clear(count, [reads, writes, others]);
    }
    let left_ns = end_ns.saturating_sub(table.now_ns());
    // SAFETY: the caller passes a place for a time, in which Linux leaves what is left.
    unsafe {
        (*timeout).seconds = (left_ns / SECOND) as _;
        (*timeout).microseconds = (left_ns % SECOND / 1_000) as _;
    }
    result
}

/// Empties the sets of a `select` whose time is up, which an interrupted call leaves as they were.
fn clear(count: c_int, sets: [*mut c_void; 3]) {
    let bytes = (usize::try_from(count).unwrap_or(0)).div_ceil(64) * 8;
    for set in sets.into_iter().filter(|set| !set.is_null()) {
        // SAFETY: sets consist of words of 64 bits and have room for `count` descriptors.
        unsafe { set.cast::<u8>().write_bytes(0, bytes) };
    }
}

/// Stands in for `pselect`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pselect(
    count: c_int,
    reads: *mut c_void,
    writes: *mut c_void,
    others: *mut c_void,
    timeout: *const TimeSpec,
    mask: *const SignalSet,
) -> c_int {
    let real =
        real!(pselect: fn(c_int, *mut c_void, *mut c_void, *mut c_void, *const TimeSpec, *const SignalSet) -> c_int);
    // SAFETY: the arguments are the caller's, or a mask that lives as long as the call.
    let pselect = |timeout, mask| unsafe { real(count, reads, writes, others, timeout, mask) };
    let Some((table, ns)) = nanoseconds(timeout) else { return pselect(timeout, mask) };
    let result = until(table, ns, || pselect(null(), place(open_mask(mask).as_ref())));
    if result == 0 {
        clear(count, [reads, writes, others]);
    }
    result
}

/// Stands in for `epoll_wait`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn epoll_wait(epoll: c_int, events: *mut c_void, most: c_int, timeout: c_int) -> c_int {
    let real = real!(epoll_wait: fn(c_int, *mut c_void, c_int, c_int) -> c_int);
    // SAFETY: the arguments are the caller's.
    let epoll_wait = |timeout| unsafe { real(epoll, events, most, timeout) };
    match milliseconds(timeout) {
        Some((table, ns)) => until(table, ns, || epoll_wait(-1)),
        None => epoll_wait(timeout),
    }
}

/// Stands in for `epoll_pwait`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn epoll_pwait(
    epoll: c_int,
    events: *mut c_void,
    most: c_int,
    timeout: c_int,
    mask: *const SignalSet,
) -> c_int {
    let real = real!(epoll_pwait: fn(c_int, *mut c_void, c_int, c_int, *const SignalSet) -> c_int);
    // SAFETY: the arguments are the caller's, or a mask that lives as long as the call.
    let epoll_pwait = |timeout, mask| unsafe { real(epoll, events, most, timeout, mask) };
    match milliseconds(timeout) {
        Some((table, ns)) => until(table, ns, || epoll_pwait(-1, place(open_mask(mask).as_ref()))),
        None => epoll_pwait(timeout, mask),
    }
}

/// Stands in for `epoll_pwait2`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn epoll_pwait2(
    epoll: c_int,
    events: *mut c_void,
    most: c_int,
    timeout: *const TimeSpec,
    mask: *const SignalSet,
) -> c_int {
    if let Some((table, ns)) = nanoseconds(timeout) {
        let real = real!(epoll_pwait: fn(c_int, *mut c_void, c_int, c_int, *const SignalSet) -> c_int);
        // SAFETY: the arguments are the caller's, or a mask that lives as long as the call.
        return until(table, ns, || unsafe { real(epoll, events, most, -1, place(open_mask(mask).as_ref())) });
    }
    let real = real!(epoll_pwait2: fn(c_int, *mut c_void, c_int, *const TimeSpec, *const SignalSet) -> c_int);
    // SAFETY: the arguments are the caller's.
    unsafe { real(epoll, events, most, timeout, mask) }
}
