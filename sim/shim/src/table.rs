//! The file that simulator and processes share, as it lies in memory.
//!
//! Invariant: every word has one writer at a time. Simulator writes the time and marks waits as due, only while all threads wait;
//! threads write everything else about their own waits.
//!
//! Layout: words of 64 bits in the order of the machine. `sim/src/programs/process/clock.rs` has the same numbers.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What the file begins with: name and version of this layout.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"simclk01");
/// How many programs of different names are told apart.
const NAMES: usize = 256;
/// How many waits there can be at a time.
pub(crate) const WAITS: usize = 1024;
/// The size of the file.
pub(crate) const BYTES: usize = size_of::<Table>();
// The simulator makes it as large.
const _: () = assert!(BYTES == 53_312);

/// Nobody uses the entry.
pub(crate) const FREE: u32 = 0;
/// A thread is writing the entry.
pub(crate) const TAKEN: u32 = 1;
/// A thread waits.
pub(crate) const WAITING: u32 = 2;
/// The deadline has come; the thread is to be woken.
pub(crate) const DUE: u32 = 3;

/// The file.
#[repr(C)]
pub(crate) struct Table {
    pub(crate) magic: AtomicU64,
    /// Nanoseconds that monotonic clocks show.
    pub(crate) now_ns: AtomicU64,
    /// What the clock of the day shows in addition.
    pub(crate) day_ns: AtomicU64,
    pub(crate) seed: AtomicU64,
    /// How many processes have mapped the file so far.
    pub(crate) attached: AtomicU64,
    /// Entries from here on were never used.
    pub(crate) used: AtomicU64,
    /// The process that simulates.
    pub(crate) simulator: AtomicU64,
    pub(crate) reserved: AtomicU64,
    pub(crate) waits: [Wait; WAITS],
    /// Programs that were started, and how often.
    names: [Name; NAMES],
}

/// A program that was started.
#[repr(C)]
struct Name {
    name: AtomicU64,
    count: AtomicU64,
}

/// A wait that ends at a deadline.
#[repr(C)]
pub(crate) struct Wait {
    pub(crate) state: AtomicU32,
    /// How the thread is woken.
    pub(crate) kind: AtomicU32,
    pub(crate) process: AtomicU32,
    pub(crate) thread: AtomicU32,
    pub(crate) deadline_ns: AtomicU64,
    /// The condition variable or the descriptor, if it is one.
    pub(crate) address: AtomicU64,
    /// The end of the pipe that the simulator writes to, as a descriptor of the process.
    pub(crate) pipe: AtomicU64,
    /// After which time it begins anew, for timers that do.
    pub(crate) interval_ns: AtomicU64,
}

impl Table {
    /// What monotonic clocks show.
    pub(crate) fn now_ns(&self) -> u64 {
        self.now_ns.load(Ordering::Acquire)
    }

    /// What the clock of the day shows, since 1970.
    pub(crate) fn today_ns(&self) -> u64 {
        self.now_ns() + self.day_ns.load(Ordering::Relaxed)
    }

    /// Takes an entry, if there is one.
    pub(crate) fn take(&self) -> Option<&Wait> {
        let free = |wait: &&Wait| {
            wait.state.load(Ordering::Relaxed) == FREE
                && wait.state.compare_exchange(FREE, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        let at = self.waits.iter().position(|wait| free(&wait))?;
        self.used.fetch_max(at as u64 + 1, Ordering::AcqRel);
        Some(&self.waits[at])
    }

    /// How often a program of this name was started before, which this call adds one to.
    pub(crate) fn started_before(&self, name: u64) -> u64 {
        let own = |known: &&Name| {
            let found = known.name.compare_exchange(0, name, Ordering::AcqRel, Ordering::Acquire);
            found.is_ok() || found == Err(name)
        };
        let last = &self.names[NAMES - 1];
        self.names.iter().find(own).unwrap_or(last).count.fetch_add(1, Ordering::AcqRel)
    }

    /// The entries that were ever used.
    pub(crate) fn waits(&self) -> &[Wait] {
        &self.waits[..(self.used.load(Ordering::Acquire) as usize).min(WAITS)]
    }
}
