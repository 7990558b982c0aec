//! Judging: the one place where a property meets its checker.
//!
//! Linearizability and sequential consistency are judged for every model. The other properties are judged for models whose
//! answers tell which updates they saw: unique values of registers and stores, elements of sets, totals of counters.
//!
//! Invariant: what [`is_judged`] promises has an arm in [`judge`] or in the vocabulary of the model, and nothing else has.
//!
//! What is deliberately absent: knowledge of files. What is judged are calls.

use std::collections::BTreeMap;

use super::{
    Checker, Finding, Property,
    datum::{Datum, Element},
    models::ModelKind,
    vocabulary::Translation,
};
use crate::checkers::{
    Consistency, Ruling, Verdict,
    contents::{self, Contents},
    counter::{Acceptable, Ledger, check_final, check_monotonic, check_reads},
    linearizability::{
        self, Call, Judgement, Limits, Model,
        models::{CounterModel, KeyValueOp, KeyValueRet, RegisterOp, RegisterRet, SetModel, SetOp, SetRet},
    },
    sequential, sessions, set_full,
};

/// Is there a checker of this property for this model?
pub(super) fn is_judged(model: ModelKind, property: Property) -> bool {
    use ModelKind::{CasRegister, Counter, GrowOnlySet, Register, ValueStore};
    match property {
        Property::Model(Consistency::Linearizable | Consistency::Sequential) => true,
        Property::Model(Consistency::StronglyConvergent) => false,
        Property::Model(_) => matches!(model, Register | CasRegister | ValueStore | GrowOnlySet),
        Property::Checker(Checker::SetFull) => model == GrowOnlySet,
        Property::Checker(_) => model == Counter,
    }
}

/// Judges calls by what is judged for every model; `None` for the rest.
pub(super) fn judge<M: Model>(
    model: &M,
    calls: &[Call<M::Op, M::Ret>],
    property: Property,
    limits: &Limits<'_>,
) -> Option<Finding> {
    match property {
        Property::Model(Consistency::Linearizable) => Some(linearizable(linearizability::check(model, calls, limits))),
        Property::Model(Consistency::Sequential) => Some(sequential::check(model, calls, limits).into()),
        _ => None,
    }
}

/// A judgement of the search as a finding. Its places are those of calls.
fn linearizable(judgement: Judgement) -> Finding {
    match judgement {
        Judgement::Linearizable { parts, .. } => {
            Finding { parts: Some(parts), ..Finding::from(Ruling::from(Verdict::Pass)) }
        }
        Judgement::NotLinearizable(witness) => {
            // The calls are shown with their lines in the file; what else is said of them stays.
            let said: Vec<&str> = witness.text.lines().filter(|line| !line.starts_with("  process ")).collect();
            Finding {
                is_minimal: witness.is_minimal,
                prefix: witness.prefix,
                stuck: Some(witness.stuck),
                ..Finding::from(Ruling::fail(said.join("\n"), witness.calls))
            }
        }
        unknown @ Judgement::Unknown { .. } => Finding::from(Ruling::from(unknown)),
    }
}

fn unknown(reason: String) -> Finding {
    Finding::from(Ruling::from(Verdict::Unknown { reason }))
}

/// Causality, PRAM and the session guarantees of a register with this value at first.
pub(super) fn register(
    init: &Datum,
    calls: &[Call<RegisterOp<Datum>, RegisterRet<Datum>>],
    property: Property,
) -> Option<Finding> {
    let Property::Model(model) = property else { return None };
    let ruling = sessions::accesses_of_register(Some(init), calls).map(|accesses| sessions::check(model, &accesses));
    Some(ruling.map_or_else(unknown, Finding::from))
}

/// Causality, PRAM and the session guarantees of a store.
pub(super) fn store(
    calls: &[Call<KeyValueOp<Datum, Datum>, KeyValueRet<Datum>>],
    property: Property,
) -> Option<Finding> {
    let Property::Model(model) = property else { return None };
    let ruling = sessions::accesses_of_store(calls).map(|accesses| sessions::check(model, &accesses));
    Some(ruling.map_or_else(unknown, Finding::from))
}

/// What totals tell.
pub(super) fn counter(translation: &Translation<CounterModel>, property: Property) -> Option<Finding> {
    let mut ledger = Ledger::from(&translation.calls[..]);
    for read in &mut ledger.reads {
        read.is_final = translation.is_final[read.call];
    }
    let ruling = match property {
        Property::Checker(Checker::FinalReads) => {
            let acceptable = Acceptable::of_additions(ledger.additions.iter().copied());
            check_final(&ledger, &acceptable).into()
        }
        Property::Checker(Checker::BoundedReads) => check_reads(&ledger),
        Property::Checker(Checker::RisingTotals) => check_monotonic(&ledger),
        _ => return None,
    };
    Some(ruling.into())
}

/// What elements tell of a set to which each of them is added once.
pub(super) fn grow_only_set(translation: &Translation<SetModel<Element>>, property: Property) -> Option<Finding> {
    match property {
        Property::Checker(Checker::SetFull) => Some(set_full(&translation.calls).into()),
        Property::Model(model) => {
            let judge = |contents: Contents| contents.judge(model, &|call| translation.tell(call)).into();
            Some(contents_of(&translation.calls).map_or_else(unknown, judge))
        }
        Property::Checker(_) => None,
    }
}

/// Elements as updates, and answers as contents.
fn contents_of(calls: &[Call<SetOp<Element>, SetRet<Element>>]) -> Result<Contents, String> {
    let mut numbers: BTreeMap<&Element, u32> = BTreeMap::new();
    let mut updates = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let SetOp::Add(element) = &call.op else { continue };
        if numbers.insert(element, updates.len() as u32).is_some() {
            return Err(format!(
                "{element:?} is added more than once, so that answers do not tell which addition they saw"
            ));
        }
        let fate = if call.returned.is_some() { contents::Fate::Acknowledged } else { contents::Fate::Indeterminate };
        updates.push(contents::Update {
            call: at,
            process: call.process,
            invoked: call.invoked,
            returned: call.returned,
            fate,
        });
    }
    let mut contents = Contents::new(&updates);
    for (at, call) in calls.iter().enumerate() {
        let (Some(SetRet::Elements(elements)), Some(returned)) = (call.answer(), call.returned) else { continue };
        let stranger = elements.iter().find(|element| !numbers.contains_key(element));
        let misfit = stranger.map(|element| match element.copy {
            0 => format!("{element:?} is in it, and nobody added it"),
            _ => format!("{element:?} is in it more than once"),
        });
        let read = contents::Read { call: at, process: call.process, invoked: call.invoked, returned, misfit };
        contents.push(read, elements.iter().filter_map(|element| numbers.get(element)).copied());
    }
    Ok(contents)
}

fn set_full(calls: &[Call<SetOp<Element>, SetRet<Element>>]) -> Ruling {
    let (mut additions, mut reads) = (Vec::new(), Vec::new());
    for (at, call) in calls.iter().enumerate() {
        match (&call.op, call.answer(), call.returned) {
            (SetOp::Add(element), _, returned) => additions.push(set_full::Addition {
                call: at,
                element: element.datum.clone(),
                invoked: call.invoked,
                fate: returned.map_or(set_full::Fate::Indeterminate, set_full::Fate::Acknowledged),
            }),
            (_, Some(SetRet::Elements(elements)), Some(returned)) => reads.push(set_full::Read {
                call: at,
                elements: elements.iter().map(|element| element.datum.clone()).collect(),
                invoked: call.invoked,
                returned,
            }),
            _ => {}
        }
    }
    set_full::judge(&additions, &reads).ruling
}
