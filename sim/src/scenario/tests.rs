//! Tests of the whole way from text to plan.

use std::{fs, path::PathBuf};

use proptest::prelude::*;

use super::*;
use crate::kernel::{
    disturbance::Disturbance,
    draws::Probability,
    ids::NodeId,
    plan::ClassOf,
    time::{MILLISECOND, SECOND, Time},
};

mod refusals;

/// A scenario to which the tests make changes. Line numbers are part of what they expect.
const BASE: &str = r#"# A story.
name = "base"
[cluster]
nodes = 5
[network]
latency = "20ms"
[workload]
object = "counter"
clients = 10
rate = "200/s"
duration = "20s"
[[fault]]
at = "5s"
for = "10s"
partition = "halves"
[[system]]
name = "naive"
naive = {}
[[system]]
name = "occ"
occ = { store = "lin-kv" }
[[system]]
name = "pn"
gossip = { crdt = "pn-counter" }
[expect.pn]
converges = true
"#;

/// The base with one piece of text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(BASE.contains(from), "{from} is not in the base");
    BASE.replacen(from, to, 1)
}

fn plan(text: &str) -> Plan {
    parse("test.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Errors in short: `line:column message [label] (help)`, one a line.
fn brief(errors: &Errors) -> String {
    let line = |finding: diagnostic::Finding| {
        let at = finding.places.first().map(|place| format!("{}:{} ", place.line, place.column)).unwrap_or_default();
        let labels: Vec<_> = finding.places.iter().map(|place| place.label.clone()).collect();
        format!("{at}{} [{}] ({})", finding.message, labels.join("; "), finding.help.unwrap_or_default())
    };
    errors.findings().into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn scenario_files() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    let entries = fs::read_dir(folder).expect("the folder of scenarios");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("readable"))).collect()
}

#[test]
fn every_scenario_file_is_a_plan_with_a_story_and_expectations() {
    let files = scenario_files();
    assert!(files.len() >= 8, "{}", files.len());
    for (path, text) in files {
        let plan = load(&path, &[]).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(plan.story.contains('?') && !plan.story.contains('#'), "{}: {}", plan.name, plan.story);
        assert!(
            text.lines().count() <= 70 && plan.systems.len() >= 2 && !plan.expectations.is_empty(),
            "{}",
            plan.name
        );
        assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(plan.name.as_str()));
        let run = plan.run_plan(plan.seed);
        assert!(run.windows.is_sorted_by_key(|window| window.from));
        assert!(run.windows.iter().all(|window| window.to < run.final_reads_at), "{}", plan.name);
    }
}

#[test]
fn a_plan_has_what_the_file_says() {
    let text = BASE
        .replace("nodes = 5", "nodes = 5\nclock = { skew = \"50ms\", drift = \"100ppm\" }")
        .replace("latency = \"20ms\"", "latency = \"20ms\"\nloss = \"2%\"\nbandwidth = \"1MB/s\"\n[[link]]\nbetween = [\"n1\", \"lin-kv\"]\nloss = \"10%\"");
    let plan = plan(&text);
    assert_eq!((plan.name.as_str(), plan.story.as_str(), plan.seed), ("base", "A story.", 1));
    assert_eq!(plan.endpoints().total(), 16);
    assert_eq!(plan.endpoint_name(NodeId(5)), "lin-kv");
    assert_eq!(
        plan.systems.iter().map(|system| system.protocol.name()).collect::<Vec<_>>(),
        ["naive", "occ", "gossip"]
    );
    let ProtocolSpec::Occ { config, .. } = &plan.systems[1].protocol else { panic!("occ") };
    assert_eq!(config.store, NodeId(5));
    assert_eq!(plan.final_reads_at(), Time(30 * SECOND));
    assert_eq!(plan.expectations["pn"][0].to_string(), "converges = true");
    let run = plan.run_plan(3);
    assert_eq!(run.network.class_of, ClassOf::Uniform(0));
    assert_eq!(run.network.classes.len(), 3);
    let [(first, class), (second, _)] = run.network.overrides.as_slice() else { panic!("two directions") };
    assert_eq!((*first, *second), ((NodeId(0), NodeId(5)), (NodeId(5), NodeId(0))));
    assert_eq!(Some(run.network.classes[usize::from(*class)].loss), Probability::ratio(1, 10));
    assert_eq!(run.network.classes[0].bandwidth.map(|bandwidth| bandwidth.queue_bytes), Some(256 << 10));
    assert_eq!(run.windows.len(), 1);
    assert!(matches!(run.windows[0].disturbance, Disturbance::Cut(_)));
    assert_eq!(run.clocks.len(), 5);
    assert!(
        run.clocks
            .iter()
            .all(|clock| clock.offset_ns.unsigned_abs() <= 50 * MILLISECOND && clock.drift_ppb.abs() <= 100_000)
    );
    assert_ne!(run.clocks[0], run.clocks[1]);
    assert_eq!(run.clocks, plan.run_plan(3).clocks);
    assert_ne!(run.clocks, plan.run_plan(4).clocks);
}

#[test]
fn a_further_replica_moves_no_other_clock() {
    let clocks = |nodes: &str| {
        let text = changed("nodes = 5", &format!("nodes = {nodes}\nclock = {{ skew = \"50ms\" }}"));
        plan(&text).run_plan(9).clocks
    };
    assert_eq!(clocks("6")[..5], clocks("5"));
}

#[test]
fn regions_cover_stores_and_fall_back_to_the_network() {
    let geo = "nodes = 5\ntopology = { geo = { regions = { eu = [\"n1\", \"n3\"], us-west = [\"n2\", \"n4\", \"n5\"] }, latency = { \"eu-us-west\" = \"80ms\" } } }";
    let text = changed("nodes = 5", geo).replace("[workload]", "[services]\nat = \"n2\"\n[workload]");
    let run = plan(&text).run_plan(1);
    let ClassOf::Regions { region, regions, class } = &run.network.class_of else { panic!("regions") };
    assert_eq!((region.as_slice(), *regions), ([0, 1, 0, 1, 1, 1].as_slice(), 2));
    let latency = |pair: usize| run.network.classes[usize::from(class[pair])].latency.latency_ns_max() / MILLISECOND;
    assert_eq!([0, 1, 2, 3].map(latency), [20, 80, 80, 20]);
}

#[test]
fn random_graphs_follow_the_seed_and_fixed_ones_do_not() {
    let built = |topology: &str| {
        let plan = plan(&changed("nodes = 5", &format!("nodes = 20\ntopology = {topology}")));
        [1, 2, 1].map(|seed| plan.run_plan(seed).network.topology.clone())
    };
    let [first, second, again] = built("{ random-regular = { degree = 3 } }");
    assert!(first != second && first == again);
    let [first, second, _] = built("\"ring\"");
    assert_eq!(first, second);
}

#[test]
fn the_hash_depends_on_content_and_overrides_and_not_on_layout() {
    let hash = |text: &str, sets: &[&str]| {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        parse("test.toml", text, &sets).unwrap_or_else(|errors| panic!("{errors}")).hash
    };
    let base = hash(BASE, &[]);
    assert_eq!(base, hash(&format!("# more\n\n{}", changed("nodes = 5", "nodes   =   0x5")), &[]));
    assert_ne!(base, hash(&changed("nodes = 5", "nodes = 6"), &[]));
    assert_eq!(hash(&changed("nodes = 5", "nodes = 6"), &[]), hash(BASE, &["cluster.nodes=6"]));
    assert_eq!(base.len(), 64);
}

#[test]
fn overrides_reach_everything() {
    let with = |sets: &[&str]| {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        parse("test.toml", BASE, &sets).unwrap_or_else(|errors| panic!("{errors}"))
    };
    assert_eq!(with(&["cluster.nodes=7"]).endpoints().replicas, 7);
    assert_eq!(with(&["fault.0.for=3s"]).run_plan(1).windows[0].to, Time(8 * SECOND));
    assert_eq!(with(&["system.occ.occ.store=seq-kv"]).endpoint_name(NodeId(5)), "seq-kv");
    assert_eq!(with(&["system.2.gossip.fanout = 2", "seed=7"]).seed, 7);
    assert_eq!(
        with(&["network.loss=5%"]).run_plan(1).network.classes[0].loss,
        Probability::ratio(1, 20).expect("a share")
    );
    let latency =
        with(&["network.latency.uniform.min=1ms", "network.latency.uniform.max=2ms"]).run_plan(1).network.classes[0]
            .latency
            .clone();
    assert_eq!((latency.latency_ns_min(), latency.latency_ns_max()), (MILLISECOND, 2 * MILLISECOND));
    assert_eq!(with(&["expect.pn.lost_updates=0"]).expectations["pn"].len(), 2);
    assert_eq!(with(&["fault.0.partition={ isolate = [\"n1\"] }"]).run_plan(1).windows.len(), 1);
    // The last word wins.
    assert_eq!(with(&["seed=1", "seed=2"]).seed, 2);
}

#[test]
fn wrong_overrides_point_at_the_command_line() {
    for (set, expected) in [
        ("cluster.nodez=7", "--set:1:9 unknown key `nodez`"),
        ("cluster.nodes=0", "--set:1:15 the number of nodes cannot be 0"),
        ("cluster.nodes = many", "--set:1:17 invalid type: string \"many\""),
        ("fault.1.for=3s", "--set:1:7 there is no entry `1`"),
        ("system.oc.occ.store=seq-kv", "--set:1:8 there is no entry `oc`"),
        ("system.occ.occ.store=sqe-kv", "--set:1:22 there is no store `sqe-kv`"),
        ("expect.pm.converges=true", "--set:1:8 there is no system `pm`"),
        ("fault.0.partition.isolate=[\"n9\"]", "--set:1:28 there is no endpoint `n9`"),
        ("name", "--set:1:1 an override needs a key and a value"),
        ("a..b=1", "--set:1:1 an override needs a name before and after every dot"),
        ("=1", "--set:1:1 an override needs a name before and after every dot"),
    ] {
        let errors = parse("test.toml", BASE, &[set.to_owned()]).expect_err(set);
        let finding = &errors.findings()[0];
        let place = &finding.places[0];
        let said = format!("{}:{}:{} {}", place.file, place.line, place.column, finding.message);
        assert!(said.starts_with(expected), "{set}: {said}");
    }
}

#[test]
fn the_page_of_a_wrong_scenario() {
    let text = changed("partition = \"halves\"", "partition = { groups = [[\"n1\", \"n2\"], [\"n2\", \"n7\"]] }")
        .replace("duration = \"20s\"", "duration = \"-20s\"");
    let errors = parse("scenarios/wrong.toml", &text, &["cluster.nodes=6".to_owned()]).expect_err("wrong");
    insta::assert_snapshot!(errors.render(false), @r#"
        scenario::quantity

          × a duration cannot be negative
            ╭─[scenarios/wrong.toml:11:12]
         10 │ rate = "200/s"
         11 │ duration = "-20s"
            ·            ───┬──
            ·               ╰── here
         12 │ [[fault]]
            ╰────
          help: write `20s`

        scenario::overlap

          × `n2` is named twice
            ╭─[scenarios/wrong.toml:15:40]
         14 │ for = "10s"
         15 │ partition = { groups = [["n1", "n2"], ["n2", "n7"]] }
            ·                                ──┬─    ──┬─
            ·                                  │       ╰── again
            ·                                  ╰── first
         16 │ [[system]]
            ╰────
          help: an endpoint has one place only

        scenario::unknown-name

          × there is no endpoint `n7`
            ╭─[scenarios/wrong.toml:15:46]
         14 │ for = "10s"
         15 │ partition = { groups = [["n1", "n2"], ["n2", "n7"]] }
            ·                                              ──┬─
            ·                                                ╰── no such endpoint
         16 │ [[system]]
            ╰────
          help: the replicas are n1 to n6

        3 errors
        "#);
    assert!(errors.render(true).contains('\u{1b}') && !errors.render(false).contains('\u{1b}'));
}

#[test]
fn all_errors_of_shape_are_reported_together() {
    let text = changed("nodes = 5", "nodes = \"five\"").replace("latency", "latancy").replace("for = ", "fro = ");
    let errors = parse("test.toml", &text, &[]).expect_err("wrong");
    insta::assert_snapshot!(brief(&errors), @r#"
        4:9 invalid type: string "five", expected a whole number [here] ()
        6:1 unknown key `latancy` [not a key of this table] (did you mean `latency`?)
        14:1 unknown key `fro` [not a key of this table] (did you mean `for`?)
        "#);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    for path in ["no-such-file.toml", "/"] {
        let errors = load(std::path::Path::new(path), &[]).expect_err("unreadable");
        assert!(errors.to_string().contains(&format!("cannot read {path}")), "{errors}");
    }
}

#[test]
fn the_published_schema_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/scenario.schema.json");
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, scenario_schema_text()).expect("writable");
    }
    let published = fs::read_to_string(path).expect("the published schema");
    assert!(published == scenario_schema_text(), "run the tests with BLESS=1 to write it again");
}

#[test]
fn the_schema_accepts_the_scenarios_and_no_misspelt_key() {
    assert!(!scenario_schema_text().contains("null"));
    let validator = jsonschema::draft202012::new(&scenario_schema()).expect("a schema");
    let json = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).expect("TOML")).expect("JSON");
    for (path, text) in scenario_files() {
        let problems: Vec<String> = validator.iter_errors(&json(&text)).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}", path.display());
    }
    assert!(validator.is_valid(&json(BASE)));
    for (from, to) in [
        ("latency", "latancy"),
        ("nodes = 5", "nodes = \"5\""),
        ("rate = \"200/s\"", "rate = \"200\""),
        ("naive = {}", ""),
        ("naive = {}", "naive = {}\nocc = { store = \"lin-kv\" }"),
        ("partition = \"halves\"", "partition = \"thirds\""),
        ("converges", "convergs"),
        ("at = \"5s\"", ""),
    ] {
        assert!(!validator.is_valid(&json(&changed(from, to))), "{from} -> {to}");
    }
}

/// The scenario with another object.
fn of_object(text: &str, object: &str) -> String {
    text.replace("object = \"counter\"", &format!("object = \"{object}\""))
}

#[test]
fn names_that_are_listed_are_names_that_are_accepted() {
    for (protocol, _) in PROTOCOLS {
        let options = match *protocol {
            "occ" => "{ store = \"lin-kv\" }",
            "gossip" => "{ crdt = \"g-counter\" }",
            "external" => "{ command = [\"node\"] }",
            _ => "{}",
        };
        let plan = plan(&changed("naive = {}", &format!("{protocol} = {options}")));
        assert_eq!(plan.systems[0].protocol.name(), *protocol);
    }
    for ((store, _), kind) in crate::services::STORES.iter().zip(crate::services::KvKind::ALL) {
        assert_eq!(*store, kind.name());
        plan(&changed("lin-kv", store));
    }
    for crdt in CrdtName::ALL {
        let text = of_object(&changed("pn-counter", crdt.name()), crdt.object().name());
        assert!(matches!(plan(&text).systems[2].protocol, ProtocolSpec::Gossip { crdt: read, .. } if read == crdt));
    }
    for object in ObjectName::ALL.into_iter().filter(|object| object.is_foreign()) {
        let external = changed("naive = {}", "external = { command = [\"node\"] }");
        let alone = external.split("[[system]]").take(2).collect::<Vec<_>>().join("[[system]]");
        let text = of_object(&alone, object.name());
        let text = text.split("\n[expect").next().expect("a part before");
        assert_eq!(ObjectName::of(&plan(text).workload.operations), object);
    }
    for (object, _) in OBJECTS.iter().filter(|(name, _)| CrdtName::ALL.iter().any(|crdt| crdt.object().name() == *name))
    {
        let crdt =
            CrdtName::ALL.into_iter().find(|crdt| crdt.object().name() == *object).expect("every object has one");
        let plan = plan(&of_object(&changed("pn-counter", crdt.name()), object));
        assert_eq!(ObjectName::of(&plan.workload.operations).name(), *object);
    }
    for (place, _) in PLACES {
        plan(&of_object(&changed("pn-counter", "rga"), &format!("sequence\"\nplace = \"{place}")));
    }
    for (key, list) in [("mode", MODES), ("payload", PAYLOADS)] {
        for (name, _) in list {
            plan(&changed("crdt = \"pn-counter\"", &format!("crdt = \"pn-counter\", {key} = \"{name}\"")));
        }
    }
    for (key, list) in [("arrivals", ARRIVALS), ("binding", BINDINGS)] {
        for (name, _) in list {
            plan(&changed("object = \"counter\"", &format!("object = \"counter\"\n{key} = \"{name}\"")));
        }
    }
    for (name, _) in distribution::DISTRIBUTIONS {
        let parameters = match *name {
            "constant" => "\"5ms\"",
            "uniform" => "{ min = \"1ms\", max = \"2ms\" }",
            "exponential" => "{ mean = \"5ms\", min = \"1ms\" }",
            "normal" => "{ mean = \"5ms\", sd = \"1ms\" }",
            "lognormal" => "{ median = \"5ms\", p99 = \"9ms\" }",
            "pareto" => "{ min = \"5ms\", alpha = 2 }",
            _ => "{ p0 = \"1ms\", p50 = \"2ms\", \"p99.9\" = \"9ms\" }",
        };
        plan(&changed("\"20ms\"", &format!("{{ {name} = {parameters} }}")));
    }
    for (name, _) in topology::TOPOLOGIES {
        let parameters = match *name {
            "grid" => "{ width = 3, height = 2 }",
            "tree" => "{ arity = 2 }",
            "random-regular" => "{ degree = 3 }",
            "small-world" => "{ degree = 2, rewire = \"10%\" }",
            "scale-free" => "{ links = 2 }",
            "geo" => "{ regions = { a = [\"n1\", \"n2\", \"n3\", \"n4\", \"n5\", \"n6\"] }, latency = {} }",
            "edges" => "[[\"n1\", \"n2\"], [\"n2\", \"n3\"], [\"n3\", \"n4\"], [\"n4\", \"n5\"], [\"n5\", \"n6\"]]",
            _ => "{}",
        };
        plan(&changed("nodes = 5", &format!("nodes = 6\ntopology = {{ {name} = {parameters} }}")));
    }
}

/// Pieces of which random documents are made.
fn snippets() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "\"\"",
        "\"n1\"",
        "\"99999h\"",
        "\"-1s\"",
        "\"0s\"",
        "\"1ns\"",
        "\"200%\"",
        "\"1000000000/s\"",
        "{}",
        "[]",
        "[[]]",
        "-1",
        "0",
        "9223372036854775807",
        "99999999999999999999999",
        "1e308",
        "nan",
        "-inf",
        "true",
        "1979-05-27",
        "{ uniform = {} }",
        "\"ring\"",
        "{ random-regular = { degree = 3 } }",
        "[[\"n1\"], [\"n1\"]]",
        "{ halves = {} }",
        "\"277777h\"",
        "4000001",
        "\"é\u{1f980}\"",
        "=",
        "[",
        "\n",
        "[[fault]]",
        "[[system]]\n",
        "\"lin-kv\"",
        "{ store = \"seq-kv\" }",
        "\"<= 2s\"",
        "{ p99 = 1 }",
        "{ geo = { regions = {}, latency = {} } }",
    ])
    .prop_map(str::to_owned)
}

/// A text with some bytes and some values exchanged.
fn mutated(text: &str, edits: &[(usize, usize, String)]) -> String {
    let mut text = text.to_owned();
    for (at, length, snippet) in edits {
        let at = at % (text.len() + 1);
        let line_end = text[text.floor_char_boundary(at)..]
            .find('\n')
            .map_or(text.len(), |end| text.floor_char_boundary(at) + end);
        // Most edits replace the rest of a line behind its `=`, so that documents stay TOML and reach the validation.
        let from = match text[text.floor_char_boundary(at)..line_end].find('=') {
            Some(equals) if length % 4 != 0 => text.floor_char_boundary(at) + equals + 1,
            _ => text.floor_char_boundary(at),
        };
        let to = if length % 4 == 0 { text.floor_char_boundary((from + length).min(text.len())) } else { line_end };
        text.replace_range(from..to.max(from), snippet);
    }
    text
}

/// Nothing that is read panics, neither when it is judged nor when it is shown or planned.
fn survive(text: &str, sets: &[String]) {
    match parse("random.toml", text, sets) {
        Ok(plan) => {
            // Large clusters are covered elsewhere; here they would only take time.
            if plan.endpoints().total() < 100_000 {
                let run = plan.run_plan(plan.seed);
                assert!(run.final_reads_at >= plan.workload.end());
            }
        }
        Err(errors) => {
            assert!(!errors.diagnostics().is_empty());
            assert!(!errors.render(false).is_empty());
            assert_eq!(errors.findings().len(), errors.diagnostics().len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_mutation_of_a_scenario_panics(
        which in 0..64_usize,
        edits in prop::collection::vec((any::<usize>(), 0..40_usize, snippets()), 1..4),
    ) {
        let files = scenario_files();
        survive(&mutated(&files[which % files.len()].1, &edits), &[]);
    }

    #[test]
    fn no_override_panics(
        key in prop::sample::select(vec!["name", "cluster.nodes", "cluster.topology", "network.latency", "workload.rate", "workload.duration",
            "workload.mix.add", "workload.quiet", "fault.0.at", "fault.0.for", "fault.0.every", "fault.0.partition", "system.occ.occ", "system.9",
            "expect.pn.converges", "limits.events", "workload.amount", "nemesis.kinds", "a..b", "", "link.0.from", "services.at"]),
        value in snippets(),
    ) {
        survive(BASE, &[format!("{key}={value}"), value]);
    }

    #[test]
    fn no_text_panics(text in "(\\PC|\n){0,200}", set in "\\PC{0,30}") {
        survive(&text, std::slice::from_ref(&set));
        survive(BASE, &[set]);
    }
}
