//! Events: a history as a sequence of invocations and completions.

use crdts::object::Object;

use super::{Completion, Operation, Outcome};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A client invoked an operation.
    Invoke,
    /// It took effect.
    Ok,
    /// It did not and will not take effect.
    Fail,
    /// It is indeterminate.
    Info,
}

impl EventKind {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Info => "info",
        }
    }
}

/// An invocation or a completion.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a, O: Object> {
    /// Its number, from 0.
    pub index: u64,
    /// When it happened.
    pub time_ns: u64,
    /// What happened.
    pub kind: EventKind,
    /// The operation, as it stands at the end of the history.
    pub operation: &'a Operation<O>,
}

/// The events of a history in the order of their recording.
#[derive(Clone, Debug)]
pub struct Events<'a, O: Object> {
    operations: &'a [Operation<O>],
    completions: &'a [Completion],
    invoked: usize,
    completed: usize,
}

impl<'a, O: Object> Events<'a, O> {
    pub(super) fn new(operations: &'a [Operation<O>], completions: &'a [Completion]) -> Self {
        Self { operations, completions, invoked: 0, completed: 0 }
    }
}

impl<'a, O: Object> Iterator for Events<'a, O> {
    type Item = Event<'a, O>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = (self.invoked + self.completed) as u64;
        if let Some(completion) = self.completions.get(self.completed)
            && completion.invoked_before as usize <= self.invoked
        {
            self.completed += 1;
            let operation = &self.operations[completion.id as usize];
            let kind = match operation.outcome {
                Outcome::Ok(_) => EventKind::Ok,
                Outcome::Fail(_) => EventKind::Fail,
                Outcome::Info(_) | Outcome::Pending => EventKind::Info,
            };
            let time_ns = operation.ended_ns.unwrap_or(operation.invoked_ns);
            return Some(Event { index, time_ns, kind, operation });
        }
        let operation = self.operations.get(self.invoked)?;
        self.invoked += 1;
        Some(Event { index, time_ns: operation.invoked_ns, kind: EventKind::Invoke, operation })
    }
}
