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

use crate::{
    checkers::{
        Consistency, Verdict,
        contents::{Contents, Fate, Read, Update},
        visibility::Visibility,
    },
    history::{History, Operation, Outcome},
    measure::contents::ReadContents,
    objects::{Judged, made},
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
    let is_any = |is: fn(&Verdict) -> bool| findings.iter().any(|finding| is(&finding.verdict));
    if !names.is_empty() {
        names.join(", ")
    } else if is_any(|verdict| matches!(verdict, Verdict::Vacuous { .. })) {
        "untested".to_owned()
    } else if is_any(|verdict| matches!(verdict, Verdict::Unknown { .. })) {
        "unknown".to_owned()
    } else {
        "none".to_owned()
    }
}

/// What was found about what clients saw.
pub(super) struct Found {
    /// Every model that is about operations of clients.
    pub(super) findings: Vec<Finding>,
    /// Does every read fit the updates behind it?
    pub(super) reads: Verdict,
}

/// Judges all models that are about operations of clients, and every read by itself; `contents` is `None` when it was given
/// up, and `idle` says which updates changed nothing.
pub(super) fn found<O: Judged>(
    history: &History<O>,
    contents: Option<&ReadContents>,
    idle: &[bool],
    visibility: Option<&Visibility>,
) -> Found {
    let models = Consistency::ALL.into_iter().filter(|&model| model != Consistency::StronglyConvergent);
    let Some(contents) = contents else {
        let reason = "too many replicas and operations to follow every update".to_owned();
        let unknown = Verdict::Unknown { reason };
        let findings = models.map(|model| Finding { model, verdict: unknown.clone() }).collect();
        return Found { findings, reads: unknown };
    };
    let (contents, reads) = contents_of(history, contents, idle, visibility);
    let show = |call: usize| history.operations()[call].told();
    let models: Vec<Consistency> = models.collect();
    let rulings = contents.judge_all(&models, &show);
    // Reads after everything is over say little about what clients could rely on before.
    let is_read = |read: &Operation<O>| !read.is_final && matches!(read.outcome, Outcome::Ok(_));
    let was_tested = history.reads().any(is_read);
    let tested = |verdict: Verdict| match verdict {
        Verdict::Pass if !was_tested => Verdict::Vacuous { reason: "no client read anything".to_owned() },
        other => other,
    };
    let unordered = unordered(history);
    let verdict = |model: Consistency, verdict: Verdict| match (&unordered, &verdict) {
        // All other models let every process see an order of its own.
        (Some(witness), Verdict::Pass) if model.implies(Consistency::Sequential) => {
            Verdict::Fail { witness: witness.clone() }
        }
        _ => tested(verdict),
    };
    let pairs = models.into_iter().zip(rulings);
    let findings = pairs.map(|(model, ruling)| Finding { model, verdict: verdict(model, ruling.verdict) }).collect();
    Found { findings, reads }
}

/// The first read that returned what no order of operations leaves behind.
fn unordered<O: Judged>(history: &History<O>) -> Option<String> {
    history.reads().find_map(|read| {
        let Outcome::Ok(ret) = &read.outcome else { return None };
        let reason = O::beyond_any_order(&O::state_of(ret)?)?;
        Some(format!("no order explains [{}]: {reason}", read.told()))
    })
}

/// The most updates that are visited to hold reads against the updates behind them.
const VISITS_MAX: usize = 20_000_000;

/// The updates of a history, and its successful reads with their contents; and whether every read fits its content.
fn contents_of<O: Judged>(
    history: &History<O>,
    recorded: &ReadContents,
    idle: &[bool],
    visibility: Option<&Visibility>,
) -> (Contents, Verdict) {
    let updates: Vec<&Operation<O>> = history.updates().collect();
    // For the number of an update its number among those that change something.
    let mut effective = Vec::new();
    let numbers: Vec<Option<u32>> = updates
        .iter()
        .enumerate()
        .map(|(number, operation)| {
            // What an addition changes is told by its amount, whatever a replica that mistakes its own identity reports.
            let changes_nothing =
                if O::COMMUTES { O::weigh(&operation.op) == 0 } else { idle.get(number).is_some_and(|&idle| idle) };
            (!changes_nothing).then(|| {
                effective.push(update(operation));
                effective.len() as u32 - 1
            })
        })
        .collect();
    let mut contents = Contents::new(&effective);
    let mut fitting = Fitting { visits: 0, verdict: Verdict::Vacuous { reason: "nothing was read".to_owned() } };
    // Per replica the last read there: its number, its content, and what that amounts to. Most updates are in both.
    let mut last: BTreeMap<u32, (usize, &[u64], i128)> = BTreeMap::new();
    let mut pushed = 0;
    for (op, row) in recorded.reads() {
        let operation = &history.operations()[op.0 as usize];
        let (Outcome::Ok(ret), Some(returned)) = (&operation.outcome, operation.ended_ns) else { continue };
        let (base, before, mut sum) =
            last.get(&operation.replica).map_or((None, &[][..], 0), |&(at, row, sum)| (Some(at), row, sum));
        let mut changed = Vec::new();
        for (number, is_in) in changes(before, row) {
            let amount = O::weigh(&updates[number as usize].op);
            sum += if is_in { amount } else { -amount };
            changed.extend(numbers[number as usize]);
        }
        let misfit = if O::COMMUTES {
            O::total(ret)
                .filter(|&total| total != sum)
                .map(|_| format!("the additions that it contains amount to {sum}"))
        } else {
            fitting.misfit(history, operation, ret, row, visibility)
        };
        let read =
            Read { call: op.0 as usize, process: operation.process, invoked: operation.invoked_ns, returned, misfit };
        contents.push_changed(read, base, changed);
        last.insert(operation.replica, (pushed, row, sum));
        pushed += 1;
    }
    (contents, fitting.verdict)
}

/// Holds reads against the updates behind them, as long as that is not too much work.
struct Fitting {
    visits: usize,
    verdict: Verdict,
}

impl Fitting {
    fn misfit<O: Judged>(
        &mut self,
        history: &History<O>,
        read: &Operation<O>,
        ret: &O::Ret,
        row: &[u64],
        visibility: Option<&Visibility>,
    ) -> Option<String> {
        let value = O::state_of(ret)?;
        let Some(visibility) = visibility.filter(|_| self.visits < VISITS_MAX) else {
            if !matches!(self.verdict, Verdict::Fail { .. }) {
                self.verdict = Verdict::Unknown { reason: "too many updates to hold every read against".to_owned() };
            }
            return None;
        };
        let made = made(history, row);
        self.visits += history.operations().len() + made.len() * made.len() / 8;
        let misfit = O::fits(&made, visibility, &value).err();
        match (&misfit, &self.verdict) {
            (Some(misfit), verdict) if !matches!(verdict, Verdict::Fail { .. }) => {
                self.verdict = Verdict::Fail { witness: format!("[{}]: {misfit}", read.told()) };
            }
            (None, Verdict::Vacuous { .. }) => self.verdict = Verdict::Pass,
            _ => {}
        }
        misfit
    }
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

fn update<O: Judged>(operation: &Operation<O>) -> Update {
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

#[cfg(test)]
mod tests {
    use crdts::objects::counter::{Counter, CounterOp, CounterRet};

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
        let found = found(&history, Some(&recorded), &[], None).findings;
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
    fn siblings_are_no_value_of_a_register_that_is_written_one_after_the_other() {
        use crdts::objects::{
            mv_register::{MultiValue, MultiValueRet},
            register::RegisterOp,
        };
        let verdicts = |siblings: &[&str]| {
            let mut history = History::<MultiValue<String>>::new(3);
            for (client, value) in ["tea", "coffee"].into_iter().enumerate() {
                let write = history.invoke(client as u32, client as u32, RegisterOp::Write(value.to_owned()), 0);
                history.complete(write, 1, Outcome::Ok(MultiValueRet::Written));
            }
            let read = history.invoke(2, 2, RegisterOp::Read, 2);
            let siblings = siblings.iter().map(|&value| value.to_owned()).collect();
            history.complete(read, 3, Outcome::Ok(MultiValueRet::Siblings(siblings)));
            let mut recorded = ReadContents::default();
            recorded.push(OpId(read), [0b11].into_iter());
            // The second write had seen the first, or nothing.
            let visibility = Visibility::new(vec![Some(vec![]), Some(vec![0])]);
            let found = found(&history, Some(&recorded), &[], Some(&visibility));
            found.findings.iter().map(|finding| (finding.model, finding.verdict.name())).collect::<Vec<_>>()
        };
        for (model, verdict) in verdicts(&["coffee", "tea"]) {
            assert_eq!(verdict == "fail", model.implies(Consistency::Sequential), "{}: {verdict}", model.name());
        }
        assert!(verdicts(&["coffee"]).iter().all(|(_, verdict)| *verdict == "fail"), "a sibling is missing");
    }

    #[test]
    fn operations_are_told_with_their_client_and_times() {
        let mut history = History::<Counter>::new(2);
        let add = history.invoke(1, 0, CounterOp::Add(-3), 1_500_000_000);
        history.complete(add, 2_000_000_000, Outcome::Info("timeout"));
        let read = history.invoke_final_read(1, 2, 3_000_000_000);
        history.complete(read, 3_000_000_000, Outcome::Ok(CounterRet::Total(7)));
        assert_eq!(history.operations()[0].told(), "c2 at n1: add -3, 1500.000 ms, of unknown fate");
        assert_eq!(history.operations()[1].told(), "final read at n3: read 7, 3000.000 to 3000.000 ms");
    }
}
