//! `sim advise` as its users start it: what is recommended under which conditions, exit codes, and what is refused.

use std::fs;

use assert_cmd::{Command, assert::Assert};
use serde_json::Value;

/// The program with these arguments of `advise`.
fn advise(arguments: &[&str]) -> Assert {
    command(arguments).assert()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("sim").expect("the program");
    command.env_remove("RUST_LOG").env_remove("NO_COLOR").arg("advise").args(arguments);
    command
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("standard output is text")
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).expect("standard error is text")
}

/// The advice as JSON.
fn advice(arguments: &[&str], code: i32) -> Value {
    let answer = advise(&[arguments, &["--json"]].concat()).code(code);
    serde_json::from_str(&stdout(&answer)).expect("standard output is JSON")
}

/// What was measured of a candidate.
fn measured<'a>(advice: &'a Value, name: &str) -> &'a Value {
    let candidates = advice["candidates"].as_array().expect("candidates");
    candidates.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} is a candidate"))
}

fn count(of: &Value) -> u64 {
    of.as_u64().unwrap_or_else(|| panic!("{of} is a count"))
}

#[test]
fn who_must_never_refuse_writes_through_partitions_takes_a_crdt() {
    let answer = advise(&["--partition-rate", "30%"]).success();
    insta::assert_snapshot!(stdout(&answer));
    assert_eq!(stderr(&answer), "");
    let advice = advice(&["--partition-rate", "30%"], 0);
    assert_eq!((&advice["recommendation"], &advice["candidate"]), (&"CRDT".into(), &"pn-counter".into()));
    let crdt = measured(&advice, "pn-counter");
    assert_eq!((count(&crdt["updates"]["fail"]), count(&crdt["updates"]["info"])), (0, 0));
    assert_eq!((count(&crdt["lost_updates"]), count(&crdt["waited_messages_per_1000_operations"])), (0, 0));
    for store in ["occ", "lock"] {
        let store = measured(&advice, store);
        assert!(count(&store["updates"]["fail"]) + count(&store["updates"]["info"]) > 0);
        assert!(count(&store["waited_messages_per_1000_operations"]) > 0);
    }
}

/// A lease costs a round trip before the read and the swap, and whoever finds it taken asks again at random. Optimistic updates that
/// fail try again at once. So with these protocols OCC has the better availability at low and at high conflict rates alike;
/// only the price of both grows. Locking comes first where hardly anybody else asks for the lease, and then by little.
#[test]
fn who_must_never_read_stale_takes_a_store_and_the_better_one_is_measured() {
    let asked = |conflicts: &str| {
        let advice =
            advice(&["--needs", "never-read-stale", "--partition-rate", "0%", "--conflict-rate", conflicts], 0);
        assert_eq!(advice["recommendation"], "OCC", "{conflicts}");
        assert!(count(&measured(&advice, "pn-counter")["stale_reads"]) > 0);
        for store in ["occ", "lock"] {
            assert_eq!(measured(&advice, store)["linearizable"], true);
        }
        ["occ", "lock"].map(|store| count(&measured(&advice, store)["conflicts"]))
    };
    let (few, many) = (asked("2%"), asked("90%"));
    assert!(few[0] < many[0] && few[1] < many[1], "{few:?} {many:?}");
}

#[test]
fn what_nobody_can_have_is_named_with_its_violators() {
    let needs = "never-refuse-writes,never-read-stale,bounded-memory";
    let answer = advise(&["--needs", needs]).code(3);
    assert!(stdout(&answer).contains("NEEDS THAT NO CANDIDATE MEETS TOGETHER"));
    assert!(stderr(&answer).starts_with("no candidate meets every need\nreproduce: sim advise --object counter"));
    let advice = advice(&["--needs", needs], 3);
    assert_eq!(advice["meets_all_needs"], false);
    let violators = |need: usize| -> Vec<&str> {
        let violations = advice["unmet"][need]["violations"].as_array().expect("violations");
        violations.iter().filter_map(|violation| violation["candidate"].as_str()).collect()
    };
    assert_eq!((&advice["unmet"][0]["need"], violators(0)), (&"never-refuse-writes".into(), vec!["occ", "lock"]));
    assert_eq!((&advice["unmet"][1]["need"], violators(1)), (&"never-read-stale".into(), vec!["pn-counter"]));
}

#[test]
fn the_last_writer_wins_and_the_others_are_lost() {
    for conflicts in ["1%", "60%"] {
        let advice = advice(&["--object", "register", "--conflict-rate", conflicts], 0);
        assert_eq!(advice["candidate"], "mv-register", "{conflicts}");
        assert!(count(&measured(&advice, "lww-register")["lost_updates"]) > 0);
        assert_eq!(measured(&advice, "mv-register")["lost_updates"], 0);
        let reasons = advice["reasons"].to_string();
        assert!(reasons.contains("lww-register is out: "), "{reasons}");
    }
}

#[test]
fn texts_grow_in_a_crdt_and_not_in_a_store() {
    let advice = advice(&["--object", "sequence", "--needs", "bounded-memory"], 0);
    assert_ne!(advice["recommendation"], "CRDT");
    assert!(advice["reasons"].to_string().contains("rga does not meet bounded-memory: 1,000 updates add "));
    for object in ["counter", "set", "cart"] {
        let advice = self::advice(&["--object", object, "--needs", "bounded-memory,never-refuse-writes"], 0);
        assert_eq!(advice["recommendation"], "CRDT", "{object}");
    }
}

#[test]
fn the_same_question_has_the_same_answer_whatever_the_threads() {
    let question = ["--object", "set", "--conflict-rate", "50%", "--json"];
    let answers = ["1", "2", "5"].map(|threads| stdout(&command(&question).env("RAYON_NUM_THREADS", threads).assert()));
    assert!(answers[0].len() > 1_000 && answers.iter().all(|answer| *answer == answers[0]));
    let advice: Value = serde_json::from_str(&answers[0]).expect("JSON");
    let line = advice["reproduce"].as_str().expect("a command line");
    let arguments: Vec<&str> = line.split(' ').skip(2).chain(["--json"]).collect();
    assert_eq!(stdout(&advise(&arguments)), answers[0]);
}

#[test]
fn the_scenario_can_be_run() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("asked.toml");
    let file = file.to_str().expect("a path in Unicode");
    let advice = advice(&["--seeds", "1", "--scenario", file], 0);
    assert!(fs::read_to_string(file).expect("the scenario").starts_with("# 5 replicas of a counter"));
    let mut run = Command::cargo_bin("sim").expect("the program");
    let run = run.args(["run", file, "--no-files", "--json"]).assert().success();
    let report: Value = serde_json::from_str(&stdout(&run)).expect("JSON");
    for system in report["systems"].as_array().expect("systems") {
        let one = measured(&advice, system["name"].as_str().expect("a name"));
        assert_eq!(one["state_bytes"], system["state_bytes"]);
        assert_eq!(one["stale_reads"], system["stale_reads"]["count"]);
        assert_eq!(one["conflicts"], system["conflicts"]);
    }
}

#[test]
fn wrong_values_are_refused_with_what_would_be_right() {
    for (arguments, said) in [
        (["--object", "conter"], "did you mean `counter`?"),
        (["--needs", "never-read-stail"], "did you mean `never-read-stale`?"),
        (["--needs", "speed"], "the needs are `never-refuse-writes`, `never-read-stale`, `bounded-memory`"),
        (["--partition-rate", "10"], "a percentage from 0% to 100%"),
        (["--partition-rate", "101%"], "a percentage from 0% to 100%"),
        (["--conflict-rate", "100%"], "the conflict rate is at most 99%, not 100%"),
        (["--reads", "96%"], "the share of reads is at most 95%, not 96%"),
        (["--replicas", "1"], "the number of replicas is from 2 to 50, not 1"),
        (["--seeds", "0"], "the number of seeds is from 1 to 100, not 0"),
    ] {
        let refused = advise(&arguments).code(2);
        assert_eq!(stdout(&refused), "");
        assert!(stderr(&refused).contains(said), "{arguments:?}: {}", stderr(&refused));
    }
}
