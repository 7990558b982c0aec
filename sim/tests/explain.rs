//! `sim explain` as its users start it: pages, lists, JSON and refusals.

use assert_cmd::{Command, assert::Assert};
use serde_json::Value;

fn explain(arguments: &[&str]) -> Assert {
    let mut command = Command::cargo_bin("sim").expect("the program");
    command.env_remove("RUST_LOG").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.arg("explain").args(arguments).assert()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("standard output is text")
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).expect("standard error is text")
}

fn json(assert: &Assert) -> Value {
    serde_json::from_str(&stdout(assert)).expect("standard output is JSON")
}

#[test]
fn a_topic_is_a_page() {
    insta::assert_snapshot!("pn_counter", stdout(&explain(&["pn-counter"]).success()));
}

#[test]
fn spelling_makes_no_difference() {
    let page = stdout(&explain(&["lost-update"]).success());
    for arguments in [&["Lost_Update"][..], &["lost", "update"], &["lost update"]] {
        assert_eq!(stdout(&explain(arguments).success()), page);
    }
}

#[test]
fn a_name_in_two_kinds_is_explained_twice() {
    let page = stdout(&explain(&["delta"]).success());
    assert!(page.starts_with("delta (gossip payload)\n"), "{page}");
    assert!(page.contains("\ndelta (concept)\n"), "{page}");
    let list = json(&explain(&["delta", "--json"]).success());
    let kinds: Vec<&Value> = list.as_array().expect("topics").iter().map(|topic| &topic["kind"]).collect();
    assert_eq!(kinds, ["gossip payload", "concept"]);
}

#[test]
fn what_is_unknown_is_refused_with_the_nearest_name() {
    let refusals: Vec<String> = ["pn-couter", "raft"].map(|name| stderr(&explain(&[name]).code(2))).into();
    insta::assert_snapshot!("refusals", refusals.concat());
}

#[test]
fn without_a_topic_all_are_listed() {
    let page = stdout(&explain(&[]).success());
    let list = json(&explain(&["--json"]).success());
    let topics = list.as_array().expect("topics");
    assert!(topics.len() > 100, "{} topics", topics.len());
    for topic in topics {
        for key in ["name", "kind", "text"] {
            assert!(topic[key].as_str().is_some_and(|text| !text.is_empty()), "{topic}");
        }
        let name = topic["name"].as_str().expect("a name");
        assert!(page.contains(&format!("\n  {name} ")), "{name}");
    }
    for heading in ["objects", "protocols", "crdts", "faults", "measures", "consistency models", "concepts"] {
        assert!(page.lines().any(|line| line == heading), "{heading}");
    }
}

#[test]
fn names_and_leading_words_are_bold_in_colour_only() {
    let page = |colour: &str| stdout(&explain(&["occ", "--color", colour]).success());
    assert!(page("always").contains("\x1b[1mPromises\x1b[0m what the store promises."));
    assert!(!page("auto").contains('\x1b'));
    assert_eq!(page("never"), page("auto"));
}
