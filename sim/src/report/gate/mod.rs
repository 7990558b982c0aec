//! Reports of gates: what got worse, in words that stop a pull request with a reason.
//!
//! [`model`] holds the comparisons of all baselines; every format is a function of it. Invariant: equal comparisons give equal bytes.
//!
//! What is deliberately absent: times of the machine.

mod build;
mod html;
mod junit;
mod markdown;
pub mod model;
mod text;

use std::path::{Path, PathBuf};

pub use build::report;
pub use html::render as html;
pub use junit::render as junit;
pub use markdown::render as markdown;
pub use model::GateReport;
pub use text::render as text;

use super::{WriteError, files};

/// The report as JSON, with a line break at its end.
pub fn json(report: &GateReport) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report is plain data");
    format!("{text}\n")
}

/// The report in every format, by the name of its file.
pub fn all(report: &GateReport) -> [(&'static str, String); 5] {
    [
        ("gate.txt", text(report)),
        ("gate.md", markdown(report)),
        ("gate.json", json(report)),
        ("gate.html", html(report)),
        ("gate.junit.xml", junit(report)),
    ]
}

/// Writes the report in every format into `dir`.
pub fn write_all(report: &GateReport, dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    all(report).iter().map(|(file, content)| files::replace(dir, file, content.as_bytes())).collect()
}
