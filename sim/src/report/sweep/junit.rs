//! JUnit XML: a suite per system, a case per expectation.
//!
//! A case fails if any run broke the expectation; its message says how many, and its output how to see the first. A system of which nothing
//! is expected has one case that says how many runs there were.
//!
//! Invariant: no times. What cannot stand in XML is left out of texts by the library that writes them.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::model::{SweepReport, SweptExpectation, SweptSystem};

/// The report.
pub(super) fn render(report: &SweepReport) -> String {
    let seeds = format!("{}, seeds {}..{}", report.scenario, report.seeds_from, report.seeds_to);
    let mut all = Report::new(&*seeds);
    for system in &report.systems {
        let mut suite = TestSuite::new(&*system.name);
        if system.expectations.is_empty() {
            suite.add_test_case(runs(system));
        }
        suite.add_test_cases(system.expectations.iter().map(|expectation| case(system, expectation)));
        all.add_test_suite(suite);
    }
    all.to_string().unwrap_or_default()
}

fn runs(system: &SweptSystem) -> TestCase {
    let mut case = TestCase::new("runs", TestCaseStatus::success());
    case.set_system_out(format!("{} runs, of which nothing is expected", system.runs));
    case
}

fn case(system: &SweptSystem, expectation: &SweptExpectation) -> TestCase {
    let out = match &expectation.reproduce {
        Some(line) => format!("reproduce: {line}"),
        None => format!(
            "{} runs: {} pass, {} vacuous, {} inconclusive, {} fail",
            system.runs, system.pass, system.vacuous, system.inconclusive, system.fail
        ),
    };
    let status = if expectation.failed > 0 {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format!("did not hold in {} of {} runs", expectation.failed, system.runs));
        status
    } else if system.runs == 0 || (system.pass == 0 && system.fail == 0) {
        let mut status = TestCaseStatus::skipped();
        status.set_message("no run decided it");
        status
    } else {
        TestCaseStatus::success()
    };
    let mut case = TestCase::new(&*expectation.text, status);
    case.set_classname(&*system.name).set_system_out(out);
    case
}
