//! Operations on a counter: additions and reads in a stated mix.
//!
//! The k-th operation of a client draws its kind, its amount and, when the client roams, its replica each from an
//! address of its own. For example, a mix of 7 additions to 3 reads turns seven tenths of the words at `work.op` into
//! additions, whatever the arrivals are. Amounts of 0 are allowed: they are updates that change nothing.

use crdts::objects::counter::{Counter, CounterOp};

use super::arrivals::{self, Arrivals, Pacing, Phase};
use crate::kernel::{
    draws::Stream,
    ids::NodeId,
    time::Time,
    workload::{Arrival, Loop, Workload},
};

/// The weights of the kinds of operations; at least one is above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Additions.
    pub add: u32,
    /// Reads.
    pub read: u32,
}

/// How much is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmountDistribution {
    /// Always this.
    Constant(i64),
    /// All amounts from `min` to `max` are equally probable.
    Uniform {
        /// The least.
        min: i64,
        /// The greatest, not below the least.
        max: i64,
    },
    /// All entries are equally probable; there is at least one.
    Choice(Vec<i64>),
}

/// Whom clients talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Client `k` always talks to replica `k` modulo the number of replicas.
    Replica,
    /// Every operation goes to a drawn replica.
    Roaming,
}

/// A workload of counter operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterWorkloadConfig {
    /// The number of clients.
    pub clients: u32,
    /// The number of replicas, at least one.
    pub replicas: u32,
    /// How invocations follow each other.
    pub pacing: Pacing,
    /// The beginning of the first phase.
    pub start: Time,
    /// Phases one after the other. There are no invocations after the last.
    pub phases: Vec<Phase>,
    /// What clients invoke, in phases without a mix of their own.
    pub mix: Mix,
    /// How much is added.
    pub amount: AmountDistribution,
    /// Whom clients talk to.
    pub binding: Binding,
}

/// The operations of all clients.
#[derive(Clone, Debug)]
pub struct CounterWorkload {
    arrivals: Arrivals,
    replicas: u32,
    mix: Mix,
    amount: AmountDistribution,
    binding: Binding,
    kinds: Stream,
    amounts: Stream,
    choices: Stream,
}

impl CounterWorkloadConfig {
    /// For every client the replica to which it is bound; `None` when it roams.
    pub fn client_replica(&self) -> Vec<Option<NodeId>> {
        (0..self.clients).map(|client| self.binding.replica(client, self.replicas)).collect()
    }

    /// The end of the last phase: all invocations are before it.
    pub fn end(&self) -> Time {
        arrivals::end(self.start, &self.phases)
    }
}

impl Binding {
    /// The replica of a bound client.
    fn replica(self, client: u32, replicas: u32) -> Option<NodeId> {
        (self == Self::Replica).then(|| NodeId(client % replicas))
    }
}

impl AmountDistribution {
    /// The amount for 64 uniform bits.
    fn sample(&self, word: u64) -> i64 {
        match self {
            Self::Constant(amount) => *amount,
            Self::Uniform { min, max } => {
                let span = u128::from(max.wrapping_sub(*min) as u64) + 1;
                min.wrapping_add(((u128::from(word) * span) >> 64) as i64)
            }
            Self::Choice(amounts) => amounts[crate::kernel::draws::below(word, amounts.len() as u64) as usize],
        }
    }
}

impl CounterWorkload {
    /// The workload under `seed`.
    pub fn new(config: CounterWorkloadConfig, seed: u64) -> Self {
        Self {
            arrivals: Arrivals::new(config.clients, config.pacing, config.start, &config.phases, seed),
            replicas: config.replicas,
            mix: config.mix,
            amount: config.amount,
            binding: config.binding,
            kinds: Stream::new(seed, "work.op"),
            amounts: Stream::new(seed, "work.amount"),
            choices: Stream::new(seed, "work.replica"),
        }
    }
}

impl Workload<Counter> for CounterWorkload {
    fn pacing(&self) -> Loop {
        self.arrivals.pacing()
    }

    fn next(&mut self, client: u32, not_before: Time) -> Option<Arrival<CounterOp>> {
        let due = self.arrivals.next(client, not_before)?;
        let entity = u64::from(client);
        let mix = due.mix.unwrap_or(self.mix);
        let weights = u64::from(mix.add) + u64::from(mix.read);
        let op = if self.kinds.below(entity, due.number, weights) < u64::from(mix.add) {
            CounterOp::Add(self.amount.sample(self.amounts.word(entity, due.number)))
        } else {
            CounterOp::Read
        };
        let replica = self
            .binding
            .replica(client, self.replicas)
            .unwrap_or_else(|| NodeId(self.choices.below(entity, due.number, u64::from(self.replicas)) as u32));
        Some(Arrival { at: due.at, replica, op })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SECOND;

    fn config() -> CounterWorkloadConfig {
        CounterWorkloadConfig {
            clients: 4,
            replicas: 3,
            pacing: Pacing::Poisson,
            start: Time(SECOND),
            phases: vec![Phase { for_ns: 100 * SECOND, rate_mhz: 400_000, think_ns: 0, mix: None }],
            mix: Mix { add: 7, read: 3 },
            amount: AmountDistribution::Uniform { min: -2, max: 7 },
            binding: Binding::Roaming,
        }
    }

    fn all(config: CounterWorkloadConfig) -> Vec<Vec<Arrival<CounterOp>>> {
        let clients = config.clients;
        let mut workload = CounterWorkload::new(config, 1);
        (0..clients).map(|client| std::iter::from_fn(|| workload.next(client, Time::ZERO)).collect()).collect()
    }

    fn check_times(changed: CounterWorkloadConfig, same: bool) {
        let times = |config| all(config).concat().iter().map(|arrival| arrival.at).collect::<Vec<_>>();
        assert_eq!(times(config()) == times(changed), same);
    }

    #[test]
    fn the_first_arrivals_never_change() {
        // Golden vectors: a change here gives every published seed other arrivals.
        let mut workload = CounterWorkload::new(config(), 42);
        let first = [0, 0, 0, 3, 3, 3].map(|client| {
            let Arrival { at, replica, op } = workload.next(client, Time::ZERO).expect("the phase is long");
            (at.0, replica.0, op)
        });
        assert_eq!(first, GOLDEN);
    }

    const GOLDEN: [(u64, u32, CounterOp); 6] = [
        (1_001_403_626, 0, CounterOp::Add(2)),
        (1_021_503_104, 0, CounterOp::Add(6)),
        (1_026_886_309, 0, CounterOp::Read),
        (1_014_705_930, 2, CounterOp::Add(4)),
        (1_021_230_428, 0, CounterOp::Read),
        (1_037_142_595, 2, CounterOp::Add(1)),
    ];

    #[test]
    fn equal_seeds_give_equal_operations() {
        assert_eq!(all(config()), all(config()));
        let of = |seed| CounterWorkload::new(config(), seed).next(0, Time::ZERO);
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn the_mix_changes_neither_times_nor_replicas_nor_amounts() {
        let mut changed = config();
        changed.mix = Mix { add: 1, read: 1 };
        check_times(changed.clone(), true);
        for (before, after) in all(config()).concat().iter().zip(all(changed).concat()) {
            assert_eq!(before.replica, after.replica);
            assert!(after.op == CounterOp::Read || after.op == before.op);
        }
        let constant = CounterWorkloadConfig { amount: AmountDistribution::Constant(1), ..config() };
        check_times(constant, true);
        check_times(CounterWorkloadConfig { binding: Binding::Replica, ..config() }, true);
        check_times(CounterWorkloadConfig { start: Time(SECOND + 1), ..config() }, false);
    }

    #[test]
    fn the_mix_and_the_amounts_have_their_frequencies() {
        let operations = all(config()).concat();
        let mut amounts = [0_usize; 10];
        for arrival in &operations {
            if let CounterOp::Add(amount) = arrival.op {
                amounts[usize::try_from(amount + 2).expect("no amount is below -2")] += 1;
            }
        }
        let adds: usize = amounts.iter().sum();
        // Five standard deviations of binomials over 40,000 and 28,000.
        assert!(adds.abs_diff(operations.len() * 7 / 10) < 5 * 92, "{adds} of {}", operations.len());
        assert!(amounts.iter().all(|count| count.abs_diff(adds / 10) < 5 * 51), "{amounts:?}");
        let mut replicas = [0_usize; 3];
        for arrival in &operations {
            replicas[arrival.replica.index()] += 1;
        }
        assert!(replicas.iter().all(|count| count.abs_diff(operations.len() / 3) < 5 * 95), "{replicas:?}");
    }

    #[test]
    fn a_phase_can_have_its_own_mix() {
        let mut config = config();
        let reads = Phase { mix: Some(Mix { add: 0, read: 1 }), ..config.phases[0].clone() };
        config.phases.push(reads);
        config.mix = Mix { add: 1, read: 0 };
        assert_eq!(config.end(), Time(201 * SECOND));
        for arrival in all(config).concat() {
            assert_eq!(arrival.op == CounterOp::Read, arrival.at >= Time(101 * SECOND), "{arrival:?}");
        }
    }

    #[test]
    fn bound_clients_stay_and_roaming_ones_are_unbound() {
        let mut config = config();
        assert_eq!(config.client_replica(), [None; 4]);
        config.binding = Binding::Replica;
        assert_eq!(config.client_replica(), [0, 1, 2, 0].map(|replica| Some(NodeId(replica))));
        for (client, arrivals) in (0..).zip(all(config)) {
            assert!(!arrivals.is_empty());
            assert!(arrivals.iter().all(|arrival| arrival.replica == NodeId(client % 3)));
        }
    }

    #[test]
    fn amounts_reach_both_ends_and_no_further() {
        let check = |amount: AmountDistribution, least, greatest| {
            assert_eq!((amount.sample(0), amount.sample(u64::MAX)), (least, greatest), "{amount:?}");
        };
        check(AmountDistribution::Constant(0), 0, 0);
        check(AmountDistribution::Uniform { min: 5, max: 5 }, 5, 5);
        check(AmountDistribution::Uniform { min: -1, max: 1 }, -1, 1);
        check(AmountDistribution::Uniform { min: i64::MIN, max: i64::MAX }, i64::MIN, i64::MAX);
        check(AmountDistribution::Choice(vec![9, 1, 4]), 9, 4);
    }
}
