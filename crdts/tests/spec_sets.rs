//! Sets and flags against their definitions over causal histories, also while replicas drop what is stable.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use crdts::{
    Crdt, DwFlag, EwFlag, Object, OrSet, OrSetTombstones, ReplicaId, RwSet,
    causality::{CausalSpec, Dot, Event, VersionVector},
    objects::{
        flag::FlagOp,
        set::SetOp::{self, Add, Remove},
    },
};
use proptest::prelude::*;

type Op<C> = <<C as Crdt>::Object as Object>::Op;

const REPLICAS: usize = 3;

#[derive(Clone, Debug)]
enum Step<T> {
    Update(usize, T),
    Merge(usize, usize),
    Sync(usize, usize),
    Stable(usize),
}

#[derive(Clone)]
struct Cluster<C: Crdt> {
    states: Vec<C>,
    /// What each replica has seen.
    known: Vec<BTreeSet<Dot>>,
    events: BTreeMap<Dot, Event<Op<C>>>,
}

impl<C: CausalSpec> Cluster<C> {
    fn new() -> Self {
        Self { states: vec![C::bottom(); REPLICAS], known: vec![BTreeSet::new(); REPLICAS], events: BTreeMap::new() }
    }

    fn perform(&mut self, step: &Step<Op<C>>) {
        match step {
            Step::Update(at, op) => {
                let replica = ReplicaId(*at as u32);
                self.states[*at].update(replica, op).expect("counters are far from their end");
                if self.progress(*at) == self.own(*at) {
                    return; // without effect
                }
                let dot = Dot::new(replica, self.progress(*at));
                let past = self.known[*at].clone();
                self.events.insert(dot, Event { dot, op: op.clone(), past });
                self.known[*at].insert(dot);
            }
            &Step::Merge(into, from) | &Step::Sync(into, from) => {
                let told = match step {
                    Step::Sync(..) => self.states[from].delta_since(&self.states[into].digest()),
                    _ => self.states[from].clone(),
                };
                assert!(self.states[into].clone().try_join(&told).is_ok());
                self.states[into].join(&told);
                let heard = self.known[from].clone();
                self.known[into].extend(heard);
            }
            Step::Stable(at) => {
                let stable = self.stable(*at);
                let before = self.states[*at].value();
                self.states[*at].stable(&stable);
                assert_eq!(self.states[*at].value(), before, "stability changed the value");
            }
        }
    }

    fn progress(&self, at: usize) -> u64 {
        let mut found = 0;
        self.states[at].progress(|replica, counter| {
            if replica == ReplicaId(at as u32) {
                found = counter;
            }
        });
        found
    }

    fn own(&self, at: usize) -> u64 {
        self.known[at].iter().filter(|dot| dot.replica == ReplicaId(at as u32)).count() as u64
    }

    /// What every replica has seen, and every update that has not arrived at this one.
    fn stable(&self, at: usize) -> VersionVector {
        let missing = self.events.values().filter(|event| !self.known[at].contains(&event.dot));
        let pasts = self.known.iter().chain(missing.map(|event| &event.past));
        let stable = pasts.fold(self.known[at].clone(), |stable, past| &stable & past);
        stable.into_iter().map(|dot| (dot.replica, dot.counter)).collect()
    }

    fn check(&self) -> Result<(), String> {
        for (at, state) in self.states.iter().enumerate() {
            let history: Vec<_> = self.known[at].iter().map(|dot| self.events[dot].clone()).collect();
            let (found, expected) = (state.value(), C::specify(&history));
            if found != expected {
                return Err(format!("replica {at} shows {found:?}, specified {expected:?}\n{state:?}\n{history:?}"));
            }
        }
        Ok(())
    }
}

fn explore<C: CausalSpec>(cluster: &Cluster<C>, choices: &[Step<Op<C>>], length: usize, path: &mut Vec<Step<Op<C>>>) {
    for choice in choices {
        let mut next = cluster.clone();
        path.push(choice.clone());
        next.perform(choice);
        if let Err(message) = next.check() {
            panic!("{path:?}\n{message}");
        }
        if length > 1 {
            explore(&next, choices, length - 1, path);
        }
        path.pop();
    }
}

/// Every history of two operations, merges and stability at three replicas.
fn all_small_histories<C: CausalSpec>(ops: &[Op<C>; 2]) {
    let mut choices = Vec::new();
    for at in 0..REPLICAS {
        choices.extend(ops.iter().map(|op| Step::Update(at, op.clone())));
        choices.push(Step::Stable(at));
        choices.extend((0..REPLICAS).filter(|&from| from != at).map(|from| Step::Merge(at, from)));
    }
    explore::<C>(&Cluster::new(), &choices, 4, &mut Vec::new());
}

fn steps<T: Clone + Debug + 'static>(ops: impl Strategy<Value = T> + 'static) -> impl Strategy<Value = Vec<Step<T>>> {
    let replica = || 0..REPLICAS;
    let step = prop_oneof![
        4 => (replica(), ops).prop_map(|(at, op)| Step::Update(at, op)),
        3 => (replica(), replica()).prop_map(|(into, from)| Step::Merge(into, from)),
        1 => (replica(), replica()).prop_map(|(into, from)| Step::Sync(into, from)),
        1 => replica().prop_map(Step::Stable),
    ];
    prop::collection::vec(step, 0..40)
}

fn play<C: CausalSpec>(steps: &[Step<Op<C>>]) -> Result<(), TestCaseError> {
    let mut cluster = Cluster::<C>::new();
    for step in steps {
        cluster.perform(step);
        cluster.check().map_err(TestCaseError::fail)?;
    }
    Ok(())
}

fn set_ops() -> impl Strategy<Value = SetOp<u8>> {
    prop_oneof![(0..3_u8).prop_map(Add), (0..3_u8).prop_map(Remove)]
}

fn flag_ops() -> impl Strategy<Value = FlagOp> {
    prop::sample::select(vec![FlagOp::Enable, FlagOp::Disable])
}

macro_rules! spec_tests {
    ($name:ident: $crdt:ty, $ops:expr, $random:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn small_histories() {
                all_small_histories::<$crdt>(&$ops);
            }

            proptest! {
                #[test]
                fn random_histories(steps in steps($random)) {
                    play::<$crdt>(&steps)?;
                }
            }
        }
    };
}

spec_tests!(or_set: OrSet<u8>, [Add(1), Remove(1)], set_ops());
spec_tests!(or_set_tombstones: OrSetTombstones<u8>, [Add(1), Remove(1)], set_ops());
spec_tests!(rw_set: RwSet<u8>, [Add(1), Remove(1)], set_ops());
spec_tests!(ew_flag: EwFlag, [FlagOp::Enable, FlagOp::Disable], flag_ops());
spec_tests!(dw_flag: DwFlag, [FlagOp::Enable, FlagOp::Disable], flag_ops());
