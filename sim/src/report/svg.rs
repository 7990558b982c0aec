//! SVG of a run: agreement over time, and how soon updates are visible.
//!
//! Agreement is what the chart of the text shows: how many different answers the replicas hold, a curve per system, with the windows of faults
//! shaded. Invariant: no disagreement is too short to be drawn, since every cell of the model is a step of its curve.
//!
//! What is deliberately absent: curves between quantiles. The model holds four of them, and steps claim no more.

use super::{
    FormatDoc,
    model::{FaultWindow, Report, System},
    plot::{Axis, Plot, Ticks, bounded},
};

/// `report.svg`.
pub const FORMAT: FormatDoc =
    FormatDoc { name: "svg", doc: "agreement over time, for documents", extension: "svg", file: "report.svg", render };

/// Agreement over time, as a file of its own.
pub fn render(report: &Report) -> String {
    agreement(report).alone()
}

/// How many different answers there are over time.
pub(super) fn agreement(report: &Report) -> Plot {
    let end_ns = report.systems.iter().map(|system| system.ended_ns).fold(report.horizon_ns, u64::max);
    let distinct = |system: &System| system.agreement.iter().map(|cell| cell.1).max().unwrap_or(0);
    let most: Vec<u64> = report.systems.iter().map(distinct).chain([1]).collect();
    let mut plot = Plot::new(
        "agreement",
        "Agreement over time",
        "How many different answers the replicas of a system hold at once: 1 is agreement, and 0 means that no replica has a value. Shaded are \
         the windows of faults. Curves that end early belong to runs that stopped early.",
        Axis::linear("virtual time", Ticks::Time, std::iter::once(bounded(end_ns))),
        Axis::fitting("different answers", Ticks::Count, &most),
    );
    let span = |window: &FaultWindow| (bounded(window.from_ns), bounded(window.to_ns.unwrap_or(end_ns)));
    let windows = report.timeline.iter().filter(|window| window.from_ns < end_ns);
    plot.shade("windows of faults", windows.map(|window| (span(window), window.label.as_str())));
    for (colour, system) in report.systems.iter().enumerate() {
        let mut points: Vec<(i64, i64)> =
            system.agreement.iter().map(|&(from, values)| (bounded(from), bounded(values))).collect();
        if let Some((_, last)) = points.last().copied() {
            points.push((bounded(system.ended_ns), last));
            plot.line(colour, &points);
        }
        plot.legend(colour, &system.name);
    }
    plot
}

/// Which share of the updates is visible everywhere within a time; nothing if no quantile is known.
pub(super) fn visibility(report: &Report) -> Option<Plot> {
    let known = |system: &System| {
        let of = system.visibility_latency_ns.unwrap_or_default();
        let all = of.max.filter(|_| of.censored == 0);
        let quantiles = [(of.p50, 500_000), (of.p90, 900_000), (of.p99, 990_000), (all, 1_000_000)];
        quantiles.into_iter().filter_map(|(ns, share)| Some((bounded(ns?), share))).collect::<Vec<_>>()
    };
    let times: Vec<u64> =
        report.systems.iter().flat_map(known).map(|(at, _)| u64::try_from(at).unwrap_or_default()).collect();
    let longest = bounded(times.iter().copied().max()?);
    let mut plot = Plot::new(
        "visibility",
        "Updates that are visible everywhere within a time",
        "At least this share of a system's updates was reflected by all live replicas within a time; known at 50, 90, 99 and 100 %, where the \
         dots are. The sooner a curve rises the better. One that stays below 100 % has updates that never got everywhere.",
        Axis::fitting("visibility latency", Ticks::Time, &times),
        Axis::share("updates"),
    );
    for (colour, system) in report.systems.iter().enumerate() {
        let points = known(system);
        if system.visibility_latency_ns.is_some() {
            let last = points.last().map_or(0, |point| point.1);
            let line: Vec<_> = [(0, 0)].into_iter().chain(points.iter().copied()).chain([(longest, last)]).collect();
            plot.line(colour, &line);
            plot.dots(colour, points.into_iter());
        }
        plot.legend(colour, &system.name);
    }
    Some(plot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::specimen;

    #[test]
    fn every_system_has_a_curve_and_every_window_a_shade() {
        let report = specimen::report();
        let text = render(&report);
        assert_eq!(text.matches("class=\"fault\"").count(), report.timeline.len() + 1, "and one in the legend");
        for colour in 0..report.systems.len() {
            assert_eq!(text.matches(&format!("class=\"c{colour} curve\"")).count(), 2, "a curve and its legend");
        }
    }

    #[test]
    fn extremes_are_drawn_without_panic() {
        for report in [specimen::extreme(), specimen::empty()] {
            assert!(render(&report).ends_with("</svg>\n"));
            let _ = visibility(&report).map(|plot| plot.alone());
        }
    }
}
