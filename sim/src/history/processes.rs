//! Processes: which of a client's slots are free.
//!
//! Invariant: a process that [`Processes::occupy`] returns is not returned again before it was released. Both take time
//! logarithmic in the number of the client's own free slots.

use std::{cmp::Reverse, collections::BinaryHeap};

/// The processes of all clients: `process = client + clients * slot`.
#[derive(Clone, Debug)]
pub(super) struct Processes {
    clients: Vec<Slots>,
    opened: u64,
}

/// The slots of one client.
#[derive(Clone, Debug, Default)]
struct Slots {
    opened: u32,
    free: BinaryHeap<Reverse<u32>>,
}

impl Processes {
    pub(super) fn new(clients: u32) -> Self {
        Self { clients: vec![Slots::default(); clients as usize], opened: 0 }
    }

    /// The client's lowest free process, which is free no longer.
    pub(super) fn occupy(&mut self, client: u32) -> u64 {
        let clients = self.clients.len() as u64;
        let slots = &mut self.clients[client as usize];
        let slot = if let Some(Reverse(slot)) = slots.free.pop() {
            slot
        } else {
            slots.opened += 1;
            self.opened += 1;
            slots.opened - 1
        };
        u64::from(client) + clients * u64::from(slot)
    }

    /// The process has nothing pending any more.
    pub(super) fn release(&mut self, client: u32, process: u64) {
        let slot = process / self.clients.len() as u64;
        self.clients[client as usize].free.push(Reverse(slot as u32));
    }

    /// The memory held, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        // A growing heap holds at most twice what it was filled with, and a first allocation holds four.
        let heaps = self.opened * 4 * size_of::<Reverse<u32>>() as u64;
        (self.clients.capacity() * size_of::<Slots>()) as u64 + heaps
    }
}
