//! Entropy: a stream of numbers from the seed, the identity of the process, and how much it has taken.
//!
//! Invariant: what a process gets depends on how much it has asked for before, and on nothing else. This is no secret to anybody.
//!
//! Example: the first eight bytes of the first `node` of a run with seed 1 are the same on every machine.

use std::ffi::c_uint;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::attach::{identity, table};
use crate::libc::{c_int, c_void, real};
use crate::table::Table;

/// How many words have been taken.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// A new process begins its own stream.
pub(crate) fn restart() {
    TAKEN.store(0, Ordering::Relaxed);
}

/// Mixes the bits of a word (the finalizer of `SplitMix64`: Steele, Lea and Flood, OOPSLA 2014).
pub(crate) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Words one after the other.
pub(crate) struct Stream {
    start: u64,
    taken: u64,
}

impl Stream {
    /// The stream with this number; number 0 is what functions take from.
    pub(crate) fn new(table: &Table, number: u64) -> Self {
        let seed = table.seed.load(Ordering::Relaxed);
        let process = mix(identity().wrapping_add(0x9e37_79b9_7f4a_7c15));
        Self { start: mix(mix(seed ^ process).wrapping_add(number)), taken: 0 }
    }

    /// The word at a place.
    fn at(&self, place: u64) -> u64 {
        mix(self.start.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// The next word.
    pub(crate) fn next(&mut self) -> u64 {
        self.taken += 1;
        self.at(self.taken)
    }
}

/// The next word that no function has taken yet.
fn next(table: &Table) -> u64 {
    Stream::new(table, 0).at(TAKEN.fetch_add(1, Ordering::Relaxed))
}

/// Fills a buffer.
pub(crate) fn fill(table: &Table, buffer: *mut c_void, length: usize) {
    let mut done = 0;
    while done < length {
        let bytes = next(table).to_le_bytes();
        let count = bytes.len().min(length - done);
        // SAFETY: the caller's buffer has room for `length` bytes.
        unsafe { buffer.cast::<u8>().add(done).copy_from_nonoverlapping(bytes.as_ptr(), count) };
        done += count;
    }
}

/// Stands in for `getrandom`.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, length: usize, flags: c_uint) -> isize {
    match table() {
        Some(table) if !buffer.is_null() => {
            fill(table, buffer, length);
            length as isize
        }
        // SAFETY: the arguments are the caller's.
        _ => unsafe { real!(getrandom: fn(*mut c_void, usize, c_uint) -> isize)(buffer, length, flags) },
    }
}

/// Stands in for `getentropy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn getentropy(buffer: *mut c_void, length: usize) -> c_int {
    match table() {
        Some(table) if length <= 256 && !buffer.is_null() => {
            fill(table, buffer, length);
            0
        }
        // SAFETY: the arguments are the caller's.
        _ => unsafe { real!(getentropy: fn(*mut c_void, usize) -> c_int)(buffer, length) },
    }
}

/// Stands in for `arc4random`.
#[unsafe(no_mangle)]
unsafe extern "C" fn arc4random() -> c_uint {
    match table() {
        Some(table) => next(table) as c_uint,
        // SAFETY: has no precondition.
        None => unsafe { real!(arc4random: fn() -> c_uint)() },
    }
}

/// Stands in for `arc4random_buf`.
#[unsafe(no_mangle)]
unsafe extern "C" fn arc4random_buf(buffer: *mut c_void, length: usize) {
    match table() {
        Some(table) => fill(table, buffer, length),
        // SAFETY: the arguments are the caller's.
        None => unsafe { real!(arc4random_buf: fn(*mut c_void, usize) -> ())(buffer, length) },
    }
}

/// Stands in for `arc4random_uniform`.
#[unsafe(no_mangle)]
unsafe extern "C" fn arc4random_uniform(bound: c_uint) -> c_uint {
    match table() {
        Some(table) => ((u128::from(next(table)) * u128::from(bound)) >> 64) as c_uint,
        // SAFETY: the argument is the caller's.
        None => unsafe { real!(arc4random_uniform: fn(c_uint) -> c_uint)(bound) },
    }
}
