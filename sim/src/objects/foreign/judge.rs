//! Judging programs: by their answers alone.
//!
//! What the operations of a run are decides which checkers there are: sums for counters, elements for sets and broadcasts, a search
//! for stores, and one comparison each for echoes and ids.

use crdts::object::Object;

use super::{Answer, Ask, Foreign, Json};
use crate::{
    checkers::{
        CheckerDoc, Verdict,
        answers::{DISTINCT_IDS, ECHOES, FINAL_AGREEMENT, check_echoes, check_final_agreement, check_ids},
        counter::{
            AGREED, Acceptable, Addition, BOUNDED_READS, FINAL_READS, Fate, Ledger, RISING_TOTALS, Read, check_agreed,
            check_final, check_monotonic, check_reads,
        },
        linearizability::{
            self, Call, LINEARIZABLE_STORE, Limits,
            models::{KeyValue, KeyValueOp, KeyValueRet},
        },
        set_full::{self, SET_FULL},
    },
    history::{History, Operation, Outcome},
    objects::{Ended, Judged, Judgement},
};

impl Judged for Foreign {
    fn judge(ended: &Ended<'_, Self>) -> Judgement {
        let asks = ended.history.operations().iter().map(|operation| &operation.op.what);
        let telling = asks.filter(|ask| **ask != Ask::Read).map(std::mem::discriminant).next();
        let is = |ask: &Ask| telling == Some(std::mem::discriminant(ask));
        if is(&Ask::Include(0)) {
            return of_set(ended);
        }
        if is(&Ask::Echo("".into())) {
            return alone(ECHOES, check_echoes(echoes(ended.history)), "what was said");
        }
        if is(&Ask::Generate) {
            return alone(DISTINCT_IDS, check_ids(ids(ended.history)), "ids that occur once");
        }
        if is(&Ask::Get(0)) || is(&Ask::Put(0, 0)) || is(&Ask::Swap(0, 0, 0)) {
            return alone(LINEARIZABLE_STORE, of_store(ended.history), "what some order of all operations gives");
        }
        of_counter(ended)
    }
}

fn alone(checker: CheckerDoc, verdict: Verdict, acceptable: &str) -> Judgement {
    Judgement { checks: vec![(checker, verdict)], decisive: 1, acceptable: acceptable.to_owned(), lost_updates: None }
}

/// The answer of an operation that succeeded.
fn answer(operation: &Operation<Foreign>) -> Option<(&Answer, u64)> {
    match (&operation.outcome, operation.ended_ns) {
        (Outcome::Ok(answer), Some(ended)) => Some((answer, ended)),
        _ => None,
    }
}

fn of_counter(ended: &Ended<'_, Foreign>) -> Judgement {
    let ledger = ledger(ended.history);
    let acceptable = Acceptable::of_additions(ledger.additions.iter().copied());
    let of_agreed = match ended.agreed.map(total) {
        None => Verdict::Fail { witness: "the replicas do not agree at the end".to_owned() },
        Some(None) => Verdict::Fail { witness: "the replicas agree on what is no total".to_owned() },
        Some(Some(total)) => check_agreed(total, &acceptable),
    };
    Judgement {
        checks: vec![
            (AGREED, of_agreed),
            (FINAL_READS, check_final(&ledger, &acceptable)),
            (BOUNDED_READS, check_reads(&ledger).verdict),
            (RISING_TOTALS, check_monotonic(&ledger).verdict),
        ],
        decisive: 2,
        acceptable: acceptable.to_string(),
        lost_updates: None,
    }
}

fn total(json: &Json) -> Option<i128> {
    json.as_str().parse().ok()
}

fn ledger(history: &History<Foreign>) -> Ledger {
    let mut ledger = Ledger::default();
    for operation in history.operations() {
        let (call, invoked) = (operation.id as usize, operation.invoked_ns);
        match (&operation.op.what, answer(operation)) {
            (Ask::Add(amount), returned) => {
                let fate = match (&operation.outcome, returned) {
                    (_, Some((_, ended))) => Fate::Acknowledged(ended),
                    (Outcome::Fail(_), _) => Fate::Failed,
                    _ => Fate::Indeterminate,
                };
                ledger.additions.push(Addition { call, amount: *amount, invoked, fate });
            }
            (Ask::Read, Some((Answer::Value(json), returned))) => ledger.reads.push(Read {
                call,
                process: operation.process,
                replica: Some(operation.replica),
                total: total(json),
                invoked,
                returned,
                is_final: operation.is_final,
            }),
            _ => {}
        }
    }
    ledger
}

fn of_set(ended: &Ended<'_, Foreign>) -> Judgement {
    let (mut additions, mut reads) = (Vec::new(), Vec::new());
    for operation in ended.history.operations() {
        let (call, invoked) = (operation.id as usize, operation.invoked_ns);
        match (&operation.op.what, answer(operation)) {
            (Ask::Include(element), returned) => {
                let fate = match (&operation.outcome, returned) {
                    (_, Some((_, ended))) => set_full::Fate::Acknowledged(ended),
                    (Outcome::Fail(_), _) => set_full::Fate::Failed,
                    _ => set_full::Fate::Indeterminate,
                };
                let element = Json::of(&(*element).into());
                additions.push(set_full::Addition { call, element, invoked, fate });
            }
            (Ask::Read, Some((Answer::Value(json), returned))) => {
                let elements = json.value().as_array().map_or_else(Vec::new, |all| all.iter().map(Json::of).collect());
                reads.push(set_full::Read { call, elements, invoked, returned });
            }
            _ => {}
        }
    }
    let results = set_full::judge(&additions, &reads);
    let acknowledged = additions.iter().filter(|addition| matches!(addition.fate, set_full::Fate::Acknowledged(_)));
    Judgement {
        acceptable: format!("the {} acknowledged elements, and any that may have been added", acknowledged.count()),
        lost_updates: Some(results.lost.len() as u64),
        checks: vec![
            (SET_FULL, results.ruling.verdict),
            (FINAL_AGREEMENT, check_final_agreement(final_answers(ended.history))),
        ],
        decisive: 2,
    }
}

/// Every final read: for a person, and its answer.
fn final_answers(history: &History<Foreign>) -> impl Iterator<Item = (String, Option<&Json>)> {
    history.final_reads().map(|read| {
        let value = match answer(read) {
            Some((Answer::Value(json), _)) => Some(json),
            _ => None,
        };
        (format!("n{}", read.replica + 1), value)
    })
}

fn echoes(history: &History<Foreign>) -> impl Iterator<Item = (String, Json, Json)> {
    history.operations().iter().filter_map(|operation| match (&operation.op.what, answer(operation)) {
        (Ask::Echo(said), Some((Answer::Value(heard), _))) => {
            Some((operation.told(), Json::of(&said.as_ref().into()), heard.clone()))
        }
        _ => None,
    })
}

fn ids(history: &History<Foreign>) -> impl Iterator<Item = (String, &Json)> {
    history.operations().iter().filter_map(|operation| match (&operation.op.what, answer(operation)) {
        (Ask::Generate, Some((Answer::Value(id), _))) => Some((operation.told(), id)),
        _ => None,
    })
}

type StoreCall = Call<KeyValueOp<u32, Json>, KeyValueRet<Json>>;

fn of_store(history: &History<Foreign>) -> Verdict {
    let calls: Vec<StoreCall> = history.operations().iter().filter_map(call_of_store).collect();
    let ruling: crate::checkers::Ruling = linearizability::check(&KeyValue::new(), &calls, &Limits::default()).into();
    ruling.verdict
}

/// A call of a store: what failed did not happen, and a read of unknown fate says nothing.
fn call_of_store(operation: &Operation<Foreign>) -> Option<StoreCall> {
    let json = |value: i64| Json::of(&value.into());
    let op = match operation.op.what {
        Ask::Get(key) => KeyValueOp::Read { key },
        Ask::Put(key, value) => KeyValueOp::Write { key, value: json(value) },
        Ask::Swap(key, from, to) => {
            KeyValueOp::CompareAndSet { key, from: json(from), to: json(to), create_if_not_exists: false }
        }
        _ => return None,
    };
    let (process, invoked) = (operation.process, operation.invoked_ns);
    match (answer(operation), &operation.outcome) {
        (Some((Answer::Entry(_, value), ended)), _) => {
            // Some programs say null where others say that there is no such key.
            let ret = if *value == Json::default() { KeyValueRet::Missing } else { KeyValueRet::Value(value.clone()) };
            Some(Call::returned(process, op, ret, invoked, ended))
        }
        (Some((_, ended)), _) => Some(Call::returned(process, op, KeyValueRet::Done, invoked, ended)),
        (None, Outcome::Fail(_)) => None,
        (None, _) if !Foreign::is_update(&operation.op) => None,
        (None, _) => Some(Call::indeterminate(process, op, invoked)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::foreign::Asked;

    /// A history of one client per entry: what it asked at which replica, and what it was told.
    fn history(told: &[(Ask, Outcome<Answer>)]) -> History<Foreign> {
        let mut history = History::new(told.len() as u32);
        for (at, (what, outcome)) in (0..).zip(told) {
            let id = match what {
                Ask::Read => history.invoke_final_read(at, at, u64::from(at) * 10),
                _ => history.invoke(at, at, Asked { client: Some(at), what: what.clone() }, u64::from(at) * 10),
            };
            history.complete(id, u64::from(at) * 10 + 5, outcome.clone());
        }
        history
    }

    fn judged(told: &[(Ask, Outcome<Answer>)]) -> Vec<(&'static str, &'static str)> {
        let history = history(told);
        let finals: Vec<_> = final_answers(&history).map(|(_, value)| value.cloned()).collect();
        let agreed = finals.first().cloned().flatten().filter(|_| finals.windows(2).all(|pair| pair[0] == pair[1]));
        let judgement = Foreign::judge(&Ended {
            history: &history,
            agreed: agreed.as_ref(),
            content: None,
            visibility: None,
            replaced: &std::collections::BTreeMap::new(),
            lost_updates: None,
            phantom_updates: None,
            reads: &Verdict::Pass,
            local_effects: &crate::measure::local_effects::LocalEffects::default(),
            specified: None,
        });
        judgement.checks.iter().map(|(checker, verdict)| (checker.name, verdict.name())).collect()
    }

    fn value(json: &serde_json::Value) -> Outcome<Answer> {
        Outcome::Ok(Answer::Value(Json::of(json)))
    }

    const DONE: Outcome<Answer> = Outcome::Ok(Answer::Done);

    #[test]
    fn every_workload_has_its_checkers_and_a_specimen_that_they_reject() {
        let total = |total: i64| judged(&[(Ask::Add(3), DONE), (Ask::Read, value(&total.into()))])[..2].to_vec();
        assert_eq!(total(3), [("agreed-value", "pass"), ("final-reads", "pass")]);
        assert!(total(4).iter().all(|(_, verdict)| *verdict == "fail"));

        let elements = |one: &[i64], other: &[i64]| {
            let told = [(Ask::Include(1), DONE), (Ask::Read, value(&one.into())), (Ask::Read, value(&other.into()))];
            judged(&told)
        };
        assert!(elements(&[1], &[1]).iter().all(|(_, verdict)| *verdict == "pass"));
        assert_eq!(elements(&[], &[]), [("set-full", "fail"), ("final-agreement", "pass")]);
        assert_eq!(elements(&[], &[1])[1], ("final-agreement", "fail"));

        let said = |heard: &str| judged(&[(Ask::Echo("hello".into()), value(&heard.into()))]);
        assert_eq!(said("hello"), [("echoes", "pass")]);
        assert_eq!(said("hallo"), [("echoes", "fail")]);

        let ids = |other: &str| judged(&[(Ask::Generate, value(&"a".into())), (Ask::Generate, value(&other.into()))]);
        assert_eq!(ids("b"), [("distinct-ids", "pass")]);
        assert_eq!(ids("a"), [("distinct-ids", "fail")]);

        let got = |got: i64| {
            let entry = Outcome::Ok(Answer::Entry(0, Json::of(&got.into())));
            judged(&[(Ask::Put(0, 1), DONE), (Ask::Put(0, 2), DONE), (Ask::Get(0), entry)])
        };
        assert_eq!(got(2), [("linearizable-store", "pass")]);
        assert_eq!(got(1), [("linearizable-store", "fail")]);
    }
}
