//! JUnit XML: a suite per scenario, a case per system for what broke, and one per metric that changed.
//!
//! Invariant: what cannot stand in XML is left out of texts by the library that writes them.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{build::signed, model::GateReport};
use crate::report::human::p_value;
use crate::report::model::Verdict;

/// The report.
pub fn render(report: &GateReport) -> String {
    let mut all = Report::new("sim gate");
    for scenario in &report.scenarios {
        let mut suite = TestSuite::new(&*scenario.scenario);
        let verdict = if scenario.verdict == Verdict::Fail { "fail" } else { "pass" };
        let runs = format!("{verdict}: {} of {} runs changed", scenario.changed_runs, scenario.runs);
        suite.add_test_case(case("unchanged", None, Some(&runs)));
        for failure in &scenario.new_failures {
            let name = format!("{} keeps what it promises", failure.system);
            let out = format!("reproduce: {}", failure.reproduce);
            suite.add_test_case(case(
                &name,
                Some(&format!("{} ({} runs)", failure.failure, failure.count)),
                Some(&out),
            ));
        }
        for change in &scenario.changes {
            let told = format!(
                "{} -> {}, {} ({} to {}), p {}",
                change.before,
                change.now,
                signed(change.relative_ppm),
                signed(change.relative_ppm_low),
                signed(change.relative_ppm_high),
                p_value(change.p_adjusted_ppm)
            );
            let failure = (change.change == "regression").then_some(told.as_str());
            suite.add_test_case(case(&format!("{} {}", change.system, change.metric), failure, Some(&told)));
        }
        all.add_test_suite(suite);
    }
    all.to_string().unwrap_or_default()
}

fn case(name: &str, failure: Option<&str>, out: Option<&str>) -> TestCase {
    let mut status = TestCaseStatus::success();
    if let Some(failure) = failure {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(failure.to_owned());
    }
    let mut case = TestCase::new(name, status);
    if let Some(out) = out {
        case.set_system_out(out);
    }
    case
}
