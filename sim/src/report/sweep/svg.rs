//! SVG: the plots of a sweep, one a file.
//!
//! Invariant: a run that did not converge is in every plot that its time belongs to: as part of the curve that does not fall, or as an open
//! triangle at the end of its run.
//!
//! What is deliberately absent: smoothing, and means of times, which censored runs do not have.

use super::plot::{Axis, Plot, Ticks, bounded};
use crate::{
    engine::sweep::{Row, Rows},
    statistics::{Convergence, ecdf::Ecdf, survival::Curve},
};

/// The confidence of bands.
const CONFIDENCE: f64 = 0.95;

/// All plots, in the order of the page.
pub(super) fn plots(rows: &Rows) -> [Plot; 3] {
    [survival(rows), visibility(rows), cost(rows)]
}

/// The rows of each system, in the order of the scenario.
fn systems(rows: &Rows) -> Vec<(&str, Vec<&Row>)> {
    let of = |number: usize| rows.rows.iter().filter(move |((_, of), _)| *of == number).map(|(_, row)| row).collect();
    rows.header.systems.iter().enumerate().map(|(number, name)| (name.as_str(), of(number))).collect()
}

fn time(row: &Row) -> Convergence {
    row.convergence_time_ns.map_or(Convergence::Censored(row.censored_at_ns), Convergence::At)
}

/// A share as parts per million.
fn ppm(share: f64) -> i64 {
    (share * 1_000_000.0).round() as i64
}

/// Which share of the runs has not converged yet.
pub(super) fn survival(rows: &Rows) -> Plot {
    let times: Vec<u64> = rows.rows.values().map(|row| time(row).at_least()).collect();
    let mut plot = Plot::new(
        "survival",
        "Runs that have not converged yet",
        "Survival curves (Kaplan and Meier 1958) of the time from t0 to convergence, with pointwise 95 % bands. The sooner a curve falls the \
         better; one that ends above 0 % has runs that did not converge before their horizon.",
        Axis::fitting("time from t0", Ticks::Time, &times),
        Axis::share("not converged"),
    );
    for (colour, (name, rows)) in systems(rows).into_iter().enumerate() {
        let curve = Curve::of(&rows.iter().map(|row| time(row)).collect::<Vec<_>>());
        let (mut line, mut low, mut high) = (vec![(0, 1_000_000)], vec![(0, 1_000_000)], vec![(0, 1_000_000)]);
        for step in &curve.steps {
            let (at, (below, above)) = (bounded(step.at), step.limits(CONFIDENCE));
            line.push((at, ppm(step.survival)));
            if step.survival > 0.0 {
                low.push((at, ppm(below)));
                high.push((at, ppm(above)));
            }
        }
        // The curve is known up to the last observation.
        for points in [&mut line, &mut low, &mut high] {
            let last = points.last().map_or(0, |(_, share)| *share);
            points.push((bounded(curve.last), last));
        }
        if curve.count > 0 {
            plot.band(colour, &low, &high);
            plot.line(colour, &line);
        }
        plot.legend(colour, name);
    }
    plot
}

/// Which share of the runs had made 99 of 100 updates visible everywhere within a time.
pub(super) fn visibility(rows: &Rows) -> Plot {
    let latency =
        |row: &Row| row.visibility_latency_ns_p99.map_or(Convergence::Censored(row.censored_at_ns), Convergence::At);
    let times: Vec<u64> = rows.rows.values().filter_map(|row| row.visibility_latency_ns_p99).collect();
    let most = times.iter().copied().max().unwrap_or(0);
    let mut plot = Plot::new(
        "visibility",
        "Runs in which updates are visible everywhere within a time",
        "Empirical distribution over runs of the 99th percentile of the visibility latency: from an update's effect until all live replicas \
         reflect it. The sooner a curve rises the better; what is missing to 100 % are runs in which more than one of 100 updates never got \
         everywhere, or that had no update.",
        Axis::fitting("visibility latency, p99 of a run", Ticks::Time, &times),
        Axis::share("runs"),
    );
    for (colour, (name, rows)) in systems(rows).into_iter().enumerate() {
        let ecdf = Ecdf::of(&rows.iter().map(|row| latency(row)).collect::<Vec<_>>());
        let share = |passed: u64| bounded(passed * 1_000_000 / ecdf.count.max(1));
        let mut line = vec![(0, 0)];
        line.extend(ecdf.steps.iter().map(|(at, passed)| (bounded(*at), share(*passed))));
        let last = line.last().map_or(0, |(_, share)| *share);
        line.push((bounded(most), last));
        if ecdf.count > 0 {
            plot.line(colour, &line);
        }
        plot.legend(colour, name);
    }
    plot
}

/// What convergence costs.
pub(super) fn cost(rows: &Rows) -> Plot {
    let times: Vec<u64> = rows.rows.values().map(|row| time(row).at_least()).collect();
    let bytes: Vec<u64> = rows.rows.values().map(|row| row.bytes).collect();
    let mut plot = Plot::new(
        "cost",
        "Cost against convergence",
        "One mark per run: the time from t0 to convergence, and the bytes that replicas and stores sent. Low and to the left is good. Open \
         triangles are runs that did not converge before their horizon. Runs within one pixel share a mark.",
        Axis::fitting("time from t0 to convergence", Ticks::Time, &times),
        Axis::fitting("bytes sent", Ticks::Bytes, &bytes),
    );
    for (colour, (name, rows)) in systems(rows).into_iter().enumerate() {
        let point = |row: &Row| (bounded(time(row).at_least()), bounded(row.bytes));
        plot.dots(colour, rows.iter().filter(|row| !time(row).is_censored()).map(|row| point(row)));
        plot.triangles(colour, rows.iter().filter(|row| time(row).is_censored()).map(|row| point(row)));
        plot.legend(colour, name);
    }
    plot
}
