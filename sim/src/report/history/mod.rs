//! The report on recorded histories: one model, one file per format.
//!
//! [`model`] is what `sim check` leaves behind, as plain data; [`FORMATS`] lists its formats. Invariant: equal models give
//! equal bytes, on every machine and with any number of threads.
//!
//! What is deliberately absent: the histories themselves. A format names the lines of a file, and shows what it needs to.

mod drawing;
pub mod html;
pub mod json;
pub mod model;
pub mod text;

use model::CheckReport;

/// A format of the report on histories.
#[derive(Clone, Copy, Debug)]
pub struct CheckFormat {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// The name of its file in a directory.
    pub file: &'static str,
    /// The report in this format.
    pub render: fn(&CheckReport) -> String,
}

/// All formats.
pub const FORMATS: &[CheckFormat] = &[text::FORMAT, json::FORMAT, html::FORMAT];
