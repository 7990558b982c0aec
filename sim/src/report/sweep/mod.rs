//! Reports of sweeps: one model, one file per format.
//!
//! [`model`] sums up the rows of a sweep; every format is a function of the model, or of the rows alone. Invariant: equal rows give equal
//! bytes, in whatever order, by however many threads and in however many pieces they were made.
//!
//! What is deliberately absent: times of the machine. How long a sweep took is no property of what it found.

mod build;
mod collected;
mod contrast;
mod csv;
mod html;
mod json;
mod junit;
mod markdown;
pub mod model;
#[cfg(feature = "parquet")]
mod parquet;
mod svg;
mod text;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use build::report;
pub use collected::Collected;
pub use json::render as json;
pub use model::SweepReport;
pub use text::render as text;

use super::{WriteError, files};
use crate::engine::sweep::{Row, Stored};

/// A format of the report of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct SweepFormat {
    /// The name of its file.
    pub file: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// What to write.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// The summary, with what was collected.
    Summary(fn(&SweepReport, &Collected) -> String),
    /// The rows, one after the other.
    Rows(fn(&mut dyn Iterator<Item = io::Result<Row>>, &mut (dyn io::Write + Send)) -> io::Result<()>),
}

/// All formats, in the order in which their files are written.
pub const SWEEP_FORMATS: &[SweepFormat] = &[
    summary("sweep.txt", "the summary, for the terminal", |report, _| text::render(report)),
    summary("sweep.md", "the summary, for pull requests", |report, _| markdown::render(report)),
    summary("sweep.json", "the summary, for programs", |report, _| json::render(report)),
    SweepFormat { file: "sweep.csv", doc: "a line per run, for tables", content: Content::Rows(csv::write) },
    #[cfg(feature = "parquet")]
    SweepFormat {
        file: "sweep.parquet",
        doc: "a line per run, for data frames",
        content: Content::Rows(parquet::write),
    },
    summary("sweep.html", "a page with plots and runs, for browsers", html::render),
    summary("sweep-survival.svg", "how many runs had not converged after a time", |_, all| svg::survival(all).alone()),
    summary("sweep-visibility.svg", "in how many runs updates were visible everywhere within a time", |_, all| {
        svg::visibility(all).alone()
    }),
    summary("sweep-cost.svg", "what convergence cost, a mark per run", |_, all| svg::cost(all).alone()),
    summary("sweep.junit.xml", "a test case per system and expectation, for CI", |report, _| junit::render(report)),
];

const fn summary(file: &'static str, doc: &'static str, render: fn(&SweepReport, &Collected) -> String) -> SweepFormat {
    SweepFormat { file, doc, content: Content::Summary(render) }
}

/// Writes the report in every format into `dir`.
pub fn write_all(report: &SweepReport, all: &Collected, rows: &Stored, dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    let write = |format: &SweepFormat| match format.content {
        Content::Summary(render) => files::replace(dir, format.file, render(report, all).as_bytes()),
        Content::Rows(write) => files::replace_with(dir, format.file, |out| {
            let failed = |error| io::Error::other(format!("{error}"));
            write(&mut rows.rows().map_err(failed)?.map(|row| row.map_err(failed)), out)
        }),
    };
    SWEEP_FORMATS.iter().map(write).collect()
}
