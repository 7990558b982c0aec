//! The layout of a drawing: processes as rows, events as columns, and only what is worth drawing.
//!
//! Time is the order of events. A column is an event of a call that is drawn, so that a long history is no wider than what
//! there is to see; where events were left out between two columns there is a *break*. Drawn are the calls of the witness
//! first, then calls on the same keys, then others, those that are nearest to an event of the witness first.
//!
//! Invariant: integers only, at most [`CALLS_MAX`] calls beside the witness, and every call of the witness up to
//! [`WITNESS_MAX`].
//!
//! What is deliberately absent: colours and marks. They belong to the format.

use crate::engine::recorded::{Fate, Judged, Operation};

/// The most calls that are drawn around a witness.
pub(super) const CALLS_MAX: usize = 120;
/// The most calls of a witness that are drawn.
const WITNESS_MAX: usize = 200;
/// The columns of an overview.
const OVERVIEW: usize = 200;

/// A call in a drawing.
pub(super) struct Bar<'a> {
    pub(super) operation: &'a Operation,
    pub(super) row: usize,
    /// The column of its invocation.
    pub(super) from: usize,
    /// The column of its completion; nothing if there is none.
    pub(super) to: Option<usize>,
    pub(super) is_witness: bool,
    /// Is it the first call whose answer has no explanation?
    pub(super) is_stuck: bool,
    /// Its number in the order that explains the beginning, from 1.
    pub(super) order: Option<usize>,
}

/// What is drawn, and where.
pub(super) struct Drawing<'a> {
    pub(super) bars: Vec<Bar<'a>>,
    /// The process of each row.
    pub(super) rows: Vec<u64>,
    pub(super) columns: usize,
    /// Columns in front of which events were left out.
    pub(super) breaks: Vec<usize>,
    /// The columns in which there is something wrong.
    pub(super) window: Option<(usize, usize)>,
    /// How many calls were left out.
    pub(super) left_out: usize,
    /// How many events each stretch of the whole history has, and which stretches are drawn.
    pub(super) overview: Vec<(usize, bool)>,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(judged: &'a Judged) -> Self {
        let chosen = chosen(judged);
        let operations: Vec<&Operation> = chosen.iter().map(|&place| &judged.operations[place]).collect();
        let mut events: Vec<u64> =
            operations.iter().flat_map(|operation| [Some(operation.invoked), operation.ended]).flatten().collect();
        events.sort_unstable();
        let column = |at: u64| events.partition_point(|&event| event < at);
        let mut rows: Vec<u64> = operations.iter().map(|operation| operation.process).collect();
        rows.sort_unstable();
        rows.dedup();
        let mut orders: Vec<(usize, usize)> =
            judged.prefix.iter().enumerate().map(|(at, &place)| (place, at + 1)).collect();
        orders.sort_unstable();
        let mut witness = judged.ruling.calls.clone();
        witness.sort_unstable();
        let bar = |(&place, &operation): (&usize, &&'a Operation)| Bar {
            operation,
            row: rows.partition_point(|&process| process < operation.process),
            from: column(operation.invoked),
            to: operation.ended.map(column),
            is_witness: witness.binary_search(&place).is_ok(),
            is_stuck: judged.stuck == Some(place),
            order: orders.binary_search_by_key(&place, |order| order.0).ok().map(|at| orders[at].1),
        };
        let bars: Vec<Bar<'a>> = chosen.iter().zip(&operations).map(bar).collect();
        let breaks = (1..events.len()).filter(|&at| events[at] > events[at - 1] + 1).collect();
        let overview = overview(judged, &events);
        let left_out = judged.operations.len() - bars.len();
        Self { window: window(&bars), bars, rows, columns: events.len(), breaks, left_out, overview }
    }
}

/// The columns from the first invocation of the witness to the answer that cannot be explained, or to its last event.
fn window(bars: &[Bar<'_>]) -> Option<(usize, usize)> {
    let wrong = || bars.iter().filter(|bar| bar.is_witness);
    let from = wrong().map(|bar| bar.from).min()?;
    let stuck = bars.iter().find(|bar| bar.is_stuck).and_then(|bar| bar.to);
    let last = wrong().map(|bar| bar.to.unwrap_or(bar.from)).max()?;
    Some((from, stuck.unwrap_or(last).max(from)))
}

/// The calls that are drawn, in the order of their invocation.
fn chosen(judged: &Judged) -> Vec<usize> {
    let operations = &judged.operations;
    let mut chosen: Vec<usize> = judged.ruling.calls.iter().chain(&judged.stuck).take(WITNESS_MAX).copied().collect();
    chosen.sort_unstable();
    chosen.dedup();
    let witness = chosen.clone();
    let mut events: Vec<u64> = witness
        .iter()
        .flat_map(|&place| [Some(operations[place].invoked), operations[place].returned()])
        .flatten()
        .collect();
    events.sort_unstable();
    let mut keys: Vec<&String> = witness.iter().filter_map(|&place| operations[place].key.as_ref()).collect();
    keys.sort_unstable();
    keys.dedup();
    let rank = |place: usize| {
        let operation = &operations[place];
        let is_foreign = operation.key.as_ref().is_some_and(|key| keys.binary_search(&key).is_err());
        (is_foreign, distance(&events, operation), place)
    };
    let is_other = |place: &usize| witness.binary_search(place).is_err();
    let mut others: Vec<_> = (0..operations.len()).filter(is_other).map(rank).collect();
    if others.len() > CALLS_MAX {
        others.select_nth_unstable(CALLS_MAX);
        others.truncate(CALLS_MAX);
    }
    chosen.extend(others.into_iter().map(|(.., place)| place));
    chosen.sort_unstable();
    chosen
}

/// How many events lie between an operation and the nearest of these; without any, between it and the beginning.
fn distance(events: &[u64], operation: &Operation) -> u64 {
    let to_nearest = |at: u64| {
        let after = events.partition_point(|&event| event < at);
        let before = after.checked_sub(1).map(|before| at - events[before]);
        [before, events.get(after).map(|event| event - at)].into_iter().flatten().min().unwrap_or(at)
    };
    [Some(operation.invoked), operation.ended].into_iter().flatten().map(to_nearest).min().unwrap_or(0)
}

/// The whole history in stretches; empty if all of it is drawn.
fn overview(judged: &Judged, drawn: &[u64]) -> Vec<(usize, bool)> {
    let all = judged.operations.iter().flat_map(|operation| [Some(operation.invoked), operation.ended]).flatten();
    let all: Vec<u64> = all.collect();
    if all.len() == drawn.len() {
        return Vec::new();
    }
    let last = all.iter().max().copied().unwrap_or(0);
    let stretch = |at: u64| (u128::from(at) * OVERVIEW as u128 / (u128::from(last) + 1)) as usize;
    let mut stretches = vec![(0, false); OVERVIEW];
    for at in all {
        stretches[stretch(at)].0 += 1;
    }
    for &at in drawn {
        stretches[stretch(at)].1 = true;
    }
    stretches
}

impl Bar<'_> {
    /// May it take effect after all that is drawn?
    pub(super) fn is_open(&self) -> bool {
        self.operation.fate == Fate::Info
    }
}
