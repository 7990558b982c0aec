//! The file that a simulated process takes its time from, and the library that makes it do so.
//!
//! Invariant: the clock is written only while all threads of the process wait, and never backwards.
//!
//! The layout is that of `sim/shim/src/table.rs`: eight words of a head, then entries of 48 bytes, one for each thread that waits for
//! a deadline; what follows is the processes' own. Both files live in memory without a name, and are opened by the process as descriptors of this one (`/proc/PID/fd/N`),
//! so that nothing is left behind whatever happens.
//!
//! What is deliberately absent: memory that is shared with a process. The file is read and written as a file, which Linux keeps in
//! step with the mapping of the process.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

#[cfg(target_os = "linux")]
use super::launch::with_room;
use crate::kernel::time::{SECOND, Time};

/// What the file begins with.
const MAGIC: u64 = u64::from_le_bytes(*b"simclk01");
/// What monotonic clocks show at the start of a run: not zero, which some programs take for "never".
const MONOTONIC_START_NS: u64 = 100 * SECOND;
/// The clock of the day at the start of a run: 2020-01-01, minus what monotonic clocks show.
const DAY_START_NS: u64 = 1_577_836_800 * SECOND - MONOTONIC_START_NS;
/// Bytes of the head.
const HEAD: usize = 64;
/// Bytes of an entry.
const ENTRY: usize = 48;
/// How many entries there are.
const ENTRIES: usize = 1024;
/// Bytes of what the processes keep for themselves behind that.
const REST: usize = 4096;
/// Later deadlines are none.
const NEVER_NS: u64 = u64::MAX / 2;

/// States of an entry.
const FREE: u32 = 0;
const WAITING: u32 = 2;
const DUE: u32 = 3;

/// The library.
static LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/preloaded.so"));

/// The file of one process and its descendants.
#[derive(Debug)]
pub(super) struct ClockFile {
    file: File,
    /// What it shows.
    now_ns: u64,
    /// What was read of it last.
    bytes: Vec<u8>,
}

/// A thread that waits for a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wait {
    /// When, in the time of the file.
    deadline_ns: u64,
    /// The thread that waits.
    pub(super) thread: u32,
    /// Its process.
    pub(super) process: u32,
    /// Where it is woken: a descriptor of the process.
    pub(super) pipe: u64,
    /// Which entry this is.
    entry: usize,
}

impl Wait {
    /// When it is over.
    pub(super) fn deadline(&self) -> Time {
        Time(self.deadline_ns.saturating_sub(MONOTONIC_START_NS))
    }
}

/// The library as a path, if there is one for this machine.
pub(super) fn library() -> Option<String> {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    if LIBRARY.is_empty() {
        return None;
    }
    let file = FILE.get_or_init(|| {
        let file = unnamed("sim-preloaded").ok()?;
        file.write_all_at(LIBRARY, 0).ok()?;
        Some(file)
    });
    file.as_ref().map(path)
}

/// How another process opens a file of this one.
fn path(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

/// A file in memory.
#[cfg(target_os = "linux")]
fn unnamed(name: &str) -> io::Result<File> {
    with_room(|| Ok(File::from(rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC)?)))
}

/// Elsewhere nobody would open it.
#[cfg(not(target_os = "linux"))]
fn unnamed(_: &str) -> io::Result<File> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

impl ClockFile {
    /// A clock that shows this time.
    pub(super) fn new(seed: u64, now: Time) -> io::Result<Self> {
        let file = unnamed(ClockFile::NAME)?;
        let now_ns = now.0.saturating_add(MONOTONIC_START_NS);
        file.set_len((HEAD + ENTRIES * ENTRY + REST) as u64)?;
        let head = [MAGIC, now_ns, DAY_START_NS, seed, 0, 0, u64::from(std::process::id())];
        file.write_all_at(&head.map(u64::to_ne_bytes).concat(), 0)?;
        Ok(Self { file, now_ns, bytes: vec![0; HEAD + ENTRIES * ENTRY] })
    }

    /// What the file is called among the mappings of a process.
    pub(super) const NAME: &'static str = "sim-clock";

    /// How the process finds it.
    pub(super) fn path(&self) -> String {
        path(&self.file)
    }

    /// Whether any process has mapped it.
    pub(super) fn attached(&self) -> bool {
        let mut word = [0; 8];
        self.file.read_exact_at(&mut word, 32).is_ok() && u64::from_ne_bytes(word) > 0
    }

    /// What it shows.
    pub(super) fn now(&self) -> Time {
        Time(self.now_ns - MONOTONIC_START_NS)
    }

    /// Moves it forward.
    pub(super) fn advance(&mut self, now: Time) {
        let now_ns = now.0.saturating_add(MONOTONIC_START_NS).min(NEVER_NS);
        if now_ns > self.now_ns {
            self.now_ns = now_ns;
            // The file is in memory and has this size, so this does not fail.
            let _ = self.file.write_all_at(&now_ns.to_ne_bytes(), 8);
        }
    }

    /// The thread whose deadline is the next; of equals, the one that was started first.
    pub(super) fn next(&mut self) -> Option<Wait> {
        self.waits(WAITING).min()
    }

    /// Whether an entry is still to be woken.
    pub(super) fn still_due(&mut self, wait: &Wait) -> bool {
        self.waits(DUE).any(|due| due == *wait)
    }

    /// Tells the process that the time of a thread has come; it learns so when it is woken.
    pub(super) fn set_due(&self, wait: &Wait) {
        self.set(wait, DUE);
    }

    /// Forgets a thread that does not exist any more.
    pub(super) fn forget(&self, wait: &Wait) {
        self.set(wait, FREE);
    }

    fn set(&self, wait: &Wait, state: u32) {
        // The file is in memory and has this size, so this does not fail.
        let _ = self.file.write_all_at(&state.to_ne_bytes(), (HEAD + wait.entry * ENTRY) as u64);
    }

    /// The entries in a state, without those that wait for ever.
    fn waits(&mut self, state: u32) -> impl Iterator<Item = Wait> {
        // Few entries are ever used, and they are the first: one page nearly always tells everything.
        let first = self.bytes.len().min(HEAD + 16 * ENTRY);
        let read = self.file.read_exact_at(&mut self.bytes[..first], 0).is_ok();
        let used = if read { (word(&self.bytes, 40) as usize).min(ENTRIES) } else { 0 };
        let end = HEAD + used * ENTRY;
        if end > first && self.file.read_exact_at(&mut self.bytes[first..end], first as u64).is_err() {
            return Vec::new().into_iter();
        }
        let entries = (0..used).filter_map(|entry| {
            let bytes = &self.bytes[HEAD + entry * ENTRY..][..ENTRY];
            let deadline_ns = word(bytes, 16);
            (half(bytes, 0) == state && deadline_ns < NEVER_NS).then(|| Wait {
                deadline_ns,
                thread: half(bytes, 12),
                process: half(bytes, 8),
                pipe: word(bytes, 32),
                entry,
            })
        });
        entries.collect::<Vec<_>>().into_iter()
    }
}

/// The word at this place.
fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(word)
}

/// The half word at this place.
fn half(bytes: &[u8], at: usize) -> u32 {
    let mut half = [0; 4];
    half.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(half)
}
