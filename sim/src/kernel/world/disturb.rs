//! How faults act on the world, and how they are undone.

use super::{World, view};
use crate::kernel::{
    disturbance::{Disturbance, Window},
    fold::digest_of,
    host::Host,
    ids::{NodeId, Role},
    node::{Node, Recovery, StateOf},
    observer::Observer,
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
    /// A fault begins to act.
    pub(super) fn begin(&mut self, index: u32) {
        let window = self.plan.windows[index as usize].clone();
        let now = self.core.now;
        tracing::info!(t = %now, fault = %window.label, "begins");
        match window.disturbance {
            Disturbance::Cut(cut) => self.core.network.begin_cut(index, cut),
            Disturbance::Links { links, effect } => {
                // A fault is known to its draws by what it is called and when it begins, not by its place in the file; twins
                // are told apart by their order.
                let is_twin = |other: &&Window| other.label == window.label && other.from == window.from;
                let twins_before = self.plan.windows[..index as usize].iter().filter(is_twin).count();
                let entity = digest_of(&(&window.label, window.from, twins_before));
                self.core.network.begin_effect(index, entity, links, effect);
            }
            Disturbance::Crash { nodes, .. } => nodes.into_iter().for_each(|node| self.crash(index, node)),
            Disturbance::Pause { nodes } => self.mark(&nodes, |host| host.paused += 1),
            Disturbance::Slow { nodes, .. } => self.mark(&nodes, |host| host.slow += 1),
            Disturbance::Clock { nodes, offset_ns, drift_ppb } => {
                for node in nodes {
                    self.core.clocks.begin(node, now, index, offset_ns, drift_ppb);
                    self.core.network.bite(index).clocks_set += 1;
                }
            }
        }
        self.disturbed(index, true);
    }

    /// A fault is undone.
    pub(super) fn heal(&mut self, index: u32) {
        let window = self.plan.windows[index as usize].clone();
        let now = self.core.now;
        tracing::info!(t = %now, fault = %window.label, "is healed");
        match window.disturbance {
            Disturbance::Cut(_) | Disturbance::Links { .. } => self.core.network.heal(index),
            Disturbance::Crash { nodes, recovery, .. } => {
                for node in nodes {
                    self.restart(index, node, recovery);
                }
            }
            Disturbance::Pause { nodes } => {
                self.mark(&nodes, |host| host.paused -= 1);
                self.unpark();
            }
            Disturbance::Slow { nodes, .. } => self.mark(&nodes, |host| host.slow -= 1),
            Disturbance::Clock { nodes, .. } => {
                for node in nodes {
                    self.core.clocks.end(node, now, index);
                }
            }
        }
        self.disturbed(index, false);
    }

    /// Keeps the states to which a stale crash will set its nodes back.
    pub(super) fn snapshot(&mut self, index: u32) {
        let Disturbance::Crash { nodes, .. } = &self.plan.windows[index as usize].disturbance else {
            unreachable!("only crashes keep snapshots");
        };
        for &node in nodes {
            match self.plan.network.endpoints.role(node) {
                Role::Replica(replica) => {
                    self.snapshots.nodes.push((index, node, self.nodes[replica as usize].clone()));
                }
                Role::Service(service) => {
                    self.snapshots.services.push((index, node, self.services[service as usize].clone()));
                }
                Role::Client(_) => unreachable!("clients do not crash"),
            }
        }
    }

    fn disturbed(&mut self, index: u32, begins: bool) {
        let view = view(&self.nodes, &self.services, &self.core, &self.plan);
        self.observer.disturbed(self.core.now, index, begins, &view);
    }

    fn mark(&mut self, nodes: &[NodeId], change: impl Fn(&mut Host)) {
        for node in nodes {
            change(&mut self.core.hosts[node.index()]);
        }
    }

    fn crash(&mut self, window: u32, node: NodeId) {
        let host = &mut self.core.hosts[node.index()];
        host.down += 1;
        if host.down == 1 {
            host.incarnation += 1;
            self.core.network.bite(window).crashes += 1;
        }
    }

    fn restart(&mut self, window: u32, node: NodeId, recovery: Recovery) {
        let host = &mut self.core.hosts[node.index()];
        host.down -= 1;
        if host.down > 0 {
            return;
        }
        match self.plan.network.endpoints.role(node) {
            Role::Replica(replica) => {
                let replicas = self.plan.network.endpoints.replicas;
                let boot = || N::boot(&self.config, node, replicas);
                let restored = match recovery {
                    Recovery::Durable => None,
                    Recovery::Volatile => Some(boot()),
                    Recovery::Stale => Some(take(&mut self.snapshots.nodes, window, node).unwrap_or_else(boot)),
                };
                if let Some(restored) = restored {
                    let old = std::mem::replace(&mut self.nodes[replica as usize], restored);
                    let (paid, kept) = (old.costs(), self.nodes[replica as usize].costs());
                    self.retired_costs.conflicts += paid.conflicts - kept.conflicts;
                    self.retired_costs.retries += paid.retries - kept.retries;
                }
                self.core.news = true;
                self.core.touched = true;
                self.with_node(node, |node, cx| node.on_restart(recovery, cx));
            }
            Role::Service(service) => {
                let index = service as usize;
                let restored = match recovery {
                    Recovery::Durable => None,
                    Recovery::Volatile => Some(self.pristine_services[index].clone()),
                    Recovery::Stale => take(&mut self.snapshots.services, window, node)
                        .or_else(|| Some(self.pristine_services[index].clone())),
                };
                if let Some(restored) = restored {
                    self.services[index] = restored;
                }
            }
            Role::Client(_) => unreachable!("clients do not crash"),
        }
    }

    /// What arrived during a pause is handled now, in the order of arrival.
    fn unpark(&mut self) {
        let parked = std::mem::take(&mut self.backlog.parked);
        for (node, event) in parked {
            if self.core.hosts[node.index()].paused > 0 {
                self.backlog.parked.push((node, event));
            } else {
                self.core.queue.push(self.core.now, event);
            }
        }
    }

    /// Notes that the active faults of a kind affected `node`, and returns by how much they slow it together.
    pub(super) fn blame(&mut self, node: NodeId, kind: impl Fn(&Disturbance) -> bool) -> u64 {
        let now = self.core.now;
        let mut delay_total_ns = 0;
        for (index, window) in self.plan.windows.iter().enumerate() {
            if window.from <= now && now < window.to && kind(&window.disturbance) {
                match &window.disturbance {
                    Disturbance::Slow { nodes, delay_ns } if nodes.contains(&node) => delay_total_ns += delay_ns,
                    Disturbance::Pause { nodes } if nodes.contains(&node) => {}
                    _ => continue,
                }
                self.core.network.bite(index as u32).events_delayed += 1;
            }
        }
        delay_total_ns
    }
}

/// Takes the snapshot of `node` that belongs to `window`.
fn take<T>(snapshots: &mut Vec<(u32, NodeId, T)>, window: u32, node: NodeId) -> Option<T> {
    let at = snapshots.iter().position(|(of, whose, _)| (*of, *whose) == (window, node))?;
    Some(snapshots.swap_remove(at).2)
}
