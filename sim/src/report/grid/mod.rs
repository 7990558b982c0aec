//! Reports of parameter grids: a line per point and system, and a picture.
//!
//! [`model`] sums up the sweeps of all points; every format is a function of the model. Invariant: equal rows give equal bytes. Beside what
//! was measured stands the floor, what theory says that convergence takes, where it says something.
//!
//! ```
//! let axes = vec![sim::report::grid::Axis::parse("cluster.nodes=3,5")?];
//! let points = sim::report::grid::points(&axes);
//! assert_eq!(points, [["cluster.nodes=3"], ["cluster.nodes=5"]]);
//! # Ok::<(), String>(())
//! ```
//!
//! What is deliberately absent: tests whether two points differ. `sim gate` compares seed by seed.

mod build;
mod csv;
mod markdown;
pub mod model;
mod svg;
mod text;

use std::path::{Path, PathBuf};

pub use build::{point, points, report};
pub use model::{Axis, GridReport, Point};
pub use text::render as text;

use super::{WriteError, files};

/// A format of the report of a grid.
#[derive(Clone, Copy, Debug)]
pub struct GridFormat {
    /// The name of its file.
    pub file: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// The report in this format.
    pub render: fn(&GridReport) -> String,
}

/// All formats, in the order in which their files are written.
pub const GRID_FORMATS: &[GridFormat] = &[
    GridFormat { file: "grid.txt", doc: "the table, for the terminal", render: text::render },
    GridFormat { file: "grid.md", doc: "the table, for pull requests", render: markdown::render },
    GridFormat { file: "grid.json", doc: "the table, for programs", render: json },
    GridFormat { file: "grid.csv", doc: "the table, for spreadsheets", render: csv::render },
    GridFormat { file: "grid.svg", doc: "convergence time and cost over the grid", render: svg::render },
];

/// The report as JSON, with a line break at its end.
pub fn json(report: &GridReport) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report is plain data");
    format!("{text}\n")
}

/// Writes the report in every format into `dir`.
pub fn write_all(report: &GridReport, dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    let write = |format: &GridFormat| files::replace(dir, format.file, (format.render)(report).as_bytes());
    GRID_FORMATS.iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::{model::Cell, *};
    use crate::report::{
        model::Verdict,
        sweep::model::{Failure, Spread},
    };

    /// A grid of four points with one system, the last of them censored.
    fn specimen() -> GridReport {
        let axes = vec![
            Axis::parse("gossip.interval=50ms,100ms").expect("an axis"),
            Axis::parse("cluster.nodes=5,20").expect("an axis"),
        ];
        let cell = |number: u64| Cell {
            system: "<pn>".to_owned(),
            runs: 10,
            converged: if number == 4 { 3 } else { 10 },
            convergence_time_ns: Spread {
                p50: (number < 4).then_some(number * 40_000_000),
                p50_low: Some(number * 30_000_000),
                p50_high: (number < 4).then_some(number * 50_000_000),
                p99: (number < 4).then_some(number * 90_000_000),
                count: 10,
                censored: if number == 4 { 7 } else { 0 },
                ..Spread::default()
            },
            floor_ns: (number < 3).then_some(number * 20_000_000),
            floor: (number < 3).then(|| "1 hop".to_owned()),
            messages: Spread { p50: Some(number * 100), count: 10, ..Spread::default() },
            bytes: Spread { p50: Some(number * 10_000), count: 10, ..Spread::default() },
        };
        let failure = Failure {
            failure: "<pn>: converges".to_owned(),
            count: 7,
            seed: 2,
            reproduce: "sim run x.toml --seed 2".to_owned(),
        };
        let points = points(&axes)
            .into_iter()
            .zip(1..)
            .map(|(settings, number)| Point {
                settings,
                scenario_hash: "0".repeat(64),
                verdict: if number == 4 { Verdict::Fail } else { Verdict::Pass },
                systems: vec![cell(number)],
                failures: if number == 4 { vec![failure.clone()] } else { Vec::new() },
            })
            .collect();
        report("specimen", crate::engine::sweep::Seeds::first(10), axes, points)
    }

    #[test]
    fn a_text_is_no_wider_than_a_terminal() {
        let text = text(&specimen());
        for line in text.lines().filter(|line| !line.contains("reproduce:")) {
            assert!(line.chars().count() <= 100, "{line}");
        }
        assert!(text.contains("gossip.interval") && text.contains("censored") && text.contains("<pn>"), "{text}");
    }

    #[test]
    fn every_format_has_every_point() {
        let report = specimen();
        assert_eq!(csv::render(&report).lines().count(), 1 + 4);
        assert_eq!(markdown::render(&report).lines().filter(|line| line.contains("&lt;pn&gt;")).count(), 4 + 1);
        let again: GridReport = serde_json::from_str(&json(&report)).expect("JSON");
        assert_eq!(again, report);
    }

    #[test]
    fn a_picture_is_well_formed_and_has_no_script() {
        let svg = svg::render(&specimen());
        let opened = svg.matches('<').count() - svg.matches("</").count();
        let closed = svg.matches("</").count() + svg.matches("/>").count();
        assert_eq!(opened, closed, "{svg}");
        assert!(!svg.contains("<pn>") && svg.contains("&lt;pn&gt;") && !svg.contains("NaN"), "{svg}");
        assert!(svg.contains("gossip.interval") && svg.contains("cluster.nodes=20"), "{svg}");
    }
}
