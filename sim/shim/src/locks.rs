//! Waits with a deadline for condition variables and semaphores.
//!
//! Invariant: a thread that waits for a condition variable gives its mutex away at least once and has it again afterwards, whether
//! it was in time or not. Others that wait for the same variable may wake for nothing, which they have to expect anyway.

use crate::attach::table;
use crate::clocks::{clock_of, deadline};
use crate::libc::{
    EINTR, EINVAL, ETIMEDOUT, TimeSpec, c_int, c_void, errno, fail, pthread_cond_wait, pthread_mutex_lock,
    pthread_mutex_unlock, real, sched_yield, sem_trywait, sem_wait,
};
use crate::table::Table;
use crate::waits::{Wake, timed};

/// Waits for a condition variable until a clock shows a time.
fn wait_for_condition(
    table: &'static Table,
    condition: *mut c_void,
    mutex: *mut c_void,
    clock: c_int,
    at: *const TimeSpec,
) -> c_int {
    // SAFETY: the caller passes a time.
    let Some(deadline_ns) = deadline(table, clock, unsafe { *at }) else { return EINVAL };
    if deadline_ns <= table.now_ns() {
        // SAFETY: the caller holds the mutex.
        let error = unsafe { pthread_mutex_unlock(mutex) };
        if error != 0 {
            return error;
        }
        // SAFETY: the mutex is the caller's.
        unsafe {
            sched_yield();
            pthread_mutex_lock(mutex);
        }
        return ETIMEDOUT;
    }
    // SAFETY: the caller holds the mutex.
    let (error, due) = timed(table, Wake::Condition, condition as usize, deadline_ns, |_| unsafe {
        pthread_cond_wait(condition, mutex)
    });
    if error == 0 && due { ETIMEDOUT } else { error }
}

/// Stands in for `pthread_cond_timedwait`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_timedwait(condition: *mut c_void, mutex: *mut c_void, at: *const TimeSpec) -> c_int {
    match table() {
        // SAFETY: the caller passes a time.
        Some(table) => wait_for_condition(table, condition, mutex, clock_of(unsafe { *at }), at),
        // SAFETY: the arguments are the caller's.
        None => unsafe {
            real!(pthread_cond_timedwait: fn(*mut c_void, *mut c_void, *const TimeSpec) -> c_int)(condition, mutex, at)
        },
    }
}

/// Stands in for `pthread_cond_clockwait`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_clockwait(
    condition: *mut c_void,
    mutex: *mut c_void,
    clock: c_int,
    at: *const TimeSpec,
) -> c_int {
    match table() {
        Some(table) => wait_for_condition(table, condition, mutex, clock, at),
        // SAFETY: the arguments are the caller's.
        None => unsafe {
            real!(pthread_cond_clockwait: fn(*mut c_void, *mut c_void, c_int, *const TimeSpec) -> c_int)(
                condition, mutex, clock, at,
            )
        },
    }
}

/// Waits for a semaphore until a clock shows a time.
fn wait_for_semaphore(table: &'static Table, semaphore: *mut c_void, clock: c_int, at: *const TimeSpec) -> c_int {
    // SAFETY: the semaphore is the caller's.
    if unsafe { sem_trywait(semaphore) } == 0 {
        return 0;
    }
    // SAFETY: the caller passes a time.
    let Some(deadline_ns) = deadline(table, clock, unsafe { *at }) else { return fail(EINVAL) };
    if deadline_ns <= table.now_ns() {
        return fail(ETIMEDOUT);
    }
    // SAFETY: the semaphore is the caller's.
    let (result, due) = timed(table, Wake::Signal, 0, deadline_ns, |_| unsafe { sem_wait(semaphore) });
    if due && result < 0 && errno() == EINTR { fail(ETIMEDOUT) } else { result }
}

/// Stands in for `sem_timedwait`.
#[unsafe(no_mangle)]
unsafe extern "C" fn sem_timedwait(semaphore: *mut c_void, at: *const TimeSpec) -> c_int {
    match table() {
        Some(table) => wait_for_semaphore(table, semaphore, 0, at),
        // SAFETY: the arguments are the caller's.
        None => unsafe { real!(sem_timedwait: fn(*mut c_void, *const TimeSpec) -> c_int)(semaphore, at) },
    }
}

/// Stands in for `sem_clockwait`.
#[unsafe(no_mangle)]
unsafe extern "C" fn sem_clockwait(semaphore: *mut c_void, clock: c_int, at: *const TimeSpec) -> c_int {
    match table() {
        Some(table) => wait_for_semaphore(table, semaphore, clock, at),
        // SAFETY: the arguments are the caller's.
        None => unsafe { real!(sem_clockwait: fn(*mut c_void, c_int, *const TimeSpec) -> c_int)(semaphore, clock, at) },
    }
}
