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
    scenario::{ScenarioArgs, select, show},
};
use crate::{
    engine::sweep::{
        Header, Reached, Seeds, Shard, Store, StoreError, Stored, Sweep as Job, refused as refused_seed, sweep,
    },
    report::{self, WriteError, grid::Axis, sweep::Collected},
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
///
/// Values that the scenario draws, such as `{ swarm = ["0%", "10%"] }`, are drawn anew for every seed; `sim run SCENARIO --seed N` draws the
/// same, and `--print-scenario` shows what. With --vary, every combination of values is a sweep of its own, and the report is a table
/// (grid.txt, .md, .csv, .json) and a picture (grid.svg) of convergence time and cost, beside what theory says: for floods the radius of the
/// graph times the median latency, for push gossip log2 n + ln n rounds.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Sweep {
    #[command(flatten)]
    pub(super) scenario: ScenarioArgs,

    /// The seeds: 0..1000 ends before 1000.
    #[arg(long, value_name = "FROM..TO", default_value = "0..100", value_parser = Seeds::parse)]
    pub(super) seeds: Seeds,

    /// Run all seeds at each of these values, set as by --set: cluster.nodes=5,20,100. Repeatable; all combinations are run.
    #[arg(long, value_name = "KEY=V1,V2,...", value_parser = Axis::parse)]
    pub(super) vary: Vec<Axis>,

    /// Run only this system. Repeatable.
    #[arg(long = "system", value_name = "NAME")]
    pub(super) systems: Vec<String>,

    /// The number of threads; as many as there are processors unless given.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    jobs: Option<u32>,

    /// Only every N-th seed, beginning with the I-th: 2/3.
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = Shard::parse)]
    pub(super) shard: Shard,

    /// The directory for rows and reports.
    #[arg(long, value_name = "DIR", default_value = "reports/latest")]
    pub(super) out: PathBuf,

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
    pub(super) json: bool,
}

const AFTER_HELP: &str = "Examples:
  sim sweep scenarios/partition.toml --seeds 0..1000
  sim sweep scenarios/partition.toml --seeds 0..1000 --shard 2/3 --out shards
  sim sweep scenarios/lossy.toml --vary gossip.interval=50ms,100ms,200ms --vary cluster.nodes=5,20
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
        self.make_out()?;
        if !self.vary.is_empty() {
            return self.execute_grid(surroundings);
        }
        let plan = self.plan(&self.scenario, surroundings)?;
        let job = Job { plan: &plan, seeds: self.seeds.of(self.shard), systems: select(&plan, &self.systems)? };
        let mut running = Running::new(&job, 1, surroundings);
        let (rows, reached) = self.sweep(&job, &mut running)?;
        running.bar.finish_and_clear();
        let all = collect(&rows)?;
        let report = report::sweep::report(&all, self.seeds, &|seed, system| reproduce(&self.scenario, seed, system));
        let report = report.expecting(&plan);
        let shown = if self.json { report::sweep::json(&report) } else { report::sweep::text(&report) };
        say(&shown)?;
        written(report::sweep::write_all(&report, &all, &rows, &self.out))?;
        let exit = ended(Exit::from(report.verdict), reached, rows.damaged, &running, surroundings);
        if !surroundings.quiet {
            output::fail(&format!("rows written to {}", self.out.join(self.file_name(&plan)).display()));
        }
        Ok(exit)
    }

    fn make_out(&self) -> Result<(), Exit> {
        std::fs::create_dir_all(&self.out)
            .map_err(|error| output::refuse(&format!("{}: {error}", self.out.display()), Exit::Internal))
    }

    /// Reads a scenario, and makes sure that it makes sense under every seed.
    pub(super) fn plan(&self, scenario: &ScenarioArgs, surroundings: Surroundings) -> Result<Plan, Exit> {
        let plan = scenario.load(surroundings, self.json)?;
        if let Some((seed, errors)) = refused_seed(&plan, self.seeds.of(self.shard)) {
            let exit = show(&errors, surroundings, self.json);
            output::fail(&format!("that is what seed {seed} draws; `{}` shows it", scenario.reproduce("run", seed)));
            return Err(exit);
        }
        Ok(plan)
    }

    /// Runs what is not in the store yet; after the end of all, nothing.
    pub(super) fn sweep(&self, job: &Job<'_>, running: &mut Running) -> Result<(Stored, Reached), Exit> {
        let path = self.out.join(self.file_name(job.plan));
        let mut store = Store::open(&path, Header::new(job.plan, &job.systems)).map_err(|error| refused(&error))?;
        let reached = self.run(job, &mut store, running)?;
        let rows = store.finish().map_err(|error| refused(&error))?;
        Ok((rows, reached))
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

    fn run(&self, job: &Job<'_>, store: &mut Store, running: &mut Running) -> Result<Reached, Exit> {
        let mut stop = |reached: &Reached| {
            let failures = running.failures + reached.failures;
            running.bar.set_position(running.done + reached.done);
            running.bar.set_message(format!("{failures} failed"));
            let limit = if self.fail_fast { Some(1) } else { self.max_failures };
            running.is_stopped = limit.is_some_and(|limit| failures >= limit)
                || self.time_budget.is_some_and(|budget| running.bar.elapsed() >= Duration::from_nanos(budget))
                || running.interrupted();
            running.is_stopped
        };
        let threads = self.jobs.unwrap_or(0) as usize;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| output::refuse(&format!("cannot start threads: {error}"), Exit::Internal))?;
        let swept = pool.install(|| sweep(job, store, &mut stop));
        let reached = swept.map_err(|error| {
            running.bar.finish_and_clear();
            refused(&error)
        })?;
        running.done += reached.done;
        running.failures += reached.failures;
        Ok(reached)
    }
}

/// What reports need of rows.
pub(super) fn collect(rows: &Stored) -> Result<Collected, Exit> {
    rows.rows().and_then(|found| Collected::of(&rows.header, found)).map_err(|error| refused(&error))
}

/// Says how it ended, and with which exit code.
pub(super) fn ended(exit: Exit, reached: Reached, damaged: u64, running: &Running, surroundings: Surroundings) -> Exit {
    if reached.resumed > 0 && !surroundings.quiet {
        output::fail(&format!("{} of {} runs were there already", reached.resumed, reached.total));
    }
    if damaged > 0 {
        output::fail(&format!("{damaged} damaged lines were thrown away, and their runs made again"));
    }
    let is_cut = reached.done < reached.total;
    if is_cut {
        output::fail(&format!("stopped after {} of {} runs; the same command goes on", reached.done, reached.total));
    }
    match exit {
        _ if running.interrupted() => Exit::Interrupted,
        exit if is_cut && exit != Exit::Finding => Exit::Inconclusive,
        exit => exit,
    }
}

/// What sweeps that are run one after the other have in common.
pub(super) struct Running {
    pub(super) bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
    done: u64,
    failures: u64,
    /// Is nothing to be run any more?
    pub(super) is_stopped: bool,
}

impl Running {
    /// Before so many sweeps like this one.
    pub(super) fn new(job: &Job<'_>, count: u64, surroundings: Surroundings) -> Self {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        // Whoever has a handler of their own keeps it: then an interrupt ends the program, and the rows are kept all the same.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
        let total = job.seeds.count() * job.systems.len() as u64 * count;
        Self { bar: progress_bar(total, surroundings.quiet), interrupted, done: 0, failures: 0, is_stopped: false }
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// The command line that runs one system under one seed.
pub(super) fn reproduce(scenario: &ScenarioArgs, seed: u64, system: &str) -> String {
    format!("{} --system {}", scenario.reproduce("run", seed), quoted(system))
}

/// Prints a report.
pub(super) fn say(text: &str) -> Result<(), Exit> {
    match output::say(text) {
        Exit::Pass => Ok(()),
        other => Err(other),
    }
}

/// Refuses when the files of a report could not be written.
pub(super) fn written<T>(result: Result<T, WriteError>) -> Result<T, Exit> {
    result.map_err(|error| output::refuse(&error.to_string(), Exit::Internal))
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
