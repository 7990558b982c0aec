//! A picture: per system one panel of convergence time and one of bytes, over the grid.
//!
//! The axis with the most values runs to the right, in even steps; every combination of the others is a line. Heights are logarithmic, bars
//! are the 95 % intervals of medians, dashes the floors. A median among the censored is an open mark at the top of its panel.
//!
//! Invariant: the picture stands alone (no script, no font, no link), and coordinates are whole tenths of a pixel.

use std::fmt::Write;

use super::{
    model::{Axis, Cell, GridReport},
    text::value,
};
use crate::report::human::{bytes, duration};

/// The size of a panel with its margins.
const PANEL: (f64, f64) = (420.0, 240.0);
/// The margins of a panel: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (70.0, 34.0, 16.0, 44.0);
/// The height of the heading, and of a line of the legend.
const LINE: f64 = 18.0;
/// Colours that the colour-blind can tell apart (Okabe and Ito 2008).
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/// A line of a panel: its name, and the number of the point at every value of the axis.
struct Series {
    name: String,
    points: Vec<usize>,
}

/// What a panel shows of a cell.
struct Measure {
    title: &'static str,
    shown: fn(u64) -> String,
    of: fn(&Cell) -> Value,
}

/// A value with its interval and its floor.
#[derive(Clone, Copy)]
struct Value {
    p50: Option<u64>,
    low: Option<u64>,
    high: Option<u64>,
    floor: Option<u64>,
    is_censored: bool,
}

const MEASURES: [Measure; 2] = [
    Measure {
        title: "time to converge, p50",
        shown: duration,
        of: |cell| Value {
            p50: cell.convergence_time_ns.p50,
            low: cell.convergence_time_ns.p50_low,
            high: cell.convergence_time_ns.p50_high,
            floor: cell.floor_ns,
            is_censored: cell.convergence_time_ns.censored > 0,
        },
    },
    Measure {
        title: "bytes sent, p50",
        shown: bytes,
        of: |cell| Value {
            p50: cell.bytes.p50,
            low: cell.bytes.p50_low,
            high: cell.bytes.p50_high,
            floor: None,
            is_censored: cell.bytes.censored > 0,
        },
    },
];

/// The report.
pub(super) fn render(report: &GridReport) -> String {
    let mut out = String::new();
    write(report, &mut out).expect("a string takes everything");
    out
}

fn write(report: &GridReport, out: &mut String) -> std::fmt::Result {
    let axis = across(&report.axes);
    let series = series(report, axis);
    let systems = report.points.first().map_or(0, |point| point.systems.len());
    let width = PANEL.0 * MEASURES.len() as f64;
    let panels = LINE * 2.0 + PANEL.1 * systems as f64;
    let height = panels + LINE * (series.len() as f64 + 2.0);
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1} {height:.1}" width="{width:.1}" height="{height:.1}" font-family="sans-serif" font-size="11">"#
    )?;
    writeln!(out, r##"<rect width="100%" height="100%" fill="#ffffff"/>"##)?;
    let title = format!("{}, seeds {}..{}", report.scenario, report.seeds_from, report.seeds_to);
    writeln!(out, r#"<text x="10" y="20" font-size="14">{}</text>"#, escaped(&title))?;
    for system in 0..systems {
        for (column, measure) in MEASURES.iter().enumerate() {
            let (x, y) = (PANEL.0 * column as f64, LINE * 2.0 + PANEL.1 * system as f64);
            writeln!(out, r#"<g transform="translate({x:.1},{y:.1})">"#)?;
            panel(report, axis, &series, system, measure, out)?;
            writeln!(out, "</g>")?;
        }
    }
    for (number, series) in series.iter().enumerate() {
        let y = panels + LINE * (number as f64 + 1.0);
        let colour = COLOURS[number % COLOURS.len()];
        writeln!(out, r#"<rect x="20" y="{:.1}" width="20" height="3" fill="{colour}"/>"#, y - 5.0)?;
        writeln!(out, r#"<text x="48" y="{y:.1}">{}</text>"#, escaped(&series.name))?;
    }
    let y = panels + LINE * (series.len() as f64 + 1.0);
    let legend = "bars: 95% intervals of medians; dashes: in theory; open marks: censored";
    writeln!(out, r##"<text x="20" y="{y:.1}" fill="#666666">{legend}</text>"##)?;
    writeln!(out, "</svg>")
}

/// The number of the axis that runs to the right: the one with the most values.
fn across(axes: &[Axis]) -> usize {
    let lengths = axes.iter().enumerate().map(|(number, axis)| (number, axis.values.len()));
    lengths.max_by_key(|&(number, length)| (length, std::cmp::Reverse(number))).map_or(0, |(number, _)| number)
}

/// The lines: points that differ in the axis only.
fn series(report: &GridReport, axis: usize) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for (number, point) in report.points.iter().enumerate() {
        let others = point.settings.iter().enumerate().filter(|(at, _)| *at != axis).map(|(_, setting)| &**setting);
        let name = others.collect::<Vec<_>>().join(", ");
        match all.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(number),
            None => all.push(Series { name, points: vec![number] }),
        }
    }
    if let [only] = all.as_mut_slice()
        && only.name.is_empty()
    {
        "all".clone_into(&mut only.name);
    }
    all
}

/// A logarithmic scale from the least to the greatest value.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn new(values: impl Iterator<Item = u64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            let log = logarithm(value);
            (low, high) = (low.min(log), high.max(log));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        Self { low: low - 0.1, high: high + 0.1 }
    }

    /// The height of a value in a panel.
    fn y(&self, value: u64) -> f64 {
        let share = (logarithm(value) - self.low) / (self.high - self.low);
        PANEL.1 - MARGIN.3 - share * (PANEL.1 - MARGIN.1 - MARGIN.3)
    }

    /// Round values on the scale: 1, 2 and 5 times powers of ten, or powers of ten alone when those are many.
    fn ticks(&self) -> Vec<u64> {
        let factors: &[u64] = if self.high - self.low > 2.5 { &[1] } else { &[1, 2, 5] };
        let powers = (0..19).map(|power| 10_u64.pow(power));
        let ticks = powers.flat_map(|power| factors.iter().map(move |factor| power.saturating_mul(*factor)));
        ticks.filter(|&tick| (self.low..=self.high).contains(&logarithm(tick))).collect()
    }
}

fn logarithm(value: u64) -> f64 {
    (value.max(1) as f64).log10()
}

fn panel(
    report: &GridReport,
    axis: usize,
    series: &[Series],
    system: usize,
    measure: &Measure,
    out: &mut String,
) -> std::fmt::Result {
    let value_at = |point: usize| report.points[point].systems.get(system).map(measure.of);
    let values = (0..report.points.len()).filter_map(value_at);
    let scale = Scale::new(values.flat_map(|value| [value.p50, value.low, value.high, value.floor]).flatten());
    let name = report.points.first().and_then(|point| point.systems.get(system)).map_or("", |cell| &cell.system);
    let (right, bottom) = (PANEL.0 - MARGIN.2, PANEL.1 - MARGIN.3);
    writeln!(
        out,
        r#"<text x="{:.1}" y="{:.1}">{}: {}</text>"#,
        MARGIN.0,
        MARGIN.1 - 10.0,
        escaped(name),
        measure.title
    )?;
    for tick in scale.ticks() {
        let y = scale.y(tick);
        writeln!(out, r##"<path d="M{:.1} {y:.1}H{right:.1}" stroke="#dddddd"/>"##, MARGIN.0)?;
        let label = (measure.shown)(tick);
        writeln!(out, r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"#, MARGIN.0 - 6.0, y + 4.0)?;
    }
    let steps = report.axes[axis].values.len();
    let x_of = |step: usize| MARGIN.0 + (right - MARGIN.0) * (step as f64 + 0.5) / steps as f64;
    for (step, label) in report.axes[axis].values.iter().enumerate() {
        let (x, y) = (x_of(step), bottom + 15.0);
        writeln!(out, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="middle">{}</text>"#, escaped(label))?;
    }
    let (x, y) = (f64::midpoint(MARGIN.0, right), bottom + 32.0);
    let key = escaped(&report.axes[axis].key);
    writeln!(out, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="middle" font-style="italic">{key}</text>"#)?;
    writeln!(
        out,
        r##"<path d="M{:.1} {:.1}V{bottom:.1}H{right:.1}" fill="none" stroke="#444444"/>"##,
        MARGIN.0, MARGIN.1
    )?;
    let middle = (series.len() as f64 - 1.0) / 2.0;
    for (number, series) in series.iter().enumerate() {
        let place = |point: usize| {
            let setting = value(&report.points[point].settings[axis]);
            let step = report.axes[axis].values.iter().position(|value| value == setting).unwrap_or(0);
            // Lines stand a little apart, so that bars do not hide each other.
            x_of(step) + (number as f64 - middle) * 4.0
        };
        let marks: Vec<(f64, Value)> =
            series.points.iter().filter_map(|&point| Some((place(point), value_at(point)?))).collect();
        line(&marks, &scale, COLOURS[number % COLOURS.len()], out)?;
    }
    Ok(())
}

/// One line with its marks, bars and floors.
fn line(marks: &[(f64, Value)], scale: &Scale, colour: &str, out: &mut String) -> std::fmt::Result {
    let path = |of: fn(&Value) -> Option<u64>| {
        let mut path = String::new();
        let mut is_drawn = false;
        for (x, value) in marks {
            if let Some(value) = of(value) {
                let _ = write!(path, "{}{x:.1} {:.1}", if is_drawn { 'L' } else { 'M' }, scale.y(value));
            }
            is_drawn = of(value).is_some();
        }
        path
    };
    let floors = path(|value| value.floor);
    if !floors.is_empty() {
        writeln!(out, r#"<path d="{floors}" fill="none" stroke="{colour}" stroke-dasharray="3 3" opacity="0.6"/>"#)?;
    }
    let medians = path(|value| value.p50);
    if !medians.is_empty() {
        writeln!(out, r#"<path d="{medians}" fill="none" stroke="{colour}" stroke-width="1.5"/>"#)?;
    }
    for (x, value) in marks {
        if let (Some(low), Some(high)) = (value.low, value.high) {
            let (low, high) = (scale.y(low), scale.y(high));
            writeln!(out, r#"<path d="M{x:.1} {low:.1}V{high:.1}" stroke="{colour}"/>"#)?;
        }
        match value.p50 {
            Some(p50) => {
                writeln!(out, r#"<circle cx="{x:.1}" cy="{:.1}" r="3" fill="{colour}"/>"#, scale.y(p50))?;
            }
            None if value.is_censored => {
                let y = MARGIN.1 + 4.0;
                writeln!(out, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="none" stroke="{colour}"/>"#)?;
            }
            None => {}
        }
        // A floor alone would be no line.
        if let Some(floor) = value.floor {
            let y = scale.y(floor);
            let (from, to) = (x - 5.0, x + 5.0);
            writeln!(out, r#"<path d="M{from:.1} {y:.1}H{to:.1}" stroke="{colour}" opacity="0.6"/>"#)?;
        }
    }
    Ok(())
}

/// Text without what XML would take for itself.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
