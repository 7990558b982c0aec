//! Validation: from the grammar to a [`Plan`].
//!
//! Every section of the file has a module here that reads its texts, resolves its names and refuses what makes no sense.
//! A section that fails does not stop the others: whatever can still be judged is judged, so that an author sees all
//! errors at once. What a section needs of another one is handed over as an `Option`.

mod cluster;
mod distribution;
mod expect;
mod external;
mod faults;
mod gate;
mod network;
mod operations;
mod reach;
mod systems;
mod workload;

use std::{
    ops::{Range, RangeInclusive},
    sync::{Arc, OnceLock},
};

use self::systems::Surroundings;
use super::{
    diagnostic::{Diagnostic, suggestion},
    file::{At, ScenarioFile, Written},
    names::Names,
    plan::Plan,
    units::{Duration, Unit},
};

pub use self::{
    operations::PLACES,
    systems::{CRDTS, MODES, PAYLOADS, PROTOCOLS},
    workload::{ARRIVALS, BINDINGS, OBJECTS},
};

/// Judges a file. `text` is the file as written, for its opening comment.
pub(super) fn plan(file: &ScenarioFile, hash: String, text: &str) -> Result<Plan, Vec<Diagnostic>> {
    let mut check = Check::default();
    name(&mut check, &file.name);
    let seed = seed(&mut check, file.seed.as_ref());
    let replicas = cluster::replicas(&mut check, &file.cluster.value);
    let clients = workload::clients(&mut check, &file.workload.value);
    // Wrong names are only worth reporting when it is known which ones are right.
    let names = replicas.zip(clients).map(|(replicas, clients)| Names::new(replicas, systems::stores(file), clients));
    let cluster = cluster::cluster(&mut check, &file.cluster.value, names.as_ref());
    let services = network::services(&mut check, &file.services, names.as_ref());
    let network = network::network(&mut check, file, names.as_ref(), cluster.as_ref(), services.as_ref());
    let work = workload::workload(&mut check, file, replicas, clients);
    let limits = workload::limits(&mut check, file, work.as_ref());
    let surroundings = Surroundings {
        names: names.as_ref(),
        graph: cluster.as_ref().map(|cluster| &cluster.graph),
        work: work.as_ref(),
    };
    let systems = systems::systems(&mut check, file, &surroundings);
    let expectations = expect::expectations(&mut check, file);
    let gate = gate::gate(&mut check, &file.gate);
    let timeline = faults::timeline(&mut check, file, names.as_ref(), work.as_ref());
    external::crashes(&mut check, file, timeline.as_ref());
    if let (Some(names), Some(services), Some(work), Some(timeline)) = (&names, &services, &work, &timeline) {
        reach::stores(&mut check, file, &reach::World { names, services, work, timeline, seed: seed.unwrap_or(1) });
    }
    if let (
        Some(seed),
        Some(names),
        Some(cluster),
        Some(network),
        Some(services),
        Some(work),
        Some(limits),
        Some(timeline),
        Some(gate),
    ) = (seed, names, cluster, network, services, work, limits, timeline, gate)
        && check.findings.is_empty()
    {
        return Ok(Plan {
            name: file.name.value.clone(),
            story: story(text),
            seed,
            hash,
            systems,
            expectations,
            gate,
            services: services.stores,
            workload: work.config,
            timeout_ns: work.timeout_ns,
            limits,
            drawn: Vec::new(),
            origin: Arc::default(),
            names,
            cluster,
            network,
            service_at: services.at,
            timeline,
            fixed: OnceLock::new(),
        });
    }
    let mut findings = check.findings;
    findings.sort_by_key(|finding| finding.labels.first().map_or(usize::MAX, |label| label.span.start));
    Err(findings)
}

/// The findings so far, and the questions that all sections ask.
#[derive(Debug, Default)]
struct Check {
    findings: Vec<Diagnostic>,
}

impl Check {
    fn push(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// A value, or a finding.
    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|finding| self.push(finding)).ok()
    }

    /// A quantity.
    fn read<U: Unit>(&mut self, written: &Written<U>) -> Option<U::Value> {
        let finding = |malformed: super::units::Malformed| {
            let mut finding = Diagnostic::new("scenario::quantity", malformed.message).at(written.span.clone(), "here");
            finding.help = malformed.help;
            finding
        };
        self.keep(written.parse().map_err(finding))
    }

    /// A quantity that may be left out.
    fn read_or<U: Unit>(&mut self, written: Option<&Written<U>>, default: U::Value) -> Option<U::Value> {
        written.map_or(Some(default), |written| self.read(written))
    }

    /// A duration above zero.
    fn positive(&mut self, written: &Written<Duration>, what: &str) -> Option<u64> {
        let ns = self.read(written)?;
        if ns == 0 {
            let message = format!("{what} must be longer than zero");
            self.push(
                Diagnostic::new("scenario::value", message)
                    .at(written.span.clone(), "zero")
                    .help("use a duration such as \"1s\""),
            );
        }
        (ns > 0).then_some(ns)
    }

    /// A whole number within limits.
    fn within(&mut self, number: &At<i64>, what: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let fitting = u32::try_from(number.value).ok().filter(|value| range.contains(value));
        if fitting.is_none() {
            let message = format!("{what} cannot be {}", number.value);
            let help = format!("use a number from {} to {}", range.start(), range.end());
            self.push(Diagnostic::new("scenario::value", message).at(number.span.clone(), "out of range").help(help));
        }
        fitting
    }

    /// One of the names of a list; returns its position.
    fn choose(&mut self, name: &At<String>, what: &str, list: &[(&str, &str)]) -> Option<usize> {
        let found = list.iter().position(|(known, _)| *known == name.value);
        if found.is_none() {
            let help = suggestion(&name.value, &format!("{what}s"), list.iter().map(|(known, _)| *known));
            let finding = Diagnostic::new("scenario::unknown-name", format!("there is no {what} `{}`", name.value));
            self.push(finding.at(name.span.clone(), format!("no {what}")).help(help));
        }
        found
    }

    /// Exactly one of several keys; returns its position.
    fn exactly_one(
        &mut self,
        place: &Range<usize>,
        what: &str,
        keys: &[(&str, Option<Range<usize>>)],
    ) -> Option<usize> {
        let given = || keys.iter().enumerate().filter_map(|(at, (name, place))| Some((at, *name, place.clone()?)));
        let names = keys.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match given().count() {
            1 => given().next().map(|(at, ..)| at),
            0 => {
                let finding = Diagnostic::new("scenario::no-kind", format!("this {what} does not say what it is"));
                self.push(finding.at(place.clone(), "no kind here").help(format!("add one of {names}")));
                None
            }
            _ => {
                let message = format!("this {what} is several things at once");
                let mut finding = Diagnostic::new("scenario::several-kinds", message).help("keep one of them");
                for (_, name, place) in given() {
                    finding = finding.at(place, format!("`{name}`"));
                }
                self.push(finding);
                None
            }
        }
    }

    /// Two keys that exclude each other.
    fn contradiction(&mut self, message: &str, first: (Range<usize>, &str), second: (Range<usize>, &str), help: &str) {
        let finding = Diagnostic::new("scenario::contradiction", message);
        self.push(finding.at(first.0, first.1).at(second.0, second.1).help(help));
    }
}

/// The name is part of file names and of lines to copy.
fn name(check: &mut Check, name: &At<String>) {
    let text = name.value.as_str();
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if text.len() > 64 || !text.split('-').all(is_word) {
        let finding = Diagnostic::new("scenario::value", format!("`{text}` cannot be the name of a scenario"));
        let help = "use at most 64 lower-case letters and digits, with single dashes between words: `clock-skew`";
        check.push(finding.at(name.span.clone(), "not in kebab case").help(help));
    }
}

fn seed(check: &mut Check, seed: Option<&At<i64>>) -> Option<u64> {
    let Some(seed) = seed else { return Some(1) };
    let fitting = u64::try_from(seed.value).ok();
    if fitting.is_none() {
        let finding = Diagnostic::new("scenario::value", "a seed cannot be negative");
        check.push(finding.at(seed.span.clone(), "negative").help("use a number from 0"));
    }
    fitting
}

/// The opening comment: the lines before the first that is neither a comment nor empty, without directives (`#:`).
fn story(text: &str) -> String {
    let comments = text.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with('#'));
    let lines = comments.filter(|line| !line.starts_with("#:")).map(|line| line.trim_start_matches('#').trim());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
