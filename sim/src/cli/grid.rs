//! `sim sweep --vary`: a sweep at every point of a grid.
//!
//! Every point is a scenario of its own, with its own rows; all points are read before the first one runs. Invariant: what is written does not
//! depend on the number of threads, nor on how often it was stopped.

use super::{
    Exit, Surroundings, output,
    scenario::{ScenarioArgs, select},
    sweep::{Running, Sweep, collect, ended, reproduce, say, written},
};
use crate::{
    engine::sweep::{Reached, Sweep as Job},
    report::{self, grid},
    scenario::Plan,
};

/// The most points: more is a mistake.
const POINTS_MAX: usize = 10_000;

/// A point before it runs.
struct Pending {
    settings: Vec<String>,
    scenario: ScenarioArgs,
    plan: Plan,
}

impl Sweep {
    pub(super) fn execute_grid(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let pending = self.pending(surroundings)?;
        let seeds = self.seeds.of(self.shard);
        let mut jobs = Vec::with_capacity(pending.len());
        for Pending { plan, .. } in &pending {
            jobs.push(Job { plan, seeds, systems: select(plan, &self.systems)? });
        }
        let Some(first) = jobs.first() else { return Ok(Exit::Usage) };
        let mut running = Running::new(first, jobs.len() as u64, surroundings);
        let (mut all, mut damaged) = (Reached::default(), 0);
        let mut points = Vec::with_capacity(jobs.len());
        for (Pending { settings, scenario, plan }, job) in pending.iter().zip(&jobs) {
            all.total += seeds.count() * job.systems.len() as u64;
            if running.is_stopped {
                continue;
            }
            let (rows, reached) = self.sweep(job, &mut running)?;
            all.done += reached.done;
            all.resumed += reached.resumed;
            damaged += rows.damaged;
            let sums =
                report::sweep::report(&collect(&rows)?, self.seeds, &|seed, system| reproduce(scenario, seed, system));
            points.push(grid::point(settings.clone(), plan, sums, self.seeds.from));
        }
        running.bar.finish_and_clear();
        let name = pending.first().map_or("", |point| &point.plan.name);
        let report = grid::report(name, self.seeds, self.vary.clone(), points);
        say(&if self.json { grid::json(&report) } else { grid::text(&report) })?;
        written(grid::write_all(&report, &self.out))?;
        let exit = ended(Exit::from(report.verdict), all, damaged, &running, surroundings);
        if !surroundings.quiet {
            output::fail(&format!("rows, tables and grid.svg written to {}", self.out.display()));
        }
        Ok(exit)
    }

    /// Reads all points. One that is no scenario is named.
    fn pending(&self, surroundings: Surroundings) -> Result<Vec<Pending>, Exit> {
        let refuse = |reason: &str| Err(output::refuse(reason, Exit::Usage));
        if self.scenario.is_stdin() {
            return refuse("a grid reads its scenario once for every point: give the path of a file");
        }
        let mut keys: Vec<&str> = self.vary.iter().map(|axis| &*axis.key).collect();
        keys.sort_unstable();
        if let Some([twice, ..]) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return refuse(&format!("`{twice}` is varied twice: give all its values at once"));
        }
        let count = self.vary.iter().try_fold(1_usize, |count, axis| count.checked_mul(axis.values.len()));
        if count.is_none_or(|count| count > POINTS_MAX) {
            return refuse(&format!("the grid has more than {POINTS_MAX} points"));
        }
        let read = |settings: Vec<String>| {
            let scenario = self.scenario.with(&settings);
            let plan = self.plan(&scenario, surroundings).inspect_err(|_| {
                output::fail(&format!("that is the point {} of the grid; nothing was run", settings.join(" ")));
            })?;
            Ok(Pending { settings, scenario, plan })
        };
        grid::points(&self.vary).into_iter().map(read).collect()
    }
}
