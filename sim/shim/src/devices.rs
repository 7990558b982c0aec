//! Stands in for opening `/dev/random` and `/dev/urandom`: the stream that is read is the one of the seed.
//!
//! Invariant: what a process reads from the n-th such file it opens depends on the seed, the process and n, and on nothing else.
//!
//! The file is a pipe. A thread of this library fills it for ever, and ends when nobody reads any more.

use std::ffi::CStr;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::attach::{out_of_the_way, table};
use crate::entropy::Stream;
use crate::libc::{
    EINTR, F_SETFL, O_CLOEXEC, O_NONBLOCK, SIG_SETMASK, SignalSet, c_char, c_int, c_uint, c_ulong, c_void, close,
    errno, fcntl, fdopen, pipe2, pthread_create, pthread_sigmask, real, write,
};
use crate::table::Table;

/// How many have been opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// A new process begins to count anew.
pub(crate) fn restart() {
    OPENED.store(0, Ordering::Relaxed);
}

/// What a thread writes, and where.
struct Source {
    stream: Stream,
    writing: c_int,
    bytes: [u8; 4096],
    /// How many of the bytes have been written.
    done: usize,
}

impl Source {
    /// Writes until the pipe takes no more, or for ever if it blocks. Says whether somebody may still read.
    fn pour(&mut self) -> bool {
        loop {
            if self.done == self.bytes.len() {
                for word in self.bytes.chunks_exact_mut(8) {
                    word.copy_from_slice(&self.stream.next().to_le_bytes());
                }
                self.done = 0;
            }
            let rest = &self.bytes[self.done..];
            // SAFETY: the buffer has this length.
            let wrote = unsafe { write(self.writing, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(wrote) {
                Ok(count) => self.done += count,
                Err(_) if errno() == EINTR => {}
                Err(_) => return errno() == crate::libc::EAGAIN,
            }
        }
    }
}

/// Writes for ever.
extern "C" fn pour(source: *mut c_void) -> *mut c_void {
    // SAFETY: the pointer comes from `into_raw` of a box of this type, and nobody else has it.
    let mut source = unsafe { Box::from_raw(source.cast::<Source>()) };
    source.pour();
    // SAFETY: nobody else knows the descriptor.
    unsafe { close(source.writing) };
    null_mut()
}

/// Opens a stream, if the path is one of those devices.
fn device(path: *const c_char, flags: c_int) -> Option<c_int> {
    if path.is_null() {
        return None;
    }
    // SAFETY: the caller passes a path.
    let path = unsafe { CStr::from_ptr(path) };
    if path != c"/dev/urandom" && path != c"/dev/random" {
        return None;
    }
    open_stream(table()?, flags)
}

/// A pipe that never runs dry.
fn open_stream(table: &'static Table, flags: c_int) -> Option<c_int> {
    let mut ends = [0 as c_int; 2];
    let stream = Stream::new(table, OPENED.fetch_add(1, Ordering::Relaxed) + 1);
    // SAFETY: the buffers are valid for the calls; the box is handed over to the thread, or taken back if there is none.
    unsafe {
        if pipe2(ends.as_mut_ptr(), O_CLOEXEC) < 0 {
            return None;
        }
        let writing = out_of_the_way(ends[1]);
        if flags & O_CLOEXEC == 0 {
            fcntl(ends[0], crate::libc::F_SETFD, 0 as c_int);
        }
        let mut source = Box::new(Source { stream, writing, bytes: [0; 4096], done: 4096 });
        // As much as there is room for is there at once, so that a short read does not depend on how fast a thread is.
        fcntl(writing, F_SETFL, O_NONBLOCK);
        source.pour();
        fcntl(writing, F_SETFL, 0 as c_int);
        let all = SignalSet([u64::MAX; 16]);
        let mut before = SignalSet([0; 16]);
        pthread_sigmask(SIG_SETMASK, &raw const all, &raw mut before);
        let mut thread: c_ulong = 0;
        let source = Box::into_raw(source);
        if pthread_create(&raw mut thread, null(), pour, source.cast()) != 0 {
            drop(Box::from_raw(source));
        }
        pthread_sigmask(SIG_SETMASK, &raw const before, null_mut());
    }
    Some(ends[0])
}

/// Stands in for `open`. Its last argument comes the same way whether it is declared or not, and means something only sometimes.
#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    device(path, flags).unwrap_or_else(|| {
        // SAFETY: the arguments are the caller's.
        unsafe { real!(open: fn(*const c_char, c_int, c_uint) -> c_int)(path, flags, mode) }
    })
}

/// Stands in for `open64`.
#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    device(path, flags).unwrap_or_else(|| {
        // SAFETY: the arguments are the caller's.
        unsafe { real!(open64: fn(*const c_char, c_int, c_uint) -> c_int)(path, flags, mode) }
    })
}

/// Stands in for `openat`.
#[unsafe(no_mangle)]
unsafe extern "C" fn openat(folder: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    device(path, flags).unwrap_or_else(|| {
        // SAFETY: the arguments are the caller's.
        unsafe { real!(openat: fn(c_int, *const c_char, c_int, c_uint) -> c_int)(folder, path, flags, mode) }
    })
}

/// Stands in for `openat64`.
#[unsafe(no_mangle)]
unsafe extern "C" fn openat64(folder: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    device(path, flags).unwrap_or_else(|| {
        // SAFETY: the arguments are the caller's.
        unsafe { real!(openat64: fn(c_int, *const c_char, c_int, c_uint) -> c_int)(folder, path, flags, mode) }
    })
}

/// Stands in for `fopen`.
#[unsafe(no_mangle)]
unsafe extern "C" fn fopen(path: *const c_char, mode: *const c_char) -> *mut c_void {
    match device(path, O_CLOEXEC) {
        // SAFETY: the descriptor is open for reading, and belongs to the file from now on.
        Some(fd) => unsafe { fdopen(fd, c"r".as_ptr()) },
        // SAFETY: the arguments are the caller's.
        None => unsafe { real!(fopen: fn(*const c_char, *const c_char) -> *mut c_void)(path, mode) },
    }
}

/// Stands in for `fopen64`.
#[unsafe(no_mangle)]
unsafe extern "C" fn fopen64(path: *const c_char, mode: *const c_char) -> *mut c_void {
    // SAFETY: the arguments are the caller's; on these machines both are the same.
    unsafe { fopen(path, mode) }
}
