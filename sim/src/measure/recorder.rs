//! The observer of ordinary runs.

use std::collections::{BTreeMap, BTreeSet};

use crdts::{clock::ReplicaId, object::Object};

use super::{
    agreement::{Agreement, Shown},
    contents::ReadContents,
    deliveries::{Deliveries, Evidence, Held},
    local_effects::{LocalEffects, Watch},
    phases::Phases,
    quantiles::Quantiles,
    reflection::{Reflection, UpdateTimes, Withdrawn},
    states::{Laws, States},
    visibility::{Pasts, Visibility},
};
use crate::{
    history::{History, Operation, Outcome},
    kernel::{
        fold::digest_of,
        ids::{NodeId, OpId},
        node::{Knowledge, Node, Observation, OpOf, Refusal, Reply, RetOf, StateOf},
        observer::{Invocation, Mark, Observer, Source, View},
        plan::RunPlan,
        service::Service,
        time::Time,
    },
};

/// Records a run of nodes of type `N`.
#[derive(Clone, Debug)]
pub struct Recorder<N: Node> {
    history: History<N::Object>,
    agreement: Agreement,
    reflection: Reflection,
    contents: ReadContents,
    deliveries: Deliveries,
    states: States<N>,
    visibility: Visibility,
    watch: Watch<N::Object>,
    last_update_effect: Option<Time>,
    /// Updates behind, and time behind, of every stale read.
    stale: Vec<(u64, u64)>,
    reads_answered: u64,
}

/// What was measured in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measures {
    /// When the last update took effect, if any did.
    pub last_update_at: Option<Time>,
    /// When the last fault was healed, if any was before the horizon.
    pub last_heal_at: Option<Time>,
    /// The instant of convergence; `None` when censored at the horizon.
    pub converged_at: Option<Time>,
    /// The first instant from which every completed read returns the final value.
    pub observed_at: Option<Time>,
    /// From effect to the first instant at which all live replicas reflect the update; `None` when it was given up.
    pub visibility_latency_ns: Option<Quantiles>,
    /// Pairs of a cell's start and the most different values at once in it.
    pub agreement: Vec<(u64, u64)>,
    /// The most different values at once.
    pub distinct_max: u64,
    /// Acknowledged updates that are gone; `None` when it was given up.
    pub lost_updates: Option<u64>,
    /// Extra applications of an update, and applications of definitely failed ones.
    pub phantom_updates: Option<u64>,
    /// Reads that missed acknowledged updates.
    pub stale_reads: StaleReads,
    /// Per phase of invocation; first all phases together.
    pub availability: Vec<PhaseAvailability>,
    /// Per operation and phase of invocation; for each operation first all phases together.
    pub latency_ns: Vec<OperationLatency>,
    /// What there is to say about strong convergence.
    pub convergence: ConvergenceEvidence,
}

/// What strong convergence can be judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvergenceEvidence {
    /// Values of replicas with the same updates; `None` when nobody looked.
    pub deliveries: Option<Evidence>,
    /// The first update that disappeared from a replica.
    pub withdrawn: Option<Withdrawn>,
    /// An update that some live replica reflects at the end, and this one does not.
    pub undelivered: Option<(u32, NodeId)>,
    /// A live replica whose state at the end is not the join of all updates, though all have been delivered.
    pub unjoined: Option<NodeId>,
    /// The laws of joins on states that occurred; `None` where states are no lattice.
    pub laws: Option<Laws>,
    /// Does the protocol repair what was lost on the way, so that more time may help?
    pub repairs: bool,
}

impl Measures {
    /// t0: the later of the last update that took effect and the last heal.
    pub fn settled_at(&self) -> Time {
        self.last_update_at.into_iter().chain(self.last_heal_at).max().unwrap_or(Time::ZERO)
    }
}

/// How many reads were behind, and how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StaleReads {
    /// Reads that missed at least one update acknowledged before they were invoked.
    pub count: u64,
    /// All reads that a replica answered with a value.
    pub reads: u64,
    /// How many updates stale reads missed.
    pub updates_behind: Quantiles,
    /// How long before the read the first invoked missing update had been acknowledged, in nanoseconds.
    pub time_behind_ns: Quantiles,
}

/// The share of operations that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseAvailability {
    /// The phase; `None` for the whole run.
    pub phase: Option<String>,
    /// Operations by outcome: acknowledged, definitely without effect, indeterminate.
    pub ok: u64,
    /// Definitely without effect.
    pub fail: u64,
    /// Indeterminate.
    pub info: u64,
}

/// How long acknowledged operations took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationLatency {
    /// The operation, for example `add`.
    pub operation: &'static str,
    /// The phase; `None` for the whole run.
    pub phase: Option<String>,
    /// The durations.
    pub quantiles: Quantiles,
}

impl<N: Node> Recorder<N> {
    /// A recorder for a run of this plan.
    pub fn new(plan: &RunPlan) -> Self {
        let endpoints = plan.network.endpoints;
        let initial = digest_of(&StateOf::<N>::default());
        Self {
            // Every replica has a reader of its own for the end.
            history: History::new(endpoints.clients + endpoints.replicas),
            agreement: Agreement::new(endpoints.replicas, initial, plan.final_reads_at),
            reflection: if N::OPAQUE {
                Reflection::given_up(endpoints.replicas)
            } else {
                Reflection::new(endpoints.replicas)
            },
            contents: ReadContents::default(),
            deliveries: Deliveries::new(endpoints.replicas),
            states: States::new(plan.seed),
            visibility: Visibility::default(),
            watch: Watch::new(if N::OPAQUE { 0 } else { endpoints.replicas }),
            last_update_effect: None,
            stale: Vec::new(),
            reads_answered: 0,
        }
    }

    /// What clients invoked and were told.
    pub fn history(&self) -> &History<N::Object> {
        &self.history
    }

    /// The history alone.
    pub fn into_history(self) -> History<N::Object> {
        self.history
    }

    /// Which updates the answers to reads contain; `None` when that was given up.
    pub fn contents(&self) -> Option<&ReadContents> {
        (!self.reflection.is_exhausted() && !self.contents.is_exhausted()).then_some(&self.contents)
    }

    /// What each update had seen; `None` when that was given up, or makes no difference to the object.
    pub fn pasts<S: Service<StateOf<N>>>(&self, view: &View<'_, N, S>) -> Option<Pasts> {
        if N::Object::COMMUTES {
            return None;
        }
        self.visibility.finish(&self.reflection, view.lineage)
    }

    /// Per update by its number: did it change nothing where it was made?
    pub fn idle_updates(&self) -> Vec<bool> {
        self.reflection.updates().iter().map(|update| update.changes_nothing).collect()
    }

    /// Per update by its number: its name, for updates that are known by the progress of who wrote them.
    pub fn dots(&self) -> Vec<Option<(ReplicaId, u64)>> {
        self.reflection.dots()
    }

    /// Whether updates had their effects where they were made.
    pub fn local_effects(&self) -> LocalEffects {
        self.watch.found()
    }

    /// By the number of an update, what it has replaced where it was made; nothing for objects whose updates leave something of
    /// the state.
    pub fn replaced(&self) -> BTreeMap<u32, StateOf<N>> {
        let replaced = self.watch.replaced().iter();
        replaced.map(|(&op, value)| (self.reflection.number(op), value.clone())).collect()
    }

    /// The updates that `replica` reflects, as a row of bits by their numbers; `None` when that was given up.
    pub fn content<S: Service<StateOf<N>>>(&self, replica: NodeId, view: &View<'_, N, S>) -> Option<Vec<u64>> {
        (!self.reflection.is_exhausted()).then(|| self.reflection.content(replica, None, view.lineage))
    }

    /// Brings what is known about one replica up to date.
    fn look<S: Service<StateOf<N>>>(&mut self, now: Time, replica: NodeId, view: &View<'_, N, S>) {
        if !view.is_live(replica) {
            self.reflection.down(now, replica);
            self.agreement.show(replica, Shown::Nothing);
            return;
        }
        self.reflection.up(replica);
        let observed = view.observed(replica);
        self.agreement.show(replica, observed.map_or(Shown::NoValue, |(digest, _)| Shown::Value(digest)));
        if let Some((value, knowledge)) = observed {
            self.reflection.know(now, replica, knowledge, view.lineage, &view.nodes[replica.index()]);
            if !self.reflection.is_exhausted() {
                self.deliveries.held(self.reflection.digest(replica), Held { replica, at: now, value });
            }
        }
    }

    fn look_at_all<S: Service<StateOf<N>>>(&mut self, now: Time, view: &View<'_, N, S>) {
        for replica in 0..view.nodes.len() as u32 {
            self.look(now, NodeId(replica), view);
        }
        self.agreement.settle(now);
    }

    /// Ends the recording of a run that stopped at `ended`.
    pub fn finish<S: Service<StateOf<N>>>(&mut self, plan: &RunPlan, ended: Time, view: &View<'_, N, S>) -> Measures {
        self.history.finish(ended.0);
        let horizon = plan.final_reads_at;
        let last_heal_at = plan.windows.iter().map(|window| window.to).filter(|&to| to <= horizon.min(ended)).max();
        let settled_at = self.last_update_effect.into_iter().chain(last_heal_at).max().unwrap_or(Time::ZERO);
        let converged_at = self
            .agreement
            .agreed_since()
            .map(|since| since.max(settled_at))
            .filter(|&at| at <= horizon && ended >= horizon);
        let phases = Phases::of(&plan.windows);
        let known = !self.reflection.is_exhausted();
        Measures {
            last_update_at: self.last_update_effect,
            last_heal_at,
            converged_at,
            observed_at: self.observed_at(),
            visibility_latency_ns: known.then(|| self.visibility()),
            agreement: self.agreement.clone().chart(ended.min(horizon)),
            distinct_max: self.agreement.distinct_max(),
            lost_updates: known.then(|| self.lost()),
            phantom_updates: known.then(|| self.phantoms(view)),
            stale_reads: self.stale_reads(),
            availability: self.availability(&phases),
            latency_ns: self.latencies(&phases),
            convergence: self.convergence(view),
        }
    }

    fn convergence<S: Service<StateOf<N>>>(&self, view: &View<'_, N, S>) -> ConvergenceEvidence {
        let live = || (0..view.nodes.len() as u32).map(NodeId).filter(|&replica| view.is_live(replica));
        let is_partial = |(_, update): &(usize, &UpdateTimes)| {
            Reflection::is_somewhere(update) && !self.reflection.is_everywhere(update)
        };
        let undelivered = self.reflection.updates().iter().enumerate().find(is_partial).and_then(|(number, _)| {
            let lacks = |&replica: &NodeId| !self.reflection.reflects_number(replica, number as u32);
            Some((number as u32, live().find(lacks)?))
        });
        let is_complete = |update: &UpdateTimes| {
            update.effect_at.is_none() || update.changes_nothing || self.reflection.is_everywhere(update)
        };
        let joined = self.states.joined_digest().filter(|_| self.reflection.updates().iter().all(is_complete));
        let unjoined =
            joined.and_then(|joined| live().find(|replica| view.nodes[replica.index()].state_digest() != joined));
        ConvergenceEvidence {
            deliveries: self.deliveries.evidence().filter(|_| !self.reflection.is_exhausted()),
            withdrawn: self.reflection.withdrawn(),
            undelivered,
            unjoined,
            laws: self.states.laws(),
            repairs: N::REPAIRS,
        }
    }

    fn visibility(&self) -> Quantiles {
        let (mut ended, mut censored) = (Vec::new(), 0);
        for times in self.reflection.updates() {
            match (times.effect_at, times.visible_at) {
                (Some(effect), Some(visible)) => ended.push(visible - effect),
                (Some(_), None) => censored += 1,
                (None, _) => {}
            }
        }
        Quantiles::of(ended, censored)
    }

    /// Acknowledged updates that are gone: where replicas repair each other, those that no live replica reflects; elsewhere
    /// those that some live replica missed. One that changes nothing cannot get lost.
    fn lost(&self) -> u64 {
        let is_kept = |update: &UpdateTimes| {
            if N::REPAIRS { Reflection::is_somewhere(update) } else { self.reflection.is_everywhere(update) }
        };
        let is_lost =
            |update: &&UpdateTimes| update.acknowledged_at.is_some() && !update.changes_nothing && !is_kept(update);
        self.reflection.updates().iter().filter(is_lost).count() as u64
    }

    /// The most, over all live replicas, of applications beyond the first and of applications of failed updates.
    fn phantoms<S: Service<StateOf<N>>>(&self, view: &View<'_, N, S>) -> u64 {
        let is_failed = |update: &&Operation<N::Object>| matches!(update.outcome, Outcome::Fail(_));
        let failed: Vec<OpId> = self.history.updates().filter(is_failed).map(|update| OpId(update.id)).collect();
        let live = || (0..view.nodes.len() as u32).map(NodeId).filter(|&replica| view.is_live(replica));
        let by_lineage = |replica: &NodeId| view.nodes[replica.index()].knowledge() != Knowledge::Progress;
        // Replicas that agree have one lineage in common.
        let lineages: BTreeSet<_> =
            live().filter(by_lineage).map(|replica| self.reflection.lineage_of(replica)).collect();
        let in_lineages = lineages.into_iter().map(|lineage| {
            let mut applied: Vec<OpId> = view.lineage.path(lineage).collect();
            applied.sort_unstable();
            let again = applied.windows(2).filter(|pair| pair[0] == pair[1]).count();
            applied.dedup();
            (again + applied.iter().filter(|op| failed.binary_search(op).is_ok()).count()) as u64
        });
        let in_states = live()
            .filter(|replica| !failed.is_empty() && !by_lineage(replica))
            .map(|replica| failed.iter().filter(|&&op| self.reflection.reflects(replica, op)).count() as u64);
        in_lineages.chain(in_states).max().unwrap_or(0)
    }

    /// The completion of the first read after the last that did not return what all final reads returned.
    fn observed_at(&self) -> Option<Time> {
        let mut final_rets = self.history.final_reads().map(|read| match &read.outcome {
            Outcome::Ok(ret) => Some(ret),
            _ => None,
        });
        let value = final_rets.next()??;
        if !final_rets.all(|ret| ret == Some(value)) {
            return None;
        }
        let mut reads: Vec<(u64, bool)> = self
            .history
            .reads()
            .filter_map(|read| match (&read.outcome, read.ended_ns) {
                (Outcome::Ok(ret), Some(ended_ns)) => Some((ended_ns, ret == value)),
                _ => None,
            })
            .collect();
        reads.sort_unstable();
        let from = reads.iter().rposition(|&(_, agrees)| !agrees).map_or(0, |last| last + 1);
        reads.get(from).map(|&(ended_ns, _)| Time(ended_ns))
    }

    fn stale_reads(&self) -> StaleReads {
        StaleReads {
            count: self.stale.len() as u64,
            reads: self.reads_answered,
            updates_behind: Quantiles::of(self.stale.iter().map(|(updates, _)| *updates).collect(), 0),
            time_behind_ns: Quantiles::of(self.stale.iter().map(|(_, time_ns)| *time_ns).collect(), 0),
        }
    }

    fn availability(&self, phases: &Phases) -> Vec<PhaseAvailability> {
        let empty = |phase: Option<&String>| PhaseAvailability { phase: phase.cloned(), ok: 0, fail: 0, info: 0 };
        let mut all: Vec<PhaseAvailability> =
            std::iter::once(empty(None)).chain(phases.names().iter().map(|name| empty(Some(name)))).collect();
        for operation in self.history.operations().iter().filter(|operation| !operation.is_final) {
            for index in [0, 1 + phases.at(Time(operation.invoked_ns))] {
                match operation.outcome {
                    Outcome::Ok(_) => all[index].ok += 1,
                    Outcome::Fail(_) => all[index].fail += 1,
                    Outcome::Info(_) | Outcome::Pending => all[index].info += 1,
                }
            }
        }
        all
    }

    fn latencies(&self, phases: &Phases) -> Vec<OperationLatency> {
        let mut durations: BTreeMap<(&'static str, usize), Vec<u64>> = BTreeMap::new();
        for operation in self.history.operations().iter().filter(|operation| !operation.is_final) {
            if let (Outcome::Ok(_), Some(ended_ns)) = (&operation.outcome, operation.ended_ns) {
                let name = N::Object::op_name(&operation.op);
                for phase in [0, 1 + phases.at(Time(operation.invoked_ns))] {
                    durations.entry((name, phase)).or_default().push(ended_ns - operation.invoked_ns);
                }
            }
        }
        let latency = |((operation, phase), durations): ((&'static str, usize), Vec<u64>)| OperationLatency {
            operation,
            phase: phase.checked_sub(1).map(|index| phases.names()[index].clone()),
            quantiles: Quantiles::of(durations, 0),
        };
        durations.into_iter().map(latency).collect()
    }
}

impl<N: Node, S: Service<StateOf<N>>> Observer<N, S> for Recorder<N> {
    fn bytes(&self) -> u64 {
        self.history.bytes()
            + self.reflection.bytes()
            + self.contents.bytes()
            + self.deliveries.bytes()
            + self.visibility.bytes()
    }

    fn invoked(&mut self, now: Time, invocation: &Invocation<'_, OpOf<N>>) {
        let Invocation { client, replica, what, is_final, .. } = *invocation;
        if is_final {
            self.history.invoke_final_read(client, replica.0, now.0);
        } else {
            self.history.invoke(client, replica.0, what.clone(), now.0);
        }
        self.reflection.invoked(N::Object::is_update(what));
        tracing::debug!(t = %now, node = replica.0 + 1, op = invocation.op.0, what = ?what, "invoked");
    }

    fn ended(&mut self, now: Time, op: OpId, reply: &Reply<RetOf<N>>) {
        tracing::debug!(t = %now, op = op.0, reply = ?reply, "ended");
        let outcome = match reply {
            Reply::Ok(ret) => Outcome::Ok(ret.clone()),
            Reply::Fail(refusal) => Outcome::Fail(refusal_name(*refusal)),
            Reply::Info(refusal) => Outcome::Info(refusal_name(*refusal)),
        };
        let operation = &self.history.operations()[op.0 as usize];
        let is_update = operation.is_update();
        if is_update && matches!(outcome, Outcome::Ok(_)) {
            self.reflection.acknowledged(now, op);
        }
        self.history.complete(op.0, now.0, outcome);
    }

    fn effect(&mut self, now: Time, op: OpId, mark: Mark) {
        if self.watch.is_on() {
            self.watch.effect(op);
        }
        if self.reflection.effect(now, op, mark) {
            self.last_update_effect = Some(now);
        }
    }

    fn answered(&mut self, now: Time, op: OpId, replica: NodeId, source: Source, view: &View<'_, N, S>) {
        let operation = &self.history.operations()[op.0 as usize];
        if operation.is_update() {
            let node = &view.nodes[replica.index()];
            self.states.updated(node);
            if !N::Object::COMMUTES && !self.reflection.is_exhausted() && node.knowledge() == Knowledge::Progress {
                let content = self.reflection.content(replica, None, view.lineage);
                self.visibility.made(self.reflection.number(op), content);
            }
            if self.watch.is_on() && node.observation() == Observation::Local {
                self.watch.answered(now, op, replica, &operation.op);
            }
            return;
        }
        if N::OPAQUE {
            return;
        }
        self.reads_answered += 1;
        let source = match source {
            Source::Replica => None,
            Source::Lineage(lineage) => Some(lineage),
        };
        let invoked_at = Time(operation.invoked_ns);
        if let Some((updates, since)) = self.reflection.missing(replica, source, view.lineage, invoked_at) {
            self.stale.push((updates, invoked_at - since));
        }
        if !self.reflection.is_exhausted() && !self.contents.is_exhausted() {
            self.contents.push(op, self.reflection.content(replica, source, view.lineage).into_iter());
        }
    }

    fn changed(&mut self, now: Time, replica: NodeId, view: &View<'_, N, S>) {
        self.look(now, replica, view);
        if self.watch.is_on() && view.nodes[replica.index()].observation() == Observation::Local {
            self.watch.changed(replica, view.nodes[replica.index()].value());
        }
        self.states.changed(now, replica, &view.nodes[replica.index()]);
        self.agreement.settle(now);
    }

    fn service_changed(&mut self, now: Time, _service: NodeId, view: &View<'_, N, S>) {
        self.look_at_all(now, view);
    }

    fn disturbed(&mut self, now: Time, _window: u32, _begins: bool, view: &View<'_, N, S>) {
        if self.watch.is_on() {
            // A restart sets values back, which is nobody's update.
            for (replica, node) in (0..).map(NodeId).zip(view.nodes) {
                self.watch.is_now(replica, node.value());
            }
        }
        self.look_at_all(now, view);
    }
}

/// The name of a refusal in histories and reports.
fn refusal_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Timeout => "timeout",
        Refusal::Down => "down",
        Refusal::Contention => "contention",
        Refusal::StoreUnreachable => "store-unreachable",
        Refusal::Unsupported => "unsupported",
        Refusal::Overflow => "overflow",
        Refusal::MalformedRequest => "malformed-request",
        Refusal::NodeNotFound => "node-not-found",
        Refusal::TemporarilyUnavailable => "temporarily-unavailable",
        Refusal::Crash => "crash",
        Refusal::Abort => "abort",
        Refusal::KeyDoesNotExist => "key-does-not-exist",
        Refusal::KeyAlreadyExists => "key-already-exists",
        Refusal::PreconditionFailed => "precondition-failed",
        Refusal::TxnConflict => "txn-conflict",
        Refusal::MalformedReply => "malformed-reply",
    }
}
