//! Text for the terminal: the comparison table, the chart of agreement, the expectations, and how to reproduce it all.
//!
//! Invariant: no line is wider than 100 columns, but for the command line to copy. Colours carry nothing that the words do not
//! say.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, presets};

use super::{
    FormatDoc, chart,
    columns::{fit, one_line, pad, wrap},
    human::{count, duration},
    model::{Report, System, Verdict},
    rows::{Cell, Group, Tone, groups},
};

/// `report.txt`.
pub const FORMAT: FormatDoc = FormatDoc {
    name: "text",
    doc: "the comparison table and the chart of agreement, for the terminal",
    extension: "txt",
    file: "report.txt",
    render: |report| render(report, TextStyle::default()),
};

/// The systems side by side in one table.
const SYSTEMS_PER_PAGE: usize = 5;
/// The columns of the labels of measures.
const LABEL_WIDTH: usize = 28;
/// The longest name of a system in a heading of the table.
const NAME_WIDTH_MAX: usize = 40;

/// The columns of a system's name in front of its protocol.
const SYSTEM_WIDTH: usize = 20;

/// How the text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// With ANSI colours.
    pub color: bool,
    /// With block characters and rules; otherwise what the program itself writes is ASCII.
    pub unicode: bool,
}

impl Default for TextStyle {
    fn default() -> Self {
        Self { color: false, unicode: true }
    }
}

impl TextStyle {
    /// The text in an ANSI style, or as it is.
    fn paint(self, text: &str, code: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint(text, "1")
    }

    fn tone(self, text: &str, tone: Tone) -> String {
        match tone {
            Tone::Plain => text.to_owned(),
            Tone::Good => self.paint(text, "32"),
            Tone::Bad => self.paint(text, "1;31"),
        }
    }

    fn verdict(self, verdict: Verdict, columns: usize) -> String {
        let (word, code) = match verdict {
            Verdict::Pass => ("pass", "32"),
            Verdict::Vacuous => ("vacuous", "33"),
            Verdict::Inconclusive => ("inconclusive", "33"),
            Verdict::Fail => ("FAIL", "1;31"),
        };
        self.paint(&format!("{word:<columns$}"), code)
    }
}

/// The report as text.
pub fn render(report: &Report, style: TextStyle) -> String {
    let mut lines = heading(report, style);
    let groups = groups(report);
    for first in (0..report.systems.len()).step_by(SYSTEMS_PER_PAGE) {
        let last = report.systems.len().min(first + SYSTEMS_PER_PAGE);
        lines.push(String::new());
        lines.extend(table(&report.systems[first..last], first, &groups, style));
    }
    lines.push(String::new());
    lines.push(style.bold("AGREEMENT OVER TIME"));
    lines.extend(chart::lines(report, style.unicode));
    lines.extend(witnesses(report, style));
    lines.extend(expectations(report, style));
    lines.extend(unbitten(report, style));
    lines.extend(programs(report, style));
    lines.extend(footer(report, style));
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn heading(report: &Report, style: TextStyle) -> Vec<String> {
    let title = fit(&format!("{}, seed {}", report.scenario, report.seed), chart::WIDTH - 16);
    let mut lines = vec![format!("{}: {}", style.bold(&title), style.verdict(report.verdict, 0))];
    lines.extend(wrap(&report.story, "", chart::WIDTH));
    if !report.systems.is_empty() {
        lines.push(String::new());
    }
    for system in &report.systems {
        lines.push(fit(&format!("  {}  {}", pad(&system.name, SYSTEM_WIDTH), system.protocol), chart::WIDTH));
    }
    lines
}

/// One page of the table: these systems, whose first cell in a row is number `first`.
fn table(systems: &[System], first: usize, groups: &[Group], style: TextStyle) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(if style.unicode { presets::UTF8_NO_BORDERS } else { presets::ASCII_NO_BORDERS })
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(chart::WIDTH as u16);
    // Rules between rows would double the length.
    table.style_mut().row_separator = LineStyle::none();
    let names = systems.iter().map(|system| fit(&system.name, NAME_WIDTH_MAX));
    table.set_header(std::iter::once(String::new()).chain(names));
    let mut rows: Vec<&[Cell]> = Vec::new();
    for group in groups {
        table.add_row([group.title]);
        rows.push(&[]);
        for row in &group.rows {
            let cells = &row.cells[first..first + systems.len()];
            let label = fit(&row.label, LABEL_WIDTH);
            table.add_row(std::iter::once(label).chain(cells.iter().map(|cell| cell.text.clone())));
            rows.push(cells);
        }
    }
    if let Some(labels) = table.column_mut(0) {
        labels.set_constraint(ColumnConstraint::ContentWidth);
    }
    paint_lines(table.lines().collect(), &rows, style)
}

/// Colours the cells of a finished table, which knows nothing of colours. Labels are never wrapped, so a line without a label
/// continues the row above.
fn paint_lines(lines: Vec<String>, rows: &[&[Cell]], style: TextStyle) -> Vec<String> {
    if !style.color {
        return lines;
    }
    let border = if style.unicode { '┆' } else { '|' };
    let mut next = 0;
    let mut in_body = false;
    let mut painted = Vec::with_capacity(lines.len());
    for line in lines {
        let parts: Vec<&str> = line.split(border).collect();
        if !in_body {
            in_body = parts.len() == 1;
            painted.push(style.bold(&line));
            continue;
        }
        next += usize::from(!parts[0].trim().is_empty());
        match next.checked_sub(1).and_then(|row| rows.get(row)) {
            Some([]) => painted.push(style.bold(&line)),
            Some(cells) if cells.len() + 1 == parts.len() => {
                let cells = cells.iter().zip(&parts[1..]).map(|(cell, part)| style.tone(part, cell.tone));
                let parts: Vec<String> = std::iter::once(parts[0].to_owned()).chain(cells).collect();
                painted.push(parts.join(&border.to_string()));
            }
            // A name with a border in it: legible without colours.
            _ => painted.push(line),
        }
    }
    painted
}

/// The models whose witnesses are told; those of the others are in report.json.
const MODELS_TOLD: [&str; 3] = ["linearizable", "sequential", "strongly-convergent"];

/// Why systems are not correct, and which consistency models they break.
fn witnesses(report: &Report, style: TextStyle) -> Vec<String> {
    let mut lines = Vec::new();
    for system in &report.systems {
        let incorrect = system.correct_witness.iter().map(|witness| ("not correct".to_owned(), witness));
        let broken = system.consistency.iter().filter(|verdict| verdict.verdict == Verdict::Fail);
        let told = broken.filter(|found| MODELS_TOLD.contains(&found.model.as_str()));
        let told = told.filter_map(|found| Some((format!("not {}", found.model), found.witness.as_ref()?)));
        for (what, witness) in incorrect.chain(told) {
            let mut parts = witness.lines();
            let first = parts.next().unwrap_or_default();
            lines.extend(wrap(&format!("{}, {what}: {first}", system.name), "  ", chart::WIDTH));
            // What follows is laid out already: evidence, and a unit test.
            for part in parts {
                let indent = " ".repeat(4 + part.len() - part.trim_start().len());
                lines.extend(wrap(part, &indent, chart::WIDTH));
            }
        }
    }
    titled("WITNESSES", lines, style)
}

fn expectations(report: &Report, style: TextStyle) -> Vec<String> {
    let mut lines = Vec::new();
    for system in &report.systems {
        for expectation in &system.expectations {
            let text = format!("{}: {} (observed {})", system.name, expectation.text, expectation.observed);
            let indent = " ".repeat(16);
            let mut wrapped = wrap(&text, &indent, chart::WIDTH);
            if let Some(first) = wrapped.first_mut() {
                *first = format!("  {}  {}", style.verdict(expectation.verdict, 12), first.trim_start());
            }
            lines.extend(wrapped);
            if let Some(reason) = &expectation.reason {
                lines.extend(wrap(reason, &indent, chart::WIDTH));
            }
        }
    }
    titled("EXPECTATIONS", lines, style)
}

/// Faults that changed nothing for a system: a test that was not one.
fn unbitten(report: &Report, style: TextStyle) -> Vec<String> {
    let mut lines = Vec::new();
    for system in &report.systems {
        let labels: Vec<&str> =
            system.faults_bitten.iter().filter(|bite| !bite.bit()).map(|bite| bite.label.as_str()).collect();
        if !labels.is_empty() {
            lines.extend(wrap(&format!("{}: {}", system.name, labels.join(", ")), "  ", chart::WIDTH));
        }
    }
    titled("FAULTS WITHOUT ANY EFFECT", lines, style)
}

/// What was out of order in programs, and where a run again differed.
fn programs(report: &Report, style: TextStyle) -> Vec<String> {
    let mut lines = Vec::new();
    for system in &report.systems {
        let Some(programs) = &system.programs else { continue };
        let steps = format!("{} steps, {} messages", count(programs.steps), count(programs.lines));
        lines.extend(wrap(&format!("{}: {steps}, time by {}", system.name, programs.time_source), "  ", chart::WIDTH));
        for notes in &programs.notes {
            lines.extend(wrap(&format!("{}: {}", notes.kind, count(notes.count)), "    ", chart::WIDTH));
            for note in &notes.first {
                let told = format!("{} at {}: {}", note.node, duration(note.at_ns), note.what);
                told.lines().for_each(|line| lines.extend(wrap(line, "      ", chart::WIDTH)));
            }
        }
        for line in programs.audit_difference.iter().flat_map(|text| text.lines()) {
            lines.extend(wrap(line, "    ", chart::WIDTH));
        }
    }
    titled("PROGRAMS", lines, style)
}

fn footer(report: &Report, style: TextStyle) -> Vec<String> {
    let fingerprint = |system: &System| {
        fit(
            &format!("  {}  {}, {}", fit(&system.fingerprint, 32), fit(&system.name, 40), system.guarantee),
            chart::WIDTH,
        )
    };
    let mut lines = titled("FINGERPRINTS", report.systems.iter().map(fingerprint).collect(), style);
    lines.push(String::new());
    lines.push(format!("reproduce: {}", one_line(&report.reproduce)));
    lines
}

fn titled(title: &str, lines: Vec<String>, style: TextStyle) -> Vec<String> {
    if lines.is_empty() {
        return lines;
    }
    [String::new(), style.bold(title)].into_iter().chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{columns::width, model::FaultWindow, specimen};
    use proptest::prelude::*;

    fn ascii(report: &Report) -> String {
        render(report, TextStyle { color: false, unicode: false })
    }

    /// Everything but the line to copy fits.
    fn assert_fits(text: &str) {
        for line in text.lines().filter(|line| !line.starts_with("reproduce: ")) {
            assert!(width(line) <= 100, "{} columns: {line}", width(line));
        }
    }

    #[test]
    fn a_report_of_three_systems() {
        let text = render(&specimen::report(), TextStyle::default());
        assert_fits(&text);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_same_in_ascii() {
        let text = ascii(&specimen::report());
        assert!(text.is_ascii());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn long_names_and_many_systems_fit() {
        let mut report = specimen::report();
        let long = "a-system-with-a-name-that-nobody-would-type-twice-".repeat(3);
        for k in 0..4 {
            let mut system = report.systems[k].clone();
            system.name = format!("{long}{k}");
            system.agreed_value = Some(i128::MIN.to_string());
            system.acceptable =
                "-170141183460469231731687303715884105728..=170141183460469231731687303715884105727".into();
            report.systems.push(system);
        }
        report.timeline[0].label.clone_from(&long);
        for system in &mut report.systems {
            for phase in &mut system.availability[1..] {
                phase.phase.insert_str(0, &long);
            }
        }
        assert_eq!(report.systems.len(), 7);
        assert_fits(&ascii(&report));
        let text = render(&report, TextStyle::default());
        assert_fits(&text);
        assert_eq!(text.matches("CONVERGENCE").count(), 2, "seven systems take two pages");
        report.systems.truncate(5);
        assert_fits(&render(&report, TextStyle::default()));
    }

    #[test]
    fn extremes_are_shown_without_panic() {
        for report in [specimen::extreme(), specimen::empty()] {
            assert_fits(&ascii(&report));
            assert_fits(&render(&report, TextStyle::default()));
            assert!(!render(&report, TextStyle { color: true, unicode: true }).is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_numbers_are_shown(
            numbers in prop::collection::vec(prop_oneof![Just(0), Just(1), Just(u64::MAX), any::<u64>(), 0..100_u64], 16),
            agreement in prop::collection::vec((any::<u64>(), prop_oneof![0..9_u64, any::<u64>()]), 0..9),
            windows in prop::collection::vec((any::<u64>(), any::<Option<u64>>(), ".{0,50}"), 0..9),
            name in ".{0,60}",
        ) {
            let mut report = specimen::report();
            report.horizon_ns = numbers[0];
            report.timeline = windows
                .into_iter()
                .map(|(from_ns, to_ns, label)| FaultWindow { kind: label.clone(), label, from_ns, to_ns })
                .collect();
            let system = &mut report.systems[1];
            system.name = name;
            system.ended_ns = numbers[1];
            system.convergence_time_ns = Some(numbers[2]);
            system.distinct_max = numbers[3];
            system.lost_updates = Some(numbers[4]);
            system.bytes = numbers[5];
            system.messages = numbers[6];
            system.stale_reads.updates_behind_max = numbers[7];
            system.stale_reads.time_behind_ns_max = numbers[8];
            system.availability[0].availability_ppm = Some(numbers[9] as u32);
            system.agreement = agreement;
            assert_fits(&render(&report, TextStyle { color: false, unicode: numbers[10] % 2 == 0 }));
            let colored = render(&report, TextStyle { color: true, unicode: true });
            prop_assert!(colored.ends_with('\n'));
            prop_assert!(crate::report::markdown::render(&report).ends_with('\n'));
        }
    }

    #[test]
    fn names_cannot_command_the_terminal() {
        let mut report = specimen::report();
        report.systems[0].name = "red\x1b[31m\nreproduce: rm".into();
        report.story = "\x1b]0;title\x07".into();
        let text = render(&report, TextStyle::default());
        assert!(!text.contains(['\x1b', '\x07']));
        assert_eq!(text.lines().filter(|line| line.starts_with("reproduce: ")).count(), 1);
    }

    #[test]
    fn colours_change_nothing_but_colour() {
        let report = specimen::report();
        for unicode in [false, true] {
            let colored = render(&report, TextStyle { color: true, unicode });
            assert!(colored.contains("\x1b[1;31m"), "bad news is red");
            let mut plain = String::new();
            let mut rest = colored.as_str();
            while let Some(at) = rest.find('\x1b') {
                plain.push_str(&rest[..at]);
                rest = rest[at..].split_once('m').expect("every style ends in m").1;
            }
            plain.push_str(rest);
            let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
            assert_eq!(trimmed(&plain), trimmed(&render(&report, TextStyle { color: false, unicode })));
        }
        let red = render(&report, TextStyle { color: true, unicode: false });
        let lost = red.lines().find(|line| line.contains("lost updates")).expect("the row is there");
        assert!(lost.contains("\x1b[1;31m 412 "), "{lost:?}");
    }
}
