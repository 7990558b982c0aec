//! `[expect.SYSTEM]`.

use std::collections::BTreeMap;

use super::Check;
use crate::{
    checkers::Consistency,
    scenario::{
        diagnostic::{Diagnostic, suggestion},
        expectation::{Bound, Expectation, MEASURES, Measure, MeasureKind, Quantile, Wanted},
        file::{At, BoundValue, ScenarioFile},
    },
};

pub(super) fn expectations(check: &mut Check, file: &ScenarioFile) -> BTreeMap<String, Vec<Expectation>> {
    let mut result: BTreeMap<String, Vec<Expectation>> = BTreeMap::new();
    for (system, table) in &file.expect.0 {
        let systems = || file.system.iter().map(|system| system.value.name.value.as_str());
        if !systems().any(|name| name == system.value) {
            let finding = Diagnostic::new("scenario::unknown-name", format!("there is no system `{}`", system.value));
            check.push(finding.at(system.span.clone(), "no such system").help(suggestion(
                &system.value,
                "systems",
                systems(),
            )));
        }
        let list = result.entry(system.value.clone()).or_default();
        for (name, bound) in &table.value.0.0 {
            let Some(measure) = Measure::named(&name.value) else {
                let finding =
                    Diagnostic::new("scenario::unknown-name", format!("there is no measure `{}`", name.value));
                let help = suggestion(&name.value, "measures", MEASURES.iter().map(|measure| measure.name));
                check.push(finding.at(name.span.clone(), "no such measure").help(help));
                continue;
            };
            expect(check, measure, bound, list);
        }
    }
    result
}

fn expect(check: &mut Check, measure: &'static Measure, bound: &At<BoundValue>, list: &mut Vec<Expectation>) {
    if measure.kind == MeasureKind::Consistency {
        consistency(check, measure, bound, list);
        return;
    }
    let BoundValue::Quantiles(quantiles) = &bound.value else {
        list.extend(single(check, measure, None, bound));
        return;
    };
    if measure.kind != MeasureKind::Quantiles {
        let finding = Diagnostic::new("scenario::wrong-type", format!("`{}` has no quantiles", measure.name));
        check.push(finding.at(bound.span.clone(), "a table").help("write a single bound"));
        return;
    }
    for (name, bound) in &quantiles.0 {
        if let Some((_, quantile)) = Quantile::ALL.iter().find(|(known, _)| *known == name.value) {
            list.extend(single(check, measure, Some(*quantile), bound));
            continue;
        }
        let help = suggestion(&name.value, "quantiles", Quantile::ALL.iter().map(|(known, _)| *known));
        let finding = Diagnostic::new("scenario::unknown-name", format!("there is no quantile `{}` here", name.value));
        check.push(finding.at(name.span.clone(), "no such quantile").help(help));
    }
}

/// `"linearizable"`, `"not sequential"`, or several of them.
fn consistency(check: &mut Check, measure: &'static Measure, bound: &At<BoundValue>, list: &mut Vec<Expectation>) {
    let text = match &bound.value {
        BoundValue::All(all) => return all.iter().for_each(|bound| consistency(check, measure, bound, list)),
        BoundValue::Text(text) => text.trim(),
        _ => {
            let finding = Diagnostic::new("scenario::wrong-type", "this names no consistency model".to_owned());
            let help = "write \"linearizable\", \"not linearizable\", or several in brackets";
            check.push(finding.at(bound.span.clone(), "here").help(help));
            return;
        }
    };
    let (wanted, name) = match text.strip_prefix("not ") {
        Some(name) => (false, name.trim_start()),
        None => (true, text),
    };
    let Some(model) = Consistency::named(name) else {
        let finding = Diagnostic::new("scenario::unknown-name", format!("there is no consistency model `{name}`"));
        let help = suggestion(name, "models", Consistency::ALL.into_iter().map(Consistency::name));
        check.push(finding.at(bound.span.clone(), "no such model").help(help));
        return;
    };
    let written = text.to_owned();
    list.push(Expectation { measure, quantile: None, wanted: Wanted::Model(model, wanted), written });
}

fn single(
    check: &mut Check,
    measure: &'static Measure,
    quantile: Option<Quantile>,
    bound: &At<BoundValue>,
) -> Option<Expectation> {
    let refused = |message: String, help: &str| {
        Diagnostic::new("scenario::wrong-type", message).at(bound.span.clone(), "here").help(help)
    };
    let name = measure.name;
    let counts = matches!(measure.kind, MeasureKind::Count | MeasureKind::Size);
    let (wanted, written) = match (&bound.value, measure.kind) {
        (BoundValue::Text(text), MeasureKind::Value) => (Wanted::Value, text.clone()),
        (BoundValue::Number(number), MeasureKind::Value) => (Wanted::Value, number.to_string()),
        (BoundValue::Truth(truth), MeasureKind::Truth) => (Wanted::Truth(*truth), truth.to_string()),
        (BoundValue::Number(number), _) if counts => {
            let Ok(count) = u64::try_from(*number) else {
                check.push(refused(format!("`{name}` is never negative"), "use a number from 0"));
                return None;
            };
            (Wanted::Within(Bound::exactly(count)), count.to_string())
        }
        (BoundValue::Text(text), kind) if kind != MeasureKind::Truth => match Bound::parse(text, kind) {
            Ok(bound) => (Wanted::Within(bound), text.trim().to_owned()),
            Err(malformed) => {
                let help = malformed.help.unwrap_or_default();
                check.push(refused(malformed.message, &help));
                return None;
            }
        },
        (_, kind) => {
            let form = match kind {
                MeasureKind::Truth => "write true or false",
                MeasureKind::Count => "write a number, or a comparison such as \"> 0\"",
                MeasureKind::Size => "write a comparison such as \"<= 10MB\"",
                MeasureKind::Share => "write a comparison such as \">= 99%\"",
                MeasureKind::Quantiles => "write a comparison such as \"<= 2s\"",
                MeasureKind::Value => "write the value, for example \"[milk tea]\" or 42",
                MeasureKind::Consistency => "write \"linearizable\" or \"not linearizable\"",
            };
            check.push(refused(format!("this is no bound for `{name}`"), form));
            return None;
        }
    };
    Some(Expectation { measure, quantile, wanted, written })
}
