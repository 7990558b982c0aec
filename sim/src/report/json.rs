//! JSON: the model as it is, for other programs; and the verdict alone, for wrappers.
//!
//! Invariant: equal models give equal bytes; names stand in the order of the model, and the last line is complete.

use serde::Serialize;

use super::{
    FormatDoc,
    model::{Report, Verdict},
};

/// `report.json`.
pub const FORMAT: FormatDoc = FormatDoc {
    name: "json",
    doc: "the whole report for other programs; its schema is published by `sim schema report`",
    extension: "json",
    file: "report.json",
    render,
};

/// `verdict.json`.
pub const VERDICT_FORMAT: FormatDoc = FormatDoc {
    name: "verdict",
    doc: "the verdict alone, with what failed and how to reproduce it",
    extension: "json",
    file: "verdict.json",
    render: render_verdict,
};

/// The content of `verdict.json`.
#[derive(Debug, Serialize)]
struct VerdictFile<'a> {
    verdict: Verdict,
    scenario: &'a str,
    seed: u64,
    reproduce: &'a str,
    failed: Vec<Judged<'a>>,
    undecided: Vec<Judged<'a>>,
}

/// An expectation that is not a pass.
#[derive(Debug, Serialize)]
struct Judged<'a> {
    system: &'a str,
    text: &'a str,
    verdict: Verdict,
    observed: &'a str,
    reason: Option<&'a str>,
}

/// The whole report.
pub fn render(report: &Report) -> String {
    pretty(report)
}

/// The verdict alone. `undecided` lists expectations that are vacuous or inconclusive, and systems that a limit stopped.
pub fn render_verdict(report: &Report) -> String {
    let judged = |wanted: fn(Verdict) -> bool| -> Vec<Judged<'_>> {
        let systems = report.systems.iter();
        systems
            .flat_map(|system| system.expectations.iter().map(|expectation| (system.name.as_str(), expectation)))
            .filter(|(_, expectation)| wanted(expectation.verdict))
            .map(|(system, expectation)| Judged {
                system,
                text: &expectation.text,
                verdict: expectation.verdict,
                observed: &expectation.observed,
                reason: expectation.reason.as_deref(),
            })
            .collect()
    };
    let mut undecided = judged(|verdict| matches!(verdict, Verdict::Vacuous | Verdict::Inconclusive));
    undecided.extend(report.systems.iter().filter(|system| system.stop != "completed").map(|system| Judged {
        system: &system.name,
        text: "the run completes",
        verdict: Verdict::Inconclusive,
        observed: &system.stop,
        reason: None,
    }));
    pretty(&VerdictFile {
        verdict: report.verdict,
        scenario: &report.scenario,
        seed: report.seed,
        reproduce: &report.reproduce,
        failed: judged(|verdict| verdict == Verdict::Fail),
        undecided,
    })
}

fn pretty(value: &impl Serialize) -> String {
    let mut json = serde_json::to_string_pretty(value).expect("the model has text keys only, so it is always JSON");
    json.push('\n');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{model::report_schema, specimen};

    #[test]
    fn a_report_survives_the_round_trip() {
        for report in [specimen::report(), specimen::extreme(), specimen::empty()] {
            let json = render(&report);
            let back: Report = serde_json::from_str(&json).expect("what was written can be read");
            assert_eq!(back, report);
            assert_eq!(render(&back), json);
            assert!(json.ends_with("}\n"));
        }
    }

    #[test]
    fn a_report_conforms_to_its_schema() {
        let schema = serde_json::to_value(report_schema()).expect("a schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema is valid");
        for report in [specimen::report(), specimen::extreme(), specimen::empty()] {
            let mut document = serde_json::to_value(&report).expect("a report is JSON");
            let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
            document["verdict"] = "perhaps".into();
            assert!(!validator.is_valid(&document));
            document.as_object_mut().expect("a report is an object").remove("verdict");
            assert!(!validator.is_valid(&document), "every name is required");
        }
    }

    #[test]
    fn a_report_has_no_fractions() {
        fn fractions(value: &serde_json::Value) -> usize {
            match value {
                serde_json::Value::Number(number) => usize::from(number.is_f64()),
                serde_json::Value::Array(values) => values.iter().map(fractions).sum(),
                serde_json::Value::Object(entries) => entries.values().map(fractions).sum(),
                _ => 0,
            }
        }
        let document = serde_json::to_value(specimen::report()).expect("a report is JSON");
        assert_eq!(fractions(&document), 0);
    }

    #[test]
    fn the_verdict_names_what_failed_and_what_is_undecided() {
        insta::assert_snapshot!(render_verdict(&specimen::report()));
    }
}
