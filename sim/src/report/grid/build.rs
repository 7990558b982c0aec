//! From sweeps to the report of a grid.

use super::model::{Axis, Cell, GridReport, Point, SCHEMA_VERSION};
use crate::{
    engine::sweep::{Floor, Seeds, floor},
    report::{human::count, model::Verdict, sweep::SweepReport},
    scenario::Plan,
};

impl Axis {
    /// Reads `KEY=V1,V2`. Commas within brackets, braces and quotes are part of a value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no axis: write KEY=V1,V2, for example cluster.nodes=5,20,100");
        let (key, list) = text.split_once('=').ok_or_else(wrong)?;
        let values: Vec<String> = split(list).into_iter().map(|value| value.trim().to_owned()).collect();
        if key.trim().is_empty() || values.iter().any(String::is_empty) {
            return Err(wrong());
        }
        if let Some(twice) = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)) {
            return Err(format!("`{}` has the value {} twice", key.trim(), twice.1));
        }
        Ok(Self { key: key.trim().to_owned(), values })
    }
}

/// Splits at commas that are not inside of something.
fn split(list: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut start) = (0_i32, None, 0);
    let mut values = Vec::new();
    for (at, character) in list.char_indices() {
        match character {
            _ if quote == Some(character) => quote = None,
            _ if quote.is_some() => {}
            '"' | '\'' => quote = Some(character),
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                values.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    values.push(&list[start..]);
    values
}

/// All combinations of values, as overrides; the first axis changes slowest.
pub fn points(axes: &[Axis]) -> Vec<Vec<String>> {
    let mut points = vec![Vec::new()];
    for axis in axes {
        let longer = |point: &Vec<String>| {
            let point = point.clone();
            axis.values.iter().map(move |value| [&point[..], &[format!("{}={value}", axis.key)]].concat())
        };
        points = points.iter().flat_map(longer).collect();
    }
    points
}

/// Sums up the sweep of a point. `first` is the seed under which floors are computed.
pub fn point(settings: Vec<String>, plan: &Plan, sweep: SweepReport, first: u64) -> Point {
    let plan = plan.under(first);
    let floor_of = |name: &str| {
        let plan = plan.as_ref().ok()?;
        let system = plan.systems.iter().find(|system| system.name == name)?;
        floor(plan, system, first)
    };
    let cell = |system: crate::report::sweep::model::SweptSystem| {
        let floor = floor_of(&system.name);
        Cell {
            runs: system.runs,
            converged: system.converged,
            convergence_time_ns: system.convergence_time_ns,
            floor_ns: floor.map(Floor::ns),
            floor: floor.map(described),
            messages: system.messages,
            bytes: system.bytes,
            system: system.name,
        }
    };
    Point {
        settings,
        scenario_hash: sweep.scenario_hash,
        verdict: sweep.verdict,
        systems: sweep.systems.into_iter().map(cell).collect(),
        failures: sweep.failures,
    }
}

fn described(floor: Floor) -> String {
    match floor {
        Floor::Hops { hops: 1, .. } => "1 hop".to_owned(),
        Floor::Hops { hops, .. } => format!("{} hops", count(u64::from(hops))),
        // Rounded to tenths.
        Floor::Rounds { milli, .. } => {
            let tenths = (milli + 50) / 100;
            format!("{}.{} rounds", tenths / 10, tenths % 10)
        }
    }
}

/// The report of all points.
pub fn report(scenario: &str, seeds: Seeds, axes: Vec<Axis>, points: Vec<Point>) -> GridReport {
    GridReport {
        schema: SCHEMA_VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: scenario.to_owned(),
        seeds_from: seeds.from,
        seeds_to: seeds.to,
        verdict: points.iter().map(|point| point.verdict).max().unwrap_or(Verdict::Inconclusive),
        axes,
        points,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_outside_of_brackets_and_quotes() {
        let values = |text: &str| Axis::parse(text).map(|axis| axis.values);
        assert_eq!(values("a.b=1, 2"), Ok(vec!["1".to_owned(), "2".to_owned()]));
        assert_eq!(values("a={ x = [1, 2] },'p,q'"), Ok(vec!["{ x = [1, 2] }".to_owned(), "'p,q'".to_owned()]));
        for wrong in ["a", "=1", "a=", "a=1,,2", "a=1,1"] {
            assert!(values(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_axis_changes_slowest() {
        let axes = [Axis::parse("a=1,2").expect("an axis"), Axis::parse("b=x,y").expect("an axis")];
        assert_eq!(points(&axes), [["a=1", "b=x"], ["a=1", "b=y"], ["a=2", "b=x"], ["a=2", "b=y"]]);
    }
}
