//! The chart of agreement: how many different answers the replicas hold, over time.
//!
//! One line per system, the fault windows below, all over one axis of time. Invariant: every line is [`WIDTH`] columns at
//! most, and a column shows the *most* different answers in its span of time, so that no disagreement is too short to show.

use super::{
    columns::pad,
    human::{count, duration},
    model::{FaultWindow, Report, System},
};

/// The columns of a line.
pub(super) const WIDTH: usize = 100;
/// The columns of names on the left.
const NAME: usize = 22;
/// The columns of the time axis.
const PLOT: usize = WIDTH - NAME - 3;
/// With more fault windows than this, those of a kind share a line.
const WINDOWS_MAX: usize = 6;

/// The characters of a chart.
struct Glyphs {
    levels: &'static [char],
    none: char,
    fault: char,
    border: char,
    line: char,
    tick: char,
    /// Do levels mean their number, or a share of the highest?
    digits: bool,
}

const UNICODE: Glyphs = Glyphs {
    levels: &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    none: '·',
    fault: '━',
    border: '│',
    line: '─',
    tick: '┴',
    digits: false,
};
const ASCII: Glyphs = Glyphs {
    levels: &['_', '2', '3', '4', '5', '6', '7', '8', '9', '#'],
    none: '.',
    fault: '=',
    border: '|',
    line: '-',
    tick: '+',
    digits: true,
};

/// The chart, line by line, without a heading.
pub(super) fn lines(report: &Report, unicode: bool) -> Vec<String> {
    let glyphs = if unicode { &UNICODE } else { &ASCII };
    let end_ns = report.systems.iter().map(|system| system.ended_ns).fold(report.horizon_ns, u64::max).max(1);
    let most = report
        .systems
        .iter()
        .flat_map(|system| system.agreement.iter().map(|&(_, distinct)| distinct))
        .max()
        .unwrap_or(0);
    let mut lines: Vec<String> = report
        .systems
        .iter()
        .map(|system| framed(&system.name, &strip(system, end_ns, most, glyphs), glyphs))
        .collect();
    for (label, windows) in fault_lines(&report.timeline) {
        lines.push(framed(&label, &marks(&windows, end_ns, glyphs), glyphs));
    }
    lines.extend(axis(end_ns, glyphs));
    lines.push(legend(most, unicode));
    lines
}

fn framed(name: &str, plot: &str, glyphs: &Glyphs) -> String {
    format!("{} {border}{plot}{border}", pad(name, NAME), border = glyphs.border)
}

/// The column of an instant.
fn column(at_ns: u64, end_ns: u64) -> usize {
    let column = u128::from(at_ns) * PLOT as u128 / u128::from(end_ns);
    (column as usize).min(PLOT - 1)
}

/// The columns that a span of time touches, at least one.
fn span(from_ns: u64, to_ns: u64, end_ns: u64) -> std::ops::RangeInclusive<usize> {
    column(from_ns, end_ns)..=column(to_ns.saturating_sub(1).max(from_ns), end_ns)
}

/// One system: per column the most different answers.
fn strip(system: &System, end_ns: u64, most: u64, glyphs: &Glyphs) -> String {
    let mut distinct: [Option<u64>; PLOT] = [None; PLOT];
    for (k, &(from_ns, values)) in system.agreement.iter().enumerate() {
        let to_ns = system.agreement.get(k + 1).map_or(system.ended_ns, |next| next.0);
        for column in span(from_ns, to_ns, end_ns) {
            let shown = distinct[column].get_or_insert(0);
            *shown = values.max(*shown);
        }
    }
    distinct.iter().map(|values| values.map_or(' ', |values| glyph(values, most, glyphs))).collect()
}

fn glyph(distinct: u64, most: u64, glyphs: &Glyphs) -> char {
    let highest = glyphs.levels.len() - 1;
    let level = match distinct {
        0 => return glyphs.none,
        1 => 0,
        _ if glyphs.digits => (distinct - 1).min(highest as u64) as usize,
        _ if most as usize <= glyphs.levels.len() => (distinct - 1) as usize * highest / (most - 1) as usize,
        // Thousands of replicas: by orders of magnitude.
        _ => 1 + (highest - 1) * distinct.ilog2() as usize / most.ilog2() as usize,
    };
    glyphs.levels[level.min(highest)]
}

/// The lines of fault windows: each its own, or, when there are many, one per kind.
fn fault_lines(timeline: &[FaultWindow]) -> Vec<(String, Vec<&FaultWindow>)> {
    if timeline.len() <= WINDOWS_MAX {
        return timeline.iter().map(|window| (window.label.clone(), vec![window])).collect();
    }
    let mut lines: Vec<(String, Vec<&FaultWindow>)> = Vec::new();
    for window in timeline {
        match lines.iter_mut().find(|(kind, _)| *kind == window.kind) {
            Some((_, windows)) => windows.push(window),
            None => lines.push((window.kind.clone(), vec![window])),
        }
    }
    for (label, windows) in &mut lines {
        *label = format!("{label} x{}", count(windows.len() as u64));
    }
    lines
}

fn marks(windows: &[&FaultWindow], end_ns: u64, glyphs: &Glyphs) -> String {
    let mut marks = [' '; PLOT];
    for window in windows.iter().filter(|window| window.from_ns < end_ns) {
        for column in span(window.from_ns, window.to_ns.unwrap_or(end_ns), end_ns) {
            marks[column] = glyphs.fault;
        }
    }
    marks.iter().collect()
}

/// The axis: ticks at the quarters, and their times below.
fn axis(end_ns: u64, glyphs: &Glyphs) -> [String; 2] {
    let mut ticks = [glyphs.line; PLOT];
    let mut labels = [' '; PLOT];
    for quarter in 0..=4 {
        let at_ns = (u128::from(end_ns) * quarter / 4) as u64;
        let at = column(at_ns, end_ns);
        ticks[at] = glyphs.tick;
        let label = duration(at_ns);
        let start = at.saturating_sub(if quarter == 4 { label.len() - 1 } else { label.len() / 2 });
        for (k, character) in label.chars().enumerate() {
            labels[start + k] = character;
        }
    }
    let blank = " ".repeat(NAME + 2);
    [ticks.iter().collect::<String>(), labels.iter().collect::<String>()]
        .map(|line| format!("{blank}{line}").trim_end().to_owned())
}

fn legend(most: u64, unicode: bool) -> String {
    let most = count(most);
    let text = if unicode {
        format!("▁ all replicas agree   █ up to {most} different answers   · no replica has a value")
    } else {
        "_ all replicas agree   2-9 so many different answers   # more   . no replica has a value".to_owned()
    };
    format!("{}{text}", " ".repeat(NAME.saturating_sub(10)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::specimen;

    #[test]
    fn the_shortest_disagreement_is_seen() {
        let mut report = specimen::report();
        report.systems.truncate(1);
        report.horizon_ns = 1_000_000;
        report.systems[0].ended_ns = 1_000_000;
        report.systems[0].agreement = vec![(0, 1), (500_000, 3), (500_001, 1)];
        let strip = strip(&report.systems[0], 1_000_000, 3, &ASCII);
        assert_eq!(strip.matches('3').count(), 1);
        assert_eq!(strip.matches('_').count(), PLOT - 1);
    }

    #[test]
    fn what_did_not_happen_stays_blank() {
        let mut report = specimen::report();
        report.systems[0].ended_ns = 500;
        report.systems[0].agreement = vec![(0, 0), (250, 1)];
        let strip = strip(&report.systems[0], 1_000, 1, &ASCII);
        assert_eq!(strip.trim_end().len(), PLOT / 2 + 1);
        assert!(strip.starts_with("....") && strip.trim_end().ends_with("____"));
    }

    #[test]
    fn many_windows_share_a_line_per_kind() {
        let mut report = specimen::report();
        report.timeline = (0..40)
            .map(|k| FaultWindow {
                label: format!("flap {k}"),
                kind: if k % 2 == 0 { "partition" } else { "crash" }.to_owned(),
                from_ns: k * 1_000_000_000,
                to_ns: Some(k * 1_000_000_000 + 1),
            })
            .collect();
        let lines = fault_lines(&report.timeline);
        assert_eq!(lines.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["partition x20", "crash x20"]);
    }

    #[test]
    fn levels_rise_with_the_number_of_values() {
        for most in [2, 5, 8, 9, 1_000, u64::MAX] {
            assert_eq!(glyph(1, most, &UNICODE), '▁');
            assert_eq!(glyph(most, most, &UNICODE), '█');
            assert_ne!(glyph(2, most, &UNICODE), '▁', "two values of {most} look like agreement");
        }
    }
}
