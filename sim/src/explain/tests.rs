//! Every name has a text, every text a name, and all texts one shape.

use std::{collections::BTreeSet, fs, path::Path};

use crdts::{
    BoundedCounter, Cart, Crdt, DwFlag, EwFlag, GCounter, GSet, LwwMap, LwwRegister, MaxRegister, MinRegister,
    MvRegister, OrMap, OrSet, OrSetTombstones, PnCounter, ResettableCounter, RwSet, TwoPhaseSet,
    sequence::{Fugue, FugueMax, Rga},
};

use super::*;
use crate::{
    checkers::{CHECKERS, Consistency},
    faults::{FAULTS, NEMESIS},
    scenario::{
        CRDTS, MODES, OBJECTS, PAYLOADS, PROTOCOLS, diagnostic::suggestion, expectation::MEASURES, topology::TOPOLOGIES,
    },
    services::STORES,
};

/// The words with which paragraphs between definition and source begin.
const LEADS: [&str; 7] = [
    "**Promises** ",
    "**Costs** ",
    "**Goes wrong** ",
    "**Read it as** ",
    "**Root cause** ",
    "**Fix** ",
    "**Caught by** ",
];

const WORDS: std::ops::RangeInclusive<usize> = 50..=200;

/// The replicated types of the library.
const TYPES: &[&str] = &[
    <GCounter as Crdt>::NAME,
    <PnCounter as Crdt>::NAME,
    <BoundedCounter as Crdt>::NAME,
    <ResettableCounter as Crdt>::NAME,
    <GSet<u64> as Crdt>::NAME,
    <TwoPhaseSet<u64> as Crdt>::NAME,
    <OrSet<u64> as Crdt>::NAME,
    <OrSetTombstones<u64> as Crdt>::NAME,
    <RwSet<u64> as Crdt>::NAME,
    <LwwRegister<u64> as Crdt>::NAME,
    <MvRegister<u64> as Crdt>::NAME,
    <MaxRegister<u64> as Crdt>::NAME,
    <MinRegister<u64> as Crdt>::NAME,
    <EwFlag as Crdt>::NAME,
    <DwFlag as Crdt>::NAME,
    <LwwMap<u64, u64> as Crdt>::NAME,
    <OrMap<u64, MvRegister<u64>> as Crdt>::NAME,
    <Cart<u64> as Crdt>::NAME,
    <Rga as Crdt>::NAME,
    <Fugue as Crdt>::NAME,
    <FugueMax as Crdt>::NAME,
];

/// What is registered, by kind. Concepts are not.
fn registered(kind: Kind) -> BTreeSet<&'static str> {
    let pairs = |list: &'static [(&'static str, &'static str)]| list.iter().map(|(name, _)| *name).collect();
    match kind {
        Kind::Object => pairs(OBJECTS),
        Kind::Protocol => pairs(PROTOCOLS),
        Kind::Crdt => CRDTS.iter().map(|(name, _)| *name).chain(TYPES.iter().copied()).collect(),
        Kind::GossipMode => pairs(MODES),
        Kind::GossipPayload => pairs(PAYLOADS),
        Kind::Store => pairs(STORES),
        Kind::Topology => pairs(TOPOLOGIES),
        Kind::Fault => FAULTS.iter().map(|fault| fault.name).collect(),
        Kind::Nemesis => NEMESIS.iter().map(|kind| kind.name).collect(),
        Kind::Measure => MEASURES.iter().map(|measure| measure.name).collect(),
        Kind::Checker => CHECKERS.iter().map(|checker| checker.name).collect(),
        Kind::Consistency => Consistency::ALL.iter().map(|model| model.name()).collect(),
        Kind::Bug => BUGS.iter().map(|bug| bug.name).collect(),
        Kind::Concept => BTreeSet::new(),
    }
}

fn explained(kind: Kind) -> Vec<&'static str> {
    topics().iter().filter(|topic| topic.kind == kind).flat_map(|topic| topic.names.iter().copied()).collect()
}

/// What is wrong with the shape of a text.
fn misshapen(text: &str) -> Vec<String> {
    let blocks: Vec<&str> = text.split("\n\n").collect();
    let [definition, paragraphs @ .., source] = &blocks[..] else {
        return vec!["it has fewer than two paragraphs".to_owned()];
    };
    let mut findings = Vec::new();
    let definition = definition.split_whitespace().collect::<Vec<_>>().join(" ");
    if !definition.ends_with('.') || definition.contains(". ") {
        findings.push(format!("the definition is not one sentence: {definition}"));
    }
    if paragraphs.is_empty() {
        findings.push("it says nothing but the definition".to_owned());
    }
    for paragraph in paragraphs {
        if !LEADS.iter().any(|lead| paragraph.starts_with(lead)) {
            findings.push(format!("a paragraph begins with no known words: {paragraph}"));
        }
    }
    let is_year =
        |part: &str| part.split_once(')').is_some_and(|(year, _)| year.len() == 4 && year.parse::<u32>().is_ok());
    if !source.starts_with("Source: ") || !source.ends_with('.') || !source.split('(').skip(1).any(is_year) {
        findings.push(format!("the source has no year, or does not begin with `Source: `: {source}"));
    }
    let words = text.split_whitespace().count();
    if !WORDS.contains(&words) {
        findings.push(format!("it has {words} words, and {} to {} are wanted", WORDS.start(), WORDS.end()));
    }
    let wide = text.lines().find(|line| line.chars().count() > 132);
    findings.extend(wide.map(|line| format!("a line is too long: {line}")));
    findings
}

#[test]
fn everything_that_is_registered_is_explained() {
    for kind in Kind::ALL {
        let explained = explained(kind);
        let missing: Vec<_> = registered(kind).into_iter().filter(|name| !explained.contains(name)).collect();
        assert!(missing.is_empty(), "no text of the kind {}: {missing:?}", kind.name());
    }
}

#[test]
fn every_type_of_the_library_is_in_the_list_of_this_test() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crdts/src");
    let mut found = 0;
    for entry in
        fs::read_dir(&library).expect("the library").chain(fs::read_dir(library.join("sequence")).expect("texts"))
    {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source");
        for declared in text.split("const NAME: &'static str = \"").skip(1) {
            let name = declared.split('"').next().unwrap_or_default();
            assert!(TYPES.contains(&name), "{}: {name}", path.display());
            found += 1;
        }
    }
    assert!(found > 15, "the search found {found} names only");
}

#[test]
fn nothing_is_explained_that_is_not_registered() {
    for topic in topics().iter().filter(|topic| topic.kind != Kind::Concept) {
        let registered = registered(topic.kind);
        for name in &topic.names {
            assert!(registered.contains(name), "{} {name}", topic.kind.name());
        }
    }
}

#[test]
fn names_are_distinct_within_a_kind() {
    for kind in Kind::ALL {
        let mut names: Vec<String> = explained(kind).iter().map(|name| canonical(name)).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{}", kind.name());
    }
}

#[test]
fn texts_have_one_shape() {
    // Texts on bugs are put together, not written in a file, and their lines end where their sentences do.
    let counts = |topic: &Topic, finding: &str| topic.kind != Kind::Bug || !finding.starts_with("a line is too long");
    let findings: Vec<String> = topics()
        .iter()
        .flat_map(|topic| misshapen(topic.text).into_iter().map(move |finding| (topic, finding)))
        .filter(|(topic, finding)| counts(topic, finding))
        .map(|(topic, finding)| format!("{}: {finding}", topic.name()))
        .collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn misshapen_texts_are_found() {
    let body = ["word"; 60].join("\n");
    let text = |definition: &str, lead: &str, source: &str| format!("{definition}\n\n{lead} {body}\n\n{source}");
    let (definition, lead, source) = ("It is a thing.", "**Promises**", "Source: Lamport (1978), *Time*.");
    assert_eq!(misshapen(&text(definition, lead, source)), Vec::<String>::new());
    for (definition, lead, source, story) in [
        ("It is a thing", lead, source, "no full stop"),
        ("It is. A thing.", lead, source, "two sentences"),
        (definition, "**Boasts**", source, "unknown words"),
        (definition, lead, "Lamport (1978), *Time*.", "no source"),
        (definition, lead, "Source: Lamport, *Time*.", "no year"),
        (definition, &format!("{lead} {}", "w\n".repeat(150)), source, "too long"),
        (definition, &format!("{lead} {}", "w".repeat(133)), source, "a line that is too long"),
    ] {
        assert!(!misshapen(&text(definition, lead, source)).is_empty(), "{story}");
    }
    assert!(!misshapen("It is a thing.").is_empty(), "nothing else");
    let padded = format!("{definition}\n\n{source} {body}.");
    assert_eq!(misshapen(&padded).len(), 1, "no paragraph");
}

#[test]
fn topics_are_found_in_any_kind_and_spelling() {
    let found = |name: &str| find(name).iter().map(|topic| (topic.kind, topic.name())).collect::<Vec<_>>();
    assert_eq!(found("Lost_Updates"), [(Kind::Measure, "lost_updates")]);
    assert_eq!(found("lost-updates"), [(Kind::Measure, "lost_updates")]);
    assert_eq!(found("lost update"), [(Kind::Concept, "lost-update")]);
    assert_eq!(found("partition.halves"), [(Kind::Fault, "partition.halves")]);
    assert_eq!(found("isolate"), [(Kind::Fault, "partition.isolate"), (Kind::Nemesis, "isolate")]);
    assert_eq!(found("delta"), [(Kind::GossipPayload, "delta"), (Kind::Concept, "delta")]);
    assert_eq!(found("2P set"), [(Kind::Crdt, "2p-set")]);
    assert_eq!(found("merge by sum"), [(Kind::Bug, "merge-by-sum")]);
    assert_eq!(found("nothing of the kind"), []);
    assert_eq!(suggestion("anti-entrophy", "topics", names()), "did you mean `anti-entropy`?");
}

#[test]
fn a_file_is_cut_into_its_sections() {
    let file = "# one, first\n\nThe *one*,\nof two.\n\n**Costs** # no heading\n\n# two\n\nThe other.\n";
    let cut: Vec<Topic> = sections(Kind::Concept, file).collect();
    assert_eq!((cut[0].name(), cut[0].names.len(), cut[1].name()), ("one", 2, "two"));
    assert_eq!(cut[0].paragraphs().collect::<Vec<_>>(), ["The *one*, of two.", "**Costs** # no heading"]);
    assert_eq!(cut[1].definition(), "The other.");
}
