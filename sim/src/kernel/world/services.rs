//! How the world lets services handle requests, and brings their replies back.

use super::{World, view};
use crate::kernel::{
    direct::{Call, reply_bytes},
    event::Event,
    ids::NodeId,
    network::Fate,
    node::{Node, StateOf},
    observer::{Mark, Observer},
    queue::Scheduled,
    service::{Service, ServiceContext},
    time::Time,
    workload::Workload,
};

impl<N, S, W, O> World<N, S, W, O>
where
    N: Node,
    S: Service<StateOf<N>>,
    W: Workload<N::Object>,
    O: Observer<N, S>,
{
    pub(super) fn call(&mut self, from: NodeId, service: u32, body: u32, next: &Scheduled<Event<N::Timer>>) -> bool {
        let endpoint = self.plan.network.endpoints.service(service);
        if self.holds_back(endpoint, next.sequence, next.event) {
            return false;
        }
        let Call { token, incarnation, body } = self.core.calls.take(body);
        if !self.reaches(from, endpoint) {
            return false;
        }
        self.core.fold.words(u64::from(from.0), body.digest());
        let reply = self.with_service(service, |store, cx| store.handle(from, body, cx));
        self.core.fold.words(token, reply.digest());
        let bytes = reply_bytes(reply.values_bytes(N::value_bytes));
        let fate = self.core.network.send_far(self.core.now, endpoint, from, bytes);
        if let Fate::Arrives(at) | Fate::ArrivesTwice(at, _) = fate {
            let body = self.core.returns.insert(Call { token, incarnation, body: reply });
            self.core.queue.push(at, Event::Return { service, to: from, body });
        }
        true
    }

    pub(super) fn give_back(&mut self, service: u32, to: NodeId, body: u32, next: &Scheduled<Event<N::Timer>>) -> bool {
        if self.holds_back(to, next.sequence, next.event) {
            return false;
        }
        let Call { token, incarnation, body } = self.core.returns.take(body);
        let endpoint = self.plan.network.endpoints.service(service);
        if !self.reaches(endpoint, to) || incarnation != self.core.hosts[to.index()].incarnation {
            return false;
        }
        self.with_node(to, |node, cx| node.on_return(token, body, cx));
        true
    }

    /// The time has come for which a service asked, unless it has been woken since.
    pub(super) fn wake(&mut self, service: u32) -> bool {
        if self.wakes[service as usize] != self.core.now {
            return false;
        }
        self.wakes[service as usize] = Time::NEVER;
        self.with_service(service, S::on_wake);
        true
    }

    /// Lets a service handle something, and tells the observer what came of it.
    fn with_service<R>(&mut self, index: u32, handle: impl FnOnce(&mut S, &mut ServiceContext<'_>) -> R) -> R {
        let mut cx = ServiceContext {
            now: self.core.now,
            draws: &self.service_draws,
            lineage: &mut self.core.lineage,
            wake_at: None,
            effects: Vec::new(),
        };
        let result = handle(&mut self.services[index as usize], &mut cx);
        let (wake_at, effects) = (cx.wake_at, cx.effects);
        if let Some(at) = wake_at
            && at < self.wakes[index as usize]
        {
            self.wakes[index as usize] = at;
            self.core.queue.push(at, Event::Wake { service: index });
        }
        for op in effects {
            self.observer.effect(self.core.now, op, Mark::Lineage);
        }
        let view = view(&self.nodes, &self.services, &self.core, &self.plan);
        self.observer.service_changed(self.core.now, self.plan.network.endpoints.service(index), &view);
        result
    }
}
