//! The event queue: a calendar of buckets that are sorted when they are opened.
//!
//! Events come out in the total order of (time, sequence), where the sequence is the order of scheduling. A textbook
//! calendar aims at one or two events a bucket; on today's caches that is wrong. Here a bucket is a chain of fixed chunks
//! that nothing touches between filling and opening, and holds tens to hundreds of events; only the open bucket is sorted.
//! Events beyond the ring of buckets wait in a heap, and so do those that are scheduled into the bucket that is open: a
//! million events for one instant cost a logarithm each, not a sort each.
//!
//! Invariants: the width of buckets affects speed only, never the order; after the population has reached its peak
//! nothing is allocated (chunks are reused).
//!
//! ```
//! use sim::kernel::{queue::Calendar, time::Time};
//! let mut queue = Calendar::default();
//! queue.push(Time(20), 'b');
//! queue.push(Time(20), 'c');
//! queue.push(Time(10), 'a');
//! let order: Vec<char> = std::iter::from_fn(|| queue.pop()).map(|next| next.event).collect();
//! assert_eq!(order, ['a', 'b', 'c']);
//! ```
//!
//! There is deliberately no cancellation: a timer that should not fire any more is ignored by its owner.

use std::collections::BinaryHeap;

use super::time::Time;

/// An event with its place in the total order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scheduled<E> {
    /// When it happens.
    pub time: Time,
    /// Which of the events of the run it is, by the order of scheduling.
    pub sequence: u64,
    /// What happens.
    pub event: E,
}

impl<E> Scheduled<E> {
    /// One number, so that comparing takes no branch.
    #[inline]
    fn key(&self) -> u128 {
        u128::from(self.time.0) << 64 | u128::from(self.sequence)
    }
}

/// Orders the heaps: the earliest first.
#[derive(Clone, Copy, Debug)]
struct Earliest<E>(Scheduled<E>);

impl<E> PartialEq for Earliest<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0.key() == other.0.key()
    }
}

impl<E> Eq for Earliest<E> {}

impl<E> PartialOrd for Earliest<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Earliest<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.key().cmp(&self.0.key())
    }
}

/// Buckets of the ring; a power of two.
const RING: usize = 1 << 14;
/// Events of a chunk.
const CHUNK: usize = 16;
/// No chunk.
const NONE: u32 = u32::MAX;
/// The first guess of a bucket's width: 2^18 ns, about a quarter of a millisecond.
const FIRST_SHIFT: u32 = 18;

/// Part of a bucket's events. All chunks of a bucket but the first are full. Nothing else is in a chunk, so that adding an
/// event touches one cache line of it.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Chunk<E> {
    events: [Scheduled<E>; CHUNK],
}

/// The first chunk of a bucket and how many events it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    chunk: u32,
    len: u32,
}

/// A bucket without events: its first chunk counts as full, so that an event needs a new one.
const EMPTY: Head = Head { chunk: NONE, len: CHUNK as u32 };

/// The calendar.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    /// The open bucket, the latest first, so that the next event is popped from the end.
    open: Vec<Scheduled<E>>,
    /// The number of the open bucket: its time divided by the width.
    cursor: u64,
    /// Buckets are `2^shift` ns wide.
    shift: u32,
    /// Every bucket of the ring.
    heads: Box<[Head; RING]>,
    /// One bit per bucket of the ring: has it events?
    occupied: Vec<u64>,
    chunks: Vec<Chunk<E>>,
    /// The chunk that follows each in its bucket, or among the free ones.
    following: Vec<u32>,
    /// The first free chunk.
    free: u32,
    /// What was scheduled into the open bucket after it was opened.
    late: BinaryHeap<Earliest<E>>,
    /// What lies beyond the ring.
    far: BinaryHeap<Earliest<E>>,
    len: usize,
    sequence: u64,
    /// Events and buckets opened since the width was last considered.
    opened_events: u64,
    opened_buckets: u64,
}

impl<E: Copy + Default> Default for Calendar<E> {
    fn default() -> Self {
        Self {
            open: Vec::with_capacity(4 * CHUNK),
            cursor: 0,
            shift: FIRST_SHIFT,
            heads: vec![EMPTY; RING].into_boxed_slice().try_into().expect("the length is that of the ring"),
            occupied: vec![0; RING / 64],
            chunks: Vec::new(),
            following: Vec::new(),
            free: NONE,
            late: BinaryHeap::new(),
            far: BinaryHeap::new(),
            len: 0,
            sequence: 0,
            opened_events: 0,
            opened_buckets: 0,
        }
    }
}

impl<E: Copy + Default> Calendar<E> {
    /// Schedules an event and returns its sequence number. Times before the last popped event are served at once.
    #[inline]
    pub fn push(&mut self, time: Time, event: E) -> u64 {
        let sequence = self.sequence;
        self.sequence += 1;
        self.len += 1;
        let bucket = time.0 >> self.shift;
        let head = &mut self.heads[bucket as usize % RING];
        // Nearly every event is due within the ring and finds room in the first chunk of its bucket.
        if self.cursor < bucket && bucket - self.cursor < RING as u64 && (head.len as usize) < CHUNK {
            self.chunks[head.chunk as usize].events[head.len as usize] = Scheduled { time, sequence, event };
            head.len += 1;
        } else {
            self.place(Scheduled { time, sequence, event });
        }
        sequence
    }

    /// The next event.
    #[inline]
    pub fn pop(&mut self) -> Option<Scheduled<E>> {
        loop {
            let next = self.pop_open();
            if next.is_some() || !self.advance() {
                return next;
            }
        }
    }

    /// The next event of the open bucket.
    #[inline]
    pub fn pop_open(&mut self) -> Option<Scheduled<E>> {
        let next = if self.late.is_empty() { self.open.pop() } else { self.pop_late() };
        self.len -= usize::from(next.is_some());
        next
    }

    /// Opens the next bucket, when the open one is used up. Returns whether anything is pending.
    #[cold]
    pub fn advance(&mut self) -> bool {
        if self.len > 0 && self.open.is_empty() && self.late.is_empty() {
            self.open_next();
        }
        self.len > 0
    }

    /// What the open bucket held when it was opened and still holds, the latest event first.
    pub fn opened(&self) -> &[Scheduled<E>] {
        &self.open
    }

    /// The next event when some came late.
    fn pop_late(&mut self) -> Option<Scheduled<E>> {
        let late = self.late.peek()?.0.key();
        match self.open.last() {
            Some(next) if next.key() < late => self.open.pop(),
            _ => self.late.pop().map(|entry| entry.0),
        }
    }

    /// The number of pending events.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Is nothing pending?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of events scheduled so far.
    pub fn scheduled(&self) -> u64 {
        self.sequence
    }

    /// The memory held, in bytes.
    pub fn bytes(&self) -> u64 {
        let chunks = self.chunks.capacity() * size_of::<Chunk<E>>() + self.following.capacity() * size_of::<u32>();
        let entries = (self.open.capacity() + self.late.capacity() + self.far.capacity()) * size_of::<Scheduled<E>>();
        (chunks + entries + RING * size_of::<Head>() + RING / 8) as u64
    }

    fn place(&mut self, entry: Scheduled<E>) {
        let bucket = entry.time.0 >> self.shift;
        if bucket <= self.cursor {
            self.late.push(Earliest(entry));
        } else if bucket - self.cursor < RING as u64 {
            self.append((bucket as usize) & (RING - 1), entry);
        } else {
            self.far.push(Earliest(entry));
        }
    }

    fn append(&mut self, slot: usize, entry: Scheduled<E>) {
        let head = self.heads[slot];
        if (head.len as usize) < CHUNK {
            self.chunks[head.chunk as usize].events[head.len as usize] = entry;
            self.heads[slot].len += 1;
        } else {
            self.append_chunk(slot, head.chunk, entry);
        }
    }

    fn append_chunk(&mut self, slot: usize, following: u32, entry: Scheduled<E>) {
        self.occupied[slot / 64] |= 1 << (slot % 64);
        let chunk = self.free;
        if chunk == NONE {
            self.heads[slot] = Head { chunk: self.chunks.len() as u32, len: 1 };
            self.chunks.push(Chunk { events: [entry; CHUNK] });
            self.following.push(following);
        } else {
            self.heads[slot] = Head { chunk, len: 1 };
            self.free = std::mem::replace(&mut self.following[chunk as usize], following);
            self.chunks[chunk as usize].events[0] = entry;
        }
    }

    /// Moves on to the next bucket with events, and sorts it. Something is pending and the open bucket is empty.
    fn open_next(&mut self) {
        self.consider_width();
        let near = self.next_occupied();
        let far = self.far.peek().map(|entry| entry.0.time.0 >> self.shift);
        let Some(bucket) = near.into_iter().chain(far).min() else {
            // Widening moved everything that was pending into the window of the open bucket.
            return;
        };
        self.cursor = bucket;
        // The window moved with the cursor: what came into reach leaves the heap, before anything later is opened.
        while let Some(entry) = self.far.peek().copied() {
            if (entry.0.time.0 >> self.shift) - bucket >= RING as u64 {
                break;
            }
            self.far.pop();
            self.append(((entry.0.time.0 >> self.shift) as usize) & (RING - 1), entry.0);
        }
        self.drain((bucket as usize) & (RING - 1));
        self.open.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key()));
        self.opened_events += self.open.len() as u64;
        self.opened_buckets += 1;
    }

    /// The first bucket after the cursor that has events in the ring.
    fn next_occupied(&self) -> Option<u64> {
        let start = self.cursor as usize + 1;
        let words = RING / 64;
        for step in 0..=words {
            let at = (start / 64 + step) % words;
            let mut bits = self.occupied[at];
            if step == 0 {
                bits &= !0 << (start % 64);
            } else if step == words {
                bits &= !(!0 << (start % 64));
            }
            if bits != 0 {
                let slot = at * 64 + bits.trailing_zeros() as usize;
                let ahead = (slot.wrapping_sub(start)) & (RING - 1);
                return Some(self.cursor + 1 + ahead as u64);
            }
        }
        None
    }

    /// Moves a bucket's events to the open bucket and its chunks to the pool.
    fn drain(&mut self, slot: usize) {
        let Head { chunk: mut at, mut len } = std::mem::replace(&mut self.heads[slot], EMPTY);
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        while at != NONE {
            // A generic event is copied as memory, but cloned field by field.
            self.open.extend(self.chunks[at as usize].events[..len as usize].iter().copied());
            let next = std::mem::replace(&mut self.following[at as usize], self.free);
            self.free = at;
            (at, len) = (next, CHUNK as u32);
        }
    }

    /// How many events a bucket should hold: few while everything fits the fastest cache, many when every bucket's
    /// memory is cold (`benches/queue.rs`).
    fn events_wanted(&self) -> u64 {
        match self.len {
            0..256 => 8,
            256..32_768 => 12,
            _ => 256,
        }
    }

    /// Adapts the width when buckets turned out much fuller or emptier than wanted. Considered once per two
    /// populations of events, so that the cost of moving everything is spread thin.
    fn consider_width(&mut self) {
        if self.opened_events < (2 * self.len as u64).max(4096) {
            return;
        }
        let mean = (self.opened_events / self.opened_buckets).max(1);
        let wanted = self.events_wanted();
        self.opened_events = 0;
        self.opened_buckets = 0;
        let shift = if mean > 4 * wanted {
            self.shift.saturating_sub((mean / wanted).ilog2())
        } else if mean * 4 < wanted {
            (self.shift + (wanted / mean).ilog2()).min(40)
        } else {
            return;
        };
        if shift != self.shift {
            self.rebuild(shift);
        }
    }

    #[cold]
    fn rebuild(&mut self, shift: u32) {
        for slot in 0..RING {
            if self.heads[slot] != EMPTY {
                self.drain(slot);
            }
        }
        let mut pending = std::mem::take(&mut self.open);
        pending.extend(std::mem::take(&mut self.late).into_iter().map(|entry| entry.0));
        pending.extend(std::mem::take(&mut self.far).into_iter().map(|entry| entry.0));
        // The cursor stands on the last opened bucket, which is empty by now: nothing pending is earlier than its start.
        self.cursor = (self.cursor << self.shift) >> shift;
        self.shift = shift;
        self.open.reserve(4 * CHUNK);
        for entry in pending {
            self.place(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;

    /// The oracle: a binary heap of (time, sequence).
    #[derive(Default)]
    struct Heap {
        heap: BinaryHeap<Reverse<(Time, u64, u32)>>,
        sequence: u64,
    }

    impl Heap {
        fn push(&mut self, time: Time, event: u32) {
            self.heap.push(Reverse((time, self.sequence, event)));
            self.sequence += 1;
        }

        fn pop(&mut self) -> Option<(Time, u64, u32)> {
            self.heap.pop().map(|Reverse(entry)| entry)
        }
    }

    /// Runs both queues through the same steps; `None` pops, `Some(delay)` pushes that long after the last popped event.
    fn agree(steps: impl IntoIterator<Item = Option<u64>>) {
        let (mut calendar, mut heap) = (Calendar::default(), Heap::default());
        let mut now = Time::ZERO;
        let check = |calendar: &mut Calendar<u32>, heap: &mut Heap, now: &mut Time| {
            let (got, want) = (calendar.pop(), heap.pop());
            assert_eq!(got.map(|next| (next.time, next.sequence, next.event)), want);
            assert_eq!(calendar.len(), heap.heap.len());
            if let Some((time, ..)) = want {
                *now = time;
            }
            want.is_some()
        };
        for (k, step) in steps.into_iter().enumerate() {
            match step {
                Some(delay_ns) => {
                    calendar.push(now + delay_ns, k as u32);
                    heap.push(now + delay_ns, k as u32);
                }
                None => {
                    check(&mut calendar, &mut heap, &mut now);
                }
            }
        }
        while check(&mut calendar, &mut heap, &mut now) {}
    }

    proptest! {
        #[test]
        fn any_interleaving_agrees_with_the_heap(
            steps in prop::collection::vec(
                prop_oneof![
                    3 => Just(None),
                    1 => Just(Some(0)),
                    2 => (0..1_000_000_u64).prop_map(Some),
                    2 => (0..40_u32).prop_map(|bits| Some(1 << bits)),
                    1 => any::<u64>().prop_map(Some),
                ],
                0..400,
            )
        ) {
            agree(steps);
        }
    }

    #[test]
    fn a_changing_population_agrees_with_the_heap() {
        // Long enough to widen and narrow the buckets: the spacing changes by factors of a thousand, the population too.
        let stream = crate::kernel::draws::Stream::new(5, "test");
        let steps = (0..200_000_u64).map(|k| {
            let era = k / 20_000;
            let popular = if era % 2 == 0 { 9 } else { 11 };
            let spacing = [1_000, 1_000_000, 1_000_000_000, 20_000][(era % 4) as usize];
            (stream.below(0, k, 20) < popular).then(|| stream.below(1, k, spacing))
        });
        agree(steps);
    }

    #[test]
    fn simultaneous_events_keep_the_order_of_scheduling() {
        let mut queue = Calendar::default();
        for k in 0..10_000 {
            queue.push(Time(7), k);
        }
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|next| next.event).collect();
        assert!(order.is_sorted());
    }

    #[test]
    fn the_end_of_time_is_a_time() {
        agree([Some(u64::MAX), Some(0), None, Some(u64::MAX), None, None]);
    }
}
