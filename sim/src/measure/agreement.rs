//! Agreement: do all live replicas hold the same observable value, and since when?
//!
//! Convergence is counted, never scanned for: per digest the number of replicas that hold it. A replica that could not
//! answer a read has no value and does not agree; a replica that is down is not asked. The chart of different answers counts
//! "no answer" as one of them, and shows 0 where no replica has a value.

use hashbrown::HashMap;

use crate::kernel::{fold::Fold, ids::NodeId, time::Time};

/// Cells of the chart of agreement over time.
pub const CELLS: usize = 240;

/// Hashes digests with a fixed function; the table is never iterated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DigestHash;

impl std::hash::BuildHasher for DigestHash {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold::default()
    }
}

/// What a replica shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is down.
    Nothing,
    /// It is up, and could not answer.
    NoValue,
    /// It would answer with a value of this digest.
    Value(u64),
}

/// Who holds which value.
#[derive(Clone, Debug)]
pub(super) struct Agreement {
    shown: Vec<Shown>,
    holders: HashMap<u64, u32, DigestHash>,
    without_value: u32,
    /// Has anything been shown since the last settling?
    changed: bool,
    agreed_since: Option<Time>,
    distinct_max: u64,
    chart: Chart,
}

/// The most different values at once, per cell of time.
#[derive(Clone, Debug)]
struct Chart {
    cell_ns: u64,
    cells: Vec<u64>,
    /// The number of different values now.
    distinct: u64,
}

impl Agreement {
    /// All replicas are up and hold the same initial value, of which `initial` is the digest.
    pub(super) fn new(replicas: u32, initial: u64, horizon: Time) -> Self {
        let mut holders = HashMap::with_capacity_and_hasher(2 * replicas as usize, DigestHash);
        holders.insert(initial, replicas);
        Self {
            shown: vec![Shown::Value(initial); replicas as usize],
            holders,
            without_value: 0,
            changed: false,
            agreed_since: Some(Time::ZERO),
            distinct_max: 1,
            chart: Chart { cell_ns: horizon.0.div_ceil(CELLS as u64).max(1), cells: vec![1], distinct: 1 },
        }
    }

    /// What `replica` shows from now on. What several replicas show at one instant counts together, from
    /// [`Agreement::settle`] on.
    pub(super) fn show(&mut self, replica: NodeId, new: Shown) {
        let old = std::mem::replace(&mut self.shown[replica.index()], new);
        if old == new {
            return;
        }
        self.changed = true;
        match old {
            Shown::Nothing => {}
            Shown::NoValue => self.without_value -= 1,
            Shown::Value(digest) => {
                let holders = self.holders.get_mut(&digest).expect("a value that is shown has holders");
                *holders -= 1;
                if *holders == 0 {
                    self.holders.remove(&digest);
                }
            }
        }
        match new {
            Shown::Nothing => {}
            Shown::NoValue => self.without_value += 1,
            Shown::Value(digest) => *self.holders.entry(digest).or_insert(0) += 1,
        }
    }

    /// All that changed at this instant has been shown.
    pub(super) fn settle(&mut self, now: Time) {
        if !std::mem::replace(&mut self.changed, false) {
            return;
        }
        let agreed = self.holders.len() == 1 && self.without_value == 0;
        self.agreed_since = if agreed { Some(now) } else { None };
        // Where some replicas could not answer, that is one more answer than there are values.
        let values = self.holders.len() as u64;
        let distinct = values + u64::from(values > 0 && self.without_value > 0);
        self.distinct_max = self.distinct_max.max(distinct);
        self.chart.set(now, distinct);
    }

    /// Since when all live replicas hold the same value; `None` when they do not.
    pub(super) fn agreed_since(&self) -> Option<Time> {
        self.agreed_since
    }

    /// The most different answers at once.
    pub(super) fn distinct_max(&self) -> u64 {
        self.distinct_max
    }

    /// Pairs of the start of a cell and the most different values held at once in it, up to `until`.
    pub(super) fn chart(mut self, until: Time) -> Vec<(u64, u64)> {
        self.chart.set(until, self.chart.distinct);
        let cell_ns = self.chart.cell_ns;
        self.chart
            .cells
            .iter()
            .take(CELLS)
            .enumerate()
            .map(|(cell, &distinct)| (cell as u64 * cell_ns, distinct))
            .collect()
    }
}

impl Chart {
    fn set(&mut self, now: Time, distinct: u64) {
        let cell = ((now.0 / self.cell_ns) as usize).min(CELLS);
        let before = self.distinct;
        // Cells without a change show what held throughout; the cell of the change shows the larger.
        if self.cells.len() <= cell {
            self.cells.resize(cell + 1, before);
        }
        self.cells[cell] = self.cells[cell].max(distinct);
        self.distinct = distinct;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One replica shows something, and nothing else happens at that instant.
    fn show(agreement: &mut Agreement, now: u64, replica: u32, shows: Shown) {
        agreement.show(NodeId(replica), shows);
        agreement.settle(Time(now));
    }

    fn three() -> Agreement {
        Agreement::new(3, 0, Time(2400))
    }

    #[test]
    fn all_live_replicas_must_hold_the_same_value() {
        let mut agreement = three();
        show(&mut agreement, 10, 0, Shown::Value(7));
        assert_eq!(agreement.agreed_since(), None);
        show(&mut agreement, 20, 1, Shown::Value(7));
        show(&mut agreement, 30, 2, Shown::Nothing);
        assert_eq!(agreement.agreed_since(), Some(Time(30)));
        show(&mut agreement, 40, 2, Shown::Value(0));
        assert_eq!(agreement.agreed_since(), None);
        show(&mut agreement, 50, 2, Shown::Value(7));
        assert_eq!(agreement.agreed_since(), Some(Time(50)));
        assert_eq!(agreement.distinct_max(), 2);
    }

    #[test]
    fn a_replica_that_cannot_answer_does_not_agree() {
        let mut agreement = three();
        show(&mut agreement, 10, 0, Shown::NoValue);
        assert_eq!(agreement.agreed_since(), None);
        show(&mut agreement, 20, 0, Shown::Value(0));
        assert_eq!(agreement.agreed_since(), Some(Time(20)));
        for replica in 0..3 {
            show(&mut agreement, 30, replica, Shown::Nothing);
        }
        assert_eq!(agreement.agreed_since(), None, "nobody is left to agree");
    }

    #[test]
    fn showing_the_same_again_changes_nothing() {
        let mut agreement = three();
        show(&mut agreement, 10, 0, Shown::Value(0));
        assert_eq!(agreement.agreed_since(), Some(Time::ZERO));
    }

    #[test]
    fn a_change_everywhere_at_once_is_no_disagreement() {
        let mut agreement = three();
        for replica in 0..3 {
            agreement.show(NodeId(replica), Shown::Value(9));
        }
        agreement.settle(Time(10));
        assert_eq!((agreement.agreed_since(), agreement.distinct_max()), (Some(Time(10)), 1));
    }

    #[test]
    fn the_chart_carries_values_over_quiet_cells() {
        let mut agreement = three();
        show(&mut agreement, 25, 0, Shown::Value(7));
        show(&mut agreement, 45, 0, Shown::Value(0));
        let chart = agreement.chart(Time(80));
        assert_eq!(chart, [(0, 1), (10, 1), (20, 2), (30, 2), (40, 2), (50, 1), (60, 1), (70, 1), (80, 1)]);
    }
}
