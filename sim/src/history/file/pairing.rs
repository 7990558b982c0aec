//! Pairing: an operation is an invocation and, if there is one, its completion.
//!
//! Invariant: a process does one thing at a time. An operation whose completion says that nobody knows ends there for the
//! client, and not at all for what it does: it may take effect at any later time.

use std::collections::BTreeMap;

use super::{EventKind, ReadError, RecordedEvent, Recording, Value};

/// An operation of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedOperation {
    /// Who invoked it.
    pub process: Value,
    /// The name of the operation.
    pub f: String,
    /// What it is applied to, if that stands apart from the value.
    pub key: Option<Value>,
    /// The value of the invocation.
    pub argument: Value,
    /// Was it made after the quiet period at the end?
    pub is_final: bool,
    /// The line of the invocation, from 1.
    pub line: usize,
    /// The number of the invocation among the events, from 0.
    pub invoked: u64,
    /// How it ended; nothing if the file ends first.
    pub completion: Option<Completion>,
}

/// The end of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Its number among the events.
    pub at: u64,
    /// The line, from 1.
    pub line: usize,
    /// How: never an invocation.
    pub kind: EventKind,
    /// What was returned.
    pub value: Value,
    /// Why it did not succeed, if the file says so.
    pub error: Option<Value>,
}

impl Recording {
    /// The operations in the order of their invocation.
    pub fn operations(&self) -> Result<Vec<RecordedOperation>, ReadError> {
        let mut operations: Vec<RecordedOperation> = Vec::new();
        let mut pending: BTreeMap<&Value, usize> = BTreeMap::new();
        for (at, event) in self.events.iter().enumerate() {
            if event.kind == EventKind::Invoke {
                if let Some(&earlier) = pending.get(&event.process) {
                    let line = operations[earlier].line;
                    let reason = format!("process {} has an operation pending since line {line}", event.process);
                    return Err(ReadError::new(event.line, reason));
                }
                pending.insert(&event.process, operations.len());
                operations.push(invocation(at as u64, event));
            } else {
                let of = pending.remove(&event.process).ok_or_else(|| {
                    ReadError::new(event.line, format!("process {} has no operation that could end", event.process))
                })?;
                complete(&mut operations[of], at as u64, event)?;
            }
        }
        Ok(operations)
    }
}

fn invocation(at: u64, event: &RecordedEvent) -> RecordedOperation {
    RecordedOperation {
        process: event.process.clone(),
        f: event.f.clone(),
        key: event.key.clone(),
        argument: event.value.clone(),
        is_final: event.is_final,
        line: event.line,
        invoked: at,
        completion: None,
    }
}

fn complete(operation: &mut RecordedOperation, at: u64, event: &RecordedEvent) -> Result<(), ReadError> {
    if operation.f != event.f {
        let reason = format!(
            "this ends a {}, but process {} invoked a {} on line {}",
            event.f, event.process, operation.f, operation.line
        );
        return Err(ReadError::new(event.line, reason));
    }
    operation.completion = Some(Completion {
        at,
        line: event.line,
        kind: event.kind,
        value: event.value.clone(),
        error: event.error.clone(),
    });
    Ok(())
}
