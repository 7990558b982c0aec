//! Text for the terminal: one line per file, and under what is not consistent the calls that show it.
//!
//! Colours carry nothing that the words do not say.

use std::fmt::Write;

use super::{
    CheckFormat,
    model::{CheckReport, CheckVerdict, FileReport, Witness, WitnessCall},
};
use crate::report::{
    columns::{fit, one_line},
    human::count,
};

/// `check.txt`.
pub const FORMAT: CheckFormat = CheckFormat {
    name: "text",
    doc: "one line per file, and the calls that are not consistent",
    file: "check.txt",
    render: |report| render(report, CheckStyle::default()),
};

/// The most calls of a witness that are shown.
const CALLS_MAX: usize = 24;
/// The columns of a call: longer ones are cut.
const PHRASE_WIDTH: usize = 72;

/// How the text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckStyle {
    /// With ANSI colours.
    pub color: bool,
    /// Without files that pass.
    pub quiet: bool,
}

impl CheckStyle {
    fn paint(self, text: &str, code: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The report as text. Files that cannot be read are said elsewhere.
pub fn render(report: &CheckReport, style: CheckStyle) -> String {
    let mut text = String::new();
    for file in &report.files {
        let is_silent = style.quiet && file.verdict == CheckVerdict::Pass;
        if !is_silent && file.verdict != CheckVerdict::Unreadable {
            text.push_str(&entry(report, file, style));
        }
    }
    if report.files.len() > 1 && !style.quiet {
        text.push_str(&summary(report));
    }
    text
}

fn entry(report: &CheckReport, file: &FileReport, style: CheckStyle) -> String {
    let consistency = &report.consistency;
    let verdict = match file.verdict {
        CheckVerdict::Pass => style.paint(consistency, "32"),
        CheckVerdict::Vacuous => style.paint(&format!("vacuously {consistency}"), "33"),
        CheckVerdict::Inconclusive => style.paint(&format!("unknown whether {consistency}"), "33"),
        CheckVerdict::Fail => style.paint(&format!("NOT {consistency}"), "1;31"),
        CheckVerdict::Unreadable => style.paint("unreadable", "1;31"),
    };
    let mut size = format!("{}, {}", report.model, counted(file.calls, "call"));
    if let Some(parts) = file.parts {
        let _ = write!(size, ", {}", counted(parts, "part"));
    }
    let mut text = format!("{}: {verdict} ({size})", one_line(&file.path));
    if let Some(reason) = &file.reason {
        let _ = write!(text, ": {reason}");
    }
    text.push('\n');
    if let Some(witness) = &file.witness {
        text.push_str(&explanation(witness, style));
    }
    text
}

/// A number of things.
pub(super) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// What is wrong, with the lines of the file.
fn explanation(witness: &Witness, style: CheckStyle) -> String {
    let mut text = String::new();
    let mut said = witness.text.lines();
    if let Some(first) = said.next() {
        let _ = writeln!(text, "  {first}");
    }
    let shown = &witness.calls[..witness.calls.len().min(CALLS_MAX)];
    let spans: Vec<String> = shown.iter().map(span).collect();
    let processes: Vec<String> = shown.iter().map(|call| format!("process {}", call.process)).collect();
    let width = |column: &[String]| column.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let (span_width, process_width) = (width(&spans), width(&processes));
    for ((call, span), process) in shown.iter().zip(&spans).zip(&processes) {
        let phrase = style.paint(&fit(&phrase(call), PHRASE_WIDTH), "1");
        let _ = writeln!(text, "    {span:<span_width$}  {process:<process_width$}  {phrase}");
    }
    if witness.calls.len() > shown.len() {
        let _ = writeln!(text, "    and {} more", count((witness.calls.len() - shown.len()) as u64));
    }
    for line in said {
        let _ = writeln!(text, "  {line}");
    }
    if let Some(stuck) = stuck(witness) {
        let _ = writeln!(text, "  {stuck}");
    }
    text
}

/// Where it goes wrong, if that is known.
pub(super) fn stuck(witness: &Witness) -> Option<String> {
    let before = if witness.prefix.is_empty() { "" } else { "; those before it can be explained" };
    witness.stuck.map(|line| format!("nothing explains the answer in line {line}{before}"))
}

/// A text as one line that moves no cursor.
pub fn printable(text: &str) -> String {
    one_line(text)
}

/// The lines of a call; open at the end if nobody knows when it takes effect.
pub(super) fn span(call: &WitnessCall) -> String {
    match (call.returned, call.end_line) {
        (Some(_), Some(end)) if end != call.line => format!("lines {}-{end}", call.line),
        (Some(_), _) => format!("line {}", call.line),
        (None, _) => format!("lines {}-", call.line),
    }
}

/// The call in one phrase.
pub(super) fn phrase(call: &WitnessCall) -> String {
    let phrase = spoken(&call.f, call.key.as_ref(), call.argument.as_ref(), call.result.as_ref());
    if call.returned.is_none() { phrase + " -> ?" } else { phrase }
}

/// An operation, what it is applied to, and what it was answered.
pub(super) fn spoken(f: &str, key: Option<&String>, argument: Option<&String>, result: Option<&String>) -> String {
    let mut phrase = f.to_owned();
    for part in [key, argument].into_iter().flatten() {
        let _ = write!(phrase, " {part}");
    }
    if let Some(result) = result {
        let _ = write!(phrase, " -> {result}");
    }
    phrase
}

/// How many files have which verdict.
fn summary(report: &CheckReport) -> String {
    let consistency = &report.consistency;
    let words = [
        (CheckVerdict::Pass, consistency.clone()),
        (CheckVerdict::Fail, "not".to_owned()),
        (CheckVerdict::Vacuous, "vacuous".to_owned()),
        (CheckVerdict::Inconclusive, "unknown".to_owned()),
        (CheckVerdict::Unreadable, "unreadable".to_owned()),
    ];
    let counts = words.into_iter().filter_map(|(verdict, word)| {
        let files = report.files.iter().filter(|file| file.verdict == verdict).count() as u64;
        (files > 0).then(|| format!("{} {word}", count(files)))
    });
    format!("{}: {}\n", counted(report.files.len() as u64, "file"), counts.collect::<Vec<_>>().join(", "))
}
