//! An advice as text and as JSON.
//!
//! The text is the recommendation, its reasons, and the table of trade-offs that was measured; JSON is the advice as it is.
//! Invariant: nothing is computed here but shares and roundings, and no line is wider than 100 columns, but for the command
//! line to copy.
//!
//! ```
//! use sim::{engine::advice::{Question, advise}, report::advice};
//! let answer = advise(&Question { replicas: 2, seeds: 1, ..Question::default() }).expect("a question");
//! assert!(advice::text(&answer, true).starts_with("recommended: CRDT (pn-counter)\n"));
//! ```
//!
//! What is deliberately absent: colours, which would say nothing that the words do not.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, presets};

use super::{
    chart,
    columns::{one_line, wrap},
    human::{bytes, count, duration, percentage},
};
use crate::engine::advice::{Advice, Durations, Fates, Measured, Need, percent, ppm};

/// A row of the table: what it shows, and of a candidate.
type Row = (&'static str, fn(&Measured) -> String);

/// The table of trade-offs: titles of groups, and their rows.
const GROUPS: &[(&str, &[Row])] = &[
    (
        "CONSISTENCY",
        &[
            ("kept by all runs", |one| one.consistency.clone()),
            ("lost updates", |one| one.lost_updates.map_or_else(|| "unknown".to_owned(), count)),
            ("incorrect runs", |one| format!("{} of {}", one.incorrect_runs, one.judged_runs)),
            ("stale reads", |one| share(one.stale_reads, one.reads_answered)),
        ],
    ),
    (
        "AVAILABILITY",
        &[
            ("operations", |one| available(one.operations())),
            ("while cut", |one| available(one.during_partitions)),
            ("without partitions", |one| available(one.without_partitions)),
            ("updates refused", |one| count(one.updates.fail)),
            ("updates in doubt", |one| count(one.updates.info)),
        ],
    ),
    (
        "LATENCY, median / p99",
        &[
            ("updates", |one| durations(one.update_latency_ns)),
            ("without partitions", |one| durations(one.update_latency_without_partitions_ns)),
            ("reads", |one| durations(one.read_latency_ns)),
        ],
    ),
    (
        "CONVERGENCE",
        &[
            ("time, median", |one| one.convergence_ns.map_or_else(|| "censored".to_owned(), duration)),
            ("censored runs", |one| format!("{} of {}", one.censored_runs, one.runs)),
        ],
    ),
    (
        "COORDINATION, per operation",
        &[
            ("messages waited for", |one| thousandths(one.waited_messages_per_1000_operations)),
            ("messages", |one| thousandths(one.messages_per_1000_operations)),
            ("bytes sent", |one| bytes(one.bytes_per_operation)),
        ],
    ),
    (
        "MERGE COST",
        &[
            ("bytes joined per update", |one| bytes(one.merge_bytes_per_update)),
            ("conflicts per update", |one| per_update(one.conflicts, one.updates)),
            ("retries per update", |one| per_update(one.retries, one.updates)),
        ],
    ),
    (
        "STORAGE, at the end",
        &[
            ("state", |one| bytes(one.state_bytes)),
            ("of it metadata", |one| bytes(one.metadata_bytes)),
            ("of it tombstones", |one| bytes(one.tombstone_bytes)),
            ("growth by 1,000 updates", |one| growth(one.growth_bytes_per_1000_updates)),
        ],
    ),
];

/// The advice as text; with rules in Unicode, or all in ASCII.
pub fn text(advice: &Advice, unicode: bool) -> String {
    let mut lines = heading(advice);
    lines.extend([String::new(), "REASONS".to_owned()]);
    for reason in &advice.reasons {
        lines.extend(item(reason));
    }
    if !advice.unmet.is_empty() {
        lines.extend([String::new(), "NEEDS THAT NO CANDIDATE MEETS TOGETHER".to_owned()]);
        for unmet in &advice.unmet {
            lines.push(format!("  {}", unmet.need.name()));
            for violation in &unmet.violations {
                lines.extend(wrap(&format!("{}: {}", violation.candidate, violation.measured), "    ", chart::WIDTH));
            }
        }
    }
    lines.extend([String::new(), "TRADE-OFFS, MEASURED".to_owned()]);
    lines.extend(table(&advice.candidates, unicode));
    lines.extend([String::new(), format!("reproduce: {}", one_line(&advice.reproduce))]);
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The advice as JSON.
pub fn json(advice: &Advice) -> String {
    let mut text = serde_json::to_string_pretty(advice).expect("an advice has only names as keys");
    text.push('\n');
    text
}

fn heading(advice: &Advice) -> Vec<String> {
    let question = &advice.question;
    let reservation = if advice.meets_all_needs { "" } else { ", though no candidate meets every need" };
    let needs: Vec<&str> = question.needs.iter().copied().map(Need::name).collect();
    let asked = format!(
        "For a {} at {} replicas, cut in halves for {} of the time, with a conflict rate of {} and {} reads. Needs: {}.",
        question.object.name(),
        question.replicas,
        percent(question.partition_ppm),
        percent(question.conflict_ppm),
        percent(question.reads_ppm),
        if needs.is_empty() { "none but to lose nothing".to_owned() } else { needs.join(", ") },
    );
    let conditions = &advice.conditions;
    let ran = format!(
        "Measured over {} of work under {} seed{}, with {} updates/s, of which {} began within {} of another one.",
        duration(conditions.work_ns),
        advice.seeds.len(),
        if advice.seeds.len() == 1 { "" } else { "s" },
        thousandths(conditions.updates_mhz),
        conditions.conflicts_measured_ppm.map_or_else(|| "none".to_owned(), percentage),
        duration(conditions.conflict_window_ns),
    );
    let mut lines = vec![format!("recommended: {} ({}){reservation}", advice.recommendation.name(), advice.candidate)];
    lines.extend(wrap(&asked, "", chart::WIDTH));
    lines.extend(wrap(&ran, "", chart::WIDTH));
    lines
}

/// A sentence as an item of a list.
fn item(sentence: &str) -> Vec<String> {
    let mut lines = wrap(sentence, "    ", chart::WIDTH);
    if let Some(first) = lines.first_mut() {
        first.replace_range(2..3, "-");
    }
    lines
}

fn table(candidates: &[Measured], unicode: bool) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(if unicode { presets::UTF8_NO_BORDERS } else { presets::ASCII_NO_BORDERS })
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(chart::WIDTH as u16);
    table.style_mut().row_separator = LineStyle::none();
    table.set_header(std::iter::once(String::new()).chain(candidates.iter().map(|one| one.name.clone())));
    for (title, rows) in GROUPS {
        table.add_row([*title]);
        for (label, cell) in *rows {
            table.add_row(std::iter::once(format!("  {label}")).chain(candidates.iter().map(cell)));
        }
    }
    if let Some(labels) = table.column_mut(0) {
        labels.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.lines().collect()
}

fn share(part: u64, whole: u64) -> String {
    ppm(part, whole).map_or_else(|| "none read".to_owned(), percentage)
}

fn available(fates: Fates) -> String {
    fates.availability_ppm().map_or_else(|| "-".to_owned(), percentage)
}

fn durations(of: Durations) -> String {
    let shown = |ns: Option<u64>| ns.map_or_else(|| "-".to_owned(), duration);
    format!("{} / {}", shown(of.p50), shown(of.p99))
}

fn per_update(number: u64, updates: Fates) -> String {
    (u128::from(number) * 1_000)
        .checked_div(u128::from(updates.total()))
        .map_or_else(|| "-".to_owned(), |shown| thousandths(shown as u64))
}

fn growth(by: i64) -> String {
    format!("{}{}", if by < 0 { "-" } else { "" }, bytes(by.unsigned_abs()))
}

/// Thousandths with at most two decimals, rounded down.
fn thousandths(number: u64) -> String {
    let (whole, rest) = (number / 1_000, number % 1_000 / 10);
    if rest == 0 { count(whole) } else { format!("{}.{rest:02}", count(whole)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::advice::{Question, advise},
        report::columns::width,
        scenario::ObjectName,
    };

    #[test]
    fn a_register_with_every_need_is_told_who_violates_which() {
        let question = Question {
            object: ObjectName::Register,
            replicas: 3,
            needs: Need::ALL.to_vec(),
            seeds: 1,
            ..Question::default()
        };
        let advice = advise(&question).expect("a question");
        let shown = text(&advice, true);
        for line in shown.lines().filter(|line| !line.starts_with("reproduce: ")) {
            assert!(width(line) <= chart::WIDTH, "{line}");
        }
        assert!(text(&advice, false).is_ascii());
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn numbers_are_rounded_down() {
        assert_eq!([0, 9, 10, 1_239, 1_000_000].map(thousandths), ["0", "0", "0.01", "1.23", "1,000"]);
        assert_eq!([growth(-2_048), growth(12)], ["-2KiB", "12B"]);
    }
}
