//! Waits with a deadline: how they are published, and how they end.
//!
//! Invariant: from before a thread blocks until after it has been woken, its entry in the table is true. A thread is woken only
//! while it blocks, since the simulator moves the clock only when everything is quiet.
//!
//! Example: `timed(table, Wake::Signal, 0, deadline_ns, || poll(fds, n, -1))` returns what `poll` returned, and whether time is up.

use std::ptr::{from_ref, null, null_mut};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use crate::attach::{out_of_the_way, table};
use crate::libc::{
    EINTR, FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE, O_CLOEXEC, PollFd, SIG_SETMASK, SIG_UNBLOCK, SignalAction,
    SignalSet, c_int, c_long, c_ulong, c_void, errno, number, pipe2, process_id, pthread_cond_broadcast,
    pthread_create, pthread_sigmask, raw, read, real, set_of, sigaction, thread_id, wake_signal,
};
use crate::table::{DUE, FREE, TAKEN, Table, WAITING, Wait};

/// How a thread is woken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// It sleeps on the entry itself.
    Entry = 1,
    /// It is in a system call that a signal interrupts.
    Signal = 2,
    /// It waits for a condition variable.
    Condition = 3,
    /// Nobody waits: a timer is a descriptor.
    Timer = 4,
}

/// No thread waits for the simulator yet.
const NO_THREAD: i64 = -1;
/// A thread is being started.
const STARTING: i64 = -2;
/// The descriptor that the simulator writes to.
static PIPE: AtomicI64 = AtomicI64::new(NO_THREAD);

/// Waits by `wait`, which has no timeout, until it ends or the deadline has come. Says which with `true` for the deadline.
pub(crate) fn timed<R>(
    table: &'static Table,
    wake: Wake,
    address: usize,
    deadline_ns: u64,
    wait: impl FnOnce(&AtomicU32) -> R,
) -> (R, bool) {
    let entry = take(table, wake, thread_id(), address, deadline_ns);
    if wake == Wake::Signal {
        let set = set_of(wake_signal());
        // SAFETY: the set is valid; a thread that blocks the signal could not be woken.
        unsafe { pthread_sigmask(SIG_UNBLOCK, &raw const set, null_mut()) };
    }
    entry.state.store(WAITING, Ordering::Release);
    let result = wait(&entry.state);
    let error = errno();
    let due = entry.state.swap(FREE, Ordering::AcqRel) == DUE;
    // SAFETY: the location is valid in every thread.
    unsafe { *crate::libc::__errno_location() = error };
    (result, due)
}

/// Takes an entry and fills it in. It counts from when its state says so.
pub(crate) fn take(table: &'static Table, wake: Wake, thread: u32, address: usize, deadline_ns: u64) -> &'static Wait {
    let pipe = waking_thread();
    let entry = loop {
        if let Some(entry) = table.take() {
            break entry;
        }
        // More than a thousand threads wait: the last ones do not wait in peace.
        // SAFETY: has no precondition.
        unsafe { crate::libc::sched_yield() };
    };
    entry.kind.store(wake as u32, Ordering::Relaxed);
    entry.process.store(process_id(), Ordering::Relaxed);
    entry.thread.store(thread, Ordering::Relaxed);
    entry.deadline_ns.store(deadline_ns, Ordering::Relaxed);
    entry.address.store(address as u64, Ordering::Relaxed);
    entry.pipe.store(pipe as u64, Ordering::Relaxed);
    entry.interval_ns.store(0, Ordering::Relaxed);
    entry
}

/// Sleeps until the deadline, or until a handler of a signal ran: then `false`.
pub(crate) fn sleep_until(table: &'static Table, deadline_ns: u64) -> bool {
    if deadline_ns <= table.now_ns() {
        return true;
    }
    let asleep = |state: &AtomicU32| {
        while state.load(Ordering::Acquire) == WAITING {
            let word = from_ref(state) as c_long;
            let slept = raw(number::FUTEX, [word, c_long::from(FUTEX_WAIT_PRIVATE), c_long::from(WAITING), 0, 0, 0]);
            if slept < 0 && errno() == EINTR {
                return;
            }
        }
    };
    timed(table, Wake::Entry, 0, deadline_ns, asleep).1
}

/// The pipe on which a thread of this library waits for the simulator. Starts that thread if there is none.
fn waking_thread() -> i64 {
    loop {
        match PIPE.compare_exchange(NO_THREAD, STARTING, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                let pipe = start();
                PIPE.store(pipe, Ordering::Release);
                return pipe;
            }
            // SAFETY: has no precondition.
            Err(STARTING) => drop(unsafe { crate::libc::sched_yield() }),
            Err(pipe) => return pipe,
        }
    }
}

/// Starts the thread. Returns the descriptor to write to.
fn start() -> i64 {
    let mut ends = [0 as c_int; 2];
    // SAFETY: the buffers are valid for the calls, and the handler does nothing.
    unsafe {
        if pipe2(ends.as_mut_ptr(), O_CLOEXEC) < 0 {
            return 0;
        }
        let [reading, writing] = ends.map(out_of_the_way);
        let action =
            SignalAction { handler: woken as *const () as usize, mask: SignalSet([0; 16]), flags: 0, restorer: 0 };
        sigaction(wake_signal(), &raw const action, null_mut());
        let all = SignalSet([u64::MAX; 16]);
        let mut before = SignalSet([0; 16]);
        pthread_sigmask(SIG_SETMASK, &raw const all, &raw mut before);
        let mut thread: c_ulong = 0;
        pthread_create(&raw mut thread, null(), wake_others, reading as usize as *mut c_void);
        pthread_sigmask(SIG_SETMASK, &raw const before, null_mut());
        i64::from(writing)
    }
}

/// The handler of the signal: that it ran is all.
extern "C" fn woken(_: c_int) {}

/// In a child that was forked there is no such thread.
pub(crate) fn forget_thread() {
    PIPE.store(NO_THREAD, Ordering::Release);
}

/// Waits for the simulator, and wakes whose deadline has come, for ever.
extern "C" fn wake_others(reading: *mut c_void) -> *mut c_void {
    let own = process_id();
    let mut bytes = [0_u8; 64];
    loop {
        let mut waiting = PollFd { fd: reading as usize as c_int, events: 1, revents: 0 };
        // SAFETY: there is one entry. Whoever looks sees from the number of the call that no disk is behind this wait.
        unsafe { real!(poll: fn(*mut PollFd, c_ulong, c_int) -> c_int)(&raw mut waiting, 1, -1) };
        // SAFETY: the buffer has this size.
        let got = unsafe { read(reading as usize as c_int, bytes.as_mut_ptr().cast(), bytes.len()) };
        if got == 0 || (got < 0 && errno() != EINTR) {
            return null_mut();
        }
        let Some(table) = table() else { return null_mut() };
        for entry in table.waits() {
            if entry.state.load(Ordering::Acquire) == DUE && entry.process.load(Ordering::Relaxed) == own {
                wake(entry, own);
            }
        }
    }
}

/// Wakes the thread of an entry.
fn wake(entry: &Wait, own: u32) {
    match entry.kind.load(Ordering::Relaxed) {
        kind if kind == Wake::Entry as u32 => {
            let word = from_ref(&entry.state) as c_long;
            raw(number::FUTEX, [word, c_long::from(FUTEX_WAKE_PRIVATE), 1, 0, 0, 0]);
        }
        kind if kind == Wake::Condition as u32 => {
            // SAFETY: the thread of the entry waits for this condition variable, so it exists.
            unsafe { pthread_cond_broadcast(entry.address.load(Ordering::Relaxed) as *mut c_void) };
        }
        kind if kind == Wake::Timer as u32 => crate::timers::fire(entry),
        _ => {
            let thread = entry.thread.load(Ordering::Relaxed);
            raw(number::TGKILL, [c_long::from(own), c_long::from(thread), c_long::from(wake_signal()), 0, 0, 0]);
        }
    }
}

const _: () = assert!(TAKEN != FREE);
