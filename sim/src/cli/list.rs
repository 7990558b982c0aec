//! `sim list`.

use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use super::{Exit, output};
use crate::{
    checkers::{CHECKERS, Consistency},
    engine::recorded::ModelKind,
    faults::{FAULTS, NEMESIS},
    report::FORMATS,
    scenario::{
        ARRIVALS, BINDINGS, CRDTS, MODES, OBJECTS, PAYLOADS, PLACES, PROTOCOLS, distribution::DISTRIBUTIONS,
        expectation::MEASURES, topology::TOPOLOGIES,
    },
    services::STORES,
    zoo::BUGS,
};

/// List what can be named: protocols, CRDTs, stores, topologies, faults, measures, checkers, models of histories, consistency
/// models, formats.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only this kind, for example `faults`.
    kind: Option<String>,

    /// The known bugs, which stand apart from what works.
    #[arg(long, conflicts_with = "kind")]
    bugs: bool,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Kind {
    kind: &'static str,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    doc: &'static str,
}

fn pairs(kind: &'static str, list: &[(&'static str, &'static str)]) -> Kind {
    Kind { kind, entries: list.iter().map(|(name, doc)| Entry { name: (*name).to_owned(), doc }).collect() }
}

/// Everything that is registered and works, by kind.
fn registered() -> Vec<Kind> {
    let named = |kind, list: Vec<(&'static str, &'static str)>| pairs(kind, &list);
    vec![
        pairs("objects", OBJECTS),
        pairs("protocols", PROTOCOLS),
        pairs("crdts", CRDTS),
        pairs("gossip modes", MODES),
        pairs("gossip payloads", PAYLOADS),
        pairs("stores", STORES),
        pairs("topologies", TOPOLOGIES),
        pairs("latencies", DISTRIBUTIONS),
        pairs("arrivals", ARRIVALS),
        pairs("bindings", BINDINGS),
        pairs("places", PLACES),
        named("faults", FAULTS.iter().map(|fault| (fault.name, fault.doc)).collect()),
        named("nemesis", NEMESIS.iter().map(|kind| (kind.name, kind.doc)).collect()),
        named("measures", MEASURES.iter().map(|measure| (measure.name, measure.doc)).collect()),
        named("checkers", CHECKERS.iter().map(|checker| (checker.name, checker.doc)).collect()),
        named("models", ModelKind::ALL.iter().map(|model| (model.name(), model.doc())).collect()),
        named("consistency", Consistency::ALL.iter().map(|model| (model.name(), model.doc())).collect()),
        named("formats", FORMATS.iter().map(|format| (format.name, format.doc)).collect()),
    ]
}

impl List {
    pub(super) fn execute(&self) -> Exit {
        let mut kinds = registered();
        if self.bugs {
            let bugs: Vec<(&'static str, &'static str)> = BUGS.iter().map(|bug| (bug.name, bug.title)).collect();
            kinds = vec![pairs("bugs", &bugs)];
        }
        if let Some(wanted) = &self.kind {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.kind).collect();
            if !names.contains(&wanted.as_str()) {
                let help = crate::scenario::diagnostic::suggestion(wanted, "kinds", names.iter().copied());
                return output::refuse(&format!("nothing of the kind `{wanted}` is listed: {help}"), Exit::Usage);
            }
            kinds.retain(|kind| kind.kind == wanted);
        }
        if self.json {
            return match serde_json::to_string_pretty(&kinds) {
                Ok(list) => output::say(&format!("{list}\n")),
                Err(error) => output::refuse(&format!("cannot render the list: {error}"), Exit::Internal),
            };
        }
        let mut page = String::new();
        for (index, Kind { kind, entries }) in kinds.iter().enumerate() {
            page.push_str(if index == 0 { "" } else { "\n" });
            page.push_str(kind);
            page.push('\n');
            let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
            for Entry { name, doc } in entries {
                // Writing to a string cannot fail.
                let _ = writeln!(page, "  {name:width$}  {doc}");
            }
        }
        output::say(&page)
    }
}
