//! What operations are about: the part of `[workload]` that depends on the object.

use std::ops::Range;

use crdts::objects::{cart::CartOp, counter::CounterOp, register::RegisterOp, sequence::SequenceOp, set::SetOp};

use super::Check;
use crate::{
    kernel::time::Time,
    scenario::{
        diagnostic::{Diagnostic, suggestion},
        file::{Added, Amount, AmountTable, At, Entries, NamesOrNumber, PopularityTable, StepTable, WorkloadTable},
        plan::ObjectName,
        units::DURATION_NS_MAX,
    },
    workloads::{AmountDistribution, CartItems, Mix, Operations, Place, Popularity, ScriptedOp, Step, Typing},
};

/// Where clients type.
pub const PLACES: &[(&str, &str)] = &[
    ("anywhere", "a word begins anywhere in the text that its typist sees"),
    ("start", "all words begin before everything"),
    ("end", "a word begins behind the text that its typist sees"),
];

/// The most elements, items and words.
const NAMES_MAX: usize = 100_000;
/// The most lines of a script.
const STEPS_MAX: usize = 100_000;
/// The keys of a store, unless a scenario says otherwise.
const KEYS: u32 = 5;
/// The most keys.
const KEYS_MAX: u32 = 1_000_000;
/// The steepest law of Zipf, beyond which the second name never comes.
const ZIPF_MAX: f64 = 20.0;

/// What carts are filled with unless the scenario says so.
const ITEMS: [&str; 8] = ["milk", "bread", "eggs", "butter", "tea", "rice", "salt", "soap"];
/// What clients type unless the scenario says so.
const WORDS: [&str; 8] = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"];

/// Reads what operations are about, and refuses what belongs to another object.
pub(super) fn operations(check: &mut Check, table: &WorkloadTable, object: ObjectName) -> Option<Operations> {
    let keys = [
        ("amount", table.amount.as_ref().map(|at| &at.span), vec![ObjectName::Counter]),
        ("elements", table.elements.as_ref().map(|at| &at.span), vec![ObjectName::Set]),
        ("items", table.items.as_ref().map(|at| &at.span), vec![ObjectName::Cart]),
        ("popularity", table.popularity.as_ref().map(|at| &at.span), vec![ObjectName::Set, ObjectName::Cart]),
        ("quantity", table.quantity.as_ref().map(|at| &at.span), vec![ObjectName::Cart]),
        ("keys", table.keys.as_ref().map(|at| &at.span), vec![ObjectName::KeyValue]),
        ("words", table.words.as_ref().map(|at| &at.span), vec![ObjectName::Sequence]),
        ("place", table.place.as_ref().map(|at| &at.span), vec![ObjectName::Sequence]),
    ];
    for (key, span, owners) in keys {
        if let Some(span) = span.filter(|_| !owners.contains(&object)) {
            let owners = owners.iter().map(|owner| owner.name()).collect::<Vec<_>>().join(" or a ");
            let finding = Diagnostic::new("scenario::contradiction", format!("a {} has no `{key}`", object.name()));
            check.push(finding.at(span.clone(), "does not fit the object").help(format!("`{key}` is for a {owners}")));
        }
    }
    Some(match object {
        ObjectName::Counter => Operations::Counter(amount(check, table.amount.as_ref())?),
        ObjectName::Register => Operations::Register,
        ObjectName::Set => {
            let names = names(check, table.elements.as_ref(), 'e', || (1..=20).map(|k| format!("e{k}")).collect())?;
            Operations::Set(popularity(check, table.popularity.as_ref(), names)?)
        }
        ObjectName::Cart => {
            let names = names(check, table.items.as_ref(), 'i', || ITEMS.map(str::to_owned).to_vec());
            let quantity = quantity(check, table.quantity.as_ref());
            let items = popularity(check, table.popularity.as_ref(), names?)?;
            Operations::Cart(CartItems { items, quantity: quantity? })
        }
        ObjectName::Sequence => Operations::Sequence(typing(check, table)?),
        ObjectName::GrowOnlySet => Operations::GrowOnlySet,
        ObjectName::Broadcast => Operations::Broadcast,
        ObjectName::KeyValue => {
            let keys = table.keys.as_ref().map(|keys| check.within(keys, "the number of keys", 1..=KEYS_MAX));
            Operations::KeyValue { keys: keys.unwrap_or(Some(KEYS))? }
        }
        ObjectName::Echo => Operations::Echo,
        ObjectName::UniqueIds => Operations::UniqueIds,
    })
}

fn typing(check: &mut Check, table: &WorkloadTable) -> Option<Typing> {
    let places = [Place::Anywhere, Place::Start, Place::End];
    let place = match &table.place {
        None => Some(Place::default()),
        Some(place) => check.choose(place, "place", PLACES).map(|at| places[at]),
    };
    let words = table.words.as_ref().map_or_else(|| WORDS.map(str::to_owned).to_vec(), |at| at.value.clone());
    if words.is_empty() || words.len() > NAMES_MAX || words.iter().any(String::is_empty) {
        let finding = Diagnostic::new("scenario::empty", "there is an empty word, or none at all, or too many");
        let place = table.words.as_ref().map(|at| at.span.clone());
        let finding = place.into_iter().fold(finding, |finding, place| finding.at(place, "here"));
        check.push(finding.help(format!("write 1 to {NAMES_MAX} words, [\"alpha\", \"bravo\"]")));
        return None;
    }
    Some(Typing { words, place: place? })
}

fn names(
    check: &mut Check,
    given: Option<&At<NamesOrNumber>>,
    letter: char,
    default: impl FnOnce() -> Vec<String>,
) -> Option<Vec<String>> {
    let Some(given) = given else { return Some(default()) };
    let number = match &given.value {
        NamesOrNumber::Names(names) => names.len() as i64,
        NamesOrNumber::Number(number) => *number,
    };
    if !(1..=NAMES_MAX as i64).contains(&number) {
        let finding = Diagnostic::new("scenario::value", format!("{number} names make no sense"));
        check.push(finding.at(given.span.clone(), "out of range").help(format!("use 1 to {NAMES_MAX}")));
        return None;
    }
    Some(match &given.value {
        NamesOrNumber::Names(names) => names.clone(),
        NamesOrNumber::Number(number) => (1..=*number).map(|k| format!("{letter}{k}")).collect(),
    })
}

fn popularity(check: &mut Check, given: Option<&At<PopularityTable>>, names: Vec<String>) -> Option<Popularity> {
    let Some(given) = given else { return Some(Popularity::even(names)) };
    let zipf = given.value.zipf.value.0;
    if !(0.0..=ZIPF_MAX).contains(&zipf) {
        let finding = Diagnostic::new("scenario::value", format!("an exponent of {zipf} makes no sense"));
        let finding = finding.at(given.value.zipf.span.clone(), "out of range");
        check.push(finding.help(format!("use a number from 0 (all alike) to {ZIPF_MAX}; 1 is common")));
        return None;
    }
    // The range was checked: the product fits, and is not negative.
    Some(Popularity::zipf(names, (zipf * 1_000.0).round() as u32))
}

fn quantity(check: &mut Check, given: Option<&At<Amount>>) -> Option<AmountDistribution> {
    let quantity = amount(check, given)?;
    let least = match &quantity {
        AmountDistribution::Constant(amount) => *amount,
        AmountDistribution::Uniform { min, .. } => *min,
        AmountDistribution::Choice(amounts) => amounts.iter().copied().min().unwrap_or(0),
    };
    if let Some(given) = given.filter(|_| least < 0) {
        let finding = Diagnostic::new("scenario::value", format!("{least} units cannot be added to a cart"));
        check.push(finding.at(given.span.clone(), "negative").help("use quantities from 0; `change` goes both ways"));
        return None;
    }
    Some(quantity)
}

/// Reads the weights of the kinds of operations that there are of `object`; evenly when they are absent.
pub(super) fn mix(check: &mut Check, mix: Option<&At<Entries<At<i64>>>>, object: ObjectName) -> Option<Mix> {
    let kinds = object.kinds();
    let Some(table) = mix else { return Mix::new(vec![1; kinds.len()]) };
    let mut weights = vec![Some(0); kinds.len()];
    for (kind, weight) in &table.value.0 {
        if let Some(at) = kinds.iter().position(|known| *known == kind.value) {
            weights[at] = check.within(weight, "a weight", 0..=1_000_000);
        } else {
            unknown_kind(check, kind.span.clone(), &kind.value, object);
            weights.push(None);
        }
    }
    let weights = weights.into_iter().collect::<Option<Vec<u32>>>()?;
    let mix = Mix::new(weights);
    if mix.is_none() {
        let finding = Diagnostic::new("scenario::empty", "this mix contains no operation");
        let help = format!("write {{ {} = 7, {} = 3 }}", kinds[0], kinds[kinds.len() - 1]);
        check.push(finding.at(table.span.clone(), "all weights are zero").help(help));
    }
    mix
}

fn unknown_kind(check: &mut Check, place: Range<usize>, wrong: &str, object: ObjectName) {
    let help = suggestion(wrong, &format!("operations of a {}", object.name()), object.kinds().iter().copied());
    let message = format!("there is no operation `{wrong}` of a {}", object.name());
    let finding = Diagnostic::new("scenario::unknown-name", message);
    check.push(finding.at(place, "no such operation").help(help));
}

/// Reads an amount; 1 when it is absent.
fn amount(check: &mut Check, amount: Option<&At<Amount>>) -> Option<AmountDistribution> {
    let Some(at) = amount else { return Some(AmountDistribution::Constant(1)) };
    match &at.value {
        Amount::Constant(amount) => Some(AmountDistribution::Constant(*amount)),
        Amount::Drawn(AmountTable { uniform, choice }) => {
            let kinds = [
                ("uniform", uniform.as_ref().map(|kind| kind.span.clone())),
                ("choice", choice.as_ref().map(|kind| kind.span.clone())),
            ];
            check.exactly_one(&at.span, "amount", &kinds)?;
            if let Some(At { value: range, .. }) = uniform {
                let (min, max) = (range.min.value, range.max.value);
                if min > max {
                    let (low, high) =
                        ((range.min.span.clone(), "this is more"), (range.max.span.clone(), "this is less"));
                    check.contradiction("`max` is below `min`", high, low, "exchange them");
                    return None;
                }
                return Some(AmountDistribution::Uniform { min, max });
            }
            let choice = choice.as_ref()?;
            if choice.value.is_empty() {
                let finding = Diagnostic::new("scenario::empty", "there is no amount to choose");
                check.push(finding.at(choice.span.clone(), "empty").help("write [1, 2, 5]"));
                return None;
            }
            Some(AmountDistribution::Choice(choice.value.clone()))
        }
    }
}

/// Reads a script.
pub(super) fn script(
    check: &mut Check,
    table: &WorkloadTable,
    script: &At<Vec<At<StepTable>>>,
    object: Option<ObjectName>,
    clients: Option<u32>,
) -> Option<Vec<Step>> {
    let keys = [
        ("rate", table.rate.as_ref().map(|at| &at.span)),
        ("think_time", table.think_time.as_ref().map(|at| &at.span)),
        ("duration", table.duration.as_ref().map(|at| &at.span)),
        ("start", table.start.as_ref().map(|at| &at.span)),
        ("arrivals", table.arrivals.as_ref().map(|at| &at.span)),
        ("mix", table.mix.as_ref().map(|at| &at.span)),
        ("phases", table.phases.as_ref().map(|at| &at.span)),
    ];
    for (key, span) in keys {
        if let Some(span) = span {
            let (first, second) = ((span.clone(), "this"), (script.span.clone(), "and a script"));
            check.contradiction(&format!("a script replaces `{key}`"), first, second, "keep one of them");
        }
    }
    if script.value.is_empty() || script.value.len() > STEPS_MAX {
        let finding = Diagnostic::new("scenario::empty", format!("the script has {} lines", script.value.len()));
        let help = format!("write 1 to {STEPS_MAX} lines, {{ at = \"1s\", client = \"c1\", add = \"milk\" }}");
        check.push(finding.at(script.span.clone(), "here").help(help));
        return None;
    }
    let steps: Vec<Option<Step>> = script.value.iter().map(|line| step(check, line, object?, clients?)).collect();
    steps.into_iter().collect()
}

fn step(check: &mut Check, line: &At<StepTable>, object: ObjectName, clients: u32) -> Option<Step> {
    let StepTable { at, client, .. } = &line.value;
    let at_ns = check.read(at);
    if let Some(finding) = at_ns.filter(|ns| *ns > DURATION_NS_MAX).map(|_| {
        Diagnostic::new("scenario::value", "this is too late").at(at.span.clone(), "at most 31 years (277777h) fit")
    }) {
        check.push(finding);
        return None;
    }
    let number = client.value.strip_prefix('c').and_then(|number| number.parse::<u32>().ok());
    let number = number.filter(|number| (1..=clients).contains(number));
    if number.is_none() {
        let finding = Diagnostic::new("scenario::unknown-name", format!("there is no client `{}`", client.value));
        check.push(finding.at(client.span.clone(), "no such client").help(format!("the clients are c1 to c{clients}")));
    }
    let op = scripted(check, line, object);
    Some(Step { at: Time(at_ns?), client: number? - 1, op: op? })
}

fn scripted(check: &mut Check, line: &At<StepTable>, object: ObjectName) -> Option<ScriptedOp> {
    let StepTable { add, remove, write, insert, delete, change, read, view, .. } = &line.value;
    let keys = [
        ("add", add.as_ref().map(|at| at.span.clone())),
        ("remove", remove.as_ref().map(|at| at.span.clone())),
        ("write", write.as_ref().map(|at| at.span.clone())),
        ("insert", insert.as_ref().map(|at| at.span.clone())),
        ("delete", delete.as_ref().map(|at| at.span.clone())),
        ("change", change.as_ref().map(|at| at.span.clone())),
        ("read", read.as_ref().map(|at| at.span.clone())),
        ("view", view.as_ref().map(|at| at.span.clone())),
    ];
    if object.is_foreign() {
        let finding =
            Diagnostic::new("scenario::contradiction", format!("there are no scripts for `{}`", object.name()));
        check.push(finding.at(line.span.clone(), "this line").help("use a rate"));
        return None;
    }
    let at = check.exactly_one(&line.span, "line", &keys)?;
    let (kind, span) = (keys[at].0, keys[at].1.clone()?);
    if !object.kinds().contains(&kind) {
        unknown_kind(check, span, kind, object);
        return None;
    }
    let mut natural =
        |number: &At<i64>, what: &str| check.within(number, what, 0..=u32::MAX).map(|number| number as usize);
    let op = match (object, kind) {
        (ObjectName::Counter, "add") => match &add.as_ref()?.value {
            Added::Amount(amount) => Some(ScriptedOp::Counter(CounterOp::Add(*amount))),
            _ => None,
        },
        (ObjectName::Counter, _) => Some(ScriptedOp::Counter(CounterOp::Read)),
        (ObjectName::Set, "add") => match &add.as_ref()?.value {
            Added::Name(element) => Some(ScriptedOp::Set(SetOp::Add(element.clone()))),
            _ => None,
        },
        (ObjectName::Set, "remove") => Some(ScriptedOp::Set(SetOp::Remove(remove.as_ref()?.value.clone()))),
        (ObjectName::Set, _) => Some(ScriptedOp::Set(SetOp::Read)),
        (ObjectName::Register, "write") => Some(ScriptedOp::Register(RegisterOp::Write(write.as_ref()?.value.clone()))),
        (ObjectName::Register, _) => Some(ScriptedOp::Register(RegisterOp::Read)),
        (ObjectName::Sequence, "insert") => {
            let at = &insert.as_ref()?.value;
            let position = natural(&at.position, "a position")?;
            Some(ScriptedOp::Sequence(SequenceOp::InsertAt { position, text: at.text.clone() }))
        }
        (ObjectName::Sequence, "delete") => {
            let at = &delete.as_ref()?.value;
            let (position, len) = (natural(&at.position, "a position")?, natural(&at.len, "a length")?);
            Some(ScriptedOp::Sequence(SequenceOp::DeleteAt { position, len }))
        }
        (ObjectName::Sequence, _) => Some(ScriptedOp::Sequence(SequenceOp::Read)),
        (ObjectName::Cart, "add") => match &add.as_ref()?.value {
            Added::Name(item) => Some(ScriptedOp::Cart(CartOp::Add { item: item.clone(), quantity: 1 })),
            Added::Item(added) => {
                let quantity = natural(&added.quantity, "a quantity")? as u64;
                Some(ScriptedOp::Cart(CartOp::Add { item: added.item.clone(), quantity }))
            }
            Added::Amount(_) => None,
        },
        (ObjectName::Cart, "change") => {
            let at = &change.as_ref()?.value;
            Some(ScriptedOp::Cart(CartOp::Change { item: at.item.clone(), by: at.by }))
        }
        (ObjectName::Cart, "remove") => Some(ScriptedOp::Cart(CartOp::Remove { item: remove.as_ref()?.value.clone() })),
        (ObjectName::Cart, _) => Some(ScriptedOp::Cart(CartOp::View)),
        (_, _) => None,
    };
    if op.is_none() {
        let finding = Diagnostic::new("scenario::value", format!("this cannot be added to a {}", object.name()));
        let help =
            "add = 3 to a counter, add = \"milk\" to a set or a cart, or { item = \"milk\", quantity = 2 } to a cart";
        check.push(finding.at(span, "of another object").help(help));
    }
    op
}
