//! Swarm values: drawn per seed, independent of each other, printed in a form that runs, and refused with their place.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use sim::scenario::{Plan, parse};

const SCENARIO: &str = r#"# Which drawn cluster breaks?
name = "swarmed"
cluster = { nodes = { swarm = [3, 7] } }

[network]
latency = { swarm = { choice = ["20ms", { exponential = { mean = "20ms" } }, "5ms"] } }
loss = { swarm = ["0%", "10%"] }

[workload]
object = "counter"
clients = 3
rate = "20/s"
duration = "3s"
quiet = "3s"

[[fault]]
at = { swarm = ["500ms", "1s"] }
for = "1s"
partition = "halves"

[[system]]
name = "naive"
naive = {}

[[system]]
name = "pn-counter"
gossip = { crdt = "pn-counter", mode = { swarm = ["push", "push-pull"] }, interval = { swarm = ["50ms", "200ms"] } }

[expect.pn-counter]
lost_updates = 0
"#;

fn plan(text: &str) -> Plan {
    parse("swarmed.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What is drawn for a key under a seed.
fn drawn(plan: &Plan, seed: u64, key: &str) -> String {
    let plan = plan.under(seed).unwrap_or_else(|errors| panic!("{errors}"));
    let found = plan.drawn.iter().find(|drawn| drawn.key == key);
    found.unwrap_or_else(|| panic!("{key} is not among {:?}", plan.drawn)).value.clone()
}

#[test]
fn every_seed_draws_its_own_scenario_under_one_hash() {
    let base = plan(SCENARIO);
    let keys: Vec<&str> = base.drawn.iter().map(|drawn| drawn.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "cluster.nodes",
            "fault.0.at",
            "network.latency",
            "network.loss",
            "system.pn-counter.gossip.interval",
            "system.pn-counter.gossip.mode"
        ]
    );
    let mut nodes = Vec::new();
    for seed in 0..200 {
        let plan = base.under(seed).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(plan.hash, base.hash);
        assert_eq!(plan.drawn, base.under(seed).expect("as before").drawn);
        nodes.push(plan.endpoints().replicas);
        let loss = drawn(&base, seed, "network.loss");
        let percent: f64 = loss.trim_matches(['"', '%']).parse().expect("a percentage");
        assert!((0.0..=10.0).contains(&percent), "{loss}");
    }
    nodes.sort_unstable();
    nodes.dedup();
    assert_eq!(nodes, [3, 4, 5, 6, 7]);
    assert_ne!(base.hash, plan(&SCENARIO.replace("[3, 7]", "[3, 8]")).hash);
}

#[test]
fn another_swarm_value_changes_no_draw() {
    let base = plan(SCENARIO);
    let without = plan(&SCENARIO.replace("{ swarm = [\"500ms\", \"1s\"] }", "\"1s\""));
    let with = plan(&SCENARIO.replace("rate = \"20/s\"", "rate = { swarm = [\"10/s\", \"30/s\"] }"));
    for seed in 0..50 {
        for key in ["cluster.nodes", "network.loss", "network.latency", "system.pn-counter.gossip.interval"] {
            let expected = drawn(&base, seed, key);
            assert_eq!(drawn(&without, seed, key), expected);
            assert_eq!(drawn(&with, seed, key), expected);
        }
    }
}

#[test]
fn choices_are_even_and_ranges_reach_their_ends() {
    let base = plan(&SCENARIO.replace("{ swarm = [\"0%\", \"10%\"] }", "{ swarm = [\"0%\", \"0.0002%\"] }"));
    let count = |key: &str, value: &str| (0..600).filter(|seed| drawn(&base, *seed, key) == value).count();
    for value in ["\"20ms\"", "\"5ms\"", "{ exponential = { mean = \"20ms\" } }"] {
        // Of 600 draws 200, six standard deviations of 11.5 around.
        assert!((131..269).contains(&count("network.latency", value)), "{value}");
    }
    for value in ["\"0%\"", "\"0.0001%\"", "\"0.0002%\""] {
        assert!((131..269).contains(&count("network.loss", value)), "{value}");
    }
}

#[test]
fn a_plain_scenario_has_one_plan() {
    let text = SCENARIO
        .replace("{ swarm = [3, 7] }", "5")
        .replace("{ swarm = { choice = [\"20ms\", { exponential = { mean = \"20ms\" } }, \"5ms\"] } }", "\"20ms\"")
        .replace("{ swarm = [\"0%\", \"10%\"] }", "\"1%\"")
        .replace("{ swarm = [\"500ms\", \"1s\"] }", "\"1s\"")
        .replace("{ swarm = [\"push\", \"push-pull\"] }", "\"push\"")
        .replace("{ swarm = [\"50ms\", \"200ms\"] }", "\"50ms\"");
    let plan = plan(&text);
    assert!(!plan.is_swarm());
    let under = plan.under(77).expect("the plan itself");
    assert!(std::ptr::eq(&raw const *under, &raw const plan));
}

#[test]
fn wrong_swarm_values_are_refused_at_their_place() {
    for (from, to, place, message) in [
        ("[3, 7]", "[3]", "swarmed.toml:3:31", "two values or more"),
        ("[3, 7]", "7", "swarmed.toml:3:31", "drawn from a list"),
        ("[3, 7]", "[7, 3]", "swarmed.toml:3:31", "a range goes up"),
        ("[3, 7]", "[3, 7], also = 1", "swarmed.toml:3:39", "no other keys"),
        ("[3, 7]", "[3, { swarm = [4, 5] }]", "swarmed.toml:3:35", "cannot hold another"),
        ("[3, 7]", "{ choices = [3, 7] }", "swarmed.toml:3:31", "drawn from a list"),
        ("\"swarmed\"", "{ swarm = [\"a\", \"b\"] }", "swarmed.toml:2:8", "the same for every seed"),
        ("[3, 7]", "[\"three\", \"seven\"]", "swarmed.toml:3:", "invalid type"),
    ] {
        assert!(SCENARIO.contains(from), "{from}");
        let errors = parse("swarmed.toml", &SCENARIO.replacen(from, to, 1), &[]).expect_err(to).to_string();
        assert!(errors.contains(place) && errors.contains(message), "{to}: {errors}");
    }
}

/// Systems may be called `swarm`, and expectations are found by that name.
#[test]
fn a_system_may_be_called_swarm() {
    let text = SCENARIO.replace("pn-counter]", "swarm]").replace("name = \"pn-counter\"", "name = \"swarm\"");
    let plan = plan(&text);
    assert_eq!(plan.expectations.keys().collect::<Vec<_>>(), ["swarm"]);
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        fs::write(place.path("swarmed.toml"), SCENARIO).expect("a scenario");
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

    /// The rows of a sweep.
    fn sweep(&self, out: &str, options: &[&str]) -> String {
        let output = self.sim(&[&["sweep", "swarmed.toml", "--quiet", "--out", out], options].concat());
        // Some draws put nothing to the test.
        assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
        let entries = fs::read_dir(self.path(out)).expect("a directory").map(|entry| entry.expect("an entry").path());
        let mut rows: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).collect();
        assert_eq!(rows.len(), 1, "{rows:?}");
        fs::read_to_string(rows.remove(0)).expect("rows")
    }
}

/// The fingerprints of a run of all systems.
fn fingerprints(place: &Place, file: &str, seed: &str) -> Vec<String> {
    let output = place.sim(&["run", file, "--seed", seed, "--json", "--no-files", "--quiet"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let systems = report["systems"].as_array().expect("systems");
    systems.iter().map(|system| system["fingerprint"].as_str().expect("a fingerprint").to_owned()).collect()
}

#[test]
fn a_sweep_draws_what_a_run_draws_for_any_number_of_threads() {
    let place = Place::new();
    let rows = place.sweep("one", &["--seeds", "0..30", "--jobs", "1"]);
    assert_eq!(place.sweep("four", &["--seeds", "0..30", "--jobs", "4"]), rows);
    for seed in ["0", "7", "29"] {
        let expected = fingerprints(&place, "swarmed.toml", seed);
        assert_eq!(expected.len(), 2);
        for fingerprint in expected {
            assert!(rows.contains(&format!("\"seed\":{seed},")) && rows.contains(&fingerprint), "{seed}");
        }
    }
}

#[test]
fn the_printed_scenario_runs_the_same() {
    let place = Place::new();
    for seed in ["3", "12"] {
        let output = place.sim(&["run", "swarmed.toml", "--seed", seed, "--print-scenario"]);
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && text.starts_with("# Which drawn cluster breaks?"), "{text}");
        assert!(!text.contains("swarm =") && text.contains(&format!("seed = {seed}")), "{text}");
        fs::write(place.path("resolved.toml"), &text).expect("a file");
        assert_eq!(fingerprints(&place, "resolved.toml", seed), fingerprints(&place, "swarmed.toml", seed));
    }
    let said = place.sim(&["run", "swarmed.toml", "--seed", "3", "--no-files"]).stderr;
    assert!(String::from_utf8_lossy(&said).contains("drawn under seed 3: cluster.nodes = "));
}

#[test]
fn a_seed_that_draws_nonsense_is_named_before_anything_runs() {
    let place = Place::new();
    let text = SCENARIO.replace("partition = \"halves\"", "partition = [[\"n1\"], [\"n5\"]]");
    fs::write(place.path("swarmed.toml"), text).expect("a scenario");
    let output = place.sim(&["sweep", "swarmed.toml", "--seeds", "0..40", "--out", "out"]);
    let said = String::from_utf8_lossy(&output.stderr);
    // With three or four replicas there is no n5.
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("n5"), "{said}");
    assert!(!place.path("out").exists() || fs::read_dir(place.path("out")).expect("a directory").next().is_none());
}
