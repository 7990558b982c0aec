//! HTML of a run: one page that needs no other.
//!
//! The verdict comes first with what to type to see it again, then expectations, agreement over time, how soon updates are visible, the
//! comparison of systems, availability by phase, faults, and what identifies the run.
//!
//! Invariant: well-formed as XML, nothing from elsewhere, and every text is escaped. The rows of the comparison are those of the text.
//!
//! What is deliberately absent: anything that the model does not hold.

use std::fmt::Write;

use super::{
    FormatDoc,
    columns::one_line,
    human::{count, duration, percentage},
    model::{FaultWindow, Report, System, Verdict},
    page::{figure, page, table},
    plot::{Plot, escape},
    rows::{Tone, groups},
    svg,
};

/// `report.html`.
pub const FORMAT: FormatDoc = FormatDoc {
    name: "html",
    doc: "a page with plots and tables, for browsers",
    extension: "html",
    file: "report.html",
    render,
};

/// The report as a page.
pub fn render(report: &Report) -> String {
    let verdict = word(report.verdict);
    let title = format!("{}, seed {}", one_line(&report.scenario), report.seed);
    let mut out = format!("<h1>{}: <span class=\"{verdict}\">{verdict}</span></h1>\n", escape(&title));
    if !report.story.trim().is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escape(&one_line(report.story.trim())));
    }
    let _ = writeln!(out, "<p>{}</p>", command(&report.reproduce));
    out.push_str(&expectations(report));
    for plot in [Some(svg::agreement(report)), svg::visibility(report)].into_iter().flatten() {
        out.push_str(&drawing(&plot));
    }
    out.push_str(&comparison(report));
    out.push_str(&availability(report));
    out.push_str(&witnesses(report));
    out.push_str(&faults(report));
    out.push_str(&identity(report));
    page(&format!("{title}: {verdict}"), &report.tool, &out)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Vacuous => "vacuous",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Fail => "fail",
    }
}

fn command(line: &str) -> String {
    format!("<code class=\"copy\">{}</code>", escape(&one_line(line)))
}

fn drawing(plot: &Plot) -> String {
    format!("<h2>{}</h2>\n{}", escape(plot.title()), figure(plot))
}

/// A cell of text that wraps.
fn wide(text: &str) -> String {
    format!("<td class=\"text wide\">{}</td>", escape(&one_line(text)))
}

fn expectations(report: &Report) -> String {
    let mut lines = String::new();
    for system in &report.systems {
        for expectation in &system.expectations {
            let verdict = word(expectation.verdict);
            let again = if expectation.verdict == Verdict::Pass { String::new() } else { command(&report.reproduce) };
            let _ = writeln!(
                lines,
                "<tr><th scope=\"row\">{}</th><td class=\"text {verdict}\">{verdict}</td>{}{}{}<td class=\"text wide\">{again}</td></tr>",
                escape(&one_line(&system.name)),
                wide(&expectation.text),
                wide(&expectation.observed),
                wide(expectation.reason.as_deref().unwrap_or_default()),
            );
        }
    }
    if lines.is_empty() {
        return "<h2>Expectations</h2>\n<p>The scenario expects nothing of these systems.</p>\n".to_owned();
    }
    let columns = [" system", " verdict", " expected", " observed", " reason", " command"];
    let caption = "What the scenario expects of each system.";
    format!("<h2>Expectations</h2>\n{}", table(caption, "expectations", &columns, &lines))
}

/// A column of names, then one per system.
fn columns<'a>(first: &'a str, report: &'a Report) -> Vec<&'a str> {
    // A name that begins with a space would ask for a column of text.
    [first].into_iter().chain(report.systems.iter().map(|system| system.name.trim_start())).collect()
}

fn comparison(report: &Report) -> String {
    let mut lines = String::new();
    for group in groups(report) {
        let _ = writeln!(
            lines,
            "<tr><th scope=\"rowgroup\" colspan=\"{}\" class=\"text\">{}</th></tr>",
            report.systems.len() + 1,
            group.title.to_lowercase()
        );
        for row in group.rows {
            let indent = if row.label.starts_with(' ') { "\u{a0}\u{a0}" } else { "" };
            let _ = write!(lines, "<tr><th scope=\"row\">{indent}{}</th>", escape(row.label.trim_start()));
            for cell in row.cells {
                let tone = match cell.tone {
                    Tone::Plain => "",
                    Tone::Good => " class=\"pass\"",
                    Tone::Bad => " class=\"fail\"",
                };
                let _ = write!(lines, "<td{tone}>{}</td>", escape(&cell.text));
            }
            lines.push_str("</tr>\n");
        }
    }
    let caption = "All systems saw the same arrivals of clients, the same faults and the same latencies.";
    format!("<h2>Comparison</h2>\n{}", table(caption, "comparison", &columns(" measure", report), &lines))
}

/// Every phase, with a bar per system.
fn availability(report: &Report) -> String {
    let mut phases: Vec<&str> = Vec::new();
    for entry in report.systems.iter().flat_map(|system| &system.availability) {
        if !phases.contains(&entry.phase.as_str()) {
            phases.push(&entry.phase);
        }
    }
    let mut lines = String::new();
    for phase in &phases {
        let _ = write!(lines, "<tr><th scope=\"row\">{}</th>", escape(&one_line(phase)));
        for system in &report.systems {
            let found = system.availability.iter().find(|entry| entry.phase == *phase);
            match found.and_then(|entry| Some((entry, entry.availability_ppm?))) {
                Some((entry, ppm)) => {
                    let (shown, of) = (percentage(ppm), format!("{} of {}", count(entry.ok), count(entry.total)));
                    let bar = format!("<meter min=\"0\" max=\"1000000\" value=\"{ppm}\">{shown}</meter>");
                    let _ = write!(lines, "<td>{bar} {shown}<br/><span class=\"faint\">{of}</span></td>");
                }
                None => lines.push_str("<td>-</td>"),
            }
        }
        lines.push_str("</tr>\n");
    }
    if lines.is_empty() {
        return String::new();
    }
    let caption = "The share of operations that succeeded, by the phase in which they were invoked.";
    format!("<h2>Availability</h2>\n{}", table(caption, "availability", &columns(" phase", report), &lines))
}

fn witnesses(report: &Report) -> String {
    let mut lines = String::new();
    for system in &report.systems {
        let value = system.correct_witness.as_deref().map(|witness| ("correct", witness));
        let models = system.consistency.iter().filter(|found| found.verdict == Verdict::Fail);
        let models = models.filter_map(|found| Some((found.model.as_str(), found.witness.as_deref()?)));
        for (what, witness) in value.into_iter().chain(models) {
            let name = escape(&one_line(&system.name));
            let _ = writeln!(lines, "<tr><th scope=\"row\">{name}</th>{}{}</tr>", wide(what), wide(witness));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let caption = "What shows that a system is not what a column names.";
    format!("<h2>Witnesses</h2>\n{}", table(caption, "witnesses", &[" system", " not", " witness"], &lines))
}

fn faults(report: &Report) -> String {
    let bites = |system: &System, window: &FaultWindow| {
        let found = system.faults_bitten.iter().find(|bite| bite.label == window.label);
        found.map_or("-", |bite| if bite.bit() { "felt" } else { "not felt" })
    };
    let mut lines = String::new();
    for window in &report.timeline {
        let until = window.to_ns.map_or_else(|| "never healed".to_owned(), duration);
        let felt: String =
            report.systems.iter().map(|system| ["<td>", bites(system, window), "</td>"].concat()).collect();
        let _ = writeln!(
            lines,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{until}</td>{felt}</tr>",
            escape(&one_line(&window.label)),
            duration(window.from_ns)
        );
    }
    if lines.is_empty() {
        return "<h2>Faults</h2>\n<p>There were none.</p>\n".to_owned();
    }
    let mut names = columns(" fault", report);
    names.splice(1..1, ["from", "until"]);
    let caption = "Did a fault do anything to a system? One that was not felt proves nothing.";
    format!("<h2>Faults</h2>\n{}", table(caption, "faults", &names, &lines))
}

fn identity(report: &Report) -> String {
    let row = |system: &System| {
        let name = escape(&one_line(&system.name));
        let code = format!("<td class=\"text\"><code>{}</code></td>", escape(&one_line(&system.fingerprint)));
        format!("<tr><th scope=\"row\">{name}</th>{}{code}{}</tr>\n", wide(&system.protocol), wide(&system.guarantee))
    };
    let lines: String = report.systems.iter().map(row).collect();
    let caption =
        format!("Equal fingerprints are equal runs, event by event. The scenario is {}.", report.scenario_hash);
    let columns = [" system", " protocol", " fingerprint", " guarantee"];
    format!("<h2>Systems</h2>\n{}", table(&caption, "systems", &columns, &lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::specimen;

    #[test]
    fn the_page_has_everything_and_the_command() {
        let report = specimen::report();
        let text = render(&report);
        for heading in ["Expectations", "Agreement over time", "Comparison", "Availability", "Faults", "Systems"] {
            assert!(text.contains(&format!("<h2>{heading}</h2>")), "{heading}");
        }
        assert!(text.contains("<code class=\"copy\">sim run scenarios/partition.toml --seed 1</code>"));
        let rows: usize = groups(&report).iter().map(|group| group.rows.len()).sum();
        assert!(text.matches("<th scope=\"row\">").count() > rows);
    }

    #[test]
    fn names_are_no_markup() {
        let mut report = specimen::report();
        let hostile = "</td><script>alert('x')</script>&\u{0}";
        hostile.clone_into(&mut report.scenario);
        hostile.clone_into(&mut report.story);
        hostile.clone_into(&mut report.reproduce);
        hostile.clone_into(&mut report.scenario_hash);
        for window in &mut report.timeline {
            hostile.clone_into(&mut window.label);
        }
        for system in &mut report.systems {
            for text in [&mut system.name, &mut system.protocol, &mut system.fingerprint, &mut system.guarantee] {
                hostile.clone_into(text);
            }
            for phase in &mut system.availability {
                hostile.clone_into(&mut phase.phase);
            }
            for expectation in &mut system.expectations {
                hostile.clone_into(&mut expectation.text);
                hostile.clone_into(&mut expectation.observed);
                expectation.reason = Some(hostile.to_owned());
            }
            system.correct_witness = Some(hostile.to_owned());
        }
        let text = render(&report);
        assert_eq!(text.matches("<script>").count(), 1, "only the page's own");
        assert!(!text.contains("alert('x')") && !text.contains('\u{0}'));
    }

    #[test]
    fn extremes_are_shown_without_panic() {
        for report in [specimen::extreme(), specimen::empty()] {
            assert!(render(&report).ends_with("</html>\n"));
        }
    }
}
