//! Histories: what clients invoked, and what they were told.
//!
//! Invariant: an operation is invoked once and ends at most once. The first completion counts; whatever comes later for the
//! same operation is ignored, and counted. Operations are kept in the order of their invocation, and
//! [`History::events`] gives invocations and completions in the order in which they were recorded, which is time order.
//!
//! A *process* does one thing at a time. A client that invokes an operation while an earlier one is pending does so as a
//! further process, the lowest free one: `process = client + clients * slot`. An operation of unknown fate may still take
//! effect at any later time, so its process never invokes again.
//!
//! ```
//! use crdts::objects::counter::{Counter, CounterOp, CounterRet};
//! use sim::history::{History, Outcome};
//!
//! let mut history = History::<Counter>::new(2);
//! let add = history.invoke(0, 0, CounterOp::Add(3), 10);
//! let read = history.invoke(0, 1, CounterOp::Read, 20);
//! history.complete(read, 30, Outcome::Ok(CounterRet::Total(0)));
//! history.complete(add, 40, Outcome::Ok(CounterRet::Added));
//! history.complete(add, 50, Outcome::Info("timeout"));
//! assert_eq!(history.operations()[1].process, 2);
//! assert_eq!(history.ignored_completions(), 1);
//! assert_eq!(history.events().count(), 4);
//! ```
//!
//! A history is what clients saw, and what most checkers judge. It says nothing about replicas' states, messages or faults.

mod events;
pub mod file;
mod lines;
mod processes;

use crdts::object::Object;

pub use events::{Event, EventKind, Events};
pub use lines::Spoken;
use processes::Processes;

/// One operation of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<O: Object> {
    /// Its number in the order of invocation, from 0.
    pub id: u32,
    /// The process that invoked it: one that has no other operation pending.
    pub process: u64,
    /// The number of the client, from 0.
    pub client: u32,
    /// The number of the replica it was addressed to, from 0.
    pub replica: u32,
    /// What was asked for.
    pub op: O::Op,
    /// When the client invoked it.
    pub invoked_ns: u64,
    /// When the client learnt the outcome, or gave up; `None` while it is pending.
    pub ended_ns: Option<u64>,
    /// What the client knows about it.
    pub outcome: Outcome<O::Ret>,
    /// Is it one of the reads after the quiet period at the end of a run?
    pub is_final: bool,
}

impl<O: Object> Operation<O> {
    /// Can the operation change the object?
    pub fn is_update(&self) -> bool {
        O::is_update(&self.op)
    }
}

/// What a client knows about an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<Ret> {
    /// It took effect and returned this.
    Ok(Ret),
    /// It did not and will not take effect, for this reason.
    Fail(&'static str),
    /// It is indeterminate, for this reason: it may have taken effect, or still do so, or not.
    Info(&'static str),
    /// The client still waits.
    Pending,
}

/// The operations of a run.
#[derive(Clone, Debug)]
pub struct History<O: Object> {
    operations: Vec<Operation<O>>,
    completions: Vec<Completion>,
    processes: Processes,
    ignored_completions: u64,
}

/// The end of an operation, with its place among the invocations.
#[derive(Clone, Copy, Debug)]
struct Completion {
    id: u32,
    /// How many operations had been invoked before.
    invoked_before: u32,
}

impl<O: Object> History<O> {
    /// An empty history of this many clients.
    pub fn new(clients: u32) -> Self {
        Self {
            operations: Vec::new(),
            completions: Vec::new(),
            processes: Processes::new(clients),
            ignored_completions: 0,
        }
    }

    /// Records an invocation and returns the operation's id. Recording happens in time order.
    ///
    /// # Panics
    /// When `client` is not below the number of clients.
    pub fn invoke(&mut self, client: u32, replica: u32, op: O::Op, at_ns: u64) -> u32 {
        let id = self.operations.len() as u32;
        self.operations.push(Operation {
            id,
            process: self.processes.occupy(client),
            client,
            replica,
            op,
            invoked_ns: at_ns,
            ended_ns: None,
            outcome: Outcome::Pending,
            is_final: false,
        });
        id
    }

    /// Records the invocation of a final read at `replica`; like [`History::invoke`] otherwise.
    pub fn invoke_final_read(&mut self, client: u32, replica: u32, at_ns: u64) -> u32 {
        let id = self.invoke(client, replica, O::read(), at_ns);
        self.operations[id as usize].is_final = true;
        id
    }

    /// Records how an operation ended, and returns whether this was news: the first completion counts, and later ones are
    /// ignored and counted. To complete with [`Outcome::Pending`] is to ignore.
    ///
    /// # Panics
    /// When `id` was not returned by [`History::invoke`].
    pub fn complete(&mut self, id: u32, at_ns: u64, outcome: Outcome<O::Ret>) -> bool {
        let invoked_before = self.operations.len() as u32;
        let operation = &mut self.operations[id as usize];
        if operation.ended_ns.is_some() || outcome == Outcome::Pending {
            self.ignored_completions += 1;
            return false;
        }
        debug_assert!(operation.invoked_ns <= at_ns, "operation {id} ended before it was invoked");
        if !matches!(outcome, Outcome::Info(_)) {
            self.processes.release(operation.client, operation.process);
        }
        operation.ended_ns = Some(at_ns);
        operation.outcome = outcome;
        self.completions.push(Completion { id, invoked_before });
        true
    }

    /// Ends what is pending: updates become indeterminate, and reads, which change nothing, failed; both by `timeout`.
    pub fn finish(&mut self, at_ns: u64) {
        for id in 0..self.operations.len() as u32 {
            let operation = &self.operations[id as usize];
            if operation.ended_ns.is_none() {
                let outcome = if operation.is_update() { Outcome::Info("timeout") } else { Outcome::Fail("timeout") };
                self.complete(id, at_ns, outcome);
            }
        }
    }

    /// All operations in the order of their invocation; an operation's id is its index.
    pub fn operations(&self) -> &[Operation<O>] {
        &self.operations
    }

    /// The operations that can change the object.
    pub fn updates(&self) -> impl Iterator<Item = &Operation<O>> {
        self.operations.iter().filter(|operation| operation.is_update())
    }

    /// The operations that cannot change the object, final reads included.
    pub fn reads(&self) -> impl Iterator<Item = &Operation<O>> {
        self.operations.iter().filter(|operation| !operation.is_update())
    }

    /// The reads after the quiet period at the end.
    pub fn final_reads(&self) -> impl Iterator<Item = &Operation<O>> {
        self.operations.iter().filter(|operation| operation.is_final)
    }

    /// Invocations and completions in the order of their recording.
    pub fn events(&self) -> Events<'_, O> {
        Events::new(&self.operations, &self.completions)
    }

    /// How many completions came for operations that had ended already.
    pub fn ignored_completions(&self) -> u64 {
        self.ignored_completions
    }

    /// The memory held, in bytes, without what operations and returns hold on the heap themselves.
    pub fn bytes(&self) -> u64 {
        let operations = self.operations.capacity() * size_of::<Operation<O>>();
        let completions = self.completions.capacity() * size_of::<Completion>();
        (operations + completions) as u64 + self.processes.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdts::objects::counter::{Counter, CounterOp, CounterRet};
    use proptest::prelude::*;

    #[test]
    fn overlapping_operations_take_the_lowest_free_process() {
        let mut history = History::<Counter>::new(3);
        let ids = [0; 3].map(|_| history.invoke(1, 0, CounterOp::Read, 0));
        let process = |history: &History<Counter>, id: u32| history.operations()[id as usize].process;
        assert_eq!(ids.map(|id| process(&history, id)), [1, 4, 7]);

        history.complete(ids[2], 1, Outcome::Fail("down"));
        history.complete(ids[0], 1, Outcome::Ok(CounterRet::Total(0)));
        let next = [0; 3].map(|_| history.invoke(1, 0, CounterOp::Add(1), 2));
        assert_eq!(next.map(|id| process(&history, id)), [1, 7, 10]);
    }

    #[test]
    fn a_process_with_an_operation_of_unknown_fate_is_done() {
        let mut history = History::<Counter>::new(1);
        for expected in 0..3 {
            let id = history.invoke(0, 0, CounterOp::Add(1), 0);
            assert_eq!(history.operations()[id as usize].process, expected);
            history.complete(id, 1, Outcome::Info("timeout"));
        }
    }

    #[test]
    fn the_first_completion_counts_and_finish_ends_the_rest() {
        let mut history = History::<Counter>::new(2);
        let add = history.invoke(0, 0, CounterOp::Add(1), 0);
        let lost = history.invoke(1, 0, CounterOp::Add(2), 1);
        let read = history.invoke_final_read(1, 1, 2);
        assert!(history.complete(add, 3, Outcome::Ok(CounterRet::Added)));
        assert!(!history.complete(add, 4, Outcome::Fail("down")));
        assert!(!history.complete(lost, 4, Outcome::Pending));
        history.finish(9);
        history.finish(10);
        let ends: Vec<_> = history.operations().iter().map(|o| (o.outcome.clone(), o.ended_ns)).collect();
        assert_eq!(
            ends,
            [
                (Outcome::Ok(CounterRet::Added), Some(3)),
                (Outcome::Info("timeout"), Some(9)),
                (Outcome::Fail("timeout"), Some(9)),
            ]
        );
        assert_eq!(history.ignored_completions(), 2);
        assert!(!history.complete(lost, 11, Outcome::Ok(CounterRet::Added)));
        assert_eq!(history.updates().map(|o| o.id).collect::<Vec<_>>(), [add, lost]);
        assert_eq!(history.reads().map(|o| o.id).collect::<Vec<_>>(), [read]);
        assert_eq!(history.final_reads().map(|o| o.id).collect::<Vec<_>>(), [read]);
    }

    #[test]
    fn memory_is_accounted() {
        let mut history = History::<Counter>::new(4);
        let empty = history.bytes();
        for k in 0..1_000 {
            history.invoke(k % 4, 0, CounterOp::Read, u64::from(k));
        }
        assert!(history.bytes() >= empty + 1_000 * size_of::<Operation<Counter>>() as u64);
    }

    proptest! {
        #[test]
        fn events_are_well_formed(steps in prop::collection::vec((0_u32..3, 0_u8..5, any::<prop::sample::Index>()), 0..200)) {
            let mut history = History::<Counter>::new(3);
            let mut expected = Vec::new();
            for (now, (client, what, which)) in steps.into_iter().enumerate() {
                let now = now as u64;
                if what < 2 || history.operations().is_empty() {
                    let id = history.invoke(client, 0, CounterOp::Add(1), now);
                    expected.push((now, id, EventKind::Invoke));
                    continue;
                }
                let id = which.index(history.operations().len()) as u32;
                let (outcome, kind) = match what {
                    2 => (Outcome::Ok(CounterRet::Added), EventKind::Ok),
                    3 => (Outcome::Fail("down"), EventKind::Fail),
                    _ => (Outcome::Info("timeout"), EventKind::Info),
                };
                if history.complete(id, now, outcome) {
                    expected.push((now, id, kind));
                }
            }
            let events: Vec<_> = history.events().map(|e| (e.time_ns, e.operation.id, e.kind)).collect();
            prop_assert_eq!(events, expected);

            let mut busy = std::collections::BTreeMap::new();
            for event in history.events() {
                let process = event.operation.process;
                match event.kind {
                    EventKind::Invoke => prop_assert_eq!(busy.insert(process, event.operation.id), None),
                    EventKind::Info => {}
                    EventKind::Ok | EventKind::Fail => {
                        prop_assert_eq!(busy.remove(&process), Some(event.operation.id));
                    }
                }
            }
        }
    }
}
