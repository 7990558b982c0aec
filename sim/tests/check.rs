//! `sim check` as its users start it: verdicts, exit codes, formats, and what cannot be read.

use std::{fmt::Write as _, fs, path::Path};

use assert_cmd::{Command, assert::Assert};
use serde_json::Value;
use tempfile::TempDir;

/// The program, where the specimens are.
fn sim(arguments: &[&str]) -> Assert {
    let mut command = Command::cargo_bin("sim").expect("the program");
    command.current_dir(histories()).env_remove("RUST_LOG").env_remove("NO_COLOR").args(arguments).assert()
}

/// The program, with this on standard input.
fn fed(arguments: &[&str], input: &str) -> Assert {
    let mut command = Command::cargo_bin("sim").expect("the program");
    command.current_dir(histories()).args(arguments).write_stdin(input).assert()
}

fn histories() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories")
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

fn place() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

const LOGS: [&str; 4] =
    ["cas-register-good.log", "cas-register-bad.log", "cas-register-info.log", "cas-register-failed-cas.log"];

#[test]
fn logs_of_a_register_are_judged_and_the_worst_counts() {
    let all = sim(&[&["check", "--model", "cas-register"], &LOGS[..]].concat()).code(1);
    insta::assert_snapshot!("logs", stdout(&all));
    assert_eq!(stderr(&all), "");
    for (log, code) in LOGS.into_iter().zip([0, 1, 0, 0]) {
        sim(&["check", "--model", "cas-register", log]).code(code);
    }
    let compared = sim(&["check", "--model", "cas-register", "--failed-cas", "compared", LOGS[3]]).code(1);
    insta::assert_snapshot!("failed_cas", stdout(&compared));
}

#[test]
fn stores_are_judged_key_by_key() {
    let texts = sim(&["check", "--model", "kv", "kv-good.edn", "kv-bad.edn"]).code(1);
    insta::assert_snapshot!("texts", stdout(&texts));
    let values = sim(&["check", "--model", "kv-rw", "kv-rw-good.jsonl", "kv-rw-bad.jsonl"]).code(1);
    insta::assert_snapshot!("values", stdout(&values));
}

#[test]
fn quiet_leaves_out_what_passes_and_colours_say_nothing_new() {
    let arguments = ["check", "--model", "kv", "kv-good.edn", "kv-bad.edn"];
    let quiet = stdout(&sim(&[&arguments[..], &["--quiet"]].concat()).code(1));
    assert!(quiet.starts_with("kv-bad.edn") && !quiet.contains("kv-good.edn") && !quiet.contains("2 files"), "{quiet}");
    assert_eq!(stdout(&sim(&["check", "--model", "kv", "kv-good.edn", "--quiet"]).success()), "");
    let coloured = stdout(&sim(&[&arguments[..], &["--color", "always"]].concat()).code(1));
    assert!(coloured.contains("\x1b[1;31mNOT linearizable\x1b[0m"), "{coloured}");
    let mut plain = coloured;
    for code in ["\x1b[1;31m", "\x1b[32m", "\x1b[1m", "\x1b[0m"] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, stdout(&sim(&arguments).code(1)));
}

#[test]
fn the_order_is_that_of_the_arguments_whatever_the_number_of_threads() {
    let mut arguments = vec!["check", "--model", "cas-register", "--json"];
    for _ in 0..8 {
        arguments.extend(LOGS);
    }
    let once = |threads: &str| {
        let mut command = Command::cargo_bin("sim").expect("the program");
        let run = command.current_dir(histories()).env("RAYON_NUM_THREADS", threads).args(&arguments).assert();
        stdout(&run.code(1))
    };
    let alone = once("1");
    assert_eq!(alone, once("4"));
    let report: Value = serde_json::from_str(&alone).expect("JSON");
    let paths: Vec<&str> =
        report["files"].as_array().expect("files").iter().map(|file| file["path"].as_str().expect("a path")).collect();
    assert_eq!(paths, LOGS.repeat(8));
}

#[test]
fn json_keeps_to_its_schema_and_names_the_lines() {
    let schema = json(&sim(&["schema", "check"]).success());
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let place = place();
    fs::write(place.path().join("empty"), "").expect("a file");
    fs::write(place.path().join("broken"), "{:process 0").expect("a file");
    let (empty, broken) = (place.path().join("empty"), place.path().join("broken"));
    let (empty, broken) = (empty.display().to_string(), broken.display().to_string());
    let run = sim(&["check", "--model", "register", "--json", "register-bad.jsonl", &empty, &broken]).code(2);
    let report = json(&run);
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let verdicts = [&report["verdict"], &report["files"][0]["verdict"], &report["files"][1]["verdict"]];
    assert_eq!(verdicts, ["unreadable", "fail", "vacuous"]);
    assert_eq!(
        (&report["schema"], &report["model"], &report["consistency"]),
        (&1.into(), &"register".into(), &"linearizable".into())
    );
    let witness = &report["files"][0]["witness"];
    let lines: Vec<_> = witness["calls"].as_array().expect("calls").iter().map(|call| &call["line"]).collect();
    assert_eq!(lines, [1, 4, 6]);
    assert_eq!((&witness["minimal"], &witness["stuck"]), (&true.into(), &7.into()));
    assert_eq!(witness["calls"][2]["result"], "1");
    assert_eq!((&report["files"][2]["line"], &report["files"][2]["format"]), (&1.into(), &Value::Null));
    assert_eq!(
        stdout(&sim(&["check", "--model", "register", "--format", "json", "register-bad.jsonl"]).code(1)),
        stdout(&sim(&["check", "--model", "register", "--json", "register-bad.jsonl"]).code(1))
    );
}

#[test]
fn histories_keep_to_the_published_schema() {
    let schema = json(&sim(&["schema", "history"]).success());
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for name in ["register-bad.jsonl", "kv-rw-good.jsonl"] {
        let text = fs::read_to_string(histories().join(name)).expect("a specimen");
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).expect("a line of JSON");
            assert!(validator.is_valid(&event), "{line}");
        }
    }
    for wrong in [r#"{"type":"ok","f":"read"}"#, r#"{"process":0,"type":"begin","f":"read"}"#] {
        assert!(!validator.is_valid(&serde_json::from_str(wrong).expect("JSON")), "{wrong}");
    }
}

#[test]
fn standard_input_is_a_file() {
    let text = fs::read_to_string(histories().join("kv-bad.edn")).expect("a specimen");
    let judged = fed(&["check", "--model", "kv", "-"], &text).code(1);
    assert!(stdout(&judged).starts_with("<stdin>: NOT linearizable (kv, 60 calls)\n"));
    fed(&["check", "--model", "kv", "-", "-"], &text).code(2);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_judged() {
    let place = place();
    let path = |name: &str, text: &[u8]| {
        fs::write(place.path().join(name), text).expect("a file");
        place.path().join(name).display().to_string()
    };
    let cut = path("cut.edn", b"{:process 0, :type :invoke, :f :read, :value nil}\n{:process 0, :type :o");
    let wrong = path("wrong.edn", b"\n{:process 0, :type :invoke, :f :reed, :value nil}");
    let bytes = path("bytes", b"\xff\xfe\x00");
    let missing = place.path().join("missing").display().to_string();
    let folder = place.path().display().to_string();
    let run =
        sim(&["check", "--model", "cas-register", &cut, &wrong, &bytes, &missing, &folder, LOGS[1], LOGS[0]]).code(2);
    let said = stderr(&run);
    for line in [
        format!("error: {cut}:2: the file ends inside of this form"),
        format!("error: {wrong}:2: `reed` is no operation of the model cas-register: did you mean `read`?"),
        format!("error: {bytes}:1: the file is not UTF-8"),
        format!("error: {folder}: is a directory; name the files in it"),
    ] {
        assert!(said.lines().any(|found| found == line), "{line} in\n{said}");
    }
    assert!(said.contains(&format!("error: {missing}: cannot be read")), "{said}");
    let judged = stdout(&run);
    assert!(judged.contains("cas-register-bad.log: NOT") && judged.contains("cas-register-good.log: linearizable"));
    assert!(judged.ends_with("7 files: 1 linearizable, 1 not, 5 unreadable\n"), "{judged}");
}

#[test]
fn wrong_command_lines_end_with_two() {
    for arguments in [
        &["check"][..],
        &["check", "--model", "register"],
        &["check", "--model", "regster", "register-bad.jsonl"],
        &["check", "--model", "kv", "--init", "1", "kv-good.edn"],
        &["check", "--model", "register", "--failed-cas", "compared", "register-bad.jsonl"],
        &["check", "--model", "mutex", "--consistency", "causal", "register-bad.jsonl"],
        &["check", "--model", "register", "--json", "--format", "html", "register-bad.jsonl"],
        &["check", "--model", "register", "--memory", "much", "register-bad.jsonl"],
    ] {
        sim(arguments).code(2);
    }
    let near = stderr(&sim(&["check", "--model", "regster", "register-bad.jsonl"]).code(2));
    assert!(near.contains("register"), "{near}");
    let judged = stderr(&sim(&["check", "--model", "mutex", "--consistency", "causal", "x"]).code(2));
    assert!(judged.contains("judged are: `linearizable`, `sequential`"), "{judged}");
}

#[test]
fn what_cannot_be_decided_or_tells_nothing_ends_with_three() {
    let empty = fed(&["check", "--model", "set", "-"], "").code(3);
    assert!(stdout(&empty).contains("vacuously linearizable (set, 0 calls): no call returned"));
    let spent = sim(&["check", "--model", "cas-register", "--steps", "1", LOGS[0]]).code(3);
    assert!(stdout(&spent).contains("unknown whether linearizable"), "{}", stdout(&spent));
    sim(&["check", "--model", "cas-register", "--steps", "1", "--time-limit", "1h", "--memory", "1MiB", LOGS[0]])
        .code(3);
}

/// The beginning of the register decides whether the first read is right.
#[test]
fn a_register_has_the_value_that_is_given() {
    let text = "{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}\n{\"process\":0,\"type\":\"ok\",\"f\":\"read\",\"value\":-1}\n";
    fed(&["check", "--model", "register", "-"], text).code(1);
    fed(&["check", "--model", "register", "--init", "-1", "-"], text).success();
}

/// Every tag is closed by its own kind, and nothing but markup looks like it.
fn assert_well_formed(page: &str) {
    let body = page.strip_prefix("<!DOCTYPE html>").expect("a page says what it is");
    let mut open: Vec<&str> = Vec::new();
    for (at, _) in body.match_indices('<') {
        let tag = &body[at + 1..at + body[at..].find('>').expect("a tag ends")];
        assert!(!tag.contains('<'), "{tag}");
        let quotes = tag.matches('"').count();
        assert_eq!(quotes % 2, 0, "{tag}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or("");
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{tag}");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for (at, _) in body.match_indices('&') {
        let entity = &body[at..=at + body[at..].find(';').expect("an entity ends")];
        assert!(["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].contains(&entity), "{entity}");
    }
    for outside in ["<script", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_page_is_well_formed_and_shows_where_it_goes_wrong() {
    let place = place();
    let out = place.path().join("page.html").display().to_string();
    let arguments = ["check", "--model", "cas-register", "--format", "html", LOGS[1], LOGS[0], LOGS[2], "kv-bad.edn"];
    let printed = stdout(&sim(&arguments).code(2));
    assert_well_formed(&printed);
    for shown in
        ["class=\"window\"", "class=\"wrong", " stuck\"", "class=\"tail", "not linearizable", "class=\"order\""]
    {
        assert!(printed.contains(shown), "{shown}");
    }
    let kept = sim(&[&arguments[..], &["--out", &out]].concat()).code(2);
    assert_eq!(fs::read_to_string(&out).expect("the page"), printed);
    assert!(stdout(&kept).contains("cas-register-bad.log: NOT linearizable"), "the text says it as well");
    let folder = place.path().display().to_string();
    for format in ["html", "json", "text"] {
        sim(&["check", "--model", "kv", "kv-good.edn", "--format", format, "--out", &folder]).success();
    }
    for file in ["check.html", "check.json", "check.txt"] {
        assert!(place.path().join(file).is_file(), "{file}");
    }
    sim(&["check", "--model", "kv", "kv-good.edn", "--out", "/no/such/place/x"]).code(70);
}

#[test]
fn a_page_escapes_what_a_history_says() {
    let text = r#"{"process":0,"type":"invoke","f":"read"}
{"process":0,"type":"ok","f":"read","value":"</title><script>alert('&')</script>\u0000\u001b[31m"}
"#;
    let page = stdout(&fed(&["check", "--model", "register", "--format", "html", "-"], text).code(1));
    assert_well_formed(&page);
    assert!(page.contains("&lt;script&gt;"));
    let shown = stdout(&fed(&["check", "--model", "register", "-"], text).code(1));
    assert!(!shown.contains('\x1b') && !shown.contains('\0'), "a value cannot colour the terminal");
}

/// Many clients write distinct values and read the newest; at the end, one reads what was overwritten long ago.
fn long(operations: usize) -> String {
    let mut text = String::new();
    for at in 0..operations {
        let process = at % 50;
        let (f, argument, answer) = if at % 2 == 0 { ("write", at, at) } else { ("read", 0, at - 1) };
        let answer = if at + 1 == operations { 0 } else { answer };
        for (kind, value) in [("invoke", argument), ("ok", answer)] {
            let _ = writeln!(text, r#"{{"process":{process},"type":"{kind}","f":"{f}","value":{value}}}"#);
        }
    }
    text
}

#[test]
fn long_histories_are_judged_and_drawn_in_part() {
    let page = stdout(&fed(&["check", "--model", "register", "--format", "html", "-"], &long(2_000)).code(1));
    assert_well_formed(&page);
    assert!(page.len() < 200_000, "{} bytes", page.len());
    assert!(
        page.contains("2,000 operations in the file") && page.contains("of them not drawn"),
        "it says what is missing"
    );
    assert!(page.contains("class=\"stretch drawn\""), "it says where");
    let longer = stdout(&fed(&["check", "--model", "register", "-"], &long(40_000)).code(1));
    assert!(longer.contains("NOT linearizable (register, 40,000 calls)"), "{longer}");
}

#[test]
fn models_and_consistency_are_listed() {
    let models = stdout(&sim(&["list", "models"]).success());
    for model in
        ["register", "cas-register", "kv", "kv-rw", "multi-register", "mutex", "counter", "flag", "set", "g-set"]
    {
        assert!(models.lines().any(|line| line.trim_start().starts_with(&format!("{model} "))), "{model}");
    }
    assert!(stdout(&sim(&["list", "consistency"]).success()).contains("linearizable"));
    let help = stdout(&sim(&["check", "--help"]).success());
    assert!(help.contains("sim check --model cas-register etcd.log") && help.contains("Exit codes"), "{help}");
}

/// What the README shows is what the program says.
#[test]
fn the_readme_shows_real_output() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("sim is a member of the workspace");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let mut command = Command::cargo_bin("sim").expect("the program");
    let arguments = ["check", "--model", "register", "sim/tests/histories/register-bad.jsonl"];
    let shown = stdout(&command.current_dir(root).args(arguments).assert().code(1));
    assert!(readme.contains(&format!("$ sim {}\n{shown}", arguments.join(" "))), "{shown}");
}
