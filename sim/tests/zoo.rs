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
