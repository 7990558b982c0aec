//! `sim sweep`.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    Exit, Surroundings, output, quoted,
    scenario::{ScenarioArgs, select},
};
use crate::{
    engine::sweep::{Header, Reached, Rows, Seeds, Shard, Store, StoreError, Sweep as Job, sweep},
    report::{self, sweep::SweepReport},
    scenario::{
        Plan,
        units::{self, Unit},
    },
};

/// Run all systems of a scenario under many seeds, and sum up.
///
/// Rows are written as runs end, one line of JSON each, and a sweep that was stopped or killed goes on where it was: run the same
/// command again. What it writes does not depend on the number of threads, and shards of a sweep, joined with `sim merge`, are the same
/// bytes as the whole.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Sweep {
    #[command(flatten)]
    scenario: ScenarioArgs,

    /// The seeds: 0..1000 ends before 1000.
    #[arg(long, value_name = "FROM..TO", default_value = "0..100", value_parser = Seeds::parse)]
    seeds: Seeds,

    /// Run only this system. Repeatable.
    #[arg(long = "system", value_name = "NAME")]
    systems: Vec<String>,

    /// The number of threads; as many as there are processors unless given.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    jobs: Option<u32>,

    /// Only every N-th seed, beginning with the I-th: 2/3.
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = Shard::parse)]
    shard: Shard,

    /// The directory for rows and reports.
    #[arg(long, value_name = "DIR", default_value = "reports/latest")]
    out: PathBuf,

    /// Stop at the first failure.
    #[arg(long)]
    fail_fast: bool,

    /// Stop after this many failures.
    #[arg(long, value_name = "N", conflicts_with = "fail_fast")]
    max_failures: Option<u64>,

    /// Stop after this long, in real time: 10m.
    #[arg(long, value_name = "TIME", value_parser = parse_budget)]
    time_budget: Option<u64>,

    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "Examples:
  sim sweep scenarios/partition.toml --seeds 0..1000
  sim sweep scenarios/partition.toml --seeds 0..1000 --shard 2/3 --out shards
  sim merge shards/*.jsonl --out all.jsonl

Exit codes: 0 all pass, 1 a run failed, 2 wrong usage, 3 inconclusive, or stopped before its end, 130 interrupted.";

fn parse_budget(text: &str) -> Result<u64, String> {
    units::Duration::parse(text).map_err(|malformed| malformed.message)
}

impl Sweep {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let plan = self.scenario.load(surroundings, self.json)?;
        let systems = select(&plan, &self.systems)?;
        let job = Job { plan: &plan, seeds: self.seeds.of(self.shard), systems };
        std::fs::create_dir_all(&self.out)
            .map_err(|error| output::refuse(&format!("{}: {error}", self.out.display()), Exit::Internal))?;
        let path = self.out.join(self.file_name(&plan));
        let mut store = Store::open(&path, Header::new(&plan, &job.systems)).map_err(|error| refused(&error))?;
        let (reached, interrupted) = self.run(&job, &mut store, surroundings)?;
        let rows = store.finish().map_err(|error| refused(&error))?;
        let report = report::sweep::report(&rows, self.seeds, &|seed, system| self.reproduce(seed, system));
        let report = report.expecting(&plan);
        let exit = self.show(&report, &rows, reached, surroundings)?;
        if !surroundings.quiet {
            output::fail(&format!("rows written to {}", path.display()));
        }
        Ok(if interrupted { Exit::Interrupted } else { exit })
    }

    /// Sweeps of different scenarios, seeds or systems do not meet in one file.
    fn file_name(&self, plan: &Plan) -> String {
        let hash = plan.hash.get(..8).unwrap_or(&plan.hash);
        let systems = if self.systems.is_empty() { String::new() } else { format!("-{}", self.systems.join("-")) };
        let shard = match self.shard {
            Shard::WHOLE => String::new(),
            Shard { index, count } => format!("-{}-of-{count}", index + 1),
        };
        format!("sweep-{}-{hash}{systems}{shard}.jsonl", plan.name)
    }

    fn run(&self, job: &Job<'_>, store: &mut Store, surroundings: Surroundings) -> Result<(Reached, bool), Exit> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        // Whoever has a handler of their own keeps it: then an interrupt ends the program, and the rows are kept all the same.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
        let total = job.seeds.count() * job.systems.len() as u64;
        let bar = progress_bar(total, surroundings.quiet);
        let mut stop = |reached: &Reached| {
            bar.set_position(reached.done);
            bar.set_message(format!("{} failed", reached.failures));
            let limit = if self.fail_fast { Some(1) } else { self.max_failures };
            limit.is_some_and(|limit| reached.failures >= limit)
                || self.time_budget.is_some_and(|budget| bar.elapsed() >= Duration::from_nanos(budget))
                || interrupted.load(Ordering::Relaxed)
        };
        let threads = self.jobs.unwrap_or(0) as usize;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| output::refuse(&format!("cannot start threads: {error}"), Exit::Internal))?;
        let swept = pool.install(|| sweep(job, store, &mut stop));
        bar.finish_and_clear();
        let reached = swept.map_err(|error| refused(&error))?;
        Ok((reached, interrupted.load(Ordering::Relaxed)))
    }

    fn reproduce(&self, seed: u64, system: &str) -> String {
        format!("{} --system {}", self.scenario.reproduce("run", seed), quoted(system))
    }

    fn show(
        &self,
        report: &SweepReport,
        rows: &Rows,
        reached: Reached,
        surroundings: Surroundings,
    ) -> Result<Exit, Exit> {
        let shown = if self.json { report::sweep::json(report) } else { report::sweep::text(report) };
        match output::say(&shown) {
            Exit::Pass => {}
            other => return Err(other),
        }
        report::sweep::write_all(report, rows, &self.out)
            .map_err(|error| output::refuse(&error.to_string(), Exit::Internal))?;
        if reached.resumed > 0 && !surroundings.quiet {
            output::fail(&format!("{} of {} runs were there already", reached.resumed, reached.total));
        }
        if rows.damaged > 0 {
            output::fail(&format!("{} damaged lines were thrown away, and their runs made again", rows.damaged));
        }
        let exit = Exit::from(report.verdict);
        if reached.stopped && reached.done < reached.total {
            output::fail(&format!(
                "stopped after {} of {} runs; the same command goes on",
                reached.done, reached.total
            ));
            return Ok(if exit == Exit::Finding { exit } else { Exit::Inconclusive });
        }
        Ok(exit)
    }
}

/// What is written is kept, whatever went wrong: so the same command goes on.
fn refused(error: &StoreError) -> Exit {
    let exit = match error {
        StoreError::Io(..) => Exit::Internal,
        StoreError::Foreign(..) | StoreError::Other { .. } => Exit::Usage,
        StoreError::Conflict(_) => Exit::Finding,
    };
    let help = match error {
        StoreError::Io(..) => "; all rows so far are kept, and the same command goes on",
        StoreError::Foreign(..) | StoreError::Other { .. } => "; choose another --out, or remove the file",
        StoreError::Conflict(_) => "",
    };
    output::refuse(&format!("{error}{help}"), exit)
}

fn progress_bar(total: u64, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(
        Some(total),
        if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
    );
    let style = "{elapsed_precise} [{bar:40}] {pos}/{len} runs, {per_sec}, {eta} left, {msg}";
    bar.with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
