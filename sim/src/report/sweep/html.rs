//! HTML: a sweep on one page that needs no other.
//!
//! Plots come first, then what each system did, then how runs failed with what to type to see it, then the runs themselves, those that failed
//! first, as many as a page can hold.
//!
//! Invariant: well-formed as XML, nothing from elsewhere, and every text is escaped.
//!
//! What is deliberately absent: what the rows do not say. For one run there is `sim run`, and the page has its command line.

use std::fmt::Write;

use super::{
    collected::{Collected, RUNS_MAX, SEEDS_MAX},
    model::{Contrast, SweepReport, SweptSystem},
    svg,
    text::{cells, interval, quantile},
};
use crate::report::{
    columns::one_line,
    human::{bytes, count, duration, percentage},
    model::Verdict,
    page::{figure, page, table},
    plot::escape,
};

/// The page.
pub(super) fn render(report: &SweepReport, all: &Collected) -> String {
    let verdict = word(report.verdict);
    let title = format!("{}, seeds {}..{}", report.scenario, report.seeds_from, report.seeds_to);
    let mut content = format!("<h1>{}: <span class=\"{verdict}\">{verdict}</span></h1>\n", escape(&title));
    for plot in svg::plots(all) {
        let _ = writeln!(content, "<h2>{}</h2>", escape(plot.title()));
        content.push_str(&figure(&plot));
    }
    content.push_str("<h2>Systems</h2>\n");
    content.push_str(&systems(report));
    content.push_str(&contrasts(report));
    content.push_str(&failures(report, all));
    content.push_str("<h2>Runs</h2>\n");
    content.push_str(&runs(all));
    page(&format!("{title}: {verdict}"), &report.tool, &content)
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Vacuous => "vacuous",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Fail => "fail",
    }
}

fn systems(report: &SweepReport) -> String {
    let columns = [
        " system",
        "runs",
        "failed",
        "P(failure), 95% bound",
        "not converged",
        "time to converge, p50",
        "95% interval",
        "p99",
        "visible everywhere, p99, p50",
        "lost updates, max",
        "messages, p50",
        "bytes, p50",
        "state, p50",
    ];
    let row = |system: &SweptSystem| {
        let time = &system.convergence_time_ns;
        let cells = [
            count(system.runs),
            count(system.fail),
            percentage(system.fail_ppm_max),
            count(time.censored),
            quantile(time, |of| of.p50, duration),
            interval(time),
            quantile(time, |of| of.p99, duration),
            quantile(&system.visibility_latency_ns_p99, |of| of.p50, duration),
            quantile(&system.lost_updates, |of| of.max, count),
            quantile(&system.messages, |of| of.p50, count),
            quantile(&system.bytes, |of| of.p50, bytes),
            quantile(&system.state_bytes, |of| of.p50, bytes),
        ];
        let cells = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect::<Vec<_>>().concat();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escape(&one_line(&system.name)))
    };
    let rows: String = report.systems.iter().map(row).collect();
    table("What each system did over all seeds; p50 is the median over runs.", "systems", &columns, &rows)
}

fn contrasts(report: &SweepReport) -> String {
    let Some(first) = report.contrasts.first() else { return String::new() };
    let columns =
        [" system", "sooner", "later", "seeds", "difference", "p, signed ranks", "p, log-rank", "seeds that show it"];
    let row = |contrast: &Contrast| {
        let cells = cells(contrast).map(|cell| format!("<td>{}</td>", escape(&cell))).concat();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escape(&one_line(&contrast.system)))
    };
    let rows: String = report.contrasts.iter().map(row).collect();
    let caption = format!(
        "Time to converge beside that of {}, seed by seed; p-values are corrected after Holm.",
        one_line(&first.reference)
    );
    table(&caption, "contrasts", &columns, &rows)
}

fn failures(report: &SweepReport, all: &Collected) -> String {
    let mut out = String::from("<h2>Failures</h2>\n");
    if report.failures.is_empty() {
        out.push_str("<p>No run failed.</p>\n");
        return out;
    }
    let mut lines = String::new();
    for failure in &report.failures {
        let seeds = all.failures.get(&failure.failure).map_or(&[][..], |alike| &alike.seeds);
        let mut seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
        if seeds.len() > SEEDS_MAX {
            "...".clone_into(&mut seeds[SEEDS_MAX]);
        }
        let _ = writeln!(
            lines,
            "<tr><td>{}</td><td class=\"text wide\">{}</td><td class=\"text wide\">{}</td><td class=\"text wide\"><code class=\"copy\">{}</code></td></tr>",
            count(failure.count),
            escape(&one_line(&failure.failure)),
            seeds.join(" "),
            escape(&one_line(&failure.reproduce))
        );
    }
    let caption = "Runs that failed alike, the most frequent first. The command shows the first seed; for another, change --seed.";
    out.push_str(&table(caption, "failures", &["runs", " what did not hold", " seeds", " command"], &lines));
    out
}

fn runs(all: &Collected) -> String {
    let mut lines = String::new();
    for row in all.shown() {
        let verdict = word(super::build::verdict(row.verdict));
        let time = |ns: Option<u64>| ns.map_or_else(|| "censored".to_owned(), duration);
        let cells = [
            row.seed.to_string(),
            time(row.convergence_time_ns),
            time(row.visibility_latency_ns_p99),
            row.lost_updates.map_or_else(|| "-".to_owned(), count),
            count(row.stale_reads),
            count(row.messages),
            bytes(row.bytes),
        ];
        let cells = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect::<Vec<_>>().concat();
        let _ = writeln!(
            lines,
            "<tr><th scope=\"row\">{}</th><td class=\"text {verdict}\">{verdict}</td>{cells}<td class=\"text wide\">{}</td></tr>",
            escape(&one_line(&row.system)),
            escape(&one_line(&row.failed.join("; ")))
        );
    }
    let columns = [
        " system",
        " verdict",
        "seed",
        "time to converge",
        "visible everywhere, p99",
        "lost updates",
        "stale reads",
        "messages",
        "bytes",
        " what did not hold",
    ];
    let total = count(all.count);
    let caption = if all.count > RUNS_MAX as u64 {
        format!("{} of {total} runs, those that failed first; all of them are in sweep.csv.", count(RUNS_MAX as u64))
    } else {
        format!("All {total} runs, those that failed first.")
    };
    table(&caption, "filtered", &columns, &lines)
}
