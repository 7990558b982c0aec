//! The few declarations of the C library that are needed, for x86-64 and `AArch64` with the GNU C library.
//!
//! Invariant: layouts and numbers are those of the kernel's and the library's stable interfaces.
//!
//! Example: `real!(poll: fn(*mut c_void, c_ulong, c_int) -> c_int)` is the function that this library stands in for.

pub(crate) use std::ffi::{c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seconds and nanoseconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct TimeSpec {
    pub(crate) seconds: c_long,
    pub(crate) nanoseconds: c_long,
}

/// When a timer fires first, and after which time again.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct TimerSpec {
    pub(crate) interval: TimeSpec,
    pub(crate) value: TimeSpec,
}

/// A descriptor to wait for.
#[repr(C)]
pub(crate) struct PollFd {
    pub(crate) fd: c_int,
    pub(crate) events: i16,
    pub(crate) revents: i16,
}

/// Seconds and microseconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct TimeVal {
    pub(crate) seconds: c_long,
    pub(crate) microseconds: c_long,
}

/// A set of signals, as large as the C library makes it.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SignalSet(pub(crate) [u64; 16]);

/// What becomes of a signal.
#[repr(C)]
pub(crate) struct SignalAction {
    pub(crate) handler: usize,
    pub(crate) mask: SignalSet,
    pub(crate) flags: c_int,
    pub(crate) restorer: usize,
}

pub(crate) const EINTR: c_int = 4;
pub(crate) const EAGAIN: c_int = 11;
pub(crate) const EINVAL: c_int = 22;
pub(crate) const ETIMEDOUT: c_int = 110;

pub(crate) const O_CLOEXEC: c_int = 0o2_000_000;
pub(crate) const O_RDWR: c_int = 2;
pub(crate) const O_NONBLOCK: c_int = 0o4_000;
pub(crate) const F_SETFD: c_int = 2;
pub(crate) const F_SETFL: c_int = 4;
pub(crate) const F_DUPFD_CLOEXEC: c_int = 1030;
pub(crate) const PROT_READ_WRITE: c_int = 3;
pub(crate) const MAP_SHARED: c_int = 1;
pub(crate) const SIG_UNBLOCK: c_int = 1;
pub(crate) const SIG_SETMASK: c_int = 2;
pub(crate) const PR_SET_PDEATHSIG: c_int = 1;
pub(crate) const PR_GET_NAME: c_int = 16;
pub(crate) const SIGKILL: c_int = 9;
pub(crate) const ADDR_NO_RANDOMIZE: c_ulong = 0x004_0000;
pub(crate) const FUTEX_WAIT_PRIVATE: c_int = 128;
pub(crate) const FUTEX_WAKE_PRIVATE: c_int = 129;

/// Numbers of system calls.
#[cfg(target_arch = "x86_64")]
pub(crate) mod number {
    use super::c_long;
    pub(crate) const CLOCK_GETTIME: c_long = 228;
    pub(crate) const CLOCK_NANOSLEEP: c_long = 230;
    pub(crate) const NANOSLEEP: c_long = 35;
    pub(crate) const EPOLL_PWAIT: c_long = 281;
    pub(crate) const EPOLL_WAIT: c_long = 232;
    pub(crate) const FUTEX: c_long = 202;
    pub(crate) const GETRANDOM: c_long = 318;
    pub(crate) const GETTID: c_long = 186;
    pub(crate) const GETPID: c_long = 39;
    pub(crate) const TGKILL: c_long = 234;
}

/// Numbers of system calls.
#[cfg(target_arch = "aarch64")]
pub(crate) mod number {
    use super::c_long;
    pub(crate) const CLOCK_GETTIME: c_long = 113;
    pub(crate) const CLOCK_NANOSLEEP: c_long = 115;
    pub(crate) const NANOSLEEP: c_long = 101;
    pub(crate) const EPOLL_PWAIT: c_long = 22;
    /// Does not exist here.
    pub(crate) const EPOLL_WAIT: c_long = -1;
    pub(crate) const FUTEX: c_long = 98;
    pub(crate) const GETRANDOM: c_long = 278;
    pub(crate) const GETTID: c_long = 178;
    pub(crate) const GETPID: c_long = 172;
    pub(crate) const TGKILL: c_long = 131;
}

/// The same on both.
pub(crate) const EPOLL_PWAIT2: c_long = 441;

unsafe extern "C" {
    pub(crate) fn __errno_location() -> *mut c_int;
    pub(crate) fn __libc_current_sigrtmax() -> c_int;
    pub(crate) fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    pub(crate) fn dlvsym(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void;
    pub(crate) fn mmap(
        address: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: c_long,
    ) -> *mut c_void;
    pub(crate) fn getenv(name: *const c_char) -> *const c_char;
    pub(crate) fn close(fd: c_int) -> c_int;
    pub(crate) fn write(fd: c_int, buffer: *const c_void, count: usize) -> isize;
    pub(crate) fn eventfd(start: c_uint, flags: c_int) -> c_int;
    pub(crate) fn fdopen(fd: c_int, mode: *const c_char) -> *mut c_void;
    pub(crate) fn read(fd: c_int, buffer: *mut c_void, count: usize) -> isize;
    pub(crate) fn readlink(path: *const c_char, buffer: *mut c_char, size: usize) -> isize;
    pub(crate) fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    pub(crate) fn pipe2(fds: *mut c_int, flags: c_int) -> c_int;
    pub(crate) fn prctl(option: c_int, ...) -> c_int;
    pub(crate) fn getppid() -> c_int;
    pub(crate) fn personality(persona: c_ulong) -> c_int;
    pub(crate) fn execve(path: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int;
    pub(crate) fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
    pub(crate) fn pthread_create(
        thread: *mut c_ulong,
        attributes: *const c_void,
        start: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    pub(crate) fn pthread_sigmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
    pub(crate) fn sigaction(signal: c_int, action: *const SignalAction, old: *mut SignalAction) -> c_int;
    pub(crate) fn pthread_cond_wait(condition: *mut c_void, mutex: *mut c_void) -> c_int;
    pub(crate) fn pthread_cond_broadcast(condition: *mut c_void) -> c_int;
    pub(crate) fn pthread_mutex_lock(mutex: *mut c_void) -> c_int;
    pub(crate) fn pthread_mutex_unlock(mutex: *mut c_void) -> c_int;
    pub(crate) fn sched_yield() -> c_int;
    pub(crate) fn sem_wait(semaphore: *mut c_void) -> c_int;
    pub(crate) fn sem_trywait(semaphore: *mut c_void) -> c_int;
}

/// Where a name is looked for: behind this library.
pub(crate) const RTLD_NEXT: *mut c_void = usize::MAX as *mut c_void;

/// The function of this name that would be called without this library.
macro_rules! real {
    ($name:ident: fn($($argument:ty),*) -> $result:ty) => {{
        static FOUND: ::std::sync::atomic::AtomicUsize = ::std::sync::atomic::AtomicUsize::new(0);
        $crate::libc::found::<unsafe extern "C" fn($($argument),*) -> $result>(&FOUND, concat!(stringify!($name), "\0"))
    }};
}
pub(crate) use real;

/// The function of this name behind this library, looked for once. `F` is how the C library declares it.
pub(crate) fn found<F: Copy>(place: &AtomicUsize, name: &str) -> F {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    let mut found = place.load(Ordering::Relaxed);
    if found == 0 {
        found = next(name);
        place.store(found, Ordering::Relaxed);
    }
    // SAFETY: the C library has a function at this address, which takes and returns what `F` says, and calling it is unsafe.
    unsafe { std::mem::transmute_copy(&found) }
}

/// The address of the function of this name behind this library.
pub(crate) fn next(name: &str) -> usize {
    debug_assert!(name.ends_with('\0'));
    // The condition variables of old programs have another layout and an old version, which must not be found.
    let version = match name {
        "pthread_cond_timedwait\0" if cfg!(target_arch = "x86_64") => c"GLIBC_2.3.2".as_ptr(),
        _ => std::ptr::null(),
    };
    // SAFETY: both strings end with a zero byte.
    let found = unsafe {
        let versioned =
            if version.is_null() { std::ptr::null_mut() } else { dlvsym(RTLD_NEXT, name.as_ptr().cast(), version) };
        if versioned.is_null() { dlsym(RTLD_NEXT, name.as_ptr().cast()) } else { versioned }
    };
    if found.is_null() {
        // Whoever calls a function that does not exist cannot go on.
        std::process::abort();
    }
    found as usize
}

/// The system call itself.
pub(crate) fn raw(number: c_long, arguments: [c_long; 6]) -> c_long {
    let [a, b, c, d, e, f] = arguments;
    let call = real!(syscall: fn(c_long, c_long, c_long, c_long, c_long, c_long, c_long) -> c_long);
    // SAFETY: what the arguments mean is the affair of whoever asked for this call.
    unsafe { call(number, a, b, c, d, e, f) }
}

/// The number of the last error of this thread.
pub(crate) fn errno() -> c_int {
    // SAFETY: the location is valid in every thread.
    unsafe { *__errno_location() }
}

/// Fails with an error number.
pub(crate) fn fail<T: From<i8>>(error: c_int) -> T {
    // SAFETY: the location is valid in every thread.
    unsafe { *__errno_location() = error };
    T::from(-1)
}

/// Opens a file, and passes by what this library does to that.
pub(crate) fn open(path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: whoever calls this passes a path; a file is not created.
    unsafe { real!(open: fn(*const c_char, c_int, c_uint) -> c_int)(path, flags, 0) }
}

/// The thread that asks.
pub(crate) fn thread_id() -> u32 {
    raw(number::GETTID, [0; 6]) as u32
}

/// The process that asks.
pub(crate) fn process_id() -> u32 {
    raw(number::GETPID, [0; 6]) as u32
}

/// The signal that wakes waiters: one of the last, which nobody uses.
pub(crate) fn wake_signal() -> c_int {
    // SAFETY: has no precondition.
    unsafe { __libc_current_sigrtmax() - 3 }
}

/// The set of one signal.
pub(crate) fn set_of(signal: c_int) -> SignalSet {
    let mut set = SignalSet([0; 16]);
    set.0[0] = 1 << (signal - 1);
    set
}
