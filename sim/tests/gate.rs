//! Gates: what got slower is caught, and nothing else is.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;
use sim::engine::{
    gate::{Baseline, GateOptions, METRICS, compare, correct, rows},
    sweep::Seeds,
};

fn scenario(interval_ms: u32) -> String {
    format!(
        r#"
name = "gated"
cluster = {{ nodes = 5 }}
network = {{ latency = {{ exponential = {{ mean = "20ms" }} }}, loss = "2%" }}
workload = {{ object = "counter", clients = 5, rate = "20/s", duration = "3s", quiet = "5s" }}

[[system]]
name = "pn-counter"
gossip = {{ crdt = "pn-counter", interval = "{interval_ms}ms", jitter = "{}ms" }}

[expect.pn-counter]
converges = true
"#,
        interval_ms / 10
    )
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        fs::write(place.path("gated.toml"), scenario(100)).expect("a scenario");
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

    fn baseline(&self, seeds: &str) {
        let output = self.sim(&["baseline", "gated.toml", "--seeds", seeds]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Another scenario, under a baseline that takes it for the same: as if the code had changed.
    fn change(&self, text: &str) {
        fs::write(self.path("gated.toml"), text).expect("a scenario");
        let output = self.sim(&["run", "gated.toml", "--json", "--no-files"]);
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let path = self.path("reports/baselines/gated.json");
        let mut baseline = Baseline::parse(&fs::read_to_string(&path).expect("a baseline")).expect("well-formed");
        report["scenario_hash"].as_str().expect("a hash").clone_into(&mut baseline.scenario_hash);
        fs::write(&path, baseline.render()).expect("a baseline");
    }
}

#[test]
fn a_gossip_that_is_a_fifth_slower_is_caught() {
    let place = Place::new();
    place.baseline("0..200");
    let unchanged = place.sim(&["gate", "--json"]);
    let report: Value = serde_json::from_slice(&unchanged.stdout).expect("a report");
    assert_eq!(unchanged.status.code(), Some(0));
    assert_eq!((&report["scenarios"][0]["changed_runs"], &report["scenarios"][0]["runs"]), (&0.into(), &200.into()));
    assert_eq!(report["scenarios"][0]["changes"], Value::Array(vec![]));

    place.change(&scenario(120));
    let slower = place.sim(&["gate", "--json"]);
    assert_eq!(slower.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&slower.stdout).expect("a report");
    let changes = report["scenarios"][0]["changes"].as_array().expect("changes");
    let change = |metric: &str| {
        let found = changes.iter().find(|change| change["metric"] == metric);
        found.unwrap_or_else(|| panic!("{metric} changed: {changes:#?}"))
    };
    assert_eq!(change("convergence_time_ns")["change"], "regression");
    assert_eq!(change("messages")["change"], "improvement", "slower gossip sends less");
    let low = change("convergence_time_ns")["relative_ppm_low"].as_i64().expect("finite");
    assert!(low > 10_000, "the interval excludes a hundredth: {low}");
    for file in ["gate.txt", "gate.md", "gate.json", "gate.junit.xml"] {
        let text = fs::read_to_string(place.path("reports/latest").join(file)).expect("a report");
        assert!(text.contains("convergence_time_ns"), "{file}: {text}");
    }
}

#[test]
fn a_hundred_gates_of_unchanged_code_raise_no_alarm() {
    let plan = sim::scenario::parse("gated.toml", &scenario(100), &[]).expect("a scenario");
    let seeds = Seeds::parse("0..20").expect("seeds");
    let baseline = Baseline::of(&rows(&plan, seeds), "gated.toml", seeds);
    let baseline = Baseline::parse(&baseline.render()).expect("what is written is read");
    for _ in 0..100 {
        let mut comparisons = vec![compare(&baseline, &rows(&plan, seeds))];
        correct(&mut comparisons, &GateOptions::default(), METRICS.len());
        assert_eq!(comparisons[0].changed_runs, 0);
        assert!(comparisons[0].changes.is_empty() && comparisons[0].new_failures.is_empty());
    }
}

#[test]
fn a_seed_that_fails_now_is_a_finding_whatever_the_statistics_say() {
    let place = Place::new();
    place.baseline("0..30");
    let text = scenario(100).replace("converges = true", "converges = true\nlost_updates = \"> 0\"");
    place.change(&text);
    let output = place.sim(&["gate"]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("BROKEN  pn-counter: lost_updates > 0 (30 runs)"), "{shown}");
    assert!(shown.contains("reproduce: sim run gated.toml --seed 0 --system pn-counter"), "{shown}");
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_to_do() {
    let place = Place::new();
    let refused = |exit: i32, reason: &str| {
        let output = place.sim(&["gate"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(said.contains(reason), "{said}");
    };
    refused(3, "write one with `sim baseline SCENARIO`");
    place.baseline("0..3");
    fs::write(place.path("gated.toml"), scenario(130)).expect("a scenario");
    refused(2, "write it again: sim baseline gated.toml --out reports/baselines/gated.json");
    let path = place.path("reports/baselines/gated.json");
    let text = fs::read_to_string(&path).expect("a baseline");
    fs::write(&path, &text[..text.len() / 2]).expect("half of it");
    refused(2, "this is no baseline");
    fs::write(&path, text.replace("\"schema\": 1", "\"schema\": 9")).expect("another form");
    refused(2, "its form is version 9, and this is 1");
    fs::write(&path, text.replacen("\"pp", "\"p", 1)).expect("a letter less");
    refused(2, "has not one value for each of 3 seeds");
}

#[test]
fn what_a_gate_tolerates_is_no_part_of_the_scenario() {
    let place = Place::new();
    place.baseline("0..5");
    let tolerant = format!("{}\n[gate]\nmin_effect = \"50%\"\nlevel = \"0.1%\"\nseeds = 7\n", scenario(100));
    fs::write(place.path("gated.toml"), tolerant).expect("a scenario");
    assert_eq!(place.sim(&["gate"]).status.code(), Some(0));
}

#[test]
fn the_summary_of_a_job_gets_the_report() {
    let place = Place::new();
    place.baseline("0..5");
    let summary = place.path("summary.md");
    fs::write(&summary, "before\n").expect("a summary");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let status = command.current_dir(place.0.path()).arg("gate").env("GITHUB_STEP_SUMMARY", &summary).output();
    assert!(status.expect("the program runs").status.success());
    let text = fs::read_to_string(&summary).expect("a summary");
    assert!(text.starts_with("before\n# Convergence gate: pass\n"), "{text}");
}
