//! Stands in for `syscall`, through which programs ask the kernel for what this library answers elsewhere.
//!
//! Invariant: a call that has nothing to do with clocks, timeouts or entropy reaches the kernel as it is.

use crate::attach::table;
use crate::clocks::{self, deadline};
use crate::libc::{EINTR, EPOLL_PWAIT2, ETIMEDOUT, TimeSpec, c_int, c_long, c_void, errno, fail, number, raw};
use crate::table::Table;
use crate::waits::{Wake, timed};
use crate::{entropy, polls, sleeps};

/// Waits for a word in memory with a timeout.
const FUTEX_WAIT: c_long = 0;
/// The same, until a point in time.
const FUTEX_WAIT_BITSET: c_long = 9;
/// Flag: the point in time is one of the clock of the day.
const FUTEX_CLOCK_REALTIME: c_long = 256;
/// Flag: the word belongs to one process.
const FUTEX_PRIVATE: c_long = 128;

/// Stands in for `syscall`. It is declared with a variable number of arguments, which come the same way as these on both
/// architectures; those that were not passed are whatever they are, as in the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(call: c_long, a: c_long, b: c_long, c: c_long, d: c_long, e: c_long, f: c_long) -> c_long {
    let pass = || raw(call, [a, b, c, d, e, f]);
    let Some(table) = table() else { return pass() };
    match call {
        number::FUTEX => futex(table, [a, b, c, d, e, f]),
        number::GETRANDOM => {
            entropy::fill(table, a as *mut c_void, b as usize);
            b
        }
        number::CLOCK_GETTIME => match clocks::read(table, a as c_int) {
            Some(ns) => {
                // SAFETY: the caller passes a place for the time.
                unsafe { *(b as *mut TimeSpec) = TimeSpec::from_ns(ns) };
                0
            }
            None => pass(),
        },
        // SAFETY: the arguments are the caller's.
        number::NANOSLEEP => c_long::from(unsafe { sleeps::nanosleep(a as *const _, b as *mut _) }),
        number::CLOCK_NANOSLEEP => {
            // SAFETY: the arguments are the caller's.
            match unsafe { sleeps::clock_nanosleep(a as c_int, b as c_int, c as *const _, d as *mut _) } {
                0 => 0,
                error => fail(error),
            }
        }
        number::EPOLL_WAIT if call >= 0 => {
            // SAFETY: the arguments are the caller's.
            c_long::from(unsafe { polls::epoll_wait(a as c_int, b as *mut _, c as c_int, d as c_int) })
        }
        number::EPOLL_PWAIT => {
            // SAFETY: the arguments are the caller's.
            c_long::from(unsafe { polls::epoll_pwait(a as c_int, b as *mut _, c as c_int, d as c_int, e as *const _) })
        }
        EPOLL_PWAIT2 => {
            // SAFETY: the arguments are the caller's.
            c_long::from(unsafe {
                polls::epoll_pwait2(a as c_int, b as *mut _, c as c_int, d as *const _, e as *const _)
            })
        }
        _ => pass(),
    }
}

/// Waits for a word in memory, if that is what was asked for.
fn futex(table: &'static Table, arguments: [c_long; 6]) -> c_long {
    let [word, operation, value, timeout, second, bits] = arguments;
    let flags = operation & (FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    let plain = operation & !(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    if timeout == 0 || (plain != FUTEX_WAIT && plain != FUTEX_WAIT_BITSET) {
        return raw(number::FUTEX, arguments);
    }
    // SAFETY: the caller passes a time.
    let time = unsafe { *(timeout as *const TimeSpec) };
    let deadline_ns = if plain == FUTEX_WAIT {
        time.ns().filter(|_| time.seconds >= 0).map(|ns| table.now_ns().saturating_add(ns))
    } else {
        deadline(table, c_int::from(flags & FUTEX_CLOCK_REALTIME == 0), time)
    };
    let Some(deadline_ns) = deadline_ns else { return raw(number::FUTEX, arguments) };
    if deadline_ns <= table.now_ns() {
        // A time that has passed for every clock: the kernel says whether the word has changed, or that it is too late.
        let past = TimeSpec { seconds: 0, nanoseconds: 0 };
        return raw(number::FUTEX, [word, operation, value, &raw const past as c_long, second, bits]);
    }
    // Without a timeout the flag for the clock means nothing, and old kernels refuse it.
    let wait = || raw(number::FUTEX, [word, plain | (flags & FUTEX_PRIVATE), value, 0, second, bits]);
    let (result, due) = timed(table, Wake::Signal, 0, deadline_ns, |_| wait());
    if due && result < 0 && errno() == EINTR { fail(ETIMEDOUT) } else { result }
}
