//! HTML: one page that needs no other, with a drawing of every history that is not consistent.
//!
//! Invariant: well-formed as XML, without scripts and without anything from elsewhere; every text of a history is escaped.
//!
//! What is deliberately absent: a drawing of everything. The layout chooses what is worth it, and the page says how
//! much was left out.

use std::fmt::Write;

use super::{
    CheckFormat,
    drawing::{Bar, Drawing},
    model::{CheckReport, CheckVerdict, FileReport, Witness},
    text::{counted, phrase, span, spoken, stuck},
};
use crate::{
    engine::recorded::Fate,
    report::{columns::fit, human::count, plot::escape},
};

/// `check.html`.
pub const FORMAT: CheckFormat = CheckFormat {
    name: "html",
    doc: "a page with a drawing of every history, for browsers",
    file: "check.html",
    render,
};

/// Pixels: the width of a column, the height of a row, what stands to the left, and what stands above.
const COLUMN: usize = 26;
const ROW: usize = 28;
const LEFT: usize = 110;
const TOP: usize = 16;
/// Pixels of a character in a bar.
const CHARACTER: usize = 7;
/// The most columns of a text in a tip or a table.
const TIP_WIDTH: usize = 400;

const STYLE: &str = "\
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #6b7280; --line: #d7dbe0; --ok: #9fc5e8; --info: #f3d58a; \
--fail: #e5e7eb; --wrong: #f28b82; --edge: #b3261e; --window: #fdecea; } \
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #16191d; --faint: #9aa3ad; --line: #363c44; --ok: #2f5d85; \
--info: #7a6220; --fail: #30353c; --wrong: #8c2f28; --edge: #ff8a80; --window: #2d1b1b; } } \
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 75rem; padding: 0 1rem; } \
h2 { margin: 2.5rem 0 .25rem; font-size: 1.1rem; overflow-wrap: anywhere; } p { margin: .4rem 0; } \
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; margin: .8rem 0; } \
svg { display: block; font: 11px ui-monospace, monospace; } svg text { fill: var(--ink); } svg .faint { fill: var(--faint); } \
table { border-collapse: collapse; margin: .8rem 0; } th, td { text-align: left; padding: .15rem 1rem .15rem 0; } th { color: var(--faint); font-weight: normal; } \
td { font-family: ui-monospace, monospace; overflow-wrap: anywhere; } .pass { color: #1a7f37; } .fail, .unreadable { color: var(--edge); } \
.vacuous, .inconclusive { color: #9a6700; } .row { stroke: var(--line); } .break { stroke: var(--faint); stroke-dasharray: 2 3; } \
.window { fill: var(--window); } .ok { fill: var(--ok); } .info { fill: var(--info); } .failed { fill: var(--fail); stroke: var(--line); } \
.wrong { fill: var(--wrong); } .stuck { stroke: var(--edge); stroke-width: 2; } .tail { stroke-width: 3; stroke-dasharray: 5 4; stroke: var(--info); } \
.tail.wrong { stroke: var(--wrong); } .stretch { fill: var(--line); } .stretch.drawn { fill: var(--ok); } .order { fill: var(--faint); font-size: 9px; }";

/// The report as a page.
pub fn render(report: &CheckReport) -> String {
    let title = format!("{}, {}: {}", report.model, report.consistency, word(report.verdict));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{}: {}</h1>\n",
        escape(&report.model),
        verdict(report.verdict, &report.consistency),
        title = escape(&title),
    );
    for file in &report.files {
        section(&mut page, report, file);
    }
    let _ = writeln!(page, "<p class=\"faint\">sim {}</p>\n</body>\n</html>", escape(&report.tool));
    page
}

fn word(verdict: CheckVerdict) -> &'static str {
    match verdict {
        CheckVerdict::Pass => "pass",
        CheckVerdict::Vacuous => "vacuous",
        CheckVerdict::Inconclusive => "inconclusive",
        CheckVerdict::Fail => "fail",
        CheckVerdict::Unreadable => "unreadable",
    }
}

fn verdict(verdict: CheckVerdict, consistency: &str) -> String {
    let said = match verdict {
        CheckVerdict::Pass => consistency.to_owned(),
        CheckVerdict::Vacuous => format!("vacuously {consistency}"),
        CheckVerdict::Inconclusive => format!("unknown whether {consistency}"),
        CheckVerdict::Fail => format!("not {consistency}"),
        CheckVerdict::Unreadable => "unreadable".to_owned(),
    };
    format!("<span class=\"{}\">{}</span>", word(verdict), escape(&said))
}

fn section(page: &mut String, report: &CheckReport, file: &FileReport) {
    let _ = writeln!(page, "<h2>{}: {}</h2>", escape(&file.path), verdict(file.verdict, &report.consistency));
    if let Some(reason) = &file.reason {
        let line = file.line.map_or_else(String::new, |line| format!("line {line}: "));
        let _ = writeln!(page, "<p>{line}{}</p>", escape(reason));
    }
    if let Some(witness) = &file.witness {
        explanation(page, witness);
    }
    let Some(judged) = &file.history else { return };
    let parts = file.parts.map_or_else(String::new, |parts| format!(", judged in {}", counted(parts, "part")));
    let drawing = Drawing::new(judged);
    let _ = write!(
        page,
        "<p>{} in the file, {} taken into account{parts}",
        counted(judged.operations.len() as u64, "operation"),
        count(file.calls)
    );
    if drawing.left_out > 0 {
        let _ = write!(page, "; {} of them not drawn", count(drawing.left_out as u64));
    }
    page.push_str(".</p>\n");
    if !drawing.bars.is_empty() {
        overview(page, &drawing);
        history(page, &drawing);
        legend(page, &drawing);
    }
}

/// What is wrong, in words and as a table.
fn explanation(page: &mut String, witness: &Witness) {
    for line in witness.text.lines() {
        let _ = writeln!(page, "<p>{}</p>", escape(line));
    }
    page.push_str("<table>\n<tr><th>lines</th><th>process</th><th>call</th></tr>\n");
    for call in &witness.calls {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            span(call).trim_start_matches("lines ").trim_start_matches("line "),
            call.process,
            escape(&fit(&phrase(call), TIP_WIDTH))
        );
    }
    page.push_str("</table>\n");
    if let Some(stuck) = stuck(witness) {
        let _ = writeln!(page, "<p>{stuck}.</p>");
    }
}

/// The whole history as a strip, and which stretches of it are drawn.
fn overview(page: &mut String, drawing: &Drawing<'_>) {
    const WIDTH: usize = 5;
    const HEIGHT: usize = 24;
    let most = drawing.overview.iter().map(|(events, _)| *events).max().unwrap_or(0);
    if most == 0 {
        return;
    }
    let width = drawing.overview.len() * WIDTH;
    let _ = writeln!(page, "<div class=\"scroll\"><svg width=\"{width}\" height=\"{HEIGHT}\" role=\"img\">");
    page.push_str(
        "<title>the whole history, from left to right; the stretches that are drawn below are coloured</title>\n",
    );
    for (at, (events, is_drawn)) in drawing.overview.iter().enumerate().filter(|(_, (events, _))| *events > 0) {
        let height = (events * HEIGHT).div_ceil(most);
        let _ = writeln!(
            page,
            "<rect class=\"stretch{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\"/>",
            if *is_drawn { " drawn" } else { "" },
            at * WIDTH,
            HEIGHT - height,
            WIDTH - 1
        );
    }
    page.push_str("</svg></div>\n");
}

/// The horizontal middle of a column.
fn x(column: usize) -> usize {
    LEFT + column * COLUMN + COLUMN / 2
}

/// The rows and their calls.
fn history(page: &mut String, drawing: &Drawing<'_>) {
    let width = LEFT + (drawing.columns + 1) * COLUMN;
    let height = TOP + drawing.rows.len() * ROW + 8;
    let _ = writeln!(page, "<div class=\"scroll\"><svg width=\"{width}\" height=\"{height}\" role=\"img\">");
    page.push_str("<title>processes as rows, their calls as bars, events from left to right</title>\n");
    if let Some((from, to)) = drawing.window {
        let (left, right) = (x(from) - COLUMN / 2, x(to) + COLUMN / 2);
        let _ = writeln!(
            page,
            "<rect class=\"window\" x=\"{left}\" y=\"0\" width=\"{}\" height=\"{height}\"/>",
            right - left
        );
    }
    for (row, process) in drawing.rows.iter().enumerate() {
        let y = TOP + row * ROW + ROW / 2;
        let _ = writeln!(page, "<line class=\"row\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{width}\" y2=\"{y}\"/>");
        let _ = writeln!(page, "<text class=\"faint\" x=\"4\" y=\"{}\">process {process}</text>", y + 4);
    }
    for &at in &drawing.breaks {
        let x = x(at) - COLUMN / 2;
        let _ = writeln!(page, "<line class=\"break\" x1=\"{x}\" y1=\"0\" x2=\"{x}\" y2=\"{height}\"/>");
    }
    for bar in &drawing.bars {
        draw(page, bar, width);
    }
    page.push_str("</svg></div>\n");
}

fn draw(page: &mut String, bar: &Bar<'_>, width: usize) {
    let operation = bar.operation;
    let top = TOP + bar.row * ROW + 4;
    let left = x(bar.from) - 6;
    let right = bar.to.map_or(x(bar.from) + COLUMN / 2, x) + 6;
    let class = match operation.fate {
        _ if bar.is_witness => "wrong",
        Fate::Ok => "ok",
        Fate::Info => "info",
        Fate::Fail => "failed",
    };
    let stuck = if bar.is_stuck { " stuck" } else { "" };
    page.push_str("<g>");
    if bar.is_open() {
        let wrong = if bar.is_witness { " wrong" } else { "" };
        let y = top + ROW - 10;
        let _ = write!(page, "<line class=\"tail{wrong}\" x1=\"{right}\" y1=\"{y}\" x2=\"{width}\" y2=\"{y}\"/>");
    }
    let _ = write!(
        page,
        "<rect class=\"{class}{stuck}\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"3\"/>",
        right - left,
        ROW - 8
    );
    let phrase = spoken(&operation.f, operation.key.as_ref(), operation.argument.as_ref(), operation.result.as_ref());
    let fitting = fit(&phrase, ((right - left - 4) / CHARACTER).max(1));
    let _ = write!(page, "<text x=\"{}\" y=\"{}\">{}</text>", left + 3, top + ROW / 2, escape(&fitting));
    if let Some(order) = bar.order {
        let _ = write!(page, "<text class=\"order\" x=\"{left}\" y=\"{}\">{order}</text>", top - 1);
    }
    let _ = writeln!(page, "<title>{}</title></g>", escape(&tip(bar, &phrase)));
}

/// What is said of a call when it is pointed at.
fn tip(bar: &Bar<'_>, phrase: &str) -> String {
    let operation = bar.operation;
    let mut tip = format!("{}\nprocess {}, line {}", fit(phrase, TIP_WIDTH), operation.process, operation.line);
    if let Some(end) = operation.end_line {
        let _ = write!(tip, " to {end}");
    }
    tip.push_str(match operation.fate {
        Fate::Ok => "\nsucceeded",
        Fate::Fail => "\nfailed: it had no effect",
        Fate::Info => "\nnobody knows: it may take effect at any later time, or never",
    });
    if let Some(order) = bar.order {
        let _ = write!(tip, "\nnumber {order} in the order that explains the beginning");
    }
    if bar.is_stuck {
        tip.push_str("\nnothing explains this answer");
    }
    tip
}

fn legend(page: &mut String, drawing: &Drawing<'_>) {
    let mut x = 4;
    let mut entries = String::new();
    let mut entry = |class: &str, text: &str| {
        let _ = writeln!(
            entries,
            "<rect class=\"{class}\" x=\"{x}\" y=\"4\" width=\"14\" height=\"14\" rx=\"3\"/><text x=\"{}\" y=\"15\">{text}</text>",
            x + 20
        );
        x += 36 + text.len() * CHARACTER;
    };
    entry("ok", "succeeded");
    entry("info", "fate unknown, open to the right");
    entry("failed", "failed");
    if drawing.bars.iter().any(|bar| bar.is_witness) {
        entry("wrong", "not consistent together");
        entry("window", "where it goes wrong");
    }
    if drawing.bars.iter().any(|bar| bar.is_stuck) {
        entry("failed stuck", "first answer without explanation");
    }
    let _ = writeln!(page, "<svg width=\"{x}\" height=\"22\" role=\"img\"><title>legend</title>\n{entries}</svg>");
    if drawing.bars.iter().any(|bar| bar.order.is_some()) {
        page.push_str("<p>Numbers above calls: an order that explains the beginning.</p>\n");
    }
    if !drawing.breaks.is_empty() {
        page.push_str("<p>Dotted lines: events were left out here.</p>\n");
    }
}
