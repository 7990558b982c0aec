//! The loop for those who want to see every event.

use super::World;
use crate::kernel::{
    event::Event,
    ids::NodeId,
    node::{Node, Payload, StateOf},
    observer::{Observer, TracedEvent},
    queue::Scheduled,
    service::Service,
    workload::Workload,
};

impl<N, S, W, O> World<N, S, W, O>
where
    N: Node,
    S: Service<StateOf<N>>,
    W: Workload<N::Object>,
    O: Observer<N, S>,
{
    /// Handles one event as `handle` does, and shows it.
    pub(super) fn handle_traced(&mut self, next: Scheduled<Event<N::Timer>>, see: &mut dyn FnMut(&TracedEvent<'_>)) {
        let (kind, from, node, detail) = self.describe(&next.event);
        let digest_before = self.digest(node);
        let scheduled_from = self.core.queue.scheduled();
        let handled = self.handle(next);
        see(&TracedEvent {
            time: next.time,
            sequence: next.sequence,
            kind,
            node,
            from,
            detail: &detail,
            handled,
            scheduled_from,
            scheduled_to: self.core.queue.scheduled(),
            digest_before,
            digest_after: match node {
                Some(node) if node.index() < self.nodes.len() => self.nodes[node.index()].digest(),
                _ => 0,
            },
            fingerprint: self.fingerprint(),
        });
    }

    /// The digest of a replica's own value; 0 for everything else.
    fn digest(&self, node: Option<NodeId>) -> u64 {
        node.and_then(|node| self.nodes.get(node.index())).map_or(0, Node::digest)
    }

    fn describe(&self, event: &Event<N::Timer>) -> (&'static str, Option<NodeId>, Option<NodeId>, String) {
        let endpoints = self.plan.network.endpoints;
        let asker = |op: crate::kernel::ids::OpId| self.core.askers[op.0 as usize];
        let label = |window: u32| self.plan.windows[window as usize].label.clone();
        match *event {
            Event::Message { from, to, body } => {
                let message = self.core.messages.get(body);
                (message.kind(), Some(from), Some(to), format!("{message:?}"))
            }
            Event::Timer { node, timer, .. } => ("timer", None, Some(node), format!("{timer:?}")),
            Event::Arrive { client } => {
                let due = self.arrivals[client as usize].as_ref();
                let detail = due.map(|arrival| format!("{:?}", arrival.op)).unwrap_or_default();
                ("invoke", None, Some(endpoints.client(client)), detail)
            }
            Event::Request { op } => {
                let what = self.requests[op.0 as usize].as_ref();
                let detail = what.map(|what| format!("op {} {what:?}", op.0)).unwrap_or_default();
                ("request", Some(asker(op).client), Some(asker(op).replica), detail)
            }
            Event::Answer { op, body } => {
                let detail = format!("op {} {:?}", op.0, self.core.answers.get(body));
                ("answer", Some(asker(op).replica), Some(asker(op).client), detail)
            }
            Event::Timeout { op } => ("timeout", None, Some(asker(op).client), format!("op {}", op.0)),
            Event::Call { from, service, body } => {
                let request = &self.core.calls.get(body).body;
                (request.kind(), Some(from), Some(endpoints.service(service)), format!("{request:?}"))
            }
            Event::Return { service, to, body } => {
                let reply = &self.core.returns.get(body).body;
                (reply.kind(), Some(endpoints.service(service)), Some(to), format!("{reply:?}"))
            }
            Event::Wake { service } => ("wake", None, Some(endpoints.service(service)), String::new()),
            Event::Begin { window } => ("fault", None, None, label(window)),
            Event::End { window } => ("heal", None, None, label(window)),
            Event::Snapshot { window } => ("snapshot", None, None, label(window)),
            Event::FinalReads => ("final_reads", None, None, String::new()),
        }
    }
}
