//! Mutants of the stores: each breaks its promise in one way, and the judges of runs must see it.

use std::collections::BTreeMap;

use sim::{
    checkers::{
        Consistency::{self, Linearizable, ReadYourWrites, Sequential, StronglyConvergent},
        Verdict,
    },
    engine::{Outcome, outcome_of},
    kernel::{
        fold::{Fold, digest_of},
        ids::NodeId,
        lineage::LineageId,
        service::{Key, KvReply, KvRequest, Service, ServiceContext, Visible},
        world::World,
    },
    measure::Recorder,
    protocols::occ::{Occ, OccConfig},
    scenario::{self, Plan},
};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// Nothing.
    None,
    /// Reads are answered from a state that others have superseded, but never from one before the client's own position.
    Old,
    /// Reads are answered from any of the last states.
    Backwards,
    /// A compare-and-swap does not compare.
    Blind,
    /// Every ninth compare-and-swap is acknowledged, and forgotten.
    Forgetful,
    /// Every ninth refused compare-and-swap takes effect all the same.
    Sneaky,
    /// Every ninth compare-and-swap takes effect twice.
    Eager,
}

/// A store of one key that keeps all its states.
#[derive(Clone, Debug)]
struct Flawed {
    flaw: Flaw,
    /// The values with the updates behind them. The first is that of a key without a value.
    states: Vec<(i128, LineageId)>,
    /// How far each client is.
    positions: BTreeMap<NodeId, usize>,
    requests: u64,
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        Self { flaw, states: vec![(0, LineageId::ROOT)], positions: BTreeMap::new(), requests: 0 }
    }

    fn read(&mut self, from: NodeId, cx: &ServiceContext<'_>) -> KvReply<i128> {
        let newest = self.states.len() - 1;
        let oldest = match self.flaw {
            Flaw::Old => self.positions.get(&from).copied().unwrap_or(0).max(newest.saturating_sub(6)),
            Flaw::Backwards => newest.saturating_sub(6),
            _ => newest,
        };
        let at = oldest + cx.draws.below(u64::from(from.0), self.requests, (newest - oldest) as u64 + 1) as usize;
        self.positions.insert(from, at);
        match self.states[at] {
            (_, LineageId::ROOT) => KvReply::KeyDoesNotExist,
            (value, lineage) => KvReply::Value { value, lineage },
        }
    }
}

impl Service<i128> for Flawed {
    fn handle(&mut self, from: NodeId, request: KvRequest<i128>, cx: &mut ServiceContext<'_>) -> KvReply<i128> {
        self.requests += 1;
        let KvRequest::Cas { from: expected, to, op: Some(op), .. } = request else { return self.read(from, cx) };
        let is_ninth = self.requests.is_multiple_of(9);
        let (newest, lineage) = self.states[self.states.len() - 1];
        let matches = newest == expected;
        if !matches && self.flaw != Flaw::Blind && !(self.flaw == Flaw::Sneaky && is_ninth) {
            return KvReply::PreconditionFailed;
        }
        if !(matches && is_ninth && self.flaw == Flaw::Forgetful) {
            // Whoever swaps without looking writes what follows from the state that was read.
            let read = self.states.iter().rfind(|(value, _)| *value == expected);
            let base = if matches { lineage } else { read.map_or(LineageId::ROOT, |(_, lineage)| *lineage) };
            let mut after = (to, cx.lineage.derive(base, op));
            cx.effects.push(op);
            if is_ninth && self.flaw == Flaw::Eager {
                after = (to + (to - expected), cx.lineage.derive(after.1, op));
            }
            self.states.push(after);
            self.positions.insert(from, self.states.len() - 1);
        }
        if matches || self.flaw == Flaw::Blind { KvReply::Swapped } else { KvReply::PreconditionFailed }
    }

    fn on_wake(&mut self, _: &mut ServiceContext<'_>) {}

    fn visible(&self, _: NodeId, _: Key) -> Option<Visible> {
        let (value, lineage) = self.states[self.states.len() - 1];
        Some(Visible { digest: digest_of(&value), lineage })
    }

    fn newest(&self, _: Key) -> i128 {
        self.states[self.states.len() - 1].0
    }

    fn fold(&self, fold: &mut Fold) {
        fold.word(self.states.len() as u64);
    }

    fn bytes(&self, _: fn(&i128) -> u64) -> u64 {
        16
    }
}

fn plan() -> Plan {
    let text = r#"
        name = "mutants"
        cluster = { nodes = 3 }
        network = { latency = { uniform = { min = "1ms", max = "10ms" } } }
        workload = { object = "counter", clients = 6, rate = "60/s", duration = "3s", mix = { add = 1, read = 2 } }
        system = [{ name = "occ", occ = { store = "lin-kv" } }]
    "#;
    scenario::parse("mutants.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn run(flaw: Flaw, seed: u64) -> Outcome {
    let (plan, store) = (plan(), Flawed::new(flaw));
    let setup = plan.run_plan(seed);
    let config = OccConfig::new(NodeId(3));
    let recorder = Recorder::<Occ>::new(&setup);
    let mut world = World::new(
        setup.clone(),
        config,
        vec![store],
        plan.counting_clients(seed).expect("a scenario of a counter"),
        recorder,
    );
    let stop = world.run();
    outcome_of("occ", &setup, &world, stop)
}

const SEEDS: std::ops::Range<u64> = 0..20;

/// In how many runs the judge of a model finds fault.
fn caught(flaw: Flaw, model: Consistency) -> usize {
    let is_broken = |outcome: &Outcome| {
        let found = outcome.consistency.iter().find(|found| found.model == model).expect("every model is judged");
        matches!(found.verdict, Verdict::Fail { .. })
    };
    SEEDS.map(|seed| run(flaw, seed)).filter(is_broken).count()
}

#[test]
fn each_flaw_breaks_what_it_must_and_no_more() {
    let all = SEEDS.count();
    for (flaw, broken, kept) in [
        (Flaw::None, &[][..], &[Linearizable, StronglyConvergent][..]),
        (Flaw::Old, &[Linearizable], &[Sequential]),
        (Flaw::Backwards, &[Linearizable, Sequential], &[]),
        (Flaw::Blind, &[Linearizable, Sequential, StronglyConvergent], &[]),
        (Flaw::Forgetful, &[Linearizable, Sequential, ReadYourWrites], &[]),
        (Flaw::Sneaky, &[Linearizable, Sequential], &[]),
        (Flaw::Eager, &[Linearizable, Sequential], &[]),
    ] {
        for &model in broken {
            let caught = caught(flaw, model);
            assert!(caught * 4 >= all * 3, "{flaw:?} is {} in all but {caught} of {all} runs", model.name());
        }
        for &model in kept {
            assert_eq!(caught(flaw, model), 0, "{flaw:?} is {}", model.name());
        }
    }
}
