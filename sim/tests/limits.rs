//! A run that hits a limit is never a pass, and neither is an expectation that was never put to the test.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn scenario(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name).display().to_string()
}

/// The exit code and report.json of `sim run --json`.
fn run(arguments: &[&str], stdin: &str) -> (i32, Value) {
    let mut command = Command::cargo_bin("sim").expect("the program");
    let output =
        command.args(["run", "--json", "--no-files"]).args(arguments).write_stdin(stdin).output().expect("it runs");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("an exit code"), report)
}

#[test]
fn a_run_stops_at_its_limit_of_events() {
    let (code, report) = run(&[&scenario("partition.toml"), "--set", "limits.events=1000"], "");
    assert_eq!(code, 3);
    assert_eq!(report["verdict"], "inconclusive");
    for system in report["systems"].as_array().expect("systems") {
        assert_eq!((&system["stop"], &system["events"]), (&"events limit".into(), &1000.into()));
        assert_eq!(system["converged"], false, "nothing is claimed of a run that did not end");
        for expectation in system["expectations"].as_array().expect("expectations") {
            assert_eq!(expectation["verdict"], "inconclusive");
            assert_eq!(expectation["reason"], "the run stopped early: events limit");
        }
    }
}

#[test]
fn a_run_stops_at_its_limit_of_memory() {
    let (code, report) = run(&[&scenario("partition.toml"), "--set", "limits.memory=1KiB"], "");
    assert_eq!(code, 3);
    assert_eq!(report["verdict"], "inconclusive");
    for system in report["systems"].as_array().expect("systems") {
        assert_eq!(system["stop"], "memory limit");
    }
}

#[test]
fn one_system_at_its_limit_makes_the_whole_inconclusive_even_without_expectations() {
    let text = r#"
        name = "tiny"
        cluster = { nodes = 3 }
        workload = { object = "counter", clients = 2, rate = "10/s", duration = "5s" }
        limits = { events = 300 }
        system = [{ name = "naive", naive = {} }, { name = "gossip", gossip = { crdt = "g-counter" } }]
    "#;
    let (code, report) = run(&["-"], text);
    assert_eq!((code, &report["verdict"]), (3, &"inconclusive".into()));
    assert_eq!(report["systems"][0]["stop"], "completed");
    assert_eq!(report["systems"][1]["stop"], "events limit");
}

#[test]
fn an_expectation_that_nothing_put_to_the_test_is_vacuous() {
    // One replica alone: no message is ever sent, so none is lost, and `lost_updates = 0` says nothing.
    let text = r#"
        name = "alone"
        cluster = { nodes = 1 }
        network = { loss = "50%" }
        workload = { object = "counter", clients = 2, rate = "10/s", duration = "5s" }
        system = [{ name = "gossip", gossip = { crdt = "g-counter" } }]
        [expect.gossip]
        lost_updates = 0
    "#;
    let (code, report) = run(&["-"], text);
    assert_eq!((code, &report["verdict"]), (3, &"vacuous".into()));
    let expectation = &report["systems"][0]["expectations"][0];
    assert_eq!(
        (&expectation["verdict"], &expectation["reason"]),
        (&"vacuous".into(), &"no message was lost by chance".into())
    );
}

#[test]
fn a_fault_without_effect_and_occ_without_conflicts_are_vacuous() {
    let text = r#"
        name = "calm"
        cluster = { nodes = 3 }
        workload = { object = "counter", clients = 1, rate = "2/s", duration = "5s" }
        system = [{ name = "occ", occ = { store = "lin-kv" } }]
        fault = [{ at = "1s", for = "1ms", partition = { isolate = ["n3"] } }]
        [expect.occ]
        lost_updates = 0
        fail = "= 0"
    "#;
    let (code, report) = run(&["-"], text);
    assert_eq!((code, &report["verdict"]), (3, &"vacuous".into()));
    let reason = report["systems"][0]["expectations"][0]["reason"].as_str().expect("a reason");
    assert_eq!(reason, "partition at 1s had no effect; no compare-and-swap met a conflict");
}

#[test]
fn a_finding_weighs_more_than_a_limit() {
    let text = r#"
        name = "both"
        cluster = { nodes = 3 }
        workload = { object = "counter", clients = 2, rate = "10/s", duration = "5s" }
        limits = { events = 300 }
        system = [{ name = "naive", naive = {} }, { name = "gossip", gossip = { crdt = "g-counter" } }]
        [expect.naive]
        ok = "= 0"
    "#;
    let (code, report) = run(&["-"], text);
    assert_eq!((code, &report["verdict"]), (1, &"fail".into()));
}
