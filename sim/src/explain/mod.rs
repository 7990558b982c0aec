//! Explanations: for everything that has a name a short text on what it is, promises and costs, and where it comes from.
//!
//! The texts stand in Markdown files beside the code that they describe; [`sources`] lists the files by kind. A file has one or
//! several sections of one shape, which the tests hold:
//!
//! ```text
//! # NAME, FURTHER NAMES
//!
//! One sentence that defines it.
//!
//! **Promises** ..., **Costs** ..., **Goes wrong** ..., **Read it as** ...: one paragraph or several, as fits.
//!
//! Source: authors (year), *title*, section.
//! ```
//!
//! Invariant: everything that is registered has a text of its kind, and nothing has a text that is not registered, but for
//! [`Kind::Concept`]. A name may occur in several kinds: `delta` is a payload and a concept.
//!
//! ```
//! use sim::explain::{Kind, find};
//!
//! let found = find("PN_counter");
//! assert_eq!((found[0].kind, found[0].name()), (Kind::Crdt, "pn-counter"));
//! assert_eq!(find("halves")[0].name(), "partition.halves");
//! assert!(find("paxos").is_empty());
//! ```
//!
//! What is deliberately absent: how a text is shown.

pub mod sources;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::zoo::{BUGS, Bug};

/// What is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What clients see of a data type.
    Object,
    /// A way of keeping replicas.
    Protocol,
    /// A replicated data type.
    Crdt,
    /// In which direction gossip carries knowledge.
    GossipMode,
    /// What gossip sends.
    GossipPayload,
    /// An external store.
    Store,
    /// Who is whose neighbour.
    Topology,
    /// What a timeline can do to a cluster.
    Fault,
    /// What the nemesis can draw.
    Nemesis,
    /// A number that can be expected.
    Measure,
    /// A judge of histories.
    Checker,
    /// What clients may rely on.
    Consistency,
    /// A system that is wrong on purpose.
    Bug,
    /// A notion that has no line of code.
    Concept,
}

impl Kind {
    /// All kinds, in the order in which `sim list` has them.
    pub const ALL: [Self; 14] = [
        Self::Object,
        Self::Protocol,
        Self::Crdt,
        Self::GossipMode,
        Self::GossipPayload,
        Self::Store,
        Self::Topology,
        Self::Fault,
        Self::Nemesis,
        Self::Measure,
        Self::Checker,
        Self::Consistency,
        Self::Bug,
        Self::Concept,
    ];

    /// The name of one thing of this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Protocol => "protocol",
            Self::Crdt => "crdt",
            Self::GossipMode => "gossip mode",
            Self::GossipPayload => "gossip payload",
            Self::Store => "store",
            Self::Topology => "topology",
            Self::Fault => "fault",
            Self::Nemesis => "nemesis",
            Self::Measure => "measure",
            Self::Checker => "checker",
            Self::Consistency => "consistency model",
            Self::Bug => "bug",
            Self::Concept => "concept",
        }
    }

    /// The heading of all things of this kind.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Object => "objects",
            Self::Protocol => "protocols",
            Self::Crdt => "crdts",
            Self::GossipMode => "gossip modes",
            Self::GossipPayload => "gossip payloads",
            Self::Store => "stores",
            Self::Topology => "topologies",
            Self::Fault => "faults",
            Self::Nemesis => "nemesis",
            Self::Measure => "measures",
            Self::Checker => "checkers",
            Self::Consistency => "consistency models",
            Self::Bug => "bugs",
            Self::Concept => "concepts",
        }
    }
}

/// Something that is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name, and further ones under which it is found.
    pub names: Vec<&'static str>,
    /// What it is.
    pub kind: Kind,
    /// The text below the heading, in Markdown.
    pub text: &'static str,
}

impl Topic {
    /// The name that is shown.
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// The paragraphs, each on one line.
    pub fn paragraphs(&self) -> impl Iterator<Item = String> + use<> {
        self.text.split("\n\n").map(|block| block.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The first sentence, which defines the topic.
    pub fn definition(&self) -> String {
        self.paragraphs().next().unwrap_or_default()
    }

    /// Is it called so? Case, and whether words are joined by hyphens, underscores or spaces, make no difference; neither
    /// does the family before a dot.
    fn is_called(&self, name: &str) -> bool {
        let called = |own: &&'static str| {
            let own = canonical(own);
            own == name || own.split_once('.').is_some_and(|(_, member)| member == name)
        };
        self.names.iter().any(called)
    }
}

static TOPICS: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let mut topics: Vec<Topic> = Kind::ALL
        .into_iter()
        .flat_map(|kind| sources::of(kind).into_iter().flat_map(move |file| sections(kind, file)))
        .collect();
    // They are made once, and live as long as the program.
    let bug = |bug: &Bug| Topic { names: vec![bug.name], kind: Kind::Bug, text: bug.text().leak() };
    topics.extend(BUGS.iter().map(bug));
    topics.sort_by_key(|topic| topic.kind);
    topics
});

/// All topics, by kind, in the order of their files.
pub fn topics() -> &'static [Topic] {
    &TOPICS
}

/// The topics of this name, at most one of each kind but for members of families.
pub fn find(name: &str) -> Vec<&'static Topic> {
    let name = canonical(name);
    topics().iter().filter(|topic| topic.is_called(&name)).collect()
}

/// All names under which topics are found.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    topics().iter().flat_map(|topic| topic.names.iter().copied())
}

/// A name with small letters and hyphens.
fn canonical(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', ' '], "-")
}

/// The sections of a file.
fn sections(kind: Kind, file: &'static str) -> impl Iterator<Item = Topic> {
    let headed = |section: &'static str| section.split_once('\n').unwrap_or((section, ""));
    let sections = file.strip_prefix("# ").unwrap_or(file).split("\n# ");
    sections.map(headed).map(move |(heading, text)| {
        let names = heading.split(',').map(str::trim).collect();
        Topic { names, kind, text: text.trim() }
    })
}
