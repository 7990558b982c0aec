//! JUnit XML of a run: a suite per system, a case per expectation.
//!
//! A case fails if the expectation does not hold; its message says what was observed, its text what shows the failure, and its output how to
//! see it again. What was never put to the test, or could not be decided, is skipped with the reason, as in sweeps. A system of which nothing is
//! expected has one case, `run`; one that reached a limit has a skipped case, `completed`.
//!
//! Invariant: no times. What cannot stand in XML is left out of texts by the library that writes them.
//!
//! What is deliberately absent: checks that no expectation asks for. A system may break them and be what the scenario wants to show.

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::{
    FormatDoc,
    model::{Expectation, Report, System, Verdict},
};

/// `report.junit.xml`.
pub const FORMAT: FormatDoc = FormatDoc {
    name: "junit",
    doc: "a test case per system and expectation, for CI",
    extension: "junit.xml",
    file: "report.junit.xml",
    render,
};

/// The report as JUnit XML.
pub fn render(report: &Report) -> String {
    let mut all = Suites::new(format!("{}, seed {}", report.scenario, report.seed));
    for system in &report.systems {
        let mut suite = TestSuite::new(&*system.name);
        if system.stop != "completed" {
            suite.add_test_case(stopped(system, &report.reproduce));
        } else if system.expectations.is_empty() {
            suite.add_test_case(unjudged(system));
        }
        suite
            .add_test_cases(system.expectations.iter().map(|expectation| case(system, expectation, &report.reproduce)));
        all.add_test_suite(suite);
    }
    all.to_string().unwrap_or_default()
}

fn stopped(system: &System, reproduce: &str) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message(format!("the run stopped early: {}", system.stop));
    let mut case = TestCase::new("completed", status);
    case.set_classname(&*system.name).set_system_out(format!("reproduce: {reproduce}"));
    case
}

fn unjudged(system: &System) -> TestCase {
    let mut case = TestCase::new("run", TestCaseStatus::success());
    case.set_classname(&*system.name).set_system_out("a run of which nothing is expected");
    case
}

fn case(system: &System, expectation: &Expectation, reproduce: &str) -> TestCase {
    let reason = expectation.reason.as_deref().unwrap_or_default();
    let status = match expectation.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("observed {}", expectation.observed)).set_description(reason);
            status
        }
        undecided @ (Verdict::Vacuous | Verdict::Inconclusive) => {
            let word = if undecided == Verdict::Vacuous { "vacuous" } else { "inconclusive" };
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("{word}: {reason}"));
            status
        }
    };
    let mut case = TestCase::new(&*expectation.text, status);
    case.set_classname(&*system.name)
        .set_system_out(format!("observed: {}\nreproduce: {reproduce}", expectation.observed));
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::specimen;

    #[test]
    fn what_fails_is_a_failure_with_its_evidence() {
        let mut report = specimen::report();
        report.systems.truncate(1);
        let expectation = |verdict| Expectation {
            text: "a < b".into(),
            verdict,
            observed: "\"7\" & more".into(),
            reason: Some("<witness>".into()),
        };
        report.systems[0].expectations =
            [Verdict::Fail, Verdict::Vacuous, Verdict::Inconclusive, Verdict::Pass].map(expectation).to_vec();
        let text = render(&report);
        for (part, count) in [("<failure", 1), ("<skipped", 2), ("<testcase", 4), ("reproduce: sim run", 4)] {
            assert_eq!(text.matches(part).count(), count, "{part} in {text}");
        }
        assert!(text.contains("&lt;witness&gt;") && text.contains("&amp; more"), "{text}");
        assert!(!text.contains("<witness>"), "{text}");
    }

    #[test]
    fn a_run_that_did_not_complete_is_no_success() {
        let mut report = specimen::report();
        report.systems.truncate(1);
        report.systems[0].expectations.clear();
        "completed".clone_into(&mut report.systems[0].stop);
        assert!(!render(&report).contains("<skipped"));
        "the limit of events".clone_into(&mut report.systems[0].stop);
        assert!(render(&report).contains("<skipped message=\"the run stopped early: the limit of events\""));
    }

    #[test]
    fn extremes_are_written_without_panic() {
        for report in [specimen::extreme(), specimen::empty()] {
            assert!(render(&report).contains("<testsuites"));
        }
    }
}
