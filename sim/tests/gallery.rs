//! The gallery: a sample of every format of every report, made again and compared with what is committed.
//!
//! `BLESS=1 cargo test -p sim --test gallery` writes the samples. They are documentation and snapshot at once: a change of a format shows in
//! review as what readers will see.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sim::{
    engine::{
        Progress,
        gate::{Baseline, GateOptions, METRICS, compare, correct, rows},
        run_all,
        sweep::{Rows, Seeds, Stored},
    },
    report::{
        self, FORMATS,
        sweep::{Collected, SWEEP_FORMATS},
    },
    scenario::{self, Plan},
};

/// Where the scenario is, seen from the root.
const SCENARIO: &str = "reports/gallery/gallery.toml";
/// All samples together are no larger.
const BYTES_MAX: usize = 400_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("sim is a member of the workspace").to_owned()
}

fn plan(overrides: &[&str]) -> Plan {
    let overrides: Vec<String> = overrides.iter().map(|&change| change.to_owned()).collect();
    scenario::load(&root().join(SCENARIO), &overrides).unwrap_or_else(|errors| panic!("{}", errors.render(false)))
}

/// All samples by the name of their file.
fn samples() -> BTreeMap<String, String> {
    let mut samples = BTreeMap::new();
    let plan_now = plan(&[]);
    let reproduce = |seed: u64, system: &str| format!("sim run {SCENARIO} --seed {seed} --system {system}");

    let systems: Vec<_> = plan_now.systems.iter().collect();
    let outcomes = run_all(&plan_now, &systems, 1, &Progress::default());
    let run = report::report(&plan_now, &systems, 1, &outcomes, format!("sim run {SCENARIO} --seed 1"));
    for format in FORMATS {
        samples.insert(format.file.to_owned(), (format.render)(&run));
    }

    let seeds = Seeds::first(24);
    let swept: Rows = rows(&plan_now, seeds);
    let place = tempfile::tempdir().expect("a temporary directory");
    let stored = Stored::of(&swept, &place.path().join("sweep.jsonl")).expect("rows can be written");
    let all = Collected::of(&swept.header, stored.rows().expect("rows")).expect("rows");
    let sweep = report::sweep::report(&all, seeds, &reproduce).expecting(&plan_now);
    report::sweep::write_all(&sweep, &all, &stored, place.path()).expect("reports can be written");
    // A file of bytes cannot be reviewed.
    let texts = SWEEP_FORMATS.iter().map(|format| format.file).filter(|file| *file != "sweep.parquet");
    for file in texts.chain(["sweep.jsonl"]) {
        samples.insert(file.to_owned(), fs::read_to_string(place.path().join(file)).expect("it was written"));
    }

    // As if the code had changed: replicas gossip less often now, and give up sooner.
    let baseline = Baseline::of(&rows(&plan_now, seeds), SCENARIO, seeds);
    let slower = plan(&["system.pn-counter.gossip.interval=150ms"]);
    let mut comparisons = [compare(&baseline, &rows(&slower, seeds))];
    correct(&mut comparisons, &GateOptions::default(), baseline.systems.len() * METRICS.len());
    let gate = report::gate::report(&comparisons, &|path, seed, system| {
        format!("sim run {path} --seed {seed} --system {system}")
    });
    samples.extend(report::gate::all(&gate).map(|(file, content)| (file.to_owned(), content)));
    samples
}

#[test]
fn the_gallery_is_what_the_program_writes() {
    let (dir, samples) = (root().join("reports/gallery"), samples());
    let bytes: usize = samples.values().map(String::len).sum();
    assert!(bytes < BYTES_MAX, "{bytes} bytes");
    well_formed(&samples);
    conforms(&samples);
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        for (file, content) in &samples {
            fs::write(dir.join(file), content).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
    for (file, content) in &samples {
        let committed = fs::read_to_string(dir.join(file)).unwrap_or_default().replace("\r\n", "\n");
        assert!(
            committed == content.replace("\r\n", "\n"),
            "{file} is out of date: BLESS=1 cargo test -p sim --test gallery"
        );
    }
    for entry in fs::read_dir(&dir).expect("the gallery") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        assert!(
            samples.contains_key(&name) || ["gallery.toml", "README.md"].contains(&name.as_str()),
            "{name} is nobody's"
        );
    }
}

/// Markup is balanced, and pages load nothing.
fn well_formed(samples: &BTreeMap<String, String>) {
    let mut seen = 0;
    for (file, content) in samples {
        let is = |ending: &str| Path::new(file).extension().is_some_and(|found| found == ending);
        if is("html") || is("svg") || is("xml") {
            seen += 1;
            balanced(content).unwrap_or_else(|reason| panic!("{file}: {reason}"));
        }
        if is("html") || is("svg") {
            for reference in ["src=", "href=", "url(", "@import", "<link", "<iframe", "fetch("] {
                assert!(!content.contains(reference), "{file} has {reference}");
            }
            let foreign = content.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            assert!(!foreign.contains("://"), "{file} names another place");
            assert!(content.contains("<title"), "{file}");
            let drawings = content.matches("<svg").count();
            assert_eq!(content.matches("<desc").count(), drawings, "{file}: every drawing says what it shows");
            assert!(content.contains("prefers-color-scheme: dark"), "{file}");
        }
    }
    assert_eq!(seen, 10, "three pages, four drawings and three suites");
}

/// The reports keep to the schemas that are published.
fn conforms(samples: &BTreeMap<String, String>) {
    let schemas = [
        ("report.json", report::model::report_schema()),
        ("sweep.json", report::sweep::model::sweep_schema()),
        ("gate.json", report::gate::model::gate_schema()),
    ];
    for (file, schema) in schemas {
        let schema = serde_json::to_value(schema).expect("a schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("a valid schema");
        let mut document: Value = serde_json::from_str(&samples[file]).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
        document["verdict"] = "perhaps".into();
        assert!(!validator.is_valid(&document), "{file}: anything goes");
    }
}

/// Checks markup as XML: tags are closed in order, attributes quoted and given once, ids unique, and characters escaped.
fn balanced(text: &str) -> Result<(), String> {
    let (mut open, mut ids) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        escaped(&rest[..at])?;
        rest = &rest[at..];
        let skipped = [("<![CDATA[", "]]>"), ("<!--", "-->"), ("<?", "?>"), ("<!", ">")];
        if let Some((begin, end)) = skipped.into_iter().find(|(begin, _)| rest.starts_with(begin)) {
            let length = rest.find(end).ok_or_else(|| format!("{begin} has no end"))?;
            rest = &rest[length + end.len()..];
            continue;
        }
        let end = rest.find('>').ok_or("a tag has no end")?;
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            if last != Some(name.trim_end()) {
                return Err(format!("</{name}> closes {last:?}"));
            }
            continue;
        }
        let (inner, is_empty) = tag.strip_suffix('/').map_or((tag, false), |inner| (inner, true));
        let (name, attributes) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        for (attribute, value) in attributes_of(attributes).map_err(|reason| format!("<{tag}>: {reason}"))? {
            escaped(value)?;
            if attribute == "id" {
                ids.push(value);
            }
        }
        if !is_empty {
            open.push(name);
        }
    }
    escaped(rest)?;
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("id {} is there twice", pair[0])),
        None if open.is_empty() => Ok(()),
        None => Err(format!("{open:?} are not closed")),
    }
}

fn attributes_of(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let (mut found, mut rest): (Vec<(&str, &str)>, _) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").ok_or_else(|| format!("no value in `{rest}`"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("`{name}` has no end"))?;
        if found.iter().any(|(known, _)| *known == name) || name.contains(char::is_whitespace) {
            return Err(format!("attribute `{name}`"));
        }
        found.push((name, value));
        rest = after.trim_start();
    }
    Ok(found)
}

fn escaped(text: &str) -> Result<(), String> {
    let entities = ["amp;", "lt;", "gt;", "quot;", "apos;", "#"];
    let is_wrong = |after: &&str| !entities.iter().any(|entity| after.starts_with(entity));
    match text.split('&').skip(1).find(is_wrong) {
        Some(after) => Err(format!("& before {after}")),
        None => Ok(()),
    }
}

#[test]
fn markup_that_is_wrong_is_found() {
    assert_eq!(balanced("<!DOCTYPE html>\n<a b=\"&lt;\"><c/>text</a>"), Ok(()));
    for wrong in [
        "<a>",
        "<a><b></a></b>",
        "</a>",
        "<a b=c/>",
        "<a b=\"1\" b=\"2\"/>",
        "<a>R & D</a>",
        "<a id=\"x\"/><b id=\"x\"/>",
        "<a",
    ] {
        assert!(balanced(wrong).is_err(), "{wrong}");
    }
}
