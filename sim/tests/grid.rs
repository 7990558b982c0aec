//! Grids: every combination is a sweep of its own, in one table and one picture, resumed and independent of threads.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

const SCENARIO: &str = r#"# How long does gossip take?
name = "gridded"
cluster = { nodes = 4 }
network = { latency = "20ms" }
workload = { object = "counter", clients = 3, rate = "20/s", duration = "2s", quiet = "6s" }

[[system]]
name = "naive"
naive = {}

[[system]]
name = "push"
gossip = { crdt = "pn-counter", mode = "push" }

[[system]]
name = "push-pull"
gossip = { crdt = "pn-counter" }

[expect.push]
converges = true
"#;

const VARY: [&str; 4] = ["--vary", "gossip.interval=50ms,200ms", "--vary", "cluster.nodes=4,8"];

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        fs::write(place.path("gridded.toml"), SCENARIO).expect("a scenario");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn sim(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.current_dir(self.0.path()).args(arguments).env_remove("GITHUB_STEP_SUMMARY");
        command.output().expect("the program runs")
    }

    fn grid(&self, out: &str, options: &[&str]) -> Output {
        let output = self.sim(&[&["sweep", "gridded.toml", "--out", out], &VARY[..], options].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// All files of a directory.
    fn files(&self, out: &str) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.path(out)).expect("a directory").map(|entry| entry.expect("an entry").path());
        let mut files: Vec<(String, String)> = entries
            .map(|path| {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, fs::read_to_string(&path).expect("a text"))
            })
            .collect();
        files.sort();
        files
    }
}

/// Is this a file of rows?
fn is_rows(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "jsonl")
}

#[test]
fn a_grid_has_every_point_and_the_same_bytes_for_any_number_of_threads() {
    let place = Place::new();
    let output = place.grid("one", &["--seeds", "0..8", "--jobs", "1", "--json"]);
    place.grid("four", &["--seeds", "0..8", "--jobs", "4"]);
    let files = place.files("one");
    assert_eq!(files, place.files("four"));
    assert_eq!(files.iter().filter(|(name, _)| is_rows(name)).count(), 4);
    for name in ["grid.txt", "grid.md", "grid.json", "grid.csv", "grid.svg"] {
        assert!(files.iter().any(|(file, _)| file == name), "{name}");
    }
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let points = report["points"].as_array().expect("points");
    let settings: Vec<String> = points.iter().map(|point| point["settings"].to_string()).collect();
    assert_eq!(settings[1], r#"["gossip.interval=50ms","cluster.nodes=8"]"#);
    assert_eq!(settings.len(), 4);
    let hashes: BTreeSet<&str> = points.iter().filter_map(|point| point["scenario_hash"].as_str()).collect();
    assert_eq!(hashes.len(), 4);
    for point in points {
        let systems = point["systems"].as_array().expect("systems");
        assert_eq!(systems.len(), 3);
        assert!(systems.iter().all(|system| system["runs"] == 8 && system["messages"]["p50"].is_u64()));
        // One hop of 20ms.
        assert_eq!(systems[0]["floor_ns"], 20_000_000);
        assert_eq!(systems[2]["floor_ns"], Value::Null);
    }
    // log2 4 + ln 4 = 3.386 and log2 8 + ln 8 = 5.079 rounds.
    let floor = |point: usize| points[point]["systems"][1]["floor_ns"].as_u64().expect("a floor");
    assert_eq!([floor(0), floor(1), floor(2)], [169_300_000, 253_950_000, 677_200_000]);
    // A round that is four times as long takes gossip longer, and leaves the other system alone.
    let time = |point: usize, system: usize| points[point]["systems"][system]["convergence_time_ns"]["p50"].as_u64();
    assert!(time(0, 1).expect("converged") * 2 < time(2, 1).expect("converged"));
    assert_eq!(time(0, 0), time(2, 0));
}

#[test]
fn a_grid_that_was_stopped_goes_on() {
    let place = Place::new();
    place.grid("whole", &["--seeds", "0..80"]);
    let cut = ["sweep", "gridded.toml", "--seeds", "0..80", "--out", "cut", "--time-budget", "1ns"];
    let output = place.sim(&[&cut[..], &VARY[..]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("stopped after"), "{said}");
    assert!(place.files("cut").iter().any(|(name, _)| is_rows(name)));
    let again = place.grid("cut", &["--seeds", "0..80"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("were there already"));
    assert_eq!(place.files("cut"), place.files("whole"));
}

#[test]
fn a_point_that_is_no_scenario_is_named_and_nothing_runs() {
    let place = Place::new();
    for (vary, named, why) in [
        ("cluster.nodes=4,0", "cluster.nodes=0", "nodes"),
        ("gossip.interval=50ms,fast", "gossip.interval=fast", "does not start with a number"),
        ("occ.retries=1,2", "occ.retries=1", "no system runs `occ`"),
        ("clutser.nodes=4", "clutser.nodes=4", "did you mean `cluster`?"),
    ] {
        let output = place.sim(&["sweep", "gridded.toml", "--seeds", "0..4", "--out", "out", "--vary", vary]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{vary}: {said}");
        assert!(said.contains(&format!("the point {named} ")) && said.contains(why), "{vary}: {said}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(!place.path("out").exists() || place.files("out").is_empty(), "{vary}");
    }
    for vary in ["cluster.nodes", "cluster.nodes=", "cluster.nodes=4,4"] {
        let output = place.sim(&["sweep", "gridded.toml", "--out", "out", "--vary", vary]);
        assert_eq!(output.status.code(), Some(2), "{vary}");
    }
}

#[test]
fn an_option_of_a_protocol_is_set_for_every_system_that_runs_it() {
    let set = |key: &str| {
        let plan = sim::scenario::parse("gridded.toml", SCENARIO, &[key.to_owned()]);
        plan.unwrap_or_else(|errors| panic!("{errors}")).hash
    };
    let parse = |sets: &[&str]| {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        sim::scenario::parse("gridded.toml", SCENARIO, &sets).unwrap_or_else(|errors| panic!("{errors}")).hash
    };
    let both = ["system.push.gossip.interval=50ms", "system.push-pull.gossip.interval=50ms"];
    assert_eq!(set("gossip.interval=50ms"), parse(&both));
    assert_ne!(set("gossip.interval=50ms"), parse(&both[..1]));
}
