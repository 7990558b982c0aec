//! Programs in other languages as replicas, for real: right ones pass, wrong ones fail, and the same seed gives the same run.
//!
//! Programs are real processes in Python, JavaScript, Rust and C. Where an interpreter or compiler is missing, a test says so and passes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

const CRASHED: &str = "the program runs";

fn nodes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nodes")
}

/// Is this program there? If not, says so.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        eprintln!("skipped: there is no {program} here");
    }
    found
}

/// A directory with the nodes that have to be compiled.
fn compiled(source: &str) -> Option<String> {
    static PLACE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let place = PLACE.get_or_init(|| tempfile::tempdir().expect("a temporary directory")).path();
    let (stem, extension) = source.split_once('.').expect("a source has an ending");
    let target = place.join(format!("{stem}_{extension}"));
    let source = nodes().join(source);
    // Tests in parallel each compile their own, and the last one to be done wins.
    let beside = place.join(format!("{stem}_{extension}_{:?}", std::thread::current().id()));
    let (compiler, options): (_, &[&str]) = if extension == "rs" {
        (std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()), &["-O", "--edition", "2024", "-o"])
    } else if has("cc") {
        ("cc".into(), &["-O2", "-o"])
    } else {
        return None;
    };
    let mut compiler = Command::new(compiler);
    compiler.args(options);
    let status = compiler.arg(&beside).arg(&source).status().expect("the compiler starts");
    assert!(status.success(), "{} is compiled", source.display());
    fs::rename(&beside, &target).expect("it is put in its place");
    Some(target.to_string_lossy().into_owned())
}

/// The command of a node, if it can run here.
fn command(node: &str) -> Option<Vec<String>> {
    let path = nodes().join(node).to_string_lossy().into_owned();
    match node.rsplit('.').next() {
        Some("py") => has("python3").then(|| vec!["python3".to_owned(), path]),
        Some("js") => has("node").then(|| vec!["node".to_owned(), path]),
        _ => compiled(node).map(|path| vec![path]),
    }
}

/// Drives a command, and returns the exit code, the report, and what was said.
fn drive(options: &[&str], command: &[String]) -> (i32, Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(["drive", "--no-files", "--json", "--quiet"])
        .args(options)
        .arg("--")
        .args(command)
        .output()
        .expect(CRASHED);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code().expect("an exit code"), report, said)
}

/// A node, its workload, options under which its bug shows, and the bug.
type Case = (&'static str, &'static str, &'static [&'static str], &'static str);

fn right_passes_and_wrong_fails(cases: &[Case]) {
    for (node, workload, options, bug) in cases {
        let Some(right) = command(node) else { continue };
        let options: Vec<&str> = [&["-w", workload, "--audit", "1", "--strict"], *options].concat();
        let (exit, report, said) = drive(&options, &right);
        let system = &report["systems"][0];
        let shown = || format!("{node}: {said}\n{:#}", system["expectations"]);
        assert_eq!(exit, 0, "{}\n{:#}", shown(), system["programs"]);
        assert_eq!(system["guarantee"], "replayable 1/1", "{}\n{}", shown(), system["programs"]["audit_difference"]);
        assert_eq!(system["programs"]["time_source"], "shim");

        let wrong = [right, vec!["--bug".to_owned(), (*bug).to_owned()]].concat();
        let (exit, report, said) = drive(&options, &wrong);
        assert_eq!(exit, 1, "{node} --bug {bug}: {:#}", report["systems"][0]["expectations"]);
        let reproduce = said.lines().find_map(|line| line.strip_prefix("reproduce: ")).expect("a line to copy");
        assert!(reproduce.starts_with("sim drive ") && reproduce.contains("--seed 1 -- "), "{reproduce}");
        assert!(reproduce.ends_with(&format!("--bug {bug}")), "{reproduce}");
    }
}

const SHORT: &[&str] = &["--nodes", "3", "--time-limit", "10s", "--rate", "20", "--quiet-period", "5s"];
const CUT: &[&str] = &[
    "--nodes",
    "3",
    "--time-limit",
    "12s",
    "--rate",
    "20",
    "--quiet-period",
    "6s",
    "--nemesis",
    "partition",
    "--loss",
    "5%",
];

#[test]
fn nodes_in_python() {
    right_passes_and_wrong_fails(&[
        ("counter.py", "pn-counter", CUT, "lost"),
        ("counter.py", "g-counter", CUT, "lost"),
        ("broadcast.py", "broadcast", CUT, "no-retry"),
        ("kv.py", "lin-kv", SHORT, "cache"),
    ]);
}

#[test]
fn nodes_in_javascript() {
    right_passes_and_wrong_fails(&[
        ("g_set.js", "g-set", SHORT, "forgets"),
        ("counter_seq_kv.js", "g-counter", SHORT, "blind-write"),
        ("unique_ids.js", "unique-ids", &["--nodes", "3", "--time-limit", "5s", "--rate", "500"], "clock"),
    ]);
}

#[test]
fn nodes_in_rust() {
    right_passes_and_wrong_fails(&[
        ("broadcast.rs", "broadcast", CUT, "no-retry"),
        ("lin_kv.rs", "lin-kv", SHORT, "local"),
        ("counter.rs", "pn-counter", CUT, "double-merge"),
        ("echo.rs", "echo", SHORT, "previous"),
    ]);
}

#[test]
fn nodes_in_c() {
    right_passes_and_wrong_fails(&[
        ("echo.c", "echo", SHORT, "swallow"),
        ("unique_ids.c", "unique-ids", SHORT, "shared"),
        ("g_counter.c", "g-counter", CUT, "forgets"),
    ]);
}

#[test]
fn the_same_seed_gives_the_same_run_twenty_times() {
    for (node, workload) in
        [("counter.py", "pn-counter"), ("g_set.js", "g-set"), ("counter.rs", "g-counter"), ("g_counter.c", "g-counter")]
    {
        let Some(command) = command(node) else { continue };
        // JavaScript wakes up for nothing now and then, after some seconds and at times of its own.
        let (limit, quiet) = if node == "g_set.js" { ("12s", "8s") } else { ("3s", "2s") };
        let options = ["-w", workload, "--nodes", "3", "--time-limit", limit, "--quiet-period", quiet, "--audit", "19"];
        let (_, report, said) = drive(&options, &command);
        let programs = &report["systems"][0]["programs"];
        assert_eq!(programs["audit_equal"], 19, "{node}: {said}\n{}", programs["audit_difference"]);
        assert_eq!(report["systems"][0]["guarantee"], "replayable 19/19");
    }
}

#[test]
fn our_own_nodes_pass_every_workload_as_foreign_programs() {
    for (workload, replica) in [
        ("echo", "echo"),
        ("unique-ids", "unique-ids"),
        ("broadcast", "broadcast"),
        ("g-set", "g-set"),
        ("g-counter", "g-counter"),
        ("pn-counter", "pn-counter"),
        ("g-counter", "occ"),
        ("lin-kv", "lin-kv-proxy"),
    ] {
        let options = ["-w", workload, "--nodes", "3", "--time-limit", "8s", "--nemesis", "partition", "--strict"];
        let (exit, report, said) = drive(&options, &["sim".to_owned(), "node".to_owned(), replica.to_owned()]);
        let system = &report["systems"][0];
        assert_eq!(exit, 0, "{workload}, {replica}: {said}\n{:#}\n{:#}", system["expectations"], system["programs"]);
        assert_eq!(system["guarantee"], "replayable 1/1", "{replica}: {}", system["programs"]["audit_difference"]);
    }
}

#[test]
fn ids_stay_unique_when_nodes_are_killed_and_started_again() {
    let options = ["-w", "unique-ids", "--nodes", "3", "--time-limit", "8s", "--rate", "50", "--nemesis", "kill"];
    let (exit, report, said) = drive(&options, &["sim".to_owned(), "node".to_owned(), "unique-ids".to_owned()]);
    assert_eq!(exit, 0, "{said}\n{:#}", report["systems"][0]["expectations"]);
    let bites = report["systems"][0]["faults_bitten"].as_array().expect("faults");
    assert!(bites.iter().any(|bite| bite["crashes"].as_u64() > Some(0)), "somebody was killed");
}

/// A program in Python that answers `init` and `add`, and does one thing besides.
fn misbehaving(place: &Path, deed: &str) -> Vec<String> {
    let text = format!(
        r#"
import json, os, sys, time
number = 0
def say(dest, body):
    print(json.dumps({{"src": me, "dest": dest, "body": body}}), flush=True)
total = 0
for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    if body["type"] == "init":
        me = body["node_id"]
        say(message["src"], {{"type": "init_ok", "in_reply_to": body["msg_id"]}})
        continue
    number += 1
    first = number == 3 and me == "n1"
    if first:
        pass
{deed}
    if body["type"] == "add":
        total += body["delta"]
        say(message["src"], {{"type": "add_ok", "in_reply_to": body["msg_id"]}})
    elif body["type"] == "read":
        say(message["src"], {{"type": "read_ok", "value": total, "in_reply_to": body["msg_id"]}})
"#
    );
    let path = place.join("misbehaving.py");
    fs::write(&path, text).expect("a script");
    vec!["python3".to_owned(), path.to_string_lossy().into_owned()]
}

#[test]
fn mistakes_are_shown_with_node_and_time_and_stop_nobody() {
    if !has("python3") {
        return;
    }
    let place = tempfile::tempdir().expect("a temporary directory");
    let deeds = [
        ("malformed-line", "    if first: print('hello', flush=True)"),
        ("malformed-line", "    if first: sys.stdout.buffer.write(b'\\xff\\xfe\\n'); sys.stdout.buffer.flush()"),
        ("unknown-destination", "    if first: say('n99', {'type': 'x'})"),
        ("unexpected-reply", "    if first: say('c1', {'type': 'add_ok', 'in_reply_to': 1000})"),
        (
            "wrong-source",
            "    if first: print(json.dumps({'src': 'n2', 'dest': 'n2', 'body': {'type': 'x'}}), flush=True)",
        ),
        ("line-too-long", "    if first: print('x' * 40_000_000, flush=True)"),
        ("flood", "    if first: print('x' * 100_000_000, flush=True)"),
        ("flood", "    if first: print('x\\n' * 50_000_000, flush=True)"),
        ("ended", "    if first: print('I am done', file=sys.stderr); sys.exit(3)"),
        ("ended", "    if first: os.abort()"),
    ];
    for (kind, deed) in deeds {
        let command = misbehaving(place.path(), deed);
        let options =
            ["-w", "pn-counter", "--nodes", "3", "--time-limit", "2s", "--quiet-period", "1s", "--audit", "0"];
        let (_, report, said) = drive(&options, &command);
        let system = &report["systems"][0];
        let notes = system["programs"]["notes"].as_array().expect("notes");
        let note = notes.iter().find(|note| note["kind"] == kind);
        let note = note.unwrap_or_else(|| panic!("{deed}: {notes:?}\n{said}"));
        assert_eq!(note["first"][0]["node"], "n1", "{deed}");
        assert!(note["first"][0]["at_ns"].as_u64().is_some_and(|at| at < 3_000_000_000), "{deed}");
        let others = system["operations"]["ok"].as_u64().expect("a number");
        assert!(others >= 10, "{deed}: the others went on, and {others} operations succeeded");
        let orderly = system["checks"].as_array().expect("checks").iter().find(|check| check["checker"] == "orderly");
        assert_eq!(orderly.expect("the check")["verdict"], "fail", "{deed}");
    }
}

#[test]
fn a_strict_run_fails_for_manners_alone() {
    if !has("python3") {
        return;
    }
    let place = tempfile::tempdir().expect("a temporary directory");
    let command = misbehaving(place.path(), "    if first: print('hello', flush=True)");
    let correct = |options: &[&str]| {
        let all = [&["-w", "echo", "--nodes", "2", "--time-limit", "1s", "--audit", "0"], options].concat();
        drive(&all, &command).1["systems"][0]["correct"].clone()
    };
    // Nothing is echoed, so that nothing but manners is judged.
    assert_eq!(correct(&["--strict"]), false);
}

#[test]
fn a_node_that_never_starts_or_never_rests_is_an_error_in_bounded_time() {
    let (exit, report, _) = drive(&["-w", "echo", "--time-limit", "1s"], &["/no/such/program".to_owned()]);
    assert_eq!(exit, 1);
    let told = report["systems"][0]["correct_witness"].as_str().expect("a reason");
    assert!(told.contains("could not be started") && told.contains("/no/such/program"), "{told}");
    if !has("python3") {
        return;
    }
    let place = tempfile::tempdir().expect("a temporary directory");
    let spins =
        "    if first:\n        print('spinning', file=sys.stderr, flush=True)\n        while True: time.time()";
    let command = misbehaving(place.path(), spins);
    let options = ["-w", "pn-counter", "--nodes", "2", "--time-limit", "1s", "--step-limit", "500ms", "--audit", "0"];
    let (_, report, _) = drive(&options, &command);
    let notes = report["systems"][0]["programs"]["notes"].to_string();
    assert!(notes.contains("did not come to rest in time") && notes.contains("spinning"), "{notes}");
}

#[test]
fn a_web_assembly_module_is_deterministic() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let module = place.path().join("echo.wasm");
    let text = fs::read_to_string(nodes().join("echo.wat")).expect("the module as text");
    fs::write(&module, wat::parse_str(text).expect("well-formed")).expect("a module");
    let (exit, report, said) =
        drive(&["-w", "echo", "--time-limit", "5s", "--strict"], &[module.to_string_lossy().into_owned()]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(report["systems"][0]["guarantee"], "deterministic");
}

#[test]
fn the_scenario_that_is_printed_gives_the_same_run() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("printed.toml");
    let options = ["-w", "g-set", "--nodes", "3", "--time-limit", "2s", "--quiet-period", "1s"];
    let command = ["sim".to_owned(), "node".to_owned(), "g-set".to_owned()];
    let sim = || Command::new(env!("CARGO_BIN_EXE_sim"));
    let printed =
        sim().arg("drive").args(options).arg("--print-scenario").arg("--").args(&command).output().expect(CRASHED);
    fs::write(&file, printed.stdout).expect("a file");
    let ran = sim().args(["run", "--no-files", "--json", "--audit", "2"]).arg(&file).output().expect(CRASHED);
    let ran: Value = serde_json::from_slice(&ran.stdout).expect("a report");
    let (_, driven, _) = drive(&options, &command);
    assert_eq!(ran["systems"][0]["fingerprint"], driven["systems"][0]["fingerprint"]);
    assert_eq!(ran["systems"][0]["guarantee"], "replayable 2/2");
}

#[test]
fn a_program_stands_beside_other_systems_under_the_same_draws() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("beside.toml");
    let scenario = r#"
name = "beside"
cluster = { nodes = 3 }
network = { latency = { constant = "10ms" } }
workload = { object = "counter", clients = 3, rate = "30/s", duration = "4s", quiet = "3s" }

[[system]]
name = "pn-counter"
gossip = { crdt = "pn-counter" }

[[system]]
name = "program"
external = { command = ["sim", "node", "pn-counter"] }

[expect.program]
correct = true
"#;
    fs::write(&file, scenario).expect("a file");
    let report = |systems: &[&str]| -> Value {
        let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
        sim.args(["run", "--no-files", "--json"]).arg(&file);
        for system in systems {
            sim.args(["--system", system]);
        }
        serde_json::from_slice(&sim.output().expect(CRASHED).stdout).expect("a report")
    };
    let both = report(&[]);
    let (own, foreign) = (&both["systems"][0], &both["systems"][1]);
    assert_eq!(own["agreed_value"], foreign["agreed_value"], "clients ask both for the same");
    assert_eq!(own["operations"], foreign["operations"]);
    assert_eq!(own["guarantee"], "deterministic");
    // A program disturbs no draw of the system beside it.
    assert_eq!(report(&["pn-counter"])["systems"][0]["fingerprint"], own["fingerprint"]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |arguments: &[&str], reason: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_sim")).arg("drive").args(arguments).output().expect(CRASHED);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(reason), "{arguments:?}: {said}");
    };
    refused(&["-w", "echo"], "give its command after `--`");
    refused(&["-w", "g-conuter", "--", "x"], "g-counter");
    refused(&["-w", "echo", "--nemesis", "partitoin", "--", "x"], "partition");
    refused(&["-w", "echo", "--nodes", "0", "--", "x"], "the number of nodes cannot be 0");
    refused(&["-w", "echo", "--time", "sundial", "--", "x"], "there is no time `sundial`");
    refused(&["-w", "echo", "--time-limit", "soon", "--", "x"], "soon");
    refused(&["-w", "echo", "--env", "=1", "--", "x"], "write NAME=VALUE");
    refused(&["-w", "echo", "--nemesis", "crash-durable", "--", "x"], "loses all of its memory");
}
