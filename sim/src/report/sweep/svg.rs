//! SVG: the plots of a sweep, one a file.
//!
//! Invariant: a run that did not converge is in every plot that its time belongs to: as part of the curve that does not fall, or as an open
//! triangle at the end of its run.
//!
//! What is deliberately absent: smoothing, and means of times, which censored runs do not have.

use super::collected::Collected;
use crate::{
    report::plot::{Axis, Plot, Ticks, bounded},
    statistics::{Convergence, ecdf::Ecdf, survival::Curve},
};

/// The confidence of bands.
const CONFIDENCE: f64 = 0.95;

/// All plots, in the order of the page.
pub(super) fn plots(all: &Collected) -> [Plot; 3] {
    [survival(all), visibility(all), cost(all)]
}

/// When the runs of all systems converged, or were censored.
fn ends(all: &Collected) -> Vec<u64> {
    all.systems.iter().flat_map(|runs| &runs.convergence).map(|time| time.at_least()).collect()
}

/// A share as parts per million.
fn ppm(share: f64) -> i64 {
    (share * 1_000_000.0).round() as i64
}

/// Which share of the runs has not converged yet.
pub(super) fn survival(all: &Collected) -> Plot {
    let times = ends(all);
    let mut plot = Plot::new(
        "survival",
        "Runs that have not converged yet",
        "Survival curves (Kaplan and Meier 1958) of the time from t0 to convergence, with pointwise 95 % bands. The sooner a curve falls the \
         better; one that ends above 0 % has runs that did not converge before their horizon.",
        Axis::fitting("time from t0", Ticks::Time, &times),
        Axis::share("not converged"),
    );
    for (colour, runs) in all.systems.iter().enumerate() {
        let curve = Curve::of(&runs.convergence);
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
        plot.legend(colour, &runs.name);
    }
    plot
}

/// Which share of the runs had made 99 of 100 updates visible everywhere within a time.
pub(super) fn visibility(all: &Collected) -> Plot {
    let times: Vec<u64> = all.systems.iter().flat_map(|runs| runs.visibility_p99.iter().flatten()).collect();
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
    for (colour, runs) in all.systems.iter().enumerate() {
        let latency = |latency: Option<u64>| latency.map_or(Convergence::Censored(u64::MAX), Convergence::At);
        let ecdf = Ecdf::of(&runs.visibility_p99.iter().map(latency).collect::<Vec<_>>());
        let share = |passed: u64| bounded(passed * 1_000_000 / ecdf.count.max(1));
        let mut line = vec![(0, 0)];
        line.extend(ecdf.steps.iter().map(|(at, passed)| (bounded(*at), share(*passed))));
        let last = line.last().map_or(0, |(_, share)| *share);
        line.push((bounded(most), last));
        if ecdf.count > 0 {
            plot.line(colour, &line);
        }
        plot.legend(colour, &runs.name);
    }
    plot
}

/// What convergence costs.
pub(super) fn cost(all: &Collected) -> Plot {
    let times = ends(all);
    let bytes: Vec<u64> = all.systems.iter().flat_map(|runs| runs.bytes.iter().flatten()).collect();
    let mut plot = Plot::new(
        "cost",
        "Cost against convergence",
        "One mark per run: the time from t0 to convergence, and the bytes that replicas and stores sent. Low and to the left is good. Open \
         triangles are runs that did not converge before their horizon. Runs within one pixel share a mark.",
        Axis::fitting("time from t0 to convergence", Ticks::Time, &times),
        Axis::fitting("bytes sent", Ticks::Bytes, &bytes),
    );
    for (colour, runs) in all.systems.iter().enumerate() {
        let marks = |is_censored: bool| {
            let marks = runs.convergence.iter().zip(runs.bytes.iter().flatten());
            let marks = marks.filter(move |(time, _)| time.is_censored() == is_censored);
            marks.map(|(time, bytes)| (bounded(time.at_least()), bounded(bytes)))
        };
        plot.dots(colour, marks(false));
        plot.triangles(colour, marks(true));
        plot.legend(colour, &runs.name);
    }
    plot
}
