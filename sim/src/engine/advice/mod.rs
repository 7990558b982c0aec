//! Advice: which strategy fits an object, conditions and needs, by running the candidates.
//!
//! ```text
//! Question --grid--> scenarios --sample--> runs --measured--> one row per candidate --decide--> Advice
//! ```
//!
//! Nothing is concluded from what a strategy is said to do: every candidate is run at every point of a small grid under every
//! seed, all under the same draws, and what was measured decides.
//!
//! ```
//! use sim::{engine::advice::{Question, Strategy, advise}, scenario::ObjectName};
//! let question = Question { object: ObjectName::Counter, replicas: 3, seeds: 1, ..Question::default() };
//! let advice = advise(&question).expect("a question that can be answered");
//! assert_eq!(advice.recommendation, Strategy::Crdt, "nobody else acknowledges every update through partitions");
//! ```
//!
//! Invariant: an advice is a function of its question. Runs are parallel, and none depends on the order in which they end.
//!
//! What is deliberately absent: naive replication, which loses updates and is no candidate; and a search over options of
//! protocols, which run with those of [`scenario`].

mod decide;
mod grid;
mod measured;
mod question;
pub(super) mod sample;

use rayon::prelude::*;
use serde::Serialize;

pub use self::{
    decide::{GROWTH_MAX_BYTES_PER_1000_UPDATES, Unmet, Violation},
    grid::{CONFLICT_WINDOW_NS, Candidate, Point, candidates, scenario, updates_mhz, work_ns},
    measured::{Durations, Fates, Measured, ppm},
    question::{
        CONFLICT_PPM_MAX, Need, Question, READS_PPM_MAX, REPLICAS_MAX, SEEDS_MAX, Strategy, WHOLE_PPM, percent,
    },
};
use self::{
    measured::Samples,
    sample::{Sample, sample},
};
use super::run::Progress;
use crate::scenario::Plan;

/// The version of the schema of an advice, in [`Advice::schema`].
pub const ADVICE_SCHEMA_VERSION: u32 = 1;

/// What is recommended, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The version of the schema: 1.
    pub schema: u32,
    /// The version of the program.
    pub tool: String,
    /// What was asked.
    pub question: Question,
    /// The family of the recommended candidate.
    pub recommendation: Strategy,
    /// The recommended candidate, by its name among `candidates`.
    pub candidate: String,
    /// Does it meet every need, without having lost anything?
    pub meets_all_needs: bool,
    /// Why, in sentences with the numbers that decided.
    pub reasons: Vec<String>,
    /// If no candidate meets every need: who violates which.
    pub unmet: Vec<Unmet>,
    /// Under what conditions the candidates ran.
    pub conditions: Conditions,
    /// What was measured, in the order of the table.
    pub candidates: Vec<Measured>,
    /// The seeds of the runs.
    pub seeds: Vec<u64>,
    /// The command line that gives this advice again.
    pub reproduce: String,
}

/// Under what conditions the candidates ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conditions {
    /// Updates of all clients together in 1000 seconds, which follow from the conflict rate.
    pub updates_mhz: u64,
    /// Two updates conflict if they begin within this time.
    pub conflict_window_ns: u64,
    /// The share of updates that began so soon after another one, as it came out; null without updates.
    pub conflicts_measured_ppm: Option<u32>,
    /// How long clients worked.
    pub work_ns: u64,
    /// More bytes than this for 1,000 updates are growth.
    pub growth_max_bytes_per_1000_updates: i64,
}

/// Answers a question; the error says why it cannot be answered.
pub fn advise(question: &Question) -> Result<Advice, String> {
    advise_with(question, &Progress::default())
}

/// As [`advise`], and shows how far it has come.
pub fn advise_with(question: &Question, progress: &Progress) -> Result<Advice, String> {
    let grid = Grid::of(question.checked()?);
    let seeds: Vec<u64> = (1..=u64::from(question.seeds)).collect();
    let samples = grid.run(&seeds, progress);
    let candidates = candidates(question.object);
    let of = |point: Point, candidate: usize| samples[grid.place(point)][candidate].as_slice();
    let measured: Vec<Measured> = candidates
        .iter()
        .enumerate()
        .map(|(at, &candidate)| {
            let [asked, whole, half, double] =
                [Point::Asked, Point::Whole, Point::Half, Point::Double].map(|point| of(point, at));
            let all = samples.iter().flat_map(|of_point| &of_point[at]).collect();
            Measured::of(candidate, &Samples { asked, whole, half, double, all })
        })
        .collect();
    // All candidates meet the same arrivals.
    let arrivals = of(Point::Asked, 0).iter().map(|sample| &sample.counts);
    let (overlapping, updates) = arrivals
        .fold((0, 0), |(overlapping, all), counts| (overlapping + counts.overlapping, all + counts.updates.total()));
    let decision = decide::decide(question, &measured);
    let best = &measured[decision.best];
    Ok(Advice {
        schema: ADVICE_SCHEMA_VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        recommendation: best.strategy,
        candidate: best.name.clone(),
        meets_all_needs: decision.meets_all,
        reasons: decision.reasons,
        unmet: decision.unmet,
        conditions: Conditions {
            updates_mhz: updates_mhz(question.conflict_ppm),
            conflict_window_ns: CONFLICT_WINDOW_NS,
            conflicts_measured_ppm: ppm(overlapping, updates),
            work_ns: work_ns(question, Point::Asked),
            growth_max_bytes_per_1000_updates: GROWTH_MAX_BYTES_PER_1000_UPDATES,
        },
        candidates: measured,
        seeds,
        reproduce: question.command(),
        question: question.clone(),
    })
}

/// Virtual nanoseconds that the runs for a question take together; 0 if it cannot be answered.
pub fn total_ns(question: &Question) -> u64 {
    let Ok(question) = question.checked() else { return 0 };
    let of = |plan: &Plan| plan.final_reads_at().0 * plan.systems.len() as u64 * u64::from(question.seeds);
    Grid::of(question).plans.iter().map(of).sum()
}

/// The plans of a question.
struct Grid {
    points: Vec<Point>,
    plans: Vec<Plan>,
}

impl Grid {
    fn of(question: &Question) -> Self {
        let points = Point::of(question);
        Self { plans: points.iter().map(|&point| grid::plan(question, point)).collect(), points }
    }

    /// Where a point stands. Without partitions the point without them is the one that was asked about.
    fn place(&self, point: Point) -> usize {
        self.points.iter().position(|&known| known == point).unwrap_or(0)
    }

    /// Runs everything; per plan and system the samples in the order of the seeds.
    fn run(&self, seeds: &[u64], progress: &Progress) -> Vec<Vec<Vec<Sample>>> {
        let systems = |plan: usize| (0..self.plans[plan].systems.len()).map(move |system| (plan, system));
        let cells: Vec<(usize, usize)> = (0..self.plans.len()).flat_map(systems).collect();
        let jobs: Vec<(usize, usize, u64)> =
            cells.iter().flat_map(|&(plan, system)| seeds.iter().map(move |&seed| (plan, system, seed))).collect();
        let samples: Vec<Sample> = jobs
            .par_iter()
            .map(|&(plan, system, seed)| sample(&self.plans[plan], &self.plans[plan].systems[system], seed, progress))
            .collect();
        let mut sorted: Vec<Vec<Vec<Sample>>> =
            self.plans.iter().map(|plan| vec![Vec::new(); plan.systems.len()]).collect();
        for ((plan, system, _), sample) in jobs.into_iter().zip(samples) {
            sorted[plan][system].push(sample);
        }
        sorted
    }
}
