//! `sim check`.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser, ValueParser},
};
use rayon::prelude::*;

use super::{Exit, Surroundings, output};
use crate::{
    checkers::linearizability::Limits,
    engine::recorded::{FailedCas, Inquiry, Judged, ModelKind, Property, check},
    history::file::Value,
    report::history::{
        CheckFormat, FORMATS, html,
        model::{CheckReport, CheckVerdict, Unreadable, report},
        text::{self, CheckStyle},
    },
    scenario::units::{self, Unit},
};

const EXAMPLES: &str = "\
Examples:
  sim check --model cas-register etcd.log
  sim check --model kv --json runs/*.edn
  sim check --model kv-rw --format html --out failures.html history.jsonl
  grep -v nemesis history.edn | sim check --model set -

A history is JSON lines (`sim schema history`), Jepsen's EDN, or a log of Jepsen; which one is found out. The order of events
in the file is their order in time. What succeeded took effect between its two events; what failed did not happen; what ended
with `info`, or not at all, may take effect at any later time, or never.

Exit codes: 0 all files are consistent, 1 some are not, 2 some cannot be read (the others are judged all the same),
3 some could not be decided, or put nothing to the test.";

/// Judge recorded histories, of any program: are they linearizable, or whatever else is asked?
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// The histories; `-` reads standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// What they are histories of.
    #[arg(long, value_name = "MODEL", value_parser = models())]
    model: ModelKind,

    /// What they are held against.
    #[arg(long, value_name = "NAME", default_value = "linearizable", value_parser = properties())]
    consistency: Property,

    /// The value of a register at the beginning; nil unless given.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    init: Option<String>,

    /// What a compare-and-set that failed says: that it did not happen, or that it compared with a value that differed. A
    /// store's counts only where its `error` says which: 20 or `key-does-not-exist`, 22 or `precondition-failed`.
    #[arg(long, value_name = "MEANING", value_parser = ["dropped", "compared"], default_value = "dropped")]
    failed_cas: String,

    /// Give up a part of a history after this many steps.
    #[arg(long, value_name = "N", default_value_t = Limits::default().steps)]
    steps: u64,

    /// Give up a part of a history at this much memory, roughly, for example 256MiB; 1GiB unless given.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<usize>,

    /// Give up all that is left after this time, for example 30s. What is found then depends on the machine.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time_limit: Option<Duration>,

    /// How to show what was found.
    #[arg(long, value_name = "FORMAT", value_parser = formats(), default_value = "text")]
    format: String,

    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Write there instead of to standard output: a file, or a directory that exists.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

fn models() -> ValueParser {
    let names = ModelKind::ALL.map(|model| PossibleValue::new(model.name()).help(model.doc()));
    let named = |name: String| ModelKind::named(&name).ok_or("the parser lets through the names of models only");
    ValueParser::new(PossibleValuesParser::new(names).try_map(named))
}

fn properties() -> ValueParser {
    let names = Property::all().map(|property| PossibleValue::new(property.name()).help(property.doc()));
    let named = |name: String| Property::named(&name).ok_or("the parser lets through names of properties only");
    ValueParser::new(PossibleValuesParser::new(names).try_map(named))
}

fn formats() -> ValueParser {
    let names = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.doc));
    ValueParser::new(PossibleValuesParser::new(names))
}

fn size(text: &str) -> Result<usize, String> {
    let bytes = units::Size::parse(text).map_err(|malformed| malformed.message)?;
    usize::try_from(bytes).map_err(|_| "this is more than this machine can address".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    units::Duration::parse(text).map(Duration::from_nanos).map_err(|malformed| malformed.message)
}

/// A value as a history would write it.
fn value(text: &str) -> Value {
    match text {
        "nil" | "null" => Value::Nil,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Int),
    }
}

impl Check {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let inquiry = self.inquiry().map_err(|reason| output::refuse(&reason, Exit::Usage))?;
        if self.files.iter().filter(|file| is_stdin(file)).count() > 1 {
            return Err(output::refuse("standard input can be read only once", Exit::Usage));
        }
        let report = report(&inquiry, self.judge(&inquiry));
        for file in &report.files {
            if file.verdict == CheckVerdict::Unreadable {
                let line = file.line.map_or_else(String::new, |line| format!("{line}:"));
                let reason = file.reason.as_deref().unwrap_or_default();
                output::refuse(&text::printable(&format!("{}:{line} {reason}", file.path)), Exit::Usage);
            }
        }
        self.show(&report, surroundings)?;
        Ok(match report.verdict {
            CheckVerdict::Pass => Exit::Pass,
            CheckVerdict::Vacuous | CheckVerdict::Inconclusive => Exit::Inconclusive,
            CheckVerdict::Fail => Exit::Finding,
            CheckVerdict::Unreadable => Exit::Usage,
        })
    }

    fn inquiry(&self) -> Result<Inquiry, String> {
        let mut inquiry = Inquiry::new(self.model, self.consistency)?;
        if let Some(init) = &self.init {
            if !self.model.has_init() {
                return Err(format!("--init is the value of a register; the model `{}` has none", self.model.name()));
            }
            inquiry.init = value(init);
        }
        if self.failed_cas == "compared" {
            if !self.model.has_cas() {
                return Err(format!("the model `{}` has no cas that could have failed", self.model.name()));
            }
            inquiry.failed_cas = FailedCas::Compared;
        }
        Ok(inquiry)
    }

    /// Judges all files side by side; what becomes of each depends on none of the others.
    fn judge(&self, inquiry: &Inquiry) -> Vec<(String, Result<Judged, Unreadable>)> {
        let is_over = Arc::new(AtomicBool::new(false));
        if let Some(limit) = self.time_limit {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || {
                std::thread::sleep(limit);
                is_over.store(true, Ordering::Relaxed);
            });
        }
        let stop = move || is_over.load(Ordering::Relaxed);
        let default = Limits::default();
        let limits = Limits {
            steps: self.steps,
            bytes: self.memory.unwrap_or(default.bytes),
            stop: self.time_limit.is_some().then_some(&stop),
        };
        let judge = |file: &PathBuf| {
            let judged = read(file).map_err(|reason| Unreadable { line: None, reason }).and_then(|bytes| {
                check(&bytes, inquiry, &limits)
                    .map_err(|error| Unreadable { line: Some(error.line), reason: error.reason })
            });
            (name(file), judged)
        };
        self.files.par_iter().map(judge).collect()
    }

    fn show(&self, report: &CheckReport, surroundings: Surroundings) -> Result<(), Exit> {
        let format = self.chosen_format();
        let style = CheckStyle { color: surroundings.color, quiet: surroundings.quiet };
        let Some(out) = &self.out else {
            let shown =
                if format.name == text::FORMAT.name { text::render(report, style) } else { (format.render)(report) };
            return said(output::say(&shown));
        };
        let out = if out.is_dir() { out.join(format.file) } else { out.clone() };
        fs::write(&out, (format.render)(report))
            .map_err(|error| output::refuse(&format!("cannot write {}: {error}", out.display()), Exit::Internal))?;
        if format.name == html::FORMAT.name {
            said(output::say(&text::render(report, style)))?;
        }
        if !surroundings.quiet {
            output::fail(&format!("report written to {}", out.display()));
        }
        Ok(())
    }

    fn chosen_format(&self) -> &'static CheckFormat {
        let name = if self.json { "json" } else { &self.format };
        FORMATS.iter().find(|format| format.name == name).unwrap_or(&text::FORMAT)
    }
}

/// Anything but a pass ends the program.
fn said(exit: Exit) -> Result<(), Exit> {
    if exit == Exit::Pass { Ok(()) } else { Err(exit) }
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn name(file: &Path) -> String {
    if is_stdin(file) { "<stdin>".to_owned() } else { file.display().to_string() }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    if is_stdin(file) {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(|error| format!("cannot be read: {error}"));
    }
    if file.is_dir() {
        return Err("is a directory; name the files in it".to_owned());
    }
    fs::read(file).map_err(|error| format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_in_a_history() {
        assert_eq!(value("nil"), Value::Nil);
        assert_eq!(value("true"), Value::Bool(true));
        assert_eq!(value("-3"), Value::Int(-3));
        assert_eq!(value("x"), Value::Text("x".to_owned()));
    }
}
