//! Whatever a scenario says, the program explains it or refuses it; it never panics.
//!
//! Every row changes one thing of a scenario that runs, and says on which line the program must point, and which words it
//! must use: the thing that is wrong, and where there is one, the nearest valid name.

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

const BASE: &str = r#"name = "base"
[cluster]
nodes = 5
topology = "complete"
[network]
latency = "20ms"
[workload]
object = "counter"
clients = 10
rate = "20/s"
duration = "20s"
[[fault]]
at = "5s"
for = "10s"
partition = { groups = [["n1", "n2"], ["n3", "n4", "n5"]] }
[[system]]
name = "occ"
occ = { store = "lin-kv" }
[[system]]
name = "gossip"
gossip = { crdt = "pn-counter", mode = "push-pull" }
[expect.gossip]
converges = true
"#;

/// What is replaced, by what, the line that is pointed at, and what is said.
const ROWS: &[(&str, &str, u32, &[&str])] = &[
    // Not understood at all.
    ("[cluster]", "[cluster", 2, &["not TOML", "expected `]`"]),
    ("nodes = 5", "nodes 5", 3, &["not TOML"]),
    ("nodes = 5", "nodes = 5\nnodes = 6", 4, &["duplicate key"]),
    ("nodes = 5", "nodes = \"five\"", 3, &["expected a whole number"]),
    ("nodes = 5", "nodes = 99999999999999999999", 3, &["integer"]),
    // Unknown names.
    ("nodes = 5", "nodez = 5", 3, &["unknown key `nodez`", "did you mean `nodes`?"]),
    ("[network]", "[netwrok]", 5, &["unknown key `netwrok`", "did you mean `network`?"]),
    ("\"complete\"", "\"rign\"", 4, &["no topology `rign`", "did you mean `ring`?"]),
    ("\"counter\"", "\"cuonter\"", 8, &["no object `cuonter`", "did you mean `counter`?"]),
    ("partition = {", "partiton = {", 15, &["unknown key `partiton`", "did you mean `partition`?"]),
    ("groups = [[", "grops = [[", 15, &["unknown key `grops`", "did you mean `groups`?"]),
    ("\"lin-kv\"", "\"linkv\"", 18, &["no store `linkv`", "did you mean `lin-kv`?"]),
    ("\"pn-counter\"", "\"pn-conter\"", 21, &["no CRDT `pn-conter`", "did you mean `pn-counter`?"]),
    ("\"push-pull\"", "\"push-pul\"", 21, &["no mode `push-pul`", "did you mean `push-pull`?"]),
    ("occ = { store", "ocs = { store", 18, &["unknown key `ocs`", "did you mean `occ`?"]),
    ("[expect.gossip]", "[expect.gosip]", 22, &["no system `gosip`", "did you mean `gossip`?"]),
    ("converges = true", "convergs = true", 23, &["no measure `convergs`", "did you mean `converges`?"]),
    // Endpoints that do not exist.
    ("\"n5\"]", "\"n6\"]", 15, &["no endpoint `n6`", "the replicas are n1 to n5"]),
    ("\"n5\"]", "\"lin-vk\"]", 15, &["no endpoint `lin-vk`", "did you mean `lin-kv`?"]),
    ("\"n5\"]", "\"seq-kv\"]", 15, &["no system uses it"]),
    // Contradictions.
    ("\"n3\"", "\"n2\"", 15, &["`n2` is named twice", "an endpoint has one place only"]),
    ("name = \"gossip\"", "name = \"occ\"", 20, &["two systems are called `occ`"]),
    ("for = \"10s\"", "for = \"10s\"\nevery = \"5s\"", 14, &["begins again before it has ended"]),
    ("occ = {", "naive = {}\nocc = {", 18, &["several things at once"]),
    ("rate = \"20/s\"", "rate = \"20/s\"\nthink_time = \"1s\"", 11, &["both a rate and a think time"]),
    (
        "latency = \"20ms\"",
        "latency = { uniform = { min = \"3ms\", max = \"1ms\" } }",
        6,
        &["1ms is less than 3ms", "exchange them"],
    ),
    ("store = \"lin-kv\"", "store = \"lin-kv\", deadline = \"3s\"", 18, &["not before the timeout of clients"]),
    (
        "duration = \"20s\"",
        "duration = \"20s\"\namount = -1\n[[system]]\nname = \"g\"\ngossip = { crdt = \"g-counter\" }",
        15,
        &["cannot add -1", "use `pn-counter`"],
    ),
    (
        "topology = \"complete\"",
        "topology = \"ring\"\n[[system]]\nname = \"nd\"\nnaive-delta = {}",
        7,
        &["needs a complete topology"],
    ),
    (
        "partition = { groups = [[\"n1\", \"n2\"], [\"n3\", \"n4\", \"n5\"]] }",
        "partition = { groups = [[\"n1\", \"n2\", \"n3\", \"n4\", \"n5\"]] }",
        15,
        &["parts nobody"],
    ),
    // Absurd quantities.
    ("nodes = 5", "nodes = 0", 3, &["number of nodes cannot be 0"]),
    ("nodes = 5", "nodes = -5", 3, &["number of nodes cannot be -5"]),
    ("nodes = 5", "nodes = 9223372036854775807", 3, &["use a number from 1 to 4000000"]),
    ("clients = 10", "clients = 0", 9, &["number of clients cannot be 0"]),
    ("duration = \"20s\"", "duration = \"-20s\"", 11, &["a duration cannot be negative"]),
    ("duration = \"20s\"", "duration = \"99999999999999999999h\"", 11, &["too long"]),
    ("duration = \"20s\"", "duration = \"20\"", 11, &["has no unit"]),
    ("duration = \"20s\"", "duration = \"20 parsecs\"", 11, &["parsecs"]),
    ("latency = \"20ms\"", "latency = \"20ms\"\nloss = \"120%\"", 7, &["cannot be more than 100%"]),
    ("latency = \"20ms\"", "latency = \"20ms\"\nloss = \"100%\"", 7, &["loses every message"]),
    ("rate = \"20/s\"", "rate = \"0/s\"", 10, &[]),
    ("rate = \"20/s\"", "rate = \"1000000000/s\"", 10, &["more than a run can handle"]),
    ("at = \"5s\"", "at = \"50s\"", 13, &["after the end of the run"]),
    ("for = \"10s\"", "for = \"0s\"", 14, &["longer than zero"]),
    ("converges = true", "lost_updates = -1", 23, &["never negative"]),
    ("converges = true", "availability = \">= 101%\"", 23, &["cannot be more than 100%"]),
    ("converges = true", "convergence_time = \"2s\"", 23, &["has no comparison"]),
    // What could never work.
    (
        "topology = \"complete\"",
        "topology = { edges = [[\"n1\", \"n2\"], [\"n3\", \"n4\"], [\"n4\", \"n5\"]] }",
        4,
        &["not connected", "from n1 to n3"],
    ),
    (
        "topology = \"complete\"",
        "topology = { grid = { width = 2, height = 3 } }",
        4,
        &["a grid of 2 x 3 has 6 replicas"],
    ),
    ("topology = \"complete\"", "topology = { random-regular = { degree = 3 } }", 4, &["every link has two ends"]),
    (
        "at = \"5s\"\nfor = \"10s\"\npartition = { groups = [[\"n1\", \"n2\"], [\"n3\", \"n4\", \"n5\"]] }",
        "at = \"0s\"\npartition = { isolate = [\"lin-kv\"] }",
        17,
        &["no replica can reach lin-kv"],
    ),
];

/// Where bad scenarios are written and run.
struct Bench {
    place: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { place: tempfile::tempdir().expect("a temporary directory") }
    }

    fn run(&self, content: &[u8], arguments: &[&str]) -> (i32, String, String) {
        fs::write(self.place.path().join("bad.toml"), content).expect("a file");
        let mut command = Command::cargo_bin("sim").expect("the program");
        command.args(["run", "bad.toml", "--no-files"]).args(arguments).current_dir(self.place.path());
        let output = command.env_remove("RUST_LOG").output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
    }

    fn page(&self, content: &str) -> String {
        let (code, out, said) = self.run(content.as_bytes(), &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{said}");
        said
    }
}

fn changed(from: &str, to: &str) -> String {
    assert_eq!(BASE.matches(from).count(), 1, "`{from}` occurs once in the base");
    BASE.replacen(from, to, 1)
}

#[test]
fn the_base_of_the_rows_runs() {
    let (code, _, said) = Bench::new().run(BASE.as_bytes(), &[]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn every_row_is_refused_with_place_and_reason() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for (from, to, line, words) in ROWS {
        let (code, out, said) = bench.run(changed(from, to).as_bytes(), &[]);
        let place = format!("bad.toml:{line}:");
        let has_caret = said.contains('┬') || said.contains('▲') || said.contains('╰');
        if code != 2 || !out.is_empty() || !said.contains(&place) || !has_caret {
            wrong.push(format!("{to}: exit {code}, wanted {place} with a caret:\n{said}"));
        }
        wrong.extend(
            words
                .iter()
                .filter(|words| !said.contains(**words))
                .map(|words| format!("{to}: `{words}` is not said:\n{said}")),
        );
    }
    assert!(ROWS.len() >= 30);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_errors_are_reported_together() {
    let text = changed("\"lin-kv\"", "\"linkv\"").replace("clients = 10", "clients = -1").replace("\"20ms\"", "\"20\"");
    insta::assert_snapshot!("several_errors", Bench::new().page(&text));
}

#[test]
fn a_page_shows_the_line_and_the_nearest_name() {
    insta::assert_snapshot!("unknown_endpoint", Bench::new().page(&changed("\"n5\"]", "\"lin-vk\"]")));
}

#[test]
fn a_page_shows_both_sides_of_a_contradiction() {
    insta::assert_snapshot!("named_twice", Bench::new().page(&changed("\"n3\"", "\"n2\"")));
}

#[test]
fn settings_are_pointed_at_too() {
    let bench = Bench::new();
    for (setting, words) in [
        ("network.loss=120%", "cannot be more than 100%"),
        ("cluster.nodez=3", "did you mean `nodes`?"),
        ("cluster", "cluster"),
        ("=", ""),
        ("system.ocs.occ.store=seq-kv", "did you mean `occ`?"),
        ("workload.rate=", ""),
        ("seed=-1", "a seed cannot be negative"),
    ] {
        let (code, out, said) = bench.run(BASE.as_bytes(), &["--set", setting]);
        assert_eq!((code, out.as_str()), (2, ""), "{setting}: {said}");
        assert!(said.contains(words), "{setting}: {said}");
    }
}

#[test]
fn errors_as_json_have_file_line_and_column() {
    let (code, out, _) = Bench::new().run(changed("nodes = 5", "nodez = 5").as_bytes(), &["--json"]);
    assert_eq!(code, 2);
    let list: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let place = &list["errors"][0]["places"][0];
    assert_eq!((&place["file"], &place["line"], &place["column"]), (&"bad.toml".into(), &3.into(), &1.into()));
}

#[test]
fn nothing_panics_on_what_is_no_scenario() {
    let bench = Bench::new();
    let deep = format!("x = {}{}", "[".repeat(5_000), "]".repeat(5_000));
    let long = format!("name = \"{}\"", "a".repeat(1 << 20));
    for content in [
        &b""[..],
        b"\0\0\0\0",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf",
        b"name",
        b"[[[[",
        b"name = \"x\"\n[cluster]\nnodes = 1",
        b"= = =",
        "ñ = 'ü'\r\n[ß]".as_bytes(),
        b"name = 'x'\nsystem = 1\nworkload = []\ncluster = 2020-01-01",
        deep.as_bytes(),
        long.as_bytes(),
    ] {
        let (code, out, said) = bench.run(content, &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn no_cut_and_no_repetition_of_a_line_makes_the_program_panic() {
    let bench = Bench::new();
    let lines: Vec<&str> = BASE.lines().collect();
    for at in 0..lines.len() {
        let without: Vec<&str> =
            lines.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, line)| *line).collect();
        let twice = [&lines[..=at], &lines[at..]].concat();
        let end = BASE.lines().take(at + 1).map(|line| line.len() + 1).sum::<usize>();
        let cut = &BASE[..end - 2];
        for text in [without.join("\n"), twice.join("\n"), cut.to_owned()] {
            let (code, _, said) = bench.run(text.as_bytes(), &["--set", "workload.duration=6s"]);
            assert!([0, 1, 2, 3].contains(&code), "exit {code} for\n{text}\n{said}");
            assert!(!said.contains("panicked"), "{text}\n{said}");
        }
    }
}
