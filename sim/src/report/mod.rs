//! Reports: one model, one file per format.
//!
//! [`model`] is what a run leaves behind, as plain data. Every format is a function of the model alone, and [`FORMATS`]
//! lists them: adding one is a file and a line. Invariant: equal models give equal bytes, on every machine.
//!
//! Formats compute nothing that the model does not say: they choose, round and arrange. `report.json` rounds nothing.

pub mod advice;
mod build;
mod chart;
mod columns;
mod files;
pub mod gate;
pub mod grid;
pub mod history;
pub mod html;
mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod model;
mod page;
mod plot;
mod rows;
pub mod svg;
pub mod sweep;
pub mod text;

#[cfg(test)]
mod specimen;

pub use build::{describe, report};
pub use files::{WriteError, write_all, write_file, write_histories};
use model::Report;

/// A format of the report.
#[derive(Clone, Copy, Debug)]
pub struct FormatDoc {
    /// The name in `sim list`.
    pub name: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// The usual ending of its files.
    pub extension: &'static str,
    /// The name of its file in a report directory.
    pub file: &'static str,
    /// The report in this format.
    pub render: fn(&Report) -> String,
}

/// All formats, in the order in which their files are written.
pub const FORMATS: &[FormatDoc] =
    &[text::FORMAT, markdown::FORMAT, html::FORMAT, svg::FORMAT, junit::FORMAT, json::FORMAT, json::VERDICT_FORMAT];
