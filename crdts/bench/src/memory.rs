//! A counting allocator: how many bytes of heap a structure holds, and how many it needed while it was built.
//!
//! Bytes are those that were requested. That number is the same in every run, unlike the resident memory of a process that
//! measures many libraries one after the other. Counting is on only inside [`measure`], so times do not pay for it.
//!
//! The one place with unsafe code: an allocator cannot be written without.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed},
};

/// Hands every request to the system's allocator and counts while [`measure`] runs.
#[derive(Debug)]
pub struct Counting;

static ON: AtomicBool = AtomicBool::new(false);
static HELD_BYTES: AtomicIsize = AtomicIsize::new(0);
static PEAK_BYTES: AtomicIsize = AtomicIsize::new(0);

fn count(bytes: isize) {
    if ON.load(Relaxed) {
        let held = HELD_BYTES.fetch_add(bytes, Relaxed) + bytes;
        PEAK_BYTES.fetch_max(held, Relaxed);
    }
}

#[expect(unsafe_code, reason = "the trait demands it; every call goes unchanged to the system's allocator")]
// SAFETY: The system's allocator keeps the contract, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size as isize - layout.size() as isize);
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

/// Bytes of heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heap {
    /// What the result holds.
    pub held_bytes: usize,
    /// The most that was held at one time while it was made.
    pub peak_bytes: usize,
}

impl Heap {
    /// What the result holds, in KiB.
    pub fn held_kib(self) -> usize {
        self.held_bytes.div_ceil(1024)
    }

    /// The most that was held, in KiB.
    pub fn peak_kib(self) -> usize {
        self.peak_bytes.div_ceil(1024)
    }
}

/// Makes something and counts its heap. Works only in a program whose global allocator is [`Counting`]; not reentrant.
pub fn measure<T>(make: impl FnOnce() -> T) -> (T, Heap) {
    HELD_BYTES.store(0, Relaxed);
    PEAK_BYTES.store(0, Relaxed);
    ON.store(true, Relaxed);
    let made = make();
    ON.store(false, Relaxed);
    let bytes = |counted: isize| usize::try_from(counted).unwrap_or(0);
    (made, Heap { held_bytes: bytes(HELD_BYTES.load(Relaxed)), peak_bytes: bytes(PEAK_BYTES.load(Relaxed)) })
}
