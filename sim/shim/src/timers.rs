//! Timers that are descriptors (`timerfd`).
//!
//! Invariant: such a timer is a counter of events (`eventfd`), which is read and waited for in the same way. When its time has come,
//! the waking thread adds one.
//!
//! What is deliberately absent: closing. A timer that is closed while it runs is found not to be one when it fires.

use std::sync::atomic::Ordering;

use crate::attach::table;
use crate::clocks::{clock_of, deadline};
use crate::libc::{
    EINVAL, PollFd, TimeSpec, TimerSpec, c_char, c_int, c_ulong, c_void, eventfd, fail, process_id, read, readlink,
    real, write,
};
use crate::table::{DUE, FREE, Table, WAITING, Wait};
use crate::waits::{Wake, take};

/// What `/proc` says that the descriptor of a counter is.
const COUNTER: &[u8] = b"anon_inode:[eventfd]";

/// The entry of a timer of this process, if it runs.
fn entry(table: &'static Table, fd: c_int) -> Option<&'static Wait> {
    let own = process_id();
    let is = |wait: &&Wait| {
        matches!(wait.state.load(Ordering::Acquire), WAITING | DUE)
            && wait.kind.load(Ordering::Relaxed) == Wake::Timer as u32
            && wait.process.load(Ordering::Relaxed) == own
            && wait.address.load(Ordering::Relaxed) == fd as u64
    };
    table.waits().iter().find(is)
}

/// Whether a descriptor is a counter.
fn is_counter(fd: c_int) -> bool {
    let path = format!("/proc/self/fd/{fd}\0");
    let mut name = [0_u8; 64];
    // SAFETY: the path ends with a zero byte, and the buffer has this length.
    let length = unsafe { readlink(path.as_ptr().cast::<c_char>(), name.as_mut_ptr().cast(), name.len()) };
    usize::try_from(length).is_ok_and(|length| &name[..length] == COUNTER)
}

/// Adds one to a counter.
fn count(fd: c_int) {
    let one = 1_u64;
    // SAFETY: the buffer has eight bytes.
    unsafe { write(fd, (&raw const one).cast(), 8) };
}

/// Empties a counter.
fn empty(fd: c_int) {
    let mut counter = PollFd { fd, events: 1, revents: 0 };
    let mut value = 0_u64;
    // SAFETY: there is one entry, and the buffer has eight bytes.
    unsafe {
        if real!(poll: fn(*mut PollFd, c_ulong, c_int) -> c_int)(&raw mut counter, 1, 0) > 0 {
            read(fd, (&raw mut value).cast::<c_void>(), 8);
        }
    }
}

/// Fires the timer of an entry, and lets it go on if it does.
pub(crate) fn fire(entry: &Wait) {
    let fd = entry.address.load(Ordering::Relaxed) as c_int;
    let interval_ns = entry.interval_ns.load(Ordering::Relaxed);
    let exists = is_counter(fd);
    if exists && interval_ns > 0 {
        entry.deadline_ns.fetch_add(interval_ns, Ordering::Relaxed);
        entry.state.store(WAITING, Ordering::Release);
    } else {
        entry.state.store(FREE, Ordering::Release);
    }
    if exists {
        count(fd);
    }
}

/// What is left of a timer.
fn left(table: &'static Table, fd: c_int) -> TimerSpec {
    let (interval_ns, left_ns) = entry(table, fd).map_or((0, 0), |entry| {
        let deadline_ns = entry.deadline_ns.load(Ordering::Relaxed);
        (entry.interval_ns.load(Ordering::Relaxed), deadline_ns.saturating_sub(table.now_ns()))
    });
    TimerSpec { interval: TimeSpec::from_ns(interval_ns), value: TimeSpec::from_ns(left_ns) }
}

/// Stands in for `timerfd_create`.
#[unsafe(no_mangle)]
unsafe extern "C" fn timerfd_create(clock: c_int, flags: c_int) -> c_int {
    match table() {
        // SAFETY: has no precondition. The flags of both are the same.
        Some(_) => unsafe { eventfd(0, flags) },
        // SAFETY: the arguments are the caller's.
        None => unsafe { real!(timerfd_create: fn(c_int, c_int) -> c_int)(clock, flags) },
    }
}

/// Stands in for `timerfd_settime`.
#[unsafe(no_mangle)]
unsafe extern "C" fn timerfd_settime(fd: c_int, flags: c_int, new: *const TimerSpec, old: *mut TimerSpec) -> c_int {
    let Some(table) = table().filter(|_| !new.is_null() && is_counter(fd)) else {
        let real = real!(timerfd_settime: fn(c_int, c_int, *const TimerSpec, *mut TimerSpec) -> c_int);
        // SAFETY: the arguments are the caller's.
        return unsafe { real(fd, flags, new, old) };
    };
    // SAFETY: the caller passes times.
    let TimerSpec { interval, value } = unsafe { *new };
    let (Some(interval_ns), Some(value_ns)) = (interval.ns(), value.ns()) else { return fail(EINVAL) };
    if !old.is_null() {
        // SAFETY: the caller passes a place for times.
        unsafe { *old = left(table, fd) };
    }
    if let Some(entry) = entry(table, fd) {
        entry.state.store(FREE, Ordering::Release);
    }
    empty(fd);
    if value_ns == 0 {
        return 0;
    }
    let absolute = if flags & 1 == 0 { None } else { deadline(table, clock_of(value), value) };
    let mut deadline_ns = absolute.unwrap_or_else(|| table.now_ns().saturating_add(value_ns));
    if deadline_ns <= table.now_ns() {
        count(fd);
        if interval_ns == 0 {
            return 0;
        }
        deadline_ns = table.now_ns().saturating_add(interval_ns);
    }
    let entry = take(table, Wake::Timer, process_id(), fd as usize, deadline_ns);
    entry.interval_ns.store(interval_ns, Ordering::Relaxed);
    entry.state.store(WAITING, Ordering::Release);
    0
}

/// Stands in for `timerfd_gettime`.
#[unsafe(no_mangle)]
unsafe extern "C" fn timerfd_gettime(fd: c_int, into: *mut TimerSpec) -> c_int {
    match table() {
        Some(table) if !into.is_null() && is_counter(fd) => {
            // SAFETY: the caller passes a place for times.
            unsafe { *into = left(table, fd) };
            0
        }
        // SAFETY: the arguments are the caller's.
        _ => unsafe { real!(timerfd_gettime: fn(c_int, *mut TimerSpec) -> c_int)(fd, into) },
    }
}
