//! Running systems, and collecting what became of them.

use std::{
    fmt::Debug,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crdts::lattice::Weight;
use rayon::prelude::*;

use super::{
    consistency::{Finding, Found, found},
    convergence,
    foreign::Programs,
    running::{Running, start, start_changed},
    specified::Specified,
};
use crate::{
    checkers::{CheckerDoc, Verdict, visibility::Visibility},
    history::{History, Spoken},
    kernel::{
        disturbance::Bite,
        fold::Fingerprint,
        ids::NodeId,
        network::Traffic,
        node::{Costs, Node, StateOf},
        plan::RunPlan,
        service::Service,
        time::Time,
        workload::Workload,
        world::{Stop, World},
    },
    measure::{Measures, Recorder},
    objects::{Ended, Judged},
    scenario::{
        Plan, SystemSpec,
        expectation::{Expectation, MeasureKind},
    },
};

/// What became of one system.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name in the scenario.
    pub system: String,
    /// The hash over everything that happened.
    pub fingerprint: Fingerprint,
    /// Events handled.
    pub events: u64,
    /// Why the run stopped.
    pub stop: Stop,
    /// When it stopped.
    pub ended_at: Time,
    /// What clients invoked and were told.
    pub history: Arc<dyn WrittenHistory>,
    /// When every replica was read once more: the horizon of convergence.
    pub horizon: Time,
    /// What was measured.
    pub measures: Measures,
    /// The value that all live replicas hold at the end, if they agree.
    pub agreed: Option<String>,
    /// The values that the operations allow.
    pub acceptable: String,
    /// Do the replicas agree on an acceptable value, and did final reads return one?
    pub correct: Verdict,
    /// Every checker of the object, and what it says of what clients saw.
    pub checks: Vec<(CheckerDoc, Verdict)>,
    /// Every consistency model, and whether the run kept to it.
    pub consistency: Vec<Finding>,
    /// Messages and bytes.
    pub traffic: Traffic,
    /// The size of the state at the end.
    pub size: Size,
    /// Conflicts and retries.
    pub costs: Costs,
    /// What every fault window did, in the order of the plan.
    pub bites: Vec<Bite>,
    /// What is known of the programs, where replicas are programs.
    pub programs: Option<Programs>,
}

/// The size of the state that one replica holds, or the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// All of it, at the largest replica, or in the store.
    pub state_bytes: u64,
    /// What of it is causal metadata.
    pub metadata_bytes: u64,
    /// What of it is kept only for what was removed.
    pub tombstone_bytes: u64,
}

/// How far the runs of a scenario have come, for a progress bar: virtual nanoseconds of all systems together.
#[derive(Debug, Default)]
pub struct Progress {
    done_ns: AtomicU64,
}

impl Progress {
    /// Virtual nanoseconds that have passed, over all systems.
    pub fn done_ns(&self) -> u64 {
        self.done_ns.load(Ordering::Relaxed)
    }
}

/// Events between two looks at the progress.
const SLICE_EVENTS: u32 = 1 << 16;

/// Runs to the end.
pub(super) fn drive(run: &mut dyn Running, progress: &Progress) -> Stop {
    let mut reported = run.now();
    loop {
        let stop = run.run_some(SLICE_EVENTS);
        progress.done_ns.fetch_add(run.now() - reported, Ordering::Relaxed);
        reported = run.now();
        if let Some(stop) = stop {
            return stop;
        }
    }
}

/// Runs the systems of a scenario under `seed`, in parallel; outcomes are in the order of `systems`.
pub fn run_all(plan: &Plan, systems: &[&SystemSpec], seed: u64, progress: &Progress) -> Vec<Outcome> {
    systems.par_iter().map(|system| run_system(plan, system, seed, progress)).collect()
}

/// Runs one system of a scenario under `seed`.
pub fn run_system(plan: &Plan, system: &SystemSpec, seed: u64, progress: &Progress) -> Outcome {
    run_to(Depth::Full, plan, system, seed, progress)
}

/// As [`run_system`], and judges no more than `depth` says.
pub(super) fn run_to(depth: Depth, plan: &Plan, system: &SystemSpec, seed: u64, progress: &Progress) -> Outcome {
    let span = tracing::info_span!("run", system = system.name);
    let _entered = span.enter();
    let mut run = start(plan, system, seed);
    let stop = drive(&mut *run, progress);
    run.outcome(&system.name, depth, stop)
}

/// How much is judged of a run. What is measured is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Everything.
    Full,
    /// Everything but consistency models, which take longer than the run itself.
    WithoutConsistency,
}

impl Depth {
    /// As much as these expectations ask for.
    pub(super) fn of(expectations: &[Expectation]) -> Self {
        let asks = |expectation: &Expectation| expectation.measure.kind == MeasureKind::Consistency;
        if expectations.iter().any(asks) { Self::Full } else { Self::WithoutConsistency }
    }
}

/// Runs one system of a scenario under `seed` with a changed plan, and judges nothing: its fingerprint, and how many events
/// were handled.
pub fn run_bare(plan: &Plan, system: &SystemSpec, seed: u64, change: impl Fn(&mut RunPlan)) -> (Fingerprint, u64) {
    let mut run = start_changed(plan, system, seed, &change);
    drive(&mut *run, &Progress::default());
    (run.fingerprint(), run.events())
}

/// What became of a world that has run under this plan, and why it stopped.
pub fn outcome_of<N, S, W>(system: &str, plan: &RunPlan, world: &World<N, S, W, Recorder<N>>, stop: Stop) -> Outcome
where
    N: Node<Object: Judged>,
    S: Service<StateOf<N>>,
    W: Workload<N::Object>,
{
    outcome_to(Depth::Full, system, plan, world, stop)
}

pub(super) fn outcome_to<N, S, W>(
    depth: Depth,
    system: &str,
    plan: &RunPlan,
    world: &World<N, S, W, Recorder<N>>,
    stop: Stop,
) -> Outcome
where
    N: Node<Object: Judged>,
    S: Service<StateOf<N>>,
    W: Workload<N::Object>,
{
    let view = world.view();
    let mut recorder = world.observer().clone();
    let mut measures = recorder.finish(plan, world.now(), &view);
    let first_live = (0..view.nodes.len() as u32).map(NodeId).find(|&replica| view.is_live(replica));
    let agreed = measures.converged_at.and(first_live).map(|replica| view.value(replica));
    let visibility = recorder.pasts(&view).map(Visibility::new);
    let Found { findings: consistency, reads } = match depth {
        Depth::Full => {
            let mut found =
                found(recorder.history(), recorder.contents(), &recorder.idle_updates(), visibility.as_ref());
            found.findings.push(convergence::finding(recorder.history(), &measures.convergence));
            found
        }
        Depth::WithoutConsistency => {
            Found { findings: Vec::new(), reads: Verdict::Unknown { reason: "nobody asked".to_owned() } }
        }
    };
    let content = first_live.and_then(|replica| recorder.content(replica, &view));
    let specified = N::SPECIFICATION.map(|specify| {
        let updates =
            Specified { history: recorder.history(), dots: &recorder.dots(), visibility: visibility.as_ref() };
        updates.verdict(specify, content.as_deref(), agreed.as_ref())
    });
    let judgement = Judged::judge(&Ended {
        history: recorder.history(),
        agreed: agreed.as_ref(),
        content: content.as_deref(),
        visibility: visibility.as_ref(),
        replaced: &recorder.replaced(),
        lost_updates: measures.lost_updates,
        phantom_updates: measures.phantom_updates,
        reads: &reads,
        local_effects: &recorder.local_effects(),
        specified: specified.as_ref(),
    });
    measures.lost_updates = judgement.lost_updates;
    Outcome {
        system: system.to_owned(),
        fingerprint: world.fingerprint(),
        events: world.events(),
        stop,
        ended_at: world.now(),
        horizon: plan.final_reads_at,
        agreed: agreed.map(|value| <N::Object as Spoken>::state(&value).to_string()),
        correct: judgement.correct(),
        checks: judgement.checks,
        acceptable: judgement.acceptable,
        consistency,
        traffic: view.network.traffic,
        size: size(view.nodes, view.services),
        costs: world.costs(),
        bites: view.network.bites().to_vec(),
        programs: None,
        measures,
        history: Arc::new(recorder.into_history()),
    }
}

/// A history of any object, to be written to a file.
pub trait WrittenHistory: Debug + Send + Sync {
    /// Writes all events, one JSON object a line.
    fn write_json_lines(&self, out: &mut dyn io::Write) -> io::Result<()>;
}

impl<O: Judged> WrittenHistory for History<O> {
    fn write_json_lines(&self, out: &mut dyn io::Write) -> io::Result<()> {
        History::write_json_lines(self, out)
    }
}

/// The state of the largest replica; of the largest store where replicas keep nothing themselves.
fn size<N: Node, S: Service<StateOf<N>>>(nodes: &[N], services: &[S]) -> Size {
    let largest = nodes.iter().map(Node::weight).max_by_key(Weight::total_bytes).unwrap_or_default();
    if largest.total_bytes() == 0 {
        let state_bytes = services.iter().map(|service| service.bytes(N::value_bytes)).max().unwrap_or(0);
        return Size { state_bytes, ..Size::default() };
    }
    Size {
        state_bytes: largest.total_bytes(),
        metadata_bytes: largest.metadata_bytes,
        tombstone_bytes: largest.tombstone_bytes,
    }
}
