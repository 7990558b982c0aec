//! Sweeps: the same bytes for any number of threads, in shards, killed and resumed, damaged and mended.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const SCENARIO: &str = r#"
name = "swept"
cluster = { nodes = 3 }
network = { latency = { exponential = { mean = "20ms" } }, loss = "5%" }
workload = { object = "counter", clients = 3, rate = "20/s", duration = "3s", quiet = "3s" }

[[fault]]
at = "1s"
for = "1s"
partition = "halves"

[[system]]
name = "naive"
naive = {}

[[system]]
name = "pn-counter"
gossip = { crdt = "pn-counter" }

[expect.naive]
lost_updates = 0

[expect.pn-counter]
converges = true
lost_updates = 0
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        fs::write(place.path("swept.toml"), SCENARIO).expect("a scenario");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.current_dir(self.0.path()).args(arguments).env_remove("GITHUB_STEP_SUMMARY");
        command
    }

    fn sim(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// Sweeps into a directory, and returns its rows.
    fn sweep(&self, out: &str, options: &[&str]) -> String {
        let output = self.sim(&[&["sweep", "swept.toml", "--quiet", "--out", out], options].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{options:?}: {said}");
        fs::read_to_string(self.rows(out)).expect("rows")
    }

    /// The file of rows in a directory.
    fn rows(&self, out: &str) -> PathBuf {
        let entries = fs::read_dir(self.path(out)).expect("a directory").map(|entry| entry.expect("an entry").path());
        let mut rows: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).collect();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn rows_do_not_depend_on_threads_or_shards() {
    let place = Place::new();
    let whole = place.sweep("one", &["--seeds", "5..65", "--jobs", "1"]);
    assert_eq!(whole.lines().count(), 1 + 60 * 2);
    assert_eq!(place.sweep("four", &["--seeds", "5..65", "--jobs", "4"]), whole);
    let reports = ["sweep.txt", "sweep.md", "sweep.json", "sweep.csv"];
    for report in reports {
        assert_eq!(text(&place.path("one").join(report)), text(&place.path("four").join(report)), "{report}");
    }
    for shard in ["1/3", "2/3", "3/3"] {
        place.sweep(&shard.replace('/', "-"), &["--seeds", "5..65", "--shard", shard]);
    }
    let merged = place.path("merged.jsonl");
    // In any order, and one of them twice.
    let shards = ["3-3", "1-3", "2-3", "1-3"].map(|shard| place.rows(shard));
    let mut merge = place.command(&["merge", "--out", "merged.jsonl"]);
    merge.args(["--reports", "joined", "--scenario", "swept.toml"]).args(&shards);
    merge.stdout(std::process::Stdio::null());
    // As of the sweep, the verdict is that runs failed.
    assert_eq!(merge.status().expect("the program runs").code(), Some(1));
    assert_eq!(text(&merged), whole);
    for report in reports.into_iter().chain(["sweep.html", "sweep.junit.xml"]) {
        assert_eq!(text(&place.path("joined").join(report)), text(&place.path("one").join(report)), "{report}");
    }
}

#[test]
fn a_killed_sweep_goes_on_where_it_was() {
    let place = Place::new();
    let options = ["--seeds", "0..400", "--jobs", "2"];
    let whole = place.sweep("whole", &options);
    let mut child = place
        .command(&[&["sweep", "swept.toml", "--quiet", "--out", "killed"], &options[..]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let written = || {
        let entries = fs::read_dir(place.path("killed")).ok()?;
        let rows = entries.flatten().find(|entry| entry.path().extension().is_some_and(|it| it == "jsonl"))?;
        Some(fs::read_to_string(rows.path()).ok()?.lines().count())
    };
    while written().unwrap_or(0) < 100 && child.try_wait().expect("a child").is_none() {
        std::thread::yield_now();
    }
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    let before = written().expect("rows");
    assert!(before >= 100, "{before}");
    let output = place.sim(&[&["sweep", "swept.toml", "--out", "killed"], &options[..]].concat());
    assert_eq!(text(&place.rows("killed")), whole);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("runs were there already") || before > 800, "{said}");
}

#[test]
fn what_is_damaged_is_made_again_and_the_rest_is_kept() {
    let place = Place::new();
    let options = ["--seeds", "0..30"];
    let whole = place.sweep("out", &options);
    let path = place.rows("out");
    let damages: [fn(&mut Vec<u8>); 4] = [
        // A digit in the middle, a cut at the end, a line that is gone, and bytes that are no text.
        |bytes| {
            let at = bytes.len() / 2;
            bytes[at] = bytes[at].wrapping_add(1);
        },
        |bytes| bytes.truncate(bytes.len() - 100),
        |bytes| {
            let from = bytes.len() / 3;
            let end = from + bytes[from..].iter().position(|byte| *byte == b'\n').expect("a line") + 1;
            let next = end + bytes[end..].iter().position(|byte| *byte == b'\n').expect("a line") + 1;
            bytes.drain(end..next);
        },
        |bytes| bytes.extend_from_slice(b"\xff\xfe\x00 what?\n"),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut bytes = whole.clone().into_bytes();
        damage(&mut bytes);
        fs::write(&path, &bytes).expect("damage");
        assert_eq!(place.sweep("out", &options), whole, "damage {number}");
    }
    // A damaged file can be merged as far as it is whole, which is said.
    let mut bytes = whole.into_bytes();
    let end = bytes.len() - 10;
    bytes.truncate(end);
    fs::write(&path, &bytes).expect("damage");
    let output = place.sim(&["merge", &path.to_string_lossy(), "--out", "merged.jsonl"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&place.path("merged.jsonl")).lines().count(), 1 + 59);
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_that_loses_nothing() {
    let place = Place::new();
    let options = "--seeds 0..100 --jobs 2";
    let whole = place.sweep("whole", &options.split(' ').collect::<Vec<_>>());
    // A limit on the size of files stands for a disk that is full: the write fails in the same way.
    let script = format!(
        "trap '' XFSZ; ulimit -f 40; exec '{}' sweep swept.toml --quiet --out full {options}",
        env!("CARGO_BIN_EXE_sim")
    );
    let output = Command::new("bash").args(["-c", &script]).current_dir(place.0.path()).output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(70), "{said}");
    assert!(said.contains("all rows so far are kept, and the same command goes on"), "{said}");
    assert!(text(&place.rows("full")).lines().count() > 20);
    assert_eq!(place.sweep("full", &options.split(' ').collect::<Vec<_>>()), whole);
}

#[test]
fn failures_are_clustered_with_a_line_to_copy() {
    let place = Place::new();
    let output = place.sim(&["sweep", "swept.toml", "--seeds", "0..40", "--json", "--quiet"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["verdict"], "fail");
    let failure = &report["failures"][0];
    assert_eq!(failure["failure"], "naive: lost_updates = 0");
    let line = failure["reproduce"].as_str().expect("a line");
    let seed = failure["seed"].as_u64().expect("a seed");
    assert_eq!(line, format!("sim run swept.toml --seed {seed} --system naive"));
    let arguments: Vec<&str> = line.split(' ').skip(1).chain(["--no-files", "--quiet"]).collect();
    assert_eq!(place.sim(&arguments).status.code(), Some(1), "what is to be copied shows the failure");
    let crdt = &report["systems"][1];
    assert_eq!((&crdt["runs"], &crdt["fail"], &crdt["converged"]), (&40.into(), &0.into(), &40.into()));
    // Zero failures in 40 runs: at most 1 - 0.05^(1/40), about 3/40.
    assert_eq!(crdt["fail_ppm_max"], 72_158);
}

#[test]
fn a_sweep_stops_early_when_it_is_told_to() {
    let place = Place::new();
    let stopped = |options: &[&str]| {
        let out = format!("stopped{}", options.join(""));
        let output = place.sim(&[&["sweep", "swept.toml", "--seeds", "0..2000", "--out", &out], options].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("the same command goes on"), "{options:?}: {said}");
        (output.status.code(), text(&place.rows(&out)).lines().count())
    };
    let (exit, lines) = stopped(&["--fail-fast"]);
    assert_eq!(exit, Some(1));
    assert!(lines < 500, "{lines}");
    assert_eq!(stopped(&["--system", "pn-counter", "--time-budget", "1ms"]).0, Some(3));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let place = Place::new();
    let refused = |arguments: &[&str], reason: &str| {
        let output = place.sim(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(reason), "{arguments:?}: {said}");
    };
    refused(&["sweep", "swept.toml", "--seeds", "9..3"], "there is no seed in 9..3");
    refused(&["sweep", "swept.toml", "--seeds", "3..3"], "there is no seed in 3..3");
    refused(&["sweep", "swept.toml", "--shard", "4/3"], "shards are 1/3 to 3/3");
    refused(&["sweep", "swept.toml", "--time-budget", "soon"], "soon");
    refused(&["sweep", "swept.toml", "--system", "niave"], "naive");
    refused(&["merge", "swept.toml", "--out", "x"], "is no store of rows");
    refused(&["merge", "missing.jsonl", "--out", "x"], "missing.jsonl");
    place.sweep("one", &["--seeds", "0..2"]);
    fs::write(place.path("other.toml"), SCENARIO.replace("20ms", "30ms")).expect("another scenario");
    place.sim(&["sweep", "other.toml", "--seeds", "0..2", "--quiet", "--out", "two"]);
    let (one, two) = (place.rows("one"), place.rows("two"));
    refused(&["merge", &one.to_string_lossy(), &two.to_string_lossy(), "--out", "x"], "and not of swept with hash");
}

#[test]
fn two_rows_of_one_run_that_differ_are_a_finding() {
    let place = Place::new();
    place.sweep("one", &["--seeds", "0..2"]);
    let path = place.rows("one");
    let header = text(&path).lines().next().expect("a header").to_owned();
    place.sweep("two", &["--seeds", "2..4"]);
    // A row of another seed under a seed that is there: sealed as `sim` does it, with a fingerprint that cannot be.
    let row = text(&place.rows("two")).lines().nth(1).expect("a row").replace("\"seed\":2", "\"seed\":0");
    let object = row.rsplit_once(",\"sum\":").expect("a checksum").0.to_owned() + "}";
    let mut sum = blake3::hash(object.as_bytes()).to_hex().to_string();
    sum.truncate(8);
    let forged = format!("{header}\n{},\"sum\":\"{sum}\"}}\n", object.trim_end_matches('}'));
    fs::write(place.path("forged.jsonl"), forged).expect("a file");
    let output = place.sim(&["merge", &path.to_string_lossy(), "forged.jsonl", "--out", "x.jsonl"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("two runs of naive under seed 0 are not the same"), "{said}");
}
