//! Every event of one run, as JSON lines.
//!
//! A line per event that was handled or dropped, in the order of events: virtual time, place in the order of scheduling
//! (the id of a message), the event that caused it, kind, endpoints, content, the digest of the replica's observable value
//! before and after, and the fingerprint of the run up to here. Equal runs give equal bytes.

use std::io::{self, Write};

use serde::Serialize;

use super::running::start;
use crate::{
    kernel::{ids::NodeId, observer::TracedEvent, time::Time, world::Stop},
    scenario::{Plan, SystemSpec},
};

/// Which events are written.
#[derive(Clone, Debug, Default)]
pub struct TraceFilter {
    /// Only those that concern one of these endpoints; all when empty.
    pub nodes: Vec<NodeId>,
    /// Only those up to this time.
    pub until: Option<Time>,
}

impl TraceFilter {
    fn admits(&self, event: &TracedEvent<'_>) -> bool {
        let concerns = |node: Option<NodeId>| node.is_some_and(|node| self.nodes.contains(&node));
        (self.nodes.is_empty() || concerns(event.node) || concerns(event.from))
            && self.until.is_none_or(|until| event.time <= until)
    }
}

/// Runs one system under `seed` and writes its events to `out`. Returns why the run stopped.
pub fn trace(plan: &Plan, system: &SystemSpec, seed: u64, filter: &TraceFilter, out: impl Write) -> io::Result<Stop> {
    let span = tracing::info_span!("trace", system = system.name);
    let _entered = span.enter();
    let mut run = start(plan, system, seed);
    let mut writer = Writer { plan, filter, out, causes: Vec::new(), failed: None };
    // What comes after the last event of interest need not be run, and nothing is written to a closed pipe.
    let stop = loop {
        if filter.until.is_some_and(|until| run.now() > until) || writer.failed.is_some() {
            break Stop::Completed;
        }
        if let Some(stop) = run.step_traced(&mut |event| writer.event(event)) {
            break stop;
        }
    };
    match writer.failed.take() {
        Some(error) => Err(error),
        None => writer.out.flush().map(|()| stop),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    t_ns: u64,
    id: u64,
    cause: Option<u64>,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    handled: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_after: Option<String>,
    fingerprint: String,
}

/// Writes lines.
struct Writer<'a, W> {
    plan: &'a Plan,
    filter: &'a TraceFilter,
    out: W,
    /// The first sequence number scheduled by an event, and the event; by rising sequence numbers.
    causes: Vec<(u64, u64)>,
    failed: Option<io::Error>,
}

impl<W: Write> Writer<'_, W> {
    fn event(&mut self, event: &TracedEvent<'_>) {
        if event.scheduled_from < event.scheduled_to {
            self.causes.push((event.scheduled_from, event.sequence));
        }
        if !self.filter.admits(event) || self.failed.is_some() {
            return;
        }
        let before = self.causes.partition_point(|&(first, _)| first <= event.sequence);
        // Events that no event scheduled were scheduled when the run was set up.
        let cause = before.checked_sub(1).map(|index| self.causes[index].1).filter(|&cause| cause != event.sequence);
        // Final reads are made by readers that stand beside their replicas and are no endpoints.
        let is_endpoint = |node: NodeId| node.0 < self.plan.endpoints().total();
        let name = |node| if is_endpoint(node) { self.plan.endpoint_name(node) } else { "reader".to_owned() };
        let replica = event.node.filter(|node| node.0 < self.plan.endpoints().replicas);
        let line = Line {
            t_ns: event.time.0,
            id: event.sequence,
            cause,
            kind: event.kind,
            node: event.node.map(name),
            from: event.from.map(name),
            handled: event.handled,
            detail: event.detail,
            state_before: replica.map(|_| format!("{:016x}", event.digest_before)),
            state_after: replica.map(|_| format!("{:016x}", event.digest_after)),
            fingerprint: event.fingerprint.to_string(),
        };
        let written = serde_json::to_writer(&mut self.out, &line).map_err(io::Error::from);
        if let Err(error) = written.and_then(|()| self.out.write_all(b"\n")) {
            self.failed = Some(error);
        }
    }
}
