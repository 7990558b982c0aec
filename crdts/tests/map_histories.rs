//! 30,000 random histories for each kind of map: three replicas, up to ten steps, every update made by a replica from what it
//! has seen. Histories like these are how a published map of registers was found to diverge: its merge was not associative,
//! causal delivery ended in different states, and merging replicas that had converged changed them.
//!
//! Here all three are checked in every history, and every value is compared with its specification over the causal history.

use std::{collections::BTreeSet, fmt::Debug};

use crdts::{
    Cart, Crdt, MvRegister, Object, OrMap, OrSet, ReplicaId, ResettableCounter,
    causality::{CausalSpec, Dot, Event},
    objects::{cart::CartOp, map::MapOp, register::RegisterOp::Write, resettable_counter::ResetCounterOp, set::SetOp},
};

const HISTORIES: u64 = 30_000;
const REPLICAS: usize = 3;
const STEPS_MAX: u64 = 10;

type Op<C> = <<C as Crdt>::Object as Object>::Op;

/// A stream of numbers that depends on the seed alone (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
/// generators").
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn key(&mut self) -> u8 {
        self.below(2) as u8
    }
}

struct Performed<C: Crdt> {
    event: Event<Op<C>>,
    delta: C,
}

struct Replica<C> {
    state: C,
    seen: BTreeSet<Dot>,
}

struct History<C: Crdt> {
    replicas: Vec<Replica<C>>,
    updates: Vec<Performed<C>>,
}

impl<C: CausalSpec> History<C> {
    fn play(draws: &mut Draws, op: impl Fn(&mut Draws) -> Op<C>) -> Self {
        let replicas = (0..REPLICAS).map(|_| Replica { state: C::bottom(), seen: BTreeSet::new() }).collect();
        let mut history = Self { replicas, updates: Vec::new() };
        for _ in 0..=draws.below(STEPS_MAX) {
            let at = draws.below(REPLICAS as u64) as usize;
            if draws.below(3) > 0 {
                history.update(at, op(draws));
            } else {
                history.merge(at, draws.below(REPLICAS as u64) as usize);
            }
        }
        history
    }

    fn update(&mut self, at: usize, op: Op<C>) {
        let Replica { state, seen } = &mut self.replicas[at];
        let replica = ReplicaId(at as u32);
        let update = state.update(replica, &op).expect("no amount here is large");
        if !update.delta.is_bottom() {
            let counter = seen.iter().filter(|dot| dot.replica == replica).count() as u64 + 1;
            let event = Event { dot: Dot::new(replica, counter), op, past: seen.clone() };
            seen.insert(event.dot);
            self.updates.push(Performed { event, delta: update.delta });
        }
    }

    fn merge(&mut self, into: usize, from: usize) {
        let (state, seen) = (self.replicas[from].state.clone(), self.replicas[from].seen.clone());
        self.replicas[into].state.join(&state);
        self.replicas[into].seen.extend(seen);
    }

    fn specified(&self, seen: &BTreeSet<Dot>) -> <C::Object as Object>::State {
        let visible = self.updates.iter().filter(|update| seen.contains(&update.event.dot));
        C::specify(&visible.map(|update| update.event.clone()).collect::<Vec<_>>())
    }

    /// Delivers to a replica the deltas that it lacks, in a causal order that is drawn.
    fn deliver(&self, replica: &Replica<C>, draws: &mut Draws) -> C {
        let (mut state, mut seen) = (replica.state.clone(), replica.seen.clone());
        loop {
            let is_next =
                |update: &&Performed<C>| !seen.contains(&update.event.dot) && update.event.past.is_subset(&seen);
            let ready: Vec<&Performed<C>> = self.updates.iter().filter(is_next).collect();
            if ready.is_empty() {
                assert_eq!(seen.len(), self.updates.len(), "every update can be delivered");
                return state;
            }
            let Performed { event, delta } = ready[draws.below(ready.len() as u64) as usize];
            state.join(delta);
            seen.insert(event.dot);
            assert_eq!(state.value(), self.specified(&seen));
        }
    }

    fn check(&self, draws: &mut Draws) {
        let joined = |a: &C, b: &C| {
            let mut joined = a.clone();
            joined.join(b);
            joined
        };
        let [a, b, c] = [0, 1, 2].map(|at| &self.replicas[at].state);
        let all = joined(&joined(a, b), c);
        assert_eq!(joined(a, &joined(b, c)), all, "the grouping of merges matters");
        assert_eq!(joined(c, &joined(b, a)), all, "the order of merges matters");
        assert_eq!(all.value(), self.specified(&self.updates.iter().map(|update| update.event.dot).collect()));

        for replica in &self.replicas {
            assert_eq!(replica.state.value(), self.specified(&replica.seen));
            let mut delivered = self.deliver(replica, draws);
            assert_eq!(delivered, all, "delivery in causal order does not end where merges do");
            assert!(!delivered.join(&all), "a merge of converged replicas changes one");
            let mut synced = replica.state.clone();
            synced.join(&all.delta_since(&replica.state.digest()));
            assert_eq!(synced, all, "an answer to a digest does not suffice");
        }
        let nowhere = Replica { state: C::bottom(), seen: BTreeSet::new() };
        assert_eq!(self.deliver(&nowhere, draws), all, "a new replica does not end where the others are");
    }
}

fn check<C: CausalSpec>(op: impl Fn(&mut Draws) -> Op<C>) {
    let mut longest = 0;
    for seed in 0..HISTORIES {
        let mut draws = Draws(seed);
        let history = History::<C>::play(&mut draws, &op);
        longest = longest.max(history.updates.len());
        history.check(&mut draws);
    }
    assert!(longest >= 8, "{longest}");
}

/// Three of four operations are on a value, the fourth removes it.
fn at_key<Op: Debug>(draws: &mut Draws, op: impl Fn(&mut Draws) -> Op) -> MapOp<u8, Op> {
    let key = draws.key();
    if draws.below(4) > 0 { MapOp::Update { key, op: op(draws) } } else { MapOp::Remove(key) }
}

#[test]
fn registers() {
    check::<MvRegister<u8>>(|draws| Write(draws.key()));
}

#[test]
fn maps_of_registers() {
    check::<OrMap<u8, MvRegister<u8>>>(|draws| at_key(draws, |draws| Write(draws.key())));
}

#[test]
fn maps_of_maps_of_registers() {
    check::<OrMap<u8, OrMap<u8, MvRegister<u8>>>>(|draws| {
        at_key(draws, |draws| at_key(draws, |draws| Write(draws.key())))
    });
}

#[test]
fn maps_of_sets() {
    check::<OrMap<u8, OrSet<u8>>>(|draws| {
        at_key(draws, |draws| {
            let element = draws.key();
            if draws.below(3) > 0 { SetOp::Add(element) } else { SetOp::Remove(element) }
        })
    });
}

fn counter_op(draws: &mut Draws) -> ResetCounterOp {
    match draws.below(6) {
        0 => ResetCounterOp::Reset,
        amount => ResetCounterOp::Add(amount as i64 - 3),
    }
}

#[test]
fn resettable_counters() {
    check::<ResettableCounter>(counter_op);
}

#[test]
fn maps_of_resettable_counters() {
    check::<OrMap<u8, ResettableCounter>>(|draws| at_key(draws, counter_op));
}

#[test]
fn carts() {
    check::<Cart<u8>>(|draws| {
        let item = draws.key();
        match draws.below(6) {
            0 => CartOp::Remove { item },
            1 | 2 => CartOp::Add { item, quantity: draws.below(4) },
            _ => CartOp::Change { item, by: draws.below(7) as i64 - 4 },
        }
    });
}
