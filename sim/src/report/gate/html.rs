//! HTML: a gate on one page that needs no other, with the differences of every metric that changed, seed by seed.
//!
//! A plot has one bar per seed, sorted: above zero the number grew, which is worse, and below it shrank. A change that all runs share is a
//! plateau; one that few runs cause is a cliff at an end.
//!
//! Invariant: well-formed as XML, nothing from elsewhere, and every text is escaped.
//!
//! What is deliberately absent: plots of metrics that did not change, which would be empty.

use std::fmt::Write;

use super::{
    build::signed,
    model::{GateReport, GatedChange, GatedScenario},
};
use crate::report::{
    columns::one_line,
    human::{count, duration, p_value},
    model::Verdict,
    page::{figure, page, table},
    plot::{Axis, Plot, Ticks, escape},
};

/// The most plots of a scenario.
const PLOTS_MAX: usize = 24;
/// How many of the seeds that changed most are named at each end.
const SEEDS_MAX: usize = 5;

/// The page.
pub fn render(report: &GateReport) -> String {
    let verdict = word(report.verdict);
    let mut content = format!("<h1>Convergence gate: <span class=\"{verdict}\">{verdict}</span></h1>\n");
    if report.scenarios.is_empty() {
        content.push_str("<p>Nothing was compared.</p>\n");
    }
    for (number, scenario) in report.scenarios.iter().enumerate() {
        write_scenario(&mut content, number, scenario);
    }
    page(&format!("Convergence gate: {verdict}"), &report.tool, &content)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Vacuous => "vacuous",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Fail => "fail",
    }
}

fn write_scenario(out: &mut String, number: usize, scenario: &GatedScenario) {
    let verdict = word(scenario.verdict);
    let name = escape(&one_line(&scenario.scenario));
    let _ = writeln!(out, "<h2>{name}: <span class=\"{verdict}\">{verdict}</span></h2>");
    let _ = writeln!(
        out,
        "<p>{} of {} runs changed; {} that failed do not now.</p>",
        count(scenario.changed_runs),
        count(scenario.runs),
        count(scenario.mended)
    );
    failures(out, scenario);
    if scenario.changes.is_empty() {
        return;
    }
    let rows: String = scenario.changes.iter().map(row).collect();
    let columns =
        [" system", " metric", " verdict", "before", "now", "change", "95% interval", "seeds changed", "grew", "p"];
    let caption = "Metrics that changed in any run; of every metric less is better.";
    out.push_str(&table(caption, "filtered", &columns, &rows));
    for (plotted, change) in worst_first(scenario).into_iter().take(PLOTS_MAX).enumerate() {
        out.push_str(&figure(&differences(&format!("s{number}-{plotted}"), change)));
        out.push_str(&extremes(change));
    }
    if scenario.changes.len() > PLOTS_MAX {
        let _ = writeln!(out, "<p>{} of {} changes are drawn.</p>", PLOTS_MAX, scenario.changes.len());
    }
}

fn failures(out: &mut String, scenario: &GatedScenario) {
    if scenario.new_failures.is_empty() {
        return;
    }
    let mut rows = String::new();
    for failure in &scenario.new_failures {
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td class=\"text\">{}</td><td class=\"text wide\">{}</td><td class=\"text wide\"><code class=\"copy\">{}</code></td></tr>",
            count(failure.count),
            escape(&one_line(&failure.system)),
            escape(&one_line(&failure.failure)),
            escape(&one_line(&failure.reproduce))
        );
    }
    let columns = ["runs", " system", " what does not hold", " command"];
    out.push_str(&table("Broken: runs that fail now and did not before.", "failures", &columns, &rows));
}

/// Regressions before what merely differs, improvements last.
fn worst_first(scenario: &GatedScenario) -> Vec<&GatedChange> {
    let mut changes: Vec<&GatedChange> = scenario.changes.iter().collect();
    changes.sort_by_key(|change| match change.change.as_str() {
        "regression" => 0,
        "improvement" => 2,
        _ => 1,
    });
    changes
}

fn row(change: &GatedChange) -> String {
    let (class, word) = match change.change.as_str() {
        "regression" => ("fail", "worse"),
        "improvement" => ("pass", "better"),
        _ => ("faint", "differs"),
    };
    format!(
        "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td><td class=\"text {class}\">{word}</td><td>{}</td><td>{}</td><td>{}</td>\
         <td>{} to {}</td><td>{} of {}</td><td>{}</td><td>{}</td></tr>\n",
        escape(&one_line(&change.system)),
        escape(&change.metric),
        escape(&change.before),
        escape(&change.now),
        signed(change.relative_ppm),
        signed(change.relative_ppm_low),
        signed(change.relative_ppm_high),
        count(change.changed),
        count(change.seeds),
        count(change.worse),
        escape(&p_value(change.p_adjusted_ppm))
    )
}

/// Now minus before. One that is censored only now is as long as it gets, one that was censored only before as short; nothing if both are.
fn difference((before, now): (i64, i64)) -> i128 {
    const ENDLESS: i128 = i128::MAX;
    match (before < 0, now < 0) {
        (true, true) => 0,
        (false, true) => ENDLESS,
        (true, false) => -ENDLESS,
        (false, false) => i128::from(now) - i128::from(before),
    }
}

/// A difference as the length of a bar.
fn bar(difference: i128) -> i64 {
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}

/// The seeds with their pairs, by difference.
fn sorted(change: &GatedChange) -> Vec<(u64, (i64, i64))> {
    let pairs = change.pairs.iter().enumerate();
    let mut seeds: Vec<(u64, (i64, i64))> =
        pairs.map(|(number, pair)| (change.seeds_from.saturating_add(number as u64), *pair)).collect();
    seeds.sort_by_key(|(seed, pair)| (difference(*pair), *seed));
    seeds
}

fn ticks(metric: &str) -> Ticks {
    if metric.contains("_ns") {
        Ticks::Time
    } else if metric.contains("_ppm") {
        Ticks::Share
    } else if metric.contains("bytes") {
        Ticks::Bytes
    } else {
        Ticks::Count
    }
}

/// The differences of a metric, seed by seed.
fn differences(name: &str, change: &GatedChange) -> Plot {
    let seeds = sorted(change);
    let values: Vec<i64> = seeds.iter().map(|(_, pair)| bar(difference(*pair))).collect();
    // What has no end reaches to the end of the axis, which the others determine.
    let is_endless = |value: &i64| matches!(*value, i64::MIN | i64::MAX);
    let mut shown: Vec<i64> = values.iter().copied().filter(|value| !is_endless(value)).collect();
    let widest = shown.iter().map(|value| value.saturating_abs()).max().unwrap_or(1).max(1);
    shown.extend(values.iter().filter(|value| is_endless(value)).map(|value| value.signum() * widest));
    let count = values.len() as i64;
    let mut plot = Plot::new(
        name,
        &format!("{} of {}, differences by seed", change.metric, change.system),
        &format!(
            "{} of {}: now minus before, one bar per seed, sorted; above zero it got worse. {} of {} seeds changed. Bars to the end of the axis: \
             only one of the two runs converged.",
            change.metric, change.system, change.changed, change.seeds
        ),
        Axis::linear("seeds, by difference", Ticks::Count, [0, count + 1].into_iter()),
        Axis::linear("now - before", ticks(&change.metric), shown.into_iter()),
    );
    let bars: Vec<(i64, i64)> = (1..).zip(values).collect();
    plot.bars("worse", "better", &bars);
    plot.across(0);
    plot
}

/// The seeds that changed most, in words.
fn extremes(change: &GatedChange) -> String {
    let seeds = sorted(change);
    let name = |(seed, pair): &(u64, (i64, i64))| format!("{seed} ({})", told(&change.metric, *pair));
    let grew = seeds.iter().rev().filter(|(_, pair)| difference(*pair) > 0).take(SEEDS_MAX).map(name);
    let shrank = seeds.iter().filter(|(_, pair)| difference(*pair) < 0).take(SEEDS_MAX).map(name);
    let (grew, shrank) = (grew.collect::<Vec<_>>().join(", "), shrank.collect::<Vec<_>>().join(", "));
    let mut out = String::new();
    for (word, seeds) in [("grew", grew), ("shrank", shrank)] {
        if !seeds.is_empty() {
            let _ = writeln!(out, "<p class=\"faint\">Seeds in which it {word} most: {seeds}.</p>");
        }
    }
    out
}

fn told(metric: &str, (before, now): (i64, i64)) -> String {
    let told = |value: i64| match u64::try_from(value) {
        Ok(ns) if metric.contains("_ns") => duration(ns),
        Ok(number) => number.to_string(),
        Err(_) => "censored".to_owned(),
    };
    format!("{} to {}", told(before), told(now))
}
