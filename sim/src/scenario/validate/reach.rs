//! Stores that nobody can reach.
//!
//! A system whose store is out of reach of every replica for as long as clients work measures nothing. Only faults that
//! last that long are looked at: a store that is cut off again and again is a scenario.

use super::{Check, network::Services, workload::Work};
use crate::{
    faults::{self, Cluster, FaultSpec},
    kernel::{
        disturbance::{Disturbance, LinkEffect},
        draws::Probability,
        ids::NodeId,
    },
    scenario::{diagnostic::Diagnostic, file::ScenarioFile, names::Names, plan::Timeline},
};

/// What the question is asked of.
#[derive(Clone, Copy, Debug)]
pub(super) struct World<'a> {
    pub(super) names: &'a Names,
    pub(super) services: &'a Services,
    pub(super) work: &'a Work,
    pub(super) timeline: &'a Timeline,
    pub(super) seed: u64,
}

pub(super) fn stores(check: &mut Check, file: &ScenarioFile, world: &World<'_>) {
    let World { names, services, work, timeline, seed } = *world;
    let endpoints = names.endpoints();
    let (start, end) = (work.config.start(), work.config.end());
    let lasts = |fault: &&FaultSpec| fault.at <= start && fault.for_ns.is_none_or(|for_ns| fault.at + for_ns >= end);
    let lasting: Vec<FaultSpec> = timeline.faults.iter().filter(lasts).cloned().collect();
    if lasting.is_empty() || names.stores().is_empty() {
        return;
    }
    let service_at = vec![services.at; endpoints.services as usize];
    let client_replica = work.config.client_replica();
    let cluster = Cluster { endpoints, service_at: &service_at, client_replica: &client_replica };
    let windows = faults::compile(&lasting, None, &cluster, seed, timeline.final_reads_at);
    let windows: Vec<_> = windows.iter().filter(|window| window.from <= start && window.to >= end).collect();
    for (index, kind) in (0..).zip(names.stores()) {
        let store = endpoints.service(index);
        let blocks = |replica: NodeId, disturbance: &Disturbance| match disturbance {
            Disturbance::Cut(cut) => cut.severs(replica, store) || cut.severs(store, replica),
            Disturbance::Crash { nodes, .. } | Disturbance::Pause { nodes } => {
                nodes.contains(&store) || nodes.contains(&replica)
            }
            Disturbance::Links { links, effect: LinkEffect::Loss(Probability::ONE) } => {
                links.contains(replica, store) || links.contains(store, replica)
            }
            Disturbance::Slow { .. } | Disturbance::Clock { .. } | Disturbance::Links { .. } => false,
        };
        let is_blocked = |replica| windows.iter().any(|window| blocks(replica, &window.disturbance));
        if !(0..endpoints.replicas).map(NodeId).all(is_blocked) {
            continue;
        }
        let message = format!("no replica can reach {} for as long as clients work", kind.name());
        let mut finding = Diagnostic::new("scenario::unreachable", message);
        let users = file.system.iter().filter_map(|system| system.value.occ.as_ref());
        for user in users.filter(|user| user.value.store.value == kind.name()) {
            finding = finding.at(user.value.store.span.clone(), "this store");
        }
        for fault in windows.iter().filter_map(|window| file.fault.get(window.fault? as usize)) {
            finding = finding.at(fault.value.at.span.clone(), "cut off from here");
        }
        check.push(finding.help("end the fault while clients work, or leave a replica on the side of the store"));
    }
}
