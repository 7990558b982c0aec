//! The program as its users start it: what goes to which stream, which files appear, and how it ends.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Stdio,
};

use assert_cmd::{Command, assert::Assert};
use serde_json::Value;
use tempfile::TempDir;

/// A scenario whose only expectation does not hold.
const FAILING: &str = r#"name = "failing"
cluster = { nodes = 3 }
workload = { object = "counter", clients = 2, rate = "10/s", duration = "5s" }
system = [{ name = "naive", naive = {} }, { name = "gossip", gossip = { crdt = "pn-counter" } }]
[expect.naive]
lost_updates = "> 100"
"#;

fn scenario(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name).display().to_string()
}

/// The program, in an empty directory of its own and without settings from outside.
struct Shell {
    place: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { place: tempfile::tempdir().expect("a temporary directory") }
    }

    fn command(&self) -> Command {
        let mut command = Command::cargo_bin("sim").expect("the program");
        command
            .current_dir(self.place.path())
            .env_remove("RUST_LOG")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE");
        command
    }

    fn run(&self, arguments: &[&str]) -> Assert {
        self.command().args(arguments).assert()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.place.path().join(name), text).expect("a file in a temporary directory");
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.place.path().join(folder)).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
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

fn system_names(report: &Value) -> Vec<&str> {
    report["systems"]
        .as_array()
        .expect("systems")
        .iter()
        .map(|system| system["name"].as_str().expect("a name"))
        .collect()
}

/// What a run leaves behind.
const REPORTS: [&str; 7] =
    ["report.html", "report.json", "report.junit.xml", "report.md", "report.svg", "report.txt", "verdict.json"];

#[test]
fn run_shows_a_table_of_at_most_a_hundred_columns_and_writes_the_files() {
    let shell = Shell::new();
    let run = shell.run(&["run", &scenario("partition.toml")]).success();
    let table = stdout(&run);
    assert!(table.starts_with("partition, seed 1: pass\n"), "{table}");
    for line in table.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for said in
        ["naive", "occ", "pn-counter", "lost updates", "time to converge", "AGREEMENT OVER TIME", "FINGERPRINTS"]
    {
        assert!(table.contains(said), "{said}");
    }
    assert_eq!(shell.files("reports/latest"), REPORTS);
    assert!(stderr(&run).contains("reports/latest"));
    let kept = fs::read_to_string(shell.place.path().join("reports/latest/report.txt")).expect("the table as a file");
    assert!(kept.contains("partition, seed 1: pass"));
}

#[test]
fn files_go_where_they_are_wanted_or_nowhere() {
    let shell = Shell::new();
    shell.run(&["run", &scenario("one-way.toml"), "--out", "here/and/there"]).success();
    assert_eq!(shell.files("here/and/there"), REPORTS);
    assert_eq!(shell.files("."), ["here"]);
    let verdict = fs::read_to_string(shell.place.path().join("here/and/there/verdict.json")).expect("the verdict");
    let verdict: Value = serde_json::from_str(&verdict).expect("the verdict is JSON");
    assert_eq!((&verdict["verdict"], &verdict["seed"]), (&"pass".into(), &1.into()));

    let other = Shell::new();
    other.run(&["run", &scenario("one-way.toml"), "--no-files"]).success();
    assert!(other.files(".").is_empty());
    other.run(&["run", &scenario("one-way.toml"), "--no-files", "--out", "x"]).code(2);
}

#[test]
fn the_json_report_is_the_file_and_keeps_to_its_schema() {
    let shell = Shell::new();
    let schema: Value = json(&shell.run(&["schema", "report"]).success());
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for name in ["partition.toml", "churn.toml", "store-outage.toml"] {
        let run = shell.run(&["run", &scenario(name), "--json", "--out", "out"]).success();
        let report = json(&run);
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let kept = fs::read_to_string(shell.place.path().join("out/report.json")).expect("the report as a file");
        assert_eq!(kept, stdout(&run));
    }
}

#[test]
fn equal_runs_print_equal_bytes() {
    let shell = Shell::new();
    let once = || stdout(&shell.run(&["run", &scenario("churn.toml"), "--json", "--no-files"]).success());
    assert_eq!(once(), once());
}

#[test]
fn twice_says_that_the_second_run_was_the_same() {
    let shell = Shell::new();
    let run = shell.run(&["run", &scenario("partition.toml"), "--no-files", "--twice"]).success();
    assert!(stderr(&run).contains("the second run was the same, event by event"));
    let quiet = shell.run(&["run", &scenario("partition.toml"), "--no-files", "--twice", "--quiet"]).success();
    assert_eq!(stderr(&quiet), "");
}

#[test]
fn systems_are_chosen_and_an_unknown_one_is_met_with_a_suggestion() {
    let shell = Shell::new();
    let file = scenario("partition.toml");
    let chosen = ["run", &file, "--json", "--no-files", "--system", "pn-counter", "--system", "naive"];
    let report = json(&shell.run(&chosen).success());
    assert_eq!(system_names(&report), ["naive", "pn-counter"], "in the order of the file");
    let unknown = shell.run(&["run", &file, "--system", "pn-conter"]).code(2);
    assert_eq!(stderr(&unknown), "error: there is no system `pn-conter` in `partition`: did you mean `pn-counter`?\n");
    assert_eq!(stdout(&unknown), "");
}

#[test]
fn a_system_runs_the_same_alone() {
    let shell = Shell::new();
    let file = scenario("partition.toml");
    let all = json(&shell.run(&["run", &file, "--json", "--no-files"]).success());
    let alone = json(&shell.run(&["run", &file, "--json", "--no-files", "--system", "occ"]).success());
    assert_eq!(all["systems"][1], alone["systems"][0]);
}

#[test]
fn settings_change_the_scenario_and_its_hash() {
    let shell = Shell::new();
    let file = scenario("lossy.toml");
    let run = |more: &[&str]| {
        let mut arguments = vec!["run", &file, "--json", "--no-files", "--system", "gossip-state"];
        arguments.extend(more);
        json(&shell.run(&arguments))
    };
    let (plain, set) =
        (run(&[]), run(&["--set", "workload.duration=10s", "--set", "system.gossip-state.gossip.fanout=3"]));
    assert_ne!(plain["scenario_hash"], set["scenario_hash"]);
    assert!(set["horizon_ns"].as_u64() < plain["horizon_ns"].as_u64());
    let reproduce = set["reproduce"].as_str().expect("a line");
    assert!(
        reproduce.ends_with(
            "--seed 1 --set workload.duration=10s --set system.gossip-state.gossip.fanout=3 --system gossip-state"
        ),
        "{reproduce}"
    );
}

#[test]
fn seeds_are_decimal_or_hexadecimal_and_change_the_run() {
    let shell = Shell::new();
    let file = scenario("one-way.toml");
    let run = |seed: &str| json(&shell.run(&["run", &file, "--json", "--no-files", "--seed", seed]));
    let (decimal, hexadecimal, other) = (run("255"), run("0xff"), run("256"));
    assert_eq!(decimal, hexadecimal);
    assert_eq!(decimal["seed"], 255);
    assert_ne!(decimal["systems"][0]["fingerprint"], other["systems"][0]["fingerprint"]);
    let wrong = shell.run(&["run", &file, "--seed", "ten"]).code(2);
    assert!(stderr(&wrong).contains("a seed is a number from 0 to 18446744073709551615"));
}

#[test]
fn a_finding_ends_with_one_and_a_line_that_reproduces_it() {
    let shell = Shell::new();
    shell.write("my scenario.toml", FAILING);
    let run =
        shell.run(&["run", "my scenario.toml", "--no-files", "--set", "workload.rate=12/s", "--seed", "9"]).code(1);
    assert!(stdout(&run).contains("FAIL"));
    let line = "sim run 'my scenario.toml' --seed 9 --set workload.rate=12/s";
    assert_eq!(stderr(&run), format!("reproduce: {line}\n"));
    // The line gives the same again.
    let again =
        shell.run(&["run", "my scenario.toml", "--seed", "9", "--set", "workload.rate=12/s", "--no-files"]).code(1);
    assert_eq!(stdout(&again), stdout(&run));
}

#[test]
fn a_scenario_can_come_from_standard_input() {
    let shell = Shell::new();
    let run = shell.command().args(["run", "-", "--no-files", "--json"]).write_stdin(FAILING).assert().code(1);
    assert_eq!(json(&run)["scenario"], "failing");
    let wrong = shell.command().args(["run", "-", "--no-files"]).write_stdin("name = 1").assert().code(2);
    assert!(stderr(&wrong).contains("<stdin>:1:8"), "{}", stderr(&wrong));
}

#[test]
fn a_trace_is_the_same_bytes_every_time() {
    let shell = Shell::new();
    let file = scenario("partition.toml");
    let trace = || shell.run(&["trace", &file, "--system", "occ", "--seed", "3"]).success().get_output().stdout.clone();
    let (one, other) = (trace(), trace());
    assert!(one.len() > 100_000);
    assert!(one == other, "two traces of one seed differ");
}

#[test]
fn a_trace_has_every_event_with_its_cause_and_the_fingerprint_of_the_run() {
    let shell = Shell::new();
    let file = scenario("partition.toml");
    let report = json(&shell.run(&["run", &file, "--json", "--no-files", "--system", "pn-counter"]).success());
    let trace = stdout(&shell.run(&["trace", &file, "--system", "pn-counter"]).success());
    let events: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len() as u64, report["systems"][0]["events"].as_u64().expect("a number"));
    assert_eq!(events.last().expect("events")["fingerprint"], report["systems"][0]["fingerprint"]);
    let mut last = (0, 0);
    for event in &events {
        let here = (event["t_ns"].as_u64().expect("a time"), event["id"].as_u64().expect("an id"));
        assert!(here > last || last == (0, 0), "events are in the order of time and id");
        last = here;
        if let Some(cause) = event["cause"].as_u64() {
            assert!(cause < here.1, "causes come before their effects");
        }
    }
    let kinds: Vec<&str> = events.iter().map(|event| event["kind"].as_str().expect("a kind")).collect();
    for kind in ["invoke", "request", "answer", "timer", "fault", "heal", "final_reads"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let readers: Vec<&Value> = events.iter().filter(|event| event["from"] == "reader").collect();
    assert_eq!(readers.len(), 5, "every replica is read once more at the end");
}

#[test]
fn a_trace_can_be_narrowed() {
    let shell = Shell::new();
    let file = scenario("partition.toml");
    let trace = stdout(&shell.run(&["trace", &file, "--system", "naive", "--node", "n2", "--until", "5.2s"]).success());
    let events: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(events.len() > 50);
    for event in &events {
        assert!(event["node"] == "n2" || event["from"] == "n2", "{event}");
        assert!(event["t_ns"].as_u64().expect("a time") <= 5_200_000_000);
    }
    assert!(events.last().expect("events")["t_ns"].as_u64() > Some(5_000_000_000));
    let unknown = shell.run(&["trace", &file, "--system", "naive", "--node", "n6"]).code(2);
    assert!(stderr(&unknown).starts_with("error: there is no endpoint `n6`: did you mean `n"), "{}", stderr(&unknown));
    let several = shell.run(&["trace", &file]).code(2);
    assert_eq!(stderr(&several), "error: name one system with --system: naive, occ, pn-counter\n");
    shell.run(&["trace", &file, "--system", "naive", "--until", "soon"]).code(2);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for arguments in [
        vec!["trace".to_owned(), scenario("partition.toml"), "--system".to_owned(), "occ".to_owned()],
        vec!["schema".to_owned()],
    ] {
        let program = assert_cmd::cargo::cargo_bin("sim");
        let mut child = std::process::Command::new(program)
            .args(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut first = String::new();
        let mut out = BufReader::with_capacity(64, child.stdout.take().expect("a pipe"));
        out.read_line(&mut first).expect("a line");
        drop(out);
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert!(child.wait().expect("an end").success(), "{said}");
        assert_eq!(said, "");
        assert!(first.starts_with('{'));
    }
}

#[test]
fn list_names_what_scenarios_can_name() {
    let shell = Shell::new();
    let page = stdout(&shell.run(&["list"]).success());
    insta::assert_snapshot!("list", page);
    let list = json(&shell.run(&["list", "--json"]).success());
    for kind in list.as_array().expect("kinds") {
        for entry in kind["entries"].as_array().expect("entries") {
            for text in [&entry["name"], &entry["doc"]] {
                assert!(page.contains(text.as_str().expect("text")), "{entry}");
            }
        }
    }
    let stores = stdout(&shell.run(&["list", "stores"]).success());
    assert!(stores.contains("lin-kv") && !stores.contains("pn-counter"));
    let unknown = shell.run(&["list", "stors"]).code(2);
    assert!(stderr(&unknown).contains("did you mean `stores`?"));
}

#[test]
fn the_scenarios_of_the_repository_keep_to_the_published_schema() {
    let shell = Shell::new();
    let schema = json(&shell.run(&["schema"]).success());
    assert_eq!(schema, json(&shell.run(&["schema", "scenario"]).success()));
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for entry in fs::read_dir(scenario("")).expect("the folder of scenarios") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).expect("a scenario");
            let document: toml::Value = toml::from_str(&text).expect("TOML");
            let document = serde_json::to_value(document).expect("JSON");
            let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
    }
    let published = fs::read_to_string(scenario("scenario.schema.json")).expect("the committed schema");
    assert_eq!(published, stdout(&shell.run(&["schema"]).success()), "scenarios/scenario.schema.json is out of date");
}

#[test]
fn completions_exist_for_the_usual_shells() {
    let shell = Shell::new();
    for (name, sign) in [("bash", "complete -F _sim"), ("zsh", "#compdef sim"), ("fish", "complete -c sim")] {
        let script = stdout(&shell.run(&["completions", name]).success());
        assert!(script.contains(sign), "{name}");
        assert!(script.contains("selftest") && script.contains("no-files"), "{name}");
    }
    shell.run(&["completions", "tcsh"]).code(2);
}

#[test]
fn the_manual_page_names_every_subcommand() {
    let page = stdout(&Shell::new().run(&["man"]).success());
    assert!(page.contains(".TH sim 1"));
    for subcommand in ["run", "trace", "selftest", "list", "schema", "completions", "man"] {
        assert!(page.contains(&format!("sim\\-{subcommand}(1)")), "{subcommand}");
    }
}

#[test]
fn the_self_test_passes() {
    let run = Shell::new().run(&["selftest"]).success();
    let page = stdout(&run);
    assert!(page.lines().count() >= 4, "{page}");
    assert!(page.lines().all(|line| line.ends_with(" ok")), "{page}");
}

#[test]
fn colours_come_when_asked_for_and_never_into_a_pipe_unasked() {
    let shell = Shell::new();
    let file = scenario("one-way.toml");
    let run = |more: &[&str], variable: Option<(&str, &str)>| {
        let mut command = shell.command();
        command.args(["run", &file, "--no-files"]).args(more);
        if let Some((name, value)) = variable {
            command.env(name, value);
        }
        stdout(&command.assert().success())
    };
    let plain = run(&[], None);
    assert!(!plain.contains('\x1b'));
    assert!(run(&["--color", "always"], None).contains('\x1b'));
    assert_eq!(run(&["--color", "never"], None), plain);
    assert_eq!(run(&["--color", "auto"], Some(("NO_COLOR", "1"))), plain);
    assert!(run(&["--ascii"], None).is_ascii());
}

#[test]
fn log_lines_carry_virtual_time_and_node() {
    let shell = Shell::new();
    let file = scenario("one-way.toml");
    let run = |more: &[&str], filter: Option<&str>| {
        let mut command = shell.command();
        command.args(["run", &file, "--no-files", "--system", "pull"]).args(more);
        if let Some(filter) = filter {
            command.env("RUST_LOG", filter);
        }
        stderr(&command.assert().success())
    };
    assert_eq!(run(&[], None), "");
    let faults = "            4s     -  INFO run{system=\"pull\"}: begins fault=partition at 4s
           16s     -  INFO run{system=\"pull\"}: is healed fault=partition at 4s
";
    assert_eq!(run(&["-v"], None), faults);
    assert_eq!(run(&[], Some("info")), faults);
    let operations = run(&["-vv"], None);
    let invoked: Vec<&str> = operations.lines().filter(|line| line.contains("invoked")).collect();
    assert!(invoked.len() > 1000);
    for line in &invoked {
        let mut words = line.split_whitespace();
        let (time, node) = (words.next().expect("a time"), words.next().expect("a node"));
        assert!(time.ends_with('s') && time.starts_with(|c: char| c.is_ascii_digit()), "{line}");
        assert!(node.starts_with('n') && node[1..].parse::<u32>().is_ok_and(|node| (1..=5).contains(&node)), "{line}");
    }
    assert_eq!(operations, run(&["-vv"], None), "equal runs log equal lines");
}

#[test]
fn wrong_command_lines_end_with_two() {
    let shell = Shell::new();
    for arguments in [&[][..], &["frobnicate"], &["run"], &["run", "a", "b"], &["run", "a", "--seed"], &["schema", "x"]]
    {
        shell.run(arguments).code(2);
    }
    let missing = shell.run(&["run", "missing.toml"]).code(2);
    assert!(stderr(&missing).contains("cannot read missing.toml"));
    shell.run(&["run", "."]).code(2);
    shell.run(&["--version"]).success().stdout("sim 0.1.0\n");
    assert!(stdout(&shell.run(&["help"]).success()).contains("Exit codes"));
}

#[test]
fn inconclusive_ends_with_three() {
    let shell = Shell::new();
    let run = shell.run(&["run", &scenario("partition.toml"), "--no-files", "--set", "limits.events=1000"]).code(3);
    assert!(stderr(&run).contains("reproduce: sim run "));
    let trace =
        shell.run(&["trace", &scenario("partition.toml"), "--system", "occ", "--set", "limits.events=1000"]).code(3);
    assert_eq!(stderr(&trace), "error: the run stopped early: events limit\n");
    assert_eq!(stdout(&trace).lines().count(), 1000);
}

#[test]
fn a_place_that_cannot_be_written_is_said_so() {
    let shell = Shell::new();
    shell.write("file", "");
    let run = shell.run(&["run", &scenario("one-way.toml"), "--out", "file/below"]).code(70);
    assert!(stderr(&run).contains("file/below"), "{}", stderr(&run));
}

#[test]
fn histories_are_written_on_demand() {
    let shell = Shell::new();
    let path = scenario("partition.toml");
    shell.run(&["run", &path, "--quiet", "--out", "here", "--history"]).success();
    let histories: Vec<String> = shell.files("here").into_iter().filter(|name| name.starts_with("history-")).collect();
    assert_eq!(histories, ["history-naive.jsonl", "history-occ.jsonl", "history-pn-counter.jsonl"]);
    let report = fs::read_to_string(shell.place.path().join("here/report.json")).expect("the report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    for (name, system) in histories.iter().zip(report["systems"].as_array().expect("systems")) {
        let text = fs::read_to_string(shell.place.path().join("here").join(name)).expect("a history");
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        for kind in ["ok", "fail", "info"] {
            let is_counted = |event: &&Value| event["type"] == kind && event["final"].is_null();
            let ended = events.iter().filter(is_counted).count();
            assert_eq!(system["operations"][kind], ended, "{name}: {kind}");
        }
    }
    shell.run(&["run", &path, "--quiet"]).success();
    assert!(!shell.files("reports/latest").iter().any(|name| name.starts_with("history-")));
    shell.run(&["run", &path, "--history", "--no-files"]).code(2);
}
