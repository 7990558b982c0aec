//! The judges of runs: which consistency models real runs keep to, whatever the seed; that two independent judges agree; and
//! that a data type whose join is none is caught.

use crdts::{
    Encode, GCounter,
    clock::ReplicaId,
    encoding::DecodeError,
    lattice::{Crdt, Lattice, Update, UpdateError, Weight},
    objects::counter::{Counter, CounterOp},
};
use sim::{
    checkers::{
        Consistency::{self, Causal, Linearizable, MonotonicReads, ReadYourWrites, Sequential, StronglyConvergent},
        Verdict,
        linearizability::{Judgement, Limits, calls_of, check, models::CounterModel},
        sequential,
    },
    engine::{Outcome, Progress, run_all},
    history::History,
    kernel::{fold::Fingerprint, node::Node, service::Service, workload::Workload, world::World},
    measure::Recorder,
    protocols::gossip::{Gossip, GossipConfig},
    registry::{Job, Setup, dispatch_counter},
    scenario::{self, Plan},
};

/// Six clients of three replicas, cut into small pieces of time.
fn plan(workload: &str, extra: &str) -> Plan {
    let text = format!(
        r#"
        name = "models"
        cluster = {{ nodes = 3 }}
        network = {{ latency = {{ uniform = {{ min = "1ms", max = "30ms" }} }}, loss = "2%" }}
        workload = {{ object = "counter", clients = 6, {workload} }}
        fault = [{{ at = "500ms", for = "500ms", partition = {{ groups = [["n1"], ["n2", "n3"]] }} }}]
        system = [
            {{ name = "naive", naive = {{}} }},
            {{ name = "naive-delta", naive-delta = {{}} }},
            {{ name = "occ-lin", occ = {{ store = "lin-kv" }} }},
            {{ name = "occ-seq", occ = {{ store = "seq-kv" }} }},
            {{ name = "occ-lww", occ = {{ store = "lww-kv" }} }},
            {{ name = "pn-counter", gossip = {{ crdt = "pn-counter", interval = "50ms" }} }},
        ]
        {extra}
        "#
    );
    scenario::parse("models.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn runs(plan: &Plan, seeds: std::ops::Range<u64>) -> Vec<Vec<Outcome>> {
    let systems: Vec<_> = plan.systems.iter().collect();
    seeds.map(|seed| run_all(plan, &systems, seed, &Progress::default())).collect()
}

fn verdict<'a>(outcomes: &'a [Outcome], system: &str, model: Consistency) -> &'a Verdict {
    let outcome = outcomes.iter().find(|outcome| outcome.system == system).expect("a system of the plan");
    &outcome.consistency.iter().find(|found| found.model == model).expect("all models are judged").verdict
}

/// In how many runs the model holds.
fn held(runs: &[Vec<Outcome>], system: &str, model: Consistency) -> usize {
    runs.iter().filter(|outcomes| *verdict(outcomes, system, model) == Verdict::Pass).count()
}

/// In how many runs it is broken.
fn broken(runs: &[Vec<Outcome>], system: &str, model: Consistency) -> usize {
    runs.iter().filter(|outcomes| matches!(verdict(outcomes, system, model), Verdict::Fail { .. })).count()
}

const SEEDS: std::ops::Range<u64> = 0..100;

#[test]
fn every_system_keeps_its_promise_under_every_seed_and_no_more() {
    let plan = plan(r#"rate = "60/s", duration = "2s", mix = { add = 1, read = 2 }"#, "");
    let runs = runs(&plan, SEEDS);
    let all = runs.len();
    // Promises: never broken.
    for (system, model) in [
        ("occ-lin", Linearizable),
        ("occ-seq", Sequential),
        ("occ-lin", StronglyConvergent),
        ("pn-counter", Causal),
        ("pn-counter", StronglyConvergent),
    ] {
        assert_eq!(held(&runs, system, model), all, "{system} is {}", model.name());
    }
    // What is not promised is broken in nearly every run of this length.
    for (system, model) in [
        ("occ-seq", Linearizable),
        ("occ-lww", Linearizable),
        ("occ-lww", Sequential),
        ("pn-counter", Linearizable),
        ("pn-counter", Sequential),
        ("naive", Linearizable),
        ("naive", ReadYourWrites),
        ("naive", StronglyConvergent),
        ("naive-delta", StronglyConvergent),
    ] {
        let broken = broken(&runs, system, model);
        assert!(broken * 10 >= all * 9, "{system} is not {} in {broken} of {all} runs only", model.name());
    }
}

#[test]
fn clients_that_roam_lose_their_sessions_and_a_linearizable_store_does_not_care() {
    let plan = plan(r#"rate = "60/s", duration = "2s", mix = { add = 1, read = 2 }, binding = "roaming""#, "");
    let runs = runs(&plan, 0..30);
    for (system, model) in [("pn-counter", ReadYourWrites), ("pn-counter", MonotonicReads), ("occ-seq", Sequential)] {
        assert!(broken(&runs, system, model) > 20, "{system} is {}", model.name());
    }
    assert_eq!(held(&runs, "occ-lin", Linearizable), runs.len());
    assert_eq!(held(&runs, "pn-counter", StronglyConvergent), runs.len());
}

/// What clients saw.
struct Clients;

impl Job<Counter, History<Counter>> for Clients {
    fn run<N, S, W>(self, setup: Setup<N, S, W>) -> History<Counter>
    where
        N: Node<Object = Counter>,
        S: Service<i128>,
        W: Workload<Counter>,
    {
        let Setup { plan, config, services, workload, .. } = setup;
        let recorder = Recorder::<N>::new(&plan);
        let mut world = World::<N, _, _, _>::new(plan, config, services, workload, recorder);
        world.run();
        let mut history = world.observer().history().clone();
        history.finish(world.now().0);
        history
    }
}

/// The judge of contents sees more than clients do: what it passes, a judge of totals alone must pass; and what that one
/// refuses, it must refuse. The search is exhaustive, and knows nothing of contents.
#[test]
fn the_judge_of_contents_agrees_with_the_search_over_totals() {
    let plan =
        plan(r#"rate = "15/s", duration = "900ms", mix = { add = 1, read = 2 }, amount = { choice = [1, 2, -1] }"#, "");
    let (mut passed, mut refused, mut in_order, mut out_of_order) = (0, 0, 0, 0);
    for seed in 0..60 {
        let systems: Vec<_> = plan.systems.iter().collect();
        let outcomes = run_all(&plan, &systems, seed, &Progress::default());
        for (system, outcome) in systems.iter().zip(&outcomes) {
            let history = dispatch_counter(&plan, system, seed, Clients).expect("a scenario of a counter");
            let totals = check(&CounterModel::new(), &calls_of(&history), &Limits::default());
            let [contents, ordered] = [0, 1].map(|at| &outcome.consistency[at]);
            assert_eq!((contents.model, ordered.model), (Linearizable, Sequential));
            let whole = sequential::check(&CounterModel::new(), &calls_of(&history), &Limits::default()).verdict;
            match (&ordered.verdict, &whole) {
                (Verdict::Pass, Verdict::Pass) => in_order += 1,
                (Verdict::Fail { .. }, Verdict::Fail { .. }) => out_of_order += 1,
                (Verdict::Pass, Verdict::Fail { witness }) => {
                    panic!("{} under seed {seed} has an order by contents and none by totals: {witness}", system.name)
                }
                _ => {}
            }
            match (&contents.verdict, &totals) {
                (Verdict::Pass, Judgement::Linearizable { .. }) => passed += 1,
                (Verdict::Fail { .. }, Judgement::NotLinearizable(_)) => refused += 1,
                // A stale answer that another addition of the same amount makes up for.
                (Verdict::Fail { .. } | Verdict::Vacuous { .. }, Judgement::Linearizable { .. })
                | (_, Judgement::Unknown { .. }) => {}
                (contents, totals) => panic!("{} under seed {seed}: {contents} but {totals:?}", system.name),
            }
        }
    }
    assert!(passed > 60 && refused > 60, "{passed} passed and {refused} were refused by both");
    assert!(in_order > 100 && out_of_order > 0, "{in_order} have an order for both, {out_of_order} for neither");
}

/// A counter that merges by adding up what it receives: the textbook mistake.
#[derive(Clone, Debug, Default, PartialEq)]
struct Summing(GCounter);

impl Lattice for Summing {
    fn bottom() -> Self {
        Self(GCounter::bottom())
    }

    fn is_bottom(&self) -> bool {
        self.0.is_bottom()
    }

    fn join(&mut self, other: &Self) -> bool {
        let mut counts = Vec::new();
        other.0.progress(|replica, count| counts.push((replica, count)));
        for &(replica, count) in &counts {
            // Too many additions for 64 bits are no matter here.
            let _ = self.0.update(replica, &CounterOp::Add(i64::try_from(count % 1_000).unwrap_or(0)));
        }
        !counts.is_empty()
    }

    fn le(&self, other: &Self) -> bool {
        self.0.le(&other.0)
    }

    fn decompose(&self) -> Vec<Self> {
        self.0.decompose().into_iter().map(Self).collect()
    }
}

impl Crdt for Summing {
    type Object = Counter;
    type Digest = <GCounter as Crdt>::Digest;

    const NAME: &'static str = "summing";

    fn update(
        &mut self,
        replica: ReplicaId,
        op: &CounterOp,
    ) -> Result<Update<crdts::objects::counter::CounterRet, Self>, UpdateError> {
        let Update { ret, delta } = self.0.update(replica, op)?;
        Ok(Update { ret, delta: Self(delta) })
    }

    fn value(&self) -> i128 {
        self.0.value()
    }

    fn digest(&self) -> Self::Digest {
        self.0.digest()
    }

    fn delta_since(&self, digest: &Self::Digest) -> Self {
        Self(self.0.delta_since(digest))
    }

    fn progress(&self, visit: impl FnMut(ReplicaId, u64)) {
        self.0.progress(visit);
    }

    fn fold(&self, word: impl FnMut(u64)) {
        self.0.fold(word);
    }

    fn weight(&self) -> Weight {
        self.0.weight()
    }

    fn digest_bytes(digest: &Self::Digest) -> u64 {
        GCounter::digest_bytes(digest)
    }

    fn fold_digest(digest: &Self::Digest, word: impl FnMut(u64)) {
        GCounter::fold_digest(digest, word);
    }
}

impl Encode for Summing {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        GCounter::decode(bytes).map(Self)
    }
}

#[test]
fn a_join_that_is_none_is_caught_by_the_states_that_occurred_and_told_as_a_unit_test() {
    let plan = plan(r#"rate = "20/s", duration = "1s""#, "");
    let mut setup = plan.run_plan(1);
    setup.limits.events_max = 20_000;
    let config = GossipConfig::default();
    let recorder = Recorder::<Gossip<Summing>>::new(&setup);
    let services = plan.services.iter().map(sim::services::Kv::new).collect();
    let mut world = World::<Gossip<Summing>, _, _, _>::new(
        setup.clone(),
        config,
        services,
        plan.counting_clients(1).expect("a scenario of a counter"),
        recorder,
    );
    world.run();
    let mut recorder = world.observer().clone();
    let measures = recorder.finish(&setup, world.now(), &world.view());
    let broken = measures.convergence.laws.expect("a lattice, or so it says").broken.expect("a broken law");
    assert!(broken.violation.starts_with("broken law Idempotent"), "{}", broken.violation);
    for line in ["#[test]", "let a = Summing::decode(&[", "check_joins(&a, &b, &c).unwrap();"] {
        assert!(broken.violation.contains(line), "no {line} in {}", broken.violation);
    }
    assert!(measures.convergence.deliveries.expect("a small cluster").conflict.is_some());
}

#[test]
fn judging_disturbs_no_draw() {
    // The sample of states is drawn; the run must be the same as one that nobody watches.
    struct Unwatched;
    impl Job<Counter, Fingerprint> for Unwatched {
        fn run<N, S, W>(self, setup: Setup<N, S, W>) -> Fingerprint
        where
            N: Node<Object = Counter>,
            S: Service<i128>,
            W: Workload<Counter>,
        {
            let Setup { plan, config, services, workload, .. } = setup;
            let unobserved = sim::kernel::observer::Unobserved;
            let mut world = World::<N, _, _, _>::new(plan, config, services, workload, unobserved);
            world.run();
            world.fingerprint()
        }
    }
    let plan = plan(r#"rate = "60/s", duration = "2s""#, "");
    for (system, outcome) in plan.systems.iter().zip(&runs(&plan, 3..4)[0]) {
        assert_eq!(dispatch_counter(&plan, system, 3, Unwatched), Some(outcome.fingerprint), "{}", system.name);
    }
}
