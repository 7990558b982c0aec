//! JSON: the model as it is.

use super::model::SweepReport;

/// The report, with a line break at its end.
pub fn render(report: &SweepReport) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report is plain data");
    format!("{text}\n")
}
