//! Markdown for pull requests and issues: the same rows as the text, as tables that GitHub renders.
//!
//! Invariant: names and witnesses are escaped, so that they cannot become markup.

use std::fmt::Write as _;

use super::{
    FormatDoc, chart,
    columns::one_line,
    model::{Report, Verdict},
    rows::{Tone, groups},
};

/// `report.md`.
pub const FORMAT: FormatDoc = FormatDoc {
    name: "markdown",
    doc: "tables for pull requests and issues",
    extension: "md",
    file: "report.md",
    render,
};

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    write_report(report, &mut out).expect("a string takes everything");
    out
}

fn write_report(report: &Report, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# {}, seed {}: {}", escaped(&report.scenario), report.seed, word(report.verdict))?;
    if !report.story.trim().is_empty() {
        writeln!(out, "\n{}", escaped(report.story.trim()))?;
    }
    write_table(report, out)?;
    writeln!(out, "\n## Agreement over time\n\n```text")?;
    for line in chart::lines(report, true) {
        writeln!(out, "{}", line.trim_end().replace('`', "'"))?;
    }
    writeln!(out, "```")?;
    write_witnesses(report, out)?;
    write_expectations(report, out)?;
    writeln!(out, "\n## Reproduce\n\n```sh\n{}\n```", one_line(&report.reproduce).replace("```", "'''"))?;
    if !report.systems.is_empty() {
        writeln!(out, "\n| system | fingerprint | guarantee |\n|---|---|---|")?;
        for system in &report.systems {
            let (name, guarantee) = (escaped(&system.name), escaped(&system.guarantee));
            writeln!(out, "| {name} | {} | {guarantee} |", code(&system.fingerprint))?;
        }
    }
    Ok(())
}

fn write_table(report: &Report, out: &mut String) -> std::fmt::Result {
    if report.systems.is_empty() {
        return Ok(());
    }
    write!(out, "\n| |")?;
    for system in &report.systems {
        write!(out, " {} |", escaped(&system.name))?;
    }
    writeln!(out, "\n|---|{}", "---:|".repeat(report.systems.len()))?;
    for group in groups(report) {
        writeln!(out, "| **{}** |{}", group.title.to_lowercase(), " |".repeat(report.systems.len()))?;
        for row in group.rows {
            let indent = if row.label.starts_with(' ') { "&nbsp;&nbsp;" } else { "" };
            write!(out, "| {indent}{} |", escaped(row.label.trim_start()))?;
            for cell in row.cells {
                let text = escaped(&cell.text);
                match cell.tone {
                    Tone::Bad => write!(out, " **{text}** |")?,
                    Tone::Plain | Tone::Good => write!(out, " {text} |")?,
                }
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

fn write_witnesses(report: &Report, out: &mut String) -> std::fmt::Result {
    let mut witnesses = Vec::new();
    for system in &report.systems {
        witnesses.extend(system.correct_witness.iter().map(|witness| (&system.name, "correct", witness)));
        let broken = system.consistency.iter().filter(|found| found.verdict == Verdict::Fail);
        let broken = broken.filter_map(|found| Some((&system.name, found.model.as_str(), found.witness.as_ref()?)));
        witnesses.extend(broken);
    }
    if !witnesses.is_empty() {
        writeln!(out, "\n## Witnesses\n")?;
    }
    for (system, model, witness) in witnesses {
        writeln!(out, "* **{}**, not {}: {}", escaped(system), escaped(model), escaped(witness))?;
    }
    Ok(())
}

fn write_expectations(report: &Report, out: &mut String) -> std::fmt::Result {
    if report.systems.iter().all(|system| system.expectations.is_empty()) {
        return Ok(());
    }
    writeln!(out, "\n## Expectations\n\n| verdict | system | expected | observed | reason |\n|---|---|---|---|---|")?;
    for system in &report.systems {
        for expectation in &system.expectations {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                word(expectation.verdict),
                escaped(&system.name),
                code(&expectation.text),
                code(&expectation.observed),
                escaped(expectation.reason.as_deref().unwrap_or_default()),
            )?;
        }
    }
    Ok(())
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Vacuous => "vacuous",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Fail => "**FAIL**",
    }
}

/// Text without markup, on one line.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in one_line(text).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // So that a name does not notify a person, or link to an issue.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '!' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}

/// Text as code within a table.
pub(super) fn code(text: &str) -> String {
    let text = one_line(text).replace('`', "'").replace('|', "\\|");
    if text.trim().is_empty() { String::new() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::specimen;

    #[test]
    fn a_report_of_three_systems() {
        insta::assert_snapshot!(render(&specimen::report()));
    }

    #[test]
    fn names_are_no_markup() {
        let mut report = specimen::report();
        report.systems[0].name = "a|b <script> @you [x](y)\n# z".into();
        let text = render(&report);
        assert!(text.contains(r"a\|b &lt;script&gt; &#64;you \[x\](y) &#35; z"));
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let lines = text.lines().skip_while(|line| !line.starts_with("| |"));
        for line in lines.take_while(|line| line.starts_with('|')) {
            assert_eq!(bars(line), report.systems.len() + 2, "{line}");
        }
    }

    #[test]
    fn extremes_are_shown_without_panic() {
        for report in [specimen::extreme(), specimen::empty()] {
            assert!(render(&report).ends_with('\n'));
        }
    }
}
