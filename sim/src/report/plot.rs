//! Plots: two axes, lines, bands and marks between them, and a legend, as SVG.
//!
//! A plot stands in a page, or alone as a file. Colours are classes, and each system has its own dashes as well, so that colour is never all
//! that tells two systems apart. Styles know light and dark.
//!
//! ```text
//! let mut plot = Plot::new("survival", "title", "what is to be seen", x_axis, y_axis);
//! plot.line(0, &[(0, 1_000_000), (20, 500_000)]);
//! plot.legend(0, "a system");
//! let file = plot.alone();
//! ```
//!
//! Invariant: coordinates are integers, tenths of a pixel, computed by integers or by `libm`, so that equal data give equal bytes everywhere;
//! every text is escaped; what leaves the axes is moved to their ends.
//!
//! What is deliberately absent: scripts, fonts and anything from elsewhere.

use std::fmt::Write;

/// Tenths of a pixel: the area between the axes.
const WIDTH: i64 = 5_600;
const HEIGHT: i64 = 2_600;
/// Tenths of a pixel: where the area begins.
const LEFT: i64 = 720;
const TOP: i64 = 320;
/// Tenths of a pixel: what lies below the area, and a line of the legend.
const BELOW: i64 = 520;
const LEGEND_LINE: i64 = 190;
/// Entries of the legend beside each other.
const LEGEND_COLUMNS: usize = 3;
/// How many colours there are.
pub(in crate::report) const COLOURS: usize = 8;
/// The most ticks of an axis.
const TICKS_MAX: i64 = 6;

/// Colours of pages and plots, light and dark. The hues of systems are those of Okabe and Ito, which people who do not see all colours tell
/// apart as well.
pub(in crate::report) const STYLE: &str = "\
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #5f6773; --line: #d7dbe0; --good: #1a7f37; --bad: #b3261e; --c0: #0072b2; } \
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #16191d; --faint: #9aa3ad; --line: #363c44; --good: #57c278; --bad: #ff8a80; --c0: #4ea3dc; } } \
.plot { background: var(--paper); font: 12px system-ui, sans-serif; max-width: 100%; height: auto; } .plot text { fill: var(--ink); } \
.plot .faint { fill: var(--faint); } .plot .grid { stroke: var(--line); fill: none; } .plot .zero { stroke: var(--faint); } \
.plot .curve { fill: none; stroke-width: 2; } .plot .band { stroke: none; opacity: .13; } .plot .dots { fill: none; stroke-width: 5; stroke-linecap: round; opacity: .7; } \
.plot .open { fill: none; stroke-width: 1.2; } .plot .better { stroke: var(--good); fill: none; } .plot .fault { fill: var(--bad); opacity: .12; } .plot .worse { stroke: var(--bad); fill: none; } \
.c0 { stroke: var(--c0); fill: var(--c0); } .c1 { stroke: #d55e00; fill: #d55e00; stroke-dasharray: 7 3; } .c2 { stroke: #009e73; fill: #009e73; stroke-dasharray: 2 3; } \
.c3 { stroke: #cc79a7; fill: #cc79a7; stroke-dasharray: 9 3 2 3; } .c4 { stroke: #b8860b; fill: #b8860b; stroke-dasharray: 5 5; } \
.c5 { stroke: #3a9bd9; fill: #3a9bd9; stroke-dasharray: 12 3; } .c6 { stroke: #888888; fill: #888888; stroke-dasharray: 3 6; } \
.c7 { stroke: #8a5bd6; fill: #8a5bd6; stroke-dasharray: 1 3; } .dots, .open { stroke-dasharray: none; }";

/// What an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Ticks {
    /// Nanoseconds.
    Time,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// Parts per million, shown as percentages.
    Share,
}

/// An axis: what is on it, from where to where.
#[derive(Clone, Debug)]
pub(in crate::report) struct Axis {
    name: String,
    ticks: Ticks,
    from: i64,
    to: i64,
    /// The distance of ticks; nothing if the axis is logarithmic.
    step: Option<i64>,
}

/// A number as it goes onto an axis.
pub(in crate::report) fn bounded(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX).min(VALUE_MAX)
}

/// The largest number of an axis: room to round up.
const VALUE_MAX: i64 = 1_000_000_000_000_000_000;

impl Axis {
    /// An axis with zero on it that holds all of these.
    pub(in crate::report) fn linear(name: &str, ticks: Ticks, values: impl Iterator<Item = i64>) -> Self {
        let (mut from, mut to) = (0, 0);
        for value in values {
            from = from.min(value.max(-VALUE_MAX));
            to = to.max(value.min(VALUE_MAX));
        }
        if from == to {
            to = 1;
        }
        let step = nice_step(((to - from) / (TICKS_MAX - 1)).max(1));
        let from = from.div_euclid(step) * step;
        let to = to.div_euclid(step) * step + if to.rem_euclid(step) > 0 { step } else { 0 };
        Self { name: name.to_owned(), ticks, from, to, step: Some(step) }
    }

    /// An axis that holds all of these: logarithmic if they differ by more than a factor of thirty. Zeros lie at its beginning.
    pub(in crate::report) fn fitting(name: &str, ticks: Ticks, values: &[u64]) -> Self {
        let least = values.iter().filter(|value| **value > 0).min().map_or(1, |value| bounded(*value));
        let most = values.iter().max().map_or(1, |value| bounded(*value));
        if most / 30 <= least {
            return Self::linear(name, ticks, values.iter().map(|value| bounded(*value)));
        }
        let (mut from, mut to) = (1_i64, 1_i64);
        while from <= least / 10 {
            from *= 10;
        }
        while to < most {
            to = to.saturating_mul(10);
        }
        Self { name: name.to_owned(), ticks, from, to, step: None }
    }

    /// Shares from 0 to 100 %.
    pub(in crate::report) fn share(name: &str) -> Self {
        Self { name: name.to_owned(), ticks: Ticks::Share, from: 0, to: 1_000_000, step: Some(200_000) }
    }

    /// Where a number lies on an axis of this length.
    fn place(&self, value: i64, length: i64) -> i64 {
        let value = value.clamp(self.from, self.to);
        if self.step.is_some() {
            let above = i128::from(value - self.from) * i128::from(length);
            return (above / i128::from(self.to - self.from)) as i64;
        }
        let octaves = |value: i64| libm::log2(value as f64);
        let share = (octaves(value) - octaves(self.from)) / (octaves(self.to) - octaves(self.from));
        (share * length as f64).round() as i64
    }

    fn marks(&self) -> Vec<i64> {
        let mut marks = Vec::new();
        let mut at = self.from;
        while at <= self.to {
            marks.push(at);
            let Some(next) = self.step.map_or_else(|| at.checked_mul(10), |step| at.checked_add(step)) else { break };
            at = next;
        }
        marks
    }

    fn label(&self, value: i64) -> String {
        let units: &[(u64, &str)] = match self.ticks {
            Ticks::Time => &[(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")],
            Ticks::Bytes => &[(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"), (1, "B")],
            Ticks::Count => &[(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"), (1, "")],
            Ticks::Share => &[(10_000, "%")],
        };
        let size = value.unsigned_abs();
        if size == 0 {
            return "0".to_owned();
        }
        let fitting = units.iter().find(|(unit, _)| size >= *unit).or(units.last());
        let (unit, name) = fitting.copied().unwrap_or((1, ""));
        let sign = if value < 0 { "-" } else { "" };
        let digits = unit.ilog10() as usize;
        let fraction = format!("{:0digits$}", size % unit);
        let fraction = if digits == 0 { "" } else { fraction.trim_end_matches('0') };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{}{point}{fraction}{name}", size / unit)
    }
}

/// The least of 1, 2, 5, 10, 20, 50 ... that is at least this.
fn nice_step(least: i64) -> i64 {
    let mut power = 1;
    loop {
        if let Some(step) = [1, 2, 5].into_iter().map(|digit| digit * power).find(|step| *step >= least) {
            return step;
        }
        power *= 10;
    }
}

/// A plot.
#[derive(Clone, Debug)]
pub(in crate::report) struct Plot {
    name: String,
    title: String,
    description: String,
    x: Axis,
    y: Axis,
    body: String,
    legend: Vec<(usize, String)>,
    /// What shaded spans are, if there are any.
    shades: Option<String>,
}

impl Plot {
    /// An empty plot. `name` is unique in its page.
    pub(in crate::report) fn new(name: &str, title: &str, description: &str, x: Axis, y: Axis) -> Self {
        let (title, description) = (title.to_owned(), description.to_owned());
        Self { name: name.to_owned(), title, description, x, y, body: String::new(), legend: Vec::new(), shades: None }
    }

    /// What it shows.
    pub(in crate::report) fn title(&self) -> &str {
        &self.title
    }

    /// How to read it.
    pub(in crate::report) fn description(&self) -> &str {
        &self.description
    }

    fn at(&self, (x, y): (i64, i64)) -> (i64, i64) {
        (LEFT + self.x.place(x, WIDTH), TOP + HEIGHT - self.y.place(y, HEIGHT))
    }

    /// The corners of a staircase that keeps each height up to the next point.
    fn stairs(&self, points: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let mut corners: Vec<(i64, i64)> = Vec::new();
        for point in points {
            let (x, y) = self.at(*point);
            if let Some((_, before)) = corners.last().copied() {
                corners.push((x, before));
            }
            corners.push((x, y));
        }
        corners.dedup();
        corners
    }

    /// A staircase.
    pub(in crate::report) fn line(&mut self, colour: usize, points: &[(i64, i64)]) {
        let path = path(&self.stairs(points));
        let _ = writeln!(self.body, "<path class=\"c{} curve\" d=\"{path}\"/>", colour % COLOURS);
    }

    /// The area between two staircases.
    pub(in crate::report) fn band(&mut self, colour: usize, low: &[(i64, i64)], high: &[(i64, i64)]) {
        let mut corners = self.stairs(low);
        corners.extend(self.stairs(high).into_iter().rev());
        let _ = writeln!(self.body, "<path class=\"c{} band\" d=\"{}Z\"/>", colour % COLOURS, path(&corners));
    }

    /// Dots, each place once.
    pub(in crate::report) fn dots(&mut self, colour: usize, points: impl Iterator<Item = (i64, i64)>) {
        let marks = self.places(points);
        let path = marks.iter().map(|(x, y)| format!("M{} {}h0", px(*x), px(*y))).collect::<Vec<_>>().concat();
        if !path.is_empty() {
            let _ = writeln!(self.body, "<path class=\"c{} dots\" d=\"{path}\"/>", colour % COLOURS);
        }
    }

    /// Open triangles, each place once: for what goes on to the right.
    pub(in crate::report) fn triangles(&mut self, colour: usize, points: impl Iterator<Item = (i64, i64)>) {
        let mark = |(x, y): &(i64, i64)| format!("M{} {}l7 4l-7 4Z", px(*x), px(*y - 40));
        let path = self.places(points).iter().map(mark).collect::<Vec<_>>().concat();
        if !path.is_empty() {
            let _ = writeln!(self.body, "<path class=\"c{} open\" d=\"{path}\"/>", colour % COLOURS);
        }
    }

    /// Where these lie, in whole pixels.
    fn places(&self, points: impl Iterator<Item = (i64, i64)>) -> std::collections::BTreeSet<(i64, i64)> {
        points.map(|point| self.at(point)).map(|(x, y)| (x / 10 * 10, y / 10 * 10)).collect()
    }

    /// Bars from zero, those above of one class and those below of the other.
    pub(in crate::report) fn bars(&mut self, above: &str, below: &str, bars: &[(i64, i64)]) {
        for (class, is_above) in [(above, true), (below, false)] {
            let mut path = String::new();
            for (x, y) in bars.iter().filter(|(_, y)| *y != 0 && (*y > 0) == is_above) {
                let ((x, zero), (_, end)) = (self.at((*x, 0)), self.at((*x, *y)));
                let _ = write!(path, "M{} {}V{}", px(x), px(zero), px(end));
            }
            if !path.is_empty() {
                let width = (WIDTH / (bars.len() as i64 + 1)).clamp(10, 120);
                let _ = writeln!(self.body, "<path class=\"{class}\" stroke-width=\"{}\" d=\"{path}\"/>", px(width));
            }
        }
    }

    /// Shades spans along the first axis, behind all that is drawn later, and names them in the legend.
    pub(in crate::report) fn shade<'a>(&mut self, text: &str, spans: impl Iterator<Item = ((i64, i64), &'a str)>) {
        for ((from, to), name) in spans {
            let (from, to) = (self.x.place(from, WIDTH), self.x.place(to, WIDTH));
            let (x, width) = (px(LEFT + from.min(to)), px((to - from).abs().max(10)));
            let _ = writeln!(
                self.body,
                "<rect class=\"fault\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{}\"><title>{}</title></rect>",
                px(TOP),
                px(HEIGHT),
                escape(name)
            );
            self.shades = Some(text.to_owned());
        }
    }

    /// A line all across.
    pub(in crate::report) fn across(&mut self, y: i64) {
        let (_, y) = self.at((0, y));
        let _ = writeln!(self.body, "<path class=\"zero\" d=\"M{} {}h{}\"/>", px(LEFT), px(y), px(WIDTH));
    }

    /// An entry of the legend.
    pub(in crate::report) fn legend(&mut self, colour: usize, text: &str) {
        self.legend.push((colour, text.to_owned()));
    }

    /// The plot, for a page.
    pub(in crate::report) fn inside(&self) -> String {
        self.svg("", "")
    }

    /// The plot, as a file.
    pub(in crate::report) fn alone(&self) -> String {
        self.svg(" xmlns=\"http://www.w3.org/2000/svg\"", &format!("<style>{STYLE}</style>\n"))
    }

    fn svg(&self, namespace: &str, style: &str) -> String {
        let entries = self.legend.len() + usize::from(self.shades.is_some());
        let lines = entries.div_ceil(LEGEND_COLUMNS) as i64;
        let (width, height) = (LEFT + WIDTH + 240, TOP + HEIGHT + BELOW + lines * LEGEND_LINE);
        let (width, height) = (px(width), px(height));
        let name = &self.name;
        let mut out = format!(
            "<svg{namespace} class=\"plot\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
             aria-labelledby=\"{name}-title {name}-desc\">\n<title id=\"{name}-title\">{}</title>\n<desc id=\"{name}-desc\">{}</desc>\n{style}",
            escape(&self.title),
            escape(&self.description)
        );
        self.axes(&mut out);
        out.push_str(&self.body);
        self.legends(&mut out);
        out.push_str("</svg>\n");
        out
    }

    fn legends(&self, out: &mut String) {
        let curves = self.legend.iter().map(|(colour, text)| (Some(colour % COLOURS), text));
        for (number, (colour, text)) in curves.chain(self.shades.iter().map(|text| (None, text))).enumerate() {
            let x = LEFT + (number % LEGEND_COLUMNS) as i64 * (WIDTH / LEGEND_COLUMNS as i64);
            let y = TOP + HEIGHT + BELOW + (number / LEGEND_COLUMNS) as i64 * LEGEND_LINE;
            let text = escape(&crate::report::columns::fit(text, 24));
            let _ = match colour {
                Some(class) => writeln!(out, "<path class=\"c{class} curve\" d=\"M{} {}h24\"/>", px(x), px(y)),
                None => writeln!(
                    out,
                    "<rect class=\"fault\" x=\"{}\" y=\"{}\" width=\"24\" height=\"10\"/>",
                    px(x),
                    px(y - 50)
                ),
            };
            let _ = writeln!(out, "<text x=\"{}\" y=\"{}\">{text}</text>", px(x + 300), px(y + 40));
        }
    }

    fn axes(&self, out: &mut String) {
        let bottom = TOP + HEIGHT;
        for mark in self.x.marks() {
            let x = LEFT + self.x.place(mark, WIDTH);
            let _ = writeln!(out, "<path class=\"grid\" d=\"M{} {}V{}\"/>", px(x), px(TOP), px(bottom));
            let label = self.x.label(mark);
            let _ = writeln!(
                out,
                "<text class=\"faint\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{label}</text>",
                px(x),
                px(bottom + 160)
            );
        }
        for mark in self.y.marks() {
            let y = bottom - self.y.place(mark, HEIGHT);
            let _ = writeln!(out, "<path class=\"grid\" d=\"M{} {}h{}\"/>", px(LEFT), px(y), px(WIDTH));
            let label = self.y.label(mark);
            let _ = writeln!(
                out,
                "<text class=\"faint\" text-anchor=\"end\" x=\"{}\" y=\"{}\">{label}</text>",
                px(LEFT - 60),
                px(y + 40)
            );
        }
        let name = escape(&self.x.name);
        let (x, y) = (px(LEFT + WIDTH), px(bottom + 330));
        let _ = writeln!(out, "<text text-anchor=\"end\" x=\"{x}\" y=\"{y}\">{name}</text>");
        let _ = writeln!(out, "<text x=\"{}\" y=\"{}\">{}</text>", px(40), px(TOP - 180), escape(&self.y.name));
    }
}

/// Tenths of a pixel as pixels.
fn px(tenths: i64) -> String {
    let (whole, rest) = (tenths.div_euclid(10), tenths.rem_euclid(10));
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest}") }
}

fn path(corners: &[(i64, i64)]) -> String {
    let mut path = String::new();
    for (number, (x, y)) in corners.iter().enumerate() {
        let letter = if number == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{} {}", px(*x), px(*y));
    }
    path
}

/// A text as content or attribute, also in XML. What XML cannot hold is replaced.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_hold_what_is_on_them() {
        let axis = Axis::linear("x", Ticks::Time, [0, 1_234_000_000].into_iter());
        assert_eq!(axis.marks().iter().map(|mark| axis.label(*mark)).collect::<Vec<_>>(), ["0", "500ms", "1s", "1.5s"]);
        let axis = Axis::linear("x", Ticks::Count, [-30, 17].into_iter());
        assert_eq!(axis.marks(), [-30, -20, -10, 0, 10, 20]);
        let axis = Axis::fitting("x", Ticks::Bytes, &[0, 1_500, 200_000]);
        assert_eq!(
            axis.marks().iter().map(|mark| axis.label(*mark)).collect::<Vec<_>>(),
            ["1kB", "10kB", "100kB", "1MB"]
        );
        assert_eq!((axis.place(0, 300), axis.place(10_000, 300), axis.place(i64::MAX, 300)), (0, 100, 300));
    }

    #[test]
    fn extremes_are_drawn_without_panic() {
        for values in [&[][..], &[0], &[u64::MAX], &[0, u64::MAX], &[1, 1 << 40]] {
            let axis = Axis::fitting("x", Ticks::Time, values);
            assert!(axis.marks().len() <= 20, "{values:?}: {:?}", axis.marks());
            let mut plot = Plot::new("p", "<t>", "&", axis, Axis::share("share"));
            plot.line(9, &[(0, 0), (i64::MAX, i64::MAX), (i64::MIN, i64::MIN)]);
            assert!(plot.alone().contains("&lt;t&gt;"));
        }
        let axis = Axis::linear("x", Ticks::Count, [i64::MIN, i64::MAX].into_iter());
        assert!(axis.marks().len() <= 20);
    }
}
