//! What reports need of the rows of a sweep, collected in one pass.
//!
//! Rows stay where they are stored. What is kept of a run are the numbers that quantiles, curves and tests are made of, some 140
//! bytes: all of them are exact, and exactness needs every number. Whole rows are kept of as many runs as a page shows.
//!
//! Invariant: what is collected does not depend on whether rows come from memory or from a file.
//!
//! What is deliberately absent: estimates. A sketch would save these bytes, and be wrong in the last digits.

use std::collections::BTreeMap;

use crate::{
    engine::sweep::{Header, Row, RowVerdict, StoreError},
    statistics::{Convergence, Pair},
};

/// The most runs that pages show one by one.
pub(super) const RUNS_MAX: usize = 1_000;
/// The most seeds that are listed of one way to fail.
pub(super) const SEEDS_MAX: usize = 40;

/// What was collected.
#[derive(Clone, Debug)]
pub struct Collected {
    /// Of which scenario.
    pub header: Header,
    /// How many rows there were.
    pub(super) count: u64,
    /// The worst verdict, if there was a row.
    pub(super) verdict: Option<RowVerdict>,
    /// By system, in the order of the scenario.
    pub(super) systems: Vec<Runs>,
    /// The ways in which runs failed.
    pub(super) failures: BTreeMap<String, Alike>,
    /// The first runs that failed, and the first that did not.
    failed: Vec<Row>,
    others: Vec<Row>,
}

/// The runs of one system, by seed.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    pub(super) name: String,
    pub(super) seeds: Vec<u64>,
    pub(super) pass: u64,
    pub(super) vacuous: u64,
    pub(super) inconclusive: u64,
    pub(super) fail: u64,
    pub(super) converged: u64,
    pub(super) incorrect: u64,
    fingerprints: Vec<u64>,
    /// Times to converge; those of runs that did not are censored.
    pub(super) convergence: Vec<Convergence>,
    pub(super) from_last_heal: Column,
    pub(super) observed: Column,
    pub(super) visibility_p99: Column,
    pub(super) availability_ppm: Column,
    pub(super) lost_updates: Column,
    pub(super) stale_reads: Column,
    pub(super) messages: Column,
    pub(super) bytes: Column,
    pub(super) state_bytes: Column,
    /// By expectation that failed: how often, and the first seed.
    pub(super) expectations: BTreeMap<String, (u64, u64)>,
}

/// Runs that failed alike.
#[derive(Clone, Debug)]
pub(super) struct Alike {
    pub(super) system: String,
    pub(super) count: u64,
    /// The first of their seeds.
    pub(super) seeds: Vec<u64>,
}

/// A number of every run, which may not be known.
#[derive(Clone, Debug, Default)]
pub(super) struct Column(Vec<u64>);

impl Column {
    /// No number of a run is as large.
    const UNKNOWN: u64 = u64::MAX;

    fn push(&mut self, number: Option<u64>) {
        self.0.push(number.unwrap_or(Self::UNKNOWN));
    }

    /// The numbers, in the order of the seeds.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<u64>> {
        self.0.iter().map(|number| (*number != Self::UNKNOWN).then_some(*number))
    }
}

impl Collected {
    /// Collects rows that come in the order of stores.
    pub fn of(header: &Header, rows: impl Iterator<Item = Result<Row, StoreError>>) -> Result<Self, StoreError> {
        let runs = |name: &String| Runs { name: name.clone(), ..Runs::default() };
        let mut all = Self {
            header: header.clone(),
            count: 0,
            verdict: None,
            systems: header.systems.iter().map(runs).collect(),
            failures: BTreeMap::new(),
            failed: Vec::new(),
            others: Vec::new(),
        };
        for row in rows {
            all.add(row?);
        }
        Ok(all)
    }

    fn add(&mut self, row: Row) {
        self.count += 1;
        self.verdict = self.verdict.max(Some(row.verdict));
        if let Some(failure) = row.failure() {
            let new = || Alike { system: row.system.clone(), count: 0, seeds: Vec::new() };
            let alike = self.failures.entry(failure).or_insert_with(new);
            alike.count += 1;
            // One more than is listed shows that there are more.
            if alike.seeds.len() <= SEEDS_MAX {
                alike.seeds.push(row.seed);
            }
        }
        if let Some(runs) = self.systems.iter_mut().find(|runs| runs.name == row.system) {
            runs.add(&row);
        }
        let shown = if row.verdict == RowVerdict::Fail { &mut self.failed } else { &mut self.others };
        if shown.len() < RUNS_MAX {
            shown.push(row);
        }
    }

    /// The first seed, and the one after the last.
    pub fn seeds(&self) -> Option<(u64, u64)> {
        let first = self.systems.iter().filter_map(|runs| runs.seeds.first()).min()?;
        let last = self.systems.iter().filter_map(|runs| runs.seeds.last()).max()?;
        Some((*first, last.saturating_add(1)))
    }

    /// Runs to show one by one, those that failed first.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Row> {
        self.failed.iter().chain(&self.others).take(RUNS_MAX)
    }
}

impl Runs {
    fn add(&mut self, row: &Row) {
        self.seeds.push(row.seed);
        *match row.verdict {
            RowVerdict::Pass => &mut self.pass,
            RowVerdict::Vacuous => &mut self.vacuous,
            RowVerdict::Inconclusive => &mut self.inconclusive,
            RowVerdict::Fail => &mut self.fail,
        } += 1;
        self.converged += u64::from(row.converged);
        self.incorrect += u64::from(!row.correct);
        // 64 bits tell a million runs apart but for one chance in tens of millions.
        let start = row.fingerprint.get(..16).unwrap_or(&row.fingerprint);
        self.fingerprints.push(u64::from_str_radix(start, 16).unwrap_or(0));
        self.convergence.push(match row.convergence_time_ns {
            Some(time) => Convergence::At(time),
            None => Convergence::Censored(row.censored_at_ns),
        });
        self.from_last_heal.push(row.convergence_from_last_heal_ns);
        self.observed.push(row.convergence_observed_ns);
        self.visibility_p99.push(row.visibility_latency_ns_p99);
        self.availability_ppm.push((row.ok * 1_000_000).checked_div(row.ok + row.fail + row.info));
        self.lost_updates.push(row.lost_updates);
        self.stale_reads.push(Some(row.stale_reads));
        self.messages.push(Some(row.messages));
        self.bytes.push(Some(row.bytes));
        self.state_bytes.push(Some(row.state_bytes));
        for text in &row.failed {
            self.expectations.entry(text.clone()).or_insert((0, row.seed)).0 += 1;
        }
    }

    /// How many runs there are.
    pub(super) fn count(&self) -> u64 {
        self.seeds.len() as u64
    }

    /// How many different ones.
    pub(super) fn different(&self) -> u64 {
        let mut fingerprints = self.fingerprints.clone();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        fingerprints.len() as u64
    }

    /// The times to converge of both under the seeds that both ran under.
    pub(super) fn pairs(&self, other: &Self) -> Vec<Pair> {
        let mut pairs = Vec::with_capacity(self.seeds.len().min(other.seeds.len()));
        let mut others = other.seeds.iter().zip(&other.convergence).peekable();
        for (seed, base) in self.seeds.iter().zip(&self.convergence) {
            while others.next_if(|(other, _)| *other < seed).is_some() {}
            if let Some((_, head)) = others.next_if(|(other, _)| *other == seed) {
                pairs.push(Pair { base: *base, head: *head });
            }
        }
        pairs
    }
}
