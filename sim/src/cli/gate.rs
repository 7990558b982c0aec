//! `sim baseline` and `sim gate`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Exit, Surroundings, output, quoted,
    scenario::{ScenarioArgs, show},
};
use crate::{
    engine::{
        gate::{Baseline, Comparison, GateOptions, METRICS, compare, correct, rows},
        sweep::{Seeds, refused as refused_seed},
    },
    report::{self, gate::GateReport},
    scenario::Plan,
};

/// Where baselines are, unless somebody says otherwise.
const BASELINES: &str = "reports/baselines";
/// What the summary of a job may hold, in bytes: 1 MiB is the limit, and others write there as well.
const SUMMARY_BYTES_MAX: usize = 900 << 10;

/// Write a baseline: what the systems of a scenario do under the first seeds, for `sim gate` to compare with.
///
/// Commit the file. When a change is meant to change results, write the baseline again, and review its diff.
#[derive(Debug, Args)]
pub(super) struct WriteBaseline {
    #[command(flatten)]
    scenario: ScenarioArgs,

    /// The seeds: 0..100 ends before 100. By default as many as `[gate]` of the scenario says.
    #[arg(long, value_name = "FROM..TO", value_parser = Seeds::parse)]
    seeds: Option<Seeds>,

    /// The file to write; by default reports/baselines/NAME.json.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl WriteBaseline {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let plan = self.scenario.load(surroundings, false)?;
        let Some(path) = self.scenario.plain_path() else {
            let reason = "a baseline is of a scenario file as it is: without --set, --seed and standard input";
            return Err(output::refuse(reason, Exit::Usage));
        };
        let seeds = self.seeds.unwrap_or_else(|| Seeds::first(u64::from(plan.gate.seeds)));
        makes_sense(&plan, seeds, surroundings)?;
        let baseline = Baseline::of(&rows(&plan, seeds), path, seeds);
        let out = self.out.clone().unwrap_or_else(|| Path::new(BASELINES).join(format!("{}.json", plan.name)));
        report::write_file(&out, baseline.render().as_bytes())
            .map_err(|error| output::refuse(&error.to_string(), Exit::Internal))?;
        if !surroundings.quiet {
            output::fail(&format!("baseline of {} seeds written to {}", seeds.count(), out.display()));
        }
        Ok(Exit::Pass)
    }
}

/// Run the seeds of baselines again, and stop what made replicas converge later, cost more, or lose something.
///
/// Runs are paired by seed: code that changes nothing differs by nothing at all. A metric has regressed if the change is certain (signed-rank
/// test with Holm's correction), its 95 % interval excludes zero, and it is not smaller than `min_effect` of the scenario's `[gate]`. A seed
/// that fails now and did not before is a finding by itself.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Gate {
    /// Baselines, or directories of them; by default all under reports/baselines.
    #[arg(value_name = "BASELINE")]
    baselines: Vec<PathBuf>,

    /// Print the report as JSON.
    #[arg(long)]
    json: bool,

    /// The directory for the report's files.
    #[arg(long, value_name = "DIR", default_value = "reports/latest")]
    out: PathBuf,
}

const AFTER_HELP: &str = "In a workflow the summary is appended to the file that GITHUB_STEP_SUMMARY names.

Exit codes: 0 nothing got worse, 1 something did, or broke, 2 a baseline is damaged or of another scenario, 3 there is no baseline.";

impl Gate {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let files = self.files()?;
        if files.is_empty() {
            let reason = format!("there is no baseline under {BASELINES}: write one with `sim baseline SCENARIO`");
            return Err(output::refuse(&reason, Exit::Inconclusive));
        }
        // All are read before any is run, so that a mistake shows at once.
        let gated = files.iter().map(|file| read(file, surroundings)).collect::<Result<Vec<_>, _>>()?;
        let mut comparisons: Vec<Comparison> = Vec::new();
        let mut options: Option<GateOptions> = None;
        let mut compared = 0;
        for (baseline, plan) in &gated {
            comparisons.push(compare(baseline, &rows(plan, baseline.seeds())));
            compared += baseline.systems.len() * METRICS.len();
            let own = options_of(plan);
            options = Some(options.map_or(own, |all| GateOptions {
                min_effect: all.min_effect.min(own.min_effect),
                level: all.level.min(own.level),
            }));
        }
        correct(&mut comparisons, &options.unwrap_or_default(), compared);
        let report = report::gate::report(&comparisons, &reproduce);
        self.show(&report)?;
        Ok(Exit::from(report.verdict))
    }

    fn files(&self) -> Result<Vec<PathBuf>, Exit> {
        let default = [PathBuf::from(BASELINES)];
        let given = if self.baselines.is_empty() { &default[..] } else { &self.baselines };
        let mut files = Vec::new();
        for path in given {
            if path.is_dir() {
                let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
                let entries = entries.map_err(|error| refused(path, &error.to_string()))?;
                let mut found: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
                found.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
                found.sort();
                files.extend(found);
            } else if path.exists() || !self.baselines.is_empty() {
                files.push(path.clone());
            }
        }
        Ok(files)
    }

    fn show(&self, report: &GateReport) -> Result<(), Exit> {
        let shown = if self.json { report::gate::json(report) } else { report::gate::text(report) };
        match output::say(&shown) {
            Exit::Pass => {}
            other => return Err(other),
        }
        let written = fs::create_dir_all(&self.out).map_err(|error| error.to_string());
        let written = written
            .and_then(|()| report::gate::write_all(report, &self.out).map_err(|error| error.to_string()))
            .and_then(|_| summarize(&report::gate::markdown(report)));
        written.map_err(|error| output::refuse(&error, Exit::Internal))
    }
}

/// Appends to the summary of a job of GitHub Actions, if this is one.
fn summarize(markdown: &str) -> Result<(), String> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let mut end = markdown.len().min(SUMMARY_BYTES_MAX);
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    let file = fs::OpenOptions::new().append(true).create(true).open(&path);
    let written = file.and_then(|mut file| io::Write::write_all(&mut file, &markdown.as_bytes()[..end]));
    written.map_err(|error| format!("{}: {error}", path.to_string_lossy()))
}

fn options_of(plan: &Plan) -> GateOptions {
    let share = |ppm: u32| f64::from(ppm) / 1_000_000.0;
    GateOptions { min_effect: share(plan.gate.min_effect_ppm), level: share(plan.gate.level_ppm) }
}

fn refused(path: &Path, reason: &str) -> Exit {
    output::refuse(&format!("{}: {reason}", path.display()), Exit::Usage)
}

/// A baseline and its scenario, if it is still the same.
fn read(file: &Path, surroundings: Surroundings) -> Result<(Baseline, Plan), Exit> {
    let text = fs::read_to_string(file).map_err(|error| refused(file, &error.to_string()))?;
    let baseline = Baseline::parse(&text).map_err(|reason| refused(file, &format!("this is no baseline: {reason}")))?;
    let plan = crate::scenario::load(Path::new(&baseline.path), &[]).map_err(|errors| {
        output::fail(&format!("{}: its scenario is {}", file.display(), baseline.path));
        show(&errors, surroundings, false)
    })?;
    if plan.hash != baseline.scenario_hash {
        let reason = format!(
            "{} is another scenario than when this was written; if that is meant, write it again: sim baseline {} --out {}",
            baseline.path,
            quoted(&baseline.path),
            quoted(&file.to_string_lossy())
        );
        return Err(refused(file, &reason));
    }
    makes_sense(&plan, baseline.seeds(), surroundings)?;
    Ok((baseline, plan))
}

/// Does the scenario make sense under all of these seeds, whatever they draw for its values?
fn makes_sense(plan: &Plan, seeds: Seeds, surroundings: Surroundings) -> Result<(), Exit> {
    let Some((seed, errors)) = refused_seed(plan, seeds) else { return Ok(()) };
    output::fail(&format!("this is what seed {seed} draws:"));
    Err(show(&errors, surroundings, false))
}

fn reproduce(path: &str, seed: u64, system: &str) -> String {
    format!("sim run {} --seed {seed} --system {}", quoted(path), quoted(system))
}
