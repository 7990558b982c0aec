//! The zoo of bugs: every one of them is caught, and no system that has it right is taken for one.

use std::collections::BTreeSet;

use sim::{
    engine::zoo::{Hunt, hunt, plan, score},
    zoo::{BUGS, Bug, catalogue::ARENAS},
};

/// Within so many seeds a bug has to be caught.
const SEEDS: u64 = 200;
/// Under so many seeds a correct twin must never be taken for a bug.
const TWIN_SEEDS: u64 = 1_000;

fn all() -> Vec<&'static Bug> {
    BUGS.iter().collect()
}

#[test]
fn the_mutation_score_is_full_and_no_twin_is_taken_for_a_bug() {
    let hunts = hunt(&all(), SEEDS, TWIN_SEEDS);
    let missed: Vec<&str> = hunts.iter().filter(|hunt| hunt.caught_at.is_none()).map(|hunt| hunt.bug.name).collect();
    assert!(missed.is_empty(), "not caught within {SEEDS} seeds: {missed:?}");
    assert_eq!(score(&hunts), BUGS.len());
    let alarms: Vec<(&str, u64)> =
        hunts.iter().filter_map(|hunt| Some((hunt.bug.name, *hunt.false_alarms.first()?))).collect();
    assert!(alarms.is_empty(), "twins that were taken for bugs, with the first seed: {alarms:?}");
    assert!(hunts.iter().all(|hunt| !hunt.witness.is_empty()), "whoever catches a bug says what it did");
}

#[test]
fn the_zoo_is_large_and_every_arena_is_used() {
    assert!(BUGS.len() >= 30, "{} bugs", BUGS.len());
    let used: BTreeSet<&str> = BUGS.iter().map(|bug| bug.arena).collect();
    let known: BTreeSet<&str> = ARENAS.iter().map(|arena| arena.name).collect();
    assert_eq!(used, known);
    let objects: BTreeSet<&str> = BUGS.iter().map(|bug| bug.object).collect();
    assert_eq!(objects.len(), 5, "{objects:?}");
}

#[test]
fn every_bug_has_a_scenario_that_shows_it_beside_its_twin() {
    for bug in BUGS {
        let plan = plan(bug);
        assert_eq!(plan.name, bug.name);
        let names: Vec<&str> = plan.systems.iter().map(|system| system.name.as_str()).collect();
        assert_eq!(names, ["bug", "twin"], "{}", bug.name);
        assert!(plan.story.contains(bug.title), "{}", bug.name);
    }
}

/// A checker that cannot fail would have no false alarms either: here the twin takes the place of the bug.
#[test]
fn a_bug_that_is_none_is_not_caught() {
    let bug = BUGS.iter().find(|bug| bug.name == "merge-by-sum").expect("it is in the zoo");
    let none = Bug { caught_by: "lost_updates", ..*bug };
    let none: &'static Bug = Box::leak(Box::new(none));
    let Hunt { caught_at, witness, .. } = hunt(&[none], 20, 0).remove(0);
    assert_eq!((caught_at, witness.as_str()), (None, ""), "who adds up what it receives loses nothing");
}

#[test]
fn hunts_do_not_depend_on_the_number_of_threads() {
    let some: Vec<&'static Bug> = BUGS.iter().step_by(9).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
        pool.install(|| hunt(&some, 20, 10))
    };
    assert_eq!(on(1), on(3));
}

fn sim(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = assert_cmd::Command::cargo_bin("sim").expect("the program");
    command.env_remove("RUST_LOG").env_remove("NO_COLOR").args(arguments).assert()
}

fn printed(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("standard output is text")
}

#[test]
fn a_hunt_is_a_line_and_a_score() {
    let page = printed(&sim(&["zoo", "merge-by-sum", "blind-write", "--seeds", "5", "--twin-seeds", "5"]).success());
    let lines: Vec<&str> = page.lines().collect();
    assert!(lines[0].starts_with("merge-by-sum  ") && lines[0].ends_with("gossip pn-counter passes 5 of 5"), "{page}");
    assert!(lines[1].contains("caught under seed "), "{page}");
    assert_eq!(lines[3], "mutation score: 2 of 2 bugs are caught; 0 false alarms of correct twins");
}

#[test]
fn a_hunt_is_json_for_programs_and_a_bug_at_large_is_a_finding() {
    let arguments = ["zoo", "merge-by-sum", "--twin-seeds", "3", "--json"];
    let page: serde_json::Value = serde_json::from_str(&printed(&sim(&arguments).success())).expect("JSON");
    assert_eq!((&page["caught"], &page["hunts"][0]["bug"]), (&1.into(), &"merge-by-sum".into()));
    assert_eq!(page["hunts"][0]["false_alarms"], serde_json::json!([]));
    let page = printed(&sim(&["zoo", "merge-by-sum", "--seeds", "0", "--twin-seeds", "1"]).code(1));
    assert!(page.contains("NOT CAUGHT within 0 seeds"), "{page}");
}

#[test]
fn the_scenario_of_a_bug_can_be_run_and_shows_it() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("bug.toml");
    std::fs::write(&file, printed(&sim(&["zoo", "cart-as-register", "--scenario"]).success())).expect("a new file");
    let run = sim(&["run", file.to_str().expect("a path in Unicode"), "--no-files", "--json"]).success();
    let report: serde_json::Value = serde_json::from_str(&printed(&run)).expect("JSON");
    assert_eq!((&report["systems"][0]["correct"], &report["systems"][1]["correct"]), (&false.into(), &true.into()));
    assert!(report["systems"][0]["protocol"].as_str().expect("text").starts_with("the bug cart-as-register: "));
}

#[test]
fn bugs_are_listed_apart_and_unknown_ones_refused() {
    let bugs = printed(&sim(&["list", "--bugs"]).success());
    assert!(BUGS.iter().all(|bug| bugs.contains(bug.name) && bugs.contains(bug.title)));
    let rest = printed(&sim(&["list"]).success());
    assert!(BUGS.iter().all(|bug| !rest.contains(bug.title)));
    let refused = sim(&["zoo", "merge-by-summ"]).code(2);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("did you mean `merge-by-sum`?"), "{said}");
    let explained = printed(&sim(&["explain", "merge-by-sum"]).success());
    assert!(explained.contains("Root cause") && explained.contains("Fix"), "{explained}");
}
