//! How a process gets to know the simulator: the constructor, and what a fork leaves behind.
//!
//! Invariant: [`table`] is the same for the whole life of a process image, and `None` if nobody asked for a clock.

use std::ffi::CStr;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::entropy::mix;
use crate::libc::{
    ADDR_NO_RANDOMIZE, F_DUPFD_CLOEXEC, MAP_SHARED, O_CLOEXEC, O_RDWR, PR_GET_NAME, PR_SET_PDEATHSIG, PROT_READ_WRITE,
    SIGKILL, c_char, c_int, c_ulong, close, execve, fcntl, getenv, getppid, mmap, open, personality, prctl, process_id,
    pthread_atfork, read, readlink,
};
use crate::table::{BYTES, FREE, MAGIC, Table};
use crate::waits;

/// The mapped file.
static TABLE: AtomicPtr<Table> = AtomicPtr::new(null_mut());
/// Which process this is: the name of its program and how many of that name came before, or its parent and how many children that
/// had before. Its place among all processes would not do, since the programs of a pipeline race for it.
static IDENTITY: AtomicU64 = AtomicU64::new(0);
/// How many children this process has had that are still the same program.
static CHILDREN: AtomicU64 = AtomicU64::new(0);

/// The table of the simulator, if there is one.
pub(crate) fn table() -> Option<&'static Table> {
    // SAFETY: the pointer is null or comes from a mapping of this size that is never unmapped.
    unsafe { TABLE.load(Ordering::Acquire).as_ref() }
}

/// Which process this is, the same in every run.
pub(crate) fn identity() -> u64 {
    IDENTITY.load(Ordering::Relaxed)
}

/// A function that the loader calls with the arguments of `main`.
type Constructor = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: Constructor = attach;

/// Asks for how the next program will be laid out.
const ASK: c_ulong = 0xffff_ffff;

/// Maps the file that the environment names.
extern "C" fn attach(_: c_int, _: *const *const c_char, environment: *const *const c_char) {
    // SAFETY: the name ends with a zero byte, and the result is null or such a string.
    let path = unsafe { getenv(c"SIM_CLOCK".as_ptr()) };
    if path.is_null() {
        return;
    }
    let Some(table) = map(path) else { return };
    let simulator = table.simulator.load(Ordering::Relaxed);
    // SAFETY: these calls have no precondition.
    unsafe {
        if getppid() as u64 == simulator {
            prctl(PR_SET_PDEATHSIG, SIGKILL as c_ulong);
        }
    }
    fix_addresses(environment);
    let own = process_id();
    for wait in table.waits().iter().filter(|wait| wait.process.load(Ordering::Relaxed) == own) {
        // Left by threads of the program that this process was before.
        wait.state.store(FREE, Ordering::Release);
    }
    table.attached.fetch_add(1, Ordering::AcqRel);
    let name = own_name();
    IDENTITY.store(mix(name).wrapping_add(table.started_before(name)), Ordering::Relaxed);
    TABLE.store(std::ptr::from_ref(table).cast_mut(), Ordering::Release);
    // SAFETY: the functions may be called before a fork, and in a child that has one thread.
    unsafe { pthread_atfork(Some(forking), None, Some(forked)) };
}

/// The name of the program, which has up to 15 bytes, as a number that is not 0.
fn own_name() -> u64 {
    let mut name = [0_u8; 16];
    // SAFETY: the buffer has as many bytes as are written.
    unsafe { prctl(PR_GET_NAME, name.as_mut_ptr()) };
    name.iter().fold(1, |hash: u64, byte| mix(hash.wrapping_add(u64::from(*byte)))).max(1)
}

/// Maps the file at this path.
fn map(path: *const c_char) -> Option<&'static Table> {
    // SAFETY: the path ends with a zero byte; the mapping is checked before it is used, and stays.
    unsafe {
        let fd = open(path, O_RDWR | O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let mapped = mmap(null_mut(), BYTES, PROT_READ_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if mapped as isize == -1 {
            return None;
        }
        mapped.cast::<Table>().as_ref().filter(|table| table.magic.load(Ordering::Acquire) == MAGIC)
    }
}

/// The parent counts, so that the child finds its own number.
extern "C" fn forking() {
    CHILDREN.fetch_add(1, Ordering::Relaxed);
}

/// A child has a time of its own to wait, and entropy of its own.
extern "C" fn forked() {
    if let Some(table) = table() {
        table.attached.fetch_add(1, Ordering::AcqRel);
        let number = CHILDREN.swap(0, Ordering::Relaxed);
        IDENTITY.store(mix(mix(identity()).wrapping_add(number)), Ordering::Relaxed);
        crate::entropy::restart();
        crate::devices::restart();
        waits::forget_thread();
    }
}

/// Starts the program anew with the same addresses in every run, since some programs put objects in the order of their addresses.
/// Where this is not allowed, addresses stay as they are.
fn fix_addresses(environment: *const *const c_char) {
    // SAFETY: asks for the current value, or changes how the next program of this process is laid out, and nothing else.
    let persona = |persona| unsafe { personality(persona) };
    let random = |persona: c_int| persona >= 0 && persona as c_ulong & ADDR_NO_RANDOMIZE == 0;
    let now = persona(ASK);
    if !random(now) || persona(now as c_ulong | ADDR_NO_RANDOMIZE) < 0 || random(persona(ASK)) {
        return;
    }
    let Some(line) = command_line() else { return };
    let mut arguments: Vec<*const c_char> = Vec::new();
    let mut rest = &line[..];
    while let Ok(argument) = CStr::from_bytes_until_nul(rest) {
        arguments.push(argument.as_ptr());
        rest = &rest[argument.to_bytes_with_nul().len()..];
    }
    arguments.push(null());
    let mut path = [0_u8; 4096];
    // SAFETY: the last byte of the buffer stays 0; all strings end with a zero byte and all lists with null.
    unsafe {
        if readlink(c"/proc/self/exe".as_ptr(), path.as_mut_ptr().cast(), path.len() - 1) > 0 {
            execve(path.as_ptr().cast(), arguments.as_ptr(), environment);
        }
    }
}

/// The arguments of this process, each with a zero byte behind it.
fn command_line() -> Option<Vec<u8>> {
    let mut line = vec![0_u8; 1 << 16];
    let mut length = 0;
    // SAFETY: the buffer has room for as many bytes as are asked for.
    unsafe {
        let fd = open(c"/proc/self/cmdline".as_ptr(), O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        loop {
            let got = read(fd, line[length..].as_mut_ptr().cast(), line.len() - length);
            if got <= 0 {
                break;
            }
            length += got as usize;
            if length == line.len() {
                line.resize(length * 2, 0);
            }
        }
        close(fd);
    }
    line.truncate(length);
    (length > 0).then_some(line)
}

/// Moves a descriptor out of the way of programs that count on low numbers.
pub(crate) fn out_of_the_way(fd: c_int) -> c_int {
    // SAFETY: descriptors are numbers; a bad one is an error.
    unsafe {
        let high = fcntl(fd, F_DUPFD_CLOEXEC, 700 as c_int);
        if high < 0 {
            return fd;
        }
        close(fd);
        high
    }
}
