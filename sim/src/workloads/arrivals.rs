//! When clients invoke: phases of constant rate, integrated in integers.
//!
//! In an open loop a client that has its share of a rate is a counter that rises at that rate; it invokes whenever the
//! counter has risen by the next draw from the exponential distribution (Poisson), or by exactly one (fixed). Phases only
//! change how fast the counter rises, so that a boundary needs no special case and costs no draw. The counter is an
//! integer and its remainder is kept: nothing is lost to rounding, however long the run is.
//!
//! For example, two clients at a fixed rate of 4/s for one second invoke at 0 and 500 ms, and at 250 and 750 ms.
//!
//! What the operations are is not decided here.

use std::sync::Arc;

use super::exponential::{ONE, unit_exponential};
use crate::kernel::{draws::Stream, time::Time, workload::Loop};

/// What an operation costs: millihertz times nanoseconds.
const OPERATION: u128 = 1_000_000_000_000;

/// How invocations follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// Open loop: every client is a Poisson process, and so are all together.
    Poisson,
    /// Open loop: all clients together invoke at even distances, taking turns; the first at the start.
    Fixed,
    /// Closed loop: a client invokes after a think time, drawn from an exponential distribution, that follows the end
    /// of its previous operation (at first, the start).
    Closed,
}

/// A stretch of time with constant conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// How long it lasts.
    pub for_ns: u64,
    /// For an open loop: operations per 1000 seconds, over all clients.
    pub rate_mhz: u64,
    /// For a closed loop: the mean think time of thoughts that begin in this phase.
    pub think_ns: u64,
}

/// The next invocation of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// When.
    pub(super) at: Time,
    /// The number of the operation among the client's, from 0.
    pub(super) number: u64,
}

/// The arrivals of all clients.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    pacing: Pacing,
    /// The phases with their ends.
    phases: Arc<[(Phase, Time)]>,
    gap: Stream,
    clients: Vec<Position>,
}

/// How far a client has come.
#[derive(Clone, Copy, Debug)]
struct Position {
    /// Operations so far.
    operations: u64,
    at: Time,
    /// What the counter had risen beyond the last arrival at `at`, because time is whole nanoseconds.
    surplus: u64,
    phase: u32,
}

/// The end of the last of `phases`: all arrivals are before it.
pub(super) fn end(start: Time, phases: &[Phase]) -> Time {
    phases.iter().fold(start, |end, phase| end + phase.for_ns)
}

impl Arrivals {
    /// The arrivals of clients under `seed`.
    pub(super) fn new(clients: u32, pacing: Pacing, start: Time, phases: &[Phase], seed: u64) -> Self {
        let with_end = |(number, phase): (usize, &Phase)| (phase.clone(), end(start, &phases[..=number]));
        let position = Position { operations: 0, at: start, surplus: 0, phase: 0 };
        Self {
            pacing,
            phases: phases.iter().enumerate().map(with_end).collect(),
            gap: Stream::new(seed, "work.gap"),
            clients: vec![position; clients as usize],
        }
    }

    /// Open or closed.
    pub(super) fn pacing(&self) -> Loop {
        match self.pacing {
            Pacing::Poisson | Pacing::Fixed => Loop::Open,
            Pacing::Closed => Loop::Closed,
        }
    }

    /// The next invocation of `client`, not before `not_before`; `None` when it is done for good.
    pub(super) fn next(&mut self, client: u32, not_before: Time) -> Option<Due> {
        let mut position = self.clients[client as usize];
        let word = self.gap.word(u64::from(client), position.operations);
        let clients = self.clients.len() as u128;
        match self.pacing {
            Pacing::Poisson => self.rise(&mut position, scaled(word, OPERATION * clients))?,
            Pacing::Fixed => {
                let turns = if position.operations == 0 { u128::from(client) } else { clients };
                self.rise(&mut position, OPERATION * turns)?;
            }
            Pacing::Closed => {
                let mean_ns = self.pass(&mut position, not_before)?.think_ns;
                let think_ns = u64::try_from(scaled(word, u128::from(mean_ns))).unwrap_or(u64::MAX);
                let at = position.at + think_ns;
                self.pass(&mut position, at)?;
            }
        }
        let number = position.operations;
        position.operations += 1;
        self.clients[client as usize] = position;
        // A caller that asks late gets this arrival late, and the following ones when they are due.
        self.pass(&mut position, not_before)?;
        Some(Due { at: position.at, number })
    }

    /// Moves on until the counter has risen by `amount`; `None` when it never does.
    fn rise(&self, position: &mut Position, amount: u128) -> Option<()> {
        let mut missing = amount + u128::from(position.surplus);
        loop {
            let (phase, end) = self.phases.get(position.phase as usize)?;
            let rate = u128::from(phase.rate_mhz);
            let rises = rate * u128::from(*end - position.at);
            if missing < rises {
                position.at = position.at + (missing / rate) as u64;
                position.surplus = (missing % rate) as u64;
                return Some(());
            }
            missing -= rises;
            position.at = *end;
            position.phase += 1;
        }
    }

    /// Moves on to `at`, if that is later, and into its phase; `None` when that is after the last.
    fn pass(&self, position: &mut Position, at: Time) -> Option<&Phase> {
        position.at = position.at.max(at);
        loop {
            let (phase, end) = self.phases.get(position.phase as usize)?;
            if position.at < *end {
                return Some(phase);
            }
            position.phase += 1;
        }
    }
}

/// A draw from the exponential distribution with this mean.
fn scaled(word: u64, mean: u128) -> u128 {
    u128::from(unit_exponential(word)) * mean / u128::from(ONE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::time::{MILLISECOND, SECOND};

    fn phase(for_ns: u64, rate_hz: u64, think_ns: u64) -> Phase {
        Phase { for_ns, rate_mhz: rate_hz * 1000, think_ns }
    }

    /// All arrivals of a client in an open loop.
    fn open(arrivals: &mut Arrivals, client: u32) -> Vec<Time> {
        std::iter::from_fn(|| arrivals.next(client, Time::ZERO)).map(|due| due.at).collect()
    }

    #[test]
    fn fixed_arrivals_are_even_over_all_clients_and_phases() {
        let phases = [phase(SECOND, 10, 0), phase(SECOND, 0, 0), phase(SECOND, 20, 0)];
        let mut arrivals = Arrivals::new(3, Pacing::Fixed, Time(SECOND), &phases, 1);
        let mut all: Vec<u64> = (0..3).flat_map(|client| open(&mut arrivals, client)).map(|at| at.0).collect();
        all.sort_unstable();
        let slow = (0..10).map(|k| SECOND + k * 100 * MILLISECOND);
        let fast = (0..20).map(|k| 3 * SECOND + k * 50 * MILLISECOND);
        assert_eq!(all, slow.chain(fast).collect::<Vec<_>>());
        assert_eq!(end(Time(SECOND), &phases), Time(4 * SECOND));
    }

    #[test]
    fn nothing_is_lost_to_rounding() {
        // Three operations per second do not fit whole nanoseconds; after 1000 s the 3000th is still on time.
        let mut arrivals = Arrivals::new(1, Pacing::Fixed, Time::ZERO, &[phase(1001 * SECOND, 3, 0)], 1);
        assert_eq!(open(&mut arrivals, 0)[3000], Time(1000 * SECOND));
    }

    #[test]
    fn poisson_arrivals_have_the_rate_of_their_phase() {
        let phases = [phase(1000 * SECOND, 20, 0), phase(1000 * SECOND, 0, 0), phase(1000 * SECOND, 80, 0)];
        let mut arrivals = Arrivals::new(4, Pacing::Poisson, Time::ZERO, &phases, 5);
        let mut count = [0_u64; 3];
        for client in 0..4 {
            let times = open(&mut arrivals, client);
            assert!(times.is_sorted());
            for at in times {
                count[(at.0 / (1000 * SECOND)) as usize] += 1;
            }
        }
        // A Poisson count deviates by its root: 141 and 283; five of each.
        assert!(count[0].abs_diff(20_000) < 707 && count[1] == 0 && count[2].abs_diff(80_000) < 1415, "{count:?}");
    }

    #[test]
    fn poisson_gaps_are_dispersed_like_exponentials() {
        let mut arrivals = Arrivals::new(1, Pacing::Poisson, Time::ZERO, &[phase(2000 * SECOND, 10, 0)], 3);
        let times = open(&mut arrivals, 0);
        let longer = times.windows(2).filter(|pair| pair[1] - pair[0] > 100 * MILLISECOND).count();
        // One gap in e = 2.71828 is longer than the mean.
        let expected = times.len() * 100_000 / 271_828;
        assert!(longer.abs_diff(expected) < 5 * 68, "{longer} of {}", times.len());
    }

    #[test]
    fn a_client_keeps_its_arrivals_when_clients_join_at_the_same_rate_each() {
        let of = |clients, rate_hz| {
            open(&mut Arrivals::new(clients, Pacing::Poisson, Time::ZERO, &[phase(9 * SECOND, rate_hz, 0)], 1), 1)
        };
        assert_eq!(of(2, 20), of(10, 100));
        // At the same total rate everything a client does is stretched.
        let (few, many) = (of(2, 20), of(4, 20));
        assert!(many.iter().zip(&few).all(|(late, early)| (2 * early.0).abs_diff(late.0) <= 2));
    }

    #[test]
    fn an_earlier_phase_is_not_changed_by_a_later_one() {
        let until = |later| {
            let phases = [phase(SECOND, 100, 0), phase(SECOND, later, 0)];
            let times = open(&mut Arrivals::new(1, Pacing::Poisson, Time::ZERO, &phases, 1), 0);
            times.into_iter().filter(|&at| at < Time(SECOND)).collect::<Vec<_>>()
        };
        assert_eq!(until(10), until(1000));
    }

    #[test]
    fn a_closed_loop_thinks_after_the_answer() {
        let phases = [phase(10 * SECOND, 0, 100 * MILLISECOND), phase(10 * SECOND, 0, 0)];
        let mut arrivals = Arrivals::new(2, Pacing::Closed, Time(SECOND), &phases, 1);
        assert_eq!(arrivals.pacing(), Loop::Closed);
        let first = arrivals.next(0, Time::ZERO).expect("there is time").at;
        assert!(first > Time(SECOND));
        let thought = |answered: Time| {
            let mut patient = arrivals.clone();
            patient.next(0, answered).expect("there is time").at - answered
        };
        assert!(thought(first) > 0);
        assert_eq!(thought(first + 10), thought(first + SECOND));
        assert_eq!(thought(Time(11 * SECOND)), 0);
        assert_eq!(arrivals.next(0, Time(21 * SECOND)), None);
        assert_eq!(arrivals.next(0, Time(21 * SECOND)), None);
        assert!(arrivals.next(1, Time::ZERO).is_some());
    }

    #[test]
    fn think_times_have_their_mean() {
        let mut arrivals =
            Arrivals::new(1, Pacing::Closed, Time::ZERO, &[phase(1000 * SECOND, 0, 50 * MILLISECOND)], 1);
        let (mut now, mut count) = (Time::ZERO, 0_u64);
        while let Some(due) = arrivals.next(0, now) {
            assert!(due.at >= now);
            // The answer takes 50 ms as well.
            now = due.at + 50 * MILLISECOND;
            count += 1;
        }
        assert!(count.abs_diff(10_000) < 250, "{count}");
    }

    #[test]
    fn without_rate_or_phase_nothing_arrives() {
        for phases in [vec![], vec![phase(SECOND, 0, 0)], vec![phase(0, 1000, 0)]] {
            for pacing in [Pacing::Poisson, Pacing::Fixed] {
                assert_eq!(Arrivals::new(1, pacing, Time::ZERO, &phases, 1).next(0, Time::ZERO), None);
            }
        }
    }

    proptest! {
        #[test]
        fn arrivals_stay_within_their_phases(
            shape in proptest::collection::vec((0..5 * SECOND, 0..40_u64, 0..SECOND), 1..5),
            clients in 1..4_u32,
            start in 0..SECOND,
            seed: u64,
        ) {
            let phases: Vec<Phase> = shape.iter().map(|&(for_ns, rate, think_ns)| phase(for_ns, rate, think_ns + 1_000_000)).collect();
            for pacing in [Pacing::Poisson, Pacing::Fixed, Pacing::Closed] {
                let mut arrivals = Arrivals::new(clients, pacing, Time(start), &phases, seed);
                let (mut last, mut number) = (Time(start), 0);
                while let Some(due) = arrivals.next(clients - 1, last) {
                    prop_assert!(due.at >= last && due.at < end(Time(start), &phases));
                    prop_assert_eq!(due.number, number);
                    (last, number) = (due.at, number + 1);
                }
            }
        }

        #[test]
        fn extreme_numbers_do_not_panic(for_ns: u64, rate_mhz: u64, think_ns: u64, start: u64, not_before: u64) {
            let phases = [Phase { for_ns, rate_mhz, think_ns }];
            for pacing in [Pacing::Poisson, Pacing::Fixed, Pacing::Closed] {
                let mut arrivals = Arrivals::new(2, pacing, Time(start), &phases, 1);
                for _ in 0..4 {
                    if let Some(due) = arrivals.next(1, Time(not_before)) {
                        prop_assert!(due.at >= Time(not_before));
                    }
                }
            }
        }
    }
}
