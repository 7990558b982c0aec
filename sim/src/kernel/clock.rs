//! The clocks of replicas: skewed, drifting, and set back by faults.
//!
//! A replica sees only its own clock. `local = base_local + (true - base_true) * (1 + drift)`, in integers; each fault
//! window re-bases the clock when it begins and ends, so that drift accumulates over exactly the time it acted.

use super::{ids::NodeId, plan::ClockPlan, time::Time};

/// The clocks of all replicas. Empty tables stand for clocks that are right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clocks {
    clocks: Vec<Clock>,
}

#[derive(Clone, Debug, Default)]
struct Clock {
    plan: ClockPlan,
    base_true: Time,
    base_local_ns: i64,
    drift_ppb: i64,
    /// Fault windows that act: (window, offset, drift).
    active: Vec<(u32, i64, i64)>,
}

impl Clocks {
    /// Clocks as planned for `replicas` replicas; `disturbed` when faults will touch clocks.
    pub(crate) fn new(plan: &[ClockPlan], replicas: u32, disturbed: bool) -> Self {
        if plan.is_empty() && !disturbed {
            return Self::default();
        }
        let of = |index: usize| plan.get(index).copied().unwrap_or_default();
        let clocks = (0..replicas as usize)
            .map(|index| Clock {
                plan: of(index),
                base_local_ns: of(index).offset_ns,
                drift_ppb: of(index).drift_ppb,
                ..Clock::default()
            })
            .collect();
        Self { clocks }
    }

    /// What the clock of `node` shows.
    #[inline]
    pub(crate) fn local_ns(&self, node: NodeId, now: Time) -> i64 {
        match self.clocks.get(node.index()) {
            Some(clock) => clock.local_ns(now),
            None => now.0 as i64,
        }
    }

    /// How much true time passes while the clock of `node` advances by `local_ns`.
    #[inline]
    pub(crate) fn true_ns(&self, node: NodeId, local_ns: u64) -> u64 {
        match self.clocks.get(node.index()) {
            Some(clock) if clock.drift_ppb != 0 => scale(local_ns, 1_000_000_000, rate(clock.drift_ppb)),
            _ => local_ns,
        }
    }

    /// A fault window begins to act on the clock of `node`.
    pub(crate) fn begin(&mut self, node: NodeId, now: Time, window: u32, offset_ns: i64, drift_ppb: i64) {
        let clock = &mut self.clocks[node.index()];
        let local_ns = clock.local_ns(now).saturating_add(offset_ns);
        clock.active.push((window, offset_ns, drift_ppb));
        clock.rebase(now, local_ns);
    }

    /// The fault window ends: the clock is set to what it would show without it.
    pub(crate) fn end(&mut self, node: NodeId, now: Time, window: u32) {
        let clock = &mut self.clocks[node.index()];
        clock.active.retain(|(of, ..)| *of != window);
        let planned =
            Clock { base_local_ns: clock.plan.offset_ns, drift_ppb: clock.plan.drift_ppb, ..Clock::default() };
        let offset_ns: i64 = clock.active.iter().map(|(_, offset_ns, _)| offset_ns).sum();
        clock.rebase(now, planned.local_ns(now).saturating_add(offset_ns));
    }
}

impl Clock {
    fn local_ns(&self, now: Time) -> i64 {
        let advanced = scale(now - self.base_true, rate(self.drift_ppb), 1_000_000_000);
        self.base_local_ns.saturating_add(i64::try_from(advanced).unwrap_or(i64::MAX))
    }

    fn rebase(&mut self, now: Time, local_ns: i64) {
        self.base_true = now;
        self.base_local_ns = local_ns;
        self.drift_ppb = self.plan.drift_ppb + self.active.iter().map(|(.., drift_ppb)| drift_ppb).sum::<i64>();
    }
}

/// Nanoseconds of a drifting clock per true second. A clock never stands still or runs backwards by drift alone.
fn rate(drift_ppb: i64) -> u64 {
    1_000_000_000_i64.saturating_add(drift_ppb).max(1_000_000) as u64
}

fn scale(ns: u64, numerator: u64, denominator: u64) -> u64 {
    u64::try_from(u128::from(ns) * u128::from(numerator) / u128::from(denominator)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SECOND;

    const NODE: NodeId = NodeId(0);

    #[test]
    fn clocks_are_right_without_a_plan() {
        let clocks = Clocks::new(&[], 3, false);
        assert_eq!(clocks.local_ns(NODE, Time(5)), 5);
        assert_eq!(clocks.true_ns(NODE, 7), 7);
    }

    #[test]
    fn a_fast_clock_gains_and_its_timers_fire_early() {
        let plan = [ClockPlan { offset_ns: -100, drift_ppb: 100_000_000 }];
        let clocks = Clocks::new(&plan, 1, false);
        assert_eq!(clocks.local_ns(NODE, Time(0)), -100);
        assert_eq!(clocks.local_ns(NODE, Time(10 * SECOND)), 11 * SECOND as i64 - 100);
        assert_eq!(clocks.true_ns(NODE, 11 * SECOND), 10 * SECOND);
    }

    #[test]
    fn overlapping_faults_undo_only_themselves() {
        let mut clocks = Clocks::new(&[], 1, true);
        clocks.begin(NODE, Time(SECOND), 0, -500, 0);
        clocks.begin(NODE, Time(2 * SECOND), 1, 70, 0);
        assert_eq!(clocks.local_ns(NODE, Time(3 * SECOND)), 3 * SECOND as i64 - 430);
        clocks.end(NODE, Time(3 * SECOND), 0);
        assert_eq!(clocks.local_ns(NODE, Time(4 * SECOND)), 4 * SECOND as i64 + 70);
        clocks.end(NODE, Time(4 * SECOND), 1);
        assert_eq!(clocks.local_ns(NODE, Time(5 * SECOND)), 5 * SECOND as i64);
    }

    #[test]
    fn drift_accumulates_while_it_acts_and_is_corrected_at_the_heal() {
        let mut clocks = Clocks::new(&[], 1, true);
        clocks.begin(NODE, Time(0), 0, 0, 500_000_000);
        assert_eq!(clocks.local_ns(NODE, Time(2 * SECOND)), 3 * SECOND as i64);
        clocks.end(NODE, Time(2 * SECOND), 0);
        assert_eq!(clocks.local_ns(NODE, Time(2 * SECOND)), 2 * SECOND as i64);
    }
}
