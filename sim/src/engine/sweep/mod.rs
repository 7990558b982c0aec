//! Sweeps: all systems of a scenario under many seeds.
//!
//! Runs are spread over all threads, and their rows are written in one order, so that a finished store is the same bytes for any number of
//! threads, in one go or resumed, whole or joined from shards. What a sweep keeps of a run is a [`Row`]; what it judges is what the
//! scenario expects.
//!
//! Invariant: a row is a function of plan, system and seed. A key that is in the store is never run again.
//!
//! ```no_run
//! use sim::engine::sweep::{Header, Seeds, Store, Sweep, sweep};
//! let plan = sim::scenario::load("scenarios/partition.toml".as_ref(), &[]).expect("a scenario");
//! let systems: Vec<_> = plan.systems.iter().collect();
//! let mut store = Store::open("rows.jsonl".as_ref(), Header::new(&plan, &systems)).expect("a place to write");
//! let seeds = Seeds::parse("0..1000").expect("seeds");
//! sweep(&Sweep { plan: &plan, systems, seeds }, &mut store, &mut |_| false).expect("rows are written");
//! ```
//!
//! A scenario with swarm values has another plan under every seed; all of them have the same systems.
//!
//! What is deliberately absent: a clock. Whoever has a budget of time says when to stop.

mod floor;
mod header;
mod row;
mod rows;
mod seeds;
mod segments;
mod store;

use rayon::prelude::*;

pub use floor::{Floor, floor};
pub use header::{Header, Place, SCHEMA_VERSION, StoreError};
pub use row::{Row, RowVerdict};
pub use rows::Rows;
pub use seeds::{Seeds, Shard};
pub use store::{Store, Stored};

use super::{
    judge::judge,
    run::{Depth, Progress, run_to},
};
use crate::scenario::{Errors, Plan, SystemSpec};

/// What to run.
#[derive(Clone, Debug)]
pub struct Sweep<'a> {
    /// The scenario.
    pub plan: &'a Plan,
    /// The systems.
    pub systems: Vec<&'a SystemSpec>,
    /// The seeds.
    pub seeds: Seeds,
}

/// How far a sweep has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Rows in the store that belong to this sweep.
    pub done: u64,
    /// Rows that there will be.
    pub total: u64,
    /// Rows that were there already.
    pub resumed: u64,
    /// Runs that failed, those that were there included.
    pub failures: u64,
    /// Was it stopped before its end?
    pub stopped: bool,
}

/// How many runs each thread gets between two writes.
const RUNS_PER_THREAD: usize = 64;

/// Runs what is not in the store yet. `stop` is asked between writes.
pub fn sweep(
    sweep: &Sweep<'_>,
    store: &mut Store,
    stop: &mut dyn FnMut(&Reached) -> bool,
) -> Result<Reached, StoreError> {
    let mut reached = Reached { total: sweep.seeds.count() * sweep.systems.len() as u64, ..Reached::default() };
    let mut pending = Vec::new();
    let chunk = RUNS_PER_THREAD * rayon::current_num_threads();
    let mut known = store.known()?;
    for seed in sweep.seeds.iter() {
        for (number, system) in sweep.systems.iter().enumerate() {
            match known.at((seed, number))? {
                Some(row) => {
                    reached.done += 1;
                    reached.resumed += 1;
                    reached.failures += u64::from(row.verdict == RowVerdict::Fail);
                }
                None => pending.push((seed, *system)),
            }
        }
        if pending.len() >= chunk {
            run(sweep.plan, &mut pending, store, &mut reached)?;
            if stop(&reached) {
                reached.stopped = true;
                return Ok(reached);
            }
        }
    }
    run(sweep.plan, &mut pending, store, &mut reached)?;
    stop(&reached);
    Ok(reached)
}

fn run(
    plan: &Plan,
    pending: &mut Vec<(u64, &SystemSpec)>,
    store: &mut Store,
    reached: &mut Reached,
) -> Result<(), StoreError> {
    let rows: Vec<Row> = pending.par_iter().map(|(seed, system)| row(plan, system, *seed)).collect();
    pending.clear();
    store.append(&rows)?;
    reached.done += rows.len() as u64;
    reached.failures += rows.iter().filter(|row| row.verdict == RowVerdict::Fail).count() as u64;
    Ok(())
}

/// The first seed whose draws of swarm values make no sense, and why.
pub fn refused(plan: &Plan, seeds: Seeds) -> Option<(u64, Errors)> {
    if !plan.is_swarm() {
        return None;
    }
    let seeds: Vec<u64> = seeds.iter().collect();
    seeds.par_iter().find_map_first(|&seed| plan.under(seed).err().map(|errors| (seed, errors)))
}

/// Runs one system under one seed, of which [`refused`] knows nothing.
pub fn row(plan: &Plan, system: &SystemSpec, seed: u64) -> Row {
    let plan = plan.under(seed).unwrap_or_else(|errors| panic!("seed {seed}: {errors}"));
    let system = plan.systems.iter().find(|drawn| drawn.name == system.name).expect("seeds have the same systems");
    let expected = plan.expectations.get(&system.name).map_or(&[][..], Vec::as_slice);
    let outcome = run_to(Depth::of(expected), &plan, system, seed, &Progress::default());
    let judged = judge(expected, &system.protocol, &plan.run_plan(seed), &outcome);
    Row::of(seed, &outcome, &judged)
}
