//! Bodies of events in flight, behind small handles.
//!
//! The queue moves events of a few words; what they carry rests here. Slots are reused, the last freed first, so a run
//! allocates only while the number of messages in flight reaches a new peak.

/// Values behind `u32` handles.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Keeps a value until [`Slab::take`].
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(value);
            return slot;
        }
        self.slots.push(Some(value));
        self.slots.len() as u32 - 1
    }

    /// Takes a value out; every handle is taken once.
    #[inline]
    pub(crate) fn take(&mut self, slot: u32) -> T {
        self.free.push(slot);
        self.slots[slot as usize].take().expect("an event owns its body and is handled once")
    }

    /// Looks at a value.
    #[inline]
    pub(crate) fn get(&self, slot: u32) -> &T {
        self.slots[slot as usize].as_ref().expect("an event owns its body until it is handled")
    }

    /// The memory held, in bytes, without what values hold themselves.
    pub(crate) fn bytes(&self) -> u64 {
        (self.slots.capacity() * size_of::<Option<T>>() + self.free.capacity() * size_of::<u32>()) as u64
    }
}
