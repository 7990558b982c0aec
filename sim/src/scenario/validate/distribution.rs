//! Latency distributions.

use super::Check;
use crate::scenario::{
    diagnostic::{Diagnostic, suggestion},
    distribution::{DISTRIBUTIONS, Distribution, QUANTILE_WHOLE},
    file::{At, Choice, Entries, Latency, NormalTable, ParetoTable, Written},
    units::{Duration, Unit, share},
};

/// Reads a latency: a duration, or a distribution.
pub(super) fn distribution(check: &mut Check, latency: &At<Choice<Latency>>) -> Option<Distribution> {
    let table = match &latency.value {
        Choice::Text(text) => return plain(check, latency, text),
        Choice::Table(table) => table,
    };
    let kinds = [
        ("constant", table.constant.as_ref().map(|kind| kind.span.clone())),
        ("uniform", table.uniform.as_ref().map(|kind| kind.span.clone())),
        ("exponential", table.exponential.as_ref().map(|kind| kind.span.clone())),
        ("normal", table.normal.as_ref().map(|kind| kind.span.clone())),
        ("lognormal", table.lognormal.as_ref().map(|kind| kind.span.clone())),
        ("pareto", table.pareto.as_ref().map(|kind| kind.span.clone())),
        ("empirical", table.empirical.as_ref().map(|kind| kind.span.clone())),
    ];
    check.exactly_one(&latency.span, "latency", &kinds)?;
    if let Some(constant) = &table.constant {
        return Some(Distribution::Constant { latency_ns: check.read(constant)? });
    }
    if let Some(uniform) = &table.uniform {
        let (min_ns, max_ns) = ordered(check, &uniform.value.min, &uniform.value.max, "max")?;
        return Some(Distribution::Uniform { min_ns, max_ns });
    }
    if let Some(exponential) = &table.exponential {
        let (min_ns, mean_ns) = match &exponential.value.min {
            Some(min) => ordered(check, min, &exponential.value.mean, "mean")?,
            None => (0, check.read(&exponential.value.mean)?),
        };
        return Some(Distribution::Exponential { mean_ns, min_ns });
    }
    if let Some(lognormal) = &table.lognormal {
        let median_ns = check.positive(&lognormal.value.median, "the median of a log-normal latency");
        let (_, p99_ns) = ordered(check, &lognormal.value.median, &lognormal.value.p99, "p99")?;
        return Some(Distribution::Lognormal { median_ns: median_ns?, p99_ns });
    }
    match (&table.normal, &table.pareto, &table.empirical) {
        (Some(table), _, _) => normal(check, &table.value),
        (_, Some(table), _) => pareto(check, &table.value),
        (_, _, Some(table)) => empirical(check, table),
        _ => None,
    }
}

/// A plain duration, or the name of a distribution by mistake.
fn plain(check: &mut Check, latency: &At<Choice<Latency>>, text: &str) -> Option<Distribution> {
    let malformed = match Duration::parse(text) {
        Ok(latency_ns) => return Some(Distribution::Constant { latency_ns }),
        Err(malformed) => malformed,
    };
    let mut finding = Diagnostic::new("scenario::quantity", malformed.message).at(latency.span.clone(), "here");
    finding.help = malformed.help;
    if let Some(near) = crate::scenario::diagnostic::nearest(text, DISTRIBUTIONS.iter().map(|(name, _)| *name)) {
        finding.help = Some(format!("a distribution has parameters: {{ {near} = {{ … }} }}"));
    }
    check.push(finding);
    None
}

/// Two durations of which the second is not below the first.
fn ordered(check: &mut Check, low: &Written<Duration>, high: &Written<Duration>, name: &str) -> Option<(u64, u64)> {
    let (low_ns, high_ns) = (check.read(low), check.read(high));
    let (low_ns, high_ns) = low_ns.zip(high_ns)?;
    if low_ns > high_ns {
        let message =
            format!("`{name}` is below what it bounds: {} is less than {}", high.text.trim(), low.text.trim());
        let (low, high) = ((low.span.clone(), "this is more"), (high.span.clone(), "this is less"));
        check.contradiction(&message, high, low, "exchange them");
        return None;
    }
    Some((low_ns, high_ns))
}

fn normal(check: &mut Check, table: &NormalTable) -> Option<Distribution> {
    let (mean_ns, sd_ns) = (check.read(&table.mean), check.read(&table.sd));
    Some(Distribution::Normal { mean_ns: mean_ns?, sd_ns: sd_ns? })
}

fn pareto(check: &mut Check, table: &ParetoTable) -> Option<Distribution> {
    let min_ns = check.positive(&table.min, "the least of a Pareto latency");
    let alpha = table.alpha.value.0;
    if !(0.1..=1000.0).contains(&alpha) {
        let finding = Diagnostic::new("scenario::value", format!("a Pareto exponent cannot be {alpha}"));
        check.push(
            finding.at(table.alpha.span.clone(), "out of range").help("use a number from 0.1 to 1000, for example 1.5"),
        );
        return None;
    }
    Some(Distribution::Pareto { min_ns: min_ns?, alpha })
}

/// Quantiles `p0`, `p50`, `p99.9`, … in any order.
fn empirical(check: &mut Check, table: &At<Entries<Written<Duration>>>) -> Option<Distribution> {
    let before = check.findings.len();
    let mut quantiles = Vec::new();
    for (key, latency) in &table.value.0 {
        let fraction = key.value.strip_prefix('p').and_then(|number| share(&format!("{number}%")).ok());
        let probability = fraction.and_then(|(part, whole)| {
            let scaled = u128::from(part) * u128::from(QUANTILE_WHOLE);
            (part <= whole && scaled % u128::from(whole) == 0).then(|| (scaled / u128::from(whole)) as u64)
        });
        let latency_ns = check.read(latency);
        match (probability, latency_ns) {
            (Some(probability), Some(latency_ns)) => quantiles.push((probability, latency_ns, latency.span.clone())),
            (None, _) => {
                let finding = Diagnostic::new("scenario::unknown-key", format!("`{}` is no quantile", key.value));
                let help = suggestion(&key.value, "usual quantiles", ["p0", "p25", "p50", "p75", "p90", "p99", "p100"]);
                check.push(finding.at(key.span.clone(), "not p0 to p100").help(help));
            }
            (_, None) => {}
        }
    }
    quantiles.sort_by_key(|(probability, ..)| *probability);
    for pair in quantiles.windows(2) {
        let ((low, low_ns, low_place), (high, high_ns, high_place)) = (&pair[0], &pair[1]);
        if low == high || low_ns > high_ns {
            let (low, high) = ((low_place.clone(), "against this"), (high_place.clone(), "this"));
            check.contradiction("quantiles must rise", high, low, "a higher quantile has a higher latency");
        }
    }
    if quantiles.is_empty() && check.findings.len() == before {
        let finding = Diagnostic::new("scenario::empty", "there are no quantiles");
        check.push(
            finding.at(table.span.clone(), "empty").help("write { p0 = \"1ms\", p50 = \"20ms\", p100 = \"1s\" }"),
        );
    }
    let pairs = quantiles.into_iter().map(|(probability, latency_ns, _)| (probability, latency_ns)).collect();
    (check.findings.len() == before).then_some(Distribution::Empirical { quantiles: pairs })
}
