//! Reports of sweeps: one model, one file per format.
//!
//! [`model`] sums up the rows of a sweep; every format is a function of the model, or of the rows alone. Invariant: equal rows give equal
//! bytes, in whatever order, by however many threads and in however many pieces they were made.
//!
//! What is deliberately absent: times of the machine. How long a sweep took is no property of what it found.

mod build;
mod csv;
mod html;
mod json;
mod junit;
mod markdown;
pub mod model;
pub(super) mod page;
pub(super) mod plot;
mod svg;
mod text;

use std::path::{Path, PathBuf};

pub use build::report;
pub use json::render as json;
pub use model::SweepReport;
pub use text::render as text;

use super::{WriteError, files};
use crate::engine::sweep::Rows;

/// A format of the report of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct SweepFormat {
    /// The name of its file.
    pub file: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// The report in this format.
    pub render: fn(&SweepReport, &Rows) -> String,
}

/// All formats, in the order in which their files are written.
pub const SWEEP_FORMATS: &[SweepFormat] = &[
    SweepFormat { file: "sweep.txt", doc: "the summary, for the terminal", render: |report, _| text::render(report) },
    SweepFormat {
        file: "sweep.md",
        doc: "the summary, for pull requests",
        render: |report, _| markdown::render(report),
    },
    SweepFormat { file: "sweep.json", doc: "the summary, for programs", render: |report, _| json::render(report) },
    SweepFormat { file: "sweep.csv", doc: "a line per run, for tables", render: |_, rows| csv::render(rows) },
    SweepFormat { file: "sweep.html", doc: "a page with plots and all runs, for browsers", render: html::render },
    SweepFormat {
        file: "sweep-survival.svg",
        doc: "how many runs had not converged after a time",
        render: |_, rows| svg::survival(rows).alone(),
    },
    SweepFormat {
        file: "sweep-visibility.svg",
        doc: "in how many runs updates were visible everywhere within a time",
        render: |_, rows| svg::visibility(rows).alone(),
    },
    SweepFormat {
        file: "sweep-cost.svg",
        doc: "what convergence cost, a mark per run",
        render: |_, rows| svg::cost(rows).alone(),
    },
    SweepFormat {
        file: "sweep.junit.xml",
        doc: "a test case per system and expectation, for CI",
        render: |report, _| junit::render(report),
    },
];

/// Writes the report in every format into `dir`.
pub fn write_all(report: &SweepReport, rows: &Rows, dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    let write = |format: &SweepFormat| files::replace(dir, format.file, (format.render)(report, rows).as_bytes());
    SWEEP_FORMATS.iter().map(write).collect()
}
