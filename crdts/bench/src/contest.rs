//! Contests: several contenders do the same work in turns, so that a disturbance of the machine meets them all.
//!
//! A contender gives *samples*; a sample is the time of some units of work. Whatever it takes to prepare the work or to
//! drop its result is not part of it. Time is processor time of the thread, so waiting for the processor does not count;
//! caches that others have emptied still do. What is reported is the minimum, which other tenants of the machine move least, and
//! the median beside it.

use std::{hint::black_box, time::Duration};

use cpu_time::ThreadTime;

/// A contender whose preparation and samples have taken this long gives no further ones.
pub const LIMIT: Duration = Duration::from_secs(10);
/// A contender with enough samples stops once it has used this much.
const BUDGET: Duration = Duration::from_millis(400);
/// Enough samples.
const SAMPLES_MIN: usize = 5;
const SAMPLES_MAX: usize = 200;
/// How long a sample of a repeated operation takes, at least.
const SAMPLE_MIN: Duration = Duration::from_micros(300);

/// The time of some units of work.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// How long all units took.
    pub time: Duration,
    /// How many units were done.
    pub units: usize,
}

/// What a contender needed for one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Nanoseconds of the fastest sample.
    pub min_ns: f64,
    /// Nanoseconds of the median sample.
    pub median_ns: f64,
    /// The fewest units that a sample did: less than asked when the limit ended it.
    pub units: usize,
}

impl Times {
    fn of(samples: &[Sample]) -> Option<Self> {
        let mut unit_ns: Vec<f64> =
            samples.iter().map(|sample| sample.time.as_nanos() as f64 / sample.units.max(1) as f64).collect();
        unit_ns.sort_by(f64::total_cmp);
        let units = samples.iter().map(|sample| sample.units).min()?;
        Some(Self { min_ns: *unit_ns.first()?, median_ns: unit_ns[unit_ns.len() / 2], units })
    }
}

type Sampler<'a> = Box<dyn FnMut() -> Sample + 'a>;

struct Contender<'a> {
    column: usize,
    sampler: Sampler<'a>,
    samples: Vec<Sample>,
    used: Duration,
}

impl Contender<'_> {
    fn is_done(&self) -> bool {
        let enough = self.samples.len() >= SAMPLES_MIN && self.used >= BUDGET;
        enough || self.samples.len() >= SAMPLES_MAX || (self.used >= LIMIT && !self.samples.is_empty())
    }
}

/// Contenders for one row of a table; each fills a column.
#[derive(Default)]
pub struct Contest<'a> {
    contenders: Vec<Contender<'a>>,
}

impl<'a> Contest<'a> {
    /// A contest without contenders.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a contender that gives its samples itself.
    pub fn sampled(&mut self, column: usize, sampler: impl FnMut() -> Sample + 'a) {
        self.contenders.push(Contender {
            column,
            sampler: Box::new(sampler),
            samples: Vec::new(),
            used: Duration::ZERO,
        });
    }

    /// Adds a contender that needs a fresh state each time, and does `units` of work on it. A sample works on `batch` states,
    /// so that reading the clock is a small part of it.
    pub fn fresh<S, R>(
        &mut self,
        column: usize,
        (units, batch): (usize, usize),
        mut prepare: impl FnMut() -> S + 'a,
        mut work: impl FnMut(&mut S) -> R + 'a,
    ) {
        self.sampled(column, move || {
            let mut states: Vec<S> = (0..batch).map(|_| prepare()).collect();
            let mut results = Vec::with_capacity(batch);
            let start = ThreadTime::now();
            for state in &mut states {
                results.push(black_box(work(black_box(state))));
            }
            let time = start.elapsed();
            drop((states, results));
            Sample { time, units: units * batch }
        });
    }

    /// Adds a contender whose operation can be repeated on the same state. A unit is one repetition.
    pub fn repeated<S: 'a, R>(&mut self, column: usize, mut state: S, mut work: impl FnMut(&mut S) -> R + 'a) {
        let mut sample_of = move |units: usize| {
            let start = ThreadTime::now();
            for _ in 0..units {
                black_box(work(black_box(&mut state)));
            }
            Sample { time: start.elapsed(), units }
        };
        let mut units = 1;
        self.sampled(column, move || {
            loop {
                let sample = sample_of(units);
                if sample.time >= SAMPLE_MIN {
                    return sample;
                }
                units *= 2;
            }
        });
    }

    /// Lets everybody take turns until all have enough samples. Gives the times by column.
    pub fn run(mut self, columns: usize) -> Vec<Option<Times>> {
        while self.contenders.iter().any(|contender| !contender.is_done()) {
            for contender in self.contenders.iter_mut().filter(|contender| !contender.is_done()) {
                let start = ThreadTime::now();
                let sample = (contender.sampler)();
                contender.used += start.elapsed();
                contender.samples.push(sample);
            }
        }
        let mut times = vec![None; columns];
        for contender in self.contenders {
            times[contender.column] = Times::of(&contender.samples);
        }
        times
    }
}

impl std::fmt::Debug for Contest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contest").field("contenders", &self.contenders.len()).finish()
    }
}
