//! Which consistency models a run kept to.
//!
//! Clients of a counter see totals, and a total does not say which additions are in it. The simulator knows ([`ReadContents`]),
//! so each read is judged by its content: a read that lacks an acknowledged addition is stale even if another of the same
//! amount makes up for it. The answer must be the sum of the content, or no order of operations explains it. An order that
//! explains contents explains totals as well, so *pass* holds for what clients see, too.
//!
//! Additions of zero change nothing and are in no content. Sessions are processes: what a client does while an earlier operation
//! of its own is pending belongs to another one.
//!
//! What is deliberately absent: a search, and thereby *unknown* for any reason but size.

use std::collections::BTreeMap;

use crdts::objects::counter::{Counter, CounterOp, CounterRet};

use crate::{
    checkers::{
        Consistency, Verdict,
        contents::{Contents, Fate, Read, Update},
    },
    history::{History, Operation, Outcome},
    measure::contents::ReadContents,
};

/// A model, and whether the run kept to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The model.
    pub model: Consistency,
    /// Did it?
    pub verdict: Verdict,
}

/// The models of clients that hold, without those that another one of them implies.
pub fn strongest(findings: &[Finding]) -> String {
    let holds =
        |finding: &&Finding| finding.verdict == Verdict::Pass && finding.model != Consistency::StronglyConvergent;
    let held: Vec<Consistency> = findings.iter().filter(holds).map(|finding| finding.model).collect();
    let is_implied = |model: Consistency| held.iter().any(|&other| other != model && other.implies(model));
    let names: Vec<&str> = held.iter().filter(|&&model| !is_implied(model)).map(|model| model.name()).collect();
    let untested = findings.iter().any(|finding| matches!(finding.verdict, Verdict::Vacuous { .. }));
    match (names.is_empty(), untested) {
        (false, _) => names.join(", "),
        (true, true) => "untested".to_owned(),
        (true, false) => "none".to_owned(),
    }
}

/// Judges all models that are about operations of clients; `contents` is `None` when it was given up.
pub(super) fn findings(history: &History<Counter>, contents: Option<&ReadContents>) -> Vec<Finding> {
    let models = Consistency::ALL.into_iter().filter(|&model| model != Consistency::StronglyConvergent);
    let Some(contents) = contents else {
        let reason = "too many replicas and operations to follow every update".to_owned();
        return models.map(|model| Finding { model, verdict: Verdict::Unknown { reason: reason.clone() } }).collect();
    };
    let contents = contents_of(history, contents);
    let show = |call: usize| told(&history.operations()[call]);
    let models: Vec<Consistency> = models.collect();
    let rulings = contents.judge_all(&models, &show);
    // Reads after everything is over say little about what clients could rely on before.
    let is_read = |read: &Operation<Counter>| !read.is_final && matches!(read.outcome, Outcome::Ok(_));
    let was_tested = history.reads().any(is_read);
    let tested = |verdict: Verdict| match verdict {
        Verdict::Pass if !was_tested => Verdict::Vacuous { reason: "no client read anything".to_owned() },
        other => other,
    };
    models.into_iter().zip(rulings).map(|(model, ruling)| Finding { model, verdict: tested(ruling.verdict) }).collect()
}

/// The updates of a history, and its successful reads with their contents.
fn contents_of(history: &History<Counter>, recorded: &ReadContents) -> Contents {
    let amount = |operation: &Operation<Counter>| match operation.op {
        CounterOp::Add(amount) => amount,
        CounterOp::Read => 0,
    };
    let updates: Vec<&Operation<Counter>> = history.updates().collect();
    // For the number of an update its number among those that change something.
    let mut effective = Vec::new();
    let numbers: Vec<Option<u32>> = updates
        .iter()
        .map(|operation| {
            (amount(operation) != 0).then(|| {
                effective.push(update(operation));
                effective.len() as u32 - 1
            })
        })
        .collect();
    let mut contents = Contents::new(&effective);
    // Per replica the last read there: its number, its content, and what that amounts to. Most updates are in both.
    let mut last: BTreeMap<u32, (usize, &[u64], i128)> = BTreeMap::new();
    let mut pushed = 0;
    for (op, row) in recorded.reads() {
        let operation = &history.operations()[op.0 as usize];
        let (Outcome::Ok(CounterRet::Total(total)), Some(returned)) = (&operation.outcome, operation.ended_ns) else {
            continue;
        };
        let (base, before, mut sum) =
            last.get(&operation.replica).map_or((None, &[][..], 0), |&(at, row, sum)| (Some(at), row, sum));
        let mut changed = Vec::new();
        for (number, is_in) in changes(before, row) {
            let amount = i128::from(amount(updates[number as usize]));
            sum += if is_in { amount } else { -amount };
            changed.extend(numbers[number as usize]);
        }
        let misfit = (sum != *total).then(|| format!("the additions that it contains amount to {sum}"));
        let read =
            Read { call: op.0 as usize, process: operation.process, invoked: operation.invoked_ns, returned, misfit };
        contents.push_changed(read, base, changed);
        last.insert(operation.replica, (pushed, row, sum));
        pushed += 1;
    }
    contents
}

/// The numbers of the bits in which two rows differ; is the bit in the second one?
fn changes(before: &[u64], after: &[u64]) -> impl Iterator<Item = (u32, bool)> {
    (0..before.len().max(after.len())).flat_map(move |word| {
        let of = |row: &[u64]| row.get(word).copied().unwrap_or(0);
        let (changed, after) = (of(before) ^ of(after), of(after));
        let bits = (0..64).filter(move |bit| changed != 0 && changed >> bit & 1 == 1);
        bits.map(move |bit| (word as u32 * 64 + bit, after >> bit & 1 == 1))
    })
}

fn update(operation: &Operation<Counter>) -> Update {
    let fate = match operation.outcome {
        Outcome::Ok(_) => Fate::Acknowledged,
        Outcome::Fail(_) => Fate::Refused,
        Outcome::Info(_) | Outcome::Pending => Fate::Indeterminate,
    };
    Update {
        call: operation.id as usize,
        process: operation.process,
        invoked: operation.invoked_ns,
        returned: operation.ended_ns.filter(|_| fate == Fate::Acknowledged),
        fate,
    }
}

/// An operation for a person: who did what, where and when.
pub(super) fn told(operation: &Operation<Counter>) -> String {
    let who = if operation.is_final { "final read".to_owned() } else { format!("c{}", operation.client + 1) };
    let what = match (&operation.op, &operation.outcome) {
        (CounterOp::Add(amount), _) => format!("add {amount}"),
        (CounterOp::Read, Outcome::Ok(CounterRet::Total(total))) => format!("read {total}"),
        (CounterOp::Read, _) => "read".to_owned(),
    };
    let milliseconds = |ns: u64| format!("{}.{:03}", ns / 1_000_000, ns / 1_000 % 1_000);
    let ended = match (&operation.outcome, operation.ended_ns) {
        (Outcome::Ok(_), Some(ended)) => format!("to {} ms", milliseconds(ended)),
        (Outcome::Fail(reason), _) => format!("ms, refused: {reason}"),
        _ => "ms, of unknown fate".to_owned(),
    };
    format!("{who} at n{}: {what}, {} {ended}", operation.replica + 1, milliseconds(operation.invoked_ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::OpId;

    /// Two clients: an addition that the other's read may contain or not, and what the read returned.
    fn verdicts(contains: &[u64], total: i128) -> Vec<(&'static str, &'static str)> {
        let mut history = History::<Counter>::new(2);
        let nothing = history.invoke(0, 0, CounterOp::Add(0), 0);
        history.complete(nothing, 1, Outcome::Ok(CounterRet::Added));
        let add = history.invoke(0, 0, CounterOp::Add(3), 2);
        history.complete(add, 3, Outcome::Ok(CounterRet::Added));
        let read = history.invoke(1, 1, CounterOp::Read, 4);
        history.complete(read, 5, Outcome::Ok(CounterRet::Total(total)));
        let mut recorded = ReadContents::default();
        recorded.push(OpId(read), contains.iter().copied());
        let found = findings(&history, Some(&recorded));
        found.iter().map(|finding| (finding.model.name(), finding.verdict.name())).collect()
    }

    #[test]
    fn reads_are_judged_by_their_contents() {
        assert!(verdicts(&[0b10], 3).iter().all(|(_, verdict)| *verdict == "pass"));
        assert!(verdicts(&[0b11], 3).iter().all(|(_, verdict)| *verdict == "pass"), "nothing is added by zero");
        let stale = verdicts(&[], 0);
        assert_eq!(stale[0], ("linearizable", "fail"));
        assert!(stale[1..].iter().all(|(_, verdict)| *verdict == "pass"), "{stale:?}");
        assert!(verdicts(&[0b10], 4).iter().all(|(_, verdict)| *verdict == "fail"), "the total is no sum");
    }

    #[test]
    fn operations_are_told_with_their_client_and_times() {
        let mut history = History::<Counter>::new(2);
        let add = history.invoke(1, 0, CounterOp::Add(-3), 1_500_000_000);
        history.complete(add, 2_000_000_000, Outcome::Info("timeout"));
        let read = history.invoke_final_read(1, 2, 3_000_000_000);
        history.complete(read, 3_000_000_000, Outcome::Ok(CounterRet::Total(7)));
        assert_eq!(told(&history.operations()[0]), "c2 at n1: add -3, 1500.000 ms, of unknown fate");
        assert_eq!(told(&history.operations()[1]), "final read at n3: read 7, 3000.000 to 3000.000 ms");
    }
}
